#!/bin/sh
# Every verb of trailctl and every control file, tried by root, the owner of a trail, a
# member of its group, a stranger, an auditor and an administrator.  A verb or a
# control file without a row here fails the suite.
# shellcheck disable=SC2016,SC2086 # $me is for the shells; $by is words
. "$(dirname "$0")/../suite_roles.sh"
shared_mount=yes

# verb NAME WHO COMMAND: a row of the matrix, `only WHO COMMAND` about this verb.
verb() {
	echo "$1" >>verbs.tried
	only "$2" "$3"
}

# file LEVEL NAME WHO: exactly these read the control file (list the directory) of
# mnt, mnt/t, mnt/t/w or mnt/t/w/done.
file() {
	echo "$1 $2" >>files.tried
	case $1 in
	root) place=mnt ;;
	trail) place=mnt/t ;;
	encrypted) place=mnt/e ;;
	workflow) place=mnt/t/w ;;
	attestation) place=mnt/t/w/done ;;
	esac
	only "$3" "if [ -d $place/.trailfs/$2 ]; then ls $place/.trailfs/$2
		else cat $place/.trailfs/$2; fi"
}

# A trail of the owner in which the group reads everything, with all that makes a
# control file appear; and programs that the rows use.
a_vault_with_everything_is_made() {
	chmod 0755 .
	mount store -o settle=0,$roles
	mkdir -m 0777 zips
	cp vkey key
	is 0 trailctl witness-serve --init witness.example/w w
	cat vkey >>w/logs
	echo 'exec trailctl witness-serve w "$1"' >carry
	{
		echo "log $(cat vkey)"
		echo "witness w $(cat w/vkey) http://a.example/w"
		echo 'quorum w'
	} >policy
	chmod a+r key
	become admin
	$by sh -c 'umask 022; mkdir mnt/t'
	chown 54321 mnt/t
	become owner
	printf '%s\n' 'version: 1' 'trail:' '  attestations:' '    - name: done' \
		'      type: junit' >template.yml
	printf '%s\n' 'version: 1' 'evidence: "*.json"' 'schema: {}' >type.yml
	echo '<testsuite tests="1"><testcase name="x"/></testsuite>' >report.xml
	echo evidence >f
	$by sh -c 'umask 027
		trailctl template set mnt/t template.yml
		trailctl type set mnt/t mine type.yml
		mkdir mnt/t/w mnt/t/w/done mnt/t/w/open mnt/t/w/done/d
		cp report.xml mnt/t/w/done/report.xml
		echo more >mnt/t/w/done/d/more
		echo "{\"version\":2}" >mnt/t/w/done/session.cast
		echo open >mnt/t/w/open/f
		setfattr -n user.trailfs.type -v junit mnt/t/w/done
		for dir in mnt/t mnt/t/w mnt/t/w/done; do
			echo "{}" >$dir/.trailfs/user-data
		done'
	is 0 $by trailctl seal mnt/t/w/done
	is 0 trailctl export-log mnt log
	chmod -R a+rX log
	is 0 trailctl witness --policy policy --via 'sh carry' mnt
	become owner
	mkdir -m 0750 mnt/e
	chown 54321 mnt/e
	age-keygen -o identity 2>err
	chmod a+r identity
	is 0 sh -c 'age-keygen -y identity | trailctl recipients set mnt/e -'
	is 0 $by sh -c 'umask 027; mkdir mnt/e/w mnt/e/w/a; cp f mnt/e/w/a/'
	is 0 trailctl sync mnt
	# What stands for the programs of a row that has several.
	cat >watch_once <<-'END'
	trailctl "$@" >zips/lines.$me 2>zips/notes.$me &
	until [ -s zips/lines.$me ] || ! kill -0 $! 2>&-; do sleep 0.05; done
	cat zips/notes.$me >&2
	kill $! 2>&-
	wait
	[ -s zips/lines.$me ] && rm zips/lines.$me
	END
}

