/* Whether the copies of the newest checkpoint fit the database (I3). */
#ifndef TF_SEAL_HEAD_COMPARE_H
#define TF_SEAL_HEAD_COMPARE_H

#include "../json.h"

struct tf_vault;

/*
 * Compare the head of the database with its copies: STORE/checkpoint, what the
 * signer signed last, and the guard.  TF_OK: no copy is ahead of
 * the database, and all are consistent with it.  TF_TAMPER: err says what
 * happened and what to do, and *lost (may be NULL) has the note that is ahead;
 * the caller frees it.  Before there are other callers.
 */
TF_MUST_USE enum tf_code tf_head_compare(struct tf_vault *v,
    struct tf_buf *lost, struct tf_error *err);

/* The same without the guard. */
TF_MUST_USE enum tf_code tf_head_compare_beside(struct tf_vault *v,
    struct tf_buf *lost, struct tf_error *err);

/*
 * The same for the text b of a copy outside the store, which where names.  Our
 * key may have signed it for another store, since a copy of this one that went on
 * under a new origin has the same key: a note of another origin is accepted only
 * if the last ledger.opened gave this log its origin, and the note is what was
 * there before.
 */
TF_MUST_USE enum tf_code tf_head_compare_outside(struct tf_vault *v,
    const char *where, const struct tf_buf *b, struct tf_buf *lost,
    struct tf_error *err);

#endif
