/* streams=on: the kernel collects the writes of a file that is far from every
 * limit.  What holds without the option holds with it. */
#include <sys/mman.h>
#include <sys/mount.h>

#include "core/control.h"
#include "harness.h"
#include "harness_i.h"

#define LOG A "/log"
#define ON "settle=60,streams=on"
#define LINE 200
#define MIB ((size_t)1 << 20)

static void
begin_with(const char *options)
{
	mount_vault(options);
	make_attestation();
}

/* begin(), for writing only: such descriptors collect. */
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

/* The number of requests that the daemon has printed with these words.  It may print
 * others meanwhile. */
static unsigned
requests(const char *words)
{
	unsigned n = 0;
	int fd = open("log", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	for (const char *p = read_fd(fd, NULL, false);
	     (p = strstr(p, words)) != NULL; p++)
		n++;
	close(fd);
	return n;
}

/* Is the option in effect?  An old kernel does without it. */
static bool
collects(void)
{
	int fd = begin_log(A "/probe.tmp");
	unsigned before;
	bool yes;

	add_lines(fd, noise(LINE, 1), 20);
	allowed(fsync(fd));
	before = requests("opcode: WRITE ");
	yes = before < 20;
	allowed(close(fd));
	allowed(unlink(A "/probe.tmp"));
	return yes;
}

#define OLD "this kernel does not collect writes"

/* --- collected --------------------------------------------------------------- */

START_TEST(many_small_writes_are_few_requests)
{
	char *line = noise(LINE, 2);
	unsigned before;
	char *all;
	size_t got;
	int fd;

	daemon_prints_requests();
	begin_with(ON);
	skip_unless(collects(), OLD);
	fd = begin_log(LOG);
	before = requests("opcode: WRITE ");
	add_lines(fd, line, 20000);
	allowed(close(fd));
	ck_assert_uint_le(requests("opcode: WRITE ") - before, 200);
	sync_dir(A);
	has_state(LOG, "sealed");
	all = content(LOG, &got);
	ck_assert_uint_eq((size_t)LINE * 20000, got);
	for (size_t i = 0; i < 20000; i++)
		ck_assert_int_eq(0, memcmp(all + i * LINE, line, LINE));
}
END_TEST

/* `tail -f`: who has it open for reading sees each line at once, and so does
 * stat(2). */
START_TEST(a_reader_sees_each_line_at_once)
{
	char *line = noise(LINE, 3), got[LINE + 1];
	int fd, tail;

	begin_with(ON);
	fd = begin_log(LOG);
	tail = open(LOG, O_RDONLY);
	ck_assert_int_ge(tail, 0);
	for (int i = 1; i <= 1000; i++) {
		add_lines(fd, line, 1);
		ck_assert_int_eq(LINE * i, stat_of(LOG).st_size);
		ck_assert_int_eq(LINE, read(tail, got, sizeof got));
		ck_assert_int_eq(0, memcmp(got, line, LINE));
		if (i % 100 == 0)
			allowed(fsync(fd));
	}
	allowed(close(fd));
	allowed(close(tail));
}
END_TEST

/* Several commands of a shell write to one descriptor, each closes a copy. */
START_TEST(copies_of_a_descriptor_write_one_file)
{
	begin_with(ON);
	run(0,
	    "(for i in $(seq 300); do echo $i; done; seq 301 100000; "
	    "printf 'end\\n') >" LOG);
	run(0, "(seq 100000; echo end) | cmp - " LOG);
	sync_dir(A);
	run(0, "(seq 100000; echo end) | cmp - " LOG);
	has_state(LOG, "sealed");
}
END_TEST

/* A descriptor for reading and writing, its mapping and one that collects. */
START_TEST(mappings_and_collected_writes_meet_in_one_file)
{
	char *line = noise(LINE, 4), *map, *all;
	const size_t n = 3 * MIB;
	size_t got;
	int fd, rw;

	begin_with(ON);
	fd = begin_log(A "/log.part");
	rw = open(A "/log.part", O_RDWR);
	ck_assert_int_ge(rw, 0);
	allowed(ftruncate(rw, (off_t)n));
	map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, rw, 0);
	ck_assert_ptr_ne(MAP_FAILED, map);
	for (size_t i = 0; i < n; i += 4096) {
		map[i + 1] = 'm';
		ck_assert_int_eq(1, pwrite(fd, "w", 1, (off_t)i + 2));
		ck_assert_int_eq(1, pwrite(rw, "d", 1, (off_t)i + 3));
		ck_assert_int_eq('w', map[i + 2]);
	}
	allowed(close(rw));
	ck_assert_int_eq(LINE, pwrite(fd, line, LINE, (off_t)n));
	allowed(close(fd));
	map[5] = 'l';
	munmap(map, n);
	allowed(rename(A "/log.part", LOG));
	all = content(LOG, &got);
	ck_assert_uint_eq(n + LINE, got);
	for (size_t i = 0; i < n; i += 4096)
		ck_assert_int_eq(0, memcmp(all + i + 1, "mwd", 3));
	ck_assert_int_eq('l', all[5]);
	ck_assert_int_eq(0, memcmp(all + n, line, LINE));
	sync_dir(A);
	ck_assert_int_eq(0, memcmp(all, content(LOG, NULL), got));
	(void)verify(0);
}
END_TEST

