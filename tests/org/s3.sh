#!/bin/sh
# The engine `s3:` with a real Ceph (tests/org/ceph.sh), with stores that answer
# badly (tests/org/bad_store.py), and with s3rver, which accepts locks and ignores
# them.  All of it runs in a network namespace of its own, for fixed ports.
# FIGURES=1 prints how long puts and gets take.  LARGE=1 puts an object of 5.1 GiB,
# for which 11 GiB must be free below TMPDIR.
if [ -z "${IN_NAMESPACE-}" ] && [ "$(id -u)" = 0 ] &&
	unshare -n true 2>/dev/null; then
	IN_NAMESPACE=1 exec unshare -n "$0" "$@"
fi
. "$(dirname "$0")/../suite.sh"
suite=tests/org/s3.sh here=$top/tests/org
. "$here/bucket.sh"
[ -z "${IN_NAMESPACE-}" ] || ip link set lo up
D=$work/ceph
patience_s=300
http=http://127.0.0.1:7480 https=https://127.0.0.1:7443

leave() {
	[ ! -d "$D" ] || "$here/ceph.sh" stop "$D"
	for f in "$work"/*.child; do
		[ ! -s "$f" ] || kill "$(cat "$f")" 2>/dev/null || :
	done
	clean_up
}
trap leave EXIT

# uri BUCKET KEYS [PARAMETERS]
uri() {
	echo "s3://$1/p?endpoint=$https&ca=$D/ca.pem&credentials=$work/$2${3-}"
}
locked='&retention=2'

# blobs WHO KEYS PARAMETERS COMMAND...: on the bucket worm.  A program, for `is`.
mkdir "$work/bin"
PATH=$work/bin:$PATH
cat >"$work/bin/blobs" <<B
#!/bin/sh
who=\$1 keys=\$2 parameters=\$3
shift 3
exec org-blobs "$(uri worm '')\$keys\$parameters" "\$who" "\$@"
B
chmod +x "$work/bin/blobs"

# upload KEYS FILE KEY [HEADER...]: without a check that KEY is the digest.
upload() {
	keys=$1 file=$2 at=$3
	shift 3
	api "$keys" -o said -w '%{http_code}' -T "$file" \
		-H "x-amz-content-sha256: $(digest "$file")" "$@" "$https/worm/$at"
}

# versions_of DIGEST: their ids, the newest first.
versions_of() {
	api $owner -w '\n' -H "x-amz-content-sha256: $empty" \
		"$https/worm?prefix=p%2Fsha256%2F$1&versions=" |
		sed 's/<Version>/\n&/g' |
		sed -n 's/^<Version>.*<VersionId>\([^<]*\)<.*/\1/p'
}

# fresh NAME: a file with bytes that no other test has; $h is its digest.
fresh() {
	{
		echo "$1"
		head -c "${2-100}" /dev/urandom
	} >"$1"
	h=$(digest "$1")
}

begin() {
	OSD_BYTES=${LARGE:+4294967296} MORE_CONF='rgw s3 auth use sts = true
rgw sts key = abcdefghijklmnop
rgw sts min session duration = 1' "$here/ceph.sh" start "$D" || exit 1
	make_member
	expect "$(status_of $owner PUT "$https/worm" \
		-H 'x-amz-bucket-object-lock-enabled: true')" 200 'the bucket'
	expect "$(status_of $owner PUT "$https/plain")" 200 'the bucket'
	give_rights worm p/sha256/
	expect "$(status_of $owner PUT "$https/pairs" \
		-H 'x-amz-bucket-object-lock-enabled: true')" 200 'the bucket'
	give_rights pairs ''
	blobs organiser $owner "$locked" create || exit 1
}

# --- what the engine keeps ------------------------------------------------

# Bytes are there once, locked for as long as the URI says, and come back.
what_was_put_comes_back_locked() {
	fresh one
	is 0 blobs member member.keys "$locked" put one
	says "$h"
	is 0 blobs reader member.keys "$locked" stat "$h"
	says "^$(stat -c %s one) governance "
	until=$(cut -d ' ' -f 3 out)
	[ "$until" -gt $(($(date +%s) + 2 * 86400 - 600)) ]
	is 0 blobs reader member.keys "$locked" get "$h" back
	cmp one back
	is 0 blobs member member.keys "$locked" put one
	expect "$(versions_of "$h" | wc -l)" 1 'versions after a second put'
	is 0 blobs reader member.keys "$locked" range "$h" 2 5
	expect "$(od -c <out)" "$(tail -c +3 one | head -c 5 | od -c)" range
	is 1 blobs reader member.keys "$locked" range "$h" 90 500
	complains '^tamper: .*shorter'
	is 1 blobs reader member.keys "$locked" range "$h" 900 5
	complains '^tamper: .*shorter'
	: >nothing
	is 0 blobs member member.keys "$locked" put nothing
	is 0 blobs reader member.keys "$locked" get "$empty" back
	cmp nothing back
}

# A lock that ends before the one that is asked for is not enough.
a_longer_lock_is_put_again() {
	fresh longer
	is 0 blobs member member.keys "$locked" put longer
	is 0 blobs member member.keys '&retention=30' put longer
	is 0 blobs reader member.keys "$locked" stat "$h"
	[ "$(cut -d ' ' -f 3 out)" -gt $(($(date +%s) + 29 * 86400)) ]
	soon=$(($(date +%s) + 40 * 86400))
	is 0 blobs member member.keys "$locked" put longer "$h" $soon
	is 0 blobs reader member.keys "$locked" stat "$h"
	says " $soon\$"
	is 0 blobs member member.keys "$locked&mode=compliance" put longer
	is 0 blobs reader member.keys "$locked" stat "$h"
	says ' compliance '
}

