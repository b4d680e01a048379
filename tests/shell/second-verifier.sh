#!/bin/sh
# tests/verify.sh, a second verifier, and trailctl agree about a log of a
# thousand entries and its proofs, intact and altered.
. "$(dirname "$0")/../suite.sh"

verifier=$top/tests/verify.sh

# Make the keys of two other logs.
other_keys_are_made() {
	is 0 trailctl init --origin example.org/other other
	cp out otherkey
	is 0 trailctl init --origin example.org/tamper store
	cp out vkey
}

# second STATUS THING...: check with tests/verify.sh.
second() {
	want=$1
	shift
	is "$want" "$verifier" bigkey "$@"
}

# Make a log of several tiles and levels, as exported and as served.
a_log_of_a_thousand_entries_is_made() {
	is 0 trailctl init --origin example.org/thousand big
	cp out bigkey
	mount big
	mkdir mnt/t mnt/t/run
	seq -f 'mnt/t/run/event-%04g' 1000 | xargs mkdir
	echo x >mnt/t/run/event-0300/file
	trailctl sync mnt
	mkdir served
	cp -r mnt/.trailfs/checkpoint mnt/.trailfs/tile served
	cp mnt/t/run/event-0300/.trailfs/proof/file.tlog-proof \
		served.tlog-proof
	unmount
	is 0 trailctl export-log big thousand
	[ "$(sed -n 2p thousand/checkpoint)" -ge 1000 ]
	[ -f thousand/tile/1/000.p/3 ]
	is 0 trailctl verify --vkey bigkey thousand
	is 0 trailctl prove -o entry.tlog-proof big/t/run/event-0700
	is 0 trailctl prove -o first.tlog-proof big
}

# The second verifier accepts log, proofs and checkpoint, by their key only.
another_verifier_agrees_with_the_log() {
	second 0 thousand entry.tlog-proof first.tlog-proof \
		thousand/checkpoint
	says '^thousand: [0-9]* entries of example.org/thousand'
	says '^entry.tlog-proof: entry '
	is 0 "$verifier" "$(cat bigkey)" entry.tlog-proof
	is 0 "$verifier" big/keys/log.pub.pem thousand/checkpoint
	is 1 "$verifier" otherkey thousand/checkpoint
	is 1 "$verifier" vkey entry.tlog-proof
}

# The second verifier accepts tiles, proof and checkpoint from the mount.
it_agrees_with_what_the_mount_serves() {
	second 0 served served.tlog-proof
	second 0 thousand served.tlog-proof served/checkpoint
}

# The second verifier finds a shorter log and another history.
it_compares_kept_checkpoints_and_proofs_with_the_log() {
	cp -a big grown
	is 0 trailctl init --moved grown
	is 0 trailctl export-log grown longer
	second 0 longer entry.tlog-proof thousand/checkpoint
	second 1 thousand longer/checkpoint
	complains 'fewer entries'
	is 0 trailctl sync big
	second 1 longer big/checkpoint
	complains 'another history'
}

# both_refuse WHAT: both verifiers refuse the altered copy of the log, the
# second with that message.
both_refuse() {
	second 1 altered
	complains "$1"
	is 4 trailctl verify --vkey bigkey altered
}

# Make altered, a fresh copy of the log.
alter() {
	rm -rf altered
	cp -a thousand altered
}

# Flipped, cut, missing, swapped and longer tiles are refused by both.
an_altered_log_is_refused_by_both() {
	last=$(sed -n 2p thousand/checkpoint)
	w=$((last % 256))
	for tile in entries/000 entries/003.p/$w 0/001 0/003.p/$w 1/000.p/3; do
		alter
		flip "altered/tile/$tile" 50
		both_refuse altered/tile/
	done
	for tile in entries/003.p/$w 0/000; do
		alter
		truncate -s -1 "altered/tile/$tile"
		both_refuse "altered/tile/$tile"
		rm "altered/tile/$tile"
		both_refuse "altered/tile/$tile is missing"
	done
	# Two bundles that swapped places; a bundle with a line more.
	alter
	mv altered/tile/entries/000 altered/tile/entries/one
	mv altered/tile/entries/001 altered/tile/entries/000
	mv altered/tile/entries/one altered/tile/entries/001
	both_refuse altered/tile/0/000
	alter
	echo x >>altered/tile/entries/000
	both_refuse altered/tile/entries/000
}

# A checkpoint altered in size, root or signature is refused by both.
an_altered_checkpoint_is_refused_by_both() {
	alter
	sed "2s/.*/$(($(sed -n 2p thousand/checkpoint) - 1))/" \
		thousand/checkpoint >altered/checkpoint
	both_refuse 'signature is wrong'
	# In the root, the signature and the text behind it.
	for at in 28 40 130 170; do
		alter
		flip altered/checkpoint "$at"
		second 1 altered
		got=0
		trailctl verify --vkey bigkey altered >out 2>err || got=$?
		[ "$got" -eq 4 ]
	done
	alter
	cp first.tlog-proof altered/checkpoint
	second 1 altered
}

# A proof altered in any part is refused by both verifiers.
an_altered_proof_is_refused_by_both() {
	for edit in 's/^index ./index 9/' '4s/^./-/' '4d' '5{h;d};6G' \
		's/^extra eyJ/extra eyK/' '4{p}'; do
		sed "$edit" entry.tlog-proof >altered.tlog-proof
		cmp -s entry.tlog-proof altered.tlog-proof && exit 1
		second 1 altered.tlog-proof
		got=0
		trailctl verify --vkey bigkey altered.tlog-proof >out 2>err ||
			got=$?
		[ "$got" -eq 4 ] || [ "$got" -eq 2 ]
	done
}

# The second verifier judges the vectors of tests/unit/test_vectors.c alike.
it_judges_our_vectors_as_trailctl_does() {
	cd "$top/tests/vectors"
	# shellcheck disable=SC2016
	find notes proofs -type f | timeout 300 xargs -n 1 -P "$(nproc)" sh -c '
		timeout 60 "$0" log.vkey "$1" >/dev/null 2>&1
		echo "${1##*/} $?"' "$verifier" >"$work/judged"
	cd "$work"
	[ "$(grep -c '^good-' judged)" -ge 18 ]
	[ "$(grep -c '^bad-' judged)" -ge 100 ]
	if grep -v -e '^good-.* 0$' -e '^bad-.* 1$' judged; then
		exit 1
	fi
}

with 'openssl /dev/fuse' other_keys_are_made
with 'openssl /dev/fuse' a_log_of_a_thousand_entries_is_made \
	another_verifier_agrees_with_the_log \
	it_agrees_with_what_the_mount_serves \
	it_compares_kept_checkpoints_and_proofs_with_the_log
with 'openssl /dev/fuse' an_altered_log_is_refused_by_both \
	an_altered_checkpoint_is_refused_by_both \
	an_altered_proof_is_refused_by_both \
	it_judges_our_vectors_as_trailctl_does
finish
