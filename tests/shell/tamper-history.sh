#!/bin/sh
# Attacks on history: the tail cut off, entries rewritten and signed again,
# backups put back.
. "$(dirname "$0")/../suite_tamper.sh"

# cut_to_early [SQL]: attack a copy: remove all entries after the early
# checkpoint, then run the SQL.
cut_to_early() {
	n=$(sed -n 2p early)
	attack "DELETE FROM entry WHERE idx >= $n;
		UPDATE tile SET data = substr(data, 1, $n * 32);
		DELETE FROM checkpoint WHERE size > $n;
		${1-}"
}

# The same, and remove later names, set sums and the root's times back.
cut_to_early_without_a_trace() {
	cut_to_early "DELETE FROM node WHERE entry >= $(sed -n 2p early);
		$(sqlite3 backup/ledger.db "SELECT format('UPDATE meta SET
		value = %d WHERE key = %Q;', value, key) FROM meta
		WHERE key IN ('files', 'content_bytes')")
		$(sqlite3 backup/ledger.db "SELECT format('UPDATE node SET
		mtime = %d, mtime_ns = %d, ctime = %d, ctime_ns = %d WHERE id = 1',
		mtime, mtime_ns, ctime, ctime_ns) FROM node WHERE id = 1")"
}

# The checkpoint file finds a cut tail.
# A cut needs no key: checkpoints of all sizes are signed.
a_cut_tail_is_found_by_the_checkpoint_beside_it() {
	cut_to_early_without_a_trace
	fails "$beside" copy
	says 'beside the database'
	says 'entries were cut off'
}

# With that file cut too, only a checkpoint kept elsewhere finds the cut.
a_cut_tail_is_found_with_a_kept_checkpoint() {
	cut_to_early_without_a_trace
	cp -f early copy/checkpoint
	is 0 trailctl verify --vkey vkey copy
	is 0 trailctl verify --vkey vkey --checkpoint early copy
	fails "$beside" copy --checkpoint late
	says 'entries were cut off'
	is 0 trailctl export-log copy cut
	fails "$beside" cut --checkpoint late
}

# Names without an entry are found after a careless cut.
a_cut_tail_leaves_names_behind() {
	cut_to_early
	fails "names,$beside" copy
	says "^    late: .*has no entry"
}

# Neither trailctl nor the mount continues a ledger that was cut.
nothing_is_appended_to_a_cut_ledger() {
	cut_to_early_without_a_trace
	is 4 trailctl sync copy
	complains 'older copy was put back'
	is 1 trailfs copy "$mnt"
	complains 'older copy was put back'
	[ "$(sqlite3 copy/ledger.db 'SELECT count(*) FROM entry')" -eq \
		"$(sed -n 2p early)" ]
}

# An older checkpoint finds a history that was rewritten with the real key.
# Nothing in the store itself contradicts such a history.
rewritten_history_is_found_with_a_kept_checkpoint() {
	rewrite "$(in_entry "$(entry_of "$L")" '"user":"root"' '"user":"toor"')"
	is 0 trailctl verify --vkey vkey copy
	fails "$beside" copy --checkpoint early
	says 'history was rewritten'
	fails "$beside" copy --checkpoint late
	is 0 trailctl export-log copy rewritten
	is 0 trailctl verify --vkey vkey rewritten
	fails "$beside" rewritten --checkpoint early
	# A change after the early checkpoint does not contradict it.
	rewrite "$(in_entry "$(entry_of late/w/a/late.txt)" '"user":"root"' \
		'"user":"toor"')"
	is 0 trailctl verify --vkey vkey --checkpoint early copy
	fails "$beside" copy --checkpoint late
}

# Rewriting content is found unless entry, row, object and digest all agree.
rewritten_content_must_agree_with_what_is_stored() {
	old=$(trailctl show "store/$L" | sed -n 's/^sha256 *//p')
	new=$(printf 'all was well\n' | sha256sum | cut -c 1-64)
	entry=$(entry_of "$L") object=$(object_of "$L")
	change="$(in_entry "$entry" \
		"\"sha256\":\"$old\",\"size\":$(wc -c <"$sample/${L#t/w/}")" \
		"\"sha256\":\"$new\",\"size\":13")"
	rewrite "$change"
	fails contents,names copy
	names "entry $entry, $L" 'other bytes'
	names "entry $entry, $L" 'another size'
	rewrite "$change; UPDATE node SET size = 13 WHERE entry = $entry"
	fails contents copy
	change="$change; UPDATE node SET size = 13 WHERE entry = $entry;
		UPDATE object SET size = 13, sha256 = x'$new',
		body = CAST('all was well' || char(10) AS BLOB) WHERE id = $object;
		UPDATE digest SET sha256 = x'$new' WHERE object = $object"
	rewrite "$change"
	is 0 trailctl verify --vkey vkey copy
	fails "$beside" copy --checkpoint early
}

# Rewritten evidence of a sealed attestation contradicts the signed statement.
rewritten_evidence_contradicts_its_statement() {
	file=$U/sso-sign-in.json seal=$(seal_of "$U")
	old=$(trailctl show "store/$file" | sed -n 's/^sha256 *//p')
	new=$(printf 'all was well\n' | sha256sum | cut -c 1-64)
	entry=$(entry_of "$file") object=$(object_of "$file")
	rewrite "$(in_entry "$entry" \
		"\"sha256\":\"$old\",\"size\":$(wc -c <"$sample/${file#t/w/}")" \
		"\"sha256\":\"$new\",\"size\":13");
		UPDATE node SET size = 13 WHERE entry = $entry;
		UPDATE object SET size = 13, sha256 = x'$new',
		body = CAST('all was well' || char(10) AS BLOB) WHERE id = $object;
		UPDATE digest SET sha256 = x'$new' WHERE object = $object"
	fails entries copy
	names "entry $seal, $U" ''
}

# The checkpoint file finds a rewritten ledger, and nothing is appended.
a_rewritten_ledger_is_not_the_one_beside_it() {
	attack "$(in_entry "$(entry_of "$L")" '"user":"root"' '"user":"toor"')"
	resign copy store/keys/log.pem
	fails "$beside" copy
	says 'beside the database'
	is 4 trailctl sync copy
	complains 'history differs'
	is 1 trailfs copy "$mnt"
	complains 'history differs'
}

# An older database is refused until init --recover, which is recorded.
an_old_database_is_not_continued() {
	again backup
	cp -f late copy/checkpoint
	fails "$beside" copy
	says 'older copy was put back'
	fails "$beside" copy --checkpoint early
	fails "$beside" copy --checkpoint late
	is 1 trailfs copy "$mnt"
	complains 'older copy was put back'
	complains 'init STORE --recover'
	is 4 trailctl sync copy
	complains 'older copy was put back'
	is 0 trailctl init --recover copy
	cp out newkey
	is 0 trailctl verify --vkey newkey copy
	is 4 trailctl verify --vkey vkey copy
	says '^signature *FAILED'
	# The ledger records the recovery.
	is 0 trailctl log --json --type ledger.opened copy
	tail -n 1 out >opened
	grep -q '"origin":"example.org/tamper/2"' opened
	for head in head:early lost:late; do
		text=$(sed 's/$/\\n/' "${head#*:}" | tr -d '\n')
		grep -qF "\"${head%:*}\":\"$text\"" opened
	done
	# The early checkpoint is still a beginning; the late one is not.
	is 0 trailctl verify --vkey newkey --checkpoint early copy
	is 4 trailctl verify --vkey newkey --checkpoint late copy
	says '^earlier checkpoint *FAILED'
	mount copy
	mkdir mnt/after
	unmount
	is 0 trailctl verify --vkey newkey copy
}

# A kept checkpoint finds a backup that was put back whole.
# Nothing in such a store contradicts itself.
a_backup_put_back_whole_is_found_with_a_kept_checkpoint() {
	again backup
	is 3 trailctl sync copy
	complains 'last written in another directory'
	is 0 trailctl init --moved copy
	is 0 trailctl verify --vkey vkey --checkpoint early copy
	fails "$beside" copy --checkpoint late
}

# The guard file outside the store finds a backup that was put back whole.
a_backup_put_back_whole_is_found_by_the_guard() {
	again backup
	echo "guard = $work/guard" >>copy/config
	is 0 trailctl init --moved copy
	cmp guard copy/checkpoint
	cp -a copy guarded
	is 0 trailctl sync copy
	is 4 trailctl sync guarded
	complains 'the guard'
	complains 'older copy was put back'
	is 1 trailfs guarded "$mnt"
	complains 'the guard'
}

# Two stores grown from one backup contradict the checkpoints of each other.
two_histories_are_found_when_their_heads_are_compared() {
	again backup
	cp -a copy fork
	is 0 trailctl init --moved copy
	is 0 trailctl init --moved fork
	for one in copy fork; do
		is 0 trailctl verify --vkey vkey --checkpoint early $one
	done
	fails "$beside" copy --checkpoint fork/checkpoint
	says 'history was rewritten'
	fails "$beside" fork --checkpoint copy/checkpoint
}

with 'sqlite3 /dev/fuse' a_store_is_made_to_be_attacked
with 'sqlite3 /dev/fuse' a_cut_tail_is_found_by_the_checkpoint_beside_it \
	a_cut_tail_is_found_with_a_kept_checkpoint \
	a_cut_tail_leaves_names_behind \
	nothing_is_appended_to_a_cut_ledger
with 'sqlite3 /dev/fuse python3 openssl' rewritten_history_is_found_with_a_kept_checkpoint \
	rewritten_content_must_agree_with_what_is_stored \
	rewritten_evidence_contradicts_its_statement \
	a_rewritten_ledger_is_not_the_one_beside_it
with 'sqlite3 /dev/fuse' an_old_database_is_not_continued \
	a_backup_put_back_whole_is_found_with_a_kept_checkpoint \
	a_backup_put_back_whole_is_found_by_the_guard \
	two_histories_are_found_when_their_heads_are_compared
finish
