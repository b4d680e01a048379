/*
 * Directories that chmod(2) closed: see close_dir.h.  The decision is made
 * in the turn of the directory (tf_turn_begin), so that no file is
 * created below between the decision and its entry.
 *
 * change_run() commits the access.changed entry, the new mode, the row of
 * table closing and the rows of pending nodes below in one transaction.  So a
 * crash leaves a directory that is open, with the old mode, or closed, with
 * everything in the database that recovery needs to seal it
 * (tf_closed_recover()).  v->closed changes only after the commit.
 *
 * The nodes below stay claimed until the commit: none can be opened for
 * writing or renamed between the decision and its entry.  mu is free while the
 * committer works and while is_worth_sealing() reads the database, so decide()
 * is called with the turn held.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/flush.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../ledger/entry.h"
#include "../node/actor.h"
#include "../node/attr.h"
#include "../node/base.h"
#include "../node/children.h"
#include "../node/closed.h"
#include "../node/filling.h"
#include "../node/holds.h"
#include "../node/idle.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "../store/closings.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "below.h"
#include "close_dir.h"
#include "seal_dir.h"
#include "turn.h"

#define WRITE_BITS 0222u

/* --- is it worth a seal? -------------------------------------------------- */

struct inside {
	struct tf_vault *v;
	uint64_t seen;
	bool open;
};

/* A child that is neither sealed nor closed keeps the parent open. */
static enum tf_code
look_at_child(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct inside *x = arg;

	(void)err;
	x->seen++;
	if (r->seal != TF_NO_SEQ)
		return TF_OK;
	pthread_mutex_lock(&x->v->mu);
	x->open = x->open || !tf_is_closed(x->v, r->attr.id);
	pthread_mutex_unlock(&x->v->mu);
	return TF_OK;
}

/*
 * Is directory id ready to be closed?  Programs that copy trees remove the
 * write bit of directories before they fill them (rsync starts at the top),
 * and that must not close them.  An attestation must hold a file; a workflow
 * or trail must hold a directory, and each of them must be sealed or closed.
 * mu is not held.
 */
static enum tf_code
is_worth_sealing(struct tf_vault *v, struct tf_db *db,
    const struct tf_attr *dir, bool *yes, struct tf_error *err)
{
	struct inside x = { .v = v };
	enum tf_code rc;

	if (dir->kind == TF_KIND_ATTESTATION)
		return tf_holds_something(v, dir->id, yes, err);
	rc = tf_each_child(db, dir->id, look_at_child, &x, err);
	*yes = !x.open && x.seen > 0;
	return rc;
}

/* --- chmod and chown ------------------------------------------------------ */

struct change {
	struct tf_vault *v;
	uint64_t id;
	unsigned mask;
	const struct tf_attr *want;
	uint32_t uid; /* of the caller */
	char *actor;
	enum { ONLY_ACCESS, CLOSES, OPENS } does;
	uint64_t opens_wf; /* the workflow that opens with it, or 0 */
	struct tf_turn turn;
	struct tf_below below; /* claimed, when it closes */
};

/* Has the table stage no row of l, or one with an older name or mode? */
static bool
needs_row(const struct tf_pending *l)
{
	return l->saved ? l->stale : !tf_pending_is_file(l);
}

/* The row of table closing, in the transaction of the entry. */
static enum tf_code
change_closing(struct tf_txn *t, const struct change *c, struct tf_error *err)
{
	struct tf_str actor = { c->actor, strlen(c->actor) };
	enum tf_code rc = TF_OK;

	if (c->does == OPENS) {
		rc = tf_closings_delete(t->db, c->id, err);
		return rc != TF_OK || c->opens_wf == 0 ?
		    rc :
		    tf_closings_delete(t->db, c->opens_wf, err);
	}
	if (c->does == ONLY_ACCESS)
		return TF_OK;
	/* Recovery must find after a power cut what it is to seal. */
	for (size_t i = 0; rc == TF_OK && i < c->below.n; i++)
		if (needs_row(c->below.l[i]))
			rc = tf_stage_save(t, c->below.l[i], err);
	return rc == TF_OK ? tf_closings_put(t->db, c->id, actor, err) : rc;
}

