/*
 * The digests of the chunks of a file, for the entries evidence.grown before its
 * seal: so that a verification can say where a large file was altered.
 */
#ifndef TF_SEAL_CHUNK_H
#define TF_SEAL_CHUNK_H

#include <stdint.h>

#include "../error.h"

struct tf_chunk_list;
struct tf_patience;
struct tf_pending;

/* Files above this size have them; of smaller ones only those of which a part was
 * entered already, because the rest must follow. */
#define TF_CHUNKED_BYTES ((uint64_t)64 << 20)

/*
 * Make the list of l from l->entered on, unless it is there or l needs none.
 * The content of l does not change meanwhile, or its list is made again later.
 * If the disk has no room for the entries, or a file cannot be read, it has no
 * list, unless a part of it was entered.  This takes as long as hashing the
 * file: the caller holds no lock, but a reference to l.  p may be NULL.
 * Errors: TF_IO, TF_NOMEM, TF_TOOMANY; TF_INTERRUPTED p has ended the wait.
 */
TF_MUST_USE enum tf_code tf_chunk(struct tf_pending *l,
    const struct tf_patience *p, struct tf_error *err);

/* The list of l, which is claimed, after tf_chunk(); NULL: nothing is to be
 * entered. */
const struct tf_chunk_list *tf_chunk_result(const struct tf_pending *l);

#endif
