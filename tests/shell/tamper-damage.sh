#!/bin/sh
# A damaged database: no command crashes, and verify never accepts it.
. "$(dirname "$0")/../suite_tamper.sh"

# damaged HOW: no command crashes on the copy, and verify says what is wrong.
damaged() {
	got=0
	timeout 60 trailctl verify --vkey vkey copy >out 2>err || got=$?
	[ "$got" -eq 3 ] || [ "$got" -eq 4 ] || {
		echo "$1: verify exited with $got"
		cat out err
		exit 1
	}
	grep -Eq 'ledger.db|database' err || grep -q '^[a-z ]* FAILED' out || {
		echo "$1: verify does not say what is wrong"
		cat out err
		exit 1
	}
	for verb in status log sync; do
		got=0
		timeout 60 trailctl $verb copy >out 2>err || got=$?
		[ "$got" -lt 6 ] || {
			echo "$1: $verb exited with $got"
			exit 1
		}
	done
}

# A cut, zeroed or missing database is reported clearly and never as whole.
a_damaged_database_is_reported_clearly() {
	size=$(wc -c <store/ledger.db)
	for to in 0 1 16 99 100 512 4095 4096 8192 $((size / 2)) \
		$((size - 4096)) $((size - 5000)); do
		again store
		truncate -s "$to" copy/ledger.db
		damaged "cut to $to bytes"
	done
	for zeros in 16 100 4096 "$size"; do
		again store
		dd if=/dev/zero of=copy/ledger.db bs="$zeros" count=1 \
			conv=notrunc 2>/dev/null
		damaged "$zeros zeros"
	done
	again store
	rm copy/ledger.db
	is 3 trailctl verify --vkey vkey copy
	complains 'no database'
}

# shown STORE: print the rows that the mount shows.
shown() {
	sqlite3 "$1/ledger.db" '.dump entry node object tile' 2>&1
}

# If verify accepts a flipped bit, in 120 places, the rows are the same.
no_flipped_bit_is_shown_as_whole() {
	shown store >was
	size=$(wc -c <store/ledger.db)
	missed=0 n=0
	while [ "$n" -lt 120 ]; do
		at=$((n * size / 120 + n % 61))
		n=$((n + 1))
		cp -f store/ledger.db copy/ledger.db
		flip copy/ledger.db "$at"
		got=0
		timeout 60 trailctl verify --vkey vkey copy >out 2>err || got=$?
		case $got in
		3 | 4 | 5) ;;
		0)
			shown copy | cmp -s - was || {
				echo "byte $at: verify accepts other rows"
				missed=1
			}
			;;
		*)
			echo "byte $at: verify exited with $got"
			cat out err
			missed=1
			;;
		esac
	done
	[ "$missed" -eq 0 ]
}

with 'sqlite3 /dev/fuse' a_store_is_made_to_be_attacked
with 'sqlite3 /dev/fuse' a_damaged_database_is_reported_clearly
with 'sqlite3 /dev/fuse' no_flipped_bit_is_shown_as_whole
finish
