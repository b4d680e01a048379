#!/bin/sh
# The recipes of trailfs-recipes*(7): the files and commands of each recipe, taken
# from its page and used as they are printed, with real users in a real mount.
#
# Each recipe runs in namespaces of its own: /etc is a copy, and /home, /mnt,
# /srv, /usr/local and /var/spool are empty.  Nothing remains afterwards, and the
# users of this machine are not touched.
#
# In a page, a display after a line ".Pa PATH" (and ".Pq mode MODE") is a file.
# Any other display has commands after a prompt: "# " for root, "NAME$ " for a
# user.  A command must succeed.  Lines below it that have no prompt are what it
# prints, all of it.
. "$(dirname "$0")/../suite.sh"

# steps SECTION: write what the section of the page has to files in the working
# directory: step.N (a line of two or three words), text.N and output.N.
steps() {
	awk -v section="$1" '
	function plain(s) {
		gsub(/\\&/, "", s)
		gsub(/\\e/, "\\", s)
		return s
	}
	function begin(step) {
		n++
		print step >("step." n)
		printf "" >("text." n)
		printf "" >("output." n)
		more = 0
	}
	/^\.Ss / || /^\.Sh / { on = substr($0, 5) == section; next }
	!on { next }
	/^\.Pa / { path = $2; mode = "644"; next }
	/^\.Pq mode / { mode = $3; next }
	/^\.Bd / { shown = 1; file = path != ""
		if (file)
			begin("file " path " " mode)
		next
	}
	/^\.Ed/ { shown = 0; path = ""; next }
	!shown { path = ""; next }
	file { print plain($0) >("text." n); next }
	more || /^# / || /^[a-z]+\$ / {
		text = plain($0)
		if (!more) {
			user = text ~ /^# / ? "root" : text
			sub(/\$ .*/, "", user)
			begin("user " user)
			sub(/^[^ ]* /, "", text)
		}
		print text >("text." n)
		more = text ~ /\\$/
		next
	}
	{ print plain($0) >("output." n) }
	' "$top"/man/trailfs-recipes*.7
}

# section NAME: write the files and run the commands of this section.
section() {
	echo "== $1"
	rm -f step.* text.* output.*
	steps "$1"
	[ -e step.1 ] || {
		echo "no page has a section $1"
		return 1
	}
	i=1
	while [ -e "step.$i" ]; do
		read -r kind name mode <"step.$i"
		if [ "$kind" = file ]; then
			mkdir -p "${name%/*}"
			cp "text.$i" "$name"
			chmod "$mode" "$name"
		else
			sed "s/^/$name: /" "text.$i"
			by "$name" sh -c "$(cat "text.$i")" >printed 2>errors || {
				echo "exit status $?"
				cat printed errors
				return 1
			}
			tr -d '\r' <printed >plain
			cat plain errors
			[ ! -s "output.$i" ] || diff "output.$i" plain
		fi
		i=$((i + 1))
	done
}

# Make two commands.  `by USER COMMAND...` runs it as this user, in an environment
# as after a login.  systemctl starts the service of a unit, as on a machine with
# systemd: in the background, or once if it is oneshot.
make_commands() {
	cat >/usr/local/sbin/by <<-'EOF2'
	#!/bin/sh -e
	user=$1
	shift
	home=$(getent passwd "$user" | cut -d : -f 6)
	cd "$home"
	exec setpriv --reuid "$user" --regid "$user" --init-groups env -i \
		HOME="$home" USER="$user" LOGNAME="$user" SHELL=/bin/sh \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		ASAN_OPTIONS="${ASAN_OPTIONS-}" LSAN_OPTIONS="${LSAN_OPTIONS-}" \
		TSAN_OPTIONS="${TSAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" \
		"$@" </dev/null
	EOF2
	cat >/usr/local/sbin/systemctl <<-'EOF2'
	#!/bin/sh -e
	# systemctl enable --now UNIT | start UNIT
	for unit; do :; done
	service=/etc/systemd/system/${unit%.*}.service
	case $unit in
	*@*)
		service=/usr/local/lib/systemd/system/${unit%%@*}@.service
		unit=${unit#*@}
		# shellcheck disable=SC1090
		. "/etc/trailfs/${unit%.*}.conf"
		command=$(sed -n 's/^ExecStart=//p' "$service")
		eval "set -- by root $(eval "printf %s \"$command\"")"
		exec "$@"
		;;
	esac
	user=$(sed -n 's/^User=//p' "$service")
	command=$(sed -n '/^ExecStart=/,/[^\\]$/ { s/^ExecStart=//; s/\\$//; p }' \
		"$service")
	# shellcheck disable=SC2086 # words
	set -- by "${user:-root}" $command
	if grep -q '^Type=oneshot' "$service"; then
		exec "$@"
	fi
	setsid "$@" >>/var/log/journal.txt 2>&1 </dev/null &
	echo $! >"/run/$unit.pid"
	EOF2
	chmod 755 /usr/local/sbin/by /usr/local/sbin/systemctl
}

