/*
 * Rotation of a key: see tf_vault_rotate() in vault.h.  A mount and trailctl without
 * one take these steps alike, the first three in the committer's thread:
 *
 *  1. the signer makes the new key beside the old one, and signs the rotation
 *  2. the entry is committed, alone in its transaction
 *  3. the signer adopts the new key, and signs the checkpoint of the entry
 *  4. the signer wipes what was replaced, which is reported
 *  5. the public files are written
 *
 * The commit decides.  After a crash before it the old key is in force, and the next
 * rotation takes the new key that is there; after it the next start does the rest.
 * A signer that ends is asked again by the same step.
 *
 * Writers wait for one commit, and none fails: a job that was submitted before the
 * rotation is committed before or after it.  What such a job has had signed by the
 * attester's old key is signed again (seal_entries.c).
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/bytes.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../ledger/entry.h"
#include "../ledger/rotation.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/key_state.h"
#include "../node/log_keys.h"
#include "../node/vault_i.h"
#include "../seal/old_key.h"
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
	uint64_t seq;		    /* likewise, of the entry */
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
		spki_text(tf_attester_key(x->v), &t->old_key);
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
ask_signer(const struct rotation *x, struct tf_signer_new_key *k,
    struct tf_error *err)
{
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = tf_signer_rotate(x->v->signer, k, &e);

	if (rc == TF_INVALID)
		return tf_fail(err, TF_DENIED,
		    "the signer cannot replace keys (%.60s): update its "
		    "program",
		    e.text);
	/* Its text says what it lacks. */
	if (rc == TF_ACCESS)
		return tf_fail(err, TF_DENIED, "%.150s", e.text);
	return rc == TF_OK ? rc : tf_fail_as(err, &e);
}

/* An entry with a wrong signature would break the ledger for ever, and a signer may
 * be any program. */
static enum tf_code
check_answer(const struct rotation *x, const struct tf_signer_new_key *k,
    const struct tf_entry *e, struct tf_error *err)
{
	const struct tf_pubkey *old_key = x->log ? &tf_log_key(x->v)->pub :
						   tf_attester_key(x->v);

	if (memcmp(old_key, &k->pub, sizeof(k->pub)) == 0 ||
	    (x->log && tf_rotation_check(e) == TF_TAMPER))
		return tf_fail(err, TF_DENIED,
		    "the signer signed another rotation than was asked: is its "
		    "program right?");
	return TF_OK;
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
	k.seq = e.seq = t->size;
	rc = ask_signer(x, &k, err);
	if (rc == TF_OK)
		rc = fill(x, &k, &vkey, &texts, &e, err);
	if (rc == TF_OK)
		rc = check_answer(x, &k, &e, err);
	if (rc == TF_OK)
		rc = tf_txn_append(t, &e, NULL, err);
	if (rc == TF_OK && e.seq != k.seq)
		rc = tf_fail(err, TF_BUSY, "the clock jumped: try again");
	x->seq = e.seq;
	if (rc == TF_OK)
		rc = keep(x, t, &texts, err);
	if (rc == TF_OK)
		rc = tf_key_state_new(x->v, t->db, &x->state, err);
	if (rc == TF_OK && x->state->rotations.text.n > TF_ROTATIONS_MAX)
		rc = tf_fail(err, TF_TOOBIG,
		    "the rotations of this log take %zu KiB, which is the "
		    "limit: its key cannot be replaced again",
		    TF_ROTATIONS_MAX / 1024);
	if (rc == TF_OK && x->log)
		x->state->log = vkey;
	else if (rc == TF_OK)
		x->state->attester = k.pub;
	if (rc == TF_OK)
		t->rotated = x->state;
	free_texts(&texts);
	return rc;
}

/* The keys are those of the owner of the store, whoever may do what in it. */
static enum tf_code
check_caller(const struct tf_vault *v, const struct tf_actor *actor,
    struct tf_error *err)
{
	struct stat st;

	if (actor->uid == 0)
		return TF_OK;
	if (fstat(v->dirfd, &st) < 0)
		return tf_fail(err, TF_IO, "stat the store");
	return actor->uid == st.st_uid ?
	    TF_OK :
	    tf_fail(err, TF_DENIED,
		"only root and the owner of the store may replace a key");
}

/* The keys in the store that hold nothing secret.  The rotation is over. */
static enum tf_code
keep_public(struct tf_vault *v, struct tf_error *err)
{
	struct tf_error e;
	enum tf_code rc = tf_vault_keep_vkey(v, true, &e);

	return rc == TF_OK ?
	    TF_OK :
	    tf_fail(err, rc,
		"the key is replaced; its public half in keys is written at "
		"the next start: %.60s",
		e.text);
}

static void
say_replaced(struct tf_vault *v, const struct rotation *x)
{
	char old_id[TF_KEY_ID_SIZE];

	tf_old_key_find(v, old_id);
	if (x->log)
		tf_vault_say_key(v, TF_OK,
		    "the key of the log is replaced in entry %llu: the old "
		    "key %s signs beside the new one for 30 days",
		    (unsigned long long)x->seq, old_id);
	else
		tf_vault_say_key(v, TF_OK,
		    "the key of the attester is replaced in entry %llu",
		    (unsigned long long)x->seq);
}

static enum tf_code
rotate_one(struct tf_vault *v, bool log, const struct tf_actor *actor,
    struct tf_error *err)
{
	struct rotation x = { .v = v, .log = log };
	char before[TF_KEY_ID_SIZE];
	enum tf_code rc = tf_actor_text(actor, &x.actor, err);

	tf_old_key_find(v, before);
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
	if (rc != TF_OK)
		return rc;
	say_replaced(v, &x);
	tf_old_key_replaced(v, log, before);
	return keep_public(v, err);
}

enum tf_code
tf_vault_rotate(struct tf_vault *v, bool log, const struct tf_actor *actor,
    struct tf_error *err)
{
	enum tf_code rc = tf_vault_writable(v, err);

	if (rc == TF_OK)
		rc = check_caller(v, actor, err);
	if (rc != TF_OK)
		return rc;
	/* The public files are those of the newest key. */
	tf_vault_slow(v);
	pthread_mutex_lock(&v->rotating);
	rc = rotate_one(v, log, actor, err);
	pthread_mutex_unlock(&v->rotating);
	return rc;
}
