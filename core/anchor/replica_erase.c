/*
 * Redacted bytes in a replica.  They stay, for nothing that the source says may
 * delete them.  When the operator wants them to go, it is done as in the source:
 * the rows are emptied in one transaction, with a note, and files and old pages
 * are overwritten after it.  After a crash the note is there, and the next opening
 * does the rest.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "../node/holder.h"
#include "../store/connection.h"
#include "../store/definitions.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/scrub.h"
#include "../store/transaction.h"
#include "../vault/redact.h"
#include "replica_i.h"

/* From its end to its beginning. */
enum tf_code
tf_replica_path(struct tf_db *db, uint64_t id, struct tf_buf *path,
    struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;

	path->n = 0;
	while (rc == TF_OK && id != TF_ROOT_ID &&
	    (rc = tf_nodes_get(db, id, &row, err)) == TF_OK) {
		id = row.attr.parent;
		tf_buf_add(&b, row.name, row.name_len);
		if (path->n > 0) {
			tf_buf_add(&b, "/", 1);
			tf_buf_add(&b, path->p, path->n);
		}
		tf_buf_free(path);
		*path = b;
		b = (struct tf_buf){ 0 };
	}
	tf_buf_add(path, "", 1);
	return rc == TF_OK ? tf_buf_end(path, err) : rc;
}

enum tf_code
tf_replica_hold(struct tf_replica *r, uint64_t id, struct tf_error *err)
{
	struct tf_object_row o;
	uint64_t named = 0;
	enum tf_code rc = tf_object_get(r->db, id, &o, NULL, err);

	if (rc == TF_OK)
		rc = tf_object_find(r->db, &o.sha256, &named, err);
	if (rc != TF_OK || named != id)
		return rc == TF_NOTFOUND ? TF_OK : rc; /* never came */
	tf_bits_add(&r->held, id);
	return tf_bits_has(&r->held, id) ? TF_OK : tf_nomem(err);
}

/* The object of a redaction; 0: something else has the same bytes, so they do
 * not go. */
static enum tf_code
redacted_object(struct tf_replica *r, const struct tf_definition_row *row,
    uint64_t *id, struct tf_error *err)
{
	struct tf_node_row node;
	enum tf_code rc;

	*id = row->object;
	if (row->object == 0 || row->kind == TF_ROW_TEXT_REDACTED)
		return TF_OK;
	rc = tf_nodes_get(r->db, row->node, &node, err);
	if (rc == TF_OK)
		*id = node.object;
	return rc;
}

/* Call fn for each redaction, of evidence and of texts. */
static enum tf_code
each_redaction(struct tf_replica *r, tf_definition_fn fn, void *arg,
    struct tf_error *err)
{
	enum tf_code rc = tf_definitions_of_kind(r->db, TF_ROW_REDACTED, fn,
	    arg, err);

	return rc == TF_OK ?
	    tf_definitions_of_kind(r->db, TF_ROW_TEXT_REDACTED, fn, arg, err) :
	    rc;
}

static enum tf_code
load_one(void *arg, const struct tf_definition_row *row, struct tf_error *err)
{
	struct tf_replica *r = arg;
	uint64_t id;
	enum tf_code rc = redacted_object(r, row, &id, err);

	return rc == TF_OK && id != 0 ? tf_replica_hold(r, id, err) : rc;
}

enum tf_code
tf_replica_load_held(struct tf_replica *r, struct tf_error *err)
{
	return each_redaction(r, load_one, r, err);
}

enum tf_code
tf_replica_note_erasing(struct tf_replica *r, struct tf_error *err)
{
	return r->n_moved > 0 ?
	    tf_meta_set_int(r->db, TF_META_ERASING, r->size, err) :
	    TF_OK;
}

enum tf_code
tf_replica_erase_file(struct tf_replica *r, const struct tf_hash *h,
    struct tf_error *err)
{
	bool is;
	enum tf_code rc = tf_object_hide(r->objectsfd, h, &is, err);

	return rc == TF_OK && is ? tf_object_erase_file(r->objectsfd, h, err) :
				   rc;
}

/* Overwrite and delete what a broken transfer has left of the object. */
static enum tf_code
erase_incoming(struct tf_replica *r, const struct tf_hash *h,
    struct tf_error *err)
{
	char name[2 * sizeof(h->b) + 1];

	tf_hex(h->b, sizeof(h->b), name);
	return tf_file_wipe(r->incomingfd, name, err);
}

