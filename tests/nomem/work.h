/*
 * Fail each allocation, call or database step once during the operations of a
 * vault: sealing, renaming, publishing, setting attributes, reading, and making
 * control files.
 */
#ifndef TESTS_WORK_H
#define TESTS_WORK_H

#include <stddef.h>

#include "strike.h"

struct work_result {
	unsigned checks, failures;
};

/*
 * Make the store of this run at dir/work-store, and run every operation with
 * that kind of failure at every step-th place.
 */
struct work_result work_strike(const char *dir, enum strike kind, long step);

#endif
