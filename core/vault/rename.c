/*
 * rename(2).  Only pending nodes can be renamed.  A written, closed draft that
 * gets an ordinary name is sealed in the same transaction, or with
 * durability=batch, when it has no row yet, frozen without one.  Any other node
 * with a row has its new name on stable storage when rename returns.  The new
 * name is set in memory first; when the commit fails, move_back() restores the
 * old one.
 *
 * Source and target stay claimed from the checks to the end, and vault.mu is
 * free while the committer works.  One transaction removes the rows of the
 * target and writes those of the source, or seals it; so a crash leaves either
 * both old names or the new one, never none.  Bytes that were left from an
 * earlier run are compared before anything is claimed, because that may take
 * long.
 *
 * Nobody waits with a claim held: rename_locked() and claim_both() give up
 * what they have, wait, and begin again with all checks.  A target without a
 * row needs no commit, since nobody was promised that it survives.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../commit/commit.h"
#include "../commit/flush.h"
#include "../commit/queue.h"
#include "../commit/staging.h"
#include "../ledger/name.h"
#include "../ledger/policy.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/closed.h"
#include "../node/freeze.h"
#include "../node/idle.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/text.h"
#include "../node/stage_remove.h"
#include "../node/vault_i.h"
#include "../seal/placeholder.h"
#include "../seal/seal.h"
#include "../seal/seal_closed.h"
#include "../seal/seal_dir.h"
#include "../seal/seal_entries.h"
#include "../seal/seal_one.h"
#include "../seal/seal_prepare.h"
#include "../seal/tend.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "may_move.h"
#include "namespace.h"
#include "remove.h"
#include "template_rule.h"

/* Does the caller become the actor of the node?  The actor of a file that is
 * open or frozen is its writer, unless another user renames it. */
static bool
takes_actor(const struct tf_move *m)
{
	return m->seals || m->l->attr.kind == TF_KIND_DIRECTORY ||
	    m->l->attr.uid != m->who->uid;
}

/* Called a second time, it restores the old actor. */
static void
swap_actors(struct tf_move *m)
{
	struct tf_text *was = m->l->actor;

	m->l->actor = m->actor;
	m->actor = was;
}

/*
 * Fill the old place of m and give the node its new one.  A node that is not a
 * file has no state that depends on its name.
 */
static void
take_place(struct tf_move *m)
{
	struct tf_pending *l = m->l;

	if ((m->new_actor = takes_actor(m)))
		swap_actors(m);
	m->old_parent = l->attr.parent;
	m->old_att = l->att;
	m->old_wf = l->wf;
	m->old_attr = l->attr;
	m->old_in_draft = l->in_draft;
	m->other_name = tf_pending_rename(&m->v->pending, l, m->to.parent.id,
	    m->other_name);
	if (l->attr.kind == TF_KIND_ATTESTATION)
		return;
	tf_pending_place(&m->v->pending, l, m->to.att.id, m->to.wf);
	l->in_draft = m->to.in_draft ||
	    (!tf_pending_is_file(l) &&
		tf_name_draft_dir(m->name, strlen(m->name)));
	if (!tf_pending_is_file(l))
		return;
	l->attr.ctime = m->moved = tf_clock_now();
	if (tf_is_draft(&m->to, m->name))
		l->attr.state = TF_STATE_DRAFT;
	else if (l->attr.state == TF_STATE_DRAFT)
		l->attr.state = tf_pending_written(l) ? TF_STATE_OPEN :
							TF_STATE_PLACEHOLDER;
}

/* Give the node its new place in memory; others see it once mu is released. */
static void
move_in_memory(struct tf_move *m)
{
	take_place(m);
	tf_pending_index(m->l);
}

