/*
 * The pages of a file that the kernel remembers, dropped by a helper (helper.h).
 *
 * The kernel drops pages only when no READ of them is unanswered.  A daemon that
 * asked it for that, with FUSE_NOTIFY_INVAL_INODE, would wait in the kernel for its
 * own answers, where not even SIGKILL ends a thread; and a daemon of which one
 * thread is left keeps its connection open, so that no request ever ends and every
 * program hangs that uses the mount.
 *
 * So a process that has no connection waits instead: it opens the file through the
 * mount, and the kernel drops the pages of a file that is opened, unless the daemon
 * says that it may keep them.  When the daemon is killed, its connection ends, and
 * with it all requests and the waiting.
 *
 * The helper knows files by their number, as NFS does (open_by_handle_at(2)): a file
 * may have any name or none.  It has a descriptor of the mount only while it drops
 * pages, and umount(8) says for that moment that the mount is busy.  Only root's
 * mounts have a helper.
 *
 * All functions accept NULL.
 */
#ifndef FS_PAGES_H
#define FS_PAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"
#include "mount.h"

struct fs_pages;

/* Start the process, before the daemon has threads.  *out is NULL for an ordinary
 * user.  mnt stays in place.  TF_IO, TF_NOMEM. */
TF_MUST_USE enum tf_code fs_pages_start(const char *mnt, struct fs_pages **out,
    struct tf_error *err);
/* The file system is mounted. */
void fs_pages_mounted(struct fs_pages *p, const struct fs_mount_watch *w);
/* Calls of fs_pages_drop return false from now on, also those under way. */
void fs_pages_stop(struct fs_pages *p);
/* End the process, and wait for it.  Nothing uses p any more. */
void fs_pages_end(struct fs_pages *p);

/*
 * Drop the pages of the file with this node id, and wait until that is done.  The
 * helper's OPEN is answered meanwhile, so no lock may be held.  From any thread.
 * False: they may be there still.
 */
bool fs_pages_drop(struct fs_pages *p, uint64_t node);
/* Is the process that asks, pid, the helper? */
bool fs_pages_asks(const struct fs_pages *p, pid_t pid);

#endif
