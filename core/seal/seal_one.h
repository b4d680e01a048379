/*
 * Sealing one file or directory in a transaction.  For run functions of jobs,
 * in the committer's thread; vault.mu is not held.  After a failure the
 * transaction is rolled back.  Errors beside those named: those of
 * tf_txn_append().
 */
#ifndef TF_SEAL_SEAL_ONE_H
#define TF_SEAL_SEAL_ONE_H

#include <stdint.h>

#include "../error.h"

struct tf_node_row;
struct tf_seal_file;
struct tf_txn;

/* In the transaction: append the entry of s and write its row.  TF_BUSY when
 * the file is no longer what was prepared; TF_READONLY when its attestation is
 * sealed. */
TF_MUST_USE enum tf_code tf_seal_one(struct tf_txn *t,
    const struct tf_seal_file *s, struct tf_error *err);

/* In the transaction: commit the row of a directory, of which the entry was
 * appended just now, in place of its row of stage.  Sets the times of *row. */
TF_MUST_USE enum tf_code tf_seal_begun(struct tf_txn *t,
    struct tf_node_row *row, struct tf_error *err);

/* In the transaction: give the pending directory id, and those above it, their
 * entries.  Does nothing for a directory that has one.  TF_DENIED: a draft
 * attestation.  mu is not held. */
TF_MUST_USE enum tf_code tf_seal_directory(struct tf_txn *t, uint64_t id,
    struct tf_error *err);

#endif
