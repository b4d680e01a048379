#!/bin/sh
# Importing from Kosli: trailctl import.
. "$(dirname "$0")/../suite.sh"

unset TRAILFS_MOUNT
TMPDIR=$work/tmp
export TMPDIR
mkdir "$TMPDIR"

# entries STORE: print its entries, except those about its opening.
entries() {
	trailctl log --json "$1" | grep -v '"type":"ledger\.' || :
}

# imports STATUS FILE...: import into the store.
imports() {
	want=$1
	shift
	is "$want" trailctl import --mount store kosli "$@"
}

# refuses STATUS PATTERN FILE...: the same, for that reason, and nothing changes.
# With status 1 the store was opened, and the ledger has two more entries.
refuses() {
	status=$1
	reason=$2
	shift 2
	[ "$status" -ne 1 ] || entries store >before
	cp store/checkpoint checkpoint.before
	imports "$status" "$@"
	complains "$reason"
	if [ "$status" -eq 1 ]; then
		entries store | cmp - before
	else
		cmp store/checkpoint checkpoint.before
	fi
	[ "$(find "$TMPDIR" -mindepth 1 | wc -l)" = 0 ]
}

# The JSON of a trail, as `kosli get trail` prints it, with rows of three
# attestations, and of two records of one of them.
files_of_kosli_are_made() {
	is 0 trailctl init --origin example.org/import store
	cp out vkey
	echo 'who: service' >who.txt
	echo 'a log' >log.txt
	tar czf evidence.tgz who.txt log.txt
	sha256sum <evidence.tgz | cut -c 1-64 >fingerprint
	python3 - "$(cat fingerprint)" <<-'EOF2'
	import json, sys
	def row(name, kind, id, status="COMPLETE", good=True):
	    return {"attestation_name": name, "attestation_type": kind,
	            "attestation_id": id, "overridden_attestation_id": None,
	            "status": status, "is_compliant": good, "unexpected": False}
	def event(name, id, at, good, **more):
	    return dict({"type": "artifact_attestation_reported",
	        "attestation_type": "junit", "attestation_id": id,
	        "template_reference_name": name, "is_compliant": good,
	        "timestamp": at, "trail_id": "t-1"}, **more)
	trail = {
	    "name": "run-1", "flow": {"name": "prod-access", "tags": {}},
	    "description": "One run\r\nof the process",
	    "created_at": 1779991839.8811657, "created_by": "ci-service",
	    "last_modified_at": 1779991850.5, "is_compliant": True,
	    "html_url": "https://kosli.example.org/prod-access/run-1",
	    "origin_url": None, "repo_ids": [], "compliance_state": "COMPLIANT",
	    "external_urls": {"wiki": {"href": "https://wiki.example.org/1",
	                               "fingerprint": None}},
	    "user_data": {"ticket": "OPS-1"},
	    "git_commit_info": {"sha1": "f44c2ab26e8e7ddbf66cb15b7db8f29e3a23dffe"},
	    "template": {"version": 1, "trail": {}, "content":
	        "version: 1\ntrail:\n  attestations:\n"
	        "    - name: user-identity\n      type: generic\n"
	        "    - name: tests\n      type: junit\n"},
	    "compliance_status": {
	        "status": "COMPLIANT", "is_compliant": True,
	        "evaluated_at": 1779991850.5, "flow_template_id": "t-1",
	        "attestations_statuses": [
	            row("user-identity", "generic", "id-2"),
	            row("tests", "junit", "id-3"),
	            row("logout", "generic", None, "MISSING", None)],
	        "artifacts_statuses": {"web": {"artifact_fingerprint": "ab" * 32,
	            "attestations_statuses": [
	            row("scan", "custom:zap", "id-4")]}}},
	    "events": [{"type": "trail_reported", "timestamp": 1779991839.8},
	               event("tests", "id-3", 1779991845.25, True),
	               event("tests", "id-5", 1779991844, False),
	               event("scan", "id-4", 1779991846.5, True,
	                     target_artifact="web")]}
	json.dump(trail, open("trail.json", "w"))
	json.dump({"data": [dict(trail, name="run-2"), dict(trail, name="run-3")],
	           "pagination": {"page": 1}}, open("list.json", "w"))
	def record(id, at, good, **more):
	    return dict({"schema_version": 2, "attestation_id": id,
	        "attestation_name": "user-identity", "attestation_type": "generic",
	        "is_compliant": good, "created_at": at,
	        "reported_by": "login-service", "flow_name": "prod-access",
	        "trail_name": "run-1", "user_data": {},
	        "annotations": {"shift": "night"}}, **more)
	json.dump([record("id-2", 1779991840.5, True,
	               evidence_archive_path="x/y/evidence.tgz",
	               evidence_archive_fingerprint=sys.argv[1]),
	           record("id-1", 1779991839.9, False)],
	          open("attestations.json", "w"))
	json.dump(record("id-2", 1779991840.5, True), open("other.json", "w"))
	EOF2
}

