/* The root of a mount of many origins, which is no vault: fs/router.h. */
#ifndef TRAILCTL_MANY_H
#define TRAILCTL_MANY_H

#include <stdbool.h>

#include "core/json.h"

/* Append the metrics of the mount whose root is path to out.  TF_NOTFOUND, and err
 * unchanged: that is something else.  Errors: those of files_read(). */
TF_MUST_USE enum tf_code many_metrics(const char *path, struct tf_buf *out,
    struct tf_error *err);

/* The value of a metric with one sample in that text.  False: it is not there. */
bool many_value(const struct tf_buf *text, const char *name, double *value);

#endif