# The verbs that read, at the mount.
who_reads_with_which_verb() {
	for what in mnt/t mnt/t/w mnt/t/w/done; do
		verb ls "$readers" "trailctl ls $what"
		verb log "$readers" "trailctl log $what"
		verb show "$readers" "trailctl show $what"
		verb status "$readers" "trailctl status $what"
		verb why "$readers" "trailctl why $what"
		verb custody "$readers" "trailctl custody $what"
		verb watch "$readers" "sh watch_once watch --all $what"
		verb verify "$readers" "trailctl verify --quiet --vkey key $what"
	done
	verb ls "$everybody" 'trailctl ls mnt'
	verb access "$everybody" 'trailctl access mnt && trailctl access mnt/t'
	verb access "$readers" 'trailctl access mnt/t/w'
	verb log "$readers" 'trailctl log mnt'
	verb log "$readers" 'sh watch_once log --follow --since 2020-01-01 mnt'
	verb watch "$readers" 'sh watch_once watch --all mnt'
	verb status "$readers" 'trailctl status mnt'
	verb verify 'root auditor admin' 'trailctl verify --quiet --vkey key mnt'
	verb find "$readers" 'trailctl find --name report.xml mnt | grep -q . || {
		echo nothing that you may read >&2; exit 1; }'
	verb metrics 'root auditor admin' 'trailctl metrics mnt'
	verb cat "$readers" 'trailctl cat --identity identity mnt/e/w/a/f'
	verb recipients "$readers" 'trailctl recipients show mnt/e'
	verb prove "$readers" 'trailctl prove -o zips/proof.$me mnt/t/w/done/report.xml'
	verb package "$readers" 'trailctl package -o zips/$me.zip mnt/t/w'
	verb unpack "$readers" 'trailctl unpack zips/$me.zip zips/unpacked-$me || {
		echo you may not read it >&2; exit 1; }'
	verb assert "$readers" 'trailctl assert mnt/t/w/done || trailctl assert mnt/t/w'
	verb template "$readers" 'trailctl template show mnt/t'
	verb type "$readers" 'trailctl type list mnt/t && trailctl type show mnt/t mine'
	verb compare 'root auditor admin' 'trailctl compare --vkey key mnt log'
	verb key "$everybody" 'trailctl key export mnt'
	verb key 'root auditor admin' 'trailctl key list mnt'
	verb key root 'trailctl key rotate attester mnt'
	verb export-log root 'trailctl export-log mnt zips/log-$me'
	only 'root auditor admin' \
		'mkdir -p zips/cp-$me &&
		cp -r mnt/.trailfs/checkpoint mnt/.trailfs/tile zips/cp-$me'
	verb stamp "$everybody" 'trailctl stamp --print-request -o zips/tsq.$me mnt'
	verb kosli "$readers" 'trailctl kosli list trails --mount mnt --flow t'
	verb retain "$readers" 'trailctl retain mnt/t'
	verb hold "$readers" 'trailctl hold list mnt/t'
	verb redact "$readers" 'trailctl redact --list mnt/t'
	verb dispose "$readers" 'trailctl dispose --list mnt/t'
	verb doctor "$everybody" 'trailctl doctor mnt || [ $? -eq 1 ]'
}

# set_file LEVEL NAME WHO TEXT: exactly these set the control file.
set_file() {
	echo "$1 $2" >>sets.tried
	case $1 in
	root) place=mnt ;;
	trail) place=mnt/t ;;
	encrypted) place=mnt/e ;;
	workflow) place=mnt/t/w ;;
	attestation) place=mnt/t/w/done ;;
	open) place=mnt/t/w/open ;;
	esac
	only "$3" "printf '%s\\n' '$4' | dd of=$place/.trailfs/$2 status=none"
}

# Deletion is asked for by those who administer the trail.  (Before there are holds,
# which forbid it.)
who_asks_for_redactions() {
	set_file attestation redactions 'root owner admin' \
		'{"propose":"report.xml","reason":"x"}'
	set_file workflow redactions 'root owner admin' \
		'{"propose":"done/report.xml","reason":"x"}'
	set_file trail redactions 'root owner admin' \
		'{"propose":"w/done/report.xml","reason":"x"}'
	set_file root redactions 'root owner admin' \
		'{"propose":"t/w/done/report.xml","reason":"x"}'
	verb redact 'root owner admin' 'trailctl redact --reason $me mnt/t/w/done/d/more'
	# Its retention is not over, so this refuses also those who may ask.
	verb dispose 'root owner admin' \
		'trailctl dispose --reason $me mnt/t/w/done/d/more 2>zips/refusal.$me
		cat zips/refusal.$me >&2
		grep -q "no retention that could be over" zips/refusal.$me'
}

