#!/bin/sh
# health.json of a package: when no daemon had the vault open, what its clock did,
# who verified it, what was interrupted and what was refused.
# shellcheck disable=SC2154 # $script is of suite_package.sh
. "$(dirname "$0")/../suite_package.sh"

# A vault that was closed in order, crashed with a file open, refused what would
# alter it, and was verified.
a_vault_has_a_life() {
	needs jq python3
	is 0 trailctl init --origin example.org/health store
	cp out vkey
	mount store -o settle=0
	mkdir -p mnt/t/w/a mnt/other/w/a
	echo one >mnt/t/w/a/one
	trailctl sync mnt
	! rm -f mnt/t/w/a/one 2>/dev/null || exit 1
	unmount
	is 0 trailctl verify --record store
	mount store -o settle=0
	python3 - mnt/t/w/a/cut "$(sed -n 's/.* pid \([0-9]*\)$/\1/p' store/lock)" \
		<<-'END'
	import os, sys
	fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
	os.write(fd, b'first')
	os.close(os.dup(fd))
	os.write(fd, b'second')
	os.kill(int(sys.argv[2]), 9)
	END
	unmount
	mount store -o settle=0
	echo two >mnt/t/w/a/two
	trailctl seal mnt/t/w
	unmount
}

# has FILTER VALUE: what jq finds in health.json.
has() {
	[ "$(jq -c "$1" p/t/health.json)" = "$2" ] || {
		echo "$1 is $(jq -c "$1" p/t/health.json), not $2"
		cat p/t/health.json
		exit 1
	}
}

# packed OPTION...: make a package of the trail, check it, and unpack it to p.
packed() {
	rm -rf p p.zip
	is 0 trailctl package --no-entry -o p.zip "$@" store/t
	good p.zip
	unzipped p.zip p
	is 0 sh "$script" "$(cat vkey)" p/t
	reports '^  health.json$'
}

# Sessions, gaps, denials, verifications and clock are those of the ledger.
health_says_what_the_entries_say() {
	packed
	has .sessions '{"cut":1,"daemon":2,"other":1}'
	has '[.down[].clean]' '[true,false,true]'
	has '.down[2].until' null
	has '.denied.count > 0' true
	has '.denied.sessions' 3
	has '[.verifications[] | .verdict, .all]' '["ok",true]'
	has '.verifications[0].actor.uid' "$(id -u)"
	has '[.interrupted[].path]' '["t/w/a/cut"]'
	has '.clock.observed > 0' true
	# The windows begin and end where the entries are.
	jq -r '.down[0].from' p/t/health.json >begins
	grep -F "$(cat begins)" p/t/events.jsonl | grep -q '"ledger.closed"'
	jq -r '.down[0].until' p/t/health.json >begins
	grep -F "$(cat begins)" p/t/events.jsonl | grep -q '"ledger.opened"'
}

# Of a time when nobody had the vault open, the package says that.
a_period_begins_in_the_state_it_had() {
	since=$(jq -r '.down[1].from' p/t/health.json)
	closed=$(jq -r '.down[2].from' p/t/health.json)
	packed --since "$since"
	has '.down[0].clean' false
	has '.sessions.cut' 1
	packed --since "$closed"
	has '.sessions.daemon' 0
	packed --until 2000-01-01
	has '.down' null
}

# The trail's owner learns nothing of another trail from it.
health_tells_nothing_of_other_trails() {
	packed
	! grep -r other/w p || exit 1
}

# Whoever changes what health.json says also changes the manifests.
a_forged_health_is_refused() {
	packed
	for edit in 's/"clean":false/"clean":true/' 's/"cut":1/"cut":0/' \
		's/"denied":{"count":[0-9]*/"denied":{"count":0/' \
		's/"interrupted":\[[^]]*\],//' \
		's/"verdict":"ok"/"verdict":"good"/' 's/"daemon":2/"daemon":3/' \
		's/"all":true/"all":false/' 's/"down":\[{[^}]*},/"down":[/'; do
		rm -rf f
		cp -r p f
		sed -i "$edit" f/t/health.json
		if cmp p/t/health.json f/t/health.json; then exit 1; fi
		listed_again f/t
		is 4 trailctl verify --vkey vkey f/t
		reports 'health.json: says something else than the entries'
	done
	rm -rf f
	cp -r p f
	rm f/t/health.json
	is 4 trailctl verify --vkey vkey f/t
	reports 'health.json: is missing'
}

# The form names the digests that sha256sum prints, has no script, and is refused with
# other digests or schedules.
a_certificate_is_filled_in() {
	packed
	for file in manifest-sha256.txt events.jsonl checkpoint; do
		grep -q "<code>$(sha256sum <p/t/$file | cut -c -64)</code>" \
			p/t/certificate.html
	done
	grep -q "$(sed 's/+/./g' vkey)" p/t/certificate.html
	grep -q 'a crash interrupted <bdi>t/w/a/cut</bdi>' p/t/certificate.html
	! grep -Eqi '<script|<a |href=|src=|url\(' p/t/certificate.html || exit 1
	for edit in 's/902(14)/902(15)/' 's/Files of evidence/&s/' \
		's/<code>[0-9a-f]/<code>/' 's/was cut short/ended/'; do
		rm -rf f
		cp -r p f
		sed -i "$edit" f/t/certificate.html
		if cmp p/t/certificate.html f/t/certificate.html; then exit 1; fi
		listed_again f/t
		is 4 trailctl verify --vkey vkey f/t
		reports 'certificate.html: says something else than the entries'
	done
	needs chromium pdftotext pdfinfo
	is 0 chromium --headless --no-sandbox --disable-gpu --no-first-run \
		--user-data-dir="$work/browser" --no-pdf-header-footer \
		--print-to-pdf=form.pdf p/t/certificate.html
	pages=$(pdfinfo form.pdf | sed -n 's/^Pages: *//p')
	pdftotext -layout form.pdf form
	[ "$(grep -c "Page [0-9] of $pages" form)" -eq "$pages" ]
	[ "$(grep -c 'example.org/health, .* certification' form)" -eq "$pages" ]
}

with /dev/fuse a_vault_has_a_life health_says_what_the_entries_say \
	a_period_begins_in_the_state_it_had \
	health_tells_nothing_of_other_trails a_forged_health_is_refused \
	a_certificate_is_filled_in
finish
