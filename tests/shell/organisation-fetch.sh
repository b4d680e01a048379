#!/bin/sh
# trailctl org fetch: copies of all origins of an organisation, for auditors.
. "$(dirname "$0")/../suite_organisation.sh"

# blob ORG NAME NUMBER: the file with the large evidence of an attestation.
blob() {
	h=$(seq -f "$2 $3 %.0f" 12000 | sha256sum | cut -c 1-64)
	set -- "$1"/objects/"$(echo "$h" | cut -c 1-2)"/*"$(echo "$h" | cut -c 3-)"
	echo "$1"
}

# --- what comes -------------------------------------------------------------

# Each copy has the entries and the evidence of its source, byte for byte.
copies_are_equal_to_their_sources() {
	host a 3
	host b 2
	organisation org a b
	is 0 trailctl org fetch dir:org copies
	says "^example.org/a: [0-9]* entries, [0-9]* new, with the key $(
		sed 's/+.*//' a/keys/log.vkey)+"
	says '^2 origins: [0-9]* new entries, 15 objects, '
	[ ! -e copies/example.org%2Fall ]
	is_copy a copies
	is_copy b copies
	[ -z "$(find copies -name '*.key')" ]
}

# Nothing new: nothing is fetched.  New entries go on where the copy is.
a_repetition_fetches_what_is_new() {
	find copies -name ledger.db -exec sha256sum {} + >before
	is 0 trailctl org fetch dir:org copies
	says '^2 origins: 0 new entries, 0 objects, 0 bytes'
	has_lines 1
	sha256sum -c --quiet before
	add b 3
	forward b org
	is 0 trailctl org fetch --json dir:org dir:org copies
	has_lines 3
	tail -n 1 out | grep -q '"organisation":"example.org/all".*"signed":0}$'
	grep '"origin":"example.org/b"' out | grep -q '"objects":3,'
	grep '"origin":"example.org/a"' out | grep -q '"new":0,'
	is_copy b copies
	is 0 trailctl org fetch --quiet dir:org copies
	has_lines 0
}

# What reads a store reads a copy.
the_verbs_work_on_a_copy() {
	a=$(copy copies a)
	is 0 trailctl find --name report "$a"
	says 'trail/run/a2/report'
	is 0 trailctl show "$a/trail/run/a1"
	says '^state *sealed'
	is 0 trailctl ls "$a/trail/run"
	has_lines 4
	is 0 trailctl custody "$a/trail/run/a1/report"
	is 0 trailctl package --no-entry -o part.zip "$a/trail"
	is 0 trailctl verify --vkey a/keys/log.vkey part.zip
	is 0 trailctl package --no-entry -o whole.zip "$a"
	is 0 trailctl verify --vkey a/keys/log.vkey whole.zip
	says '^GENUINE'
	trailctl prove "$a/trail/run/a1/report" >proof
	add a 4
	add b 4
	mkdir mnt2
	timeout 30 trailfs "$a" mnt2 -o ro
	grep -q 'evidence 2 of a' mnt2/trail/run/a2/report
	seq -f 'a 3 %.0f' 12000 | cmp - mnt2/trail/run/a3/large
	if mkdir mnt2/new 2>/dev/null; then exit 1; fi
	forward a org
	forward b org
	# A mounted copy takes new entries.
	is 0 trailctl org fetch dir:org copies
	is_copy a copies
	is_copy b copies
	fusermount3 -u mnt2
}

# A round trip for each blob, and not for each object.
a_bundle_is_read_once() {
	needs strace
	is 0 strace -f -qq -o trace -e trace=openat \
		trailctl org fetch -q dir:org once
	find org/objects -type f -size -100 -printf '%f\n' >bundles
	[ -s bundles ]
	while read -r name; do
		[ "$(grep -c "/$name" trace)" -eq 1 ]
	done <bundles
}

# Killed at any of its syncs, the next run goes on.
a_killed_run_is_continued() {
	needs strace
	n=1 killed=0
	while :; do
		got=0
		strace -f -qq -o trace -e trace=fsync,fdatasync \
			-e inject=fsync,fdatasync:signal=KILL:when=$n \
			trailctl org fetch -q dir:org killed >out 2>err || got=$?
		[ "$got" -ne 0 ] || break
		[ "$got" -eq 137 ] || {
			cat out err
			exit 1
		}
		killed=$((killed + 1))
		n=$((n + 2))
	done
	[ "$killed" -ge 5 ]
	is_copy a killed
	is_copy b killed
	[ -z "$(find killed -path '*/incoming/*')" ]
}

