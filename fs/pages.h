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
 * With streams=on (stream.h), the helper also gets what the kernel has collected for a
 * file: it opens the file, has the kernel write its pages, and closes it.  Only the
 * closing waits for the lock of the inode, which the kernel holds while it asks for
 * an fsync, an unlink or a rename; so other threads of the helper close.  There are
 * several helpers, so that the close of one file does not wait for another file.
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

/* Start the process, or with streams several, before the daemon has threads.  *out is
 * NULL for an ordinary user.  mnt stays in place.  TF_IO, TF_NOMEM. */
TF_MUST_USE enum tf_code fs_pages_start(const char *mnt, bool streams,
    struct fs_pages **out, struct tf_error *err);
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
/* Let the kernel write what it has collected for the file, and wait until the daemon
 * has answered these writes; the rest as above.  False: some may be missing. */
bool fs_pages_collect(struct fs_pages *p, uint64_t node);
/*
 * The helper's descriptors of the mount: opened is called before the answer of its
 * OPEN, released in its RELEASE.  Await: until those of node are released that were
 * opened before; then umount(8) does not say that the mount is busy.  False: no
 * memory.
 */
bool fs_pages_opened(struct fs_pages *p, uint64_t node);
void fs_pages_released(struct fs_pages *p, uint64_t node);
void fs_pages_await(struct fs_pages *p, uint64_t node);
/* An OPEN of the helper has this flag if the kernel shall keep the pages. */
#define FS_PAGES_KEEP O_NONBLOCK
/* Is the process that asks, pid, the helper? */
bool fs_pages_asks(const struct fs_pages *p, pid_t pid);

#endif
