#!/bin/sh
# Rotating the keys of a vault that is mounted: who may, what everybody sees, what
# waiting writers get, and what is left when daemon or signer are killed in the middle.
#
# ROTATE_ROUNDS=N and ROTATE_SEED=N: rounds of the last test, and where its kills are.
. "$(dirname "$0")/../suite_daemon.sh"
patience_s=300
: "${ROTATE_ROUNDS:=6}" "${ROTATE_SEED:=$$}"

# The signer of the mount.
signer_of() {
	pgrep -P "$(pgrep -P "$(daemon_of "$1")" -x trailfs-sigsup)" \
		-x trailfs-signer
}

# Both keys, without an unmount: the answer, the files, control files, the log of the
# daemon; statements before and after.
keys_are_rotated_in_a_mount() {
	is 0 trailctl init --origin example.org/mounted store
	cp out k1
	cp store/keys/log.pem stolen.pem
	cp store/keys/attester.pem stolen.attester.pem
	mount_logged store -o settle=0
	mkdir -p mnt/t/w/one mnt/t/w/two mnt/t/w/three
	echo one >mnt/t/w/one/f
	is 0 trailctl seal mnt/t/w/one
	is 0 trailctl export-log store before
	is 0 trailctl key rotate log mnt
	cp out k2
	complains 'signs beside it for 30 days'
	cmp -s k1 k2 && exit 1
	cmp k2 store/keys/log.vkey
	cmp k2 mnt/.trailfs/log.vkey
	is 0 trailctl key export --format pem mnt
	cmp out mnt/.trailfs/log.pub.pem
	cmp out store/keys/log.pub.pem
	[ "$(tail -n +5 mnt/.trailfs/checkpoint | wc -l)" -eq 2 ]
	echo two >mnt/t/w/two/f
	is 0 trailctl seal mnt/t/w/two
	is 0 trailctl key rotate attester mnt
	has_lines 0
	[ ! -e store/keys/wiped.pem ] && [ ! -e store/keys/attester.next.pem ]
	is 0 trailctl key export --attester mnt
	cmp out store/keys/attester.pub.pem
	openssl pkey -in store/keys/attester.pem -pubout | cmp - out
	is 0 trailctl seal mnt/t/w/three
	is 0 trailctl key rotate log mnt
	cp out k3
	for key in k1 k2 k3; do
		is 0 trailctl verify --vkey $key mnt
		is 0 trailctl verify --vkey $key store
	done
	is 0 trailctl log --json --type key.rotated mnt
	has_lines 3
	[ "$(jq -r '[.use, .actor.uid, .actor.hints.comm] | join(" ")' out |
		sort | uniq -c | tr -s ' ')" = " 1 attester $(id -u) trailctl
 2 log $(id -u) trailctl" ]
	logged 'the key of the log is replaced in entry .* signs beside'
	logged 'the old key of the attester is wiped'
	logged 'the old key '"$(cut -d + -f 2 k1)"' of the log is wiped'
	! ls mnt/t/.trailfs >/dev/null || is 2 trailctl key rotate log mnt/t
	complains 'name the vault'
	unmount
	wait
	is 0 trailctl verify --vkey k1 store
	mount store -o ro
	is 3 trailctl key rotate log mnt
	unmount
	cmp k3 store/keys/log.vkey
}

# Nobody but root and the owner of the store, whatever the roles.
others_do_not_rotate() {
	chmod 0755 .
	mount store -o settle=0,admins=users
	cp store/keys/log.vkey before.vkey
	for who in '--reuid 54321 --regid 54321 --clear-groups' \
		'--reuid 54322 --regid 54322 --groups users'; do
		for key in log attester; do
			# shellcheck disable=SC2086 # words
			got=0
			# shellcheck disable=SC2086 # words
			setpriv $who env PATH="$PATH" \
				trailctl key rotate $key mnt >out 2>err || got=$?
			[ $got -ne 0 ]
		done
	done
	cmp before.vkey store/keys/log.vkey
	unmount
}

