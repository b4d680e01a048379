#!/bin/sh
# The EXAMPLES of the manual pages: the commands of each page, taken from its source
# and run as they are printed, with a real vault at /srv/vault and /mnt/vault.
#
# Each page runs in namespaces of its own, in which /etc is a copy and /mnt, /srv,
# /root, /usr/local, /var/lib and /var/log are empty.  In a page, a line of a display
# that begins with a prompt ("$ ", "# ", "vault$ ") is a command, and goes on in the
# lines below it that begin with a space.  What is not on a test machine (ssh, curl, mail) is a program in
# /usr/local/bin that does what the other side would do.
# shellcheck disable=SC2016,SC2317 # for other shells; called by name
. "$(dirname "$0")/../suite.sh"

# commands PAGE >FILE: those of its section EXAMPLES, one per line, with \001 for a
# line feed in them.
commands() {
	awk '
	function plain(s) {
		gsub(/\\\(aq/, "\047", s)
		gsub(/\\\(dq/, "\042", s)
		gsub(/\\&/, "", s)
		gsub(/\\e/, "\\", s)
		return s
	}
	/^\.Sh / { on = $0 == ".Sh EXAMPLES"; next }
	!on { next }
	/^\.Bd / { shown = 1; next }
	/^\.Ed/ { shown = 0; next }
	/^\.Dl / { line = substr($0, 5); one = 1 }
	!/^\.Dl / { line = $0; one = 0 }
	!shown && !one { next }
	{
		line = plain(line)
		if (sub(/^[a-z0-9-]*[$#] /, "", line))
			printf "%s%s", n++ ? "\n" : "", line
		else if (n && line ~ /^ /)
			printf "\001%s", line
	}
	END { if (n) print "" }' "$top/man/$1"
}

# other NAME <SCRIPT: a program that this machine lacks, in the namespace.
other() {
	cat >"/usr/local/bin/$1"
	chmod 755 "/usr/local/bin/$1"
	hash -r
}

# In the namespaces: empty directories, our programs, and those of others.
make_machine() {
	umask 022
	command mount --make-rprivate /
	mkdir etc
	cp -a /etc/. etc/
	command mount --bind etc /etc
	for d in /mnt /srv /root /usr/local /var/lib /var/log; do
		command mount -t tmpfs -o mode=755 tmpfs "$d"
	done
	mkdir -p /usr/local/bin /usr/local/sbin /var/lib/trailfs /etc/trailfs
	cp "$BUILD/trailctl" "$BUILD/trailfs" "$BUILD/trailfs-signer" /usr/local/bin/
	ln -s ../bin/trailctl /usr/local/sbin/mkfs.trailfs
	HOME=/root
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	export HOME PATH
	mkdir /root/desk
	cd /root/desk
	# The other machine, its web service, and what one deploys with.
	other ssh <<-'END'
	#!/bin/sh
	shift # the machine
	exec "$@"
	END
	other curl <<-'END'
	#!/bin/sh
	for url; do :; done
	case $url in
	*witness*) cd /root/desk && exec trailctl witness-serve w1 "$url" ;;
	*tsa*) exec "$top/tests/tsa" answer /root/tsa good ;;
	*other*) exec "$top/tests/tsa" answer /root/tsa good ;;
	*hooks*) exec cat >>/srv/posted ;;
	esac
	exit 6
	END
	echo 'echo deployed' | other deploy
	echo 'exec cat >>/srv/mailed' | other mail
	export top
}

# A mounted vault with a trail, a sealed run and files to record.
make_vault() {
	trailctl init --user root --origin vault.example.org/prod /srv/vault \
		>vault.vkey 2>/dev/null
	mkdir /mnt/vault
	trailfs /srv/vault /mnt/vault -o allow_other
	mkdir -p /mnt/vault/prod/run-7/login
	echo '{}' >event.json
	cp event.json /mnt/vault/prod/run-7/login/
	trailctl seal /mnt/vault/prod/run-7
	echo approved >approval.pdf
	echo '<testsuite tests="1"><testcase name="a"/></testsuite>' >report.xml
	printf 'check:\n\t@echo all is well\n' >Makefile
}

# in_page PAGE: run each of its commands.  A word of the page's function fits it to
# this machine before.
in_page() {
	set -e
	unset -f mount # of the suite
	make_machine
	"before_$(echo "${1%.*}" | tr . - | tr - _)"
	commands "$1" >lines
	[ -s lines ]
	while IFS= read -r line <&7; do
		line=$(printf %s "$line" | tr '\001' '\n')
		echo "$1: $line"
		case $line in
		*--follow* | 'trailctl watch '*)
			follow "$line"
			continue
			;;
		esac
		eval "$line" >printed 2>errors || {
			echo "exit status $?"
			cat /root/desk/printed /root/desk/errors
			exit 1
		}
		cd /root/desk
	done 7<lines
	"after_$(echo "${1%.*}" | tr . - | tr - _)"
}

