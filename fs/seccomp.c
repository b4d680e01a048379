/* The lists of system calls: see seccomp.h. */
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "broker_i.h"
#include "core/base/seccomp.h"
#include "seccomp.h"

/* A thread of this process, in no new namespace. */
#define THREAD_MASK                                                         \
	(CLONE_VM | CLONE_THREAD | CLONE_VFORK | CLONE_NEWNS |              \
	    CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	    CLONE_NEWPID | CLONE_NEWNET)
static const struct tf_call of_daemon[] = {
	/* Memory and threads. */
	TF_CALL(brk),
	TF_CALL(mmap),
	TF_CALL(munmap),
	TF_CALL(mremap),
	TF_CALL(mprotect),
	TF_CALL(madvise),
	TF_CALL(mlock),
	TF_CALL(munlock),
	TF_CALL(futex),
	TF_CALL_IF(clone, 0, THREAD_MASK, CLONE_VM | CLONE_THREAD),
	TF_CALL(exit),
	TF_CALL(exit_group),
	TF_CALL(set_robust_list),
	TF_CALL(wait4), /* for the helpers */
	TF_CALL(rseq),
	TF_CALL(membarrier),
	TF_CALL(restart_syscall),
	TF_CALL(gettid),
	TF_CALL(getpid),
	TF_CALL(getppid),
	TF_CALL(tgkill), /* Landlock: only threads of this process */
	TF_CALL(sched_yield),
	TF_CALL(sched_getaffinity),
	TF_CALL(sched_setscheduler),
	TF_CALL(sched_getscheduler),
	TF_CALL(sched_getparam),
	TF_CALL(sched_get_priority_max),
	TF_CALL(sched_get_priority_min),
	TF_CALL(ioprio_set),
	TF_CALL(setpriority), /* gentle threads */
	TF_CALL(getrlimit),
	TF_CALL_IF(prlimit64, 2, TF_CALL_MASK_ALL, 0), /* only asks */
	TF_CALL_IF(prctl, 0, TF_CALL_MASK_ALL, PR_SET_NAME),
	TF_CALL(getrandom),
	TF_CALL(getcpu),
	TF_CALL(sysinfo),
	TF_CALL(uname),
	TF_CALL(getrusage),
	TF_CALL(times),
	/* Signals and time. */
	TF_CALL(rt_sigaction),
	TF_CALL(rt_sigprocmask),
	TF_CALL(rt_sigreturn),
	TF_CALL(rt_sigtimedwait),
	TF_CALL(sigaltstack),
	TF_CALL(clock_gettime),
	TF_CALL(clock_getres),
	TF_CALL(clock_nanosleep),
	TF_CALL(nanosleep),
	TF_CALL(gettimeofday),
	TF_CALL(adjtimex), /* without CAP_SYS_TIME it only asks */
	TF_CALL(clock_adjtime),
	TF_CALL(timerfd_create),
	TF_CALL(timerfd_settime),
	TF_CALL(timerfd_gettime),
	TF_CALL(eventfd2),
	TF_CALL(signalfd4),
	/* Who: this process, and those that call. */
	TF_CALL(getuid),
	TF_CALL(geteuid),
	TF_CALL(getgid),
	TF_CALL(getegid),
	TF_CALL(getgroups),
	TF_CALL(getresuid),
	TF_CALL(getresgid),
	TF_CALL(pidfd_open),
	/* Files. */
	TF_CALL(openat),
	TF_CALL(openat2),
	TF_CALL(close),
	TF_CALL(close_range),
	TF_CALL(read),
	TF_CALL(readv),
	TF_CALL(pread64),
	TF_CALL(preadv),
	TF_CALL(write),
	TF_CALL(writev),
	TF_CALL(pwrite64),
	TF_CALL(pwritev),
	TF_CALL(lseek),
	TF_CALL(fsync),
	TF_CALL(fdatasync),
	TF_CALL(sync_file_range),
	TF_CALL(ftruncate),
	TF_CALL(fallocate),
	TF_CALL(fadvise64),
	TF_CALL(readahead),
	TF_CALL(copy_file_range),
	TF_CALL(sendfile),
	TF_CALL(splice),
	TF_CALL(tee),
	TF_CALL(vmsplice),
	TF_CALL(pipe2),
	TF_CALL(dup),
	TF_CALL(dup3),
	TF_CALL(fcntl),
	TF_CALL(flock),
	TF_CALL(fstat),
	TF_CALL(newfstatat),
	TF_CALL(statx),
	TF_CALL(statfs),
	TF_CALL(fstatfs),
	TF_CALL(faccessat),
	TF_CALL(faccessat2),
	TF_CALL(getcwd),
	TF_CALL(chdir),
	TF_CALL(getdents64),
	TF_CALL(readlinkat),
	TF_CALL(mkdirat),
	TF_CALL(unlinkat),
	TF_CALL(renameat2),
	TF_CALL(linkat),
	TF_CALL(fchmod),
	TF_CALL(fchmodat),
	TF_CALL(fchown),
	TF_CALL(fchownat),
	TF_CALL(utimensat),
	TF_CALL(umask),
	TF_CALL(ppoll),
	TF_CALL(pselect6),
	TF_CALL(epoll_create1),
	TF_CALL(epoll_ctl),
	TF_CALL(epoll_pwait),
	TF_CALL_IF(ioctl, 1, TF_CALL_MASK_ALL, TCGETS), /* isatty */
	TF_CALL_IF(ioctl, 1, TF_CALL_MASK_ALL, FIONREAD),
	TF_CALL_IF(ioctl, 1, TF_CALL_MASK_ALL,
	    TIOCOUTQ), /* did the journal read? */
	/* Sockets of this machine: syslog, name service, helpers. */
	TF_CALL_IF(socket, 0, TF_CALL_MASK_ALL, AF_UNIX),
	TF_CALL_IF(socketpair, 0, TF_CALL_MASK_ALL, AF_UNIX),
	TF_CALL(connect),
	TF_CALL(sendto),
	TF_CALL(sendmsg),
	TF_CALL(sendmmsg),
	TF_CALL(recvfrom),
	TF_CALL(recvmsg),
	TF_CALL(getsockopt),
	TF_CALL(setsockopt),
	TF_CALL(getsockname),
	TF_CALL(getpeername),
	TF_CALL(shutdown),
#ifdef __x86_64__ /* older names of calls above */
	TF_CALL(open),
	TF_CALL(stat),
	TF_CALL(lstat),
	TF_CALL(access),
	TF_CALL(readlink),
	TF_CALL(mkdir),
	TF_CALL(rmdir),
	TF_CALL(unlink),
	TF_CALL(rename),
	TF_CALL(link),
	TF_CALL(getdents),
	TF_CALL(pipe),
	TF_CALL(dup2),
	TF_CALL(poll),
	TF_CALL(select),
	TF_CALL(epoll_wait),
	TF_CALL(epoll_create),
	TF_CALL(time),
#endif
	TF_CALL(renameat),
};

