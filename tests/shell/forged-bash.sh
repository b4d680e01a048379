#!/bin/sh
# Forged packages against the script of a package, run by bash.
. "$(dirname "$0")/../suite_forged.sh"

# Run by bash, the script gives every package the expected answer.
each_package_is_judged_right_by_bash() {
	judge bash
}

with 'python3 bash' \
	all_forgeries_are_there \
	each_package_is_judged_right_by_bash
finish
