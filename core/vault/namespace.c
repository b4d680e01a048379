/*
 * Making names: mkdir and create.  A name is pending (in memory, pending.h) or
 * committed (a row of the node table).  A pending one is looked up first: it
 * leaves memory only after its row is committed (F6).
 *
 * Trails, workflows and attestations get their entry before mkdir(2) returns.
 * They are checked twice: under vault.mu, where a seal that is being decided
 * makes the call wait, and in create_run(), because mu is free between the two
 * and the commits decide the order.  Directories, files and draft attestations
 * are pending.  mu is held from their check to their insertion, so one check
 * is enough.
 *
 * A crash loses a pending name that no close or fsync made durable: nobody was
 * promised it.  An entry that was committed is found again by its row.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/mutant.h"
#include "../base/show.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/node_ids.h"
#include "../commit/queue.h"
#include "../commit/staging.h"
#include "../commit/touched.h"
#include "../commit/txn_path.h"
#include "../control.h"
#include "../definition.h"
#include "../ledger/entry.h"
#include "../ledger/name.h"
#include "../ledger/policy.h"
#include "../ledger/retention.h"
#include "../node/actor.h"
#include "../node/attr.h"
#include "../node/base.h"
#include "../node/children.h"
#include "../node/closed.h"
#include "../node/idle.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/templates.h"
#include "../node/text.h"
#include "../node/vault_i.h"
#include "../seal/seal_closed.h"
#include "../seal/tend.h"
#include "../seal/turn.h"
#include "../store/closings.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../vault.h"
#include "dir_mode.h"
#include "namespace.h"
#include "protect.h"
#include "template_rule.h"

/* --- what is where (mu held, unless it says otherwise) --- */

/* The owner that stat(2) shows, that of the attestation, counts as well. */
struct tf_subject
tf_pending_directory_subject(struct tf_vault *v, struct tf_db *db,
    const struct tf_pending *l, uint32_t caller)
{
	struct tf_subject s = tf_directory_subject(&l->attr, false);
	struct tf_attr shown;

	if (tf_attr_of(v, db, l->attr.id, &shown, NULL) == TF_OK &&
	    shown.uid == caller)
		s.uid = caller;
	return s;
}

/* --- creation ------------------------------------------------------------ */

/* The place is looked up again after each wait: it may have moved or have been
 * sealed meanwhile. */
enum tf_code
tf_may_add(struct tf_vault *v, struct tf_db *db, uint64_t parent,
    const struct tf_actor *who, bool wait, struct tf_place *p,
    struct tf_error *err)
{
	struct tf_subject s;
	struct tf_pending *l;
	enum tf_code rc;

	for (;;) {
		if ((rc = tf_place_of(v, db, parent, p, err)) != TF_OK)
			return rc;
		/* A directory above may be moving. */
		for (l = tf_pending_get(&v->pending, parent);
		     l != NULL && !l->job;
		     l = tf_pending_get(&v->pending, l->attr.parent))
			;
		if (l == NULL && !tf_has_turn(v, p->att.id) &&
		    !tf_has_turn(v, p->wf) && !tf_has_turn(v, parent))
			break;
		if (!wait)
			return tf_fail(err, TF_BUSY, "it is being sealed");
		tf_vault_wait(v);
	}
	s = tf_directory_subject(&p->att, true);
	rc = tf_policy(&s, TF_REQ_ADD, who->uid);
	if (rc != TF_OK)
		return tf_fail(err, rc,
		    "this %s is sealed: nothing can be "
		    "added",
		    p->att.kind == TF_KIND_ATTESTATION	? "attestation" :
			p->att.kind == TF_KIND_WORKFLOW ? "workflow" :
							  "trail");
	return tf_closed_refuses(v, p->att.id, err);
}

/* A draft attestation has a name that its kind would not allow otherwise. */
enum tf_code
tf_may_call(struct tf_vault *v, struct tf_db *db, const struct tf_place *p,
    enum tf_kind kind, const char *name, struct tf_error *err)
{
	size_t n = strlen(name);
	struct tf_node_row r;
	enum tf_code rc;

