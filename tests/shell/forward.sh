#!/bin/sh
# trailctl org and forward: stores of several hosts in one ledger, in a directory.
# shellcheck disable=SC2086,SC2317 # $new is words; called by name
. "$(dirname "$0")/../suite.sh"

# store_with NAME N: a new store with N attestations, not mounted; its key is in
# NAME.vkey.
store_with() {
	trailctl init --origin "example.org/$1" "$1" >"$1.vkey" 2>/dev/null
	mount "$1"
	mkdir "$mnt/trail" "$mnt/trail/run"
	for i in $(seq "$2"); do
		record "$i"
	done
	unmount
}

# record NAME: one sealed attestation in the mount.
record() {
	mkdir "$mnt/trail/run/a$1"
	echo "evidence $1" >"$mnt/trail/run/a$1/report"
	trailctl seal "$mnt/trail/run/a$1" >/dev/null
}

# number FIELD: from the last --json answer.
number() {
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" out
}

# has STORE [part]: the organisation has the entries of the store, byte for byte,
# each once, in their order and without a gap; and of each sealed file its bytes.
# part: perhaps not all of them yet.
has() {
	python3 - "$@" <<-'END'
	import hashlib, json, os, sqlite3, sys
	store, part = sys.argv[1], len(sys.argv) > 2
	s = sqlite3.connect(f'file:{store}/ledger.db?mode=ro', uri=True)
	o = sqlite3.connect('file:org/org.db?mode=ro', uri=True)
	mine = [bytes(b) for b, in s.execute('SELECT body FROM entry ORDER BY idx')]
	member = o.execute('SELECT id, next FROM member WHERE origin = ?',
	    (f'example.org/{store}'.encode(),)).fetchone()
	leaves = o.execute('SELECT number, body FROM leaf WHERE member = ?'
	    ' ORDER BY seq', member[:1]).fetchall()
	bodies = [b for _, b in leaves]
	assert [n for n, _ in leaves] == list(range(member[1])), ('not dense', member)
	assert bodies == mine[:len(bodies)], 'other bytes'
	assert part or len(bodies) == len(mine), (len(bodies), len(mine))
	all = [n for n, in o.execute('SELECT seq FROM leaf ORDER BY seq')]
	assert all == list(range(len(all))), 'the ledger is not dense'
	gone = [json.loads(b)['content']['sha256'] for b in mine
	    if b'"redaction.done"' in b]
	def name(h):
	    return f'org/objects/{h[:2]}/{h[2:]}'
	for body in bodies:
	    e = json.loads(body)
	    if e['type'] != 'evidence.sealed' or e['content']['sha256'] in gone:
	        continue
	    h = e['content']['sha256']
	    at = o.execute('SELECT bundle, off, len FROM located WHERE member = ?'
	        ' AND object = ?', (member[0], bytes.fromhex(h))).fetchone()
	    data = (open(name(at[0].hex()), 'rb').read()[at[1]:at[1] + at[2]] if at
	        else open(name(h), 'rb').read())
	    assert hashlib.sha256(data).hexdigest() == h, h
	    assert len(data) == e['content']['size']
	END
}

new='--origin example.org/organisation --keys keys'

# published: the files below org/log are those of a log as C2SP tlog-tiles has them,
# of all entries of the ledger; the key of the organisation has signed its root.
published() {
	python3 - <<-'END'
	import base64, hashlib, sqlite3, struct, subprocess
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
	    p = f'{n % 1000:03}'
	    while n >= 1000:
	        n //= 1000
	        p = f'x{n % 1000:03}/{p}'
	    return open(f'org/log/tile/{level}/{p}' +
	        ('' if width == 256 else f'.p/{width}'), 'rb').read()
	note = open('org/log/checkpoint', 'rb').read()
	text, signature = note.split(b'\n\n')
	origin, size, top = text.decode().split('\n')
	size = int(size)
	o = sqlite3.connect('file:org/org.db?mode=ro', uri=True)
	bodies = [b for b, in o.execute('SELECT body FROM leaf ORDER BY seq')][:size]
	assert len(bodies) == size and origin == 'example.org/organisation'
	assert bytes(bodies[0]).endswith(b'"type":"organisation.opened","v":2}')
	level, hashes = 0, [sha(b'\0' + b) for b in bodies]
	assert root(hashes) == base64.b64decode(top)
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
	name, id, key = open('keys/log.vkey').read().strip().split('+', 2)
	key = base64.b64decode(key)
	open('pub.der', 'wb').write(bytes.fromhex('302a300506032b6570032100') + key[1:])
	open('text', 'wb').write(text + b'\n')
	line = signature.decode().split()
	assert line[1] == name
	open('sig', 'wb').write(base64.b64decode(line[2])[4:])
	subprocess.run(['openssl', 'pkeyutl', '-verify', '-pubin', '-inkey', 'pub.der',
	    '-keyform', 'DER', '-rawin', '-in', 'text', '-sigfile', 'sig'], check=True,
	    stdout=subprocess.DEVNULL)
	END
}

