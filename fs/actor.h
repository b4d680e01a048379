/*
 * The caller of a request: what the kernel says, and hints from /proc.
 *
 * Reading /proc of a process that waits for trailfs can block in the kernel.
 * What says who it is takes no lock that such a process can hold, so the calling
 * thread reads that itself: process, login uid, session and comm; and asks the
 * broker for exe.  They are never missing for lack of time.  One helper thread reads the cgroup, and a
 * request waits for it at most 50 ms.  All but comm and exe is used again for one
 * second while the process lives.
 */
#ifndef FS_ACTOR_H
#define FS_ACTOR_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

#include "core/types.h"

struct fs_actors;
struct fs_broker;

/* Start the helper thread.  NULL: no memory or no thread; a mount works without
 * it, and then there are no hints.  broker: reads exe; it stays in place until
 * fs_actors_free(). */
struct fs_actors *fs_actors_new(struct fs_broker *broker);
/* No request is under way.  A helper that is blocked in /proc keeps its memory
 * until the process ends.  NULL: nothing. */
void fs_actors_free(struct fs_actors *a);
/* Does /proc belong to the pid namespace of this process, so that the kernel's
 * numbers name the same threads there?  With NULL: no. */
bool fs_actors_know(const struct fs_actors *a);

/*
 * Set *who to the caller of req.  Never fails: what is unknown is 0,
 * TF_AUDIT_UNKNOWN or empty.  May be called from any thread, with no lock held.
 *
 * The kernel names a thread; who->pid is the process of that thread.  pid is 0
 * and there are no hints when /proc belongs to another pid namespace, and for
 * threads of the kernel and of io_uring.
 * hints: also read /proc, as far as it answers in time; with a NULL there are
 * no hints.  exe stays empty for a caller in another mount namespace.
 * Handlers ask for hints in CREATE, OPEN for writing, MKDIR, MKNOD, RENAME, a
 * SETATTR that seals and IOCTL, and for reports of refusals; never in FLUSH,
 * RELEASE or LOOKUP.
 */
void fs_actor_of(struct fs_actors *a, fuse_req_t req, bool hints,
    struct tf_actor *who);
/*
 * The same with hints, for a program that opens one file after the other to
 * read it.  For up to a second the exe of its first open is taken, as long as
 * its comm is the same.
 */
void fs_actor_of_reader(struct fs_actors *a, fuse_req_t req,
    struct tf_actor *who);

#endif
