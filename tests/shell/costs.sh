#!/bin/sh
# The cost of operations, in counts that do not depend on the speed of the
# machine: requests of the kernel, flushes of the disk, system calls, bytes.  A
# count above its limit is a regression.  A limit is the count on the day when
# it was set and a margin.
. "$(dirname "$0")/../suite.sh"

show_output=yes
store=$work/store log=$work/log FILES=100

# serve OPTION...: mount the store with a daemon that stays a child; its log is
# in $log.
serve() {
	"$BUILD/trailfs" "$store" "$mnt" -f -o settle=60 "$@" \
		2>"$log" &
	daemon=$!
	until_true mountpoint -q "$mnt"
}

# mount_with OPTION...: mount a new store in which the first files are made, so
# that work done only once is not counted.
mount_with() {
	unmount
	rm -rf "$store"
	"$BUILD/trailctl" init "$store" >/dev/null 2>&1 || exit 1
	serve "$@"
	mkdir -p "$mnt/t/w/a" "$mnt/t/w/b"
	# The first files cost more, and we do not count those.
	create "$mnt/t/w/b" 20
}

# create DIR N: make N files of 4 KiB: opened by name, written once, closed.
create() {
	python3 - "$1" "$2" <<'PY'
import os, sys
body = os.urandom(4096)
for i in range(int(sys.argv[2])):
    fd = os.open("%s/%06d" % (sys.argv[1], i),
                 os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(fd, body[:4000] + b"%096d" % i)
    os.close(fd)
PY
}

# at_most WHAT COUNT LIMIT: print the count and compare.
at_most() {
	echo "  $1: $2 (limit $3)"
	[ "$2" -le "$3" ]
}

# --- requests -----------------------------------------------------------

# requests PATTERN: print how many such requests the daemon has got.
requests() {
	grep -c "opcode: $1 " "$log" || :
}

# counted COMMAND...: set $asked to the number of requests that it makes.
counted() {
	asked=$(requests '[A-Z]*')
	"$@" >/dev/null
	asked=$(($(requests '[A-Z]*') - asked))
}

# True if the kernel reads long files from their objects; this needs root.
passes_reads() {
	zcat /proc/config.gz 2>/dev/null |
		grep -qx CONFIG_FUSE_PASSTHROUGH=y && [ "$(id -u)" -eq 0 ]
}

# A small file takes 7 requests; reading it again takes 2 and no READ.
# The 7 are LOOKUP, CREATE, GETATTR of the directory (the new file changed it),
# GETXATTR (once per file), WRITE, FLUSH, RELEASE.
a_small_file_is_so_many_requests() {
	mount_with -d
	counted create "$mnt/t/w/a" $FILES
	at_most "requests for $FILES files" "$asked" $((FILES * 8))
	mkdir "$work/from"
	create "$work/from" $FILES
	counted cp -r "$work/from" "$mnt/t/w/a/d"
	at_most "requests for $FILES files by cp -r" "$asked" \
		$((FILES * 8))
	"$BUILD/trailctl" sync "$mnt"
	cat "$mnt"/t/w/a/0* >/dev/null
	# The kernel has cached the content: OPEN and RELEASE, no READ.
	before=$(requests 'READ')
	counted cat "$mnt"/t/w/a/0*
	at_most "READs of files read before" \
		$(($(requests 'READ') - before)) 0
	at_most "requests for reading $FILES files again" "$asked" \
		$((FILES * 2 + 20))
}

# stream FILE N: write N lines of 256 bytes, each by a write(2) of its own.  The
# kernel makes two requests of a write that crosses the end of a page; none does.
stream() {
	python3 - "$1" "$2" <<'PY'
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
for i in range(int(sys.argv[2])):
    os.write(fd, b"%0255d\n" % i)
os.close(fd)
PY
}

# A small write is one request, WRITE: the kernel asks for no attribute of the file
# but before its first write.
a_small_write_is_one_request() {
	mount_with -d
	counted stream "$mnt/t/w/a/log" 2000
	at_most "requests for 2,000 writes of 256 bytes" "$asked" 2012
}

# least COMMAND...: set $asked to the least number of requests of ten runs.  The
# kernel remembers the name of a directory in an open attestation for 20 ms, and
# a busy machine may take that long for each file.
least() {
	fewest=
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		counted "$@"
		[ -n "$fewest" ] && [ "$fewest" -le "$asked" ] || fewest=$asked
	done
	asked=$fewest
}

# rsync makes a draft, sets its attributes twice after its close, and renames it.  The
# kernel asks for the attributes of the draft once meanwhile.
a_file_by_rsync_is_so_many_requests() {
	mount_with -d -o durability=batch
	mkdir "$work/rsync"
	create "$work/rsync" $FILES
	counted rsync -a "$work/rsync/" "$mnt/t/w/a/d"
	at_most "requests for $FILES files by rsync" "$asked" $((FILES * 19))
	rm -r "$work/rsync"
}

# With streams=on the kernel collects such writes and makes a few long ones.  A small
# file takes 9 requests more: 2 GETATTR, SETATTR with its times, and what the helper
# does before the close is answered (pages.h): GETATTR, OPENDIR, OPEN, RELEASEDIR,
# FLUSH, RELEASE.
writes_of_a_stream_are_collected() {
	mount_with -d -o streams=on
	counted stream "$mnt/t/w/a/log" 20000
	at_most "requests for 20,000 writes of 256 bytes, streams=on" \
		"$asked" 60
	counted create "$mnt/t/w/a" $FILES
	at_most "requests for $FILES files, streams=on" "$asked" \
		$((FILES * 17))
}

# Walking a tree is answered from the kernel's cache.
walking_asks_next_to_nothing() {
	mount_with -d
	mkdir "$mnt/t/w/a/d"
	create "$mnt/t/w/a" $FILES
	create "$mnt/t/w/a/d" $FILES
	# LOOKUP and GETATTR of each file: until it is sealed, the kernel may
	# remember neither its name nor its attributes.
	least ls -lR "$mnt/t/w/a"
	at_most "requests for ls -lR of 2 x $FILES files before their seal" \
		"$asked" $((FILES * 4 + 40))
	"$BUILD/trailctl" sync "$mnt"
	counted find "$mnt/t/w/a" -ls
	at_most "requests for find -ls of 2 x $FILES files" "$asked" 40
	counted stat "$mnt"/t/w/a/*
	at_most "requests for stat of $FILES files" "$asked" 40
	least stat "$mnt"/t/w/a/d/*
	at_most "requests for stat of $FILES files in a directory" "$asked" 20
	least ls -lR "$mnt/t/w/a"
	at_most "requests for ls -lR of 2 x $FILES files" "$asked" 40
	cat "$mnt"/t/w/a/d/* >/dev/null
	least cat "$mnt"/t/w/a/d/*
	at_most "requests for reading $FILES files in a directory again" \
		"$asked" $((FILES * 2 + 20))
	"$BUILD/trailctl" seal "$mnt/t/w/a"
	counted stat "$mnt"/t/w/a/d/*
	at_most "requests for stat of $FILES sealed files in a directory" \
		"$asked" 40
}

# A first find makes no LOOKUP per file: listing gives the attributes too.
a_first_walk_asks_for_no_name() {
	mount_with -d
	create "$mnt/t/w/a" 2000
	"$BUILD/trailctl" sync "$mnt"
	unmount
	serve -d
	counted find "$mnt/t/w/a" -ls
	at_most "requests for a first find -ls of 2,000 files" "$asked" 200
}

# The kernel reads a long sealed file without asking the daemon.
a_long_file_is_no_read() {
	passes_reads || skip 'the kernel does not pass reads through'
	mount_with -d
	head -c 16M /dev/urandom >"$mnt/t/w/a/long"
	"$BUILD/trailctl" sync "$mnt"
	before=$(requests 'READ')
	counted cat "$mnt/t/w/a/long"
	at_most "READs of a long sealed file" \
		$(($(requests 'READ') - before)) 0
}

# --- system calls -------------------------------------------------------

# traced COMMAND...: write the daemon's system calls while the command runs to
# $work/calls.
traced() {
	strace -f -qq -p "$daemon" -o "$work/calls" &
	tracer=$!
	until_true grep -q "TracerPid:.*[1-9]" "/proc/$daemon/status"
	# Tracing must have reached all threads of the daemon.
	for t in /proc/"$daemon"/task/*; do
		until_true grep -q 'TracerPid:.*[1-9]' "$t/status"
	done
	"$@"
	kill -INT "$tracer"
	wait "$tracer" || :
}

# calls PATTERN: print how many such system calls were traced.
calls() {
	grep -Ec "^[0-9]+ +($1)\(" "$work/calls"
}

# A close is one flush and at most 45 calls; a batch of seals few flushes.
a_close_is_so_many_flushes_and_calls() {
	mount_with
	traced create "$mnt/t/w/a" $FILES
	# One per file, and a few for checkpoints of the write-ahead log.
	at_most "flushes for $FILES closes by one writer" \
		"$(calls 'fdatasync|fsync')" $((FILES * 125 / 100))
	# 37 per file when this was set.
	at_most "system calls for $FILES files" "$(calls '[a-z0-9_]+')" \
		$((FILES * 45))
	traced "$BUILD/trailctl" sync "$mnt"
	at_most "flushes for sealing $FILES files" \
		"$(calls 'fdatasync|fsync')" 5
}

# All that a close writes, it writes by one call.  Moving the log to the database,
# once in 1,000 pages, takes a call per page, and we do not count that.
a_close_is_one_write() {
	mount_with
	traced create "$mnt/t/w/a" $FILES
	at_most "writes for $FILES closes by one writer" "$(calls pwrite64)" \
		$((FILES * 105 / 100))
}

# A close locks and unlocks the database once, and its requests read without a lock
# of their own.  A checkpoint takes kept locks away, once in 1,000 pages.
a_close_is_one_lock() {
	mount_with
	traced create "$mnt/t/w/a" $FILES
	at_most "locks for $FILES closes by one writer" "$(calls fcntl)" \
		$((FILES * 2 + 20))
	traced "$BUILD/trailctl" sync "$mnt"
	at_most "locks for sealing $FILES files" "$(calls fcntl)" 20
}

# frames: print how many pages were written to the log; a frame has 4,120 bytes.
frames() {
	awk '/pwrite64.* = [0-9]+$/ && $NF % 4120 == 0 { n += $NF / 4120 }
		END { print n + 0 }' "$work/calls"
}

# From its creation to its seal, a file of 4 KiB takes at most 5 pages of the log.
# The close writes 4: the row of the file, the row of its content, the rest of the
# content, and the first page of the database, which says how many there are.  A
# seal writes pages that the rows of many files share.
a_small_file_is_five_pages() {
	mount_with
	traced create "$mnt/t/w/a" $FILES
	closes=$(frames)
	at_most "pages of the log for $FILES closes" "$closes" \
		$((FILES * 43 / 10))
	traced "$BUILD/trailctl" sync "$mnt"
	at_most "pages of the log for $FILES files" $((closes + $(frames))) \
		$((FILES * 5))
}

# While files are closed one after the other, two seals per second take them all.
seals_take_many_files() {
	mount_with -o settle=2
	began=$(date +%s)
	traced create "$mnt/t/w/a" $((FILES * 3))
	took=$(($(date +%s) - began))
	at_most "commits for $((FILES * 3)) closes in $took s, and their seals" \
		"$(calls fdatasync)" $((FILES * 3 + took * 3 + 10))
}

# The thread that reads the close of a single writer commits it and wakes nobody.
# Where a request of the kernel itself comes between, 16 are left to the other
# thread.  Threads that read requests have a buffer of 1 MiB and a page for them.
a_close_wakes_nobody() {
	mount_with
	traced create "$mnt/t/w/a" $FILES
	at_most "closes out of $FILES that another thread commits" \
		"$(awk '/read.*, 1052672\)/ { reads[$1] = 1 }
			/ (fdatasync|fsync)\(/ { syncs[$1]++ }
			END {
				for (t in syncs)
					if (!(t in reads))
						n += syncs[t]
				print n + 0
			}' "$work/calls")" $((FILES / 3))
	at_most "threads woken for $FILES files" \
		"$(grep FUTEX_WAKE "$work/calls" | grep -vc ' = 0$')" \
		$((FILES * 2))
}

# A file written by a shell costs one flush more than another one.
# The shell closes a copy of its descriptor before it writes.  That close looks
# like the close of a file that stays empty, which costs one flush.
a_shell_is_one_flush_more() {
	mount_with
	# shellcheck disable=SC2016
	traced sh -c 'for i in $(seq "$2"); do echo "$i" >"$1/$i"; done' \
		sh "$mnt/t/w/a" $FILES
	at_most "flushes for $FILES files of a shell" \
		"$(calls 'fdatasync|fsync')" $((FILES * 230 / 100))
	# shellcheck disable=SC2016
	traced sh -c 'for i in $(seq "$2"); do touch "$1/$i.lock"; done' \
		sh "$mnt/t/w/a" $FILES
	at_most "flushes for $FILES files by touch" \
		"$(calls 'fdatasync|fsync')" $((FILES * 125 / 100))
}

# Reading cached files costs the daemon 5 calls per file, to open and release.
reading_again_is_so_many_calls() {
	mount_with
	create "$mnt/t/w/a" $FILES
	"$BUILD/trailctl" sync "$mnt"
	cat "$mnt"/t/w/a/* >/dev/null
	traced cat "$mnt"/t/w/a/* >/dev/null
	at_most "system calls for reading $FILES files again" \
		"$(calls '[a-z0-9_]+')" $((FILES * 5))
}

# Writers that close at the same time share flushes: at most 1.1 per file.
four_writers_share_flushes() {
	mount_with
	mkdir "$mnt/t/w/a/1" "$mnt/t/w/a/2" "$mnt/t/w/a/3" "$mnt/t/w/a/4"
	# shellcheck disable=SC2016
	traced sh -c '
		for d in 1 2 3 4; do
			cp -r "$1" "$2/$d" &
		done
		wait' sh "$mnt/t/w/b" "$mnt/t/w/a"
	at_most "flushes for 80 closes by four writers" \
		"$(calls 'fdatasync|fsync')" 88
}

# With durability=batch, files become durable together, four times per second, and
# all that a seal still has to flush is flushed together.
a_batch_shares_flushes() {
	mount_with -o durability=batch
	began=$(date +%s)
	traced create "$mnt/t/w/a" $((FILES * 3))
	took=$(($(date +%s) - began))
	at_most "flushes for $((FILES * 3)) files in $took s with a batch" \
		"$(calls 'fdatasync|fsync')" $((took * 5 + 10))
	traced "$BUILD/trailctl" sync "$mnt"
	at_most "flushes for sealing them" "$(calls 'fdatasync|fsync')" 15
}

# With durability=batch, files that rsync renames share flushes, too.
a_rename_of_a_batch_is_no_flush() {
	mount_with -o durability=batch
	traced rsync -a "$mnt/t/w/b/" "$mnt/t/w/a/d"
	at_most "flushes for 20 files by rsync" \
		"$(calls 'fdatasync|fsync')" 10
}

# --- bytes --------------------------------------------------------------

# 4 KiB of evidence take at most 7,000 bytes of database.
# Bytes, row, entry, node, digest and tile took 5.6 KiB when this was set.
evidence_takes_so_many_bytes() {
	mount_with
	create "$mnt/t/w/a" 1000
	"$BUILD/trailctl" sync "$mnt"
	unmount
	size=$(stat -c %s "$store/ledger.db")
	at_most "bytes of database for 4 KiB of evidence" $((size / 1020)) 7000
}

with '/dev/fuse python3' a_small_file_is_so_many_requests \
	a_small_write_is_one_request \
	writes_of_a_stream_are_collected \
	walking_asks_next_to_nothing \
	a_first_walk_asks_for_no_name \
	a_long_file_is_no_read
with '/dev/fuse python3 strace' a_close_is_so_many_flushes_and_calls \
	a_close_is_one_write \
	a_close_is_one_lock \
	a_small_file_is_five_pages \
	seals_take_many_files \
	a_close_wakes_nobody \
	a_shell_is_one_flush_more \
	reading_again_is_so_many_calls \
	four_writers_share_flushes \
	a_batch_shares_flushes
with '/dev/fuse python3 rsync' a_file_by_rsync_is_so_many_requests
with '/dev/fuse python3 strace rsync' a_rename_of_a_batch_is_no_flush
with '/dev/fuse python3' evidence_takes_so_many_bytes
finish