# --- an organisation ------------------------------------------------------------

# Only an organiser's list says who may append.
members_are_enrolled() {
	is 0 trailctl org init $new dir:org
	complains 'nothing is locked'
	is 3 trailctl org init $new dir:nowhere/org
	is 1 trailctl org init $new dir:org
	complains 'exists'
	is 3 trailctl org init --origin example.org/x --keys keys dir:other
	[ ! -e other ]
	store_with one 3
	is 1 trailctl forward --once one dir:org
	complains 'example.org/one is not enrolled'
	is 0 trailctl org enrol dir:org one.vkey
	is 0 trailctl org list dir:org
	says '^example.org/one: 0 entries$'
	is 0 trailctl forward --once one dir:org
	says '^forwarded up to [0-9]* entries: [0-9]* new, [0-9]* objects'
	has one
	is 0 trailctl org list --json dir:org
	says '^{"entries":[0-9]*,"origin":"example.org/one","revoked":false,"vkey":"'
	is 0 trailctl org refused dir:org
	has_lines 0
}

# What is there already is not sent again, with a large object too.
a_repetition_sends_nothing() {
	mount one
	mkdir "$mnt/trail/run/large"
	head -c 300000 /dev/urandom >"$mnt/trail/run/large/file"
	: >"$mnt/trail/run/large/empty"
	trailctl seal "$mnt/trail/run/large" >/dev/null
	unmount
	is 0 trailctl forward --once --json one dir:org
	[ "$(number new)" -gt 0 ]
	[ "$(number objects)" -ge 2 ]
	[ "$(number bytes)" -ge 300000 ]
	has one
	before=$(find org/objects -type f | wc -l)
	is 0 trailctl forward --once --json one dir:org
	[ "$(number new)" = 0 ]
	[ "$(number entries)" = "$(trailctl log --json one | wc -l)" ]
	[ "$(find org/objects -type f | wc -l)" = "$before" ]
	has one
}

# A mounted store is read beside its daemon, by its mount point too.
a_busy_mount_is_forwarded() {
	mount one
	record busy
	is 0 trailctl forward --once "$mnt" dir:org
	has one part
	unmount
	is 0 trailctl forward --once -q one dir:org
	has_lines 0
	has one
}

# A service goes on with what comes, and ends in order.
a_service_follows() {
	mount one
	trailctl forward one dir:org >service.out 2>service.err &
	service=$!
	record follow
	want=$(trailctl log --json "$mnt" | wc -l)
	arrived() {
		[ "$(trailctl org list --json dir:org |
			sed -n 's/.*"entries":\([0-9]*\),"origin":"example.org\/one".*/\1/p')" \
			-ge "$want" ]
	}
	until_true arrived
	kill -TERM "$service"
	wait "$service" || :
	grep -q '^forwarded up to' service.out
	unmount
	is 0 trailctl forward --once one dir:org
	has one
}

# forwarded FIELD: that member of the status of store one.
forwarded() {
	trailctl status --json one >status.out
	python3 -c 'import json, sys
v = json.load(open("status.out"))["forwarded"]
for k in sys.argv[1].split("."):
    v = v.get(k)
print(v)' "$1"
}

# metric NAME: its value for store one.
metric() {
	trailctl metrics one | sed -n "s/^trailfs_forward_$1{[^}]*} //p"
}

