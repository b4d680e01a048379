#!/bin/sh
# Pages in a browser: rules of accessibility, search and sort from a file, time until
# something is seen, and hostile names.
. "$(dirname "$0")/../suite.sh"
shared_mount=yes
patience_s=600
look=$top/tests/pages/browser.py
axe=$top/build/axe-core/axe.min.js
T=mnt/deploy
A=$T/run-1/tests

# Pages of each kind: vault, trail, workflow, empty, open, failing, replay.
pages_of_each_kind() {
	is 0 trailctl init --origin example.org/pages store
	mount store -o settle=0
	mkdir -p $T/before mnt/empty
	cat >$T/.trailfs/template.yml <<-'END'
		version: 1
		trail:
		  attestations:
		    - name: tests
		      type: generic
		    - name: review
		      type: generic
	END
	mkdir -p $A $T/run-1/session $T/run-2/tests $T/run-2/review $T/run-3
	cp "$top/tests/vectors/recordings/shell.cast" $T/run-1/session/
	echo good >$A/result
	is 0 trailctl seal $A
	echo bad >$T/run-2/tests/result
	setfattr -n user.trailfs.compliant -v false $T/run-2/tests
	echo good >$T/run-2/review/result
	is 0 trailctl seal $T/run-2/tests
	is 0 trailctl seal $T/run-2/review
	is 0 trailctl seal $T/run-2
	is 0 trailctl sync mnt
	cp mnt/.trailfs/index.html vault.html
	cp mnt/empty/.trailfs/index.html empty.html
	cp $T/.trailfs/index.html trail.html
	for n in 1 2 3; do
		cp $T/run-$n/.trailfs/index.html run-$n.html
	done
	cp $T/run-1/session/.trailfs/replay/shell.cast.html replay.html
	is 0 trailctl package -o run-2.zip $T/run-2
	unzip -p run-2.zip '*/index.html' >package.html
	grep -q 'NON-COMPLIANT' run-2.html
	grep -q '<dt>Missing</dt><dd><bdi>review</bdi>' run-1.html
}

# No rule of axe-core is broken, in light or in dark.
everybody_can_use_the_pages() {
	needs chromium python3
	[ -e "$axe" ] || skip 'no axe-core: .ci/setup test fetches it'
	is 0 python3 "$look" axe "$axe" vault.html empty.html trail.html run-1.html \
		run-2.html run-3.html replay.html package.html
	[ "$(grep -c ': 0 violations' out)" = 16 ]
}

# Search, filter and order work from a file and stay in its address.
a_list_is_searched_and_sorted() {
	needs chromium python3
	cat >names.js <<-'END'
		[...document.querySelectorAll('table.flows tbody tr:not([hidden])')].map(
			r => r.cells[0].textContent).join() + ' ' + location.hash
	END
	names=$(cat names.js)
	is 0 python3 "$look" ask trail.html "$names"
	says '"run-3,run-2,run-1,before "'
	# The table of what is missing is the first, that of workflows the second.
	is 0 python3 "$look" ask 'trail.html#q1=RUN&s1=0' "$names"
	says '"run-1,run-2,run-3 '
	is 0 python3 "$look" ask 'trail.html#f1=NON-COMPLIANT' "$names"
	says '"run-2 '
	is 0 python3 "$look" ask 'trail.html#s1=-0' "$names"
	says '"run-3,run-2,run-1,before '
	is 0 python3 "$look" ask 'trail.html#q1=nobody' "$names"
	says '" #q1=nobody"'
	is 0 python3 "$look" ask trail.html "(document.querySelectorAll(
		'[role=search] select')[0].value = 'NON-COMPLIANT', document.querySelectorAll(
		'[role=search] select')[0].dispatchEvent(new Event('change')),
		document.querySelectorAll('table.flows th button')[0].click(), $names)"
	says '"run-2 #f1=NON-COMPLIANT&s1=0"'
	is 0 python3 "$look" ask 'trail.html#s1=0' "document.querySelectorAll(
		'table.flows th')[0].getAttribute('aria-sort')"
	says '"ascending"'
}

# What is in the address is a value, and nothing else.
an_address_is_no_script() {
	needs chromium python3
	is 0 python3 "$look" ask \
		'trail.html#q1=%3Cimg%20src=x%20onerror=alert(1)%3E&f1=%22%3E&s1=99&s0=__proto__' \
		"[document.querySelectorAll('img').length, document.querySelectorAll(
		'input')[2].value, document.querySelectorAll('.flows tr:not([hidden])').length]"
	says '[0, "<img src=x onerror=alert(1)>", 1]'
}

# The script of a page is the one that its policy names: no other runs.
no_other_script_runs() {
	needs chromium python3
	sed 's|<h1>|<h1><script>document.title = "other"</script>|
		s|<main |<main onfocus="document.title = 1" |' trail.html >forged.html
	is 0 python3 "$look" ask forged.html \
		'document.querySelector("main").focus(), document.title'
	says '"deploy - trailfs"'
	sed "s|^'use strict';|document.title = 'other';|" trail.html >forged.html
	is 0 python3 "$look" ask forged.html \
		'[document.title, document.querySelectorAll("[role=search]").length]'
	says '["deploy - trailfs", 0]'
}

# Tables keep what they are to a screen reader, whatever their style.
a_table_stays_a_table() {
	needs chromium python3
	is 0 python3 "$look" roles trail.html
	says 'table 3'
	says 'columnheader 18'
	says 'rowheader 6'
}

# All keys lead on: from the top of the page to the end, and nothing twice.
the_keyboard_gets_through() {
	needs chromium python3
	is 0 python3 "$look" keys trail.html
	head -n 1 out | grep 'Skip to the content'
	grep '^INPUT' out
	grep '^SELECT' out
	tail -n 1 out | grep 'this key'
}

# Who prints gets the table, the rows and no controls.
a_print_has_no_controls() {
	needs chromium python3
	is 0 python3 "$look" print trail.html
	[ "$(cat out)" -ge 1 ]
	[ "$(cat out)" -le 3 ]
}

# 10,000 workflows: the newest, few bytes for each, and something to see at once.  The
# time is printed and not judged.
ten_thousand_are_seen_at_once() {
	mkdir mnt/many
	(cd mnt/many && seq -f 'run-%05.0f' 10020 | xargs mkdir)
	cp mnt/many/.trailfs/index.html many.html
	grep -q 'the newest 10000 of 10,020 workflows' many.html
	[ "$(grep -c '<tr><th scope="row"><a href="../run-' many.html)" -ge 10000 ]
	if grep '/run-00020/' many.html; then exit 1; fi
	grep -q '/run-00021/' many.html
	[ "$(wc -c <many.html)" -lt 4200000 ]
	needs chromium python3
	is 0 python3 "$look" paint many.html
	says ' first paint '
	cat out
}

run pages_of_each_kind everybody_can_use_the_pages a_list_is_searched_and_sorted \
	an_address_is_no_script no_other_script_runs a_table_stays_a_table \
	the_keyboard_gets_through a_print_has_no_controls ten_thousand_are_seen_at_once
finish
