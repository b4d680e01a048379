/* Clocks that a test sets; the linker puts them in place of those of the C library. */
#ifndef TESTS_UNIT_CLOCKS_H
#define TESTS_UNIT_CLOCKS_H

#include <stdatomic.h>
#include <stdint.h>

/* What CLOCK_BOOTTIME and CLOCK_MONOTONIC are ahead of the host's. */
extern _Atomic int64_t boot_ahead_s, monotonic_ahead_s;
/* Unless 0: CLOCK_BOOTTIME stands still, and says this. */
extern _Atomic uint64_t boot_stopped_ns;

#endif
