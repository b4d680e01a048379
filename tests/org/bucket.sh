# shellcheck shell=sh
# Requests to radosgw by curl, for suites: sourced after tests/suite.sh.  $D is the
# directory of tests/org/ceph.sh, and $https where radosgw answers.
# shellcheck disable=SC2034,SC2154 # for the suites, and theirs
empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
owner=root.keys

# api KEYS ARGUMENT...: curl, signed.
api() {
	{
		read -r key
		read -r secret
	} <"$work/$1"
	shift
	curl -s --max-time 60 --cacert "$D/ca.pem" --aws-sigv4 aws:amz:us-east-1:s3 \
		--user "$key:$secret" "$@"
}

# status_of KEYS METHOD URL [HEADER...]: of a request without a body.
status_of() {
	keys=$1 method=$2 url=$3
	shift 3
	api "$keys" -o said -w '%{http_code}' -X "$method" \
		-H "x-amz-content-sha256: $empty" "$@" "$url"
}

digest() {
	sha256sum "$1" | cut -d ' ' -f 1
}

# expect VALUE VALUE WHAT
expect() {
	[ "$1" = "$2" ] || {
		echo "$3: $1, not $2"
		cat said 2>/dev/null
		exit 1
	}
}

# make_member: root.keys and member.keys, each of a user.
make_member() {
	cp -p "$D/root.keys" "$work/root.keys"
	radosgw-admin -c "$D/ceph.conf" -n client.rgw user create --uid=member \
		--display-name=member --access-key=MEMBERKEY \
		--secret-key=membersecret >/dev/null 2>&1 || exit 1
	(umask 077 && printf 'MEMBERKEY\nmembersecret\n' >"$work/member.keys")
}

# give_rights BUCKET PREFIX: what trailfs-engines(7) gives to a member.  Without
# the Deny a member could shorten locks: it owns what it put, and radosgw asks the
# access list of the object when no policy forbids the bypass.
give_rights() {
	cat >policy <<-P
	{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam:::user/member"},
	"Action":["s3:PutObject","s3:PutObjectRetention","s3:AbortMultipartUpload"],
	"Resource":"arn:aws:s3:::$1/$2*"},
	{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam:::user/member"},
	"Action":["s3:GetObject","s3:GetObjectVersion","s3:GetObjectRetention"],
	"Resource":"arn:aws:s3:::$1/*"},
	{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam:::user/member"},
	"Action":["s3:ListBucket","s3:ListBucketVersions"],
	"Resource":"arn:aws:s3:::$1"},
	{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam:::user/member"},
	"Action":["s3:BypassGovernanceRetention","s3:DeleteObject","s3:DeleteObjectVersion","s3:PutObjectAcl","s3:PutObjectVersionAcl","s3:PutObjectLegalHold"],
	"Resource":"arn:aws:s3:::$1/*"}]}
	P
	expect "$(api $owner -o said -w '%{http_code}' -X PUT --data-binary @policy \
		-H "x-amz-content-sha256: $(digest policy)" \
		"$https/$1?policy=")" 204 'the policy'
}
