#!/bin/sh
# shellcheck disable=SC2086 # $user is a list of words
# trailctl backup and trailctl restore: a copy of a store that is in use, kept up to
# date, and a vault that is made of it.
. "$(dirname "$0")/../suite.sh"

chmod 755 "$work"
# As another person of the same group, who may pass a redaction.
user='setpriv --reuid 54321 --regid 54321 --clear-groups env -u SUDO_USER'

# entries STORE >FILE: all entries.
entries() {
	trailctl log --json "$1"
}

# number KEY: that number of the JSON that the last `is` printed.
number() {
	grep -o "\"$1\":[0-9]*" out | grep -o '[0-9]*$'
}

# record NAME: evidence of a few bytes and of many, in an attestation of its own.
record() {
	mkdir "$mnt/t/w/$1"
	echo "evidence $1" >"$mnt/t/w/$1/short"
	head -c 150000 /dev/urandom >"$mnt/t/w/$1/long"
	trailctl sync "$mnt" >/dev/null
}

# killed NUMBER COMMAND...: the command gets SIGKILL at that call that changes a
# disk.  full: from that call on the disk is full.  False: it ended well.
fault=call
# killed CALL COMMAND...: see above.
killed() {
	call=$1
	shift
	WIRE_SHIM=$BUILD/shim.so WIRE_LOG=$work/wire \
		timeout "$patience_s" mirror-wire "$fault" any "$call" "$@" \
		</dev/null >out 2>err && return 1
	return 0
}

# A backup of a mounted store verifies, and the store is not changed.
a_mounted_store_is_backed_up() {
	trailctl init --origin example.org/old store >vkey 2>/dev/null
	mount store -o settle=0
	mkdir "$mnt/t" "$mnt/t/w"
	record one
	entries "$mnt" >before
	is 0 trailctl backup --json "$mnt" copy
	[ "$(number entries)" -eq "$(wc -l <before)" ]
	[ "$(number objects)" -eq 1 ]
	[ "$(number bytes)" -eq 150000 ]
	complains 'the private keys are NOT in this backup'
	entries "$mnt" | cmp - before
	entries copy | cmp - before
	is 0 trailctl verify --vkey vkey copy
	says '^contents *OK *2 files, 150013 bytes'
	grep -q '^backup of example.org/old$' copy/backup
	[ -z "$(find copy/incoming -type f)" ]
	find copy -perm /077 ! -type l >open
	[ ! -s open ]
}

# The second run copies what is new; without news it writes nothing.
a_second_run_copies_what_is_new() {
	record two
	is 0 trailctl backup --json "$mnt" copy
	[ "$(number objects)" -eq 1 ]
	[ "$(number present)" -eq 1 ]
	[ "$(number new)" -gt 0 ]
	[ "$(number ledgerPages)" -lt "$(($(stat -c %s copy/ledger.db) / 4096))" ]
	is 0 trailctl backup --json "$mnt" copy
	[ "$(number objects)" -eq 0 ]
	[ "$(number new)" -eq 0 ]
	[ "$(number ledgerPages)" -eq 0 ]
	[ "$(number ledgerBytes)" -eq 0 ]
	entries "$mnt" >before
	entries copy | cmp - before
	is 0 trailctl verify --vkey vkey copy
	# The pages are those of the store.
	sqlite3 store/ledger.db .dump >store.sql
	sqlite3 copy/ledger.db .dump | cmp - store.sql
}

# Keys come only with --keys, and both sides of that are said.
keys_are_copied_on_request() {
	[ ! -e copy/keys/log.pem ]
	[ ! -e copy/keys/attester.pem ]
	is 0 trailctl backup --keys "$mnt" with-keys
	complains 'the PRIVATE KEYS are in this backup'
	cmp store/keys/log.pem with-keys/keys/log.pem
	[ "$(stat -c %a with-keys/keys/log.pem)" = 400 ]
	is 0 trailctl backup "$mnt" with-keys
	complains 'PRIVATE KEYS of an earlier run'
	is 0 trailctl verify --vkey vkey with-keys
}

