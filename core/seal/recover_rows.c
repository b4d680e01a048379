/*
 * Pending nodes made of the rows that the last process left.  Rows come in any
 * order, so a node gets its place only when all are loaded.  A row that has no
 * place in the tree, because its parent is missing or damaged, is set aside
 * and reported: its bytes are kept for an operator, and all other files are
 * there.  A freshly loaded file counts as flushed (gen equals saved_gen), for
 * its row is what a flush promised.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../ledger/name.h"
#include "../ledger/policy.h"
#include "../node/base.h"
#include "../node/growth.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/secret.h"
#include "../node/secrets.h"
#include "../node/text.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "../store/unplaced.h"
#include "interrupt.h"
#include "recover_rows.h"

/* The uids that wrote l, from the row; a damaged list names nobody. */
static enum tf_code
read_uids(struct tf_pending *l, struct tf_str s)
{
	struct tf_json_doc d;
	enum tf_code rc = tf_json_parse(&d, s.p, s.n, NULL);

	if (rc != TF_OK)
		return rc == TF_NOMEM ? rc : TF_OK;
	for (uint32_t t = 1; rc == TF_OK && t < d.n; t = d.tok[t].next)
		rc = tf_pending_note_writer(l, (uint32_t)d.tok[t].num, NULL);
	tf_json_doc_free(&d);
	return rc == TF_NOMEM ? rc : TF_OK;
}

/* Actor, attributes and writers, which the row keeps for the entry. */
static enum tf_code
read_facts(struct tf_pending *l, const struct tf_stage_row *r)
{
	if (r->actor.n > 0 &&
	    (l->actor = tf_text_get(&l->v->texts, r->actor.p, r->actor.n)) ==
		NULL)
		return TF_NOMEM;
	tf_buf_add(&l->xattrs, r->xattrs.p, r->xattrs.n);
	if (l->xattrs.failed || tf_growth_of_row(l, NULL) == TF_NOMEM)
		return TF_NOMEM;
	return read_uids(l, r->writers);
}

static int
compare_unplaced(const void *id, const void *u)
{
	uint64_t a = *(const uint64_t *)id,
		 b = ((const struct tf_unplaced *)u)->id;

	return a < b ? -1 : a > b;
}

bool
tf_recover_is_unplaced(const struct tf_vault *v, uint64_t id)
{
	return v->n_unplaced > 0 &&
	    bsearch(&id, v->unplaced, v->n_unplaced, sizeof(*v->unplaced),
		compare_unplaced) != NULL;
}

#define UNPLACED_NAMED 10 /* in the log */

struct unplaced {
	struct tf_vault *v;
	bool failed; /* no memory */
};

/* Note the row; the first few are named to the operator. */
static void
set_aside(void *arg, uint64_t id, const char *name, const char *why)
{
	struct unplaced *u = arg;
	struct tf_vault *v = u->v;
	void *p = realloc(v->unplaced,
	    (v->n_unplaced + 1) * sizeof(*v->unplaced));

	if (p == NULL) {
		u->failed = true;
		return;
	}
	v->unplaced = p;
	v->unplaced[v->n_unplaced++] = (struct tf_unplaced){ id, why };
	if (v->n_unplaced <= UNPLACED_NAMED)
		tf_vault_say(v, TF_TAMPER,
		    "node %llu (%.60s) is not sealed and not shown, as %s; "
		    "what there is of it is kept",
		    (unsigned long long)id, name, why);
}

enum tf_code
tf_recover_set_aside(struct tf_vault *v, struct tf_db *db, struct tf_error *err)
{
	struct unplaced u = { .v = v };
	enum tf_code rc = tf_unplaced_each(db, TF_STAGE_RULE, set_aside, &u,
	    err);

	if (rc == TF_OK && u.failed)
		return tf_nomem(err);
	if (rc == TF_OK && v->n_unplaced > UNPLACED_NAMED)
		tf_vault_say(v, TF_TAMPER,
		    "and %zu more that are not shown: trailctl verify names "
		    "them",
		    v->n_unplaced - UNPLACED_NAMED);
	return rc;
}

enum tf_code
tf_recover_load(void *arg, const struct tf_stage_row *r, struct tf_error *err)
{
	struct tf_found *f = arg;
	struct tf_pending *l;
	size_t cap = f->cap;
	bool secret = r->secret;
	enum tf_code rc;

	if (tf_recover_is_unplaced(f->v, r->attr.id))
		return TF_OK;
	/* The row of an empty file does not know of what was written since. */
	if (!secret && r->attr.size == 0 &&
	    (rc = tf_secret_found(f->v, r->attr.id, &secret, err)) != TF_OK)
		return rc;
	if (!tf_array_room(&f->l, f->n, &cap, sizeof(*f->l)) ||
	    !tf_array_room(&f->dirty, f->n, &f->cap, sizeof(*f->dirty)))
		return tf_nomem(err);
	if ((l = tf_pending_new(f->v, &r->attr, r->name, r->name_len)) == NULL)
		return tf_nomem(err);
	if (read_facts(l, r) != TF_OK) {
		tf_pending_unref(l);
		return tf_nomem(err);
	}
	l->saved = true;
	if (tf_pending_is_file(l)) {
		l->wrote = !r->unwritten;
		l->hollow = r->unwritten && !r->dirty && r->attr.size == 0;
		l->gen = l->saved_gen = 1;
		l->size = r->attr.size;
		l->digest = r->sha256;
		l->secret = secret;
		if (secret)
			tf_secrets_take(f->v);
	}
	l->attr.state = TF_STATE_DRAFT;
	tf_pending_insert(&f->v->pending, l);
	tf_pending_ref(l);
	f->dirty[f->n] = r->dirty;
	f->l[f->n++] = l;
	if (r->aside && (l->meant = strdup(l->name)) == NULL)
		return tf_nomem(err);
	return TF_OK;
}

enum tf_code
tf_recover_step_aside(struct tf_pending *l, struct tf_db *db,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&l->v->mu);
	if (l->meant != NULL)
		rc = tf_pending_become_draft(l, db, err);
	pthread_mutex_unlock(&l->v->mu);
	return rc;
}

/* Find attestation and workflow of l, and whether it is below a draft. */
enum tf_code
tf_recover_place(struct tf_vault *v, struct tf_db *db, struct tf_pending *l,
    struct tf_error *err)
{
	struct tf_place p;
	struct tf_pending *up;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	rc = tf_place_of(v, db, l->attr.parent, &p, err);
	if (rc == TF_OK) {
		if (l->attr.kind == TF_KIND_ATTESTATION)
			tf_pending_place(&v->pending, l, l->attr.id,
			    p.parent.id);
		else
			tf_pending_place(&v->pending, l, p.att.id, p.wf);
		l->in_draft = l->attr.kind == TF_KIND_ATTESTATION ||
		    p.in_draft ||
		    (l->attr.kind == TF_KIND_DIRECTORY &&
			tf_name_draft_dir(l->name, l->name_len));
		/* Draftness comes down from any pending directory above. */
		up = l;
		while ((up = tf_pending_get(&v->pending, up->attr.parent)) !=
		    NULL)
			if (up->attr.kind == TF_KIND_ATTESTATION ||
			    tf_name_draft_dir(up->name, up->name_len))
				l->in_draft = true;
		tf_pending_index(l);
	}
	pthread_mutex_unlock(&v->mu);
	return rc;
}
