/*
 * Requests that are handled later than requests that arrived after them: what
 * the loop (loop.h) sets aside or puts off.  Only the one worker that reads
 * requests adds some.  All functions are called with the loop's mutex, except
 * those that take no list.
 */
#ifndef FS_ASIDE_H
#define FS_ASIDE_H

#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fs_aside {
	struct fs_aside *next;
	uint32_t uid;
	uint64_t unique;
	struct fuse_buf buf;
};

struct fs_asides {
	struct fs_aside *first, **last;
	atomic_uint n; /* may be read without the mutex */
};

void fs_asides_init(struct fs_asides *list);
/* Free all requests, unanswered: the kernel has closed the connection. */
void fs_asides_free(struct fs_asides *list);

/* The header of a request that was not spliced; else NULL. */
const struct fuse_in_header *fs_aside_header(const struct fuse_buf *buf);
/* May the request wait, and may it be handled later?  Not those for which the
 * kernel holds the lock of a directory: other users of the directory would wait
 * too. */
bool fs_aside_waits(const struct fuse_in_header *in);
/* Is the request in buf a READ of more bytes than that? */
bool fs_aside_is_read(const struct fuse_buf *buf, uint32_t bytes);

/* Move the request in buf, which has a header, to the end of the list; buf is
 * empty then.  False: no memory. */
bool fs_aside_move(struct fs_asides *list, struct fuse_buf *buf);
void fs_aside_append(struct fs_asides *list, struct fs_aside *a);
/* Remove *at, which must not be NULL, from the list.  The caller owns it. */
struct fs_aside *fs_aside_unlink(struct fs_asides *list, struct fs_aside **at);
/* The same with the request of that number; NULL: it is not there. */
struct fs_aside *fs_aside_find(struct fs_asides *list, uint64_t unique);

/* Move the request of a to buf, and free a. */
void fs_aside_take(struct fs_aside *a, struct fuse_buf *buf);

#endif
