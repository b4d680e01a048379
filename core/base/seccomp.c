/*
 * Filters of system calls without a library: see seccomp.h.
 *
 * A filter is a program for the kernel that looks at the number and the
 * arguments of a call, but not at what an argument points to.  Therefore
 * clone3(2), which has its flags in memory, does not exist here, and threads are
 * made with clone(2), whose flags are checked.
 */
#include "seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0 /* no filter */
#endif

#define NEWEST 448 /* process_mrelease: later calls do not exist here */

/* The lower half of an argument, where its bits are that are looked at. */
#define LOW(i)                                           \
	(offsetof(struct seccomp_data, args) + 8 * (i) + \
	    (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))
#define REFUSE(sys) (SECCOMP_RET_ERRNO | ((sys)&SECCOMP_RET_DATA))
#define PER_CALL 6 /* instructions, at most */
#define AROUND 8

static struct sock_filter *
put(struct sock_filter *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	*p = (struct sock_filter)BPF_JUMP(code, k, yes, no);
	return p + 1;
}

/* Allow c; the number is loaded before, and after it. */
static struct sock_filter *
put_call(struct sock_filter *p, const struct tf_call *c)
{
	const struct tf_call_argument *a = &c->arg[0];

	p = put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)c->number, 0,
	    c->args == 0 ? 1 : 5);
	if (c->args > 0) {
		p = put(p, BPF_LD | BPF_W | BPF_ABS, LOW(a->index), 0, 0);
		p = put(p, BPF_ALU | BPF_AND | BPF_K, a->mask, 0, 0);
		p = put(p, BPF_JMP | BPF_JEQ | BPF_K, a->value, 0, 1);
	}
	p = put(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	if (c->args > 0)
		p = put(p, BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr), 0, 0);
	return p;
}

bool
tf_seccomp_set(const struct tf_call *calls, size_t n)
{
	struct sock_filter *all = malloc((n * PER_CALL + AROUND) * sizeof *all);
	struct sock_filter *p = all;
	struct sock_fprog program;
	bool done;

	if (all == NULL)
		return false;
	p = put(p, BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, arch), 0, 0);
	/* Calls of another processor mode have other numbers. */
	p = put(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	p = put(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	p = put(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr),
	    0, 0);
	for (size_t i = 0; i < n; i++)
		p = put_call(p, &calls[i]);
	p = put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0);
	p = put(p, BPF_JMP | BPF_JGT | BPF_K, NEWEST, 0, 1);
	p = put(p, BPF_RET | BPF_K, REFUSE(ENOSYS), 0, 0);
	p = put(p, BPF_RET | BPF_K, REFUSE(EPERM), 0, 0);
	program = (struct sock_fprog){ (unsigned short)(p - all), all };
	done = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
	free(all);
	return done;
}

bool
tf_seccomp_is_there(void)
{
	return ARCH != 0 && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}
