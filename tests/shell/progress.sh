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
	is 0 trailctl org init --origin example.org/all --keys okeys dir:org
	is 0 trailctl org enrol dir:org "$(cat vkey)"
	is 0 trailctl forward --once --quiet store dir:org
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

# The verbs of an organisation; each forward has a ledger of its own to fill.
work_for_an_organisation_is_shown() {
	# shellcheck disable=SC2016 # for that shell
	draws forward MiB sh -c 'rm -rf anew akeys && exec 3>&2 2>/dev/null &&
		trailctl org init --origin example.org/b --keys akeys dir:anew &&
		trailctl org enrol dir:anew "$(cat vkey)" && exec 2>&3 &&
		exec trailctl forward --once store dir:anew'
	draws publish entries trailctl org publish --full --keys okeys dir:org
	draws fetch MiB trailctl org fetch dir:org new
	draws fetch MiB trailctl verify dir:org
	for verb in '--quiet' '--json'; do
		rm -rf new
		on_terminal trailctl org fetch $verb dir:org new
		if grep '\[#* *\]' err; then
			exit 1
		fi
	done
}

# Import and upgrade, each time of a new copy of the store.
import_and_upgrade_are_shown() {
	mkdir kept old
	tar -C old -xzf "$top/tests/vectors/store-3.tar.gz"
	mv old/store kept/old
	chmod -R go-rwx kept
	python3 - <<-'EOF'
	import json
	def row(n):
	    return {"attestation_name": "a%d" % n, "attestation_type": "generic",
	            "attestation_id": "id-%d" % n, "status": "COMPLETE",
	            "overridden_attestation_id": None, "is_compliant": True,
	            "unexpected": True}
	json.dump({
	    "name": "run-1", "flow": {"name": "flow"}, "created_at": 1779991839,
	    "created_by": "ci", "is_compliant": True,
	    "template": {"version": 1, "content": "version: 1\n"},
	    "compliance_status": {"status": "COMPLIANT", "is_compliant": True,
	        "evaluated_at": 1779991850, "artifacts_statuses": {},
	        "attestations_statuses": [row(n) for n in range(9)]},
	    "events": []}, open("trail.json", "w"))
	EOF
	empty='rm -rf anew && trailctl init anew 2>quiet && exec trailctl'
	import='import --mount anew kosli trail.json'
	old='rm -rf anew && cp -a kept/old anew && exec trailctl upgrade anew'
	draws import attestations sh -c "$empty $import"
	draws upgrade entries sh -c "$old"
	for command in "$empty $import --json" "$old --json"; do
		on_terminal sh -c "$command"
		if grep '\[#* *\]' err; then
			exit 1
		fi
	done
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

# A person who waits for verify.sh, in any shell, sees how far it is; a pipe and a
# simple terminal get nothing, and the answer is the same.
# shellcheck disable=SC2086 # busybox sh is two words
verify_sh_is_shown() {
	is 0 trailctl unpack p.zip u
	for sh in dash bash busybox; do
		command -v $sh >/dev/null || continue
		[ $sh != busybox ] || sh='busybox sh'
		is 0 $sh u/w/verify.sh "$(cat vkey)"
		diff err /dev/null
		mv out plain
		is 0 env TERM=dumb "$top/tests/on_terminal" shown \
			$sh u/w/verify.sh "$(cat vkey)"
		diff shown /dev/null
		on_terminal $sh u/w/verify.sh "$(cat vkey)"
		cmp out plain
		tr '\r' '\n' <err >lines
		for work in 'files .*MiB' 'proofs .*hashes' \
			'statements .*signatures'; do
			grep -q "^${work%% *}  \[[# ]*\] *[0-9]* %, [0-9]* ${work##*[*]}" \
				lines || {
				echo "no $work for $sh in:"
				cat -v err
				exit 1
			}
		done
		# The line is gone before the answer stands there.
		[ "$(tail -c 4 err)" = "$(printf '\r\033[K')" ]
	done
}

# A terminal changes no verdict: a byte, a file more, a file less.
verify_sh_refuses_on_a_terminal() {
	export TERM=xterm
	echo x >>u/w/data/a/file.3
	is 1 "$top/tests/on_terminal" shown sh u/w/verify.sh "$(cat vkey)"
	grep -q 'FAILED: do not rely on this package' shown
	rm -r u
	is 0 trailctl unpack p.zip u
	echo x >u/w/data/a/more
	is 1 "$top/tests/on_terminal" shown sh u/w/verify.sh "$(cat vkey)"
	rm -r u
	is 0 trailctl unpack p.zip u
	rm u/w/data/a/file.3
	is 1 "$top/tests/on_terminal" shown sh u/w/verify.sh "$(cat vkey)"
	rm -r u
	is 0 trailctl unpack p.zip u
	rm u/w/events.jsonl
	is 1 "$top/tests/on_terminal" shown sh u/w/verify.sh "$(cat vkey)"
	rm -r u
}

# Its rate and the time that is left, where openssl takes a while.
verify_sh_has_a_rate() {
	is 0 trailctl unpack p.zip u
	mkdir slow
	cat >slow/openssl <<-END
	#!/bin/sh
	[ "\$*" = "\${*#dgst -sha256 -r ./[0-9]}" ] || sleep 1
	exec $(command -v openssl) "\$@"
	END
	chmod +x slow/openssl
	PATH=$work/slow:$PATH on_terminal sh u/w/verify.sh "$(cat vkey)"
	tr '\r' '\n' <err | grep -q \
		'^proofs .* %, [0-9]* hashes, [0-9]*/s, [0-9]*:[0-9][0-9] left'
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

run there_is_work long_work_is_shown work_for_an_organisation_is_shown \
	import_and_upgrade_are_shown \
	nobody_who_asked_for_silence_sees_it \
	rate_and_time_left_are_shown nothing_has_a_colour
with 'openssl unzip' verify_sh_is_shown verify_sh_refuses_on_a_terminal \
	verify_sh_has_a_rate
finish
