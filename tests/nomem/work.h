/*
 * Memory runs out, or a call or the database fails, at each place once while a
 * vault works: sealing, renaming, publishing, setting attributes, reading, and
 * making what control files show.
 */
#ifndef TESTS_WORK_H
#define TESTS_WORK_H

#include <stddef.h>

#include "strike.h"

struct work_result {
	unsigned checks, failures;
};

/*
 * Make the store of this sweep at dir/work-store and sweep every operation with
 * that kind of failure.  step: only every step-th place is tried.
 */
struct work_result work_sweep(const char *dir, enum strike kind, long step);

#endif
