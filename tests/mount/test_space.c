/* What statfs(2) tells to whom. */
#include <sys/statvfs.h>

#include "harness.h"

#define SIZE (3 << 20)

static long long
available_in(const char *dir)
{
	struct statvfs s;

	allowed(statvfs(dir, &s));
	return (long long)(s.f_bavail * s.f_frsize);
}

static long long
available(void)
{
	return available_in("mnt");
}

/* Others write to the disk, too: compare in a moment in which nobody does. */
static bool
sees_the_disk(void)
{
	for (int i = 0; i < 10000; i++) {
		long long before = available_in("store"), seen = available();

		if (before == available_in("store"))
			return seen == before;
	}
	return false;
}

/* Equal bytes are stored once; only root can see that in the free space. */
START_TEST(free_space_does_not_reveal_the_content_of_the_vault)
{
	long long before, known, fresh;

	make_attestation();
	put_bytes(A "/theirs", noise(SIZE, 1), SIZE);
	sync_dir("mnt");
	allowed(chmod("mnt/t", 0777));
	allowed(chmod(W, 0777));
	as(ALICE);
	allowed(mkdir(W "/alice", 0755));
	before = available();
	put_bytes(W "/alice/same", noise(SIZE, 1), SIZE);
	sync_dir(W "/alice");
	known = available();
	put_bytes(W "/alice/new", noise(SIZE, 2), SIZE);
	sync_dir(W "/alice");
	fresh = available();
	ck_assert_int_ge(before - known, SIZE);
	ck_assert_int_eq(before - known, known - fresh);
	ck_assert(!sees_the_disk());
	as(0);
	ck_assert(sees_the_disk());
}
END_TEST

Suite *
suite_space(void)
{
	Suite *s = suite_create("space");
	TCase *t = mounted_case(s, "space");

	tcase_add_test(t, free_space_does_not_reveal_the_content_of_the_vault);
	return s;
}
