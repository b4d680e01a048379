# shellcheck shell=sh
# The common part of tests/shell/forged*.sh: forged packages against verify.sh,
# the script that is in every package.  Each forgery of tests/packages/forge is
# refused, genuine packages pass, and no text of a package is ever run.
# shellcheck source=tests/suite.sh
. "$(dirname "$0")/../suite.sh"
LC_ALL=C.UTF-8
script=$top/core/archive/package-verify.sh
packages=$top/tests/packages
tab=$(printf '\t')

# Make the forgeries; at least 230, so that none is lost unnoticed.
all_forgeries_are_there() {
	mkdir packages
	"$packages/forge" "$packages/golden/v1" "$work/packages"
	number=$(wc -l <packages/expected)
	[ "$number" -ge 230 ] || {
		echo "only $number packages"
		exit 1
	}
}

# judge EVERY COMMAND...: give every EVERYth package to the script, run by that
# command; with FORGED=all, all of them.  Each gets the answer that is expected, and
# nothing in a package is run.
judge() {
	bad=0 line=0 every=$1
	[ "${FORGED-}" != all ] || every=1
	shift
	cd packages || exit 1
	while IFS=$tab read -r want package key text; do
		line=$((line + 1))
		[ $((line % every)) -eq 0 ] || continue
		got=0
		timeout 300 "$@" "$script" "$key" "$package"/* \
			>../answer 2>&1 </dev/null || got=$?
		[ "$got" -eq "$want" ] &&
			grep -Eq -- "$text" ../answer && continue
		bad=1
		echo "$package: exited with $got, not $want, without '$text':"
		head -n 5 ../answer
	done <expected
	find . "$work" -name RAN | sort -u >../ran
	cat ../ran
	[ "$bad" -eq 0 ] && [ ! -s ../ran ]
}
