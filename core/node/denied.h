/* Refused attempts, in memory. */
#ifndef TF_NODE_DENIED_H
#define TF_NODE_DENIED_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"

struct tf_vault;

/* Refused attempts, the oldest first; lock order: alone. */
#define TF_DENIED_KEPT 1000

struct tf_denial {
	uint32_t uid;
	struct tf_buf line;
};

struct tf_denials {
	pthread_mutex_t mu;
	uint64_t count; /* of all ever; guarded by mu, as all below */
	size_t n;
	struct tf_denial kept[TF_DENIED_KEPT];
};

/* How many attempts were refused so far. */
uint64_t tf_denied_count(struct tf_vault *v);

void tf_denied_free(struct tf_denials *d);

#endif
