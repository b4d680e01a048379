/* Statements, binding and errors of SQL, for the files of core/store only. */
#ifndef TF_STORE_SQL_H
#define TF_STORE_SQL_H

#include <sqlite3.h>
#include <stdint.h>

#include "../types.h"
#include "connection.h"

#define TF_DB_STATEMENTS 96

struct tf_db {
	sqlite3 *sq;
	enum tf_db_mode mode;
	int version; /* of the schema; an early one only when reading */
	/* Features of a later version, which this one does not know: those that
	 * a reader may ignore, and those that a writer may ignore too. */
	unsigned unknown_ro, unknown_compatible;
	uint64_t end; /* see tf_db_end_at; 0: none */
	struct tf_time end_time;
	bool unsynced; /* commits are without a sync */
	bool is_sparse;
	bool keeps_log;	  /* SQLite must not delete the write-ahead log */
	bool keeps_files; /* see tf_db_keep_files */
	int64_t log_now, log_most; /* bytes of it in use, now and at most */
	struct {
		const char *sql; /* the literal: its address is the key */
		sqlite3_stmt *st;
	} cache[TF_DB_STATEMENTS];
};

/* Fill err from the last SQLite error of db and return its code.  what names
 * the operation for the text. */
enum tf_code tf_sql_fail(struct tf_db *db, const char *what,
    struct tf_error *err);

/*
 * The prepared statement of the string literal sql, whose address is its key in
 * the cache.  fmt names the bound values: 'i' an int64_t, 'u' a uint64_t, 'b' a
 * const void * and a size_t (NULL pointer: SQL NULL), 't' a const char *.  The
 * values must stay valid until the statement is reset.  Returns NULL, and fills
 * err, on failure.  The caller resets the statement after use; db owns it.
 */
sqlite3_stmt *tf_sql(struct tf_db *db, struct tf_error *err, const char *sql,
    const char *fmt, ...);

/* Run and reset a statement that returns no row.  A NULL st, from a tf_sql that
 * failed, returns that failure. */
TF_MUST_USE enum tf_code tf_sql_run(struct tf_db *db, sqlite3_stmt *st,
    const char *what, struct tf_error *err);
/* Step st to its next row.  TF_NOTFOUND if there is none; st is then already
 * reset. */
TF_MUST_USE enum tf_code tf_sql_row(struct tf_db *db, sqlite3_stmt *st,
    const char *what, struct tf_error *err);

/* What rows of entries have to be below: tf_db_end_at, or more than any. */
uint64_t tf_sql_end(const struct tf_db *db);

/* Run SQL that returns nothing and needs no prepared statement; what names the
 * operation for the text. */
TF_MUST_USE enum tf_code tf_sql_exec(struct tf_db *db, const char *sql,
    const char *what, struct tf_error *err);
/* Run SQL that returns one row with one number; no row is an error. */
TF_MUST_USE enum tf_code tf_sql_one_int(struct tf_db *db, const char *sql,
    int64_t *out, struct tf_error *err);

/* Finalize all statements and close the connection. */
void tf_sql_close(struct tf_db *db);

#endif
