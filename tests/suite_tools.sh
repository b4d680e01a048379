# shellcheck shell=sh disable=SC2034 # the suites use the variables
# The common part of the suites of trailctl, tests/shell/tools-*.sh.
# shellcheck source=tests/suite.sh
. "$(dirname "$0")/../suite.sh"
# An attestation in the mount.
A=t/w/command-logs

# Make a store and keep its key in vkey.
a_store_is_made() {
	is 0 trailctl init --origin example.org/tools store
	cp out vkey
}

# Mount the store and record the sample session and three more files.
evidence_is_recorded() {
	mount store
	mkdir -p "mnt/$A"
	cp "$sample"/command-logs/* "mnt/$A/"
	echo late >"mnt/$A/late.txt"
	echo more >"mnt/$A/more.txt"
	echo odd >"mnt/$A/back\\slash"
	is 0 trailctl sync mnt
}

# junit FILE: print the totals of a JUnit file (tests, failures, errors,
# skipped), then the cases that did not pass.
junit() {
	python3 - "$1" <<-'EOF'
	import sys, xml.etree.ElementTree as tree
	suite = tree.parse(sys.argv[1]).getroot()
	assert suite.get('name') == 'trailfs.verify'
	kinds = {'failure': 'failures', 'error': 'errors', 'skipped': 'skipped'}
	cases = suite.findall('testcase')
	if suite.get('errors') != '1' or cases[0].get('name') != 'verify':
	    assert ': ' in suite.find('properties/property').get('value')
	bad = [c for c in cases if len(c) and c[0].tag != 'skipped']
	for kind, attribute in kinds.items():
	    n = len(suite.findall('testcase/' + kind))
	    assert n == int(suite.get(attribute)), kind
	assert len(cases) == int(suite.get('tests'))
	print(*[suite.get(k) for k in ('tests', 'failures', 'errors', 'skipped')],
	    *[c.get('name') + '/' + c[0].tag for c in bad])
	EOF
}

# The output of the last `is` is one line of JSON with sorted keys.
is_canonical() {
	jq -Sc . <out >canonical
	cmp canonical out
}
