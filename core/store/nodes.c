/*
 * The tables of names, node and stage: see nodes.h.  Both have the columns
 * COLUMNS, in that order, and one function reads them.  Rows of stage change
 * often; a row of node changes only in access, times and seal, as triggers of
 * schema.c enforce.  Numbers are checked when they are read: a value that does
 * not fit its field would be cut, and a damaged row would pass for a sound
 * one.
 */
#include <string.h>

#include "../json.h"
#include "nodes.h"
#include "sql.h"

#define COLUMNS                                                \
	"id, parent, name, kind, mode, uid, gid, size, mtime," \
	" mtime_ns, ctime, ctime_ns, btime, btime_ns"

/* Bits of stage.dirty. */
enum { DIRTY = 1, UNWRITTEN = 2, ASIDE = 4, SECRET = 8 };

static struct tf_time
time_at(sqlite3_stmt *st, int col)
{
	return (struct tf_time){ sqlite3_column_int64(st, col),
		(uint32_t)sqlite3_column_int64(st, col + 1) };
}

static struct tf_str
str_at(sqlite3_stmt *st, int col)
{
	struct tf_str s = { sqlite3_column_blob(st, col), 0 };

	s.n = (size_t)sqlite3_column_bytes(st, col);
	return s;
}

/* Read COLUMNS of the current row. */
static enum tf_code
read_attr(sqlite3_stmt *st, struct tf_attr *a, char name[256], size_t *n,
    struct tf_error *err)
{
	struct tf_str s = str_at(st, 2);

	*a = (struct tf_attr){
		.id = (uint64_t)sqlite3_column_int64(st, 0),
		.parent = (uint64_t)sqlite3_column_int64(st, 1),
		.kind = (enum tf_kind)sqlite3_column_int64(st, 3),
		.mode = (uint32_t)sqlite3_column_int64(st, 4),
		.uid = (uint32_t)sqlite3_column_int64(st, 5),
		.gid = (uint32_t)sqlite3_column_int64(st, 6),
		.size = (uint64_t)sqlite3_column_int64(st, 7),
		.mtime = time_at(st, 8),
		.ctime = time_at(st, 10),
		.btime = time_at(st, 12),
	};
	/* A value that is out of range would be cut without notice. */
	if (s.n > 255 || (unsigned)a->kind > TF_KIND_EVIDENCE ||
	    sqlite3_column_int64(st, 4) != (a->mode & 07777) ||
	    sqlite3_column_int64(st, 5) != a->uid ||
	    sqlite3_column_int64(st, 6) != a->gid)
		return tf_fail(err, TF_TAMPER, "row %llu is malformed",
		    (unsigned long long)a->id);
	if (s.n > 0)
		memcpy(name, s.p, s.n);
	name[s.n] = '\0';
	*n = s.n;
	return TF_OK;
}

/* Show the row as it was before entry db->end; see tf_db_end_at.  The mtime of
 * evidence is what its writer said. */
static void
show_past(const struct tf_db *db, struct tf_node_row *r)
{
	struct tf_attr *a = &r->attr;

	if (r->seal != TF_NO_SEQ && r->seal >= db->end)
		r->seal = TF_NO_SEQ;
	if (a->kind != TF_KIND_EVIDENCE &&
	    tf_time_cmp(a->mtime, db->end_time) > 0)
		a->mtime = db->end_time;
	if (tf_time_cmp(a->ctime, db->end_time) > 0)
		a->ctime = db->end_time;
}

/* Read a row of COLUMNS, entry, seal, object. */
static enum tf_code
read_node(const struct tf_db *db, sqlite3_stmt *st, struct tf_node_row *r,
    struct tf_error *err)
{
	enum tf_code rc;

	rc = read_attr(st, &r->attr, r->name, &r->name_len, err);
	r->entry = (uint64_t)sqlite3_column_int64(st, 14);
	r->seal = sqlite3_column_type(st, 15) == SQLITE_NULL ?
	    TF_NO_SEQ :
	    (uint64_t)sqlite3_column_int64(st, 15);
	r->object = (uint64_t)sqlite3_column_int64(st, 16);
	r->xattrs = (struct tf_str){ NULL, 0 };
	if (rc == TF_OK && db->end != 0)
		show_past(db, r);
	/* Version 1 ignored this mode, so it must not restrict access now. */
	if (db->version == 1 && r->attr.kind == TF_KIND_DIRECTORY)
		r->attr.mode = 07777;
	r->attr.state = r->attr.kind == TF_KIND_EVIDENCE ||
		r->seal != TF_NO_SEQ ?
	    TF_STATE_SEALED :
	    TF_STATE_OPEN;
	return rc;
}

