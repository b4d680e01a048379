# shellcheck shell=sh
# The common part of the shell suites, tests/shell/*.sh.  A suite sources it
# first, with `. "$(dirname "$0")/../suite.sh"`.
#
# Each test is a function.  Its name is a sentence, the first line of the
# comment above it states its goal, and it fails at the first command that
# fails.  `run` and `with` run tests in the order given: later tests use the
# files that earlier tests made.  A suite ends with `finish`, which prints the
# line that tests/run reads.
#
# A suite works in $work, a directory of its own below $TMPDIR, with an empty
# mount point in it, $mnt.  When the suite ends, also by a signal, all mounts
# below $work are unmounted by their path and $work is removed.
set -u
LC_ALL=C
export LC_ALL
suite=tests/shell/${0##*/}
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
cd "$top" || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
PATH=$BUILD:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/$(basename "$0" .sh).XXXXXX") || exit 1
mnt=$work/mnt
# shellcheck disable=SC2034 # for the suites
sample=$top/tests/sample/ecs-execute-command-0199bb27be8f354b7
# A suite may change these three.
patience_s=60   # how long `is` waits for a command
shared_mount='' # set: tests share one mount, which a failed test leaves there
show_output=''  # set: print the output of passing tests too
test_log=$work/.test-log skip_reason=$work/.skip-reason
checks=0 failures=0
cd "$work" || exit 1
mkdir "$mnt"

# --- mounts -------------------------------------------------------------

# mount STORE [OPTION...]: at $mnt.
mount() {
	mounted_store=$1
	shift
	timeout 30 trailfs "$mounted_store" "$mnt" "$@"
}

# Unmount $mnt.  The daemon lets go of its store a moment later: wait for that.
unmount() {
	fusermount3 -u "$mnt" 2>/dev/null || umount "$mnt" 2>/dev/null ||
		fusermount3 -uz "$mnt" 2>/dev/null || :
	chattr -i "$mnt" 2>/dev/null || :
	for lock in "$work"/*/lock "$work"/*/*/lock; do
		[ ! -e "$lock" ] || flock -w 30 "$lock" true
	done
}

clean_up() {
	cd /
	unmount
	while read -r _ at _; do
		case $at in
		"$work"/*) fusermount3 -uz "$at" || umount -l "$at" ;;
		esac
	done </proc/self/mounts 2>/dev/null
	chattr -R -i "$work" 2>/dev/null
	chmod -R u+rwx "$work" 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# --- what a test expects ------------------------------------------------

# is STATUS COMMAND...: the command exits with that status.  The files out and
# err then hold its output.
is() {
	want=$1
	shift
	got=0
	timeout "$patience_s" "$@" >out 2>err || got=$?
	[ "$got" -eq "$want" ] || {
		echo "$* exited with $got, not $want, and printed:"
		cat out err
		exit 1
	}
}

# says PATTERN: the last `is` printed a line like that on stdout.
says() {
	grep -q -- "$1" out || {
		echo "no '$1' in:"
		cat out
		exit 1
	}
}

# complains PATTERN: the same for stderr.
complains() {
	grep -q -- "$1" err || {
		echo "no '$1' on stderr, but:"
		cat err
		exit 1
	}
}

# never_says PATTERN: no line on stdout is like that.
never_says() {
	if grep -- "$1" out; then
		exit 1
	fi
}

# has_lines NUMBER: so many lines are on stdout.
has_lines() {
	[ "$(wc -l <out)" -eq "$1" ] || {
		echo "not $1 lines:"
		cat out
		exit 1
	}
}

# until_true COMMAND...: wait for it; fails after five minutes or more.
until_true() {
	for _ in $(seq 15000); do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.02
	done
	echo "never true: $*"
	exit 1
}

# wait_for FILE PATTERN: until the file has such a line; fails after a minute.
wait_for() {
	for _ in $(seq 600); do
		if grep -q -- "$2" "$1" 2>/dev/null; then return 0; fi
		sleep 0.1
	done
	echo "no '$2' in $1:"
	cat "$1"
	return 1
}

# verifies_unsigned ARGUMENT...: `trailctl verify ARGUMENT...` finds nothing altered.
# Entries at the end may lack the signature that a kill or a copy came before.
verifies_unsigned() {
	timeout "$patience_s" trailctl verify "$@" >out 2>err ||
		grep -q 'are not signed yet' out || {
		cat out err
		exit 1
	}
	never_says ' FAILED '
}

# clock_moves: skip this test unless programs can be given another clock.
# shellcheck disable=SC2034 # for the suites
clock_moves() {
	if ldd "$BUILD/trailctl" | grep -q 'lib[at]san'; then
		skip 'a sanitizer wants to be loaded first'
	fi
}
# as_of TIME: the words that give a command another clock, for date(1).
as_of() {
	echo "env LD_PRELOAD=$BUILD/shim.so" \
		"SHIM_CLOCK_AHEAD_S=$(($(date +%s -d "$1") - $(date +%s)))"
}

# flip FILE OFFSET: change the lowest bit of that byte.
flip() {
	byte=$(od -An -v -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	chmod u+w "$1"
	# shellcheck disable=SC2059
	printf "\\$(printf %03o $((byte ^ 1)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# --- running tests ------------------------------------------------------

# missing TOOL...: print those that are not there or do not work here.  A path
# below /dev must be writable.
missing() {
	for tool; do
		case $tool in
		/dev/*) [ -w "$tool" ] ;;
		strace) strace -qq -o "$work/.trace" true ;;
		*) command -v "$tool" ;;
		esac >/dev/null 2>&1 || printf ' %s' "$tool"
	done
}

# skip REASON: end this test; it counts as skipped.  Only in the test itself,
# not in a subshell of it.
skip() {
	echo "$1" >"$skip_reason"
	exit 0
}

# needs TOOL...: skip this test unless all of them are there.
needs() {
	lacking=$(missing "$@")
	[ -z "$lacking" ] || skip "no$lacking"
}

# skipped REASON NAME...: these tests count as skipped.
skipped() {
	reason=$1
	shift
	for test_name; do
		checks=$((checks + 1))
		echo "SKIP $test_name: $reason"
	done
}

# run NAME...: run these tests.
run() {
	for test_name; do
		checks=$((checks + 1))
		rm -f "$skip_reason"
		# Not as a condition: set -e has no effect in one.
		(
			set -e
			"$test_name"
		) >"$test_log" 2>&1
		status=$?
		if [ "$status" -ne 0 ]; then
			failures=$((failures + 1))
			echo "$suite: $test_name"
			sed 's/^/    /' "$test_log"
			[ -n "$shared_mount" ] || unmount
		elif [ -e "$skip_reason" ]; then
			echo "SKIP $test_name: $(cat "$skip_reason")"
		elif [ -n "$show_output" ]; then
			cat "$test_log"
		fi
	done
}

# with 'TOOL...' NAME...: run these tests, or skip all of them if one of the
# tools is not there.
with() {
	# shellcheck disable=SC2086 # a list
	lacking=$(missing $1)
	shift
	if [ -z "$lacking" ]; then
		run "$@"
	else
		skipped "no$lacking" "$@"
	fi
}

# Print the result; false if a test failed.  The last command of a suite.
finish() {
	passed=$((checks - failures))
	echo "$((100 * passed / checks))%: Checks: $checks," \
		"Failures: $failures, Errors: 0"
	[ "$failures" -eq 0 ]
}
