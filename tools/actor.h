/* The actor of entries that trailctl appends: who runs it. */
#ifndef TRAILCTL_ACTOR_H
#define TRAILCTL_ACTOR_H

#include "core/types.h"

/*
 * Fill out from the process and /proc: ids, pid, login session, name and path
 * of the program, and control group. What /proc does not show stays unset.
 * Never fails. trailctl names itself in a store; in a mount the daemon finds
 * out who the caller is.
 */
void actor_self(struct tf_actor *out);

#endif
