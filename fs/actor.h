/*
 * Who is calling: the kernel's word, and hints from /proc.
 *
 * /proc of a caller that waits for us can hang in the kernel.  comm and exe
 * take no lock that a caller in our requests could hold while it waits, so they
 * are read at once.  The rest, which hardly ever changes, one helper thread
 * reads; nobody waits for it longer than 50 ms, and what it found is believed
 * for a second while the process lives.
 */
#ifndef FS_ACTOR_H
#define FS_ACTOR_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

#include "core/types.h"

struct fs_actors;

/* Start the helper.  NULL: no memory or no thread; then there are no hints. */
struct fs_actors *fs_actors_new(void);
void fs_actors_free(struct fs_actors *a);
/* Is the /proc here that of our pid namespace, so that the kernel's numbers name
 * the same threads there?  NULL: no. */
bool fs_actors_know(const struct fs_actors *a);

/*
 * The caller of req into who.  The kernel gives the number of a thread; pid is
 * that of its process, or 0 where this is not known.  Where /proc is that of
 * another pid namespace, pid is 0 and there are no hints; likewise for threads
 * of the kernel and of io_uring.  exe is left out where the caller has another
 * mount namespace.  hints: also what /proc says, as far as it says
 * it in time; else, and with a NULL, the hints are empty.  Hints are asked for
 * in CREATE, OPEN for writing, MKDIR, RENAME, a sealing SETATTR and IOCTL, and
 * never in FLUSH, RELEASE or LOOKUP.
 */
void fs_actor_of(struct fs_actors *a, fuse_req_t req, bool hints,
    struct tf_actor *who);

#endif
