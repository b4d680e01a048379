/* Removing what stage/ has of a node, and the object that it was linked as. */
#ifndef TF_NODE_STAGE_REMOVE_H
#define TF_NODE_STAGE_REMOVE_H

#include <stdint.h>

#include "../error.h"

struct tf_hash;
struct tf_pending;
struct tf_vault;

/* Remove all that stage/ has of l, which is sealed or has gone.  If it was linked
 * as an object for a seal that has failed, the background threads remove both.
 * The caller may hold any lock. */
void tf_stage_remove(const struct tf_pending *l);

/*
 * Remove the object of digest h, which is the file with inode ino, unless an
 * entry or a pending node other than id needs it.  The caller does not hold mu.
 * Errors: TF_IO; those of the database.
 */
TF_MUST_USE enum tf_code tf_object_unneeded(struct tf_vault *v, uint64_t id,
    const struct tf_hash *h, uint64_t ino, struct tf_error *err);

#endif
