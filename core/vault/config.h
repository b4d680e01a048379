/* STORE/config: the settings of a store, and their defaults. */
#ifndef TF_VAULT_CONFIG_H
#define TF_VAULT_CONFIG_H

#include "../error.h"

struct tf_vault;

#define TF_SETTLE_DEFAULT_S 2
#define TF_PLACEHOLDER_DEFAULT_S 600 /* until it is sealed as empty */
#define TF_ORG_TIMEOUT_DEFAULT_S 60
#define TF_ORG_TIMEOUT_MAX_S 86400
#define TF_IDLE_MAX_S 31536000	       /* a year */
#define TF_MAX_UNSEALED_DEFAULT 100000 /* names per user */
#define TF_MAX_OPEN_DEFAULT 10000      /* handles per user */

/* Read STORE/config into v->settings and v->guard; no file is an empty one.
 * TF_USAGE: a line that is not a setting; the lines before it are set then.
 * Other errors: TF_NOMEM and those of tf_file_read().  Before there are other
 * callers. */
TF_MUST_USE enum tf_code tf_config_read(struct tf_vault *v,
    struct tf_error *err);

#endif