# The owner of the store, who is not root, may.
the_owner_rotates() {
	chmod 0711 .
	mkdir -m 0700 home
	chown 54321:54321 home
	cat >as_user <<-'END'
	#!/bin/sh
	exec setpriv --reuid 54321 --regid 54321 --clear-groups "$@"
	END
	chmod +x as_user
	is 0 ./as_user trailctl init home/store
	cp out owner.vkey
	mkdir -m 0755 theirs
	trailfs home/store theirs -o settle=0,allow_other
	is 0 ./as_user trailctl key rotate log theirs
	is 0 ./as_user trailctl key rotate attester theirs
	is 0 ./as_user mkdir theirs/t
	umount theirs
	chattr -i theirs 2>/dev/null || :
	flock -w 30 home/store/lock true
	is 0 trailctl verify --vkey owner.vkey home/store
	# The signer has left the keys to their owner.
	[ "$(stat -c %u home/store/keys/log.pem home/store/keys/attester.pem |
		sort -u)" = 54321 ]
	is 0 ./as_user trailctl key rotate log home/store
}

# in_a_call PID: it is trailctl, and waits for the mount.
in_a_call() {
	case $(readlink "/proc/$1/exe") in
	*/trailctl) grep -q 'State:.[SD]' "/proc/$1/status" ;;
	*) false ;;
	esac
}

# A statement that was signed before the rotation and is recorded after it has the new
# key: another program locks the database, the rotation waits for it, and the seal
# waits behind the rotation.
a_seal_behind_a_rotation_has_the_new_key() {
	is 0 trailctl init --origin example.org/behind behind
	cp out behind.vkey
	: >log
	mount_logged behind -o settle=0
	for n in 1 2 3 4 5 6 7 8; do
		mkdir -p mnt/t/w/a$n
		echo $n >mnt/t/w/a$n/f
	done
	is 0 trailctl sync mnt
	cat >lock.py <<-'END'
	import os, sqlite3, sys, time
	db = sqlite3.connect('behind/ledger.db', isolation_level=None)
	db.execute('BEGIN IMMEDIATE')
	open('locked', 'w')
	while not os.path.exists('let.go'):
	    time.sleep(0.02)
	db.execute('ROLLBACK')
	END
	python3 lock.py &
	until_true [ -e locked ]
	trailctl key rotate attester mnt >rotated 2>&1 &
	rotation=$!
	until_true logged 'holds a lock on ledger.db: writers wait'
	seals=
	for n in 1 2 3 4 5 6 7 8; do
		trailctl seal mnt/t/w/a$n >sealed.$n 2>&1 &
		seals="$seals $!"
	done
	for pid in $seals; do
		until_true in_a_call "$pid"
	done
	: >let.go
	for pid in $rotation $seals; do
		wait "$pid"
	done
	unmount
	wait
	is 0 trailctl log --json behind
	# Those whose seal stands behind the rotation.
	sed -n '/"type":"key.rotated"/,$p' out | grep -c attestation.sealed
	is 0 trailctl verify --vkey behind.vkey behind
}

# The overlap ends while the vault is mounted: the old key goes then.
the_old_key_goes_in_a_mount() {
	clock_moves
	is 0 trailctl init --origin example.org/overlap overlap
	cp out overlap.vkey
	is 0 trailctl key rotate log overlap
	old=$(cut -d + -f 2 overlap.vkey)
	[ -e overlap/keys/log.old.pem ]
	: >log
	# Some seconds before the end, by the clock of this daemon.
	clock="env LD_PRELOAD=$BUILD/shim.so SHIM_CLOCK_AHEAD_S=$((30 * 86400 - 15))"
	mount_logged overlap -o settle=0
	until_true logged "the old key $old of the log is wiped"
	[ ! -e overlap/keys/log.old.pem ] && [ ! -e overlap/keys/wiped.pem ]
	mkdir mnt/t
	[ "$(tail -n +5 mnt/.trailfs/checkpoint | wc -l)" -eq 1 ]
	unmount
	wait
	# Once.
	: >log
	clock="env LD_PRELOAD=$BUILD/shim.so SHIM_CLOCK_AHEAD_S=$((31 * 86400))"
	mount_logged overlap -o settle=0
	mkdir mnt/u
	unmount
	wait
	logged wiped && exit 1
	is 0 trailctl verify --vkey overlap.vkey overlap
}

# cut_short STORE: a rotation of its log's key that is committed, and neither signed nor
# adopted.
cut_short() {
	rm -rf whole
	cp -a "$1" whole
	n=0
	: >found
	until [ -s found ]; do
		n=$((n + 1))
		[ $n -lt 50 ]
		rm -rf "$1"
		cp -a whole "$1"
		is 0 trailctl init --moved "$1"
		strace -f -qq -o trace -P "$PWD/$1/keys" -e trace=renameat \
			-e inject=renameat:signal=KILL:when=$n \
			trailctl key rotate log "$1" >out 2>err || :
		trailctl log --json --type key.rotated "$1" >found
	done
	cmp "$1/keys/log.pem" whole/keys/log.pem
	[ -e "$1/keys/log.next.pem" ]
}