# No program that writes takes a backup for its store, with or without keys.
nothing_writes_a_backup() {
	mkdir shown empty
	for dir in copy with-keys; do
		entries "$dir" >have
		is 1 trailfs "$dir" empty
		complains "$dir is a backup; trailctl restore makes a vault of it"
		is 3 trailctl trail create "$dir/other"
		complains 'is a backup; trailctl restore makes a vault'
		is 3 trailctl init --recover "$dir"
		is 3 trailctl init --moved "$dir"
		entries "$dir" | cmp - have
	done
	# Reading is allowed, and no update comes meanwhile.
	timeout 30 trailfs copy shown -o ro
	cmp "$mnt/t/w/one/long" shown/t/w/one/long
	is 3 trailctl backup "$mnt" copy
	complains 'copy is in use'
	fusermount3 -u shown
	flock -w 30 copy/lock true
	is 0 trailctl backup "$mnt" copy
}

# Another directory than that of this store's backup is not touched.
wrong_directories_are_refused() {
	mkdir -m 755 full
	echo mine >full/file
	is 1 trailctl backup "$mnt" full
	complains 'full is not empty, and no backup'
	[ "$(ls full)" = file ]
	[ "$(stat -c %a full)" = 755 ]
	is 1 trailctl restore --origin example.org/other copy full
	complains 'full is not empty'
	[ "$(stat -c %a full)" = 755 ]
	trailctl init other >/dev/null 2>&1
	is 3 trailctl backup other copy
	complains 'copy is the backup of another store'
	is 2 trailctl backup "$mnt" store/inside
	complains 'is in the store itself: a backup needs a directory outside'
	is 2 trailctl backup "$mnt" "$mnt/t/inside"
	is 2 trailctl backup "$mnt" store
	[ ! -e store/inside ]
	is 3 trailctl backup nowhere copy
	is 0 trailctl verify --vkey vkey copy
}

# What is not sealed comes along: drafts, also long ones, and placeholders.
pending_files_come_along() {
	head -c 200000 /dev/urandom >"$mnt/t/w/two/draft.part"
	echo short >"$mnt/t/w/two/short.part"
	: >"$mnt/t/w/two/empty"
	is 0 trailctl backup --json "$mnt" copy
	[ "$(number pending)" -eq 3 ]
	[ "$(find copy/stage -type f | wc -l)" -eq 1 ]
	is 0 trailctl restore --origin example.org/pending copy pending
	timeout 30 trailfs pending shown
	cmp "$mnt/t/w/two/draft.part" shown/t/w/two/draft.part
	[ "$(cat shown/t/w/two/short.part)" = short ]
	[ -e shown/t/w/two/empty ]
	fusermount3 -u shown
	flock -w 30 pending/lock true
	rm -rf pending
	# They go from the backup when they are gone.
	rm "$mnt/t/w/two/draft.part"
	is 0 trailctl backup "$mnt" copy
	[ -z "$(find copy/stage -type f)" ]
}

# While four writers write and seal, each backup is one state of the ledger, and
# each continues the one before.
a_busy_store_is_backed_up_whole() {
	for i in 1 2 3 4; do
		(
			n=0
			while [ ! -e enough ] && [ "$n" -lt 2000 ]; do
				n=$((n + 1))
				mkdir "$mnt/t/w/writer-$i-$n"
				seq "$n" $((n + 20)) >"$mnt/t/w/writer-$i-$n/list"
				seq 1 20000 >"$mnt/t/w/writer-$i-$n/long-$i"
			done
		) &
	done
	rounds=0 grew=0
	while [ "$rounds" -lt 8 ]; do
		rounds=$((rounds + 1))
		is 0 trailctl backup --json "$mnt" busy
		[ "$(number new)" -eq 0 ] || grew=$((grew + 1))
		is 0 trailctl verify --vkey vkey busy
		[ ! -e last ] || is 0 trailctl verify --vkey vkey \
			--checkpoint last busy
		cp busy/checkpoint last
	done
	touch enough
	wait
	[ "$grew" -ge 3 ]
	trailctl sync "$mnt" >/dev/null
	is 0 trailctl backup "$mnt" busy
	entries "$mnt" >before
	entries busy | cmp - before
}

# proposal: the number of the newest proposal.
proposal() {
	trailctl log --json "$mnt" | grep '"type":"redaction.proposed"' |
		tail -n 1 | grep -o '"seq":[0-9]*' | grep -o '[0-9]*'
}

