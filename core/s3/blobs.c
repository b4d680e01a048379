/*
 * The engine `s3:`: blobs in a bucket.
 *   PREFIX/sha256/<64 hex>   blobs, locked for as long as the URI says
 *   PREFIX/text/NAME         named texts, locked if they are kept
 *   PREFIX/trailfs           says that this is such a store
 *
 * A store checks the digest of what it is sent, and not that the key is that
 * digest: whoever may upload can put anything under any key, before or after the
 * right bytes.  So what is there already is read before it counts as there, and
 * get looks at all versions for the right one.  `If-None-Match: *` is of no use:
 * in a bucket with versions radosgw ignores it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/mutant.h"
#include "blobs.h"
#include "object.h"
#include "probe.h"

#define DAY INT64_C(86400)
#define MARK "trailfs blobs 1\n"
#define MARK_KEY "trailfs"

struct s3_blobs {
	struct tf_blobs blobs;
	enum tf_org_how how;
	struct tf_s3 *s;
};

static struct tf_s3 *
s3_of(struct tf_blobs *b)
{
	return ((struct s3_blobs *)b)->s;
}

static void
key_of(const struct tf_hash *sha256, char out[80])
{
	strcpy(out, "sha256/");
	tf_hex(sha256->b, sizeof(sha256->b), out + 7);
}

static bool
same(const struct tf_hash *a, const struct tf_hash *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* --- a key and its versions ----------------------------------------------- */

/* Reading one key until its bytes are right. */
struct search {
	struct tf_s3 *s;
	const char *key;
	const struct tf_hash *sha256;
	int fd; /* -1: only look */
	uint64_t size;
	char seen[TF_S3_VERSION_MAX + 1]; /* a version that was tried */
	bool right;
	unsigned versions; /* that are no markers */
	bool undecided;	   /* one could not be read */
	struct tf_error why;
};

/* Read one version, or the newest (NULL).  TF_OK: look at x->right; a->status
 * says more. */
static enum tf_code
try_version(struct search *x, const char *version, struct tf_s3_answer *a,
    struct tf_error *err)
{
	struct tf_s3_request r = { .method = "GET",
		.key = x->key,
		.to_file = true,
		.into = x->fd };
	enum tf_code rc;

	if (x->fd >= 0 && ftruncate(x->fd, 0) < 0)
		return tf_fail(err, TF_IO, "truncate");
	rc = tf_s3_look(x->s, &r, version, a, err);
	x->right = rc == TF_OK && a->status == 200 &&
	    same(&a->sha256, x->sha256);
	x->size = a->length;
	return rc;
}

static enum tf_code
search_version(void *arg, const char *version, const struct tf_s3_version *v,
    bool *done, struct tf_error *err)
{
	struct search *x = arg;
	struct tf_s3_answer a = { 0 };
	enum tf_code rc;

	if (v->is_marker)
		return TF_OK;
	x->versions++;
	if (strcmp(version, x->seen) == 0)
		return TF_OK;
	rc = try_version(x, version, &a, err);
	/* One that cannot be read proves nothing of the others. */
	if (rc == TF_OK && a.status != 200 && a.status != 404 &&
	    !x->undecided) {
		(void)tf_fail(&x->why, TF_IO, "version %s of %s: %ld %s",
		    version, x->key, a.status, a.code);
		x->undecided = true;
	}
	tf_s3_answer_free(&a);
	*done = x->right;
	return rc;
}

/* On TF_OK the bytes of x->key are right, and in x->fd. */
static enum tf_code
search(struct search *x, struct tf_error *err)
{
	struct tf_s3_answer a = { 0 };
	enum tf_code rc;

	rc = try_version(x, NULL, &a, err);
	if (rc == TF_OK && a.status == 200) {
		strcpy(x->seen, a.version);
		/* Without versions there is nothing else. */
		x->versions = a.version[0] == '\0';
	}
	tf_s3_answer_free(&a);
	if (rc != TF_OK || x->right)
		return rc;
	if (TF_IS_MUTANT(TF_NEWEST_VERSION))
		return tf_fail(err, TF_NOTFOUND, "mutant");
	rc = tf_s3_each_version(x->s, x->key, search_version, x, err);
	if (rc != TF_OK || x->right)
		return rc;
	if (x->undecided)
		return tf_fail_as(err, &x->why);
	errno = 0;
	if (x->versions == 0)
		return tf_fail(err, TF_NOTFOUND, "%s is not there", x->key);
	return tf_fail(err, TF_TAMPER, "%s: no version of %u has this digest",
	    x->key, x->versions);
}

static enum tf_code
newest_version(void *arg, const char *version, const struct tf_s3_version *v,
    bool *done, struct tf_error *err)
{
	(void)err;
	if (!v->is_marker) {
		strcpy(arg, version);
		*done = true;
	}
	return TF_OK;
}

