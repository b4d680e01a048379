#!/bin/sh
# Long work shows a line with rate and time left, on a terminal and nowhere else.
. "$(dirname "$0")/../suite_tools.sh"
patience_s=120

# A store with some evidence, its copies, and what the verbs read.
there_is_work() {
	needs python3
	is 0 trailctl init --user root store
	cp out vkey
	for n in 1 2 3 4 5 6; do
		head -c 300000 /dev/zero | tr '\0' "$n" >file.$n
	done
	is 0 trailctl trail create --steps a store/t
	is 0 trailctl attest --begin store/t/w/a file.?
	is 0 trailctl package --no-entry -o p.zip store/t/w
	is 0 trailctl backup --quiet --keys store back
}

# on_terminal COMMAND...: err has what it writes to its terminal.
on_terminal() {
	is 0 env TERM=xterm "$top/tests/on_terminal" shown "$@"
	mv shown err
}

# draws WORD UNIT COMMAND...: a line with that word, and how much is done.
# A pipe and a simple terminal get nothing.
draws() {
	word=$1 unit=$2
	shift 2
	rm -rf new
	on_terminal "$@"
	tr '\r' '\n' <err >lines
	grep -q "^$word  \[[# ]*\] *[0-9]* %, [0-9]* $unit" lines || {
		echo "$* did not draw:"
		cat -v err
		exit 1
	}
	rm -rf new
	is 0 "$@"
	if grep '\[#* *\]' err; then
		exit 1
	fi
	rm -rf new
	is 0 env TERM=dumb "$top/tests/on_terminal" shown "$@"
	if grep '\[#* *\]' shown; then
		exit 1
	fi
}

# Every verb that may take long.
long_work_is_shown() {
	draws verify entries trailctl verify store
	draws package MiB trailctl package --no-entry -o q.zip store/t/w
	draws unpack MiB trailctl unpack p.zip new
	draws export-log entries trailctl export-log store new
	draws find entries trailctl find --name 'file.*' store
	draws backup MiB trailctl backup store new
	draws restore MiB trailctl restore --origin x/y back new
	draws mirror MiB trailctl mirror store copy
	draws compare entries trailctl compare store store
}

# A program that reads JSON, and --quiet, get nothing on a terminal either.
nobody_who_asked_for_silence_sees_it() {
	for verb in 'package --json --no-entry -o q.zip store/t/w' \
		'unpack --json p.zip new' 'export-log --json store new' \
		'verify --quiet store' 'backup --quiet store new' \
		'mirror --quiet store copy'; do
		rm -rf new
		# shellcheck disable=SC2086 # several words
		on_terminal trailctl $verb
		if grep '\[#* *\]' err; then
			exit 1
		fi
	done
}

# After half a second of work there are rate and time left.
rate_and_time_left_are_shown() {
	needs strace
	rm -rf new
	on_terminal strace -f -qq -o trace -e trace=pwrite64 \
		-e inject=pwrite64:delay_enter=150000 trailctl unpack p.zip new
	tr '\r' '\n' <err | grep -q \
		'^unpack .* %, [0-9]* MiB, [0-9.]* MiB/s, [0-9]*:[0-9][0-9] left'
}

# There are no colours, with NO_COLOR or without.
nothing_has_a_colour() {
	for set in NO_COLOR= NO_COLOR=1; do
		on_terminal env $set trailctl verify store
		if grep "$(printf '\033')\[[0-9;]*m" err out; then
			exit 1
		fi
	done
}

run there_is_work long_work_is_shown nobody_who_asked_for_silence_sees_it \
	rate_and_time_left_are_shown nothing_has_a_colour
finish