/* Undo take_place() after a failed commit.  mu is held. */
static void
move_back(struct tf_move *m)
{
	struct tf_pending *l = m->l;

	if (l->attr.state == TF_STATE_SEALED)
		return; /* it has left memory */
	if (m->new_actor)
		swap_actors(m);
	m->other_name = tf_pending_rename(&m->v->pending, l, m->old_parent,
	    m->other_name);
	tf_pending_place(&m->v->pending, l, m->old_att, m->old_wf);
	l->in_draft = m->old_in_draft;
	/* Not all of attr: a writer may have changed size and times. */
	l->attr.state = m->old_attr.state;
	if (tf_time_cmp(l->attr.ctime, m->moved) == 0)
		l->attr.ctime = m->old_attr.ctime;
	tf_pending_index(l);
}

/*
 * In one transaction: remove the target, then seal the source or save its row.
 */
static enum tf_code
move_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct tf_move *m = arg;
	struct tf_node_row row;
	enum tf_code rc;

	if (m->target != NULL && m->target->saved &&
	    (rc = tf_drop_rows(t, m->target, err)) != TF_OK)
		return rc;
	if (m->seals)
		return tf_seal_one(t, &m->sealed, err);
	if (!m->l->saved)
		return TF_OK;
	/* A directory got its entry if a child was sealed meanwhile. */
	rc = tf_nodes_get(t->db, m->l->attr.id, &row, err);
	return rc == TF_NOTFOUND ? tf_stage_save(t, m->l, err) : rc;
}

/* Commit the move.  mu is held on entry and exit, and let go of meanwhile. */
static enum tf_code
commit_move(struct tf_move *m, struct tf_error *err)
{
	struct tf_vault *v = m->v;
	enum tf_code rc = TF_OK;

	if (!m->seals && !m->l->saved &&
	    (m->target == NULL || !m->target->saved))
		return TF_OK;
	pthread_mutex_unlock(&v->mu);
	if (m->target != NULL)
		rc = tf_pending_detach(m->target, err);
	m->sealed = (struct tf_seal_file){ .l = m->l };
	if (rc == TF_OK && m->seals)
		rc = tf_seal_prepare(v, m->db, &m->sealed, 1, err);
	if (rc == TF_OK)
		rc = tf_commit_wait(v->commit, move_run, m, err);
	tf_seal_prepared_free(&m->sealed, 1);
	pthread_mutex_lock(&v->mu);
	if (rc == TF_OK && m->seals) {
		tf_seal_settle(v, m->l);
		tf_stage_remove(m->l);
	}
	if (rc == TF_OK && !m->seals && m->l->saved)
		tf_stage_saved(v, m->l);
	return rc;
}

/*
 * Rename in memory, commit, and go back if that fails.  mu is held on entry
 * and exit, and let go of meanwhile; both nodes are claimed.
 */
static enum tf_code
move(struct tf_move *m, struct tf_error *err)
{
	enum tf_code rc;

	move_in_memory(m);
	rc = commit_move(m, err);
	if (rc == TF_OK && m->target != NULL)
		tf_drop_pending(m->v, m->target);
	tf_idle_touch(m->v, m->old_att);
	tf_idle_touch(m->v, m->l->att);
	if (rc != TF_OK)
		move_back(m);
	if (m->l->attr.kind == TF_KIND_DIRECTORY && m->to.att.id != m->old_att)
		tf_vault_changed(m->v,
		    m->l->attr.id); /* also after move_back() */
	/* Settling starts, or starts anew. */
	if (rc == TF_OK && (m->freezes || m->l->attr.state == TF_STATE_FROZEN))
		tf_pending_freeze(m->l);
	if (rc == TF_OK && tf_pending_rests(m->l))
		tf_placeholder_rest(m->l);
	return rc;
}

/* Rename a draft attestation to another draft name, or tell the caller to
 * publish it.  Publishing seals it, so only its owner and root may do that. */
