#!/bin/sh
# Three nodes of PostgreSQL for tests, one primary with two standbys, of which
# each commit waits for one (quorum commit).  Each node has a network namespace
# of its own, on a bridge with this machine, and answers by TLS only.  All of it
# is in one directory.
#
#   tests/org/postgresql.sh start DIR     make the nodes a, b, c and start them
#   tests/org/postgresql.sh stop DIR      end them and remove DIR
#   tests/org/postgresql.sh uri DIR USER [NODE...]   the address for a user
#   tests/org/postgresql.sh user DIR USER      a role with a certificate
#   tests/org/postgresql.sh certify DIR USER|NODE DAYS   another certificate, which
#                                        ends after so many (-1: it has ended)
#   tests/org/postgresql.sh revoke DIR USER    its certificate of now
#   tests/org/postgresql.sh crl DIR SECONDS    a list of what was revoked, which all
#                                        nodes use and which is over after so many
#   tests/org/postgresql.sh database DIR NAME  an empty database of trailfs_owner
#   tests/org/postgresql.sh primary DIR        prints its name
#   tests/org/postgresql.sh sql DIR NODE TEXT  as superuser, by a socket
#                                        (DATABASE: in which, or trailfs)
#   tests/org/postgresql.sh signal DIR NODE SIGNAL   to all processes of a node
#   tests/org/postgresql.sh up DIR NODE        start it again
#   tests/org/postgresql.sh down DIR NODE      stop it in order
#   tests/org/postgresql.sh failover DIR OLD   promote the standby that has more
#                                        than the other, which then follows it;
#                                        prints its name
#   tests/org/postgresql.sh rejoin DIR NODE PRIMARY  make an old primary a standby
#   tests/org/postgresql.sh cut DIR NODE       its network is gone
#   tests/org/postgresql.sh join DIR NODE      and there again
#   tests/org/postgresql.sh quorum DIR NODE    wait until a standby is attached
#
# `start` needs root, for the namespaces, and the packages of `.ci/setup org`; it
# exits with 77 and prints why if something is not there.  SMALL=SIZE in the
# environment puts each node on a tmpfs of that size.  Each step has a time
# limit; processes are ended by the pid that the node itself wrote.
set -eu
LC_ALL=C
export LC_ALL
umask 022
limit_s=60

fail() {
	echo "postgresql.sh: $*" >&2
	exit 1
}
cannot() {
	echo "postgresql.sh: $*" >&2
	exit 77
}

verb=${1-} dir=${2-}
[ -n "$dir" ] || fail 'usage: postgresql.sh VERB DIR ...'
shift 2

