#!/bin/sh
# verify.ps1 of a package, the script for Windows: its C# is run by Mono, its
# PowerShell is only parsed, because Debian has no PowerShell.
. "$(dirname "$0")/../suite_forged.sh"

windows=$top/core/archive/package-verify.ps1

# The C# of the script is that of PowerShell 5.1, and compiles without a warning.
its_source_compiles() {
	sed -n "/^\$source = @'/,/^'@/p" "$windows" | sed '1d;$d' >verify.cs
	[ "$(wc -l <verify.cs)" -gt 1000 ]
	mcs -langversion:5 -warnaserror -r:System.Numerics -out:windows.exe \
		verify.cs "$top/tests/windows.cs"
}

# script STATUS KEY DIRECTORY [COSIGNERS]
script() {
	want=$1
	shift
	is "$want" mono windows.exe "$@"
}

# right WANT KEY TEXT SIG: is a signature right?
right() {
	is "$1" mono windows.exe signature "$2" "$3" "$4"
}

# Signatures of RFC 8032, 7.1, and of openssl are right; with another text, key or
# number they are wrong, also if S is as great as the order of the group.
signatures_are_checked() {
	key=d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a
	r=e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
	s=5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
	right 0 $key '' $r$s
	right 1 $key 00 $r$s
	more=4c8c7872aa064e049dbb3013fbf29380d25bf5f0595bbe24655141438e7a101b
	right 1 $key '' "$r$more"
	right 1 $key '' "$r"
	key=fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025
	r=6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
	s=18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
	right 0 $key af82 $r$s
	for i in 1 2 3 4 5 6 7 8; do
		openssl genpkey -algorithm ed25519 -out k.pem
		head -c $((i * 37)) /dev/urandom >text
		openssl pkeyutl -sign -rawin -in text -inkey k.pem -out sig
		key=$(openssl pkey -in k.pem -pubout -outform DER | tail -c 32 |
			od -An -v -tx1 | tr -d ' \n')
		text=$(od -An -v -tx1 <text | tr -d ' \n')
		sig=$(od -An -v -tx1 <sig | tr -d ' \n')
		right 0 "$key" "$text" "$sig"
		right 1 "$key" "${text}0a" "$sig"
		right 1 "$(printf %s "$key" | tr 0123 3210)" "$text" "$sig"
		right 1 "$key" "$text" "$(printf %s "$sig" | rev | tr 89 98 | rev)"
	done
}

# The script gives every package the expected answer.
each_package_is_judged_right() {
	cut -f 2,3 packages/expected | while IFS=$tab read -r package key; do
		printf '%s\t%s\n' "$key" "$(echo "$work/packages/$package"/*)"
	done >asked
	mkdir answers
	(cd answers && timeout 600 mono ../windows.exe many <../asked) >statuses
	bad=0 n=0
	while IFS=$tab read -r want package key text; do
		n=$((n + 1))
		got=$(sed -n ${n}p statuses)
		# .NET takes a pipe for an empty file.
		[ "$package" != fifo ] || text='and the files differ: data/fifo'
		[ "$got" = "$want" ] && grep -Eq -- "$text" answers/$n && continue
		bad=1
		echo "$package: $got, not $want, without '$text':"
		head -n 5 answers/$n
	done <packages/expected
	[ "$bad" -eq 0 ]
}

# unpacked ZIP: into the directory u.
unpacked() {
	rm -rf u
	mkdir u
	python3 -m zipfile -e "$1" u
}

