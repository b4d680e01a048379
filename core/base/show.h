/* Names that are safe to print. */
#ifndef TF_BASE_SHOW_H
#define TF_BASE_SHOW_H

#include <stddef.h>

struct tf_buf;

/*
 * Append the name or path to out so that it is safe on a terminal and in a log:
 * control characters, bidi controls, bytes that are not UTF-8 and '\' become
 * \xHH.  The result is one line and for people only: it is not parsed back.
 * Without memory out fails.
 */
void tf_name_show(struct tf_buf *out, const char *name, size_t n);

#endif
