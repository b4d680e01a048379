/*
 * Filters of system calls without a library: see seccomp.h.
 *
 * A filter is a program for the kernel that looks at the number and the
 * arguments of a call, but not at what an argument points to.  Therefore
 * clone3(2), which has its flags in memory, does not exist here, and threads are
 * made with clone(2), whose flags are checked.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker_i.h"
#include "seccomp.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0 /* no filter */
#endif

#define NEWEST 448 /* process_mrelease: later calls do not exist here */

/* An argument of a call, as the filter sees it. */
struct argument {
	unsigned index;
	uint32_t mask, value; /* allowed if (argument & mask) is value */
};
struct call {
	long number;
	unsigned args; /* 0: whatever its arguments are */
	struct argument arg[1];
};

#define MASK_ALL UINT32_MAX
/* A thread of this process, in no new namespace. */
#define THREAD_MASK                                                         \
	(CLONE_VM | CLONE_THREAD | CLONE_VFORK | CLONE_NEWNS |              \
	    CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	    CLONE_NEWPID | CLONE_NEWNET)
#define ALLOW(name)                  \
	{                            \
		.number = SYS_##name \
	}
#define ALLOW_IF(name, i, m, v)                                              \
	{                                                                    \
		.number = SYS_##name, .args = 1,                             \
		.arg = { { .index = i, .mask = m, .value = (uint32_t)(v) } } \
	}

static const struct call of_daemon[] = {
	/* Memory and threads. */
	ALLOW(brk),
	ALLOW(mmap),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(mprotect),
	ALLOW(madvise),
	ALLOW(mlock),
	ALLOW(munlock),
	ALLOW(futex),
	ALLOW_IF(clone, 0, THREAD_MASK, CLONE_VM | CLONE_THREAD),
	ALLOW(exit),
	ALLOW(exit_group),
	ALLOW(set_robust_list),
	ALLOW(wait4), /* for the helpers */
	ALLOW(rseq),
	ALLOW(membarrier),
	ALLOW(restart_syscall),
	ALLOW(gettid),
	ALLOW(getpid),
	ALLOW(getppid),
	ALLOW(tgkill), /* Landlock: only threads of this process */
	ALLOW(sched_yield),
	ALLOW(sched_getaffinity),
	ALLOW(sched_setscheduler),
	ALLOW(sched_getscheduler),
	ALLOW(sched_getparam),
	ALLOW(sched_get_priority_max),
	ALLOW(sched_get_priority_min),
	ALLOW(ioprio_set),
	ALLOW(setpriority), /* gentle threads */
	ALLOW(getrlimit),
	ALLOW_IF(prlimit64, 2, MASK_ALL, 0), /* only asks */
	ALLOW_IF(prctl, 0, MASK_ALL, PR_SET_NAME),
	ALLOW(getrandom),
	ALLOW(getcpu),
	ALLOW(sysinfo),
	ALLOW(uname),
	ALLOW(getrusage),
	ALLOW(times),
	/* Signals and time. */
	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(rt_sigtimedwait),
	ALLOW(sigaltstack),
	ALLOW(clock_gettime),
	ALLOW(clock_getres),
	ALLOW(clock_nanosleep),
	ALLOW(nanosleep),
	ALLOW(gettimeofday),
	ALLOW(adjtimex), /* without CAP_SYS_TIME it only asks */
	ALLOW(clock_adjtime),
	ALLOW(timerfd_create),
	ALLOW(timerfd_settime),
	ALLOW(timerfd_gettime),
	ALLOW(eventfd2),
	ALLOW(signalfd4),
	/* Who: this process, and those that call. */
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
	ALLOW(getgroups),
	ALLOW(getresuid),
	ALLOW(getresgid),
	ALLOW(pidfd_open),
	/* Files. */
	ALLOW(openat),
	ALLOW(openat2),
	ALLOW(close),
	ALLOW(close_range),
	ALLOW(read),
	ALLOW(readv),
	ALLOW(pread64),
	ALLOW(preadv),
	ALLOW(write),
	ALLOW(writev),
	ALLOW(pwrite64),
	ALLOW(pwritev),
	ALLOW(lseek),
	ALLOW(fsync),
	ALLOW(fdatasync),
	ALLOW(sync_file_range),
	ALLOW(ftruncate),
	ALLOW(fallocate),
	ALLOW(fadvise64),
	ALLOW(readahead),
	ALLOW(copy_file_range),
	ALLOW(sendfile),
	ALLOW(splice),
	ALLOW(tee),
	ALLOW(vmsplice),
	ALLOW(pipe2),
	ALLOW(dup),
	ALLOW(dup3),
	ALLOW(fcntl),
	ALLOW(flock),
	ALLOW(fstat),
	ALLOW(newfstatat),
	ALLOW(statx),
	ALLOW(statfs),
	ALLOW(fstatfs),
	ALLOW(faccessat),
	ALLOW(faccessat2),
	ALLOW(getcwd),
	ALLOW(chdir),
	ALLOW(getdents64),
	ALLOW(readlinkat),
	ALLOW(mkdirat),
	ALLOW(unlinkat),
	ALLOW(renameat2),
	ALLOW(linkat),
	ALLOW(fchmod),
	ALLOW(fchmodat),
	ALLOW(fchown),
	ALLOW(fchownat),
	ALLOW(utimensat),
	ALLOW(umask),
	ALLOW(ppoll),
	ALLOW(pselect6),
	ALLOW(epoll_create1),
	ALLOW(epoll_ctl),
	ALLOW(epoll_pwait),
	ALLOW_IF(ioctl, 1, MASK_ALL, TCGETS), /* isatty */
	ALLOW_IF(ioctl, 1, MASK_ALL, FIONREAD),
	/* Sockets of this machine: syslog, name service, helpers. */
	ALLOW_IF(socket, 0, MASK_ALL, AF_UNIX),
	ALLOW_IF(socketpair, 0, MASK_ALL, AF_UNIX),
	ALLOW(connect),
	ALLOW(sendto),
	ALLOW(sendmsg),
	ALLOW(sendmmsg),
	ALLOW(recvfrom),
	ALLOW(recvmsg),
	ALLOW(getsockopt),
	ALLOW(setsockopt),
	ALLOW(getsockname),
	ALLOW(getpeername),
	ALLOW(shutdown),
#ifdef __x86_64__ /* older names of calls above */
	ALLOW(open),
	ALLOW(stat),
	ALLOW(lstat),
	ALLOW(access),
	ALLOW(readlink),
	ALLOW(mkdir),
	ALLOW(rmdir),
	ALLOW(unlink),
	ALLOW(rename),
	ALLOW(link),
	ALLOW(getdents),
	ALLOW(pipe),
	ALLOW(dup2),
	ALLOW(poll),
	ALLOW(select),
	ALLOW(epoll_wait),
	ALLOW(epoll_create),
	ALLOW(time),
#endif
	ALLOW(renameat),
};

