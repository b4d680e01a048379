#!/bin/sh
# verify.sh of a package: unreadable files, wrong usage, other working
# directories.
. "$(dirname "$0")/../suite_forged.sh"

genuine=genuine/run-7
key=$(cat "$packages/golden/v1/vkey")

# Unpack a kept package.
a_genuine_package_is_there() {
	python3 -m zipfile -e "$packages/golden/v1/workflow.zip" genuine
	is 0 sh "$script" "$key" "$genuine"
}

# With an unreadable file the script exits with 2: neither good nor bad.
an_unreadable_file_is_no_answer() {
	chmod 0 "$genuine/data/login/who.txt"
	chmod 755 . genuine
	cp "$script" script
	chmod 644 script
	if [ "$(id -u)" -eq 0 ]; then
		is 2 setpriv --reuid 65534 --regid 65534 --clear-groups \
			env TMPDIR=/tmp sh script "$key" "$genuine"
	else
		is 2 sh script "$key" "$genuine"
	fi
	chmod 644 "$genuine/data/login/who.txt"
}

# The script in a package checks that package from any working directory.
the_copy_inside_checks_its_package() {
	cp -r "$genuine" ./-x
	cp "$script" ./-x/verify.sh
	h=$(sha256sum <"$script" | cut -c -64)
	sed -i "s/^[0-9a-f]*  verify.sh$/$h  verify.sh/" \
		./-x/tagmanifest-sha256.txt
	own=$(cat ./-x/keys/log.vkey)
	(cd ./-x && sh verify.sh "$own")
	(cd / && sh "$work/-x/verify.sh" "$own")
	sh "$script" "$own" -x
	if sh "$script" "$own" -y; then
		exit 1
	fi
}

# Every line of events.jsonl is compared with the proofs: none can be altered, removed,
# moved or doubled, even if the manifest fits.
every_line_of_the_entries_is_compared() {
	tag=$genuine/tagmanifest-sha256.txt
	cp "$genuine/events.jsonl" events
	cp "$tag" tags
	number=$(wc -l <events)
	[ "$number" -eq 14 ]
	for i in $(seq "$number"); do
		for how in "${i}s/\"at\":\"2/\"at\":\"3/" "${i}s/$/ /" "${i}d" \
			"${i}p" "${i}{h;d;};$((i + 1)){G;}"; do
			sed "$how" events >"$genuine/events.jsonl"
			if cmp -s events "$genuine/events.jsonl"; then
				echo "$how changes nothing"
				exit 1
			fi
			h=$(sha256sum <"$genuine/events.jsonl" | cut -c -64)
			sed "s/^[0-9a-f]*  events.jsonl$/$h  events.jsonl/" tags >"$tag"
			is 1 sh "$script" "$key" "$genuine"
			grep -q 'events.jsonl is not what the proofs prove' err || {
				echo "$how:"
				cat err
				exit 1
			}
		done
	done
	cp tags "$tag"
	cp events "$genuine/events.jsonl"
	is 0 sh "$script" "$key" "$genuine"
}

# A package of many files costs few processes: openssl gets the files of a
# directory tree by the hundred.
many_files_cost_few_processes() {
	is 0 trailctl init --origin example.org/many many
	cp out many-key
	is 0 trailctl trail create many/t
	mkdir 300
	for i in $(seq 300); do
		echo "$i" >"300/$i"
	done
	is 0 trailctl attest --begin many/t/w/a 300/*
	is 0 trailctl package --no-entry -o many.zip many/t/w
	python3 -m zipfile -e many.zip unpacked
	mkdir counted
	cat >counted/openssl <<-EOF2
		#!/bin/sh
		echo >>"$work/calls"
		exec $(command -v openssl) "\$@"
	EOF2
	chmod +x counted/openssl
	PATH=$work/counted:$PATH is 0 sh "$script" "$(cat many-key)" unpacked/*
	calls=$(wc -l <calls)
	echo "$calls calls of openssl"
	[ "$calls" -ge 5 ] && [ "$calls" -le 40 ]
}

# Without a key, or with too many arguments, the script exits with 2.
wrong_usage_exits_2() {
	is 2 sh "$script"
	is 2 sh "$script" "$key" a b
}

with python3 a_genuine_package_is_there an_unreadable_file_is_no_answer \
	every_line_of_the_entries_is_compared \
	the_copy_inside_checks_its_package many_files_cost_few_processes
run wrong_usage_exits_2
finish
