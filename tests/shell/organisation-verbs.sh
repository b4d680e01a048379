#!/bin/sh
# trailctl verify, find, package and compare of an organisation: of a directory of
# copies, and of its URI.
. "$(dirname "$0")/../suite_organisation.sh"
XDG_CACHE_HOME=$work/cache
export XDG_CACHE_HOME

# three: an organisation of a, b and c, its keys in the directory keys, and copies.
an_organisation_is_made() {
	for s in a b c; do
		host "$s" 1
	done
	organisation org a b c
	mkdir keys
	for s in a b c; do
		cp "$s/keys/log.vkey" "keys/$s.vkey"
	done
	cat keys/*.vkey >keys.txt
	trailctl org fetch -q dir:org copies
}

# --- verify -------------------------------------------------------------------

# The first line says by which keys, one line is about each origin, and the last is
# for all.
verify_judges_every_origin() {
	is 0 trailctl verify copies
	has_lines 5
	head -n 1 out | grep -q '^Each origin is judged by the key under which the organiser enrolled it, which --vkey did not pin.$'
	for s in a b c; do
		says "^example.org/$s  WHOLE: signed by its own key example.org/$s+"
	done
	tail -n 1 out | grep -q '^WHOLE: 3 origins, each is signed by the key under which the organiser enrolled it, which --vkey did not pin, complete for [0-9]* entries in these copies, nothing recorded was altered; whether the organisation has more was not asked$'
	for keys in keys keys.txt; do
		is 0 trailctl verify --vkey "$keys" copies
		has_lines 5
		head -n 1 out | grep -q '^Each origin is judged by the key given for it.$'
		says '^example.org/b  GENUINE: signed by example.org/b+'
		tail -n 1 out | grep -q '^GENUINE: 3 origins, each is signed by the key given for it, '
	done
	is 0 trailctl verify -q copies
	has_lines 0
}

# An origin whose key was not given is not called genuine; nor is one whose key is
# another.
keys_are_asked_for() {
	is 5 trailctl verify --vkey keys/a.vkey copies
	says '^example.org/a  GENUINE: '
	says '^example.org/b  UNDECIDED: no key of example.org/b was given. By the key of its copy: WHOLE: '
	tail -n 1 out | grep -q '^UNDECIDED: 2 of 3 origins, example.org/b, example.org/c. Give the keys of all'
	# It is another reason when a copy has no evidence.
	is 0 trailctl org fetch -q --names dir:org named
	is 5 trailctl verify --vkey keys named
	tail -n 1 out | grep -q '^UNDECIDED: 3 of 3 origins, .*. The line of each says why'
	is 0 trailctl verify --vkey keys/a.vkey --origin example.org/a copies
	says '^GENUINE: signed by example.org/a+'
	says '^contents *OK'
	is 2 trailctl verify --vkey keys/a.vkey --origin example.org/b copies
	complains 'has no key of example.org/b'
	trailctl init --origin example.org/b other >/dev/null 2>&1
	cp -r keys keys2
	cp other/keys/log.vkey keys2/b.vkey
	is 4 trailctl verify --vkey keys2 copies
	says '^example.org/b  FAILED: '
	tail -n 1 out | grep -q '^FAILED: 1 of 3 origins, example.org/b. '
	cat keys2/b.vkey >>keys2/a.vkey
	cp b/keys/log.vkey keys2/b.vkey
	is 2 trailctl verify --vkey keys2 copies
	complains 'another key of example.org/b was given before'
	mkdir nokeys
	is 2 trailctl verify --vkey nokeys copies
}

# Damage in one copy does not hide the others, and is the gravest.
damage_in_one_is_named() {
	rm -rf bad
	cp -r copies bad
	echo x >>"$(find bad/example.org%2Fb/objects -type f | head -n 1)"
	is 4 trailctl verify --vkey keys/a.vkey bad
	says '^example.org/a  GENUINE: '
	says '^example.org/b  FAILED: .*trail/run/a1/large'
	says '^example.org/c  UNDECIDED: '
	tail -n 1 out | grep -q '^FAILED: 1 of 3 origins, example.org/b. Keep the copies as they are'
	is 4 trailctl verify -q --vkey keys bad
	has_lines 2
	is 4 trailctl verify --origin example.org/b bad
	says '^FAILED: '
	is 0 trailctl verify --origin example.org/a bad
	# Without its database a copy is not overlooked.
	rm bad/example.org%2Fb/ledger.db
	is 3 trailctl verify --vkey keys bad
	says '^example.org/[a-z%F2]*b  UNDECIDED: it could not be verified: '
	complains 'b: '
}

# Each copy has a line of JSON, and so has the whole.
the_answer_is_json() {
	needs jq
	is 2 trailctl verify --json --vkey nokeys copies
	is 0 trailctl verify --json --vkey keys copies
	has_lines 4
	[ "$(jq -r 'select(.copy) | .origin' out | tr '\n' ' ')" = \
		'example.org/a example.org/b example.org/c ' ]
	[ "$(jq -r 'select(.copy) | .report.pinned' out | sort -u)" = true ]
	[ "$(tail -n 1 out | jq -c '[.origins,.status,.fetched]')" = '[3,0,false]' ]
	tail -n 1 out | jq -r .verdict | grep -q '^GENUINE: 3 origins'
}

# A monitor sees one status for all, also when damage was found.
a_monitor_sees_the_status() {
	is 0 trailctl verify -q --textfile m.prom --vkey keys copies
	grep -q '^trailfs_verify_run_status{origin="copies"} 0$' m.prom
	n=$(sqlite3 copies/example.org%2Fa/ledger.db 'SELECT count(*) FROM entry')
	grep -q "^trailfs_verify_run_entries{origin=\"copies\"} $((3 * n))\$" m.prom
	cp -r keys keys3
	cp other/keys/log.vkey keys3/b.vkey
	is 4 trailctl verify --textfile m.prom --vkey keys3 copies
	grep -q '^trailfs_verify_run_status{origin="copies"} 4$' m.prom
	is 3 trailctl verify --cache none --textfile none.prom dir:nowhere
	[ ! -e none.prom ]
	is 3 trailctl verify --textfile nowhere/m.prom copies
}

# An option that would do nothing is a mistake.
what_does_not_fit_is_refused() {
	is 2 trailctl verify --record copies
	complains '^trailctl: --record does not go with an organisation: give --origin'
	is 2 trailctl verify --junit x.xml copies
	is 2 trailctl verify --origin example.org/a a
	complains '^trailctl: --origin goes with an organisation: a is neither'
	is 2 trailctl find --origin example.org/a --name x a
	is 2 trailctl package --no-entry --origin example.org/a -o x.zip a
	is 2 trailctl compare --origin example.org/a a b
	is 3 trailctl compare copies nowhere
	complains 'nowhere: No such file'
	is 2 trailctl verify --cache x copies
	is 3 trailctl verify --origin example.org/nobody copies
	complains 'has no origin example.org/nobody'
	mkdir empty
	is 3 trailctl verify empty
}

# Evidence may have the names of a store, in a mount and in an unpacked package, and a
# package may have a whole store in it: that is not judged instead.
evidence_is_no_copy() {
	trailctl init --origin example.org/m m >/dev/null 2>&1
	mount m
	mkdir -p "$mnt/trail/run/x"
	for name in mirror ledger.db; do
		echo evidence >"$mnt/trail/run/x/$name"
	done
	is 0 trailctl seal "$mnt/trail/run/x"
	is 0 trailctl package -o run.zip "$mnt/trail/run"
	is 0 trailctl package -o x.zip "$mnt/trail/run/x"
	is 0 trailctl find --name mirror "$mnt/trail/run"
	has_lines 1
	unmount
	is 0 trailctl unpack x.zip unpacked
	is 0 trailctl verify --vkey m/keys/log.vkey unpacked/x
	says '^GENUINE: signed by example.org/m+'
	rm -rf unpacked/x/data
	cp -r copies/example.org%2Fa unpacked/x/data
	is 4 trailctl verify --vkey m/keys/log.vkey unpacked/x
	rm unpacked/x/package.json unpacked/x/bagit.txt
	is 3 trailctl verify --vkey keys/a.vkey unpacked/x
	# A copy that lost all its files is one still.
	cp -r copies hollow
	rm -rf hollow/example.org%2Fb/*
	is 3 trailctl verify --vkey keys hollow
	says '^example.org%2Fb  UNDECIDED: it could not be verified'
	tail -n 1 out | grep -q '^UNDECIDED: 1 of 3 origins, example.org%2Fb. '
}

# --- find -----------------------------------------------------------------------

# Each hit names its origin.
find_searches_every_origin() {
	needs jq
	is 0 trailctl find --name report copies
	has_lines 3
	says '  example.org/b  trail/run/a1/report$'
	is 0 trailctl find --json --name report copies
	has_lines 3
	[ "$(jq -r .origin out | tr '\n' ' ')" = \
		'example.org/a example.org/b example.org/c ' ]
	[ "$(jq -c '[.kind,.path]' out | sort -u)" = '["evidence","trail/run/a1/report"]' ]
	while read -r line; do
		[ "$(echo "$line" | jq -cS .)" = "$line" ]
	done <out
	echo 'evidence 1 of b' >f
	is 0 trailctl find f copies
	has_lines 1
	says '  example.org/b  trail/run/a1/report$'
	is 0 trailctl find --origin example.org/c --name report copies
	has_lines 1
	is 1 trailctl find --name nothing copies
	has_lines 0
	is 2 trailctl find --type nothing copies
	is 0 trailctl find --limit 1 --name '*' copies
	has_lines 3
	is 0 trailctl find --name report copies/example.org%2Fa/trail
	has_lines 1
	is 3 trailctl find --name report bad
	has_lines 2
}

# --- package ----------------------------------------------------------------------

# A package has one origin: several go into a directory.
package_makes_one_of_each() {
	is 2 trailctl package -o x.zip --origin example.org/a copies
	complains 'give --no-entry'
	is 2 trailctl package --no-entry -o x.zip copies
	complains 'has many origins: give one with --origin, or a directory'
	is 0 trailctl package --no-entry -o x.zip --origin example.org/b copies
	has_lines 1
	is 0 trailctl verify --vkey keys/b.vkey x.zip
	mkdir zips
	is 0 trailctl package --no-entry -o zips copies
	has_lines 3
	sha256sum -c out
	for s in a b c; do
		is 0 trailctl verify --vkey "keys/$s.vkey" "zips/example.org%2F$s.zip"
		says '^GENUINE: '
	done
	rm zips/*
	# Nothing that fits: no package.
	is 1 trailctl package --no-entry -o zips --person nobody copies
	complains '^trailctl: example.org/a: no workflow fits --person nobody'
	[ -z "$(ls zips)" ]
	is 1 trailctl package --no-entry -o x2.zip --origin example.org/b --person nobody copies
	[ ! -e x2.zip ]
}

# --- compare ------------------------------------------------------------------------

# A store is compared with the copy of its origin.
compare_takes_them_by_origin() {
	is 0 trailctl compare copies a
	has_lines 3
	head -n 1 out | grep -q '^example.org/a  equal$'
	is 0 trailctl compare b copies
	head -n 1 out | grep -q '^example.org/b  equal$'
	cp -r copies copies2
	is 0 trailctl compare --vkey keys copies copies2
	has_lines 9
	rm -rf copies2/example.org%2Fb
	is 1 trailctl compare copies copies2
	says '^example.org/b  only in A$'
	is 1 trailctl compare copies2 b
	says '^example.org/b  only in B$'
	is 0 trailctl compare --origin example.org/c copies2 copies
	has_lines 3
	add a 2
	is 0 trailctl compare copies a
	head -n 1 out | grep -q '^example.org/a  A is the beginning of B, which has'
	is 2 trailctl compare copies x.zip
	is 3 trailctl compare bad b
}

# --- by its URI -------------------------------------------------------------------------

# The copies in the cache are brought up to date first, and are of this user alone.
a_uri_is_fetched_first() {
	[ ! -e cache ]
	is 0 trailctl verify --vkey keys dir:org
	says '^example.org/a  GENUINE: '
	tail -n 1 out | grep -q '^GENUINE: 3 origins, each is signed by the key given for it, complete for [0-9]* entries that the organisation has now and their vaults have signed, nothing recorded was altered$'
	[ "$(stat -c %a cache cache/trailfs cache/trailfs/* | tr '\n' ' ')" = '700 700 700 ' ]
	forward a org
	is 0 trailctl find --name 'trail/run/a2/report' dir:org
	says '  example.org/a  trail/run/a2/report$'
	is 0 trailctl find --cache mine --origin example.org/c --name report dir:org
	[ "$(ls mine)" = example.org%2Fc ]
	is 0 trailctl package --no-entry --origin example.org/a -o now.zip dir:org
	is 0 trailctl verify --vkey keys/a.vkey now.zip
	is 0 trailctl compare dir:org a
	head -n 1 out | grep -q '^example.org/a  equal$'
	is 0 trailctl verify --vkey keys --origin example.org/a dir:org
	says '^GENUINE: '
	is 3 trailctl verify --origin example.org/nobody dir:org
}

# What is in the cache is never shown as what the organisation has now.
an_organisation_that_is_away_is_no_verdict() {
	mv org away
	for verb in verify 'find --name report' 'package --no-entry -o zips' 'compare a'; do
		# shellcheck disable=SC2086 # words
		is 3 trailctl $verb dir:org
		has_lines 0
	done
	mv away org
	is 2 trailctl verify postgresql://localhost/x
	complains 'give them with --blobs'
	is 2 env -u XDG_CACHE_HOME -u HOME trailctl verify dir:org
	chmod g+w cache/trailfs/*
	is 3 trailctl verify dir:org
	complains 'others can write there'
	chmod g-w cache/trailfs/*
}

# The same words name another organisation in another directory.
a_directory_is_named_from_the_root() {
	mkdir elsewhere
	(
		cd elsewhere || exit 1
		organisation org ../a
		trailctl org fetch -q dir:org copies
		is 0 trailctl verify dir:org
		is 0 trailctl verify "dir:$PWD/org"
	)
	is 0 trailctl verify dir:org
	ls cache/trailfs >caches
	[ "$(wc -l <caches)" = 2 ]
}

# An origin that does not fit: its copy alone may be whole, and the verdict is not.
what_the_organisation_altered_is_a_part_of_the_verdict() {
	add b 2
	forward b org
	rm -rf badorg
	cp -r org badorg
	alter badorg "UPDATE leaf SET body = CAST(replace(CAST(body AS TEXT),
		'trail/run/a2/report', 'trail/run/a2/repost') AS BLOB)
		WHERE CAST(body AS TEXT) LIKE '%trail/run/a2/report%' AND
		member = (SELECT id FROM member WHERE origin = CAST('example.org/b' AS BLOB))"
	is 4 trailctl verify --cache badcache --vkey keys dir:badorg
	says '^example.org/a  GENUINE: '
	says '^example.org/b  FAILED: what the organisation has of it does not fit: entr.*. The copy before that: GENUINE: '
	tail -n 1 out | grep -q '^FAILED: 1 of 3 origins, example.org/b. '
	is 4 trailctl find --cache badcache --name report dir:badorg
	complains '^trailctl: example.org/b: entr'
	is 4 trailctl verify --cache badcache --origin example.org/b dir:badorg
}

with '/dev/fuse sqlite3' an_organisation_is_made verify_judges_every_origin \
	keys_are_asked_for damage_in_one_is_named the_answer_is_json \
	a_monitor_sees_the_status \
	what_does_not_fit_is_refused evidence_is_no_copy find_searches_every_origin \
	package_makes_one_of_each compare_takes_them_by_origin \
	a_uri_is_fetched_first an_organisation_that_is_away_is_no_verdict \
	a_directory_is_named_from_the_root what_the_organisation_altered_is_a_part_of_the_verdict
finish
