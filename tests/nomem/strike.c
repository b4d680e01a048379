/*
 * The linker hands our calls of malloc and its kin and of sqlite3_step to this
 * file.  What reads
 * and writes files is defined here under its own name, so that SQLite and
 * libzip call it, too.
 */
#undef _FORTIFY_SOURCE /* its inline functions would be in the way */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "../bitflip/bitflip.h"
#include "strike.h"

static atomic_long left = -1; /* calls that still succeed; negative: all */
static long given;
static atomic_int kind;

void
strike_after(enum strike what, long n)
{
	atomic_store(&kind, (int)what);
	given = n;
	atomic_store(&left, n);
}

long
strike_used(void)
{
	return given - atomic_load(&left);
}

bool
strike_end(void)
{
	return atomic_exchange(&left, -1) < 0;
}

long
strike_pause(void)
{
	return atomic_exchange(&left, -1);
}

void
strike_resume(long paused)
{
	atomic_store(&left, paused);
}

static bool
struck(enum strike what)
{
	long now = atomic_load(&left);

	if (now < 0 || atomic_load(&kind) != (int)what)
		return false;
	while (now >= 0 && !atomic_compare_exchange_weak(&left, &now, now - 1))
		;
	if (now == 0)
		errno = what == STRIKE_CALL || what == STRIKE_STEP ? EIO :
								     ENOMEM;
	return now == 0;
}

/* --- memory ------------------------------------------------------------- */

/* What libcrypto was given; it calls our malloc in the end. */
static CRYPTO_malloc_fn its_malloc;
static CRYPTO_realloc_fn its_realloc;
static CRYPTO_free_fn its_free;
static _Thread_local bool in_crypto;

static void *
crypto_malloc(size_t n, const char *file, int line)
{
	void *p;

	in_crypto = true;
	p = its_malloc(n, file, line);
	in_crypto = false;
	return p;
}

static void *
crypto_realloc(void *old, size_t n, const char *file, int line)
{
	void *p;

	in_crypto = true;
	p = its_realloc(old, n, file, line);
	in_crypto = false;
	return p;
}

void
strike_begin(void)
{
	CRYPTO_get_mem_functions(&its_malloc, &its_realloc, &its_free);
	MUST(CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, its_free));
}

static bool
no_memory(void)
{
	return struck(in_crypto ? STRIKE_CRYPTO : STRIKE_MEMORY);
}

/* NOLINTBEGIN: the names are the linker's. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

void *
__wrap_malloc(size_t n)
{
	return no_memory() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return no_memory() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return no_memory() ? NULL : __real_realloc(p, n);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return no_memory() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return no_memory() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t n)
{
	return no_memory() ? NULL : __real_strndup(s, n);
}

/* libyaml allocates with these functions of its own, which stand in for its. */
void *yaml_malloc(size_t n);
void *yaml_realloc(void *p, size_t n);
char *yaml_strdup(const char *s);

void *
yaml_malloc(size_t n)
{
	return no_memory() ? NULL : __real_malloc(n > 0 ? n : 1);
}

void *
yaml_realloc(void *p, size_t n)
{
	return no_memory() ? NULL : __real_realloc(p, n > 0 ? n : 1);
}

char *
yaml_strdup(const char *s)
{
	return s == NULL || no_memory() ? NULL : __real_strdup(s);
}

int __real_sqlite3_step(sqlite3_stmt *st);
int __wrap_sqlite3_step(sqlite3_stmt *st);

int
__wrap_sqlite3_step(sqlite3_stmt *st)
{
	return struck(STRIKE_STEP) ? SQLITE_IOERR : __real_sqlite3_step(st);
}
/* NOLINTEND */

/* --- files -------------------------------------------------------------- */

/* A function of that name and type that fails when it is its turn. */
#define CALL(type, failed, name, parameters, ...)                  \
	type name parameters                                       \
	{                                                          \
		static type(*real) parameters;                     \
                                                                   \
		if (struck(STRIKE_CALL))                           \
			return failed;                             \
		if (real == NULL)                                  \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		return real(__VA_ARGS__);                          \
	}

