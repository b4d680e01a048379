#!/bin/sh
# shellcheck disable=SC2086 # $user is a list of words
# Texts of entries that can be redacted: texts=redactable.
. "$(dirname "$0")/../suite_tools.sh"

user="setpriv --reuid 54321 --regid 54321 --clear-groups"

# texts JSON-LINES: the digests of the texts that stand apart in these entries.
texts() {
	grep -o '"withheld":"[0-9a-f]*"' "$1" | cut -d'"' -f4
}

# object STORE DIGEST: the bytes of that object.
object() {
	sqlite3 "$1/ledger.db" "select hex(body) from object o join digest d
		on d.object = o.id where hex(d.sha256) = upper('$2')" |
		python3 -c 'import sys; sys.stdout.buffer.write(
			bytes.fromhex(sys.stdin.read()))'
}

# claim DIR: the claims of this suite about an attestation.
claim() {
	setfattr -n user.trailfs.description -v 'Text of a description' "$1"
	setfattr -n user.trailfs.annotation.one -v 'Equal text' "$1"
	setfattr -n user.trailfs.annotation.two -v 'Equal text' "$1"
	setfattr -n user.trailfs.origin-url -v 'https://text.example/run' "$1"
	setfattr -n user.trailfs.external-url.wiki \
		-v 'https://text.example/wiki' "$1"
}

# By default the texts are in the entries, and nothing says otherwise.
texts_are_clear_by_default() {
	mount store
	mkdir -p mnt/clear/w/a
	echo 1 >mnt/clear/w/a/f
	claim mnt/clear/w/a
	is 0 trailctl seal mnt/clear/w/a
	is 0 trailctl override mnt/clear/w/a --compliant=false --reason 'Text of it'
	unmount
	trailctl log --json store >all
	grep 'Text of a description' all
	grep 'Text of it' all
	[ -z "$(texts all)" ]
	is 1 grep '"texts"' all
	is 2 trailfs store mnt -o texts=some
}

# With the option no entry has a text; equal texts have different digests, and
# each digest is that of 16 bytes and the text.
entries_have_digests() {
	mount store -o texts=redactable
	mkdir -p mnt/t/w/a
	echo 1 >mnt/t/w/a/f
	claim mnt/t/w/a
	setfattr -n user.trailfs.description -v 'Text of a trail' mnt/t
	setfattr -n user.trailfs.annotation.more -v 'Text of more' mnt/t
	is 0 trailctl seal mnt/t/w/a
	is 0 trailctl override mnt/t/w/a --compliant=false \
		--reason 'Text of "an" override'
	is 0 trailctl hold place mnt/t case --reason 'Text of a hold'
	trailctl log --json mnt | grep '"path":"t' >apart
	trailctl log --json mnt | grep '"options":{.*"texts":"redactable"'
	is 1 grep "Text of" apart
	is 1 grep "Equal text" apart
	is 1 grep text.example apart
	is 0 trailctl seal mnt/t/w
	is 0 trailctl verify mnt
	unmount
	is 0 trailctl verify store
	# The claims of the trail keep the digest of a text that did not change.
	[ "$(texts apart | wc -l)" = 10 ]
	[ "$(texts apart | sort -u | wc -l)" = 9 ]
	texts apart | while read -r hex; do
		object store "$hex" >bytes
		[ "$(openssl dgst -sha256 -r bytes | cut -d' ' -f1)" = "$hex" ]
		tail -c +17 bytes
		echo
	done >found
	for text in 'Text of a description' 'Text of a trail' 'Text of more' \
		'https://text.example/run' 'https://text.example/wiki' \
		'Text of "an" override' 'Text of a hold'; do
		grep -Fx "$text" found
	done
	[ "$(grep -cx 'Equal text' found)" = 2 ]
}

