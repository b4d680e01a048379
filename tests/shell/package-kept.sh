#!/bin/sh
# Kept packages: golden ones verify, hostile ones are refused by name and
# write nothing.
. "$(dirname "$0")/../suite_package.sh"

# Packages of all earlier versions still verify.
golden_packages_verify() {
	for v in "$packages"/golden/v*; do
		for f in "$v"/*.zip; do
			is 0 trailctl verify --vkey "$v/vkey" "$f"
		done
	done
}

# Packages of all earlier versions pass their own script and today's.
golden_packages_convince_their_own_script() {
	for v in "$packages"/golden/v*; do
		for f in workflow odd-names no-workflow selected vault \
			vault-selected; do
			[ -e "$v/$f.zip" ] || continue
			unzipped "$v/$f.zip" "g-$f"
			is 0 sh "g-$f"/*/verify.sh "$(cat "$v/vkey")"
			is 0 sh "$script" \
				"$(cat "$v/vkey")" "g-$f"/*
		done
	done
}

# What others said of the log when a package was made is right for ever, for trailctl,
# for the script that it brought along, and for today's.
anchors_stay_good() { # VERSION TIME
	v=$packages/golden/$1
	is 0 trailctl verify --vkey "$v/vkey" --tsa-ca "$v/authority.pem" \
		--policy "$v/policy" "$v/workflow.zip"
	reports '^witness +OK +the quorum all is met up to 25 of [0-9]+ entries'
	reports "^timestamp +OK +the first 23 entries existed at $2"
	is 0 trailctl verify --vkey "$v/vkey" "$v/workflow.zip"
	reports '^witness +ABSENT +2 receipts fit, up to [0-9]+ entries'
	unzipped "$v/workflow.zip" g-anchors
	rm -f said
	for s in "$script" g-anchors/run-7/verify.sh; do
		for keys in policy mirror.vkey; do
			is 0 sh "$s" "$(cat "$v/vkey")" g-anchors/run-7 \
				"$v/authority.pem" "$v/$keys"
			reports '^  time stamp tsa.example/one: the first 23 entr'
			cat out >>said
		done
	done
	[ "$(grep -c 'cosigned by the witness witness.example/one: the first 25 ' \
		said)" -eq 2 ]
	[ "$(grep -c 'cosigned by the mirror bastion-1/mirror: the first 26 ' \
		said)" -eq 2 ]
	for shell in bash dash 'busybox sh'; do
		command -v "${shell%% *}" >/dev/null || continue
		# shellcheck disable=SC2086 # words
		is 0 $shell "$script" "$(cat "$v/vkey")" g-anchors/run-7 \
			"$v/authority.pem" "$v/policy"
		reports 'cosigned by the witness'
	done
}

# Packages with anchors that earlier versions made are still accepted.
golden_anchors_stay_good() {
	anchors_stay_good v4 2026-11-29T12:14:45
	anchors_stay_good v5 2026-11-30T08:52:44
}

# What a package of format 5 says of itself, and its certificate, is made again by
# today's program to the byte, also of the whole vault.
golden_certificates_are_made_again() {
	v=$packages/golden/v5
	is 0 trailctl verify --vkey "$v/vkey" "$v/vault.zip"
	reports '^GENUINE: .* complete for the whole vault'
	unzipped "$v/vault.zip" g-vault
	for f in certificate.html health.json completeness.json; do
		cp "g-vault/vault/$f" kept
		sed 's/2026/2027/' kept >"g-vault/vault/$f"
		listed_again g-vault/vault
		is 4 trailctl verify --vkey "$v/vkey" g-vault/vault
		reports "$f: says something else than the entries"
		cp kept "g-vault/vault/$f"
	done
}

# Each hostile package gets the expected status and message.
hostile_packages_are_refused_by_name() {
	bad=0
	while read -r status name what; do
		is "$status" trailctl verify --vkey "$golden/vkey" \
			"$packages/bad/$name.zip"
		reports "$what"
		bad=$((bad + 1))
	done <"$packages/bad/expected"
	[ "$bad" -eq "$(find "$packages/bad" -name '*.zip' | wc -l)" ]
	[ "$bad" -ge 100 ]
}

# Unpacking a hostile package writes only below its directory, and no link.
hostile_packages_write_nothing_outside() {
	mkdir -p jail/cell
	echo untouched >jail/evil
	for f in "$packages"/bad/*.zip; do
		rm -rf jail/cell/x
		status=0
		timeout 60 trailctl unpack "$f" jail/cell/x >out 2>err ||
			status=$?
		case $status in
		0 | 4) ;;
		*)
			echo "$f: $status"
			cat err
			exit 1
			;;
		esac
		[ "$(cat jail/evil)" = untouched ]
		[ "$(find jail | grep -vc '^jail/cell/x')" -eq 3 ]
		[ -z "$(find jail -type l)" ]
	done
}

# Unpack checks profile and manifests before it makes a directory.
a_malformed_package_is_not_unpacked() {
	for name in symlink name-up-and-out name-absolute name-drive \
		local-name-differs file-not-listed bomb-more-than-deflate-can; do
		is 4 trailctl unpack "$packages/bad/$name.zip" never
		[ ! -e never ]
	done
}

# Today's script refuses every hostile package that it promises to refuse.
the_script_finds_what_it_says() {
	for name in evidence-altered evidence-swapped evidence-added \
		evidence-missing proof-missing proof-of-another \
		proof-index-altered proof-too-long proof-hash-short \
		proof-under-another-checkpoint proof-hash-altered \
		entry-forged evidence-and-entry-forged checkpoint-altered \
		checkpoint-of-another-size; do
		rm -rf s
		is 0 trailctl unpack "$packages/bad/$name.zip" s
		# Our script, because the one in the package may be altered.
		is 1 sh "$script" \
			"$(cat "$golden/vkey")" s/run-7
	done
}

run golden_packages_verify
with unzip golden_packages_convince_their_own_script golden_anchors_stay_good \
	golden_certificates_are_made_again
run hostile_packages_are_refused_by_name \
	hostile_packages_write_nothing_outside \
	a_malformed_package_is_not_unpacked \
	the_script_finds_what_it_says
finish
