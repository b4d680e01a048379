/* The actor of entries that trailctl appends: who runs it. */
#ifndef TRAILCTL_ACTOR_H
#define TRAILCTL_ACTOR_H

#include "core/types.h"

/* Fill out from the process and /proc; what /proc does not show stays unset. */
void actor_self(struct tf_actor *out);

#endif
