#!/bin/sh
# trailctl org publish: what one run signs continues what the others have signed, and
# costs as much as there is new.
# shellcheck disable=SC2317 # called by name
. "$(dirname "$0")/../suite.sh"

# host NAME N: a new store with N trails, enrolled and forwarded.
host() {
	trailctl init --origin "example.org/$1" "$1" >/dev/null 2>&1
	trails "$1" 1 "$2"
	trailctl org enrol dir:org "$1/keys/log.vkey"
	forward "$1"
}

# trails STORE FROM TO: so many new trails, an entry each.
trails() {
	mount "$1"
	for i in $(seq "$2" "$3"); do
		mkdir "$mnt/trail$i"
	done
	unmount
}

# forward NAME: send what this store has.
forward() {
	trailctl forward -q --once "$1" dir:org
}

# publish STATUS [OPTION...]: the exit status of a publication.
publish() {
	want_status=$1
	shift
	is "$want_status" trailctl org publish "$@" --keys keys dir:org
}

# number WORD: of the last publication, the number before the word.
number() {
	sed -n "s/^published.* \([0-9]*\) $1.*/\1/p" out
}

# signed: the files below org/log are those of a log of all entries of the ledger, of
# which this program has computed tree and tiles by itself.
signed() {
	python3 - "${1-keys/log.vkey}" <<-'END'
	import base64, hashlib, sqlite3, struct, subprocess, sys
	def sha(b):
	    return hashlib.sha256(b).digest()
	def root(l):
	    if len(l) == 1:
	        return l[0]
	    k = 1
	    while k * 2 < len(l):
	        k *= 2
	    return sha(b'\1' + root(l[:k]) + root(l[k:]))
	def file(level, n, width):
	    return open(f'org/log/tile/{level}/{n:03}' +
	        ('' if width == 256 else f'.p/{width}'), 'rb').read()
	note = open('org/log/checkpoint', 'rb').read()
	text, signatures = note.split(b'\n\n')
	origin, size, top = text.decode().split('\n')
	size = int(size)
	o = sqlite3.connect('file:org/org.db?mode=ro', uri=True)
	kept = o.execute('SELECT note FROM checkpoint ORDER BY rowid DESC LIMIT 1')
	assert bytes(kept.fetchone()[0]) == note
	bodies = [b for b, in o.execute('SELECT body FROM leaf ORDER BY seq')]
	assert len(bodies) == size, (len(bodies), size)
	level, hashes = 0, [sha(b'\0' + b) for b in bodies]
	assert root(hashes) == base64.b64decode(top), 'another root'
	while hashes:
	    for n in range(0, len(hashes), 256):
	        part = hashes[n:n + 256]
	        assert file(level, n // 256, len(part)) == b''.join(part)
	    hashes = [root(hashes[n:n + 256]) for n in range(0, len(hashes) // 256 * 256, 256)]
	    level += 1
	for n in range(0, size, 256):
	    part = bodies[n:n + 256]
	    assert file('entries', n // 256, len(part)) == b''.join(
	        struct.pack('>H', len(b)) + b for b in part)
	vkey = open(sys.argv[1]).readline().strip()
	name, _, key = vkey.split('+', 2)
	key = base64.b64decode(key)
	open('pub.der', 'wb').write(bytes.fromhex('302a300506032b6570032100') + key[1:])
	open('text', 'wb').write(text + b'\n')
	id = sha(name.encode() + b'\n' + key)[:4]
	found = [base64.b64decode(l.split()[2]) for l in signatures.decode().splitlines()]
	found = [s[4:] for s in found if s[:4] == id]
	assert len(found) == 1, 'not signed by that key'
	open('sig', 'wb').write(found[0])
	subprocess.run(['openssl', 'pkeyutl', '-verify', '-pubin', '-inkey', 'pub.der',
	    '-keyform', 'DER', '-rawin', '-in', 'text', '-sigfile', 'sig'], check=True,
	    stdout=subprocess.DEVNULL)
	END
}

# alter SQL: what who can write the engine can do.
alter() {
	sqlite3 org/org.db "DROP TRIGGER IF EXISTS leaf_kept;
		DROP TRIGGER IF EXISTS leaf_stays; DROP TRIGGER IF EXISTS member_stays;
		DROP TRIGGER IF EXISTS member_grows; PRAGMA foreign_keys = OFF; $1"
}

# aside, back: keep the ledger and the keys as they are now; have them again.
aside() {
	rm -rf kept
	mkdir kept
	cp -a org keys kept
}
# Set ledger and keys back to what was kept.
back() {
	rm -rf org keys
	cp -a kept/org kept/keys .
}

# --- what is new -------------------------------------------------------------------

# A run reads what is new and at most the 255 entries of the last bundle; each signs
# what reading everything would sign.
a_run_reads_what_is_new() {
	trailctl org init --origin example.org/all --keys keys dir:org >/dev/null 2>&1
	publish 0
	says '^published 1 entries of 0 members: 1 new, 1 read$'
	signed
	host a 270
	publish 0
	[ "$(number read)" = "$(number entries)" ]
	signed
	publish 0
	says ': 0 new, 0 read$'
	for round in 1 2 3; do
		trails a "${round}001" "${round}0$((round * 7 + 10))"
		[ "$round" != 2 ] || host b 20
		forward a
		before=$(sed -n 2p org/log/checkpoint)
		publish 0
		[ "$(number read)" -eq $(($(number new) + before % 256)) ]
		[ "$(number entries)" -eq $((before + $(number new))) ]
		signed
	done
	cp org/log/checkpoint one
	cp keys/published state
	publish 0 --full
	[ "$(number read)" = "$(number entries)" ]
	cmp org/log/checkpoint one
	cmp keys/published state
	[ "$(stat -c %a keys/published)" = 600 ]
}

# Killed anywhere, the next run goes on.
killed_runs_go_on() {
	for i in $(seq 15); do
		trailctl trail create "a/k$i" >/dev/null
		forward a
		timeout -s KILL "0.0$((i % 5 + 1))" trailctl org publish --keys keys \
			dir:org >/dev/null 2>&1 || :
		[ $((i % 3)) != 0 ] || cp org/log/checkpoint "c$i"
	done
	publish 0
	signed
	is 0 trailctl verify --vkey keys/log.vkey org/log
	# Two at once: one waits for the other.
	trails a 9001 9010
	forward a
	trailctl org publish --keys keys dir:org >first 2>&1 &
	publish 0
	wait $!
	[ "$(cat first out | grep -c ': 0 new')" = 1 ]
	signed
}

# --- the state of the last run -----------------------------------------------------

# An older one, none, a damaged one: a longer reading, and the same signature.
a_state_costs_time_only() {
	aside
	trails a 10001 10020
	forward a
	cp -a org grown
	publish 0
	cp org/log/checkpoint right
	new=$(number new)
	# Of an earlier run: it goes on there.
	trails a 10021 10025
	forward a
	cp kept/keys/published keys/published
	publish 0
	new=$((new + $(number new)))
	[ "$(number read)" -ge $new ]
	[ "$(number read)" -lt $((new + 256)) ]
	signed
	for damage in gone flipped_0 flipped_60 flipped_end cut empty long; do
		rm -rf org keys
		cp -a grown org
		cp -a kept/keys keys
		size=$(stat -c %s keys/published)
		case $damage in
		gone) rm keys/published ;;
		flipped_0) flip keys/published 0 ;;
		flipped_60) flip keys/published 60 ;;
		flipped_end) flip keys/published $((size - 1)) ;;
		cut) truncate -s $((size - 1)) keys/published ;;
		empty) : >keys/published ;;
		long) echo >>keys/published ;;
		esac
		publish 0
		[ "$(number read)" = "$(number entries)" ]
		[ $damage = gone ] ||
			complains 'the whole ledger is read'
		cmp org/log/checkpoint right
		signed
	done
	rm -r grown
	# A bit of a member's tree: the note of that member would be called wrong.
	back
	size=$(stat -c %s keys/published)
	for at in 40 100 300 500 700 900; do
		[ $((size - at)) -gt 0 ] || continue
		cp kept/keys/published keys/published
		flip keys/published $((size - at))
		publish 0
		complains 'the whole ledger is read'
	done
	# Who cannot write there signs all the same.
	back
	trailctl trail create a/readonly >/dev/null
	forward a
	rm keys/published
	mkdir keys/published
	publish 0
	complains 'the whole ledger is read'
	signed
	rmdir keys/published
	publish 0
}

