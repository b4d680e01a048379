#!/bin/sh
# Names in packages, and packages of many files.  PACKAGE_LONG=1 adds packages
# of 70,000 files and of 5 GiB.
. "$(dirname "$0")/../suite_package.sh"

# hard_names DIRECTORY: make names that programs or systems change, confuse or
# mistake for code; print how many.
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
         "manifest-sha256.txt", "index.html", "nul", "a\u00adb", "ab",
         "dot.", "dot", "blank ", "blank", "a:b", "CON.txt", "aux.", "x<y>|z?",
         "com\u00b9", "LPT1 .log", "100%", ".DS_Store", "._ab", "Thumbs.db",
         "\u0130", "i\u0307", "\u0131", "\u1e9e", "\u1fb3", "\u03b1\u03b9",
         "\u0344", "\u0958", "\u2126", "\ufb01le", "file",
         "e\u0301\u0323", "\u1eb9\u0301", "\u00e9", "E\u0301",
         "\U0001F600", "\u2764\ufe0f", "\u2764", "\uab70", "\u13a0",
         "\u1c90", "\u10d0", "\U00010400", "\U00010428", "\u00b5",
         "\u03bc"]
assert len(set(names)) == len(names)
for i, n in enumerate(names):
    with open(os.path.join(top, n), "w") as f:
        f.write(f"{i}\n")
for d in ("de\u0301composed", "d\u00e9composed", "D\u00c9COMPOSED",
          "k" * 255, "x.tlog-proof", "__MACOSX", "aux"):
    os.mkdir(os.path.join(top, d))
    for n in ("same", "SAME", "sa\u0301me"):
        with open(os.path.join(top, d, n), "w") as f:
            f.write(d + n)
print(len(names) + 21)
PYTHON
}

# survives WITH: what is below by/WITH is what unzip gives, and every verifier agrees.
survives() {
	diff -r "by/$1" by/unzip
	is 0 sh "by/$1/names/verify.sh" "$(cat vkey)"
	reports "^$(cat number) files"
	is 0 trailctl verify --vkey vkey "by/$1/names"
	reports '^package +OK +what its manifests list, and nothing else, unpacked'
	reports "^contents +OK +$(cat number) files"
	is 0 trailctl verify --against "by/$1/names" store/n/names
}

# Every unpacker gives each file once, under a name that none changes.
names_survive_every_unpacker() {
	mount store -o settle=0
	mkdir -p mnt/n/names/a
	hard_names mnt/n/names/a >number
	trailctl seal mnt/n/names
	mkdir seen
	cp -r mnt/n/names/a seen
	unmount
	is 0 trailctl package --no-entry -o names.zip store/n/names
	good names.zip
	reports "^contents +OK +$(cat number) files"
	rm -rf by && mkdir by
	is 0 unzip -q names.zip -d by/unzip
	is 0 7z x -y -oby/7z names.zip
	is 0 python3 -c 'import sys, zipfile
zipfile.ZipFile(sys.argv[1]).extractall("by/python")' names.zip
	mkdir by/bsdtar
	is 0 bsdtar -x -f names.zip -C by/bsdtar
	is 0 trailctl unpack names.zip by/trailctl
	for with in unzip 7z python bsdtar trailctl; do
		survives "$with"
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

# The same by programs that a machine may not have.
names_survive_busybox() {
	mkdir by/busybox
	is 0 busybox unzip -q names.zip -d by/busybox
	survives busybox
}
# The one of the JDK.
names_survive_jar() {
	mkdir by/jar
	(cd by/jar && jar xf ../../names.zip)
	survives jar
}

# By the rules of Windows and of file systems of macOS: a name that one of them would
# change, refuse, or take for another one is written as they would write it.
names_survive_the_rules_of_other_systems() {
	python3 - names.zip by/rules <<'PYTHON'
import os, re, sys, unicodedata, zipfile
archive, to = sys.argv[1:]
device = re.compile("(con|prn|aux|nul|conin\\$|conout\\$|(com|lpt)[0-9\xb9\xb2\xb3])"
                    " *(\\..*)?", re.I)


def windows(name):
    name = re.sub('[<>:"|?*\\\\\x00-\x1f]', "_", name).rstrip(". ") or "_"
    return "_" + name if device.fullmatch(name) else name


def upcased(name):  # as the table of NTFS: one character for one
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in name)


taken = {}
with zipfile.ZipFile(archive) as z:
    for name in z.namelist():
        path = "/".join(map(windows, name.split("/")))
        for part in path.split("/"):
            assert len(part.encode("utf-16-le")) // 2 <= 255, part
            assert unicodedata.normalize("NFC", part) == part, part
        for key in (upcased(path),
                    unicodedata.normalize("NFD", path).casefold()):
            assert taken.setdefault(key, path) == path, (key, path)
        os.makedirs(os.path.dirname(f"{to}/{path}"), exist_ok=True)
        with open(f"{to}/{path}", "xb") as f:
            f.write(z.read(name))
PYTHON
	survives rules
}