# Bytes that have another digest are kept by nobody.
a_wrong_digest_is_refused() {
	fresh wrong
	other=$(echo other | sha256sum | cut -d ' ' -f 1)
	is 1 blobs member member.keys "$locked" put wrong "$other"
	complains '^tamper: '
	is 1 blobs reader member.keys "$locked" get "$other" back
	complains '^not found: '
	is 1 blobs reader member.keys "$locked" stat "$other"
	complains '^not found: '
	is 1 blobs reader member.keys "$locked" put wrong
	complains '^denied: '
}

# An object above the limit goes in parts, and is locked too.
parts_become_one_locked_object() {
	fresh parts 1000000
	is 0 blobs member member.keys "$locked&part=65536" put parts
	is 0 blobs reader member.keys "$locked" stat "$h"
	says "^$(stat -c %s parts) governance "
	is 0 blobs reader member.keys "$locked" get "$h" back
	cmp parts back
	is 0 blobs member member.keys "$locked&part=65536" put parts
	expect "$(versions_of "$h" | wc -l)" 1 'versions after a second put'
	is 0 blobs member member.keys "$locked&part=65536&mode=compliance" put parts
	is 0 blobs reader member.keys "$locked" stat "$h"
	says ' compliance '
	fresh big 3000000
	is 0 blobs member member.keys "$locked" put big
	is 0 blobs reader member.keys "$locked" get "$h" back
	cmp big back
	# No upload is left that was begun.
	api $owner -H "x-amz-content-sha256: $empty" "$https/worm?uploads=" >said
	if grep -q '<UploadId>' said; then exit 1; fi
}

# What S3 takes in no single request goes in parts of the default size.
an_object_above_5_gib_comes_back() {
	for p in $(timeout 60 ceph -c "$D/ceph.conf" osd pool ls); do
		timeout 60 ceph -c "$D/ceph.conf" osd pool set "$p" size 1 \
			--yes-i-really-mean-it
	done
	truncate -s 5476083302 large
	printf end >>large
	h=$(digest large)
	patience_s=3000
	began=$(date +%s)
	is 0 blobs member member.keys "$locked" put large
	echo "put after $(($(date +%s) - began)) s"
	is 0 blobs reader member.keys "$locked" stat "$h"
	says "^$(stat -c %s large) governance "
	is 0 blobs reader member.keys "$locked" range "$h" 5476083302 3
	says '^end$'
	rm large
	is 0 blobs reader member.keys "$locked" get "$h" back
	echo "and back after $(($(date +%s) - began)) s," \
		"load $(cut -d ' ' -f 1 /proc/loadavg)"
	expect "$(digest back)" "$h" 'its digest'
	rm back
}

# Named texts: kept ones never differ, others are replaced.
texts_are_kept_or_replaced() {
	echo first >first
	echo second >second
	is 0 blobs organiser $owner "$locked" publish checkpoint first
	is 0 blobs organiser $owner "$locked" publish checkpoint second
	is 0 blobs reader member.keys "$locked" fetch checkpoint 100
	says second
	is 0 blobs organiser $owner "$locked" publish tile/0/001 first keep
	is 0 blobs organiser $owner "$locked" publish tile/0/001 first keep
	is 1 blobs organiser $owner "$locked" publish tile/0/001 second keep
	complains '^exists: '
	# Deleted, it still is what was published.
	expect "$(status_of $owner DELETE "$https/worm/p/text/tile/0/001")" 204 \
		'a delete'
	is 0 blobs reader $owner "$locked" fetch tile/0/001 100
	says first
	is 1 blobs organiser $owner "$locked" publish tile/0/001 second keep
	complains '^exists: '
	is 1 blobs reader $owner "$locked" fetch checkpoint 3
	complains '^too big: '
	is 1 blobs reader $owner "$locked" fetch no 3
	complains '^not found: '
	is 1 blobs member $owner "$locked" publish checkpoint first
	complains '^denied: '
	# With the rights of a member not by another program either.
	expect "$(upload member.keys first p/text/checkpoint)" 403 'a text'
	expect "$(upload member.keys first p/trailfs)" 403 'the mark'
}

# The cases that every engine passes: build/test-org.
it_is_like_every_engine() {
	needs test-org
	mkdir pairs
	TRAILFS_ORG_PAIRS="dir:$work/pairs/{} s3://pairs/{}?endpoint=$https&ca=$D/ca.pem&credentials=$work/member.keys$locked" \
		is 0 env CK_RUN_SUITE=blobs test-org
	says '^100%'
	# The mark of each case is in the bucket: the cases were run there.
	api $owner -H "x-amz-content-sha256: $empty" \
		"$https/pairs?list-type=2&max-keys=1000" >said
	[ "$(grep -o '/trailfs<' said | wc -l)" -ge 6 ]
}

