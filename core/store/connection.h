/*
 * The database of a store: one SQLite file, and its connections.  A connection
 * belongs to one thread at a time.  SQL is written only in core/store.
 */
#ifndef TF_STORE_CONNECTION_H
#define TF_STORE_CONNECTION_H

#include <stdbool.h>

#include "../error.h"

struct tf_db;

#define TF_DB_NAME "ledger.db"

enum tf_db_mode {
	TF_DB_CREATE, /* create the file; TF_EXISTS if it exists */
	TF_DB_WRITE,  /* the only writer, of a database of this version */
	/* The only writer, of this or an earlier version, to upgrade it. */
	TF_DB_UPGRADE,
	TF_DB_READ,  /* a reader; another process may write */
	TF_DB_STILL, /* a reader that creates no file; no process may write */
};

/*
 * Open the database file path.  On TF_OK close *out with tf_db_close.  On a
 * read-only medium TF_DB_READ acts as TF_DB_STILL.
 * Errors: TF_NOTFOUND; TF_FOREIGN not a trailfs database; TF_NEWER a later
 * version made it; TF_OLDER (TF_DB_WRITE) it must be upgraded first; TF_TAMPER its tables or triggers differ from those of its
 * version; TF_READONLY some commits cannot be read without writing, as the
 * write-ahead log has no index.
 */
TF_MUST_USE enum tf_code tf_db_open(const char *path, enum tf_db_mode mode,
    struct tf_db **out, struct tf_error *err);
/* Close db.  A writer first copies the write-ahead log into the database file,
 * overwrites it and deletes it, unless a reader needs it.  NULL: does nothing. */
void tf_db_close(struct tf_db *db);
/* Close db beside another connection for writing, which goes on using the log. */
void tf_db_leave(struct tf_db *db);
/* When db, a writer, is closed, the files of the log stay, emptied: then a reader that
 * may create none can read beside the next writer. */
void tf_db_keep_files(struct tf_db *db);
/* Are these files beside the database path? */
bool tf_db_has_files(const char *path);
/* From now on the locks of readers stay locked between the transactions of db, until
 * something in this process needs them (lock_cache.h).  Only the process that writes
 * the store may do so: else the writer's checkpoints would have to wait. */
void tf_db_keep_locks(struct tf_db *db);

/*
 * Is it the database of a sparse store?  Such a copy of an organisation has all
 * entries and rows, and the bytes of everything but evidence; the file of any
 * evidence may be absent.  The mark is user_version: see schema.h.
 */
bool tf_db_is_sparse(const struct tf_db *db);
/* Mark it so, or as whole, in the transaction of db if there is one. */
TF_MUST_USE enum tf_code tf_db_set_sparse(struct tf_db *db, bool sparse,
    struct tf_error *err);
/* TF_UNSUPPORTED, with what to do, if it is sparse. */
TF_MUST_USE enum tf_code tf_db_refuse_sparse(const struct tf_db *db,
    struct tf_error *err);

/* Run SQLite's integrity check.  TF_TAMPER, with the first error in err, if the
 * database is damaged. */
TF_MUST_USE enum tf_code tf_db_check(struct tf_db *db, struct tf_error *err);

/* Write the format of the store, a decimal number, to out. */
void tf_db_format(const struct tf_db *db, char out[16]);
/* The version of the loaded SQLite library. */
const char *tf_db_version(void);

#endif