CALL(ssize_t, -1, pread, (int fd, void *p, size_t n, off_t at), fd, p, n, at)
CALL(ssize_t, -1, pread64, (int fd, void *p, size_t n, off_t at), fd, p, n, at)
CALL(ssize_t, -1, read, (int fd, void *p, size_t n), fd, p, n)
CALL(ssize_t, -1, pwrite, (int fd, const void *p, size_t n, off_t at), fd, p, n,
    at)
CALL(ssize_t, -1, pwrite64, (int fd, const void *p, size_t n, off_t at), fd, p,
    n, at)
CALL(int, -1, fstat, (int fd, struct stat *st), fd, st)
CALL(int, -1, fstat64, (int fd, struct stat64 *st), fd, st)
CALL(int, -1, fstatat, (int fd, const char *path, struct stat *st, int flags),
    fd, path, st, flags)
CALL(int, -1, stat64, (const char *path, struct stat64 *st), path, st)
CALL(int, -1, stat, (const char *path, struct stat *st), path, st)
CALL(int, -1, access, (const char *path, int how), path, how)
CALL(int, -1, faccessat, (int fd, const char *path, int how, int flags), fd,
    path, how, flags)
CALL(int, -1, fsync, (int fd), fd)
CALL(int, -1, fdatasync, (int fd), fd)
CALL(int, -1, ftruncate, (int fd, off_t n), fd, n)
CALL(int, -1, ftruncate64, (int fd, off_t n), fd, n)
CALL(int, -1, fchmod, (int fd, mode_t mode), fd, mode)
CALL(int, -1, fchmodat, (int fd, const char *path, mode_t mode, int flags), fd,
    path, mode, flags)
CALL(int, -1, mkdirat, (int fd, const char *path, mode_t mode), fd, path, mode)
CALL(int, -1, linkat,
    (int from, const char *a, int to, const char *b, int flags), from, a, to, b,
    flags)
CALL(int, -1, renameat, (int from, const char *a, int to, const char *b), from,
    a, to, b)
CALL(int, -1, unlinkat, (int fd, const char *path, int flags), fd, path, flags)
CALL(DIR *, NULL, fdopendir, (int fd), fd)
CALL(struct dirent *, NULL, readdir, (DIR * d), d)
CALL(FILE *, NULL, fdopen, (int fd, const char *mode), fd, mode)
CALL(int, -1, fseeko, (FILE * f, off_t at, int from), f, at, from)
CALL(int, -1, fseeko64, (FILE * f, off_t at, int from), f, at, from)

static _Thread_local bool read_failed; /* as ferror(3) tells it */

size_t
fread(void *p, size_t size, size_t n, FILE *f)
{
	static size_t (*real)(void *p, size_t size, size_t n, FILE *f);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "fread");
	read_failed = struck(STRIKE_CALL);
	return read_failed ? 0 : real(p, size, n, f);
}

int
ferror(FILE *f)
{
	static int (*real)(FILE * f);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "ferror");
	return read_failed || real(f);
}

/* openat2(2) has no function of its own. */
long
syscall(long number, ...)
{
	static long (*real)(long number, ...);
	long a[4];
	va_list ap;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	if (number == SYS_openat2 && struck(STRIKE_CALL))
		return -1;
	va_start(ap, number);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return real(number, a[0], a[1], a[2], a[3]);
}

static int
open_at(int fd, const char *name, int flags, mode_t mode)
{
	static int (*real)(int fd, const char *name, int flags, ...);

	if (struck(STRIKE_CALL))
		return -1;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "openat");
	return real(fd, name, flags, mode);
}

#define OPEN(function, fd, name, ...)                  \
	int function(__VA_ARGS__, int flags, ...)      \
	{                                              \
		va_list ap;                            \
		mode_t mode;                           \
                                                       \
		va_start(ap, flags);                   \
		mode = va_arg(ap, mode_t);             \
		va_end(ap);                            \
		return open_at(fd, name, flags, mode); \
	}
OPEN(open, AT_FDCWD, name, const char *name)
OPEN(open64, AT_FDCWD, name, const char *name)
OPEN(openat, dir, name, int dir, const char *name)
OPEN(openat64, dir, name, int dir, const char *name)
