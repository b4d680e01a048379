/* A sorted table in a temporary database: see temp_table.h.  SQLite keeps the
 * pages that fit its cache in memory and writes the others to disk. */
#include <stdlib.h>
#include <string.h>

#include "sql.h"
#include "temp_table.h"

struct tf_temp_table {
	struct tf_db db;
};

static enum tf_code
failed(struct tf_temp_table *b, enum tf_code rc, struct tf_error *err)
{
	(void)b;
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
	    "CREATE TABLE book(k BLOB PRIMARY KEY, v BLOB NOT NULL)"
	    " STRICT, WITHOUT ROWID; BEGIN";
	struct tf_temp_table *b = calloc(1, sizeof(*b));
	enum tf_code rc = TF_OK;

	if (b == NULL)
		return tf_nomem(err);
	if (sqlite3_open_v2("", &b->db.sq,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK ||
	    sqlite3_exec(b->db.sq, begin, NULL, NULL, NULL) != SQLITE_OK)
		rc = failed(b, tf_sql_fail(&b->db, "temporary database", err),
		    err);
	if (rc != TF_OK) {
		tf_temp_table_close(b);
		return rc;
	}
	(void)sqlite3_extended_result_codes(b->db.sq, 1);
	*out = b;
	return TF_OK;
}

void
tf_temp_table_close(struct tf_temp_table *b)
{
	if (b == NULL)
		return;
	tf_sql_close(&b->db);
	free(b);
}

enum tf_code
tf_temp_table_add(struct tf_temp_table *b, struct tf_str key,
    struct tf_str value, struct tf_error *err)
{
	enum tf_code rc;

	rc = tf_sql_run(&b->db,
	    tf_sql(&b->db, err,
		"INSERT INTO book VALUES(?1, ?2) ON CONFLICT DO NOTHING", "bb",
		key.p, key.n, value.p, value.n),
	    "temporary database", err);
	if (rc == TF_OK && sqlite3_changes(b->db.sq) == 0)
		return TF_EXISTS;
	return failed(b, rc, err);
}

enum tf_code
tf_temp_table_put(struct tf_temp_table *b, struct tf_str key,
    struct tf_str value, struct tf_error *err)
{
	return failed(b,
	    tf_sql_run(&b->db,
		tf_sql(&b->db, err,
		    "INSERT INTO book VALUES(?1, ?2)"
		    " ON CONFLICT DO UPDATE SET v = ?2",
		    "bb", key.p, key.n, value.p, value.n),
		"temporary database", err),
	    err);
}

enum tf_code
tf_temp_table_get(struct tf_temp_table *b, struct tf_str key, void *out,
    size_t n, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(&b->db, err,
	    "SELECT v FROM book WHERE k = ?1", "b", key.p, key.n);
	enum tf_code rc = tf_sql_row(&b->db, st, "temporary database", err);

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
tf_temp_table_each(struct tf_temp_table *b, struct tf_str low,
    struct tf_str high,
    enum tf_code (*fn)(void *arg, struct tf_str key, struct tf_str value,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(&b->db, err,
	    "SELECT k, v FROM book WHERE k >= ?1 AND k < ?2 ORDER BY k", "bb",
	    low.p, low.n, high.p, high.n);
	struct tf_str k, v;
	enum tf_code rc;

	while ((rc = tf_sql_row(&b->db, st, "temporary database", err)) ==
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
	return rc == TF_NOTFOUND ? TF_OK : failed(b, rc, err);
}

enum tf_code
tf_temp_table_cut(struct tf_temp_table *b, struct tf_str low,
    struct tf_str high, struct tf_error *err)
{
	return failed(b,
	    tf_sql_run(&b->db,
		tf_sql(&b->db, err, "DELETE FROM book WHERE k >= ?1 AND k < ?2",
		    "bb", low.p, low.n, high.p, high.n),
		"temporary database", err),
	    err);
}
