#!/bin/sh
# make install and make uninstall: what is where, with the right paths in it, and
# that nothing is left behind.  The other names of the programs do their work.
. "$(dirname "$0")/../suite_tools.sh"
show_output=

# make_into PREFIX TARGET: with the programs that are there, whatever options they
# were built with.
make_into() {
	is 0 make -s -C "$top" -o all BUILD="$BUILD" DESTDIR="$work/root" \
		PREFIX="$1" "$2"
}

# listed: what is below root now.
listed() {
	(cd root && find . | sort)
}

# Units, manuals, monitoring and examples go where their readers look.
everything_is_installed() {
	make_into /opt/x install
	for f in "$top"/tools/systemd/*.service "$top"/tools/systemd/*.timer; do
		[ -f "root/opt/x/lib/systemd/system/${f##*/}" ]
	done
	for f in "$top"/man/*.[1-9]; do
		[ -f "root/opt/x/share/man/man${f##*.}/${f##*/}" ]
	done
	# Plug-ins are built where their libraries are.
	for e in 'postgresql libpq' 's3 libcurl'; do
		pkg-config --exists "${e#* }" 2>/dev/null || continue
		[ -f "root/opt/x/lib/trailfs/trailfs-${e% *}.so" ]
	done
	for f in "$top"/tools/monitoring/*; do
		cmp "$f" "root/opt/x/share/trailfs/${f##*/}"
	done
	for f in "$top"/tools/systemd/example.* "$top"/tools/systemd/*mount; do
		[ ! -e "$f" ] ||
			cmp "$f" "root/opt/x/share/doc/trailfs/examples/${f##*/}"
	done
	[ "$(find root -type f -perm -111 | wc -l)" -eq \
		"$(find root/opt/x/bin -type f | wc -l)" ]
	# No link leads away or nowhere.
	[ -z "$(find root -xtype l)" ]
}

# A unit starts the program that was installed with it, and manuals name the
# directories that were filled.  Programs of the user stay where they are.
files_name_the_places() {
	grep -q '^ExecStart=/opt/x/bin/trailctl verify ' \
		"root/opt/x/lib/systemd/system/trailfs-verify@.service"
	grep -rho '/[a-z/]*local/[a-z/]*trail[a-z]*' root/opt/x/lib \
		root/opt/x/share | sort -u >there
	# The directory of the administrator's programs for trailctl-watch@.
	grep -vx /usr/local/lib/trailctl >wrong <there || :
	cat wrong
	[ ! -s wrong ]
	grep -q '^.Pa /opt/x/share/trailfs' root/opt/x/share/man/man8/trailfs-monitor.8
}

