#!/bin/sh
# shellcheck disable=SC2086 # $user is a list of words
# Recordings of terminal sessions: which evidence has a page that replays it, who may
# read the page, and what the page does in a browser.
. "$(dirname "$0")/../suite.sh"
shared_mount=yes
patience_s=600
recordings=$top/tests/vectors/recordings
A=t/w/a
pages=mnt/$A/.trailfs/replay
user="setpriv --reuid 54321 --regid 54321 --clear-groups"
other="setpriv --reuid 54322 --regid 54322 --clear-groups"

# Recordings of each kind, one of them in a directory.
recordings_are_evidence() {
	chmod 0755 .
	is 0 trailctl init --origin example.org/replay store
	cp out vkey
	mount store -o settle=0,reads=log
	umask 022
	mkdir -p mnt/$A/night
	chmod 0755 mnt/t
	cp "$recordings"/* mnt/$A/
	cp "$recordings/shell.cast" mnt/$A/night/
	is 0 trailctl sync mnt
}

# Names and first bytes decide; files beside a log belong to it.
only_recordings_have_pages() {
	for name in other.cast short.ttyrec app.log app.json gone.log; do
		echo '{"a":1}' >"mnt/$A/$name"
	done
	echo '0.1 5' >mnt/$A/app.log.timing
	printf 'Script started on a day\nhello' >mnt/$A/gone.log.old
	cp "$recordings/three.cast" "mnt/$A/three.json"
	is 0 trailctl sync mnt
	(cd "$pages" && find . -type f | sort) >listed
	(
		cd "$recordings" || exit 1
		ls ./*.cast ./*.ttyrec ./typescript ./both.log ./apart.log
		echo ./night/shell.cast
	) | sed 's/$/.html/' | sort >wanted
	diff listed wanted
	for name in other.cast short.ttyrec app.log gone.log three.json in.log; do
		[ ! -e "$pages/$name.html" ]
	done
	# stat(2) says the size that is read.
	for f in "$pages"/*.html; do
		[ "$(stat -c %s "$f")" = "$(wc -c <"$f")" ]
	done
}

# The page of the workflow leads to the pages, and these to the evidence.
pages_are_linked() {
	grep -o 'href="[^"]*replay[^"]*"' mnt/t/w/.trailfs/index.html |
		cut -d '"' -f 2 >links
	[ "$(wc -l <links)" = "$(wc -l <listed)" ]
	while read -r link; do
		[ -f "mnt/t/w/.trailfs/$link" ]
		back=$(grep -o '<a href="[^"]*"' "mnt/t/w/.trailfs/$link" |
			cut -d '"' -f 2)
		[ -f "$(dirname "mnt/t/w/.trailfs/$link")/$back" ]
	done <links
}

# A page says what it has of a recording: the log may have lost its end.
a_part_is_no_whole() {
	mkdir mnt/t/w/cut
	head -c 300 "$recordings/typescript" >mnt/t/w/cut/typescript
	cp "$recordings/typescript.timing" mnt/t/w/cut/
	{
		head -n 1 "$recordings/shell.cast"
		seq 250000 | sed 's/.*/[&,"o","&\\r\\n"]/'
	} >mnt/t/w/cut/long.cast
	is 0 trailctl sync mnt
	grep -q 'id="extent">all of it<' $pages/typescript.html
	grep 'malformed or missing<' mnt/t/w/cut/.trailfs/replay/typescript.html
	grep '200,000 events. The rest is in the file<' \
		mnt/t/w/cut/.trailfs/replay/long.cast.html >found
	[ -s found ]
	[ "$(wc -c <mnt/t/w/cut/.trailfs/replay/long.cast.html)" -lt 33554432 ]
}

# Who may not read a part of a recording has no page of it.
a_page_needs_all_of_its_files() {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	is 0 $user cat $pages/both.log.html
	is 0 chmod 0640 mnt/$A/both.timing
	is 1 $user cat $pages/both.log.html
	is 0 cat $pages/both.log.html
	is 0 chmod 0640 mnt/$A/keys.cast
	is 1 $user cat $pages/keys.cast.html
	# Without the log of the input, the page has no keys.
	is 0 $user cat $pages/apart.log.html
	says 'From the keys'
	is 0 chmod 0640 mnt/$A/in.log
	is 0 $user cat $pages/apart.log.html
	says 'Guessed: '
	is 0 cat $pages/apart.log.html
	says 'From the keys'
}