# Administrators propose, and approve neither their own nor the proposals of others.
# They make no user data.
administrators_approve_nothing() {
	for from in admin owner; do
		become $from
		is 0 $by trailctl redact --json --reason approve-$from \
			mnt/t/w/done/d/more
		proposal=$(trailctl log --json --type redaction.proposed mnt |
			tail -n 1 | jq .seq)
		for who in admin member auditor stranger; do
			become $who
			is_refused_approval
		done
	done
	# In .trailfs they make what they may set, and nothing else.
	become admin
	[ ! -e mnt/e/.trailfs/user-data ]
	if echo '{}' | $by dd of=mnt/e/.trailfs/user-data status=none 2>err; then
		exit 1
	fi
	grep 'Permission denied' err
	is 0 trailctl log --json --type redaction.done mnt
	[ ! -s out ]
	is 0 cat mnt/t/w/done/d/more
}

# is_refused_approval: $by cannot approve the proposal, by trailctl or by hand.
is_refused_approval() {
	if $by trailctl redact --approve "$proposal" mnt/t/w/done/d/more \
		>out 2>err; then exit 1; fi
	if echo "{\"approve\":$proposal}" |
		$by dd of=mnt/t/w/done/.trailfs/redactions status=none 2>err; then
		exit 1
	fi
	grep 'Permission denied\|not permitted' err
}

# The verbs that record, at the mount.
who_records_with_which_verb() {
	verb trail 'root admin' 'trailctl trail create mnt/new-$me'
	verb template 'root owner admin' \
		'{ cat template.yml; echo "# $me"; } | trailctl template set mnt/t -'
	verb type 'root owner admin' 'trailctl type set mnt/t of-$me type.yml'
	verb recipients 'root owner admin' \
		'{ trailctl recipients show mnt/e; echo "# $me"; } |
			trailctl recipients set mnt/e -'
	verb attest 'root owner' 'trailctl attest mnt/t/w/attest-$me f'
	verb push 'root owner' 'trailctl push mnt/t/w/push-$me f'
	verb run 'root owner' \
		'trailctl run mnt/t/w/run-$me -- true && [ -d mnt/t/w/run-$me ]'
	verb stream 'root owner' 'trailctl stream mnt/t/w/open/stream-$me <f'
	verb override 'root owner' \
		'trailctl override --compliant=true --reason $me mnt/t/w/done'
	verb retain 'root owner admin' 'trailctl retain --for 1y --rule $me mnt/t'
	verb hold 'root owner admin' 'trailctl hold place --reason $me mnt/t h-$me'
	verb seal 'root owner' 'mkdir mnt/t/w/seal-$me && trailctl seal mnt/t/w/seal-$me'
	become owner
	for who in $everybody; do
		$by mkdir mnt/t/w/seal-of-$who
	done
	verb seal 'root owner' 'trailctl seal mnt/t/w/seal-of-$me'
	mkdir -m 0700 mnt/g
	chown 54321:54321 mnt/g
	verb grant 'root owner' 'trailctl grant --group tape --read mnt/g &&
		trailctl revoke --group tape --read mnt/g'
	is 0 trailctl grant --group tape --read mnt/g
	verb revoke 'root owner' 'trailctl revoke --group tape --read mnt/g &&
		trailctl grant --group tape --read mnt/g'
	verb sync "$readers" 'trailctl sync mnt/t/w/open'
}

