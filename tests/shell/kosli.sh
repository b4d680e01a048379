#!/bin/sh
# The words of Kosli's command line, as trailctl kosli maps them.
. "$(dirname "$0")/../suite.sh"

# The variables of this suite's own environment must not be read.
for variable in $(env | sed -n 's/^\(KOSLI_[A-Z_]*\)=.*/\1/p') TRAILFS_MOUNT; do
	unset "$variable"
done

# entries: print the entries of the store, except those about its opening.
entries() {
	trailctl log --json store | grep -v '"type":"ledger\.'
}

# Make stores, and the files of a build.
a_store_is_made() {
	is 0 trailctl init --origin example.org/kosli store
	is 0 trailctl init --origin example.org/kosli unmounted
	cat >template.yml <<-'EOF2'
	version: 1
	trail:
	  attestations:
	    - name: code-review
	      type: generic
	    - name: risk-level
	      type: custom:risk
	    - name: release
	      type: decision
	  artifacts:
	    - name: web
	      attestations:
	        - name: unit-tests
	          type: junit
	EOF2
	cat >risk.json <<-'EOF2'
	{
	  "$schema": "https://json-schema.org/draft/2020-12/schema",
	  "title": "Risk",
	  "type": "object",
	  "properties": {
	    "level": {"type": "integer", "maximum": 3, "title": "1 to 5"},
	    "title": {"type": "string"}
	  },
	  "required": ["level"]
	}
	EOF2
	echo '{"level": 2, "title": "small"}' >low.json
	echo '{"level": 5}' >high.json
	echo '{"build": 17}' >build.json
	echo binary >app
	mkdir reports
	cat >reports/unit.xml <<-'EOF2'
	<testsuite name="s" tests="1"><testcase name="a" classname="c"/></testsuite>
	EOF2
}

# A pipeline, as Kosli's manual writes it: the words and the options are theirs.
cat >pipeline.sh <<'EOF'
set -eu
kosli create flow shop \
	--description "The web shop" \
	--template-file template.yml
kosli create attestation-type risk \
	--description "How risky a change is" \
	--schema risk.json
kosli begin trail "$GIT_COMMIT" \
	--flow shop \
	--description "$(printf 'Build of %s' "$GIT_COMMIT")" \
	--commit "$GIT_COMMIT" \
	--repository acme/shop --repo-url https://git.example.org/acme/shop \
	--origin-url https://ci.example.org/17 \
	--user-data build.json
kosli attest generic \
	--name code-review \
	--flow shop \
	--trail "$GIT_COMMIT" \
	--compliant=true \
	--annotate reviewer=alice,size=small \
	--external-url ticket=https://tickets.example.org/1 \
	--attachments build.json,template.yml
kosli attest junit app \
	--artifact-type file \
	--name web.unit-tests \
	--flow shop \
	--trail "$GIT_COMMIT" \
	--results-dir reports
kosli attest custom \
	--type risk \
	--name risk-level \
	--flow shop \
	--trail "$GIT_COMMIT" \
	--attestation-data low.json
kosli attest decision \
	--name release \
	--flow shop \
	--trail "$GIT_COMMIT" \
	--control RCTL-043 \
	--compliant=true \
	--redact-commit-info author
kosli get trail "$GIT_COMMIT" --flow shop --output json >trail.json
EOF

# run_pipeline VAULT: the variables are those of a CI system.
run_pipeline() {
	{
		# shellcheck disable=SC2016
		echo 'kosli() { trailctl kosli "$@"; }'
		cat pipeline.sh
	} >run.sh
	is 0 env TRAILFS_MOUNT="$1" KOSLI_API_TOKEN=secret KOSLI_ORG=acme \
		KOSLI_HOST=https://kosli.example.org KOSLI_FLOW=shop \
		GIT_COMMIT="$sha" sh run.sh
	complains 'not used here: KOSLI_API_TOKEN, KOSLI_HOST, KOSLI_ORG$'
	[ "$(cat err out | grep -c secret)" = 0 ]
	jq -c '[.name,.flow,.compliance_state,.is_compliant,.description]' \
		trail.json >facts
	echo "[\"$sha\",\"shop\",\"COMPLIANT\",true,\"Build of $sha\"]" |
		cmp - facts
	jq -r '.compliance_status.attestations_statuses[] |
		[.attestation_name,.attestation_type,.status] | @tsv' \
		trail.json | sort >facts
	cat >expected <<-'EOF2'
	code-review	generic	COMPLETE
	release	decision	COMPLETE
	risk-level	custom:risk	COMPLETE
	web.unit-tests	junit	COMPLETE
	EOF2
	cmp facts expected
}
sha=0123456789abcdef0123456789abcdef01234567

# In a mount and in a store; a second run changes nothing.
a_pipeline_runs_unchanged() {
	mount store
	run_pipeline mnt
	is 0 trailctl log --json mnt
	cp out before
	run_pipeline mnt
	is 0 trailctl log --json mnt
	cmp out before
	cmp mnt/shop/$sha/risk-level/attestation-data.json low.json
	jq -c '[.annotations,.external_urls.ticket.href]' \
		mnt/shop/$sha/code-review/.trailfs/attestation.json >facts
	echo '[{"reviewer":"alice","size":"small"},"https://tickets.example.org/1"]' |
		cmp - facts
	is 0 getfattr --only-values -n user.trailfs.annotation.git_commit \
		mnt/shop/$sha
	says "^$sha\$"
	is 0 getfattr --only-values -n user.trailfs.annotation.repository \
		mnt/shop/$sha
	says '^acme/shop$'
	cmp mnt/shop/$sha/.trailfs/user-data build.json
	# In the mount, no variable is needed.
	(cd mnt/shop && trailctl kosli list flows -o json) >answer
	[ "$(jq -c '.[].name' answer)" = '"shop"' ]
	unmount
	run_pipeline unmounted
	is 0 trailctl verify unmounted
	is 0 trailctl verify store
}

