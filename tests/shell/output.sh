#!/bin/sh
# The files that trailctl makes (package -o, prove -o, verify --junit).  A
# device, pipe, link or directory is not replaced, and a killed command leaves
# no temporary file.
. "$(dirname "$0")/../suite.sh"

LC_ALL=C.UTF-8
patience_s=300

# only NAME...: the directory d holds exactly these, and no spool file is left.
only() {
	printf '%s\n' "$@" | sort >want
	# shellcheck disable=SC2012  # names that we chose
	ls -A d | sort | diff want -
	[ -z "$(find /var/tmp -maxdepth 1 -name '.trailctl.*')" ]
}

# The directory d is empty.
nothing() {
	# shellcheck disable=SC2012  # only to be shown
	ls -lA d >left
	[ -n "$(ls -A d)" ] || return 0
	cat left
	exit 1
}

# Make d, an empty directory.
fresh() {
	rm -rf d && mkdir d
}

# Make a store, a package, a proof and a report to compare with.
a_store_is_made() {
	is 0 trailctl init --origin example.org/output store
	cp out vkey
	mount store -o settle=0
	mkdir mnt/t mnt/t/w mnt/t/w/a mnt/t/x mnt/t/x/b
	head -c 3000000 /dev/urandom >mnt/t/w/a/noise
	seq 1000 >mnt/t/w/a/numbers
	trailctl seal mnt/t/w
	unmount
	cp -a store still # no entries more
	is 0 trailctl package --no-entry -o good.zip store/t/w
	is 0 trailctl prove -o good.proof store/t/w/a/noise
	is 0 trailctl verify --vkey vkey --junit good.xml store
}

# A new file gets the mode that the umask gives, and no other file is left.
a_file_is_made_with_the_usual_mode() {
	fresh
	(
		umask 027
		is 0 trailctl package --no-entry -o d/x.zip store/t/w
		is 0 trailctl prove -o d/p store/t/w/a/noise
	)
	cmp d/x.zip good.zip
	cmp d/p good.proof
	[ "$(stat -c %a d/x.zip d/p | uniq)" = 640 ]
	only x.zip p
}

# A file is replaced, not overwritten: a hard link keeps the old content.
an_ordinary_file_is_replaced_whole() {
	fresh
	echo old >d/x
	ln d/x d/other
	is 0 trailctl package --no-entry -o d/x store/t/w
	cmp d/x good.zip
	[ "$(cat d/other)" = old ]
	is 0 trailctl prove -o d/x store/t/w/a/noise
	cmp d/x good.proof
	is 0 trailctl verify --vkey vkey --junit d/x store
	grep -q testsuite d/x
	only x other
}

# A command that fails leaves the earlier file as it was.
a_failed_command_leaves_the_earlier_file() {
	fresh
	echo old >d/x
	is 3 trailctl package --no-entry -o d/x store/t/none
	is 3 trailctl prove -o d/x nowhere/t
	[ "$(cat d/x)" = old ]
	is 3 trailctl package --no-entry -o d/none/x store/t/w
	only x
}

# Output goes into a named pipe and never replaces it.
a_pipe_stays_a_pipe() {
	fresh
	mkfifo d/pipe
	timeout 60 cat d/pipe >got.zip &
	is 0 trailctl package --no-entry -o d/pipe store/t/w
	wait $!
	cmp got.zip good.zip
	timeout 60 cat d/pipe >got.proof &
	is 0 trailctl prove -o d/pipe store/t/w/a/noise
	wait $!
	cmp got.proof good.proof
	[ -p d/pipe ]
	only pipe
}

# Output follows a symlink and does not replace it; a dangling one is refused.
a_link_stays_a_link() {
	fresh
	mkdir elsewhere
	echo a-much-longer-file-than-the-proof-will-be >elsewhere/x
	seq 1000 >>elsewhere/x
	ln -s ../elsewhere/x d/link
	is 0 trailctl package --no-entry -o d/link store/t/w
	cmp elsewhere/x good.zip
	is 0 trailctl prove -o d/link store/t/w/a/noise
	cmp elsewhere/x good.proof
	[ "$(readlink d/link)" = ../elsewhere/x ]
	[ "$(ls -A elsewhere)" = x ]
	ln -s nothing d/dangling
	is 3 trailctl package --no-entry -o d/dangling store/t/w
	is 3 trailctl prove -o d/dangling store/t/w/a/noise
	[ "$(readlink d/dangling)" = nothing ]
	only link dangling
}

# A directory as output is refused and stays empty.
a_directory_is_no_file() {
	fresh
	mkdir d/dir
	is 3 trailctl package --no-entry -o d/dir store/t/w
	is 3 trailctl prove -o d/dir store/t/w/a/noise
	only dir
	[ -z "$(ls -A d/dir)" ]
}

