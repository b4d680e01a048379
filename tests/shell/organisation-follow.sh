#!/bin/sh
# trailctl org follow: copies with names only, whose contents come when they are opened.
# shellcheck source=tests/suite_organisation.sh
. "$(dirname "$0")/../suite_organisation.sh"

mkdir mnt2
a=$(copy copies a)

# follow OPTION...: a follower of org into copies.
follow() {
	trailctl org follow "$@" dir:org copies >>follow.log 2>&1 &
	echo $! >follower
	until_true test -S copies/.follow
}

# stop SIGNAL: end it.
stop() {
	kill "-$1" "$(cat follower)"
	until_true flock -n copies/.cache true
}

# damaged: what the status of the mount says of damage.
damaged() {
	trailctl status mnt2 >out 2>&1 || :
}

# Mount the copy of a, which has names only.
sparse_mount() {
	timeout 30 trailfs "$a" mnt2 -o ro
}

# again: the same, with nothing in the memory of kernel and daemon.
again() {
	fusermount3 -u mnt2
	until_true flock -n "$a/mirror" true
	sparse_mount
}

# reads NUMBER: both files of that attestation have the right bytes.
reads() {
	grep -q "evidence $1 of a" "mnt2/trail/run/a$1/report" &&
		seq -f "a $1 %.0f" 12000 | cmp - "mnt2/trail/run/a$1/large"
}

# refused FILE: reading it fails, and that is all.
refused() {
	if cat "$1" >out 2>err; then exit 1; fi
	complains 'Input/output error'
}

# reaches: somebody listens at the socket.
reaches() {
	/usr/bin/python3 -c 'import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("copies/.follow")'
}

# large NUMBER: the digest of the large evidence of that attestation.
large() {
	seq -f "a $1 %.0f" 12000 | sha256sum | cut -c 1-64
}

# Contents come on open, and stay in the cache; new entries come by themselves.
contents_come_on_open() {
	host a 3
	organisation org a
	follow
	until_true test -e "$a/mirror"
	wait_for follow.log '^example.org/a: .* new'
	is 5 trailctl verify --vkey a/keys/log.vkey "$a"
	sparse_mount
	[ -z "$(find copies/.cache -type f)" ]
	reads 1
	reads 3
	[ "$(find copies/.cache -type f | wc -l)" = 4 ]
	[ "$(stat -c %a copies/.follow)" = 600 ]
	add a 4
	forward a org
	until_true test -e mnt2/trail/run/a4/report
	reads 4
	damaged
	says '^contents *absent'
	never_says 'damage'
	reads 2
	# A mount gives contents to the verbs that ask it.
	is 0 trailctl package --no-entry -o part.zip mnt2/trail
	is 0 trailctl verify --vkey a/keys/log.vkey part.zip
}

# Bytes of evidence are in no file of the copy itself.
the_copy_stays_sparse() {
	if grep -rq 'evidence 1 of a' "$a"; then exit 1; fi
	is 5 trailctl verify --vkey a/keys/log.vkey "$a"
}

# A follower that is killed, even while it fills the cache: reads fail, and the next
# one goes on.
a_killed_follower_is_replaced() {
	rm -rf copies/.cache/??
	again
	stop KILL
	refused mnt2/trail/run/a1/large
	for call in linkat sendmsg; do
		strace -f -qq -o trace -e trace=$call \
			-e inject=$call:signal=KILL:when=1 \
			trailctl org follow dir:org copies >>follow.log 2>&1 &
		tracer=$!
		until_true reaches
		while kill -0 $tracer 2>/dev/null; do
			cat mnt2/trail/run/a1/large >/dev/null 2>&1 || :
		done
	done
	follow
	until_true reads 1
	damaged
	never_says 'damage'
	find copies/.cache -type f | while read -r f; do
		[ "$(sha256sum "$f" | cut -c 1-64)" = "${f##*/}" ]
	done
}

# Only one follows into a directory.
two_followers_exclude_each_other() {
	is 3 trailctl org follow dir:org copies
	complains 'another process follows'
	test -S copies/.follow
	reads 1
}