# The verbs that need the store, which is root's alone, or no vault at all.
who_works_without_the_mount() {
	is 0 trailctl mirror mnt mirror
	verb mirror root 'trailctl mirror mnt zips/mirror-$me'
	is 0 trailctl org init --origin example.org/org --keys org-keys dir:zips/org
	verb forward root 'trailctl forward --once mnt dir:zips/org || [ $? -eq 1 ]'
	verb org root 'trailctl org list dir:zips/org'
	verb org root 'trailctl org enrol dir:zips/org key'
	verb org "$everybody" 'trailctl org init --origin example.org/$me \
		--keys zips/org-keys-$me dir:zips/org-$me'
	verb org root 'trailctl org publish --keys org-keys dir:zips/org'
	verb org root 'trailctl org rotate --keys org-keys dir:zips/org'
	verb org root 'trailctl org fetch dir:zips/org zips/copies-$me'
	verb backup root 'trailctl backup mnt zips/backup-$me'
	verb witness root 'trailctl witness --policy policy --print w store'
	# The checkpoint is for everybody, what a witness answered is for root.
	verb witness "$everybody" 'trailctl witness --policy policy --print w mnt'
	verb witness root "trailctl witness --policy policy --via 'sh carry' mnt"
	verb upgrade root 'trailctl upgrade --check store || [ $? -eq 1 ]'
	verb restore root 'trailctl restore --origin example.org/r mirror zips/r-$me'
	verb import '' 'trailctl import --mount mnt kosli report.xml || {
		echo a mount may not be named >&2; exit 1; }'
	verb init "$everybody" 'trailctl init --origin example.org/$me zips/store-$me'
	verb evaluate "$everybody" 'trailctl evaluate --type junit report.xml'
	verb witness-serve "$everybody" 'trailctl witness-serve --init w.example/$me zips/w-$me'
}

# Each control file, at each level that has it.  (sealed: t/w/done is.)
who_reads_which_control_file() {
	all='root auditor admin'
	for name in checkpoint log.vkey log.pub.pem denied.jsonl tile find by-sha256 \
		last-error anchors.json redactions checkpoint.cosigned cosigned stamps at; do
		file root $name "$everybody"
	done
	size=$(wc -l <mnt/.trailfs/events.jsonl)
	file root "at/$size" "$everybody"
	for name in events.jsonl index.html; do
		file root "at/$size/.trailfs/$name" "$all"
	done
	for name in at "at/$size" "at/$size/.trailfs/events.jsonl" \
		"at/$size/.trailfs/status.json" "at/$size/.trailfs/index.html"; do
		file trail "$name" "$readers"
	done
	for name in at "at/$size" "at/$size/done/report.xml" \
		"at/$size/.trailfs/status" "at/$size/.trailfs/index.html"; do
		file workflow "$name" "$readers"
	done
	for name in at "at/$size/report.xml" "at/$size/.trailfs/attestation.json" \
		"at/$size/.trailfs/SHA256SUMS"; do
		file attestation "$name" "$readers"
	done
	for name in status.json events.jsonl index.html metrics holds anchor \
		package.zip; do
		file root $name "$all"
	done
	for name in tile/entries/000.p tile/0/000.p; do
		file root $name "$everybody"
	done
	file root "$(cd mnt/.trailfs && echo tile/entries/000.p/*)" "$all"
	file root "$(cd mnt/.trailfs && echo tile/0/000.p/*)" "$everybody"
	file root "$(cd mnt/.trailfs && echo cosigned/*.witness | cut -d " " -f 1)" "$everybody"
	for name in events.jsonl custody.jsonl status.json index.html trail-page.html package.zip \
		template.yml types types/mine.yml last-error user-data retention holds \
		redactions; do
		file trail $name "$readers"
	done
	file encrypted recipients "$readers"
	for name in events.jsonl custody.jsonl status status.json status.md index.html trail-page.html \
		package.zip last-error missing user-data retention holds redactions; do
		file workflow $name "$readers"
	done
	for name in replay replay/session.cast.html replay/d \
		proof proof/report.xml.tlog-proof proof/d proof/d/more.tlog-proof \
		attestation.tlog-proof events.jsonl custody.jsonl attestation.json \
		SHA256SUMS attestation.intoto.json attestation.sigstore.json \
		package.zip last-error user-data evaluation.json retention holds \
		redactions; do
		file attestation $name "$readers"
	done
	file attestation override 'root owner auditor admin'
	# What these show depends on the asker.
	digest=$(sha256sum <f | cut -c 1-64)
	only "$readers" "grep -q . mnt/.trailfs/by-sha256/$(sha256sum <report.xml |
		cut -c 1-64) || { echo nothing that you may read >&2; exit 1; }"
	only "$readers" 'grep -q . mnt/.trailfs/find/name=report.xml ||
		{ echo nothing that you may read >&2; exit 1; }'
	[ -n "$digest" ]
}