/*
 * The seal is looked up again: it may have been committed since the decision.
 */
static enum tf_code
change_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct change *c = arg;
	struct tf_entry e = { .type = TF_ACCESS_CHANGED,
		.has_access = true,
		.actor = tf_str_of(c->actor) };
	struct tf_access_names names;
	struct tf_node_row row;
	struct tf_attr *a = &row.attr;
	enum tf_code rc;

	if ((rc = tf_nodes_get(t->db, c->id, &row, err)) != TF_OK)
		return rc;
	if (row.seal != TF_NO_SEQ && (c->mask & TF_SET_MODE) != 0 &&
	    (c->want->mode & ~a->mode & WRITE_BITS) != 0)
		return tf_fail(err, TF_SEALED,
		    "it is sealed: no write permission comes back");
	tf_attr_apply(a, c->mask, c->want);
	tf_access_fill(&e.access, a->mode, a->uid, a->gid, &names);
	if ((rc = tf_txn_path(t, c->id, &e.path, err)) == TF_OK &&
	    (rc = tf_txn_append(t, &e, NULL, err)) == TF_OK &&
	    (rc = tf_nodes_set_access(t->db, c->id, a->mode, a->uid, a->gid,
		 t->at, err)) == TF_OK)
		rc = change_closing(t, c, err);
	return rc;
}

/* Does this chmod ask to close an open directory?  The root never closes. */
static bool
takes_last_write_bit(const struct tf_attr *a, const struct change *c)
{
	return (c->mask & TF_SET_MODE) != 0 && a->kind != TF_KIND_ROOT &&
	    a->state == TF_STATE_OPEN && (a->mode & WRITE_BITS) != 0 &&
	    (c->want->mode & WRITE_BITS) == 0;
}

/* An attestation that opens again opens its closed workflow, too.  So the
 * caller must be allowed to open that. */
static enum tf_code
opens(struct change *c, const struct tf_attr *a, struct tf_db *db,
    struct tf_error *err)
{
	struct tf_attr wf;
	enum tf_code rc;

	c->does = OPENS;
	if (a->kind != TF_KIND_ATTESTATION || !tf_is_closed(c->v, a->parent))
		return TF_OK;
	if ((rc = tf_attr_of(c->v, db, a->parent, &wf, err)) != TF_OK)
		return rc;
	if (c->uid != 0 && c->uid != wf.uid)
		return tf_fail(err, TF_SEALED, "its workflow is closed");
	c->opens_wf = wf.id;
	return TF_OK;
}

/* Decide whether the chmod closes or opens the directory.  Claims all nodes
 * below one that it closes.  mu is held, and let go of for moments. */
static enum tf_code
decide(struct change *c, const struct tf_attr *a, struct tf_db *db,
    struct tf_error *err)
{
	struct tf_vault *v = c->v;
	bool worth = false;
	enum tf_code rc;

	if (tf_is_closed(v, c->id)) {
		if ((c->mask & TF_SET_MODE) != 0 &&
		    (c->want->mode & WRITE_BITS) != 0)
			return opens(c, a, db, err);
		return TF_OK;
	}
	if (!takes_last_write_bit(a, c))
		return TF_OK;
	pthread_mutex_unlock(&v->mu);
	rc = is_worth_sealing(v, db, a, &worth, err);
	pthread_mutex_lock(&v->mu);
	if (rc != TF_OK || !worth)
		return rc;
	c->below.in_the_way = tf_dir_filling(v, db, c->id);
	if (c->below.in_the_way != 0)
		return tf_fail(err, TF_BUSY,
		    "a directory got its write bit back: being filled");
	c->below.dir = *a;
	rc = tf_below_look(v, &c->below, err);
	if (rc != TF_OK)
		return rc;
	if (c->below.wait) {
		c->below.n = 0; /* not claimed */
		return TF_OK;
	}
	c->does = CLOSES;
	tf_below_claim(&c->below);
	/* Others in their turn may close a directory before this one does. */
	return tf_closed_reserve(v, tf_turns(v), err);
}

