/*
 * Transactions of a connection, which one thread at a time uses.  Errors:
 * those of SQLite (sql.h).
 */
#ifndef TF_STORE_TRANSACTION_H
#define TF_STORE_TRANSACTION_H

#include "../error.h"

struct tf_db;

/* A write transaction.  When commit returns TF_OK the changes survive power
 * loss (I4).  After an error of commit, or of any call in the transaction, the
 * caller calls rollback. */
TF_MUST_USE enum tf_code tf_db_begin(struct tf_db *db, struct tf_error *err);
TF_MUST_USE enum tf_code tf_db_commit(struct tf_db *db, struct tf_error *err);
void tf_db_rollback(struct tf_db *db);

/* Begin a snapshot, so that several reads of a reading connection see one
 * state.  End it with tf_db_rollback. */
TF_MUST_USE enum tf_code tf_db_snapshot(struct tf_db *db, struct tf_error *err);

#endif
