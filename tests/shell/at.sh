#!/bin/sh
# trailctl show, find and package --at: the vault as it was, in its mount and in its
# store; what the mount itself shows is tests/mount/test_at.c.
# shellcheck disable=SC1091,SC2154 # moments, and what it sets
. "$(dirname "$0")/../suite.sh"
shared_mount=yes

# How many entries the ledger has.
entries() { wc -l <mnt/.trailfs/events.jsonl; }

# An attestation is recorded, sealed and overridden, and another one follows.  The
# packages of two moments are kept.
a_history_is_made() {
	chmod 0755 .
	is 0 trailctl init --origin example.org/at store
	cp out vkey
	mount store -o settle=0
	umask 022
	mkdir mnt/t
	printf '%s\n' 'version: 1' 'trail:' '  attestations:' '    - name: a' \
		'      type: generic' '    - name: b' '      type: generic' \
		>mnt/t/.trailfs/template.yml
	mkdir mnt/t/w mnt/t/w/a
	echo one >mnt/t/w/a/one
	is 0 trailctl sync mnt
	open=$(entries)
	is 0 trailctl package --no-entry -o open.zip mnt/t/w
	setfattr -n user.trailfs.annotation.k -v early mnt/t/w
	is 0 trailctl seal mnt/t/w/a
	sealed=$(entries)
	date -u +%FT%T.%NZ >sealed.time
	is 0 trailctl package --no-entry -o sealed.zip mnt/t/w
	setfattr -n user.trailfs.annotation.k -v late mnt/t/w
	mkdir mnt/t/w/b
	echo two >mnt/t/w/b/two
	is 0 trailctl seal mnt/t/w/b
	full=$(entries)
	is 0 trailctl package --no-entry -o full.zip mnt/t
	is 0 trailctl override --compliant=false --reason test mnt/t/w/b
	echo "open=$open sealed=$sealed full=$full end=$(entries)" >moments
}

# trailctl show says the state of then, and the same in the mount and the store.
show_says_the_state_of_then() {
	. ./moments
	for v in mnt store; do
		is 0 trailctl show --at "$open" --json $v/t/w/a
		jq -e '.state == "open" and .index < '"$open" out
		mv out show.$v
		is 0 trailctl show --at "$sealed" $v/t/w/a
		says '^state *sealed'
		is 0 trailctl show --at "$(cat sealed.time)" $v/t/w/a
		says '^state *sealed'
		is 0 trailctl show --at "$open" --json $v/t/w/a/one
		jq -e '.size == 4 and .state == "sealed" and (.sha256 | length) == 64' out
		is 3 trailctl show --at "$sealed" $v/t/w/b
		complains 'no such name at'
		is 3 trailctl show --at 1 $v/t
		is 3 trailctl show --at 999999 $v/t
		is 3 trailctl show --at 2999-01-01 $v/t
	done
	cmp show.mnt show.store
}

# trailctl find has names, states and claims of then, and nothing of later.
find_has_what_was_there() {
	. ./moments
	for v in mnt store; do
		is 0 trailctl find --at "$full" --status COMPLIANT $v
		has_lines 1
		is 1 trailctl find --at "$end" --status COMPLIANT $v
		is 0 trailctl find --at "$end" --status NON-COMPLIANT $v
		is 0 trailctl find --at "$sealed" --status INCOMPLETE $v
		is 1 trailctl find --status INCOMPLETE $v
		is 0 trailctl find --at "$open" --status open $v
		says 't/w/a$'
		is 1 trailctl find --at "$sealed" --status open $v
		is 1 trailctl find --at "$open" --annotation k=early $v
		is 0 trailctl find --at "$sealed" --annotation k=early $v
		is 1 trailctl find --at "$full" --annotation k=early $v
		is 0 trailctl find --at "$full" --annotation k=late $v
		is 1 trailctl find --at "$sealed" --name two $v
		is 0 trailctl find --at "$full" --name two $v
		is 1 trailctl find --at "$sealed" "$(sha256sum <mnt/t/w/b/two | cut -c 1-64)" $v
		is 3 trailctl find --at 999999 --name two $v
		complains 'no such moment'
		is 2 trailctl find --at "$sealed" --expired $v
	done
}

