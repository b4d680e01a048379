/* Claims about a trail or workflow that exists, set one by one: what is not
 * given stays as it is. */
#ifndef TRAILCTL_CLAIM_DIR_H
#define TRAILCTL_CLAIM_DIR_H

#include "claims.h"
#include "where.h"

/*
 * Set each of the claims that differs from what is there.  *changed: at least
 * one did.  Errors: TF_INVALID a value is malformed or too long; those of
 * where_open().
 */
TF_MUST_USE enum tf_code claim_dir(const struct where *w,
    const struct claims *c, bool *changed, struct tf_error *err);

/* Would these claims be accepted by a trail or workflow that has none?
 * TF_INVALID: one is malformed or too long. */
TF_MUST_USE enum tf_code claim_dir_check(enum tf_kind kind,
    const struct claims *c, struct tf_error *err);

#endif
