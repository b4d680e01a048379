#!/bin/sh
# trailctl ls: tables and JSON of vaults, trails, workflows and attestations.
. "$(dirname "$0")/../suite_tools.sh"
shared_mount=yes

# Workflows of each status, and files at two depths.
names_are_recorded() {
	mount store -o allow_other
	mkdir -p mnt/t/w1/build/sub mnt/t/w1/review mnt/t/w2 mnt/t/w3/ok mnt/u
	echo one >mnt/t/w1/build/app.log
	echo 'two ' >mnt/t/w1/build/sub/deep
	echo three >mnt/t/w1/review/notes.txt
	echo four >mnt/t/w3/ok/f
	setfattr -n user.trailfs.compliant -v false mnt/t/w1/review
	chmod a-w mnt/t/w1/review
	is 0 trailctl sync mnt
}

# The vault's trails with the numbers of their workflows.
a_vault_has_trails() {
	is 0 trailctl ls --json mnt
	jq -c '[.name, .kind, .state, .workflows, .compliant, .non_compliant,
		.incomplete]' out >rows
	cat >want <<-'EOF2'
		["t","trail","open",3,1,1,1]
		["u","trail","open",0,0,0,0]
	EOF2
	diff want rows
	is 0 trailctl ls mnt
	has_lines 3
	says '^STATE  *WHEN .*NAME$'
	says '^open  *20..-..-..T..:..:..Z .* 3 *1 *1 *1  t$'
}

# A trail's workflows with status and counts.
a_trail_has_workflows() {
	is 0 trailctl ls --json mnt/t
	jq -c '[.name, .state, .status, .attestations, .missing]' out >rows
	cat >want <<-'EOF2'
		["w1","open","NON-COMPLIANT",2,0]
		["w2","open","INCOMPLETE",0,0]
		["w3","open","COMPLIANT",1,0]
	EOF2
	diff want rows
	is 0 trailctl ls mnt/t
	has_lines 4
	says 'NON-COMPLIANT  *2  *0  w1$'
}

# A workflow's attestations with files and bytes, at any depth.
a_workflow_has_attestations() {
	is 0 trailctl ls --json mnt/t/w1
	jq -c '[.name, .state, .status, .files, .size, .actor.uid]' out >rows
	cat >want <<-EOF2
		["build","open","compliant",2,9,$(id -u)]
		["review","sealed","non-compliant",1,6,$(id -u)]
	EOF2
	diff want rows
	[ "$(jq -r 'select(.name == "review").when' out)" = \
		"$(getfattr --only-values -n user.trailfs.sealed-at \
			mnt/t/w1/review)" ]
}

# An attestation's files with digests, also below directories.
an_attestation_has_files() {
	is 0 trailctl ls --json mnt/t/w1/build
	jq -c '[.name, .kind, .size, .sha256]' out >rows
	cat >want <<-EOF2
		["app.log","evidence",4,"$(echo one | sha256sum | cut -c 1-64)"]
		["sub","directory",null,null]
	EOF2
	diff want rows
	is 0 trailctl ls mnt/t/w1/build
	says 'sub/$'
	is 0 trailctl ls --json mnt/t/w1/build/sub
	has_lines 1
	(
		cd mnt/t/w1/build
		trailctl ls
	) >here
	grep -q 'app.log$' here
}

# Repetitions have their own lines, and each its own verdict.
repetitions_are_told_apart() {
	mkdir mnt/t/w1/review@2
	echo ok >mnt/t/w1/review@2/f
	chmod a-w mnt/t/w1/review@2
	is 0 trailctl sync mnt
	is 0 trailctl ls --json mnt/t/w1
	[ "$(jq -r 'select(.name == "review@2").status' out)" = compliant ]
	[ "$(jq -r 'select(.name == "review").status' out)" = non-compliant ]
	is 0 trailctl ls mnt/t/w1
	says '^sealed .* non-compliant  *1  *6  review$'
	mkdir mnt/t/w1/review@3
	is 0 trailctl ls --json mnt/t/w1
	[ "$(jq -r 'select(.name == "review@3").status' out)" = open ]
	[ "$(jq -r 'select(.name == "review@2").status' out)" = compliant ]
	# The same words as in a search.
	is 0 trailctl override mnt/t/w1/review --compliant true --reason known
	is 0 trailctl sync mnt
	is 0 trailctl find --json --name 'review*' mnt/t/w1
	jq -c '[.path, .status]' out | sed 's|t/w1/||' | sort >found
	is 0 trailctl ls --json mnt/t/w1
	jq -c '[.name, .status]' out | grep review | sort >listed
	diff found listed
	[ "$(grep -c '"compliant"' listed)" -eq 2 ]
}

# Wrong places are errors; an empty directory is an empty list.
wrong_places_are_errors() {
	is 0 trailctl ls mnt/u
	has_lines 0
	is 2 trailctl ls mnt/t/w1/build/app.log
	is 3 trailctl ls mnt/t/none
	is 3 trailctl ls nowhere
	is 2 trailctl ls --frobnicate mnt
}

# Names cannot control a terminal.
odd_names_are_shown_harmless() {
	echo x >"mnt/t/w3/ok/back\\slash"
	is 0 trailctl ls mnt/t/w3/ok
	says 'back\\x5cslash$'
}

# A user who may not read a trail sees its name only.
rights_apply() {
	needs setpriv
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	chmod 0755 .
	chmod 0700 mnt/t
	setpriv --reuid 54321 --regid 54321 --clear-groups \
		trailctl ls mnt >out 2>err
	says ' -  *-  *-  *-  t$'
	chmod 0755 mnt/t
}

# Without the mount the tables are the same.
a_store_has_the_same_tables() {
	is 0 trailctl sync mnt
	for dir in . t t/w1 t/w1/build t/w3/ok; do
		is 0 trailctl ls --json "mnt/$dir"
		cat out >>mounted
	done
	unmount
	for dir in . t t/w1 t/w1/build t/w3/ok; do
		is 0 trailctl ls --json "store/$dir"
		cat out >>stored
	done
	diff mounted stored
	is 2 trailctl ls store/t/w1/build/app.log
	is 3 trailctl ls store/t/none
}

run a_store_is_made names_are_recorded
with jq a_vault_has_trails a_trail_has_workflows a_workflow_has_attestations \
	an_attestation_has_files repetitions_are_told_apart
run wrong_places_are_errors odd_names_are_shown_harmless rights_apply
with jq a_store_has_the_same_tables
finish
