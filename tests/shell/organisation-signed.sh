#!/bin/sh
# What an organisation has signed, compared with its ledger and with copies of it.
. "$(dirname "$0")/../suite_organisation.sh"

# publish ORG: with its keys.
publish() {
	trailctl org publish --keys "$1-keys" "dir:$1" >/dev/null
}

# forge ORG: the same with the keys of org, by somebody who has forgotten all else.
forge() {
	rm -rf forger
	mkdir -m 0700 forger
	cp -p org-keys/log.* forger
	trailctl org publish --keys forger "dir:$1" >/dev/null
}

# again ORG TO: a copy of an organisation, before anything is altered in it.
again() {
	rm -rf "$2"
	cp -r "$1" "$2"
}

# signed DIRECTORY: how many entries the directory has seen signed.
signed() {
	head -n 1 "$1/.organisation" | sed 's/.*"size":\([0-9]*\).*/\1/'
}

# Two hosts, for the tests that follow.
an_organisation_is_made() {
	host a 1
	host b 1
	organisation org a b
}

# --- what fits ------------------------------------------------------------------

# Nothing is signed yet, then all, then all but what came since.
what_is_signed_is_counted() {
	n=$(sqlite3 -readonly org/org.db 'SELECT count(*) FROM leaf')
	is 0 trailctl org fetch dir:org copies
	never_says 'has signed'
	is 5 trailctl verify --cache copies --vkey org-keys/log.vkey dir:org
	says '^example.org/all  UNDECIDED: the organisation has signed none of its '
	says '^example.org/a  UNDECIDED: no key of example.org/a was given'
	publish org
	is 0 trailctl org fetch dir:org copies
	says "^example.org/all has signed $n of $n entries, with the key example.org/all+"
	[ "$(signed copies)" -eq "$n" ]
	[ "$(stat -c %a copies/.organisation)" = 600 ]
	add a 2
	forward a org
	is 0 trailctl org fetch --json --vkey org-keys/log.vkey dir:org copies
	tail -n 1 out | grep -q "^{\"entries\":$((n + 6)),\"new\":0,\"organisation\":\"example.org/all\",\"pinned\":true,\"signed\":$n,"
	publish org
	is 0 trailctl org fetch dir:org copies
	says "^example.org/all has signed $((n + 6)) of $((n + 6)) entries$"
	is 0 trailctl org fetch dir:org copies
	has_lines 1
}

# The key of the organisation vouches for those of the vaults whose first entry it has
# signed, and not for those of others.
the_organisations_key_vouches_for_vaults() {
	is 0 trailctl verify --cache copies dir:org
	says '^example.org/all  WHOLE: signed by example.org/all+[0-9a-f]*, which --vkey did not pin, the order of [0-9]* entries of all origins, which these copies have; not signed yet: 0$'
	tail -n 1 out | grep -q '^WHOLE: 2 origins, '
	is 0 trailctl verify --cache copies --vkey org-keys/log.vkey dir:org
	head -n 1 out | grep -q '^Each origin is judged by the key in its first entry, which the key given for the organisation covers.$'
	says '^example.org/all  GENUINE: signed by example.org/all+[0-9a-f]*, the order of '
	says '^example.org/b  GENUINE: signed by example.org/b+'
	tail -n 1 out | grep -q '^GENUINE: 2 origins, each is signed by the key in its first entry, .*; of [0-9]* entries the organisation has signed [0-9]*$'
	cat org-keys/log.vkey a/keys/log.vkey >both
	is 0 trailctl verify --cache copies --vkey both dir:org
	head -n 1 out | grep -q 'by the key given for it, or by the one in its first entry'
	is 0 trailctl verify --json --cache copies --vkey both dir:org
	has_lines 4
	head -n 1 out | grep -q '"organisation":"example.org/all","status":0,"verdict":"GENUINE: '
	# What the ledger says of its key now is not what a copy follows.
	again org swapped
	trailctl init --origin example.org/b b2 >/dev/null 2>&1
	sqlite3 swapped/org.db "DROP TRIGGER member_grows; UPDATE member SET vkey =
		'$(cat b2/keys/log.vkey)' WHERE origin = CAST('example.org/b' AS BLOB)"
	is 0 trailctl verify --cache copies --vkey org-keys/log.vkey dir:swapped
	says '^example.org/b  GENUINE: signed by example.org/b+'
	# A vault that came since.
	again org more
	host c 1
	trailctl org enrol dir:more c/keys/log.vkey
	forward c more
	is 5 trailctl verify --cache morecopies --vkey org-keys/log.vkey dir:more
	says '^example.org/b  GENUINE: '
	says '^example.org/c  UNDECIDED: no key of example.org/c was given'
	# A directory cannot show what was signed.
	is 5 trailctl verify --vkey org-keys/log.vkey copies
	says '^example.org/b  UNDECIDED: no key'
}

