/* Files without bytes: placeholders, and those that are meant to be empty. */
#include "harness.h"

#define F A "/f"
#define EMPTY                                                        \
	"\"content\":{\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb924" \
	"27ae41e4649b934ca495991b7852b855\",\"size\":0}"

/* Ways that leave a file without bytes at A/f.  The directory "from" holds an
 * empty file f. */
static const char *const ways[] = {
	": > " F,
	"touch " F,
	"cp from/f " F,
	"cp -a from/f " F,
	"install from/f " F,
	"rsync -a from/f " F,
	"rsync -a --inplace from/f " F,
	"tar c -C from f | tar x -C " A,
	"dd if=/dev/null of=" F " status=none",
	"python3 -c 'import os; os.mknod(\"" F "\")'",
	"python3 -c 'open(\"" F "\", \"x\").close()'",
	"python3 -c 'import os; os.close(os.open(\"" F
	"\", os.O_RDONLY | os.O_CREAT))'",
	"python3 -c 'import os; f = os.open(\"" F "\", os.O_WRONLY |"
	" os.O_CREAT | os.O_TRUNC); os.ftruncate(f, 0); os.write(f, b\"\")'",
	"python3 -c 'open(\"" A "/.f.a1B2c3\", \"x\").close();"
	" import os; os.rename(\"" A "/.f.a1B2c3\", \"" F "\")'",
};

static void
make_empty(int i)
{
	make_attestation();
	run(0, "mkdir from && : > from/f && chmod 640 from/f");
	run(0, "%s", ways[i]);
	has_state(F, "placeholder");
}

/* Everybody may write in it. */
static void
open_attestation(void)
{
	make_attestation();
	allowed(chmod("mnt/t", 0777));
	allowed(chmod(W, 0777));
	allowed(chmod(A, 0777));
}

/* --- it stays ---------------------------------------------------------- */

START_TEST(a_placeholder_survives_an_unmount)
{
	make_empty(_i);
	remount_vault();
	has_state(F, "placeholder");
	holds(F, "");
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	says(run(0, "trailctl status --json mnt"),
	    "\"waiting\":[{\"path\":\"t/w/a/f\",\"state\":\"placeholder\"}]");
	put(A "/after", "bytes");
	remount_vault();
	has_state(F, "placeholder");
	run(0, "trailctl seal " A);
	says(entry("evidence.sealed", "t/w/a/f"), EMPTY);
	says(entry("attestation.sealed", "t/w/a"), "\"count\":2,");
}
END_TEST

START_TEST(a_placeholder_survives_a_kill)
{
	make_empty(_i);
	crash_vault();
	mount_vault("settle=60");
	has_state(F, "placeholder");
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	ck_assert_uint_eq(0, entries("evidence.interrupted", NULL));
	run(0, "trailctl sync mnt");
	has_state(F, "sealed");
	says(entry("evidence.sealed", "t/w/a/f"), EMPTY);
}
END_TEST

/* So do those of a draft attestation, and drafts. */
START_TEST(a_placeholder_is_published_with_its_draft_attestation)
{
	make_attestation();
	allowed(mkdir(W "/.login", 0755));
	allowed(mkdir(W "/.login/d", 0755));
	put(W "/.login/d/f", "");
	put(A "/f.tmp", "");
	crash_vault();
	mount_vault("settle=60");
	has_state(W "/.login/d/f", "draft");
	has_state(A "/f.tmp", "draft");
	put(W "/.login/g", "");
	remount_vault();
	allowed(rename(W "/.login", W "/login"));
	says(entry("evidence.sealed", "t/w/login/d/f"), EMPTY);
	says(entry("evidence.sealed", "t/w/login/g"), EMPTY);
	allowed(rename(A "/f.tmp", F));
	has_state(F, "placeholder");
	crash_vault();
	mount_vault("settle=60");
	has_state(F, "placeholder");
	ck_assert(!exists(A "/f.tmp"));
}
END_TEST

/* Whatever a close waits for, an unmount and a signal wait for it. */
START_TEST(a_placeholder_survives_every_end_of_the_daemon)
{
	int fd;

	mount_vault(_i == 0 ? "settle=60,durability=batch" : "settle=60");
	make_attestation();
	run(0, "cd " A " && touch $(seq 200)");
	fd = begin(F);
	allowed(close(dup(fd)));
	if (_i == 0) {
		allowed(close(fd));
		unmount_vault();
	} else {
		kill(vault_pid(), SIGTERM);
		ck_assert_int_eq(0, vault_ended());
		close(fd);
	}
	mount_vault("settle=60");
	has_state(F, "placeholder");
	ck_assert_str_eq("201\n", run(0, "ls -A " A " | wc -l"));
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	unmount_vault();
}
END_TEST

