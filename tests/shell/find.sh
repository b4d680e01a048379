#!/bin/sh
# trailctl find, .trailfs/find and the search index STORE/index.db.
. "$(dirname "$0")/../suite_tools.sh"
shared_mount=yes

# Two workflows with attestations, claims and files; allow_other for the rights.
names_are_recorded() {
	mount store -o allow_other
	mkdir -p mnt/t/w1/build mnt/t/w1/review mnt/t/w2/build mnt/u/w1/build
	chmod 0755 mnt/t mnt/t/w1 mnt/t/w1/build
	echo one >mnt/t/w1/build/app.log
	echo two >mnt/t/w1/build/deploy.txt
	echo three >mnt/t/w1/review/notes.txt
	echo one >mnt/t/w2/build/copy.log
	echo 'a[1]' >'mnt/u/w1/build/odd [1] 100%&=.log'
	setfattr -n user.trailfs.type -v generic mnt/t/w1/review
	setfattr -n user.trailfs.control -v C-17 mnt/t/w1/review
	setfattr -n user.trailfs.annotation.ticket -v OPS-1 mnt/t/w1/review
	setfattr -n user.trailfs.annotation.on_behalf_of -v carol \
		mnt/t/w1/review
	setfattr -n user.trailfs.compliant -v false mnt/t/w1/review
	setfattr -n user.trailfs.on-behalf-of -v 'Dora & Co./50%' \
		mnt/u/w1/build
	setfattr -n user.trailfs.annotation.team -v blue mnt/u
	chmod a-w mnt/t/w1/review
	chmod a-w mnt/u/w1/build
	is 0 trailctl sync mnt
	needs jq
	[ "$(cat mnt/t/w1/.trailfs/status)" = NON-COMPLIANT ]
}

# finds PATHS FILTER...: the answer is exactly these paths (one word: joined by
# spaces), in the mount, newest first.
finds() {
	printf '%s' "$1" | tr ' ' '\n' | grep . >expected || :
	shift
	if [ -s expected ]; then
		is 0 trailctl find --json "$@" mnt
	else
		is 1 trailctl find --json "$@" mnt
	fi
	jq -r .path <out >paths
	diff expected paths
}

# Each filter finds what the ledger says, the newest first, and nothing else.
each_filter_finds() {
	finds 't/w2/build/copy.log t/w1/build/app.log' mnt/t/w1/build/app.log
	finds 't/w2/build/copy.log t/w1/build/app.log' \
		"$(echo one | sha256sum | cut -d ' ' -f 1)"
	finds '' "$(echo none | sha256sum | cut -d ' ' -f 1)"
	finds 't/w1/build/deploy.txt' --name 'dep*'
	finds 't/w1/build/deploy.txt' --name deploy.txt
	finds 't/w1/build/deploy.txt' --name 'd?ploy.[st]xt'
	finds '' --name deploy
	finds 't/w2/build/copy.log t/w1/build/app.log' --name 't/*/*/*.log'
	finds '' --name '*/*.log'
	finds 'u/w1 t/w1' --name w1
	# Without three ordinary characters in a row: a look at all names.
	finds 'u/w1 t/w2 t/w1' --name 'w?'
	finds 'u/w1 t/w1' --name '?1' --uid "$(id -u)"
	finds 'u/w1' --name '?1' --limit 1
	finds 't/w2' --name '?2' --status COMPLIANT
	finds '' --name '?9'
	finds 't/w1/review' --annotation ticket=OPS-1
	finds 'u' --annotation team=blue
	finds '' --annotation ticket=OPS-2
	finds 't/w1/review' --control C-17
	finds 'u/w1/build t/w1/review' --type generic
	finds 't/w1/review' --status non-compliant
	finds 'u/w1/build' --status compliant
	finds 't/w2/build t/w1/build' --status open
	finds 't/w1' --status NON-COMPLIANT
	finds 'u/w1 t/w2' --status COMPLIANT
	finds 't/w1/review' --user carol
	finds 't/w1/review' --on-behalf-of carol
	finds 'u/w1/build' --on-behalf-of 'Dora & Co./50%'
	finds 'u/w1/build' --user 'Dora & Co./50%'
	finds 'u/w1/build' --on-behalf-of 'Dora & Co./50%' --uid "$(id -u)"
	finds '' --on-behalf-of Dora
	finds '' --on-behalf-of "$(id -un)"
	finds '' --uid 54321
	finds '' --since 9999-01-01
	finds '' --until 2000-01-01
}

