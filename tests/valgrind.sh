#!/bin/sh
# tests/valgrind.sh DIR SUITE...: memcheck over the unit tests of the build in
# DIR, and over the daemons and the trailctl that those suites of the mount
# start.  DIR/memcheck holds the programs as the tests know them; tests/run
# collects what valgrind has to say.
#
# Of our own ioctls it knows nothing and needs not: they carry no memory.
set -eu
dir=$(cd "$1" && pwd)
shift
check="LD_PRELOAD=$dir/beneath.so valgrind -q --leak-check=full
	--errors-for-leak-kinds=definite --show-leak-kinds=definite
	--sim-hints=lax-ioctls"
mkdir -p "$dir/memcheck"

# wrap NAME COMMAND...: a program of that name that does this.
wrap() {
	wrapped=$dir/memcheck/$1
	shift
	printf '#!/bin/sh\nexec env %s "$@"\n' "$(echo "$*" | tr '\n\t' '  ')" \
		>"$wrapped"
	chmod +x "$wrapped"
}

for program in trailfs trailctl test-unit; do
	wrap "$program" "$check" "$dir/$program"
done
programs=$dir/memcheck/test-unit
for suite; do
	wrap "test-mount-$suite" "CK_RUN_SUITE=$suite" "$dir/test-mount"
	programs="$programs $dir/memcheck/test-mount-$suite"
done
: "${TEST_TIMEOUT:=3600}" "${CK_TIMEOUT_MULTIPLIER:=30}"
export TEST_TIMEOUT CK_TIMEOUT_MULTIPLIER
# shellcheck disable=SC2086
BUILD=$dir "$(dirname "$0")/run" $programs
