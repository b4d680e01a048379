#!/bin/sh
# Wrong targets: each verb is given what it cannot use, and must say which thing it
# is about and what is wrong with it.  Nothing is made, and nothing is changed.
# shellcheck disable=SC2034,SC2086 # read by the suite; several words
. "$(dirname "$0")/../suite_tools.sh"
shared_mount=1

# What one can mistake for a store, a mount, a backup...
there_are_wrong_things() {
	is 0 trailctl init --user root --origin example.org/one store
	is 0 trailctl init --user root --origin example.org/two other
	mount store -o settle=0
	mkdir -p mnt/t/w/sealed mnt/t/w/open
	echo x >mnt/t/w/sealed/f
	echo y >mnt/t/w/open/g
	is 0 trailctl seal mnt/t/w/sealed
	is 0 trailctl sync mnt/t/w/open
	is 0 trailctl trail create --steps a other/t
	is 0 trailctl attest --begin other/t/w/a /etc/hostname
	mkdir -m 755 dir bare
	echo x >dir/file
	echo junk >junk
	printf 'version: 1\ntrail:\n  attestations:\n    - name: a\n      type: generic\n' \
		>tpl.yml
	ln -s loop loop
	echo junk >"$(printf '%0250d' 7)"
	is 0 trailctl package --no-entry -o p.zip mnt/t/w
	is 0 trailctl backup --quiet other back
	is 0 trailctl mirror --quiet other mirr
	is 0 trailctl export-log other served
	cp p.zip keep.zip
	find mnt dir other back mirr served ! -name "ledger.db-*" | LC_ALL=C sort >before
}

# refused WORDS COMMAND...: it fails, and the first line of stderr has these words.
# An errno alone, or after a name that the caller did not type, says nothing.
refused() {
	words=$1
	shift
	got=0
	timeout "$patience_s" "$@" >out 2>err </dev/null || got=$?
	if [ "$got" -eq 0 ] || [ "$got" -gt 6 ]; then
		echo "$* exited with $got"
		cat out err
		exit 1
	fi
	head -n 1 err | grep -q -e "^trailctl: .*$words" || {
		echo "$* does not say '$words', but:"
		cat err
		exit 1
	}
	if grep -E ': (Operation not permitted|Invalid argument|Device or resource busy|Inappropriate ioctl for device|Operation not supported|disk I/O error)' err; then
		echo "$* has an errno as its cause"
		exit 1
	fi
}

# What is done with a whole store does not take a part of it, or a name that is
# mistyped, for the store.
no_part_stands_for_the_store() {
	for at in store/typo store/stage store/t/w; do
		for verb in verify 'key list' 'key export' \
			'key rotate log'; do
			refused "$at is in a .*name the" trailctl $verb $at
		done
	done
}

# Every verb that makes a directory refuses one in a mount, where it would stay for
# ever, and one below a mount point at which nothing is mounted.
no_directory_is_made_in_a_mount() {
	for at in mnt/new mnt/t/new mnt/t/w/new mnt/t/w/open/new \
		mnt/t/w/sealed/new mnt/.trailfs/new mnt/t mnt; do
		for verb in 'init' 'backup --quiet other' \
			'restore --origin e/x back' 'restore --origin e/x mirr' \
			'mirror --quiet other' 'export-log other' \
			'mirror --receive' 'witness-serve --init e/w'; do
			refused "$at is in a trailfs mount: a .* needs an ordinary" \
				trailctl $verb $at
		done
	done
	refused 'is in the store itself' trailctl mirror mnt mnt/t
	for at in mnt/new mnt mnt/t; do
		refused "$at is in a trailfs mount, where files can be in" \
			trailctl unpack keep.zip $at
	done
	find mnt -name new >made
	diff made /dev/null
}

# The same for a mount point at which nothing is mounted, which is immutable.
nothing_is_made_at_a_bare_mount_point() {
	needs chattr
	chattr +i bare 2>/dev/null || skip 'no immutable files'
	for at in bare/new bare; do
		for verb in 'init' 'backup --quiet other' \
			'restore --origin e/x back' 'mirror --quiet other' \
			'export-log other' 'witness-serve --init e/w'; do
			refused 'nothing is mounted at bare: mount the vault' \
				trailctl $verb $at
		done
	done
	for verb in 'package --no-entry -o bare/x mnt/t/w' \
		'prove -o bare/x mnt/t/w/sealed/f' \
		'metrics --textfile bare/x mnt' 'ls bare/x' 'status bare' \
		'seal bare/x' 'attest bare/t/w/a junk' 'verify bare'; do
		refused 'nothing is mounted at bare: mount the vault' \
			trailctl $verb
	done
	chattr -i bare
}

