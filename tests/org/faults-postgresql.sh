#!/bin/sh
# Faults of three nodes of PostgreSQL while hosts append: nothing that was
# acknowledged is lost, nothing is there twice or out of order, and stolen
# credentials of a host can do no more than append for that host.
#
# SEED=1 chooses the bytes, the batches and the moments of the proxy.  The nodes
# are on tmpfs, so the disk of this machine is not waited for.
# shellcheck source-path=SCRIPTDIR/.. disable=SC2317
. "$(dirname "$0")/../suite.sh"
suite=tests/org/faults-postgresql.sh
: "${SEED:=1}"
writers=$BUILD/org-writers
rig=$work/r
chmod 711 "$work" # the server runs as another user
pg() { # pg VERB ARGUMENT...
	rig_verb=$1
	shift
	"$top/tests/org/postgresql.sh" "$rig_verb" "$rig" "$@"
}
# All processes that a test leaves are ended, by their pid.
end_all() {
	cat "$work"/*.pid 2>/dev/null | while read -r p; do
		kill "$p" 2>/dev/null
	done
	"$top/tests/org/postgresql.sh" stop "$rig"
	clean_up
}
trap end_all EXIT

hosts='host1 host2 host3 host4'
patient='&answer_timeout=60' hasty='&answer_timeout=3'
as_host() { # as_host HOST SQL: by TLS with the host's certificate
	PGCONNECT_TIMEOUT=10 timeout 60 psql -XAtq -v ON_ERROR_STOP=1 \
		"$(pg uri "$1")&target_session_attrs=read-write" -c "$2"
}
# The owner at the primary of now: a former one may still answer.
owner() { pg uri trailfs_owner "$(pg primary)"; }
on_primary() { pg sql "$(pg primary)" "$1"; }
until_says() { # until_says WANT COMMAND...
	wanted=$1
	shift
	until [ "$("$@" 2>/dev/null)" = "$wanted" ]; do sleep 0.1; done
}

# Three nodes work together again, whatever an earlier test left.
heal() {
	primary=$(pg primary)
	for n in a b c; do
		pg join "$n"
		pg signal "$n" CONT
	done
	[ "$(pg sql "$primary" 'SELECT count(*) FROM pg_stat_replication')" != 2 ] ||
		return 0
	for n in a b c; do
		[ "$n" = "$primary" ] || pg rejoin "$n" "$primary"
	done
	until_says 2 on_primary 'SELECT count(*) FROM pg_stat_replication'
}
# begin NAME ENTRIES LOSE OPTIONS [NODE...]: four hosts begin to append that many
# entries each, for origins NAME.HOST.
begin() {
	name=$1 entries=$2 lose=$3 options=$4
	[ "$name" = both ] || heal
	shift 4
	for h in $hosts; do
		timeout 60 "$writers" make "$(owner)" "$name.$h" "$h"
		: >"$work/acked.$name.$h"
		echo "$name.$h $work/acked.$name.$h" >>"$work/origins"
		timeout -k 5 150 "$writers" write "$(pg uri "$h" "$@")$options" \
			"$name.$h" "$SEED" "$entries" 64 "$lose" \
			"$work/acked.$name.$h" >"$name.$h.out" 2>"$name.$h.err" &
		echo $! >"$name.$h.pid"
	done
}
# Wait until host1 has appended so many.
appended() {
	until [ "$(sed 's/^0*//' "$work/acked.$name.host1")" -ge "$1" ] 2>/dev/null; do
		kill -0 "$(cat "$name.host1.pid")" || {
			cat "$name".*.err
			exit 1
		}
		sleep 0.02
	done
}
ended() {
	for h in $hosts; do
		wait "$(cat "$name.$h.pid")" || {
			echo "the writer of $name.$h failed:"
			tail -n 5 "$name.$h.out" "$name.$h.err"
			exit 1
		}
		rm "$name.$h.pid"
		cat "$name.$h.out"
	done
	whole
}
# All that was ever acknowledged is in the ledger, and nothing else.
whole() {
	# shellcheck disable=SC2046 # a list
	timeout 120 "$writers" check "$(owner)" "$SEED" \
		$(cat "$work/origins")
}
show_output=yes

# --- tests --------------------------------------------------------------

# of_vaults ROLE: the URI of the organisation of the next test.
of_vaults() { pg uri "$@" | sed 's,/trailfs?,/vaults?,'; }

