/*
 * Hashes the contents of a store.  Content is in the database or in objects/.
 *
 * The row of an object is checked before its bytes: it must have the size and
 * the digest of the entry.  Only then are the bytes read, by a thread with its
 * own connection, as SQLite's connections are not shared.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/crypto.h"
#include "../ledger/entry.h"
#include "../ledger/verify_run.h"
#include "../store/connection.h"
#include "../store/objects.h"
#include "../verify.h"
#include "audit.h"
#include "file.h"
#include "findings.h"
#include "pool.h"
#include "store_contents.h"
#include "store_i.h"

enum tf_code
tf_audit_store_begin_thread(void *arg, void **self, struct tf_error *err)
{
	struct tf_audit_store *s = arg;
	struct tf_db *db;
	enum tf_code rc = tf_db_open(s->db_path, TF_DB_READ, &db, err);

	*self = db;
	return rc;
}

void
tf_audit_store_end_thread(void *self)
{
	tf_db_close(self);
}

/* Take the digest on trust, but not the size. */
static enum tf_code
size_only(int fd, const struct tf_content *want, struct tf_hash *h,
    uint64_t *size, struct tf_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return tf_fail(err, TF_IO, "stat an object");
	*size = (uint64_t)st.st_size;
	memset(h, 0, sizeof(*h));
	if (*size == want->size)
		*h = want->sha256;
	return TF_OK;
}

enum tf_code
tf_audit_store_hash(void *arg, void *self, const struct tf_task *t,
    struct tf_hash *h, uint64_t *size, struct tf_error *err)
{
	struct tf_audit_store *s = arg;
	struct tf_object_row o;
	struct tf_buf body = { 0 };
	enum tf_code rc;
	int fd;

	/* tf_audit_store_content() found this row, in the same database. */
	rc = tf_object_get(self, t->object, &o, &body, err);
	if (rc == TF_OK && o.is_inline) {
		tf_sha256(body.p, body.n, h);
		*size = body.n;
	} else if (rc == TF_OK &&
	    (rc = tf_object_open(s->objectsfd, &t->want.sha256, &fd, err)) ==
		TF_OK) {
		rc = s->sizes ?
		    size_only(fd, &t->want, h, size, err) :
		    tf_audit_hash(fd, &t->want, t->where, h, size, err);
		(void)close(fd);
	}
	tf_buf_free(&body);
	return rc;
}

/* Do not read the bytes; that the file is there costs little to find out. */
static enum tf_code
leave_unread(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_content *want, const struct tf_object_row *o,
    struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	uint64_t ino = 1;
	enum tf_code rc = o->is_inline ?
	    TF_OK :
	    tf_object_inode(s->objectsfd, &want->sha256, &ino, err);

	if (rc != TF_OK)
		return rc;
	if (ino == 0)
		tf_audit_absent(a, e->seq, e->path, NULL, want, true,
		    "missing: its object file is not there");
	a->r->unread += e->type == TF_EVIDENCE_SEALED;
	return TF_OK;
}

/* Of a sparse store: are the bytes of this evidence absent, as most are? */
static enum tf_code
is_absent(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_object_row *o, bool *absent, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	uint64_t ino = 1;
	enum tf_code rc = TF_OK;

	if (e->type == TF_EVIDENCE_SEALED && !o->is_inline &&
	    tf_db_is_sparse(s->db))
		rc = tf_object_inode(s->objectsfd, &o->sha256, &ino, err);
	*absent = rc == TF_OK && ino == 0;
	a->r->absent += *absent;
	return rc;
}

enum tf_code
tf_audit_store_content(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_content *want, uint64_t object, struct tf_error *err)
{
	struct tf_audit_store *s = a->self;
	/* The bytes of the other object are hashed for its own entry only. */
	static const struct tf_content unknown = { .size = UINT64_MAX };
	struct tf_object_row o;
	bool absent;
	enum tf_code rc = tf_object_get(s->db, object, &o, NULL, err);

	if (rc == TF_NOTFOUND) {
		tf_audit_bytes(a, TF_GRADE_WRONG, e->seq, e->path, want, NULL,
		    "missing: the database has no object for it");
		return TF_OK;
	}
	if (rc != TF_OK)
		return rc;
	if (o.size != want->size ||
	    memcmp(&o.sha256, &want->sha256, sizeof(o.sha256)) != 0) {
		tf_audit_bytes(a, TF_GRADE_WRONG, e->seq, e->path, want,
		    &unknown, "altered: the name points at other bytes");
		return TF_OK;
	}
	if ((rc = is_absent(a, e, &o, &absent, err)) != TF_OK || absent)
		return rc;
	/* What is new is read in any case; of the rest a part. */
	if (e->seq < a->v->scope.from &&
	    !tf_verify_in_part(&a->v->scope, &want->sha256))
		return leave_unread(a, e, want, &o, err);
	/* Equal bytes are one object, hashed once, unless this entry has
	 * pieces to compare.  If tf_bits_add has no memory, the object is
	 * hashed again: slower, but correct. */
	if (a->pieces == NULL && tf_bits_has(&s->queued, object))
		return TF_OK;
	tf_bits_add(&s->queued, object);
	return tf_audit_content(a, e->seq, e->path, object, want, err);
}
