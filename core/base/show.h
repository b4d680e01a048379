/* Names made harmless for terminals and logs. */
#ifndef TF_BASE_SHOW_H
#define TF_BASE_SHOW_H

#include <stddef.h>

struct tf_buf;

/*
 * Append name or path so that it is harmless on a terminal and in a log: bytes
 * that are control characters, bidi controls or not UTF-8, and '\', as \xHH.
 */
void tf_name_show(struct tf_buf *out, const char *name, size_t n);

#endif
