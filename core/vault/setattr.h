/* Metadata by path; the rest is in core/vault.h. */
#ifndef TF_VAULT_SETATTR_H
#define TF_VAULT_SETATTR_H

#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_vault;

/* truncate(2) of a draft.  It does not count as a write, see
 * tf_pending_written(), and is flushed after this returns.  On failure the size
 * is as before.  Errors: those of tf_vault_open_write() and tf_file_set_size().
 * No lock is held. */
TF_MUST_USE enum tf_code tf_path_set_size(struct tf_vault *v, uint64_t id,
    uint64_t size, const struct tf_actor *who, struct tf_error *err);

#endif
