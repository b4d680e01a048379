/* Age files of pending files: see encrypted.h. */
#include <stdlib.h>

#include "encrypted.h"

void
tf_encrypted_free(struct tf_encrypted *e)
{
	if (e == NULL)
		return;
	tf_buf_free(&e->body);
	free(e);
}
