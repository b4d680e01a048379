/* The rows of the search index: see search_rows.h. */
#include <string.h>

#include "search_i.h"

/* What stands before each path in paths. */
struct path_head {
	uint64_t item;
	size_t n; /* bytes */
};

/* --- transactions -------------------------------------------------------------- */

enum tf_code
tf_search_begin(struct tf_search_db *s, struct tf_error *err)
{
	return tf_search_exec(s, "BEGIN IMMEDIATE", err);
}

static enum tf_code
insert_path(struct tf_search_db *s, uint64_t item, const char *path, size_t n,
    struct tf_error *err)
{
	return tf_sql_run(&s->db,
	    tf_sql(&s->db, err,
		"INSERT INTO path(rowid, text) VALUES(?1, CAST(?2 AS TEXT))",
		"ub", item, path, n),
	    "search index", err);
}

/* Insert the paths of the transaction. */
static enum tf_code
insert_paths(struct tf_search_db *s, struct tf_error *err)
{
	const char *p = s->paths.p;
	struct path_head head;
	enum tf_code rc = TF_OK;

	if (s->paths.failed)
		return tf_nomem(err);
	while (rc == TF_OK && p < s->paths.p + s->paths.n) {
		memcpy(&head, p, sizeof(head));
		p += sizeof(head);
		rc = insert_path(s, head.item, p, head.n, err);
		p += head.n;
	}
	tf_buf_free(&s->paths);
	return rc;
}

enum tf_code
tf_search_commit(struct tf_search_db *s, struct tf_error *err)
{
	enum tf_code rc = s->paths.n > 0 ? insert_paths(s, err) : TF_OK;

	return rc == TF_OK ? tf_search_exec(s, "COMMIT", err) : rc;
}

void
tf_search_rollback(struct tf_search_db *s)
{
	tf_buf_free(&s->paths);
	(void)sqlite3_exec(s->db.sq, "ROLLBACK", NULL, NULL, NULL);
}

/* --- rows ---------------------------------------------------------------------- */

enum tf_code
tf_search_cursor(struct tf_search_db *s, uint64_t *entries,
    struct tf_hash *last, struct tf_error *err)
{
	static const char sql[] =
	    "SELECT (SELECT v FROM mark WHERE k = 'entries'),"
	    " (SELECT v FROM mark WHERE k = 'last')";
	sqlite3_stmt *st = tf_sql(&s->db, err, sql, "");
	enum tf_code rc = tf_sql_row(&s->db, st, "search index", err);

	*entries = 0;
	*last = (struct tf_hash){ 0 };
	if (rc != TF_OK)
		return rc;
	if (sqlite3_column_bytes(st, 1) == sizeof(last->b)) {
		*entries = (uint64_t)sqlite3_column_int64(st, 0);
		memcpy(last->b, sqlite3_column_blob(st, 1), sizeof(last->b));
	}
	(void)sqlite3_reset(st);
	return TF_OK;
}

enum tf_code
tf_search_set_cursor(struct tf_search_db *s, uint64_t entries,
    const struct tf_hash *last, struct tf_error *err)
{
	enum tf_code rc = tf_sql_run(&s->db,
	    tf_sql(&s->db, err,
		"INSERT OR REPLACE INTO mark VALUES('entries', ?1)", "u",
		entries),
	    "search index", err);

	if (rc != TF_OK)
		return rc;
	return tf_sql_run(&s->db,
	    tf_sql(&s->db, err,
		"INSERT OR REPLACE INTO mark VALUES('last', ?1)", "b", last->b,
		sizeof(last->b)),
	    "search index", err);
}

enum tf_code
tf_search_add(struct tf_search_db *s, unsigned kind, const void *value,
    size_t n, uint64_t item, struct tf_error *err)
{
	return tf_sql_run(&s->db,
	    tf_sql(&s->db, err, "INSERT OR IGNORE INTO fact VALUES(?1, ?2, ?3)",
		"ibu", (int64_t)kind, value, n, item),
	    "search index", err);
}

