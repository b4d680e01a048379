/*
 * Rotation of a key: see tf_vault_rotate() in vault.h.
 *
 *  1. the signer makes the new key beside the old one, and signs the rotation
 *  2. the entry is committed, alone in its transaction
 *  3. the signer adopts the new key, and signs the checkpoint of the entry
 *  4. the public files are written
 *
 * The commit decides.  After a crash before it the old key is in force, and the next
 * rotation takes the new key that is there; after it the next start does the rest.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../ledger/entry.h"
#include "../node/actor.h"
#include "../node/key_state.h"
#include "../node/log_keys.h"
#include "../node/vault_i.h"
#include "../sign/sign.h"
#include "../store/meta.h"
#include "../vault.h"
#include "keys.h"

#define TRIES 3 /* while the clock jumps */

struct rotation {
	struct tf_vault *v;
	bool log;
	char *actor;
	struct tf_key_state *state; /* of the last try */
};

/* The texts of the keys and signatures of an entry. */
struct texts {
	struct tf_buf old_key, new_key, old_sig, new_sig;
};

static void
free_texts(struct texts *t)
{
	tf_buf_free(&t->old_key);
	tf_buf_free(&t->new_key);
	tf_buf_free(&t->old_sig);
	tf_buf_free(&t->new_sig);
}

static void
spki_text(const struct tf_pubkey *pub, struct tf_buf *out)
{
	uint8_t der[TF_SPKI_LEN];

	tf_pubkey_spki(pub, der);
	tf_base64(out, der, sizeof(der));
}

static enum tf_code
fill(const struct rotation *x, const struct tf_signer_new_key *k,
    struct tf_vkey *vkey, struct texts *t, struct tf_entry *e,
    struct tf_error *err)
{
	if (x->log) {
		tf_vkey_make(vkey, x->v->origin, &k->pub);
		tf_vkey_text(tf_log_key(x->v), &t->old_key);
		tf_vkey_text(vkey, &t->new_key);
		tf_base64(&t->old_sig, k->old_sig, sizeof(k->old_sig));
		tf_base64(&t->new_sig, k->new_sig, sizeof(k->new_sig));
		e->old_sig = tf_buf_bytes(&t->old_sig);
		e->new_sig = tf_buf_bytes(&t->new_sig);
	} else {
		spki_text(&x->v->attester, &t->old_key);
		spki_text(&k->pub, &t->new_key);
	}
	e->use = tf_str_of(x->log ? "log" : "attester");
	e->key_old = tf_buf_bytes(&t->old_key);
	e->key_new = tf_buf_bytes(&t->new_key);
	e->actor = tf_str_of(x->actor);
	return t->old_key.failed || t->new_key.failed || t->old_sig.failed ||
		t->new_sig.failed ?
	    tf_nomem(err) :
	    TF_OK;
}

/* What the database keeps beside the entry. */
static enum tf_code
keep(struct rotation *x, struct tf_txn *t, const struct texts *texts,
    struct tf_error *err)
{
	struct tf_buf spki = { 0 };
	enum tf_code rc;

	if (x->log)
		return tf_log_keys_record(tf_txn_write(t), t->size - 1, err);
	tf_buf_add(&spki, texts->new_key.p, texts->new_key.n);
	tf_buf_add(&spki, "", 1);
	rc = tf_buf_end(&spki, err);
	if (rc == TF_OK)
		rc = tf_meta_set_text(tf_txn_write(t), "attester", spki.p, err);
	tf_buf_free(&spki);
	return rc;
}

static enum tf_code
rotate(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct rotation *x = arg;
	struct tf_entry e = { .type = TF_KEY_ROTATED };
	struct tf_signer_new_key k = { .log = x->log, .origin = x->v->origin };
	struct texts texts = { 0 };
	struct tf_vkey vkey;
	enum tf_code rc;

	tf_key_state_free(x->state);
	x->state = NULL;
	/* The number is signed: an entry about the clock comes first. */
	if ((rc = tf_txn_batch(t, 1, err)) != TF_OK)
		return rc;
	tf_txn_batch_end(t);
	k.seq = t->size;
	rc = tf_signer_rotate(x->v->signer, &k, err);
	if (rc == TF_OK)
		rc = fill(x, &k, &vkey, &texts, &e, err);
	if (rc == TF_OK)
		rc = tf_txn_append(t, &e, NULL, err);
	if (rc == TF_OK && e.seq != k.seq)
		rc = tf_fail(err, TF_BUSY, "the clock jumped: try again");
	if (rc == TF_OK)
		rc = keep(x, t, &texts, err);
	if (rc == TF_OK)
		rc = tf_key_state_new(x->v, t->db, &x->state, err);
	if (rc == TF_OK && x->log)
		x->state->log = vkey;
	else if (rc == TF_OK)
		x->state->attester = k.pub;
	if (rc == TF_OK)
		t->rotated = x->state;
	free_texts(&texts);
	return rc;
}

enum tf_code
tf_vault_rotate(struct tf_vault *v, bool log, const struct tf_actor *actor,
    struct tf_error *err)
{
	struct rotation x = { .v = v, .log = log };
	enum tf_code rc = tf_actor_text(actor, &x.actor, err);

	for (int i = 0; rc == TF_OK && i < TRIES; i++) {
		rc = tf_commit_wait_alone(v->commit, rotate, &x, err);
		if (rc != TF_BUSY)
			break;
		rc = i + 1 < TRIES ? TF_OK : rc;
	}
	/* The vault keeps a state that it uses. */
	if (x.state != NULL && atomic_load(&v->key_state) != x.state)
		tf_key_state_free(x.state);
	free(x.actor);
	return rc == TF_OK ? tf_vault_keep_vkey(v, true, err) : rc;
}
