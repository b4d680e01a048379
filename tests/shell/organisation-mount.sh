#!/bin/sh
# trailfs DIRECTORY MOUNTPOINT -o ro: all copies of an organisation in one mount.
. "$(dirname "$0")/../suite.sh"
shared_mount=yes

# A name with all bytes that an origin may have and a path may not.
odd='..~example.org:8080//-._~/../x'

# host NAME ORIGIN: a store with small and large evidence, which is not mounted.
host() {
	trailctl init --origin "$2" "$1" >/dev/null 2>&1
	mount "$1"
	mkdir "$mnt/trail" "$mnt/trail/run" "$mnt/trail/run/a1"
	echo "evidence of $1" >"$mnt/trail/run/a1/report"
	seq -f "$1 %.0f" 300000 >"$mnt/trail/run/a1/large"
	trailctl seal "$mnt/trail/run/a1" >/dev/null
	unmount
}

# origins: the directories of the copies, a line each.
origins() {
	(cd copies && for d in *; do [ ! -f "$d/mirror" ] || echo "$d"; done)
}

# join_in NAME: give what the store has to the organisation.
join_in() {
	trailctl forward -q --once "$1" dir:org
}

# enrol NAME: this store becomes a member.
enrol() {
	trailctl org enrol dir:org "$1/keys/log.vkey" >/dev/null
}

# Bring the copies up to date.
fetch() {
	trailctl org fetch -q dir:org copies
}

# start [OPTION...]: the router in the foreground, with its log.
start() {
	trailfs -f copies "$mnt" -o "ro${1:+,$1}" >>log 2>&1 &
	echo $! >router
	# A mount that is dead from before is a mount point, too.
	until ls "$mnt" >/dev/null 2>&1 && mountpoint -q "$mnt"; do
		kill -0 "$(cat router)"
		sleep 0.05
	done
}

# stop: unmount, and wait for the router.
stop() {
	umount "$mnt"
	until_true gone "$(cat router)"
}

# served: the processes that serve origins now.
served() {
	for p in $(children "$(cat router)"); do
		children "$p"
	done
	return 0
}

# daemon_of DIRECTORY: the process that serves it now.
daemon_of() {
	for q in $(served); do
		if tr '\0' '\n' 2>/dev/null <"/proc/$q/cmdline" |
			grep -qxF "$work/copies/$1"; then
			echo "$q"
		fi
	done
}

