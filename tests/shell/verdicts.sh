#!/bin/sh
# What a verification that failed, and a backup, leave behind: an entry and a file,
# which status, metrics, doctor and the page show until all was read and is whole.
. "$(dirname "$0")/../suite_tools.sh"
show_output=

# gauge NAME: its value in out.
gauge() {
	sed -n "s/^trailfs_$1{.*} //p" out
}

# failures STORE|PATH: the entries verify.failed.
failures() {
	trailctl log --json --type verify.failed "$1"
}

# shows_failure STORE|PATH VERDICT FINDINGS: everything that people watch says so.
shows_failure() {
	status=0
	[ "$2" != failed ] || status=4
	is 0 trailctl metrics "$1"
	[ "$(gauge verify_failed)" = 1 ]
	[ "$(gauge verify_failed_findings)" = "$3" ]
	[ "$(gauge verify_failed_timestamp_seconds | cut -d . -f 1)" -gt 1000000000 ]
	is $status trailctl status --json "$1"
	[ "$(jq -r '.verify_failed | "\(.verdict) \(.findings)"' out)" = "$2 $3" ]
	[ "$(jq .verify_failed.age out)" -ge 0 ]
	complains "ended with the verdict $2 and $3 finding"
	is $status trailctl status "$1"
	says '^verify_failed '
	is 1 trailctl doctor "$1"
	says "^verify *wrong .*with the verdict $2 and $3 finding"
	says '^ *do: trailctl verify .* shows what'
}

# shows_none STORE|PATH
shows_none() {
	is 0 trailctl metrics "$1"
	[ "$(gauge verify_failed)" = 0 ]
	[ -z "$(gauge verify_failed_findings)" ]
	is 0 trailctl status --json "$1"
	[ "$(jq .verify_failed out)" = null ]
	trailctl doctor "$1" >out || :
	never_says 'with the verdict'
}

# Six runs of evidence, for the tests that follow.
evidence_is_in_a_store() {
	a_store_is_made
	is 0 trailctl trail create store/t
	for i in 1 2 3 4 5 6 7 8; do
		head -c 70000 /dev/urandom >new
		is 0 trailctl attest --begin --seal "store/t/w/$i" new
	done
	is 0 trailctl verify --record store
	shows_none store
	is 0 trailctl status --json store
	[ "$(jq '.verified.age, .verified.full_age' out | sort -u | wc -l)" -eq 1 ]
	is 0 trailctl status store
	says '^verified '
	find store/objects -type f | sort | head -n 1 >object
	[ ! -e store/verify-failed ]
}

# A record of a store that is not mounted.
a_failure_is_recorded_in_a_store() {
	flip "$(cat object)" 9
	is 4 trailctl verify --record --json store
	[ "$(failures store | wc -l)" -eq 1 ]
	failures store >last
	jq -e '.path == "." and .run.verdict == "failed" and .run.findings == 1 and
		.run.entries > 20 and .actor.uid == 0 and .tree == null' last
	[ "$(stat -c %a store/verify-failed)" = 600 ]
	shows_failure store failed 1
	# Without --record nothing is written.
	is 4 trailctl verify store
	[ "$(failures store | wc -l)" -eq 1 ]
	# People see it beside what is recorded.
	trailctl custody store/t/w >out
	says '  verification failed  '
}

# The part of a night may not have what is damaged: until all was read again and is
# whole, everything is read, and the failure stays.
a_failure_stays_until_all_was_read() {
	for i in 1 2; do
		is 4 trailctl verify --incremental --record --json store
		[ "$(jq .unread out)" = null ]
	done
	shows_failure store failed 1
	flip "$(cat object)" 9
	is 0 trailctl verify store
	shows_failure store failed 1
	is 0 trailctl verify --incremental --record --json store
	[ "$(jq .unread out)" = null ]
	[ ! -e store/verify-failed ]
	shows_none store
	[ "$(failures store | wc -l)" -eq 3 ]
	is 0 trailctl verify --incremental --record --json store
	[ "$(jq .unread out)" -gt 0 ]
}

