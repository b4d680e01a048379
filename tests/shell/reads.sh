#!/bin/sh
# shellcheck disable=SC2086 # $user is a list of words
# Who opened which sealed evidence: reads=log, and what it does not record.
. "$(dirname "$0")/../suite_tools.sh"

user="setpriv --reuid 54321 --regid 54321 --clear-groups"

# entries: how many evidence.read entries the vault has.
entries() {
	trailctl log --json "$1" | grep -c '"type":"evidence.read"'
}

# list N: the list of readers that the Nth newest such entry of store names.
list() {
	digest=$(trailctl log --json store | grep '"type":"evidence.read"' |
		tail -n "$1" | head -n 1 | jq -r .reads.sha256)
	sqlite3 store/ledger.db \
		"select cast(body as text) from object where hex(sha256) = upper('$digest')" |
		sed '/^$/d'
}

# record DIR N: N short files in that directory of the mount, sealed.
record() {
	umask 022
	mkdir -p "mnt/$1"
	i=0
	while [ "$i" -lt "$2" ]; do
		i=$((i + 1))
		echo "$i" >"mnt/$1/f$i"
	done
	is 0 trailctl sync mnt
}

# Without the option, reading adds nothing to the ledger.
nothing_is_recorded_by_default() {
	mount store
	record s/w/a 3
	cat mnt/s/w/a/f1 >/dev/null
	is 0 trailctl sync mnt
	unmount
	[ "$(entries store)" = 0 ]
	trailctl log --json store | grep ledger.opened | grep '"options"' >opened
	[ -s opened ]
	is 1 grep '"reads"' opened
	is 2 trailfs store mnt -o reads=some
}

# 2,000 files that tar reads are one entry.
a_backup_is_one_entry() {
	mount store -o reads=log
	record t/w/a 2000
	tar -cf - mnt/t | cat >/dev/null
	is 0 trailctl sync mnt
	[ "$(entries mnt)" = 1 ]
	unmount
	[ "$(entries store)" = 1 ]
	trailctl log --json store | grep '"options":{.*"reads":"log"'
	list 1 >lines
	head -n 1 lines | jq -e '.actor | .hints.comm == "tar" and .uid == 0 and
		(has("pid") | not)'
	[ "$(grep -c '"node":' lines)" = 2000 ]
	[ "$(jq 'select(.node) | .count' lines | sort -u)" = 1 ]
	jq -Sc . lines | cmp - lines
	is 0 trailctl verify store
}

# The counts are exact, by reader; an opening whose bytes the kernel has is one.
counts_are_exact() {
	mount store -o reads=log,allow_other
	chmod 755 . mnt/t mnt/t/w mnt/t/w/a
	cat mnt/t/w/a/f1 mnt/t/w/a/f1 mnt/t/w/a/f1 >/dev/null
	i=0
	while [ "$i" -lt 5 ]; do
		i=$((i + 1))
		$user cat mnt/t/w/a/f1 >/dev/null
	done
	$user cat mnt/t/w/a/f2 >/dev/null
	ls -l mnt/t/w/a >/dev/null
	: <mnt/t/w/a/f3
	is 0 trailctl sync mnt
	unmount
	list 1 >lines
	jq -c 'if .actor then "uid \(.actor.uid)" else "\(.path) \(.count)" end' \
		lines | tr -d '"' | sort >found
	printf '%s\n' 't/w/a/f1 3' 't/w/a/f1 5' 't/w/a/f2 1' 't/w/a/f3 1' \
		'uid 0' 'uid 0' 'uid 54321' >expected
	diff expected found
}

# A bind mount has the requests of the mount that it is of.
a_bind_mount_hides_nobody() {
	mount store -o reads=log
	mkdir -p other
	command mount --bind mnt/t other
	cat other/w/a/f9 >/dev/null
	umount other
	unmount
	list 1 | grep '"path":"t/w/a/f9"'
}

# An opening of the package is one too.
a_package_is_read() {
	mount store -o reads=log
	cat mnt/t/w/.trailfs/package.zip >package.zip
	unmount
	list 1 >lines
	jq -e 'select(.what == "package") | .path == "t/w" and .count == 1' lines
	is 0 trailctl verify --vkey "$(cat vkey)" package.zip
}

# custody tells the life of a file, in a mount and in a store alike.
custody_tells_the_life_of_a_file() {
	mount store -o reads=log
	mkdir -p mnt/c/w/a
	echo one >mnt/c/w/a/one
	echo two >mnt/c/w/a/two
	is 0 trailctl hold place --reason 'Request of the auditor' mnt/c case-1
	is 0 trailctl seal mnt/c/w/a
	cat mnt/c/w/a/one mnt/c/w/a/one >/dev/null
	cat mnt/c/w/a/two >/dev/null
	is 0 trailctl package mnt/c/w -o package.zip
	chmod g-r mnt/c/w/a/one
	is 0 trailctl sync mnt
	is 0 trailctl custody mnt/c/w/a/one
	cp out mounted
	cut -d ' ' -f 3- out | sed 's/  .*//' >events
	printf '%s\n' recorded recorded recorded 'hold placed' sealed sealed \
		packaged 'access changed' read | diff events -
	grep 'read  c/w/a/one  .*(cat)  times 2  last 20' mounted
	grep 'hold placed  c  .*  case-1  Request of the auditor$' mounted
	is 1 grep two mounted
	is 0 trailctl custody --json mnt/c/w
	cp out lines
	jq -Sc . lines | cmp - lines
	cmp lines mnt/c/w/.trailfs/custody.jsonl
	grep '"event":"read".*"path":"c/w/a/two"' lines
	cat mnt/c/w/.trailfs/package.zip >/dev/null
	unmount
	is 0 trailctl custody store/c/w/a/one
	grep -v 'read  c/w  ' out | cmp - mounted
	says 'read  c/w  .*  package  times 1'
	is 3 trailctl custody store/c/w/a/three
	is 2 trailctl custody store
	is 2 trailctl custody
}

