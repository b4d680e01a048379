#!/bin/sh
# A damaged record ends no list: each list shows the rest, marks what cannot be
# read, and exits with 4.
. "$(dirname "$0")/../suite_tools.sh"
# Two workflows of one trail with a template, one of another without.  w2 is
# overridden, so the record of that decides its verdict.
things_are_recorded() {
	trailctl init --origin example.org/damage store >/dev/null
	mount store -o settle=0
	mkdir mnt/prod mnt/free
	printf '%s\n' 'version: 1' 'trail:' '  attestations:' '  - name: build' \
		'    type: generic' >mnt/prod/.trailfs/template.yml
	for w in prod/w1 prod/w2 free/w3; do
		mkdir -p "mnt/$w/build"
		echo "$w" >"mnt/$w/build/file"
		is 0 trailctl seal "mnt/$w/build"
	done
	is 0 trailctl override mnt/prod/w2/build --compliant=false --reason bad
	unmount
	is 0 trailctl assert store/prod/w1
	is 1 trailctl assert store/prod/w2
	is 0 trailctl log --json store
	cp out entries
}

# number TYPE PATH: print the number of that entry.
number() {
	jq --arg type "$1" --arg path "$2" \
		'select(.type == $type and .path == $path).seq' entries
}

# damage SQL: make the store damaged, changed by SQL without any trigger.
damage() {
	chmod -R u+w damaged 2>/dev/null || :
	rm -rf damaged
	cp -r store damaged
	db=damaged/ledger.db
	all="FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
	sqlite3 $db "SELECT sql || ';' $all" >create.sql
	sqlite3 $db "SELECT 'DROP TRIGGER ' || name || ';' $all" >drop.sql
	{
		cat drop.sql
		echo "PRAGMA ignore_check_constraints = ON; $1"
		cat create.sql
	} | sqlite3 $db
}

# spoil NUMBER HOW: damage that entry.
spoil() {
	# shellcheck disable=SC2016 # a pattern of SQL
	case $2 in
	cut) damage "UPDATE entry SET body = substr(body, 1, 60) WHERE idx = $1;" ;;
	empty) damage "UPDATE entry SET body = x'' WHERE idx = $1;" ;;
	key) damage "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT),
		'\"path\"', '\"parh\"') AS BLOB) WHERE idx = $1;" ;;
	type) damage "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT),
		'\"v\":1', '\"v\":{}') AS BLOB) WHERE idx = $1;" ;;
	text) damage "UPDATE entry SET body = CAST('no entry' AS BLOB)
		WHERE idx = $1;" ;;
	other) damage "UPDATE entry SET body = (SELECT body FROM entry
		WHERE idx = 2) WHERE idx = $1;" ;;
	gone) damage "DELETE FROM entry WHERE idx = $1;" ;;
	esac
}

kinds='cut empty key type text other gone'

# lists NAME...: the lists of the damaged store that must show these names.
lists() {
	for path in damaged damaged/prod; do
		is 4 trailctl ls "$path"
		complains "entry $n "
	done
	says DAMAGED
	says ' w1$'
	says ' w2$'
	is 4 trailctl ls --json damaged/prod
	says '"damaged":true'
	is 4 trailctl status damaged/prod
	says "^$bad .* DAMAGED"
	complains "entry $n "
	is 4 trailctl status --json damaged/prod
	jq -es --arg name "$bad" --argjson n "$n" \
		'map(select(.name == $name))[0] | .status == "DAMAGED" and
		.is_compliant == false and .damaged[0].index == $n' out
	is 4 trailctl status "damaged/prod/$bad"
	is 4 trailctl kosli list trails --mount damaged
	says "^$bad .*DAMAGED"
	says '^w3 '
	is 4 trailctl kosli get trail --mount damaged --flow prod "$bad"
	is 4 trailctl assert "damaged/prod/$bad"
	[ "$(grep -c "entry $n " err)" -eq 1 ]
	is 4 trailctl assert --sealed "damaged/prod/$bad"
	# What is not about that record has its verdict.
	is 0 trailctl assert damaged/free/w3
	is 0 trailctl ls damaged/free/w3
	is 4 trailctl verify damaged
}

