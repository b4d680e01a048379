/* The memory of what walks over the ledger have found: see unindexed.h. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "unindexed.h"

struct tf_unindexed *
tf_unindexed_new(void)
{
	struct tf_unindexed *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;

	if (r == NULL)
		return NULL;
	(void)pthread_mutex_init(&r->mu, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&r->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	return r;
}

void
tf_scanned_free(struct tf_scanned *s)
{
	free(s->p);
	free(s->altered);
	*s = (struct tf_scanned){ 0 };
}

void
tf_unindexed_free(struct tf_unindexed *r)
{
	if (r == NULL)
		return;
	(void)pthread_mutex_destroy(&r->mu);
	(void)pthread_cond_destroy(&r->changed);
	tf_scanned_free(&r->all);
	free(r);
}
