#!/bin/sh
# Copies of an organisation that have names only: trailctl org fetch --names.
# shellcheck source=tests/suite_organisation.sh
. "$(dirname "$0")/../suite_organisation.sh"

mkdir mnt2
a=$(copy copies a)

# All entries and names are there, and no byte of evidence; and everything says so.
a_sparse_copy_says_what_it_lacks() {
	host a 2
	organisation org a
	is 0 trailctl org fetch --names dir:org copies
	if grep -rq 'evidence 1 of a' copies; then exit 1; fi
	is 5 trailctl verify --vkey a/keys/log.vkey "$a"
	says '^UNDECIDED: .*the bytes of 4 files are not in this copy, they are in dir:org'
	says '^UNDECIDED: .*Fetch the copy without --names, and verify again$'
	never_says 'Make it readable'
	says '^contents *ABSENT'
	says '^names *OK'
	says '^entries *OK'
	is 5 trailctl verify --json --vkey a/keys/log.vkey "$a"
	says '"absent":4,'
	is 0 trailctl status "$a"
	says '^contents *absent: they are in dir:org'
	trailctl log --json a >log.source
	trailctl log --json "$a" >log.copy
	cmp log.source log.copy
	is 0 trailctl find --name report "$a"
	says 'trail/run/a2/report'
	is 0 trailctl show "$a/trail/run/a1"
	says '^state *sealed'
	# A version that does not know sparse copies does not open it.
	[ "$(sqlite3 -readonly "$a/ledger.db" 'PRAGMA user_version')" = 7 ]
}

# What needs contents says what to do, and makes nothing.
contents_are_refused() {
	is 3 trailctl package --no-entry -o part.zip "$a/trail"
	complains 'not in this copy, but in dir:org'
	[ ! -e part.zip ]
	for verb in 'backup' 'mirror'; do
		# shellcheck disable=SC2086 # words
		if trailctl $verb "$a" out2 >out 2>err; then exit 1; fi
		complains 'names only'
		[ ! -e out2/ledger.db ]
	done
	timeout 30 trailfs "$a" mnt2 -o ro
	[ "$(stat -c %s mnt2/trail/run/a1/report)" = 16 ]
	if cat mnt2/trail/run/a1/report 2>err; then exit 1; fi
	complains 'Input/output error'
	# Nothing is called damaged.
	trailctl status mnt2 >out
	never_says 'damaged'
}

# New entries come, also beside a mount; the copy stays sparse.
a_sparse_copy_grows() {
	add a 3
	forward a org
	is 0 trailctl org fetch --names dir:org copies
	says '^1 origin: [1-9]'
	is 5 trailctl verify --vkey a/keys/log.vkey "$a"
	says 'the bytes of 6 files'
	[ "$(stat -c %s mnt2/trail/run/a3/report)" = 16 ]
}

# An entry that is altered is refused as in a whole copy.
an_altered_entry_is_refused() {
	cp -r org bad
	alter bad "UPDATE leaf SET body = CAST(replace(CAST(body AS TEXT),
		'trail/run/a2/report', 'trail/run/a2/repost') AS BLOB)
		WHERE CAST(body AS TEXT) LIKE '%trail/run/a2/report%'"
	is 4 trailctl org fetch --names dir:bad badcopies
	complains '^trailctl: example.org/a: entr'
}

# Without --names it becomes whole; killed at any of its syncs, the next run goes on.
a_sparse_copy_becomes_whole() {
	cp -r org bad2
	find bad2/objects -type f -size +100k -delete
	is 4 trailctl org fetch dir:bad2 copies
	complains 'missing, and no redaction is recorded'
	is 5 trailctl verify --vkey a/keys/log.vkey "$a"
	got=0
	strace -f -qq -o trace -e trace=fsync,fdatasync \
		-e inject=fsync,fdatasync:signal=KILL:when=6 \
		trailctl org fetch -q dir:org copies || got=$?
	[ "$got" -eq 137 ]
	is 5 trailctl verify --vkey a/keys/log.vkey "$a"
	is 0 trailctl org fetch dir:org copies
	says '^1 origin: 0 new entries, [1-9]'
	is_copy a copies
	[ "$(sqlite3 -readonly "$a/ledger.db" 'PRAGMA user_version')" = 6 ]
	grep -q 'evidence 2 of a' mnt2/trail/run/a2/report
	add a 4
	forward a org
	is 0 trailctl org fetch dir:org copies
	is_copy a copies
}

# A vault without evidence lacks nothing as a sparse copy.
a_sparse_copy_of_no_evidence_is_whole() {
	host empty 0
	organisation org3 empty
	is 0 trailctl org fetch --names dir:org3 copies3
	e=$(copy copies3 empty)
	[ "$(sqlite3 -readonly "$e/ledger.db" 'PRAGMA user_version')" = 7 ]
	is 0 trailctl verify --vkey empty/keys/log.vkey "$e"
	says '^GENUINE: '
	says '^contents *OK'
	never_says 'not in this copy'
}

with '/dev/fuse sqlite3 strace' a_sparse_copy_says_what_it_lacks contents_are_refused \
	a_sparse_copy_grows an_altered_entry_is_refused a_sparse_copy_becomes_whole \
	a_sparse_copy_of_no_evidence_is_whole
finish
