#!/bin/sh
# Recording by one command: trailctl attest and trailctl run.
. "$(dirname "$0")/../suite.sh"

# entries TYPE: print how many entries of that type the store has.
entries() {
	trailctl log --json --type "$1" store | wc -l
}

# is_whole STORE: the store verifies, and no draft is left in it.
is_whole() {
	is 0 trailctl status --json "$1"
	never_says '"draft":[1-9]'
	is 0 trailctl verify "$1"
}

# Make a store, a trail and files to record.
a_store_is_made() {
	is 0 trailctl init --origin example.org/record store
	is 0 trailctl trail create store/t
	mkdir -p tree/sub 'tree/a b'
	echo one >tree/sub/one
	echo two >'tree/a b/back\slash'
	echo three >tree/three.tmp
	echo hello >hello.txt
	sha=$(sha256sum <hello.txt)
	cat >claims <<-EOF2
	--type=generic
	--compliant=true
	--annotate=who=me
	--annotate=run=17
	--description=What was done
	--on-behalf-of=Alice & co
	--origin-url=https://example.org/run/17
	--external-url=ci=https://example.org/log
	--external-fingerprint=ci=${sha%% *}
	--control=CC8.1
	--user-data=hello.txt
	EOF2
}

# record_all PATH [OPTION...]: record the tree, hello.txt and all claims.
record_all() {
	at=$1
	shift
	while read -r option; do
		set -- "$@" "$option"
	done <claims
	is 0 trailctl attest "$at" hello.txt "$@" tree
}

# Check a vault at $1 (a mount or a store) for everything attest promises.
an_attestation_is_whole_or_not_there() {
	is 2 trailctl attest "$1/none/w/a" hello.txt
	complains 'make it with trailctl trail create'
	is 2 trailctl attest "$1/t/$2/a" hello.txt
	complains 'there is no workflow .* --begin'
	record_all "$1/t/$2/a" --begin
	says "^t/$2/a  recorded, 4 files\$"
	record_all "$1/t/$2/a"
	says "^t/$2/a  already recorded\$"
	record_all "$1/t/$2/a" --begin --json
	says '{"files":4,"is_compliant":true,"path":"t/.*/a","recorded":false}'
	is 1 trailctl attest "$1/t/$2/a" hello.txt
	complains 'sealed with other evidence or claims'
	is 1 trailctl attest "$1/t/$2/a" hello.txt tree
	is 0 trailctl attest "$1/t/$2/a" --again hello.txt
	says "^t/$2/a@2  recorded, 1 file\$"
	is 0 trailctl attest "$1/t/$2/wrong" --compliant false hello.txt
	says "^t/$2/wrong  recorded, 1 file, NOT compliant\$"
	is 0 trailctl attest "$1/t/$2/wrong" --compliant false hello.txt
	says "^t/$2/wrong  already recorded, NOT compliant\$"
	is 0 trailctl attest "$1/t/$2/typo" --type fraud-chek hello.txt
	says 'NOT compliant: the trail does not define this type$'
	is 0 trailctl attest "$1/t/$2/a@2" hello.txt
	says 'already recorded$'
	is 0 trailctl attest "$1/t/$2/a" --again hello.txt
	says "^t/$2/a@3  recorded"
	is 2 trailctl attest "$1/t/$2/a@3" --again hello.txt
	is 0 trailctl attest "$1/t/$2/a" --repeat hello.txt
	says "^t/$2/a@3  already recorded\$"
	is 0 trailctl attest "$1/t/$2/a" --repeat hello.txt --compliant false
	says "^t/$2/a@4  recorded"
	is 2 trailctl attest "$1/t/$2/a@3" --repeat hello.txt
	is 2 trailctl attest "$1/t/$2/a" --repeat --again hello.txt
	is 0 trailctl attest "$1/t/$2/new" --repeat hello.txt
	says "^t/$2/new  recorded"
	is 1 trailctl attest "$1/t/$2/a@7" hello.txt
	is 1 trailctl attest "$1/t/$2/a@2" --compliant true hello.txt
}