# An incremental verification that somebody planned before the failure.
a_part_does_not_take_a_failure_away() {
	needs python3
	flip "$(cat object)" 9
	is 4 trailctl verify --record store
	flip "$(cat object)" 9
	mount store
	python3 - "$(trailctl status --json mnt 2>/dev/null | jq -r .root)" \
		"$(trailctl status --json mnt 2>/dev/null | jq .entries)" \
		"$(trailctl log --json --type verify.done mnt | head -n 1 |
			jq .seq)" <<-'END'
	import fcntl, os, struct, sys
	root, size, full = bytes.fromhex(sys.argv[1]), *map(int, sys.argv[2:])
	arg = root + struct.pack('=6Q', size, size, full, 0, 7, 1)
	fcntl.ioctl(os.open('mnt', os.O_RDONLY), 1 << 30 | 80 << 16 | 0x7474, arg)
	END
	[ "$(trailctl log --json --type verify.done mnt | tail -n 1 |
		jq .run.parts)" -eq 7 ]
	shows_failure mnt failed 1
	is 0 trailctl verify --rebuild --record mnt
	shows_none mnt
	unmount
}

# The daemon appends the entry, and says so.
a_failure_is_recorded_in_a_mount() {
	trailfs -f store "$mnt" 2>log &
	until mountpoint -q "$mnt"; do sleep 0.1; done
	flip "$(cat object)" 9
	before=$(failures mnt | wc -l)
	is 4 trailctl verify --rebuild --record mnt
	[ "$(failures mnt | wc -l)" -eq $((before + 1)) ]
	grep -q 'a verification of this vault ended with the verdict failed' log
	shows_failure mnt failed 1
	grep -q 'ended with the verdict failed and 1 finding' mnt/.trailfs/index.html
	grep -q 'Verification failed' mnt/.trailfs/index.html
	flip "$(cat object)" 9
	is 0 trailctl verify --rebuild --record --incremental mnt
	shows_none mnt
	unmount
}

# A check that was asked for and could not be made.
what_is_undecided_is_recorded_as_that() {
	is 0 trailctl witness-serve --init witness.example/one one
	{
		echo "log $(cat vkey)"
		echo "witness w1 $(cat one/vkey) http://a.example/one"
		echo 'quorum w1'
	} >policy
	is 5 trailctl verify --record --policy policy store
	shows_failure store undecided 0
	[ "$(failures store | tail -n 1 | jq -r .run.verdict)" = undecided ]
	is 0 trailctl verify --record store
	shows_none store
	# A file beside the evidence is no damage, and not nothing.
	echo mine >store/mine
	is 1 trailctl verify --record store
	shows_failure store unusual 1
	rm store/mine
	is 0 trailctl verify --record store
	# A mistake of the caller is no verdict.
	is 3 trailctl verify --record --policy nowhere store
	is 3 trailctl verify --record --vkey nowhere store
	shows_none store
}

# Who may not write the store forges neither a failure nor its end.
nobody_else_can_forge_it() {
	needs setpriv /usr/bin/python3
	[ "$(id -u)" -eq 0 ] || skip 'only root becomes others'
	chmod 0755 .
	mount store -o allow_other
	before=$(failures mnt | wc -l)
	cat >forge.py <<-'END'
	import errno, fcntl, os, struct
	fd = os.open('mnt', os.O_RDONLY)
	for number, arg in ((0x7475, struct.pack('=7Q16s', 1, 0, 0, 0, 0, 1, 1,
	        b'failed')), (0x7474, bytes(32) + struct.pack('=6Q', *[1] * 6))):
	    try:
	        fcntl.ioctl(fd, 1 << 30 | len(arg) << 16 | number, arg)
	    except OSError as e:
	        assert e.errno in (errno.EPERM, errno.EACCES, errno.EINVAL), e
	    else:
	        raise SystemExit('it was taken')
	END
	setpriv --reuid 54323 --regid 54323 --clear-groups \
		/usr/bin/python3 forge.py
	[ "$(failures mnt | wc -l)" -eq "$before" ]
	shows_none mnt
	# Nor is a word taken that is no verdict.
	sed -i "s/b'failed'/b'ok'/" forge.py
	/usr/bin/python3 forge.py
	[ "$(failures mnt | wc -l)" -eq "$before" ]
	unmount
	is 3 setpriv --reuid 54323 --regid 54323 --clear-groups \
		trailctl verify --record store
	[ ! -e store/verify-failed ]
}