# A rotation that was cut short when the machine stopped for longer than the overlap: it
# is signed with the ticket of the old key.
an_unfinished_rotation_survives_the_overlap() {
	clock_moves
	is 0 trailctl init --origin example.org/late late
	cp out late.vkey
	cut_short late
	is 0 env LD_PRELOAD="$BUILD/shim.so" \
		SHIM_CLOCK_AHEAD_S=$((40 * 86400)) trailctl sync late
	complains 'a rotation that was cut short is finished'
	[ ! -e late/keys/log.next.pem ] && [ ! -e late/keys/log.old.pem ]
	is 0 trailctl verify --vkey late.vkey late
}

# The same finished by a mount, whose signer is a process of its own and has no rights:
# that of root, and that of another owner, which root mounts.
a_mount_finishes_a_rotation() {
	chmod 0711 .
	for owner in $(id -u) 54321; do
		[ "$(id -u)" -eq 0 ] || [ "$owner" != 54321 ] || continue
		rm -rf mounted
		is 0 trailctl init --origin example.org/mounted mounted
		cp out mounted.vkey
		cut_short mounted
		chown -R "$owner:$owner" mounted
		: >log
		mount_logged mounted -o settle=0
		logged 'a rotation that was cut short is finished'
		mkdir mnt/t
		[ "$(tail -n +5 mnt/.trailfs/checkpoint | wc -l)" -eq 2 ]
		is 0 trailctl key rotate attester mnt
		unmount
		wait
		[ ! -e mounted/keys/log.next.pem ]
		cmp whole/keys/log.pem mounted/keys/log.old.pem
		[ "$(stat -c %u mounted/keys/*.pem | sort -u)" = "$owner" ]
		is 0 trailctl verify --vkey mounted.vkey mounted
	done
}

# A ledger that was rolled back to before a rotation, whose signer has the new keys: it
# goes on under a new origin with them, which its first entry names.
a_recovery_to_before_a_rotation_has_the_new_keys() {
	for keys in log attester 'log attester'; do
		rm -rf back
		is 0 trailctl init --origin example.org/back back
		is 0 trailctl trail create back/t
		cp back/ledger.db before.db
		for key in $keys; do
			is 0 trailctl key rotate "$key" back
		done
		cp before.db back/ledger.db
		# As when the second copy has no line of the old key any more.
		if [ "$keys" = 'log attester' ]; then
			rm back/checkpoint
			rm -f back/keys/log.old.pem
		fi
		is 4 trailctl sync back
		is 0 trailctl init --recover back
		cp out recovered.vkey
		cmp recovered.vkey back/keys/log.vkey
		mount_logged back -o settle=0
		mkdir -p mnt/t/w/a
		echo a >mnt/t/w/a/f
		is 0 trailctl seal mnt/t/w/a
		for key in log attester; do
			is 0 trailctl key rotate $key mnt
		done
		unmount
		wait
		is 0 trailctl verify --vkey recovered.vkey back
		is 0 trailctl key list --json back
		[ "$(jq 'map(select(.signs)) | length' out)" -eq 2 ]
	done
}

