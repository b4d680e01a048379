/* Recording that a vault was verified: the entries verify.done and
 * verify.failed. */
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
/*
 * Record that it was not found whole: STORE/verify-failed, and an entry if the
 * ledger can take one, else a note says why not.  Errors: those of
 * tf_store_verify_failed and of finding the store.
 */
TF_MUST_USE enum tf_code verified_record_failure(const char *arg,
    const struct tf_verified *made, struct tf_error *err);

#endif
