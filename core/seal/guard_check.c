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

#include "../base/bytes.h"
#include "../json.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/home.h"
#include "../node/base.h"
#include "../node/key_state.h"
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
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_session_last(v, &text, &d, err);

	if (rc == TF_OK)
		rc = tf_home_guard(d.e.options, path, err);
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
	if (tf_vault_check_note(v, tf_buf_bytes(b), &c, NULL) == TF_FOREIGN)
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

/*
 * The guard of the last start is another file than the config names, or that
 * file is not there: found is false.  The config can be changed together with the
 * store, so a file that fits does not stand for the recorded one.
 */
static enum tf_code
judge_last(struct tf_vault *v, const struct tf_buf *last, bool found,
    const struct tf_guard_start *how, bool *lost, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_error e;
	enum tf_code rc = TF_NOTFOUND;

	*lost = false;
	if (last->n == 0 || how->renews)
		return TF_OK;
	if (!tf_home_guard_same(v->guard, last))
		rc = judge(v, "the guard of the last start", last->p, how, &b,
		    &e);
	else if (found)
		return TF_OK;
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
	*lost = true;
	if (how->lost)
		return TF_OK;
	tf_vault_say(v, TF_TAMPER, "the guard of the last start was %.300s",
	    last->p);
	return tf_fail(err, TF_TAMPER, "%s", missing);
}

enum tf_code
tf_guard_check(struct tf_vault *v, const struct tf_guard_start *how,
    struct tf_error *err)
{
	struct tf_buf last = { 0 };
	bool found, lost;
	enum tf_code rc = read_last(v, &last, err);

	if (rc == TF_OK && v->guard != NULL)
		rc = check_place(v, err);
	if (rc != TF_OK)
		goto out;
	rc = v->guard == NULL ?
	    TF_NOTFOUND :
	    judge(v, "the guard", v->guard, how, &v->guard_seen, err);
	found = rc == TF_OK;
	if (!found && rc != TF_NOTFOUND)
		goto out;
	rc = judge_last(v, &last, found, how, &lost, err);
	if (rc == TF_OK && how->lost && found && !lost)
		rc = tf_fail(err, TF_USAGE,
		    "the guard is there: nothing is lost");
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