# Nothing stays in the temporary directory.
no_file_is_left() {
	mkdir tmp
	TMPDIR=$work/tmp
	export TMPDIR
	is 0 trailctl kosli attest custom --type risk --name risk-level \
		--flow shop --trail $sha --attestation-data low.json
	says 'already recorded'
	is 0 trailctl kosli create flow empty --use-empty-template
	[ "$(find tmp -mindepth 1 | wc -l)" = 0 ]
}

# The newest report decides, and an equal one is no new report.
the_latest_report_decides() {
	is 0 trailctl kosli begin trail latest --flow empty
	says '^empty/latest  begun$'
	for verdict in true false true; do
		is 0 trailctl kosli attest generic -f empty -T latest \
			-n check --compliant=$verdict
		says 'recorded, 0 files'
		is 0 trailctl kosli attest generic -f empty -T latest \
			-n check --compliant=$verdict
		says 'already recorded'
		is 0 trailctl kosli get trail latest -f empty -o json
		[ "$(jq .is_compliant out)" = $verdict ]
	done
	is 0 trailctl kosli get attestation check -f empty -t latest -o json
	[ "$(jq -c '[.[]|[.attestation_name,.version,.is_compliant]]' out)" = \
		'[["check",3,true],["check",2,false],["check",1,true]]' ]
	is 0 trailctl kosli get attestation check -f empty -t latest
	says '^Compliance:  *false$'
	is 3 trailctl kosli get attestation none -f empty -t latest
}

# A second begin merges, and a trail keeps its template.
begin_merges_and_keeps_the_template() {
	is 0 trailctl kosli begin trail latest --flow empty --description one \
		-o https://example.org/1
	says '^empty/latest  updated$'
	is 0 trailctl kosli begin trail latest --flow empty -u build.json
	says '  updated$'
	is 0 trailctl kosli begin trail latest --flow empty --description one
	says '  exists already$'
	is 0 trailctl kosli get trail latest -f empty -o json
	[ "$(jq -c '[.description,.origin_url]' out)" = \
		'["one","https://example.org/1"]' ]
	is 1 trailctl kosli begin trail latest --flow empty -f template.yml
	complains 'begun with another template, version 1, and keeps it'
	is 0 trailctl template show --json store/empty
	says '"version":1'
	is 0 trailctl kosli begin trail templated --flow empty -f template.yml
	is 0 trailctl template show --json store/empty
	says '"version":2'
	is 0 trailctl kosli begin trail templated --flow empty -f template.yml
	says 'exists already'
	is 0 trailctl kosli get trail templated -f empty -o json
	[ "$(jq .template.version out)" = 2 ]
	[ "$(jq -r .compliance_state out)" = INCOMPLETE ]
	is 2 trailctl kosli begin trail t --flow none
	complains 'there is no flow none: see create flow'
	is 2 trailctl kosli begin trail .t --flow empty
	is 2 trailctl kosli begin trail 'a b' --flow empty
	is 2 trailctl kosli begin trail a/b --flow empty
}

# report OPTION...: attest generic in the trail of these tests.
report() {
	trailctl kosli attest generic -f empty -T latest "$@"
}

# is_reported NAME true|false: so is the verdict of the report.
is_reported() {
	is 0 trailctl kosli get attestation "$1" -f empty -t latest -o json
	[ "$(jq '.[0].is_compliant' out)" = "$2" ]
}

# A wrong value is no verdict, and none is a default of it.
a_wrong_truth_is_refused() {
	entries >before
	for wrong in --compliant= --compliant=yes --compliant=2 -C= -C=no; do
		is 2 trailctl kosli attest generic -f empty -T latest -n t \
			"$wrong"
	done
	is 2 trailctl kosli attest generic -f empty -T latest -n t \
		--compliant false
	complains "write --compliant=false, with '='"
	is 2 trailctl kosli attest generic -f empty -T latest -n t -C false
	is 2 env KOSLI_COMPLIANT= trailctl kosli attest generic -f empty \
		-T latest -n t
	complains 'KOSLI_COMPLIANT is empty'
	is 2 env KOSLI_COMPLIANT=maybe trailctl kosli attest generic -f empty \
		-T latest -n t
	complains 'KOSLI_COMPLIANT is true or false, not "maybe"'
	is 2 trailctl kosli attest decision -f empty -T latest -n t \
		--control C1
	complains ': --compliant is missing'
	is 2 trailctl kosli attest decision -f empty -T latest -n t -C
	complains ': --control is missing'
	is 2 trailctl kosli attest override -f empty -T latest -n check \
		--reason because
	complains ': --new-compliance-status is missing'
	entries | cmp - before
	KOSLI_COMPLIANT=false report -n variable
	is_reported variable false
	# The command line is stronger.
	KOSLI_COMPLIANT=false report -n line -C
	is_reported line true
}

