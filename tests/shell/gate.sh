#!/bin/sh
# Gates: trailctl assert waits and says why, override replaces a verdict.
. "$(dirname "$0")/../suite.sh"

# cases FILE: print the totals of a JUnit file (tests, failures, errors,
# skipped), then the cases that did not pass.
cases() {
	python3 - "$1" <<-'EOF2'
	import sys, xml.etree.ElementTree as tree
	suite = tree.parse(sys.argv[1]).getroot()
	assert suite.get('name') == 'trailfs.assert'
	kinds = {'failure': 'failures', 'error': 'errors', 'skipped': 'skipped'}
	for kind, attribute in kinds.items():
	    n = len(suite.findall('testcase/' + kind))
	    assert n == int(suite.get(attribute)), kind
	assert len(suite) == int(suite.get('tests'))
	print(*[suite.get(k) for k in ('tests', 'failures', 'errors', 'skipped')],
	    *[c.get('name') + '/' + c[0].tag for c in suite if len(c)])
	EOF2
}

# Make a store, a trail and a file.
a_store_is_made() {
	is 0 trailctl init --origin example.org/gate store
	is 0 trailctl trail create store/t
	echo hello >hello.txt
}

# The exit status is the verdict, and one line says why.
assert_says_why() {
	mount store
	# A trail without a workflow is no mount point without a mount.
	is 3 trailctl assert mnt/t/none
	complains '^trailctl: mnt/t/none: No such file or directory$'
	mkdir mnt/t/w
	is 5 trailctl assert --junit j.xml mnt/t/w
	says '^t/w  INCOMPLETE$'
	says '^  nothing was recorded$'
	[ "$(cases j.xml)" = '1 0 1 0 t/w/error' ]
	is 0 trailctl attest mnt/t/w/good hello.txt
	is 0 trailctl assert --junit - mnt/t/w
	[ "$(cases out)" = '1 0 0 0' ]
	is 0 trailctl attest mnt/t/w/bad --compliant false hello.txt
	is 1 trailctl assert --junit j.xml mnt/t/w
	says '^t/w  NON-COMPLIANT$'
	says '^  bad .* NOT compliant .*[a-z]'
	[ "$(cases j.xml)" = '2 1 0 0 bad/failure' ]
	is 1 trailctl assert --json mnt/t/w
	says '"status":"NON-COMPLIANT"'
	is 3 trailctl assert mnt/t/none
	is 2 trailctl assert mnt/t
	is 2 trailctl assert --wait soon mnt/t/w
	is 2 trailctl assert mnt/t/w mnt/t/w
	is 3 trailctl assert --junit nowhere/j.xml mnt/t/w
	unmount
	is 1 trailctl assert store/t/w
	says '^  bad .* NOT compliant'
}

# The reasons are those of the template.
reasons_come_from_the_template() {
	cat >template.yml <<-'EOF2'
	version: 1
	trail:
	  attestations:
	    - {name: build, type: generic}
	    - {name: tests, type: junit}
	    - {name: approval, type: generic, x-trailfs: {after: [build]}}
	    - {name: scan, type: generic, x-trailfs: {optional: true}}
	EOF2
	echo '<testsuite><testcase name="a"><failure/></testcase></testsuite>' \
		>tests.xml
	is 0 trailctl trail create store/judged --template template.yml
	is 0 trailctl attest --begin store/judged/w/approval hello.txt
	is 1 trailctl assert --junit j.xml store/judged/w
	says '^  approval .* NOT compliant .*before build counted$'
	says '^  build  *MISSING .*nothing was reported$'
	says '^  scan  *MISSING .*optional$'
	[ "$(cases j.xml)" = \
'4 1 2 1 approval/failure build/error scan/skipped tests/error' ]
	is 0 trailctl attest store/judged/w/build hello.txt
	is 0 trailctl attest store/judged/w/approval --again hello.txt
	is 0 trailctl attest store/judged/w/tests --type junit tests.xml
	is 1 trailctl assert --junit j.xml store/judged/w
	says '^  tests .* NOT compliant .*did not pass'
	[ "$(cases j.xml)" = '4 1 0 1 scan/skipped tests/failure' ]
	is 0 trailctl override store/judged/w/tests --compliant true \
		--reason 'a known fault'
	is 0 trailctl assert --junit j.xml store/judged/w
	[ "$(cases j.xml)" = '4 0 0 1 scan/skipped' ]
}

# Only sealed attestations count with --sealed.
an_open_attestation_does_not_pass_the_gate() {
	mount store
	mkdir -p mnt/t/open/a
	cp hello.txt mnt/t/open/a/
	is 0 trailctl sync mnt
	is 0 trailctl assert mnt/t/open
	is 5 trailctl assert --sealed --junit j.xml mnt/t/open
	says 'it is not sealed$'
	[ "$(cases j.xml)" = '1 0 1 0 a/error' ]
	is 0 trailctl seal mnt/t/open/a
	is 0 trailctl assert --sealed mnt/t/open
	mkdir mnt/t/open/a@2
	cp hello.txt mnt/t/open/a@2/
	is 0 trailctl sync mnt
	is 0 trailctl assert --sealed --junit j.xml mnt/t/open
	[ "$(cases j.xml)" = '1 0 0 0' ]
	unmount
}

