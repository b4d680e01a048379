/*
 * A copy of a database by its pages, for backups.  Only pages that differ from
 * those of an earlier copy are written.
 *
 * The changed pages of a copy form a write-ahead log in SQLite's own format: an
 * earlier copy and this log beside it, as FILE-wal, are the new state for every
 * program that uses SQLite, before and while the pages are moved into the file.
 * So a crash leaves the old state or the new one.
 */
#ifndef TF_STORE_PAGE_COPY_H
#define TF_STORE_PAGE_COPY_H

#include <stdint.h>

#include "../error.h"

struct tf_db;

struct tf_page_copy {
	uint64_t pages;	  /* of the database */
	uint64_t changed; /* of those, the ones written */
	uint64_t bytes;	  /* written */
};

/*
 * Copy what db sees in its snapshot, or now if it has none.  old is a descriptor
 * of the earlier copy: out then becomes a write-ahead log with the pages that
 * differ, and stays empty if none does.  old -1: out becomes the whole database.
 * out is open for reading and writing and empty; on TF_OK its bytes are durable.
 * No connection of this process may have the earlier copy open.
 */
TF_MUST_USE enum tf_code tf_pages_copy(struct tf_db *db, int old, int out,
    struct tf_page_copy *done, struct tf_error *err);

/*
 * Make the log `log`, which tf_pages_copy wrote, the one of the database name, both
 * below dirfd, durably; then move its pages into the database, overwrite the log
 * and remove it.  log NULL: the one that an earlier call, cut by a crash, has left
 * as name-wal, if there is one.  An empty log changes nothing.
 *
 * On failure the database is as it was, or the log is there as name-wal, and
 * programs that read the database see the new state.  TF_LOCKED: another program
 * has the database open; TF_TAMPER: the log is damaged.  No connection of this
 * process may have the database open.
 */
TF_MUST_USE enum tf_code tf_pages_apply(int dirfd, const char *name,
    const char *log, struct tf_error *err);

#endif
