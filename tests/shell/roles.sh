#!/bin/sh
# Who may do what: root, the owner of a trail, a member of its group, a stranger,
# an auditor (auditors=) and an administrator (admins=).
# shellcheck disable=SC2016,SC2086 # $me is for the shells; $by is words
. "$(dirname "$0")/../suite_roles.sh"
shared_mount=yes

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
	only "$1" "printf '%s\n' '$4' | dd of=$2/.trailfs/$3 status=none"
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
evidence: x.json
schema: {}'
	for dir in mnt/t mnt/t/w mnt/t/w/done; do
		only 'root owner admin' \
			"trailctl hold place --reason test $dir by-\$me"
		only 'root owner admin' \
			"trailctl retain --for 1y --rule rule-\$me $dir"
	done
	sets 'root admin' mnt holds '{"place":"'"'\$me'"'","reason":"all"}'
	sets 'root owner' mnt/t/w/done override '{"compliant":true,"reason":"x"}'
}

# Every verb that reads, of the root, the trail and what is in it.
verbs_have_their_users() {
	cp mnt/.trailfs/log.vkey key
	chmod a+r key
	mkdir -m 0777 zips
	for verb in log status show ls why 'log --json' 'status --json'; do
		only "$readers" "trailctl $verb mnt/t"
		only "$readers" "trailctl $verb mnt/t/w"
	done
	for verb in log show ls why access 'log --json'; do
		only 'root owner auditor admin' "trailctl $verb mnt/t/p/done"
	done
	for verb in show 'prove -o zips/$me.proof'; do
		only "$readers" "trailctl $verb mnt/t/w/done/f"
	done
	only 'root auditor admin' 'trailctl verify --quiet --vkey key mnt'
	# Who may read one trail gets what is about that.
	only "$readers" 'trailctl log mnt'
	only "$readers" 'trailctl status mnt'
	only "$readers" 'trailctl status mnt/t/w/done/f'
	only "$readers" 'trailctl verify --vkey key mnt/t/w/done'
	only "$readers" 'trailctl verify --vkey key mnt/t/w/done/f'
	only 'root owner auditor admin' 'trailctl verify --vkey key mnt/t'
	become member
	is 0 $by trailctl log --json mnt
	complains 'not the whole ledger'
	says '"path":"t/w/done/f"'
	never_says '"path":"t/p/done/f"'
	never_says 'ledger.opened'
	jq .seq out >seqs
	sort -n seqs | cmp - seqs
	is 0 $by trailctl verify --vkey key mnt/t/w
	complains 'the package of t/w'
	says '^contents *OK'
	become stranger
	is 3 $by trailctl log mnt
	complains "only user root, group root, group $ADMINS and group $AUDITORS may"
	only "$readers" 'trailctl package -o zips/$me-w.zip mnt/t/w'
	only 'root owner auditor admin' 'trailctl package -o zips/$me-t.zip mnt/t'
	for who in owner member auditor; do
		is 0 trailctl verify --vkey key zips/$who-w.zip
	done
	become auditor
	is 0 $by trailctl package --json -o zips/again.zip mnt/t/w
	complains 'no entry says that you have it'
	says '"recorded":false'
	is 3 $by trailctl package --to me -o zips/to.zip mnt/t/w
	[ ! -e zips/to.zip ]
	is 0 $by trailctl find --uid 54321 --json mnt
	says '"t/p/done/f"'
	become member
	is 0 $by trailctl find --uid 54321 --json mnt
	says '"t/w/done/f"'
	never_says 't/p/done'
	only 'root owner' 'trailctl seal mnt/t/w/open'
}

# Without a directory for temporary files that is what is said, not a right that is
# there.
no_temporary_file_is_no_refusal() {
	become member
	is 3 unshare -m sh -c "mount --rbind /tmp /tmp &&
		mount -o remount,bind,ro /tmp && $by trailctl log mnt"
	complains 'temporary file in /tmp: Read-only file system'
}

