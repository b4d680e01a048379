/* The memory of results of workflows: see verdicts.h. */
#include "verdicts.h"

#include <stdlib.h>

struct tf_verdicts *
tf_verdicts_new(void)
{
	struct tf_verdicts *k = calloc(1, sizeof(*k));

	if (k != NULL)
		(void)pthread_mutex_init(&k->mu, NULL);
	return k;
}

void
tf_verdicts_free(struct tf_verdicts *k)
{
	if (k != NULL)
		(void)pthread_mutex_destroy(&k->mu);
	free(k);
}
