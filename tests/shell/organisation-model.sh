#!/bin/sh
# The protocol by which hosts append to the ledger of an organisation, as a model
# that spin(1) explores whole, and the same model without each of its rules.
. "$(dirname "$0")/../suite.sh"

# explore MACRO: make the model with this macro and explore it.
explore() {
	rm -rf "model$1"
	mkdir "model$1"
	cd "model$1"
	spin -a "-D$1" "$top/tests/org/append.pml" >spin.out
	cc -w -DSAFETY -DCOLLAPSE -o pan pan.c
	timeout 120 ./pan -m100000 >found || return 1
	cd ..
}

# No order of events loses, repeats or swaps what was acknowledged or read.
no_order_of_events_breaks_a_promise() {
	explore WHOLE
	is 0 grep -E 'errors: 0' modelWHOLE/found
	# It explored all, and no line of the model was left out.
	if grep -E 'max search depth|out of memory' modelWHOLE/found; then
		return 1
	fi
	sed '1,/^unreached in proctype world/d' modelWHOLE/found >unreached
	is 0 grep -E '\(1 of [0-9]+ states\)' unreached
}

# fault MACRO TEXT: spin finds that this assertion fails.
fault() {
	explore "$1"
	is 0 grep -E 'errors: 1' "model$1/found"
	is 0 grep -F -- "$2" "model$1/found"
}

# Each rule is needed: without it, spin finds the promise that breaks.
without_a_rule_a_promise_breaks() {
	fault TWICE '(log[i]&7)==had'
	fault AT_ONCE 'acked[i]<=had[i]'
	fault ANY_STANDBY 'seen<=size'
	fault READ_VISIBLE 'seen<=size'
	fault TOO_SOON 'seen<=size'
}

with 'spin cc' no_order_of_events_breaks_a_promise without_a_rule_a_promise_breaks
finish