# Trail, attestations and evidence are there, and Kosli's verdict.
a_trail_is_imported_with_its_evidence() {
	imports 0 trail.json evidence.tgz attestations.json
	says '^imported: workflows 1, attestations 5, files 6;'
	is 0 trailctl ls store/prod-access/run-1
	for name in user-identity user-identity@2 tests tests@2 web.scan; do
		says " $name\$"
	done
	has_lines 6
	is 0 trailctl status store/prod-access/run-1
	says '^prod-access/run-1  COMPLIANT  imported$'
	says '^  user-identity .* version 2  imported$'
	says '^  tests  *COMPLETE  compliant .* imported$'
	is 0 trailctl status store/prod-access
	says '^run-1 .* COMPLIANT  *imported$'
	is 0 trailctl assert --sealed store/prod-access/run-1
	is 0 trailctl verify store
	is 0 trailctl find --type junit store
	says 'prod-access/run-1/tests'
}

# All entries of records are marked, have the importer as actor, and no time of
# Kosli's as theirs.
every_entry_is_marked() {
	entries store | jq -sr '.[] | select(.type == ("trail.created",
	    "workflow.begun", "attestation.begun", "evidence.sealed",
	    "attestation.sealed")) | [.type, .actor.uid, .imported.id,
	    (.at > "2026-11"), .imported.at // "-", .imported.by // "-"] |
	    @csv' >got
	uid=$(id -u)
	[ "$(wc -l <got)" = 18 ]
	[ "$(grep -c "^\"[a-z.]*\",$uid,\"[a-z0-9/-]*\",true," got)" = 18 ]
	[ "$(grep -c '"id-2",true,"2026-05-28T18:10:40.500000000Z","login-service"' \
		got)" = 4 ]
	# The events of the trail say when a row was reported.
	for id in '"id-5",true,"2026-05-28T18:10:44.000000000Z"' \
		'"id-3",true,"2026-05-28T18:10:45.250000000Z"' \
		'"id-4",true,"2026-05-28T18:10:46.500000000Z"'; do
		[ "$(grep -c "$id" got)" = 3 ]
	done
	grep -q '"workflow.begun",.*"2026-05-28T18:10:39.881165700Z","ci-service"' \
		got
	is 0 trailctl log --type attestation.sealed store
	says 'prod-access/run-1/tests  imported$'
	entries store | jq -r 'select(.type == "import.done") |
	    "\(.source.format) \(.source.sha256) \(.count)"' | sort >got
	{
		echo "kosli $(cat fingerprint) 1"
		echo "kosli $(sha256sum trail.json | cut -c 1-64) 10"
		echo "kosli $(sha256sum attestations.json | cut -c 1-64) 6"
	} | sort | cmp - got
}

