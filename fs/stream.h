/*
 * Streams (streams=on): the kernel collects small writes in its page cache and
 * hands them over in long ones (FUSE_WRITEBACK_CACHE, Linux 6.6 with shared
 * mappings of descriptors that bypass the cache).
 *
 * Then the kernel, not the vault, keeps size and times of a regular file while it
 * knows the node.  So evidence that is frozen or sealed is another node for the
 * kernel, with the same number for stat(2): its attributes are those of the
 * vault.
 *
 * A descriptor that only writes, in a plain trail and far from every limit,
 * collects; all others bypass the cache, and each of their writes is a request as
 * without the option.
 *
 * The lease.  Before it takes the bytes of a write into its cache, the kernel asks
 * for the attributes of the file with the descriptor, unless they are still valid;
 * write(2) returns the error of the answer.  So attributes that are valid for a
 * moment are the permission to collect writes for that long without asking.  The
 * answer marks the file, durably, as one that changes, as a write does.  The lease
 * ends early when a flush begins, when a write failed, and when somebody else opens
 * the file for writing: then each write asks, so that the last writer is known.
 *
 * The kernel could keep what it collected for half a minute.  So a second after a
 * lease began, a thread asks for it: as without the option, what was written
 * moments ago outlives the daemon (core/seal/unflushed.h).
 */
#ifndef FS_STREAM_H
#define FS_STREAM_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

struct fs;
struct fs_handle;
struct fs_release;
struct fs_streams; /* files whose collected writes are due */
struct tf_attr;

/* Start and stop the thread; stop after fs_notify_finish, free after stop.  NULL:
 * nothing.  TF_NOMEM. */
TF_MUST_USE enum tf_code fs_streams_start(struct fs *fs,
    struct fs_streams **out, struct tf_error *err);
void fs_streams_stop(struct fs_streams *s);
void fs_streams_free(struct fs_streams *s);
/* How many files may have writes that the kernel collects now. */
uint64_t fs_streams_collecting(void);

/* The number of node a for the kernel. */
uint64_t fs_stream_node(const struct fs *fs, const struct tf_attr *a);
/* Let the request in buf name the node of the vault. */
void fs_stream_request(const struct fuse_buf *buf);

/* h is about to be answered as an open file of node ino: choose how it writes.
 * Nothing without streams=on, and for a reader. */
void fs_stream_open(struct fs *fs, struct fs_handle *h, uint64_t ino,
    struct fuse_file_info *fi);
/* May the kernel collect writes through h?  *timeout is for how many seconds.
 * Errors: those of a write. */
TF_MUST_USE enum tf_code fs_stream_lease(struct fs *fs, struct fs_handle *h,
    uint64_t ino, double *timeout, struct tf_error *err);
/* Get what was collected of ino (0: of every file), for somebody who looks at the
 * state of the vault.  Not in a request on a file that the kernel locks meanwhile,
 * as SETATTR. */
void fs_stream_await(struct fs *fs, uint64_t ino);
bool fs_stream_any(struct fs *fs); /* is there such a file? */
/* The kernel asks again before the next write to ino. */
void fs_stream_revoke(struct fs *fs, uint64_t ino);
/*
 * Around a WRITE of collected bytes and its answer.  The kernel sends the RELEASE
 * of a descriptor when no such WRITE holds it any more, which is when the answer
 * is written: so a flush waits for that, and RELEASE comes before close(2) has
 * returned (barrier.h).
 */
void fs_stream_begin(struct fs *fs, struct fs_release *w, uint64_t ino);
void fs_stream_end(struct fs *fs, struct fs_release *w);
/* Before a flush of h: end the lease, and get what was collected since the kernel
 * began the flush. */
void fs_stream_collect(struct fs *fs, struct fs_handle *h, uint64_t ino);

#endif
