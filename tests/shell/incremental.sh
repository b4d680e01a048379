#!/bin/sh
# trailctl verify --incremental: what a night reads, what it finds, and that a
# week reads everything.
. "$(dirname "$0")/../suite_tools.sh"
show_output=
nightly='trailctl verify --incremental --record --rebuild --json'

# What the last verification recorded: one member of the field run.
recorded() {
	trailctl log --json --type verify.done store | tail -1 | jq -r ".run.$1"
}

# file NAME: new evidence, long enough for an object file.
file() {
	head -c 70000 /dev/urandom >new
	sha256sum new | cut -d ' ' -f 1 >"sha.$1"
	is 0 trailctl attest --begin --seal "store/t/w/$1" new
}

# object NAME: its file.
object() {
	sed 's|\(..\)\(.*\)|store/objects/\1/\2|' "sha.$1"
}

# part NAME: the part that it belongs to.
part() {
	echo $((0x$(cut -c 1-8 "sha.$1") % 7))
}

# Where nothing is recorded, everything is read; then only what is new, and a part.
a_night_reads_what_is_new_and_a_part() {
	a_store_is_made
	is 0 trailctl trail create store/t
	for i in $(seq 20); do file "$i"; done
	# shellcheck disable=SC2086 # words
	is 0 $nightly store
	[ "$(jq '.files, .unread' out | tr '\n' ' ')" = '20 null ' ]
	[ "$(recorded from)" = null ]
	[ "$(recorded verdict)" = ok ]
	[ "$(recorded seconds)" -ge 0 ]
	full=$(trailctl log --json --type verify.done store | jq .seq)
	file 21
	# shellcheck disable=SC2086
	is 0 $nightly store
	bytes=0
	for i in $(seq 20); do
		[ "$(part "$i")" -ne 0 ] || bytes=$((bytes + 70000))
	done
	read -r got read_ <<-END
	$(jq -r '"\(.bytes) \(.files - .unread)"' out)
	END
	[ "$read_" -eq $((bytes / 70000 + 1)) ]
	[ "$got" -eq $((bytes + 70000)) ]
	[ "$(recorded full)" -eq "$full" ]
	[ "$(recorded part)" -eq 0 ]
	[ "$(recorded parts)" -eq 7 ]
	# The table says so, too.
	is 0 trailctl verify --incremental store
	says 'contents .*OK .* older not read this time'
	is 0 trailctl verify store
	never_says 'not read'
	trailctl log --json store | grep -c verify.done >count
	[ "$(cat count)" -eq 2 ]
}

# What is new is read in the same night, and so is whether old files are there.
damage_is_found_in_the_same_night() {
	cp -a "$(object 21)" kept
	file 22
	cp -a "$(object 22)" kept22
	flip "$(object 22)" 9
	# shellcheck disable=SC2086
	is 4 $nightly store
	[ "$(jq -r '.findings[0].path' out)" = t/w/22/new ]
	[ "$(trailctl log --json --type verify.done store | wc -l)" -eq 2 ]
	mv -f kept22 "$(object 22)"
	for i in $(seq 20); do
		cp -a "$(object "$i")" kept
		rm -f "$(object "$i")"
		# shellcheck disable=SC2086
		is 4 $nightly store
		grep -q missing out
		mv kept "$(object "$i")"
		[ "$i" -lt 3 ] || break
	done
	# What was found stays until everything was read again.
	# shellcheck disable=SC2086
	is 0 $nightly store
	[ "$(jq .unread out)" = null ]
}

# Each old object is read in one of seven nights, whichever it is.
seven_nights_read_everything() {
	: >parts
	for i in $(seq 7); do
		# shellcheck disable=SC2086
		is 0 $nightly store
		recorded part >>parts
	done
	[ "$(sort -u parts | wc -l)" -eq 7 ]
	flip "$(object 5)" 11
	for i in $(seq 7); do
		got=0
		# shellcheck disable=SC2086
		$nightly store >out || got=$?
		[ $got -eq 0 ] || break
	done
	[ "$got" -eq 4 ]
	[ "$(jq -r '.findings[0].path' out)" = t/w/5/new ]
	[ "$((($(recorded part) + 1) % 7))" -eq "$(part 5)" ]
	flip "$(object 5)" 11
	# shellcheck disable=SC2086
	is 0 $nightly store
	[ "$(jq .unread out)" = null ]
}

# After a week everything is read, also if the nights between were missed.
after_a_week_everything_is_read() {
	clock_moves
	cp -a store later
	# shellcheck disable=SC2086,SC2046
	is 0 $(as_of '+8 days') trailctl verify --incremental --json store
	[ "$(jq '.unread' out)" = null ]
	# shellcheck disable=SC2046
	is 0 $(as_of '+3 days') trailctl verify --incremental --json store
	[ "$(jq '.unread' out)" -gt 0 ]
	# A clock that was set back reads more, not less.
	# shellcheck disable=SC2046
	is 0 $(as_of '-3 days') trailctl verify --incremental --json store
	[ "$(jq '.unread' out)" = null ]
	rm -r later
}

# Whoever points the store at another entry gets a full verification.
a_record_that_is_none_is_not_believed() {
	cp -a store forged
	sqlite3 forged/ledger.db "UPDATE meta SET value = 1
		WHERE key = 'verified'" 2>/dev/null ||
		sqlite3 forged/ledger.db \
			"UPDATE meta SET value = '1' WHERE key = 'verified'"
	trailctl verify --incremental --json forged >out || :
	[ "$(jq '.unread' out)" = null ]
	rm -r forged
}

# In a mount as in a store, by those who may record it.
a_mount_is_verified_in_parts() {
	mount store
	# shellcheck disable=SC2086
	is 0 $nightly mnt
	[ "$(jq '.unread' out)" -gt 0 ]
	is 0 trailctl metrics mnt
	a=$(sed -n 's/^trailfs_verify_timestamp_seconds{.*} //p' out)
	b=$(sed -n 's/^trailfs_verify_full_timestamp_seconds{.*} //p' out)
	[ -n "$b" ] && [ "$b" != "$a" ]
	trailctl log --json --type verify.done mnt | tail -1 >last
	[ "$(jq .run.parts last)" -eq 7 ]
	unmount
	is 0 trailctl verify store
	is 0 trailctl package --no-entry -o p.zip store/t/w
	is 0 trailctl verify --vkey vkey p.zip
	is 0 trailctl export-log store log
	is 0 trailctl verify --vkey vkey log
	is 2 trailctl verify --incremental --vkey vkey log
	complains 'incremental is for a whole store'
}

with 'jq sqlite3' a_night_reads_what_is_new_and_a_part \
	damage_is_found_in_the_same_night seven_nights_read_everything \
	after_a_week_everything_is_read a_record_that_is_none_is_not_believed \
	a_mount_is_verified_in_parts
finish
