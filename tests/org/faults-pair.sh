#!/bin/sh
# Forwarders between vaults and an organisation whose ledger is in PostgreSQL with
# quorum commit and whose blobs are in Ceph, while either side and the forwarders
# themselves are killed, stopped, cut off or full.  Nothing that the ledger has is
# lost: each entry, and each object that it names, can be fetched afterwards; and a
# forwarder goes on by itself.
#
# SEED=1 chooses the strikes of the last test, STRIKES=4 says how many.  Two hosts
# run in a network namespace of their own, with one link to radosgw and one to
# PostgreSQL; osd.2 has a namespace too.
# shellcheck source-path=SCRIPTDIR/.. disable=SC2317
if [ -z "${IN_NAMESPACE-}" ] && [ "$(id -u)" = 0 ] &&
	unshare -n true 2>/dev/null; then
	IN_NAMESPACE=1 exec unshare -n "$0" "$@"
fi
. "$(dirname "$0")/../suite.sh"
suite=tests/org/faults-pair.sh here=$top/tests/org
. "$here/bucket.sh"
: "${SEED:=1}" "${STRIKES:=4}"
patience_s=300 show_output=yes
rig=$work/r D=$work/ceph
chmod 711 "$work" # the server runs as another user
us=10.214.0.1 https=https://10.214.0.1:7443
hosts_ns=tf$$h osd_ns=tf$$o
hosts='host1 host2'
pg() { # pg VERB ARGUMENT...
	rig_verb=$1
	shift
	"$here/postgresql.sh" "$rig_verb" "$rig" "$@"
}
pid_of() { cat "$D/run/$1.pid"; }

leave() {
	touch "$work/stop"
	for f in "$work"/*.pid; do
		[ ! -s "$f" ] || kill -9 "$(cat "$f")" 2>/dev/null || :
	done
	[ ! -d "$D" ] || "$here/ceph.sh" stop "$D"
	pg stop
	ip netns del "$hosts_ns" 2>/dev/null
	ip netns del "$osd_ns" 2>/dev/null
	clean_up
}
trap leave EXIT

# --- two engines, two vaults ------------------------------------------------------

# link NAMESPACE BRIDGE ADDRESS NAME: a link of the namespace; its end here is
# called NAME.
link() {
	ip link add "$4" type veth peer name "$4" netns "$1"
	ip link set "$4" master "$2" up
	ip -n "$1" addr add "$3/24" dev "$4"
	ip -n "$1" link set "$4" up
	ip -n "$1" link set lo up
}

ledger_of() { # ledger_of ROLE
	echo "$(pg uri "$1")&answer_timeout=5"
}
blobs_of() { # blobs_of KEYS
	echo "s3://pairs/org?endpoint=$https&ca=$D/ca.pem&credentials=$work/$1&retention=2&stall=3"
}

begin() {
	SMALL=1200M WAL_KEEP=400MB WAL_MAX=500MB WAL_MIN=32MB WAL_TIMEOUT=3s pg start
	ip link set lo up
	ip link add ceph type bridge
	ip addr add $us/24 dev ceph
	ip link set ceph up
	ip netns add "$hosts_ns"
	ip netns add "$osd_ns"
	# shellcheck disable=SC1091
	. "$rig/facts"
	# shellcheck disable=SC2154 # of the facts
	link "$hosts_ns" "${id}x" "$net.20" to-ledger
	link "$hosts_ns" ceph 10.214.0.20 to-blobs
	link "$osd_ns" ceph 10.214.0.12 to-osd
	ADDRESS=$us OSD2_NETNS=$osd_ns MORE_CONF='osd heartbeat grace = 6
		osd heartbeat interval = 2
		mon osd min down reporters = 1' "$here/ceph.sh" start "$D"
	make_member
	expect "$(status_of $owner PUT "$https/pairs" \
		-H 'x-amz-bucket-object-lock-enabled: true')" 200 'the bucket'
	give_rights pairs ''
	is 0 trailctl org init --origin example.org/org --keys org-keys \
		"$(ledger_of trailfs_owner)" "$(blobs_of member.keys)"
	for h in $hosts; do
		pg user "$h"
		trailctl init --origin "example.org/$h" "$h" >"$h.vkey" 2>/dev/null
		is 0 trailctl org enrol --role "$h" "$(ledger_of trailfs_owner)" \
			"$h.vkey"
		is 0 trailctl trail create "$h/trail"
		forward "$h" &
		record "$h" &
	done
}

# forward HOST: its forwarder as a service, which comes back when it was killed.
forward() {
	while [ ! -e "$work/stop" ]; do
		ip netns exec "$hosts_ns" trailctl forward "$work/$1" \
			"$(ledger_of "$1")" "$(blobs_of member.keys)" \
			>>"$work/$1.said" 2>&1 &
		echo $! >"$work/$1.pid"
		status=0
		wait $! || status=$?
		echo "$status" >>"$work/$1.ends"
		sleep 0.2
	done
}

# record HOST: attestations, as long as there is a file HOST.records; each has a
# file that goes into a bundle, and every third one a file of its own.
record() {
	n=0
	while [ ! -e "$work/stop" ]; do
		if [ ! -e "$work/$1.records" ]; then
			[ -e "$work/$1.rests" ] || touch "$work/$1.rests"
			sleep 0.1
			continue
		fi
		rm -f "$work/$1.rests"
		n=$((n + 1))
		mkdir "$work/new.$1"
		echo "report $n of $1" >"$work/new.$1/report"
		[ $((n % 3)) -ne 0 ] || head -c 200000 /dev/urandom >"$work/new.$1/image"
		timeout 60 trailctl attest --begin "$work/$1/trail/run/a$n" \
			"$work/new.$1"/* >/dev/null 2>"$work/$1.attest" || {
			echo "attest: $(cat "$work/$1.attest")" >>"$work/$1.wrong"
		}
		rm -r "$work/new.$1"
		sleep 0.3 # what comes during a fault has to be fetched afterwards
	done
}

# --- what is seen -------------------------------------------------------------

sent() { # entries of HOST in the ledger
	pg sql "$(pg primary)" "SELECT next FROM trailfs.member
		WHERE origin = 'example.org/$1'" 2>/dev/null || echo 0
}
entries() {
	trailctl status --json "$1" | sed -n 's/.*"entries":\([0-9]*\),"failed.*/\1/p'
}
# Each host brings more than it has brought until now.
goes_on() {
	began=$(date +%s)
	for h in $hosts; do
		from=$(sent "$h")
		until [ "$(sent "$h")" -gt $((from + 20)) ]; do sleep 0.1; done
	done
	[ -z "${1-}" ] || echo "goes on $1: after $(($(date +%s) - began)) s"
}
# A forwarder says that it has to wait.
pauses() {
	for h in $hosts; do
		until grep -q '"failed_at"' "$work/$h/forwarded"; do sleep 0.1; done
		sed "s/.*\"why\":/$h: /" "$work/$h/forwarded"
	done
}
same_forwarders() {
	[ "$(cat "$work"/host?.ends 2>/dev/null | wc -l)" -eq "$ends" ] || {
		echo 'a forwarder has ended:'
		tail -n 3 "$work"/host?.ends "$work"/host?.said
		exit 1
	}
}

