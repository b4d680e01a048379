/* Files that programs write in many small pieces for a long time, as a session log:
 * each write is known to the daemon at once. */
#include "harness.h"

#define LOG A "/log"
#define SETTLE "settle=60"
#define LINE 200

static void
begin_with(const char *options)
{
	mount_vault(options);
	make_attestation();
}

/* begin(), for writing only, as most programs open a file. */
static int
begin_log(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* n times the same line, each by a write(2) of its own. */
static void
add_lines(int fd, const char *line, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(LINE, write(fd, line, LINE));
}

/* --- crashes ----------------------------------------------------------------- */

/* The first write after a flush is known before its bytes are.  Loop test: in
 * memory and in a staged file. */
START_TEST(a_write_after_a_flush_is_known_at_once)
{
	char *line = noise(LINE, 5);
	int fd;

	begin_with(SETTLE);
	fd = begin_log(LOG);
	add_lines(fd, line, _i == 0 ? 1 : 1000);
	allowed(fsync(fd));
	add_lines(fd, line, 1);
	crash_vault();
	(void)close(fd);
	mount_vault(SETTLE);
	ck_assert(!exists(LOG));
	ck_assert_uint_eq(1, entries("evidence.interrupted", "t/w/a/log"));
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
}
END_TEST

/* Nothing is accepted that no daemon will ever have. */
START_TEST(a_writer_learns_of_the_end_of_the_daemon)
{
	char *line = noise(LINE, 7);
	int fd, other;

	begin_with(SETTLE);
	fd = begin_log(LOG);
	other = begin_log(A "/other");
	add_lines(fd, line, 10);
	add_lines(other, line, 10);
	crash_vault();
	refused(ENOTCONN, fsync(other));
	refused(ENOTCONN, close(other));
	refused(ENOTCONN, write(fd, line, LINE));
	refused(ENOTCONN, close(fd));
	mount_vault(SETTLE);
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
}
END_TEST

/* --- limits ------------------------------------------------------------------ */

/* The write that exceeds a limit fails, not a later one, and what was written before
 * stays. */
START_TEST(the_write_that_exceeds_a_limit_fails)
{
	static const struct {
		const char *options;
		int sys;
	} limits[] = { { SETTLE ",max_file=1M", EFBIG },
		{ SETTLE ",max_staged=1M", EDQUOT },
		{ SETTLE ",max_store=8M", ENOSPC } };
	char *line = noise(LINE, 8);
	ssize_t n;
	size_t sum = 0, got;
	const char *left;
	int fd;

	begin_with(limits[_i].options);
	fd = begin_log(LOG);
	/* The kernel makes two requests of a line across two pages. */
	while ((n = write(fd, line, LINE)) > 0)
		sum += (size_t)n;
	ck_assert_int_eq(-1, n);
	ck_assert_int_eq(limits[_i].sys, errno);
	ck_assert_int_eq(-1, close(fd));
	ck_assert(!exists(LOG));
	left = run(0, "ls " A "/*.interrupted.part");
	(void)content(strndup(left, strlen(left) - 1), &got);
	ck_assert_uint_eq(sum, got);
}
END_TEST
/* --- what else the daemon must know ------------------------------------------ */

START_TEST(the_first_write_ends_a_placeholder)
{
	int fd;

	begin_with(SETTLE);
	fd = begin_log(LOG);
	has_state(LOG, "placeholder");
	ck_assert_int_eq(0, write(fd, "", 0)); /* that is no write */
	has_state(LOG, "placeholder");
	add(fd, "x");
	has_state(LOG, "open");
	allowed(close(fd));
	has_state(LOG, "frozen");
}
END_TEST

/* From its first byte on a file is neither replaced nor removed. */
START_TEST(a_written_file_keeps_its_name)
{
	int fd;

	begin_with(SETTLE);
	put(A "/x.tmp", "x");
	fd = begin_log(LOG);
	add(fd, "first");
	refused(EPERM, rename(A "/x.tmp", LOG));
	allowed(close(fd));
	fd = begin_log(A "/other");
	add(fd, "first");
	refused(EPERM, unlink(A "/other"));
	allowed(close(fd));
	holds(LOG, "first");
	allowed(unlink(A "/x.tmp"));
}
END_TEST

/* At an offset that no file can have. */
START_TEST(a_write_beyond_all_limits_fails)
{
	int fd;

	begin_with(SETTLE);
	fd = begin_log(LOG);
	add(fd, "x");
	refused(EFBIG, pwrite(fd, "x", 1, ((off_t)1 << 53) - 1));
	refused(EFBIG, close(fd));
	ck_assert(!exists(LOG));
	sync_dir(A);
	ck_assert_uint_eq(1, entries("evidence.interrupted", "t/w/a/log"));
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
}
END_TEST

static int
append_and_say(void)
{
	int fd = open(LOG ".part", O_WRONLY | O_APPEND);

	if (fd < 0)
		return 1;
	add(fd, "child\n");
	put("written", "");
	while (access("go", F_OK) < 0)
		usleep(10000);
	return close(fd) < 0;
}

/* Two processes append to one file: nothing is lost, and the entry names the one
 * that wrote last, not the one that closed last. */
START_TEST(of_two_appenders_the_last_is_named)
{
	char pid[32];
	pid_t child;
	int fd;

	begin_with(SETTLE);
	fd = begin_log(LOG ".part");
	add(fd, "parent\n");
	allowed(close(fd));
	fd = open(LOG ".part", O_WRONLY | O_APPEND);
	ck_assert_int_ge(fd, 0);
	add(fd, "again\n");
	child = in_child(append_and_say);
	while (!exists("written"))
		usleep(10000);
	snprintf(pid, sizeof pid, "\"pid\":%d,", (int)getpid());
	add(fd, "last\n");
	put("go", "");
	ck_assert_int_eq(0, child_ended(child));
	allowed(close(fd));
	allowed(rename(LOG ".part", LOG));
	sync_dir(A);
	holds(LOG, "parent\nagain\nchild\nlast\n");
	says(entry("evidence.sealed", "t/w/a/log"), pid);
}
END_TEST

/* Size and times are those that the next mount shows, once it is sealed. */
START_TEST(a_remount_changes_no_attribute)
{
	static const char ask[] = "stat -c '%%n %%s %%i %%Y %%Z %%y %%z' " A
				  "/*";
	char *before;

	begin_with(SETTLE);
	run(0,
	    "cp /bin/sh " A "/copy; cp -p /bin/sh " A "/kept; "
	    "seq 100000 >" LOG "; dd if=/dev/zero of=" A "/direct "
	    "conv=notrunc bs=100 count=9 2>/dev/null; echo 1 1<>" A "/rw");
	sync_dir(A);
	before = strdup(run(0, ask));
	remount_vault();
	ck_assert_str_eq(before, run(0, ask));
	free(before);
}
END_TEST

/* A file of an encrypted trail becomes longer at its seal. */
START_TEST(an_encrypted_file_has_the_size_of_its_age_file)
{
	struct stat before;
	size_t got;
	char head[100];
	int fd, reader;

	skip_unless(have("age-keygen"), "no age");
	begin_with(SETTLE);
	run(0,
	    "age-keygen -o key 2>/dev/null && age-keygen -y key >pub && "
	    "cp pub mnt/t/.trailfs/recipients");
	fd = begin_log(LOG);
	add(fd, "a line of text\n");
	reader = open(LOG, O_RDONLY);
	ck_assert_int_ge(reader, 0);
	allowed(close(fd));
	before = stat_of(LOG);
	sync_dir(A);
	has_state(LOG, "sealed");
	ck_assert_int_gt(stat_of(LOG).st_size, 100);
	(void)content(LOG, &got);
	ck_assert_uint_eq((size_t)stat_of(LOG).st_size, got);
	ck_assert_uint_eq(before.st_ino, stat_of(LOG).st_ino);
	ck_assert_int_eq(100, pread(reader, head, sizeof head, 0));
	ck_assert_int_eq(0, memcmp(head, "age-encryption", 14));
	allowed(close(reader));
	run(0, "test \"$(age -d -i key " LOG ")\" = 'a line of text'");
}
END_TEST
Suite *suite_streams(void);

Suite *
suite_streams(void)
{
	Suite *s = suite_create("streams");
	TCase *t = stored_case(s, "crashes of streams");

	tcase_add_loop_test(t, a_write_after_a_flush_is_known_at_once, 0, 2);
	tcase_add_test(t, a_writer_learns_of_the_end_of_the_daemon);
	t = stored_case(s, "limits of streams");
	tcase_add_loop_test(t, the_write_that_exceeds_a_limit_fails, 0, 3);
	tcase_add_test(t, a_write_beyond_all_limits_fails);
	t = stored_case(s, "knowledge");
	tcase_add_test(t, the_first_write_ends_a_placeholder);
	tcase_add_test(t, a_written_file_keeps_its_name);
	tcase_add_test(t, of_two_appenders_the_last_is_named);
	tcase_add_test(t, a_remount_changes_no_attribute);
	tcase_add_test(t, an_encrypted_file_has_the_size_of_its_age_file);
	return s;
}
