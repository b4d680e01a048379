#!/bin/sh
# tests/bench/org.sh BUILD [SECONDS]: figures of an organisation's ledger on this
# machine, in a directory and in three nodes of PostgreSQL (as root), each beside a
# local store of the same run, below TMPDIR: entries per second of 1 to 1,000 hosts,
# and memory.  tests/bench/org.c says what is done.  Read rates as ratios.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd) seconds=${2:-3}
work=$(mktemp -d "${TMPDIR:-/tmp}/bench-org.XXXXXX")
chmod 711 "$work"
pg() {
	verb=$1
	shift
	"$top/tests/org/postgresql.sh" "$verb" "$work/r" "$@"
}
trap 'pg stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cd "$work"
PATH=$build:$PATH

load() { echo "load $(cut -d ' ' -f 1-3 /proc/loadavg)"; }
# most COMMAND...: print its peak memory.
most() {
	/usr/bin/time -f '%M KiB at most, %e s' "$@" >said 2>&1 || cat said
	tail -n 1 said
}
# vault ENTRIES ORIGIN: with about so many entries.
vault() {
	trailctl init --origin "example.org/$2" "$2" >"$2.vkey" 2>/dev/null
	trailctl trail create "$2/trail" >/dev/null
	mkdir files
	for i in $(seq $(($1 / 3))); do echo "$i" >"files/f$i"; done
	trailctl attest --begin "$2/trail/run/a" files/* >/dev/null
	rm -r files
}

load
for round in 1 2; do
	echo "--- dir:, round $round"
	bench-org rate "store-d$round" "dir:$work/org-d$round" "$seconds"
	load
done
CONNECTIONS=130 WAL_KEEP=256MB pg start
for round in 1 2; do
	echo "--- PostgreSQL, three nodes, quorum commit, round $round"
	pg database "r$round"
	# A connection may wait for many others here.
	uri=$(pg uri trailfs_owner |
		sed "s,/trailfs?,/r$round?,; s/connect_timeout=2/connect_timeout=30/")
	from=$(pg sql a 'SELECT pg_current_wal_lsn()')
	bench-org rate "store-p$round" "$uri" "$seconds"
	DATABASE=r$round pg sql a "SELECT pg_total_relation_size('trailfs.leaf') /
		size || ' bytes per entry, and ' ||
		(pg_current_wal_lsn() - '$from') / size || ' of WAL'
		FROM trailfs.head"
	load
done

echo '--- memory'
pg database held
uri=$(pg uri trailfs_owner | sed 's,/trailfs?,/held?,')
mkfifo stay
bench-org hold "$uri" 32 <stay >held &
exec 9>stay
until grep -q held held 2>/dev/null; do sleep 0.1; done
for p in $(pgrep -P "$(head -n 1 r/a/data/postmaster.pid)"); do
	grep -aq 'trailfs_owner held' "/proc/$p/cmdline" || continue
	cat "/proc/$p/smaps_rollup"
done | awk '/^Pss:/ { n++; s += $2 } /^Private/ { p += $2 } END {
	printf "%d connections: a backend has %.0f KiB (PSS), %.0f of its own\n",
		n, s / n, p / n }'
exec 9>&-
wait

for n in 300 30000; do
	rm -rf "v$n" keys
	vault "$n" "v$n"
	trailctl org init --origin "example.org/o$n" --keys "keys$n" "dir:o$n" 2>/dev/null >&2
	trailctl org enrol "dir:o$n" "v$n.vkey" >/dev/null
	pg database "o$n"
	uri=$(pg uri trailfs_owner | sed "s,/trailfs?,/o$n?,")
	trailctl org init --origin "example.org/o$n" --keys "pkeys$n" "$uri" \
		"dir:o$n.blobs" 2>/dev/null >&2
	trailctl org enrol "$uri" "v$n.vkey" >/dev/null
	echo "a vault of about $n entries: forward --once to dir:" \
		"$(most trailctl forward --once "v$n" "dir:o$n")"
	echo "  to PostgreSQL: $(most trailctl forward --once "v$n" "$uri" \
		"dir:o$n.blobs")"
	echo "  again, nothing is new: $(most trailctl forward --once "v$n" "$uri" \
		"dir:o$n.blobs")"
	echo "  publish: $(most trailctl org publish --keys "keys$n" "dir:o$n")"
	trailctl forward "v$n" "$uri" "dir:o$n.blobs" >/dev/null 2>&1 &
	sleep 2
	awk '/^(VmRSS|RssAnon)/ { printf "  the service, idle: %s %s KiB\n", $1, $2 }' \
		/proc/$!/status
	kill $!
	wait $! 2>/dev/null || :
done
load
