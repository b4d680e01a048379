/*
 * How SQLite reads and writes the files of a store: SQLite's own functions, but for
 * a few calls.  Pages go to the database without leftovers (clean_pages.h), the
 * frames of a transaction to the write-ahead log by one call (log_buffer.h), and
 * connections that ask for it keep their locks (lock_cache.h).
 */
#ifndef TF_STORE_VFS_H
#define TF_STORE_VFS_H

#include <sqlite3.h>

/* The name of the VFS; NULL: it cannot be had. */
const char *tf_vfs(void);

/* Keep the locks of the database f, if this VFS has opened it. */
void tf_vfs_keep_locks(sqlite3_file *f);

#endif
