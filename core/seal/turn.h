/*
 * Whose turn it is to be closed, opened again or sealed.  Two directories have
 * their turns at the same time unless one is in the other.  While a directory
 * has its turn, tf_may_add() lets nobody make a name in it.
 *
 * The caller of all functions holds mu and, while it waits, no claim.
 */
#ifndef TF_SEAL_TURN_H
#define TF_SEAL_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_db;
struct tf_vault;

/* The turn of directory id.  It belongs to the caller, but is in the list
 * v->turns from tf_turn_begin() to tf_turn_end(). */
struct tf_turn {
	struct tf_turn *next;
	uint64_t id;
	uint64_t wf, trail; /* that it is in, or 0 */
	bool given_up;	    /* its owner waits for work below */
};

/* Begin the turn of directory id.  Waits for the turns that are in its way;
 * with hurry it fails with TF_BUSY instead.  After a failure there is no turn.
 * Errors: TF_NOTFOUND, those of the database. */
TF_MUST_USE enum tf_code tf_turn_begin(struct tf_vault *v, struct tf_db *db,
    struct tf_turn *t, uint64_t id, bool hurry, struct tf_error *err);

void tf_turn_end(struct tf_vault *v, struct tf_turn *t);

/* Wait for work below, which may take long, and give up the turn meanwhile;
 * afterwards everything must be looked at again.  Fails as tf_vault_wait_long()
 * does.  t has its turn again in any case. */
TF_MUST_USE enum tf_code tf_turn_wait(struct tf_vault *v, struct tf_turn *t,
    struct tf_error *err);

/* How many directories have their turns, or have given them up. */
size_t tf_turns(const struct tf_vault *v);

/* Has directory id its turn? */
bool tf_has_turn(const struct tf_vault *v, uint64_t id);

#endif
