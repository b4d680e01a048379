#!/bin/sh
# tests/valgrind.sh DIR PROGRAM...: what the programs of the build in DIR do, by
# themselves or where tests start them, under memcheck; tests/run collects what
# valgrind has to say.  DIR/memcheck holds them under the names that tests know.
#
# Of our own ioctls it knows nothing and needs not: they carry no memory.
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