# A run reads what was signed since the last one: an entry before that is not read, and
# what it was is remembered.
a_run_reads_what_is_new() {
	again org old
	cp -r copies oldcopies
	alter old "UPDATE leaf SET body = CAST('{}' AS BLOB) WHERE seq = 3"
	is 0 trailctl org fetch --quiet dir:old oldcopies
	is 4 trailctl org fetch --quiet dir:old fresh
}

# The organisation's key may be replaced: whoever has the first one, the new one or
# none follows, and an old directory of copies goes on.
a_rotated_key_of_the_organisation_is_followed() {
	again org rot
	cp -rp org-keys rot-keys
	cp -r copies rotcopies
	is 0 trailctl org rotate --keys rot-keys dir:rot
	add b 7
	forward b rot
	publish rot
	if cmp -s org-keys/log.vkey rot-keys/log.vkey; then exit 1; fi
	is 0 trailctl org fetch dir:rot rotcopies
	says '^example.org/all has signed'
	head -n 1 rot-keys/log.vkey >rot.vkey
	for key in org-keys/log.vkey rot-keys/log.vkey rot.vkey; do
		is 0 trailctl verify --cache rotcopies --vkey "$key" dir:rot
		says '^example.org/all  GENUINE: signed by '
		tail -n 1 out | grep -q '^GENUINE: 2 origins'
	done
	is 0 trailctl org fetch --vkey rot.vkey dir:rot rotfresh
	cmp rotfresh/.organisation rotcopies/.organisation
	is 4 trailctl org fetch dir:org rotcopies
}

