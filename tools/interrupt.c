/* Signals that wait: see interrupt.h. */
#include <signal.h>
#include <stddef.h>

#include "interrupt.h"

static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define HELD (sizeof(held) / sizeof(held[0]))

static sigset_t before;
static bool holding;

void
interrupt_hold(void)
{
	sigset_t set;

	if (holding)
		return;
	(void)sigemptyset(&set);
	for (size_t i = 0; i < HELD; i++)
		(void)sigaddset(&set, held[i]);
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

void
interrupt_release(void)
{
	if (holding)
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
	holding = false;
}
