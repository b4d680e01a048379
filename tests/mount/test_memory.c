/* The memory that names take until they are sealed: one user may have a hundred
 * thousand of them, and the daemon stays below 128 MiB. */
#include "harness.h"

#define BAR_KB (128L << 10)
#define ALLOWED 100000 /* max_unsealed, if it is not set */
/* The other memory of the daemon: above all the cache of the database, which
 * grows to 16 MiB with the first megabytes that are written. */
#define REST_KB (40L << 10)
#define NAMES (long_run() ? ALLOWED : 5000)
#define FIRST 1000 /* they use what others have freed */

/* So the names are the only memory that grows afterwards. */
static void
fill_caches(void)
{
	size_t n = 60000; /* such content lies in the database */
	char path[64];

	for (unsigned i = 0; i < 300; i++) {
		snprintf(path, sizeof path, A "/warm-%u", i);
		put_bytes(path, noise(n, i), n);
	}
	sync_dir("mnt");
}

/* --- names of each kind ------------------------------------------------- */

/* A file that is empty, and never sealed during the test. */
static void
make_empty(const char *path)
{
	allowed(mknod(path, S_IFREG | 0644, 0));
}

/* A draft: it is flushed, and not sealed. */
static void
make_short(const char *path)
{
	char name[80];
	int fd;

	snprintf(name, sizeof name, "%s.tmp", path);
	allowed(fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644));
	ck_assert_int_eq(22, write(fd, "some bytes of evidence", 22));
	allowed(close(fd));
}

static void
make_directory(const char *path)
{
	allowed(mkdir(path, 0755));
}

static const struct kind {
	const char *name;
	void (*make)(const char *path);
} kinds[] = {
	{ "empty files", make_empty },
	{ "short files", make_short },
	{ "directories", make_directory },
};

START_TEST(names_that_are_not_sealed_take_little_memory)
{
	const struct kind *k = &kinds[_i];
	long before = 0, after, bytes;
	char path[64];

	skip_unless(memory_counts(), "the memory is that of a sanitizer");
	make_attestation();
	fill_caches();
	for (int i = 0; i < NAMES; i++) {
		if (i == FIRST)
			before = daemon_kib("VmRSS");
		snprintf(path, sizeof path, A "/%d", i);
		k->make(path);
	}
	after = daemon_kib("VmRSS");
	bytes = (after - before) * 1024 / (NAMES - FIRST);
	printf("memory: %d %s, %ld bytes for each: %ld KiB, then %ld\n", NAMES,
	    k->name, bytes, before, after);
	ck_assert_int_le(before, REST_KB);
	ck_assert_msg(bytes <= (BAR_KB - REST_KB) * 1024 / ALLOWED,
	    "%s take %ld bytes each", k->name, bytes);
	ck_assert_int_le(after, BAR_KB);
}
END_TEST

Suite *
suite_memory(void)
{
	Suite *s = suite_create("memory");
	TCase *t = mounted_case(s, "memory");

	tcase_add_loop_test(t, names_that_are_not_sealed_take_little_memory, 0,
	    LEN(kinds));
	return s;
}
