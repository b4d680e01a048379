#!/bin/sh
# trailctl doctor: each finding, made for real; where the answer is a command,
# it mends what was wrong.  Nothing of a store changes while it is examined.
. "$(dirname "$0")/../suite_tools.sh"
show_output=

# ./doctor ARGUMENT...: on a machine whose clock is synchronised.
cat >doctor <<'END'
#!/bin/sh
exec strace -qq -o .trace -e trace=adjtimex,clock_adjtime \
	-e inject=adjtimex,clock_adjtime:retval=0 trailctl doctor "$@"
END
# ./in_days N ARGUMENT...: the same after so many days.
cat >in_days <<END
#!/bin/sh
SHIM_CLOCK_AHEAD_S=\$((\$1 * 86400 + 3600))
export SHIM_CLOCK_AHEAD_S
shift
LD_PRELOAD=$BUILD/shim.so exec trailctl doctor "\$@"
END
# ./inside COMMANDS: a shell that may mount, and changes nothing outside.
cat >inside <<'END'
#!/bin/sh
exec unshare -m sh -e -c "$1"
END
chmod +x doctor in_days inside

# finds ABOUT PATTERN CURE COMMAND...: the command has one finding, this one, and
# this cure.
finds() {
	about=$1 pattern=$2 cure=$3
	shift 3
	is 1 "$@"
	[ "$(grep -c '^[a-z]* *wrong ' out)" -eq 1 ] || {
		cat out
		exit 1
	}
	says "^$about *wrong .*$pattern"
	says "^ *do: .*$cure"
}

# cured COMMAND...: what the last answer says to do is a command, after which
# this one finds nothing.
cured() {
	sed -n '/ wrong /{n;s/^ *do: //p;}' out >cure
	sh -e cure
	is 0 "$@"
}

# notes PATTERN COMMAND...: a note is no finding.
notes() {
	pattern=$1
	shift
	is 0 "$@"
	says " note .*$pattern"
}

# listing DIRECTORY: everything that a change would change.
listing() {
	find "$1" -printf '%p %y %s %m %U %T@ %i\n' | sort
}

# A fresh store has no finding, and nothing in it changes.
a_store_without_a_fault() {
	a_store_is_made
	listing store >before
	is 0 ./doctor store
	listing store | diff before -
	never_says ' wrong \| unknown '
	says '^store *ok .*alone'
	says '^home *ok'
	is 0 ./doctor --quiet store
	has_lines 0
	is 0 ./doctor --json store
	is_canonical
	[ "$(jq -r '.wrong, .unknown' out | tr '\n' ' ')" = '0 0 ' ]
}

# Also while it is mounted, where other processes write it.
a_mount_without_a_fault() {
	mount store
	mkdir -p mnt/t/w/a
	echo evidence >mnt/t/w/a/f
	is 0 trailctl sync mnt
	trailctl log mnt | wc -l >entries
	# The signature of the last entries comes a moment after them.
	until sed -n 2p store/checkpoint | diff - entries >differs; do
		sleep 0.05
	done
	listing store | grep -v -- '-shm' >before
	is 0 ./doctor mnt
	says "^mount *ok .*$work/mnt answers"
	says "^store *ok .*$work/store belongs"
	says '^limits *ok .*the mount may open'
	is 0 ./doctor mnt/t/w/a/f
	is 0 ./doctor store
	says "^mount *ok .*$work/mnt is mounted, by process"
	listing store | grep -v -- '-shm' | diff before -
	trailctl log mnt | wc -l | diff entries -
	unmount
	is 0 ./doctor store
}

# Each file that others may read, with the command that mends it.
wrong_modes_are_named() {
	for f in keys objects stage ledger.db checkpoint config lock; do
		chmod go+r "store/$f"
		finds store "^*$f is open to others" "chmod go= store/$f" \
			./doctor store
		cured ./doctor store
	done
	chmod 0755 store
	finds store "the store's directory is open to others" 'chmod go= store' \
		./doctor store
	cured ./doctor store
}

# Files of somebody else, with other names, and links.
wrong_owners_and_kinds_are_named() {
	chown 65534 store/config
	finds store 'config belongs to uid 65534' 'chown 0 store/config' \
		./doctor store
	cured ./doctor store
	ln store/config other
	finds store 'config has 2 names' 'inum' ./doctor store
	rm other
	mv store/checkpoint kept
	ln -s ../kept store/checkpoint
	is 1 ./doctor store
	says 'store *wrong .*checkpoint is a symbolic link'
	rm store/checkpoint
	mv kept store/checkpoint
	is 0 ./doctor store
}