# children PID: its processes.
children() {
	cat "/proc/$1/task"/*/children 2>/dev/null
}

# gone PID: it has ended.
gone() {
	[ ! -d "/proc/$1" ]
}

# as_archive DIRECTORY: all below it with owners, modes and times, as one stream.
as_archive() {
	(cd "$1" && tar --sort=name --format=posix \
		--pax-option=exthdr.name=%d/%f,delete=atime -cf - -- *)
}

# without COMMAND...: it fails.
without() {
	if "$@" 2>/dev/null; then exit 1; fi
}

# Make an organisation of three hosts, one of which has a strange name.
copies_can_be_fetched() {
	trailctl org init --origin example.org/all --keys org-keys dir:org \
		>/dev/null 2>&1
	host alpha example.org/alpha
	host beta example.org/beta
	host odd "$odd"
	host delta example.org/delta
	for h in alpha beta odd; do
		enrol $h
		join_in $h
	done
	fetch
	origins >names
	[ "$(wc -l <names)" -eq 3 ]
	cat names
}

# What cannot work is refused with a reason, and nothing is mounted.
a_mount_that_makes_no_sense_is_refused() {
	is 1 trailfs copies "$mnt"
	complains 'read only: -o ro'
	is 1 trailfs copies "$mnt" -o ro,streams=on
	complains 'streams=on has no meaning'
	is 1 trailfs copies "$mnt" -o ro,moved
	complains 'moved has no meaning'
	mkdir empty
	is 1 trailfs empty "$mnt" -o ro
	is 2 trailfs copies/example.org%2Falpha /dev/fd/9
	complains 'a connection is for -o ro'
	without mountpoint -q "$mnt"
}

# The root lists the origins and nothing else, and starts no daemon.
the_root_lists_the_origins() {
	mkdir copies/other
	echo text >copies/file
	start
	ls "$mnt" >listed
	cmp listed names
	ls -la "$mnt" >long
	stat "$mnt"/* >/dev/null
	[ -z "$(served)" ]
	df "$mnt" "$mnt/example.org%2Falpha" >space
	[ "$(grep -c " $mnt$" space)" -eq 2 ]
	without ls "$mnt/other"
	[ "$(ls "$mnt/.trailfs")" = metrics ]
	grep -q 'other is no copy' log
	rmdir copies/other
	rm copies/file
}

# Each origin shows what a mount of its copy shows.
an_origin_is_as_its_own_mount() {
	mkdir -p single
	while read -r name; do
		trailfs -o ro "copies/$name" single
		diff -r "$mnt/$name" single
		(cd single && find . -printf '%p %y %m %u %g %s %t %n\n') |
			sort | grep -v '^\. ' >one
		(cd "$mnt/$name" && find . -printf '%p %y %m %u %g %s %t %n\n') |
			sort | grep -v '^\. ' >two
		cmp one two
		as_archive single | sha256sum >one
		as_archive "$mnt/$name" | sha256sum >two
		cmp one two
		diff single/.trailfs/checkpoint "$mnt/$name/.trailfs/checkpoint"
		umount single
	done <names
	[ "$(sha256sum <"$mnt/example.org%2Falpha/trail/run/a1/large")" = \
		"$(seq -f 'alpha %.0f' 300000 | sha256sum)" ]
	cp "$mnt/example.org%2Fbeta/trail/run/a1/large" taken
	seq -f 'beta %.0f' 300000 | cmp - taken
}

# Nodes of two origins differ for programs, and a listing says what stat(2) says.
inode_numbers_differ_between_origins() {
	stat -c %i "$mnt"/*/trail "$mnt"/*/trail/run/a1/report \
		"$mnt"/*/.trailfs "$mnt"/*/.trailfs/status.json >numbers
	[ "$(sort -u <numbers | wc -l)" -eq 12 ]
	/usr/bin/python3 - "$mnt" <<-'END'
		import os, sys
		for top, dirs, files in os.walk(sys.argv[1]):
		    for e in os.scandir(top):
		        assert e.inode() == os.lstat(e.path).st_ino, e.path
		for o in os.listdir(sys.argv[1]):
		    d = os.path.join(sys.argv[1], o, ".trailfs")
		    for e in os.scandir(d):
		        assert e.inode() == os.lstat(e.path).st_ino, e.path
		END
	stat -c '%i %n' "$mnt"/*/trail/run/a1/report >first
	stop
	start
	stat -c '%i %n' "$mnt"/*/trail/run/a1/report | cmp - first
}

# Nothing can be written, at any depth.
writing_is_refused() {
	a=$mnt/example.org%2Falpha
	for f in "$mnt/x" "$a/x" "$a/trail/x" "$a/trail/run/a1/report"; do
		if (echo x >"$f") 2>err; then exit 1; fi
		grep -q 'Read-only file system' err
	done
	for c in mkdir rmdir; do
		is 1 $c "$a/trail/run/new"
	done
	is 1 chmod 777 "$a/trail"
	complains 'Read-only'
	is 1 mv "$a/trail" "$mnt/trail"
	is 1 setfattr -n user.x -v y "$a/trail/run/a1/report"
	[ "$(getfattr --only-values -n user.trailfs.state \
		"$a/trail/run/a1/report")" = sealed ]
}

# trailctl takes an origin in the mount, and paths below it.
trailctl_takes_an_origin() {
	while read -r name; do
		trailctl log "$mnt/$name" >log.mount
		trailctl log "copies/$name" | cmp - log.mount
		is 0 trailctl ls "$mnt/$name/trail"
		says run
		is 0 trailctl verify --vkey "copies/$name/keys/log.vkey" \
			"$mnt/$name"
	done <names
	is 0 trailctl status "$mnt/example.org%2Fbeta"
	says example.org/beta
	is 3 trailctl why "$mnt"
	complains 'this is the mount of all origins, give one of them: '
	is 3 trailctl verify "$mnt"
	complains 'this is the mount of all origins, give one of them: '
}

# A daemon that is killed costs its open files, and nobody else's.
a_killed_daemon_costs_its_open_files() {
	a=$mnt/example.org%2Falpha/trail/run/a1 b=$mnt/example.org%2Fbeta/trail/run/a1
	exec 7<"$a/large" 8<"$b/large"
	head -c 100000 <&7 >/dev/null
	head -c 100000 <&8 >/dev/null
	victim=$(daemon_of example.org%2Falpha)
	other=$(daemon_of example.org%2Fbeta)
	echo 3 >/proc/sys/vm/drop_caches || :
	kill -9 "$victim"
	until_true gone "$victim"
	without /usr/bin/python3 -c 'import os; os.pread(7, 65536, 3000000)'
	/usr/bin/python3 -c 'import os; assert len(os.pread(8, 65536, 3000000)) == 65536'
	grep -q "evidence of alpha" "$a/report"
	seq -f 'alpha %.0f' 300000 | cmp - "$a/large"
	exec 7<&- 8<&-
	[ "$(daemon_of example.org%2Falpha)" != "$victim" ]
	[ "$(daemon_of example.org%2Fbeta)" = "$other" ]
	grep -q 'the daemon of example.org%2Falpha ended: Killed' log
}

# A daemon that hangs makes nobody wait but those who use its origin, also when its
# socket takes nothing more.
a_daemon_that_hangs_stops_no_other() {
	cat >ask.py <<-'END'
		import os, sys, threading, time
		where, n = sys.argv[1], int(sys.argv[2])
		def ask(i):
		    try:
		        os.stat("%s/%s%d" % (where, "n" * 240, i))
		        os._exit(1)
		    except FileNotFoundError:
		        pass
		def call(t):
		    with open("/proc/self/task/%d/syscall" % t.native_id) as f:
		        return f.read().split()[0]
		lock = threading.Lock()
		lock.acquire()
		other = threading.Thread(target=lock.acquire, daemon=True)
		threading.stack_size(65536)
		all = [threading.Thread(target=ask, args=(i,)) for i in range(n)]
		for t in all + [other]:
		    t.start()
		# Until each is in one call, which is not that of a lock.
		while len(found := set(map(call, all))) > 1 or call(other) in found:
		    time.sleep(0.05)
		open("all-wait", "w")
		for t in all:
		    t.join()
		END
	cat "$mnt"/*/trail/run/a1/report >/dev/null
	victim=$(daemon_of example.org%2Falpha)
	kill -STOP "$victim"
	/usr/bin/python3 ask.py "$mnt/example.org%2Falpha/trail" 3000 &
	ask=$!
	until_true [ -e all-wait ]
	waited=''
	for _ in $(seq 20); do
		timeout 20 cat "$mnt/example.org%2Fbeta/trail/run/a1/report" \
			"$mnt/example.org%2Fbeta/.trailfs/status.json" \
			>/dev/null || waited='the reader'
		timeout 20 ls -la "$mnt" >/dev/null || waited='the list'
		[ -z "$waited" ] || break
	done
	grep '^State:.T' "/proc/$victim/status"
	kill -CONT "$victim"
	wait $ask
	[ -z "$waited" ]
	grep -q "evidence of alpha" "$mnt/example.org%2Falpha/trail/run/a1/report"
}