# A state of another history that the same key has signed, shorter or as long: nothing
# is signed.
a_state_of_another_history_signs_nothing() {
	publish 0
	aside
	other=$(sed -n 2p org/log/checkpoint)
	for size in 1 3 "$other"; do
		mkdir other
		cp keys/log.* other
		mv org real
		trailctl org init --origin example.org/all --keys other dir:org \
			>/dev/null 2>&1
		trailctl org enrol dir:org a/keys/log.vkey
		[ "$size" = 1 ] || forward a
		[ "$size" != "$other" ] || {
			trailctl org enrol dir:org b/keys/log.vkey
			forward b
		}
		alter "DELETE FROM leaf WHERE seq >= $size; DELETE FROM note;
			UPDATE member SET next = (SELECT count(*) FROM leaf
				WHERE leaf.member = member.id)"
		# 4: nothing that is left has enrolled its members.
		trailctl org publish --keys other dir:org >out 2>err ||
			[ $? = 4 ]
		[ "$(number entries)" = "$size" ]
		rm -r org
		mv real org
		cp other/published keys/published
		trailctl trail create "a/size$size" >/dev/null
		forward a
		publish 4
		complains 'was altered'
		cmp org/log/checkpoint kept/org/log/checkpoint
		publish 4 --full
		complains 'read before: the ledger was altered, or published is of another one'
		cmp org/log/checkpoint kept/org/log/checkpoint
		rm -r other
	done
	rm keys/published
	publish 0
	signed
}