# Keys that the next start would refuse, and keys that are gone.
unsafe_keys_are_named() {
	for k in log attester; do
		chmod 0440 store/keys/$k.pem
		finds keys "keys/$k.pem is not safe" \
			"chmod 0400 $work/store/keys/$k.pem" ./doctor store
		cured ./doctor store
		chown 65534 store/keys/$k.pem
		finds keys "keys/$k.pem is not safe" "chown 0 " ./doctor store
		cured ./doctor store
		ln store/keys/$k.pem other
		finds keys "keys/$k.pem is not safe: .* 2 names" 'plain file' \
			./doctor store
		rm other
		mv store/keys/$k.pem kept
		finds keys "keys/$k.pem is missing" 'put it back' ./doctor store
		mv kept store/keys/$k.pem
	done
	# A key directory outside of the store.
	is 0 trailctl init --origin example.org/apart --keys "$work/keys" apart
	is 0 ./doctor apart
	chmod 0755 keys
	is 1 ./doctor apart
	says '^keys *wrong .*is open to others: chmod 0700'
	chmod 0700 keys
	chmod 0444 keys/log.pem
	finds keys 'log.pem is not safe' "chmod 0400 $work/keys/log.pem" \
		./doctor apart
	cured ./doctor apart
	rm -r keys
	is 1 ./doctor apart
	says '^keys *wrong .*is missing: mount its disk'
	rm -r apart
	# Keys of a command.
	is 0 trailfs-signer --make "$work/far"
	is 0 trailctl init --origin example.org/apart \
		--signer "exec trailfs-signer '$work/far'" apart
	is 0 ./doctor apart
	says '^keys *ok .*the signer that config names has the private keys'
	rm -r apart far
}

# What somebody copied into the store, and damaged objects.
foreign_files_are_named() {
	echo >store/report.pdf
	finds files 'report.pdf does not belong' 'move it out' ./doctor store
	rm store/report.pdf
	mkdir -p store/objects/ab
	for i in $(seq 25); do echo >"store/objects/ab/$i"; done
	is 1 ./doctor store
	says 'files *wrong .*and 5 more'
	rm -r store/objects/ab
	mkdir -p store/objects/ab
	d=$(printf '%062d' 0).damaged
	echo >"store/objects/ab/$d"
	finds files "$d was damaged and put aside" 'trailctl verify' \
		./doctor store
	rm -r store/objects/ab
}

# Lines of the config that would refuse the next start.
settings_that_are_not_understood_are_named() {
	cp store/config kept
	echo 'setle = 2' >>store/config
	finds config 'setle.* is not understood' 'correct store/config' \
		./doctor store
	cp kept store/config
	echo 'auditors = no-such-group' >>store/config
	finds config 'auditors=no-such-group: there is no such group' \
		'store/config' ./doctor store
	cp kept store/config
	echo 'approvers = no-such-group' >>store/config
	finds config 'approvers = no-such-group' 'groupadd no-such-group' \
		./doctor store
	cp kept store/config
}

# on_disk OPTIONS: the store on a disk of its own.
on_disk() {
	mkdir -p disk
	/bin/mount -t tmpfs -o "$1" none disk
	trailctl init --origin example.org/disk disk/store >/dev/null 2>&1
}

# Bytes and inodes below the reserve, a nearly full disk, one without writing.
a_full_disk_is_named() {
	on_disk size=16m,mode=700 || skip 'only root mounts a disk'
	finds space 'bytes are free, less than the reserve' 'df disk/store' \
		./doctor disk/store
	umount disk
	on_disk size=40m,mode=700
	finds space 'only .* bytes are free' 'df disk/store' \
		./doctor disk/store
	umount disk
	on_disk size=400m,nr_inodes=300,mode=700
	finds space 'inodes are free, less than the reserve' 'make room' \
		./doctor disk/store
	/bin/mount -o remount,nr_inodes=100000,ro disk
	finds space 'mounted read-only' 'mount it writable' \
		./doctor disk/store
	umount disk
}

