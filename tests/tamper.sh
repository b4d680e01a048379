#!/bin/sh
# Somebody with every right changes a store behind trailfs' back, or the log
# that was taken from it.  For each attack: which link of the chain fails, and
# who is named.  What cannot be seen without a checkpoint or a key held from
# earlier is said to be so, too.
#
# Each test is a function whose name is a sentence; it fails with its first
# command that does.  The summary is in the form of Check's.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
PATH=$BUILD:$PATH
top=$PWD
sample=$top/tests/sample/ecs-execute-command-0199bb27be8f354b7
work=$(mktemp -d "${TMPDIR:-/tmp}/tamper.XXXXXX") || exit 1
mnt=$work/mnt
cd "$work" || exit 1

# unmount [STORE]: and wait until its daemon has let go of it.
unmount() {
	fusermount3 -u "$mnt" 2>/dev/null || umount "$mnt" 2>/dev/null ||
		fusermount3 -uz "$mnt" 2>/dev/null || :
	chattr -i "$mnt" 2>/dev/null || :
	if [ -e "${1-}/lock" ]; then
		flock -w 30 "$1/lock" true
	fi
}
trap 'cd /; unmount; chattr -R -i "$work" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

mount() {
	timeout 30 trailfs "$1" "$mnt"
}

# --- what is expected ---------------------------------------------------

# is STATUS COMMAND...: the command ends with that status, out and err keep
# what it said.
is() {
	want=$1
	shift
	got=0
	timeout 60 "$@" >out 2>err || got=$?
	[ "$got" -eq "$want" ] || {
		echo "$* ended with $got, not $want, and said:"
		cat out err
		exit 1
	}
}

says() {
	grep -q -- "$1" out || {
		echo "no '$1' in:"
		cat out
		exit 1
	}
}

complains() {
	grep -q -- "$1" err || {
		echo "no '$1' on stderr, but:"
		cat err
		exit 1
	}
}

# fails LINK,... STORE OPTION...: exactly those links fail, and all others
# that can be looked at hold.
fails() {
	links=$1
	shift
	is 4 trailctl verify --vkey vkey "$@"
	found=$(sed -n 's/^\([a-z ]*[a-z]\)  *FAILED .*/\1/p' out | paste -sd, -)
	[ "$found" = "$links" ] || {
		echo "$* failed in '$found', not '$links', and said:"
		cat out
		exit 1
	}
}

# names THING TEXT: a finding names that thing: an entry with its path, or a
# path alone.
names() {
	says "^    $1: .*$2"
}

# --- attacks ------------------------------------------------------------

# A copy to be attacked.
again() {
	rm -rf copy
	cp -a "${1:-store}" copy
}

# sql STORE: run the SQL on stdin where the triggers would not let it.  They
# are made again to the letter, so that only the rows tell.
sql() {
	{
		echo 'BEGIN;'
		cat drop.sql - make.sql
		echo 'COMMIT;'
	} | sqlite3 -bail "$1/ledger.db"
}

# attack SQL: a fresh copy, and that done to it.
attack() {
	again
	echo "$1;" | sql copy
}

# query SQL: of the store that nobody touched.
query() {
	sqlite3 store/ledger.db "$1"
}

# entry_of PATH, node_of PATH, object_of PATH: their numbers; the entry is the
# one that made it.
entry_of() {
	query "SELECT min(idx) FROM entry
		WHERE json_extract(CAST(body AS TEXT), '\$.path') = '$1'"
}

node_of() {
	query "SELECT id FROM node WHERE entry = $(entry_of "$1")"
}

object_of() {
	query "SELECT object FROM node WHERE entry = $(entry_of "$1")"
}

# The entry that sealed the attestation.
seal_of() {
	query "SELECT seal FROM node WHERE entry = $(entry_of "$1")"
}

# object_file STORE PATH: where the bytes of a large one are.
object_file() {
	hash=$(trailctl show "store/$2" | sed -n 's/^sha256 *//p')
	echo "$1/objects/$(echo "$hash" | cut -c 1-2)/$(echo "$hash" |
		cut -c 3-)"
}