# All of it comes, and is fetched from nothing: entries and evidence, whole.
is_whole() {
	for h in $hosts; do rm -f "$work/$h.records"; done
	for h in $hosts; do
		until [ -e "$work/$h.rests" ]; do sleep 0.1; done
		until [ "$(sent "$h")" -eq "$(entries "$h")" ]; do sleep 0.2; done
		[ ! -e "$work/$h.wrong" ] || {
			cat "$work/$h.wrong"
			exit 1
		}
	done
	rm -rf copies
	is 0 trailctl org fetch "$(ledger_of trailfs_owner)" \
		"$(blobs_of member.keys)" copies
	for h in $hosts; do
		is 0 trailctl verify --vkey "$h.vkey" "copies/example.org%2F$h"
		[ "$(entries "copies/example.org%2F$h")" -eq "$(entries "$h")" ]
		cmp "copies/example.org%2F$h/checkpoint" "$h/checkpoint" ||
			expect "$(entries "copies/example.org%2F$h")" "$(entries "$h")" entries
		echo "$h: $(entries "$h") entries, all in the ledger and fetched with" \
			"their evidence"
	done
	echo "refused: $(pg sql "$(pg primary)" 'SELECT refusals FROM trailfs.head')," \
		"starts of forwarders after an end: $(cat "$work"/host?.ends \
			2>/dev/null | wc -l), load $(cut -d ' ' -f 1 /proc/loadavg)"
	expect "$(pg sql "$(pg primary)" 'SELECT refusals FROM trailfs.head')" 0 refused
}
# Remember how often forwarders had ended, then let the hosts work.
starts() {
	ends=$(cat "$work"/host?.ends 2>/dev/null | wc -l)
	for h in $hosts; do touch "$work/$h.records"; done
	goes_on
}

