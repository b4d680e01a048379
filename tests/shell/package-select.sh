#!/bin/sh
# trailctl package: workflows by control, status, person and time, and
# completeness.json, which says what was asked for and what is there.
# shellcheck disable=SC2154 # $script is of suite_package.sh
. "$(dirname "$0")/../suite_package.sh"

# A trail with a template, and four workflows: w1 compliant with the control of a
# slot, w2 not compliant with a claimed control, w3 incomplete and recorded for
# somebody, w4 by another user.
a_trail_is_made() {
	is 0 trailctl init --origin example.org/select store
	cp out vkey
	mount store -o settle=0,allow_other
	chmod 755 .
	mkdir mnt/t mnt/u
	chmod 777 mnt/t
	cat >template.yml <<'END'
version: 1
trail:
  attestations:
    - name: review
      type: generic
      x-trailfs: {control: CC6.1}
END
	is 0 trailctl template set mnt/t template.yml
	mkdir -p mnt/t/w1/review mnt/t/w2/other mnt/t/w2/review mnt/t/w3/other
	echo 1 >mnt/t/w1/review/file
	echo 2 >mnt/t/w2/other/file
	echo 2 >mnt/t/w2/review/file
	setfattr -n user.trailfs.control -v CC7.2 mnt/t/w2/other
	setfattr -n user.trailfs.compliant -v false mnt/t/w2/other
	setfattr -n user.trailfs.annotation.on_behalf_of -v carol \
		mnt/t/w3/other
	mkdir mnt/u/w1 mnt/u/w1/a
	echo u >mnt/u/w1/a/file
	trailctl seal mnt/t/w1
	trailctl seal mnt/t/w2
	setpriv --reuid 1001 --regid 1001 --clear-groups sh -c '
		mkdir -p mnt/t/w4/review && echo 4 >mnt/t/w4/review/file'
	trailctl sync mnt
	unmount
	# carol has no evidence, so her attestation is sealed by a program.
	is 0 trailctl seal store/t/w3/other
	[ "$(trailctl status --json store/t | grep -c .)" -gt 0 ]
}

# takes WORKFLOWS OPTION...: a package with these options holds these workflows,
# for trailctl, for the script, and in completeness.json.
takes() {
	wanted=$1
	shift
	rm -rf p.zip p
	is 0 trailctl package --no-entry -o p.zip "$@" store/t
	good p.zip
	reports '^(GENUINE|WHOLE)'
	unzipped p.zip p
	grep -o '"path":"[^"]*"[^}]*"type":"workflow.begun"' p/t/events.jsonl |
		sed 's/"path":"t\/\([^"]*\)".*/\1/' | tr '\n' ' ' >have
	[ "$(cat have)" = "$wanted" ] || {
		echo "$*: workflows '$(cat have)', not '$wanted'"
		exit 1
	}
	is 0 sh "$script" "$(cat vkey)" p/t
	needs jq
	[ "$(jq .workflows.here p/t/completeness.json)" -eq \
		"$(wc -w <have)" ]
	[ "$(jq .entries p/t/completeness.json)" -eq \
		"$(wc -l <p/t/events.jsonl)" ]
	[ "$(jq '.entries + .gaps.entries == .tree.size' \
		p/t/completeness.json)" = true ]
}

# By control, status, person and time, alone and together; the package says by which.
workflows_are_selected() {
	takes 'w1 w2 w3 w4 '
	[ "$(jq .workflows.trail p/t/completeness.json)" = null ]
	takes 'w1 w2 w3 w4 ' --control CC6.1
	[ "$(jq .workflows.trail p/t/completeness.json)" = 4 ]
	reports 'whether the workflows have the control'
	takes 'w2 ' --control CC7.2
	takes 'w2 ' --status NON-COMPLIANT
	takes 'w3 ' --status INCOMPLETE
	takes 'w1 ' --status COMPLIANT --person "$(id -u)"
	takes 'w1 w2 w3 ' --person "$(id -un)"
	takes 'w3 ' --person carol
	takes 'w4 ' --person 1001
	takes 'w4 ' --status COMPLIANT --control CC6.1 --person 1001 \
		--since 2000-01-01 --until 2999-01-01
	[ "$(jq -c .query p/t/completeness.json | cut -c -50)" = \
		'{"control":"CC6.1","path":"t","person":"1001","sin' ]
	takes '' --until 2000-01-01
	is 0 trailctl package --no-entry -o one.zip --person 1001 store/t
	is 0 trailctl package --no-entry -o two.zip --person 1001 store/t
	cmp one.zip two.zip
}