static enum tf_code
erase_one(void *arg, const struct tf_definition_row *row, struct tf_error *err)
{
	struct tf_replica *r = arg;
	struct tf_object_row o;
	uint64_t id;
	enum tf_code rc = redacted_object(r, row, &id, err);

	if (rc == TF_OK && id == 0)
		return TF_OK;
	if (rc == TF_OK)
		rc = tf_object_get(r->db, id, &o, NULL, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_object_find(r->db, &o.sha256, &id, err);
	if (rc != TF_NOTFOUND)
		return rc;
	rc = tf_replica_erase_file(r, &o.sha256, err);
	return rc == TF_OK ? erase_incoming(r, &o.sha256, err) : rc;
}

/* Erase what the note is about; the mark is locked.  TF_LOCKED: a reader has old
 * pages. */
static enum tf_code
erase_noted(struct tf_replica *r, struct tf_error *err)
{
	uint64_t note = 0;
	enum tf_code rc = tf_meta_get_int(r->db, TF_META_ERASING, &note, err);

	if (rc != TF_OK || note == 0)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	rc = each_redaction(r, erase_one, r, err);
	if (rc == TF_OK)
		rc = tf_db_scrub(r->db, err);
	return rc == TF_OK ? tf_meta_set_int(r->db, TF_META_ERASING, 0, err) :
			     rc;
}

enum tf_code
tf_replica_erase(struct tf_replica *r, struct tf_error *err)
{
	int markfd = -1;
	enum tf_code rc = TF_OK;

	for (; rc == TF_OK && r->n_moved > 0; r->n_moved--)
		rc = tf_replica_erase_file(r, &r->moved[r->n_moved - 1], err);
	if (rc == TF_OK)
		rc = tf_holder_lock_mark(r->dirfd, LOCK_EX, &markfd, err);
	if (rc == TF_OK)
		rc = erase_noted(r, err);
	if (markfd >= 0)
		(void)close(markfd);
	/* The note stays, and the next commit tries. */
	return rc == TF_LOCKED ? TF_OK : rc;
}

/* --- on demand ----------------------------------------------------------------- */

struct holding {
	struct tf_replica *r;
	tf_replica_held_fn fn;
	void *arg;
	struct tf_buf path;
	bool erase;
};

/* A text of an entry has no path. */
static enum tf_code
path_of(struct tf_replica *r, const struct tf_definition_row *row,
    struct tf_buf *path, struct tf_error *err)
{
	if (row->kind != TF_ROW_TEXT_REDACTED)
		return tf_replica_path(r->db, row->node, path, err);
	path->n = 0;
	tf_buf_add(path, "a text", sizeof("a text"));
	return tf_buf_end(path, err);
}

/* The row is emptied; its file goes after the transaction. */
static enum tf_code
one_held(void *arg, const struct tf_definition_row *row, struct tf_error *err)
{
	struct holding *h = arg;
	struct tf_object_row o;
	uint64_t id;
	enum tf_code rc = redacted_object(h->r, row, &id, err);

	if (rc != TF_OK || id == 0 || !tf_bits_has(&h->r->held, id))
		return rc;
	rc = tf_object_get(h->r->db, id, &o, NULL, err);
	if (rc == TF_OK && h->fn != NULL &&
	    (rc = path_of(h->r, row, &h->path, err)) == TF_OK)
		rc = h->fn(h->arg, h->path.p, o.size, row->entry, err);
	if (rc == TF_OK && h->erase) {
		tf_bits_remove(&h->r->held, id);
		rc = tf_object_erase(h->r->db, id, err);
	}
	return rc;
}

enum tf_code
tf_replica_held(struct tf_replica *r, tf_replica_held_fn fn, void *arg,
    struct tf_error *err)
{
	struct holding h = { .r = r, .fn = fn, .arg = arg };
	enum tf_code rc = each_redaction(r, one_held, &h, err);

	tf_buf_free(&h.path);
	return rc;
}

static enum tf_code
erase_held(struct tf_replica *r, struct tf_error *err)
{
	struct holding h = { .r = r, .erase = true };
	enum tf_code rc = tf_db_begin(r->db, err);

	if (rc != TF_OK)
		return rc;
	rc = each_redaction(r, one_held, &h, err);
	if (rc == TF_OK)
		rc = tf_meta_set_int(r->db, TF_META_ERASING, r->size, err);
	if (rc == TF_OK)
		rc = tf_db_commit(r->db, err);
	if (rc != TF_OK) {
		tf_db_rollback(r->db);
		r->failed = true;
		return rc;
	}
	rc = erase_noted(r, err);
	return rc == TF_LOCKED ?
	    tf_fail(err, rc,
		"a reader still needs old pages of the mirror: try again when "
		"it is not in use") :
	    rc;
}

enum tf_code
tf_replica_erase_held(struct tf_replica *r, struct tf_error *err)
{
	int fd;
	enum tf_code rc = tf_holder_lock_mark(r->dirfd, LOCK_EX, &fd, err);

	if (rc == TF_LOCKED)
		return tf_fail(err, rc,
		    "the mirror is mounted: unmount it first");
	if (rc != TF_OK)
		return rc;
	rc = erase_held(r, err);
	(void)close(fd); /* gives up the lock */
	return rc;
}
