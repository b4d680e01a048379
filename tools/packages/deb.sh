#!/bin/sh
# deb.sh DIRECTORY: make the Debian source package and binary packages in DIRECTORY,
# and check all with lintian.  In DIRECTORY remains what dpkg-buildpackage makes,
# with the source tree.  What to build: dpkg-buildpackage gets the words of
# DEBFLAGS, as -S (source only) or -B.
set -eu
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^#define TF_VERSION "\(.*\)"/\1/p' core/types.h)
debian=tools/packages/debian
packaged=$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' $debian/changelog)
[ "$version" = "$packaged" ] || {
	echo "deb.sh: core/types.h has version $version, $debian/changelog $packaged" >&2
	exit 1
}
name=trailfs-$version
rm -rf "${out:?}/$name" "$out"/trailfs[_-]*
mkdir "$out/$name"

# The files of the repository as they are now, or of an unpacked source.
if [ -e .git ]; then
	# shellcheck disable=SC2016 # the inner shell expands it
	git ls-files -z --cached --others --exclude-standard |
		xargs -0 sh -c 'for f; do
			[ ! -e "$f" ] && [ ! -L "$f" ] || printf "%s\0" "$f"
		done' sh
else
	find . -name . -o -path ./build -prune -o -path ./debian -prune -o \
		! -type d -print0
fi | tar -c --null -T - | tar -x -C "$out/$name"

# Two runs make the same archive.
when=$(sed -n 's/^ -- .*>  //p' $debian/changelog | head -n 1)
tar -c --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
	--mode=go=rX,u+rw --mtime="$when" -C "$out" "$name" |
	gzip -9n >"$out/trailfs_$version.orig.tar.gz"
cp -R $debian "$out/$name/debian"
cd "$out/$name"
# shellcheck disable=SC2086 # a list
dpkg-buildpackage -us -uc ${DEBFLAGS-}
lintian --fail-on error,warning "$out"/trailfs_*.changes
