/* Sealing attestations, workflows and trails. */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "core/control.h"
#include "harness.h"

static int
seal_by_ioctl(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	ck_assert_int_ge(fd, 0);
	rc = ioctl(fd, TF_IOC_SEAL);
	close(fd);
	return rc;
}

START_TEST(nothing_is_added_to_a_sealed_attestation)
{
	make_attestation();
	put(A "/f", "x");
	allowed(mkdir(A "/d", 0755));
	put(A "/d/f", "x");
	allowed(mkdir(W "/b", 0755));
	put(W "/b/x.tmp", "x");
	seal(A, 0550);
	ck_assert_uint_eq(0550, stat_of(A).st_mode & 07777);
	refused(EROFS, try_open(A "/new", O_WRONLY | O_CREAT));
	refused(EROFS, try_open(A "/new.tmp", O_WRONLY | O_CREAT | O_EXCL));
	refused(EROFS, try_open(A "/d/new", O_WRONLY | O_CREAT));
	refused(EROFS, mkdir(A "/new", 0755));
	refused(EROFS, mkdir(A "/d/new", 0755));
	refused(EROFS, mknod(A "/new", S_IFREG | 0644, 0));
	refused(EROFS, rename(W "/b/x.tmp", A "/new"));
	refused(EROFS, rename(W "/b/x.tmp", A "/d/new"));
	refused(EPERM, rmdir(A "/d"));
	refused(EPERM, unlink(A "/f"));
	refused(EPERM, rmdir(A));
	holds(W "/b/x.tmp", "x");
	ck_assert_str_eq("d\nf\n", run(0, "ls -A " A));
}
END_TEST

START_TEST(no_write_bit_comes_back)
{
	unsigned before;

	make_attestation();
	put(A "/f", "x");
	seal(A, 0555);
	refused(EPERM, chmod(A, 0755));
	refused(EPERM, chmod(A, 0575));
	refused(EPERM, chmod(A, 0557));
	run(1, "chmod u+w " A);
	before = entries("access.changed", NULL);
	allowed(chmod(A, 0555)); /* as it is */
	ck_assert_uint_eq(before, entries("access.changed", NULL));
	allowed(chmod(A, 0500));
	ck_assert_uint_eq(before + 1, entries("access.changed", NULL));
	ck_assert_uint_eq(0500, stat_of(A).st_mode & 07777);
	allowed(chown(A, ALICE, ALICE));
	refused(EROFS, try_open(A "/new", O_WRONLY | O_CREAT));
	remount_vault();
	refused(EROFS, try_open(A "/new", O_WRONLY | O_CREAT));
	refused(EPERM, chmod(A, 0700));
}
END_TEST

/* rsync gives a directory its mode before its files. */
START_TEST(an_attestation_without_evidence_is_sealed_by_trailctl_only)
{
	make_attestation();
	allowed(chmod(A, 0555));
	has_state(A, "open");
	put(A "/f", "x");
	allowed(chmod(A, 0755));
	allowed(mkdir(W "/b", 0555));
	has_state(W "/b", "open");
	umask(0222);
	allowed(mkdir(W "/c", 0777));
	umask(022);
	has_state(W "/c", "open");
	put(W "/c/f", "x");
	run(0, "trailctl seal " W "/b");
	has_state(W "/b", "sealed");
	says(entry("attestation.sealed", "t/w/b"), "\"count\":0,");
	refused(EROFS, try_open(W "/b/f", O_WRONLY | O_CREAT));
}
END_TEST

START_TEST(a_file_being_written_is_waited_for)
{
	int fd;

	make_attestation();
	put(A "/f", "x");
	fd = begin(A "/open");
	add(fd, "x");
	refused(EBUSY, chmod(A, 0555));
	refused(EBUSY, seal_by_ioctl(A));
	refused(EBUSY, seal_by_ioctl(W));
	ck_assert_uint_eq(0755, stat_of(A).st_mode & 07777);
	has_state(A, "open");
	ck_assert_uint_eq(0, entries("attestation.sealed", NULL));
	allowed(close(fd));
	seal(A, 0555);
	has_state(A "/open", "sealed");
	has_state(A, "sealed");
}
END_TEST

START_TEST(sealing_a_workflow_seals_its_attestations)
{
	unsigned long first, last;
	const char *e;

	make_attestation();
	put(A "/f", "x");
	allowed(mkdir(W "/b", 0755));
	put(W "/b/g", "y");
	allowed(mkdir(W "/empty", 0755));
	allowed(seal_by_ioctl(W));
	has_state(W, "sealed");
	has_state(A, "sealed");
	has_state(W "/b", "sealed");
	has_state(W "/empty", "sealed");
	has_state(W "/b/g", "sealed");
	refused(EROFS, mkdir(W "/c", 0755));
	refused(EROFS, mkdir(W "/.c", 0755));
	refused(EROFS, mkdir(W "/a@2", 0755));
	refused(EROFS, try_open(A "/new", O_WRONLY | O_CREAT));
	e = entry("workflow.sealed", "t/w");
	says(e, "\"attestations\":{\"count\":3,");
	ck_assert_int_eq(2,
	    sscanf(strstr(e, "\"batch\":{"),
		"\"batch\":{\"first\":%lu,\"last\":%lu}", &first, &last));
	ck_assert_uint_eq(last, entry_seq(e));
	ck_assert_uint_le(first,
	    entry_seq(entry("attestation.sealed", "t/w/a")));
	ck_assert_uint_le(first,
	    entry_seq(entry("attestation.sealed", "t/w/empty")));
}
END_TEST

