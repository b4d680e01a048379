/* Sealing now what somebody asks for: fsync(2) and sync(1). */
#ifndef TF_SEAL_SYNC_H
#define TF_SEAL_SYNC_H

#include "../error.h"

struct tf_vault;

/* Seal what is frozen or closed, as tf_vault_sync does for root, but no
 * placeholder. */
TF_MUST_USE enum tf_code tf_seal_frozen(struct tf_vault *v,
    struct tf_error *err);

#endif
