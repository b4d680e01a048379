/* Making one call fail: an allocation, a call that reads or writes files, a
 * step of SQLite, or an allocation of libcrypto. */
#ifndef TESTS_STRIKE_H
#define TESTS_STRIKE_H

#include <stdbool.h>

enum strike { STRIKE_MEMORY, STRIKE_CALL, STRIKE_STEP, STRIKE_CRYPTO, STRIKES };

/* Call this first: it separates the memory of libcrypto from ours. */
void strike_begin(void);

/* Let n calls of that kind succeed, and fail the next one: no memory, EIO, an
 * error of the database, or no memory in libcrypto. */
void strike_after(enum strike what, long n);
/* Let all calls succeed again.  True: the failing call was reached. */
bool strike_end(void);

/* Let calls succeed until strike_resume gets the value returned here. */
long strike_pause(void);
void strike_resume(long paused);
/* Calls since strike_after, if the failing call was not reached. */
long strike_used(void);

#endif
