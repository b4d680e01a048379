/* Retention in the transaction of another change. */
#ifndef TF_VAULT_PROTECT_H
#define TF_VAULT_PROTECT_H

#include <stdint.h>

#include "../error.h"

struct tf_retention_ref;
struct tf_txn;

/* Append retention.set about directory id, which has `before` of them, and its
 * row.  Nothing is checked.  Errors: those of tf_txn_append. */
TF_MUST_USE enum tf_code tf_retain_append(struct tf_txn *t, uint64_t id,
    uint64_t before, const struct tf_retention_ref *ref, const char *actor,
    struct tf_error *err);

#endif
