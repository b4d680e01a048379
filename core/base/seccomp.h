/*
 * Filters of system calls: which calls this process may make from now on.  The lists
 * are those of the callers: fs/seccomp.c and core/sign/fence.c.
 */
#ifndef TF_BASE_SECCOMP_H
#define TF_BASE_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An argument of a call, as the filter sees it. */
struct tf_call_argument {
	unsigned index;
	uint32_t mask, value; /* allowed if (argument & mask) is value */
};
struct tf_call {
	long number;
	unsigned args; /* 0: whatever its arguments are */
	struct tf_call_argument arg[1];
};

#define TF_CALL_MASK_ALL UINT32_MAX
#define TF_CALL(name)                \
	{                            \
		.number = SYS_##name \
	}
#define TF_CALL_IF(name, i, m, v)                                            \
	{                                                                    \
		.number = SYS_##name, .args = 1,                             \
		.arg = { { .index = i, .mask = m, .value = (uint32_t)(v) } } \
	}

/* Has this kernel, for this processor, filters? */
bool tf_seccomp_is_there(void);
/*
 * Leave this thread, and all that it starts, these n calls; others fail with EPERM,
 * and clone3(2) and those that are newer than this program with ENOSYS, so that the
 * C library uses older ones.  The process can gain no privileges.  False, with
 * errno: the filter could not be set.
 */
bool tf_seccomp_set(const struct tf_call *calls, size_t n);

#endif
