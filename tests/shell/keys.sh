#!/bin/sh
# Keys: where they are, who may read them, what an auditor gets.
. "$(dirname "$0")/../suite_tools.sh"

# A directory that only its owner can enter, as a key directory needs.
private() {
	rm -rf "$1"
	mkdir -m 0700 "$1"
}

# Secret keys in a directory of their own, which the config names; everything
# works, and a reader needs no secret.
keys_outside_the_store() {
	is 0 trailctl init --origin example.org/tools --keys "$work/safe" store
	cp out vkey
	grep -q "^keys = $work/safe\$" store/config
	[ "$(stat -c %a safe)" = 700 ]
	[ "$(stat -c %a safe/log.pem)" = 400 ]
	[ "$(stat -c %a safe/attester.pem)" = 400 ]
	[ ! -e store/keys/log.pem ] && [ ! -e store/keys/attester.pem ]
	cmp vkey store/keys/log.vkey
	evidence_is_recorded
	unmount
	mv safe away
	is 0 trailctl verify --vkey vkey store
	is 0 trailctl log store
	is 0 trailctl package --no-entry -o t.zip store/t
	mount store -o ro
	is 0 cat "mnt/$A/late.txt"
	unmount
	is 3 trailctl sync store
	complains "key directory $work/safe is missing: mount its disk"
	mv away safe
	is 0 trailctl sync store
}

# No directory in the store, none with keys of another store, none that is
# relative; nothing is left of a store that was not made.
init_refuses_a_wrong_key_directory() {
	is 2 trailctl init --keys relative new
	complains 'absolute path'
	[ ! -e new ]
	is 2 trailctl init --keys "$work/new/keys/x" new
	complains 'is in the store'
	[ ! -e new ]
	is 1 trailctl init --keys "$work/safe" new
	complains 'has a log.pem: each store needs keys of its own'
	[ ! -e new ] && [ -e safe/log.pem ]
	private half
	: >half/attester.pem
	is 1 trailctl init --keys "$work/half" new
	complains 'has a attester.pem'
	[ ! -e new ] && [ -e half/attester.pem ]
	is 3 trailctl init --keys "$work/none/deep" new
	[ ! -e new ]
	is 2 trailctl init --recover --keys "$work/other" store
	complains 'for a new store'
	private ready
	is 0 trailctl init --keys "$work/ready" new
	is 0 trailctl verify new
	rm -rf new ready
}

# refused PATTERN WAY...: after this nothing is written, and trailctl says
# what to do; then it is repaired.
refused() {
	pattern=$1
	shift
	cp -a safe saved
	"$@"
	is 3 trailctl sync store
	complains "$pattern"
	is 1 trailfs store "$mnt"
	complains "$pattern"
	is 0 trailctl verify --vkey vkey store
	rm -rf safe
	mv saved safe
}
# linked FILE: make it a link to where it was moved.
linked() {
	mv "$1" "$1.moved"
	ln -s "$work/$1.moved" "$1"
}

# Each secret key: open to the group, to others, linked, doubled, missing.
a_key_that_is_not_private_is_refused() {
	for key in log.pem attester.pem; do
		for mode in 0440 0404 0640 0406 0420; do
			refused "safe/$key is open to others: chmod 0400 it" \
				chmod $mode "safe/$key"
		done
		refused "safe/$key is a symbolic link" linked "safe/$key"
		refused "safe/$key has 2 names (hard links): remove" \
			ln "safe/$key" safe/second
		refused "safe/$key is missing: restore it" rm "safe/$key"
	done
	is 0 trailctl sync store
}

# The same for their directory.
a_key_directory_that_is_not_private_is_refused() {
	for mode in 0750 0705 0740 0710 0701; do
		refused 'safe is open to others: chmod 0700 it' \
			chmod $mode safe
	done
	refused 'others may exchange the keys.*chmod 0700 it' chmod 0770 safe
	refused 'others may exchange the keys.*chmod 0700 it' chmod 1777 safe
	mv safe kept
	ln -s "$work/kept" safe
	is 3 trailctl sync store
	complains 'safe is a symbolic link: name the directory itself'
	rm safe
	: >safe
	is 3 trailctl sync store
	complains 'safe is not a directory'
	rm safe
	mv kept safe
	is 0 trailctl sync store
}