# A copy that is damaged is EIO, with a reason in the log; the others are served.
a_damaged_copy_is_an_error() {
	stop
	cp -a copies/example.org%2Falpha kept
	printf 'nonsense' | dd of=copies/example.org%2Falpha/ledger.db conv=notrunc \
		bs=1 seek=0 2>/dev/null
	: >log
	start
	is 2 ls "$mnt/example.org%2Falpha"
	complains 'Input/output error'
	grep -q 'the daemon of example.org%2Falpha ended with status' log
	ls "$mnt/example.org%2Fbeta/trail" >/dev/null
	rm -r copies/example.org%2Falpha
	mv kept copies/example.org%2Falpha
	until_true ls "$mnt/example.org%2Falpha/trail"
}

# The copy of a new origin appears in the mount, and that of a lost one goes.
origins_come_and_go() {
	enrol delta
	join_in delta
	mkdir -p later
	trailctl org fetch -q dir:org later
	start_names=$(ls "$mnt")
	cp -a later/example.org%2Fdelta .
	mv example.org%2Fdelta copies
	until_true ls "$mnt/example.org%2Fdelta/trail/run/a1/report"
	# shellcheck disable=SC2012 # no name has a line feed
	[ "$(ls "$mnt" | wc -l)" -eq $(($(echo "$start_names" | wc -l) + 1)) ]
	exec 7<"$mnt/example.org%2Fdelta/trail/run/a1/report"
	mv copies/example.org%2Fdelta .
	until_true without ls "$mnt/example.org%2Fdelta"
	[ "$(ls "$mnt")" = "$start_names" ]
	grep -q 'evidence of delta' <&7
	exec 7<&-
}

