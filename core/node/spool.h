/* Spools (see page.h) as files, for callers inside core. */
#ifndef TF_NODE_SPOOL_H
#define TF_NODE_SPOOL_H

#include "../error.h"

struct tf_spool;
struct tf_vault;

/* Open a file without a name in the directory of spools.  The caller closes
 * *fd. */
TF_MUST_USE enum tf_code tf_spool_scratch(struct tf_vault *v, int *fd,
    struct tf_error *err);

/* Make a spool that is a file from the start, which the caller writes through
 * *fd instead of a sink.  *fd belongs to the spool. */
TF_MUST_USE enum tf_code tf_spool_file(struct tf_vault *v,
    struct tf_spool **out, int *fd, struct tf_error *err);

/* End the writing of such a spool: the caller does not use *fd any more.  The
 * spool's size becomes that of the file. */
TF_MUST_USE enum tf_code tf_spool_filled(struct tf_spool *s,
    struct tf_error *err);

#endif
