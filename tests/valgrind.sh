#!/bin/sh
# tests/valgrind.sh DIR PROGRAM...: run the tests with the programs of the build
# in DIR under memcheck, also where tests start them.  tests/run collects the
# reports of valgrind.  DIR/memcheck holds wrappers with the names of the
# programs.
#
# lax-ioctls: valgrind does not know our ioctls, which carry no memory.
set -eu
dir=$(cd "$1" && pwd)
shift
mkdir -p "$dir/memcheck"
for program in trailfs trailctl test-unit test-bitflip \
	$(cd "$dir" && ls -d fuzz-*); do
	wrapped=$dir/memcheck/$program
	cat >"$wrapped" <<-EOF
		#!/bin/sh
		export LD_PRELOAD=$dir/beneath.so\${LD_PRELOAD:+:\$LD_PRELOAD}
		exec valgrind -q --leak-check=full \\
			--errors-for-leak-kinds=definite --sim-hints=lax-ioctls \\
			--show-leak-kinds=definite $dir/$program "\$@"
	EOF
	chmod +x "$wrapped"
done
: "${TEST_TIMEOUT:=14400}" "${CK_TIMEOUT_MULTIPLIER:=30}"
export TEST_TIMEOUT CK_TIMEOUT_MULTIPLIER
BUILD=$dir/memcheck "$(dirname "$0")/run" "$@"