/* Besides those of the daemon. */
static const struct tf_call of_follower[] = {
	TF_CALL_IF(socket, 0, TF_CALL_MASK_ALL, AF_INET),
	TF_CALL_IF(socket, 0, TF_CALL_MASK_ALL, AF_INET6), TF_CALL(bind),
	TF_CALL(listen), TF_CALL(accept4), TF_CALL(recvmmsg),
	TF_CALL(rt_sigpending), /* libpq, before it ignores SIGPIPE */
};

static const struct tf_call of_router[] = {
	/* Memory and threads. */
	TF_CALL(brk),
	TF_CALL(mmap),
	TF_CALL(munmap),
	TF_CALL(mremap),
	TF_CALL(mprotect),
	TF_CALL(madvise),
	TF_CALL(futex),
	TF_CALL_IF(clone, 0, THREAD_MASK, CLONE_VM | CLONE_THREAD),
	TF_CALL(exit),
	TF_CALL(exit_group),
	TF_CALL(set_robust_list),
	TF_CALL(wait4), /* for the helpers */
	TF_CALL(rseq),
	TF_CALL(membarrier),
	TF_CALL(restart_syscall),
	TF_CALL(gettid),
	TF_CALL(getpid),
	TF_CALL(geteuid),
	TF_CALL(sched_getaffinity),
	TF_CALL_IF(prlimit64, 2, TF_CALL_MASK_ALL, 0), /* only asks */
	TF_CALL(getrandom),
	TF_CALL(getcpu),
	TF_CALL(rt_sigaction),
	TF_CALL(rt_sigprocmask),
	TF_CALL(rt_sigreturn),
	TF_CALL(tgkill), /* abort(3) */
	TF_CALL(clock_gettime),
	TF_CALL(gettimeofday),
	TF_CALL(nanosleep),
	TF_CALL(clock_nanosleep),
	TF_CALL(eventfd2),
	TF_CALL(timerfd_settime),
	TF_CALL(timerfd_create),
	/* Messages. */
	TF_CALL(read),
	TF_CALL(write),
	TF_CALL(writev),
	TF_CALL(close),
	TF_CALL(fcntl),
	TF_CALL(dup2),
	TF_CALL(dup3),
	TF_CALL(lseek),
	TF_CALL(epoll_create1),
	TF_CALL(epoll_ctl),
	TF_CALL(epoll_pwait),
	TF_CALL(ppoll),
	TF_CALL_IF(socket, 0, TF_CALL_MASK_ALL, AF_UNIX),
	TF_CALL_IF(socketpair, 0, TF_CALL_MASK_ALL, AF_UNIX),
	TF_CALL(connect), /* syslog */
	TF_CALL(sendto),
	TF_CALL(sendmsg),
	TF_CALL(recvfrom),
	TF_CALL(recvmsg),
	TF_CALL(setsockopt),
	TF_CALL(getsockopt),
	TF_CALL_IF(ioctl, 1, TF_CALL_MASK_ALL,
	    TIOCOUTQ), /* did the journal read? */
	/* Names of copies. */
	TF_CALL(openat),
	TF_CALL(getdents64),
	TF_CALL(fstat),
	TF_CALL(newfstatat),
	TF_CALL(fstatfs),
	TF_CALL(inotify_init1),
	TF_CALL(inotify_add_watch),
	TF_CALL(chdir),
#ifdef __x86_64__ /* older names of calls above */
	TF_CALL(open),
	TF_CALL(stat),
	TF_CALL(lstat),
	TF_CALL(poll),
	TF_CALL(epoll_wait),
#endif
};

