/* Does a directory hold anything that a seal would be about? */
#ifndef TF_NODE_HOLDS_H
#define TF_NODE_HOLDS_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_vault;

/* setattr.c: does the directory hold anything that a seal would be about? */
TF_MUST_USE enum tf_code tf_holds_something(struct tf_vault *v, uint64_t id,
    bool *any, struct tf_error *err);

#endif
