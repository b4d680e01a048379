/*
 * The table of single values.  A value that is absent is named in the error,
 * for a store without it is damaged and an operator must see which one is
 * missing.
 */
#include <stdio.h>

#include "../buffer.h"
#include "meta.h"
#include "sql.h"

enum tf_code
tf_meta_set_text(struct tf_db *db, const char *key, const char *value,
    struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err,
		"INSERT INTO meta VALUES(?1, ?2)"
		" ON CONFLICT(key) DO UPDATE SET value = ?2",
		"tt", key, value),
	    "set meta", err);
}

enum tf_code
tf_meta_get_text(struct tf_db *db, const char *key, char *out, size_t size,
    struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT value FROM meta WHERE key = ?1", "t", key);
	enum tf_code rc = tf_sql_row(db, st, "get meta", err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, rc, "the database lacks %s", key);
	if (rc != TF_OK)
		return rc;
	(void)snprintf(out, size, "%s",
	    (const char *)sqlite3_column_text(st, 0));
	(void)sqlite3_reset(st);
	return TF_OK;
}

enum tf_code
tf_meta_get_long(struct tf_db *db, const char *key, struct tf_buf *out,
    struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT value FROM meta WHERE key = ?1", "t", key);
	enum tf_code rc = tf_sql_row(db, st, "get meta", err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, rc, "the database lacks %s", key);
	if (rc != TF_OK)
		return rc;
	tf_buf_str(out, (const char *)sqlite3_column_text(st, 0));
	(void)sqlite3_reset(st);
	return out->failed ? tf_nomem(err) : TF_OK;
}

enum tf_code
tf_meta_set_int(struct tf_db *db, const char *key, uint64_t value,
    struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err,
		"INSERT INTO meta VALUES(?1, ?2)"
		" ON CONFLICT(key) DO UPDATE SET value = ?2",
		"tu", key, value),
	    "set meta", err);
}

enum tf_code
tf_meta_get_int(struct tf_db *db, const char *key, uint64_t *out,
    struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT value FROM meta WHERE key = ?1", "t", key);
	enum tf_code rc = tf_sql_row(db, st, "get meta", err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, rc, "the database lacks %s", key);
	if (rc != TF_OK)
		return rc;
	*out = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return TF_OK;
}
