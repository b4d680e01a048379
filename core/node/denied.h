/* The last refused attempts, in memory: see denied.c for the limits. */
#ifndef TF_NODE_DENIED_H
#define TF_NODE_DENIED_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"

struct tf_vault;

/* The number of attempts that are kept. */
#define TF_DENIED_KEPT 1000

struct tf_denial {
	uint32_t uid;
	struct tf_buf line;
};

/* The kept attempts, oldest first. */
struct tf_denials {
	pthread_mutex_t mu; /* no other lock is taken while it is held */
	uint64_t count; /* attempts since the start; guarded by mu, as below */
	size_t n;
	struct tf_denial kept[TF_DENIED_KEPT];
};

/* The number of refused attempts since the vault was opened. */
uint64_t tf_denied_count(struct tf_vault *v);

void tf_denied_free(struct tf_denials *d);

#endif
