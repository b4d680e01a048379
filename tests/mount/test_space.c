/* What statfs(2) tells to whom. */
#include <sys/statvfs.h>

#include "harness.h"

#define SIZE (3 << 20)

static long long
available(void)
{
	struct statvfs s;

	allowed(statvfs("mnt", &s));
	return (long long)(s.f_bavail * s.f_frsize);
}

/* Equal bytes are kept once, and nobody but root can tell by the free space. */
START_TEST(free_space_does_not_tell_what_is_in_the_vault)
{
	long long before, known, fresh, real;

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
	as(0);
	real = available();
	ck_assert_msg(real > 0, "root sees %lld", real);
}
END_TEST

Suite *
suite_space(void)
{
	Suite *s = suite_create("space");
	TCase *t = mounted_case(s, "space");

	tcase_add_test(t, free_space_does_not_tell_what_is_in_the_vault);
	return s;
}
