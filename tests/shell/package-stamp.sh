#!/bin/sh
# Time stamps in packages: what VERIFY.txt prints works with openssl alone, an
# authority that the verifier does not name proves nothing, and altered stamps
# are found by trailctl and by the script.
. "$(dirname "$0")/../suite_package.sh"
tsa=$top/tests/tsa

# The authority named one stamps the newest checkpoint.
stamped_by_one() {
	is 0 trailctl stamp --via "$tsa answer authority good" \
		--chain authority/chain.pem --name one store
}

# A package of a workflow has the newest stamp of each authority.
a_stamped_package_is_made() {
	"$tsa" make authority
	is 0 trailctl init --origin example.org/stamped store
	cp out vkey
	is 0 trailctl trail create store/t
	echo evidence >evidence
	is 0 trailctl attest --begin store/t/w/a evidence
	# An earlier stamp of the same authority is not in the package.
	stamped_by_one
	stamped_by_one
	is 0 trailctl stamp --via "$tsa answer authority foreign" \
		--chain authority/foreign-root.pem --name two store
	is 0 trailctl package -o a.zip store/t/w/a
	unzipped a.zip u
	set -- u/a/anchors/*.tsr
	[ $# -eq 2 ]
	one=${1%.tsr}
	echo "$one" >one
}

# Without certificates of the verifier the stamps are ABSENT, never OK.
stamps_prove_nothing_without_a_trusted_authority() {
	is 0 trailctl verify --vkey vkey a.zip
	reports '^timestamp +ABSENT +judge the recorded ones with --tsa-ca'
	is 0 trailctl verify --vkey vkey --tsa-ca authority/root.pem a.zip
	reports '^timestamp +OK +the first [0-9]+ entries existed at 20'
	reports 'two: your certificates do not vouch for this authority'
	is 0 trailctl verify --json --vkey vkey --tsa-ca authority/root.pem a.zip
	reports '"stamped":\{"at":"20[^"]*","size":[0-9]+\}'
	is 0 trailctl verify --vkey vkey --tsa-ca authority/foreign-root.pem u/a
	reports '^timestamp +OK'
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj /CN=nobody -keyout nobody.key -out nobody.pem 2>/dev/null
	is 5 trailctl verify --vkey vkey --tsa-ca nobody.pem a.zip
	reports '^timestamp +ABSENT +your certificates vouch for none'
	is 2 trailctl verify --vkey vkey --tsa-ca evidence a.zip
	is 2 trailctl verify --vkey vkey --tsa-ca authority/root.pem \
		u/a/proofs/events/0.tlog-proof
}

# The script judges them by the certificates in its third argument.
the_script_checks_stamps() {
	is 0 sh "$script" "$(cat vkey)" u/a
	reports '^  time stamp one \(anchors/[0-9]+\.tsr\)$'
	is 0 sh "$script" "$(cat vkey)" u/a authority/root.pem
	reports '^  time stamp one: the first [0-9]+ entries existed at .* GMT$'
	reports '^  time stamp two \(anchors/[0-9]+\.tsr\)$'
	is 1 sh "$script" "$(cat vkey)" u/a nobody.pem
	reports 'no time stamp is one that your authorities vouch for'
	is 2 sh "$script" "$(cat vkey)" u/a nowhere.pem
}

# The commands stand in VERIFY.txt as a shell takes them.
verify_txt_prints_commands_that_work() {
	sed -n '/^	for f in anchors/,/^	done/p' u/a/VERIFY.txt >commands
	[ "$(wc -l <commands)" -eq 5 ]
	cp authority/root.pem u/a/authority.pem
	(
		cd u/a
		sh ../../commands >../../printed 2>../../errors || :
	)
	rm u/a/authority.pem
	[ "$(grep -c '^Verification: OK' printed)" -eq 1 ]
	[ "$(grep -c '^Verification: FAILED' printed)" -eq 1 ]
	# The digest that the authority signed is that of the file.
	file=$(cat one)
	digest=$(sha256sum "$file.checkpoint" | cut -c -64)
	[ "$(openssl ts -reply -in "$file.tsr" -text 2>/dev/null |
		sed -n '/Message data/,/Serial/s/^ *00.0 - \(.*\)   .*/\1/p' |
		tr -d ' \n-' | cut -c -64)" = "$digest" ]
}

