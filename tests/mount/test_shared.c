/* Attestations that several users may write in: who may rename and remove what
 * is not in the ledger yet. */
#include "harness.h"

#define CAROL 1003

/* Alice's attestation, in which everybody may write. */
static void
make_shared(void)
{
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chmod(W, 0777));
	allowed(chown(A, ALICE, ALICE));
	allowed(chmod(A, 0777));
	umask(0);
}

START_TEST(a_directory_is_renamed_by_its_owner)
{
	make_shared();
	as(BOB);
	allowed(mkdir(A "/d", 0777));
	allowed(mkdir(A "/e", 0777));
	as(CAROL);
	refused(EPERM, rename(A "/d", A "/x"));
	refused(EPERM, rename(A "/d", A "/e"));
	refused(EPERM, rmdir(A "/d"));
	allowed(mkdir(A "/c", 0777));
	refused(EPERM, rename(A "/c", A "/e")); /* which would be gone */
	as(BOB);
	allowed(rename(A "/d", A "/f"));
	as(ALICE); /* it stands in her attestation */
	allowed(rename(A "/f", A "/g"));
	allowed(rmdir(A "/e"));
	as(0);
	allowed(rename(A "/g", A "/h"));
	allowed(rmdir(A "/c"));
}
END_TEST

START_TEST(nobody_moves_a_directory_with_files_of_others)
{
	make_shared();
	as(BOB);
	allowed(mkdir(A "/d", 0777));
	allowed(mkdir(A "/d/e", 0777));
	as(CAROL);
	put(A "/d/e/c.tmp", "x");
	as(BOB); /* whose directory it is */
	refused(EPERM, rename(A "/d", A "/x"));
	refused(EPERM, rename(A "/d/e", A "/x"));
	as(ALICE); /* whose attestation it is */
	refused(EPERM, rename(A "/d", A "/x"));
	refused(EPERM, unlink(A "/d/e/c.tmp"));
	as(CAROL);
	refused(EPERM, rename(A "/d", A "/x"));
	as(0);
	allowed(rename(A "/d", A "/x"));
	as(CAROL);
	allowed(rename(A "/x/e/c.tmp", A "/x/e/c"));
	as(0);
	has_state(A "/x/e/c", "sealed");
}
END_TEST

START_TEST(files_of_others_are_left_alone)
{
	make_shared();
	as(BOB);
	put(A "/f", "x");
	put(A "/t.tmp", "x");
	put(A "/empty", "");
	as(CAROL);
	put(A "/mine.tmp", "y");
	refused(EPERM, rename(A "/f", A "/g"));
	refused(EPERM, rename(A "/t.tmp", A "/g"));
	refused(EPERM, rename(A "/empty", A "/g"));
	refused(EPERM, rename(A "/mine.tmp", A "/t.tmp"));
	refused(EPERM, rename(A "/mine.tmp", A "/empty"));
	refused(EPERM, unlink(A "/t.tmp"));
	refused(EPERM, unlink(A "/empty"));
	refused(EPERM, chmod(A "/t.tmp", 0600));
	as(ALICE);
	refused(EPERM, rename(A "/t.tmp", A "/g"));
	refused(EPERM, unlink(A "/t.tmp"));
	as(0);
}
END_TEST

START_TEST(a_draft_attestation_is_its_owner_s)
{
	make_shared();
	as(BOB);
	allowed(mkdir(W "/.b", 0777));
	as(CAROL);
	refused(EPERM, rmdir(W "/.b"));
	refused(EPERM, rename(W "/.b", W "/.c"));
	refused(EPERM, rename(W "/.b", W "/c"));
	allowed(mkdir(W "/.c", 0777));
	refused(EPERM, rename(W "/.c", W "/.b"));
	as(BOB);
	allowed(rmdir(W "/.b"));
	as(0);
	allowed(rmdir(W "/.c"));
}
END_TEST

