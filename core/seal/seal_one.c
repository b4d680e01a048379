/*
 * The entry and the row of one file or directory, in the transaction that
 * seals it.  Keeps F5 of pending.h: check_prepared().
 *
 * tf_seal_one() works in the committer's thread, in the order: check,
 * directories above, object, entries, row.  It holds vault.mu only to find a
 * pending directory; the claims of the files make their names and metadata
 * safe to read.  The row of stage goes in the same transaction that brings the
 * row of the node table, so each file has exactly one of the two after a crash
 * (F6).  A failure rolls everything back.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/time_text.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/existing.h"
#include "../commit/touched.h"
#include "../commit/txn_path.h"
#include "../ledger/entry.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/encrypted.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "grown.h"
#include "seal_one.h"
#include "seal_prepare.h"

/* The row of directory l; owner and group are those of its attestation. */
static enum tf_code
directory_row(struct tf_txn *t, struct tf_pending *l, struct tf_node_row *row,
    struct tf_error *err)
{
	struct tf_node_row att;
	enum tf_code rc = tf_nodes_get(t->db, l->att, &att, err);

	if (rc != TF_OK)
		return rc;
	*row = (struct tf_node_row){ .attr = l->attr, .name_len = l->name_len };
	memcpy(row->name, l->name, l->name_len + 1);
	row->attr.mode = tf_sealed_mode(l) & TF_OWN_MODE;
	row->attr.uid = att.attr.uid;
	row->attr.gid = att.attr.gid;
	return TF_OK;
}

enum tf_code
tf_seal_begun(struct tf_txn *t, struct tf_node_row *row, struct tf_error *err)
{
	enum tf_code rc;

	row->entry = t->size - 1;
	row->attr.mtime = row->attr.ctime = row->attr.btime = t->at;
	if ((rc = tf_nodes_put(t->db, row, err)) == TF_OK &&
	    (rc = tf_stage_delete(t->db, row->attr.id, err)) == TF_OK)
		rc = tf_txn_touch(t, row->attr.parent, t->at, err);
	return rc;
}

/* A directory whose mode removes no right needs no access in its entry. */
static enum tf_code
directory_entry(struct tf_txn *t, struct tf_pending *l, struct tf_error *err)
{
	struct tf_entry e = { .type = TF_DIRECTORY_CREATED,
		.has_node = true,
		.node = l->attr.id };
	struct tf_access_names names;
	struct tf_buf path = { 0 };
	struct tf_node_row row;
	enum tf_code rc;

	if ((rc = directory_row(t, l, &row, err)) != TF_OK ||
	    (rc = tf_child_path(t, l->attr.parent, l->name, &path, err)) !=
		TF_OK)
		goto out;
	e.path = (struct tf_str){ path.p, path.n };
	if (l->actor != NULL)
		e.actor = (struct tf_str){ l->actor->s, l->actor->n };
	e.has_access = row.attr.mode != TF_OWN_MODE;
	if (e.has_access)
		tf_access_fill(&e.access, row.attr.mode, row.attr.uid,
		    row.attr.gid, &names);
	if ((rc = tf_txn_append(t, &e, NULL, err)) != TF_OK)
		goto out;
	rc = tf_seal_begun(t, &row, err);
out:
	tf_buf_free(&path);
	return rc;
}

/* Goes up first, so that entries name a parent before its child (I5). */
enum tf_code
tf_seal_directory(struct tf_txn *t, uint64_t id, struct tf_error *err)
{
	struct tf_vault *v = t->v;
	struct tf_node_row row;
	struct tf_pending *l;
	enum tf_code rc;

	if (t->known_dir == id)
		return TF_OK;
	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id);
	if (l != NULL)
		tf_pending_ref(l);
	pthread_mutex_unlock(&v->mu);
	if (l == NULL)
		return TF_OK; /* committed long ago */
	rc = tf_nodes_get(t->db, id, &row, err);
	if (rc == TF_NOTFOUND &&
	    (rc = tf_seal_directory(t, l->attr.parent, err)) == TF_OK)
		rc = l->attr.kind == TF_KIND_DIRECTORY ?
		    directory_entry(t, l, err) :
		    tf_fail(err, TF_DENIED,
			"a draft attestation is sealed "
			"by renaming it");
	pthread_mutex_lock(&v->mu);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
	if (rc == TF_OK)
		t->known_dir = id;
	return rc;
}

/* The number of the object with these bytes; equal bytes are kept once. */
static enum tf_code
seal_object(struct tf_txn *t, const struct tf_seal_file *s, uint64_t *object,
    struct tf_error *err)
{
	const struct tf_hash *h = &s->content.sha256;
	uint64_t id = s->l->attr.id, size = s->content.size;
	bool known, right;
	enum tf_code rc = tf_existing_find(t, h, size, s->same, object, &known,
	    &right, err);