# Evidence that is newer than the newest stamp is not covered by it.
a_stamp_does_not_cover_newer_evidence() {
	is 0 trailctl attest --begin store/t/w/b evidence
	is 0 trailctl package -o b.zip store/t/w/b
	is 5 trailctl verify --vkey vkey --tsa-ca authority/root.pem b.zip
	reports '^timestamp +ABSENT +none is about all of it'
	is 0 trailctl package -o a2.zip store/t/w/a
	is 0 trailctl verify --vkey vkey --tsa-ca authority/root.pem a2.zip
}

# An authority that has expired since is judged at the time of its stamp.
an_expired_authority_is_judged_at_its_time() {
	clock_moves
	earlier=$(as_of 2021-05-31)
	# shellcheck disable=SC2086 # words
	{
		is 0 $earlier trailctl init --origin example.org/past past
		is 0 $earlier trailctl trail create past/t
		is 0 $earlier trailctl attest --begin past/t/w/b evidence
	}
	trailctl stamp --print-request --checkpoint note -o request past
	"$tsa" forge authority old note 20210601000000Z "$(openssl ts -query \
		-in request -text 2>/dev/null | sed -n 's/^Nonce: //p')" \
		>reply 2>/dev/null
	is 0 trailctl stamp --accept reply --checkpoint note --name one \
		--chain authority/chain.pem past
	is 0 trailctl package -o old.zip past/t/w/b
	is 0 trailctl verify --vkey past/keys/log.vkey --tsa-ca authority/root.pem old.zip
	reports '^timestamp +OK .* 2021-06-01T00:00:00'
	unzipped old.zip old
	is 0 sh "$script" "$(cat past/keys/log.vkey)" old/b authority/root.pem
	reports 'existed at Jun +1 00:00:00 2021 GMT'
}

# stamps_of TIME: a store whose package t.zip has a stamp of that time.
stamps_of() {
	rm -rf timed t.zip
	is 0 trailctl init --origin example.org/timed timed
	is 0 trailctl trail create timed/t
	is 0 trailctl attest --begin timed/t/w/b evidence
	trailctl stamp --print-request --checkpoint note -o request timed
	"$tsa" forge authority good note "$1" "$(openssl ts -query \
		-in request -text 2>/dev/null | sed -n 's/^Nonce: //p')" \
		>reply 2>/dev/null
	is 0 trailctl stamp --accept reply --checkpoint note --name one \
		--chain authority/chain.pem timed
	is 0 trailctl package --no-entry -o t.zip timed/t/w
	unzipped t.zip timed-u
}

# A stamp that contradicts the clock of the host is shown with it; one of the future
# counts neither for trailctl nor for the script.
the_time_of_a_stamp_is_compared() {
	stamps_of 20160101000000Z
	is 1 trailctl verify --vkey timed/keys/log.vkey \
		--tsa-ca authority/root.pem t.zip
	reports 'the clock of the host was [0-9]+ days ahead of the stamp'
	is 0 sh "$script" "$(cat timed/keys/log.vkey)" timed-u/w \
		authority/root.pem
	reports '2016 GMT; the clock of the host was ahead: it said 20.*Z before$'
	stamps_of 20400101000000Z
	is 1 trailctl verify --vkey timed/keys/log.vkey \
		--tsa-ca authority/root.pem t.zip
	reports 'after the time of this computer: it is not counted'
	is 1 sh "$script" "$(cat timed/keys/log.vkey)" timed-u/w \
		authority/root.pem
	reports 'no time stamp is one that your authorities vouch for'
}

# listed DIRECTORY: make the manifests again, as a forger would.
listed() {
	(
		cd "$1"
		find . -type f ! -path './data/*' ! -name tagmanifest-sha256.txt |
			sed 's/^\.\///' | sort | tr '\n' '\0' |
			xargs -0 sha256sum >../list
		mv ../list tagmanifest-sha256.txt
	)
}
# wrong PATTERN: trailctl says so of the altered package h/a, also with the
# certificates that its stamps are made for, and the script refuses it.
wrong() {
	listed h/a
	is 4 trailctl verify --vkey vkey h/a
	reports "$1"
	is 4 trailctl verify --vkey vkey --tsa-ca authority/root.pem h/a
	reports "$1"
	cat out err >said
	is 1 grep -q '^timestamp *OK' said
	is 1 sh "$script" "$(cat vkey)" h/a authority/root.pem
}

