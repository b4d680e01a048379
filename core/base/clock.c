/*
 * The clocks of the host: see clock.h.  Wall time goes into entries, and
 * people and NTP may set it.  Deadlines use the boot clock, which goes on
 * while the machine sleeps; waits on condition variables use the monotonic
 * clock, which those must be set up for.
 */
#include <limits.h>
#include <stdio.h>
#include <sys/timex.h>
#include <unistd.h>

#include "clock.h"

struct tf_time
tf_clock_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (struct tf_time){ ts.tv_sec, (uint32_t)ts.tv_nsec };
}

void
tf_clock_state(struct tf_clock_state *out)
{
	struct timex t = { .modes = 0 };
	int state = adjtimex(&t);

	*out = (struct tf_clock_state){ .known = state >= 0 };
	if (state < 0) /* the kernel refused the call */
		return;
	out->synchronised = state != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
	out->estimated_error_us = t.esterror < 0 ? 0 : (uint64_t)t.esterror;
	out->maximum_error_us = t.maxerror < 0 ? 0 : (uint64_t)t.maxerror;
}

/* These files go when their service ends in order, and /run with the boot. */
const char *
tf_clock_source(const char *run)
{
	static const struct {
		const char *file, *name;
	} sources[] = {
		{ "chrony/chronyd.pid", "chrony" },
		{ "chronyd.pid", "chrony" },
		{ "ntpd.pid", "ntpd" },
		{ "systemd/timesync/synchronized", "systemd-timesyncd" },
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", run,
		    sources[i].file);
		if (access(path, F_OK) == 0)
			return sources[i].name;
	}
	return "";
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
