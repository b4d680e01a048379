#!/bin/sh
# tests/org/ceph.sh start DIR: a real Ceph in the new directory DIR: 1 monitor, 1
# manager, 3 OSDs and radosgw, with Debian's packages radosgw, ceph-mon, ceph-osd,
# ceph-mgr and ceph-common.
# tests/org/ceph.sh stop DIR: end it, and remove DIR.
# tests/org/ceph.sh restart DIR NAME: start NAME (osd.0, client.rgw) again.
# tests/org/ceph.sh has: succeed if the programs are installed.
#
# Afterwards DIR has: run/NAME.pid of each process; ca.pem, which vouches for
# radosgw; root.keys, the access key and the secret of a user with all rights to
# their own buckets.  radosgw answers at http://127.0.0.1:7480 and at
# https://127.0.0.1:7443.  The ports are fixed: run all of it in a network
# namespace (`unshare -n`, then `ip link set lo up`).
#
# The disks are sparse files of 2 GiB, so a rig never uses more than 6 GiB.  Two
# copies, and one is enough to write: that is for one machine only.
#
# In the environment of start: ADDRESS, of this machine, instead of 127.0.0.1 (but
# plain http stays there); OSD2_NETNS, the network namespace in which osd.2 runs;
# OSD_BYTES, the size of each disk; MORE_CONF, lines for the section [global].
set -eu
LC_ALL=C
export LC_ALL

fail() {
	echo "ceph.sh: $*" >&2
	exit 1
}

what=${1-}
if [ "$what" = has ]; then
	for p in radosgw radosgw-admin ceph ceph-mon ceph-osd ceph-mgr \
		ceph-authtool monmaptool openssl; do
		command -v "$p" >/dev/null 2>&1 || {
			echo "no $p"
			exit 1
		}
	done
	exit 0
