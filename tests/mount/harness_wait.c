/* Time limits, and waiting for children. */
#include <poll.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>

#include "harness.h"
#include "harness_i.h"

#define LOOK_MS 2 /* between two looks at a condition */

bool
long_run(void)
{
	return getenv("TRAILFS_LONG") != NULL;
}

unsigned
patience(void)
{
	const char *factor = getenv("CK_TIMEOUT_MULTIPLIER");
	unsigned multiplier = factor == NULL ? 0 : (unsigned)atoi(factor);
	unsigned n = long_run() ? 20 : 1;

	return multiplier > n ? multiplier : n;
}

int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
pause_between_looks(void)
{
	struct timespec t = { 0, LOOK_MS * 1000000 };

	nanosleep(&t, NULL);
}

bool
ended_within(pid_t pid, int ms, int *status)
{
	struct pollfd p = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	bool ended;

	ended = p.fd >= 0 && poll(&p, 1, ms) == 1;
	if (p.fd >= 0)
		close(p.fd);
	return ended && waitpid(pid, status, 0) == pid;
}

int
plain_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