# A package of nothing would look like an answer: a misspelled name makes none.
what_fits_nothing_makes_no_package() {
	for query in '--control CC7' '--person nobody-of-them' '--person car' \
		'--control CC7.2 --status COMPLIANT' \
		'--person 1001 --until 2000-01-01'; do
		# shellcheck disable=SC2086 # words
		is 1 trailctl package -o x.zip $query store/t
		has_lines 0
		complains "^trailctl: no workflow fits ${query%% --until*}"
		is 1 trailctl package --no-entry -o x.zip --person nobody store
		[ ! -e x.zip ]
	done
	[ "$(trailctl log --json store | grep -c package.made)" = 0 ]
}

# Nothing is written for a wrong value, or for a single workflow.
what_is_no_selection_is_refused() {
	is 2 trailctl package --no-entry -o x.zip --control 'CC 1' store/t
	is 2 trailctl package --no-entry -o x.zip --status GOOD store/t
	is 2 trailctl package --no-entry -o x.zip --person '' store/t
	is 2 trailctl package --no-entry -o x.zip --person 'a"b' store/t
	is 2 trailctl package --no-entry -o x.zip --person 1001 store/t/w1
	is 2 trailctl package --no-entry -o x.zip --control CC6.1 store/t/w1
	[ ! -e x.zip ]
}

# forged EDIT FILE WHAT: FILE of the package, changed by the sed script EDIT, with
# manifests that fit, is refused by trailctl and by the script, both with WHAT.
forged() {
	rm -rf f
	cp -r p f
	sed -i "$1" "f/t/$2"
	if cmp "p/t/$2" "f/t/$2"; then exit 1; fi
	listed_again f/t
	is 4 trailctl verify --vkey vkey f/t
	reports "$3"
	is 1 sh "$script" "$(cat vkey)" f/t
	reports "$3"
}

# Whoever changes what completeness.json says also changes the manifests.
a_forged_completeness_is_refused() {
	takes 'w1 w2 w3 ' --person "$(id -un)" --since 2000-01-01
	for edit in 's/"entries":[0-9]*/"entries":3/' 's/"files":/"files":1/' \
		's/"first":0/"first":1/' 's/"count":[0-9]*/"count":0/' \
		's/"last":/"last":1/' 's/"from":"2000/"from":"1999/' \
		's/"evidence.sealed":/&1/' 's/"types":{/&"a.b":1,/' \
		's/"here":3/"here":4/' 's/"until":"2/"until":"3/' \
		's/,"person":"[^"]*"//' 's/"tool":"trailfs/"tool":"<b>/' \
		's/,"trail":4//' 's/"size":/"size":1/' 's/{/{ /'; do
		forged "$edit" completeness.json '^.*completeness.json: '
	done
	rm -rf f
	cp -r p f
	rm f/t/completeness.json
	listed_again f/t
	is 4 trailctl verify --vkey vkey f/t
	reports 'completeness.json: is missing'
	is 1 sh "$script" "$(cat vkey)" f/t
	reports 'completeness.json'
}

# A package of another person's workflows does not say that they are hers.
a_selection_that_does_not_fit_is_refused() {
	takes 'w1 w2 w3 ' --person "$(id -un)"
	rm -rf f
	cp -r p f
	sed -i 's/"person":"[^"]*"/"person":"1001"/' f/t/package.json \
		f/t/completeness.json
	listed_again f/t
	is 4 trailctl verify --vkey vkey f/t
	reports 't/w1: has no entry of the person by whom it was selected'
}


with /dev/fuse a_trail_is_made workflows_are_selected \
	what_fits_nothing_makes_no_package \
	what_is_no_selection_is_refused a_forged_completeness_is_refused \
	a_selection_that_does_not_fit_is_refused
finish
