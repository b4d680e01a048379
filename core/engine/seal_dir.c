/*
 * Sealing attestations, workflows and trails, and publishing a draft
 * attestation: everything in one transaction.  While it is being decided
 * ("closing"), nothing is born below.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest.h"
#include "names.h"
#include "tend.h"

/* The live nodes that become entries along with the directory. */
struct closing {
	struct tf_vault *v;
	const struct tf_seal_request *r;
	struct tf_attr dir;
	struct tf_sealer s;
	char *actor;
	struct tf_live **l;
	size_t n, cap;
	struct tf_live *draft; /* the draft attestation to publish */
	char old_name[256];
	enum tf_code refused; /* found while looking */
	bool wait;	      /* somebody is at work below; look again */
	uint64_t in_the_way;  /* the node that refused is about, or 0 */
};

/* --- the transaction -------------------------------------------------------------- */

static enum tf_code
count_open(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	uint64_t *n = arg;

	(void)err;
	*n += r->seal == TF_NO_SEQ;
	return TF_OK;
}

/* The live nodes below get their entries: directories, then files. */
static enum tf_code
seal_live(struct tf_txn *t, const struct closing *c, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < c->n; i++)
		if (!tf_live_is_file(c->l[i]))
			rc = tf_seal_directory(t, c->l[i]->attr.id, err);
	for (size_t i = 0; rc == TF_OK && i < c->n; i++) {
		struct tf_seal_file f = { .l = c->l[i], .cause = c->r->cause };

		if (tf_live_is_file(c->l[i]))
			rc = tf_seal_one(t, &f, err);
	}
	return rc;
}

struct open_children {
	struct tf_txn *t;
	const struct closing *c;
	struct tf_node_row *rows;
	size_t n, cap;
};

static enum tf_code
add_open(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct open_children *o = arg;
	void *p;

	if (r->seal != TF_NO_SEQ)
		return TF_OK;
	if (o->n == o->cap) {
		o->cap = o->cap == 0 ? 8 : o->cap * 2;
		p = realloc(o->rows, o->cap * sizeof(*o->rows));
		if (p == NULL)
			return tf_fail(err, TF_NOMEM, "no memory");
		o->rows = p;
	}
	o->rows[o->n++] = *r;
	return TF_OK;
}

/* In order of birth, so that a version is sealed before the next. */
static enum tf_code
seal_open_attestations(struct tf_txn *t, const struct closing *c,
    struct tf_error *err)
{
	struct open_children o = { .t = t, .c = c };
	enum tf_code rc = tf_each_child(t->db, c->dir.id, add_open, &o, err);

	for (size_t i = 0; rc == TF_OK && i < o.n; i++)
		rc = tf_seal_attestation(t, &c->s, &o.rows[i], err);
	free(o.rows);
	return rc;
}

/* attestation.begun for the draft attestation under its new name. */
static enum tf_code
begin_published(struct tf_txn *t, const struct closing *c, struct tf_error *err)
{
	struct tf_live *l = c->draft;
	struct tf_entry e = { .type = TF_ATTESTATION_BEGUN,
		.has_node = true,
		.node = l->attr.id,
		.has_access = true,
		.actor = tf_str_of(c->actor) };
	struct tf_access_names names = { 0 };
	struct tf_node_row row = { .attr = l->attr, .name_len = l->name_len };
	struct tf_buf path = { 0 };
	enum tf_code rc;

	memcpy(row.name, l->name, sizeof(row.name));
	if ((rc = tf_child_path(t, l->attr.parent, l->name, &path, err)) !=
	    TF_OK)
		goto out;
	e.path = (struct tf_str){ path.p, path.n };
	tf_access_fill(&e.access, l->attr.mode, l->attr.uid, l->attr.gid,
	    &names);
	if ((rc = tf_txn_append(t, &e, NULL, err)) != TF_OK)
		goto out;
	row.entry = t->size - 1;
	row.attr.mtime = row.attr.ctime = row.attr.btime = t->at;
	if ((rc = tf_nodes_put(t->db, &row, err)) == TF_OK &&
	    (rc = tf_stage_delete(t->db, l->attr.id, err)) == TF_OK)
		rc = tf_txn_touch(t, l->attr.parent, t->at, err);
out:
	tf_access_names_free(&names);
	tf_buf_free(&path);
	return rc;
}

static enum tf_code
publish_run(struct tf_txn *t, const struct closing *c, struct tf_error *err)
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
	    (rc = tf_txn_batch(t, c->n + 2, err)) != TF_OK ||
	    (rc = begin_published(t, c, err)) != TF_OK ||
	    (rc = seal_live(t, c, err)) != TF_OK ||
	    (rc = tf_nodes_get(t->db, c->dir.id, &row, err)) != TF_OK)
		return rc;
	return tf_seal_attestation(t, &c->s, &row, err);
}