# What root finds in the store of a user does not keep that user from mounting it.
the_file_belongs_to_the_owner_of_the_store() {
	[ "$(id -u)" -eq 0 ] || skip 'only root gives files away'
	cp -a store given
	chown -R 54321 given
	flip "$(sed s/store/given/ object)" 9
	trailctl verify --record given >out || :
	[ "$(stat -c %u given/verify-failed)" -eq 54321 ]
	rm -rf given
}

# Damaged records: the ledger goes on over them, as in a mount, and takes the entry.
a_damaged_record_is_recorded() {
	needs sqlite3
	cp -a store hurt
	is 0 trailctl init --moved hurt
	all="FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
	sqlite3 hurt/ledger.db "SELECT sql || ';' $all" >create.sql
	sqlite3 hurt/ledger.db "SELECT 'DROP TRIGGER ' || name || ';' $all" >drop.sql
	{
		cat drop.sql
		echo "UPDATE entry SET body = CAST('no entry' AS BLOB) WHERE idx = 3;"
		cat create.sql
	} | sqlite3 hurt/ledger.db
	is 4 trailctl verify --record hurt
	[ -s hurt/verify-failed ]
	is 0 trailctl metrics hurt
	[ "$(gauge verify_failed)" = 1 ]
	rm -rf hurt
}

# An older copy: its signer lets it take no entry, and the file says what is wrong.
a_store_that_takes_no_entry_has_the_file() {
	cp -a store old
	is 0 trailctl trail create store/later
	cp store/ledger.db newest.db
	cp old/ledger.db store/ledger.db # the same inode: it was not moved
	is 4 trailctl verify --record store
	complains 'the ledger could not take an entry about this: '
	[ "$(jq -r .verdict store/verify-failed)" = failed ]
	is 0 trailctl metrics store
	[ "$(gauge verify_failed)" = 1 ]
	# A database that is none.
	head -c 8192 /dev/zero >store/ledger.db
	rm store/verify-failed
	trailctl verify --record store >out && exit 1
	[ -s store/verify-failed ]
	rm -rf old store/verify-failed
	cp newest.db store/ledger.db
	is 0 trailctl verify --record store
	shows_none store
}

# A mirror and a backup are changed by their sources only.
a_copy_records_nothing() {
	is 0 trailctl mirror store copy2
	f=$(find copy2/objects -type f | head -n 1)
	flip "$f" 9
	is 4 trailctl verify --record copy2
	complains 'not recorded: it is a mirror or a backup'
	[ ! -e copy2/verify-failed ]
	is 0 trailctl backup store saved
	f=$(find saved/objects -type f | head -n 1)
	flip "$f" 9
	is 4 trailctl verify --record saved
	[ ! -e saved/verify-failed ]
	rm -rf copy2 saved
}

# --- backups ----------------------------------------------------------------

