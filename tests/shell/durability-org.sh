#!/bin/sh
# durability=org: a close that returned is at the organisation, whatever is killed.
# shellcheck disable=SC2317 # called by name
. "$(dirname "$0")/../suite.sh"

cat >writer.py <<'END'
import hashlib, os, sys
# writer.py FILE [SIZE]: write it, and when close(2) has returned append its path and
# digest to the file acknowledged; the errno of a failed close to the file failed.
path, size = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20
data = (path.encode() * (size // len(path) + 1))[:size]
fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o644)
os.write(fd, data)
try:
    os.close(fd)
except OSError as e:
    open('failed', 'a').write(f'{e.errno}\n')
    sys.exit(1)
with open('acknowledged', 'a') as f:
    f.write(path + ' ' + hashlib.sha256(data).hexdigest() + '\n')
END

cat >has.py <<'END'
import hashlib, json, sqlite3, subprocess, sys
# has.py [new]: what is in the file acknowledged is in the ledger, and its bytes are
# there; of an encrypted trail, an age file that the identity in the file id opens to
# them.  new: of the lines that no earlier call has looked at.
o = sqlite3.connect('file:org/org.db?mode=ro', uri=True)
said = {}
for body, in o.execute('SELECT body FROM leaf'):
    e = json.loads(body)
    c = e.get('flushed') or e.get('content')
    if e['type'] in ('evidence.flushed', 'evidence.sealed'):
        said.setdefault(e['path'], {})[c['sha256']] = 'encryption' in e
def get(digest):
    at = o.execute('SELECT bundle, off, len FROM located WHERE object = ?',
        (bytes.fromhex(digest),)).fetchone()
    name = at[0].hex() if at else digest
    try:
        data = open(f'org/objects/{name[:2]}/{name[2:]}', 'rb').read()
    except FileNotFoundError:
        return None
    data = data[at[1]:at[1] + at[2]] if at else data
    assert hashlib.sha256(data).hexdigest() == digest, digest
    return data
def clear(digest, encrypted):
    data = get(digest)
    if encrypted and data is not None:
        data = subprocess.run(['age', '-d', '-i', 'id'], input=data, check=True,
            stdout=subprocess.PIPE).stdout
    return data
lines = open('acknowledged').read().splitlines()
before = int(open('seen').read()) if sys.argv[1:] == ['new'] else 0
for line in lines[before:]:
    path, digest = line.split()
    path = path.split('/mnt/')[-1]
    assert path in said, f'no entry of {path}'
    for is_, encrypted in said[path].items():
        assert encrypted == path.startswith('secret/'), path
        if not encrypted and is_ != digest:
            continue
        data = clear(is_, encrypted)
        if data is not None and hashlib.sha256(data).hexdigest() == digest:
            break
    else:
        raise AssertionError(f'{path}: the organisation lacks its bytes')
open('seen', 'w').write(str(len(lines)))
END

# has [new]: what was acknowledged is at the organisation, in the ledger and the
# blobs.
has() {
	python3 has.py "$@"
}

# Begin to send the store to the organisation; $forwarder is its pid.
forward() {
	trailctl forward one dir:org >service.out 2>service.err &
	forwarder=$!
}

# serve [OPTION]: mount the store with durability=org.
serve() {
	mount one -o "durability=org,settle=60${1:+,$1}"
}

# status FIELD: of the member organisation of the mount's status.
status() {
	trailctl status --json "$mnt" >status.out
	python3 -c 'import json, sys
print(json.load(open("status.out"))["organisation"][sys.argv[1]])' "$1"
}

# waits COUNT: so many calls are answered only when the organisation has it.
waits() {
	[ "$(status waiting)" = "$1" ]
}

# The organisation gets nothing more for now.
stop() {
	kill -STOP "$forwarder"
}

# The organisation gets again what is recorded.
go_on() {
	kill -CONT "$forwarder"
}

# Nothing is sent any more, and $forwarder is gone.
end_forwarder() {
	kill "$forwarder"
	wait "$forwarder" || :
}

# waited COMMAND...: it waits while the forwarder is stopped, and succeeds then.
waited() {
	stop
	"$@" &
	caller=$!
	until_true waits 1
	kill -0 "$caller"
	go_on
	wait "$caller"
	waits 0
}

# A close returns when the ledger has the entry and the blobs have the bytes.
a_close_waits_for_the_organisation() {
	trailctl init --origin example.org/one one >one.vkey 2>/dev/null
	trailctl org init --origin example.org/organisation --keys keys dir:org \
		>/dev/null
	trailctl org enrol dir:org one.vkey >/dev/null
	: >acknowledged
	serve
	forward
	mkdir -p "$mnt/t/w/a"
	python3 writer.py "$mnt/t/w/a/first"
	has
	waited python3 writer.py "$mnt/t/w/a/small"
	has
	waited python3 writer.py "$mnt/t/w/a/large" 3000000
	has
	end_forwarder
	unmount
}

# So do all calls that acknowledge evidence.
others_that_acknowledge_wait_too() {
	serve
	forward
	mkdir -p "$mnt/t/w/b" "$mnt/t/w/.c"
	waited python3 -c 'import os, sys
fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
os.write(fd, b"fsync")
os.fsync(fd)' "$mnt/t/w/b/fsynced"
	# A draft has no entry: only the rename promises.
	stop
	echo draft >"$mnt/t/w/b/draft.part"
	echo draft >"$mnt/t/w/.c/whole"
	waits 0
	go_on
	waited mv "$mnt/t/w/b/draft.part" "$mnt/t/w/b/renamed"
	waited mv "$mnt/t/w/.c" "$mnt/t/w/c"
	waited trailctl sync "$mnt/t/w/b"
	waited trailctl seal "$mnt/t/w/b"
	for text in fsync draft; do
		printf '%s' "$text" >text
		[ $text = fsync ] || echo draft >text
		echo "$mnt/t/w/b/$([ $text = fsync ] && echo fsynced || echo renamed)" \
			"$(sha256sum <text | cut -c1-64)" >>acknowledged
	done
	has
	end_forwarder
	unmount
}

# Bytes that are written again while a close waits are at the organisation, too.
a_close_waits_for_what_was_written_again() {
	serve
	forward
	mkdir "$mnt/t/w/again"
	cat >again.py <<'END'
import hashlib, os, sys, threading
path, acknowledged = sys.argv[1], open('acknowledged', 'a')
fd = os.open(path, os.O_CREAT | os.O_RDWR)
os.pwrite(fd, b'a' * 200000, 0)
twin = os.dup(fd)
def close():
    os.close(twin)
    data = b'b' * 10 + b'a' * 199990 + b'c'
    acknowledged.write(path + ' ' + hashlib.sha256(data).hexdigest() + '\n')
    acknowledged.flush()
t = threading.Thread(target=close)
t.start()
open('closing', 'w').close()
while not os.path.exists('waits'):
    pass
os.pwrite(fd, b'b' * 10, 0)
os.pwrite(fd, b'c', 200000)
open('written', 'w').close()
t.join()
# As (first; second) >file does: more, through the same description.
os.pwrite(fd, b'd', 200001)
os.close(fd)
END
	stop
	python3 again.py "$mnt/t/w/again/f" &
	caller=$!
	until_true waits 1
	: >waits
	until_true test -e written
	go_on
	wait "$caller"
	has
	(
		echo first
		/bin/echo second
	) >"$mnt/t/w/again/two"
	[ "$(cat "$mnt/t/w/again/two")" = "$(printf 'first\nsecond')" ]
	end_forwarder
	unmount
}

# Those that wait hold no worker: others read and write drafts.
many_wait_and_others_work() {
	serve threads=2
	forward
	mkdir "$mnt/t/w/many"
	chmod 755 "$mnt/t" "$mnt/t/w" "$mnt/t/w/many"
	chmod 755 "$work" "$mnt"
	stop
	callers=
	for i in $(seq 64); do
		python3 writer.py "$mnt/t/w/many/$i" &
		callers="$callers $!"
	done
	until_true waits 64
	trailctl metrics "$mnt" | grep '^trailfs_org_oldest_wait_seconds{' |
		grep -v ' 0\.0*$'
	setpriv --reuid 65534 --regid 65534 --clear-groups ls "$mnt/t/w/many" |
		wc -l >count
	[ "$(cat count)" -eq 64 ]
	setpriv --reuid 65534 --regid 65534 --clear-groups cat "$mnt/t/w/many/7" |
		cmp - "$mnt/t/w/many/7"
	go_on
	for caller in $callers; do
		wait "$caller"
	done
	answered=$(trailctl metrics "$mnt" |
		sed -n 's/^trailfs_org_wait_duration_seconds_count{[^}]*} //p')
	[ "$answered" -ge 64 ]
	has
	end_forwarder
	unmount
}

# Without a forwarder a close fails after org_timeout, and says why; the evidence is
# recorded, and forwarded later.
nobody_waits_for_ever() {
	rm -f failed
	mount one -o durability=org,settle=0,org_timeout=1
	mkdir "$mnt/t/w/late"
	is 1 python3 writer.py "$mnt/t/w/late/f"
	[ "$(cat failed)" = 110 ] # ETIMEDOUT
	[ "$(status timeouts)" = 1 ]
	status why | grep -q 'no forwarder runs'
	trailctl metrics "$mnt" | grep -q '^trailfs_org_timeouts_total{[^}]*} 1$'
	trailctl metrics "$mnt" | grep -q '^trailfs_org_waiting{[^}]*} 0$'
	trailctl metrics "$mnt" |
		grep -q '^trailfs_org_wait_duration_seconds_count{[^}]*} 0$'
	trailctl metrics "$mnt" |
		grep -q '^trailfs_org_oldest_wait_seconds{[^}]*} 0\.0*$'
	trailctl doctor one >out 2>err || :
	says 'forward *wrong .*durability=org'
	trailctl sync "$mnt/t/w/late" >sync.out 2>&1 && exit 1
	grep -q 'recorded here' sync.out || grep -q 'timed out' sync.out
	forward
	trailctl sync "$mnt/t/w/late"
	echo "$mnt/t/w/late/f" "$(sha256sum <"$mnt/t/w/late/f" | cut -c1-64)" \
		>>acknowledged
	has
	[ -z "$(status why 2>/dev/null || :)" ]
	end_forwarder
	unmount
}

# A signal that ends the writer ends its wait.
a_writer_that_is_killed_does_not_wait() {
	serve
	forward
	mkdir "$mnt/t/w/killed"
	stop
	python3 writer.py "$mnt/t/w/killed/f" &
	caller=$!
	until_true waits 1
	kill -KILL "$caller"
	wait "$caller" 2>/dev/null || :
	until_true waits 0
	[ -s "$mnt/t/w/killed/f" ]
	if grep killed acknowledged; then exit 1; fi
	go_on
	end_forwarder
	unmount
}

# Who listens at the socket and is neither root nor the owner is not believed.
a_stranger_acknowledges_nothing() {
	cat >stranger.py <<'END'
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind('one/forward.sock')
os.chmod('one/forward.sock', 0o666)
os.setuid(65534)
s.listen(8)
os.write(3, b'ready\n')
while True:
    c, _ = s.accept()
    try:
        c.send((1 << 40).to_bytes(8, 'big') + b'example.org/one\0')
    except OSError:
        pass
END
	: >ready
	python3 stranger.py 3>ready &
	stranger=$!
	until_true test -s ready
	rm -f failed
	mount one -o durability=org,settle=60,org_timeout=1
	mkdir "$mnt/t/w/stranger"
	is 1 python3 writer.py "$mnt/t/w/stranger/f"
	[ "$(cat failed)" = 110 ]
	status why | grep -q 'not of root or the owner'
	kill "$stranger"
	wait "$stranger" || :
	# What it left is replaced.
	forward
	python3 writer.py "$mnt/t/w/stranger/g"
	has
	end_forwarder
	[ ! -e one/forward.sock ]
	unmount
}

# has_age: skip without the program age, which opens what was encrypted.
has_age() {
	needs age
	needs age-keygen
}

# Evidence of a trail with recipients goes as the age file that the seal takes, too;
# nothing else of it leaves this host, or lies in the store.
encrypted_evidence_waits_too() {
	has_age
	age-keygen -o id 2>/dev/null
	serve
	forward
	mkdir -p "$mnt/secret"
	age-keygen -y id >recipients
	trailctl recipients set "$mnt/secret" recipients >/dev/null
	mkdir -p "$mnt/secret/w/a"
	waited python3 writer.py "$mnt/secret/w/a/small" 300
	has
	waited python3 writer.py "$mnt/secret/w/a/large" 3000000
	has
	: >"$mnt/secret/w/a/empty"
	waited python3 -c 'import os, sys
fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
for word in b"clear-", b"text-", b"of-", b"this":
    os.write(fd, word)
    os.fsync(fd)' "$mnt/secret/w/a/fsynced"
	echo "$mnt/secret/w/a/fsynced" \
		"$(printf clear-text-of-this | sha256sum | cut -c1-64)" >>acknowledged
	has
	if grep -rasq -e clear-text-of-this -e mnt/secret/w/a/smal one org; then
		exit 1
	fi
	flushed=$(find one/stage -name '*.age' | wc -l)
	[ "$flushed" = 3 ]
	trailctl seal "$mnt/secret/w/a"
	trailctl log --json "$mnt" >entries.txt
	for f in small large fsynced; do
		grep "secret/w/a/$f\"" entries.txt | grep evidence.flushed | tail -n 1 |
			grep -o '"sha256":"[0-9a-f]*"' >entered
		grep "secret/w/a/$f\"" entries.txt | grep evidence.sealed |
			grep -q "$(cat entered)"
	done
	[ -z "$(find one/stage -name '*.age')" ]
	end_forwarder
	unmount
	if grep -rasq -e clear-text-of-this -e mnt/secret/w/a/smal one org; then
		exit 1
	fi
	is 0 trailctl verify --vkey one.vkey one
}

# answered_or_waiting: the first close was answered, or all three wait.
answered_or_waiting() {
	[ -e first ] || waits 3
}

# three_wanted: the fake forwarder was asked three times.
three_wanted() {
	[ "$(wc -l <wants)" -ge 3 ]
}

# An age file that was replaced before the forwarder came is acknowledged by nobody.
a_replaced_age_file_is_not_acknowledged() {
	has_age
	# A forwarder that says what the fifo acks says, and prints what is wanted.
	cat >fake.py <<'END'
import os, select, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind('one/forward.sock')
s.listen(8)
acks = os.open('acks', os.O_RDWR)
wants = open('wants', 'w')
c, _ = s.accept()
while True:
    for fd in select.select([c, acks], [], [])[0]:
        if fd is c:
            m = c.recv(8)
            if not m:
                raise SystemExit
            print(int.from_bytes(m, 'big'), file=wants, flush=True)
        else:
            n = int(os.read(acks, 64).split()[-1])
            c.send(n.to_bytes(8, 'big') + b'example.org/one\0')
END
	cat >twice.py <<'END'
import os, sys, threading
path = sys.argv[1]
fd = os.open(path, os.O_CREAT | os.O_RDWR)
def close_twin(name):
    twin = os.dup(fd)
    os.close(twin)
    open(name, 'w').close()
os.write(fd, b'first')
first = threading.Thread(target=close_twin, args=['first'])
first.start()
while not os.path.exists('again'):
    pass
os.write(fd, b'second')
os.fsync(fd)
first.join()
END
	rm -f one/forward.sock first again wants
	: >wants
	mkfifo acks
	python3 fake.py &
	fake=$!
	until_true test -S one/forward.sock
	serve
	mkdir -p "$mnt/secret/w/twice"
	python3 twice.py "$mnt/secret/w/twice/f" &
	writer=$!
	until_true waits 1
	until_true test -s wants
	: >again
	until_true waits 2
	# The entry of the first flush is there, but not its age file.
	head -n 1 wants >acks
	echo third >"$mnt/secret/w/twice/third" &
	third=$!
	until_true three_wanted
	until_true answered_or_waiting
	[ ! -e first ]
	tail -n 1 wants >acks
	wait "$writer" "$third"
	[ -e first ]
	kill "$fake"
	wait "$fake" 2>/dev/null || :
	rm one/forward.sock
	unmount
}

# Recipients that change while a close waits are those of what is acknowledged.
new_recipients_are_those_of_the_seal() {
	has_age
	serve
	forward
	mkdir -p "$mnt/secret/w/r"
	waited python3 writer.py "$mnt/secret/w/r/before"
	age-keygen -o id2 2>/dev/null
	{
		age-keygen -y id
		age-keygen -y id2
	} >recipients
	trailctl recipients set "$mnt/secret" recipients >/dev/null
	waited python3 writer.py "$mnt/secret/w/r/after"
	has
	trailctl seal "$mnt/secret/w/r"
	trailctl log --json "$mnt" | grep evidence.sealed >entries.txt
	for f in before after; do
		grep "w/r/$f\"" entries.txt | grep -q '"encryption":{"format":"age","recipients":2}'
	done
	end_forwarder
	unmount
	is 0 trailctl verify --vkey one.vkey one
}

# Whatever is killed, what was acknowledged is at the organisation.
no_kill_loses_what_was_acknowledged() {
	serve settle=0
	forward
	mkdir "$mnt/t/w/kills"
	secret=t
	if [ -e id ]; then
		secret=secret
		mkdir "$mnt/secret/w/kills"
	fi
	: >acknowledged
	echo 0 >seen
	unmount
	for i in $(seq 30); do
		serve settle=0
		(
			for n in $(seq 100); do
				size=$((n % 5 == 0 ? 100000 : 50))
				trail=$([ $((n % 3)) -eq 0 ] && echo $secret || echo t)
				python3 writer.py "$mnt/$trail/w/kills/$i-$n" "$size" ||
					exit 0
			done
		) 2>/dev/null &
		writer=$!
		seen=$(wc -l <acknowledged)
		until_true sh -c "[ \$(wc -l <acknowledged) -gt $((seen + i % 3)) ]"
		if [ $((i % 2)) -eq 0 ]; then
			kill -KILL "$forwarder"
			wait "$forwarder" 2>/dev/null || :
			has new
			forward
			seen=$(wc -l <acknowledged)
			until_true sh -c "[ \$(wc -l <acknowledged) -gt $seen ]"
		fi
		kill -KILL "$(sed -n 's/.* pid \([0-9]*\)$/\1/p' one/lock)"
		wait "$writer" || :
		has new
		unmount
	done
	end_forwarder
	has
	[ "$(grep -c kills/ acknowledged)" -gt 40 ]
}

# The entries are those of a vault: verified here, and in the copy of an auditor.
all_of_it_verifies() {
	mount one
	unmount
	is 0 trailctl forward --once one dir:org
	is 0 trailctl verify --vkey one.vkey one
	is 0 trailctl org fetch dir:org copies
	is 0 trailctl verify --vkey one.vkey copies/example.org%2Fone
	is 0 trailctl log --json one
	says '"type":"evidence.flushed"'
}

run a_close_waits_for_the_organisation
run others_that_acknowledge_wait_too
run a_close_waits_for_what_was_written_again
run many_wait_and_others_work
run nobody_waits_for_ever
run a_writer_that_is_killed_does_not_wait
run a_stranger_acknowledges_nothing
run encrypted_evidence_waits_too
run a_replaced_age_file_is_not_acknowledged
run new_recipients_are_those_of_the_seal
run no_kill_loses_what_was_acknowledged
run all_of_it_verifies
finish