# Through a mount.
attest_records_in_a_mount() {
	mount store
	an_attestation_is_whole_or_not_there mnt m
	[ "$(cat mnt/t/m/a/sub/one)" = one ]
	[ "$(getfattr --only-values -n user.trailfs.control mnt/t/m/a)" = CC8.1 ]
	(cd mnt/t/m/a && sha256sum -c .trailfs/SHA256SUMS) >sums
	[ "$(wc -l <sums)" = 4 ]
	jq -c '[.annotations,.external_urls.ci.href,.user_data.size]' \
		mnt/t/m/a/.trailfs/attestation.json >facts
	echo '[{"run":"17","who":"me"},"https://example.org/log",6]' |
		cmp - facts
	unmount
	is_whole store
}

# Under the lock of a store.
attest_records_in_a_store() {
	an_attestation_is_whole_or_not_there store s
	is_whole store
}

# Both ways give the same claims and evidence in the entry of the seal.
both_ways_give_the_same_entry() {
	for wf in m s; do
		trailctl log --json --type attestation.sealed "store/t/$wf/a" |
			jq -c '[.claims,.claimants,.evidence]' >"entry.$wf"
	done
	[ "$(wc -l <entry.m)" = 1 ]
	cmp entry.m entry.s
}

# A sealed workflow takes nothing more, and a retry is still a success.
a_sealed_workflow_takes_nothing() {
	for at in store mnt; do
		[ $at = store ] || mount store
		is 0 trailctl attest --begin $at/t/sealed-$at/a hello.txt
		is 0 trailctl seal $at/t/sealed-$at
		is 0 trailctl attest $at/t/sealed-$at/a hello.txt
		says 'already recorded'
		is 1 trailctl attest $at/t/sealed-$at/b hello.txt
		complains "t/sealed-$at is sealed: nothing can be added"
		is 1 trailctl attest --again $at/t/sealed-$at/a hello.txt
	done
	unmount
}

# Of callers at once with one name, one records, and none fails.
many_callers_record_once() {
	mount store
	for i in 1 2 3 4 5 6; do
		(
			got=0
			trailctl attest --begin mnt/t/many/a hello.txt || got=$?
			echo "$got"
		) >"many.$i" 2>&1 &
	done
	wait
	cat many.? >many
	[ "$(grep -c '^t/many/a  recorded, 1 file$' many)" = 1 ]
	[ "$(grep -c '^t/many/a  already recorded$' many)" = 5 ]
	[ "$(grep -c '^0$' many)" = 6 ]
	for i in 1 2 3 4; do
		trailctl attest --again mnt/t/many/a hello.txt >"many.$i" 2>&1 &
	done
	wait
	[ "$(cat mnt/t/many/a@5/hello.txt)" = hello ]
	[ "$(find mnt/t/many -mindepth 1 -maxdepth 1 | wc -l)" = 5 ]
	unmount
}

