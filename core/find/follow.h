/* Fills the index from the ledger. */
#ifndef TF_FIND_FOLLOW_H
#define TF_FIND_FOLLOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_search_db;
struct tf_vault;

/*
 * Index the next batch of entries, in one transaction of the index and one
 * short view of the ledger; *entries becomes the number of entries that are
 * indexed now, *more tells whether the ledger has others.
 * TF_TAMPER: the index does not belong to this ledger and must be made anew.
 */
TF_MUST_USE enum tf_code tf_find_follow(struct tf_vault *v,
    struct tf_search_db *s, uint64_t *entries, bool *more,
    struct tf_error *err);
/* Judge some of the workflows whose status may have changed, until *quit; *more
 * tells whether there may be others. */
TF_MUST_USE enum tf_code tf_find_judge(struct tf_vault *v,
    struct tf_search_db *s, const atomic_bool *quit, bool *more,
    struct tf_error *err);

#endif
