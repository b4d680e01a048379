/*
 * An upload in parts: see object.h.  The store checks the digest of each part, and
 * not that of the whole, so the whole is hashed again with the parts that are sent.
 * Until the upload is completed there is no object.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/mutant.h"
#include "../base/time_text.h"
#include "object.h"

#define PARTS_MAX 10000 /* of S3 */
#define BLOCK 65536

static enum tf_code
begin(struct tf_s3 *s, const struct tf_s3_upload *u, char *id, size_t room,
    struct tf_error *err)
{
	char text[TF_S3_VERSION_MAX];
	struct tf_s3_request r = { .method = "POST",
		.key = u->key,
		.query = "uploads=" };
	struct tf_s3_lock lock;
	struct tf_s3_answer a;
	enum tf_code rc;

	tf_s3_lock_headers(s, u->until, &lock);
	if (u->until != 0) {
		r.headers[0] = lock.mode;
		r.headers[1] = lock.until;
	}
	rc = tf_s3_ask(s, &r, &a, err);
	if (rc == TF_OK)
		rc = tf_s3_xml_text(tf_buf_bytes(&a.body),
		    "InitiateMultipartUploadResult", "UploadId", text,
		    sizeof(text), err);
	if (rc == TF_OK && !tf_s3_escape(text, id, room))
		rc = tf_fail(err, TF_IO, "the store's upload id is too long");
	tf_s3_answer_free(&a);
	return rc;
}

/* The digest of a part; its bytes are added to that of the whole. */
static enum tf_code
hash_part(int fd, uint64_t off, uint64_t n, struct tf_sha256 *whole,
    struct tf_hash *out, struct tf_error *err)
{
	struct tf_sha256 *h = tf_sha256_new();
	enum tf_code rc = TF_OK;
	char block[BLOCK];
	size_t got;

	if (h == NULL)
		return tf_nomem(err);
	while (n > 0 && rc == TF_OK) {
		size_t want = n < sizeof(block) ? (size_t)n : sizeof(block);

		rc = tf_file_pread(fd, block, want, off, &got, err);
		if (rc == TF_OK && got < want)
			rc = tf_fail(err, TF_TAMPER,
			    "the file became shorter while it was sent");
		if (rc != TF_OK)
			break;
		tf_sha256_add(h, block, got);
		tf_sha256_add(whole, block, got);
		off += got;
		n -= got;
	}
	tf_sha256_peek(h, out);
	tf_sha256_free(h);
	return rc;
}

/* An entity tag goes into our XML. */
static bool
is_etag(const char *s)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "\"-_+/=";

	return s[0] != '\0' && s[strspn(s, letters)] == '\0';
}

static enum tf_code
send_part(struct tf_s3 *s, const struct tf_s3_upload *u, const char *id,
    unsigned number, struct tf_sha256 *whole, struct tf_buf *list,
    struct tf_error *err)
{
	const uint64_t size = tf_s3_target(s)->part;
	char query[TF_S3_VERSION_MAX + 64];
	struct tf_hash sha256;
	struct tf_s3_request r = { .method = "PUT",
		.key = u->key,
		.query = query,
		.fd = u->fd,
		.off = size * (number - 1),
		.sha256 = &sha256 };
	struct tf_s3_answer a;
	enum tf_code rc;

	r.n = u->n - r.off < size ? u->n - r.off : size;
	(void)snprintf(query, sizeof(query), "partNumber=%u&uploadId=%s",
	    number, id);
	rc = hash_part(u->fd, r.off, r.n, whole, &sha256, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_s3_ask(s, &r, &a, err);
	if (rc == TF_OK && !is_etag(a.etag))
		rc = tf_fail(err, TF_IO, "the store gave no tag for a part");
	if (rc == TF_OK)
		tf_buf_printf(list,
		    "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>",
		    number, a.etag);
	tf_s3_answer_free(&a);
	return rc;
}

static enum tf_code
complete(struct tf_s3 *s, const struct tf_s3_upload *u, const char *id,
    struct tf_buf *list, char *version, struct tf_error *err)
{
	char query[TF_S3_VERSION_MAX + 64], etag[160];
	struct tf_s3_request r = { .method = "POST",
		.key = u->key,
		.query = query };
	struct tf_hash sha256;
	struct tf_s3_answer a;
	enum tf_code rc;

	tf_buf_str(list, "</CompleteMultipartUpload>");
	if ((rc = tf_buf_end(list, err)) != TF_OK)
		return rc;
	(void)snprintf(query, sizeof(query), "uploadId=%s", id);
	tf_sha256(list->p, list->n, &sha256);
	r.p = list->p;
	r.n = list->n;
	r.sha256 = &sha256;
	rc = tf_s3_ask(s, &r, &a, err);
	/* The store begins to answer before it has succeeded: an error may come
	 * with status 200. */
	if (rc == TF_OK && !TF_IS_MUTANT(TF_BELIEVE_200))
		rc = tf_s3_xml_text(tf_buf_bytes(&a.body),
		    "CompleteMultipartUploadResult", "ETag", etag, sizeof(etag),
		    err);
	strcpy(version, a.version);
	tf_s3_answer_free(&a);
	return rc;
}

/* Set the lock of a version. */
static enum tf_code
lock_object(struct tf_s3 *s, const struct tf_s3_upload *u, const char *version,
    struct tf_error *err)
{
	char query[TF_S3_VERSION_MAX + 64], text[TF_TIME_LEN + 1], checksum[96];
	struct tf_s3_request r = { .method = "PUT",
		.key = u->key,
		.query = query,
		.headers = { checksum,
		    "x-amz-sdk-checksum-algorithm: SHA256" } };
	struct tf_buf xml = { 0 };
	struct tf_hash sha256;
	struct tf_s3_answer a = { 0 };
	enum tf_code rc;
	size_t n;

