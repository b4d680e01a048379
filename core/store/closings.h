/*
 * Directories that chmod(2) closed and that are not sealed yet, with whoever
 * closed them.  A row is written with the access.changed entry of the chmod,
 * and goes with the entry that seals the directory or opens it again.
 */
#ifndef TF_STORE_CLOSINGS_H
#define TF_STORE_CLOSINGS_H

#include "schema.h"

/* Insert or replace; actor is canonical JSON. */
TF_MUST_USE enum tf_code tf_closings_put(struct tf_db *db, uint64_t id,
    struct tf_str actor, struct tf_error *err);
TF_MUST_USE enum tf_code tf_closings_delete(struct tf_db *db, uint64_t id,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_closings_has(struct tf_db *db, uint64_t id,
    bool *yes, struct tf_error *err);
/* Every row by id; actor lives until fn returns. */
TF_MUST_USE enum tf_code tf_closings_each(struct tf_db *db,
    enum tf_code (*fn)(void *arg, uint64_t id, struct tf_str actor,
	struct tf_error *err),
    void *arg, struct tf_error *err);

#endif
