#!/bin/sh
# The home of a store: copies are read and not written, moved stores are written
# once somebody has said so.
. "$(dirname "$0")/../suite_tools.sh"

# as_machine ID COMMAND...: run this where /etc/machine-id holds ID.
cat >as_machine <<'END'
#!/bin/sh
printf '%s\n' "$1" >machine-id
shift
exec unshare -m sh -c 'mount --bind machine-id /etc/machine-id && exec "$@"' \
	sh "$@"
END
chmod +x as_machine

a=3d1219c7c4c5404aaa1f6d2a48adfda4 b=0c9f1d7be2a64a3e8bb1f5a7d9e2c461

# A disk that was put into another machine is read there, and written there when
# somebody says that it was moved.
a_disk_in_another_machine_is_not_written() {
	unshare -m true || skip 'only root changes /etc/machine-id'
	is 0 ./as_machine $a trailctl init --origin example.org/home one
	is 0 ./as_machine $a trailctl sync one
	is 3 ./as_machine $b trailctl sync one
	complains 'last written on another machine'
	complains ' -o moved'
	is 0 ./as_machine $b trailctl verify one
	is 0 ./as_machine $b trailctl log one
	never_says "$a"
	is 0 ./as_machine $b trailctl init --moved one
	is 0 ./as_machine $b trailctl sync one
	is 3 ./as_machine $a trailctl sync one
	is 0 trailctl log --json --type ledger.opened one
	[ "$(grep -c '"moved":true' out)" -eq 1 ]
	if grep -q "$a\|$b" one/ledger.db*; then exit 1; fi
	# Without an id, as in many containers, the directory decides.
	is 0 ./as_machine '' trailctl sync one
	is 0 ./as_machine uninitialized trailctl sync one
}

# All that only reads goes on with a copy; a mount that writes says what to do.
a_copy_is_read() {
	is 0 trailctl init --origin example.org/copy two
	mount two -o settle=0
	mkdir -p mnt/t/w/a
	echo one >mnt/t/w/a/f
	trailctl sync mnt
	unmount
	cp -a two copy
	is 1 trailfs copy "$mnt"
	complains 'last written in another directory'
	complains 'trailctl restore'
	is 3 trailctl seal copy/t
	complains 'last written in another directory'
	for verb in verify status log ls; do
		is 0 trailctl $verb copy
	done
	is 0 trailctl package --no-entry -o p.zip copy/t/w
	mount copy -o ro
	is 0 cat mnt/t/w/a/f
	says one
	unmount
	# The store itself is not affected, and a rename is no copy.
	mv two renamed
	is 0 trailctl sync renamed
	# The copy goes on as a vault of its own.
	is 0 trailctl init --recover copy
	complains 'new origin'
	mount copy
	mkdir mnt/u
	unmount
	is 0 trailctl verify copy
}

# an_older_backup STORE: make the directory backup, older than the store.
an_older_backup() {
	rm -rf "$1" backup
	is 0 trailctl init --origin example.org/back "$1"
	cp -a "$1" backup
	is 0 trailctl trail create "$1/t"
}

# A backup that was put back into the directory of the store is found by its files,
# by the checkpoint that it left there, or by the guard; what is written into the
# same files, all of them, is found by the guard alone.
a_backup_that_was_put_back_is_not_written() {
	an_older_backup back
	# All files, as rsync and tar make them: new ones.
	cp -a back newest
	rsync -a --ignore-times --delete backup/ back/
	is 3 trailctl sync back
	complains 'ledger.db is another file than the last one written'
	complains 'was a backup put back'
	complains 'last written to another ledger.db'
	complains 'trailctl restore'
	is 0 trailctl verify back
	is 0 trailctl init --moved back
	is 0 trailctl sync back
	rm -rf back
	cp -a backup back
	is 3 trailctl sync back
	complains 'last written in another directory'
	# The database alone: the checkpoint beside it is newer.
	an_older_backup back
	rm back/ledger.db*
	cp -a backup/ledger.db* back/
	is 4 trailctl sync back
	complains 'the head of STORE/checkpoint: '
	an_older_backup back
	rsync -a --inplace --ignore-times backup/ledger.db back/ledger.db
	rm -f back/ledger.db-*
	is 4 trailctl sync back
	complains 'the head of STORE/checkpoint: '
	is 4 trailctl verify back
	# Everything into the same files.
	an_older_backup back
	rsync -a --inplace --ignore-times --delete backup/ back/
	is 0 trailctl verify back
	is 0 trailctl sync back
	rm -rf back backup
	is 0 trailctl init --origin example.org/back back
	mkdir elsewhere
	echo "guard = $work/elsewhere/guard" >>back/config
	is 0 trailctl sync back
	cp -a back backup
	is 0 trailctl trail create back/t
	rsync -a --inplace --ignore-times --delete backup/ back/
	is 4 trailctl sync back
	complains guard
	is 4 trailctl verify back
	says guard
}

