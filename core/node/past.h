/* Makes a connection show an earlier state of the ledger: see core/past.h. */
#ifndef TF_NODE_PAST_H
#define TF_NODE_PAST_H

#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_db;
struct tf_vault;

/* A moment that was asked for.  Entries never change, so it is valid for ever. */
#define TF_MOMENTS 64
struct tf_past_moment {
	uint64_t size; /* 0: unused */
	struct tf_time at;
};

/* Let db show the ledger of `size` entries, until tf_db_end_now(db); *at becomes
 * the time of the last of them.  TF_NOTFOUND: there is no such moment. */
TF_MUST_USE enum tf_code tf_past_begin(struct tf_vault *v, struct tf_db *db,
    uint64_t size, struct tf_time *at, struct tf_error *err);

#endif
