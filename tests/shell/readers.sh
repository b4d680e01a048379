#!/bin/sh
# What users who are not root read of a mount with trailctl: owner, member of
# the group, others of a workflow that is open to all, and others of one that is
# not.
# shellcheck disable=SC2086 # $by and $verb are words
. "$(dirname "$0")/../suite_tools.sh"
shared_mount=yes

OWNER=54321 MEMBER=54322 OTHER=54323 TEAM=54400

# become UID: $by before a command makes that user run it; the member is in the
# team.
become() {
	by="setpriv --reuid $1 --regid $1"
	if [ "$1" -eq $MEMBER ]; then
		by="$by --groups $TEAM"
	else
		by="$by --clear-groups"
	fi
}

# In mnt/t, which all may enter: open is everybody's to read but for the
# attestation secret, shut is for owner and team.  mnt/other is root's alone.
workflows_have_readers() {
	chmod 0755 .
	mount store -o settle=0
	mkdir mnt/t mnt/other
	printf '%s\n' '# a comment' 'version: 1' 'trail:' '  attestations:' \
		'  - name: build' '    type: generic' >mnt/t/.trailfs/template.yml
	chmod 0755 mnt/t
	chmod 0700 mnt/other
	mkdir mnt/other/hidden
	for w in open shut; do
		mkdir -p mnt/t/$w/build mnt/t/$w/secret
		chown $OWNER:$TEAM mnt/t/$w mnt/t/$w/build
		echo "$w" >mnt/t/$w/build/log.txt
		echo "$w" >mnt/t/$w/secret/hidden.txt
		chmod 0600 mnt/t/$w/secret/hidden.txt
		chmod 0700 mnt/t/$w/secret
		is 0 trailctl seal mnt/t/$w/build
		is 0 trailctl seal mnt/t/$w/secret
	done
	chmod 0755 mnt/t/open
	chmod 0750 mnt/t/shut
}

# reads UID PATH: that user reads everything that is readable about it.
reads() {
	become "$1"
	for verb in log 'log --json' 'log --reverse' status 'status --json' ls; do
		is 0 $by trailctl $verb "$2"
		never_says 'hidden.txt'
		never_says 'other'
	done
	is 0 $by trailctl log "$2"
	says 'workflow.begun'
	says 'log.txt'
	is 0 $by trailctl log --trail t mnt
	says 'log.txt'
	is 0 $by trailctl assert "$2"
	is 0 $by trailctl assert --sealed "$2"
	is 0 $by trailctl log "$2/build"
	says 'evidence.sealed'
	is 0 $by trailctl log "$2/build/log.txt"
	has_lines 1
	is 0 $by trailctl status mnt/t
	says 'COMPLIANT'
}

# Owner, members and, if the workflow is open to all, everybody else.
readers_read_their_workflow() {
	for user in $OWNER $MEMBER $OTHER; do
		reads $user mnt/t/open
	done
	for user in $OWNER $MEMBER; do
		reads $user mnt/t/shut
	done
	# The text of the template is for those who may open it.
	become $OTHER
	grep -q 'a comment' mnt/t/open/.trailfs/status.json
	$by cat mnt/t/open/.trailfs/status.json >seen
	if grep 'a comment' seen; then exit 1; fi
	if $by cat mnt/t/.trailfs/template.yml; then exit 1; fi
}

# Others are refused, with the reason, and see nothing of it elsewhere.
others_are_refused() {
	become $OTHER
	for verb in log 'log --follow' watch status assert; do
		is 3 $by trailctl $verb mnt/t/shut
		complains 'shut.*may'
		has_lines 0
	done
	is 3 $by trailctl ls mnt/t/shut
	has_lines 0
	for what in 'log mnt/t' 'log --json mnt/t' 'status --json mnt/t'; do
		is 0 $by trailctl $what
		never_says 'shut'
		never_says 'secret/'
		says 'open'
	done
	# Of the whole vault they see the trails that they may read; the ledger
	# itself is for root: the message says so.
	for what in 'log mnt' 'log --json mnt' 'status mnt' 'status --json mnt'; do
		is 0 $by trailctl $what
		complains 'that you may read, not the whole'
		never_says 'shut'
		never_says 'secret/'
		never_says 'other'
		says 'open'
	done
	is 3 $by trailctl export-log mnt log-of-others
	is 3 $by trailctl metrics mnt
	complains 'only user root and group root may read it'
}

# waits_for PATTERN FILE
waits_for() {
	for _ in $(seq 600); do
		if grep -q "$1" "$2"; then return; fi
		sleep 0.1
	done
	echo "no '$1' in $2:"
	cat "$2"
	exit 1
}

# begins CURSOR: wait until the watcher has begun, for what comes after.
begins() {
	for _ in $(seq 600); do
		if [ -s "$1" ]; then return; fi
		sleep 0.1
	done
	exit 1
}

# New entries come to whoever may read them, to a program once each, also after
# a restart.
new_entries_are_followed() {
	for user in $OWNER $MEMBER $OTHER; do
		become $user
		mkdir -m 0777 "dir$user"
		cat >"dir$user/program" <<-'END'
		#!/bin/sh
		cat >>"${0%/*}/delivered"
		END
		chmod 0755 "dir$user/program"
		$by trailctl watch --cursor "dir$user/cursor" \
			--exec "$work/dir$user/program" mnt/t/open 2>"dir$user/notes" &
		eval "watch$user=$!"
		begins "dir$user/cursor"
		$by trailctl log --follow --since 2000-01-01 --json mnt/t/open \
			>"dir$user/followed" &
		eval "follow$user=$!"
		waits_for log.txt "dir$user/followed"
	done
	mkdir mnt/t/open/first mnt/t/shut/first mnt/other/first
	for user in $OWNER $MEMBER $OTHER; do
		waits_for open/first "dir$user/delivered"
		waits_for open/first "dir$user/followed"
		eval "kill \$watch$user \$follow$user"
		eval "wait \$watch$user" || :
		eval "wait \$follow$user" || :
	done
	mkdir mnt/t/open/second
	for user in $OWNER $MEMBER $OTHER; do
		become $user
		$by trailctl watch --cursor "dir$user/cursor" \
			--exec "$work/dir$user/program" mnt/t/open 2>"dir$user/notes" &
		waits_for open/second "dir$user/delivered"
		kill $!
		wait $! || :
		[ "$(grep -o 'open/[fs][a-z]*' "dir$user/delivered" | tr '\n' ' ')" = \
			'open/first open/second ' ]
		if grep 'shut\|other\|hidden.txt' "dir$user/delivered" \
			"dir$user/followed"; then exit 1; fi
	done
}

[ "$(id -u)" -eq 0 ] && with '/dev/fuse setpriv jq' a_store_is_made \
	workflows_have_readers readers_read_their_workflow others_are_refused \
	new_entries_are_followed
finish
