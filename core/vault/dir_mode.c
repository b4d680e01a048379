/*
 * Modes of directories below attestations: see dir_mode.h.
 *
 * A directory without an entry is a pending node: its mode changes in memory
 * and in its row of table stage, which is committed before chmod(2) returns.
 * A directory with an entry changes by an access.changed entry, in one
 * transaction with its row.  tf_dir_mode_set() decides by the claim, under
 * vault.mu: a claim fails only when the directory was removed or has its
 * entry, and the node table then knows it (F6).
 *
 * v->filling, in memory only, lists directories that a program fills, see
 * filling.h.  After a crash the list is empty: that program has lost its mount
 * as well.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/flush.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../ledger/entry.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/filling.h"
#include "../node/idle.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "dir_mode.h"

#define WRITE_BITS 0222u
#define OTHERS_BITS 055u /* group and others may read and enter */

enum tf_code
tf_dir_mode_new(const struct tf_attr *att, uint32_t mode,
    const struct tf_actor *who, uint32_t *own, struct tf_error *err)
{
	*own = mode & TF_OWN_MODE;
	if (who->uid == 0 || who->uid == att->uid)
		return TF_OK;
	/* The directory will belong to the owner of the attestation, so this
	 * mode would keep out its maker, or nobody. */
	if ((att->mode & ~mode & OTHERS_BITS) != 0)
		return tf_fail(err, TF_DENIED,
		    "only the owner of an attestation can keep a directory in "
		    "it private");
	*own = TF_OWN_MODE;
	return TF_OK;
}

/* --- directories that are being filled (mu is held) ------------------------ */

/*
 * Write permission that comes back is the sign of a program that fills the
 * directory.
 */
static void
note_change(struct tf_vault *v, uint64_t id, uint32_t was, uint32_t now)
{
	if ((now & WRITE_BITS) == 0)
		tf_dir_filled(v, id);
	if ((was & WRITE_BITS) != 0 || (now & WRITE_BITS) == 0)
		return;
	if (!tf_array_room(&v->filling, v->n_filling, &v->cap_filling,
		sizeof(*v->filling)))
		return; /* so the attestation may close too early */
	v->filling[v->n_filling++] = id;
}

/* --- chmod ----------------------------------------------------------------- */

enum tf_code
tf_dir_mode_allowed(const struct tf_attr *dir, const struct tf_actor *who,
    struct tf_error *err)
{
	if (who->uid == 0 || who->uid == dir->uid)
		return TF_OK;
	return tf_fail(err, TF_DENIED,
	    "the directory belongs to the owner of its attestation");
}

struct change {
	uint64_t id;
	uint32_t mode, was;
	char *actor;
};

/* Find the row of the attestation above the directory of row. */
static enum tf_code
attestation_row(struct tf_db *db, const struct tf_node_row *row,
    struct tf_node_row *att, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	*att = *row;
	while (rc == TF_OK && att->attr.kind == TF_KIND_DIRECTORY)
		rc = tf_nodes_get(db, att->attr.parent, att, err);
	return rc;
}

/*
 * The seal of the attestation is looked up in the transaction, because it may
 * have come first.  The entry has owner and group of the attestation, as
 * stat(2) shows them.
 */
static enum tf_code
change_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct change *c = arg;
	struct tf_entry e = { .type = TF_ACCESS_CHANGED,
		.has_access = true,
		.actor = tf_str_of(c->actor) };
	struct tf_access_names names;
	struct tf_node_row row, att;
	enum tf_code rc;

	if ((rc = tf_nodes_get(t->db, c->id, &row, err)) != TF_OK ||
	    (rc = attestation_row(t->db, &row, &att, err)) != TF_OK)
		return rc;
	c->was = row.attr.mode;
	if ((row.attr.mode & TF_OWN_MODE) == c->mode)
		return TF_OK;
	if (att.seal != TF_NO_SEQ &&
	    (c->mode & ~row.attr.mode & WRITE_BITS) != 0)
		return tf_fail(err, TF_SEALED,
		    "it is sealed: no write permission comes back");
	tf_access_fill(&e.access, c->mode, att.attr.uid, att.attr.gid, &names);
	if ((rc = tf_txn_path(t, c->id, &e.path, err)) == TF_OK &&
	    (rc = tf_txn_append(t, &e, NULL, err)) == TF_OK)
		rc = tf_nodes_set_access(t->db, c->id, c->mode, row.attr.uid,
		    row.attr.gid, t->at, err);
	return rc;
}

/* The directory has its entry, so the change needs space for another one. */
static enum tf_code
change_row(struct tf_vault *v, struct change *c, const struct tf_actor *who,
    struct tf_error *err)
{
	enum tf_code rc = tf_space_take(v, who->uid, TF_FILE_COST, 0, err);

	if (rc == TF_OK)
		rc = tf_actor_text(who, &c->actor, err);
	if (rc == TF_OK)
		rc = tf_commit_wait(v->commit, change_run, c, err);
	free(c->actor);
	return rc;
}

static enum tf_code
save_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	return tf_stage_save(t, arg, err);
}

/* chmod of a claimed directory without an entry.  Its row in stage is
 * committed before we answer: after a crash it must not allow more than that.
 * mu is held on entry and exit. */
static enum tf_code
change_pending(struct tf_vault *v, struct tf_pending *l, uint32_t mode,
    struct tf_error *err)
{
	uint32_t was = l->attr.mode;
	enum tf_code rc;

	l->attr.mode = mode;
	pthread_mutex_unlock(&v->mu);
	rc = tf_commit_wait(v->commit, save_run, l, err);
	pthread_mutex_lock(&v->mu);
	if (rc == TF_OK)
		tf_stage_saved(v, l);
	else
		l->attr.mode = was;
	return rc;
}

enum tf_code
tf_dir_mode_set(struct tf_vault *v, uint64_t id, uint32_t mode,
    const struct tf_actor *who, struct tf_error *err)
{
	struct change c = { .id = id, .mode = mode & TF_OWN_MODE };
	struct tf_pending *l;
	enum tf_code rc = TF_OK;

	if ((rc = tf_vault_writable(v, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id);
	if (l != NULL && !tf_pending_claim(v, l))
		l = NULL; /* it got its entry, or was removed */
	if (l != NULL) {
		c.was = l->attr.mode;
		if ((c.was & TF_OWN_MODE) != c.mode)
			rc = change_pending(v, l, c.mode, err);
		tf_idle_touch(v, l->att);
		tf_pending_unclaim(v, l);
	} else {
		pthread_mutex_unlock(&v->mu);
		rc = change_row(v, &c, who, err);
		pthread_mutex_lock(&v->mu);
	}
	if (rc == TF_OK)
		note_change(v, id, c.was, c.mode);
	pthread_mutex_unlock(&v->mu);
	return rc;
}
