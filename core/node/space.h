/* The free space that statfs(2) reports, and the limit max_store. */
#ifndef TF_NODE_SPACE_H
#define TF_NODE_SPACE_H

#include <stdint.h>

#include "../vault.h"

struct tf_vault;

/* The free space and the recorded content at the time of tf_vault_open. */
struct tf_space_start {
	struct tf_space free;
	uint64_t content_bytes, files;
};

/* Record the present free space.  Call this before other threads use v. */
TF_MUST_USE enum tf_code tf_space_start(struct tf_vault *v,
    struct tf_error *err);

/* The bytes that count for max_store: sealed content, entries, stage, and user
 * data and definitions.  mu is held. */
uint64_t tf_store_used(const struct tf_vault *v);

/* TF_NOSPACE if n more bytes would exceed max_store.  mu is held. */
TF_MUST_USE enum tf_code tf_store_check(const struct tf_vault *v, uint64_t n,
    struct tf_error *err);

#endif
