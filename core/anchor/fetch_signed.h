/*
 * What the organisation has signed, compared with the copies.
 *
 * Promises:
 *  G1  A checkpoint of the organisation counts only if its key signed it, and if the
 *      entries of the ledger, in their order, have its root.
 *  G2  The entries of each copy are those that the ledger has of its origin below
 *      that checkpoint.
 *  G3  A ledger that has less than it had, or whose checkpoint is not one of a
 *      continuation, is not followed: nothing is remembered of it.
 *
 * The file .organisation of the directory remembers the tree up to the checkpoint
 * and that of each origin, as peaks, so that a run reads only the entries that were
 * signed since.  Entries that the organisation has signed and that a copy cannot have
 * yet, because no checkpoint of their vault covers them, wait as leaf hashes.
 */
#ifndef TF_ANCHOR_FETCH_SIGNED_H
#define TF_ANCHOR_FETCH_SIGNED_H

#include "fetch_i.h"

/*
 * Compare, after the copies were fetched, and remember.  dirfd: the directory of all
 * copies, which the caller has locked; dir_of: the name in it for an origin.
 * Sets *out, and *why if something does not fit (TF_TAMPER); out->origin is NULL if
 * no organisation signs this ledger.  Errors, with which nothing is known: those of
 * the engine and the disk.
 */
TF_MUST_USE enum tf_code tf_fetch_signed(struct tf_fetch_run *run, int dirfd,
    void (*dir_of)(const char *origin, char out[TF_FETCH_NAME]),
    struct tf_error *err);

#endif