# A copy of the unpacked package, to be altered.
altered() {
	rm -rf h
	cp -r u h
	file=$(sed 's/^u/h/' one)
}

# Whatever of a stamp is altered, the package is not called right.
an_altered_package_is_never_ok() {
	altered
	listed h/a
	is 0 trailctl verify --vkey vkey --tsa-ca authority/root.pem h/a
	# Another token, although it is over the same bytes.
	openssl ts -query -data "$file.checkpoint" -sha256 -cert 2>/dev/null |
		"$tsa" answer authority good >"$file.tsr"
	wrong 'altered: its bytes are not those of the entry'
	altered
	cp authority/foreign-root.pem "$file.pem"
	wrong 'altered: its bytes are not those of the entry'
	# The checkpoint of another tree.
	altered
	cp h/a/checkpoint "$file.checkpoint"
	wrong 'the stamped checkpoint is not that of the entry'
	altered
	sed 's/^example.org/example.com/' "$(cat one).checkpoint" \
		>"$file.checkpoint"
	listed h/a
	is 4 trailctl verify --vkey vkey h/a
	# Another way to the checkpoint of the package.
	altered
	sed '2{s/^B/C/;t;s/^./B/}' "$(cat one).consistency" \
		>"$file.consistency"
	wrong 'not the beginning of this log'
	altered
	sed '1s/.*/old 3/' "$(cat one).consistency" >"$file.consistency"
	wrong 'is not about the tree of its entry'
	altered
	rm "$file.consistency"
	wrong 'is missing'
	altered
	rm "$file.tsr"
	wrong 'is missing'
	altered
	# One that no entry speaks of.
	cp "$file.tsr" h/a/anchors/9999.tsr
	listed h/a
	is 4 trailctl verify --vkey vkey --tsa-ca authority/root.pem h/a
	reports '9999.tsr: does not belong into a package'
	is 1 sh "$script" "$(cat vkey)" h/a authority/root.pem
}

# Without the stamped checkpoint nobody can tell what was stamped.
a_stamp_without_its_checkpoint_proves_nothing() {
	altered
	rm h/a/anchors/*.checkpoint
	listed h/a
	is 0 trailctl verify --vkey vkey h/a
	is 5 trailctl verify --vkey vkey --tsa-ca authority/root.pem h/a
	reports '^timestamp +ABSENT'
	is 1 sh "$script" "$(cat vkey)" h/a authority/root.pem
}

# The receipt of a mirror is in the package.  What it proves depends on its key, so
# it is never OK by itself.
a_receipt_of_a_mirror_is_in_the_package() {
	is 0 trailctl mirror store mirror
	is 0 trailctl package -o m.zip store/t/w/a
	is 0 trailctl verify --vkey vkey m.zip
	reports '^witness +ABSENT +1 receipt fits, up to [0-9]+ entries'
	unzipped m.zip m
	is 0 sh "$script" "$(cat vkey)" m/a
	reports '^  cosignature of the mirror .*\(anchors/[0-9]+\.checkpoint\): it is by'
	# A receipt without its cosignature.
	note=$(sed -n 's/.*"kind":"mirror".*"seq":\([0-9]*\),.*/\1/p' \
		m/a/events.jsonl)
	file=m/a/anchors/$note.checkpoint
	sed '$d' "$file" >shorter
	mv shorter "$file"
	listed m/a
	is 4 trailctl verify --vkey vkey m/a
	reports 'altered: its bytes are not those of the entry'
	is 1 sh "$script" "$(cat vkey)" m/a
}