# The line of what a service made for a person names both.
a_line_names_the_person() {
	finds 't/w1/review' --user carol
	[ "$(jq -r .on_behalf_of out)" = carol ]
	is 0 trailctl find --user carol mnt
	says ' for carol  *t/w1/review$'
	is 0 trailctl find --on-behalf-of 'Dora & Co./50%' mnt
	says ' for Dora & Co./50%  *u/w1/build$'
	is 0 trailctl log mnt/u/w1/build
	says 'attestation.sealed .*u/w1/build  for Dora & Co./50% (claimed)$'
	is 0 trailctl show mnt/u/w1/build
	says '^for  *Dora & Co./50% (claimed)$'
	is 0 trailctl show --json mnt/u/w1/build
	[ "$(jq -r .onBehalfOf out)" = 'Dora & Co./50%' ]
	[ "$(jq -r .on_behalf_of \
		mnt/u/w1/build/.trailfs/attestation.json)" = 'Dora & Co./50%' ]
	grep -q 'On behalf of (claimed).*Dora &amp; Co./50%' \
		mnt/u/w1/.trailfs/index.html
	is 0 trailctl show mnt/t/w2
	never_says '^for '
	finds 't/w2' --name w2
	[ "$(jq -r .on_behalf_of out)" = null ]
}

# An attestation is judged by the template, as in attestation.json, and again
# after an override.
the_template_judges_attestations() {
	cat >template.yml <<-'EOF2'
	version: 1
	trail:
	  attestations:
	    - {name: build, type: generic}
	    - {name: approval, type: generic, x-trailfs: {after: [build]}}
	    - {name: scan, type: generic, x-trailfs: {after: [build]}}
	EOF2
	is 0 trailctl trail create mnt/judged --template template.yml
	mkdir mnt/judged/w
	echo x >file
	for name in approval scan build; do
		is 0 trailctl attest "mnt/judged/w/$name" file
	done
	finds 'judged/w/build' --status compliant \
		--name 'judged/*/*'
	finds 'judged/w/scan judged/w/approval' --status non-compliant \
		--name 'judged/*/*'
	finds 'judged/w/build judged/w/scan judged/w/approval' \
		--name 'judged/w/[abs]*'
	for name in build scan approval; do
		jq .is_compliant "mnt/judged/w/$name/.trailfs/attestation.json"
	done >judged
	jq '.status == "compliant"' out >found
	cmp judged found
	is 0 trailctl override mnt/judged/w/scan --compliant true --reason known
	is 0 trailctl sync mnt
	finds 'judged/w/build judged/w/scan' --status compliant \
		--name 'judged/*/*'
	finds 'judged/w/approval' --status non-compliant \
		--name 'judged/*/*'
	is 0 trailctl override mnt/judged/w/approval --compliant true \
		--reason known
	is 0 trailctl sync mnt
	finds 'judged/w' --status COMPLIANT --name 'judged/*'
}