# Keys of another user, for root.
a_key_of_another_owner_is_refused() {
	for key in log.pem attester.pem; do
		refused "safe/$key belongs to uid 54321: chown 0 it" \
			chown 54321 "safe/$key"
	done
	refused 'safe belongs to uid 54321: chown 0 it' chown 54321 safe
}

cat >as_user <<'END'
#!/bin/sh
exec setpriv --reuid 54321 --regid 54321 --clear-groups "$@"
END
chmod +x as_user

# Somebody who is not root has keys, and is refused those of somebody else.
a_user_keeps_keys_outside() {
	chmod 0711 .
	mkdir -m 0700 home
	chown 54321:54321 home
	is 0 ./as_user trailctl init --keys "$work/home/keys" home/store
	is 0 ./as_user trailctl sync home/store
	chown 54322 home/keys/log.pem
	is 3 ./as_user trailctl sync home/store
	chmod 0444 home/keys/log.pem
	is 3 ./as_user trailctl sync home/store
	complains 'log.pem belongs to uid 54322: chown 54321 it'
	chown 54321 home/keys/log.pem
	is 3 ./as_user trailctl sync home/store
	complains 'log.pem is open to others: chmod 0400 it'
	chmod 0400 home/keys/log.pem
	chown 54322:54322 home/keys
	chmod 0755 home/keys
	is 3 ./as_user trailctl sync home/store
	complains 'home/keys belongs to uid 54322: chown 54321 it'
	chmod 0700 home/keys
	is 3 ./as_user trailctl sync home/store
	chown 54321:54321 home/keys
	is 0 ./as_user trailctl sync home/store
	is 0 ./as_user trailctl verify home/store
	# Root, too, uses the keys of the owner of the store.
	is 0 trailctl verify home/store
	chown 54322:54322 home/keys
	is 3 ./as_user trailctl sync home/store
	chmod 0711 home
	rm -rf home
}

# theirs COMMAND: run it where there is a user trailfs, uid 64017.
theirs() {
	# shellcheck disable=SC2016 # $1 is of the inner shell
	unshare -m sh -c 'mount --bind passwd /etc/passwd && eval "$1"' sh "$1"
}

# What root makes for the service user has keys that the daemon of that user cannot
# read, also after a rotation in the mount, whose public halves are written at once.
keys_of_a_service_user_stay_with_root() {
	[ "$(id -u)" -eq 0 ] || skip 'only root gives a store away'
	chmod 755 .
	cp /etc/passwd passwd
	echo 'trailfs:x:64017:64017::/:/usr/sbin/nologin' >>passwd
	theirs 'trailctl init --origin example.org/service service >service.vkey'
	[ "$(stat -c '%u %a' service service/ledger.db | tr '\n' ' ')" = \
		'64017 700 64017 600 ' ]
	[ "$(stat -c '%u %a' service/keys service/keys/log.pem \
		service/keys/attester.pem service/keys/log.vkey | tr '\n' ' ')" = \
		'0 711 0 400 0 400 0 444 ' ]
	is 0 trailctl verify --vkey service.vkey service
	mount service -o settle=0
	mkdir "$mnt/t" "$mnt/t/w" "$mnt/t/w/a"
	echo x >"$mnt/t/w/a/f"
	sed 's/54321/64017/g' as_user >as_service
	chmod +x as_service
	is 0 ./as_service cat service/keys/log.vkey
	for f in log.pem attester.pem signer.state; do
		is 1 ./as_service cat "service/keys/$f"
		complains 'Permission denied'
	done
	for key in log attester; do
		is 0 trailctl key rotate $key "$mnt"
		is 1 ./as_service cat "service/keys/$key.pem"
	done
	is 0 trailctl key export "$mnt"
	cmp out service/keys/log.vkey
	if cmp -s service.vkey service/keys/log.vkey; then exit 1; fi
	[ "$(stat -c '%u %a' service/keys/log.vkey service/keys/log.pub.pem \
		service/keys/attester.pub.pem | sort -u)" = '0 444' ]
	openssl pkey -in service/keys/attester.pem -pubout |
		cmp - service/keys/attester.pub.pem
	openssl pkey -in service/keys/log.pem -pubout |
		cmp - service/keys/log.pub.pem
	unmount
	is 0 trailctl verify service
	# A user who was named may mount without root, and has the keys.
	is 0 trailctl init --user games --origin example.org/named named
	[ -z "$(find named ! -user games)" ]
}

