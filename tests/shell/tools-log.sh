#!/bin/sh
# trailctl verify, export-log and prove on a store that is not mounted: keys,
# logs, proofs, earlier checkpoints.
. "$(dirname "$0")/../suite_tools.sh"

# verify --vkey checks by the key given; without it, by the store's own key.
verify_pins_the_key() {
	is 0 trailctl verify store
	says "^signature *OK *of example.org/tools, by the store's own key; --vkey"
	is 0 trailctl verify --vkey vkey store
	says '^signature *OK *of example.org/tools, by the key given'
	is 0 trailctl verify --vkey "$(cat vkey)" --rebuild store
	says '^names *OK'
}

# A store signed by another key fails the key given, in both directions.
verify_finds_another_key() {
	is 0 trailctl init --origin example.org/tools other
	cp out otherkey
	is 4 trailctl verify --vkey otherkey store
	says '^signature *FAILED'
	is 4 trailctl verify --vkey vkey other
	says '^signature *FAILED'
}

# A cut, empty, double or missing key is refused and never ignored.
verify_refuses_a_file_that_is_no_key() {
	is 2 trailctl verify --vkey "$(cut -c 1-40 vkey)" store
	has_lines 0
	cat vkey otherkey >twokeys
	is 2 trailctl verify --vkey twokeys store
	complains 'one key'
	: >nokey
	is 2 trailctl verify --vkey nokey store
	is 3 trailctl verify --vkey nowhere store
	has_lines 0
}

# An exported log verifies without the store; a second export writes nothing.
export_log_makes_a_log_that_verifies() {
	is 0 trailctl export-log store exported
	has_lines 1
	says '^2 tiles written, size 2$'
	is 0 trailctl verify --vkey vkey exported
	for link in entries tree tiles signature; do
		says "^$link *OK"
	done
	for link in contents names 'earlier checkpoint' witness timestamp; do
		says "^$link *ABSENT"
	done
	is 0 trailctl export-log --json store exported
	says '^{"size":2,"tiles":0}$'
	is 2 trailctl export-log store other
	is 2 trailctl export-log store
	is 3 trailctl export-log nowhere exported
}

# A proof of the root verifies, from stdout as with -o; it has no tiles.
prove_makes_a_proof_that_verifies() {
	is 0 trailctl prove store
	says '^c2sp.org/tlog-proof@v1$'
	mv out first
	is 0 trailctl prove -o root.tlog-proof store
	has_lines 0
	cmp first root.tlog-proof
	[ -z "$(find . -name '.root*')" ]
	is 0 trailctl verify --vkey vkey root.tlog-proof
	says '^tree *OK *size 2, root [0-9a-f]\{64\}$'
	says '^tiles *ABSENT'
	is 1 trailctl prove store/none
	complains 'ledger has no none'
	has_lines 0
	is 3 trailctl prove nowhere
}

# A log and a proof hold no key, so verify without --vkey is refused.
a_log_or_a_proof_needs_a_key() {
	is 2 trailctl verify exported
	complains 'cannot prove its own key'
	has_lines 0
	is 2 trailctl verify root.tlog-proof
	complains 'cannot prove its own key'
	has_lines 0
	is 2 trailctl verify --vkey vkey --evidence . store
	is 2 trailctl verify --vkey vkey --rebuild exported
	is 2 trailctl verify --json --junit - store
	has_lines 0
}

# A proof and a log fail against the key of another log with the same origin.
a_proof_by_another_key_fails() {
	is 4 trailctl verify --vkey otherkey root.tlog-proof
	says '^signature *FAILED'
	never_says '^tree *OK'
	is 4 trailctl verify --vkey otherkey exported
	says '^signature *FAILED'
}

# altered SED-SCRIPT: make altered.tlog-proof of root.tlog-proof; false if
# nothing changed.
altered() {
	sed "$1" root.tlog-proof >altered.tlog-proof
	if cmp -s root.tlog-proof altered.tlog-proof; then
		return 1
	fi
}

# A change in index, hash, entry, root, signature or line ends is found.
an_altered_proof_fails() {
	altered 's/^index 0/index 1/'
	is 4 trailctl verify --vkey vkey altered.tlog-proof
	# In the first hash, the entry, the root and the signature.
	altered '4{s/^Q/R/;t;s/^./Q/;}'
	is 4 trailctl verify --vkey vkey altered.tlog-proof
	says '^tree *FAILED'
	says '^    entry 0'
	altered 's/^extra ..../extra eyJb/'
	is 4 trailctl verify --vkey vkey altered.tlog-proof
	says '^tree *FAILED'
	altered 's/^2$/3/'
	is 4 trailctl verify --vkey vkey altered.tlog-proof
	says '^signature *FAILED'
	head -n 3 root.tlog-proof >altered.tlog-proof
	is 2 trailctl verify --vkey vkey altered.tlog-proof
	has_lines 0
	altered 's/$/\r/'
	is 2 trailctl verify --vkey vkey altered.tlog-proof
	has_lines 0
}