# Who got a package, and who verified the vault.
custody_tells_who_got_a_package_and_who_verified() {
	mount store
	is 0 trailctl package mnt/c/w -o handed.zip --to 'Example Audit LLP'
	is 2 trailctl package mnt/c/w -o no.zip --no-entry --to 'Nobody'
	is 2 trailctl package mnt/c/w -o no.zip --to ''
	is 3 trailctl package mnt/c/w -o no.zip --to "$(seq -s ' ' 300)"
	is 2 trailctl package mnt/c/w -o no.zip --to "$(printf 'a\001')"
	[ ! -e no.zip ]
	is 2 trailctl verify --record --vkey "$(cat vkey)" mnt
	is 0 trailctl verify --rebuild --record mnt
	is 0 trailctl custody mnt/c/w/a/one
	tail -n 2 out | grep 'handed over  c/w  .*  to Example Audit LLP$'
	tail -n 1 out | grep 'verified  \.  .*(trailctl)  entries [0-9]*$'
	is 0 trailctl custody --json mnt/c/w
	tail -n 2 out | head -n 1 | jq -e '.event == "handed over" and
		.type == "package.made" and .to == "Example Audit LLP"'
	mkdir -p mnt/d/w/a
	seq 20000 >mnt/d/w/a/long
	# Only the owner of the root directory may say so.
	# shellcheck disable=SC2016 # for perl
	is 1 $user perl -e 'sysopen(D, "mnt", 0) or exit 2; my $b = "\0" x 80;
		ioctl(D, 0x40507474, $b) and exit 3; print "$!\n"; exit 1'
	says 'Operation not permitted'
	unmount
	is 0 trailctl verify --record store
	is 0 trailctl custody store/c/w/a/one
	[ "$(grep -c '  verified  ' out)" = 2 ]
	is 0 trailctl verify store
	is 0 trailctl verify --vkey "$(cat vkey)" handed.zip
	# A copy takes no entry about its damage, but has the file.
	cp -a store damaged
	object=$(find damaged/objects -type f | head -n 1)
	chmod u+w "$object"
	printf x >>"$object"
	is 4 trailctl verify --record damaged
	complains 'the ledger could not take an entry about this'
	[ -s damaged/verify-failed ]
	[ "$(sqlite3 damaged/ledger.db 'SELECT count(*) FROM entry')" = \
		"$(sqlite3 store/ledger.db 'SELECT count(*) FROM entry')" ]
}