# Vaults go to the nodes by the program itself, each with the certificate of its
# host, and what an auditor fetches is whole; also after the primary was killed.
vaults_are_forwarded() {
	needs python3
	heal
	pg database vaults
	blobs=dir:$work/vault-blobs
	is 0 trailctl org init --origin example.org/org --keys org-keys \
		"$(of_vaults trailfs_owner)" "$blobs"
	for h in host1 host2; do
		trailctl init --origin "example.org/$h" "$h" >"$h.vkey" 2>/dev/null
		is 0 trailctl org enrol --role "$h" "$(of_vaults trailfs_owner)" \
			"$h.vkey"
		is 0 trailctl trail create "$h/trail"
		seq 3000 >"$h.small"
		head -c 300000 /dev/urandom >"$h.large"
		is 0 trailctl attest --begin "$h/trail/run/a" "$h.small" "$h.large"
		is 0 trailctl forward --once "$h" "$(of_vaults "$h")" "$blobs"
	done
	# The certificate of another host is refused, and the vault shows it.
	is 0 trailctl attest "$h/trail/run/b" "$h.small"
	is 1 trailctl forward --once host2 "$(of_vaults host1)" "$blobs"
	is 0 trailctl status --json host2
	says '"failed":{[^}]*"final":true'
	killed=$(pg primary)
	pg signal "$killed" KILL
	primary=$(pg failover "$killed")
	pg quorum "$primary"
	is 0 trailctl forward --once host2 "$(of_vaults host2)" "$blobs"
	is 0 trailctl org publish --keys org-keys "$(of_vaults trailfs_owner)" \
		"$blobs"
	says 'of 2 members'
	is 0 trailctl org fetch "$(of_vaults trailfs_owner)" "$blobs" copies
	for h in host1 host2; do
		is 0 trailctl verify --vkey "$h.vkey" "copies/example.org%2F$h"
	done
	is 0 trailctl verify --vkey org-keys/log.vkey --cache copies \
		--blobs "$blobs" "$(of_vaults trailfs_owner)"
	says '^example.org/org  GENUINE: .*; not signed yet: 0$'
	says '^GENUINE: 2 origins, '
	is 0 trailctl find --cache copies --blobs "$blobs" --name host1.small \
		"$(of_vaults trailfs_owner)"
	says '  example.org/host1  trail/run/a/host1.small$'
	is 0 trailctl doctor "$(of_vaults trailfs_owner)" "$blobs"
	says '^ledger *ok .*on two nodes'
	says '^members *ok .*members: 2, of them revoked: 0'
	says '^refused *ok '
	says '^log *ok .*has all'
	# A host cannot speak for the organisation, not even while an organiser does.
	org=$(of_vaults trailfs_owner "$primary")
	psql -XAtq "$org" -c "SELECT trailfs.trail_enrol('example.org/org',
		(SELECT vkey FROM trailfs.member WHERE origin = 'example.org/org'),
		'trailfs_organiser')" >out
	says '^ok$'
	"$writers" once "$(of_vaults host1)" example.org/org "$SEED" 1 1 >out 2>err || :
	says '^denied$'
	# What was refused becomes an entry of it.
	"$writers" once "$(of_vaults host1)" example.org/host1 "$SEED" 0 1 >out 2>err || :
	says '^tamper$'
	is 0 trailctl org publish --keys org-keys "$org" "$blobs"
	says '^refused by the ledger, and recorded now: 1$'
	is 0 trailctl verify --vkey org-keys/log.vkey vault-blobs/log
	says '^entries *OK .* of an organisation with 2 members'
	# Revoked: it is refused, and that is an entry, too.
	is 0 trailctl org revoke "$org" example.org/host2
	is 0 trailctl trail create host2/late
	is 1 trailctl forward --once host2 "$(of_vaults host2)" "$blobs"
	is 1 trailctl org refused "$org"
	says 'example.org/host2 entry [0-9]*: it was revoked: '
	is 0 trailctl org enrol --role host2 "$org" host2.vkey
	is 0 trailctl forward --once host2 "$(of_vaults host2)" "$blobs"
	is 0 trailctl org rotate --keys org-keys "$org" "$blobs"
	is 0 trailctl verify --vkey org-keys/log.vkey vault-blobs/log
	is 0 trailctl org publish --full --keys org-keys "$org" "$blobs"
	says ': 0 new, '
	is 1 trailctl org refused "$org"
	has_lines 2
}