/* A tree that is copied whole and fsynced or not, as databases copy. */
START_TEST(no_file_of_a_tree_is_lost)
{
	make_attestation();
	run(0,
	    "for i in 1 2 3 4 5 6 7 8 9; do mkdir -p from/$i &&"
	    " : > from/$i/empty && echo $i > from/$i/full; done");
	run(0, "cp -a from " A "/one && rsync -a from/ " A "/two/");
	crash_vault();
	mount_vault("settle=60");
	remount_vault();
	run(0, "trailctl seal " A);
	run(0, "diff -r from " A "/one && diff -r from " A "/two");
	ck_assert_uint_eq(36, entries("evidence.sealed", NULL));
}
END_TEST

/* --- it can still be used ----------------------------------------------- */

START_TEST(a_placeholder_can_be_written_after_a_restart)
{
	make_attestation();
	put(F, "");
	put(A "/g", "");
	put(A "/h", "");
	if (_i == 0) {
		remount_vault();
	} else {
		crash_vault();
		mount_vault("settle=60");
	}
	run(0, "echo later > " F);
	allowed(unlink(A "/g"));
	run(0, "echo new > from && rsync from " A "/h");
	has_state(F, "frozen");
	has_state(A "/h", "sealed");
	crash_vault();
	mount_vault("settle=60");
	holds(F, "later\n");
	has_state(F, "sealed");
	holds(A "/h", "new\n");
	ck_assert(!exists(A "/g"));
	ck_assert_uint_eq(2, entries("evidence.sealed", NULL));
}
END_TEST

START_TEST(only_owner_and_root_replace_a_placeholder)
{
	open_attestation();
	as(ALICE);
	put(F, "");
	put(A "/g", "");
	as(BOB);
	put(A "/x.tmp", "by bob");
	refused(EPERM, unlink(F));
	refused(EPERM, rename(A "/x.tmp", F));
	as(ALICE);
	put(A "/y.tmp", "by alice");
	allowed(rename(A "/y.tmp", F));
	as(0);
	allowed(rename(A "/x.tmp", A "/g"));
	holds(F, "by alice");
	holds(A "/g", "by bob");
}
END_TEST

/* --- what was written and not closed ------------------------------------ */

/* A shell closes a copy first; what it then writes may be lost with the
 * daemon, but the file that is left is not one that anybody meant. */
static size_t how_much;

static int
write_and_wait(void)
{
	int fd = open(F, O_WRONLY | O_CREAT | O_EXCL, 0644);

	/* As dup2(2) and close(2) do. */
	if (fd < 0 || close(dup(fd)) < 0 ||
	    write(fd, noise(how_much, 1), how_much) != (ssize_t)how_much)
		return 1;
	pause();
	return 0;
}

START_TEST(bytes_written_later_are_not_sealed_as_empty)
{
	pid_t writer;
	int i;

	make_attestation();
	how_much = _i == 0 ? 10 : 100000;
	writer = in_child(write_and_wait);
	for (i = 0; i < 1500 &&
	     strcmp("1\n",
		 run(0, "sqlite3 store/ledger.db 'SELECT dirty FROM stage'")) !=
		 0;
	     i++)
		usleep(20000);
	ck_assert_int_lt(i, 1500);
	crash_vault();
	kill(writer, SIGKILL);
	(void)child_ended(writer);
	mount_vault("settle=60");
	ck_assert(!exists(F));
	ck_assert_uint_eq(1, entries("evidence.interrupted", NULL));
	run(0, "test -e " A "/f.*.interrupted.part");
	if (_i == 1)
		run(0, "test -s " A "/f.*.interrupted.part");
}
END_TEST

/* --- it is sealed ------------------------------------------------------- */

static const char *const askers[] = {
	"trailctl sync mnt",
	"trailctl sync " A,
	"trailctl seal " A,
	"python3 -c 'import os; os.fsync(os.open(\"" A "\", os.O_RDONLY))'",
	"sync " F, /* opens it for reading */
	"trailctl seal " W,
};

START_TEST(a_sync_seals_a_placeholder)
{
	make_attestation();
	put(F, "");
	run(0, "%s", askers[_i]);
	has_state(F, "sealed");
	says(entry("evidence.sealed", "t/w/a/f"), EMPTY);
	refused(EPERM, try_open(F, O_WRONLY));
	refused(EPERM, unlink(F));
}
END_TEST

