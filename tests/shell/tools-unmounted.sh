#!/bin/sh
# trailctl on a store whose mount is gone.
. "$(dirname "$0")/../suite_tools.sh"

shared_mount=yes

# Show, log, status and why print the same from the store as from the mount.
a_store_is_read_without_its_mount() {
	is 0 trailctl show "mnt/$A/late.txt"
	cp out mounted
	is 0 trailctl log --json mnt
	cp out log
	unmount
	is 0 trailctl show "store/$A/late.txt"
	cmp out mounted
	is 0 trailctl log --json store
	head -n "$(wc -l <log)" out | cmp - log
	is 0 trailctl status store
	says '^origin *example.org/tools'
	says '^mount *not mounted$'
	is 0 trailctl why "store/$A"
	says '^refused  *unknown'
	is 0 trailctl status --json store
	never_says '"pid"'
	never_says '"mount"'
	for path in mnt "mnt/$A/late.txt" mnt/t; do
		for verb in status ls show seal why package verify; do
			case $verb in
			package) is 3 trailctl $verb -o x.zip "$path" ;;
			*) is 3 trailctl $verb "$path" ;;
			esac
			complains 'nothing is mounted at mnt: mount the vault with "trailfs STORE mnt"$'
		done
	done
	is 3 trailctl show "store/$A/none"
	is 3 trailctl show "store/../store/$A/none"
}

# A mount point of fstab(5) is mounted without naming the store.
a_mount_point_of_fstab_is_known() {
	needs unshare
	[ "$(id -u)" = 0 ] || skip "not root"
	echo "$work/store $work/mnt fuse.trailfs defaults 0 0" >fstab
	# shellcheck disable=SC2016  # for the inner shell
	is 3 unshare -m sh -c 'mount --bind "$0" /etc/fstab && trailctl status mnt' \
		"$work/fstab"
	complains 'nothing is mounted at mnt: mount the vault with "mount mnt"$'
}

# A seal without a mount is recorded as done by trailctl.
seal_without_a_mount_is_by_trailctl() {
	is 0 trailctl seal store/t/w
	is 0 trailctl log --type workflow.sealed store
	says '(trailctl)'
	is 0 trailctl log --json --type ledger.closed store
	tail -n 1 out | grep -q '"reason":"done"'
	is 0 trailctl sync store
	is 0 trailctl verify store
}

# Entries keep the origin they were recorded under: proofs survive a recovery.
evidence_of_before_a_recovery_is_proven_after_it() {
	rm -rf behind
	cp -a store behind
	is 0 trailctl sync store
	cp -f store/checkpoint behind/checkpoint
	is 0 trailctl init --recover behind
	cp out vkey.new
	f=$A/session-summary.json
	cp "$sample/command-logs/session-summary.json" kept.json
	is 0 trailctl prove -o kept.tlog-proof "behind/$f"
	is 0 trailctl verify --vkey vkey.new kept.tlog-proof kept.json
	says '^entries *OK'
	says '^signature *OK *of example.org/tools/2, by the key given'
	says '^entry .* of example.org/tools$'
	is 4 trailctl verify --vkey vkey kept.tlog-proof kept.json
	is 0 trailctl package --no-entry -o kept.zip behind/t
	is 0 trailctl verify --vkey vkey.new kept.zip
	is 0 trailctl verify behind
	is 0 trailctl prove -o kept.tlog-proof "store/$f"
	is 0 trailctl verify --vkey vkey kept.tlog-proof kept.json
}

# A byte changed in the database is found, with entry and path.
verify_names_the_file_that_was_changed() {
	cp -r store copy
	sed -i 's/uid=0(root)/uid=7(nobd)/' copy/ledger.db
	is 4 trailctl verify copy
	says '^contents *FAILED'
	says "entry [0-9]*, $A/ecs-.*log: "
	is 4 trailctl verify --json copy
	says '"link":"contents","path":"'"$A"
	says '"contents":"FAILED"'
}

with /dev/fuse a_store_is_made evidence_is_recorded
with /dev/fuse a_store_is_read_without_its_mount \
	a_mount_point_of_fstab_is_known \
	seal_without_a_mount_is_by_trailctl \
	evidence_of_before_a_recovery_is_proven_after_it \
	verify_names_the_file_that_was_changed
finish
