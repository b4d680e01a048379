/*
 * unlink(2) and rmdir(2), which work on pending nodes only: what is in the
 * ledger stays.  The node is claimed, so nobody seals, flushes or renames it
 * meanwhile.  If it has a row, the row is deleted in a commit first, and then
 * the node loses its name in memory.  So a failure leaves the node as it was,
 * and after a crash the file is either still there or removed.  A staged file
 * without a row that a crash leaves is deleted by tf_orphans_remove() at the next
 * start.
 */
#include <pthread.h>
#include <string.h>

#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../commit/staging.h"
#include "../ledger/policy.h"
#include "../node/attr.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/closed.h"
#include "../node/filling.h"
#include "../node/idle.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/refusal.h"
#include "../node/user_data.h"
#include "../node/vault_i.h"
#include "../store/claims.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../vault.h"
#include "namespace.h"
#include "remove.h"

static enum tf_code
drop_claims(struct tf_txn *t, uint64_t id, struct tf_error *err)
{
	struct tf_claim_row row = { 0 };
	struct tf_object_row o = { .size = 0 };
	enum tf_code rc = tf_claims_get(t->db, id, &row, err);

	if (rc == TF_OK && row.object != 0)
		rc = tf_object_get(t->db, row.object, &o, NULL, err);
	if (rc == TF_OK || rc == TF_NOTFOUND)
		rc = tf_claims_remove(t->db, id, err);
	if (rc == TF_OK)
		t->said -= o.size;
	tf_claim_row_free(&row);
	return rc;
}

enum tf_code
tf_drop_rows(struct tf_txn *t, void *pending, struct tf_error *err)
{
	struct tf_pending *l = pending;
	enum tf_code rc = tf_stage_delete(tf_txn_write(t), l->attr.id, err);

	if (rc == TF_OK)
		rc = tf_object_drop(t->db, l->attr.id, err);
	if (rc == TF_OK && l->attr.kind == TF_KIND_ATTESTATION)
		rc = drop_claims(t, l->attr.id, err);
	return rc;
}

void
tf_drop_pending(struct tf_vault *v, struct tf_pending *l)
{
	l->saved = false;
	if (l->attr.kind == TF_KIND_DIRECTORY)
		tf_dir_filled(v, l->attr.id);
	if (l->attr.kind == TF_KIND_ATTESTATION)
		tf_user_data_end(v, l->attr.id);
	tf_pending_unname(&v->pending, l);
	tf_pending_forget(&v->pending, l);
}

enum tf_code
tf_claim_child(struct tf_vault *v, struct tf_db *db, uint64_t parent,
    const char *name, struct tf_pending **out, struct tf_node_row *row,
    struct tf_error *err)
{
	bool tried = false;
	struct tf_pending *l;
	enum tf_code rc;

	*out = NULL;
	while ((l = tf_pending_find(&v->pending, parent, name, strlen(name))) !=
	    NULL) {
		/* It went while we waited; another may have its name now. */
		if (!tf_pending_claim(v, l))
			continue;
		if (l->meant == NULL) {
			*out = l;
			return TF_OK;
		}
		tf_pending_unclaim(v, l);
		if ((rc = tf_await_entry(v, l, &tried, err)) != TF_OK)
			return rc;
	}
	rc = tf_nodes_find(db, parent, name, strlen(name), row, err);
	return rc == TF_NOTFOUND ? tf_fail(err, rc, "no such name") : rc;
}

/* Remove a claimed pending node for good; mu held on entry and on exit. */
static enum tf_code
remove_node(struct tf_vault *v, struct tf_pending *l, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (l->saved) {
		pthread_mutex_unlock(&v->mu);
		rc = tf_pending_detach(l, err);
		if (rc == TF_OK)
			rc = tf_commit_wait(v->commit, tf_drop_rows, l, err);
		pthread_mutex_lock(&v->mu);
	}
	tf_idle_touch(v, l->att);
	if (rc == TF_OK)
		tf_drop_pending(v, l);
	return rc;
}

/*
 * The claim comes before the checks: a state that was looked at without it
 * could change before the removal.
 */
static enum tf_code
remove_name(struct tf_vault *v, uint64_t parent, const char *name,
    bool directory, const struct tf_actor *who, struct tf_error *err)
{
	enum tf_request req = directory ? TF_REQ_RMDIR : TF_REQ_UNLINK;
	struct tf_node_row row;
	struct tf_subject s;
	struct tf_pending *l = NULL;
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	rc = tf_claim_child(v, db, parent, name, &l, &row, err);
	if (rc != TF_OK)
		goto out;
	if (l == NULL)
		s = row.attr.kind == TF_KIND_EVIDENCE ?
		    (struct tf_subject){ .kind = row.attr.kind,
			    .state = TF_STATE_SEALED,
			    .uid = row.attr.uid } :
		    tf_directory_subject(&row.attr, true);
	else
		s = tf_pending_is_file(l) ?
		    tf_pending_subject(l, who->uid) :
		    tf_pending_directory_subject(v, db, l, who->uid);
	if (directory && s.kind == TF_KIND_EVIDENCE)
		rc = tf_fail(err, TF_NOTDIR, "not a directory");
	else if (!directory && s.kind != TF_KIND_EVIDENCE)
		rc = tf_fail(err, TF_ISDIR, "is a directory");
	else if ((rc = tf_policy(&s, req, who->uid)) != TF_OK)
		rc = tf_refusal(rc, &s, req, name, err);
	else if ((rc = tf_closed_refuses(v, l->att, err)) != TF_OK)
		; /* a closed directory refuses as a sealed one does */
	else if (directory &&
	    tf_pending_next(&v->pending, l->attr.id, 0) != NULL)
		rc = tf_fail(err, TF_NOTEMPTY, "not empty");
	if (rc == TF_OK)
		rc = remove_node(v, l, err);
out:
	if (l != NULL)
		tf_pending_unclaim(v, l);
	pthread_mutex_unlock(&v->mu);
	tf_reader_done(v, db);
	return rc;
}

enum tf_code
tf_vault_unlink(struct tf_vault *v, uint64_t parent, const char *name,
    const struct tf_actor *who, struct tf_error *err)
{
	return remove_name(v, parent, name, false, who, err);
}

enum tf_code
tf_vault_rmdir(struct tf_vault *v, uint64_t parent, const char *name,
    const struct tf_actor *who, struct tf_error *err)
{
	return remove_name(v, parent, name, true, who, err);
}
