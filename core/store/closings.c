/*
 * Table closing: see closings.h.  It is a to-do list for recovery and no
 * record: the entries say what was closed, opened and sealed.  So its rows may
 * be replaced and deleted.
 */
#include "closings.h"
#include "sql.h"

enum tf_code
tf_closings_put(struct tf_db *db, uint64_t id, struct tf_str actor,
    struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err, "INSERT OR REPLACE INTO closing VALUES(?1, ?2)",
		"ub", id, actor.p, actor.n),
	    "close", err);
}

enum tf_code
tf_closings_delete(struct tf_db *db, uint64_t id, struct tf_error *err)
{
	return tf_sql_run(db,
	    tf_sql(db, err, "DELETE FROM closing WHERE id = ?1", "u", id),
	    "end a closing", err);
}

enum tf_code
tf_closings_has(struct tf_db *db, uint64_t id, bool *yes, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT 1 FROM closing WHERE id = ?1", "u", id);
	enum tf_code rc = tf_sql_row(db, st, "look for a closing", err);

	*yes = rc == TF_OK;
	if (rc == TF_OK)
		(void)sqlite3_reset(st);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_closings_each(struct tf_db *db,
    enum tf_code (*fn)(void *arg, uint64_t id, struct tf_str actor,
	struct tf_error *err),
    void *arg, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err,
	    "SELECT id, actor FROM closing ORDER BY id", "");
	struct tf_str actor;
	enum tf_code rc;

	while ((rc = tf_sql_row(db, st, "read closings", err)) == TF_OK) {
		actor.p = sqlite3_column_blob(st, 1);
		actor.n = (size_t)sqlite3_column_bytes(st, 1);
		rc = fn(arg, (uint64_t)sqlite3_column_int64(st, 0), actor, err);
		if (rc != TF_OK) {
			(void)sqlite3_reset(st);
			return rc;
		}
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}