# A copy that has grown shows what is new, and files that are open stay.
a_copy_grows() {
	exec 7<"$mnt/example.org%2Fbeta/trail/run/a1/large"
	head -c 10 <&7 >/dev/null
	before=$(daemon_of example.org%2Fbeta)
	unmounted_add beta
	join_in beta
	fetch
	until_true grep -q 'more of beta' "$mnt/example.org%2Fbeta/trail/run/a2/report"
	daemon_of example.org%2Fbeta | grep -vqx "$before"
	tail -c 7 <&7 | grep -q 300000
	exec 7<&-
	until_true gone "$before"
}

# unmounted_add NAME: one more attestation in the store, at another mount point.
unmounted_add() {
	mkdir -p own
	trailfs "$1" own -o moved
	mkdir own/trail/run/a2
	echo "more of $1" >own/trail/run/a2/report
	trailctl seal own/trail/run/a2 >/dev/null
	umount own
	chattr -i own 2>/dev/null || :
	flock -w 60 "$1/lock" true
}

# Two users: a mode that keeps one out does so here, and auditors read.
modes_hold_for_other_users() {
	[ "$(id -u)" -eq 0 ] || skip 'only root can be other users'
	chmod 755 "$work"
	without setpriv --reuid 4711 --regid 4711 --clear-groups \
		ls "$mnt/example.org%2Falpha/trail"
	setpriv --reuid 4711 --regid 4711 --clear-groups ls "$mnt" >/dev/null
	stop
	start "auditors=$(getent group games | cut -d: -f1)"
	games=$(getent group games | cut -d: -f3)
	setpriv --reuid 4711 --regid 4711 --groups "$games" \
		cat "$mnt/example.org%2Falpha/trail/run/a1/report" >/dev/null
	without setpriv --reuid 4711 --regid 4711 --clear-groups \
		cat "$mnt/example.org%2Falpha/trail/run/a1/report"
}

# The config of one copy gives nobody a role in the mount of all, and says so; its own
# mount has that role.
roles_of_a_config_have_no_effect() {
	[ "$(id -u)" -eq 0 ] || skip 'only root can be other users'
	chmod 755 "$work"
	auditors=$(getent group games | cut -d: -f1)
	games=$(getent group games | cut -d: -f3)
	auditor="setpriv --reuid 4711 --regid 4711 --groups $games"
	at=copies/example.org%2Falpha
	[ ! -e $at/config ] || cp -p $at/config config.kept
	echo "auditors = $auditors" >>$at/config
	stop
	: >log
	start
	ls "$mnt/example.org%2Falpha" >/dev/null
	for f in trail/run/a1/report .trailfs/events.jsonl .trailfs/status.json; do
		# shellcheck disable=SC2086 # a command
		without $auditor cat "$mnt/example.org%2Falpha/$f"
	done
	without grep -q '"roles"' "$mnt/example.org%2Falpha/.trailfs/status.json"
	grep -q "auditors = $auditors in the config has no effect here" log
	stop
	mkdir -p single
	trailfs -o ro $at single
	$auditor cat single/trail/run/a1/report single/.trailfs/events.jsonl \
		>/dev/null
	umount single
	chattr -i single 2>/dev/null || :
	# A group that this machine lacks ends no daemon.
	echo 'auditors = no-such-group' >>$at/config
	: >log
	start reads=log
	ls "$mnt/example.org%2Falpha/trail" >/dev/null
	grep -q 'reads=log has no effect' log
	rm $at/config
	[ ! -e config.kept ] || mv config.kept $at/config
}