	if (rc != TF_OK)
		return rc;
	if (right)
		return tf_object_drop(tf_txn_write(t), id, err);
	if (known)
		tf_vault_say(t->v, TF_TAMPER,
		    "object %llu was damaged: the same bytes of new evidence "
		    "are kept beside it; run trailctl verify",
		    (unsigned long long)*object);
	*object = id;
	if (s->encrypted != NULL)
		rc = s->encrypted->in_file ?
		    tf_object_put_file(tf_txn_write(t), id, h, size, err) :
		    tf_object_put(tf_txn_write(t), id, h, s->encrypted->body.p,
			size, err);
	else if (!tf_pending_written(s->l))
		rc = tf_object_put(tf_txn_write(t), id, h, "", 0, err);
	else if (s->l->in_file)
		rc = tf_object_put_file(tf_txn_write(t), id, h, size, err);
	return rc == TF_OK && !known ?
	    tf_object_seal(tf_txn_write(t), h, id, err) :
	    rc;
}

/* No entry may be added to a sealed attestation. */
static enum tf_code
check_open(struct tf_txn *t, uint64_t att, struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc;

	if (t->open_att == att)
		return TF_OK;
	if ((rc = tf_nodes_get(t->db, att, &row, err)) != TF_OK)
		return rc == TF_NOTFOUND ?
		    tf_fail(err, rc, "the attestation is not there") :
		    rc;
	if (row.seal != TF_NO_SEQ)
		return tf_fail(err, TF_READONLY, "the attestation is sealed");
	t->open_att = att;
	return TF_OK;
}

/* Is the content of s that of its file now? */
static bool
is_prepared(const struct tf_seal_file *s)
{
	const struct tf_pending *l = s->l;

	if (s->encrypted != NULL)
		return s->encrypted->gen == l->gen;
	return l->attr.size == s->content.size &&
	    (!tf_pending_written(l) ||
		memcmp(&l->digest, &s->content.sha256, sizeof(l->digest)) == 0);
}

/* Fail if anything changed since s was prepared. */
static enum tf_code
check_prepared(struct tf_txn *t, const struct tf_seal_file *s,
    struct tf_error *err)
{
	const struct tf_pending *l = s->l;
	struct tf_str dir;
	enum tf_code rc;

	if (l->failed != TF_OK || !tf_pending_clean(l) || l->unchecked ||
	    !is_prepared(s))
		return tf_fail(err, TF_BUSY, "%.60s is not on disk", l->name);
	if (s->recipients != atomic_load(&t->v->recipients.changes))
		return tf_fail(err, TF_BUSY,
		    "%.60s is encrypted to other recipients", l->name);
	/* A directory above is back at its old name if its rename failed. */
	if ((rc = tf_txn_path(t, l->attr.parent, &dir, err)) != TF_OK)
		return rc;
	if (s->path.n != dir.n + 1 + l->name_len ||
	    memcmp(s->path.p, dir.p, dir.n) != 0)
		return tf_fail(err, TF_BUSY, "%.60s has another path", l->name);
	return TF_OK;
}

/* The entry of s; before it, those about its chunks. */
static enum tf_code
append_entries(struct tf_txn *t, const struct tf_seal_file *s,
    struct tf_error *err)
{
	const struct tf_pending *l = s->l;
	struct tf_grown g = { .path = { s->path.p, s->path.n },
		.cause = tf_str_of(s->cause),
		.node = l->attr.id };
	uint64_t last = l->entered_seq;
	enum tf_code rc;

	if (s->chunks == NULL)
		return tf_txn_append_prepared(t, &s->entry,
		    l->entered > 0 ? &last : NULL, err);
	if (l->actor != NULL)
		g.actor = (struct tf_str){ l->actor->s, l->actor->n };
	rc = tf_grown_append(t, &g, s->chunks,
	    l->entered > 0 ? &l->entered_seq : NULL, &last, err);
	return rc == TF_OK ? tf_txn_append_prepared(t, &s->entry, &last, err) :
			     rc;
}

enum tf_code
tf_seal_one(struct tf_txn *t, const struct tf_seal_file *s,
    struct tf_error *err)
{
	struct tf_pending *l = s->l;
	struct tf_node_row row = { .attr = l->attr, .name_len = l->name_len };
	enum tf_code rc;

	if ((rc = check_prepared(t, s, err)) != TF_OK ||
	    (rc = check_open(t, l->att, err)) != TF_OK ||
	    (rc = tf_seal_directory(t, l->attr.parent, err)) != TF_OK ||
	    (rc = seal_object(t, s, &row.object, err)) != TF_OK ||
	    (rc = append_entries(t, s, err)) != TF_OK)
		return rc;
	memcpy(row.name, l->name, l->name_len + 1);
	row.attr.mtime = tf_time_clamp(l->attr.mtime);
	row.attr.mode = tf_sealed_mode(l);
	row.attr.size = s->content.size;
	row.entry = t->size - 1;
	row.xattrs = (struct tf_str){ l->xattrs.n > 0 ? l->xattrs.p : NULL,
		l->xattrs.n };
	t->files++;
	t->content_bytes += s->content.size;
	if ((row.attr.mode != l->attr.mode ||
		tf_time_cmp(row.attr.mtime, l->attr.mtime) != 0) &&
	    (rc = tf_txn_changed(t, l->attr.id, err)) != TF_OK)
		return rc;
	if ((rc = tf_nodes_put(t->db, &row, err)) == TF_OK &&
	    (rc = tf_stage_delete(t->db, l->attr.id, err)) == TF_OK)
		rc = tf_txn_touch(t, l->attr.parent, t->at, err);
	return rc;
}
