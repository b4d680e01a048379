/*
 * Operations: as lines of text, and random ones.
 *
 *     open 1001 p=t/w/a/f flags=write,create mode=644 h=2
 *
 * Special bytes of a path are written as %XX.
 */
#ifndef TESTS_MODEL_OPS_H
#define TESTS_MODEL_OPS_H

#include <stdio.h>

#include "model.h"

struct chance {
	uint64_t state;
};

struct trace {
	struct op *ops;
	size_t n, cap;
	bool settles;
};

uint64_t draw(struct chance *, uint64_t below);
/* Draw the next operation; every second one is about an existing node. */
struct op draw_op(struct chance *, struct model *, size_t step);

void op_print(FILE *, const struct op *);
/* The strings of o then belong to the trace. */
void trace_add(struct trace *, struct op o);
void trace_free(struct trace *);
void trace_print(FILE *, const struct trace *);
bool trace_read(FILE *, struct trace *);

#endif