# Somebody who may read some trails follows the entries of those, in their order and
# without a gap, also of a trail that is made later; who may read none is refused.
some_trails_are_followed() {
	# More than watch takes at a time.
	become owner
	$by sh -c 'umask 027; mkdir mnt/t/w/.many
		for n in $(seq 300); do echo x >mnt/t/w/.many/$n; done
		mv mnt/t/w/.many mnt/t/w/many'
	is 0 trailctl sync mnt
	become member
	# A cursor says when watching has begun.
	mkdir -m 0777 cursors
	$by trailctl log --follow mnt >followed 2>follow.err &
	follower=$!
	$by trailctl watch --cursor cursors/c mnt >watched 2>watch.err &
	watcher=$!
	$by trailctl watch --all mnt >all 2>all.err &
	reader=$!
	wait_for_lines all 1
	wait_for_lines follow.err 1
	wait_for_lines cursors/c 1
	mkdir -m 0700 mnt/hidden
	mkdir mnt/hidden/w
	become owner
	for n in 1 2 3; do
		mkdir mnt/hidden/w/$n
		$by mkdir mnt/t/w/followed-$n mnt/t/p/followed-$n
	done
	mkdir mnt/later
	for n in 1 2 3; do
		mkdir mnt/later/w$n mnt/hidden/w/later-$n
		$by mkdir mnt/t/w/last-$n
	done
	jq -r 'select(.seq > 0 and (.path // "" |
		test("^(t/w/(followed|last)|later)"))) | .path' \
		mnt/.trailfs/events.jsonl >expected
	[ "$(wc -l <expected)" -eq 10 ]
	for n in $(seq 600); do
		grep -q t/w/last-3 all && grep -q t/w/last-3 watched &&
			grep -q t/w/last-3 followed && break
		sleep 0.1
	done
	kill $watcher $reader
	wait $watcher
	wait $reader
	jq -r .path watched | cmp - expected
	grep -o ' t/w/[fl].*\| later.*' followed | tr -d ' ' | cmp - expected
	become member
	is 0 $by trailctl log --json mnt
	cmp out all
	for file in all watch follow; do
		head -n 1 $file.err | grep -q 'entries of all trails, not the whole'
		grep -q 'not the whole ledger: 1 trail and the entries of' $file.err
		[ "$(wc -l <$file.err)" -eq 2 ]
	done
	if grep -q hidden all watched followed; then exit 1; fi
	# All of it comes also while nobody records.
	lines=$(wc -l <all)
	$by trailctl watch --all mnt >quiet 2>quiet.err &
	watcher=$!
	wait_for_lines quiet "$lines"
	kill $watcher
	wait $watcher
	cmp quiet all
	# The cursor goes on where it was, and finds nothing new.
	become owner
	$by mkdir mnt/t/w/after
	become member
	$by trailctl watch --cursor cursors/c mnt >again 2>again.err &
	watcher=$!
	wait_for_lines again 1
	kill $watcher
	wait $watcher
	[ "$(jq -r .path again)" = t/w/after ]
	kill $follower
	become stranger
	chmod 0700 mnt/later
	is 3 $by trailctl log --follow mnt
	is 3 $by trailctl watch mnt
	is 3 $by trailctl watch mnt/t
	is 3 $by trailctl verify --vkey key mnt
	chmod 0755 mnt/later
}

# Verification of the whole vault by somebody who may read some of it: what that is
# and what was left out is said, in each form, and the answer is not OK.
what_was_left_out_is_said() {
	become member
	is 5 $by trailctl verify --vkey key mnt
	complains 'the packages of what you may read'
	says '^path *t/w$'
	says '^path *later$'
	says '^left out *the ledger of the vault as a whole$'
	says '^ *t/p: you may not read all of it$'
	says '^ *hidden: you may not read all of it$'
	says '^contents *OK'
	says '^signature *OK'
	never_says 't/w: you'
	is 5 $by trailctl verify --json --vkey key mnt
	is_canonical
	jq -e '.left_out | .ledger and .count == (.paths | length) and
		([.paths[] | select(. == "hidden" or . == "t/p")] | length == 2)' out
	jq -e '[.subjects[].path | select(. == "later" or . == "t/w")] |
		length == 2' out
	is 5 $by trailctl verify --junit zips/junit.xml --vkey key mnt
	junit zips/junit.xml | tee totals
	grep -q '^[0-9]* 0 1 [0-9]* .*left out/error$' totals
	# What was named and may be read whole is verified whole.
	is 5 $by trailctl verify --vkey key mnt/t
	never_says 'the ledger of the vault'
	is 0 $by trailctl verify --vkey key mnt/later
	never_says 'left out'
	is 3 $by trailctl verify --vkey key mnt/t/p/done
	# The key of another log is no reason to say OK.
	trailctl init --origin example.org/other other >other.key 2>err
	chmod a+r other.key
	is 6 $by trailctl verify --vkey other.key mnt/later
	is 0 $by trailctl status mnt
	says '^t$'
	says '^later$'
	never_says '^hidden$'
	complains 'not the whole vault: [0-9]* trails* and the status of'
	is 0 $by trailctl status --json mnt
	[ "$(jq -r 'select(.name == "w") | .trail' out)" = t ]
}

