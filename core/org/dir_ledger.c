/*
 * The ledger of the engine `dir:`: opening, and reading.  dir_append.c appends,
 * dir_members.c says who may.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../store/sql.h"
#include "dir_db.h"
#include "dir_i.h"

#define POLL_MS 20 /* between two looks at the number of entries */

static enum tf_code
ledger_create(const char *uri, struct tf_error *err)
{
	return tf_dir_db_create(tf_dir_path(uri), err);
}

static enum tf_code
ledger_open(const char *uri, enum tf_org_how how, struct tf_ledger **out,
    struct tf_error *err)
{
	struct tf_dir_ledger *l = calloc(1, sizeof(*l));
	enum tf_code rc;

	if (l == NULL)
		return tf_nomem(err);
	l->base.ops = &tf_dir_ledger_ops;
	l->how = how;
	rc = tf_dir_db_open(tf_dir_path(uri), how != TF_ORG_READER, &l->db,
	    err);
	if (rc == TF_OK)
		rc = tf_sql_one_int(l->db, "PRAGMA user_version", &l->version,
		    err);
	if (rc != TF_OK) {
		tf_dir_db_close(l->db);
		free(l);
		return rc;
	}
	*out = &l->base;
	return TF_OK;
}

static void
ledger_close(struct tf_ledger *l)
{
	tf_dir_db_close(tf_dir_ledger(l)->db);
	free(l);
}

static unsigned
caps(struct tf_ledger *l)
{
	(void)l;
	return TF_LEDGER_SHARED;
}

/* --- reading ---------------------------------------------------------------- */

static struct tf_str
column(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);
	int n = sqlite3_column_bytes(st, i);

	if (sqlite3_column_type(st, i) == SQLITE_NULL)
		return (struct tf_str){ 0 };
	return (struct tf_str){ p != NULL ? p : "", (size_t)n };
}

static enum tf_code
newest_note(struct tf_dir_ledger *l, int64_t member, struct tf_buf *note,
    struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(l->db, err,
	    "SELECT note FROM note WHERE member = ?1"
	    " ORDER BY size DESC LIMIT 1",
	    "i", member);
	enum tf_code rc = tf_sql_row(l->db, st, "read a checkpoint", err);
	struct tf_str s;

	if (rc == TF_NOTFOUND)
		return TF_OK;
	if (rc != TF_OK)
		return rc;
	s = column(st, 0);
	tf_buf_add(note, s.p, s.n);
	(void)sqlite3_reset(st);
	return tf_buf_end(note, err);
}

static enum tf_code
member(struct tf_ledger *ledger, const char *origin, uint64_t *next,
    struct tf_buf *note, struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	struct tf_dir_member m;
	enum tf_code rc = tf_dir_member(l, origin, &m, err);

	if (rc == TF_OK) {
		*next = m.next;
		if (note != NULL)
			rc = newest_note(l, m.id, note, err);
	}
	if (rc == TF_OK && m.revoked)
		rc = tf_fail(err, TF_DENIED, "%s was revoked", origin);
	return rc;
}

static enum tf_code
size(struct tf_ledger *l, uint64_t *n, struct tf_error *err)
{
	return tf_dir_size(tf_dir_ledger(l), n, err);
}

#define LEAVES                                                            \
	"SELECT l.seq, m.origin, l.number, l.body, n.note FROM leaf AS l" \
	" JOIN member AS m ON m.id = l.member LEFT JOIN note AS n"        \
	" ON n.member = l.member AND n.size = l.number + 1"

/* Call fn for the row of LEAVES.  E3: a hole can only come from damage. */
static enum tf_code
give_leaf(sqlite3_stmt *st, bool of_one, uint64_t next, tf_leaf_fn fn,
    void *arg, struct tf_error *err)
{
	struct tf_leaf leaf = {
		.index = (uint64_t)sqlite3_column_int64(st, 0),
		.origin = column(st, 1),
		.number = (uint64_t)sqlite3_column_int64(st, 2),
		.bytes = column(st, 3),
		.note = column(st, 4),
	};

	if ((of_one ? leaf.number : leaf.index) != next)
		return tf_fail(err, TF_TAMPER,
		    "entry %llu of the %s is missing", (unsigned long long)next,
		    of_one ? "origin" : "ledger");
	return fn(arg, &leaf, err);
}