# The newest server that is installed.
bin=
for b in /usr/lib/postgresql/*/bin; do
	[ ! -x "$b/initdb" ] || bin=$b
done

# --- helpers ------------------------------------------------------------

# The facts of a rig, written once by start: id, net.
read_facts() {
	[ -r "$dir/facts" ] || fail "no nodes in $dir"
	dir=$(cd "$dir" && pwd -P)
	# shellcheck disable=SC1091
	. "$dir/facts"
}
number() {
	case $1 in
	a) echo 11 ;;
	b) echo 12 ;;
	c) echo 13 ;;
	*) fail "no such node: $1" ;;
	esac
}
address() { echo "$net.$(number "$1")"; }

# as NODE COMMAND...: as the user of the server, in the namespace of the node.
as() {
	ns=$id$1
	shift
	(cd / && timeout -k 5 "$limit_s" ip netns exec "$ns" setpriv --reuid=postgres \
		--regid=postgres --init-groups --reset-env "$@")
}
conf() { cat >>"$dir/$1/data/postgresql.conf"; }
sql() { # sql NODE TEXT
	as "$1" env PGCONNECT_TIMEOUT=10 psql -XAtq -v ON_ERROR_STOP=1 \
		-h "$dir/$1" -U postgres "${db:-postgres}" -c "$2"
}
pid_of() { head -n 1 "$dir/$1/data/postmaster.pid" 2>/dev/null || :; }
up() {
	# A killed server that nobody has waited for keeps its pid as a zombie, and
	# then looks alive to a new one.
	[ -n "$(processes "$1")" ] || rm -f "$dir/$1/data/postmaster.pid" \
		"$dir/$1/.s.PGSQL.5432" "$dir/$1/.s.PGSQL.5432.lock"
	as "$1" "$bin/pg_ctl" -D "$dir/$1/data" -l "$dir/$1/log" -t "$limit_s" -w \
		start >"$dir/$1/start" 2>&1 || {
		cat "$dir/$1/start" >&2
		tail -n 20 "$dir/$1/log" >&2
		fail "node $1 does not start"
	}
}
# The processes of a node: the postmaster and its children.  Only those whose
# command is postgres, because a pid may be another program's by now.
processes() {
	pid=$(pid_of "$1")
	[ -n "$pid" ] && [ -e "/proc/$pid" ] || return 0
	[ "$(cat "/proc/$pid/comm")" = postgres ] || return 0
	[ "$(readlink "/proc/$pid/cwd")" = "$dir/$1/data" ] || return 0
	echo "$pid"
	cat "/proc/$pid/task/$pid/children"
}
# until_sql NODE TEXT WANT: wait until the answer is that.
until_sql() {
	i=0
	while [ "$(sql "$1" "$2" 2>/dev/null)" != "$3" ]; do
		i=$((i + 1))
		[ $i -lt 600 ] || fail "node $1: '$2' is not $3 after a minute"
		sleep 0.1
	done
}

# cert NAME SUBJECT SAN DAYS: a key and a certificate of our authority.  SAN may be
# empty.
cert() {
	k=$dir/tls/$1
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \
		-keyout "$k.key" -out "$k.csr" -subj "$2" 2>/dev/null
	echo "${3:+subjectAltName=$3}" >"$k.ext"
	openssl x509 -req -in "$k.csr" -CA "$dir/tls/ca.crt" \
		-CAkey "$dir/tls/ca.key" -set_serial "0x$(openssl rand -hex 8)" \
		-days "$4" -sha256 -extfile "$k.ext" -out "$k.crt" 2>/dev/null
	rm "$k.csr" "$k.ext"
	chmod 600 "$k.key"
}
cert_of_node() { # cert_of_node NODE DAYS
	cert "$1" "/CN=$1.example" "DNS:$1.example,IP:$(address "$1")" "$2"
}
authority() { # what openssl ca does with the list of what was revoked
	(cd "$dir/tls" && openssl ca -config ca.conf -keyfile ca.key -cert ca.crt \
		"$@" >ca.log 2>&1) || fail "$(cat "$dir/tls/ca.log")"
}
# use NODE...: read the files of TLS again.  The next connection meets them: the
# server answers none between this line of its log and the end of its reading.
use() {
	for n; do
		tls_of "$n"
		at=$(grep -c 'received SIGHUP' "$dir/$n/log" || :)
		as "$n" "$bin/pg_ctl" -D "$dir/$n/data" reload >/dev/null
		until [ "$(grep -c 'received SIGHUP' "$dir/$n/log")" -gt "$at" ]; do
			sleep 0.05
		done
	done
}

# --- verbs --------------------------------------------------------------

# follows NODE PRIMARY: the settings of a standby.
follows() {
	cat >"$dir/$1/data/postgresql.auto.conf" <<-END
		primary_conninfo='host=$(address "$2") port=5432 user=replicator application_name=$1 sslmode=verify-full sslrootcert=$dir/$1/tls/ca.crt sslcert=$dir/$1/tls/replicator.crt sslkey=$dir/$1/tls/replicator.key connect_timeout=2'
		recovery_target_timeline='latest'
	END
	chown postgres: "$dir/$1/data/postgresql.auto.conf"
}

tls_of() { # the files that a node reads, as its user
	mkdir -p "$dir/$1/tls"
	for f in ca.crt crl.pem "$1.crt" "$1.key" replicator.crt replicator.key; do
		cp "$dir/tls/$f" "$dir/$1/tls/$f"
	done
	chown -R postgres: "$dir/$1/tls"
	chown postgres: "$dir/$1"
	chmod 700 "$dir/$1"
	chmod 600 "$dir/$1/tls"/*.key
}

# A free network for the bridge: two rigs may be on one machine.
free_net() {
	for i in $(seq 20); do
		n=$(od -An -N1 -tu1 /dev/urandom | tr -d ' ')
		net=10.213.$n
		[ -n "$(ip -4 addr show to "$net.0/24")" ] || return 0
	done
	fail 'no free network'
}

network() {
	ip link add "${id}x" type bridge
	ip addr add "$net.1/24" dev "${id}x"
	ip link set "${id}x" up
	for n in a b c; do
		ip netns add "$id$n"
		ip link add "$id$n" type veth peer name eth0 netns "$id$n"
		ip link set "$id$n" master "${id}x" up
		ip -n "$id$n" addr add "$(address $n)/24" dev eth0
		ip -n "$id$n" link set eth0 up
		ip -n "$id$n" link set lo up
	done
}

start() {
	[ "$(id -u)" = 0 ] || cannot 'needs root, for network namespaces'
	[ -n "$bin" ] || cannot 'no PostgreSQL server is installed'
	for tool in ip setpriv openssl psql; do
		command -v $tool >/dev/null || cannot "no $tool"
	done
	id postgres >/dev/null 2>&1 || cannot 'no user postgres'
	[ ! -e "$dir" ] || fail "$dir is there already"
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd -P)
	chmod 755 "$dir"
	id=tp$(od -An -N3 -tx1 /dev/urandom | tr -d ' ')
	free_net
	printf 'id=%s\nnet=%s\n' "$id" "$net" >"$dir/facts"
	echo a >"$dir/primary"
	if ! network >"$dir/network" 2>&1; then
		cat "$dir/network" >&2
		stop
		cannot 'cannot make network namespaces'
	fi
	done=
	trap '[ -n "$done" ] || stop' EXIT

	mkdir "$dir/tls"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-sha256 -days 2 -keyout "$dir/tls/ca.key" -out "$dir/tls/ca.crt" \
		-subj '/CN=authority of the test' 2>/dev/null
	cat >"$dir/tls/ca.conf" <<-'END'
		[ca]
		default_ca = here
		[here]
		database = revoked
		default_md = sha256
	END
	: >"$dir/tls/revoked"
	authority -gencrl -crldays 2 -out crl.pem
	for n in a b c; do
		cert_of_node $n 2
	done
	cert replicator /CN=replicator '' 2
	cert client-trailfs_owner /CN=trailfs_owner '' 2

	for n in a b c; do
		mkdir "$dir/$n"
		[ -z "${SMALL-}" ] || mount -t tmpfs -o "size=$SMALL" "$id$n" \
			"$dir/$n"
		tls_of $n
	done
	as a "$bin/initdb" -D "$dir/a/data" -U postgres -A trust --data-checksums \
		--locale=C --encoding=UTF8 -E UTF8 >"$dir/initdb" 2>&1 || {
		cat "$dir/initdb" >&2
		fail initdb
	}
	conf a <<-END
		listen_addresses='*'
		port=5432
		unix_socket_permissions=0700
		max_connections=${CONNECTIONS:-100}
		shared_buffers=32MB
		# A killed server leaves nothing outside of its directory.
		dynamic_shared_memory_type=mmap
		wal_log_hints=on
		max_wal_senders=8
		hot_standby=on
		ssl=on
		synchronous_standby_names='ANY 1 (*)'
		wal_sender_timeout=${WAL_TIMEOUT:-10s}
		wal_receiver_timeout=${WAL_TIMEOUT:-10s}
		wal_retrieve_retry_interval=200ms
		wal_keep_size=${WAL_KEEP:-256MB}
		max_wal_size=${WAL_MAX:-512MB}
		min_wal_size=${WAL_MIN:-80MB}
		wal_init_zero=off
	END
	settings a
	cat >"$dir/a/data/pg_hba.conf" <<-END
		local all postgres trust
		local replication postgres trust
		hostssl replication replicator $net.0/24 cert map=organisation
		hostssl all all $net.0/24 cert map=organisation
	END
	# The name in the certificate is the role: an organisation may write one
	# line for each host instead.
	cat >"$dir/a/data/pg_ident.conf" <<-'END'
		organisation /^(.*)$ \1
	END
	chown postgres: "$dir/a/data"/*.conf
	up a
	db=postgres
	PGOPTIONS='-c synchronous_commit=local'
	as a env "PGOPTIONS=$PGOPTIONS" psql -XAtq -v ON_ERROR_STOP=1 -h "$dir/a" \
		-U postgres postgres >"$dir/roles" 2>&1 <<-'END' || fail "$(cat "$dir/roles")"
			CREATE ROLE replicator LOGIN REPLICATION;
			CREATE ROLE trailfs_owner LOGIN CREATEROLE;
			CREATE DATABASE trailfs OWNER trailfs_owner;
			REVOKE ALL ON DATABASE trailfs FROM PUBLIC;
			REVOKE ALL ON DATABASE postgres FROM PUBLIC;
		END
	for n in b c; do
		as a env "PGOPTIONS=$PGOPTIONS" "$bin/pg_basebackup" -h "$dir/a" \
			-U postgres -D "$dir/a/copy" -X stream -c fast >"$dir/copy" 2>&1 ||
			fail "$(cat "$dir/copy")"
		mv "$dir/a/copy" "$dir/$n/data"
		settings $n
		follows $n a
		touch "$dir/$n/data/standby.signal"
		chown postgres: "$dir/$n/data/standby.signal"
		up $n
	done
	until_sql a "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'" 2
	done=yes
}

# settings NODE: settings that differ between nodes.
settings() {
	sed -i '/# of this node$/d' "$dir/$1/data/postgresql.conf"
	conf "$1" <<-END
		cluster_name='$1' # of this node
		unix_socket_directories='$dir/$1' # of this node
		ssl_cert_file='$dir/$1/tls/$1.crt' # of this node
		ssl_key_file='$dir/$1/tls/$1.key' # of this node
		ssl_ca_file='$dir/$1/tls/ca.crt' # of this node
		ssl_crl_file='$dir/$1/tls/crl.pem' # of this node
	END
}

stop() {
	[ -e "$dir/facts" ] || return 0
	read_facts
	for n in a b c; do
		# A process that was stopped ends too: SIGKILL waits for nothing.
		for p in $(processes $n); do
			kill -9 "$p" 2>/dev/null || :
		done
		ip netns del "$id$n" 2>/dev/null || :
		ip link del "$id$n" 2>/dev/null || :
		umount -l "$dir/$n" 2>/dev/null || :
	done
	ip link del "${id}x" 2>/dev/null || :
	rm -rf "$dir"
}

user() {
	[ -e "$dir/tls/client-$1.crt" ] || certify "$1" 2
	sql "$(cat "$dir/primary")" "DO \$\$ BEGIN
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$1') THEN
			CREATE ROLE \"$1\" LOGIN;
		END IF;
	END \$\$"
}

certify() {
	case $1 in
	a | b | c)
		cert_of_node "$1" "$2"
		use "$1"
		;;
	*) cert "client-$1" "/CN=$1" '' "$2" ;;
	esac
}

crl() {
	authority -gencrl -crlsec "$1" -out crl.pem
	use a b c
}

revoke() {
	authority -revoke "client-$1.crt"
	crl 172800
}

uri() {
	who=$1
	shift
	hosts=
	[ $# -gt 0 ] || set -- a b c
	for n; do
		hosts=$hosts${hosts:+,}$(address "$n")
	done
	t=$dir/tls
	echo "postgresql://$who@$hosts/trailfs?sslmode=verify-full&sslrootcert=$t/ca.crt&sslcert=$t/client-$who.crt&sslkey=$t/client-$who.key&connect_timeout=2"
}

failover() {
	best='' most=
	for n in a b c; do
		[ "$n" != "$1" ] || continue
		at=$(sql "$n" "SELECT pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(),
			pg_last_wal_replay_lsn()), '0/0')::numeric(30,0)" 2>/dev/null) || continue
		if [ -z "$most" ] || [ "$at" -gt "$most" ]; then
			best=$n most=$at
		fi
	done
	[ -n "$best" ] || fail 'no standby answers'
	as "$best" "$bin/pg_ctl" -D "$dir/$best/data" -t "$limit_s" -w promote \
		>"$dir/promote" 2>&1 || fail "$(cat "$dir/promote")"
	for n in a b c; do
		case $n in "$1" | "$best") continue ;; esac
		[ -n "$(processes "$n")" ] || continue
		follows "$n" "$best"
		as "$n" "$bin/pg_ctl" -D "$dir/$n/data" reload >/dev/null
	done
	echo "$best" | tee "$dir/primary"
}

rejoin() {
	for p in $(processes "$1"); do
		kill -9 "$p" 2>/dev/null || :
	done
	if [ ! -e "$dir/$1/data/standby.signal" ]; then # it was a primary
		# pg_rewind compares timelines by the last checkpoint: without one since the
		# promotion it sees no difference, and the node would never follow.
		sql "$2" CHECKPOINT
		cp "$dir/$1/data/postgresql.conf" "$dir/$1/postgresql.conf"
		rm -f "$dir/$1/data/postmaster.pid"
		as "$1" "$bin/pg_rewind" -D "$dir/$1/data" \
			--source-server="host=$dir/$2 user=postgres dbname=postgres" \
			>"$dir/rewind" 2>&1 || fail "$(cat "$dir/rewind")"
		cp "$dir/$1/postgresql.conf" "$dir/$1/data/postgresql.conf"
		chown postgres: "$dir/$1/data/postgresql.conf"
	fi
	follows "$1" "$2"
	touch "$dir/$1/data/standby.signal"
	chown postgres: "$dir/$1/data/standby.signal"
	up "$1"
}

case $verb in
start) start ;;
stop) stop ;;
*)
	read_facts
	case $verb in
	uri | user | certify | revoke | crl | failover | rejoin) "$verb" "$@" ;;
	primary) cat "$dir/primary" ;;
	database)
		sql "$(cat "$dir/primary")" "CREATE DATABASE \"$1\" OWNER trailfs_owner
			TEMPLATE template0"
		# A client that asks a standby first must find it there, too.
		for n in a b c; do
			[ -z "$(processes $n)" ] || until_sql $n "SELECT count(*)
				FROM pg_database WHERE datname = '$1'" 1
		done
		;;
	sql) db=${DATABASE:-trailfs} sql "$@" ;;
	up) up "$1" ;;
	down)
		as "$1" "$bin/pg_ctl" -D "$dir/$1/data" -t "$limit_s" -w -m fast stop \
			>/dev/null
		;;
	signal)
		# From the first to the last, so that the postmaster starts none.
		for p in $(processes "$1"); do
			kill -s "$2" "$p" 2>/dev/null || :
		done
		;;
	cut) ip link set "$id$1" down ;;
	join) ip link set "$id$1" up ;;
	quorum)
		until_sql "$1" "SELECT count(*) > 0 FROM pg_stat_replication
			WHERE sync_state IN ('quorum', 'sync')" t
		;;
	*) fail "no such verb: $verb" ;;
	esac
	;;
esac
