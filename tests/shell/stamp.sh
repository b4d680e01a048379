#!/bin/sh
# trailctl stamp: time stamps of two authorities over the checkpoint of a store
# and of a mount, and every answer that must be refused.
. "$(dirname "$0")/../suite_tools.sh"
tsa=$top/tests/tsa

# A test authority, and a store with something to stamp.
an_authority_and_a_store_are_made() {
	"$tsa" make authority
	a_store_is_made
	is 0 trailctl trail create store/t
	echo evidence >evidence
	is 0 trailctl attest --begin store/t/w/a evidence
}

# entries STORE: the number of its entries.
entries() {
	trailctl log --json "$1" | wc -l
}

# refused STATUS PATTERN SIGNER [ARGUMENT...]: an answer that forge makes for the
# newest checkpoint is not recorded.
refused() {
	status=$1
	pattern=$2
	signer=$3
	shift 3
	trailctl stamp --print-request --checkpoint note -o request store
	"$tsa" forge authority "$signer" note "$@" >forged 2>/dev/null
	not_recorded "$status" "$pattern" forged
}

# not_recorded STATUS PATTERN FILE: this answer is refused and adds no entry.
not_recorded() {
	before=$(entries store)
	is "$1" trailctl stamp --accept "$3" --checkpoint note --name no \
		--chain authority/chain.pem store
	complains "$2"
	[ "$(entries store)" -eq "$before" ]
}

# nonce FILE: the nonce of a request.
nonce() {
	openssl ts -query -in "$1" -text 2>/dev/null |
		sed -n 's/^Nonce: //p'
}

# --via sends the request and records the answer, of each authority by its name.
a_command_carries_request_and_answer() {
	is 0 trailctl stamp --via "$tsa answer authority good" \
		--chain authority/chain.pem --name tsa.example/one store
	says '^tsa.example/one: the first [0-9]* entries existed at 20.*CN=good'
	is 0 trailctl stamp --via "$tsa answer authority foreign" \
		--chain authority/foreign-root.pem --name two store
	is 0 trailctl log --json store
	says '"kind":"stamp","name":"tsa.example/one"'
	says '"kind":"stamp","name":"two"'
	is 0 trailctl verify store
}

# Two authorities stamp one checkpoint.  One that is down, or that answers with
# something else, keeps the other from nothing; the exit status says so.
two_authorities_stamp_one_checkpoint() {
	good="$tsa answer authority good" foreign="$tsa answer authority foreign"
	is 0 trailctl init --origin example.org/two both
	is 0 trailctl stamp --via "$good" --name one --chain authority/chain.pem \
		--via "$foreign" --name two --chain authority/foreign-root.pem both
	has_lines 2
	says '^one: the first 2 entries existed at 20.*CN=good'
	says '^two: the first 2 entries existed at 20.*CN=foreign'
	[ ! -s err ]
	i=0
	for down in 'exit 7' cat :; do
		i=$((i + 1)) # each time something is new
		status=2
		[ "$down" != 'exit 7' ] || status=3
		before=$(entries both)
		is 0 trailctl trail create "both/a$i"
		is $status trailctl stamp --via "$down" --name one \
			--via "$good" --name two both
		complains '^trailctl: one: '
		has_lines 1
		says '^two: the first'
		is 0 trailctl trail create "both/b$i"
		is $status trailctl stamp --via "$good" --name one \
			--via "$down" --name two both
		complains '^trailctl: two: '
		has_lines 1
		says '^one: the first'
		is 0 trailctl trail create "both/c$i"
		is $status trailctl stamp --via "$down" --name one \
			--via "$down" --name two both
		has_lines 0
		# Each of the first two stamps, and each trail: two more
		# entries by each opening.
		[ "$(entries both)" -eq $((before + 15)) ]
	done
	is 0 trailctl trail create both/d
	is 1 trailctl stamp --via "$good" --name one --via "$foreign" --name two \
		--tsa-ca authority/chain.pem both
	complains '^trailctl: two: the authority is not one that --tsa-ca'
	says '^one: '
	is 2 trailctl stamp --via "$good" --via "$good" --name one both
	is 2 trailctl stamp --via "$good" --name one --name two both
	is 2 trailctl stamp --via "$good" --name one --via "$good" --name two \
		--chain authority/chain.pem both
	is 2 trailctl stamp --accept reply --name one --name two both
	is 0 trailctl verify both
}

