#!/bin/sh
# Record the sample session in a real mount with mkdir, cp and mv.  Then try
# everything that an evidence vault must refuse, and check each refusal.
#
# The demo works below DEMO_DIR (build/demo) and first removes the files of an
# earlier run there.  DEMO_KEEP=1 leaves the vault mounted.  The demo needs
# fusermount3, but not root.
#
# Commands are strings, so that the demo can print them as a person types them.
# shellcheck disable=SC2016
set -eu
LC_ALL=C PAGER=cat
export LC_ALL PAGER

top=$(cd "$(dirname "$0")/.." && pwd)
: "${BUILD:=build}" "${DEMO_DIR:=$BUILD/demo}" "${DEMO_KEEP:=}"
cd "$top"
mkdir -p "$BUILD" "$DEMO_DIR"
BUILD=$(cd "$BUILD" && pwd)
DEMO_DIR=$(cd "$DEMO_DIR" && pwd)
export BUILD
mnt=$DEMO_DIR/mnt

# --- output -------------------------------------------------------------

if [ -t 1 ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
else
	bold='' plain=''
fi

say() {
	printf '\n%s# %s%s\n' "$bold" "$1" "$plain"
	shift
	for line; do
		printf '# %s\n' "$line"
	done
}

fail() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

# typed COMMAND: print a command and run it.
typed() {
	printf '\n$ %s\n' "$1"
	eval "$1" || fail "this command failed, but must succeed"
}

# refused COMMAND: print a command that the vault must refuse, run it, and print
# the error.
refused() {
	printf '\n$ %s\n' "$1"
	allowed=
	(eval "$1") >"$DEMO_DIR/said" 2>&1 && allowed=1
	# Errors of the shell itself begin with the place in this script.
	sed 's/^[^ ]*: [0-9]*: eval: /sh: /' "$DEMO_DIR/said"
	[ -z "$allowed" ] || fail 'this command was allowed, but must be refused'
	grep -Eq 'not permitted|Permission denied|Read-only file system' \
		"$DEMO_DIR/said" || fail 'this command failed for another reason'
}

# --- the mount ----------------------------------------------------------

# The mount point, escaped as in /proc/self/mounts.
in_proc=$(printf '%s' "$mnt" | sed 's/\\/\\134/g; s/ /\\040/g; s/	/\\011/g')

mounted() {
	grep -qF " $in_proc fuse" /proc/self/mounts
}

# Unmount the vault, by its path.
unmount() {
	mounted || return 0
	fusermount3 -u "$mnt" 2>/dev/null || umount "$mnt" 2>/dev/null ||
		fusermount3 -uz "$mnt" || umount -l "$mnt" ||
		fail "cannot unmount $mnt"
}

# The daemon releases the store a moment after the unmount.
await_daemon() {
	if [ -e "$DEMO_DIR/store/lock" ]; then
		flock -w 30 "$DEMO_DIR/store/lock" true ||
			fail 'the daemon does not end'
	fi
}

# When root runs trailfs, it makes the bare mount point immutable.
release() {
	unmount
	await_daemon
	chattr -i "$mnt" 2>/dev/null || :
}

finish() {
	status=$?
	trap - EXIT
	cd /
	if [ "$status" -ne 0 ] || [ -z "$DEMO_KEEP" ]; then
		release || :
	fi
	[ "$status" -eq 0 ] || echo 'demo: FAILED' >&2
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- preparation --------------------------------------------------------

.ci/setup
echo "Building trailfs, which takes a minute or more."
# This make is independent of a make that started the demo.
unset MAKEFLAGS MFLAGS MAKELEVEL
make -s -j"$(nproc)" all
[ -w /dev/fuse ] || fail "cannot open /dev/fuse: FUSE is needed to mount"

# Remove only files that an earlier run made.
if [ -e "$DEMO_DIR/made-by-demo" ]; then
	release
	rm -rf "$DEMO_DIR/store" "$DEMO_DIR/copy" "$mnt"
elif [ -n "$(ls -A "$DEMO_DIR")" ]; then
	fail "$DEMO_DIR is not empty and no demo made it"
fi
: >"$DEMO_DIR/made-by-demo"
ln -sfn "$top/tests/sample" "$DEMO_DIR/sample"
mkdir "$mnt"

PATH=$BUILD:$PATH
cd "$DEMO_DIR"
# Short names for the commands that follow.
W=ecs-execute-command-0199bb27be8f354b7
X=ecs-execute-command-0a4c1de97f25b8360

# --- 1 ------------------------------------------------------------------

say '1. Make a store and mount it' \
	"(in $DEMO_DIR)"
typed 'trailctl init --origin vault.example.org/demo store >vault.vkey'
typed 'cat vault.vkey'
typed 'trailfs store mnt'

# --- 2 ------------------------------------------------------------------

say '2. Record who did what in production, with mkdir, cp and mv' \
	'Somebody opened a root shell in a container.  The trail is the' \
	'process, the workflow this one session, each attestation one event.'
typed 'mkdir mnt/prod-server-access'
typed 'cd mnt/prod-server-access'
typed "W=$W"
typed 'mkdir $W'
typed 'mkdir $W/user-identity'
typed 'cp ../../sample/$W/user-identity/* $W/user-identity/'
typed 'mkdir $W/command-logs'
typed 'cp ../../sample/$W/command-logs/* $W/command-logs/'
say 'An attestation can be published whole: a name with a dot is a draft.'
typed 'mkdir $W/.service-identity'
typed 'cp ../../sample/$W/service-identity/* $W/.service-identity/'
typed 'mv $W/.service-identity $W/service-identity'
say 'Another session, in one go.'
typed "X=$X"
typed 'cp -r ../../sample/$X .'
say 'Files settle for two seconds; we wait until all are in the ledger.'
typed 'trailctl sync .'

# --- 3 ------------------------------------------------------------------

say '3. Try to change what was recorded' \
	"As $(id -un), who owns the files."
typed 'L=$W/command-logs/$W.log'
refused 'echo "nothing happened" > $L'
refused 'echo "and then all was well" >> $L'
refused 'truncate -s 0 $L'
refused 'mv $L $L.old'
refused 'mv ../../vault.vkey $L'
refused 'rm -f $L'
refused 'rm -rf $W/user-identity'
refused 'touch -d yesterday $L'
typed 'cmp $L ../../sample/$L && echo unchanged'

# --- 4 ------------------------------------------------------------------

say '4. Seal: nothing can be added any more'
typed 'chmod a-w $W/user-identity'
refused 'cp ../../vault.vkey $W/user-identity/late.txt'
typed 'trailctl sync .'
refused 'chmod u+w $W/user-identity'
typed 'trailctl seal $W'
refused 'mkdir $W/another-event'

# --- 5 ------------------------------------------------------------------

say '5. Look at it'
typed 'find . -type f | sort'
typed 'ls -l $W/user-identity'
typed 'head -n 5 $L'
typed 'trailctl status'
typed 'trailctl log'
typed 'trailctl show $L'

# --- 6 ------------------------------------------------------------------

say '6. Check it' \
	'trailctl reads every byte again.'
typed 'cd ../..'
typed 'trailctl verify store'
say 'Without trailctl: the hash of a file stands in its ledger entry ...'
typed 'sha256sum <mnt/prod-server-access/$L'
typed 'grep $W.log mnt/.trailfs/events.jsonl | grep -o "\"sha256\":\"[0-9a-f]*\""'
if command -v openssl >/dev/null 2>&1; then
	say '... and the ledger is signed; this is its head.'
	typed 'cat mnt/.trailfs/checkpoint'
	typed 'sed "/^$/,\$d" mnt/.trailfs/checkpoint >body'
	typed 'tail -n 1 mnt/.trailfs/checkpoint | cut -d " " -f 3 | base64 -d | tail -c 64 >sig'
	typed 'openssl pkeyutl -verify -pubin -inkey mnt/.trailfs/log.pub.pem -rawin -in body -sigfile sig'
fi
recorded=$(sha256sum <"mnt/prod-server-access/$L" | cut -c 1-64)
grep -q "\"content\":{\"sha256\":\"$recorded\"" mnt/.trailfs/events.jsonl ||
	fail 'the ledger does not hold the hash of the file'

# --- 7 ------------------------------------------------------------------

if [ -n "$DEMO_KEEP" ]; then
	mnt=${mnt#"$top"/}
	say "The vault is still mounted at $mnt." \
		"When you are done:  umount $mnt"
	exit 0
fi

say '7. Change the store without trailfs' \
	'The owner of the disk can write to it, but verify finds the change.'
typed 'umount mnt'
release
typed 'cp -r store copy'
typed 'sed -i "s/uid=0(root)/uid=7(nobd)/" copy/ledger.db'
printf '\n$ trailctl verify copy\n'
found=0
trailctl verify copy || found=$?
[ "$found" -eq 4 ] || fail "verify exited with $found and did not find the change"
rm -rf copy

say 'All refusals were seen, and the vault is unmounted.  To go on browsing:'
# Paths relative to the top of the source tree, where possible.
bin=${BUILD#"$top"/} dir=${DEMO_DIR#"$top"/}
cat <<END

$bin/trailfs $dir/store $dir/mnt
ls -R $dir/mnt
$bin/trailctl log $dir/mnt
umount $dir/mnt
END
