/* What all parts of a ledger of the engine `dir:` use: see dir_i.h. */
#include <string.h>

#include "../store/sql.h"
#include "dir_i.h"

enum tf_code
tf_dir_begin(struct tf_dir_ledger *l, struct tf_error *err)
{
	enum tf_code rc = tf_sql_exec(l->db, "BEGIN IMMEDIATE", "begin", err);

	if (rc == TF_LOCKED)
		rc = tf_fail(err, TF_BUSY,
		    "another process holds the ledger for too long");
	return rc;
}

enum tf_code
tf_dir_commit(struct tf_dir_ledger *l, struct tf_error *err)
{
	enum tf_code rc = tf_sql_exec(l->db, "COMMIT", "commit", err);

	/* A frame that could not be synced may be on the disk all the same. */
	if (rc == TF_IO)
		rc = tf_fail(err, TF_INDOUBT,
		    "the disk failed: what was appended may be there or not");
	if (rc == TF_LOCKED)
		rc = tf_fail(err, TF_BUSY,
		    "another process holds the ledger for too long");
	return rc;
}

void
tf_dir_rollback(struct tf_dir_ledger *l)
{
	(void)sqlite3_exec(l->db->sq, "ROLLBACK", NULL, NULL, NULL);
}

enum tf_code
tf_dir_may(const struct tf_dir_ledger *l, enum tf_org_how how,
    struct tf_error *err)
{
	if (l->how >= how)
		return TF_OK;
	return tf_fail(err, TF_DENIED, "the ledger was opened %s",
	    l->how == TF_ORG_READER ? "to read it" : "by a member");
}

enum tf_code
tf_dir_member(struct tf_dir_ledger *l, const char *origin,
    struct tf_dir_member *out, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(l->db, err,
	    l->version > 1 ?
		"SELECT id, next, revoked, organiser, refused FROM member"
		" WHERE origin = ?1" :
		"SELECT id, next, revoked, organiser, 0 FROM member"
		" WHERE origin = ?1",
	    "b", origin, strlen(origin));
	enum tf_code rc = tf_sql_row(l->db, st, "read a member", err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_NOTFOUND,
		    "%s is not enrolled in this organisation", origin);
	if (rc != TF_OK)
		return rc;
	out->id = sqlite3_column_int64(st, 0);
	out->next = (uint64_t)sqlite3_column_int64(st, 1);
	out->revoked = sqlite3_column_int64(st, 2) != 0;
	out->organiser = sqlite3_column_int64(st, 3) != 0;
	out->refused = sqlite3_column_int64(st, 4) != 0;
	(void)sqlite3_reset(st);
	return TF_OK;
}

enum tf_code
tf_dir_size(struct tf_dir_ledger *l, uint64_t *n, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(l->db, err,
	    "SELECT coalesce(max(seq) + 1, 0) FROM leaf", "");
	enum tf_code rc = tf_sql_row(l->db, st, "read the size", err);

	if (rc != TF_OK)
		return rc;
	*n = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return TF_OK;
}
