/*
 * Numbers of nodes.  A number is never used again, not even after a crash:
 * blocks of TF_ID_BLOCK numbers are reserved durably before the first of them
 * is used, and a crash loses the rest of a block.  Errors: those of a commit.
 */
#ifndef TF_COMMIT_NODE_IDS_H
#define TF_COMMIT_NODE_IDS_H

#include <stdint.h>

#include "../error.h"

struct tf_txn;
struct tf_vault;

#define TF_ID_BLOCK 1024 /* node ids reserved at a time */

/* A new node id, which is never used again, not even after a crash.  May wait
 * for a commit: vault.mu must not be held. */
TF_MUST_USE enum tf_code tf_vault_new_id(struct tf_vault *v, uint64_t *id,
    struct tf_error *err);

/* The same inside a job. */
TF_MUST_USE enum tf_code tf_txn_new_id(struct tf_txn *t, uint64_t *id,
    struct tf_error *err);

#endif
