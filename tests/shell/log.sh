#!/bin/sh
# trailctl log: order, filters, paging, damaged records, following.
. "$(dirname "$0")/../suite_tools.sh"
shared_mount=yes

# Names, files and claims of two trails.
names_are_recorded() {
	mount store
	mkdir -p mnt/t/w/a mnt/u/w
	echo one >mnt/t/w/a/one.log
	echo two >mnt/t/w/a/two.txt
	setfattr -n user.trailfs.control -v C-1 mnt/t/w/a
	setfattr -n user.trailfs.annotation.ticket -v OPS-1 mnt/t/w/a
	setfattr -n user.trailfs.annotation.on_behalf_of -v carol mnt/t/w/a
	chmod a-w mnt/t/w/a
	is 0 trailctl sync mnt
}

# Lines are printed newest first, JSON as in the ledger; --reverse exchanges.
the_newest_entry_is_first() {
	is 0 trailctl log mnt
	mv out newest
	is 0 trailctl log --reverse mnt
	tac newest | cmp - out
	head -n 1 out | grep -q ledger.opened
	is 0 trailctl log --json mnt
	cmp out mnt/.trailfs/events.jsonl
	is 0 trailctl log --json --reverse mnt
	tac out | cmp - mnt/.trailfs/events.jsonl
}

# A limit selects the newest entries, in either order.
a_limit_selects_the_newest() {
	is 0 trailctl log --limit 3 mnt
	head -n 3 newest | cmp - out
	is 0 trailctl log --limit 3 --reverse mnt
	head -n 3 newest | tac | cmp - out
	is 0 trailctl log --limit 2 --type workflow.begun mnt
	has_lines 2
	is 0 trailctl log --json --limit 1 --type trail.created mnt
	says '"path":"u"'
	is 0 trailctl log --limit 0 mnt
	cmp newest out
	is 0 trailctl log --limit 0 --reverse mnt
	tac newest | cmp - out
	is 0 trailctl log --limit 1000 mnt
	cmp newest out
}

# Filters by name, claims, user and time.
more_filters_narrow() {
	is 0 trailctl log --name '*.log' mnt
	has_lines 1
	says t/w/a/one.log
	is 0 trailctl log --name 't/*/a' --type attestation.sealed mnt
	has_lines 1
	is 0 trailctl log --annotation ticket=OPS-1 mnt
	has_lines 1
	is 0 trailctl log --annotation ticket=OPS-2 mnt
	has_lines 0
	is 0 trailctl log --user carol --type attestation.sealed mnt
	has_lines 1
	is 0 trailctl log --user "$(id -un)" --type trail.created mnt
	has_lines 2
	is 0 trailctl log --until 2000-01-01 mnt
	has_lines 0
	is 0 trailctl log --until 9999-01-01 mnt
	cmp newest out
}

# paths: those of the lines of out, sorted, each once, joined by spaces.
paths() {
	jq -r .path out | sort -u | tr '\n' ' '
}

# What a service recorded for a person is that person's in log and in find, and
# nothing else is.
a_person_is_found_although_a_service_recorded() {
	mkdir mnt/t/w/other
	echo x >mnt/t/w/other/x
	is 0 trailctl sync mnt
	is 0 trailctl find --json --user carol mnt
	[ "$(paths)" = 't/w/a ' ]
	is 0 trailctl log --json --user carol mnt
	[ "$(paths)" = 't/w/a t/w/a/one.log t/w/a/two.txt ' ]
	is 0 trailctl log --json --user carol --type evidence.sealed mnt
	has_lines 2
	is 0 trailctl log --json --user carol --name two.txt mnt/t/w
	[ "$(paths)" = 't/w/a/two.txt ' ]
	setfattr -n user.trailfs.annotation.on_behalf_of -v dave mnt/u/w
	is 0 trailctl find --json --user dave mnt
	[ "$(paths)" = 'u/w ' ]
	is 0 trailctl log --json --user dave mnt
	[ "$(paths)" = 'u/w ' ]
	is 2 trailctl log --user erin mnt
	complains 'no entry and no account has the user erin'
}

