/* Sealing at once on request; tf_vault_sync() is in core/vault.h. */
#ifndef TF_SEAL_SYNC_H
#define TF_SEAL_SYNC_H

#include "../error.h"

struct tf_vault;

/* Seal all frozen files of the vault, of every user, but no placeholder, and
 * closed directories as tf_closed_finish does.  Returns the last failure.  No
 * lock is held. */
TF_MUST_USE enum tf_code tf_seal_frozen(struct tf_vault *v,
    struct tf_error *err);

#endif
