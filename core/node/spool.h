/* What a control file shows, in memory or in a file without a name. */
#ifndef TF_NODE_SPOOL_H
#define TF_NODE_SPOOL_H

#include "../error.h"

struct tf_spool;
struct tf_vault;

/* A file without a name where spools go. */
TF_MUST_USE enum tf_code tf_spool_scratch(struct tf_vault *v, int *fd,
    struct tf_error *err);

/* A spool that is a file from its first byte on, for others than a sink to
 * write; *fd stays its own, until it is filled.  Then it is as long as the
 * file. */
TF_MUST_USE enum tf_code tf_spool_file(struct tf_vault *v,
    struct tf_spool **out, int *fd, struct tf_error *err);

TF_MUST_USE enum tf_code tf_spool_filled(struct tf_spool *s,
    struct tf_error *err);

#endif
