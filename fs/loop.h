/*
 * The workers that read requests from the kernel, and the release barrier.
 *
 * The kernel queues RELEASE before close(2) returns, but with several workers
 * a later request could be answered first, and a caller would see its closed
 * file still open.  So one worker reads at a time, notes the RELEASE it read
 * before the next may read, and whoever looks at a node waits for the releases
 * that were read before.
 *
 * Most releases are done before the worker that read them lets another one read
 * (fs_loop_pass), so the wait is for those that pass reading on.
 */
#ifndef FS_LOOP_H
#define FS_LOOP_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

#define FS_LOOP_THREADS 64 /* at most */

struct fs_loop;

/* A loop with so many workers (1 to FS_LOOP_THREADS) that do not wait, none
 * started.
 * TF_NOMEM, TF_IO. */
TF_MUST_USE enum tf_code fs_loop_new(unsigned threads, struct fs_loop **out,
    struct tf_error *err);
/* Start the workers on a mounted session.  On failure none is left.
 * Signals that the workers shall not take are blocked by the caller. */
TF_MUST_USE enum tf_code fs_loop_start(struct fs_loop *l,
    struct fuse_session *se, struct tf_error *err);
/* A descriptor that is readable once every worker has left. */
int fs_loop_end_fd(const struct fs_loop *l);
/* Make the workers leave, blocked in a read or not, and join them. */
void fs_loop_stop(struct fs_loop *l);
void fs_loop_free(struct fs_loop *l);

/*
 * The request at hand will take longer than waking another worker: let that one
 * read the next.  Nothing in any other thread than a worker's, or the second
 * time.
 */
void fs_loop_pass(void);

/*
 * The request at hand is about to wait, for the disk or for others: another
 * worker takes this one's place until it is answered.  Nothing in any other
 * thread than a worker's, or the second time.  Locks of the vault may be held.
 */
void fs_loop_away(void);

/* The request at hand, which may take long, is req until it is answered: then
 * fs_loop_interrupted tells whether its sender gave it up. */
void fs_loop_serves(fuse_req_t req);
bool fs_loop_interrupted(void);

/* Is any release under way? */
bool fs_loop_releasing(struct fs_loop *l);
/*
 * Wait until the releases of inode ino (0: of every inode) that were read
 * before this call have been done.  Only for handlers of requests other than
 * RELEASE, with no lock held.
 */
void fs_loop_await(struct fs_loop *l, uint64_t ino);

#endif
