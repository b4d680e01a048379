#!/bin/sh
# Attacks on the bytes of evidence: altered, deleted, swapped.
. "$(dirname "$0")/../suite_tamper.sh"

# One altered bit of small evidence is found and names the file.
a_flipped_bit_in_the_database_names_the_file() {
	again store
	flip copy/ledger.db "$(offset_of copy/ledger.db 'uid=0(root)')"
	fails contents copy
	names "entry $(entry_of "$L"), $L" altered
}

# One altered bit, or bytes appended, in an object file name the evidence.
a_flipped_bit_in_an_object_file_names_the_file() {
	again store
	flip "$(object_file copy "$B")" 5000
	fails contents copy
	names "entry $(entry_of "$B"), $B" altered
	again store
	chmod u+w "$(object_file copy "$B")"
	echo more >>"$(object_file copy "$B")"
	fails contents copy
	names "entry $(entry_of "$B"), $B" altered
}

# One altered bit in a signed statement names its attestation.
a_flipped_bit_in_a_statement_names_the_attestation() {
	again store
	flip copy/ledger.db "$(offset_of copy/ledger.db 'in-toto.io/Statement')"
	fails contents copy
	names "entry $(seal_of "$U"), $U" 'statement is altered'
}

# The mount answers altered or missing evidence with EIO.
# ENOENT would say that the file never existed.
altered_bytes_are_not_served() {
	again store
	flip copy/ledger.db "$(offset_of copy/ledger.db 'uid=0(root)')"
	rm -f "$(object_file copy "$B")"
	mount copy -o moved
	is 1 cat "mnt/$L"
	complains 'Input/output error'
	[ ! -s out ]
	is 1 cat "mnt/$B"
	complains 'Input/output error'
	[ ! -s out ]
	cmp "mnt/$S" "$sample/command-logs/session-summary.json"
	unmount
}

# A deleted object is missing, also if a link to equal bytes replaces it.
a_deleted_object_is_missing_and_not_altered() {
	again store
	rm -f "$(object_file copy "$B")"
	fails contents copy
	names "entry $(entry_of "$B"), $B" missing
	# A link to the same bytes elsewhere is not the object.
	ln -s "$work/$(object_file store "$B")" "$(object_file copy "$B")"
	fails contents copy
	names "entry $(entry_of "$B"), $B" missing
	attack "DELETE FROM object WHERE id = $(object_of "$L")"
	fails contents copy
	names "entry $(entry_of "$L"), $L" missing
	attack "DELETE FROM object WHERE sha256 NOT IN
		(SELECT sha256 FROM object JOIN node ON node.object = object.id)"
	fails contents copy
	names "entry $(seal_of "$U"), $U" 'statement is missing'
}

# A digest that points to the wrong object is found.
# Otherwise equal bytes that come later would be taken for that object.
a_digest_of_other_bytes_is_found() {
	attack "UPDATE digest SET object = $(object_of "$S")
		WHERE object = $(object_of "$L")"
	is 4 trailctl verify --vkey vkey copy
	says '^contents *FAILED'
}

# Evidence recorded under a wrong digest still keeps its own bytes.
equal_bytes_are_not_taken_for_other_ones() {
	attack "UPDATE digest SET object = $(object_of "$S")
		WHERE object = $(object_of "$L")"
	mount copy -o moved
	mkdir mnt/t/w/equal
	cp "$sample/${L#t/w/}" mnt/t/w/equal/file
	trailctl sync mnt
	cmp "$sample/${L#t/w/}" mnt/t/w/equal/file
	unmount
	is 4 trailctl verify --vkey vkey copy
	if grep t/w/equal out; then
		exit 1
	fi
}

# Attack a copy: two files swap their objects.
swap_objects() {
	x=$(object_of "$L") y=$(object_of "$S")
	attack "UPDATE node SET object = $x + $y - object
		WHERE object IN ($x, $y)"
}

# Swapped objects, swapped bytes and swapped rows each name both files.
swapped_bytes_name_both_files() {
	swap_objects
	fails contents copy
	names "entry $(entry_of "$L"), $L" altered
	names "entry $(entry_of "$S"), $S" altered
	# Swap the bytes themselves.
	attack "CREATE TEMP TABLE was AS SELECT id, body FROM object;
		UPDATE object SET body = (SELECT body FROM was
		WHERE was.id = $x + $y - object.id) WHERE id IN ($x, $y)"
	fails contents copy
	names "entry $(entry_of "$L"), $L" altered
	names "entry $(entry_of "$S"), $S" altered
	# Swap the whole rows.
	attack "UPDATE object SET id = -id WHERE id IN ($x, $y);
		UPDATE object SET id = $x + $y + id WHERE id < 0"
	fails contents copy
	names "entry $(entry_of "$L"), $L" altered
	names "entry $(entry_of "$S"), $S" altered
}

# The mount answers swapped evidence with EIO.
swapped_bytes_are_not_served() {
	swap_objects
	mount copy -o moved
	for path in "$L" "$S"; do
		is 1 cat "mnt/$path"
		complains 'Input/output error'
	done
	unmount
}

with 'sqlite3 /dev/fuse' a_store_is_made_to_be_attacked
with 'sqlite3 /dev/fuse' a_flipped_bit_in_the_database_names_the_file \
	a_flipped_bit_in_an_object_file_names_the_file \
	a_flipped_bit_in_a_statement_names_the_attestation \
	altered_bytes_are_not_served \
	a_deleted_object_is_missing_and_not_altered \
	a_digest_of_other_bytes_is_found \
	equal_bytes_are_not_taken_for_other_ones
with 'sqlite3 /dev/fuse' swapped_bytes_name_both_files \
	swapped_bytes_are_not_served
finish