# What two people redact goes from the backup, from its database and its files, and
# what was erased is named.
a_redaction_reaches_the_backup() {
	unmount
	mount store -o settle=0,allow_other
	mkdir "$mnt/t/w/secret"
	echo 'A name that must go' >"$mnt/t/w/secret/short"
	(
		echo 'Another name that must go'
		seq 1 20000
	) >"$mnt/t/w/secret/long"
	chown 54321:54321 "$mnt/t" "$mnt/t/w" "$mnt/t/w/secret"
	trailctl seal "$mnt/t/w/secret" >/dev/null
	is 0 trailctl backup "$mnt" copy
	grep -rqal 'name that must go' copy
	for file in short long; do
		is 0 trailctl redact "$mnt/t/w/secret/$file" --reason 'Request 7'
		is 0 $user trailctl redact "$mnt/t/w/secret/$file" --approve \
			"$(proposal)"
	done
	is 0 trailctl backup "$mnt" copy
	complains 't/w/secret/long: erased from the backup'
	if grep -rqal 'name that must go' copy; then
		exit 1
	fi
	is 0 trailctl verify --vkey vkey copy
	says '^contents *OK'
	is 0 trailctl backup "$mnt" copy
	if grep erased err; then
		exit 1
	fi
}

# A backup that runs beside redactions is whole.
redactions_beside_a_backup() {
	for i in 1 2 3 4 5 6; do
		mkdir "$mnt/t/w/gone-$i"
		seq "$i" 30000 >"$mnt/t/w/gone-$i/long"
		chown 54321:54321 "$mnt/t/w/gone-$i"
		trailctl seal "$mnt/t/w/gone-$i" >/dev/null
		is 0 trailctl redact "$mnt/t/w/gone-$i/long" --reason 'Request 8'
		proposal >>proposals
	done
	[ "$(wc -l <proposals)" -eq 6 ]
	(
		i=0
		while read -r proposal; do
			i=$((i + 1))
			$user trailctl redact "$mnt/t/w/gone-$i/long" \
				--approve "$proposal" >/dev/null 2>&1
		done <proposals
	) &
	for i in 1 2 3 4; do
		is 0 trailctl backup "$mnt" "beside-$((i % 2))"
		is 0 trailctl verify --vkey vkey "beside-$((i % 2))"
	done
	wait
	is 0 trailctl backup "$mnt" beside-0
	[ "$(trailctl log --json "$mnt" | grep -c redaction.done)" -eq 8 ]
	is 0 trailctl verify --vkey vkey beside-0
	unmount
}

# A store that is rolled back, has another history or is altered does not replace a
# good backup.
a_damaged_store_replaces_nothing() {
	cp -a store good
	trailctl trail create store/newer >/dev/null
	is 0 trailctl backup store copy
	entries copy >have
	is 4 trailctl backup good copy
	complains 'was an older copy put back?  The backup stays as it was'
	trailctl init --moved good >/dev/null 2>&1
	for name in a b c; do
		trailctl trail create "good/$name" >/dev/null
	done
	is 4 trailctl backup good copy
	complains 'another history'
	entries copy | cmp - have
	# An altered byte of evidence in the database.
	cp -a store altered
	sqlite3 altered/ledger.db "SELECT sql || ';' FROM sqlite_schema
		WHERE name IN ('object_update', 'digest_delete')" >triggers
	sqlite3 altered/ledger.db "DROP TRIGGER object_update;
		DROP TRIGGER digest_delete;
		UPDATE object SET body = x'00' WHERE id = (SELECT object.id
		FROM digest JOIN object ON object.id = digest.object
		WHERE length(body) = 13 LIMIT 1)"
	sqlite3 altered/ledger.db <triggers
	is 4 trailctl backup altered copy
	complains 'altered'
	complains 'stays as it was'
	entries copy | cmp - have
	is 0 trailctl verify --vkey vkey copy
	[ -z "$(find copy/incoming -type f)" ]
}