# systemd reads the user and the directory.
systemd_takes_user_and_directory() {
	needs systemd-sysusers systemd-tmpfiles
	# A root with these files alone.
	mkdir -p other/etc other/usr/lib/sysusers.d other/usr/lib/tmpfiles.d
	cp root/opt/x/lib/sysusers.d/* other/usr/lib/sysusers.d
	cp root/opt/x/lib/tmpfiles.d/* other/usr/lib/tmpfiles.d
	is 0 systemd-sysusers --root=other
	grep -q '^trailfs:.*:/var/lib/trailfs:/usr/sbin/nologin$' \
		other/etc/passwd
	grep -q '^trailfs:' other/etc/group
	is 0 systemd-tmpfiles --root=other --create
	[ ! -s err ]
	[ "$(stat -c %a other/var/lib/trailfs)" = 755 ]
}

# Uninstalling removes every file and every directory that was made for them.
uninstall_leaves_nothing() {
	make_into /opt/x uninstall
	find root -mindepth 1 >left
	echo root/opt | diff - left
}

# A plug-in that is missing, or damaged, is named, and so is its package.
missing_plugins_are_named() {
	make_into /opt/x install
	is 0 trailctl init --user root --origin example.org/plugin vault
	mkdir -p mnt
	bin=root/opt/x/bin
	for e in 'postgresql postgresql://a@127.0.0.1:1/b' \
		's3 s3://b/p?retention=1'; do
		uri=${e#* } so=root/opt/x/lib/trailfs/trailfs-${e% *}.so
		rm -f "$so"
		for how in package damaged; do
			words="install the package trailfs-${e% *}: there is no /.*"
			if [ $how = damaged ]; then
				mkdir -p "${so%/*}"
				: >"$so"
				words="trailfs-${e% *}.so cannot be loaded: "
			fi
			set -- "$uri" dir:blobs
			[ "${e% *}" = postgresql ] || set -- dir:org "$uri"
			rm -rf org keys
			is 2 $bin/trailctl org init --origin example.org/o \
				--keys keys "$@"
			complains "$words"
			is 0 trailctl org init --origin example.org/o \
				--keys other-keys dir:org
			is 2 $bin/trailctl forward vault "$@"
			complains "$words"
			is 2 $bin/trailctl doctor "$uri" "$uri"
			complains "$words"
			is 2 $bin/trailctl org fetch "$@" copies
			complains "$words"
			rm -f "$so"
		done
	done
	is 1 $bin/trailfs "postgresql://a@127.0.0.1:1/b" mnt \
		-o ro,cache=cache,blobs=dir:blobs
	complains 'install the package trailfs-postgresql: '
	make_into /opt/x uninstall
	find root -mindepth 1 >left
	echo root/opt | diff - left
}

# Other directories than those below the prefix, and a user whose files nobody else
# may read: nothing is left, and everybody can read what was installed.
other_directories_are_used() {
	rm -rf root
	(
		umask 077
		for target in install uninstall; do
			is 0 make -s -C "$top" -o all BUILD="$BUILD" \
				DESTDIR="$work/root" PREFIX=/usr SBINDIR=/usr/bin \
				ZSHDIR=/usr/share/zsh/vendor-completions $target
			[ $target = uninstall ] || {
				[ -L root/usr/bin/mkfs.trailfs ]
				[ -f root/usr/share/zsh/vendor-completions/_trailctl ]
				find root/usr ! -type l ! -perm -444 >left
				find root/usr -type d ! -perm -555 >>left
				diff /dev/null left
			}
		done
	)
	find root ! -type d >left
	diff /dev/null left
	find root -name '*trail*' >left
	diff /dev/null left
}

# The directories that a system has stay, and so do the files of others.
uninstall_keeps_what_was_there() {
	rm -rf root
	(
		umask 022
		mkdir -p root/usr/local/bin root/usr/local/sbin \
			root/usr/local/lib/systemd/system \
			root/usr/local/share/man/man8 \
			root/usr/local/share/doc
		: >root/usr/local/lib/systemd/system/other.service
		: >root/usr/local/share/man/man8/other.8
	)
	listed >before
	make_into /usr/local install
	listed >during
	[ "$(wc -l <during)" -gt "$(($(wc -l <before) + 30))" ]
	# Twice is the same as once.
	make_into /usr/local install
	listed | diff during -
	make_into /usr/local uninstall
	listed | diff before -
	make_into /usr/local uninstall
	listed | diff before -
}

# All packages are of the version that the programs print.
packages_have_this_version() {
	v=$(trailctl --version)
	v=${v#trailctl }
	cd "$top/tools/packages"
	head -n 1 debian/changelog | grep -qF "trailfs ($v-"
	grep -qx "Version: *$v" rpm/trailfs.spec
	grep -qx "pkgver=$v" alpine/APKBUILD
}

# The spec of rpm lists each installed file, and no other.
the_rpm_has_every_file() {
	needs python3
	rm -rf root
	make_into /usr install
	(cd root && find . ! -type d | sed 's/^.//' | sort) >there
	python3 - "$top/tools/packages/rpm/trailfs.spec" there <<-'EOF'
	import fnmatch, sys
	macros = {'prefix': '/usr', 'bindir': '/usr/bin', 'sbindir': '/usr/sbin',
	    'datadir': '/usr/share', 'docdir': '/usr/share/doc',
	    'mandir': '/usr/share/man', 'unitdir': '/usr/lib/systemd/system',
	    'sysusersdir': '/usr/lib/sysusers.d',
	    'tmpfilesdir': '/usr/lib/tmpfiles.d'}
	spec = open(sys.argv[1]).read()
	listed = spec.split('\n%files\n')[1].split('\n%changelog')[0].split('\n')
	there = open(sys.argv[2]).read().split()
	for line in listed:
	    if not line.startswith('%{'):
	        continue
	    line = line.replace('%{name}', 'trailfs')
	    for name, path in macros.items():
	        line = line.replace('%{_' + name + '}', path)
	    if line.endswith('.so') and line not in there:
	        continue # a plug-in, whose library is not here
	    matched = [f for f in there if fnmatch.fnmatch(f, line) or
	        f.startswith(line + '/')]
	    assert matched, line + ' is not installed'
	    there = [f for f in there if f not in matched]
	assert not there, there
	EOF
}

# APKBUILD puts each installed file into one package, the plug-ins into packages of
# their own, and leaves out what is for systemd.
the_apk_has_every_file() {
	rm -rf root
	make_into /usr install
	(cd root && find . ! -type d ! -path './usr/lib/s*' \
		! -path './usr/lib/tmpfiles.d*' | sort) >there
	[ -e root/usr/lib/trailfs/trailfs-s3.so ] ||
		skip 'the plug-ins are not built'
	(
		# shellcheck disable=SC2317,SC2329 # the file calls it
		make() {
			command make -s -C "$top" -o all BUILD="$BUILD" "$@"
		}
		# shellcheck disable=SC2317,SC2329
		amove() {
			install -d "$subpkgdir/${1%/*}"
			mv "$pkgdir/$1" "$subpkgdir/$1"
		}
		# shellcheck disable=SC2030
		pkgdir=$work/main
		set +u
		# shellcheck disable=SC1091
		. "$top/tools/packages/alpine/APKBUILD"
		unset CPPFLAGS
		package
		for e in postgresql s3; do
			case $subpackages in
			*"trailfs-$e"*) ;;
			*) exit 1 ;;
			esac
			subpkgdir=$work/$e
			$e
			(cd $e && find . ! -type d) >only
			echo "./usr/lib/trailfs/trailfs-$e.so" | diff - only
		done
	)
	(for d in main postgresql s3; do
		(cd $d && find . ! -type d)
	done) | sort | diff there -
}

# README, the packages of Debian and Alpine, and .ci/setup name the same libraries.
dependencies_agree() {
	# row SYSTEM: the packages of its row, one on each line.
	row() {
		sed -n "s/^| $1 |//p" "$top/README.md" | tr -d '|`' |
			xargs -n 1 | sort -u
	}
	for system in Debian Fedora Alpine Arch; do
		row $system >packages
		grep -qE '^(lib)?fuse3(-dev|-devel)?$' packages
		grep -qE '^(libpq-dev|libpq-devel|postgresql-libs)$' packages
		grep -qE '^(libcurl4-openssl-dev|libcurl-devel|curl-dev|curl)$' packages
	done
	row Debian | grep -vx -e gcc -e make -e fuse3 >packages
	sed -n '/^Build-Depends/,/^$/s/^ \([a-z0-9-]*\).*/\1/p' \
		"$top/tools/packages/debian/control" | grep -v -e '^debhelper' \
		-e '^dh-' -e '^openssl$' | sort | diff packages -
	for n in $(cat packages) gcc make fuse3; do
		sed -n '/^build=/,/^bench=/p' "$top/.ci/setup" | grep -qw -e "$n"
	done
	row Alpine | grep -vx -e build-base -e pkgconf -e fuse3 >packages
	(
		set +u
		# shellcheck disable=SC1091
		. "$top/tools/packages/alpine/APKBUILD"
		# shellcheck disable=SC2154,SC2086
		printf '%s\n' $makedepends check-dev | sort
	) | diff packages -
}

