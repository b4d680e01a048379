/*
 * The clocks of the host: see clock.h.  Wall time goes into entries, and
 * people and NTP may set it.  Deadlines use the boot clock, which goes on
 * while the machine sleeps; waits on condition variables use the monotonic
 * clock, which those must be set up for.
 */
#include <sys/timex.h>

#include "clock.h"

struct tf_time
tf_clock_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (struct tf_time){ ts.tv_sec, (uint32_t)ts.tv_nsec };
}

bool
tf_clock_adrift(void)
{
	struct timex t = { .modes = 0 };
	int state = adjtimex(&t);

	/* -1: the kernel refused the call, so the state is unknown. */
	return state >= 0 &&
	    (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0);
}

uint64_t
tf_clock_boot_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void
tf_clock_after(uint64_t ns, struct timespec *out)
{
	(void)clock_gettime(CLOCK_MONOTONIC, out);
	ns += (uint64_t)out->tv_nsec;
	out->tv_sec += (time_t)(ns / 1000000000u);
	out->tv_nsec = (long)(ns % 1000000000u);
}
