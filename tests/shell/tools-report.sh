#!/bin/sh
# The reports of trailctl verify: JSON, JUnit, and entries of a later version.
. "$(dirname "$0")/../suite_tools.sh"

# Make a store, its log before and after one sync, and a log to damage.
a_store_and_its_logs_are_made() {
	a_store_is_made
	is 0 trailctl init --origin example.org/tools other
	cp out otherkey
	is 0 trailctl export-log store exported
	cp exported/checkpoint held
	cp -r exported cut
	is 0 trailctl sync store
	is 0 trailctl export-log store grown
}

# The JSON of verify is canonical and holds all links, sizes and findings.
verify_in_json_is_canonical() {
	is 0 trailctl verify --json --vkey vkey --checkpoint held store
	is_canonical
	[ "$(jq -r '.links["earlier checkpoint"]' <out)" = OK ]
	[ "$(jq -r '.links.witness' <out)" = ABSENT ]
	[ "$(jq -c '[(.links|length), .found, .size, .entries, .pinned]' \
		<out)" = '[9,0,4,4,true]' ]
	[ "$(jq -r .root <out)" = "$(trailctl status --json store |
		jq -r .root)" ]
	is 4 trailctl verify --json store --vkey otherkey
	is_canonical
	[ "$(jq -r '.findings[] | select(.link == "signature") | .text' \
		<out | wc -l)" -ge 1 ]
	is 0 trailctl verify --json store
	[ "$(jq -r .pinned <out)" = false ]
}

# The JUnit file agrees with the exit status, also if nothing was checked.
verify_writes_junit() {
	is 0 trailctl verify --junit j.xml --vkey vkey store
	says '^signature *OK'
	[ "$(junit j.xml)" = '9 0 0 3' ]
	is 0 trailctl verify --junit - --vkey vkey exported
	[ "$(junit out)" = '9 0 0 5' ]
	sed -i 's/ledger.opened/ledger.opexed/' cut/tile/entries/000.p/2
	cp exported/checkpoint cut/
	is 4 trailctl verify --json --junit j.xml --vkey vkey cut
	[ "$(jq -r .links.tree <out)" = FAILED ]
	junit j.xml | grep -q tree/failure
	# A check that failed replaces the earlier report too.
	is 3 trailctl verify --junit j.xml --vkey vkey nowhere
	[ "$(junit j.xml)" = '1 0 1 0 verify/error' ]
	is 3 trailctl verify --junit nowhere/j.xml --vkey vkey store
	is 4 trailctl verify --junit nowhere/j.xml --vkey vkey cut
	is 0 trailctl verify --junit /dev/null --vkey vkey store
	[ -c /dev/null ]
}

# A quiet verification prints nothing on success, and all else as ever.
verify_can_be_quiet() {
	for quiet in --quiet -q '--quiet --json'; do
		# shellcheck disable=SC2086
		is 0 trailctl verify $quiet --vkey vkey store
		[ ! -s out ]
		[ ! -s err ]
	done
	is 0 trailctl verify --quiet --junit j.xml --vkey vkey store
	[ -s j.xml ]
	is 4 trailctl verify --vkey vkey cut
	cp out loud
	is 4 trailctl verify --quiet --vkey vkey cut
	cmp out loud
	is 4 trailctl verify --quiet --json --vkey vkey cut
	says '"findings"'
	is 4 trailctl verify --quiet --vkey otherkey store
	[ -s out ]
}

# forge ENTRY: make the log forged, which is grown with that entry more, signed
# by the log's own key.
forge() {
	rm -rf forged
	cp -r grown forged
	python3 - store/keys/log.pem "$1" <<-'EOF'
	import base64, glob, hashlib, os, subprocess, sys
	def h(b): return hashlib.sha256(b).digest()
	def root(x):
	    if len(x) == 1: return x[0]
	    k = 1 << (len(x) - 1).bit_length() - 1
	    return h(b'\1' + root(x[:k]) + root(x[k:]))
	[old] = glob.glob('forged/tile/0/000.p/*')
	size = int(old.rsplit('/')[-1]) + 1
	entry = sys.argv[2].replace('SEQ', str(size - 1)).encode()
	leaves = open(old, 'rb').read() + h(b'\0' + entry)
	bundle = open('forged/tile/entries/000.p/%d' % (size - 1), 'rb').read()
	bundle += len(entry).to_bytes(2, 'big') + entry
	open('forged/tile/0/000.p/%d' % size, 'wb').write(leaves)
	open('forged/tile/entries/000.p/%d' % size, 'wb').write(bundle)
	leaves = [leaves[i:i + 32] for i in range(0, len(leaves), 32)]
	note = open('forged/checkpoint').read().split('\n')
	text = '%s\n%d\n%s\n' % (note[0], size,
	    base64.b64encode(root(leaves)).decode())
	open('text', 'w').write(text)
	sig = subprocess.run(['openssl', 'pkeyutl', '-sign', '-rawin', '-inkey',
	    sys.argv[1], '-in', 'text'], check=True, capture_output=True).stdout
	dash, name, line = note[4].split(' ')
	line = base64.b64encode(base64.b64decode(line)[:4] + sig).decode()
	open('forged/checkpoint', 'w').write(
	    text + '\n' + ' '.join((dash, name, line)) + '\n')
	EOF
}

# An entry of a later version exits with 5, one with a wrong number with 4.
entries_of_a_later_version_are_in_doubt() {
	later='"at":"2999-01-01T00:00:00.000000000Z","origin":"example.org/tools"'
	forge "{$later,\"seq\":SEQ,\"type\":\"thing.done\",\"v\":1}"
	is 0 trailctl verify --json --vkey vkey forged
	[ "$(jq -c '[.unknown,.newer]' <out)" = '[1,0]' ]
	forge "{$later,\"seq\":SEQ,\"type\":\"thing.done\",\"v\":2}"
	is 5 trailctl verify --vkey vkey --checkpoint held forged
	says '^entries .*1 of a later version'
	says '^earlier checkpoint *OK'
	is 5 trailctl verify --json --junit j.xml --vkey vkey forged
	[ "$(jq -c '[.unknown,.newer,.found]' <out)" = '[0,1,0]' ]
	[ "$(junit j.xml)" = '9 0 1 5 entries/error' ]
	forge "{$later,\"seq\":7,\"type\":\"thing.done\",\"v\":1}"
	is 4 trailctl verify --vkey vkey forged
	says '^entries *FAILED'
	says '^    entry 4'
}

run a_store_and_its_logs_are_made
with 'jq python3 openssl' verify_in_json_is_canonical \
	verify_writes_junit verify_can_be_quiet
with 'jq python3 openssl' entries_of_a_later_version_are_in_doubt
finish