# A ledger that was set back, with its checkpoint, is not signed again otherwise.
a_ledger_that_was_set_back_is_not_signed() {
	aside
	trails a 20001 20003
	forward a
	publish 0
	rm -r org
	cp -a kept/org org
	for option in '' --full; do
		publish 4 $option
		complains 'a checkpoint of [0-9]* entries, but [0-9]* were signed'
		cmp org/log/checkpoint kept/org/log/checkpoint
	done
	alter 'DELETE FROM checkpoint'
	publish 4
	complains 'a checkpoint of 0 entries, but [0-9]* were signed'
	back
	forward a
}

# --- a ledger that was altered ----------------------------------------------------------

# An old entry: a short run does not see it, signs what was there, and a full one
# finds it.
an_altered_entry_is_never_signed() {
	publish 0
	aside
	alter "UPDATE leaf SET body = CAST(replace(CAST(body AS TEXT), 'a', 'b')
		AS BLOB) WHERE seq = 7"
	trailctl trail create a/altered >/dev/null
	forward a
	publish 0
	cp org/log/checkpoint short
	publish 4 --full
	complains 'not those that were signed: it was altered'
	rm keys/published
	publish 4
	complains 'not those that were signed: it was altered'
	back
	forward a
	publish 0
	signed
	cmp org/log/checkpoint short
	# One of the last bundle.
	aside
	last=$(($(sed -n 2p org/log/checkpoint) - 2))
	alter "UPDATE leaf SET body = CAST(replace(CAST(body AS TEXT), 'a', 'b')
		AS BLOB) WHERE seq = $last"
	trailctl trail create a/altered2 >/dev/null
	forward a
	publish 4
	complains "entry $last of the ledger is not the one that was read before"
	back
	alter "DELETE FROM member WHERE origin = CAST('example.org/b' AS BLOB)"
	publish 4
	complains 'example.org/b is no member any more'
	back
	forward a
}

# A member that was wrong once is named by each run.
a_wrong_member_stays_wrong() {
	publish 0
	aside
	trailctl trail create b/wrong >/dev/null
	forward b
	alter "UPDATE note SET note = (SELECT note FROM note ORDER BY size LIMIT 1)
		WHERE size = (SELECT max(number) + 1 FROM leaf WHERE member = 3)
		AND member = 3"
	publish 4
	complains 'example.org/b: entry [0-9]* has a checkpoint'
	cp err one
	publish 4
	says ': 0 new, 0 read$'
	cmp err one
	trailctl trail create a/right >/dev/null
	forward a
	publish 4
	cmp err one
	signed
	publish 4 --full
	cmp err one
	back
	forward a
	forward b
}

