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
	ck_assert_uint_eq(0, entries("access.changed", "t/w/a/f"));
	allowed(chmod(A "/f", 0200)); /* its owner may close it, too */
	as(ALICE);
	refused(EACCES, try_open(A "/f", O_RDONLY));
	as(0);
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
	sync_dir("mnt");
	ck_assert_uint_eq(0644, mode_of(A "/h"));
	unmount_vault();
}
END_TEST

Suite *
suite_access(void)
{
	Suite *s = suite_create("access");
	TCase *t = mounted_case(s, "access");

	tcase_add_test(t, the_owner_of_evidence_lets_others_read_it);
	tcase_add_test(t, only_read_bits_and_group_of_evidence_change);
	t = stored_case(s, "access of stores");
	tcase_add_test(t, verify_finds_modes_that_differ_from_the_entries);
	tcase_add_test(t, a_floor_lets_others_read_all);
	return s;
}
