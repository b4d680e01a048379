#!/bin/sh
# trailctl watch: lines, programs, cursors, crashes, remounts.
. "$(dirname "$0")/../suite_tools.sh"
shared_mount=yes

# begin_watch ARGUMENT...: in the background, as $watcher, with the files
# watched and notes.  Programs have the rights of the test.
begin_watch() {
	case "$(id -u) $*" in
	*--user*) ;;
	'0 '*--exec*) set -- --user root "$@" ;;
	esac
	trailctl watch "$@" >>watched 2>>notes &
	watcher=$!
}

# End it by a signal; its exit status is the result.
end_watch() {
	kill "$watcher"
	wait "$watcher"
}

# A program that appends the event to $work/got and says so.
a_program_is_there() {
	mount store -o allow_other
	mkdir -p mnt/t/w/a mnt/u
	cat >take <<-EOF2
		#!/bin/sh
		cat >>'$work/got'
	EOF2
	chmod +x take
}

# Each new entry is its exact line; without a cursor it begins now.
entries_are_lines() {
	begin_watch --cursor lines.cursor mnt
	wait_for lines.cursor next
	mkdir mnt/t/w/b
	echo one >mnt/t/w/b/f
	is 0 trailctl sync mnt
	wait_for watched t/w/b/f
	end_watch
	tail -n "$(wc -l <watched)" mnt/.trailfs/events.jsonl | cmp - watched
}

# After a restart it goes on behind the cursor: nothing is missed or repeated.
a_cursor_resumes() {
	mkdir mnt/t/w/c
	begin_watch --cursor lines.cursor mnt
	wait_for watched t/w/c
	mkdir mnt/t/w/d
	wait_for watched t/w/d
	end_watch
	tail -n "$(wc -l <watched)" mnt/.trailfs/events.jsonl | cmp - watched
	cp lines.cursor twice.cursor
	begin_watch --cursor lines.cursor mnt
	sleep 1
	end_watch
	cmp twice.cursor lines.cursor
}

# With a path and types only these are delivered; unknown ones are refused.
a_path_and_types_narrow() {
	: >watched
	begin_watch --all --type evidence.sealed --type trail.created mnt
	wait_for watched t/w/b/f
	end_watch
	[ "$(wc -l <watched)" -eq 3 ]
	: >watched
	begin_watch --all mnt/t/w/b
	wait_for watched t/w/b/f
	end_watch
	[ "$(wc -l <watched)" -eq 2 ]
	is 2 trailctl watch --type evidence.seal mnt
	is 2 trailctl watch --timeout 0 --exec ./take mnt
	is 2 trailctl watch mnt argument
	is 2 trailctl watch --exec ./take --user no-such-user mnt
	is 3 trailctl watch --exec no-such-program --user "$(id -un)" mnt
	is 3 trailctl watch nowhere
}

# A second watch with the same cursor, and a file that is no cursor, are refused.
a_cursor_has_one_user() {
	begin_watch --cursor lines.cursor mnt
	sleep 1
	is 3 trailctl watch --cursor lines.cursor mnt
	complains 'another trailctl watch'
	end_watch
	echo '{"next":"x"}' >bad.cursor
	is 2 trailctl watch --cursor bad.cursor mnt
	complains 'cursor is malformed'
	: >bad.cursor
	is 2 trailctl watch --cursor bad.cursor mnt
	is 3 trailctl watch --cursor nowhere/cursor mnt
}

# A program gets the exact entry on stdin, its arguments as they are, no shell.
a_program_reads_the_entry() {
	cat >show <<-EOF2
		#!/bin/sh
		{ printf '%s\n' "\$#" "\$1" "\$2" "\$TRAILFS_SEQ" "\$TRAILFS_TRY"
		cat; } >>'$work/shown'
	EOF2
	chmod +x show
	# shellcheck disable=SC2016 # meant for a shell that must not exist
	begin_watch --exec ./show --json --cursor show.cursor mnt -- \
		'$(touch x) *' '; y'
	wait_for show.cursor next
	: >watched
	mkdir mnt/t/w/e
	wait_for watched '"exit":0,"ok":true'
	end_watch
	tail -n 1 mnt/.trailfs/events.jsonl >entry
	tail -n 1 shown | cmp - entry
	[ "$(sed -n 1p shown)" -eq 2 ]
	# shellcheck disable=SC2016
	[ "$(sed -n 2p shown)" = '$(touch x) *' ]
	[ "$(sed -n 3p shown)" = '; y' ]
	[ "$(sed -n 4p shown)" = "$(jq .seq entry)" ]
	[ "$(sed -n 5p shown)" = 1 ]
	[ ! -e x ]
}