# Packages have it, and both verifiers accept it, and see that it was altered.
custody_is_in_packages() {
	is 0 trailctl package store/c/w -o package.zip
	is 0 trailctl verify --vkey "$(cat vkey)" package.zip
	mkdir unpacked
	(cd unpacked && python3 -m zipfile -e ../package.zip .)
	top=$(echo unpacked/*)
	grep '"event":"read"' "$top/custody.jsonl"
	is 0 sh "$top/verify.sh" "$(cat vkey)"
	echo '{}' >>"$top/custody.jsonl"
	is 4 trailctl verify --vkey "$(cat vkey)" "$top"
	is 1 sh "$top/verify.sh" "$(cat vkey)"
}

# Nobody learns names or readers of files that are not his to read.
nobody_sees_the_files_of_others() {
	chmod 755 .
	umask 022
	mount store -o reads=log,allow_other
	mkdir -p mnt/p/w/a
	chmod 755 mnt/p mnt/p/w mnt/p/w/a
	echo mine >mnt/p/w/a/secret
	chmod 600 mnt/p/w/a/secret
	echo all >mnt/p/w/a/open
	is 0 trailctl sync mnt
	cat mnt/p/w/a/secret mnt/p/w/a/open >/dev/null
	$user cat mnt/p/w/a/open >/dev/null
	is 0 trailctl sync mnt
	is 0 $user trailctl custody mnt/p/w
	cp out shown
	is 1 grep secret shown
	[ "$(grep -c '  read  p/w/a/open' shown)" = 2 ]
	is 1 grep -r secret mnt/p/w/.trailfs/status.json
	$user cat mnt/p/.trailfs/custody.jsonl mnt/p/.trailfs/events.jsonl >seen
	is 1 grep secret seen
	is 0 trailctl custody mnt/p/w
	says 'read  p/w/a/secret'
	unmount
}

# kill -9 loses what has no entry yet, and nothing else.
a_crash_loses_the_last_minute_only() {
	trailfs store mnt -f -o reads=log 2>/dev/null &
	daemon=$!
	until mountpoint -q mnt; do
		kill -0 "$daemon"
	done
	cat mnt/t/w/a/f11 >/dev/null
	is 0 trailctl sync mnt
	n=$(entries mnt)
	cat mnt/t/w/a/f12 >/dev/null
	kill -9 "$daemon"
	wait "$daemon" || :
	unmount
	[ "$(entries store)" = "$n" ]
	list 1 | grep '"path":"t/w/a/f11"'
	mount store
	unmount
	is 0 trailctl verify store
	# An opening without a closing before it shows the place.
	trailctl log --json store | grep -o '"type":"ledger[^"]*' |
		tail -n 3 | cut -d . -f 2 >ends
	printf '%s\n' opened opened closed | diff - ends
}

# The template of one trail asks for it.
a_template_asks_for_it() {
	mount store
	mkdir -p mnt/u/w/a
	echo x >mnt/u/w/a/f
	printf 'version: 1\ntrail:\n  x-trailfs:\n    reads: log\n' >template.yml
	is 0 trailctl template set mnt/u template.yml
	is 0 trailctl sync mnt
	cat mnt/u/w/a/f mnt/t/w/a/f1 >/dev/null
	unmount
	list 1 | jq -r 'select(.node) | .path' >found
	echo u/w/a/f | diff - found
	# Also after a start, and not after a version without it.
	n=$(entries store)
	mount store
	cat mnt/u/w/a/f >/dev/null
	unmount
	[ "$(entries store)" = $((n + 1)) ]
	mount store
	printf 'version: 1\ntrail:\n  x-trailfs:\n    reads: off\n' >template.yml
	is 0 trailctl template set mnt/u template.yml
	cat mnt/u/w/a/f >/dev/null
	unmount
	[ "$(entries store)" = $((n + 1)) ]
	printf 'version: 1\ntrail:\n  x-trailfs:\n    reads: yes\n' >template.yml
	is 2 trailctl template set store/u template.yml
}

# A full vault does not keep readers from reading; what they read is recorded
# when there is room.
a_full_vault_does_not_stop_readers() {
	mount store -o reads=log,max_store=1
	cat mnt/t/w/a/f21 >got
	echo 21 | cmp - got
	is 3 trailctl sync mnt
	complains "No space left"
	cat mnt/t/w/a/f21 >got
	unmount || true
	n=$(entries store)
	mount store -o reads=log
	cat mnt/t/w/a/f22 >/dev/null
	unmount
	[ "$(entries store)" = $((n + 1)) ]
}

# With ro nothing can be recorded, and the log says so.
a_read_only_mount_says_so() {
	n=$(entries store)
	trailfs store mnt -f -o ro,reads=log 2>said &
	daemon=$!
	until mountpoint -q mnt; do
		kill -0 "$daemon"
	done
	cat mnt/t/w/a/f1 >/dev/null
	unmount
	wait "$daemon"
	grep 'who reads what is not recorded' said
	[ "$(entries store)" = "$n" ]
}

# A process that becomes another program reads as that program from then on.
a_process_may_change_its_program() {
	mount store -o reads=log
	sh -c 'read -r first <mnt/t/w/a/f1; exec cat mnt/t/w/a/f2' >out
	[ "$(cat out)" = 2 ]
	is 0 trailctl sync mnt
	unmount
	list 1 | jq -r 'select(.actor) | .actor.hints.exe' >programs
	grep '/cat$' programs
	[ "$(wc -l <programs)" = 2 ]
}

# An altered list is found.
an_altered_list_is_found() {
	cp -r store altered
	digest=$(trailctl log --json store | grep '"type":"evidence.read"' |
		tail -n 1 | jq -r .reads.sha256)
	sqlite3 altered/ledger.db "DROP TRIGGER object_update; UPDATE object SET
		body = CAST(replace(CAST(body AS TEXT), '\"uid\":0', '\"uid\":1')
		AS BLOB) WHERE hex(sha256) = upper('$digest')"
	is 4 trailctl verify altered
}

run a_store_is_made
with '/dev/fuse jq sqlite3' nothing_is_recorded_by_default a_backup_is_one_entry
[ "$(id -u)" -ne 0 ] || with '/dev/fuse jq sqlite3 setpriv' counts_are_exact \
	a_bind_mount_hides_nobody
[ "$(id -u)" -ne 0 ] || with '/dev/fuse setpriv' nobody_sees_the_files_of_others
with '/dev/fuse jq python3' custody_tells_the_life_of_a_file custody_is_in_packages
[ "$(id -u)" -ne 0 ] || with '/dev/fuse jq perl setpriv sqlite3' \
	custody_tells_who_got_a_package_and_who_verified
with '/dev/fuse jq sqlite3' a_package_is_read \
	a_crash_loses_the_last_minute_only a_template_asks_for_it \
	a_full_vault_does_not_stop_readers a_read_only_mount_says_so \
	a_process_may_change_its_program \
	an_altered_list_is_found
finish