# An answer that is lost, or thrown away, leads to no entry twice.
answers_thrown_away_add_nothing() {
	begin plain 2000 5 "$patient"
	ended
	total=$(cat plain.*.out | sed 's/.*thrown away //' |
		awk '{ n += $1 } END { print n }')
	[ "$total" -gt 0 ]
}

# refused HOST SQL: an error says that a right is missing.
refused() {
	if as_host "$@" >out 2>err; then
		echo "allowed: $2"
		cat out
		exit 1
	fi
	grep -Eq 'permission denied|must be' err || {
		echo "$2:"
		cat err
		exit 1
	}
}

# The credentials of a host reach no table and no other host.
stolen_credentials_only_append() {
	for t in organisation head member leaf note located refusal checkpoint; do
		refused host1 "SELECT * FROM trailfs.$t"
		refused host1 "DELETE FROM trailfs.$t"
		refused host1 "TRUNCATE trailfs.$t"
		refused host1 "INSERT INTO trailfs.$t DEFAULT VALUES"
		refused host1 "BEGIN; LOCK TABLE trailfs.$t; COMMIT"
	done
	refused host1 'UPDATE trailfs.leaf SET body = NULL'
	refused host1 'UPDATE trailfs.member SET role = NULL'
	refused host1 'UPDATE trailfs.head SET size = 0'
	refused host1 "SELECT trailfs.trail_enrol('x', 'k', 'host1')"
	refused host1 "SELECT trailfs.trail_revoke('plain.host2')"
	refused host1 "SELECT trailfs.trail_checkpoint_put(NULL, 1, 'x')"
	refused host1 "SELECT trailfs.refuse(0, 0, true, 'x', 'x')"
	refused host1 'SELECT trailfs.durable()'
	refused host1 'SET ROLE trailfs_organiser'
	refused host1 'SET ROLE trailfs_owner'
	refused host1 'SET SESSION AUTHORIZATION host2'
	refused host1 'CREATE SCHEMA mine'
	refused host1 'CREATE TABLE public.mine (a int)'
	refused host1 'CREATE TEMP TABLE mine (a int)'
	refused host1 'SET session_replication_role = replica'
	refused host1 "COPY (SELECT 1) TO PROGRAM 'true'"
	refused host1 "COPY (SELECT 1) TO '/tmp/x'"
	refused host1 "SELECT pg_read_file('/etc/passwd')"
	refused host1 "SELECT trailfs.trail_govern('x', 'k', '', false, 'own', 0, 'x')"
	refused host1 "SELECT trailfs.refuse_revoked(NULL, 0, '{}')"
	refused host1 'ALTER ROLE host1 CREATEROLE'
	refused host1 "SELECT set_config('role', 'trailfs_owner', false)"
	refused host1 'CREATE ROLE mine'
	# What trailfs-engines(7) tells the administrator to take away.
	[ "$(as_host host1 'SELECT lo_create(0) > 0')" = t ]
	on_primary 'REVOKE EXECUTE ON FUNCTION lo_create(oid), lo_creat(integer),
		lo_from_bytea(oid, bytea) FROM PUBLIC'
	refused host1 'SELECT lo_create(0)'
	refused host1 'SELECT lo_creat(0)'
	refused host1 "SELECT lo_from_bytea(0, 'x')"
	# Locks of his own are in nobody's way.
	as_host host1 'SELECT pg_advisory_lock(1)' >/dev/null
	as_host host1 'DROP SCHEMA trailfs CASCADE' 2>err && exit 1
	grep -q 'must be owner' err
	# His own functions in front of ours change nothing: he can make none, and
	# names do not depend on his path.
	[ "$(as_host host1 "SELECT verdict FROM trailfs.trail_append('plain.host2',
		2000, ARRAY['x'::bytea], '{}', '{}', '{}', '{}', NULL)")" = denied ]
	[ "$(as_host host1 "SELECT verdict FROM trailfs.trail_append('nobody', 0,
		ARRAY['x'::bytea], '{}', '{}', '{}', '{}', NULL)")" = denied ]
	[ "$(as_host host1 "SELECT verdict FROM
		trailfs.trail_member('plain.host2')")" = absent ]
	[ "$(as_host host1 "SELECT verdict FROM
		trailfs.trail_member('plain.host1')")" = ok ]
	[ -z "$(as_host host1 "SELECT * FROM trailfs.trail_find('plain.host2', 0)")" ]
	# The program sees the same.
	"$writers" once "$(pg uri host1)" plain.host2 "$SEED" 2000 1 >out 2>err
	says '^denied$'
	whole
}

