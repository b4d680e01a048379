/*
 * Storing equal bytes once: new content whose digest names an existing object
 * is dropped and the object is used instead.  The object's bytes are hashed
 * first, because it may have been damaged since, while the new bytes are known
 * to be good.
 */
#ifndef TF_COMMIT_EXISTING_H
#define TF_COMMIT_EXISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_db;
struct tf_hash;
struct tf_patience;
struct tf_pending;
struct tf_txn;
struct tf_vault;

/*
 * Check the object file with the digest of l, whose content is final.  On TF_OK
 * either no such file exists, or its bytes match; a damaged file was renamed to
 * a name with ".damaged" and reported.  This takes as long as hashing the file:
 * the caller holds no lock, but a reference to l.  Errors: TF_IO;
 * TF_INTERRUPTED p has ended the wait.
 */
TF_MUST_USE enum tf_code tf_existing_check(struct tf_pending *l,
    const struct tf_patience *p, struct tf_error *err);
/*
 * Find the sealed object of digest h in the database.  *known: it exists, with
 * row *id.  *right: it holds size bytes with that digest, so new bytes need not
 * be stored.  An object file is not read here, because tf_existing_check has
 * read it.  compared is the row of an object whose bytes were compared before
 * this transaction, or 0: if the digest still refers to that row, the bytes are
 * not read again.
 */
TF_MUST_USE enum tf_code tf_existing_find(struct tf_txn *t,
    const struct tf_hash *h, uint64_t size, uint64_t compared, uint64_t *id,
    bool *known, bool *right, struct tf_error *err);

/*
 * In a transaction: keep n bytes with digest h as a sealed object, whose row is
 * *id; new if no equal one is there.  own: a row of this store with the same
 * bytes that no digest names yet, which is used or deleted; 0: none.  If a
 * damaged object has the digest, the bytes are kept beside it, in a row that is
 * not found by the digest, and that is reported.
 */
TF_MUST_USE enum tf_code tf_existing_keep(struct tf_txn *t,
    const struct tf_hash *h, const void *bytes, uint64_t n, uint64_t own,
    uint64_t *id, struct tf_error *err);

/* Set *right in the same way for object row id. */
TF_MUST_USE enum tf_code tf_existing_is_right(struct tf_vault *v,
    struct tf_db *db, uint64_t id, const struct tf_hash *h, uint64_t size,
    bool *right, struct tf_error *err);

#endif