# The script checks cosignatures by the keys in its fourth argument: that of the
# mirror, or a policy with the witness.
the_script_checks_cosignatures() {
	is 0 trailctl witness-serve --init witness.example/one seer
	cat vkey >>seer/logs
	{
		echo "log $(cat vkey)"
		echo "witness w1 $(cat seer/vkey) http://a.example/one"
		echo 'group all 1 w1'
		echo 'quorum all'
	} >policy
	is 0 trailctl witness --policy policy \
		--via 'trailctl witness-serve seer' store
	is 0 trailctl mirror store mirror
	is 0 trailctl package -o c.zip store/t/w/a
	unzipped c.zip c
	is 0 sh "$script" "$(cat vkey)" c/a
	reports 'cosignature of the witness witness.example/one \(anch.*did not name'
	reports 'cosignature of the mirror .*did not name'
	is 0 sh "$script" "$(cat vkey)" c/a '' policy
	reports '^  cosigned by the witness witness.example/one: the first [0-9]+ '
	at=$(sed -n 's/.*cosigned by the witness .* at //p' out)
	age=$(($(date +%s) - $(date +%s -d "$at")))
	[ $age -ge 0 ] && [ $age -lt 3600 ]
	reports 'cosignature of the mirror .*did not name'
	is 0 sh "$script" "$(cat vkey)" c/a authority/root.pem \
		mirror/keys/mirror.vkey
	reports '^  cosigned by the mirror .*: the first [0-9]+ entries, at 20'
	reports '^  time stamp one: the first'
	is 1 sh "$script" "$(cat vkey)" c/a '' vkey
	reports 'no cosignature is by a key that you named'
	is 1 sh "$script" "$(cat vkey)" c/a authority/root.pem evidence
	is 2 sh "$script" "$(cat vkey)" c/a '' nowhere
	reports 'the keys of the cosigners cannot be read'
}

# cosigned_by SCRIPT NOTE KEY: what SCRIPT says of the cosignature.
cosigned_by() {
	(
		t=$(mktemp -d "$work/t.XXXXXX")
		sed -n '/^public_key()/,/^}/p; /^signature_of()/,/^}/p
			/^signed()/,/^}/p; /^cosigned()/,/^}/p' "$1" >"$t/part"
		# shellcheck source=/dev/null
		. "$t/part"
		cosigned "$2" "$3"
	)
}

# Each byte of a cosignature counts, for the script and for the commands that
# VERIFY.txt prints.
an_altered_cosignature_is_wrong() {
	sed -n '/^	n=\$/,/-sigfile sig/p' c/a/VERIFY.txt >commands
	[ "$(wc -l <commands)" -eq 11 ]
	note=$(grep -l '^— witness.example/one ' c/a/anchors/*.checkpoint)
	key=$(cat seer/vkey)
	cosigned_by "$script" "$note" "$key"
	f=$note c=$key sh ./commands >printed 2>&1
	grep 'Verified Successfully' printed
	mirror=$(cat mirror/keys/mirror.vkey)
	tried=0
	# The number of the key, the time, the signature; the size; no line.
	# shellcheck disable=SC2016 # of sed
	for edit in '$s/ \(..\)A/ \1B/; $s/ \(..\)[^AB]/ \1A/' \
		'$s/ \(.\{12\}\)[^A]/ \1A/; t; $s/ \(.\{12\}\)A/ \1B/' \
		'$s/ \(.\{40\}\)[^A]/ \1A/; t; $s/ \(.\{40\}\)A/ \1B/' \
		'2s/^/1/' '$d'; do
		sed "$edit" "$note" >altered
		cmp -s altered "$note" && exit 1
		if cosigned_by "$script" altered "$key"; then exit 1; fi
		tried=$((tried + 1))
	done
	if cosigned_by "$script" "$note" "$mirror"; then exit 1; fi
	sed '2s/^/1/' "$note" >altered
	if f=altered c=$key sh ./commands >printed 2>&1; then exit 1; fi
	[ $tried -eq 5 ]
}

# A mirror has the checkpoints that were stamped, and so have its packages.
the_package_of_a_mirror_has_what_was_stamped() {
	is 0 trailctl mirror store mirror
	is 0 trailctl package --no-entry -o q.zip mirror/t/w/a
	is 0 trailctl verify --vkey vkey q.zip
	is 0 trailctl verify --vkey vkey --tsa-ca authority/root.pem q.zip
	reports '^timestamp +OK +the first [0-9]+ entries existed at 20'
}

run a_stamped_package_is_made \
	stamps_prove_nothing_without_a_trusted_authority \
	the_script_checks_stamps \
	verify_txt_prints_commands_that_work \
	a_stamp_does_not_cover_newer_evidence \
	an_expired_authority_is_judged_at_its_time \
	the_time_of_a_stamp_is_compared \
	an_altered_package_is_never_ok \
	a_stamp_without_its_checkpoint_proves_nothing \
	a_receipt_of_a_mirror_is_in_the_package \
	the_script_checks_cosignatures \
	an_altered_cosignature_is_wrong \
	the_package_of_a_mirror_has_what_was_stamped
finish