/* --- crashes ----------------------------------------------------------------- */

/* The first write after a flush is known before its bytes are.  Loop test: in
 * memory and in a staged file. */
START_TEST(a_write_after_a_flush_is_known_at_once)
{
	char *line = noise(LINE, 5);
	int fd;

	begin_with(ON);
	fd = begin_log(LOG);
	add_lines(fd, line, _i == 0 ? 1 : 1000);
	allowed(fsync(fd));
	add_lines(fd, line, 1);
	crash_vault();
	(void)close(fd);
	mount_vault(ON);
	ck_assert(!exists(LOG));
	ck_assert_uint_eq(1, entries("evidence.interrupted", "t/w/a/log"));
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
}
END_TEST

/* The attributes of a draft that somebody looked at permit no write: the kernel asks
 * for them again. */
START_TEST(a_look_at_a_draft_is_no_lease)
{
	const char *draft = A "/.log.Xa7bQ2";
	char *line = noise(LINE, 14);
	unsigned before;
	int fd;

	daemon_prints_requests();
	begin_with(ON);
	skip_unless(collects(), OLD);
	fd = begin_log(draft);
	add_lines(fd, line, 1);
	allowed(fsync(fd));
	(void)stat_of(draft);
	before = requests("opcode: GETATTR ");
	add_lines(fd, line, 1);
	ck_assert_uint_lt(before, requests("opcode: GETATTR "));
	allowed(close(fd));
}
END_TEST

/* What was flushed, and not written since, is evidence after a crash. */
START_TEST(what_was_flushed_is_sealed_after_a_crash)
{
	char *line = noise(LINE, 6);
	size_t got;
	int fd;

	begin_with(ON);
	fd = begin_log(LOG);
	add_lines(fd, line, 1000);
	allowed(fsync(fd));
	add_lines(fd, line, 1000);
	allowed(fsync(fd));
	crash_vault();
	(void)close(fd);
	mount_vault(ON);
	has_state(LOG, "sealed");
	(void)content(LOG, &got);
	ck_assert_uint_eq((size_t)2000 * LINE, got);
	ck_assert_uint_eq(0, entries("evidence.interrupted", NULL));
}
END_TEST

/* A program learns of the end of the daemon when its lease is over, and at the
 * latest by close(2). */
START_TEST(a_writer_learns_of_the_end_of_the_daemon)
{
	char *line = noise(LINE, 7);
	ssize_t n = LINE;
	int fd, other;

	begin_with(ON);
	fd = begin_log(LOG);
	other = begin_log(A "/other");
	add_lines(fd, line, 10);
	add_lines(other, line, 10);
	crash_vault();
	ck_assert_int_eq(-1, fsync(other));
	ck_assert_int_eq(-1, close(other));
	while (n == LINE) /* the time limit of the test is the failure */
		n = write(fd, line, LINE);
	ck_assert_int_eq(-1, n);
	ck_assert_int_eq(ENOTCONN, errno);
	ck_assert_int_eq(-1, close(fd));
	mount_vault(ON);
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
}
END_TEST

/* --- limits ------------------------------------------------------------------ */

/* Near a limit each write is a request, and its error the write's. */
START_TEST(near_a_limit_the_write_fails)
{
	static const struct {
		const char *options;
		int sys;
	} limits[] = { { ON ",max_file=1M", EFBIG },
		{ ON ",max_staged=1M", EDQUOT },
		{ ON ",max_store=8M", ENOSPC } };
	char *line = noise(LINE, 8);
	ssize_t n = LINE;
	size_t sum = 0, got;
	int fd;

	begin_with(limits[_i].options);
	fd = begin_log(LOG);
	while ((n = write(fd, line, LINE)) == LINE)
		sum += LINE;
	ck_assert_int_eq(-1, n);
	ck_assert_int_eq(limits[_i].sys, errno);
	ck_assert_int_eq(-1, close(fd));
	ck_assert(!exists(LOG));
	run(0, "cat " A "/*.interrupted.part >kept");
	(void)content("kept", &got);
	ck_assert_uint_eq(sum, got);
}
END_TEST

/* A stream that begins far from its limit hears of it, and nothing beyond the
 * limit is evidence. */