# A vault is forwarded with the rights of a member, and its evidence is locked.
a_vault_is_forwarded_to_it() {
	org="s3://pairs/org?endpoint=$https&ca=$D/ca.pem&credentials=$work"
	# These keys may bypass a lock, so it holds nothing against them.
	is 1 trailctl org init --origin example.org/org --keys bad-keys dir:bad \
		"$org/$owner$locked"
	complains 'these credentials may bypass'
	is 0 trailctl org init --origin example.org/org --keys org-keys dir:ledger \
		"$org/member.keys$locked"
	trailctl init --origin example.org/one store >one.vkey
	is 0 trailctl trail create store/trail
	fresh small
	small=$h
	fresh large 200000
	is 0 trailctl attest --begin store/trail/run/a small large
	is 0 trailctl org enrol dir:ledger one.vkey
	is 0 trailctl forward --once store dir:ledger "$org/member.keys$locked"
	is 0 org-blobs "$org/member.keys" reader get "$h" back
	cmp large back
	is 0 org-blobs "$org/member.keys" reader stat "$h"
	says ' governance '
	# Each start has tried the lock, and all of them that of one object.
	is 0 trailctl forward --once store dir:ledger "$org/member.keys$locked"
	is 0 trailctl forward --once store dir:ledger "$org/member.keys$locked"
	trailctl doctor dir:ledger "$org/member.keys$locked" >out || :
	says '^locks *ok .*could not be deleted'
	api $owner -H "x-amz-content-sha256: $empty" \
		"$https/pairs?prefix=org%2Fsha256%2F$canary&versions=" >said
	expect "$(grep -o '<VersionId>' said | wc -l)" 1 'canaries'
	is 1 trailctl forward --once store dir:ledger "$org/$owner$locked"
	complains 'these credentials may bypass'
	# The small one is in a bundle.
	is 1 org-blobs "$org/member.keys" reader get "$small" back
	complains '^not found: '
	is 0 trailctl org publish --keys org-keys dir:ledger \
		"$org/member.keys$locked"
	is 0 org-blobs "$org/member.keys" reader fetch checkpoint 10000
	says '^example.org/org$'
	is 0 trailctl verify --vkey org-keys/log.vkey --cache copies \
		--blobs "$org/member.keys" dir:ledger
	says '^GENUINE: 1 origin, '
	is 0 trailctl doctor dir:ledger "$org/member.keys$locked"
	says '^locks *ok .*could not be deleted'
	says '^log *ok '
	is 1 trailctl doctor dir:ledger "$org/$owner$locked"
	says '^locks *wrong .*may bypass'
	# A host owns what it has put: these keys may not read the checkpoint.
	says '^log *unknown .*AccessDenied'
}

# --- enemies --------------------------------------------------------------

# Stolen credentials of a member add versions, and take nothing away.
a_member_deletes_nothing() {
	fresh mine
	is 0 blobs member member.keys "$locked" put mine
	v=$(versions_of "$h")
	at=$https/worm/p/sha256/$h
	bypass='x-amz-bypass-governance-retention: true'
	expect "$(status_of member.keys DELETE "$at")" 403 'a delete'
	expect "$(status_of member.keys DELETE "$at?versionId=$v")" 403 'a version'
	expect "$(status_of member.keys DELETE "$at?versionId=$v" -H "$bypass")" \
		403 'a bypass'
	cat >shorter <<-X
	<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>$(date -u -d '+1 hour' \
		+%FT%TZ)</RetainUntilDate></Retention>
	X
	expect "$(api member.keys -o said -w '%{http_code}' -X PUT \
		--data-binary @shorter -H "$bypass" \
		-H "x-amz-content-sha256: $(digest shorter)" \
		"$at?retention=&versionId=$v")" 403 'a shorter lock'
	expect "$(status_of member.keys DELETE "$https/worm")" 403 'the bucket'
	echo '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>' >suspend
	expect "$(api member.keys -o said -w '%{http_code}' -X PUT \
		--data-binary @suspend -H "x-amz-content-sha256: $(digest suspend)" \
		"$https/worm?versioning=")" 403 'no versions'
	expect "$(api member.keys -o said -w '%{http_code}' -X PUT \
		--data-binary @policy -H "x-amz-content-sha256: $(digest policy)" \
		"$https/worm?policy=")" 403 'the policy'
	is 0 blobs reader member.keys "$locked" get "$h" back
	cmp mine back
}

# put_other BYTES: under the digest $h, of so many bytes, locked for longer.
put_other() {
	head -c "$1" /dev/urandom >garbage
	expect "$(upload member.keys garbage "p/sha256/$h" \
		-H 'x-amz-object-lock-mode: GOVERNANCE' \
		-H "x-amz-object-lock-retain-until-date: $(date -u -d '+9 days' \
			+%FT%TZ)")" 200 'other bytes'
}

# Other bytes under the name of a digest: after the right ones, and before.
other_bytes_under_a_digest_hide_nothing() {
	fresh right
	is 0 blobs member member.keys "$locked" put right
	put_other "$(stat -c %s right)"
	is 0 blobs reader member.keys "$locked" get "$h" back
	cmp right back
	# A put sees that the newest version is another one.
	is 0 blobs member member.keys "$locked" put right
	expect "$(versions_of "$h" | wc -l)" 3 versions
	fresh later
	put_other "$(stat -c %s later)"
	is 1 blobs reader member.keys "$locked" get "$h" back
	complains '^tamper: .* no version of 1 '
	# Put now: what lies there is not the evidence.
	is 0 blobs member member.keys "$locked" put later
	put_other "$(stat -c %s later)"
	is 0 blobs reader member.keys "$locked" get "$h" back
	cmp later back
}

