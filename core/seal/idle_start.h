/* At the start of a vault: when each open attestation was last changed. */
#ifndef TF_SEAL_IDLE_START_H
#define TF_SEAL_IDLE_START_H

#include "../error.h"

struct tf_vault;

/* Fill v->idle from the times of the nodes, so that the option idle counts from
 * the last change, also across a restart.  Does nothing when the option is off.
 * Before there are other callers. */
TF_MUST_USE enum tf_code tf_idle_start(struct tf_vault *v,
    struct tf_error *err);

#endif