# Only an answer of a command that succeeded counts.
a_command_that_fails_records_nothing() {
	before=$(entries store)
	is 3 trailctl stamp --name x --via 'cat; exit 7' store
	complains 'exit status 7'
	is 2 trailctl stamp --name x --via cat store
	complains 'not a time stamp response'
	is 2 trailctl stamp --name x --via : store
	is 3 trailctl stamp --name x --via 'head -c 100000 /dev/zero' store
	[ "$(entries store)" -eq "$before" ]
}

# The request can be carried by hand, and the log may grow meanwhile.
a_request_is_printed_and_its_answer_accepted() {
	is 0 trailctl stamp --print-request -o request store
	trailctl stamp --print-request store | cmp - request
	is 0 trailctl attest --begin store/t/w/b evidence
	"$tsa" answer authority good <request >reply
	is 0 trailctl stamp --accept reply --name tsa.example/hand \
		--chain authority/chain.pem store
	says '^tsa.example/hand: '
	# The certificates of the answer are enough to record it.
	is 0 trailctl stamp --print-request -o request store
	"$tsa" answer authority good <request >reply
	is 0 trailctl stamp --accept reply --name tsa.example/short store
	complains 'do not reach a root'
}

# The bytes that are stamped are those of --checkpoint, for openssl too.
openssl_verifies_the_same_bytes() {
	is 0 trailctl stamp --print-request --checkpoint note -o request store
	"$tsa" answer authority good <request >reply
	is 0 openssl ts -verify -data note -in reply \
		-CAfile authority/root.pem -untrusted authority/chain.pem
	says 'Verification: OK'
	[ "$(grep -c '^— ' note)" -eq 1 ]
	is 0 trailctl stamp --accept reply --checkpoint note --name by-file \
		--chain authority/chain.pem store
}

# --tsa-ca records only what the given certificates vouch for.
only_a_trusted_authority_is_recorded_on_request() {
	before=$(entries store)
	is 1 trailctl stamp --via "$tsa answer authority foreign" --name x \
		--tsa-ca authority/root.pem store
	complains 'not one that --tsa-ca'
	is 2 trailctl stamp --via "$tsa answer authority good" --name x \
		--tsa-ca evidence store
	[ "$(entries store)" -eq "$before" ]
	is 0 trailctl stamp --via "$tsa answer authority good" --name trusted \
		--tsa-ca authority/root.pem --chain authority/chain.pem store
}

# A stamp must be over a checkpoint of this log.
a_stamp_over_other_bytes_is_refused() {
	trailctl stamp --print-request --checkpoint note -o request store
	{
		cat note
		echo
	} >other
	"$tsa" forge authority good other >forged 2>/dev/null
	not_recorded 4 'over other bytes' forged
	is 4 trailctl stamp --accept forged --name no store
	complains 'not over a checkpoint of this log'
}

# The certificates must be valid at the time of the stamp.
a_chain_that_had_expired_at_the_stamp_is_refused() {
	trailctl stamp --print-request --checkpoint note -o request store
	refused 4 expired old 20230101000000Z "$(nonce request)"
}
# Each certificate that is at hand must have been valid, also one that leads
# nowhere.  An issuer that nobody gave cannot be judged: the stamp is recorded with
# a warning, and proves nothing to anybody.
an_expired_certificate_at_hand_is_refused() {
	is 0 trailctl init --origin example.org/expired expired
	now=$(date -u +%Y%m%d%H%M%SZ)
	trailctl stamp --print-request --checkpoint note -o request expired
	before=$(entries expired)
	for signer in late good; do
		"$tsa" forge authority $signer note "$now" \
			"$(nonce request)" >forged 2>/dev/null
		is 4 trailctl stamp --accept forged --checkpoint note \
			--name $signer --chain authority/oldchain.pem expired
		complains 'expired'
	done
	complains 'the certificate of CN=oldca,O=Test had expired'
	[ "$(entries expired)" -eq "$before" ]
	# The vault checks that too.
	mount expired
	"$tsa" forge authority good note "$now" >forged 2>/dev/null
	for chain in oldchain chain; do
		jq -n --arg token "$(base64 -w0 forged)" \
			--rawfile chain authority/$chain.pem \
			--argjson size "$(sed -n 2p note)" '{kind: "stamp",
			name: "x", size: $size, token: $token, chain: $chain}' \
			>$chain.json
	done
	is 1 cp oldchain.json mnt/.trailfs/anchor
	is 0 cp chain.json mnt/.trailfs/anchor
	unmount
	"$tsa" forge authority late note "$now" "$(nonce request)" \
		>forged 2>/dev/null
	is 0 trailctl stamp --accept forged --checkpoint note --name late \
		expired
	complains 'do not reach a root'
	is 0 trailctl verify --tsa-ca authority/root.pem expired
	says '^timestamp *OK'
	says 'late: your certificates do not vouch for this authority'
}

