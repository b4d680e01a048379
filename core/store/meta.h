/* The table of single values: origin, store, and the like. */
#ifndef TF_STORE_META_H
#define TF_STORE_META_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_db;

/* The number of the last ledger.opened of a version that knows its home. */
#define TF_META_OPENED "opened"

/* The number of the last verify.done that this or a later version appended. */
#define TF_META_VERIFIED "verified"

/* The numbers of the entries that rotate the log's key, a space behind each. */
#define TF_META_ROTATED "rotated"

/* Of a sparse store: the URI of the blobs that have the bytes of evidence. */
#define TF_META_BLOBS "blobs"

/* Bytes of user data and definitions: see tf_txn.said of core/commit. */
#define TF_META_SAID "said_bytes"

/*
 * Table meta: single values by key.  Setting a value replaces the one that the
 * key had, and belongs to the transaction of db if there is one.  One thread at
 * a time may use db.  Errors: those of sql.h.
 */

TF_MUST_USE enum tf_code tf_meta_set_text(struct tf_db *db, const char *key,
    const char *value, struct tf_error *err);

/* Copy the value with a NUL to out, which has size bytes; a longer one is cut.
 * TF_NOTFOUND if the key is absent; *out is then as it was, here and below. */
TF_MUST_USE enum tf_code tf_meta_get_text(struct tf_db *db, const char *key,
    char *out, size_t size, struct tf_error *err);

/* Append the whole value to out.  TF_NOTFOUND as above; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_meta_get_long(struct tf_db *db, const char *key,
    struct tf_buf *out, struct tf_error *err);

TF_MUST_USE enum tf_code tf_meta_set_int(struct tf_db *db, const char *key,
    uint64_t value, struct tf_error *err);

TF_MUST_USE enum tf_code tf_meta_get_int(struct tf_db *db, const char *key,
    uint64_t *out, struct tf_error *err);

#endif
