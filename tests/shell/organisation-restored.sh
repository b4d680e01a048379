#!/bin/sh
# A vault that is lost while its organisation has more than its backup: what may go on,
# as whom, and what is refused.
. "$(dirname "$0")/../suite_organisation.sh"

# published: the organiser signs all, and accuses nobody.
published() {
	is 0 trailctl org publish --keys org-keys dir:org
	if grep -v 'not signed by their members yet' err | grep .; then
		exit 1
	fi
	is 0 trailctl verify --vkey org-keys/log.vkey org/log
	says '^entries *OK .* of an organisation with'
}

# entries ORIGIN: how many the organisation has.
entries() {
	trailctl org list --json dir:org |
		sed -n "s,.*\"entries\":\([0-9]*\)\,\"origin\":\"example.org/$1\".*,\1,p"
}

# whole: each copy verifies, as a store of its own.
whole() {
	is 0 trailctl org fetch dir:org copies
	is 0 trailctl verify copies
	says '^WHOLE'
}

# The backup is older than what was forwarded.
a_vault_is_lost() {
	host a 2
	host b 1
	organisation org a b
	is 0 trailctl backup a backup
	cp -a a back
	add a 3
	forward a org
	published
	[ "$(entries a)" -gt "$(trailctl log --json back | wc -l)" ]
	rm -rf a
}

# The same name with fewer entries, and then with others, is refused and says why.
a_store_that_was_put_back_is_refused() {
	mv back a
	is 4 trailctl forward --once a dir:org
	complains 'the organisation has [0-9]* entries of example.org/a, this store only'
	complains 'trailctl org fetch'
	for n in 4 5 6; do
		add a $n
	done
	is 4 trailctl forward --once a dir:org
	complains 'history of example.org/a'
	rm -rf a
	published
}

# A vault that was restored is another member, until whom the organiser enrols it.
a_restored_vault_goes_on_as_itself() {
	had=$(entries a)
	is 0 trailctl restore --origin example.org/a/2 backup a
	cp out a2.vkey
	is 1 trailctl forward --once a dir:org
	complains 'example.org/a/2 is not enrolled in this organisation'
	complains 'trailctl org enrol'
	is 0 trailctl org enrol dir:org a2.vkey
	forward a org
	published
	add a 4
	forward a org
	published
	[ "$(entries a)" = "$had" ]
	[ "$(entries a/2)" = "$(trailctl log --json a | wc -l)" ]
	is 0 trailctl org publish --full --keys org-keys dir:org
	# What the backup lacked is in the copy of the vault that was lost.
	whole
	mount copies/example.org%2Fa -o ro
	[ "$(cat "$mnt/trail/run/a3/report")" = 'evidence 3 of a' ]
	unmount
	# Lost and restored once more.
	is 0 trailctl backup a backup2
	rm -rf a
	is 0 trailctl restore --origin example.org/a/3 backup2 a
	is 0 trailctl org enrol dir:org "$(cat out)"
	forward a org
	published
	whole
}

# With the copy that the organisation gives, nothing is lost.
a_copy_of_the_organisation_is_restored() {
	is 0 trailctl restore --origin example.org/all-of-a copies/example.org%2Fa more
	is 0 trailctl org enrol dir:org "$(cat out)"
	mount more
	[ "$(cat "$mnt/trail/run/a3/report")" = 'evidence 3 of a' ]
	unmount
	forward more org
	published
	whole
	is 0 trailctl org publish --full --keys org-keys dir:org
}

# The restored vault may begin with another name, and nothing else may have one.
another_origin_is_found() {
	cp -a org altered
	cp -a org-keys altered-keys
	n=$(entries b)
	sqlite3 org/org.db "SELECT id FROM member WHERE origin = CAST('example.org/b' AS BLOB)" >id
	alter altered "UPDATE leaf SET body = CAST(replace(CAST(body AS TEXT),
		'\"origin\":\"example.org/b\"', '\"origin\":\"example.org/a\"') AS BLOB)
		WHERE member = $(cat id) AND number = $((n - 1))"
	is 4 trailctl org publish --full --keys altered-keys dir:altered
	complains "example.org/b: entry $((n - 1)) has another origin"
	# All of them, with no entry of its own.
	alter altered "UPDATE leaf SET body = CAST(replace(CAST(body AS TEXT),
		'\"origin\":\"example.org/b\"', '\"origin\":\"example.org/a\"') AS BLOB)
		WHERE member = $(cat id)" || :
	is 4 trailctl org publish --full --keys altered-keys dir:altered
	complains 'example.org/b: entry [0-9]* has'
}

with /dev/fuse a_vault_is_lost a_store_that_was_put_back_is_refused \
	a_restored_vault_goes_on_as_itself a_copy_of_the_organisation_is_restored
with 'sqlite3 /dev/fuse' another_origin_is_found
finish
