#!/bin/sh
# The cases of build/test-org with PostgreSQL as the ledger and a directory for
# blobs: three nodes with replicas, and one database that has none.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
BUILD=$(cd "${BUILD:-$top/build}" && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/cases.XXXXXX") || exit 1
pg=$top/tests/org/postgresql.sh
trap '"$pg" stop "$work/r"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
chmod 711 "$work" # the server runs as another user

status=0
[ -e "$BUILD/trailfs-postgresql.so" ] || status=77
if [ $status -ne 0 ]; then
	echo 'postgresql.sh: no trailfs-postgresql.so: no libpq' >"$work/log"
else
	SMALL=2G CONNECTIONS=200 WAL_KEEP=64MB WAL_MAX=256MB WAL_MIN=32MB \
		"$pg" start "$work/r" >"$work/log" 2>&1 || status=$?
fi
if [ $status -eq 77 ]; then
	echo "SKIP all cases: $(sed -n 's/^postgresql.sh: //p' "$work/log")"
	echo '100%: Checks: 1, Failures: 0, Errors: 0'
	exit 0
elif [ $status -ne 0 ]; then
	cat "$work/log"
	exit 1
fi
cat >"$work/prepare" <<END
#!/bin/sh
exec "$pg" database "$work/r" "\$1"
END
chmod +x "$work/prepare"
uri=$("$pg" uri "$work/r" trailfs_owner | sed 's,/trailfs?,/{}?,')
TRAILFS_ORG_PREPARE=$work/prepare
TRAILFS_ORG_PAIRS="$uri dir:$work/blobs-{}
$uri&replicas=none dir:$work/blobs-{}"
export TRAILFS_ORG_PREPARE TRAILFS_ORG_PAIRS
"$BUILD/test-org"