# The limits hold for a host that calls the function itself.
limits_are_those_of_the_database() {
	for bad in "-1, ARRAY['x'::bytea]" "0, '{}'" "0, NULL" \
		"NULL, ARRAY['x'::bytea]" "0, ARRAY[''::bytea]" \
		"0, ARRAY[NULL::bytea]" "0, array_fill('x'::bytea, '{1025}')" \
		"0, ARRAY[repeat('x', 16385)::bytea]" \
		"0, array_fill('x'::bytea, '{1}', '{0}')" \
		"0, ARRAY[ARRAY['x'::bytea]]" \
		"4611686018427387904, ARRAY['x'::bytea]"; do
		[ "$(as_host host1 "SELECT verdict FROM trailfs.trail_append(
			'plain.host1', $bad, '{}', '{}', '{}', '{}', NULL)")" = invalid ] || {
			echo "not invalid: $bad"
			exit 1
		}
	done
	d="sha256('x')"
	for bad in "ARRAY[$d], '{}', '{}', '{}'" \
		"ARRAY['x'::bytea], ARRAY[$d], '{0}', '{1}'" \
		"ARRAY[$d], ARRAY[$d], '{-1}', '{1}'" \
		"ARRAY[$d], ARRAY[$d], '{0}', '{65537}'" \
		"ARRAY[$d], ARRAY[$d], '{4611686018427387905}', '{1}'" \
		"ARRAY[$d], ARRAY[$d], '{NULL}', '{1}'" \
		"ARRAY[$d, $d], ARRAY[$d], '{0}', '{1}'" \
		"array_fill($d, '{4097}'), array_fill($d, '{4097}'),
		array_fill(0::bigint, '{4097}'), array_fill(1::bigint, '{4097}')"; do
		[ "$(as_host host1 "SELECT verdict FROM trailfs.trail_append(
			'plain.host1', 2000, ARRAY['x'::bytea], $bad, NULL)")" = invalid ] || {
			echo "not invalid: $bad"
			exit 1
		}
	done
	whole
}

# Not even the administrator's mistake changes an entry.
slips_of_an_administrator_are_refused() {
	for text in 'DELETE FROM trailfs.leaf' 'TRUNCATE trailfs.leaf' \
		'UPDATE trailfs.leaf SET number = 0' 'TRUNCATE trailfs.refusal'; do
		on_primary "$text" 2>err && exit 1
		grep -q 'stay as they are' err
	done
}

# A connection needs TLS, our authority, and the certificate of that very host.
connections_are_authenticated() {
	good=$(pg uri host1)
	PGCONNECT_TIMEOUT=10
	export PGCONNECT_TIMEOUT
	once() { "$writers" once "$1" plain.host1 "$SEED" 0 1 >out 2>err; }
	once "$good"
	says '^ok$'
	once "$(echo "$good" | sed 's/host1@/host2@/')"
	says '^access$'
	once "$(echo "$good" | sed 's/sslcert=[^&]*&sslkey=[^&]*/sslcert=x\&sslkey=x/')"
	says '^access$'
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-keyout other.key -out other.crt -subj /CN=host1 2>/dev/null
	once "$(echo "$good" | sed "s,sslcert=[^&]*&sslkey=[^&]*,sslcert=$work/other.crt\&sslkey=$work/other.key,")"
	says '^access$'
	complains 'it does not know who signed our certificate'
	# A server whose certificate is of another authority, or of another name.
	once "$(echo "$good" | sed "s,sslrootcert=[^&]*,sslrootcert=$work/other.crt,")"
	says '^access$'
	complains 'its certificate .* sslrootcert does not vouch for it'
	once "$(echo "$good" | sed 's,trailfs?,trailfs?hostaddr=&,; s,@[^/]*/,@other.example/,' |
		sed "s,hostaddr=trailfs?,hostaddr=$(echo "$good" | sed 's/.*@\([0-9.]*\),.*/\1/')\&,")"
	says '^access$'
	complains 'PostgreSQL at other.example: server certificate for .* does not match'
	for mode in disable prefer require verify-ca; do
		once "$(echo "$good" | sed "s/verify-full/$mode/")"
		says '^invalid$'
		complains 'needs sslmode=verify-full'
	done
	once "$(echo "$good" | sed 's/host1@/host1:secretword@/')"
	says '^invalid$'
	once "$good&password=secretword"
	says '^invalid$'
	if grep secretword out err; then exit 1; fi
}