# What the slot of an attestation says is found from its beginning on, and what
# attestation.json says once it is sealed.  "custom:NAME" is NAME.
the_template_gives_type_and_control() {
	cat >slots.yml <<-'EOF2'
	version: 1
	trail:
	  attestations:
	    - {name: any, type: '*', x-trailfs: {control: CC6.1}}
	    - {name: coverage, type: 'custom:coverage'}
	    - {name: tests, type: junit, x-trailfs: {control: CC7.2}}
	EOF2
	cat >coverage.yml <<-'EOF2'
	version: 1
	evidence: coverage.json
	schema: {type: object}
	EOF2
	is 0 trailctl trail create mnt/slots --template slots.yml
	is 0 trailctl type set mnt/slots coverage coverage.yml
	mkdir -p mnt/slots/w/tests
	finds 'slots/w/tests' --type junit
	finds 'slots/w/tests' --control CC7.2 --status open
	echo '<testsuite tests="1"><testcase name="a"/></testsuite>' >ju.xml
	echo '{}' >coverage.json
	cp ju.xml mnt/slots/w/tests
	chmod a-w mnt/slots/w/tests
	is 0 trailctl attest mnt/slots/w/coverage coverage.json
	is 0 trailctl attest mnt/slots/w/any file
	is 0 trailctl attest --type coverage mnt/slots/w/more coverage.json
	is 0 trailctl attest --type custom:coverage mnt/slots/w/last \
		coverage.json
	is 0 trailctl sync mnt
	[ "$(jq -r .attestation_type \
		mnt/slots/w/tests/.trailfs/attestation.json)" = junit ]
	finds 'slots/w/tests' --type junit
	for type in coverage custom:coverage; do
		finds 'slots/w/last slots/w/more slots/w/coverage' \
			--type "$type"
		finds 'slots/w/coverage' --attestation-type "$type" \
			--name coverage
	done
	finds 'slots/w/any' --control CC6.1
	finds 'slots/w/any' --type generic --name 'slots/w/*'
	is 0 trailctl attest --type generic --again mnt/slots/w/tests ju.xml
	finds 'slots/w/tests@2' --type generic --control CC7.2
	finds 'slots/w/tests@2 slots/w/tests' --type junit
	is 2 trailctl find --type junit --attestation-type junit mnt
	# A later template does not change the workflow.
	sed 's/CC7.2/CC9.9/' slots.yml >later.yml
	is 0 trailctl template set mnt/slots later.yml
	mkdir mnt/slots/w/tests@3 mnt/slots/v mnt/slots/v/tests
	finds 'slots/w/tests@3 slots/w/tests@2 slots/w/tests' --control CC7.2
	finds 'slots/v/tests' --control CC9.9
}

# Filters together must all hold; a path narrows.
filters_join() {
	finds 't/w1/review' --type generic --control C-17 --user carol \
		--status non-compliant --uid "$(id -u)" --since 2000-01-01 \
		--until 9999-01-01
	finds '' --type generic --status open
	is 0 trailctl find --name '*.log' mnt/t/w1
	has_lines 1
	says 't/w1/build/app.log$'
	is 1 trailctl find --name '*.log' mnt/t/w1/review
}

# Names with brackets, '%', '&' and '=' are found, and globs escape them.
odd_names_are_found() {
	is 0 trailctl find --json --name 'odd \[1\] 100%&=.log' mnt
	has_lines 1
	is 0 trailctl find --json --name 'odd *&=*' mnt
	has_lines 1
	cat 'mnt/.trailfs/find/name=odd %5C[1%5C] 100%25%26=.log' >answer
	[ "$(wc -l <answer)" -eq 1 ]
}

# A malformed query is exit 2, and EINVAL in the mount; nothing given is exit 2.
malformed_queries_are_refused() {
	is 2 trailctl find mnt
	is 2 trailctl find --status green mnt
	complains 'find: --status is one of compliant,'
	is 2 trailctl find --annotation ticket mnt
	is 2 trailctl find --name "$(printf '%0300d' 1)" mnt
	complains 'longer than 255'
	is 2 trailctl find --uid x mnt
	is 2 trailctl find --frobnicate mnt
	is 3 trailctl find --name x nowhere
	for query in frob=1 name= 'uid=1&uid=2' uid=-1 name=%zz; do
		if cat "mnt/.trailfs/find/$query" 2>err; then exit 1; fi
		complains 'Invalid argument'
	done
	[ -z "$(ls mnt/.trailfs/find)" ]
}

# Pages of a long answer together are the answer.
a_limit_counts_and_pages_join() {
	is 0 trailctl find --json --uid "$(id -u)" --limit 0 mnt
	cp out all
	is 0 trailctl find --json --uid "$(id -u)" --limit 3 mnt
	has_lines 3
	last=$(jq -s '.[-1].index' out)
	cat "mnt/.trailfs/find/uid=$(id -u)&before=$last" >>out
	cmp out all
}

# A user finds only what he may read.
rights_apply() {
	needs setpriv
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	user="setpriv --reuid 54321 --regid 54321 --clear-groups"
	chmod 0755 .
	chmod 0700 mnt/t/w2
	$user cat 'mnt/.trailfs/find/name=*.log' >his
	grep -q t/w1/build/app.log his
	if grep t/w2 his; then exit 1; fi
	$user cat 'mnt/.trailfs/find/name=w2' >his
	[ ! -s his ]
}

