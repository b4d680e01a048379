/* What is left to say about a file that failed and gave up its name. */
#ifndef TF_NODE_INTERRUPTION_H
#define TF_NODE_INTERRUPTION_H

#include "../ledger/entry.h"

struct tf_pending;

struct tf_interruption {
	struct tf_pending *l;
	struct tf_content content;
	char *body;	    /* inline bytes, or NULL */
	struct tf_buf path; /* the name it was meant to have */
	char draft[256];
	char *actor;
	char *meant; /* l's, while the transaction is under way */
};

void tf_interruption_free(struct tf_interruption *x);

#endif
