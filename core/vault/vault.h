/* Opening a vault, also under a new origin. */
#ifndef TF_VAULT_VAULT_H
#define TF_VAULT_VAULT_H

#include "../error.h"

struct tf_recovery;
struct tf_vault;
struct tf_vault_options;

/*
 * tf_vault_open() with a recovery: when it is not NULL, go on under a new
 * origin (tf_head_renew).  The caller frees recovery->previous, also after a
 * failure.  On failure *out is untouched, no thread is left and the lock is given
 * up; entries that were appended stay.  Errors: those of tf_vault_open() and of
 * tf_head_renew().
 */
TF_MUST_USE enum tf_code tf_vault_open_for(const char *path,
    const struct tf_vault_options *o, struct tf_recovery *recovery,
    struct tf_vault **out, struct tf_error *err);

#endif