# One letter has another meaning in another word.
letters_are_those_of_kosli() {
	# -f: the template in begin trail, the flow elsewhere.
	is 3 trailctl kosli begin trail letters --flow empty -f none.yml
	complains none.yml
	is 2 trailctl kosli begin trail letters -f template.yml
	complains ': --flow is missing'
	is 0 trailctl kosli get trail latest -f empty
	# -T: the trail in attest only.  -t: the trail in get attestation, the
	# type of the artifact in attest.
	is 2 trailctl kosli get attestation check -f empty -T latest
	complains 'there is no option -T'
	is 2 trailctl kosli attest generic -f empty -t latest -n x app
	complains ': --trail is missing'
	is 2 trailctl kosli attest generic -f empty -T latest -t latest -n x app
	complains ': --artifact-type is file or dir, not "latest"'
	is 0 trailctl kosli attest generic -f empty -T latest -t file -n x app
	# -o: the origin in attest and begin, the form of the answer in get.
	is 0 trailctl kosli attest generic -f empty -T latest -n o -o json
	is 0 trailctl kosli get attestation o -f empty -t latest -o json
	[ "$(jq -r '.[0].origin_url' out)" = json ]
	is 2 trailctl kosli get attestation o -f empty -t latest -o xml
	# -n: the name in attest, the limit in list.  -t has no meaning there.
	is 0 trailctl kosli list trails -n 1 -f empty -o json
	[ "$(jq -c '[(.data|length),.pagination]' out)" = \
		'[1,{"page":1,"page_count":2,"total":2}]' ]
	is 2 trailctl kosli list trails -n check
	is 2 trailctl kosli list trails -t team=x
	complains ': -t has no meaning here'
	# -d: the description of a type only.  -s: its schema.
	is 2 trailctl kosli begin trail letters --flow empty -d text
	complains 'there is no option -d'
	is 0 trailctl kosli create attestation-type risk --flow empty \
		-s=risk.json -d=Risk
	is 0 trailctl kosli attest generic -f=empty -T=latest -n=short \
		-C=false -D
	says '"compliant":false'
	is 3 trailctl kosli g attestation short -f empty -t latest
	is 0 trailctl kosli lo trail latest -f empty
	says 'workflow.begun'
}

# refuses WORD... -- OPTION...: each of the options, given to these words, is
# an error that names it.
refuses() {
	words=''
	while [ "$1" != -- ]; do
		words="$words $1"
		shift
	done
	shift
	for option; do
		# shellcheck disable=SC2086
		is 2 trailctl kosli $words "$option=x"
		complains "^trailctl: kosli.*: $option has no meaning here: "
	done
}

# Options without meaning are errors that name them, also as variables.
options_without_meaning_are_refused() {
	entries >before
	global='--org --api-token --host --http-proxy --max-api-retries
		--config-file --debug --quiet'
	for words in 'attest generic' 'attest junit' 'attest custom' \
		'attest decision' 'attest override' 'begin trail x' \
		'create flow x' 'create attestation-type x' 'get trail x' \
		'get attestation x' 'list trails' 'list flows' 'search x' \
		'fingerprint x' 'log trail x' 'evaluate input' \
		'evaluate trail x' 'evaluate trails x'; do
		# shellcheck disable=SC2086
		refuses $words -- $global
	done
	for letter in -a -H -r -c -q; do
		is 2 trailctl kosli list flows $letter x
		complains ": $letter has no meaning here: "
	done
	for word in generic junit custom decision override; do
		refuses attest $word -- --registry-username \
			--registry-password --registry-provider
	done
	refuses attest junit -- --upload-results
	refuses attest override -- --annotate --attachments --artifact-type \
		--fingerprint --exclude --commit --description --external-url \
		--external-fingerprint --origin-url --user-data \
		--redact-commit-info --repo-id --repo-provider --repo-root \
		--repo-url --repository
	refuses create flow x -- --template --visibility
	refuses create attestation-type x -- --jq --summary --summary-json
	refuses list trails -- --flow-tag
	refuses log trail x -- --interval --start --end --start-ts --end-ts \
		--reverse --repo --page --page-limit
	refuses fingerprint x -- --registry-username --registry-password \
		--registry-provider
	entries | cmp - before
	is 2 env KOSLI_HTTP_PROXY=x trailctl kosli list flows
	complains ': KOSLI_HTTP_PROXY has no meaning here: '
	is 0 env KOSLI_ORG= KOSLI_OUTPUT= trailctl kosli list flows
	[ ! -s err ]
	is 2 trailctl kosli list flows --no-such-option
	is 2 trailctl kosli --debug list flows
	is 0 trailctl kosli --mount store list flows
}

# Words without meaning are errors that say what to use.
words_without_meaning_are_refused() {
	is 2 trailctl kosli assert artifact --fingerprint x
	complains 'assert artifact has no meaning here: use trailctl assert'
	is 2 trailctl kosli evaluate artifact x --policy p.rego
	complains 'evaluate artifact has no meaning here: use evaluate trail'
	is 2 trailctl kosli attest artifact app --artifact-type file
	complains 'attest artifact has no meaning here: .*--fingerprint'
	for words in 'attest snyk' 'attest jira' 'snapshot docker' 'tag flow' \
		'get environment' 'list' 'list environments' 'create' \
		'log environment' 'archive flow' 'update flow' 'frobnicate' \
		'create policy'; do
		# shellcheck disable=SC2086
		is 2 trailctl kosli $words x
	done
	is 2 trailctl kosli
	is 0 trailctl kosli --help
	says 'attest generic .*attest --type generic'
	is 0 trailctl kosli attest junit --help
	says 'R, --results-dir DIR'
	never_says registry
}

