/*
 * Bundles: see bundle.h.
 *
 * A part of a bundle is fetched alone, and its own digest decides.  If it is wrong
 * the whole bundle is fetched, since only the digest of a whole blob lets an
 * engine look for another version of it.
 */
#include "bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/array.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/mutant.h"

static bool
same_hash(const struct tf_hash *a, const struct tf_hash *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* Put the open bundle. */
static enum tf_code
put_open(struct tf_bundler *b, struct tf_blobs *blobs, struct tf_error *err)
{
	struct tf_str all = tf_buf_bytes(&b->bytes);
	struct tf_hash h;
	int fd;
	enum tf_code rc;

	if (b->open == b->n)
		return TF_OK;
	if ((rc = tf_buf_end(&b->bytes, err)) != TF_OK ||
	    (rc = tf_file_scratch(-1, &fd, err)) != TF_OK)
		return rc;
	tf_sha256(all.p, all.n, &h);
	rc = tf_file_pwrite(fd, all.p, all.n, 0, err);
	if (rc == TF_OK)
		rc = blobs->ops->put(blobs, &h, all.n, fd, 0, err);
	(void)close(fd); /* it has no name */
	if (rc != TF_OK)
		return rc;
	for (; b->open < b->n; b->open++)
		b->located[b->open].bundle = h;
	b->bytes.n = 0;
	return TF_OK;
}

enum tf_code
tf_bundler_add(struct tf_bundler *b, struct tf_blobs *blobs,
    const struct tf_hash *sha256, const void *p, size_t n, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; i < b->n; i++)
		if (same_hash(&b->located[i].object, sha256))
			return TF_OK;
	if (n > TF_BUNDLED_MAX || b->n == TF_LOCATED_MAX)
		return tf_fail(err, TF_USAGE, "it does not fit into a bundle");
	if (b->bytes.n + n > TF_BUNDLE_MAX)
		rc = put_open(b, blobs, err);
	if (rc != TF_OK)
		return rc;
	if (!tf_array_room(&b->located, b->n, &b->cap, sizeof(*b->located)))
		return tf_nomem(err);
	b->located[b->n++] = (struct tf_located){ .object = *sha256,
		.off = b->bytes.n,
		.len = n };
	tf_buf_add(&b->bytes, p, n);
	return tf_buf_end(&b->bytes, err);
}

enum tf_code
tf_bundler_end(struct tf_bundler *b, struct tf_blobs *blobs,
    struct tf_error *err)
{
	return put_open(b, blobs, err);
}

void
tf_bundler_free(struct tf_bundler *b)
{
	tf_buf_free(&b->bytes);
	free(b->located);
	*b = (struct tf_bundler){ 0 };
}

/* --- reading ----------------------------------------------------------------- */

enum tf_code
tf_org_locate(struct tf_ledger *l, const char *origin,
    const struct tf_hash *object, struct tf_located *out, struct tf_error *err)
{
	enum tf_code rc = l->ops->locate(l, origin, object, 1, out, err);

	if (rc == TF_OK && out->len == TF_IN_NO_BUNDLE)
		rc = tf_fail(err, TF_NOTFOUND, "the object is in no bundle");
	return rc;
}

/* Is it the object?  Then write it to fd. */
static enum tf_code
take_part(const struct tf_located *at, struct tf_str part, int fd,
    struct tf_error *err)
{
	struct tf_hash h;

	tf_sha256(part.p, part.n, &h);
	if (part.n != at->len ||
	    (!same_hash(&h, &at->object) && !TF_IS_MUTANT(TF_BELIEVE_BYTES)))
		return tf_fail(err, TF_TAMPER,
		    "a part of a bundle has other bytes than its digest says");
	return tf_file_pwrite(fd, part.p, part.n, 0, err);
}

static enum tf_code
from_range(struct tf_blobs *b, const struct tf_located *at, int fd,
    struct tf_error *err)
{
	struct tf_buf part = { 0 };
	enum tf_code rc = b->ops->get_range(b, &at->bundle, at->off,
	    (size_t)at->len, &part, err);

	if (rc == TF_OK)
		rc = take_part(at, tf_buf_bytes(&part), fd, err);
	tf_buf_free(&part);
	return rc;
}

static enum tf_code
empty(int fd, struct tf_error *err)
{
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return tf_fail(err, TF_IO, "empty a file: %s", strerror(errno));
	return TF_OK;
}

/* The bundle passes through the file of its part: who may write that may write
 * nowhere else, perhaps. */
static enum tf_code
from_whole(struct tf_blobs *b, const struct tf_located *at, int fd,
    struct tf_error *err)
{
	char *part = malloc((size_t)at->len + 1);
	uint64_t size;
	size_t got = 0;
	enum tf_code rc = part == NULL ? tf_nomem(err) : empty(fd, err), rest;

	if (rc == TF_OK)
		rc = b->ops->get(b, &at->bundle, fd, &size, err);
	if (rc == TF_OK)
		rc = tf_file_pread(fd, part, (size_t)at->len, at->off, &got,
		    err);
	rest = empty(fd, rc == TF_OK ? err : NULL);
	if (rc == TF_OK)
		rc = rest;
	if (rc == TF_OK)
		rc = take_part(at, (struct tf_str){ part, got }, fd, err);
	free(part);
	return rc;
}

enum tf_code
tf_org_object(struct tf_ledger *l, struct tf_blobs *b, const char *origin,
    const struct tf_hash *sha256, int fd, uint64_t *size, struct tf_error *err)
{
	struct tf_located at;
	enum tf_code rc = tf_org_locate(l, origin, sha256, &at, err);

	if (rc == TF_NOTFOUND)
		return b->ops->get(b, sha256, fd, size, err);
	if (rc != TF_OK)
		return rc;
	if (at.len > TF_BUNDLED_MAX || at.off > TF_BUNDLE_MAX)
		return tf_fail(err, TF_TAMPER, "no bundle is so long");
	*size = at.len;
	rc = from_range(b, &at, fd, err);
	if (rc == TF_TAMPER || rc == TF_NOTFOUND)
		rc = from_whole(b, &at, fd, err);
	/* It may be a blob of its own as well. */
	if ((rc == TF_TAMPER || rc == TF_NOTFOUND) &&
	    b->ops->get(b, sha256, fd, size, NULL) == TF_OK)
		return TF_OK;
	return rc;
}
