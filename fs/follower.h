/*
 * The follower: the process of a mount of an organisation's URI that fetches, as
 * `trailctl org follow` does.  A daemon uses no network, so it is a process of its own,
 * which runs as the owner of the directory cache= and in a sandbox of its own
 * (fs_sandbox_follower).  It keeps the copies in that directory up to date, and gives
 * the daemons of the origins the bytes that somebody opens (core/follow.h).
 *
 * Its parent starts it again when it was killed, and does nothing else.  Both end with
 * the mount.
 */
#ifndef FS_FOLLOWER_H
#define FS_FOLLOWER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/follow.h"
#include "helper.h"
#include "options.h"
#include "sandbox.h"

/* What the follower tells the router, in memory that both have. */
struct fs_follow_state {
	struct tf_follow_counts counts;
	_Atomic int64_t done_at;  /* end of the last round; 0: none has ended */
	_Atomic uint64_t entries; /* of the ledger then */
	_Atomic uint64_t
	    refused; /* origins that it could not bring up to date */
	_Atomic bool
	    disordered; /* what the organisation has signed does not fit */
	_Atomic bool failing; /* the organisation cannot be read now */
	_Atomic bool began;   /* it has had the cache once */
	_Atomic bool runs;
	_Atomic uint64_t restarts;
};

/* Does the command line name an organisation?  Then o->store_arg is its URI. */
bool fs_follower_is_for(const struct fs_options *o);
/* What is mounted, as people named it: that URI, or the directory of copies. */
const char *fs_follower_mounted(const struct fs_options *o);

/*
 * Check the options of such a mount and make the directory cache=, which becomes the
 * store of the router.  Does nothing if it is none.  TF_USAGE; TF_IO.
 */
TF_MUST_USE enum tf_code fs_follower_prepare(struct fs_options *o,
    struct tf_error *err);

/*
 * Start it as user, before there are threads, and wait until it has the cache or has
 * said why not.  Does nothing if o is no mount of a URI.  *sandbox: what it has given
 * up.  *state stays as long as the process.  TF_IO; TF_LOCKED another process follows
 * into the directory.
 */
TF_MUST_USE enum tf_code fs_follower_start(struct fs_helper *h,
    const struct fs_options *o, const struct fs_user *user,
    struct tf_sandbox *sandbox, struct fs_follow_state **state,
    struct tf_error *err);

#endif
