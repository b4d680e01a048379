#!/bin/sh
# booted.sh DIRECTORY: install the Debian package that DIRECTORY has in a system
# that systemd has booted, and try the units there: mounting at start, watchdog,
# kill -9, full disk, upgrade, reboot and power cut with writers at work.
#
# WAY=container (the default) boots systemd in a container of systemd-nspawn, within
# seconds, on the kernel of this machine.  WAY=machine boots a virtual machine of
# qemu with the kernel of Debian, which can lose its power; without ACCEL=kvm it
# takes an hour.
#
# Needs root, and systemd-container or qemu-system-x86, qemu-utils and
# openssh-client; and for the first run debootstrap, a mirror of Debian, and 3 GB in
# CACHE (/var/cache/trailfs-booted), where the image of the system is kept.  The
# system has no way to the network.  Each test is a function of tests/booted/guest.sh
# and runs in that system; with TESTS='NAME...' only these functions are run.
#
# Each step is one check; what a failed one printed is shown.  The last line is
# "N passed, N failed, N skipped".
set -u
LC_ALL=C.UTF-8
export LC_ALL
top=$(cd "$(dirname "$0")/.." && pwd)
debs=$(cd "$1" && pwd) || exit 1
: "${CACHE:=/var/cache/trailfs-booted}" "${RELEASE:=bookworm}"
: "${MIRROR:=http://deb.debian.org/debian}" "${WAY:=container}"
: "${ACCEL:=tcg,thread=multi}" "${CPU:=max}" "${MEMORY:=1536}"
: "${STEP_TIMEOUT:=1800}" "${TESTS:=}"
mkdir -p "$CACHE"
work=$(mktemp -d "${TMPDIR:-/var/tmp}/trailfs-booted.XXXXXX") || exit 1
passed=0 failed=0 skipped=0 system='' port='' group=trailfs-booted.$$

clean_up() {
	[ -z "$system" ] || off
	rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# step NAME COMMAND...: one check.  Status 77 is a skipped one.
step() {
	name=$1
	shift
	begun=$(date +%s)
	"$@" >"$work/log" 2>&1
	status=$?
	took=$(($(date +%s) - begun))
	case $status in
	0)
		passed=$((passed + 1))
		echo "ok   $name ($took s)"
		;;
	77)
		skipped=$((skipped + 1))
		echo "SKIP $name: $(tail -n 1 "$work/log")"
		;;
	*)
		failed=$((failed + 1))
		echo "FAIL $name ($took s)"
		tail -n "${LINES_OF_FAILURE:-60}" "$work/log" | sed 's/^/    /'
		return 1
		;;
	esac
}

# --- the image ----------------------------------------------------------

# What the machine has besides systemd: the dependencies of the package, sshd for
# the commands of this script, and what the tests call.
packages() {
	echo systemd systemd-sysv dbus udev kmod e2fsprogs util-linux bsdutils \
		linux-image-amd64 initramfs-tools fuse3 procps iproute2 \
		openssh-server python3 openssl |
		tr ' ' ','
}

image_is_made() {
	[ ! -e "$image.ext4" ] || return 0
	root=$work/root
	debootstrap --variant=minbase --include="$(packages)" "$RELEASE" "$root" \
		"$MIRROR" || return 1
	rm -f "$image.key" "$image.key.pub"
	ssh-keygen -q -t ed25519 -N '' -f "$image.key" &&
		mkdir -p "$root/root/.ssh" "$root/var/log/journal" &&
		cp "$image.key.pub" "$root/root/.ssh/authorized_keys" || return 1
	cp "$debs"/trailfs_*.deb "$root/tmp/trailfs.deb" &&
		chroot "$root" apt-get update -qq &&
		chroot "$root" env DEBIAN_FRONTEND=noninteractive \
			apt-get -qq -y --no-install-recommends satisfy \
			"$(dpkg-deb -f "$root/tmp/trailfs.deb" Depends)" || return 1
	rm "$root/tmp/trailfs.deb"
	chroot "$root" apt-get clean
	sed -i 's/^MODULES=.*/MODULES=list/' \
		"$root/etc/initramfs-tools/initramfs.conf"
	printf '%s\n' virtio_pci virtio_blk ext4 \
		>>"$root/etc/initramfs-tools/modules"
	chroot "$root" update-initramfs -u || return 1
	# A container has no network that could come up.
	mkdir -p "$root/etc/systemd/system/systemd-networkd.service.d"
	printf '[Unit]\nConditionVirtualization=!container\n' \
		>"$root/etc/systemd/system/systemd-networkd.service.d/test.conf"
	# e2scrub takes minutes on a busy machine, for nothing.
	chroot "$root" systemctl mask e2scrub_reap \
		systemd-networkd-wait-online || return 1
	echo booted >"$root/etc/hostname"
	echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
	printf '[Match]\nName=en*\n\n[Network]\nDHCP=ipv4\n' \
		>"$root/etc/systemd/network/lan.network"
	chroot "$root" systemctl enable systemd-networkd || return 1
	cp "$root"/boot/vmlinuz-* "$image.vmlinuz" &&
		cp "$root"/boot/initrd.img-* "$image.initrd" &&
		rm -f "$image.new" && truncate -s 3G "$image.new" &&
		mkfs.ext4 -q -d "$root" "$image.new" &&
		mv "$image.new" "$image.ext4"
	status=$?
	rm -rf --one-file-system "$root"
	return $status
}

