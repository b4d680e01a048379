#!/bin/sh
# trailctl verify and unpack on packages: other keys, other forms, missing and
# added files.
. "$(dirname "$0")/../suite_package.sh"

# Make a package of the workflow, w.zip.
a_package_is_made() {
	is 0 trailctl package -o w.zip store/t/w
}

# One origin with two keys is a forgery; another origin is only not proven.
a_package_of_another_log_is_recognized() {
	is 0 trailctl init --origin example.org/package store2
	cp out vkey2
	is 4 trailctl verify --vkey vkey2 w.zip
	reports '^signature +FAILED'
	reports 'not signed by the key given'
	cp out said
	is 1 grep -q ' OK ' said
	is 6 trailctl verify --vkey "$golden/vkey" w.zip
	reports '^signature +FAILED +not signed by the key given: it is of example.org'
	reports 'nothing is proven'
	# Nor does anything else make that better.
	is 6 trailctl verify --vkey "$golden/vkey" --checkpoint store/checkpoint \
		w.zip
	is 6 trailctl verify --json --vkey "$golden/vkey" w.zip
	reports '"foreign":true'
	reports '"signature":"FAILED"'
	is 2 trailctl verify w.zip
}

# An earlier checkpoint must agree; a later one proves nothing.
a_checkpoint_held_from_elsewhere_must_agree() {
	unzipped w.zip u
	is 0 trailctl verify --vkey vkey --checkpoint u/w/checkpoint w.zip
	reports '^earlier checkpoint +OK'
	is 5 trailctl verify --vkey vkey --checkpoint store/checkpoint w.zip
	reports '^earlier checkpoint +ABSENT'
}

# Unpack gives the same files as unzip, and never overwrites a directory.
unpack_gives_the_files_back() {
	is 0 trailctl unpack w.zip un
	unzipped w.zip u
	diff -r u un
	is 1 trailctl unpack w.zip un
	is 0 trailctl unpack w.zip elsewhere
}

# verify --against names altered, missing and added files of a package.
a_directory_is_compared_with_the_store() {
	[ -d un ] || is 0 trailctl unpack w.zip un
	is 0 trailctl verify --against un/w store/t/w
	reports '^contents +OK +7 files.*of an unpacked package'
	touch un/w/.DS_Store un/w/data/a/.DS_Store
	is 0 trailctl verify --against un/w store/t/w
	reports '^contents +OK +7 files'
	reports 'data/a/.DS_Store: the ledger does not know it'
	is 0 trailctl verify --json --against un/w store/t/w
	reports '"harmless":\[".DS_Store","data/a/.DS_Store"\]'
	rm un/w/.DS_Store
	echo more >>un/w/data/a/who
	rm un/w/data/b/empty
	echo x >un/w/data/extra
	ln -s /etc/passwd un/w/data/link
	is 4 trailctl verify --against un/w store/t/w
	reports 'a/who: altered'
	reports 'b/empty: missing'
	reports 'extra: the ledger does not know it'
	reports 'link: the ledger does not know it'
	is 4 trailctl verify --against un/w store/t/open
	is 3 trailctl verify --against nowhere store/t/w
	is 2 trailctl verify --since 2000-01-01 store
	is 2 trailctl verify --against un/w --since 2000-01-01 store/t/w
}

# A package of a range of time is compared with that range if asked to.
a_package_of_some_time_is_compared_on_request() {
	is 0 trailctl package --no-entry -o old.zip --until 2000-01-01 store/t
	is 0 trailctl unpack old.zip old
	is 4 trailctl verify --against old/t store/t
	reports 'w/a/who: missing'
	is 0 trailctl verify --against old/t --until 2000-01-01 store/t
	reports '^contents +OK +0 files'
}

# Verify says what may be missing.
# Only a sealed workflow proves that nothing was withheld.
verify_says_what_may_be_missing() {
	is 0 trailctl verify --vkey vkey w.zip
	reports '^names +OK +what the entries say$'
	is 0 trailctl package --no-entry -o o.zip store/t/open
	is 0 trailctl verify --vkey vkey o.zip
	reports '^names +OK .*2 without a seal here.*may be missing$'
	is 0 trailctl package --no-entry -o a.zip store/t/w/a
	is 0 trailctl verify --vkey vkey a.zip
	reports '^names +OK .*later versions of it may be missing$'
	is 0 trailctl package --no-entry -o t.zip store/t
	is 0 trailctl verify --vkey vkey t.zip
	reports '^names +OK .*3 without a seal here'
	is 0 trailctl package --no-entry -o t.zip --since 2000-01-01 store/t
	is 0 trailctl verify --json --vkey vkey t.zip
	reports '"partial":true,.*"unsealed":2,"verdict":"GENUINE: .*not known to be complete for trail t: it has the'
}

