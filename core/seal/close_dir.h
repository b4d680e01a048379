/*
 * Directories that chmod(2) closed.  Nothing may be created, written, renamed
 * or removed in a closed directory.  The sealer seals it once it has settled;
 * fsync(2), sync and some control files do so earlier.  Until then chmod(2)
 * can open it again.
 *
 *     open --chmod a-w--> closed --settled, fsync, sync--> sealed
 *       ^                    |
 *       +-----chmod u+w------+
 *
 * A closing is a row of the table closing, committed with the access.changed
 * entry of its chmod: it is durable when chmod returns, and recovery finishes
 * it.  v->closed has the same list in memory.  Everything in a closed workflow
 * or trail is sealed or closed itself.
 *
 * Unless a comment says otherwise: callable from any thread, without vault.mu
 * and without a claim.  Errors beside those named: TF_IO and its sharper
 * forms, TF_NOMEM, TF_INTERRUPTED.
 */
#ifndef TF_SEAL_CLOSE_DIR_H
#define TF_SEAL_CLOSE_DIR_H

#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_attr;
struct tf_vault;

/*
 * chmod and chown of the root, a trail, a workflow or an attestation.  mask has
 * no bits but TF_SET_MODE, TF_SET_UID and TF_SET_GID.
 *
 * On TF_OK an access.changed entry is durable.  Removing the last write bit
 * closes a directory that is ready to be sealed (trailfs-writing(7) has the rule); a write bit opens it again.  On failure nothing changed.
 * TF_BUSY: a file below is open for writing.  TF_SEALED: the directory is
 * sealed and want has a write bit.
 */
TF_MUST_USE enum tf_code tf_change_access(struct tf_vault *v, uint64_t id,
    unsigned mask, const struct tf_attr *want, const struct tf_actor *who,
    struct tf_error *err);

#endif
