/*
 * Writes values of JSON that json_any.h has read, and JSON strings.  A lack of
 * memory sets out->failed.
 */
#ifndef TF_BASE_JSON_ANY_WRITE_H
#define TF_BASE_JSON_ANY_WRITE_H

#include "json_any.h"

/* Append s as a JSON string with the escapes of RFC 8785.  s is UTF-8. */
void tf_any_put_string(struct tf_buf *out, struct tf_str s);
/* Append a value that is no array or object.  s: the string without escapes, or
 * the number; else ignored. */
void tf_any_put_scalar(struct tf_buf *out, enum tf_any_type type,
    struct tf_str s);
/*
 * Append value i to out without white space.  Strings are written as
 * tf_any_put_string does, numbers as the text has them, members in the order of
 * the text.  Stops and returns false once more than max bytes were appended;
 * the appended text is then not complete.
 */
bool tf_any_put(struct tf_buf *out, const struct tf_any_doc *d, uint32_t i,
    size_t max);

#endif