# Opening a page is reading each of its files.
reading_a_page_is_recorded() {
	is 0 trailctl sync mnt
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	is 0 $other cat $pages/typescript.html
	is 0 trailctl sync mnt
	is 0 trailctl custody --json mnt/$A/typescript
	says '"uid":54322'
	is 0 trailctl custody --json mnt/$A/typescript.timing
	says '"uid":54322'
	is 0 trailctl custody --json mnt/$A/editor.cast
	never_says '"uid":54322'
}

# redact NAME: root proposes, and the owner of the trail approves.
redact() {
	control=mnt/t/w/gone/.trailfs/redactions
	printf '{"propose":"%s","reason":"asked for"}' "$1" >$control
	seq=$(trailctl log --json --type redaction.proposed mnt |
		sed -n 's/.*"seq":\([0-9]*\).*/\1/p' | tail -n 1)
	$user sh -c "printf '{\"approve\":$seq}' >'$control'"
}

# A recording that was redacted, or whose timing was, has no page, and a page that
# was open before does not stay.
redacted_recordings_have_none() {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	is 0 chown 54321 mnt/t
	mkdir mnt/t/w/gone
	cp "$recordings"/typescript* "$recordings/pager.cast" mnt/t/w/gone/
	is 0 trailctl seal mnt/t/w/gone
	gone=mnt/t/w/gone/.trailfs/replay
	is 0 cat $gone/pager.cast.html
	is 0 cat mnt/t/w/.trailfs/index.html
	says 'gone/.trailfs/replay/pager'
	redact pager.cast
	redact typescript.timing
	is 1 cat mnt/t/w/gone/pager.cast
	is 1 cat $gone/pager.cast.html
	complains 'No such file'
	is 1 cat $gone/typescript.html
	is 0 ls $gone
	has_lines 0
	is 0 cat mnt/t/w/.trailfs/index.html
	never_says 'gone/.trailfs/replay'
}

# What is encrypted when it is sealed is no recording for the vault.
encrypted_recordings_have_none() {
	command -v age-keygen >/dev/null || skip 'no age'
	mkdir mnt/e
	age-keygen -o identity 2>err
	age-keygen -y identity >recipient
	is 0 trailctl recipients set mnt/e recipient
	mkdir -p mnt/e/w/a
	cp "$recordings/shell.cast" "$recordings/login.ttyrec" mnt/e/w/a/
	is 0 trailctl sync mnt
	is 0 ls mnt/e/w/a/.trailfs/replay
	has_lines 0
	is 2 ls mnt/e/w/a/.trailfs/replay/shell.cast.html
}

