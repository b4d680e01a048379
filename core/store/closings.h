/*
 * Table closing: the directories that chmod(2) has closed and that are not
 * sealed yet, each with the actor of the chmod.  The transaction of the
 * access.changed entry writes the row; the transaction of the entry that seals
 * or reopens the directory deletes it.  So recovery finds every closing that a
 * crash left unfinished.
 */
#ifndef TF_STORE_CLOSINGS_H
#define TF_STORE_CLOSINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_db;

/* Insert or replace the row of id; actor is canonical JSON.  Changes belong to
 * the transaction of db.  Errors of all functions: those of sql.h. */
TF_MUST_USE enum tf_code tf_closings_put(struct tf_db *db, uint64_t id,
    struct tf_str actor, struct tf_error *err);
/* Delete the row of id; TF_OK also when there is none. */
TF_MUST_USE enum tf_code tf_closings_delete(struct tf_db *db, uint64_t id,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_closings_has(struct tf_db *db, uint64_t id,
    bool *yes, struct tf_error *err);
/* Call fn for every row, in order of id, until it fails; actor is valid until
 * fn returns. */
TF_MUST_USE enum tf_code tf_closings_each(struct tf_db *db,
    enum tf_code (*fn)(void *arg, uint64_t id, struct tf_str actor,
	struct tf_error *err),
    void *arg, struct tf_error *err);

#endif
