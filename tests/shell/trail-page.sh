#!/bin/sh
# trail-page.html: the page of a trail or a workflow to print, in the mount, in a
# package, and on paper.
. "$(dirname "$0")/../suite_package.sh"

# Many names, a hostile one and a private one; keep the pages that the mount shows.
a_trail_is_recorded() {
	is 0 trailctl init --origin example.org/paper store
	cp out vkey
	mount store -o settle=0,allow_other
	chmod 755 .
	mkdir -p mnt/t/w/a mnt/t/w/private mnt/t/late
	chmod 755 mnt/t mnt/t/w mnt/t/w/a
	chmod 700 mnt/t/w/private
	for i in $(seq 1 120); do
		echo "$i" >"mnt/t/w/a/file-$i"
	done
	echo x >"mnt/t/w/a/<script>alert(1)&'\"\\}.txt"
	echo secret >mnt/t/w/private/secret-name
	setfattr -n user.trailfs.compliant -v false mnt/t/w/a
	trailctl sync mnt
	chmod a-w mnt/t/w/a
	trailctl sync mnt
	cat mnt/t/w/.trailfs/trail-page.html >w.html
	cat mnt/t/.trailfs/trail-page.html >t.html
	head -n 3 mnt/.trailfs/checkpoint >newest
	setpriv --reuid 1001 --regid 1001 --clear-groups \
		cat mnt/t/w/.trailfs/trail-page.html >other.html || :
	[ ! -e mnt/.trailfs/trail-page.html ]
	[ ! -e mnt/t/w/a/.trailfs/trail-page.html ]
	unmount
}

# The page says what index.html says, and has no script, link or markup of a name.
the_page_is_plain() {
	for page in w.html t.html; do
		grep -q '<strong class="verdict">' $page
		! grep -Eqi '<script|<a |href=|src=|url\(|@import' $page || exit 1
	done
	grep -q 'verdict: NON-COMPLIANT' w.html
	grep -q 'verdict: 1 NON-COMPLIANT, 1 INCOMPLETE' t.html
	grep -q 'secret-name' w.html
	size=$(sed -n 2p newest)
	root=$(sed -n 3p newest | base64 -d | od -An -v -tx1 | tr -d ' \n')
	grep -q "example.org/paper, $size entries, verdict: .*root $root'" w.html
	grep -q '&lt;script&gt;alert(1)' w.html
	if [ -s other.html ]; then
		! grep -q secret-name other.html || exit 1
		grep -q 'You may not read this attestation' other.html
	fi
}

# printed PAGE SIZE WIDTH: as PDF, with a sheet of that size, on each of which are the
# checkpoint, the verdict and its number.
printed() {
	sed "s|</head>|<style>@page{size:$2}</style></head>|" "$1" >print.html
	is 0 chromium --headless --no-sandbox --disable-gpu --no-first-run \
		--user-data-dir="$work/browser" --no-pdf-header-footer \
		--print-to-pdf=page.pdf print.html
	pdfinfo page.pdf >info
	grep -q "^Page size: *$3" info
	pages=$(sed -n 's/^Pages: *//p' info)
	[ "$pages" -gt 2 ]
	for i in $(seq 1 "$pages"); do
		pdftotext -f "$i" -l "$i" -layout page.pdf sheet
		grep -q "Page $i of $pages" sheet
		grep -q 'example.org/paper, .* entries, verdict: NON-COMPLIANT' \
			sheet
		grep -q "root $root" sheet
	done
	# Nothing is cut off: each name, whole digests.
	pdftotext -layout page.pdf all
	[ "$(grep -c '^ *file-[0-9]*$\|^ *file-[0-9]*  ' all)" -eq 120 ]
	[ "$(grep -c '^ *[0-9a-f]\{64\}' all)" -eq 122 ]
}

# On paper of two sizes, each sheet can be told from those of another page.
sheets_have_checkpoint_verdict_and_number() {
	needs chromium pdftotext pdfinfo
	root=$(sed -n 3p newest | base64 -d | od -An -v -tx1 | tr -d ' \n')
	printed w.html A4 '59[45]'
	printed w.html letter '612 x 792'
}

# A package has it beside each index.html, and names it as unproven.
packages_have_the_page() {
	for path in t t/w; do
		rm -rf p
		is 0 trailctl package --no-entry -o p.zip store/$path
		good p.zip
		reports '^    trail-page.html: unproven'
		unzipped p.zip p
		(cd p && find . -name index.html) | sed 's/index.html/trail-page.html/' |
			sort >want
		(cd p && find . -name trail-page.html) | sort >have
		diff want have
		is 0 sh p/*/verify.sh "$(cat vkey)"
		reports '^  trail-page.html$'
	done
	is 0 trailctl package --no-entry -o p.zip --since 2000-01-01 store/t
	unzipped p.zip p
	[ ! -e p/t/trail-page.html ]
	[ -e p/t/workflows/w/trail-page.html ]
}

with /dev/fuse a_trail_is_recorded the_page_is_plain \
	sheets_have_checkpoint_verdict_and_number packages_have_the_page
finish
