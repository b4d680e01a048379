/*
 * Pages of the database without leftovers: see clean_pages.h.
 *
 * The write-ahead log stays as SQLite writes it, because its frames have
 * checksums; it is scrubbed as a whole (scrub.c).
 *
 * A page with rows begins with one of four numbers.  A page that continues a
 * long row, and a free page, begin with a page number of four bytes, the highest
 * first.  So a first byte of 2 or more tells pages with rows apart as long as the
 * database has less than 2^25 pages.  Larger databases are not cleaned.
 * The format: https://www.sqlite.org/fileformat2.html#b_tree_pages
 */
#include <string.h>

#include "../base/bytes.h"
#include "clean_pages.h"
#include "sql.h"

#define PAGE 4096
/* Half of 2^25 pages: the transaction that lets the file grow over it may name
 * pages behind the end. */
#define MOST_BYTES (INT64_C(1) << 36)

#define FILE_HEADER 100 /* bytes before the header of the first page */
#define CELLS 3		/* offsets in the header of a page */
#define CONTENT 5
#define LEAF_HEADER 8
#define INNER_HEADER 12

/* --- one page ------------------------------------------------------------- */

/* The unused part of p, from *from to *to.  False: it is no page with rows. */
static bool
unused_part(const uint8_t *p, uint64_t off, size_t *from, size_t *to)
{
	size_t head = off == 0 ? FILE_HEADER : 0;
	const uint8_t *h = p + head;

	if (h[0] == 2 || h[0] == 5)
		*from = head + INNER_HEADER;
	else if (h[0] == 10 || h[0] == 13)
		*from = head + LEAF_HEADER;
	else
		return false;
	*from += (size_t)2 * tf_get_be16(h + CELLS);
	*to = tf_get_be16(h + CONTENT);
	return *from <= *to && *to <= PAGE;
}

/* True if any byte from *from to *to is not zero. */
static bool
is_dirty(const uint8_t *p, size_t n, uint64_t off, size_t *from, size_t *to)
{
	if (n != PAGE || off % PAGE != 0 || !unused_part(p, off, from, to))
		return false;
	for (size_t i = *from; i < *to; i++)
		if (p[i] != 0)
			return true;
	return false;
}

bool
tf_page_clean(uint8_t *p, size_t n, uint64_t off)
{
	size_t from, to;

	if (!is_dirty(p, n, off, &from, &to))
		return false;
	memset(p + from, 0, to - from);
	return true;
}

/* --- the file ------------------------------------------------------------- */

static bool
is_small(sqlite3_file *f, const sqlite3_io_methods *plain)
{
	sqlite3_int64 size;

	return plain->xFileSize(f, &size) == SQLITE_OK && size < MOST_BYTES;
}

int
tf_clean_write(sqlite3_file *f, const sqlite3_io_methods *plain, const void *p,
    int n, sqlite3_int64 off)
{
	uint8_t page[PAGE];
	size_t from, to;

	if (n != PAGE || !is_dirty(p, PAGE, (uint64_t)off, &from, &to) ||
	    !is_small(f, plain))
		return plain->xWrite(f, p, n, off);
	memcpy(page, p, PAGE);
	memset(page + from, 0, to - from);
	return plain->xWrite(f, page, n, off);
}

/* --- pages that are there --------------------------------------------------- */

enum tf_code
tf_db_clean_pages(struct tf_db *db, struct tf_error *err)
{
	uint8_t page[PAGE];
	sqlite3_file *f;
	sqlite3_int64 size = 0;
	int rc = sqlite3_file_control(db->sq, "main", SQLITE_FCNTL_FILE_POINTER,
	    &f);

	if (rc == SQLITE_OK)
		rc = f->pMethods->xFileSize(f, &size);
	if (rc == SQLITE_OK && size >= MOST_BYTES)
		return TF_OK;
	for (sqlite3_int64 off = 0; rc == SQLITE_OK && off + PAGE <= size;
	     off += PAGE) {
		rc = f->pMethods->xRead(f, page, PAGE, off);
		if (rc == SQLITE_OK && tf_page_clean(page, PAGE, (uint64_t)off))
			rc = f->pMethods->xWrite(f, page, PAGE, off);
	}
	if (rc == SQLITE_OK)
		rc = f->pMethods->xSync(f, SQLITE_SYNC_NORMAL);
	return rc == SQLITE_OK ?
	    TF_OK :
	    tf_fail(err, TF_IO, "clean pages of the database");
}
