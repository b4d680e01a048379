/* Who may read sealed evidence is changed by its owner and root. */
#include "harness.h"

static unsigned
mode_of(const char *path)
{
	return stat_of(path).st_mode & 07777;
}

/* Cron's umask: nobody but its owner reads it. */
static void
make_private(void)
{
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown(A, ALICE, ALICE));
	as(ALICE);
	umask(077);
	put(A "/f", "x");
	umask(022);
	as(0);
	sync_dir("mnt");
	ck_assert_uint_eq(0600, mode_of(A "/f"));
}

START_TEST(the_owner_of_evidence_lets_others_read_it)
{
	struct stat before;

	make_private();
	before = stat_of(A "/f");
	as(BOB);
	refused(EACCES, try_open(A "/f", O_RDONLY));
	refused(EPERM, chmod(A "/f", 0644));
	as(ALICE);
	allowed(chmod(A "/f", 0644));
	allowed(chmod(A "/f", 0644)); /* as it is */
	as(BOB);
	allowed(try_open(A "/f", O_RDONLY));
	as(0);
	ck_assert_uint_eq(1, entries("access.changed", "t/w/a/f"));
	says(entry("access.changed", "t/w/a/f"), "\"mode\":\"0644\"");
	says(entry("access.changed", "t/w/a/f"), "\"uid\":1001");
	has_state(A "/f", "sealed");
	holds(A "/f", "x");
	/* Its times stay: nobody copies it again. */
	if (tests_streams()) /* the kernel keeps the time of its chmod(2) */
		remount_vault();
	ck_assert_int_eq(before.st_ctim.tv_sec, stat_of(A "/f").st_ctim.tv_sec);
	ck_assert_int_eq(before.st_ctim.tv_nsec,
	    stat_of(A "/f").st_ctim.tv_nsec);
	allowed(chown(A "/f", (uid_t)-1, BOB));
	allowed(chmod(A "/f", 0640));
	ck_assert_uint_eq(BOB, stat_of(A "/f").st_gid);
	ck_assert_uint_eq(3, entries("access.changed", "t/w/a/f"));
	remount_vault();
	ck_assert_uint_eq(0640, mode_of(A "/f"));
	ck_assert_uint_eq(BOB, stat_of(A "/f").st_gid);
	seal(A, 0555);
	allowed(chmod(A "/f", 0644)); /* after the seal, too */
	run(0, "trailctl seal " W);
	allowed(chmod(A "/f", 0440 | 0200));
	says(entry("evidence.sealed", "t/w/a/f"), "\"mode\":\"0600\"");
	says(run(0, "cat " W "/.trailfs/events.jsonl"),
	    "\"path\":\"t/w/a/f\",\"seq\"");
	run(0,
	    "trailctl package " W " -o package.zip && "
	    "trailctl verify package.zip --vkey mnt/.trailfs/log.vkey");
}
END_TEST

START_TEST(only_read_bits_and_group_of_evidence_change)
{
	make_private();
	for (int as_root = 0; as_root < 2; as_root++) {
		as(as_root ? 0 : ALICE);
		refused(EPERM, chmod(A "/f", 0400));
		refused(EPERM, chmod(A "/f", 0660));
		refused(EPERM, chmod(A "/f", 0700));
		refused(EPERM, chmod(A "/f", 0611));
		refused(EPERM, chmod(A "/f", 04600));
		refused(EPERM, utimensat(AT_FDCWD, A "/f", NULL, 0));
		refused(EPERM, unlink(A "/f"));
	}
	refused(EPERM, chown(A "/f", BOB, (gid_t)-1));
	refused(EPERM, chown(A "/f", BOB, BOB));
	says(run(0, "tail -n 1 mnt/.trailfs/denied.jsonl"),
	    "only the reading bits of its mode and its group");
	ck_assert_uint_eq(0, entries("access.changed", "t/w/a/f"));
	allowed(chmod(A "/f", 0200)); /* its owner may close it, too */
	as(ALICE);
	refused(EACCES, try_open(A "/f", O_RDONLY));
	as(0);
}
END_TEST

/* Kernels keep the attributes of sealed nodes; a second mount of the same
 * files has the same ones. */
START_TEST(everybody_sees_the_new_access_at_once)
{
	struct stat seen;

	make_private();
	seal(A, 0555);
	allowed(mkdir("other", 0755));
	run(0, "mount --bind mnt other");
	as(BOB);
	refused(EACCES, try_open("other/t/w/a/f", O_RDONLY));
	as(0);
	allowed(chmod(A "/f", 0604));
	allowed(chown(A "/f", (uid_t)-1, BOB));
	as(BOB);
	allowed(stat("other/t/w/a/f", &seen));
	ck_assert_uint_eq(BOB, seen.st_gid);
	/* The group decides before others do. */
	refused(EACCES, try_open("other/t/w/a/f", O_RDONLY));
	as(ALICE);
	allowed(chmod("other/t/w/a/f", 0640));
	as(BOB);
	allowed(try_open(A "/f", O_RDONLY));
	as(0);
	run(0, "umount other");
}
END_TEST