# A command that goes on for ever has to see a file that is recorded meanwhile.
follow() {
	sh -c "exec $1" >printed 2>errors &
	pid=$!
	n=0
	until grep -qs prod/seen printed ||
		grep -qs '"type":"evidence' /srv/posted; do
		n=$((n + 1))
		mkdir -p "/mnt/vault/prod/seen/a$n"
		echo "$n" >"/mnt/vault/prod/seen/a$n/f"
		trailctl sync /mnt/vault
		kill -0 "$pid"
		[ "$n" -lt 200 ]
		sleep 0.1
	done
	kill "$pid"
}

# --- what a page expects, and what it leaves ---------------------------------

# For its examples.
before_trailctl_copies() { make_vault; }
# They have done this.
after_trailctl_copies() { trailctl verify --quiet /srv/mirror; }

# For its examples.
before_trailctl_kosli() {
	make_vault
	mkdir reports
	cp report.xml reports/
	printf 'version: 1\ntrail:\n  attestations:\n    - name: web.unit-tests\n' \
		>template.yml
	echo '      type: junit' >>template.yml
	GIT_COMMIT=0123456789abcdef0123456789abcdef01234567
	TRAILFS_MOUNT=/mnt/vault # as the first line of the example
	export GIT_COMMIT TRAILFS_MOUNT
}
# They have done this.
after_trailctl_kosli() { :; }

# For its examples.
before_trailctl_look() { make_vault; }
# They have done this.
after_trailctl_look() { grep -q 'prod/seen/a' printed; }

# For its examples.
before_trailctl_monitor() {
	make_vault
	chmod 755 /root /root/desk
	: >/srv/posted
	chmod 666 /srv/posted
	chmod -R a+rX /mnt/vault/prod 2>/dev/null || :
}
# They have done this.
after_trailctl_monitor() { grep -q '"type":"evidence' /srv/posted; }

# For its examples.
before_trailctl_organisation() {
	make_vault
	mkdir /srv/keys
	cp vault.vkey /srv/keys/
}
# They have done this.
after_trailctl_organisation() {
	trailctl verify --quiet /srv/copies/vault.example.org*
}

# For its examples.
before_trailctl_package() {
	make_vault
	mkdir -p /srv/www
	trailctl export-log /srv/vault /srv/www/vault
	trailctl trail create /mnt/vault/more
	mkdir -p /mnt/vault/more/run-1/review
	setfattr -n user.trailfs.control -v CC6.1 /mnt/vault/more/run-1/review
	cp event.json /mnt/vault/more/run-1/review/
	trailctl seal /mnt/vault/more/run-1
}
# They have done this.
after_trailctl_package() { [ -f given/run-7/verify.sh ] && [ -s CC6.1.zip ]; }

