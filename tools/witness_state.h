/*
 * The state of a witness: a directory, in which the operator lists the logs.
 *
 *	key		its private key, mode 0400
 *	vkey		its public key, with its name
 *	logs		the vkeys of the logs that it knows, one per line; lines
 *			that begin with # are comments
 *	heads/ID	the newest checkpoint that it cosigned for an origin, with
 *			the lines of the log and its own; ID is the SHA-256 of
 *			the origin in hex
 *	refused/	ID-conflict-first, -last and -count: requests with a
 *			checkpoint that the log had signed and that is of another
 *			history than its head, which follows in the file:
 *			evidence against that log; ID-unproven-...: the same of
 *			those that were not consistent and prove nothing
 *	lock		held while a request is decided
 *
 * Promises:
 *  W1  What it cosigns is durable in heads/ before the cosignature leaves.
 *  W2  For one origin it never cosigns a checkpoint that does not extend the one
 *      before, whatever many processes do at the same time and wherever they
 *      are killed.
 */
#ifndef TRAILCTL_WITNESS_STATE_H
#define TRAILCTL_WITNESS_STATE_H

#include "core/witness.h"

/* Make the directory, which must be absent or empty, with a new key.  Its vkey
 * is appended to vkey.  Errors: TF_EXISTS; TF_INVALID name is no key name. */
TF_MUST_USE enum tf_code witness_state_make(const char *dir, const char *name,
    struct tf_buf *vkey, struct tf_error *err);

/*
 * Decide one request.  On TF_OK *status is the answer, and its body is appended
 * to answer: cosignature lines, a size, or a reason for people.  Another code
 * means that the witness cannot answer now: its state is missing, damaged or
 * cannot be written.
 */
TF_MUST_USE enum tf_code witness_state_answer(const char *dir,
    struct tf_str body, enum tf_witness_status *status, struct tf_buf *answer,
    struct tf_error *err);

#endif
