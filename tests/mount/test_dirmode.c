/* Directories below an attestation keep a mode of their own, which only takes
 * rights away. */
#include "harness.h"

#define D A "/d"

static unsigned
mode_of(const char *path)
{
	return stat_of(path).st_mode & 07777;
}

/* Alice's attestation, which Bob may read. */
static void
make_hers(void)
{
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown(A, ALICE, BOB));
	allowed(chmod(A, 0770));
}

START_TEST(a_private_directory_is_private)
{
	make_hers();
	as(ALICE);
	allowed(mkdir(D, 0700));
	put(D "/f", "secret");
	allowed(mkdir(A "/e", 0755));
	put(A "/e/f", "public");
	ck_assert_uint_eq(0700, mode_of(D));
	ck_assert_uint_eq(0750, mode_of(A "/e"));
	as(BOB);
	refused(EACCES, try_open(D "/f", O_RDONLY));
	allowed(try_open(A "/e/f", O_RDONLY));
	as(0);
	sync_dir("mnt");
	says(entry("directory.created", "t/w/a/d"), "\"mode\":\"0700\"");
	as(BOB);
	refused(EACCES, try_open(D "/f", O_RDONLY));
	run(2, "ls " D);
	as(0);
	remount_vault();
	ck_assert_uint_eq(0700, mode_of(D));
	seal(A, 0550);
	ck_assert_uint_eq(0500, mode_of(D));
	ck_assert_uint_eq(0550, mode_of(A "/e"));
	as(BOB);
	refused(EACCES, try_open(D "/f", O_RDONLY));
	allowed(try_open(A "/e/f", O_RDONLY));
}
END_TEST

START_TEST(a_chmod_of_a_directory_persists)
{
	make_hers();
	as(ALICE);
	allowed(mkdir(D, 0755));
	allowed(chmod(D, 0700)); /* it has no entry yet */
	ck_assert_uint_eq(0700, mode_of(D));
	put(D "/f", "x");
	sync_dir(A);
	ck_assert_uint_eq(0, entries("access.changed", "t/w/a/d"));
	allowed(chmod(D, 0750));
	ck_assert_uint_eq(0750, mode_of(D));
	says(entry("access.changed", "t/w/a/d"), "\"mode\":\"0750\"");
	allowed(chmod(D, 0750)); /* as it is */
	ck_assert_uint_eq(1, entries("access.changed", "t/w/a/d"));
	as(BOB);
	refused(EPERM, chmod(D, 0777));
	as(0);
	/* It gives nothing that the attestation does not. */
	allowed(chmod(D, 0777));
	ck_assert_uint_eq(0770, mode_of(D));
	allowed(chmod(A, 0700));
	ck_assert_uint_eq(0700, mode_of(D));
	allowed(chmod(A, 02775));
	ck_assert_uint_eq(02775, mode_of(D));
	remount_vault();
	ck_assert_uint_eq(02775, mode_of(D));
}
END_TEST

START_TEST(rights_of_a_sealed_directory_only_go)
{
	make_hers();
	allowed(mkdir(D, 0750));
	put(D "/f", "x");
	run(0, "trailctl seal " A);
	ck_assert_uint_eq(0750, mode_of(D));
	allowed(chmod(D, 0500));
	ck_assert_uint_eq(0500, mode_of(D));
	refused(EPERM, chmod(D, 0700));
	allowed(chmod(D, 0550));
	ck_assert_uint_eq(0550, mode_of(D));
	ck_assert_uint_eq(2, entries("access.changed", "t/w/a/d"));
	remount_vault();
	ck_assert_uint_eq(0550, mode_of(D));
}
END_TEST

/* To whom the directory would not belong, its mode could not keep its word. */
START_TEST(another_user_cannot_keep_a_directory_private)
{
	make_hers();
	allowed(chmod(A, 0777));
	as(BOB);
	refused(EPERM, mkdir(D, 0700));
	refused(EPERM, mkdir(D, 0750));
	allowed(mkdir(D, 0755));
	ck_assert_uint_eq(0777, mode_of(D));
	put(D "/f", "x");
	as(0);
}
END_TEST

/* Loop test. */
static const char *const copies[] = {
	"cp -a src/d src/e " A "/",
	"cp -rp src/d src/e " A "/",
	"rsync -a src/ " A,
	"tar c -C src d e | tar xp -C " A,
};