# An upgrade and a redaction change the database where it is.
what_trailfs_does_to_the_database_is_at_home() {
	for version in 1 2 3 4; do
		mkdir v$version
		tar -C v$version -xzf \
			"$top/tests/vectors/store-$version.tar.gz"
		is 0 trailctl upgrade v$version/store
		is 0 trailctl sync v$version/store
		is 0 trailctl sync v$version/store
		is 0 trailctl log --json --type ledger.opened v$version/store
		says '"home":{.*"databaseInode":"'
	done
}

# A mount with -o moved says so in the ledger, once.
a_moved_store_is_mounted() {
	is 0 trailctl init --origin example.org/moved three
	cp -a three there
	rm -rf three
	mount there -o moved
	grep '"moved":true' mnt/.trailfs/events.jsonl
	unmount
	mount there
	[ "$(grep -c '"moved":true' mnt/.trailfs/events.jsonl)" -eq 1 ]
	unmount
	is 2 trailctl init --moved --recover there
	is 2 trailctl init --moved --origin example.org/new there
}

# A store of an earlier version has no home: its first start records one.
an_earlier_store_gets_a_home() {
	mkdir old
	tar -C old -xzf "$top/tests/vectors/store-1.tar.gz"
	is 0 trailctl upgrade old/store
	cp -a old/store older
	mount older
	tail -n 1 mnt/.trailfs/events.jsonl >opened
	unmount
	grep '"home":{.*"hostClock":{' opened
	cp -a older copy1
	is 3 trailctl sync copy1
	complains 'last written in another directory'
	is 0 trailctl verify older
}

# shown TEXT: wait until the status of the mount has it.
shown() {
	for _ in $(seq 240); do
		trailctl status --json mnt >shown
		! grep -q "$1" shown || return 0
		sleep 0.25
	done
	cat shown
	return 1
}

# The state of the guard is in the status and on the page of the vault.
a_guard_is_shown() {
	is 0 trailctl init --origin example.org/guard four
	is 0 trailctl status --json four
	never_says '"guard":'
	mkdir far
	echo "guard = $work/far/guard" >>four/config
	mount four
	shown '^{"anchored":true,.*"guard":{"age":.*,"at":".*,"entries":3,"path":"'
	grep '<dd>guarded up to 3 entries, ' mnt/.trailfs/index.html
	is 0 trailctl status mnt
	says '^anchored *guarded up to 3 entries, [0-9]* s ago$'
	never_says 'never anchored'
	mv far away
	mkdir mnt/t
	shown '"guard":{.*"trouble":"guard .* cannot be reached'
	grep '<dt>Guard</dt><dd class="bad">not written: guard' \
		mnt/.trailfs/index.html
	mkdir mnt/u
	is 0 trailctl status mnt
	says '^guard .*cannot be reached'
	mv away far
	unmount
	cmp four/checkpoint far/guard
	is 0 trailctl verify four
	is 0 trailctl sync four
}

# A guard that is gone is not made anew in silence: a person says that it is lost.
a_guard_that_is_gone_stops_the_start() {
	is 0 trailctl init --origin example.org/gone six
	mkdir apart
	is 0 trailctl sync six
	echo "guard = $work/apart/guard" >>six/config
	is 0 trailctl sync six
	cp -a six before
	mount six
	mkdir mnt/t
	unmount
	# An older copy is put back, and the guard removed with it.
	find six -mindepth 1 ! -name ledger.db ! -type d -delete
	cp -a before/. six/
	rm apart/guard
	is 1 trailfs six "$mnt"
	complains 'the guard is missing, and the last start had it'
	is 4 trailctl sync six
	complains 'trailctl init --guard-lost STORE'
	[ ! -e apart/guard ]
	is 0 trailctl verify six
	is 2 trailctl init --guard-lost --recover six
	is 0 trailctl init --guard-lost six
	cmp six/checkpoint apart/guard
	is 2 trailctl init --guard-lost six
	complains 'the guard is there: nothing is lost'
	mount six
	grep '"options":{"durability":"close","guard":".*/apart/guard"' \
		mnt/.trailfs/events.jsonl
	unmount
}