# What kill -9 leaves, until the next start.
a_run_that_was_cut_short_is_named() {
	mount store
	mkdir -p mnt/t/w/b
	echo more >mnt/t/w/b/f
	pid=$(sed -n 's/.* pid \([0-9]*\)$/\1/p' store/lock)
	kill -9 "$pid"
	timeout 60 tail --pid="$pid" -f /dev/null
	is 1 ./doctor store
	says '^ledger *wrong .*the last run was cut short'
	says '^ *do: trailfs store MNT'
	says "^mount *wrong .*the mount at $work/mnt is dead"
	finds mount 'is dead: its trailfs has ended' 'umount -l' ./doctor mnt
	listing store >before
	is 1 ./doctor store
	listing store | diff before -
	mount store
	is 0 ./doctor store
	unmount
}

# The same files with the bytes of last week, and those of another history.
a_store_that_was_rolled_back_is_named() {
	cp -a store old
	is 0 trailctl trail create store/u
	cp old/ledger.db store/ledger.db
	finds ledger 'rolled back: STORE/checkpoint has .* entries' \
		'trailctl init --recover store' ./doctor store
	rm -rf old two
	is 0 trailctl init --origin example.org/two two
	is 0 trailctl trail create two/a
	cp two/checkpoint kept
	cp -a two other
	is 0 trailctl init --origin example.org/two third
	is 0 trailctl trail create third/b
	cp third/checkpoint two/checkpoint
	finds ledger 'STORE/checkpoint is of another history' '' ./doctor two
	echo nonsense >two/checkpoint
	finds ledger 'STORE/checkpoint is no checkpoint' '' ./doctor two
	rm two/checkpoint
	notes 'STORE/checkpoint is missing' ./doctor two
	cp kept two/checkpoint
	chmod 0600 two/checkpoint
	is 0 ./doctor two
	# A database that is none.
	head -c 8192 /dev/zero >two/ledger.db
	is 1 ./doctor two
	says '^ledger *wrong '
}

# Stores that would be refused, as they are not where they were written.
a_copy_is_named() {
	rm -rf store copy two third other
	a_store_is_made
	cp -a store copy
	finds home 'last written in another directory: host .*store' \
		'trailctl init --moved copy' ./doctor copy
	mv store moved
	is 0 ./doctor moved
	mv moved store
	# A backup that was put back into its directory.
	cp store/ledger.db kept
	rm store/ledger.db
	install -m 600 kept store/ledger.db
	finds home 'last written as another ledger.db' '' ./doctor store
	is 0 trailctl init --moved store
	is 0 ./doctor store
}

# A guard that is gone, ahead, or where it guards nothing.
a_guard_that_is_not_there_is_named() {
	mkdir -p guards
	/bin/mount -t tmpfs none guards || skip 'only root mounts a disk'
	cp store/config kept
	echo "guard = $work/guards/g" >>store/config
	is 0 trailctl sync store
	is 0 ./doctor store
	mv guards/g guards/away
	finds guard 'guards/g is not there' 'guard-lost' ./doctor store
	# One that has seen more than the database.
	cp -a store old
	mv guards/away guards/g
	is 0 trailctl trail create store/v
	cp old/ledger.db store/ledger.db
	cp old/checkpoint store/checkpoint
	finds ledger 'rolled back: the guard has' 'init --recover' ./doctor store
	umount guards
	rm -r guards
	finds guard "guards/g" 'mount the disk of the guard' ./doctor store
	mkdir guards
	cp kept store/config
	echo "guard = $work/guards/g" >>store/config
	cp store/checkpoint guards/g
	finds guard 'on the disk of the store' 'another disk' ./doctor store
	cp kept store/config
	echo "guard = $work/store/checkpoint" >>store/config
	finds guard 'is in the store' 'another disk' ./doctor store
	rm -rf store old
	a_store_is_made
}

