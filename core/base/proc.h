/*
 * What /proc says about threads and processes.
 *
 * Nothing here fails: a value that cannot be read is empty, 0 or
 * TF_AUDIT_UNKNOWN.  All functions may be called from any thread.  A pid of TF_PROC_SELF names the
 * calling process, whatever pid namespace /proc belongs to.
 *
 * Reading comm, exe, ns/mnt, loginuid and sessionid, and status and stat of a
 * thread, takes no lock that a caller of trailfs can hold while it waits for an
 * answer, and none that anybody holds while he sleeps.  Reading cgroup takes the
 * lock of all cgroups, so a thread that serves requests must not do it
 * (fs/actor.h).
 */
#ifndef TF_BASE_PROC_H
#define TF_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TF_PROC_SELF 0u

/*
 * Do the numbers in /proc name the same threads as the numbers from the kernel?
 * In a pid namespace with the /proc of the host they do not.
 */
bool tf_proc_is_ours(void);

/*
 * The process of thread tid.  0: unknown, or a thread that works for somebody
 * else: threads of the kernel write for any process, and those of io_uring for
 * the process that owns the ring.
 */
uint32_t tf_proc_process(uint32_t tid);

/* Are there login uids, so that those of callers can be read?  The kernel may be
 * made without them; a foreign /proc says nothing about callers; and in a user
 * namespace "unset" may be a user from outside. */
bool tf_proc_has_login_uids(void);

/* The number in file name of pid, or TF_AUDIT_UNSET or TF_AUDIT_UNKNOWN
 * (core/types.h). */
int64_t tf_proc_number(uint32_t pid, const char *name);

/*
 * Strings, with a NUL, in size bytes.  A string that does not fit is empty.
 * link: the target of the link called name.  exe: the path of the program,
 * empty where pid is not in the mount namespace ours (the target of ns/mnt),
 * because there the path can name another file.  cgroup: the path in the
 * unified hierarchy if there is one, else in the first.
 */
void tf_proc_comm(uint32_t pid, char *out, size_t size);
void tf_proc_link(uint32_t pid, const char *name, char *out, size_t size);
void tf_proc_exe(uint32_t pid, const char *ours, char *out, size_t size);
void tf_proc_cgroup(uint32_t pid, char *out, size_t size);

#endif