# Whatever happened to whichever record of a workflow, no list ends there.
a_damaged_record_ends_no_list() {
	needs sqlite3 jq
	bad=w1
	for record in workflow.begun:prod/w1 attestation.begun:prod/w1/build \
		evidence.sealed:prod/w1/build/file \
		attestation.sealed:prod/w1/build; do
		n=$(number "${record%%:*}" "${record#*:}")
		for kind in $kinds; do
			spoil "$n" "$kind"
			echo "$record $kind"
			lists
			is 1 trailctl assert damaged/prod/w2
		done
	done
}

# An override that is damaged leaves no path by which it could be found: the
# workflow is not compliant again for that.
a_damaged_override_improves_nothing() {
	needs sqlite3 jq
	bad=w2
	n=$(number attestation.overridden prod/w2/build)
	for kind in cut empty key text other; do
		spoil "$n" "$kind"
		echo "$kind"
		is 4 trailctl assert damaged/prod/w2
		complains "entry $n "
		is 4 trailctl verify damaged
	done
}

# A trail, a template, and the bytes that entries name.
damage_above_a_workflow_ends_no_list() {
	needs sqlite3 jq
	n=$(number trail.created prod)
	for kind in $kinds; do
		spoil "$n" "$kind"
		is 4 trailctl ls damaged
		complains "entry $n "
		says ' prod$'
		says ' free$'
		is 0 trailctl status damaged/prod
		is 4 trailctl verify damaged
	done
	n=$(number template.set prod)
	for sql in "UPDATE object SET body = CAST('x' AS BLOB)
		WHERE id = (SELECT object FROM definition);" \
		"DELETE FROM object WHERE id = (SELECT object FROM definition);" \
		"UPDATE entry SET body = CAST('x' AS BLOB) WHERE idx = $n;"; do
		damage "$sql"
		is 4 trailctl status damaged/prod
		complains "entry $n"
		says '^w1 .* DAMAGED'
		says '^w2 .* DAMAGED'
		is 4 trailctl assert damaged/prod/w1
		is 0 trailctl assert damaged/free/w3
		is 4 trailctl verify damaged
	done
	damage 'DELETE FROM definition;'
	is 4 trailctl ls damaged/prod
	complains 'version 1 of the template is missing'
	is 4 trailctl verify damaged
}

# The files of a mount show the rest too, and say what is damaged.
control_files_show_the_rest() {
	needs sqlite3 jq
	for record in workflow.begun:prod/w1 attestation.sealed:prod/w1/build; do
		n=$(number "${record%%:*}" "${record#*:}")
		spoil "$n" cut
		mount damaged -o moved
		[ "$(cat mnt/prod/w1/.trailfs/status)" = DAMAGED ]
		[ "$(cat mnt/prod/w2/.trailfs/status)" = NON-COMPLIANT ]
		grep -q "entry $n " mnt/prod/w1/.trailfs/status.md
		grep -q '"name":"w2".*"status":"NON-COMPLIANT"' \
			mnt/prod/.trailfs/status.json
		for page in mnt mnt/prod mnt/prod/w1; do
			grep -q 'DAMAGED\|Damaged' $page/.trailfs/index.html
		done
		jq -e ".damaged[0].index == $n" mnt/prod/w1/.trailfs/status.json
		jq -e .attestation_name mnt/prod/w1/build/.trailfs/attestation.json
		is 4 trailctl ls mnt/prod
		complains "entry $n "
		says ' w2$'
		is 4 trailctl ls mnt/prod/w1
		says ' build$'
		is 4 trailctl assert mnt/prod/w1
		is 1 trailctl assert mnt/prod/w2
		unmount
	done
}

run things_are_recorded a_damaged_record_ends_no_list \
	a_damaged_override_improves_nothing \
	damage_above_a_workflow_ends_no_list control_files_show_the_rest
finish