# The keys in all their forms, of a store and of a mount; no secret is needed.
keys_are_listed_and_exported() {
	needs jq
	is 0 trailctl key export store
	cmp out vkey
	is 0 trailctl key export --log --format pem store
	cmp out store/keys/log.pub.pem
	is 0 trailctl key export --format spki store
	sed '/^-/d' store/keys/log.pub.pem | cmp - out
	is 0 trailctl key export --attester store
	cmp out store/keys/attester.pub.pem
	is 0 trailctl key export --attester --format spki store
	sed '/^-/d' store/keys/attester.pub.pem | cmp - out
	is 0 trailctl key export --history store
	cmp out vkey
	is 0 trailctl key list --json store
	[ "$(jq -c 'map([.use, .since, .signs])' out)" = \
		'[["log",0,true],["attester",0,true]]' ]
	[ "$(jq -r '.[0].id' out)" = "$(cut -d + -f 2 vkey)" ]
	[ "$(jq -r '.[0].key' out)" = "$(cat vkey)" ]
	# As statements name it.
	jq -r '.[1].id' out >id
	mount store
	mkdir -p "mnt/$A"
	echo x >"mnt/$A/f"
	trailctl sync mnt
	is 0 trailctl key export mnt
	cmp out vkey
	is 0 trailctl key export --attester mnt/t
	cmp out store/keys/attester.pub.pem
	is 0 trailctl key list mnt
	has_lines 3
	trailctl seal "mnt/$A"
	trailctl log --json --type attestation.sealed mnt >out
	[ "$(jq -r .statement.keyid out)" = "$(cat id)" ]
	unmount
	is 2 trailctl key export --attester --format vkey store
	is 2 trailctl key export --format der store
	is 2 trailctl key list --log store
	is 2 trailctl key drop store
	is 3 trailctl key list nowhere
}

# --- rotation ---------------------------------------------------------------------

# Two rotations of the log's key and one of the attester's, with evidence before,
# between and after them, and what was made of the log then.
keys_are_rotated() {
	is 0 trailctl init --origin example.org/rotated --keys "$work/ring" log
	cp out k1
	cp ring/log.pem stolen.pem
	attest one
	is 0 trailctl package --no-entry -o before.zip log/t
	is 0 trailctl prove -o before.tlog-proof log/t/w/one/f
	is 0 trailctl export-log log before
	is 0 trailctl mirror log mirror
	is 0 trailctl key rotate log log
	cp out k2
	complains 'signs beside it for 30 days'
	cmp k2 log/keys/log.vkey
	[ "$(tail -n +5 log/checkpoint | wc -l)" -eq 2 ]
	attest two
	is 0 trailctl package --no-entry -o across.zip log/t
	is 0 trailctl key rotate attester log
	has_lines 0
	attest three
	is 0 trailctl key rotate log log
	cp out k3
	attest four
	is 0 trailctl package --no-entry -o after.zip log/t
	is 0 trailctl package --no-entry -o part.zip log/t/w/four
	is 0 trailctl prove -o after.tlog-proof log/t/w/four/f
	is 0 trailctl key list --json log
	[ "$(jq -c 'map([.use, .signs])' out)" = '[["log",false],'\
'["attester",false],["log",false],["attester",true],["log",true]]' ]
	is 0 trailctl key export --history log
	cp out history
	head -n 1 history | cmp - k3
	has_lines 3
	is 0 trailctl log --json --type key.rotated log
	has_lines 3
	[ "$(jq -r .actor.uid out | sort -u)" = "$(id -u)" ]
	is 2 trailctl key rotate log
	is 2 trailctl key rotate witness log
	is 2 trailctl key rotate --json log log
}
# attest NAME: record a file there.
attest() { # NAME: evidence log/t/w/NAME/f
	echo "$1" >f
	[ -n "${made-}" ] || trailctl trail create log/t >out
	made=y
	is 0 trailctl attest --begin "log/t/w/$1" f
}