/* FTS5 writes what it has in memory at the next statement for another table
 * that SQLite could roll back alone.  So the paths of a transaction are kept
 * until its end, and inserted together. */
enum tf_code
tf_search_add_path(struct tf_search_db *s, struct tf_str path, uint64_t item,
    struct tf_error *err)
{
	const struct path_head head = { item, path.n + 2 };

	tf_buf_add(&s->paths, &head, sizeof(head));
	tf_buf_str(&s->paths, "/");
	tf_buf_add(&s->paths, path.p, path.n);
	tf_buf_str(&s->paths, "/");
	return tf_buf_end(&s->paths, err);
}

enum tf_code
tf_search_set_word(struct tf_search_db *s, uint64_t item, const char *word,
    struct tf_error *err)
{
	return tf_sql_run(&s->db,
	    tf_sql(&s->db, err,
		"INSERT INTO word VALUES(?1, ?2) ON CONFLICT DO UPDATE"
		" SET word = excluded.word WHERE word <> excluded.word",
		"ut", item, word),
	    "search index", err);
}

enum tf_code
tf_search_set_due(struct tf_search_db *s, uint64_t item, uint64_t id,
    struct tf_error *err)
{
	return tf_sql_run(&s->db,
	    tf_sql(&s->db, err, "INSERT OR IGNORE INTO due VALUES(?1, ?2)",
		"uu", item, id),
	    "search index", err);
}

