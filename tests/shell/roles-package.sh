#!/bin/sh
# A package is made for who may read all that is in it: as owner, as member of the
# group, as others and by a role, of a trail, a workflow and an attestation.
# shellcheck disable=SC2016,SC2086 # $me is for the shells; $by is words
. "$(dirname "$0")/../suite_roles.sh"
shared_mount=yes

# packages WHO PATH...: exactly these get the package of each path, with trailctl and
# from the control file; it is whole, and the same for all of them.
packages() {
	may=$1
	shift
	for path; do
		rm -f zips/*
		only "$may" "trailctl package -o zips/\$me.zip mnt/$path"
		only "$may" "cat mnt/$path/.trailfs/package.zip >zips/\$me.cat"
		for who in $may; do
			is 0 trailctl verify --quiet --vkey key zips/$who.zip
		done
		only "$may" "trailctl verify --quiet --vkey key mnt/$path"
	done
}

# evidence WHO TRAIL WORKFLOW ATTESTATION UMASK: a sealed attestation with a file.
evidence() {
	become "$1"
	umask "$5"
	$by mkdir -p mnt/$2/$3/$4
	$by sh -c "echo x >mnt/$2/$3/$4/f"
	umask 022
	is 0 trailctl sync mnt
}

# A trail of the owner, with that mode.
trail() {
	mkdir mnt/$1
	chmod "$2" mnt/$1
	chown 54321 mnt/$1
}

# The modes of a trail, and who gets its packages at each level.
each_class_gets_packages() {
	chmod 0755 .
	mount store -o settle=0,$roles
	cp vkey key
	chmod a+r key
	mkdir -m 0777 zips
	trail group 2750
	evidence owner group w a 027
	packages 'root owner member auditor admin' group group/w group/w/a
	trail open 2755
	evidence owner open w a 022
	packages "$everybody" open open/w open/w/a
	trail private 2700
	evidence owner private w a 022
	packages 'root owner auditor admin' private private/w private/w/a
	# Who is in the group is not among the others.
	trail others 2705
	evidence owner others w a 022
	packages 'root owner stranger auditor admin' others others/w others/w/a
}

# One file, one attestation or one workflow that somebody may not read closes the
# packages of what it is in, and no other.
one_private_part_closes_the_package() {
	evidence owner group w b 077
	packages 'root owner auditor admin' group group/w group/w/b
	packages 'root owner member auditor admin' group/w/a
	evidence owner group x a 027
	become owner
	$by sh -c 'umask 077; echo x >mnt/group/x/a/private'
	is 0 trailctl sync mnt
	packages 'root owner auditor admin' group/x group/x/a
	# The owner of a trail may not read what a member keeps private.
	trail shared 2770
	is 0 chmod 2770 mnt/shared
	evidence member shared w a 027
	packages 'root owner member auditor admin' shared shared/w shared/w/a
	evidence member shared w b 077
	packages 'root member auditor admin' shared shared/w shared/w/b
	packages 'root owner member auditor admin' shared/w/a
}

# That of the whole vault is for who may read all trails.
the_whole_vault_is_for_who_may_read_all() {
	packages 'root auditor admin' .
}

a_store_is_made
if [ "$(id -u)" -ne 0 ]; then
	skipped 'not root' each_class_gets_packages
else
	with '/dev/fuse setpriv' each_class_gets_packages \
		one_private_part_closes_the_package \
		the_whole_vault_is_for_who_may_read_all
fi
finish
