/*
 * Descriptors: whatever one user holds, the daemon has enough for the ledger
 * and for all other users.  The daemon runs with few; the loop tests use the
 * limits that Debian gives, and less.
 */
#include <dirent.h>
#include <sys/resource.h>

#include "harness.h"

#define FILE_SIZE 100000
#define DRAFT_SIZE 65537 /* one byte more than the database takes */

static const unsigned limits[] = { 1024, 128 };
static const unsigned more[] = { 1100, 200 }; /* files than descriptors */

/* How many the daemon has open whose target contains part (NULL: all). */
static unsigned
held(const char *part)
{
	char path[64], target[512], link[400];
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	/* What was closed is released when this is answered. */
	(void)content("mnt/.trailfs/status.json", NULL);
	snprintf(path, sizeof path, "/proc/%d/fd", (int)vault_pid());
	ck_assert_ptr_nonnull(d = opendir(path));
	while ((e = readdir(d)) != NULL) {
		ssize_t got;

		snprintf(link, sizeof link, "%s/%s", path, e->d_name);
		if ((got = readlink(link, target, sizeof target - 1)) < 0)
			continue;
		target[got] = '\0';
		n += part == NULL || strstr(target, part) != NULL;
	}
	closedir(d);
	return n;
}

/* n files of that size in dir, each with bytes of its own. */
static void
put_many(const char *dir, const char *suffix, unsigned n, size_t size)
{
	char path[128], *text = noise(size, 1);

	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%u%s", dir, i, suffix);
		memcpy(text, &i, sizeof i);
		put_bytes(path, text, size);
	}
}

/* What every user does all day. */
static void
others_work(const char *name)
{
	char path[128], *text = noise(FILE_SIZE, 2);

	as(BOB);
	snprintf(path, sizeof path, A "/%s", name);
	put_bytes(path, text, FILE_SIZE);
	ck_assert_int_eq(0, memcmp(text, content(path, NULL), FILE_SIZE));
	snprintf(path, sizeof path, A "/%s.tmp", name);
	put_bytes(path, text, FILE_SIZE);
	allowed(unlink(path));
	ck_assert_int_eq(0,
	    memcmp(noise(FILE_SIZE, 3), content(A "/sealed", NULL), FILE_SIZE));
	sync_dir(A);
	snprintf(path, sizeof path, A "/%s", name);
	has_state(path, "sealed");
	as(0);
}

/* The daemon has so many; we have all that we may. */
static void
begin_with(unsigned descriptors)
{
	struct rlimit r;

	allowed(getrlimit(RLIMIT_NOFILE, &r));
	r.rlim_cur = r.rlim_max;
	allowed(setrlimit(RLIMIT_NOFILE, &r));
	daemon_descriptors(descriptors, descriptors);
	mount_vault("settle=60");
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chmod(W, 01777));
	allowed(chmod(A, 01777));
	put_bytes(A "/sealed", noise(FILE_SIZE, 3), FILE_SIZE);
	sync_dir(A);
	has_state(A "/sealed", "sealed");
}

static void
end(void)
{
	ck_assert_uint_eq(0, entries("evidence.interrupted", NULL));
	unmount_vault();
	verify(0);
}

START_TEST(files_of_a_draft_attestation_hold_none)
{
	unsigned n = more[_i];

	begin_with(limits[_i]);
	as(ALICE);
	allowed(mkdir(W "/.draft", 0755));
	put_many(W "/.draft", "", n, DRAFT_SIZE);
	as(0);
	ck_assert_uint_eq(0, held("/stage/"));
	others_work("first");
	unmount_vault();
	mount_vault("settle=60");
	ck_assert_uint_eq(0, held("/stage/"));
	others_work("second");
	as(ALICE);
	allowed(rename(W "/.draft", W "/draft"));
	as(0);
	ck_assert_uint_eq(n + 3, entries("evidence.sealed", NULL));
	end();
}
END_TEST

/* More objects than descriptors, all of one transaction. */
START_TEST(a_draft_attestation_of_many_long_files_is_published)
{
	char path[64], *text = noise(FILE_SIZE, 1);
	const unsigned n = 1700;

	begin_with(1024);
	as(ALICE);
	allowed(mkdir(W "/.draft", 0755));
	put_many(W "/.draft", "", n, FILE_SIZE);
	as(0);
	ck_assert_uint_eq(0, held("/stage/"));
	as(ALICE);
	allowed(rename(W "/.draft", W "/draft"));
	as(0);
	ck_assert_uint_eq(0, held("/stage/"));
	ck_assert_uint_eq(n + 1, entries("evidence.sealed", NULL));
	for (unsigned i = 0; i < n; i += 100) {
		snprintf(path, sizeof path, W "/draft/%u", i);
		memcpy(text, &i, sizeof i);
		ck_assert_int_eq(0,
		    memcmp(text, content(path, NULL), FILE_SIZE));
	}
	others_work("first");
	end();
}
END_TEST

