#!/bin/sh
# A second verifier of trailfs logs, short enough to be read before it is
# trusted.  It shares no code with trailfs and needs only a POSIX shell,
# coreutils, awk and openssl.
#
#	tests/verify.sh KEY THING...
#
# KEY is the log's public key: the line that trailctl init printed, or a file
# that holds it; or a PEM file, which pins the key but not the origin.
# A THING is the directory of a log (checkpoint and tile/, C2SP tlog-tiles), a
# file *.tlog-proof (C2SP tlog-proof that carries its entry), or a checkpoint.
# Proofs and checkpoints that follow a log must belong to a tree that is a
# beginning of that log.  Exits 0 if everything holds; otherwise prints the
# reason and exits 1.
set -eu
LC_ALL=C
export LC_ALL
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

no() {
	echo "verify: $*" >&2
	exit 1
}

# --- bytes --------------------------------------------------------------

hex() {
	od -An -v -tx1 | tr -d ' \n'
}

bytes() {
	wc -c <"$1" | tr -d ' '
}

# same FILE: true if it holds the same bytes as stdin.
same() {
	[ "$(sha256sum)" = "$(sha256sum <"$1")" ]
}

# unbase64 TEXT FILE: decode; false unless FILE encodes to TEXT again, which
# refuses missing padding and stray bits.
unbase64() {
	printf %s "$1" | base64 -d >"$2" 2>/dev/null || return 1
	[ "$(base64 <"$2" | tr -d '\n')" = "$1" ]
}

# number TEXT: true for a number below 2^63 without leading zeros.
number() {
	case $1 in
	'' | *[!0-9]* | 0?*) return 1 ;;
	esac
	[ "${#1}" -lt 20 ] && [ "$1" -ge 0 ] 2>/dev/null
}

# --- the key ------------------------------------------------------------

# key_id NAME: of the key in key.der, in hex.
key_id() {
	{
		printf '%s\n\001' "$1"
		tail -c 32 "$work/key.der"
	} | openssl dgst -sha256 -binary | head -c 4 | hex
}

# Make key.der and key.pem.  name stays empty for a PEM file, which has none.
take_key() {
	key=$1 name=
	[ ! -f "$1" ] || key=$(cat "$1")
	case $key in
	-----BEGIN*)
		openssl pkey -pubin -in "$1" -outform DER -out "$work/key.der"
		;;
	*)
		name=${key%%+*}
		id=${key#*+}
		id=${id%%+*}
		# Base64 may contain +, so take all after the first two.
		{
			unbase64 "${key#*+*+}" "$work/key.raw" &&
				[ "$(head -c 1 "$work/key.raw" | hex)" = 01 ] &&
				[ "$(bytes "$work/key.raw")" -eq 33 ]
		} || no 'the key is not an Ed25519 vkey'
		{
			printf '\060\052\060\005\006\003\053\145\160\003\041\000'
			tail -c 32 "$work/key.raw"
		} >"$work/key.der"
		[ "$(key_id "$name")" = "$id" ] || no "the key's ID is wrong"
		;;
	esac
	openssl pkey -pubin -inform DER -in "$work/key.der" -out "$work/key.pem"
}

# --- a checkpoint -------------------------------------------------------

dash=$(printf '\342\200\224')

# line N FILE: print that line without NUL bytes, which no text holds.
line() {
	tail -n +"$1" "$2" | head -n 1 | tr -d '\0'
}

