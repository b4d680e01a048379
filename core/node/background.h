/*
 * Background threads for work that no caller waits for: flushing long files
 * after their close, comparing files after a crash, saving the remains of
 * interrupted files.  There are a few threads, and the work of one user
 * occupies at most one of them, so that no user can delay the others.
 */
#ifndef TF_NODE_BACKGROUND_H
#define TF_NODE_BACKGROUND_H

#include <stdint.h>

#include "../error.h"

struct tf_background;

/* One piece of work.  It belongs to the background threads from
 * tf_background_add until run is called; run may free it. */
struct tf_duty {
	struct tf_duty *next;
	uint32_t uid;
	void (*run)(struct tf_duty *d);
};

TF_MUST_USE enum tf_code tf_background_new(struct tf_background **out,
    struct tf_error *err);
/* Queue d.  The work of one user runs in the order of the calls.  The caller
 * may hold any lock. */
void tf_background_add(struct tf_background *b, struct tf_duty *d);
/* Run all queued work, end the threads and free b.  NULL: does nothing. */
void tf_background_stop(struct tf_background *b);

#endif
