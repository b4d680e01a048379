#!/bin/sh
# Attacks on the database: schema, index, triggers, rows of names.
. "$(dirname "$0")/../suite_tamper.sh"

games='are not as trailfs makes them'

# verify, trailctl and the mount refuse the copy without looking further.
refused() {
	is 4 trailctl verify --vkey vkey copy
	complains "$games"
	is 4 trailctl sync copy
	complains "$games"
	is 1 trailfs copy "$mnt"
	complains "$games"
	[ ! -s out ]
}

# A database with anything added to its schema or removed is refused.
another_schema_is_refused() {
	for game in 'DROP TRIGGER entry_update' 'DROP TRIGGER node_delete' \
		'DROP INDEX node_parent' 'CREATE TABLE extra(x)' \
		'CREATE VIEW extra AS SELECT * FROM node' \
		'CREATE INDEX extra ON node(mode)' \
		'CREATE TRIGGER extra BEFORE INSERT ON stage BEGIN SELECT 1; END' \
		'ALTER TABLE node ADD COLUMN extra INT' \
		'ALTER TABLE node RENAME TO extra' 'ANALYZE'; do
		again store
		sqlite3 copy/ledger.db "$game"
		refused
	done
}

# A schema edited through writable_schema is refused.
a_schema_written_by_hand_is_refused() {
	while read -r old new; do
		again store
		sqlite3 copy/ledger.db "PRAGMA writable_schema = ON;
			UPDATE sqlite_schema SET sql = replace(sql, '$old', '$new');"
		cmp -s store/ledger.db copy/ledger.db && exit 1
		refused
	done <<-'EOT'
	raise(ABORT, raise(FAIL,
	BEFORE AFTER
	never seldom
	STRICT STRICT,STRICT
	EOT
}

# A row that the index of names does not know is found and named.
an_index_that_lies_is_found() {
	again store
	n=$(node_of "$L")
	root=$(query "SELECT rootpage FROM sqlite_schema
		WHERE name = 'node_parent'")
	# Hide the index from SQLite, move a row, and show the index again.
	triggers=$(query "SELECT group_concat('''' || name || '''') FROM
		sqlite_schema WHERE type = 'trigger' AND tbl_name = 'node'")
	sqlite3 copy/ledger.db "ATTACH 'kept.db' AS kept;
		CREATE TABLE kept.was AS SELECT rowid AS r, * FROM sqlite_schema
			WHERE name = 'node_parent' OR name IN ($triggers);
		PRAGMA writable_schema = ON;
		DELETE FROM sqlite_schema
			WHERE name = 'node_parent' OR name IN ($triggers);"
	sqlite3 copy/ledger.db "UPDATE node SET parent = 1 WHERE id = $n"
	sqlite3 copy/ledger.db "ATTACH 'kept.db' AS kept;
		PRAGMA writable_schema = ON;
		INSERT INTO sqlite_schema(rowid, type, name, tbl_name, rootpage, sql)
			SELECT r, type, name, tbl_name, rootpage, sql FROM kept.was;"
	[ "$(sqlite3 copy/ledger.db "SELECT rootpage FROM sqlite_schema
		WHERE name = 'node_parent'")" = "$root" ]
	fails entries,names copy
	says 'missing from index node_parent'
	names "entry $(entry_of "$L"), $L" 'another place'
}

# forged ID ENTRY: print SQL that adds a name.
forged() {
	echo "INSERT INTO node SELECT $1, $(node_of "$A"), CAST('forged' AS BLOB),
		5, mode, uid, gid, size, mtime, mtime_ns, ctime, ctime_ns, btime,
		btime_ns, $2, NULL, object, NULL FROM node
		WHERE entry = $(entry_of "$L")"
}

# A deleted file, directory, attestation or trail is reported as missing.
a_deleted_name_is_named() {
	for path in "$L" "$A/sub" "$A" t; do
		attack "DELETE FROM node WHERE entry = $(entry_of "$path")"
		fails names copy
		names "entry $(entry_of "$path"), $path" 'is missing'
	done
}

# A name without an entry, or with the entry of another name, is reported.
an_added_name_is_named() {
	attack "$(forged 90000 90000)"
	fails names copy
	says '^    .*forged: .*has no entry'
	attack "$(forged 90000 "$(entry_of "$S")")"
	fails names copy
	says '^    .*forged: '
}

# A name that took the entry of a deleted one is reported, as is that one.
a_name_in_the_place_of_another_is_named() {
	attack "DELETE FROM node WHERE entry = $(entry_of "$S");
		$(forged 90000 "$(entry_of "$S")")"
	fails names copy
	names "entry $(entry_of "$S"), $S" 'is missing'
	says '^    .*forged: '
}

# INSERT OR REPLACE is refused by the triggers where SQLite lets them see it.
replace_walks_past_no_trigger() {
	for table in entry tile checkpoint node object digest; do
		again store
		got=0
		sqlite3 copy/ledger.db "PRAGMA recursive_triggers = ON;
			INSERT OR REPLACE INTO $table SELECT * FROM $table LIMIT 1" \
			>out 2>&1 || got=$?
		[ "$got" -ne 0 ]
		grep -Eq 'never|only' out
		is 0 trailctl verify --vkey vkey copy
	done
}

# Verify finds rows replaced where a setting hides this from the triggers.
# Triggers guard against our own mistakes only.
replace_past_a_trigger_is_found() {
	again store
	sqlite3 copy/ledger.db "PRAGMA recursive_triggers = OFF;
		INSERT OR REPLACE INTO node SELECT id, parent, name, kind, mode, 7,
		gid, size, mtime, mtime_ns, ctime, ctime_ns, btime, btime_ns, entry,
		seal, object, xattrs FROM node WHERE entry = $(entry_of "$L")"
	fails names copy
	names "entry $(entry_of "$L"), $L" 'another owner or mode'
	again store
	sqlite3 copy/ledger.db "PRAGMA recursive_triggers = OFF;
		INSERT OR REPLACE INTO object SELECT id, size, sha256,
		zeroblob(size) FROM object WHERE id = $(object_of "$L")"
	fails contents copy
	names "entry $(entry_of "$L"), $L" altered
}

with 'sqlite3 /dev/fuse' a_store_is_made_to_be_attacked
with 'sqlite3 /dev/fuse' another_schema_is_refused \
	a_schema_written_by_hand_is_refused \
	an_index_that_lies_is_found
with 'sqlite3 /dev/fuse' a_deleted_name_is_named \
	an_added_name_is_named \
	a_name_in_the_place_of_another_is_named \
	replace_walks_past_no_trigger \
	replace_past_a_trigger_is_found
finish
