/*
 * How long the requests of one user wait while another user's work is done.
 *
 * usage: waits probe DIR PERIOD_MS [fsync]      until its stdin ends
 *        waits write FILE MIB [fsync]           bytes of no pattern
 *        waits names DIR COUNT THREADS KIND     KIND: dir, empty or file
 *        waits again FILE                       read it until stdin ends
 *        waits first DIR                        one stat(2) of DIR
 * probe prints a JSON object: for each kind of request its number, p50, p90, p99
 * and max in ms, and how many took less than 1, 2, 4, ... ms.  again and first
 * print a JSON object, too.
 *
 * A probe starts one request of each kind every PERIOD_MS.  A request that takes
 * longer delays the next ones; these count as if they had been started in time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SMALL 4096
#define BLOCK (1u << 20)
#define BUCKETS 16

static const char *dir;
static double period_ms;
static bool durable;
static atomic_bool ends;

static double
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static bool
stdin_ended(int timeout_ms)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };
	char c;

	return poll(&p, 1, timeout_ms) > 0 && read(0, &c, 1) <= 0;
}

/* --- samples ---------------------------------------------------------------- */

struct samples {
	double *ms;
	size_t n, cap;
};

static void
add_one(struct samples *s, double ms)
{
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 4096 : 2 * s->cap;
		s->ms = realloc(s->ms, s->cap * sizeof(*s->ms));
		if (s->ms == NULL)
			die("memory");
	}
	s->ms[s->n++] = ms;
}

/* Also add the requests that were not started because this one took so long. */
static void
add(struct samples *s, double ms)
{
	for (; ms > 0; ms -= period_ms)
		add_one(s, ms);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print(const char *name, struct samples *s, const char *end)
{
	size_t bucket[BUCKETS] = { 0 }, n = s->n;

	if (n == 0)
		die("no sample");
	qsort(s->ms, n, sizeof(*s->ms), by_value);
	for (size_t i = 0; i < n; i++) {
		int b = 0;

		while (b < BUCKETS - 1 && s->ms[i] >= (double)(1u << b))
			b++;
		bucket[b]++;
	}
	printf("\"%s\": {\"n\": %zu, \"p50\": %.3f, \"p90\": %.3f, "
	       "\"p99\": %.3f, \"max\": %.3f, \"less_than\": [",
	    name, n, s->ms[n / 2], s->ms[n * 9 / 10], s->ms[n * 99 / 100],
	    s->ms[n - 1]);
	for (int b = 0; b < BUCKETS; b++)
		printf("%s%zu", b == 0 ? "" : ", ", bucket[b]);
	printf("]}%s", end);
}

/* --- the requests ------------------------------------------------------------- */

/* A file that is being written: the kernel asks for it each time. */
static void
stat_one(const char *name)
{
	struct stat st;

	if (stat(name, &st) < 0)
		die(name);
}

static void
list_one(const char *name)
{
	DIR *d = opendir(name);

	if (d == NULL)
		die(name);
	while (readdir(d) != NULL)
		;
	(void)closedir(d);
}

static void
close_one(const char *name)
{
	static char buf[SMALL];
	static unsigned long serial;
	char path[4096];
	int fd;

	serial++;
	memcpy(buf, &serial, sizeof(serial));
	(void)snprintf(path, sizeof(path), "%s/%lu", name, serial);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || write(fd, buf, SMALL) != SMALL ||
	    (durable && fsync(fd) < 0) || close(fd) < 0)
		die(path);
}

struct kind {
	const char *name;
	void (*request)(const char *path);
	char path[4096];
	struct samples s;
	pthread_t thread;
};

static void *
probe_one(void *arg)
{
	struct kind *k = arg;
	struct timespec t;
	double begin;

	while (!atomic_load(&ends)) {
		begin = now_ms();
		k->request(k->path);
		add(&k->s, now_ms() - begin);
		t = (struct timespec){ (time_t)(period_ms / 1e3),
			(long)(period_ms * 1e6) % 1000000000 };
		(void)nanosleep(&t, NULL);
	}
	return NULL;
}

