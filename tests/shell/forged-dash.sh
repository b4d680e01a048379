#!/bin/sh
# Forged packages against the script of a package, run by dash.
. "$(dirname "$0")/../suite_forged.sh"

# Run by dash, the script gives every package the expected answer.
each_package_is_judged_right_by_dash() {
	judge 1 dash
}

with 'python3 dash' \
	all_forgeries_are_there \
	each_package_is_judged_right_by_dash
finish
