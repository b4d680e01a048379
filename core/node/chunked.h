/*
 * The digests of the chunks of a pending file, for the entries before its seal
 * (seal/chunk.h makes them).  vault.mu guards all fields; but list and gen of a
 * file that is claimed and has done stay as they are.
 */
#ifndef TF_NODE_CHUNKED_H
#define TF_NODE_CHUNKED_H

#include <stdbool.h>
#include <stdint.h>

#include "../ledger/chunks.h"

struct tf_chunked {
	bool making;		   /* a thread is at it */
	bool done;		   /* list is that of gen */
	uint64_t gen;		   /* of the file's content */
	uint64_t from;		   /* where the list begins */
	struct tf_chunk_list list; /* n 0: the entries were not affordable */
};

/* NULL is nothing. */
void tf_chunked_free(struct tf_chunked *c);

#endif