of_ends() { pg uri "$@" | sed 's,/trailfs?,/ends?,'; }
sent_by() { # the number of entries that the ledger has of a host
	trailctl org list "$(of_ends trailfs_owner)" |
		sed -n "s,^example.org/$1: \([0-9]*\) .*,\1,p"
}
# all_sent HOST: each entry of its vault is there, once.
all_sent() { [ "$(sent_by "$1")" = "$(trailctl log "$1" | wc -l)" ]; }
# stays_out HOST PATTERN: it is refused for this reason, and what it recorded since
# waits in its vault.
stays_out() {
	before=$(sent_by "$1")
	is 0 trailctl trail create "$1/$(trailctl log "$1" | wc -l)"
	is 3 trailctl forward --once "$1" "$(of_ends "$1")" "$blobs"
	complains "$2"
	[ "$(sent_by "$1")" = "$before" ]
	is 0 trailctl status --json "$1"
	says '"failed":{[^}]*"final":true'
	says "\"why\":\"[^}]*$2"
	is 0 trailctl metrics "$1"
	says '^trailfs_forward_refused{.*} 1$'
}
# comes_back HOST: so that everything has arrived.
comes_back() {
	is 0 trailctl forward --once "$1" "$(of_ends "$1")" "$blobs"
	all_sent "$1"
	is 0 trailctl metrics "$1"
	says '^trailfs_forward_refused{.*} 0$'
}

# A certificate that has ended or was revoked stops its host, and no other one, until
# it has another one of the same name; nothing is lost meanwhile.
certificates_are_replaced() {
	heal
	pg database ends
	blobs=dir:$work/end-blobs
	is 0 trailctl org init --origin example.org/ends --keys end-keys \
		"$(of_ends trailfs_owner)" "$blobs"
	for h in host3 host4; do
		trailctl init --origin "example.org/$h" "$h" >"$h.vkey" 2>/dev/null
		is 0 trailctl org enrol --role "$h" "$(of_ends trailfs_owner)" \
			"$h.vkey"
		comes_back "$h"
	done
	pg certify host3 -1
	stays_out host3 'our certificate (sslcert), or .* has expired'
	comes_back host4
	pg certify host3 2
	comes_back host3
	# The list of the server is asked when a connection begins.
	trailctl forward host3 "$(of_ends host3)" "$blobs" >service.out \
		2>service.err &
	echo $! >service.pid
	is 0 trailctl trail create host3/before
	until_true all_sent host3
	pg revoke host3
	is 0 trailctl trail create host3/revoked
	until_true all_sent host3
	on_primary "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE usename = 'host3'" >/dev/null
	is 0 trailctl trail create host3/after
	got=0
	wait "$(cat service.pid)" || got=$?
	rm service.pid
	[ $got -eq 3 ] || {
		cat service.err
		exit 1
	}
	wait_for service.err 'our certificate (sslcert) is revoked'
	stays_out host3 'our certificate (sslcert) is revoked'
	comes_back host4
	pg certify host3 2
	comes_back host3
	# A list that is over refuses every host.
	pg crl 1
	until_says access once_as host4
	stays_out host4 'or its CRL, has expired'
	pg crl 172800
	comes_back host4
	# No host gives anything to a server whose certificate has ended.
	pg certify a -1
	stays_out host4 'its certificate has expired'
	pg certify a 2
	comes_back host4
}
once_as() { "$writers" once "$(pg uri "$1")" "plain.$1" "$SEED" 0 1; }

# kill -9 a standby: the other one confirms.
a_standby_killed_stops_nobody() {
	begin standby 6000 2 "$patient"
	appended 500
	for n in a b c; do
		[ "$n" = "$(pg primary)" ] || killed=$n
	done
	pg signal "$killed" KILL
	ended
	pg up "$killed"
	until_says 2 on_primary 'SELECT count(*) FROM pg_stat_replication'
}