# Whoever trusts any of the three keys, in a store, a log, a package.
every_key_is_followed() {
	is 0 trailctl export-log log tiles
	for key in k1 k2 k3; do
		for what in log tiles after.zip part.zip; do
			is 0 trailctl verify --vkey $key $what
			says '^signature *OK'
		done
	done
	# What was made earlier knows nothing of later keys.
	is 0 trailctl verify --vkey k1 before.zip
	is 4 trailctl verify --vkey k2 before.zip
	is 0 trailctl verify --vkey k1 across.zip
	is 0 trailctl verify --vkey k2 across.zip
	is 4 trailctl verify --vkey k3 across.zip
	for what in before across after part; do
		is 0 trailctl verify --vkey history $what.zip
	done
	is 0 trailctl verify --vkey k1 before
	is 0 trailctl verify --vkey history before
	is 0 trailctl verify --vkey k3 --checkpoint before/checkpoint log
	says '^earlier checkpoint *OK'
}

# A proof has no entries but its own: the key comes with its history.
a_proof_is_followed_with_the_history() {
	echo four >f
	is 0 trailctl verify --vkey k3 after.tlog-proof f
	is 4 trailctl verify --vkey k1 after.tlog-proof f
	{
		cat k1
		sed 1d history
	} >k1.history
	is 0 trailctl verify --vkey k1.history after.tlog-proof f
	is 0 trailctl verify --vkey history after.tlog-proof f
	echo one >f
	is 4 trailctl verify --vkey k3 before.tlog-proof f
	is 0 trailctl verify --vkey history before.tlog-proof f
	# A history that somebody changed is none.
	sed 's/"seq":\([0-9]\)/"seq":9\1/' history >changed
	is 2 trailctl verify --vkey changed before.tlog-proof f
}

