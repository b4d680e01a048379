#!/bin/sh
# trailctl package of a whole vault: every entry of the log, the evidence of all
# trails, and parts of it by time, control, status and person.
# shellcheck disable=SC2154 # $script is of suite_package.sh
. "$(dirname "$0")/../suite_package.sh"

user2="setpriv --reuid 1001 --regid 1001 --clear-groups"
auditor="setpriv --reuid 1002 --regid 1002 --groups $(getent group games |
	cut -d : -f 3)"

# Three trails whose names one system would not keep apart, or not take: prod with a
# template and a type of its own, Prod of another user, con with recipients.  Of the
# same mirror come two anchors, and both keys are replaced.
a_vault_is_made() {
	needs jq
	is 0 trailctl init --origin example.org/vault store
	cp out vkey
	cat >template.yml <<'END'
version: 1
trail:
  attestations:
    - name: review
      type: generic
      x-trailfs: {control: CC6.1}
END
	cat >Load.yml <<'END'
version: 1
evidence: load.json
requirements:
- id: fast
  subject_type: run
  checks:
  - {operator: range, path: ms, max: 200}
END
	mount store -o settle=0,allow_other,auditors=games
	chmod 755 .
	mkdir mnt/prod mnt/Prod mnt/con
	chmod 755 mnt/prod
	chmod 750 mnt/con
	cp Load.yml mnt/prod/.trailfs/types/Load.yml
	sed 's/200/100/' Load.yml >mnt/Prod/.trailfs/types/Load.yml
	for t in prod Prod; do
		is 0 trailctl template set mnt/$t template.yml
		mkdir -p mnt/$t/w1/review mnt/$t/w2/load
		echo $t >mnt/$t/w1/review/file
		echo '{"ms":150}' >mnt/$t/w2/load/load.json
		setfattr -n user.trailfs.type -v custom:Load mnt/$t/w2/load
		printf '{"trail":"%s"}' $t >mnt/$t/w2/load/.trailfs/user-data
		is 0 trailctl seal mnt/$t/w1
		is 0 trailctl seal mnt/$t/w2/load
	done
	chown 1001:1001 mnt/Prod
	$user2 mkdir -p mnt/Prod/w3/other
	$user2 sh -c 'echo 3 >mnt/Prod/w3/other/README
		echo 3 >mnt/Prod/w3/other/readme'
	is 0 trailctl seal mnt/prod
	mkdir -p mnt/con/w1/aux
	echo c >mnt/con/w1/aux/c
	is 0 trailctl sync mnt
	is 0 trailctl mirror mnt mirror
	echo d >mnt/con/w1/aux/d
	is 0 trailctl sync mnt
	is 0 trailctl mirror mnt mirror
	unmount
	is 0 trailctl key rotate attester store
	is 0 trailctl key rotate log store
	is 0 trailctl verify --record store
}

# packed OPTION...: a package of the store, which both verifiers find whole; its
# files are below p/vault.
packed() {
	rm -rf p p.zip
	is 0 trailctl package --no-entry -o p.zip "$@" store
	good p.zip
	reports '^GENUINE'
	cp out of-trailctl
	unzipped p.zip p
	is 0 sh "$script" "$(cat vkey)" p/vault
}

# completeness FILTER VALUE: what jq finds in completeness.json.
completeness() {
	[ "$(jq -c "$1" p/vault/completeness.json)" = "$2" ] || {
		cat p/vault/completeness.json
		exit 1
	}
}

# Every entry of the log is there, byte for byte, and each file of each trail.
the_whole_vault_is_in_its_package() {
	packed
	reports '^  the whole log, all [0-9]* entries$'
	reports '^Proven: nothing else was recorded up to the checkpoint'
	grep -q 'complete for the whole vault' of-trailctl
	is 0 trailctl log --json store
	cmp out p/vault/events.jsonl
	completeness .gaps '{"count":0,"entries":0}'
	completeness '.entries == .tree.size' true
	completeness .query '{"path":"."}'
	completeness '.workflows' '{"here":6}'
	[ "$(grep -c anchor.added p/vault/events.jsonl)" -eq 2 ]
	[ "$(find p/vault/anchors -name '*.consistency' | wc -l)" -eq 2 ]
	[ "$(find p/vault/data -type f | wc -l)" -eq 8 ]
	[ "$(cat p/vault/data/2~Prod/w1/review/file)" = Prod ]
	[ "$(cat 'p/vault/data/=63on/w1/=61ux/c')" = c ]
	grep -q 'max: 100' p/vault/definitions/2~Prod/types/Load@1.yml
	grep -q 'max: 200' p/vault/definitions/prod/types/Load@1.yml
	[ "$(find p/vault -name trail-page.html | wc -l)" -eq 9 ]
	grep -q 'the whole vault' p/vault/certificate.html
	grep -q 'Every entry of the log is here' p/vault/certificate.html
	[ "$(jq .sessions.daemon p/vault/health.json)" -ge 1 ]
	[ "$(jq -c .verifications p/vault/health.json | grep -c '"all":true')" -eq 1 ]
	[ ! -e p/vault/custody.jsonl ]
}

