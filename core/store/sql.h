/* SQL for the files of core/store only: statements, binding, errors. */
#ifndef TF_STORE_SQL_H
#define TF_STORE_SQL_H

#include <sqlite3.h>

#include "schema.h"

#define TF_DB_STATEMENTS 64

struct tf_db {
	sqlite3 *sq;
	enum tf_db_mode mode;
	int version; /* of the schema: 1 only while nobody may write */
	struct {
		const char *sql; /* the literal: its address is the key */
		sqlite3_stmt *st;
	} cache[TF_DB_STATEMENTS];
};

/* The SQLite error of db as a tf_error; what: what was being done. */
enum tf_code tf_sql_fail(struct tf_db *db, const char *what,
    struct tf_error *err);

/*
 * A ready statement for a string literal, its values bound from fmt: 'i' an
 * int64_t, 'u' a uint64_t, 'b' a const void * and a size_t (NULL: SQL NULL),
 * 't' a const char *.  NULL on error.  Reset it after use.
 */
sqlite3_stmt *tf_sql(struct tf_db *db, struct tf_error *err, const char *sql,
    const char *fmt, ...);

/* Run a statement that returns no row. */
TF_MUST_USE enum tf_code tf_sql_run(struct tf_db *db, sqlite3_stmt *st,
    const char *what, struct tf_error *err);
/* Step to a row: TF_OK, TF_NOTFOUND (reset already), or the error. */
TF_MUST_USE enum tf_code tf_sql_row(struct tf_db *db, sqlite3_stmt *st,
    const char *what, struct tf_error *err);

/* Let go of the statements and the connection. */
void tf_sql_close(struct tf_db *db);

#endif
