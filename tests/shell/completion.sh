#!/bin/sh
# What bash, zsh and fish complete, and that --help and completion have the same
# verbs and options.
. "$(dirname "$0")/../suite_tools.sh"

# Files to complete, and the programs under all their names.
there_are_files() {
	mkdir -p in/dir names
	: >in/file
	: >'in/two words'
	ln -s "$BUILD/trailctl" names/mkfs.trailfs
	ln -s "$BUILD/trailctl" names/fsck.trailfs
	PATH=$work/names:$PATH
	trailctl --help | sed -n 's/^  \([a-z-]*\)  .*/\1/p' >verbs
	[ "$(wc -l <verbs)" -gt 40 ]
}

# asked SHELL: the file answers has what the shell completes for each line of the
# file lines.
asked() {
	needs python3 "$1"
	case $1 in
	bash) of=trailctl.bash ;;
	zsh) of=_trailctl ;;
	fish) of=trailctl.fish ;;
	esac
	(cd in && PATH=$work/names:$BUILD:$PATH is 0 "$top/tests/completions" \
		"$1" "$top/tools/completion/$of" <../lines && mv out ../answers)
}

# completes LINE WORDS: that is the answer, with the words sorted.
completes() {
	grep -qxF "$1$(printf '\t')$2" answers || {
		echo "not '$2' but:"
		grep -F "$1$(printf '\t')" answers
		exit 1
	}
}

# Values, operands and names, alike in all shells.
common() {
	cat >lines <<-'END'
	trailctl ver
	trailctl w
	trailctl key 
	trailctl key export --format 
	trailctl key export --format=p
	trailctl key rotate 
	trailctl key rotate log 
	trailctl log --type evidence.s
	trailctl log -t trail.c
	trailctl find --status INC
	trailctl hold --reason x pl
	trailctl help verif
	trailctl verify --ju
	trailctl verify f
	trailctl verify --vkey f
	trailctl run a -- f
	trailctl kosli att
	trailctl kosli get 
	trailctl kosli get trail --output m
	trailctl -
	trailfs --fo
	trailfs -o ro,ver
	trailfs -o ro,verify=o
	trailfs --options=durability=b
	trailfs-signer --m
	mkfs.trailfs --ori
	fsck.trailfs d
	END
	asked "$1"
	completes 'trailctl ver' verify
	completes 'trailctl w' 'watch why witness witness-serve'
	completes 'trailctl key ' 'export list rotate'
	completes 'trailctl key export --format ' 'pem spki vkey'
	completes 'trailctl key export --format=p' --format=pem
	completes 'trailctl key rotate ' 'attester log'
	completes 'trailctl log --type evidence.s' evidence.sealed
	completes 'trailctl log -t trail.c' trail.created
	completes 'trailctl find --status INC' INCOMPLETE
	completes 'trailctl hold --reason x pl' place
	completes 'trailctl help verif' verify
	completes 'trailctl verify --ju' --junit
	completes 'trailctl verify f' file
	completes 'trailctl verify --vkey f' file
	completes 'trailctl run a -- f' file
	completes 'trailctl kosli att' attest
	completes 'trailctl kosli get ' 'attestation trail'
	completes 'trailctl kosli get trail --output m' markdown
	completes 'trailctl -' '--help --version -V -h'
	completes 'trailfs --fo' --foreground
	completes 'trailfs -o ro,ver' 'ro,verify='
	completes 'trailfs -o ro,verify=o' 'ro,verify=open'
	completes 'trailfs --options=durability=b' '--options=durability=batch'
	completes 'trailfs-signer --m' --make
	completes 'mkfs.trailfs --ori' --origin
	grep -qx "fsck.trailfs d$(printf '\t')dir/\{0,1\}" answers
}

# bash, on a terminal.
bash_completes() {
	common bash
}

# zsh, on a terminal.
zsh_completes() {
	common zsh
}

# fish, asked with complete -C.
fish_completes() {
	common fish
}

# Each shell has the verbs and the options of the help, and no others.
same() {
	{
		echo 'trailctl '
		while read -r verb; do
			[ "$verb" = kosli ] || echo "trailctl $verb --"
		done <verbs
	} >lines
	asked "$1"
	sed -n 's/^trailctl \t//p' answers | tr ' ' '\n' | sort >got
	{
		cat verbs
		echo help
	} | sort | diff - got
	while read -r verb; do
		[ "$verb" != kosli ] || continue
		is 0 trailctl "$verb" --help
		sed -n 's/^  \(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' out | sort >want
		sed -n "s/^trailctl $verb --	//p" answers | tr ' ' '\n' |
			sort | diff want -
	done <verbs
}

# The same list in bash.
bash_has_each_verb_and_option() {
	same bash
}

# The same list in zsh.
zsh_has_each_verb_and_option() {
	same zsh
}

# The same list in fish.
fish_has_each_verb_and_option() {
	same fish
}

# A key press opens no store and no mount.
completion_opens_nothing() {
	needs strace
	is 0 trailctl init --user root store
	is 0 env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o trace \
		-e trace=%file trailctl --complete verify store/
	says ':files'
	if grep 'store' trace | grep -v execve; then
		exit 1
	fi
}

run there_are_files bash_completes zsh_completes fish_completes \
	bash_has_each_verb_and_option zsh_has_each_verb_and_option \
	fish_has_each_verb_and_option completion_opens_nothing
finish
