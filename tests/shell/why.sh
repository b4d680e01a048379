#!/bin/sh
# trailctl why, for everything that a path can be: to its owner and to another user.
# shellcheck disable=SC2034,SC2086 # read by the suite; several words
. "$(dirname "$0")/../suite_tools.sh"
shared_mount=1

# why PATH STATE RULE: what it says about this path in the mount.
why() {
	is 0 $by trailctl why "mnt/$1"
	says "^path  *$1\$"
	says "^state  *$2\$"
	says "^rule .*$3"
}

# One of each, in a mount that seals nothing by itself.
everything_is_there() {
	needs age-keygen
	is 0 trailctl init --user root store
	mount store -o settle=60
	mkdir -p mnt/t/w/a/dir mnt/t/w/sealed/d mnt/t/w/.draft mnt/t/w/held \
		mnt/t/w/private mnt/t/w/shut mnt/e/w/a mnt/t/w/told mnt/t/over/a
	touch mnt/t/w/a/placeholder
	echo x >mnt/t/w/a/frozen
	echo x >mnt/t/w/a/x.tmp
	echo x | tee mnt/t/w/sealed/d/f mnt/t/w/.draft/f mnt/t/w/held/f \
		mnt/t/w/private/f mnt/t/w/shut/f mnt/t/w/told/f \
		mnt/t/over/a/f >out
	chmod 755 . mnt mnt/t mnt/t/w mnt/t/w/*/ mnt/t/w/sealed/d mnt/e mnt/e/w
	chmod 700 mnt/t/w/private
	for d in mnt/t/w/sealed mnt/t/w/held mnt/t/w/told mnt/t/over; do
		is 0 trailctl seal $d
	done
	is 0 trailctl hold place --reason lawsuit mnt/t/w/held case-1
	is 0 trailctl hold place --reason audit mnt/e all
	chmod a-w mnt/t/w/shut
	age-keygen -o key 2>err
	age-keygen -y key | trailctl recipients set mnt/e - >out
	echo secret >mnt/e/w/a/s
	is 0 trailctl seal mnt/e/w/a
}

# Its owner.
each_state_has_its_rule() {
	by=
	why t/w/a/placeholder placeholder 'never written: it may still be'
	why t/w/a/frozen frozen 'its bytes are final; name, mode and times may'
	says '^access .*lets you read; nobody can write'
	why t/w/a/x.tmp draft 'a temporary name: its owner may'
	exec 8>mnt/t/w/a/open
	echo x >&8
	why t/w/a/open open 'being written: other users wait'
	says '^access .*lets you read and write'
	exec 8>&-
	why t/w/a/dir draft 'not in the ledger yet'
	why t/w/a open 'takes evidence until it is sealed'
	why t/w/sealed sealed 'nothing can be added; report again'
	says '^access .*lets you read; nobody can write'
	why t/w/sealed/d sealed 'its attestation is sealed'
	why t/w/sealed/d/f sealed 'its bytes and its name never change'
	why t/w/.draft draft 'until it is renamed'
	why t/w/.draft/f draft 'in a draft attestation: it can be changed'
	why t/w/shut closing 'chmod u+w opens it again'
	why t/w open 'holds attestations and no files'
	why t/over sealed 'no attestation can be added'
	why t open 'holds workflows and no files'
	is 0 trailctl why mnt
	says '^rule .*holds trails'
	why t/w/.trailfs/status.json reserved 'reserved for control files'
}

# Who may not delete it, what was asked for, how to read it.
holds_redactions_and_encryption_are_said() {
	by=
	for path in t/w/held t/w/held/f; do
		is 0 trailctl why mnt/$path
		says '^held by  *case-1 of t/w/held: lawsuit: nothing of it can be'
		is 0 trailctl why --json mnt/$path
		says '"holds":"case-1 of t/w/held: lawsuit"'
	done
	is 0 trailctl why mnt/e/w/a/s
	says '^encrypted  *trailctl cat --identity FILE'
	says '^held by  *all of e: audit'
	is 0 trailctl why mnt/t/w/sealed/d/f
	never_says '^held\|^encrypted\|^redaction'
	# The same of a store is tried below.
}

# A file whose bytes two people have had deleted.
redacted_evidence_is_said_to_be() {
	needs setpriv
	[ "$(id -u)" = 0 ] || skip 'not root'
	is 0 trailctl redact --reason 'a name in it' mnt/t/w/told/f
	is 0 trailctl why mnt/t/w/told/f
	says '^state  *sealed'
	says '^rule .*its bytes and its name never change'
	says '^redaction  *proposed: a name in it'
	number=$(trailctl log --json --type redaction.proposed mnt |
		grep -o '"seq":[0-9]*' | tail -n 1)
	chown 65534 mnt/t
	is 0 setpriv --reuid 65534 --regid 65534 --clear-groups \
		trailctl redact --approve "${number#*:}" mnt/t/w/told/f
	chown 0 mnt/t
	is 0 trailctl why mnt/t/w/told/f
	says '^rule .*two people have had its bytes deleted'
	says '^redaction  *redacted: a name in it'
}

# A name that does not exist: what could be made there, and that nothing can.
missing_names_have_a_rule() {
	by=
	why none 'no such name' 'mkdir makes a trail here'
	why t/none 'no such name' 'mkdir makes a workflow here'
	why t/w/none 'no such name' 'mkdir makes an attestation here'
	why t/w/a/none 'no such name' 'a file or directory can be made here'
	why t/w/sealed/none 'no such name' 't/w/sealed is sealed: nothing can be made'
	why t/w/sealed/d/none/x 'no such name' 't/w/sealed/d is sealed: nothing'
	why t/over/none 'no such name' 't/over is sealed: nothing can be made in it'
}

# Another user has the same rules, and not what is private.
another_user_sees_what_others_may_see() {
	needs setpriv
	[ "$(id -u)" = 0 ] || skip 'not root'
	by='setpriv --reuid 65534 --regid 65534 --clear-groups'
	why t/w/a/frozen frozen 'its bytes are final'
	says '^refused  *nothing of yours'
	why t/w/sealed/d/f sealed 'its bytes and its name never change'
	exec 8>mnt/t/w/a/open2
	echo x >&8
	why t/w/a/open2 open 'being written: other users wait'
	exec 8>&-
	says '^access .*mode 0644 of uid 0, gid 0 lets you read$'
	why t/w/held/f sealed 'never change'
	never_says 'lawsuit' # only who may write the trail reads its holds
	is 3 $by trailctl why mnt/t/w/private
	complains 't/w/private: only user root may enter it$'
	for name in f none; do
		is 3 $by trailctl why mnt/t/w/private/$name
		complains 'only user root .*may enter directory private$'
	done
	is 3 $by trailctl why store/t
	complains 'store/t: only user root may enter directory store$'
}

# Outside of a vault, and without a mount.
other_places_have_an_answer() {
	by=
	for path in /etc /etc/passwd .; do
		is 3 trailctl why $path
		complains "$path is neither in a trailfs mount nor a store"
	done
	is 3 trailctl why nowhere/at/all
	complains 'nowhere/at/all: No such file'
	unmount
	is 0 trailctl why store/t/w/sealed/d/f
	says '^state  *sealed'
	says '^refused  *unknown: the daemon keeps refusals'
	is 0 trailctl why store/t/w/held/f
	says '^held by  *case-1 of t/w/held: lawsuit'
	is 3 trailctl why store/t/none
	complains 't/none: no such name'
	is 3 trailctl why mnt/t
	complains 'nothing is mounted at mnt'
}

# What a crash left of a file.
what_a_crash_left_is_explained() {
	by=
	mount store
	mkdir mnt/t/w/cut
	python3 - mnt/t/w/cut/log <<-'EOF2'
	import os, subprocess, sys
	fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
	os.write(fd, b'first')
	os.close(os.dup(fd))
	os.write(fd, b'second')
	for line in open('mnt/.trailfs/status.json'):
	    pid = line.split('"pid":')[1].split(',')[0].rstrip('}\n')
	os.kill(int(pid), 9)
	EOF2
	fusermount3 -uz mnt || umount -l mnt
	flock -w 30 store/lock true
	mount store
	left=$(cd mnt/t/w/cut && echo log.*.interrupted.part)
	why "t/w/cut/$left" draft 'what is left of a file that was being written'
	unmount
}

# Has the organisation it, and why not: in the mount and in the store, for its owner and
# for another user.
what_the_organisation_has_is_said() {
	needs getfattr setpriv
	by=
	is 0 trailctl org init --origin example.org/organisation --keys okeys dir:org
	is 0 trailctl init --user root --origin example.org/far far
	trailctl key export --log far >far.vkey
	is 0 trailctl org enrol dir:org far.vkey
	mount far -o settle=60
	mkdir -p mnt/t/w/a mnt/t/w/b mnt/t/w/.d
	echo x >mnt/t/w/a/f
	is 0 trailctl seal mnt/t/w/a
	chmod 755 . mnt mnt/t mnt/t/w mnt/t/w/a
	# Nobody has forwarded anything.
	is 0 trailctl why mnt/t/w/a/f
	never_says '^forwarded'
	is 0 trailctl forward --once mnt dir:org
	for path in t t/w t/w/a t/w/a/f; do
		is 0 trailctl why mnt/$path
		says '^forwarded *yes: the organisation has its entry [0-9]*$'
	done
	echo y >mnt/t/w/b/f
	echo y >mnt/t/w/.d/f
	is 0 trailctl why mnt/t/w/b/f
	says '^forwarded *no: it has no entry before it is sealed$'
	is 0 trailctl why mnt/t/w/.d/f
	says '^forwarded *no: it has no entry before it has its final name$'
	is 0 trailctl seal mnt/t/w/b
	entry=$(trailctl show --json mnt/t/w/b/f | sed -n 's/.*"index":\([0-9]*\).*/\1/p')
	behind="^forwarded *no: it is entry $entry, and the organisation had the first [0-9]* entries at 20"
	is 0 trailctl why mnt/t/w/b/f
	says "$behind"
	never_says 'failed'
	is 0 trailctl why --json mnt/t/w/b/f
	says "\"forwarded\":\"no: it is entry $entry, "
	# The failure of the forwarder is the reason.
	is 0 trailctl org revoke dir:org example.org/far
	is 1 trailctl forward --once mnt dir:org
	is 0 trailctl why mnt/t/w/b/f
	says "$behind.*; the forwarder failed at 20.*: .*revoked.*; it has ended$"
	is 0 trailctl why mnt/t/w/a/f
	says '^forwarded *yes: '
	[ "$(id -u)" != 0 ] || {
		is 0 setpriv --reuid 65534 --regid 65534 --clear-groups \
			trailctl why mnt/t/w/b/f
		says "^forwarded *no: it is entry $entry, and .* sees why$"
		never_says 'revoked'
		is 0 setpriv --reuid 65534 --regid 65534 --clear-groups \
			trailctl why mnt/t/w/a/f
		says '^forwarded *yes: '
	}
	[ "$(getfattr --only-values -n user.trailfs.forwarded mnt/t/w/b/f)" = no ]
	[ "$(getfattr --only-values -n user.trailfs.forwarded mnt/t/w/a/f)" = yes ]
	is 0 trailctl why mnt/t/w/none
	never_says '^forwarded'
	unmount
	is 0 trailctl why far/t/w/b/f
	says "$behind"
	is 0 trailctl why far/t/w/a/f
	says '^forwarded *yes: '
	# A mount that waits for an organisation is of one, forwarded or not.
	rm far/forwarded
	mount far -o settle=60,durability=org,org_timeout=1
	is 0 trailctl why mnt/t/w/a/f
	says '^forwarded *no: no forwarder has run yet$'
	unmount
}

with /dev/fuse everything_is_there each_state_has_its_rule \
	holds_redactions_and_encryption_are_said \
	redacted_evidence_is_said_to_be missing_names_have_a_rule \
	another_user_sees_what_others_may_see other_places_have_an_answer
with '/dev/fuse python3' what_a_crash_left_is_explained
with /dev/fuse what_the_organisation_has_is_said
finish
