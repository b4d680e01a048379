# shellcheck shell=bash
# What tests/booted.sh runs in its machine: a vault of the unit trailfs@v, mounted
# at /mnt/vault, from the store /srv/vault.  A function is one test; it runs with
# set -eu and fails at the first command that fails.
export LC_ALL=C.UTF-8
store=/srv/vault mnt=/mnt/vault unit=trailfs@v

# until_true SECONDS COMMAND...: wait for it.
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || {
			echo "not within the time: $*"
			return 1
		}
		sleep 0.1
	done
}

# never COMMAND...: it fails; `!` alone would not end a test.
never() {
	if "$@"; then
		echo "not expected to succeed: $*"
		return 1
	fi
}

# shown PROPERTY [UNIT]
shown() {
	systemctl show -P "$1" "${2-$unit}"
}

is_shown() {
	[ "$(shown "$1" "${3-$unit}")" = "$2" ] || {
		echo "$1 of ${3-$unit} is $(shown "$1" "${3-$unit}"), not $2"
		return 1
	}
}

is_mounted() {
	[ "$(findmnt -n -o FSTYPE "${1-$mnt}")" = fuse.trailfs ] &&
		stat -f "${1-$mnt}" >/dev/null
}

skip() {
	echo "$1"
	exit 77
}

# again start|restart: as often as a test likes, which five times in ten minutes is
# not for systemd.
again() {
	systemctl reset-failed $unit
	systemctl "$1" $unit
}

# said ID [WORD...]: a line in the journal of this boot with this MESSAGE_ID, and
# with these fields or other arguments of journalctl.
said() {
	local id=$1
	shift
	journalctl -b -q -o cat MESSAGE_ID="$id" "$@" | grep .
}
daemon=193e0281b5b843b6b53d58fefb39c61b
refused=4f8e22158f7b4e32bcee7c6ed8fcd9cb
failed=2d3513c2346a4444801ff4ad785bbd38

# members FILE EXPRESSION: of the JSON d in FILE.
json() {
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$@"
}

# process NAME: the processes of that name in the control group of the unit.
process() {
	local p
	while read -r p; do
		[ "$(cat "/proc/$p/comm")" != "$1" ] || echo "$p"
	done <"/sys/fs/cgroup$(shown ControlGroup)/cgroup.procs"
}

# of_process PID FIELD
of_process() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# --- writers ------------------------------------------------------------

