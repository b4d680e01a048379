/* What a control file shows, in memory or in a file without a name. */
#ifndef TF_NODE_SPOOL_H
#define TF_NODE_SPOOL_H

#include "../error.h"

struct tf_spill;
struct tf_vault;

/* A file without a name where spills go. */
TF_MUST_USE enum tf_code tf_spill_scratch(struct tf_vault *v, int *fd,
    struct tf_error *err);

/* A spill that is a file from its first byte on, for others than a sink to
 * write; *fd stays its own, until it is filled.  Then it is as long as the
 * file. */
TF_MUST_USE enum tf_code tf_spill_file(struct tf_vault *v,
    struct tf_spill **out, int *fd, struct tf_error *err);

TF_MUST_USE enum tf_code tf_spill_filled(struct tf_spill *s,
    struct tf_error *err);

#endif
