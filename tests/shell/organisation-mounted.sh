#!/bin/sh
# Copies of an organisation that are mounted while they take new entries.
# shellcheck source=tests/suite_organisation.sh
. "$(dirname "$0")/../suite_organisation.sh"

a=$(copy copies a)
mkdir mnt2 mnt3

# reads DIRECTORY NUMBER: the evidence of that attestation of a is there.
reads() {
	grep -q "evidence $2 of a" "$1/trail/run/a$2/report"
	seq -f "a $2 %.0f" 12000 | cmp - "$1/trail/run/a$2/large"
}

# asks DIRECTORY: what a reader asks a mount works.
asks() {
	ls -lR "$1/trail" >list
	reads "$1" 1
	reads "$1" 2
	# What has just come may belong to the tree of a moment ago.
	trailctl status "$1" >shown
	if grep -i 'damage\|altered' shown; then exit 1; fi
	cat "$1"/.trailfs/*.json "$1"/trail/.trailfs/*.json \
		"$1"/trail/run/.trailfs/*.json \
		"$1"/trail/run/a1/.trailfs/*.json >/dev/null
	trailctl prove "$1/trail/run/a1/report" >proof
	trailctl show "$1/trail/run/a1" >/dev/null
	trailctl find --name report "$1" >found
	grep -q 'trail/run/a1/report' found
}

# The mount goes on, and shows what came; so does a new one.
a_mounted_copy_takes_new_entries() {
	host a 2
	organisation org a
	is 0 trailctl org fetch dir:org copies
	timeout 30 trailfs "$a" mnt2 -o ro
	reads mnt2 1
	exec 7<mnt2/trail/run/a2/large
	for i in 3 5; do
		add a "$i"
		forward a org
		is 0 trailctl org fetch dir:org copies
		says '^1 origin: [1-9][0-9]* new entries'
		asks mnt2
		reads mnt2 "$i"
		is 0 trailctl verify --vkey a/keys/log.vkey mnt2
		says '^contents *OK'
	done
	seq -f 'a 2 %.0f' 12000 | cmp - /dev/fd/7
	exec 7<&-
	is_copy a copies
	timeout 30 trailfs "$a" mnt3 -o ro
	asks mnt3
	reads mnt3 5
	fusermount3 -u mnt3
	if mkdir mnt2/new 2>/dev/null; then exit 1; fi
}

# The key of the log may be rotated meanwhile.
a_mounted_copy_follows_a_rotation() {
	mount a -o moved
	is 0 trailctl key rotate log "$mnt"
	record a 6
	unmount
	forward a org
	is 0 trailctl org fetch dir:org copies
	asks mnt2
	reads mnt2 6
	is 0 trailctl prove mnt2/trail/run/a6/report
	cp out proof6
	is 0 trailctl verify --vkey a/keys/log.vkey proof6
	is 0 trailctl verify --vkey a/keys/log.vkey mnt2
}

# A writer that is killed at any of its syncs disturbs no mount, and the next one
# goes on.
a_killed_writer_leaves_the_mount() {
	needs strace
	add a 7
	forward a org
	n=1 killed=0
	while :; do
		got=0
		strace -f -qq -o trace -e trace=fsync,fdatasync \
			-e inject=fsync,fdatasync:signal=KILL:when=$n \
			trailctl org fetch -q dir:org copies >out 2>err || got=$?
		asks mnt2
		[ "$got" -ne 0 ] || break
		[ "$got" -eq 137 ] || {
			cat out err
			exit 1
		}
		killed=$((killed + 1))
		n=$((n + 2))
	done
	[ "$killed" -ge 3 ]
	reads mnt2 7
	is_copy a copies
}

# Many reads while entries come.
reads_beside_a_writer() {
	(
		while [ ! -e stop.reader ]; do
			asks mnt2
		done
	) &
	reader=$!
	for i in 8 9; do
		add a "$i"
		forward a org
		is 0 trailctl org fetch dir:org copies
	done
	touch stop.reader
	wait $reader
	rm stop.reader
	reads mnt2 9
	is_copy a copies
}

# Two writers exclude each other, also beside a mount.
two_writers_exclude_each_other() {
	add a 10
	forward a org
	# shellcheck disable=SC2094 # a lock
	(
		flock 9
		is 3 trailctl org fetch dir:org copies
		complains '^trailctl: example.org/a: the mirror is '
	) 9<"$a/lock"
	is 0 trailctl org fetch dir:org copies
	is_copy a copies
}

# Bytes of redacted evidence are not deleted under a mount, and not shown by it.
a_redaction_waits_for_the_mount() {
	needs setpriv
	[ "$(id -u)" = 0 ] || skip 'not root'
	chmod 0755 "$work"
	host red 1
	organisation redorg red
	is 0 trailctl org fetch dir:redorg redcopies
	timeout 30 trailfs "$(copy redcopies red)" mnt3 -o ro
	mount red -o allow_other,moved
	chown 65534 "$mnt/trail" "$mnt/trail/run"
	control=$mnt/trail/run/a1/.trailfs/redactions
	printf '{"propose":"report","reason":"asked for"}' >"$control"
	seq=$(trailctl log --json --type redaction.proposed "$mnt" |
		sed -n 's/.*"seq":\([0-9]*\).*/\1/p' | tail -n 1)
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		sh -c "printf '{\"approve\":$seq}' >'$control'"
	unmount
	forward red redorg
	is 0 trailctl org fetch dir:redorg redcopies
	if cat mnt3/trail/run/a1/report 2>/dev/null; then exit 1; fi
	is 3 trailctl mirror --yes --erase-redacted "$(copy redcopies red)"
	complains 'mounted'
	grep -q 'evidence 1 of red' -r redcopies
	fusermount3 -u mnt3
	until_true flock -n "$(copy redcopies red)/mirror" true
	is 0 trailctl mirror --yes --erase-redacted "$(copy redcopies red)"
	if grep -q 'evidence 1 of red' -r redcopies; then exit 1; fi
	is 0 trailctl verify --vkey red/keys/log.vkey "$(copy redcopies red)"
}

# A copy that lacks the files of the log, such as one of an earlier version, is
# locked while it is mounted.
a_copy_without_the_files_waits() {
	host old 1
	organisation oldorg old
	is 0 trailctl org fetch dir:oldorg oldcopies
	old=$(copy oldcopies old)
	[ ! -s "$old/ledger.db-wal" ]
	rm "$old/ledger.db-wal" "$old/ledger.db-shm"
	add old 2
	forward old oldorg
	timeout 30 trailfs "$old" mnt3 -o ro
	grep -q 'evidence 1 of old' mnt3/trail/run/a1/report
	is 3 trailctl org fetch dir:oldorg oldcopies
	complains '^trailctl: example.org/old: the mirror is mounted'
	fusermount3 -u mnt3
	flock -w 30 "$old/lock" true
	is 0 trailctl org fetch dir:oldorg oldcopies
	is_copy old oldcopies
}

with '/dev/fuse sqlite3' a_mounted_copy_takes_new_entries \
	a_mounted_copy_follows_a_rotation a_killed_writer_leaves_the_mount \
	reads_beside_a_writer two_writers_exclude_each_other \
	a_redaction_waits_for_the_mount a_copy_without_the_files_waits
finish
