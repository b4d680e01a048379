# shellcheck shell=sh disable=SC2034,SC2154 # mnt is of suite.sh
# The common part of the suites about an organisation in a directory: its hosts, what
# they forward, and copies of it.
# shellcheck source=tests/suite.sh
. "$(dirname "$0")/../suite.sh"

# host NAME FILES: a new store of that origin, not mounted, with small and large
# evidence.
host() {
	trailctl init --origin "example.org/$1" "$1" >/dev/null 2>&1
	mount "$1"
	mkdir "$mnt/trail" "$mnt/trail/run"
	for i in $(seq "$2"); do
		record "$1" "$i"
	done
	unmount
}

# record NAME NUMBER: one sealed attestation in the mount.
record() {
	mkdir "$mnt/trail/run/a$2"
	echo "evidence $2 of $1" >"$mnt/trail/run/a$2/report"
	seq -f "$1 $2 %.0f" 12000 >"$mnt/trail/run/a$2/large"
	trailctl seal "$mnt/trail/run/a$2" >/dev/null
}

# add NAME NUMBER: the same in a store that is not mounted.
add() {
	mount "$1" -o moved
	record "$1" "$2"
	unmount
}

# begin ORG: a new one, which has a key outside of it.
begin() {
	trailctl org init --origin example.org/all --keys "$1-keys" "dir:$1"
}

# organisation ORG NAME...: a new one that has these.
organisation() {
	begin "$1"
	org=$1
	shift
	for s; do
		trailctl org enrol "dir:$org" "$s/keys/log.vkey"
		forward "$s" "$org"
	done
}

forward() {
	trailctl forward -q --once "$1" "dir:$2"
}

# copy DIRECTORY NAME: where its copy is.
copy() {
	echo "$1/example.org%2F$2"
}

# alter ORG SQL: what who can write the engine can do.
alter() {
	sqlite3 "$1/org.db" "DROP TRIGGER leaf_kept; DROP TRIGGER leaf_stays;
		DROP TRIGGER member_stays; PRAGMA foreign_keys = OFF; $2"
}

# is_copy NAME DIRECTORY: all entries and all contents are those of the store.
is_copy() {
	at=$(copy "$2" "$1")
	trailctl log --json "$1" >log.source
	trailctl log --json "$at" >log.copy
	cmp log.source log.copy
	sqlite3 -readonly "$1/ledger.db" 'SELECT hex(body) FROM entry ORDER BY idx' >bytes.source
	sqlite3 -readonly "$at/ledger.db" 'SELECT hex(body) FROM entry ORDER BY idx' >bytes.copy
	cmp bytes.source bytes.copy
	is 0 trailctl verify --vkey "$1/keys/log.vkey" "$at"
	says '^contents *OK'
	is 0 trailctl compare "$1" "$at"
	says '^equal'
}
