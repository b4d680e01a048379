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
	/* Attempts since the start, all and by code; guarded by mu, as below. */
	uint64_t count, by_code[TF_CODES];
	size_t n;
	struct tf_denial kept[TF_DENIED_KEPT];
};

/* The number of refused attempts since the vault was opened. */
uint64_t tf_denied_count(struct tf_vault *v);
/* The same by the code of the rule. */
void tf_denied_counts(struct tf_vault *v, uint64_t by_code[TF_CODES]);

void tf_denied_free(struct tf_denials *d);

#endif
