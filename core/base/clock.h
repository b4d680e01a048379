/* The only caller of the clock. */
#ifndef TF_BASE_CLOCK_H
#define TF_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "../types.h"

#define TF_SECOND UINT64_C(1000000000) /* in nanoseconds */

/* The host's wall clock, UTC. */
struct tf_time tf_clock_now(void);
/* Does the kernel say that nothing keeps that clock right (no NTP, no PTP)? */
bool tf_clock_adrift(void);
/* Nanoseconds that only go forward, suspend included (CLOCK_BOOTTIME). */
uint64_t tf_clock_boot_ns(void);
/* The moment ns from now on CLOCK_MONOTONIC, for timed waits. */
void tf_clock_after(uint64_t ns, struct timespec *out);

#endif
