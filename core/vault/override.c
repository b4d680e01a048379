/*
 * Overrides: the verdict of a sealed attestation is replaced by an entry that
 * says who did so and why.  The seal stays as it is.
 *
 * All checks that another change can make untrue are made in the transaction:
 * the seal, and the owner of the workflow, which may change.  The entry names
 * the seal that it overrides by index (`target`), so each override is about
 * one verdict for ever (I1).
 */
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../definition.h"
#include "../ledger/entry.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "reason.h"

struct override {
	uint64_t id;
	bool compliant;
	struct tf_str reason;
	const char *actor;
	uint32_t uid;
};

/* Only the owner of the workflow may: who reported it must not judge it. */
static enum tf_code
check_owner(struct tf_txn *t, const struct override *o,
    const struct tf_node_row *att, struct tf_error *err)
{
	struct tf_node_row wf;
	enum tf_code rc = tf_nodes_get(t->db, att->attr.parent, &wf, err);

	if (rc == TF_OK && o->uid != 0 && o->uid != wf.attr.uid)
		return tf_fail(err, TF_DENIED,
		    "only the owner of the workflow and root may override");
	return rc;
}

/*
 * An attestation without a row is a draft; one without a seal has no verdict
 * yet.
 */
static enum tf_code
override_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct override *o = arg;
	struct tf_entry e = { .type = TF_ATTESTATION_OVERRIDDEN,
		.actor = tf_str_of(o->actor),
		.has_compliant = true,
		.compliant = o->compliant,
		.has_target = true,
		.reason = o->reason };
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(t->db, o->id, &row, err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_BUSY, "it is not sealed yet");
	if (rc == TF_OK && row.seal == TF_NO_SEQ)
		return tf_fail(err, TF_BUSY, "it is not sealed yet");
	if (rc == TF_OK)
		rc = check_owner(t, o, &row, err);
	e.target = row.seal;
	if (rc == TF_OK)
		rc = tf_txn_path(t, o->id, &e.path, err);
	return rc == TF_OK ? tf_txn_append(t, &e, NULL, err) : rc;
}

enum tf_code
tf_vault_override(struct tf_vault *v, uint64_t id, bool compliant,
    const char *reason, size_t n, const struct tf_actor *who,
    struct tf_error *err)
{
	struct override o = { .id = id,
		.compliant = compliant,
		.reason = { reason, n },
		.uid = who->uid };
	char *actor = NULL;
	struct tf_attr a;
	enum tf_code rc;

	if ((rc = tf_reason_check("an override", o.reason, err)) != TF_OK ||
	    (rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_vault_getattr(v, id, &a, err)) != TF_OK)
		return rc;
	if (a.kind != TF_KIND_ATTESTATION)
		return tf_fail(err, TF_UNSUPPORTED,
		    "only an attestation can be overridden");
	if ((rc = tf_space_take(v, who->uid, TF_FILE_COST, 0, err)) != TF_OK)
		return rc;
	tf_vault_learn(v, who->uid, who->gid);
	if ((rc = tf_actor_text(who, &actor, err)) != TF_OK)
		return rc;
	o.actor = actor;
	rc = tf_commit_wait(v->commit, override_run, &o, err);
	free(actor);
	return rc;
}
