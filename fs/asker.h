/*
 * Who asks for a control file: uid and gid by the kernel's word, and his other
 * groups, which requests do not name.
 */
#ifndef FS_ASKER_H
#define FS_ASKER_H

#include <fuse_lowlevel.h>
#include <stdint.h>

#include "core/asker.h"

struct fs_asker {
	uint64_t caller; /* as fs_control_list wants to know it */
	uint32_t tid;	 /* his thread; 0: unknown */
	bool complete;	 /* groups were looked for */
	struct tf_asker who;
	uint32_t *groups;
};

/* The number of the caller of req for fs_control_list. */
uint64_t fs_asker_caller(fuse_req_t req);

/* What the request itself says.  Free with fs_asker_free. */
void fs_asker_of(fuse_req_t req, struct fs_asker *out);
void fs_asker_free(struct fs_asker *a);

/*
 * The same with his other groups, of /proc/TID/status; lives as long as *a.
 * Where that file does not say that it is of a thread with this uid and gid (it
 * has ended, or is of another pid namespace), he has no other group.
 *
 * May be called in LOOKUP and GETATTR as well: this file takes no lock that a
 * thread can hold while it waits for us.  cmdline, environ and cgroup would.
 */
const struct tf_asker *fs_asker_get(struct fs_asker *a);

#endif
