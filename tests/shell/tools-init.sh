#!/bin/sh
# trailctl init, usage, exit status and output streams, without a mount.
. "$(dirname "$0")/../suite_tools.sh"

# Help and version are printed on stdout, with status 0 and nothing on stderr.
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

# A wrong command line exits with 2 and leaves stdout empty.
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

# Every verb has a help, which names all options that its manual lists.
every_verb_lists_its_options() {
	is 0 trailctl help
	sed -n 's/^  \([a-z-]*\)  .*/\1/p' out >verbs
	[ "$(wc -l <verbs)" -ge 13 ]
	while read -r verb; do
		is 0 trailctl help "$verb"
		[ ! -s err ]
		says "^usage: trailctl $verb"
		cp out help
		is 0 trailctl "$verb" --help
		cmp out help
		# kosli has words with options of their own: kosli.sh.
		[ "$verb" != kosli ] || continue
		says '^  -h, --help '
		is 0 trailctl "$verb" argument -h
		cmp out help
		# Lines "Op Fl -json" of the synopsis: Cm VERB up to the next Nm.
		sed -s -n '/^\.Sh DESCRIPTION/,$d
			/^\.Cm '"$verb"'$/,/^\.Nm/s/.*Fl -\([a-z-]*\).*/\1/p' \
			"$top"/man/trailctl-*.1 | sort -u >options
		while read -r option; do
			grep -q -e "--$option " help
		done <options
	done <verbs
	is 2 trailctl help frobnicate
	complains 'no verb frobnicate'
}

# An option that is unknown, doubled, cut short, empty or without its value
# exits with 2 and says why.
a_wrong_option_exits_2_and_says_why() {
	is 2 trailctl log --frobnicate
	complains 'log: there is no option --frobnicate'
	complains 'trailctl log --help lists the options'
	is 2 trailctl log -x
	complains 'no option -x'
	is 2 trailctl verify --check held store
	complains 'no option --check:'
	is 2 trailctl log --json --json
	complains 'json is given twice'
	is 2 trailctl prove -o a --output=b path
	complains 'output is given twice'
	is 2 trailctl log --uid 1 --uid 2
	complains 'uid is given twice'
	is 2 trailctl log --type ''
	complains 'the value of --type is empty'
	is 2 trailctl log --trail=
	complains 'the value of --trail is empty'
	is 2 trailctl log --type
	complains 'type needs a value: TYPE'
	is 2 trailctl log --json=yes
	complains 'json takes no value'
	is 2 trailctl log --uid -1
	complains 'uid takes a number'
	is 2 trailctl log --uid 1x
	complains 'uid takes a number'
	for day in 2026-13-01 2026-02-30 2026-11-23T25:00 0000-01-01; do
		is 2 trailctl log --since $day
		complains 'since takes a time in UTC'
	done
	is 2 trailctl seal
	complains 'an argument is missing'
	is 2 trailctl seal a b
	complains 'too many arguments'
	is 2 trailctl package path
	complains '-o FILE is missing'
}

# After "--" a word that begins with "-" is an argument, and so is "-" alone.
an_argument_may_look_like_an_option() {
	is 3 trailctl show -- --json
	complains 'json: No such file'
	is 3 trailctl show -
	complains 'No such file'
	mkdir -- --json
	is 0 trailctl init --origin=example.org/dashes -- --json/store
	is 0 trailctl status --json -- --json/store
	says '"origin":"example.org/dashes"'
	rm -rf -- --json
}

# A path that is neither a store nor in a mount exits with 3 and says so.
a_path_that_is_no_store_exits_3() {
	mkdir nothing
	is 3 trailctl status nothing
	complains '^trailctl: nothing is mounted at nothing: mount the vault with "trailfs STORE nothing"$'
	touch nothing/file
	is 3 trailctl status nothing
	complains '^trailctl: nothing is neither in a trailfs mount nor a store: name a store, or a path in a mount$'
	is 3 trailctl log nowhere
	complains 'No such file'
	is 3 trailctl verify nowhere
	has_lines 0
}

# Scripts can redirect stdout of init to get the key and nothing else.
init_prints_the_key_alone_on_stdout() {
	is 0 trailctl init --origin example.org/tools store
	has_lines 1
	says '^example.org/tools+[0-9a-f]\{8\}+A'
	complains 'Keep this key somewhere else'
	cp out vkey
}

# Init never touches an existing store or a directory with files.
init_refuses_a_directory_that_is_not_empty() {
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

# An origin with a space is refused, and no store is made.
init_refuses_a_bad_origin() {
	is 2 trailctl init --origin 'a b' other
	has_lines 0
	[ ! -e other ]
}

# A new store is whole; links that it cannot have yet are ABSENT.
a_new_store_verifies() {
	is 0 trailctl verify store
	for link in contents entries names tree signature; do
		says "^$link *OK"
	done
	for link in 'earlier checkpoint' witness timestamp; do
		says "^$link *ABSENT"
	done
}

# A full disk under stdout is an error, not a success.
an_answer_that_cannot_be_written_exits_3() {
	got=0
	trailctl status store >/dev/full 2>err || got=$?
	[ "$got" -eq 3 ]
	complains 'standard output'
}

# init --recover continues an older copy under a new origin and key, once.
init_continues_a_store_that_was_put_back() {
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

# A file that is no database is never reported as whole.
verify_knows_a_foreign_file() {
	mkdir -p foreign/keys
	echo hello >foreign/ledger.db
	got=0
	timeout 60 trailctl verify foreign >out 2>err || got=$?
	[ "$got" -ne 0 ]
	! grep -q 'contents *OK' out
}

run help_is_an_answer_on_stdout \
	wrong_usage_exits_2_and_prints_on_stderr \
	every_verb_lists_its_options \
	a_wrong_option_exits_2_and_says_why \
	an_argument_may_look_like_an_option \
	a_path_that_is_no_store_exits_3 \
	init_prints_the_key_alone_on_stdout \
	init_refuses_a_directory_that_is_not_empty \
	init_refuses_a_bad_origin \
	a_new_store_verifies \
	an_answer_that_cannot_be_written_exits_3 \
	init_continues_a_store_that_was_put_back \
	verify_knows_a_foreign_file
finish
