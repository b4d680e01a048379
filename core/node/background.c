/* Background threads: see background.h. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "background.h"

#define THREADS_MAX 4

struct tf_background {
	pthread_mutex_t mu; /* guards all below; taken after any other lock */
	pthread_cond_t more;
	pthread_t thread[THREADS_MAX];
	uint32_t at_work[THREADS_MAX]; /* uid that the thread works for, */
	bool busy[THREADS_MAX];	       /* while it is busy */
	unsigned n_threads, n_busy;
	struct tf_duty *first, **last;
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

/* Take the first duty of a user for whom no thread works, or NULL. */
static struct tf_duty *
take(struct tf_background *b)
{
	struct tf_duty **at = &b->first, *d;

	while (*at != NULL && is_served(b, (*at)->uid))
		at = &(*at)->next;
	if ((d = *at) != NULL && (*at = d->next) == NULL)
		b->last = at;
	return d;
}

static void *
work(void *arg)
{
	struct start s = *(struct start *)arg;
	struct tf_background *b = s.b;
	struct tf_duty *d;

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
		pthread_mutex_unlock(&b->mu);
		d->run(d);
		pthread_mutex_lock(&b->mu);
		b->busy[s.n] = false;
		b->n_busy--;
		pthread_cond_broadcast(&b->more);
	}
	pthread_mutex_unlock(&b->mu);
	return NULL;
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
	b->last = &b->first;
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
	d->next = NULL;
	pthread_mutex_lock(&b->mu);
	*b->last = d;
	b->last = &d->next;
	if (b->n_busy == b->n_threads && b->n_threads < THREADS_MAX)
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
