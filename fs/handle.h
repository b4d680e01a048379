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
struct fs_handles; /* all open files of one mount */

/* At most one of file, reader, snapshot and save is not NULL; none: pages.h. */
struct fs_handle {
	struct tf_file *file; /* for writing, perhaps reading too */
	struct tf_reader *reader;
	struct fs_snapshot *snapshot;
	struct fs_save *save; /* a settable control file (control_save.h) */
	/* Changes that requests made through this handle, and the number of
	 * them before the last successful flush (UINT64_MAX: none yet). */
	_Atomic uint64_t changes, flushed;
	bool drops;    /* of the helper of pages.h */
	bool collects; /* the kernel collects its writes (stream.h) */
	struct fs_handle *next, *prev; /* guarded by fs_handles.mu */
	/* The fields of passthrough.h; ino 0: not entered there. */
	uint64_t ino;
	uint32_t backing;
	struct fs_handle *next_open,
	    *prev_open; /* guarded by fs_passthrough.mu */
};

/* Functions of this header may be called from any thread, those that end a
 * mount excepted.  NULL: no memory. */
struct fs_handles *fs_handles_new(void);
void fs_handles_free(struct fs_handles *hs);

/* A new handle; the caller sets one of the four, which h owns then.
 * NULL: no memory. */
struct fs_handle *fs_handle_new(struct fs *fs);
/* Close what h owns and free h.  A file that was written freezes with its last
 * handle.  h may be NULL. */
void fs_handle_free(struct fs *fs, struct fs_handle *h);

/* The handle in fi, of an open file. */
static inline struct fs_handle *
fs_handle_of(const struct fuse_file_info *fi)
{
	return (struct fs_handle *)(uintptr_t)fi->fh;
}

/*
 * Answer req, a FLUSH (sync false) or an FSYNC (sync true) of h, once all that
 * was written through h is as durable as the mount's durability promises; at
 * once when h was not opened for writing.  Another thread may send the answer,
 * so no worker waits.  req is gone afterwards.
 */
void fs_handle_flush(struct fs *fs, struct fs_handle *h, fuse_req_t req,
    bool sync);

/* Is any file open? */
bool fs_handles_any(struct fs_handles *hs);
/* Wait until every flush is answered.  No new one may begin. */
void fs_handles_drain(struct fs_handles *hs);
/*
 * Close all handles at the end of a mount, when no worker is left.
 *
 * closed: the file system was unmounted.  Then every descriptor has been
 * closed, although the kernel drops RELEASEs that are still queued (measured),
 * and files whose last change was flushed are released as usual.  All other
 * files are left as a crash would leave them, for the next start to recover.
 */
void fs_handles_end(struct fs *fs, bool closed);

#endif
