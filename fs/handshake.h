/*
 * The first request of the kernel and its answer, with what this version of
 * libfuse has no name for.
 */
#ifndef FS_HANDSHAKE_H
#define FS_HANDSHAKE_H

#include <fuse_lowlevel.h>

#include "core/error.h"

/*
 * Answer INIT on a mounted session, before any worker reads from it.  Where
 * the kernel offers FUSE_HANDLE_KILLPRIV_V2 it is accepted: the vault takes
 * set-id bits away itself, and the kernel need not ask for security.capability
 * before each write.  So is FUSE_PASSTHROUGH (passthrough.h).  TF_IO; the session is of
 * no use then.
 */
TF_MUST_USE enum tf_code fs_handshake(struct fuse_session *se,
    struct tf_error *err);

#endif