# The certificate must be for time stamping, and for nothing else.
a_certificate_for_something_else_is_refused() {
	trailctl stamp --print-request --checkpoint note -o request store
	n=$(nonce request)
	refused 4 'not for time stamping' wrong 20210601000000Z "$n"
	refused 4 'not for time stamping' two 20210601000000Z "$n"
	refused 4 'not critical' soft 20210601000000Z "$n"
}

# The nonce ties an answer to its request.
an_answer_to_another_request_is_refused() {
	refused 4 nonce good 20210601000000Z 0x1234
	refused 4 nonce good 20210601000000Z
}

# A stamp over a SHA-1 digest proves nothing.
a_weak_digest_is_refused() {
	trailctl stamp --print-request --checkpoint note -o request store
	refused 4 SHA-256 good 20210601000000Z "$(nonce request)" sha1
}

# What the authority did not grant is no stamp.
a_request_that_was_not_granted_is_refused() {
	trailctl stamp --print-request --checkpoint note -o request store
	openssl ts -query -data note -sha224 -out bad 2>/dev/null
	"$tsa" answer authority good <bad >forged
	not_recorded 1 'did not grant' forged
}

# Nothing may follow the answer.
bytes_behind_the_answer_are_refused() {
	trailctl stamp --print-request --checkpoint note -o request store
	"$tsa" answer authority good <request >reply
	{
		cat reply
		echo
	} >forged
	not_recorded 2 '1 bytes follow' forged
}

# An authority whose certificate has expired since is fine.
an_old_stamp_stays_good() {
	clock_moves
	# shellcheck disable=SC2046 # words
	is 0 $(as_of 2021-05-31) trailctl init --origin example.org/past past
	stamped_at 20210601000000Z old past
	says '2021-06-01T00:00:00.0'
	is 1 grep warning err
	is 0 trailctl verify --tsa-ca authority/root.pem past
	says '^timestamp *OK *the first 2 entries existed at 2021-06-01T00:00:00'
}

# stamped_at TIME SIGNER STORE: record a stamp of that time.
stamped_at() {
	trailctl stamp --print-request --checkpoint note -o request "$3"
	"$tsa" forge authority "$2" note "$1" "$(nonce request)" \
		>forged 2>/dev/null
	is 0 trailctl stamp --accept forged --name "$1" \
		--chain authority/chain.pem --tsa-ca authority/root.pem "$3"
}

# A stamp that is older than what it stamps says that the host's clock was wrong,
# or its own.  Without trusted certificates it may be the stamp of anybody.
a_stamp_from_before_its_entries_is_a_finding() {
	is 0 trailctl init --origin example.org/before before
	is 0 trailctl trail create before/t
	stamped_at 20160101000000Z good before
	complains 'warning: the authority says 2016-.* days before the clock'
	is 0 trailctl verify before
	says '^timestamp *ABSENT *judge the recorded ones'
	says '^witness *ABSENT *no mirror or witness has cosigned; there are time stamps only'
	says '20160101000000Z: the clock of the host was [0-9]* days ahead of'
	is 1 trailctl verify --tsa-ca authority/root.pem before
	says '^timestamp *FAILED *1 finding; the evidence itself is not touched'
	says '20160101000000Z: the clock of the host was [0-9]* days ahead of'
	is 0 trailctl package --no-entry -o before.zip before/t
	is 1 trailctl verify --vkey before/keys/log.vkey \
		--tsa-ca authority/root.pem before.zip
	says '^timestamp *FAILED'
	says 'ahead of the stamp: it said 20.* at an entry that is stamped'
	# Before the authority had its certificate, it is no stamp at all.
	trailctl stamp --print-request -o request store
	refused 4 'not yet valid' good 19990101000000Z "$(nonce request)"
}