/*
 * Ask for the newest bytes of a key, past markers.  TF_OK: a->status is 2xx, or
 * 416.  TF_NOTFOUND: it never had any.
 */
static enum tf_code
look_past(struct tf_s3 *s, struct tf_s3_request *r, struct tf_s3_answer *a,
    struct tf_error *err)
{
	char version[TF_S3_VERSION_MAX + 1] = "";
	enum tf_code rc;

	rc = tf_s3_look(s, r, NULL, a, err);
	if (rc == TF_OK && a->status == 404) {
		rc = tf_s3_each_version(s, r->key, newest_version, version,
		    err);
		errno = 0;
		if (rc == TF_OK && version[0] == '\0')
			rc = tf_fail(err, TF_NOTFOUND, "%s is not there",
			    r->key);
		if (rc == TF_OK) {
			tf_s3_answer_free(a);
			rc = tf_s3_look(s, r, version, a, err);
		}
	}
	if (rc == TF_OK && a->status != 416 &&
	    (a->status < 200 || a->status >= 300))
		rc = tf_s3_refused(s, r, a, err);
	return rc;
}

/* --- the store ------------------------------------------------------------ */

/* TF_NOTFOUND: no bucket, or no mark in it. */
static enum tf_code
read_mark(struct tf_s3 *s, struct tf_error *err)
{
	struct tf_s3_request r = { .method = "GET", .key = MARK_KEY };
	const struct tf_s3_target *t = tf_s3_target(s);
	struct tf_hash sha256;
	struct search x = { .s = s,
		.key = MARK_KEY,
		.sha256 = &sha256,
		.fd = -1 };
	struct tf_s3_answer a;
	enum tf_code rc;

	tf_sha256(MARK, strlen(MARK), &sha256);
	rc = tf_s3_ask(s, &r, &a, err);
	errno = 0;
	if (strcmp(a.code, "NoSuchBucket") == 0) {
		rc = tf_fail(err, TF_NOTFOUND, "%s has no bucket %s",
		    t->endpoint, t->bucket);
	} else if (rc == TF_NOTFOUND ||
	    (rc == TF_OK &&
		!tf_str_same(tf_buf_bytes(&a.body), tf_str_of(MARK)))) {
		rc = search(&x, err);
		if (rc == TF_NOTFOUND)
			rc = tf_fail(err, TF_NOTFOUND,
			    "no blobs of trailfs in s3://%s/%s", t->bucket,
			    t->prefix);
		else if (rc == TF_TAMPER)
			rc = tf_fail(err, TF_NEWER,
			    "s3://%s/%strailfs is of another version of "
			    "trailfs",
			    t->bucket, t->prefix);
	}
	tf_s3_answer_free(&a);
	return rc;
}

static int64_t
until_of(const struct tf_s3 *s)
{
	const unsigned days = tf_s3_target(s)->retention_days;

	return days == 0 ? 0 : tf_clock_now().s + (int64_t)days * DAY;
}

static enum tf_code
s3_create(const char *uri, struct tf_error *err)
{
	struct tf_s3_upload u = { .key = MARK_KEY,
		.p = MARK,
		.n = strlen(MARK) };
	struct tf_error why;
	struct tf_s3 *s;
	enum tf_code rc;

	if ((rc = tf_s3_new(uri, &s, err)) != TF_OK)
		return rc;
	tf_sha256(MARK, strlen(MARK), &u.sha256);
	u.until = until_of(s);
	rc = read_mark(s, &why);
	if (rc == TF_NOTFOUND)
		rc = tf_s3_upload(s, &u, NULL, err);
	else if (rc != TF_OK)
		rc = tf_fail_as(err, &why);
	tf_s3_free(s);
	return rc;
}

static enum tf_code
s3_open(const char *uri, enum tf_org_how how, struct tf_blobs **out,
    struct tf_error *err)
{
	struct s3_blobs *b = calloc(1, sizeof(*b));
	enum tf_code rc;

	if (b == NULL)
		return tf_nomem(err);
	b->blobs.ops = &tf_s3_blob_ops;
	b->how = how;
	rc = tf_s3_new(uri, &b->s, err);
	if (rc == TF_OK)
		rc = read_mark(b->s, err);
	if (rc != TF_OK) {
		tf_s3_free(b->s);
		free(b);
		return rc;
	}
	*out = &b->blobs;
	return TF_OK;
}

static void
s3_close(struct tf_blobs *b)
{
	tf_s3_free(s3_of(b));
	free(b);
}

/* --- blobs ---------------------------------------------------------------- */

/* Does the lock last as long as a new one would? A tenth of the days less, at
 * most one, is as good: else each repetition would add a version. */
