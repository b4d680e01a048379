#!/bin/sh
# Check an evidence package without the program that made it.
#
#	sh verify.sh KEY [DIRECTORY [AUTHORITIES [COSIGNERS]]]
#
# KEY is the log's public key as its owner gave it to you, a line
# ORIGIN+ID+BASE64; the one in keys/ came with the package and proves nothing.
# Entries key.rotated may follow it, a line each.  A key that was replaced is
# followed to the one that signed: with the entries of the package, and with these.
# DIRECTORY is the unpacked package; without it, the one this script is in.
# AUTHORITIES is a file with the certificates (PEM) of time stamp authorities
# that you trust; without it, or if it is '', time stamps prove nothing.
# COSIGNERS is a file with the keys (NAME+ID+BASE64) of mirrors and witnesses that
# you trust, with white space between them and any other words; a witness policy
# is such a file.  Without it, cosignatures prove nothing.
# Run your own copy: who could change the package could change this file, too.
#
# Exit status: 0 everything below holds, 1 something does not, 2 it could not
# be checked (usage, a missing program, a file that cannot be read).
#
# Needs a POSIX shell, awk, base64 and openssl; GNU's tools or busybox's do.
# It runs one program for many files, never one for each file.
#
# How: the only things believed are KEY and SHA-256.  KEY signs the checkpoint,
# which holds the root of the log's tree.  Each proof leads from one ledger
# entry to that root.  Path, digest, person and time of a file are read from its
# entry, never from a file that merely says so.  Text from the package is never
# evaluated: it is data for awk, and the numbers in it have 15 digits at most.
set -u
LC_ALL=C
export LC_ALL
unset CDPATH
umask 077
tab=$(printf '\t')
newline='
'

# Progress, where standard error is a terminal that can clear a line: each work has
# some number of hashes, bytes or signatures.
shown=
if [ -t 2 ] && [ "${TERM-}" != dumb ]; then
	shown=y
fi
now() { # seconds since 1970
	awk 'BEGIN { srand(); print srand() }'
}
draw() { # WORD UNIT DONE OF
	awk -v what="$1" -v unit="$2" -v did="$3" -v of="$4" -v begun="$begun" '
	BEGIN {
		srand()
		s = srand() - begun
		part = did < of ? did / of : 1
		for (i = 0; i < 30; i++)
			bar = bar (i < part * 30 ? "#" : " ")
		printf "\r%s  [%s] %3d %%, ", what, bar, part * 100
		big = unit == "MiB" ? 1048576 : 1
		printf "%d %s", did / big, unit
		if (s > 0 && did > 0 && part < 1) {
			left = int(s * (1 - part) / part)
			printf unit == "MiB" ? ", %.1f MiB/s" : ", %.0f/s", \
				did / big / s
			printf ", %d:%02d left", int(left / 60), left % 60
		}
		printf "\033[K"
	}' >&2
}
clear_line() {
	[ -z "$shown" ] || printf '\r\033[K' >&2
}

say() {
	clear_line
	printf '%s\n' "verify.sh: $*" | tr -c '\012\040-\176' '?' >&2
}
no() { # what is wrong
	say "$*"
	echo 'FAILED: do not rely on this package' >&2
	exit 1
}
cannot() { # why nothing can be said
	say "$*"
	exit 2
}
# Only text without control characters is read here.
plain() {
	[ "$(tr -d '\012\040-\176\200-\377' <"$1" | wc -c)" -eq 0 ]
}
lines() { # some programs put blanks before the number
	echo $(($(wc -l <"$1")))
}
# SHA-256 of all NUMBER files below a directory, "HEX *./NAME" a line.
digests() { # DIRECTORY SUMS NUMBER
	(cd "$1" && find . -type f -exec openssl dgst -sha256 -r {} +) \
		>"$2" 2>"$t/said" && [ "$(lines "$2")" -eq "$3" ]
}

# The same of all files in the package, and how far it is.  Their sizes are those in
# events.jsonl, by the digests in the manifest: if they are wrong, so is only what is
# drawn.  The names are plain, a line each in files.
digests_shown() { # FILES SUMS
	mkdir "$t/part" || return 1
	: >"$2"
	awk -v t="$t" '
	function add(name) {
		if (part == 0 || bytes > 134217728 || ++n > 5000) {
			close(t "/part/" part++)
			n = bytes = 0
		}
		print "./" name > (t "/part/" part)
		bytes += size[name] + 4096
		upto[part] = total += size[name] + 4096
	}
	BEGIN {
		while ((getline line < "events.jsonl") > 0)
			if (match(line, /"sha256":"[0-9a-f]*"/) &&
			    length(line) < 65536) {
				h = substr(line, RSTART + 10, RLENGTH - 11)
				if (match(line, /"size":[0-9]+/) && RLENGTH < 23)
					of[h] = substr(line, RSTART + 7, \
						RLENGTH - 7)
			}
		while ((getline line < "manifest-sha256.txt") > 0)
			size[substr(line, 67)] = of[substr(line, 1, 64)] + 0
	}
	{ add(substr($0, 3)) }
	END {
		for (i = 1; i <= part; i++)
			printf "%d %.0f %.0f\n", i, upto[i], total
	}' "$1" >"$t/parts"
	begun=$(now)
	while read -r part upto total; do
		tr '\n' '\0' <"$t/part/$part" |
			xargs -0 openssl dgst -sha256 -r >>"$2" 2>"$t/said" ||
			return 1
		draw files MiB "$upto" "$total"
	done <"$t/parts"
	rm -rf "$t/part"
	[ "$(lines "$2")" -eq "$(lines "$1")" ]
}

case $# in
1 | 2 | 3 | 4) ;;
*) cannot 'usage: sh verify.sh KEY [DIRECTORY [AUTHORITIES [COSIGNERS]]]' ;;
esac
for program in awk base64 cat cmp cut find grep head mktemp od openssl paste sed \
	sort tail tr uniq wc xargs; do
	command -v "$program" >/dev/null || cannot "$program is missing"