# --- a container --------------------------------------------------------

# In namespaces of its own, with the second hierarchy of control groups and no
# other, whatever this machine uses.  systemd-nspawn ends at a reboot.
container_is_on() {
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -m --propagation private sh -ec '
		work=$1 group=/sys/fs/cgroup/$2 autofs=
		[ ! -e /dev/autofs ] || autofs=1
		umount -l /sys/fs/cgroup
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		mkdir -p "$group" "$work/root" "$work/small"
		echo $$ >"$group/cgroup.procs"
		mount -o loop "$work/root.ext4" "$work/root"
		mount -o loop "$work/store" "$work/small"
		status=133
		while [ $status = 133 ]; do
			status=0
			systemd-nspawn -q -b --register=no --keep-unit \
				--console=pipe --private-network \
				--capability=all --system-call-filter=@known \
				--bind=/dev/fuse ${autofs:+--bind=/dev/autofs} \
				--bind="$work/small:/srv/small" \
				-D "$work/root" -M booted </dev/null || status=$?
		done
	' sh "$work" "$group" >>"$work/console" 2>&1 &
	system=$!
	answers
}

container() {
	leader=$(pgrep -P "$(pgrep -P "$system" -x systemd-nspawn)") || return 255
	timeout -k 10 "$STEP_TIMEOUT" \
		nsenter -t "$leader" -m -u -i -n -p -C -r -w -- env -i HOME=/root \
		TERM=dumb PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
		sh -c "$1"
}

# --- a virtual machine --------------------------------------------------

# On a port of this machine that nobody has.
machine_is_on() {
	for port in $(shuf -i 20000-60000 -n 20); do
		qemu-system-x86_64 -accel "$ACCEL" -cpu "$CPU" -m "$MEMORY" \
			-smp 2 -display none -monitor none \
			-serial "file:$work/console" -kernel "$image.vmlinuz" \
			-initrd "$image.initrd" \
			-append 'root=/dev/vda rw console=ttyS0' \
			-drive "file=$work/root.ext4,if=virtio,format=raw" \
			-drive "file=$work/store,if=virtio,format=raw" \
			-device virtio-rng-pci -device virtio-net-pci,netdev=lan \
			-netdev "user,id=lan,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" \
			>"$work/qemu" 2>&1 &
		system=$!
		answers && return
		kill -0 "$system" 2>/dev/null && break
	done
	cat "$work/qemu"
	return 1
}

machine() {
	# shellcheck disable=SC2029 # expanded here
	timeout -k 10 "$STEP_TIMEOUT" ssh -q -i "$image.key" -p "$port" \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o ConnectTimeout=10 -o ServerAliveInterval=10 \
		-o ServerAliveCountMax=30 root@127.0.0.1 "$1"
}

# --- either -------------------------------------------------------------

# Its own copy of the image, and a small disk for a store.
system_is_made() {
	cp --sparse=always "$image.ext4" "$work/root.ext4" &&
		truncate -s 200M "$work/store" && mkfs.ext4 -q "$work/store"
}

# guest COMMAND: run this shell command in the system.
guest() {
	"$WAY" "$1" </dev/null
}

# It has started everything.
answers() {
	tries=0
	until guest 'systemctl is-system-running --wait' >"$work/running" 2>&1 ||
		grep -q degraded "$work/running"; do
		tries=$((tries + 1))
		if ! kill -0 "$system" 2>/dev/null || [ $tries -ge 600 ]; then
			tail -n 40 "$work/console"
			return 1
		fi
		sleep 1
	done
}

# Without any warning.
off() {
	if [ "$WAY" = container ]; then
		for p in $(pgrep -P "$system" -x systemd-nspawn); do
			pkill -9 -P "$p"
		done
	fi
	kill -9 "$system" 2>/dev/null
	wait "$system" 2>/dev/null
	system=
}

# in_guest FUNCTION WORD...
in_guest() {
	guest "bash -c 'set -eu -o pipefail; . /root/guest.sh; $*'"
}

# The system goes down and comes up again.
reboots() {
	begun=$(date +%s)
	guest 'touch /run/before-reboot; systemctl reboot'
	for _ in $(seq 900); do
		guest '[ ! -e /run/before-reboot ]' 2>/dev/null && break
		sleep 1
	done
	if ! guest '[ ! -e /run/before-reboot ]' || ! answers; then
		tail -n 60 "$work/console"
		return 1
	fi
	echo "the reboot took $(($(date +%s) - begun)) s"
}