	if (kind != TF_KIND_ATTESTATION || !tf_name_draft_attestation(name, n))
		if ((rc = tf_name_check(kind, name, n, err)) != TF_OK)
			return rc;
	if (kind >= TF_KIND_DIRECTORY && p->below + n > TF_PATH_BELOW_MAX)
		return tf_fail(err, TF_NAMETOOLONG,
		    "the path below the "
		    "attestation is longer than %d bytes",
		    TF_PATH_BELOW_MAX);
	if (tf_pending_find(&v->pending, p->parent.id, name, n) != NULL)
		return tf_fail(err, TF_EXISTS, "the name is taken");
	rc = tf_nodes_find(db, p->parent.id, name, n, &r, err);
	if (rc == TF_OK)
		return tf_fail(err, TF_EXISTS, "the name is taken");
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Owner, group and mode of a new node in p, as in other file systems. */
static void
inherit(const struct tf_vault *v, struct tf_attr *a, const struct tf_place *p,
    const struct tf_actor *who, uint32_t mode)
{
	const struct tf_role_group *group = tf_vault_role(v, TF_TRAIL_GROUP);
	struct tf_time now = tf_clock_now();

	a->parent = p->parent.id;
	a->uid = who->uid;
	a->gid = who->gid;
	a->mode = mode & 07777;
	if ((p->parent.mode & 02000) != 0) {
		a->gid = p->parent.gid;
		if (a->kind < TF_KIND_DIRECTORY)
			a->mode |= 02000;
	}
	if (a->kind == TF_KIND_TRAIL && group->name[0] != '\0') {
		a->gid = group->gid;
		a->mode |= 02000; /* for what is in it */
	}
	if (a->kind == TF_KIND_TRAIL)
		a->mode &= ~(uint32_t)07; /* 0750 until somebody opens it */
	a->mtime = a->ctime = a->btime = now;
}

struct creation {
	struct tf_vault *v;
	struct tf_attr attr;
	const char *name;
	const char *actor;
	const char *imported; /* raw, or NULL */
};

static enum tf_entry_kind
birth_type(enum tf_kind k)
{
	return k == TF_KIND_TRAIL ? TF_TRAIL_CREATED :
	    k == TF_KIND_WORKFLOW ? TF_WORKFLOW_BEGUN :
				    TF_ATTESTATION_BEGUN;
}

/* Refuse again when the parent is closed: the commits decide the order. */
static enum tf_code
check_parent(struct tf_txn *t, const struct creation *b, struct tf_error *err)
{
	struct tf_node_row r;
	bool closed = false;
	enum tf_code rc = tf_nodes_get(t->db, b->attr.parent, &r, err);

	if (rc == TF_OK)
		rc = tf_closings_has(t->db, b->attr.parent, &closed, err);
	if (rc != TF_OK)
		return rc;
	if (r.seal != TF_NO_SEQ || closed)
		return tf_fail(err, TF_READONLY, "the directory is sealed");
	rc = tf_nodes_find(t->db, b->attr.parent, b->name, strlen(b->name), &r,
	    err);
	if (rc == TF_OK)
		return tf_fail(err, TF_EXISTS, "the name is taken");
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* A workflow is judged by the template that its trail has now. */
static enum tf_code
set_template(struct tf_txn *t, uint64_t trail, struct tf_definition_row *row,
    struct tf_error *err)
{
	enum tf_code rc;

	*row = (struct tf_definition_row){ .node = trail,
		.kind = TF_DEFINITION_TEMPLATE,
		.name = { "", 0 } };
	rc = tf_definitions_get(t->db, row, err);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Set *out to the template if it says how long workflows are kept. */
static enum tf_code
hold_retaining(struct tf_txn *t, const struct tf_definition_row *row,
    struct tf_kept_template **out, struct tf_error *err)
{
	enum tf_code rc;

	if (row->version == 0)
		return TF_OK;
	if ((rc = tf_template_hold(t->v, t->db, row, out, err)) != TF_OK)
		return rc;
	if ((*out)->t.retain.p == NULL && !(*out)->t.retain_never) {
		tf_template_let_go(t->v, *out);
		*out = NULL;
	}
	return TF_OK;
}

/* The retention that the template demands for a new workflow.  The rule is the
 * one that the template names, or the template; its text is the template's. */
static enum tf_code
retain_by_template(struct tf_txn *t, const struct creation *b,
    const struct tf_template *by, const struct tf_definition_row *row,
    struct tf_error *err)
{
	struct tf_retention_ref r = { .period = by->retain,
		.mode = tf_str_of(by->retain_never ? TF_RETENTION_NEVER :
						     TF_RETENTION_MODE),
		.rule = by->retain_rule.p != NULL ?
		    by->retain_rule :
		    tf_str_of(TF_CONTROL_TEMPLATE),
		.has_rule_text = true };
	struct tf_object_row o;
	enum tf_code rc = tf_object_get(t->db, row->object, &o, NULL, err);

	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER, "the template has no bytes");
	r.rule_text = o.sha256;
	return rc == TF_OK ?
	    tf_retain_append(t, b->attr.id, 0, &r, b->actor, err) :
	    rc;
}

/*
 * Entry, row and the new times of the parent are one transaction.  The times
 * of the node are the time of the entry, so that entries alone give them again
 * (I5).
 */
static enum tf_code
create_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct creation *b = arg;
	struct tf_entry e = { .type = birth_type(b->attr.kind),
		.has_node = true,
		.node = b->attr.id,
		.has_access = true };
	struct tf_access_names names;
	struct tf_node_row row = { .attr = b->attr }, before;
	struct tf_definition_row template = { .version = 0 };
	struct tf_kept_template *retains = NULL;
	struct tf_buf path = { 0 };
	enum tf_code rc = check_parent(t, b, err);

	if (rc == TF_OK && b->attr.kind == TF_KIND_ATTESTATION)
		rc = tf_version_before(t->db, b->attr.parent, b->name, &before,
		    err);
	if (rc != TF_OK)
		return rc;
	if (b->attr.kind == TF_KIND_WORKFLOW &&
	    ((rc = set_template(t, b->attr.parent, &template, err)) != TF_OK ||
		(rc = hold_retaining(t, &template, &retains, err)) != TF_OK))
		return rc;
	e.has_template = template.version > 0;
	e.template_version = template.version;
	rc = tf_child_path(t, b->attr.parent, b->name, &path, err);
	if (rc == TF_OK && retains != NULL)
		rc = tf_txn_batch(t, 2, err);
	if (rc != TF_OK)
		goto out;
	e.path = (struct tf_str){ path.p, path.n };
	e.actor = (struct tf_str){ b->actor, strlen(b->actor) };
	e.imported = tf_str_of(b->imported);
	tf_access_fill(&e.access, b->attr.mode, b->attr.uid, b->attr.gid,
	    &names);
	row.entry = t->size;
	if ((rc = tf_txn_append(t, &e, NULL, err)) != TF_OK)
		goto out;
	row.entry = t->size - 1;
	row.attr.mtime = row.attr.ctime = row.attr.btime = t->at;
	row.name_len = strlen(b->name);
	memcpy(row.name, b->name, row.name_len + 1);
	rc = tf_nodes_put(tf_txn_write(t), &row, err);
	if (rc == TF_OK)
		rc = tf_txn_touch(t, row.attr.parent, t->at, err);
	b->attr = row.attr;
	if (rc == TF_OK && retains != NULL)
		rc = retain_by_template(t, b, &retains->t, &template, err);
out:
	if (retains != NULL)
		tf_txn_batch_end(t);
	tf_template_let_go(t->v, retains);
	tf_buf_free(&path);
	return rc;
}

/* Make a trail, workflow or attestation: it has its entry when this returns. */
static enum tf_code
create_node(struct tf_vault *v, struct tf_attr *attr, const char *name,
    const char *actor, const char *imported, struct tf_error *err)
{
	struct creation b = { .v = v,
		.attr = *attr,
		.name = name,
		.actor = actor,
		.imported = imported };
	enum tf_code rc = tf_commit_wait(v->commit, create_run, &b, err);

	if (rc == TF_OK)
		*attr = b.attr;
	return rc;
}

/* Put a pending node in place p; mu held.  A file is claimed: the caller makes its
 * first writer and ends the claim, so that the sealer is not woken for it. */
static enum tf_code
create_pending(struct tf_vault *v, const struct tf_place *p, struct tf_attr *a,
    const char *name, const char *who, struct tf_pending **out,
    struct tf_error *err)
{
	struct tf_pending *l;
	enum tf_code rc;

