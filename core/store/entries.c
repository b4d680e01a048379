/*
 * The ledger's tables.  I1: triggers in schema.c refuse to change or delete
 * rows of entry and checkpoint, and to shorten tiles.  The lengths of tiles
 * and roots are checked before they are copied, since a damaged database may
 * hold any bytes; a wrong length is TF_TAMPER.
 */
#include <string.h>

#include "../json.h"
#include "entries.h"
#include "sql.h"

enum tf_code
tf_entries_put(struct tf_db *db, uint64_t idx, uint64_t off, const void *body,
    size_t n, struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err, "INSERT INTO entry VALUES(?1, ?2, ?3)", "uub", idx,
		off, body, n),
	    "append entry", err);
}

enum tf_code
tf_entries_get(struct tf_db *db, uint64_t idx, struct tf_buf *out,
    uint64_t *off, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT off, body FROM entry WHERE idx = ?1", "u", idx);
	enum tf_code rc = tf_sql_row(db, st, "read entry", err);

	if (rc != TF_OK)
		return rc;
	if (off != NULL)
		*off = (uint64_t)sqlite3_column_int64(st, 0);
	if (out != NULL) {
		const void *p = sqlite3_column_blob(st, 1);

		tf_buf_add(out, p, (size_t)sqlite3_column_bytes(st, 1));
		if (out->failed)
			rc = tf_nomem(err);
	}
	(void)sqlite3_reset(st);
	return rc;
}

enum tf_code
tf_entries_before(struct tf_db *db, uint64_t idx, uint64_t *found,
    uint64_t *off, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT idx, off FROM entry WHERE idx <= ?1"
	    " ORDER BY idx DESC LIMIT 1",
	    "u", idx);
	enum tf_code rc = tf_sql_row(db, st, "read entry", err);

	if (rc != TF_OK)
		return rc;
	*found = (uint64_t)sqlite3_column_int64(st, 0);
	*off = (uint64_t)sqlite3_column_int64(st, 1);
	(void)sqlite3_reset(st);
	return TF_OK;
}

/*
 * From the last row alone: counting all rows would take as long as the log is.
 * One is added for the newline of the last line.
 */
enum tf_code
tf_entries_size(struct tf_db *db, uint64_t *count, uint64_t *bytes,
    struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT idx, off, length(body)"
	    " FROM entry ORDER BY idx DESC LIMIT 1",
	    "");
	enum tf_code rc = tf_sql_row(db, st, "count entries", err);

	*count = *bytes = 0;
	if (rc == TF_NOTFOUND)
		return TF_OK;
	if (rc != TF_OK)
		return rc;
	*count = (uint64_t)sqlite3_column_int64(st, 0) + 1;
	*bytes = (uint64_t)sqlite3_column_int64(st, 1) +
	    (uint64_t)sqlite3_column_int64(st, 2) + 1;
	(void)sqlite3_reset(st);
	return TF_OK;
}

/* Call fn for each row of st: idx, off, body. */
static enum tf_code
each_row(struct tf_db *db, sqlite3_stmt *st, tf_entry_fn fn, void *arg,
    struct tf_error *err)
{
	enum tf_code rc;
	const void *p;

