#!/bin/sh
# tests/mirror/rig.sh CYCLES [SEED]: mirror a store that grows, with one fault per
# cycle: either side killed, at a byte of the conversation or at a call that
# changes the disk; the connection cut; bytes flipped in flight; a full disk;
# evidence altered at the source.
#
# After each cycle the mirror must verify, and have everything that a receipt in
# the ledger of the source is about: else the receipt was a wrong acknowledgement.
# A run that ended with success has recorded such a receipt, or had nothing new.
# Then a run without a fault must succeed.  Prints one line about the result.
set -u
LC_ALL=C
export LC_ALL
cycles=${1:-25} seed=${2:-$$}
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
PATH=$BUILD:$PATH
WIRE_SHIM=$BUILD/shim.so
work=$(mktemp -d "${TMPDIR:-/tmp}/mirror-rig.XXXXXX") || exit 1
WIRE_LOG=$work/wire
export WIRE_SHIM WIRE_LOG
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cd "$work" || exit 1
struck=0 wrong=0 receipts=0 reds=0

# red TEXT: a promise is broken.
red() {
	reds=$((reds + 1))
	echo "RED: seed $seed, cycle $n, $what: $*"
	cat said 2>/dev/null
}

# draw N: set $drawn to a number below N.
draw() {
	seed_now=$(((seed_now * 1103515245 + 12345) % 2147483648))
	drawn=$((seed_now / 65536 % $1))
	# More than 15 bits for large ranges.
	[ "$1" -le 32768 ] || {
		seed_now=$(((seed_now * 1103515245 + 12345) % 2147483648))
		drawn=$(((drawn * 32768 + seed_now / 65536) % $1))
	}
}

# A new store, and no mirror.
begin() {
	rm -rf store copy evidence
	if ! trailctl init --origin example.org/rig store >vkey 2>said ||
		! trailctl trail create store/trail >/dev/null 2>said; then
		cat said
		exit 1
	fi
	mkdir evidence
	to=4000 from=600 calls=60
}

# Record an attestation: a small file, often a long one, sometimes equal ones.
record() {
	echo "evidence $n" >evidence/small
	draw 4
	case $drawn in
	0) head -c 300000 /dev/urandom >evidence/long ;;
	1) head -c 1500000 /dev/urandom >evidence/long ;;
	2) cp evidence/small evidence/long ;;
	*) rm -f evidence/long ;;
	esac
	trailctl attest --begin "store/trail/run/a$n" evidence/* >said 2>&1 ||
		red 'recording failed'
}

# entries STORE: how many there are; 0 without a store.
entries() {
	if [ -e "$1/ledger.db" ]; then
		trailctl status --json "$1" 2>said |
			sed -n 's/.*"entries":\([0-9]*\).*/\1/p'
	else
		echo 0
	fi
}

# The size of the newest receipt in the ledger of the source, 0 without one.
acknowledged() {
	trailctl log --json --type anchor.added store |
		sed -n 's/.*"tree":{[^}]*"size":\([0-9]*\)}.*/\1/p' | tail -n 1
}

# Is what was acknowledged at the mirror?
check() {
	acked=$(acknowledged)
	has=$(entries copy)
	if [ "${acked:-0}" -gt "${has:-0}" ]; then
		wrong=$((wrong + 1))
		red "receipt for $acked entries, the mirror has ${has:-0}"
	fi
	[ -e copy/ledger.db ] || return 0
	trailctl verify --vkey vkey copy >said 2>&1 || {
		# Without entries there is nothing to verify.
		[ "${has:-0}" = 0 ] || {
			[ "${acked:-0}" = 0 ] || wrong=$((wrong + 1))
			red 'the mirror does not verify'
		}
	}
	[ "${has:-0}" = 0 ] || {
		trailctl log --json copy >mirrored
		trailctl log --json store | head -n "$(wc -l <mirrored)" |
			cmp -s - mirrored || {
			wrong=$((wrong + 1))
			red 'the mirror has another history'
		}
	}
}

# through FAULT DIRECTION NUMBER: one run; its status is in $status.
through() {
	: >"$WIRE_LOG"
	before=$(acknowledged)
	status=0
	timeout 120 trailctl mirror store --via "exec mirror-wire $1 $2 $3 \
		trailctl mirror --receive '$work/copy'" >said 2>&1 || status=$?
	[ "$status" -ne 124 ] || red 'nobody ended'
	[ "$(acknowledged)" = "$before" ] || receipts=$((receipts + 1))
	[ "$status" -eq 0 ] || struck=$((struck + 1))
}

# A fault in flight, or of a side: nothing but exit 3 or success, or our own
# SIGKILL; only altered evidence is tampering.
strike() {
	draw 8
	case $drawn in
	0) what='cut to' bound=$to ;;
	1) what='cut from' bound=$from ;;
	2) what='flip to' bound=$to ;;
	3) what='flip from' bound=$from ;;
	4) what='receiver to' bound=$to ;;
	5) what='source from' bound=$from ;;
	6) what='call any' bound=$calls ;;
	7) what='full any' bound=$calls ;;
	esac
	draw "$bound"
	# shellcheck disable=SC2086 # two words
	through $what "$drawn"
	what="$what $drawn"
	case $status in
	0 | 3 | 137) ;;
	*) red "exit status $status" ;;
	esac
}

# Alter an object at the source, and put it right afterwards.
alter() {
	what='altered evidence'
	object=$(find store/objects -type f | sort | tail -n 1)
	[ -n "$object" ] || return 0
	chmod u+w "$object"
	cp "$object" kept
	printf 'X' | dd of="$object" bs=1 seek=70000 conv=notrunc 2>/dev/null
	through none to 0
	case $status in
	0 | 4) ;;
	*) red "exit status $status" ;;
	esac
	check
	cp kept "$object"
}

# Without a fault all must arrive.
recover() {
	what='no fault'
	through none to 0
	[ "$status" -eq 0 ] || red "exit status $status"
	read -r to from <"$WIRE_LOG" || red 'no numbers of bytes'
	to=$((to + 100)) from=$((from + 100))
}

seed_now=$seed
n=0
while [ "$n" -lt "$cycles" ] && [ "$reds" -eq 0 ]; do
	[ $((n % 25)) -ne 0 ] || begin
	what='recording'
	record
	draw 9
	if [ "$drawn" -eq 8 ]; then
		alter
	else
		strike
		check
	fi
	draw 3
	[ "$drawn" -ne 0 ] || {
		recover
		check
	}
	n=$((n + 1))
done
[ "$reds" -eq 0 ] || {
	echo "RED mirror: $n cycles, seed $seed, $wrong wrong receipts"
	exit 1
}
echo "GREEN mirror: $n cycles, $struck faults struck, $receipts receipts," \
	"0 wrong"