# What nobody did for days, and a clock that went back.
what_became_old_is_named() {
	clock_moves
	is 0 ./doctor store
	says '^anchors *note .*never anchored'
	says '^backup *note .*no mirror'
	says '^verify *note .*no verification'
	is 1 ./in_days 4 store
	says '^anchors *wrong .*never anchored'
	says '^backup *wrong .*knows of no backup and no mirror'
	says '^verify *wrong .*no verification is recorded'
	says '^ *do: trailctl verify --rebuild --record store'
	is 0 trailctl mirror store copy2
	is 0 trailctl verify --rebuild --record store
	is 0 ./doctor store
	says '^anchors *ok .*mirror ('
	says '^verify *ok .*the last recorded verification'
	never_says backup
	is 1 ./in_days 4 store
	says '^anchors *wrong .*the last mirror (.*) is .* old and lacks'
	says '^ *do: trailctl mirror store'
	says '^verify *wrong .*verification is .* old'
	is 1 ./in_days -2 store
	says '^clock *wrong .*behind the last entry'
}

# The log of a store that somebody else does not accept.
a_refusal_is_named() {
	cp -a store old
	is 0 trailctl trail create store/x
	is 0 trailctl mirror store copy2
	cp old/ledger.db store/ledger.db
	cp old/checkpoint store/checkpoint
	is 4 trailctl mirror store copy2
	finds anchors 'mirror .*' 'trailctl compare' ./doctor store
	rm -rf store old copy2
	a_store_is_made
}

# Where programs could write while nothing is mounted.
a_mount_point_is_examined() {
	chattr -i mnt 2>/dev/null || skip 'no attributes on this disk'
	is 1 ./doctor mnt
	says '^mount *wrong .*nothing is mounted at mnt'
	says '^mount *wrong .*mnt is not immutable'
	says '^ *do: chattr +i mnt'
	unshare -m true || skip 'only root makes a mount namespace'
	# The store is in fstab.
	echo "$work/store $work/mnt fuse.trailfs noauto 0 0" >fstab
	cat >as_fstab <<-'END'
	#!/bin/sh
	exec ./inside "mount --bind fstab /etc/fstab; exec ./doctor store"
	END
	chmod +x as_fstab
	finds mount 'mnt is not immutable' "chattr +i $work/mnt" ./as_fstab
	cured ./as_fstab
	says "^mount *ok .*the bare mount point $work/mnt is immutable"
	chattr -i mnt
	echo lost >mnt/evidence
	chattr +i mnt
	finds mount 'bare mount point .* is not empty' 'move it away' ./as_fstab
	chattr -i mnt
	rm mnt/evidence
	mv mnt gone
	notes 'the mount point .*: No such file' ./as_fstab
	mv gone mnt
}

# A mount that this process cannot see.
a_mount_elsewhere_is_noted() {
	unshare -m true || skip 'only root makes a mount namespace'
	./inside "trailfs store $mnt"
	notes 'in another mount namespace' ./doctor store
	kill "$(sed -n 's/.* pid \([0-9]*\)$/\1/p' store/lock)"
	flock -w 60 store/lock true
}

# A mount that met damaged bytes, and one whose guard cannot be written.
the_trouble_of_a_mount_is_named() {
	mkdir -p guards
	/bin/mount -t tmpfs none guards || skip 'only root mounts a disk'
	echo "guard = $work/guards/g" >>store/config
	mount store
	mkdir -p mnt/t/w/a
	head -c 200000 /dev/zero >mnt/t/w/a/f
	is 0 trailctl sync mnt
	flip "$(find store/objects -type f)" 7
	unmount
	mount store
	is 1 cat mnt/t/w/a/f
	finds mount 'reads found 1 files damaged' 'trailctl verify --rebuild' \
		./doctor mnt
	umount -l guards
	rm -r guards
	mkdir mnt/t/x
	timeout 60 sh -c 'until ./doctor mnt | grep -q "guard is not written"
	do sleep 0.1; done'
	is 1 ./doctor mnt
	says '^guard *wrong .*the guard is not written'
	unmount
	rm -rf store guards
	a_store_is_made
}