# More versions than a page has, all of them wrong but the first.
many_versions_are_walked() {
	fresh buried 20
	is 0 blobs member member.keys "$locked" put buried
	echo x >garbage
	{
		cat <<-C
		user = "MEMBERKEY:membersecret"
		cacert = "$D/ca.pem"
		aws-sigv4 = "aws:amz:us-east-1:s3"
		header = "x-amz-content-sha256: $(digest garbage)"
		upload-file = "$work/garbage"
		url = "$https/worm/p/sha256/$h?x=[1-120]"
		C
	} >many
	timeout 300 curl -s -o said -w '%{http_code}\n' -K many >codes
	expect "$(sort codes | uniq -c | tr -s ' ')" ' 120 200' 'uploads'
	is 0 blobs reader member.keys "$locked" get "$h" back
	cmp buried back
}

# A deletion by the owner leaves a marker, which hides nothing from get.
delete_markers_hide_nothing() {
	fresh marked
	is 0 blobs member member.keys "$locked" put marked
	expect "$(status_of $owner DELETE "$https/worm/p/sha256/$h")" 204 'a delete'
	is 0 blobs reader member.keys "$locked" get "$h" back
	cmp marked back
	is 0 blobs reader member.keys "$locked" stat "$h"
	says ' governance '
	is 0 blobs reader member.keys "$locked" range "$h" 1 5
	is 0 blobs member member.keys "$locked" put marked
	is 0 blobs reader member.keys "$locked" get "$h" back
	# The mark of the store too.
	expect "$(status_of $owner DELETE "$https/worm/p/trailfs")" 204 'a delete'
	is 0 blobs reader member.keys "$locked" get "$h" back
	expect "$(upload $owner garbage p/trailfs)" 200 'another mark'
	is 0 blobs reader member.keys "$locked" get "$h" back
}

# The canary: governance does not hold against who may bypass it.
the_probe_tells_who_holds() {
	is 0 blobs member member.keys "$locked" probe
	says '^held'
	is 0 blobs organiser $owner "$locked" probe
	says '^not held'
	is 0 blobs organiser $owner "$locked&mode=compliance" probe
	says '^held'
	is 0 blobs organiser $owner '' probe
	says '^unlocked'
	# A bucket that has no locks says so.
	is 1 org-blobs "$(uri plain $owner "$locked")" organiser create
	complains '^unsupported: .*InvalidRequest'
	is 0 org-blobs "$(uri plain $owner)" organiser create
	is 1 org-blobs "$(uri plain $owner "$locked")" organiser probe
	complains '^unsupported: .*InvalidRequest'
}

# s3rver accepts the headers of a lock, and deletes what it locked.
a_store_that_ignores_locks_is_found() {
	rver=$top/build/s3rver/node_modules/.bin/s3rver
	[ -x "$rver" ] || skip 'no s3rver from npm (.ci/setup org)'
	needs node
	mkdir "$work/rver"
	node "$rver" -d "$work/rver" -a 127.0.0.1 -p 4568 --silent \
		--configure-bucket bucket >rver.log 2>&1 &
	echo $! >"$work/rver.child"
	until_true curl -s -o /dev/null http://127.0.0.1:4568/
	(umask 077 && printf 'S3RVER\nS3RVER\n' >"$work/rver.keys")
	u="s3://bucket/p?endpoint=http://127.0.0.1:4568&credentials=$work/rver.keys"
	is 0 org-blobs "$u$locked" organiser create
	is 0 org-blobs "$u$locked" organiser probe
	says '^not held'
	is 1 trailctl org init --origin example.org/x --keys x-keys dir:x \
		"$u$locked"
	complains 'the store of the blobs ignores locks'
	is 1 trailctl doctor dir:ledger "$u$locked"
	says '^locks *wrong .*ignores locks'
}

# Whoever runs the store deletes what it has locked.  That is how Ceph is, and
# trailfs-engines(7) says it.
the_operator_of_the_store_deletes_locked_objects() {
	expect "$(status_of $owner PUT "$https/doomed" \
		-H 'x-amz-bucket-object-lock-enabled: true')" 200 'the bucket'
	u=$(uri doomed $owner '&retention=1000&mode=compliance')
	is 0 org-blobs "$u" organiser create
	fresh doomed
	is 0 org-blobs "$u" organiser put doomed
	is 0 org-blobs "$u" organiser probe
	says '^held'
	is 0 radosgw-admin -c "$D/ceph.conf" -n client.rgw bucket rm \
		--bucket=doomed --purge-objects --yes-i-really-mean-it
	is 1 org-blobs "$u" reader get "$h" back
	complains '^not found: '
}

# --- secrets, and what the URI may say ------------------------------------

# refused PATTERN URI: nothing is sent, and the reason is given.
refused() {
	is 1 org-blobs "$2" reader stat "$empty"
	complains "$1"
}

