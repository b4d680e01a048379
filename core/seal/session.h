/* The first and the last entry of a process. */
#ifndef TF_SEAL_SESSION_H
#define TF_SEAL_SESSION_H

#include "../error.h"

struct tf_recovery;
struct tf_vault;
struct tf_vault_options;

TF_MUST_USE enum tf_code tf_append_opened(struct tf_vault *v,
    const struct tf_vault_options *o, const struct tf_recovery *recovery,
    struct tf_error *err);

TF_MUST_USE enum tf_code tf_append_closed(struct tf_vault *v,
    const char *reason, struct tf_error *err);

#endif
