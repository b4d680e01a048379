#!/bin/sh
# The log of the mount in the journal of systemd: a real systemd-journald that
# runs in a mount namespace of its own, with its sockets and files there.  And
# where the lines go if there is no journal.
# shellcheck disable=SC2016 # commands for a shell in that namespace
. "$(dirname "$0")/../suite_tools.sh"
show_output=
journald=/lib/systemd/systemd-journald

# ./with_journal COMMANDS: these run beside a journald, and what it has recorded of
# trailfs becomes the file lines, one JSON object per line.
cat >with_journal <<END
#!/bin/sh
exec unshare -m sh -e -c '
	mkdir -p /run/systemd /run/log
	mount -t tmpfs none /run/systemd
	mount -t tmpfs none /run/log
	mkdir -p /run/systemd/journal /run/log/journal
	$journald >journald.log 2>&1 &
	journald=\$!
	for i in \$(seq 300); do
		[ ! -S /run/systemd/journal/socket ] || break
		sleep 0.1
	done
	'"\$1"'
	flock -w 60 store/lock true
	journalctl --sync || :
	kill \$journald
	wait \$journald || :
	journalctl -D /run/log/journal -o json --no-pager -t trailfs >lines'
END
chmod +x with_journal

# journald runs here.
a_journal_is_there() {
	unshare -m true || skip 'only root makes a mount namespace'
	[ -x $journald ] || skip 'systemd-journald is not installed'
	a_store_is_made
	./with_journal 'systemd-cat -t trailfs echo here; sleep 1' ||
		skip 'systemd-journald does not run here'
	grep -q here lines
}

# The lines of one mount, with a refusal, a crash, damage, and foreign files.
a_vault_has_a_day() {
	echo >store/report.pdf
	./with_journal '
		end() { umount mnt; flock -w 60 store/lock true; }
		trailfs store mnt -o settle=0
		mkdir -p mnt/t/w/a
		head -c 200000 /dev/zero >mnt/t/w/a/f
		trailctl sync mnt
		trailctl key rotate attester mnt
		! rm mnt/t/w/a/f
		stat -c %i mnt/t/w/a/f >inode
		echo unsealed >mnt/t/w/a/g
		pid=$(sed -n "s/.* pid \([0-9]*\)$/\1/p" store/lock)
		echo $pid >pid
		exec 9>mnt/t/w/a/h
		echo cut off >&9
		kill -9 $pid
		exec 9>&- || :
		trailfs store mnt -o settle=0
		object=$(find store/objects -type f -size +100k)
		chmod u+w $object
		printf x | dd of=$object bs=1 conv=notrunc status=none
		! cat mnt/t/w/a/f
		for i in $(seq 120); do ! rmdir mnt/t; done 2>/dev/null
		sleep 1
		! rmdir mnt/t
		end'
	[ "$(wc -l <lines)" -gt 20 ]
}

