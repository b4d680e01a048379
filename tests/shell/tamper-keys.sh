#!/bin/sh
# Attacks with other or stolen keys.
. "$(dirname "$0")/../suite_tamper.sh"

# With keys of another log nothing is written; the log itself still verifies.
swapped_keys_are_refused() {
	again store
	rm -rf copy/keys
	cp -a other/keys copy/keys
	is 4 trailctl verify copy
	says '^signature *FAILED'
	# The log is unchanged, and the key given does not come from the store.
	is 0 trailctl verify --vkey vkey copy
	is 4 trailctl sync copy
	complains 'not the key'
	is 1 trailfs copy "$mnt"
	complains 'not the key'
	is 0 trailctl verify --vkey vkey copy
	again store
	cp -f other/keys/log.pem copy/keys/
	is 4 trailctl sync copy
	complains 'no signature of the key'
	is 1 trailfs copy "$mnt"
	complains 'no signature of the key'
	is 0 trailctl verify --vkey vkey copy
}

# With a foreign attester key nothing is written.
# Nobody could check statements signed by it.
a_swapped_attester_key_is_refused() {
	again store
	cp -f other/keys/attester.pem copy/keys/
	is 4 trailctl sync copy
	complains 'attester.pem is not the key'
	is 1 trailfs copy "$mnt"
	is 0 trailctl verify --vkey vkey copy
}

# A history signed again by another key is whole; only the pinned key fails.
a_history_by_another_key_fails_the_pinned_one() {
	{
		echo '-----BEGIN PRIVATE KEY-----'
		sed 1d other/keys/log.pem
	} >other.pem
	id=$(openssl pkey -in other.pem -pubout -outform DER | tail -c 32 | {
		printf 'example.org/tamper\n\001'
		cat
	} | openssl dgst -sha256 | sed 's/.* //' | cut -c 1-8)
	swapped=example.org/tamper+$id+$(cut -d + -f 3- otherkey)
	attack "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT),
		'$(cat vkey)', '$swapped') AS BLOB)"
	resign copy other.pem
	cp -f note copy/checkpoint
	cp -f other.pem copy/keys/log.pem
	echo "$swapped" >swapped.vkey
	cp -f swapped.vkey copy/keys/log.vkey
	is 0 trailctl verify copy
	is 0 trailctl verify --vkey swapped.vkey copy
	is 4 trailctl verify --vkey vkey copy
	says '^signature *FAILED'
	is 4 trailctl verify --vkey swapped.vkey --checkpoint early copy
	says '^earlier checkpoint *FAILED'
}

# A checkpoint that a thief signed for another tree contradicts this log.
a_checkpoint_by_a_stolen_key_is_not_of_this_log() {
	attack "$(in_entry "$(entry_of "$L")" '"user":"root"' '"user":"toor"')"
	resign copy store/keys/log.pem
	cp note stolen
	fails "$beside" store --checkpoint stolen
	says 'history was rewritten; keep both'
	# Now put it in place of the right one.
	rm -rf exported
	is 0 trailctl export-log store exported
	cp -f stolen exported/checkpoint
	fails tree exported
	again store
	echo "UPDATE checkpoint SET note = CAST(readfile('stolen') AS BLOB)
		WHERE size = (SELECT max(size) FROM checkpoint);" | sql copy
	fails tree,signature copy
	is 4 trailctl sync copy
}

with 'sqlite3 /dev/fuse' a_store_is_made_to_be_attacked
with 'sqlite3 /dev/fuse' swapped_keys_are_refused \
	a_swapped_attester_key_is_refused
with 'sqlite3 /dev/fuse python3 openssl' a_history_by_another_key_fails_the_pinned_one \
	a_checkpoint_by_a_stolen_key_is_not_of_this_log
finish
