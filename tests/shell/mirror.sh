#!/bin/sh
# trailctl mirror: a copy that checks what it takes, receipts, refusals.
. "$(dirname "$0")/../suite.sh"

# store_with NAME N: a new store with N attestations, not mounted.
store_with() {
	trailctl init --origin example.org/source "$1" >vkey 2>/dev/null
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

# add STORE NAME: the same in a store that is not mounted.
add() {
	mount "$1"
	record "$2"
	unmount
}

# number FIELD: from the last --json answer.
number() {
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" out
}

# events STORE >FILE: all entries.
events() {
	trailctl log --json "$1"
}

# kept PATTERN: the last refusal was kept, with this reason and both heads.
is_kept() {
	newest=$(find copy/refused -name reason -exec grep -l "$1" {} + |
		head -n 1)
	[ -n "$newest" ]
	[ -s "${newest%/*}/mirror.checkpoint" ]
	[ -s "${newest%/*}/source.checkpoint" ]
	[ -s "${newest%/*}/source.vkey" ]
}

# --- copies -------------------------------------------------------------

# A mirror is a store: it verifies, has the same entries, and can be mounted.
a_mirror_is_a_store() {
	store_with store 3
	is 0 trailctl mirror store copy
	says '^mirrored up to [0-9]* entries (.*/copy): [0-9]* new, '
	is 0 trailctl verify --vkey vkey copy
	says '^contents *OK *3 files'
	says '^names *OK'
	events copy >mirrored
	events store | head -n "$(wc -l <mirrored)" | cmp - mirrored
	mount copy -o ro
	grep -q 'evidence 2' "$mnt/trail/run/a2/report"
	unmount
}

# Nothing new: nothing is sent, and no second receipt is recorded within the
# hour.  Each receipt is in the ledger of the source.
a_repetition_is_cheap_and_quiet() {
	is 0 trailctl mirror --json store copy
	is 0 trailctl mirror --json store copy
	[ "$(number objects)" = 0 ]
	says '"recorded":false'
	events store >before
	is 0 trailctl mirror -q store copy
	has_lines 0
	events store | cmp - before
	[ "$(grep -c '"anchor.added"' before)" = 1 ]
	add store more
	is 0 trailctl mirror --json store copy
	says '"recorded":true'
	events store | grep -c '"anchor.added"' | grep -qx 2
}

# Through a command, and equal bytes once.
a_command_carries_it() {
	is 0 trailctl mirror --json store \
		--via "trailctl mirror --receive '$work/far'"
	bytes=$(number bytes)
	is 0 trailctl verify --vkey vkey far
	mount store
	mkdir "$mnt/trail/run/same"
	head -c 200000 /dev/urandom >"$mnt/trail/run/same/one"
	cp "$mnt/trail/run/same/one" "$mnt/trail/run/same/two"
	trailctl seal "$mnt/trail/run/same" >/dev/null
	unmount
	is 0 trailctl mirror --json store \
		--via "trailctl mirror --receive '$work/far'"
	[ "$(number bytes)" -gt 200000 ]
	[ "$(number bytes)" -lt 300000 ]
	[ "$bytes" -gt 0 ]
	is 0 trailctl verify --vkey vkey far
}

# Beside a mount in use: each copy verifies, and is what the vault had.
a_busy_mount_is_mirrored() {
	mount store
	(
		i=0
		while [ ! -e stop ]; do
			i=$((i + 1))
			record "busy$i" || exit 1
		done
	) &
	writer=$!
	for i in 1 2 3 4 5; do
		is 0 trailctl mirror "$mnt" copy
		is 0 trailctl verify --vkey vkey copy
		says '^contents *OK'
	done
	: >stop
	wait "$writer"
	is 0 trailctl status "$mnt"
	says 'mirrored up to [0-9]* entries (.*/copy)'
	is 0 trailctl mirror "$mnt" copy
	events copy >mirrored
	events "$mnt" | head -n "$(wc -l <mirrored)" | cmp - mirrored
	unmount
}

# A receipt that cannot be recorded is no success: the store is mounted, so the
# mount must be named.
an_unrecorded_receipt_is_no_success() {
	mount store
	record unrecorded
	is 3 trailctl mirror store copy
	complains 'the mirror has all [0-9]* entries, but its receipt could'
	complains 'name a path in its mount'
	is 0 trailctl mirror "$mnt" copy
	is 0 trailctl status "$mnt"
	unmount
}

# The evidence that a cut connection has left is used by the next attempt.
a_cut_transfer_goes_on() {
	mount store
	mkdir "$mnt/trail/run/large"
	head -c 4000000 /dev/urandom >"$mnt/trail/run/large/file"
	trailctl seal "$mnt/trail/run/large" >/dev/null
	unmount
	is 3 trailctl mirror store --via "exec mirror-wire cut to 2500000 \
		trailctl mirror --receive '$work/copy'"
	[ -n "$(find copy/incoming -type f -size +500k)" ]
	is 0 trailctl verify --vkey vkey copy
	is 0 trailctl mirror --json store copy
	[ "$(number bytes)" -lt 3500000 ]
	is 0 trailctl verify --vkey vkey copy
	[ -z "$(find copy/incoming -type f)" ]
}

# The mirror must show its key before anything is sent.
the_key_of_the_mirror_is_pinned() {
	is 0 trailctl mirror --mirror-key copy/keys/mirror.vkey store copy
	add store pinned
	events store >before
	events far >farbefore
	is 4 trailctl mirror --mirror-key copy/keys/mirror.vkey store \
		--via "trailctl mirror --receive '$work/far'"
	complains '/far answered with another key than --mirror-key: nothing'
	is 4 trailctl mirror --mirror-key copy/keys/mirror.vkey store thief
	events store | cmp - before
	events far | cmp - farbefore
	[ "$(trailctl status --json thief | sed -n 's/.*"entries":\([0-9]*\).*/\1/p')" = 0 ]
	[ -z "$(find thief/objects thief/incoming -type f)" ]
	rm -rf thief
	is 0 trailctl mirror --mirror-key copy/keys/mirror.vkey store copy
	is 0 trailctl mirror --name backup.example/one store named
	says '(backup.example/one)'
	grep -q '^backup.example/one+' named/keys/mirror.vkey
	is 2 trailctl mirror --name 'no name' store another
}

# A mirror that was made anew has another key than its receipts: nothing is sent
# until a person says that this is right, and the vault says so meanwhile.
a_changed_key_is_refused() {
	is 0 trailctl mirror store anew
	rm -rf anew
	is 4 trailctl mirror store anew
	complains 'has another key than in its receipt, entry [0-9]*: nothing'
	[ -z "$(find anew/objects anew/incoming -type f)" ]
	is 0 trailctl status store
	says '^trouble *mirror .*/anew stopped: .* has another key'
	is 0 trailctl mirror --mirror-key anew/keys/mirror.vkey store anew
	is 0 trailctl mirror store anew
	is 0 trailctl verify --vkey vkey anew
	is 0 trailctl status store
	never_says '^trouble'
}

# A mirror that was put back from a backup has fewer entries than it signed for.
# It gets them again, and the run is no success.
a_mirror_that_forgot_is_found() {
	is 0 trailctl mirror store anew
	had=$(number entries)
	cp -a anew old
	add store forgotten
	is 0 trailctl mirror --json store anew
	promised=$(number entries)
	rm -rf anew
	mv old anew
	had=$(trailctl status --json anew |
		sed -n 's/.*"entries":\([0-9]*\).*/\1/p')
	is 1 trailctl mirror --json store anew
	complains "had lost entries: it showed $had, its last receipt is for \
$promised; now it has "
	[ "$(number promised)" = "$promised" ]
	is 0 trailctl verify --vkey vkey anew
	is 0 trailctl status store
	says '^trouble *mirror .*/anew had lost entries'
	is 0 trailctl mirror store anew
	is 0 trailctl status store
	never_says '^trouble'
	rm -rf anew
}

# A new mirror takes the expected log only.
the_key_of_the_log_is_pinned() {
	trailctl init --origin example.org/other other >otherkey 2>/dev/null
	is 4 trailctl mirror --vkey otherkey store pinned
	complains 'has not the key that is expected'
	[ ! -e pinned ]
	is 0 trailctl mirror --vkey vkey store pinned
}

# --- refusals -----------------------------------------------------------

# Keep a copy of the store.
save() {
	rm -rf saved
	cp -a store saved
}

# Put the files back, in the same directory: another one would be a copied store.
restore() {
	find store -mindepth 1 -delete
	cp -a saved/. store
}

# refused TEXT [HEAD]: what a program writes to the control file.
refused() {
	printf '{"kind":"mirror","name":"far/copy","refused":"%s"%s}' "$1" \
		"${2:+,\"head\":\"$2\"}" >"$mnt/.trailfs/anchor"
}

# A refusal is shown in the status, on the page, at the start and by verify,
# until it is withdrawn.  Nothing is appended.
a_refusal_is_loud() {
	is 0 trailctl verify --vkey vkey store
	mount store
	events "$mnt" >before
	refused 'refused: forked'
	is 0 trailctl status "$mnt"
	says '^trouble *mirror far/copy refused: forked'
	says '^refusals .*kind mirror, name far/copy, text refused: forked'
	grep -q '"trouble":"mirror far/copy refused: forked"' \
		"$mnt/.trailfs/status.json"
	grep -q 'class="bad">mirror far/copy refused: forked<' \
		"$mnt/.trailfs/index.html"
	events "$mnt" | cmp - before
	refused 'refused: again' 'no note'
	grep -q 'the head is no signed note' "$mnt/.trailfs/last-error"
	unmount
	is 1 trailctl verify --vkey vkey store
	says 'mirror far/copy refused: forked'
	is 0 trailctl status --json store
	says '"trouble":"mirror far/copy refused: forked"'
	mount store 2>err
	complains 'mirror far/copy refused: forked'
	refused ''
	is 0 trailctl status "$mnt"
	never_says '^trouble'
	unmount
	is 0 trailctl verify --vkey vkey store
}

# A source that lost its tail: both heads are kept, and the copy is untouched.
a_rollback_is_refused() {
	is 0 trailctl mirror store copy
	save
	add store later
	is 0 trailctl mirror store copy
	events copy >before
	cp -a store ahead
	restore
	is 4 trailctl mirror store copy
	complains 'rolled back: the source has only the first'
	is 0 trailctl status store
	says '^trouble *mirror .*/copy refused: rolled back'
	is 4 trailctl verify --vkey vkey store
	says 'the head of a mirror or a witness has [0-9]* entries'
	is_kept 'rolled back'
	events copy | cmp - before
	is 0 trailctl verify --vkey vkey copy
}

# The same store that went on from an old copy, with fewer and with more entries.
a_fork_is_refused() {
	rm -f store/checkpoint # the vault itself would notice
	is 0 trailctl init --moved store # this, too
	add store other
	is 4 trailctl mirror store copy
	complains 'refused: \(forked\|rewritten\)'
	for i in 1 2 3 4; do
		add store "other$i"
	done
	is 4 trailctl mirror store copy
	complains 'rewritten: the .* entries of the source do not begin with'
	is_kept 'rewritten'
	is 4 trailctl mirror store --via "trailctl mirror --receive '$work/copy'"
	complains 'rewritten'
	is 0 trailctl verify --vkey vkey copy
	find store -mindepth 1 -delete
	cp -a ahead/. store
	is 0 trailctl init --moved store
	rm -rf ahead
}

# Another log, and another log that calls itself the same.
another_log_is_refused() {
	is 4 trailctl mirror other copy
	complains 'this is a mirror of example.org/source, not of'
	is_kept 'this is a mirror of'
	trailctl init --origin example.org/source imposter >/dev/null 2>&1
	is 4 trailctl mirror imposter copy
	complains 'has another key now'
	is_kept 'another key'
	rm -rf imposter
	is 0 trailctl verify --vkey vkey copy
}

# Evidence that was altered at the source never reaches the copy.
altered_evidence_is_refused() {
	is 0 trailctl mirror store copy
	save
	mount store
	mkdir "$mnt/trail/run/altered"
	head -c 300000 /dev/zero >"$mnt/trail/run/altered/file"
	trailctl seal "$mnt/trail/run/altered" >/dev/null
	unmount
	object=$(find store/objects -type f -size 300000c)
	flip "$object" 150000
	is 4 trailctl mirror store copy
	complains 'entry [0-9]*, trail/run/altered/file: .*of the source is altered'
	is_kept 'is altered'
	is 0 trailctl verify --vkey vkey copy
	mv "$object" gone
	is 4 trailctl mirror store copy
	is 0 trailctl verify --vkey vkey copy
	mv gone "$object"
	flip "$object" 150000
	chmod 0400 "$object"
	is 0 trailctl mirror store copy
	is 0 trailctl verify --vkey vkey copy
}

# The other side can send what it wants: the copy stays.
a_hostile_source_changes_nothing() {
	events copy >before
	for junk in 'GET / HTTP/1.0' '' "$(head -c 3000 /dev/zero | tr '\0' A)"; do
		printf '%s' "$junk" >junk
		got=0
		trailctl mirror --receive copy <junk >answer 2>err || got=$?
		[ "$got" -eq 3 ]
	done
	events copy | cmp - before
	is 0 trailctl verify --vkey vkey copy
	: >empty
	mkdir -p notamirror/dir
	is 3 trailctl mirror store notamirror
	is 3 trailctl mirror store store2/copy
	is 3 trailctl mirror store --via 'exit 7'
	complains 'exit status 7'
	is 3 trailctl mirror store --via 'echo hello to everybody'
	complains 'does not speak the protocol'
}

# runs PID: it is a process, and has not ended.
runs() {
	grep -qs '^State:.*[RSDT] ' "/proc/$1/status"
}

# A program between the two sides keeps a pipe open when one of them has ended:
# both sides end all the same, and so does a command that would go on.
a_peer_that_hangs_is_ended() {
	is 0 trailctl mirror store copy
	is 3 trailctl mirror store --via \
		"trailctl mirror --receive '$work/copy' | head -c 60"
	complains 'the mirror ended in the middle'
	is 0 setsid -w timeout 50 trailctl mirror store --via \
		"trailctl mirror --receive '$work/copy'
		sleep 1000 & echo \$\$ \$! >pid; wait"
	complains 'did not end by itself'
	read -r shell background <pid
	for pid in "$shell" "$background"; do
		for _ in $(seq 300); do
			! runs "$pid" || sleep 0.1
		done
		! runs "$pid" || exit 1
	done
	is 0 trailctl verify --vkey vkey copy
}

# A full disk at the mirror: the source says which file there, and why, and the
# status of the vault says it until there is room.
a_full_mirror_says_what_is_full() {
	trailctl init --origin example.org/large large >/dev/null 2>&1
	mount large
	mkdir "$mnt/trail" "$mnt/trail/run" "$mnt/trail/run/large" small
	head -c 3000000 /dev/urandom >"$mnt/trail/run/large/file"
	trailctl seal "$mnt/trail/run/large" >/dev/null
	unmount
	command mount -t tmpfs -o size=2m tmpfs small ||
		skip 'no tmpfs can be mounted'
	is 3 trailctl mirror large --via "trailctl mirror --receive small/full"
	file='incoming/[0-9a-f]\{64\}: write failed: No space left on device'
	complains "^trailctl: at the mirror: $file\$"
	is 0 trailctl status large
	says "^trouble *mirror .*/full stopped: at the mirror: $file"
	rm small/full/incoming/*
	trailctl init --origin example.org/little little >/dev/null 2>&1
	is 0 trailctl mirror little small/other
	is 0 trailctl trail create little/trail
	head -c 3000000 /dev/zero >small/rest || :
	is 3 trailctl mirror little small/other
	complains '^trailctl: small/other: at the mirror: write lock: No space left'
	truncate -s -64K small/rest
	is 3 trailctl mirror little small/other
	complains '^trailctl: small/other: at the mirror: ledger.db: .*no space left'
	rm small/rest
	is 0 trailctl mirror little small/other
	command mount -o remount,size=9m small
	is 0 trailctl mirror large small/full
	is 0 trailctl verify small/full
	is 0 trailctl status large
	never_says '^trouble'
	umount small
	rm -rf large little
}

# A mirror in its source, around it, or that is its source, by any name.
a_mirror_is_apart_from_its_source() {
	mkdir around
	trailctl init --origin example.org/in around/store >/dev/null 2>&1
	ln -s around/store byname
	find around | sort >before
	for there in around/store around/store/objects/zz around/store/new/zz \
		byname byname/zz around/../around/store/keys; do
		is 2 trailctl mirror around/store "$there"
		complains "^trailctl: $there is in the store itself"
		is 2 trailctl mirror byname "$work/$there"
	done
	for there in around "$work" / .; do
		is 2 trailctl mirror byname "$there"
		complains "the store is in $there: "
	done
	(cd around/store && is 2 trailctl mirror . zz)
	find around | grep -v '/out$\|/err$' | sort | cmp - before
	mount around/store
	mkdir "$mnt/trail"
	is 2 trailctl mirror "$mnt" "$mnt/trail/copy"
	is 2 trailctl mirror "$mnt" around/store/zz
	unmount
	is 0 trailctl mirror byname around/copy
	rm -rf around byname
}

# One writer at a time.
two_receivers_do_not_meet() {
	mkfifo hold
	trailctl mirror --receive copy <hold >/dev/null 2>&1 &
	receiver=$!
	exec 7>hold
	# Its HELLO never comes, so it has not opened the copy: this one works.
	is 0 trailctl mirror store copy
	exec 7>&-
	wait "$receiver" || :
	flock copy/lock trailctl mirror store copy >out 2>err && exit 1
	grep -q 'lock\|use' err
	is 0 trailctl mirror store copy
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

# secrets: mount a new store with evidence that two people can redact.
secrets() {
	needs setpriv
	[ "$(id -u)" = 0 ] || skip 'not root'
	chmod 0755 "$work"
	rm -rf secrets early late
	trailctl init --origin example.org/secrets secrets >secretskey 2>/dev/null
	mount secrets -o allow_other
	mkdir "$mnt/trail" "$mnt/trail/run" "$mnt/trail/run/secret"
	chmod 0755 "$mnt/trail" "$mnt/trail/run" "$mnt/trail/run/secret"
	chown 65534:65534 "$mnt/trail"
	echo 'a small secret' >"$mnt/trail/run/secret/small"
	head -c 200000 /dev/urandom >"$mnt/trail/run/secret/long"
	trailctl seal "$mnt/trail/run/secret" >/dev/null
}

# lacks_secrets MIRROR: it verifies, and has the decision instead of the bytes.
lacks_secrets() {
	is 0 trailctl verify --vkey secretskey "$1"
	if grep -ras 'a small secret' "$1"; then
		exit 1
	fi
	[ -z "$(find "$1/objects" -type f)" ]
	trailctl log --json --type redaction.done "$1" >out
	has_lines 2
}

# Redacted evidence: a new mirror lacks it.  One that has it keeps it, since nothing
# that the source says may delete there, until its operator erases it.
a_redaction_is_mirrored() {
	secrets
	is 0 trailctl mirror "$mnt" early
	redact small long
	is 0 trailctl mirror "$mnt" late
	is 0 trailctl mirror "$mnt" early
	unmount
	lacks_secrets late
	is 0 trailctl verify --vkey secretskey early
	says '^contents *OK .*; 2 redacted at the source, still held here'
	is 0 trailctl verify --json --vkey secretskey early
	says '"held":2'
	grep -qa 'a small secret' early/ledger.db
	mount early -o ro
	is 1 cat "$mnt/trail/run/secret/small"
	unmount
	is 1 trailctl mirror --erase-redacted early
	says '^trail/run/secret/small: 15 bytes, redacted by entry [0-9]*: still'
	says '^trail/run/secret/long: 200000 bytes, redacted by entry [0-9]*'
	has_lines 2
	complains 'with --yes'
	grep -qa 'a small secret' early/ledger.db
	# A vault that is restored has none of it either.
	is 0 trailctl restore --origin example.org/again early again
	if grep -ras 'a small secret' again; then
		exit 1
	fi
	is 0 trailctl verify again
	says '^contents *OK .*; 2 redacted, without bytes'
	is 0 trailctl mirror --erase-redacted early --yes
	has_lines 2
	is 0 trailctl mirror --erase-redacted early
	has_lines 0
	lacks_secrets early
	is 0 trailctl mirror secrets early
	lacks_secrets early
	is 2 trailctl mirror --yes store copy
	is 3 trailctl mirror --erase-redacted store
	rm -rf again
}

# The same while the evidence is being sent: the offered head is older than the
# decision, so the source offers its newer one.
a_redaction_meanwhile_is_mirrored() {
	secrets
	# The hook is run when the mirror asks for the objects: after HEAD and
	# ACCEPT, which have 192 and 16 bytes with a name of six.
	{
		echo "mnt=$mnt"
		sed -n '/^redact() {/,/^}/p' "$top/tests/shell/mirror.sh"
		echo 'redact small long'
	} >hook
	is 0 env WIRE_HOOK=". '$work/hook'" trailctl mirror "$mnt" --via \
		"exec mirror-wire hook from 208 trailctl mirror --receive late \
			--name x/late"
	unmount
	lacks_secrets late
}

# ssh_machine: the file ssh_config names the hosts "backup", where any command can
# be run, and "forced", whose key can run one only; they are this machine, with an
# sshd for each connection, which has no port and ends with it.
ssh_machine() {
	needs ssh ssh-keygen /usr/sbin/sshd
	sshd_dir=/run/sshd # demanded of root
	[ "$(id -u)" != 0 ] || [ -d $sshd_dir ] || mkdir -m 755 $sshd_dir
	for key in hostkey backup forced; do
		ssh-keygen -q -t ed25519 -N '' -f $key
	done
	cat >sshd_config <<-EOF
		HostKey $work/hostkey
		AuthorizedKeysFile $work/authorized_keys
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		PidFile none
	EOF
	cat >ssh_config <<-EOF
		Host *
		ProxyCommand /usr/sbin/sshd -i -f $work/sshd_config
		UserKnownHostsFile $work/known_hosts
		GlobalKnownHostsFile none
		IdentityFile $work/%n
		IdentitiesOnly yes
		IdentityAgent none
		BatchMode yes
		LogLevel ERROR
	EOF
	for host in backup forced; do
		echo "$host $(cat hostkey.pub)"
	done >known_hosts
	{
		cat backup.pub
		echo "restrict,command=\"$BUILD/trailctl mirror --receive" \
			"$work/there\" $(cat forced.pub)"
	} >authorized_keys
}

# Over ssh: copies, what is new, refusals with their reason, and a wrong machine.
ssh_carries_it() {
	ssh_machine
	via="ssh -F $work/ssh_config backup $BUILD/trailctl mirror --receive"
	is 0 trailctl mirror store --via "$via $work/overssh"
	is 0 trailctl verify --vkey vkey overssh
	add store overssh
	is 0 trailctl mirror --json store --via "$via $work/overssh"
	[ "$(number objects)" -gt 0 ]
	[ "$(number bytes)" -lt 10000 ]
	is 0 trailctl verify --vkey vkey overssh
	is 4 trailctl mirror other --via "$via $work/overssh"
	complains 'this is a mirror of example.org/source, not of'
	mkdir -p notamirror/dir
	is 3 trailctl mirror store --via "$via $work/notamirror"
	complains 'is not empty, and no mirror'
	is 3 trailctl mirror store --via \
		"exec mirror-wire cut to 300 $via $work/overssh"
	is 0 trailctl verify --vkey vkey overssh
	sed -i 's/^backup/elsewhere/' known_hosts
	is 3 trailctl mirror store --via "$via $work/overssh"
	complains 'Host key verification failed'
	complains 'exit status 255'
}

# A key with a forced command adds to its mirror, and can do nothing else.
a_forced_command_only_appends() {
	needs ssh ssh-keygen /usr/sbin/sshd
	is 0 trailctl mirror store --via \
		"ssh -F $work/ssh_config forced trailctl mirror --receive elsewhere"
	is 0 trailctl verify --vkey vkey there
	events there >before
	is 3 ssh -F ssh_config forced "rm -rf $work/there; touch $work/elsewhere"
	[ ! -e elsewhere ]
	events there | cmp - before
	is 0 trailctl verify --vkey vkey there
}

# Faults at every step: never a receipt for what the mirror does not have.
no_fault_makes_a_wrong_receipt() {
	is 0 "$top/tests/mirror/rig.sh" 12 "$(date +%N | sed 's/^0*//')"
	says '^GREEN'
}

# What the command line cannot mean.
wrong_arguments_are_usage_errors() {
	is 2 trailctl mirror
	is 2 trailctl mirror store
	is 2 trailctl mirror store copy more
	is 2 trailctl mirror store copy --via true
	is 2 trailctl mirror --receive copy store
	is 2 trailctl mirror store --via true --name x
	is 3 trailctl mirror nowhere copy
}

with /dev/fuse a_mirror_is_a_store a_repetition_is_cheap_and_quiet \
	a_command_carries_it a_busy_mount_is_mirrored \
	an_unrecorded_receipt_is_no_success a_cut_transfer_goes_on \
	the_key_of_the_mirror_is_pinned a_changed_key_is_refused \
	a_mirror_that_forgot_is_found the_key_of_the_log_is_pinned \
	a_refusal_is_loud a_rollback_is_refused a_fork_is_refused another_log_is_refused \
	altered_evidence_is_refused a_hostile_source_changes_nothing \
	a_peer_that_hangs_is_ended a_full_mirror_says_what_is_full \
	a_mirror_is_apart_from_its_source two_receivers_do_not_meet a_redaction_is_mirrored \
	a_redaction_meanwhile_is_mirrored ssh_carries_it \
	a_forced_command_only_appends \
	no_fault_makes_a_wrong_receipt wrong_arguments_are_usage_errors
finish
