/* Signals that wait: see interrupt.h. */
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "interrupt.h"

static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define HELD (sizeof(held) / sizeof(held[0]))

static sigset_t before;
static bool holding;

static void
held_set(sigset_t *set)
{
	(void)sigemptyset(set);
	for (size_t i = 0; i < HELD; i++)
		(void)sigaddset(set, held[i]);
}

void
interrupt_hold(void)
{
	sigset_t set;

	if (holding)
		return;
	held_set(&set);
	holding = sigprocmask(SIG_BLOCK, &set, &before) == 0;
}

enum tf_code
interrupt_check(struct tf_error *err)
{
	sigset_t waiting;

	if (!holding || sigpending(&waiting) < 0)
		return TF_OK;
	/* An ignored signal never waits. */
	for (size_t i = 0; i < HELD; i++)
		if (sigismember(&waiting, held[i]) == 1)
			return tf_fail(err, TF_INTERRUPTED, "interrupted");
	return TF_OK;
}

/* A signalfd shows that a signal waits, and leaves it waiting. */
enum tf_code
interrupt_wait(int fd, struct tf_error *err)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
		{ .fd = -1, .events = POLLIN } };
	sigset_t set;

	if (!holding)
		return TF_OK;
	held_set(&set);
	p[1].fd = signalfd(-1, &set, SFD_CLOEXEC);
	(void)poll(p, 2, -1);
	if (p[1].fd >= 0)
		(void)close(p[1].fd);
	return interrupt_check(err);
}

void
interrupt_release(void)
{
	if (holding)
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
	holding = false;
}