	if ((rc = tf_quota_names(v, a->uid, 1, err)) != TF_OK ||
	    (rc = tf_quota_draft(v, p->att.id, err)) != TF_OK)
		return rc;
	if ((l = tf_pending_new(v, a, name, strlen(name))) == NULL)
		return tf_nomem(err);
	l->in_draft = p->in_draft;
	if (a->kind == TF_KIND_ATTESTATION ||
	    (a->kind == TF_KIND_DIRECTORY &&
		tf_name_draft_dir(name, strlen(name))))
		l->in_draft = true;
	l->actor = who == NULL ? NULL :
				 tf_text_get(&v->texts, who, strlen(who));
	if (who != NULL && l->actor == NULL) {
		tf_pending_unref(l);
		return tf_nomem(err);
	}
	l->job = a->kind == TF_KIND_EVIDENCE;
	tf_pending_insert(&v->pending, l);
	if (a->kind == TF_KIND_ATTESTATION)
		tf_pending_place(&v->pending, l, a->id, p->parent.id);
	else
		tf_pending_place(&v->pending, l, p->att.id, p->wf);
	tf_idle_touch(v, l->att);
	tf_empties_fill(v, p->parent.id);
	*out = l;
	return TF_OK;
}

/* The new directory has its entry, and nothing is in it. */
static void
count_empty(struct tf_vault *v, enum tf_code rc, const struct tf_attr *a,
    const struct tf_actor *who)
{
	if (rc != TF_OK)
		return;
	pthread_mutex_lock(&v->mu);
	tf_empties_add(v, a->id, who->uid);
	pthread_mutex_unlock(&v->mu);
}

enum tf_code
tf_names_mkdir(struct tf_vault *v, uint64_t parent, const char *name,
    uint32_t mode, const char *imported, const struct tf_actor *who,
    struct tf_attr *out, struct tf_error *err)
{
	struct tf_attr a = { 0 };
	struct tf_pending *l;
	struct tf_place p;
	struct tf_db *db;
	char *actor = NULL;
	enum tf_code rc;
	bool pending = false;

