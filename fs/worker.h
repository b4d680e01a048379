/*
 * Threads for what takes long: making control files.  The workers, which may be
 * few, go on with the requests of others meanwhile.  Of one user one file is
 * made at a time, so that nothing is made twice for one who asks twice, and
 * nobody's hundred requests come before another's one.
 */
#ifndef FS_WORKER_H
#define FS_WORKER_H

#include <fuse_lowlevel.h>
#include <stdatomic.h>

#include "fs.h"

/* Start them.  TF_NOMEM, TF_IO. */
TF_MUST_USE enum tf_code fs_worker_start(struct fs *fs, struct tf_error *err);
/* Give up all that is under way, and whatever comes. */
void fs_worker_give_up(struct fs *fs);
/* The same, answer all that waits, and end them.  No
 * worker runs any more. */
void fs_worker_stop(struct fs *fs);

/* Answers req, which is about control node ino. */
typedef void (*fs_worker_fn)(fuse_req_t req, uint64_t ino);
/*
 * Call fn: in another thread, in the order of the user's asking, if the file
 * has to be made first and that takes long.  If its sender gives the request up
 * before fn is called, it is answered with EINTR.
 */
void fs_worker_if_long(struct fs *fs, fuse_req_t req, uint64_t ino,
    fs_worker_fn fn);
/* fn is about to answer req.  Nothing in other threads. */
void fs_worker_answers(fuse_req_t req);

/* Was the request given up that this thread works for?  Also as a flag that
 * lives until it is answered; NULL in other threads. */
bool fs_worker_given_up(void);
const atomic_bool *fs_worker_flag(void);

#endif
