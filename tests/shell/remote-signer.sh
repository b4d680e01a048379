#!/bin/sh
# A signer elsewhere: a command with keys of its own, and one on another machine behind
# a real sshd with a forced command, as trailfs-signer(8) recommends.
. "$(dirname "$0")/../suite_daemon.sh"
patience_s=120

# --- a command ----------------------------------------------------------------------

# Both keys of a command, in a mount and without one; the store has no secret.
keys_of_a_command_are_rotated() {
	is 0 trailfs-signer --make far
	is 0 trailctl init --origin example.org/far --signer \
		"exec trailfs-signer '$work/far'" store
	cp out k1
	is 0 trailctl key rotate log store
	cp out k2
	is 0 trailctl key rotate attester store
	: >log
	mount_logged store -o settle=0
	mkdir -p mnt/t/w/a mnt/t/w/b
	echo a >mnt/t/w/a/f
	is 0 trailctl seal mnt/t/w/a
	is 0 trailctl key rotate attester mnt
	is 0 trailctl key rotate log mnt
	cp out k3
	echo b >mnt/t/w/b/f
	is 0 trailctl seal mnt/t/w/b
	unmount
	wait
	ls far store/keys
	[ ! -e store/keys/log.pem ] && [ ! -e store/keys/attester.pem ]
	openssl pkey -in far/log.pem -pubout | cmp - store/keys/log.pub.pem
	openssl pkey -in far/attester.pem -pubout |
		cmp - store/keys/attester.pub.pem
	for key in k1 k2 k3; do
		is 0 trailctl verify --vkey $key store
	done
	# An option names the command instead of the config.
	sed -i '/^signer/d' store/config
	mount store -o "signer=exec trailfs-signer '$work/far'"
	is 0 trailctl key rotate log mnt
	unmount
	is 0 trailctl verify --vkey k1 store
	echo "signer = exec trailfs-signer '$work/far'" >>store/config
}

# proxy.py HOW KEYS: a signer that does not know rotate, or answers it wrongly, or one
# that signs statements with the key KEYS.old.pem.
cat >proxy.py <<'END'
import base64, struct, subprocess, sys, tempfile
how, keys = sys.argv[1:]
p = subprocess.Popen(['trailfs-signer', keys], stdin=subprocess.PIPE,
    stdout=subprocess.PIPE)
def take(f):
    head = f.read(4)
    return None if len(head) < 4 else f.read(struct.unpack('>I', head)[0])
def put(f, b):
    f.write(struct.pack('>I', len(b)) + b)
    f.flush()
while True:
    ask = take(sys.stdin.buffer)
    if ask is None:
        break
    if ask.startswith(b'rotate') and how == 'unknown':
        put(sys.stdout.buffer, b'invalid\nthere is no such verb\n')
        continue
    if ask.startswith(b'statement') and how == 'old':
        with tempfile.NamedTemporaryFile() as f:
            f.write(ask.split(b'\n', 1)[1])
            f.flush()
            sig = subprocess.run(['openssl', 'pkeyutl', '-sign', '-rawin',
                '-inkey', keys + '.old.pem', '-in', f.name],
                capture_output=True, check=True).stdout
        put(sys.stdout.buffer, b'ok\n' + base64.b64encode(sig) + b'\n')
        continue
    put(p.stdin, ask)
    answer = take(p.stdout)
    if ask.startswith(b'rotate') and how == 'wrong':
        lines = answer.split(b'\n')
        lines[2], lines[3] = lines[3], lines[2]
        answer = b'\n'.join(lines)
    put(sys.stdout.buffer, answer)
END

# A signer of an older version, or of a key that cannot be replaced, refuses with a
# sentence that says what to do; one that signs something else is found before the
# entry is written.  Both times the old key signs on.
a_signer_that_cannot_is_refused() {
	for how in unknown wrong; do
		: >log
		mount_logged store \
			-o "signer=exec python3 '$work/proxy.py' $how '$work/far'"
		cp store/keys/log.vkey now
		is 1 trailctl key rotate log mnt
		case $how in
		unknown) want='the signer cannot replace keys.*update its program' ;;
		wrong) want='the signer signed another rotation' ;;
		esac
		complains "$want"
		mkdir "mnt/t/$how"
		cmp now mnt/.trailfs/log.vkey
		unmount
		wait
		is 0 trailctl verify --vkey k1 store
	done
	is 0 trailctl key rotate log store
	is 0 trailctl verify --vkey k1 store
}

