/* Which files and which network the daemon may use (Landlock). */
#ifndef FS_LANDLOCK_H
#define FS_LANDLOCK_H

#include <stdbool.h>

#include "core/vault.h"

/*
 * From now on this thread, and all that it starts, can write only to the store
 * (not with read_only) and to the directory of the guard, and read these and
 * what the name service, /proc and the clock need; bind and connect no TCP
 * socket; signal no other process; and use no abstract socket.  *version: that
 * of Landlock, or 0 where the kernel lacks it or cannot yet let files move
 * between directories.  TF_IO.
 */
TF_MUST_USE enum tf_code fs_landlock_daemon(const char *store, bool read_only,
    const struct tf_outside *outside, int *version, struct tf_error *err);
/* The same for a router: it can list the directory path and read nothing in it.
 * TF_IO. */
TF_MUST_USE enum tf_code fs_landlock_router(const char *path, int *version,
    struct tf_error *err);
/*
 * The same for a follower, whose copies are in path.  It can connect TCP sockets.  It
 * can read what the name service, TLS and the plug-ins need, and the files that the
 * URIs name; and write path, and the directory of an organisation that is one, where
 * SQLite locks what it reads.  TF_IO.
 */
TF_MUST_USE enum tf_code fs_landlock_follower(const char *path,
    const char *const uri[2], int *version, struct tf_error *err);

#endif
