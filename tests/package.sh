#!/bin/sh
# Evidence packages: what auditors take away opens everywhere, is the same
# bytes for the same ledger, and is checked without us; hostile ones are
# refused by name and write nothing.
#
# Each test is a function whose name is a sentence; it fails with its first
# command that does.  The summary is in the form of Check's.
set -u
LC_ALL=C.UTF-8
export LC_ALL
cd "$(dirname "$0")/.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
PATH=$BUILD:$PATH
here=$PWD/tests
kept=$here/packages
golden=$kept/golden/v1
work=$(mktemp -d "${TMPDIR:-/tmp}/package.XXXXXX") || exit 1
store=$work/store mnt=$work/mnt
cd "$work" || exit 1

patience=120
[ -z "${PACKAGE_LONG-}" ] || patience=3600

unmount() {
	fusermount3 -u "$mnt" 2>/dev/null || umount "$mnt" 2>/dev/null ||
		fusermount3 -uz "$mnt" 2>/dev/null || :
	chattr -i "$mnt" 2>/dev/null || :
	if [ -e "$store/lock" ]; then
		flock -w 30 "$store/lock" true
	fi
}
trap 'cd /; unmount; chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

mount() {
	timeout 30 trailfs "$store" "$mnt" -o settle=0
}

# is STATUS COMMAND...: the command ends with that status, out and err keep
# what it said.
is() {
	want=$1
	shift
	got=0
	timeout "$patience" "$@" >out 2>err || got=$?
	[ "$got" -eq "$want" ] || {
		echo "$* ended with $got, not $want, and said:"
		cat out err
		exit 1
	}
}

# One of the streams of the last one has a line like that.
says() {
	cat out err | grep -Eq -- "$1" || {
		echo "no '$1' in:"
		cat out err
		exit 1
	}
}

good() {
	is 0 trailctl verify --vkey vkey "$1"
}

# unzipped FILE DIRECTORY: by somebody else's program.
unzipped() {
	rm -rf "$2"
	is 0 unzip -q "$1" -d "$2"
}

# --- made from a store ------------------------------------------------------

# A workflow of two attestations, sealed, and another that is open.
begin() {
	is 0 trailctl init --origin example.org/package store
	cp out vkey
	mkdir -p mnt
	mount
	mkdir mnt/t mnt/t/w mnt/t/w/a mnt/t/w/a/con mnt/t/w/b mnt/t/open \
		mnt/t/open/c
	echo alice >mnt/t/w/a/who
	seq 1 2000 >mnt/t/w/a/log
	head -c 200000 /dev/urandom >mnt/t/w/a/con/noise
	echo 1 >mnt/t/w/a/README
	echo 2 >mnt/t/w/a/readme
	echo 3 >mnt/t/w/a/a:b
	: >mnt/t/w/b/empty
	echo open >mnt/t/open/c/f
	trailctl seal mnt/t/w
	trailctl sync mnt
	unmount
}

a_package_verifies_and_is_an_entry() {
	is 0 trailctl package -o w.zip store/t/w
	says "^$(sha256sum <w.zip | cut -c -64)  w.zip$"
	good w.zip
	says '^package +OK'
	says '^contents +OK +7 files'
	says '^names +OK +what the entries say$'
	is 0 trailctl log --json --type package.made store
	says "\"package\":{\"sha256\":\"$(sha256sum <w.zip | cut -c -64)\",\"size\":$(wc -c <w.zip)}"
	is 0 trailctl verify store
}

without_an_entry_nothing_changes() {
	sha256sum store/ledger.db >before
	is 0 trailctl package --no-entry -o n.zip store/t/w
	sha256sum -c before
	good n.zip
}

the_same_ledger_gives_the_same_bytes() {
	is 0 trailctl package --no-entry -o one.zip store/t
	is 0 env TZ=Asia/Tokyo LC_ALL=C trailctl package --no-entry \
		-o two.zip store/t
	cmp one.zip two.zip
	cp -a store again
	is 0 trailctl package --no-entry -o two.zip again/t
	cmp one.zip two.zip
}

every_reader_opens_it() {
	is 0 unzip -tq w.zip
	is 0 7z t w.zip
	is 0 python3 -c 'import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print(len(z.namelist()))' w.zip
}