secrets_stay_in_their_file() {
	u="s3://worm/p?endpoint=$https&ca=$D/ca.pem&credentials="
	cp "$work/member.keys" open.keys
	chmod 0644 open.keys
	refused '^foreign: .*chmod 0400' "$u$work/open.keys"
	chmod 0640 open.keys
	refused '^foreign: .*chmod 0400' "$u$work/open.keys"
	ln -s member.keys link.keys
	refused '^foreign: .*symbolic link' "$u$work/link.keys"
	refused '^access: .*no such file' "$u$work/no.keys"
	(umask 077 && echo MEMBERKEY >one.keys)
	refused '^invalid: .*two lines' "$u$work/one.keys"
	(umask 077 && printf 'MEMBERKEY\nmembersecret\na\nb\n' >four.keys)
	refused '^invalid: .*two lines' "$u$work/four.keys"
	(umask 077 && printf 'MEMBERKEY\nmembersecret\nmore\n' >three.keys)
	refused '^i/o: .*credentials over' "$u$work/three.keys"
	# Ceph that asks its STS, too, answers both by AccessDenied.
	(umask 077 && printf 'MEMBERKEY\nwrongsecret\n' >wrong.keys)
	refused '^access: .* 403 ' "$u$work/wrong.keys"
	(umask 077 && printf 'NOBODY\nmembersecret\n' >nobody.keys)
	refused '^access: .* 403 ' "$u$work/nobody.keys"
	refused '^invalid: .*CREDENTIALS_DIRECTORY' \
		"s3://worm/p?endpoint=$https&ca=$D/ca.pem"
	# systemd gives them in a directory, under a name.
	mkdir credentials
	cp "$work/member.keys" credentials/s3
	chmod 0440 credentials/s3
	CREDENTIALS_DIRECTORY=$work/credentials is 0 org-blobs \
		"s3://worm/p?endpoint=$https&ca=$D/ca.pem$locked" member put one
	CREDENTIALS_DIRECTORY=$work/credentials is 0 org-blobs \
		"s3://worm/p?endpoint=$https&ca=$D/ca.pem&credentials=s3" member \
		put one
	# What the programs printed has no secret; nor has what is said on failure.
	for keys in member wrong nobody; do
		strace -f -e trace=execve -o trace env org-blobs \
			"$u$work/$keys.keys" reader stat "$empty" >out 2>err || :
		if grep -i 'membersecret\|wrongsecret' out err trace; then exit 1; fi
	done
}

# temporary FILE SECONDS [FORM]: credentials of a role, for so long, from the store's
# own STS; they replace FILE at once.
temporary() {
	printf %s "Action=AssumeRole&DurationSeconds=$2&RoleArn=arn:aws:iam:::role/host&RoleSessionName=host&Version=2011-06-15" >ask
	{
		read -r key
		read -r secret
	} <"$work/member.keys"
	curl -s --cacert "$D/ca.pem" --aws-sigv4 aws:amz:us-east-1:sts \
		--user "$key:$secret" --data-binary @ask \
		-H "x-amz-content-sha256: $(digest ask)" "$https/" >said
	echo >>said
	for field in AccessKeyId SecretAccessKey SessionToken; do
		sed -n "s|.*<$field>\([^<]*\)<.*|\1|p" said
	done >fields
	[ "$(grep -c . fields)" = 3 ] || {
		cat said
		exit 1
	}
	(
		umask 077
		if [ -n "${3-}" ]; then
			paste -d ' ' - fields <<-'F'
			aws_access_key_id =
			aws_secret_access_key =
			aws_session_token =
			F
		else
			cat fields
		fi >"$1.new"
	)
	mv "$1.new" "$1"
}

# Temporary credentials, really made by radosgw: signed with their token, read again
# when the file is replaced, and never printed.
temporary_credentials_are_read_again() {
	radosgw-admin -c "$D/ceph.conf" -n client.rgw role create --role-name=host \
		--assume-role-policy-doc='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam:::user/member"]},"Action":["sts:AssumeRole"]}]}' \
		>/dev/null 2>&1
	radosgw-admin -c "$D/ceph.conf" -n client.rgw role-policy put --role-name=host \
		--policy-name=put --policy-doc='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","s3:PutObjectRetention","s3:AbortMultipartUpload","s3:GetObject","s3:GetObjectVersion","s3:GetObjectRetention"],"Resource":["arn:aws:s3:::worm/*"]},{"Effect":"Allow","Action":["s3:ListBucket","s3:ListBucketVersions"],"Resource":["arn:aws:s3:::worm"]}]}' \
		>/dev/null 2>&1
	temporary "$work/t.keys" 900
	fresh temporary
	is 0 blobs member t.keys "$locked" put temporary
	is 0 blobs reader t.keys "$locked" get "$h" back
	cmp temporary back
	is 0 blobs reader t.keys "$locked" stat "$h"
	says ' governance '
	# Without the token, or with another one, they are nobody's.
	(umask 077 && head -n 2 t.keys >cut.keys)
	is 1 blobs reader cut.keys "$locked" get "$h" back
	complains '^access: '
	(umask 077 && { head -n 2 t.keys && sed -n '3s/..../AAAA/p' t.keys; } >other.keys)
	is 1 blobs reader other.keys "$locked" get "$h" back
	# As AWS tools write them.
	temporary "$work/aws.keys" 900 names
	is 0 blobs reader aws.keys "$locked" get "$h" back
	(umask 077 && { echo '[default]' && cat aws.keys && echo 'region = x'; } >profile.keys)
	is 0 blobs reader profile.keys "$locked" get "$h" back
	(umask 077 && { cat profile.keys && echo '[other]'; } >two.keys)
	is 1 blobs reader two.keys "$locked" get "$h" back
	complains '^invalid: .*expected'
	# They end.
	temporary "$work/short.keys" 2
	is 0 blobs reader short.keys "$locked" get "$h" back
	until_true ends_now
	complains '^i/o: .*are the temporary credentials over?'
	# A forwarder lives longer than they do, and goes on with the next ones.
	trailctl init --origin example.org/sts sts >sts.vkey
	is 0 trailctl org init --origin example.org/org --keys sts-keys dir:sts-ledger \
		"$(uri worm member.keys "$locked")"
	is 0 trailctl org enrol dir:sts-ledger sts.vkey
	trailctl forward sts dir:sts-ledger "$(uri worm short.keys "$locked")" \
		>forward.out 2>forward.err &
	echo $! >"$work/forward.child"
	fresh late
	late=$h
	is 0 trailctl trail create sts/trail
	is 0 trailctl attest --begin sts/trail/run/a late
	wait_for forward.err 'credentials over'
	temporary "$work/short.keys" 900
	until_true sent_all sts
	kill "$(cat "$work/forward.child")"
	wait "$(cat "$work/forward.child")" || :
	: >"$work/forward.child"
	# No secret and no token is in what was printed.
	for part in $(cat t.keys short.keys fields | grep ......); do
		if grep -rF -e "$part" out err forward.out forward.err; then exit 1; fi
	done
}

