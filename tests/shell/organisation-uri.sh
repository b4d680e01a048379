#!/bin/sh
# trailfs URI MOUNTPOINT -o ro,cache=DIRECTORY: an organisation in one mount, followed by
# a process of the mount.
. "$(dirname "$0")/../suite_organisation.sh"
shared_mount=yes

# Vaults are mounted at $mnt, the organisation at view.
mkdir view

# until_true COMMAND...: wait for it, at most a minute.
until_true() {
	for _ in $(seq 600); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

# file NAME NUMBER: evidence in the mount.
file() {
	copy view "$1/trail/run/a$2/$3"
}

# has COUNT: so many blobs are in the cache.
has() {
	[ "$(find cache/.cache -type f | wc -l)" -eq "$1" ]
}

# within BYTES: no more is in the cache.
within() {
	[ "$(find cache/.cache -type f -printf '%s\n' |
		awk '{ n += $1 } END { print n + 0 }')" -le "$1" ]
}

# processes NAME: pids of those in this directory's mount that are called so.
processes() {
	pgrep -x -P "$(cat daemon)" "$1"
}

# start [OPTION...]: the mount in the foreground, with its log.
start() {
	trailfs -f dir:org view -o "ro,cache=cache${1:+,$1}" >>log 2>&1 &
	echo $! >daemon
	until mountpoint -q view; do
		kill -0 "$(cat daemon)"
		sleep 0.05
	done
}

# metric NAME VALUE: the mount says so, a pattern.
metric() {
	trailctl metrics view | grep -q "^trailfs_$1{origin=\"dir:$work/org\"} $2\$"
}

# gone PID: it has ended.
gone() {
	[ ! -e "/proc/$1" ]
}

# Nothing is fetched but names until somebody reads.
an_organisation_is_mounted() {
	host a 2
	host b 2
	organisation org a b
	start
	# shellcheck disable=SC2012 # no name has a line feed
	[ "$(ls view | tr '\n' ' ')" = 'example.org%2Fa example.org%2Fb ' ]
	has 0
	[ "$(cat "$(file a 1 report)")" = 'evidence 1 of a' ]
	seq -f 'b 2 %.0f' 12000 | cmp - "$(file b 2 large)"
	has 2
	[ "$(findmnt -n -o SOURCE view)" = "dir:$work/org" ]
	# What is in the mount of a vault is here, too.
	mkdir vault
	trailfs a vault -o ro
	(cd vault && find . -mindepth 1 -printf '%P %m %s %T@\n' | sort) >there
	(cd "$(copy view a)" && find . -mindepth 1 -printf '%P %m %s %T@\n' | sort) >here
	umount vault
	cmp there here
	is 1 touch "$(copy view a)/new"
	complains 'Read-only'
	is 0 trailctl log "$(copy view b)"
	says 'trail/run/a2/report'
}

# Nobody keeps a privilege, and the log says what is in force.
nobody_keeps_privileges() {
	for p in $(processes trailfs-follow) "$(cat daemon)"; do
		grep -q '^CapPrm:.*0000000000000000$' "/proc/$p/status"
		grep -q '^CapBnd:.*0000000000000000$' "/proc/$p/status"
		grep -q '^NoNewPrivs:.*1$' "/proc/$p/status"
		grep -q '^Seccomp:.*2$' "/proc/$p/status"
	done
	grep 'the follower runs as .*, with Landlock .* a filter of system calls' log
	grep 'the router runs as .*, with Landlock .* a filter of system calls' log
}

# A cache of another user is filled by that user, who reads the organisation.
the_owner_of_the_cache_fetches() {
	[ "$(id -u)" -eq 0 ] || skip 'only root mounts for another user'
	umount view
	until_true gone "$(cat daemon)"
	chmod 755 .
	mkdir -m 700 theirs
	chown games: theirs
	is 1 trailfs dir:org view -o ro,cache=theirs
	complains 'Permission denied'
	chown -R games: org
	trailfs -f dir:org view -o ro,cache=theirs >>log 2>&1 &
	echo $! >daemon
	until_true mountpoint -q view
	[ "$(cat "$(file a 1 report)")" = 'evidence 1 of a' ]
	[ -z "$(find theirs ! -user games)" ]
	grep -q "^Uid:.$(id -u games).$(id -u games).$(id -u games)" \
		"/proc/$(processes trailfs-follow)/status"
	umount view
	until_true gone "$(cat daemon)"
	chown -R 0:0 org
	start
}

# How it is, for a monitoring system and for people; nothing else is there.
it_says_how_it_is() {
	[ "$(ls -A view/.trailfs)" = metrics ]
	[ "$(stat -c '%A %U' view/.trailfs/metrics)" = "-r--r----- $(id -un)" ]
	trailctl metrics view >there
	grep -v 'timestamp\|disk_free\|open_handles' there >one
	grep -v 'timestamp\|disk_free\|open_handles' view/.trailfs/metrics | diff one -
	metric mounted 1
	metric origins 2
	metric origin_daemons '[12]'
	metric origin_daemon_failures_total 0
	metric follow_running 1
	metric follow_failing 0
	metric follow_entries "$(sqlite3 -readonly org/org.db 'SELECT count(*) FROM leaf')"
	metric follow_refused_origins 0
	metric cache_limit_bytes 1073741824
	metric cache_misses_total 2
	cached=$(sed -n 's/^trailfs_cache_bytes{.*} //p' there)
	[ "$cached" -ge 100000 ] && [ "$cached" -lt 1000000 ]
	trailctl metrics --textfile view.prom view
	grep -v 'timestamp\|disk_free\|open_handles' view.prom | diff one -
	trailctl doctor view >said || :
	grep -q '^follow *ok .*compared' said
	grep -q '^mount *ok *2 origins' said
	is 1 touch view/.trailfs/other
	is 1 cat view/.trailfs/other
	is 1 dd of=view/.trailfs/metrics count=0
	# A reader keeps what was there when it opened the file.
	exec 4<view/.trailfs/metrics
	trailctl metrics view | grep -q '^trailfs_open_handles{.*} [1-9]$'
	cat <&4 | grep -q '^trailfs_mounted'
	exec 4<&-
}

# Without another command or another mount.
what_comes_appears() {
	add a 3
	forward a org
	until_true test -e "$(file a 3 report)"
	[ "$(cat "$(file a 3 report)")" = 'evidence 3 of a' ]
	host c 1
	trailctl org enrol dir:org c/keys/log.vkey
	forward c org
	until_true test -e "$(file c 1 report)"
	[ "$(cat "$(file c 1 report)")" = 'evidence 1 of c' ]
}

# Its process is gone, too, and another mount begins with what is in the cache.
unmounting_ends_it() {
	follower=$(processes trailfs-follow)
	umount view
	until_true gone "$(cat daemon)"
	until_true gone "$follower"
	start
	# shellcheck disable=SC2012 # no name has a line feed
	[ "$(ls view | wc -l)" -eq 3 ]
}

# Who mounts again at once waits until the mount before has ended.
it_is_mounted_again_at_once() {
	for _ in 1 2 3; do
		umount view
		is 0 timeout 60 trailfs dir:org view -o ro,cache=cache
		[ "$(cat "$(file a 2 report)")" = 'evidence 2 of a' ]
	done
	umount view
	until_true flock -n cache/.cache true
	start
}

# The follower ends with a daemon that is killed, and the next mount works.
a_killed_daemon_takes_it_along() {
	follower=$(processes trailfs-follow)
	kill -9 "$(cat daemon)"
	until_true gone "$follower"
	umount -l view
	start
	[ "$(cat "$(file a 2 report)")" = 'evidence 2 of a' ]
}

# Names and what is in the cache go on; other bytes fail, and do not hang.
without_the_follower_reads_fail() {
	[ "$(cat "$(file b 1 report)")" = 'evidence 1 of b' ]
	kill -9 "$(processes trailfs-follow)"
	until_true metric follow_running 0
	trailctl doctor view >said || :
	grep -q '^follow *wrong .*has ended' said
	ls -lR view >/dev/null
	is 1 timeout 60 cat "$(file c 1 large)"
	complains 'Input/output error'
	umount view
	until_true gone "$(cat daemon)"
}

# No more is kept than was asked for.
the_cache_has_a_limit() {
	rm -rf cache
	start cache_size=250000
	for name in a b c; do
		cat "$(file $name 1 large)" >/dev/null
	done
	until_true within 250000
	metric cache_limit_bytes 250000
	[ "$(trailctl metrics view | sed -n 's/^trailfs_cache_bytes{.*} //p')" -le 250000 ]
	seq -f 'a 1 %.0f' 12000 | cmp - "$(file a 1 large)"
	umount view
	until_true gone "$(cat daemon)"
}

# Bytes with another digest, and what is no organisation any more.
what_is_altered_is_not_shown() {
	rm -r cache
	start
	for o in org/objects/*/*; do
		size=$(stat -c %s "$o")
		chmod u+w "$o"
		head -c "$size" /dev/zero | tr '\0' x >"$o"
	done
	is 1 cat "$(file b 1 large)"
	complains 'Input/output error'
	metric cache_failures_total '[1-9]'
	umount view
	until_true gone "$(cat daemon)"
	# Nor is an organisation mounted of which nothing can be read.
	mv org away
	is 1 trailfs dir:org view -o ro,cache=cache
	mv away org
}

# Each with what to give instead.
wrong_options_are_named() {
	is 1 trailfs dir:org view -o ro
	complains 'cache=DIRECTORY'
	is 1 trailfs dir:org view -o cache=other
	complains 'read only: -o ro'
	is 1 trailfs a view -o ro,cache=other
	complains 'cache= is for a mount of an organisation'
	is 1 trailfs s3://bucket/prefix view -o ro,cache=other
	complains 'blobs=URI'
	is 1 trailfs dir:nothing view -o ro,cache=other
	complains 'dir:nothing: No such file'
	mkdir -p nothing
	is 1 trailfs dir:nothing view -o ro,cache=other
	is 2 trailfs dir:org view -o ro,cache=other,cache_size=much
	is 2 trailfs dir:org view -o ro,cache=other,blobs=./here
	! mountpoint -q view
}

with '/dev/fuse pgrep sqlite3' an_organisation_is_mounted it_says_how_it_is \
	nobody_keeps_privileges the_owner_of_the_cache_fetches \
	what_comes_appears unmounting_ends_it \
	it_is_mounted_again_at_once \
	a_killed_daemon_takes_it_along without_the_follower_reads_fail \
	the_cache_has_a_limit what_is_altered_is_not_shown wrong_options_are_named
finish