# What was not forwarded is counted, in a store and in its mount.
the_lag_is_seen() {
	[ "$(stat -c %a one/forwarded)" = 600 ]
	[ "$(forwarded behind)" = 0 ]
	[ "$(forwarded oldest)" = 0 ]
	[ "$(forwarded failed)" = None ]
	[ "$(metric behind_entries)" = 0 ]
	[ "$(metric refused)" = 0 ]
	trailctl doctor one >out || :
	says '^forward *ok .*the organisation has [0-9]* of [0-9]* entries'
	before=$(forwarded entries)
	mount one
	record lag1
	record lag2
	trailctl status "$mnt" >out
	says '^forwarded .*behind [1-9]'
	unmount
	[ "$(forwarded entries)" = "$before" ]
	[ "$(forwarded behind)" = "$(($(trailctl log --json one | wc -l) - before))" ]
	[ "$(metric behind_entries)" = "$(forwarded behind)" ]
	is 0 trailctl forward --once one dir:org
	[ "$(forwarded behind)" = 0 ]
	has one
	# A store that has never been forwarded says nothing.
	trailctl init --origin example.org/none none >/dev/null 2>&1
	is 0 trailctl metrics none
	if grep trailfs_forward out; then
		exit 1
	fi
	rm -r none
}

# How old the oldest entry is that waits; doctor says since when.
an_old_lag_is_wrong() {
	mount one
	record lag3
	unmount
	clock_moves
	wait_s=$($(as_of '+3 hours') trailctl metrics one |
		sed -n 's/^trailfs_forward_oldest_seconds{[^}]*} //p')
	[ "$wait_s" -gt 10700 ] && [ "$wait_s" -lt 14000 ]
	$(as_of '+3 hours') trailctl doctor one >out || :
	says '^forward *wrong .*nothing was forwarded since 20.*entries wait'
	is 0 trailctl forward --once one dir:org
	$(as_of '+3 hours') trailctl doctor one >out || :
	says '^forward *ok '
}

# A failure is there until the next success; a wrong argument is none.
a_failure_is_seen() {
	[ "$(forwarded failed)" = None ]
	is 2 trailctl forward --once one ftp://x/y dir:org
	[ "$(forwarded failed)" = None ]
	mv org gone
	is 3 trailctl forward --once one dir:org
	[ "$(forwarded failed.why)" != None ]
	mv gone org
	is 0 trailctl forward --once one dir:org
	[ "$(forwarded failed)" = None ]
	is 0 trailctl org revoke dir:org example.org/one
	is 1 trailctl forward --once one dir:org
	[ "$(forwarded failed.final)" = True ]
	forwarded failed.why | grep -q 'was revoked'
	[ "$(metric refused)" = 1 ]
	trailctl doctor one >out || :
	says '^forward *wrong .*was refused .*was revoked'
	is 0 trailctl org enrol dir:org one.vkey
	is 0 trailctl forward --once one dir:org
	[ "$(metric refused)" = 0 ]
	# Whatever is in the file breaks nothing.
	for text in '' x '{}' '[]' '{"at":7,"entries":1}' '{"entries":-1}'; do
		printf '%s\n' "$text" >one/forwarded
		[ "$(metric refused)" = 1 ]
		forwarded failed.why | grep -q 'is damaged'
	done
	is 0 trailctl forward --once one dir:org
	[ "$(forwarded failed)" = None ]
}

# A user who may not write in the store forwards it all the same.
a_store_that_is_read_only_is_forwarded() {
	[ "$(id -u)" -eq 0 ] || skip 'only root mounts a store read-only'
	cp one/forwarded kept
	mkdir frozen
	/bin/mount --bind one frozen || skip 'no bind mount'
	/bin/mount -o remount,bind,ro frozen
	is 0 trailctl forward --once frozen dir:org || {
		umount frozen
		exit 1
	}
	umount frozen
	complains 'trailctl status does not show this: '
	cmp kept one/forwarded
}

# --- faults -----------------------------------------------------------------------

# entries_of_two: how many the organisation has.
entries_of_two() {
	trailctl org list --json dir:org |
		sed -n 's/.*"entries":\([0-9]*\),"origin":"example.org\/two".*/\1/p'
}

