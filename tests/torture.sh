#!/bin/sh
# tests/torture.sh [CYCLES [SEED]]: run every rig of test-faults, the model and
# the longer suites, with one line of output each.  Then build the mutants: for
# each, a rig or the unit tests must fail.  This shows that the rigs can fail.
#
# BUILD and MAKE come from the Makefile.  MUTANTS=only runs only the mutants.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
cycles=${1:-1000} seed=${2:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
bad=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
echo "SEED=$seed"

# rig RIG CYCLES: run it and print its summary; if it fails, all its output.
rig() {
	timeout 86400 "$BUILD/test-faults" "$1" "$2" "$seed" >"$log" 2>&1
	status=$?
	grep -E '^(SKIP|GREEN)' "$log" || {
		cat "$log"
		bad=1
	}
	return "$status"
}

# long PROGRAM...: run a longer version of a suite and print its last line.
long() {
	BUILD=$BUILD timeout 86400 "$@" >"$log" 2>&1 || {
		cat "$log"
		bad=1
	}
	echo "$1: $(tail -n 1 "$log")"
}

if [ "${MUTANTS-}" != only ]; then
	rig kill "$cycles"
	rig power "$cycles"
	# 0 cycles: these strike every call in order and end by themselves.
	for r in points recovery cuts eio eio-stays full full-stays eintr \
		short; do
		rig "$r" 0
	done
	rig memory "$cycles"
	rig buffer 0
	rig device 0
	BUILD=$BUILD timeout 86400 tests/mirror/rig.sh "$cycles" "$seed" \
		>"$log" 2>&1 || bad=1
	grep -E '^(RED|GREEN)' "$log"
	# The model with random operations, packages of 70,000 files and of
	# 5 GiB, and more rounds of the mount tests.
	long "$BUILD/test-model" --steps "$((cycles * 100))" --seed "$seed"
	PACKAGE_LONG=1 long tests/shell/package-names.sh
	TRAILFS_LONG=1 long "$BUILD/test-mount"
	REQUESTS=$((cycles * 100)) long tests/shell/attack.sh
	# Texts of 5 GiB, encrypted and decrypted by age(1).
	ROTATE_ROUNDS=$((cycles / 4 + 1)) ROTATE_SEED=$seed \
		long tests/shell/rotate.sh
	AGE_LONG=1 CK_RUN_SUITE=age long "$BUILD/test-unit"
fi

# mutant NAME CYCLES RIG...: build this mutant; one of the rigs must fail.
mutant() {
	name=$1 most=$2
	shift 2
	dir=$BUILD/mutant/$name
	if ! ${MAKE:-make} -s MUTANT="$name" BUILD="$dir" all \
		"$dir/test-faults" "$dir/test-unit" "$dir/mirror-wire" \
		"$dir/attack" "$dir/test-mount" "$dir/fuzz-router" \
		>"$log" 2>&1; then
		cat "$log"
		echo "mutant $name: cannot be built"
		bad=1
		return
	fi
	for r; do
		if [ "$r" = unit ]; then
			"$dir/test-unit" >"$log" 2>&1
		elif [ "$r" = attack ]; then
			BUILD=$dir REQUESTS=$most tests/shell/attack.sh \
				>"$log" 2>&1
		elif [ "$r" = sandbox ] || [ "$r" = badstore ]; then
			CK_RUN_SUITE=$r "$dir/test-mount" >"$log" 2>&1
		elif [ "$r" = fuzz-router ]; then
			"$dir/fuzz-router" >"$log" 2>&1
		elif [ "$r" = rotate ] || [ "$r" != "${r#organisation-}" ]; then
			BUILD=$dir "tests/shell/$r.sh" >"$log" 2>&1
		elif [ "$r" = mirror ]; then
			BUILD=$dir tests/mirror/rig.sh "$most" "$seed" \
				>"$log" 2>&1
		else
			"$dir/test-faults" "$r" "$most" "$seed" >"$log" 2>&1
		fi || {
			grep -q '^SKIP' "$log" && grep '^SKIP' "$log"
			echo "mutant $name: found by $r:" \
				"$(grep -m 1 -E 'RED:|:F:|:E:|FAIL' "$log" |
					cut -c 1-100)"
			return
		}
		grep '^SKIP' "$log" && return
	done
	echo "mutant $name: NOT FOUND by $*"
	bad=1
}

mutant NO_DATA_FSYNC 0 cuts
mutant NO_DIRECTORY_FSYNC 0 cuts
mutant SYNC_NORMAL 0 cuts
mutant SYNC_OFF 0 cuts
mutant LOG_LATE 0 unit
mutant LOCKS_STAY 0 unit
mutant COMMIT_FIRST 0 points cuts
mutant UNLINK_FIRST 0 points
mutant SHOW_FIRST 0 points
mutant SEAL_AT_FLUSH 20 kill
mutant FORGET_EMPTY 20 kill
mutant IGNORE_WRITE 0 full
mutant ENTER_UNSYNCED 0 cuts
mutant REWRITE_ENTERED 0 points
mutant RECEIPT_FIRST 100 mirror
mutant SKIP_PROOF_NODE 0 unit
mutant SIGN_WITHOUT_TICKET 0 unit
mutant FORGET_SIGNED 0 unit
mutant SIGNER_WITHOUT_FENCE 0 sandbox
mutant DAEMON_WITHOUT_FENCE 0 sandbox
mutant FOLLOWER_WITHOUT_FENCE 0 sandbox
mutant OLD_ATTESTER 0 rotate
mutant KEYS_WITHOUT_LOCK 0 rotate
for m in FOLLOWER_STAYS ABSENT_WAITS BELIEVE_BYTES ROUTER_KEEPS; do
	mutant $m 0 organisation-uri
done
mutant FEW_LINGER 0 unit
mutant ONE_STAYS 0 unit
mutant BUNDLE_LESS 0 organisation-fetch
mutant BELIEVE_INDEX 0 organisation-find
mutant JUDGE_NO_MEMBER 0 organisation-judged
mutant ANY_MEMBER 0 organisation-judged
for m in IDS_COLLIDE INO ENOSYS; do
	mutant ROUTER_$m 0 fuzz-router
done
mutant ROUTER_WAITS 0 organisation-mount
mutant ANY_OPTION 0 badstore
for m in ALLOW_SEALED ANY_NAME SHOW_ALL TRUE_SPACE NO_QUOTA KEEP_REFUSED STALL; do
	mutant $m 20000 attack
done
exit "$bad"
