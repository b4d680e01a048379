/*
 * The mount point: what must be true of it before, and taking it off.
 */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include <stdbool.h>

#include "core/error.h"

/*
 * Make sure that a file system can be mounted at mnt for the store at the
 * absolute path store: an empty directory, not inside the store nor the other
 * way round.  A dead mount (its daemon is gone) is taken off first.  *out: its
 * absolute path, to be freed.
 * TF_NOTFOUND, TF_NOTDIR, TF_NOTEMPTY, TF_BUSY, TF_USAGE, TF_IO, TF_NOMEM.
 */
TF_MUST_USE enum tf_code fs_mount_check(const char *store, const char *mnt,
    char **out, struct tf_error *err);

/*
 * Make the bare directory immutable, so that nobody writes under the mount
 * while nothing is mounted, and say in the log how to undo it.
 * Where that cannot be done, nothing happens.  True: it was done now.
 */
bool fs_mount_protect(const char *mnt);
void fs_mount_unprotect(const char *mnt);

/* Is a mount at mnt whose daemon is gone? */
bool fs_mount_is_dead(const char *mnt);
/* Unmount; lazy: also when files are open.  True: it was done. */
bool fs_mount_off(const char *mnt, bool lazy);

#endif
