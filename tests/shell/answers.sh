#!/bin/sh
# Answers to mistakes: misspelled verbs, options, words and settings.
# shellcheck disable=SC2034,SC2086
. "$(dirname "$0")/../suite_tools.sh"
shared_mount=1 # read by the suite

# guesses STATUS WORD COMMAND...: it exits so and names the word that was meant,
# in at most two lines.
guesses() {
	status=$1 word=$2
	shift 2
	is "$status" "$@"
	has_lines 0
	complains "did you mean $word?"
	[ "$(wc -l <err)" -le 2 ] || {
		echo "more than two lines:"
		cat err
		exit 1
	}
}

# A misspelled verb is answered with the verb, and not with all of them.
a_misspelled_verb_is_guessed() {
	for pair in stauts:status verfiy:verify exprot-log:export-log \
		veri:verify retsore:restore atest:attest hlep:help; do
		guesses 2 "${pair#*:}" trailctl "${pair%:*}"
		complains 'trailctl --help lists the verbs'
	done
	guesses 2 status trailctl help stauts
	is 2 trailctl frobnicate
	complains 'there is no verb frobnicate$'
	is 2 trailctl mount store mnt
	complains 'there is no verb mount: trailfs STORE MOUNTPOINT'
	is 2 trailctl unmount mnt
	complains 'there is no verb unmount: umount MOUNTPOINT'
	is 2 trailctl frobnicate
	[ "$(wc -l <err)" -eq 2 ]
}

# The same for the options of each verb.
a_misspelled_option_is_guessed() {
	is 0 trailctl --help
	sed -n 's/^  \([a-z-]*\)  .*/\1/p' out >verbs
	while read -r verb; do
		[ "$verb" != kosli ] || continue
		guesses 2 --help trailctl "$verb" --hepl
		complains "^trailctl: $verb: there is no option --hepl"
		complains "trailctl $verb --help lists the options"
	done <verbs
	guesses 2 --json trailctl status --jsno
	guesses 2 --json trailctl status -json
	guesses 2 --attestation-type trailctl log --attestation_type x
	guesses 2 --checkpoint trailctl verify --checkpont=x store
	is 2 trailctl verify --frobnicate
	complains 'there is no option --frobnicate$'
}

# Where the words are known, a wrong one is no value, and its like is named.
a_misspelled_word_is_guessed() {
	guesses 2 pem trailctl key export --format pme store
	guesses 2 true trailctl override --compliant=treu --reason x a
	guesses 2 false trailctl attest --compliant fasle a b
	guesses 2 evidence.sealed trailctl log --type evidence.seald store
	guesses 2 trail.created trailctl watch --type trail.create store
	guesses 2 non-compliant trailctl find --status noncompliant store
	guesses 2 INCOMPLETE trailctl log --status INCOMPLET store
	guesses 2 governance trailctl retain --mode goverance a
	guesses 2 json trailctl evaluate --output jsno --type x y
	is 2 trailctl key export --format der store
	complains 'one of vkey, pem, spki, not "der"'
}