# Wrong values are refused, and leave nothing.
wrong_values_are_refused() {
	entries >before
	for wrong in '--commit=0123' '--repo-root=.' '--user-data=app' '--name=a.b.c' \
		'--name=.a' '--name=a.' '--name=a@2' '--fingerprint=abc' \
		'--redact-commit-info=date' '--annotate=k' '--annotate=k=' \
		'--annotate=a-b=c' '--annotate=a=1,b,c=2' \
		'--attachments=app,' '--attachments=app,,reports' \
		'--external-url=l' '--external-fingerprint=l=00' '--flow=' \
		'--trail=' '--exclude=x' 'app' '--artifact-type=file' \
		'--user-data=' '--artifact-type=docker app' \
		'--artifact-type=oci app' '--flow=.x' '--trail=a/b' \
		'--description=' '--name=x app app'; do
		# shellcheck disable=SC2086
		is 2 env KOSLI_FLOW=empty KOSLI_TRAIL=latest KOSLI_NAME=wrong \
			trailctl kosli attest generic $wrong
	done
	is 2 trailctl kosli attest generic -f empty -T latest
	complains ': --name is missing'
	is 2 trailctl kosli attest generic -f empty -T none -n x
	is 2 trailctl kosli attest custom -f empty -T latest -n x --type none \
		--attestation-data low.json
	complains 'flow empty has no type none'
	is 2 trailctl kosli attest custom -f empty -T latest -n x --type risk \
		--attestation-data app
	complains 'app: line 1, column 1'
	is 2 trailctl kosli attest custom -f empty -T latest -n x --type risk
	is 2 trailctl kosli create attestation-type x --flow empty
	is 2 trailctl kosli create attestation-type x --schema risk.json
	complains 'give --flow or KOSLI_FLOW'
	echo '{"type":"object","additionalProperties":false}' >strict.json
	is 2 trailctl kosli create attestation-type x --flow empty \
		-s strict.json
	complains 'additionalProperties'
	is 2 trailctl kosli create attestation-type x --flow empty -s app
	is 2 trailctl kosli create flow .x
	is 2 trailctl kosli create flow x --use-empty-template -f template.yml
	is 2 trailctl kosli attest override -f empty -T latest -n check \
		--reason x --new-compliance-status \
		--original-attestation-type junit
	complains 'the type is generic'
	is 2 trailctl kosli search xyz
	is 2 trailctl kosli search 0123
	is 2 env -u TRAILFS_MOUNT trailctl kosli list flows
	complains 'name the vault with --mount DIR or TRAILFS_MOUNT'
	is 3 env TRAILFS_MOUNT=nowhere trailctl kosli list flows
	is 2 env TRAILFS_MOUNT= trailctl kosli list flows
	entries | cmp - before
}

# A commit is found in a repository; without one, its name is a wrong value.
commits_are_found_by_git() {
	mkdir bare
	repo=$work/repo
	git init -q "$repo"
	for message in one two; do
		git -C "$repo" -c user.name=a -c user.email=a@example.org \
			commit -q --allow-empty -m $message
	done
	head=$(git -C "$repo" rev-parse HEAD)
	entries >before
	is 2 env GIT_CEILING_DIRECTORIES="$work" trailctl kosli begin trail git \
		--flow empty --commit HEAD --repo-root bare
	complains '^trailctl: kosli begin trail: --commit: git knows no commit HEAD: .*not a git repository'
	is 2 trailctl kosli begin trail git --flow empty --commit none \
		--repo-root "$repo"
	complains '--commit: git knows no commit none'
	is 2 env PATH=/nowhere "$BUILD/trailctl" kosli begin trail git \
		--flow empty --commit HEAD --repo-root "$repo"
	complains '"HEAD" is no digest, and git cannot be asked: there is no program git'
	is 2 trailctl kosli begin trail git --flow empty --commit "$sha" \
		--repo-root "$repo"
	complains "git knows no commit $(printf %.30s "$sha")"
	is 2 trailctl kosli begin trail git --flow empty --repo-root "$repo"
	complains '--repo-root: there is no --commit'
	entries | cmp - before
	is 0 trailctl kosli begin trail git --flow empty --commit HEAD \
		--repo-root "$repo"
	is 0 trailctl find --annotation "git_commit=$head" store
	says ' empty/git$'
	(
		cd "$repo" || exit 1
		trailctl kosli attest generic --mount "$work/store" -f empty \
			-T git -n parent -g HEAD~1
	)
	is 0 trailctl find store --annotation \
		"git_commit=$(git -C "$repo" rev-parse HEAD~1)"
	says ' empty/git/parent$'
}

# Reports are in the current directory, unless an option says where.
reports_are_looked_for_here() {
	mkfifo pipe
	cat build.json >pipe &
	cd reports || exit 1
	is 0 trailctl kosli attest junit --mount ../store -f empty -T latest \
		-n here --user-data ../pipe
	wait
	cd .. || exit 1
	is 0 trailctl kosli get attestation here -f empty -t latest -o json
	[ "$(jq -c '[.[0].evidence[].path]|map(select(endswith(".xml")))' out)" = \
		'["unit.xml"]' ]
	[ "$(jq -r '.[0].user_data_file.sha256' out)" = \
		"$(sha256sum <build.json | cut -c1-64)" ]
	[ "$(jq -c '.[0].user_data' out)" = "$(jq -c . build.json)" ]
	rm pipe reports/out reports/err
}

# A type judges its data; an override replaces the verdict of the newest.
evidence_is_judged_and_overridden() {
	is 0 trailctl kosli attest custom -f empty -T latest -n risk \
		--type risk --attestation-data high.json --attachments app
	is 0 trailctl kosli get attestation risk -f empty -t latest -o json
	[ "$(jq -c '[.[0].is_compliant,.[0].attestation_type]' out)" = \
		'[false,"custom:risk"]' ]
	is 0 trailctl kosli attest custom -f empty -T latest -n risk \
		--type risk --attestation-data high.json
	is 0 trailctl kosli attest override -f empty -T latest -n risk \
		--reason 'looked at it' --new-compliance-status=true -D
	says 'would be overridden'
	is_reported risk false
	is 0 trailctl kosli attest override -f empty -T latest -n risk \
		--reason 'looked at it' --new-compliance-status=true \
		--original-attestation-type custom
	says '^empty/latest/risk@2  overridden: compliant$'
	is 0 trailctl kosli get attestation risk -f empty -t latest -o json
	[ "$(jq -c '[.[]|.is_compliant]' out)" = '[true,false]' ]
}

# shown FILTER: apply it to the newest report of $name in the trail latest.
shown() {
	is 0 trailctl kosli get attestation "$name" -f empty -t latest -o json
	jq -c ".[0]|$1" out >answer
	cat answer
}