	tf_vault_learn(v, who->uid, who->gid);
	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_space_take(v, who->uid, TF_FILE_COST, 0, err)) != TF_OK ||
	    (rc = tf_vault_new_id(v, &a.id, err)) != TF_OK ||
	    (rc = tf_actor_text(who, &actor, err)) != TF_OK ||
	    (rc = tf_reader_db(v, &db, err)) != TF_OK) {
		free(actor);
		return rc;
	}
	pthread_mutex_lock(&v->mu);
	if ((rc = tf_may_add(v, db, parent, who, true, &p, err)) == TF_OK &&
	    (rc = tf_policy_child(p.parent.kind, true, &a.kind)) != TF_OK)
		rc = tf_fail(err, rc, "no directory can stand here");
	if (rc == TF_OK)
		rc = tf_may_call(v, db, &p, a.kind, name, err);
	if (rc == TF_OK) {
		mode |= tf_mode_floor(v, a.kind);
		inherit(v, &a, &p, who, mode);
		if (a.kind == TF_KIND_DIRECTORY)
			rc = tf_dir_mode_new(&p.att, mode, who, &a.mode, err);
	}
	if (rc == TF_OK) {
		pending = a.kind == TF_KIND_DIRECTORY ||
		    (a.kind == TF_KIND_ATTESTATION &&
			tf_name_draft_attestation(name, strlen(name)));
	}
	if (rc == TF_OK && !pending)
		rc = tf_quota_names(v, who->uid, 1, err);
	if (rc == TF_OK && pending) {
		a.state = TF_STATE_DRAFT;
		rc = create_pending(v, &p, &a, name, actor, &l, err);
		if (rc == TF_OK)
			rc = tf_follow_attestation(v, db, &a, err);
	}
	pthread_mutex_unlock(&v->mu);
	tf_reader_done(v, db);
	/* Without mu: these read the template, and may seal. */
	if (rc == TF_OK && !pending && a.kind == TF_KIND_ATTESTATION &&
	    (rc = tf_template_permits(v, parent, name, who, err)) == TF_OK)
		rc = tf_closed_before(v, parent, name, err);
	if (rc == TF_OK)
		tf_vault_learn(v, a.uid,
		    a.gid); /* perhaps those of the parent */
	if (rc == TF_OK && !pending) {
		a.state = TF_STATE_OPEN;
		rc = create_node(v, &a, name, actor, imported, err);
		count_empty(v, rc, &a, who);
	}
	if (rc == TF_OK)
		*out = a;
	free(actor);
	return rc;
}

