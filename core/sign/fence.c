/*
 * The fence of a signer: see fence.h.
 *
 * A signer reads its keys and its memory of what it signed, and answers at the
 * connection that it has.  It never needs another file, process or connection,
 * so all lists here are short.
 */
#include "fence.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../base/landlock.h"
#include "../base/mutant.h"
#include "../base/privileges.h"
#include "../base/seccomp.h"
#include "../environment.h"
#include "../signer.h"

/* Keys are renamed, overwritten and removed in their directory only. */
#define RIGHTS TF_LL_WRITE

static const struct tf_call of_signer[] = {
	/* Memory; no new code. */
	TF_CALL(brk),
	TF_CALL_IF(mmap, 2, PROT_EXEC, 0),
	TF_CALL_IF(mprotect, 2, PROT_EXEC, 0),
	TF_CALL(munmap),
	TF_CALL(mremap),
	TF_CALL(madvise),
	TF_CALL(mlock),
	TF_CALL(mlock2),
	TF_CALL(munlock),
	TF_CALL(futex),
	TF_CALL(getrandom),
	/* Its connection, and its files. */
	TF_CALL(read),
	TF_CALL(readv),
	TF_CALL(pread64),
	TF_CALL(write),
	TF_CALL(writev),
	TF_CALL(pwrite64),
	TF_CALL(lseek),
	TF_CALL(openat),
	TF_CALL(close),
	TF_CALL(fcntl),
	TF_CALL(flock),
	TF_CALL(fsync),
	TF_CALL(fdatasync),
	TF_CALL(ftruncate),
	TF_CALL(fstat),
	TF_CALL(newfstatat),
	TF_CALL(statx),
	TF_CALL(faccessat),
	TF_CALL(faccessat2),
	TF_CALL(getdents64),
	TF_CALL(readlinkat), /* where the keys are, for messages */
	TF_CALL(renameat),
	TF_CALL(renameat2),
	TF_CALL(linkat),
	TF_CALL(unlinkat),
	TF_CALL(fchmod),
	TF_CALL(fchown),
	TF_CALL_IF(ioctl, 1, TF_CALL_MASK_ALL, 0x5401), /* TCGETS: isatty */
	/* Who and when; the end. */
	TF_CALL(getuid),
	TF_CALL(geteuid),
	TF_CALL(getgid),
	TF_CALL(getegid),
	TF_CALL(getpid),
	TF_CALL(gettid),
	TF_CALL(clock_gettime),
	TF_CALL(gettimeofday),
	TF_CALL(rt_sigaction),
	TF_CALL(rt_sigprocmask),
	TF_CALL(rt_sigreturn),
	TF_CALL(restart_syscall),
	TF_CALL(exit),
	TF_CALL(exit_group),
#ifdef __x86_64__ /* older names of calls above */
	TF_CALL(open),
	TF_CALL(stat),
	TF_CALL(access),
	TF_CALL(readlink),
	TF_CALL(rename),
	TF_CALL(unlink),
	TF_CALL(time),
#endif
};

bool
tf_signer_drop_rights(uid_t uid, gid_t gid)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	if (geteuid() == 0) {
		(void)setrlimit(RLIMIT_MEMLOCK, &all);
		tf_privileges_bound(0); /* another user may not */
		/* Root without capabilities must not get them by execve.  Where
		 * root may not even do this, as in some containers and user
		 * namespaces, it keeps its groups. */
		if ((prctl(PR_SET_SECUREBITS,
			 SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) < 0 &&
			errno != EPERM) ||
		    (setgroups(0, NULL) < 0 && (errno != EPERM || uid != 0)) ||
		    setresgid(gid, gid, gid) < 0 ||
		    setresuid(uid, uid, uid) < 0)
			return false;
	}
	return tf_privileges_keep(0) &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool
tf_signer_supervisor_keep(void)
{
	return geteuid() != 0 ||
	    (tf_privileges_keep(TF_CAP(CAP_SETUID) | TF_CAP(CAP_SETGID) |
		 TF_CAP(CAP_SETPCAP) | TF_CAP(CAP_KILL) |
		 TF_CAP(CAP_SYS_RESOURCE)) &&
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

/* Nothing of the memory gets out of this process but by an answer. */
static void
hide(unsigned *state)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	tf_environment_hide_memory();
	if (tf_crypto_lock_secrets())
		*state |= TF_FENCE_MEMORY;
	/* More than the memory of the keys, if the limit allows. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0)
		*state |= TF_FENCE_MEMORY;
}

enum tf_code
tf_signer_fence_of_tokens(unsigned *state, struct tf_error *err)
{
	*state = TF_FENCE_KNOWN;
	hide(state);
	if (!tf_privileges_keep(0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return tf_fail(err, TF_IO, "signer: give up privileges");
	return TF_OK;
}

enum tf_code
tf_signer_fence(int keysfd, unsigned *state, struct tf_error *err)
{
	struct tf_landlock r;
	enum tf_code rc = tf_signer_fence_of_tokens(state, err);
	int version;

	if (rc != TF_OK)
		return rc;
	if (!tf_privileges_can_forbid())
		return TF_OK;
	if (TF_IS_MUTANT(
		TF_SIGNER_WITHOUT_FENCE)) { /* and says that it has one */
		*state |= TF_FENCE_LANDLOCK | TF_FENCE_SECCOMP;
		return TF_OK;
	}
	tf_landlock_begin(&r, false, err);
	tf_landlock_allow_fd(&r, keysfd, "the directory of the keys", RIGHTS);
	if ((rc = tf_landlock_enforce(&r, &version)) != TF_OK)
		return rc;
	*state |= (unsigned)version & TF_FENCE_LANDLOCK;
	if (!tf_seccomp_is_there())
		return TF_OK;
	if (!tf_seccomp_set(of_signer, sizeof(of_signer) / sizeof(*of_signer)))
		return tf_fail(err, TF_IO, "signer: set the filter");
	*state |= TF_FENCE_SECCOMP;
	return TF_OK;
}
