#!/bin/sh
# The mount as a service of systemd: what it tells systemd, and that the watchdog
# hears of a daemon that answers no requests.
# shellcheck disable=SC2016 # commands for another shell
. "$(dirname "$0")/../suite_tools.sh"
show_output=

# ./systemd COMMAND...: run a service of Type=notify with a watchdog, and write each
# message that it sends to the file told.  Like systemd, not a shell: the process
# that is started is the main process.
cat >systemd <<'END'
import os, socket, sys, threading
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('notify')
log = open('told', 'wb', buffering=0)
def listen():
    while (line := s.recv(8192)) != b'end':
        log.write(line + b'\n')
listener = threading.Thread(target=listen)
listener.start()
pid = os.fork()
if pid == 0:
    os.environ.update(NOTIFY_SOCKET=os.path.abspath('notify'),
        WATCHDOG_USEC='400000', WATCHDOG_PID=str(os.getpid()))
    os.execvp(sys.argv[1], sys.argv[1:])
open('pid', 'w').write(str(pid))
status = os.waitpid(pid, 0)[1]
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'end', 'notify')
listener.join()
sys.exit(os.waitstatus_to_exitcode(status))
END

# starts STORE [OPTION...]: the service, in the background.
starts() {
	rm -f notify told pid
	python3 systemd trailfs -f "$1" "$mnt" &
	service=$!
	hears READY=1 1
}

# hears MESSAGE NUMBER: at least so many of these.
hears() {
	timeout 60 sh -c 'until [ "$(grep -c "^$1$" told 2>/dev/null)" -ge "$2" ]
	do sleep 0.05; done' sh "$1" "$2"
}

# A request of the watchdog that is under way keeps the mount busy.
is_taken_off() {
	timeout 60 sh -c "until umount mnt 2>/dev/null; do sleep 0.05; done"
	wait "$service"
}

# A daemon that does not run is not alive, and is when it runs again.
the_watchdog_asks_the_mount() {
	hears WATCHDOG=1 3
	kill -STOP "$(cat pid)"
	# One request may have been answered before.
	sleep 0.5
	before=$(wc -l <told)
	sleep 2
	[ "$(wc -l <told)" -eq "$before" ]
	kill -CONT "$(cat pid)"
	hears WATCHDOG=1 $((before + 3))
}

# It says READY once it serves, and then that it is alive.
a_service_is_watched() {
	a_store_is_made
	starts store
	hears 'STATUS=opening .*/store' 1
	hears 'STATUS=.*/store is mounted at .*/mnt' 1
	mkdir mnt/t
	watch=$(pgrep -P "$(cat pid)" -x trailfs-watch)
	# It keeps CAP_DAC_READ_SEARCH of root.
	if [ "$(id -u)" -eq 0 ]; then
		grep -qx 'CapBnd:.0*4' "/proc/$watch/status"
		grep -qx 'CapPrm:.0*4' "/proc/$watch/status"
		grep -qx 'Seccomp:.2' "/proc/$watch/status"
	fi
	the_watchdog_asks_the_mount
	is_taken_off
	hears 'STATUS=unmounted: .*' 1
	# Nothing is left for systemd to kill.
	if kill -0 "$watch" 2>/dev/null; then exit 1; fi
}

# A start that fails says why, also to systemd.
a_failed_start_says_why() {
	mkdir -p empty
	rm -f notify told pid
	is 1 python3 systemd trailfs -f empty "$mnt"
	grep '^STATUS=failed: .*empty' told
}

# Also for a store of another user, who may not ask the mount himself.
a_service_of_another_user_is_watched() {
	[ "$(id -u)" -eq 0 ] || skip 'only root mounts for another user'
	chmod 755 "$work"
	chown -R games store
	starts store
	the_watchdog_asks_the_mount
	is_taken_off
	chown -R 0 store
}

# After kill -9 nothing is left that says it is alive, and the next start takes the
# dead mount off.
a_killed_service_is_not_alive() {
	starts store
	hears WATCHDOG=1 1
	watch=$(pgrep -P "$(cat pid)" -x trailfs-watch)
	kill -9 "$(cat pid)"
	wait "$service" || :
	timeout 60 sh -c "while kill -0 $watch 2>/dev/null; do sleep 0.1; done"
	is 1 stat mnt/t
	complains 'not connected'
	starts store
	is 0 stat mnt/t
	is_taken_off
}

# mount(8) runs it by another name.
it_is_called_trailfs() {
	ln -s "$BUILD/trailfs" mount.fuse.trailfs
	timeout 30 ./mount.fuse.trailfs store "$mnt" -o rw
	pid=$(daemon_of store)
	[ "$(cat "/proc/$pid/comm")" = trailfs ]
	unmount
}

