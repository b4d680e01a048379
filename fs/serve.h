/* A mount from the opening of the vault to its closing. */
#ifndef FS_SERVE_H
#define FS_SERVE_H

#include "core/error.h"
#include "options.h"

/*
 * Open the store o->store, mount it at o->mnt and serve requests until a signal
 * comes or the file system is unmounted.  On return nothing is mounted and the
 * store is closed, on success and on failure.
 *
 * *parent is as fs_daemon_fork set it, or -1.  Once the mount serves requests,
 * success is reported there and *parent becomes -1; a failure before that is
 * left to the caller to report.
 * Errors: those of tf_vault_open and tf_vault_close, TF_IO, TF_NOMEM.
 */
TF_MUST_USE enum tf_code fs_serve(const struct fs_options *o, int *parent,
    struct tf_error *err);

#endif
