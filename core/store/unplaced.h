/*
 * Rows of stage that have no place in the tree: a parent is missing, the
 * parents form a circle, or no node of that kind and name may stand there.
 * trailfs writes no such row, but a damaged or altered database may hold them.
 * The rows and their bytes in stage/ stay unchanged for a repair.  The mount
 * does not show them, and everything else works.
 */
#ifndef TF_STORE_UNPLACED_H
#define TF_STORE_UNPLACED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_db;

/* Receives one such row: its name, safe to print, and the reason, without a
 * full stop. */
typedef void (*tf_unplaced_fn)(void *arg, uint64_t id, const char *name,
    const char *why);

/* The rule for places in the tree.  Callers pass TF_STAGE_RULE of policy.h,
 * which this room may not include. */
struct tf_stage_rule {
	/* True if a node of this kind and name may be in stage. */
	bool (*may_wait)(enum tf_kind kind, const char *name, size_t n);
	bool (*may_hold)(enum tf_kind parent, enum tf_kind kind);
	unsigned depth_max; /* levels of directories */
};

/* Call fn for every row without a place, in order of id. */
TF_MUST_USE enum tf_code tf_unplaced_each(struct tf_db *db,
    struct tf_stage_rule rule, tf_unplaced_fn fn, void *arg,
    struct tf_error *err);

#endif
