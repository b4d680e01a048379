/* Objects: see object.h. */
#include "object.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/time_text.h"

#define VERSIONS_MAX 100000

void
tf_s3_lock_headers(const struct tf_s3 *s, int64_t until, struct tf_s3_lock *out)
{
	char text[TF_TIME_LEN + 1];

	out->mode[0] = out->until[0] = '\0';
	if (until == 0)
		return;
	tf_time_text((struct tf_time){ .s = until }, text);
	(void)snprintf(out->mode, sizeof(out->mode),
	    "x-amz-object-lock-mode: %s",
	    tf_s3_target(s)->mode == TF_BLOB_COMPLIANCE ? "COMPLIANCE" :
							  "GOVERNANCE");
	/* Whole seconds: not every store reads a fraction. */
	(void)snprintf(out->until, sizeof(out->until),
	    "x-amz-object-lock-retain-until-date: %.19sZ", text);
}

enum tf_code
tf_s3_upload(struct tf_s3 *s, const struct tf_s3_upload *u, char *version,
    struct tf_error *err)
{
	char checksum[96];
	struct tf_s3_lock lock;
	struct tf_s3_request r = { .method = "PUT",
		.key = u->key,
		.p = u->p,
		.fd = u->fd,
		.n = u->n,
		.sha256 = &u->sha256 };
	struct tf_s3_answer a;
	enum tf_code rc;
	size_t n;

	tf_s3_lock_headers(s, u->until, &lock);
	if (u->until != 0) {
		/* Amazon wants a checksum with a lock, and keeps it. */
		n = (size_t)sprintf(checksum, "x-amz-checksum-sha256: ");
		tf_base64_text(u->sha256.b, sizeof(u->sha256.b), checksum + n);
		r.headers[0] = lock.mode;
		r.headers[1] = lock.until;
		r.headers[2] = checksum;
		r.headers[3] = "x-amz-sdk-checksum-algorithm: SHA256";
	}
	rc = tf_s3_ask(s, &r, &a, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_IO,
		    "PUT %s: not found, which says nothing", u->key);
	if (rc == TF_OK && version != NULL)
		strcpy(version, a.version);
	tf_s3_answer_free(&a);
	return rc;
}

enum tf_code
tf_s3_look(struct tf_s3 *s, struct tf_s3_request *r, const char *version,
    struct tf_s3_answer *a, struct tf_error *err)
{
	char query[TF_S3_VERSION_MAX + 16];
	enum tf_code rc;

	if (version != NULL) {
		(void)snprintf(query, sizeof(query), "versionId=%s", version);
		r->query = query;
	}
	rc = tf_s3_ask(s, r, a, err);
	r->query = NULL;
	/* An answer about this object, and not about the store. */
	if (rc != TF_OK && strcmp(a->code, "NoSuchBucket") != 0 &&
	    (a->status == 404 || a->status == 403 || a->status == 400 ||
		a->status == 405 || a->status == 416))
		return TF_OK;
	return rc;
}

/* One page of versions, from the markers of the page before. */
static enum tf_code
list(struct tf_s3 *s, const char *key, struct tf_s3_page *page,
    struct tf_error *err)
{
	char whole[512], prefix[1024], next_key[3 * TF_S3_TEXT_MAX],
	    next_version[3 * TF_S3_TEXT_MAX / 2], query[7 * TF_S3_TEXT_MAX];
	struct tf_s3_request r = { .method = "GET", .query = query };
	const bool again = page->has_more;
	struct tf_s3_answer a;
	enum tf_code rc;

	(void)snprintf(whole, sizeof(whole), "%s%s", tf_s3_target(s)->prefix,
	    key);
	if (!tf_s3_escape(whole, prefix, sizeof(prefix)) ||
	    !tf_s3_escape(page->next_key, next_key, sizeof(next_key)) ||
	    !tf_s3_escape(page->next_version, next_version,
		sizeof(next_version)))
		return tf_fail(err, TF_IO, "the store's marker is too long");
	tf_s3_page_free(page);
	/* Sorted, as the signature has them. */
	(void)snprintf(query, sizeof(query),
	    "%s%s%smax-keys=%d&prefix=%s%s%s&versions=",
	    again ? "key-marker=" : "", again ? next_key : "", again ? "&" : "",
	    TF_S3_PAGE_MAX, prefix, again ? "&version-id-marker=" : "",
	    again ? next_version : "");
	rc = tf_s3_ask(s, &r, &a, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_IO, "GET versions: not found");
	/* A store without versions does not list them. */
	if (rc != TF_OK && (a.status == 405 || a.status == 501))
		rc = TF_OK;
	else if (rc == TF_OK)
		rc = tf_s3_xml_versions(tf_buf_bytes(&a.body), whole, page,
		    err);
	tf_s3_answer_free(&a);
	return rc;
}

enum tf_code
tf_s3_each_version(struct tf_s3 *s, const char *key, tf_s3_version_fn fn,
    void *arg, struct tf_error *err)
{
	char version[TF_S3_VERSION_MAX + 1];
	struct tf_s3_page page = { 0 };
	enum tf_code rc = TF_OK;
	bool done = false;
	size_t pages = 0;

	do {
		if (++pages > VERSIONS_MAX / TF_S3_PAGE_MAX) {
			rc = tf_fail(err, TF_TAMPER,
			    "%s has more than %d versions", key, VERSIONS_MAX);
			break;
		}
		rc = list(s, key, &page, err);
		for (size_t i = 0; i < page.n && rc == TF_OK && !done; i++) {
			if (!tf_s3_escape(page.versions[i].id, version,
				sizeof(version)))
				continue;
			rc = fn(arg, version, &page.versions[i], &done, err);
		}
	} while (rc == TF_OK && !done && page.has_more);
	tf_s3_page_free(&page);
	return rc;
}