loses_power() {
	off
	machine_is_on
}

# --- all of it ----------------------------------------------------------

# try NAME FUNCTION WORD...: a step in the system, or here: reboots, loses_power.
try() {
	[ -z "$TESTS" ] || case " $TESTS " in
	*" $2 "*) ;;
	*) return 0 ;;
	esac
	case $2 in
	reboots | loses_power) step "$1" "$2" ;;
	*)
		name=$1
		shift
		step "$name" in_guest "$@"
		;;
	esac
}

# put FILE PATH
put() {
	"$WAY" "cat >$2" <"$1"
}

guest_is_ready() {
	dpkg-deb -R "$deb" "$work/newer" &&
		sed -i 's/^Version: .*/Version: 99.0-1/' \
			"$work/newer/DEBIAN/control" &&
		dpkg-deb -Zgzip -z1 -b --root-owner-group "$work/newer" \
			"$work/newer.deb" && put "$deb" /root/trailfs.deb &&
		put "$work/newer.deb" /root/newer.deb &&
		put "$top/tests/booted/guest.sh" /root/guest.sh
}

deb=$(echo "$debs"/trailfs_*.deb)
[ -e "$deb" ] || {
	echo "booted.sh: no package in $debs" >&2
	exit 1
}
sum=$({
	packages
	dpkg-deb -f "$deb" Depends
	sed -n '/^image_is_made/,/^}/p' "$0"
} | sha256sum | cut -c 1-12)
image=$CACHE/$RELEASE-$sum

step 'an image is made' image_is_made && step 'a system is made' system_is_made &&
	step 'it boots' "${WAY}_is_on" &&
	step 'it has the package and the tests' guest_is_ready &&
	step 'the package is installed' in_guest is_installed || exit 1
try 'the unit is ready when the mount answers' starts_when_it_answers
try 'the process is called trailfs' is_called_trailfs
try 'systemctl status says what is mounted where' says_what_it_does
try 'the journal has the fields' logs_with_fields
try 'unit and sandbox confine all processes' is_confined
try 'the unit has its score' is_scored
try 'a restart loses nothing' restarts_under_writers
try 'a stop with open files is bounded' stops_with_open_files
try 'a stop with a directory in use is bounded' stops_with_a_directory_in_use
try 'a stop with writers loses nothing' stops_under_writers
try 'kill -9 of the daemon loses nothing' survives_kill_9
try 'kill -9 of all its processes loses nothing' survives_kill_9_of_all
try 'the watchdog ends a daemon that does not answer' is_watched
try 'recording goes on after kill -9 of the signer' goes_on_without_its_signer
try 'a unit that cannot start fails loudly' fails_loudly
try 'copies of the mount in namespaces of services' unmounts_beside_copies
try 'a vault on a small disk' small_disk_is_ready
try 'a full disk is reported, and passes' survives_a_full_disk
try 'the jobs of the timers run' jobs_run
try 'entries are delivered' entries_are_delivered
try 'a verification that fails is loud' damage_is_loud
try 'a service forwards the vault, and goes on after kill -9' is_forwarded
try 'a forwarder that is refused fails loudly' a_refused_forwarder_is_loud
try 'the jobs of the organiser sign what came' is_published
try 'a unit mounts the organisation' organisation_is_mounted
try 'the mount of the organisation comes back' organisation_comes_back
try 'an upgrade under load loses nothing' is_upgraded_under_load
try 'before a reboot, writers work' is_busy service
try 'a verification is due at boot' a_job_is_due_at_boot
try 'it reboots with the service' reboots
try 'the service mounts at boot, and nothing is lost' came_back
try 'organisation and forwarder are there after the boot' organisation_came_back
try 'the shutdown has closed the vault' was_closed
try 'the journal says so' was_quiet
try 'the verification waited for the mount' was_due_at_boot
if [ "$WAY" = machine ]; then
	try 'before a power cut, writers work' is_busy power
	try 'it loses power' loses_power
	try 'nothing that was acknowledged is lost' came_back_after_a_power_cut
else
	skipped=$((skipped + 1))
	echo 'SKIP a power cut: a container has no power to lose'
fi
try 'a line of fstab mounts' uses_fstab
try 'a line of fstab mounts the organisation' organisation_by_fstab
try 'before a reboot, writers work in a mount of fstab' is_busy fstab
try 'it reboots with the line of fstab' reboots
try 'fstab mounts at boot' is_mounted_from_fstab
try 'the mount of fstab: nothing is lost' came_back
try 'fstab mounts the organisation at boot' organisation_is_mounted_from_fstab
try 'the shutdown has closed the vault of fstab' was_closed
try 'the example of a mount unit' uses_a_mount_unit
try 'the example of a mount unit of an organisation' organisation_by_a_mount_unit
try 'the example of an automount unit' uses_an_automount
try 'an automount that is idle is taken off' is_taken_off_when_idle
try 'it reboots with the automount' reboots
try 'the automount is there at boot' is_an_automount_after_boot
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