# A package of a moment has the same bytes as the one that was made then, and
# verify and verify.sh say so.
a_package_is_the_one_of_then() {
	. ./moments
	for v in mnt store; do
		is 0 trailctl package --no-entry --at "$open" -o now.zip $v/t/w
		cmp open.zip now.zip
		is 0 trailctl package --no-entry --at "$(cat sealed.time)" -o now.zip $v/t/w
		cmp sealed.zip now.zip
		is 0 trailctl verify --vkey vkey now.zip
		says '^GENUINE'
		is 0 trailctl package --no-entry --json --at "$full" -o now.zip $v/t
		jq -e ".tree == $full and .files == 2" out
		cmp full.zip now.zip
		is 0 trailctl verify --vkey vkey now.zip
		is 3 trailctl package --no-entry --at 3 -o none.zip $v/t/w
		is 3 trailctl package --no-entry --at 999999 -o none.zip $v/t/w
		[ ! -e none.zip ]
	done
	rm -rf unpacked
	is 0 trailctl unpack now.zip unpacked
	own=$(cat vkey)
	(cd unpacked/* && sh verify.sh "$own")
}

# Between two checkpoints the package is that of the first of them.
a_package_is_of_a_signed_checkpoint() {
	mkdir mnt/t/w/.d
	echo x >mnt/t/w/.d/x
	echo y >mnt/t/w/.d/y
	before=$(entries)
	mv mnt/t/w/.d mnt/t/w/d
	is 0 trailctl package --no-entry --json --at "$before" -o before.zip mnt/t/w
	jq -e ".tree == $before" out
	is 3 trailctl package --no-entry --at $((before + 1)) -o none.zip mnt/t/w
	is 0 trailctl package --no-entry --json --at "$(entries)" -o now.zip mnt/t/w
	is 0 trailctl verify --vkey vkey before.zip
	is 0 trailctl verify --vkey vkey now.zip
}

# It is recorded like any other, and the entry says which tree it is of.
it_is_recorded() {
	. ./moments
	is 0 trailctl package --at "$sealed" --to auditor -o now.zip mnt/t/w
	grep '"package.made"' mnt/.trailfs/events.jsonl | tail -n 1 >made
	jq -e ".tree.size == $sealed and .package.sha256 == \"$(sha256sum <now.zip |
		cut -c 1-64)\"" made
}

# What is no moment is refused, whatever a shell or a path would make of it.
what_is_no_moment_is_refused() {
	for bad in '' . .. 0 01 -1 1/.. 8/t ../.. now 1e3 2026-02-30 '1 '; do
		for v in mnt store; do
			is 2 trailctl show "--at=$bad" $v/t
			is 2 trailctl find "--at=$bad" --name one $v
			is 2 trailctl package --no-entry "--at=$bad" -o none.zip $v/t
		done
	done
	[ ! -e none.zip ]
}

# Another user sees there what he may see today.
permissions_are_those_of_today() {
	. ./moments
	user="setpriv --reuid 54321 --regid 54321 --clear-groups"
	chmod 0755 mnt/t
	# shellcheck disable=SC2086
	is 0 $user trailctl show --at "$sealed" mnt/t/w/a/one
	# shellcheck disable=SC2086
	is 0 $user trailctl find --at "$sealed" --name one mnt
	chmod 0750 mnt/t
	# shellcheck disable=SC2086
	is 1 $user trailctl find --at "$sealed" --name one mnt
	# shellcheck disable=SC2086
	! $user trailctl show --at "$sealed" mnt/t/w/a/one
}

# No package can have what was redacted since.
what_was_redacted_is_in_no_package() {
	. ./moments
	chown 54321 mnt/t
	echo '{"propose":"one","reason":"request 7"}' >mnt/t/w/a/.trailfs/redactions
	seq=$(($(entries) - 1))
	setpriv --reuid 54321 --regid 54321 --clear-groups \
		sh -c "echo '{\"approve\":$seq}' >mnt/t/w/a/.trailfs/redactions"
	for v in mnt store; do
		if trailctl package --no-entry --at "$sealed" -o none.zip $v/t/w 2>err; then
			exit 1
		fi
		complains 'redacted since by entry'
		[ ! -e none.zip ]
		is 0 trailctl package --no-entry --at "$(entries)" -o now.zip $v/t/w
		is 0 trailctl verify --vkey vkey now.zip
		is 0 trailctl show --at "$sealed" $v/t/w/a/one
		says '^state *redacted'
	done
}

# A new key signs what comes; a package of before has the signature of the old one.
a_package_of_before_a_rotation_verifies() {
	before=$(entries)
	is 0 trailctl package --no-entry -o before.zip mnt/t/w/b
	is 0 trailctl key rotate log mnt
	mkdir mnt/u
	is 0 trailctl package --no-entry --at "$before" -o now.zip mnt/t/w/b
	cmp before.zip now.zip
	is 0 trailctl verify --vkey vkey now.zip
}

run a_history_is_made show_says_the_state_of_then find_has_what_was_there \
	a_package_is_the_one_of_then a_package_is_of_a_signed_checkpoint \
	it_is_recorded what_is_no_moment_is_refused
with 'setpriv' permissions_are_those_of_today what_was_redacted_is_in_no_package
run a_package_of_before_a_rotation_verifies
finish
