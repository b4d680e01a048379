#!/bin/sh
# Forged packages against the script of a package, run by bash.
. "$(dirname "$0")/../suite_forged.sh"

# Run by bash, the script gives packages the expected answer.
packages_are_judged_right_by_bash() {
	judge 3 bash
}

with 'python3 bash' \
	all_forgeries_are_there \
	packages_are_judged_right_by_bash
finish