# In the namespaces: make the machine that the recipes expect, in $work.
make_machine() {
	umask 022
	command mount --make-rprivate /
	! command -v ip >/dev/null || ip link set lo up
	mkdir etc
	cp -a /etc/. etc/
	command mount --bind etc /etc
	for d in /home /mnt /srv /usr/local /var/spool /var/log /run; do
		command mount -t tmpfs -o mode=755 tmpfs "$d"
	done
	mkdir -p /usr/local/bin /usr/local/sbin
	cp "$BUILD/trailctl" "$BUILD/trailfs" /usr/local/bin/
	mkdir -p /usr/local/lib/systemd/system
	cp "$top"/tools/systemd/* /usr/local/lib/systemd/system/
	make_commands
	section 'Before you begin'
}

# eventually COMMAND...: wait until it succeeds; the suite's patience is the end.
eventually() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt $((patience_s * 10)) ] || {
			echo "never: $*"
			return 1
		}
		sleep 0.1
	done
}

# has_files NUMBER DIRECTORY
has_files() {
	[ "$(find "$2" -mindepth 1 | wc -l)" = "$1" ]
}

# rescued NAME: a session of this name could not be recorded, and was kept.
rescued() {
	[ -n "$(find /var/spool/session-rescue -path "*/$1/reason")" ]
}

# --- checks -------------------------------------------------------------

# production-access: what the session printed, the person, and both policies.
check_production_access() {
	trail=/mnt/vault/production-access
	eventually has_files 0 /var/spool/sessions
	is 0 trailctl find --user alice --name terminal-session-log /mnt/vault
	has_lines 2
	is 0 trailctl log --json --type attestation.sealed "$trail"
	has_lines 10
	jq -e '.actor.user == "recorder" and
	    .claims.onBehalfOf == "alice"' out >/dev/null
	# Without a reason, the workflow is not compliant.
	is 0 trailctl find --status NON-COMPLIANT "$trail"
	has_lines 1
	# A session without its log is not complete.
	# shellcheck disable=SC2016 # for the shell of the session
	is 0 by alice env LC_REASON=x recorded-shell -c 'rm -r "$(
		tr "\0" "\n" </proc/$PPID/cmdline | sed -n s,/tty.log$,,p)"'
	is 0 trailctl find --status INCOMPLETE "$trail"
	has_lines 1
	# Closed: without a vault there is no session.
	umount /mnt/vault
	is 1 by alice recorded-shell -c 'echo inside'
	never_says inside
	complains 'cannot be recorded'
	# Open: the session waits in the spool, also over a restart.
	echo policy=open >/etc/recorded-shell.conf
	is 0 by alice env LC_REASON=outage recorded-shell -c 'echo inside; exit 0'
	says inside
	is 7 by alice env LC_REASON=outage recorded-shell -c 'exit 7'
	flock -w 30 /srv/vault/lock true
	trailfs /srv/vault /mnt/vault
	eventually has_files 0 /var/spool/sessions
	is 0 trailctl find --user alice --name terminal-session-log /mnt/vault
	has_lines 4
	is 0 trailctl find --user alice --name access-denied /mnt/vault
	has_lines 1
	says non-compliant
	# A session that cannot be recorded is kept.
	mkdir "$trail/alice-taken" "$trail/alice-taken/terminal-session-log"
	chown recorder "$trail/alice-taken"
	by alice sh -c 'umask 007; cd /var/spool/sessions && mkdir .a &&
		touch .a/lock && echo x >.a/reason && echo y >.a/command &&
		mv .a alice-taken'
	eventually rescued alice-taken
	# It is recorded once it can be.
	chown root "$trail"
	is 0 by alice env LC_REASON=x recorded-shell -c 'echo kept'
	eventually rescued 'alice-2*'
	chown recorder "$trail"
	mv /var/spool/session-rescue/alice-2* /var/spool/sessions/
	eventually has_files 0 /var/spool/sessions
	is 0 trailctl find --user alice --name terminal-session-log /mnt/vault
	has_lines 5
	# Without a spool: loud, and closed is closed.
	mv /var/spool/sessions /var/spool/away
	is 0 by alice env LC_REASON=x recorded-shell -c 'echo inside'
	complains 'not recorded'
	echo policy=closed >/etc/recorded-shell.conf
	is 1 by alice env LC_REASON=x recorded-shell -c 'echo inside'
	never_says inside
	mv /var/spool/away /var/spool/sessions
	# Nobody records for another person.
	by alice sh -c 'umask 007; cd /var/spool/sessions && mkdir .a &&
		touch .a/lock && echo x >.a/reason && echo y >.a/command &&
		mv .a bob-1'
	eventually rescued bob-1
	[ ! -e "$trail/bob-1" ]
}

