/* The keys of a vault that is open: see key_state.h. */
#include "key_state.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "base.h"
#include "log_keys.h"
#include "vault_i.h"

static const struct tf_key_state *
now(const struct tf_vault *v)
{
	return atomic_load(&v->key_state);
}

const struct tf_vkey *
tf_log_key(const struct tf_vault *v)
{
	const struct tf_key_state *s = now(v);

	return s == NULL ? &v->vkey : &s->log;
}

const struct tf_pubkey *
tf_attester_key(const struct tf_vault *v)
{
	const struct tf_key_state *s = now(v);

	return s == NULL ? &v->attester : &s->attester;
}

enum tf_code
tf_vault_check_note(struct tf_vault *v, struct tf_str note,
    struct tf_checkpoint *out, struct tf_error *err)
{
	static const struct tf_log_keys none;
	const struct tf_key_state *s = now(v);
	struct tf_db *db;
	enum tf_code rc;

	if (v->grows) { /* a rotation may have come */
		if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
			return rc;
		rc = tf_vault_check_note_in(v, db, note, out, NULL, err);
		tf_reader_done(v, db);
		return rc;
	}
	return tf_log_keys_check(s == NULL ? &none : &s->rotations,
	    tf_log_key(v), note.n == 0 ? "" : note.p, note.n, out, NULL, err);
}

enum tf_code
tf_vault_check_note_in(const struct tf_vault *v, struct tf_db *db,
    struct tf_str note, struct tf_checkpoint *out, struct tf_vkey *by,
    struct tf_error *err)
{
	struct tf_log_keys keys = { .n = 0 };
	const struct tf_vkey *key = tf_log_key(v);
	enum tf_code rc = tf_log_keys_load(db, &keys, err);

	if (rc == TF_OK)
		rc = tf_log_keys_check(&keys, key, note.n == 0 ? "" : note.p,
		    note.n, out, NULL, err);
	if (rc == TF_OK && by != NULL)
		*by = *tf_log_keys_at(&keys, key, out->size);
	tf_log_keys_free(&keys);
	return rc;
}

enum tf_code
tf_key_state_new(const struct tf_vault *v, struct tf_db *db,
    struct tf_key_state **out, struct tf_error *err)
{
	struct tf_key_state *s = calloc(1, sizeof(*s));
	enum tf_code rc = s == NULL ? tf_nomem(err) :
				      tf_log_keys_load(db, &s->rotations, err);

	if (rc != TF_OK) {
		tf_key_state_free(s);
		return rc;
	}
	s->log = *tf_log_key(v);
	s->attester = *tf_attester_key(v);
	*out = s;
	return TF_OK;
}

void
tf_key_state_free(struct tf_key_state *s)
{
	while (s != NULL) {
		struct tf_key_state *before = s->before;

		tf_log_keys_free(&s->rotations);
		free(s);
		s = before;
	}
}

void
tf_key_state_use(struct tf_vault *v, struct tf_key_state *s)
{
	s->before = atomic_load(&v->key_state);
	atomic_store(&v->key_state, s);
}

void
tf_log_key_set(struct tf_vault *v, const struct tf_vkey *k)
{
	struct tf_key_state *s = atomic_load(&v->key_state);

	v->vkey = *k;
	if (s != NULL)
		s->log = *k;
}
