#!/bin/sh
# deb.sh DIRECTORY [SUITE...]: build the Debian packages in clean chroots of these
# releases (bookworm and trixie), test them there, install, upgrade, remove and purge
# them.  Needs root, and a network for debootstrap and apt; the build has none.
#
# DIRECTORY has the source package, made by tools/packages/deb.sh.  Chroots are
# kept as archives in CACHE (/var/cache/trailfs-chroots); packages that apt fetched
# are kept there, too.  With PACKAGE=FILE nothing is built, and that package is tried,
# with those of the plug-ins beside it.  OLD=FILE is an earlier package with the
# plug-ins in it, of which the upgrade is tried; without it, one is made.
#
# Tests flush often: a TMPDIR in memory, of 6 GB, saves most of the time.  Each of
# COMPILERS (gcc clang) builds the package with its unit tests, before anything else
# is tried.  The packages of the first are installed, and the first runs MOUNT_SUITES,
# SHELL_SUITES and the programs without memory; the others run OTHER_SUITES of the
# mount.  PARTS=packages leaves the suites out.  Guards against waiting for ever are
# longer than elsewhere: this runs on busy machines.
#
# Each step is one check; what a failed one printed is shown.  The last line is
# "N passed, N failed, N tests in them skipped".
set -u
LC_ALL=C.UTF-8
export LC_ALL
top=$(cd "$(dirname "$0")/.." && pwd)
source=$(cd "$1" && pwd) || exit 1
shift
: "${CACHE:=/var/cache/trailfs-chroots}" "${COMPILERS:=gcc clang}"
: "${MIRROR:=http://deb.debian.org/debian}"
: "${MOUNT_SUITES:=posix states drafts sealing closing tamper control actor
	signer sandbox}"
: "${OTHER_SUITES:=sandbox}"
: "${SHELL_SUITES:=tools-init tools-mount tools-log package-make install
	token}"
: "${STEP_TIMEOUT:=7200}" "${PARTS:=packages suites}"
mkdir -p "$CACHE/archives/partial"
work=$(mktemp -d "${TMPDIR:-/var/tmp}/trailfs-deb.XXXXXX") || exit 1
passed=0 failed=0 skipped=0
# All mounts are in namespaces that end with their step.
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM HUP

# step NAME COMMAND...: one check.
step() {
	name=$1
	shift
	begun=$(date +%s)
	if "$@" >"$work/log" 2>&1; then
		passed=$((passed + 1))
		echo "ok   $name ($(($(date +%s) - begun)) s)"
		sed -n 's/^SKIP /     SKIP /p' "$work/log"
		skipped=$((skipped + $(sed -n '/^SKIP /p' "$work/log" | wc -l)))
	else
		failed=$((failed + 1))
		echo "FAIL $name ($(($(date +%s) - begun)) s)"
		tail -n "${LINES_OF_FAILURE:-60}" "$work/log" | sed 's/^/    /'
		return 1
	fi
}

# inside ROOT [-n] COMMAND...: in namespaces of its own, with -n without a network.
inside() {
	root=$1
	shift
	net=
	if [ "$1" = -n ]; then
		net=-n
		shift
	fi
	# shellcheck disable=SC2016 # the inner shell expands it
	timeout -k 10 "$STEP_TIMEOUT" \
		unshare -m -p -f --kill-child ${net:+-n} sh -ec '
		root=$1 cache=$2
		shift 2
		# A root of its own, and not chroot(2) alone: programs in it make
		# namespaces.
		mount --bind "$root" "$root"
		cd "$root"
		mount -t proc proc proc
		mount -t sysfs -o ro sys sys
		[ -e dev/fuse ] || mknod -m 666 dev/fuse c 10 229
		[ -e dev/loop-control ] || mknod -m 660 dev/loop-control c 10 237
		for n in 0 1 2 3 4 5 6 7; do
			[ -e dev/loop$n ] || mknod -m 660 dev/loop$n b 7 $n
		done
		mount -t tmpfs -o mode=1777 shm dev/shm
		mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 pts dev/pts
		mkdir -p var/cache/apt/archives
		mount --bind "$cache" var/cache/apt/archives
		pivot_root . .
		umount -l .
		exec chroot . "$@"
	' sh "$root" "$CACHE/archives" env -i TERM=dumb LC_ALL="$LC_ALL" \
		HOME=/root DEBIAN_FRONTEND=noninteractive \
		CK_TIMEOUT_MULTIPLIER=10 TEST_TIMEOUT="$STEP_TIMEOUT" \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"$@" </dev/null
}

