/*
 * The transaction that seals a directory or publishes a draft attestation.
 * All entries of one request are here, in the order in which replay needs
 * them: directories before what is in them, evidence before the seal that
 * lists it, attestations before their workflow.  The committer may run it
 * twice, so it changes nothing but the database.
 *
 * What was checked before is checked again: another request may have sealed
 * the directory, or its workflow, or taken the name, while this one waited for
 * the committer.  A crash before the COMMIT leaves everything pending, and
 * after it everything sealed.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/touched.h"
#include "../commit/txn_path.h"
#include "../commit/withhold.h"
#include "../ledger/entry.h"
#include "../node/actor.h"
#include "../node/children.h"
#include "../node/pending.h"
#include "../store/nodes.h"
#include "closing_txn.h"
#include "seal_entries.h"
#include "seal_one.h"
#include "seal_prepare.h"

static enum tf_code
count_open(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	uint64_t *n = arg;

	(void)err;
	*n += r->seal == TF_NO_SEQ;
	return TF_OK;
}

/* Give the pending nodes below their entries: directories, then files. */
static enum tf_code
seal_pending(struct tf_txn *t, const struct tf_closing *c, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < c->below.n; i++)
		if (!tf_pending_is_file(c->below.l[i]))
			rc = tf_seal_directory(t, c->below.l[i]->attr.id, err);
	for (size_t i = 0; rc == TF_OK && i < c->n_files; i++)
		rc = tf_seal_one(t, &c->files[i], err);
	return rc;
}

/* The number of entries that seal_pending() appends. */
static uint64_t
entries_below(const struct tf_closing *c)
{
	return c->below.n - c->n_files + tf_seal_entries(c->files, c->n_files);
}

enum tf_code
tf_open_children_add(void *arg, const struct tf_node_row *r,
    struct tf_error *err)
{
	struct tf_open_children *o = arg;

	if (r->seal != TF_NO_SEQ)
		return TF_OK;
	o->more = o->n == TF_CLOSING_MAX;
	if (o->more)
		return TF_NODATA;
	if (!tf_array_room(&o->rows, o->n, &o->cap, sizeof(*o->rows)))
		return tf_nomem(err);
	o->rows[o->n++] = *r;
	return TF_OK;
}

void
tf_open_children_free(struct tf_open_children *o)
{
	for (size_t i = 0; o->lists != NULL && i < o->n; i++)
		tf_seal_list_free(o->lists[i]);
	free(o->lists);
	free(o->rows);
	*o = (struct tf_open_children){ 0 };
}

struct sealing {
	struct tf_txn *t;
	struct tf_closing *c;
};

static enum tf_code
seal_if_open(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct sealing *x = arg;

	return r->seal != TF_NO_SEQ ?
	    TF_OK :
	    tf_seal_attestation(x->t, &x->c->s, r, NULL, &x->c->judged, err);
}

enum tf_code
tf_closing_some(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct tf_closing *c = arg;
	struct tf_open_children *o = c->ready;
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < o->n; i++)
		rc = tf_seal_attestation(t, &c->s, &o->rows[i], o->lists[i],
		    &c->judged, err);
	return rc;
}

/* Order by age, so that a version is sealed before the next. */
static enum tf_code
seal_open_attestations(struct tf_txn *t, struct tf_closing *c,
    struct tf_error *err)
{
	struct sealing x = { t, c };

	return c->ready != NULL ?
	    tf_closing_some(t, c, err) :
	    tf_each_child(t->db, c->dir.id, seal_if_open, &x, err);
}

/*
 * Append attestation.begun for the draft attestation under its new name.  It
 * has no entry until now, and no entry ever names the draft.
 */
