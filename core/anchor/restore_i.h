/* What restorations from a mirror and from a backup have in common. */
#ifndef TF_ANCHOR_RESTORE_I_H
#define TF_ANCHOR_RESTORE_I_H

#include <stddef.h>

#include "../error.h"

struct tf_actor;
struct tf_db;
struct tf_recovery;
struct tf_vkey;

/* The key of the log whose copy is at dirfd, with the origin of its database. */
TF_MUST_USE enum tf_code tf_restore_vkey(int dirfd, struct tf_db *db,
    struct tf_vkey *out, struct tf_error *err);
/* TF_USAGE: the entry gave the log this origin.  An origin of a log is never used
 * again, because it would have two histories. */
TF_MUST_USE enum tf_code tf_restore_check_origin(const char *origin,
    const void *body, size_t n, struct tf_error *err);
/* Open the vault at path, which appends the entry that continues the ledger, and
 * close it.  Frees recovery->previous. */
TF_MUST_USE enum tf_code tf_restore_go_on(const char *path,
    struct tf_recovery *recovery, const struct tf_actor *actor,
    struct tf_error *err);

#endif
