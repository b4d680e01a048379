/* Who may append to a ledger of the engine `dir:`, and what was refused. */
#include <string.h>

#include "../base/bytes.h"
#include "../store/sql.h"
#include "dir_i.h"

static struct tf_str
bytes(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);

	return (struct tf_str){ p != NULL ? p : "",
		(size_t)sqlite3_column_bytes(st, i) };
}

static enum tf_code
has_vkey(struct tf_dir_ledger *l, int64_t id, const char *vkey,
    const char *origin, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(l->db, err,
	    "SELECT 1 FROM member WHERE id = ?1 AND vkey = ?2", "it", id, vkey);
	enum tf_code rc = tf_sql_row(l->db, st, "compare the keys", err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_EXISTS,
		    "%s is enrolled with another key", origin);
	if (rc == TF_OK)
		(void)sqlite3_reset(st);
	return rc;
}

static enum tf_code
put_member(struct tf_dir_ledger *l, const char *origin, const char *vkey,
    bool organiser, struct tf_error *err)
{
	struct tf_dir_member m;
	enum tf_code rc = tf_dir_member(l, origin, &m, err);

	if (rc == TF_NOTFOUND)
		return tf_sql_run(l->db,
		    tf_sql(l->db, err,
			"INSERT INTO member"
			"(origin, vkey, next, revoked, organiser)"
			" VALUES(?1, ?2, 0, 0, ?3)",
			"bti", origin, strlen(origin), vkey,
			(int64_t)organiser),
		    "enrol", err);
	if (rc == TF_OK)
		rc = has_vkey(l, m.id, vkey, origin, err);
	if (rc == TF_OK)
		rc = tf_sql_run(l->db,
		    tf_sql(l->db, err,
			"UPDATE member SET revoked = 0, refused = 0, organiser = ?2"
			" WHERE id = ?1",
			"ii", m.id, (int64_t)organiser),
		    "enrol again", err);
	return rc;
}

static enum tf_code
check_enrol(const char *origin, const char *role, struct tf_error *err)
{
	if (*role != '\0' && strcmp(role, TF_ORG_OWN) != 0)
		return tf_fail(err, TF_INVALID,
		    "a directory has no roles: who may write it may append");
	if (*origin == '\0' || strlen(origin) > TF_ORG_NAME_MAX)
		return tf_fail(err, TF_INVALID, "an origin has 1 to %d bytes",
		    TF_ORG_NAME_MAX);
	return TF_OK;
}

static enum tf_code
take_member(struct tf_dir_ledger *l, const char *origin, struct tf_error *err)
{
	struct tf_dir_member m;
	enum tf_code rc = tf_dir_member(l, origin, &m, err);

	return rc != TF_OK ?
	    rc :
	    tf_sql_run(l->db,
		tf_sql(l->db, err,
		    "UPDATE member SET revoked = 1, refused = 0"
		    " WHERE id = ?1",
		    "i", m.id),
		"revoke", err);
}

static enum tf_code
end(struct tf_dir_ledger *l, enum tf_code rc, struct tf_error *err)
{
	if (rc == TF_OK)
		rc = tf_dir_commit(l, err);
	if (rc != TF_OK)
		tf_dir_rollback(l);
	return rc;
}

enum tf_code
tf_dir_enrol(struct tf_ledger *ledger, const char *origin, const char *vkey,
    const char *role, struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	enum tf_code rc = tf_dir_may(l, TF_ORG_ORGANISER, err);

	if (rc != TF_OK || (rc = check_enrol(origin, role, err)) != TF_OK ||
	    (rc = tf_dir_begin(l, err)) != TF_OK)
		return rc;
	return end(l,
	    put_member(l, origin, vkey, strcmp(role, TF_ORG_OWN) == 0, err),
	    err);
}