ends_now() {
	if blobs reader short.keys "$locked" get "$h" back >out 2>err; then
		false
	fi
}

# sent_all NAME: the ledger dir:NAME-ledger has all of the store NAME.
sent_all() {
	[ "$(trailctl org list "dir:$1-ledger" | sed -n "s/^example.org.$1: \([0-9]*\) .*/\1/p")" = \
		"$(trailctl log "$1" | wc -l)" ]
}

a_wrong_uri_says_what_is_wrong() {
	k="&credentials=$work/member.keys"
	refused '^invalid: .*only https leaves' "s3://worm/p?endpoint=http://example.org$k"
	refused '^invalid: .*only https leaves' \
		"s3://worm/p?endpoint=http://127.0.0.1.example.org$k"
	refused '^invalid: ' "s3://worm/p?endpoint=http://a@127.0.0.1$k"
	refused '^invalid: ' "s3://worm/p?endpoint=ftp://127.0.0.1$k"
	refused '^invalid: .*retention=DAYS' "s3://worm/p?mode=compliance$k"
	refused '^invalid: .*retention=0' "s3://worm/p?retention=0$k"
	refused '^invalid: .*retention=' "s3://worm/p?retention=99999$k"
	refused '^invalid: .*mode=' "s3://worm/p?retention=1&mode=no$k"
	refused '^invalid: .*no parameter wrong' "s3://worm/p?wrong=1$k"
	refused '^invalid: ' "s3://worm/../p?retention=1$k"
	refused '^invalid: ' "s3://w?retention=1$k"
	refused '^invalid: .*part=' "s3://worm/p?part=1$k"
	# An authority that we do not know.
	refused '^i/o: .*certificate' "s3://worm/p?endpoint=$https$k"
	refused '^i/o: .*127.0.0.1:1' "s3://worm/p?endpoint=https://127.0.0.1:1$k"
	refused '^not found: .*no bucket' \
		"s3://nosuch/p?endpoint=$https&ca=$D/ca.pem&credentials=$work/$owner"
	refused '^not found: .*no blobs of trailfs' \
		"s3://worm/q?endpoint=$https&ca=$D/ca.pem&credentials=$work/$owner"
}

# A plug-in of another version is refused, and the program ends in order.
another_version_is_refused() {
	needs python3 nm
	mkdir other
	cp "$BUILD/org-blobs" "$BUILD/trailfs-s3.so" other
	python3 - other/trailfs-s3.so "$(nm -D other/trailfs-s3.so |
		sed -n 's/ .* tf_engine$//p')" <<-'EOF'
	import struct, sys
	with open(sys.argv[1], "r+b") as f:
	    elf, at = f.read(), int(sys.argv[2], 16)
	    first, size, n = struct.unpack_from("<Q14xHH", elf, 32)
	    for i in range(n):
	        kind, _, off, virtual, _, bytes = struct.unpack_from(
	            "<IIQQQQ", elf, first + i * size)
	        if kind == 1 and virtual <= at < virtual + bytes:
	            f.seek(at - virtual + off)
	            f.write(struct.pack("<I", 999))
	EOF
	is 1 other/org-blobs s3://abc/p reader probe
	complains '^newer: .*another version'
}

# --- stores that answer badly ---------------------------------------------

start_bad() {
	[ ! -s "$work/bad.child" ] || return 0
	: >requests
	python3 "$here/bad_store.py" 4569 requests >bad.log 2>&1 &
	echo $! >"$work/bad.child"
	until_true curl -s -o /dev/null http://127.0.0.1:4569/up/trailfs
}

bad() {
	echo "s3://$1/p?endpoint=http://127.0.0.1:4569&credentials=$work/member.keys${2-}"
}

# asked METHOD-AND-PATTERN: how often.
asked() {
	grep -c "$1" requests || :
}