# flip FILE OFFSET: the lowest bit of that byte.
flip() {
	byte=$(od -An -v -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	chmod u+w "$1"
	# shellcheck disable=SC2059
	printf "\\$(printf %03o $((byte ^ 1)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# place FILE TEXT: where it stands first.
place() {
	grep -abo -- "$2" "$1" | head -n 1 | cut -d : -f 1
}

# resign STORE KEY: make tile and checkpoint of the entries that are there,
# as whoever has stolen the key would.  The file note has the checkpoint.
resign() {
	python3 - "$1" "$2" >again.sql <<-'PYTHON'
	import base64, hashlib, json, sqlite3, subprocess, sys
	store, key = sys.argv[1:]
	def h(b): return hashlib.sha256(b).digest()
	def root(x):
	    if len(x) == 1: return x[0]
	    k = 1 << (len(x) - 1).bit_length() - 1
	    return h(b'\1' + root(x[:k]) + root(x[k:]))
	def b64(b): return base64.b64encode(b).decode()
	def openssl(*args): return subprocess.run(('openssl',) + args,
	    check=True, capture_output=True).stdout
	db = sqlite3.connect(store + '/ledger.db')
	[origin] = db.execute("SELECT value FROM meta WHERE key='origin'").fetchone()
	bodies = [bytes(b) for b, in db.execute('SELECT body FROM entry ORDER BY idx')]
	leaves = [h(b'\0' + b) for b in bodies]
	assert len(leaves) < 256
	text = '%s\n%d\n%s\n' % (origin, len(leaves), b64(root(leaves)))
	open('text', 'w').write(text)
	pub = openssl('pkey', '-in', key, '-pubout', '-outform', 'DER')[-32:]
	sig = openssl('pkeyutl', '-sign', '-rawin', '-inkey', key, '-in', 'text')
	line = h(origin.encode() + b'\n\1' + pub)[:4] + sig
	note = '%s\n\u2014 %s %s\n' % (text, origin, b64(line))
	open('note', 'w').write(note)
	print("DELETE FROM tile; INSERT INTO tile VALUES(0, 0, x'%s');"
	    % b''.join(leaves).hex())
	print("DELETE FROM checkpoint; INSERT INTO checkpoint VALUES(%d, x'%s',"
	    " x'%s');" % (len(leaves), root(leaves).hex(), note.encode().hex()))
	sealed = [e for e in map(json.loads, bodies) if e['type'] == 'evidence.sealed']
	print("UPDATE meta SET value = %d WHERE key = 'files';" % len(sealed))
	print("UPDATE meta SET value = %d WHERE key = 'content_bytes';"
	    % sum(e['content']['size'] for e in sealed))
	off = 0
	for idx, body in enumerate(bodies):
	    print('UPDATE entry SET off = %d WHERE idx = %d;' % (off, idx))
	    off += len(body) + 1
	PYTHON
	sql "$1" <again.sql
}

# rewrite SQL: history changed and signed again, with the log's own key, in
# all places of the store.
rewrite() {
	attack "$1"
	resign copy store/keys/log.pem
	cp -f note copy/checkpoint
}

# in_entry N OLD NEW: SQL that puts other text into an entry.
in_entry() {
	echo "UPDATE entry SET body =
		CAST(replace(CAST(body AS TEXT), '$2', '$3') AS BLOB) WHERE idx = $1"
}

# --- a store to attack --------------------------------------------------

A=t/w/command-logs
L=$A/ecs-execute-command-0199bb27be8f354b7.log
S=$A/session-summary.json
B=$A/big.bin
U=t/w/user-identity

# Two sessions, with a checkpoint and a backup kept from between them.
a_store_is_made_to_be_attacked() {
	is 0 trailctl init --origin example.org/tamper store
	cp out vkey
	mkdir "$mnt"
	mount store
	mkdir -p "mnt/t/w"
	cp -r "$sample"/* mnt/t/w/
	seq 40000 >"mnt/$B"
	mkdir "mnt/$A/sub"
	echo deep >"mnt/$A/sub/deep"
	trailctl sync mnt
	chmod a-w "mnt/$U"
	unmount store
	cp -a store backup
	cp store/checkpoint early
	mount store
	mkdir -p mnt/late/w/a
	echo late >mnt/late/w/a/late.txt
	trailctl sync mnt
	unmount store
	cp store/checkpoint late
	is 0 trailctl verify --vkey vkey --checkpoint early store
	is 0 trailctl verify --vkey vkey --checkpoint late store
	[ -f "$(object_file store "$B")" ]
	is 0 trailctl init --origin example.org/other other
	cp out otherkey
	triggers="FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
	query "SELECT 'DROP TRIGGER ' || name || ';' $triggers" >drop.sql
	query "SELECT sql || ';' $triggers" >make.sql
}

# --- D1, D2: bytes ------------------------------------------------------

a_flipped_bit_in_the_database_names_the_file() {
	again
	flip copy/ledger.db "$(place copy/ledger.db 'uid=0(root)')"
	fails contents copy
	names "entry $(entry_of "$L"), $L" altered
}

a_flipped_bit_in_an_object_file_names_the_file() {
	again
	flip "$(object_file copy "$B")" 5000
	fails contents copy
	names "entry $(entry_of "$B"), $B" altered
	again
	chmod u+w "$(object_file copy "$B")"
	echo more >>"$(object_file copy "$B")"
	fails contents copy
	names "entry $(entry_of "$B"), $B" altered
}

a_flipped_bit_in_a_statement_names_the_attestation() {
	again
	flip copy/ledger.db "$(place copy/ledger.db 'in-toto.io/Statement')"
	fails contents copy
	names "entry $(seal_of "$U"), $U" 'statement is altered'
}

# Not ENOENT: that would say that it was never there.
altered_bytes_are_not_served() {
	again
	flip copy/ledger.db "$(place copy/ledger.db 'uid=0(root)')"
	rm -f "$(object_file copy "$B")"
	mount copy
	is 1 cat "mnt/$L"
	complains 'Input/output error'
	[ ! -s out ]
	is 1 cat "mnt/$B"
	complains 'Input/output error'
	[ ! -s out ]
	cmp "mnt/$S" "$sample/command-logs/session-summary.json"
	unmount copy
}

a_deleted_object_is_missing_and_not_altered() {
	again
	rm -f "$(object_file copy "$B")"
	fails contents copy
	names "entry $(entry_of "$B"), $B" missing
	# The same bytes elsewhere are not the object.
	ln -s "$work/$(object_file store "$B")" "$(object_file copy "$B")"
	fails contents copy
	names "entry $(entry_of "$B"), $B" missing
	attack "DELETE FROM object WHERE id = $(object_of "$L")"
	fails contents copy
	names "entry $(entry_of "$L"), $L" missing
	attack "DELETE FROM object WHERE sha256 NOT IN
		(SELECT sha256 FROM object JOIN node ON node.object = object.id)"
	fails contents copy
	names "entry $(seal_of "$U"), $U" 'statement is missing'
}

# --- D3: entries --------------------------------------------------------

# Entries that changed are not those of the checkpoint beside the database.
beside='earlier checkpoint'

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

entries_that_changed_places_are_named() {
	n=$(entry_of "$L")
	attack "UPDATE entry SET idx = -1 WHERE idx = $n;
		UPDATE entry SET idx = $n WHERE idx = $((n + 1));
		UPDATE entry SET idx = $((n + 1)) WHERE idx = -1"
	fails "entries,names,tree,tiles,$beside" copy
	names "entry $n, .*" "number $((n + 1))"
	names "entry $((n + 1)), $L" "number $n"
}

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
	fails "entries,tiles,$beside" copy
	says 'entries after the newest checkpoint'
	attack 'DELETE FROM checkpoint'
	fails signature copy
	says 'there is no checkpoint'
}

# --- D4: the tail is cut off --------------------------------------------

cut_to_early() {
	n=$(sed -n 2p early)
	attack "DELETE FROM entry WHERE idx >= $n;
		UPDATE tile SET data = substr(data, 1, $n * 32);
		DELETE FROM checkpoint WHERE size > $n;
		${1-}"
}

# With the names that came after, and sums and the root's times set back.
cut_to_early_without_a_trace() {
	cut_to_early "DELETE FROM node WHERE entry >= $(sed -n 2p early);
		$(sqlite3 backup/ledger.db "SELECT format('UPDATE meta SET
		value = %d WHERE key = %Q;', value, key) FROM meta
		WHERE key IN ('files', 'content_bytes')")
		$(sqlite3 backup/ledger.db "SELECT format('UPDATE node SET
		mtime = %d, mtime_ns = %d, ctime = %d, ctime_ns = %d WHERE id = 1',
		mtime, mtime_ns, ctime, ctime_ns) FROM node WHERE id = 1")"
}

# The checkpoints of each size are signed: a cut needs no key.
a_cut_tail_is_found_by_the_checkpoint_beside_it() {
	cut_to_early_without_a_trace
	fails "$beside" copy
	says 'beside the database'
	says 'entries were cut off'
}

# With that one cut too, only what is held elsewhere tells.
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

a_cut_tail_leaves_names_behind() {
	cut_to_early
	fails "names,$beside" copy
	says "^    late: .*has no entry"
}

nothing_is_appended_to_a_cut_ledger() {
	cut_to_early_without_a_trace
	is 4 trailctl sync copy
	complains 'older copy was put back'
	is 1 trailfs copy "$mnt"
	complains 'older copy was put back'
	[ "$(sqlite3 copy/ledger.db 'SELECT count(*) FROM entry')" -eq \
		"$(sed -n 2p early)" ]
}

# --- D5: history rewritten with the real key ----------------------------

# Nothing in the store contradicts it; only an older head does.
rewritten_history_is_found_with_a_kept_checkpoint() {
	rewrite "$(in_entry "$(entry_of "$L")" '"user":"root"' '"user":"toor"')"
	is 0 trailctl verify --vkey vkey copy
	fails "$beside" copy --checkpoint early
	says 'history was rewritten'
	fails "$beside" copy --checkpoint late
	is 0 trailctl export-log copy rewritten
	is 0 trailctl verify --vkey vkey rewritten
	fails "$beside" rewritten --checkpoint early
	# What came after the change in time, the checkpoint from before allows.
	rewrite "$(in_entry "$(entry_of late/w/a/late.txt)" '"user":"root"' \
		'"user":"toor"')"
	is 0 trailctl verify --vkey vkey --checkpoint early copy
	fails "$beside" copy --checkpoint late
}

# One who changes content too must follow it everywhere.
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

# --- D6, D7: backups and forks ------------------------------------------

an_old_database_is_not_gone_on_with() {
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
	# That it happened stands in the ledger.
	is 0 trailctl log --json --type ledger.opened copy
	tail -n 1 out >opened
	grep -q '"origin":"example.org/tamper/2"' opened
	for head in head:early lost:late; do
		text=$(sed 's/$/\\n/' "${head#*:}" | tr -d '\n')
		grep -qF "\"${head%:*}\":\"$text\"" opened
	done
	# What was before is still the beginning; what was lost is lost.
	is 0 trailctl verify --vkey newkey --checkpoint early copy
	is 4 trailctl verify --vkey newkey --checkpoint late copy
	says '^earlier checkpoint *FAILED'
	mount copy
	mkdir mnt/after
	unmount copy
	is 0 trailctl verify --vkey newkey copy
}

# Put back as a whole, nothing in it can tell.
a_backup_put_back_whole_is_found_with_a_kept_checkpoint() {
	again backup
	is 0 trailctl sync copy
	is 0 trailctl verify --vkey vkey --checkpoint early copy
	fails "$beside" copy --checkpoint late
}

a_backup_put_back_whole_is_found_by_the_guard() {
	again backup
	echo "guard = $work/guard" >>copy/config
	is 0 trailctl sync copy
	cmp guard copy/checkpoint
	cp -a copy guarded
	is 0 trailctl sync copy
	is 4 trailctl sync guarded
	complains 'the guard'
	complains 'older copy was put back'
	is 1 trailfs guarded "$mnt"
	complains 'the guard'
}

two_histories_are_found_when_their_heads_are_compared() {
	again backup
	cp -a copy fork
	is 0 trailctl sync copy
	is 0 trailctl sync fork
	for one in copy fork; do
		is 0 trailctl verify --vkey vkey --checkpoint early $one
	done
	fails "$beside" copy --checkpoint fork/checkpoint
	says 'history was rewritten'
	fails "$beside" fork --checkpoint copy/checkpoint
}

# --- D8, D9: keys -------------------------------------------------------

swapped_keys_are_refused() {
	again
	rm -rf copy/keys
	cp -a other/keys copy/keys
	is 4 trailctl verify copy
	says '^signature *FAILED'
	# The log itself is as it was; keys are not learned from the store.
	is 0 trailctl verify --vkey vkey copy
	is 4 trailctl sync copy
	complains 'not the key'
	is 1 trailfs copy "$mnt"
	complains 'not the key'
	is 0 trailctl verify --vkey vkey copy
	again
	cp -f other/keys/log.pem copy/keys/
	is 4 trailctl sync copy
	complains 'no signature of the key'
	is 1 trailfs copy "$mnt"
	complains 'no signature of the key'
	is 0 trailctl verify --vkey vkey copy
}

# Statements signed by it would be nobody's.
a_swapped_attester_key_is_refused() {
	again
	cp -f other/keys/attester.pem copy/keys/
	is 4 trailctl sync copy
	complains 'attester.pem is not the key'
	is 1 trailfs copy "$mnt"
	is 0 trailctl verify --vkey vkey copy
}

# With the whole history signed by another key only the pinned one tells.
a_history_by_another_key_fails_the_pinned_one() {
	{
		echo '-----BEGIN PRIVATE KEY-----'
		sed 1d other/keys/log.pem
	} >other.pem
	id=$(openssl pkey -in other.pem -pubout -outform DER | tail -c 32 | {
		printf 'example.org/tamper\n\001'
		cat
	} | openssl dgst -sha256 | sed 's/.* //' | cut -c 1-8)
	swapped=example.org/tamper+$id+$(cut -d + -f 3- otherkey)
	attack "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT),
		'$(cat vkey)', '$swapped') AS BLOB)"
	resign copy other.pem
	cp -f note copy/checkpoint
	cp -f other.pem copy/keys/log.pem
	echo "$swapped" >swapped.vkey
	cp -f swapped.vkey copy/keys/log.vkey
	is 0 trailctl verify copy
	is 0 trailctl verify --vkey swapped.vkey copy
	is 4 trailctl verify --vkey vkey copy
	says '^signature *FAILED'
	is 4 trailctl verify --vkey swapped.vkey --checkpoint early copy
	says '^earlier checkpoint *FAILED'
}

# The thief signs another tree elsewhere.
a_checkpoint_by_a_stolen_key_is_not_of_this_log() {
	attack "$(in_entry "$(entry_of "$L")" '"user":"root"' '"user":"toor"')"
	resign copy store/keys/log.pem
	cp note stolen
	fails "$beside" store --checkpoint stolen
	says 'history was rewritten; keep both'
	# Put in place of the right one.
	rm -rf exported
	is 0 trailctl export-log store exported
	cp -f stolen exported/checkpoint
	fails tree exported
	again
	echo "UPDATE checkpoint SET note = CAST(readfile('stolen') AS BLOB)
		WHERE size = (SELECT max(size) FROM checkpoint);" | sql copy
	fails tree,signature copy
	is 4 trailctl sync copy
}

# --- D14: what ls shows -------------------------------------------------

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

# What verify does not compare is nowhere to be seen.
what_is_not_in_an_entry_is_not_shown() {
	attack "UPDATE node SET mode = 511, uid = 7, gid = 7,
		object = $(object_of "$L"), xattrs = x'7b226e6f7465223a22227d'
		WHERE entry = $(entry_of "$A/sub")"
	mount store
	(cd mnt && find . -name .trailfs -prune -o -printf \
		'%p %y %m %U %G %s %T@ %C@ %n\n' | sort) >before
	unmount store
	mount copy
	(cd mnt && find . -name .trailfs -prune -o -printf \
		'%p %y %m %U %G %s %T@ %C@ %n\n' | sort) >after
	cat "mnt/$A/sub" 2>/dev/null && exit 1
	unmount copy
	cmp before after
}

changed_attributes_are_named() {
	rm -rf marked
	cp -a backup marked
	mount marked
	mkdir -p mnt/t/w/marked
	echo x >mnt/t/w/marked/file
	setfattr -n user.note -v hello mnt/t/w/marked/file
	trailctl sync mnt
	unmount marked
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

# --- D15: games with the database ---------------------------------------

games='are not as trailfs makes them'

# refused: verify, trailctl and the mount do not even look.
refused() {
	is 4 trailctl verify --vkey vkey copy
	complains "$games"
	is 4 trailctl sync copy
	complains "$games"
	is 1 trailfs copy "$mnt"
	complains "$games"
	[ ! -s out ]
}

another_schema_is_refused() {
	for game in 'DROP TRIGGER entry_update' 'DROP TRIGGER node_delete' \
		'DROP INDEX node_parent' 'CREATE TABLE extra(x)' \
		'CREATE VIEW extra AS SELECT * FROM node' \
		'CREATE INDEX extra ON node(mode)' \
		'CREATE TRIGGER extra BEFORE INSERT ON stage BEGIN SELECT 1; END' \
		'ALTER TABLE node ADD COLUMN extra INT' \
		'ALTER TABLE node RENAME TO extra' 'ANALYZE'; do
		again
		sqlite3 copy/ledger.db "$game"
		refused
	done
}

a_schema_written_by_hand_is_refused() {
	while read -r old new; do
		again
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

# Rows that lie beside the index by which the mount finds them.
an_index_that_lies_is_found() {
	again
	n=$(node_of "$L")
	root=$(query "SELECT rootpage FROM sqlite_schema
		WHERE name = 'node_parent'")
	# The index is forgotten while its row moves, and remembered.
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

# forged ID ENTRY: SQL for a name more.
forged() {
	echo "INSERT INTO node SELECT $1, $(node_of "$A"), CAST('forged' AS BLOB),
		5, mode, uid, gid, size, mtime, mtime_ns, ctime, ctime_ns, btime,
		btime_ns, $2, NULL, object, NULL FROM node
		WHERE entry = $(entry_of "$L")"
}

a_deleted_name_is_named() {
	for path in "$L" "$A/sub" "$A" t; do
		attack "DELETE FROM node WHERE entry = $(entry_of "$path")"
		fails names copy
		names "entry $(entry_of "$path"), $path" 'is missing'
	done
}

# By its name: nobody looks for what they do not know of.
a_name_more_is_named() {
	attack "$(forged 90000 90000)"
	fails names copy
	says '^    .*forged: .*has no entry'
	attack "$(forged 90000 "$(entry_of "$S")")"
	fails names copy
	says '^    .*forged: '
}

a_name_in_the_place_of_another_is_named() {
	attack "DELETE FROM node WHERE entry = $(entry_of "$S");
		$(forged 90000 "$(entry_of "$S")")"
	fails names copy
	names "entry $(entry_of "$S"), $S" 'is missing'
	says '^    .*forged: '
}

an_entry_more_is_found() {
	for n in max\(idx\)+1 max\(idx\)+7; do
		attack "INSERT INTO entry SELECT $n, max(off) + length(body) + 1,
			body FROM entry"
		fails entries copy
		names 'entry [0-9]*' 'after the newest checkpoint'
	done
}

an_entry_before_the_first_is_found() {
	attack 'INSERT INTO entry SELECT -1, 0, body FROM entry WHERE idx = 1'
	fails entries copy
}

# The next append would run into it.
a_hash_more_is_found() {
	attack 'UPDATE tile SET data = CAST(data || zeroblob(32) AS BLOB)'
	fails tiles copy
	attack 'INSERT INTO tile VALUES(0, 1, zeroblob(32))'
	fails tiles copy
}

# Else equal bytes that come later would be taken for other ones.
a_digest_of_other_bytes_is_found() {
	attack "UPDATE digest SET object = $(object_of "$S")
		WHERE object = $(object_of "$L")"
	is 4 trailctl verify --vkey vkey copy
	says '^contents *FAILED'
}

equal_bytes_are_not_taken_for_other_ones() {
	attack "UPDATE digest SET object = $(object_of "$S")
		WHERE object = $(object_of "$L")"
	mount copy
	mkdir mnt/t/w/equal
	cp "$sample/${L#t/w/}" mnt/t/w/equal/file
	trailctl sync mnt
	cmp "$sample/${L#t/w/}" mnt/t/w/equal/file
	unmount copy
	is 4 trailctl verify --vkey vkey copy
	if grep t/w/equal out; then
		exit 1
	fi
}

replace_walks_past_no_trigger() {
	for table in entry tile checkpoint node object digest; do
		again
		got=0
		sqlite3 copy/ledger.db "PRAGMA recursive_triggers = ON;
			INSERT OR REPLACE INTO $table SELECT * FROM $table LIMIT 1" \
			>out 2>&1 || got=$?
		[ "$got" -ne 0 ]
		grep -Eq 'never|only' out
		is 0 trailctl verify --vkey vkey copy
	done
}

# Without that setting it does: the triggers are for our own mistakes.
replace_past_a_trigger_is_found() {
	again
	sqlite3 copy/ledger.db "PRAGMA recursive_triggers = OFF;
		INSERT OR REPLACE INTO node SELECT id, parent, name, kind, mode, 7,
		gid, size, mtime, mtime_ns, ctime, ctime_ns, btime, btime_ns, entry,
		seal, object, xattrs FROM node WHERE entry = $(entry_of "$L")"
	fails names copy
	names "entry $(entry_of "$L"), $L" 'another owner or mode'
	again
	sqlite3 copy/ledger.db "PRAGMA recursive_triggers = OFF;
		INSERT OR REPLACE INTO object SELECT id, size, sha256,
		zeroblob(size) FROM object WHERE id = $(object_of "$L")"
	fails contents copy
	names "entry $(entry_of "$L"), $L" altered
}

# --- D16: things in the place of others ---------------------------------

swap_objects() {
	x=$(object_of "$L") y=$(object_of "$S")
	attack "UPDATE node SET object = $x + $y - object
		WHERE object IN ($x, $y)"
}

swapped_bytes_name_both_files() {
	swap_objects
	fails contents copy
	names "entry $(entry_of "$L"), $L" altered
	names "entry $(entry_of "$S"), $S" altered
	# The bytes themselves.
	attack "CREATE TEMP TABLE was AS SELECT id, body FROM object;
		UPDATE object SET body = (SELECT body FROM was
		WHERE was.id = $x + $y - object.id) WHERE id IN ($x, $y)"
	fails contents copy
	names "entry $(entry_of "$L"), $L" altered
	names "entry $(entry_of "$S"), $S" altered
	# With all that says what they are.
	attack "UPDATE object SET id = -id WHERE id IN ($x, $y);
		UPDATE object SET id = $x + $y + id WHERE id < 0"
	fails contents copy
	names "entry $(entry_of "$L"), $L" altered
	names "entry $(entry_of "$S"), $S" altered
}

swapped_bytes_are_not_served() {
	swap_objects
	mount copy
	for path in "$L" "$S"; do
		is 1 cat "mnt/$path"
		complains 'Input/output error'
	done
	unmount copy
}

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

an_entry_of_another_store_is_named_even_when_signed() {
	an_entry_of_another_store_is_named signed
}

# --- damage -------------------------------------------------------------

# damaged HOW: never a crash, never OK, and a line that says what is wrong.
damaged() {
	got=0
	timeout 60 trailctl verify --vkey vkey copy >out 2>err || got=$?
	[ "$got" -eq 3 ] || [ "$got" -eq 4 ] || {
		echo "$1: verify ended with $got"
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
			echo "$1: $verb ended with $got"
			exit 1
		}
	done
}

a_damaged_database_is_told_clearly() {
	size=$(wc -c <store/ledger.db)
	for to in 0 1 16 99 100 512 4095 4096 8192 $((size / 2)) \
		$((size - 4096)) $((size - 5000)); do
		again
		truncate -s "$to" copy/ledger.db
		damaged "cut to $to bytes"
	done
	for zeros in 16 100 4096 "$size"; do
		again
		dd if=/dev/zero of=copy/ledger.db bs="$zeros" count=1 \
			conv=notrunc 2>/dev/null
		damaged "$zeros zeros"
	done
	again
	rm copy/ledger.db
	is 3 trailctl verify --vkey vkey copy
	complains 'no database'
}

shown() {
	sqlite3 "$1/ledger.db" '.dump entry node object tile' 2>&1
}

# A bit in each of many places: whoever says OK shows what was there.
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
				echo "byte $at: taken"
				missed=1
			}
			;;
		*)
			echo "byte $at: ended with $got"
			cat out err
			missed=1
			;;
		esac
	done
	[ "$missed" -eq 0 ]
}

# --- a second verifier --------------------------------------------------

verifier=$top/tests/verify.sh

# second STATUS THING...: what tests/verify.sh has to say.
second() {
	want=$1
	shift
	is "$want" "$verifier" bigkey "$@"
}

a_log_of_a_thousand_entries_is_made() {
	is 0 trailctl init --origin example.org/thousand big
	cp out bigkey
	mkdir -p mnt
	mount big
	mkdir mnt/t mnt/t/run
	seq -f 'mnt/t/run/event-%04g' 1000 | xargs mkdir
	echo x >mnt/t/run/event-0300/file
	trailctl sync mnt
	mkdir served
	cp -r mnt/.trailfs/checkpoint mnt/.trailfs/tile served
	cp mnt/t/run/event-0300/.trailfs/proof/file.tlog-proof \
		served.tlog-proof
	unmount big
	is 0 trailctl export-log big thousand
	[ "$(sed -n 2p thousand/checkpoint)" -ge 1000 ]
	[ -f thousand/tile/1/000.p/3 ]
	is 0 trailctl verify --vkey bigkey thousand
	is 0 trailctl prove -o entry.tlog-proof big/t/run/event-0700
	is 0 trailctl prove -o first.tlog-proof big
}

another_verifier_agrees_with_the_log() {
	second 0 thousand entry.tlog-proof first.tlog-proof \
		thousand/checkpoint
	says '^thousand: [0-9]* entries of example.org/thousand'
	says '^entry.tlog-proof: entry '
	is 0 "$verifier" "$(cat bigkey)" entry.tlog-proof
	is 0 "$verifier" big/keys/log.pub.pem thousand/checkpoint
	is 1 "$verifier" otherkey thousand/checkpoint
	is 1 "$verifier" vkey entry.tlog-proof
}

it_agrees_with_what_the_mount_serves() {
	second 0 served served.tlog-proof
	second 0 thousand served.tlog-proof served/checkpoint
}

it_holds_kept_checkpoints_and_proofs_against_the_log() {
	cp -a big grown
	is 0 trailctl sync grown
	is 0 trailctl export-log grown longer
	second 0 longer entry.tlog-proof thousand/checkpoint
	second 1 thousand longer/checkpoint
	complains 'fewer entries'
	is 0 trailctl sync big
	second 1 longer big/checkpoint
	complains 'another history'
}

# both_refuse WHAT: the copy of the log is altered, and both see it.
both_refuse() {
	second 1 altered
	complains "$1"
	is 4 trailctl verify --vkey bigkey altered
}

alter() {
	rm -rf altered
	cp -a thousand altered
}

an_altered_log_is_refused_by_both() {
	last=$(sed -n 2p thousand/checkpoint)
	w=$((last % 256))
	for tile in entries/000 entries/003.p/$w 0/001 0/003.p/$w 1/000.p/3; do
		alter
		flip "altered/tile/$tile" 50
		both_refuse altered/tile/
	done
	for tile in entries/003.p/$w 0/000; do
		alter
		truncate -s -1 "altered/tile/$tile"
		both_refuse "altered/tile/$tile"
		rm "altered/tile/$tile"
		both_refuse "altered/tile/$tile is missing"
	done
	# Two bundles in each other's place, two hashes in each other's.
	alter
	mv altered/tile/entries/000 altered/tile/entries/one
	mv altered/tile/entries/001 altered/tile/entries/000
	mv altered/tile/entries/one altered/tile/entries/001
	both_refuse altered/tile/0/000
	alter
	echo x >>altered/tile/entries/000
	both_refuse altered/tile/entries/000
}

an_altered_checkpoint_is_refused_by_both() {
	alter
	sed "2s/.*/$(($(sed -n 2p thousand/checkpoint) - 1))/" \
		thousand/checkpoint >altered/checkpoint
	both_refuse 'signature is wrong'
	# The root, the signature, the text behind it.
	for at in 28 40 130 170; do
		alter
		flip altered/checkpoint "$at"
		second 1 altered
		got=0
		trailctl verify --vkey bigkey altered >out 2>err || got=$?
		[ "$got" -eq 4 ]
	done
	alter
	cp first.tlog-proof altered/checkpoint
	second 1 altered
}

an_altered_proof_is_refused_by_both() {
	for edit in 's/^index ./index 9/' '4s/^./-/' '4d' '5{h;d};6G' \
		's/^extra eyJ/extra eyK/' '4{p}'; do
		sed "$edit" entry.tlog-proof >altered.tlog-proof
		cmp -s entry.tlog-proof altered.tlog-proof && exit 1
		second 1 altered.tlog-proof
		got=0
		trailctl verify --vkey bigkey altered.tlog-proof >out 2>err ||
			got=$?
		[ "$got" -eq 4 ] || [ "$got" -eq 2 ]
	done
}

# Those of tests/unit/test_vectors.c.
it_judges_our_vectors_as_we_do() {
	cd "$top/tests/vectors"
	# shellcheck disable=SC2016
	find notes proofs -type f | timeout 300 xargs -n 1 -P "$(nproc)" sh -c '
		timeout 60 "$0" log.vkey "$1" >/dev/null 2>&1
		echo "${1##*/} $?"' "$verifier" >"$work/judged"
	cd "$work"
	[ "$(grep -c '^good-' judged)" -ge 18 ]
	[ "$(grep -c '^bad-' judged)" -ge 100 ]
	if grep -v -e '^good-.* 0$' -e '^bad-.* 1$' judged; then
		exit 1
	fi
}

# --- all of them --------------------------------------------------------

checks=0 failures=0
run() {
	for name; do
		checks=$((checks + 1))
		# Not as a condition: there, -e would mean nothing.
		(
			set -e
			"$name"
		) >said 2>&1
		status=$?
		[ "$status" -eq 0 ] && continue
		failures=$((failures + 1))
		echo "tests/tamper.sh: $name"
		sed 's/^/    /' said
		unmount copy
	done
}

# with TOOLS NAME...: run them, or say of each what is missing.
with() {
	missing=
	for tool in $1; do
		command -v "$tool" >/dev/null || missing="$missing $tool"
	done
	[ -w /dev/fuse ] || missing="$missing /dev/fuse"
	shift
	if [ -z "$missing" ]; then
		run "$@"
		return
	fi
	checks=$((checks + $#))
	for name; do
		echo "SKIP $name: no$missing"
	done
}

with sqlite3 a_store_is_made_to_be_attacked \
	a_flipped_bit_in_the_database_names_the_file \
	a_flipped_bit_in_an_object_file_names_the_file \
	a_flipped_bit_in_a_statement_names_the_attestation \
	altered_bytes_are_not_served \
	a_deleted_object_is_missing_and_not_altered \
	an_edited_entry_is_named \
	a_deleted_entry_is_named \
	entries_that_changed_places_are_named \
	edited_hashes_and_checkpoints_are_found \
	a_cut_tail_is_found_by_the_checkpoint_beside_it \
	a_cut_tail_is_found_with_a_kept_checkpoint \
	a_cut_tail_leaves_names_behind \
	nothing_is_appended_to_a_cut_ledger \
	an_old_database_is_not_gone_on_with \
	a_backup_put_back_whole_is_found_with_a_kept_checkpoint \
	a_backup_put_back_whole_is_found_by_the_guard \
	two_histories_are_found_when_their_heads_are_compared \
	swapped_keys_are_refused \
	a_swapped_attester_key_is_refused \
	changed_metadata_of_a_file_is_named \
	changed_metadata_of_a_directory_is_named \
	what_is_not_in_an_entry_is_not_shown \
	changed_facts_of_the_store_are_found \
	another_schema_is_refused \
	a_schema_written_by_hand_is_refused \
	an_index_that_lies_is_found \
	a_deleted_name_is_named \
	a_name_more_is_named \
	a_name_in_the_place_of_another_is_named \
	an_entry_more_is_found \
	an_entry_before_the_first_is_found \
	a_hash_more_is_found \
	a_digest_of_other_bytes_is_found \
	equal_bytes_are_not_taken_for_other_ones \
	replace_walks_past_no_trigger \
	replace_past_a_trigger_is_found \
	swapped_bytes_name_both_files \
	swapped_bytes_are_not_served \
	an_entry_of_another_store_is_named \
	a_damaged_database_is_told_clearly \
	no_flipped_bit_is_shown_as_whole
with 'sqlite3 setfattr' changed_attributes_are_named
with 'sqlite3 python3 openssl' \
	rewritten_history_is_found_with_a_kept_checkpoint \
	rewritten_content_must_agree_with_what_is_stored \
	rewritten_evidence_contradicts_its_statement \
	a_rewritten_ledger_is_not_the_one_beside_it \
	a_history_by_another_key_fails_the_pinned_one \
	a_checkpoint_by_a_stolen_key_is_not_of_this_log \
	an_entry_of_another_store_is_named_even_when_signed
with openssl a_log_of_a_thousand_entries_is_made \
	another_verifier_agrees_with_the_log \
	it_agrees_with_what_the_mount_serves \
	it_holds_kept_checkpoints_and_proofs_against_the_log \
	an_altered_log_is_refused_by_both \
	an_altered_checkpoint_is_refused_by_both \
	an_altered_proof_is_refused_by_both \
	it_judges_our_vectors_as_we_do

good=$((checks - failures))
echo "$((100 * good / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