# A backup is in the metrics once it was made.
a_backup_is_known() {
	rm -f store/backed-up
	is 0 trailctl metrics store
	[ "$(gauge backed_up)" = 0 ]
	is 0 trailctl status --json store
	[ "$(jq .backup out)" = null ]
	entries=$(trailctl log --json store | wc -l)
	is 0 trailctl backup store saved
	# It reads the store: the ledger is as it was.
	[ "$(trailctl log --json store | wc -l)" -eq "$entries" ]
	for at in store mnt; do
		[ $at = store ] || mount store
		is 0 trailctl metrics $at
		[ "$(gauge backed_up)" = 1 ]
		[ "$(gauge backup_entries)" -eq "$entries" ]
		[ "$(gauge backup_behind_entries)" -ge 0 ]
		[ "$(gauge backup_timestamp_seconds | cut -d . -f 1)" -gt 1000000000 ]
		is 0 trailctl status --json $at
		[ "$(jq .backup.entries out)" -eq "$entries" ]
		[ "$(jq .backup.age out)" -ge 0 ]
		trailctl doctor $at >out || :
		says "^backup *ok .*has $entries of "
	done
	is 0 trailctl backup mnt saved
	is 0 trailctl metrics mnt
	[ "$(gauge backup_behind_entries)" -eq 0 ]
	[ "$(gauge backup_entries)" -gt "$entries" ]
	unmount
	[ "$(stat -c %a store/backed-up)" = 600 ]
}

# A backup that is late, with and without a mirror beside it.
a_late_backup_is_named() {
	clock_moves
	trailctl trail create store/more >/dev/null
	$(as_of '+4 days') trailctl doctor store >out || :
	says '^backup *wrong .*the last backup is .* old and lacks'
	says '^ *do: trailctl backup brings'
	is 0 trailctl mirror store copy
	$(as_of '+4 days') trailctl doctor store >out || :
	says '^backup *note .*the last backup is .* old and lacks'
	rm -rf copy
}

# What lacks evidence, or failed, is no backup.
a_bad_backup_does_not_count() {
	cp store/backed-up kept
	mv "$(cat object)" away
	is 4 trailctl backup store fresh
	cmp kept store/backed-up
	mv away "$(cat object)"
	# One that cannot be written.
	echo mine >full
	trailctl backup store full >out && exit 1
	cmp kept store/backed-up
	is 0 trailctl backup store fresh
	cmp -s kept store/backed-up && exit 1
	# Nor does it go into a store that is restored.
	is 0 trailctl restore --origin example.org/restored fresh again
	[ ! -e again/backed-up ]
	is 0 trailctl metrics again
	[ "$(gauge backed_up)" = 0 ]
	[ ! -e fresh/backed-up ]
	rm -rf again fresh full
}

# A store that nobody can write is backed up all the same.
a_store_that_is_read_only_is_backed_up() {
	[ "$(id -u)" -eq 0 ] || skip 'only root mounts a store read-only'
	mkdir frozen
	/bin/mount --bind store frozen || skip 'no bind mount'
	/bin/mount -o remount,bind,ro frozen
	is 0 trailctl backup frozen other || {
		umount frozen
		exit 1
	}
	umount frozen
	rm -rf other
}

# Whatever is in these files breaks nothing, and is not forgotten.
a_spoilt_file_is_shown() {
	for text in '' 'no json' '{}' '{"at":7,"entries":-1,"verdict":[]}'; do
		printf '%s\n' "$text" >store/verify-failed
		printf '%s\n' "$text" >store/backed-up
		is 0 trailctl metrics store
		[ "$(gauge verify_failed)" = 1 ]
		is 4 trailctl status --json store
		[ "$(jq -r .verify_failed.verdict out)" = unknown ]
		is 1 trailctl doctor store
		says '^verify *wrong .*the verdict unknown'
	done
	is 0 trailctl verify --record store
	is 0 trailctl backup store saved
	shows_none store
	is 0 trailctl metrics store
	[ "$(gauge backed_up)" = 1 ]
}

with jq evidence_is_in_a_store a_failure_is_recorded_in_a_store \
	a_failure_stays_until_all_was_read a_part_does_not_take_a_failure_away \
	a_failure_is_recorded_in_a_mount what_is_undecided_is_recorded_as_that \
	nobody_else_can_forge_it the_file_belongs_to_the_owner_of_the_store \
	a_damaged_record_is_recorded a_store_that_takes_no_entry_has_the_file \
	a_backup_is_known a_late_backup_is_named a_copy_records_nothing \
	a_bad_backup_does_not_count a_store_that_is_read_only_is_backed_up \
	a_spoilt_file_is_shown
finish
