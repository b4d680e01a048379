/* Who may read what: the check that the kernel makes elsewhere. */
#include <check.h>

#include "../../core/asker.h"

static const uint32_t groups[] = { 20, 30, 40 };

static struct tf_attr
node(uint32_t mode, uint32_t uid, uint32_t gid)
{
	return (struct tf_attr){ .mode = mode, .uid = uid, .gid = gid };
}

static bool
reads(uint32_t uid, uint32_t gid, uint32_t mode, uint32_t owner, uint32_t group)
{
	struct tf_asker who = { uid, gid, groups, 3, false };
	struct tf_attr a = node(mode, owner, group);

	return tf_asker_may(&who, &a, TF_MAY_READ);
}

START_TEST(the_first_that_fits_decides)
{
	ck_assert(reads(1, 10, 0400, 1, 99));
	ck_assert(!reads(1, 10, 0377, 1, 99));
	ck_assert(reads(2, 10, 0040, 1, 10));
	ck_assert(reads(2, 11, 0040, 1, 20));
	ck_assert(reads(2, 11, 0040, 1, 30));
	ck_assert(reads(2, 11, 0040, 1, 40));
	ck_assert(!reads(2, 11, 0737, 1, 40));
	ck_assert(reads(2, 11, 0004, 1, 35));
	ck_assert(!reads(2, 11, 0773, 1, 35));
	/* Root may. */
	ck_assert(reads(0, 11, 0, 1, 35));
}
END_TEST

START_TEST(every_requested_right_must_be_granted)
{
	struct tf_asker who = { 1, 1, NULL, 0, false };
	struct tf_attr a = node(0500, 1, 1), b = node(0400, 1, 1);

	ck_assert(tf_asker_may(&who, &a, TF_MAY_READ | TF_MAY_SEARCH));
	ck_assert(!tf_asker_may(&who, &b, TF_MAY_READ | TF_MAY_SEARCH));
	ck_assert(tf_asker_may(NULL, &b, TF_MAY_READ | TF_MAY_SEARCH));
}
END_TEST

START_TEST(an_auditor_reads_everything_and_writes_nothing)
{
	struct tf_asker who = { 2, 2, groups, 3, true };
	struct tf_attr a = node(0700, 1, 1), own = node(0300, 2, 1);

	ck_assert(tf_asker_may_all(&who));
	ck_assert(tf_asker_may(&who, &a, TF_MAY_READ | TF_MAY_SEARCH));
	ck_assert(!tf_asker_may(&who, &a, TF_MAY_WRITE));
	/* What is his own he writes as before. */
	ck_assert(tf_asker_may(&who, &own, TF_MAY_WRITE));
}
END_TEST

START_TEST(owner_root_and_admins_administer)
{
	struct tf_actor who = { .uid = 2 };

	ck_assert(tf_may_administer(&who, 2));
	ck_assert(!tf_may_administer(&who, 1));
	who.administers = true;
	ck_assert(tf_may_administer(&who, 1));
	who = (struct tf_actor){ .uid = 0 };
	ck_assert(tf_may_administer(&who, 1));
}
END_TEST

START_TEST(the_same_rights_are_those_of_uid_gid_and_groups)
{
	struct tf_asker a = { 1, 1, groups, 3, false },
			b = { 1, 1, groups, 2, false };
	struct tf_asker c = { 1, 2, groups, 3, false },
			root = { 0, 5, groups, 1, false };

	ck_assert(tf_asker_same(&a, &a));
	ck_assert(!tf_asker_same(&a, &b));
	ck_assert(!tf_asker_same(&a, &c));
	ck_assert(!tf_asker_same(&a, &root));
	ck_assert(!tf_asker_same(NULL, &a));
	ck_assert(tf_asker_same(NULL, &root));
	ck_assert(tf_asker_same(NULL, NULL));
}
END_TEST

Suite *
suite_asker(void)
{
	Suite *s = suite_create("asker");
	TCase *t = tcase_create("asker");

	tcase_add_test(t, the_first_that_fits_decides);
	tcase_add_test(t, every_requested_right_must_be_granted);
	tcase_add_test(t, an_auditor_reads_everything_and_writes_nothing);
	tcase_add_test(t, owner_root_and_admins_administer);
	tcase_add_test(t, the_same_rights_are_those_of_uid_gid_and_groups);
	suite_add_tcase(s, t);
	return s;
}
