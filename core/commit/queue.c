/*
 * The queue of jobs, who takes from it, and callers that wait for the result of
 * a job.
 *
 * Waking a thread, and being woken by it, costs more than a small commit.  So a
 * caller that would wait for the commit runs it itself, if nobody else commits
 * and the caller's thread is not needed for other work (options.may_stay).  It
 * takes the queue once: what comes meanwhile is left to the committer's thread,
 * so no caller works for others without end, and many writers at once are served
 * by that thread alone.
 */
#include <pthread.h>

#include "../base/clock.h"
#include "../node/vault_i.h"
#include "commit.h"
#include "committer_i.h"
#include "queue.h"

#define BATCH_MAX 256	  /* jobs in one transaction */
#define GATHER_NS 5000000 /* wait so long for more of them, see queue.h */

/* Take up to BATCH_MAX jobs of the queue, which is not empty.  mu is held. */
static struct tf_job *
take(struct tf_committer *c)
{
	struct tf_job *list = c->head, **at;
	unsigned n = 0;

	for (at = &list; *at != NULL && n < BATCH_MAX; n++) {
		if ((*at)->alone && n > 0)
			break;
		at = &(*at)->next;
		if (list->alone) {
			n++;
			break;
		}
	}
	c->head = *at;
	*at = NULL;
	if (c->head == NULL)
		c->tail = &c->head;
	c->n -= n;
	atomic_fetch_sub(&c->v->counters.queued, n);
	return list;
}

/* Nobody commits any more.  mu is held.  True: the thread is to be woken. */
static bool
stop_running(struct tf_committer *c)
{
	c->running = false;
	return c->head != NULL || c->quit;
}

/* The queue is not empty: wait until nobody adds more, or not for long.  mu is
 * held, and let go of meanwhile. */
static void
wait_for_more(struct tf_committer *c)
{
	struct timespec until;
	int rc = 0;

	if (c->gathering == 0)
		return;
	tf_clock_after(GATHER_NS, &until);
	while (rc == 0 && c->gathering > 0 && c->n < BATCH_MAX && !c->quit)
		rc = pthread_cond_timedwait(&c->more, &c->mu, &until);
}

void
tf_commit_gather(struct tf_committer *c)
{
	pthread_mutex_lock(&c->mu);
	c->gathering++;
	pthread_mutex_unlock(&c->mu);
}

void
tf_commit_gathered(struct tf_committer *c)
{
	pthread_mutex_lock(&c->mu);
	c->gathering--;
	if (c->head != NULL && !c->running)
		pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->mu);
}

void
tf_commit_serve(struct tf_committer *c)
{
	struct tf_job *list;

	pthread_mutex_lock(&c->mu);
	for (;;) {
		while (c->running || (c->head == NULL && !c->quit))
			pthread_cond_wait(&c->more, &c->mu);
		if (c->head == NULL)
			break;
		wait_for_more(c);
		if (c->running || c->head == NULL)
			continue; /* a caller ran them */
		c->running = true;
		list = take(c);
		pthread_mutex_unlock(&c->mu);
		c->process(c, list);
		pthread_mutex_lock(&c->mu);
		(void)stop_running(c);
	}
	pthread_mutex_unlock(&c->mu);
}

/* Put j at the end of the queue.  True: the committer's thread has to know. */
static bool
put(struct tf_committer *c, struct tf_job *j)
{
	bool wake;

	j->next = NULL;
	atomic_fetch_add(&c->v->counters.queued, 1);
	pthread_mutex_lock(&c->mu);
	*c->tail = j;
	c->tail = &j->next;
	c->n++;
	wake = !c->running &&
	    (c->gathering == 0 || c->n == 1 || c->n >= BATCH_MAX);
	pthread_mutex_unlock(&c->mu);
	return wake;
}

void
tf_commit_submit(struct tf_committer *c, struct tf_job *j)
{
	/* Whoever commits now looks at the queue afterwards. */
	if (put(c, j))
		pthread_cond_signal(&c->more);
}

void
tf_commit_queue(struct tf_committer *c, struct tf_job *j)
{
	(void)put(c, j);
}

void
tf_commit_run(struct tf_committer *c)
{
	struct tf_job *list = NULL;
	bool wake;

	pthread_mutex_lock(&c->mu);
	if (c->running || c->head == NULL) {
		pthread_mutex_unlock(&c->mu);
		return;
	}
	c->running = true;
	pthread_mutex_unlock(&c->mu);
	if (tf_vault_may_stay(c->v)) {
		pthread_mutex_lock(&c->mu);
		list = take(c);
		pthread_mutex_unlock(&c->mu);
		c->process(c, list);
		tf_vault_stayed(c->v);
	}
	pthread_mutex_lock(&c->mu);
	wake = stop_running(c);
	pthread_mutex_unlock(&c->mu);
	if (wake)
		pthread_cond_signal(&c->more);
}

struct waiting {
	struct tf_job job;
	enum tf_code (*run)(struct tf_txn *t, void *arg, struct tf_error *err);
	void *arg;
	pthread_mutex_t mu;
	pthread_cond_t cond;
	bool over;
	enum tf_code rc;
	struct tf_error err;
};

static enum tf_code
waiting_run(struct tf_txn *t, struct tf_job *j, struct tf_error *err)
{
	struct waiting *w = (struct waiting *)j;

	return w->run(t, w->arg, err);
}

static void
waiting_done(struct tf_job *j, enum tf_code code, const struct tf_error *err)
{
	struct waiting *w = (struct waiting *)j;

	pthread_mutex_lock(&w->mu);
	w->rc = code;
	w->err = *err;
	w->over = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mu);
}

static enum tf_code
wait_for(struct tf_committer *c, bool alone,
    enum tf_code (*run)(struct tf_txn *t, void *arg, struct tf_error *err),
    void *arg, struct tf_error *err)
{
	struct waiting w = { .job = { .run = waiting_run,
				 .done = waiting_done,
				 .alone = alone },
		.run = run,
		.arg = arg };

	(void)pthread_mutex_init(&w.mu, NULL);
	(void)pthread_cond_init(&w.cond, NULL);
	tf_commit_queue(c, &w.job);
	tf_commit_run(c);
	pthread_mutex_lock(&w.mu);
	if (!w.over)
		tf_vault_slow(c->v);
	while (!w.over)
		pthread_cond_wait(&w.cond, &w.mu);
	pthread_mutex_unlock(&w.mu);
	(void)pthread_cond_destroy(&w.cond);
	(void)pthread_mutex_destroy(&w.mu);
	if (w.rc != TF_OK && err != NULL)
		*err = w.err;
	return w.rc;
}

enum tf_code
tf_commit_wait(struct tf_committer *c,
    enum tf_code (*run)(struct tf_txn *t, void *arg, struct tf_error *err),
    void *arg, struct tf_error *err)
{
	return wait_for(c, false, run, arg, err);
}

enum tf_code
tf_commit_wait_alone(struct tf_committer *c,
    enum tf_code (*run)(struct tf_txn *t, void *arg, struct tf_error *err),
    void *arg, struct tf_error *err)
{
	return wait_for(c, true, run, arg, err);
}
