/*
 * Entries that no row of the node table names (access.changed,
 * attestation.overridden and the like), remembered by number and path.
 */
#include <pthread.h>
#include <stdlib.h>

#include "unindexed.h"

struct tf_rare *
tf_rare_new(void)
{
	struct tf_rare *r = calloc(1, sizeof(*r));

	if (r != NULL)
		(void)pthread_mutex_init(&r->mu, NULL);
	return r;
}

void
tf_rare_free(struct tf_rare *r)
{
	if (r == NULL)
		return;
	(void)pthread_mutex_destroy(&r->mu);
	free(r->p);
	free(r);
}
