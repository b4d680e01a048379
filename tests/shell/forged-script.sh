#!/bin/sh
# verify.sh of a package: unreadable files, wrong usage, other working
# directories.
. "$(dirname "$0")/../suite_forged.sh"

genuine=genuine/run-7
key=$(cat "$packages/golden/v1/vkey")

# Unpack a kept package.
a_genuine_package_is_there() {
	python3 -m zipfile -e "$packages/golden/v1/workflow.zip" genuine
	is 0 sh "$script" "$key" "$genuine"
}

# With an unreadable file the script exits with 2: neither good nor bad.
an_unreadable_file_is_no_answer() {
	chmod 0 "$genuine/data/login/who.txt"
	chmod 755 . genuine
	cp "$script" script
	chmod 644 script
	if [ "$(id -u)" -eq 0 ]; then
		is 2 setpriv --reuid 65534 --regid 65534 --clear-groups \
			env TMPDIR=/tmp sh script "$key" "$genuine"
	else
		is 2 sh script "$key" "$genuine"
	fi
	chmod 644 "$genuine/data/login/who.txt"
}

# The script in a package checks that package from any working directory.
the_copy_inside_checks_its_package() {
	cp -r "$genuine" ./-x
	cp "$script" ./-x/verify.sh
	h=$(sha256sum <"$script" | cut -c -64)
	sed -i "s/^[0-9a-f]*  verify.sh$/$h  verify.sh/" \
		./-x/tagmanifest-sha256.txt
	own=$(cat ./-x/keys/log.vkey)
	(cd ./-x && sh verify.sh "$own")
	(cd / && sh "$work/-x/verify.sh" "$own")
	sh "$script" "$own" -x
	if sh "$script" "$own" -y; then
		exit 1
	fi
}

# Without a key, or with too many arguments, the script exits with 2.
wrong_usage_exits_2() {
	is 2 sh "$script"
	is 2 sh "$script" "$key" a b
}

with python3 a_genuine_package_is_there an_unreadable_file_is_no_answer \
	the_copy_inside_checks_its_package
run wrong_usage_exits_2
finish