static enum tf_code
closing_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct closing *c = arg;
	struct tf_node_row row;
	uint64_t open = 0;
	enum tf_code rc;

	if (c->draft != NULL)
		return publish_run(t, c, err);
	if ((rc = tf_nodes_get(t->db, c->dir.id, &row, err)) != TF_OK)
		return rc;
	if (row.seal != TF_NO_SEQ)
		return TF_OK; /* somebody was faster: it is sealed */
	if (row.attr.kind == TF_KIND_ATTESTATION) {
		rc = seal_live(t, c, err);
		return rc == TF_OK ? tf_seal_attestation(t, &c->s, &row, err) :
				     rc;
	}
	if (row.attr.kind == TF_KIND_WORKFLOW) {
		rc = tf_each_child(t->db, c->dir.id, count_open, &open, err);
		if (rc == TF_OK && open > 0)
			rc = tf_txn_batch(t, c->n + open + 1, err);
		if (rc == TF_OK)
			rc = seal_live(t, c, err);
		if (rc == TF_OK)
			rc = seal_open_attestations(t, c, err);
		if (rc != TF_OK)
			return rc;
	}
	return tf_seal_parent(t, &c->s, &row, err);
}

/* --- before and after ---------------------------------------------------------------- */

static bool
is_inside(const struct closing *c, const struct tf_live *l)
{
	if (l->attr.id == c->dir.id)
		return false;
	return l->att == c->dir.id || l->wf == c->dir.id;
}

/* One look at a live node: is it below, and may it be sealed now? */
static void
look(void *arg, struct tf_live *l)
{
	struct closing *c = arg;
	void *p;

	if (!is_inside(c, l) || c->refused != TF_OK)
		return;
	if (l->writers > 0 || l->attr.kind == TF_KIND_ATTESTATION) {
		c->refused = TF_BUSY;
		c->in_the_way = l->attr.id;
		return;
	}
	if (l->failed != TF_OK) {
		c->refused = l->failed;
		c->in_the_way = l->attr.id;
		return;
	}
	if (l->job || !tf_live_clean(l) || l->unchecked) {
		if (l->unchecked && !l->on_duty) {
			l->wants_check = true;
			tf_live_tend_later(l);
		}
		c->wait = true;
		return;
	}
	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 64 : c->cap * 2;
		p = realloc(c->l, c->cap * sizeof(struct tf_live *));
		if (p == NULL) {
			c->refused = TF_NOMEM;
			return;
		}
		c->l = p;
	}
	c->l[c->n++] = l;
}

/* One seal of a directory at a time, also of those above and below it. */
static bool
closing_now(const struct tf_vault *v)
{
	return v->closing != 0;
}

/* Somebody is at work below, and that may take long: others seal meanwhile. */
static enum tf_code
wait_below(struct closing *c, struct tf_error *err)
{
	struct tf_vault *v = c->v;
	enum tf_code rc;

	v->closing = 0;
	pthread_cond_broadcast(&v->changed);
	do
		rc = tf_vault_wait_long(v, err);
	while (rc == TF_OK && closing_now(v));
	while (closing_now(v)) /* not for long */
		tf_vault_wait(v);
	v->closing = c->r->id;
	return rc;
}

/* Claim everything below at once, when nobody is at work there.  mu held. */
static enum tf_code
claim_below(struct closing *c, struct tf_error *err)
{
	struct tf_vault *v = c->v;
	enum tf_code rc;

	for (;;) {
		/* While we waited it may have been taken away. */
		if (c->r->new_name != NULL &&
		    (c->draft = tf_live_get(&v->live, c->r->id)) == NULL)
			return tf_fail(err, TF_NOTFOUND, "it is gone");
		c->n = 0;
		c->wait = false;
		tf_live_each(&v->live, look, c);
		if (c->refused != TF_OK)
			return tf_fail(err, c->refused, "%s below",
			    c->refused == TF_BUSY ? "being written" :
						    "not on disk");
		if (!c->wait && (c->draft == NULL || !c->draft->job))
			break;
		if ((rc = wait_below(c, err)) != TF_OK)
			return rc;
	}
	/* Whatever happened until now has moved its time on. */
	if (c->r->who == NULL && !tf_quiet_over(v, c->r->id))
		return tf_fail(err, TF_BUSY, "it is not quiet any more");
	for (size_t i = 0; i < c->n; i++) {
		tf_live_ref(c->l[i]);
		c->l[i]->job = true;
	}
	tf_live_sort(c->l, c->n);
	if (c->draft != NULL) {
		tf_live_ref(c->draft);
		c->draft->job = true;
	}
	return TF_OK;
}

