/* One call fails: of memory, of what reads and writes files, of SQLite, of the
 * memory that libcrypto asks for. */
#ifndef TESTS_STRIKE_H
#define TESTS_STRIKE_H

#include <stdbool.h>

enum strike { STRIKE_MEMORY, STRIKE_CALL, STRIKE_STEP, STRIKE_CRYPTO, STRIKES };

/* Call this first: it separates the memory of libcrypto from ours. */
void strike_begin(void);

/* After n more calls of that kind one fails: without memory, with EIO, with an
 * error of the database, without memory in libcrypto. */
void strike_after(enum strike what, long n);
/* From now on all succeed again; did it come so far? */
bool strike_end(void);

/* Let calls succeed until strike_resume is given what this returned. */
long strike_pause(void);
void strike_resume(long paused);
/* How many calls were made since strike_after, if it did not come so far. */
long strike_used(void);

#endif