START_TEST(the_actor_is_the_user_of_the_last_rename)
{
	make_shared();
	as(BOB);
	allowed(mkdir(A "/d", 0777));
	put(A "/f", "x");
	put(A "/g.tmp", "y");
	as(0);
	allowed(rename(A "/d", A "/e"));
	put(A "/e/x", "x");
	allowed(rename(A "/f", A "/h"));
	allowed(rename(A "/g.tmp", A "/g"));
	/* The same user, another program. */
	put(A "/own.tmp", "z");
	allowed(mkdir(A "/own", 0755));
	run(0, "mv " A "/own.tmp " A "/own_f && mv " A "/own " A "/own_d");
	put(A "/own_d/x", "x");
	sync_dir(A);
	says(entry("evidence.sealed", "t/w/a/own_f"), "\"comm\":\"mv\"");
	says(entry("directory.created", "t/w/a/own_d"), "\"comm\":\"mv\"");
	says(entry("directory.created", "t/w/a/e"), "\"uid\":0,");
	says(entry("evidence.sealed", "t/w/a/h"), "\"actor\":{\"gid\":0");
	says(entry("evidence.sealed", "t/w/a/h"), "\"writers\":[1002]");
	says(entry("evidence.sealed", "t/w/a/g"), "\"actor\":{\"gid\":0");
}
END_TEST

/* Root opens what he looked up before, after so many queries of Alice. */
START_TEST(queries_of_one_user_push_out_only_his_own)
{
	struct stat st;
	char path[128];
	int mine, hers, fd;

	make_shared();
	put(A "/f", "x");
	mine = open("mnt/.trailfs/find/name=f", O_PATH | O_CLOEXEC);
	ck_assert_int_ge(mine, 0);
	as(ALICE);
	hers = open("mnt/.trailfs/find/name=f", O_PATH | O_CLOEXEC);
	ck_assert_int_ge(hers, 0);
	for (int i = 0; i < 4200; i++) {
		snprintf(path, sizeof path, "mnt/.trailfs/find/name=%d", i);
		allowed(stat(path, &st)); /* access(2): as root */
	}
	as(0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", hers);
	refused(ENOENT, open(path, O_RDONLY | O_CLOEXEC));
	snprintf(path, sizeof path, "/proc/self/fd/%d", mine);
	allowed(fd = open(path, O_RDONLY | O_CLOEXEC));
	close(fd);
	close(mine);
	close(hers);
}
END_TEST

START_TEST(a_rename_that_failed_leaves_the_actor)
{
	make_shared();
	as(BOB);
	put(A "/f", "x");
	as(0);
	tamper("CREATE TRIGGER never BEFORE INSERT ON stage"
	       " WHEN CAST(NEW.name AS TEXT) = 'g'"
	       " BEGIN SELECT RAISE(ABORT, 'never'); END;"
	       "UPDATE meta SET value = value");
	refused(EIO, rename(A "/f", A "/g"));
	tamper("DROP TRIGGER never");
	put_sealed(A "/other", "y");
	refused(EPERM, rename(A "/f", A "/other"));
	sync_dir(A);
	says(entry("evidence.sealed", "t/w/a/f"), "\"actor\":{\"gid\":1002");
}
END_TEST

Suite *
suite_shared(void)
{
	Suite *s = suite_create("shared");
	TCase *t = mounted_case(s, "shared");

	tcase_add_test(t, a_directory_is_renamed_by_its_owner);
	tcase_add_test(t, nobody_moves_a_directory_with_files_of_others);
	tcase_add_test(t, files_of_others_are_left_alone);
	tcase_add_test(t, a_draft_attestation_is_its_owner_s);
	tcase_add_test(t, the_actor_is_the_user_of_the_last_rename);
	tcase_add_test(t, a_rename_that_failed_leaves_the_actor);
	tcase_add_test(t, queries_of_one_user_push_out_only_his_own);
	return s;
}