# What a disk cannot take is said with the name that the caller typed.
a_full_or_read_only_disk_is_named() {
	[ "$(id -u)" = 0 ] || skip 'not root'
	mkdir full ro
	command mount -t tmpfs -o size=16k none full 2>/dev/null || skip 'no tmpfs'
	command mount -t tmpfs -o ro none ro
	dd if=/dev/zero of=full/z bs=1k 2>/dev/null || :
	for verb in 'init' 'backup --quiet other' 'restore --origin e/x back' \
		'restore --origin e/x mirr' 'mirror --quiet other' \
		'export-log other' 'unpack keep.zip' 'witness-serve --init e/w'; do
		refused 'full/new.*No space left on device' trailctl $verb full/new
		refused 'ro/new.*Read-only file system' trailctl $verb ro/new
		rm -rf full/new
	done
	for verb in 'package --no-entry' 'prove'; do
		refused 'full/new.*No space left on device' \
			trailctl $verb -o full/new mnt/t/w/sealed
		refused 'ro/new.*Read-only file system' \
			trailctl $verb -o ro/new mnt/t/w/sealed
	done
	refused 'full/new.*No space left on device' \
		trailctl metrics --textfile full/new mnt
	refused 'ro.*Read-only file system' trailctl init ro
	umount full ro
}

# reads COMMAND...: what all verbs that read something say about things that are no
# vault, or are not there.
no_vault_is_there() {
	for verb in status ls log show custody access why assert sync seal metrics \
		prove 'find --name f' 'key list' 'template show' 'type list' \
		'recipients show' 'retain --for 1d' 'redact --reason x' \
		'override --compliant=true --reason x' 'stamp --print-request' \
		'grant --group daemon --read' upgrade verify \
		'package --no-entry -o q.zip' 'cat --identity junk'; do
		case $verb in
		cat*) continue ;; # reads its identity first
		esac
		refused 'missing/x: No such file' trailctl $verb missing/x
		refused 'loop: Too many levels' trailctl $verb loop
		refused 'junk/x.*: .*junk.* is not a directory' \
			trailctl $verb ./junk/x
		refused 'mnt/t/w/sealed/f/x: .*f is not a directory' \
			trailctl $verb mnt/t/w/sealed/f/x
		refused '0000[.][.][.].*File name too long' \
			trailctl $verb "$(printf '%0300d' 7)"
		[ "$verb" != why ] || continue
		refused 'mnt/t/w/none' trailctl $verb mnt/t/w/none
		case $verb in
		find* | metrics | key* | stamp* | grant* | upgrade | verify | \
			access) continue ;;
		esac
		refused '[tn]/.*w/none\|t/w/none is\|mount the store' \
			trailctl $verb other/t/w/none
	done
	for thing in dir junk served p.zip; do
		for verb in status ls log show custody assert sync seal prove \
			upgrade 'key list' metrics; do
			refused "$thing is neither in a trailfs mount nor a store" \
				trailctl $verb $thing
		done
	done
	for thing in back mirr; do
		refused "$thing is a .*; trailctl restore makes a vault of it" \
			trailctl seal $thing
		refused "$thing is a .*; trailctl restore makes a vault of it" \
			trailctl trail create $thing/t9
	done
	refused 'no store.*no log.*no package' trailctl verify dir
}