# The order of trailfs-recipes-operation(7) for other programs gives one state while files are
# recorded, and a vault is made of it.
a_copy_by_other_programs_is_one_state() {
	trailctl init --origin example.org/raw raw >raw.vkey 2>/dev/null
	mount raw -o settle=0
	mkdir "$mnt/t" "$mnt/t/w"
	rm -f enough
	(
		n=0
		while [ ! -e enough ] && [ "$n" -lt 500 ]; do
			n=$((n + 1))
			mkdir "$mnt/t/w/a$n"
			seq "$n" 15000 >"$mnt/t/w/a$n/long"
			echo "$n" >"$mnt/t/w/a$n/short"
		done
	) &
	round=0
	until [ "$round" -ge 5 ] && trailctl verify --vkey raw.vkey plain >out 2>err; do
		round=$((round + 1))
		rm -rf plain
		mkdir -m 700 plain
		cp raw/checkpoint plain/
		sqlite3 raw/ledger.db '.backup plain/ledger.db'
		rsync -a --exclude '/ledger.db*' --exclude '/index.db*' \
			--exclude /lock --exclude /checkpoint \
			--exclude /stage.key --exclude /keys/stage.key --exclude /keys/log.pem \
			--exclude /keys/attester.pem raw/ plain/ 2>rsync.err ||
			grep -q 'vanished' rsync.err
		# A copy between a commit and its signature lacks that.
		verifies_unsigned --vkey raw.vkey plain
	done
	echo "$round" >enough
	wait
	unmount
	is 0 trailctl restore --origin example.org/raw/2 plain unplain
	is 0 trailctl verify unplain
	# Nothing proves entries after the newest signature.
	sqlite3 plain/ledger.db '.dbconfig enable_trigger off' \
		'DELETE FROM checkpoint
		WHERE size = (SELECT max(size) FROM checkpoint)' >/dev/null
	is 1 trailctl restore --origin example.org/raw/3 plain short
	complains 'entries at the end are not signed yet'
	[ ! -e short ]
}

# A lost object is named and keeps nothing else from being backed up; an object of
# the backup that lost its end is copied again.
a_lost_object_is_named() {
	cp -a store lost
	object=$(cd copy && find objects -type f | head -n 1)
	rm "lost/$object"
	is 4 trailctl backup lost fresh
	complains 'contents: .*missing'
	is 4 trailctl verify fresh
	is 0 trailctl backup lost copy
	is 0 trailctl verify --vkey vkey copy
	cp "copy/$object" whole
	truncate -s 100 "copy/$object"
	is 0 trailctl backup store copy
	cmp whole "copy/$object"
	is 0 trailctl verify --vkey vkey copy
}

# The drill: the store is lost, and its vault is restored and goes on.  The guard and
# a mirror say what was written after the backup.
a_lost_store_is_restored() {
	trailctl init --origin example.org/drill drill >drill.vkey 2>/dev/null
	mkdir disk
	echo "guard = $work/disk/guard" >>drill/config
	mount drill -o settle=0
	mkdir "$mnt/t" "$mnt/t/w"
	record one
	cp "$mnt/.trailfs/checkpoint" pinned
	is 0 trailctl backup "$mnt" drill-backup
	record two
	trailctl sync "$mnt" >/dev/null
	unmount
	is 0 trailctl mirror drill drill-mirror
	rm -rf drill
	is 2 trailctl restore drill-backup drill
	complains '--origin is required'
	is 2 trailctl restore --origin example.org/drill drill-backup drill
	complains 'is an origin of this log already'
	[ ! -e drill ]
	is 0 trailctl restore --origin example.org/drill/2 drill-backup drill
	cp out new.vkey
	complains "entries were written after this backup, as the guard \
$work/disk/guard shows, and are LOST"
	grep -q '^example.org/drill/2+' new.vkey
	[ ! -e drill/backup ]
	[ ! -e drill/incoming ]
	is 0 trailctl verify --vkey new.vkey --checkpoint pinned drill
	says '^earlier checkpoint *OK'
	entries drill | grep '"previous"' | grep -q '"lost":"example.org/drill'
	is 4 trailctl compare drill drill-mirror
	# It goes on: what was there is there, and new evidence is recorded.
	mount drill -o settle=0
	[ "$(cat "$mnt/t/w/one/short")" = 'evidence one' ]
	[ ! -e "$mnt/t/w/two" ]
	record three
	is 0 trailctl package -o drill.zip "$mnt/t/w"
	unmount
	is 0 trailctl verify --vkey new.vkey drill.zip
	is 0 trailctl verify --vkey new.vkey drill
	is 0 trailctl backup drill drill-second
	is 0 trailctl verify --vkey new.vkey drill-second
	# It is another state of the same store: the old backup is not replaced.
	is 0 trailctl backup drill drill-backup
}

