/* Directories that chmod(2) closed, until they are sealed or opened again. */
#include "harness.h"

#define IN_A A "/.trailfs/"
#define IN_W W "/.trailfs/"

static void
close_a(void)
{
	make_attestation();
	put(A "/f", "x");
	put(A "/x.tmp", "draft");
	allowed(mkdir(A "/d", 0755));
	allowed(chmod(A, 0555));
	has_state(A, "closing");
}

START_TEST(nothing_is_created_in_a_closed_attestation)
{
	close_a();
	ck_assert_uint_eq(0555, stat_of(A).st_mode & 07777);
	refused(EROFS, try_open(A "/new", O_WRONLY | O_CREAT));
	refused(EROFS, try_open(A "/d/new", O_WRONLY | O_CREAT));
	refused(EROFS, mkdir(A "/new", 0755));
	refused(EROFS, mknod(A "/new", S_IFREG | 0644, 0));
	refused(EROFS, try_open(A "/x.tmp", O_WRONLY));
	refused(EROFS, try_open(A "/x.tmp", O_WRONLY | O_TRUNC));
	refused(EROFS, truncate(A "/x.tmp", 1));
	refused(EROFS, unlink(A "/x.tmp"));
	refused(EROFS, rename(A "/x.tmp", A "/x"));
	refused(EROFS, rename(A "/f", A "/g"));
	refused(EROFS, rmdir(A "/d"));
	refused(EPERM, unlink(A "/f"));
	refused(EPERM, try_open(A "/f", O_WRONLY));
	allowed(mkdir(W "/b", 0755)); /* its workflow is open */
	has_state(A, "closing");
	ck_assert_uint_eq(0, entries("attestation.sealed", NULL));
}
END_TEST

START_TEST(a_write_bit_opens_a_closed_directory_again)
{
	close_a();
	allowed(chmod(A, 0755));
	has_state(A, "open");
	put(A "/g", "y");
	put(A "/d/h", "z");
	allowed(rename(A "/x.tmp", A "/x"));
	sync_dir("mnt");
	has_state(A, "open");
	ck_assert_uint_eq(2, entries("access.changed", "t/w/a"));
	ck_assert_uint_eq(0, entries("attestation.sealed", NULL));
	allowed(chmod(A, 0555));
	has_state(A, "closing");
	/* Another mode without a write bit, or the same, opens nothing. */
	allowed(chmod(A, 0555));
	allowed(chmod(A, 0550));
	has_state(A, "closing");
	remount_vault();
	has_state(A, "sealed");
	ck_assert_uint_eq(0550, stat_of(A).st_mode & 07777);
	says(entry("attestation.sealed", "t/w/a"), "\"count\":4,");
	refused(EPERM, chmod(A, 0755));
}
END_TEST

START_TEST(files_in_a_closed_directory_settle_as_usual)
{
	struct timespec t[2] = { { 1, 0 }, { 1, 0 } };

	close_a();
	allowed(chmod(A "/f", 0600));
	allowed(utimensat(AT_FDCWD, A "/f", t, 0));
	sync_dir(A);
	ck_assert_int_eq(1, stat_of(A "/f").st_mtim.tv_sec);
	says(entry("evidence.sealed", "t/w/a/f"), "\"mode\":\"0600\"");
}
END_TEST

START_TEST(a_closed_directory_is_sealed_after_its_settle_time)
{
	mount_vault("settle=1");
	close_a();
	becomes(A, "sealed");
	has_state(A "/x.tmp", "sealed");
	says(entry("attestation.sealed", "t/w/a"), "\"actor\":{");
	ck_assert_ptr_null(strstr(entry("attestation.sealed", "t/w/a"),
	    "\"cause\""));
	unmount_vault();
	verify(0);
}
END_TEST

/* Loop test: what asks for the seal. */
static const char *const askers[] = {
	"trailctl sync " A,
	"trailctl sync mnt",
	"cat " IN_A "attestation.json",
	"cat " IN_A "attestation.intoto.json",
	"cat " IN_A "SHA256SUMS",
	"cat " IN_A "attestation.tlog-proof",
	"cat " IN_A "proof/f.tlog-proof",
	"cat " IN_A "package.zip >package.zip",
	"cat " IN_W "package.zip >package.zip",
	"cat " IN_W "status",
	"cat " IN_W "status.json",
	"cat " IN_W "status.md",
	"cat mnt/t/.trailfs/status.json",
	"mkdir " W "/a@2",
	"trailctl seal " A,
	"trailctl seal " W,
};

