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

/*
 * Begin a file that gets the name path when it is whole: *tmp is its name until
 * then, *fd is open for both.  End it: with rc TF_OK it gets its name, else it
 * is taken away.  Returns rc, or what went wrong now.
 */
TF_MUST_USE enum tf_code files_begin(const char *path, char **tmp, int *fd,
    struct tf_error *err);
TF_MUST_USE enum tf_code files_end(const char *path, char *tmp, int fd,
    enum tf_code rc, struct tf_error *err);

/* The directory that path is in; the caller frees it.  NULL: no memory. */
char *files_directory(const char *path);

#endif