# With --keys the private keys of the backup are used, if it has them.
a_vault_goes_on_with_its_keys() {
	is 2 trailctl restore --keys --origin example.org/k drill-mirror kept
	is 3 trailctl restore --keys --origin example.org/k copy kept
	complains 'has no keys/log.pem'
	rm -rf kept
	is 0 trailctl restore --keys --origin example.org/k with-keys kept
	cmp store/keys/log.pem kept/keys/log.pem
	cmp store/keys/attester.pem kept/keys/attester.pem
	is 0 trailctl verify kept
	trailctl trail create kept/more >/dev/null
	is 0 trailctl verify kept
	# A restored store is not written over.
	is 1 trailctl restore --origin example.org/k2 copy kept
	is 1 trailctl restore --origin example.org/k2 copy with-keys
	complains 'is a backup: a restored store needs another directory'
}

# What root restores belongs to the owner of the directory, who then serves it; a
# backup is not made in the directory of somebody else.
a_restored_store_belongs_to_its_directory() {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	mkdir -m 700 given
	chown 54321:54321 given
	is 3 trailctl backup store given
	complains 'given belongs to uid 54321'
	is 0 trailctl restore --origin example.org/given copy given
	find given ! -uid 54321 ! -path 'given/keys*' >others
	[ ! -s others ] || {
		cat others
		exit 1
	}
	is 0 trailctl verify given
}

# cut_at CALL...: kill the backup of small to part at each of these calls; what is
# there is the state before or the one after, and the next run goes on.
cut_at() {
	struck=0
	for call; do
		rm -rf part
		[ ! -e base ] || cp -a base part
		killed "$call" trailctl backup small part || continue
		struck=$((struck + 1))
		if [ -e part/ledger.db ]; then
			is 0 trailctl verify --vkey small.vkey part
			entries part >have
			cmp have old.entries || cmp have new.entries
		else
			[ ! -e base ]
		fi
		is 0 trailctl backup small part
		is 0 trailctl verify --vkey small.vkey part
		entries part | cmp - new.entries
		[ -z "$(find part/incoming -type f)" ]
	done
	[ "$struck" -gt "$1" ]
}

# A first backup that is killed or finds a full disk goes on.
a_cut_first_backup_goes_on() {
	trailctl init --origin example.org/small small >small.vkey 2>/dev/null
	trailctl trail create small/t >/dev/null
	trailctl attest --begin small/t/w/a "$BUILD/trailctl" small.vkey >/dev/null
	entries small >new.entries
	: >old.entries
	rm -rf base
	cut_at 1 2 3 4 6 9 13 18 23 28 33 38 43 48 53 58
	fault=full
	cut_at 1 4 10 21 33 43
	# The message names the directory.
	rm -rf part
	said=0
	for call in 10 12 14 16; do
		killed "$call" trailctl backup small part || continue
		if grep -q '^trailctl: part: .*No space left on device' err; then
			said=$((said + 1))
		fi
	done
	[ "$said" -gt 0 ]
}

# So does an update.
a_cut_update_goes_on() {
	rm -rf base
	trailctl backup small base >/dev/null 2>&1
	entries small >old.entries
	trailctl attest small/t/w/b "$BUILD/trailfs" small.vkey >/dev/null
	entries small >new.entries
	cut_at 1 2 3 5 7 9 11 14 17 20 23 26 29 32 35 38 41 44 47 50 53 56 59 62 65
	fault=full
	cut_at 1 3 8 14 20 28 36 44
}

