#!/bin/sh
# trailctl restore: a vault from a mirror; and programs that would write a mirror.
. "$(dirname "$0")/../suite.sh"

# entries STORE >FILE: all entries.
entries() {
	trailctl log --json "$1"
}

# tree: what a person sees in the mount, without its times of evaluation.
tree() (
	cd "$mnt" || exit 1
	find . -type d -exec stat -c '%n %a %u %g %Y' {} + | sort
	find . -type f -exec stat -c '%n %a %u %g %s %Y' {} + | sort
	find . -type f -exec sha256sum {} + | sort
	find . -type f -exec getfattr -d {} + 2>/dev/null | sort
	cat trail/.trailfs/custody.jsonl trail/run/.trailfs/status \
		trail/.trailfs/holds
)

# A store, a package and a checkpoint of it, and its mirror.
a_mirror_is_made() {
	trailctl init --origin example.org/old store >vkey 2>/dev/null
	mount store
	mkdir "$mnt/trail" "$mnt/trail/run" "$mnt/trail/run/scan"
	echo finding >"$mnt/trail/run/scan/report"
	setfattr -n user.note -v kept "$mnt/trail/run/scan/report"
	head -c 200000 /dev/urandom >"$mnt/trail/run/scan/core"
	chmod 640 "$mnt/trail/run/scan/core"
	trailctl seal "$mnt/trail/run/scan" >/dev/null
	trailctl hold place --reason court "$mnt/trail" case >/dev/null
	mkdir "$mnt/trail/run/notes"
	echo pending >"$mnt/trail/run/notes/text"
	trailctl sync "$mnt" >/dev/null
	trailctl package -o old.zip "$mnt/trail/run" >/dev/null
	cp "$mnt/.trailfs/checkpoint" old.checkpoint
	tree >before
	unmount
	is 0 trailctl mirror store copy
}

# Programs that write say why they do not, and change nothing.
nothing_writes_a_mirror() {
	entries copy >have
	is 1 trailfs copy "$mnt"
	complains 'copy is a mirror; trailctl restore makes a vault of it'
	is 3 trailctl trail create copy/other
	complains 'is a mirror; trailctl restore makes a vault of it'
	is 3 trailctl seal copy/trail
	complains 'is a mirror'
	is 3 trailctl init --recover copy
	complains 'is a mirror'
	entries copy | cmp - have
	is 0 trailctl verify --vkey vkey copy
}

# The origin must be given, and none of the log may be used again.
an_origin_is_used_once() {
	is 2 trailctl restore copy new
	complains '--origin is required'
	is 2 trailctl restore --origin example.org/old copy new
	complains 'is an origin of this log already'
	is 2 trailctl restore --origin 'no origin' copy new
	[ ! -e new ]
}

# What is there is not overwritten, and what is no store is not restored.
wrong_places_are_refused() {
	mkdir full empty
	echo mine >full/file
	is 1 trailctl restore --origin example.org/new copy full
	[ "$(cat full/file)" = mine ]
	is 3 trailctl restore --origin example.org/new empty new
	is 3 trailctl restore --origin example.org/new nowhere new
	[ ! -e new ]
}

# The vault shows what the mirror has, goes on, and verifies under its new key.
a_vault_is_restored() {
	is 0 trailctl restore --origin example.org/new copy new
	complains 'the old key stays good for what was signed before'
	trailctl restore --json --origin example.org/third copy third \
		2>/dev/null | grep -q '^{"vkey":"example.org/third+'
	cp out new.vkey
	grep -q '^example.org/new+' new.vkey
	is 0 trailctl verify --vkey new.vkey new
	says '^signature *OK *of example.org/new, by the key given'
	[ ! -e new/mirror ]
	[ ! -e new/incoming ]
	entries copy >have
	entries new | head -n "$(wc -l <have)" | cmp - have
	entries new | sed -n "$(($(wc -l <have) + 1))p" >first
	grep -q '"previous":{"head":"example.org/old' first
	mount new
	tree >after
	cmp before after
	mkdir "$mnt/trail/run/later"
	echo more >"$mnt/trail/run/later/file"
	is 0 trailctl seal "$mnt/trail/run/later"
	is 0 trailctl package -o new.zip "$mnt/trail/run"
	unmount
	is 0 trailctl verify --vkey new.vkey new
}