# A failed program is tried again with a growing pause, and says so.
a_failed_program_is_tried_again() {
	cat >third <<-EOF2
		#!/bin/sh
		echo "\$TRAILFS_SEQ \$TRAILFS_TRY" >>'$work/tries'
		[ "\$TRAILFS_TRY" -ge 3 ] || exit 7
		cat >>'$work/succeeded'
	EOF2
	chmod +x third
	: >notes
	begin_watch --exec ./third --cursor third.cursor mnt
	wait_for third.cursor next
	mkdir mnt/t/w/g
	wait_for succeeded t/w/g
	end_watch
	[ "$(wc -l <tries)" -eq 3 ]
	[ "$(wc -l <succeeded)" -eq 1 ]
	grep -q 'try 1: ./third exited with 7; again in 1 s' notes
	grep -q 'try 2: ./third exited with 7; again in 2 s' notes
}

# --keep-going skips an entry after so many tries and says so; exit status 1.
keep_going_skips_and_says_so() {
	: >notes
	: >watched
	cp lines.cursor skip.cursor
	begin_watch --exec false --keep-going 1 --json --cursor skip.cursor mnt
	wait_for watched '"ok":false'
	mkdir mnt/t/w/h
	last=$(tail -n 1 mnt/.trailfs/events.jsonl | jq .seq)
	wait_for watched "\"seq\":$last,"
	status=0
	end_watch || status=$?
	[ "$status" -eq 1 ]
	grep -q 'false exited with 1; skipped' notes
	jq -r .next skip.cursor | grep -qx "$((last + 1))"
}

# A program that takes too long is ended with all its children.
a_time_limit_ends_a_program() {
	cat >slow <<-EOF2
		#!/bin/sh
		sleep 1234.5 &
		wait
	EOF2
	chmod +x slow
	: >watched
	begin_watch --exec ./slow --timeout 1 --keep-going 1 --json \
		--cursor slow.cursor mnt
	wait_for slow.cursor next
	mkdir mnt/t/w/i
	wait_for watched '"timed_out":true'
	end_watch || :
	for _ in $(seq 50); do
		grep -lsz '^1234.5' /proc/[0-9]*/cmdline >left || break
		sleep 0.1
	done
	[ ! -s left ]
}

# A program of root is an ordinary user's unless root says --user root.
root_must_name_a_user() {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	cat >touch-it <<-EOF2
		#!/bin/sh
		touch '$work/ran'
	EOF2
	chmod +x touch-it
	is 2 trailctl watch --all --exec ./touch-it mnt
	complains '--user NAME'
	is 2 trailctl watch --all --exec ./touch-it --user '' mnt
	[ ! -e ran ]
	begin_watch --all --exec ./touch-it --user root --cursor root.cursor mnt
	for _ in $(seq 600); do
		[ ! -e ran ] || break
		sleep 0.1
	done
	end_watch
	[ -e ran ]
}

# --user runs the program as that user, with that user's groups only.
a_program_runs_as_a_user() {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	id nobody >/dev/null 2>&1 || skip 'no user nobody'
	cat >show-id <<-EOF2
		#!/bin/sh
		id >'$work/public/id'
	EOF2
	chmod 0755 show-id .
	mkdir -p public
	chmod 0777 public
	begin_watch --exec "$work/show-id" --user nobody --cursor who.cursor mnt
	wait_for who.cursor next
	mkdir mnt/t/w/j
	wait_for public/id 'uid='
	end_watch
	[ "$(cat public/id)" = "$(setpriv --reuid nobody --regid \
		"$(id -g nobody)" --init-groups id)" ]
}