# apt ROOT WORD...: one at a time, also of other runs, because apt does not wait for
# the directory of what it fetched.
apt() {
	at=$1
	shift
	(
		flock 9
		inside "$at" apt-get -qq -y --no-install-recommends \
			-o Dpkg::Use-Pty=0 \
			-o APT::Keep-Downloaded-Packages=true "$@" 9>&-
	) 9>"$CACHE/lock"
}

# archived NAME COMMAND...: $CACHE/NAME.tar, made by COMMAND in an empty directory
# unless it is there.
archived() {
	archive=$CACHE/$1.tar
	shift
	[ ! -e "$archive" ] || return 0
	rm -rf "$work/new"
	mkdir "$work/new"
	"$@" "$work/new" || return 1
	tar -C "$work/new" --one-file-system -cf "$archive.new" . &&
		mv "$archive.new" "$archive"
	rm -rf "$work/new"
}

# unpacked NAME ROOT
unpacked() {
	rm -rf --one-file-system "$2" && mkdir "$2" &&
		tar -C "$2" -xpf "$CACHE/$1.tar"
}

# --- chroots ------------------------------------------------------------

make_base() {
	debootstrap --variant=minbase "$release" "$1" "$MIRROR"
}

# The build dependencies, the other compiler, lintian, and programs that the
# tests run.  Bookworm has no pkcs11-provider.
make_builder() {
	tar -C "$1" -xpf "$CACHE/$release.tar" &&
		cp "$source"/trailfs_*.dsc "$1/tmp/trailfs.dsc" &&
		apt "$1" update &&
		apt "$1" install build-essential &&
		apt "$1" build-dep /tmp/trailfs.dsc &&
		apt "$1" install clang lintian fuse3 jq acl attr rsync python3 \
			sqlite3 zip unzip xz-utils strace curl bash sudo procps \
			file man-db systemd e2fsprogs softhsm2 opensc age &&
		{ [ "$release" = bookworm ] || apt "$1" install pkcs11-provider; } &&
		inside "$1" useradd -m -K HOME_MODE=0755 -u 1000 builder
}

# --- the package --------------------------------------------------------

# As an ordinary user without a network, the unit tests included.
is_built() {
	rm -rf "$builder/home/builder/$1"
	mkdir "$builder/home/builder/$1"
	cp "$source"/trailfs_*.dsc "$source"/trailfs_*.tar.* \
		"$builder/home/builder/$1"
	chown -R 1000:1000 "$builder/home/builder/$1"
	# shellcheck disable=SC2016
	inside "$builder" -n setpriv --reuid 1000 --regid 1000 --clear-groups \
		env HOME=/home/builder CC="$1" sh -ec '
		cd "/home/builder/$CC"
		if getent hosts deb.debian.org; then exit 1; fi
		dpkg-source -x trailfs_*.dsc src
		cd src
		export DEB_BUILD_OPTIONS="parallel=$(nproc) terse"
		dpkg-buildpackage -b -us -uc
		readelf -p .comment build/trailctl
	' || return 1
	case $1 in
	clang*) grep -q 'clang version' "$work/log" ;;
	esac
}

