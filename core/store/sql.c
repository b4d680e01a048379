/*
 * Statements: prepared once, bound and run; and the codes of SQLite's errors.
 * See sql.h.  Every statement is reset after its use, also after an error: a
 * statement left open would keep the snapshot of its connection, so that later
 * reads see an old state and the write-ahead log cannot be merged.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "sql.h"

/* True if the error comes from a page that could not be read.  SQLite reports
 * such a page as a damaged database, but nothing is known about its content. */
static bool
disk_failed(struct tf_db *db)
{
	sqlite3_file *wal = NULL;
	int of_db = 0, of_wal = 0;

	(void)sqlite3_file_control(db->sq, "main", SQLITE_FCNTL_LAST_ERRNO,
	    &of_db);
	(void)sqlite3_file_control(db->sq, "main", SQLITE_FCNTL_JOURNAL_POINTER,
	    &wal);
	if (wal != NULL && wal->pMethods != NULL)
		(void)wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO,
		    &of_wal);
	return of_db == EIO || of_wal == EIO;
}

enum tf_code
tf_sql_fail(struct tf_db *db, const char *what, struct tf_error *err)
{
	int rc = sqlite3_extended_errcode(db->sq);
	enum tf_code code = TF_IO;

	switch (rc & 0xff) {
	case SQLITE_FULL:
		code = TF_NOSPACE;
		break;
	case SQLITE_NOMEM:
		code = TF_NOMEM;
		break;
	case SQLITE_READONLY:
		code = TF_READONLY;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		code = TF_LOCKED;
		break;
	case SQLITE_CORRUPT:
		code = disk_failed(db) ? TF_IO : TF_TAMPER;
		break;
	case SQLITE_CONSTRAINT:
		code = TF_TAMPER;
		break;
	case SQLITE_NOTADB:
		code = TF_FOREIGN;
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		errno = sqlite3_system_errno(db->sq);
		if (errno == EMFILE || errno == ENFILE)
			code = TF_TOOMANY;
		break;
	}
	return tf_fail(err, code, "%s: %s (%d)", what,
	    code == TF_NOSPACE ? "no space left on the store's disk" :
				 sqlite3_errmsg(db->sq),
	    rc);
}

/*
 * The address of the literal is the key, so a lookup compares no text.  The
 * cache never drops a statement: there are fewer literals than places.
 */
static sqlite3_stmt *
prepared(struct tf_db *db, const char *sql, struct tf_error *err)
{
	int i;

	for (i = 0; i < TF_DB_STATEMENTS && db->cache[i].sql != NULL; i++)
		if (db->cache[i].sql == sql)
			return db->cache[i].st;
	if (i == TF_DB_STATEMENTS) {
		(void)tf_fail(err, TF_NOMEM, "too many statements");
		return NULL;
	}
	if (sqlite3_prepare_v3(db->sq, sql, -1, SQLITE_PREPARE_PERSISTENT,
		&db->cache[i].st, NULL) != SQLITE_OK) {
		(void)tf_sql_fail(db, "prepare", err);
		return NULL;
	}
	db->cache[i].sql = sql;
	return db->cache[i].st;
}

sqlite3_stmt *
tf_sql(struct tf_db *db, struct tf_error *err, const char *sql, const char *fmt,
    ...)
{
	sqlite3_stmt *st = prepared(db, sql, err);
	const void *p;
	va_list ap;
	int rc = SQLITE_OK;

	if (st == NULL)
		return NULL;
	va_start(ap, fmt);
	for (int i = 1; rc == SQLITE_OK && *fmt != '\0'; fmt++, i++)
		switch (*fmt) {
		case 'i':
			rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
			break;
		case 'u':
			rc = sqlite3_bind_int64(st, i,
			    (sqlite3_int64)va_arg(ap, uint64_t));
			break;
		case 't':
			rc = sqlite3_bind_text(st, i, va_arg(ap, const char *),
			    -1, SQLITE_STATIC);
			break;
		default: /* 'b': an empty blob is not NULL */
			p = va_arg(ap, const void *);
			rc = sqlite3_bind_blob64(st, i, p, va_arg(ap, size_t),
			    SQLITE_STATIC);
		}
	va_end(ap);
	if (rc != SQLITE_OK) {
		(void)tf_sql_fail(db, "bind", err);
		(void)sqlite3_reset(st);
		return NULL;
	}
	return st;
}

enum tf_code
tf_sql_run(struct tf_db *db, sqlite3_stmt *st, const char *what,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (st == NULL)
		return err != NULL ? err->code : TF_IO;
	if (sqlite3_step(st) != SQLITE_DONE)
		rc = tf_sql_fail(db, what, err);
	(void)sqlite3_reset(st);
	return rc;
}

enum tf_code
tf_sql_row(struct tf_db *db, sqlite3_stmt *st, const char *what,
    struct tf_error *err)
{
	enum tf_code rc;

	if (st == NULL)
		return err != NULL ? err->code : TF_IO;
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		return TF_OK;
	case SQLITE_DONE:
		rc = TF_NOTFOUND;
		break;
	default:
		rc = tf_sql_fail(db, what, err);
	}
	(void)sqlite3_reset(st);
	return rc;
}

uint64_t
tf_sql_end(const struct tf_db *db)
{
	return db->end == 0 ? INT64_MAX : db->end;
}

enum tf_code
tf_sql_exec(struct tf_db *db, const char *sql, const char *what,
    struct tf_error *err)
{
	if (sqlite3_exec(db->sq, sql, NULL, NULL, NULL) != SQLITE_OK)
		return tf_sql_fail(db, what, err);
	return TF_OK;
}

/*
 * Prepares anew each time, for SQL that runs once per connection or snapshot.
 */
enum tf_code
tf_sql_one_int(struct tf_db *db, const char *sql, int64_t *out,
    struct tf_error *err)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(db->sq, sql, -1, &st, NULL) != SQLITE_OK)
		return tf_sql_fail(db, "prepare", err);
	if (sqlite3_step(st) != SQLITE_ROW) {
		(void)sqlite3_finalize(st);
		return tf_sql_fail(db, sql, err);
	}
	*out = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return TF_OK;
}