# Reports have Kosli's keys: what was judged, for which commit and artifact.
reports_have_the_keys_of_kosli() {
	app=$(sha256sum <app | cut -c1-64)
	name=keys
	report -n keys -F "$app" -g "$sha"
	[ "$(shown '[.artifact_fingerprint,.git_commit_info]')" = \
		"[\"$app\",{\"sha1\":\"$sha\"}]" ]
	[ "$(shown '[.user_data,.attestation_data]')" = '[null,null]' ]
	name=here
	[ "$(shown '[.attestation_data,.junit_results[0].total]')" = \
		'[{"errors":0,"failures":0,"skipped":0,"tests":1},1]' ]
	name=risk
	[ "$(shown .attestation_data)" = '{"level":5}' ]
	is 0 trailctl kosli attest decision -f empty -T latest -n decided \
		--control C1 --compliant=false
	name=decided
	[ "$(shown '[.control,.attestation_data]')" = \
		'["C1",{"is_compliant":false}]' ]
	[ "$(shown '.created_at < 1')" = false ]
	is 0 trailctl kosli get attestation web.unit-tests -f shop -t "$sha" \
		-o json
	[ "$(jq -c '.[0].target_artifacts' out)" = '["web"]' ]
	is 0 trailctl kosli begin trail latest --flow empty --repo-id r1
	is 0 trailctl kosli get trail latest -f empty -o json
	[ "$(jq -c .repo_ids out)" = '["r1"]' ]
}

# User data are JSON of any form; long ones are only named.
user_data_are_shown_as_json() {
	name=data
	for data in '{"b":null,"a":[1.50,{},"",-2e9]}' '[]' '"x\u0000y"' \
		'{"deep":[[[[[[[[[[[[1]]]]]]]]]]]],"\u00fc":"\u0085"}'; do
		printf '%s' "$data" >data.json
		report -n data -u data.json
		[ "$(shown .user_data)" = "$(jq -c . data.json)" ]
		report -n data -u data.json | grep 'already recorded'
	done
	{
		printf '"'
		head -c 65534 /dev/zero | tr '\0' x
		printf '"'
	} >data.json
	report -n data -u data.json
	[ "$(shown '.user_data|length')" = 65534 ]
	sed 's/.$/x"/' data.json >long.json
	report -n data -u long.json
	[ "$(shown .user_data.size)" = 65537 ]
	[ "$(shown '.user_data == .user_data_file')" = true ]
}

# A dry run records nothing, and fails where the recording would.
a_dry_run_records_nothing() {
	entries >before
	is 0 trailctl kosli attest generic -f empty -T latest -n dry -D
	says '"type":"attestation.sealed"'
	is 0 env KOSLI_API_TOKEN=DRY_RUN trailctl kosli attest generic \
		-f empty -T latest -n dry
	says '"type":"attestation.sealed"'
	[ ! -s err ]
	is 0 env KOSLI_DRY_RUN=true trailctl kosli begin trail dry \
		--flow empty --description text
	says '{"claims":{"description":"text"},"path":"empty/dry","type":"workflow.begun"}'
	is 0 trailctl kosli create flow dry -D -f template.yml
	says 'dry  would be created, with its template'
	is 0 trailctl kosli create attestation-type dry --flow empty -D \
		-s risk.json
	says '^evidence: attestation-data.json$'
	is 2 trailctl kosli attest generic -f empty -T none -n dry -D
	is 2 trailctl kosli begin trail dry --flow none -D
	is 2 trailctl kosli begin trail dry --flow empty -f risk.json -D
	is 2 trailctl kosli create flow dry -D -f risk.json
	long=$(head -c 3000 /dev/zero | tr '\0' x)
	for dry in --dry-run --dry-run=false; do
		is 2 trailctl kosli begin trail dry --flow empty $dry \
			--description "$long"
		complains 'description has at most 2048 bytes'
		is 2 trailctl kosli create flow dry $dry --description "$long"
		complains 'description has at most 2048 bytes'
	done
	is 3 trailctl kosli attest generic -f empty -T latest -n dry -D \
		--attachments nothing
	entries | cmp - before
}

# Answers have Kosli's keys; a fingerprint and a commit are found.
lists_and_searches_answer() {
	is 0 trailctl kosli list trails -o json
	[ "$(jq -c '[.pagination.total,(.data|map(.name)|sort)]' out)" = \
		"[4,[\"$sha\",\"git\",\"latest\",\"templated\"]]" ]
	is 0 trailctl kosli list trails --flow empty --page 3 -n 1 -o json
	[ "$(jq -c '[.data[].name]' out)" = '["latest"]' ]
	is 0 trailctl kosli list trails --flow empty --page 9 -o json
	[ "$(jq -c .data out)" = '[]' ]
	is 3 trailctl kosli list trails --flow none
	is 2 trailctl kosli list trails --flow a/b
	is 0 trailctl kosli list trails
	says "^$sha  COMPLIANT  *Build of $sha\$"
	is 0 trailctl kosli list flows -o json
	[ "$(jq -c . out)" = \
		'[{"name":"empty"},{"description":"The web shop","name":"shop"}]' ]
	is 0 trailctl kosli get trail $sha -f shop -o markdown
	says '^| .* | code-review '
	app=$(sha256sum <app)
	is 0 trailctl kosli search "${app%% *}"
	says ' empty/latest/x$'
	says ' empty/latest/risk/app$'
	says " shop/$sha/web.unit-tests\$"
	is 0 trailctl kosli search $sha
	says " shop/$sha\$"
	is 1 trailctl kosli search 0000000000000000000000000000000000000000
	[ ! -s out ]
}

# names: the paths that the last search printed.
names() {
	sed 's/.* //' out | sort
}

