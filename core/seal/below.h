/* What is below a directory that is sealed or closed, and whose turn it is. */
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

/* Claim all of b->l at once and sort them by age; and end these claims.  None
 * of them is claimed by anybody else (tf_below_look).  The caller holds mu. */
void tf_below_claim(struct tf_below *b);

/* No claim is left in b afterwards; b->l is still the caller's to free. */
void tf_below_unclaim(struct tf_vault *v, struct tf_below *b);

/* Only one directory at a time is closed, opened again or sealed: wait for the
 * turn of id, and end it.  The caller holds mu and, while it waits, no claim.
 */
void tf_closing_begin(struct tf_vault *v, uint64_t id);

void tf_closing_end(struct tf_vault *v);

/* Wait for work below id, which may take long, and give up the turn meanwhile;
 * afterwards everything must be looked at again.  Fails as tf_vault_wait_long()
 * does.  It is the turn of id again in any case.  The caller holds mu. */
TF_MUST_USE enum tf_code tf_closing_wait(struct tf_vault *v, uint64_t id,
    struct tf_error *err);

#endif
