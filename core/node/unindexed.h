/* Entries that no row of the node table names, and lists of entry numbers. */
#ifndef TF_NODE_UNINDEXED_H
#define TF_NODE_UNINDEXED_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct tf_unindexed {
	pthread_mutex_t mu;
	struct tf_unindexed_entry *p; /* by seq; guarded by mu, as all below */
	size_t n, cap;
	uint64_t from, to; /* of these entries all are known */
};

struct tf_unindexed_entry {
	uint64_t seq;
	uint32_t trail, workflow; /* hashes of the path's first one and two */
};

struct tf_unindexed *tf_unindexed_new(void);

void tf_unindexed_free(struct tf_unindexed *r); /* NULL is nothing */

#endif