# --wait ends with the verdict, also of a workflow that does not exist yet.
assert_waits_for_the_verdict() {
	mount store
	(timeout 60 trailctl assert --wait 50 mnt/t/later >waited
		echo $? >status) &
	mkdir mnt/t/later
	is 0 trailctl attest mnt/t/later/a hello.txt
	wait
	[ "$(cat status)" = 0 ]
	grep -q '^t/later  COMPLIANT$' waited
	is 1 trailctl assert --wait 50 mnt/t/w
	is 3 trailctl assert --wait 1 mnt/t/never
	mkdir mnt/t/empty
	is 5 trailctl assert --wait 1 mnt/t/empty
	unmount
}

# An override has a reason, is an entry, and replaces the verdict.
an_override_replaces_the_verdict() {
	is 2 trailctl override store/t/w/bad --compliant true
	is 2 trailctl override store/t/w/bad --reason why
	is 2 trailctl override store/t/w/bad --compliant yes --reason why
	is 2 trailctl override store/t/w/bad --compliant true --reason ''
	is 2 trailctl override store/t/w --compliant true --reason why
	is 2 trailctl override store/t/w/bad --compliant true \
		--reason "$(head -c 3000 /dev/zero | tr '\0' x)"
	is 3 trailctl override store/t/w/none --compliant true --reason why
	is 0 trailctl override store/t/w/bad --compliant=true \
		--reason 'Seen by "A. Auditor"'
	says '^t/w/bad  overridden: compliant$'
	is 0 trailctl assert store/t/w
	mount store
	is 0 trailctl override --json mnt/t/w/bad --compliant false \
		--reason 'it was wrong'
	says '^{"compliant":false,"path":"t/w/bad","reason":"it was wrong"}$'
	is 1 trailctl assert mnt/t/w
	is 1 trailctl override mnt/t/open/a@2 --compliant true --reason why
	complains 'is not sealed'
	is 2 trailctl override mnt/t/w/bad --compliant true \
		--reason "$(head -c 3000 /dev/zero | tr '\0' x)"
	is 0 trailctl log --json --type attestation.overridden mnt/t
	has_lines 2
	unmount
	is 0 trailctl verify store
}

# Files are judged by a type, as the seal would do it, and without a store.
evaluate_judges_by_a_type() {
	cat >type.yml <<-'EOF2'
	version: 1
	evidence: review.json
	requirements:
	- id: reviewed
	  subject_type: pull_request
	  from: pulls
	  subject_id: number
	  min_subjects: 1
	  checks:
	  - {id: approver, operator: non_empty_string, path: approver}
	EOF2
	mkdir dir
	echo '{"pulls":[{"number":7,"approver":"bob"}]}' >good.json
	echo '{"pulls":[{"number":7,"approver":"bob"},{"number":8,"approver":""}]}' \
		>bad.json
	is 0 trailctl evaluate --type type.yml good.json
	says '^COMPLIANT$'
	has_lines 1
	is 1 trailctl evaluate --type type.yml bad.json
	says '^NON-COMPLIANT$'
	says '^  reviewed  approver  pull_request 8  '
	cp good.json dir/review.json
	is 0 trailctl evaluate --type type.yml dir
	is 5 trailctl evaluate --type type.yml good.json bad.json
	says '^NO EVIDENCE$'
	is 1 trailctl evaluate --type type.yml hello.txt
	is 2 trailctl evaluate --type hello.txt good.json
	complains 'hello.txt: line 1, column 1: '
	is 2 trailctl evaluate --type /dev/null good.json
	is 2 trailctl evaluate good.json
	is 2 trailctl evaluate --type type.yml
	is 2 trailctl evaluate --type type.yml -o xml good.json
	is 2 trailctl evaluate --type type.yml /dev/null
	is 3 trailctl evaluate --type nothing.yml good.json
	is 3 trailctl evaluate --type type.yml nothing.json
}

# JUnit reports are judged, whatever a single file is called.
evaluate_judges_junit() {
	echo '<testsuite><testcase name="a"/></testsuite>' >passed.xml
	echo '<testsuite><testcase name="a"><failure/></testcase></testsuite>' \
		>failed
	is 0 trailctl evaluate --type junit passed.xml
	is 1 trailctl evaluate --type junit failed
	says '^  1 failure$'
	is 0 trailctl evaluate --type junit passed.xml failed
	is 5 trailctl evaluate --type junit failed hello.txt
	is 1 trailctl evaluate --type junit hello.txt
	{ echo '<!DOCTYPE a [<!ENTITY b "cccccccccc">]>' &&
		cat passed.xml; } >bomb.xml
	is 1 trailctl evaluate --type junit bomb.xml
}

# The report is, byte for byte, that of the seal.
the_report_is_that_of_the_seal() {
	is 0 trailctl type set store/t reviewed type.yml
	mount store
	mkdir mnt/t/typed
	is 0 trailctl attest mnt/t/typed/review --type reviewed dir
	is 0 trailctl evaluate --type type.yml -o json dir
	{ cat mnt/t/typed/review/.trailfs/evaluation.json && echo; } |
		cmp - out
	cp bad.json dir/review.json
	is 0 trailctl attest mnt/t/typed/review --again --type reviewed dir
	is 1 trailctl evaluate --type type.yml -o json dir
	{ cat mnt/t/typed/review@2/.trailfs/evaluation.json && echo; } |
		cmp - out
	is 1 trailctl assert mnt/t/typed
	unmount
}

run a_store_is_made
with python3 reasons_come_from_the_template
with '/dev/fuse python3' assert_says_why \
	an_open_attestation_does_not_pass_the_gate
with /dev/fuse assert_waits_for_the_verdict an_override_replaces_the_verdict
run evaluate_judges_by_a_type evaluate_judges_junit
with /dev/fuse the_report_is_that_of_the_seal
finish