# verify.sh in each shell: the same answers.
the_script_follows_keys() {
	for zip in before across after; do
		rm -rf $zip.dir
		mkdir $zip.dir
		(cd $zip.dir && unzip -q ../$zip.zip)
		set -- "$zip".dir/*
		mv "$1" $zip.dir/p
	done
	cp "$top/core/archive/package-verify.sh" script
	for shell in dash bash 'busybox sh'; do
		command -v "${shell%% *}" >/dev/null || continue
		printf '#!/bin/sh\nexec %s script "$@"\n' "$shell" >check
		chmod +x check
		for key in k1 k2 k3; do
			is 0 ./check "$(cat $key)" after.dir/p
		done
		is 0 ./check "$(cat k1)" before.dir/p
		is 1 ./check "$(cat k2)" before.dir/p
		is 0 ./check "$(cat history)" before.dir/p
		is 0 ./check "$(cat k1)" across.dir/p
		is 0 ./check "$(cat k2)" across.dir/p
		is 1 ./check "$(cat k3)" across.dir/p
		is 0 ./check "$(cat history)" across.dir/p
	done
}

# A mirror that knew the first key only, one that is made now, and a comparison.
a_mirror_follows_keys() {
	is 0 trailctl mirror log mirror
	cmp mirror/keys/log.vkey k3
	for key in k1 k2 k3; do
		is 0 trailctl verify --vkey $key mirror
		is 0 trailctl compare --vkey $key log mirror
	done
	is 0 trailctl compare log before.zip
	is 0 trailctl compare log before/checkpoint
	for key in k1 k3; do
		is 0 trailctl mirror --vkey $key log other.$key
		is 0 trailctl verify --vkey k2 other.$key
	done
	is 0 trailctl restore --origin example.org/restored mirror restored
	is 0 trailctl verify restored
	is 0 trailctl attest restored/t/w/five f
	is 0 trailctl verify restored
}

# sign_alone KEYFILE VKEY LOG: sign the head of the log with that key only.
sign_alone() {
	sed '/^$/,$d' "$3/checkpoint" >body
	openssl pkeyutl -sign -rawin -inkey "$1" -in body -out sig
	python3 - "$2" "$3/checkpoint" <<-'EOF'
	import base64, sys
	name, id, _ = open(sys.argv[1]).read().split('+', 2)
	line = base64.b64encode(bytes.fromhex(id) + open('sig', 'rb').read())
	open(sys.argv[2], 'w').write('%s\n\u2014 %s %s\n' % (open('body').read(),
	    name, line.decode()))
	EOF
}

# The old key, stolen: what it signs beyond its size counts for nobody.
a_stolen_old_key_signs_no_longer_log() {
	rm -rf tiles
	is 0 trailctl export-log log tiles
	sign_alone stolen.pem k1 tiles
	for key in k1 k2 k3 history; do
		is 4 trailctl verify --vkey $key tiles
		says '^signature *FAILED'
	done
	# The same in a package, for verify.sh, too.
	rm -rf stolen.p
	cp -r after.dir/p stolen.p
	is 0 trailctl verify --vkey k1 stolen.p
	sign_alone stolen.pem k1 stolen.p
	(cd stolen.p && sha256sum checkpoint >sum &&
		sed -i "s/^[0-9a-f]*  checkpoint\$/$(cat sum)/" tagmanifest-sha256.txt &&
		rm sum)
	for key in k1 k2 k3 history; do
		is 4 trailctl verify --vkey $key stolen.p
		says '^signature *FAILED'
		is 1 sh script "$(cat $key)" stolen.p
		cat out err | grep -q 'checkpoint is not signed by\|^checkpoint: ' || {
			cat out err
			exit 1
		}
	done
	# Up to its size it is good.
	sign_alone stolen.pem k1 before
	for key in k1 history; do
		is 0 trailctl verify --vkey $key before
	done
}

# The library that defines signed notes takes a checkpoint of two lines for each of
# both keys, and a rotation as a note of both.
the_library_of_signed_notes_agrees() {
	needs go
	lib=/usr/share/gocode
	[ -d $lib/src/golang.org/x/mod/sumdb/note ] ||
		skip 'no golang.org/x/mod'
	GO111MODULE=off GOPATH=$lib GOCACHE=$PWD/cache \
		go build -o notes "$top/tests/notes.go"
	rm -rf cache
	is 0 ./notes log/checkpoint "$(cat k2)" "$(cat k3)"
	is 1 ./notes log/checkpoint "$(cat k1)"
	trailctl log --json --type key.rotated log | jq -c 'select(.use == "log")' |
		tail -n 1 >entry
	python3 - <<-'EOF'
	import base64, json
	e = json.load(open('entry'))
	text = 'trailfs-key-rotation/v1\n%d\n%s\n%s\n' % (e['seq'], e['old'],
	    e['new'])
	for key, sig in ('old', 'oldSig'), ('new', 'newSig'):
	    name, id, _ = e[key].split('+', 2)
	    line = base64.b64encode(bytes.fromhex(id) + base64.b64decode(e[sig]))
	    text += '%s\u2014 %s %s\n' % ('\n' if key == 'old' else '', name,
	        line.decode())
	open('rotation', 'w').write(text)
	EOF
	is 0 ./notes rotation "$(cat k2)" "$(cat k3)"
	sed '2s/.*/&0/' rotation >altered
	is 1 ./notes altered "$(cat k2)" "$(cat k3)"
}