# Packages and checkpoints of before are good under the old key, and the new
# vault contains the old log.
the_old_part_stays_provable() {
	is 0 trailctl verify --vkey vkey old.zip
	is 0 trailctl verify --vkey new.vkey new.zip
	is 0 trailctl verify --vkey new.vkey --checkpoint old.checkpoint new
	says '^earlier checkpoint *OK'
	is 4 trailctl verify --vkey vkey new
	sed 's,example.org/old,example.org/odd,' old.checkpoint >odd.checkpoint
	is 4 trailctl verify --vkey new.vkey --checkpoint odd.checkpoint new
}

# The restored vault may be mirrored and restored itself.
a_restored_vault_is_mirrored() {
	is 0 trailctl mirror new copy2
	is 0 trailctl verify --vkey new.vkey copy2
	is 0 trailctl restore --origin example.org/newer copy2 newer
	is 0 trailctl verify newer
	is 2 trailctl restore --origin example.org/old copy2 again
	complains 'is an origin of this log already'
}

# A damaged or missing object makes no vault, and leaves nothing.
a_damaged_mirror_is_refused() {
	object=$(find copy/objects -type f | head -n 1)
	chmod u+w "$object"
	cp "$object" kept
	flip "$object" 70000
	is 4 trailctl restore --origin example.org/bad copy bad
	[ ! -e bad ]
	rm "$object"
	is 4 trailctl restore --origin example.org/bad copy bad
	[ ! -e bad ]
	cp kept "$object"
	is 0 trailctl restore --origin example.org/bad copy bad
}

# killed NUMBER COMMAND...: the command gets SIGKILL at that call that changes a
# disk.  False: it ended before.
killed() {
	call=$1
	shift
	WIRE_SHIM=$BUILD/shim.so WIRE_LOG=$work/wire \
		timeout "$patience_s" mirror-wire call any "$call" "$@" \
		</dev/null >out 2>err && return 1
	return 0
}

# A mirror that is killed at a call has the batch before or the one after, and
# goes on.
a_killed_mirror_is_whole() {
	trailctl init --origin example.org/small small >small.vkey 2>/dev/null
	trailctl trail create small/t >/dev/null
	trailctl attest --begin small/t/w/a "$BUILD/trailctl" vkey >/dev/null
	rm -rf part
	trailctl mirror small part >/dev/null
	trailctl attest small/t/w/b before vkey >/dev/null
	struck=0
	for call in 1 2 3 5 8 13 21 34 55 89 144; do
		rm -rf "part$call"
		cp -a part "part$call"
		# Each is a mirror of its own: one that showed less than its
		# last receipt would be named.
		rm -f "part$call"/keys/mirror.*
		had=$(entries "part$call" | wc -l)
		trailctl mirror small --via "exec env WIRE_SHIM='$BUILD/shim.so' \
			WIRE_LOG='$work/wire' mirror-wire call any $call \
			trailctl mirror --receive '$work/part$call'" \
			>out 2>err || struck=$((struck + 1))
		has=$(entries "part$call" | wc -l)
		is 0 trailctl verify --vkey small.vkey "part$call"
		[ "$has" -eq "$had" ] || [ "$has" -gt "$((had + 2))" ]
		is 0 trailctl mirror small "part$call"
		is 0 trailctl verify --vkey small.vkey "part$call"
		rm -rf "part$call"
	done
	[ "$struck" -gt 3 ]
}

# A restoration that is killed leaves no store that a writer opens; removed, it
# can be done again.
a_killed_restoration_is_no_vault() {
	struck=0
	for call in 1 2 3 5 8 13 21 34 55 89 144 180 210 233 260; do
		rm -rf half
		if killed "$call" trailctl restore --origin example.org/half \
			copy half; then
			struck=$((struck + 1))
			if trailctl trail create half/new >out 2>err; then
				# Only the removal of the mark was left.
				[ ! -e half/mirror ]
				is 0 trailctl verify half
			fi
		else
			is 0 trailctl verify half
		fi
	done
	[ "$struck" -gt 5 ]
	rm -rf half
	is 0 trailctl restore --origin example.org/half copy half
	is 0 trailctl verify half
}

run a_mirror_is_made nothing_writes_a_mirror an_origin_is_used_once \
	wrong_places_are_refused a_vault_is_restored \
	the_old_part_stays_provable a_restored_vault_is_mirrored \
	a_damaged_mirror_is_refused
# A sanitizer wants to be loaded before the shim.
if nm -D "$BUILD/trailctl" 2>/dev/null | grep -q '__[at]san_init'; then
	skipped 'built with a sanitizer' a_killed_mirror_is_whole \
		a_killed_restoration_is_no_vault
else
	run a_killed_mirror_is_whole a_killed_restoration_is_no_vault
fi
finish