bad_answers_give_errors() {
	start_bad
	for how in garbage nothing page doctype endless flood; do
		rm -f back
		is 1 org-blobs "$(bad $how)" reader get "$empty" back
		case $how in
		endless) complains '^tamper: .*more than 100000 versions' ;;
		flood) complains '^too big: ' ;;
		*) complains "^i/o: .*not what S3 answers" ;;
		esac
	done
	[ "$(asked 'GET /endless?')" -le 1001 ]
	is 1 org-blobs "$(bad truncates)" reader get "$empty" back
	complains '^i/o: '
	is 1 org-blobs "$(bad truncates)" reader get "$empty" /dev/full
	complains '^i/o: truncate'
	is 1 org-blobs "$(bad redirects)" reader get "$empty" back
	complains '^i/o: .*redirected to http://127.0.0.1:9/elsewhere'
	is 1 org-blobs "$(bad denies)" reader get "$empty" back
	complains '^access: .*AccessDenied'
	# Three times, and no more.
	is 1 org-blobs "$(bad fails)" member put one
	complains '^i/o: .*500'
	expect "$(asked '/fails/p/sha256')" 3 'requests'
	# An overloaded store is asked again, after a pause of our own choice.
	is 0 org-blobs "$(bad busy)" member put one
	is 1 org-blobs "$(bad hangs '&stall=1')" reader get "$empty" back
	complains '^i/o: '
	expect "$(asked '/hangs/p/sha256')" 1 'requests'
}

canary=$(echo 'trailfs tries to delete this' | sha256sum | cut -d ' ' -f 1)

# The forwarder tries before it sends anything: a store that says that it has locked
# the canary, and deletes it, gets no evidence.
a_store_that_only_says_it_locks_gets_nothing() {
	start_bad
	trailctl init --origin example.org/kept kept >kept.vkey
	is 0 trailctl trail create kept/trail
	fresh unlocked 100000
	is 0 trailctl attest --begin kept/trail/run/a unlocked
	is 0 trailctl org init --origin example.org/org --keys kept-keys \
		dir:kept-ledger dir:kept-blobs
	is 0 trailctl org enrol dir:kept-ledger kept.vkey
	is 1 trailctl forward --once kept dir:kept-ledger "$(bad pretends "$locked")"
	complains 'the store of the blobs ignores locks'
	is 1 trailctl forward kept dir:kept-ledger "$(bad pretends "$locked")"
	complains 'the store of the blobs ignores locks'
	is 0 trailctl status --json kept
	says '"failed":{[^}]*"final":true'
	says '"why":"[^}]*ignores locks'
	expect "$(asked "PUT /pretends/p/sha256/$canary\$")" 2 'locked canaries'
	expect "$(asked 'PUT /pretends/p/')" 2 'uploads'
	is 0 trailctl org list dir:kept-ledger
	says '^example.org/kept: 0 entries'
	# Without a lock in the URI it is a store like any other.
	is 0 trailctl forward --once kept dir:kept-ledger "$(bad pretends)"
	expect "$(asked "PUT /pretends/p/sha256/$h\$")" 1 'upload of the evidence'
	sent_all kept
}

# serve_tls DAYS SAN: such a store behind TLS, whose certificate is of our authority
# and ends after so many days.
serve_tls() {
	[ ! -s "$work/tls.child" ] || kill "$(cat "$work/tls.child")"
	openssl req -newkey rsa:2048 -nodes -keyout tls.key -out tls.csr \
		-subj /CN=store 2>/dev/null
	echo "subjectAltName=$2" >tls.ext
	openssl x509 -req -in tls.csr -CA "$D/ca.pem" -CAkey "$D/ca.key" \
		-set_serial "0x$(openssl rand -hex 8)" -days "$1" -extfile tls.ext \
		-out tls.crt 2>/dev/null
	cat tls.key tls.crt >tls.pem
	until_true port_is_free
	python3 "$here/bad_store.py" 4570 tls.requests tls.pem >tls.log 2>&1 &
	echo $! >"$work/tls.child"
	until_true curl -k -s -o /dev/null https://127.0.0.1:4570/up/trailfs
	: >tls.requests
}
port_is_free() { [ -z "$(ss -Hltn 'sport = :4570')" ]; }

# gets_nothing PATTERN: the forwarder sends no request to it, and says why.
gets_nothing() {
	is 3 trailctl forward --once tls dir:tls-ledger "$u"
	complains "$1"
	[ ! -s tls.requests ]
	is 0 trailctl status --json tls
	says "\"why\":\"[^}]*$1"
}

# A store whose certificate has ended, or is of another name, is sent nothing; when
# it has another one, all that waited arrives.
a_store_with_a_bad_certificate_gets_nothing() {
	needs ss openssl
	u="s3://kept/p?endpoint=https://127.0.0.1:4570&ca=$D/ca.pem&credentials=$work/member.keys"
	trailctl init --origin example.org/tls tls >tls.vkey
	is 0 trailctl trail create tls/trail
	fresh behind 100000
	is 0 trailctl attest --begin tls/trail/run/a behind
	serve_tls 1 IP:127.0.0.1
	is 0 trailctl org init --origin example.org/org --keys tls-keys \
		dir:tls-ledger "$u"
	is 0 trailctl org enrol dir:tls-ledger tls.vkey
	serve_tls -1 IP:127.0.0.1
	gets_nothing 'certificate has expired'
	serve_tls 1 DNS:other.example
	gets_nothing 'no alternative certificate subject name matches'
	serve_tls 1 IP:127.0.0.1
	is 0 trailctl forward --once tls dir:tls-ledger "$u"
	sent_all tls
	grep -q "^PUT /kept/p/sha256/$h\$" tls.requests
}

