/* The content of freed memory: see freed.h. */
#include "freed.h"

#include <check.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint8_t kept[(size_t)16 << 20];
static size_t used;	    /* guarded by mu */
static atomic_bool keeping; /* free() asks without mu */
static bool full;	    /* guarded by mu */
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

void __real_free(void *p);
void *__real_realloc(void *p, size_t n);
void __wrap_free(void *p);
void *__wrap_realloc(void *p, size_t n);

static void
keep(void *p)
{
	size_t n = malloc_usable_size(p);

	pthread_mutex_lock(&mu);
	if (keeping && n > sizeof(kept) - used)
		full = true;
	else if (keeping) {
		memcpy(kept + used, p, n);
		used += n;
	}
	pthread_mutex_unlock(&mu);
}

void
__wrap_free(void *p)
{
	if (keeping && p != NULL)
		keep(p);
	__real_free(p);
}

/* What realloc(3) copies, it may leave behind: keep it in any case. */
void *
__wrap_realloc(void *p, size_t n)
{
	if (keeping && p != NULL)
		keep(p);
	return __real_realloc(p, n);
}

bool
freed_works(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded == NULL || strstr(preloaded, "vgpreload") == NULL;
}

void
freed_begin(void)
{
	pthread_mutex_lock(&mu);
	keeping = true;
	full = false;
	used = 0;
	pthread_mutex_unlock(&mu);
}

void
freed_end(void)
{
	pthread_mutex_lock(&mu);
	keeping = false;
	pthread_mutex_unlock(&mu);
	ck_assert_msg(!full, "too much memory was freed");
}

bool
freed_has(const void *p, size_t n)
{
	return memmem(kept, used, p, n) != NULL;
}
