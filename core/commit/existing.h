/*
 * Equal bytes are kept once: an object that is there already takes the place of
 * new ones.  Its bytes are hashed before the new ones are dropped, since they
 * may have been damaged meanwhile, and the new ones are good.
 */
#ifndef TF_COMMIT_EXISTING_H
#define TF_COMMIT_EXISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_db;
struct tf_hash;
struct tf_pending;
struct tf_patience;
struct tf_txn;
struct tf_vault;

/*
 * The file of objects/ with the digest of l, whose content is final.  TF_OK:
 * there is none, or its bytes are right, or it was damaged, has been put aside
 * under a name with ".damaged" and that was said.  Takes as long as hashing the
 * file; no lock is held, l has a reference.  Errors: TF_IO; TF_INTERRUPTED when
 * patience was over.
 */
TF_MUST_USE enum tf_code tf_existing_check(struct tf_pending *l,
    const struct tf_patience *p, struct tf_error *err);
/*
 * The object of the database that has this digest.  *known: there is one, and
 * *id is its number.  *right: it holds size bytes with that digest, so that new
 * ones need not be kept.  Bytes longer than TF_INLINE_MAX in a file are not
 * read: tf_existing_check did that.
 * compared: the number of an object whose bytes were compared before this
 * transaction, which is right if it still is the one; 0: none was.
 */
TF_MUST_USE enum tf_code tf_existing_find(struct tf_txn *t,
    const struct tf_hash *h, uint64_t size, uint64_t compared, uint64_t *id,
    bool *known, bool *right, struct tf_error *err);

/* The same of object number id. */
TF_MUST_USE enum tf_code tf_existing_is_right(struct tf_vault *v,
    struct tf_db *db, uint64_t id, const struct tf_hash *h, uint64_t size,
    bool *right, struct tf_error *err);

#endif
