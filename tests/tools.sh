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
trap 'cd /; unmount; umount "$work/clocked/mnt" 2>/dev/null; rm -rf "$work"' EXIT
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

# needs TOOL...: without one of them the rest of the test is skipped.
needs() {
	for tool; do
		command -v "$tool" >/dev/null && continue
		echo "no $tool"
		exit 77
	done
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

never_says() {
	if grep -- "$1" out; then
		exit 1
	fi
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
	is 0 trailctl -V
	says '^trailctl [0-9]'
	is 0 trailctl log -h
	says 'trailctl log'
	for word in -h --help; do
		is 0 trailfs $word
		says '^usage: trailfs'
		[ ! -s err ]
	done
	for word in -V --version; do
		is 0 trailfs $word
		says '^trailfs [0-9]'
	done
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
	complains 'nothing is mounted'
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

# --- checking, without a mount ------------------------------------------

verify_pins_the_key() {
	is 0 trailctl verify store
	says "^signature *OK *of example.org/tools, by the store's own key; --vkey"
	is 0 trailctl verify --vkey vkey store
	says '^signature *OK *of example.org/tools, by the key given'
	is 0 trailctl verify --vkey "$(cat vkey)" --rebuild store
	says '^names *OK'
}

verify_finds_another_key() {
	is 0 trailctl init --origin example.org/tools other
	cp out otherkey
	is 4 trailctl verify --vkey otherkey store
	says '^signature *FAILED'
	is 4 trailctl verify --vkey vkey other
	says '^signature *FAILED'
}

verify_refuses_what_is_no_key() {
	is 2 trailctl verify --vkey "$(cut -c 1-40 vkey)" store
	has_lines 0
	cat vkey otherkey >twokeys
	is 2 trailctl verify --vkey twokeys store
	complains 'one key'
	: >nokey
	is 2 trailctl verify --vkey nokey store
	is 3 trailctl verify --vkey nowhere store
	has_lines 0
}

export_log_makes_a_log_that_verifies() {
	is 0 trailctl export-log store exported
	has_lines 1
	says '^2 tiles written, size 2$'
	is 0 trailctl verify --vkey vkey exported
	for link in entries tree tiles signature; do
		says "^$link *OK"
	done
	for link in contents names 'earlier checkpoint' witness timestamp; do
		says "^$link *ABSENT"
	done
	is 0 trailctl export-log --json store exported
	says '^{"size":2,"tiles":0}$'
	is 2 trailctl export-log store other
	is 2 trailctl export-log store
	is 3 trailctl export-log nowhere exported
}

prove_makes_a_proof_that_verifies() {
	is 0 trailctl prove store
	says '^c2sp.org/tlog-proof@v1$'
	mv out first
	is 0 trailctl prove -o root.tlog-proof store
	has_lines 0
	cmp first root.tlog-proof
	[ -z "$(find . -name '.root*')" ]
	is 0 trailctl verify --vkey vkey root.tlog-proof
	says '^tree *OK *size 2, root [0-9a-f]\{64\}$'
	says '^tiles *ABSENT'
	is 1 trailctl prove store/none
	complains 'ledger has no none'
	has_lines 0
	is 3 trailctl prove nowhere
}

a_log_or_a_proof_needs_a_key() {
	is 2 trailctl verify exported
	complains 'never learned'
	has_lines 0
	is 2 trailctl verify root.tlog-proof
	complains 'never learned'
	has_lines 0
	is 2 trailctl verify --vkey vkey --evidence . store
	is 2 trailctl verify --vkey vkey --rebuild exported
	is 2 trailctl verify --json --junit - store
	has_lines 0
}

a_proof_by_another_key_fails() {
	is 4 trailctl verify --vkey otherkey root.tlog-proof
	says '^signature *FAILED'
	never_says '^tree *OK'
	is 4 trailctl verify --vkey otherkey exported
	says '^signature *FAILED'
}

# altered SED-SCRIPT: root.tlog-proof with that done to it.
altered() {
	sed "$1" root.tlog-proof >altered.tlog-proof
	if cmp -s root.tlog-proof altered.tlog-proof; then
		return 1
	fi
}

an_altered_proof_fails() {
	altered 's/^index 0/index 1/'
	is 4 trailctl verify --vkey vkey altered.tlog-proof
	# The first hash, the entry, the root, the signature.
	altered '4{s/^Q/R/;t;s/^./Q/;}'
	is 4 trailctl verify --vkey vkey altered.tlog-proof
	says '^tree *FAILED'
	says '^    entry 0'
	altered 's/^extra ..../extra eyJb/'
	is 4 trailctl verify --vkey vkey altered.tlog-proof
	says '^tree *FAILED'
	altered 's/^2$/3/'
	is 4 trailctl verify --vkey vkey altered.tlog-proof
	says '^signature *FAILED'
	head -n 3 root.tlog-proof >altered.tlog-proof
	is 2 trailctl verify --vkey vkey altered.tlog-proof
	has_lines 0
	altered 's/$/\r/'
	is 2 trailctl verify --vkey vkey altered.tlog-proof
	has_lines 0
}

a_log_that_is_not_whole_fails() {
	rm -rf cut
	cp -r exported cut
	truncate -s -9 cut/tile/entries/000.p/2
	is 4 trailctl verify --vkey vkey cut
	says '^entries *FAILED'
	says '^    entry 1: '
	rm cut/tile/entries/000.p/2
	is 4 trailctl verify --vkey vkey cut
	says '^tiles *FAILED'
	says '^    tile/entries/000.p/2 is missing'
	rm -rf cut
	cp -r exported cut
	truncate -s 32 cut/tile/0/000.p/2
	is 4 trailctl verify --vkey vkey cut
	says '^tiles *FAILED'
	rm -rf cut
	cp -r exported cut
	sed -i 's/ledger.opened/ledger.opexed/' cut/tile/entries/000.p/2
	is 4 trailctl verify --vkey vkey cut
	says '^tree *FAILED'
	says '^    entry 0: '
	rm cut/checkpoint
	is 3 trailctl verify --vkey vkey cut
	complains 'no checkpoint'
}

verify_compares_with_an_earlier_checkpoint() {
	cp exported/checkpoint held
	is 0 trailctl verify --vkey vkey --checkpoint held exported
	says '^earlier checkpoint *OK'
	cp -r store fork
	is 0 trailctl sync store
	is 0 trailctl verify --vkey vkey --checkpoint held store
	says '^earlier checkpoint *OK'
	is 0 trailctl export-log store grown
	says 'size 4$'
	is 0 trailctl verify --vkey vkey --checkpoint held grown
	says '^earlier checkpoint *OK'
	# The other way round entries were cut off.
	is 4 trailctl verify --vkey vkey --checkpoint grown/checkpoint exported
	says '^earlier checkpoint *FAILED'
	# A proof speaks of one tree only.
	is 0 trailctl verify --vkey vkey --checkpoint held root.tlog-proof
	says '^earlier checkpoint *OK'
	is 5 trailctl verify --vkey vkey --checkpoint grown/checkpoint \
		root.tlog-proof
	says '^earlier checkpoint *ABSENT'
}

an_earlier_checkpoint_that_is_no_prefix_fails() {
	is 0 trailctl sync fork
	is 0 trailctl verify --vkey vkey fork
	is 4 trailctl verify --vkey vkey --checkpoint fork/checkpoint store
	says '^earlier checkpoint *FAILED'
	says 'history was rewritten'
	says '^tree *OK'
	is 4 trailctl verify --vkey vkey --checkpoint fork/checkpoint grown
	says '^earlier checkpoint *FAILED'
}

what_is_no_checkpoint_is_never_a_prefix() {
	: >empty
	printf 'example.org/tools\n02\nx\n' >bad
	sed 's/$/\r/' held >crlf
	for f in empty bad crlf vkey other/checkpoint; do
		got=0
		trailctl verify --vkey vkey --checkpoint $f exported >out 2>err ||
			got=$?
		[ "$got" -eq 4 ] || [ "$got" -eq 2 ]
		never_says '^earlier checkpoint *[OA]'
	done
	is 3 trailctl verify --vkey vkey --checkpoint nowhere exported
	has_lines 0
}

# The summary of a JUnit file: tests, failures, errors, skipped, then the
# names of the cases that did not pass.
junit() {
	python3 - "$1" <<-'EOF'
	import sys, xml.etree.ElementTree as tree
	suite = tree.parse(sys.argv[1]).getroot()
	assert suite.get('name') == 'trailfs.verify'
	kinds = {'failure': 'failures', 'error': 'errors', 'skipped': 'skipped'}
	bad = [c for c in suite if len(c) and c[0].tag != 'skipped']
	for kind, attribute in kinds.items():
	    n = len(suite.findall('testcase/' + kind))
	    assert n == int(suite.get(attribute)), kind
	assert len(suite) == int(suite.get('tests'))
	print(*[suite.get(k) for k in ('tests', 'failures', 'errors', 'skipped')],
	    *[c.get('name') + '/' + c[0].tag for c in bad])
	EOF
}

# The output is one line of JSON with sorted keys.
is_canonical() {
	jq -Sc . <out >canonical
	cmp canonical out
}

verify_in_json_is_canonical() {
	is 0 trailctl verify --json --vkey vkey --checkpoint held store
	is_canonical
	[ "$(jq -r '.links["earlier checkpoint"]' <out)" = OK ]
	[ "$(jq -r '.links.witness' <out)" = ABSENT ]
	[ "$(jq -c '[(.links|length), .found, .size, .entries, .pinned]' \
		<out)" = '[9,0,4,4,true]' ]
	[ "$(jq -r .root <out)" = "$(trailctl status --json store |
		jq -r .root)" ]
	is 4 trailctl verify --json store --vkey otherkey
	is_canonical
	[ "$(jq -r '.findings[] | select(.link == "signature") | .text' \
		<out | wc -l)" -ge 1 ]
	is 0 trailctl verify --json store
	[ "$(jq -r .pinned <out)" = false ]
}

verify_writes_junit() {
	is 0 trailctl verify --junit j.xml --vkey vkey store
	says '^signature *OK'
	[ "$(junit j.xml)" = '9 0 0 3' ]
	is 0 trailctl verify --junit - --vkey vkey exported
	[ "$(junit out)" = '9 0 0 5' ]
	sed -i 's/ledger.opened/ledger.opexed/' cut/tile/entries/000.p/2
	cp exported/checkpoint cut/
	is 4 trailctl verify --json --junit j.xml --vkey vkey cut
	[ "$(jq -r .links.tree <out)" = FAILED ]
	junit j.xml | grep -q tree/failure
	# What could not be checked is not left as it was.
	is 3 trailctl verify --junit j.xml --vkey vkey nowhere
	[ "$(junit j.xml)" = '1 0 1 0 verify/error' ]
	is 3 trailctl verify --junit nowhere/j.xml --vkey vkey store
	is 4 trailctl verify --junit nowhere/j.xml --vkey vkey cut
	is 0 trailctl verify --junit /dev/null --vkey vkey store
	[ -c /dev/null ]
}

# forge ENTRY: the log grown with one entry more, signed by the log's own key.
forge() {
	rm -rf forged
	cp -r grown forged
	python3 - store/keys/log.pem "$1" <<-'EOF'
	import base64, glob, hashlib, os, subprocess, sys
	def h(b): return hashlib.sha256(b).digest()
	def root(x):
	    if len(x) == 1: return x[0]
	    k = 1 << (len(x) - 1).bit_length() - 1
	    return h(b'\1' + root(x[:k]) + root(x[k:]))
	[old] = glob.glob('forged/tile/0/000.p/*')
	size = int(old.rsplit('/')[-1]) + 1
	entry = sys.argv[2].replace('SEQ', str(size - 1)).encode()
	leaves = open(old, 'rb').read() + h(b'\0' + entry)
	bundle = open('forged/tile/entries/000.p/%d' % (size - 1), 'rb').read()
	bundle += len(entry).to_bytes(2, 'big') + entry
	open('forged/tile/0/000.p/%d' % size, 'wb').write(leaves)
	open('forged/tile/entries/000.p/%d' % size, 'wb').write(bundle)
	leaves = [leaves[i:i + 32] for i in range(0, len(leaves), 32)]
	note = open('forged/checkpoint').read().split('\n')
	text = '%s\n%d\n%s\n' % (note[0], size,
	    base64.b64encode(root(leaves)).decode())
	open('text', 'w').write(text)
	sig = subprocess.run(['openssl', 'pkeyutl', '-sign', '-rawin', '-inkey',
	    sys.argv[1], '-in', 'text'], check=True, capture_output=True).stdout
	dash, name, line = note[4].split(' ')
	line = base64.b64encode(base64.b64decode(line)[:4] + sig).decode()
	open('forged/checkpoint', 'w').write(
	    text + '\n' + ' '.join((dash, name, line)) + '\n')
	EOF
}

entries_of_a_later_version_are_in_doubt() {
	later='"at":"2999-01-01T00:00:00.000000000Z","origin":"example.org/tools"'
	forge "{$later,\"seq\":SEQ,\"type\":\"thing.done\",\"v\":1}"
	is 0 trailctl verify --json --vkey vkey forged
	[ "$(jq -c '[.unknown,.newer]' <out)" = '[1,0]' ]
	forge "{$later,\"seq\":SEQ,\"type\":\"thing.done\",\"v\":2}"
	is 5 trailctl verify --vkey vkey --checkpoint held forged
	says '^entries .*1 of a later version'
	says '^earlier checkpoint *OK'
	is 5 trailctl verify --json --junit j.xml --vkey vkey forged
	[ "$(jq -c '[.unknown,.newer,.found]' <out)" = '[0,1,0]' ]
	[ "$(junit j.xml)" = '9 0 1 5 entries/error' ]
	forge "{$later,\"seq\":7,\"type\":\"thing.done\",\"v\":1}"
	is 4 trailctl verify --vkey vkey forged
	says '^entries *FAILED'
	says '^    entry 4'
}

init_goes_on_with_a_store_that_was_put_back() {
	is 2 trailctl init --recover store
	complains 'nothing is wrong'
	has_lines 0
	cp -r store back
	is 0 trailctl sync store
	cp -f store/checkpoint back/checkpoint
	is 4 trailctl sync back
	complains 'init STORE --recover'
	is 0 trailctl init back --recover
	has_lines 1
	says '^example.org/tools/2+[0-9a-f]\{8\}+A'
	complains 'new origin'
	complains 'needs this new key'
	cp out newkey
	is 0 trailctl sync back
	is 0 trailctl verify --vkey newkey back
	is 4 trailctl verify --vkey vkey back
	says '^signature *FAILED'
	is 2 trailctl init back --recover
	has_lines 0
	is 3 trailctl init nowhere --recover
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
	is 0 trailctl log "mnt/$A/../../../t/w"
	never_says ledger.opened
	never_says trail.created
	says workflow.begun
	is 0 trailctl log "mnt/$A" --type attestation.begun
	has_lines 1
	is 0 trailctl log --uid "$(id -u)" --type trail.created mnt
	has_lines 1
	is 0 trailctl log --uid 54321 mnt
	has_lines 0
	is 0 trailctl log --since 9999-01-01 mnt
	has_lines 0
	is 0 trailctl log --since 2000-01-01T00:00 --type trail.created mnt
	has_lines 1
}

log_never_answers_a_wrong_name_with_nothing() {
	is 2 trailctl log --type evidence.seal mnt
	complains 'evidence.seal'
	is 0 trailctl log --type key.rotated mnt
	has_lines 0
	is 3 trailctl log --trail other mnt
	complains 'no such trail: other'
	is 2 trailctl log --trail t/w mnt
	is 3 trailctl log mnt/t/other
	is 3 trailctl log store/t/other
	complains 'other'
	is 3 trailctl log --trail other store
	complains 'no such trail: other'
	is 0 trailctl log store/t/w
	says workflow.begun
	never_says trail.created
}

status_of_a_store_names_its_daemon_and_mount() {
	is 0 trailctl status store
	says "^mount  *$mnt\$"
	needs jq
	is 0 trailctl status --json mnt
	pid=$(jq .pid out)
	is 0 trailctl status --json store
	[ "$(jq .pid out)" = "$pid" ]
	[ "$(jq -r .mount out)" = "$mnt" ]
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

# Ten years ahead for one start: the ledger's order stays there, but times are
# shown and searched as the clock has them since.
one_start_with_the_clock_ahead_is_not_every_time() {
	if ldd "$BUILD/trailctl" | grep -q 'lib[at]san'; then
		echo 'a sanitizer wants to be loaded first'
		exit 77
	fi
	mkdir clocked clocked/mnt
	today=$(date -u +%Y-%m-%d)
	is 0 env LD_PRELOAD="$BUILD/shim.so" SHIM_CLOCK_AHEAD_S=315360000 \
		trailctl init --origin example.org/c clocked/store
	timeout 60 trailfs -f clocked/store clocked/mnt -o settle=0 \
		2>clocked/log &
	for _ in $(seq 120); do
		[ ! -e clocked/mnt/.trailfs/checkpoint ] || break
		sleep 0.5
	done
	grep 'the clock says .* and the last entry was at 20' clocked/log
	mkdir -p clocked/mnt/t/w/a
	echo late >clocked/mnt/t/w/a/f
	trailctl sync clocked/mnt
	trailctl seal clocked/mnt/t
	is 0 trailctl show clocked/mnt/t/w/a/f
	says "^sealed at *$today.* by the clock; its place in the ledger is"
	is 0 trailctl show --json clocked/mnt/t/w/a/f
	says "\"clock\":\"$today"
	is 0 trailctl log clocked/mnt
	says "^ *6  $today.*Z! evidence.sealed"
	says '^ *0  20.*Z  ledger.opened'
	is 0 trailctl log --since "$today" clocked/mnt
	says 'trail.sealed'
	is 0 trailctl log --since "$(date -u +%Y-%m-%d -d 1year)" clocked/mnt
	says 'ledger.opened'
	if grep trail.sealed out; then exit 1; fi
	is 0 trailctl prove -o clocked/proof clocked/mnt/t/w/a/f
	umount clocked/mnt
	flock -w 30 clocked/store/lock true
	chattr -i clocked/mnt 2>/dev/null || :
	is 0 trailctl verify --vkey clocked/store/keys/log.vkey clocked/proof
	says "^time *$today.* by the clock; its place in the ledger is"
	is 0 trailctl package --no-entry --until "$(date -u +%Y-%m-%d -d 1day)" \
		-o clocked/p.zip clocked/store/t
	is 0 trailctl verify --vkey clocked/store/keys/log.vkey clocked/p.zip
	says '^contents *OK *1 file'
	is 0 trailctl show clocked/store/t/w/a/f
	says "^sealed at *$today.* by the clock"
	is 0 trailctl verify clocked/store
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

seal_names_the_file_that_is_in_the_way() {
	mkdir "mnt/t/w/busy" "mnt/t/w/busy/d"
	exec 9>"mnt/t/w/busy/d/log"
	is 1 trailctl seal mnt/t/w/busy
	exec 9>&-
	complains 'seal t/w/busy: being written below: d/log'
}

why_tells_state_rule_and_refusal() {
	echo x >mnt/t/w/file 2>err && exit 1
	rm -f "mnt/$A/late.txt" 2>err && exit 1
	is 0 trailctl why mnt/t/w/file
	says '^state  *no such name'
	says '^rule .*files cannot be here'
	says '^refused .*create t/w/file: EPERM: files can be created in '
	is 0 trailctl why "mnt/$A/late.txt"
	says '^refused .*unlink .*EPERM: .*write a new file'
	is 0 trailctl why mnt/t/w/busy
	says 'being written below: d/log'
	is 0 trailctl why mnt/t/.trailfs/status.json
	says '^state  *reserved'
	is 0 trailctl why mnt
	says '^kind  *root'
	is 2 trailctl why
	is 3 trailctl why nowhere/at/all
	needs jq
	is 0 trailctl why --json "mnt/$A"
	is_canonical
	[ "$(jq -r .kind out)" = attestation ]
}

seal_of_a_file_is_refused() {
	is 2 trailctl seal "mnt/$A/late.txt"
	has_lines 0
}

verify_finds_the_store_of_a_mount() {
	is 0 trailctl verify mnt
	says '^contents *OK'
}

prove_takes_a_path_in_a_mount() {
	f=$A/session-summary.json
	is 0 trailctl prove -o mounted.tlog-proof "mnt/$f"
	has_lines 0
	is 0 trailctl verify --vkey vkey mounted.tlog-proof "mnt/$f"
	says '^contents *OK *1 file'
	says '^tree *OK'
	is 0 trailctl prove -o stored.tlog-proof "store/$f"
	is 0 trailctl verify --vkey vkey stored.tlog-proof "mnt/$f"
	for dir in t t/w "$A"; do
		is 0 trailctl prove -o dir.tlog-proof "mnt/$dir"
		is 0 trailctl verify --vkey vkey dir.tlog-proof
	done
}

prove_into_a_pipe_leaves_the_pipe() {
	mkfifo pipe
	timeout 20 cat pipe >piped &
	is 0 trailctl prove -o pipe "store/$A/session-summary.json"
	wait $!
	[ -p pipe ]
	grep -q '^index [0-9]' piped
}

# Equal bytes that were recorded elsewhere have another proof.
a_proof_says_of_what_it_is() {
	mkdir -p mnt/t/proofs/a
	echo same >mnt/t/proofs/a/one && echo same >mnt/t/proofs/a/two
	trailctl sync mnt
	is 0 trailctl prove -o two.tlog-proof mnt/t/proofs/a/two
	is 0 trailctl verify --vkey vkey two.tlog-proof mnt/t/proofs/a/one
	says "^path *t/proofs/a/two$"
	says '^person *root'
	says '^time *20..-'
	says "^size *5 bytes, SHA-256 $(echo same | sha256sum | cut -c -64)"
	says '^entry *[0-9]*, evidence.sealed, of '
	is 0 trailctl verify --json --vkey vkey two.tlog-proof \
		mnt/t/proofs/a/one
	says '"subject":{"actor":{.*"uid":0.*"path":"t/proofs/a/two".*"size":5,"type":"evidence.sealed"}'
	echo other >altered.txt
	is 4 trailctl verify --vkey vkey two.tlog-proof altered.txt
	says 'NOT PROVEN'
}

an_altered_file_fails_against_its_proof() {
	f=$A/session-summary.json
	cp "mnt/$f" copy.json
	is 0 trailctl verify --vkey vkey mounted.tlog-proof copy.json
	echo >>copy.json
	is 4 trailctl verify --vkey vkey mounted.tlog-proof copy.json
	says '^contents *FAILED'
	says "^    entry [0-9]*, $f: altered"
	says '^tree *OK'
	is 3 trailctl verify --vkey vkey mounted.tlog-proof nowhere
	is 4 trailctl verify --vkey vkey dir.tlog-proof copy.json
}

what_is_not_sealed_has_no_proof() {
	mkdir -p mnt/t/v/a
	exec 3>mnt/t/v/a/open
	echo x >&3
	for path in mnt store; do
		is 1 trailctl prove -o no.tlog-proof "$path/t/v/a/open"
		complains 'not sealed yet'
	done
	exec 3>&-
	[ ! -e no.tlog-proof ]
}

a_log_is_checked_with_evidence() {
	is 0 trailctl sync mnt
	rm -rf exported ev
	is 0 trailctl export-log mnt exported
	is 0 trailctl verify --vkey vkey --evidence mnt exported
	says '^contents *OK *[1-9][0-9]* files, '
	cp -r mnt ev
	is 0 trailctl verify --vkey vkey --evidence ev exported
	printf x >>ev/$A/late.txt
	rm "ev/$A/more.txt"
	is 4 trailctl verify --vkey vkey --evidence ev --junit j.xml exported
	says '^contents *FAILED *2 findings'
	says "^    entry [0-9]*, $A/late.txt: altered"
	says "^    entry [0-9]*, $A/more.txt: "
	[ "$(junit j.xml)" = '9 1 0 4 contents/failure' ]
	# The first entry comes first.
	sed -n 's/^    entry \([0-9]*\), .*/\1/p' out | sort -nc
	is 3 trailctl verify --vkey vkey --evidence nowhere exported
}

odd_names_do_no_harm_in_any_form() {
	odd=$(printf '<&>"]]>\357\277\277')
	mkdir mnt/t/v/odd
	echo odd >"mnt/t/v/odd/$odd"
	is 0 trailctl sync mnt
	is 0 trailctl export-log store exported
	is 4 trailctl verify --vkey vkey --evidence ev --junit j.xml exported
	junit j.xml >/dev/null
	grep -q '/&lt;&amp;&gt;&quot;\]\]&gt;\\xef\\xbf\\xbf:' j.xml
	is 4 trailctl verify --vkey vkey --evidence ev --json exported
	is_canonical
	[ "$(jq -r '.findings[-1].path' <out)" = "t/v/odd/$odd" ]
	rm -f "ev/$A/back\\slash"
	is 4 trailctl verify --vkey vkey --evidence ev exported
	says '/back\\x5Cslash: '
}

verify_of_a_mount_by_a_key_is_through_the_mount() {
	is 0 trailctl verify --vkey vkey "mnt/$A"
	says '^contents *OK *[1-9]'
	says '^names *ABSENT'
	is 4 trailctl verify --vkey otherkey mnt
	is 0 trailctl verify --vkey vkey mnt/.trailfs
	says '^contents *ABSENT'
	is 0 trailctl verify --vkey vkey --rebuild mnt
	says '^names *OK'
	mkdir copied
	cp -r mnt/.trailfs/checkpoint mnt/.trailfs/tile copied
	is 0 trailctl verify --vkey vkey copied
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
	says '^mount *not mounted$'
	is 0 trailctl why "store/$A"
	says '^refused  *unknown'
	is 0 trailctl status --json store
	never_says '"pid"'
	never_says '"mount"'
	if lsattr -d mnt 2>lsattr.err | grep -q '^[^ ]*i'; then
		is 3 trailctl show "mnt/$A/late.txt"
		complains "nothing is mounted at mnt$"
	fi
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

# Their entries keep the origin that they were recorded under.
evidence_of_before_a_recovery_is_proven_after_it() {
	rm -rf behind
	cp -a store behind
	is 0 trailctl sync store
	cp -f store/checkpoint behind/checkpoint
	is 0 trailctl init --recover behind
	cp out vkey.new
	f=$A/session-summary.json
	cp "$sample/command-logs/session-summary.json" kept.json
	is 0 trailctl prove -o kept.tlog-proof "behind/$f"
	is 0 trailctl verify --vkey vkey.new kept.tlog-proof kept.json
	says '^entries *OK'
	says '^signature *OK *of example.org/tools/2, by the key given'
	says '^entry .* of example.org/tools$'
	is 4 trailctl verify --vkey vkey kept.tlog-proof kept.json
	is 0 trailctl package --no-entry -o kept.zip behind/t
	is 0 trailctl verify --vkey vkey.new kept.zip
	is 0 trailctl verify behind
	is 0 trailctl prove -o kept.tlog-proof "store/$f"
	is 0 trailctl verify --vkey vkey kept.tlog-proof kept.json
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
		if [ "$status" -eq 77 ]; then
			echo "SKIP $name: $(tail -n 1 said)"
			continue
		fi
		failures=$((failures + 1))
		echo "tests/tools.sh: $name"
		sed 's/^/    /' said
	done
}

# Some look at the answers with the eyes of others.
reads() {
	if (command -v jq && command -v python3 && command -v openssl) \
		>/dev/null; then
		run "$@"
	else
		checks=$((checks + $#))
		for name; do
			echo "SKIP $name: no jq, python3 or openssl"
		done
	fi
}

# In this order: one store goes through all of them.
run help_is_an_answer_on_stdout \
	wrong_usage_exits_2_and_prints_on_stderr \
	what_is_no_store_exits_3 \
	init_prints_the_key_alone_on_stdout \
	init_refuses_what_is_not_empty \
	init_refuses_a_bad_origin \
	a_new_store_verifies \
	an_answer_that_cannot_be_written_exits_3 \
	verify_pins_the_key \
	verify_finds_another_key \
	verify_refuses_what_is_no_key \
	export_log_makes_a_log_that_verifies \
	prove_makes_a_proof_that_verifies \
	a_log_or_a_proof_needs_a_key \
	a_proof_by_another_key_fails \
	an_altered_proof_fails \
	a_log_that_is_not_whole_fails \
	verify_compares_with_an_earlier_checkpoint \
	an_earlier_checkpoint_that_is_no_prefix_fails \
	what_is_no_checkpoint_is_never_a_prefix
reads verify_in_json_is_canonical \
	verify_writes_junit \
	entries_of_a_later_version_are_in_doubt
run init_goes_on_with_a_store_that_was_put_back
if [ -w /dev/fuse ]; then
	run any_path_in_a_mount_names_the_vault \
		status_in_json_is_one_object \
		sync_waits_until_files_are_sealed \
		show_tells_the_hash_and_the_entry \
		log_is_the_ledger \
		log_can_be_narrowed \
		log_never_answers_a_wrong_name_with_nothing \
		status_of_a_store_names_its_daemon_and_mount \
		log_follows \
		one_start_with_the_clock_ahead_is_not_every_time \
		odd_names_are_shown_harmless \
		a_mounted_store_is_not_written_beside_the_mount \
		seal_through_the_mount_closes_an_attestation \
		seal_names_the_file_that_is_in_the_way \
		why_tells_state_rule_and_refusal \
		seal_of_a_file_is_refused \
		verify_finds_the_store_of_a_mount \
		prove_takes_a_path_in_a_mount \
		prove_into_a_pipe_leaves_the_pipe \
		a_proof_says_of_what_it_is \
		an_altered_file_fails_against_its_proof \
		what_is_not_sealed_has_no_proof
	reads a_log_is_checked_with_evidence \
		odd_names_do_no_harm_in_any_form
	if [ -e "$mnt/.trailfs/tile" ]; then
		run verify_of_a_mount_by_a_key_is_through_the_mount
	else
		checks=$((checks + 1))
		echo 'SKIP verify through the mount: it shows no tiles'
	fi
	run \
		a_store_is_read_without_its_mount \
		seal_without_a_mount_is_by_trailctl \
		evidence_of_before_a_recovery_is_proven_after_it \
		verify_names_what_was_changed
else
	checks=$((checks + 1))
	echo 'SKIP tools with a mount: cannot open /dev/fuse'
fi
run verify_knows_a_foreign_file

good=$((checks - failures))
echo "$((100 * good / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
