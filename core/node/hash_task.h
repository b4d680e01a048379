/* The task type of the hasher (core/commit/hasher.h), here because pending
 * nodes contain one. */
#ifndef TF_NODE_HASH_TASK_H
#define TF_NODE_HASH_TASK_H

#include <stdbool.h>
#include <stdint.h>

struct tf_hasher;

/* One task.  It belongs to the hasher while it is queued. */
struct tf_hash_task {
	struct tf_hash_task *next;  /* first of another user, or NULL */
	struct tf_hash_task *below; /* the same user's next, or NULL */
	uint32_t uid;
	/* Hash one slice, using buf for the bytes.  Returns false when the task
	 * is complete and belongs to the caller again.  Runs in a thread of the
	 * hasher, without its lock. */
	bool (*step)(struct tf_hasher *h, struct tf_hash_task *t, char *buf);
};

#endif
