#!/bin/sh
# The search index that each copy of an organisation has, and searches of its URI, which
# need no evidence.
# shellcheck source=tests/suite_organisation.sh
. "$(dirname "$0")/../suite_organisation.sh"
XDG_CACHE_HOME=$work/cache
export XDG_CACHE_HOME
a=$(copy copies a)

# index NAME: that of a copy.
index() {
	echo "$(copy copies "$1")/index.db"
}

# finds COUNT NAME: so many names in all copies, quietly.
finds() {
	is 0 trailctl find --name "$2" copies
	has_lines "$1"
	[ ! -s err ]
}

# A fetch makes it, and a search uses it as it is.
a_fetch_makes_the_index() {
	host a 2
	host b 2
	organisation org a b
	is 0 trailctl org fetch --names dir:org copies
	[ "$(stat -c '%a %h' "$(index a)" "$(index b)" | sort -u)" = '600 1' ]
	finds 4 report
	cp "$(index a)" kept.db
	before=$(stat -c '%i %Y %s' "$(index a)")
	sqlite3 "$(index b)" 'DELETE FROM fact WHERE kind =
		(SELECT kind FROM fact WHERE value = CAST('"'report'"' AS BLOB))'
	finds 2 report
	never_says 'example.org/b'
	[ "$(stat -c '%i %Y %s' "$(index a)")" = "$before" ]
	is 5 trailctl verify --vkey a/keys/log.vkey "$a"
	never_says index.db
}

# What is lost, damaged, of another store or of fewer entries costs time and no name.
the_index_may_be_anything() {
	rm "$(index b)"
	finds 4 report
	[ -s "$(index b)" ]
	head -c 20000 /dev/urandom >"$(index b)"
	finds 4 report
	finds 4 report
	cp "$(index a)" "$(index b)"
	finds 4 report
	# The middle of the file has the facts.
	size=$(stat -c %s "$(index b)")
	head -c $((size - 8192)) /dev/zero |
		dd of="$(index b)" bs=4096 seek=1 conv=notrunc status=none
	finds 4 report
	rm "$(index b)"
	mkdir "$(index b)"
	finds 4 report
	rmdir "$(index b)"
	add a 3
	forward a org
	is 0 trailctl org fetch --names dir:org copies
	finds 5 report
	cp kept.db "$(index a)"
	finds 5 report
	is 0 trailctl find --name a3 "$a"
	# As a mirror keeps it, without a fetch.
	rm "$(index a)"
	is 0 trailctl find --name a3 "$a"
	[ -s "$(index a)" ]
}

# A mount of the copy reads it, too, also when it is old, and writes nothing.
a_mount_uses_it() {
	mkdir all
	cp kept.db "$(index a)"
	sum=$(sha256sum "$(index a)")
	trailfs copies all -o ro
	is 0 trailctl find --name report "$(copy all a)"
	has_lines 3
	is 0 trailctl find --name report "$(copy all b)"
	has_lines 2
	[ "$(sha256sum "$(index a)")" = "$sum" ]
	# A fetch beside it replaces the index, and the next search has what is new.
	add a 4
	forward a org
	is 0 trailctl org fetch --names dir:org copies
	until_true test -e "$(copy all a)/trail/run/a4/report"
	is 0 trailctl find --name report "$(copy all a)"
	has_lines 4
	umount all
}

# Killed while it makes the index, or while another one does: the next one does it.
who_makes_it_may_be_killed() {
	for call in fsync /^rename; do
		rm -f "$(index a)"
		strace -f -qq -o trace -e trace=$call \
			-e inject=$call:signal=KILL:when=1 \
			trailctl find --name report "$a" >out 2>err || :
		[ ! -e "$(index a)" ]
		[ -e "$(index a).next" ]
		is 0 trailctl find --name report "$a"
		has_lines 4
		[ -s "$(index a)" ]
		[ ! -e "$(index a).next" ]
	done
	rm "$(index a)"
	: >"$(index a).next"
	flock "$(index a).next" trailctl find --name report "$a" >out
	has_lines 4
	[ ! -e "$(index a)" ]
	is 5 trailctl verify --vkey a/keys/log.vkey "$a"
	never_says index.db
	is 0 trailctl find --name report "$a"
	[ -s "$(index a)" ]
}

# Who cannot write there finds the same.
a_reader_makes_none() {
	needs unshare
	rm "$(index a)"
	is 0 unshare -m sh -c "mount --bind copies copies &&
		mount -o remount,bind,ro copies && trailctl find --name report copies"
	has_lines 6
	[ ! -e "$(index a)" ]
}

# Bytes of evidence come when a verb needs them, and stay.
a_search_of_a_uri_gets_names_only() {
	is 0 trailctl find --name report dir:org
	has_lines 6
	at=$(copy "$(echo cache/trailfs/*)" a)
	if grep -rq 'evidence 1 of a' "$at"; then exit 1; fi
	is 5 trailctl verify --vkey a/keys/log.vkey "$at"
	is 0 trailctl verify dir:org
	grep -rq 'evidence 1 of a' "$at"
	add a 5
	forward a org
	is 0 trailctl find --name report dir:org
	has_lines 7
	# It is whole still.
	is 0 trailctl verify --vkey a/keys/log.vkey "$at"
	is_copy a "$(dirname "$at")"
	host c 1
	trailctl org enrol dir:org c/keys/log.vkey
	forward c org
	is 0 trailctl find --name report dir:org
	has_lines 8
	is 5 trailctl verify --vkey c/keys/log.vkey "$(copy "$(dirname "$at")" c)"
}

with '/dev/fuse sqlite3 strace' a_fetch_makes_the_index the_index_may_be_anything \
	a_mount_uses_it who_makes_it_may_be_killed a_reader_makes_none \
	a_search_of_a_uri_gets_names_only
finish
