/*
 * Claims: while one change of a node is on its way, nobody else changes it.
 * mu is held, unless it is said otherwise.
 */
#ifndef TF_NODE_CLAIM_H
#define TF_NODE_CLAIM_H

#include <stdbool.h>

#include "../error.h"

struct tf_pending;
struct tf_vault;

/* Wait until no job changes l; mu is held. */
void tf_pending_wait(struct tf_vault *v, struct tf_pending *l);

/* It has a row in the node table and is pending no more; mu is held. */
void tf_pending_leave(struct tf_vault *v, struct tf_pending *l);

/* Set job on l (waiting for the one under way), with a reference; mu is held.
 * False, and nothing to undo, when l went away meanwhile. */
bool tf_pending_claim(struct tf_vault *v, struct tf_pending *l);

void tf_pending_unclaim(struct tf_vault *v, struct tf_pending *l);

/* The content is not what was sent: final.  Returns rc, with e in err. */
enum tf_code tf_pending_fail(struct tf_pending *l, enum tf_code rc,
    const struct tf_error *e, struct tf_error *err);

#endif
