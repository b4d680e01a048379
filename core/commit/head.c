/* The head of the ledger: loaded at the start (I3), shown after each commit. */
#include <pthread.h>
#include <string.h>

#include "../base/bytes.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/merkle.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../store/claims.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "append.h"
#include "commit.h"
#include "committer_i.h"
#include "head.h"
#include "sign_head.h"

void
tf_commit_publish(struct tf_committer *c, const struct tf_checkpoint *cp,
    struct tf_buf *note)
{
	struct tf_vault *v = c->v;
	bool wakes;

	pthread_mutex_lock(&v->mu);
	/* The sealer, which writes the copies of the head, knows of no new one. */
	wakes = v->head.size == v->kept_size;
	v->head.size = c->txn.size;
	v->head.bytes = c->txn.bytes;
	v->head.files = c->txn.files;
	v->head.content_bytes = c->txn.content_bytes;
	v->head.root = cp->root;
	v->head.at = c->txn.at;
	tf_buf_free(&v->head.note);
	v->head.note = *note;
	memset(note, 0, sizeof(*note));
	if (wakes)
		pthread_cond_signal(&v->alarm);
	pthread_mutex_unlock(&v->mu);
}

/* A store of an earlier version has no such number: those that the ledger names
 * and no row are not counted then. */
static enum tf_code
load_said(struct tf_committer *c, struct tf_error *err)
{
	struct tf_txn *t = &c->txn;
	enum tf_code rc = tf_meta_get_int(t->db, TF_META_SAID, &t->said, err);

	if (rc == TF_NOTFOUND)
		rc = tf_claims_bytes(t->db, &t->said, err);
	c->v->said = t->said; /* there are no other threads yet */
	return rc;
}

/* Check that entries, tiles and the newest checkpoint agree, in time that does
 * not depend on the length of the log. */
enum tf_code
tf_commit_load(struct tf_committer *c, struct tf_error *err)
{
	struct tf_txn *t = &c->txn;
	struct tf_vault *v = c->v;
	struct tf_checkpoint cp;
	struct tf_buf note = { 0 }, body = { 0 };
	struct tf_entry_decoded d = { 0 };
	struct tf_hash root, computed;
	uint64_t size;
	enum tf_code rc;

	rc = tf_entries_size(t->db, &t->size, &t->bytes, err);
	if (rc == TF_OK)
		rc = load_said(c, err);
	if (rc != TF_OK || t->size == 0)
		return rc;
	if ((rc = tf_tree_load(c->tree, t->size, tf_tiles_read, t->db, err)) ==
		TF_OK &&
	    (rc = tf_head_complete(c, err)) == TF_OK &&
	    (rc = tf_checkpoints_newest(t->db, &size, &root, &note, err)) ==
		TF_OK)
		rc = tf_vault_check_note(v, tf_buf_bytes(&note), &cp, err);
	if (rc != TF_OK)
		goto out;
	tf_tree_root(c->tree, &computed);
	if (cp.size != t->size || memcmp(&computed, &cp.root, 32) != 0 ||
	    memcmp(&root, &cp.root, 32) != 0) {
		rc = tf_fail(err, TF_TAMPER,
		    "the tree's right edge does not "
		    "give the root of the newest checkpoint: run trailctl "
		    "verify");
		goto out;
	}
	rc = tf_entries_get(t->db, t->size - 1, &body, NULL, err);
	if (rc == TF_OK)
		rc = tf_entry_decode(&d, body.p, body.n, err);
	if (rc == TF_OK)
		rc = tf_meta_get_int(t->db, "files", &t->files, err);
	if (rc == TF_OK)
		rc = tf_meta_get_int(t->db, "content_bytes", &t->content_bytes,
		    err);
	if (rc == TF_OK) {
		t->at = d.e.at;
		tf_txn_doubt_clock(c->v, t->at);
		tf_commit_publish(c, &cp, &note);
	}
out:
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	tf_buf_free(&note);
	return rc;
}