# A program that records files, each in an attestation of its own, and writes down
# which of them were acknowledged, and each error.
make_writer() {
	cat >/root/writer.py <<-'END'
	import errno, hashlib, os, sys, time
	mnt, name = sys.argv[1:]
	done = os.open('/root/acknowledged', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
	wrong = os.open('/root/errors', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
	n = int(time.time() * 1000)
	while not os.path.exists('/run/stop'):
	    n += 1
	    at = '%s/t/%s/a%d' % (mnt, name, n)
	    data = os.urandom(10000)
	    try:
	        os.makedirs(at)
	        f = os.open(at + '/f', os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
	        try:
	            os.write(f, data[:5000])
	            os.write(f, data[5000:])
	        except:
	            try: os.close(f)
	            except OSError: pass
	            raise
	        os.close(f)
	    except OSError as e:
	        os.write(wrong, ('%s %s\n' % (errno.errorcode[e.errno], at)).encode())
	        time.sleep(0.05)
	        continue
	    os.write(done, ('%s  %s/f\n' % (hashlib.sha256(data).hexdigest(),
	        at)).encode())
	    os.fsync(done)
	    time.sleep(0.05)
	END
}

# Two of them, as services that know nothing of the vault.
writers_begin() {
	local w
	[ -e /root/writer.py ] || make_writer
	rm -f /run/stop
	: >/root/errors
	for w in one two; do
		systemd-run -q --unit="writer-$w" -p Restart=no \
			python3 /root/writer.py "$mnt" "$w"
	done
	more_is_acknowledged
}

acknowledged() {
	wc -l </root/acknowledged 2>/dev/null || echo 0
}

has_more() {
	[ "$(acknowledged)" -ge "$1" ]
}

more_is_acknowledged() {
	until_true 60 has_more $(($(acknowledged) + 10))
}

writers_end() {
	touch /run/stop
	until_true 60 writers_are_gone
	rm /run/stop
}

writers_are_gone() {
	never systemctl is-active -q writer-one writer-two >/dev/null
}

# Nothing that was acknowledged is lost, and the vault is whole.
nothing_is_lost() {
	is_mounted
	sha256sum --quiet -c /root/acknowledged
	trailctl sync "$mnt"
	trailctl verify --vkey /root/vkey -q "$mnt"
	echo "$(acknowledged) files are there"
}

# Writers got no other errors than these.
errors_are() {
	local kind
	sort /root/errors | cut -d ' ' -f 1 | uniq -c
	while read -r kind; do
		case " $* " in
		*" $kind "*) ;;
		*)
			grep "^$kind" /root/errors | head -n 3
			return 1
			;;
		esac
	done < <(cut -d ' ' -f 1 /root/errors | sort -u)
}

# --- starting -----------------------------------------------------------

is_installed() {
	dpkg -i /root/trailfs.deb
	systemctl daemon-reload
	never pgrep -x trailfs
	printf 'STORE=%s\nVAULT=%s\n' $store $mnt >/etc/trailfs/v.conf
	mkdir -p $mnt
	trailctl init --origin booted.example $store >/root/vkey
	[ "$(stat -c %U $store)" = trailfs ]
	systemd-analyze verify --man=no $unit.service
}

starts_when_it_answers() {
	systemctl enable --now $unit
	is_mounted
	is_shown ActiveState active
	is_shown Type notify
	mkdir -p $mnt/t
	for _ in 1 2 3 4 5; do
		again restart
		stat $mnt/.trailfs/status.json
		trailctl status $mnt
	done
}

is_called_trailfs() {
	[ "$(cat "/proc/$(shown MainPID)/comm")" = trailfs ]
	pgrep -x trailfs
}

says_what_it_does() {
	shown StatusText
	shown StatusText | grep "$store.*$mnt"
}

logs_with_fields() {
	said $daemon -u $unit
	said $daemon _SYSTEMD_UNIT=$unit.service
	mkdir -p $mnt/t/w/logged
	echo x >$mnt/t/w/logged/f
	trailctl seal $mnt/t/w/logged
	never sh -c "echo y >$mnt/t/w/logged/f"
	never rm -f $mnt/t/w/logged/f
	until_true 10 said $refused TRAILFS_ERRNO=EPERM TRAILFS_UID=0
	said $refused _SYSTEMD_UNIT=$unit.service
}

is_confined() {
	local p n
	json $mnt/.trailfs/status.json 'd["sandbox"]'
	[ "$(json $mnt/.trailfs/status.json \
		'd["sandbox"]["seccomp"] and d["sandbox"]["landlock"] >= 2 and d["sandbox"]["user"]')" = trailfs ]
	p=$(shown MainPID)
	[ "$(of_process "$p" CapEff)" = 0000000000000000 ]
	[ "$(of_process "$p" CapBnd)" != 000001ffffffffff ]
	[ "$(of_process "$p" Uid | cut -f 1)" = "$(id -u trailfs)" ]
	for n in trailfs trailfs-mounter trailfs-broker trailfs-pages trailfs-watch \
		trailfs-sigsup trailfs-signer; do
		p=$(process $n)
		echo "$n: $p, $(of_process "$p" CapEff), $(of_process "$p" Seccomp_filters) filters"
		[ "$(of_process "$p" NoNewPrivs)" = 1 ]
		[ "$(of_process "$p" Seccomp)" = 2 ]
	done
	p=$(process trailfs-signer)
	[ "$(of_process "$p" CapEff)" = 0000000000000000 ]
	[ "$(of_process "$p" Uid | cut -f 1)" = "$(stat -c %u $store/keys)" ]
	# The filters of the unit, and of the daemon.
	p=$(shown MainPID)
	[ "$(of_process "$p" Seccomp_filters)" -gt \
		"$(of_process "$(process trailfs-sigsup)" Seccomp_filters)" ]
}

is_scored() {
	systemd-analyze security --no-pager --threshold=55 $unit.service |
		tail -n 2
}

# --- stopping and failing -----------------------------------------------

# All the errors of a writer while there is no mount, or a dead one.
gap='ENOTCONN ENOENT EPERM EROFS ECONNABORTED ENODEV EINTR ESHUTDOWN'

restarts_under_writers() {
	writers_begin
	for _ in 1 2 3; do
		again restart
		more_is_acknowledged
	done
	writers_end
	errors_are "$gap"
	nothing_is_lost
}

# holds DIRECTORY: a service, holder, has a file there open and half written.
holds() {
	rm -f /run/held
	systemd-run -q --unit=holder python3 -c 'import os, sys, time
f = os.open(sys.argv[1] + "/held", os.O_WRONLY | os.O_CREAT)
os.write(f, b"half")
os.fsync(f)
os.write(f, b"more")
open("/run/held", "w")
time.sleep(1000000)' "$1"
	until_true 60 test -e /run/held
}

# Programs that hold files open, for reading and for writing, do not stop it.
stops_with_open_files() {
	local d=$mnt/t/w/open-$$
	mkdir -p "$d"
	echo 'done' >$d/read
	trailctl sync $mnt
	exec 4<$d/read
	holds "$d"
	SECONDS=0
	systemctl stop $unit
	echo "stopped after $SECONDS s"
	[ $SECONDS -le 20 ]
	is_shown Result success
	never is_mounted 2>/dev/null
	journalctl -q -b -u $unit -o cat | grep 'files are still open'
	systemctl stop holder
	exec 4<&-
	again start
	# What was not closed is a draft, and says so.
	ls -A "$d"
	[ "$(cat $d/read)" = 'done' ]
	ls "$d"/held.*.interrupted.part
	nothing_is_lost
}

# A working directory in the mount.
stops_with_a_directory_in_use() {
	systemd-run -q --unit=holder --working-directory=$mnt/t sleep 600
	SECONDS=0
	systemctl stop $unit
	echo "stopped after $SECONDS s"
	[ $SECONDS -le 20 ]
	never is_mounted 2>/dev/null
	again start
	systemctl stop holder
	nothing_is_lost
}

stops_under_writers() {
	writers_begin
	SECONDS=0
	systemctl stop $unit
	echo "stopped after $SECONDS s"
	[ $SECONDS -le 20 ]
	never is_mounted 2>/dev/null
	again start
	more_is_acknowledged
	writers_end
	errors_are "$gap"
	nothing_is_lost
}

has_restarted_from() {
	[ "$(shown MainPID)" != "$1" ] && [ "$(shown ActiveState)" = active ] &&
		is_mounted 2>/dev/null
}

survives_kill_9() {
	local p
	again restart
	writers_begin
	for _ in 1 2 3; do
		p=$(shown MainPID)
		kill -9 "$p"
		until_true 60 has_restarted_from "$p"
		more_is_acknowledged
	done
	writers_end
	[ "$(shown NRestarts)" -ge 3 ]
	[ "$(findmnt -n $mnt | wc -l)" = 1 ]
	errors_are "$gap"
	nothing_is_lost
}

# Every process of the unit at once, as systemctl kill does and the kernel may.
survives_kill_9_of_all() {
	local p
	again restart
	writers_begin
	p=$(shown MainPID)
	systemctl kill --signal=KILL $unit
	until_true 60 has_restarted_from "$p"
	more_is_acknowledged
	writers_end
	[ "$(findmnt -n $mnt | wc -l)" = 1 ]
	errors_are "$gap"
	nothing_is_lost
}

# A daemon that does not run is ended by the watchdog of the unit; the time is
# shorter here.
is_watched() {
	local p
	mkdir -p /etc/systemd/system/$unit.service.d
	printf '[Service]\nWatchdogSec=4\n' \
		>/etc/systemd/system/$unit.service.d/test.conf
	systemctl daemon-reload
	again restart
	again restart
	writers_begin
	# Idle and busy, it is well.
	p=$(shown MainPID)
	sleep 10
	[ "$(shown MainPID)" = "$p" ]
	kill -STOP "$p"
	until_true 120 has_restarted_from "$p"
	journalctl -q -b -u $unit -o cat | grep -i 'watchdog timeout'
	more_is_acknowledged
	writers_end
	errors_are "$gap"
	rm -r /etc/systemd/system/$unit.service.d
	systemctl daemon-reload
	again restart
	nothing_is_lost
}

goes_on_without_its_signer() {
	local p d
	d=$(shown MainPID)
	writers_begin
	for _ in 1 2 3; do
		p=$(process trailfs-signer)
		kill -9 "$p"
		more_is_acknowledged
		[ "$(process trailfs-signer)" != "$p" ]
	done
	writers_end
	errors_are ''
	[ "$(shown MainPID)" = "$d" ]
	nothing_is_lost
}

# What a unit cannot start is failed loudly, and not tried for ever.
fails_loudly() {
	printf 'STORE=/srv/none\nVAULT=/mnt/none\n' >/etc/trailfs/none.conf
	mkdir -p /mnt/none
	never systemctl start trailfs@none
	until_true 60 is_shown ActiveState failed trailfs@none
	until_true 20 sh -c 'journalctl -q -b -p crit -o cat | grep "trailfs@none.service has failed"'
	journalctl -q -b -u trailfs@none -o cat
	journalctl -q -b -u trailfs@none -o cat | grep /srv/none
	systemctl reset-failed trailfs@none
	rm /etc/trailfs/none.conf
}

# --- other ways to mount ------------------------------------------------

# A service with a mount namespace that has a copy of the mount.
unmounts_beside_copies() {
	systemd-run -q --unit=private -p PrivateTmp=yes -p ProtectSystem=yes \
		sleep 600
	SECONDS=0
	systemctl stop $unit
	echo "stopped after $SECONDS s"
	[ $SECONDS -le 20 ]
	never is_mounted
	again start
	nothing_is_lost
	# By umount: the service ends by itself.
	systemctl restart private || :
	systemd-run -q --unit=private2 -p PrivateTmp=yes sleep 600
	umount $mnt
	until_true 30 is_shown ActiveState inactive
	is_shown Result success
	again start
	systemctl stop private private2
	nothing_is_lost
}

# --- a full disk --------------------------------------------------------

small_disk_is_ready() {
	mkdir -p /srv/small /mnt/small
	# A container has it already.
	if ! findmnt /srv/small; then
		echo '/dev/vdb /srv/small ext4 defaults 0 2' >>/etc/fstab
		systemctl daemon-reload
		mount /srv/small
	fi
	rm -rf /srv/small/lost+found
	printf 'STORE=/srv/small/vault\nVAULT=/mnt/small\n' \
		>/etc/trailfs/small.conf
	trailctl init --origin small.example /srv/small/vault >/root/small.vkey
	# What is freed later: evidence cannot be.
	head -c 60000000 /dev/zero >/srv/small/other
	systemctl enable --now trailfs@small
	is_mounted /mnt/small
}

# Fills it through the mount, and then from outside.
survives_a_full_disk() {
	local i
	mkdir -p /mnt/small/t/w/a
	echo before >/mnt/small/t/w/a/before
	i=0
	while head -c 8000000 /dev/urandom >/mnt/small/t/w/a/f$i; do
		i=$((i + 1))
		[ $i -lt 100 ]
	done 2>/root/full
	cat /root/full
	grep 'No space left' /root/full
	until_true 10 said $failed _SYSTEMD_UNIT=trailfs@small.service
	said $failed TRAILFS_ERRNO=ENOSPC
	trailctl metrics /mnt/small | grep -E '^trailfs_(failed|free|space|head)' || :
	# Nothing at all is left.
	head -c 300000000 /dev/zero >/srv/small/more || :
	df /srv/small
	never sh -c 'mkdir /mnt/small/t/w/none && echo x >/mnt/small/t/w/none/f' 2>&1
	# It stops and starts without a byte of space.
	if ! systemctl restart trailfs@small; then
		journalctl -q -b -u trailfs@small -o cat | tail -n 20
		journalctl -q -b -u trailfs@small -o cat | tail -n 20 |
			grep 'No space left'
	fi
	rm /srv/small/other /srv/small/more
	systemctl reset-failed trailfs@small
	systemctl start trailfs@small
	is_mounted /mnt/small
	# The reading of the free space is a moment old.
	until_true 30 mkdir /mnt/small/t/w/after
	echo after >/mnt/small/t/w/after/f
	[ "$(cat /mnt/small/t/w/a/before)" = before ]
	trailctl sync /mnt/small
	trailctl verify --vkey /root/small.vkey -q /mnt/small
}

# --- jobs ---------------------------------------------------------------

jobs_run() {
	mkdir -p /var/lib/prometheus/node-exporter
	cat >>/etc/trailfs/v.conf <<-EOF
	VERIFY='--quiet --textfile /root/verify.prom'
	METRICS=/root/metrics.prom
	MIRROR='--via "trailctl mirror --receive /srv/mirror"'
	EOF
	systemctl start trailfs-verify@v trailfs-mirror@v
	systemctl start trailfs-metrics@v
	is_shown Result success trailfs-verify@v
	trailctl log --json --type verify.done $mnt | grep .
	grep '^trailfs_verify_run_status{.*} 0$' /root/verify.prom
	grep '^trailfs_verified{.*} 1$' /root/metrics.prom
	trailctl verify -q /srv/mirror
	systemctl enable --now trailfs-verify@v.timer trailfs-metrics@v.timer \
		trailfs-mirror@v.timer
	systemctl list-timers --no-pager 'trailfs-*'
	[ "$(systemctl list-timers --no-legend --no-pager 'trailfs-*' | wc -l)" = 3 ]
	systemctl disable --now trailfs-verify@v.timer trailfs-metrics@v.timer \
		trailfs-mirror@v.timer
}

# Each new entry is given to a program of a recipient, as nobody.
entries_are_delivered() {
	mkdir -p /usr/local/lib/trailctl-watch /run/delivered
	chmod 777 /run/delivered
	printf '#!/bin/sh\nid -un >/run/delivered/user\ncat >>/run/delivered/entries\n' \
		>/usr/local/lib/trailctl-watch/here
	chmod 755 /usr/local/lib/trailctl-watch/here
	systemctl start trailctl-watch@here
	until_true 20 test -e /proc/"$(shown MainPID trailctl-watch@here)"/exe
	mkdir -p $mnt/t/w/delivered
	until_true 60 grep -s t/w/delivered /run/delivered/entries
	[ "$(cat /run/delivered/user)" = nobody ]
	systemctl stop trailctl-watch@here
	is_shown Result success trailctl-watch@here
}

# A store that was tampered with: the timer's service fails, and says so at crit.
damage_is_loud() {
	local f
	trailctl init --origin bad.example /srv/bad >/root/bad.vkey
	mkdir -p /mnt/bad
	printf 'STORE=/srv/bad\nVAULT=/mnt/bad\nVERIFY=-q\n' >/etc/trailfs/bad.conf
	systemctl start trailfs@bad
	mkdir -p /mnt/bad/t/w/a
	head -c 200000 /dev/zero >/mnt/bad/t/w/a/f
	trailctl sync /mnt/bad
	systemctl start trailfs-verify@bad
	head -c 200000 /dev/urandom >/mnt/bad/t/w/a/g
	trailctl sync /mnt/bad
	f=$(find /srv/bad/objects -type f -newer /root/bad.vkey -printf '%T@ %p\n' |
		sort -n | tail -n 1 | cut -d ' ' -f 2)
	chmod u+w "$f"
	printf X | dd of="$f" bs=1 seek=7 conv=notrunc
	never systemctl start trailfs-verify@bad
	is_shown Result exit-code trailfs-verify@bad
	is_shown ExecMainStatus 4 trailfs-verify@bad
	until_true 20 sh -c 'journalctl -q -b -p crit -o cat | grep "trailfs-verify@bad.service has failed"'
	journalctl -q -b -u trailfs-verify@bad -o cat
	systemctl stop trailfs@bad
	rm -r /etc/trailfs/bad.conf /srv/bad
}

# --- an organisation ----------------------------------------------------

# Its ledger and blobs, and where it is mounted: as in the examples.
org=/srv/organisation view=/mnt/organisation
viewed=trailfs-organisation@o

organisation_has_all() {
	[ "$(json $mnt/.trailfs/status.json 'd["forwarded"]["behind"]')" = 0 ]
}

# drop_in UNIT LINE...: for its [Service].
drop_in() {
	local at=/etc/systemd/system/$1.service.d
	shift
	mkdir -p "$at"
	printf '%s\n' '[Service]' "$@" >"$at/test.conf"
	systemctl daemon-reload
}

# has_secret UNIT FILE: its process can find it.
has_secret() {
	local p
	p=$(shown MainPID "$1")
	tr '\0' '\n' <"/proc/$p/environ" >/root/said &&
		grep -q '^CREDENTIALS_DIRECTORY=' /root/said &&
		cmp -s "$2" "/run/credentials/$1.service/s3"
}

# A service forwards the vault of the unit, has its secret, and goes on after kill -9.
is_forwarded() {
	local p
	trailctl org init --origin booted.example/organisation --keys /root/orgkeys \
		dir:$org
	trailctl org enrol dir:$org /root/vkey
	printf 'ORGANISATION=dir:%s\nKEYS=/root/orgkeys\n' $org >>/etc/trailfs/v.conf
	install -d -m 700 /etc/credstore
	printf 'access\nsecret\n' >/etc/credstore/trailfs.v.s3
	chmod 600 /etc/credstore/trailfs.v.s3
	drop_in trailfs-forward@v RestartSec=1
	systemctl enable --now trailfs-forward@v
	until_true 60 has_secret trailfs-forward@v /etc/credstore/trailfs.v.s3
	writers_begin
	p=$(shown MainPID trailfs-forward@v)
	kill -9 "$p"
	more_is_acknowledged
	writers_end
	errors_are ''
	trailctl sync $mnt
	until_true 60 organisation_has_all
	[ "$(shown MainPID trailfs-forward@v)" != "$p" ]
	nothing_is_lost
}

# What does not pass by itself ends it, loudly, and is not tried for ever.
a_refused_forwarder_is_loud() {
	trailctl org revoke dir:$org booted.example
	mkdir -p $mnt/t/w/revoked
	echo x >$mnt/t/w/revoked/f
	until_true 60 is_shown ActiveState failed trailfs-forward@v
	is_shown ExecMainStatus 1 trailfs-forward@v
	until_true 20 sh -c 'journalctl -q -b -p crit -o cat | grep "trailfs-forward@v.service has failed"'
	trailctl metrics $mnt | grep '^trailfs_forward_refused{.*} 1$'
	trailctl org enrol dir:$org /root/vkey
	systemctl reset-failed trailfs-forward@v
	systemctl start trailfs-forward@v
	until_true 60 organisation_has_all
}

# What came is signed, by both jobs.
is_published() {
	systemctl start trailfs-publish@v
	is_shown Result success trailfs-publish@v
	systemctl start trailfs-publish-all@v
	is_shown Result success trailfs-publish-all@v
	trailctl verify --vkey /root/orgkeys/log.vkey $org/log
	systemctl enable --now trailfs-publish@v.timer trailfs-publish-all@v.timer
	[ "$(systemctl list-timers --no-legend --no-pager 'trailfs-publish*' | wc -l)" = 2 ]
	systemctl disable --now trailfs-publish@v.timer trailfs-publish-all@v.timer
}

# Everything that was acknowledged is in the mount of the organisation.
shows_the_organisation() {
	is_mounted $view || return
	sed "s,  $mnt/,  $view/booted.example/," /root/acknowledged |
		sha256sum --quiet -c >/root/said 2>&1 || {
		head -n 3 /root/said
		return 1
	}
	trailctl log $view/booted.example >/root/log
}

# A unit mounts it by its URI: it follows, is watched, and has its secrets.
organisation_is_mounted() {
	local p
	printf 'LEDGER=dir:%s\nVIEW=%s\nVIEW_OPTIONS="-o cache_size=50000000"\n' \
		$org $view >/etc/trailfs/o.conf
	printf 'VAULT=%s\nMETRICS=/root/view.prom\n' $view >>/etc/trailfs/o.conf
	mkdir -p $view
	printf 'other\nsecret\n' >/etc/credstore/trailfs.o.s3
	systemd-analyze verify --man=no $viewed.service
	drop_in $viewed RestartSec=1 WatchdogSec=4
	systemctl enable --now $viewed
	is_shown ActiveState active $viewed
	shown StatusText $viewed
	shown StatusText $viewed | grep "dir:$org is mounted at $view"
	trailctl sync $mnt
	until_true 60 organisation_has_all
	until_true 60 shows_the_organisation
	p=$(shown MainPID $viewed)
	[ "$(cat "/proc/$p/comm")" = trailfs ]
	[ "$(of_process "$p" CapEff)" = 0000000000000000 ]
	until_true 60 has_secret $viewed /etc/credstore/trailfs.o.s3
	[ "$(stat -c %U:%a /run/credentials/$viewed.service/s3)" = root:400 ]
	[ "$(stat -c %U:%a /var/cache/trailfs/o)" = root:700 ]
	mkdir -p $mnt/t/w/followed
	echo new >$mnt/t/w/followed/f
	trailctl seal $mnt/t/w/followed
	until_true 60 test -e $view/booted.example/t/w/followed/f
	[ "$(cat $view/booted.example/t/w/followed/f)" = new ]
	never touch $view/booted.example/t/w/followed/g
	systemctl start trailfs-metrics@o
	grep '^trailfs_follow_running{.*} 1$' /root/view.prom
	# The clock of the machine may be wrong.
	trailctl doctor $view >/root/said || :
	grep '^follow *ok' /root/said
	systemd-analyze security --no-pager --threshold=60 $viewed.service | tail -n 1
}

has_restarted_view_from() {
	[ "$(shown MainPID $viewed)" != "$1" ] &&
		[ "$(shown ActiveState $viewed)" = active ] && is_mounted $view 2>/dev/null
}

# kill -9, and a daemon that does not answer.
organisation_comes_back() {
	local p s
	for s in KILL STOP; do
		p=$(shown MainPID $viewed)
		kill -$s "$p"
		until_true 120 has_restarted_view_from "$p"
		[ "$(findmnt -n $view | wc -l)" = 1 ]
		shows_the_organisation
	done
	# Its follower alone is started again.
	p=$(unit=$viewed process trailfs-follow)
	kill -9 "$p"
	until_true 20 sh -c "trailctl metrics $view | grep '^trailfs_follow_restarts_total{.*} 1\$'"
	until_true 20 sh -c "trailctl metrics $view | grep '^trailfs_follow_running{.*} 1\$'"
	ls $view/booted.example/t/w
	shows_the_organisation
	# A file that is open does not stop it.
	exec 4<$view/booted.example/t/w/followed/f
	SECONDS=0
	systemctl stop $viewed
	echo "stopped after $SECONDS s"
	[ $SECONDS -le 20 ]
	exec 4<&-
	is_shown Result success $viewed
	never is_mounted $view
	rm -r /etc/systemd/system/$viewed.service.d
	systemctl daemon-reload
	systemctl start $viewed
	shows_the_organisation
}

# After a reboot: forwarder and mount of the organisation are there again.
organisation_came_back() {
	is_shown ActiveState active $viewed
	is_shown ActiveState active trailfs-forward@v
	trailctl sync $mnt
	until_true 60 organisation_has_all
	until_true 60 shows_the_organisation
}

organisation_by_fstab() {
	systemctl disable --now $viewed
	echo "dir:$org $view fuse.trailfs ro,cache=/var/cache/view,nofail,_netdev,x-systemd.mount-timeout=infinity 0 0" \
		>>/etc/fstab
	systemctl daemon-reload
	mount $view
	[ "$(findmnt -n -o SOURCE $view)" = dir:$org ]
	# It is known as mounted.
	mount -a
	[ "$(findmnt -n $view | wc -l)" = 1 ]
	shows_the_organisation
	umount $view
	systemctl start mnt-organisation.mount
	shows_the_organisation
	said $daemon _SYSTEMD_UNIT=mnt-organisation.mount
}

organisation_is_mounted_from_fstab() {
	is_shown ActiveState active mnt-organisation.mount
	trailctl sync $mnt
	until_true 60 organisation_has_all
	until_true 60 shows_the_organisation
}

organisation_by_a_mount_unit() {
	systemctl stop mnt-organisation.mount
	until_true 60 flock -n /var/cache/view/.cache true
	sed -i "\\,^dir:$org ,d" /etc/fstab
	cp $examples/mnt-organisation.mount /etc/systemd/system/
	systemctl daemon-reload
	systemd-analyze verify --man=no mnt-organisation.mount
	systemctl enable --now mnt-organisation.mount
	shows_the_organisation
	[ -n "$(unit=mnt-organisation.mount process trailfs-follow)" ]
	systemctl disable --now mnt-organisation.mount
}

# --- upgrade ------------------------------------------------------------

# An upgrade leaves the mount alone; a restart then runs the new program.
is_upgraded_under_load() {
	local p
	p=$(shown MainPID)
	writers_begin
	dpkg -i /root/newer.deb
	dpkg-query -W -f '${Version}\n' trailfs | grep -x 99.0-1
	[ "$(shown MainPID)" = "$p" ]
	more_is_acknowledged
	readlink "/proc/$p/exe"
	again restart
	[ "$(readlink "/proc/$(shown MainPID)/exe")" = /usr/bin/trailfs ]
	more_is_acknowledged
	dpkg -r trailfs 2>&1 | tee /root/said
	grep "$mnt stays mounted" /root/said
	more_is_acknowledged
	writers_end
	errors_are "$gap"
	sha256sum --quiet -c /root/acknowledged
	dpkg -i /root/trailfs.deb
	systemctl daemon-reload
	again restart
	nothing_is_lost
}

nothing_has_failed() {
	systemctl --failed --no-legend --plain >/root/failed
	never grep trailfs /root/failed
}

# --- reboots ------------------------------------------------------------

# The state in which the machine goes down: writers work, a file is open.
is_busy() {
	rm -f /root/errors
	writers_begin
	mkdir -p "$mnt/t/w/reboot-$1"
	holds "$mnt/t/w/reboot-$1"
	more_is_acknowledged
}

# After a reboot: the vault was closed, and nothing is lost.
came_back() {
	journalctl -q -b -1 -o short-precise | grep -i -E 'trailfs|vault|writer' |
		tail -n 30
	is_mounted
	nothing_has_failed
	sort /root/errors | cut -d ' ' -f 1 | uniq -c
	errors_are "$gap"
	nothing_is_lost
}

# The session before this one ended with an entry that says why.
was_closed() {
	trailctl log --json $mnt >/root/log
	python3 - <<-'EOF'
	import json
	log = sorted(map(json.loads, open('/root/log')), key=lambda e: e['seq'])
	last = [e for e in log if e['type'] in ('ledger.opened', 'ledger.closed')][-2]
	print(last)
	assert last['type'] == 'ledger.closed'
	EOF
}

# The journal says so, too.
was_quiet() {
	journalctl -q -b -1 -o cat MESSAGE_ID=$daemon | grep "$store closed"
}

# --- without the service ------------------------------------------------

is_taken_off() {
	umount $mnt
	flock -w 60 $store/lock true
}

uses_fstab() {
	systemctl disable --now $unit
	echo "$store $mnt fuse.trailfs nofail,x-systemd.mount-timeout=infinity 0 0" \
		>>/etc/fstab
	systemctl daemon-reload
	mount $mnt
	is_mounted
	pgrep -x trailfs
	is_taken_off
	systemctl start mnt-vault.mount
	is_mounted
	said $daemon _SYSTEMD_UNIT=mnt-vault.mount
	shown TimeoutUSec mnt-vault.mount | grep infinity
	systemctl stop mnt-vault.mount
	never is_mounted
	flock -w 60 $store/lock true
	systemctl start mnt-vault.mount
	nothing_is_lost
}

is_mounted_from_fstab() {
	is_shown ActiveState active mnt-vault.mount
	is_shown ActiveState inactive
}

examples=/usr/share/doc/trailfs/examples

# The examples, as they are installed.
uses_a_mount_unit() {
	systemctl stop mnt-vault.mount
	flock -w 60 $store/lock true
	sed -i '/fuse.trailfs/d' /etc/fstab
	cp $examples/mnt-vault.mount /etc/systemd/system/
	systemctl daemon-reload
	systemd-analyze verify --man=no mnt-vault.mount
	systemctl enable --now mnt-vault.mount
	nothing_is_lost
	systemctl disable --now mnt-vault.mount
	flock -w 60 $store/lock true
}

# A program that enters the mount point waits until the vault is mounted.
uses_an_automount() {
	[ -e /dev/autofs ] || skip 'this kernel has no /dev/autofs'
	cp $examples/mnt-vault.automount /etc/systemd/system/
	systemctl daemon-reload
	systemd-analyze verify --man=no mnt-vault.automount
	systemctl enable --now mnt-vault.automount
	is_shown ActiveState inactive mnt-vault.mount
	mkdir -p $mnt/t/w/first-use
	echo x >$mnt/t/w/first-use/f
	is_shown ActiveState active mnt-vault.mount
	[ "$(findmnt -n -t fuse.trailfs $mnt | wc -l)" = 1 ]
	trailctl sync $mnt
	sha256sum --quiet -c /root/acknowledged
	trailctl verify --vkey /root/vkey -q $mnt
}

# Nobody uses it for a while: it is taken off, and mounted again for the next one.
is_taken_off_when_idle() {
	[ -e /dev/autofs ] || skip 'this kernel has no /dev/autofs'
	systemctl stop mnt-vault.automount
	mkdir -p /etc/systemd/system/mnt-vault.automount.d
	printf '[Automount]\nTimeoutIdleSec=2\n' \
		>/etc/systemd/system/mnt-vault.automount.d/test.conf
	systemctl daemon-reload
	systemctl start mnt-vault.automount
	for _ in 1 2; do
		[ "$(cat $mnt/t/w/first-use/f)" = x ]
		until_true 60 is_shown ActiveState inactive mnt-vault.mount
		flock -w 60 $store/lock true
	done
	is_shown Result success mnt-vault.mount
	rm -r /etc/systemd/system/mnt-vault.automount.d
	systemctl daemon-reload
	systemctl restart mnt-vault.automount
	[ "$(cat $mnt/t/w/first-use/f)" = x ]
}

is_an_automount_after_boot() {
	[ -e /dev/autofs ] || skip 'this kernel has no /dev/autofs'
	is_shown ActiveState active mnt-vault.automount
	[ "$(cat $mnt/t/w/first-use/f)" = x ]
	is_shown ActiveState active mnt-vault.mount
	systemctl disable --now mnt-vault.automount mnt-vault.mount
	flock -w 60 $store/lock true
	systemctl enable --now $unit
	nothing_is_lost
}

# --- the end ------------------------------------------------------------

# A job that was due while the machine was off waits for the mount.
a_job_is_due_at_boot() {
	mkdir -p /etc/systemd/system/trailfs-verify@v.timer.d
	printf '[Timer]\nRandomizedDelaySec=0\n' \
		>/etc/systemd/system/trailfs-verify@v.timer.d/test.conf
	systemctl daemon-reload
	systemctl enable --now trailfs-verify@v.timer
	touch -d '3 days ago' /var/lib/systemd/timers/stamp-trailfs-verify@v.timer
	trailctl log --json --type verify.done $mnt | wc -l >/root/verified
}

was_due_at_boot() {
	until_true 120 systemctl show -P Result trailfs-verify@v
	until_true 120 more_verified
	nothing_has_failed
	systemctl disable --now trailfs-verify@v.timer
}

more_verified() {
	[ "$(trailctl log --json --type verify.done $mnt | wc -l)" -gt \
		"$(cat /root/verified)" ]
}

# After a power cut the daemon recovers what was acknowledged.
came_back_after_a_power_cut() {
	is_mounted
	nothing_has_failed
	nothing_is_lost
}