# Every link of a page leads to a file of the package; today's state of the machine
# and its directories are in none.
the_pages_lead_to_each_other() {
	for page in $(cd p/vault && find . -name index.html); do
		grep -o 'href="[^"#][^"]*"' "p/vault/$page" |
			sed 's/href="//;s/"$//;s/%3D/=/g;s/#.*//' | sort -u >links
		while read -r link; do
			[ -e "$(dirname "p/vault/$page")/$link" ] || {
				echo "$page: $link leads nowhere"
				exit 1
			}
		done <links
	done
	grep -q 'href="workflows/2~Prod/index.html"' p/vault/index.html
	grep -q 'href="../../../index.html"' p/vault/workflows/prod/w1/index.html
	if grep -q "$work" p/vault/index.html; then exit 1; fi
}

# The same ledger gives the same bytes, and the store is the ledger of what is
# unpacked.
it_is_made_again_and_compared() {
	is 0 trailctl package --no-entry -o two.zip store
	cmp p.zip two.zip
	is 0 trailctl unpack p.zip un
	is 0 trailctl verify --against un/vault store
	echo more >>un/vault/data/prod/w1/review/file
	is 4 trailctl verify --against un/vault store
	reports 'prod/w1/review/file'
}

# A package of the vault that leaves an entry out is no package of the vault, even if
# everything in it is proven.
an_entry_left_out_is_found() {
	rm -rf f
	cp -r p f
	n=$(jq -r 'select(.type == "anchor.added") | .seq' f/vault/events.jsonl |
		head -n 1)
	sed -i "/\"seq\":$n,/d" f/vault/events.jsonl
	rm f/vault/proofs/events/"$n".* f/vault/anchors/"$n".*
	listed_again f/vault
	is 4 trailctl verify --vkey vkey f/vault
	reports 'lacks entries: the package of a vault has all of them'
	is 1 sh "$script" "$(cat vkey)" f/vault
	reports 'lacks entries: the package of a vault has all of them'
	# What an entry of one trail named is not that of another.
	rm -rf f
	cp -r p f
	cp f/vault/definitions/prod/types/Load@1.yml \
		f/vault/definitions/2~Prod/types/Load@1.yml
	listed_again f/vault
	is 4 trailctl verify --vkey vkey f/vault
	is 1 sh "$script" "$(cat vkey)" f/vault
	reports 'is not what was recorded'
	# Earlier formats had no such package.
	rm -rf f
	cp -r p f
	sed -i 's/"format":5/"format":4/' f/vault/package.json
	listed_again f/vault
	is 4 trailctl verify --vkey vkey f/vault
	is 1 sh "$script" "$(cat vkey)" f/vault
}

# takes WORKFLOWS OPTION...: the part of the vault has these workflows, their trails
# and no other trail.
takes() {
	wanted=$1
	shift
	packed "$@"
	grep -o '"path":"[^"]*"[^}]*"type":"workflow.begun"' p/vault/events.jsonl |
		sed 's/"path":"\([^"]*\)".*/\1/' | tr '\n' ' ' >have
	[ "$(cat have)" = "$wanted" ] || {
		echo "$*: workflows '$(cat have)', not '$wanted'"
		exit 1
	}
	grep -o '"path":"[^"]*"[^}]*"type":"trail.created"' p/vault/events.jsonl |
		sed 's/"path":"\([^"]*\)".*/\1/' | sort >trails
	tr ' ' '\n' <have | sed '/^$/d;s/\/.*//' | sort -u | cmp - trails
	completeness .workflows.vault 6
	completeness .workflows.here "$(wc -w <have)"
	grep -q 'not known to be complete for the whole vault' of-trailctl
	[ ! -e p/vault/index.html ]
}

