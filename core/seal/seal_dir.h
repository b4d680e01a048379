/* Sealing directories, and claiming the pending nodes below one. */
#ifndef TF_SEAL_SEAL_DIR_H
#define TF_SEAL_SEAL_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_db;
struct tf_pending;
struct tf_seal_request;
struct tf_vault;

/* The pending nodes below a directory that is sealed or closed. */
struct tf_below {
	struct tf_attr dir;
	struct tf_pending **l;
	size_t n, cap;
	enum tf_code refused;
	bool wait;	     /* somebody is at work below */
	uint64_t in_the_way; /* the node that may not be sealed, or 0 */
};

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

/*
 * Seal an attestation, workflow or trail with all that is in it, or publish a
 * draft attestation.  On TF_OK the seal is durable; TF_OK also when it was
 * sealed before.  On failure evidence that got its entry keeps it, and nothing
 * else changed.  Waits for work below unless r->hurry.  No lock is held.
 * Errors: TF_BUSY open for writing below, not ready, or not idle any more;
 * TF_DENIED not the caller's, or the wrong kind; TF_NOTFOUND.
 */
TF_MUST_USE enum tf_code tf_seal_dir(struct tf_vault *v,
    const struct tf_seal_request *r, struct tf_error *err);

#endif
