/* Random numbers, time, messages, shell commands and children. */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"

unsigned reds;

/* splitmix64 */
uint64_t
draw(struct chance *c)
{
	uint64_t z = c->s += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

unsigned
below(struct chance *c, unsigned n)
{
	return (unsigned)(draw(c) % n);
}

int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void
wait_us(int64_t us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

void
red(const char *fmt, ...)
{
	va_list ap;

	reds++;
	printf("  RED: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

void
die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "the rig does not work: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (%m)\n");
	exit(EXIT_FAILURE);
}

int
shell(const char *fmt, ...)
{
	char command[1024], *all;
	va_list ap;
	int status;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	if (asprintf(&all, "{ %s\n} >said 2>&1 </dev/null", command) < 0)
		die("no memory");
	status = system(all);
	free(all);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void
show_daemon_log(void)
{
	fflush(stdout);
	if (system("sed 's/^/    /' said") != 0)
		printf("    (and nothing was said)\n");
}

bool
ended(pid_t pid, int ms, int *status)
{
	struct pollfd p = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	bool over = p.fd >= 0 && poll(&p, 1, ms) == 1;

	if (p.fd >= 0)
		close(p.fd);
	return over && waitpid(pid, status, 0) == pid;
}
