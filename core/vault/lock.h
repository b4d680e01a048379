/* The lock of a store: one writer, or readers. */
#ifndef TF_VAULT_LOCK_H
#define TF_VAULT_LOCK_H

#include "../error.h"

struct tf_vault;

/* Take the lock of the store for a writer: TF_LOCKED with who has it. */
enum tf_code tf_vault_lock(struct tf_vault *v, struct tf_error *err);

/* The same for a mount that only reads. */
enum tf_code tf_vault_lock_shared(struct tf_vault *v, struct tf_error *err);

#endif