# The beginning of a digest or of a commit finds all that begin so.
searches_take_a_beginning() {
	app=$(sha256sum <app | cut -c1-64)
	is 0 trailctl kosli search "$app"
	names >whole
	grep '^empty/latest/keys$' whole
	grep '^empty/latest/risk/app$' whole
	for n in 5 6 33 63; do
		is 0 trailctl kosli search "$(printf "%.${n}s" "$app")"
		names | cmp - whole
	done
	is 0 trailctl kosli search "$(printf %.5s "$sha")"
	names >short
	printf '%s\n' empty/latest/keys "shop/$sha" | cmp - short
	# Of two that begin alike both are found, and only they.
	one=01234f$(printf %.34s "$app")
	report -n alike -g "$one"
	is 0 trailctl kosli search 01234
	names | grep -c . >count
	[ "$(cat count)" = 3 ]
	is 0 trailctl kosli search 01234f
	names >short
	echo empty/latest/alike | cmp - short
	is 2 trailctl kosli search 01234F
	is 1 trailctl kosli search 00000
	[ ! -s out ]
	is 2 trailctl kosli search 0123
	is 2 trailctl kosli search "${app}0"
	is 0 trailctl kosli search 01234 -o json
	[ "$(jq -r .path out | sort | head -n 1)" = empty/latest/alike ]
	is 2 trailctl find --prefix 0123 store
	is 0 trailctl find --prefix 01234F --name 'al*' store
	has_lines 1
}

