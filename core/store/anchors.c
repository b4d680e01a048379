/*
 * Table anchor: see anchors.h.  A store may have an anchor for each minute of
 * many years, so no question but that for all rows looks at all of them.
 */
#include <stdlib.h>
#include <string.h>

#include "anchors.h"
#include "schema.h"
#include "sql.h"

#define COLUMNS "SELECT seq, kind, name, size, object, chain FROM anchor "

enum tf_code
tf_anchors_put(struct tf_db *db, const struct tf_anchor_row *r,
    struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err, "INSERT INTO anchor VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
		"uttuuu", r->seq, r->kind, r->name, r->size, r->object,
		r->chain),
	    "write anchor", err);
}

/* Call fn for each row of st, whose columns are COLUMNS. */
static enum tf_code
each_row(struct tf_db *db, sqlite3_stmt *st, tf_anchor_fn fn, void *arg,
    struct tf_error *err)
{
	struct tf_anchor_row r;
	enum tf_code rc;

	while ((rc = tf_sql_row(db, st, "read anchors", err)) == TF_OK) {
		r.seq = (uint64_t)sqlite3_column_int64(st, 0);
		r.kind = (const char *)sqlite3_column_text(st, 1);
		r.name = (const char *)sqlite3_column_text(st, 2);
		r.size = (uint64_t)sqlite3_column_int64(st, 3);
		r.object = (uint64_t)sqlite3_column_int64(st, 4);
		r.chain = (uint64_t)sqlite3_column_int64(st, 5);
		if (r.kind == NULL || r.name == NULL)
			rc = tf_nomem(err);
		if (rc != TF_OK || (rc = fn(arg, &r, err)) != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_anchors_since(struct tf_db *db, uint64_t from, tf_anchor_fn fn, void *arg,
    struct tf_error *err)
{
	if (db->version < TF_DB_ANCHORS)
		return TF_OK;
	return each_row(db,
	    tf_sql(db, err, COLUMNS "WHERE seq >= ?1 ORDER BY seq", "u", from),
	    fn, arg, err);
}

enum tf_code
tf_anchors_last(struct tf_db *db, uint64_t n, tf_anchor_fn fn, void *arg,
    struct tf_error *err)
{
	if (db->version < TF_DB_ANCHORS)
		return TF_OK;
	return each_row(db,
	    tf_sql(db, err, COLUMNS "ORDER BY seq DESC LIMIT ?1", "u", n), fn,
	    arg, err);
}

enum tf_code
tf_anchors_of_size(struct tf_db *db, const char *kind, uint64_t size,
    tf_anchor_fn fn, void *arg, struct tf_error *err)
{
	if (db->version < TF_DB_ANCHORS)
		return TF_OK;
	return each_row(db,
	    tf_sql(db, err,
		COLUMNS "WHERE kind = ?1 AND size = ?2 ORDER BY seq", "tu",
		kind, size),
	    fn, arg, err);
}

enum tf_code
tf_anchors_find(struct tf_db *db, const char *kind, const char *name,
    uint64_t size, tf_anchor_fn fn, void *arg, struct tf_error *err)
{
	if (db->version < TF_DB_ANCHORS)
		return TF_OK;
	return each_row(db,
	    tf_sql(db, err,
		COLUMNS "WHERE kind = ?1 AND name = ?2 AND size = ?3"
			" ORDER BY seq DESC LIMIT 1",
		"ttu", kind, name, size),
	    fn, arg, err);
}

enum tf_code
tf_anchors_get(struct tf_db *db, uint64_t seq, tf_anchor_fn fn, void *arg,
    struct tf_error *err)
{
	if (db->version < TF_DB_ANCHORS)
		return TF_OK;
	return each_row(db, tf_sql(db, err, COLUMNS "WHERE seq = ?1", "u", seq),
	    fn, arg, err);
}

/* Set kind and name to copies of the next pair after them.  TF_NOTFOUND: there
 * is none. */
static enum tf_code
next_name(struct tf_db *db, char **kind, char **name, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT kind, name FROM anchor WHERE (kind, name) > (?1, ?2)"
	    " ORDER BY kind, name LIMIT 1",
	    "tt", *kind == NULL ? "" : *kind, *name == NULL ? "" : *name);
	enum tf_code rc = tf_sql_row(db, st, "read anchors", err);
	const unsigned char *k, *n;
	char *next_kind, *next;

	if (rc != TF_OK)
		return rc;
	k = sqlite3_column_text(st, 0);
	n = sqlite3_column_text(st, 1);
	next_kind = k == NULL ? NULL : strdup((const char *)k);
	next = n == NULL ? NULL : strdup((const char *)n);
	(void)sqlite3_reset(st);
	free(*kind);
	free(*name);
	*kind = next_kind;
	*name = next;
	return next_kind != NULL && next != NULL ? TF_OK : tf_nomem(err);
}

/* The names are few, and the rows of one name many: a query that groups would
 * read all rows. */
enum tf_code
tf_anchors_newest(struct tf_db *db, tf_anchor_fn fn, void *arg,
    struct tf_error *err)
{
	char *kind = NULL, *name = NULL;
	enum tf_code rc = TF_OK;

	if (db->version < TF_DB_ANCHORS)
		return TF_OK;
	while (rc == TF_OK && (rc = next_name(db, &kind, &name, err)) == TF_OK)
		rc = each_row(db,
		    tf_sql(db, err,
			COLUMNS "WHERE kind = ?1 AND name = ?2 AND seq < ?3"
				" ORDER BY size DESC, seq DESC LIMIT 1",
			"ttu", kind, name, tf_sql_end(db)),
		    fn, arg, err);
	free(kind);
	free(name);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Set *out to the one number of st. */
static enum tf_code
one_number(struct tf_db *db, sqlite3_stmt *st, uint64_t *out,
    struct tf_error *err)
{
	enum tf_code rc = tf_sql_row(db, st, "read anchors", err);

	if (rc != TF_OK)
		return rc;
	*out = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return TF_OK;
}

enum tf_code
tf_anchors_highest(struct tf_db *db, const char *kind, uint64_t *size,
    struct tf_error *err)
{
	*size = 0;
	if (db->version < TF_DB_ANCHORS)
		return TF_OK;
	return one_number(db,
	    tf_sql(db, err,
		"SELECT coalesce(max(size), 0) FROM anchor WHERE kind = ?1",
		"t", kind),
	    size, err);
}

enum tf_code
tf_anchors_count(struct tf_db *db, uint64_t *n, struct tf_error *err)
{
	*n = 0;
	if (db->version < TF_DB_ANCHORS)
		return TF_OK;
	return one_number(db,
	    tf_sql(db, err, "SELECT count(*) FROM anchor", ""), n, err);
}