is_clean() {
	inside "$builder" sh -ec '
	lintian --allow-root --fail-on error,warning /home/builder/'"$1"'/*.changes'
}

# In the tree that this compiler built and with its flags, as root, with /dev/fuse.
has_tests_built() {
	# shellcheck disable=SC2016
	inside "$builder" -n env CC="$1" sh -ec '
	cd "/home/builder/$CC/src"
	export DEB_BUILD_MAINT_OPTIONS=hardening=+all
	eval "$(dpkg-buildflags --export=sh)"
	make -s -j"$(nproc)" all build/test-mount build/test-nomem
	chown -R root:root .'
}

nomem_passes() {
	inside "$builder" -n sh -ec 'cd /home/builder/'"$1"'/src
	TMPDIR=/tmp tests/run build/test-nomem'
}

mounts_pass() {
	inside "$builder" -n sh -ec 'cd /home/builder/'"$1"'/src
	CK_RUN_SUITE='"$2"' TMPDIR=/tmp tests/run build/test-mount'
	status=$?
	# A suite that is not there checks nothing.
	! grep -q '^0 passed' "$work/log" && return $status
}

shell_passes() {
	inside "$builder" -n sh -ec 'cd /home/builder/'"$1"'/src
	BUILD=build TMPDIR=/tmp tests/run tests/shell/'"$2"'.sh'
}

# --- installing ---------------------------------------------------------

# The files of the clean chroot, without caches, logs and the copies that
# programs keep of users and package lists.
listed() {
	find "$clean" -xdev \( -path "$clean/proc" -o -path "$clean/sys" -o \
		-path "$clean/dev" -o -path "$clean/var/cache" -o \
		-path "$clean/var/log" -o -path "$clean/tmp" \) -prune -o \
		-printf '%P %y %m\n' |
		grep -v -e '^etc/\(passwd\|group\|shadow\|gshadow\)- ' \
			-e '^var/lib/dpkg/\(status\|diversions\|available\)-old ' \
			-e '^var/lib/systemd ' | sort
}

clean_is_ready() {
	unpacked "$release" "$clean" || return 1
	cp "$1" "$clean/tmp/new.deb" || return 1
	rm -rf "$work/old"
	dpkg-deb -R "$clean/tmp/new.deb" "$work/old" &&
		sed -i 's/^Version: .*/Version: 0.0.9-1/' "$work/old/DEBIAN/control" &&
		dpkg-deb -b --root-owner-group "$work/old" "$clean/tmp/old.deb" ||
		return 1
	apt "$clean" update &&
		apt "$clean" satisfy "$(dpkg-deb -f "$clean/tmp/new.deb" Depends)" &&
		apt "$clean" install e2fsprogs || return 1
	listed >"$work/before"
}

