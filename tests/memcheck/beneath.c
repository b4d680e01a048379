/*
 * Preloaded into what memcheck runs: a valgrind older than openat2(2) answers
 * ENOSYS for it, and half of the verifier would never be looked at.  Then the
 * path is walked here, name by name and never over a symbolic link.
 *
 * And the kernel calls the process as the program is called, not valgrind: it
 * is what entries name.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((constructor)) static void
be_called_so(void)
{
	(void)prctl(PR_SET_NAME, program_invocation_short_name);
}

static int
walk(int dirfd, const char *path, const struct open_how *how)
{
	char *names = strdup(path), *rest = names, *name;
	int at = dirfd, next = -1;

	if (path[0] == '/')
		rest = NULL;
	errno = names == NULL ? ENOMEM : EXDEV;
	while (rest != NULL && (name = strsep(&rest, "/")) != NULL) {
		if (strcmp(name, "..") == 0) {
			errno = EXDEV;
			next = -1;
		} else if (rest != NULL) {
			next = openat(at, name,
			    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		} else {
			next = openat(at, name, (int)how->flags | O_NOFOLLOW,
			    (mode_t)how->mode);
		}
		if (at != dirfd)
			close(at);
		if ((at = next) < 0)
			break;
	}
	free(names);
	return next;
}

long
syscall(long number, ...)
{
	static long (*real)(long number, ...);
	long a[6], got;
	va_list ap;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	got = real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (got == -1 && errno == ENOSYS && number == SYS_openat2)
		got = walk((int)a[0], (const char *)a[1],
		    (const struct open_how *)a[2]);
	return got;
}
