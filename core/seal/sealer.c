/*
 * The sealer: the thread that seals files that have settled, and directories
 * that are closed or idle, writes the copies of the head, has the old key of the
 * log wiped in time, and once a day records the state of the clock.
 *
 * One round does one kind of work and then looks again at everything: files
 * that are due, one row to mark or file to tend, the copies of the head, a
 * closed directory, an idle one.  vault.mu is held while the sealer chooses
 * and never while it works.  It claims without waiting: a claimed file is not
 * due until its claim has ended, and directories are sealed in a hurry, so one
 * busy user cannot hold up the others.
 *
 * The sealer keeps nothing that a restart needs.  All deadlines follow from
 * rows and times, and recovery finds what a crash left unsealed.
 */
#include <pthread.h>
#include <string.h>

#include "../base/clock.h"
#include "../commit/encrypt.h"
#include "../commit/queue.h"
#include "../node/base.h"
#include "../node/closed.h"
#include "../node/growth.h"
#include "../node/holds.h"
#include "../node/idle.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/secrets.h"
#include "../node/vault_i.h"
#include "grow.h"
#include "head_copies.h"
#include "old_key.h"
#include "seal.h"
#include "seal_closed.h"
#include "seal_dir.h"
#include "seal_entries.h"
#include "seal_later.h"
#include "sealer.h"
#include "session.h"
#include "tend.h"
#include "unflushed.h"

#define AGAIN_NS 1000000000u /* until it looks again at a file not on disk */
#define IDLE_RETRY_NS (5 * TF_SECOND)  /* until an idle one is tried again */
#define OBSERVE_NS (86400 * TF_SECOND) /* from one clock.observed to the next */
#define TOGETHER_NS 50000000 /* files due within this are sealed together */

struct gather {
	struct tf_pending *l[TF_SEAL_MAX]; /* claimed, to be sealed */
	size_t n;
	struct tf_pending *one; /* to be marked or tended first; or NULL */
	bool marks;		/* one: mark its row; */
	bool grows;		/* or enter its chunks; else tend it */
};

/* l is due: claim it to be sealed, or take it as g->one. */
static void
take_due(struct gather *g, struct tf_pending *l, uint64_t now)
{
	bool ready = tf_pending_clean(l) && !l->unchecked && l->failed == TF_OK;
	bool encrypt = ready && tf_encrypt_takes_long(l);

	ready = ready && !encrypt;
	g->marks = l->mark_ns != 0 && l->mark_ns <= now;
	g->grows = !g->marks && l->growth != NULL && l->growth->due_ns != 0 &&
	    l->growth->due_ns <= now;
	if (g->marks || g->grows ||
	    (!ready && l->writers == 0 &&
		(l->failed != TF_OK || !tf_pending_clean(l) ||
		    (l->unchecked && l->wants_check) || encrypt))) {
		tf_pending_ref(l);
		g->one = l;
	} else if (ready) {
		l->job = true;
		tf_pending_ref(l);
		g->l[g->n++] = l;
	}
	if (!g->marks && !g->grows && !ready)
		l->retry_ns = now +
		    (g->one == NULL ? AGAIN_NS : TF_SEAL_RETRY_NS);
	tf_pending_index(l);
}

/* Collect in g what is due now; *next_ns is when the next file is due.  mu is
 * held. */
static void
gather_due(struct tf_vault *v, struct gather *g, uint64_t now,
    uint64_t *next_ns)
{
	struct tf_pending *l;

	g->n = 0;
	g->one = NULL;
	*next_ns = UINT64_MAX;
	while (g->n < TF_SEAL_MAX && g->one == NULL &&
	    (l = tf_pending_first(&v->pending, TF_PENDING_BY_DUE)) != NULL) {
		tf_pending_index(l);
		if (l->at.due_ns == UINT64_MAX)
			continue; /* claimed: the end of the claim sets it */
		if (l->at.due_ns > now) {
			*next_ns = l->at.due_ns;
			break;
		}
		take_due(g, l, now);
	}
}

/* Mark g->one, enter its chunks or tend it.  mu is held, and let go of meanwhile. */
static void
see_to_one(struct tf_vault *v, struct gather *g)
{
	pthread_mutex_unlock(&v->mu);
	if (g->marks)
		tf_unflushed_keep(v, g->one);
	else if (g->grows)
		tf_grow(v, g->one);
	else
		tf_pending_tend(g->one);
	pthread_mutex_lock(&v->mu);
	tf_pending_unref(g->one);
}

/* A failure is reported and tried again when the head has moved. */
static void
keep_head(struct tf_vault *v)
{
	struct tf_error e;
	enum tf_code rc = tf_vault_keep_head(v, &e);

	if (rc != TF_OK)
		tf_vault_say(v, rc,
		    "the second copy of the checkpoint cannot "
		    "be written: %s",
		    e.text);
}

/* Record the state of the clock, or try again after a day. */
static void
observe_clock(struct tf_vault *v)
{
	struct tf_error e;
	enum tf_code rc = tf_append_clock(v, &e);

	if (rc != TF_OK && rc != TF_READONLY)
		tf_vault_say(v, rc,
		    "the state of the clock cannot be recorded: %s", e.text);
}

