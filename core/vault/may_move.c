/*
 * Which renames are allowed: of which node, to which place, over which other
 * node.  tf_policy() decides by kind, state and owner, as for every other
 * request; here is what only a rename asks: whole directories, names in the
 * way, and the length of paths.  Source and target are claimed, so an answer
 * stays true until the rename has ended.  A node below a directory may still
 * be claimed by another thread; rename_locked() waits for that by
 * tf_move_busy_below().
 */
#include <string.h>

#include "../ledger/name.h"
#include "../ledger/policy.h"
#include "../node/attr.h"
#include "../node/growth.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/refusal.h"
#include "../node/vault_i.h"
#include "../seal/unflushed.h"
#include "../store/nodes.h"
#include "may_move.h"
#include "namespace.h"

enum tf_code
tf_move_refusal(const struct tf_node_row *row, enum tf_request req,
    const struct tf_actor *who, const char *name, struct tf_error *err)
{
	struct tf_subject s = row->attr.kind == TF_KIND_EVIDENCE ?
	    (struct tf_subject){ .kind = row->attr.kind,
		    .state = TF_STATE_SEALED,
		    .uid = row->attr.uid } :
	    tf_directory_subject(&row->attr, true);
	enum tf_code rc = tf_policy(&s, req, who->uid);

	return tf_refusal(rc == TF_OK ? TF_DENIED : rc, &s, req, name, err);
}

/* May the directory at the new name be replaced?  It must have no entry and be
 * empty. */
static enum tf_code
clear_directory(struct tf_move *m, struct tf_error *err)
{
	struct tf_subject s = tf_pending_directory_subject(m->v, m->db,
	    m->target, m->who->uid);
	enum tf_code rc;

	if (tf_pending_is_file(m->l))
		return tf_fail(err, TF_ISDIR, "is a directory");
	if (tf_pending_next(&m->v->pending, m->target->attr.id, 0) != NULL)
		return tf_fail(err, TF_NOTEMPTY,
		    "a directory that is not empty is in the way");
	rc = tf_policy(&s, TF_REQ_REPLACE, m->who->uid);
	return rc == TF_OK ? TF_OK :
			     tf_refusal(rc, &s, TF_REQ_REPLACE, m->name, err);
}

enum tf_code
tf_may_replace(struct tf_move *m, bool noreplace, struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_subject s;
	enum tf_code rc;

	/* Memory was asked by claim_both(): a name is looked up there first. */
	if (m->target == NULL) {
		rc = tf_nodes_find(m->db, m->to.parent.id, m->name,
		    strlen(m->name), &row, err);
		if (rc != TF_OK)
			return rc == TF_NOTFOUND ? TF_OK : rc;
	}
	if (noreplace)
		return tf_fail(err, TF_EXISTS, "the name is taken");
	if (m->target == NULL) {
		if (row.attr.kind != TF_KIND_EVIDENCE &&
		    tf_pending_is_file(m->l))
			return tf_fail(err, TF_ISDIR, "is a directory");
		return tf_move_refusal(&row, TF_REQ_REPLACE, m->who, m->name,
		    err);
	}
	if (!tf_pending_is_file(m->target))
		return clear_directory(m, err);
	if (!tf_pending_is_file(m->l))
		return tf_fail(err, TF_NOTDIR, "not a directory");
	s = tf_pending_subject(m->target, m->who->uid);
	rc = tf_policy(&s, TF_REQ_REPLACE, m->who->uid);
	return rc == TF_OK ? TF_OK :
			     tf_refusal(rc, &s, TF_REQ_REPLACE, m->name, err);
}

struct below {
	struct tf_vault *v;
	uint32_t uid; /* of the caller */
	bool any, final, busy;
	bool entered;	/* chunks of something in it are */
	bool others;	/* something in it belongs to another user */
	size_t longest; /* path below it, bytes */
};

/* Fill b from all nodes below directory id, which has no entry, so that they
 * are pending.  len: bytes of its path below the first. */
