#!/bin/sh
# trailctl retain and trailctl hold: in a mount and in a store, refusals, and
# clocks that are wrong.
. "$(dirname "$0")/../suite_tools.sh"

# A trail with one sealed file.
a_store_has_a_trail() {
	mount store
	mkdir -p mnt/t/w/a
	echo one >mnt/t/w/a/f
	is 0 trailctl sync mnt
	unmount
}

# entry TYPE PATH: what the newest such entry says, without actor and times.
entry() {
	trailctl log --json "$1" | jq -cS --arg t "$2" \
		'select(.type == $t) | del(.actor, .at, .clock, .seq)' |
		tail -n 1
}

# Both ways give the same entry.
retain_in_a_mount_and_in_a_store() {
	is 0 trailctl retain store/t
	says '^t  no retention$'
	echo 'keep it' >rule
	is 0 trailctl retain --for 7y --rule SOX-802 --rule-text rule store/t
	says '^t  kept from its seal on  for 7y  mode governance  path t  rule SOX-802$'
	entry store retention.set >stored
	grep "\"sha256\":\"$(sha256sum rule | cut -d ' ' -f 1)\"" stored
	is 0 trailctl init --origin example.org/tools other
	mount other
	mkdir -p mnt/t/w/a
	is 0 trailctl retain --for 7y --rule SOX-802 --rule-text rule mnt/t
	entry mnt retention.set >mounted
	diff stored mounted
	is 0 trailctl retain --for 7y --rule SOX-802 --rule-text rule mnt/t
	[ "$(trailctl log --json mnt | grep -c retention.set)" = 1 ]
	is 0 trailctl retain --for 8y --until 2300-01-01 mnt/t/w
	says '^t/w  kept from its seal on  for 8y'
	is 0 trailctl retain --mode never mnt/t/w/a
	says '^t/w/a  kept for ever  mode never  path t/w/a$'
	is 0 trailctl retain --json mnt/t/w/a
	is_canonical
	says '"kept":"forever"'
	unmount
	is 0 trailctl verify other
}

# What is asked for wrongly is refused, and leaves no entry.
wrong_retentions_are_refused() {
	trailctl log --json store >before
	is 1 trailctl retain --for 6y store/t
	complains 'never shortened'
	is 1 trailctl retain --until 2028-01-01 store/t
	is 2 trailctl retain --for 0d store/t
	complains 'a period is a number'
	is 2 trailctl retain --for 99999y store/t
	is 2 trailctl retain --for 7 store/t
	is 2 trailctl retain --until 2001-01-01 store/t
	complains 'has passed'
	is 2 trailctl retain --until never store/t
	is 2 trailctl retain --for 9y --mode none store/t
	is 2 trailctl retain --for 9y --rule a/b store/t
	is 2 trailctl retain --rule r store/t
	is 2 trailctl retain --for 9y --rule-text rule store/t
	is 2 trailctl retain --for 9y store
	is 2 trailctl retain --for 9y store/t/w/a/f
	is 3 trailctl retain --for 9y store/t/nowhere
	trailctl log --json store | grep -v '"type":"ledger' >after
	grep -v '"type":"ledger' before | diff - after
}

# Holds are placed, listed and released the same way in a mount and in a store.
hold_in_a_mount_and_in_a_store() {
	is 0 trailctl hold list store
	has_lines 0
	is 0 trailctl hold place --reason 'Request of the auditor' store/t case-17
	says '^t  held: case-17$'
	entry store hold.placed >stored
	mount store
	is 0 trailctl hold list mnt/t/w/a
	has_lines 1
	says '^20.*Z  case-17  t  .*  Request of the auditor$'
	is 0 trailctl hold place --reason 'the same' mnt/t/w case-17
	is 0 trailctl hold place --reason 'all of it' mnt case-18
	is 0 trailctl hold list mnt/t/w/a
	has_lines 3
	is 0 trailctl hold list --json mnt/t/w/a
	is_canonical
	is 0 trailctl status mnt
	says '^holds  *3$'
	jq -e '.holds == 3' mnt/.trailfs/status.json
	is 0 trailctl status mnt/t/w
	says '^protected:  kept from its seal on  held by case-17, case-17, case-18$'
	is 0 trailctl status mnt/t
	says '^w .*  kept from its seal on  held by case-17, case-17, case-18$'
	is 0 trailctl hold release --reason 'closed' mnt/t case-17
	is 0 trailctl hold place --reason 'Request of the auditor' mnt/t case-17
	entry mnt hold.placed >mounted
	diff stored mounted
	is 1 trailctl hold place --reason r mnt/t case-17
	complains 'stands already'
	is 1 trailctl hold release --reason r mnt/t/w/a case-17
	complains 'no such hold'
	is 2 trailctl hold place --reason r mnt/t a/b
	complains 'the name of a hold'
	unmount
	is 1 trailctl hold place --reason r store/t case-17
	is 1 trailctl hold release --reason r store/t/w/a case-17
	is 2 trailctl hold place --reason r store/t ../x
	is 2 trailctl hold place --reason '' store/t x
	is 2 trailctl hold place --reason "$(printf '%02049d' 0)" store/t x
	complains 'at most 2048 bytes'
	is 2 trailctl hold place store/t x
	is 2 trailctl hold place --reason r store/t
	is 2 trailctl hold move --reason r store/t x
	is 2 trailctl hold place --reason r store/t/w/a/f x
	is 3 trailctl hold place --reason r store/t/nowhere x
	is 3 trailctl hold place --reason r nowhere x
	is 0 trailctl verify store
}

