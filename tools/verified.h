/* Recording that a vault was verified: the entry verify.done. */
#ifndef TRAILCTL_VERIFIED_H
#define TRAILCTL_VERIFIED_H

#include "core/package.h"

/*
 * Append to the vault of arg, a mount or a store, the entry that the caller has
 * verified it so.  Errors: TF_DENIED the caller is neither its
 * owner nor root; TF_LOCKED a mount has the store: name the mount.
 */
TF_MUST_USE enum tf_code verified_record(const char *arg,
    const struct tf_verified *made, struct tf_error *err);

#endif
