# bash completion of trailctl, trailfs, trailfs-signer, mkfs.trailfs, fsck.trailfs.
# The programs say what can follow, with --complete.
# shellcheck shell=bash

_trailctl() {
	local program=$1 rest=${COMP_LINE:0:COMP_POINT} i word line typed cut=
	local -a words=() found=()

	# bash also divides words at "=" and ":": put them together again.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $i -eq 0 || $rest == [[:space:]]* ]]; then
			rest=${rest#"${rest%%[![:space:]]*}"}
			words+=('')
		fi
		((i < COMP_CWORD)) || word=$rest
		words[${#words[@]} - 1]+=$word
		rest=${rest#"$word"}
	done
	typed=${words[${#words[@]} - 1]}
	[[ ${program:0:2} != '~'/ ]] || program=$HOME/${program:2}

	while IFS= read -r line; do
		case $line in
		:files)
			[[ $typed != --*=* ]] || typed=${typed#*=} cut=
			compopt -o filenames 2>/dev/null
			while IFS= read -r word; do
				found+=("$word")
			done < <(compgen -f -- "$typed")
			;;
		:directories)
			[[ $typed != --*=* ]] || typed=${typed#*=} cut=
			compopt -o filenames 2>/dev/null
			while IFS= read -r word; do
				found+=("$word")
			done < <(compgen -d -- "$typed")
			;;
		*)
			found+=("${line%%$'\t'*}")
			;;
		esac
	done < <("$program" --complete "${words[@]:1}" 2>/dev/null)

	# What stands before the last "=" is no part of the word for bash.
	if [[ $typed == *=* && $COMP_WORDBREAKS == *=* ]]; then
		cut=${typed%"${typed##*=}"}
	fi
	COMPREPLY=("${found[@]#"$cut"}")
	[[ ${#found[@]} -ne 1 || ${found[0]} != *= ]] ||
		compopt -o nospace 2>/dev/null
}

complete -F _trailctl trailctl trailfs trailfs-signer mkfs.trailfs fsck.trailfs
