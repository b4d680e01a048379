/* Retention and holds of a place: asked for and shown, in a mount or a store. */
#ifndef TRAILCTL_PROTECT_H
#define TRAILCTL_PROTECT_H

#include <stdbool.h>

#include "where.h"

/*
 * Send a request, JSON as core/protection.h defines it: about holds, or about
 * the retention, of the place w.  On TF_OK it is in the ledger.
 * Errors: TF_USAGE the place has neither; those of tf_vault_retain() and
 * tf_vault_hold(), TF_DENIED also for other users; those of where_open().
 */
TF_MUST_USE enum tf_code protect_set(const struct where *w, bool holds,
    const struct tf_buf *request, struct tf_error *err);
/* Append what protects w to out: the JSON of the control file holds or
 * retention. */
TF_MUST_USE enum tf_code protect_get(const struct where *w, bool holds,
    struct tf_buf *out, struct tf_error *err);

#endif