/* What is to be sealed, and may this caller?  mu held. */
static enum tf_code
check_request(struct closing *c, struct tf_db *db, struct tf_error *err)
{
	const struct tf_seal_request *r = c->r;
	enum tf_code rc = tf_attr_of(c->v, db, r->id, &c->dir, err);

	if (rc != TF_OK)
		return rc;
	if (c->dir.kind < TF_KIND_TRAIL || c->dir.kind > TF_KIND_ATTESTATION)
		return tf_fail(err, TF_DENIED,
		    "only trails, workflows and attestations are sealed");
	if (r->who != NULL && r->who->uid != 0 && r->who->uid != c->dir.uid)
		return tf_fail(err, TF_DENIED,
		    "only its owner or root may seal it");
	c->draft = tf_live_get(&c->v->live, r->id);
	if (c->draft != NULL && r->new_name == NULL)
		return tf_fail(err, TF_DENIED,
		    "a draft attestation is sealed by renaming it");
	if (c->draft == NULL && r->new_name != NULL)
		return tf_fail(err, TF_BUSY, "it is no draft any more");
	return TF_OK;
}

/* The draft takes its new name in memory, so that paths come out right. */
static void
take_name(struct closing *c, const char *name)
{
	memcpy(c->old_name, c->draft->name, sizeof(c->old_name));
	tf_live_rename(&c->v->live, c->draft, c->draft->attr.parent, name,
	    strlen(name));
}

static enum tf_code
close_claimed(struct closing *c, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < c->n; i++)
		rc = tf_seal_prepare(c->l[i], err);
	return rc == TF_OK ? tf_commit_wait(c->v->commit, closing_run, c, err) :
			     rc;
}

/* mu held. */
static void
after(struct closing *c, enum tf_code rc)
{
	struct tf_vault *v = c->v;

	for (size_t i = 0; i < c->n; i++) {
		if (rc == TF_OK && c->l[i]->attr.state != TF_STATE_SEALED)
			tf_seal_settle(v, c->l[i]);
		tf_live_unclaim(v, c->l[i]);
	}
	if (c->draft == NULL)
		return;
	if (rc == TF_OK)
		tf_live_leave(v, c->draft);
	else
		tf_live_rename(&v->live, c->draft, c->draft->attr.parent,
		    c->old_name, strlen(c->old_name));
	tf_live_unclaim(v, c->draft);
}

#define SHOWN_PATH 120 /* bytes of a path in a message: its end */

/* Complete the message of a refusal with the path of the node in the way, below
 * the directory that was to be sealed.  mu is not held. */
static void
name_node(const struct closing *c, struct tf_db *db, struct tf_error *err)
{
	struct tf_buf top = { 0 }, path = { 0 }, shown = { 0 };
	size_t skip = 0;

	if (err == NULL || c->in_the_way == 0)
		return;
	if (tf_path_of(c->v, db, c->dir.id, &top, NULL) == TF_OK &&
	    tf_path_of(c->v, db, c->in_the_way, &path, NULL) == TF_OK &&
	    path.n > top.n + 1) {
		skip = top.n + 1;
		tf_name_show(&shown, path.p + skip, path.n - skip);
	}
	if (!shown.failed && shown.n > 0) {
		skip = shown.n > SHOWN_PATH ? shown.n - SHOWN_PATH : 0;
		(void)snprintf(err->text + strlen(err->text),
		    sizeof(err->text) - strlen(err->text), ": %s%.*s",
		    skip > 0 ? "..." : "", (int)(shown.n - skip),
		    shown.p + skip);
	}
	tf_buf_free(&top);
	tf_buf_free(&path);
	tf_buf_free(&shown);
}

enum tf_code
tf_seal_dir(struct tf_vault *v, const struct tf_seal_request *r,
    struct tf_error *err)
{
	struct closing c = { .v = v, .r = r };
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (r->who != NULL &&
		(rc = tf_actor_text(r->who, &c.actor, err)) != TF_OK) ||
	    (rc = tf_reader_db(v, &db, err)) != TF_OK) {
		free(c.actor);
		return rc;
	}
	pthread_mutex_lock(&v->mu);
	while (closing_now(v))
		tf_vault_wait(v);
	v->closing = r->id;
	rc = check_request(&c, db, err);
	c.s = (struct tf_sealer){ .r = r, .actor = c.actor, .dir = r->id };
	if (rc == TF_OK && c.dir.state != TF_STATE_SEALED &&
	    (rc = claim_below(&c, err)) == TF_OK) {
		if (c.draft != NULL)
			take_name(&c, r->new_name);
		pthread_mutex_unlock(&v->mu);
		rc = close_claimed(&c, err);
		pthread_mutex_lock(&v->mu);
		after(&c, rc);
	}
	v->closing = 0;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->mu);
	if (rc != TF_OK)
		name_node(&c, db, err);
	tf_reader_done(v, db);
	free(c.actor);
	free(c.l);
	return rc;
}

enum tf_code
tf_vault_seal(struct tf_vault *v, uint64_t id, const struct tf_actor *who,
    struct tf_error *err)
{
	struct tf_seal_request r = { .id = id, .who = who };

	return tf_seal_dir(v, &r, err);
}
