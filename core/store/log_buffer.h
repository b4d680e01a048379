/*
 * The frames of one transaction in the write-ahead log, written by one call.
 *
 * SQLite writes the header and the page of each frame by calls of their own.  The
 * buffer keeps frames that follow each other until the frame that ends the
 * transaction, and writes them all before SQLite's write of that frame returns.  So
 * nothing is in the buffer when SQLite syncs the log or shows a commit to others,
 * and a write that fails makes its own commit fail.  The bytes in the log are those
 * of SQLite.
 *
 * One buffer belongs to one connection, whose thread makes all calls.
 */
#ifndef TF_STORE_LOG_BUFFER_H
#define TF_STORE_LOG_BUFFER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_log_buffer {
	uint8_t *p;	    /* NULL until the first frame */
	size_t n;	    /* bytes that are not written yet */
	sqlite3_int64 off;  /* of p in the log */
	sqlite3_int64 next; /* where the next header belongs; 0: not known */
	sqlite3_int64
	    page;     /* where the page of the last header belongs; or 0 */
	bool is_last; /* that header ends a transaction */
};

/* SQLite's write to the log f; plain: the functions of SQLite for f.  The result is
 * that of SQLite; after a failure the buffer is empty. */
int tf_log_buffer_write(struct tf_log_buffer *b, sqlite3_file *f,
    const sqlite3_io_methods *plain, const void *p, int n, sqlite3_int64 off);

/* Write what is in the buffer.  For calls that look at the log or sync it. */
int tf_log_buffer_flush(struct tf_log_buffer *b, sqlite3_file *f,
    const sqlite3_io_methods *plain);

/* Drop what is in the buffer: frames that no transaction ended. */
void tf_log_buffer_free(struct tf_log_buffer *b);

#endif
