/* Paths in a transaction, as its own writes make them. */
#ifndef TF_COMMIT_TXN_PATH_H
#define TF_COMMIT_TXN_PATH_H

#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_str;
struct tf_txn;

/* The path of directory dir.  *out is valid until the next call. */
TF_MUST_USE enum tf_code tf_txn_path(struct tf_txn *t, uint64_t dir,
    struct tf_str *out, struct tf_error *err);

/* Append the path of the child `name` of directory dir to out. */
TF_MUST_USE enum tf_code tf_child_path(struct tf_txn *t, uint64_t dir,
    const char *name, struct tf_buf *out, struct tf_error *err);

#endif