# cloud-sessions: each file once, also after a restart; bad files are kept.
check_cloud_sessions() {
	has_files 2 /var/spool/cloud-done
	is 0 trailctl find --user alice@example.com --name user-identity /mnt/vault
	has_lines 1
	before=$(trailctl log --json --type attestation.sealed /mnt/vault | wc -l)
	[ "$before" = 2 ]
	umount /mnt/vault
	cp /var/spool/cloud-done/* /var/spool/cloud/
	is 1 systemctl start cloud-recorder
	has_files 2 /var/spool/cloud
	flock -w 30 /srv/vault/lock true
	trailfs /srv/vault /mnt/vault
	is 0 systemctl start cloud-recorder
	says 'already recorded'
	has_files 0 /var/spool/cloud
	echo other >/var/spool/cloud/ecs-0199bb27be8f354b7.log
	echo broken >/var/spool/cloud/x.json.gz
	is 1 systemctl start cloud-recorder
	complains 'x.json.gz is refused'
	has_files 2 /var/spool/cloud-refused
	is 0 trailctl log --json --type attestation.sealed /mnt/vault
	has_lines "$before"
}

# builds-with-a-gate: the build cannot see other runs; failed tests do not pass.
check_builds_with_a_gate() {
	grep -q 'name="app.unit-tests"' /srv/gate.xml
	grep -q 'errors="0" failures="0"\|failures="0".* errors="0"' /srv/gate.xml
	is 2 by ci ls /mnt/vault/builds
	is 0 trailctl log --json --type evidence.sealed /mnt/vault/builds
	jq -e '.actor.user == "ci"' out >/dev/null
	sed 's,<testcase name="adds"/>,<testcase name="adds"><failure/></testcase>,' \
		/srv/report.xml >bad.xml
	chmod 644 bad.xml
	is 0 trailctl attest /mnt/vault/builds/run-42/app.unit-tests bad.xml
	is 1 trailctl assert /mnt/vault/builds/run-42
}

# accounts: only bob approves, and nobody records what was not asked for.
check_accounts() {
	is 0 by alice mkdir -m 777 /mnt/vault/accounts/erin
	is 1 by alice mkdir /mnt/vault/accounts/erin/approval
	is 1 by alice mkdir /mnt/vault/accounts/erin/coffee
	is 0 trailctl run /mnt/vault/accounts/erin/account-made -- true
	is 1 trailctl assert /mnt/vault/accounts/erin
	says 'account-made.*approval'
}

# fraud-check: evidence without a model is not compliant.
check_fraud_check() {
	echo '{"payments":[{"id":"p","state":"released","score":1}]}' >payments.json
	is 0 trailctl attest --begin --type fraud-check /mnt/vault/fraud/x/check \
		payments.json
	is 1 trailctl assert /mnt/vault/fraud/x
}

# recovery-drill: a restored file that differs is found.
check_recovery_drill() {
	mkdir /mnt/vault/drills/2027-Q1
	is 0 trailctl run /mnt/vault/drills/2027-Q1/restored -- true
	echo 0 >/srv/drill/app/accounts.txt
	is 1 trailctl run /mnt/vault/drills/2027-Q1/compared -- \
		diff -r /srv/app /srv/drill/app
	is 1 trailctl assert /mnt/vault/drills/2027-Q1
	grep -q '^+0' /mnt/vault/drills/2027-Q1/compared/stdout.log ||
		grep -q '^> 0' /mnt/vault/drills/2027-Q1/compared/stdout.log
}

# feature-toggles: the kernel names the person; nothing changes unrecorded.
check_feature_toggles() {
	is 0 trailctl log --json --type attestation.sealed /mnt/vault
	jq -e '.actor.user == "alice"' out >/dev/null
	has_lines 1
	umount /mnt/vault
	is 1 by bob toggle dark_mode false 'without a vault'
	grep -q '"dark_mode": true' /srv/toggles/toggles.json
	flock -w 30 /srv/vault/lock true
	trailfs /srv/vault /mnt/vault
}

# access-of-case-workers: both accesses are found, and which one is wrong.
check_access_of_case_workers() {
	is 0 trailctl find --user carol --type case-access /mnt/vault
	has_lines 2
	is 0 trailctl find --user carol --status non-compliant /mnt/vault
	has_lines 1
	says 'cases/case-882/access-'
	is 0 by cases record-access carol case-883 carol 'TASK-13: my own'
	is 1 trailctl assert /mnt/vault/cases/case-883
}

# auditors: they read all and write nothing, and administrators record nothing.
check_auditors() {
	list=/mnt/vault/payroll/november/list
	for who in carol bob; do
		is 0 by $who cat $list/list.csv
		is 2 by $who sh -c "echo x >$list/other.csv"
		is 0 by $who trailctl log /mnt/vault
		says 'ledger.opened'
	done
	is 1 by carol mkdir /mnt/vault/of-carol
	is 0 by bob trailctl hold place --reason audit /mnt/vault/payroll audit
	is 1 by carol trailctl hold place --reason audit /mnt/vault/payroll mine
	is 1 by recorder cat $list/list.csv
	is 0 trailctl log --json --type ledger.opened /mnt/vault
	says '"admins":"vaultadmins","auditors":"auditors"'
	# Without the roles, nobody but the owner and root.
	umount /mnt/vault
	flock -w 30 /srv/vault/lock true
	sed -i '/^auditors\|^admins/d' /srv/vault/config
	trailfs /srv/vault /mnt/vault
	is 0 by bob cat $list/list.csv # of the group people
	is 1 by recorder cat $list/list.csv
}

# encrypted-evidence: root does not read it, and the identity does.
check_encrypted_evidence() {
	f=/mnt/vault/shells/0199bb27/session/shell.log
	[ "$(grep -c 'uid=0' $f)" = 0 ]
	age -d -i /home/carol/audit.key $f | cmp - /srv/shell.log
	[ "$(stat -c %U:%a /home/carol/audit/*.decrypted)" = carol:700 ]
}

# cold-storage: one user is not two approvers, and others cannot approve.
check_cold_storage() {
	[ -e /srv/cold/ledger-2019.csv ]
	w=/mnt/vault/cold-storage/twice
	is 0 by carol mkdir -m ug=rwx,o= "$w"
	is 0 by carol trailctl attest --seal "$w/request"
	is 0 by alice trailctl attest --seal "$w/approval"
	is 0 by alice trailctl attest --seal "$w/approval@2"
	is 1 by carol trailctl attest --seal "$w/approval@3"
	is 1 transfer "$w" /srv/vault.vkey
	complains 'approval is missing'
	is 5 trailctl assert "$w"
}

# nightly-copies: the next night extends the log; an older vault that was put back
# and went another way is found.
check_nightly_copies() {
	umount /mnt/vault
	flock -w 30 /srv/vault/lock true
	cp -a /srv/vault /srv/older
	trailfs /srv/vault /mnt/vault
	sleep 1 # a copy has a second of its own
	is 0 systemctl start copy-vault
	says '^earlier checkpoint  *OK'
	umount /mnt/vault
	flock -w 30 /srv/vault/lock true
	mv /srv/vault /srv/newer
	mv /srv/older /srv/vault
	is 1 trailfs /srv/vault /mnt/vault
	complains 'last written in another directory'
	trailfs /srv/vault /mnt/vault -o moved
	is 0 trailctl attest --begin /mnt/vault/notes/other/note /srv/hello.txt
	sleep 1
	is 3 systemctl start copy-vault
	complains 'another history'
}

# copies-by-other-programs: the copy is a vault that can be made new.
check_copies_by_other_programs() {
	is 0 trailctl restore --origin example.org/copy /srv/copy /srv/new
	is 0 trailctl verify /srv/new
	[ ! -e /srv/copy/keys/log.pem ]
}

# organisation: what was not forwarded yet is said, and an altered copy is found.
check_organisation() {
	is 0 trailctl find --json --name build.json /srv/audit
	has_lines 2
	is 0 trailctl org fetch --vkey /srv/organiser/log.vkey \
		dir:/srv/organisation /srv/audit
	says '^2 origins: 0 new entries'
	echo more >/mnt/second/builds/run-7/build/more 2>/dev/null && exit 1
	is 0 trailctl attest --begin /mnt/second/builds/run-8/build /srv/build.json
	is 0 trailctl why /mnt/second/builds/run-8/build
	says '^forwarded .*no: it is entry [0-9]*, and the organisation had'
	is 0 trailctl verify --vkey /srv/second.vkey /srv/second
	sqlite3 /srv/audit/second.example.org/ledger.db "DROP TRIGGER object_update;
		UPDATE object SET body = zeroblob(length(body))"
	is 4 trailctl verify --vkey /srv/audit-keys /srv/audit
	complains '^trailctl: second.example.org: '
	umount /mnt/second
}

# notice: each message arrives, also over a restart, and only what matters.
check_notice() {
	cat >hook.py <<-'EOF2'
	import http.server, sys

	class Hook(http.server.BaseHTTPRequestHandler):
	    def do_POST(self):
	        body = self.rfile.read(int(self.headers['Content-Length']))
	        with open('hooks', 'ab') as f:
	            f.write(body + b'\n')
	        self.send_response(204)
	        self.end_headers()

	http.server.HTTPServer(('127.0.0.1', 8080), Hook).serve_forever()
	EOF2
	python3 hook.py >hook.log 2>&1 &
	eventually grep -q '"text":"attestation.sealed reviews/first/review"' hooks
	kill "$(cat /run/notify-webhook.pid)"
	is 0 trailctl attest --begin /mnt/vault/reviews/second/review /srv/hello.txt
	is 0 trailctl override --compliant=true --reason seen \
		/mnt/vault/reviews/first/review
	eventually flock -n /var/spool/notify/cursor.lock true
	is 0 systemctl start notify-webhook
	eventually grep -q '"text":"attestation.overridden reviews/first/review"' hooks
	[ "$(wc -l <hooks)" = 2 ]
	kill "$(cat /run/notify-webhook.pid)"
}

# watched-vault: the jobs leave their trace, and damage is a job that fails.
check_watched_vault() {
	prom=/srv/metrics/vault.prom
	[ "$(stat -c %a "$prom")" = 644 ]
	is 0 systemctl start trailfs-metrics@vault
	grep -q '^trailfs_anchored{.*} 1$' "$prom"
	grep -q '^trailfs_verified{.*} 1$' "$prom"
	is 0 trailctl verify /mnt/offsite/vault
	umount /mnt/vault
	flock -w 30 /srv/vault/lock true
	is 3 systemctl start trailfs-metrics@vault
	grep -q '^trailfs_anchored{.*} 1$' "$prom"
	trailfs /srv/vault /mnt/vault
}

# recipe NAME: run the section and the checks of a recipe in this namespace.
recipe() {
	set -e
	make_machine
	section "$1"
	check=check_$(echo "$1" | tr 'A-Z -' 'a-z__')
	echo "== checks"
	"$check"
	is 0 trailctl verify /srv/vault
}

# every_recipe: the recipes of all pages in their order, on one machine.
every_recipe() {
	set -e
	make_machine
	sed -n 's/^\.Ss //p' "$top/man/trailfs-recipes.7" \
		"$top/man/trailfs-recipes-people.7" \
		"$top/man/trailfs-recipes-operation.7" |
		grep -vx 'Before you begin' >"$work/recipes"
	[ "$(wc -l <"$work/recipes")" -ge 16 ]
	while read -r name <&3; do
		section "$name"
	done 3<"$work/recipes"
	umount /mnt/second
	is 0 trailctl verify /srv/vault
}

# Stop what the recipe started.
if [ "${RECIPE-}" ]; then
	if [ "$RECIPE" = all ]; then
		(every_recipe)
	else
		(recipe "$RECIPE")
	fi
	status=$?
	[ "$status" = 0 ] || cat /var/log/journal.txt 2>/dev/null
	umount -l /mnt/vault 2>/dev/null
	exit "$status"
fi

# cook NAME: a recipe in namespaces of its own, which end with it.
cook() {
	RECIPE=$1 BUILD=$BUILD timeout 300 unshare --mount --net --pid --fork \
		--kill-child --mount-proc "$top/$suite"
}

# Who reads the pages tries one recipe after the other.
recipes_follow_each_other() {
	cook all
}

# Record sessions of people on production hosts.
production_access_is_recorded() {
	cook 'Production access'
}

# Record sessions from the files of a cloud.
cloud_sessions_are_recorded() {
	cook 'Cloud sessions'
}

# A build records, and a gate decides.
builds_have_a_gate() {
	cook 'Builds with a gate'
}

# Accounts are requested, approved, made and removed.
accounts_are_followed() {
	cook 'Accounts'
}

# A type judges the result of a check.
fraud_checks_are_judged() {
	cook 'Fraud check'
}

# A drill is recorded step by step.
recovery_drills_are_recorded() {
	cook 'Recovery drill'
}

# Evidence is encrypted for one person.
evidence_is_encrypted() {
	cook 'Encrypted evidence'
}

# A toggle changes after its change is recorded.
toggles_change_on_the_record() {
	cook 'Feature toggles'
}

# Auditors and administrators have roles.
auditors_read_everything() {
	cook 'Auditors'
}

# An application records for its users.
access_of_case_workers_is_judged() {
	cook 'Access of case workers'
}

# Timers mirror, verify and watch a vault.
a_vault_is_watched() {
	cook 'Watched vault'
}

# Two approvers are two people.
transfers_need_two_approvers() {
	cook 'Cold storage'
}

# Copies leave the machine every night.
copies_are_made_and_verified() {
	cook 'Nightly copies'
}

# Copies that other programs make verify, and become a vault.
other_programs_copy() {
	cook 'Copies by other programs'
}

# Two vaults in one ledger, and their auditor.
vaults_are_in_an_organisation() {
	cook 'Organisation'
}

# A web hook hears of what is not compliant.
notices_are_sent() {
	cook 'Notice'
}

set -- production_access_is_recorded cloud_sessions_are_recorded \
	builds_have_a_gate accounts_are_followed fraud_checks_are_judged \
	recovery_drills_are_recorded toggles_change_on_the_record \
	access_of_case_workers_is_judged auditors_read_everything transfers_need_two_approvers \
	copies_are_made_and_verified a_vault_is_watched
if [ "$(id -u)" -ne 0 ]; then
	skipped 'not root' "$@" notices_are_sent evidence_is_encrypted \
		other_programs_copy vaults_are_in_an_organisation \
		recipes_follow_each_other
elif ! unshare --mount --net --pid --fork --mount-proc true 2>/dev/null; then
	skipped 'no namespaces' "$@" notices_are_sent evidence_is_encrypted \
		other_programs_copy vaults_are_in_an_organisation \
		recipes_follow_each_other
else
	with '/dev/fuse unshare setpriv useradd script jq' "$@"
	with '/dev/fuse unshare setpriv useradd jq ip curl python3' notices_are_sent
	with '/dev/fuse unshare setpriv useradd age' evidence_is_encrypted
	with '/dev/fuse unshare setpriv useradd sqlite3 rsync' other_programs_copy
	with '/dev/fuse unshare setpriv useradd sqlite3' vaults_are_in_an_organisation
	with '/dev/fuse unshare setpriv useradd script jq ip curl age sqlite3 rsync' \
		recipes_follow_each_other
fi
finish