enum tf_code
tf_nodes_put(struct tf_db *db, const struct tf_node_row *r,
    struct tf_error *err)
{
	const struct tf_attr *a = &r->attr;
	sqlite3_stmt *st;

	st = tf_sql(db, err,
	    "INSERT INTO node(" COLUMNS
	    ", entry, seal, object, xattrs) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7,"
	    " ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, NULL, nullif(?16, 0),"
	    " ?17)",
	    "uubuuuuuiuiuiuuub", a->id, a->parent, r->name, r->name_len,
	    (uint64_t)a->kind, (uint64_t)a->mode, (uint64_t)a->uid,
	    (uint64_t)a->gid, a->size, a->mtime.s, (uint64_t)a->mtime.ns,
	    a->ctime.s, (uint64_t)a->ctime.ns, a->btime.s,
	    (uint64_t)a->btime.ns, r->entry, r->object, r->xattrs.p,
	    r->xattrs.n);
	return tf_sql_run(db, st, "write name", err);
}

/* Read the only row of st.  The statement is reset in any case. */
static enum tf_code
one_node(struct tf_db *db, sqlite3_stmt *st, struct tf_node_row *out,
    struct tf_error *err)
{
	enum tf_code rc = tf_sql_row(db, st, "read name", err);

	if (rc != TF_OK)
		return rc;
	rc = read_node(db, st, out, err);
	(void)sqlite3_reset(st);
	return rc == TF_OK && out->entry >= tf_sql_end(db) ? TF_NOTFOUND : rc;
}

enum tf_code
tf_nodes_get(struct tf_db *db, uint64_t id, struct tf_node_row *out,
    struct tf_error *err)
{
	return one_node(db,
	    tf_sql(db, err,
		"SELECT " COLUMNS
		", entry, seal, object FROM node WHERE id = ?1",
		"u", id),
	    out, err);
}

enum tf_code
tf_nodes_find(struct tf_db *db, uint64_t parent, const char *name, size_t n,
    struct tf_node_row *out, struct tf_error *err)
{
	return one_node(db,
	    tf_sql(db, err,
		"SELECT " COLUMNS
		", entry, seal, object FROM node WHERE parent = ?1 AND name = ?2",
		"ub", parent, name, n),
	    out, err);
}

enum tf_code
tf_nodes_attestation(struct tf_db *db, struct tf_str path, uint64_t *id,
    struct tf_error *err)
{
	struct tf_node_row row = { .attr = { .id = TF_ROOT_ID } };
	enum tf_code rc = TF_OK;

	for (unsigned names = 0; rc == TF_OK && names < 3; names++) {
		const char *end = memchr(path.p, '/', path.n);
		size_t n = end == NULL ? path.n : (size_t)(end - path.p);

		rc = tf_nodes_find(db, row.attr.id, path.p, n, &row, err);
		n += end != NULL;
		path = (struct tf_str){ path.p + n, path.n - n };
	}
	*id = row.attr.id;
	return rc;
}

enum tf_code
tf_nodes_by_entry(struct tf_db *db, uint64_t seq, struct tf_node_row *out,
    struct tf_error *err)
{
	return one_node(db,
	    tf_sql(db, err,
		"SELECT " COLUMNS ", entry, seal, object FROM node"
		" WHERE entry = ?1 OR seal = ?1 LIMIT 1",
		"u", seq),
	    out, err);
}

/* Read up to max rows of st.  The statement is reset in any case. */
static enum tf_code
some_nodes(struct tf_db *db, sqlite3_stmt *st, struct tf_node_row *out,
    size_t max, size_t *n, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (*n = 0; *n < max; ++*n) {
		rc = tf_sql_row(db, st, "list names", err);
		if (rc == TF_NOTFOUND)
			return TF_OK;
		if (rc != TF_OK)
			return rc;
		if ((rc = read_node(db, st, &out[*n], err)) != TF_OK)
			break;
	}
	(void)sqlite3_reset(st);
	return rc;
}

