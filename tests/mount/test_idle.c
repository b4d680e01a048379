/* Attestations that nobody touches are sealed by themselves.  The clock of
 * these tests is another attestation: once that is sealed, the time was over
 * for everything that was left alone as long. */
#include <poll.h>
#include <sys/xattr.h>

#include "harness.h"

#define B W "/b"

static void
begin_with(const char *options)
{
	mount_vault(options);
	make_attestation();
}

/* Returns when what was left alone since before this call was so for the time
 * of the setting, and a little longer. */
static void
time_is_over(void)
{
	allowed(mkdir(B, 0755));
	put(B "/f", "x");
	becomes(B, "sealed");
}

static void
end(void)
{
	unmount_vault();
	verify(0);
}

START_TEST(an_idle_attestation_is_sealed)
{
	const char *line;

	begin_with("settle=60,quiet=1");
	allowed(mkdir(A "/d", 0755));
	put(A "/d/f", "x");
	becomes(A, "sealed");
	holds(A "/d/f", "x");
	refused(EROFS, try_open(A "/late", O_WRONLY | O_CREAT));
	line = entry("attestation.sealed", "t/w/a");
	says(line, "\"cause\":\"quiet\"");
	ck_assert_ptr_null(strstr(line, "\"actor\""));
	says(entry("evidence.sealed", "t/w/a/d/f"), "\"actor\"");
	says(entry("ledger.opened", NULL), "\"quiet\":1,");
	/* Only attestations. */
	has_state(W, "open");
	allowed(mkdir(A "@2", 0755));
	end();
}
END_TEST

START_TEST(many_are_sealed)
{
	char path[64];

	begin_with("settle=0,quiet=1");
	for (int i = 0; i < 60; i++) {
		snprintf(path, sizeof path, W "/n%d", i);
		allowed(mkdir(path, 0755));
		strcat(path, "/f");
		put(path, path);
	}
	for (int i = 59; i >= 0; i--) {
		snprintf(path, sizeof path, W "/n%d", i);
		becomes(path, "sealed");
	}
	ck_assert_uint_eq(60, entries("attestation.sealed", NULL));
	end();
}
END_TEST

START_TEST(by_default_none_is_sealed)
{
	begin_with("settle=0");
	put(A "/f", "x");
	becomes(A "/f", "sealed");
	says(entry("ledger.opened", NULL), "\"quiet\":0,");
	remount_vault();
	has_state(A, "open");
	put(A "/g", "x");
	end();
}
END_TEST

START_TEST(open_files_delay_the_idle_seal)
{
	int fd;

	begin_with("settle=0,quiet=1");
	allowed(mkdir(A "/d", 0755));
	put(A "/f", "x");
	fd = begin(A "/d/open");
	add(fd, "half");
	time_is_over();
	has_state(A, "open");
	add(fd, " and half");
	allowed(close(fd));
	has_state(A, "open"); /* the time begins anew */
	becomes(A, "sealed");
	holds(A "/d/open", "half and half");
	end();
}
END_TEST

START_TEST(without_evidence_none_is_sealed)
{
	begin_with("settle=0,quiet=1");
	if (_i > 0)
		allowed(mkdir(A "/d", 0755));
	if (_i > 1) {
		put(A "/f", "x");
		/* It settles at once; a draft does not. */
		becomes(A "/f", "sealed");
		becomes(A, "sealed");
		allowed(mkdir(W "/c", 0755));
		put(W "/c/f.tmp", "x");
		allowed(unlink(W "/c/f.tmp"));
		time_is_over();
		has_state(W "/c", "open");
		put(W "/c/g", "x");
		becomes(W "/c", "sealed");
	} else {
		time_is_over();
		has_state(A, "open");
		put(A "/f", "x");
		becomes(A, "sealed");
	}
	end();
}
END_TEST

/* A draft attestation is published by its rename, and by nothing else. */
START_TEST(a_draft_attestation_is_not_published)
{
	begin_with("settle=0,quiet=1");
	allowed(mkdir(W "/.m", 0755));
	put(W "/.m/f", "x");
	time_is_over();
	has_state(W "/.m", "draft");
	ck_assert(!exists(W "/m"));
	put(W "/.m/g", "x");
	allowed(rename(W "/.m", W "/m"));
	has_state(W "/m/f", "sealed");
	ck_assert_ptr_null(strstr(entry("attestation.sealed", "t/w/m"),
	    "\"cause\""));
	end();
}
END_TEST

/* --- what touches ------------------------------------------------------ */

static void
create(int i)
{
	char path[64];

	snprintf(path, sizeof path, A "/n%d", i);
	allowed(try_open(path, O_WRONLY | O_CREAT | O_EXCL));
}

static void
create_deep(int i)
{
	char path[64];

	snprintf(path, sizeof path, A "/d/n%d", i);
	allowed(try_open(path, O_WRONLY | O_CREAT | O_EXCL));
}

static void
make_directory(int i)
{
	char path[64];

	snprintf(path, sizeof path, A "/d%d", i);
	allowed(mkdir(path, 0755));
}

static void
write_and_close(int i)
{
	int fd = open(A "/f.tmp", O_WRONLY);

	(void)i;
	ck_assert_int_ge(fd, 0);
	add(fd, "again");
	allowed(close(fd));
}

static void
rename_it(int i)
{
	allowed(i % 2 == 0 ? rename(A "/f", A "/g") : rename(A "/g", A "/f"));
}

static void
delete_one(int i)
{
	char path[64];

	snprintf(path, sizeof path, A "/old%d.tmp", i);
	allowed(unlink(path));
}

