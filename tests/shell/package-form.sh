#!/bin/sh
# The form of a package: every program opens it, and its parts can be checked
# by hand.
. "$(dirname "$0")/../suite_package.sh"

# A package verifies, and the ledger holds its hash and size.
a_package_verifies_and_is_an_entry() {
	is 0 trailctl package -o w.zip store/t/w
	reports "^$(sha256sum <w.zip | cut -c -64)  w.zip$"
	good w.zip
	reports '^package +OK'
	reports '^contents +OK +7 files'
	reports '^names +OK +what the entries say$'
	is 0 trailctl log --json --type package.made store
	reports "\"package\":{\"sha256\":\"$(sha256sum <w.zip | cut -c -64)\",\"size\":$(wc -c <w.zip)}"
	is 0 trailctl verify store
}

# package --no-entry leaves the ledger as it is.
without_an_entry_nothing_changes() {
	sha256sum store/ledger.db >before
	is 0 trailctl package --no-entry -o n.zip store/t/w
	sha256sum -c before
	good n.zip
}

# Time zone, locale and place of the store do not change a package.
the_same_ledger_gives_the_same_bytes() {
	is 0 trailctl package --no-entry -o one.zip store/t
	is 0 env TZ=Asia/Tokyo LC_ALL=C trailctl package --no-entry \
		-o two.zip store/t
	cmp one.zip two.zip
	cp -a store again
	is 0 trailctl package --no-entry -o two.zip again/t
	cmp one.zip two.zip
}

# Three independent ZIP readers accept a package.
every_reader_opens_it() {
	is 0 unzip -tq w.zip
	is 0 7z t w.zip
	is 0 python3 -c 'import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print(len(z.namelist()))' w.zip
}

# An unpacked package is a BagIt bag that sha256sum alone can check.
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

# A file missing from an unpacked package is named.
# Another directory is not called a package.
a_missing_file_of_a_package_is_named() {
	unzipped w.zip u
	for gone in bagit.txt package.json checkpoint; do
		rm -rf less
		cp -r u/w less
		rm "less/$gone"
		is 4 trailctl verify --vkey vkey less
		reports "$gone"
	done
	rm -rf less
	mkdir less
	is 3 trailctl verify --vkey vkey less
	reports 'nothing is mounted at less'
	: >less/other
	is 3 trailctl verify --vkey vkey less
	reports 'no store .*ledger.db.* no log .*checkpoint.* no package'
	mkdir less/keys
	is 3 trailctl verify --vkey vkey less
	reports 'less/ledger.db: no database'
	rm -rf less
}

# verify.sh in a package accepts it; not with another key or changed files.
its_own_script_checks_it() {
	unzipped w.zip u
	is 0 sh u/w/verify.sh "$(cat vkey)"
	reports '^7 files of example.org/package, tree of [0-9]*: OK$'
	reports '^  2[0-9:TZ.-]+  root \(uid 0\)  t/w/a/README'
	reports '^  sealed, all 6 files are here: t/w/a$'
	reports '^  sealed, all 2 attestations are here: t/w$'
	is 1 sh u/w/verify.sh "$(cat "$golden/vkey")"
	cp -r u v
	echo mallory >u/w/data/a/who
	is 1 sh u/w/verify.sh "$(cat vkey)"
	reports 'manifest-sha256.txt and the files differ: data/a/who'
	touch v/w/more
	is 1 sh v/w/verify.sh "$(cat vkey)"
	reports 'differ: more'
}

# openssl alone can check the signature of a statement in a package.
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

# No page of a package links to anything outside the package.
its_pages_link_only_to_files_in_it() {
	for f in "$golden/odd-names.zip" "$golden/trail.zip" w.zip; do
		unzipped "$f" u
		links u/*
	done
}

# status.json, SHA256SUMS and statements are as in the mount.
its_lists_and_status_are_those_of_the_mount() {
	unzipped w.zip u
	mount store -o settle=0
	# The time of the judgement is that of the reading.
	untimed='s/"evaluated\(_at\)\{0,1\}":[^,]*,//g'
	sed "$untimed" u/w/status.json >packed
	sed "$untimed" mnt/t/w/.trailfs/status.json >mounted
	cmp packed mounted
	cmp u/w/attestations/a/SHA256SUMS mnt/t/w/a/.trailfs/SHA256SUMS
	cmp u/w/attestations/a/attestation.intoto.json \
		mnt/t/w/a/.trailfs/attestation.intoto.json
	unmount
}

# Each proof in a package verifies alone, by trailctl and tests/verify.sh.
its_proofs_stand_alone() {
	unzipped w.zip u
	is 0 trailctl verify --vkey vkey u/w/proofs/data/a/who.tlog-proof \
		u/w/data/a/who
	is 0 "$top/tests/verify.sh" vkey u/w/proofs/data/a/who.tlog-proof \
		u/w/proofs/events/0.tlog-proof u/w/checkpoint
}

with /dev/fuse a_store_is_made
with /dev/fuse a_package_verifies_and_is_an_entry \
	without_an_entry_nothing_changes \
	the_same_ledger_gives_the_same_bytes
with '/dev/fuse unzip 7z python3' every_reader_opens_it
with '/dev/fuse unzip' it_is_a_bag \
	a_missing_file_of_a_package_is_named \
	its_own_script_checks_it \
	its_statements_are_signed
with '/dev/fuse unzip python3' its_pages_link_only_to_files_in_it
with '/dev/fuse unzip' its_lists_and_status_are_those_of_the_mount \
	its_proofs_stand_alone
finish
