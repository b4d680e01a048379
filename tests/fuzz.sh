#!/bin/sh
# tests/fuzz.sh DIR TARGET...: run each libFuzzer program DIR/fuzz-TARGET for
# FUZZ_TIME seconds (60) and print one line about its result.  A run begins with
# the kept corpus.  Inputs that reach new code are collected in the directory
# DIR/found/TARGET.  Inputs that crash a target are DIR/found/TARGET.crash-...;
# after the bug is fixed, such an input belongs into tests/fuzz/corpus/TARGET.
set -u
: "${FUZZ_TIME:=60}"
top=$(cd "$(dirname "$0")/.." && pwd)
dir=$1
shift
bad=0

# stat NAME FILE: print one of the final numbers of libFuzzer.
stat() {
	sed -n "s/^stat::$1: *//p" "$2" | tail -n 1
}

for name; do
	found=$dir/found/$name
	log=$found.log
	mkdir -p "$found"
	set -- "$found" "$top/tests/fuzz/corpus/$name"
	case $name in # published vectors are good seeds
	note) set -- "$@" "$top/tests/vectors/notes" ;;
	package) set -- "$@" "$top/tests/packages/bad" ;;
	proof) set -- "$@" "$top/tests/vectors/proofs" ;;
	template) set -- "$@" "$top/tests/vectors/templates" ;;
	esac
	dict=$top/tests/fuzz/corpus/$name.dict
	[ ! -e "$dict" ] || set -- "-dict=$dict" "$@"
	"$dir/fuzz-$name" -max_total_time="$FUZZ_TIME" -timeout=25 \
		-max_len=20480 -rss_limit_mb=3072 -print_final_stats=1 \
		-artifact_prefix="$found." "$@" >"$log" 2>&1 </dev/null
	status=$?
	took=$(sed -n 's/^Done [0-9]* runs in \([0-9]*\) .*/\1/p' "$log")
	if [ "$status" -eq 0 ]; then
		how='nothing found'
	else
		how="FOUND: see $log"
		bad=1
	fi
	printf '%-10s %10s runs in %4s s, %5s inputs kept: %s\n' "$name" \
		"$(stat number_of_executed_units "$log")" "${took:-?}" \
		"$(find "$found" -type f | wc -l)" "$how"
done
exit $bad