# Altered or missing bytes in the blobs: that file only fails, and the status names it.
wrong_bytes_are_not_served() {
	h=$(large 2)
	set -- org/objects/"$(echo "$h" | cut -c 1-2)"/*"$(echo "$h" | cut -c 3-)"
	cp "$1" whole
	rm -f "copies/.cache/$(echo "$h" | cut -c 1-2)/$h"
	again
	flip "$1" 50000
	refused mnt2/trail/run/a2/large
	damaged
	says 'trail/run/a2/large'
	reads 1
	rm -f "$1"
	refused mnt2/trail/run/a2/large
	cp whole "$1"
	until_true reads 2
	damaged
	never_says 'trail/run/a2/large'
	# And in the cache: they are fetched anew.
	flip "copies/.cache/$(echo "$h" | cut -c 1-2)/$h" 50000
	again
	reads 2
	[ "$(sha256sum "copies/.cache/$(echo "$h" | cut -c 1-2)/$h" | cut -c 1-64)" = "$h" ]
}

# A small cache goes on serving.
the_cache_has_a_limit() {
	stop TERM
	[ ! -e copies/.follow ]
	follow --size 300000
	for i in 1 2 3 4 1 2; do
		again
		reads $i
		[ "$(du -s --block-size=1 copies/.cache/?? | awk '{ n += $1 } END { print n }')" -le 400000 ]
	done
	[ "$(find copies/.cache -type f -size +100k | wc -l)" -le 2 ]
	stop TERM
	# Nothing fits.
	follow --size 0
	again
	reads 3
	[ -z "$(find copies/.cache -type f)" ]
	stop TERM
}

# A full disk for the cache: the old files go, and what does not fit even then fails.
a_full_disk_empties_the_cache() {
	[ "$(id -u)" = 0 ] || skip 'not root'
	command mount -t tmpfs -o size=400k tmpfs copies/.cache
	follow
	for i in 1 2 3 4; do
		again
		reads $i
	done
	fusermount3 -u mnt2
	until_true flock -n "$a/mirror" true
	rm -rf copies/.cache/??
	dd if=/dev/zero of=copies/.cache/fill bs=1k count=390 2>/dev/null
	sparse_mount
	refused mnt2/trail/run/a1/large
	rm copies/.cache/fill
	reads 1
	stop TERM
	umount -l copies/.cache # the daemon still has files of it open
}

# A source that hangs, or lies: a reader can be interrupted, the others go on, and
# nothing that is wrong is read.
a_hanging_source_holds_up_nobody_else() {
	cat >source.py <<'P'
import array, os, socket, sys, threading
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(sys.argv[1])
s.listen(100)
hang = sys.argv[2]
kept = []
def serve(c):
    what = c.recv(512).decode().split()[1]
    if what == hang:
        kept.append(c)
        open('asked', 'a').write('x')
        return
    f = os.open(sys.argv[3], os.O_RDONLY)
    c.sendmsg([b'ok 5'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [f]))])
    c.close()
while True:
    c, _ = s.accept()
    threading.Thread(target=serve, args=(c,), daemon=True).start()
P
	fusermount3 -u mnt2
	until_true flock -n "$a/mirror" true
	seq -f 'a 2 %.0f' 12000 >good
	/usr/bin/python3 source.py copies/.follow "$(large 1)" "$work/good" &
	source=$!
	until_true test -S copies/.follow
	sparse_mount
	readers=
	for i in 1 2 3 4 5 6 7 8; do
		cat mnt2/trail/run/a1/large >/dev/null 2>&1 &
		readers="$readers $!"
	done
	until_true test -s asked
	cmp good mnt2/trail/run/a2/large
	# Also where files are not hashed.
	mkdir mnt4
	timeout 30 trailfs "$a" mnt4 -o ro,verify=none
	refused mnt4/trail/run/a3/report
	fusermount3 -u mnt4
	# It gives other bytes than those that were asked for.
	refused mnt2/trail/run/a3/large
	damaged
	says 'trail/run/a3/large'
	for p in $readers; do
		kill "$p"
		wait "$p" 2>/dev/null || :
	done
	cmp good mnt2/trail/run/a2/large
	kill $source
	wait $source 2>/dev/null || :
	rm copies/.follow
	is 1 trailfs "$a" "$mnt" -o "ro,objects=$(printf '/long%.0s' $(seq 30))"
}

# The path of a socket is short, that of a copy may be long.
a_long_path_is_no_obstacle() {
	long=$(printf 'long%.0s' $(seq 40))
	mkdir "$long"
	trailctl org follow dir:org "$long/copies" >>follow.log 2>&1 &
	echo $! >follower2
	until_true test -e "$(copy "$long/copies" a)/mirror"
	until_true trailctl ls "$(copy "$long/copies" a)/trail/run/a3"
	mkdir mnt3
	timeout 30 trailfs "$(copy "$long/copies" a)" mnt3 -o ro
	grep -q 'evidence 3 of a' mnt3/trail/run/a3/report
	fusermount3 -u mnt3
	kill "$(cat follower2)"
}

# Who watches is told about each copy that has grown.
watchers_are_told() {
	follow
	cat >watch.py <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.send(b'watch')
while True:
    m = s.recv(512)
    if not m:
        break
    print(m.decode(), flush=True)
P
	/usr/bin/python3 watch.py copies/.follow >watched &
	watcher=$!
	wait_for watched '^grown example.org/a [0-9]*$'
	add a 5
	forward a org
	until_true test "$(wc -l <watched)" -ge 1
	n=$(trailctl status a | sed -n 's/^entries *//p')
	wait_for watched "^grown example.org/a $n\$"
	stop TERM
	wait $watcher
}

# Who has forwarded waits until a copy has it.
what_was_forwarded_is_seen() {
	add a 6
	(
		sleep 1
		forward a org
	) &
	n=$(trailctl status a | sed -n 's/^entries *//p')
	is 0 trailctl org fetch --names --until "example.org/a:$n" dir:org copies
	wait
	is 0 trailctl ls "$a/trail/run/a6"
	is 1 trailctl org fetch --names --wait 1 --until "example.org/a:$((n + 1))" dir:org copies
	complains "has $n entries after 1 seconds"
	is 2 trailctl org fetch --until example.org/a dir:org copies
}

with '/dev/fuse sqlite3 strace' contents_come_on_open the_copy_stays_sparse \
	a_killed_follower_is_replaced two_followers_exclude_each_other \
	wrong_bytes_are_not_served the_cache_has_a_limit \
	a_full_disk_empties_the_cache a_hanging_source_holds_up_nobody_else \
	a_long_path_is_no_obstacle watchers_are_told what_was_forwarded_is_seen
finish