static bool
lasts(const struct tf_s3 *s, const struct tf_s3_answer *a, int64_t until,
    bool by_days)
{
	const struct tf_s3_target *t = tf_s3_target(s);
	int64_t slack = (int64_t)t->retention_days * DAY / 10;

	if (until == 0)
		return true;
	if (slack > DAY)
		slack = DAY;
	return a->lock >= t->mode && a->lock != TF_BLOB_UNLOCKED &&
	    a->until >= until - (by_days ? slack : 0);
}

/* Are the bytes there already, and locked long enough? Not what the store says
 * of them counts, but what is read. */
static enum tf_code
is_there(struct tf_s3 *s, const struct tf_s3_upload *u, bool by_days, bool *yes,
    struct tf_error *err)
{
	struct tf_s3_request r = { .method = "HEAD", .key = u->key };
	struct search x = { .s = s,
		.key = u->key,
		.sha256 = &u->sha256,
		.fd = -1 };
	struct tf_s3_answer a;
	enum tf_code rc;

	*yes = false;
	rc = tf_s3_look(s, &r, NULL, &a, err);
	tf_s3_answer_free(&a);
	if (rc != TF_OK || a.status != 200 || a.length != u->n ||
	    !lasts(s, &a, u->until, by_days))
		return rc;
	if (TF_IS_MUTANT(TF_BELIEVE_STORE)) {
		*yes = true;
		return TF_OK;
	}
	rc = try_version(&x, a.version[0] != '\0' ? a.version : NULL, &a, err);
	tf_s3_answer_free(&a);
	*yes = x.right;
	return rc;
}

static enum tf_code
upload(struct tf_s3 *s, const struct tf_s3_upload *u, bool by_days,
    struct tf_error *err)
{
	struct tf_error why;
	enum tf_code rc;
	bool yes;

	rc = is_there(s, u, by_days, &yes, err);
	if (rc != TF_OK || yes)
		return rc;
	if (u->n <= tf_s3_target(s)->part)
		return tf_s3_upload(s, u, NULL, err);
	rc = tf_s3_upload_parts(s, u, err);
	/* The answer to the last request may be lost. */
	if (rc != TF_OK && rc != TF_TAMPER &&
	    is_there(s, u, by_days, &yes, &why) == TF_OK && yes)
		return TF_OK;
	return rc == TF_NOTFOUND ?
	    tf_fail(err, TF_IO, "%s: the upload was dropped", u->key) :
	    rc;
}

static enum tf_code
s3_put(struct tf_blobs *b, const struct tf_hash *sha256, uint64_t size, int fd,
    int64_t retain_until, struct tf_error *err)
{
	struct tf_s3 *s = s3_of(b);
	struct tf_s3_upload u = { .sha256 = *sha256, .fd = fd, .n = size };
	struct tf_hash is;
	uint64_t bytes;
	enum tf_code rc;
	char key[80];

	if (((struct s3_blobs *)b)->how == TF_ORG_READER)
		return tf_fail(err, TF_DENIED, "opened for reading only");
	key_of(sha256, key);
	u.key = key;
	u.until = retain_until != 0 ? retain_until : until_of(s);
	if ((rc = tf_hash_fd(fd, &is, &bytes, err)) != TF_OK)
		return rc;
	if (bytes != size || !same(&is, sha256))
		return tf_fail(err, TF_TAMPER,
		    "%s is not the digest of these %llu bytes", key,
		    (unsigned long long)bytes);
	return upload(s, &u, retain_until == 0, err);
}

static enum tf_code
s3_get(struct tf_blobs *b, const struct tf_hash *sha256, int fd, uint64_t *size,
    struct tf_error *err)
{
	char key[80];
	struct search x = { .s = s3_of(b),
		.key = key,
		.sha256 = sha256,
		.fd = fd };
	enum tf_code rc;

	key_of(sha256, key);
	rc = search(&x, err);
	if (rc == TF_OK)
		*size = x.size;
	return rc;
}

static enum tf_code
s3_stat(struct tf_blobs *b, const struct tf_hash *sha256,
    struct tf_blob_info *out, struct tf_error *err)
{
	char key[80];
	struct tf_s3_request r = { .method = "HEAD", .key = key };
	struct tf_s3_answer a;
	enum tf_code rc;

	key_of(sha256, key);
	rc = look_past(s3_of(b), &r, &a, err);
	if (rc == TF_OK) {
		out->size = a.length;
		out->lock = a.until != 0 ? a.lock : TF_BLOB_UNLOCKED;
		out->until = out->lock != TF_BLOB_UNLOCKED ? a.until : 0;
	}
	tf_s3_answer_free(&a);
	return rc;
}