enum tf_code
tf_dir_revoke(struct tf_ledger *ledger, const char *origin,
    struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	enum tf_code rc = tf_dir_may(l, TF_ORG_ORGANISER, err);

	if (rc != TF_OK || (rc = tf_dir_begin(l, err)) != TF_OK)
		return rc;
	return end(l, take_member(l, origin, err), err);
}

enum tf_code
tf_dir_govern(struct tf_ledger *ledger, const struct tf_governed *g,
    struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	enum tf_code rc = tf_dir_may(l, TF_ORG_ORGANISER, err);

	if (rc == TF_OK && !g->revokes)
		rc = check_enrol(g->origin, g->role, err);
	if (rc != TF_OK || (rc = tf_dir_begin(l, err)) != TF_OK)
		return rc;
	rc = g->revokes ? take_member(l, g->origin, err) :
			  put_member(l, g->origin, g->vkey,
			      strcmp(g->role, TF_ORG_OWN) == 0, err);
	if (rc == TF_OK)
		rc = tf_dir_append_own(l, g, err);
	return end(l, rc, err);
}

enum tf_code
tf_dir_members(struct tf_ledger *ledger, tf_member_fn fn, void *arg,
    struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	sqlite3_stmt *st = tf_sql(l->db, err,
	    "SELECT origin, vkey, next, revoked, organiser FROM member"
	    " ORDER BY origin",
	    "");
	enum tf_code rc;

	while ((rc = tf_sql_row(l->db, st, "read the members", err)) == TF_OK) {
		struct tf_member m = {
			.origin = bytes(st, 0),
			.vkey = bytes(st, 1),
			.role = tf_str_of(sqlite3_column_int64(st, 4) != 0 ?
				TF_ORG_OWN :
				""),
			.next = (uint64_t)sqlite3_column_int64(st, 2),
			.revoked = sqlite3_column_int64(st, 3) != 0,
		};

		if ((rc = fn(arg, &m, err)) != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

#define REFUSALS                                                 \
	" FROM refusal AS r JOIN member AS m ON m.id = r.member" \
	" WHERE r.id > ?1 ORDER BY r.id"

/* Rows are numbered from 1, without a gap: none is ever deleted. */
enum tf_code
tf_dir_refusals(struct tf_ledger *ledger, uint64_t from, tf_refused_fn fn,
    void *arg, struct tf_error *err)
{
	struct tf_dir_ledger *l = tf_dir_ledger(ledger);
	sqlite3_stmt *st;
	enum tf_code rc;

	if (from >= INT64_MAX)
		return TF_OK;
	st = tf_sql(l->db, err,
	    l->version > 1 ?
		"SELECT r.id, m.origin, r.number, r.given, r.there, r.at_s,"
		" r.at_ns, r.revoked" REFUSALS :
		"SELECT r.id, m.origin, r.number, r.given, r.there, r.at_s,"
		" r.at_ns, 0" REFUSALS,
	    "u", from);
	while ((rc = tf_sql_row(l->db, st, "read refusals", err)) == TF_OK) {
		struct tf_refused r = {
			.index = (uint64_t)sqlite3_column_int64(st, 0) - 1,
			.origin = bytes(st, 1),
			.number = (uint64_t)sqlite3_column_int64(st, 2),
			.is_fork = sqlite3_column_type(st, 4) != SQLITE_NULL,
			.is_revoked = sqlite3_column_int64(st, 7) != 0,
			.at = { sqlite3_column_int64(st, 5),
			    (uint32_t)sqlite3_column_int64(st, 6) },
		};

		if (bytes(st, 3).n != sizeof(r.given.b) ||
		    (r.is_fork && bytes(st, 4).n != sizeof(r.there.b)))
			rc = tf_fail(err, TF_TAMPER, "a refusal has no digest");
		else {
			memcpy(r.given.b, bytes(st, 3).p, sizeof(r.given.b));
			if (r.is_fork)
				memcpy(r.there.b, bytes(st, 4).p,
				    sizeof(r.there.b));
			rc = fn(arg, &r, err);
		}
		if (rc != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}