# One thing is named in place of another.
one_thing_is_taken_for_another() {
	refused 'dir is not empty, and no backup' trailctl backup store dir
	refused 'dir is not empty, and no mirror' trailctl mirror store dir
	refused 'dir is not empty' trailctl init dir
	refused 'other is a store already: trailctl key export --log' \
		trailctl init other
	refused 'other is a store$' trailctl export-log store other
	for thing in dir served mnt mnt/t/w; do
		refused "$thing is neither a mirror nor a backup" \
			trailctl restore --origin e/x $thing new
	done
	refused 'junk' trailctl restore --origin e/x junk new
	refused 'back is a backup, which follows' trailctl upgrade back
	refused 'dir is no state of a witness: make one with --init$' \
		trailctl witness-serve dir
	refused 'dir: a package is a plain file' trailctl unpack dir new
	refused 'junk: the archive is malformed' trailctl unpack junk new
	is 0 trailctl unpack keep.zip u
	refused 'u/w is there already: unpack elsewhere' \
		trailctl unpack keep.zip u
	refused 'junk: checkpoint: malformed' trailctl compare junk other
	refused 'junk: not a key of the form' \
		trailctl verify --vkey junk keep.zip
	for file in mnt/t/w/sealed/f other/t/w/a/hostname; do
		refused 'is a file: trailctl show' trailctl ls $file
	done
	for file in mnt/.trailfs mnt/.trailfs/status.json mnt/t/w/.trailfs; do
		refused "${file#mnt/}: control files are not in the ledger" \
			trailctl seal $file
		refused "${file#mnt/}: control files are not in the ledger" \
			trailctl sync $file
		refused "${file#mnt/} is a control file or has some" \
			trailctl custody $file
	done
	refused 'only trails, workflows and attestations' trailctl seal mnt
	refused 'mnt is not a workflow: name TRAIL/WORKFLOW' trailctl assert mnt
	refused 'new: No such file or directory, and it is in no mount' \
		trailctl trail create new
	refused 'other/t/w/a/hostname\|t/w/a/hostname' \
		trailctl seal other/t/w/a/hostname
	refused 't: no such hold' \
		trailctl hold release --reason x other/t h
	refused 't/w/none: no such name' trailctl ls other/t/w/none
	refused 'no such trail' trailctl log --trail none mnt
	# A file that replaces evidence.
	for verb in 'package --no-entry' 'prove'; do
		refused 'mnt/t/w/open/g: .*it is sealed' \
			trailctl $verb -o mnt/t/w/open/g mnt/t/w/sealed
	done
	refused 'Is a directory' trailctl package --no-entry -o dir mnt/t/w
}

# A name of any length is named, and the cause is not cut off.
a_long_name_keeps_the_cause() {
	d=$(printf '%0250d' 7)
	refused '000[.][.][.].*7 is neither in a trailfs mount nor a store' \
		trailctl status "$d"
	mkdir -p "deep/$d"
	refused 'is not empty, and no backup' sh -c \
		"mkdir -p deep/$d/x && trailctl backup other deep/$d"
}

# Another user gets no errno alone either.
another_user_learns_the_cause() {
	needs setpriv age-keygen
	[ "$(id -u)" = 0 ] || skip 'not root'
	chmod 755 . mnt mnt/t mnt/t/w
	chmod 700 mnt/t/w/open
	nobody='setpriv --reuid 65534 --regid 65534 --clear-groups'
	for verb in ls show why seal prove custody log \
		'package --no-entry -o /dev/null'; do
		refused 't/w/open.*: .*\(you may not\|user root\)' \
			$nobody trailctl $verb mnt/t/w/open
	done
	for verb in status ls log show why custody; do
		refused 'mnt/t/w/open/g: .*you may not enter\|mnt/t/w/open/g: only user root' \
			$nobody trailctl $verb mnt/t/w/open/g
		refused 'store: only user root may enter it' $nobody trailctl $verb store
	done
	refused 'only user root may make something in' \
		$nobody trailctl attest mnt/t/w/x /etc/hostname
	age-keygen -o key 2>/dev/null && age-keygen -y key >rec.txt
	printf 'version: 1\nevidence: "*"\nschema: {}\n' >type.yml
	chmod a+r tpl.yml rec.txt type.yml
	for verb in 'template set mnt/t tpl.yml' 'type set mnt/t x type.yml' \
		'recipients set mnt/t rec.txt' 'trail create --template tpl.yml mnt/t' \
		'kosli begin trail x --flow t --mount mnt' \
		'retain --for 1d mnt/t' \
		'hold place --reason x mnt/t h' \
		'grant --group daemon --read mnt/t' \
		'override --compliant=true --reason x mnt/t/w/sealed'; do
		refused 't.*: .*\(only\|you may not\|own\|not yours\)' \
			$nobody trailctl $verb
	done
	chmod 755 mnt/t/w/open
}

# All of this has made and recorded nothing.
nothing_was_made() {
	find mnt dir other back mirr served ! -name "ledger.db-*" | LC_ALL=C sort | diff before -
	is 0 trailctl verify --quiet other
	is 0 trailctl verify --quiet mnt
	cmp p.zip keep.zip
	[ "$(stat -c %a dir)" = 755 ]
}

with /dev/fuse there_are_wrong_things no_directory_is_made_in_a_mount \
	nothing_is_made_at_a_bare_mount_point a_full_or_read_only_disk_is_named \
	no_vault_is_there one_thing_is_taken_for_another \
	no_part_stands_for_the_store \
	a_long_name_keeps_the_cause another_user_learns_the_cause nothing_was_made
finish
