/*
 * Appending entries to the ledger in a transaction.  All functions run in the
 * committer's thread, and none takes a lock.  After a failure the transaction
 * is rolled back, so what was appended before does not count.  Errors:
 * TF_NOMEM, TF_NOSPACE, TF_IO and its sharper forms; those of the encoder
 * (entry.h).
 */
#ifndef TF_COMMIT_APPEND_H
#define TF_COMMIT_APPEND_H

#include <stdint.h>

#include "../json.h"

struct tf_entry;
struct tf_hash;
struct tf_prepared_entry;
struct tf_txn;
struct tf_vault;

/*
 * Append an entry (trailfs-entries(5)).  The call sets its v, seq, origin, at,
 * clock and batch.  *leaf (may be NULL) becomes its leaf hash (RFC 6962 2.1).
 */
TF_MUST_USE enum tf_code tf_txn_append(struct tf_txn *t, struct tf_entry *e,
    struct tf_hash *leaf, struct tf_error *err);
/* Append an entry that was prepared with the present v and origin.  grown: its
 * field of that name, or NULL. */
TF_MUST_USE enum tf_code tf_txn_append_prepared(struct tf_txn *t,
    const struct tf_prepared_entry *p, const uint64_t *grown,
    struct tf_error *err);
/* Mark the next n entries as one batch: all of them take effect, or none.  End
 * it with tf_txn_batch_end. */
TF_MUST_USE enum tf_code tf_txn_batch(struct tf_txn *t, uint64_t n,
    struct tf_error *err);
void tf_txn_batch_end(struct tf_txn *t);

/* Warn, at the start, of a clock that is behind the last entry, whose time is
 * last, and a daemon also of one that nothing synchronises. */
void tf_txn_doubt_clock(struct tf_vault *v, struct tf_time last);

/* Write hashes of a tile, as merkle.h asks for it; arg is the struct tf_db. */
TF_MUST_USE enum tf_code tf_commit_put_tile(void *arg, unsigned level,
    uint64_t n, const struct tf_hash *h, unsigned width, struct tf_error *err);

#endif
