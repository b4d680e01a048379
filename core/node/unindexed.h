/* Entries that no row of the node table names, and lists of entry numbers. */
#ifndef TF_NODE_UNINDEXED_H
#define TF_NODE_UNINDEXED_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct tf_rare {
	pthread_mutex_t mu;
	struct tf_rare_item *p; /* by seq; guarded by mu, as all below */
	size_t n, cap;
	uint64_t from, to; /* of these entries all are known */
};

struct tf_rare_item {
	uint64_t seq;
	uint32_t trail, workflow; /* hashes of the path's first one and two */
};

struct tf_rare *tf_rare_new(void);

void tf_rare_free(struct tf_rare *r); /* NULL is nothing */

#endif