# Cut, missing and edited tiles fail the right link and name the entry.
a_log_that_is_not_whole_fails() {
	rm -rf cut
	cp -r exported cut
	truncate -s -9 cut/tile/entries/000.p/2
	is 4 trailctl verify --vkey vkey cut
	says '^entries *FAILED'
	says '^    entry 1: '
	rm cut/tile/entries/000.p/2
	is 4 trailctl verify --vkey vkey cut
	says '^tiles *FAILED'
	says '^    tile/entries/000.p/2 is missing'
	rm -rf cut
	cp -r exported cut
	truncate -s 32 cut/tile/0/000.p/2
	is 4 trailctl verify --vkey vkey cut
	says '^tiles *FAILED'
	rm -rf cut
	cp -r exported cut
	sed -i 's/ledger.opened/ledger.opexed/' cut/tile/entries/000.p/2
	is 4 trailctl verify --vkey vkey cut
	says '^tree *FAILED'
	says '^    entry 0: '
	rm cut/checkpoint
	is 4 trailctl verify --vkey vkey cut
	says 'there is no checkpoint'
	is 3 trailctl verify cut
	complains 'no checkpoint'
}

# An earlier checkpoint holds; a later one shows that entries were cut off.
verify_compares_with_an_earlier_checkpoint() {
	cp exported/checkpoint held
	is 0 trailctl verify --vkey vkey --checkpoint held exported
	says '^earlier checkpoint *OK'
	cp -r store fork
	is 0 trailctl sync store
	is 0 trailctl verify --vkey vkey --checkpoint held store
	says '^earlier checkpoint *OK'
	is 0 trailctl export-log store grown
	says 'size 4$'
	is 0 trailctl verify --vkey vkey --checkpoint held grown
	says '^earlier checkpoint *OK'
	# Compared the other way round, entries were cut off.
	is 4 trailctl verify --vkey vkey --checkpoint grown/checkpoint exported
	says '^earlier checkpoint *FAILED'
	# A proof covers one tree only.
	is 0 trailctl verify --vkey vkey --checkpoint held root.tlog-proof
	says '^earlier checkpoint *OK'
	is 5 trailctl verify --vkey vkey --checkpoint grown/checkpoint \
		root.tlog-proof
	says '^earlier checkpoint *ABSENT'
}

# A checkpoint of another history fails although the tree itself is whole.
an_earlier_checkpoint_that_is_no_prefix_fails() {
	is 0 trailctl init --moved fork
	is 0 trailctl verify --vkey vkey fork
	is 4 trailctl verify --vkey vkey --checkpoint fork/checkpoint store
	says '^earlier checkpoint *FAILED'
	says 'history was rewritten'
	says '^tree *OK'
	is 4 trailctl verify --vkey vkey --checkpoint fork/checkpoint grown
	says '^earlier checkpoint *FAILED'
}

# An empty, malformed or foreign checkpoint never counts as an earlier one.
a_malformed_checkpoint_is_never_a_prefix() {
	: >empty
	printf 'example.org/tools\n02\nx\n' >bad
	sed 's/$/\r/' held >crlf
	for f in empty bad crlf vkey other/checkpoint; do
		got=0
		trailctl verify --vkey vkey --checkpoint $f exported >out 2>err ||
			got=$?
		[ "$got" -eq 4 ] || [ "$got" -eq 2 ]
		never_says '^earlier checkpoint *[OA]'
	done
	is 3 trailctl verify --vkey vkey --checkpoint nowhere exported
	has_lines 0
}

run a_store_is_made
run verify_pins_the_key \
	verify_finds_another_key \
	verify_refuses_a_file_that_is_no_key \
	export_log_makes_a_log_that_verifies \
	prove_makes_a_proof_that_verifies \
	a_log_or_a_proof_needs_a_key \
	a_proof_by_another_key_fails
run an_altered_proof_fails \
	a_log_that_is_not_whole_fails \
	verify_compares_with_an_earlier_checkpoint \
	an_earlier_checkpoint_that_is_no_prefix_fails \
	a_malformed_checkpoint_is_never_a_prefix
finish
