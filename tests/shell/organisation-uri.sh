#!/bin/sh
# trailfs URI MOUNTPOINT -o ro,cache=DIRECTORY: an organisation in one mount, followed by
# a process of the mount.
. "$(dirname "$0")/../suite_organisation.sh"
shared_mount=yes

# Vaults are mounted at $mnt, the organisation at view.
mkdir view

# until_true COMMAND...: wait for it, at most a minute.
until_true() {
	for _ in $(seq 600); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

# file NAME NUMBER: evidence in the mount.
file() {
	copy view "$1/trail/run/a$2/$3"
}

# has COUNT: so many blobs are in the cache.
has() {
	[ "$(find cache/.cache -type f | wc -l)" -eq "$1" ]
}

# within BYTES: no more is in the cache.
within() {
	[ "$(find cache/.cache -type f -printf '%s\n' |
		awk '{ n += $1 } END { print n + 0 }')" -le "$1" ]
}

# processes NAME: pids of those in this directory's mount that are called so.
processes() {
	pgrep -x -P "$(cat daemon)" "$1"
}

# follower: the pid of the process that fetches, or nothing.
follower() {
	pgrep -x -P "$(processes trailfs-restart)" trailfs-follow
}

# start [OPTION...]: the mount in the foreground, with its log.
start() {
	trailfs -f dir:org view -o "ro,cache=cache${1:+,$1}" >>log 2>&1 &
	echo $! >daemon
	until mountpoint -q view; do
		kill -0 "$(cat daemon)"
		sleep 0.05
	done
}

# metric NAME VALUE: the mount says so, a pattern.
metric() {
	trailctl metrics view | grep -q "^trailfs_$1{origin=\"dir:$work/org\"} $2\$"
}

# gone PID: it has ended.
gone() {
	[ ! -e "/proc/$1" ]
}

# Nothing is fetched but names until somebody reads.
an_organisation_is_mounted() {
	host a 2
	host b 2
	organisation org a b
	start
	# shellcheck disable=SC2012 # no name has a line feed
	[ "$(ls view | tr '\n' ' ')" = 'example.org%2Fa example.org%2Fb ' ]
	has 0
	[ "$(cat "$(file a 1 report)")" = 'evidence 1 of a' ]
	seq -f 'b 2 %.0f' 12000 | cmp - "$(file b 2 large)"
	has 2
	[ "$(findmnt -n -o SOURCE view)" = "dir:$work/org" ]
	# What is in the mount of a vault is here, too.
	mkdir vault
	trailfs a vault -o ro
	(cd vault && find . -mindepth 1 -printf '%P %m %s %T@\n' | sort) >there
	(cd "$(copy view a)" && find . -mindepth 1 -printf '%P %m %s %T@\n' | sort) >here
	umount vault
	cmp there here
	is 1 touch "$(copy view a)/new"
	complains 'Read-only'
	is 0 trailctl log "$(copy view b)"
	says 'trail/run/a2/report'
}

# Nobody keeps a privilege, and the log says what is in force.
nobody_keeps_privileges() {
	for p in $(follower) "$(cat daemon)"; do
		grep -q '^CapPrm:.*0000000000000000$' "/proc/$p/status"
		grep -q '^CapBnd:.*0000000000000000$' "/proc/$p/status"
		grep -q '^NoNewPrivs:.*1$' "/proc/$p/status"
		grep -q '^Seccomp:.*2$' "/proc/$p/status"
	done
	grep -q '^CapPrm:.*0000000000000000$' "/proc/$(processes trailfs-restart)/status"
	grep -q '^NoNewPrivs:.*1$' "/proc/$(processes trailfs-restart)/status"
	grep 'the follower runs as .*, with Landlock .* a filter of system calls' log
	grep 'the router runs as .*, with Landlock .* a filter of system calls' log
}

# A cache of another user is filled by that user, who reads the organisation.
the_owner_of_the_cache_fetches() {
	[ "$(id -u)" -eq 0 ] || skip 'only root mounts for another user'
	umount view
	until_true gone "$(cat daemon)"
	chmod 755 .
	mkdir -m 700 theirs
	chown games: theirs
	is 1 trailfs dir:org view -o ro,cache=theirs
	complains 'Permission denied: an organisation in dir: is for its owner and root$'
	chown -R games: org
	trailfs -f dir:org view -o ro,cache=theirs >>log 2>&1 &
	echo $! >daemon
	until_true mountpoint -q view
	[ "$(cat "$(file a 1 report)")" = 'evidence 1 of a' ]
	[ -z "$(find theirs ! -user games)" ]
	grep -q "^Uid:.$(id -u games).$(id -u games).$(id -u games)" \
		"/proc/$(follower)/status"
	umount view
	until_true gone "$(cat daemon)"
	chown -R 0:0 org
	start
}

# How it is, for a monitoring system and for people; nothing else is there.
it_says_how_it_is() {
	[ "$(ls -A view/.trailfs)" = metrics ]
	[ "$(stat -c '%A %U' view/.trailfs/metrics)" = "-r--r----- $(id -un)" ]
	trailctl metrics view >there
	grep -v 'timestamp\|disk_free\|open_handles' there >one
	grep -v 'timestamp\|disk_free\|open_handles' view/.trailfs/metrics | diff one -
	metric mounted 1
	metric origins 2
	metric origin_daemons '[12]'
	metric origin_daemon_failures_total 0
	metric follow_running 1
	metric follow_failing 0
	metric follow_entries "$(sqlite3 -readonly org/org.db 'SELECT count(*) FROM leaf')"
	metric follow_refused_origins 0
	metric cache_limit_bytes 1073741824
	metric cache_misses_total 2
	cached=$(sed -n 's/^trailfs_cache_bytes{.*} //p' there)
	[ "$cached" -ge 100000 ] && [ "$cached" -lt 1000000 ]
	trailctl metrics --textfile view.prom view
	grep -v 'timestamp\|disk_free\|open_handles' view.prom | diff one -
	trailctl doctor view >said || :
	grep -q '^follow *ok .*compared' said
	grep -q '^mount *ok *2 origins' said
	is 1 touch view/.trailfs/other
	is 1 cat view/.trailfs/other
	is 1 dd of=view/.trailfs/metrics count=0
	# A reader keeps what was there when it opened the file.
	exec 4<view/.trailfs/metrics
	trailctl metrics view | grep -q '^trailfs_open_handles{.*} [1-9]$'
	cat <&4 | grep -q '^trailfs_mounted'
	exec 4<&-
}

# Without another command or another mount.
what_comes_appears() {
	add a 3
	forward a org
	until_true test -e "$(file a 3 report)"
	[ "$(cat "$(file a 3 report)")" = 'evidence 3 of a' ]
	host c 1
	trailctl org enrol dir:org c/keys/log.vkey
	forward c org
	until_true test -e "$(file c 1 report)"
	[ "$(cat "$(file c 1 report)")" = 'evidence 1 of c' ]
}

# modes_are MODE: those of two sealed files.
modes_are() {
	[ "$(stat -c %a "$(file a 1 report)" "$(file a 2 report)" | sort -u)" = "$1" ]
}

# What the kernel remembers of a copy is not what it shows when the copy has grown, also
# where a file or a directory is open meanwhile.
what_was_read_before_is_seen_to_grow() {
	at=$(copy view a)/.trailfs
	for name in events.jsonl checkpoint status.json; do
		cat "$at/$name" >"old.$name"
		cat "$at/$name" >/dev/null
	done
	before=$(wc -l <old.events.jsonl)
	[ "$before" -lt 256 ]
	is 1 cat "$at/tile/0/000"
	cat "$at/tile/0/000.p/$before" >old.partial
	[ "$(stat -c %s old.partial)" = $((32 * before)) ]
	ls "$at/tile/0" "$(copy view a)" "$(copy view a)/trail/run" >/dev/null
	# The kernel may remember for a day what is sealed.
	[ "$(stat -c %a "$(file a 1 report)" "$(file a 2 report)")" = "$(printf '644\n644')" ]
	cat "$(file a 1 report)" >/dev/null
	exec 3<"$(file a 2 report)"
	exec 4<"$at/events.jsonl" 5<"$at/checkpoint" 6<"$at/status.json" \
		7<"$(copy view a)" 8<"$(copy view a)/trail/run" 9<"$at/tile/0"
	mount a -o moved
	# shellcheck disable=SC2046 # numbers
	(cd "$mnt" && mkdir $(seq -f 'more%.0f' 300))
	chmod 600 "$mnt/trail/run/a1/report" "$mnt/trail/run/a2/report"
	record a 6
	unmount
	forward a org
	until_true test -e "$(file a 6 report)"
	# Before a directory is read, which would tell the kernel, too.
	until_true modes_are 600
	# All of this at once, with plain programs.
	(cd "$(copy view a)" && find . -path ./.trailfs -prune -o -print | sort) >new.names
	cat "$at/events.jsonl" >new.events.jsonl
	cat "$at/checkpoint" >new.checkpoint
	cat "$at/status.json" >new.status.json
	cat "$at/tile/0/000" >new.tile
	exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-
	trailfs a vault -o ro
	cmp new.events.jsonl vault/.trailfs/events.jsonl
	cmp new.checkpoint vault/.trailfs/checkpoint
	cmp new.tile vault/.trailfs/tile/0/000
	(cd vault && find . -path ./.trailfs -prune -o -print | sort) | cmp - new.names
	umount vault
	[ "$(stat -c %s new.tile)" = 8192 ]
	cmp -n "$((32 * before))" old.partial new.tile
	head -n "$before" new.events.jsonl | cmp - old.events.jsonl
	entries=$(wc -l <new.events.jsonl)
	grep -q "\"entries\": *${entries}[,}]" new.status.json
	[ "$(sed -n 2p new.checkpoint)" = "$entries" ]
}

# Its process is gone, too, and another mount begins with what is in the cache.
unmounting_ends_it() {
	follower=$(follower)
	umount view
	until_true gone "$(cat daemon)"
	until_true gone "$follower"
	start
	# shellcheck disable=SC2012 # no name has a line feed
	[ "$(ls view | wc -l)" -eq 3 ]
}

# Who mounts again at once waits until the mount before has ended.
it_is_mounted_again_at_once() {
	for _ in 1 2 3; do
		umount view
		is 0 timeout 60 trailfs dir:org view -o ro,cache=cache
		[ "$(cat "$(file a 2 report)")" = 'evidence 2 of a' ]
	done
	umount view
	until_true flock -n cache/.cache true
	start
}

# The follower ends with a daemon that is killed, and the next mount works.
a_killed_daemon_takes_it_along() {
	follower=$(follower)
	kill -9 "$(cat daemon)"
	until_true gone "$follower"
	umount -l view
	start
	[ "$(cat "$(file a 2 report)")" = 'evidence 2 of a' ]
}

# another PID: another process fetches.
another() {
	now=$(follower) && [ -n "$now" ] && [ "$now" != "$1" ]
}

# Names and what is in the cache go on; other bytes fail with a reason, and do not hang,
# until the process that fetches is there again.
without_the_follower_reads_fail() {
	cat "$(file b 2 large)" >/dev/null
	: >log
	# It cannot be started again while the one that would do so is stopped.
	kill -STOP "$(processes trailfs-restart)"
	fetches=$(follower)
	kill -9 "$fetches"
	until_true grep -q '^State:.Z' "/proc/$fetches/status"
	ls -lR view >/dev/null
	seq -f 'b 2 %.0f' 12000 | cmp - "$(file b 2 large)"
	is 1 timeout 60 cat "$(file c 1 large)"
	complains 'Input/output error'
	wait_for log 'the bytes are not in this copy'
	kill -CONT "$(processes trailfs-restart)"
	wait_for log 'the process that fetches has ended (Killed): until it is started again in 1 s'
	until_true another "$fetches"
	until_true cat "$(file c 1 large)" >/dev/null 2>&1
	seq -f 'c 1 %.0f' 12000 | cmp - "$(file c 1 large)"
}

# However often: new entries appear, nothing is left over, and the pauses grow.
a_killed_follower_is_started_again() {
	umount view
	until_true gone "$(cat daemon)"
	: >log
	start
	for i in 1 2 3 4; do
		fetches=$(follower)
		kill -9 "$fetches"
		until_true another "$fetches"
		until_true gone "$fetches" # no zombie
		metric follow_restarts_total $i
		until_true metric follow_running 1
	done
	add a 5
	forward a org
	until_true test -e "$(file a 5 report)"
	[ "$(cat "$(file a 5 report)")" = 'evidence 5 of a' ]
	[ "$(grep -o 'again in [0-9]* s' log | tr '\n' ' ')" = \
		'again in 1 s again in 2 s again in 4 s again in 8 s ' ]
	# The mount does not wait for the end of a pause.
	fetches=$(follower) restarts=$(processes trailfs-restart)
	kill -9 "$fetches"
	until_true metric follow_running 0
	trailctl doctor view >said || :
	grep -q '^follow *wrong .*has ended' said
	umount view
	until_true gone "$(cat daemon)"
	until_true gone "$fetches"
	until_true gone "$restarts"
	# Who starts it again takes it along.
	start
	fetches=$(follower)
	kill -9 "$(processes trailfs-restart)"
	until_true gone "$fetches"
	wait_for log 'the process that fetches has ended: .*mount again'
	until_true metric follow_running 0
	umount view
	until_true gone "$(cat daemon)"
}

# Lines of the processes beside the daemon go to the journal, too, and to nothing else.
a_killed_follower_is_in_the_journal() {
	umount view 2>/dev/null || :
	cat >listen <<-'END'
	import socket
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind('/run/systemd/journal/socket')
	open('listening', 'w')
	s.settimeout(60)
	while True:
	    text = s.recv(65536).decode(errors='replace')
	    print(text, flush=True)
	    if ' has ended (Killed)' in text:
	        break
	END
	rm -f listening
	# shellcheck disable=SC2016 # that shell expands it
	unshare -m --pid --fork --kill-child --mount-proc sh -e -c '
		mkdir -p /run/systemd
		mount -t tmpfs none /run/systemd
		mkdir /run/systemd/journal
		python3 listen >lines &
		listens=$!
		timeout 60 sh -c "until [ -e listening ]; do sleep 0.1; done"
		trailfs dir:org view -o ro,cache=cache
		kill -9 "$(pgrep -x trailfs-follow)"
		wait $listens
		timeout 60 sh -c "until trailctl metrics view |
			grep \"^trailfs_follow_running{.*} 1\"; do sleep 0.1; done"
		umount view'
}

# limit SIZE BYTES: cache_size=SIZE means so many, and no more is in the cache from the
# start on, nor after each file that is read; a file that is longer is shown, too.
limit() {
	start "cache_size=$1"
	metric cache_limit_bytes "$2"
	within "$2"
	for name in a b c; do
		seq -f "$name 1 %.0f" 12000 | cmp - "$(file $name 1 large)"
		within "$2"
		cached=$(trailctl metrics view | sed -n 's/^trailfs_cache_bytes{.*} //p')
		[ "$cached" -le "$2" ]
	done
	umount view
	until_true gone "$(cat daemon)"
}

# No more is kept than was asked for, in each form of the number.
the_cache_has_a_limit() {
	umount view 2>/dev/null || :
	until_true gone "$(cat daemon)"
	rm -rf cache
	limit 1T 1099511627776
	has 3
	limit 244K 249856
	limit 1G 1073741824
	# Room for two files by their sizes, but not by their blocks.
	limit 220000 220000
	limit 150000 150000
	limit 1M 1048576
	limit 64K 65536
	has 0
}

# blob ORIGIN FILE: the blob that has this evidence, of its own or with others.
blob() {
	sum=$(sha256sum <"$2" | cut -c 1-64)
	found=$(sqlite3 org/org.db "SELECT lower(hex(bundle)) FROM located JOIN member AS m
		ON m.id = member WHERE m.origin = CAST('example.org/$1' AS BLOB) AND
		lower(hex(object)) = '$sum'")
	: "${found:=$sum}"
	echo "org/objects/$(echo "$found" | sed 's,^..,&/,')"
}

# fails FILE: reading it is an error, no byte of it is given, and the log says why.
fails() {
	: >log
	is 1 timeout 60 cat "$1"
	complains 'Input/output error'
	[ ! -s out ]
	wait_for log "$2"
}

# other BLOB: as many bytes, but others.
other() {
	size=$(stat -c %s "$1")
	chmod u+w "$1"
	head -c "$size" /dev/zero | tr '\0' x >"$1"
}

# Others go on, nothing of it is kept, and it is read again when the blob is right.
what_is_altered_is_not_shown() {
	rm -r cache
	for kind in report large; do
		case $kind in
		large) seq -f 'a 1 %.0f' 12000 >large ;;
		report) echo 'evidence 1 of a' >report ;;
		esac
		b=$(blob a $kind)
		cp "$b" "right-$kind"
		for how in altered short missing; do
			start
			case $how in
			altered) other "$b" ;;
			short) truncate -s 3 "$b" 2>/dev/null || { chmod u+w "$b" && truncate -s 3 "$b"; } ;;
			missing) rm -f "$b" ;;
			esac
			case $how in
			missing) fails "$(file a 1 $kind)" 'the bytes are missing: ' ;;
			*) fails "$(file a 1 $kind)" 'the bytes are altered: ' ;;
			esac
			is 4 trailctl status "$(copy view a)"
			says "a1/$kind"
			metric cache_failures_total '[1-9]'
			[ "$(cat "$(file b 1 report)")" = 'evidence 1 of b' ]
			seq -f 'b 1 %.0f' 12000 | cmp - "$(file b 1 large)"
			find cache/.cache -type f | while read -r f; do
				[ "$(sha256sum "$f" | cut -c 1-64)" = "${f##*/}" ]
			done
			rm -f "$b"
			cp "right-$kind" "$b"
			cmp $kind "$(file a 1 $kind)"
			umount view
			until_true gone "$(cat daemon)"
			rm -r cache
		done
	done
	# Nor is what somebody altered in the cache, or an organisation of which nothing
	# can be read.
	start
	cat "$(file a 1 large)" >/dev/null
	umount view
	until_true gone "$(cat daemon)"
	sum=$(sha256sum large | cut -c 1-64)
	other "cache/.cache/$(echo "$sum" | sed 's,^..,&/,' | sed "s,/.*,/$sum,")"
	start
	cmp large "$(file a 1 large)"
	umount view
	until_true gone "$(cat daemon)"
	mv org away
	is 1 trailfs dir:org view -o ro,cache=cache
	complains 'org: there is no such directory'
	mv away org
}

