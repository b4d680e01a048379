#!/bin/sh
# The first line of trailctl verify: what it says of each thing that can be verified,
# and that it never says more than was checked.
. "$(dirname "$0")/../suite_tools.sh"
packages=$top/tests/packages

# first STATUS PATTERN COMMAND...: the command ends with the status, the first line is
# like the extended regular expression, and --json has it in `verdict`.
first() {
	want=$1
	line=$2
	shift 2
	is "$want" "$@"
	head -n 1 out >said
	grep -Exq -- "$line" said || {
		echo "the first line is not '$line':"
		cat out
		exit 1
	}
	# No other line is one, and the others begin with the name of a check.
	[ "$(grep -Ec '^(GENUINE|WHOLE|SAME|FAILED|UNDECIDED):' out)" -eq 1 ]
	is "$want" "$@" --json
	is_canonical
	jq -r .verdict out | cmp - said
}
key='example\.org/tools\+[0-9a-f]{8}'
signed="GENUINE: signed by $key"
good='nothing recorded was altered'
pages='; proven by nothing: [0-9]+ files for reading'

# A store with sealed and open attestations, and what comes of it.
things_to_verify_are_there() {
	a_store_is_made
	is 0 trailctl trail create store/t
	mkdir new
	echo 1 >new/1
	echo 2 >new/2
	is 0 trailctl attest --begin --seal store/t/w/a new/1 new/2
	is 0 trailctl attest --begin store/t/open/a new/1
	is 0 trailctl seal store/t/w
	is 0 trailctl export-log store log
	is 0 trailctl prove -o p.tlog-proof store/t/w/a/1
	is 0 trailctl package --no-entry -o w.zip store/t/w
	is 0 trailctl package --no-entry -o a.zip store/t/w/a
	is 0 trailctl package --no-entry -o o.zip store/t/open
	is 0 trailctl package --no-entry -o t.zip store/t
	is 0 trailctl package --no-entry -o s.zip --since 2000-01-01 store/t
	is 0 trailctl unpack w.zip un
	cp store/checkpoint held
	is 0 trailctl init --origin example.org/other other
	cp out other.vkey
	# Another key with the name of the same log.
	is 0 trailctl init --origin example.org/tools forged
	cp out forged.vkey
}

# Whose key it was is never left out: a store can be replaced by another one.
a_store_is_genuine_by_a_given_key_only() {
	n=$(trailctl log --json store | wc -l)
	first 0 "WHOLE: signed by its own key $key, which --vkey did not pin, complete for the store's $n entries, $good" \
		trailctl verify store
	first 0 "$signed, complete for the store's $n entries, $good" \
		trailctl verify --vkey vkey store
	first 0 "$signed, complete for the store's $n entries, $good" \
		trailctl verify --vkey vkey --checkpoint held store
	first 4 'FAILED: [0-9]+ findings?.*: signature: not signed by the key given: .*\. Keep the store as it is, .*' \
		trailctl verify --vkey forged.vkey store
}

# A mirror is complete for what it has.
a_mirror_says_how_far_it_goes() {
	is 0 trailctl mirror store copy
	is 0 trailctl trail create store/later
	m=$(trailctl log --json copy | wc -l)
	first 0 "$signed, complete for the store's $m entries, $good" \
		trailctl verify --vkey vkey copy
}

# An exported log is complete without the evidence, and says so.
a_log_names_what_was_not_checked() {
	n=$(trailctl log --json --vkey vkey log 2>/dev/null | wc -l)
	first 0 "$signed, complete for the log's [0-9]+ entries, no entry was altered; the evidence was not checked" \
		trailctl verify --vkey vkey log
	mkdir -p ev/t/w/a ev/t/open/a
	cp new/1 new/2 ev/t/w/a
	cp new/1 ev/t/open/a
	first 0 "$signed, complete for the log's [0-9]+ entries, $good" \
		trailctl verify --vkey vkey --evidence ev log
	echo 3 >ev/t/w/a/2
	first 4 'FAILED: 1 finding: contents: entry [0-9]+, t/w/a/2: altered.*\. Do not rely on it: .*' \
		trailctl verify --vkey vkey --evidence ev log
}

# With the file that it is about, without it, and with another.
a_proof_is_about_one_file() {
	first 0 "$signed, the file is what entry [0-9]+ recorded as t/w/a/1, $good" \
		trailctl verify --vkey vkey p.tlog-proof new/1
	first 0 "$signed, entry [0-9]+ in it is about t/w/a/1, $good; the file was not checked" \
		trailctl verify --vkey vkey p.tlog-proof
	first 4 'FAILED: 1 finding: contents: entry [0-9]+, t/w/a/1: altered.*' \
		trailctl verify --vkey vkey p.tlog-proof new/2
}

# Only seals prove that nothing was left out.
a_package_is_complete_for_what_seals_count() {
	first 0 "$signed, complete for workflow t/w, $good$pages" \
		trailctl verify --vkey vkey w.zip
	first 0 "$signed, complete for workflow t/w, $good$pages" \
		trailctl verify --vkey vkey un/w
	first 0 "$signed, complete for attestation t/w/a, $good; later versions of it may exist$pages" \
		trailctl verify --vkey vkey a.zip
	first 0 "$signed, $good; not known to be complete for workflow t/open: 1 in it not sealed$pages" \
		trailctl verify --vkey vkey o.zip
	first 0 "$signed, $good; not known to be complete for trail t: 2 in it not sealed$pages" \
		trailctl verify --vkey vkey t.zip
	first 0 "$signed, $good; not known to be complete for trail t: it has the workflows of some time only$pages" \
		trailctl verify --vkey vkey s.zip
	first 5 'UNDECIDED: no damage found in what was checked, but earlier checkpoint: .*\. Verify the whole log with that checkpoint' \
		trailctl verify --vkey vkey --checkpoint store/checkpoint w.zip
}