/* Both helpers: messages, and the end. */
#define OF_HELPERS                                                       \
	ALLOW(recvmsg), ALLOW(sendmsg), ALLOW(close), ALLOW(exit_group), \
	    ALLOW(exit), ALLOW(rt_sigreturn), ALLOW(restart_syscall)

static const struct call of_unmounter[] = {
	OF_HELPERS,
	ALLOW(umount2),
	ALLOW(statfs),
	ALLOW(geteuid),
	/* The end of a session of libfuse. */
	ALLOW(munmap),
	ALLOW(futex),
	ALLOW(brk),
	ALLOW(madvise),
};

static const struct call of_broker[] = {
	OF_HELPERS,
	ALLOW(readlinkat),
#ifdef __x86_64__
	ALLOW(readlink),
#endif
	ALLOW_IF(ioctl, 1, MASK_ALL, FS_BACKING_OPEN),
	ALLOW_IF(ioctl, 1, MASK_ALL, FS_BACKING_CLOSE),
};

/* --- the program ----------------------------------------------------------- */

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
put_call(struct sock_filter *p, const struct call *c)
{
	const struct argument *a = &c->arg[0];

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

/* Set a filter that allows these calls.  False, with errno. */
static bool
set_filter(const struct call *calls, size_t n)
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

/* Has this kernel, for this processor, filters? */
static bool
has_filters(void)
{
	return ARCH != 0 && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

enum tf_code
fs_seccomp_daemon(bool *on, struct tf_error *err)
{
	*on = has_filters();
	if (*on &&
	    !set_filter(of_daemon, sizeof of_daemon / sizeof of_daemon[0]))
		return tf_fail(err, TF_IO, "seccomp: set the filter");
	return TF_OK;
}

bool
fs_seccomp_unmounter(void)
{
	return !has_filters() ||
	    set_filter(of_unmounter,
		sizeof of_unmounter / sizeof of_unmounter[0]);
}

bool
fs_seccomp_broker(void)
{
	return !has_filters() ||
	    set_filter(of_broker, sizeof of_broker / sizeof of_broker[0]);
}
