/*
 * Names of users and groups, with a name service of the test's own (the linker
 * puts the functions __wrap_... in place of those of the C library).  A wait that must not be ends by the timeout of the test.
 */
#include <check.h>
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../../core/base/users.h"
#include "clocks.h"

#define ANN 501
#define BEN 502
#define TEAM 601
#define SET 128 /* ids with this distance belong to one set of the cache */
#define MINUTE 60
#define HOUR 3600

/* The service; mu guards all.  It holds every answer back while `held`. */
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool works; /* this service answers, not that of the host */
static bool held;
static const char *user_name; /* of every user; NULL: there is no such user */
static int failure;	      /* an errno instead of an answer, or 0 */
static unsigned asked;	      /* queries for users that arrived */
static unsigned answered;     /* of these */
static unsigned started;      /* threads, for users and for groups */

int __real_getpwuid_r(uid_t uid, struct passwd *p, char *buf, size_t n,
    struct passwd **out);
int __real_getgrgid_r(gid_t gid, struct group *g, char *buf, size_t n,
    struct group **out);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *), void *arg);
int __wrap_getpwuid_r(uid_t uid, struct passwd *p, char *buf, size_t n,
    struct passwd **out);
int __wrap_getgrgid_r(gid_t gid, struct group *g, char *buf, size_t n,
    struct group **out);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *), void *arg);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *), void *arg)
{
	pthread_mutex_lock(&mu);
	started++;
	pthread_mutex_unlock(&mu);
	return __real_pthread_create(thread, attr, run, arg);
}

int
__wrap_getpwuid_r(uid_t uid, struct passwd *p, char *buf, size_t n,
    struct passwd **out)
{
	int rc;

	pthread_mutex_lock(&mu);
	if (!works) {
		pthread_mutex_unlock(&mu);
		return __real_getpwuid_r(uid, p, buf, n, out);
	}
	asked++;
	pthread_cond_broadcast(&changed);
	while (held)
		pthread_cond_wait(&changed, &mu);
	rc = failure;
	*out = NULL;
	if (rc == 0 && user_name != NULL) {
		(void)snprintf(buf, n, "%s", user_name);
		*p = (struct passwd){ .pw_name = buf, .pw_uid = uid };
		*out = p;
	}
	answered++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mu);
	return rc;
}

/* Groups always have a name, and at once. */
int
__wrap_getgrgid_r(gid_t gid, struct group *g, char *buf, size_t n,
    struct group **out)
{
	pthread_mutex_lock(&mu);
	if (!works) {
		pthread_mutex_unlock(&mu);
		return __real_getgrgid_r(gid, g, buf, n, out);
	}
	pthread_mutex_unlock(&mu);
	(void)snprintf(buf, n, "team");
	*g = (struct group){ .gr_name = buf, .gr_gid = gid };
	*out = g;
	return 0;
}

static void
hold(bool on)
{
	pthread_mutex_lock(&mu);
	held = on;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mu);
}

static void
becomes(const char *name, int sys)
{
	pthread_mutex_lock(&mu);
	user_name = name;
	failure = sys;
	pthread_mutex_unlock(&mu);
}

static void
pass(int64_t seconds)
{
	pthread_mutex_lock(&mu);
	boot_ahead_s += seconds;
	pthread_mutex_unlock(&mu);
}

/* How long may tf_users_learn wait?  For ever, or not at all. */
static void
be_patient(bool on)
{
	pthread_mutex_lock(&mu);
	monotonic_ahead_s = on ? HOUR : -HOUR;
	pthread_mutex_unlock(&mu);
}

static void
await(const unsigned *count, unsigned n)
{
	pthread_mutex_lock(&mu);
	while (*count < n)
		pthread_cond_wait(&changed, &mu);
	pthread_mutex_unlock(&mu);
}

/* How many queries were begun, for users and for groups. */
static unsigned
queries(void)
{
	unsigned n;

	pthread_mutex_lock(&mu);
	n = started;
	pthread_mutex_unlock(&mu);
	return n;
}

static const char *
name_of(uint32_t uid)
{
	static char name[300];

	tf_user_name(uid, name, sizeof(name));
	return name;
}

static void
set_up(void)
{
	works = true;
	becomes("ann", 0);
	be_patient(true);
}

static void
take_down(void)
{
	hold(false);
}

/* Ann and her team are known, and were asked for once. */
static void
learn_ann(void)
{
	char team[32];

	tf_users_learn(ANN, TEAM);
	tf_group_name(TEAM, team, sizeof(team));
	ck_assert_str_eq("team", team);
	ck_assert_str_eq("ann", name_of(ANN));
	ck_assert_uint_eq(2, queries());
}

START_TEST(a_fresh_name_is_not_asked_again)
{
	learn_ann();
	pass(MINUTE - 1);
	hold(true);
	ck_assert(tf_users_ask(ANN, TEAM));
	tf_users_learn(ANN, TEAM);
	ck_assert_uint_eq(2, queries());
}
END_TEST

/* The service hangs: the first call waits and gives up, no other one waits. */
START_TEST(nobody_waits_twice_for_a_slow_name)
{
	tf_users_learn(BEN, TEAM);
	hold(true);
	be_patient(false);
	tf_users_learn(ANN, TEAM);
	be_patient(true);
	ck_assert(tf_users_ask(ANN, TEAM));
	tf_users_learn(ANN, TEAM);
	ck_assert_str_eq("", name_of(ANN));
	pass(HOUR);
	tf_users_learn(ANN, TEAM);
	ck_assert(tf_users_ask(ANN, TEAM));
	ck_assert_uint_eq(4, queries()); /* and for the team again */
}
END_TEST

