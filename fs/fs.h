/* One mount, as all files here see it. */
#ifndef FS_FS_H
#define FS_FS_H

#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/vault.h"

/* One mount.  All is set before the workers start, but stopping. */
struct fs {
	struct tf_vault *vault;
	struct fs_loop *loop;
	struct fs_actors *actors; /* or NULL: no hints */
	struct fs_control *control;
	struct fs_handles *handles;
	struct fs_worker *worker; /* or NULL: never later */
	struct fs_notify *notify;
	struct fs_passthrough
	    *passthrough; /* or NULL: nothing is passed through */
	bool read_only;
	atomic_bool stopping; /* no new writers, no packages */
};

#define FS_NAME_MAX 255 /* bytes */

static inline struct fs *
fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* What changes only through this kernel, or by what it is told (notify.h), it
 * may remember so long, in seconds. */
#define FS_ATTR_TIMEOUT_S 1.0

#endif