# A store is written by its mount while its forwarder is killed at any moment:
# nothing is lost, doubled or exchanged.
many_kills_lose_nothing() {
	store_with two 1
	is 0 trailctl org enrol dir:org "$(cat two.vkey)"
	# A forwarder that was killed before its first batch leaves this.
	has two part
	before=$(date +%s%N)
	is 0 trailctl forward --once two dir:org
	near_ms=$((($(date +%s%N) - before) / 1000000 + 1))
	had=$(entries_of_two)
	mount two
	trap ': >enough' EXIT
	(
		i=0
		until [ -e enough ]; do
			i=$((i + 1))
			mkdir "$mnt/trail/run/k$i"
			head -c $((i % 40 * 4001)) /dev/urandom >"$mnt/trail/run/k$i/data"
			echo "kill $i" >"$mnt/trail/run/k$i/report"
			trailctl seal "$mnt/trail/run/k$i" >/dev/null
		done
	) &
	writer=$!
	kills=0 commits=0
	while [ $kills -lt 60 ]; do
		trailctl forward two dir:org >service.out 2>service.err &
		service=$!
		# A different moment each time, before and after that of its commit,
		# which is another one on each machine and under each load.
		ms=$((near_ms * (kills * 7 % 60 + 20) / 50))
		sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
		kill -9 $service || {
			cat service.err
			exit 1
		}
		wait $service 2>/dev/null || :
		kills=$((kills + 1))
		now=$(entries_of_two)
		if [ "$now" -gt "$had" ]; then
			near_ms=$((near_ms * 4 / 5 + 1))
			commits=$((commits + 1))
		else
			near_ms=$((near_ms * 5 / 4 + 1))
		fi
		had=$now
		[ $((kills % 20)) != 0 ] || has two part
	done
	: >enough
	wait $writer
	unmount
	is 0 trailctl forward --once --json two dir:org
	has two
	has one
	is 0 trailctl org refused dir:org
	echo "$kills kills, $commits of them after a commit"
}

# Two forwarders of one store at once, by mistake.
two_forwarders_agree() {
	mount two
	for i in $(seq 10); do
		record "both$i"
	done
	unmount
	trailctl forward --once -q two dir:org &
	first=$!
	is 0 trailctl forward --once two dir:org
	wait $first
	has two
	is 0 trailctl org refused dir:org
}

# --- the log of the organisation ------------------------------------------------------

# The organisation signs all entries, in the form of any log, and each run continues
# the one before.
the_organisation_signs() {
	is 0 trailctl org publish --keys keys dir:org
	says '^published [0-9]* entries of 2 members: [0-9]* new, [0-9]* read$'
	has_lines 1
	published
	is 0 trailctl verify --vkey keys/log.vkey org/log
	says '^entries *OK .* of an organisation with 2 members'
	says '^tree *OK'
	says '^tiles *OK'
	says '^signature *OK .*example.org/organisation, by the key given'
	is 4 trailctl verify --vkey one.vkey org/log
	cp org/log/checkpoint first
	is 0 trailctl org publish --keys keys dir:org
	says ': 0 new, 0 read$'
	cmp org/log/checkpoint first
	# One entry per transaction: several tiles.
	mount two
	for i in $(seq 100); do
		record "p$i"
	done
	unmount
	is 0 trailctl forward --once two dir:org
	is 0 trailctl org publish --keys keys dir:org
	[ "$(sed -n 2p org/log/checkpoint)" -gt 256 ]
	[ -f org/log/tile/0/000 ]
	published
	# What a killed run has left out.
	rm org/log/checkpoint
	is 0 trailctl org publish --keys keys dir:org
	published
}

# altered SQL: is what a publication that reads all of a ledger says of one that was
# altered so.
altered() {
	rm -rf whole-keys
	cp -a org whole
	cp -a keys whole-keys
	python3 - "$1" <<-'END'
	import sqlite3, sys
	o = sqlite3.connect('org/org.db')
	for t in 'leaf_kept', 'leaf_stays', 'member_grows':
	    o.execute('DROP TRIGGER ' + t)
	o.executescript(sys.argv[1])
	END
	is 4 trailctl org publish --full --keys keys dir:org
	rm -r org keys
	mv whole org
	mv whole-keys keys
}

