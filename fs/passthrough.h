/*
 * Passthrough: the kernel reads a long sealed file from its object itself,
 * without a request and without pages of its own (Linux 6.9).
 *
 * The kernel requires that all open files of one node are of one kind: passed
 * through with one id, or not passed through.  Otherwise the open fails with
 * EIO.  It forgets an open file before it sends RELEASE.  So a handle is
 * entered here before its OPEN is answered and stays until its RELEASE, and the
 * first handle of a node decides for the following ones.
 *
 * All functions accept NULL for p and then do nothing.  Any thread may call
 * them, except start, stop and free.
 */
#ifndef FS_PASSTHROUGH_H
#define FS_PASSTHROUGH_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>

#include "handle.h"

/* What libfuse 3.14, and <linux/fuse.h> before 6.9, have no name for. */
#define FS_PASSTHROUGH_FLAGS2 (1u << 5) /* FUSE_PASSTHROUGH, in flags2 */

struct fs_broker;
struct fs_passthrough;

/* NULL: no memory; then nothing is passed through. */
struct fs_passthrough *fs_passthrough_new(void);
void fs_passthrough_free(struct fs_passthrough *p);

/* Between start and stop, the broker registers objects with the kernel over
 * fuse_fd.  After the first refusal (only root may register) none is. */
void fs_passthrough_start(struct fs_passthrough *p, struct fs_broker *broker,
    int fuse_fd);
void fs_passthrough_stop(struct fs_passthrough *p);

/* Could ino be passed through if fs_passthrough_enter gets its object? */
bool fs_passthrough_may_pass(struct fs_passthrough *p, uint64_t ino);
/*
 * Enter h before an OPEN or CREATE of ino is answered with it.  fd is open on
 * the sealed object, whose bytes were verified, or -1; it stays the caller's.
 * Afterwards h->backing is the kernel's id of the object, or 0: not passed
 * through.
 */
void fs_passthrough_enter(struct fs_passthrough *p, struct fs_handle *h,
    uint64_t ino, int fd);
/* h is released, or its open failed.  Does nothing if h was not entered. */
void fs_passthrough_leave(struct fs_passthrough *p, struct fs_handle *h);

/* fuse_reply_open() with h->backing, and its result. */
int fs_passthrough_reply_open(fuse_req_t req, const struct fs_handle *h,
    const struct fuse_file_info *fi);

#endif
