/*
 * The guard at the start: see guard_check.h.
 *
 * A guard that is missing must not be made anew in silence: whoever puts back an
 * older copy of the store can remove the guard too, or its line in the config.
 * So ledger.opened records the path of the guard, which is also in the older
 * copy.  The file is written before that entry: after a crash between the two,
 * the next start finds it.
 */
#include "guard_check.h"

#include <pthread.h>
#include <string.h>

#include "../json.h"
#include "../ledger/actor_json.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../store/guard_file.h"
#include "head_compare.h"
#include "session.h"

static const char missing[] =
    "the guard is missing, and the last start had it: put it back, or say that "
    "it is lost: trailctl init --guard-lost STORE";

/* Set path to that of the last start, as tf_hint encodes it; empty: it had no
 * guard. */
static enum tf_code
read_last(struct tf_vault *v, struct tf_buf *path, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_json_doc j = { 0 };
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_session_last(v, &text, &d, err);
	int t;

	if (rc == TF_OK && d.e.options.n > 0) {
		rc = tf_json_parse(&j, d.e.options.p, d.e.options.n, err);
		t = rc == TF_OK ? tf_json_get(&j, 0, "guard") : -1;
		if (t >= 0)
			rc = tf_json_string(&j, t, path, err);
	}
	tf_json_doc_free(&j);
	tf_entry_decoded_free(&d);
	tf_buf_free(&text);
	return rc;
}

/* Refuse a guard that is lost with the store, and warn of one on its disk. */
static enum tf_code
check_place(struct tf_vault *v, struct tf_error *err)
{
	bool inside, same_disk;
	enum tf_code rc = tf_guard_place(v->guard, v->dirfd, &inside,
	    &same_disk, err);

	if (rc == TF_OK && inside)
		rc = tf_fail(err, TF_USAGE,
		    "config: the guard is inside the store: it must be on "
		    "another disk");
	else if (rc == TF_OK && same_disk && v->mount != NULL)
		tf_vault_say(v, TF_INDOUBT,
		    "the guard is on the disk of the store, so what is put "
		    "back there with the store is not noticed");
	return rc;
}

/* A new origin takes the place of the old one in the guard, but not in that of
 * the store that this one was copied from, nor in that of another log. */
static enum tf_code
check_renewed(struct tf_vault *v, bool away, const struct tf_buf *b,
    struct tf_error *err)
{
	struct tf_checkpoint c;

	if (away)
		return tf_fail(err, TF_USAGE,
		    "the guard in STORE/config belongs to the store that this "
		    "one was copied from: name another one there");
	if (tf_checkpoint_check(b->p == NULL ? "" : b->p, b->n, &v->vkey, &c,
		NULL) == TF_FOREIGN)
		return tf_fail(err, TF_TAMPER,
		    "the guard in STORE/config is of another log: name "
		    "another one there");
	return TF_OK;
}

/* Read and judge the file at path, which where names.  TF_NOTFOUND. */
static enum tf_code
judge(struct tf_vault *v, const char *where, const char *path,
    const struct tf_guard_start *how, struct tf_buf *b, struct tf_error *err)
{
	enum tf_code rc = tf_guard_read(path, TF_NOTE_MAX, b, err);

	if (rc != TF_OK && rc != TF_TOOBIG && rc != TF_INVALID)
		return rc;
	return how->renews ? check_renewed(v, how->away, b, err) :
			     tf_head_compare_outside(v, where, b, NULL, err);
}

/* There is no file that the config names.  What was the last one? */
static enum tf_code
judge_last(struct tf_vault *v, const struct tf_buf *last,
    const struct tf_guard_start *how, struct tf_error *err)
{
	char now[TF_GUARD_PATH_MAX + 1];
	struct tf_buf b = { 0 };
	struct tf_error e;
	enum tf_code rc = TF_NOTFOUND;
	size_t n = v->guard == NULL ?
	    0 :
	    tf_hint(now, TF_GUARD_PATH_MAX, v->guard, strlen(v->guard));

	if (last->n == 0 || how->lost || how->renews)
		return TF_OK;
	if (n != last->n || memcmp(now, last->p, n) != 0)
		rc = judge(v, "the guard of the last start", last->p, how, &b,
		    &e);
	tf_buf_free(&b);
	if (rc == TF_TAMPER || rc == TF_NOMEM)
		return tf_fail_as(err, &e);
	if (rc == TF_OK) {
		tf_vault_say(v, TF_INDOUBT,
		    "%.300s, the guard of the last start, is not written any "
		    "more",
		    last->p);
		return rc;
	}
	tf_vault_say(v, TF_TAMPER, "the guard of the last start was %.300s",
	    last->p);
	return tf_fail(err, TF_TAMPER, "%s", missing);
}

enum tf_code
tf_guard_check(struct tf_vault *v, const struct tf_guard_start *how,
    struct tf_error *err)
{
	struct tf_buf last = { 0 };
	enum tf_code rc = read_last(v, &last, err);

	if (rc == TF_OK && v->guard != NULL)
		rc = check_place(v, err);
	if (rc != TF_OK)
		goto out;
	rc = v->guard == NULL ?
	    TF_NOTFOUND :
	    judge(v, "the guard", v->guard, how, &v->guard_seen, err);
	if (rc == TF_OK && how->lost)
		rc = tf_fail(err, TF_USAGE,
		    "the guard is there: nothing is lost");
	if (rc != TF_NOTFOUND)
		goto out;
	rc = judge_last(v, &last, how, err);
out:
	tf_buf_free(&last);
	return rc;
}

enum tf_code
tf_guard_make(struct tf_vault *v, struct tf_error *err)
{
	enum tf_code rc;

	if (v->guard == NULL || v->guard_seen.n > 0)
		return TF_OK;
	pthread_mutex_lock(&v->mu);
	tf_buf_add(&v->guard_seen, v->head.note.p, v->head.note.n);
	pthread_mutex_unlock(&v->mu);
	if (v->guard_seen.failed)
		return tf_buf_end(&v->guard_seen, err);
	if (v->guard_seen.n == 0)
		return TF_OK;
	if ((rc = tf_guard_write(v->guard, tf_buf_bytes(&v->guard_seen),
		 err)) == TF_OK)
		tf_vault_say(v, TF_OK, "the guard %.300s is new", v->guard);
	return rc;
}
