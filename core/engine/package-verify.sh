#!/bin/sh
# Check this package without the program that made it: a POSIX shell, coreutils
# and openssl.  Read it first, or better run your own copy: whoever could change
# the package could change this file, too.
#
#	sh verify.sh KEY
#
# KEY is the log's public key as its owner gave it to you, a line
# ORIGIN+ID+BASE64; the one in keys/ proves nothing.  Exits 0 if all holds.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")"
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
no() {
	echo "verify.sh: $*" >&2
	exit 1
}
sha256() {
	openssl dgst -sha256 -binary
}
[ "$#" -eq 1 ] || no 'usage: sh verify.sh KEY'

# 1. The files are those of the manifests, all of them and no others.
sha256sum --strict --quiet -c tagmanifest-sha256.txt || no 'a file was altered'
if [ -s manifest-sha256.txt ]; then
	sha256sum --strict --quiet -c manifest-sha256.txt ||
		no 'evidence was altered'
fi
cut -c 67- manifest-sha256.txt tagmanifest-sha256.txt | sort >"$t/listed"
find . -type f ! -name tagmanifest-sha256.txt | cut -c 3- | sort |
	cmp -s - "$t/listed" || no 'there are other files than the manifests list'

# 2. The checkpoint is signed by the key: an Ed25519 signature of its text,
# which is what stands before the empty line.
origin=${1%%+*}
{
	printf '\060\052\060\005\006\003\053\145\160\003\041\000'
	printf %s "${1#*+*+}" | base64 -d | tail -c 32
} | openssl pkey -pubin -inform DER -out "$t/key" || no 'that is no key'
sed '/^$/,$d' checkpoint >"$t/text"
{
	read -r name
	read -r size
	read -r root
} <"$t/text"
[ "$name" = "$origin" ] || no "the package is of $name, the key of $origin"
signature=$(sed '1,/^$/d' checkpoint | cut -d ' ' -f 2- |
	grep -F -- "$origin " | head -n 1) || no 'the checkpoint is not signed'
printf %s "${signature#* }" | base64 -d | tail -c +5 >"$t/sig"
openssl pkeyutl -verify -rawin -in "$t/text" -pubin -inkey "$t/key" \
	-sigfile "$t/sig" >"$t/said" 2>&1 || no 'the signature is wrong'

# 3. Each entry is in the tree of the checkpoint (RFC 9162, 2.1.3.2).  An entry
# of evidence stands in the proof that is called like the file, with its digest.
node() {
	{
		printf '\001'
		cat "$1" "$2"
	} | sha256 >"$t/up"
	mv "$t/up" "$t/hash"
}
proof() {
	sed '1,/^$/d' "$1" | cmp -s - checkpoint || no "$1: another checkpoint"
	sed -n 's/^extra //p' "$1" | base64 -d >"$t/entry"
	fn=$(sed -n 's/^index //p' "$1") sn=$((size - 1))
	[ "$fn" -le "$sn" ] || no "$1: no such entry"
	{
		printf '\000'
		cat "$t/entry"
	} | sha256 >"$t/hash"
	sed '1,3d; /^$/,$d' "$1" >"$t/path"
	while read -r sibling; do
		printf %s "$sibling" | base64 -d >"$t/other"
		[ "$sn" -gt 0 ] || no "$1: too long"
		if [ $((fn % 2)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
			node "$t/other" "$t/hash"
			while [ $((fn % 2)) -eq 0 ] && [ "$fn" -ne 0 ]; do
				fn=$((fn / 2)) sn=$((sn / 2))
			done
		else
			node "$t/hash" "$t/other"
		fi
		fn=$((fn / 2)) sn=$((sn / 2))
	done <"$t/path"
	[ "$sn" -eq 0 ] || no "$1: too short"
	[ "$(base64 "$t/hash")" = "$root" ] ||
		no "$1: the entry is not in the tree"
}
find proofs -type f ! -path 'proofs/events/*' |
	sed 's/^proofs.//; s/.tlog-proof$//' | sort >"$t/proven"
cut -c 67- manifest-sha256.txt | sort | cmp -s - "$t/proven" ||
	no 'a file has no proof, or a proof no file'
while IFS= read -r line; do
	file=${line#*  }
	proof "proofs/$file.tlog-proof"
	grep -q "\"content\":{\"sha256\":\"${line%%  *}\",.*\"type\":\"evidence.sealed\"" \
		"$t/entry" || no "$file: its entry tells another digest"
done <manifest-sha256.txt
for file in proofs/events/*; do
	proof "$file"
done
echo "$(wc -l <manifest-sha256.txt) files of $origin, tree of $size: OK"
