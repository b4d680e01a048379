/* Something to hash; the hasher has it while it is queued. */
#ifndef TF_NODE_HASH_TASK_H
#define TF_NODE_HASH_TASK_H

#include <stdbool.h>
#include <stdint.h>

struct tf_hasher;

/* Something to hash; the hasher's while it is queued. */
struct tf_hash_task {
	struct tf_hash_task *next;  /* first of another user, or NULL */
	struct tf_hash_task *below; /* the same user's next, or NULL */
	uint32_t uid;
	/* Hash a slice by way of buf.  False: no more; the task is the
	 * caller's again.  In a thread of the hasher, without its lock. */
	bool (*step)(struct tf_hasher *h, struct tf_hash_task *t, char *buf);
};

#endif