static enum tf_code
begin_published(struct tf_txn *t, const struct tf_closing *c,
    struct tf_error *err)
{
	struct tf_pending *l = c->draft;
	struct tf_entry e = { .type = TF_ATTESTATION_BEGUN,
		.has_node = true,
		.node = l->attr.id,
		.has_access = true,
		.actor = tf_str_of(c->actor),
		.imported = tf_str_of(c->r->imported) };
	struct tf_access_names names;
	struct tf_node_row row = { .attr = l->attr, .name_len = l->name_len };
	struct tf_buf path = { 0 };
	enum tf_code rc;

	memcpy(row.name, l->name, l->name_len + 1);
	row.attr.mode = tf_sealed_mode(l);
	if ((rc = tf_child_path(t, l->attr.parent, l->name, &path, err)) !=
	    TF_OK)
		goto out;
	e.path = (struct tf_str){ path.p, path.n };
	tf_access_fill(&e.access, row.attr.mode, l->attr.uid, l->attr.gid,
	    &names);
	if ((rc = tf_txn_append(t, &e, NULL, err)) != TF_OK)
		goto out;
	rc = tf_seal_begun(t, &row, err);
out:
	tf_buf_free(&path);
	return rc;
}

/*
 * The attestation begins and is sealed in one batch of entries: nobody sees it
 * open.
 */
static enum tf_code
publish_run(struct tf_txn *t, struct tf_closing *c, struct tf_error *err)
{
	struct tf_node_row wf, row, before;
	enum tf_code rc = tf_nodes_get(t->db, c->draft->attr.parent, &wf, err);

	if (rc == TF_OK && wf.seal != TF_NO_SEQ)
		return tf_fail(err, TF_READONLY, "the workflow is sealed");
	if (rc != TF_OK)
		return rc;
	rc = tf_nodes_find(t->db, wf.attr.id, c->draft->name,
	    c->draft->name_len, &row, err);
	if (rc == TF_OK)
		return tf_fail(err, TF_EXISTS, "the name is taken");
	if (rc != TF_NOTFOUND ||
	    (rc = tf_version_before(t->db, wf.attr.id, c->draft->name, &before,
		 err)) != TF_OK ||
	    (rc = tf_txn_batch(t, entries_below(c) + 2, err)) != TF_OK ||
	    (c->r->texts != NULL &&
		(rc = tf_withhold_keep(t, c->r->texts, err)) != TF_OK) ||
	    (rc = begin_published(t, c, err)) != TF_OK ||
	    (rc = seal_pending(t, c, err)) != TF_OK ||
	    (rc = tf_nodes_get(t->db, c->dir.id, &row, err)) != TF_OK)
		return rc;
	return tf_seal_attestation(t, &c->s, &row, c->ready->lists[0],
	    &c->judged, err);
}

enum tf_code
tf_closing_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct tf_closing *c = arg;
	struct tf_node_row row;
	uint64_t open = 0;
	enum tf_code rc;

	if (c->draft != NULL)
		return publish_run(t, c, err);
	if ((rc = tf_nodes_get(t->db, c->dir.id, &row, err)) != TF_OK)
		return rc;
	if (row.seal != TF_NO_SEQ)
		return TF_OK; /* another request has sealed it */
	if (row.attr.kind == TF_KIND_ATTESTATION) {
		if ((rc = seal_pending(t, c, err)) != TF_OK)
			return rc;
		return tf_seal_attestation(t, &c->s, &row,
		    c->ready != NULL ? c->ready->lists[0] : NULL, &c->judged,
		    err);
	}
	if (row.attr.kind == TF_KIND_WORKFLOW) {
		rc = tf_each_child(t->db, c->dir.id, count_open, &open, err);
		if (rc == TF_OK && open > 0)
			rc = tf_txn_batch(t, entries_below(c) + open + 1, err);
		if (rc == TF_OK)
			rc = seal_pending(t, c, err);
		if (rc == TF_OK)
			rc = seal_open_attestations(t, c, err);
		if (rc != TF_OK)
			return rc;
	}
	return tf_seal_parent(t, &c->s, &row, err);
}
