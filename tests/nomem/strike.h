/* One call fails: of memory, of what reads and writes files, of SQLite. */
#ifndef TESTS_STRIKE_H
#define TESTS_STRIKE_H

#include <stdbool.h>

enum strike { STRIKE_MEMORY, STRIKE_CALL, STRIKE_STEP, STRIKES };

/* After n more calls of that kind one fails: without memory, with EIO, with an
 * error of the database. */
void strike_after(enum strike what, long n);
/* From now on all succeed again; did it come so far? */
bool strike_end(void);

#endif
