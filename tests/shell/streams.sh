#!/bin/sh
# Suites of the mount with the option streams=on: what holds without it holds with
# it.  The suite streams is no part of this: it always has the option.
. "$(dirname "$0")/../suite.sh"

suites='crash limits states'
reason=''

# Mount once, and find out if the option has an effect here.
a_mount_can_have_the_option() {
	[ -w /dev/fuse ] || skip 'no /dev/fuse'
	is 0 trailctl init --origin example.org/streams store
	trailfs -f -o streams=on store "$mnt" >log 2>&1 &
	until mountpoint -q "$mnt"; do
		kill -0 $! || {
			cat log
			exit 1
		}
		sleep 0.05
	done
	mkdir "$mnt/t"
	unmount
	wait $!
	why=$(sed -n 's/^.*: \(.*\): streams=on has no effect$/\1/p' log)
	[ -z "$why" ] || skip "$why"
}

# Run the suites of the mount at the same time; print what each of them printed, with
# the line that tests/run reads.
with_streams() {
	for s in $suites; do
		(
			cd "$top" || exit 1
			status=0
			TRAILFS_TEST_OPTIONS=streams=on CK_RUN_SUITE=$s \
				"$BUILD/test-mount" >"$work/$s.said" 2>&1 ||
				status=$?
			echo "$status" >"$work/$s.status"
		) &
	done
	wait
	for s in $suites; do
		cat "$s.said"
		[ "$(cat "$s.status")" -eq 0 ] || failed=yes
	done
}

failed=''
run a_mount_can_have_the_option
if [ "$failures" -gt 0 ]; then
	failed=yes
elif [ -e "$skip_reason" ]; then
	reason=$(cat "$skip_reason")
	# shellcheck disable=SC2086 # a list
	skipped "$reason" $suites
else
	with_streams
fi
finish && [ -z "$failed" ]
