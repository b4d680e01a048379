#!/bin/sh
# trailctl from outside: what it prints where, and how it exits.
#
# Each test is a function whose name is a sentence; it fails with its first
# command that does.  The summary is in the form of Check's.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.." || exit 1
BUILD=$(cd "${BUILD:-build}" && pwd) || exit 1
PATH=$BUILD:$PATH
sample=$PWD/tests/sample/ecs-execute-command-0199bb27be8f354b7
work=$(mktemp -d "${TMPDIR:-/tmp}/tools.XXXXXX") || exit 1
store=$work/store mnt=$work/mnt
cd "$work" || exit 1

unmount() {
	fusermount3 -u "$mnt" 2>/dev/null || umount "$mnt" 2>/dev/null ||
		fusermount3 -uz "$mnt" 2>/dev/null || :
	chattr -i "$mnt" 2>/dev/null || :
	# The daemon lets go of the store a moment later.
	if [ -e "$store/lock" ]; then
		flock -w 30 "$store/lock" true
	fi
}
trap 'cd /; unmount; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

mount() {
	timeout 30 trailfs "$store" "$mnt"
}

# is STATUS COMMAND...: the command ends with that status, out and err keep
# what it said.
is() {
	want=$1
	shift
	got=0
	timeout 60 "$@" >out 2>err || got=$?
	[ "$got" -eq "$want" ] || {
		echo "$* ended with $got, not $want, and said:"
		cat out err
		exit 1
	}
}

# Standard output of the last one has a line like that, standard error has.
says() {
	grep -q -- "$1" out || {
		echo "no '$1' in:"
		cat out
		exit 1
	}
}

complains() {
	grep -q -- "$1" err || {
		echo "no '$1' on stderr, but:"
		cat err
		exit 1
	}
}

has_lines() {
	[ "$(wc -l <out)" -eq "$1" ] || {
		echo "not $1 lines:"
		cat out
		exit 1
	}
}

# --- without a mount ----------------------------------------------------

help_is_an_answer_on_stdout() {
	is 0 trailctl --help
	says 'usage: trailctl'
	[ ! -s err ]
	is 0 trailctl verify --help
	says 'trailctl verify'
	[ ! -s err ]
	is 0 trailctl --version
	says '^trailctl [0-9]'
}

wrong_usage_exits_2_and_prints_on_stderr() {
	is 2 trailctl
	has_lines 0
	complains usage
	is 2 trailctl frobnicate
	has_lines 0
	is 2 trailctl status --frobnicate
	has_lines 0
	is 2 trailctl status a b
	has_lines 0
	is 2 trailctl seal
	has_lines 0
	is 2 trailctl log --since yesterday .
	has_lines 0
	is 2 trailctl log --uid alice .
	has_lines 0
}

what_is_no_store_exits_3() {
	mkdir nothing
	is 3 trailctl status nothing
	complains 'neither'
	is 3 trailctl log nowhere
	complains 'No such file'
	is 3 trailctl verify nowhere
	has_lines 0
}

init_prints_the_key_alone_on_stdout() {
	is 0 trailctl init --origin example.org/tools store
	has_lines 1
	says '^example.org/tools+[0-9a-f]\{8\}+A'
	complains 'Keep this key somewhere else'
	cp out vkey
}

init_refuses_what_is_not_empty() {
	sha256sum store/ledger.db >before
	is 1 trailctl init store
	has_lines 0
	sha256sum --status --check before
	mkdir full
	touch full/file
	is 1 trailctl init full
	has_lines 0
	[ "$(ls full)" = file ]
}

init_refuses_a_bad_origin() {
	is 2 trailctl init --origin 'a b' other
	has_lines 0
	[ ! -e other ]
}

a_new_store_verifies() {
	is 0 trailctl verify store
	for link in contents entries names tree signature; do
		says "^$link *OK"
	done
	for link in 'earlier checkpoint' witness timestamp; do
		says "^$link *ABSENT"
	done
}

an_answer_that_cannot_be_written_exits_3() {
	got=0
	trailctl status store >/dev/full 2>err || got=$?
	[ "$got" -eq 3 ]
	complains 'standard output'
}

# --- with one -----------------------------------------------------------

A=t/w/command-logs

