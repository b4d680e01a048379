#!/bin/sh
# trailctl stream: standard input becomes evidence that is entered while it grows.
# shellcheck disable=SC2034 # read by the suite
. "$(dirname "$0")/../suite_tools.sh"
shared_mount=1

# until_has FILE TEXT: wait until it is in the file.
until_has() {
	until grep -aq "$2" "$1"; do
		sleep 0.05
	done
}

# until_proven PATH BYTES: wait until so many are entered.
until_proven() {
	until [ "$(getfattr --only-values -n user.trailfs.proven "$1")" = "$2" ]; do
		sleep 0.05
	done
}

# metric NAME VALUE: the mount says so.
metric() {
	is 0 trailctl metrics mnt
	says "^trailfs_$1{[^}]*} $2\$"
}

# Mount it with an open attestation, and make the bytes that are recorded in it.
a_vault_is_mounted() {
	a_store_is_made
	mount store -o settle=0
	mkdir -p mnt/t/w/a
	chmod 755 mnt/t mnt/t/w mnt/t/w/a
	head -c 300000 /dev/urandom >bytes
}

# All bytes, in order, under the name that was given.
standard_input_is_recorded() {
	is 0 sh -c 'trailctl stream mnt/t/w/a/short <vkey'
	is 0 sh -c 'trailctl stream mnt/t/w/a/empty </dev/null'
	is 0 sh -c 'trailctl stream mnt/t/w/a/long <bytes'
	is 0 trailctl sync mnt
	cmp vkey mnt/t/w/a/short
	cmp bytes mnt/t/w/a/long
	is 0 trailctl log --type evidence.grown --json mnt
	[ ! -s err ]
}

# While it grows, its prefix is proven, another program follows it, and nobody else
# writes it.
a_stream_grows() {
	grown=$(trailctl metrics mnt |
		sed -n 's/^trailfs_grown_bytes_total{.*} //p')
	mkfifo pipe
	trailctl stream mnt/t/w/a/log <pipe &
	pid=$!
	exec 9>pipe
	cat bytes >&9
	until_proven mnt/t/w/a/log 262144
	timeout 60 tail -c +1 -f mnt/t/w/a/log >followed &
	tail=$!
	echo 'one more line' >&9
	until_has followed 'one more line'
	kill $tail
	is 1 sh -c 'echo x | dd of=mnt/t/w/a/log conv=notrunc'
	is 0 trailctl log --type evidence.grown mnt/t/w/a/log
	says 't/w/a/log  bytes [0-9]*-262143$'
	is 0 trailctl why mnt/t/w/a/log
	says 'its first 262144 bytes are entered'
	is 0 trailctl why --json mnt/t/w/a/log
	[ "$(jq -r .proven out)" = 262144 ]
	is 0 trailctl why mnt/t/w/a/log
	says 'first 262144 bytes are entered in the ledger'
	metric growing_files 1
	metric grown_bytes_total $((grown + 262144))
	exec 9>&-
	wait $pid
	is 0 trailctl sync mnt
	[ "$(stat -c %s mnt/t/w/a/log)" = 300014 ]
	metric growing_files 0
	metric grow_failures_total 0
	is 0 trailctl verify store --vkey vkey
}

# A signal ends it as it ends cat, and what was read is sealed.
a_signal_ends_it() {
	trailctl stream mnt/t/w/a/killed <pipe &
	pid=$!
	exec 9>pipe
	cat bytes >&9
	until_proven mnt/t/w/a/killed 262144
	kill $pid
	got=0
	wait $pid || got=$?
	[ $got -eq 143 ]
	exec 9>&-
	is 0 trailctl sync mnt
	cmp bytes mnt/t/w/a/killed
}

# After a crash of the daemon the name is not free: its prefix is proven.
a_crash_leaves_what_is_proven() {
	trailctl stream mnt/t/w/a/crashed <pipe 2>said &
	pid=$!
	exec 9>pipe
	cat bytes >&9
	until_proven mnt/t/w/a/crashed 262144
	kill -9 "$(jq .pid <mnt/.trailfs/status.json)"
	exec 9>&-
	got=0
	wait $pid || got=$?
	[ $got -eq 3 ]
	grep -q crashed said
	unmount
	mount store -o settle=0
	[ "$(getfattr --only-values -n user.trailfs.state \
		mnt/t/w/a/crashed)" = sealed ]
	[ "$(getfattr --only-values -n user.trailfs.proven \
		mnt/t/w/a/crashed)" = 262144 ]
	cmp bytes mnt/t/w/a/crashed
	is 1 sh -c 'echo again | trailctl stream mnt/t/w/a/crashed'
	complains 'sealed'
}

# What cannot be a stream is refused, and nothing is left of it.
what_cannot_grow_is_refused() {
	is 2 trailctl stream
	is 2 sh -c 'trailctl stream store/t/w/a/x <vkey'
	complains 'not in a mount'
	is 3 sh -c 'trailctl stream ./somewhere <vkey'
	is 1 sh -c 'trailctl stream mnt/t/w/x <vkey'
	is 3 sh -c 'trailctl stream mnt/t/w/a <vkey'
	is 3 sh -c 'trailctl stream mnt/t/w/a/nothing </tmp'
	complains 'standard input: Is a directory'
	is 3 sh -c 'trailctl stream mnt/t/w/a/nothing <&-'
	complains 'standard input: Bad file descriptor'
	[ ! -e mnt/t/w/a/nothing ]
	is 3 sh -c 'trailctl stream mnt/t/w/none/x <vkey'
	complains 'mnt/t/w/none does not exist: mkdir -p makes the attestation$'
	is 3 sh -c 'cd mnt/t/w/a && trailctl stream none/x <../../../../vkey'
	complains 'none does not exist: mkdir -p'
	is 1 sh -c 'trailctl stream mnt/t/w/a/x.part <vkey'
	[ ! -e mnt/t/w/a/x.part ]
	is 2 sh -c 'trailctl stream mnt/t/.trailfs/template.yml <vkey'
	is 1 sh -c 'trailctl stream mnt/t/w/a/long <vkey'
	complains 'sealed'
}

# Encrypted evidence is not entered in clear digests.
an_encrypted_trail_has_no_streams() {
	needs age-keygen
	mkdir -p mnt/e/w/a
	age-keygen -o identity 2>err
	is 0 sh -c 'age-keygen -y identity | trailctl recipients set mnt/e -'
	is 1 sh -c 'trailctl stream mnt/e/w/a/x <vkey'
	complains 'encrypted for recipients'
	[ ! -e mnt/e/w/a/x ]
}

# The limit that stopped a stream is named, and what was read until then stays.
a_limit_is_named() {
	unmount
	mount store -o settle=0,max_file=200000
	mkdir mnt/t/w/limited
	is 3 sh -c 'trailctl stream mnt/t/w/limited/x <bytes'
	complains 'mnt/t/w/limited/x: a file may have 200000 bytes here (max_file)'
	set -- mnt/t/w/limited/x.*.interrupted.part
	[ $# -eq 1 ]
	[ -s "$1" ]
}

with "/dev/fuse getfattr mkfifo" a_vault_is_mounted \
	standard_input_is_recorded \
	a_stream_grows \
	a_signal_ends_it \
	a_crash_leaves_what_is_proven \
	what_cannot_grow_is_refused \
	an_encrypted_trail_has_no_streams \
	a_limit_is_named
finish
