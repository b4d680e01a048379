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
# what to do; then it is mended.
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

with /dev/fuse keys_outside_the_store keys_are_listed_and_exported
run init_refuses_a_wrong_key_directory
with /dev/fuse a_key_that_is_not_private_is_refused \
	a_key_directory_that_is_not_private_is_refused
if [ "$(id -u)" -eq 0 ]; then
	with '/dev/fuse setpriv' a_key_of_another_owner_is_refused \
		a_user_keeps_keys_outside
else
	skipped 'only root changes owners' a_key_of_another_owner_is_refused \
		a_user_keeps_keys_outside
fi
finish