# same KEY: verify.sh says the same of the package in u, but of itself.
same() {
	script 0 "$1" u/*
	sed '/^  verify\.sh (it is not/d' out >of-windows
	is 0 sh "$top/core/archive/package-verify.sh" "$1" u/*
	sed '/^  verify\.sh (it is not/d' out | cmp - of-windows
}

# Packages of all versions pass, and the answers are those of verify.sh.
packages_of_all_versions_pass() {
	for v in "$packages"/golden/v*; do
		for f in "$v"/*.zip; do
			unpacked "$f"
			case $v/$f in
			*/v[45]/*) script 0 "$(cat "$v/vkey")" u/* ;;
			*) same "$(cat "$v/vkey")" ;;
			esac
		done
	done
	v=$packages/golden/v4
	unpacked "$v/workflow.zip"
	for keys in policy mirror.vkey; do
		script 0 "$(cat "$v/vkey")" u/* "$v/$keys"
		cat out >>said
	done
	grep -q 'cosigned by the witness witness.example/one: the first 25 ' said
	grep -q 'cosigned by the mirror bastion-1/mirror: the first 26 ' said
	grep -q '^  time stamp tsa.example/one .*: verify.sh and trailctl ch' said
	script 1 "$(cat "$v/vkey")" u/* "$packages/golden/v1/vkey"
	complains 'no cosignature is by a key that you named'
}

# A package of today holds the script, passes by it, and says what verify.sh says:
# also after a change of keys, and with names that other systems would change.
a_package_of_today_passes() {
	is 0 trailctl init --origin example.org/windows store
	cp out vkey
	is 0 trailctl trail create store/t
	mkdir files
	echo 1 >files/plain
	echo 2 >'files/CON.txt'
	echo 3 >"$(printf 'files/\303\234bergabe "a\\b"')"
	echo 4 >"$(printf 'files/u\314\210')"
	: >files/empty
	is 0 trailctl attest --begin store/t/w/a files/*
	is 0 trailctl key rotate attester store
	is 0 trailctl attest --begin store/t/w/b files/plain
	is 0 trailctl seal store/t/w
	is 0 trailctl package --no-entry -o w.zip store/t/w
	is 0 trailctl package --no-entry -o t.zip store/t
	is 0 trailctl package --no-entry --since 2020-01-01T00:00:00Z -o s.zip store/t
	# Of the whole vault, with a second trail whose name differs in case alone.
	is 0 trailctl trail create --steps a,b store/T
	is 0 trailctl attest --begin store/T/w/a files/*
	is 0 trailctl package --no-entry -o v.zip store
	is 0 trailctl package --no-entry --status INCOMPLETE -o p.zip store
	for f in w t s v p; do
		unpacked $f.zip
		cmp u/*/verify.ps1 "$windows"
		same "$(cat vkey)"
	done
	unpacked w.zip
	is 0 trailctl key rotate log store
	is 0 trailctl key list store
	script 1 "$(cat "$packages/golden/v1/vkey")" u/*
	complains "not of this key's log"
	script 2 none u/*
	script 2 "$(cat vkey)" u/none
}

# No line of events.jsonl can be altered, removed or doubled, even if the manifest fits.
every_line_of_the_entries_is_compared() {
	unpacked "$packages/golden/v1/workflow.zip"
	key=$(cat "$packages/golden/v1/vkey")
	tag=u/run-7/tagmanifest-sha256.txt
	cp u/run-7/events.jsonl events
	cp "$tag" tags
	for i in $(seq "$(wc -l <events)"); do
		for how in "${i}s/\"at\":\"2/\"at\":\"3/" "${i}d" "${i}p"; do
			sed "$how" events >u/run-7/events.jsonl
			h=$(sha256sum <u/run-7/events.jsonl | cut -c -64)
			sed "s/^[0-9a-f]*  events.jsonl$/$h  events.jsonl/" tags >"$tag"
			script 1 "$key" u/run-7
			complains 'events.jsonl is not what the proofs prove'
		done
	done
}

# PowerShell's grammar takes the script, and refuses it with a bracket too many.
its_powershell_is_powershell() {
	cat >parse.mjs <<-'EOF2'
		import fs from 'fs';
		const [top, ...files] = process.argv.slice(2);
		const { Parser, Language } =
			await import(top + '/web-tree-sitter/web-tree-sitter.js');
		await Parser.init();
		const parser = new Parser();
		parser.setLanguage(await Language.load(
			top + '/tree-sitter-powershell/tree-sitter-powershell.wasm'));
		for (const f of files)
			console.log(parser.parse(fs.readFileSync(f, 'utf8'))
				.rootNode.hasError);
		process.exit(0);
	EOF2
	# shellcheck disable=SC2016 # of PowerShell
	sed 's/^exit \$status/&)/' "$windows" >bad.ps1
	is 0 node parse.mjs "$top/build" "$windows" bad.ps1
	printf 'false\ntrue\n' | cmp - out
	# Windows PowerShell reads a file without a mark as no UTF-8.
	[ -z "$(tr -d '\11\12\40-\176' <"$windows")" ]
}

with 'python3 mcs mono' its_source_compiles signatures_are_checked \
	all_forgeries_are_there each_package_is_judged_right \
	packages_of_all_versions_pass a_package_of_today_passes \
	every_line_of_the_entries_is_compared
if [ -e "$top/build/tree-sitter-powershell" ]; then
	with node its_powershell_is_powershell
else
	skipped 'no grammar of PowerShell' its_powershell_is_powershell
fi
finish
