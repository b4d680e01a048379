#!/bin/sh
# The units of systemd: systemd accepts them, and the command of each does its
# work on a store, with the arguments that systemd makes of the example file.
# shellcheck disable=SC2317 # called by name
. "$(dirname "$0")/../suite_tools.sh"
show_output=
units=$top/tools/systemd
tsa=$top/tests/tsa

# Units as they are installed, for one instance and with this trailctl.
units_are_copied() {
	mkdir units
	for u in "$units"/*.service "$units"/*.timer; do
		name=${u##*/}
		sed -e "s|/usr/local/bin/trail|$BUILD/trail|" \
			-e 's|/usr/local/lib/trailctl-watch/%i|/bin/true|' \
			"$u" >"units/${name%@*}@x.${name##*.}"
	done
	[ "$(find units -type f | wc -l)" -eq 19 ]
}

# systemd reads each of them without a complaint.
systemd_accepts_the_units() {
	needs systemd-analyze
	for u in units/*; do
		systemd-analyze verify --man=no "$u" >out 2>&1 || {
			cat out
			exit 1
		}
		[ ! -s out ] || {
			cat out
			exit 1
		}
	done
}

# score UNIT: its exposure, as systemd counts it, in tenths.  Less is better.
score() {
	systemd-analyze security --offline=yes --no-pager "$1" |
		sed -n 's/.*exposure level for [^:]*: \([0-9]*\)\.\([0-9]\).*/\1\2/p'
}

# Nobody takes a fence away.  What mounts may have no mount namespace, nor a job that
# would keep a copy of the mount; programs of others may need more.
each_unit_keeps_its_score() {
	needs systemd-analyze
	for u in units/*.service; do
		case ${u##*/} in
		trailfs-failed@x.service) most=95 ;;
		trailfs@x.service) most=52 ;;
		trailfs-organisation@x.service) most=57 ;;
		trailfs-verify@x.service | trailfs-metrics@x.service) most=45 ;;
		*) most=50 ;;
		esac
		has=$(score "$u")
		echo "${u##*/} $has"
		[ "$has" -le "$most" ]
	done
}

# A timer starts the service of its name, and no job is without a timer.
each_job_has_a_timer() {
	for u in "$units"/trailfs-*.service; do
		case ${u##*/} in
		trailfs-failed@.service | trailfs-forward@.service | \
			trailfs-organisation@.service) continue ;;
		esac
		grep -q '^OnCalendar=' "${u%.service}.timer"
		grep -q '^Type=oneshot$' "$u"
		# A status other than 0 is a failure of the unit.
		if grep '^SuccessExitStatus\|^ExecStart=-' "$u"; then
			exit 1
		fi
	done
	needs systemd-analyze
	sed -n 's/^OnCalendar=//p' "$units"/*.timer >calendars
	while read -r when; do
		systemd-analyze calendar "$when" >/dev/null
	done <calendars
}

# What fails at night is reported: by a unit that is there.
failures_are_loud() {
	for j in mirror forward organisation publish publish-all witness stamp verify; do
		grep -qx 'OnFailure=trailfs-failed@%n.service' \
			"$units/trailfs-$j@.service"
	done
	grep -q '^ExecStart=.*/logger .*daemon.crit' \
		"$units/trailfs-failed@.service"
}

# What a manual enables at boot can be enabled.
each_service_can_be_enabled() {
	for u in "$units"/*.timer "$units"/trailfs@.service \
		"$units"/trailfs-forward@.service \
		"$units"/trailfs-organisation@.service \
		"$units"/trailctl-watch@.service "$units"/*mount; do
		grep -q '^WantedBy=' "$u"
	done
	grep -oh 'systemctl enable --now [a-z-]*@[a-z]*\(\.timer\)*' "$top"/man/*.[1-8] |
		sed 's/.* //; s/@[a-z]*$/@.service/; s/@[a-z]*\.timer/@.timer/' |
		sort -u >enabled
	[ "$(wc -l <enabled)" -ge 4 ]
	while read -r u; do
		case $u in
		trail*) grep -q '^WantedBy=' "$units/$u" ;;
		esac
	done <enabled
}

# A verification takes second place to everything else.
a_verification_is_polite() {
	grep -qx 'Nice=19' "$units/trailfs-verify@.service"
	grep -qx 'IOSchedulingClass=idle' "$units/trailfs-verify@.service"
}

# ./job NAME CONF: runs the command of the unit as systemd does: ${X} is one
# argument, $X is as many as its value has.
a_job_is_run_as_systemd_does() {
	cat >job <<-'EOF'
	#!/usr/bin/env python3
	import os, re, shlex, sys
	env = {}
	for line in open(sys.argv[2]):
	    if line.strip() and not line.startswith('#'):
	        name, value = line.rstrip('\n').split('=', 1)
	        env[name] = ''.join(shlex.split(value))
	unit = open('units/trailfs-%s@x.service' % sys.argv[1])
	command = [l for l in unit if l.startswith('ExecStart=')]
	words = []
	for w in command[0].rstrip('\n')[len('ExecStart='):].split():
	    whole, split = re.match(r'\$\{(\w+)\}$', w), re.match(r'\$(\w+)$', w)
	    if split:
	        words += shlex.split(env.get(split[1], ''))
	    else:
	        words.append(env.get(whole[1], '') if whole else w)
	print('runs:', words, flush=True)
	os.execv(words[0], words)
	EOF
	chmod +x job
}

# The example has a value for each variable that a unit uses.
the_example_is_complete() {
	grep -ho '^ExecStart=.*' "$units"/trailfs-*.service \
		"$units"/trailfs@.service |
		grep -o '\$[{A-Z_]*' | tr -d '\173\044' | sort -u >used
	sed -n 's/^\([A-Z_]*\)=.*/\1/p' "$units/example.conf" | sort -u >given
	cmp used given
	# systemd and the shell agree about the quotes.
	sh -n "$units/example.conf"
}

