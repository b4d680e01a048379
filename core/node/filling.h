/* Directories that are being filled: v->filling. */
#ifndef TF_NODE_FILLING_H
#define TF_NODE_FILLING_H

#include <stdint.h>

struct tf_db;
struct tf_vault;

/*
 * A directory whose write bit was taken away and given back is being filled, by
 * rsync for example: its attestation is not closed.  Is there one below
 * attestation att?  Its id, or 0.  mu is held.
 */
uint64_t tf_dir_filling(struct tf_vault *v, struct tf_db *db, uint64_t att);

/* Directory id is gone.  mu is held. */
void tf_dir_filled(struct tf_vault *v, uint64_t id);

#endif