START_TEST(an_fsync_declares_an_empty_file_as_final)
{
	int fd;

	make_attestation();
	fd = begin(F);
	allowed(fsync(fd));
	has_state(F, "open");
	allowed(close(fd));
	has_state(F, "frozen");
	fd = begin(A "/g");
	allowed(fsync(fd));
	add(fd, "and more");
	allowed(close(fd));
	holds(A "/g", "and more");
	fd = begin(A "/h.tmp");
	allowed(fsync(fd));
	allowed(close(fd));
	allowed(rename(A "/h.tmp", A "/h"));
	has_state(A "/h", "sealed");
	fd = begin(A "/i");
	allowed(fsync(fd));
	crash_vault();
	close(fd);
	mount_vault("settle=60");
	has_state(F, "sealed");
	has_state(A "/i", "sealed");
	says(entry("evidence.sealed", "t/w/a/i"), "\"cause\":\"recovery\"");
	says(entry("evidence.sealed", "t/w/a/i"), EMPTY);
}
END_TEST

/* Who may only read it, or has not asked for his own, seals nothing. */
START_TEST(a_sync_by_another_user_does_not_seal_a_placeholder)
{
	open_attestation();
	as(ALICE);
	put(F, "");
	as(BOB);
	sync_dir(A);
	int fd = open(F, O_RDONLY);
	allowed(fsync(fd));
	allowed(close(fd));
	has_state(F, "placeholder");
	as(ALICE);
	sync_dir(A);
	has_state(F, "sealed");
}
END_TEST

START_TEST(an_open_placeholder_is_not_sealed)
{
	int fd;

	make_attestation();
	fd = begin(F);
	allowed(close(dup(fd)));
	sync_dir("mnt");
	run(0, "sync " F);
	has_state(F, "placeholder");
	add(fd, "now");
	allowed(close(fd));
	holds(F, "now");
	has_state(F, "frozen");
}
END_TEST

START_TEST(a_placeholder_is_sealed_after_its_time)
{
	mount_vault("settle=0,placeholder=1");
	make_attestation();
	put(F, "");
	put(A "/g.tmp", "");
	becomes(F, "sealed");
	says(entry("evidence.sealed", "t/w/a/f"), EMPTY);
	has_state(A "/g.tmp", "draft");
	allowed(rename(A "/g.tmp", A "/g"));
	becomes(A "/g", "sealed");
	unmount_vault();
	run(0, "echo placeholder = 3600 > store/config");
	mount_vault("settle=0");
	put(A "/h", "");
	remount_vault();
	has_state(A "/h", "placeholder");
	unmount_vault();
	mount_vault("settle=0,placeholder=1");
	becomes(A "/h", "sealed");
	unmount_vault();
}
END_TEST

/* Its first write failed: not even a crash makes an empty file of it. */
START_TEST(a_first_write_that_failed_survives_as_a_failure)
{
	int fd;

	mount_vault("settle=60,max_file=10");
	make_attestation();
	fd = begin(A "/f");
	allowed(close(dup(fd)));
	refused(EFBIG, write(fd, "more than ten bytes", 19));
	for (int i = 0; atoi(run(0,
			    "sqlite3 store/ledger.db 'SELECT dirty FROM "
			    "stage'")) != 1;
	     i++) {
		ck_assert_int_lt(i, 750);
		usleep(20000);
	}
	crash_vault();
	(void)close(fd);
	mount_vault("settle=60");
	ck_assert(!exists(A "/f"));
	ck_assert_uint_eq(1, entries("evidence.interrupted", "t/w/a/f"));
	sync_dir("mnt");
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
}
END_TEST

Suite *
suite_empty(void)
{
	Suite *s = suite_create("empty");
	TCase *t = mounted_case(s, "it stays");

	tcase_add_loop_test(t, a_placeholder_survives_an_unmount, 0, LEN(ways));
	tcase_add_loop_test(t, a_placeholder_survives_a_kill, 0, LEN(ways));
	tcase_add_test(t,
	    a_placeholder_is_published_with_its_draft_attestation);
	tcase_add_test(t, no_file_of_a_tree_is_lost);
	t = mounted_case(s, "it can still be used");
	tcase_add_loop_test(t, a_placeholder_can_be_written_after_a_restart, 0,
	    2);
	tcase_add_test(t, only_owner_and_root_replace_a_placeholder);
	tcase_add_loop_test(t, bytes_written_later_are_not_sealed_as_empty, 0,
	    2);
	t = mounted_case(s, "it is sealed");
	tcase_add_loop_test(t, a_sync_seals_a_placeholder, 0, LEN(askers));
	tcase_add_test(t, an_fsync_declares_an_empty_file_as_final);
	tcase_add_test(t, a_sync_by_another_user_does_not_seal_a_placeholder);
	tcase_add_test(t, an_open_placeholder_is_not_sealed);
	t = stored_case(s, "with time");
	tcase_add_loop_test(t, a_placeholder_survives_every_end_of_the_daemon,
	    0, 2);
	tcase_add_test(t, a_placeholder_is_sealed_after_its_time);
	tcase_add_test(t, a_first_write_that_failed_survives_as_a_failure);
	return s;
}
