/* Who runs trailctl, as the ledger names people. */
#ifndef TRAILCTL_ACTOR_H
#define TRAILCTL_ACTOR_H

#include "core/types.h"

/* What /proc does not tell stays unset. */
void actor_self(struct tf_actor *out);

#endif
