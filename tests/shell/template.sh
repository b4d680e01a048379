#!/bin/sh
# Templates, types and trails as trailctl sets and shows them.
. "$(dirname "$0")/../suite.sh"

# Make a store and a template.
a_store_is_made() {
	is 0 trailctl init --origin example.org/templates store
	cat >one.yml <<-'EOF'
	version: 1
	trail:
	  attestations:
	    - name: approval
	      type: generic
	EOF
	sed 's/approval/review/' one.yml >two.yml
}

# A trail is made with its template and its description, once.
a_trail_is_created_once() {
	is 0 trailctl trail create store/prod --steps approval,null,1 \
		--description 'Access to production'
	says '^prod  created, template version 1, description set$'
	is 0 trailctl log --json store
	cp out before
	is 0 trailctl trail create store/prod --steps approval,null,1 \
		--description 'Access to production'
	says '^prod  exists already$'
	is 0 trailctl log --json store
	[ "$(grep -c '"trail.created"' out)" = 1 ]
	[ "$(grep -c '"template.set"' out)" = 1 ]
	[ "$(grep -c '"claims.set"' out)" = 1 ]
	is 0 trailctl trail create --json store/prod --steps approval
	says '"created":false,"description_set":false'
	says '"template_set":true,"version":2'
}

# A wrong template leaves no trail behind, and a wrong place is exit status 2.
a_wrong_trail_is_refused() {
	is 2 trailctl trail create store/bad --steps a,,b
	complains 'no name of an attestation'
	is 2 trailctl trail create store/bad --steps 'a b'
	is 2 trailctl trail create store/bad --steps a,a
	is 2 trailctl trail create store/bad --steps a --template one.yml
	is 2 trailctl trail create store/bad --description ''
	printf 'version: 1\nsteps: []\n' >wrong.yml
	is 2 trailctl trail create store/bad --template wrong.yml
	complains 'wrong.yml: line 2, column 1: '
	is 3 trailctl show store/bad
	is 2 trailctl trail create store/prod/w
	is 2 trailctl trail create store
	is 2 trailctl trail create store/.bad
	is 2 trailctl trail make store/bad
	is 3 trailctl trail create nowhere/bad
}

# Each text is a version; the same text again is none.
a_template_has_versions() {
	is 0 trailctl template set store/prod one.yml
	says '^prod  template version 3$'
	is 0 trailctl template set store/prod one.yml
	says '^prod  template version 3, unchanged$'
	is 0 trailctl template set store/prod - <two.yml
	says 'version 4$'
	is 0 trailctl template show store/prod
	cmp out two.yml
	is 0 trailctl template show --version 3 store/prod
	cmp out one.yml
	is 1 trailctl template show --version 9 store/prod
	is 2 trailctl template show store
	is 2 trailctl template set store one.yml
	is 3 trailctl template show store/none
}

# Hostile and wrong texts are refused with their place.
wrong_templates_are_refused() {
	printf 'version: 1\ntrail:\n  attestations:\n    - name: a\n' >wrong.yml
	is 2 trailctl template set store/prod wrong.yml
	complains 'wrong.yml: line 4, column 7: '
	is 2 trailctl template check wrong.yml
	printf 'version: &a 1\ntrail: *a\n' >wrong.yml
	is 2 trailctl template check wrong.yml
	is 2 trailctl template check /dev/null
	complains 'empty'
	head -c 70000 /dev/zero | tr '\0' '#' >long.yml
	is 2 trailctl template check long.yml
	complains 'longer than 65536 bytes'
	is 2 trailctl template check - <long.yml
	is 3 trailctl template check nothing.yml
	is 2 trailctl template check
	is 2 trailctl template check one.yml two.yml
	is 2 trailctl template check --version 1 one.yml
	is 0 trailctl template check one.yml
	[ ! -s err ]
	is 0 trailctl template show store/prod
	cmp out two.yml
}

# A template that can never be satisfied is a warning, and is recorded.
a_warning_says_what_can_never_be() {
	cat >never.yml <<-'EOF'
	version: 1
	trail:
	  attestations:
	    - name: a
	      type: generic
	      x-trailfs: {after: [b]}
	    - name: b
	      type: generic
	      x-trailfs: {after: [a]}
	EOF
	is 0 trailctl template check never.yml
	complains 'never.yml: warning: line 4: '
	[ ! -s out ]
	is 0 trailctl trail create store/never --template never.yml
	complains 'never.yml: warning: line 4: '
	is 0 trailctl template show store/never
	cmp out never.yml
	complains 'never: template: warning: line 4: '
	is 0 trailctl status store/never
	complains 'never: template: warning: line 4: '
}