START_TEST(a_sealed_trail_takes_no_more_workflows)
{
	make_attestation();
	run(0, "trailctl seal mnt/t");
	has_state("mnt/t", "sealed");
	refused(EROFS, mkdir("mnt/t/x", 0755));
	/* Those that are open stay so. */
	has_state(W, "open");
	put(A "/f", "x");
	allowed(mkdir(W "/b", 0755));
	says(entry("trail.sealed", "t"), "\"workflows\":{\"count\":1,");
	allowed(mkdir("mnt/u", 0755));
}
END_TEST

START_TEST(only_its_owner_and_root_seal_a_directory)
{
	make_attestation();
	allowed(chmod("mnt/t", 0777));
	allowed(chmod(W, 0777));
	allowed(chmod(A, 0777));
	put(A "/f", "x");
	as(BOB);
	refused(EPERM, chmod(A, 0555));
	refused(EPERM, seal_by_ioctl(A));
	as(0);
	has_state(A, "open");
	allowed(chown(A, ALICE, ALICE));
	as(ALICE);
	allowed(seal_by_ioctl(A));
	has_state(A, "sealed");
	refused(EPERM, chmod(W, 0555));
	refused(EPERM, seal_by_ioctl(W));
	refused(EPERM, seal_by_ioctl("mnt"));
	says(entry("attestation.sealed", "t/w/a"), "\"uid\":1001");
}
END_TEST

START_TEST(other_requests_on_directories_are_unknown)
{
	int fd, file;

	make_attestation();
	put(A "/f", "x");
	fd = open(A, O_RDONLY | O_DIRECTORY);
	file = open(A "/f", O_RDONLY);
	refused(ENOTTY, ioctl(fd, _IO('t', 0x70)));
	refused(ENOTTY, ioctl(fd, _IO('t', 0x73)));
	refused(ENOTTY, ioctl(file, TF_IOC_SEAL));
	refused(ENOTTY, ioctl(file, TF_IOC_SYNC));
	close(file);
	close(fd);
	ck_assert_int_eq(-1, seal_by_ioctl("mnt"));
	fd = open("mnt/.trailfs", O_RDONLY | O_DIRECTORY);
	refused(ENOTTY, ioctl(fd, TF_IOC_SEAL));
	close(fd);
}
END_TEST

/* cp -a, tar and rsync are content; more than the attestation gives no mode. */
START_TEST(modes_of_directories_below_an_attestation_are_limited)
{
	struct timespec t[2] = { { 1, 0 }, { 1, 0 } };

	make_attestation();
	allowed(mkdir(A "/d", 0777));
	ck_assert_uint_eq(0755, stat_of(A "/d").st_mode & 07777);
	allowed(chmod(A "/d", 0));
	allowed(chmod(A "/d", 07777));
	allowed(chown(A "/d", BOB, BOB));
	allowed(utimensat(AT_FDCWD, A "/d", t, 0));
	ck_assert_uint_eq(0755, stat_of(A "/d").st_mode & 07777);
	ck_assert_uint_eq(0, stat_of(A "/d").st_uid);
	ck_assert_int_ne(1, stat_of(A "/d").st_mtim.tv_sec);
	put(A "/d/f", "x");
	sync_dir("mnt");
	allowed(chmod(A "/d", 0555));
	allowed(chmod(A "/d", 0777));
	ck_assert_uint_eq(0755, stat_of(A "/d").st_mode & 07777);
	allowed(chmod(A, 0750));
	allowed(chown(A, ALICE, BOB));
	ck_assert_uint_eq(0750, stat_of(A "/d").st_mode & 07777);
	ck_assert_uint_eq(ALICE, stat_of(A "/d").st_uid);
	allowed(chmod(A "/d", 0555));
	seal(A, 0550);
	ck_assert_uint_eq(0550, stat_of(A "/d").st_mode & 07777);
	has_state(A "/d", "sealed");
}
END_TEST