# An unpacked or repacked package is checked, and changes in it are named.
a_package_in_another_form_is_checked_too() {
	rm -rf u
	is 0 trailctl unpack w.zip u
	is 0 trailctl verify --vkey vkey u/w
	reports '^package +OK .*unpacked; 6 files in it UNPROVEN'
	reports '^contents +OK +7 files'
	is 2 trailctl verify u/w
	mkdir u/w/__MACOSX
	touch u/w/.DS_Store u/w/data/a/.DS_Store u/w/proofs/data/._x \
		u/w/__MACOSX/._data u/w/keys/Thumbs.db
	is 0 trailctl verify --vkey vkey u/w
	reports '^package +OK .*; 5 harmless files beside it'
	reports '^    data/a/.DS_Store: is not of the package'
	reports '^contents +OK +7 files'
	is 0 sh "$script" "$(cat vkey)" u/w
	reports '^  proofs/data/._x$'
	# What only looks like that is not harmless.
	for odd in data/a/my.DS_Store proofs/events/7.tlog-proof~ thumbs data/__MACOSX; do
		touch "u/w/$odd"
		is 1 trailctl verify --vkey vkey u/w
		reports "^    $odd: is not of the package: no manifest"
		is 1 sh "$script" "$(cat vkey)" u/w
		rm "u/w/$odd"
	done
	ln -s verify.sh u/w/Thumbs.db
	is 1 trailctl verify --vkey vkey u/w
	is 1 sh "$script" "$(cat vkey)" u/w
	rm u/w/Thumbs.db
	(cd u && zip -qr ../zip.zip w && 7z a -tzip ../7z.zip w >../out)
	(cd u/w && zip -qr - . >../../bare.zip)
	(cd u && bsdtar -c --format zip -f ../bsd.zip w)
	(cd u/w && bsdtar -c --format zip -f ../../dot.zip .)
	(cd u && python3 -m zipfile -c ../python.zip w)
	for f in zip.zip 7z.zip bare.zip bsd.zip dot.zip python.zip; do
		is 1 trailctl verify --vkey vkey $f
		reports '^    another program packed it again'
		reports '^contents +OK +7 files'
		reports '^signature +OK'
	done
	is 1 trailctl verify --json --vkey vkey zip.zip
	reports '"beside":1,.*"found":1,.*"harmless":\['
	is 6 trailctl verify --vkey "$golden/vkey" zip.zip
	# A file that some programs unpack over another one.
	for name in ./w/data/a/who ././w/data/a/more ./../w/data/a/more .//w/x; do
		cp dot.zip two.zip
		[ "$name" != ./w/data/a/who ] || cp zip.zip two.zip
		python3 -c 'import sys, zipfile
zipfile.ZipFile("two.zip", "a").writestr(sys.argv[1], "forged")' "$name"
		is 4 trailctl verify --vkey vkey two.zip
		reports '^package +FAILED'
	done
	# What is packed in a way that is not understood here says what to do.
	(cd u && 7z a -tzip -mm=LZMA ../lzma.zip w >../out &&
		7z a -tzip -psecret ../secret.zip w >../out)
	is 4 trailctl verify --vkey vkey lzma.zip
	reports '^    .*a compression that no package uses; unpack it and verify'
	is 4 trailctl verify --vkey vkey secret.zip
	reports '^    .*a file is encrypted; unpack it and verify'
	echo forged >>u/w/data/a/who
	is 4 trailctl verify --vkey vkey u/w
	reports 'a/who: altered'
	(cd u && zip -qr ../zip2.zip w)
	is 4 trailctl verify --vkey vkey zip2.zip
	rm u/w/data/a/who
	is 4 trailctl verify --vkey vkey u/w
	ln -s ../../../README u/w/data/a/who
	is 4 trailctl verify --vkey vkey u/w
	mkfifo u/w/index.htm && rm u/w/checkpoint && mkfifo u/w/checkpoint
	is 4 trailctl verify --vkey vkey u/w
}

with /dev/fuse a_store_is_made a_package_is_made
with /dev/fuse a_package_of_another_log_is_recognized
with '/dev/fuse unzip' a_checkpoint_held_from_elsewhere_must_agree \
	unpack_gives_the_files_back
with /dev/fuse a_directory_is_compared_with_the_store \
	a_package_of_some_time_is_compared_on_request \
	verify_says_what_may_be_missing
with '/dev/fuse zip 7z bsdtar python3' a_package_in_another_form_is_checked_too
finish