# Claims about the workflow and the attestation are Kosli's.
claims_are_those_of_kosli() {
	is 0 trailctl status --json store/prod-access/run-1
	jq -e '.description == "One run\nof the process" and
	    .external_urls.wiki.href == "https://wiki.example.org/1" and
	    .external_urls.kosli.href ==
	    "https://kosli.example.org/prod-access/run-1" and
	    .user_data == {ticket: "OPS-1"} and
	    .annotations.kosli_compliance == "COMPLIANT" and .imported.by == "ci-service" and
	    .template.version == 1 and .compliance_status.status == "COMPLIANT"
	    and ([.compliance_status.attestations_statuses[].imported] |
	    all)' out
	entries store | jq -e -s '.[] | select(.type == "attestation.sealed" and
	    .path == "prod-access/run-1/web.scan") | .claims ==
	    {annotations: {artifact_fingerprint: ("ab" * 32)}, compliant: true,
	    type: "custom:zap"}'
	entries store | jq -e -s '.[] | select(.type == "attestation.sealed" and
	    .path == "prod-access/run-1/user-identity") | .claims ==
	    {annotations: {shift: "night"}, compliant: false, type: "generic"}'
}

# The files of a mount, the statement and the page say it too.
the_mount_shows_the_import() {
	mount store
	at=mnt/prod-access/run-1
	cmp evidence.tgz $at/user-identity@2/evidence.tgz
	jq -e '.attestation_id == "id-2" and .is_compliant' \
		$at/user-identity@2/kosli.json
	jq -e '.imported == {at: "2026-05-28T18:10:40.500000000Z",
	    by: "login-service", id: "id-2"}' \
		$at/user-identity@2/.trailfs/attestation.json
	jq -r .payload $at/user-identity@2/.trailfs/attestation.intoto.json |
		base64 -d | jq -e '.predicate.imported.id == "id-2"'
	jq -e .imported mnt/prod-access/.trailfs/status.json
	grep -q 'imported, and claimed by its source: prod-access/run-1 by' \
		$at/.trailfs/status.md
	grep -q '| imported 20' $at/.trailfs/status.md
	grep -q 'this vault did not witness it' $at/.trailfs/index.html
	grep -q '<dt>Author claimed</dt><dd><bdi>login-service</bdi>' \
		$at/.trailfs/index.html
	grep -q 'Attestation sealed, imported' $at/.trailfs/index.html
	grep -q 'run-1.*, imported</td>' mnt/prod-access/.trailfs/index.html
	grep -q 'prod-access.*, imported</td>' mnt/.trailfs/index.html
	cp "$at/.trailfs/user-data" got
	[ "$(cat got)" = '{"ticket":"OPS-1"}' ]
	unmount
}