enum tf_code
tf_vault_mkdir(struct tf_vault *v, uint64_t parent, const char *name,
    uint32_t mode, const struct tf_actor *who, struct tf_attr *out,
    struct tf_error *err)
{
	return tf_names_mkdir(v, parent, name, mode, NULL, who, out, err);
}

/* A bad name gets its own error first; then the kind of file is refused. */
enum tf_code
tf_vault_refuse(struct tf_vault *v, uint64_t parent, const char *name,
    struct tf_error *err)
{
	struct tf_buf shown = { 0 };
	enum tf_code rc;

	(void)v;
	(void)parent;
	rc = tf_name_check(TF_KIND_EVIDENCE, name, strlen(name), err);
	if (rc != TF_OK)
		return rc;
	tf_name_show(&shown, name, strlen(name));
	rc = tf_fail(err, TF_DENIED,
	    "%.80s: only plain files and directories "
	    "can be evidence",
	    shown.p == NULL ? "" : shown.p);
	tf_buf_free(&shown);
	return rc;
}

bool
tf_is_draft(const struct tf_place *p, const char *name)
{
	return p->in_draft || tf_name_draft(name, strlen(name));
}

enum tf_code
tf_names_create(struct tf_vault *v, uint64_t parent, const char *name,
    uint32_t mode, const struct tf_actor *who, const char *actor,
    struct tf_pending **out, struct tf_error *err)
{
	struct tf_attr a = { 0 };
	struct tf_place p;
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_vault_new_id(v, &a.id, err)) != TF_OK ||
	    (rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	if ((rc = tf_may_add(v, db, parent, who, true, &p, err)) == TF_OK &&
	    (rc = tf_policy_child(p.parent.kind, false, &a.kind)) != TF_OK)
		rc = tf_fail(err, rc,
		    "files can be created in attestations "
		    "only (TRAIL/WORKFLOW/ATTESTATION/FILE)");
	if (rc == TF_OK)
		rc = tf_may_call(v, db, &p, a.kind, name, err);
	if (rc == TF_OK) {
		inherit(v, &a, &p, who, mode);
		a.state = tf_is_draft(&p, name) ? TF_STATE_DRAFT :
						  TF_STATE_PLACEHOLDER;
		rc = create_pending(v, &p, &a, name, actor, out, err);
	}
	if (rc == TF_OK) {
		/* Its existence is not on disk yet: let a close flush it. */
		(*out)->gen = TF_IS_MUTANT(TF_FORGET_EMPTY) ? 0 : 1;
		/* It has a writer at once, so that nobody seals it before. */
		tf_pending_ref(*out);
		(*out)->job = false;
		(void)tf_pending_opened(*out, who->uid, NULL); /* the first */
	}
	pthread_mutex_unlock(&v->mu);
	tf_reader_done(v, db);
	return rc;
}

/* --- taking names away ------------------------------------------------- */

/*
 * A second failure ends the wait, or a full disk would keep the caller for
 * ever.
 */
enum tf_code
tf_await_entry(struct tf_vault *v, struct tf_pending *l, bool *tried,
    struct tf_error *err)
{
	if (l->interruption == NULL && !l->on_duty) {
		if (*tried)
			return tf_fail(err, TF_IO,
			    "%.60s is what survived of another file, and no "
			    "entry could say so yet",
			    l->name);
		*tried = true;
		tf_pending_tend_later(l);
	}
	return tf_vault_wait_long(v, err);
}
