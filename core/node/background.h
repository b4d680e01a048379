/*
 * Background threads for work that no caller waits for: flushing long files
 * after their close, comparing files after a crash, saving the remains of
 * interrupted files, seals that judge evidence.
 *
 * There are a few threads.  No user can delay the others: the work of one user
 * occupies at most one thread, the users take turns, and one thread is kept
 * free of long work, so that many users with long work do not delay one with
 * short work.
 */
#ifndef TF_NODE_BACKGROUND_H
#define TF_NODE_BACKGROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_background;

/* One piece of work.  It belongs to the background threads from
 * tf_background_add until run is called; run may free it. */
struct tf_duty {
	struct tf_duty *next;  /* first of another user, or NULL */
	struct tf_duty *below; /* the same user's next, or NULL */
	uint32_t uid;
	bool is_long; /* may take longer than a second */
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