enum tf_code
tf_nodes_list(struct tf_db *db, uint64_t parent, uint64_t after,
    struct tf_node_row *out, size_t max, size_t *n, struct tf_error *err)
{
	/* The root's parent is the root, but the root is not its own child. */
	return some_nodes(db,
	    tf_sql(db, err,
		"SELECT " COLUMNS
		", entry, seal, object FROM node INDEXED BY node_parent"
		" WHERE parent = ?1 AND id > ?2 AND id <> 1 AND entry < ?4"
		" ORDER BY id LIMIT ?3",
		"uuuu", parent, after, (uint64_t)max, tf_sql_end(db)),
	    out, max, n, err);
}

enum tf_code
tf_nodes_by_name(struct tf_db *db, uint64_t parent, const char *after,
    size_t n_after, struct tf_node_row *out, size_t max, size_t *n,
    struct tf_error *err)
{
	return some_nodes(db,
	    tf_sql(db, err,
		"SELECT " COLUMNS ", entry, seal, object FROM node"
		" WHERE parent = ?1 AND name > ?2 AND id <> 1"
		" AND entry < ?4 ORDER BY name LIMIT ?3",
		"ubuu", parent, after, n_after, (uint64_t)max, tf_sql_end(db)),
	    out, max, n, err);
}

/*
 * UNION drops ids that were seen, so a circle of parents in a damaged database
 * ends.
 */
enum tf_code
tf_nodes_dirs(struct tf_db *db, uint64_t top,
    void (*fn)(void *arg, uint64_t id), void *arg, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "WITH RECURSIVE dir(id) AS (VALUES(?1) UNION SELECT n.id FROM dir"
	    " JOIN node n INDEXED BY node_parent ON n.parent = dir.id"
	    " WHERE n.kind = ?2) SELECT id FROM dir WHERE id <> ?1",
	    "uu", top, (uint64_t)TF_KIND_DIRECTORY);
	enum tf_code rc;

	while ((rc = tf_sql_row(db, st, "list directories", err)) == TF_OK)
		fn(arg, (uint64_t)sqlite3_column_int64(st, 0));
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_nodes_each(struct tf_db *db, tf_node_fn fn, void *arg, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT " COLUMNS
	    ", entry, seal, object, xattrs FROM node ORDER BY id",
	    "");
	struct tf_node_row r;
	enum tf_code rc;

	while ((rc = tf_sql_row(db, st, "read names", err)) == TF_OK) {
		rc = read_node(db, st, &r, err);
		r.xattrs = str_at(st, 17);
		if (rc == TF_OK)
			rc = fn(arg, &r, err);
		if (rc != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_nodes_xattrs(struct tf_db *db, uint64_t id, struct tf_buf *out,
    struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT xattrs FROM node WHERE id = ?1", "u", id);
	enum tf_code rc = tf_sql_row(db, st, "read attributes", err);
	struct tf_str s;

	if (rc != TF_OK)
		return rc;
	s = str_at(st, 0);
	if (s.n > 0)
		tf_buf_add(out, s.p, s.n);
	(void)sqlite3_reset(st);
	return tf_buf_end(out, err);
}

enum tf_code
tf_nodes_set_access(struct tf_db *db, uint64_t id, uint32_t mode, uint32_t uid,
    uint32_t gid, struct tf_time ctime, struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err,
		"UPDATE node SET mode = ?2,"
		" uid = ?3, gid = ?4, ctime = ?5, ctime_ns = ?6 WHERE id = ?1",
		"uuuuiu", id, (uint64_t)mode, (uint64_t)uid, (uint64_t)gid,
		ctime.s, (uint64_t)ctime.ns),
	    "write access", err);
}

enum tf_code
tf_nodes_set_seal(struct tf_db *db, uint64_t id, uint64_t seq,
    struct tf_time ctime, struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err,
		"UPDATE node SET seal = ?2,"
		" ctime = ?3, ctime_ns = ?4 WHERE id = ?1",
		"uuiu", id, seq, ctime.s, (uint64_t)ctime.ns),
	    "write seal", err);
}

enum tf_code
tf_nodes_set_object(struct tf_db *db, uint64_t id, uint64_t object,
    struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err, "UPDATE node SET object = ?2 WHERE id = ?1", "uu",
		id, object),
	    "write object of a node", err);
}

/* Times are two columns each, and ctime must never go back. */
enum tf_code
tf_nodes_touch(struct tf_db *db, uint64_t id, struct tf_time at,
    struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err,
		"UPDATE node SET mtime = ?2,"
		" mtime_ns = ?3, (ctime, ctime_ns) = (SELECT max(ctime, ?2),"
		" CASE WHEN (ctime, ctime_ns) < (?2, ?3) THEN ?3"
		" ELSE ctime_ns END) WHERE id = ?1",
		"uiu", id, at.s, (uint64_t)at.ns),
	    "write times", err);
}

