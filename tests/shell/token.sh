#!/bin/sh
# Keys of a signer in a token: SoftHSM, by the PKCS#11 provider of OpenSSL.
# Debian has that provider from trixie on, so most tests are skipped on bookworm.
. "$(dirname "$0")/../suite_daemon.sh"

pin=1234
conf=$work/openssl.cnf
export SOFTHSM2_CONF="$work/softhsm2.conf"

# --- the token ----------------------------------------------------------------------

module=$(find /usr/lib /usr/local/lib -name libsofthsm2.so 2>/dev/null | head -n 1)
provider=$(openssl version -m 2>/dev/null | cut -d '"' -f 2)/pkcs11.so

# Skip this test unless there are a token and a provider.
needs_token() {
	needs softhsm2-util pkcs11-tool
	[ -n "$module" ] || skip 'no libsofthsm2.so'
	[ -e "$provider" ] || skip "no $provider (pkcs11-provider)"
}

# make_in_token LABEL TYPE ID: a key pair.
make_in_token() {
	pkcs11-tool --module "$module" --token-label trailfs --login --pin $pin \
		--keypairgen --key-type "$2" --label "$1" --id "$3" >/dev/null 2>&1
}

# uri_of LABEL [PINFILE]: the text of a key file.
uri_of() {
	echo "pkcs11:token=trailfs;object=$1;type=private?pin-source=file:${2:-$work/pin}"
}

# refer FILE LABEL: FILE names that key.
refer() {
	rm -f "$1"
	uri_of "$2" >"$1"
	chmod 0400 "$1"
}

# public_of LABEL: the public key of the token, as 64 digits.
public_of() {
	pkcs11-tool --module "$module" --token-label trailfs --list-objects \
		--type pubkey --label "$1" 2>/dev/null |
		sed -n 's/.*EC_POINT: *0420//p'
}

# raw_of PEM: the same of a public key.
raw_of() {
	openssl pkey -pubin -in "$1" -outform DER | tail -c 32 | od -An -v -tx1 |
		tr -d ' \n'
}

cat >"$SOFTHSM2_CONF" <<END
directories.tokendir = $work/tokens
objectstore.backend = file
log.level = ERROR
END
cat >"$conf" <<END
openssl_conf = all
[all]
providers = provider_sect
[provider_sect]
pkcs11 = pkcs11_sect
[pkcs11_sect]
module = $provider
pkcs11-module-path = $module
activate = 1
END
mkdir tokens
printf '%s' $pin >pin
chmod 0400 pin
signer="exec trailfs-signer --openssl '$conf' '$work/keys'"

# --- without a token ----------------------------------------------------------------

# A signer that was not told to use tokens says what it needs, and so does one whose
# configuration names no provider.  No file is replaced by a key of its own.
a_key_that_cannot_be_had_is_refused() {
	mkdir -m 0700 none
	refer none/log.pem log
	refer none/attester.pem attester
	is 1 trailfs-signer none
	complains 'key log.pem is in a token, which only trailfs-signer --openssl FILE'
	: >empty.cnf
	is 1 trailfs-signer --openssl "$work/empty.cnf" none
	complains 'key log.pem: no provider gives one private key for its URI'
	is 1 trailfs-signer --openssl "$work/absent.cnf" none
	complains 'absent.cnf: No such file'
	echo '[x' >bad.cnf
	is 1 trailfs-signer --openssl "$work/bad.cnf" none
	complains 'bad.cnf is no configuration of OpenSSL'
	uri_of log >uri
	cmp uri none/log.pem
	is 2 trailfs-signer --openssl "$work/empty.cnf"
	is 2 trailfs-signer --openssl
}

# Who writes the configuration chooses the code that signs.
a_configuration_of_others_is_refused() {
	: >open.cnf
	chmod 0664 open.cnf
	is 1 trailfs-signer --openssl "$work/open.cnf" none
	complains 'others may write .*open.cnf: chmod go-w it'
	[ "$(id -u)" -eq 0 ] || return 0
	chmod 0600 open.cnf
	chown 12345 open.cnf
	is 1 trailfs-signer --openssl "$work/open.cnf" none
	complains 'open.cnf must be a plain file of root or of uid 0'
}

# A store whose own key directory has such a file: the signer of the daemon has no code
# of others in it.
the_signer_of_the_daemon_uses_no_token() {
	is 0 trailctl init --origin example.org/own own
	refer own/keys/log.pem log
	is 1 trailfs own "$mnt"
	complains 'is in a token, which only trailfs-signer --openssl FILE uses'
	is 0 trailctl verify own
}

# --- with one -----------------------------------------------------------------------

# The keys of a new token sign for a store.
a_token_signs() {
	needs_token
	softhsm2-util --init-token --free --label trailfs --pin $pin \
		--so-pin 5678 >/dev/null
	make_in_token log EC:edwards25519 01
	make_in_token attester EC:edwards25519 02
	mkdir -m 0700 keys
	refer keys/log.pem log
	refer keys/attester.pem attester
	is 0 trailctl init --origin example.org/token --signer "$signer" store
	cp out k1
	[ "$(raw_of store/keys/log.pub.pem)" = "$(public_of log)" ]
	[ "$(raw_of store/keys/attester.pub.pem)" = "$(public_of attester)" ]
	: >log
	mount_logged store -o settle=0
	mkdir -p mnt/t/w/a
	echo a >mnt/t/w/a/f
	is 0 trailctl seal mnt/t/w/a
	is 0 trailctl verify --vkey k1 mnt
	# What is not in force is said: by the signer, and by the vault.
	logged 'trailfs-signer: .*landlock 0 (files are not limited); no seccomp'
	jq -e '.sandbox.signer | .seccomp == false and .landlock == 0' \
		mnt/.trailfs/status.json
	is 0 trailctl key list mnt
	cp out listed
	grep -q "$(cut -d + -f 2 k1)" listed
	is 0 trailctl package --no-entry -o t.zip mnt/t
	is 0 trailctl verify --vkey k1 t.zip
	[ ! -e store/keys/log.pem ]
	cmp keys/log.pem none/log.pem
}