# Nothing starts, no store and no key is made, and the user has no shell.
is_installed() {
	# shellcheck disable=SC2016 # the inner shell expands it
	inside "$clean" -n sh -ec '
	dpkg -i /tmp/old.deb
	for p in /proc/[0-9]*; do
		case $(tr "\0" " " <$p/cmdline) in
		*trail*) tr "\0" " " <$p/cmdline; [ ${p#/proc/} = $$ ] ;;
		esac
	done
	getent passwd trailfs | grep ":/var/lib/trailfs:/usr/sbin/nologin$"
	[ -z "$(find /var/lib/trailfs /etc/trailfs -mindepth 1)" ]
	[ -z "$(find / -xdev \( -name log.key -o -name "*.vkey" \) -print)" ]
	[ -z "$(find /etc/systemd/system -name "trail*")" ]
	trailctl --version
	trailfs --version
	trailfs-signer --version'
}

# The ways in which an administrator mounts, each with evidence; an upgrade under
# a mount, and removal.
is_used_upgraded_and_removed() {
	cat >"$clean/tmp/use" <<-'END'
	set -eux
	record() {
		mkdir -p "/mnt/t/w/$1"
		head -c 200000 /dev/urandom >"/mnt/t/w/$1/f"
		trailctl seal "/mnt/t/w/$1"
	}
	gone() {
		umount /mnt
		flock -w 60 /var/lib/trailfs/vault/lock true
	}
	signer() {
		grep -l -x trailfs-signer /proc/[0-9]*/comm 2>/dev/null | cut -d / -f 3
	}
	signer_is_gone() {
		for _ in $(seq 600); do
			[ -n "$(signer)" ] || return 0
			sleep 0.1
		done
		return 1
	}
	# has_signer PROGRAM KEYS: one signer, a process of this program and of the
	# owner of the keys, and the status says what it gave up.
	has_signer() {
		p=$(signer)
		[ "$(readlink "/proc/$p/exe")" = "$1" ]
		[ "$(stat -c %U "/proc/$p/stat")" = root ] # not dumpable
		grep "^Uid:.$(stat -c %u "$2").$(stat -c %u "$2")." "/proc/$p/status"
		trailctl status /mnt | grep '^sandbox .*signer'
		grep -o '"signer":{[^}]*}' /mnt/.trailfs/status.json |
			grep '"landlock":[1-9].*"memory":true,"seccomp":true'
	}
	mkfs -t trailfs --origin example.org/deb /var/lib/trailfs/vault >/root/vkey
	mount -t fuse.trailfs /var/lib/trailfs/vault /mnt
	record one
	# The daemon is another user.
	[ "$(stat -c %U /var/lib/trailfs/vault/keys)" = root ]
	has_signer /usr/bin/trailfs /var/lib/trailfs/vault/keys
	dpkg -i /tmp/new.deb
	dpkg-query -W -f '${Version}\n' trailfs
	record two
	# A signer that is killed after the upgrade is replaced.
	old=$(signer)
	kill -9 "$old"
	mkdir /mnt/t/w/killed
	echo more >/mnt/t/w/killed/f
	trailctl sync /mnt
	has_signer "$(readlink "/proc/$(signer)/exe")" /var/lib/trailfs/vault/keys
	[ "$(signer)" != "$old" ]
	gone
	signer_is_gone
	# The keys of another vault are with the program trailfs-signer.
	trailfs-signer --make /var/lib/trailfs/far
	chown -R trailfs: /var/lib/trailfs/far
	trailctl init --signer 'exec trailfs-signer /var/lib/trailfs/far' \
		--origin example.org/far /var/lib/trailfs/near >/root/far.vkey
	trailfs /var/lib/trailfs/near /mnt
	record far
	has_signer /usr/bin/trailfs-signer /var/lib/trailfs/far
	umount /mnt
	flock -w 60 /var/lib/trailfs/near/lock true
	signer_is_gone
	[ -z "$(find /var/lib/trailfs/near -name log.pem)" ]
	trailctl verify --vkey /root/far.vkey /var/lib/trailfs/near
	rm -rf /var/lib/trailfs/near /var/lib/trailfs/far /root/far.vkey
	cp -p /etc/fstab /etc/fstab.old
	echo '/var/lib/trailfs/vault /mnt fuse.trailfs defaults 0 2' >/etc/fstab
	fsck -A -a -V | tee /tmp/said
	grep '^tree  *OK' /tmp/said
	mount -a
	findmnt -n -o FSTYPE /mnt | grep -x fuse.trailfs
	record three
	gone
	trailctl verify --vkey /root/vkey /var/lib/trailfs/vault
	systemctl enable trailfs-verify@vault.timer
	mount /mnt
	dpkg -r trailfs 2>&1 | tee /tmp/said
	grep '/mnt stays mounted' /tmp/said
	mkdir /mnt/t/w/late
	echo more >/mnt/t/w/late/f
	gone
	dpkg -P trailfs 2>&1 | tee /tmp/said
	grep '/var/lib/trailfs is not empty, and stays' /tmp/said
	dpkg -i /tmp/new.deb
	trailctl verify --vkey /root/vkey /var/lib/trailfs/vault
	objects=$(find /var/lib/trailfs/vault/objects -type f | wc -l)
	[ "$objects" -eq 3 ]
	# Damage is what fsck finds.
	f=$(find /var/lib/trailfs/vault/objects -type f | head -n 1)
	chmod u+w "$f"
	echo x >>"$f"
	status=0
	fsck -t trailfs /var/lib/trailfs/vault || status=$?
	[ "$status" -eq 4 ]
	chattr -i /mnt
	rm -rf /var/lib/trailfs/vault /root/vkey
	mv /etc/fstab.old /etc/fstab
	END
	inside "$clean" -n sh /tmp/use
}

is_purged() {
	inside "$clean" -n sh -ec '
	systemctl enable trailfs-mirror@vault.timer
	dpkg -P trailfs
	! dpkg -s trailfs' || return 1
	listed | diff "$work/before" -
}

# --- the plug-ins -------------------------------------------------------

# plugins_are_ready FILE: the packages of the plug-ins beside it, and what they need.
# OLD, or a package as those were that had the plug-ins in them, is old.deb.
plugins_are_ready() {
	for p in postgresql s3; do
		cp "${1%/*}"/trailfs-"$p"_*.deb "$clean/tmp/$p.deb" || return 1
		dpkg-deb -c "$clean/tmp/$p.deb" | grep "/trailfs-$p\.so$" ||
			return 1
		apt "$clean" satisfy "$(dpkg-deb -f "$clean/tmp/$p.deb" Depends |
			sed 's/trailfs ([^)]*), //')" || return 1
	done
	# Each needs its own library, and the programs need neither.
	for p in 'postgresql libpq5 libcurl' 's3 libcurl4 libpq'; do
		# shellcheck disable=SC2086 # three words
		set -- "$1" $p
		dpkg-deb -f "$clean/tmp/$2.deb" Depends >"$work/needs"
		grep -q "$3" "$work/needs" && ! grep "$4" "$work/needs" &&
			! dpkg-deb -f "$1" Depends | grep -e "$3" -e "$4" &&
			! dpkg-deb -c "$1" | grep '\.so$' || return 1
	done
	if [ -n "${OLD-}" ]; then
		cp "$OLD" "$clean/tmp/old.deb"
	else
		dpkg-deb -x "$clean/tmp/postgresql.deb" "$work/old" &&
			dpkg-deb -x "$clean/tmp/s3.deb" "$work/old" &&
			rm -rf "$work"/old/usr/share/doc/trailfs-* &&
			dpkg-deb -b --root-owner-group "$work/old" "$clean/tmp/old.deb"
	fi || return 1
	listed >"$work/before"
}