# Whoever reads the names reads the texts, in every place that shows texts.
texts_are_shown() {
	mount store
	control=mnt/t/w/a/.trailfs
	jq -e '.description == "Text of a description" and
		.annotations == {one: "Equal text", two: "Equal text"} and
		.external_urls.wiki.href == "https://text.example/wiki" and
		.origin_url == "https://text.example/run" and
		.overridden.reason == "Text of \"an\" override"' \
		$control/attestation.json
	jq -e '.. | .override_reason? == "Text of \"an\" override"' \
		mnt/t/w/.trailfs/status.json | grep true
	grep 'Text of "an" override' mnt/t/w/.trailfs/status.md
	grep 'Text of a description' mnt/t/w/.trailfs/index.html
	grep 'Text of a hold' mnt/t/.trailfs/index.html
	jq -e '.holds[0].reason == "Text of a hold"' mnt/t/.trailfs/holds
	[ "$(getfattr --only-values -n user.trailfs.description mnt/t/w/a)" = \
		'Text of a description' ]
	[ "$(getfattr --only-values -n user.trailfs.annotation.more mnt/t)" = \
		'Text of more' ]
	is 0 trailctl find --json --annotation 'one=Equal text' mnt
	has_lines 2
	says 'Text of a description'
	is 0 trailctl find --json --annotation 'more=Text of more' mnt
	has_lines 1
	is 1 trailctl find --annotation 'more=Text of another' mnt
	is 0 trailctl log --annotation 'more=Text of more' mnt
	has_lines 1
	is 0 trailctl log --annotation 'two=Equal text' mnt/t
	has_lines 1
	# The same claim again is no entry.
	before=$(trailctl log --json mnt | wc -l)
	setfattr -n user.trailfs.annotation.more -v 'Text of more' mnt/t
	[ "$(trailctl log --json mnt | wc -l)" = "$before" ]
	# The search index has none of these texts.
	unmount
	for file in store/index.db*; do
		grep -a 'clear' "$file"
	done >found
	[ -s found ]
	is 1 grep -a 'Text of more' store/index.db*
	is 0 trailctl find --json --annotation 'one=Equal text' store
	has_lines 2
}

# The template of a trail asks for it as the option does.
a_template_asks_for_it() {
	cat >template.yml <<-'END'
		version: 1
		trail:
		  attestations:
		    - name: a
		      type: generic
		  x-trailfs:
		    texts: redactable
	END
	mount store
	mkdir mnt/u
	is 0 trailctl template set mnt/u template.yml
	mkdir -p mnt/u/w/a mnt/v/w/a
	for trail in u v; do
		echo 1 >mnt/$trail/w/a/f
		claim mnt/$trail/w/a
		is 0 trailctl seal mnt/$trail/w/a
		trailctl log --json mnt | grep "\"path\":\"$trail/w/a\"" >$trail
	done
	[ "$(texts u | wc -l)" = 5 ]
	[ -z "$(texts v)" ]
	unmount
	mount store
	is 0 trailctl override mnt/u/w/a --compliant=true --reason 'Text of u'
	unmount
	is 1 grep 'Text of u' all
	sed -i s/redactable/clear/ template.yml
	is 0 trailctl template set store/u template.yml
	is 0 trailctl verify store
	sed -i s/clear/gone/ template.yml
	is 2 trailctl template check template.yml
}

# Claims whose digests would not fit are refused when they are made.
claims_that_do_not_fit_are_refused() {
	mount store -o texts=redactable
	mkdir -p mnt/t/x/a
	long=$(printf '%050d' 0)
	i=0
	while setfattr -n "user.trailfs.annotation.k$long$i" -v x mnt/t/x/a; do
		i=$((i + 1))
		[ $i -lt 65 ]
	done
	[ $i -gt 50 ]
	[ $i -lt 64 ]
	echo 1 >mnt/t/x/a/f
	is 0 trailctl seal mnt/t/x/a
	is 0 trailctl verify mnt
	unmount
}

# proposal: the number of the newest proposal in the mount.
proposal() {
	trailctl log --json mnt | grep '"type":"redaction.proposed"' |
		tail -n 1 | jq .seq
}

# gone TEXT: no file of the store has it.
gone() {
	if grep -ral "$1" store; then
		exit 1
	fi
}

