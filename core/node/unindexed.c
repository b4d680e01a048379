/* The index of entries that no row of table node refers to: see unindexed.h. */
#include <pthread.h>
#include <stdlib.h>

#include "unindexed.h"

struct tf_unindexed *
tf_unindexed_new(void)
{
	struct tf_unindexed *r = calloc(1, sizeof(*r));

	if (r != NULL)
		(void)pthread_mutex_init(&r->mu, NULL);
	return r;
}

void
tf_unindexed_free(struct tf_unindexed *r)
{
	if (r == NULL)
		return;
	(void)pthread_mutex_destroy(&r->mu);
	free(r->p);
	free(r->altered);
	free(r);
}
