/*
 * The head of the ledger, v->head: size, root and note of the newest
 * checkpoint. Readers see a checkpoint here only after its COMMIT returned
 * (I3).
 */
#ifndef TF_COMMIT_HEAD_H
#define TF_COMMIT_HEAD_H

#include "../error.h"

struct tf_buf;
struct tf_checkpoint;
struct tf_committer;

/* Store cp, its note and the counts of c->txn in v->head, under vault.mu, which
 * the caller does not hold.  Takes the memory of note and leaves it empty. */
void tf_commit_publish(struct tf_committer *c, const struct tf_checkpoint *cp,
    struct tf_buf *note);

/* Check that entries, tiles and the newest checkpoint agree, in time that does
 * not depend on the length of the log, and publish that checkpoint.  An empty
 * ledger has none.  Before the committer's thread starts.  TF_TAMPER: they do
 * not agree; TF_NOMEM, TF_IO and its sharper forms. */
TF_MUST_USE enum tf_code tf_commit_load(struct tf_committer *c,
    struct tf_error *err);

#endif