# ./autofs DIRECTORY COMMAND...: autofs at DIRECTORY, as of automount(8) and of systemd:
# COMMAND mounts there when a program enters it, twice.  It writes a file asked-N.
cat >autofs <<'END'
import ctypes, fcntl, os, struct, subprocess, sys
at, command = sys.argv[1], sys.argv[2:]
DIRECT, READY, FAIL = 5, 0x9360, 0x9361
os.setpgid(0, 0)
r, w = os.pipe()
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b'autofs', at.encode(), b'autofs', 0,
    b'fd=%d,pgrp=%d,minproto=5,maxproto=5,direct' % (w, os.getpgrp())) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.close(w)
root = os.open(at, os.O_RDONLY | os.O_DIRECTORY)
open('asked-0', 'w')
for n in '12':
    _, kind, token = struct.unpack('iiI', os.read(r, 4096)[:12])
    assert kind == DIRECT
    open('asked-' + n, 'w')
    ok = subprocess.run(command).returncode == 0
    fcntl.ioctl(root, READY if ok else FAIL, token)
END

# daemon_of STORE: the process that has it open.
daemon_of() {
	sed -n 's/.* pid \([0-9]*\)$/\1/p' "$1/lock"
}

# A mount point of autofs lets in the process group of mount(8) alone until it is
# mounted.  Nor does a daemon whose mount was taken off ask it, while the next one
# waits for its store.
autofs_mounts_it() {
	[ "$(id -u)" -eq 0 ] || skip 'only root mounts autofs'
	grep -qw autofs /proc/filesystems || skip 'no autofs in this kernel'
	rm -f asked-*
	timeout -s KILL 120 python3 autofs "$mnt" trailfs store "$mnt" &
	server=$!
	until_true test -e asked-0
	timeout -s KILL 60 mkdir mnt/t/first
	mounter=$(pgrep -P "$(daemon_of store)" -x trailfs-mounter)
	kill -STOP "$mounter"
	umount mnt
	timeout -s KILL 60 mkdir mnt/t/second &
	until_true test -e asked-2
	kill -CONT "$mounter"
	wait $!
	wait "$server"
	[ -d mnt/t/first ]
	[ -d mnt/t/second ]
	unmount
	umount "$mnt"
}

# sessions PID: of this process and of all that it started.
sessions() {
	ps -o sid= -p "$1"
	for child in $(pgrep -P "$1"); do
		sessions "$child"
	done
}

# A signal to the session or the group of whoever mounted reaches nothing of it.
nothing_stays_in_the_session_of_its_caller() {
	mount store
	sessions "$(daemon_of store)" >sids
	[ "$(wc -l <sids)" -ge 5 ]
	if grep -w "$(ps -o sid= -p $$ | tr -d ' ')" sids; then exit 1; fi
	unmount
}

# Nobody asks for it: no process more.
without_a_watchdog_there_is_none() {
	mount store
	pid=$(daemon_of store)
	if pgrep -P "$pid" -x trailfs-watch; then exit 1; fi
	unmount
}

# What systemd says of the unit; a service that mounts cannot have a mount namespace
# of its own, which is most of what is left.
the_unit_is_confined() {
	unit=$top/tools/systemd/trailfs@.service
	is 0 systemd-analyze security --offline=true --threshold=55 --no-pager \
		"$unit"
	if grep -E '^(Protect(System|Home|Proc|Kernel|ControlGroups)|Private|ReadWrite|ReadOnly|Inaccessible|Temporary|Bind|Root|Dynamic)' "$unit"; then
		exit 1
	fi
}

# expanded WORD...: the system calls, of groups too.
expanded() {
	for w; do
		case $w in
		@*)
			# shellcheck disable=SC2046 # a list
			expanded $(systemd-analyze --no-pager syscall-filter \
				"$w" | sed -n '2,$s/^ *\([-@a-z0-9_]*\)$/\1/p')
			;;
		*) echo "$w" ;;
		esac
	done
}

# Each call that the filter of the daemon or of its signer allows is also allowed by
# the unit, which would make it fail.
the_unit_allows_what_the_daemon_calls() {
	sed -n 's/^	TF_CALL\(_IF\)\{0,1\}(\([a-z0-9_]*\)[,)].*/\2/p' \
		"$top/fs/seccomp.c" "$top/core/sign/fence.c" | sort -u >called
	[ "$(wc -l <called)" -gt 100 ]
	# shellcheck disable=SC2046 # a list
	expanded $(sed -e ':a' -e '/\\$/N; s/\\\n//; ta' \
		"$top/tools/systemd/trailfs@.service" |
		sed -n 's/^SystemCallFilter=//p') | sort -u >allowed
	[ "$(wc -l <allowed)" -gt 200 ]
	comm -23 called allowed >missing
	[ ! -s missing ] || {
		cat missing
		exit 1
	}
}

with 'python3 pgrep' a_service_is_watched a_failed_start_says_why \
	a_service_of_another_user_is_watched \
	a_killed_service_is_not_alive it_is_called_trailfs \
	without_a_watchdog_there_is_none autofs_mounts_it \
	nothing_stays_in_the_session_of_its_caller
with systemd-analyze the_unit_is_confined the_unit_allows_what_the_daemon_calls
finish