# A package has the pages, under the numbers of the entries; its page leads to them,
# and both verifiers say that nothing proves them.
packages_have_the_pages() {
	is 0 trailctl package -o w.zip mnt/t/w
	is 0 trailctl verify --vkey vkey w.zip
	says 'replay/.*unproven'
	is 0 unzip -q w.zip
	is 0 sh w/verify.sh "$(cat vkey)" w
	says '  replay/'
	# As many as in the mount.
	find mnt/t/w/*/.trailfs/replay -name '*.html' >there
	find w/replay -type f >pages
	[ "$(wc -l <pages)" = "$(wc -l <there)" ]
	grep -o 'href="replay/[0-9]*.html"' w/index.html | cut -d '"' -f 2 >links
	[ "$(wc -l <links)" = "$(wc -l <pages)" ]
	while read -r link; do
		back=$(grep -o '<a href="[^"]*"' "w/$link" | cut -d '"' -f 2)
		[ -f "w/replay/$back" ]
	done <links
	# The same page, but for the way to the evidence.
	number=$(grep -l 'Replay of editor.cast' w/replay/*)
	for f in "$number" $pages/editor.cast.html; do
		sed 's/<a href="[^"]*"/<a/' "$f"
		echo
	done | sort | uniq -c | awk '$1 % 2 { print; bad = 1 } END { exit bad }'
	# What was redacted is not there, also not in a page.
	if grep -l 'Replay of pager.cast' w/replay/* | xargs grep -l gone/; then exit 1; fi
}

# shellcheck disable=SC2016 # forge runs them
# A page of no recording, or one whose bytes are others, is found.
forged_pages_are_found() {
	forge 'mv "$(ls w/replay/*.html | head -n 1)" w/replay/0.html'
	is 4 trailctl verify --vkey vkey w
	says 'replay/0.html'
	is 1 sh w/verify.sh "$(cat vkey)" w
	complains 'replay/0.html: no entry speaks of it'
	forge 'echo >>"$(ls w/replay/*.html | head -n 1)"'
	(cd w && cp ../tagged tagmanifest-sha256.txt)
	is 4 trailctl verify --vkey vkey w
	is 1 sh w/verify.sh "$(cat vkey)" w
}

# forge COMMAND: unpack the package again, do that, and make its manifest anew; the
# one that it had is in tagged.
forge() {
	rm -rf w
	unzip -q w.zip
	cp w/tagmanifest-sha256.txt tagged
	sh -c "$1"
	(
		cd w && find . -type f ! -path './data/*' ! -name tagmanifest-sha256.txt |
			sed 's/^..//' | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum
	) >tag
	cp tag w/tagmanifest-sha256.txt
}

# Bytes that are not those of the entry are not shown.
damaged_recordings_have_none() {
	unmount
	all="from sqlite_schema where type = 'trigger' order by rowid"
	drop=$(sqlite3 store/ledger.db "select 'drop trigger ' || name || ';' $all")
	make=$(sqlite3 store/ledger.db "select sql || ';' $all")
	is 0 sqlite3 store/ledger.db "$drop" \
		"update object set body = cast(replace(cast(body as text), 'whoami', 'id -un')
			as blob) where instr(body, 'whoami') > 0" "$make"
	mount store -o settle=0
	is 1 cat $pages/both.log.html
	complains 'Input/output error'
}

# The player shows what tmux shows, and nothing in a recording leaves it.
pages_play_in_a_browser() {
	command -v chromium >/dev/null || skip 'no chromium'
	command -v tmux >/dev/null || skip 'no tmux'
	mkdir -p played/replay
	for f in "$recordings"/*; do
		name=${f##*/}
		cp "$f" played/
		[ ! -e "$pages/$name.html" ] || [ "$name" = apart.log ] ||
			cp "$pages/$name.html" played/replay/
	done
	is 0 python3 "$top/tests/replay/play.py" played
	cat out
	[ "$(wc -l <out)" -ge 11 ]
}

# From a file, without a server, and without scripts the text is there.
a_page_works_from_a_file() {
	command -v chromium >/dev/null || skip 'no chromium'
	cp $pages/typescript.html page.html
	sed 's/<script>/<script type="text\/plain">/' page.html >plain.html
	for page in page plain; do
		is 0 chromium --headless --no-sandbox --disable-gpu --no-first-run \
			--disable-component-update --disable-background-networking \
			--disable-sync --user-data-dir=profile \
			--virtual-time-budget=20000 --dump-dom \
			"file://$work/$page.html#t=1000"
		says 'workers = 8'
		cp out "$page.dom"
	done
	grep '<div>workers = 8 *</div>' page.dom
	if grep '<div>workers = 8' plain.dom; then exit 1; fi
	grep '<section id="player".* hidden' plain.dom
}

run recordings_are_evidence only_recordings_have_pages pages_are_linked \
	a_part_is_no_whole pages_play_in_a_browser a_page_works_from_a_file \
	a_page_needs_all_of_its_files reading_a_page_is_recorded \
	redacted_recordings_have_none packages_have_the_pages forged_pages_are_found \
	encrypted_recordings_have_none \
	damaged_recordings_have_none
finish