# Two people remove a text; entries and proofs stay, and all places say so.
two_people_redact_a_text() {
	mount store -o texts=redactable,allow_other
	chmod 755 . mnt
	mkdir -p mnt/r/w/a
	chmod 755 mnt/r
	echo 1 >mnt/r/w/a/f
	setfattr -n user.trailfs.description -v 'A name that must go' mnt/r/w/a
	setfattr -n user.trailfs.annotation.stays -v 'Text that stays' mnt/r/w/a
	is 0 trailctl seal mnt/r/w/a
	is 0 trailctl override mnt/r/w/a --compliant=true --reason 'Another name'
	chown 54321:54321 mnt/r
	grep -ral 'A name that must go' store
	is 1 trailctl redact mnt/r/w/a --text nothing --reason 'Request 7'
	complains 'no text nothing'
	is 0 trailctl redact mnt/r/w/a --text description --reason 'Request 7'
	says 'r/w/a  text description of entry .*proposed'
	number=$(proposal)
	# The proposer, another text, another place and another number are refused.
	is 1 trailctl redact mnt/r/w/a --text description --approve "$number"
	is 1 $user trailctl redact mnt/r/w/a --text annotation.stays \
		--approve "$number"
	is 1 $user trailctl redact mnt/r/w --text description --approve "$number"
	is 1 $user trailctl redact mnt/r/w/a --text description --approve 3
	# So are a hold and a running retention.
	is 0 trailctl hold place mnt/r case --reason 'Text of a hold'
	is 1 $user trailctl redact mnt/r/w/a --text description \
		--approve "$number"
	complains 'hold'
	is 0 trailctl hold release mnt/r case --reason 'Text of a release'
	is 0 $user trailctl redact mnt/r/w/a --text description \
		--approve "$number"
	is 1 $user trailctl redact mnt/r/w/a --text description \
		--approve "$number"
	complains 'redacted before'
	gone 'A name that must go'
	jq -e '.description == "redacted" and
		.annotations.stays == "Text that stays" and
		.overridden.reason == "Another name"' \
		mnt/r/w/a/.trailfs/attestation.json
	[ "$(getfattr --only-values -n user.trailfs.description mnt/r/w/a)" = \
		redacted ]
	jq -e '.redactions[] | select(.path == "r/w/a") | .state == "redacted" and
		.text == "description" and .reason == "Request 7"' \
		mnt/r/.trailfs/redactions
	is 0 trailctl redact mnt --list
	says 'r/w/a  text description of entry .*redacted'
	is 0 trailctl verify mnt
	unmount
	gone 'A name that must go'
	is 0 trailctl verify store
	says redacted
	is 0 trailctl redact store --list
	says 'r/w/a  text description of entry .*redacted'
}

# A text of a trail goes from all its claims, and a reason by its entry.
texts_of_several_entries_go() {
	mount store -o texts=redactable,allow_other
	setfattr -n user.trailfs.description -v 'A trail that must go' mnt/r
	setfattr -n user.trailfs.annotation.x -v 'Text of x' mnt/r
	is 0 trailctl override mnt/r/w/a --compliant=true --reason 'A newer name'
	older=$(trailctl log --json mnt | grep '"path":"r/w/a"' |
		grep overridden | head -n 1 | jq .seq)
	is 0 trailctl redact mnt/r --text description --reason 'Request 8'
	is 0 $user trailctl redact mnt/r --text description \
		--approve "$(proposal)"
	is 0 trailctl redact mnt/r/w/a --text reason --entry "$older" \
		--reason 'Request 9'
	is 0 $user trailctl redact mnt/r/w/a --text reason --approve "$(proposal)"
	gone 'A trail that must go'
	gone 'Another name'
	[ "$(getfattr --only-values -n user.trailfs.description mnt/r)" = \
		redacted ]
	jq -e '.overridden.reason == "A newer name"' \
		mnt/r/w/a/.trailfs/attestation.json
	# A new text is another one; a claim that did not change stays redacted.
	setfattr -n user.trailfs.annotation.x -v 'Text of y' mnt/r
	[ "$(getfattr --only-values -n user.trailfs.description mnt/r)" = \
		redacted ]
	setfattr -n user.trailfs.description -v 'Text of z' mnt/r
	[ "$(getfattr --only-values -n user.trailfs.description mnt/r)" = \
		'Text of z' ]
	is 0 trailctl verify mnt
	unmount
	is 0 trailctl verify store
}

