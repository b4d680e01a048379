/* One call fails: of memory, or of what reads and writes files. */
#ifndef TESTS_STRIKE_H
#define TESTS_STRIKE_H

#include <stdbool.h>

enum strike { STRIKE_MEMORY, STRIKE_CALL };

/* After n more calls of that kind one fails: without memory, or with EIO. */
void strike_after(enum strike what, long n);
/* From now on all succeed again; did it come so far? */
bool strike_end(void);

#endif