# The run of the page is its own.
before_trailctl_record() {
	make_vault
	trailctl trail create /mnt/vault/other >/dev/null
	unmake_prod
}
# They have done this.
after_trailctl_record() {
	grep -qx deployed printed
	grep -qx 'all is well' /mnt/vault/prod/run-8/tests/output.log
}
# For its examples.
before_trailctl_trail() { before_trailctl_record; }
# They have done this.
after_trailctl_trail() { trailctl assert /mnt/vault/prod/run-7; }
# For its examples.
before_trailctl() {
	mkdir /mnt/vault
	echo approved >approval.pdf
	printf 'check:\n\t@echo all is well\n' >Makefile
	other trailctl <<-'END'
	#!/bin/sh
	# The vault of the first example is mounted before it is used.
	/root/trailctl "$@" || exit
	[ "$1" != init ] || exec trailfs /srv/vault /mnt/vault
	END
	cp "$BUILD/trailctl" /root/trailctl
}
# They have done this.
after_trailctl() { grep -q 'is the same\|OK' printed; }

# A vault in which the name prod is free.
unmake_prod() {
	umount /mnt/vault
	flock -w 30 /srv/vault/lock true
	chattr -i /mnt/vault 2>/dev/null || :
	rm -r /srv/vault
	trailctl init --user root --origin vault.example.org/prod /srv/vault \
		>vault.vkey 2>/dev/null
	trailfs /srv/vault /mnt/vault
}

# For its examples.
before_trailctl_store() { :; }
# They have done this.
after_trailctl_store() { trailctl verify --quiet --vkey vault.vkey /srv/vault; }

# For its examples.
before_trailctl_verify() { make_vault; }
# They have done this.
after_trailctl_verify() {
	[ ! -e /srv/mailed ]
	grep -q '"tree"' /var/log/vault.json
}

# For its examples.
before_trailctl_witness() {
	make_vault
	"$top/tests/tsa" make /root/tsa
	cp /root/tsa/chain.pem tsa-chain.pem
	cp /root/tsa/chain.pem other-chain.pem
	cp /root/tsa/root.pem tsa-root.pem
	ln -s /mnt/vault mnt
	ln -s /srv/vault vault
	# The policy has the key of the witness, which the first command makes.
	other cat <<-'END'
	#!/bin/sh
	[ "$*" != policy ] || {
		echo "log $(/bin/cat vault.vkey)"
		echo "witness w1 $(/bin/cat w1/vkey) https://witness.example.org/w1"
		echo 'quorum w1'
	} >policy
	exec /bin/cat "$@"
	END
}
# They have done this.
after_trailctl_witness() { grep -q '^timestamp  *OK' printed; }

# For its examples.
before_trailfs() {
	echo '<testsuite tests="1"><testcase name="a"/></testsuite>' >report.xml
}
# They have done this.
after_trailfs() {
	# The line of fstab mounts the vault.
	umount /mnt/vault
	flock -w 30 /srv/vault/lock true
	chattr -i /mnt/vault 2>/dev/null || :
	sed -n 's/^\.Dl \(\/srv\/vault .*\)/\1/p' "$top/man/trailfs.8" >>/etc/fstab
	command mount /mnt/vault
	[ -f /mnt/vault/deploy/release-41/tests/report.xml ]
}

# For its examples.
before_mkfs_trailfs() { mkdir /mnt/vault; }
# They have done this.
after_mkfs_trailfs() { mountpoint -q /mnt/vault; }

# For its examples.
before_trailfs_replay() {
	make_vault
}
# The page of the recording has come out.
after_trailfs_replay() {
	grep -q 'Replay of session.log' session.log.html
}

# And for those of this page.
before_trailfs_format() {
	make_vault
	cp /mnt/vault/.trailfs/checkpoint /mnt/vault/.trailfs/events.jsonl .
	cp vault.vkey log.vkey
	trailctl key export --log --format pem /mnt/vault >log.pub.pem
	cp log.pub.pem exported.pem
}
# They have done this.
after_trailfs_format() {
	cmp log.pub.pem exported.pem
	grep -q '^[0-9a-f]\{64\}  -' printed
}

