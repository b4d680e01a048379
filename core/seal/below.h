/* What is below a directory that is sealed or closed. */
#ifndef TF_SEAL_BELOW_H
#define TF_SEAL_BELOW_H

#include <stdint.h>

#include "../error.h"

struct tf_below;
struct tf_db;
struct tf_vault;

/*
 * Fill b->l with all pending nodes below b->dir.  When b->wait is set,
 * somebody is at work on one of them: wait on v->changed and look again.
 * Fails when one may not be sealed: TF_BUSY when it is open for writing, or
 * with the failure of that file.  The caller holds mu and frees b->l.
 */
TF_MUST_USE enum tf_code tf_below_look(struct tf_vault *v, struct tf_below *b,
    struct tf_error *err);

/* Append the path of the node in the way to the message of that failure.  mu is
 * not held. */
void tf_below_name(struct tf_vault *v, const struct tf_below *b,
    struct tf_db *db, struct tf_error *err);

/* Claim all of b->l at once; and end these claims.  None of them is claimed by
 * anybody else (tf_below_look).  The caller holds mu, and sorts them without it:
 * there may be 100,000. */
void tf_below_claim(struct tf_below *b);

/* No claim is left in b afterwards; b->l is still the caller's to free. */
void tf_below_unclaim(struct tf_vault *v, struct tf_below *b);

#endif
