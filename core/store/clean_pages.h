/*
 * Pages of the database without leftovers.
 *
 * SQLite overwrites deleted rows and free pages (secure_delete).  When it moves
 * rows from one page to another it does not: copies of them stay in the unused
 * part of the first page, between its row pointers and its rows.  There a later
 * deletion does not reach them.  The files here overwrite that part of each page
 * on its way to the database file.
 */
#ifndef TF_STORE_CLEAN_PAGES_H
#define TF_STORE_CLEAN_PAGES_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_db;

/* The key of meta that is 1 if all pages are clean. */
#define TF_META_CLEAN "clean_pages"

/* SQLite's write to the database file f; plain: the functions of SQLite for f.  A
 * page is written without leftovers. */
int tf_clean_write(sqlite3_file *f, const sqlite3_io_methods *plain,
    const void *p, int n, sqlite3_int64 off);

/*
 * Write zeros over the unused part of the page p at offset off of the database.
 * p has n bytes; what is no page of 4096 bytes with rows stays.  Returns true if
 * it changed anything.
 */
bool tf_page_clean(uint8_t *p, size_t n, uint64_t off);

/*
 * Clean the pages that are in the database file already, from versions that did
 * not do so.  db is the only connection that writes, in a transaction; readers
 * may read.  The file is durable on TF_OK.
 */
TF_MUST_USE enum tf_code tf_db_clean_pages(struct tf_db *db,
    struct tf_error *err);

#endif