# A package is made of it and verifies by both verifiers.
a_package_verifies() {
	is 0 trailctl package -o package.zip store/prod-access/run-1
	is 0 trailctl verify --vkey vkey package.zip
	is 0 trailctl unpack package.zip unpacked
	is 0 trailctl verify --vkey vkey unpacked/*
	is 0 find unpacked -name evidence.tgz
	has_lines 1
}

# The same files again, in another order and one by one: nothing is added.
a_second_import_adds_nothing() {
	entries store >before
	imports 0 attestations.json trail.json evidence.tgz
	says '^already imported: nothing was added$'
	imports 0 evidence.tgz attestations.json
	says '^already imported'
	is 0 trailctl import --json --mount store kosli trail.json \
		attestations.json evidence.tgz
	jq -e '.recorded == false and .attestations_before == 5' out
	entries store | cmp - before
}

# Empty answers, as of a query that finds nothing, are no import that was done.
nothing_at_all_is_refused() {
	echo '[]' >empty.json
	echo '{"data": [], "pagination": {"page": 1}}' >page.json
	is 2 trailctl import kosli --mount store empty.json
	complains 'no trails and no attestations'
	is 2 trailctl import kosli --mount store empty.json page.json
	complains 'no trails and no attestations'
	imports 0 trail.json attestations.json evidence.tgz page.json
	says '^already imported'
}

# A list of trails; TRAILFS_MOUNT names the store.
a_list_of_trails_is_imported() {
	TRAILFS_MOUNT=store is 0 trailctl import kosli list.json
	says '^imported: workflows 2, attestations 8, files 8;'
	is 0 trailctl status store/prod-access
	has_lines 3
	# One template for all three.
	[ "$(trailctl log --json --type template.set store | wc -l)" = 1 ]
}

# What trailctl kosli prints of one vault can be imported into another.
our_own_json_is_imported() {
	is 0 trailctl init --origin example.org/again again
	is 0 trailctl kosli get trail run-1 --mount store --flow prod-access \
		-o json
	cp out own.json
	is 0 trailctl import --mount again kosli own.json
	says '^imported: workflows 1, attestations 3, files 3;'
	is 0 trailctl status again/prod-access/run-1
	says 'COMPLIANT  imported$'
	is 0 trailctl verify again
}

# A slot for any type, and an artifact, whose attestations are in two lists.
slots_of_any_type_are_imported() {
	printf '%s\n' 'version: 1' 'trail:' '  attestations:' \
		'  - {name: any, type: "*"}' '  artifacts:' '  - name: app' \
		'    attestations:' '    - {name: tests, type: generic}' >any.yml
	is 0 trailctl init --origin example.org/from from
	is 0 trailctl trail create --template any.yml from/shop
	is 0 trailctl attest --begin from/shop/v1/any any.yml
	is 0 trailctl attest from/shop/v1/app.tests any.yml
	is 0 trailctl kosli get trail v1 --mount from --flow shop -o json
	cp out own.json
	is 0 trailctl init --origin example.org/to to
	is 0 trailctl import --mount to kosli own.json
	says '^imported: workflows 1, attestations 2, files 2;'
	is 0 trailctl assert to/shop/v1
}

# Zip, tar and tgz with a directory per attestation.
packages_of_evidence_are_imported() {
	mkdir -p pack/login/sub pack/command pack/empty
	echo one >pack/login/one.txt
	echo two >"pack/login/sub/two ü.txt"
	printf '\0\1' >pack/command/tty
	echo meta >pack/meta.json
	(cd pack && zip -qr ../pack.zip . && tar cf ../pack.tar . &&
		tar czf ../pack.tgz ./*)
	refuses 2 'give --flow and --trail' pack.zip
	for form in zip tar tgz; do
		is 2 trailctl import --mount store --flow old --trail "$form" \
			kosli pack.$form
		complains 'is compliant: give Kosli.s JSON too, or --compliant'
		is 0 trailctl import --mount store --flow old --trail "$form" \
			--compliant=true kosli pack.$form
		says '^imported: workflows 1, attestations 3, files 3;'
		complains '1 file is not imported, .*: meta.json$'
		is 0 trailctl import --mount store --flow old --trail "$form" \
			--compliant=true kosli pack.$form
		says '^already imported'
	done
	is 0 trailctl find --name 'two*' store
	has_lines 3
	is 0 trailctl verify store
}

# A package of the attestations that the JSON describes.
a_package_joins_its_json() {
	mkdir -p join/web.scan join/user-identity
	echo '<scan/>' >join/web.scan/scan.xml
	echo x >join/user-identity/x
	(cd join && zip -qr ../join.zip .)
	sed 's/run-1/run-4/g' trail.json >run-4.json
	imports 0 run-4.json join.zip
	says 'attestations 4, files 6;'
	sed 's/run-1/run-5/g' trail.json >run-5.json
	sed 's/run-1/run-5/g' attestations.json >att-5.json
	refuses 2 'there are 2 records of user-identity' run-5.json join.zip \
		att-5.json evidence.tgz
	is 0 trailctl verify store
}

# Evidence must be there, and be that of the record.
evidence_is_missing_or_another() {
	sed 's/run-1/run-6/g' attestations.json >att-6.json
	jq '.[0]' att-6.json >one-6.json
	refuses 1 "the evidence of user-identity is missing, .* $(cat fingerprint)" \
		one-6.json
	refuses 1 "none of the files of user-identity has the digest .*" \
		one-6.json join.zip --compliant=true
	tar czf wrong.tgz who.txt
	refuses 2 'no directory of an attestation, and no record names its' \
		one-6.json wrong.tgz
	is 0 trailctl import --mount store --missing-evidence kosli one-6.json
	entries store | jq -e -s '[.[] | select(.type == "attestation.sealed")] |
	    last | .claims.annotations.kosli_evidence == "missing"'
	refuses 2 'neither Kosli.s JSON nor an archive, and no record names' \
		who.txt
}

# What was not imported is never mixed with what was.
names_that_are_taken_are_refused() {
	is 0 trailctl trail create --steps sign store/own
	is 0 trailctl attest --begin --seal store/own/run-1/sign
	sed 's/"prod-access"/"own"/' trail.json >own.json
	refuses 1 'own/run-1 is there already, and was not imported' own.json
	# A new workflow in it is judged by the template that the trail has.
	sed 's/run-1/run-7/' own.json >own-7.json
	imports 0 own-7.json
	complains 'own/run-7 is judged by the template of own here'
	is 5 trailctl assert store/own/run-7
	[ "$(trailctl log --json --type template.set store/own | wc -l)" = 1 ]
	# The same id with another content, and another trail of the name.
	refuses 1 'user-identity@2 was imported before, from another record' \
		other.json
	sed 's/1779991839.88/1779991838.88/' trail.json >younger.json
	refuses 1 'run-1 was imported before, from another trail' younger.json
	# An older record must not become the newest version.
	jq '.[1] | .attestation_id = "id-0"' attestations.json >older.json
	refuses 1 'which is newer, was imported before' older.json
	# Somebody's own attestation in an imported workflow.
	is 0 trailctl attest --seal store/prod-access/run-2/mine
	jq '.[1] | .attestation_name = "mine" | .trail_name = "run-2"' \
		attestations.json >mine.json
	refuses 1 'mine is there already, and was not imported' mine.json
	is 0 trailctl seal store/prod-access/run-3
	jq '.[1] | .trail_name = "run-3" | .attestation_name = "late"' \
		attestations.json >late.json
	refuses 1 'run-3 is sealed: nothing can be added' late.json
	is 0 trailctl verify store
}

# A mount cannot say where a record comes from.
a_mount_is_refused() {
	mount store
	is 2 trailctl import --mount mnt kosli trail.json
	complains 'unmount .*, and name its store'
	is 3 trailctl import --mount store kosli trail.json
	complains 'mnt'
	unmount
	is 2 trailctl import other trail.json
	complains 'there is no action other'
	is 2 trailctl import kosli
}

# Archives that would reach for other files, or for all of the disk.
hostile_archives_are_refused() {
	python3 - <<-'EOF2'
	import gzip, io, tarfile, zipfile
	def tar(file, *members):
	    with tarfile.open(file, "w:gz") as t:
	        for name, kind, link in members:
	            i = tarfile.TarInfo(name)
	            i.type = kind
	            i.linkname = link
	            i.size = 2 if kind == tarfile.REGTYPE else 0
	            t.addfile(i, io.BytesIO(b"x\n"))
	R = tarfile.REGTYPE
	tar("up.tgz", ("a/../../up", R, ""))
	tar("up2.tgz", ("../up/f", R, ""))
	tar("dot.tgz", ("a/./f", R, ""))
	tar("empty.tgz", ("a//f", R, ""))
	tar("backslash.tgz", ("a/..\\f", R, ""))
	tar("absolute.tgz", ("/etc/a/f", R, ""))
	tar("symlink.tgz", ("a/f", tarfile.SYMTYPE, "/etc/passwd"))
	tar("hardlink.tgz", ("a/f", R, ""), ("a/g", tarfile.LNKTYPE, "a/f"))
	tar("fifo.tgz", ("a/f", tarfile.FIFOTYPE, ""))
	tar("device.tgz", ("a/f", tarfile.CHRTYPE, ""))
	tar("control.tgz", ("a/.trailfs/status", R, ""))
	tar("control2.tgz", (".trailfs/template.yml", R, ""))
	tar("bell.tgz", ("a/f\a", R, ""))
	tar("bidi.tgz", ("a/f\u202egpj", R, ""))
	tar("draft.tgz", (".a/f", R, ""))
	tar("version.tgz", ("a@2/f", R, ""))
	tar("long.tgz", ("a/" + "f" * 256, R, ""))
	tar("twice.tgz", ("a/f", R, ""), ("a/f", R, ""))
	tar("both.tgz", ("a/f", R, ""), ("a/f/g", R, ""), ("a/f.x", R, ""))
	tar("nothing.tgz")
	raw = tarfile.TarInfo("a/f\udcff")
	raw.size = 0
	with gzip.open("latin.tgz", "wb") as f:
	    f.write(raw.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape"))
	    f.write(bytes(1024))
	with tarfile.open("bomb.tgz", "w:gz", compresslevel=9) as t:
	    i = tarfile.TarInfo("a/zeros")
	    i.size = 80 << 20
	    t.addfile(i, io.BytesIO(bytes(i.size)))
	with tarfile.open("plain.tar", "w") as t:
	    i = tarfile.TarInfo("zeros")
	    i.size = 80 << 20
	    t.addfile(i, io.BytesIO(bytes(i.size)))
	with open("hidden.tgz", "wb") as f:
	    f.write(gzip.compress(gzip.compress(open("plain.tar", "rb").read())))
	with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as z:
	    z.writestr("a/zeros", bytes(80 << 20))
	with gzip.open("many.tgz", "wb", compresslevel=1) as f:
	    i = tarfile.TarInfo("a")
	    i.type = tarfile.DIRTYPE
	    f.write(i.tobuf() * 100001 + bytes(1024))
	open("zeros.gz", "wb").write(gzip.compress(bytes(80 << 20)))
	with zipfile.ZipFile("up.zip", "w") as z:
	    z.writestr("a/../../up", "x")
	with zipfile.ZipFile("link.zip", "w") as z:
	    i = zipfile.ZipInfo("a/f")
	    i.create_system = 3
	    i.external_attr = 0o120777 << 16
	    z.writestr(i, "/etc/passwd")
	whole = open("up.tgz", "rb").read()
	open("cut.tgz", "wb").write(open("bomb.tgz", "rb").read()[:5000])
	open("flipped.tgz", "wb").write(whole[:20] + bytes([whole[20] ^ 255]) +
	                                whole[21:])
	open("noise.tgz", "wb").write(b"\x1f\x8b\x08" + whole[:200][::-1])
	open("noise.zip", "wb").write(b"PK\3\4" + whole[::-1])
	EOF2
	(cd pack && zip -q -P secret ../secret.zip login/one.txt)
	while read -r file reason; do
		refuses 2 "$file.*$reason" --flow bad --trail bad \
			--compliant=true "$file" || {
			echo "$file"
			exit 1
		}
	done <<-'EOF2'
	up.tgz a name with \.\.
	up2.tgz a name with \.\.
	dot.tgz a part is empty, \. or
	empty.tgz a part is empty, \. or
	backslash.tgz has a backslash
	absolute.tgz the absolute name
	symlink.tgz has a link
	hardlink.tgz has a link
	fifo.tgz neither file nor directory
	device.tgz neither file nor directory
	control.tgz the reserved name
	control2.tgz the reserved name
	bell.tgz cannot be the name of evidence
	bidi.tgz cannot be the name of evidence
	draft.tgz cannot be the name of an attestation
	version.tgz cannot be the name of an attestation
	long.tgz cannot be the name of evidence
	nothing.tgz no directory of an attestation\|malformed
	zeros.gz no directory of an attestation\|malformed
	bomb.tgz unpacks to more than
	bomb.zip unpacks to more than
	hidden.tgz unpacks to more than
	many.tgz more than 100000 names
	up.zip a name with \.\.
	link.zip has a link
	cut.tgz malformed
	flipped.tgz malformed
	noise.tgz malformed
	noise.zip malformed
	secret.zip \(encrypted\|malformed\)
	EOF2
	refuses 2 'UTF-8\|cannot be the name' --flow bad --trail bad \
		--compliant=true latin.tgz
	for file in twice.tgz both.tgz; do
		refuses 2 'two files of a have the name' --flow bad --trail bad \
			--compliant=true $file
	done
	[ ! -e up ] && [ ! -e ../up ]
	entries store >before
	is 1 grep -q '"path":"bad' before
}

# JSON that costs too much, or that two readers understand differently.
hostile_json_is_refused() {
	python3 - <<-'EOF2'
	import json
	good = json.load(open("trail.json"))
	good["name"] = "bad"
	text = json.dumps(good)
	def put(name, data):
	    open(name, "wb").write(data if isinstance(data, bytes)
	                           else data.encode())
	put("deep.json", "[" * 100000 + "]" * 100000)
	put("deep2.json", '{"trail":' * 60 + text + "}" * 60)
	put("nested.json", "[[[[[[" + text + "]]]]]]")
	put("long.json", text[:-1] + ',"x":"' + "y" * (17 << 20) + '"}')
	put("values.json", "[" + "0," * (1 << 20) + "0]")
	put("twice.json", text[:-1] + ',"name":"other"}')
	put("nul.json", text.encode() + b"\0")
	put("nul2.json", text.replace('"bad"', '"b\\u0000d"'))
	put("utf8.json", text.encode().replace(b"ci-service", b"ci-\xff"))
	put("cut.json", text[:-20])
	put("two.json", text + text)
	put("empty.json", "{}")
	put("list.txt.json", "[1, 2]")
	put("name.json", text.replace('"bad"', '"../bad"'))
	put("name2.json", text.replace('"bad"', '".trailfs"'))
	put("flow.json", text.replace('"prod-access"', '"a/b"'))
	put("att.json", text.replace('"tests", "attestation_type"',
	                             '"a/b", "attestation_type"'))
	put("type.json", text.replace('"junit", "attestation_id"',
	                              '"no type", "attestation_id"'))
	put("verdict.json", text.replace(
	    '"COMPLETE", "is_compliant": true',
	    '"COMPLETE", "is_compliant": "yes"'))
	put("time.json", text.replace("1779991839.8811657", "1e300"))
	put("time2.json", text.replace("1779991839.8811657", '"yesterday"'))
	put("label.json", text.replace('"wiki"', '"a.b"'))
	put("control.json", text.replace("ci-service", "ci\\u0007"))
	put("longid.json", text.replace('"id-3"', '"' + "i" * 600 + '"'))
	put("yaml.json", text.replace("version: 1", "version: &a 1"))
	put("noflow.json", text.replace('"flow"', '"folw"'))
	good["annotations"] = {"k%d" % i: "v" for i in range(5000)}
	put("notes.json", json.dumps(good))
	good["annotations"] = None
	good["user_data"] = "z" * (2 << 20)
	put("data.json", json.dumps(good))
	put("trails.json", json.dumps([{"name": "n%d" % i, "flow": "f",
	    "template": None} for i in range(10001)]))
	EOF2
	while read -r file reason; do
		refuses 2 "$file.*$reason\|$reason" "$file" || {
			echo "$file"
			exit 1
		}
	done <<-'EOF2'
	deep.json line 1, column
	deep2.json line 1, column\|no JSON of Kosli
	nested.json no JSON of Kosli
	long.json more than 16777216 bytes
	values.json more than 16777216 bytes or 1048576 values
	twice.json line 1, column
	nul.json line 1, column
	nul2.json has a NUL
	utf8.json line 1, column
	cut.json line 1, column
	two.json line 1, column
	empty.json no JSON of Kosli
	list.txt.json no JSON of Kosli
	name.json cannot be the name of a workflow
	name2.json cannot be the name of a workflow
	flow.json cannot be the name of a trail
	att.json cannot be the name of an attestation
	type.json tests: 
	verdict.json neither true nor false
	time.json is no time
	time2.json is no time
	label.json bad: 
	control.json characters that an entry cannot hold
	longid.json more than 512 bytes
	yaml.json bad: line 1
	noflow.json does not say of which flow
	notes.json too many annotations
	data.json more than 1048576 bytes
	trails.json more than 10000 trails
	EOF2
	refuses 3 'No such file' none.json
	mkfifo pipe.json
	refuses 2 'is no regular file' pipe.json
}

# A killed import leaves whole attestations only, and the same command does the
# rest.
a_killed_import_is_completed() {
	is 0 trailctl init --origin example.org/killed killed
	python3 - <<-'EOF2'
	import json
	json.dump([{"attestation_id": "k-%d" % i, "attestation_name": "a%d" % i,
	            "attestation_type": "generic", "is_compliant": True,
	            "flow_name": "f", "trail_name": "t", "created_at": i}
	           for i in range(3000)], open("many.json", "w"))
	EOF2
	trailctl import --mount killed kosli many.json >killed.out 2>&1 &
	pid=$!
	# The file checkpoint follows the import at intervals. The first one
	# that it follows comes long before the last record.
	until [ "$(sed -n 2p killed/checkpoint)" -gt 100 ]; do
		kill -0 "$pid"
	done
	kill -9 "$pid"
	wait "$pid" || :
	entries killed >before
	begun=$(grep -c '"type":"attestation.begun"' before)
	[ "$begun" -gt 10 ]
	[ "$begun" -lt 3000 ]
	[ "$(grep -c '"type":"attestation.sealed"' before)" = "$begun" ]
	[ "$(grep -c '"type":"evidence.sealed"' before)" = "$begun" ]
	is 1 grep -q import.done before
	verifies_unsigned killed
	is 0 trailctl import --mount killed kosli many.json
	says "attestations $((3000 - begun)), .* imported before: attestations $begun\$"
	is 0 trailctl status --json killed
	never_says '"draft":[1-9]'
	is 0 trailctl verify killed
	entries killed >after
	head -n "$(wc -l <before)" after | cmp - before
	[ "$(grep -c '"type":"attestation.sealed"' after)" = 3000 ]
	[ "$(grep -c '"type":"import.done"' after)" = 1 ]
	grep -q '"count":9000,' after
}

with 'python3 jq' files_of_kosli_are_made a_trail_is_imported_with_its_evidence
with 'python3 jq' every_entry_is_marked claims_are_those_of_kosli
with 'python3 jq /dev/fuse' the_mount_shows_the_import
with 'python3 jq' a_package_verifies a_second_import_adds_nothing
with 'python3 jq' nothing_at_all_is_refused
run slots_of_any_type_are_imported
with 'python3 jq' a_list_of_trails_is_imported our_own_json_is_imported
with 'python3 jq zip' packages_of_evidence_are_imported a_package_joins_its_json
with 'python3 jq zip' evidence_is_missing_or_another
with 'python3 jq' names_that_are_taken_are_refused
with 'python3 jq /dev/fuse' a_mount_is_refused
with 'python3 zip' hostile_archives_are_refused
with 'python3' hostile_json_is_refused a_killed_import_is_completed
finish