# An entry is found as soon as it is in the ledger.
new_names_are_found_at_once() {
	for i in 1 2 3 4 5; do
		mkdir "mnt/t/w2/step$i"
		is 0 trailctl find --status open --name "step$i" mnt
		has_lines 1
		echo "$i" >"mnt/t/w2/step$i/f"
		chmod a-w "mnt/t/w2/step$i"
		is 0 trailctl sync mnt
		is 0 trailctl find --status compliant --name "step$i" mnt
	done
}

# answers WHERE: ask for many things.
answers() {
	while read -r filter; do
		echo "# $filter"
		# shellcheck disable=SC2086
		timeout 60 trailctl find --json --limit 0 $filter "$1" || [ $? -eq 1 ]
	done <<-'EOF2'
		--uid 0
		--name *.log
		--status open
		--status NON-COMPLIANT
		--status COMPLIANT
		--user carol
		--annotation team=blue
		--name ?????
	EOF2
}

# Without a mount, with an old index, a damaged one and none: equal answers.
the_index_may_be_old_damaged_or_missing() {
	set -f
	answers mnt >mounted
	[ "$(wc -l <mounted)" -gt 20 ]
	set +f
	unmount
	set -f
	answers store >stored
	cmp mounted stored
	cp store/index.db kept.db
	rm -f store/index.db store/index.db-wal store/index.db-shm
	answers store >stored
	cmp mounted stored
	[ ! -e store/index.db ]
	head -c 20000 /dev/urandom >store/index.db
	answers store >stored
	cmp mounted stored
	cp kept.db store/index.db
	is 0 trailctl verify store
	never_says index.db
	head -c 5000 kept.db >store/index.db
	set +f
	mount store -o allow_other
	set -f
	answers mnt >again
	cmp mounted again
	# Removed under a running daemon.
	rm -f store/index.db store/index.db-wal store/index.db-shm
	set +f
	mkdir mnt/t/late
	is 0 trailctl find --name late mnt
	[ -s store/index.db ]
}

# An index that was changed can hide names, but never make one up.
a_changed_index_never_lies() {
	needs sqlite3
	unmount
	sqlite3 store/index.db "UPDATE word SET word = 'compliant';
		INSERT OR REPLACE INTO fact SELECT 4, CAST('snyk' AS BLOB), item
		FROM fact WHERE kind = 2;" || skip 'sqlite3 refuses'
	mount store -o allow_other
	is 1 trailctl find --type snyk mnt
	is 0 trailctl find --json --status compliant mnt
	never_says t/w1/review
	never_says '"status":"non-compliant"'
	never_says '"status":"open"'
}

# The index of another store, or of a longer ledger, is made anew.
a_foreign_index_is_made_anew() {
	unmount
	is 0 trailctl init --origin example.org/tools store2
	cp store/index.db store2/index.db
	rm -f store2/index.db-wal
	mount store2
	mkdir -p mnt/other/w/a
	is 0 trailctl find --json --uid "$(id -u)" mnt
	has_lines 3
	never_says t/w1
	unmount
	# A copy of the store made now, whose index is then ahead of it.
	cp -a store2 store3
	mount store2
	mkdir mnt/other/w/b
	is 0 trailctl find --name b mnt
	unmount
	cp store2/index.db store3/index.db
	rm -f store3/index.db-*
	mount store3 -o moved
	is 1 trailctl find --name b mnt
	is 0 trailctl find --name a mnt
}

# A read-only mount finds the same and writes nothing.
a_read_only_mount_finds_too() {
	unmount
	rm -f store2/index.db*
	mount store2 -o ro
	is 0 trailctl find --name a mnt
	has_lines 1
	unmount
	[ ! -e store2/index.db ]
}

run a_store_is_made names_are_recorded
with jq each_filter_finds a_line_names_the_person filters_join odd_names_are_found \
	malformed_queries_are_refused a_limit_counts_and_pages_join
with jq the_template_judges_attestations the_template_gives_type_and_control
run rights_apply new_names_are_found_at_once \
	the_index_may_be_old_damaged_or_missing a_changed_index_never_lies \
	a_foreign_index_is_made_anew a_read_only_mount_finds_too
finish
