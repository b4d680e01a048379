/*
 * The mount point: checks before mounting, protection, and unmounting.
 */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include <stdbool.h>

#include "core/error.h"

/*
 * Check that the store at the absolute path store can be mounted at mnt: an
 * empty directory that is not inside the store, and the store not inside it.
 * A dead mount there (its daemon has ended) is unmounted first.
 * On TF_OK *out is the absolute path of mnt, which the caller frees.
 * TF_NOTFOUND, TF_NOTDIR, TF_NOTEMPTY, TF_BUSY, TF_USAGE, TF_IO, TF_NOMEM.
 */
TF_MUST_USE enum tf_code fs_mount_check(const char *store, const char *mnt,
    char **out, struct tf_error *err);

/*
 * Make the bare directory immutable, so that nothing is written to it while
 * nothing is mounted there.
 * True: this call did it.  False: it was so before, or the caller is not root,
 * or the file system cannot do it.
 */
bool fs_mount_protect(const char *mnt);
void fs_mount_unprotect(const char *mnt);

/*
 * The mounts of one file system in the mount namespace of this process.
 *
 * A copy of the mount in another namespace keeps the connection to the kernel
 * open after umount(8).  So the daemon must watch the mounts too, to notice
 * that it was unmounted here.
 */
struct fs_mount_watch {
	int fd; /* /proc/self/mountinfo: POLLPRI when mounts changed; or -1 */
	unsigned major, minor; /* of the file system */
};
/* Watch the file system that is mounted at mnt now.  fd is -1 where that is
 * impossible. */
void fs_mount_watch(struct fs_mount_watch *w, const char *mnt);
/* Is it mounted anywhere in this namespace?  True when that is unknown. */
bool fs_mount_is_here(const struct fs_mount_watch *w);
void fs_mount_watch_end(struct fs_mount_watch *w);

/* Is there a mount at mnt whose daemon has ended? */
bool fs_mount_is_dead(const char *mnt);
/* Unmount mnt; lazy: detach it even if files are open.  True: success. */
bool fs_mount_off(const char *mnt, bool lazy);
/* End the connection to the kernel and with it every request that is not
 * answered.  Does nothing for an ordinary user. */
void fs_mount_abort(const char *mnt);

#endif
