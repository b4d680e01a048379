# shellcheck shell=sh disable=SC2034 # the suites use the variables
# The common part of tests/shell/package-*.sh.  A package opens in every ZIP
# reader, is the same bytes for the same ledger, and can be checked without
# trailfs.  Hostile packages are refused by name and write nothing.
# shellcheck source=tests/suite.sh
. "$(dirname "$0")/../suite.sh"
LC_ALL=C.UTF-8
packages=$top/tests/packages
golden=$packages/golden/v1
script=$top/core/archive/package-verify.sh
patience_s=120

# reports PATTERN: the last `is` printed a line like that, an extended regular
# expression, on stdout or stderr.
reports() {
	cat out err | grep -Eq -- "$1" || {
		echo "no '$1' in:"
		cat out err
		exit 1
	}
}

# good PACKAGE: it verifies.
good() {
	is 0 trailctl verify --vkey vkey "$1"
}

# unzipped FILE DIRECTORY: unpack with a program that is not ours.
unzipped() {
	rm -rf "$2"
	is 0 unzip -q "$1" -d "$2"
}

# listed_again DIRECTORY: its manifests list what is in it now.
listed_again() {
	(
		cd "$1" || exit 1
		find data -type f 2>/dev/null | sort |
			tr '\n' '\0' | xargs -0r sha256sum >manifest-sha256.txt
		find . -type f ! -path './data/*' ! -name tagmanifest-sha256.txt |
			sed 's/^\.\///' | sort | tr '\n' '\0' |
			xargs -0 sha256sum >../tag
		mv ../tag tagmanifest-sha256.txt
	)
}

# Make a store with a sealed workflow of two attestations and an open workflow.
a_store_is_made() {
	is 0 trailctl init --origin example.org/package store
	cp out vkey
	mount store -o settle=0
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
