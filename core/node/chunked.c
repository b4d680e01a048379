/* The digests of the chunks of a pending file: see chunked.h. */
#include <stdlib.h>

#include "chunked.h"

void
tf_chunked_free(struct tf_chunked *c)
{
	if (c == NULL)
		return;
	tf_chunk_list_free(&c->list);
	free(c);
}