	while ((rc = tf_sql_row(db, st, "read entries", err)) == TF_OK) {
		p = sqlite3_column_blob(st, 2);
		rc = fn(arg, (uint64_t)sqlite3_column_int64(st, 0),
		    (uint64_t)sqlite3_column_int64(st, 1), p,
		    (size_t)sqlite3_column_bytes(st, 2), err);
		if (rc != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_entries_each(struct tf_db *db, uint64_t from, tf_entry_fn fn, void *arg,
    struct tf_error *err)
{
	return each_row(db,
	    tf_sql(db, err,
		"SELECT idx, off, body FROM entry"
		" WHERE idx >= ?1 ORDER BY idx",
		"u", from),
	    fn, arg, err);
}

enum tf_code
tf_entries_with(struct tf_db *db, uint64_t from, const char *text,
    tf_entry_fn fn, void *arg, struct tf_error *err)
{
	return each_row(db,
	    tf_sql(db, err,
		"SELECT idx, off, body FROM entry"
		" WHERE idx >= ?1 AND instr(body, ?2) > 0 ORDER BY idx",
		"ub", from, text, strlen(text)),
	    fn, arg, err);
}

enum tf_code
tf_entries_rows(struct tf_db *db, uint64_t *rows, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err, "SELECT count(*) FROM entry", "");
	enum tf_code rc = tf_sql_row(db, st, "count entries", err);

	if (rc != TF_OK)
		return rc;
	*rows = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return TF_OK;
}

enum tf_code
tf_tiles_each(struct tf_db *db, tf_tile_fn fn, void *arg, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT level, n, length(data) FROM tile", "");
	enum tf_code rc;

	while ((rc = tf_sql_row(db, st, "read tiles", err)) == TF_OK) {
		rc = fn(arg, sqlite3_column_int64(st, 0),
		    sqlite3_column_int64(st, 1),
		    (uint64_t)sqlite3_column_int64(st, 2) /
			sizeof(struct tf_hash),
		    err);
		if (rc != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_tiles_put(struct tf_db *db, unsigned level, uint64_t n,
    const struct tf_hash *h, unsigned width, struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err,
		"INSERT INTO tile VALUES(?1, ?2, ?3)"
		" ON CONFLICT(level, n) DO UPDATE SET data = ?3",
		"uub", (uint64_t)level, n, h, (size_t)width * sizeof(*h)),
	    "write tile", err);
}

/*
 * A tile may have grown since the caller's tree: it takes the first width
 * hashes.
 */
enum tf_code
tf_tiles_get(struct tf_db *db, unsigned level, uint64_t n, unsigned width,
    struct tf_hash *out, struct tf_error *err)
{
	size_t want = (size_t)width * sizeof(*out);
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT data FROM tile WHERE level = ?1 AND n = ?2", "uu",
	    (uint64_t)level, n);
	enum tf_code rc = tf_sql_row(db, st, "read tile", err);
	const void *p;

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_TAMPER, "tile %u/%llu is missing", level,
		    (unsigned long long)n);
	if (rc != TF_OK)
		return rc;
	p = sqlite3_column_blob(st, 0);
	if ((size_t)sqlite3_column_bytes(st, 0) < want)
		rc = tf_fail(err, TF_TAMPER, "tile %u/%llu is too short", level,
		    (unsigned long long)n);
	else
		memcpy(out, p, want);
	(void)sqlite3_reset(st);
	return rc;
}

enum tf_code
tf_checkpoints_back(struct tf_db *db, tf_checkpoint_fn fn, void *arg,
    struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT size, note FROM checkpoint ORDER BY size DESC", "");
	struct tf_str note;
	enum tf_code rc;

	while ((rc = tf_sql_row(db, st, "read checkpoints", err)) == TF_OK) {
		note.p = sqlite3_column_blob(st, 1);
		note.n = (size_t)sqlite3_column_bytes(st, 1);
		rc = fn(arg, (uint64_t)sqlite3_column_int64(st, 0), note, err);
		if (rc != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_checkpoints_put(struct tf_db *db, uint64_t size, const struct tf_hash *root,
    const void *note, size_t n, struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err, "INSERT INTO checkpoint VALUES(?1, ?2, ?3)", "ubb",
		size, root, sizeof(*root), note, n),
	    "write checkpoint", err);
}

/* Take size, root and note (may be NULL) from the row of st, and reset it. */
static enum tf_code
take_checkpoint(sqlite3_stmt *st, uint64_t *size, struct tf_hash *root,
    struct tf_buf *note, struct tf_error *err)
{
	const void *p = sqlite3_column_blob(st, 1);
	enum tf_code rc = TF_OK;

	*size = (uint64_t)sqlite3_column_int64(st, 0);
	if (sqlite3_column_bytes(st, 1) != (int)sizeof(*root))
		rc = tf_fail(err, TF_TAMPER, "checkpoint row is malformed");
	else
		memcpy(root, p, sizeof(*root));
	if (rc == TF_OK && note != NULL) {
		p = sqlite3_column_blob(st, 2);
		tf_buf_add(note, p, (size_t)sqlite3_column_bytes(st, 2));
		if (note->failed)
			rc = tf_nomem(err);
	}
	(void)sqlite3_reset(st);
	return rc;
}

enum tf_code
tf_checkpoints_get(struct tf_db *db, uint64_t size, struct tf_hash *root,
    struct tf_buf *note, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT size, root, note FROM checkpoint WHERE size = ?1", "u",
	    size);
	enum tf_code rc = tf_sql_row(db, st, "read checkpoint", err);

	return rc == TF_OK ? take_checkpoint(st, &size, root, note, err) : rc;
}

/* The trigger of the table wants the highest size, and is off for this row. */
enum tf_code
tf_checkpoints_add(struct tf_db *db, uint64_t size, const struct tf_hash *root,
    const void *note, size_t n, struct tf_error *err)
{
	struct tf_hash there;
	enum tf_code rc = tf_checkpoints_get(db, size, &there, NULL, err);

	if (rc != TF_NOTFOUND)
		return rc;
	if (sqlite3_db_config(db->sq, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0,
		NULL) != SQLITE_OK)
		return tf_sql_fail(db, "switch triggers off", err);
	rc = tf_checkpoints_put(db, size, root, note, n, err);
	if (sqlite3_db_config(db->sq, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1,
		NULL) != SQLITE_OK &&
	    rc == TF_OK)
		rc = tf_sql_fail(db, "switch triggers on", err);
	return rc;
}

enum tf_code
tf_checkpoints_newest(struct tf_db *db, uint64_t *size, struct tf_hash *root,
    struct tf_buf *note, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT size, root, note"
	    " FROM checkpoint WHERE size <= ?1 ORDER BY size DESC LIMIT 1",
	    "u", tf_sql_end(db));
	enum tf_code rc = tf_sql_row(db, st, "read checkpoint", err);

	return rc == TF_OK ? take_checkpoint(st, size, root, note, err) : rc;
}

enum tf_code
tf_checkpoints_between(struct tf_db *db, uint64_t after, uint64_t most,
    uint64_t *size, struct tf_hash *root, struct tf_buf *note,
    struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT size, root, note FROM checkpoint"
	    " WHERE size > ?1 AND size <= ?2 ORDER BY size DESC LIMIT 1",
	    "uu", after, most);
	enum tf_code rc = tf_sql_row(db, st, "read checkpoint", err);

	return rc == TF_OK ? take_checkpoint(st, size, root, note, err) : rc;
}

enum tf_code
tf_tiles_read(void *db, unsigned level, uint64_t n, unsigned width,
    struct tf_hash *out, struct tf_error *err)
{
	return tf_tiles_get(db, level, n, width, out, err);
}