# The names of origins cannot leave the directory.
an_origin_is_a_safe_name() {
	host x 1
	for name in ../../evil .hidden "$(printf 'long/%.0s' $(seq 25))"; do
		rm -rf odd copies2
		trailctl init --origin "$name" odd >/dev/null 2>&1
		mount odd
		unmount
		[ -d odd-org ] || begin odd-org
		trailctl org enrol dir:odd-org odd/keys/log.vkey
		forward odd odd-org
	done
	is 0 trailctl org fetch dir:odd-org odd-copies
	find odd-copies -mindepth 1 -maxdepth 1 ! -name .organisation | sort >out
	has_lines 3
	says '/%2E.%2F..%2Fevil$'
	says '/%2Ehidden$'
	says '/long%2F.*%-[0-9a-f]\{32\}$'
	[ "$(find . -name '*evil*' | wc -l)" = 1 ]
}

# What was deleted by a redaction before it was forwarded is not missing.
a_redaction_is_no_gap() {
	needs setpriv
	[ "$(id -u)" = 0 ] || skip 'not root'
	chmod 0755 "$work"
	host red 1
	mount red -o allow_other
	chown 65534 "$mnt/trail" "$mnt/trail/run"
	mkdir "$mnt/trail/run/s"
	echo 'a secret' >"$mnt/trail/run/s/small"
	trailctl seal "$mnt/trail/run/s" >/dev/null
	control=$mnt/trail/run/s/.trailfs/redactions
	printf '{"propose":"small","reason":"asked for"}' >"$control"
	seq=$(trailctl log --json --type redaction.proposed "$mnt" |
		sed -n 's/.*"seq":\([0-9]*\).*/\1/p' | tail -n 1)
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		sh -c "printf '{\"approve\":$seq}' >'$control'"
	unmount
	organisation redorg red
	is 0 trailctl org fetch dir:redorg redcopies
	is_copy red redcopies
	is 0 trailctl verify --vkey red/keys/log.vkey "$(copy redcopies red)"
	says '1 redacted, without bytes'
}

# The key of a log may be rotated, before and after it was fetched.
a_rotated_key_is_followed() {
	host rot 1
	cp rot/keys/log.vkey first.vkey
	mount rot
	is 0 trailctl key rotate log "$mnt"
	record rot 2
	unmount
	begin rotorg
	trailctl org enrol dir:rotorg first.vkey
	forward rot rotorg
	is 0 trailctl org fetch dir:rotorg rotcopies
	is_copy rot rotcopies
	mount rot
	is 0 trailctl key rotate log "$mnt"
	record rot 3
	unmount
	forward rot rotorg
	is 0 trailctl org fetch dir:rotorg rotcopies
	is_copy rot rotcopies
}

# Many origins need no more open files than one.
descriptors_do_not_grow() {
	begin many
	for i in $(seq 40); do
		trailctl init --origin "example.org/n$i" "n$i" >/dev/null 2>&1
		trailctl org enrol dir:many "n$i/keys/log.vkey"
		forward "n$i" many
	done
	# shellcheck disable=SC3045 # dash and bash have it
	is 0 sh -c 'ulimit -n 32 && exec trailctl org fetch dir:many manycopies'
	says '^40 origins: '
	is_copy n17 manycopies
}

# --- what does not fit -------------------------------------------------------

# after DIRECTORY: a fetch names what is wrong with a, and b came all the same.
after() {
	is 4 trailctl org fetch "dir:$1" "$2"
	is_copy b "$2"
}

# A new copy of the organisation, to be damaged.
damaged() {
	rm -rf bad badcopies
	cp -r org bad
}

# An altered entry is named; what was signed before it is there.
an_altered_entry_is_refused() {
	damaged
	alter bad "UPDATE leaf SET body = CAST(replace(CAST(body AS TEXT),
		'trail/run/a4/report', 'trail/run/a4/repost') AS BLOB)
		WHERE CAST(body AS TEXT) LIKE '%trail/run/a4/report%' AND
		member = (SELECT id FROM member WHERE origin = CAST('example.org/a' AS BLOB))"
	is 4 trailctl org fetch dir:bad badcopies
	complains '^trailctl: example.org/a: entr[a-z]* [0-9]*'
	cp err first
	is_copy b badcopies
	# The entries that an earlier checkpoint signs are there.
	is 0 trailctl compare a "$(copy badcopies a)"
	says '^B is the beginning of A, which has 6 more'
	is 0 trailctl verify --vkey a/keys/log.vkey "$(copy badcopies a)"
	is 4 trailctl org fetch dir:bad badcopies
	cmp err first
	# The copy goes on when the organisation is in order again.
	is 0 trailctl org fetch dir:org badcopies
	is_copy a badcopies
}

