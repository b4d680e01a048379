/*
 * INIT, the first request of the kernel, and its answer, with the flags that
 * libfuse 3.14 does not know.
 */
#ifndef FS_HANDSHAKE_H
#define FS_HANDSHAKE_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

#include "core/error.h"

/*
 * Answer INIT on a mounted session, before any worker reads from it.
 *
 * Two offers of the kernel are accepted: FUSE_HANDLE_KILLPRIV_V2, because the
 * vault removes set-id bits itself, so the kernel need not ask for
 * security.capability before each write; and FUSE_PASSTHROUGH (passthrough.h).
 * With *streams, FUSE_WRITEBACK_CACHE is accepted, too, and shared mappings of
 * descriptors that bypass the cache (Linux 6.6).  *streams becomes false where
 * the kernel does not offer both.
 * TF_IO: the session cannot be used and must be destroyed.
 */
TF_MUST_USE enum tf_code fs_handshake(struct fuse_session *se, bool *streams,
    struct tf_error *err);

#endif
