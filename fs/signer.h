/* The signer of a mount. */
#ifndef FS_SIGNER_H
#define FS_SIGNER_H

#include "options.h"

/*
 * Start the process that holds the keys, and set o->signer_fd for the vault: see
 * tf_signer_start().  A mount with ro signs nothing and has none.  Before there
 * are threads, and before the process gives up its rights.
 */
TF_MUST_USE enum tf_code fs_signer_start(struct fs_options *o,
    struct tf_error *err);

#endif