# kill -9 the primary; the standby that has more is promoted.
the_primary_killed_loses_nothing() {
	begin killed 6000 2 "$patient"
	appended 500
	old=$(pg primary)
	pg signal "$old" KILL
	new=$(pg failover "$old")
	ended
	pg rejoin "$old" "$new"
	pg quorum "$new"
}

# A primary that is stopped keeps its connections and says nothing.
the_primary_frozen_loses_nothing() {
	begin frozen 6000 2 "$hasty"
	appended 500
	old=$(pg primary)
	pg signal "$old" STOP
	new=$(pg failover "$old")
	ended
	grep -q 'in doubt [1-9]' frozen.*.out
	# When it goes on it has no standby, so it acknowledges nothing.
	pg signal "$old" CONT
	"$writers" once "$(pg uri host1 "$old")$hasty" plain.host1 "$SEED" 2000 3 \
		>out 2>err
	says '^in doubt$'
	whole
	pg rejoin "$old" "$new"
	pg quorum "$new"
}

# The network of the primary is gone, and then there again: two primaries.  Hosts
# that reach the old one first come to the new one, and lose nothing.
a_partition_loses_nothing() {
	begin cut 6000 2 "$hasty"
	appended 500
	old=$(pg primary)
	pg cut "$old"
	new=$(pg failover "$old")
	ended
	pg join "$old"
	begin both 300 0 "$hasty" "$old" "$new"
	ended
	cat both.*.out | grep -q 'in doubt [1-9]'
	pg rejoin "$old" "$new"
	pg quorum "$new"
}

# standbys cut|join: the network of both is gone, or there again.
standbys() {
	for n in a b c; do
		[ "$n" = "$(pg primary)" ] || pg "$1" "$n"
	done
}

# A wait for a standby that was cut, by a cancel, by the end of the server's
# process or by its crash, is never success: not at once, and not for who asks
# again while no standby has the entries.
a_cut_wait_is_in_doubt() {
	heal
	p=$(pg primary)
	timeout 60 "$writers" make "$(owner)" wait.host1 host1
	u=$(pg uri host1 "$p")
	once() { timeout 60 "$writers" once "$u$1" wait.host1 "$SEED" "$2" 5 >out 2>err; }
	waiting='pid FROM pg_stat_activity WHERE wait_event = '"'SyncRep'
		AND usename = 'host1'"
	# End those that wait for a client that has gone.
	nobody_waits() {
		pg sql "$p" "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE usename = 'host1'" >/dev/null
		until_says 0 pg sql "$p" "SELECT count(*) FROM pg_stat_activity
			WHERE usename = 'host1'"
	}
	once "$patient" 0
	says '^ok$'
	standbys cut
	until_says 0 pg sql "$p" 'SELECT count(*) FROM pg_stat_replication'
	from=5
	for how in cancel terminate; do
		nobody_waits
		once "$patient" $from &
		until_says t pg sql "$p" "SELECT count(*) > 0 FROM (SELECT $waiting) w"
		pg sql "$p" "SELECT pg_${how}_backend(pid) FROM (SELECT $waiting) w" \
			>/dev/null
		wait $!
		says '^in doubt$'
		# Now they are visible, and in no other place.
		[ "$(pg sql "$p" "SELECT next FROM trailfs.member
			WHERE origin = 'wait.host1'")" -eq $((from + 5)) ]
		once "$hasty" $from
		says '^in doubt$'
		from=$((from + 5))
	done
	nobody_waits
	once "$hasty" $from
	says '^in doubt$'
	pg signal "$p" KILL
	pg up "$p"
	until_says $((from + 5)) pg sql "$p" "SELECT next FROM trailfs.member
		WHERE origin = 'wait.host1'"
	once "$hasty" $from
	says '^in doubt$'
	# Nor is it shown: an organiser would sign it.
	is 2 "$writers" check "$(owner)$hasty" "$SEED"
	complains 'no answer within 3 s'
	standbys join
	pg quorum "$p"
	once "$patient" $from
	says '^ok$'
	echo $((from + 5)) >"$work/acked.wait.host1"
	echo "wait.host1 $work/acked.wait.host1" >>"$work/origins"
	whole
}

