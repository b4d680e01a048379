#!/bin/sh
# Who may append to an organisation is said by its entries, and trailctl verify judges
# the published log: the entries of the organisation, and those of each member.
. "$(dirname "$0")/../suite_organisation.sh"

# own_lines: the entries of the organisation, one in a line.
own_lines() {
	sqlite3 org/org.db "SELECT CAST(body AS TEXT) FROM leaf JOIN member
		ON member = id WHERE organiser ORDER BY seq"
}

# publish STATUS: the exit status of a publication.
publish() {
	is "$1" trailctl org publish --keys org-keys dir:org
}

# judged: the log that was published is right.
judged() {
	is 0 trailctl verify --vkey org-keys/log.vkey org/log
	says '^entries *OK  *[0-9]* entries of an organisation with [0-9]* member'
}

# --- enrol and revoke -----------------------------------------------------------------

# Each is an entry with who, when, which log and which key, once.
enrol_and_revoke_are_entries() {
	for s in a b x; do
		trailctl init --origin "example.org/$s" $s >/dev/null 2>&1
		for i in 1 2 3; do
			trailctl trail create "$s/trail$i" >/dev/null
		done
	done
	begin org
	own_lines | grep -q '"members":"entries","origin":"example.org/all","seq":0,'
	is 0 trailctl org enrol dir:org a/keys/log.vkey
	is 0 trailctl org enrol dir:org a/keys/log.vkey
	[ "$(own_lines | wc -l)" = 2 ]
	own_lines | tail -n 1 >entry
	grep -qF "\"key\":\"$(cat a/keys/log.vkey)\",\"member\":\"example.org/a\",\"next\":0" entry
	grep -q '^{"actor":{"gid":[0-9]*,.*"uid":[0-9]*.*},"at":"20' entry
	grep -q '"seq":1,"type":"member.enrolled","v":2}$' entry
	# What is refused makes no entry.
	is 3 trailctl org revoke dir:org example.org/nobody
	trailctl init --origin example.org/a other >/dev/null 2>&1
	is 1 trailctl org enrol dir:org other/keys/log.vkey
	complains 'another key'
	is 2 trailctl org enrol --role x dir:org b/keys/log.vkey
	complains 'no roles'
	is 2 trailctl org enrol dir:org org-keys/log.vkey
	complains 'is the organisation itself'
	is 2 trailctl org revoke dir:org example.org/all
	complains 'is the organisation itself'
	[ "$(own_lines | wc -l)" = 2 ]
	forward a org
	is 0 trailctl org enrol dir:org b/keys/log.vkey
	forward b org
	publish 0
	judged
	is 0 trailctl org revoke dir:org example.org/a
	is 0 trailctl org revoke dir:org example.org/a
	[ "$(own_lines | wc -l)" = 4 ]
	entries=$(trailctl log a | wc -l)
	own_lines | tail -n 1 | grep -q "\"next\":$entries,.*\"member.revoked\""
	publish 0
	judged
}