# Nothing is signed over a ledger whose beginning was altered; of a member that is
# wrong the run says so, and signs the others.
an_altered_ledger_is_not_signed() {
	altered "UPDATE leaf SET body = CAST(replace(CAST(body AS TEXT), 'a', 'b')
		AS BLOB) WHERE seq = 7"
	complains 'not those that were signed: it was altered'
	altered "DELETE FROM leaf WHERE seq = (SELECT max(seq) FROM leaf)"
	complains 'but [0-9]* were signed: some are lost'
	altered "DELETE FROM leaf WHERE seq = 9"
	complains 'entry 9 of the ledger is missing'
	altered "UPDATE note SET note = (SELECT note FROM note
		WHERE member <> 2 ORDER BY size LIMIT 1) WHERE member = 2"
	complains 'example.org/one: entry [0-9]* has a checkpoint'
	# Before anything was signed, the members' own signatures find it.
	altered "DELETE FROM checkpoint"
	complains 'a checkpoint of 0 entries, but [0-9]* were signed: it was set back'
	rm keys/published
	altered "DELETE FROM checkpoint; UPDATE leaf SET body =
		CAST(replace(CAST(body AS TEXT), '\"uid\":0', '\"uid\":1') AS BLOB)
		WHERE member = 2"
	complains 'other bytes: another ledger was published'
	cp -a org/log logs
	rm -r org/log/tile
	altered "DELETE FROM checkpoint; UPDATE leaf SET body =
		CAST(replace(CAST(body AS TEXT), '\"uid\":0', '\"uid\":1') AS BLOB)
		WHERE member = 2"
	complains 'example.org/one: entry [0-9]* has a checkpoint of other entries'
	rm -r org/log
	mv logs org/log
	is 0 trailctl org init --origin example.org/z --keys k2 dir:other
	is 3 trailctl org publish --keys k2 dir:org
	complains 'entry 0 of the ledger is not of example.org/z'
	rm -r other
}

# examined GRADE SUBJECT TEXT [TIME]: trailctl doctor says that of the organisation.
examined() {
	$([ -z "${4-}" ] || as_of "$4") trailctl doctor dir:org >out 2>err &&
		status=0 || status=$?
	says "^$2 *$1 .*$3" || {
		cat out err
		exit 1
	}
	if [ "$1" = wrong ]; then
		[ $status = 1 ]
	else
		[ $status = 0 ]
	fi
}

# What a monitor asks of an organisation.
doctor_examines_an_organisation() {
	examined note ledger '[0-9]* entries, which only one node has'
	examined ok members 'members: 2, of them revoked: 0; have sent nothing yet: 0'
	examined ok refused 'no fork and no gap'
	examined ok log 'the checkpoint has all'
	examined note locks 'nothing is locked'
	is 0 trailctl doctor --json dir:org dir:org
	says '"about":"log","grade":"ok"'
	mount one
	record unpublished
	unmount
	is 0 trailctl forward --once one dir:org
	examined ok log 'the checkpoint lacks [1-9][0-9]* of [0-9]* entries; .* made'
	clock_moves
	examined wrong log 'the checkpoint lacks .* made 2 days' '+50 hours'
	mv org/log/checkpoint kept
	examined wrong log 'the blobs have no checkpoint'
	sed '$d' kept >org/log/checkpoint
	examined note log 'is not the newest one'
	mv kept org/log/checkpoint
	is 0 trailctl org publish --keys keys dir:org
	cp -a org whole
	python3 - <<-'END'
	import sqlite3
	o = sqlite3.connect('org/org.db')
	for t in 'leaf_kept', 'leaf_stays', 'member_grows':
	    o.execute('DROP TRIGGER ' + t)
	o.execute('DELETE FROM leaf WHERE seq = (SELECT max(seq) FROM leaf)')
	o.commit()
	END
	examined wrong log 'some are lost'
	python3 - <<-'END'
	import sqlite3
	o = sqlite3.connect('org/org.db')
	o.execute('DELETE FROM checkpoint')
	o.commit()
	END
	examined wrong log 'never published'
	rm -r org
	mv whole org
	is 2 trailctl doctor dir:nowhere
	is 2 trailctl doctor postgresql://127.0.0.1/x
	is 2 trailctl doctor one two
}