# --- entries of the organisation ------------------------------------------------------

# refuse MEMBER NUMBER GIVEN [THERE]: the ledger has refused that.  A run that was
# killed may have its locks for a moment.
refuse() {
	sqlite3 -cmd '.timeout 60000' org/org.db "INSERT INTO refusal(member, number, given, there, at_s, at_ns)
		VALUES((SELECT id FROM member WHERE origin = CAST('$1' AS BLOB)), $2,
		X'$3', $([ -z "${4-}" ] && echo NULL || echo "X'$4'"), 1795000000, 5)"
}

# own_entries: the entries of the organisation are in canonical form, dense and of
# rising times; each refusal has one, with what the ledger says of it.
own_entries() {
	python3 - <<-'END'
	import json, sqlite3
	o = sqlite3.connect('file:org/org.db?mode=ro', uri=True)
	rows = o.execute('SELECT number, body FROM leaf WHERE member = 1 ORDER BY number')
	at, refused = '', []
	for i, (number, body) in enumerate(rows.fetchall()):
	    e = json.loads(body)
	    assert json.dumps(e, sort_keys=True, separators=(',', ':')).encode() == body
	    assert number == i == e['seq'] and e['v'] == 2
	    assert e['origin'] == 'example.org/all' and 'uid' in e['actor']
	    assert e['at'] > at
	    at = e['at']
	    if e['type'] == 'member.refused':
	        assert e['refusal'] == len(refused)
	        refused.append((e['member'], e['number'], e['kind'], e['given'],
	            e.get('there'), e['refused'][-10:]))
	want = [(m.decode(), n, 'fork' if t else 'gap', g.hex(), t and t.hex(),
	    f'{ns:09}Z') for m, n, g, t, ns in o.execute('SELECT m.origin, r.number,'
	    ' r.given, r.there, r.at_ns FROM refusal AS r JOIN member AS m'
	    ' ON m.id = r.member ORDER BY r.id')]
	assert refused == want, (refused, want)
	print(len(refused))
	END
}

one=$(printf '%064d' 1) two=$(printf '%064d' 2)

# What the ledger has refused is signed as an entry of the organisation, each once.
refusals_become_entries() {
	publish 0
	refuse example.org/a 5 "$one" "$(sqlite3 org/org.db "SELECT hex(body)
		FROM leaf JOIN member ON member = id WHERE number = 5
		AND origin = CAST('example.org/a' AS BLOB)" | xxd -r -p |
		sha256sum | cut -d ' ' -f 1)"
	refuse example.org/b 70000 "$two"
	publish 0
	says '^published .*: 2 new, '
	says '^refused by the ledger, and recorded now: 2$'
	[ "$(own_entries)" = 2 ]
	signed
	publish 0
	says ': 0 new, 0 read$'
	has_lines 1
	# Also a run that knows nothing of them, and one that reads everything.
	for i in 1 2 3; do
		refuse example.org/a $((i * 7)) "$(printf '%064d' $((i + 9)))"
		[ $i != 2 ] || rm keys/published
		[ $i != 3 ] || full=--full
		publish 0 ${full:+"$full"}
		says 'recorded now: 1$'
		[ "$(own_entries)" = $((i + 2)) ]
		signed
	done
	is 0 trailctl org list dir:org
	says '^example.org/all: 8 entries, .*revoked$'
	is 0 trailctl verify --vkey keys/log.vkey org/log
	says '^entries *OK .* of an organisation with 2 members'
	trailctl org fetch --quiet dir:org copies
	[ ! -e copies/example.org%2Fall ]
}

