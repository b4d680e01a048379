/*
 * Bytes of evidence that a sparse store does not have (tf_db_is_sparse).  A mount
 * asks a source for them: a process that listens at a socket of this machine, which
 * `trailctl org follow` is.  Nothing that it gives is trusted: the reader hashes it
 * as it hashes an object file.
 *
 * One connection of SOCK_SEQPACKET per request.  To the source: "object HEX ORIGIN".
 * From it: "ok SIZE" with one descriptor, or "absent TEXT" (the bytes are gone),
 * "altered TEXT" or "failed TEXT" (it may pass).  Who closes the connection gives the
 * request up.
 */
#ifndef TF_NODE_ABSENT_H
#define TF_NODE_ABSENT_H

#include "../error.h"
#include "../types.h"

struct tf_vault;

/*
 * Open the object file of digest h, or ask the source for it.  *fd is for reading
 * only, at any offset.  Waits for the source as long as it takes, but ends early if
 * the call is given up (TF_INTERRUPTED).  No lock is held.
 * TF_TAMPER: it is missing, in the store or at the source; TF_IO: the source cannot
 * be asked, or failed.
 */
TF_MUST_USE enum tf_code tf_vault_object_open(struct tf_vault *v,
    const struct tf_hash *h, int *fd, struct tf_error *err);

/* When a reader opens the vault: is the store sparse?  source: path of the socket;
 * NULL: .follow beside the store. */
struct tf_db;
TF_MUST_USE enum tf_code tf_absent_start(struct tf_vault *v, struct tf_db *db,
    const char *source, struct tf_error *err);

#endif