/* tf_closed_seal_due() reports its own failures and sets the next time. */
static void
seal_closed(struct tf_vault *v, uint64_t id)
{
	(void)tf_closed_seal_due(v, id);
}

/* Seal directory id, or let a background thread do it. */
static void
seal_due(struct tf_vault *v, uint64_t id,
    void (*seal)(struct tf_vault *v, uint64_t id))
{
	if (!tf_seal_judges(v, id) || !tf_seal_later(v, id, seal))
		seal(v, id);
}

void *
tf_sealer_run(void *vault)
{
	struct tf_vault *v = vault;
	uint64_t head_ns = 0, now;
	struct timespec until;
	struct gather g;
	uint64_t att, next_ns;
	bool gathers = false;

	pthread_mutex_lock(&v->mu);
	/* ledger.opened has just recorded it. */
	v->observe_ns = tf_clock_boot_ns() + OBSERVE_NS;
	while (!v->quit) {
		now = tf_clock_boot_ns();
		gather_due(v, &g, now, &next_ns);
		/* Files that are due are flushed together. */
		if (gathers != (g.one != NULL && g.n == 0)) {
			gathers = !gathers;
			if (gathers)
				tf_commit_gather(v->commit);
			else
				tf_commit_gathered(v->commit);
		}
		if (g.n > 0) {
			pthread_mutex_unlock(&v->mu);
			(void)tf_seal_claimed(v, g.l, g.n, NULL);
			pthread_mutex_lock(&v->mu);
		}
		if (g.one != NULL)
			see_to_one(v, &g);
		if (g.n > 0 || g.one != NULL)
			continue; /* there may be more of them */
		if (v->head.size != v->kept_size && head_ns <= now) {
			pthread_mutex_unlock(&v->mu);
			keep_head(v);
			tf_secrets_renew(v, false);
			head_ns = now + TF_HEAD_NS;
			pthread_mutex_lock(&v->mu);
			continue;
		}
		if (v->observe_ns <= now) {
			v->observe_ns = now + OBSERVE_NS;
			pthread_mutex_unlock(&v->mu);
			observe_clock(v);
			pthread_mutex_lock(&v->mu);
			continue;
		}
		if (v->retire_ns <= now) {
			pthread_mutex_unlock(&v->mu);
			tf_old_key_retire(v);
			pthread_mutex_lock(&v->mu);
			continue;
		}
		if ((att = tf_closed_next(v, now, &next_ns)) != 0) {
			pthread_mutex_unlock(&v->mu);
			seal_due(v, att, seal_closed);
			pthread_mutex_lock(&v->mu);
			continue;
		}
		if ((att = tf_idle_next(v, now, &next_ns)) != 0) {
			pthread_mutex_unlock(&v->mu);
			seal_due(v, att, tf_idle_seal);
			pthread_mutex_lock(&v->mu);
			continue;
		}
		if (v->head.size != v->kept_size && head_ns < next_ns)
			next_ns = head_ns;
		if (v->observe_ns < next_ns)
			next_ns = v->observe_ns;
		if (v->retire_ns < next_ns)
			next_ns = v->retire_ns;
		if (next_ns < now) /* a flush or claim is in the way */
			next_ns = now;
		v->alarm_ns = next_ns;
		if (next_ns == UINT64_MAX) {
			pthread_cond_wait(&v->alarm, &v->mu);
		} else {
			tf_clock_after(next_ns - now + TOGETHER_NS, &until);
			(void)pthread_cond_timedwait(&v->alarm, &v->mu, &until);
		}
		v->alarm_ns = 0;
	}
	if (gathers)
		tf_commit_gathered(v->commit);
	pthread_mutex_unlock(&v->mu);
	return NULL;
}

/* Take att out of v->idle, unless it was changed meanwhile. */
static void
forget(struct tf_vault *v, uint64_t att)
{
	size_t i;

	pthread_mutex_lock(&v->mu);
	if (tf_idle_over(v, att)) {
		i = tf_idle_place(v, att);
		memmove(v->idle + i, v->idle + i + 1,
		    (v->n_idle - i - 1) * sizeof(*v->idle));
		v->n_idle--;
	}
	pthread_mutex_unlock(&v->mu);
}

void
tf_idle_seal(struct tf_vault *v, uint64_t att)
{
	struct tf_seal_request r = { .id = att,
		.cause = "quiet",
		.hurry = true };
	struct tf_error e = { .code = TF_OK };
	bool any = false;
	enum tf_code rc = tf_holds_something(v, att, &any, &e);

	if (rc == TF_OK && any)
		rc = tf_seal_dir(v, &r, &e);
	/* Sealed (perhaps by somebody else), empty, or a draft attestation. */
	if (rc == TF_OK || rc == TF_NOTFOUND || rc == TF_DENIED) {
		forget(v, att);
		return;
	}
	if (rc != TF_BUSY)
		tf_vault_say(v, rc, "node %llu is quiet and not sealed yet: %s",
		    (unsigned long long)att, e.text);
	pthread_mutex_lock(&v->mu);
	if (tf_idle_over(v, att)) /* a change sets a later time */
		tf_idle_due(v, att, tf_clock_boot_ns() + IDLE_RETRY_NS);
	pthread_mutex_unlock(&v->mu);
}