# mkfs.trailfs is trailctl init.
mkfs_makes_a_store() {
	mkdir names
	for n in mkfs.trailfs fsck.trailfs fsck.fuse.trailfs; do
		ln -s "$BUILD/trailctl" "names/$n"
	done
	is 0 names/mkfs.trailfs --origin example.org/mkfs store
	says '^example.org/mkfs+'
	is 0 trailctl verify store
	is 1 names/mkfs.trailfs store
	is 2 names/mkfs.trailfs --frobnicate other
}

# fsck.trailfs has the exit statuses of fsck(8), and takes its options.
fsck_verifies_a_store() {
	for n in fsck.trailfs fsck.fuse.trailfs; do
		is 0 "names/$n" store
		says '^tree  *OK'
	done
	is 0 names/fsck.trailfs -a -fy -C4 store
	is 0 names/fsck.trailfs -p -C store
	is 16 names/fsck.trailfs
	is 16 names/fsck.trailfs -x store
	is 16 names/fsck.trailfs store -a
	is 16 names/fsck.trailfs --vkey store
	is 16 names/fsck.trailfs store store
	is 8 names/fsck.trailfs nowhere
	if names/fsck.trailfs store >/dev/full 2>err; then
		exit 1
	else
		[ $? -eq 8 ]
	fi
	mount store
	is 0 names/fsck.trailfs -n store
	mkdir -p mnt/t/w/a
	head -c 200000 /dev/zero >mnt/t/w/a/f
	is 0 trailctl sync mnt
	unmount
	# It records nothing: neither that all is whole, nor that it is not.
	trailctl log --json store >entries
	(cd store && find . -type f ! -name 'ledger.db-*' -exec sha256sum {} +) |
		sort >before
	is 0 names/fsck.trailfs -y store
	(cd store && sha256sum --quiet -c ../before)
	flip "$(find store/objects -type f)" 3
	for option in -a -p -fy -n; do
		is 4 names/fsck.trailfs $option store
		says FAILED
	done
	(cd store && find . -type f ! -name 'ledger.db-*' -exec sha256sum {} +) |
		sort >after
	[ "$(diff before after | grep -c '^[<>]')" = 2 ] # the object
	trailctl log --json store | cmp - entries
	# Who asks for it gets the entry, and the verdict in the store.
	is 4 trailctl verify --record store
	is 0 trailctl log --json --type verify.failed store
	has_lines 1
}

run everything_is_installed files_name_the_places \
	systemd_takes_user_and_directory uninstall_leaves_nothing \
	missing_plugins_are_named other_directories_are_used \
	uninstall_keeps_what_was_there packages_have_this_version \
	the_rpm_has_every_file the_apk_has_every_file dependencies_agree mkfs_makes_a_store fsck_verifies_a_store
finish