enum tf_code
tf_search_due(struct tf_search_db *s, struct tf_search_due *out, size_t max,
    size_t *n, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(&s->db, err,
	    "SELECT item, id FROM due LIMIT ?1", "i", (int64_t)max);
	enum tf_code rc = TF_OK;

	for (*n = 0; *n < max; ++*n) {
		rc = tf_sql_row(&s->db, st, "search index", err);
		if (rc != TF_OK)
			break;
		out[*n] = (struct tf_search_due){
			(uint64_t)sqlite3_column_int64(st, 0),
			(uint64_t)sqlite3_column_int64(st, 1)
		};
	}
	if (rc == TF_OK && st != NULL)
		(void)sqlite3_reset(st);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_search_done(struct tf_search_db *s, uint64_t item, struct tf_error *err)
{
	return tf_sql_run(&s->db,
	    tf_sql(&s->db, err, "DELETE FROM due WHERE item = ?1", "u", item),
	    "search index", err);
}

/* --- searching ----------------------------------------------------------------- */

static enum tf_code
get_item(struct tf_search_db *s, sqlite3_stmt *st, uint64_t *item,
    struct tf_error *err)
{
	enum tf_code rc = tf_sql_row(&s->db, st, "search index", err);

	if (rc != TF_OK)
		return rc;
	*item = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return TF_OK;
}

enum tf_code
tf_search_fact(struct tf_search_db *s, unsigned kind, struct tf_str value,
    uint64_t most, uint64_t *item, struct tf_error *err)
{
	static const char sql[] =
	    "SELECT item FROM fact WHERE kind = ?1 AND value = ?2 AND"
	    " item <= ?3 ORDER BY item DESC LIMIT 1";

	return get_item(s,
	    tf_sql(&s->db, err, sql, "ibu", (int64_t)kind, value.p, value.n,
		most),
	    item, err);
}

/* One step in the index per value and not per item, of which one value may have
 * very many. */
enum tf_code
tf_search_span(struct tf_search_db *s, unsigned kind, struct tf_str low,
    struct tf_str high, uint64_t most, uint64_t *item, struct tf_error *err)
{
	static const char sql[] =
	    "WITH RECURSIVE each(value) AS ("
	    "SELECT min(value) FROM fact WHERE kind = ?1 AND value >= ?2"
	    " AND value <= ?3 UNION ALL "
	    "SELECT (SELECT min(f.value) FROM fact f WHERE f.kind = ?1 AND"
	    " f.value > each.value AND f.value <= ?3)"
	    " FROM each WHERE each.value IS NOT NULL) "
	    "SELECT newest FROM (SELECT (SELECT max(f.item) FROM fact f"
	    " WHERE f.kind = ?1 AND f.value = each.value AND f.item <= ?4)"
	    " AS newest FROM each WHERE each.value IS NOT NULL)"
	    " WHERE newest IS NOT NULL ORDER BY newest DESC LIMIT 1";

	return get_item(s,
	    tf_sql(&s->db, err, sql, "ibbu", (int64_t)kind, low.p, low.n,
		high.p, high.n, most),
	    item, err);
}

enum tf_code
tf_search_word(struct tf_search_db *s, const char *word, uint64_t most,
    uint64_t *item, struct tf_error *err)
{
	static const char sql[] = "SELECT item FROM word WHERE word = ?1 AND"
				  " item <= ?2 ORDER BY item DESC LIMIT 1";

	return get_item(s, tf_sql(&s->db, err, sql, "tu", word, most), item,
	    err);
}

enum tf_code
tf_search_facts(struct tf_search_db *s, unsigned kind, struct tf_buf *value,
    uint64_t *item, size_t max, size_t *n, tf_search_fact_fn fn, void *arg,
    struct tf_error *err)
{
	static const char sql[] =
	    "SELECT value, item FROM fact WHERE kind = ?1 AND"
	    " (value, item) > (?2, ?3) ORDER BY value, item LIMIT ?4";
	sqlite3_stmt *st = tf_sql(&s->db, err, sql, "ibui", (int64_t)kind,
	    value->n > 0 ? value->p : "", value->n, *item, (int64_t)max);
	struct tf_str v = { NULL, 0 };
	enum tf_code rc = TF_OK;

	for (*n = 0; *n < max; ++*n) {
		rc = tf_sql_row(&s->db, st, "search index", err);
		if (rc != TF_OK)
			break;
		v.p = sqlite3_column_blob(st, 0);
		v.n = (size_t)sqlite3_column_bytes(st, 0);
		*item = (uint64_t)sqlite3_column_int64(st, 1);
		if (!fn(arg, v, *item)) {
			rc = tf_nomem(err);
			break;
		}
	}
	if (rc == TF_OK && *n > 0) { /* the row is still there */
		value->n = 0;
		tf_buf_add(value, v.p, v.n);
		rc = value->failed ? tf_nomem(err) : TF_OK;
	}
	if (rc != TF_NOTFOUND && st != NULL)
		(void)sqlite3_reset(st);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Append a literal part as a string of FTS5's query language. */
static void
add_part(struct tf_buf *match, struct tf_str part)
{
	tf_buf_str(match, match->n > 0 ? " AND \"" : "\"");
	for (size_t i = 0; i < part.n; i++) {
		if (part.p[i] == '"')
			tf_buf_str(match, "\"");
		tf_buf_add(match, part.p + i, 1);
	}
	tf_buf_str(match, "\"");
}

enum tf_code
tf_search_paths(struct tf_search_db *s, const struct tf_str *parts, size_t n,
    uint64_t most, uint64_t *items, size_t max, size_t *found,
    struct tf_error *err)
{
	static const char sql[] =
	    "SELECT rowid FROM path WHERE path MATCH CAST(?1 AS TEXT)"
	    " AND rowid <= ?2 ORDER BY rowid DESC LIMIT ?3";
	struct tf_buf match = { 0 };
	sqlite3_stmt *st = NULL;
	enum tf_code rc;

	*found = 0;
	for (size_t i = 0; i < n; i++)
		add_part(&match, parts[i]);
	rc = tf_buf_end(&match, err);
	if (rc == TF_OK) {
		st = tf_sql(&s->db, err, sql, "bui", match.p, match.n, most,
		    (int64_t)max);
		while (*found < max &&
		    (rc = tf_sql_row(&s->db, st, "search index", err)) == TF_OK)
			items[(*found)++] = (uint64_t)sqlite3_column_int64(st,
			    0);
		if (rc == TF_OK && st != NULL)
			(void)sqlite3_reset(st);
	}
	tf_buf_free(&match);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}
