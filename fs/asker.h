/*
 * The user who asks for a control file: uid and gid from the request, and the
 * other groups, which requests do not name, from /proc.
 */
#ifndef FS_ASKER_H
#define FS_ASKER_H

#include <fuse_lowlevel.h>
#include <stdint.h>

#include "core/asker.h"

struct fs_asker {
	uint64_t caller; /* fs_asker_caller */
	uint32_t tid;	 /* the thread; 0: unknown */
	bool complete;	 /* fs_asker_get has read the groups */
	const struct fs_roles *roles;
	struct tf_asker who;
	uint32_t *groups; /* owned; who.groups points to it */
};

/* The number of the caller of req for fs_control_list. */
uint64_t fs_asker_caller(fuse_req_t req);

/* Set *out to what the request says.  Free it with fs_asker_free. */
void fs_asker_of(fuse_req_t req, struct fs_asker *out);
void fs_asker_free(struct fs_asker *a);

/*
 * The asker with the other groups, read from /proc/TID/status the first time.
 * The result lives as long as *a.  Where that file is not of a thread with this
 * uid and gid (the thread has ended, or /proc is of another pid namespace), and
 * without memory, there are no other groups.
 *
 * LOOKUP and GETATTR may call this: reading the file takes no lock that a
 * thread can hold while it waits for trailfs.  Reading cmdline, environ or
 * cgroup does.
 */
const struct tf_asker *fs_asker_get(struct fs_asker *a);

/* Does the caller of req end, and only wait for its answer?  Not if that cannot be
 * known.  FLUSH may call this, too. */
bool fs_asker_dies(fuse_req_t req);

/* Is the caller of req a member of admins=? */
bool fs_asker_administers(fuse_req_t req);

#endif
