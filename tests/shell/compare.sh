#!/bin/sh
# trailctl compare and push: two ledgers, and the records of another system.
. "$(dirname "$0")/../suite_tools.sh"

# Make a store with evidence, and copies of it from before and after.
stores_are_made() {
	a_store_is_made
	mount store
	mkdir -p mnt/t/w
	echo one | is 0 trailctl attest --name f mnt/t/w/a -
	cp mnt/.trailfs/checkpoint early
	echo two | is 0 trailctl attest --name f mnt/t/w/b -
	is 0 trailctl package mnt/t/w -o p.zip
	unmount
	cp -a store copy
	is 0 trailctl export-log store log
}

# compared STATUS RELATION A B [OPTION...]: in both directions.
compared() {
	expected=$1 relation=$2 a=$3 b=$4
	shift 4
	is "$expected" trailctl compare --json "$@" "$a" "$b"
	is_canonical
	[ "$(jq -r .relation <out)" = "$relation" ]
	is "$expected" trailctl compare "$@" "$b" "$a"
}

# shows FILTER: the JSON that was printed last has it.
shows() {
	jq -e "$1" <out >shown || { cat out; return 1; }
}

# Equal: a copy, the log in files, a mount; nothing is printed if quiet.
what_is_equal_is_equal() {
	compared 0 equal store copy
	says '^equal$'
	compared 0 equal store log
	is 0 trailctl compare --json store log
	shows 'has("findings") or has("left_out") | not'
	mount store
	is 0 trailctl compare mnt copy
	says '^B is the beginning of A'
	unmount
	is 0 trailctl compare -q copy log
	[ ! -s out ]
}

# The beginning of the other: a checkpoint, a package, an older copy.
a_beginning_is_a_beginning() {
	compared 0 'b is the beginning of a' store early
	compared 0 'a is the beginning of b' early store
	compared 0 'a is the beginning of b' copy store
	is 0 trailctl compare --json copy store
	shows 'has("findings") | not'
	compared 0 'b is the beginning of a' store p.zip
	compared 0 'b is the beginning of a' copy p.zip
	compared 0 'b is the beginning of a' log early --vkey vkey
	[ "$(trailctl compare store copy | sed -n 's/^A  \([0-9]*\) .*/\1/p')" -gt \
		"$(trailctl compare store copy | sed -n 's/^B  \([0-9]*\) .*/\1/p')" ]
}

# A fork is named with both entries, a fork of a checkpoint without.
a_fork_is_found() {
	is 0 trailctl init --moved copy
	compared 4 forked store copy
	is 4 trailctl compare store copy
	n=$(sed -n 's/^forked at entry //p' out)
	[ "$(grep -c "\"seq\":$n," out)" = 2 ]
	is 4 trailctl compare --json store copy
	is_canonical
	shows ".fork == $n and .findings == [{a: .a.entry, b: .b.entry,
		kind: \"fork\", seq: $n}]"
	shows ".a.entry.seq == $n and .b.entry.seq == $n and
		.a.entry != .b.entry"
	is 0 trailctl export-log copy grown
	compared 4 forked store grown
	cp grown/checkpoint late
	is 4 trailctl compare store late
	says '^forked: their roots do not agree'
	is 4 trailctl compare --json store late
	shows '.findings == [{kind: "fork"}] and (has("fork") | not)'
	is 0 trailctl init --origin example.org/other other
	is 6 trailctl compare store other
	says '^two different logs$'
	is 6 trailctl compare --json store other
	shows 'has("findings") | not'
}

# What is not known is not called equal: two checkpoints of different sizes.
what_is_not_known_is_doubt() {
	compared 5 unknown early late --vkey vkey
	is 2 trailctl compare early late
	is 2 trailctl compare store
	is 3 trailctl compare store nowhere
	echo junk >junk
	is 2 trailctl compare store junk
}

# damage STORE SQL: past the triggers of the database.
damage() {
	triggers="FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
	sqlite3 "$1/ledger.db" "SELECT sql || ';' $triggers" >create.sql
	sqlite3 "$1/ledger.db" "SELECT 'DROP TRIGGER ' || name || ';' $triggers" \
		>drop.sql
	{
		cat drop.sql
		echo "$2;"
		cat create.sql
	} | sqlite3 "$1/ledger.db"
}