static void
look_below(struct below *b, uint64_t id, size_t len)
{
	struct tf_pending *l = tf_pending_next(&b->v->pending, id, 0);
	size_t n;

	for (; l != NULL; l = tf_pending_next(&b->v->pending, id, l->attr.id)) {
		n = len + l->name_len + 1;
		b->longest = n > b->longest ? n : b->longest;
		b->any = true;
		b->busy = b->busy || l->job;
		b->final = b->final || l->attr.state == TF_STATE_FROZEN;
		b->entered = b->entered || tf_growth_fixed(l) > 0;
		/* Directories belong to the owner of the attestation. */
		b->others = b->others ||
		    (tf_pending_is_file(l) && l->attr.uid != b->uid);
		if (!tf_pending_is_file(l))
			look_below(b, l->attr.id, n);
	}
}

bool
tf_move_busy_below(const struct tf_move *m)
{
	struct below b = { .v = m->v };

	if (m->l->attr.kind == TF_KIND_DIRECTORY)
		look_below(&b, m->l->attr.id, 0);
	return b.busy;
}

/*
 * All that is below moves along, so all of it must be allowed to get another
 * path.
 */
enum tf_code
tf_may_move_directory(struct tf_move *m, struct tf_error *err)
{
	struct below b = { .v = m->v, .uid = m->who->uid };
	struct tf_subject s = tf_pending_directory_subject(m->v, m->db, m->l,
	    m->who->uid);
	enum tf_code rc = tf_policy(&s, TF_REQ_RENAME, m->who->uid);
	bool draft = m->to.in_draft ||
	    tf_name_draft_dir(m->name, strlen(m->name));

	if (rc != TF_OK)
		return tf_refusal(rc, &s, TF_REQ_RENAME, m->l->name, err);
	if (m->to.parent.kind != TF_KIND_ATTESTATION &&
	    m->to.parent.kind != TF_KIND_DIRECTORY)
		return tf_fail(err, TF_DENIED,
		    "directories of evidence stay "
		    "in attestations");
	look_below(&b, m->l->attr.id, 0);
	/* Their evidence would get a path that they did not choose. */
	if (b.others && m->who->uid != 0)
		return tf_fail(err, TF_DENIED,
		    "%.60s holds files of other users: only root renames it",
		    m->l->name);
	if (b.final)
		return tf_fail(err, TF_SEALED,
		    "%.60s holds frozen evidence: "
		    "its name stays",
		    m->l->name);
	if (b.entered)
		return tf_fail(err, TF_DENIED,
		    "%.60s holds a file of which the first bytes are entered "
		    "in the ledger: its name stays",
		    m->l->name);
	if (b.any && (m->to.att.id != m->l->att || draft != m->l->in_draft))
		return tf_fail(err, TF_DENIED,
		    "only an empty directory moves "
		    "to another attestation or out of a draft");
	if (m->to.below + strlen(m->name) + b.longest > TF_PATH_BELOW_MAX)
		return tf_fail(err, TF_NAMETOOLONG,
		    "a path below the "
		    "attestation would be longer than %d bytes",
		    TF_PATH_BELOW_MAX);
	return TF_OK;
}

/*
 * A draft that has writers or was never written is not sealed by the rename:
 * its last close, or the sealer, does that later.
 */
enum tf_code
tf_may_move_file(struct tf_move *m, struct tf_error *err)
{
	struct tf_pending *l = m->l;
	bool draft = tf_is_draft(&m->to, m->name);
	enum tf_request req = draft ? TF_REQ_RENAME_DRAFT : TF_REQ_RENAME;
	struct tf_subject s = tf_pending_subject(l, m->who->uid);
	enum tf_code rc = tf_policy(&s, req, m->who->uid);

	if (rc != TF_OK)
		return tf_refusal(rc, &s, req, l->name, err);
	if (m->to.parent.kind != TF_KIND_ATTESTATION &&
	    m->to.parent.kind != TF_KIND_DIRECTORY)
		return tf_fail(err, TF_DENIED,
		    "files can stand in "
		    "attestations only");
	if (tf_growth_fixed(l) > 0)
		return tf_growth_refuse(l, "its name stays", err);
	m->seals = l->attr.state == TF_STATE_DRAFT && !draft &&
	    l->writers == 0 && tf_pending_written(l);
	if (m->seals && l->failed != TF_OK)
		return tf_pending_failure(l, err);
	/* Of neither name anybody was promised that it survives. */
	m->freezes = m->seals && m->v->durability == TF_DURABLE_BATCH &&
	    !l->saved && tf_unflushed_waits(l) &&
	    (m->target == NULL || !m->target->saved);
	m->seals = m->seals && !m->freezes;
	return TF_OK;
}
