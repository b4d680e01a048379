#!/bin/sh
# trailctl package: what can be packaged, by whom, and the entry it makes.
. "$(dirname "$0")/../suite_package.sh"

# Trails, attestations and ranges of time are packaged, other paths refused.
a_trail_and_an_attestation_are_packaged_too() {
	is 0 trailctl package -o t.zip store/t
	good t.zip
	reports 'not all is sealed'
	is 0 trailctl package -o a.zip store/t/w/a
	good a.zip
	is 0 trailctl package -o none.zip --until 2000-01-01 store/t
	good none.zip
	reports '^contents +OK +0 files'
	is 0 trailctl package -o all.zip --since 2000-01-01 store/t
	good all.zip
	reports '^contents +OK +8 files'
	is 2 trailctl package -o x.zip --since 2000-01-01 store/t/w
	is 2 trailctl package -o x.zip --since yesterday store/t
	is 2 trailctl package -o x.zip store/t/w/a/who
	is 3 trailctl package -o x.zip store/t/nothing
	[ ! -e x.zip ]
}

# Packaging altered evidence fails and leaves no file.
an_altered_object_is_not_packaged() {
	cp -a store broken
	object=$(find broken/objects -type f -size +100k)
	chmod u+w "$object"
	printf 'not what was there' |
		dd of="$object" bs=1 seek=70000 conv=notrunc 2>/dev/null
	is 4 trailctl package -o x.zip broken/t/w
	reports 'not what its entry says'
	[ ! -e x.zip ]
	[ -z "$(find . -maxdepth 1 -name '.x.zip*')" ]
}

# A package made from a mount is recorded by the daemon of that mount.
a_package_of_a_mount_is_recorded_through_it() {
	mount store -o settle=0
	is 0 trailctl package -o m.zip mnt/t/w
	reports '^[0-9a-f]* '
	tail -n 1 mnt/.trailfs/events.jsonl | grep '"type":"package.made"' |
		grep -q "$(sha256sum <m.zip | cut -c -64)"
	cp -a mnt/t/w backup
	is 0 trailctl verify --against backup mnt/t/w
	echo draft >backup/a/notes.tmp
	is 0 trailctl verify --against backup mnt/t/w
	reports '^contents +OK'
	reports '^names +OK .*; 1 harmless file beside it$'
	reports '^    a/notes.tmp: the ledger does not know it: a draft$'
	unmount
	good m.zip
	is 0 trailctl verify store
}

# A user who cannot read the store of a mount, even if its directory is open, gets a
# copy of a package that he may read, and of no other one.
# shellcheck disable=SC2086 # $user is words
a_user_gets_no_package_that_he_may_not_read() {
	mount store -o settle=0
	chmod 755 . store mnt/t mnt/t/w
	mkdir -m 777 out.d
	user='setpriv --reuid 1001 --regid 1001 --clear-groups'
	is 0 $user "$BUILD/trailctl" package -o out.d/x.zip mnt/t/w
	complains 'no entry says that you have it'
	is 0 trailctl verify --vkey vkey out.d/x.zip
	rm out.d/x.zip
	mkdir -p mnt/t/w2/private
	chmod 755 mnt/t/w2
	chmod 700 mnt/t/w2/private
	is 3 $user "$BUILD/trailctl" package -o out.d/x.zip mnt/t/w2
	[ -z "$(ls -A out.d)" ]
	unmount
}

with /dev/fuse a_store_is_made
with /dev/fuse a_trail_and_an_attestation_are_packaged_too \
	an_altered_object_is_not_packaged \
	a_package_of_a_mount_is_recorded_through_it \
	a_user_gets_no_package_that_he_may_not_read
finish