START_TEST(readers_that_need_the_seal_cause_it)
{
	close_a();
	run(0, "%s", askers[_i]);
	has_state(A, "sealed");
	says(entry("attestation.sealed", "t/w/a"), "\"count\":2,");
}
END_TEST

/* Loop test: and what does not. */
static const char *const others[] = {
	"cat " IN_W "events.jsonl",
	"cat " IN_W "index.html",
	"cat mnt/.trailfs/index.html",
	"cat " IN_A "events.jsonl",
	"cat mnt/.trailfs/status.json",
	"find mnt -ls",
	"trailctl status mnt",
};

START_TEST(other_readers_do_not_cause_the_seal)
{
	close_a();
	run(0, "%s", others[_i]);
	has_state(A, "closing");
	allowed(chmod(A, 0755));
	put(A "/g", "y");
}
END_TEST

START_TEST(only_an_fsync_by_the_owner_seals_a_closed_directory)
{
	make_attestation();
	put(A "/f", "x");
	allowed(chmod("mnt/t", 0755));
	allowed(chown(A, ALICE, ALICE));
	as(ALICE);
	allowed(chmod(A, 0555));
	as(BOB);
	sync_dir(A);
	has_state(A, "closing");
	as(ALICE);
	sync_dir(A);
	as(0);
	has_state(A, "sealed");
	says(entry("attestation.sealed", "t/w/a"), "\"uid\":1001");
}
END_TEST

START_TEST(status_lists_closed_directories)
{
	close_a();
	says(run(0, "trailctl status --json mnt"),
	    "{\"path\":\"t/w/a\",\"state\":\"closing\"}");
	allowed(chmod(W, 0555));
	says(run(0, "trailctl status --json mnt"),
	    "{\"path\":\"t/w\",\"state\":\"closing\"}");
	sync_dir("mnt");
	ck_assert_ptr_null(strstr(run(0, "trailctl status --json mnt"),
	    "closing"));
}
END_TEST

/* --- the upper two ----------------------------------------------------- */

/* Only when what is in it is sealed, or closed itself: rsync takes its write
 * bit away before it copies. */
START_TEST(a_workflow_closes_after_its_attestations)
{
	make_attestation();
	put(A "/f", "x");
	allowed(mkdir(W "/b", 0755));
	put(W "/b/f", "x");
	seal(W "/b", 0555);
	allowed(chmod(W, 0555));
	has_state(W, "open");
	ck_assert_uint_eq(0555, stat_of(W).st_mode & 07777);
	put(A "/g", "x"); /* root needs no mode */
	allowed(chmod(A, 0555));
	allowed(chmod(W, 0755));
	allowed(chmod(W, 0555));
	has_state(W, "closing");
	refused(EROFS, mkdir(W "/c", 0755));
	refused(EROFS, mkdir(W "/.c", 0755));
	refused(EROFS, try_open(A "/h", O_WRONLY | O_CREAT));
	allowed(chmod(W, 0755));
	has_state(W, "open");
	has_state(A, "closing");
	allowed(mkdir(W "/c", 0755));
	allowed(chmod(W, 0555)); /* an attestation without evidence */
	has_state(W, "open");
	run(0, "trailctl seal " W "/c");
	allowed(chmod(W, 0755));
	allowed(chmod(W, 0555));
	has_state(W, "closing");
	sync_dir(W);
	has_state(W, "sealed");
	has_state(A, "sealed");
	says(entry("workflow.sealed", "t/w"), "\"count\":3,");
	allowed(mkdir("mnt/t/empty", 0755));
	allowed(chmod("mnt/t/empty", 0555));
	has_state("mnt/t/empty", "open");
}
END_TEST

START_TEST(a_workflow_opens_with_its_attestations)
{
	make_attestation();
	put(A "/f", "x");
	allowed(chmod("mnt/t", 0755));
	allowed(chown(A, ALICE, ALICE));
	allowed(chmod(A, 0555));
	allowed(chmod(W, 0555));
	has_state(W, "closing");
	as(ALICE);
	refused(EPERM, chmod(A, 0755)); /* the workflow is not hers */
	as(0);
	has_state(A, "closing");
	allowed(chmod(A, 0755));
	has_state(A, "open");
	has_state(W, "open");
	put(A "/g", "x");
	sync_dir("mnt");
	has_state(W, "open");
	ck_assert_uint_eq(0555, stat_of(W).st_mode & 07777);
}
END_TEST

