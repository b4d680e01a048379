/* The mark of a file that is entered while it grows: node/growth.h. */
#ifndef TF_VAULT_STREAM_H
#define TF_VAULT_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_vault;

/*
 * setxattr(2) of user.trailfs.stream on node id, with its flags: mark the file.
 * The mark is in memory until the first chunk is entered, and nobody can remove it.
 *
 * Errors: TF_INVALID the value is not "1"; TF_DENIED it is no evidence that who
 * has open for writing, or a draft; TF_SEALED; TF_UNSUPPORTED its trail has
 * recipients; TF_EXISTS, TF_NODATA by flags; the failure of a file that has
 * failed; TF_READONLY, TF_NOMEM.  No lock is held.
 */
TF_MUST_USE enum tf_code tf_stream_mark(struct tf_vault *v, uint64_t id,
    const void *value, size_t n, int flags, const struct tf_actor *who,
    struct tf_error *err);

#endif