# --- blobs --------------------------------------------------------------------

# Fetching finds what is missing on either side.
a_fetch_sees_a_loss() {
	starts
	is_whole
	# An object of its own, with all versions of it.
	api $owner -H "x-amz-content-sha256: $empty" \
		"$https/pairs?prefix=org%2Fsha256%2F&versions=" | sed 's/<Version>/\n&/g' |
		sed -n 's/.*<Key>\([^<]*\)<.*<VersionId>\([^<]*\)<.*<Size>200000<.*/\1 \2/p' |
		head -n 1 >victim
	[ -s victim ]
	read -r at version <victim
	# A member owns what it has put.
	api member.keys "$https/pairs/$at" -H "x-amz-content-sha256: $empty" \
		>victim.bytes
	expect "$(status_of $owner DELETE "$https/pairs/$at?versionId=$version" \
		-H 'x-amz-bypass-governance-retention: true')" 204 'a deletion'
	rm -rf copies
	is 4 trailctl org fetch "$(ledger_of trailfs_owner)" \
		"$(blobs_of member.keys)" copies
	cat err
	expect "$(api member.keys -o said -w "%{http_code}" -T victim.bytes \
		-H "x-amz-content-sha256: $(digest victim.bytes)" "$https/pairs/$at")" \
		200 'the object again'
	# An entry of the ledger.
	p=$(pg primary)
	pg sql "$p" 'CREATE TABLE victim AS SELECT * FROM trailfs.leaf
		WHERE member = 1 AND number = 9; SET session_replication_role = replica;
		DELETE FROM trailfs.leaf WHERE member = 1 AND number = 9'
	rm -rf copies
	is 4 trailctl org fetch "$(ledger_of trailfs_owner)" \
		"$(blobs_of member.keys)" copies
	cat err
	pg sql "$p" 'SET session_replication_role = replica;
		INSERT INTO trailfs.leaf SELECT * FROM victim; DROP TABLE victim'
	is_whole
}

# What auditors see: one mount of both engines has the files of both vaults, also those
# that come while it is mounted.
the_organisation_is_mounted() {
	starts
	mkdir -p view
	is 0 trailfs "$(ledger_of trailfs_owner)" view \
		-o "ro,cache=cache,blobs=$(blobs_of member.keys)"
	for h in $hosts; do
		[ -n "$(find "view/example.org%2F$h" -type f)" ]
	done
	goes_on 'while it is mounted'
	for h in $hosts; do rm -f "$work/$h.records"; done
	for h in $hosts; do
		until [ -e "$work/$h.rests" ]; do sleep 0.1; done
		mkdir -p "vault.$h"
		is 0 trailfs "$h" "vault.$h" -o ro
		until [ "$(find "view/example.org%2F$h" -type f | wc -l)" -eq \
			"$(find "vault.$h" -type f | wc -l)" ]; do sleep 0.2; done
		diff -r "vault.$h" "view/example.org%2F$h"
		echo "$h: $(find "vault.$h" -type f | wc -l) files, equal in the mount of" \
			"the organisation"
		umount "vault.$h"
	done
	umount view
}

# Wait until each object has both copies again: Ceph waits for a disk that has the
# only copy of one, and so do forwarders.
both_copies() {
	until timeout 60 ceph -c "$D/ceph.conf" pg stat 2>/dev/null |
		grep -q '^[0-9]* pgs: [0-9]* active+clean;'; do sleep 0.2; done
	goes_on "with $1 again"
}

# An OSD is killed, stands still, or is cut off: the two others go on.
osds_fail_and_forwarders_go_on() {
	starts
	kill -9 "$(pid_of osd.1)"
	goes_on 'without osd.1, which was killed'
	"$here/ceph.sh" restart "$D" osd.1
	both_copies osd.1
	kill -STOP "$(pid_of osd.0)"
	goes_on 'with osd.0 stopped'
	kill -CONT "$(pid_of osd.0)"
	both_copies osd.0
	ip link set to-osd down
	goes_on 'with osd.2 cut off'
	ip link set to-osd up
	both_copies osd.2
	same_forwarders
	is_whole
}

# radosgw is killed, stands still, or cannot be reached: forwarders wait.
radosgw_fails_and_forwarders_wait() {
	starts
	kill -9 "$(pid_of client.rgw)"
	pauses
	"$here/ceph.sh" restart "$D" client.rgw
	goes_on
	kill -STOP "$(pid_of client.rgw)"
	pauses
	kill -CONT "$(pid_of client.rgw)"
	goes_on
	ip link set to-blobs down
	pauses
	ip link set to-blobs up
	goes_on
	same_forwarders
	is_whole
}