# A signer that is cut off from its vault in the middle of an adoption, and the next one
# that does the same: one after the other, and both keys are there.
two_signers_change_keys_one_after_the_other() {
	cat >two.py <<-'END'
	import select, struct, subprocess, time
	class Signer:
	    def __init__(self, *command):
	        self.p = subprocess.Popen(command + ('trailfs-signer', 'ring'),
	            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
	    def send(self, *lines):
	        text = ''.join(x + '\n' for x in lines).encode()
	        self.p.stdin.write(struct.pack('>I', len(text)) + text)
	        self.p.stdin.flush()
	    def answers(self):
	        return bool(select.select([self.p.stdout], [], [], 0)[0])
	    def take(self):
	        n = struct.unpack('>I', self.p.stdout.read(4))[0]
	        return self.p.stdout.read(n).decode().split('\n')[:-1]
	    def ask(self, *lines):
	        self.send(*lines)
	        return self.take()
	    def end(self):
	        self.p.stdin.close()
	        self.p.wait()
	def stat(pid):
	    return open('/proc/%s/stat' % pid).read().rsplit(') ', 1)[1][0]
	# The first stops before it moves the keys.
	a = Signer('strace', '-f', '-qq', '-o', 'trace', '-e', 'trace=renameat', '-e',
	    'inject=renameat:signal=STOP:when=1')
	old = a.ask('keys', '1')
	assert old[0] == 'ok', old
	new = a.ask('rotate', 'log', 'example.org/x', '7')
	assert new[0] == 'ok', new
	wanted = ('adopt', new[1], old[2], 'keep')
	a.send(*wanted)
	pid = subprocess.run(['pgrep', '-P', str(a.p.pid)], capture_output=True,
	    text=True).stdout.split()[0]
	while stat(pid) not in 'tT':
	    time.sleep(0.02)
	b = Signer()
	b.send('keys', '1')
	def waits():
	    return any('-> FLOCK' in x and ' %d ' % b.p.pid in x
	        for x in open('/proc/locks'))
	while not b.answers() and not waits():
	    time.sleep(0.02)
	if b.answers():
	    print('keys:', b.take(), 'adopt:', b.ask(*wanted))
	    subprocess.run(['kill', '-CONT', pid])
	    print('first:', a.take())
	else:
	    subprocess.run(['kill', '-CONT', pid])
	    assert a.take() == ['ok'], 'the first fails'
	    assert b.take()[1:] == [new[1], old[2]], 'the second has other keys'
	    assert b.ask(*wanted) == ['ok'], 'the second fails'
	a.end()
	b.end()
	c = Signer()
	now = c.ask('keys', '1')
	c.end()
	assert now == ['ok', new[1], old[2]], now
	END
	is 0 trailfs-signer --make ring
	cp ring/log.pem first.pem
	is 0 python3 two.py
	ls ring
	cmp first.pem ring/log.old.pem
	[ ! -e ring/log.next.pem ]
}

# --- killed in the middle ---------------------------------------------------------

cat >writers.py <<'END'
# writers.py DIR ACKED GO: four writers of files and of whole attestations below DIR,
# until GO is gone.  ACKED.N gets a line for each file whose close succeeded.  Exit
# status 1: something failed with another errno than that of a mount without daemon.
import errno, hashlib, os, sys
DEAD = (errno.ENOTCONN, errno.ECONNABORTED, errno.EIO, errno.ENOENT, errno.EINTR)
def record(path, ack, shown):
    data = os.urandom(300)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)
    line = '%s  %s\n' % (hashlib.sha256(data).hexdigest(), shown)
    return line
def work(n, top, acked, go):
    ack = open('%s.%d' % (acked, n), 'a')
    k = 0
    try:
        while os.path.exists(go):
            k += 1
            at = '%s/a%d-%d' % (top, n, k)
            os.mkdir(at)
            for i in range(3):
                ack.write(record('%s/f%d' % (at, i), ack, '%s/f%d' % (at, i)))
                ack.flush()
            at = '%s/.p%d-%d' % (top, n, k)
            to = '%s/p%d-%d' % (top, n, k)
            os.mkdir(at)
            lines = [record('%s/f%d' % (at, i), ack, '%s/f%d' % (to, i))
                     for i in range(2)]
            os.rename(at, to)
            ack.write(''.join(lines))
            ack.flush()
    except OSError as e:
        if not os.path.exists('daemon.dies') or e.errno not in DEAD:
            print('writer %d: %s' % (n, e), flush=True)
            return 1
    return 0
top, acked, go = sys.argv[1:]
pids = []
for n in range(4):
    pid = os.fork()
    if pid == 0:
        os._exit(work(n, top, acked, go))
    pids.append(pid)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) for p in pids))
END

cat >rotations.sh <<'END'
# rotations.sh GO: both keys in turn.  A failure counts only while the daemon lives.
n=0
while [ -e "$1" ] && [ $n -lt 8 ]; do
	n=$((n + 1))
	for key in log attester; do
		trailctl key rotate $key mnt >>rotated 2>>rotate.err || {
			[ -e daemon.dies ] && exit 0
			echo "key rotate $key failed:"
			tail -n 3 rotate.err
			exit 1
		}
		echo x >>turns
	done
done
END

# Numbers from the seed, below $1.
draw() {
	seed_now=$(((seed_now * 1103515245 + 12345) % 2147483648))
	drawn=$((seed_now / 65536 % $1))
}

