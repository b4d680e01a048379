#!/bin/sh
# Many hosts at one ledger, of which each loses one answer in twenty: three nodes of
# PostgreSQL with quorum commit, and the directory engine beside it.  Each host is a
# process that connects, appends some batches, goes, and comes again.
#
# RUNS runs, of the seeds SEED, SEED + 1 and so on, each with HOSTS hosts of ENTRIES
# entries; at most CONNECTIONS of them are connected at once.  In the last run but
# one a standby and then the primary are killed, in the last one the primary is
# stopped, while the hosts append.  `make torture-org` has 10 runs of 1,000 hosts.
# shellcheck source-path=SCRIPTDIR/.. disable=SC2317
. "$(dirname "$0")/../suite.sh"
suite=tests/org/hosts.sh
: "${SEED:=1}" "${RUNS:=2}" "${HOSTS:=150}" "${ENTRIES:=30}" "${CONNECTIONS:=32}"
patience_s=3600
rig=$work/r
chmod 711 "$work" # the server runs as another user
pg() { # pg VERB ARGUMENT...
	rig_verb=$1
	shift
	"$top/tests/org/postgresql.sh" "$rig_verb" "$rig" "$@"
}
end_all() {
	[ ! -s "$work/strike.pid" ] || kill "$(cat "$work/strike.pid")" 2>/dev/null
	pg stop
	clean_up
}
trap end_all EXIT
show_output=yes

# hosts HOSTS ENTRIES SEED STATUS: a run of that many.
hosts() {
	rm -f "$work/database"
	# A busy machine needs its time for many handshakes: who gives up after two
	# seconds and comes again makes it busier, until nobody gets in.
	uri=$(pg uri trailfs_owner |
		sed 's,/trailfs?,/{}?,; s/connect_timeout=2/connect_timeout=20/')
	TRAILFS_ORG_PREPARE=$work/prepare CK_RUN_SUITE=many CK_RUN_CASE=hosts \
		TRAILFS_ORG_HOSTS=$1 TRAILFS_ORG_ENTRIES=$2 TRAILFS_ORG_SEED=$3 \
		TRAILFS_ORG_CONNECTIONS=$CONNECTIONS CK_DEFAULT_TIMEOUT=3500 \
		TRAILFS_ORG_PAIRS="$uri&answer_timeout=20 dir:$work/blobs-{}" \
		is "$4" test-org
}

# size: entries of the ledger of this run, as the primary of now shows it.
size() {
	DATABASE=$(cat "$work/database") pg sql "$(pg primary)" \
		'SELECT size FROM trailfs.head' 2>/dev/null || echo 0
}
# Wait until so many hundredths of all entries are there.
until_part() {
	until [ -s "$work/database" ] &&
		[ "$(size)" -ge $((HOSTS * ENTRIES * $1 / 100)) ]; do sleep 0.1; done
}
fail_over() {
	new=$(pg failover "$1")
	pg rejoin "$1" "$new"
	pg quorum "$new"
	echo "$1 is a standby of $new again; the ledger has $(size) entries"
}
strike() {
	until_part 10
	old=$(pg primary)
	if [ "$1" = KILL ]; then
		for n in a b c; do [ "$n" = "$old" ] || standby=$n; done
		pg signal "$standby" KILL
		echo "standby $standby killed at $(size) entries"
		until_part 20
		pg up "$standby"
		pg quorum "$old"
		until_part 35
	fi
	at=$(size)
	echo "signal $1 to the primary $old at $at entries"
	[ "$at" -lt $((HOSTS * ENTRIES)) ] || echo 'too late'
	pg signal "$old" "$1"
	fail_over "$old"
}

# None lost, none twice, none out of order, and no gap.
hosts_lose_answers_and_no_entry() {
	for run in $(seq "$RUNS"); do
		began=$(date +%s) fault=none
		case $((RUNS - run)) in
		1) fault=KILL ;;
		0) [ "$RUNS" -eq 1 ] || fault=STOP ;;
		esac
		if [ $fault != none ]; then
			strike $fault >strike.log 2>&1 &
			echo $! >"$work/strike.pid"
		else
			: >strike.log
		fi
		hosts "$HOSTS" "$ENTRIES" $((SEED + run - 1)) 0
		if [ $fault != none ]; then
			wait "$(cat "$work/strike.pid")" || {
				cat strike.log
				exit 1
			}
			rm "$work/strike.pid"
		fi
		grep '^pair' out
		cat strike.log
		if grep -q 'too late' strike.log; then exit 1; fi
		echo "run $run of $RUNS, fault $fault: $(($(date +%s) - began)) s," \
			"load $(cut -d ' ' -f 1-3 /proc/loadavg)"
	done
}