# What each verb says where a plug-in is, or is not.  Nothing answers at port 1.
plugins_are_tried() {
	cat >"$clean/tmp/use" <<-'END'
	set -eux
	# fails COMMAND...: it must (sh -e does not look at !).
	fails() {
		if "$@"; then
			return 1
		fi
	}
	ledger='postgresql://a@127.0.0.1:1/b?sslmode=disable'
	blobs='s3://b/p?endpoint=http://127.0.0.1:1&retention=1&credentials=/root/secret'
	printf 'access_key=a\nsecret_key=b\n' >/root/secret
	chmod 600 /root/secret
	cd /root
	# says PACKAGE|other URI...: it fails, and names the package or not.
	says() {
		want=$1
		shift
		rm -rf keys org blobs
		fails trailctl org init --origin example.org/o --keys keys "$@" \
			>/tmp/said 2>&1
		cat /tmp/said
		case $want in
		other) fails grep -E 'install|cannot be loaded' /tmp/said ;;
		*) grep "install the package $want:" /tmp/said ;;
		esac
	}
	owner() {
		dpkg -S "/usr/lib/trailfs/trailfs-$1.so"
	}
	version=$(dpkg-deb -f /tmp/new.deb Version)
	# Without a plug-in: neither it nor its library is needed.
	dpkg -i /tmp/new.deb
	ldd /usr/bin/trailctl /usr/bin/trailfs /usr/bin/trailfs-signer >/tmp/said
	fails grep -E 'libpq|libcurl' /tmp/said
	says trailfs-postgresql "$ledger" dir:blobs
	says trailfs-s3 dir:org "$blobs"
	# With each of them.
	dpkg -i /tmp/postgresql.deb
	says other "$ledger" dir:blobs
	says trailfs-s3 dir:org "$blobs"
	dpkg -i /tmp/s3.deb
	says other dir:org "$blobs"
	# A plug-in needs its program, and of the same version.
	fails dpkg -r trailfs
	dpkg -P trailfs-postgresql trailfs-s3
	says trailfs-postgresql "$ledger" dir:blobs
	dpkg -P trailfs
	fails dpkg -i /tmp/postgresql.deb
	dpkg -P trailfs-postgresql
	# An earlier package had them in it.  Its upgrade alone takes them away.
	dpkg -i /tmp/old.deb
	owner postgresql | grep '^trailfs:'
	owner s3 | grep '^trailfs:'
	dpkg -i /tmp/new.deb
	fails owner s3
	[ ! -e /usr/lib/trailfs ]
	zcat /usr/share/doc/trailfs/NEWS.Debian.gz | grep 'install trailfs-postgresql'
	says trailfs-s3 dir:org "$blobs"
	dpkg -P trailfs
	# No plug-in beside the earlier program, not even unpacked.
	dpkg -i /tmp/old.deb
	fails dpkg --unpack /tmp/postgresql.deb
	owner postgresql | grep '^trailfs:'
	# All at once, and no file is lost; also if a plug-in is unpacked first.
	for with in 'apt-get -y install' 'dpkg --auto-deconfigure -i'; do
		dpkg -i --force-downgrade /tmp/old.deb
		$with /tmp/s3.deb /tmp/postgresql.deb /tmp/new.deb
		owner postgresql | grep '^trailfs-postgresql:'
		owner s3 | grep '^trailfs-s3:'
		dpkg --verify trailfs trailfs-postgresql trailfs-s3 >/tmp/said
		[ ! -s /tmp/said ]
		says other "$ledger" dir:blobs
		says other dir:org "$blobs"
		[ "$(dpkg-query -W -f '${Version}\n' 'trailfs*' | sort -u)" = \
			"$version" ]
		apt-get -y purge trailfs-postgresql trailfs-s3
	done
	# Removing the program removes them.
	apt-get -y install /tmp/s3.deb /tmp/postgresql.deb
	apt-get -y purge trailfs
	fails dpkg -s trailfs-s3
	rm -rf keys org blobs secret
	END
	inside "$clean" -n sh /tmp/use || return 1
	listed | diff "$work/before" -
}