# An attestation is found by its id and by the artifact that it is about.
attestations_are_found() {
	app=$(sha256sum <app | cut -c1-64)
	name=keys
	id=$(shown .attestation_id | tr -d '"')
	is 0 trailctl kosli get attestation --attestation-id "$id" -o json
	[ "$(jq -c '[.[]|[.attestation_name,.trail_name]]' out)" = \
		'[["keys","latest"]]' ]
	is 0 trailctl kosli get trail latest -f empty -o json
	cp out trail.json
	old=$(jq -r '.compliance_status.attestations_statuses[]
		|select(.attestation_name == "risk").overridden_attestation_id' \
		trail.json)
	is 0 trailctl kosli get attestation --attestation-id "$old" -o json
	[ "$(jq -c '[.[]|[.attestation_name,.version]]' out)" = '[["risk",2]]' ]
	is 3 trailctl kosli get attestation --attestation-id "$app"
	complains 'no attestation has this id'
	for wrong in "x --attestation-id $id" "--attestation-id $id -f empty" \
		"--attestation-id $id -t latest" '--attestation-id abc' \
		"keys -f empty -t latest -F $app" "keys -F $app" \
		'keys -f empty -F 0123' '-f empty -t latest'; do
		# shellcheck disable=SC2086
		is 2 trailctl kosli get attestation $wrong
	done
	for print in "$app" "$(printf %.7s "$app")"; do
		is 0 trailctl kosli get attestation keys -f empty -F "$print"
		says "^Artifact fingerprint: $app\$"
		is 3 trailctl kosli get attestation check -f empty -F "$print"
		is 3 trailctl kosli get attestation keys -f shop -F "$print"
	done
	report -n keys -F "$app" --description again
	is 0 trailctl kosli get attestation keys -f empty -F "$app" -o json
	[ "$(jq -c '[.[].version]' out)" = '[2,1]' ]
	# git_commit begins so, but that is no artifact.
	is 3 trailctl kosli get attestation alike -f empty -F 01234f
	is 0 trailctl kosli list trails -F "$app" -o json
	[ "$(jq -c '[.data[].name]|sort' out)" = "[\"$sha\",\"latest\"]" ]
	is 0 trailctl kosli list trails -F "$app" -f shop -o json
	[ "$(jq -c '[.pagination.total,.data[].name]' out)" = "[1,\"$sha\"]" ]
	is 0 trailctl kosli list trails -F "$(hex none)" -o json
	[ "$(jq -c .data out)" = '[]' ]
	is 2 trailctl kosli list trails -F 01234
}

# A mount finds the same.
a_mount_finds_the_same() {
	app=$(sha256sum <app | cut -c1-64)
	name=keys
	id=$(shown .attestation_id | tr -d '"')
	for ask in "search $(printf %.9s "$app")" "search 01234 -o json" \
		"get attestation --attestation-id $id" \
		"get attestation keys -f empty -F $app" \
		"list trails -F $app"; do
		# shellcheck disable=SC2086
		is 0 trailctl kosli $ask
		cp out stored
		mount store
		# shellcheck disable=SC2086
		is 0 trailctl kosli $ask --mount mnt
		unmount
		cmp out stored
	done
}

# hex TEXT: print the digest of the text.
hex() {
	printf %s "$1" | sha256sum | cut -c1-64
}

# Fingerprints of files and directories are Kosli's.
fingerprints_are_those_of_kosli() {
	app=$(sha256sum <app)
	is 0 trailctl kosli fingerprint -t file app
	says "^${app%% *}\$"
	mkdir -p dir/b/c
	echo 1 >dir/a
	echo 2 >dir/b/c/x
	echo 3 >dir/b.log
	ln -s b/c dir/d
	ln -s a dir/e
	one=$(sha256sum <dir/a | cut -c1-64)
	two=$(sha256sum <dir/b/c/x | cut -c1-64)
	three=$(sha256sum <dir/b.log | cut -c1-64)
	{
		printf %s "$(hex a)$one$(hex b)$(hex c)$(hex x)$two"
		printf %s "$(hex b.log)$three"
		printf %s "$(hex d)$(hex b/c)$(hex e)$one"
	} | sha256sum | cut -c1-64 >expected
	is 0 trailctl kosli fingerprint --artifact-type dir dir
	cmp out expected
	{
		printf %s "$(hex a)$one"
		printf %s "$(hex d)$(hex b/c)$(hex e)$one"
	} | sha256sum | cut -c1-64 >expected
	is 0 trailctl kosli fingerprint --artifact-type dir dir -x 'b,*.log'
	cmp out expected
	printf '# not these\nb # a directory\n\n*.log\n.kosli_ignore\n' \
		>dir/.kosli_ignore
	is 0 trailctl kosli fingerprint -t dir dir
	cmp out expected
	mkdir none
	is 0 trailctl kosli fingerprint -t dir none
	says "^$(hex '')\$"
	is 2 trailctl kosli fingerprint app
	is 2 trailctl kosli fingerprint -t docker app
	is 2 trailctl kosli fingerprint -t file app -x x
	is 2 trailctl kosli fingerprint -t file dir
	is 3 trailctl kosli fingerprint -t dir nothing
	mkfifo dir/fifo
	is 2 trailctl kosli fingerprint -t dir dir
	complains 'fifo is not a file'
}

# The digest of an artifact is recorded, with what --exclude leaves out.
artifacts_are_fingerprinted() {
	rm dir/fifo dir/.kosli_ignore
	is 0 trailctl kosli fingerprint -t dir dir -x 'b,*.log'
	print=$(cat out)
	is 0 trailctl kosli attest generic dir -t dir -x 'b,*.log' -f empty \
		-T latest -n artifact
	is 0 trailctl kosli get attestation artifact -f empty -t latest
	says "^Artifact fingerprint: $print\$"
	is 0 trailctl kosli search "$print"
	says ' empty/latest/artifact$'
	is 2 trailctl kosli attest generic -F "$print" -t dir dir -f empty \
		-T latest -n artifact
	complains 'exclude each other'
}

# A type judges a file, such as the answer of get trail.
a_type_is_a_policy() {
	cat >policy.yml <<-'EOF2'
	version: 1
	evidence: trail.json
	requirements:
	- id: reviewed
	  from: compliance_status.attestations_statuses
	  checks:
	  - {operator: equals, path: is_compliant, value: true}
	EOF2
	trailctl kosli get trail "$sha" -f shop -o json >good.json
	sed 's/"is_compliant":true/"is_compliant":false/g' good.json >bad.json
	is 0 trailctl kosli evaluate input -i good.json -p policy.yml
	is 1 trailctl kosli evaluate input -i bad.json -p policy.yml
	is 1 trailctl kosli evaluate input -i bad.json -p policy.yml --assert
	is 0 trailctl kosli evaluate input -i bad.json -p policy.yml --no-assert \
		-o json
	[ "$(jq -c '[.allow,.report.compliant,.violations[0]]' out)" = \
		'[false,false,"reviewed check-1 subject: value"]' ]
	is 0 trailctl kosli evaluate input -p policy.yml <good.json
	says '^RESULT:      ALLOWED$'
	never_says VIOLATIONS
	is 1 trailctl kosli evaluate input -p policy.yml <bad.json
	says '^RESULT:      DENIED$'
	says '^VIOLATIONS:  reviewed check-1 subject: value$'
	is 2 trailctl kosli evaluate input -i bad.json -p bad.json --no-assert
	is 3 trailctl kosli evaluate input -i nothing -p policy.yml --no-assert
	is 2 trailctl kosli evaluate input -i good.json -p policy.rego
	complains 'Rego is not run here'
	is 2 trailctl kosli evaluate input -i good.json
}

# What could not be judged is never allowed, whatever --assert says.
what_cannot_be_judged_is_not_allowed() {
	printf '{"a":' >half.json
	printf '{"a":1,"a":2}' >twice.json
	: >nothing.json
	for assert in '' --assert --no-assert --assert=false --no-assert=false; do
		for input in half twice nothing; do
			# shellcheck disable=SC2086
			is 2 trailctl kosli evaluate input -p policy.yml \
				-i $input.json $assert
			complains "input-file: $input.json: "
			[ ! -s out ]
		done
		for word in 'input -i good.json' "trail $sha -f shop" \
			"trails $sha -f shop"; do
			# shellcheck disable=SC2086
			is 2 trailctl kosli evaluate $word -p bad.json $assert
			# shellcheck disable=SC2086
			is 3 trailctl kosli evaluate $word -p none.yml $assert
			# shellcheck disable=SC2086
			is 2 trailctl kosli evaluate $word -p policy.yml \
				--params '{"a"' $assert
			complains '--params: {"a": line 1'
		done
		# shellcheck disable=SC2086
		is 3 trailctl kosli evaluate trail none -f shop -p policy.yml \
			$assert
		# shellcheck disable=SC2086
		is 3 trailctl kosli evaluate trails "$sha" none -f shop \
			-p policy.yml $assert
	done
	is 2 trailctl kosli evaluate input -i good.json -p policy.yml --assert \
		--no-assert
	is 2 trailctl kosli evaluate trail "$sha" -p policy.yml
	complains ': --flow is missing'
	is 2 trailctl kosli evaluate trails -f shop -p policy.yml
	is 2 trailctl kosli evaluate trail "$sha" -f shop -p policy.rego
	is 2 trailctl kosli evaluate trail a/b -f shop -p policy.yml
	for params in '[1]' 1 @none.json @half.json; do
		got=0
		trailctl kosli evaluate trail "$sha" -f shop -p policy.yml \
			--no-assert --params "$params" >out 2>err || got=$?
		[ $got = 2 ] || [ $got = 3 ]
		[ ! -s out ]
	done
	echo '{"params":1}' >params.json
	is 2 trailctl kosli evaluate input -i params.json -p policy.yml \
		--params '{}'
}

# judges STATUS WORD...: kosli evaluate exits with that status.
judges() {
	wanted=$1
	shift
	is "$wanted" trailctl kosli evaluate "$@"
}

# A trail is judged with what was attested in it, in a mount and in a store.
trails_are_evaluated() {
	cat >trail.yml <<-'EOF2'
	version: 1
	evidence: trail.json
	requirements:
	- id: compliant
	  from: trail.attestations
	  subject_type: attestation
	  subject_id: attestation_name
	  checks:
	  - {id: verdict, operator: equals, path: is_compliant, value: true}
	- id: risk
	  from: trail.compliance_status.attestations_statuses
	  checks:
	  - {id: level, operator: range, path: risk-level.attestation_data.level, max: 3}
	- id: build
	  checks:
	  - {id: same, operator: compare, path: params.build, other: trail.user_data.build, cmp: eq}
	EOF2
	cat >trails.yml <<-'EOF2'
	version: 1
	evidence: trails.json
	requirements:
	- id: state
	  from: trails
	  subject_type: trail
	  subject_id: name
	  checks:
	  - {id: word, operator: equals, path: compliance_state, value: COMPLIANT}
	EOF2
	mount store
	for vault in mnt store; do
		[ $vault = mnt ] || unmount
		TRAILFS_MOUNT=$vault
		judges 0 trail "$sha" -f shop -p trail.yml \
			--params '{"build": 17}'
		says '^RESULT:      ALLOWED$'
		judges 1 trail "$sha" -f shop -p trail.yml \
			--params '{"build": 18}'
		says '^VIOLATIONS:  build same subject: value$'
		echo '{"build":18}' >params.json
		judges 0 trail "$sha" -f shop -p trail.yml --no-assert \
			--params @params.json -o json --show-input
		[ "$(jq -c '[.allow,.params,.input.params]' out)" = \
			'[false,{"build":18},{"build":18}]' ]
		[ "$(jq -c '.input.trail|[(.attestations|length),
			(.compliance_status.attestations_statuses|keys),
			.attestations[0].annotations.reviewer,.user_data]' out)" = \
			'[4,["code-review","release","risk-level","web.unit-tests"],"alice",{"build":17}]' ]
		# Without the attestation there is nothing to pass with.
		judges 1 trail "$sha" -f shop -p trail.yml \
			--params '{"build": 17}' --attestations code-review,release
		says '^VIOLATIONS:  risk level subject: absent$'
		judges 1 trail latest -f empty -p trail.yml \
			--params '{"build": 17}'
		says 'compliant verdict attestation decided: value$'
		judges 0 trails "$sha" "$sha" -f shop -p trails.yml
		judges 1 trails latest templated -f empty -p trails.yml
		says '  state word trail templated: value$'
	done
	TRAILFS_MOUNT=store
}

# Of two who begin trails with two templates at once, each has its own or fails.
templates_are_never_mixed_up() {
	for t in one two; do
		printf 'version: 1\ntrail:\n  attestations:\n' >$t.yml
		printf '  - {name: %s, type: generic}\n' $t >>$t.yml
	done
	mount store
	for i in 1 2 3 4 5 6; do
		jobs=''
		for t in one two; do
			{
				got=0
				trailctl kosli begin trail $t$i --mount mnt \
					--flow empty -f $t.yml >$t.out 2>&1 ||
					got=$?
				echo $got >$t.status
			} &
			jobs="$jobs $!"
		done
		for job in $jobs; do
			wait "$job"
		done
		for t in one two; do
			trailctl kosli get trail $t$i --mount mnt -f empty \
				-o json | jq -j .template.content >used
			if cmp -s used $t.yml; then
				[ "$(cat $t.status)" = 0 ]
			else
				[ "$(cat $t.status)" = 1 ]
				grep -q 'begun with another template' $t.out
			fi
		done
	done
	unmount
}

# JSON that two readers could understand differently is refused, and long JSON.
hostile_json_is_refused() {
	TMPDIR=$work/tmp
	export TMPDIR
	entries >before
	printf '{"level": 1, "level": 5}' >twice.json
	printf '{"level": 1\0}' >nul.json
	printf '{"level": "\377"}' >bytes.json
	awk 'BEGIN { for (i = 0; i < 100; i++) printf "[" }' >deep.json
	{
		printf '{"level": 1, "x": "'
		head -c 17000000 /dev/zero | tr '\0' x
		printf '"}'
	} >long.json
	for json in twice nul bytes deep long; do
		is 2 trailctl kosli attest custom -f empty -T latest -n hostile \
			--type risk --attestation-data $json.json
		complains "$json.json"
		is 2 trailctl kosli create attestation-type hostile \
			--flow empty -s $json.json
		complains "$json.json"
	done
	awk 'BEGIN {
		for (i = 0; i < 30; i++) printf "{\"type\":\"array\",\"items\":"
		printf "{}"
		for (i = 0; i < 30; i++) printf "}"
	}' >deep.json
	is 2 trailctl kosli create attestation-type hostile --flow empty \
		-s deep.json
	entries | cmp - before
	[ "$(find tmp -mindepth 1 | wc -l)" = 0 ]
}