START_TEST(a_seal_names_the_user_who_closed)
{
	make_attestation();
	put(A "/f", "x");
	allowed(chmod("mnt/t", 0755));
	allowed(chown(A, ALICE, ALICE));
	as(ALICE);
	allowed(chmod(A, 0555));
	as(0);
	allowed(chmod(W, 0555));
	sync_dir(W);
	says(entry("attestation.sealed", "t/w/a"), "\"uid\":1001");
	says(entry("workflow.sealed", "t/w"), "\"uid\":0");
}
END_TEST

/* The workflow is due before its attestation, which began to settle anew. */
START_TEST(a_seal_by_timeout_names_the_user_who_closed)
{
	mount_vault("settle=4");
	make_attestation();
	put(A "/f", "x");
	allowed(chmod("mnt/t", 0755));
	allowed(chown(A, ALICE, ALICE));
	as(ALICE);
	allowed(chmod(A, 0555));
	as(0);
	allowed(chmod(W, 0555));
	usleep(300000);
	as(ALICE);
	allowed(chmod(A, 0500));
	as(0);
	becomes(W, "sealed");
	says(entry("attestation.sealed", "t/w/a"), "\"uid\":1001");
	says(entry("workflow.sealed", "t/w"), "\"uid\":0");
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(a_trail_closes_after_its_workflows)
{
	make_attestation();
	put(A "/f", "x");
	allowed(chmod(A, 0555));
	allowed(chmod("mnt/t", 0555));
	has_state("mnt/t", "open");
	allowed(chmod(W, 0555));
	allowed(chmod("mnt/t", 0755));
	allowed(chmod("mnt/t", 0555));
	has_state("mnt/t", "closing");
	refused(EROFS, mkdir("mnt/t/x", 0755));
	allowed(chmod("mnt/t", 0755));
	allowed(mkdir("mnt/t/x", 0755));
	allowed(chmod("mnt/t", 0555)); /* x is empty */
	has_state("mnt/t", "open");
	has_state(W, "closing");
}
END_TEST

START_TEST(a_file_being_written_keeps_the_directory_open)
{
	int fd;

	make_attestation();
	put(A "/f", "x");
	fd = begin(A "/g");
	add(fd, "y");
	refused(EBUSY, chmod(A, 0555));
	ck_assert_uint_eq(0755, stat_of(A).st_mode & 07777);
	allowed(close(fd));
	allowed(chmod(A, 0555));
	has_state(A, "closing");
}
END_TEST

/* --- crashes ------------------------------------------------------------ */

START_TEST(a_closing_survives)
{
	mount_vault("settle=60");
	close_a();
	allowed(mkdir(A "@2", 0755)); /* which seals the first */
	put(A "@2/f", "y");
	put(A "@2/x.tmp", "z");
	allowed(mkdir(A "@2/empty", 0755));
	allowed(chmod(A "@2", 0500));
	crash_vault();
	mount_vault("settle=60");
	has_state(A "@2", "sealed");
	ck_assert_uint_eq(0500, stat_of(A "@2").st_mode & 07777);
	holds(A "@2/x.tmp", "z");
	ck_assert(S_ISDIR(stat_of(A "@2/empty").st_mode));
	says(entry("attestation.sealed", "t/w/a@2"), "\"cause\":\"recovery\"");
	says(entry("attestation.sealed", "t/w/a@2"), "\"actor\":{");
	says(entry("attestation.sealed", "t/w/a@2"), "\"count\":2,");
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(an_opened_directory_is_open_after_a_crash)
{
	mount_vault("settle=60");
	close_a();
	allowed(chmod(A, 0755));
	put(A "/g", "y");
	crash_vault();
	mount_vault("settle=60");
	has_state(A, "open");
	put(A "/h", "z");
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(with_batch_files_of_a_closed_directory_are_durable)
{
	mount_vault("settle=60,durability=batch");
	make_attestation();
	put(A "/f", "x");
	put_bytes(A "/big", noise(300000, 3), 300000);
	allowed(chmod(A, 0555));
	crash_vault();
	mount_vault("settle=60");
	has_state(A, "sealed");
	says(entry("attestation.sealed", "t/w/a"), "\"count\":2,");
	holds(A "/f", "x");
	unmount_vault();
	verify(0);
}
END_TEST

/* --- programs ----------------------------------------------------------- */

/*
 * Loop test.  rsync takes the write bit away from a directory that is there,
 * gives it back, copies, and takes it away again; from the upper ones before
 * it has copied anything.
 */
static const struct {
	const char *command;
	bool seals; /* the workflow, too */
} copies[] = {
	{ "rsync -a src/ mnt/t", false },
	{ "rsync -a src/w mnt/t/", false },
	{ "mkdir mnt/t/w && rsync -a src/w/ mnt/t/w/", false },
	{ "rsync -a src/w mnt/t/ && rsync -a src/w mnt/t/", false },
	{ "rsync -a --exclude=b src/ mnt/t/ && chmod u+w mnt/t/w && "
	  "rsync -a src/w/b mnt/t/w/ && chmod u-w mnt/t/w",
	    true },
	{ "mkdir -p mnt/t/w/a mnt/t/w/b && cp -p src/w/a/0 mnt/t/w/a/ && "
	  "cp -p src/w/b/0 mnt/t/w/b/ && rsync -a src/ mnt/t/",
	    false },
	{ "cp -a src/w mnt/t/", true },
	{ "tar c -C src w | tar x -C mnt/t", true },
};

START_TEST(a_tree_of_0555_directories_arrives_whole)
{
	mount_vault("settle=60");
	run(0,
	    "mkdir -p src/w/a src/w/b && seq 9 >src/w/a/0 && "
	    "seq 20000 >src/w/a/2 && seq 20 >src/w/a/3 && "
	    "echo 3 >src/w/b/0 && echo 4 >src/w/b/4 && "
	    "find src -type d | xargs chmod 555 && chown -R 1001 src");
	allowed(mkdir("mnt/t", 0755));
	allowed(chown("mnt/t", ALICE, ALICE));
	run(0, "chmod o+x . .. ../.."); /* rsync walks down from the root */
	as(ALICE);
	run(0, "%s && diff -r src/w mnt/t/w", copies[_i].command);
	sync_dir("mnt");
	as(0);
	has_state("mnt/t/w/a", "sealed");
	has_state("mnt/t/w/b", "sealed");
	has_state("mnt/t/w", copies[_i].seals ? "sealed" : "open");
	ck_assert_uint_eq(0555, stat_of("mnt/t/w/a").st_mode & 07777);
	ck_assert_uint_eq(0555, stat_of("mnt/t/w").st_mode & 07777);
	says(entry("attestation.sealed", "t/w/a"), "\"count\":3,");
	says(entry("attestation.sealed", "t/w/b"), "\"count\":2,");
	unmount_vault();
	verify(0);
}
END_TEST

Suite *
suite_closing(void)
{
	Suite *s = suite_create("closing");
	TCase *t = mounted_case(s, "closing");

	tcase_add_test(t, nothing_is_created_in_a_closed_attestation);
	tcase_add_test(t, a_write_bit_opens_a_closed_directory_again);
	tcase_add_test(t, files_in_a_closed_directory_settle_as_usual);
	tcase_add_loop_test(t, readers_that_need_the_seal_cause_it, 0,
	    LEN(askers));
	tcase_add_loop_test(t, other_readers_do_not_cause_the_seal, 0,
	    LEN(others));
	tcase_add_test(t, only_an_fsync_by_the_owner_seals_a_closed_directory);
	tcase_add_test(t, status_lists_closed_directories);
	tcase_add_test(t, a_workflow_closes_after_its_attestations);
	tcase_add_test(t, a_workflow_opens_with_its_attestations);
	tcase_add_test(t, a_seal_names_the_user_who_closed);
	tcase_add_test(t, a_trail_closes_after_its_workflows);
	tcase_add_test(t, a_file_being_written_keeps_the_directory_open);
	t = stored_case(s, "closings that end");
	tcase_add_test(t, a_closed_directory_is_sealed_after_its_settle_time);
	tcase_add_test(t, a_seal_by_timeout_names_the_user_who_closed);
	tcase_add_test(t, a_closing_survives);
	tcase_add_test(t, an_opened_directory_is_open_after_a_crash);
	tcase_add_test(t, with_batch_files_of_a_closed_directory_are_durable);
	tcase_add_loop_test(t, a_tree_of_0555_directories_arrives_whole, 0,
	    LEN(copies));
	return s;
}