# checkpoint FILE WHAT: three lines, an empty one, and lines of signatures, of
# which one at least must be of the key, and none of the key may be wrong.
# Set origin, size and root.
checkpoint() {
	origin=$(line 1 "$1") size=$(line 2 "$1") root=$(line 3 "$1")
	printf '%s\n%s\n%s\n' "$origin" "$size" "$root" >"$work/body"
	tail -n +5 "$1" >"$work/lines"
	{
		cat "$work/body"
		echo
		cat "$work/lines"
	} | same "$1" ||
		no "$2: not three lines, an empty one and signatures"
	case $origin in
	'' | *[!A-Za-z0-9._~:/-]*) no "$2: the origin is malformed" ;;
	esac
	number "$size" || no "$2: the size is malformed"
	{ unbase64 "$root" "$work/root" && [ "$(bytes "$work/root")" -eq 32 ]; } ||
		no "$2: the root is malformed"
	[ "$(tail -c 1 "$work/lines" | hex)" = 0a ] ||
		no "$2: no signature, or a line without its end"
	[ "$(tr -d '\n\040-\176\200-\377' <"$work/lines" | wc -c)" -eq 0 ] ||
		no "$2: control characters"
	[ "$origin" = "${name:-$origin}" ] ||
		no "$2: it is of $origin, the key of $name"
	id=$(key_id "$origin") good=0
	while IFS= read -r line; do
		rest=${line#"$dash "}
		who=${rest%% *}
		{
			[ "$line" = "$dash $who ${rest#* }" ] &&
				[ "${who:-+}" = "${who%+*}" ] &&
				unbase64 "${rest#* }" "$work/raw" &&
				[ "$(bytes "$work/raw")" -gt 4 ]
		} || no "$2: a signature line is malformed"
		[ "$who" = "$origin" ] || continue
		[ "$(head -c 4 "$work/raw" | hex)" = "$id" ] || continue
		tail -c +5 "$work/raw" >"$work/sig"
		openssl pkeyutl -verify -rawin -in "$work/body" -pubin \
			-inkey "$work/key.pem" -sigfile "$work/sig" \
			>/dev/null 2>&1 || no "$2: the signature is wrong"
		good=1
	done <"$work/lines"
	[ "$good" -eq 1 ] || no "$2: no signature by the key"
}

# --- the tree -----------------------------------------------------------

# digests: stdin is a shell script that makes files 00000000, 00000001, ...
# Prints their digests in that order, 32 bytes each.
digests() {
	rm -rf "$work/in"
	mkdir "$work/in"
	(cd "$work/in" && sh -e && openssl dgst -sha256 -binary -- *)
}

# leaves BUNDLE COUNT: an entry is two bytes of length and then its own; its
# leaf is the digest of 0x00 and them.
leaves() {
	[ -f "$1" ] || no "$1 is missing"
	od -An -v -to1 "$1" | awk -v want="$2" '
	{
		for (i = 1; i <= NF; i++) {
			if (head < 2) {
				left = left * 256 + substr($i, 1, 1) * 64 + \
				    substr($i, 2, 1) * 8 + substr($i, 3, 1)
				if (++head == 2)
					printf "printf \"\\000"
			} else {
				printf "\\%s", $i
				left--
			}
			if (head == 2 && left == 0) {
				printf "\" >%08d\n", n++
				head = 0
			}
		}
	}
	END { exit head != 0 || n != want }' >"$work/script" ||
		no "$1: not $2 whole entries"
	digests <"$work/script"
}

# pairs FILE: the next hashes up.  Two become the digest of 0x01 and both; an
# odd one at the end goes up as it is.
pairs() {
	count=$(($(bytes "$1") / 32)) odd=$((count % 2))
	head -c $(((count - odd) * 32)) "$1" | od -An -v -to1 | awk '
	{
		for (i = 1; i <= NF; i++) {
			if (n % 64 == 0)
				printf "printf \"\\001"
			printf "\\%s", $i
			if (++n % 64 == 0)
				printf "\" >%08d\n", n / 64 - 1
		}
	}' | digests
	[ "$odd" -eq 0 ] || tail -c 32 "$1"
}

# tile_name N WIDTH: 5 255 is 005.p/255, 1234067 256 is x001/x234/067.
tile_name() {
	rest=$(($1 / 1000)) tile=$(printf %03d $(($1 % 1000)))
	while [ "$rest" -gt 0 ]; do
		tile=x$(printf %03d $((rest % 1000)))/$tile
		rest=$((rest / 1000))
	done
	[ "$2" -eq 256 ] || tile=$tile.p/$2
	echo "$tile"
}

# width N COUNT: of tile N in a level of COUNT hashes.
width() {
	[ $(($2 - $1 * 256)) -lt 256 ] || {
		echo 256
		return
	}
	echo $(($2 - $1 * 256))
}

# level DIR L COUNT: the first COUNT of the hashes are the tiles of level L.
level() {
	n=0
	while [ $((n * 256)) -lt "$3" ]; do
		w=$(width "$n" "$3")
		tile=$1/tile/$2/$(tile_name "$n" "$w")
		[ -f "$tile" ] || no "$tile is missing"
		tail -c +$((n * 8192 + 1)) "$work/hashes" |
			head -c $((w * 32)) | same "$tile" ||
			no "$tile is not what is below it"
		n=$((n + 1)) tiles=$((tiles + 1))
	done
}

