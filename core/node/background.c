/* Background threads: see background.h. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "background.h"

#define THREADS_MAX 4
#define AT_LONG_WORK_MAX (THREADS_MAX - 1)

struct tf_background {
	pthread_mutex_t mu; /* guards all below; taken after any other lock */
	pthread_cond_t more;
	pthread_t thread[THREADS_MAX];
	uint32_t at_work[THREADS_MAX]; /* uid that the thread works for, */
	bool busy[THREADS_MAX];	       /* while it is busy */
	unsigned n_threads, n_busy;
	unsigned n_long;       /* threads that are busy with long work */
	struct tf_duty *first; /* one per user */
	bool quit;
};

struct start {
	struct tf_background *b;
	unsigned n;
};

static bool
is_served(const struct tf_background *b, uint32_t uid)
{
	for (unsigned i = 0; i < b->n_threads; i++)
		if (b->busy[i] && b->at_work[i] == uid)
			return true;
	return false;
}

/* Append d and what is below it as the last user. */
static void
append(struct tf_background *b, struct tf_duty *d)
{
	struct tf_duty **at = &b->first;

	while (*at != NULL)
		at = &(*at)->next;
	*at = d;
}

static bool
may_run(const struct tf_background *b, const struct tf_duty *d)
{
	return !is_served(b, d->uid) &&
	    (!d->is_long || b->n_long < AT_LONG_WORK_MAX);
}

/* Take the first duty that may run, or NULL.  Its user becomes the last one. */
static struct tf_duty *
take(struct tf_background *b)
{
	struct tf_duty **at = &b->first, *d;

	while (*at != NULL && !may_run(b, *at))
		at = &(*at)->next;
	if ((d = *at) == NULL)
		return NULL;
	*at = d->next;
	if (d->below != NULL)
		append(b, d->below);
	return d;
}

static void *
work(void *arg)
{
	struct start s = *(struct start *)arg;
	struct tf_background *b = s.b;
	struct tf_duty *d;
	bool is_long;

	free(arg);
	pthread_mutex_lock(&b->mu);
	for (;;) {
		while ((d = take(b)) == NULL && !(b->quit && b->first == NULL))
			pthread_cond_wait(&b->more, &b->mu);
		if (d == NULL)
			break;
		b->at_work[s.n] = d->uid;
		b->busy[s.n] = true;
		b->n_busy++;
		is_long = d->is_long;
		b->n_long += is_long;
		pthread_mutex_unlock(&b->mu);
		d->run(d);
		pthread_mutex_lock(&b->mu);
		b->busy[s.n] = false;
		b->n_busy--;
		b->n_long -= is_long;
		pthread_cond_broadcast(&b->more);
	}
	pthread_mutex_unlock(&b->mu);
	return NULL;
}

/* How many users wait. */
static unsigned
count_users(const struct tf_background *b)
{
	unsigned n = 0;

	for (const struct tf_duty *d = b->first; d != NULL; d = d->next)
		n++;
	return n;
}

/* Start one more thread; mu is held.  If that fails, the threads that exist do
 * the work. */
static void
add_thread(struct tf_background *b)
{
	struct start *s = malloc(sizeof(*s));

	if (s == NULL)
		return;
	*s = (struct start){ b, b->n_threads };
	if (pthread_create(&b->thread[b->n_threads], NULL, work, s) == 0)
		b->n_threads++;
	else
		free(s);
}

enum tf_code
tf_background_new(struct tf_background **out, struct tf_error *err)
{
	struct tf_background *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return tf_nomem(err);
	(void)pthread_mutex_init(&b->mu, NULL);
	(void)pthread_cond_init(&b->more, NULL);
	/* One thread must exist; others are started on demand. */
	add_thread(b);
	if (b->n_threads == 0) {
		tf_background_stop(b);
		return tf_fail(err, TF_NOMEM, "cannot start a thread");
	}
	*out = b;
	return TF_OK;
}

void
tf_background_add(struct tf_background *b, struct tf_duty *d)
{
	struct tf_duty **at = &b->first;

	d->next = d->below = NULL;
	pthread_mutex_lock(&b->mu);
	while (*at != NULL && (*at)->uid != d->uid)
		at = &(*at)->next;
	while (*at != NULL)
		at = &(*at)->below;
	*at = d;
	/* A thread that has not woken up yet is not busy, but counts once. */
	if (count_users(b) > b->n_threads - b->n_busy &&
	    b->n_threads < THREADS_MAX)
		add_thread(b);
	pthread_cond_broadcast(&b->more);
	pthread_mutex_unlock(&b->mu);
}

void
tf_background_stop(struct tf_background *b)
{
	if (b == NULL)
		return;
	pthread_mutex_lock(&b->mu);
	b->quit = true;
	pthread_cond_broadcast(&b->more);
	pthread_mutex_unlock(&b->mu);
	for (unsigned i = 0; i < b->n_threads; i++)
		(void)pthread_join(b->thread[i], NULL);
	(void)pthread_cond_destroy(&b->more);
	(void)pthread_mutex_destroy(&b->mu);
	free(b);
}