# A copy of the older checkpoint under another name does not stand for the guard of
# the last start, which is still there.
a_guard_is_moved_in_one_way() {
	is 0 trailctl init --origin example.org/swap nine
	mkdir near other
	echo "guard = $work/near/guard" >>nine/config
	is 0 trailctl sync nine
	rm -rf before
	cp -a nine before
	mount nine
	mkdir mnt/t
	unmount
	cp -a nine newest9
	cat before/ledger.db >nine/ledger.db
	rm -f nine/ledger.db-*
	cat before/checkpoint >nine/checkpoint
	is 1 trailfs nine "$mnt"
	complains 'an older copy was put back'
	rm nine/keys/signer.state # of the signer, which remembers too
	cp before/checkpoint other/guard
	sed -i "s|^guard = .*|guard = $work/other/guard|" nine/config
	is 1 trailfs nine "$mnt"
	complains 'the guard of the last start.*an older copy was put back'
	is 4 trailctl init --guard-lost nine
	is 4 trailctl verify nine
	says 'the guard of the last start has [0-9]* entries'
	cmp before/checkpoint other/guard
	# Nor if the guard is away.
	mv near/guard near/away
	is 1 trailfs nine "$mnt"
	complains 'the guard is missing, and the last start had it'
	is 0 trailctl verify nine
	says 'the guard of the last start is not there'
	mv near/away near/guard
	# The way to move it: change the config, start, remove the old file.
	cat newest9/ledger.db >nine/ledger.db
	rm -f nine/ledger.db-* other/guard
	cat newest9/checkpoint >nine/checkpoint
	is 0 trailctl sync nine
	complains 'near/guard, the guard of the last start, is not written any more'
	cmp nine/checkpoint other/guard
	rm near/guard
	is 0 trailctl sync nine
	[ ! -s err ]
	# Moved with its file, it is put back once, or said to be lost.
	mv other/guard near/guard
	sed -i "s|^guard = .*|guard = $work/near/guard|" nine/config
	is 4 trailctl sync nine
	complains 'the guard is missing'
	cp near/guard other/guard
	is 0 trailctl sync nine
	rm near/guard other/guard
	cp -a nine moved9
	rm -rf nine
	cp moved9/checkpoint other/guard
	sed -i "s|^guard = .*|guard = $work/other/guard|" moved9/config
	is 4 trailctl init --moved moved9
	complains 'the guard is missing'
	is 3 trailctl init --guard-lost moved9
	complains 'last written in another directory'
	is 0 trailctl init --moved --guard-lost moved9
	is 0 trailctl sync moved9
}

# The guard of a copy that goes on under another origin is refused, and what is no
# other disk is not believed to be one.
a_guard_belongs_to_one_store() {
	is 0 trailctl init --origin example.org/first seven
	mkdir own
	echo "guard = $work/own/guard" >>seven/config
	is 0 trailctl sync seven
	cp -a seven eight
	is 2 trailctl init --recover eight
	complains 'the guard in STORE/config belongs to the store that this one was copied from'
	sed -i "s|^guard = .*|guard = $work/own/other|" eight/config
	is 0 trailctl init --recover eight
	cp own/other own/guard
	is 4 trailctl sync seven
	complains 'the guard is of another log'
	cmp own/other own/guard
	echo "guard = $work/eight/keys/guard" >>eight/config
	is 2 trailctl sync eight
	complains 'the guard is inside the store'
	sed -i '$d' eight/config
	trailfs eight "$mnt" >out 2>err
	complains 'the guard is on the disk of the store'
	unmount
}

# A disk that hangs holds up neither writers nor the unmount.
a_guard_that_hangs_holds_up_nobody() {
	truncate -s 16M image
	mkfs.ext4 -q image
	mkdir hung
	command mount -o loop image hung || skip 'no loop devices'
	is 0 trailctl init --origin example.org/hung five
	echo "guard = $work/hung/guard" >>five/config
	mount five
	shown '"guard":{"age":.*,"at":".*,"entries":3,"path":"'
	fsfreeze -f hung
	(
		sleep 100 # whatever happens
		fsfreeze -u hung
		umount -l hung
	) >/dev/null 2>&1 &
	thaw=$!
	for n in $(seq 60); do
		mkdir "mnt/t$n"
		trailctl status --json mnt >shown
		! grep -q 'guard does not answer' shown || break
		sleep 0.5
	done
	grep 'guard does not answer' shown
	mkdir mnt/t
	unmount
	fsfreeze -u hung
	kill $thaw
	is 0 trailctl verify five
	is 0 trailctl sync five
	cmp five/checkpoint hung/guard
	umount hung
}

with unshare a_disk_in_another_machine_is_not_written
with rsync a_backup_that_was_put_back_is_not_written
run what_trailfs_does_to_the_database_is_at_home
with /dev/fuse a_copy_is_read a_moved_store_is_mounted an_earlier_store_gets_a_home \
	a_guard_is_shown a_guard_that_is_gone_stops_the_start \
	a_guard_is_moved_in_one_way a_guard_belongs_to_one_store
with '/dev/fuse mkfs.ext4 fsfreeze /dev/loop-control' \
	a_guard_that_hangs_holds_up_nobody
finish
