/*
 * Sparse replicas: see replica.h.  Evidence without bytes has the rows of evidence
 * whose bytes are in a file, so that the file can come at any time and nothing else
 * changes.
 */
#include <errno.h>
#include <string.h>

#include "../base/bytes.h"
#include "../store/connection.h"
#include "../store/meta.h"
#include "../store/transaction.h"
#include "replica_i.h"

bool
tf_replica_is_sparse(const struct tf_replica *r)
{
	return tf_db_is_sparse(r->db);
}

enum tf_code
tf_replica_make_sparse(struct tf_replica *r, const char *blobs,
    struct tf_error *err)
{
	enum tf_code rc = tf_db_begin(r->db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_meta_set_text(r->db, TF_META_BLOBS, blobs, err);
	if (rc == TF_OK)
		rc = tf_db_set_sparse(r->db, true, err);
	if (rc == TF_OK)
		rc = tf_db_commit(r->db, err);
	if (rc != TF_OK)
		tf_db_rollback(r->db);
	return rc;
}

enum tf_code
tf_replica_sparse_object(struct tf_replica *r, const struct tf_content *c,
    uint64_t *id, struct tf_error *err)
{
	enum tf_code rc = tf_replica_no_object(r, c, id, err);

	return rc == TF_OK ? tf_object_seal(r->db, &c->sha256, *id, err) : rc;
}

/* --- filling ------------------------------------------------------------------- */

struct filling {
	struct tf_replica *r;
	tf_replica_fill_fn fn;
	void *arg;
};

/* Redacted evidence has no bytes at the source. */
static enum tf_code
check_held(struct tf_replica *r, const struct tf_hash *h, struct tf_error *err)
{
	char hex[2 * sizeof(h->b) + 1];
	uint64_t id;
	enum tf_code rc = tf_object_find(r->db, h, &id, err);

	if (rc != TF_OK || tf_bits_has(&r->held, id))
		return rc;
	tf_hex(h->b, sizeof(h->b), hex);
	return tf_fail(err, TF_TAMPER,
	    "the object %.16s... is missing, and no redaction is recorded",
	    hex);
}

static enum tf_code
fill_one(void *arg, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	const struct filling *f = arg;
	bool there, absent = false;
	enum tf_code rc = tf_object_present(f->r->objectsfd, h, size, &there,
	    err);

	if (rc != TF_OK || there)
		return rc;
	rc = f->fn(f->arg, h, size, &absent, err);
	return rc == TF_OK && absent ? check_held(f->r, h, err) : rc;
}

enum tf_code
tf_replica_fill(struct tf_replica *r, tf_replica_fill_fn fn, void *arg,
    struct tf_error *err)
{
	struct filling f = { r, fn, arg };
	enum tf_code rc = tf_object_files(r->db, fill_one, &f, err);

	return rc == TF_OK ? tf_db_set_sparse(r->db, false, err) : rc;
}