/* Once it has answered, it is waited for as before. */
START_TEST(a_service_that_answered_is_waited_for_again)
{
	hold(true);
	be_patient(false);
	tf_users_learn(ANN, TEAM);
	be_patient(true);
	hold(false);
	while (strcmp(name_of(ANN), "ann") != 0)
		(void)sched_yield();
	pass(HOUR);
	becomes("anna", 0);
	tf_users_learn(TEAM, TEAM); /* the team is fresh again */
	hold(true);
	ck_assert(!tf_users_ask(ANN, TEAM));
	hold(false);
	tf_users_learn(ANN, TEAM);
	ck_assert_str_eq("anna", name_of(ANN));
}
END_TEST

/* From a minute to ten minutes old: used as it is, and asked for anew. */
START_TEST(a_stale_name_is_used_while_it_is_asked_anew)
{
	learn_ann();
	pass(MINUTE + 1);
	becomes("anna", 0);
	hold(true);
	ck_assert(tf_users_ask(ANN, TEAM));
	tf_users_learn(ANN, TEAM);
	ck_assert_str_eq("ann", name_of(ANN));
	await(&asked, 2);
	hold(false);
	while (strcmp(name_of(ANN), "anna") != 0)
		(void)sched_yield();
	ck_assert_uint_eq(4, queries());
}
END_TEST

START_TEST(a_name_older_than_ten_minutes_is_waited_for)
{
	learn_ann();
	pass(11 * MINUTE);
	becomes("anna", 0);
	tf_users_learn(TEAM, TEAM); /* the team is fresh again */
	hold(true);
	ck_assert(!tf_users_ask(ANN, TEAM));
	hold(false);
	tf_users_learn(ANN, TEAM);
	ck_assert_str_eq("anna", name_of(ANN));
}
END_TEST

START_TEST(the_old_name_stays_after_an_error)
{
	learn_ann();
	pass(11 * MINUTE);
	becomes(NULL, EIO);
	tf_users_learn(ANN, TEAM); /* until there is an answer */
	await(&answered, 2);
	ck_assert_str_eq("ann", name_of(ANN));
	/* The next query is a few seconds later. */
	ck_assert(tf_users_ask(ANN, TEAM));
	ck_assert_uint_eq(4, queries());
	pass(6);
	ck_assert(tf_users_ask(ANN, TEAM));
	await(&answered, 3);
	ck_assert_str_eq("ann", name_of(ANN));
}
END_TEST

/* "There is no such user" is an answer. */
START_TEST(a_removed_user_has_no_name)
{
	learn_ann();
	pass(11 * MINUTE);
	becomes(NULL, 0);
	tf_users_learn(ANN, TEAM);
	ck_assert_str_eq("", name_of(ANN));
}
END_TEST

/* Neither the threads nor the slots of one set are enough: nobody waits. */
START_TEST(more_names_than_can_be_asked_for)
{
	learn_ann();
	hold(true);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(!tf_users_ask(SET * i, TEAM));
	ck_assert(tf_users_ask(SET * 4, TEAM));
	await(&asked, 5);
	for (uint32_t i = 1; i < 40; i++)
		(void)tf_users_ask(i, TEAM);
	ck_assert(tf_users_ask(40, TEAM));
	await(&asked, 17);
	ck_assert_uint_eq(18, queries());
	/* What was being asked for kept its slot. */
	hold(false);
	await(&answered, 17);
	for (uint32_t i = 0; i < 4; i++)
		tf_users_learn(SET * i, TEAM);
	ck_assert_uint_eq(18, queries());
	ck_assert_str_eq("ann", name_of(SET * 3));
}
END_TEST

START_TEST(a_membership_is_what_the_service_says)
{
	becomes("root", 0); /* whatever the uid */
	ck_assert_int_eq(TF_MEMBER, tf_user_in_group(ANN, "root"));
	becomes(NULL, 0);
	ck_assert_int_eq(TF_NO_MEMBER, tf_user_in_group(ANN, "root"));
	becomes(NULL, EIO);
	ck_assert_int_eq(TF_NO_ANSWER, tf_user_in_group(ANN, "root"));
	ck_assert_int_eq(TF_NO_SUCH_GROUP,
	    tf_user_in_group(ANN, "no such group"));
}
END_TEST

/* Nobody waits for ever, and a late answer harms nobody. */
START_TEST(a_slow_service_gives_no_membership)
{
	becomes("root", 0);
	hold(true);
	be_patient(false);
	ck_assert_int_eq(TF_NO_ANSWER, tf_user_in_group(ANN, "root"));
	await(&asked, 1);
	hold(false);
	await(&answered, 1);
	be_patient(true);
	ck_assert_int_eq(TF_MEMBER, tf_user_in_group(ANN, "root"));
}
END_TEST

Suite *
suite_users(void)
{
	Suite *s = suite_create("users");
	TCase *tc = tcase_create("users");

	tcase_set_timeout(tc, 120); /* a wait that must not be ends here */
	tcase_add_checked_fixture(tc, set_up, take_down);
	tcase_add_test(tc, a_fresh_name_is_not_asked_again);
	tcase_add_test(tc, nobody_waits_twice_for_a_slow_name);
	tcase_add_test(tc, a_service_that_answered_is_waited_for_again);
	tcase_add_test(tc, a_stale_name_is_used_while_it_is_asked_anew);
	tcase_add_test(tc, a_name_older_than_ten_minutes_is_waited_for);
	tcase_add_test(tc, the_old_name_stays_after_an_error);
	tcase_add_test(tc, a_removed_user_has_no_name);
	tcase_add_test(tc, more_names_than_can_be_asked_for);
	tcase_add_test(tc, a_membership_is_what_the_service_says);
	tcase_add_test(tc, a_slow_service_gives_no_membership);
	suite_add_tcase(s, tc);
	return s;
}
