/* The flush of pending files: see flush.c. */
#ifndef TF_COMMIT_FLUSH_H
#define TF_COMMIT_FLUSH_H

#include "../vault.h"

struct tf_pending;
struct tf_txn;
struct tf_vault;

/*
 * Flush the present content of l.  done is called once with the result, in this
 * thread or in another one that commits.  waits: this thread serves a caller who
 * waits for the result, so it may commit itself; else the flushes that follow may
 * join this one.  The caller holds no lock.
 */
void tf_flush(struct tf_pending *l, bool waits, tf_done done, void *arg);

/*
 * Is a flush of l, for which somebody waits, to enter what it holds (durability=org)?
 * Not of drafts, whose names are not in the ledger.  mu is held.
 */
bool tf_flush_enters(const struct tf_pending *l);

/* Write the row of l, and those of its pending directories that have no row
 * yet, to table stage. */
TF_MUST_USE enum tf_code tf_stage_save(struct tf_txn *t, struct tf_pending *l,
    struct tf_error *err);

/* Call this after the commit of tf_stage_save: marks the rows as written.  mu
 * is held. */
void tf_stage_saved(struct tf_vault *v, struct tf_pending *l);

#endif