# A stamp from the future is not counted: one that was not received yet is a
# finding about the clock, too.
a_stamp_from_the_future_is_not_counted() {
	is 0 trailctl init --origin example.org/later later
	stamped_at 20400101000000Z good later
	complains 'warning: the authority says 2040-.* days after the clock'
	is 1 trailctl verify --tsa-ca authority/root.pem later
	says '^timestamp *FAILED'
	says 'host was [0-9]* days behind the stamp: .* when the stamp was rec'
	says 'after the time of this computer: it is not counted'
	is 1 trailctl verify --json --tsa-ca authority/root.pem later
	never_says '"stamped":{'
	clock_moves
	# shellcheck disable=SC2046 # words
	is 1 $(as_of 2041-01-01) trailctl verify --tsa-ca authority/root.pem later
	says 'behind the stamp'
	never_says 'is not counted'
	# The host had that time: the clock of the verifier may be wrong.
	rm -rf later
	# shellcheck disable=SC2046
	is 0 $(as_of 2040-01-01) trailctl init --origin example.org/later later
	trailctl stamp --print-request --checkpoint note -o request later
	"$tsa" forge authority good note 20400102000000Z "$(nonce request)" \
		>forged 2>/dev/null
	# shellcheck disable=SC2046
	is 0 $(as_of 2040-01-03) trailctl stamp --accept forged --name x \
		--chain authority/chain.pem later
	is 1 grep warning err
	is 5 trailctl verify --tsa-ca authority/root.pem later
	says '^timestamp *ABSENT'
	says 'after the time of this computer: it is not counted'
	# shellcheck disable=SC2046
	is 0 $(as_of 2041-01-01) trailctl verify --tsa-ca authority/root.pem later
}

# A clock that differs by less than a minute is not worth a finding, one that
# differs by more is, in both directions.
a_wrong_clock_is_named_at_the_stamp() {
	clock_moves
	is 0 trailctl init --origin example.org/clock clock
	for by in +30 -30; do
		# shellcheck disable=SC2046
		is 0 $(as_of "$by seconds") trailctl stamp --name "one$by" \
			--via "env -u LD_PRELOAD $tsa answer authority good" \
			--chain authority/chain.pem clock
		is 1 grep warning err
	done
	is 0 trailctl verify --tsa-ca authority/root.pem clock
	# shellcheck disable=SC2046
	is 0 $(as_of '-1 hour') trailctl stamp --name late \
		--via "env -u LD_PRELOAD $tsa answer authority good" \
		--chain authority/chain.pem clock
	complains 'after the clock of this host, which says'
	# shellcheck disable=SC2046
	is 0 $(as_of '+1 hour') trailctl stamp --name early \
		--via "env -u LD_PRELOAD $tsa answer authority good" \
		--chain authority/chain.pem clock
	complains 'before the clock of this host, which said before'
	# shellcheck disable=SC2046
	is 0 $(as_of '+1 hour') trailctl trail create clock/t
	is 0 trailctl stamp --name entry \
		--via "$tsa answer authority good" \
		--chain authority/chain.pem clock
	is 1 trailctl verify --tsa-ca authority/root.pem clock
	says 'late: the clock of the host was [56][0-9] min behind the stamp'
	says 'entry: the clock of the host was [56][0-9] min ahead of the stamp'
}

# A log that only grows by receipts is not stamped again within the hour.
an_idle_log_is_stamped_once() {
	is 0 trailctl init --origin example.org/idle idle
	is 0 trailctl stamp --via "$tsa answer authority good" --name one idle
	n=$(sed -n 2p idle/checkpoint)
	for _ in 1 2; do
		is 0 trailctl stamp --via false --name one idle
		says '^one: stamped [0-9]* entries within the hour, and nothing'
	done
	[ "$(sed -n 2p idle/checkpoint)" -eq "$n" ]
	# Another authority, or anything new.
	is 0 trailctl stamp --via "$tsa answer authority good" --name other idle
	[ "$(sed -n 2p idle/checkpoint)" -gt "$n" ]
	is 0 trailctl trail create idle/t
	is 3 trailctl stamp --via false --name one idle
}

