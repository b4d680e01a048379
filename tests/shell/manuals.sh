#!/bin/sh
# The manual pages: each verb has one, what they refer to exists, and they have the
# options that the programs have.
. "$(dirname "$0")/../suite_tools.sh"

# page VERB: the file that `man trailctl-VERB` shows.
page() {
	readlink -f "root/usr/share/man/man1/trailctl-$1.1"
}

# `man trailctl-VERB` shows the page of each verb, and `trailctl help VERB` names it.
each_verb_has_a_page() {
	is 0 make -s -C "$top" -o all BUILD="$BUILD" DESTDIR="$work/root" \
		PREFIX=/usr install
	is 0 trailctl help
	sed -n 's/^  \([a-z-]*\)  .*/\1/p' out >verbs
	[ "$(wc -l <verbs)" -ge 40 ]
	while read -r verb; do
		is 0 trailctl help "$verb"
		says "^The manual page trailctl-$verb(1) "
		grep -qx "\.Nm trailctl-$verb\( ,\)\?" "$(page "$verb")"
		[ "$verb" = kosli ] ||
			grep -q "^\.It Cm $verb\( \|$\)" "$(page "$verb")"
	done <verbs
	# No page has a verb that trailctl lacks.
	for link in root/usr/share/man/man1/trailctl-*.1; do
		[ -L "$link" ] || continue
		verb=${link##*/trailctl-}
		grep -qx "${verb%.1}" verbs
	done
}

# trailctl(1) has each verb with the sentence of `trailctl help`.
the_overview_has_each_verb() {
	trailctl help | sed -n 's/^  \([a-z-]*\)  *\(.*\)/\1 \2./p' | sort >said
	sed -n '/^\.It Cm /{s/^\.It Cm //;N;s/\n/ /;p;}' "$top/man/trailctl.1" |
		awk '{ $2 = tolower(substr($2, 1, 1)) substr($2, 2); print }' |
		sort >described
	awk '{ $2 = tolower(substr($2, 1, 1)) substr($2, 2); print }' said |
		diff - described
}

# A page has each option that the help of its verb has, and no other.
pages_and_help_have_the_same_options() {
	needs python3
	is 0 python3 - "$top/man" verbs <<-'EOF'
	import glob, re, subprocess, sys
	def options(lines):
	    found = set()
	    for line in lines:
	        for option in re.findall(r'Fl -(?!Ar)([a-z][a-z-]*)', line):
	            found.add(option)
	        # Fl -moved | -recover
	        if 'Fl' in line:
	            found |= set(re.findall(r'[|,] -([a-z][a-z-]*)', line))
	    return found
	synopsis, text = {}, {}
	for name in glob.glob(sys.argv[1] + '/trailctl-*.1'):
	    depth, part, verbs, new = 0, '', [], False
	    for line in open(name):
	        line = line.rstrip('\n')
	        if line.startswith('.Sh '):
	            part, verbs = line[4:], []
	        if part == 'SYNOPSIS':
	            if line == '.Nm trailctl':
	                new = True
	            elif new:
	                verbs, new = [line.split()[1]], False
	        elif part == 'DESCRIPTION':
	            if line.startswith('.Bl'):
	                depth += 1
	            if line.startswith('.El'):
	                depth -= 1
	            m = re.match(r'\.It Cm (\S+)', line)
	            if m and depth == 1:
	                verbs = [m.group(1)]
	        for verb in verbs:
	            into = synopsis if part == 'SYNOPSIS' else text
	            into.setdefault(verb, []).append(line)
	# These take options that stand with another verb.
	text['run'] += text['attest']
	text['dispose'] += text['redact']
	text['import'] += open(sys.argv[1] + '/trailctl-kosli.1').read().split('\n')
	wrong = 0
	for verb in open(sys.argv[2]).read().split():
	    if verb == 'kosli':
	        continue
	    answer = subprocess.run(['trailctl', 'help', verb],
	        capture_output=True, text=True).stdout
	    told = set(re.findall(r'^ +(?:-\w, +)?--([a-z][a-z-]*)', answer, re.M))
	    there = told - {'help'}
	    for where, lines in ('SYNOPSIS', synopsis), ('text', text):
	        if verb not in lines:
	            print(verb, 'is not in any', where)
	            wrong += 1
	            continue
	        described = options(lines[verb])
	        # "Op Ar option ..." stands for all.
	        if where == 'SYNOPSIS' and any(
	            re.match(r'\.(Op|Ar) (Ar )?(option|filter|claim) \.\.\.', l)
	            for l in lines[verb]):
	            there = there & described
	        for option in sorted(there - described):
	            # --json and --quiet of all verbs stand in trailctl(1).
	            if where == 'text' and option in ('json', 'quiet'):
	                continue
	            print(verb, '--' + option, 'is not in its', where)
	            wrong += 1
	        if where == 'SYNOPSIS':
	            for option in sorted(described - told):
	                print(verb, '--' + option, 'is not in its help')
	                wrong += 1
	sys.exit(wrong != 0)
	EOF
}

# Each action that completion offers for a verb is in the SYNOPSIS of its page.
each_action_is_described() {
	while read -r verb; do
		[ "$verb" != kosli ] || continue
		sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' \
			"$top/man/$(basename "$(page "$verb")")" >synopsis
		trailctl --complete "$verb" '' | cut -f 1 | grep -v '^:' \
			>actions || continue
		while read -r action; do
			grep -qE "^\.(Cm|Op|Oo|Ar|Fl).*\b$action\b" synopsis || {
				echo "$verb $action is in no SYNOPSIS"
				exit 1
			}
			echo "$verb $action" >>described.actions
		done <actions
	done <verbs
	grep -qx 'org follow' described.actions
}

# Each reference to a page or to a section leads somewhere.
every_reference_resolves() {
	needs python3
	is 0 python3 - "$top/man" root/usr/share/man <<-'EOF'
	import glob, os, re, sys
	man, root = sys.argv[1:]
	def ours(name, section):
	    return os.path.exists(f'{root}/man{section}/{name}.{section}')
	def sections(path):
	    return {l[4:].strip().strip('"') for l in open(path)
	        if l.startswith(('.Sh ', '.Ss '))}
	wrong = []
	for path in sorted(glob.glob(man + '/*.[1-9]')):
	    here = os.path.basename(path)
	    lines = open(path).read().split('\n')
	    for i, line in enumerate(lines):
	        for name, section in re.findall(r'\bXr ([\w.@+-]+) ([1-9])\b', line):
	            if 'trail' in name and not ours(name, section):
	                wrong.append(f'{here}:{i + 1}: no page {name}({section})')
	        m = re.search(r'\bSx (.*?)(?: [.,;:)]+)*(?: (?:No|Pc)\b.*)?$', line)
	        if not m:
	            continue
	        target = path
	        rest = ' '.join(lines[i:i + 3])
	        other = re.match(r'.*?\bSx .*? (?:No )?in (?:\. ?)?\.?Xr (\S+) (\d)', rest)
	        if other:
	            name, section = other.groups()
	            link = f'{root}/man{section}/{name}.{section}'
	            if not os.path.exists(link):
	                continue
	            target = f'{man}/' + os.path.basename(os.path.realpath(link))
	        if m.group(1).strip('"') not in sections(target):
	            wrong.append(f'{here}:{i + 1}: no section {m.group(1)} in '
	                + os.path.basename(target))
	print('\n'.join(wrong))
	sys.exit(len(wrong) != 0)
	EOF
}

# What a small system lacks stands before the recipes, and nothing else is used.
the_recipes_name_their_programs() {
	page=$top/man/trailfs-recipes.7
	for program in jq attr age sqlite3 rsync curl; do
		sed -n '/^\.Ss Before you begin/,/^\.Bd/p' "$page" |
			grep -qx "\.Ql $program"
	done
	sed -n '/^\.Ss Before you begin/,/^\.Bd/p' "$page" | tr '\n' ' ' >begin
	for used in jq:jq setfattr:attr age-keygen:age sqlite3:sqlite3 rsync:rsync \
		curl:curl; do
		awk -v word="(^|[^a-z/])${used%:*}( |\$)" '
			/^\.Ss / { section = substr($0, 5) }
			/^\.Bd/ { shown = 1 } /^\.Ed/ { shown = 0 }
			shown && $0 ~ word { print section }' \
			"$top"/man/trailfs-recipes*.7 | sort -u >users
		[ -s users ]
		while read -r section; do
			grep -q "Ql ${used#*:} ([^)]*$section" begin ||
				grep -q "Ql ${used#*:} and [^(]*([^)]*$section" begin || {
				echo "$section uses $used"
				exit 1
			}
		done <users
	done
}

# Each program that the manual sends to a draft attestation is tried there.
programs_in_drafts_are_tried() {
	sed -n '/^This holds for/,/^\.Bl/p' "$top/man/trailfs-writing.7" |
		sed -n 's/^\.Ql \([^ ]*\).*/\1/p; s/^\.Xr \([^ ]*\).*/\1/p' |
		sort -u >named
	[ "$(wc -l <named)" -ge 10 ]
	sed -n '/^} writers/,/^};/p' "$top/tests/mount/test_cures.c" >tried
	while read -r program; do
		grep -qwF -e "$program" tried || {
			echo "test_cures.c does not try $program"
			exit 1
		}
	done <named
}

# A page has at most 600 lines.
pages_are_short() {
	for f in "$top"/man/*.[1-9]; do
		[ "$(wc -l <"$f")" -le 600 ] || {
			echo "$f has $(wc -l <"$f") lines"
			exit 1
		}
	done
}

# mandoc finds nothing to warn about.
pages_are_well_formed() {
	needs mandoc
	is 0 mandoc -T lint -W warning "$top"/man/*.[1-9]
}

# session: run the commands of stdin after "$ ", one after the other, and compare what
# all of it prints with what stands there.  Digests, times, sizes and the user differ.
session() {
	cat >session
	awk '/^\$ / {
		c = substr($0, 3)
		q = c
		gsub(/\047/, "\047\\\047\047", q)
		print "echo \047$ " q "\047"
		print c
	}' session >session.run
	sh ./session.run >session.printed 2>&1
	cat session.printed
	for f in session session.printed; do
		sed -E '/^trailfs: the kernel reports that the clock/d
			s/[0-9a-f]{64}/DIGEST/g
			s/\+[0-9a-f]{8},/+ID,/
			s/[0-9-]{10}T[0-9:.]{8,}Z/TIME/g
			s/[0-9]+ bytes/N bytes/
			s/ [^ ]+ \((sh|cp|mv|mkdir|trailctl)\)/ USER (\1)/
			s/ +/ /g; s/ $//' $f >$f.plain
	done
	diff session.plain session.printed.plain
}

# The session of README, and its check without trailfs, print what stands there.
the_session_of_readme() {
	needs /dev/fuse unzip openssl
	mkdir readme
	cd readme
	sed -n 's/^    //p' "$top/README.md" | sed -n '/^\$ /,$p' |
		sed '/^make/,$d' >../readme.session
	[ "$(grep -c '^\$ ' ../readme.session)" -ge 15 ]
	session <../readme.session
}

# The first session of trailfs(7) does, too.
the_session_of_the_manual() {
	needs /dev/fuse
	mkdir tutorial
	cd tutorial
	sed -n '/^\.Ss A first session/,/^\.Ss The tree/p' "$top/man/trailfs.7" |
		sed -n '/^\.Bd/,/^\.Ed/{/^\.[BE]d/d;s/\\(aq/\x27/g;s/\\e/\\/g;p;}' \
			>../tutorial.session
	[ "$(grep -c '^\$ ' ../tutorial.session)" -ge 15 ]
	session <../tutorial.session
}

run each_verb_has_a_page the_overview_has_each_verb \
	pages_and_help_have_the_same_options each_action_is_described \
	every_reference_resolves \
	the_recipes_name_their_programs programs_in_drafts_are_tried \
	pages_are_short pages_are_well_formed \
	the_session_of_readme the_session_of_the_manual
finish
