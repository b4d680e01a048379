/*
 * A trace of operations, on the vault and on the model: where do they differ?
 */
#ifndef TESTS_MODEL_RUN_H
#define TESTS_MODEL_RUN_H

#include "ops.h"

struct result {
	bool differs;
	size_t steps;	/* that were made */
	size_t refused; /* of these */
	enum verb verb; /* where they differed */
	char text[512]; /* how */
};

/* A new vault; steps operations by chance.  What was done is added to t. */
void run_chance(struct trace *t, uint64_t seed, size_t steps,
    struct result *result);
/* A new vault; these operations; and, as above, all is compared at the end. */
void run_trace(const struct trace *t, bool whole, struct result *result);
void run_clean(void);

#endif