# The newest first: a hold covers its places and all below.
find_by_hold() {
	for place in store mnt; do
		[ $place = store ] || mount store
		is 0 trailctl find --hold case-18 $place
		has_lines 4
		is 0 trailctl hold release --reason r $place case-18
		is 1 trailctl find --hold case-18 $place
		is 0 trailctl hold place --reason r $place/t/w/a case-18
		is 0 trailctl find --hold case-18 $place
		says ' t/w/a$'
		says ' t/w/a/f$'
		has_lines 2
		is 0 trailctl find --hold case-18 --name f $place
		has_lines 1
		is 1 trailctl find --hold case-18 --name w $place
		is 1 trailctl find --hold other $place
		is 2 trailctl find --hold a/b $place
		is 1 trailctl find --expired $place
		is 0 trailctl hold release --reason r $place/t/w/a case-18
		is 0 trailctl hold place --reason r $place case-18
	done
	unmount
}

# In ten years the sealed attestation may go, unless something holds it.
find_what_is_kept_no_longer() {
	if ldd "$BUILD/trailctl" | grep -q 'lib[at]san'; then
		skip 'a sanitizer wants to be loaded first'
	fi
	future='env LD_PRELOAD='$BUILD'/shim.so SHIM_CLOCK_AHEAD_S=315360000'
	is 0 trailctl init --origin example.org/tools over
	mount over
	mkdir -p mnt/t/w/a/d mnt/t/w/b mnt/t/x/a
	echo one >mnt/t/w/a/d/f
	echo two >mnt/t/w/b/f
	echo three >mnt/t/x/a/f
	is 0 trailctl retain --for 7y mnt/t/w
	is 0 trailctl seal mnt/t/w/a
	unmount
	is 1 trailctl find --expired over
	# shellcheck disable=SC2086 # a command
	{
		is 0 $future trailctl find --expired over
		sed 's/.* //' out | sort >found
		printf '%s\n' t/w/a t/w/a/d t/w/a/d/f | diff - found
		is 0 trailctl hold place --reason r over/t/w/a x
		is 1 $future trailctl find --expired over
		is 0 trailctl hold release --reason r over/t/w/a x
		is 0 trailctl retain --for 20y over/t/w/a
		is 1 $future trailctl find --expired over
	}
}

# A clock that was set back makes nothing end, and sets nothing shorter.  One
# that was set forward for a moment ends nothing afterwards.
clocks_that_are_wrong_shorten_nothing() {
	if ldd "$BUILD/trailctl" | grep -q 'lib[at]san'; then
		skip 'a sanitizer wants to be loaded first'
	fi
	is 0 trailctl init --origin example.org/tools clocks
	mount clocks
	mkdir -p mnt/t/w/a
	echo one >mnt/t/w/a/f
	is 0 trailctl retain --for 7y mnt/t
	is 0 trailctl seal mnt/t/w/a
	unmount
	past='env LD_PRELOAD='$BUILD'/shim.so SHIM_CLOCK_AHEAD_S=-630720000'
	future='env LD_PRELOAD='$BUILD'/shim.so SHIM_CLOCK_AHEAD_S=315360000'
	# shellcheck disable=SC2086 # a command
	{
		is 0 $past trailctl retain clocks/t/w/a
		says 'kept until 20'
		is 2 $past trailctl retain --until 2010-01-01 clocks/t
		complains 'has passed'
		is 1 $past trailctl retain --for 1y clocks/t
		is 0 $future trailctl retain clocks/t/w/a
		says 'which is over'
		is 0 $future trailctl hold place --reason r clocks/t x
	}
	# The ledger's time is ten years ahead now.
	trailctl log --json clocks | tail -n 1 | grep "\"at\":\"$(date -u +%Y \
		-d '10 years')\|\"at\":\"$(($(date -u +%Y) + 9))"
	is 0 trailctl retain clocks/t/w/a
	says "kept until $(($(date -u +%Y) + 7))-"
	is 0 trailctl verify clocks
}

run a_store_is_made
with '/dev/fuse jq' a_store_has_a_trail retain_in_a_mount_and_in_a_store \
	wrong_retentions_are_refused hold_in_a_mount_and_in_a_store \
	find_by_hold find_what_is_kept_no_longer clocks_that_are_wrong_shorten_nothing
finish