# More than a batch has, and runs that are killed between.
many_refusals_survive_kills() {
	python3 - <<-'END'
	import sqlite3
	o = sqlite3.connect('org/org.db')
	o.executemany('INSERT INTO refusal(member, number, given, at_s, at_ns)'
	    ' VALUES(2, ?, zeroblob(32), 1795000000, 7)', [(100000 + i,) for i in range(2500)])
	o.commit()
	END
	for i in $(seq 12); do
		refuse example.org/b $((200000 + i)) "$one"
		timeout -s KILL "0.$((i % 4))$((i % 7 + 1))" trailctl org publish 			--keys keys dir:org >/dev/null 2>&1 || :
	done
	publish 0
	[ "$(own_entries)" = 2517 ]
	signed
	publish 0 --full
	says ': 0 new, '
}

# --- the key of the log -----------------------------------------------------------------

# rotate STATUS: replace the key.
rotate() {
	is "$1" trailctl org rotate --keys keys dir:org
}

# verified VKEY...: what was published is right for who has one of these keys.
verified() {
	for k; do
		is 0 trailctl verify --vkey "$k" org/log
		says '^signature *OK .*example.org/all'
	done
}

# The new key goes on where the old one ends; who knows one of them follows.
the_key_is_rotated() {
	publish 0
	cp keys/log.vkey first.vkey
	before=$(sed -n 2p org/log/checkpoint)
	trailctl trail create a/before >/dev/null
	forward a
	rotate 0
	head -n 1 keys/log.vkey >new.vkey
	grep -qxFf new.vkey out
	[ "$(number new)" -gt 0 ]
	[ "$(number read)" -eq $(($(number new) + before % 256)) ]
	if cmp -s first.vkey new.vkey; then exit 1; fi
	# Both have signed.
	signed new.vkey
	signed first.vkey
	verified first.vkey new.vkey keys/log.vkey
	sqlite3 org/org.db 'SELECT CAST(body AS TEXT) FROM leaf WHERE member = 1' |
		tail -n 1 >entry
	grep -q "\"size\":$before,\"type\":\"key.rotated\",\"use\":\"log\",\"v\":2}" entry
	sed -n 2p keys/log.vkey | cmp - entry
	# Later the new one signs alone, and the old one is gone.
	[ -f keys/log.old.pem ]
	trailctl trail create a/after >/dev/null
	forward a
	before=$(sed -n 2p org/log/checkpoint)
	publish 0
	[ "$(number read)" -eq $(($(number new) + before % 256)) ]
	signed first.vkey
	clock_moves
	trailctl trail create a/late >/dev/null
	forward a
	# shellcheck disable=SC2046 # words
	is 0 $(as_of '+31 days') trailctl org publish --keys keys dir:org
	[ ! -e keys/log.old.pem ]
	[ "$(grep -c '^— ' org/log/checkpoint)" = 1 ]
	signed new.vkey
	verified first.vkey new.vkey keys/log.vkey
	publish 0 --full
	is 4 trailctl verify --vkey a/keys/log.vkey org/log
	# A second one.
	cp new.vkey second.vkey
	rotate 0
	signed
	verified first.vkey second.vkey keys/log.vkey
	[ "$(wc -l <keys/log.vkey)" = 3 ]
}

# What the replaced key signs later counts for nobody, and a copy of its directory is
# of no use.
a_replaced_key_signs_nothing() {
	publish 0
	aside
	rotate 0
	mv keys new-keys
	cp -a kept/keys keys
	trailctl trail create a/stolen >/dev/null
	forward a
	cp org/log/checkpoint newest
	publish 3
	complains 'the key was replaced, and the new one is not beside it'
	cmp org/log/checkpoint newest
	rotate 3
	rm -r keys
	mv new-keys keys
	publish 0
	signed
}

# Killed at each step: one key is in force, and the next run does the rest.
a_killed_rotation_is_finished() {
	needs strace
	publish 0
	aside
	n=0
	for call in fsync fdatasync renameat2 renameat flock pwrite64; do
		for when in 1 2 3 4 5 6 7; do
			back
			timeout 60 strace -f -o trace -e trace=$call \
				-e inject=$call:signal=SIGKILL:when=$when \
				trailctl org rotate --keys keys dir:org >/dev/null 2>&1 &&
				break
			n=$((n + 1))
			if [ $((when % 2)) = 0 ]; then publish 0; else rotate 0; fi
			signed
			publish 0 --full
			verified first.vkey keys/log.vkey
			head -n 1 keys/log.vkey >this.vkey
			verified this.vkey
			[ ! -e keys/log.new.pem ] || publish 0
			rotate 0
			signed
		done
	done
	echo "$n kills"
	[ $n -gt 10 ]
	back
}

