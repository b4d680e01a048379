/*
 * Rows of stage that have no place in the tree: their parents are a circle or
 * missing, or nothing can stand there under such a name.  trailfs writes no such
 * row; a damaged database has them, or one that somebody changed.  They and
 * their bytes in stage/ stay as they are, for whoever repairs it; nobody is
 * shown them, and all else works.
 */
#ifndef TF_STORE_UNPLACED_H
#define TF_STORE_UNPLACED_H

#include "nodes.h"

/* One of them: its name, safe to show, and why, without a full stop. */
typedef void (*tf_unplaced_fn)(void *arg, uint64_t id, const char *name,
    const char *why);

/* What can stand where; TF_STAGE_RULE of policy.h is the one. */
struct tf_stage_rule {
	/* May something of this kind, called so, wait to be sealed? */
	bool (*may_wait)(enum tf_kind kind, const char *name, size_t n);
	bool (*may_hold)(enum tf_kind parent, enum tf_kind kind);
	unsigned depth_max; /* directories above one another */
};

/* All of them, by id. */
TF_MUST_USE enum tf_code tf_unplaced_each(struct tf_db *db,
    struct tf_stage_rule rule, tf_unplaced_fn fn, void *arg,
    struct tf_error *err);

#endif
