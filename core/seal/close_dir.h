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

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_attr;
struct tf_vault;

/* Did a chmod close directory id?  tf_is_closed() for callers without mu. */
bool tf_closes(struct tf_vault *v, uint64_t id);
/*
 * The id of a closed directory that is due at now (boot clock, ns), or 0.  When
 * none is, *next_ns becomes the time when the first is due, if that is earlier.
 * The caller holds mu.
 */
uint64_t tf_closed_next(const struct tf_vault *v, uint64_t now,
    uint64_t *next_ns);

/*
 * chmod and chown of the root, a trail, a workflow or an attestation.  mask has
 * no bits but TF_SET_MODE, TF_SET_UID and TF_SET_GID.
 *
 * On TF_OK an access.changed entry is durable.  Removing the last write bit
 * closes a directory that is ready to be sealed (chmod(2) in trailfs(8) has the
 * rule); a write bit opens it again.  On failure nothing changed.
 * TF_BUSY: a file below is open for writing.  TF_SEALED: the directory is
 * sealed and want has a write bit.
 */
TF_MUST_USE enum tf_code tf_change_access(struct tf_vault *v, uint64_t id,
    unsigned mask, const struct tf_attr *want, const struct tf_actor *who,
    struct tf_error *err);

/* Seal directory id now if it is closed, and before that all closed directories
 * in it.  TF_OK also when it is not closed.  Waits for work below it. */
TF_MUST_USE enum tf_code tf_closed_seal(struct tf_vault *v, uint64_t id,
    struct tf_error *err);
/*
 * The same for the sealer, which does not wait: TF_BUSY when there is work
 * below.  After a failure the directory is due again some seconds later; any
 * failure but TF_BUSY is reported to the operator.
 */
enum tf_code tf_closed_seal_due(struct tf_vault *v, uint64_t id);
/* Seal every closed directory at or below id that who may seal: its owner or
 * root.  A failure does not keep the others from being sealed; the last one is
 * returned. */
TF_MUST_USE enum tf_code tf_closed_sync(struct tf_vault *v, uint64_t id,
    const struct tf_actor *who, struct tf_error *err);
/* Before NAME@N is made in workflow wf: seal the version before it if that one
 * is closed.  TF_OK when there is nothing to seal. */
TF_MUST_USE enum tf_code tf_closed_before(struct tf_vault *v, uint64_t wf,
    const char *name, struct tf_error *err);
/* Load the rows of table closing and seal what is ready; the sealer seals the
 * rest.  At the start of a vault, before there are other callers. */
TF_MUST_USE enum tf_code tf_closed_recover(struct tf_vault *v,
    struct tf_error *err);

#endif
