/*
 * A temporary table: a sorted table of bytes by key in a temporary database
 * without a name, which a crash takes with it.  What does not fit into some
 * megabytes of memory goes to disk, to $SQLITE_TMPDIR, $TMPDIR, /var/tmp or
 * /tmp.  For one thread at a time.
 */
#ifndef TF_STORE_TEMP_TABLE_H
#define TF_STORE_TEMP_TABLE_H

#include "../error.h"
#include "../json.h"
#include "../types.h"

struct tf_temp_table;

TF_MUST_USE enum tf_code tf_temp_table_open(struct tf_temp_table **out,
    struct tf_error *err);
void tf_temp_table_close(struct tf_temp_table *b);

/* A key that is new; TF_EXISTS (err untouched) when it is not. */
TF_MUST_USE enum tf_code tf_temp_table_add(struct tf_temp_table *b,
    struct tf_str key, struct tf_str value, struct tf_error *err);
/* A key, new or not. */
TF_MUST_USE enum tf_code tf_temp_table_put(struct tf_temp_table *b,
    struct tf_str key, struct tf_str value, struct tf_error *err);
/* Into n bytes at out, if the value has just so many; TF_NOTFOUND (err
 * untouched). */
TF_MUST_USE enum tf_code tf_temp_table_get(struct tf_temp_table *b,
    struct tf_str key, void *out, size_t n, struct tf_error *err);
/* Those from low on and before high, in order of their bytes, until fn returns
 * another code than TF_OK.  fn may get, and not change. */
TF_MUST_USE enum tf_code tf_temp_table_each(struct tf_temp_table *b,
    struct tf_str low, struct tf_str high,
    enum tf_code (*fn)(void *arg, struct tf_str key, struct tf_str value,
	struct tf_error *err),
    void *arg, struct tf_error *err);
TF_MUST_USE enum tf_code tf_temp_table_cut(struct tf_temp_table *b,
    struct tf_str low, struct tf_str high, struct tf_error *err);

#endif
