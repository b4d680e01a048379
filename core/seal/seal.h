/* Sealing files: evidence gets its entries. */
#ifndef TF_SEAL_SEAL_H
#define TF_SEAL_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "../ledger/entry.h"

struct tf_db;
struct tf_pending;
struct tf_txn;
struct tf_vault;

#define TF_SEAL_RETRY_NS 5000000000u /* after a seal that failed */
#define TF_SEAL_MAX 256		     /* files in one transaction */
/*
 * One pending file (content clean) becomes evidence.  {l, cause} before; the
 * rest is made by tf_seal_prepare, outside of the transaction.
 */
struct tf_seal_file {
	struct tf_pending *l; /* claimed */
	const char *cause;    /* or NULL */
	struct tf_content content;
	struct tf_buf path;
	struct tf_prepared_entry entry;
	uint64_t same; /* an object with these bytes, hashed; or 0 */
};

/* Seal what is claimed in l[0..n); if together fails, one by one.  The first
 * failure is returned, the others are tried all the same. */
enum tf_code tf_seal_claimed(struct tf_vault *v, struct tf_pending **l,
    size_t n, struct tf_error *err);

/*
 * All that can be done before: long content becomes an object file (I2), the
 * entries get their text, and objects with the same bytes are hashed.  db:
 * reads what is committed.  Not in the committer, no lock is held.  Free them
 * in either case.
 */
TF_MUST_USE enum tf_code tf_seal_prepare(struct tf_vault *v, struct tf_db *db,
    struct tf_seal_file *f, size_t n, struct tf_error *err);

void tf_seal_prepared_free(struct tf_seal_file *f, size_t n);

/* TF_BUSY when it is not any more what was prepared. */
TF_MUST_USE enum tf_code tf_seal_one(struct tf_txn *t,
    const struct tf_seal_file *s, struct tf_error *err);

/* The pending directory id gets its entry, and those above it. */
TF_MUST_USE enum tf_code tf_seal_directory(struct tf_txn *t, uint64_t id,
    struct tf_error *err);

/* After the commit: l and the directories it gave an entry are no longer
 * pending. mu is held; a claim on l stays. */
void tf_seal_settle(struct tf_vault *v, struct tf_pending *l);

/* After that: its staged file goes, if it is one.  Without mu, when there are
 * many. */
void tf_seal_unstage(const struct tf_pending *l);

/* Seal these files (claimed by the caller) in one transaction; they are settled
 * on success.  The claims end in either case. */
TF_MUST_USE enum tf_code tf_seal_files(struct tf_vault *v,
    struct tf_pending **l, size_t n, const char *cause, struct tf_error *err);

#endif
