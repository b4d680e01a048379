/*
 * Files that are being written: see unflushed.h.
 *
 * Most files are flushed before TF_MARK_NS is over and cost nothing here.  The
 * row is written by the committer, together with other jobs; the bytes move in
 * the background, in the owner's turn, because the staged file may need a
 * descriptor, and another file has to be synced before it gives up its own.
 *
 * A file that has its row and its bytes in a staged file is not looked at
 * again, with one exception: of a secret file, the piece that was written last
 * is in memory, and is written again and again while the file grows.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "../base/array.h"
#include "../base/clock.h"
#include "../commit/commit.h"
#include "../commit/flush.h"
#include "../commit/queue.h"
#include "../commit/staging.h"
#include "../node/background.h"
#include "../node/base.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "tend.h"
#include "unflushed.h"

#define AGAIN_NS (10 * TF_SECOND) /* after a failure */
#define ROUND_NS (TF_MARK_NS / 4)

struct mark {
	struct tf_job job;
	struct tf_pending *l;
};

struct move {
	struct tf_duty duty;
	struct tf_pending *l;
};

void
tf_unflushed_later(struct tf_pending *l)
{
	if (l->mark_ns != 0 || l->moving ||
	    (l->saved && !l->hollow && l->in_file && !l->secret))
		return;
	/* Files written one after the other are due at the same time, so that
	 * they share a transaction. */
	l->mark_ns = (tf_clock_boot_ns() + TF_MARK_NS) / ROUND_NS * ROUND_NS;
	tf_pending_index(l);
}

bool
tf_unflushed_waits(const struct tf_pending *l)
{
	return l->v->durability == TF_DURABLE_BATCH && l->mark_ns != 0 &&
	    l->writers == 0 && !l->unlinked && l->failed == TF_OK &&
	    l->attr.size <= TF_INLINE_MAX && !tf_pending_clean(l);
}

/* mu is held. */
static void
try_again(struct tf_pending *l)
{
	l->mark_ns = tf_clock_boot_ns() + AGAIN_NS;
	tf_pending_index(l);
}

/* --- the row ---------------------------------------------------------------- */

static enum tf_code
mark_run(struct tf_txn *t, struct tf_job *j, struct tf_error *err)
{
	struct tf_pending *l = ((struct mark *)j)->l;

	return l->hollow ?
	    tf_stage_set_dirty(tf_txn_write(t), l->attr.id, true, err) :
	    tf_stage_save(t, l, err);
}

static void
mark_done(struct tf_job *j, enum tf_code code, const struct tf_error *err)
{
	struct tf_pending *l = ((struct mark *)j)->l;
	struct tf_vault *v = l->v;
	uint64_t id = l->attr.id;

	pthread_mutex_lock(&v->mu);
	if (code == TF_OK) {
		tf_stage_saved(v, l);
		l->hollow = false;
	} else {
		l->marked = false;
		try_again(l);
	}
	l->job = false;
	tf_pending_index(l);
	pthread_cond_broadcast(&v->changed);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
	if (code != TF_OK)
		tf_vault_say(v, code,
		    "that node %llu is being written is not on disk: %s",
		    (unsigned long long)id, err->text);
	free(j);
}

/* Claim l and queue its row.  mu is held. */
static void
mark(struct tf_vault *v, struct tf_pending *l)
{
	struct mark *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		try_again(l);
		return;
	}
	m->job.run = mark_run;
	m->job.done = mark_done;
	m->l = l;
	tf_pending_ref(l);
	l->job = l->marked = true;
	tf_commit_submit(v->commit, &m->job);
}

/* --- the bytes -------------------------------------------------------------- */

static void
move_run(struct tf_duty *d)
{
	struct move *m = (struct move *)d;
	struct tf_pending *l = m->l;
	struct tf_vault *v = l->v;
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = TF_OK;
	bool open;

	tf_pending_lock(l);
	pthread_mutex_lock(&v->mu);
	open = l->writers > 0 && l->failed == TF_OK && !l->unlinked &&
	    !tf_pending_clean(l);
	pthread_mutex_unlock(&v->mu);
	if (open)
		rc = tf_content_to_file(l, &e);
	pthread_mutex_lock(&v->mu);
	l->moving = false;
	if (rc != TF_OK)
		try_again(l);
	pthread_mutex_unlock(&v->mu);
	pthread_mutex_unlock(&l->io);
	if (rc != TF_OK)
		tf_vault_say(v, rc, "what node %llu has is in memory only: %s",
		    (unsigned long long)l->attr.id, e.text);
	pthread_mutex_lock(&v->mu);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
	free(m);
}

/* mu is held. */
static void
move(struct tf_vault *v, struct tf_pending *l)
{
	struct move *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		try_again(l);
		return;
	}
	m->duty.uid = l->attr.uid;
	m->duty.run = move_run;
	m->l = l;
	tf_pending_ref(l);
	l->moving = true;
	tf_background_add(v->background, &m->duty);
}

void
tf_unflushed_keep(struct tf_vault *v, struct tf_pending *l)
{
	bool closed = false;

	pthread_mutex_lock(&v->mu);
	/* Claimed meanwhile: its end makes l due again. */
	if (l->mark_ns == 0 || l->job)
		goto out;
	l->mark_ns = 0;
	if (l->attr.state == TF_STATE_SEALED || l->unlinked)
		goto out;
	closed = l->writers == 0 && l->failed == TF_OK && !tf_pending_clean(l);
	if (l->hollow || (!l->saved && l->writers > 0 && l->failed == TF_OK))
		mark(v, l);
	if (l->writers > 0 && (l->secret || l->attr.size <= TF_INLINE_MAX) &&
	    !l->moving)
		move(v, l);
	tf_pending_index(l);
out:
	pthread_mutex_unlock(&v->mu);
	if (closed) /* durability=batch; most are flushed earlier */
		tf_pending_tend(l);
}

/* --- the end of the vault --------------------------------------------------- */

struct waiting {
	struct tf_pending **l;
	size_t n, cap;
};

/* Without memory the rest is lost, as after a crash: nobody was promised it. */
static void
note_waiting(void *arg, struct tf_pending *l)
{
	struct waiting *w = arg;

	if (!tf_unflushed_waits(l) ||
	    !tf_array_room(&w->l, w->n, &w->cap, sizeof(*w->l)))
		return;
	tf_pending_ref(l);
	w->l[w->n++] = l;
}

void
tf_unflushed_end(struct tf_vault *v)
{
	struct waiting w = { 0 };

	pthread_mutex_lock(&v->mu);
	tf_pending_each(&v->pending, note_waiting, &w);
	if (w.n > 0)
		tf_commit_gather(v->commit);
	for (size_t i = 0; i < w.n; i++) {
		pthread_mutex_unlock(&v->mu);
		tf_pending_tend(w.l[i]);
		pthread_mutex_lock(&v->mu);
		tf_pending_unref(w.l[i]);
	}
	if (w.n > 0)
		tf_commit_gathered(v->commit);
	pthread_mutex_unlock(&v->mu);
	free(w.l);
}
