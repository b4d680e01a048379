#!/bin/sh
# A store that was made while the clock was wrong.
. "$(dirname "$0")/../suite_tools.sh"

# One start with a clock ten years ahead does not spoil later times.
# The ledger keeps its order; times are shown and searched by the corrected
# clock.
one_start_with_the_clock_ahead_is_not_every_time() {
	if ldd "$BUILD/trailctl" | grep -q 'lib[at]san'; then
		skip 'a sanitizer wants to be loaded first'
	fi
	today=$(date -u +%Y-%m-%d)
	is 0 env LD_PRELOAD="$BUILD/shim.so" SHIM_CLOCK_AHEAD_S=315360000 \
		trailctl init --origin example.org/c store
	timeout 60 trailfs -f store mnt -o settle=0 \
		2>log &
	for _ in $(seq 120); do
		[ ! -e mnt/.trailfs/checkpoint ] || break
		sleep 0.5
	done
	grep 'the clock says .* and the last entry was at 20' log
	is 0 trailctl status --json mnt
	says '"clock":{"behind":[0-9]*,.*"synchronised":'
	grep 'seconds behind the last entry' mnt/.trailfs/index.html
	mkdir -p mnt/t/w/a
	echo late >mnt/t/w/a/f
	trailctl sync mnt
	# Also what is not sealed, whenever it was changed.
	for i in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17; do
		mkdir "mnt/m$i"
	done
	for i in 04 17 09 01 13 02 11; do
		mkdir "mnt/m$i/w"
	done
	is 0 trailctl ls mnt
	[ "$(grep -c "^open *$today.*Z! .*m[0-9][0-9]" out)" -eq 17 ]
	for d in mnt mnt/t mnt/t/w store store/t store/t/w; do
		is 0 trailctl ls $d
		says "^[a-z]* *$today.*Z! "
		never_says '^open .*Z  '
		is 0 trailctl ls --json $d
		says "\"when\":\"$today"
	done
	trailctl seal mnt/t
	is 0 trailctl show mnt/t/w/a/f
	says "^sealed at *$today.* by the clock; its place in the ledger is"
	is 0 trailctl show --json mnt/t/w/a/f
	says "\"clock\":\"$today"
	is 0 trailctl log mnt
	says "^ *6  $today.*Z! evidence.sealed"
	says '^ *0  20.*Z  ledger.opened'
	# Everywhere the clock is shown, and marked.
	is 0 trailctl ls mnt/t/w/a
	says "^sealed *$today.*Z! .*f$"
	is 0 trailctl ls --json mnt/t/w/a
	says "\"when\":\"$today"
	is 0 trailctl hold place --reason 'for the test' mnt/t/w case-1
	is 0 trailctl hold list mnt/t/w
	says "^$today.*Z! case-1"
	is 0 trailctl custody mnt/t/w/a/f
	says "^$today.*Z! sealed"
	is 0 trailctl custody --json mnt/t/w/a/f
	says "\"clock\":\"$today"
	grep "$today.*by the clock; its place in the ledger is" \
		mnt/t/w/.trailfs/index.html
	is 0 trailctl find --name f mnt
	says "^$today.*Z! "
	is 0 trailctl find --name f --json mnt
	says "\"clock\":\"$today"
	# And asked for.
	for d in mnt store; do
		is 0 trailctl find --name f --since "$today" \
			--until "$(date -u +%Y-%m-%d -d 1day)" $d
		has_lines 1
		is 1 trailctl find --name f --since \
			"$(date -u +%Y-%m-%d -d 1day)" $d
		is 1 trailctl find --name f --until "$today" $d
	done
	is 0 trailctl log --since "$today" mnt
	says 'trail.sealed'
	is 0 trailctl log --since "$(date -u +%Y-%m-%d -d 1year)" mnt
	says 'ledger.opened'
	if grep trail.sealed out; then exit 1; fi
	is 0 trailctl prove -o proof mnt/t/w/a/f
	unmount
	is 0 trailctl verify --vkey store/keys/log.vkey proof
	says "^time *$today.* by the clock; its place in the ledger is"
	is 0 trailctl package --no-entry --until "$(date -u +%Y-%m-%d -d 1day)" \
		-o p.zip store/t
	is 0 trailctl verify --vkey store/keys/log.vkey p.zip
	says '^contents *OK *1 file'
	is 0 trailctl sync store
	complains 'the clock says .* and the last entry was at 20'
	is 0 trailctl show store/t/w/a/f
	says "^sealed at *$today.* by the clock"
	# A start in the background says so to who starts it, too.
	is 0 timeout 60 trailfs store mnt
	complains '^trailfs: the clock says .* and the last entry was at 20'
	unmount
	is 0 trailctl verify store
}

with /dev/fuse one_start_with_the_clock_ahead_is_not_every_time
finish