# Author and id of an imported record are one text each for all its entries.
imported_records_have_one_text() {
	is 0 trailctl init --origin example.org/imported imported
	echo 'texts = redactable' >>imported/config
	echo evidence >evidence.txt
	python3 -c 'import json
json.dump({"data": [{"schema_version": 2, "attestation_id": "id-of-it",
    "attestation_name": "a", "attestation_type": "generic",
    "is_compliant": True, "created_at": 1779991840.5,
    "reported_by": "Text of an author", "flow_name": "t", "trail_name": "w",
    "user_data": {}, "annotations": {"k": "Text of k"}}]}["data"],
    open("records.json", "w"))'
	is 0 trailctl import --mount imported kosli records.json
	trailctl log --json imported | grep '"path":"t/w/a' >entries
	is 1 grep 'Text of' entries
	grep -o '"imported":{.*},"node\|"imported":{.*},"origin' entries |
		grep -o '"by":{[^}]*}' | sort -u >by
	[ "$(wc -l <by)" = 1 ]
	[ "$(grep -c '"imported"' entries)" -gt 1 ]
	is 0 trailctl import --mount imported kosli records.json
	[ "$(trailctl log --json imported | grep -c '"path":"t/w/a')" = \
		"$(wc -l <entries)" ]
	is 0 trailctl verify imported
	timeout 30 trailfs imported mnt
	jq -e '.imported.by == "Text of an author"' \
		mnt/t/w/a/.trailfs/attestation.json
	unmount
}

# A mirror has the texts, not those that are gone, and keeps what goes later until
# its own people erase it.
a_mirror_has_the_texts() {
	is 0 trailctl mirror store mirror
	is 0 trailctl verify mirror
	mkdir shown
	timeout 30 trailfs mirror shown -o ro
	jq -e '.description == "redacted" and
		.annotations.stays == "Text that stays"' \
		shown/r/w/a/.trailfs/attestation.json
	fusermount3 -u shown
	grep -ral 'Text that stays' mirror
	mount store -o texts=redactable,allow_other
	is 0 trailctl redact mnt/r/w/a --text annotation.stays --reason 'Request 10'
	is 0 $user trailctl redact mnt/r/w/a --text annotation.stays \
		--approve "$(proposal)"
	unmount
	is 0 trailctl mirror store mirror
	is 0 trailctl verify mirror
	if grep -ral 'Text that stays' store; then
		exit 1
	fi
	grep -ral 'Text that stays' mirror
	is 0 trailctl mirror --erase-redacted mirror --yes
	if grep -ral 'Text that stays' mirror; then
		exit 1
	fi
	is 0 trailctl verify mirror
	# A mirror that begins now never had them.
	is 0 trailctl mirror store younger
	is 0 trailctl verify younger
	# A source without a text that nobody redacted is refused.
	cp -r store altered
	trigger=$(sqlite3 altered/ledger.db "SELECT sql FROM sqlite_schema
		WHERE name = 'digest_delete'")
	sqlite3 altered/ledger.db "DROP TRIGGER digest_delete; DELETE FROM digest
		WHERE object IN (SELECT id FROM object
		WHERE CAST(substr(body, 17) AS TEXT) = 'Text of z'); $trigger"
	is 4 trailctl mirror altered third
	is 4 trailctl verify altered
	says 'no object for its text description'
	is 0 trailctl restore --origin example.org/restored mirror restored
	is 0 trailctl verify restored
}

# A package has the texts that are there; stock tools check and read them.
packages_have_the_texts() {
	mount store -o texts=redactable,allow_other
	mkdir -p mnt/r/p/a
	echo 1 >mnt/r/p/a/f
	setfattr -n user.trailfs.description -v 'A text in a package' mnt/r/p/a
	setfattr -n user.trailfs.annotation.gone -v 'A text to go' mnt/r/p/a
	is 0 trailctl seal mnt/r/p
	is 0 trailctl override mnt/r/p/a --compliant=true --reason 'Text of why'
	cp mnt/r/p/.trailfs/package.zip before.zip
	vkey=$(cat mnt/.trailfs/log.vkey)
	is 0 trailctl verify --vkey "$vkey" before.zip
	says '; 7 texts'
	is 0 trailctl redact mnt/r/p/a --text annotation.gone --reason 'Request 11'
	is 0 $user trailctl redact mnt/r/p/a --text annotation.gone \
		--approve "$(proposal)"
	cp mnt/r/p/.trailfs/package.zip after.zip
	unmount
	is 0 trailctl verify --vkey "$vkey" before.zip
	is 0 trailctl verify --vkey "$vkey" after.zip
	says 'redacted text'
	mkdir before after
	is 0 trailctl unpack before.zip before
	is 0 trailctl unpack after.zip after
	before=$(echo before/*/texts) after=$(echo after/*/texts)
	for text in "$before"/* "$after"/*; do
		[ "$(sha256sum <"$text" | cut -d' ' -f1)" = "${text##*/}" ]
		grep -q "{\"withheld\":\"${text##*/}\"}" \
			"${text%/texts/*}/events.jsonl"
	done
	for text in "$before"/*; do
		tail -c +17 "$text"
		echo
	done >found
	grep -Fx 'A text in a package' found
	grep -Fx 'A text to go' found
	if grep -ra 'A text to go' after; then
		exit 1
	fi
	grep -r redacted after/*/attestations
	is 0 sh "$top/core/archive/package-verify.sh" "$vkey" "${before%/texts}"
	never_says absent
	is 0 sh "$top/core/archive/package-verify.sh" "$vkey" "${after%/texts}"
	says 'redacted, two people have had a text of an entry deleted'
	never_says absent
	is 0 trailctl verify --against "${after%/texts}" store/r/p
}

# What is not the text of an entry is found; what is left out is absent.
altered_texts_are_found() {
	before=$(echo before/*/texts) vkey=$(cat before/*/keys/log.vkey)
	dir=${before%/texts}
	text=$(grep -la 'A text in a package' "$before"/*)
	printf x >>"$text"
	is 4 trailctl verify --vkey "$vkey" "$dir"
	is 1 sh "$top/core/archive/package-verify.sh" "$vkey" "$dir"
	# Also if the manifests say so.
	(
		cd "$dir"
		sum=$(sha256sum <"texts/${text##*/}" | cut -d' ' -f1)
		sed -i "s|^[0-9a-f]*\\(  texts/${text##*/}\\)|$sum\\1|" \
			tagmanifest-sha256.txt
	)
	is 4 trailctl verify --vkey "$vkey" "$dir"
	says 'not the text of its entry'
	is 1 sh "$top/core/archive/package-verify.sh" "$vkey" "$dir"
	complains 'not the text of its entry'
	rm "$text"
	sed -i "\\|  texts/${text##*/}|d" "$dir/tagmanifest-sha256.txt"
	is 0 trailctl verify --vkey "$vkey" "$dir"
	says 'ABSENT: 1 text'
	is 0 sh "$top/core/archive/package-verify.sh" "$vkey" "$dir"
	says 'absent, a text of an entry is not in the package'
	# A text that no entry names does not belong there.
	printf 0123456789abcdefText >"$dir/texts/x"
	sum=$(sha256sum <"$dir/texts/x" | cut -d' ' -f1)
	mv "$dir/texts/x" "$dir/texts/$sum"
	echo "$sum  texts/$sum" >>"$dir/tagmanifest-sha256.txt"
	LC_ALL=C sort -k 2 -o "$dir/tagmanifest-sha256.txt" \
		"$dir/tagmanifest-sha256.txt"
	is 4 trailctl verify --vkey "$vkey" "$dir"
	is 1 sh "$top/core/archive/package-verify.sh" "$vkey" "$dir"
}

# What the tests below use.
a_store_is_made() {
	is 0 trailctl init store --origin example.org/texts
}

run a_store_is_made
with '/dev/fuse jq sqlite3 openssl setfattr python3' texts_are_clear_by_default \
	entries_have_digests texts_are_shown a_template_asks_for_it \
	claims_that_do_not_fit_are_refused imported_records_have_one_text
[ "$(id -u)" -ne 0 ] || with '/dev/fuse jq setfattr setpriv sqlite3' \
	two_people_redact_a_text texts_of_several_entries_go \
	a_mirror_has_the_texts packages_have_the_texts altered_texts_are_found
finish