# A mode without rights of the group is shown with a mark, which a mode that is set
# never gets; lists that say what the roles say are accepted.
modes_are_shown_with_a_mark() {
	become owner
	$by mkdir -m 0700 mnt/t/marked
	[ "$(stat -c %a mnt/t/marked)" = 2720 ]
	is 0 trailctl log --json mnt/t/marked
	says '"mode":"2700"'
	$by chmod g+rx mnt/t/marked
	become member
	$by ls mnt/t/marked
	become owner
	$by chmod o-x,g-rwx mnt/t/marked
	become member
	is 2 $by ls mnt/t/marked
	become owner
	$by mkdir mnt/t/marked/a
	$by sh -c 'umask 077; echo x >mnt/t/marked/a/f'
	[ "$(stat -c %a mnt/t/marked/a/f)" = 620 ]
	$by chmod u+x mnt/t/marked
	# Copies, also within the mount, keep it; the bits of the entry are without.
	is 0 cp -a mnt/t/marked/a/f mnt/t/marked/a/g
	is 0 cp -a mnt/t/marked copy
	is 0 trailctl sync mnt/t/marked/a
	is 0 trailctl log --json mnt/t/marked/a/g
	says '"mode":"0600"'
	is 0 cp -a copy mnt/t/copy
	mkdir copy/a/d
	is 0 cp -a copy/a mnt/t/marked/b
	is 0 cp -a copy/a/f mnt/t/marked/a/h
	is 0 trailctl sync mnt/t/marked/a
	is 0 trailctl log --json mnt/t/marked/a/h
	says '"mode":"0600"'
	is 1 setfacl -m "g:$AUDITORS:-" mnt/t/marked/a
	is 1 setfacl -d -m u:54399:r mnt/t/marked/a
}

# mode_is MODE PATH...: the real mode, also in the last entry that changed it (of a
# directory in an attestation without the set-group-ID bit).
mode_is() {
	mode=$1
	shift
	for path; do
		is 0 trailctl access --json "$path"
		shown=$(jq -r '.[0].mode' out)
		is 0 trailctl log --json --type access.changed "$path"
		entry=$(jq -r 'select(.path == "'"${path#mnt/}"'") | .access.mode' \
			out | tail -n 1)
		entry=${entry:-$mode}
		[ "$shown ${entry#?}" = "$mode ${mode#?}" ] || {
			echo "$path: $shown, in the ledger $entry, not $mode"
			exit 1
		}
	done
}

# private_files DIRECTORY: what the owner makes with the umask 077.
private_files() {
	become owner
	$by sh -c "umask 077; mkdir -p $1/dir; echo x >$1/f; echo x >$1/dir/f"
	mode_is 2700 $1 $1/dir
	mode_is 0600 $1/f $1/dir/f
}