# A mount, a mirror, a witness and an authority that answer by commands.
a_vault_and_its_guests_are_made() {
	a_store_is_made
	mount store
	mkdir -p mnt/t/w/a
	head -c 200000 /dev/zero >mnt/t/w/a/f
	is 0 trailctl sync mnt
	"$tsa" make authority
	is 0 trailctl witness-serve --init witness.example/one one
	cat vkey >>one/logs
	{
		echo "log $(cat vkey)"
		echo "witness w1 $(cat one/vkey) http://a.example/one"
		echo 'quorum w1'
	} >policy
	echo "exec trailctl witness-serve $work/one \"\$1\"" >carry
	cat >conf <<-EOF
	# as in the example
	VAULT=$work/mnt
	MIRROR='--via "trailctl mirror --receive $work/copy"'
	WITNESS='--policy $work/policy --via "sh $work/carry"'
	STAMP='--name tsa.example --chain $work/authority/chain.pem --via "$tsa answer authority good"'
	VERIFY='--quiet --textfile $work/verify.prom'
	METRICS=$work/metrics.prom
	STORE=$work/store
	ORGANISATION=dir:$work/org
	KEYS=$work/orgkeys
	EOF
}

# The service sends what comes, and ends in order when systemd stops it.
the_forwarder_is_a_service() {
	is 0 trailctl org init --origin example.org/o --keys orgkeys dir:org
	is 0 trailctl org enrol dir:org vkey
	./job forward conf >forward.out 2>forward.err &
	forwarder=$!
	arrived() {
		trailctl org list dir:org | grep -q "tools: [1-9]"
	}
	until_true arrived
	kill -TERM $forwarder
	wait $forwarder || [ $? -eq 143 ] # of SIGTERM, which systemd takes for success
	grep -q '^forwarded up to' forward.out
	grep -qx 'RestartPreventExitStatus=1 2 4' "$units/trailfs-forward@.service"
}

# What the forwarder sent is signed, by a short run and by one that reads everything.
the_organiser_signs() {
	is 0 ./job publish conf
	says ': [1-9][0-9]* new, [1-9][0-9]* read$'
	is 0 ./job publish conf
	says ': 0 new, 0 read$'
	is 0 ./job publish-all conf
	says ': 0 new, [1-9][0-9]* read$'
	is 4 trailctl verify --vkey vkey org/log
	is 0 trailctl verify --vkey orgkeys/log.vkey org/log
}

# Each job leaves its trace in the metrics of the vault.
each_job_does_its_work() {
	for j in mirror witness stamp verify metrics; do
		is 0 ./job "$j" conf
	done
	trailctl verify copy >/dev/null
	for kind in mirror witness stamp; do
		grep -q "^trailfs_anchor_entries{.*kind=\"$kind\"" metrics.prom
	done
	grep -q '^trailfs_anchored{.*} 1$' metrics.prom
	grep -q '^trailfs_verified{.*} 1$' metrics.prom
	grep -q '^trailfs_verify_run_status{.*} 0$' verify.prom
	# A file that no variable names is an argument that fails.
	grep -v METRICS conf >less
	is 2 ./job metrics less
}

# What is not whole is a failed unit, and is not recorded.
damage_is_a_failure() {
	# What is new is read in the same night.
	find store/objects -type f >old
	head -c 200000 /dev/urandom >mnt/t/w/a/new
	is 0 trailctl sync mnt
	flip "$(find store/objects -type f | grep -vxFf old)" 7
	is 4 ./job verify conf
	grep -q '^trailfs_verify_run_status{.*} 4$' verify.prom
	[ "$(trailctl log --json --type verify.done mnt | wc -l)" -eq 1 ]
	unmount
	# No mount is a failure, too.
	is 3 ./job metrics conf
	is 3 ./job verify conf
}

run units_are_copied systemd_accepts_the_units each_unit_keeps_its_score \
	each_job_has_a_timer \
	failures_are_loud each_service_can_be_enabled a_verification_is_polite the_example_is_complete
with 'python3 openssl' a_job_is_run_as_systemd_does a_vault_and_its_guests_are_made \
	the_forwarder_is_a_service the_organiser_signs each_job_does_its_work damage_is_a_failure
finish
