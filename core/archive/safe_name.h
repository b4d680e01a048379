/* The rule for one name in a package, see names.h. */
#ifndef TF_ARCHIVE_SAFE_NAME_H
#define TF_ARCHIVE_SAFE_NAME_H

#include <stdbool.h>

#include "../types.h"

struct tf_buf;

/* Append name to out, made safe by the rule of format 1 or 2. */
void tf_safe_name(struct tf_buf *out, struct tf_str name, bool directory,
    unsigned format);

/* Append one name to out, made safe by the rule of the newest format. */
void tf_package_safe(struct tf_buf *out, struct tf_str name, bool directory);
/* True if name is legal as one name in a package. */
bool tf_package_is_safe(struct tf_str name);

#endif
