#!/bin/sh
# trailctl upgrade: stores of all earlier formats, kept as tests/vectors/store-N, are
# read as they are and written after an upgrade, which leaves their root.
. "$(dirname "$0")/../suite.sh"

newest=6

# format N: the kept store of format N, as ./old.
format() {
	rm -rf old
	mkdir old-"$1"
	tar -C old-"$1" -xzf "$top/tests/vectors/store-$1.tar.gz"
	mv "old-$1/store" old
	rmdir "old-$1"
	chmod -R go-rwx old
}

# number STORE: its format, without opening it as a store.
number() {
	sqlite3 "$1/ledger.db" 'PRAGMA user_version'
}

# root STORE >FILE: the tree and its size.
root() {
	trailctl verify "$1" | grep '^tree'
}

# Every format is verified, listed, packaged and backed up as it is.
every_format_is_read() {
	for n in $(seq "$newest"); do
		format "$n"
		[ "$(number old)" -eq "$n" ]
		is 0 trailctl verify old
		is 0 trailctl log --json old
		mount old -o ro
		find "$mnt" -type f | grep -q .
		unmount
		[ "$(number old)" -eq "$n" ]
		is 0 trailctl backup old "copy-$n"
		[ "$(number "copy-$n")" -eq "$n" ]
		is 0 trailctl verify "copy-$n"
		rm -rf "copy-$n"
	done
}

# So is a store with the entries that came to the newest format later.
later_entries_are_read() {
	rm -rf old
	tar -xzf "$top/tests/vectors/store-6-later.tar.gz"
	mv store old
	chmod -R go-rwx old
	is 0 trailctl verify old
	is 0 trailctl log --json old
	for type in evidence.grown evidence.flushed recipients.set hold.placed \
		verify.done redaction.proposed anchor.added; do
		says "\"type\":\"$type\""
	done
	mount old -o ro
	seq 1 40000 | cmp - "$mnt/prod/run-4/logs/grown"
	[ "$(cat "$mnt/prod/run-5/tests/report")" = waited ]
	unmount
	is 0 trailctl upgrade --check old
	is 0 trailctl backup old copy
	is 0 trailctl restore --origin example.org/again copy again
	is 0 trailctl verify again
	trailctl init --moved old >/dev/null 2>&1
	is 0 trailctl trail create old/more
	is 0 trailctl verify old
	rm -rf copy again
}

# An earlier format is written only after the upgrade, and then has its root.
every_format_is_upgraded() {
	for n in $(seq "$((newest - 1))"); do
		format "$n"
		is 3 trailctl trail create old/more
		complains "the store has format $n, and this trailfs writes $newest"
		is 1 trailctl upgrade --check old
		root old >before
		is 0 trailctl upgrade old
		says "^upgraded from format $n to $newest: .* as before"
		[ "$(number old)" -eq "$newest" ]
		root old | cmp - before
		is 0 trailctl upgrade old
		says 'the newest'
		trailctl init --moved old >/dev/null 2>&1
		is 0 trailctl trail create old/more
		is 0 trailctl verify old
	done
	format "$newest"
	is 0 trailctl upgrade --check old
	is 0 trailctl upgrade --json old
	says "{\"from\":\"$newest\",\"to\":\"$newest\"}"
}

# The backup of an earlier format is restored as a store of the newest.
an_old_backup_is_restored() {
	for n in 1 4; do
		format "$n"
		is 0 trailctl backup old copy
		is 3 trailctl upgrade copy
		complains 'is a backup, which follows its store'
		is 0 trailctl restore --origin example.org/again copy again
		complains "the backup had format $n"
		[ "$(number again)" -eq "$newest" ]
		is 0 trailctl verify again
		trailctl trail create again/more >/dev/null
		rm -rf copy again
	done
}

# A store in use, and one whose entries do not give its root, stay as they are.
what_is_in_use_or_damaged_stays() {
	format 3
	mount old -o ro
	is 3 trailctl upgrade old
	unmount
	[ "$(number old)" -eq 3 ]
	sqlite3 old/ledger.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	sqlite3 old/ledger.db "SELECT sql || ';' FROM sqlite_schema
		WHERE type = 'trigger' ORDER BY rowid" >triggers
	sqlite3 old/ledger.db "SELECT 'DROP TRIGGER ' || name || ';'
		FROM sqlite_schema WHERE type = 'trigger'" | sqlite3 old/ledger.db
	sqlite3 old/ledger.db "UPDATE entry SET
		body = CAST(replace(CAST(body AS TEXT), 'attestation.begun',
		'attestation.begin') AS BLOB)"
	sqlite3 old/ledger.db <triggers
	is 4 trailctl upgrade old
	complains 'it stays as it is'
	[ "$(number old)" -eq 3 ]
}

# Killed at any call, the store has the old format or the new one, and its root.
a_killed_upgrade_is_all_or_nothing() {
	format 2
	root old >before
	cp -a old kept
	struck=0
	for call in 1 2 3 4 5 6 7 8 9 10 12 14 16 18 20 23 26 29 32 36 40; do
		rm -rf old
		cp -a kept old
		WIRE_SHIM=$BUILD/shim.so WIRE_LOG=$work/wire timeout "$patience_s" \
			mirror-wire call any "$call" trailctl upgrade old \
			</dev/null >out 2>err || struck=$((struck + 1))
		root old | cmp - before
		is 0 trailctl upgrade old
		[ "$(number old)" -eq "$newest" ]
		root old | cmp - before
	done
	[ "$struck" -gt 3 ]
}

with sqlite3 every_format_is_read later_entries_are_read \
	every_format_is_upgraded \
	an_old_backup_is_restored what_is_in_use_or_damaged_stays
# A sanitizer wants to be loaded before the shim.
if nm -D "$BUILD/trailctl" 2>/dev/null | grep -q '__[at]san_init'; then
	skipped 'built with a sanitizer' a_killed_upgrade_is_all_or_nothing
else
	with sqlite3 a_killed_upgrade_is_all_or_nothing
fi
finish