# Type, control and status of attestations are those of find; an entry about
# what is in such an attestation is about it.
entries_are_found_by_their_attestation() {
	cat >slots.yml <<-'EOF2'
	version: 1
	trail:
	  attestations:
	    - {name: tests, type: junit, x-trailfs: {control: CC6.1}}
	    - {name: late, type: generic, x-trailfs: {after: [tests]}}
	EOF2
	cat >coverage.yml <<-'EOF2'
	version: 1
	evidence: coverage.json
	schema: {type: object}
	EOF2
	is 0 trailctl trail create mnt/s --template slots.yml
	mkdir -p mnt/s/w/tests mnt/s/w/late
	echo x >mnt/s/w/late/x
	chmod a-w mnt/s/w/late
	is 0 trailctl sync mnt
	for option in '--attestation-type junit' '--control CC6.1' \
		'--status open --control CC6.1'; do
		# shellcheck disable=SC2086
		is 0 trailctl log --json $option mnt
		[ "$(paths)" = 's/w/tests ' ]
		# shellcheck disable=SC2086
		is 0 trailctl find --json $option mnt
		[ "$(paths)" = 's/w/tests ' ]
	done
	is 0 trailctl log --json --status non-compliant mnt
	[ "$(paths)" = 's/w/late s/w/late/x ' ]
	is 0 trailctl log --json --status NON-COMPLIANT mnt
	[ "$(paths)" = 's/w ' ]
	is 0 trailctl log --status non-compliant --limit 1 mnt/s
	says 'attestation.sealed'
	is 0 trailctl log --status non-compliant mnt/t
	has_lines 0
	is 0 trailctl log --status non-compliant mnt/s/w/late/x
	has_lines 1
	is 0 trailctl log --control C-1 mnt
	has_lines 5
	# The same without the mount.
	is 0 trailctl log --json --control C-1 mnt
	cp out mounted
	is 0 trailctl log --json --status NON-COMPLIANT --user root mnt
	cat out >>mounted
	unmount
	is 0 trailctl log --json --control C-1 store
	cp out stored
	is 0 trailctl log --json --status NON-COMPLIANT --user root store
	cat out >>stored
	cmp mounted stored
	mount store
	# Built in, defined in a trail: known, and no attestation has it.
	is 0 trailctl log --attestation-type snyk mnt
	has_lines 0
	is 2 trailctl log --attestation-type coverage mnt
	is 0 trailctl type set mnt/s coverage coverage.yml
	for type in coverage custom:coverage; do
		is 0 trailctl log --attestation-type "$type" mnt
		has_lines 0
		is 1 trailctl find --type "$type" mnt
	done
	unmount
	is 0 trailctl log --attestation-type coverage store
	is 2 trailctl log --attestation-type coverag store
	mount store
	is 0 trailctl log mnt
	mv out newest
}

# Unknown types, trails and users are errors, and so are impossible options.
unknown_names_are_errors() {
	is 2 trailctl log --type evidence.seal mnt
	is 2 trailctl log --trail none mnt
	complains 'no such trail'
	is 2 trailctl log --user nobody-of-this-name mnt
	complains 'nobody-of-this-name'
	has_lines 0
	for verb in log find; do
		is 2 trailctl $verb --status green mnt
		complains ': --status is one of compliant,'
		is 2 trailctl $verb --attestation-type custom:coverag mnt
		complains 'no attestation has the type custom:coverag'
		is 2 trailctl $verb --attestation-type ../x mnt
		is 2 trailctl $verb --control CC9.9 mnt
		complains 'no attestation is about the control CC9.9'
		has_lines 0
	done
	is 2 trailctl find --type coverag mnt
	is 2 trailctl log --follow --status open mnt
	complains 'not with --follow'
	is 2 trailctl log --annotation ticket mnt
	is 2 trailctl log --follow --limit 3 mnt
	is 2 trailctl log --follow --reverse mnt
	is 2 trailctl log --until yesterday mnt
}

# On a terminal a list goes through $PAGER, newest first; elsewhere never.
a_terminal_has_a_pager() {
	needs script
	rm -f paged
	PAGER='tee paged' script -qec "trailctl log mnt" typed >/dev/null \
		</dev/null
	sed 's/\r$//' paged | cmp - newest
	rm -f paged
	PAGER='tee paged' script -qec "trailctl log --json mnt" typed \
		>/dev/null </dev/null
	[ ! -e paged ]
	PAGER='tee paged' trailctl log mnt >out
	[ ! -e paged ]
	cmp newest out
}