# A restoration that is killed is no store that a writer opens, and goes on.
a_cut_restoration_goes_on() {
	rm -rf base
	trailctl backup small base >/dev/null 2>&1
	struck=0
	for call in 1 2 3 8 13 21 30 38 46 55 65 75 85 95 110 120; do
		rm -rf half
		killed "$call" trailctl restore --origin example.org/half base half ||
			continue
		struck=$((struck + 1))
		if [ -e half/ledger.db ] &&
			trailctl trail create half/new >out 2>err; then
			# Only the removal of the mark was left.
			[ ! -e half/backup ]
			is 0 trailctl verify half
			continue
		fi
		is 0 trailctl restore --origin example.org/half base half
		is 0 trailctl verify half
		trailctl trail create half/new >/dev/null
		is 0 trailctl verify half
	done
	[ "$struck" -gt 8 ]
}

# memory STORE ORIGIN: the entries of the last tree that its signer signed.
memory() {
	tr -d '\0' <"$1/keys/signer.state" | grep "^$2 " | cut -d ' ' -f 2 |
		sort -n | tail -n 1
}

# size STORE: how many entries there are.
size() {
	trailctl log --json "$1" | wc -l
}

# A key that was restored never signs another history of what it signed: its memory
# is copied with it, and is never behind the ledger of the backup.
a_signer_never_goes_back() {
	is 0 trailctl init --origin example.org/s s1
	is 0 trailctl trail create s1/a
	cp -a s1 older
	is 0 trailctl trail create s1/b
	is 0 trailctl backup --keys s1 b1
	cmp s1/keys/signer.state b1/keys/signer.state
	[ "$(stat -c %a b1/keys/signer.state)" = 600 ]
	[ "$(memory b1 example.org/s)" -eq "$(size b1)" ]
	# An update without keys: an older memory and a newer ledger.
	is 0 trailctl trail create s1/c
	is 0 trailctl backup s1 b1
	[ "$(memory b1 example.org/s)" -lt "$(size b1)" ]
	is 0 trailctl restore --keys --origin example.org/s2 b1 r1
	[ "$(memory r1 example.org/s)" -eq "$(size b1)" ]
	[ "$(memory r1 example.org/s2)" -eq "$(size r1)" ]
	is 0 trailctl trail create r1/d
	is 0 trailctl verify r1
	# Of an earlier version, without any memory.
	rm b1/keys/signer.state
	is 0 trailctl restore --keys --origin example.org/s4 b1 r4
	[ "$(memory r4 example.org/s)" -eq "$(size b1)" ]
	# With that memory nobody goes on with the older copy.
	cp -a older fork
	cp r1/keys/signer.state fork/keys/signer.state
	is 4 trailctl init --moved fork
	complains 'signe[dr]'
	[ "$(memory fork example.org/s)" -eq "$(size b1)" ]
	# A newer memory and an older ledger: the memory stays.
	is 0 trailctl init --moved older
	is 0 trailctl backup --keys older b2
	cp s1/keys/signer.state b2/keys/signer.state
	is 0 trailctl restore --keys --origin example.org/s3 b2 r2
	[ "$(memory r2 example.org/s)" -eq "$(memory s1 example.org/s)" ]
	[ "$(memory r2 example.org/s)" -gt "$(size b2)" ]
	is 0 trailctl trail create r2/d
	is 0 trailctl verify r2
	# New keys have signed nothing.
	is 0 trailctl restore --origin example.org/s5 b2 r3
	[ -z "$(memory r3 example.org/s)" ]
}

run a_mounted_store_is_backed_up
with sqlite3 a_second_run_copies_what_is_new
run keys_are_copied_on_request nothing_writes_a_backup \
	wrong_directories_are_refused pending_files_come_along \
	a_busy_store_is_backed_up_whole
with setpriv a_redaction_reaches_the_backup redactions_beside_a_backup
unmount
with sqlite3 a_damaged_store_replaces_nothing
with 'sqlite3 rsync' a_copy_by_other_programs_is_one_state
run a_lost_object_is_named a_lost_store_is_restored \
	a_vault_goes_on_with_its_keys a_signer_never_goes_back \
	a_restored_store_belongs_to_its_directory
# A sanitizer wants to be loaded before the shim.
if nm -D "$BUILD/trailctl" 2>/dev/null | grep -q '__[at]san_init'; then
	skipped 'built with a sanitizer' a_cut_first_backup_goes_on \
		a_cut_update_goes_on a_cut_restoration_goes_on
else
	run a_cut_first_backup_goes_on a_cut_update_goes_on \
		a_cut_restoration_goes_on
fi
finish
