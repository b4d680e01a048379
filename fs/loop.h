/*
 * The workers: threads that read requests from the kernel and handle them.
 *
 * One worker reads at a time and notes each RELEASE before the next worker may
 * read, so that a handler can wait for the releases that were read before its
 * own request (barrier.h).  Most releases are done before another worker can
 * read at all, because a worker reads until it hands reading over
 * (fs_loop_hand_over); the wait is for the others.
 */
#ifndef FS_LOOP_H
#define FS_LOOP_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

#define FS_LOOP_THREADS 64 /* workers at most */
#define FS_LOOP_LONG 32768 /* bytes; moving more takes long */

struct fs_loop;

/*
 * A loop that keeps threads (1 to FS_LOOP_THREADS) workers ready; none is
 * started.  fs_loop_free frees *out.  TF_NOMEM, TF_IO.
 */
TF_MUST_USE enum tf_code fs_loop_new(unsigned threads, struct fs_loop **out,
    struct tf_error *err);
/*
 * Start the workers on a mounted session, which stays the caller's.  On failure
 * no worker is left.  The caller has blocked the signals that the workers must
 * not take; SIGUSR1 is used to wake them.  TF_IO.
 */
TF_MUST_USE enum tf_code fs_loop_start(struct fs_loop *l,
    struct fuse_session *se, struct tf_error *err);
/* A descriptor that becomes readable when every worker has ended; the loop owns
 * it. */
int fs_loop_end_fd(const struct fs_loop *l);
/* Did the workers end because requests cannot be read?  Then nobody answers
 * those that the kernel has. */
bool fs_loop_failed(const struct fs_loop *l);
/* End the workers, also one that is blocked in a read, and join them. */
void fs_loop_stop(struct fs_loop *l);
void fs_loop_free(struct fs_loop *l);

/*
 * Let another worker read the next request, because this request will take
 * longer than waking that worker.  Does nothing the second time for a request,
 * and in threads that are no workers.
 */
void fs_loop_hand_over(void);

/*
 * This request is about to wait, for the disk or for another request: another
 * worker takes this worker's place until the request is answered.  Does nothing
 * the second time for a request, and in threads that are no workers.  Locks of
 * the vault may be held.
 */
void fs_loop_away(void);

/*
 * May this worker wait for the disk and keep reading?  Yes if no other request has
 * arrived; if one arrives, it waits 5 to 10 ms for another worker.  Until
 * fs_loop_stayed, fs_loop_interrupted returns false.  Also yes in threads that are
 * no workers.  No lock is held.
 */
bool fs_loop_may_stay(void);
void fs_loop_stayed(void);

/* This worker handles req, which may take long.  From now until req is
 * answered, fs_loop_interrupted says whether its sender has given it up. */
void fs_loop_serves(fuse_req_t req);
/* The same, but signals that the sender survives do not count: nobody expects EINTR
 * of this request, as of close(2). */
void fs_loop_serves_patiently(fuse_req_t req);
bool fs_loop_interrupted(void);

/* How many requests wait: in workers that are away, and for a worker.
 * UINT64_MAX in threads that are no workers. */
uint64_t fs_loop_waiting(void);

/* Was any RELEASE read that is not done? */
bool fs_loop_releasing(struct fs_loop *l);
/*
 * Wait until the releases of inode ino (0: of every inode) that were read
 * before this call are done.  Only for handlers of requests other than RELEASE;
 * no lock may be held.
 */
void fs_loop_await(struct fs_loop *l, uint64_t ino);

#endif
