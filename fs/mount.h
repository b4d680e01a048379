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

/*
 * The mounts of one file system in this process's mount namespace.  A copy in
 * another namespace keeps the connection to the kernel alive after umount(8),
 * so the end of the connection alone does not say that nobody here needs the
 * daemon any more.
 */
struct fs_mount_watch {
	int fd; /* /proc/self/mountinfo: POLLPRI when mounts changed; or -1 */
	unsigned major, minor; /* of the file system */
};
/* Watch what is mounted at mnt now.  Where that is impossible fd is -1. */
void fs_mount_watch(struct fs_mount_watch *w, const char *mnt);
/* Is it mounted anywhere in this namespace?  True when that cannot be read. */
bool fs_mount_is_here(const struct fs_mount_watch *w);
void fs_mount_watch_end(struct fs_mount_watch *w);

/* Is a mount at mnt whose daemon is gone? */
bool fs_mount_is_dead(const char *mnt);
/* Unmount; lazy: also when files are open.  True: it was done. */
bool fs_mount_off(const char *mnt, bool lazy);

#endif
