/*
 * Transactions, and snapshots for readers.  A write transaction begins
 * IMMEDIATE, so that the wait for the lock is at its beginning and no later
 * statement can fail with SQLITE_BUSY after work was done.
 */
#include <stddef.h>

#include "../base/mutant.h"
#include "sql.h"
#include "transaction.h"

enum tf_code
tf_db_begin(struct tf_db *db, struct tf_error *err)
{
	/* For lack of memory the setting may not have come back. */
	if (db->unsynced) {
		tf_db_synced_again(db);
		if (db->unsynced)
			return tf_nomem(err);
	}
	return tf_sql_run(db, tf_sql(db, err, "BEGIN IMMEDIATE", ""), "begin",
	    err);
}

/* NORMAL: in WAL mode SQLite then syncs when it moves frames to the database,
 * and not at the commit. */
enum tf_code
tf_db_begin_unsynced(struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc = tf_sql_exec(db, "PRAGMA synchronous=NORMAL",
	    "synchronous", err);

	return rc == TF_OK ? tf_db_begin(db, err) : rc;
}

void
tf_db_synced_again(struct tf_db *db)
{
	if (!TF_IS_MUTANT(TF_SYNC_NORMAL) && !TF_IS_MUTANT(TF_SYNC_OFF))
		db->unsynced = sqlite3_exec(db->sq, "PRAGMA synchronous=FULL",
				   NULL, NULL, NULL) != SQLITE_OK;
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

void
tf_db_end_at(struct tf_db *db, uint64_t end, struct tf_time at)
{
	db->end = end;
	db->end_time = at;
}

void
tf_db_end_now(struct tf_db *db)
{
	db->end = 0;
}