# refused STATUS MESSAGE ARGUMENT...: nothing is mounted, nothing is made, and the
# message says what to give instead.
refused() {
	is "$1" trailfs "$3" view -o "$4"
	complains "$2"
	if mountpoint -q view; then exit 1; fi
	[ ! -e other ]
}

# Each with what to give instead.
wrong_options_are_named() {
	refused 1 'cache=DIRECTORY' dir:org ro
	refused 1 'read only: -o ro' dir:org cache=other
	refused 1 'cache= is for a mount of an organisation' a ro,cache=other
	refused 1 'blobs= is for a mount of an organisation' a ro,blobs=dir:org
	refused 1 'cache_size= is for a mount of an organisation' a ro,cache_size=1000000
	refused 1 'blobs=URI' s3://bucket/prefix ro,cache=other
	refused 1 'objects= is for copies that another process fetches' dir:org \
		ro,cache=other,objects=/run/x
	refused 1 'nothing' dir:nothing ro,cache=other
	mkdir -p nothing
	refused 1 'nothing has no ledger of an organisation' dir:nothing ro,cache=cache
	refused 2 'cache_size=much' dir:org ro,cache=other,cache_size=much
	refused 2 'cache_size=0G' dir:org ro,cache=other,cache_size=0G
	refused 2 'blobs=./here' dir:org ro,cache=other,blobs=./here
	# A vault is no place for copies, and stays as it is.
	find a -mindepth 1 -printf '%p %s %m %U %t\n' | sort >before
	refused 1 'a is a store: give a directory for many' dir:org ro,cache=a
	[ "$(wc -l <err)" -eq 1 ]
	find a -mindepth 1 -printf '%p %s %m %U %t\n' | sort | diff before -
}

with '/dev/fuse pgrep sqlite3' an_organisation_is_mounted it_says_how_it_is \
	nobody_keeps_privileges the_owner_of_the_cache_fetches \
	what_comes_appears what_was_read_before_is_seen_to_grow unmounting_ends_it \
	it_is_mounted_again_at_once \
	a_killed_daemon_takes_it_along without_the_follower_reads_fail \
	a_killed_follower_is_started_again a_killed_follower_is_in_the_journal \
	the_cache_has_a_limit what_is_altered_is_not_shown wrong_options_are_named
finish
