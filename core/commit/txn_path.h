/* Paths in a transaction. */
#ifndef TF_COMMIT_TXN_PATH_H
#define TF_COMMIT_TXN_PATH_H

#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_str;
struct tf_txn;

/* Path of a directory in a transaction, kept until another is asked for. */
TF_MUST_USE enum tf_code tf_txn_path(struct tf_txn *t, uint64_t dir,
    struct tf_str *out, struct tf_error *err);

/* The path of child name of directory dir, onto out. */
TF_MUST_USE enum tf_code tf_child_path(struct tf_txn *t, uint64_t dir,
    const char *name, struct tf_buf *out, struct tf_error *err);

#endif