# Types are set, shown and listed by their names.
a_type_has_a_name() {
	cat >type.yml <<-'EOF'
	version: 1
	evidence: review.json
	schema: {type: object}
	EOF
	is 0 trailctl type list store/prod
	[ ! -s out ]
	is 0 trailctl type set store/prod reviewed type.yml
	says '^prod  type reviewed version 1$'
	is 0 trailctl type set store/prod reviewed type.yml
	says 'unchanged$'
	is 0 trailctl type set store/prod built type.yml
	is 0 trailctl type list store/prod
	printf 'built  version 1\nreviewed  version 1\n' | cmp - out
	is 0 trailctl type show store/prod reviewed
	cmp out type.yml
	is 1 trailctl type show store/prod none
	is 2 trailctl type set store/prod 'a b' type.yml
	for name in generic junit snyk decision; do
		is 2 trailctl type set store/prod "$name" type.yml
		complains "the type $name is built in"
	done
	is 2 trailctl type set store/prod type.yml
	is 2 trailctl type delete store/prod reviewed
}

# The version that a workflow is judged by is that of its beginning.
a_workflow_keeps_its_template() {
	mount store
	mkdir mnt/prod/w
	unmount
	is 0 trailctl template set store/prod one.yml
	is 0 trailctl template show store/prod/w
	cmp out two.yml
	is 0 trailctl template show --json store/prod
	[ "$(jq -r .version <out)" = 5 ]
	jq -rj .text <out | cmp - one.yml
}

# In a mount the verbs write the control files that anybody can write.
a_mount_shows_what_was_set() {
	mount store
	is 0 trailctl trail create mnt/audit --steps approval,review \
		--description 'Every access'
	says '^audit  created, template '
	[ "$(getfattr --only-values -n user.trailfs.description mnt/audit)" = \
		'Every access' ]
	is 0 trailctl trail create mnt/audit --steps approval,review \
		--description 'Every access'
	says '^audit  exists already$'
	is 0 trailctl template set mnt/audit one.yml
	cmp one.yml mnt/audit/.trailfs/template.yml
	is 0 trailctl template set mnt/audit one.yml
	says 'unchanged$'
	is 0 trailctl template show mnt/audit
	cmp out one.yml
	is 2 trailctl template set mnt/audit wrong.yml
	complains 'wrong.yml: line '
	is 0 trailctl template show mnt/audit
	cmp out one.yml
	is 0 trailctl log --json --type template.set mnt/audit
	has_lines 2
	is 0 trailctl seal mnt/audit
	is 1 trailctl template set mnt/audit two.yml
	complains 'audit is sealed'
	mkdir mnt/empty
	is 1 trailctl template show mnt/empty
	long=$(printf '%0300d' 1)
	for name in 'a b' .x a@2 "$long"; do
		is 2 trailctl trail create "mnt/$name"
		is 2 trailctl attest --begin "mnt/empty/$name/a" one.yml
		is 2 trailctl run --begin "mnt/empty/$name/a" -- touch ran
		[ "$name" = a@2 ] ||
			is 2 trailctl run --begin "mnt/empty/w/$name" -- touch ran
	done
	is 2 trailctl attest --dry-run --begin mnt/empty/w/a@1 one.yml
	is 2 trailctl run --begin mnt/empty/w/a@1 -- touch ran
	[ ! -e ran ]
}

# A trail gets owner, group and mode by the entries of chgrp, chmod and chown.
a_trail_has_its_access() {
	[ "$(id -u)" = 0 ] || skip "not root"
	is 0 trailctl trail create store/plain
	mount store
	[ "$(stat -c %a mnt/plain)" = 750 ]
	is 0 trailctl trail create mnt/m --group 4321 --mode 0770 --owner 1234
	says '^m  created, access set$'
	is 0 trailctl trail create mnt/m --group 4321 --mode 0770 --owner 1234
	says '^m  exists already$'
	unmount
	is 0 trailctl trail create store/s --group 4321 --mode 770 --owner 1234
	is 0 trailctl trail create --json store/s --mode 0770
	says '"access_set":false'
	for trail in m s; do
		trailctl log --json --type access.changed store/$trail |
			jq -c '.access|[.uid,.gid,.mode]' >$trail.access
	done
	printf '[0,4321,"0750"]\n[0,4321,"0770"]\n[1234,4321,"0770"]\n' >wanted
	cmp m.access wanted
	cmp s.access wanted
	for wrong in '--mode 0555' '--mode 0778' '--mode 01770' '--mode rwx' \
		'--mode -1' '--group no-such-group' '--owner no-such-user' \
		'--group 4294967295'; do
		# shellcheck disable=SC2086
		is 2 trailctl trail create store/wrong $wrong
	done
	is 3 trailctl show store/wrong
}

run a_store_is_made a_trail_is_created_once a_wrong_trail_is_refused \
	a_template_has_versions wrong_templates_are_refused \
	a_warning_says_what_can_never_be a_type_has_a_name
with '/dev/fuse jq' a_workflow_keeps_its_template
with '/dev/fuse jq' a_trail_has_its_access
with "/dev/fuse getfattr" a_mount_shows_what_was_set
finish