/* Call fn for all rows of st, which are dense. */
static enum tf_code
give_leaves(struct tf_dir_ledger *l, sqlite3_stmt *st, bool of_one,
    uint64_t from, tf_leaf_fn fn, void *arg, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (uint64_t i = from; rc == TF_OK; i++) {
		rc = tf_sql_row(l->db, st, "read the ledger", err);
		if (rc == TF_NOTFOUND)
			return TF_OK;
		if (rc == TF_OK &&
		    (rc = give_leaf(st, of_one, i, fn, arg, err)) != TF_OK)
			(void)sqlite3_reset(st);
	}
	return rc;
}

static enum tf_code
ledger_read(struct tf_ledger *ledger, uint64_t from, uint64_t max,
    tf_leaf_fn fn, void *arg, struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	uint64_t most = max < INT64_MAX ? max : INT64_MAX;

	if (from > INT64_MAX)
		return TF_OK;
	return give_leaves(l,
	    tf_sql(l->db, err,
		LEAVES " WHERE l.seq >= ?1 ORDER BY l.seq LIMIT ?2", "uu", from,
		most),
	    false, from, fn, arg, err);
}

static enum tf_code
read_of(struct tf_ledger *ledger, const char *origin, uint64_t from,
    uint64_t max, tf_leaf_fn fn, void *arg, struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	uint64_t most = max < INT64_MAX ? max : INT64_MAX;

	if (from > INT64_MAX)
		return TF_OK;
	return give_leaves(l,
	    tf_sql(l->db, err,
		LEAVES " WHERE l.member ="
		       " (SELECT id FROM member WHERE origin = ?1)"
		       " AND l.number >= ?2 ORDER BY l.number LIMIT ?3",
		"buu", origin, strlen(origin), from, most),
	    true, from, fn, arg, err);
}

static bool
take_hash(struct tf_str s, struct tf_hash *out)
{
	if (s.n != sizeof(out->b))
		return false;
	memcpy(out->b, s.p, sizeof(out->b));
	return true;
}

static enum tf_code
locate_one(struct tf_dir_ledger *l, const char *origin,
    const struct tf_hash *object, struct tf_located *out, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(l->db, err,
	    "SELECT o.bundle, o.off, o.len FROM located AS o"
	    " JOIN member AS m ON m.id = o.member"
	    " WHERE m.origin = ?1 AND o.object = ?2",
	    "bb", origin, strlen(origin), object->b, sizeof(object->b));
	enum tf_code rc = tf_sql_row(l->db, st, "locate an object", err);

	*out = (struct tf_located){ .object = *object, .len = TF_IN_NO_BUNDLE };
	if (rc == TF_NOTFOUND)
		return TF_OK;
	if (rc != TF_OK)
		return rc;
	out->off = (uint64_t)sqlite3_column_int64(st, 1);
	out->len = (uint64_t)sqlite3_column_int64(st, 2);
	if (!take_hash(column(st, 0), &out->bundle))
		rc = tf_fail(err, TF_TAMPER, "a bundle has no digest");
	(void)sqlite3_reset(st);
	return rc;
}

/* In one transaction, which takes its locks once. */
static enum tf_code
locate(struct tf_ledger *ledger, const char *origin,
    const struct tf_hash *objects, size_t n, struct tf_located *out,
    struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	enum tf_code rc = tf_sql_exec(l->db, "BEGIN", "begin", err);

	if (rc != TF_OK)
		return rc;
	for (size_t i = 0; rc == TF_OK && i < n; i++)
		rc = locate_one(l, origin, &objects[i], &out[i], err);
	tf_dir_rollback(l); /* nothing was written */
	return rc;
}

