/*
 * A temporary table: values by key, sorted by key, in a temporary database
 * whose file has no name and vanishes with the process.  Content that exceeds a
 * few megabytes of memory goes to disk, in $SQLITE_TMPDIR, $TMPDIR, /var/tmp or
 * /tmp.  A table belongs to one thread at a time.
 */
#ifndef TF_STORE_TEMP_TABLE_H
#define TF_STORE_TEMP_TABLE_H

#include <stddef.h>

#include "../error.h"
#include "../types.h"

struct tf_temp_table;

/* Make an empty table; close it with tf_temp_table_close().  Errors of all
 * functions: TF_NOMEM, TF_NOSPACE with a hint at TMPDIR, TF_IO. */
TF_MUST_USE enum tf_code tf_temp_table_open(struct tf_temp_table **out,
    struct tf_error *err);
/* Free t and its file.  NULL: does nothing. */
void tf_temp_table_close(struct tf_temp_table *t);

/* Insert a new key.  TF_EXISTS (err unchanged) if the key exists. */
TF_MUST_USE enum tf_code tf_temp_table_add(struct tf_temp_table *t,
    struct tf_str key, struct tf_str value, struct tf_error *err);
/* Insert a key or replace its value. */
TF_MUST_USE enum tf_code tf_temp_table_put(struct tf_temp_table *t,
    struct tf_str key, struct tf_str value, struct tf_error *err);
/* Copy the value of key, which must have exactly n bytes, to out.  TF_NOTFOUND
 * (err unchanged) if the key is absent. */
TF_MUST_USE enum tf_code tf_temp_table_get(struct tf_temp_table *t,
    struct tf_str key, void *out, size_t n, struct tf_error *err);
/* Call fn for each key k with low <= k < high, in order of bytes.  A code of fn
 * other than TF_OK ends the walk and is returned.  fn may read the table but
 * must not change it. */
TF_MUST_USE enum tf_code tf_temp_table_each(struct tf_temp_table *t,
    struct tf_str low, struct tf_str high,
    enum tf_code (*fn)(void *arg, struct tf_str key, struct tf_str value,
	struct tf_error *err),
    void *arg, struct tf_error *err);
/* Delete each key k with low <= k < high. */
TF_MUST_USE enum tf_code tf_temp_table_cut(struct tf_temp_table *t,
    struct tf_str low, struct tf_str high, struct tf_error *err);

#endif