/* Update v->closed after the commit of the chmod.  mu is held. */
static void
changed(struct change *c, const struct tf_attr *a)
{
	struct tf_vault *v = c->v;
	struct tf_closed *closed = tf_closed_find(v, c->id);

	if (c->does == CLOSES) {
		for (size_t i = 0; i < c->below.n; i++)
			if (needs_row(c->below.l[i])) {
				tf_stage_saved(v, c->below.l[i]);
				c->below.l[i]->stale = false;
			}
		tf_closed_add(v, a, c->actor);
		c->actor = NULL;
	} else if (c->does == OPENS && closed != NULL) {
		tf_closed_drop(v, closed);
		if (c->opens_wf != 0)
			tf_closed_drop(v, tf_closed_find(v, c->opens_wf));
	} else if (closed != NULL) {
		tf_closed_settle(v, closed);
	}
}

/*
 * Decide, commit, and then change the list of closed directories.  No lock is
 * held on entry and exit.
 */
static enum tf_code
change(struct change *c, struct tf_db *db, struct tf_error *err)
{
	struct tf_vault *v = c->v;
	struct tf_attr a;
	bool turn;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	rc = tf_attr_of(v, db, c->id, &a, err);
	/* A chmod that neither closes nor opens does not wait for seals. */
	turn = rc == TF_OK &&
	    (tf_has_turn(v, c->id) || tf_is_closed(v, c->id) ||
		takes_last_write_bit(&a, c));
	if (turn) {
		rc = tf_turn_begin(v, db, &c->turn, c->id, false, err);
		turn = rc == TF_OK;
		if (rc == TF_OK)
			rc = tf_attr_of(v, db, c->id, &a, err);
		if (rc == TF_OK)
			rc = decide(c, &a, db, err);
	}
	while (rc == TF_OK && c->below.wait) {
		rc = tf_turn_wait(v, &c->turn, err);
		c->below.wait = false;
		if (rc == TF_OK)
			rc = tf_attr_of(v, db, c->id, &a, err);
		if (rc == TF_OK)
			rc = decide(c, &a, db, err);
	}
	if (rc == TF_OK) {
		if (a.kind == TF_KIND_ATTESTATION)
			tf_idle_touch(v, a.id);
		pthread_mutex_unlock(&v->mu);
		rc = tf_space_take(v, c->uid, TF_FILE_COST, 0, err);
		if (rc == TF_OK)
			rc = tf_commit_wait(v->commit, change_run, c, err);
		pthread_mutex_lock(&v->mu);
	}
	if (rc == TF_OK)
		changed(c, &a);
	tf_below_unclaim(v, &c->below);
	if (turn)
		tf_turn_end(v, &c->turn);
	pthread_mutex_unlock(&v->mu);
	if (rc != TF_OK)
		tf_below_name(v, &c->below, db, err);
	return rc;
}

enum tf_code
tf_change_access(struct tf_vault *v, uint64_t id, unsigned mask,
    const struct tf_attr *want, const struct tf_actor *who,
    struct tf_error *err)
{
	struct change c = { .v = v,
		.id = id,
		.mask = mask,
		.want = want,
		.uid = who->uid,
		.below.dir.id = id };
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_actor_text(who, &c.actor, err)) != TF_OK)
		return rc;
	if ((rc = tf_reader_db(v, &db, err)) == TF_OK) {
		rc = change(&c, db, err);
		tf_reader_done(v, db);
	}
	free(c.actor);
	free(c.below.l);
	return rc;
}
