/* Whether a directory has content that is worth a seal. */
#ifndef TF_NODE_HOLDS_H
#define TF_NODE_HOLDS_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_vault;

/* *any becomes true if attestation id has a child with an entry, or an unsealed
 * file at any depth.  mu is not held. */
TF_MUST_USE enum tf_code tf_holds_something(struct tf_vault *v, uint64_t id,
    bool *any, struct tf_error *err);

#endif