# --- refusals ----------------------------------------------------------------------

# A store that was set back and went on otherwise is refused, and that is recorded.
a_fork_is_refused() {
	cp -a one back
	mount one
	record after
	unmount
	is 0 trailctl forward --once one dir:org
	has one
	mv one real
	mv back one
	is 4 trailctl forward --once one dir:org
	complains 'entries were lost here'
	mount one -o moved
	for i in other1 other2 other3; do
		record "$i"
	done
	unmount
	is 4 trailctl forward --once one dir:org
	complains 'another history of example.org/one\|checkpoint of example.org'
	rm -r one
	mv real one
	has one
}

# The ledger itself finds the fork, when no checkpoint is there to compare.
a_fork_is_recorded() {
	python3 - <<-'END'
	import sqlite3
	o = sqlite3.connect('org/org.db')
	o.execute('DELETE FROM note')
	o.commit()
	END
	cp -a two back
	mount two
	record after
	unmount
	is 0 trailctl forward --once two dir:org
	python3 - <<-'END'
	import sqlite3
	o = sqlite3.connect('org/org.db')
	o.execute('DELETE FROM note')
	o.commit()
	END
	mv two real
	mv back two
	mount two -o moved
	record another
	record yet
	unmount
	is 4 trailctl forward --once two dir:org
	complains 'its history has forked'
	is 1 trailctl org refused dir:org
	says 'example.org/two entry [0-9]*: a fork: sha256 '
	is 1 trailctl org refused --json dir:org
	says '"kind":"fork","origin":"example.org/two","there":"'
	is 0 trailctl org publish --keys keys dir:org
	says '^refused by the ledger, and recorded now: 1$'
	sqlite3 org/org.db 'SELECT CAST(body AS TEXT) FROM leaf WHERE member = 1' >own
	tail -n 1 own | grep '"kind":"fork","member":"example.org/two","number"' |
		grep -q '"refusal":0,.*"type":"member.refused","v":2}$'
	examined wrong refused '1 forks and 0 gaps were refused, the last one 20'
	clock_moves
	$(as_of '+8 days') trailctl doctor dir:org >out || :
	says '^refused *note '
	rm -r two
	mv real two
	is 0 trailctl forward --once two dir:org
	has two
}

# A revoked member is refused, and may be enrolled again.
a_revoked_member_is_refused() {
	is 0 trailctl org revoke dir:org example.org/one
	is 0 trailctl org list dir:org
	says '^example.org/one: [0-9]* entries, revoked$'
	mount one
	record revoked
	unmount
	is 1 trailctl forward --once one dir:org
	complains 'was revoked'
	# What it has given is recorded: once, and not what another host does not send.
	is 1 trailctl forward --once one dir:org
	is 1 trailctl org refused dir:org
	[ "$(grep -c 'example.org/one entry [0-9]*: it was revoked: sha256' out)" = 1 ]
	examined wrong refused ' and 1 after a revocation were refused'
	is 0 trailctl org enrol dir:org one.vkey
	is 0 trailctl forward --once one dir:org
	has one
	trailctl init --origin example.org/one impostor >impostor.vkey 2>/dev/null
	is 1 trailctl org enrol dir:org impostor.vkey
	complains 'another key'
	is 4 trailctl forward --once impostor dir:org
	has one
}

# A store that lacks a file is not forwarded as if it were whole.
a_lost_object_is_found() {
	store_with three 1
	mount three
	mkdir "$mnt/trail/run/large"
	head -c 200000 /dev/urandom >"$mnt/trail/run/large/file"
	trailctl seal "$mnt/trail/run/large" >/dev/null
	unmount
	is 0 trailctl org enrol dir:org three.vkey
	object=$(find three/objects -type f -size +100k)
	mv "$object" aside
	is 4 trailctl forward --once three dir:org
	complains 'the store lacks object .* verify it'
	mv aside "$object"
	cp "$object" whole
	flip "$object" 1000
	is 4 trailctl forward --once three dir:org
	complains 'not those of the digest'
	cp whole "$object"
	is 0 trailctl forward --once three dir:org
	has three
}

