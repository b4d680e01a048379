/*
 * Claims: a thread that has claimed a pending node changes its name, metadata or
 * place, flushes it or seals it, and nobody else does so meanwhile.  pending.h
 * has the rules.  The caller holds mu unless a comment says otherwise.
 */
#ifndef TF_NODE_CLAIM_H
#define TF_NODE_CLAIM_H

#include <stdbool.h>

#include "../error.h"

struct tf_pending;
struct tf_vault;

/* Wait until nobody claims l.  Lets go of mu meanwhile; the caller has no claim
 * and no io. */
void tf_pending_wait(struct tf_vault *v, struct tf_pending *l);

/* Take l out of memory: its row in the node table is committed. */
void tf_pending_leave(struct tf_vault *v, struct tf_pending *l);

/* Claim l, with a reference, after waiting for the claim of another.  False: l
 * was sealed or unlinked, and there is no claim. */
bool tf_pending_claim(struct tf_vault *v, struct tf_pending *l);

/* End the claim and drop its reference. */
void tf_pending_unclaim(struct tf_vault *v, struct tf_pending *l);

/* tf_pending_set_failed() for callers without mu: takes mu.  Returns rc, with e
 * in err. */
enum tf_code tf_pending_fail(struct tf_pending *l, enum tf_code rc,
    const struct tf_error *e, struct tf_error *err);

#endif