START_TEST(closed_drafts_hold_none)
{
	char path[64];

	begin_with(limits[_i]);
	as(ALICE);
	put_many(A, ".tmp", more[_i], DRAFT_SIZE);
	as(0);
	ck_assert_uint_eq(0, held("/stage/"));
	others_work("first");
	crash_vault();
	mount_vault("settle=60");
	others_work("second");
	ck_assert_uint_eq(0, held("/stage/"));
	as(ALICE);
	for (unsigned i = 0; i < more[_i]; i++) {
		snprintf(path, sizeof path, A "/%u.tmp", i);
		allowed(unlink(path));
	}
	as(0);
	ck_assert_str_eq("", run(0, "ls store/stage"));
	end();
}
END_TEST

START_TEST(many_files_of_one_program_are_sealed)
{
	begin_with(limits[_i]);
	put_many(A, "", more[_i], DRAFT_SIZE);
	others_work("first");
	sync_dir("mnt");
	ck_assert_uint_eq(more[_i] + 2, entries("evidence.sealed", NULL));
	end();
}
END_TEST

/* Open ones, being written: his own, and never another's. */
START_TEST(files_that_are_open_leave_some_for_others)
{
	enum { N = 900 };
	static int fd[N];
	char path[64], *text = noise(FILE_SIZE, 4);
	unsigned n;

	begin_with(limits[_i]);
	as(ALICE);
	for (n = 0; n < N; n++) {
		snprintf(path, sizeof path, A "/%u", n);
		fd[n] = begin(path);
		memcpy(text, &n, sizeof n);
		ck_assert_int_eq(80000, write(fd[n], text, 80000));
	}
	as(0);
	/* One user has half of what is not kept for other purposes. */
	ck_assert_uint_le(held("/stage/"), limits[_i] / 3);
	others_work("first");
	as(ALICE);
	for (n = 0; n < N; n++) {
		ck_assert_int_eq(FILE_SIZE - 80000,
		    write(fd[n], text + 80000, FILE_SIZE - 80000));
		allowed(close(fd[n]));
	}
	as(0);
	sync_dir("mnt");
	ck_assert_uint_eq(N + 2, entries("evidence.sealed", NULL));
	for (n = 0; n < N; n += 89) {
		snprintf(path, sizeof path, A "/%u", n);
		memcpy(text, &n, sizeof n);
		ck_assert_int_eq(0,
		    memcmp(text, content(path, NULL), FILE_SIZE));
	}
	end();
}
END_TEST

/* A draft that is deleted lives until its last close, also where it was read
 * through no descriptor of the daemon in between. */
START_TEST(a_deleted_draft_can_be_read_until_its_close)
{
	char *text = noise(FILE_SIZE, 5), *got = malloc(FILE_SIZE);
	int reader, writer;

	begin_with(limits[_i]);
	put_bytes(A "/x.tmp", text, FILE_SIZE);
	reader = open(A "/x.tmp", O_RDONLY);
	writer = open(A "/x.tmp", O_RDWR);
	ck_assert_int_ge(reader, 0);
	ck_assert_int_ge(writer, 0);
	allowed(unlink(A "/x.tmp"));
	put_bytes(A "/x.tmp", "another", 7);
	ck_assert_int_eq(FILE_SIZE, pread(reader, got, FILE_SIZE, 0));
	ck_assert_int_eq(0, memcmp(text, got, FILE_SIZE));
	ck_assert_int_eq(5, pwrite(writer, "fresh", 5, 0));
	memcpy(text, "fresh", 5);
	ck_assert_int_eq(FILE_SIZE, pread(reader, got, FILE_SIZE, 0));
	ck_assert_int_eq(0, memcmp(text, got, FILE_SIZE));
	allowed(close(writer));
	allowed(close(reader));
	holds(A "/x.tmp", "another");
	allowed(unlink(A "/x.tmp"));
	free(got);
	sync_dir("mnt");
	ck_assert_str_eq("", run(0, "ls store/stage"));
	end();
}
END_TEST

/* Sealed ones: many handles of one file, and of many files. */
START_TEST(sealed_files_that_are_open_leave_some_for_others)
{
	enum { N = 900 };
	static int fd[2 * N];
	char path[64], *text = noise(FILE_SIZE, 1), *got;
	unsigned n;

	begin_with(limits[_i]);
	put_many(A, "", N, FILE_SIZE);
	sync_dir(A);
	ck_assert_int_eq(0, posix_memalign((void **)&got, 4096, FILE_SIZE));
	as(ALICE);
	for (n = 0; n < 2 * N; n++) {
		snprintf(path, sizeof path, A "/%u", n < N ? 0 : n - N);
		fd[n] = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
		ck_assert_int_ge(fd[n], 0);
		ck_assert_int_eq(4096, pread(fd[n], got, 4096, 0));
	}
	as(0);
	ck_assert_uint_le(held("/objects/"), 64);
	others_work("first");
	for (n = 0; n < 2 * N; n++) {
		unsigned i = n < N ? 0 : n - N;

		memcpy(text, &i, sizeof i);
		ck_assert_int_eq(8192, pread(fd[n], got, 8192, 0));
		ck_assert_int_eq(0, memcmp(text, got, 8192));
		close(fd[n]);
	}
	free(got);
	end();
}
END_TEST

