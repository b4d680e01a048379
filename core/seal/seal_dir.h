/* Sealing directories, and claiming the pending nodes below one. */
#ifndef TF_SEAL_SEAL_DIR_H
#define TF_SEAL_SEAL_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

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
