/*
 * The content of memory that is freed, so that a test sees which secrets stay
 * there.  The linker puts free() and realloc() of freed.c in place of those of
 * the C library, also for libcrypto, which allocates through hooks of core.
 */
#ifndef TESTS_UNIT_FREED_H
#define TESTS_UNIT_FREED_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the content can be read: memcheck would report such reading. */
bool freed_works(void);
/* Begin to keep what is freed, and forget what was kept before. */
void freed_begin(void);
/* End it.  Fails if more was freed than could be kept. */
void freed_end(void);
/* Whether the n bytes at p are in memory that was freed in between. */
bool freed_has(const void *p, size_t n);

#endif
