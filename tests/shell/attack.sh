#!/bin/sh
# tests/attack against a mounted vault: as a stranger, as a member of the group,
# as the owner, in user namespaces and as root.  Two threads, few descriptors.
# REQUESTS: hostile requests of each storm.
. "$(dirname "$0")/../suite.sh"
show_output=yes patience_s=7200 # a guard: the program has a bar of its own
: "${REQUESTS:=2000}"
options=settle=0,threads=2,max_unsealed=3000

# The program prints a line for each row of the table.
nobody_gains_anything() {
	[ "$(id -u)" -eq 0 ] || skip 'root runs it'
	chmod 0755 .
	is 0 trailctl init --origin example.org/attack store
	is 0 prlimit --nofile=1024:1024 trailfs store "$mnt" -o $options
	growth=8192 # kB
	! ldd "$BUILD/trailfs" | grep -q 'lib[at]san' || growth=1000000
	is 0 attack -v -m $growth -n "$REQUESTS" -l 5000 -a list -t "$BUILD/trailfs" "$mnt"
	cat out err
}

# Row C30: with the mount away, nothing is written in its place.
nobody_writes_to_the_bare_mount_point() {
	[ -e list ] || skip 'root runs it'
	unmount
	mkdir bare
	chattr +i bare 2>/dev/null || skip 'no immutable directories here'
	chattr -i bare
	is 0 trailfs store "$mnt" -o $options
	fusermount3 -u "$mnt"
	is 1 mkdir "$mnt/written"
	is 1 touch "$mnt/written"
	is 1 setpriv --reuid 54402 --clear-groups mkdir "$mnt/written"
	unmount
}

# What the attacker left of the store is whole.
the_store_verifies() {
	[ -e list ] || skip 'root runs it'
	is 0 trailctl verify store
}

# And another mount has all that was acknowledged.
what_was_acknowledged_is_there_after_a_mount() {
	[ -e list ] || skip 'root runs it'
	is 0 trailfs store "$mnt" -o $options
	is 0 attack -c list
	unmount
}

# Rows O1 to O5: the mount of an organisation, with a private trail in each origin.
nobody_gains_anything_of_an_organisation() {
	[ -e list ] || skip 'root runs it'
	is 0 trailctl org init --origin example.org/all --keys org-keys dir:org
	for host in one two; do
		is 0 trailctl init --origin "example.org/$host" $host
		is 0 trailfs $host "$mnt"
		for trail in public private; do
			mkdir "$mnt/$trail" "$mnt/$trail/w" "$mnt/$trail/w/ev"
			chmod 0755 "$mnt/$trail" "$mnt/$trail/w" "$mnt/$trail/w/ev"
		done
		echo 'for everybody' >"$mnt/public/w/ev/report"
		echo 'the secret of the kestrel' >"$mnt/private/w/ev/kestrel-plan"
		chmod 0644 "$mnt/public/w/ev/report" "$mnt/private/w/ev/kestrel-plan"
		chmod 0700 "$mnt/private"
		is 0 trailctl seal "$mnt/public/w/ev"
		is 0 trailctl seal "$mnt/private/w/ev"
		unmount
		is 0 trailctl org enrol dir:org $host/keys/log.vkey
		is 0 trailctl forward -q --once $host dir:org
	done
	is 0 trailctl org fetch -q dir:org copies
	mkdir all
	trailfs -f copies all -o ro 2>router.log &
	router=$!
	until_true mountpoint -q all
	is 0 trailfs store "$mnt" -o $options
	is 0 attack -v -n "$REQUESTS" -r O1,O2,O3,O4,O5 -o all -p $router "$mnt"
	cat out err
	umount all
	wait $router
	if grep 'nonsense\|ended: \|ended with\|cannot' router.log; then exit 1; fi
	unmount
}

# Row Q5: a small disk, which one user fills.
who_fills_the_disk_ends_nobodys_work() {
	[ -e list ] || skip 'root runs it'
	mkdir small
	command mount -t tmpfs -o size=160m tmpfs small
	is 0 trailctl init --origin example.org/small small/store
	is 0 trailfs small/store "$mnt" -o $options,max_unsealed=0
	is 0 attack -v -f -r Q5 -a list-small "$mnt"
	cat out err
	# Who was refused is told why.
	is 0 setpriv --reuid 54402 --regid 54402 --clear-groups \
		trailctl why mnt/attack-*-open/w/ev
	says 'has had its share of the last'
	unmount
	is 0 trailctl verify small/store
	is 0 trailfs small/store "$mnt" -o $options
	is 0 attack -c list-small
	unmount
}

run nobody_gains_anything nobody_writes_to_the_bare_mount_point \
	the_store_verifies what_was_acknowledged_is_there_after_a_mount \
	nobody_gains_anything_of_an_organisation \
	who_fills_the_disk_ends_nobodys_work
finish