# ratios NEARLY BACKFILL FULL: when Ceph calls a disk full.
ratios() {
	for r in "nearfull $1" "backfillfull $2" "full $3"; do
		# shellcheck disable=SC2086 # two words
		set -- ${r}
		timeout 60 ceph -c "$D/ceph.conf" osd "set-$1-ratio" "$2" >/dev/null 2>&1
	done
}

# Disks that are full take nothing and lose nothing.
full_osds_make_forwarders_wait() {
	starts
	ratios 0.0001 0.0002 0.0003
	pauses
	timeout 60 ceph -c "$D/ceph.conf" health 2>/dev/null
	ratios 0.9 0.92 0.95
	goes_on
	same_forwarders
	is_whole
}

# --- forwarders, and everything ---------------------------------------------------

fail_over() {
	new=$(pg failover "$1")
	pg rejoin "$1" "$new"
	pg quorum "$new"
}
# strike NUMBER: one of them.
strike() {
	old=$(pg primary)
	case $1 in
	0 | 1 | 2) kill -9 "$(cat "$work/host$((1 + $1 % 2)).pid")" ;;
	3)
		kill -STOP "$(cat "$work/host1.pid")"
		pause_after=$(cat "$work/host1.pid")
		;;
	4) pg signal "$old" KILL && fail_over "$old" ;;
	5) pg signal "$old" STOP && fail_over "$old" ;;
	6)
		kill -9 "$(pid_of client.rgw)"
		"$here/ceph.sh" restart "$D" client.rgw
		;;
	7)
		kill -9 "$(pid_of osd.1)"
		"$here/ceph.sh" restart "$D" osd.1
		both_copies osd.1
		;;
	8)
		ip link set to-ledger down
		ip link set to-blobs down
		pauses
		ip link set to-ledger up
		ip link set to-blobs up
		;;
	esac
}
strikes='the forwarder of host1 killed|the forwarder of host2 killed|the forwarder of
 host1 killed|the forwarder of host1 stopped|the primary killed|the primary
 stopped|radosgw killed|an OSD killed|the hosts cut off'

# Kills and stops of forwarders and of both engines, in an order that SEED chooses.
strikes_on_both_engines_lose_nothing() {
	starts
	state=$SEED
	for i in $(seq "$STRIKES"); do
		state=$(((state * 1103515245 + 12345) % 2147483648))
		which=$((state / 65536 % 9)) pause_after=
		# Each seed has these two.
		[ "$i" -ne 1 ] || which=0
		[ "$i" -ne 2 ] || which=4
		echo "$i: $(echo "$strikes" | tr -d '\n' | cut -d '|' -f $((which + 1)))," \
			"with $(sent host1) and $(sent host2) entries"
		strike $which
		if [ -n "$pause_after" ]; then
			# The other one goes on.
			from=$(sent host2)
			until [ "$(sent host2)" -gt $((from + 20)) ]; do sleep 0.1; done
			kill -CONT "$pause_after"
		fi
		# At a moment of its own, in the middle of what follows.
		sleep "0.$((state / 1024 % 10))"
	done
	goes_on
	is_whole
	is 0 trailctl org publish --keys org-keys "$(ledger_of trailfs_owner)" \
		"$(blobs_of member.keys)"
	says 'of 2 members'
}

tests='a_fetch_sees_a_loss the_organisation_is_mounted
	osds_fail_and_forwarders_go_on radosgw_fails_and_forwarders_wait
	full_osds_make_forwarders_wait strikes_on_both_engines_lose_nothing'
lacking=
if [ -z "${IN_NAMESPACE-}" ]; then
	lacking='root, and namespaces of the network'
elif [ ! -e "$BUILD/trailfs-s3.so" ] || [ ! -e "$BUILD/trailfs-postgresql.so" ]; then
	lacking='trailfs-s3.so and trailfs-postgresql.so: no libcurl, no libpq'
elif ! lacking=$("$here/ceph.sh" has); then
	:
elif [ -z "$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ]; then
	lacking='no PostgreSQL server'
fi
if [ -n "$lacking" ]; then
	# shellcheck disable=SC2086 # a list
	skipped "$lacking" $tests
else
	(
		set -e
		begin
	) || {
		checks=1 failures=1
		finish
		exit 1
	}
	# shellcheck disable=SC2086 # a list
	run ${TESTS:-$tests}
fi
finish
