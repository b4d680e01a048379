#!/bin/sh
# Attacks on ledger entries, hashes and checkpoints.
. "$(dirname "$0")/../suite_tamper.sh"

# An edited person, mode, size or body fails the right links and is named.
an_edited_entry_is_named() {
	n=$(entry_of "$L")
	attack "$(in_entry "$n" '"user":"root"' '"user":"toor"')"
	fails "tree,tiles,$beside" copy
	names "entry $n, $L" altered
	attack "$(in_entry "$n" 0644 0600)"
	fails "names,tree,tiles,$beside" copy
	names "entry $n, $L" 'another owner or mode'
	attack "$(in_entry "$n" '"size":' '"size":1')"
	fails "contents,entries,names,tree,tiles,$beside" copy
	names "entry $n, $L" altered
	names "entry $n, $L" 'another size'
	attack "UPDATE entry SET body = x'7b7d' WHERE idx = $n"
	fails "entries,names,tree,tiles,$beside" copy
	names "entry $n" malformed
}

# Deleted entries are found at the beginning, in the middle and at the end.
a_deleted_entry_is_named() {
	n=$(entry_of "$L")
	attack "DELETE FROM entry WHERE idx = $n"
	fails entries,names copy
	names "entry $n" 'is missing'
	attack "DELETE FROM entry WHERE idx BETWEEN $n AND $((n + 2))"
	fails entries,names copy
	names "entry $n" "entries $n to $((n + 2)) are missing"
	attack 'DELETE FROM entry WHERE idx = 0'
	fails entries,names copy
	names 'entry 0' 'is missing'
	attack 'DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)'
	fails entries copy
	names "entry $(query 'SELECT max(idx) FROM entry')" 'is missing'
}

# Two entries that swapped their numbers are both named.
entries_that_changed_places_are_named() {
	n=$(entry_of "$L")
	attack "UPDATE entry SET idx = -1 WHERE idx = $n;
		UPDATE entry SET idx = $n WHERE idx = $((n + 1));
		UPDATE entry SET idx = $((n + 1)) WHERE idx = -1"
	fails "entries,names,tree,tiles,$beside" copy
	names "entry $n, .*" "number $((n + 1))"
	names "entry $((n + 1)), $L" "number $n"
}

# Edited or deleted tiles and checkpoints fail tree, tiles or signature.
edited_hashes_and_checkpoints_are_found() {
	attack "UPDATE tile SET data = CAST(substr(data, 1, 64) || zeroblob(32)
		|| substr(data, 97) AS BLOB)"
	fails tree,tiles copy
	names 'entry 2' altered
	says '^    tile 0/0 is not'
	attack 'UPDATE tile SET data = substr(data, 1, 64)'
	fails tiles copy
	attack 'DELETE FROM tile'
	fails tiles copy
	says '^    tile 0/0 is missing'
	newest='WHERE size = (SELECT max(size) FROM checkpoint)'
	attack "UPDATE checkpoint SET root = zeroblob(32) $newest"
	fails signature copy
	attack "UPDATE checkpoint SET note = CAST(replace(CAST(note AS TEXT),
		'example.org/tamper', 'example.org/temper') AS BLOB) $newest"
	fails signature copy
	attack "DELETE FROM checkpoint $newest"
	is 5 trailctl verify --vkey vkey copy
	says 'are not signed yet'
	says 'the checkpoint beside the database is signed for [0-9]* entries, and'
	attack "DELETE FROM checkpoint $newest; DELETE FROM meta
		WHERE key = 'ticket'"
	fails "entries,tiles,$beside" copy
	says 'entries after the newest checkpoint'
	attack 'DELETE FROM checkpoint'
	fails signature copy
	says 'there is no checkpoint'
}

# An entry appended behind the newest checkpoint is found.
an_appended_entry_is_found() {
	for n in max\(idx\)+1 max\(idx\)+7; do
		attack "INSERT INTO entry SELECT $n, max(off) + length(body) + 1,
			body FROM entry"
		fails entries copy
		names 'entry [0-9]*' 'after the newest checkpoint'
	done
}

# An entry with a negative number is found.
an_entry_before_the_first_is_found() {
	attack 'INSERT INTO entry SELECT -1, 0, body FROM entry WHERE idx = 1'
	fails entries copy
}

# A hash or a tile too many is found: the next append would collide with it.
an_appended_hash_is_found() {
	attack 'UPDATE tile SET data = CAST(data || zeroblob(32) AS BLOB)'
	fails tiles copy
	attack 'INSERT INTO tile VALUES(0, 1, zeroblob(32))'
	fails tiles copy
}

# An entry copied from another store is named, here without a new signature.
an_entry_of_another_store_is_named() {
	for n in 0 1; do
		attack "UPDATE entry SET body = x'$(sqlite3 other/ledger.db \
			"SELECT hex(body) FROM entry WHERE idx = $n")' WHERE idx = $n"
		is 4 trailctl verify --vkey vkey copy
		says '^entries *FAILED'
		says '^tree *FAILED'
		names "entry $n" altered
		[ "${1-}" = signed ] || continue
		resign copy store/keys/log.pem
		is 4 trailctl verify --vkey vkey copy
		says '^entries *FAILED'
		says '^tree *OK'
		says 'belongs to another ledger'
		[ "$n" -eq 0 ] || says "^    entry $n: belongs to another ledger"
	done
}

# The same, when the key of the log has signed it.
an_entry_of_another_store_is_named_even_when_signed() {
	an_entry_of_another_store_is_named signed
}

with 'sqlite3 /dev/fuse' a_store_is_made_to_be_attacked
with 'sqlite3 /dev/fuse' an_edited_entry_is_named \
	a_deleted_entry_is_named \
	entries_that_changed_places_are_named \
	edited_hashes_and_checkpoints_are_found \
	an_appended_entry_is_found \
	an_entry_before_the_first_is_found \
	an_appended_hash_is_found \
	an_entry_of_another_store_is_named
with 'sqlite3 /dev/fuse python3 openssl' an_entry_of_another_store_is_named_even_when_signed
finish
