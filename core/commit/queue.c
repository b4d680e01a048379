/* The queue of jobs, and callers that wait for the result of one. */
#include <pthread.h>

#include "../node/vault_i.h"
#include "commit.h"
#include "committer_i.h"
#include "queue.h"

#define BATCH_MAX 256 /* jobs in one transaction */

/* Take up to BATCH_MAX jobs.  NULL: the queue is empty and the thread ends. */
struct tf_job *
tf_commit_take(struct tf_committer *c)
{
	struct tf_job *list, **at;
	unsigned n = 0;

	pthread_mutex_lock(&c->mu);
	while (c->head == NULL && !c->quit)
		pthread_cond_wait(&c->more, &c->mu);
	list = c->head;
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
	pthread_mutex_unlock(&c->mu);
	atomic_fetch_sub(&c->v->counters.queued, n);
	return list;
}

void
tf_commit_submit(struct tf_committer *c, struct tf_job *j)
{
	j->next = NULL;
	atomic_fetch_add(&c->v->counters.queued, 1);
	pthread_mutex_lock(&c->mu);
	*c->tail = j;
	c->tail = &j->next;
	pthread_mutex_unlock(&c->mu);
	pthread_cond_signal(&c->more); /* after unlock: no second wait */
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

	tf_vault_slow(c->v);
	(void)pthread_mutex_init(&w.mu, NULL);
	(void)pthread_cond_init(&w.cond, NULL);
	tf_commit_submit(c, &w.job);
	pthread_mutex_lock(&w.mu);
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
