# shellcheck shell=sh disable=SC2034 # the suites use the variables
# The common part of suites that watch a daemon in the foreground, by its log.
# shellcheck source=tests/suite_tools.sh
. "$(dirname "$0")/../suite_tools.sh"

# Words that go before the daemon's, for another clock.
clock=

# daemon_of STORE: the pid of the daemon that has it.
daemon_of() {
	sed -n 's/.* pid \([0-9]*\)$/\1/p' "$1/lock"
}

# logged PATTERN: the daemon said so.
logged() {
	grep -q -- "$1" log
}

# mount_logged STORE OPTION...: mount it in the foreground, as $daemon, and add what it
# says to log.
# shellcheck disable=SC2086 # words
mount_logged() {
	store=$1
	shift
	$clock trailfs -f "$store" "$mnt" "$@" >>log 2>&1 &
	daemon=$!
	until mountpoint -q "$mnt"; do
		kill -0 $daemon || {
			cat log
			exit 1
		}
		sleep 0.05
	done
}