# A query takes workflows of all trails, and the report says that others are missing.
parts_are_selected() {
	takes 'prod/w1 Prod/w1 ' --control CC6.1 --status COMPLIANT
	reports 'how many workflows the vault has'
	reports 'selected, other workflows are not in it'
	takes 'Prod/w3 ' --person 1001
	if grep -r '"path":"prod\|"path":"con' p/vault; then exit 1; fi
	takes '' --until 2000-01-01
	takes 'prod/w1 prod/w2 Prod/w1 Prod/w2 Prod/w3 con/w1 ' --since 2000-01-01
	takes 'prod/w2 Prod/w3 ' --status INCOMPLETE
	takes 'Prod/w2 ' --status NON-COMPLIANT
	is 2 trailctl package --no-entry -o x.zip --status INCOMPLETE store/prod/w1
	reports 'only of the vault or a trail'
}

# The entry that records the package is about the root; only its owner makes one.
the_package_is_recorded() {
	is 0 trailctl package --to 'the auditor' -o r.zip store
	trailctl log --json store | tail -n 2 >last
	grep -q '"path":".".*"type":"package.made"' last
	packed
	grep -q '"type":"package.made"' p/vault/events.jsonl
	good r.zip
}

# In a mount, who may read everything gets it, and nobody else: not the owner of a
# trail, and not who may read all files but one.  A list of all files does not make it.
# shellcheck disable=SC2086 # words
only_who_may_read_all_gets_it_from_a_mount() {
	mount store -o settle=0,allow_other,auditors=games
	for who in "$auditor" ''; do
		is 0 $who cat mnt/.trailfs/package.zip
		cp out m.zip
		good m.zip
	done
	mkdir zips
	chmod 777 zips
	is 0 $auditor trailctl package --json -o zips/a.zip mnt
	reports '"recorded":false'
	cmp m.zip zips/a.zip
	is 3 $auditor trailctl package -o zips/b.zip --person 1001 mnt
	reports 'need the store'
	is 0 $user2 trailctl package -o zips/own.zip mnt/Prod/w3
	is 3 $user2 trailctl package -o zips/c.zip mnt
	if $user2 cat mnt/.trailfs/package.zip 2>/dev/null >zips/d.zip; then
		exit 1
	fi
	[ ! -s zips/d.zip ]
	# The group of the root may read the log: it gets the package if it may read all
	# evidence, too.  Who may read all evidence, but not the log, does not.
	chmod 755 mnt/con mnt/Prod
	chgrp 1003 mnt
	group='setpriv --reuid 1003 --regid 1003 --clear-groups'
	stranger='setpriv --reuid 1004 --regid 1004 --clear-groups'
	mkdir -p mnt/con/w9/a
	(umask 077 && echo private >mnt/con/w9/a/private)
	is 0 trailctl sync mnt
	is 1 $group cat mnt/.trailfs/package.zip
	[ ! -s out ]
	is 0 chmod 644 mnt/con/w9/a/private
	is 0 $group cat mnt/.trailfs/package.zip
	cp out m.zip
	good m.zip
	is 0 $stranger cat mnt/con/w9/a/private
	is 1 $stranger cat mnt/.trailfs/package.zip
	[ ! -s out ]
	# shellcheck disable=SC2010 # the names are ours
	if ls -l mnt/.trailfs | grep package.zip; then exit 1; fi
	unmount
}

# Who opens it has opened the package of each trail that records reading.
reading_it_is_recorded() {
	mount store -o settle=0,reads=log
	is 0 cat mnt/.trailfs/package.zip
	is 0 trailctl sync mnt
	for t in prod Prod con; do
		is 0 trailctl custody --json mnt/$t
		reports "\"event\":\"read\".*\"path\":\"$t\".*\"what\":\"package\""
	done
	unmount
}

with '/dev/fuse unzip' a_vault_is_made the_whole_vault_is_in_its_package \
	the_pages_lead_to_each_other it_is_made_again_and_compared \
	an_entry_left_out_is_found parts_are_selected the_package_is_recorded \
	reading_it_is_recorded
if [ "$(id -u)" -ne 0 ]; then
	skipped 'not root' only_who_may_read_all_gets_it_from_a_mount
else
	with '/dev/fuse setpriv' only_who_may_read_all_gets_it_from_a_mount
fi
finish
