/*
 * Transactions of a connection, which one thread at a time uses.  Errors:
 * those of SQLite (sql.h).
 */
#ifndef TF_STORE_TRANSACTION_H
#define TF_STORE_TRANSACTION_H

#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_db;

/* A write transaction.  When commit returns TF_OK the changes survive power
 * loss (I4).  After an error of commit, or of any call in the transaction, the
 * caller calls rollback. */
TF_MUST_USE enum tf_code tf_db_begin(struct tf_db *db, struct tf_error *err);
/*
 * The same for a transaction that may be lost by a power cut, without the loss
 * of an earlier one.  Whether it began or not, tf_db_synced_again() follows its
 * end.
 */
TF_MUST_USE enum tf_code tf_db_begin_unsynced(struct tf_db *db,
    struct tf_error *err);
void tf_db_synced_again(struct tf_db *db);
TF_MUST_USE enum tf_code tf_db_commit(struct tf_db *db, struct tf_error *err);
void tf_db_rollback(struct tf_db *db);

/* Begin a snapshot, so that several reads of a reading connection see one
 * state.  End it with tf_db_rollback. */
TF_MUST_USE enum tf_code tf_db_snapshot(struct tf_db *db, struct tf_error *err);

/*
 * From now on a reading connection shows the ledger as it was when it had `end`
 * entries: nodes, seals, definitions, anchors and checkpoints of later entries
 * are not there, and times of nodes are not later than `at`, that of its last
 * entry: a directory that has changed since has that time.  What is as today: the
 * owners and modes of nodes, and what was redacted, since nobody may see more than
 * today.  tf_db_end_now: the present ledger, before anybody else uses db.
 */
void tf_db_end_at(struct tf_db *db, uint64_t end, struct tf_time at);
void tf_db_end_now(struct tf_db *db);

#endif