fi
[ $# -ge 2 ] || fail 'usage: ceph.sh start|stop DIR, ceph.sh restart DIR NAME'
D=$2
case $D in
/*) ;;
*) fail "$D is not an absolute path" ;;
esac
CEPH_CONF=$D/ceph.conf
export CEPH_CONF
address=${ADDRESS:-127.0.0.1} osd2_netns=${OSD2_NETNS-}
# shellcheck disable=SC1091
[ ! -r "$D/facts" ] || . "$D/facts"

# Nothing here may wait for ever.
within() {
	seconds=$1
	shift
	timeout -k 5 "$seconds" "$@"
}

logged() {
	"$@" >>"$D/log/setup" 2>&1 || {
		tail -n 20 "$D/log/setup" >&2
		fail "$* failed"
	}
}

# Start one daemon, which writes its pid file.
daemon() {
	case $1 in
	mon.*) logged within 60 ceph-mon -i "${1#mon.}" -c "$CEPH_CONF" ;;
	mgr.*) logged within 60 ceph-mgr -i "${1#mgr.}" -c "$CEPH_CONF" ;;
	osd.*)
		in=
		[ "$1" != osd.2 ] || in=${osd2_netns:+ip netns exec $osd2_netns}
		# shellcheck disable=SC2086 # words
		logged within 60 $in ceph-osd -i "${1#osd.}" -c "$CEPH_CONF"
		;;
	client.rgw) logged within 120 radosgw -c "$CEPH_CONF" -n client.rgw ;;
	*) fail "no daemon $1" ;;
	esac
}

# Wait until radosgw answers anything.
answers() {
	tries=0
	until curl -s -o /dev/null --max-time 5 http://127.0.0.1:7480/; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || fail 'radosgw does not answer'
		sleep 0.1
	done
}

# A certificate of our own authority for the address.
certify() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$D/ca.key" \
		-out "$D/ca.pem" -days 30 -subj '/CN=rig CA' 2>>"$D/log/setup"
	openssl req -newkey rsa:2048 -nodes -keyout "$D/rgw.key" \
		-out "$D/rgw.csr" -subj '/CN=rig radosgw' 2>>"$D/log/setup"
	echo 'subjectAltName=IP:127.0.0.1,DNS:localhost,IP:'"$address" >"$D/rgw.ext"
	openssl x509 -req -in "$D/rgw.csr" -CA "$D/ca.pem" -CAkey "$D/ca.key" \
		-CAcreateserial -days 30 -extfile "$D/rgw.ext" -out "$D/rgw.crt" \
		2>>"$D/log/setup"
}

configure() {
	fsid=$(cat /proc/sys/kernel/random/uuid)
	cat >"$CEPH_CONF" <<C
[global]
fsid = $fsid
mon host = [v2:$address:13300,v1:$address:16789]
public network = $address/$([ "$address" = 127.0.0.1 ] && echo 8 || echo 24)
ms bind ipv6 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = $D/keyring
osd pool default size = 2
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon allow pool delete = true
run dir = $D/run
admin socket =
pid file = $D/run/\$name.pid
log file = $D/log/\$name.log
${MORE_CONF-}
mon cluster log file = $D/log/cluster.log
[mon]
mon data = $D/mon
mon data avail warn = 2
mon data avail crit = 1
[mgr]
mgr data = $D/mgr
keyring = $D/mgr/keyring
mgr initial modules =
[osd]
osd data = $D/osd\$id
keyring = $D/osd\$id/keyring
osd objectstore = bluestore
bluestore block create = true
bluestore block size = ${OSD_BYTES:-2147483648}
osd memory target = 939524096
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:7480 ssl_endpoint=$address:7443 ssl_certificate=$D/rgw.crt ssl_private_key=$D/rgw.key tcp_nodelay=1
rgw multipart min part size = 65536
keyring = $D/rgw/keyring
rgw data = $D/rgw
C
}

start() {
	[ ! -e "$D" ] || fail "$D exists"
	mkdir -p "$D/mon" "$D/mgr" "$D/rgw" "$D/run" "$D/log"
	echo "address=$address osd2_netns=$osd2_netns" >"$D/facts"
	configure
	certify
	logged ceph-authtool -C "$D/keyring" --gen-key -n mon. --cap mon 'allow *'
	logged ceph-authtool "$D/keyring" --gen-key -n client.admin \
		--cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
	logged monmaptool --create --fsid "$fsid" --addv a \
		"[v2:$address:13300,v1:$address:16789]" "$D/monmap"
	logged within 60 ceph-mon --mkfs -i a -c "$CEPH_CONF" \
		--monmap "$D/monmap" --keyring "$D/keyring"
	daemon mon.a
	logged within 60 ceph config set global \
		auth_allow_insecure_global_id_reclaim false
	logged within 60 ceph auth get-or-create mgr.x mon 'allow profile mgr' \
		osd 'allow *' -o "$D/mgr/keyring"
	daemon mgr.x
	for i in 0 1 2; do
		u=$(cat /proc/sys/kernel/random/uuid)
		secret=$(ceph-authtool --gen-print-key)
		mkdir "$D/osd$i"
		echo "{\"cephx_secret\":\"$secret\"}" >"$D/new"
		logged within 60 ceph osd new "$u" -i "$D/new"
		logged ceph-authtool -C "$D/osd$i/keyring" -n "osd.$i" \
			--add-key "$secret"
		logged within 120 ceph-osd -i "$i" -c "$CEPH_CONF" --mkfs \
			--osd-uuid "$u"
		daemon "osd.$i"
	done
	logged within 60 ceph auth get-or-create client.rgw mon 'allow rw' \
		osd 'allow rwx' -o "$D/rgw/keyring"
	daemon client.rgw
	logged within 120 radosgw-admin -c "$CEPH_CONF" -n client.rgw user create \
		--uid=root --display-name=root --access-key=ROOTKEY \
		--secret-key=rootsecret
	(umask 077 && printf 'ROOTKEY\nrootsecret\n' >"$D/root.keys")
	answers
}

# end PIDFILE: end the process of the file, if it is still that program.
end() {
	[ -s "$1" ] || return 0
	pid=$(cat "$1")
	tries=0
	while grep -qs "$CEPH_CONF" "/proc/$pid/cmdline"; do
		case $tries in
		0)
			kill -CONT "$pid" 2>/dev/null || :
			kill -TERM "$pid" 2>/dev/null || :
			;;
		150) kill -KILL "$pid" 2>/dev/null || : ;;
		300) fail "process $pid does not end" ;;
		esac
		tries=$((tries + 1))
		sleep 0.1
	done
}

case $what in
start) start ;;
stop)
	for n in client.rgw osd.0 osd.1 osd.2 mgr.x mon.a; do
		end "$D/run/$n.pid"
	done
	[ ! -e "$CEPH_CONF" ] || rm -rf "$D"
	;;
restart)
	end "$D/run/$3.pid"
	daemon "$3"
	[ "$3" != client.rgw ] || answers
	;;
*) fail "no command $what" ;;
esac