done
case $0 in
/*) self=$0 ;;
*) self=$(pwd)/$0 ;;
esac
key=${1%%"$newline"*}
directory=${2-$(dirname "$0")}
case $directory in
/*) ;;
*) directory=./$directory ;;
esac
here=$(pwd)
# absolute FILE: its name from any directory; '' stays.
absolute() {
	case $1 in
	'' | /*) printf '%s\n' "$1" ;;
	*) printf '%s\n' "$here/$1" ;;
	esac
}
authorities=$(absolute "${3-}")
cosigners=$(absolute "${4-}")
[ -z "$authorities" ] || [ -r "$authorities" ] ||
	cannot 'the certificates of the authorities cannot be read'
[ -z "$cosigners" ] || [ -r "$cosigners" ] ||
	cannot 'the keys of the cosigners cannot be read'
t=$(mktemp -d) || cannot 'there is no room for temporary files'
trap 'rm -rf "$t"' EXIT
trap 'clear_line; exit 2' HUP INT TERM
cd "$directory" || cannot 'that is no directory'

# --- 1. The files --------------------------------------------------------------
# Plain files and directories only, with names that packages have.

find . ! -type d ! -type f >"$t/odd" 2>"$t/said" ||
	cannot "$(head -n 1 "$t/said")"
[ ! -s "$t/odd" ] || no "a link or a device: $(head -n 1 "$t/odd")"
find . -name "*$newline*" >"$t/odd"
[ ! -s "$t/odd" ] || no 'a file name with a line feed in it'
find . -type f >"$t/files"
if ! plain "$t/files" || ! awk '/\\/ { exit 1 }' "$t/files"; then
	no 'a file name that no package has'
fi
if [ -n "$shown" ] && [ -f events.jsonl ] && [ -f manifest-sha256.txt ]; then
	digests_shown "$t/files" "$t/sums"
else
	digests . "$t/sums" "$(lines "$t/files")"
fi || cannot "$(head -n 1 "$t/said")"
for name in checkpoint events.jsonl package.json manifest-sha256.txt \
	tagmanifest-sha256.txt; do
	[ -f "$name" ] || no "there is no $name"
done

: >"$t/data"
: >"$t/rest"
: >"$t/beside"
# Files that desktops leave are named, and are no part of the package.
sed 's/^\(.*\) \*\.\/\(.*\)$/\1  \2/' "$t/sums" | sort |
	awk -v t="$t" '
	BEGIN {
		while ((getline line < "manifest-sha256.txt") > 0)
			listed[substr(line, 67)] = 1
		while ((getline line < "tagmanifest-sha256.txt") > 0)
			listed[substr(line, 67)] = 1
	}
	{
		name = substr($0, 67)
		end = name
		sub(/^.*\//, "", end)
		if (!(name in listed) && (substr(name, 1, 9) == "__MACOSX/" ||
		    end ~ /^(\.DS_Store|Thumbs\.db|desktop\.ini|\._.+)$/)) {
			print name > (t "/beside")
		} else
			print
	}' >"$t/have"
if [ -s "$t/beside" ]; then
	awk -v beside="$t/beside" '
		BEGIN {
			while ((getline line < beside) > 0)
				other["./" line] = 1
		}
		!($0 in other)' "$t/files" >"$t/more"
	cat "$t/more" >"$t/files"
fi
# The manifests list these files, with these digests, and no others.
awk -v t="$t" '
	substr($0, 67, 5) == "data/" { print > (t "/data"); next }
	substr($0, 67) != "tagmanifest-sha256.txt" { print > (t "/rest") }
	' "$t/have"
for name in manifest-sha256.txt tagmanifest-sha256.txt; do
	list=$t/data
	[ "$name" = manifest-sha256.txt ] || list=$t/rest
	sort "$name" | cmp -s - "$list" || {
		sort "$name" | sort - "$list" | uniq -u >"$t/odd"
		no "$name and the files differ: $(cut -c 67- "$t/odd" |
			sort -u | head -n 3 | tr '\n' ' ')"
	}
done

# --- 2. The checkpoint ---------------------------------------------------------
# An Ed25519 signature of the text before the empty line (C2SP signed-note).

if ! plain checkpoint || [ "$(wc -c <checkpoint)" -gt 65536 ]; then
	no 'the checkpoint is malformed'
fi
printf '%s\n' "$key" >"$t/vkey"
awk '!/^[A-Za-z0-9._~:\/-]+\+[0-9a-f]+\+[A-Za-z0-9+\/]+$/ { exit 1 }
	{ split($0, part, "+"); exit length(part[2]) != 8 }' "$t/vkey" ||
	cannot 'that is no key: a line ORIGIN+ID+BASE64 is needed'
# public_key KEY: its parts as name and id, $t/raw (type and key), $t/key (PEM).
public_key() {
	name=${1%%+*}
	id=${1#*+}
	id=${id%%+*}
	printf %s "${1#*+*+}" | base64 -d >"$t/raw" 2>/dev/null
	[ "$(wc -c <"$t/raw")" -eq 33 ] && [ "$({
		printf '%s\n' "$name"
		cat "$t/raw"
	} | openssl dgst -sha256 -r | cut -c -8)" = "$id" ] || return 1
	{
		printf '\060\052\060\005\006\003\053\145\160\003\041\000'
		tail -c 32 "$t/raw"
	} >"$t/der"
	openssl pkey -pubin -inform DER -in "$t/der" -out "$t/key" 2>/dev/null
}
# signature_of NOTE: put the bytes of the line of that key into $t/signature.
signature_of() {
	idtext=$({
		printf '%s\n' "$name"
		cat "$t/raw"
	} | openssl dgst -sha256 -binary | head -c 4 | base64 | cut -c -5)
	sed '1,/^$/d' "$1" | awk -v name="$name" -v id="$idtext" '
		NF == 3 && $1 == "\342\200\224" && $2 == name &&
			substr($3, 1, 5) == id && $3 ~ /^[A-Za-z0-9+\/]+=*$/ {
			print $3
			exit
		}' | base64 -d >"$t/signature" 2>/dev/null
	[ -s "$t/signature" ]
}
# signed TEXT: is $t/sig the signature of that key over the file TEXT?
signed() {
	openssl pkeyutl -verify -rawin -in "$1" -pubin -inkey "$t/key" \
		-sigfile "$t/sig" >"$t/said" 2>&1
}
public_key "$key" || cannot 'that is no key'
origin=$name
sed '/^$/,$d' checkpoint >"$t/text"
# Size and root, if the text has the form of a checkpoint.
awk -v origin="$origin" '
	NR == 1 && $0 != origin { why = "the package is not of this key'\''s log" }
	NR == 2 && (!/^[1-9][0-9]*$/ || length($0) > 15) { bad = 1 }
	NR == 3 && (!/^[A-Za-z0-9+\/]+=$/ || length($0) != 44) { bad = 1 }
	NR == 2 { size = $0 }
	NR == 3 { root = $0 }
	END {
		if (why == "" && (bad || NR != 3))
			why = "the checkpoint is malformed"
		print why == "" ? size " " root : why
		exit why != ""
	}' "$t/text" >"$t/head" || no "$(cat "$t/head")"
size=$(cut -d ' ' -f 1 "$t/head")
cut -d ' ' -f 2 "$t/head" | base64 -d >"$t/root" 2>/dev/null
[ "$(wc -c <"$t/root")" -eq 32 ] || no 'the checkpoint is malformed'
root=$(od -An -v -tx1 <"$t/root" | tr -d ' \n')
# An entry key.rotated is signed by the old and the new key, so it counts before its
# proof is checked.  rotated: check the one in seq, old, new, old_sig, new_sig.
rotated() {
	printf 'trailfs-key-rotation/v1\n%s\n%s\n%s\n' "$seq" "$old" "$new" \
		>"$t/rotation"
	for half in "$old $old_sig" "$new $new_sig"; do
		if ! public_key "${half% *}" || [ "$name" != "$origin" ]; then
			no "entry $seq replaces no key of this log"
		fi
		printf %s "${half#* }" | base64 -d >"$t/sig" 2>/dev/null
		signed "$t/rotation" ||
			no "entry $seq is not signed by the key ${half% *}"
	done
}
{
	printf '%s\n' "$1"
	cat events.jsonl
} | sed -n 's/^{.*"new":"\([^"]*\)","newSig":"\([^"]*\)","old":"\([^"]*\)",'\
'"oldSig":"\([^"]*\)","origin":"[^"]*","seq":\([0-9]\{1,15\}\),'\
'"type":"key.rotated","use":"log","v":1}$/\5 \3 \1 \4 \2/p' |
	sort -n -k 1,1 | uniq >"$t/rotations"
forward=
while read -r seq old new old_sig new_sig; do
	if [ "$old" = "$key" ] && [ "$seq" -lt "$size" ]; then
		rotated
		key=$new
		forward=y
	fi
done <"$t/rotations"
[ -n "$forward" ] || {
	sort -rn -k 1,1 "$t/rotations" >"$t/back"
	while read -r seq old new old_sig new_sig; do
		if [ "$new" = "$key" ] && [ "$seq" -ge "$size" ]; then
			rotated
			key=$old
		fi
	done <"$t/back"
}
printf '%s\n' "$key" >"$t/vkey"
public_key "$key" || cannot 'that is no key'
# The line of this key: origin, then base64 of its number and the signature.
signature_of checkpoint || no 'the checkpoint is not signed by this key'
tail -c +5 "$t/signature" >"$t/sig"
signed "$t/text" || no 'the signature of the checkpoint is wrong'

# --- 3. The proofs -------------------------------------------------------------
# Each holds an entry in base64, its number, and the hashes beside its way to
# the root (C2SP tlog-proof).

awk 'substr($0, 1, 9) == "./proofs/"' "$t/files" | sort >"$t/proofs"
[ -s "$t/proofs" ] || no 'there are no proofs'
find proofs -type f -size +2048 >"$t/odd"
[ ! -s "$t/odd" ] || no "too long: $(head -n 1 "$t/odd")"
tr '\n' '\0' <"$t/proofs" | xargs -0 cat >"$t/all" ||
	cannot 'a proof cannot be read'
plain "$t/all" || no 'a proof holds what is no text'
rm "$t/all"
: >"$t/extra"
: >"$t/index"
# level.K has the K-th hash of each proof: "PROOF HEX", proofs by line number.
awk -v t="$t" -v size="$size" '
function wrong(why) {
	print name ": " why
	exit failed = 1
}
function take() {
	return (getline line < name) > 0
}
# 32 bytes in base64 to hex, or "" if they are not in their one form.
function hex(s, i, h) {
	if (s in known)
		return known[s]
	if (length(s) != 44 || s !~ /^[A-Za-z0-9+\/]+=$/ ||
	    !(substr(s, 43, 1) in last))
		return ""
	for (i = 1; i < 43; i += 2)
		h = h pair[substr(s, i, 2)]
	return known[s] = h last[substr(s, 43, 1)]
}
BEGIN {
	digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for (i = 0; i < 64; i++)
		for (j = 0; j < 64; j++)
			pair[substr(digits, i + 1, 1) substr(digits, j + 1, 1)] = \
				sprintf("%03x", i * 64 + j)
	for (i = 0; i < 64; i += 4)
		last[substr(digits, i + 1, 1)] = sprintf("%x", i / 4)
	while ((getline line < "checkpoint") > 0)
		note[++notes] = line
}
{
	name = $0
	if (!take() || line != "c2sp.org/tlog-proof@v1")
		wrong("is no proof of a known form")
	if (!take() || substr(line, 1, 6) != "extra ")
		wrong("holds no entry")
	entry = substr(line, 7)
	if (entry !~ /^[A-Za-z0-9+\/]+=?=?$/ || length(entry) % 4 != 0 ||
	    length(entry) > 21848)
		wrong("its entry is malformed")
	# As base64 of the entry and one to three line feeds: then all of them
	# are decoded as one text.
	if (entry ~ /==$/)
		entry = substr(entry, 1, length(entry) - 2) "oK"
	else if (entry ~ /=$/)
		entry = substr(entry, 1, length(entry) - 1) "K"
	else
		entry = entry "CgoK"
	print entry > (t "/extra")
	if (!take() || line !~ /^index (0|[1-9][0-9]*)$/ || length(line) > 21)
		wrong("has no number")
	number = substr(line, 7)
	if (number + 0 >= size + 0)
		wrong("there is no such entry in the tree")
	print number "\t" NR "\t" name > (t "/index")
	for (k = 1; (got = take()) && line != ""; k++) {
		if (k > 63 || (h = hex(line)) == "")
			wrong("a hash is malformed")
		print NR " " h > (t "/level." k)
	}
	for (i = 1; i <= notes; i++)
		if (!take() || line != note[i])
			wrong("is under another checkpoint than the package")
	if (!got || take())
		wrong("is malformed")
	close(name)
}' "$t/proofs" >"$t/said" || no "$(head -n 1 "$t/said")"

# The entries, a line each; they are hashed as they are read here.
base64 -d <"$t/extra" >"$t/raw" 2>/dev/null || no 'an entry is malformed'
plain "$t/raw" || no 'an entry holds what is no text'
sed '/^$/d' "$t/raw" >"$t/entries"
[ "$(lines "$t/entries")" -eq "$(lines "$t/proofs")" ] ||
	no 'an entry is malformed'
mkdir "$t/node" "$t/some" || cannot 'there is no room for temporary files'
awk -v t="$t" '{
	if (NR % 500 == 1) {
		close(part)
		part = t "/some/" NR
	}
	print > part
}' "$t/entries"
# write_leaves FIRST: the 500 entries from that one on, a file for each.  They are words
# of the shell that nothing expands; read takes them a byte at a time, which is slow.
write_leaves() {
	n=$1
	set -f
	IFS=$newline
	# shellcheck disable=SC2046  # a word for each line
	set -- $(cat "$t/some/$1")
	unset IFS
	set +f
	for line; do
		printf '\000%s' "$line" >"$t/node/$n" || return 1
		n=$((n + 1))
	done
}
n=1
number=$(lines "$t/entries")
while [ "$n" -le "$number" ]; do
	write_leaves "$n" || cannot 'there is no room for temporary files'
done
digests "$t/node" "$t/hashes" "$number" || cannot 'openssl failed'
cp "$t/hashes" "$t/leaves"

# All proofs climb together, a level at a time (RFC 9162, 2.1.3.2); a node that
# several share is hashed once.  A state line: proof, fn, sn, node.
awk -v size="$size" '{ printf "%d %s %.0f %d\n", NR, $1, size - 1, NR }' \
	"$t/index" >"$t/state.1"
k=0
done=0
[ -z "$shown" ] || {
	begun=$(now)
	of=$(find "$t" -name 'level.*' -type f -exec cat {} + | wc -l)
}
while :; do
	k=$((k + 1))
	next=$t/state.$((k + 1))
	[ -z "$shown" ] || {
		draw proofs hashes "$done" "$of"
		[ ! -f "$t/level.$k" ] || done=$((done + $(lines "$t/level.$k")))
	}
	: >"$next"
	awk -v t="$t" -v k="$k" -v root="$root" -v next_state="$next" '
	function wrong(proof) {
		print proof
		exit failed = 1
	}
	# Bytes as printf of the shell takes them.
	function octal(h, i, o) {
		for (i = 1; i < 129; i += 2)
			o = o byte[substr(h, i, 2)]
		return o
	}
	BEGIN {
		for (i = 0; i < 256; i++)
			byte[sprintf("%02x", i)] = sprintf("\\%03o", i)
		while ((getline line < (t "/hashes")) > 0)
			hash[substr(line, 69)] = substr(line, 1, 64)
		while ((getline line < (t "/level." k)) > 0) {
			split(line, part, " ")
			beside[part[1]] = part[2]
		}
	}
	{
		fn = $2 + 0
		sn = $3 + 0
		h = hash[$4]
		if (!($1 in beside)) {
			if (sn != 0 || h != root)
				wrong($1)
			next
		}
		if (sn == 0)
			wrong($1)
		if (fn % 2 == 1 || fn == sn) {
			both = beside[$1] h
			while (fn % 2 == 0 && fn != 0) {
				fn /= 2
				sn = int(sn / 2)
			}
		} else {
			both = h beside[$1]
		}
		if (!(both in node)) {
			node[both] = ++nodes
			print "printf '\''\\001" octal(both) "'\'' >" nodes > \
				(t "/make")
		}
		printf "%d %.0f %.0f %d\n", $1, int(fn / 2), int(sn / 2),
			node[both] > next_state
	}
	END {
		if (!failed)
			print nodes + 0
	}' "$t/state.$k" >"$t/said" ||
		no "$(sed -n "$(cat "$t/said")p" "$t/proofs")" \
			'does not lead to the root of the checkpoint'
	[ -s "$next" ] || break
	read -r number <"$t/said"
	node=$t/node.$k
	mkdir "$node" || cannot 'there is no room for temporary files'
	# shellcheck disable=SC1091  # lines of printf, made above
	(cd "$node" && . ../make) || cannot 'there is no room'
	digests "$node" "$t/hashes" "$number" || cannot 'openssl failed'
done

# --- 4. The entries --------------------------------------------------------------
# events.jsonl has these entries, all of them, in the order of their numbers.

paste "$t/index" "$t/entries" | sort -t "$tab" -k 1,1n >"$t/log"
cut -f 4- "$t/log" | cmp -s - events.jsonl ||
	no 'events.jsonl is not what the proofs prove'
# Nothing that awk reads has other characters than text has.
{
	cat package.json
	[ ! -f names.jsonl ] || cat names.jsonl
	awk '/\/attestation\.intoto\.json$/ || /^\.\/(keys\/|bag)/' "$t/files" |
		tr '\n' '\0' | xargs -0 cat
} >"$t/all" || cannot 'a file cannot be read'
plain "$t/all" || no 'a description holds what is no text'
rm "$t/all"
names=$t/none
: >"$names"
[ ! -f names.jsonl ] || names=names.jsonl
mkdir "$t/sum" "$t/statement" "$t/payload" || cannot 'there is no room for temporary files'
: >"$t/lists"
: >"$t/wanted"
: >"$t/shown"
: >"$t/unproven"
: >"$t/whole"
: >"$t/log_whole"
: >"$t/payloads"
: >"$t/signers"
: >"$t/anchors"
awk -v t="$t" -v names="$names" -v size="$size" -v origin="$origin" \
	-v root="$root" -v spki="$(openssl base64 -A -in "$t/der")" '
function wrong(what, why) {
	print show(what) ": " why
	if (++failures > 20)
		exit 1
}
function replace(s, old, new, part, n, i, r) {
	n = split(s, part, old)
	r = part[1]
	for (i = 2; i <= n; i++)
		r = r new part[i]
	return r
}
# Undo the two escapes that a name can have in JSON; see parse.
function plain(s) {
	return replace(replace(s, "\001", "\\"), "\002", "\"")
}
function escaped(s) {
	return replace(replace(s, "\001", "\\\\"), "\002", "\\\"")
}
# What a terminal shows of s, and nothing that it would obey: backslashes,
# control characters, marks of direction and broken UTF-8 are escaped.
function show(s, i, n, c, k, code, r, j) {
	if (s ~ /^[ -\[\]-~]*$/)
		return s
	n = length(s)
	for (i = 1; i <= n; i += k) {
		c = ord[substr(s, i, 1)]
		k = 1
		code = c
		if (c >= 194 && c <= 223) {
			k = 2
			code = c - 192
		} else if (c >= 224 && c <= 239) {
			k = 3
			code = c - 224
		} else if (c >= 240 && c <= 244) {
			k = 4
			code = c - 240
		} else if (c >= 128)
			code = -1
		for (j = 1; j < k && code >= 0; j++) {
			c = i + j <= n ? ord[substr(s, i + j, 1)] : 0
			code = c >= 128 && c < 192 ? code * 64 + c - 128 : -1
		}
		if (code < 0)
			k = 1
		if (code >= 32 && code != 92 && (code < 127 || code > 159) &&
		    code != 1564 && code != 65279 &&
		    (code < 8203 || code > 8207) &&
		    (code < 8232 || code > 8238) &&
		    (code < 8288 || code > 8303)) {
			r = r substr(s, i, k)
			continue
		}
		for (j = 0; j < k; j++)
			r = r sprintf("\\%03o", ord[substr(s, i + j, 1)])
	}
	return r
}
function put(key, value) {
	if (depth == 1)
		value_of[key] = value
	else if (depth == 2)
		value_of[parent[2] "." key] = value
	else if (depth == 3)
		value_of[parent[2] "." parent[3] "." key] = value
}
# The fields of one JSON object without white space, three levels deep, into
# value_of.  The escapes \\ and \" become \001 and \002 first, which a text has
# not: then every quote left begins or ends a string.
function parse(text, part, n, i, j, s, key, v, c) {
	split("", value_of)
	depth = 0
	gsub(/\\\\/, "\001", text)
	gsub(/\\"/, "\002", text)
	n = split(text, part, "\"")
	if (n % 2 == 0 || substr(text, 1, 1) != "{" || text !~ /}$/)
		return 0
	for (i = 1; i <= n; i += 2) {
		s = part[i]
		if (s ~ /^:[-0-9tf]/) {
			v = substr(s, 2)
			sub(/[],}].*$/, "", v)
			put(key, v)
		}
		for (j = 1; j <= length(s); j++) {
			c = substr(s, j, 1)
			if (c == "{" || c == "[")
				parent[++depth] = key
			else if (c == "}" || c == "]")
				depth--
		}
		if (i == n)
			break
		if (part[i + 2] ~ /^:/)
			key = part[i + 1]
		else if (s == ":")
			put(key, part[i + 1])
	}
	return depth == 0
}
function get(key) {
	return key in value_of ? value_of[key] : ""
}
function is_time(s) {
	return s ~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9:.]+Z$/
}
function is_number(s) {
	return s ~ /^(0|[1-9][0-9]*)$/ && length(s) <= 16
}
# =XX back to the byte; digits are capital.
function decode(s, i, r, h) {
	while ((i = index(s, "=")) > 0) {
		h = substr(s, i + 1, 2)
		r = r substr(s, 1, i - 1)
		if (h in byte) {
			r = r byte[h]
			s = substr(s, i + 3)
		} else {
			r = r "="
			s = substr(s, i + 1)
		}
	}
	return r s
}
# Can a package call name so?  As it is, or with =XX for some bytes, with N~
# before it, or cut where it would be too long.
function spells(stored, name, d, n) {
	if (stored == name)
		return 1
	d = decode(stored)
	n = length(d)
	if (d == name || (length(stored) > 200 && substr(name, 1, n) == d))
		return 1
	if (stored !~ /^[1-9][0-9]*~/)
		return 0
	sub(/^[1-9][0-9]*~/, "", stored)
	d = decode(stored)
	n = length(d)
	return d == name || (length(stored) > 200 && substr(name, 1, n) == d)
}
# The same of a whole path.
function spells_path(stored, path, a, b, n, i) {
	n = split(stored, a, "/")
	if (split(path, b, "/") != n)
		return 0
	for (i = 1; i <= n; i++)
		if (!spells(a[i], b[i]))
			return 0
	return 1
}
# The first k parts of a path, "" if it has fewer.
function first(path, k, part, n, i, r) {
	if ((n = split(path, part, "/")) < k)
		return ""
	r = part[1]
	for (i = 2; i <= k; i++)
		r = r "/" part[i]
	return r
}
# Is path what the package is about, or below it?  Of an attestation NAME@N the
# earlier ones are in the package, too.
function within(path, rest) {
	if (level == 0 || path == about || substr(path, 1, length(about) + 1) == about "/")
		return 1
	if (level != 3 || substr(path, 1, length(first_name)) != first_name)
		return 0
	rest = substr(path, length(first_name) + 1)
	return rest ~ /^(@[0-9]+)?(\/|$)/
}
function below(path) {
	return base == "" ? path : substr(path, length(base) + 2)
}
function join(rel) {
	return base == "" ? rel : base "/" rel
}
function above(path) {
	return path == "." || path == about ||
		substr(about, 1, length(path) + 1) == path "/"
}
# completeness.json follows from the entries, except the program that made the package,
# which proves nothing, and the number of workflows that the trail or vault has.
function completeness(line, n, i, j, k, name, types, tool, of, of_what) {
	if ((getline line < "completeness.json") <= 0 || !parse(line)) {
		wrong("completeness.json", "is malformed")
		return
	}
	close("completeness.json")
	tool = get("tool")
	of_what = level == 0 ? "vault" : "trail"
	of = get("workflows." of_what)
	if (tool !~ /^[A-Za-z0-9 .+~-]+$/ || length(tool) > 64 ||
	    (chosen ? !is_number(of) : of != ""))
		wrong("completeness.json", "is malformed")
	for (name in type_count) {
		for (j = ++n; j > 1 && sorted[j - 1] > name; j--)
			sorted[j] = sorted[j - 1]
		sorted[j] = name
	}
	for (i = 1; i <= n; i++)
		types = types (i > 1 ? "," : "") "\"" sorted[i] "\":" \
			type_count[sorted[i]]
	k = gap_count + (before + 1 < size)
	must_be("completeness.json", "{\"bytes\":" sprintf("%.0f", bytes) \
		",\"entries\":" NR ",\"files\":" stored_files + 0 \
		",\"first\":" seqs[1] \
		",\"gaps\":{\"count\":" k ",\"entries\":" \
		sprintf("%.0f", size - NR) "},\"last\":" sprintf("%.0f", before) \
		",\"origin\":\"" origin "\",\"period\":{" \
		(period == "" ? "" : "\"from\":\"" period "\",") "\"until\":\"" \
		(until == "" ? last : until) "\"},\"query\":{" \
		(control == "" ? "" : "\"control\":\"" control "\",") \
		"\"path\":\"" about "\"" \
		(person == "" ? "" : ",\"person\":\"" person "\"") \
		(since == "" ? "" : ",\"since\":\"" since "\"") \
		(status == "" ? "" : ",\"status\":\"" status "\"") \
		(until == "" ? "" : ",\"until\":\"" until "\"") \
		"},\"tool\":\"" tool "\",\"tree\":{\"root\":\"" root \
		"\",\"size\":" size "},\"types\":{" types \
		"},\"workflows\":{\"here\":" type_count["workflow.begun"] + 0 \
		(of == "" ? "" : ",\"" of_what "\":" of) "}}\n")
	if (chosen)
		print "completeness.json: how many workflows the " of_what \
			" has" > (t "/unproven")
	if (control person status != "")
		print "package.json: whether the workflows have the control," \
			" person and status by which they were selected" \
			> (t "/unproven")
}
function is_page(name) {
	return name == "index.html" || name == "status.json" ||
		(format > 4 && name == "trail-page.html")
}
function use(name) {
	if (!(name in sum)) {
		wrong(name, "is missing")
		return 0
	}
	used[name] = 1
	return 1
}
# A file must have these bytes.
function must_be(name, text, line, all, n) {
	if (!use(name))
		return
	while ((getline line < name) > 0)
		all = all line "\n"
	close(name)
	if (all != text)
		wrong(name, "says something else than the entries")
}
# A line of a list that a seal counts, sorted later.
function list(n, name, digest) {
	counted[n]++
	print n "\t" name "\t" (index(name, "\\") == 0 ? "" : "\\") digest \
		"  " replace(name, "\\", "\\\\") > (t "/lists")
}
# The attestation whose files are below attestations/DIR, or "".
function owner(dir, a) {
	if (dir in of_dir)
		return of_dir[dir]
	a = join(dir)
	if (a in begun && !(a in dir_of)) {
		dir_of[a] = dir
		return of_dir[dir] = a
	}
	for (a in begun)
		if (!(a in dir_of) && spells_path(dir, below(a))) {
			dir_of[a] = dir
			return of_dir[dir] = a
		}
	return ""
}
function workflow_owner(dir, w) {
	if (join(dir) in flow)
		return join(dir)
	for (w in flow)
		if (spells_path(dir, below(w)))
			return w
	return ""
}
# Is that the directory of a trail, in the package of a vault?
function is_trail(dir, w) {
	if (dir in trail)
		return 1
	for (w in trail)
		if (spells(dir, w))
			return 1
	return 0
}
# The directory of the definitions of a trail.
function definitions(path, d) {
	if (level > 0)
		return "definitions/"
	if (!(path in defined_in)) {
		defined_in[path] = path
		if (!(path in defines) || (path in defined))
			for (d in defines)
				if (!(d in defined) && spells(d, path))
					defined_in[path] = d
		defined[defined_in[path]] = 1
	}
	return "definitions/" defined_in[path] "/"
}
# A file that an entry names by its digest; earlier formats have none.
function said(name, digest) {
	if (format > 2 && use(name) && sum[name] != digest)
		wrong(name, "is not what was recorded")
}
# What somebody outside has said of the log, in the files of entry $1.
function anchor(file, stamp, key, i, made) {
	file = "anchors/" $1
	stamp = get("kind") == "stamp"
	# The shell reads these.
	if (!is_number(get("tree.size")) || get("tree.size") + 0 < 1 ||
	    get("tree.root") !~ /^[0-9a-f]+$/ || length(get("tree.root")) != 64 ||
	    get("kind") !~ /^[a-z]+$/) {
		wrong(proof, "its entry is malformed")
		return
	}
	said(file (stamp ? ".tsr" : ".checkpoint"), get("content.sha256"))
	if (get("chain.sha256") != "")
		said(file ".pem", get("chain.sha256"))
	if (!use(file ".consistency"))
		return
	# A mirror of a vault may lack the checkpoint that was stamped.
	if (stamp && ((file ".checkpoint") in sum))
		used[file ".checkpoint"] = 1
	key = "-"
	if (get("kind") == "mirror" || get("kind") == "witness") {
		key = get("key")
		if (key !~ \
			/^[A-Za-z0-9._~:\/-]+\+[0-9a-f]+\+[A-Za-z0-9+\/]+$/) {
			wrong(proof, "its entry has no key")
			return
		}
	}
	# The clock at the newest entry here that the anchor is about.
	for (i = NR - 1; i > 0 && seqs[i] + 0 >= get("tree.size") + 0; i--)
		continue
	made = i > 0 ? clocks[i] : "-"
	if ((made clocks[NR]) !~ /^[-0-9T:.Z]+$/) {
		wrong(proof, "its time is malformed")
		return
	}
	print $1 "\t" get("kind") "\t" get("tree.size") "\t" get("tree.root") \
		"\t" show(get("name")) "\t" key "\t" made "\t" \
		clocks[NR] > (t "/anchors")
}
# Texts that stand apart from the entry s: {"withheld":"DIGEST"}.
function apart(s, h) {
	while (match(s, /[{]"withheld":"[0-9a-f]+"[}]/)) {
		h = substr(s, RSTART + 13, RLENGTH - 15)
		s = substr(s, RSTART + RLENGTH)
		if (!(("texts/" h) in sum)) {
			no_text[h] = 1
			continue
		}
		used["texts/" h] = 1
		if (sum["texts/" h] != h)
			wrong("texts/" h, "is not the text of its entry")
	}
}
# Two people had the file removed: what quotes it need not be there either.
function hide(path, a) {
	redacted[path] = 1
	hidden[a] = 1
	hidden[a, content_of[path]] = 1
}
function evidence(a, stored, rel, dir) {
	a = first(path, 3)
	rel = below(path)
	stored = proof
	if (substr(stored, 1, 14) != "./proofs/data/" ||
	    stored !~ /\.tlog-proof$/) {
		wrong(proof, "the proof of " show(path) " is not where it belongs")
		return
	}
	stored = substr(stored, 15, length(stored) - 14 - 11)
	if (path in evidence_of) {
		wrong(path, "was recorded twice")
		return
	}
	evidence_of[path] = 1
	if (rel in renamed ? renamed[rel] != stored : rel != stored) {
		wrong("data/" stored, "is not where " show(path) " belongs")
		return
	}
	delete renamed[rel]
	if (!spells_path(stored, rel)) {
		wrong("data/" stored, "is not the name of " show(path))
		return
	}
	dir = first(stored, reach)
	if (dir in of_dir ? of_dir[dir] != a : a in dir_of) {
		wrong("data/" stored, "is in the directory of another attestation")
		return
	}
	of_dir[dir] = a
	dir_of[a] = dir
	if (!(("data/" stored) in sum))
		# A later entry must say that it was redacted.
		without_bytes[path] = "data/" stored
	else {
		used["data/" stored] = 1
		replays["replay/" get("seq") ".html"] = 1
		if (sum["data/" stored] != get("content.sha256"))
			wrong("data/" stored, "is not what " show(path) " was")
		stored_files++
		bytes += get("content.size")
	}
	files++
	entry_of[path] = get("seq")
	in_attestation[a]++
	order[files] = path
	digest_of[files] = content_of[path] = get("content.sha256")
	who = get("actor.uid") == "" ? "trailfs itself" : "uid " get("actor.uid")
	if (get("actor.user") != "")
		who = get("actor.user") " (" who ")"
	when = get("at")
	if (get("clock") != "" && substr(get("clock"), 1, 19) != substr(when, 1, 19))
		when = when " (the clock said " get("clock") ")"
	if (!(path in without_bytes))
		print when "  " show(who) "  " show(path) \
		(stored == rel ? "" : "  [data/" show(stored) "]") > (t "/shown")
}
BEGIN {
	FS = "\t"
	for (i = 0; i < 256; i++) {
		c = sprintf("%c", i)
		ord[c] = i
		byte[sprintf("%02X", i)] = c
	}
	while ((getline line < (t "/have")) > 0) {
		sum[substr(line, 67)] = substr(line, 1, 64)
		if (split(substr(line, 67), part, "/") > 2 && \
		    part[1] == "definitions")
			defines[part[2]] = 1
	}
	while ((getline line < (t "/leaves")) > 0)
		leaf[substr(line, 69)] = substr(line, 1, 64)
	if ((getline line < "package.json") <= 0 || !parse(line)) {
		wrong("package.json", "is malformed")
		exit 1
	}
	if (get("format") !~ /^[12345]$/) {
		print "a later version made the package"
		exit later = 1
	}
	close("package.json")
	format = get("format")
	about = plain(get("path"))
	since = get("since")
	until = get("until")
	control = get("control")
	person = get("person")
	status = get("status")
	chosen = since control person status until != ""
	level = split(about, part, "/")
	base = about
	if (about == "." && format > 4) {
		level = 0
		base = ""
	} else if (about !~ /^[A-Za-z0-9][A-Za-z0-9._~@\/-]*$/ || level > 3) {
		wrong("package.json", "names no trail, workflow or attestation")
		exit 1
	}
	if ((since != "" && !is_time(since)) || (until != "" && !is_time(until)))
		wrong("package.json", "is malformed")
	if (control !~ /^[A-Za-z0-9._-]*$/ || person ~ /[\001\002]/ || \
		(status != "" && \
		status !~ /^(COMPLIANT|NON-COMPLIANT|INCOMPLETE)$/) || \
		(format < 5 && control person status != ""))
		wrong("package.json", "is malformed")
	# How many names of a path below data/ are those of an attestation.
	reach = level < 3 ? 3 - level : 1
	if (level > 1 && chosen)
		wrong("package.json", "only of the vault or a trail a part is selected")
	if (level == 3) {
		base = part[1] "/" part[2]
		first_name = about
		sub(/@[0-9]+$/, "", first_name)
	}
	while ((getline line < names) > 0) {
		if (!parse(line) || plain(get("path")) in renamed ||
		    line != "{\"path\":\"" escaped(get("path")) \
			"\",\"stored\":\"" escaped(get("stored")) "\"}") {
			wrong("names.jsonl", "is malformed")
			exit 1
		}
		renamed[plain(get("path"))] = plain(get("stored"))
	}
}
# A line: number, number of the proof, its name, the entry.
{
	proof = $3
	if ($1 + 0 <= before && NR > 1)
		wrong(proof, "is the proof of an entry that another one proves")
	if (NR == 1 ? $1 + 0 > 0 : $1 + 0 > before + 1)
		gap_count++
	before = $1 + 0
	# The entry has no tab.
	if (!parse($4) || get("seq") != $1 || !is_number(get("v"))) {
		wrong(proof, "its entry is malformed")
		next
	}
	if (get("v") != "1") {
		print "entry " $1 " has a later form"
		exit later = 1
	}
	type = get("type")
	path = plain(get("path"))
	last = get("at")
	type_count[type]++
	if (period == "" && (since != "" || level == 0 || (path == about && \
		type ~ /^(trail\.created|workflow\.begun|attestation\.begun)$/)))
		period = since == "" ? last : since
	seqs[NR] = $1
	clocks[NR] = get("clock") == "" ? last : get("clock")
	used[substr(proof, 3)] = 1
	if (index($4, "{\"withheld\"") > 0)
		apart($4)
	if (path != "" && !within(path) &&
	    (type == "evidence.sealed" || !above(path)))
		wrong(path, "is not of what the package is about")
	if (type == "evidence.sealed") {
		evidence()
		next
	}
	if (proof != "./proofs/events/" $1 ".tlog-proof")
		wrong(proof, "is the proof of entry " $1)
	what = get("what")
	if (type ~ /^redaction\./ && what ~ /^(claims|imported|reason|to)$/) {
		if (type == "redaction.proposed")
			text_proposed[get("seq")] = get("content.sha256")
		else if (text_proposed[get("proposal")] == get("content.sha256"))
			text_gone[get("content.sha256")] = 1
	} else if (type == "redaction.done" && path in entry_of && \
		get("target") == entry_of[path] && get("proposal") in proposed && \
		proposed[get("proposal")] == path)
		hide(path, first(path, 3))
	else if (type == "redaction.proposed")
		proposed[get("seq")] = path
	else if (type == "attestation.begun")
		begun[path] = 1
	else if (type == "trail.created")
		trail[path] = 1
	else if (type == "workflow.begun") {
		flow[path] = $2
		if (level < 2)
			flows[++n_flows] = path
	} else if (type ~ /^(attestation|workflow|trail)\.sealed$/) {
		seal[path] = ++seals
		seal_path[seals] = path
		what = type == "attestation.sealed" ? "evidence" : \
			type == "workflow.sealed" ? "attestations" : "workflows"
		seal_count[seals] = get(what ".count")
		seal_sums[seals] = get(what ".sums")
		seal_kind[seals] = what == "evidence" ? "files" : what
		if (what == "evidence") {
			sealed[path] = seals
			said_by[path, "evaluation.json"] = \
				get("evaluated.report.sha256")
			said_by[path, "user-data"] = get("claims.userData.sha256")
			seal_leaf[seals] = leaf[$2]
			payload[seals] = get("statement.payload")
			envelope[seals] = "\",\"payloadType\":" \
				"\"application/vnd.in-toto+json\"," \
				"\"signatures\":[{\"keyid\":\"" \
				get("statement.keyid") "\",\"sig\":\"" \
				get("statement.sig") "\"}]}"
			signer[seals] = attester "\t" get("statement.sig")
		}
	} else if (type == "template.set")
		said(definitions(path) "template@" get("template.version") ".yml",
			get("template.sha256"))
	else if (type == "recipients.set")
		said(definitions(path) "recipients@" get("recipients.version"),
			get("recipients.sha256"))
	else if (type == "type.set")
		said(definitions(path) "types/" get("definition.name") "@" \
			get("definition.version") ".yml", get("definition.sha256"))
	else if (type == "anchor.added")
		anchor()
	else if (type == "ledger.opened")
		attester = get("keys.attester")
	else if (type == "key.rotated" && get("use") == "attester")
		attester = get("new")
}
END {
	if (later)
		exit 2
	if (failures > 20)
		exit 1
	for (name in renamed)
		wrong("names.jsonl", "speaks of a file that is not there")
	for (path in without_bytes)
		if (path in redacted)
			print "redacted, two people have had its bytes deleted: " \
				show(path) > (t "/whole")
		else
			wrong(without_bytes[path], "is missing")
	for (h in no_text)
		print (h in text_gone ? \
			"redacted, two people have had a text of an entry deleted: " : \
			"absent, a text of an entry is not in the package: ") \
			h > (t "/whole")
	# What the seals count.
	for (i = 1; i <= files; i++) {
		a = first(order[i], 3)
		if (a in sealed)
			list(sealed[a], substr(order[i], length(a) + 2),
				digest_of[i])
		else if (!(a in begun))
			wrong(order[i], "its attestation is not in the package")
	}
	for (a in sealed)
		if (first(a, 2) in seal)
			list(seal[first(a, 2)], substr(a,
				length(first(a, 2)) + 2), seal_leaf[sealed[a]])
	for (i = 1; i <= n_flows; i++)
		if (first(flows[i], 1) in seal)
			list(seal[first(flows[i], 1)], substr(flows[i], \
				length(first(flows[i], 1)) + 2),
				leaf[flow[flows[i]]])
	for (i = 1; i <= seals; i++) {
		if (seal_count[i] + 0 != counted[i] + 0)
			wrong(seal_path[i], "was sealed with " seal_count[i] " " \
				seal_kind[i] ", here are " counted[i] + 0)
		printf "" > (t "/sum/" i)
		close(t "/sum/" i)
		print i "\t" seal_sums[i] "\t" show(seal_path[i]) > (t "/wanted")
		print "sealed, all " seal_count[i] " " seal_kind[i] \
			" are here: " show(seal_path[i]) > (t "/whole")
	}
	here = level == 0 && !chosen ? " up to the checkpoint are here: " : \
		" may be missing: "
	for (a in begun)
		if (!(a in sealed))
			print "not sealed in this package, files" here \
				show(a) > (t "/whole")
	for (w in flow)
		if (!(w in seal) && level < 3)
			print "not sealed in this package, attestations" here \
				show(w) > (t "/whole")
	if (control person status != "")
		print "selected, other workflows are not in it" > (t "/whole")
	else if (chosen)
		print "cut by time, other workflows are not in it" > (t "/whole")
	else if (level == 0 && NR != size)
		wrong("events.jsonl", "lacks entries: the package of a vault" \
			" has all of them")
	else if (level == 0)
		print "the whole log, all " NR " entries" > (t "/log_whole")
	else if (level == 1 && !(about in seal))
		print "not sealed in this package, workflows may be missing: " \
			show(about) > (t "/whole")

	# The other files.
	pem = "-----BEGIN PUBLIC KEY-----\n"
	end = "\n-----END PUBLIC KEY-----\n"
	must_be("keys/log.pub.pem", pem spki end)
	must_be("keys/attester.pub.pem", pem attester end)
	while ((getline line < (t "/vkey")) > 0)
		must_be("keys/log.vkey", line "\n")
	must_be("bagit.txt", "BagIt-Version: 1.0\n" \
		"Tag-File-Character-Encoding: UTF-8\n")
	must_be("bag-info.txt", "Bag-Software-Agent: trailfs\n" \
		"Bagging-Date: " substr(last, 1, 10) "\n" \
		"External-Identifier: " about "\n" \
		"Payload-Oxum: " sprintf("%.0f.%d", bytes, stored_files) "\n" \
		"Trailfs-Origin: " origin "\n" \
		"Trailfs-Package-Format: " format "\n")
	must_be("package.json", "{\"bytes\":" sprintf("%.0f", bytes) \
		(control == "" ? "" : ",\"control\":\"" control "\"") \
		",\"entries\":" NR ",\"files\":" stored_files + 0 ",\"format\":" format \
		",\"origin\":\"" origin "\",\"path\":\"" about "\"" \
		(person == "" ? "" : ",\"person\":\"" person "\"") \
		(since == "" ? "" : ",\"since\":\"" since "\"") \
		(status == "" ? "" : ",\"status\":\"" status "\"") \
		",\"tree\":{\"root\":\"" root "\",\"size\":" size "}" \
		(until == "" ? "" : ",\"until\":\"" until "\"") "}\n")
	if (format > 4)
		completeness()
	used["checkpoint"] = used["events.jsonl"] = used["names.jsonl"] = 1
	used["manifest-sha256.txt"] = used["tagmanifest-sha256.txt"] = 1
	for (name in sum) {
		if (name in used)
			continue
		n = split(name, part, "/")
		end = part[n]
		dir = substr(name, length(part[1]) + 2)
		dir = n > 2 ? substr(dir, 1, length(dir) - length(end) - 1) : ""
		a = ""
		if (part[1] == "attestations" && n == reach + 2)
			a = owner(dir)
		if (a in sealed && end == "SHA256SUMS") {
			used[name] = has_sums[a] = 1
			if (sum[name] != seal_sums[sealed[a]])
				wrong(name, "is not the list that was sealed")
		} else if (a in sealed && format > 2 && said_by[a, end] != "") {
			if (sum[name] != said_by[a, end])
				wrong(name, "is not what was recorded")
			used[name] = 1
			said_by[a, end] = ""
		} else if (a in sealed && end == "attestation.intoto.json") {
			used[name] = has_statement[a] = 1
			getline line < name
			more = (getline other < name)
			close(name)
			k = length(line) - length(envelope[sealed[a]])
			if (more != 0 || substr(line, 1, 12) != "{\"payload\":\"" ||
			    k < 12 || substr(line, k + 1) != envelope[sealed[a]])
				wrong(name, "is not the statement that was sealed")
			else {
				print substr(line, 13, k - 12) > \
					(t "/statement/" sealed[a])
				close(t "/statement/" sealed[a])
				print sealed[a] "\t" payload[sealed[a]] "\t" \
					show(name) > (t "/payloads")
				print sealed[a] "\t" signer[sealed[a]] "\t" \
					show(name) > (t "/signers")
			}
		} else if ((a in begun && end == "attestation.json") ||
		    name == "VERIFY.txt" || name == "verify.sh" ||
		    (level > 0 && name == "custody.jsonl") || (name in replays) ||
		    (format > 4 && \
		    name ~ /^(health\.json|certificate\.html|verify\.ps1)$/) ||
		    (level < 3 && name == end && is_page(end) &&
		    (level > 0 || end == "index.html")) ||
		    (level < 2 && n == reach + 1 && part[1] == "workflows" &&
		    is_page(end) && workflow_owner(dir) != "") ||
		    (level == 0 && n == 3 && part[1] == "workflows" &&
		    is_page(end) && is_trail(dir)))
			print show(name) > (t "/unproven")
		else
			wrong(name, "no entry speaks of it")
	}
	for (a in sealed) {
		if (!(a in has_sums) || !(a in has_statement))
			wrong(a, "its statement or its list is missing")
		# They may have gone with redacted evidence.
		if (a in hidden)
			said_by[a, "evaluation.json"] = ""
		if ((a, said_by[a, "user-data"]) in hidden)
			said_by[a, "user-data"] = ""
		if (format > 2 && said_by[a, "evaluation.json"] \
			said_by[a, "user-data"] != "")
			wrong(a, "its evaluation or its user data are missing")
	}
	exit failures > 0
}' "$t/log" >"$t/problems"
case $? in
0) ;;
2) cannot "$(head -n 1 "$t/problems")" ;;
*)
	while IFS= read -r line; do
		say "$line"
	done <"$t/problems"
	no 'the package is not what the log says'
	;;
esac

# What the seals digest: lists of files, of attestations, of workflows.
sort -t "$tab" -k 1,1n -k 2 "$t/lists" | awk -F '\t' -v t="$t" '
	$1 != n {
		if (n != "")
			close(t "/sum/" n)
		n = $1
	}
	{ print $3 > (t "/sum/" n) }'
digests "$t/sum" "$t/hashes" "$(lines "$t/wanted")" || cannot 'openssl failed'
while IFS=$tab read -r n rest; do
	base64 -d <"$t/statement/$n" >"$t/payload/$n" 2>/dev/null ||
		no "a statement is malformed: ${rest#*"$tab"}"
done <"$t/payloads"
digests "$t/payload" "$t/more" "$(lines "$t/payloads")" ||
	cannot 'openssl failed'
compare() { # DIGESTS EXPECTED WHY
	awk -v hashes="$1" -v why="$3" 'BEGIN {
		FS = "\t"
		while ((getline line < hashes) > 0)
			hash[substr(line, 69)] = substr(line, 1, 64)
	}
	hash[$1] != $2 {
		print $3 ": " why
		exit 1
	}' "$2" >"$t/said" || no "$(cat "$t/said")"
}
compare "$t/hashes" "$t/wanted" 'what is here is not what was sealed'
compare "$t/more" "$t/payloads" 'is not the statement that was sealed'
# Each is signed by the key of the attester that was in force then, over the bytes that
# DSSE makes of it.
spki=
done=0
[ -z "$shown" ] || {
	begun=$(now)
	of=$(lines "$t/signers")
}
while IFS=$tab read -r n attester sig name; do
	[ -z "$shown" ] || [ $((done % 50)) -ne 0 ] ||
		draw statements signatures "$done" "$of"
	done=$((done + 1))
	[ "$attester" = "$spki" ] || {
		printf %s "$attester" | base64 -d >"$t/der" 2>/dev/null
		openssl pkey -pubin -inform DER -in "$t/der" -out "$t/attester" \
			2>/dev/null || no "$name: no entry names the key of its attester"
		spki=$attester
	}
	printf %s "$sig" | base64 -d >"$t/sig" 2>/dev/null
	{
		printf 'DSSEv1 28 application/vnd.in-toto+json %d ' \
			"$(wc -c <"$t/payload/$n")"
		cat "$t/payload/$n"
	} >"$t/pae"
	openssl pkeyutl -verify -rawin -in "$t/pae" -pubin -inkey "$t/attester" \
		-sigfile "$t/sig" >"$t/said" 2>&1 ||
		no "$name: is not signed by the key of the attester in force"
done <"$t/signers"
clear_line

# --- 5. The anchors ----------------------------------------------------------------
# What others have said of an earlier tree counts here only if that tree is the
# beginning of this one (RFC 9162, 2.1.4.2).  Hashes are octal escapes, as printf
# of the shell takes them.

octal() {
	od -An -v -to1 | tr -d '\n' | sed 's/ /\\/g'
}
node() { # LEFT RIGHT
	# shellcheck disable=SC2059  # octal escapes
	printf "\\001$1$2" | openssl dgst -sha256 -binary | octal
}
from_hex() {
	printf '%s\n' "$1" | awk '{
		digits = "0123456789abcdef"
		for (i = 1; i < 64; i += 2)
			printf "\\%03o", 16 * index(digits, substr($0, i, 1)) + \
				index(digits, substr($0, i + 1, 1)) - 17
	}'
}
# begins OLD ROOT FILE: do the first OLD entries, which have this root, begin the
# tree of the checkpoint?
begins() {
	fn=$(($1 - 1))
	sn=$((size - 1))
	fr=
	[ $((fn & $1)) -ne 0 ] || fr=$2
	while [ $((fn % 2)) -eq 1 ]; do
		fn=$((fn / 2))
		sn=$((sn / 2))
	done
	sr=$fr
	while IFS= read -r line; do
		c=$(printf '%s\n' "$line" | base64 -d 2>/dev/null | octal)
		[ ${#c} -eq 128 ] || return 1
		if [ -z "$fr" ]; then
			fr=$c
			sr=$c
			continue
		fi
		[ "$sn" -ne 0 ] || return 1
		if [ $((fn % 2)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
			fr=$(node "$c" "$fr")
			sr=$(node "$c" "$sr")
			while [ $((fn % 2)) -eq 0 ] && [ "$fn" -ne 0 ]; do
				fn=$((fn / 2))
				sn=$((sn / 2))
			done
		else
			sr=$(node "$sr" "$c")
		fi
		fn=$((fn / 2))
		sn=$((sn / 2))
	done <"$3"
	[ "$sn" -eq 0 ] && [ "$fr" = "$2" ] && [ "$sr" = "$head_root" ]
}
# Days since 1970, for awk.
days='function days(y, m, d) {
	y -= m < 3
	m = m < 3 ? m + 9 : m - 3
	return 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + \
		int((153 * m + 2) / 5) + d - 719469
}'
# The time of a stamp, as openssl prints it, in seconds since 1970.
seconds() {
	awk "$days"'/^Time stamp: / {
		month = (index("JanFebMarAprMayJunJulAugSepOctNovDec", $3) + 2) / 3
		split($5, part, ":")
		printf "%.0f\n", days($6, month, $4) * 86400 + part[1] * 3600 + \
			part[2] * 60 + int(part[3])
	}'
}
# differs STAMP FROM TO: print which clock contradicts the time of a stamp, in
# seconds since 1970, by more than a minute; FROM and TO are times of entries.
differs() {
	awk -v stamp="$1" -v from="$2" -v to="$3" "$days"'
	function epoch(s) {
		return days(substr(s, 1, 4) + 0, substr(s, 6, 2) + 0, \
			substr(s, 9, 2) + 0) * 86400 + substr(s, 12, 2) * 3600 + \
			substr(s, 15, 2) * 60 + substr(s, 18, 2)
	}
	BEGIN {
		if (from != "-" && epoch(from) > stamp + 61)
			print "; the clock of the host was ahead: it said " from \
				" before"
		else if (stamp > epoch(to) + 61)
			print "; the clock of the host was behind: it said " to \
				" later"
	}'
}
# stamped FILE SIZE NAME FROM TO: does an authority vouch for FILE.checkpoint, at a
# time that is not still to come?
stamped() {
	[ -n "$authorities" ] && [ -f "$1.checkpoint" ] || return 1
	openssl ts -reply -in "$1.tsr" -text >"$t/stamp" 2>/dev/null || return 1
	grep -q '^Hash Algorithm: sha256$' "$t/stamp" || return 1
	set -- "$1" "$2" "$3" "$(seconds <"$t/stamp")" "$4" "$5"
	[ "$4" -le "$(awk 'BEGIN { srand(); print srand() + 60 }')" ] || return 1
	if [ -f "$1.pem" ]; then
		openssl ts -verify -data "$1.checkpoint" -in "$1.tsr" -attime "$4" \
			-CAfile "$authorities" -untrusted "$1.pem" >/dev/null 2>&1 ||
			return 1
	else
		openssl ts -verify -data "$1.checkpoint" -in "$1.tsr" -attime "$4" \
			-CAfile "$authorities" >/dev/null 2>&1 || return 1
	fi
	echo "time stamp $3: the first $2 entries existed at" \
		"$(sed -n 's/^Time stamp: //p' "$t/stamp")$(differs "$4" "$5" \
			"$6")" >>"$t/vouched"
	: >"$t/authority"
}
# utc SECONDS: since 1970, as time in UTC.
utc() {
	awk -v s="$1" 'BEGIN {
		z = int(s / 86400) + 719468
		s -= int(s / 86400) * 86400
		era = int(z / 146097)
		day = z - era * 146097
		year = int((day - int(day / 1460) + int(day / 36524) - \
			int(day / 146096)) / 365)
		day -= 365 * year + int(year / 4) - int(year / 100)
		m = int((5 * day + 2) / 153)
		printf "%04d-%02d-%02dT%02d:%02d:%02dZ\n", \
			year + era * 400 + (m > 9), m < 10 ? m + 3 : m - 9, \
			day - int((153 * m + 2) / 5) + 1, int(s / 3600), \
			int(s % 3600 / 60), s % 60
	}'
}
# cosigned NOTE KEY: has the key cosigned the note (C2SP tlog-cosignature)?  Then
# cosigned_at is the time that it states.
cosigned() {
	public_key "$2" || return 1
	[ "$(od -An -v -tu1 -N 1 "$t/raw" | tr -d ' ')" -eq 4 ] || return 1
	signature_of "$1" || return 1
	[ "$(wc -c <"$t/signature")" -eq 76 ] || return 1
	tail -c 64 "$t/signature" >"$t/sig"
	cosigned_at=$(head -c 12 "$t/signature" | tail -c 8 | od -An -v -tu1 |
		awk '{ for (i = 1; i <= NF; i++) n = n * 256 + $i }
			END { printf "%.0f", n }')
	{
		printf 'cosignature/v1\ntime %s\n' "$cosigned_at"
		sed '/^$/,$d' "$1"
	} >"$t/cosigned"
	signed "$t/cosigned"
}
# known KEY: did the caller name it?
known() {
	[ -n "$cosigners" ] && tr -s '[:space:]' '\n' <"$cosigners" |
		grep -Fqx -e "$1"
}
: >"$t/vouched"
head_root=$(octal <"$t/root")
while IFS=$tab read -r number kind old hash whose cosigner made received; do
	file=anchors/$number
	if ! plain "$file.consistency" ||
		[ "$(wc -c <"$file.consistency")" -gt 131072 ]; then
		no "$file.consistency is malformed"
	fi
	sed '1d;/^$/,$d' "$file.consistency" >"$t/path"
	earlier=$(from_hex "$hash")
	sed '1,/^$/d' "$file.consistency" >"$t/note"
	if ! cmp -s "$t/note" checkpoint || [ "$old" -ge "$size" ] ||
		[ "$(head -n 1 "$file.consistency")" != "old $old" ] ||
		[ "$(lines "$t/path")" -gt 63 ] ||
		! begins "$old" "$earlier" "$t/path"; then
		no "$file.consistency does not lead from the anchor to this log"
	fi
	if [ -f "$file.checkpoint" ]; then
		plain "$file.checkpoint" || no "$file.checkpoint is malformed"
		# shellcheck disable=SC2059  # octal escapes
		printf '%s\n%s\n' "$old" "$(printf "$earlier" | base64)" >"$t/wanted"
		sed '1d;/^$/,$d' "$file.checkpoint" | cmp -s - "$t/wanted" ||
			no "$file.checkpoint is not what its entry says"
	fi
	if [ "$kind" = stamp ] &&
		stamped "$file" "$old" "$whose" "$made" "$received"; then
		continue
	elif [ "$kind" = stamp ]; then
		echo "time stamp $whose ($file.tsr)" >>"$t/unproven"
	elif [ "$cosigner" = - ]; then
		echo "receipt of the kind $kind of $whose ($file.checkpoint)" \
			>>"$t/unproven"
	elif ! cosigned "$file.checkpoint" "$cosigner"; then
		no "$file.checkpoint: the cosignature of the $kind $whose is wrong"
	elif known "$cosigner"; then
		echo "cosigned by the $kind $whose: the first $old entries, at" \
			"$(utc "$cosigned_at")" >>"$t/vouched"
		: >"$t/cosigner"
	else
		echo "cosignature of the $kind $whose ($file.checkpoint): it is" \
			"by the key in its entry, which you did not name" \
			>>"$t/unproven"
	fi
done <"$t/anchors"
[ -z "$cosigners" ] || [ -e "$t/cosigner" ] ||
	no 'no cosignature is by a key that you named'
[ -z "$authorities" ] || [ -e "$t/authority" ] ||
	no 'no time stamp is one that your authorities vouch for'

# --- 6. The answer -----------------------------------------------------------------

cmp -s "$self" verify.sh || echo 'verify.sh (it is not this script)' \
	>>"$t/unproven"
echo "Recorded in the log of $origin: time of the entry, person, path"
sed 's/^/  /' "$t/shown"
echo
echo 'What is here:'
sort "$t/whole" "$t/log_whole" | sed 's/^/  /'
sort "$t/vouched" | sed 's/^/  /'
echo
echo 'Not proven by anything, do not rely on it:'
sort "$t/unproven" | sed 's/^/  /'
[ ! -s "$t/beside" ] || {
	echo
	echo 'Left by a desktop, and not of the package:'
	sort "$t/beside" | tr -c '\012\040-\176' '?' | sed 's/^/  /'
}
cat <<'END'

Proven: each file listed above is, byte for byte, what was recorded under that
path, at that time, by that person, in the log that the key signs.
END
if [ -s "$t/log_whole" ]; then
	cat <<'END'
Proven: nothing else was recorded up to the checkpoint.  What was recorded after
it cannot be seen.
END
else
	cat <<'END'
Not proven: that nothing else was recorded.  What was begun and is not sealed
here may have more, other attestations, workflows and trails cannot be seen,
and what was recorded after the checkpoint cannot either.
END
fi
echo "$(lines "$t/shown") files of $origin, tree of $size: OK"
