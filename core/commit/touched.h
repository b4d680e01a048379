/*
 * The directories whose rows a transaction changes.  For run functions of
 * jobs, in the committer's thread; no lock is taken.  Errors: TF_NOMEM.
 */
#ifndef TF_COMMIT_TOUCHED_H
#define TF_COMMIT_TOUCHED_H

#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_txn;

/* A name was created in directory id: its times become `at` at the end of the
 * transaction. */
TF_MUST_USE enum tf_code tf_txn_touch(struct tf_txn *t, uint64_t id,
    struct tf_time at, struct tf_error *err);
/* The row of node id was changed in another way: report it to the mount
 * after the commit. */
TF_MUST_USE enum tf_code tf_txn_changed(struct tf_txn *t, uint64_t id,
    struct tf_error *err);

/* Sort t->touched by id and keep each directory once, with its latest time. */
void tf_txn_sort_touched(struct tf_txn *t);

#endif