# Options that do not go together are an error of usage.
options_must_go_together() {
	is 2 trailctl stamp store
	is 2 trailctl stamp --via cat store
	is 2 trailctl stamp --via cat --accept reply --name x store
	is 2 trailctl stamp --print-request --name x store
	is 2 trailctl stamp --accept reply --name x -o request store
	is 2 trailctl stamp --accept reply --name 'a b' store
	is 3 trailctl stamp --print-request nowhere
}

# verify judges the stamps of a store by the certificates of the caller alone.
a_store_is_judged_by_the_callers_certificates() {
	is 0 trailctl verify store
	says '^timestamp *ABSENT *judge the recorded ones with --tsa-ca'
	is 0 trailctl verify --tsa-ca authority/root.pem store
	says '^timestamp *OK *the first [0-9]* entries existed at 20'
	says 'two: your certificates do not vouch for this authority'
	is 5 trailctl verify --tsa-ca authority/ca.pem store
	says '^timestamp *ABSENT *your certificates vouch for none'
	is 2 trailctl verify --tsa-ca evidence store
}

# stamp = best-effort: status says whether there are stamps, of any authority.
a_store_that_wants_stamps_says_so() {
	is 0 trailctl init --origin example.org/wants wants
	is 0 trailctl status wants
	never_says '^stamps'
	echo 'stamp = best-effort' >>wants/config
	is 0 trailctl status wants
	says '^stamps *best-effort, late'
	is 0 trailctl verify wants
	is 0 trailctl stamp --via "$tsa answer authority foreign" --name x wants
	is 0 trailctl status wants
	says '^stamps *best-effort, in time'
	echo "stamp_ca = $work/authority/root.pem" >>wants/config
	is 0 trailctl status wants
	says '^stamps *best-effort, late'
	echo 'stamp = perhaps' >>wants/config
	is 2 trailctl stamp --via "$tsa answer authority good" --name two wants
	complains '"stamp" is not understood'
}

# stamp = required: only stamps of the authorities that the operator names count.
# Anybody can make an authority of his own.
a_store_that_requires_stamps_needs_trusted_ones() {
	is 0 trailctl init --origin example.org/required late
	echo 'stamp = required' >>late/config
	# Without them nothing is written, and the message says what to do.
	is 2 trailctl sync late
	complains 'stamp = required needs stamp_ca = /FILE'
	is 0 trailctl status late
	says '^stamps *NOT JUDGED'
	is 4 trailctl verify late
	says 'STORE/config requires time stamps: there is none$'
	echo 'stamp_ca = authority/root.pem' >>late/config
	is 2 trailctl sync late
	complains '"stamp_ca" is not understood'
	sed -i '$d' late/config
	echo "stamp_ca = $work/nowhere.pem" >>late/config
	is 2 trailctl sync late
	complains 'stamp_ca = .*nowhere.pem'
	echo "stamp_ca = $work/evidence" >>late/config
	is 2 trailctl sync late
	complains 'there is no trusted certificate'
	echo "stamp_ca = $work/authority/root.pem" >>late/config
	is 0 trailctl sync late
	is 0 trailctl status late
	says '^stamps *REQUIRED, AND LATE'
	is 4 trailctl verify late
	says '^timestamp *FAILED'
	says 'STORE/config requires time stamps: there is none$'
	# An authority of somebody else.
	is 0 trailctl stamp --via "$tsa answer authority foreign" \
		--chain authority/foreign-root.pem --name own late
	complains 'time stamp of own is recorded, but does not count here: stamp_'
	is 0 trailctl status late
	says '^stamps *REQUIRED, AND LATE'
	is 4 trailctl verify late
	says 'there is none of an authority that is trusted'
	# A verifier trusts whom he trusts.
	is 0 trailctl verify --tsa-ca authority/foreign-root.pem late
	is 4 trailctl verify --tsa-ca authority/root.pem late
	says 'there is none of an authority that is trusted'
	is 0 trailctl stamp --via "$tsa answer authority good" \
		--chain authority/chain.pem --name one late
	[ ! -s err ]
	is 0 trailctl status late
	says '^stamps *required, in time'
	is 0 trailctl verify late
	says '^timestamp *ABSENT'
	is 0 trailctl status --json late
	says '"stamps":"required, in time","states"'
	# On another machine the file may be missing: only its reader is told.
	mv authority/root.pem authority/away.pem
	is 0 trailctl verify late
	says 'its stamp_ca is missing or cannot be read: give --tsa-ca'
	is 0 trailctl verify --tsa-ca authority/away.pem late
	says '^timestamp *OK'
	is 0 trailctl status late
	says '^stamps *NOT JUDGED'
	is 2 trailctl sync late
	mv authority/away.pem authority/root.pem
	# Seven days later it is late.
	clock_moves
	# shellcheck disable=SC2046 # words
	is 0 $(as_of '+8 days') trailctl trail create late/t
	is 0 trailctl status late
	says '^stamps *REQUIRED, AND LATE'
	is 4 trailctl verify late
	says 'the newest one is more than 7 days older than the newest entry'
}

