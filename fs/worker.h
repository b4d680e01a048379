/*
 * Threads that make control files, which can take long, so that the workers of
 * loop.h stay free for other requests.
 *
 * For each user one file is made at a time.  So nothing is made twice for a
 * user who asks twice, and the requests of one user do not delay those of
 * another.
 */
#ifndef FS_WORKER_H
#define FS_WORKER_H

#include <fuse_lowlevel.h>
#include <stdatomic.h>

#include "fs.h"

/* Start the threads and set fs->worker.  On failure there is none and
 * fs->worker is NULL.  TF_NOMEM, TF_IO. */
TF_MUST_USE enum tf_code fs_worker_start(struct fs *fs, struct tf_error *err);
/* Give up all requests that are being handled here, and those that come. */
void fs_worker_give_up(struct fs *fs);
/* The same; then answer all waiting requests and end the threads.  No worker of
 * loop.h runs any more.  Both do nothing while fs->worker is NULL. */
void fs_worker_stop(struct fs *fs);

/* Answers req, a request about control node ino. */
typedef void (*fs_worker_fn)(fuse_req_t req, uint64_t ino);
/*
 * Call fn(req, ino): in another thread if the file must be made first and that
 * takes long, else in this one.  The requests of one user are handled in their
 * order.  A request that its sender gives up before fn is called is answered
 * with EINTR.
 */
void fs_worker_if_long(struct fs *fs, fuse_req_t req, uint64_t ino,
    fs_worker_fn fn);
/* fn calls this before it answers req.  Does nothing in other threads. */
void fs_worker_answers(fuse_req_t req);

/* Was the request that this thread handles given up?  The flag says the same;
 * it lives until the request is answered.  In other threads: false and NULL. */
bool fs_worker_given_up(void);
const atomic_bool *fs_worker_flag(void);

#endif
