#!/bin/sh
# Figures of an auditor's mount of many vaults, beside one store of one vault.
#
# tests/bench/audit.sh BUILD make DIR [VAULTS [ENTRIES]]
#	make an organisation dir:DIR/org of so many real vaults (1,000 of 10,000
#	entries), publish it, and fetch its names to DIR/copies.  A run that was killed
#	can be repeated.  Needs about 2.2 KB on the disk for each entry.
# tests/bench/audit.sh BUILD measure DIR
#	print the figures, as root, in about twelve minutes for 10 million entries
#
# Read times as ratios to those of the one store, which are of the same run.
# KEEP vaults stay in DIR/vaults and grow by 1,000 entries in each run of measure.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd) verb=$2
mkdir -p "$3"
cd "$3"
vaults=${4:-1000} entries=${5:-10000} keep=10
PATH=$build:$PATH
org=dir:$PWD/org one=vaults/host-0000 some=$(printf %04d $((vaults / 2)))

load() { echo "load $(cut -d ' ' -f 1-3 /proc/loadavg)"; }
now() { date +%s.%N; }
# since TIME: seconds.
since() { echo "$(now) $1" | awk '{ printf "%.3f", $1 - $2 }'; }
# took WHAT COMMAND...: how long it takes, and how much memory.
took() {
	what=$1
	shift
	/usr/bin/time -f '%e s, %U s of CPU, %M KiB' -o time "$@" >out 2>err || {
		status=$?
		[ $status = 5 ] || [ $status = 1 ] || cat err
	}
	printf '%-58s %s\n' "$what" "$(tail -n 1 time)"
}
# middle WHAT: the median, the smallest and the largest of the numbers in `times`.
middle() {
	printf '%-58s %s\n' "$1" "$(sort -n times | awk '{ v[NR] = $1 } END {
		printf "%.4f s (%.4f to %.4f, %d times)", v[int((NR + 1) / 2)], v[1],
			v[NR], NR }')"
}
# each WHAT COMMAND FILE...: how long the command takes for each file.
each() {
	what=$1 command=$2
	shift 2
	: >times
	for f; do
		t=$(now)
		$command "$f" >out
		since "$t" >>times
		echo >>times
	done
	sed -i '/^$/d' times
	middle "$what"
}
# memory PID NAME
memory() {
	[ ! -r "/proc/$1/smaps_rollup" ] ||
		awk -v name="$2" '/^Pss:/ { p = $2 } /^Private/ { o += $2 } END {
			printf "  %-40s %.1f MiB (Pss), %.1f of its own\n", name, p / 1024,
				o / 1024 }' "/proc/$1/smaps_rollup"
}
host() { echo "example.org%2Fhost-$(printf %04d "$1")"; }

make_all() {
	[ -e org/org.db ] || trailctl org init --origin example.org/all --keys keys "$org"
	mkdir -p "${SCRATCH:-vaults}" vaults
	began=$(now)
	bench-audit fill "${SCRATCH:-vaults}" "$org" "$vaults" "$entries" $keep "${WORKERS:-2}"
	if [ -n "${SCRATCH-}" ]; then
		for v in "$SCRATCH"/*; do
			[ ! -d "$v" ] || cp -a "$v" vaults/ && rm -rf "$v"
		done
	fi
	echo "made and forwarded in $(since "$began") s"
	load
	trailctl org publish --keys keys "$org"
	took 'org fetch --names, whole' trailctl org fetch --names "$org" copies
	load
	du -sm org/org.db org/objects org/log copies
	echo done >made
}

# measure_one WHAT DIRECTORY: of a mount of one vault.
measure_one() {
	each "$1: ls -l of a workflow" 'ls -l' \
		"$2/payments/release-1" "$2/payments/release-2" "$2/website/release-3"
	each "$1: read of a small file" cat "$2"/payments/release-1/*/module-0-report.xml
	took "$1: find(1) over all names" find "$2"
	echo "  $(wc -l <out) names"
	took "$1: again" find "$2"
	took "$1: trailctl find --name, first" trailctl find --name module-0-report.xml "$2"
	took "$1: again" trailctl find --name only-host-0000-b5.txt "$2"
}

