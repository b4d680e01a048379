/*
 * The frames of one transaction, written by one call: see log_buffer.h.
 *
 * Only a frame that continues the one before is kept.  SQLite writes other bytes,
 * too: the header of the log, frames at an earlier place after a rollback, and
 * pages and checksums again that a large transaction had written already.  These go
 * to the file at once, after what is in the buffer.
 * The format: https://www.sqlite.org/fileformat2.html#walformat
 */
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/mutant.h"
#include "log_buffer.h"

#define PAGE 4096
#define LOG_HEADER 32
#define FRAME_HEADER 24
#define FRAME_PAGES 4 /* offset in the header: not 0 if it ends a transaction */

/* Frames in the buffer: as many as SQLite writes by one call of the system, which
 * is less than 128 KiB. */
#define FRAMES 31
#define ROOM (FRAMES * (FRAME_HEADER + PAGE))

int
tf_log_buffer_flush(struct tf_log_buffer *b, sqlite3_file *f,
    const sqlite3_io_methods *plain)
{
	size_t n = b->n;
	int rc;

	if (n == 0)
		return SQLITE_OK;
	b->n = 0;
	rc = plain->xWrite(f, b->p, (int)n, b->off);
	if (rc != SQLITE_OK)
		b->next = b->page = 0;
	return rc;
}

/* Keep bytes that continue the log.  False: there is no memory. */
static bool
keep(struct tf_log_buffer *b, const void *p, size_t n, sqlite3_int64 off)
{
	if (b->p == NULL && (b->p = malloc(ROOM)) == NULL)
		return false;
	if (b->n == 0)
		b->off = off;
	memcpy(b->p + b->n, p, n);
	b->n += n;
	return true;
}

/* What SQLite has written tells which bytes continue the log. */
static void
expect(struct tf_log_buffer *b, const void *p, int n, sqlite3_int64 off,
    bool is_page)
{
	bool is_header = n == FRAME_HEADER;

	b->next = is_page		? off + PAGE :
	    n == LOG_HEADER && off == 0 ? LOG_HEADER :
					  0;
	b->page = is_header ? off + FRAME_HEADER : 0;
	b->is_last = is_header &&
	    tf_get_be32((const uint8_t *)p + FRAME_PAGES) != 0;
}

int
tf_log_buffer_write(struct tf_log_buffer *b, sqlite3_file *f,
    const sqlite3_io_methods *plain, const void *p, int n, sqlite3_int64 off)
{
	bool is_header = n == FRAME_HEADER && off > 0 && off == b->next;
	bool is_page = n == PAGE && off > 0 && off == b->page;
	bool is_last = is_page && b->is_last;
	int rc;

	if (is_header && b->n == ROOM &&
	    (rc = tf_log_buffer_flush(b, f, plain)) != SQLITE_OK)
		return rc;
	if ((is_header || (is_page && b->n > 0)) &&
	    keep(b, p, (size_t)n, off)) {
		expect(b, p, n, off, is_page);
		return is_last && !TF_IS_MUTANT(TF_LOG_LATE) ?
		    tf_log_buffer_flush(b, f, plain) :
		    SQLITE_OK;
	}
	if ((rc = tf_log_buffer_flush(b, f, plain)) == SQLITE_OK)
		rc = plain->xWrite(f, p, n, off);
	if (rc == SQLITE_OK)
		expect(b, p, n, off, is_page);
	else
		b->next = b->page = 0;
	return rc;
}

void
tf_log_buffer_free(struct tf_log_buffer *b)
{
	free(b->p);
	*b = (struct tf_log_buffer){ 0 };
}