static enum tf_code
find(struct tf_ledger *ledger, const char *origin, uint64_t number,
    uint64_t *index, struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	sqlite3_stmt *st = tf_sql(l->db, err,
	    "SELECT l.seq FROM leaf AS l JOIN member AS m ON m.id = l.member"
	    " WHERE m.origin = ?1 AND l.number = ?2",
	    "bu", origin, strlen(origin), number);
	enum tf_code rc = tf_sql_row(l->db, st, "find an entry", err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_NOTFOUND,
		    "the ledger has no entry %llu of %s",
		    (unsigned long long)number, origin);
	if (rc != TF_OK)
		return rc;
	*index = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return TF_OK;
}

static enum tf_code
wait_beyond(struct tf_ledger *ledger, uint64_t beyond, int timeout_ms,
    uint64_t *n, struct tf_error *err)
{
	uint64_t end = tf_clock_boot_ns() +
	    (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * 1000000;
	enum tf_code rc;

	while ((rc = tf_dir_size(tf_dir_ledger(ledger), n, err)) == TF_OK &&
	    *n <= beyond && tf_clock_boot_ns() < end)
		(void)poll(NULL, 0, POLL_MS);
	return rc;
}

/* --- the checkpoint ---------------------------------------------------------- */

static enum tf_code
checkpoint_get(struct tf_ledger *ledger, uint64_t *n, struct tf_buf *note,
    struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	sqlite3_stmt *st = tf_sql(l->db, err,
	    "SELECT size, note FROM checkpoint", "");
	enum tf_code rc = tf_sql_row(l->db, st, "read the checkpoint", err);
	struct tf_str s;

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_NOTFOUND, "there is no checkpoint yet");
	if (rc != TF_OK)
		return rc;
	*n = (uint64_t)sqlite3_column_int64(st, 0);
	s = column(st, 1);
	if (note != NULL)
		tf_buf_add(note, s.p, s.n);
	(void)sqlite3_reset(st);
	return note != NULL ? tf_buf_end(note, err) : TF_OK;
}

static enum tf_code
compare_and_set(struct tf_dir_ledger *l, uint64_t expect, uint64_t n,
    struct tf_str note, struct tf_error *err)
{
	uint64_t now = UINT64_MAX, entries;
	enum tf_code rc = checkpoint_get(&l->base, &now, NULL, err);

	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	if (now != expect)
		return tf_fail(err, TF_BUSY, "another checkpoint was put");
	if ((rc = tf_dir_size(l, &entries, err)) != TF_OK)
		return rc;
	if (n > entries || (expect != UINT64_MAX && n < expect))
		return tf_fail(err, TF_INVALID,
		    "no checkpoint of %llu entries fits this ledger",
		    (unsigned long long)n);
	return tf_sql_run(l->db,
	    tf_sql(l->db, err,
		"INSERT OR REPLACE INTO checkpoint(id, size, note)"
		" VALUES(0, ?1, ?2)",
		"ub", n, note.p, note.n),
	    "put the checkpoint", err);
}

static enum tf_code
checkpoint_put(struct tf_ledger *ledger, uint64_t expect, uint64_t n,
    struct tf_str note, struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	enum tf_code rc = tf_dir_may(l, TF_ORG_ORGANISER, err);

	if (rc != TF_OK || (rc = tf_dir_begin(l, err)) != TF_OK)
		return rc;
	rc = compare_and_set(l, expect, n, note, err);
	if (rc == TF_OK)
		rc = tf_dir_commit(l, err);
	if (rc != TF_OK)
		tf_dir_rollback(l);
	return rc;
}

const struct tf_ledger_ops tf_dir_ledger_ops = {
	.create = ledger_create,
	.open = ledger_open,
	.close = ledger_close,
	.caps = caps,
	.append = tf_dir_append,
	.member = member,
	.size = size,
	.read = ledger_read,
	.read_of = read_of,
	.locate = locate,
	.find = find,
	.checkpoint_get = checkpoint_get,
	.checkpoint_put = checkpoint_put,
	.wait = wait_beyond,
	.enrol = tf_dir_enrol,
	.revoke = tf_dir_revoke,
	.govern = tf_dir_govern,
	.members = tf_dir_members,
	.refusals = tf_dir_refusals,
};
