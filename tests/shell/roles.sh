#!/bin/sh
# Who may do what: root, the owner of a trail, a member of its group, a stranger,
# an auditor (auditors=) and an administrator (admins=).  The groups are those of
# every Debian system; the users have no names.
# shellcheck disable=SC2016,SC2086 # $me is for the shells; $by is words
. "$(dirname "$0")/../suite_tools.sh"
shared_mount=yes

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

# only "WHO..." COMMAND: the command, run by a shell in which $me is who runs it,
# succeeds for these and is refused to all others by their permissions.
only() {
	may=$1
	shift
	for who in $everybody; do
		become $who
		got=yes
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

# May read all of it.
readers='root owner member auditor admin'

# The names of roles must be those of groups, in the option and in the config.
a_group_that_does_not_exist_is_an_error() {
	for role in trail_group auditors admins; do
		is 1 trailfs store mnt -o $role=no-such-group
		complains "$role=no-such-group: there is no such group"
		is 2 trailfs store mnt -o $role=
		cp store/config config
		echo "$role = no-such-group" >>store/config
		is 1 trailfs store mnt
		complains "$role=no-such-group: there is no such group"
		cp config store/config
	done
}

# A trail of the owner, with what umask 027 and 077 give, sealed and not.
a_trail_is_made() {
	chmod 0755 .
	mount store -o settle=0,$roles
	is 0 trailctl log --json --type ledger.opened mnt
	[ "$(jq -c '.options | [.admins, .auditors, .trail_group]' out |
		tail -n 1)" = "[\"$ADMINS\",\"$AUDITORS\",\"$TEAM\"]" ]
	become admin
	$by sh -c 'umask 022; mkdir mnt/t'
	[ "$(stat -c '%a %G' mnt/t)" = "2750 $TEAM" ]
	chown 54321 mnt/t
	become owner
	$by sh -c 'umask 027
		mkdir mnt/t/w mnt/t/w/done mnt/t/w/open
		echo done >mnt/t/w/done/f
		echo open >mnt/t/w/open/f'
	$by sh -c 'umask 077
		mkdir mnt/t/p mnt/t/p/done mnt/t/p/open mnt/t/p/open/dir
		echo done >mnt/t/p/done/f
		echo open >mnt/t/p/open/dir/f
		echo draft >mnt/t/p/open/f.tmp'
	is 0 trailctl seal mnt/t/w/done
	is 0 trailctl seal mnt/t/p/done
	[ "$(stat -c '%a %G' mnt/t/w/done)" = "2750 $TEAM" ]
}

# What is in the trail: the group reads what the modes give it, auditors and
# administrators everything, and neither writes.
evidence_has_its_readers() {
	only "$readers" 'ls mnt/t mnt/t/w mnt/t/w/done mnt/t/w/open'
	only "$readers" 'cat mnt/t/w/done/f mnt/t/w/open/f'
	only 'root owner auditor admin' 'ls mnt/t/p'
	only 'root owner auditor admin' 'ls mnt/t/p/done mnt/t/p/open/dir'
	only 'root owner auditor admin' \
		'cat mnt/t/p/done/f mnt/t/p/open/dir/f mnt/t/p/open/f.tmp'
	only 'root owner' 'mkdir mnt/t/w/new-$me'
	only 'root owner' 'mkdir mnt/t/new-$me'
	only 'root owner' 'echo x >mnt/t/w/open/new-$me'
	only 'root owner' 'echo x >mnt/t/p/open/dir/new-$me'
	only '' 'echo x >>mnt/t/w/done/f'
	only '' 'rm -f mnt/t/w/done/f'
	only 'root owner' 'chmod 0640 mnt/t/w/open/f'
	only 'root owner' 'chmod 2750 mnt/t/w'
	only 'root owner' 'mv mnt/t/p/open/f.tmp mnt/t/p/open/$me.tmp &&
		mv mnt/t/p/open/$me.tmp mnt/t/p/open/f.tmp'
	only 'root owner' 'setfattr -n user.trailfs.description -v $me mnt/t/w/open'
	is 1 setfacl -m u:54399:r mnt/t/w/open/f
	complains 'Operation not supported'
	only 'root admin' 'mkdir mnt/new-$me'
}

# reads WHO DIRECTORY FILE...: exactly these read these control files.
reads() {
	may=$1 dir=$2
	shift 2
	for file; do
		only "$may" "cat $dir/.trailfs/$file"
	done
}

# Each control file has its readers.
control_files_have_their_readers() {
	reads "$everybody" mnt checkpoint log.vkey log.pub.pem denied.jsonl \
		anchors.json last-error
	reads 'root auditor admin' mnt status.json events.jsonl index.html holds \
		anchor
	reads "$readers" mnt/t status.json events.jsonl custody.jsonl index.html \
		retention holds last-error
	reads "$readers" mnt/t/w status status.json status.md events.jsonl \
		custody.jsonl index.html retention holds
	reads 'root owner auditor admin' mnt/t/p status status.json status.md \
		events.jsonl custody.jsonl index.html retention holds
	reads "$readers" mnt/t/w/done attestation.json attestation.intoto.json \
		SHA256SUMS events.jsonl custody.jsonl attestation.tlog-proof redactions \
		proof/f.tlog-proof
	reads 'root owner auditor admin' mnt/t/p/done attestation.json SHA256SUMS \
		events.jsonl proof/f.tlog-proof
	reads 'root owner auditor admin' mnt/t/w/done override
	only "$everybody" 'ls mnt/.trailfs/tile mnt/.trailfs/find'
	# What they contain is what the reader may read.
	for who in member auditor; do
		become $who
		$by cat mnt/t/.trailfs/events.jsonl >"events.$who"
		$by cat mnt/.trailfs/denied.jsonl >"denied.$who"
	done
	cmp events.auditor mnt/t/.trailfs/events.jsonl
	grep -q '"path":"t/p/done/f"' events.auditor
	if grep '"path":"t/p/done/f"' events.member; then exit 1; fi
	grep -q '"uid":54321' denied.auditor
	if grep '"uid":54321' denied.member; then exit 1; fi
}

# sets WHO DIRECTORY FILE TEXT: exactly these set this control file.
sets() {
	only "$1" "printf '%s\n' '$4' >$2/.trailfs/$3"
}

# Templates, types, retention and holds are set by the owner and administrators;
# user data by who writes the directory.  (Holds have the name of who sets them.)
control_files_have_their_writers() {
	template='version: 1
trail:
  attestations:
    - name: done
      type: generic'
	sets 'root owner admin' mnt/t template.yml "$template"
	sets 'root owner' mnt/t user-data '{"a":1}'
	sets 'root owner admin' mnt/t types/mine.yml 'version: 1
schema: {}'
	for dir in mnt/t mnt/t/w mnt/t/w/done; do
		only 'root owner admin' \
			"trailctl hold place --reason test $dir by-\$me"
		only 'root owner admin' \
			"trailctl retain --for 1y --rule rule-\$me $dir"
	done
	sets 'root admin' mnt holds '{"place":"'"$$"'$me","reason":"all"}'
	sets 'root owner' mnt/t/w/done override '{"compliant":true,"reason":"x"}'
}

[ "$(id -u)" -ne 0 ] || with '/dev/fuse setpriv jq setfacl setfattr' \
	a_store_is_made a_group_that_does_not_exist_is_an_error a_trail_is_made \
	evidence_has_its_readers control_files_have_their_readers \
	control_files_have_their_writers
finish
