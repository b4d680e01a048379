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
/* True if the kernel reports that no service synchronises the wall clock (NTP,
 * PTP).  False also if the kernel refuses the question. */
bool tf_clock_adrift(void);
/* Nanoseconds since boot, suspend included (CLOCK_BOOTTIME); never go back. */
uint64_t tf_clock_boot_ns(void);
/* The time on CLOCK_MONOTONIC in ns nanoseconds from now, for timed waits. */
void tf_clock_after(uint64_t ns, struct timespec *out);

#endif
