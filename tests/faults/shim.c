/*
 * A library preloaded into trailfs: it counts the calls that change a disk and
 * injects a fault into one of them.  It makes the system calls itself, so that
 * no symbol must be looked up, and so that malloc can be one of the calls.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"

#define BUFFER (1u << 20)
#define SEEN_NS 1000000 /* what was shown before the end, others may see */

static struct fault *fault;
static pid_t daemon_pid; /* the process that was started, not a fork of it */

/* Write to the log of the daemon where it died, and die. */
static void
say_where(int number)
{
	void *calls[64];
	int n = backtrace(calls, 64);

	backtrace_symbols_fd(calls, n, STDERR_FILENO);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv(FAULT_ENV);
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED :
			   mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE,
			       MAP_SHARED, fd, 0);
	void *once[1];

	daemon_pid = getpid();
	(void)backtrace(once, 1); /* which loads a library at its first call */
	(void)signal(SIGSEGV, say_where);
	/* glibc ends by SIGSEGV if it finds no memory for its state of users,
	 * which it makes when it is first asked for one. */
	(void)getpwuid(0);
	if (p != MAP_FAILED)
		fault = p;
	if (fd >= 0)
		close(fd);
}

/* Move the clock so many seconds ahead, or back if negative. */
int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	const char *ahead = getenv("SHIM_CLOCK_AHEAD_S");
	int rc = (int)syscall(SYS_clock_gettime, clock, ts);

	if (rc == 0 && fault != NULL &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME))
		ts->tv_sec += fault->passed_s;
	if (rc != 0 || clock != CLOCK_REALTIME)
		return rc;
	if (ahead != NULL)
		ts->tv_sec += strtol(ahead, NULL, 10);
	if (fault != NULL)
		ts->tv_sec += fault->ahead_s;
	return rc;
}

/* True if the call concerns a file that the fault is for.  name may be NULL. */
static bool
concerns(int fd, const char *name)
{
	char link[32], path[PATH_MAX] = "";
	ssize_t n = -1;

	if (name != NULL && strstr(name, fault->only) != NULL)
		return true;
	if (fd >= 0) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		n = readlink(link, path, sizeof path - 1);
	}
	path[n < 0 ? 0 : n] = '\0';
	return strstr(path, fault->only) != NULL;
}

/* Make no call any more.  Where the sandbox forbids to pause, the daemon waits
 * to be killed and a helper ends. */
static _Noreturn void
hang(void)
{
	while (pause() < 0)
		if (errno != EINTR && getpid() != daemon_pid)
			_exit(EXIT_FAILURE);
	abort();
}

/* Count a call; true if a fault replaces it. */
static bool
strikes(unsigned call, int fd, const char *name)
{
	static const struct timespec seen = { 0, SEEN_NS };
	unsigned long n;

	if (fault == NULL || (fault->calls & call) == 0)
		return false;
	if (fault->only[0] != '\0' && !concerns(fd, name))
		return false;
	if (fault->kind == FAULT_KILL && !fault->attended &&
	    getpid() != daemon_pid)
		return false;
	n = atomic_fetch_add(&fault->count, 1) + 1;
	if (fault->at == 0 || n < fault->at || n > fault->last)
		return false;
	atomic_fetch_add(&fault->hits, 1);
	switch (fault->kind) {
	case FAULT_CUT:
		nanosleep(&seen, NULL);
		fault->dark = 1; /* the rig cuts; the sandbox may not */
		hang();
	case FAULT_KILL:
		nanosleep(&seen, NULL);
		break;
	case FAULT_ERROR:
		errno = fault->sys;
		return true;
	case FAULT_SHORT:
		return true;
	case FAULT_HOLD:
		while (fault->held != 0)
			nanosleep(&seen, NULL);
		return false;
	}
	/* The helpers, which make calls too, end with the daemon.  The signer
	 * may kill nobody, so the rig does that. */
	if (getpid() != daemon_pid && kill(daemon_pid, SIGKILL) < 0)
		for (fault->dying = 1; fault->dying != 0;)
			continue;
	(void)syscall(SYS_tgkill, getpid(), gettid(), SIGKILL);
	hang();
}

static long
end_call(long result)
{
	if (fault != NULL)
		atomic_fetch_sub(&fault->busy, 1);
	return result;
}

static void
begin_call(void)
{
	if (fault == NULL)
		return;
	atomic_fetch_add(&fault->busy, 1);
	if (fault->dark == 0)
		return;
	atomic_fetch_sub(&fault->busy, 1);
	hang();
}

