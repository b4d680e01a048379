/*
 * How SQLite reads and writes the files of a store: SQLite's own functions, but for
 * a few calls.  Pages go to the database without leftovers (clean_pages.h), and the
 * frames of a transaction to the write-ahead log by one call (log_buffer.h).
 */
#ifndef TF_STORE_VFS_H
#define TF_STORE_VFS_H

/* The name of the VFS for connections that write; NULL: it cannot be had. */
const char *tf_vfs(void);

#endif
