/* Free space when the vault was opened. */
#ifndef TF_NODE_SPACE_H
#define TF_NODE_SPACE_H

#include <stdint.h>

#include "../vault.h"

struct tf_vault;

/* Free space, and what was recorded, when the vault was opened. */
struct tf_space_start {
	struct tf_space free;
	uint64_t content_bytes, files;
};

/* Remember the free space, before there are callers. */
TF_MUST_USE enum tf_code tf_space_start(struct tf_vault *v,
    struct tf_error *err);

/* space.c: what counts for max_store; mu is held. */
uint64_t tf_store_used(const struct tf_vault *v);

/* Are n more bytes within max_store?  TF_NOSPACE.  mu is held. */
TF_MUST_USE enum tf_code tf_store_check(const struct tf_vault *v, uint64_t n,
    struct tf_error *err);

#endif