# A statement that somebody signs with the old key of the attester after its rotation is
# found, in the store and in a package, also by verify.sh.
a_statement_by_the_old_attester_is_found() {
	is 0 trailfs-signer --make near
	is 0 trailctl init --origin example.org/near --signer \
		"exec trailfs-signer '$work/near'" forged
	cp out near.vkey
	cp near/attester.pem near.old.pem
	mount forged -o settle=0
	mkdir -p mnt/t/w/before
	echo before >mnt/t/w/before/f
	is 0 trailctl seal mnt/t/w/before
	is 0 trailctl key rotate attester mnt
	unmount
	is 0 trailctl package --no-entry -o whole.zip forged/t
	mount forged -o settle=0 \
		-o "signer=exec python3 '$work/proxy.py' old '$work/near'"
	mkdir mnt/t/w/after
	echo after >mnt/t/w/after/f
	is 0 trailctl seal mnt/t/w/after
	unmount
	is 4 trailctl verify --vkey near.vkey forged
	says 't/w/after: its statement is not signed by the attester key in force'
	never_says 't/w/before:'
	is 0 trailctl package --no-entry -o forged.zip forged/t
	is 0 trailctl verify --vkey near.vkey whole.zip
	is 4 trailctl verify --vkey near.vkey forged.zip
	says 'not signed by the attester'
	for zip in whole forged; do
		mkdir $zip.dir
		(cd $zip.dir && unzip -q ../$zip.zip)
	done
	is 0 sh whole.dir/*/verify.sh "$(cat near.vkey)"
	is 1 sh forged.dir/*/verify.sh "$(cat near.vkey)"
	cat out err
	cat out err | grep -q 'attester'
}

# --- another machine ----------------------------------------------------------------

# An sshd with a port, a configuration, keys and a home of its own.  Its key can do nothing but
# run the signer of the keys in ring.
an_sshd_is_there() {
	sshd_dir=/run/sshd # demanded of root
	[ "$(id -u)" != 0 ] || [ -d $sshd_dir ] || mkdir -m 755 $sshd_dir
	ssh-keygen -q -t ed25519 -N '' -f hostkey
	ssh-keygen -q -t ed25519 -N '' -f signer
	port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	cat >sshd_config <<-EOF
		Port $port
		ListenAddress 127.0.0.1
		HostKey $work/hostkey
		AuthorizedKeysFile $work/authorized_keys
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		SetEnv HOME=$work
		PidFile $work/sshd.pid
	EOF
	cat >ssh_config <<-EOF
		Host vault-keys
		HostName 127.0.0.1
		Port $port
		User $(id -un)
		HostKeyAlias vault-keys
		UserKnownHostsFile $work/known_hosts
		GlobalKnownHostsFile none
		IdentityFile $work/signer
		IdentitiesOnly yes
		IdentityAgent none
		BatchMode yes
		LogLevel ERROR
		ServerAliveInterval 10
	EOF
	echo "vault-keys $(cat hostkey.pub)" >known_hosts
	echo "restrict,command=\"$BUILD/trailfs-signer $work/ring\"" \
		"$(cat signer.pub)" >authorized_keys
	start_sshd
	is 0 trailfs-signer --make ring
	# Whatever the client asks for, the signer answers, and ends with its input.
	is 0 ssh -F ssh_config vault-keys "touch $work/elsewhere" </dev/null
	[ ! -e elsewhere ]
}
# A server of ssh(1) for the tests.
start_sshd() {
	rm -f sshd.pid
	/usr/sbin/sshd -D -e -f "$work/sshd_config" 2>>sshd.log &
	until_true [ -s sshd.pid ]
}
# below PID: it and all processes that descend from it.
below() {
	for child in $(pgrep -P "$1"); do
		below "$child"
	done
	echo "$1"
}
# End the sshd and its connections, as when the machine is gone.
# shellcheck disable=SC2046 # words
kill_sshd() {
	[ -s sshd.pid ] || return 0
	kill -9 $(below "$(cat sshd.pid)") 2>/dev/null || :
	rm sshd.pid
}
# End its connections alone.
# shellcheck disable=SC2046 # words
cut_connections() {
	kill -9 $(below "$(cat sshd.pid)" | sed '$d') 2>/dev/null || :
}
trap 'kill_sshd; clean_up' EXIT
via="ssh -F $work/ssh_config vault-keys trailfs-signer /etc/trailfs/keys"

