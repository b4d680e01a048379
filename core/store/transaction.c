/*
 * Transactions, and snapshots for readers.  A write transaction begins
 * IMMEDIATE, so that the wait for the lock is at its beginning and no later
 * statement can fail with SQLITE_BUSY after work was done.
 */
#include <stddef.h>

#include "sql.h"
#include "transaction.h"

enum tf_code
tf_db_begin(struct tf_db *db, struct tf_error *err)
{
	return tf_sql_run(db, tf_sql(db, err, "BEGIN IMMEDIATE", ""), "begin",
	    err);
}

enum tf_code
tf_db_commit(struct tf_db *db, struct tf_error *err)
{
	return tf_sql_run(db, tf_sql(db, err, "COMMIT", ""), "commit", err);
}

void
tf_db_rollback(struct tf_db *db)
{
	/* After some errors SQLite has rolled back by itself. */
	if (!sqlite3_get_autocommit(db->sq))
		(void)sqlite3_exec(db->sq, "ROLLBACK", NULL, NULL, NULL);
}

enum tf_code
tf_db_snapshot(struct tf_db *db, struct tf_error *err)
{
	int64_t n;
	enum tf_code rc;

	if ((rc = tf_sql_exec(db, "BEGIN", "snapshot", err)) != TF_OK)
		return rc;
	/* SQLite takes the snapshot at the first read, not at BEGIN. */
	return tf_sql_one_int(db, "SELECT count(*) FROM meta", &n, err);
}
