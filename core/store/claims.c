/*
 * Table claim: see claims.h.  A store of version 1 or 2 that is only read has
 * no such table, so reading functions answer that there is nothing before they
 * prepare a statement.  Writers never see such a store: opening it for writing
 * converts it.
 */
#include "claims.h"
#include "sql.h"
#include "schema.h"

void
tf_claim_row_free(struct tf_claim_row *r)
{
	tf_buf_free(&r->claims);
	tf_buf_free(&r->uids);
	*r = (struct tf_claim_row){ 0 };
}

enum tf_code
tf_claims_put(struct tf_db *db, const struct tf_claim_row *r,
    struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err,
		"INSERT OR REPLACE INTO claim VALUES(?1, ?2, ?3,"
		" ?4, ?5)",
		"ubbuu", r->id, r->claims.n == 0 ? "" : r->claims.p,
		r->claims.n, r->uids.n == 0 ? "" : r->uids.p, r->uids.n,
		r->object, r->entry),
	    "write claims", err);
}

/* Append the columns of st, beginning with id, to *r. */
static enum tf_code
take_row(sqlite3_stmt *st, struct tf_claim_row *r, struct tf_error *err)
{
	r->id = (uint64_t)sqlite3_column_int64(st, 0);
	tf_buf_add(&r->claims, sqlite3_column_blob(st, 1),
	    (size_t)sqlite3_column_bytes(st, 1));
	tf_buf_add(&r->uids, sqlite3_column_blob(st, 2),
	    (size_t)sqlite3_column_bytes(st, 2));
	r->object = (uint64_t)sqlite3_column_int64(st, 3);
	r->entry = (uint64_t)sqlite3_column_int64(st, 4);
	return r->claims.failed ? tf_nomem(err) : tf_buf_end(&r->uids, err);
}

enum tf_code
tf_claims_get(struct tf_db *db, uint64_t id, struct tf_claim_row *r,
    struct tf_error *err)
{
	sqlite3_stmt *st;
	enum tf_code rc;

	r->id = id;
	if (db->version < TF_DB_DEFINITIONS)
		return TF_OK;
	st = tf_sql(db, err,
	    "SELECT id, claims, uids, object, entry FROM claim WHERE id = ?1",
	    "u", id);
	rc = tf_sql_row(db, st, "read claims", err);
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	rc = take_row(st, r, err);
	(void)sqlite3_reset(st);
	return rc;
}

enum tf_code
tf_claims_bytes(struct tf_db *db, uint64_t *n, struct tf_error *err)
{
	sqlite3_stmt *st;
	enum tf_code rc;

	*n = 0;
	if (db->version < TF_DB_DEFINITIONS)
		return TF_OK;
	/* User data of a sealed attestation has no row of claim any more. */
	st = tf_sql(db, err,
	    "SELECT coalesce(sum(size), 0) FROM"
	    " (SELECT object AS id FROM definition"
	    " UNION ALL SELECT object FROM claim)"
	    " JOIN object USING(id)",
	    "");
	rc = tf_sql_row(db, st, "count claims", err);
	if (rc != TF_OK)
		return rc;
	*n = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return TF_OK;
}

enum tf_code
tf_claims_remove(struct tf_db *db, uint64_t id, struct tf_error *err)
{
	enum tf_code rc = tf_sql_run(db,
	    tf_sql(db, err,
		"DELETE FROM object WHERE id ="
		" (SELECT object FROM claim WHERE id = ?1)",
		"u", id),
	    "delete user data", err);

	return rc == TF_OK ? tf_claims_delete(db, id, err) : rc;
}

enum tf_code
tf_claims_delete(struct tf_db *db, uint64_t id, struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err, "DELETE FROM claim WHERE id = ?1", "u", id),
	    "delete claims", err);
}

enum tf_code
tf_claims_each(struct tf_db *db, tf_claim_fn fn, void *arg,
    struct tf_error *err)
{
	return tf_claims_range(db, 0, INT64_MAX, fn, arg, err);
}

enum tf_code
tf_claims_range(struct tf_db *db, uint64_t low, uint64_t high, tf_claim_fn fn,
    void *arg, struct tf_error *err)
{
	struct tf_claim_row r = { 0 };
	sqlite3_stmt *st;
	enum tf_code rc;

	if (db->version < TF_DB_DEFINITIONS)
		return TF_OK;
	st = tf_sql(db, err,
	    "SELECT id, claims, uids, object, entry FROM claim"
	    " WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
	    "uu", low, high);
	while ((rc = tf_sql_row(db, st, "read claims", err)) == TF_OK) {
		if ((rc = take_row(st, &r, err)) == TF_OK)
			rc = fn(arg, &r, err);
		tf_claim_row_free(&r);
		if (rc != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}
