/* Hints, and the actor of an entry as JSON. */
#include <check.h>
#include <string.h>

#include "../../core/ledger/actor_json.h"
#include "../../core/ledger/entry_read.h"
#include "entry_lines.h"
#include "vectors.h"

START_TEST(a_hint_is_harmless_and_whole_or_absent)
{
	static const char raw[] = "a%\"\\\n\x7f\xc2\x9b\xff\xc3\xbc/b c";
	static const char safe[] = "a%25%22%5C%0A%7F%C2%9B%FF\xc3\xbc/b c";
	char out[257];

	ck_assert_uint_eq(strlen(safe),
	    tf_hint(out, 256, raw, sizeof(raw) - 1));
	ck_assert_str_eq(safe, out);
	ck_assert_uint_eq(strlen(safe),
	    tf_hint(out, strlen(safe), raw, sizeof(raw) - 1));
	ck_assert_uint_eq(0,
	    tf_hint(out, strlen(safe) - 1, raw, sizeof(raw) - 1));
	ck_assert_str_eq("", out);
	ck_assert_uint_eq(3, tf_hint(out, 3, "abc", 3));
	ck_assert_uint_eq(0, tf_hint(out, 3, "abcd", 4));
	ck_assert_uint_eq(0, tf_hint(out, 3, "a\n", 2));
	ck_assert_uint_eq(0, tf_hint(out, 3, "", 0));
}
END_TEST

START_TEST(an_actor_is_written_as_in_the_vectors)
{
	struct tf_actor a = { .uid = 1000,
		.gid = 1000,
		.pid = 4711,
		.loginuid = 1000,
		.session = 3,
		.comm = "mkdir",
		.exe = "/usr/bin/mkdir",
		.cgroup = "/user.slice/user-1000.slice/session-3.scope" };
	struct tf_buf line = line_of("trail.created", "4711"), b = { 0 };
	struct tf_entry_decoded d;

	ck_assert_int_eq(TF_OK, tf_entry_decode(&d, line.p, line.n, NULL));
	tf_actor_json(&b, &a, "alice", "alice");
	assert_same(d.e.actor.p, d.e.actor.n, b.p, b.n);
	tf_entry_decoded_free(&d);
	tf_buf_free(&line);
	tf_buf_free(&b);
}
END_TEST

START_TEST(what_is_not_known_of_an_actor_is_left_out)
{
	struct tf_actor a = { .uid = 0,
		.gid = 5,
		.loginuid = -1,
		.session = UINT32_MAX };
	struct tf_buf b = { 0 };

	tf_actor_json(&b, &a, "", "");
	ck_assert_str_eq("{\"gid\":5,\"uid\":0}", b.p);
	ck_assert(!b.failed);
	/* A hint that is too long takes the empty object with it. */
	memset(a.exe, '%', sizeof(a.exe));
	b.n = 0;
	tf_actor_json(&b, &a, "root", "");
	ck_assert_str_eq("{\"gid\":5,\"uid\":0,\"user\":\"root\"}", b.p);
	a.session = 0;
	b.n = 0;
	tf_actor_json(&b, &a, "root", "");
	ck_assert_str_eq("{\"gid\":5,\"hints\":{\"session\":0},\"uid\":0,"
			 "\"user\":\"root\"}",
	    b.p);
	tf_buf_free(&b);
}
END_TEST

Suite *suite_actor_json(void);

Suite *
suite_actor_json(void)
{
	Suite *s = suite_create("actor_json");
	TCase *t = tcase_create("actor");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_hint_is_harmless_and_whole_or_absent);
	tcase_add_test(t, an_actor_is_written_as_in_the_vectors);
	tcase_add_test(t, what_is_not_known_of_an_actor_is_left_out);
	suite_add_tcase(s, t);
	return s;
}
