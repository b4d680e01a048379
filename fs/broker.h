/*
 * What needs privileges while the daemon has none.  Two helpers do it
 * (helper.h), and each of them can do nothing else:
 *
 *   mounter  mounts the file system at the mount point of the command line, and
 *            unmounts it;
 *   broker   reads the program of a process (/proc/PID/exe), which Landlock and
 *            the kernel refuse to the daemon, and registers objects for
 *            passthrough, for which the kernel wants CAP_SYS_ADMIN.
 *
 * They are two processes because an unmount may wait until requests are
 * answered, and a request may wait for the broker.  Started by an ordinary user,
 * they have no privileges, and the mounter runs fusermount3.
 */
#ifndef FS_BROKER_H
#define FS_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "options.h"

struct fs_broker;

/*
 * Start both, and leave the session of the program that mounts unless o is in the
 * foreground.  The mounter stays in its process group until it has mounted: while
 * autofs, of automount(8) or of systemd, mounts at a directory, that group alone may
 * reach the directory, and everybody else waits for the end of the mounting.
 * No thread runs yet.  TF_IO, TF_NOMEM.
 */
TF_MUST_USE enum tf_code fs_broker_start(const struct fs_options *o,
    struct fs_broker **out, struct tf_error *err);
/* End both, and wait for them.  Nothing uses them any more.  NULL: nothing. */
void fs_broker_end(struct fs_broker *k);

/* Mount the file system; *fd is then the connection to the kernel, which the
 * caller closes.  The bare mount point becomes immutable as fs_mount_protect()
 * says.  TF_IO: it is not mounted. */
TF_MUST_USE enum tf_code fs_broker_mount(struct fs_broker *k, const char *mnt,
    int *fd, struct tf_error *err);
/* The functions of mount.h of these names, for the mount point.  For one thread
 * at a time.  False too: there is no mounter any more. */
bool fs_broker_unmount(struct fs_broker *k, bool lazy);
void fs_broker_abort(struct fs_broker *k);
bool fs_broker_is_dead(struct fs_broker *k);

/*
 * The path of the program of process pid, as tf_proc_exe() says.  Empty: unknown,
 * or there is no broker any more.  From any thread; it takes no lock that a
 * process can hold while it waits for an answer of trailfs.
 */
void fs_broker_exe(struct fs_broker *k, uint32_t pid, char *out, size_t size);
/* Register the object fd with the connection fuse_fd: its id there, or 0.  And
 * withdraw that id.  From any thread. */
uint32_t fs_broker_backing_open(struct fs_broker *k, int fuse_fd, int fd);
void fs_broker_backing_close(struct fs_broker *k, int fuse_fd, uint32_t id);

#endif
