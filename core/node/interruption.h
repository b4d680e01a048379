/* A pending evidence.interrupted entry: a file failed or was cut off by a
 * crash, and its remains have become a draft under another name. */
#ifndef TF_NODE_INTERRUPTION_H
#define TF_NODE_INTERRUPTION_H

#include "../ledger/entry.h"

struct tf_pending;

struct tf_interruption {
	struct tf_pending *l;
	struct tf_content content; /* of the stored bytes */
	uint64_t size;		   /* of the content that its writers see */
	struct tf_buf body;	   /* the bytes, if they have no file */
	struct tf_buf path;	   /* the path that the file should have had */
	char draft[256];	   /* the name of the draft */
	char *actor;		   /* canonical JSON, owned */
	char *meant;		   /* l->meant during the transaction; owned */
	bool unnamed; /* in a draft attestation: no entry can have its path */
};

/* Free x and what it owns.  Does nothing for NULL. */
void tf_interruption_free(struct tf_interruption *x);

#endif