# Thirty days later the old key is wiped and signs no more.
# shellcheck disable=SC2086,SC2046 # words
the_old_key_goes_after_thirty_days() {
	clock_moves
	[ -e ring/log.old.pem ]
	later=$(as_of '29 days')
	is 0 $later trailctl sync log
	[ -e ring/log.old.pem ]
	[ "$(tail -n +5 log/checkpoint | wc -l)" -eq 2 ]
	later=$(as_of '31 days')
	is 0 $later trailctl sync log
	[ ! -e ring/log.old.pem ]
	[ "$(tail -n +5 log/checkpoint | wc -l)" -eq 1 ]
	is 0 trailctl verify --vkey k1 log
	is 0 trailctl verify --vkey k3 log
}

# killed_at CALL N COMMAND...: run it, and kill it at the N-th of these system calls.
# True: it ended before.
killed_at() {
	call=$1 nth=$2
	shift 2
	strace -f -qq -o trace -e "trace=$call" \
		-e "inject=$call:signal=KILL:when=$nth" "$@" >out 2>err
}

# Killed at each step of a rotation: the next start has one answer, and what was
# signed before and after it verifies with the first key.
a_rotation_that_is_killed_leaves_one_answer() {
	is 0 trailctl init --origin example.org/killed whole
	cp out first
	for step in log:renameat log:fsync log:fdatasync log:unlinkat \
		attester:renameat attester:fdatasync; do
		n=0
		while :; do
			n=$((n + 1))
			rm -rf killed
			cp -a whole killed
			is 0 trailctl init --moved killed
			killed_at "${step#*:}" $n \
				trailctl key rotate "${step%:*}" killed && break
			# What is not signed yet is signed by the start.
			trailctl verify --vkey first killed >out || {
				[ $? -eq 5 ]
				says 'are not signed yet'
				never_says FAILED
			}
			is 0 trailctl sync killed
			is 0 trailctl key rotate "${step%:*}" killed
			is 0 trailctl verify --vkey first killed
			is 0 trailctl verify --vkey killed/keys/log.vkey killed
			[ "$n" -lt 100 ]
		done
		[ "$n" -gt 1 ] || [ "$step" = log:unlinkat ]
	done
}

# The same for a recovery under a new origin.
a_recovery_that_is_killed_leaves_one_answer() {
	is 0 trailctl init --origin example.org/back rolled
	cp rolled/ledger.db old.db
	is 0 trailctl sync rolled
	cp old.db rolled/ledger.db
	for call in renameat fsync fdatasync; do
		n=0
		while :; do
			n=$((n + 1))
			rm -rf killed
			cp -a rolled killed
			killed_at "$call" $n trailctl init --recover killed && break
			trailctl sync killed >out 2>err ||
				is 0 trailctl init --recover killed
			is 0 trailctl sync killed
			is 0 trailctl verify --vkey killed/keys/log.vkey killed
			[ "$n" -lt 100 ]
		done
		[ "$n" -gt 1 ]
	done
}

with /dev/fuse keys_outside_the_store keys_are_listed_and_exported
with 'jq openssl python3 unzip' keys_are_rotated every_key_is_followed \
	a_proof_is_followed_with_the_history the_script_follows_keys \
	a_mirror_follows_keys a_stolen_old_key_signs_no_longer_log \
	the_library_of_signed_notes_agrees \
	the_old_key_goes_after_thirty_days
with strace a_rotation_that_is_killed_leaves_one_answer \
	a_recovery_that_is_killed_leaves_one_answer
run init_refuses_a_wrong_key_directory
with /dev/fuse a_key_that_is_not_private_is_refused \
	a_key_directory_that_is_not_private_is_refused
if [ "$(id -u)" -eq 0 ]; then
	with '/dev/fuse setpriv' a_key_of_another_owner_is_refused \
		a_user_keeps_keys_outside
	with '/dev/fuse setpriv unshare openssl' \
		keys_of_a_service_user_stay_with_root
else
	skipped 'only root changes owners' a_key_of_another_owner_is_refused \
		a_user_keeps_keys_outside
fi
finish
