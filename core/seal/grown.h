/*
 * The entries evidence.grown: the digests of a part of a file that has no entry
 * of its own yet (core/ledger/chunks.h).
 */
#ifndef TF_SEAL_GROWN_H
#define TF_SEAL_GROWN_H

#include <stdint.h>

#include "../error.h"
#include "../json.h"

struct tf_chunk_list;
struct tf_txn;

/* What all entries about one file say; actor and cause may be absent. */
struct tf_grown {
	struct tf_str path, actor, cause;
	uint64_t node;
};

/*
 * In a transaction: append the entries of list, of which there are
 * tf_chunks_entries().  before is the number of the entry about the bytes before
 * list->from, or NULL if that is 0.  *last becomes the number of the last entry.
 * Several entries that must not be parted are in one batch, which the caller
 * begins.  Errors: those of tf_txn_append().
 */
TF_MUST_USE enum tf_code tf_grown_append(struct tf_txn *t,
    const struct tf_grown *g, const struct tf_chunk_list *list,
    const uint64_t *before, uint64_t *last, struct tf_error *err);

#endif
