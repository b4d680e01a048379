/*
 * Sealing files: each gets its evidence.sealed entry.
 *
 *     claim (caller) -> tf_seal_prepare -> commit (tf_seal_one) ->
 *     tf_seal_settle -> tf_seal_unstage -> end of the claim
 *
 * tf_seal_files() does all of this for claimed files.  seal_dir.c and rename.c
 * use the parts, because their transaction holds more than the files.
 */
#ifndef TF_SEAL_SEAL_H
#define TF_SEAL_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "../ledger/entry.h"
#include "../ledger/entry_write.h"

struct tf_db;
struct tf_pending;
struct tf_txn;
struct tf_vault;

#define TF_SEAL_RETRY_NS 5000000000u /* after a seal that failed */
#define TF_SEAL_MAX 256		     /* files in one transaction */

/* A file to be sealed: its content is on disk.  The caller sets l and cause;
 * tf_seal_prepare() fills in the rest. */
struct tf_seal_file {
	struct tf_pending *l; /* claimed */
	const char *cause;    /* or NULL */
	struct tf_content content;
	struct tf_buf path;
	struct tf_prepared_entry entry;
	uint64_t same; /* an object that was hashed and has these bytes; or 0 */
};

/*
 * Seal the files l[0..n), which the caller has claimed, in one transaction; if
 * that fails, each in a transaction of its own.  A file that fails is reported
 * to the operator and due again after TF_SEAL_RETRY_NS.  Returns the first
 * failure.  The claims have ended in any case.  No lock is held.
 */
enum tf_code tf_seal_claimed(struct tf_vault *v, struct tf_pending **l,
    size_t n, struct tf_error *err);

/*
 * Do all that can be done before the transaction: long content becomes an
 * object file (I2), entries get their text, and existing objects with the same
 * bytes are hashed.  db is a read connection.  No lock is held; not in the
 * committer's thread.  The caller calls tf_seal_prepared_free() in any case.
 */
TF_MUST_USE enum tf_code tf_seal_prepare(struct tf_vault *v, struct tf_db *db,
    struct tf_seal_file *f, size_t n, struct tf_error *err);

void tf_seal_prepared_free(struct tf_seal_file *f, size_t n);

/* In the transaction: append the entry of s and write its row.  TF_BUSY when
 * the file is no longer what was prepared; TF_READONLY when its attestation is
 * sealed. */
TF_MUST_USE enum tf_code tf_seal_one(struct tf_txn *t,
    const struct tf_seal_file *s, struct tf_error *err);

/* In the transaction: give the pending directory id, and those above it, their
 * entries.  Does nothing for a directory that has one.  TF_DENIED: a draft
 * attestation.  mu is not held. */
TF_MUST_USE enum tf_code tf_seal_directory(struct tf_txn *t, uint64_t id,
    struct tf_error *err);

/* After the commit: l and the directories above it that got an entry are no
 * longer pending.  The caller holds mu; the claim on l stays. */
void tf_seal_settle(struct tf_vault *v, struct tf_pending *l);

/* After that: delete the staged file of l, if it has one.  Reads and writes the
 * disk, so call it without mu when there are many files. */
void tf_seal_unstage(const struct tf_pending *l);

/* Seal the files l[0..n), which the caller has claimed, in one transaction: all
 * or none.  Sorts l.  The claims have ended in any case.  cause: of the
 * entries, or NULL.  No lock is held. */
TF_MUST_USE enum tf_code tf_seal_files(struct tf_vault *v,
    struct tf_pending **l, size_t n, const char *cause, struct tf_error *err);

#endif
