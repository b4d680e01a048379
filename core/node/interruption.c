/* A pending evidence.interrupted entry: see interruption.h. */
#include <stdlib.h>

#include "interruption.h"

void
tf_interruption_free(struct tf_interruption *x)
{
	if (x == NULL)
		return;
	tf_buf_free(&x->path);
	tf_buf_free(&x->body);
	free(x->actor);
	free(x->meant);
	free(x);
}
