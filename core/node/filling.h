/* The list of directories that a program is filling, v->filling. */
#ifndef TF_NODE_FILLING_H
#define TF_NODE_FILLING_H

#include <stdint.h>

struct tf_db;
struct tf_vault;

/*
 * A directory whose write bit was removed and set again is being filled, for
 * example by rsync: its attestation must not be sealed yet.  Returns the id of
 * such a directory below attestation att, or 0.  mu is held.
 */
uint64_t tf_dir_filling(struct tf_vault *v, struct tf_db *db, uint64_t att);

/* Remove directory id from the list: it was removed or is complete.  mu is
 * held. */
void tf_dir_filled(struct tf_vault *v, uint64_t id);

#endif