# secrets NAME: mount a new store with evidence that two people can redact.
secrets() {
	needs setpriv
	[ "$(id -u)" = 0 ] || skip 'not root'
	chmod 0755 "$work"
	trailctl init --origin "example.org/$1" "$1" >"$1.vkey" 2>/dev/null
	is 0 trailctl org enrol dir:org "$1.vkey"
	mount "$1" -o allow_other
	mkdir "$mnt/trail" "$mnt/trail/run" "$mnt/trail/run/secret"
	chmod 0755 "$mnt/trail" "$mnt/trail/run" "$mnt/trail/run/secret"
	chown 65534:65534 "$mnt/trail"
	echo 'a small secret' >"$mnt/trail/run/secret/small"
	head -c 200000 /dev/urandom >"$mnt/trail/run/secret/long"
	trailctl seal "$mnt/trail/run/secret" >/dev/null
}

# redact NAME...: root proposes, and the owner of the trail approves.
redact() {
	control=$mnt/trail/run/secret/.trailfs/redactions
	for name; do
		printf '{"propose":"%s","reason":"asked for"}' "$name" \
			>"$control"
		seq=$(trailctl log --json --type redaction.proposed "$mnt" |
			sed -n 's/.*"seq":\([0-9]*\).*/\1/p' | tail -n 1)
		setpriv --reuid 65534 --regid 65534 --clear-groups \
			sh -c "printf '{\"approve\":$seq}' >'$control'"
	done
}

# Evidence that was redacted before goes without its bytes; the entries say so.
a_redaction_before_is_forwarded() {
	secrets early
	redact small long
	unmount
	is 0 trailctl forward --once --json early dir:org
	[ "$(number redacted)" -ge 2 ]
	has early
	if grep -ras 'a small secret' org; then
		exit 1
	fi
	# An object that is absent for another reason is still found.
	mount early -o allow_other
	mkdir "$mnt/trail/run/more"
	head -c 200000 /dev/urandom >"$mnt/trail/run/more/file"
	trailctl seal "$mnt/trail/run/more" >/dev/null
	unmount
	object=$(find early/objects -type f -size +100k)
	mv "$object" aside2
	is 4 trailctl forward --once early dir:org
	complains 'the store lacks object'
	mv aside2 "$object"
	is 0 trailctl forward --once early dir:org
	has early
}

# What was forwarded before its redaction stays in the organisation.
a_redaction_after_is_forwarded() {
	secrets late
	is 0 trailctl forward --once "$mnt" dir:org
	redact small long
	unmount
	is 0 trailctl forward --once late dir:org
	has late
	grep -rasq 'a small secret' org/objects
}

# The organisation cannot be reached: once says so, a service waits for it.
a_service_waits_for_the_organisation() {
	mount three
	record waiting
	unmount
	mv org gone
	is 3 trailctl forward --once three dir:org
	mkdir org
	mv gone/objects gone/log org/
	touch org/org.db
	mv org empty
	mv empty/objects empty/log gone/
	mv gone org
	python3 - <<-'END' &
	import sqlite3, time
	o = sqlite3.connect('org/org.db', isolation_level=None)
	o.execute('BEGIN IMMEDIATE')
	open('held', 'w')
	time.sleep(12)
	o.execute('ROLLBACK')
	END
	until_true test -e held
	trailctl forward three dir:org >service.out 2>service.err &
	service=$!
	wait_for service.err 'holds the ledger for too long; trying again'
	wait_for service.err 'going on at entry'
	kill -TERM $service
	wait $service || :
	is 0 trailctl forward --once three dir:org
	has three
}

