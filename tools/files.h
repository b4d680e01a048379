/* Files by their path: read whole, written whole. */
#ifndef TRAILCTL_FILES_H
#define TRAILCTL_FILES_H

#include "core/json.h"

/* Append what is in path to out; TF_INVALID when it is longer than max. */
TF_MUST_USE enum tf_code files_read(const char *path, size_t max,
    struct tf_buf *out, struct tf_error *err);

/*
 * Write b to path, which on failure is what it was before.  What is there and
 * is not an ordinary file (a pipe, a device, a link) is written to as it is.
 */
TF_MUST_USE enum tf_code files_write(const char *path, const struct tf_buf *b,
    struct tf_error *err);

#endif