# A host without FUSE, without its device, with an old kernel.
the_host_is_examined() {
	unshare -m true || skip 'only root makes a mount namespace'
	finds host 'the kernel has no FUSE' 'modprobe fuse' ./inside \
		"echo 'nodev proc' >fs
		mount --bind fs /proc/filesystems
		exec ./doctor store"
	finds host '/dev/fuse: No such file' 'device /dev/fuse' ./inside \
		"mount -t tmpfs none /dev
		exec ./doctor store"
	is 1 strace -qq -o .trace -e trace=adjtimex,clock_adjtime \
		-e inject=adjtimex,clock_adjtime:retval=5 trailctl doctor store
	says '^clock *wrong .*not synchronised'
	is 2 strace -qq -o .trace -e trace=adjtimex,clock_adjtime \
		-e inject=adjtimex,clock_adjtime:error=EPERM trailctl doctor store
	says '^clock *unknown '
	notes 'has no passthrough' setarch --uname-2.6 ./doctor store
	notes 'no Landlock: Function not implemented' strace -qq -o .trace2 -f \
		-e trace=landlock_create_ruleset,adjtimex,clock_adjtime \
		-e inject=landlock_create_ruleset:error=ENOSYS \
		-e inject=adjtimex,clock_adjtime:retval=0 trailctl doctor store
	notes 'no seccomp: Invalid argument' strace -qq -o .trace2 -f \
		-e trace=prctl,adjtimex,clock_adjtime \
		-e inject=prctl:error=EINVAL \
		-e inject=adjtimex,clock_adjtime:retval=0 trailctl doctor store
}

# The limit of the mount, and without one that of a program from here.
few_descriptors_are_named() {
	finds limits 'may open 1000 files' LimitNOFILE \
		prlimit --nofile=1000:1000 ./doctor store
	prlimit --nofile=1000:1000 timeout 30 trailfs store "$mnt"
	finds limits 'the mount may open 1000 files' LimitNOFILE ./doctor mnt
	unmount
}

# Somebody who may not see the store is told so, and what he needs to mount.
anybody_may_ask() {
	[ "$(id -u)" -eq 0 ] || skip 'only root becomes somebody else'
	chmod 755 "$work"
	nobody='setpriv --reuid 65534 --regid 65534 --clear-groups'
	got=0
	# shellcheck disable=SC2086 # words
	$nobody trailctl doctor "$work/store" >out || got=$?
	says '^store *unknown .*you may not enter it'
	says '^ *do: run this as root or as its owner'
	says '^host *note .*allow_other'
	if grep -q '^clock *wrong' out; then [ $got -eq 1 ]; else [ $got -eq 2 ]; fi
	$nobody env PATH=/nowhere "$BUILD/trailctl" doctor >out || :
	says '^host *wrong .*fusermount3 is not found'
	unshare -m true || skip 'only root makes a mount namespace'
	cp /usr/bin/fusermount3 fm
	chmod 755 fm
	echo user_allow_other >conf
	./inside "mount --bind fm $(command -v fusermount3)
		mount --bind conf /etc/fuse.conf
		exec $nobody trailctl doctor" >out || :
	says '^host *wrong .*cannot mount: owner 0, mode 0755'
	never_says allow_other
	mkdir etc
	cp -a /etc/. etc/
	rm -f etc/mtab
	./inside "mount --bind etc /etc
		exec $nobody trailctl doctor" >out || :
	says '^host *note .*fusermount3 -u cannot unmount'
	says '^ *do: root: ln -s .*umount works'
	mount store
	$nobody trailctl doctor "$work/mnt" >out 2>err || :
	unmount
}

# Nothing to look at is neither health nor a finding.
what_is_not_there_cannot_be_examined() {
	is 2 ./doctor nowhere
	complains nowhere
	is 2 ./doctor doctor
	is 2 trailctl doctor one two
	is 0 trailctl mirror store copy3
	notes 'is a mirror, not a store' ./doctor copy3
	# Names are shown and quoted: a cure can be pasted.
	mv store "it's \$(a) store"
	chmod 0755 "it's \$(a) store"
	finds store 'is open to others' "chmod go= 'it'" \
		./doctor "it's \$(a) store"
	mv "it's \$(a) store" store
	chmod 0700 store
}

with strace a_store_without_a_fault a_mount_without_a_fault \
	wrong_modes_are_named wrong_owners_and_kinds_are_named \
	unsafe_keys_are_named foreign_files_are_named \
	settings_that_are_not_understood_are_named a_full_disk_is_named \
	a_run_that_was_cut_short_is_named a_store_that_was_rolled_back_is_named \
	a_copy_is_named a_guard_that_is_not_there_is_named \
	what_became_old_is_named a_refusal_is_named a_mount_point_is_examined \
	a_mount_elsewhere_is_noted the_trouble_of_a_mount_is_named \
	the_host_is_examined few_descriptors_are_named anybody_may_ask \
	what_is_not_there_cannot_be_examined
finish
