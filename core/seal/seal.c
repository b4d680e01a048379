/*
 * Sealing files: many in one transaction, or each alone after that failed.
 * seal.h has the steps.
 *
 * Before the transaction each long content is an object file, durable (I2);
 * the transaction commits entries and rows; after the COMMIT the nodes leave
 * memory (F6) and the staged files are unlinked.  A crash before the COMMIT
 * leaves object files that no entry names, and the files are sealed by
 * recovery (of an age file it makes another one: see orphans.c); a crash after it leaves staged files without a row, which
 * tf_orphans_remove() deletes.  The claims last over all steps, so name, metadata
 * and bytes stay as they were prepared (F5).
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/mutant.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/stage_remove.h"
#include "../node/vault_i.h"
#include "seal.h"
#include "seal_one.h"
#include "seal_prepare.h"

/* --- around it -------------------------------------------------------------- */

/*
 * Directories above got their entries in the same transaction.  Those that
 * have left already are not found, and end the walk.
 */
void
tf_seal_settle(struct tf_vault *v, struct tf_pending *l)
{
	struct tf_pending *d;
	uint64_t up = l->attr.parent;

	tf_pending_leave(v, l);
	while ((d = tf_pending_get(&v->pending, up)) != NULL &&
	    d->attr.kind == TF_KIND_DIRECTORY) {
		up = d->attr.parent;
		tf_pending_leave(v, d);
	}
}

/* The files of one transaction. */
struct several {
	struct tf_seal_file *f;
	size_t n;
};

/* Entry by entry in order of age; the first failure undoes all. */
static enum tf_code
several_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct several *s = arg;
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < s->n; i++)
		rc = tf_seal_one(t, &s->f[i], err);
	return rc;
}

static enum tf_code
seal_several(struct tf_vault *v, struct several *s, struct tf_error *err)
{
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_seal_prepare(v, db, s->f, s->n, err);
	tf_reader_done(v, db);
	if (rc == TF_OK)
		rc = tf_commit_wait(v->commit, several_run, s, err);
	for (size_t i = 0; rc == TF_OK && i < s->n; i++)
		if (TF_IS_MUTANT(TF_COMMIT_FIRST))
			rc = tf_seal_link(&s->f[i], err);
	return rc;
}

enum tf_code
tf_seal_files(struct tf_vault *v, struct tf_pending **l, size_t n,
    const char *cause, struct tf_error *err)
{
	struct several s = { .f = calloc(n, sizeof(*s.f)), .n = n };
	const uint64_t begun_ns = tf_clock_boot_ns();
	enum tf_code rc;

	tf_pending_sort(l, n);
	for (size_t i = 0; s.f != NULL && i < n; i++)
		s.f[i] = (struct tf_seal_file){ .l = l[i], .cause = cause };
	rc = s.f == NULL ? tf_nomem(err) : seal_several(v, &s, err);
	if (rc == TF_OK)
		tf_histogram_add(&v->counters.seals, begun_ns);
	if (s.f != NULL)
		tf_seal_prepared_free(s.f, n);
	free(s.f);
	pthread_mutex_lock(&v->mu);
	for (size_t i = 0; rc == TF_OK && i < n; i++)
		tf_seal_settle(v, l[i]);
	pthread_mutex_unlock(&v->mu);
	for (size_t i = 0; rc == TF_OK && i < n; i++)
		tf_stage_remove(l[i]);
	pthread_mutex_lock(&v->mu);
	for (size_t i = 0; i < n; i++)
		tf_pending_unclaim(v, l[i]);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

/* --- who is due --------------------------------------------------------------- */

/* The file stays frozen: its bytes are durable since its flush. */
static void
try_again_later(struct tf_vault *v, struct tf_pending *l, enum tf_code rc,
    const struct tf_error *e)
{
	atomic_fetch_add(&v->counters.seal_failures, 1);
	pthread_mutex_lock(&v->mu);
	l->deadline_ns = tf_clock_boot_ns() + TF_SEAL_RETRY_NS;
	tf_pending_index(l);
	pthread_mutex_unlock(&v->mu);
	tf_vault_say(v, rc,
	    "node %llu is not sealed yet, its bytes are safe, "
	    "it is tried again: %s",
	    (unsigned long long)l->attr.id, e->text);
}

/* Seal l alone, after it failed together with others. */
static enum tf_code
seal_again(struct tf_vault *v, struct tf_pending *l, struct tf_error *err)
{
	struct tf_pending *one = l;
	bool claimed;

	pthread_mutex_lock(&v->mu);
	claimed = tf_pending_claim(v, l);
	if (claimed && l->attr.state != TF_STATE_FROZEN &&
	    !tf_pending_rests(l)) {
		tf_pending_unclaim(v, l); /* a placeholder was opened */
		claimed = false;
	}
	pthread_mutex_unlock(&v->mu);
	return claimed ? tf_seal_files(v, &one, 1, NULL, err) : TF_OK;
}

enum tf_code
tf_seal_claimed(struct tf_vault *v, struct tf_pending **l, size_t n,
    struct tf_error *err)
{
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc, one, first = TF_OK;

	pthread_mutex_lock(&v->mu);
	for (size_t i = 0; i < n; i++)
		tf_pending_ref(l[i]);
	pthread_mutex_unlock(&v->mu);
	rc = tf_seal_files(v, l, n, NULL, &e);
	for (size_t i = 0; i < n; i++) {
		one = rc == TF_OK || n == 1 ? rc : seal_again(v, l[i], &e);
		if (one != TF_OK) {
			try_again_later(v, l[i], one, &e);
			if (first == TF_OK && err != NULL)
				*err = e;
			first = first == TF_OK ? one : first;
		}
		pthread_mutex_lock(&v->mu);
		tf_pending_unref(l[i]);
		pthread_mutex_unlock(&v->mu);
	}
	return first;
}
