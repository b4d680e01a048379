/*
 * Work on files, timed from inside, so that no process is started per file.
 *
 * usage: files create DIR COUNT SIZE WRITERS [fsync]   COUNT new files
 *        files stream FILE BYTES CHUNK [fsync]         many small writes
 *        files read DIR                                every byte below DIR
 * Prints one JSON object: seconds, and for create the p50 and p99 of a file.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char buf[1 << 20];

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
put(int fd, size_t n, bool durable, const char *name)
{
	if (write(fd, buf, n) != (ssize_t)n)
		die(name);
	if (durable && fsync(fd) < 0)
		die(name);
	if (close(fd) < 0)
		die(name);
}

/* Files number first, first + step, ...; each different from all others. */
static void
create_some(const char *dir, long first, long count, long step, size_t size,
    bool durable, float *took)
{
	char name[4096];
	double t;
	int fd;

	for (long i = first; i < count; i += step) {
		(void)snprintf(name, sizeof(name), "%s/%08ld", dir, i);
		memcpy(buf, &i, sizeof(i) < size ? sizeof(i) : size);
		t = now();
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0)
			die(name);
		put(fd, size, durable, name);
		took[i] = (float)(now() - t);
	}
}

static int
by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void
create(char **a, bool durable)
{
	long count = atol(a[1]), writers = atol(a[3]);
	size_t size = (size_t)atol(a[2]);
	float *took;
	double t;
	int status;

	if (count < 1 || writers < 1 || size > sizeof(buf))
		die("numbers");
	took = mmap(NULL, (size_t)count * sizeof(*took), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (took == MAP_FAILED)
		die("memory");
	t = now();
	for (long w = 0; w < writers; w++) {
		if (fork() == 0) {
			create_some(a[0], w, count, writers, size, durable,
			    took);
			_exit(0);
		}
	}
	for (long w = 0; w < writers; w++)
		if (wait(&status) < 0 || status != 0)
			die("a writer");
	t = now() - t;
	qsort(took, (size_t)count, sizeof(*took), by_value);
	printf("{\"seconds\": %.6f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", t,
	    (double)took[count / 2] * 1e6,
	    (double)took[count * 99 / 100] * 1e6);
}

static void
stream(char **a, bool durable)
{
	size_t left = (size_t)atol(a[1]), chunk = (size_t)atol(a[2]), n;
	double t = now();
	int fd = open(a[0], O_WRONLY | O_CREAT | O_EXCL, 0644);

	if (fd < 0 || chunk == 0 || chunk > sizeof(buf))
		die(a[0]);
	for (; left > 0; left -= n) {
		n = left < chunk ? left : chunk;
		if (write(fd, buf, n) != (ssize_t)n)
			die(a[0]);
	}
	put(fd, 0, durable, a[0]);
	printf("{\"seconds\": %.6f}\n", now() - t);
}

static int
read_one(const char *name, const struct stat *st, int type)
{
	ssize_t n;
	int fd;

	(void)st;
	if (type != FTW_F)
		return 0;
	if ((fd = open(name, O_RDONLY)) < 0)
		die(name);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	if (n < 0 || close(fd) < 0)
		die(name);
	return 0;
}

int
main(int argc, char **argv)
{
	bool durable = argc > 1 && strcmp(argv[argc - 1], "fsync") == 0;
	double t;

	srandom(1);
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)random();
	if (argc >= 6 && strcmp(argv[1], "create") == 0) {
		create(argv + 2, durable);
	} else if (argc >= 5 && strcmp(argv[1], "stream") == 0) {
		stream(argv + 2, durable);
	} else if (argc == 3 && strcmp(argv[1], "read") == 0) {
		t = now();
		if (ftw(argv[2], read_one, 64) != 0)
			die(argv[2]);
		printf("{\"seconds\": %.6f}\n", now() - t);
	} else {
		fputs("usage: see the top of files.c\n", stderr);
		return 2;
	}
	return 0;
}
