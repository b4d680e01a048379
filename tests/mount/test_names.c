/* Names of users and groups come from a service that may be slow, or never
 * answer: nobody waits for the names of others. */
#include "../faults/fault.h"
#include "harness.h"

/* With slow_names.so: while "hold" exists, nothing is said of ALICE. */
static void
mount_with_service(const char *options)
{
	char hold[600], dir[512];

	ck_assert_ptr_nonnull(getcwd(dir, sizeof dir));
	(void)snprintf(hold, sizeof hold, "%s/hold", dir);
	setenv("TRAILFS_TEST_HOLD", hold, 1);
	setenv("LD_PRELOAD", SLOW_NAMES, 1);
	mount_vault(options);
	unsetenv("LD_PRELOAD");
	unsetenv("TRAILFS_TEST_HOLD");
}

/* An attestation that all may write to, and one of each user. */
static void
make_shared_attestations(void)
{
	make_attestation();
	run(0, "chmod 0755 mnt/t && chmod 0777 mnt/t/w mnt/t/w/a");
}

/* Everything that takes names: in files, in directories, and when sealed. */
static int
work(const char *who)
{
	char dir[64], path[128], other[128];
	int fd;

	(void)snprintf(dir, sizeof dir, "mnt/t/w/%s", who);
	(void)snprintf(path, sizeof path, "%s/f.tmp", dir);
	(void)snprintf(other, sizeof other, "%s/f", dir);
	if (mkdir(dir, 0755) < 0 ||
	    (fd = open(path, O_WRONLY | O_CREAT, 0644)) < 0)
		return 1;
	if (write(fd, who, strlen(who)) < 0 || close(fd) < 0)
		return 2;
	if (rename(path, other) < 0) /* seals in the same transaction */
		return 3;
	if (chmod(dir, 0700) < 0 || chmod(dir, 0555) < 0)
		return 4;
	return 0;
}

static int
alice_works(void)
{
	as(ALICE);
	return work("alice");
}

static int
bob_works(void)
{
	as(BOB);
	return work("bob");
}

/* Loop test: with one worker, and with two.  The service never answers about
 * alice while bob works from the beginning to the end. */
START_TEST(nobody_waits_for_the_name_of_another_user)
{
	pid_t alice, bob;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	put("hold", "");
	mount_with_service(_i == 0 ? "settle=0,threads=1" :
				     "settle=0,threads=2");
	make_shared_attestations();
	alice = in_child(alice_works);
	bob = in_child(bob_works);
	ck_assert_int_eq(0, child_ended(bob));
	says(entry("evidence.sealed", "t/w/bob/f"), "\"user\":\"user1002\"");
	/* hers goes on without a name */
	ck_assert_int_eq(0, child_ended(alice));
	ck_assert_ptr_null(strstr(entry("evidence.sealed", "t/w/alice/f"),
	    "\"user\""));
	says(entry("evidence.sealed", "t/w/alice/f"), "\"uid\":1001");
	/* When the service answers, the name is there. */
	allowed(unlink("hold"));
	for (int i = 0; i < 300; i++) {
		char path[64];

		(void)snprintf(path, sizeof path, "mnt/t/w/x%d", i);
		as(ALICE);
		allowed(mkdir(path, 0755));
		as(0);
		(void)snprintf(path, sizeof path, "t/w/x%d", i);
		if (strstr(entry("attestation.begun", path),
			"\"user\":\"user1001\"") != NULL)
			break;
		ck_assert_int_lt(i, 299);
		usleep(100000);
	}
}
END_TEST

/* Names that were heard before are used while the service does not answer. */
START_TEST(names_that_are_known_are_used)
{
	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	mount_with_service("settle=0");
	make_shared_attestations();
	ck_assert_int_eq(0, child_ended(in_child(alice_works)));
	put("hold", "");
	as(ALICE);
	put("mnt/t/w/a/f", "x");
	as(0);
	becomes("mnt/t/w/a/f", "sealed");
	says(entry("evidence.sealed", "t/w/a/f"), "\"user\":\"user1001\"");
	allowed(unlink("hold"));
}
END_TEST

/* getgrgid_r(3) wants a buffer for all members of the group. */
START_TEST(a_group_with_very_many_members_has_a_name)
{
	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	mount_with_service("settle=0");
	make_shared_attestations();
	ck_assert_int_eq(0, child_ended(in_child(bob_works)));
	says(entry("evidence.sealed", "t/w/bob/f"), "\"group\":\"group1002\"");
	says(entry("evidence.sealed", "t/w/bob/f"), "\"user\":\"user1002\"");
}
END_TEST

/* Recovery seals with the names of now, and waits for none for ever. */
START_TEST(a_start_does_not_wait_for_names)
{
	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	mount_with_service("settle=60");
	make_shared_attestations();
	as(ALICE);
	put("mnt/t/w/a/f", "x");
	as(0);
	crash_vault();
	put("hold", "");
	run(0, "fusermount3 -uz mnt");
	mount_with_service("settle=0");
	has_state("mnt/t/w/a/f", "sealed");
	says(entry("evidence.sealed", "t/w/a/f"), "\"uid\":1001");
	allowed(unlink("hold"));
}
END_TEST

Suite *
suite_names(void)
{
	Suite *s = suite_create("names");
	TCase *t = stored_case(s, "names");

	tcase_add_loop_test(t, nobody_waits_for_the_name_of_another_user, 0, 2);
	tcase_add_test(t, names_that_are_known_are_used);
	tcase_add_test(t, a_group_with_very_many_members_has_a_name);
	tcase_add_test(t, a_start_does_not_wait_for_names);
	return s;
}
