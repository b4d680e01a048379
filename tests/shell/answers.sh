#!/bin/sh
# Answers to mistakes: misspelled verbs, options, words and settings.
. "$(dirname "$0")/../suite_tools.sh"

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

a_store_exists() {
	is 0 trailctl init --user root store
}

run a_store_exists a_misspelled_verb_is_guessed a_misspelled_option_is_guessed \
	a_misspelled_word_is_guessed a_misspelled_action_is_guessed \
	a_letter_has_one_meaning
finish