static enum tf_code
move_attestation(struct tf_move *m, bool *publish, struct tf_error *err)
{
	if (m->who->uid != 0 && m->who->uid != m->l->attr.uid)
		return tf_fail(err, TF_DENIED,
		    "only its owner or root publishes %.60s", m->l->name);
	if (m->to.parent.id != m->l->wf)
		return tf_fail(err, TF_DENIED,
		    "a draft attestation stays in its workflow");
	*publish = !tf_name_draft_attestation(m->name, strlen(m->name));
	return *publish ? TF_OK : move(m, err);
}

/*
 * All that can refuse the rename, and then the rename.  mu is held, and both
 * nodes are claimed.
 */
static enum tf_code
move_child(struct tf_move *m, bool noreplace, bool *publish,
    struct tf_error *err)
{
	enum tf_kind kind = m->l->attr.kind;
	bool differ = false;
	enum tf_code rc;

	rc = tf_closed_refuses(m->v, m->l->att, err);
	/* A draft attestation stays in its workflow. */
	if (rc == TF_OK && kind != TF_KIND_ATTESTATION)
		rc = tf_recipients_differ(m->v, m->db, m->l->wf, m->to.wf,
		    &differ, err);
	if (rc != TF_OK)
		return rc;
	if (differ)
		return tf_fail(err, TF_CROSSES,
		    "the trails have other recipients: copy %.60s", m->l->name);
	if (kind != TF_KIND_ATTESTATION)
		rc = kind == TF_KIND_DIRECTORY ? tf_may_move_directory(m, err) :
						 tf_may_move_file(m, err);
	else
		rc = TF_OK;
	if (rc == TF_OK)
		rc = tf_may_replace(m, noreplace, err);
	if (rc != TF_OK)
		return rc;
	if (m->to.att.id != m->l->att &&
	    (rc = tf_quota_draft(m->v, m->to.att.id, err)) != TF_OK)
		return rc;
	/* The name is free or will be.  Is it legal? */
	if (m->target == NULL) {
		rc = tf_may_call(m->v, m->db, &m->to, kind, m->name, err);
		if (rc != TF_OK)
			return rc;
	}
	if (kind == TF_KIND_ATTESTATION)
		return move_attestation(m, publish, err);
	return move(m, err);
}

/* End both claims: nobody waits who holds a claim. */
static void
let_go(struct tf_move *m)
{
	if (m->target != NULL)
		tf_pending_unclaim(m->v, m->target);
	if (m->l != NULL)
		tf_pending_unclaim(m->v, m->l);
	m->target = m->l = NULL;
}

/* Claim source and target.  Waiting for one, we do not hold the other. */
static enum tf_code
claim_both(struct tf_move *m, uint64_t parent, const char *name,
    uint64_t new_parent, struct tf_node_row *row, struct tf_error *err)
{
	bool tried = false;
	struct tf_pending *t;
	enum tf_code rc;

	for (;;) {
		rc = tf_claim_child(m->v, m->db, parent, name, &m->l, row, err);
		if (rc != TF_OK || m->l == NULL)
			return rc;
		t = tf_pending_find(&m->v->pending, new_parent, m->name,
		    strlen(m->name));
		if (t == NULL)
			return TF_OK;
		if (!t->job && t->meant == NULL) {
			(void)tf_pending_claim(m->v, t); /* at once */
			m->target = t;
			return TF_OK;
		}
		let_go(m);
		if (t->job)
			tf_vault_wait(m->v);
		else if ((rc = tf_await_entry(m->v, t, &tried, err)) != TF_OK)
			return rc;
	}
}

/*
 * Claim source and target while nobody seals or moves what is above or below
 * them, then rename.  mu is held on entry and exit.
 */
