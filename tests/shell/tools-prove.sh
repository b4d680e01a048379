#!/bin/sh
# trailctl prove and verify on evidence in a mount.
. "$(dirname "$0")/../suite_tools.sh"

shared_mount=yes

# Evidence and directories are proven by their path in mount or store.
prove_takes_a_path_in_a_mount() {
	f=$A/session-summary.json
	is 0 trailctl prove -o mounted.tlog-proof "mnt/$f"
	has_lines 0
	is 0 trailctl verify --vkey vkey mounted.tlog-proof "mnt/$f"
	says '^contents *OK *1 file'
	says '^tree *OK'
	is 0 trailctl prove -o stored.tlog-proof "store/$f"
	is 0 trailctl verify --vkey vkey stored.tlog-proof "mnt/$f"
	for dir in t t/w "$A"; do
		is 0 trailctl prove -o dir.tlog-proof "mnt/$dir"
		is 0 trailctl verify --vkey vkey dir.tlog-proof
	done
}

# prove -o writes into a named pipe and does not replace it.
prove_into_a_pipe_leaves_the_pipe() {
	mkfifo pipe
	timeout 20 cat pipe >piped &
	is 0 trailctl prove -o pipe "store/$A/session-summary.json"
	wait $!
	[ -p pipe ]
	grep -q '^index [0-9]' piped
}

# A proof names its path, person, time, size and entry.
# Equal bytes that were recorded elsewhere have another proof.
a_proof_names_its_subject() {
	mkdir -p mnt/t/proofs/a
	echo same >mnt/t/proofs/a/one && echo same >mnt/t/proofs/a/two
	trailctl sync mnt
	is 0 trailctl prove -o two.tlog-proof mnt/t/proofs/a/two
	is 0 trailctl verify --vkey vkey two.tlog-proof mnt/t/proofs/a/one
	says "^path *t/proofs/a/two$"
	says '^person *root'
	says '^time *20..-'
	says "^size *5 bytes, SHA-256 $(echo same | sha256sum | cut -c -64)"
	says '^entry *[0-9]*, evidence.sealed, of '
	is 0 trailctl verify --json --vkey vkey two.tlog-proof \
		mnt/t/proofs/a/one
	says '"subject":{"actor":{.*"uid":0.*"path":"t/proofs/a/two".*"size":5,"type":"evidence.sealed"}'
	echo other >altered.txt
	is 4 trailctl verify --vkey vkey two.tlog-proof altered.txt
	says '^FAILED: '
}

# A copy verifies against the proof; an altered copy fails in its contents.
an_altered_file_fails_against_its_proof() {
	f=$A/session-summary.json
	cp "mnt/$f" copy.json
	is 0 trailctl verify --vkey vkey mounted.tlog-proof copy.json
	echo >>copy.json
	is 4 trailctl verify --vkey vkey mounted.tlog-proof copy.json
	says '^contents *FAILED'
	says "^    entry [0-9]*, $f: altered"
	says '^tree *OK'
	is 3 trailctl verify --vkey vkey mounted.tlog-proof nowhere
	is 4 trailctl verify --vkey vkey dir.tlog-proof copy.json
}

# An open file has no proof, and no file is left by the attempt.
an_open_file_has_no_proof() {
	mkdir -p mnt/t/v/a
	exec 3>mnt/t/v/a/open
	echo x >&3
	for path in mnt store; do
		is 1 trailctl prove -o no.tlog-proof "$path/t/v/a/open"
		complains 'not sealed yet'
	done
	exec 3>&-
	[ ! -e no.tlog-proof ]
}

# verify --evidence names altered and missing files beside a log, in order.
a_log_is_checked_with_evidence() {
	is 0 trailctl sync mnt
	rm -rf exported ev
	is 0 trailctl export-log mnt exported
	is 0 trailctl verify --vkey vkey --evidence mnt exported
	says '^contents *OK *[1-9][0-9]* files, '
	cp -r mnt ev
	is 0 trailctl verify --vkey vkey --evidence ev exported
	printf x >>ev/$A/late.txt
	rm "ev/$A/more.txt"
	is 4 trailctl verify --vkey vkey --evidence ev --junit j.xml exported
	says '^contents *FAILED *2 findings'
	says "^    entry [0-9]*, $A/late.txt: altered"
	says "^    entry [0-9]*, $A/more.txt: "
	[ "$(junit j.xml)" = '9 1 0 4 contents/failure' ]
	# Findings are in the order of their entries.
	sed -n 's/^    entry \([0-9]*\), .*/\1/p' out | sort -nc
	is 3 trailctl verify --vkey vkey --evidence nowhere exported
}

# Odd names are escaped in text, JSON and JUnit.
odd_names_do_no_harm_in_any_form() {
	odd=$(printf '<&>"]]>\357\277\277')
	mkdir mnt/t/v/odd
	echo odd >"mnt/t/v/odd/$odd"
	is 0 trailctl sync mnt
	is 0 trailctl export-log store exported
	is 4 trailctl verify --vkey vkey --evidence ev --junit j.xml exported
	junit j.xml >/dev/null
	grep -q '/&lt;&amp;&gt;&quot;\]\]&gt;\\xef\\xbf\\xbf:' j.xml
	is 4 trailctl verify --vkey vkey --evidence ev --json exported
	is_canonical
	[ "$(jq -r '.findings[-1].path' <out)" = "t/v/odd/$odd" ]
	rm -f "ev/$A/back\\slash"
	is 4 trailctl verify --vkey vkey --evidence ev exported
	says '/back\\x5Cslash: '
}

# With a key, verify of a mount checks what the mount serves, not the store.
verify_of_a_mount_by_a_key_is_through_the_mount() {
	is 0 trailctl verify --vkey vkey "mnt/$A"
	says '^contents *OK *[1-9]'
	says '^names *ABSENT'
	is 0 trailctl init --origin example.org/tools other
	cp out otherkey
	is 4 trailctl verify --vkey otherkey mnt
	is 0 trailctl verify --vkey vkey mnt/.trailfs
	says '^contents *ABSENT'
	is 0 trailctl verify --vkey vkey --rebuild mnt
	says '^names *OK'
	mkdir copied
	cp -r mnt/.trailfs/checkpoint mnt/.trailfs/tile copied
	is 0 trailctl verify --vkey vkey copied
}

with /dev/fuse a_store_is_made evidence_is_recorded
with /dev/fuse prove_takes_a_path_in_a_mount \
	prove_into_a_pipe_leaves_the_pipe \
	a_proof_names_its_subject \
	an_altered_file_fails_against_its_proof \
	an_open_file_has_no_proof
with '/dev/fuse jq python3' a_log_is_checked_with_evidence \
	odd_names_do_no_harm_in_any_form
with /dev/fuse verify_of_a_mount_by_a_key_is_through_the_mount
finish