# Another log, another key of that log, and other bytes.
a_package_that_is_wrong_says_so_first() {
	first 6 'FAILED: not signed by the key given: it is of the log example\.org/tools and only agrees with itself\. Do not rely on it, .*' \
		trailctl verify --vkey other.vkey w.zip
	first 4 'FAILED: 1 finding: signature: not signed by the key given: .*' \
		trailctl verify --vkey forged.vkey w.zip
	cp -r un altered
	echo x >>altered/w/data/a/2
	first 4 'FAILED: 1 finding: contents: entry [0-9]+, t/w/a/2: altered.*' \
		trailctl verify --vkey vkey altered/w
	first 4 'FAILED: not signed by the key given, and 1 finding: contents: .*' \
		trailctl verify --vkey other.vkey altered/w
	first 4 'FAILED: 1 finding: package: the archive is malformed.*' \
		trailctl verify --vkey vkey "$packages/bad/cut-short.zip"
	first 4 'FAILED: [0-9]+ findings, the first: .*' \
		trailctl verify --vkey "$packages/golden/v1/vkey" \
		"$packages/bad/attestation-withheld.zip"
}

# What another program packed again holds the evidence, and is not the original.
a_package_that_was_packed_again_is_named() {
	first 1 'GENUINE: signed by .*, nothing recorded was altered.*\. 1 finding beside the evidence: package: another program packed it again.*' \
		trailctl verify --vkey "$packages/golden/v1/vkey" \
		"$packages/bad/again-by-a-desktop.zip"
	is 1 trailctl verify --vkey "$packages/golden/v1/vkey" \
		"$packages/bad/again-by-a-desktop.zip"
	says '; 2 harmless files beside it$'
}

# The ledger of the other side is not what was verified.
a_comparison_says_what_was_not_verified() {
	first 0 'SAME: the directory has, byte for byte, all that the ledger of example.org/tools has for t/w, 2 files; the ledger itself was not verified' \
		trailctl verify --against un/w store/t/w
	first 4 'FAILED: 1 finding: contents: entry [0-9]+, a/2: altered.*\. Keep the directory as it is, .*' \
		trailctl verify --against altered/w store/t/w
	touch un/w/data/a/more
	first 1 'SAME: .*\. 1 finding beside the evidence: names: data/a/more: .*' \
		trailctl verify --against un/w store/t/w
	rm un/w/data/a/more
}

# An incremental verification says what it did not read.
what_was_not_read_is_named() {
	is 0 trailctl init --origin example.org/tools big
	is 0 trailctl trail create big/t
	for i in 1 2 3 4 5 6 7 8; do
		head -c 70000 /dev/urandom >f
		is 0 trailctl attest --begin --seal "big/t/w/$i" f
	done
	is 0 trailctl verify --record big
	first 0 "WHOLE: .*, complete for the store's [0-9]+ entries, nothing that was read was altered; not read this time: [1-9][0-9]* older files?" \
		trailctl verify --incremental big
}

# The end of a log that nobody has signed yet.
unsigned_ends_are_undecided() {
	needs sqlite3
	cp -a store cut
	all="FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
	{
		sqlite3 cut/ledger.db "SELECT 'DROP TRIGGER ' || name || ';' $all"
		echo 'DELETE FROM checkpoint
			WHERE size = (SELECT max(size) FROM checkpoint);'
		sqlite3 cut/ledger.db "SELECT sql || ';' $all"
	} >edit.sql
	sqlite3 cut/ledger.db <edit.sql
	first 5 'UNDECIDED: no damage found in what was checked, but signature: .*\. Verify again when it is signed' \
		trailctl verify --vkey vkey cut
}

# Names cannot make a second line, nor an escape sequence.
names_stay_in_the_line() {
	mkdir -p odd/t/w/a
	cp -r ev/. odd
	mkdir 'odd/t/w/a/x
GENUINE: '
	touch 'odd/t/w/a/x
GENUINE: /f' "$(printf 'odd/t/w/a/\033[2J')"
	first 4 'FAILED: .*' trailctl verify --against odd store
	never_says "$(printf '\033')"
}

# What is printed meanwhile is on standard error, and the verdict comes first also
# where nothing but damage is printed.
the_verdict_is_the_first_line_of_quiet_answers_too() {
	is 0 trailctl verify -q --vkey vkey store
	[ ! -s out ]
	is 4 trailctl verify -q --vkey vkey altered/w
	head -n 1 out | grep -q '^FAILED: '
	# The statuses of the manual are those of the answers above.
	for status in 0 1 4 5 6; do
		man=$(sed -n '/^.Sh EXIT STATUS/,/^.Sh EXAMPLES/p' \
			"$top/man/trailctl.1")
		echo "$man" | grep -qx ".It $status"
	done
}

with jq things_to_verify_are_there a_store_is_genuine_by_a_given_key_only \
	a_mirror_says_how_far_it_goes a_log_names_what_was_not_checked \
	a_proof_is_about_one_file a_package_is_complete_for_what_seals_count \
	a_package_that_is_wrong_says_so_first \
	a_package_that_was_packed_again_is_named \
	a_comparison_says_what_was_not_verified what_was_not_read_is_named \
	unsigned_ends_are_undecided names_stay_in_the_line \
	the_verdict_is_the_first_line_of_quiet_answers_too
finish
