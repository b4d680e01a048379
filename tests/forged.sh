#!/bin/sh
# Forged packages against verify.sh, the script that is in every package: each
# forgery of tests/packages/forge is refused, what is genuine passes, and no
# text of a package is ever run, by dash, by bash, and by busybox with no other
# programs than its own and openssl.
set -u
LC_ALL=C.UTF-8
export LC_ALL
cd "$(dirname "$0")/.." || exit 1
script=$PWD/core/archive/package-verify.sh
kept=$PWD/tests/packages
work=$(mktemp -d "${TMPDIR:-/tmp}/forged.XXXXXX") || exit 1
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
tab=$(printf '\t')
checks=0 failures=0

# result NAME: of the test whose output is in $work/log, and whose status this is.
result() {
	status=$?
	checks=$((checks + 1))
	[ "$status" -eq 0 ] && return
	failures=$((failures + 1))
	echo "tests/forged.sh: $1"
	sed 's/^/    /' "$work/log"
}

# Where the only programs are busybox's and openssl.
busybox_alone() {
	mkdir "$work/bin"
	for applet in $(busybox --list); do
		ln -s "$(command -v busybox)" "$work/bin/$applet"
	done
	ln -sf "$(command -v openssl)" "$work/bin/openssl"
}

# as SHELL ARGUMENT...: run the script.
as() {
	shell=$1
	shift
	case $shell in
	busybox) PATH=$work/bin timeout 300 "$work/bin/sh" "$script" "$@" ;;
	*) timeout 300 "$shell" "$script" "$@" ;;
	esac
}

# each SHELL: all packages; none may pass that should not, or run anything.
each() {
	bad=0
	cd "$work/packages" || return 1
	while IFS=$tab read -r want name key says; do
		got=0
		as "$1" "$key" "$name"/* >"../out.$1" 2>&1 </dev/null || got=$?
		[ "$got" -eq "$want" ] &&
			grep -Eq -- "$says" "../out.$1" && continue
		bad=1
		echo "$name: ended with $got, not $want, without '$says':"
		head -n 5 "../out.$1"
	done <expected
	find . "$work" -name RAN | sort -u >"../ran.$1"
	[ ! -s "../ran.$1" ] || {
		bad=1
		cat "../ran.$1"
	}
	return $bad
}

# What cannot be read is no answer, neither this one nor the other.
unreadable() {
	file=$work/packages/genuine/run-7/data/login/who.txt
	chmod 0 "$file"
	chmod 755 "$work" "$work/packages"
	key=$(cat "$kept/golden/v1/vkey")
	got=0
	if [ "$(id -u)" -eq 0 ]; then
		cp "$script" "$work/script"
		chmod 644 "$work/script"
		setpriv --reuid 65534 --regid 65534 --clear-groups \
			env TMPDIR=/tmp sh "$work/script" "$key" \
			"$work/packages/genuine/run-7" || got=$?
	else
		sh "$script" "$key" "$work/packages/genuine/run-7" || got=$?
	fi
	chmod 644 "$file"
	[ "$got" -eq 2 ]
}

# The copy in a package checks the package that it is in, from anywhere.
the_copy_inside() {
	cp -r "$work/packages/genuine/run-7" "$work/-x" || return 1
	cp "$script" "$work/-x/verify.sh"
	h=$(sha256sum <"$script" | cut -c -64)
	sed -i "s/^[0-9a-f]*  verify.sh$/$h  verify.sh/" \
		"$work/-x/tagmanifest-sha256.txt"
	(cd "$work/-x" && sh verify.sh "$(cat keys/log.vkey)") || return 1
	(cd / && sh "$work/-x/verify.sh" "$(cat "$work/-x/keys/log.vkey")") ||
		return 1
	(cd "$work" && sh "$script" "$(cat ./-x/keys/log.vkey)" -x) &&
		! (cd "$work" && sh "$script" "$(cat ./-x/keys/log.vkey)" -y)
}

without_a_key() {
	got=0
	sh "$script" || got=$?
	[ "$got" -eq 2 ] || return 1
	got=0
	sh "$script" "$(cat "$kept/golden/v1/vkey")" a b || got=$?
	[ "$got" -eq 2 ]
}

mkdir "$work/packages"
command -v python3 >/dev/null || {
	echo 'SKIP forged packages: no python3'
	echo '100%: Checks: 1, Failures: 0, Errors: 0'
	exit 0
}
"$kept/forge" "$kept/golden/v1" "$work/packages" >"$work/log" 2>&1
result 'the forgeries are made'
if command -v busybox >/dev/null; then
	busybox_alone >"$work/log" 2>&1
	result 'busybox is alone'
fi
number=$(wc -l <"$work/packages/expected")
[ "$number" -ge 230 ] || {
	echo "only $number packages" >"$work/log"
	false
}
result 'all forgeries are there'
shells=
for shell in dash bash busybox; do
	if command -v $shell >/dev/null; then
		shells="$shells $shell"
	else
		checks=$((checks + 1))
		echo "SKIP each package is judged right by $shell: no $shell"
	fi
done
for shell in $shells; do
	# Side by side: each waits for its programs most of the time.
	each "$shell" >"$work/log.$shell" 2>&1 &
	eval "${shell}=\$!"
done
for shell in $shells; do
	eval "wait \$$shell"
	status=$?
	cp "$work/log.$shell" "$work/log"
	(exit $status)
	result "each package is judged right by $shell"
done
for test in unreadable the_copy_inside without_a_key; do
	"$test" >"$work/log" 2>&1
	result "$test"
done

good=$((checks - failures))
echo "$((100 * good / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