# tampered WHAT SQL: the same check fails when the ledger is changed behind it.
tampered() {
	echo "$2" >"$work/tamper"
	TRAILFS_ORG_THEN=$work/then hosts 20 10 "$SEED" "$3"
	rm "$work/tamper"
	[ "$3" = 0 ] || says '[FE]:hosts:many_hosts_with_lost_answers:1: '
	[ "$3" = 0 ] || echo "seen when $1: $(sed -n 's/.*lost_answers:[0-9]*: //p' out)"
}
# Entries that are lost, doubled, exchanged or changed in the database are found.
the_check_sees_what_is_wrong() {
	tampered 'nothing was done' 'SELECT 1' 0
	tampered 'one is deleted' \
		'DELETE FROM trailfs.leaf WHERE member = 3 AND number = 7' 1
	tampered 'the last one was never there' '
		UPDATE trailfs.member SET next = next - 1 WHERE id =
			(SELECT member FROM trailfs.leaf ORDER BY seq DESC LIMIT 1);
		DELETE FROM trailfs.leaf WHERE seq = (SELECT max(seq) FROM trailfs.leaf);
		UPDATE trailfs.head SET size = size - 1' 1
	tampered 'one is there twice' '
		INSERT INTO trailfs.leaf SELECT (SELECT size FROM trailfs.head), member,
			number + 1, body FROM trailfs.leaf WHERE member = 3 AND number = 9;
		UPDATE trailfs.member SET next = next + 1 WHERE id = 3;
		UPDATE trailfs.head SET size = size + 1' 1
	tampered 'two are exchanged' '
		UPDATE trailfs.leaf SET seq = -1 WHERE member = 3 AND number = 4;
		UPDATE trailfs.leaf SET seq = seq + 1000 WHERE member = 3 AND number = 5;
		UPDATE trailfs.leaf a SET seq = b.seq - 1000 FROM trailfs.leaf b
			WHERE a.seq = -1 AND b.seq >= 1000;
		UPDATE trailfs.leaf a SET seq = (SELECT min(n) FROM generate_series(0, 199) n
			WHERE NOT EXISTS (SELECT FROM trailfs.leaf WHERE seq = n))
			WHERE seq >= 1000' 1
	tampered 'one has other bytes' "
		UPDATE trailfs.leaf SET body = body || ' ' WHERE member = 3 AND number = 7" 1
}

cat >"$work/prepare" <<END
#!/bin/sh
"$top/tests/org/postgresql.sh" database "$rig" "\$1" && echo "\$1" >"$work/database"
END
cat >"$work/then" <<END
#!/bin/sh
case \$1 in dir:*) exit 0 ;; esac
DATABASE=\$(cat "$work/database") exec "$top/tests/org/postgresql.sh" sql "$rig" \
	"\$(cat "$rig/primary")" "SET session_replication_role = replica; \$(cat "$work/tamper")" >&2
END
chmod +x "$work/prepare" "$work/then"
all='the_check_sees_what_is_wrong hosts_lose_answers_and_no_entry'
status=0
[ -e "$BUILD/trailfs-postgresql.so" ] || status=77
if [ $status -ne 0 ]; then
	echo 'postgresql.sh: no trailfs-postgresql.so: no libpq' >begun
else
	SMALL=2G CONNECTIONS=$((CONNECTIONS + 40)) WAL_KEEP=400MB WAL_MAX=500MB \
		WAL_MIN=32MB WAL_TIMEOUT=3s pg start >begun 2>&1 || status=$?
fi
# shellcheck disable=SC2086 # lists
if [ $status -eq 77 ]; then
	skipped "$(sed -n 's/^postgresql.sh: //p' begun)" $all
else
	[ $status -eq 0 ] || cat begun
	run ${TESTS:-$all}
fi
finish
