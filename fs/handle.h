/*
 * Open files.  The kernel holds a pointer to a struct fs_handle in fi->fh from
 * OPEN or CREATE until RELEASE.
 */
#ifndef FS_HANDLE_H
#define FS_HANDLE_H

#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "control.h"
#include "core/vault.h"

struct fs;
struct fs_handles; /* all of them */

/* Exactly one of file, reader and snapshot is not NULL. */
struct fs_handle {
	struct tf_file *file; /* for writing, perhaps reading too */
	struct tf_reader *reader;
	struct fs_snapshot *snapshot;
	/* Changes asked for through this handle, and how many of them the last
	 * flush that went well had seen (UINT64_MAX: none yet). */
	_Atomic uint64_t changes, flushed;
	struct fs_handle *next, *prev; /* guarded by fs_handles.mu */
	/* What passthrough.h knows; ino 0: nothing. */
	uint64_t ino;
	uint32_t backing;
	struct fs_handle *next_open,
	    *prev_open; /* guarded by fs_passthrough.mu */
};

/* NULL: no memory. */
struct fs_handles *fs_handles_new(void);
void fs_handles_free(struct fs_handles *hs);

/* A handle in which the caller sets one of the three.  NULL: no memory. */
struct fs_handle *fs_handle_new(struct fs *fs);
/* Release what it holds, and h.  What h->file wrote freezes when it was the
 * last. */
void fs_handle_free(struct fs *fs, struct fs_handle *h);

static inline struct fs_handle *
fs_handle_of(const struct fuse_file_info *fi)
{
	return (struct fs_handle *)(uintptr_t)fi->fh;
}

/*
 * Answer req, a FLUSH (sync false) or FSYNC of h, when all that was written
 * through it is as durable as that promises, or at once when it cannot write. 
 * The answer comes from another thread perhaps; no worker waits.
 */
void fs_handle_flush(struct fs *fs, struct fs_handle *h, fuse_req_t req,
    bool sync);

/* Is any file open? */
bool fs_handles_any(struct fs_handles *hs);
/* Wait until every flush has been answered. */
void fs_handles_drain(struct fs_handles *hs);
/*
 * At the end, with no worker left: let go of what is still open.  closed: the
 * file system was unmounted, so every descriptor has been closed, though the
 * kernel has thrown away the RELEASEs that were still queued (measured); files
 * whose last change was flushed are then released in the ordinary way.  All
 * others are left to the vault as a crash would leave them.
 */
void fs_handles_end(struct fs *fs, bool closed);

#endif