/* All helpers: messages, and the end. */
#define OF_HELPERS                                                     \
	TF_CALL(recvmsg), TF_CALL(sendmsg), TF_CALL(close),            \
	    TF_CALL(exit_group), TF_CALL(exit), TF_CALL(rt_sigreturn), \
	    TF_CALL(restart_syscall)

static const struct tf_call of_unmounter[] = {
	OF_HELPERS,
	TF_CALL(umount2),
	TF_CALL(statfs),
	TF_CALL(geteuid),
	/* The end of a session of libfuse. */
	TF_CALL(munmap),
	TF_CALL(futex),
	TF_CALL(brk),
	TF_CALL(madvise),
};

static const struct tf_call of_broker[] = {
	OF_HELPERS,
	TF_CALL(readlinkat),
#ifdef __x86_64__
	TF_CALL(readlink),
#endif
	TF_CALL_IF(ioctl, 1, TF_CALL_MASK_ALL, FS_BACKING_OPEN),
	TF_CALL_IF(ioctl, 1, TF_CALL_MASK_ALL, FS_BACKING_CLOSE),
};

static const struct tf_call of_pages[] = {
	OF_HELPERS,
	TF_CALL(openat),
	TF_CALL(open_by_handle_at),
	TF_CALL(statx),
	TF_CALL(sync_file_range),
	TF_CALL(read),
	TF_CALL(write),
	TF_CALL(madvise),
	TF_CALL(munmap),
	TF_CALL(futex),
#ifdef __x86_64__
	TF_CALL(open),
#endif
};

static const struct tf_call of_watchdog[] = {
	OF_HELPERS,
	TF_CALL(statfs),
	TF_CALL(sendto),
	TF_CALL(ppoll),
#ifdef __x86_64__
	TF_CALL(poll),
#endif
};

enum tf_code
fs_seccomp_daemon(bool *on, struct tf_error *err)
{
	*on = tf_seccomp_is_there();
	if (*on &&
	    !tf_seccomp_set(of_daemon, sizeof of_daemon / sizeof of_daemon[0]))
		return tf_fail(err, TF_IO, "seccomp: set the filter");
	return TF_OK;
}

enum tf_code
fs_seccomp_router(bool *on, struct tf_error *err)
{
	*on = tf_seccomp_is_there();
	if (*on &&
	    !tf_seccomp_set(of_router, sizeof of_router / sizeof of_router[0]))
		return tf_fail(err, TF_IO, "seccomp: set the filter");
	return TF_OK;
}

enum tf_code
fs_seccomp_follower(bool *on, struct tf_error *err)
{
	struct tf_call all[sizeof of_daemon / sizeof of_daemon[0] +
	    sizeof of_follower / sizeof of_follower[0]];

	memcpy(all, of_daemon, sizeof of_daemon);
	memcpy((char *)all + sizeof of_daemon, of_follower, sizeof of_follower);
	*on = tf_seccomp_is_there();
	if (*on && !tf_seccomp_set(all, sizeof all / sizeof all[0]))
		return tf_fail(err, TF_IO, "seccomp: set the filter");
	return TF_OK;
}

bool
fs_seccomp_unmounter(void)
{
	return !tf_seccomp_is_there() ||
	    tf_seccomp_set(of_unmounter,
		sizeof of_unmounter / sizeof of_unmounter[0]);
}

bool
fs_seccomp_broker(void)
{
	return !tf_seccomp_is_there() ||
	    tf_seccomp_set(of_broker, sizeof of_broker / sizeof of_broker[0]);
}

bool
fs_seccomp_pages(void)
{
	return !tf_seccomp_is_there() ||
	    tf_seccomp_set(of_pages, sizeof of_pages / sizeof of_pages[0]);
}

bool
fs_seccomp_watchdog(void)
{
	return !tf_seccomp_is_there() ||
	    tf_seccomp_set(of_watchdog,
		sizeof of_watchdog / sizeof of_watchdog[0]);
}
