/*
 * A router: one mount of all origins of an organisation.  Each origin has a copy
 * (core/fetch.h) and, while somebody uses it, a daemon of its own, which is that of
 * any read-only mount and has the same sandbox.  The router has the connection to the
 * kernel.  It answers for the root directory, which lists the origins, and hands the
 * other requests, as they are, to the daemon of their origin; ids and descriptors are
 * translated on the way (router_message.h).
 *
 *	kernel -- /dev/fuse -- router -- socket pair -- daemon of an origin
 *				  |
 *			       starter, which may start daemons (starter.h)
 *
 * Promises:
 *  O1  No origin makes another wait.  One thread moves messages and waits for none of
 *      them; what a daemon does not take yet is queued, up to a limit.
 *  O2  An origin that nobody uses costs a name.  Its daemon starts with the first
 *      request that goes below its directory, and ends when no file of it was open and
 *      no request came for a minute.
 *  O3  A daemon that ends by itself costs EIO for its open files.  Other requests that
 *      it has not answered are given to the next daemon, once.
 *  O4  All daemons end with the router, however it ends.
 *  O5  An open file stays with the daemon that opened it.  A copy that has grown gets a
 *      new daemon for everything else, and the old one ends with its last file.
 *
 * The attributes of an origin's directory are made here (router_origins.h), so that
 * listing all origins starts no daemon.  If its daemon says that not everybody may
 * read the directory, those of the daemon count from then on, and what had passed
 * before is answered with ESTALE, on which the kernel walks the path again.
 */
#ifndef FS_ROUTER_H
#define FS_ROUTER_H

#include "options.h"

/* Is o->store a directory of copies, and not a store? */
bool fs_router_is_for(const struct fs_options *o);

/*
 * Check the options, mount and serve until the end, as fs_serve() does.  *parent: see
 * fs_daemon_ready().  TF_USAGE: an option has no meaning for copies; TF_IO, TF_NOMEM,
 * and the errors of fs_sandbox_user.
 */
TF_MUST_USE enum tf_code fs_router_serve(const struct fs_options *o,
    int *parent, struct tf_error *err);

#endif
