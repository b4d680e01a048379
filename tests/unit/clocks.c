/* See clocks.h. */
#include "clocks.h"

#include <time.h>

_Atomic int64_t boot_ahead_s, monotonic_ahead_s;
_Atomic uint64_t boot_stopped_ns;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	const int rc = __real_clock_gettime(clock, ts);
	const uint64_t stopped = atomic_load(&boot_stopped_ns);

	if (clock == CLOCK_MONOTONIC)
		ts->tv_sec += atomic_load(&monotonic_ahead_s);
	else if (clock == CLOCK_BOOTTIME && stopped == 0)
		ts->tv_sec += atomic_load(&boot_ahead_s);
	else if (clock == CLOCK_BOOTTIME)
		*ts = (struct timespec){ (time_t)(stopped / 1000000000),
			(long)(stopped % 1000000000) };
	return rc;
}