# Altered evidence of either side is listed, with what both have.
altered_evidence_is_listed() {
	cp -a copy damaged
	damage damaged "UPDATE object SET body = CAST('x' AS BLOB)
		WHERE body = CAST('one' || char(10) AS BLOB)"
	is 4 trailctl compare copy damaged
	says 't/w/a/f'
	is 4 trailctl compare damaged copy
	one=$(echo one | sha256sum | cut -c -64)
	x=$(printf x | sha256sum | cut -c -64)
	right="{sha256: \"$one\", size: 4}" wrong="{sha256: \"$x\", size: 1}"
	finding='kind: "altered", link: "contents", path: "t/w/a/f"'
	is 4 trailctl compare --json copy damaged
	is_canonical
	shows ".relation == \"equal\" and .a.findings == 0 and
		.b.findings == 1 and (has(\"left_out\") | not)"
	shows "[.findings[] | del(.seq, .text)] ==
		[{a: $right, b: $wrong, $finding, side: \"b\"}]"
	shows '.findings[0].seq > 0 and
		(.findings[0].text | startswith("altered: "))'
	is 4 trailctl compare --json damaged copy
	shows "[.findings[] | del(.seq, .text)] ==
		[{a: $wrong, b: $right, $finding, side: \"a\"}]"
	# Both have others: neither is shown as right.
	is 4 trailctl compare --json damaged damaged
	shows "[.findings[] | .a, .b] == [$wrong, null, null, $wrong]"
	# A checkpoint has no bytes.
	is 4 trailctl compare --json damaged late
	shows "[.findings[] | .kind, .a, .b] == [\"altered\", $wrong, null]"
}

# So is missing evidence: the first by entry, and how many are left out.
missing_evidence_is_listed() {
	mount copy
	mkdir many
	for i in $(seq 1003); do
		echo same >"many/$i"
	done
	is 0 trailctl attest mnt/t/w/c many
	echo odd | is 0 trailctl attest --name 'a\b' mnt/t/w/d -
	unmount
	rm -rf damaged
	cp -a copy damaged
	damage damaged "DELETE FROM object
		WHERE body = CAST('odd' || char(10) AS BLOB)"
	is 4 trailctl compare --json copy damaged
	is_canonical
	odd=$(echo odd | sha256sum | cut -c -64)
	shows "[.findings[] | select(.kind == \"missing\") |
		del(.seq, .text)] == [{a: {sha256: \"$odd\", size: 4},
		kind: \"missing\", link: \"contents\",
		path: \"t/w/d/a\\\\x5Cb\", side: \"b\"}]"
	damage damaged "DELETE FROM object
		WHERE body = CAST('same' || char(10) AS BLOB)"
	is 4 trailctl compare --json copy damaged
	shows '[.findings[] | select(.kind == "missing")] | length == 1000'
	shows '[.findings[] | select(.kind == "missing") | .seq] |
		. == sort'
	shows '.left_out >= 4 and
		.b.findings == .left_out + (.findings | length)'
	left=$(jq .left_out <out)
	is 4 trailctl compare copy damaged
	says "and $left more\$"
}

# Names that JSON cannot hold are shown as on a terminal.
names_of_findings_are_valid() {
	is 0 trailctl unpack p.zip unpacked
	dir=$(find unpacked -name bagit.txt -exec dirname {} +)
	echo >"$dir/$(printf 'x\377\001')"
	is 1 trailctl compare --json store "$dir"
	is_canonical
	shows '.findings[0] | [.kind, .path, .side] ==
		["beside", "x\\xFF\\x01", "b"]'
}

# Records of another system are recorded with their identifiers, once.
records_are_pushed() {
	mount store
	mkdir -p records/D1
	echo a >records/A1
	echo b >records/B1
	echo x >records/D1/x
	echo y >records/D1/y
	echo h >records/S%2F9
	for r in A1 B1 D1; do
		is 0 trailctl push --begin --from crm mnt/t/r/$r records/$r
	done
	is 0 trailctl push --from crm mnt/t/r/A1 records/A1
	says 'already recorded'
	is 2 trailctl push mnt/t/r/s -
	echo h | is 0 trailctl push --id S/9 mnt/t/r/s -
	is 0 trailctl compare --records records mnt/t
	says '^4 the same, 0 differ, 0 not recorded, 0 extra$'
	is 0 trailctl compare -q --records records mnt/t
	[ ! -s out ]
}

# What differs, lacks or is extra is named.
records_are_compared() {
	echo bb >records/B1
	rm records/A1
	echo c >records/C1
	echo z >records/D1/z
	is 1 trailctl compare --records records mnt/t
	says '^differs  *B1  t/r/B1$'
	says '^differs  *D1  t/r/D1$'
	says '^not recorded  *C1$'
	says '^extra  *A1  t/r/A1$'
	says '^1 the same, 2 differ, 1 not recorded, 1 extra$'
	# The newest version counts.
	is 0 trailctl push mnt/t/r/B1 records/B1
	says 'B1@2'
	is 1 trailctl compare --json --records records mnt/t
	is_canonical
	[ "$(jq -r .record <out | sort | tr '\n' ' ')" = \
		'differs extra not recorded ' ]
	# With the bytes of those that are one file.
	echo b2 >records/B1
	a=$(sha256sum <records/B1 | cut -c -64)
	b=$(echo bb | sha256sum | cut -c -64)
	old=$(echo a | sha256sum | cut -c -64)
	odd=$(printf 'n\377\001')
	echo odd >"records/$odd"
	is 1 trailctl compare --json --records records mnt/t
	is_canonical
	jq -s . <out >list
	mv list out
	shows "any(. == {a: {sha256: \"$a\", size: 3},
		b: {sha256: \"$b\", size: 3}, id: \"B1\", path: \"t/r/B1@2\",
		record: \"differs\"})"
	shows 'any(. == {id: "D1", path: "t/r/D1", record: "differs"})'
	shows "any(. == {b: {sha256: \"$old\", size: 2}, id: \"A1\",
		path: \"t/r/A1\", record: \"extra\"})"
	shows 'any(. == {id: "n\\xff\\x01", record: "not recorded"})'
	unmount
	is 1 trailctl compare --records records store/t
	is 2 trailctl compare --records records store/t store
	is 3 trailctl compare --records nowhere store/t
}

run stores_are_made what_is_equal_is_equal a_beginning_is_a_beginning \
	a_fork_is_found what_is_not_known_is_doubt altered_evidence_is_listed \
	missing_evidence_is_listed names_of_findings_are_valid \
	records_are_pushed records_are_compared
finish