/* One directory with ten files to list, one file to stat, one to fill. */
static void
probe(void)
{
	static struct kind kinds[] = { { .name = "stat", .request = stat_one },
		{ .name = "ls", .request = list_one },
		{ .name = "close", .request = close_one } };
	char path[4200];
	int fd;

	for (int i = 0; i < 3; i++) {
		(void)snprintf(kinds[i].path, sizeof(kinds[i].path), "%s/%s",
		    dir, kinds[i].name);
		if (i > 0 && mkdir(kinds[i].path, 0755) < 0)
			die(kinds[i].path);
	}
	for (int i = 0; i < 10; i++) {
		(void)snprintf(path, sizeof(path), "%s/%d", kinds[1].path, i);
		if ((fd = open(path, O_WRONLY | O_CREAT, 0644)) < 0 ||
		    write(fd, "x", 1) != 1 || close(fd) < 0)
			die(path);
	}
	if ((fd = open(kinds[0].path, O_WRONLY | O_CREAT, 0644)) < 0)
		die(kinds[0].path);
	for (int i = 0; i < 3; i++)
		if (pthread_create(&kinds[i].thread, NULL, probe_one,
			&kinds[i]) != 0)
			die("thread");
	while (!stdin_ended(-1))
		;
	atomic_store(&ends, true);
	for (int i = 0; i < 3; i++)
		(void)pthread_join(kinds[i].thread, NULL);
	(void)close(fd);
	printf("{");
	for (int i = 0; i < 3; i++)
		print(kinds[i].name, &kinds[i].s, i < 2 ? ", " : "}\n");
}

/* --- loads ------------------------------------------------------------------------ */

static void
write_much(const char *file, long mib)
{
	uint64_t *buf = malloc(BLOCK),
		 x = (uint64_t)time(NULL) ^ ((uint64_t)getpid() << 32);
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0644);

	if (fd < 0 || buf == NULL)
		die(file);
	for (size_t i = 0; i < BLOCK / 8; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		buf[i] = x;
	}
	for (long m = 0; m < mib; m++) {
		for (size_t i = 0; i < BLOCK / 8; i += 64)
			buf[i] += x;
		if (write(fd, buf, BLOCK) != BLOCK)
			die(file);
	}
	if ((durable && fsync(fd) < 0) || close(fd) < 0)
		die(file);
	free(buf);
}

static long names_left;
static char names_kind;
static pthread_mutex_t names_mu = PTHREAD_MUTEX_INITIALIZER;

static void *
make_names(void *arg)
{
	char path[4096];
	long i;
	int fd;

	for (;;) {
		pthread_mutex_lock(&names_mu);
		i = names_left--;
		pthread_mutex_unlock(&names_mu);
		if (i <= 0)
			return arg;
		(void)snprintf(path, sizeof(path), "%s/n%07ld", dir, i);
		if (names_kind == 'd' && mkdir(path, 0755) < 0)
			die(path);
		if (names_kind == 'd')
			continue;
		if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644)) < 0 ||
		    (names_kind == 'f' && write(fd, path, strlen(path)) < 0) ||
		    close(fd) < 0)
			die(path);
	}
}

static void
names(long count, long threads, const char *kind)
{
	pthread_t t[256];

	names_left = count;
	names_kind = *kind;
	for (long i = 0; i < threads && i < 256; i++)
		if (pthread_create(&t[i], NULL, make_names, NULL) != 0)
			die("thread");
	for (long i = 0; i < threads && i < 256; i++)
		(void)pthread_join(t[i], NULL);
}

static void
read_again(const char *file)
{
	static char buf[BLOCK];
	unsigned long n = 0, bytes = 0;
	double t = now_ms();
	ssize_t got;
	int fd;

	while (!stdin_ended(0)) {
		if ((fd = open(file, O_RDONLY)) < 0)
			die(file);
		bytes = 0;
		while ((got = read(fd, buf, sizeof(buf))) > 0)
			bytes += (unsigned long)got;
		if (got < 0 || close(fd) < 0)
			die(file);
		n++;
	}
	printf("{\"reads\": %lu, \"bytes\": %lu, \"seconds\": %.3f}\n", n,
	    bytes, (now_ms() - t) / 1e3);
}

int
main(int argc, char **argv)
{
	struct stat st;
	double t;

	durable = argc > 1 && strcmp(argv[argc - 1], "fsync") == 0;
	if (argc >= 3)
		dir = argv[2];
	if (argc >= 4 && strcmp(argv[1], "probe") == 0) {
		period_ms = atof(argv[3]);
		if (period_ms <= 0)
			die("PERIOD_MS");
		probe();
	} else if (argc >= 4 && strcmp(argv[1], "write") == 0) {
		write_much(dir, atol(argv[3]));
	} else if (argc == 6 && strcmp(argv[1], "names") == 0) {
		names(atol(argv[3]), atol(argv[4]), argv[5]);
	} else if (argc == 3 && strcmp(argv[1], "again") == 0) {
		read_again(dir);
	} else if (argc == 3 && strcmp(argv[1], "first") == 0) {
		t = now_ms();
		if (stat(dir, &st) < 0)
			die(dir);
		printf("{\"ms\": %.3f}\n", now_ms() - t);
	} else {
		fputs("usage: see the top of waits.c\n", stderr);
		return 2;
	}
	return 0;
}