/* Make the call, unless a fault replaces it. */
#define CALL(call, fd, name, ...)  \
	(strikes(call, fd, name) ? \
		-1 :               \
		(begin_call(), end_call(syscall(__VA_ARGS__))))

/* --- syncing ---------------------------------------------------------- */

int
fsync(int fd)
{
	return (int)CALL(CALL_SYNC, fd, NULL, SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	return (int)CALL(CALL_SYNC, fd, NULL, SYS_fdatasync, fd);
}

int
sync_file_range(int fd, off_t off, off_t n, unsigned flags)
{
	/* A helper waits so for writes that the daemon answers, and changes no
	 * disk. */
	if (getpid() != daemon_pid)
		return (int)syscall(SYS_sync_file_range, fd, off, n, flags);
	return (int)CALL(CALL_SYNC, fd, NULL, SYS_sync_file_range, fd, off, n,
	    flags);
}

/* --- reading ---------------------------------------------------------- */

ssize_t
read(int fd, void *p, size_t n)
{
	return strikes(CALL_READ, fd, NULL) ? -1 : syscall(SYS_read, fd, p, n);
}

ssize_t
pread(int fd, void *p, size_t n, off_t off)
{
	return strikes(CALL_AT, fd, NULL) ? -1 :
					    syscall(SYS_pread64, fd, p, n, off);
}

ssize_t
pread64(int fd, void *p, size_t n, off_t off)
{
	return pread(fd, p, n, off);
}

ssize_t
splice(int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags)
{
	return from != NULL && strikes(CALL_AT, in, NULL) ?
	    -1 :
	    syscall(SYS_splice, in, from, out, to, n, flags);
}

/* --- writing ---------------------------------------------------------- */

ssize_t
pwrite(int fd, const void *p, size_t n, off_t off)
{
	if (strikes(CALL_WRITE, fd, NULL)) {
		if (fault->kind != FAULT_SHORT)
			return -1;
		n = n > 1 ? n / 2 : n;
	}
	begin_call();
	return end_call(syscall(SYS_pwrite64, fd, p, n, off));
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off_t off)
{
	return pwrite(fd, p, n, off);
}

int
ftruncate(int fd, off_t size)
{
	return (int)CALL(CALL_SIZE, fd, NULL, SYS_ftruncate, fd, size);
}

int
ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

/* --- names ------------------------------------------------------------ */

int
linkat(int from, const char *old, int to, const char *name, int flags)
{
	return (int)CALL(CALL_NAME, to, name, SYS_linkat, from, old, to, name,
	    flags);
}

int
link(const char *old, const char *name)
{
	return linkat(AT_FDCWD, old, AT_FDCWD, name, 0);
}

int
renameat(int from, const char *old, int to, const char *name)
{
	return (int)CALL(CALL_NAME, to, name, SYS_renameat2, from, old, to,
	    name, 0);
}

int
rename(const char *old, const char *name)
{
	return renameat(AT_FDCWD, old, AT_FDCWD, name);
}

int
unlinkat(int fd, const char *name, int flags)
{
	return (int)CALL(CALL_NAME, fd, name, SYS_unlinkat, fd, name, flags);
}

int
unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int
mkdirat(int fd, const char *name, mode_t mode)
{
	return (int)CALL(CALL_CREATE, fd, name, SYS_mkdirat, fd, name, mode);
}

static int
open_at(int fd, const char *name, int flags, mode_t mode)
{
	if ((flags & O_CREAT) != 0 && strikes(CALL_CREATE, fd, name))
		return -1;
	return (int)syscall(SYS_openat, fd, name, flags, mode);
}

#define OPEN(function, fd, last, ...)                  \
	int function(__VA_ARGS__, int flags, ...)      \
	{                                              \
		va_list ap;                            \
		mode_t mode;                           \
                                                       \
		va_start(ap, flags);                   \
		mode = va_arg(ap, mode_t);             \
		va_end(ap);                            \
		return open_at(fd, last, flags, mode); \
	}
OPEN(open, AT_FDCWD, name, const char *name)
OPEN(open64, AT_FDCWD, name, const char *name)
OPEN(openat, dir, name, int dir, const char *name)
OPEN(openat64, dir, name, int dir, const char *name)

/* --- memory ----------------------------------------------------------- */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *
malloc(size_t n)
{
	unsigned call = n < BUFFER ? CALL_MEMORY : CALL_MEMORY | CALL_BUFFER;

	return strikes(call, -1, NULL) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return strikes(CALL_MEMORY, -1, NULL) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return strikes(CALL_MEMORY, -1, NULL) ? NULL : __libc_realloc(p, n);
}