/* The daemon may open no more; what it has open stays. */
static void
take_descriptors_away(void)
{
	struct rlimit few = { 3, limits[0] }; /* 0 to 2 are in use */

	allowed(prlimit(vault_pid(), RLIMIT_NOFILE, &few, NULL));
}

static void
restore_descriptors(void)
{
	struct rlimit r = { limits[0], limits[0] };

	allowed(prlimit(vault_pid(), RLIMIT_NOFILE, &r, NULL));
}

/* Whatever took them: it is an error, and not the end of any file. */
START_TEST(without_descriptors_nothing_is_lost)
{
	char *text = noise(FILE_SIZE, 6);
	int fd;

	begin_with(limits[0]);
	put_bytes(A "/closed", text, FILE_SIZE);
	text[0]++;
	fd = begin(A "/open");
	ck_assert_int_eq(FILE_SIZE, write(fd, text, FILE_SIZE));
	/* Else the kernel has these bytes still, and hands them over too late. */
	if (tests_streams())
		allowed(fsync(fd));
	take_descriptors_away();
	if (!tests_streams())
		refused(EMFILE, fsync(fd));
	if (tests_streams())
		allowed(close(fd));
	else
		refused(EMFILE, close(fd));
	ck_assert_str_ne("0", run_any("trailctl sync mnt"));
	restore_descriptors();
	becomes(A "/open", "frozen");
	sync_dir("mnt");
	has_state(A "/open", "sealed");
	has_state(A "/closed", "sealed");
	ck_assert_int_eq(0, memcmp(text, content(A "/open", NULL), FILE_SIZE));
	end();
}
END_TEST

enum { PAGES = 40, EACH = 90 };

/* Control files that are too long for memory. */
START_TEST(control_files_that_are_open_leave_some_for_others)
{
	static int fd[2 * PAGES];
	char path[400], dir[64];
	unsigned n = 0;

	begin_with(limits[1]);
	for (int i = 0; i < PAGES; i++) {
		snprintf(dir, sizeof dir, W "/p%d", i);
		allowed(mkdir(dir, 0755));
		for (int j = 0; j < EACH; j++) {
			snprintf(path, sizeof path, "%s/%0200d", dir, j);
			put(path, path);
		}
	}
	sync_dir("mnt");
	for (int i = 0; i < PAGES; i++)
		for (int j = 0; j < 2; j++) {
			snprintf(path, sizeof path, W "/p%d/.trailfs/%s", i,
			    j == 0 ? "events.jsonl" : "attestation.json");
			fd[n] = open(path, O_RDONLY | O_CLOEXEC);
			ck_assert_msg(fd[n] >= 0, "%s: %s", path,
			    errno_name(errno));
			if (j == 0)
				ck_assert_int_gt(stat_of(path).st_size, 65536);
			n++;
		}
	ck_assert_uint_le(held(NULL), 64);
	others_work("first");
	while (n > 0) {
		char last;
		off_t end = lseek(fd[--n], 0, SEEK_END);

		ck_assert_int_eq(1, pread(fd[n], &last, 1, end - 1));
		ck_assert_int_eq('\n', last);
		close(fd[n]);
	}
	end();
}
END_TEST

/* The soft limit is no limit: it is raised to the hard one. */
START_TEST(the_soft_limit_is_raised)
{
	daemon_descriptors(32, 2000);
	mount_vault("settle=60");
	run(0, "grep -E '^Max open files +2000 +2000' /proc/%d/limits",
	    (int)vault_pid());
	end();
}
END_TEST

Suite *
suite_descriptors(void)
{
	Suite *s = suite_create("descriptors");
	TCase *t = stored_case(s, "descriptors");
	const int n = LEN(limits);

	tcase_add_loop_test(t, files_of_a_draft_attestation_hold_none, 0, n);
	tcase_add_test(t, a_draft_attestation_of_many_long_files_is_published);
	tcase_add_loop_test(t, closed_drafts_hold_none, 0, n);
	tcase_add_loop_test(t, many_files_of_one_program_are_sealed, 0, n);
	tcase_add_loop_test(t, files_that_are_open_leave_some_for_others, 0, n);
	tcase_add_loop_test(t, sealed_files_that_are_open_leave_some_for_others,
	    0, n);
	tcase_add_test(t, the_soft_limit_is_raised);
	tcase_add_test(t, without_descriptors_nothing_is_lost);
	tcase_add_test(t, control_files_that_are_open_leave_some_for_others);
	tcase_add_loop_test(t, a_deleted_draft_can_be_read_until_its_close, 0,
	    n);
	return s;
}
