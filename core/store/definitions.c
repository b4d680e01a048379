/*
 * Table definition: see definitions.h.  Versions of one name count from 1, and
 * their entries grow with them, so "newest before an entry" is an order by
 * version.  A store without this table, of an earlier version, answers as one
 * without definitions.
 */
#include "definitions.h"
#include "sql.h"
#include "schema.h"

/* What was redacted stays so, whatever state of the ledger db shows. */
static uint64_t
end_of(const struct tf_db *db, int kind)
{
	return kind == TF_ROW_REDACTED || kind == TF_ROW_TEXT_REDACTED ?
	    INT64_MAX :
	    tf_sql_end(db);
}

enum tf_code
tf_definitions_put(struct tf_db *db, const struct tf_definition_row *r,
    struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err,
		"INSERT INTO definition VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
		"uibuuu", r->node, (int64_t)r->kind,
		r->name.n == 0 ? "" : r->name.p, r->name.n, r->version,
		r->entry, r->object),
	    "write definition", err);
}

/* Read version, entry and object from st, and reset it. */
static enum tf_code
take_facts(sqlite3_stmt *st, struct tf_definition_row *r)
{
	r->version = (uint64_t)sqlite3_column_int64(st, 0);
	r->entry = (uint64_t)sqlite3_column_int64(st, 1);
	r->object = (uint64_t)sqlite3_column_int64(st, 2);
	(void)sqlite3_reset(st);
	return TF_OK;
}

enum tf_code
tf_definitions_get(struct tf_db *db, struct tf_definition_row *r,
    struct tf_error *err)
{
	const char *name = r->name.n == 0 ? "" : r->name.p;
	sqlite3_stmt *st;
	enum tf_code rc;

	if (db->version < TF_DB_DEFINITIONS)
		return TF_NOTFOUND;
	if (r->version == 0)
		st = tf_sql(db, err,
		    "SELECT version, entry, object FROM definition"
		    " WHERE node = ?1 AND kind = ?2 AND name = ?3"
		    " AND entry < ?4 ORDER BY version DESC LIMIT 1",
		    "uibu", r->node, (int64_t)r->kind, name, r->name.n,
		    end_of(db, r->kind));
	else
		st = tf_sql(db, err,
		    "SELECT version, entry, object FROM definition"
		    " WHERE node = ?1 AND kind = ?2 AND name = ?3"
		    " AND version = ?4 AND entry < ?5",
		    "uibuu", r->node, (int64_t)r->kind, name, r->name.n,
		    r->version, end_of(db, r->kind));
	return (rc = tf_sql_row(db, st, "read definition", err)) != TF_OK ?
	    rc :
	    take_facts(st, r);
}

enum tf_code
tf_definitions_before(struct tf_db *db, struct tf_definition_row *r,
    uint64_t before, struct tf_error *err)
{
	sqlite3_stmt *st;
	enum tf_code rc;

	if (db->version < TF_DB_DEFINITIONS)
		return TF_NOTFOUND;
	if (before > end_of(db, r->kind))
		before = end_of(db, r->kind);
	st = tf_sql(db, err,
	    "SELECT version, entry, object FROM definition"
	    " WHERE node = ?1 AND kind = ?2 AND name = ?3 AND entry < ?4"
	    " ORDER BY version DESC LIMIT 1",
	    "uibu", r->node, (int64_t)r->kind, r->name.n == 0 ? "" : r->name.p,
	    r->name.n, before);
	return (rc = tf_sql_row(db, st, "read definition", err)) != TF_OK ?
	    rc :
	    take_facts(st, r);
}

/* Call fn for each row of st: node, kind, name, version, entry, object. */
static enum tf_code
each_row(struct tf_db *db, sqlite3_stmt *st, tf_definition_fn fn, void *arg,
    struct tf_error *err)
{
	struct tf_definition_row r;
	enum tf_code rc;

	while ((rc = tf_sql_row(db, st, "read definitions", err)) == TF_OK) {
		r.node = (uint64_t)sqlite3_column_int64(st, 0);
		r.kind = sqlite3_column_int(st, 1);
		r.name.p = sqlite3_column_blob(st, 2);
		r.name.n = (size_t)sqlite3_column_bytes(st, 2);
		r.version = (uint64_t)sqlite3_column_int64(st, 3);
		r.entry = (uint64_t)sqlite3_column_int64(st, 4);
		r.object = (uint64_t)sqlite3_column_int64(st, 5);
		if ((rc = fn(arg, &r, err)) != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_definitions_names(struct tf_db *db, uint64_t node, int kind,
    struct tf_str after, tf_definition_fn fn, void *arg, struct tf_error *err)
{
	if (db->version < TF_DB_DEFINITIONS)
		return TF_OK;
	/* SQLite takes the other columns from the row of the greatest version.
	 */
	return each_row(db,
	    tf_sql(db, err,
		"SELECT node, kind, name, max(version), entry, object"
		" FROM definition WHERE node = ?1 AND kind = ?2"
		" AND (?3 IS NULL OR name > ?3) AND entry < ?4"
		" GROUP BY name ORDER BY name",
		"uibu", node, (int64_t)kind, after.p, after.n,
		end_of(db, kind)),
	    fn, arg, err);
}

enum tf_code
tf_definitions_since(struct tf_db *db, uint64_t node, int kind, uint64_t from,
    tf_definition_fn fn, void *arg, struct tf_error *err)
{
	if (db->version < TF_DB_DEFINITIONS)
		return TF_OK;
	return each_row(db,
	    tf_sql(db, err,
		"SELECT node, kind, name, version, entry, object"
		" FROM definition WHERE node = ?1 AND kind = ?2"
		" AND entry >= ?3 AND entry < ?4 ORDER BY entry",
		"uiuu", node, (int64_t)kind, from, end_of(db, kind)),
	    fn, arg, err);
}

enum tf_code
tf_definitions_of_kind(struct tf_db *db, int kind, tf_definition_fn fn,
    void *arg, struct tf_error *err)
{
	if (db->version < TF_DB_DEFINITIONS)
		return TF_OK;
	return each_row(db,
	    tf_sql(db, err,
		"SELECT node, kind, name, max(version), entry, object"
		" FROM definition WHERE kind = ?1 AND entry < ?2"
		" GROUP BY node, name",
		"iu", (int64_t)kind, end_of(db, kind)),
	    fn, arg, err);
}

enum tf_code
tf_definitions_each(struct tf_db *db, tf_definition_fn fn, void *arg,
    struct tf_error *err)
{
	if (db->version < TF_DB_DEFINITIONS)
		return TF_OK;
	return each_row(db,
	    tf_sql(db, err,
		"SELECT node, kind, name, version, entry, object"
		" FROM definition",
		""),
	    fn, arg, err);
}

enum tf_code
tf_text_redacted(struct tf_db *db, const struct tf_hash *h, bool *yes,
    struct tf_error *err)
{
	struct tf_definition_row row = { .node = TF_ROOT_ID,
		.kind = TF_ROW_TEXT_REDACTED,
		.name = { (const char *)h->b, sizeof(h->b) } };
	enum tf_code rc = tf_definitions_get(db, &row, err);

	*yes = rc == TF_OK;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}
