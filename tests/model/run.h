/*
 * Run a trace of operations on the vault and on the model, and compare both.
 */
#ifndef TESTS_MODEL_RUN_H
#define TESTS_MODEL_RUN_H

#include "ops.h"

struct result {
	bool differs;
	size_t steps;	/* operations run */
	size_t refused; /* of these, refused */
	enum verb verb; /* of the step that differed */
	char text[512]; /* the difference */
};

/* Run steps random operations on a new vault, and add them to t. */
void run_chance(struct trace *t, uint64_t seed, size_t steps,
    struct result *result);
/* Run these operations on a new vault.  Both compare everything at the end. */
void run_trace(const struct trace *t, bool whole, struct result *result);
void run_clean(void);

#endif