# --follow starts at now, survives a remount and misses nothing in between.
following_survives_a_remount() {
	timeout 300 trailctl log --follow --json mnt >followed 2>notes &
	follower=$!
	# It has begun once it shows something.
	for i in $(seq 600); do
		mkdir "mnt/t/w/step$i"
		[ ! -s followed ] || break
		sleep 0.1
	done
	if grep -q ledger.opened followed; then exit 1; fi
	first=$(head -n 1 followed)
	unmount
	wait_for notes 'not mounted; waiting'
	# In between: another mount elsewhere.
	mkdir -p elsewhere
	timeout 30 trailfs store elsewhere
	mkdir elsewhere/t/w/between
	fusermount3 -u elsewhere 2>/dev/null || umount elsewhere
	chattr -i elsewhere 2>/dev/null || :
	flock -w 30 store/lock true
	mount store
	mkdir mnt/t/w/after
	wait_for followed '"path":"t/w/after"'
	kill "$follower"
	wait_for notes 'is mounted again'
	# From the first line on it is the ledger, without a gap.
	sed -n "\\|$(printf %s "$first" | cut -c 1-20)|,\$p" \
		mnt/.trailfs/events.jsonl >/dev/null
	grep -Fn "$first" mnt/.trailfs/events.jsonl | cut -d : -f 1 >from
	tail -n "+$(cat from)" mnt/.trailfs/events.jsonl >expected
	head -n "$(wc -l <expected)" followed | cmp - expected
}

# Another ledger at the same place is not taken for the one that was followed.
another_ledger_is_not_followed() {
	timeout 300 trailctl log --follow --json mnt >followed 2>notes &
	follower=$!
	for i in $(seq 600); do
		mkdir "mnt/t/w/more$i"
		[ ! -s followed ] || break
		sleep 0.1
	done
	unmount
	is 0 trailctl init --origin example.org/tools store2
	mount store2
	mkdir mnt/x
	status=0
	wait "$follower" || status=$?
	[ "$status" -eq 3 ]
	grep -q 'another ledger' notes
	if grep -q '"path":"x"' followed; then exit 1; fi
	unmount
}

# damage BODY: make the store damaged, whose entry 4 has this body.
damage() {
	rm -rf damaged
	is 0 trailctl log store
	cp out whole
	cp -r store damaged
	db=damaged/ledger.db
	# All triggers go and come back in their order.
	triggers="FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
	sqlite3 $db "SELECT sql || ';' $triggers" >create.sql
	sqlite3 $db "SELECT 'DROP TRIGGER ' || name || ';' $triggers" >drop.sql
	{
		cat drop.sql
		echo "UPDATE entry SET body = CAST('$1' AS BLOB) WHERE idx = 4;"
		cat create.sql
	} | sqlite3 $db
}

# One damaged record is shown as malformed, and ends no list.
a_malformed_record_ends_no_list() {
	needs sqlite3
	long=$(printf '%01000d' 7)
	# Shorter than the entry was, longer, and with bytes that are no text.
	for body in '{"broken' "{\"a\":$long" "$(printf '\377\001')"; do
		damage "$body"
		one_record_is_malformed
	done
}

# The store damaged has one malformed record, and all others are shown.
one_record_is_malformed() {
	is 4 trailctl log damaged
	complains 'entry 4 is malformed'
	says '^ *4  malformed record'
	says 'ledger.opened'
	[ "$(grep -c 'malformed record' out)" -eq 1 ]
	[ "$(wc -l <out)" -eq "$(wc -l <whole)" ]
	is 4 trailctl log --reverse damaged
	complains 'entry 4 is malformed'
	is 4 trailctl log --json damaged
	complains 'malformed'
	says '"seq":3,'
	says '"seq":5,'
}

run a_store_is_made names_are_recorded the_newest_entry_is_first \
	a_limit_selects_the_newest more_filters_narrow
with jq a_person_is_found_although_a_service_recorded \
	entries_are_found_by_their_attestation
run unknown_names_are_errors \
	a_terminal_has_a_pager following_survives_a_remount \
	another_ledger_is_not_followed a_malformed_record_ends_no_list
finish