# Recording with the signer behind ssh; the connection is cut, and the machine gone.
recording_waits_for_the_other_machine() {
	is 0 trailctl init --origin example.org/ssh --signer "exec $via" remote
	cp out remote.vkey
	: >log
	mount_logged remote -o settle=0
	mkdir -p mnt/t/w/a
	echo a >mnt/t/w/a/f
	is 0 trailctl seal mnt/t/w/a
	# A connection that ends is made again, and nobody fails.
	for n in 1 2 3 4; do
		cut_connections
		mkdir mnt/t/w/cut$n
	done
	kill_sshd
	(mkdir mnt/t/w/waits && : >waited) &
	until_true grep -q signer_away mnt/.trailfs/status.json
	grep -q 'the signer is away since' mnt/.trailfs/status.json
	logged 'the signer is away'
	grep -q '^trailfs_signer_away{.*} 1$' mnt/.trailfs/metrics
	[ "$(cat mnt/t/w/a/f)" = a ]
	is 0 trailctl log mnt
	is 0 trailctl verify --vkey remote.vkey mnt
	[ ! -e waited ]
	start_sshd
	until_true [ -e waited ]
	until_true logged 'the signer answers again'
	grep -q signer_away mnt/.trailfs/status.json && exit 1
	is 0 trailctl verify --vkey remote.vkey mnt
	unmount
	[ ! -e remote/keys/log.pem ]
	is 0 trailctl verify --vkey remote.vkey remote
}

# Both keys, mounted and not; with connections that are cut again and again meanwhile,
# and with a machine that is gone when the operator asks.
keys_on_the_other_machine_are_rotated() {
	is 0 trailctl key rotate log remote
	is 0 trailctl key rotate attester remote
	: >log
	mount_logged remote -o settle=0
	for n in 1 2 3 4 5; do
		for key in log attester; do
			trailctl key rotate $key mnt >rotated 2>&1 &
			rotation=$!
			# Somewhere in it, or between two of its requests.
			sleep "0.0$((n * 2 - 1))"
			cut_connections
			wait $rotation || {
				cat rotated
				exit 1
			}
		done
		mkdir mnt/t/w/r$n
		echo $n >mnt/t/w/r$n/f
		is 0 trailctl seal mnt/t/w/r$n
	done
	kill_sshd
	trailctl key rotate log mnt >rotated 2>&1 &
	rotation=$!
	until_true grep -q signer_away mnt/.trailfs/status.json
	[ "$(cat mnt/t/w/r1/f)" = 1 ]
	start_sshd
	wait $rotation || {
		cat rotated
		exit 1
	}
	unmount
	is 0 trailctl verify --vkey remote.vkey remote
	is 0 trailctl verify --vkey remote/keys/log.vkey remote
	is 0 trailctl key list remote
	openssl pkey -in ring/log.pem -pubout | cmp - remote/keys/log.pub.pem
	[ ! -e remote/keys/log.pem ] && [ ! -e remote/keys/log.next.pem ]
	kill_sshd
}

with '/dev/fuse openssl python3' keys_of_a_command_are_rotated \
	a_signer_that_cannot_is_refused
with '/dev/fuse openssl python3 unzip' a_statement_by_the_old_attester_is_found
with '/dev/fuse openssl ssh ssh-keygen /usr/sbin/sshd pgrep python3' an_sshd_is_there
if [ -s "$work/sshd.pid" ]; then
	run recording_waits_for_the_other_machine \
		keys_on_the_other_machine_are_rotated
fi
kill_sshd
finish
