/* Which system calls the processes of a mount may make (seccomp). */
#ifndef FS_SECCOMP_H
#define FS_SECCOMP_H

#include <stdbool.h>

#include "core/error.h"

/*
 * Leave this thread, and all that it starts, the system calls that the daemon
 * needs; others fail with EPERM, and those that are newer than this list with
 * ENOSYS, so that the C library uses older ones.  *on: false where the kernel
 * or the processor has no filter.  The process can gain no privileges.  TF_IO.
 */
TF_MUST_USE enum tf_code fs_seccomp_daemon(bool *on, struct tf_error *err);
/* The same for a router, and for a follower, which uses the network. */
TF_MUST_USE enum tf_code fs_seccomp_router(bool *on, struct tf_error *err);
TF_MUST_USE enum tf_code fs_seccomp_follower(bool *on, struct tf_error *err);
/* The same for the helpers (broker.h, pages.h, watchdog.h), which need few.  False: a filter could
 * not be set. */
bool fs_seccomp_unmounter(void);
bool fs_seccomp_broker(void);
bool fs_seccomp_pages(void);
bool fs_seccomp_watchdog(void);

#endif