# Each control file that can be set, at each level.
who_sets_which_control_file() {
	set_file trail template.yml 'root owner admin' "$(cat template.yml)"
	set_file trail types/other.yml 'root owner admin' "$(cat type.yml)"
	set_file encrypted recipients 'root owner admin' \
		"$(age-keygen -y identity)"
	set_file trail user-data 'root owner' '{"a":1}'
	set_file workflow user-data 'root owner' '{"a":1}'
	set_file open user-data 'root owner' '{"a":1}'
	for level in trail workflow attestation; do
		set_file $level retention 'root owner admin' '{"for":"1y"}'
		set_file $level holds 'root owner admin' \
			'{"place":"'"'\$me'-$level"'","reason":"all"}'
	done
	# What is no receipt is refused to root for that alone.
	echo 'root anchor' >>sets.tried
	only root 'echo x | dd of=mnt/.trailfs/anchor status=none 2>zips/refusal.$me
		cat zips/refusal.$me >&2
		grep -q "Invalid argument" zips/refusal.$me'
	set_file root holds 'root admin' '{"place":"'"'\$me'"'","reason":"all"}'
	set_file attestation override 'root owner' '{"compliant":true,"reason":"x"}'
}

# A new verb needs a row above.
every_verb_has_a_row() {
	trailctl help | sed -n 's/^  \([a-z-]*\)  .*/\1/p' | sort -u >verbs
	[ "$(wc -l <verbs)" -gt 40 ]
	sort -u verbs.tried | comm -23 verbs - >verbs.missing
	if [ -s verbs.missing ]; then
		cat verbs.missing
		exit 1
	fi
}

# print_rows: the control files of the table in fs/control_rows.c, as "LEVEL NAME", and
# with the word settable behind those that can be set.
print_rows() {
	python3 - "$top" <<-'EOF2'
	import re, sys
	top = sys.argv[1]
	names = dict(re.findall(r'#define (TF_CONTROL_\w+) "([^"]+)"',
	    open(top + '/core/control.h').read()))
	table = open(top + '/fs/control_rows.c').read()
	table = table[table.index('static const struct fs_row rows[]'):]
	table = table[:table.index('\n};')]
	rows = re.split(r'\{ (?=TF_CONTROL_)', table)[1:]
	assert len(rows) > 30
	for row in rows:
	    name = names[re.match(r'\w+', row).group()]
	    levels = re.findall(r'KIND_(\w+)\)', row)
	    if 'BELOW_ROOT' in row:
	        levels += ['TRAIL', 'WORKFLOW', 'ATTESTATION']
	    assert levels, row
	    for level in levels:
	        print(level.lower(), name, *(['settable'] if '.set =' in row else []))
	EOF2
}

# A new control file needs a row above, at each level that has it, and if it can be
# set, another one.
every_control_file_has_a_row() {
	print_rows >rows
	sed 's/^encrypted /trail /' files.tried | sort -u >rows.read
	sed 's/^encrypted /trail /; s/^open /attestation /' sets.tried | sort -u >rows.set
	cut -d ' ' -f 1,2 rows | sort -u | comm -23 - rows.read >rows.missing
	sed -n 's/ settable$//p' rows | sort -u | comm -23 - rows.set |
		sed 's/$/ (set)/' >>rows.missing
	if [ -s rows.missing ]; then
		cat rows.missing
		exit 1
	fi
	# What the directories list is in the table, too.
	for place in "root mnt" "trail mnt/t" "workflow mnt/t/w" \
		"attestation mnt/t/w/done"; do
		find "${place#* }/.trailfs" -mindepth 1 -maxdepth 1 \
			-printf "${place% *} %f\n"
	done | grep -v ' template@' | sort -u >listed
	[ "$(wc -l <listed)" -gt 40 ]
	cut -d ' ' -f 1,2 rows | sort -u | comm -13 - listed >unknown
	if [ -s unknown ]; then
		cat unknown
		exit 1
	fi
}

a_store_is_made
if [ "$(id -u)" -ne 0 ]; then
	skipped 'not root' the_matrix_of_roles
else
	with '/dev/fuse setpriv setfattr age-keygen python3' \
		a_vault_with_everything_is_made who_reads_with_which_verb \
		who_asks_for_redactions administrators_approve_nothing \
		who_records_with_which_verb who_works_without_the_mount \
		who_reads_which_control_file who_sets_which_control_file \
		every_verb_has_a_row every_control_file_has_a_row
fi
finish
