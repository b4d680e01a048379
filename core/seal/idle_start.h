/* When was each open attestation last changed?  Asked once, at the start. */
#ifndef TF_SEAL_IDLE_START_H
#define TF_SEAL_IDLE_START_H

#include "../error.h"

struct tf_vault;

/* Find out what was last done where, before there are callers. */
TF_MUST_USE enum tf_code tf_idle_start(struct tf_vault *v,
    struct tf_error *err);

#endif