static enum tf_code
s3_get_range(struct tf_blobs *b, const struct tf_hash *sha256, uint64_t off,
    size_t n, struct tf_buf *out, struct tf_error *err)
{
	char key[80], range[80];
	struct tf_s3_request r = { .method = "GET",
		.key = key,
		.headers = { range },
		.max = n };
	struct tf_blob_info info;
	struct tf_s3_answer a;
	enum tf_code rc;

	key_of(sha256, key);
	if (n == 0) {
		rc = s3_stat(b, sha256, &info, err);
		if (rc == TF_OK && off > info.size)
			rc = tf_fail(err, TF_TAMPER, "%s has only %llu bytes",
			    key, (unsigned long long)info.size);
		return rc;
	}
	if (off > UINT64_MAX - n)
		return tf_fail(err, TF_TAMPER, "%s is shorter", key);
	(void)snprintf(range, sizeof(range), "range: bytes=%llu-%llu",
	    (unsigned long long)off, (unsigned long long)(off + n - 1));
	rc = look_past(s3_of(b), &r, &a, err);
	if (rc == TF_OK && (a.status == 416 || a.body.n < n))
		rc = tf_fail(err, TF_TAMPER, "%s is shorter", key);
	errno = 0;
	if (rc == TF_OK && a.status != 206 && off != 0)
		rc = tf_fail(err, TF_IO,
		    "the store sends no part of an object");
	if (rc == TF_OK) {
		tf_buf_add(out, a.body.p, a.body.n);
		rc = tf_buf_end(out, err);
	}
	tf_s3_answer_free(&a);
	return rc;
}

/* --- named texts ---------------------------------------------------------- */

static void
text_key(const char *name, char out[256])
{
	(void)snprintf(out, 256, "text/%s", name);
}

static enum tf_code
s3_fetch(struct tf_blobs *b, const char *name, size_t max, struct tf_buf *out,
    struct tf_error *err)
{
	char key[256];
	struct tf_s3_request r = { .method = "GET",
		.key = key,
		.max = max > 0 ? max : 1 };
	struct tf_s3_answer a;
	enum tf_code rc;

	if (!tf_blob_name_ok(name))
		return tf_fail(err, TF_INVALID, "no name of a text: %.60s",
		    name);
	text_key(name, key);
	rc = look_past(s3_of(b), &r, &a, err);
	errno = 0;
	if (rc == TF_OK && a.status != 200)
		rc = tf_s3_refused(s3_of(b), &r, &a, err);
	if (rc == TF_OK && a.body.n > max)
		rc = tf_fail(err, TF_TOOBIG, "%s has more than %zu bytes", name,
		    max);
	if (rc == TF_OK) {
		tf_buf_add(out, a.body.p, a.body.n);
		rc = tf_buf_end(out, err);
	}
	tf_s3_answer_free(&a);
	return rc;
}

static enum tf_code
s3_publish(struct tf_blobs *b, const char *name, const void *p, size_t n,
    bool keep, struct tf_error *err)
{
	struct tf_s3_upload u = { .p = n > 0 ? p : "", .n = n };
	struct tf_buf is = { 0 };
	enum tf_code rc;
	char key[256];

	if (((struct s3_blobs *)b)->how != TF_ORG_ORGANISER)
		return tf_fail(err, TF_DENIED, "only an organiser publishes");
	if (!tf_blob_name_ok(name))
		return tf_fail(err, TF_INVALID, "no name of a text: %.60s",
		    name);
	text_key(name, key);
	u.key = key;
	tf_sha256(u.p, n, &u.sha256);
	if (!keep)
		return tf_s3_upload(s3_of(b), &u, NULL, err);
	u.until = until_of(s3_of(b));
	/* Also what a marker hides was published once. */
	rc = s3_fetch(b, name, n, &is, err);
	if (rc == TF_OK)
		rc = is.n == n && (n == 0 || memcmp(is.p, p, n) == 0) ?
		    TF_OK :
		    tf_fail(err, TF_EXISTS, "other bytes are at %s", name);
	else if (rc == TF_TOOBIG)
		rc = tf_fail(err, TF_EXISTS, "other bytes are at %s", name);
	else if (rc == TF_NOTFOUND)
		rc = tf_s3_upload(s3_of(b), &u, NULL, err);
	tf_buf_free(&is);
	return rc;
}

static enum tf_code
s3_probe_worm(struct tf_blobs *b, enum tf_worm *verdict, struct tf_error *err)
{
	if (((struct s3_blobs *)b)->how == TF_ORG_READER)
		return tf_fail(err, TF_DENIED, "opened for reading only");
	return tf_s3_probe(s3_of(b), verdict, err);
}

const struct tf_blob_ops tf_s3_blob_ops = {
	.create = s3_create,
	.open = s3_open,
	.close = s3_close,
	.put = s3_put,
	.get = s3_get,
	.get_range = s3_get_range,
	.stat = s3_stat,
	.publish = s3_publish,
	.fetch = s3_fetch,
	.probe_worm = s3_probe_worm,
};