# A missing entry too, and so is one that came in twice.
a_missing_entry_is_refused() {
	damaged
	alter bad "DELETE FROM leaf WHERE number = 7 AND
		member = (SELECT id FROM member WHERE origin = CAST('example.org/a' AS BLOB))"
	is 4 trailctl org fetch dir:bad badcopies
	complains '^trailctl: example.org/a: entry 7 .*missing'
	is_copy b badcopies
}

# A checkpoint whose signature is wrong.
a_forged_checkpoint_is_refused() {
	damaged
	alter bad "UPDATE note SET note = CAST(substr(CAST(note AS TEXT), 1,
		length(CAST(note AS TEXT)) - 8) || 'AAAAAA=' || char(10) AS BLOB)
		WHERE member = (SELECT id FROM member
		WHERE origin = CAST('example.org/a' AS BLOB))"
	is 4 trailctl org fetch dir:bad badcopies
	complains '^trailctl: example.org/a: '
	is_copy b badcopies
}

# Evidence that is altered or missing is named with its entry.
damaged_evidence_is_refused() {
	damaged
	f=$(blob bad a 2)
	chmod u+w "$f"
	printf x | dd of="$f" bs=1 seek=70000 conv=notrunc 2>/dev/null
	is 4 trailctl org fetch dir:bad badcopies
	complains '^trailctl: example.org/a: entry [0-9]*, trail/run/a2/large: the object [0-9a-f]*... is altered'
	is_copy b badcopies
	damaged
	rm -f "$(blob bad a 2)"
	is 4 trailctl org fetch dir:bad badcopies
	complains '^trailctl: example.org/a: entry [0-9]*, trail/run/a2/large: its object is missing'
	is_copy b badcopies
	cp "$(blob org a 2)" "$(blob bad a 2 | sed 's,/[*][^/]*$,/,')" 2>/dev/null ||
		cp -r org/objects bad/
	is 0 trailctl org fetch dir:bad badcopies
	is_copy a badcopies
}

# A bundle of small evidence that is altered.
a_damaged_bundle_is_refused() {
	damaged
	f=$(grep -l 'evidence 1 of a' -r bad/objects | head -n 1)
	chmod u+w "$f"
	sed -i 's/evidence 1 of a/evidence 9 of a/' "$f"
	is 4 trailctl org fetch dir:bad badcopies
	complains '^trailctl: example.org/a: entry [0-9]*, trail/run/a1/report: the object [0-9a-f]*... is altered'
	is_copy b badcopies
}

# An organisation that shows less than before, another history, or an origin no
# more.
less_than_before_is_refused() {
	damaged
	is 0 trailctl org fetch dir:org badcopies
	alter bad "DELETE FROM note WHERE size > 8 AND
		member = (SELECT id FROM member WHERE origin = CAST('example.org/a' AS BLOB))"
	is 4 trailctl org fetch dir:bad badcopies
	complains '^trailctl: example.org/a: .*shows less than before'
	is_copy a badcopies
	alter_member="(SELECT id FROM member WHERE origin = CAST('example.org/a' AS BLOB))"
	sqlite3 bad/org.db "PRAGMA foreign_keys = OFF;
		DELETE FROM note WHERE member = $alter_member;
		DELETE FROM located WHERE member = $alter_member;
		DELETE FROM member WHERE origin = CAST('example.org/a' AS BLOB)"
	is 4 trailctl org fetch dir:bad badcopies
	complains 'example.org%2Fa: the organisation has no such origin'
	is_copy a badcopies
}

# Two stores of one origin went on differently.
a_fork_is_refused() {
	host f 1
	cp -r f g
	organisation forg f
	is 0 trailctl org fetch dir:forg fcopies
	add f 2
	add g 3
	for s in f g; do
		rm -rf "$s-org" "$s-copies"
		organisation "$s-org" "$s"
	done
	forward f forg
	is 0 trailctl org fetch dir:forg fcopies
	# As long, and longer.
	is 4 trailctl org fetch dir:g-org fcopies
	complains '^trailctl: example.org/f: '
	add g 4
	forward g g-org
	is 4 trailctl org fetch dir:g-org fcopies
	complains '^trailctl: example.org/f: entr[a-z]* [0-9]*'
	is 4 trailctl org fetch dir:g-org fcopies
	is_copy f fcopies
}