# Output into a device node does not replace it; a full device is an error.
a_device_stays_a_device() {
	can_make_devices || skip 'no devices can be made here'
	fresh
	mknod d/null c 1 3
	is 0 trailctl package --no-entry -o d/null store/t/w
	is 0 trailctl prove -o d/null store/t/w/a/noise
	is 0 trailctl verify --vkey vkey --junit d/null store
	[ "$(stat -c '%F %t %T' d/null)" = 'character special file 1 3' ]
	mknod d/full c 1 7
	for what in package prove; do
		got=0
		if [ $what = package ]; then
			trailctl package --no-entry -o d/full store/t/w || got=$?
		else
			trailctl prove -o d/full store/t/w/a/noise || got=$?
		fi
		[ "$got" -eq 3 ]
	done
	[ "$(stat -c '%F %t %T' d/full)" = 'character special file 1 7' ]
	only null full
}

# True if device nodes can be made and used here.
can_make_devices() {
	[ "$(id -u)" -eq 0 ] && mknod null c 1 3 2>/dev/null &&
		: 2>/dev/null >null
}

# The leak checker needs to trace the program itself, so it is off here.
untraced=${ASAN_OPTIONS-}:detect_leaks=0

# killed SIGNAL CALL N COMMAND...: send it that signal in its N-th system call
# of that name.  False if it made fewer such calls.
killed() {
	signal=$1 call=$2 n=$3
	shift 3
	got=0
	ASAN_OPTIONS=$untraced \
		timeout 120 strace -f -qq -o trace -e trace="$call" \
		-e inject="$call:signal=$signal:when=$n" "$@" \
		>out 2>err || got=$?
	[ "$got" -ne 0 ]
}

# A command killed at any system call leaves the whole output or nothing.
a_killed_program_leaves_nothing() {
	for signal in KILL INT; do
		for call in openat pwrite64 fdatasync linkat renameat; do
			n=1
			while fresh && killed "$signal" "$call" "$n" trailctl \
				package --no-entry -o d/x.zip store/t/w; do
				# The whole package, or none.
				[ ! -e d/x.zip ] || cmp d/x.zip good.zip
				rm -f d/x.zip
				nothing
				[ "$n" -lt 40 ] || break
				n=$((n + 1))
			done
		done
		fresh
		killed "$signal" linkat 1 trailctl prove -o d/x \
			store/t/w/a/noise
		rm -f d/x
		nothing
		killed "$signal" linkat 1 trailctl verify --vkey vkey \
			--junit d/x store
		rm -f d/x
		nothing
	done
}

# SIGINT during a replacement leaves the old or the new file.
# The signal waits until the second name is removed.
a_file_that_is_replaced_is_the_old_or_the_new_one() {
	for call in linkat rename unlink; do
		fresh
		echo old >d/x
		killed INT $call 1 trailctl package --no-entry -o d/x \
			store/t/w || :
		[ "$(cat d/x)" = old ] || cmp d/x good.zip
		only x
	done
}

# Where a temporary file needs a name, a signal removes it.
# A mount has no unnamed files.  An ignored signal stays ignored.
without_unnamed_files_signals_clean_up() {
	mount store -o settle=0
	is 0 trailctl package --no-entry -o mnt/t/x/b/x.zip still/t/w
	cmp mnt/t/x/b/x.zip good.zip
	for signal in INT TERM HUP; do
		killed "$signal" fdatasync 1 trailctl package --no-entry \
			-o mnt/t/x/b/$signal.zip still/t/w
		# shellcheck disable=SC2012  # names that we chose
		[ "$(ls -A mnt/t/x/b)" = x.zip ]
	done
	# A signal that was ignored before the start stays ignored.
	# shellcheck disable=SC2016  # for the inner shell
	is 0 env ASAN_OPTIONS="$untraced" sh -c \
		'trap "" HUP; exec "$@"' - strace -f -qq -o trace \
		-e trace=fdatasync -e inject=fdatasync:signal=HUP:when=1 \
		trailctl package --no-entry -o mnt/t/x/b/hup.zip still/t/w
	cmp mnt/t/x/b/hup.zip good.zip
	unmount
}

# A killed export leaves whole tiles only; the next export is whole.
an_export_that_is_killed_leaves_no_half_tile() {
	for n in 1 2 3; do
		rm -rf log
		killed KILL linkat $n trailctl export-log store log || :
		[ -z "$(find log -name '.*' -o -name '*.tmp')" ]
		# A new export starts afresh.
		rm -rf log
		is 0 trailctl export-log store log
		is 0 trailctl verify --vkey vkey log
	done
}

with /dev/fuse a_store_is_made \
	a_file_is_made_with_the_usual_mode \
	an_ordinary_file_is_replaced_whole \
	a_failed_command_leaves_the_earlier_file \
	a_pipe_stays_a_pipe \
	a_link_stays_a_link \
	a_directory_is_no_file \
	a_device_stays_a_device
with '/dev/fuse strace' a_killed_program_leaves_nothing \
	a_file_that_is_replaced_is_the_old_or_the_new_one \
	without_unnamed_files_signals_clean_up \
	an_export_that_is_killed_leaves_no_half_tile
finish