measure() {
	load
	mkdir -p view single
	trap 'umount -l view single 2>/dev/null' EXIT
	trap 'exit 130' INT TERM HUP

	echo '--- one store'
	took 'mount' trailfs "$one" single -o ro
	measure_one 'one store' single
	took 'trailctl find --name in the store' trailctl find --name only-host-0000-b5.txt $one
	umount single
	load

	echo '--- fetch'
	took 'org fetch --names, nothing new' trailctl org fetch --names "$org" copies
	rm -rf few
	mkdir few
	for i in 11 12 13; do
		took 'find --origin of a URI, whole' trailctl find --cache "$PWD/few" \
			--origin "example.org/host-00$i" --name nothing "$org"
		rm -rf few
	done
	load

	echo '--- publish'
	took 'org publish, nothing new' trailctl org publish --keys keys "$org"
	bench-audit grow vaults "$org" 100 $keep
	took 'org publish, 1,000 new entries' trailctl org publish --keys keys "$org"
	took 'org fetch --names, 1,000 new entries of 10 origins' \
		trailctl org fetch --names "$org" copies
	took 'org publish --full' trailctl org publish --full --keys keys "$org"
	load

	echo '--- the mount of all'
	t=$(now)
	trailfs -f "$org" view -o "ro,cache=$PWD/copies" >log 2>&1 &
	router=$!
	until mountpoint -q view; do
		kill -0 $router
		sleep 0.01
	done
	echo "mounted after $(since "$t") s"
	ls view >out
	echo "and listed its $(wc -l <out) origins after $(since "$t") s"
	each 'ls of the root' ls view view view
	each 'ls -l of the root' 'ls -l' view view view
	memory $router 'router, nothing used'
	set --
	for i in $(seq 20 40); do set -- "$@" "view/$(host "$i")/payments/release-$((i % 10))"; done
	each 'first ls -l of a workflow of an origin' 'ls -l' "$@"
	each 'again' 'ls -l' "$@"
	set --
	for i in $(seq 20 40); do
		set -- "$@" "view/$(host "$i")/payments/release-0/b0/module-1-scan.json"
	done
	each 'first read of a file of 150 bytes that the copy lacks' cat "$@"
	each 'again' cat "$@"
	set --
	for i in 0 1 2 3; do
		set -- "$@" "view/$(host 20)/payments/release-3/b3/module-$i-build.log"
	done
	each 'first read of others of one origin' cat "$@"
	measure_one 'one origin of all' "view/$(host 0)"
	memory $router 'router, 22 origins used'
	for p in $(pgrep -P $router); do memory "$p" "$(cat "/proc/$p/comm")"; done | sort | uniq -c
	for p in $(pgrep -P $router); do
		for c in $(pgrep -P "$p"); do memory "$c" "$(cat "/proc/$c/comm")"; done
	done | awk '{ n++; p += $(NF - 6) } END { print "  " n " children of these" }'
	load

	echo '--- catching up while mounted'
	t=$(now)
	bench-audit grow vaults "$org" 100 $keep
	echo "100 entries in each of 10 vaults: recorded and forwarded in $(since "$t") s"
	last=$(cd vaults/host-0009 && trailctl log --json . | grep -o '"path":"[^"]*"' |
		tail -n 1 | cut -d '"' -f 4 | cut -d / -f 1-3)
	t=$(now)
	until [ -e "view/$(host 9)/$last" ]; do sleep 0.02; done
	echo "the last of them was in the mount $(since "$t") s later"
	load

	echo '--- searches of all'
	took 'trailctl find --name of one name, all copies' \
		trailctl find --name "only-host-$some-b5.txt" copies
	cat out
	took 'again' trailctl find --name "only-host-$some-b5.txt" copies
	took 'trailctl find --name of a glob, all copies' \
		trailctl find --name "only-host-0?$(printf %02d $((vaults / 20)))-b5.txt" copies
	took 'trailctl find --status NON-COMPLIANT, all copies' \
		trailctl find --status NON-COMPLIANT copies
	took 'trailctl find of a common name, 100 of each' \
		trailctl find --name module-0-report.xml copies
	echo "  $(wc -l <out) lines"
	load
	if [ -z "${SHORT-}" ]; then
		took 'find(1) over all names of the mount' find view
		echo "  $(wc -l <out) names"
	fi
	for p in $(pgrep -P $router); do memory "$p" "$(cat "/proc/$p/comm")"; done
	umount view
	load
}

case $verb in
make) make_all ;;
measure) measure ;;
*) exit 2 ;;
esac
