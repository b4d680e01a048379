/* What the status shows of the guard (seal/guard.h). */
#ifndef TF_NODE_GUARD_STATE_H
#define TF_NODE_GUARD_STATE_H

#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_guard_state {
	uint64_t size;	   /* entries of the head that it has; 0: none */
	struct tf_time at; /* when it was written */
	/* Why the newest head is not there; "": it is. */
	char trouble[sizeof(((struct tf_error *)0)->text)];
};

#endif