# Entries after the newest checkpoint wait, and those of a revoked member stay.
the_rest_waits() {
	damaged
	last=$(sqlite3 bad/org.db "SELECT max(size) FROM note WHERE member =
		(SELECT id FROM member WHERE origin = CAST('example.org/a' AS BLOB))")
	alter bad "DELETE FROM note WHERE size = $last AND
		member = (SELECT id FROM member WHERE origin = CAST('example.org/a' AS BLOB))"
	trailctl org revoke dir:bad example.org/a
	is 0 trailctl org fetch dir:bad badcopies
	says '^example.org/a: [0-9]* entries, [0-9]* new, [0-9]* waiting for a checkpoint'
	is 0 trailctl verify --vkey a/keys/log.vkey "$(copy badcopies a)"
	is_copy b badcopies
	sqlite3 bad/org.db "ATTACH 'org/org.db' AS o; INSERT INTO note
		SELECT * FROM o.note WHERE size = $last AND member =
		(SELECT id FROM o.member WHERE origin = CAST('example.org/a' AS BLOB))"
	is 0 trailctl org fetch dir:bad badcopies
	is_copy a badcopies
}

# --- what ends a run -----------------------------------------------------------

# What is no directory of copies stays as it is.
nothing_else_is_written_to() {
	is 3 trailctl org fetch dir:nowhere nothing
	[ ! -e nothing ]
	is 3 trailctl org fetch dir:org a
	complains 'a is a store'
	# shellcheck disable=SC2094 # a directory
	(
		flock 9
		is 3 trailctl org fetch dir:org copies
		complains 'another process fetches'
	) 9<copies
	is 2 trailctl org fetch dir:org
	is 2 trailctl org fetch
	is 2 trailctl org fetch --role x dir:org copies
	is 2 trailctl org fetch postgresql://localhost/x copies
	is 2 trailctl org list -q dir:org
}

# Up to 64 KiB an object goes into a bundle, and with one byte more it is a blob of its
# own; each comes back.
the_border_of_a_bundle() {
	trailctl init --origin example.org/edge edge >/dev/null 2>&1
	mount edge
	mkdir -p "$mnt/trail/run/sizes"
	for n in 65535 65536 65537; do
		head -c $n /dev/urandom >size.$n
		cp size.$n "$mnt/trail/run/sizes"
	done
	trailctl seal "$mnt/trail/run/sizes" >/dev/null
	unmount
	organisation edgeorg edge
	for n in 65535 65536 65537; do
		h=$(sha256sum size.$n | cut -c 1-64)
		sqlite3 -readonly edgeorg/org.db "SELECT len FROM located
			WHERE lower(hex(object)) = '$h'" >size
		blobs=$(find edgeorg/objects -name "$(echo "$h" | cut -c 3-)" | wc -l)
		echo "$n: located as '$(cat size)', $blobs of its own"
		if [ $n -le 65536 ]; then
			[ "$(cat size)" = $n ]
			[ "$blobs" = 0 ]
		else
			[ ! -s size ]
			[ "$blobs" = 1 ]
		fi
	done
	is 0 trailctl org fetch dir:edgeorg edgecopies
	is_copy edge edgecopies
	mount "$(copy edgecopies edge)" -o ro
	for n in 65535 65536 65537; do
		cmp size.$n "$mnt/trail/run/sizes/size.$n"
	done
	unmount
}

with '/dev/fuse sqlite3' copies_are_equal_to_their_sources \
	a_repetition_fetches_what_is_new the_verbs_work_on_a_copy \
	a_bundle_is_read_once a_killed_run_is_continued an_origin_is_a_safe_name a_redaction_is_no_gap \
	a_rotated_key_is_followed descriptors_do_not_grow \
	an_altered_entry_is_refused a_missing_entry_is_refused \
	a_forged_checkpoint_is_refused damaged_evidence_is_refused \
	a_damaged_bundle_is_refused less_than_before_is_refused a_fork_is_refused \
	the_rest_waits nothing_else_is_written_to the_border_of_a_bundle
finish