# What no checkpoint of its vault covers waits, and is compared when one does.
entries_that_wait_are_compared_later() {
	again org late
	last=$(sqlite3 late/org.db "SELECT max(size) FROM note WHERE member =
		(SELECT id FROM member WHERE origin = CAST('example.org/a' AS BLOB))")
	alter late "DELETE FROM note WHERE size = $last AND
		member = (SELECT id FROM member WHERE origin = CAST('example.org/a' AS BLOB))"
	is 0 trailctl org fetch --vkey org-keys/log.vkey dir:late latecopies
	says '^example.org/a: .* waiting for a checkpoint'
	grep -q '"origin":"example.org/a".*"waiting":"[0-9a-f]\{64,\}"' latecopies/.organisation
	[ "$(signed latecopies)" = "$(signed copies)" ]
	is 0 trailctl org fetch --vkey org-keys/log.vkey dir:org latecopies
	if grep waiting latecopies/.organisation; then exit 1; fi
	cmp latecopies/.organisation copies/.organisation
}

# Killed at any of its syncs, the next run goes on.
a_killed_run_is_continued() {
	needs strace
	n=1 killed=0
	while :; do
		got=0
		strace -f -qq -o trace -e trace=fsync,fdatasync \
			-e inject=fsync,fdatasync:signal=KILL:when=$n \
			trailctl org fetch -q dir:org killed >out 2>err || got=$?
		[ "$got" -ne 0 ] || break
		[ "$got" -eq 137 ]
		killed=$((killed + 1))
		n=$((n + 3))
	done
	[ "$killed" -ge 3 ]
	is 0 trailctl org fetch -q dir:org killed
	cmp killed/.organisation copies/.organisation
}

# --- what does not fit ------------------------------------------------------------

# fits_no_more ORG WHAT: nothing is remembered of it, verify says FAILED, and each run
# says so again.
fits_no_more() {
	rm -rf seen
	cp -r copies seen
	for _ in 1 2; do
		is 4 trailctl org fetch "dir:$1" seen
		complains "^trailctl: example.org/all: $2"
		cmp seen/.organisation copies/.organisation
	done
	is 4 trailctl verify --cache seen --vkey org-keys/log.vkey "dir:$1"
	says "^example.org/all  FAILED: $2"
	tail -n 1 out | grep -q '^FAILED: '
	is 4 trailctl find --cache seen --name report "dir:$1"
}

# A ledger with less than what was signed is refused.
a_ledger_that_was_set_back_is_refused() {
	# All of it.
	again org before
	add b 3
	forward b org
	publish org
	is 0 trailctl org fetch dir:org copies
	fits_no_more before 'the ledger was set back: it has [0-9]* entries, and this directory has seen'
	# Its checkpoint alone.
	again org less
	sqlite3 before/org.db '.dump checkpoint' | grep '^INSERT' >old.sql
	sqlite3 less/org.db "DROP TRIGGER IF EXISTS checkpoint_grows; DROP TRIGGER IF EXISTS checkpoint_stays"
	sqlite3 less/org.db 'DELETE FROM checkpoint' && sqlite3 less/org.db <old.sql
	fits_no_more less 'the ledger was set back: its newest checkpoint has [0-9]* entries, and this directory has seen one of'
	sqlite3 less/org.db 'DELETE FROM checkpoint'
	fits_no_more less 'the ledger was set back: it has no checkpoint'
}

# The same entries in another order, signed by the same key.
a_fork_of_the_order_is_refused() {
	organisation fork b a
	zero=$(sqlite3 org/org.db "SELECT hex(body) FROM leaf WHERE seq = 0")
	alter fork "UPDATE leaf SET body = x'$zero' WHERE seq = 0"
	# As long, and then longer.
	[ "$(sqlite3 org/org.db 'SELECT count(*) FROM leaf')" = \
		"$(sqlite3 fork/org.db 'SELECT count(*) FROM leaf')" ]
	forge fork
	fits_no_more fork 'forked: its checkpoint of [0-9]* entries is of other'
	add a 5
	forward a fork
	forge fork
	fits_no_more fork 'the first [0-9]* entries of the ledger are not those that were signed'
}

# An altered entry; an entry that another key signs for.
an_altered_ledger_is_refused() {
	again org altered
	seq=$(sqlite3 org/org.db 'SELECT max(seq) FROM leaf')
	forward a altered
	forge altered
	last=$(sqlite3 altered/org.db 'SELECT max(seq) FROM leaf')
	[ "$last" -gt "$seq" ]
	again altered moved
	alter moved "UPDATE leaf SET seq = -1 WHERE seq = $last;
		UPDATE leaf SET seq = $last WHERE seq = $last - 1;
		UPDATE leaf SET seq = $last - 1 WHERE seq = -1"
	fits_no_more moved 'entry [0-9]* of the ledger does not follow'
	again altered short
	alter short "DELETE FROM leaf WHERE seq = $last"
	cp -r copies shortcopies
	is 4 trailctl org fetch dir:short shortcopies
	cmp shortcopies/.organisation copies/.organisation
	again altered torn
	sqlite3 torn/org.db "DROP TRIGGER IF EXISTS checkpoint_grows; DROP TRIGGER IF EXISTS checkpoint_stays;
		UPDATE checkpoint SET note = CAST(replace(CAST(note AS TEXT), 'example.org/all
', 'example.org/oll
') AS BLOB)"
	fits_no_more torn 'its newest checkpoint is not signed by its key'
}

# The organisation has signed other entries of a vault than the copy has.
a_copy_of_other_entries_is_refused() {
	again org lied
	rm -rf lied/log/*
	cp -r copies liedcopies
	rm liedcopies/.organisation
	sqlite3 lied/org.db "DROP TRIGGER IF EXISTS checkpoint_grows; DROP TRIGGER IF EXISTS checkpoint_stays;
		DELETE FROM checkpoint"
	alter lied "UPDATE leaf SET body = CAST(replace(CAST(body AS TEXT),
		'trail/run/a1/report', 'trail/run/a1/repost') AS BLOB)
		WHERE CAST(body AS TEXT) LIKE '%trail/run/a1/report%' AND
		member = (SELECT id FROM member WHERE origin = CAST('example.org/b' AS BLOB))"
	forge lied || :
	is 4 trailctl org fetch dir:lied liedcopies
	complains '^trailctl: example.org/all: the first [0-9]* entries of the copy of example.org/b are not those that the organisation has signed'
	[ ! -e liedcopies/.organisation ]
}

# A key that is not that of the organisation; another organisation; a damaged memory.
another_key_is_refused() {
	begin other
	is 4 trailctl org fetch --vkey other-keys/log.vkey dir:org copies
	complains '^trailctl: example.org/all: the key in entry 0 of the ledger is not the one given'
	is 4 trailctl verify --cache copies --vkey other-keys/log.vkey dir:org
	says '^example.org/all  FAILED: the key in entry 0'
	says '^example.org/a  UNDECIDED: no key'
	is 4 trailctl org fetch dir:other copies
	complains '^trailctl: example.org/all: the ledger is of another organisation'
	is 2 trailctl org publish --vkey org-keys/log.vkey --keys org-keys dir:org
	cp -r copies damagedcopies
	sed -i '1s/"peaks":"./"peaks":"/' damagedcopies/.organisation
	is 4 trailctl org fetch dir:org damagedcopies
	complains 'the file .organisation of this directory is damaged'
	rm damagedcopies/.organisation
	is 0 trailctl org fetch dir:org damagedcopies
	cmp damagedcopies/.organisation copies/.organisation
}

with '/dev/fuse sqlite3' an_organisation_is_made what_is_signed_is_counted \
	the_organisations_key_vouches_for_vaults a_run_reads_what_is_new \
	a_rotated_key_of_the_organisation_is_followed \
	entries_that_wait_are_compared_later a_killed_run_is_continued \
	a_ledger_that_was_set_back_is_refused a_fork_of_the_order_is_refused \
	an_altered_ledger_is_refused a_copy_of_other_entries_is_refused \
	another_key_is_refused
finish