# What a revoked log gives is refused; the first of it is recorded, and is no entry.
what_comes_after_a_revocation_is_recorded() {
	entries=$(trailctl log a | wc -l)
	trailctl trail create a/late >/dev/null
	for i in 1 2 3; do
		is 1 trailctl forward --once a dir:org
		complains 'was revoked'
	done
	is 1 trailctl org refused dir:org
	has_lines 1
	says "example.org/a entry $entries: it was revoked: sha256 "
	is 1 trailctl org refused --json dir:org
	says '"kind":"revoked","origin":"example.org/a"}$'
	publish 0
	says 'recorded now: 1$'
	own_lines | tail -n 1 >entry
	sum=$(sqlite3 -readonly a/ledger.db "SELECT hex(body) FROM entry
		WHERE idx = $entries" | xxd -r -p | sha256sum | cut -d ' ' -f 1)
	grep -qF "\"given\":\"$sum\",\"kind\":\"revoked\",\"member\":\"example.org/a\",\"number\":$entries," entry
	judged
	# Enrolled again it goes on; revoked again there is one more.
	is 0 trailctl org enrol dir:org a/keys/log.vkey
	is 0 trailctl forward --once a dir:org
	judged
	is 0 trailctl org revoke dir:org example.org/a
	trailctl trail create a/later >/dev/null
	is 1 trailctl forward --once a dir:org
	is 1 trailctl forward --once a dir:org
	is 1 trailctl org refused dir:org
	has_lines 2
	is 0 trailctl org enrol dir:org a/keys/log.vkey
	is 0 trailctl forward --once a dir:org
	publish 0
	judged
	is 0 trailctl org publish --full --keys org-keys dir:org
}

# Killed anywhere, both happen or neither; doing it again ends it.
killed_runs_do_both_or_nothing() {
	for i in $(seq 20); do
		what="enrol dir:org b/keys/log.vkey"
		[ $((i % 2)) = 0 ] || what="revoke dir:org example.org/b"
		# shellcheck disable=SC2086 # several arguments
		timeout -s KILL "0.00$((i % 9 + 1))" trailctl org $what \
			>/dev/null 2>&1 || :
		publish 0
	done
	is 0 trailctl org enrol dir:org b/keys/log.vkey
	publish 0
	judged
	# Two organisers at once.
	trailctl org revoke dir:org example.org/a &
	is 0 trailctl org revoke dir:org example.org/b
	wait $!
	trailctl org enrol dir:org a/keys/log.vkey &
	is 0 trailctl org enrol dir:org b/keys/log.vkey
	wait $!
	publish 0
	judged
}

# --- who writes the engine ------------------------------------------------------------

# altered WHAT SQL: a publication names that.
altered() {
	rm -rf kept
	mkdir kept
	cp -a org org-keys kept
	sqlite3 org/org.db "DROP TRIGGER IF EXISTS leaf_kept;
		DROP TRIGGER IF EXISTS leaf_stays; DROP TRIGGER member_stays;
		PRAGMA foreign_keys = OFF; $2"
	publish 4
	complains "$1"
	publish 4
	complains "$1"
	is 4 trailctl org publish --full --keys org-keys dir:org
	complains "$1"
	[ -z "${3-}" ] || is "$3" trailctl verify --vkey org-keys/log.vkey org/log
	rm -r org org-keys
	cp -a kept/org kept/org-keys .
}

# A list of members that differs from the entries, and entries of who is no member.
an_altered_list_is_named() {
	b="origin = CAST('example.org/b' AS BLOB)"
	altered '^trailctl: example.org/b may not append, and no entry has revoked it' \
		"UPDATE member SET revoked = 1 WHERE $b" 0
	altered '^trailctl: example.org/x may append, and no entry has enrolled it' \
		"INSERT INTO member(origin, vkey, next, revoked, organiser)
		VALUES(CAST('example.org/x' AS BLOB), '$(cat x/keys/log.vkey)',
		0, 0, 0)" 0
	is 0 trailctl org revoke dir:org example.org/b
	publish 0
	altered 'example.org/b may append, and an entry has revoked it' \
		"UPDATE member SET revoked = 0 WHERE $b" 0
	# So a revoked log goes on, or one that nobody has enrolled.
	altered 'example.org/b: entry [0-9]* is there after this log was revoked' \
		"INSERT INTO leaf SELECT (SELECT max(seq) + 1 FROM leaf), id, next,
		CAST('{\"at\":\"2031-01-01T00:00:00.000000000Z\",\"origin\":\"example.org/b\",\"reason\":\"done\",\"seq\":'
		|| next || ',\"type\":\"ledger.closed\",\"v\":1}' AS BLOB)
		FROM member WHERE $b; UPDATE member SET next = next + 1 WHERE $b" 4
	is 0 trailctl org enrol dir:org b/keys/log.vkey
	publish 0
	# An entry in the name of the organisation that no organiser has made so.
	altered 'example.org/all: entry [0-9]* breaks a rule' \
		"INSERT INTO leaf SELECT (SELECT max(seq) + 1 FROM leaf), id, next,
		CAST('{\"actor\":{\"gid\":0,\"uid\":0},\"at\":\"2031-01-01T00:00:00.000000000Z\",\"key\":\"'
		|| (SELECT vkey FROM member WHERE $b)
		|| '\",\"member\":\"example.org/b\",\"next\":99999,\"origin\":\"example.org/all\",\"seq\":'
		|| next || ',\"type\":\"member.revoked\",\"v\":2}' AS BLOB)
		FROM member WHERE organiser; UPDATE member SET next = next + 1 WHERE organiser" 4
}

# --- a ledger of an earlier version ----------------------------------------------------

# As an earlier version made it: no entry says who is a member.
a_ledger_from_before_is_taken() {
	mv org new
	mv org-keys new-keys
	begin org
	for s in a b; do
		trailctl org enrol dir:org $s/keys/log.vkey
		forward $s org
	done
	trailctl org revoke dir:org example.org/b
	python3 - <<-'END'
	import json, sqlite3
	o = sqlite3.connect('org/org.db')
	for t in 'leaf_kept', 'leaf_stays', 'member_grows':
	    o.execute('DROP TRIGGER ' + t)
	own, = o.execute('SELECT id FROM member WHERE organiser').fetchone()
	rows = o.execute('SELECT member, number, body FROM leaf ORDER BY seq').fetchall()
	o.execute('DELETE FROM leaf')
	seq = 0
	for member, number, body in rows:
	    if member == own:
	        if number > 0:
	            continue
	        e = json.loads(body)
	        del e['members']
	        body = json.dumps(e, sort_keys=True, separators=(',', ':')).encode()
	    o.execute('INSERT INTO leaf VALUES(?, ?, ?, ?)', (seq, member, number, body))
	    seq += 1
	o.execute('UPDATE member SET next = 1 WHERE organiser')
	o.execute('ALTER TABLE member DROP COLUMN refused')
	o.execute('ALTER TABLE refusal DROP COLUMN revoked')
	o.execute('PRAGMA user_version = 1')
	o.commit()
	END
	# Readers change nothing.
	is 0 trailctl org list dir:org
	says '^example.org/b: .*revoked$'
	is 0 trailctl org refused dir:org
	[ "$(sqlite3 org/org.db 'PRAGMA user_version')" = 1 ]
	trailctl trail create a/more >/dev/null
	forward a org
	publish 0
	says 'by an earlier version, and recorded now: 3$'
	judged
	[ "$(own_lines | grep -c '"cause":"earlier",.*"type":"member\.')" = 3 ]
	[ "$(own_lines | wc -l)" = 4 ]
	publish 0
	says ': 0 new, '
	is 0 trailctl org publish --full --keys org-keys dir:org
	says ': 0 new, '
	# From then on as in any ledger.
	is 1 trailctl forward --once b dir:org
	altered 'example.org/b may append, and an entry has revoked it' \
		"UPDATE member SET revoked = 0 WHERE origin = CAST('example.org/b' AS BLOB)"
	is 0 trailctl org enrol dir:org b/keys/log.vkey
	forward b org
	publish 0
	judged
	rm -r org org-keys
	mv new org
	mv new-keys org-keys
}

# --- alterations that the organisation has signed ---------------------------------------

# forge: of each line NUMBER TAB PYTHON of the input make the log forged/NUMBER: entries
# of org that the code has altered (objects in e), signed by the right key.
forge() {
	cat >alterations
	python3 - <<-'END'
	import base64, copy, hashlib, json, os, sqlite3, struct, subprocess
	def sha(b):
	    return hashlib.sha256(b).digest()
	def root(l):
	    if len(l) == 1:
	        return l[0]
	    k = 1
	    while k * 2 < len(l):
	        k *= 2
	    return sha(b'\1' + root(l[:k]) + root(l[k:]))
	o = sqlite3.connect('file:org/org.db?mode=ro', uri=True)
	whole = [json.loads(b) for b, in o.execute('SELECT body FROM leaf ORDER BY seq')]
	own = 'example.org/all'
	late = '2099-01-01T00:00:00.000000000Z'
	vkey = open('org-keys/log.vkey').readline().strip()
	def key_of(name, like):
	    """The key of entry `like` as that of a log with this name."""
	    key = like['key'].split('+', 2)[2]
	    id = sha(name.encode() + b'\n' + base64.b64decode(key))[:4].hex()
	    return f'{name}+{id}+{key}'
	def of(origin, with_path=False):
	    return [i for i, x in enumerate(e) if x['origin'] == origin
	        and (not with_path or 'path' in x)]
	def typed(t):
	    return [i for i, x in enumerate(e) if x['type'] == t]
	def number():
	    count = {}
	    for x in e:
	        x['seq'] = count.get(x['origin'], 0)
	        count[x['origin']] = x['seq'] + 1
	def add(like, **fields):
	    e.append(dict(like, **{'at': late, **fields}))
	    number()
	for line in open('alterations'):
	    at, code = line.rstrip('\n').split('\t')
	    e = copy.deepcopy(whole)
	    a, b, c = (f'example.org/{x}' for x in 'abc')
	    enrolled, refused = typed('member.enrolled'), typed('member.refused')
	    revoked = typed('member.revoked')
	    exec(code)
	    bodies = [json.dumps(x, sort_keys=True, separators=(',', ':'),
	        ensure_ascii=False).encode() for x in e]
	    n = len(bodies)
	    assert n < 256
	    leaves = [sha(b'\0' + x) for x in bodies]
	    for name, data in ((f'tile/0/000.p/{n}', b''.join(leaves)),
	            (f'tile/entries/000.p/{n}', b''.join(
	            struct.pack('>H', len(x)) + x for x in bodies))):
	        os.makedirs(os.path.dirname(f'forged/{at}/{name}'))
	        open(f'forged/{at}/{name}', 'wb').write(data)
	    text = f'{own}\n{n}\n{base64.b64encode(root(leaves)).decode()}\n'.encode()
	    open('text', 'wb').write(text)
	    subprocess.run(['openssl', 'pkeyutl', '-sign', '-rawin', '-inkey',
	        'org-keys/log.pem', '-in', 'text', '-out', 'sig'], check=True)
	    sig = base64.b64encode(bytes.fromhex(vkey.split('+')[1]) +
	        open('sig', 'rb').read()).decode()
	    open(f'forged/{at}/checkpoint', 'w').write(
	        f'{text.decode()}\n— {own} {sig}\n')
	END
}

# Lines of words that verify must say, TAB, and the alteration; without words it is
# right.
a_signed_alteration_is_found() {
	sed -n "/^: <<'ALTERATIONS'/,/^ALTERATIONS/p" "$0" | sed '1d; $d' >cases
	rm -rf forged
	cut -f 2 cases | awk '{ print NR "\t" $0 }' | forge
	n=0
	tab=$(printf '\t')
	while IFS= read -r line; do
		n=$((n + 1)) words=${line%%"$tab"*}
		if [ -z "$words" ]; then
			is 0 trailctl verify --vkey org-keys/log.vkey forged/$n
			continue
		fi
		trailctl verify --vkey org-keys/log.vkey forged/$n >out 2>&1 &&
			status=0 || status=$?
		if [ "$status" = 4 ] && grep -q '^signature *OK' out &&
			grep -q '^tree *OK' out && grep -q "$words" out; then
			continue
		fi
		echo "$line: $status"
		cat out
		exit 1
	done <cases
	rm -rf forged
}

: <<'ALTERATIONS'
	pass
entry 4 of example.org/a does not follow: 3 comes next	del e[of(a)[3]]
does not follow	i, j = of(a)[2:4]; e[i], e[j] = e[j], e[i]
does not follow	e.append(e[of(b)[2]])
is not later than the one before	e[of(b)[2]]['at'] = e[of(b)[0]]['at']
entry [0-9]* of example.org/b: 	i, j = of(b, True)[:2]; e[j]['path'] = e[i]['path']
the first entry is not ledger.opened	del e[of(b)[0]]; number()
malformed	del e[of(b, True)[0]]['path']
is there before an entry enrolled this log	add(e[of(b)[0]], origin=c)
is there before an entry enrolled this log	e.insert(enrolled[1], e.pop(of(b)[0]))
is there after this log was revoked	j = of(a)[3]; e.insert(j, e.pop(revoked[0])); e[j]['next'] = 3; number()
names another key than the one that was enrolled	k = key_of(b, e[0]); [x.update(key=k) for x in e if x.get('member') == b and 'key' in x]
of the organisation does not follow	del e[refused[0]]
is not the next refusal	del e[refused[0]]; number()
is not later than the one before it	e[of(own)[2]]['at'] = e[of(own)[1]]['at']
opens the organisation again	add(e[0])
says another number of entries than the ledger has	e[revoked[0]]['next'] += 1
says another number of entries than the ledger has	e[enrolled[0]]['next'] += 1
revokes a log that is not enrolled	add(e[revoked[0]], next=0, member=c, key=key_of(c, e[revoked[0]]))
names another key than the first entry about this log	e[revoked[0]]['key'] = key_of(a, e[0])
is about a log that is no member	e[refused[0]]['member'] = c
is about a log that was not revoked	e[refused[0]]['member'] = c; e.insert(1, dict(e[enrolled[0]], member=c, key=key_of(c, e[0]), at=e[0]['at'][:-2] + '9Z')); number()
names an entry that is not there	e[refused[0]].update(kind='fork', there='0' * 64, number=5000)
is another one than this refusal says	e[refused[0]].update(kind='fork', there='0' * 64, number=1)
says what was before there were such entries	e[enrolled[0]]['cause'] = 'earlier'
is not signed by both keys	add(dict(actor=e[0]['actor'], new=vkey, newSig='A' * 86 + '==', old=vkey, oldSig='A' * 86 + '==', origin=own, size=3, type='key.rotated', use='log', v=2))
names another key of the log	e[0]['key'] = key_of(own, e[enrolled[0]])
malformed	e[enrolled[0]]['member'] = own
malformed	e[of(own)[1]]['v'] = 1
malformed	del e[enrolled[0]]['key']
malformed	del e[enrolled[0]]['member']
malformed	del e[enrolled[0]]['next']
malformed	del e[enrolled[0]]['actor']
malformed	del e[refused[0]]['given']
malformed	del e[refused[0]]['kind']
malformed	del e[refused[0]]['number']
malformed	del e[refused[0]]['refusal']
malformed	del e[refused[0]]['refused']
malformed	del e[refused[0]]['member']
	add(e[0], type='member.noted')
ALTERATIONS

# Files that were altered after they were published.
an_altered_file_is_found() {
	publish 0
	cp -a org/log log
	n=$(sed -n 2p log/checkpoint)
	for f in log/tile/entries/000.p/$n log/tile/0/000.p/$n; do
		cp "$f" kept.file
		for at in 40 200 500 1000; do
			flip "$f" $at
			is 4 trailctl verify --vkey org-keys/log.vkey log
			cp kept.file "$f"
		done
	done
	flip log/checkpoint 60
	is 4 trailctl verify --vkey org-keys/log.vkey log
	is 4 trailctl verify --vkey a/keys/log.vkey org/log
	# Of an earlier run, with a checkpoint that somebody keeps.
	cp org/log/checkpoint earlier
	trailctl trail create a/new >/dev/null
	forward a org
	publish 0
	is 0 trailctl verify --vkey org-keys/log.vkey --checkpoint earlier org/log
	says '^earlier checkpoint *OK'
}

run enrol_and_revoke_are_entries what_comes_after_a_revocation_is_recorded \
	killed_runs_do_both_or_nothing an_altered_list_is_named \
	a_ledger_from_before_is_taken a_signed_alteration_is_found \
	an_altered_file_is_found
finish
