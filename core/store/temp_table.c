/* A sorted table in a temporary database: see temp_table.h.  SQLite keeps the
 * pages that fit its cache in memory and writes the others to disk. */
#include <stdlib.h>
#include <string.h>

#include "sql.h"
#include "temp_table.h"

struct tf_temp_table {
	struct tf_db db;
};

/* Explain a full disk: users do not expect temporary files. */
static enum tf_code
explain_full(enum tf_code rc, struct tf_error *err)
{
	if (rc == TF_NOSPACE)
		return tf_fail(err, rc,
		    "no space left for temporary files; "
		    "TMPDIR may name another directory");
	return rc;
}

enum tf_code
tf_temp_table_open(struct tf_temp_table **out, struct tf_error *err)
{
	/* One transaction that is never committed: a commit would write pages
	 * to disk, but nothing in the table needs to last. */
	static const char begin[] =
	    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
	    "PRAGMA cache_size=-32768;"
	    "CREATE TABLE pair(k BLOB PRIMARY KEY, v BLOB NOT NULL)"
	    " STRICT, WITHOUT ROWID; BEGIN";
	struct tf_temp_table *t = calloc(1, sizeof(*t));
	enum tf_code rc = TF_OK;

	if (t == NULL)
		return tf_nomem(err);
	if (sqlite3_open_v2("", &t->db.sq,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK ||
	    sqlite3_exec(t->db.sq, begin, NULL, NULL, NULL) != SQLITE_OK)
		rc = explain_full(tf_sql_fail(&t->db, "temporary database",
				      err),
		    err);
	if (rc != TF_OK) {
		tf_temp_table_close(t);
		return rc;
	}
	(void)sqlite3_extended_result_codes(t->db.sq, 1);
	*out = t;
	return TF_OK;
}

void
tf_temp_table_close(struct tf_temp_table *t)
{
	if (t == NULL)
		return;
	tf_sql_close(&t->db);
	free(t);
}

/*
 * DO NOTHING instead of an error, since a failed statement would be reported
 * as damage.
 */
enum tf_code
tf_temp_table_add(struct tf_temp_table *t, struct tf_str key,
    struct tf_str value, struct tf_error *err)
{
	enum tf_code rc;

	rc = tf_sql_run(&t->db,
	    tf_sql(&t->db, err,
		"INSERT INTO pair VALUES(?1, ?2) ON CONFLICT DO NOTHING", "bb",
		key.p, key.n, value.p, value.n),
	    "temporary database", err);
	if (rc == TF_OK && sqlite3_changes(t->db.sq) == 0)
		return TF_EXISTS;
	return explain_full(rc, err);
}

enum tf_code
tf_temp_table_put(struct tf_temp_table *t, struct tf_str key,
    struct tf_str value, struct tf_error *err)
{
	enum tf_code rc = tf_sql_run(&t->db,
	    tf_sql(&t->db, err,
		"INSERT INTO pair VALUES(?1, ?2)"
		" ON CONFLICT DO UPDATE SET v = ?2",
		"bb", key.p, key.n, value.p, value.n),
	    "temporary database", err);

	return explain_full(rc, err);
}

enum tf_code
tf_temp_table_get(struct tf_temp_table *t, struct tf_str key, void *out,
    size_t n, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(&t->db, err,
	    "SELECT v FROM pair WHERE k = ?1", "b", key.p, key.n);
	enum tf_code rc = tf_sql_row(&t->db, st, "temporary database", err);

	if (rc != TF_OK)
		return rc;
	if ((size_t)sqlite3_column_bytes(st, 0) != n)
		rc = tf_fail(err, TF_IO,
		    "temporary database: a value has "
		    "another size");
	else
		memcpy(out, sqlite3_column_blob(st, 0), n);
	(void)sqlite3_reset(st);
	return rc;
}

enum tf_code
tf_temp_table_each(struct tf_temp_table *t, struct tf_str low,
    struct tf_str high,
    enum tf_code (*fn)(void *arg, struct tf_str key, struct tf_str value,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(&t->db, err,
	    "SELECT k, v FROM pair WHERE k >= ?1 AND k < ?2 ORDER BY k", "bb",
	    low.p, low.n, high.p, high.n);
	struct tf_str k, v;
	enum tf_code rc;

	while ((rc = tf_sql_row(&t->db, st, "temporary database", err)) ==
	    TF_OK) {
		k.p = sqlite3_column_blob(st, 0);
		k.n = (size_t)sqlite3_column_bytes(st, 0);
		v.p = sqlite3_column_blob(st, 1);
		v.n = (size_t)sqlite3_column_bytes(st, 1);
		if ((rc = fn(arg, k, v, err)) != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : explain_full(rc, err);
}

enum tf_code
tf_temp_table_cut(struct tf_temp_table *t, struct tf_str low,
    struct tf_str high, struct tf_error *err)
{
	enum tf_code rc = tf_sql_run(&t->db,
	    tf_sql(&t->db, err, "DELETE FROM pair WHERE k >= ?1 AND k < ?2",
		"bb", low.p, low.n, high.p, high.n),
	    "temporary database", err);

	return explain_full(rc, err);
}