# --- all of it ----------------------------------------------------------

package_is_tried() {
	step "$release: a clean chroot has the dependencies" \
		clean_is_ready "$1" &&
		step "$release: the package is installed" is_installed &&
		step "$release: it is used, upgraded and removed" \
			is_used_upgraded_and_removed &&
		step "$release: purged, it leaves nothing behind" is_purged &&
		step "$release: the plug-ins have what they need" \
			plugins_are_ready "$1" &&
		step "$release: plug-ins are installed, upgraded, purged" \
			plugins_are_tried
}

other_tests_are_run() {
	step "$release: the tests are built with $1" has_tests_built "$1" || return
	for s in $OTHER_SUITES; do
		step "$release: mount suite $s, with $1" mounts_pass "$1" "$s"
	done
}

tests_are_run() {
	step "$release: the tests are built" has_tests_built "$1" || return
	for s in $MOUNT_SUITES; do
		step "$release: mount suite $s" mounts_pass "$1" "$s"
	done
	for s in $SHELL_SUITES; do
		step "$release: suite $s" shell_passes "$1" "$s"
	done
	step "$release: programs without memory" nomem_passes "$1"
}

# packages_are_built: by each compiler; those of the first are tried.
packages_are_built() {
	step "$release: a chroot is made" archived "$release" make_base || return
	if [ -n "${PACKAGE-}" ]; then
		package_is_tried "$PACKAGE"
		return
	fi
	sum=$(cat "$top/tools/packages/debian/control" "$top/tests/deb.sh" |
		sed -n '/^Build-Depends/,/^$/p; /^make_builder/,/^}/p' |
		sha256sum | cut -c 1-12)
	step "$release: a chroot for building is made" \
		archived "$release-$sum" make_builder || return
	unpacked "$release-$sum" "$builder" || return
	for compiler in $COMPILERS; do
		step "$release: $compiler builds the package, and its tests pass" \
			is_built "$compiler" || continue
		: >"$builder/built-$compiler"
		[ "$compiler" = "$first" ] || continue
		step "$release: lintian has no error and no warning" \
			is_clean "$compiler"
		package_is_tried \
			"$(echo "$builder/home/builder/$compiler"/trailfs_*.deb)"
		rm -rf --one-file-system "$clean"
	done
}

# suites_are_run: in the trees that were built.
suites_are_run() {
	for compiler in $COMPILERS; do
		[ -e "$builder/built-$compiler" ] || continue
		if [ "$compiler" = "$first" ]; then
			tests_are_run "$compiler"
		else
			other_tests_are_run "$compiler"
		fi
		rm -rf --one-file-system "$builder/home/builder/$compiler"
	done
	rm -rf --one-file-system "$builder"
}

[ $# -gt 0 ] || set -- bookworm trixie
first=${COMPILERS%% *}
for part in $PARTS; do
	for release; do
		builder=$work/$release clean=$work/clean
		case $part in
		packages) packages_are_built ;;
		suites) suites_are_run ;;
		esac
	done
done
echo "$passed passed, $failed failed, $skipped tests in them skipped"
[ "$failed" -eq 0 ]