# What a store only says it has is not there.
a_store_that_lies_is_not_believed() {
	start_bad
	fresh lied
	is 0 org-blobs "$(bad lies)" member put lied
	is 0 org-blobs "$(bad lies)" member put lied
	expect "$(asked "PUT /lies/p/sha256/$h")" 2 'uploads'
	is 1 org-blobs "$(bad lies)" reader get "$h" back
	complains '^tamper: '
	# The last answer to an upload in parts is an error with status 200.
	fresh cut 200000
	is 1 org-blobs "$(bad empty200 '&part=65536')" member put cut
	complains '^i/o: .*not what S3 answers'
	expect "$(asked "DELETE /empty200/p/sha256/$h?uploadId=u")" 1 'a clean-up'
}

# --- faults ---------------------------------------------------------------

# pid_of NAME: of a process of Ceph.
pid_of() {
	cat "$D/run/$1.pid"
}

# running NUMBER BYTES SEED: a run in the background.
running() {
	blobs member member.keys "$locked" run "$1" "$2" "$3" >acked 2>run.log &
	echo $! >"$work/run.child"
	wait_for acked .
}

# All that was acknowledged is there.
nothing_is_lost() {
	wait "$(cat "$work/run.child")" || :
	cat run.log
	[ -s acked ]
	is 0 blobs reader member.keys "$locked" check <acked
	cat err
}

# An OSD is killed during a run: no put fails.
a_killed_osd_loses_nothing() {
	running 300 4096 1
	kill -9 "$(pid_of osd.1)"
	nothing_is_lost
	grep -q '^put 300 of 300' run.log
	"$here/ceph.sh" restart "$D" osd.1
}

# An OSD stands still: puts wait, or fail and say so.
a_stopped_osd_loses_nothing() {
	running 150 4096 2
	kill -STOP "$(pid_of osd.2)"
	sleep 10
	kill -CONT "$(pid_of osd.2)"
	nothing_is_lost
}

# radosgw is killed in the middle of puts, and started again.
a_killed_radosgw_loses_nothing() {
	for seed in 3 4 5; do
		running 12 4000000 $seed
		kill -9 "$(pid_of client.rgw)"
		# A put fails, and says so.
		wait_for run.log '^i/o: '
		"$here/ceph.sh" restart "$D" client.rgw
		nothing_is_lost
		# What was not acknowledged is simply put again.
		is 0 blobs member member.keys "$locked" run 12 4000000 $seed
		complains '^put 12 of 12'
	done
}

# --- figures --------------------------------------------------------------

# figure WHAT URI NUMBER BYTES SEED
figure() {
	org-blobs "$2" organiser run "$3" "$4" "$5" >acked 2>run.log
	org-blobs "$2" reader check <acked 2>>run.log
	echo "FIGURE $1, $4 bytes: $(tr '\n' ';' <run.log)"
}

how_long_it_takes() {
	[ -n "${FIGURES-}" ] || skip 'without FIGURES=1'
	cat /proc/loadavg
	plain="s3://worm/p?endpoint=$http&credentials=$work/$owner"
	org-blobs "dir:$work/dir" organiser create
	for round in 1 2 3; do
		figure dir "dir:$work/dir" 200 4096 "1$round"
		figure 's3 http unlocked' "$plain" 200 4096 "2$round"
		figure 's3 http locked' "$plain$locked" 200 4096 "3$round"
		figure 's3 https locked' "$(uri worm $owner "$locked")" 200 4096 \
			"4$round"
		figure dir "dir:$work/dir" 30 1048576 "5$round"
		figure 's3 https locked' "$(uri worm $owner "$locked")" 30 1048576 \
			"6$round"
	done
	cat /proc/loadavg
}

tests='what_was_put_comes_back_locked a_longer_lock_is_put_again
	a_wrong_digest_is_refused parts_become_one_locked_object
	texts_are_kept_or_replaced it_is_like_every_engine
	a_vault_is_forwarded_to_it a_member_deletes_nothing
	other_bytes_under_a_digest_hide_nothing many_versions_are_walked
	delete_markers_hide_nothing the_probe_tells_who_holds
	a_store_that_ignores_locks_is_found
	secrets_stay_in_their_file temporary_credentials_are_read_again a_wrong_uri_says_what_is_wrong
	another_version_is_refused
	bad_answers_give_errors a_store_that_lies_is_not_believed
	a_store_that_only_says_it_locks_gets_nothing
	a_store_with_a_bad_certificate_gets_nothing
	a_killed_osd_loses_nothing a_stopped_osd_loses_nothing
	a_killed_radosgw_loses_nothing
	the_operator_of_the_store_deletes_locked_objects'
[ -z "${FIGURES-}" ] || tests="$tests how_long_it_takes"
[ -z "${LARGE-}" ] || tests="$tests an_object_above_5_gib_comes_back"
if [ -n "${ONLY-}" ]; then tests=$ONLY; fi
show_output=${FIGURES-}${LARGE-}
if [ -z "${IN_NAMESPACE-}" ]; then
	lacking='root, and namespaces of the network'
elif [ ! -e "$BUILD/trailfs-s3.so" ]; then
	lacking='trailfs-s3.so: no libcurl'
else
	lacking=$("$here/ceph.sh" has) && lacking=
fi
if [ -n "$lacking" ]; then
	# shellcheck disable=SC2086 # a list
	skipped "$lacking" $tests
else
	(begin) || {
		checks=1 failures=1
		finish
		exit 1
	}
	# shellcheck disable=SC2086 # a list
	run $tests
fi
finish