it_is_a_bag() {
	unzipped w.zip u
	(cd u/w && sha256sum --strict -c manifest-sha256.txt) >/dev/null
	(cd u/w && sha256sum --strict -c tagmanifest-sha256.txt) >/dev/null
	grep -qx 'BagIt-Version: 1.0' u/w/bagit.txt
	grep -qx 'Payload-Oxum: [0-9]*\.7' u/w/bag-info.txt
	[ "$(cat u/w/data/a/who)" = alice ]
	[ "$(cat u/w/data/a/README u/w/data/a/2~readme)" = "1
2" ]
	[ "$(cat u/w/data/a/a=3Ab)" = 3 ]
	grep -q '"path":"a/a:b","stored":"a/a=3Ab"' u/w/names.jsonl
	[ -f u/w/data/a/=63on/noise ] || [ -f u/w/data/a/con/noise ]
}

its_own_script_checks_it() {
	unzipped w.zip u
	is 0 sh u/w/verify.sh "$(cat vkey)"
	says '^7 files of example.org/package, tree of [0-9]*: OK$'
	says '^  2[0-9:TZ.-]+  root \(uid 0\)  t/w/a/README'
	says '^  sealed, all 6 files are here: t/w/a$'
	says '^  sealed, all 2 attestations are here: t/w$'
	is 1 sh u/w/verify.sh "$(cat "$golden/vkey")"
	cp -r u v
	echo mallory >u/w/data/a/who
	is 1 sh u/w/verify.sh "$(cat vkey)"
	says 'manifest-sha256.txt and the files differ: data/a/who'
	touch v/w/more
	is 1 sh v/w/verify.sh "$(cat vkey)"
	says 'differ: more'
}

# What was taken away is named, and what was no package is not called one.
what_is_missing_of_a_directory_is_named() {
	unzipped w.zip u
	for gone in bagit.txt package.json checkpoint; do
		rm -rf less
		cp -r u/w less
		rm "less/$gone"
		is 4 trailctl verify --vkey vkey less
		says "$gone"
	done
	rm -rf less
	mkdir less
	is 3 trailctl verify --vkey vkey less
	says 'no store .*ledger.db.* no log .*checkpoint.* no package'
	mkdir less/keys
	is 3 trailctl verify --vkey vkey less
	says 'less/ledger.db: no database'
	rm -rf less
}

# Names that programs or systems change on the way, or take for one; and some
# that deceive scripts.
hard_names() {
	python3 - "$1" <<'PYTHON'
import os, sys, unicodedata
top = sys.argv[1]
names = ["tagmanifest-sha256.txt", " leading", "  two  spaces ", "-rf",
         "$(touch RAN)", "'; touch RAN; '", "back\\slash", "\\", "quo\"te",
         "=41", "=", ".hidden", "U\u0308ber", "\u00dcber", "\u00fcber",
         "u\u0308ber", "\u212bngstr\u00f6m", "\u01c4", "\u01c6", "\u017f", "s",
         "\u03c3", "\u03c2", "\u0386", "\u03ac", "\u04c0", "\u04cf",
         "stra\u00dfe", "STRASSE", "\u1112\u1161\u11ab", "\ud55c",
         "n" * 244, "m" * 245, "l" * 254 + "x", "l" * 254 + "y",
         "\u00fc" * 127, "u\u0308" * 85, "u\u0308" * 84 + "x",
         "\u65e5\u672c\u8a9e" * 28, "x" * 244 + ".tlog-proof",
         "manifest-sha256.txt", "index.html", "nul", "a\u00adb", "ab"]
assert len(set(names)) == len(names)
for i, n in enumerate(names):
    with open(os.path.join(top, n), "w") as f:
        f.write(f"{i}\n")
for d in ("de\u0301composed", "d\u00e9composed", "D\u00c9COMPOSED",
          "k" * 255, "x.tlog-proof"):
    os.mkdir(os.path.join(top, d))
    for n in ("same", "SAME", "sa\u0301me"):
        with open(os.path.join(top, d, n), "w") as f:
            f.write(d + n)
print(len(names) + 15)
PYTHON
}

# Each file once, under names that no reader changes, and the script agrees.
names_survive_every_unpacker() {
	mount
	mkdir -p mnt/n/names/a
	hard_names mnt/n/names/a >number
	trailctl seal mnt/n/names
	mkdir seen
	cp -r mnt/n/names/a seen
	unmount
	is 0 trailctl package --no-entry -o names.zip store/n/names
	good names.zip
	says "^contents +OK +$(cat number) files"
	rm -rf by && mkdir by
	is 0 unzip -q names.zip -d by/unzip
	is 0 7z x -y -oby/7z names.zip
	is 0 python3 -c 'import sys, zipfile
zipfile.ZipFile(sys.argv[1]).extractall("by/python")' names.zip
	mkdir by/bsdtar
	is 0 bsdtar -x -f names.zip -C by/bsdtar
	is 0 trailctl unpack names.zip by/trailctl
	for with in unzip 7z python bsdtar trailctl; do
		diff -r "by/$with" by/unzip
		is 0 sh "by/$with/names/verify.sh" "$(cat vkey)"
		says "^$(cat number) files"
		is 0 trailctl verify --against "by/$with/names" store/n/names
	done
	[ -z "$(find . -name RAN)" ]
	python3 - by/bsdtar/names <<'PYTHON'
import json, os, sys, unicodedata
top = sys.argv[1]
stored = {}
with open(top + "/names.jsonl", encoding="utf-8") as f:
    for line in f:
        line = json.loads(line)
        stored[line["stored"]] = line["path"]
folded = set()
for d, _, files in os.walk(top + "/data"):
    for f in files:
        name = os.path.relpath(os.path.join(d, f), top + "/data")
        assert unicodedata.normalize("NFC", name) == name, name
        assert name.casefold() not in folded, name
        folded.add(name.casefold())
        path = stored.pop(name, name)
        assert os.path.isfile(f"{top}/proofs/data/{name}.tlog-proof"), name
        with open(f"seen/{path}") as a, open(f"{top}/data/{name}") as b:
            assert a.read() == b.read(), name
assert not stored, stored
PYTHON
}

its_statements_are_signed() {
	unzipped w.zip u
	cd u/w
	f=attestations/a/attestation.intoto.json
	sed 's/.*"payload":"\([^"]*\)".*/\1/' $f | base64 -d >payload
	sed 's/.*"sig":"\([^"]*\)".*/\1/' $f | base64 -d >sig
	{
		printf 'DSSEv1 28 application/vnd.in-toto+json %d ' \
			"$(wc -c <payload)"
		cat payload
	} >signed
	openssl pkeyutl -verify -rawin -in signed -pubin \
		-inkey keys/attester.pub.pem -sigfile sig
}

# links DIRECTORY: every link of every page in it leads to a file in it.
links() {
	python3 - "$1" <<'EOF'
import os, re, sys, urllib.parse
inside = os.path.realpath(sys.argv[1]) + "/"
pages = links = 0
for top, _, files in os.walk(sys.argv[1]):
    if "index.html" not in files:
        continue
    pages += 1
    with open(os.path.join(top, "index.html"), encoding="utf-8") as page:
        for href in re.findall('href="([^"#]+)"', page.read()):
            links += 1
            to = os.path.join(top, urllib.parse.unquote(href))
            assert os.path.isfile(to), (top, href)
            assert os.path.realpath(to).startswith(inside), href
assert pages > 0 and links > 10, (pages, links)
EOF
}

its_pages_lead_only_to_what_is_in_it() {
	for f in "$golden/odd-names.zip" "$golden/trail.zip" w.zip; do
		unzipped "$f" u
		links u/*
	done
}

its_lists_and_status_are_those_of_the_mount() {
	unzipped w.zip u
	mount
	cmp u/w/status.json mnt/t/w/.trailfs/status.json
	cmp u/w/attestations/a/SHA256SUMS mnt/t/w/a/.trailfs/SHA256SUMS
	cmp u/w/attestations/a/attestation.intoto.json \
		mnt/t/w/a/.trailfs/attestation.intoto.json
	unmount
}

its_proofs_stand_alone() {
	unzipped w.zip u
	is 0 trailctl verify --vkey vkey u/w/proofs/data/a/who.tlog-proof \
		u/w/data/a/who
	is 0 "$kept/../verify.sh" vkey u/w/proofs/data/a/who.tlog-proof \
		u/w/proofs/events/0.tlog-proof u/w/checkpoint
}

a_trail_and_an_attestation_are_packaged_too() {
	is 0 trailctl package -o t.zip store/t
	good t.zip
	says 'not all is sealed'
	is 0 trailctl package -o a.zip store/t/w/a
	good a.zip
	is 0 trailctl package -o none.zip --until 2000-01-01 store/t
	good none.zip
	says '^contents +OK +0 files'
	is 0 trailctl package -o all.zip --since 2000-01-01 store/t
	good all.zip
	says '^contents +OK +8 files'
	is 2 trailctl package -o x.zip --since 2000-01-01 store/t/w
	is 2 trailctl package -o x.zip --since yesterday store/t
	is 2 trailctl package -o x.zip store
	is 2 trailctl package -o x.zip store/t/w/a/who
	is 3 trailctl package -o x.zip store/t/nothing
	[ ! -e x.zip ]
}

# One origin and two keys is a forgery; another origin is only unknown.
another_logs_package_is_told_apart() {
	is 0 trailctl init --origin example.org/package store2
	cp out vkey2
	is 4 trailctl verify --vkey vkey2 w.zip
	says '^signature +FAILED'
	says 'not signed by the key given'
	cp out said
	is 1 grep -q ' OK ' said
	is 6 trailctl verify --vkey "$golden/vkey" w.zip
	says '^signature +OK +of example.org/package, which is not the log'
	says 'nothing is proven'
	is 6 trailctl verify --json --vkey "$golden/vkey" w.zip
	says '"foreign":true'
	is 2 trailctl verify w.zip
}

a_checkpoint_held_from_elsewhere_must_agree() {
	unzipped w.zip u
	is 0 trailctl verify --vkey vkey --checkpoint u/w/checkpoint w.zip
	says '^earlier checkpoint +OK'
	is 5 trailctl verify --vkey vkey --checkpoint store/checkpoint w.zip
	says '^earlier checkpoint +ABSENT'
}

unpack_gives_the_files_back() {
	is 0 trailctl unpack w.zip un
	unzipped w.zip u
	diff -r u un
	is 1 trailctl unpack w.zip un
	is 0 trailctl unpack w.zip elsewhere
}

a_directory_is_compared_with_the_store() {
	[ -d un ] || is 0 trailctl unpack w.zip un
	is 0 trailctl verify --against un/w store/t/w
	says '^contents +OK +7 files.*of an unpacked package'
	touch un/w/.DS_Store un/w/data/a/.DS_Store
	is 1 trailctl verify --against un/w store/t/w
	says '^contents +OK +7 files'
	says 'data/a/.DS_Store: the ledger does not know it'
	rm un/w/.DS_Store
	echo more >>un/w/data/a/who
	rm un/w/data/b/empty
	echo x >un/w/data/extra
	ln -s /etc/passwd un/w/data/link
	is 4 trailctl verify --against un/w store/t/w
	says 'a/who: altered'
	says 'b/empty: missing'
	says 'extra: the ledger does not know it'
	says 'link: the ledger does not know it'
	is 4 trailctl verify --against un/w store/t/open
	is 3 trailctl verify --against nowhere store/t/w
	is 2 trailctl verify --since 2000-01-01 store
	is 2 trailctl verify --against un/w --since 2000-01-01 store/t/w
}

a_package_of_some_time_is_compared_on_request() {
	is 0 trailctl package --no-entry -o old.zip --until 2000-01-01 store/t
	is 0 trailctl unpack old.zip old
	is 4 trailctl verify --against old/t store/t
	says 'w/a/who: missing'
	is 0 trailctl verify --against old/t --until 2000-01-01 store/t
	says '^contents +OK +0 files'
}

an_altered_object_is_not_packaged() {
	cp -a store broken
	object=$(find broken/objects -type f -size +100k)
	chmod u+w "$object"
	printf 'not what was there' |
		dd of="$object" bs=1 seek=70000 conv=notrunc 2>/dev/null
	is 4 trailctl package -o x.zip broken/t/w
	says 'not what its entry says'
	[ ! -e x.zip ]
	[ -z "$(find . -maxdepth 1 -name '.x.zip*')" ]
}

# Of an open workflow nobody can tell what was withheld; a sealed one counts.
what_may_be_missing_is_said() {
	is 0 trailctl verify --vkey vkey w.zip
	says '^names +OK +what the entries say$'
	is 0 trailctl package --no-entry -o o.zip store/t/open
	is 0 trailctl verify --vkey vkey o.zip
	says '^names +OK .*2 without a seal here.*may be missing$'
	is 0 trailctl package --no-entry -o a.zip store/t/w/a
	is 0 trailctl verify --vkey vkey a.zip
	says '^names +OK .*later versions of it may be missing$'
	is 0 trailctl package --no-entry -o t.zip store/t
	is 0 trailctl verify --vkey vkey t.zip
	says '^names +OK .*3 without a seal here'
	is 0 trailctl package --no-entry -o t.zip --since 2000-01-01 store/t
	is 0 trailctl verify --json --vkey vkey t.zip
	says '"partial":true,.*"unsealed":2}'
}

# In a directory, and as other programs pack it.
a_package_in_another_form_is_checked_too() {
	rm -rf u
	is 0 trailctl unpack w.zip u
	is 0 trailctl verify --vkey vkey u/w
	says '^package +OK .*unpacked; 4 files in it UNPROVEN'
	says '^contents +OK +7 files'
	is 2 trailctl verify u/w
	touch u/w/.DS_Store u/w/data/a/.DS_Store
	is 1 trailctl verify --vkey vkey u/w
	says '^    data/a/.DS_Store: is not of the package'
	says '^contents +OK +7 files'
	(cd u && zip -qr ../zip.zip w && 7z a -tzip ../7z.zip w >../out)
	(cd u/w && zip -qr - . >../../bare.zip)
	for f in zip.zip 7z.zip bare.zip; do
		is 1 trailctl verify --vkey vkey $f
		says '^    another program packed it again'
		says '^contents +OK +7 files'
		says '^signature +OK'
	done
	is 1 trailctl verify --json --vkey vkey zip.zip
	says '"beside":3,.*"found":3,'
	echo forged >>u/w/data/a/who
	is 4 trailctl verify --vkey vkey u/w
	says 'a/who: altered'
	(cd u && zip -qr ../zip2.zip w)
	is 4 trailctl verify --vkey vkey zip2.zip
	rm u/w/data/a/who
	is 4 trailctl verify --vkey vkey u/w
	ln -s ../../../README u/w/data/a/who
	is 4 trailctl verify --vkey vkey u/w
	mkfifo u/w/index.htm && rm u/w/checkpoint && mkfifo u/w/checkpoint
	is 4 trailctl verify --vkey vkey u/w
}

# An attestation without evidence gets its name when it is sealed.
names_do_not_depend_on_who_gives_them() {
	mount
	mkdir mnt/t/case mnt/t/case/A mnt/t/case/a mnt/t/case/B
	trailctl seal mnt/t/case/A
	echo 1 >mnt/t/case/a/f
	trailctl seal mnt/t/case/a
	unmount
	is 0 trailctl package --no-entry -o case.zip store/t/case
	good case.zip
	is 0 trailctl unpack case.zip c
	is 0 trailctl verify --against c/case store/t/case
}

a_package_of_a_mount_is_recorded_through_it() {
	mount
	is 0 trailctl package -o m.zip mnt/t/w
	says '^[0-9a-f]* '
	tail -n 1 mnt/.trailfs/events.jsonl | grep '"type":"package.made"' |
		grep -q "$(sha256sum <m.zip | cut -c -64)"
	cp -a mnt/t/w backup
	is 0 trailctl verify --against backup mnt/t/w
	echo draft >backup/a/notes.tmp
	is 1 trailctl verify --against backup mnt/t/w
	says '^contents +OK'
	unmount
	good m.zip
	is 0 trailctl verify store
}

who_may_not_record_makes_no_package() {
	mount
	chmod 755 store mnt/t mnt/t/w
	mkdir -m 777 out.d
	# Without root's rights the store cannot even be read.
	is 3 setpriv --reuid 1001 --regid 1001 --clear-groups \
		"$BUILD/trailctl" package -o out.d/x.zip mnt/t/w
	[ -z "$(ls -A out.d)" ]
	unmount
}

# --- long ones: make torture ------------------------------------------------

# took WHAT COMMAND...: how long, and how much memory.
took() {
	what=$1
	shift
	is 0 env time -f "    $what: %e s, %M KiB" -o times -a timeout 3600 "$@"
}

readers() {
	took "$1, unzip -t" unzip -tq "$1"
	took "$1, 7z t" 7z t "$1"
	took "$1, zipfile" python3 -c 'import sys, zipfile
assert zipfile.ZipFile(sys.argv[1]).testzip() is None' "$1"
}

seventy_thousand_files() {
	mount
	mkdir mnt/t/lines mnt/t/lines/a
	(cd mnt/t/lines/a && seq 70000 | split -l 1 -a 5 -)
	trailctl seal mnt/t/lines
	unmount
	took '70,000 files, package' trailctl package -o many.zip store/t/lines
	took '70,000 files, verify' trailctl verify --vkey vkey many.zip
	says '^contents +OK +70000 files'
	readers many.zip
	rm many.zip
}

five_gigabytes() {
	mount
	mkdir mnt/t/long mnt/t/long/a
	openssl enc -aes-128-ctr -K 00 -iv 00 -nosalt </dev/zero 2>/dev/null |
		head -c 5368709121 >mnt/t/long/a/noise
	echo after >mnt/t/long/a/small
	trailctl seal mnt/t/long
	unmount
	took '5 GiB, package' trailctl package -o long.zip store/t/long
	took '5 GiB, verify' trailctl verify --vkey vkey long.zip
	says '^contents +OK +2 files'
	readers long.zip
	rm long.zip
}

# --- kept packages --------------------------------------------------------------

golden_packages_verify() {
	for v in "$kept"/golden/v*; do
		for f in "$v"/*.zip; do
			is 0 trailctl verify --vkey "$v/vkey" "$f"
		done
	done
}

golden_packages_convince_their_own_script() {
	for v in "$kept"/golden/v*; do
		for f in workflow odd-names no-workflow; do
			unzipped "$v/$f.zip" "g-$f"
			is 0 sh "g-$f"/*/verify.sh "$(cat "$v/vkey")"
			is 0 sh "$kept/../../core/archive/package-verify.sh" \
				"$(cat "$v/vkey")" "g-$f"/*
		done
	done
}

hostile_packages_are_refused_by_name() {
	bad=0
	while read -r status name what; do
		is "$status" trailctl verify --vkey "$golden/vkey" \
			"$kept/bad/$name.zip"
		says "$what"
		bad=$((bad + 1))
	done <"$kept/bad/expected"
	[ "$bad" -eq "$(find "$kept/bad" -name '*.zip' | wc -l)" ]
	[ "$bad" -ge 100 ]
}

hostile_packages_write_nothing_outside() {
	mkdir -p jail/cell
	echo untouched >jail/evil
	for f in "$kept"/bad/*.zip; do
		rm -rf jail/cell/x
		status=0
		timeout 60 trailctl unpack "$f" jail/cell/x >out 2>err ||
			status=$?
		case $status in
		0 | 4) ;;
		*)
			echo "$f: $status"
			cat err
			exit 1
			;;
		esac
		[ "$(cat jail/evil)" = untouched ]
		[ "$(find jail | grep -vc '^jail/cell/x')" -eq 3 ]
		[ -z "$(find jail -type l)" ]
	done
}

# Profile and manifests come first: then there is not even a directory.
what_is_no_package_is_not_unpacked() {
	for name in symlink name-up-and-out name-absolute name-drive \
		local-name-differs file-not-listed bomb-more-than-deflate-can; do
		is 4 trailctl unpack "$kept/bad/$name.zip" never
		[ ! -e never ]
	done
}

# What its own script promises to find, too.
the_script_finds_what_it_says() {
	for name in evidence-altered evidence-swapped evidence-added \
		evidence-missing proof-missing proof-of-another \
		proof-index-altered proof-too-long proof-hash-short \
		proof-under-another-checkpoint proof-hash-altered \
		entry-forged evidence-and-entry-forged checkpoint-altered \
		checkpoint-of-another-size; do
		rm -rf s
		is 0 trailctl unpack "$kept/bad/$name.zip" s
		# Ours: that of the package might have been altered.
		is 1 sh "$kept/../../core/archive/package-verify.sh" \
			"$(cat "$golden/vkey")" s/run-7
	done
}

# --- all of it -------------------------------------------------------------------

checks=0 failures=0
# What is said of so many files is longer than a megabyte.
an_attestation_of_many_files_is_packaged() {
	rm -rf many && mkdir many
	seq 5000 | split -l 1 -a 4 -d - many/evidence-of-the-run-
	mount
	mkdir -p mnt/t/many
	cp -r many mnt/t/many/a
	trailctl seal mnt/t/many
	unmount
	is 0 trailctl package --no-entry -o many.zip store/t/many
	[ "$(unzip -p many.zip '*/attestation.json' | wc -c)" -gt 1048576 ]
	good many.zip
	says '^contents +OK +5000 files'
	is 0 trailctl unpack many.zip many.out
	diff -r many many.out/many/data/a
	rm -rf many many.out many.zip
}

# The text of function NAME and of the functions that it calls.
text_of() {
	sed -n "/^$1() {/,/^}/p" "$here/package.sh"
	for f in unzipped hard_names links; do
		sed -n "/^$1() {/,/^}/p" "$here/package.sh" |
			grep -qw "$f" && sed -n "/^$f() {/,/^}/p" "$here/package.sh"
	done
}

# lacks NAME: the programs that the test needs and that are not here.
lacks() {
	text_of "$1" | grep -owE 'unzip|zip|7z|bsdtar|python3|jq|busybox' |
		sort -u | while read -r tool; do
		command -v "$tool" >/dev/null || echo "$tool"
	done
}

run() {
	for test; do
		checks=$((checks + 1))
		missing=$(lacks "$test" | tr '\n' ' ')
		if [ -n "$missing" ]; then
			echo "SKIP $test: no $missing"
			continue
		fi
		# Not as a condition: there, -e would mean nothing.
		(
			set -e
			"$test"
		) >log 2>&1
		status=$?
		[ "$status" -eq 0 ] && continue
		failures=$((failures + 1))
		echo "tests/package.sh: $test"
		sed 's/^/    /' log
	done
}

if [ -w /dev/fuse ]; then
	run begin \
		a_package_verifies_and_is_an_entry \
		without_an_entry_nothing_changes \
		the_same_ledger_gives_the_same_bytes \
		every_reader_opens_it \
		it_is_a_bag \
		what_is_missing_of_a_directory_is_named \
		its_own_script_checks_it \
		names_survive_every_unpacker \
		its_statements_are_signed \
		its_pages_lead_only_to_what_is_in_it \
		its_lists_and_status_are_those_of_the_mount \
		its_proofs_stand_alone \
		a_trail_and_an_attestation_are_packaged_too \
		another_logs_package_is_told_apart \
		a_checkpoint_held_from_elsewhere_must_agree \
		unpack_gives_the_files_back \
		a_directory_is_compared_with_the_store \
		a_package_of_some_time_is_compared_on_request \
		what_may_be_missing_is_said \
		a_package_in_another_form_is_checked_too \
		names_do_not_depend_on_who_gives_them \
		an_altered_object_is_not_packaged \
		a_package_of_a_mount_is_recorded_through_it \
		an_attestation_of_many_files_is_packaged \
		who_may_not_record_makes_no_package
	if [ -n "${PACKAGE_LONG-}" ]; then
		run seventy_thousand_files five_gigabytes
		cat times
	fi
else
	checks=$((checks + 1))
	echo 'SKIP packages of a mount: cannot open /dev/fuse'
fi
run golden_packages_verify \
	golden_packages_convince_their_own_script \
	hostile_packages_are_refused_by_name \
	hostile_packages_write_nothing_outside \
	what_is_no_package_is_not_unpacked \
	the_script_finds_what_it_says

good=$((checks - failures))
echo "$((100 * good / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