# What was stamped long ago is not new because it is recorded again under another
# name, nor is an old checkpoint that is stamped now.
an_old_stamp_recorded_again_is_late() {
	clock_moves
	is 0 trailctl init --origin example.org/again again
	echo 'stamp = required' >>again/config
	echo "stamp_ca = $work/authority/root.pem" >>again/config
	is 0 trailctl sync again
	trailctl stamp --print-request --checkpoint note -o request again
	"$tsa" answer authority good <request >reply
	is 0 trailctl stamp --accept reply --checkpoint note --name one \
		--chain authority/chain.pem again
	is 0 trailctl verify again
	# The same token under its own name and another one adds nothing.
	for name in one two; do
		is 0 trailctl stamp --accept reply --checkpoint note \
			--name $name --chain authority/chain.pem again
		cp err "err.$name"
		is 0 trailctl log --json --type anchor.added again
		has_lines 1
	done
	[ ! -s err.one ]
	grep 'the time stamp of two is recorded already, as one' err.two
	# Eight days later, with entries that no stamp is about.
	later=$(as_of '+8 days')
	# shellcheck disable=SC2086 # words
	is 0 $later trailctl trail create again/t
	# Other bytes, the same time: a second stamp that was kept.
	"$tsa" forge authority good note "$(date -u +%Y%m%d%H%M%SZ)" \
		"$(nonce request)" >kept 2>/dev/null
	# shellcheck disable=SC2086
	is 0 $later trailctl stamp --accept kept --checkpoint note --name three \
		--chain authority/chain.pem again
	is 0 trailctl log --json --type anchor.added again
	has_lines 2
	is 0 trailctl status again
	says '^stamps *REQUIRED, AND LATE'
	is 4 trailctl verify again
	says 'the newest one is more than 7 days older than the newest entry'
	# A stamp of that day, of the old checkpoint.
	"$tsa" forge authority good note \
		"$(date -u +%Y%m%d%H%M%SZ -d '+8 days')" \
		"$(nonce request)" >fresh 2>/dev/null
	# shellcheck disable=SC2086
	is 0 $later trailctl stamp --accept fresh --checkpoint note --name four \
		--chain authority/chain.pem again
	is 0 trailctl status again
	says '^stamps *REQUIRED, AND LATE'
	is 4 trailctl verify again
	says 'the newest one is more than 7 days older than the newest entry'
	# One of the newest checkpoint.
	trailctl stamp --print-request --checkpoint note -o request again
	"$tsa" forge authority good note \
		"$(date -u +%Y%m%d%H%M%SZ -d '+8 days')" \
		"$(nonce request)" >fresh 2>/dev/null
	# shellcheck disable=SC2086
	is 0 $later trailctl stamp --accept fresh --checkpoint note --name four \
		--chain authority/chain.pem again
	is 0 trailctl status again
	says '^stamps *required, in time'
	is 0 trailctl verify again
}

# A log that was idle for long is in time once it is stamped.
an_idle_log_is_in_time_by_one_stamp() {
	clock_moves
	# shellcheck disable=SC2046 # words
	is 0 $(as_of '-30 days') trailctl init --origin example.org/rest rest
	echo 'stamp = required' >>rest/config
	echo "stamp_ca = $work/authority/root.pem" >>rest/config
	is 0 trailctl stamp --via "$tsa answer authority good" \
		--chain authority/chain.pem --name one rest
	is 0 trailctl status rest
	says '^stamps *required, in time'
	is 0 trailctl verify rest
}

