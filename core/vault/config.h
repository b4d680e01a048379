/* Settings of a store, and their defaults. */
#ifndef TF_VAULT_CONFIG_H
#define TF_VAULT_CONFIG_H

#include "../error.h"

struct tf_vault;

#define TF_SETTLE_DEFAULT_S 2

#define TF_MAX_UNSEALED_DEFAULT 100000 /* names of one user */

#define TF_IDLE_MAX_S 31536000 /* a year */

#define TF_PLACEHOLDER_DEFAULT_S 600 /* until one is sealed empty */

#define TF_MAX_OPEN_DEFAULT 10000 /* handles of one user */

/* Defaults of the store, from STORE/config. */
TF_MUST_USE enum tf_code tf_config_read(struct tf_vault *v,
    struct tf_error *err);

#endif
