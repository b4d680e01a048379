#!/bin/sh
# Attacks on what ls shows: metadata, attributes and sums of the store.
. "$(dirname "$0")/../suite_tamper.sh"

# Each changed column of a file is found and names the file.
changed_metadata_of_a_file_is_named() {
	n=$(entry_of "$L")
	for change in "name = x'78'" "parent = $(node_of "$U")" 'kind = 4' \
		'mode = 384' 'uid = 7' 'gid = 7' 'size = 1' 'mtime = 1' \
		'mtime_ns = mtime_ns + 1' 'ctime = 1' 'ctime_ns = ctime_ns + 1' \
		'btime = 1' 'btime_ns = btime_ns + 1' 'entry = entry + 1' \
		'seal = 0' "xattrs = x'7b226e6f7465223a22227d'"; do
		attack "UPDATE node SET $change WHERE entry = $n"
		fails names copy
		names "entry $n, $L" 'the database shows '
	done
}

# Each changed column of a directory of any kind is found and named.
changed_metadata_of_a_directory_is_named() {
	for dir in t t/w "$A" "$U" "$A/sub"; do
		n=$(entry_of "$dir")
		for change in "name = x'78'" 'kind = 5' 'size = 1' 'mtime = 1' \
			'ctime_ns = ctime_ns + 1' 'btime = 1' 'entry = 0' \
			'seal = 1'; do
			attack "UPDATE node SET $change WHERE entry = $n"
			fails names copy
			names "entry $n, $dir" 'the database shows '
		done
	done
	for dir in t t/w "$A" "$U"; do
		n=$(entry_of "$dir")
		for change in 'mode = 511' 'uid = 7' 'gid = 7'; do
			attack "UPDATE node SET $change WHERE entry = $n"
			fails names copy
			names "entry $n, $dir" 'another owner or mode'
		done
	done
	attack 'UPDATE node SET mode = 511 WHERE id = 1'
	fails names copy
	names 'entry 0, \.' 'another owner or mode'
}

# Columns that verify does not compare have no effect on what the mount shows.
columns_without_an_entry_are_not_shown() {
	attack "UPDATE node SET mode = 511, uid = 7, gid = 7,
		object = $(object_of "$L"), xattrs = x'7b226e6f7465223a22227d'
		WHERE entry = $(entry_of "$A/sub")"
	mount store
	(cd mnt && find . -name .trailfs -prune -o -printf \
		'%p %y %m %U %G %s %T@ %C@ %n\n' | sort) >before
	unmount
	mount copy -o moved
	(cd mnt && find . -name .trailfs -prune -o -printf \
		'%p %y %m %U %G %s %T@ %C@ %n\n' | sort) >after
	cat "mnt/$A/sub" 2>/dev/null && exit 1
	unmount
	cmp before after
}

# Removed, emptied and edited extended attributes name the file.
changed_attributes_are_named() {
	rm -rf marked
	cp -a backup marked
	mount marked -o moved
	mkdir -p mnt/t/w/marked
	echo x >mnt/t/w/marked/file
	setfattr -n user.note -v hello mnt/t/w/marked/file
	trailctl sync mnt
	unmount
	is 0 trailctl verify marked
	n=$(sqlite3 marked/ledger.db 'SELECT entry FROM node
		WHERE xattrs IS NOT NULL')
	for change in NULL "CAST('{}' AS BLOB)" \
		"CAST(replace(CAST(xattrs AS TEXT), 'a', 'b') AS BLOB)"; do
		again marked
		echo "UPDATE node SET xattrs = $change WHERE entry = $n;" |
			sql copy
		fails names copy
		names "entry $n, t/w/marked/file" 'other attributes'
	done
}

# A changed origin, store identity or sum of the store is found.
changed_facts_of_the_store_are_found() {
	attack "UPDATE meta SET value = 'example.org/temper' WHERE key = 'origin'"
	fails signature copy
	attack "UPDATE meta SET value = replace(value, substr(value, 1, 1), 'x')
		WHERE key = 'store'"
	fails entries copy
	says 'another store'
	for sum in files content_bytes; do
		attack "UPDATE meta SET value = value + 1 WHERE key = '$sum'"
		fails names copy
		says 'the database counts'
	done
}

with 'sqlite3 /dev/fuse' a_store_is_made_to_be_attacked
with 'sqlite3 /dev/fuse' changed_metadata_of_a_file_is_named \
	changed_metadata_of_a_directory_is_named \
	columns_without_an_entry_are_not_shown
with 'sqlite3 /dev/fuse setfattr' changed_attributes_are_named
with 'sqlite3 /dev/fuse' changed_facts_of_the_store_are_found
finish
