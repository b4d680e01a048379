/* What the rows report, users and processes. */
#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "attack.h"

struct world world;
struct shared *shared;
bool report_all;

/* --- reports ---------------------------------------------------------------------- */

static void
tell(const char *fmt, va_list ap)
{
	char text[WHY_MAX];

	vsnprintf(text, sizeof text, fmt, ap);
	if (atomic_fetch_add(&shared->told, 1) == 0)
		strcpy(shared->why, text);
	if (report_all)
		fprintf(stderr, "      %s: %s\n", shared->row, text);
}

void
gained(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(fmt, ap);
	va_end(ap);
	atomic_fetch_add(&shared->gains, 1);
}

void
fault(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(fmt, ap);
	va_end(ap);
	atomic_fetch_add(&shared->faults, 1);
}

void
skipped(const char *why)
{
	if (atomic_fetch_add(&shared->skips, 1) == 0 && shared->why[0] == '\0')
		snprintf(shared->why, sizeof shared->why, "%s", why);
}

/* No refusal has one of these. */
static bool
is_odd(int sys)
{
	return sys == ENOSYS || sys == EIO || sys == ENOTCONN ||
	    sys == ECONNABORTED || sys == ETIMEDOUT || sys == ENOMEM ||
	    sys == EFAULT;
}

long
tried(const char *what, long got)
{
	int sys = errno;

	atomic_fetch_add(&shared->tries, 1);
	if (got >= 0)
		gained("uid %u: %s succeeded", geteuid(), what);
	else if (is_odd(sys))
		fault("uid %u: %s: %s", geteuid(), what, strerror(sys));
	errno = sys;
	return got;
}

/* --- users and processes ---------------------------------------------------------- */

bool
is_root(void)
{
	char map[64];
	int n = read_bytes("/proc/self/uid_map", map, sizeof map - 1);
	unsigned inside, outside;

	map[n < 0 ? 0 : n] = '\0';
	return geteuid() == 0 && sscanf(map, "%u %u", &inside, &outside) == 2 &&
	    outside == 0;
}

void
become(uid_t uid, bool team)
{
	static const gid_t gid = TEAM_GID;

	if (setgroups(team ? 1 : 0, &gid) < 0 || setresgid(uid, uid, uid) < 0 ||
	    setresuid(uid, uid, uid) < 0) {
		fault("cannot become uid %u: %s", uid, strerror(errno));
		_exit(1);
	}
	/* Its own /proc/self is its own. */
	prctl(PR_SET_DUMPABLE, 1);
}

pid_t
child(int (*fn)(void *), void *arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(fn(arg));
	if (pid < 0)
		fault("fork: %s", strerror(errno));
	return pid;
}

int
ended(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void
nap_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}
