/* The other user, who works all the time, and the daemon as it is seen from
 * outside. */
#include <dirent.h>

#include "attack.h"

#define BAR_NS UINT64_C(5000000000) /* nobody waits longer for one request */
#define FILES_PER_DIR 200

enum { STAT, LIST, WRITE, OPS };
static const char *const ops[OPS] = { "stat", "ls", "write" };

static void
note(int op, uint64_t from, bool ok)
{
	struct probe *p = &shared->probe[op];
	uint64_t ns = now_ns() - from;
	unsigned bucket = 0;
	char row[16];

	memcpy(row, shared->row, sizeof row);
	row[sizeof row - 1] = '\0';
	while (bucket + 1 < LEN(p->histogram) && ns / 1000 >> bucket > 1)
		bucket++;
	atomic_fetch_add(&p->count, 1);
	atomic_fetch_add(&p->histogram[bucket], 1);
	if (!ok && atomic_fetch_add(&p->errors, 1) == 0)
		snprintf(p->error, sizeof p->error, "%s in row %.15s",
		    strerror(errno), row);
	if (ns > atomic_load(&p->row_worst_ns))
		atomic_store(&p->row_worst_ns, ns);
	if (ns > atomic_load(&p->worst_ns)) {
		atomic_store(&p->worst_ns, ns);
		strcpy(p->worst_row, row);
	}
}

static bool
list(const char *path)
{
	DIR *d = opendir(path);

	if (d == NULL)
		return false;
	while (readdir(d) != NULL)
		;
	closedir(d);
	return true;
}

/* One round of an ordinary user.  A write is a whole file: open, write and close
 * are measured together. */
static void
work(unsigned n)
{
	char dir[32], path[64];
	struct stat st;
	uint64_t from;
	bool ok;

	snprintf(dir, sizeof dir, "a%u", n / FILES_PER_DIR);
	if (n % FILES_PER_DIR == 0) {
		from = now_ns();
		ok = mkdir(dir, 0755) == 0;
		note(WRITE, from, ok);
	}
	from = now_ns();
	ok = stat(dir, &st) == 0;
	note(STAT, from, ok);
	from = now_ns();
	ok = list(dir);
	note(LIST, from, ok);
	snprintf(path, sizeof path, "%s/f%u", dir, n);
	from = now_ns();
	ok = put(path, 4096, n) == 0;
	note(WRITE, from, ok);
}

static int
work_on(void *unused)
{
	(void)unused;
	become(OTHER, false);
	umask(022);
	if (chdir(world.others) < 0)
		return 1;
	for (unsigned n = 0; !atomic_load(&shared->over); n++) {
		work(n);
		nap_ms(10);
	}
	return 0;
}

pid_t
probe_start(void)
{
	return child(work_on, NULL);
}

/* The upper end of the bucket of the request at that share. */
static double
percentile_ms(const struct probe *p, double share)
{
	double want = share * (double)atomic_load(&p->count), seen = 0;

	for (size_t i = 0; i < LEN(p->histogram); i++) {
		seen += (double)atomic_load(&p->histogram[i]);
		if (seen >= want)
			return (double)(UINT64_C(2) << i) / 1000;
	}
	return 0;
}

static const char *
load(void)
{
	static char text[64];
	int n = read_bytes("/proc/loadavg", text, sizeof text - 1);

	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text;
}

bool
probe_report(void)
{
	bool ok = true;

	for (int i = 0; i < OPS; i++) {
		struct probe *p = &shared->probe[i];
		uint64_t worst = atomic_load(&p->worst_ns);
		bool bad = worst > BAR_NS || atomic_load(&p->errors) > 0 ||
		    atomic_load(&p->count) == 0;

		printf("%s  others: %s: %lu requests, %lu errors, p50 <%g ms, "
		       "p99 <%g ms, worst %llu ms (row %s)",
		    bad ? "FAIL" : "ok  ", ops[i], atomic_load(&p->count),
		    atomic_load(&p->errors), percentile_ms(p, 0.5),
		    percentile_ms(p, 0.99),
		    (unsigned long long)(worst / 1000000), p->worst_row);
		if (bad)
			printf("; the bar is %llu ms; load %s; %s",
			    (unsigned long long)(BAR_NS / 1000000), load(),
			    p->error);
		putchar('\n');
		ok = ok && !bad;
	}
	return ok;
}

/* --- the daemon ------------------------------------------------------------------ */

long
daemon_rss(void)
{
	return rss_of(world.daemon);
}

long
daemon_descriptors(void)
{
	return descriptors_of(world.daemon);
}

long
rss_of(pid_t pid)
{
	char path[64], text[4096];
	const char *at;
	int n;

	snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
	n = read_bytes(path, text, sizeof text - 1);
	text[n < 0 ? 0 : n] = '\0';
	at = strstr(text, "VmRSS:");
	return at == NULL ? -1 : strtol(at + 6, NULL, 10);
}

long
descriptors_of(pid_t pid)
{
	char path[64];
	long n = 0;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
	if ((d = opendir(path)) == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}