enum tf_code
tf_stage_put(struct tf_db *db, const struct tf_stage_row *r,
    struct tf_error *err)
{
	const struct tf_attr *a = &r->attr;
	sqlite3_stmt *st;

	st = tf_sql(db, err,
	    "INSERT OR REPLACE INTO stage(" COLUMNS
	    ", dirty, sha256, actor, writers, xattrs) VALUES(?1, ?2, ?3, ?4,"
	    " ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
	    " ?18, ?19)",
	    "uubuuuuuiuiuiuubbbb", a->id, a->parent, r->name, r->name_len,
	    (uint64_t)a->kind, (uint64_t)a->mode, (uint64_t)a->uid,
	    (uint64_t)a->gid, a->size, a->mtime.s, (uint64_t)a->mtime.ns,
	    a->ctime.s, (uint64_t)a->ctime.ns, a->btime.s,
	    (uint64_t)a->btime.ns,
	    (uint64_t)((r->dirty ? DIRTY : 0) | (r->unwritten ? UNWRITTEN : 0) |
		(r->aside ? ASIDE : 0) | (r->secret ? SECRET : 0)),
	    r->has_digest ? r->sha256.b : NULL, sizeof(r->sha256), r->actor.p,
	    r->actor.n, r->writers.p, r->writers.n, r->xattrs.p, r->xattrs.n);
	return tf_sql_run(db, st, "write stage", err);
}

enum tf_code
tf_stage_set_dirty(struct tf_db *db, uint64_t id, bool written,
    struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err,
		"UPDATE stage SET dirty = (dirty & ~?2) | ?3 WHERE id = ?1",
		"uuu", id, (uint64_t)(written ? UNWRITTEN : 0),
		(uint64_t)DIRTY),
	    "mark dirty", err);
}

enum tf_code
tf_stage_delete(struct tf_db *db, uint64_t id, struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err, "DELETE FROM stage WHERE id = ?1", "u", id),
	    "unstage", err);
}

/*
 * A malformed row is no failure: recovery sets it aside and goes on
 * (unplaced.h).
 */
static enum tf_code
read_stage(sqlite3_stmt *st, struct tf_stage_row *r, struct tf_error *err)
{
	struct tf_str digest = str_at(st, 15);
	enum tf_code rc;

	memset(r, 0, sizeof(*r));
	rc = read_attr(st, &r->attr, r->name, &r->name_len, err);
	if ((r->malformed = rc == TF_TAMPER))
		rc = TF_OK;
	r->dirty = (sqlite3_column_int64(st, 14) & DIRTY) != 0;
	r->unwritten = (sqlite3_column_int64(st, 14) & UNWRITTEN) != 0;
	r->aside = (sqlite3_column_int64(st, 14) & ASIDE) != 0;
	r->secret = (sqlite3_column_int64(st, 14) & SECRET) != 0;
	r->has_digest = digest.p != NULL && digest.n == sizeof(r->sha256);
	if (r->has_digest)
		memcpy(r->sha256.b, digest.p, digest.n);
	r->actor = str_at(st, 16);
	r->writers = str_at(st, 17);
	r->xattrs = str_at(st, 18);
	return rc;
}

enum tf_code
tf_stage_each(struct tf_db *db, tf_stage_fn fn, void *arg, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT " COLUMNS
	    ", dirty, sha256, actor, writers, xattrs FROM stage ORDER BY id",
	    "");
	struct tf_stage_row r;
	enum tf_code rc;

	while ((rc = tf_sql_row(db, st, "read stage", err)) == TF_OK) {
		if ((rc = read_stage(st, &r, err)) == TF_OK)
			rc = fn(arg, &r, err);
		if (rc != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Objects count, too: claims and definitions have ids without a node. */
enum tf_code
tf_nodes_max_id(struct tf_db *db, uint64_t *id, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT max(coalesce((SELECT max(id) FROM node), 0),"
	    " coalesce((SELECT max(id) FROM stage), 0),"
	    " coalesce((SELECT max(id) FROM object), 0))",
	    "");
	enum tf_code rc = tf_sql_row(db, st, "greatest id", err);

	if (rc != TF_OK)
		return rc;
	*id = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return TF_OK;
}
