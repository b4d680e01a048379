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

# The page of an open workflow is read again by itself, without a script, and then has
# what was recorded meanwhile.
an_open_page_follows_without_script() {
	needs chromium python3
	state="[...document.querySelectorAll('.badge')][0].textContent"
	cat >record <<-END
		#!/bin/sh
		echo good >$mnt/deploy/run-1/review/result &&
			trailctl seal $mnt/deploy/run-1/review
	END
	chmod +x record
	mkdir $T/run-1/review
	is 0 python3 "$look" reload $T/run-1/.trailfs/index.html "$state" ./record
	printf '"INCOMPLETE"\n"COMPLIANT"\n' | cmp - out
}

# Text that people gave has no character that would turn the text around it, in titles,
# descriptions, other claims and names.
a_hostile_text_is_shown_escaped() {
	turn=$(printf '\342\200\256') over=$(printf '\342\201\246')
	mkdir -p $T/run-4/tests
	echo good >$T/run-4/tests/result
	for of in $T/run-4 $T/run-4/tests; do
		setfattr -n user.trailfs.description -v "a${turn}b${over}c" "$of"
		setfattr -n user.trailfs.annotation.note -v "d${turn}e" "$of"
	done
	is 0 trailctl seal $T/run-4/tests
	is 0 trailctl package --no-entry -o run-4.zip $T/run-4
	mkdir page-4
	cp $T/run-4/.trailfs/index.html $T/run-4/.trailfs/trail-page.html \
		$T/run-4/.trailfs/status.md page-4
	unzip -q run-4.zip '*.html' -d page-4/p
	grep -q 'a\[U+202E\]b\[U+2066\]c' page-4/index.html
	grep -q 'd\[U+202E\]e' page-4/index.html
	if grep -r "$turn" page-4 || grep -r "$over" page-4; then exit 1; fi
}

# An anchor of a witness stands with its age in the page of now: here of ten days.
an_anchor_has_its_age() {
	if ldd "$BUILD/trailctl" | grep -q 'lib[at]san'; then
		skip 'a sanitizer wants to be loaded first'
	fi
	is 0 trailctl init --origin example.org/old old
	cp out old.vkey
	is 0 trailctl trail create old/t
	is 0 trailctl witness-serve --init witness.example/one one
	cat old.vkey >>one/logs
	{
		echo "log $(cat old.vkey)"
		echo "witness w1 $(cat one/vkey) http://witness.example/one"
		echo 'group all 1 w1'
		echo 'quorum all'
	} >policy
	is 0 trailctl witness --policy policy --via 'trailctl witness-serve one' old
	unmount
	is 0 env LD_PRELOAD="$BUILD/shim.so" SHIM_CLOCK_AHEAD_S=864000 \
		trailfs old "$mnt" -o settle=0
	cp mnt/.trailfs/index.html anchored.html
	grep -A 12 '<caption>Anchors\|>Anchors<' anchored.html | tr -d '\n' >anchors
	grep -q 'witness.example/one' anchors
	grep -Eq '>(10 days|10 d)' anchors
	unmount
}

# What the clock saw sealed before it began has a bar from there, and says so.
a_clock_that_went_backward_is_drawn() {
	if ldd "$BUILD/trailctl" | grep -q 'lib[at]san'; then
		skip 'a sanitizer wants to be loaded first'
	fi
	is 0 trailctl init --origin example.org/clock back
	is 0 env LD_PRELOAD="$BUILD/shim.so" SHIM_CLOCK_AHEAD_S=86400 \
		trailfs back "$mnt" -o settle=0
	mkdir -p mnt/t/w/a mnt/t/w/b
	echo 1 >mnt/t/w/a/f
	is 0 trailctl sync mnt
	unmount
	mount back -o settle=0
	is 0 trailctl seal mnt/t/w/a
	echo 2 >mnt/t/w/b/f
	is 0 trailctl sync mnt
	cp mnt/t/w/.trailfs/index.html backward.html
	grep -q 'the clock went backward' backward.html
	sed -n 's/.*<rect .* x="\([0-9]*\)" .* width="\([0-9]*\)" .*/\1 \2/p' \
		backward.html >bars
	[ "$(wc -l <bars)" -eq 2 ]
	width=$(sed -n 's/.*<svg .* width="\([0-9]*\)" height.*/\1/p' backward.html)
	while read -r x w; do
		[ "$w" -ge 3 ] && [ $((x + w)) -le "$width" ]
	done <bars
	unmount
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
	the_keyboard_gets_through a_print_has_no_controls ten_thousand_are_seen_at_once \
	an_open_page_follows_without_script a_hostile_text_is_shown_escaped \
	an_anchor_has_its_age a_clock_that_went_backward_is_drawn
finish
