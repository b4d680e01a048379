/*
 * Passing reads through: the kernel reads a long sealed file from its object,
 * without asking and without pages of its own (Linux 6.9).
 *
 * All that are open of a node at one time it wants to be of one kind, passed
 * with one id or not passed; an OPEN that is answered otherwise fails with EIO.
 * It forgets one that is open before it sends RELEASE.  So a handle is entered
 * here before it is answered for and stays until its RELEASE, and whichever
 * came first decides for those after it.
 */
#ifndef FS_PASSTHROUGH_H
#define FS_PASSTHROUGH_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>

#include "handle.h"

/* What libfuse 3.14, and <linux/fuse.h> before 6.9, have no name for. */
#define FS_PASSTHROUGH_FLAGS2 (1u << 5) /* FUSE_PASSTHROUGH, in flags2 */

struct fs_passthrough;

/* NULL: no memory; then nothing is passed. */
struct fs_passthrough *fs_passthrough_new(void);
void fs_passthrough_free(struct fs_passthrough *p);

/* From the one to the other the kernel is asked, over fuse_fd.  What it does
 * not allow (only root may) is not asked for again. */
void fs_passthrough_start(struct fs_passthrough *p, int fuse_fd);
void fs_passthrough_stop(struct fs_passthrough *p);

/* Might a file of ino be passed, if fs_passthrough_enter got its object? */
bool fs_passthrough_wants(struct fs_passthrough *p, uint64_t ino);
/*
 * h is about to be the answer to an OPEN or CREATE of ino.  fd is of the sealed
 * object, whose bytes were checked, or -1; it stays the caller's.  Afterwards
 * h->backing is what the kernel passes by; 0: it is not passed.
 */
void fs_passthrough_enter(struct fs_passthrough *p, struct fs_handle *h,
    uint64_t ino, int fd);
/* h was released, or never came to be open.  Nothing when it was not entered.
 *  */
void fs_passthrough_leave(struct fs_passthrough *p, struct fs_handle *h);

/* fuse_reply_open(), with h->backing. */
int fs_passthrough_reply_open(fuse_req_t req, const struct fs_handle *h,
    const struct fuse_file_info *fi);

#endif