# Wrong values are exit status 2, never a default, and leave nothing.
wrong_values_are_refused() {
	trailctl log --json store >before
	mkdir bad other
	mkfifo bad/fifo
	ln -s ../hello.txt other/link
	for wrong in --compliant=yes --compliant= --compliant --annotate=k \
		--annotate=k= --annotate==v --annotate='a b=c' --type= \
		--description= --external-url=l --external-fingerprint=l=00 \
		--user-data=/dev/null --on-behalf-of= --origin-url= --control= --again=1 \
		--evaluate-arg=x --registry-username=me --http-proxy=x; do
		is 2 trailctl attest store/t/s/bad hello.txt "$wrong"
	done
	is 2 trailctl attest store/t/s/bad hello.txt --control 'a b'
	is 2 trailctl attest store/t/s/bad hello.txt --type 'a b'
	is 2 trailctl attest store/t/s/bad hello.txt --annotate k=1 \
		--annotate k=2
	is 2 trailctl attest store/t/s/bad hello.txt --description \
		"$(head -c 3000 /dev/zero | tr '\0' x)"
	is 2 trailctl attest store/t/s/bad hello.txt --compliant true \
		--compliant false
	is 2 trailctl attest store/t/s/bad /dev/null
	is 2 trailctl attest store/t/s/bad bad
	complains 'bad/fifo is neither'
	is 2 trailctl attest store/t/s/bad bad/fifo
	is 2 trailctl attest store/t/s/bad other
	complains 'other/link is a symbolic link'
	is 2 trailctl attest store/t/s/bad hello.txt tree/../hello.txt
	complains 'would both be hello.txt'
	is 3 trailctl attest store/t/s/bad nothing
	is 2 trailctl attest store/t/s/bad
	is 2 trailctl attest store/t/s/.bad hello.txt
	is 2 trailctl attest store/t/s hello.txt
	is 2 trailctl attest store/t/s/bad/f hello.txt
	is 2 trailctl attest store/t/s/ba@d hello.txt
	trailctl log --json store | head -n "$(wc -l <before)" | cmp - before
	[ "$(trailctl log --json store | grep -c '/bad"')" = 0 ]
	is_whole store
}

# A link that is an argument is followed; odd names are only names.
arguments_are_taken_as_they_are() {
	is 0 trailctl attest store/t/s/link other/link
	echo x >-f
	echo y >'a b'
	is 0 trailctl attest store/t/s/odd -- -f 'a b'
	says 'recorded, 2 files'
	is 0 trailctl attest store/t/s/empty --seal
	says 'recorded, 0 files'
	is 0 trailctl attest store/t/s/empty --seal
	says 'already recorded'
	is 0 trailctl show store/t/s/empty
	says 'sealed'
}

# A dry run prints the entry, and the vault does not change.
a_dry_run_records_nothing() {
	trailctl log --json --type attestation.sealed store >before
	is 0 trailctl attest store/t/s/dry --dry-run --annotate k=v hello.txt
	jq -c '[.path,.type,.claims.annotations.k,.evidence[0].size]' <out |
		grep -qxF '["t/s/dry","attestation.sealed","v",6]'
	is 0 trailctl attest store/t/s/dry -D hello.txt
	is 1 trailctl attest store/t/s/a -D hello.txt
	is 2 trailctl attest store/t/s/dry -D --type 'a b' hello.txt
	is 1 trailctl attest store/t/s/a@9 -D hello.txt
	is 2 trailctl attest store/t/s/d@ry -D hello.txt
	is 2 trailctl attest store/t/new/dry -D --begin hello.txt
	trailctl log --json --type attestation.sealed store | cmp - before
	is 3 trailctl show store/t/s/dry
	is_whole store
}

# Standard input of any size becomes a file, once.
standard_input_is_a_file() {
	head -c 9000000 /dev/zero | tr '\0' x >long.txt
	: >empty.txt
	mount store
	for w in mnt/t/piped store/t/unmounted; do
		[ "$w" = mnt/t/piped ] || unmount
		cat >piped <<-EOF
		trailctl attest --begin $w/a - --name d/events.json hello.txt
		EOF
		tr x x <long.txt | is 0 sh piped
		says 'recorded, 2 files$'
		tr x x <long.txt | is 0 sh piped
		says 'already recorded'
		is 1 sh piped <hello.txt
		is 0 trailctl attest "$w/empty" - --name none.txt <empty.txt
		says 'recorded, 1 file$'
		is 0 trailctl attest -D "$w/dry" - --name x.txt <hello.txt
		[ "$(jq -r '.evidence[0].path' <out)" = x.txt ]
		is 2 trailctl attest "$w/b" - <hello.txt
		complains '--name says which file'
		for wrong in '- --name ../x' '- --name /x' '- --name a//b' \
			'- --name .' '- - --name x' 'hello.txt --name x' \
			'- hello.txt --name hello.txt' '- --name x --repeat'; do
			# shellcheck disable=SC2086
			is 2 trailctl attest "$w/b" $wrong <hello.txt
		done
	done
	is_whole store
	mount store
	cmp mnt/t/piped/a/d/events.json long.txt
	cmp mnt/t/unmounted/a/d/events.json long.txt
	[ -z "$(cat mnt/t/piped/empty/none.txt)" ]
	[ ! -e mnt/t/piped/b ]
	# A pipe that stays empty does not keep a signal waiting.
	mkfifo never
	exec 9<>never
	trailctl attest mnt/t/piped/cut - --name x <never >out 2>err 9<&- &
	job=$!
	until [ -n "$(find mnt/t/piped -name '.attest*')" ]; do
		kill -0 "$job"
	done
	kill -TERM "$job"
	got=0
	wait "$job" || got=$?
	exec 9<&-
	[ "$got" = 143 ]
	[ "$(find mnt/t/piped -name '.*' | wc -l)" = 0 ]
	unmount
}

# A dry run and --json give the verdict that the seal gives, with its report.
the_verdict_is_foretold() {
	cat >bad.xml <<-'EOF'
	<testsuite name="s" tests="1" failures="1"><testcase name="t"><failure/></testcase></testsuite>
	EOF
	sed 's/failures="1"/failures="0"/; s/<failure.>//' bad.xml >good.xml
	echo '{"approved":false}' >review.json
	cat >review.yml <<-'EOF'
	version: 1
	evidence: review.json
	schema:
	  type: object
	  properties:
	    approved: {enum: [true]}
	EOF
	cat >judged.yml <<-'EOF'
	version: 1
	trail:
	  attestations:
	    - {name: tests, type: junit}
	EOF
	is 0 trailctl trail create store/judged --template judged.yml
	is 0 trailctl type set store/judged review review.yml
	mount store
	mkdir mnt/judged/mounted
	unmount
	for w in store/judged/stored mnt/judged/mounted; do
		[ "$w" = store/judged/stored ] || mount store
		while read -r name compliant rule options; do
			is 0 trailctl attest --begin "$w/begun" hello.txt
			# shellcheck disable=SC2086
			is 0 trailctl attest -D "$w/$name" $options
			jq -cS '[.is_compliant,.evaluated.rule,.evaluated]' \
				out >foretold
			grep -q "^\[$compliant,$rule," foretold
			# shellcheck disable=SC2086
			is 0 trailctl attest --json "$w/$name" $options
			jq -cS '[.is_compliant,.evaluated.rule,.evaluated]' \
				out | diff foretold -
			# shellcheck disable=SC2086
			is 0 trailctl attest --json "$w/$name" $options
			jq -cS '[.is_compliant,.evaluated.rule,.evaluated]' \
				out | diff foretold -
		done <<-'EOF'
		tests false "junit" bad.xml
		good true "junit" good.xml --type junit
		review false "checks" review.json --type custom:review
		unknown false "checks" review.json --type reveiw
		claimed false null hello.txt --compliant=false
		plain true null hello.txt
		EOF
	done
	unmount
	is_whole store
}

# A dry run knows a strict template, and publication obeys it too.
a_strict_template_is_obeyed() {
	cat >strict.yml <<-'EOF2'
	version: 1
	trail:
	  x-trailfs: {strict: true}
	  attestations:
	    - {name: build, type: generic}
	    - {name: approval, type: generic, x-trailfs: {users: [no-such-user]}}
	EOF2
	is 0 trailctl trail create store/strict --template strict.yml
	is 0 trailctl attest --begin store/strict/w/build hello.txt
	for dry in --dry-run --json; do
		is 1 trailctl attest $dry store/strict/w/other hello.txt
		complains 'the template of this workflow has no other'
		is 1 trailctl attest $dry store/strict/w/approval hello.txt
		complains 'lets only others report approval'
	done
	mount store
	for dry in --dry-run --json; do
		is 1 trailctl attest $dry mnt/strict/w/other hello.txt
		complains 'the template of this workflow has no other'
		is 1 trailctl attest $dry mnt/strict/w/approval hello.txt
		complains 'lets only others report approval'
	done
	[ "$(find mnt/strict/w -name '.*' | wc -l)" = 0 ]
	unmount
}

# The exit status of a program is the verdict; another one records nothing.
a_program_judges_the_evidence() {
	mount store
	cat >judge <<-'EOF2'
	#!/bin/sh
	[ "$2" = . ] && ls "$2" && exit "$1"
	EOF2
	chmod +x judge
	is 0 trailctl attest mnt/t/m/good --evaluate ./judge \
		--evaluate-arg 0 hello.txt
	says 'recorded, 2 files'
	is 0 trailctl attest mnt/t/m/good --evaluate ./judge \
		--evaluate-arg 0 hello.txt
	says 'already recorded'
	[ "$(cat mnt/t/m/good/evaluation.txt)" = hello.txt ]
	jq -r '.annotations.evaluator_exit,.annotations.evaluator_sha256,
		.is_compliant' mnt/t/m/good/.trailfs/attestation.json >facts
	{ echo 0 && sha256sum <judge | cut -c 1-64 && echo true; } | cmp - facts
	is 0 trailctl attest mnt/t/m/poor --evaluate ./judge \
		--evaluate-arg 1 hello.txt
	[ "$(jq .is_compliant mnt/t/m/poor/.trailfs/attestation.json)" = false ]
	is 0 trailctl attest mnt/t/m/words --evaluate '  ./judge	1 ' hello.txt
	says 'NOT compliant'
	is 5 trailctl attest mnt/t/m/none --evaluate './judge' \
		--evaluate-arg '0 1' hello.txt
	is 2 trailctl attest mnt/t/m/none --evaluate ' ' hello.txt
	is 5 trailctl attest mnt/t/m/none --evaluate ./judge \
		--evaluate-arg 2 hello.txt
	complains 'exited with 2, so nothing is recorded'
	is 2 trailctl attest mnt/t/m/none --evaluate touch \
		--evaluate-arg hello.txt --evaluate-arg more hello.txt
	complains 'changed the evidence'
	is 3 trailctl attest mnt/t/m/none --evaluate ./nothing hello.txt
	is 2 trailctl attest mnt/t/m/none --evaluate true --compliant true \
		hello.txt
	[ ! -e mnt/t/m/none ]
	[ "$(find mnt/t/m -name '.*' | wc -l)" = 0 ]
	unmount
}

# Not even SIGKILL leaves one; it is gone a moment later.
a_killed_recorder_leaves_no_draft() {
	mount store
	trailctl attest mnt/t/m/cut --evaluate ./waits hello.txt tree 2>err &
	job=$!
	read -r _ <started
	[ "$(find mnt/t/m -name '.attest-*' -type d | wc -l)" = 1 ]
	kill -KILL "$job"
	wait "$job" || :
	tries=0
	while [ "$(find mnt/t/m -name '.attest-*' | wc -l)" != 0 ]; do
		[ "$((tries += 1))" -lt 600 ]
		sleep 0.1
	done
	[ ! -e mnt/t/m/cut ]
	unmount
}

# A signal leaves no draft: the evaluator says when the draft is there.
a_signal_removes_the_draft() {
	mount store
	mkfifo started
	cat >waits <<-EOF2
	#!/bin/sh
	echo >'$work/started'
	exec sleep 60
	EOF2
	chmod +x waits
	for signal in HUP TERM; do
		trailctl attest mnt/t/m/cut --evaluate ./waits hello.txt \
			2>err &
		job=$!
		read -r _ <started
		[ "$(find mnt/t/m -name '.attest-*' -type d | wc -l)" = 1 ]
		kill -"$signal" "$job"
		got=0
		wait "$job" || got=$?
		[ "$got" -gt 128 ]
		[ "$(find mnt/t/m -name '.attest-*' | wc -l)" = 0 ]
		[ ! -e mnt/t/m/cut ]
	done
	unmount
}

# Output, end and facts of a command are evidence, and its exit status is ours.
run_records_a_command() {
	mount store
	MY_TOKEN=hunter2 PLACE=here
	export MY_TOKEN PLACE
	echo input >input
	is 3 trailctl run --begin mnt/t/r/a --env PLACE --env MY_TOKEN \
		--env NOT_SET --annotate k=v -- \
		sh -c 'cat; echo error >&2; exit 3' --password=hunter2 \
		--api-key hunter2 '' <input
	cmp out input
	grep -qx error err
	cmp input mnt/t/r/a/stdout.log
	cmp err mnt/t/r/a/stderr.log
	jq -c '[.exit_status,.environment,.command[3:]]' \
		mnt/t/r/a/run.json >facts
	cat >expected <<-'EOF2'
	[3,{"MY_TOKEN":"***","NOT_SET":null,"PLACE":"here"},["--password=***","--api-key","***",""]]
	EOF2
	cmp facts expected
	[ "$(grep -c hunter2 mnt/t/r/a/run.json)" = 0 ]
	[ "$(jq .is_compliant mnt/t/r/a/.trailfs/attestation.json)" = false ]
	is 0 trailctl run mnt/t/r/b -- true
	[ "$(jq .is_compliant mnt/t/r/b/.trailfs/attestation.json)" = true ]
	is 1 trailctl run mnt/t/r/c --compliant true -- false
	[ "$(jq .is_compliant mnt/t/r/c/.trailfs/attestation.json)" = true ]
	# shellcheck disable=SC2016
	is 137 trailctl run mnt/t/r/d -- sh -c 'kill -KILL $$'
	[ "$(jq -r .signal mnt/t/r/d/run.json)" = SIGKILL ]
	is 127 trailctl run mnt/t/r/e -- no-such-program
	grep -q 'no program no-such-program' mnt/t/r/e/stderr.log
	is 126 trailctl run mnt/t/r/f -- ./input
	is 0 trailctl run --again mnt/t/r/b -- echo more
	[ "$(cat mnt/t/r/b@2/stdout.log)" = more ]
	[ "$(find mnt/t/r -name '.*' | wc -l)" = 0 ]
	unmount
}

# Secrets in arguments and variables are not recorded, and the rest is.
secrets_are_masked() {
	cat >lines <<-'EOF'
	--password=a b	--password=***
	--auth-token
	value	***
	DB_PWD=x	DB_PWD=***
	PWD=/srv	PWD=/srv
	--author=Ann	--author=Ann
	PATH=/usr/bin	PATH=/usr/bin
	Authorization: Bearer abc def	Authorization: ***
	https://ann:pa/ss@example.org/x?y=1	https://ann:***@example.org/x?y=1
	amqp://u:p@h1,amqp://v:q@h2	amqp://u:***@h1,amqp://v:***@h2
	https://0123abcd@example.org	https://***@example.org
	ssh://git@example.org/r.git	ssh://git@example.org/r.git
	http://host:8080/a@b	http://host:8080/a@b
	Server=db;Password=x;Port=1	Server=db;Password=***;Port=1
	https://h/?a=1&api_key=x&b=2	https://h/?a=1&api_key=***&b=2
	{"user":"ann","password":"x, y"}	{"user":"ann","password":"***"}
	run it with ghp_0123456789abcdefghij now	run it with *** now
	eyJhbGciOiJI.eyJzdWIiOiIx.abcdef	***
	mysql --password x -h db	mysql --password *** -h db
	export DB_PASS='a b'; go	export DB_PASS='***'; go
	-----BEGIN RSA PRIVATE KEY-----abc-----END RSA PRIVATE KEY-----	***-----END RSA PRIVATE KEY-----
	-p	-p
	plain	plain
	sshpass	sshpass
	-p	-p
	x	***
	-px	-p***
	curl	curl
	-u	-u
	ann:x	ann:***
	-uann:x	-uann:***
	--user	--user
	ann	ann
	EOF
	[ -d store ]
	set --
	while IFS="$(printf '\t')" read -r argument shown; do
		set -- "$@" "$argument"
		printf '%s\n' "${shown:-$argument}"
	done <lines >wanted
	SENTRY_DSN=https://abc@sentry.example.org/1
	DATABASE_URL=postgres://u:p@db:5432/app
	MY_JWT=abc BASIC_AUTH=abc SESSION_ID=abc GIT_AUTHOR_NAME=Ann
	export SENTRY_DSN DATABASE_URL MY_JWT BASIC_AUTH SESSION_ID \
		GIT_AUTHOR_NAME
	is 0 trailctl run --begin store/t/masked/a --env SENTRY_DSN \
		--env DATABASE_URL --env MY_JWT --env BASIC_AUTH \
		--env SESSION_ID --env GIT_AUTHOR_NAME -- true "$@"
	mount store
	jq -r '.command[1:][]' mnt/t/masked/a/run.json >shown
	jq -c .environment mnt/t/masked/a/run.json >facts
	unmount
	diff wanted shown
	cat >expected <<-'EOF'
	{"BASIC_AUTH":"***","DATABASE_URL":"postgres://u:***@db:5432/app","GIT_AUTHOR_NAME":"Ann","MY_JWT":"***","SENTRY_DSN":"***","SESSION_ID":"***"}
	EOF
	diff expected facts
}

# The command has the environment of its caller, also what trailctl drops.
a_command_has_its_environment() {
	# shellcheck disable=SC2016
	TZ=Asia/Tokyo is 0 trailctl run --begin store/t/r/env -- \
		sh -c 'echo "$TZ $LC_ALL"; ulimit -n'
	{ echo "Asia/Tokyo $LC_ALL" && sh -c "ulimit -n"; } | cmp - out
	is 0 trailctl show store/t/r/env/stdout.log
}

# Wrong arguments run nothing.
wrong_arguments_run_nothing() {
	for wrong in --compliant=yes --annotate=k --env=A=B --evaluate=true \
		--dry-run; do
		is 2 trailctl run "$wrong" store/t/r/x -- touch ran
	done
	is 2 trailctl run --type 'a b' store/t/r/x -- touch ran
	is 2 trailctl run store/t/r -- touch ran
	is 2 trailctl run store/t/none/x -- touch ran
	is 2 trailctl run store/none/r/x -- touch ran
	is 2 trailctl run store/t/r/x
	is 1 trailctl run --require store/t/r/a -- touch ran
	complains 'exists already'
	is 3 trailctl run --require nowhere/t/r/a -- touch ran
	[ ! -e ran ]
}

# rescued: print the directory that stderr names, which has the output.
rescued() {
	sed -n 's/^trailctl: its output is kept in //p' err
}

# What cannot be recorded is kept beside, and the exit status is the command's.
output_is_never_lost() {
	mkdir tmp
	TMPDIR=$work/tmp
	export TMPDIR
	is 7 trailctl run store/t/r/a -- sh -c 'echo kept; exit 7'
	complains 'is not recorded: t/r/a exists already'
	[ "$(cat "$(rescued)/stdout.log")" = kept ]
	[ "$(jq .exit_status "$(rescued)/run.json")" = 7 ]
	is 0 trailctl run nowhere/t/r/x -- echo kept
	[ "$(cat "$(rescued)/stdout.log")" = kept ]
	rm -r tmp/*
	is 0 trailctl run store/t/r/clean -- echo recorded
	[ "$(find tmp -mindepth 1 | wc -l)" = 0 ]
	# The vault refuses the second part: the first is not lost.
	mount store -o max_file=100000
	is 5 trailctl run mnt/t/r/long -- sh -c 'echo first; sleep 0.3
		head -c 200000 /dev/zero; echo last; exit 5'
	[ "$(wc -c <out)" = 200011 ]
	cmp out "$(rescued)/stdout.log"
	[ "$(jq .exit_status "$(rescued)/run.json")" = 5 ]
	[ "$(find mnt/t/r -name '*long*' -o -name '.*' | wc -l)" = 0 ]
	unmount
}

# The mount dies while a command runs: no byte of its output is lost.
output_survives_the_mount() {
	rm -rf tmp started
	mkdir tmp
	mkfifo started
	TMPDIR=$work/tmp
	export TMPDIR
	trailfs store mnt -f &
	daemon=$!
	until [ -e mnt/.trailfs/status.json ]; do
		sleep 0.1
	done
	kill -0 "$daemon"
	(
		got=0
		trailctl run --begin mnt/t/dies/a -- sh -c "echo first
			echo >'$work/started'
			read -r _ <'$work/started'
			echo last; exit 4" >out 2>err || got=$?
		echo "$got" >status
	) &
	job=$!
	read -r _ <started
	until grep -q first out; do
		sleep 0.1
	done
	kill -KILL "$daemon"
	wait "$daemon" || :
	echo >started
	wait "$job"
	[ "$(cat status)" = 4 ]
	printf 'first\nlast\n' | cmp - out
	cmp out "$(rescued)/stdout.log"
	unmount
	is_whole store
}

# Signals reach the command; a recorder that is killed leaves a draft.
signals_reach_the_command() {
	mount store
	rm -f started
	mkfifo started
	trailctl run mnt/t/r/signal -- sh -c "trap 'echo caught; exit 9' TERM
		echo >'$work/started'
		while :; do sleep 0.1; done" >out &
	job=$!
	read -r _ <started
	kill -TERM "$job"
	got=0
	wait "$job" || got=$?
	[ "$got" = 9 ]
	[ "$(cat mnt/t/r/signal/stdout.log)" = caught ]
	trailctl run mnt/t/r/killed -- sh -c "echo early
		echo >'$work/started'; exec sleep 1" >out &
	job=$!
	read -r _ <started
	until [ "$(cat mnt/t/r/.run-*/stdout.log)" = early ]; do
		sleep 0.1
	done
	kill -KILL "$job"
	wait "$job" || :
	[ "$(cat mnt/t/r/.run-*/stdout.log)" = early ]
	[ "$(jq -r '.command[0]' mnt/t/r/.run-*/run.json)" = sh ]
	[ ! -e mnt/t/r/killed ]
	# It can be recorded by hand.
	mv mnt/t/r/.run-* mnt/t/r/killed
	[ "$(getfattr --only-values -n user.trailfs.state mnt/t/r/killed)" = \
		sealed ]
	unmount
}

run a_store_is_made
with '/dev/fuse getfattr jq' attest_records_in_a_mount
run attest_records_in_a_store
with '/dev/fuse jq' both_ways_give_the_same_entry
with /dev/fuse a_sealed_workflow_takes_nothing many_callers_record_once
run wrong_values_are_refused arguments_are_taken_as_they_are
with jq a_dry_run_records_nothing
with '/dev/fuse jq' standard_input_is_a_file the_verdict_is_foretold
with /dev/fuse a_strict_template_is_obeyed
with '/dev/fuse jq' a_program_judges_the_evidence
with /dev/fuse a_signal_removes_the_draft a_killed_recorder_leaves_no_draft
with '/dev/fuse jq' run_records_a_command secrets_are_masked
run a_command_has_its_environment wrong_arguments_run_nothing
with '/dev/fuse jq' output_is_never_lost
with /dev/fuse output_survives_the_mount
with '/dev/fuse jq getfattr' signals_reach_the_command
finish
