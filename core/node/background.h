/*
 * Work that nobody waits for, in threads of its own: flushing long files that
 * were closed, comparing them after a crash, saving what survived of them.  One
 * user has one thread at most; there are a few.
 */
#ifndef TF_NODE_BACKGROUND_H
#define TF_NODE_BACKGROUND_H

#include <stdint.h>

#include "../error.h"

struct tf_background;

/* Something to do; it belongs to these threads until run is called. */
struct tf_duty {
	struct tf_duty *next;
	uint32_t uid;
	void (*run)(struct tf_duty *d);
};

TF_MUST_USE enum tf_code tf_background_new(struct tf_background **out,
    struct tf_error *err);
/* In the order of asking, each user's for itself.  Any lock may be held. */
void tf_background_add(struct tf_background *b, struct tf_duty *d);
/* Run what is left, and end.  NULL is nothing. */
void tf_background_stop(struct tf_background *b);

#endif