# A forwarder with credentials of S3: no other process of its user reads its memory,
# it leaves no core, and nothing that others see has the secret.
the_memory_of_a_forwarder_is_closed() {
	[ "$(id -u)" = 0 ] || skip 'not root'
	[ -e "$BUILD/trailfs-s3.so" ] || skip 'trailfs-s3.so: no libcurl'
	if ldd "$BUILD/trailctl" | grep -q 'lib[at]san'; then
		skip 'a sanitizer looks at the memory'
	fi
	chmod 0755 "$work"
	mkdir closed
	(umask 077 && printf 'THEACCESSKEY\nTHESECRET\n' >closed/s3)
	is 0 trailctl org init --origin example.org/closed --keys closed-keys \
		dir:closed/org
	chown -R 65534:65534 closed
	cat >closed.py <<-'END'
	import os, resource, signal, subprocess, sys
	os.chdir('closed')
	resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
	os.setgroups([])
	os.setresgid(65534, 65534, 65534)
	os.setresuid(65534, 65534, 65534)
	subprocess.run(['trailctl', 'init', '--origin', 'example.org/c', 'store'],
	    check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
	p = subprocess.Popen(['trailctl', 'forward', 'store', 'dir:org',
	    's3://bucket/p?endpoint=http://127.0.0.1:1&credentials=' +
	    os.path.abspath('s3')], stdout=subprocess.DEVNULL, stderr=open('err', 'w'))
	while 'trying again' not in open('err').read():
	    assert p.poll() is None, open('err').read()
	for name in 'mem', 'maps', 'environ', 'auxv':
	    try:
	        open(f'/proc/{p.pid}/{name}', 'rb').close()
	    except PermissionError:
	        continue
	    p.kill()
	    sys.exit(f'{name} is open')
	seen = open(f'/proc/{p.pid}/cmdline').read() + open('err').read()
	seen += open('store/forwarded').read()
	p.send_signal(signal.SIGABRT)
	_, status = os.waitpid(p.pid, 0)
	assert 'THESECRET' not in seen and 'THEACCESSKEY' not in seen, seen
	assert os.WIFSIGNALED(status) and not os.WCOREDUMP(status), status
	assert not [f for f in os.listdir() if f.startswith('core')]
	END
	is 0 python3 closed.py
}

# An engine that was built for another interface is not called.
a_plug_in_of_another_version_is_refused() {
	needs cc
	abi=$(sed -n 's/^#define TF_ENGINE_ABI //p' "$top/core/org/engine.h")
	mkdir other
	cp "$BUILD/trailctl" other/
	for n in $((abi - 1)) $((abi + 1)); do
		echo "const struct { unsigned abi; const void *ledger, *blobs; }
			tf_engine = { $n, (void *)8, (void *)8 };" >engine.c
		cc -shared -fPIC -o other/trailfs-postgresql.so engine.c
		is 5 other/trailctl org list postgresql://127.0.0.1/x
		complains 'trailfs-postgresql.so is of another version of trailfs'
	done
	rm -r other
}

# What the command line cannot mean.
wrong_arguments_are_usage_errors() {
	is 2 trailctl forward three
	is 2 trailctl forward three postgresql://127.0.0.1/x
	is 2 trailctl org
	is 2 trailctl org init
	is 2 trailctl org enrol dir:org
	is 2 trailctl org enrol dir:org one.vkey --json
	is 2 trailctl org list dir:org --role x
	is 2 trailctl org init $new ftp://x/y dir:org
	is 2 trailctl org init dir:new
	is 2 trailctl org publish dir:org
	is 2 trailctl org publish $new dir:org
	is 3 trailctl forward --once nowhere dir:org
	is 2 trailctl org list postgresql://me:secret@127.0.0.1/x
	complains 'no password in the URI'
	is 2 trailctl org enrol --role me dir:org one.vkey
}

with /dev/fuse python3 members_are_enrolled a_repetition_sends_nothing \
	a_busy_mount_is_forwarded a_service_follows the_lag_is_seen \
	an_old_lag_is_wrong a_failure_is_seen \
	a_store_that_is_read_only_is_forwarded many_kills_lose_nothing \
	two_forwarders_agree the_organisation_signs an_altered_ledger_is_not_signed \
	doctor_examines_an_organisation \
	a_fork_is_refused a_fork_is_recorded \
	a_revoked_member_is_refused a_lost_object_is_found \
	a_redaction_before_is_forwarded a_redaction_after_is_forwarded \
	a_service_waits_for_the_organisation \
	the_memory_of_a_forwarder_is_closed \
	a_plug_in_of_another_version_is_refused wrong_arguments_are_usage_errors
finish
