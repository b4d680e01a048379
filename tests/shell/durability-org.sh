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
import hashlib, json, sqlite3, sys
# has.py: what is in the file acknowledged is in the ledger, and its bytes are there.
o = sqlite3.connect('file:org/org.db?mode=ro', uri=True)
said = set()
for body, in o.execute('SELECT body FROM leaf'):
    e = json.loads(body)
    c = e.get('flushed') or e.get('content')
    if e['type'] in ('evidence.flushed', 'evidence.sealed'):
        said.add((e['path'], c['sha256']))
for line in open('acknowledged'):
    path, digest = line.split()
    path = path.split('/mnt/')[-1]
    assert (path, digest) in said, f'no entry of {path}'
    at = o.execute('SELECT bundle, off, len FROM located WHERE object = ?',
        (bytes.fromhex(digest),)).fetchone()
    name = at[0].hex() if at else digest
    data = open(f'org/objects/{name[:2]}/{name[2:]}', 'rb').read()
    data = data[at[1]:at[1] + at[2]] if at else data
    assert hashlib.sha256(data).hexdigest() == digest, path
END

# What was acknowledged is at the organisation, in the ledger and the blobs.
has() {
	python3 has.py
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

# Evidence of a trail with recipients is encrypted at its seal: the seal waits.
encrypted_evidence_waits_at_its_seal() {
	command -v age-keygen >/dev/null || {
		echo "age-keygen is not installed" >"$skip_reason"
		return 0
	}
	age-keygen -o id 2>/dev/null
	serve
	forward
	mkdir -p "$mnt/secret"
	age-keygen -y id >recipients
	trailctl recipients set "$mnt/secret" recipients >/dev/null
	mkdir -p "$mnt/secret/w/a"
	stop
	echo secret >"$mnt/secret/w/a/f"
	waits 0
	go_on
	waited trailctl sync "$mnt/secret/w/a"
	end_forwarder
	unmount
}

# Whatever is killed, what was acknowledged is at the organisation.
no_kill_loses_what_was_acknowledged() {
	serve settle=0
	forward
	mkdir "$mnt/t/w/kills"
	unmount
	for i in $(seq 30); do
		serve settle=0
		(
			for n in $(seq 100); do
				size=$((n % 5 == 0 ? 100000 : 50))
				python3 writer.py "$mnt/t/w/kills/$i-$n" "$size" || exit 0
			done
		) 2>/dev/null &
		writer=$!
		seen=$(wc -l <acknowledged)
		until_true sh -c "[ \$(wc -l <acknowledged) -gt $((seen + i % 3)) ]"
		if [ $((i % 2)) -eq 0 ]; then
			kill -KILL "$forwarder"
			wait "$forwarder" 2>/dev/null || :
			has
			forward
			seen=$(wc -l <acknowledged)
			until_true sh -c "[ \$(wc -l <acknowledged) -gt $seen ]"
		fi
		kill -KILL "$(sed -n 's/.* pid \([0-9]*\)$/\1/p' one/lock)"
		wait "$writer" || :
		has
		unmount
	done
	end_forwarder
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
run encrypted_evidence_waits_at_its_seal
run no_kill_loses_what_was_acknowledged
run all_of_it_verifies
finish
