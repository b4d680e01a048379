# shellcheck shell=sh disable=SC2034 # the suites use the variables
# The common part of tests/shell/tamper-*.sh: root changes a store without
# trailfs, or a log that was exported from it.  Each test states which link of
# the chain fails and what the finding names.  Tests also show which attacks
# only an earlier checkpoint or a pinned key can find.
# shellcheck source=tests/suite.sh
. "$(dirname "$0")/../suite.sh"

A=t/w/command-logs
L=$A/ecs-execute-command-0199bb27be8f354b7.log
S=$A/session-summary.json
B=$A/big.bin
U=t/w/user-identity
# This link fails if the entries contradict the checkpoint file of the store.
beside='earlier checkpoint'

# --- expectations -------------------------------------------------------

# fails LINK,... STORE OPTION...: exactly these links fail, and all others that
# can be checked hold.
fails() {
	links=$1
	shift
	is 4 trailctl verify --vkey vkey "$@"
	found=$(sed -n 's/^\([a-z ]*[a-z]\)  *FAILED .*/\1/p' out | paste -sd, -)
	[ "$found" = "$links" ] || {
		echo "$* failed in '$found', not '$links', and printed:"
		cat out
		exit 1
	}
}

# names THING TEXT: a finding names that thing, an entry with its path or a path
# alone.
names() {
	says "^    $1: .*$2"
}

# --- attacks ------------------------------------------------------------

# again STORE: make copy, a copy of the store to attack.
again() {
	rm -rf copy
	cp -a "$1" copy
}

# sql STORE: run the SQL on stdin without the triggers.  They are put back to
# the letter afterwards, so that only the rows can give the attack away.
sql() {
	{
		echo 'BEGIN;'
		cat drop.sql - make.sql
		echo 'COMMIT;'
	} | sqlite3 -bail "$1/ledger.db"
}

# attack SQL: run this on a fresh copy.
attack() {
	again store
	echo "$1;" | sql copy
}

# query SQL: ask the store that nobody attacks.
query() {
	sqlite3 store/ledger.db "$1"
}

# entry_of PATH, node_of PATH, object_of PATH: their numbers; the entry is the
# one that made the path.
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

# seal_of PATH: the number of the entry that sealed the attestation.
seal_of() {
	query "SELECT seal FROM node WHERE entry = $(entry_of "$1")"
}

# object_file STORE PATH: the file that holds the bytes of large evidence.
object_file() {
	hash=$(trailctl show "store/$2" | sed -n 's/^sha256 *//p')
	echo "$1/objects/$(echo "$hash" | cut -c 1-2)/$(echo "$hash" |
		cut -c 3-)"
}

# offset_of FILE TEXT: the offset of the first such text.
offset_of() {
	grep -abo -- "$2" "$1" | head -n 1 | cut -d : -f 1
}

# resign STORE KEY: make tile and checkpoint of the entries that are there, as a
# thief of the key would.  The file note has the checkpoint.
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

# rewrite SQL: change history and sign it again with the log's own key, in all
# places of the store.
rewrite() {
	attack "$1"
	resign copy store/keys/log.pem
	cp -f note copy/checkpoint
}

# in_entry N OLD NEW: print SQL that replaces text in an entry.
in_entry() {
	echo "UPDATE entry SET body =
		CAST(replace(CAST(body AS TEXT), '$2', '$3') AS BLOB) WHERE idx = $1"
}

# Record two sessions, and keep a checkpoint and a backup from between them.
a_store_is_made_to_be_attacked() {
	is 0 trailctl init --origin example.org/tamper store
	cp out vkey
	mount store
	mkdir -p "mnt/t/w"
	cp -r "$sample"/* mnt/t/w/
	seq 40000 >"mnt/$B"
	mkdir "mnt/$A/sub"
	echo deep >"mnt/$A/sub/deep"
	trailctl sync mnt
	chmod a-w "mnt/$U"
	unmount
	cp -a store backup
	cp store/checkpoint early
	mount store
	mkdir -p mnt/late/w/a
	echo late >mnt/late/w/a/late.txt
	trailctl sync mnt
	unmount
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