# All of it verifies.
the_store_is_whole() {
	is 0 trailctl verify store
	is 0 trailctl status --json store
	never_says '"draft":[1-9]'
}

run a_store_is_made
with '/dev/fuse jq getfattr' a_pipeline_runs_unchanged
TRAILFS_MOUNT=store
export TRAILFS_MOUNT
with jq no_file_is_left the_latest_report_decides
with jq begin_merges_and_keeps_the_template a_wrong_truth_is_refused
with jq letters_are_those_of_kosli
run options_without_meaning_are_refused words_without_meaning_are_refused
run wrong_values_are_refused
with 'git jq' commits_are_found_by_git
with jq reports_are_looked_for_here evidence_is_judged_and_overridden
with jq reports_have_the_keys_of_kosli user_data_are_shown_as_json
run a_dry_run_records_nothing
with jq lists_and_searches_answer
with jq searches_take_a_beginning attestations_are_found
with '/dev/fuse jq' a_mount_finds_the_same
run fingerprints_are_those_of_kosli
with jq artifacts_are_fingerprinted a_type_is_a_policy
run what_cannot_be_judged_is_not_allowed
with '/dev/fuse jq' trails_are_evaluated
with '/dev/fuse jq' templates_are_never_mixed_up
run hostile_json_is_refused the_store_is_whole
finish