# fold COUNT [DIR]: the root of the first COUNT leaves, in hashes; each eighth
# level on the way is compared with the tiles below DIR.
fold() {
	head -c $(($1 * 32)) "$work/leaves" >"$work/hashes"
	[ "$1" -gt 0 ] || openssl dgst -sha256 -binary </dev/null >"$work/hashes"
	height=0 tiles=0
	[ -z "${2-}" ] || level "$2" 0 "$1"
	while [ "$(bytes "$work/hashes")" -gt 32 ]; do
		pairs "$work/hashes" >"$work/up"
		mv "$work/up" "$work/hashes"
		height=$((height + 1))
		if [ $((height % 8)) -eq 0 ] && [ -n "${2-}" ]; then
			level "$2" $((height / 8)) $(($1 >> height))
		fi
	done
}

# --- logs, checkpoints and proofs ---------------------------------------

whole='' entries=0
log() {
	checkpoint "$1/checkpoint" "$1/checkpoint"
	[ "$size" -lt 100000 ] || no 'so many entries are not for a script'
	: >"$work/leaves"
	m=0
	while [ $((m * 256)) -lt "$size" ]; do
		w=$(width "$m" "$size")
		leaves "$1/tile/entries/$(tile_name "$m" "$w")" "$w" \
			>>"$work/leaves"
		m=$((m + 1))
	done
	fold "$size" "$1"
	same "$work/root" <"$work/hashes" ||
		no "$1: the entries do not give the root of the checkpoint"
	whole=$1 entries=$size
	echo "$1: $size entries of $origin in $tiles tiles, signed"
}

# True if the tree of the last checkpoint is a beginning of the log.
beginning() {
	[ -n "$whole" ] || return 0
	[ "$size" -le "$entries" ] || no "$1: $whole has fewer entries"
	fold "$size"
	same "$work/root" <"$work/hashes" ||
		no "$1: another history than that of $whole"
}

# node LEFT RIGHT: their parent, in the file r.
node() {
	{
		printf '\001'
		cat "$work/$1" "$work/$2"
	} | openssl dgst -sha256 -binary >"$work/parent"
	mv "$work/parent" "$work/r"
}

# RFC 9162 2.1.3.2: leaf hash in r, path of hashes in base64 on stdin.
climb() {
	fn=$index sn=$((size - 1))
	while IFS= read -r line; do
		{ unbase64 "$line" "$work/c" && [ "$(bytes "$work/c")" -eq 32 ]; } ||
			no "$1: a hash is malformed"
		[ "$sn" -gt 0 ] || no "$1: too many hashes"
		if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
			node c r
			while [ $((fn & 1)) -eq 0 ] && [ "$fn" -ne 0 ]; do
				fn=$((fn >> 1)) sn=$((sn >> 1))
			done
		else
			node r c
		fi
		fn=$((fn >> 1)) sn=$((sn >> 1))
	done
	{ [ "$sn" -eq 0 ] && same "$work/root" <"$work/r"; } ||
		no "$1: the entry is not in the tree of the checkpoint"
}

proof() {
	awk '/^$/ { exit } { print }' "$1" >"$work/proof"
	tail -n +$(($(wc -l <"$work/proof") + 2)) "$1" >"$work/note"
	{
		cat "$work/proof"
		echo
		cat "$work/note"
	} | same "$1" || no "$1: malformed"
	extra=$(line 2 "$work/proof") index=$(line 3 "$work/proof")
	extra=${extra#extra } index=${index#index }
	[ "$(head -n 3 "$work/proof")" = "c2sp.org/tlog-proof@v1
extra $extra
index $index" ] || no "$1: not a proof that carries its entry"
	unbase64 "$extra" "$work/entry" || no "$1: its entry is malformed"
	number "$index" || no "$1: its index is malformed"
	checkpoint "$work/note" "$1"
	[ "$index" -lt "$size" ] || no "$1: there is no such entry"
	{
		printf '\000'
		cat "$work/entry"
	} | openssl dgst -sha256 -binary >"$work/r"
	tail -n +4 "$work/proof" >"$work/path"
	climb "$1" <"$work/path"
	beginning "$1"
	echo "$1: entry $index of $size of $origin, signed"
}

[ "$#" -ge 2 ] || no 'usage: tests/verify.sh KEY THING...'
take_key "$1"
shift
for thing; do
	if [ -d "$thing" ]; then
		log "$thing"
	elif [ ! -f "$thing" ]; then
		no "there is no $thing"
	elif [ "$thing" != "${thing%.tlog-proof}" ]; then
		proof "$thing"
	else
		checkpoint "$thing" "$thing"
		beginning "$thing"
		echo "$thing: size $size of $origin, signed"
	fi
done
