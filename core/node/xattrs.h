/* The attributes that writers set: a canonical JSON object, from names to values
 * in base64, as the entry will have it. */
#ifndef TF_NODE_XATTRS_H
#define TF_NODE_XATTRS_H

#include <stdbool.h>
#include <stddef.h>

#include "../json.h"

/*
 * Append to out the object old, which may be empty, with key set to the n bytes of
 * value, or without key if value is NULL.  An object without members is no
 * text.  *had: old has the key.  Pure.  Errors: those of the JSON reader, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_xattrs_set(struct tf_str old, const char *key,
    const void *value, size_t n, bool *had, struct tf_buf *out,
    struct tf_error *err);

/* Append the value of key in the object json, which may be empty, to out.
 * TF_NODATA (err unchanged): it has none; TF_TAMPER: malformed.  Pure. */
TF_MUST_USE enum tf_code tf_xattrs_get(struct tf_str json, const char *key,
    struct tf_buf *out, struct tf_error *err);

#endif