# An ordinary user cannot become another one: this is refused at once, and not
# when the first entry comes.
only_root_names_another_user() {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	id nobody >/dev/null 2>&1 || skip 'no user nobody'
	as_nobody="setpriv --reuid nobody --regid $(id -g nobody) --clear-groups"
	printf '%s\n' '#!/bin/sh' "touch '$work/public/own'" >own
	chmod 0755 own .
	rm -f public/own
	chmod 0755 mnt/t
	# shellcheck disable=SC2086
	is 2 $as_nobody trailctl watch --exec ./own --user root mnt/t
	complains 'only root'
	# shellcheck disable=SC2086
	$as_nobody trailctl watch --exec ./own --user nobody mnt/t 2>>notes &
	watcher=$!
	for n in $(seq 600); do
		[ ! -e public/own ] || break
		mkdir "mnt/t/own$n"
		sleep 0.1
	done
	end_watch
	[ -e public/own ]
}

# Killed between program and cursor: the entry comes once more, none is missing.
a_crash_repeats_one_entry_at_most() {
	rm -f got crash.cursor
	begin_watch --exec ./take --cursor crash.cursor mnt
	wait_for crash.cursor next
	first=$(jq .next crash.cursor)
	for round in 1 2 3 4 5 6; do
		for i in 1 2 3 4 5 6 7 8; do
			mkdir "mnt/t/w/crash$round-$i"
		done
		sleep 0.$round
		kill -9 "$watcher"
		wait "$watcher" 2>/dev/null || :
		begin_watch --exec ./take --cursor crash.cursor mnt
	done
	mkdir mnt/t/w/last
	wait_for got t/w/last
	end_watch
	# In order, at most one repetition per crash, and no gap.
	jq -c .seq got >seqs
	uniq seqs >once
	seq "$first" "$(tail -n 1 seqs)" | cmp - once
	[ "$(wc -l <seqs)" -le $(($(wc -l <once) + 6)) ]
	# Killed while the program waits: it is in the cursor before only.
	cat >hold <<-EOF2
		#!/bin/sh
		cat >>'$work/waited'
		while [ ! -e '$work/go' ]; do sleep 0.1; done
	EOF2
	chmod +x hold
	rm -f go
	begin_watch --exec ./hold --cursor crash.cursor mnt
	mkdir mnt/t/w/held
	wait_for waited t/w/held
	kill -9 "$watcher"
	wait "$watcher" 2>/dev/null || :
	touch go
	begin_watch --exec ./take --cursor crash.cursor mnt
	wait_for got t/w/held
	end_watch
	[ "$(grep -c t/w/held got)" -eq 1 ]
}

# SIGTERM lets the program end: its entry is not repeated.
a_signal_lets_the_program_end() {
	rm -f waited go
	begin_watch --exec ./hold --cursor crash.cursor mnt
	mkdir mnt/t/w/signal
	wait_for waited t/w/signal
	kill "$watcher"
	touch go
	wait "$watcher"
	next=$(jq .next crash.cursor)
	[ "$next" -eq "$(($(tail -n 1 mnt/.trailfs/events.jsonl | jq .seq) + 1))" ]
}

# An unmount is possible while it waits, and nothing in between is missed.
it_survives_a_remount() {
	rm -f got
	: >notes
	begin_watch --exec ./take --cursor crash.cursor mnt
	mkdir mnt/t/w/before
	wait_for got t/w/before
	umount mnt
	wait_for notes 'waiting for it'
	chattr -i mnt 2>/dev/null || :
	flock -w 30 store/lock true
	mkdir -p elsewhere
	timeout 30 trailfs store elsewhere
	mkdir elsewhere/t/w/between
	umount elsewhere
	chattr -i elsewhere 2>/dev/null || :
	flock -w 30 store/lock true
	mount store -o allow_other
	mkdir mnt/t/w/after
	wait_for got t/w/after
	end_watch
	grep -q 'is mounted again' notes
	tail -n "$(wc -l <got)" mnt/.trailfs/events.jsonl | cmp - got
}