# Programs compute modes from the mode that they see.  The group gets what is
# asked for, and never the right to write, which nobody asked for.
private_nodes_are_opened_for_reading() {
	for state in open sealed; do
		for who in group all each; do
			dir=mnt/t/opened/$state-$who
			private_files "$dir"
			[ $state = open ] || is 0 trailctl seal "$dir"
			modes='2750 0640'
			case $who in
			group) is 0 $by chmod -R g+rX "$dir" ;;
			all)
				is 0 $by chmod -R a+rX "$dir"
				modes='2755 0644'
				;;
			each)
				is 0 $by chmod g+rx "$dir" "$dir/dir"
				is 0 $by chmod g+r "$dir/f" "$dir/dir/f"
				;;
			esac
			mode_is "${modes% *}" "$dir" "$dir/dir"
			mode_is "${modes#* }" "$dir/f" "$dir/dir/f"
		done
	done
	$by chmod g+rx mnt/t/opened
	mode_is 2750 mnt/t/opened
	dir=mnt/t/opened/open-group
	for change in g+r=0640 a+rX=0644 770=0750 755=0755; do
		$by sh -c "umask 077; echo x >$dir/${change%=*}.tmp"
		mode_is 0600 "$dir/${change%=*}.tmp"
		is 0 $by chmod "${change%=*}" "$dir/${change%=*}.tmp"
		mode_is "${change#*=}" "$dir/${change%=*}.tmp"
	done
	for dir in mnt/t/opened/*; do
		only "$readers" "cat $dir/f $dir/dir/f"
		only '' "echo x >>$dir/f"
	done
	for dir in mnt/t/opened mnt/t/opened/open-*; do
		only 'root owner' "mkdir $dir/new-\$me"
	done
}

# A mode that opens a private directory for writing is asked for twice, except by
# the commands that mean it.
private_directories_are_opened_for_writing() {
	private_files mnt/t/shared/a
	for dir in mnt/t/shared mnt/t/shared/a; do
		$by chmod 770 $dir
		mode_is 2750 $dir
		only 'root owner' "mkdir $dir/1-\$me"
		become owner
		$by chmod 770 $dir
		mode_is 2770 $dir
	done
	only 'root owner member' 'mkdir mnt/t/shared/2-$me mnt/t/shared/a/2-$me'
	become admin
	$by mkdir -m 0700 mnt/granted
	is 0 trailctl grant --group $TEAM --write mnt/granted
	says '^granted  mode 2770$'
	mode_is 2770 mnt/granted
	is 0 sh -c 'umask 077; trailctl trail create --mode 0770 mnt/created'
	mode_is 2770 mnt/created
	only 'root admin owner member' 'mkdir mnt/granted/$me'
	# What is made has the mode that is asked for, and a copy no mark.
	become owner
	$by sh -c 'umask 002; mkdir mnt/t/made mnt/t/made/a
		cp -r mnt/t/p/open/dir mnt/t/made/a
		cp mnt/t/p/open/f.tmp mnt/t/made/a/copy.tmp'
	mode_is 2775 mnt/t/made mnt/t/made/a
	only 'root owner' 'echo x >>mnt/t/made/a/copy.tmp'
	become owner
	$by chmod g+r mnt/t/made/a/copy.tmp
	mode_is 0640 mnt/t/made/a/copy.tmp
	$by chmod g+rx mnt/t/made/a/dir
	mode_is 2750 mnt/t/made/a/dir
}

# A mode that leaves only the group the right to write closes nothing, as the group
# gets that right by a second request: it is refused with the reason.
no_mode_closes_by_its_mark() {
	become owner
	$by mkdir -p mnt/t/closed/a/dir
	for dir in mnt/t/closed/a/dir mnt/t/closed/a mnt/t/closed; do
		$by chmod 700 $dir
		for mode in 570 0530 g+rwx,u-w; do
			is 1 $by chmod $mode $dir
			mode_is 2700 $dir
		done
		is 1 $by setfacl -m u::r-x,g::rwx $dir
		is 0 $by trailctl why $dir
		says 'so it would close the directory'
		# A directory in an attestation never has more than that gives.
		[ $dir != mnt/t/closed/a/dir ] || continue
		is 0 $by chmod 770 $dir
		is 0 $by chmod 770 $dir
		is 0 $by chmod 570 $dir
		mode_is 2570 $dir
		is 0 $by chmod 700 $dir
	done
	$by sh -c 'echo x >mnt/t/closed/a/f'
	is 0 $by chmod u-w mnt/t/closed/a
	is 0 $by trailctl sync mnt/t/closed/a
	[ "$(getfattr --only-values -n user.trailfs.state mnt/t/closed/a)" = sealed ]
	become member
	only 'root owner' 'mkdir mnt/t/closed/new-$me'
}

# Lists and copies follow the same rule.
copies_open_nothing_for_writing() {
	private_files mnt/t/lists/a
	dir=mnt/t/lists/a
	is 0 $by setfacl -m g::rwx $dir
	mode_is 2750 $dir
	is 0 $by setfacl --set u::rw-,g::-w-,o::--- $dir/f
	mode_is 0600 $dir/f
	is 0 $by setfacl -m g::rw- $dir/f
	mode_is 0640 $dir/f
	# The mask limits the group; nobody else is named.
	$by sh -c "umask 077; echo x >$dir/masked"
	is 0 $by chmod g+r $dir/masked
	is 0 $by setfacl --set "u::rw-,g::r--,g:$AUDITORS:r--,m::---,o::---" \
		$dir/masked
	mode_is 0600 $dir/masked
	for who in g:tape u:54399; do
		is 1 $by setfacl -m $who:r-- $dir/f
		complains 'Operation not supported'
	done
	mode_is 0640 $dir/f
	# These programs make each node with a private mode and then set its mode.
	mkdir from
	for mode in 755 750 700 664 644 600; do
		echo x >from/$mode
		chmod $mode from/$mode
	done
	chmod 775 from
	mkdir mnt/t/copies
	is 0 rsync -a from/ mnt/t/copies/rsync
	is 0 cp -a from mnt/t/copies/cp
	mkdir mnt/t/copies/tar
	is 0 sh -c 'tar c -C from . | tar xp -C mnt/t/copies/tar'
	for dir in mnt/t/copies/*; do
		mode_is 0755 "$dir/755"
		mode_is 0750 "$dir/750"
		mode_is 0700 "$dir/700"
		mode_is 0644 "$dir/664" "$dir/644"
		mode_is 0600 "$dir/600"
	done
	mode_is 2755 mnt/t/copies/cp
}

# grant and revoke: the changes, their entries, what they refuse.
groups_are_granted_and_revoked() {
	become owner
	mkdir -m 0700 mnt/u
	chown 54321:54321 mnt/u
	$by sh -c 'umask 077
		mkdir mnt/u/w mnt/u/w/a mnt/u/w/a/dir mnt/u/w/open
		echo x >mnt/u/w/a/f
		echo x >mnt/u/w/a/dir/f'
	is 0 trailctl seal mnt/u/w/a
	chown 54321:54321 mnt/u mnt/u/w mnt/u/w/a mnt/u/w/open
	chown 54321:54321 mnt/u/w/a/f mnt/u/w/a/dir/f
	$by chmod 0700 mnt/u
	files='cat mnt/u/w/a/f mnt/u/w/a/dir/f'
	only 'root owner auditor admin' "$files"
	become owner
	is 2 $by trailctl grant --group $TEAM mnt/u
	is 2 $by trailctl grant --read mnt/u
	is 2 $by trailctl grant --user me --read mnt/u
	complains 'one group'
	is 2 $by trailctl grant --group no-such-group --read mnt/u
	is 2 $by trailctl grant --group $TEAM --read mnt/u/w
	become member
	is 3 $by trailctl grant --group $TEAM --read mnt/u
	become owner
	is 1 $by trailctl grant --group $AUDITORS --read mnt/u
	complains 'member of'
	entries=$(wc -l <mnt/.trailfs/events.jsonl)
	is 0 $by trailctl grant --group $TEAM --read mnt/u
	says "^u  group $TEAM  mode 2750\$"
	says "^u/w/a/f  group $TEAM  mode 0640\$"
	says '^u/w/a/dir  mode 2750$'
	[ "$(tail -n "+$((entries + 1))" mnt/.trailfs/events.jsonl |
		jq -r 'select(.type == "access.changed") | .path' | sort -u |
		tr '\n' ' ')" = 'u u/w u/w/a u/w/a/dir u/w/a/dir/f u/w/a/f u/w/open ' ]
	only "$readers" "$files"
	only 'root owner' 'mkdir mnt/u/$me'
	become owner
	is 0 $by trailctl grant --group $TEAM --read mnt/u
	says '^u  unchanged$'
	is 0 trailctl grant --group $TEAM --write --json mnt/u
	says '"path":"u/w/open"'
	only 'root owner member' 'mkdir mnt/u/2-$me mnt/u/w/open/$me'
	only 'root owner member' 'echo x >mnt/u/w/open/f-$me'
	# Another group would take the place of the first one.
	is 1 trailctl grant --group $AUDITORS --read mnt/u
	complains "the group $TEAM has rights"
	become owner
	is 0 $by trailctl revoke --group $TEAM --write mnt/u
	says '^u  mode 2750$'
	only 'root owner' 'mkdir mnt/u/3-$me'
	become owner
	is 0 $by trailctl revoke --group $TEAM --read mnt/u
	only 'root owner auditor admin' "$files"
	become owner
	is 0 $by trailctl revoke --group $TEAM --read mnt/u
	says '^u  unchanged$'
	is 0 trailctl grant --group tape --read mnt/u
	[ "$(stat -c %G mnt/u/w/a/f)" = tape ]
	# Modes that a change of one group cannot make right.
	chmod 0755 mnt/u
	is 1 trailctl revoke --group tape --read mnt/u
	complains 'others'
	is 2 trailctl revoke --group tape --write mnt/t/w
}

# access says who, and why, and below a path only what differs.
access_says_who_and_why() {
	mkdir mnt/v
	chown 54321:$TEAM mnt/v
	chmod 0750 mnt/v
	become owner
	$by sh -c 'umask 022; mkdir mnt/v/w mnt/v/w/a; echo x >mnt/v/w/a/f'
	$by sh -c 'umask 077; mkdir mnt/v/private'
	is 0 trailctl access mnt/v
	says "^v  owner 54321, group $TEAM, mode 2750\$"
	says "^  read        54321 (owner), $TEAM (group), $ADMINS (admins=), \
$AUDITORS (auditors=), root\$"
	says '^  write       54321 (owner), root$'
	says "^  administer  54321 (owner), $ADMINS (admins=), root\$"
	says '^v/private '
	never_says '^v/w'
	is 0 $by trailctl access --json mnt/v
	is_canonical
	[ "$(jq -r '.[1] | .path, .read' out | tr '\n' ' ')" = \
		"v/private 54321 (owner), $ADMINS (admins=), $AUDITORS (auditors=), root " ]
	is 0 trailctl access mnt/t/w/done/f
	says '^  write       nobody (it is sealed)$'
	is 0 trailctl access mnt
	says "^  read        everybody (others), "
	says "^  write       $ADMINS (admins=), root\$"
}

# Lines of the config have the same effect, also where the mount only shows.
roles_are_in_the_config() {
	unmount
	printf '%s\n' "auditors = $AUDITORS" "trail_group = $TEAM" >>store/config
	mount store -o ro
	only 'root owner auditor' 'cat mnt/t/p/done/f'
	reads 'root auditor' mnt status.json events.jsonl
	unmount
	is 0 trailctl trail create --mode 0770 store/made
	mount store
	[ "$(stat -c '%a %G' mnt/made)" = "2770 $TEAM" ]
	is 0 trailctl trail create --mode 0770 mnt/made-here
	[ "$(stat -c '%a %G' mnt/made-here)" = "2770 $TEAM" ]
	only 'root owner member auditor' 'ls mnt/made'
	only 'root owner member' 'mkdir mnt/made/$me'
	only 'root owner auditor' 'cat mnt/t/p/done/f'
	only 'root' 'mkdir mnt/not-$me'
	# Without auditors= nothing has a list, and no mode a mark.
	unmount
	sed -i '/^auditors/d' store/config
	mount store
	[ "$(stat -c %a mnt/t/p/done/f)" = 600 ]
	is 1 getfattr -n system.posix_acl_access mnt/t/p/done/f
	only 'root owner' 'cat mnt/t/p/done/f'
}

[ "$(id -u)" -ne 0 ] || with '/dev/fuse setpriv jq setfacl setfattr getfattr rsync' \
	a_store_is_made a_group_that_does_not_exist_is_an_error a_trail_is_made \
	evidence_has_its_readers control_files_have_their_readers \
	control_files_have_their_writers verbs_have_their_users \
	no_temporary_file_is_no_refusal some_trails_are_followed what_was_left_out_is_said \
	modes_are_shown_with_a_mark private_nodes_are_opened_for_reading \
	private_directories_are_opened_for_writing no_mode_closes_by_its_mark copies_open_nothing_for_writing \
	groups_are_granted_and_revoked \
	access_says_who_and_why roles_are_in_the_config
finish