# A mount is stamped as a store is, and serves the stamp.
a_mount_is_stamped() {
	mount store
	is 0 trailctl stamp --via "$tsa answer authority good" \
		--chain authority/chain.pem --name tsa.example/mount mnt
	is 0 trailctl stamp --print-request -o request mnt
	"$tsa" answer authority good <request >reply
	is 0 trailctl stamp --accept reply --chain authority/chain.pem \
		--name hand mnt
	f=$(echo mnt/.trailfs/stamps/*-hand.tsr)
	cmp "$f" reply
	is 0 openssl ts -verify -data "${f%.tsr}.note" -in "$f" \
		-untrusted "${f%.tsr}.pem" -CAfile authority/root.pem
	unmount
}

# A mirror has the checkpoints that were stamped, also one that was not the newest
# any more when its stamp was recorded, and that the mirror had passed.  So stamps
# are judged there, in a package of it and in a vault restored from it, as at the
# source.
stamps_are_judged_at_a_mirror() {
	is 0 trailctl init --origin example.org/source source
	is 0 trailctl trail create source/t
	is 0 trailctl attest --begin source/t/w/a evidence
	is 0 trailctl stamp --print-request --checkpoint passed -o request source
	"$tsa" answer authority good <request >reply
	is 0 trailctl trail create source/later
	is 0 trailctl mirror --name mirror.example/copy source copy
	is 0 trailctl stamp --accept reply --checkpoint passed --name late \
		--chain authority/chain.pem source
	is 0 trailctl mirror source copy
	judged_at copy "$(sed -n 2p passed)"
	is 0 trailctl trail create source/last
	is 0 trailctl stamp --via "$tsa answer authority good" --name newest \
		--chain authority/chain.pem --checkpoint newest source
	is 0 trailctl mirror source copy
	judged_at copy "$(sed -n 2p newest)"
	# All at once.
	is 0 trailctl mirror --name mirror.example/second source second
	judged_at second "$(sed -n 2p newest)"
	is 0 trailctl package --no-entry -o copy.zip copy/t
	is 0 trailctl verify --vkey source/keys/log.vkey \
		--tsa-ca authority/root.pem copy.zip
	says '^timestamp *OK'
	is 0 trailctl restore --origin example.org/back copy back
	judged_at back "$(sed -n 2p newest)"
	is 0 trailctl mirror --name mirror.example/third back third
	judged_at third "$(sed -n 2p newest)"
}
# judged_at STORE SIZE: all stamps there are sound, the newest over SIZE entries.
judged_at() {
	is 0 trailctl verify --vkey "$1/keys/log.vkey" \
		--tsa-ca authority/root.pem "$1"
	says "^timestamp *OK *the first $2 entries existed at 20"
	never_says 'not at hand'
}

run an_authority_and_a_store_are_made \
	a_command_carries_request_and_answer \
	two_authorities_stamp_one_checkpoint \
	a_command_that_fails_records_nothing \
	a_request_is_printed_and_its_answer_accepted \
	openssl_verifies_the_same_bytes \
	only_a_trusted_authority_is_recorded_on_request \
	a_stamp_over_other_bytes_is_refused \
	a_chain_that_had_expired_at_the_stamp_is_refused \
	a_certificate_for_something_else_is_refused \
	an_answer_to_another_request_is_refused \
	a_weak_digest_is_refused \
	a_request_that_was_not_granted_is_refused \
	bytes_behind_the_answer_are_refused \
	an_old_stamp_stays_good \
	a_stamp_from_before_its_entries_is_a_finding \
	a_stamp_from_the_future_is_not_counted \
	a_wrong_clock_is_named_at_the_stamp \
	an_idle_log_is_stamped_once \
	options_must_go_together \
	a_store_is_judged_by_the_callers_certificates \
	stamps_are_judged_at_a_mirror \
	a_store_that_wants_stamps_says_so \
	a_store_that_requires_stamps_needs_trusted_ones \
	an_old_stamp_recorded_again_is_late \
	an_idle_log_is_in_time_by_one_stamp
with /dev/fuse an_expired_certificate_at_hand_is_refused \
	a_mount_is_stamped
finish
