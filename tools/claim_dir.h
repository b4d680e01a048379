/* Claims about a trail or workflow that exists, set one by one: what is not
 * given stays as it is. */
#ifndef TRAILCTL_CLAIM_DIR_H
#define TRAILCTL_CLAIM_DIR_H

#include "claims.h"
#include "where.h"

/*
 * Set each of the claims that differs from what is there, one by one. *changed:
 * at least one had to be set. In a store the lock is held for the call; without
 * claims nothing is opened.
 *
 * On failure the claims before the wrong one may be set; calling it again sets
 * the rest. Errors: TF_INVALID a value is malformed or too long; those of
 * where_open() and of the mount.
 */
TF_MUST_USE enum tf_code claim_dir(const struct where *w,
    const struct claims *c, bool *changed, struct tf_error *err);

/* The same for node id of an open store: a trail or a workflow. */
TF_MUST_USE enum tf_code claim_dir_stored(struct tf_vault *v, uint64_t id,
    const struct claims *c, bool *changed, struct tf_error *err);

/*
 * Would these claims be accepted by a trail or workflow that has none? Nothing
 * is opened or written, so a verb can ask before it makes a directory. User
 * data is not checked. TF_INVALID: a claim is malformed or too long.
 */
TF_MUST_USE enum tf_code claim_dir_check(enum tf_kind kind,
    const struct claims *c, struct tf_error *err);

#endif