# Without the setting each commit would be answered at once.
missing_standby_names_are_refused() {
	heal
	p=$(pg primary)
	set_to() {
		pg sql "$p" "ALTER SYSTEM SET $1"
		pg sql "$p" 'SELECT pg_reload_conf()' >/dev/null
	}
	set_to "synchronous_standby_names = ''"
	until_says '' pg sql "$p" 'SHOW synchronous_standby_names'
	"$writers" once "$(pg uri host1)" plain.host1 "$SEED" 2000 3 >out 2>err
	says '^busy$'
	complains 'synchronous_standby_names is empty'
	pg database bare
	is 2 "$writers" make "$(owner | sed 's,/trailfs?,/bare?,')"
	complains 'synchronous_standby_names is empty'
	is 0 "$writers" make \
		"$(owner | sed 's,/trailfs?,/bare?replicas=none\&,')"
	pg sql "$p" 'ALTER SYSTEM RESET synchronous_standby_names'
	pg sql "$p" 'SELECT pg_reload_conf()' >/dev/null
	until_says 'ANY 1 (*)' pg sql "$p" 'SHOW synchronous_standby_names'
	# A session cannot ask for less.
	u="$(pg uri host1)&options=-csynchronous_commit%3Doff"
	standbys cut
	timeout 60 "$writers" make "$(pg uri trailfs_owner)$hasty" x host1 \
		>out 2>err && exit 1
	complains 'no answer within 3 s'
	timeout 60 "$writers" once "$u$hasty" plain.host1 "$SEED" 0 1 >out 2>err
	says '^in doubt$'
	standbys join
	pg quorum "$p"
	whole
}

# A connection that ends after the commit was sent, or before the question came.
sockets_dropped_lose_nothing() {
	p=$(pg primary)
	at=$(pg uri host1 "$p" | sed 's/.*@\([0-9.]*\).*/\1/')
	port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 10000))
	"$BUILD/org-proxy" $port "$at" 5432 "$SEED" 3000 >proxy.out 2>proxy.err &
	echo $! >proxy.pid
	wait_for proxy.out ready
	begin dropped 4000 0 "$patient&hostaddr=127.0.0.1&port=$port" "$p"
	ended
	kill "$(cat proxy.pid)"
	wait "$(cat proxy.pid)" || :
	rm proxy.pid
	cat proxy.out
	grep -q 'answers thrown away: [1-9]' proxy.out
	grep -q 'questions thrown away: [1-9]' proxy.out
	doubts=$(cat dropped.*.out | sed 's/.*in doubt \([0-9]*\).*/\1/' |
		awk '{ n += $1 } END { print n }')
	[ "$doubts" -eq "$(awk -F: '/thrown/ { n += $2 } END { print n }' proxy.out)" ]
}

# fill NODE: no byte is free on its disk.
fill() { dd if=/dev/zero of="$rig/$1/filler" bs=64k 2>/dev/null || :; }

# The disk of a standby is full, and then that of the primary.
full_disks_lose_nothing() {
	p=$(pg primary)
	s=a
	[ "$p" != a ] || s=b
	begin full 30000 0 "$hasty"
	appended 300
	for n in "$s" "$p"; do
		fill "$n"
		wait_for "$rig/$n/log" 'No space left on device'
		rm "$rig/$n/filler"
		# It may have ended, or have come back alone.
		pg up "$n" 2>/dev/null || :
		pg quorum "$p"
	done
	ended
}

all='vaults_are_forwarded answers_thrown_away_add_nothing stolen_credentials_only_append
limits_are_those_of_the_database slips_of_an_administrator_are_refused
connections_are_authenticated certificates_are_replaced a_standby_killed_stops_nobody
the_primary_killed_loses_nothing the_primary_frozen_loses_nothing
a_partition_loses_nothing a_cut_wait_is_in_doubt
missing_standby_names_are_refused sockets_dropped_lose_nothing
full_disks_lose_nothing'
status=0
SMALL=1200M WAL_KEEP=400MB WAL_MAX=500MB WAL_MIN=32MB WAL_TIMEOUT=3s pg start >begun 2>&1 || status=$?
# shellcheck disable=SC2086 # lists
if [ $status -eq 77 ]; then
	skipped "$(sed -n 's/^postgresql.sh: //p' begun)" $all
else
	[ $status -eq 0 ] || cat begun
	: >"$work/origins"
	for h in $hosts; do pg user "$h"; done
	run ${TESTS:-$all}
fi
finish