# Actions are the first operand of some verbs.
a_misspelled_action_is_guessed() {
	for line in 'key:lst:list' 'hold:palce:place' 'trail:creat:create' \
		'template:chek:check' 'type:lits:list' 'recipients:shwo:show' \
		'import:kolsi:kosli'; do
		verb=${line%%:*} word=${line##*:} typed=${line#*:}
		typed=${typed%:*}
		is 2 trailctl "$verb" "$typed" a b
		complains "$verb: there is no action $typed: did you mean $word?"
	done
	guesses 2 attest trailctl kosli attset generic
}

# A mistake in one action does not show the usage of the others.
a_usage_is_that_of_the_action() {
	for line in 'org init dir:o:--origin and --keys are required' \
		'org fetch dir:o:give a ledger and a directory' \
		'org list --origin x dir:o:--origin is for init' \
		'key export:an argument is missing' \
		'hold place x:give a path and a name'; do
		command=${line%:*}
		# shellcheck disable=SC2086 # words
		is 2 trailctl $command
		action=$(echo "$command" | cut -d ' ' -f 1-2)
		complains "^trailctl: $action: ${line##*:}"
		[ "$(grep -c '^usage: \|^       trailctl' err)" = 1 ]
		grep -q "^usage: trailctl .*${action##* }" err
	done
	# Without a known action all of them are shown.
	is 2 trailctl org lsit x
	[ "$(grep -c '^usage: \|^       trailctl' err)" -ge 6 ]
}

# A directory stands where a URI has to, and a URI leads nowhere.
a_ledger_is_named_by_a_uri() {
	for command in 'forward store here' 'org init here' \
		'org publish --keys k here'; do
		# shellcheck disable=SC2086 # words
		is 2 trailctl $command
		complains 'here is no URI of a ledger: did you mean dir:here?'
	done
	for command in 'org list dir:here' 'org enrol dir:here vkey'; do
		# shellcheck disable=SC2086 # words
		is 3 trailctl $command
		complains '^trailctl: here has no ledger of an organisation: '
	done
	is 3 trailctl verify dir:here
	complains '^trailctl: here: there is no such directory$'
	mkdir here
	is 3 trailctl verify dir:here
	complains '^trailctl: here has no ledger of an organisation: '
	rmdir here
	is 2 trailctl find report.xml store
	complains '^trailctl: report.xml and store: .*--name finds a name'
}

# A letter means the same option in every verb, and stands before it in the help.
a_letter_has_one_meaning() {
	while read -r verb; do
		[ "$verb" != kosli ] || continue
		is 0 trailctl "$verb" --help
		sed -n 's/^  -\(.\), --\([a-z-]*\).*/\1 \2/p' out
		sed -n 's/^  \(-., \)*--\([a-z-]*\).*/\2 \1/p' out |
			sed 's/ -\(.\), $/ \1/' >>options
	done <verbs | sort -u >letters
	cat >want <<-'END'
	C compliant
	D dry-run
	S since
	U until
	f follow
	g group
	h help
	i identity
	j json
	k vkey
	n limit
	o output
	q quiet
	r reason
	t type
	u user-data
	END
	LC_ALL=C sort letters | diff want -
	# Nor does an option have its letter in some verbs only.
	sort -u options | cut -d ' ' -f 1 | uniq -d >both
	diff both /dev/null
}

# The mount names the option that was meant, or the values that are possible.
a_misspelled_mount_option_is_guessed() {
	guesses 2 settle trailfs store mnt -o setle=2
	guesses 2 max_file trailfs store mnt -o ro,max-file=1M
	guesses 2 --foreground trailfs --forground store mnt
	guesses 2 '-o settle' trailfs --settle 2 store mnt
	complains 'trailfs --help lists the options'
	is 2 trailfs store mnt -o frobnicate
	complains 'there is no option frobnicate$'
	is 2 trailfs store mnt -o settle=99
	complains 'settle=99: .*0 to 60'
	is 2 trailfs store mnt -o verify=opne
	complains 'verify=opne: .*open|none'
	is 2 trailfs store mnt -o ro=yes
	complains 'ro takes no value'
	is 2 trailfs store
	complains 'a store and a mount point are needed'
	is 2 trailfs store mnt -o
	complains 'needs a value'
	is 2 trailfs -x store mnt
	complains 'there is no option -x$'
}

# Both forms of an option do the same.
long_and_short_forms_are_equal() {
	for flags in '-f -d -o' '--foreground --debug --options' \
		'-fdo' '--options'; do
		is 2 trailfs $flags settle=99 store mnt
		complains 'settle=99: .*0 to 60'
		is 1 trailfs $flags ro store nowhere
		complains 'mount point nowhere'
	done
	for option in m,make h,help V,version; do
		is 0 trailfs-signer --help
		says "^  -${option%,*}, --${option#*,} "
	done
	is 0 trailfs-signer -m made
	[ -s made/log.pem ]
	guesses 2 --make trailfs-signer --mkae other
	ln -s "$BUILD/trailctl" mkfs.trailfs
	ln -s "$BUILD/trailctl" fsck.trailfs
	is 0 ./mkfs.trailfs --help
	says '^usage: mkfs.trailfs '
	is 0 ./mkfs.trailfs -V
	says '^mkfs.trailfs [0-9]'
	is 0 ./fsck.trailfs --help
	says '^usage: fsck.trailfs'
	is 0 ./fsck.trailfs -h
	is 0 ./fsck.trailfs --version
	says '^fsck.trailfs [0-9]'
}

# A line of the config that is not understood names the key that was meant.
a_misspelled_setting_is_guessed() {
	for line in 'setle = 3:settle' 'max-file = 1G:max_file' \
		'gaurd = /x:guard' 'stmap = off:stamp' 'audtiors = x:auditors'; do
		echo "${line%:*}" >>store/config
		is 2 trailctl sync store
		complains "is not understood: did you mean ${line#*:}?"
		sed -i '$d' store/config
	done
	echo 'settle = 99' >>store/config
	is 2 trailctl sync store
	complains '"settle" is not understood: its value cannot be "99"'
	sed -i '$d' store/config
	is 0 trailctl sync store
}

# An ordinary user, in several words.
nobody='setpriv --reuid 65534 --regid 65534 --clear-groups'

# What is refused names the thing and the cause, and never the errno alone.
a_refusal_names_the_cause() {
	mount store
	mkdir -p mnt/t/w/a mnt/t/sealed
	echo x >mnt/t/w/a/f
	is 0 trailctl seal mnt/t/w/a
	is 0 trailctl seal mnt/t/sealed
	for d in mnt/t/p.zip mnt/t/w/p.zip mnt/p.zip; do
		is 1 trailctl package --no-entry -o $d mnt/t/w
		complains "^trailctl: $d: .*files can be created in attestations only"
	done
	is 1 trailctl prove -o mnt/t/w/a/x mnt/t/w/a/f
	complains '^trailctl: mnt/t/w/a/x: .*sealed'
	is 2 trailctl seal mnt/t/w/a/f
	complains '^trailctl: t/w/a/f is a file: it is sealed with'
	is 0 trailctl retain --for 7y mnt/t/w/a
	is 1 trailctl retain --for 1d mnt/t/w/a
	complains '^trailctl: t/w/a: .*never shortened'
	is 1 trailctl hold release --reason x mnt/t h
	complains '^trailctl: t: .*no such hold'
	echo junk >junk
	is 2 trailctl stamp --accept junk --name n mnt
	complains '^trailctl: junk: not a time stamp'
	is 4 trailctl unpack junk d
	complains '^trailctl: junk: the archive is malformed'
}

# EACCES says whose directory it is.
a_denied_user_learns_who_may() {
	needs setpriv
	[ "$(id -u)" = 0 ] || skip 'not root'
	chmod 755 . mnt mnt/t mnt/t/w
	is 3 $nobody "$BUILD/trailctl" trail create mnt/t9
	complains '^trailctl: .*t9: only user root may make something in'
	is 3 $nobody "$BUILD/trailctl" attest mnt/t/w/x /etc/hostname
	complains 'only user root may make something in'
}

# why has the last refusal of the caller first, and denied.jsonl the rule; each
# user reads the own ones.
why_has_the_last_refusal_and_the_rule() {
	if rm mnt/t/w/a/f 2>/dev/null || echo y 2>/dev/null >mnt/t/w/a/f; then
		exit 1
	fi
	is 0 trailctl why mnt/t/w/a/f
	says '^refused .*open for writing t/w/a/f: EPERM: it is sealed'
	says '^earlier .*unlink t/w/a/f: EPERM'
	says '^state  *sealed'
	says '^rule .*write a new file, or report again with mkdir NAME@2'
	grep '"operation":"unlink"' mnt/.trailfs/denied.jsonl |
		grep -q '"rule":"sealed"'
	is 0 trailctl why --json mnt/t/w/a/f
	says '"rule":"sealed"'
	needs setpriv
	[ "$(id -u)" = 0 ] || skip 'not root'
	is 0 $nobody "$BUILD/trailctl" why mnt/t/w/a/f
	never_says 'unlink'
	says '^refused .*nothing of yours'
	is 1 $nobody "$BUILD/trailctl" seal mnt/t/w
	is 0 $nobody "$BUILD/trailctl" why mnt/t/w
	says '^refused .*seal t/w: EPERM: only its owner'
	# The owner of the vault reads those of all users.
	[ "$(grep -c '"uid":65534' mnt/.trailfs/denied.jsonl)" = 1 ]
	$nobody cat mnt/.trailfs/denied.jsonl >own
	[ "$(grep -c '"uid":65534' own)" = "$(wc -l <own)" ]
}

# trailctl(1) lists the letters, and trailfs(8) both forms of its options.
the_manual_has_the_letters() {
	sed -n 's/^\.Fl \(.\) , -\([a-z-]*\) [;.]$/\1 \2/p' \
		"$top/man/trailctl.1" | LC_ALL=C sort >listed
	{
		cat letters
		echo V version
	} | LC_ALL=C sort | diff - listed
	is 0 trailfs --help
	sed -n 's/^  -\(.\), --\([a-z]*\) .*/\1 \2/p' out >mine
	[ "$(wc -l <mine)" = 5 ]
	while read -r letter name; do
		grep -q "^\.It Fl $letter , -$name" "$top/man/trailfs.8"
	done <mine
	sed -n '/^options of the mount/,$s/^  \([a-z_]*\)\(=.*\| .*\)\{0,1\}$/\1/p' \
		out | grep . >words
	[ "$(wc -l <words)" -gt 20 ]
	while read -r word; do
		grep -q "^\.It Cm .*$word" "$top/man/trailfs.8" || {
			echo "trailfs(8) lacks $word"
			exit 1
		}
	done <words
}

# A store for the tests that follow.
a_store_exists() {
	is 0 trailctl init --user root store
	cp out vkey
}

run a_store_exists a_misspelled_verb_is_guessed a_misspelled_option_is_guessed \
	a_misspelled_word_is_guessed a_misspelled_action_is_guessed \
	a_usage_is_that_of_the_action a_ledger_is_named_by_a_uri \
	a_letter_has_one_meaning the_manual_has_the_letters a_misspelled_mount_option_is_guessed \
	long_and_short_forms_are_equal a_misspelled_setting_is_guessed
with /dev/fuse a_refusal_names_the_cause a_denied_user_learns_who_may \
	why_has_the_last_refusal_and_the_rule
finish
