# shellcheck shell=sh disable=SC2034 # the suites use the variables
# The common part of the suites of roles, tests/shell/roles*.sh: who acts, and what
# each of them may do.  The groups are those of every Debian system; the users have
# no names.
# shellcheck source=tests/suite_tools.sh
. "$(dirname "$0")/../suite_tools.sh"

TEAM=operator AUDITORS=games ADMINS=backup
team=$(getent group $TEAM | cut -d : -f 3)
auditors=$(getent group $AUDITORS | cut -d : -f 3)
admins=$(getent group $ADMINS | cut -d : -f 3)
roles=trail_group=$TEAM,auditors=$AUDITORS,admins=$ADMINS

# become WHO: $by before a command makes that one run it, $me is his name.
become() {
	me=$1
	case $1 in
	root) by='' ;;
	owner) by="setpriv --reuid 54321 --regid 54321 --groups $team" ;;
	member) by="setpriv --reuid 54322 --regid 54322 --groups $team" ;;
	stranger) by='setpriv --reuid 54323 --regid 54323 --clear-groups' ;;
	auditor) by="setpriv --reuid 54324 --regid 54324 --groups $auditors" ;;
	admin) by="setpriv --reuid 54325 --regid 54325 --groups $admins" ;;
	esac
}
everybody='root owner member stranger auditor admin'
# May read all of what the group may read.
readers='root owner member auditor admin'

# only "WHO..." COMMAND: the command, run by a shell in which $me is who runs it,
# succeeds for these and is refused to all others by their permissions.
only() {
	may=$1
	shift
	for who in $everybody; do
		become "$who"
		got=yes
		# shellcheck disable=SC2086 # words
		me=$me timeout "$patience_s" $by sh -c "$1" >out 2>err || got=no
		case " $may " in
		*" $who "*) want=yes ;;
		*) want=no ;;
		esac
		if [ $got != $want ] || { [ $got = no ] &&
			! grep -q 'Permission denied\|not permitted\|may' err; }; then
			echo "$who: $1: $got, not $want:"
			cat err
			exit 1
		fi
	done
}

# wait_for_lines FILE NUMBER: until the file has so many lines; fails after a minute.
wait_for_lines() {
	for _ in $(seq 600); do
		[ ! -e "$1" ] || [ "$(wc -l <"$1")" -lt "$2" ] || return 0
		sleep 0.1
	done
	echo "$1:"
	cat "$1" err
	exit 1
}
