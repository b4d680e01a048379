/* One object of an organisation for a copy: see fetch_i.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "../ledger/withheld.h"
#include "../org/bundle.h"
#include "fetch_i.h"
#include "replica.h"

/* Both engines write from the beginning of an empty file. */
static enum tf_code
empty(int fd, struct tf_error *err)
{
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return tf_fail(err, TF_IO, "empty a file: %s", strerror(errno));
	return TF_OK;
}

static enum tf_code
altered(const struct tf_hash *h, struct tf_error *err)
{
	char hex[2 * sizeof(h->b) + 1];

	tf_hex(h->b, sizeof(h->b), hex);
	return tf_fail(err, TF_TAMPER, "the object %.16s... is altered", hex);
}

/* Read the whole bundle, whose digest the engine checks. */
static enum tf_code
read_bundle(struct tf_fetch_run *run, const struct tf_hash *bundle,
    struct tf_error *err)
{
	struct tf_buf *b = &run->bundle_bytes;
	uint64_t size = 0;
	char *piece;
	size_t got = 0;
	enum tf_code rc = empty(run->scratch, err);

	run->bundle = *bundle;
	b->n = 0;
	if (rc == TF_OK)
		rc = run->blobs->ops->get(run->blobs, bundle, run->scratch,
		    &size, err);
	if (rc != TF_OK || size > TF_BUNDLE_MAX)
		return rc;
	if ((piece = malloc((size_t)size + 1)) == NULL)
		return tf_nomem(err);
	rc = tf_file_pread(run->scratch, piece, (size_t)size, 0, &got, err);
	if (rc == TF_OK) {
		tf_buf_add(b, piece, got);
		rc = tf_buf_end(b, err);
	}
	free(piece);
	return rc;
}

/* True if the object is in its bundle and the copy has taken it.  What is wrong
 * with the bundle is said by the attempt without this. */
static bool
take_part(struct tf_fetch_run *run, struct tf_replica *r, const char *origin,
    const struct tf_hash *h, uint64_t size, uint64_t *got)
{
	struct tf_located at;
	const struct tf_buf *b = &run->bundle_bytes;

	if (tf_org_locate(run->ledger, origin, h, &at, NULL) != TF_OK)
		return false;
	if (memcmp(&at.bundle, &run->bundle, sizeof(at.bundle)) != 0 &&
	    read_bundle(run, &at.bundle, NULL) != TF_OK)
		return false;
	*got = at.len;
	return b->n > 0 && at.len <= TF_BUNDLED_MAX && at.off <= b->n &&
	    at.len <= b->n - at.off &&
	    (size == TF_REPLICA_TEXT || size == at.len) &&
	    tf_replica_object_put(r, h, b->p + at.off, (size_t)at.len, NULL) ==
	    TF_OK;
}

/* Into a row of the batch.  The copy hashes it again. */
static enum tf_code
take_small(struct tf_fetch_run *run, struct tf_replica *r, const char *origin,
    const struct tf_hash *h, uint64_t size, uint64_t *got, struct tf_error *err)
{
	char bytes[TF_REPLICA_OBJECT_MAX];
	size_t n = 0;
	enum tf_code rc;

	if (take_part(run, r, origin, h, size, got))
		return TF_OK;
	if ((rc = empty(run->scratch, err)) == TF_OK)
		rc = tf_org_object(run->ledger, run->blobs, origin, h,
		    run->scratch, got, err);
	if (rc != TF_OK)
		return rc;
	if (*got > sizeof(bytes) || (size != TF_REPLICA_TEXT && *got != size))
		return altered(h, err);
	rc = tf_file_pread(run->scratch, bytes, (size_t)*got, 0, &n, err);
	if (rc == TF_OK && n != *got)
		rc = tf_fail(err, TF_IO, "an object became shorter");
	return rc == TF_OK ? tf_replica_object_put(r, h, bytes, n, err) : rc;
}

/* Into a file, which is durable before an entry names it.  What an earlier run left
 * of it is void. */
static enum tf_code
take_large(struct tf_fetch_run *run, struct tf_replica *r, const char *origin,
    const struct tf_hash *h, uint64_t size, uint64_t *got, struct tf_error *err)
{
	uint64_t have;
	int fd;
	enum tf_code rc = tf_replica_object_open(r, h, &fd, &have, err);

	if (rc != TF_OK)
		return rc;
	if ((rc = empty(fd, err)) == TF_OK)
		rc = tf_org_object(run->ledger, run->blobs, origin, h, fd, got,
		    err);
	if (close(fd) < 0 && rc == TF_OK)
		rc = tf_fail(err, TF_IO, "close an object: %s",
		    strerror(errno));
	return rc == TF_OK ? tf_replica_object_keep(r, h, size, err) : rc;
}

static enum tf_code
judge(enum tf_code rc, const struct tf_hash *h, uint64_t *got, bool *absent,
    const struct tf_error *why, struct tf_error *err)
{
	*absent = rc == TF_NOTFOUND;
	if (rc == TF_OK)
		return TF_OK;
	*got = 0;
	if (*absent)
		return TF_OK;
	return rc == TF_TAMPER ? altered(h, err) : tf_fail_as(err, why);
}

enum tf_code
tf_fetch_object(struct tf_fetch_run *run, struct tf_replica *r,
    const char *origin, const struct tf_hash *h, uint64_t size, uint64_t *got,
    bool *absent, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc;

	*got = 0;
	rc = size <= TF_REPLICA_OBJECT_MAX || size == TF_REPLICA_TEXT ?
	    take_small(run, r, origin, h, size, got, &why) :
	    take_large(run, r, origin, h, size, got, &why);
	return judge(rc, h, got, absent, &why, err);
}

enum tf_code
tf_fetch_file(struct tf_fetch_run *run, struct tf_replica *r,
    const char *origin, const struct tf_hash *h, uint64_t size, uint64_t *got,
    bool *absent, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc;

	*got = 0;
	rc = take_large(run, r, origin, h, size, got, &why);
	return judge(rc, h, got, absent, &why, err);
}