# Everything that was acknowledged is there, and everybody follows the keys.
# shellcheck disable=SC2046 # names
all_is_there() {
	mount killed -o settle=0
	cat acked.* >sums
	is 0 sha256sum --quiet --strict -c sums
	unmount
	is 0 trailctl verify --vkey killed.vkey killed
	is 0 trailctl verify --vkey killed/keys/log.vkey killed
	is 0 trailctl mirror killed killed.mirror
	is 0 trailctl verify --vkey killed.vkey killed.mirror
	cmp killed/keys/log.vkey killed.mirror/keys/log.vkey
	[ ! -e killed/keys/wiped.pem ]
}

# one_round NUMBER VICTIM: writers and rotations; daemon, signer or nobody is killed.
one_round() {
	rm -f daemon.dies turns
	: >go
	: >turns
	mount killed -o settle=0
	mkdir -p mnt/t
	mkdir "mnt/t/w$1"
	python3 writers.py "mnt/t/w$1" acked go >writers.out 2>&1 &
	writers=$!
	sh rotations.sh go >rotations.out 2>&1 &
	rotations=$!
	draw 4
	until_true [ -s acked.0 ]
	until_true sh -c "[ \$(wc -l <turns) -ge $drawn ] || ! kill -0 $rotations"
	draw 300
	sleep "$(printf 0.%03d "$drawn")"
	case $2 in
	daemon)
		: >daemon.dies
		kill -9 "$(daemon_of killed)"
		;;
	signer)
		draw 4
		for _ in $(seq $((drawn + 1))); do
			kill -9 "$(signer_of killed)" || :
			draw 60
			sleep "$(printf 0.%03d "$drawn")"
		done
		;;
	esac
	# All rotations, unless the daemon is dead.
	wait $rotations || {
		cat rotations.out
		exit 1
	}
	rm go
	wait $writers || {
		cat writers.out
		exit 1
	}
	[ "$2" = daemon ] || [ "$(wc -l <turns)" -eq 16 ]
	unmount
}

# Writers that never stop, both keys again and again, and kill -9 at any moment: no
# writer fails but by the death of the daemon, nothing acknowledged is lost, and each
# start has one answer.
kills_in_the_middle_lose_nothing() {
	echo "ROTATE_SEED=$ROTATE_SEED ROTATE_ROUNDS=$ROTATE_ROUNDS"
	seed_now=$ROTATE_SEED
	is 0 trailctl init --origin example.org/killed killed
	cp out killed.vkey
	is 0 trailctl mirror killed killed.mirror
	r=0
	while [ "$r" -lt "$ROTATE_ROUNDS" ]; do
		r=$((r + 1))
		case $((r % 5)) in
		0) one_round $r nobody ;;
		1 | 3) one_round $r daemon ;;
		*) one_round $r signer ;;
		esac
		all_is_there
		echo "round $r: $(cat acked.* | wc -l) files," \
			"$(grep -c . killed.mirror/keys/log.vkey) key"
	done
	is 0 trailctl key list killed
	is 0 trailctl package --no-entry -o killed.zip killed/t
	for key in killed.vkey killed/keys/log.vkey; do
		is 0 trailctl verify --vkey $key killed.zip
	done
	mkdir killed.dir
	(cd killed.dir && unzip -q ../killed.zip)
	for key in killed.vkey killed/keys/log.vkey; do
		is 0 sh killed.dir/*/verify.sh "$(cat $key)"
	done
}

with '/dev/fuse jq openssl' keys_are_rotated_in_a_mount
if [ "$(id -u)" -eq 0 ]; then
	with '/dev/fuse setpriv' others_do_not_rotate the_owner_rotates
else
	skipped 'only root becomes others' others_do_not_rotate the_owner_rotates
fi
with '/dev/fuse python3' a_seal_behind_a_rotation_has_the_new_key
with '/dev/fuse' the_old_key_goes_in_a_mount
with 'strace python3 pgrep' two_signers_change_keys_one_after_the_other
with 'strace' an_unfinished_rotation_survives_the_overlap
with '/dev/fuse strace' a_mount_finishes_a_rotation
with '/dev/fuse jq' a_recovery_to_before_a_rotation_has_the_new_keys
with '/dev/fuse python3 pgrep unzip openssl' kills_in_the_middle_lose_nothing
finish