# The signer is killed again and again: the next one makes the same tickets, though
# nothing but the token has the key they follow from.
a_killed_signer_is_replaced() {
	needs_token
	mount_logged store -o settle=0
	for i in 1 2 3; do
		pgrep -f "^trailfs-signer --openssl $conf" >pids
		xargs kill -9 <pids
		mkdir -p "mnt/t/w/kill$i"
		echo "$i" >"mnt/t/w/kill$i/f"
		is 0 trailctl seal "mnt/t/w/kill$i"
	done
	is 0 trailctl verify --vkey k1 mnt
	kill -9 "$(daemon_of store)"
	wait $daemon || :
	unmount
	mount_logged store -o settle=0
	is 0 trailctl verify --vkey k1 mnt
}

# The next key of a token is made there and named; without it nothing changes.
a_key_in_a_token_is_rotated() {
	needs_token
	mount_logged store -o settle=0
	is 1 trailctl key rotate log mnt
	complains 'is in a token: make the next one there, and write its URI to the file log.next.pem'
	is 1 trailctl key rotate attester mnt
	complains 'URI to the file attester.next.pem'
	make_in_token log2 EC:edwards25519 03
	make_in_token attester2 EC:edwards25519 04
	# A name of nothing is left as it is.
	refer keys/log.next.pem nothing
	is 1 trailctl key rotate log mnt
	complains 'log.next.pem: no provider gives one private key'
	uri_of nothing | cmp - keys/log.next.pem
	printf 'pkcs11:token=trailfs\nand more\n' >two
	chmod 0400 two
	mv -f two keys/log.next.pem
	is 1 trailctl key rotate log mnt
	complains 'log.next.pem is not one line with a URI'
	refer keys/log.next.pem log2
	refer keys/attester.next.pem attester2
	is 0 trailctl key rotate log mnt
	cp out k2
	is 0 trailctl key rotate attester mnt
	[ "$(raw_of store/keys/log.pub.pem)" = "$(public_of log2)" ]
	[ "$(raw_of store/keys/attester.pub.pem)" = "$(public_of attester2)" ]
	uri_of log | cmp - keys/log.old.pem
	uri_of log2 | cmp - keys/log.pem
	mkdir mnt/t/w/after
	echo after >mnt/t/w/after/f
	is 0 trailctl seal mnt/t/w/after
	[ "$(tail -n +5 mnt/.trailfs/checkpoint | wc -l)" -eq 2 ]
	is 0 trailctl key list mnt
	unmount
	wait
	for key in k1 k2; do
		is 0 trailctl verify --vkey $key store
	done
}

# From a token to a file, and back.
a_key_moves_into_a_token_and_out() {
	needs_token
	openssl genpkey -algorithm ed25519 -out plain.pem
	chmod 0400 plain.pem
	mv plain.pem keys/log.next.pem
	is 0 trailctl key rotate log store
	cp out k3
	openssl pkey -in keys/log.pem -pubout | cmp - store/keys/log.pub.pem
	make_in_token log3 EC:edwards25519 05
	refer keys/log.next.pem log3
	is 0 trailctl key rotate log store
	cp out k4
	[ "$(raw_of store/keys/log.pub.pem)" = "$(public_of log3)" ]
	for key in k1 k2 k3 k4; do
		is 0 trailctl verify --vkey $key store
	done
}

# Keys that are not of this kind, files that others may read, a wrong PIN.
other_keys_are_refused() {
	needs_token
	make_in_token ec EC:prime256v1 06
	make_in_token twice EC:edwards25519 07
	make_in_token twice EC:edwards25519 08
	cp -a keys other
	refer other/log.pem ec
	is 1 trailfs-signer -o "$conf" other
	complains 'key log.pem is not an Ed25519 key'
	refer other/log.pem twice
	is 1 trailfs-signer -o "$conf" other
	complains 'no provider gives one private key for its URI'
	refer other/log.pem log3
	chmod 0444 other/log.pem
	is 1 trailfs-signer -o "$conf" other
	complains 'log.pem is open to others: chmod 0400 it'
	printf 9999 >wrong
	rm -f other/log.pem
	uri_of log3 "$work/wrong" >other/log.pem
	chmod 0400 other/log.pem
	is 1 trailfs-signer -o "$conf" other
	complains 'no provider gives one private key for its URI'
	refer other/log.pem log3
	is 0 trailfs-signer -o "$conf" other
}

run a_key_that_cannot_be_had_is_refused a_configuration_of_others_is_refused \
	the_signer_of_the_daemon_uses_no_token a_token_signs \
	a_killed_signer_is_replaced a_key_in_a_token_is_rotated \
	a_key_moves_into_a_token_and_out other_keys_are_refused
finish
