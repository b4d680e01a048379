/*
 * The clocks of the host.  No other file calls them, so that tests can replace
 * them in one place.  All functions are safe from many threads at once.
 */
#ifndef TF_BASE_CLOCK_H
#define TF_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "../types.h"

#define TF_SECOND UINT64_C(1000000000) /* in nanoseconds */

/* The host's wall clock, UTC.  It may jump in either direction; the order of
 * entries never depends on it. */
struct tf_time tf_clock_now(void);
/* What the kernel says of the wall clock (adjtimex(2)). */
struct tf_clock_state {
	bool known;	   /* false: the kernel refused the question */
	bool synchronised; /* by a service (NTP, PTP) */
	uint64_t estimated_error_us, maximum_error_us;
};
void tf_clock_state(struct tf_clock_state *out);
/*
 * The service that synchronises the wall clock, from the files that it keeps
 * below the directory run ("/run"): "chrony", "ntpd" or "systemd-timesyncd".
 * "" if there is none, or if it cannot be seen from here.
 */
const char *tf_clock_source(const char *run);
/* Nanoseconds since boot, suspend included (CLOCK_BOOTTIME); never go back. */
uint64_t tf_clock_boot_ns(void);
/* The time on CLOCK_MONOTONIC in ns nanoseconds from now, for timed waits. */
void tf_clock_after(uint64_t ns, struct timespec *out);

#endif
