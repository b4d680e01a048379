/*
 * Directories that chmod(2) closed: nothing is born, written, renamed or
 * removed in them any more, and they are sealed when they have settled, or
 * earlier when somebody asks.  Until then chmod(2) opens them again.
 *
 *     open --chmod a-w--> closed --settled, fsync, sync--> sealed
 *       ^                    |
 *       +-----chmod u+w------+
 *
 * A closing is a row of table closing, committed with the access.changed entry
 * of its chmod: it is durable when chmod returns, and recovery finishes it.
 * v->closed is the same in memory.  What is in a closed workflow or trail is
 * sealed or closed itself.
 */
#ifndef TF_SEAL_CLOSE_DIR_H
#define TF_SEAL_CLOSE_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_attr;
struct tf_vault;

/* mu is held for these, unless they say otherwise. */
/* The same; takes mu. */
bool tf_closes(struct tf_vault *v, uint64_t id);
/* A closed directory whose time has come, or 0; *next_ns becomes earlier when
 * another is due before. */
uint64_t tf_closed_next(const struct tf_vault *v, uint64_t now,
    uint64_t *next_ns);

/*
 * chmod and chown of the upper three, and of the root: an access.changed entry.
 * Taking the last write bit away closes a directory that is worth a seal (see
 * chmod(2) in trailfs(8)); a write bit opens it again.  TF_BUSY when a file
 * below is open for writing; TF_SEALED when a write bit would come back.
 * mask has TF_SET_MODE, TF_SET_UID and TF_SET_GID only.
 */
TF_MUST_USE enum tf_code tf_change_access(struct tf_vault *v, uint64_t id,
    unsigned mask, const struct tf_attr *want, const struct tf_actor *who,
    struct tf_error *err);

/* Seal directory id now if it is closed, and what is closed in it first. */
TF_MUST_USE enum tf_code tf_closed_seal(struct tf_vault *v, uint64_t id,
    struct tf_error *err);
/* The same for the sealer, which waits for nobody: what fails is said, unless
 * it is TF_BUSY, and tried again later. */
enum tf_code tf_closed_seal_due(struct tf_vault *v, uint64_t id);
/* Seal what is closed at or below id and belongs to who. */
TF_MUST_USE enum tf_code tf_closed_sync(struct tf_vault *v, uint64_t id,
    const struct tf_actor *who, struct tf_error *err);
/* NAME@N is about to begin in workflow wf: seal the version before it, if that
 * is closed. */
TF_MUST_USE enum tf_code tf_closed_before(struct tf_vault *v, uint64_t wf,
    const char *name, struct tf_error *err);
/* Finish the closings that the last run left, before there are callers. */
TF_MUST_USE enum tf_code tf_closed_recover(struct tf_vault *v,
    struct tf_error *err);

#endif