/* Directories are sealed with their attestation. */
START_TEST(a_sealed_directory_below_is_opened_for_readers)
{
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown(A, ALICE, ALICE));
	as(ALICE);
	allowed(mkdir(A "/d", 0700));
	put(A "/d/f", "x");
	as(0);
	seal(A, 0555);
	run(0, "trailctl seal mnt/t");
	as(BOB);
	refused(EACCES, try_open(A "/d/f", O_RDONLY));
	refused(EPERM, chmod(A "/d", 0755));
	as(ALICE);
	refused(EPERM, chmod(A "/d", 0777));
	allowed(chmod(A "/d", 0555));
	as(BOB);
	allowed(try_open(A "/d/f", O_RDONLY));
	as(0);
	says(entry("access.changed", "t/w/a/d"), "\"mode\":\"0555\"");
}
END_TEST

START_TEST(verify_finds_modes_that_differ_from_the_entries)
{
	mount_vault("settle=60");
	make_private();
	allowed(chmod(A "/f", 0640));
	unmount_vault();
	verify(0);
	run(0, "cp -a store copy");
	/* Behind the mount. */
	tamper("UPDATE node SET mode = 420 WHERE name = x'66'");
	says(verify(4), "another owner or mode");
	tamper("UPDATE node SET mode = 384 WHERE name = x'66'");
	says(verify(4), "another owner or mode");
	tamper("UPDATE node SET mode = 416, gid = 7 WHERE name = x'66'");
	says(verify(4), "another owner or mode");
	expect_no_verify();
}
END_TEST

START_TEST(a_floor_lets_others_read_all)
{
	struct stat st;
	int fd;

	mount_vault("settle=60,mode_floor=0440");
	make_attestation();
	umask(077);
	put(A "/f", "x");
	put(A "/g.tmp", "x");
	allowed(rename(A "/g.tmp", A "/g"));
	umask(022);
	ck_assert_uint_eq(0600, mode_of(A "/f")); /* not yet */
	sync_dir("mnt");
	ck_assert_uint_eq(0640, mode_of(A "/f"));
	ck_assert_uint_eq(0640, mode_of(A "/g"));
	says(entry("evidence.sealed", "t/w/a/f"), "\"mode\":\"0640\"");
	unmount_vault();
	verify(0);
	run(2, "trailfs store mnt -o mode_floor=0660");
	run(2, "trailfs store mnt -o mode_floor=9");
	run(0, "echo mode_floor = 0444 >>store/config");
	mount_vault("settle=60");
	put(A "/h", "x");
	allowed(chmod(A "/h", 0600));
	fd = open(A "/h", O_RDONLY);
	allowed(fstat(fd, &st)); /* the kernel keeps the mode */
	ck_assert_uint_eq(0600, st.st_mode & 07777);
	sync_dir("mnt");
	allowed(fstat(fd, &st));
	ck_assert_uint_eq(0644, st.st_mode & 07777);
	close(fd);
	ck_assert_uint_eq(0644, mode_of(A "/h"));
	unmount_vault();
}
END_TEST

/* A readable file in an unreadable directory is not readable. */
START_TEST(a_floor_opens_directories_for_the_readers)
{
	static const char *const dir[] = { W, A, A "/d", W "/b", W "/b/d" };

	mount_vault("settle=60,mode_floor=0444");
	umask(077);
	allowed(mkdir("mnt/t", 0777));
	allowed(mkdir(W, 0777));
	allowed(mkdir(A, 0777));
	allowed(mkdir(A "/d", 0777));
	allowed(chmod(A "/d", 0700)); /* as cp -a does */
	put(A "/d/f", "x");
	allowed(mkdir(W "/.b", 0700));
	allowed(chmod(W "/.b", 0700));
	allowed(mkdir(W "/.b/d", 0700));
	put(W "/.b/d/f", "x");
	allowed(chmod(W "/.b/d/f", 0600));
	ck_assert_uint_eq(0600, mode_of(W "/.b/d/f")); /* the kernel keeps it */
	umask(022);
	sync_dir("mnt");
	allowed(rename(W "/.b", W "/b"));
	ck_assert_uint_eq(0644, mode_of(W "/b/d/f"));
	ck_assert_uint_eq(0750, mode_of("mnt/t")); /* not for others */
	for (size_t i = 0; i < LEN(dir); i++)
		ck_assert_uint_eq(0755, mode_of(dir[i]));
	ck_assert_uint_eq(0644, mode_of(A "/d/f"));
	ck_assert_uint_eq(0644, mode_of(W "/b/d/f"));
	says(entry("trail.created", "t"), "\"mode\":\"0750\"");
	says(entry("attestation.begun", "t/w/b"), "\"mode\":\"0755\"");
	says(entry("directory.created", "t/w/a/d"), "\"mode\":\"0755\"");
	/* What its owner decides later stays. */
	allowed(chmod(A "/d", 0700));
	ck_assert_uint_eq(0700, mode_of(A "/d"));
	unmount_vault();
	verify(0);
}
END_TEST

Suite *
suite_access(void)
{
	Suite *s = suite_create("access");
	TCase *t = mounted_case(s, "access");

	tcase_add_test(t, the_owner_of_evidence_lets_others_read_it);
	tcase_add_test(t, only_read_bits_and_group_of_evidence_change);
	tcase_add_test(t, everybody_sees_the_new_access_at_once);
	tcase_add_test(t, a_sealed_directory_below_is_opened_for_readers);
	t = stored_case(s, "access of stores");
	tcase_add_test(t, verify_finds_modes_that_differ_from_the_entries);
	tcase_add_test(t, a_floor_lets_others_read_all);
	tcase_add_test(t, a_floor_opens_directories_for_the_readers);
	return s;
}
