#!/bin/sh
# trailctl in a mount: status, sync, show, log, seal and why.
. "$(dirname "$0")/../suite_tools.sh"

shared_mount=yes

# Status works on the mount, on a file in it, and in its working directory.
any_path_in_a_mount_names_the_vault() {
	mount store
	mkdir -p "mnt/$A"
	cp "$sample"/command-logs/* "mnt/$A/"
	is 0 trailctl status mnt
	says '^origin *example.org/tools'
	says "^mount *$mnt"
	says '^sandbox .*signer (landlock'
	never_says '{'
	is 0 trailctl status "mnt/$A/session-summary.json"
	says '^origin *example.org/tools'
	(cd "mnt/$A" && trailctl status) >out
	says '^origin'
}

# status --json prints one JSON object on one line.
status_in_json_is_one_object() {
	is 0 trailctl status --json mnt
	has_lines 1
	says '^{.*"entries":[0-9]*,.*}$'
	says '"states":{"draft":0,"frozen":'
}

# When sync returns, the file is sealed.
sync_waits_until_files_are_sealed() {
	echo late >"mnt/$A/late.txt"
	is 0 trailctl sync "mnt/$A/late.txt"
	has_lines 0
	is 0 trailctl show "mnt/$A/late.txt"
	says '^state *sealed'
}

# Show prints kind, state, hash and ledger entry of evidence.
show_prints_the_hash_and_the_entry() {
	f=mnt/$A/session-summary.json
	is 0 trailctl show "$f"
	says '^kind *evidence'
	says '^state *sealed'
	says '^entry *[0-9]'
	says "^sha256 *$(sha256sum <"$f" | cut -d ' ' -f 1)\$"
	is 0 trailctl show --json "$f"
	says '"kind":"evidence"'
	says '"index":[0-9]'
	is 0 trailctl show mnt/t/w
	says '^kind *workflow'
	is 3 trailctl show mnt/t/x
	has_lines 0
}

# log --json prints events.jsonl to the byte; log prints a line per entry.
log_is_the_ledger() {
	is 0 trailctl log --json mnt
	cmp out mnt/.trailfs/events.jsonl
	is 0 trailctl log mnt
	has_lines "$(wc -l <mnt/.trailfs/events.jsonl)"
	says '^ *0  ....-..-..T..:..:..Z  ledger.opened'
}

# Log selects entries by type, trail, path, user and time.
log_can_be_narrowed() {
	is 0 trailctl log --type evidence.sealed mnt
	has_lines 3
	cp out sealed
	is 0 trailctl log --type evidence.sealed --type attestation.begun mnt
	says 'evidence.sealed'
	says 'attestation.begun'
	if grep -v -e evidence.sealed -e attestation.begun out; then exit 1; fi
	[ "$(wc -l <out)" -gt "$(wc -l <sealed)" ]
	is 2 trailctl log --type evidence.sealed --type evidence.seal mnt
	is 0 trailctl log --trail t --type trail.created mnt
	has_lines 1
	is 0 trailctl log "mnt/$A/../../../t/w"
	never_says ledger.opened
	never_says trail.created
	says workflow.begun
	is 0 trailctl log "mnt/$A" --type attestation.begun
	has_lines 1
	is 0 trailctl log --uid "$(id -u)" --type trail.created mnt
	has_lines 1
	is 0 trailctl log --uid 54321 mnt
	has_lines 0
	is 0 trailctl log --since 9999-01-01 mnt
	has_lines 0
	is 0 trailctl log --since 2000-01-01T00:00 --type trail.created mnt
	has_lines 1
}

# A misspelled type or path is an error, not an empty answer.
log_never_answers_a_wrong_name_with_nothing() {
	is 2 trailctl log --type evidence.seal mnt
	complains 'evidence.seal'
	is 0 trailctl log --type key.rotated mnt
	has_lines 0
	is 2 trailctl log --trail other mnt
	complains 'no such trail: other'
	is 2 trailctl log --trail t/w mnt
	is 3 trailctl log mnt/t/other
	is 3 trailctl log store/t/other
	complains 'other'
	is 2 trailctl log --trail other store
	complains 'no such trail: other'
	is 0 trailctl log store/t/w
	says workflow.begun
	never_says trail.created
}

# Status of a store finds the daemon that serves it and where it is mounted.
status_of_a_store_names_its_daemon_and_mount() {
	is 0 trailctl status store
	says "^mount  *$mnt\$"
	needs jq
	is 0 trailctl status --json mnt
	pid=$(jq .pid out)
	is 0 trailctl status --json store
	[ "$(jq .pid out)" = "$pid" ]
	[ "$(jq -r .mount out)" = "$mnt" ]
}

# A backslash in a name is printed escaped.
odd_names_are_shown_harmless() {
	echo odd >"mnt/$A/back\\slash"
	is 0 trailctl show "mnt/$A/back\\slash"
	says 'back\\x5cslash'
}

# Seal on a mounted store points to the mount instead of writing.
a_mounted_store_is_not_written_beside_the_mount() {
	is 3 trailctl seal "store/$A"
	complains 'in its mount'
}

# After seal no file can be added to the attestation.
seal_through_the_mount_closes_an_attestation() {
	is 0 trailctl seal --json "mnt/$A"
	says '"sealed":"'"$A"'"'
	if touch "mnt/$A/new" 2>/dev/null; then
		echo "a file was added to a sealed attestation"
		return 1
	fi
	is 0 trailctl show "mnt/$A"
	says '^state *sealed'
}

# A seal that fails names the file that is still open.
seal_names_the_file_that_is_in_the_way() {
	mkdir "mnt/t/w/busy" "mnt/t/w/busy/d"
	exec 9>"mnt/t/w/busy/d/log"
	is 1 trailctl seal mnt/t/w/busy
	exec 9>&-
	complains 'seal t/w/busy: being written below: d/log'
}

# Why prints state, rule and last refusal, also for a name that does not exist.
why_prints_state_rule_and_refusal() {
	echo x >mnt/t/w/file 2>err && exit 1
	rm -f "mnt/$A/late.txt" 2>err && exit 1
	is 0 trailctl why mnt/t/w/file
	says '^state  *no such name'
	says '^rule .*files cannot be here'
	says '^refused .*create t/w/file: EPERM: files can be created in '
	is 0 trailctl why "mnt/$A/late.txt"
	says '^refused .*unlink .*EPERM: .*write a new file'
	is 0 trailctl why mnt/t/w/busy
	says 'being written below: d/log'
	is 0 trailctl why mnt/t/.trailfs/status.json
	says '^state  *reserved'
	is 0 trailctl why mnt
	says '^kind  *root'
	is 2 trailctl why
	is 3 trailctl why nowhere/at/all
	needs jq
	is 0 trailctl why --json "mnt/$A"
	is_canonical
	[ "$(jq -r .kind out)" = attestation ]
}

# A single file cannot be sealed; that is wrong usage.
seal_of_a_file_is_refused() {
	is 2 trailctl seal "mnt/$A/late.txt"
	has_lines 0
}

# Verify of a mount checks the store that is mounted there.
verify_finds_the_store_of_a_mount() {
	is 0 trailctl verify mnt
	says '^contents *OK'
}

# umount(8) returns before the daemon has closed the store.
a_store_is_mounted_again_at_once() {
	is 0 trailctl init --origin example.org/again again
	mkdir at at-2
	for i in 1 2 3 4 5 6 7 8 9 10; do
		is 0 trailfs again at -o settle=0
		mkdir -p at/t/w/a$i
		for n in 1 2 3 4 5 6 7 8; do
			echo $i >at/t/w/a$i/$n
		done
		is 0 umount at
	done
	is 0 trailfs again at -o ro
	is 0 cmp at/t/w/a1/1 at/t/w/a1/8
	is 0 umount at
	is 0 trailfs again at
	is 3 trailfs again at-2
	complains 'in use by trailfs pid'
	is 0 umount at
	flock -w 30 again/lock true
	is 0 trailctl verify again
}

with /dev/fuse a_store_is_made
with /dev/fuse any_path_in_a_mount_names_the_vault \
	status_in_json_is_one_object \
	sync_waits_until_files_are_sealed \
	show_prints_the_hash_and_the_entry \
	log_is_the_ledger \
	log_can_be_narrowed \
	log_never_answers_a_wrong_name_with_nothing \
	status_of_a_store_names_its_daemon_and_mount \
	odd_names_are_shown_harmless \
	a_mounted_store_is_not_written_beside_the_mount \
	seal_through_the_mount_closes_an_attestation \
	seal_names_the_file_that_is_in_the_way \
	why_prints_state_rule_and_refusal \
	seal_of_a_file_is_refused \
	verify_finds_the_store_of_a_mount \
	a_store_is_mounted_again_at_once
finish