any_path_in_a_mount_names_the_vault() {
	mkdir "$mnt"
	mount
	mkdir -p "mnt/$A"
	cp "$sample"/command-logs/* "mnt/$A/"
	is 0 trailctl status mnt
	says '^origin *example.org/tools'
	says "^mount *$mnt"
	is 0 trailctl status "mnt/$A/session-summary.json"
	says '^origin *example.org/tools'
	(cd "mnt/$A" && trailctl status) >out
	says '^origin'
}

status_in_json_is_one_object() {
	is 0 trailctl status --json mnt
	has_lines 1
	says '^{.*"entries":[0-9]*,.*}$'
	says '"states":{"draft":0,"frozen":'
}

sync_waits_until_files_are_sealed() {
	echo late >"mnt/$A/late.txt"
	is 0 trailctl sync "mnt/$A/late.txt"
	has_lines 0
	is 0 trailctl show "mnt/$A/late.txt"
	says '^state *sealed'
}

show_tells_the_hash_and_the_entry() {
	f=mnt/$A/session-summary.json
	is 0 trailctl show "$f"
	says '^kind *evidence'
	says '^state *sealed'
	says '^entry *[0-9]'
	says "^sha256 *$(sha256sum <"$f" | cut -d ' ' -f 1)\$"
	is 0 trailctl show --json "$f"
	says '"kind":"evidence"'
	says '"index":[0-9]'
	is 0 trailctl show mnt/t/w
	says '^kind *workflow'
	is 3 trailctl show mnt/t/x
	has_lines 0
}

log_is_the_ledger() {
	is 0 trailctl log --json mnt
	cmp out mnt/.trailfs/events.jsonl
	is 0 trailctl log mnt
	has_lines "$(wc -l <mnt/.trailfs/events.jsonl)"
	says '^ *0  ....-..-..T..:..:..Z  ledger.opened'
}

log_can_be_narrowed() {
	is 0 trailctl log --type evidence.sealed mnt
	has_lines 3
	is 0 trailctl log --trail t --type trail.created mnt
	has_lines 1
	is 0 trailctl log --trail other mnt
	has_lines 0
	is 0 trailctl log --uid "$(id -u)" --type trail.created mnt
	has_lines 1
	is 0 trailctl log --uid 54321 mnt
	has_lines 0
	is 0 trailctl log --since 9999-01-01 mnt
	has_lines 0
	is 0 trailctl log --since 2000-01-01T00:00 --type trail.created mnt
	has_lines 1
}

log_follows() {
	timeout 20 trailctl log --follow --json --type evidence.sealed mnt \
		>followed &
	follower=$!
	echo more >"mnt/$A/more.txt"
	trailctl sync mnt
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		grep -q more.txt followed && break
		sleep 0.5
	done
	kill "$follower"
	grep -q more.txt followed
}

odd_names_are_shown_harmless() {
	echo odd >"mnt/$A/back\\slash"
	is 0 trailctl show "mnt/$A/back\\slash"
	says 'back\\x5cslash'
}

a_mounted_store_is_not_written_beside_the_mount() {
	is 3 trailctl seal "store/$A"
	complains 'in its mount'
}

seal_through_the_mount_closes_an_attestation() {
	is 0 trailctl seal --json "mnt/$A"
	says '"sealed":"'"$A"'"'
	if touch "mnt/$A/new" 2>/dev/null; then
		echo "added a file to a sealed attestation"
		return 1
	fi
	is 0 trailctl show "mnt/$A"
	says '^state *sealed'
}

seal_of_a_file_is_refused() {
	is 2 trailctl seal "mnt/$A/late.txt"
	has_lines 0
}

verify_finds_the_store_of_a_mount() {
	is 0 trailctl verify mnt
	says '^contents *OK'
}

a_store_is_read_without_its_mount() {
	is 0 trailctl show "mnt/$A/late.txt"
	cp out mounted
	is 0 trailctl log --json mnt
	cp out log
	unmount
	is 0 trailctl show "store/$A/late.txt"
	cmp out mounted
	is 0 trailctl log --json store
	head -n "$(wc -l <log)" out | cmp - log
	is 0 trailctl status store
	says '^origin *example.org/tools'
	is 3 trailctl show "store/$A/none"
	is 3 trailctl show "store/../store/$A/none"
}

seal_without_a_mount_is_by_trailctl() {
	is 0 trailctl seal store/t/w
	is 0 trailctl log --type workflow.sealed store
	says '(trailctl)'
	is 0 trailctl log --json --type ledger.closed store
	tail -n 1 out | grep -q '"reason":"done"'
	is 0 trailctl sync store
	is 0 trailctl verify store
}

verify_names_what_was_changed() {
	cp -r store copy
	sed -i 's/uid=0(root)/uid=7(nobd)/' copy/ledger.db
	is 4 trailctl verify copy
	says '^contents *FAILED'
	says "entry [0-9]*, $A/ecs-.*log: "
	is 4 trailctl verify --json copy
	says '"link":"contents","path":"'"$A"
	says '"contents":"FAILED"'
}

verify_knows_a_foreign_file() {
	mkdir -p foreign/keys
	echo hello >foreign/ledger.db
	got=0
	timeout 60 trailctl verify foreign >out 2>err || got=$?
	[ "$got" -ne 0 ]
	! grep -q 'contents *OK' out
}

# --- all of them --------------------------------------------------------

checks=0 failures=0
run() {
	for name; do
		checks=$((checks + 1))
		# Not as a condition: there, -e would mean nothing.
		(
			set -e
			"$name"
		) >said 2>&1
		status=$?
		[ "$status" -eq 0 ] && continue
		failures=$((failures + 1))
		echo "tests/tools.sh: $name"
		sed 's/^/    /' said
	done
}

# In this order: one store goes through all of them.
run help_is_an_answer_on_stdout \
	wrong_usage_exits_2_and_prints_on_stderr \
	what_is_no_store_exits_3 \
	init_prints_the_key_alone_on_stdout \
	init_refuses_what_is_not_empty \
	init_refuses_a_bad_origin \
	a_new_store_verifies \
	an_answer_that_cannot_be_written_exits_3
if [ -w /dev/fuse ]; then
	run any_path_in_a_mount_names_the_vault \
		status_in_json_is_one_object \
		sync_waits_until_files_are_sealed \
		show_tells_the_hash_and_the_entry \
		log_is_the_ledger \
		log_can_be_narrowed \
		log_follows \
		odd_names_are_shown_harmless \
		a_mounted_store_is_not_written_beside_the_mount \
		seal_through_the_mount_closes_an_attestation \
		seal_of_a_file_is_refused \
		verify_finds_the_store_of_a_mount \
		a_store_is_read_without_its_mount \
		seal_without_a_mount_is_by_trailctl \
		verify_names_what_was_changed
else
	checks=$((checks + 1))
	echo 'SKIP tools with a mount: cannot open /dev/fuse'
fi
run verify_knows_a_foreign_file

good=$((checks - failures))
echo "$((100 * good / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
