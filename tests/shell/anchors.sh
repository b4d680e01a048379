#!/bin/sh
# verify against every kind of memory outside the machine: a log that is shorter
# than one, or has another history, is damage (exit status 4), in each form in which
# a log can be verified, and the output says which memory it is.
. "$(dirname "$0")/../suite_tools.sh"
tsa=$top/tests/tsa

# forms STORE: its log as files, and a package.  Neither changes the store.
forms() {
	trailctl export-log "$1" "log-$1"
	trailctl package --no-entry -o "package-$1.zip" "$1/t"
}

# A log with all anchors, an older copy of it, and one with another history.
there_are_three_histories() {
	is 0 trailctl init --origin example.org/anchors whole
	cp out vkey
	is 0 trailctl trail create whole/t
	echo evidence >evidence
	is 0 trailctl attest --begin whole/t/w/a evidence
	trailctl mirror whole mirror-short
	cp -a whole short
	cp -a whole other
	is 0 trailctl init --moved other
	is 0 trailctl attest --begin other/t/w/f evidence
	is 0 trailctl attest --begin other/t/w/g evidence
	mkdir far
	echo "guard = $work/far/guard" >>whole/config
	is 0 trailctl attest --begin whole/t/w/b evidence
	"$tsa" make authority
	is 0 trailctl witness-serve --init witness.example/seer seer
	cp out seer.vkey
	cat vkey >>seer/logs
	{
		echo "log $(cat vkey)"
		echo "witness w1 $(cat seer.vkey) http://a.example/seer"
		echo 'group all 1 w1'
		echo 'quorum all'
	} >policy
	is 0 trailctl stamp --via "$tsa answer authority good" \
		--chain authority/chain.pem --name one whole
	is 0 trailctl witness --policy policy \
		--via 'trailctl witness-serve seer' whole
	trailctl mirror whole receiver-whole
	mkdir held
	mount whole -o settle=0
	cat mnt/.trailfs/cosigned/*receiver-whole.mirror >held/mirror
	cat mnt/.trailfs/cosigned/*.witness >held/witness
	cat mnt/.trailfs/stamps/*.note >held/stamp
	cat mnt/.trailfs/checkpoint.cosigned >held/cosigned
	unmount
	cp whole/checkpoint held/checkpoint
	cp far/guard held/guard
	for _ in 1 2 3 4 5 6 7 8 9; do
		is 0 trailctl sync other # until it is longer
	done
	for history in whole other; do
		trailctl mirror $history mirror-$history
	done
	for history in whole short other; do
		forms $history
	done
	[ "$(sed -n 2p other/checkpoint)" -gt "$(sed -n 2p held/guard)" ]
	[ "$(sed -n 2p short/checkpoint)" -lt "$(sed -n 2p held/stamp)" ]
}

# judged STATUS TARGET FILE PATTERN [OPTION...]: with and without the key.
judged() {
	status=$1
	target=$2
	file=$3
	pattern=$4
	shift 4
	is "$status" trailctl verify --vkey vkey --checkpoint "held/$file" \
		"$@" "$target"
	says "$pattern"
	case $target in
	log-* | package-*) return ;; # they need the key
	esac
	is "$status" trailctl verify --checkpoint "held/$file" "$@" "$target"
	says "$pattern"
}

# All of a kind: each file that is held is compared with each form.
every_memory_is_compared_with_every_form() {
	[ "$(find held -type f | wc -l)" -eq 6 ]
	for history in whole short other; do
		mount $history -o ro
		for file in checkpoint cosigned guard mirror stamp witness; do
			n=$(sed -n 2p held/$file)
			case $history in
			whole) set -- 0 '^earlier checkpoint *OK' ;;
			short) set -- 4 "hold has $n entries, this log [0-9]*: entr" ;;
			other) set -- 4 "the $n entries of what you hold are not" ;;
			esac
			for target in $history log-$history mnt; do
				judged "$1" "$target" "$file" "$2"
			done
			[ $history = whole ] ||
				judged "$1" mirror-$history "$file" "$2"
			# The store behind the mount.
			judged "$1" mnt "$file" "$2" --rebuild
		done
		unmount
	done
}

# A package has one tree and those of its anchors: it says so of any other size.
a_package_is_compared_where_it_can_be() {
	for file in mirror stamp witness; do
		judged 0 package-whole.zip "$file" '^earlier checkpoint *OK'
	done
	for file in checkpoint guard; do
		for history in short other; do
			judged 5 package-$history.zip "$file" \
				'^earlier checkpoint *ABSENT *no checkpoint or anchor'
		done
	done
	# Of the other history, where the sizes agree: its head, and an anchor.
	for n in "$(sed -n 2p log-other/checkpoint)" "$(sqlite3 \
		other/ledger.db 'SELECT max(size) FROM anchor')"; do
		while [ "$(sed -n 2p whole/checkpoint)" -lt "$n" ]; do
			is 0 trailctl sync whole
		done
		sqlite3 whole/ledger.db "SELECT CAST(note AS TEXT) FROM checkpoint
			WHERE size = $n" | sed '${/^$/d}' >held/same
		[ -s held/same ]
		judged 4 package-other.zip same 'the log told two stories'
		rm held/same
	done
}

# What a store finds by itself: the guard, and the checkpoint beside the database.
what_a_store_finds_itself_is_compared() {
	for history in short other; do
		rm -rf guarded
		cp -a $history guarded
		echo "guard = $work/held/guard" >>guarded/config
		is 4 trailctl verify guarded
		says '\(the guard has\|entries of the guard are not\)'
		mount guarded -o ro
		is 4 trailctl verify --rebuild mnt
		says '\(the guard has\|entries of the guard are not\)'
		unmount
		for file in checkpoint mirror stamp witness cosigned; do
			rm -rf found
			cp -a $history found
			cp held/$file found/checkpoint
			is 4 trailctl verify found
			says 'the checkpoint beside the database \(has\|are\)'
		done
	done
}

# With the key given, a checkpoint that is missing, unsigned, altered, or of
# another log is damage.
the_newest_checkpoint_must_be_there_and_signed() {
	is 0 trailctl init --origin example.org/another another
	for target in whole mirror-whole log-whole; do
		while read -r how edit; do
			rm -rf edited
			cp -a $target edited
			rm edited/checkpoint
			case $how in
			missing) ;;
			another) cp another/checkpoint edited/checkpoint ;;
			*) sed "$edit" $target/checkpoint >edited/checkpoint ;;
			esac
			is 4 trailctl verify --vkey vkey edited
			says '^signature *FAILED'
			# Without the key, what the store has contradicts itself.
			[ "$how" = missing ] || [ $target = log-whole ] ||
				is 4 trailctl verify edited
		done <<-'EOF'
			missing
			another
			empty s/.*//
			unsigned $d
			altered $s/.....$/AAAA=/
			renamed 1s/anchors/anchor/
		EOF
	done
	# What is given must be of this log, too.
	cp another/checkpoint held/another
	sed '2s/^/9/' held/guard >held/altered
	for file in another altered; do
		for target in whole mirror-whole log-whole package-whole.zip; do
			judged 4 $target "$file" 'hold is no checkpoint of this log'
		done
	done
	sed '$d' held/guard >held/unsigned
	is 2 trailctl verify --vkey vkey --checkpoint held/unsigned whole
	complains 'the earlier checkpoint: '
}

with 'sqlite3 openssl' there_are_three_histories
with 'sqlite3 openssl /dev/fuse' every_memory_is_compared_with_every_form
with sqlite3 a_package_is_compared_where_it_can_be
with /dev/fuse what_a_store_finds_itself_is_compared
run the_newest_checkpoint_must_be_there_and_signed
finish
