/*
 * Entering the chunks of marked files while they grow, and sealing what a crash
 * left of such a file: see node/growth.h, which has the promises.
 */
#ifndef TF_SEAL_GROW_H
#define TF_SEAL_GROW_H

#include <stdbool.h>

#include "../error.h"

struct tf_db;
struct tf_pending;
struct tf_vault;

/* The time of l->growth has come: let a background thread enter its whole chunks, in
 * the turn of its owner.  A failure is reported to the operator and tried again.
 * No lock is held. */
void tf_grow(struct tf_vault *v, struct tf_pending *l);

/* At the start: find out by its newest entry how many bytes of l are entered.  Does
 * nothing for a file without such an entry.  What does not fit is reported.
 * No lock is held. */
TF_MUST_USE enum tf_code tf_grow_found(struct tf_pending *l, struct tf_db *db,
    struct tf_error *err);

/*
 * l has failed, or a crash left it, and nobody has it open for writing.  If chunks of
 * it are entered, compare them with what survived, and seal l whole (G4).  False: l
 * is to be interrupted like any other file; if entered bytes are gone, that was
 * reported.  May take long.  No lock is held.
 */
bool tf_grow_survives(struct tf_pending *l);

#endif