START_TEST(copies_keep_the_mode_of_a_directory)
{
	make_hers();
	run(0,
	    "mkdir -p src/d src/e && echo secret >src/d/f && echo x >src/e/f && "
	    "chmod 700 src/d && chmod 750 src src/e && chmod 644 src/*/f && "
	    "chown -R 1001:1002 src && chmod o+x . .. ../..");
	as(ALICE);
	run(0, "%s", copies[_i]);
	as(BOB);
	refused(EACCES, try_open(D "/f", O_RDONLY));
	allowed(try_open(A "/e/f", O_RDONLY));
	as(0);
	sync_dir("mnt");
	ck_assert_uint_eq(0700, mode_of(D));
	ck_assert_uint_eq(0750, mode_of(A "/e"));
}
END_TEST

START_TEST(a_mode_survives_a_crash)
{
	mount_vault("settle=60");
	make_hers();
	allowed(mkdir(D, 0755));
	put(D "/f", "x"); /* has a row, no entry */
	allowed(chmod(D, 0700));
	crash_vault();
	mount_vault("settle=60");
	ck_assert_uint_eq(0700, mode_of(D));
	says(entry("directory.created", "t/w/a/d"), "\"mode\":\"0700\"");
	allowed(chmod(D, 0755));
	allowed(chmod(D, 0500));
	crash_vault();
	mount_vault("settle=60");
	ck_assert_uint_eq(0500, mode_of(D));
	unmount_vault();
	verify(0);
}
END_TEST

/* rsync takes the mode of a directory away when that is done, while it still
 * copies into the directories below. */
START_TEST(a_directory_being_filled_keeps_its_attestation_open)
{
	mount_vault("settle=60");
	make_attestation();
	put(A "/f", "x");
	allowed(mkdir(D, 0555));
	allowed(chmod(D, 0755));
	says(run(1, "chmod a-w " A " 2>&1"), "busy");
	ck_assert_uint_eq(0755, mode_of(A));
	put(D "/f", "x");
	sync_dir(A);
	refused(EBUSY, chmod(A, 0555));
	allowed(chmod(D, 0555));
	allowed(chmod(A, 0555));
	has_state(A, "closing");
	allowed(chmod(A, 0755));
	allowed(chmod(D, 0755));
	refused(EBUSY, chmod(A, 0555));
	/* Deeper ones, too; other attestations have nothing to do with it. */
	allowed(mkdir(D "/e", 0555));
	allowed(chmod(D "/e", 0755));
	allowed(chmod(D, 0555));
	refused(EBUSY, chmod(A, 0555));
	allowed(mkdir(W "/b", 0755));
	put(W "/b/f", "x");
	allowed(chmod(W "/b", 0555));
	has_state(W "/b", "closing");
	run(0, "trailctl seal " A);
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(rsync_of_a_deep_tree_arrives_whole)
{
	mount_vault("settle=60");
	run(0,
	    "mkdir -p src/w/a/x/y/z && for d in src/w/a src/w/a/x src/w/a/x/y "
	    "src/w/a/x/y/z; do for i in 1 2 3 4 5 6 7 8 9; do "
	    "seq $i 3000 >$d/$i; done; done && "
	    "find src -type d | xargs chmod 555 && chown -R 1001 src && "
	    "chmod o+x . .. ../..");
	allowed(mkdir("mnt/t", 0755));
	allowed(chown("mnt/t", ALICE, ALICE));
	as(ALICE);
	for (int i = 0; i < 3; i++)
		run(0, "rsync -a src/ mnt/t/ && diff -r src/w mnt/t/w");
	as(0);
	unmount_vault();
	verify(0);
}
END_TEST

Suite *
suite_dirmode(void)
{
	Suite *s = suite_create("dirmode");
	TCase *t = mounted_case(s, "dirmode");

	tcase_add_test(t, a_private_directory_is_private);
	tcase_add_test(t, a_chmod_of_a_directory_persists);
	tcase_add_test(t, rights_of_a_sealed_directory_only_go);
	tcase_add_test(t, another_user_cannot_keep_a_directory_private);
	tcase_add_loop_test(t, copies_keep_the_mode_of_a_directory, 0,
	    LEN(copies));
	t = stored_case(s, "dirmode and crashes");
	tcase_add_test(t, a_mode_survives_a_crash);
	tcase_add_test(t, a_directory_being_filled_keeps_its_attestation_open);
	tcase_add_test(t, rsync_of_a_deep_tree_arrives_whole);
	return s;
}