# kind ID: the lines of that kind, as the manual names it.
kind() {
	id=$(sed -n "/^\.It Sy $1 /{n;s/^\.Ql //p;}" "$top/man/trailfs-monitor.8")
	[ ${#id} -eq 32 ]
	jq -c "select(.MESSAGE_ID == \"$id\")" lines >found
	[ -s found ] || {
		echo "no line of kind $1:"
		jq -r '.MESSAGE_ID + " " + .MESSAGE' lines
		exit 1
	}
}

# has CONDITION: of the lines found, those that fit it are in the file one; some do.
has() {
	jq -c "select($1)" found >one
	[ -s one ] || {
		echo "no line with $1:"
		cat found
		exit 1
	}
}

# Each kind of message has its id, its priority and its fields.
each_kind_is_found_by_its_id() {
	set -x
	kind daemon
	jq -r .MESSAGE found | grep -q ' mounted at '
	jq -r .MESSAGE found | grep -q ' closed (unmounted)'
	kind refused
	has '.TRAILFS_OPERATION == "unlink"'
	[ "$(jq -r '.TRAILFS_UID, .TRAILFS_ERRNO, .TRAILFS_CODE, .PRIORITY' \
		one | head -4 | tr '\n' ' ')" = '0 EPERM sealed 4 ' ]
	has '(.TRAILFS_PID | tonumber) > 0 and (.TRAILFS_NODE | tonumber) > 0'
	kind damage
	jq -r .MESSAGE found | grep -q '^t/w/a/f (node .* is damaged'
	has '.TRAILFS_ERRNO == "EIO"'
	[ "$(jq -r .PRIORITY found | sort -u)" = 3 ]
	kind store
	jq -r .MESSAGE found | grep -q '^report.pdf does not belong'
	kind vault
	kind key
	has '.MESSAGE == "the old key of the attester is wiped"'
	[ "$(jq -r .PRIORITY one)" = 5 ]
	kind dropped
	jq -r .MESSAGE found | grep -q '^[0-9]* lines before this one'
	# All lines have an id, an origin and a process.
	jq -c 'select(.MESSAGE_ID == null or ._TRANSPORT != "journal" or
		.SYSLOG_PID != ._PID)' lines >one
	diff /dev/null one
	grep -q "\"$(cat pid)\"" lines
}

# The ids of the manual are those of the program, and no two are one.
the_manual_has_each_id() {
	grep -o '"[0-9a-f]\{32\}"' "$top/fs/journal.c" | tr -d '"' |
		sort >made
	[ "$(sort -u made | wc -l)" -eq 10 ]
	sed -n 's/^\.Ql \([0-9a-f]\{32\}\)$/\1/p' "$top/man/trailfs-monitor.8" |
		sort >described
	diff made described
}

# Requests that a machine cannot serve are another kind than refused ones.
a_full_disk_is_a_failure() {
	./with_journal '
		rm -rf store; mkdir -p disk
		mount -t tmpfs -o size=30m none disk
		trailctl init --origin e/x disk/store >vkey; ln -s disk/store store
		trailfs disk/store mnt
		mkdir -p mnt/t/w/a
		! head -c 40000000 /dev/zero >mnt/t/w/a/f
		umount mnt
		flock -w 60 disk/store/lock true'
	rm store
	kind failed
	has '.TRAILFS_ERRNO == "ENOSPC"'
	a_store_is_made
}

# A service logs to the journal with fields also in the foreground, and to a
# terminal or a file as it is.
the_foreground_of_a_service_is_the_journal() {
	# What systemd sets for a service.
	cat >as_a_service <<-'END'
	JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)
	export JOURNAL_STREAM
	exec trailfs "$@"
	END
	./with_journal '
		systemd-cat -t cat sh as_a_service -f store mnt &
		for i in $(seq 300); do
			! mountpoint -q mnt || break
			sleep 0.1
		done
		mkdir mnt/t
		! rmdir mnt/t
		umount mnt
		wait $!'
	kind refused
	[ "$(jq -r ._TRANSPORT found | sort -u)" = journal ]
	./with_journal '
		trailfs -f store mnt 2>stderr &
		for i in $(seq 300); do
			! mountpoint -q mnt || break
			sleep 0.1
		done
		! rmdir mnt/t
		umount mnt
		wait $!'
	grep -q '^trailfs: refused: rmdir ' stderr
	[ ! -s lines ]
}

# A journal that does not read stops no request.
a_journal_that_hangs_stops_nothing() {
	./with_journal '
		trailfs store mnt
		kill -STOP $journald
		timeout 60 sh -c "for i in \$(seq 300)
			do rmdir mnt/t 2>/dev/null && exit 1; done; true"
		timeout 60 trailctl status mnt >status
		kill -CONT $journald
		umount mnt'
	kind refused
}

# A journal that is started again gets what is logged from then on.
a_journal_that_starts_again_is_found() {
	./with_journal "
		trailfs store mnt
		kill \$journald
		wait \$journald || :
		rm -f /run/systemd/journal/socket
		$journald >>journald.log 2>&1 &
		journald=\$!
		for i in \$(seq 300); do
			[ ! -S /run/systemd/journal/socket ] || break
			sleep 0.1
		done
		! rmdir mnt/t
		umount mnt"
	kind refused
}

# Without a journal lines go to syslog.
without_a_journal_there_is_syslog() {
	cat >listen <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind('/dev/log')
	open('listening', 'w')
	s.settimeout(60)
	while True:
	    line = s.recv(4096).decode()
	    print(line, flush=True)
	    if ' closed (' in line:
	        break
	END
	unshare -m sh -e -c '
		mkdir -p /run/systemd
		mount -t tmpfs none /run/systemd
		mount -t tmpfs none /dev
		mknod /dev/null c 1 3
		mknod /dev/fuse c 10 229
		chmod 666 /dev/null /dev/fuse
		python3 listen >lines &
		timeout 60 sh -c "until [ -e listening ]; do sleep 0.1; done"
		trailfs store mnt
		! rmdir mnt/t
		umount mnt
		wait $!'
	grep -q 'trailfs\[[0-9]*\]: refused: rmdir ' lines
	grep -q 'trailfs\[[0-9]*\]: .* mounted at ' lines
}

with 'unshare jq journalctl systemd-cat' a_journal_is_there
if [ -s "$work/lines" ]; then
	run a_vault_has_a_day each_kind_is_found_by_its_id \
		a_full_disk_is_a_failure \
		the_foreground_of_a_service_is_the_journal \
		a_journal_that_hangs_stops_nothing \
		a_journal_that_starts_again_is_found
fi
run the_manual_has_each_id
with 'unshare python3' without_a_journal_there_is_syslog
finish