START_TEST(a_long_stream_hears_of_its_limit)
{
	const size_t n = 64 * 1024, limit = 96 * MIB;
	char *block = noise(n, 9);
	size_t sum = 0, got = 0;
	ssize_t r;
	int fd;

	begin_with(ON ",max_file=96M");
	fd = begin_log(LOG);
	while ((r = write(fd, block, n)) == (ssize_t)n) {
		sum += n;
		ck_assert_uint_le(sum, limit + 64 * MIB);
	}
	ck_assert_int_eq(-1, r);
	ck_assert_msg(errno == EFBIG, "%s", errno_name(errno));
	ck_assert_int_eq(-1, close(fd));
	ck_assert(!exists(LOG));
	got = (size_t)strtoull(run(0, "stat -c %%s " A "/*.interrupted.part"),
	    NULL, 10);
	ck_assert_uint_le(got, limit);
	ck_assert_uint_ge(sum, limit);
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
}
END_TEST

/* --- what else the daemon must know ------------------------------------------ */

START_TEST(the_first_write_ends_a_placeholder)
{
	int fd;

	begin_with(ON);
	fd = begin_log(LOG);
	has_state(LOG, "placeholder");
	add(fd, "x");
	has_state(LOG, "open");
	allowed(close(fd));
	has_state(LOG, "frozen");
}
END_TEST

/* A file that was written is neither replaced nor removed, even if the daemon has
 * none of its bytes yet. */
START_TEST(a_file_with_collected_bytes_keeps_its_name)
{
	int fd;

	begin_with(ON);
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

/* No write fails for an offset that no file can have, but its close does. */
START_TEST(a_write_beyond_all_limits_fails_at_close)
{
	int fd;

	begin_with(ON);
	fd = begin_log(LOG);
	add(fd, "x");
	if (pwrite(fd, "x", 1, ((off_t)1 << 53) - 1) == 1)
		ck_assert_int_eq(-1, fsync(fd));
	ck_assert_int_eq(-1, close(fd));
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

	begin_with(ON);
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

	begin_with(ON);
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

/* The kernel keeps the first size of a control file. */
START_TEST(control_files_have_the_sizes_of_their_texts)
{
	begin_with(ON);
	for (int i = 0; i < 3; i++) {
		run(0,
		    "for f in $(find mnt -path '*/.trailfs/*' -type f "
		    "! -path '*/tile/*'); do "
		    "s=$(stat -c %%s $f) && n=$(cat $f | wc -c) && "
		    "test $s = $n || "
		    "test $(stat -c %%s $f) = $(cat $f | wc -c) || "
		    "{ echo $f $s $n; exit 1; }; done");
		put_sealed(i == 0 ? A "/1" : i == 1 ? A "/2" : A "/3", "text");
	}
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
	begin_with(ON);
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

/* The daemon that began to collect ends: umount and signals lose nothing. */
START_TEST(an_unmount_gets_what_was_collected)
{
	begin_with(ON);
	run(0, "seq 1000000 >" LOG " && seq 1000 >" A "/short");
	remount_vault();
	has_state(LOG, "sealed");
	run(0, "seq 1000000 | cmp - " LOG " && seq 1000 | cmp - " A "/short");
}
END_TEST

Suite *suite_streams(void);

Suite *
suite_streams(void)
{
	Suite *s = suite_create("streams");
	TCase *t = stored_case(s, "collected");

	tcase_add_test(t, many_small_writes_are_few_requests);
	tcase_add_test(t, a_reader_sees_each_line_at_once);
	tcase_add_test(t, copies_of_a_descriptor_write_one_file);
	tcase_add_test(t, mappings_and_collected_writes_meet_in_one_file);
	t = stored_case(s, "crashes of streams");
	tcase_add_loop_test(t, a_write_after_a_flush_is_known_at_once, 0, 2);
	tcase_add_test(t, a_look_at_a_draft_is_no_lease);
	tcase_add_test(t, what_was_flushed_is_sealed_after_a_crash);
	tcase_add_test(t, a_writer_learns_of_the_end_of_the_daemon);
	t = stored_case(s, "limits of streams");
	tcase_add_loop_test(t, near_a_limit_the_write_fails, 0, 3);
	tcase_add_test(t, a_long_stream_hears_of_its_limit);
	tcase_add_test(t, a_write_beyond_all_limits_fails_at_close);
	t = stored_case(s, "knowledge");
	tcase_add_test(t, the_first_write_ends_a_placeholder);
	tcase_add_test(t, a_file_with_collected_bytes_keeps_its_name);
	tcase_add_test(t, of_two_appenders_the_last_is_named);
	tcase_add_test(t, a_remount_changes_no_attribute);
	tcase_add_test(t, control_files_have_the_sizes_of_their_texts);
	tcase_add_test(t, an_encrypted_file_has_the_size_of_its_age_file);
	tcase_add_test(t, an_unmount_gets_what_was_collected);
	return s;
}