static enum tf_code
rename_locked(struct tf_move *m, uint64_t parent, const char *name,
    uint64_t new_parent, bool noreplace, bool *publish, struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc;

	for (;;) {
		rc = tf_may_add(m->v, m->db, new_parent, m->who, true, &m->to,
		    err);
		if (rc != TF_OK && rc != TF_READONLY)
			return rc;
		rc = claim_both(m, parent, name, new_parent, &row, err);
		if (rc != TF_OK)
			return rc;
		/* The refusal of a sealed node says that it is sealed. */
		if (m->l == NULL)
			return tf_move_refusal(&row, TF_REQ_RENAME, m->who,
			    name, err);
		rc = tf_may_add(m->v, m->db, new_parent, m->who, false, &m->to,
		    err);
		if (rc != TF_BUSY && !(rc == TF_OK && tf_move_busy_below(m)))
			break;
		let_go(m);
		if (rc == TF_OK)
			tf_vault_wait(m->v);
	}
	return rc == TF_OK ? move_child(m, noreplace, publish, err) : rc;
}

/* If the rename will seal a draft that an earlier run left, compare its bytes
 * now.  That may take long, so nothing is claimed yet. */
static enum tf_code
check_content(struct tf_vault *v, uint64_t parent, const char *name,
    const char *new_name, struct tf_error *err)
{
	struct tf_pending *l;
	enum tf_code rc = TF_OK;

	if (tf_name_draft(new_name, strlen(new_name)))
		return TF_OK;
	pthread_mutex_lock(&v->mu);
	l = tf_pending_find(&v->pending, parent, name, strlen(name));
	if (l != NULL && l->unchecked && l->attr.state == TF_STATE_DRAFT)
		tf_pending_ref(l);
	else
		l = NULL;
	pthread_mutex_unlock(&v->mu);
	if (l == NULL)
		return TF_OK;
	rc = tf_pending_check(l, err);
	pthread_mutex_lock(&v->mu);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

enum tf_code
tf_names_rename(struct tf_vault *v, uint64_t parent, const char *name,
    uint64_t new_parent, const char *new_name, bool noreplace,
    const struct tf_imported_field *from, const struct tf_actor *who,
    struct tf_error *err)
{
	struct tf_move m = { .v = v, .name = new_name, .who = who };
	struct tf_seal_request publication = { .who = who,
		.new_name = new_name,
		.imported = from == NULL ? NULL : from->json.p,
		.texts = from == NULL ? NULL : &from->texts };
	bool publish = false;
	char *actor = NULL;
	enum tf_code rc;

	if (parent == new_parent && strcmp(name, new_name) == 0)
		return TF_OK;
	tf_vault_learn(v, who->uid, who->gid);
	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = check_content(v, parent, name, new_name, err)) != TF_OK ||
	    (rc = tf_closed_before(v, new_parent, new_name, err)) != TF_OK ||
	    (rc = tf_actor_text(who, &actor, err)) != TF_OK ||
	    (rc = tf_reader_db(v, &m.db, err)) != TF_OK) {
		free(actor);
		return rc;
	}
	pthread_mutex_lock(&v->mu);
	m.actor = tf_text_get(&v->texts, actor, strlen(actor));
	m.other_name = strdup(new_name);
	rc = m.actor == NULL || m.other_name == NULL ?
	    tf_nomem(err) :
	    rename_locked(&m, parent, name, new_parent, noreplace, &publish,
		err);
	if (m.l != NULL)
		publication.id = m.l->attr.id;
	let_go(&m);
	tf_text_unref(m.actor);
	pthread_mutex_unlock(&v->mu);
	tf_reader_done(v, m.db);
	free(m.other_name);
	free(actor);
	if (rc == TF_OK && publish)
		rc = tf_template_permits(v, new_parent, new_name, who, err);
	if (rc == TF_OK && publish)
		rc = tf_seal_dir(v, &publication, err);
	return rc;
}

enum tf_code
tf_vault_rename(struct tf_vault *v, uint64_t parent, const char *name,
    uint64_t new_parent, const char *new_name, bool noreplace,
    const struct tf_actor *who, struct tf_error *err)
{
	return tf_names_rename(v, parent, name, new_parent, new_name, noreplace,
	    NULL, who, err);
}
