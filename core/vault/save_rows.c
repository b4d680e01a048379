/*
 * When a vault is closed: the rows of pending nodes that are missing or old.
 * Until now a change of metadata was in memory only, because the seal would
 * have written it; the next start finds it in the row.  Saved in several
 * transactions, so that a hundred thousand nodes do not make one huge log.  A
 * crash in between leaves the rest as a crash of the running vault would.
 */
#include <pthread.h>
#include <stdlib.h>

#include "../base/array.h"
#include "../commit/commit.h"
#include "../commit/flush.h"
#include "../commit/queue.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/vault_i.h"
#include "save_rows.h"

#define SAVE_MAX 256 /* rows in one transaction */

struct unsaved {
	struct tf_pending **l;
	size_t n, cap;
	bool failed;
	size_t from, to; /* of l, in this transaction */
};

/*
 * u->from and u->to stay while the job runs, so a second run saves the same.
 */
static enum tf_code
save_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct unsaved *u = arg;
	enum tf_code rc = TF_OK;

	for (size_t i = u->from; rc == TF_OK && i < u->to; i++)
		rc = tf_stage_save(t, u->l[i], err);
	return rc;
}

/* An open file keeps the row of its last flush: nobody was promised more. */
static void
find_unsaved(void *arg, struct tf_pending *l)
{
	struct unsaved *u = arg;

	/* Recovery takes what survived of a closed file that could not be
	 * flushed. */
	if (l->job ||
	    !(l->saved ? l->stale :
			 !tf_pending_is_file(l) ||
			(l->writers == 0 && l->in_file && l->failed == TF_OK &&
			    !l->unlinked)))
		return;
	if (!tf_array_room(&u->l, u->n, &u->cap, sizeof(*u->l))) {
		u->failed = true;
		return;
	}
	tf_pending_ref(l);
	u->l[u->n++] = l;
}

/* Note which of l[from..to) were saved. */
static void
saved(struct tf_vault *v, struct unsaved *u, enum tf_code rc)
{
	pthread_mutex_lock(&v->mu);
	for (size_t i = u->from; i < u->to; i++) {
		if (rc == TF_OK)
			tf_stage_saved(v, u->l[i]);
		u->l[i]->stale = false;
		tf_pending_unref(u->l[i]);
	}
	pthread_mutex_unlock(&v->mu);
}

enum tf_code
tf_vault_save_rows(struct tf_vault *v, struct tf_error *err)
{
	struct unsaved u = { 0 };
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	tf_pending_each(&v->pending, find_unsaved, &u);
	pthread_mutex_unlock(&v->mu);
	for (; u.from < u.n; u.from = u.to) {
		u.to = u.from + SAVE_MAX < u.n ? u.from + SAVE_MAX : u.n;
		if (rc == TF_OK)
			rc = tf_commit_wait(v->commit, save_run, &u, err);
		saved(v, &u, rc);
	}
	free(u.l);
	return rc == TF_OK && u.failed ? tf_nomem(err) : rc;
}
