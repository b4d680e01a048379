/*
 * The follower: the process of a mount of an organisation's URI that fetches.  A daemon
 * uses no network, so a process of its own runs `trailctl org follow`, which stands
 * beside this program, and starts it again when it ends.  It keeps the copies in the
 * directory cache= up to date, and gives the daemons of the origins the bytes that
 * somebody opens (core/follow.h).  Both end with the mount.
 */
#ifndef FS_FOLLOWER_H
#define FS_FOLLOWER_H

#include <stdbool.h>

#include "core/error.h"
#include "helper.h"
#include "options.h"

/* Does the command line name an organisation?  Then o->store_arg is its URI. */
bool fs_follower_is_for(const struct fs_options *o);

/*
 * Check the options of such a mount and make the directory cache=, which becomes the
 * store of the router.  Does nothing if it is none.  TF_USAGE; TF_IO.
 */
TF_MUST_USE enum tf_code fs_follower_prepare(struct fs_options *o,
    struct tf_error *err);

/*
 * Start it, before there are threads, and wait until it has the cache or has said why
 * not.  Does nothing if o is no mount of a URI.  TF_IO; TF_LOCKED another process
 * follows into the directory.
 */
TF_MUST_USE enum tf_code fs_follower_start(struct fs_helper *h,
    const struct fs_options *o, struct tf_error *err);

#endif