# The router and its daemons keep no privileges.
nobody_keeps_privileges() {
	cat "$mnt"/*/trail/run/a1/report >/dev/null
	for p in "$(cat router)" $(daemon_of example.org%2Falpha); do
		grep -q '^CapPrm:.*0000000000000000$' "/proc/$p/status"
		grep -q '^CapBnd:.*0000000000000000$' "/proc/$p/status"
		grep -q '^Seccomp:.*2$' "/proc/$p/status"
		grep -q '^NoNewPrivs:.*1$' "/proc/$p/status"
	done
	# Who starts daemons reads no request, and keeps what that needs.
	for p in $(children "$(cat router)"); do
		case $(cat "/proc/$p/comm") in
		trailfs-starter)
			starter=$p
			grep -q '^NoNewPrivs:.*1$' "/proc/$p/status"
			[ "$(id -u)" -ne 0 ] ||
				grep -qx 'CapBnd:.0*1e4' "/proc/$p/status"
			;;
		esac
	done
	[ "$starter" ]
}

# An unmount ends all daemons, also while others ask.
an_unmount_ends_all_daemons() {
	for _ in 1 2 3; do
		while cat "$mnt"/*/trail/run/a1/large >/dev/null 2>&1; do :; done &
	done
	all=$(daemon_of example.org%2Falpha; daemon_of example.org%2Fbeta)
	[ "$all" ]
	kill "$(cat router)"
	until_true gone "$(cat router)"
	for p in $all; do
		gone "$p"
	done
	wait
	without mountpoint -q "$mnt"
}

# A router that is killed takes its daemons with it, also one that hangs, and the next
# mount works.
a_killed_router_takes_its_daemons_along() {
	start
	cat "$mnt"/*/trail/run/a1/report >/dev/null
	all=$(daemon_of example.org%2Falpha; daemon_of example.org%2Fbeta)
	[ "$(echo "$all" | wc -l)" -eq 2 ]
	kill -STOP "$(daemon_of example.org%2Fbeta)"
	kill -9 "$(cat router)"
	for p in $all; do
		until_true gone "$p"
	done
	is 2 ls "$mnt"
	start
	ls "$mnt/example.org%2Falpha/trail" >/dev/null
	stop
}

# Copies with names alone get their bytes from the process beside them.
copies_without_bytes_ask_for_them() {
	whole=$work/copies
	trailctl org fetch -q --names dir:org sparse
	cat >server.py <<-'END'
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		s.bind(sys.argv[1]); s.listen(64)
		have = {}
		for top, dirs, files in os.walk(sys.argv[2]):
		    for f in files:
		        if os.path.basename(os.path.dirname(top)) == "objects":
		            have[os.path.basename(top) + f] = have[f] = os.path.join(top, f)
		while True:
		    c = s.accept()[0]
		    word, name, origin = c.recv(4096).decode().split(" ", 2)
		    at = have.get(name)
		    if at is None:
		        c.send(b"absent it is not here")
		    else:
		        fd = os.open(at, os.O_RDONLY)
		        socket.send_fds(c, [b"ok %d" % os.fstat(fd).st_size], [fd])
		        os.close(fd)
		    c.close()
		END
	/usr/bin/python3 server.py sparse/.follow "$whole" &
	server=$!
	until_true test -S sparse/.follow
	is 1 trailfs sparse "$mnt" -o ro,objects=sparse/.follow
	complains 'give the path from / on'
	trailfs -f sparse "$mnt" -o ro >>log 2>&1 &
	echo $! >router
	until_true mountpoint -q "$mnt"
	seq -f 'alpha %.0f' 300000 | cmp - \
		"$mnt/example.org%2Falpha/trail/run/a1/large"
	# Small evidence is in the database of a whole copy, and this server has files.
	without cat "$mnt/example.org%2Fbeta/trail/run/a1/report"
	seq -f 'beta %.0f' 300000 | cmp - \
		"$mnt/example.org%2Fbeta/trail/run/a1/large"
	kill $server
	stop
}

run copies_can_be_fetched \
	a_mount_that_makes_no_sense_is_refused \
	the_root_lists_the_origins \
	an_origin_is_as_its_own_mount \
	inode_numbers_differ_between_origins \
	writing_is_refused \
	trailctl_takes_an_origin \
	a_killed_daemon_costs_its_open_files \
	a_daemon_that_hangs_stops_no_other \
	a_damaged_copy_is_an_error \
	origins_come_and_go \
	a_copy_grows \
	modes_hold_for_other_users \
	roles_of_a_config_have_no_effect \
	nobody_keeps_privileges \
	an_unmount_ends_all_daemons \
	a_killed_router_takes_its_daemons_along \
	copies_without_bytes_ask_for_them
finish
