#!/bin/sh
# Forged packages against the script of a package, run by busybox with no other
# programs than its own and openssl.
. "$(dirname "$0")/../suite_forged.sh"

# Make a directory in which the only programs are busybox's and openssl.
busybox_is_alone() {
	mkdir bin
	for applet in $(busybox --list); do
		ln -s "$(command -v busybox)" "bin/$applet"
	done
	ln -sf "$(command -v openssl)" bin/openssl
}

# Run by busybox alone, the script gives packages the expected answer.
packages_are_judged_right_by_busybox() {
	judge 4 env PATH="$work/bin" "$work/bin/sh"
}

with 'python3 busybox' all_forgeries_are_there busybox_is_alone \
	packages_are_judged_right_by_busybox
finish