	tf_time_text((struct tf_time){ .s = u->until }, text);
	tf_buf_printf(&xml,
	    "<Retention><Mode>%s</Mode><RetainUntilDate>%.19sZ"
	    "</RetainUntilDate></Retention>",
	    tf_s3_target(s)->mode == TF_BLOB_COMPLIANCE ? "COMPLIANCE" :
							  "GOVERNANCE",
	    text);
	(void)snprintf(query, sizeof(query), "retention=&versionId=%s",
	    version);
	rc = tf_buf_end(&xml, err);
	if (rc == TF_OK) {
		tf_sha256(xml.p, xml.n, &sha256);
		n = (size_t)sprintf(checksum, "x-amz-checksum-sha256: ");
		tf_base64_text(sha256.b, sizeof(sha256.b), checksum + n);
		r.p = xml.p;
		r.n = xml.n;
		r.sha256 = &sha256;
		rc = tf_s3_ask(s, &r, &a, err);
	}
	tf_s3_answer_free(&a);
	tf_buf_free(&xml);
	return rc;
}

/*
 * The lock was asked for when the upload began, and radosgw 16.2 forgets it: look,
 * and set it again.
 */
static enum tf_code
check_lock(struct tf_s3 *s, const struct tf_s3_upload *u, const char *version,
    struct tf_error *err)
{
	struct tf_s3_request r = { .method = "HEAD", .key = u->key };
	struct tf_s3_answer a;
	enum tf_code rc = TF_OK;
	bool yes = u->until == 0;

	for (int try = 0; !yes && try < 2 && rc == TF_OK; try++) {
		rc = tf_s3_look(s, &r, version[0] != '\0' ? version : NULL, &a,
		    err);
		if (rc == TF_OK && a.status != 200)
			rc = tf_s3_refused(s, &r, &a, err);
		yes = rc == TF_OK && a.lock >= tf_s3_target(s)->mode &&
		    a.until >= u->until;
		if (rc == TF_OK && !yes && try == 0)
			rc = lock_object(s, u,
			    a.version[0] != '\0' ? a.version : "null", err);
		tf_s3_answer_free(&a);
	}
	if (rc == TF_OK && !yes)
		rc = tf_fail(err, TF_UNSUPPORTED,
		    "%s: the store does not lock what is sent in parts",
		    u->key);
	return rc;
}

/* The store would keep, and charge, the parts. */
static void
give_up(struct tf_s3 *s, const struct tf_s3_upload *u, const char *id)
{
	char query[TF_S3_VERSION_MAX + 64];
	struct tf_s3_request r = { .method = "DELETE",
		.key = u->key,
		.query = query };
	struct tf_s3_answer a;

	(void)snprintf(query, sizeof(query), "uploadId=%s", id);
	(void)!tf_s3_send(s, &r, &a, NULL);
	tf_s3_answer_free(&a);
}

enum tf_code
tf_s3_upload_parts(struct tf_s3 *s, const struct tf_s3_upload *u,
    struct tf_error *err)
{
	const uint64_t size = tf_s3_target(s)->part;
	const uint64_t parts = u->n / size + (u->n % size != 0);
	struct tf_sha256 *whole;
	struct tf_buf list = { 0 };
	char id[TF_S3_VERSION_MAX], version[TF_S3_VERSION_MAX + 1] = "";
	struct tf_hash sha256;
	enum tf_code rc;

	if (parts > PARTS_MAX)
		return tf_fail(err, TF_TOOBIG,
		    "%llu bytes are more than %d parts of %llu bytes",
		    (unsigned long long)u->n, PARTS_MAX,
		    (unsigned long long)size);
	if ((whole = tf_sha256_new()) == NULL)
		return tf_nomem(err);
	rc = begin(s, u, id, sizeof(id), err);
	if (rc != TF_OK) {
		tf_sha256_free(whole);
		return rc;
	}
	tf_buf_str(&list, "<CompleteMultipartUpload>");
	for (unsigned i = 1; i <= parts && rc == TF_OK; i++)
		rc = send_part(s, u, id, i, whole, &list, err);
	tf_sha256_peek(whole, &sha256);
	if (rc == TF_OK && memcmp(sha256.b, u->sha256.b, sizeof(sha256.b)) != 0)
		rc = tf_fail(err, TF_TAMPER,
		    "the file changed while it was sent");
	if (rc == TF_OK)
		rc = complete(s, u, id, &list, version, err);
	if (rc != TF_OK)
		give_up(s, u, id);
	else
		rc = check_lock(s, u, version, err);
	tf_buf_free(&list);
	tf_sha256_free(whole);
	return rc;
}
