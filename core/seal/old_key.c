/*
 * The end of the keys that rotations replaced.
 *
 * The signer wipes them; this decides when, and says so.  That the old key of the
 * log still signs is seen in the newest checkpoint: so nothing more has to be
 * remembered, and a wiped key is reported once.
 */
#include "old_key.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry_read.h"
#include "../node/base.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../sign/sign.h"

#define AGAIN_S 86400 /* after a failure */

/* The committer's thread alone may ask the signer for this. */
static enum tf_code
wipe(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const bool *retire = arg;
	const struct tf_signer_keys keys = { .log = tf_log_key(t->v)->pub,
		.attester = *tf_attester_key(t->v) };

	return tf_signer_adopt(t->v->signer, &keys, *retire, err);
}

/* The last rotation of the log's key: *at is its time, *old_key the key that it
 * replaced. */
static bool
last_rotation(const struct tf_vault *v, struct tf_time *at,
    const struct tf_vkey **old_key)
{
	const struct tf_key_state *s = atomic_load(&v->key_state);
	struct tf_entry_decoded d = { 0 };
	struct tf_str rest, line, last = { NULL, 0 };
	bool known = false;

	if (s == NULL)
		return false;
	rest = tf_buf_bytes(&s->rotations.text);
	while (tf_note_take(&rest, &line))
		last = line;
	for (size_t i = 0; i < s->rotations.n && !known; i++) {
		*old_key = &s->rotations.rotation[i].old_key;
		known = memcmp(&s->rotations.rotation[i].new_key.pub,
			    &s->log.pub, sizeof(s->log.pub)) == 0;
	}
	if (!known || tf_entry_decode(&d, last.p, last.n, NULL) != TF_OK)
		known = false;
	*at = d.e.at;
	tf_entry_decoded_free(&d);
	return known;
}

/* Has the key signed the newest checkpoint? */
static bool
still_signs(struct tf_vault *v, const struct tf_vkey *key)
{
	struct tf_checkpoint c;
	bool yes;

	pthread_mutex_lock(&v->mu);
	yes = v->head.note.n > 0 &&
	    tf_checkpoint_check(v->head.note.p, v->head.note.n, key, &c,
		NULL) == TF_OK;
	pthread_mutex_unlock(&v->mu);
	return yes;
}

/* The eight digits of a vkey, as trailctl key list prints them. */
static void
id_of(const struct tf_vkey *key, char out[TF_KEY_ID_SIZE])
{
	struct tf_buf text = { 0 };
	const char *plus = NULL;

	tf_vkey_text(key, &text);
	if (!text.failed)
		plus = memchr(text.p, '+', text.n);
	(void)snprintf(out, TF_KEY_ID_SIZE, "%.8s",
	    plus == NULL ? "" : plus + 1);
	tf_buf_free(&text);
}

static void
set_next(struct tf_vault *v, uint64_t ns)
{
	pthread_mutex_lock(&v->mu);
	v->retire_ns = ns;
	pthread_cond_signal(&v->alarm);
	pthread_mutex_unlock(&v->mu);
}

void
tf_old_key_retire(struct tf_vault *v)
{
	bool retire = true;
	const struct tf_vkey *old_key;
	struct tf_error e = { .code = TF_OK };
	struct tf_time at;
	char id[TF_KEY_ID_SIZE];
	int64_t left;
	enum tf_code rc;

	set_next(v, UINT64_MAX);
	if (!last_rotation(v, &at, &old_key) || !still_signs(v, old_key))
		return;
	left = at.s + TF_OVERLAP_S - tf_clock_now().s;
	if (left >= 0) {
		/* Often enough for a clock that is set meanwhile. */
		left = left < AGAIN_S ? left + 1 : AGAIN_S;
		set_next(v, tf_clock_boot_ns() + (uint64_t)left * TF_SECOND);
		return;
	}
	id_of(old_key, id);
	rc = tf_commit_wait(v->commit, wipe, &retire, &e);
	if (rc == TF_OK) {
		tf_vault_say_key(v, TF_OK,
		    "the old key %s of the log is wiped: it signed beside the "
		    "new one for 30 days",
		    id);
		return;
	}
	if (rc == TF_INTERRUPTED)
		return; /* the next start does it */
	tf_vault_say_key(v, rc,
	    "the old key %s of the log signs on, since it cannot be wiped; "
	    "this is tried again in a day: %s",
	    id, e.text);
	set_next(v, tf_clock_boot_ns() + AGAIN_S * TF_SECOND);
}

void
tf_old_key_find(struct tf_vault *v, char id[TF_KEY_ID_SIZE])
{
	const struct tf_vkey *old_key;
	struct tf_time at;

	id[0] = '\0';
	if (last_rotation(v, &at, &old_key) && still_signs(v, old_key))
		id_of(old_key, id);
}

void
tf_old_key_replaced(struct tf_vault *v, bool log,
    const char before[TF_KEY_ID_SIZE])
{
	bool retire = false;
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = tf_commit_wait(v->commit, wipe, &retire, &e);

	if (rc != TF_OK && rc != TF_INTERRUPTED)
		tf_vault_say_key(v, rc,
		    "a replaced key cannot be wiped; the next start tries "
		    "again: %s",
		    e.text);
	else if (rc == TF_OK && !log)
		tf_vault_say_key(v, TF_OK,
		    "the old key of the attester is wiped");
	else if (rc == TF_OK && before[0] != '\0')
		tf_vault_say_key(v, TF_OK,
		    "the old key %s of the log is wiped: the key after it was "
		    "replaced, too",
		    before);
	if (log)
		tf_old_key_retire(v);
}