# 10,000 entries come whole, in order, once each, also through an interruption.
ten_thousand_entries() {
	# Empty attestations of drafts would not be entries: directories are.
	for i in $(seq 100); do
		mkdir "mnt/t/many$i"
	done
	python3 - <<-'EOF2'
		import os
		for w in range(1, 101):
		    for a in range(99):
		        os.mkdir(f'mnt/t/many{w}/a{a}')
	EOF2
	: >watched
	rm -f many.cursor
	begin_watch --all --cursor many.cursor mnt
	wait_for watched many2/a0
	end_watch
	begin_watch --all --cursor many.cursor mnt
	wait_for watched many100/a98
	end_watch
	[ "$(wc -l <watched)" -ge 10000 ]
	cmp watched mnt/.trailfs/events.jsonl
}

# The webhook of trailctl(1), as printed, against a server that fails at first.
the_webhook_of_the_manual() {
	cat >server.py <<-'EOF2'
		import http.server, sys
		class Hook(http.server.BaseHTTPRequestHandler):
		    calls = 0
		    def do_POST(self):
		        body = self.rfile.read(int(self.headers['Content-Length']))
		        Hook.calls += 1
		        ok = Hook.calls > 1
		        if ok:
		            assert self.headers['Content-Type'] == 'application/json'
		            with open('posted', 'ab') as f:
		                f.write(body)
		        self.send_response(200 if ok else 503)
		        self.end_headers()
		    def log_message(self, *a):
		        pass
		s = http.server.HTTPServer(('127.0.0.1', 0), Hook)
		print(s.server_port, flush=True)
		s.serve_forever()
	EOF2
	python3 server.py >port 2>server.err &
	server=$!
	wait_for port .
	# The page prints "\e" as a backslash.
	sed -n '/^# trailctl watch --cursor/,/^\.Ed/p' \
		"$top/man/trailctl-monitor.1" |
		sed '/^\.Ed/d; s/\\e$//' | tr -d '\n' >line
	grep -q curl line
	sed -i "s|https://[^ ]*|http://127.0.0.1:$(cat port)/hook|
		s|/var/lib/trailfs/hook.cursor|hook.cursor|; s|/mnt/vault|mnt|
		s|^ *# ||; s|^ *||" line
	[ "$(id -u)" -eq 0 ] || sed -i 's/--user nobody//' line
	echo 'exec ' | tr -d '\n' | cat - line >hook.sh
	sh hook.sh >hook.out 2>hook.notes &
	watcher=$!
	wait_for hook.cursor next
	mkdir mnt/t/w/hook
	wait_for posted t/w/hook
	end_watch
	kill "$server"
	[ "$(wc -l <posted)" -eq 1 ]
	tail -n 1 mnt/.trailfs/events.jsonl | tr -d '\n' >entry
	tr -d '\n' <posted | cmp - entry
	grep -q 'again in 1 s' hook.notes
}

# The unit is one that systemd accepts.
the_unit_is_valid() {
	needs systemd-analyze
	sed 's|/usr/local/bin/trailctl|/bin/true|
		s|/usr/local/lib/trailctl-watch/%i|/bin/true|' \
		"$top/tools/systemd/trailctl-watch@.service" >trailctl-watch@x.service
	systemd-analyze verify ./trailctl-watch@x.service >out 2>&1 || {
		cat out
		exit 1
	}
}

run a_store_is_made a_program_is_there
with jq entries_are_lines a_cursor_resumes a_path_and_types_narrow \
	a_cursor_has_one_user a_program_reads_the_entry \
	a_failed_program_is_tried_again keep_going_skips_and_says_so \
	a_time_limit_ends_a_program
run root_must_name_a_user
with 'jq setpriv' a_program_runs_as_a_user only_root_names_another_user
with jq a_crash_repeats_one_entry_at_most a_signal_lets_the_program_end \
	it_survives_a_remount
with python3 ten_thousand_entries
with 'python3 curl' the_webhook_of_the_manual
run the_unit_is_valid
finish
