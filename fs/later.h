/*
 * A thread for what takes long: making packages.  The workers, which may be
 * few, go on with the requests of others meanwhile; and since there is one such
 * thread, nothing is made twice by two who ask at once.
 */
#ifndef FS_LATER_H
#define FS_LATER_H

#include <fuse_lowlevel.h>

#include "ops.h"

/* Start it.  TF_NOMEM, TF_IO. */
TF_MUST_USE enum tf_code fs_later_start(struct fs *fs, struct tf_error *err);
/* Answer all that waits, with errors while fs->stopping, and end it.  No worker
 * runs any more. */
void fs_later_stop(struct fs *fs);

/* Answers req, which is about control node ino. */
typedef void (*fs_later_fn)(fuse_req_t req, uint64_t ino);
/*
 * If the answer takes long, let the other thread call fn, in the order of
 * asking, and return true: req is gone.  False: it is the caller's to answer,
 * now.  newest: as for fs_control_takes_long.
 */
bool fs_later(struct fs *fs, fuse_req_t req, uint64_t ino, bool newest,
    fs_later_fn fn);

#endif