static void
change_mode(int i)
{
	allowed(chmod(A "/k", i % 2 == 0 ? 0600 : 0640));
}

static void
change_times(int i)
{
	struct timespec t[2] = { { i, 0 }, { i, 0 } };

	allowed(utimensat(AT_FDCWD, A "/k", t, 0));
}

static void
set_attribute(int i)
{
	char value[16];

	snprintf(value, sizeof value, "%d", i);
	allowed(setxattr(A "/k", "user.x", value, strlen(value), 0));
}

static void
change_access(int i)
{
	allowed(chmod(A, i % 2 == 0 ? 0700 : 0750));
}

static void (*const touches[])(int i) = { create, create_deep, make_directory,
	write_and_close, rename_it, delete_one, change_mode, change_times,
	set_attribute, change_access };

/* Loop test: each of these, much more often than it takes to be quiet; seldom
 * enough that the file is mostly closed. */
START_TEST(a_change_begins_the_time_anew)
{
	char path[64];
	int i;

	begin_with("settle=60,quiet=2");
	allowed(mkdir(A "/d", 0755));
	put(A "/f", "x");
	put(A "/k", "x");
	put(A "/f.tmp", "x");
	for (i = 0; i < 400 && touches[_i] == delete_one; i++) {
		snprintf(path, sizeof path, A "/old%d.tmp", i);
		put(path, "x");
	}
	allowed(mkdir(B, 0755));
	put(B "/f", "x");
	for (i = 0; strcmp(state_of(B), "sealed") != 0; i++) {
		ck_assert_int_lt(i, 400);
		touches[_i](i);
		has_state(A, "open");
		poll(NULL, 0, touches[_i] == write_and_close ? 400 : 50);
	}
	ck_assert_int_gt(i, 2);
	has_state(A, "open");
	becomes(A, "sealed");
	end();
}
END_TEST

/* --- after a start ------------------------------------------------------ */

/* The last that is known of it counts, not the start.  Loop test: evidence at
 * the top, further down, a draft, with a crash. */
START_TEST(the_time_goes_on_while_nothing_is_mounted)
{
	static const char *const files[] = { "/f", "/d/d/f", "/f.tmp", "/f" };
	char path[64];

	begin_with("settle=0");
	if (_i == 1) {
		allowed(mkdir(A "/d", 0755));
		allowed(mkdir(A "/d/d", 0755));
	}
	snprintf(path, sizeof path, A "%s", files[_i]);
	put(path, "x");
	allowed(mkdir(B, 0755));
	put(B "/f", "x");
	sync_dir("mnt");
	if (_i == 3)
		crash_vault();
	else
		unmount_vault();
	/* As if it had been long ago; the names do not verify any more. */
	tamper("UPDATE node SET ctime = ctime - 1000, mtime = mtime - 1000"
	       " WHERE id = 4 OR parent IN (SELECT id FROM node"
	       "  WHERE id = 4 OR parent = 4 OR parent IN"
	       "   (SELECT id FROM node WHERE parent = 4))");
	if (_i == 2)
		tamper("UPDATE stage SET ctime = ctime - 1000");
	mount_vault("settle=0,quiet=900");
	becomes(A, "sealed");
	says(entry("attestation.sealed", "t/w/a"), "\"cause\":\"quiet\"");
	has_state(B, "open");
	unmount_vault();
	mount_vault("settle=0,quiet=1");
	becomes(B, "sealed");
	unmount_vault();
}
END_TEST

/* A draft that is newer keeps it open, though it is in no entry. */
START_TEST(a_draft_from_before_the_start_counts)
{
	begin_with("settle=0");
	put_sealed(A "/f", "x");
	put(A "/x.tmp", "x");
	allowed(mkdir(B, 0755));
	put_sealed(B "/f", "x");
	unmount_vault();
	tamper("UPDATE node SET ctime = ctime - 1000, mtime = mtime - 1000");
	mount_vault("settle=0,quiet=900");
	becomes(B, "sealed");
	has_state(A, "open");
	unmount_vault();
}
END_TEST

/* trailctl opens the store for a moment; it has no time to watch. */
START_TEST(only_the_daemon_watches)
{
	begin_with("settle=0");
	put(A "/f", "x");
	allowed(mkdir(B, 0755));
	put(B "/f", "x");
	unmount_vault();
	run(0, "echo 'quiet = 1' >store/config");
	tamper("UPDATE node SET ctime = ctime - 1000, mtime = mtime - 1000");
	run(0, "trailctl seal store/t/w/b");
	ck_assert_uint_eq(1, entries("attestation.sealed", NULL));
	mount_vault("settle=0");
	says(entry("ledger.opened", NULL), "\"quiet\":1,");
	becomes(A, "sealed");
	unmount_vault();
}
END_TEST

Suite *
suite_idle(void)
{
	Suite *s = suite_create("idle");
	TCase *t = stored_case(s, "quiet");

	tcase_add_test(t, an_idle_attestation_is_sealed);
	tcase_add_test(t, many_are_sealed);
	tcase_add_test(t, by_default_none_is_sealed);
	tcase_add_test(t, open_files_delay_the_idle_seal);
	tcase_add_loop_test(t, without_evidence_none_is_sealed, 0, 3);
	tcase_add_test(t, a_draft_attestation_is_not_published);
	tcase_add_loop_test(t, a_change_begins_the_time_anew, 0, LEN(touches));
	tcase_add_loop_test(t, the_time_goes_on_while_nothing_is_mounted, 0, 4);
	tcase_add_test(t, a_draft_from_before_the_start_counts);
	tcase_add_test(t, only_the_daemon_watches);
	return s;
}
