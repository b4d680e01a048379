/* Files for the textfile collector of a node exporter of Prometheus. */
#ifndef TRAILCTL_TEXTFILE_H
#define TRAILCTL_TEXTFILE_H

#include "core/json.h"

/* Write b to path in one step, with mode 0644 whatever the umask is, because the
 * exporter runs as another user.  On failure path is unchanged.  Errors: those of
 * files.h. */
TF_MUST_USE enum tf_code textfile_write(const char *path,
    const struct tf_buf *b, struct tf_error *err);

#endif
