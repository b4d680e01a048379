/*
 * For how long the kernel remembers the names of directories in attestations.
 *
 * A directory has the owner of its attestation, and the kernel compares the
 * caller of chmod(2) with the owner that it got with the last LOOKUP of the
 * name.  A notification makes it ask for attributes again, but not before
 * chmod(2); and forgetting a name takes a lock of the directory above, which
 * the request that changes the owner holds.  So each answer lets the kernel
 * remember a name for a moment only, and a request that changes an owner is
 * answered when all these moments have passed.
 *
 * The attributes of nodes in .trailfs/at are on a lease of their own, which ends
 * with each change of a mode or an owner.
 */
#ifndef FS_LEASE_H
#define FS_LEASE_H

#include <stdatomic.h>
#include <stdint.h>

/* Zero: nothing was granted. */
struct fs_lease {
	atomic_uint changes;	  /* of owners so far */
	_Atomic(int64_t) granted; /* ms of the monotonic clock; 0: never */
};

/* Before the attributes of a directory are read: a number for fs_lease_grant.
 */
unsigned fs_lease_begin(const struct fs_lease *l);
/* How long the kernel may remember the name, in seconds; 0: an owner has
 * changed since fs_lease_begin. */
double fs_lease_grant(struct fs_lease *l, unsigned begun);

/* Owners or modes have changed, as all that read attributes now see.
 * Wait until the kernel remembers no name with the owner before, at most 50 ms.
 * Only for handlers of requests; no lock may be held. */
void fs_lease_expire(struct fs_lease *l);

#endif
