/*  */
#ifndef TF_VAULT_SETATTR_H
#define TF_VAULT_SETATTR_H

#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_vault;

/* A size by path: no writing, see tf_pending_written. */
TF_MUST_USE enum tf_code tf_path_set_size(struct tf_vault *v, uint64_t id,
    uint64_t size, const struct tf_actor *who, struct tf_error *err);

#endif