# --- witnesses --------------------------------------------------------------------------

# witnessed STATUS: publish, and ask the witnesses.
witnessed() {
	is "$1" trailctl org publish --keys keys --policy policy --via "sh $work/carry" \
		dir:org
}

# Witnesses cosign each checkpoint that continues the one before, and what was
# published carries their lines.
witnesses_cosign() {
	for w in one two; do
		is 0 trailctl witness-serve --init "witness.example/$w" "w-$w"
		head -n 1 keys/log.vkey >>"w-$w/logs"
	done
	{
		echo "log $(head -n 1 keys/log.vkey)"
		echo "witness w1 $(cat w-one/vkey) http://a.example/w-one"
		echo "witness w2 $(cat w-two/vkey) http://a.example/w-two/"
		echo 'group both all w1 w2'
		echo 'quorum both'
	} >policy
	cat >carry <<-EOF
	name=\${1%/add-checkpoint}
	exec trailctl witness-serve $work/\${name##*/} /add-checkpoint
	EOF
	witnessed 0
	says '^w1: cosigned [0-9]* entries$'
	says '^quorum both: met, 2 of 2 witnesses have cosigned$'
	[ "$(grep -c '^— witness.example/' org/log/checkpoint)" = 2 ]
	signed
	cp org/log/checkpoint first
	{
		echo "log $(head -n 1 a/keys/log.vkey)"
		sed 1d policy
	} >other
	is 3 trailctl org publish --keys keys --policy other --via false dir:org
	complains 'the policy does not name the log example.org/all'
	# All have: nobody is asked.
	witnessed 0
	has_lines 2
	cmp first org/log/checkpoint
	publish 0
	cmp first org/log/checkpoint
	# A proof that the next one continues it.
	trails a 30001 30020
	forward a
	witnessed 0
	says '^w2: cosigned [0-9]* entries$'
	[ "$(grep -c '^— witness.example/' org/log/checkpoint)" = 2 ]
	signed
	# One that does not answer.
	trailctl trail create a/away >/dev/null
	forward a
	mv w-two away
	witnessed 1
	complains '^trailctl: w2: '
	complains 'quorum both is not met: 1 of 2'
	mv away w-two
	witnessed 0
	says 'w2: cosigned'
	[ "$(grep -c '^— witness.example/' org/log/checkpoint)" = 2 ]
	publish 0 --full
}

# A witness remembers a history that was taken away with every file of the organiser.
a_witness_knows_what_was_taken_away() {
	aside
	trailctl trail create a/shown >/dev/null
	forward a
	witnessed 0
	back
	trailctl trail create b/instead >/dev/null
	forward b
	witnessed 4
	complains '^trailctl: w1: 4'
	trails b 40001 40005
	forward b
	witnessed 4
	complains '^trailctl: w1: 422: it has cosigned another history'
}

# What the command line cannot mean.
wrong_arguments_are_usage_errors() {
	is 2 trailctl org list --full dir:org
	is 2 trailctl org publish --full dir:org
	is 2 trailctl org rotate dir:org
	is 2 trailctl org publish --keys keys --policy policy dir:org
	is 2 trailctl org list --via x dir:org
	is 2 trailctl org rotate --full --keys keys dir:org
}

with /dev/fuse python3 sqlite3 a_run_reads_what_is_new killed_runs_go_on \
	a_state_costs_time_only a_state_of_another_history_signs_nothing \
	a_ledger_that_was_set_back_is_not_signed an_altered_entry_is_never_signed \
	a_wrong_member_stays_wrong refusals_become_entries many_refusals_survive_kills \
	the_key_is_rotated a_replaced_key_signs_nothing a_killed_rotation_is_finished \
	witnesses_cosign a_witness_knows_what_was_taken_away \
	wrong_arguments_are_usage_errors
finish