START_TEST(chmod_and_chown_of_the_upper_three_are_recorded)
{
	static const struct {
		const char *dir, *path;
	} dirs[] = { { "mnt", "." }, { "mnt/t", "t" }, { W, "t/w" },
		{ A, "t/w/a" } };

	make_attestation();
	for (size_t i = 0; i < LEN(dirs); i++) {
		allowed(chmod(dirs[i].dir, 0711));
		ck_assert_uint_eq(1, entries("access.changed", dirs[i].path));
		says(entry("access.changed", dirs[i].path),
		    "\"mode\":\"0711\"");
		allowed(chmod(dirs[i].dir, 0711));
		ck_assert_uint_eq(1, entries("access.changed", dirs[i].path));
		allowed(chown(dirs[i].dir, ALICE, BOB));
		says(entry("access.changed", dirs[i].path),
		    "\"access\":{\"gid\":1002,");
		says(entry("access.changed", dirs[i].path),
		    "\"mode\":\"0711\",\"uid\":1001");
		run(0, "touch -d 2001-01-01 %s", dirs[i].dir);
		ck_assert_int_gt(stat_of(dirs[i].dir).st_mtim.tv_sec,
		    1000000000);
	}
	remount_vault();
	for (size_t i = 0; i < LEN(dirs); i++) {
		ck_assert_uint_eq(0711, stat_of(dirs[i].dir).st_mode & 07777);
		ck_assert_uint_eq(ALICE, stat_of(dirs[i].dir).st_uid);
		ck_assert_uint_eq(BOB, stat_of(dirs[i].dir).st_gid);
	}
}
END_TEST

/* --- against writers -------------------------------------------------- */

#define MANY 100000

static int
write_until_refused(void)
{
	char path[64];
	int fd, n;

	for (n = 0; n < MANY; n++) {
		snprintf(path, sizeof path, A "/%d", n);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0)
			break;
		if (write(fd, path, strlen(path)) < 0 || close(fd) < 0)
			return 1;
	}
	if (errno != EROFS)
		return 2;
	fd = open("count", O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (dprintf(fd, "%d\n", n) < 0)
		return 3;
	return 0;
}

/* What was created before the seal is in it, what came after was refused. */
START_TEST(a_seal_counts_every_file_that_was_closed)
{
	char want[64];
	pid_t pid;
	int n;

	make_attestation();
	put(A "/first", "x");
	pid = in_child(write_until_refused);
	while (!exists(A "/50") || chmod(A, 0555) < 0)
		ck_assert_msg(errno == EBUSY || errno == ENOENT, "%s",
		    errno_name(errno));
	ck_assert_int_eq(0, child_ended(pid));
	sync_dir(A);
	n = atoi(content("count", NULL));
	ck_assert_int_ge(n, 50);
	ck_assert_uint_eq((unsigned)n + 1, entries("evidence.sealed", NULL));
	snprintf(want, sizeof want, "\"count\":%d,", n + 1);
	says(entry("attestation.sealed", "t/w/a"), want);
	snprintf(want, sizeof want, "%d\n", n + 1);
	ck_assert_str_eq(want, run(0, "ls " A " | wc -l"));
}
END_TEST

/* The kernel's pages go away; what it opens again is not hashed, nor read until
 * it asks for it. */
static void
read_from_the_store(const char *path, const char *want, size_t n)
{
	size_t got;
	int fd;

	for (int i = 0; i < 3; i++) {
		fd = open(path, O_RDONLY);
		ck_assert_int_ge(fd, 0);
		allowed(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
		close(fd);
		ck_assert_mem_eq(want, content(path, &got), n);
		ck_assert_uint_eq(n, got);
	}
}

START_TEST(sealed_evidence_can_be_read_any_number_of_times)
{
	const char *big = noise(300000, 5);

	make_attestation();
	put_bytes(A "/small", big, 1000);
	put_bytes(A "/big", big, 300000);
	sync_dir("mnt");
	for (int i = 0; i < 2; i++) {
		read_from_the_store(A "/small", big, 1000);
		read_from_the_store(A "/big", big, 300000);
		remount_vault();
	}
}
END_TEST

Suite *
suite_sealing(void)
{
	Suite *s = suite_create("sealing");
	TCase *t = mounted_case(s, "sealing");

	tcase_add_test(t, nothing_is_added_to_a_sealed_attestation);
	tcase_add_test(t, no_write_bit_comes_back);
	tcase_add_test(t,
	    an_attestation_without_evidence_is_sealed_by_trailctl_only);
	tcase_add_test(t, a_file_being_written_is_waited_for);
	tcase_add_test(t, sealing_a_workflow_seals_its_attestations);
	tcase_add_test(t, a_sealed_trail_takes_no_more_workflows);
	tcase_add_test(t, only_its_owner_and_root_seal_a_directory);
	tcase_add_test(t, other_requests_on_directories_are_unknown);
	tcase_add_test(t,
	    modes_of_directories_below_an_attestation_are_limited);
	tcase_add_test(t, chmod_and_chown_of_the_upper_three_are_recorded);
	tcase_add_test(t, a_seal_counts_every_file_that_was_closed);
	tcase_add_test(t, sealed_evidence_can_be_read_any_number_of_times);
	return s;
}
