/* One mount: what all files of fs/ share. */
#ifndef FS_FS_H
#define FS_FS_H

#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/vault.h"
#include "lease.h"
#include "roles.h"

/* Only stopping changes after the workers have started.  fs_serve owns all. */
struct fs {
	struct tf_vault *vault;
	struct fs_broker *broker;
	struct fs_loop *loop;
	struct fs_actors *actors; /* or NULL: no hints */
	struct fs_control *control;
	struct fs_handles *handles;
	struct fs_worker
	    *worker; /* or NULL: control files are made by workers */
	struct fs_notify *notify;
	struct fs_pages *pages; /* or NULL: the daemon drops pages itself */
	struct fs_passthrough
	    *passthrough; /* or NULL: the kernel asks for every read */
	struct fs_roles roles;
	struct fs_lease lease; /* names of directories in attestations */
	struct fs_lease past;  /* attributes in .trailfs/at */
	bool read_only;
	bool streams; /* the kernel collects writes (stream.h) */
	struct fs_streams *collecting; /* with streams */
	atomic_bool stopping;	       /* no new writers, no packages */
};

#define FS_NAME_MAX 255 /* bytes */

/* The mount that req came from. */
static inline struct fs *
fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* How long the kernel may remember, in seconds, what changes only by requests
 * of this kernel or with a notification to it (notify.h). */
#define FS_ATTR_TIMEOUT_S 1.0

#endif