# For its examples.
before_trailfs_package_check() {
	make_vault
	trailctl package --no-entry -o run-7.zip /mnt/vault/prod/run-7 >out
	trailctl unpack run-7.zip mine >out
	mv mine/run-7/verify.sh verify.sh
}
# They have done this.
after_trailfs_package_check() { tail -n 1 printed | grep -q ': OK$'; }

# For its examples.
before_trailfs_signer() { :; }
# They have done this.
after_trailfs_signer() { [ -s /etc/trailfs/keys/log.pem ]; }

# --- the pages --------------------------------------------------------------

# page NAME: its examples work, in namespaces that end with them.
page() {
	mkdir "in.$1"
	cd "in.$1"
	work=$PWD page=$1
	export work page
	patience_s=120
	unshare --mount --pid --fork --mount-proc \
		sh "$top/tests/shell/examples.sh" --in "$1"
}

# Those of trailctl-copies(1).
the_examples_of_copies() { page trailctl-copies.1; }
# Those of trailctl-kosli(1).
the_examples_of_kosli() { page trailctl-kosli.1; }
# Those of trailctl-look(1).
the_examples_of_look() { page trailctl-look.1; }
# Those of trailctl-monitor(1).
the_examples_of_monitor() { page trailctl-monitor.1; }
# Those of trailctl-organisation(1).
the_examples_of_organisation() { page trailctl-organisation.1; }
# Those of trailctl-package(1).
the_examples_of_package() { page trailctl-package.1; }
# Those of trailctl-record(1).
the_examples_of_record() { page trailctl-record.1; }
# Those of trailctl-store(1).
the_examples_of_store() { page trailctl-store.1; }
# Those of trailctl-trail(1).
the_examples_of_trail() { page trailctl-trail.1; }
# Those of trailctl-verify(1).
the_examples_of_verify() { page trailctl-verify.1; }
# Those of trailctl-witness(1).
the_examples_of_witness() { page trailctl-witness.1; }
# Those of trailctl(1).
the_examples_of_trailctl() { page trailctl.1; }
# Those of trailfs(8).
the_examples_of_trailfs() { page trailfs.8; }
# Those of mkfs.trailfs(8).
the_examples_of_mkfs() { page mkfs.trailfs.8; }
# Those of trailfs-format(5).
the_examples_of_format() { page trailfs-format.5; }
# Those of trailfs-package-check(7).
the_examples_of_packages() { page trailfs-package-check.7; }
# Those of trailfs-replay(7).
the_examples_of_replay() { page trailfs-replay.7; }
# Those of trailfs-signer(8).
the_examples_of_signer() { page trailfs-signer.8; }

# Each page with commands in its EXAMPLES is among them; those of programs have some.
every_page_with_examples_is_tried() {
	for file in "$top"/man/*.[1-9]; do
		grep -q '^\.Sh EXAMPLES' "$file" || continue
		name=${file##*/}
		commands "$name" >found
		case $name in
		*.[57]) [ -s found ] || continue ;; # files and no commands
		esac
		[ -s found ] || {
			echo "$name has no command with a prompt"
			exit 1
		}
		grep -q "page $name; }\$" "$top/tests/shell/examples.sh" || {
			echo "$name has examples that nobody tries"
			exit 1
		}
	done
}

if [ "${1-}" = --in ]; then
	(in_page "$2")
	exit
fi
run every_page_with_examples_is_tried
set -- the_examples_of_copies the_examples_of_kosli the_examples_of_look \
	the_examples_of_monitor the_examples_of_organisation \
	the_examples_of_package the_examples_of_record \
	the_examples_of_store the_examples_of_trail the_examples_of_verify \
	the_examples_of_witness the_examples_of_trailctl the_examples_of_trailfs \
	the_examples_of_mkfs the_examples_of_signer the_examples_of_format \
	the_examples_of_packages the_examples_of_replay
if [ "$(id -u)" -ne 0 ]; then
	skipped 'not root' "$@"
elif ! unshare --mount --pid --fork --mount-proc true 2>/dev/null; then
	skipped 'no namespaces' "$@"
else
	with '/dev/fuse unshare make openssl jq unzip' "$@"
fi
finish
