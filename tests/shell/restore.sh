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

run a_mirror_is_made nothing_writes_a_mirror an_origin_is_used_once \
	wrong_places_are_refused a_vault_is_restored \
	the_old_part_stays_provable a_restored_vault_is_mirrored \
	a_damaged_mirror_is_refused
finish