# Stored names are the same, whether given at a seal or with evidence.
# An attestation without evidence gets its stored name when it is sealed.
names_do_not_depend_on_who_gives_them() {
	mount store -o settle=0
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

# A statement of 5,000 files, longer than a megabyte, is packaged.
an_attestation_of_many_files_is_packaged() {
	rm -rf many && mkdir many
	seq 5000 | split -l 1 -a 4 -d - many/evidence-of-the-run-
	mount store -o settle=0
	mkdir -p mnt/t/many
	cp -r many mnt/t/many/a
	trailctl seal mnt/t/many
	unmount
	is 0 trailctl package --no-entry -o many.zip store/t/many
	[ "$(unzip -p many.zip '*/attestation.json' | wc -c)" -gt 1048576 ]
	good many.zip
	reports '^contents +OK +5000 files'
	is 0 trailctl unpack many.zip many.out
	diff -r many many.out/many/data/a
	rm -rf many many.out many.zip
}

# --- long tests: make torture --------------------------------------------

# took WHAT COMMAND...: run it and note its time and memory in the file times.
took() {
	what=$1
	shift
	is 0 env time -f "    $what: %e s, %M KiB" -o times -a timeout 3600 "$@"
}

# readers FILE: three independent ZIP readers accept a large package.
readers() {
	took "$1, unzip -t" unzip -tq "$1"
	took "$1, 7z t" 7z t "$1"
	took "$1, zipfile" python3 -c 'import sys, zipfile
assert zipfile.ZipFile(sys.argv[1]).testzip() is None' "$1"
}

# A package of more than 65,535 files is made, verifies, and opens everywhere.
seventy_thousand_files() {
	mount store -o settle=0
	mkdir mnt/t/lines mnt/t/lines/a
	(cd mnt/t/lines/a && seq 70000 | split -l 1 -a 5 -)
	trailctl seal mnt/t/lines
	unmount
	took '70,000 files, package' trailctl package -o many.zip store/t/lines
	took '70,000 files, verify' trailctl verify --vkey vkey many.zip
	reports '^contents +OK +70000 files'
	readers many.zip
	rm many.zip
}

# A package of more than 4 GiB is made, verifies, and opens everywhere.
five_gigabytes() {
	mount store -o settle=0
	mkdir mnt/t/long mnt/t/long/a
	openssl enc -aes-128-ctr -K 00 -iv 00 -nosalt </dev/zero 2>/dev/null |
		head -c 5368709121 >mnt/t/long/a/noise
	echo after >mnt/t/long/a/small
	trailctl seal mnt/t/long
	unmount
	took '5 GiB, package' trailctl package -o long.zip store/t/long
	took '5 GiB, verify' trailctl verify --vkey vkey long.zip
	reports '^contents +OK +2 files'
	readers long.zip
	rm long.zip
}

with /dev/fuse a_store_is_made
with '/dev/fuse unzip 7z bsdtar python3' names_survive_every_unpacker \
	names_survive_the_rules_of_other_systems
with '/dev/fuse unzip 7z bsdtar python3 busybox' names_survive_busybox
with '/dev/fuse unzip 7z bsdtar python3 jar' names_survive_jar
with /dev/fuse names_do_not_depend_on_who_gives_them
with '/dev/fuse unzip' an_attestation_of_many_files_is_packaged
if [ -n "${PACKAGE_LONG-}" ]; then
	patience_s=3600
	with '/dev/fuse unzip 7z python3' seventy_thousand_files five_gigabytes
	cat times
fi
finish
