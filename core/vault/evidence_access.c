/*
 * Access to sealed evidence: see evidence_access.h.
 *
 * The entry and the row of the node change in one transaction, so after a
 * crash both have the old access or both the new one.  The owner is checked
 * before the transaction: the uid of sealed evidence never changes, so the
 * answer stays true.  Mode and group may change, so change_run() looks at them
 * again.  Content, times and index of the evidence stay as its first entry
 * says (I1).
 */
#include <stdlib.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../ledger/entry.h"
#include "../ledger/policy.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/quota.h"
#include "../node/refusal.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "evidence_access.h"

bool
tf_evidence_only_access(const struct tf_attr *a, unsigned mask,
    const struct tf_attr *want)
{
	if ((mask & TF_SET_UID) != 0 && want->uid != a->uid)
		return false;
	if ((mask & TF_SET_MTIME) != 0 &&
	    tf_time_cmp(want->mtime, a->mtime) != 0)
		return false;
	return (mask & TF_SET_MODE) == 0 ||
	    ((want->mode ^ a->mode) & 07777 & ~TF_READ_BITS) == 0;
}

struct change {
	uint64_t id;
	unsigned mask;
	const struct tf_attr *want;
	char *actor;
};

static enum tf_code
change_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct change *c = arg;
	struct tf_entry e = { .type = TF_ACCESS_CHANGED,
		.has_access = true,
		.has_node = true,
		.node = c->id,
		.actor = tf_str_of(c->actor) };
	struct tf_access_names names;
	struct tf_node_row row;
	struct tf_attr *a = &row.attr;
	enum tf_code rc = tf_nodes_get(t->db, c->id, &row, err);

	if (rc != TF_OK)
		return rc;
	/* Read it again: another change may have come first. */
	if (!tf_evidence_only_access(a, c->mask, c->want))
		return tf_sealed_refusal(TF_REQ_SETMETA, err);
	if ((c->mask & TF_SET_MODE) != 0)
		a->mode = c->want->mode & 07777;
	if ((c->mask & TF_SET_GID) != 0)
		a->gid = c->want->gid;
	tf_access_fill(&e.access, a->mode, a->uid, a->gid, &names);
	if ((rc = tf_txn_path(t, c->id, &e.path, err)) == TF_OK &&
	    (rc = tf_txn_append(t, &e, NULL, err)) == TF_OK)
		/* ctime is part of the evidence, so it stays. */
		rc = tf_nodes_set_access(t->db, c->id, a->mode, a->uid, a->gid,
		    a->ctime, err);
	return rc;
}

enum tf_code
tf_evidence_set_access(struct tf_vault *v, uint64_t id, unsigned mask,
    const struct tf_attr *want, const struct tf_actor *who,
    struct tf_error *err)
{
	struct change c = { .id = id, .mask = mask, .want = want };
	struct tf_attr a;
	enum tf_code rc;

	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_vault_getattr(v, id, &a, err)) != TF_OK)
		return rc;
	if (who->uid != 0 && who->uid != a.uid)
		return tf_fail(err, TF_DENIED, "only its owner or root may");
	if ((rc = tf_space_take(v, who->uid, TF_FILE_COST, 0, err)) == TF_OK &&
	    (rc = tf_actor_text(who, &c.actor, err)) == TF_OK)
		rc = tf_commit_wait(v->commit, change_run, &c, err);
	free(c.actor);
	return rc;
}
