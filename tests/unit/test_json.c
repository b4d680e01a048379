#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/member.h"
#include "../../core/json.h"
#include "vectors.h"

#define GOOD                                                                     \
	"{\"a\":[1,-2,true,[\"x\"]],\"b c\":{\"d\":\"\\\"\\\\\\n\\t\xc3\xbc\"}," \
	"\"e\":false,\"f\":0}"

static enum tf_code
judge(const char *text, size_t n)
{
	struct tf_json_doc d;
	enum tf_code rc = tf_json_parse(&d, text, n, NULL);

	tf_json_doc_free(&d);
	return rc;
}

static enum tf_code
collect(void *arg, const void *p, size_t n, struct tf_error *err)
{
	(void)err;
	tf_buf_add(arg, p, n);
	return TF_OK;
}

static struct tf_sink *drain; /* before each value and key, or NULL */

static void
drain_now(struct tf_json *j)
{
	if (drain != NULL)
		ck_assert_int_eq(TF_OK, tf_json_drain(j, drain, NULL));
}

/* Write the value at token t again; returns the token after it. */
static uint32_t
rewrite(struct tf_json *j, const struct tf_json_doc *d, uint32_t t)
{
	const struct tf_json_token *v = &d->tok[t];
	struct tf_buf b = { 0 };
	uint32_t i = t + 1;

	drain_now(j);
	switch (v->type) {
	case TF_JSON_INT:
		tf_json_int(j, v->num);
		return i;
	case TF_JSON_BOOL:
		tf_json_bool(j, v->num != 0);
		return i;
	case TF_JSON_NULL:
		tf_json_null(j);
		return i;
	case TF_JSON_DECIMAL:
	case TF_JSON_ANY:
		tf_json_any(j, tf_json_text(d, (int)t));
		return i;
	case TF_JSON_STRING:
		ck_assert_int_eq(TF_OK, tf_json_string(d, (int)t, &b, NULL));
		tf_json_str(j, b.p, b.n);
		tf_buf_free(&b);
		return i;
	case TF_JSON_ARRAY:
		tf_json_array(j);
		while (i < v->next)
			i = rewrite(j, d, i);
		tf_json_array_end(j);
		return i;
	case TF_JSON_OBJECT:
		tf_json_object(j);
		while (i < v->next) {
			char key[256] = "";

			ck_assert_uint_lt(d->tok[i].key_len, sizeof(key));
			memcpy(key, d->text + d->tok[i].key_off,
			    d->tok[i].key_len);
			drain_now(j);
			tf_json_key(j, key);
			i = rewrite(j, d, i);
		}
		tf_json_object_end(j);
		return i;
	}
	return i;
}

/* What the reader takes, the writer gives back byte for byte. */
static void
comes_back(const char *text, size_t n)
{
	struct tf_json_doc d;
	struct tf_buf out = { 0 };
	struct tf_json j;

	ck_assert_int_eq(TF_OK, tf_json_parse(&d, text, n, NULL));
	tf_json_begin(&j, &out);
	ck_assert_uint_eq(d.n, rewrite(&j, &d, 0));
	ck_assert_int_eq(TF_OK, tf_json_end(&j, NULL));
	assert_same(text, n, out.p, out.n);
	tf_json_doc_free(&d);
	tf_buf_free(&out);
}

/* However often it is drained, it is the same text. */
START_TEST(a_drained_text_is_whole_and_the_rules_still_hold)
{
	struct tf_json_doc d;
	struct tf_buf out = { 0 }, all = { 0 };
	struct tf_sink to = { collect, &all };
	struct tf_json j;

	ck_assert_int_eq(TF_OK, tf_json_parse(&d, GOOD, strlen(GOOD), NULL));
	drain = &to;
	tf_json_begin(&j, &out);
	rewrite(&j, &d, 0);
	ck_assert_int_eq(TF_OK, tf_json_end(&j, NULL));
	drain_now(&j);
	drain_now(&j);
	assert_same(GOOD, strlen(GOOD), all.p, all.n);
	tf_json_begin(&j, &out);
	tf_json_object(&j);
	tf_json_key(&j, "b");
	drain_now(&j);
	tf_json_array(&j);
	tf_json_int(&j, 1);
	drain_now(&j);
	tf_json_array_end(&j);
	drain_now(&j);
	tf_json_key(&j, "a"); /* not sorted */
	tf_json_int(&j, 1);
	tf_json_object_end(&j);
	ck_assert_int_eq(TF_INVALID, tf_json_end(&j, NULL));
	drain = NULL;
	tf_json_doc_free(&d);
	tf_buf_free(&out);
	tf_buf_free(&all);
}
END_TEST

START_TEST(a_text_becomes_its_tokens)
{
	struct tf_json_doc d;
	struct tf_buf b = { 0 };
	struct tf_str s;
	int t;

	ck_assert_int_eq(TF_OK, tf_json_parse(&d, GOOD, strlen(GOOD), NULL));
	ck_assert_uint_eq(11, d.n);
	ck_assert_uint_eq(11, d.tok[0].next);
	t = tf_json_get(&d, 0, "a");
	ck_assert_int_eq(1, t);
	ck_assert_uint_eq(7, d.tok[t].next);
	ck_assert_int_eq(-2, d.tok[t + 2].num);
	ck_assert_int_eq(1, d.tok[t + 3].num);
	s = tf_json_text(&d, t);
	assert_same("[1,-2,true,[\"x\"]]", (size_t)17, s.p, s.n);
	t = tf_json_get(&d, tf_json_get(&d, 0, "b c"), "d");
	ck_assert_int_eq(8, t);
	ck_assert_int_eq(TF_OK, tf_json_string(&d, t, &b, NULL));
	ck_assert_str_eq("\"\\\n\t\xc3\xbc", b.p);
	ck_assert_int_eq(TF_INVALID, tf_json_string(&d, 0, &b, NULL));
	ck_assert_int_eq(TF_INVALID, tf_json_string(&d, -1, &b, NULL));
	ck_assert_int_eq(-1, tf_json_get(&d, 0, "d"));
	ck_assert_int_eq(-1, tf_json_get(&d, 1, "a"));
	ck_assert_int_eq(-1, tf_json_get(&d, 99, "a"));
	ck_assert(tf_json_text(&d, -1).p == NULL);
	tf_buf_free(&b);
	tf_json_doc_free(&d);
}
END_TEST

START_TEST(canonical_texts_come_back)
{
	static const char *const good[] = { GOOD, "[1]", "{\"a\":1}",
		"[9007199254740991,-9007199254740991,0]", "{\" \":1,\"~\":2}",
		"[[[[[[[[1]]]]]]]]", "[\"\xc2\xa0\xf4\x8f\xbf\xbf\"]",
		"[\"/\xe2\x80\xa8\"]", "{\"a\":1,\"aa\":2,\"b\":3}" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		comes_back(good[i], strlen(good[i]));
}
END_TEST

START_TEST(any_other_text_is_refused)
{
	static const char *const bad[] = { "", "1", "\"a\"", "true", "null",
		"{}", "[]", "[{}]", "[[]]", "[\"\"]", "{\"a\":{}}", "{\"\":1}",
		" [1]", "[1] ", "[ 1]", "[1 ]", "[1,]", "[,1]", "[1,,1]",
		"[1][1]", "[1]]", "[1", "[", "{", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "{,\"a\":1}", "{\"a\" :1}", "{\"a\": 1}",
		"{\"a\":1]", "[1}", "{1:1}", "{a:1}", "{\"b\":1,\"a\":1}",
		"{\"a\":1,\"a\":2}", "{\"aa\":1,\"a\":1}", "{\"a\\\"\":1}",
		"{\"\xc3\xbc\":1}", "{\"a\x7f\":1}", "[01]", "[-0]", "[-]",
		"[+1]", "[1.0]", "[1e3]", "[.5]", "[0x1]", "[1a]",
		"[9007199254740992]", "[-9007199254740992]",
		"[99999999999999999999999]", "[nul]", "[null]", "[tru]",
		"[truefalse]", "[True]", "[\"\\u0041\"]", "[\"\\/\"]",
		"[\"\\b\"]", "[\"\\r\"]", "[\"\\\"]", "[\"a", "[\"a\\",
		"[\"\t\"]", "[\"\n\"]", "[\"\x01\"]", "[\"\x7f\"]",
		"[\"\xc2\x80\"]", "[\"\xc2\x9f\"]", "[\"\xff\"]",
		"[\"\xed\xa0\x80\"]", "[\"\xc0\xaf\"]", "[\"\xc3\"]",
		"[[[[[[[[[1]]]]]]]]]", "\xef\xbb\xbf[1]", "[1]\n", "['a']" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(judge(bad[i], strlen(bad[i])) == TF_INVALID,
		    "%s was taken", bad[i]);
	ck_assert_int_eq(TF_INVALID, judge("[\"a\0b\"]", 7));
	ck_assert_int_eq(TF_INVALID, judge("[1]", (size_t)1 << 31));
}
END_TEST

/* Status files have it, and are read by a reader of their own. */
START_TEST(null_is_of_status_files)
{
	const char *text = "{\"a\":null,\"b\":[null,1]}";
	struct tf_json_doc d;
	struct tf_buf out = { 0 };
	struct tf_json j;

	ck_assert_int_eq(TF_INVALID, judge(text, strlen(text)));
	ck_assert_int_eq(TF_OK,
	    tf_json_parse_status(&d, text, strlen(text), NULL));
	ck_assert_int_eq(TF_JSON_NULL, d.tok[tf_json_get(&d, 0, "a")].type);
	tf_json_begin(&j, &out);
	(void)rewrite(&j, &d, 0);
	ck_assert_int_eq(TF_OK, tf_json_end(&j, NULL));
	ck_assert_uint_eq(strlen(text), out.n);
	ck_assert_mem_eq(text, out.p, out.n);
	tf_buf_free(&out);
	tf_json_doc_free(&d);
	ck_assert_int_eq(TF_INVALID,
	    tf_json_parse_status(&d, "[nul]", 5, NULL));
}
END_TEST

/* So are fractions, and JSON that people gave, in two members. */
START_TEST(foreign_values_are_of_status_files)
{
	static const char *const good[] = {
		"{\"a\":1.5,\"b\":[0.000001,2]}",
		"{\"attestation_data\":[],\"user_data\":{\"z\":null,\"a\":-1e9}}",
		"{\"user_data\":[\"}\\\"],\",{}],\"version\":1}",
		"{\"user_data\":\"\",\"x\":1}",
		"{\"user_data\":-0.5e3}",
		"{\"user_data\":[[[[[[[[[[[]]]]]]]]]]]}",
	};
	static const char *const bad[] = {
		"{\"a\":1.}",
		"{\"a\":1.5e3}",
		"{\"a\":{\"user_data\":[]}}",
		"[{\"user_data\":[]}]",
		"{\"data\":[]}",
		"{\"user_data\":}",
		"{\"user_data\":[}",
		"{\"user_data\":\"x}",
		"{\"user_data\":\"\\",
		"{\"user_data\":[]",
		"{\"user_data\":[]]}",
	};
	struct tf_json_doc d;
	struct tf_json j;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct tf_buf out = { 0 };
		const size_t n = strlen(good[i]);

		ck_assert_int_eq(TF_INVALID, judge(good[i], n));
		ck_assert_int_eq(TF_OK,
		    tf_json_parse_status(&d, good[i], n, NULL));
		tf_json_begin(&j, &out);
		(void)rewrite(&j, &d, 0);
		ck_assert_int_eq(TF_OK, tf_json_end(&j, NULL));
		ck_assert_uint_eq(n, out.n);
		ck_assert_mem_eq(good[i], out.p, n);
		tf_buf_free(&out);
		tf_json_doc_free(&d);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(tf_json_parse_status(&d, bad[i], strlen(bad[i]),
				  NULL) == TF_INVALID,
		    "%s was taken", bad[i]);
}
END_TEST

/* Kosli has times as seconds with a fraction. */
START_TEST(times_are_cut_or_rounded_up_to_microseconds)
{
	static const char want[] =
	    "{\"a\":7.000123,\"b\":7.000124,\"c\":8.000001,\"d\":0}";
	struct tf_buf out = { 0 };
	struct tf_json j;

	tf_json_begin(&j, &out);
	tf_json_object(&j);
	tf_put_seconds(&j, "a", (struct tf_time){ 7, 123999 });
	tf_put_seconds_after(&j, "b", (struct tf_time){ 7, 123001 });
	tf_put_seconds_after(&j, "c", (struct tf_time){ 7, 999999001 });
	tf_put_seconds(&j, "d", (struct tf_time){ -7, 5 });
	tf_json_object_end(&j);
	ck_assert_int_eq(TF_OK, tf_json_end(&j, NULL));
	ck_assert_uint_eq(sizeof(want) - 1, out.n);
	ck_assert_mem_eq(want, out.p, out.n);
	tf_buf_free(&out);
}
END_TEST

START_TEST(each_beginning_of_a_text_is_refused)
{
	for (size_t n = 0; n < strlen(GOOD); n++) {
		/* Exactly n bytes: a sanitizer sees one read too many. */
		char *cut = calloc(1, n ? n : 1);

		memcpy(cut, GOOD, n);
		ck_assert_int_eq(TF_INVALID, judge(cut, n));
		free(cut);
	}
}
END_TEST

/* Whatever is taken of changed texts is canonical again. */
START_TEST(a_changed_text_is_refused_or_comes_back)
{
	static const char bytes[] = "{}[],:\"\\ntabz09-. \x01\x7f\xc3\xbc\xff";
	uint64_t seed = 3;
	unsigned taken = 0;

	for (int i = 0; i < 200000; i++) {
		char text[] = GOOD;
		size_t n = strlen(text);

		for (uint64_t k = chance(&seed) % 3 + 1; k > 0; k--)
			text[chance(&seed) % n] =
			    bytes[chance(&seed) % (sizeof(bytes) - 1)];
		if (judge(text, n) != TF_OK)
			continue;
		comes_back(text, n);
		taken++;
	}
	ck_assert_uint_gt(taken, 100);
}
END_TEST

START_TEST(a_text_of_some_mib_is_read)
{
	struct tf_buf b = { 0 };
	struct tf_json_doc d;

	tf_buf_str(&b, "[0");
	for (int i = 0; i < 1000000; i++)
		tf_buf_str(&b, ",[1]");
	tf_buf_str(&b, "]");
	ck_assert_int_eq(TF_OK, tf_json_parse(&d, b.p, b.n, NULL));
	ck_assert_uint_eq(2000002, d.n);
	tf_json_doc_free(&d);
	tf_buf_free(&b);
}
END_TEST

static void
write_nothing(struct tf_json *j)
{
	(void)j;
}

static void
write_scalar(struct tf_json *j)
{
	tf_json_int(j, 1);
}

static void
write_empty_object(struct tf_json *j)
{
	tf_json_object(j);
	tf_json_object_end(j);
}

static void
write_empty_array(struct tf_json *j)
{
	tf_json_array(j);
	tf_json_array_end(j);
}

static void
write_open(struct tf_json *j)
{
	tf_json_array(j);
	tf_json_int(j, 1);
}

static void
write_two(struct tf_json *j)
{
	write_open(j);
	tf_json_array_end(j);
	write_open(j);
	tf_json_array_end(j);
}

static void
write_wrong_end(struct tf_json *j)
{
	write_open(j);
	tf_json_object_end(j);
}

static void
write_end_alone(struct tf_json *j)
{
	tf_json_array_end(j);
}

static void
write_key_in_array(struct tf_json *j)
{
	tf_json_array(j);
	tf_json_key(j, "a");
	tf_json_int(j, 1);
	tf_json_array_end(j);
}

static void
write_value_without_key(struct tf_json *j)
{
	tf_json_object(j);
	tf_json_int(j, 1);
	tf_json_object_end(j);
}

static void
write_key_without_value(struct tf_json *j)
{
	tf_json_object(j);
	tf_json_key(j, "a");
	tf_json_object_end(j);
}

static void
write_two_keys(struct tf_json *j)
{
	tf_json_object(j);
	tf_json_key(j, "a");
	tf_json_key(j, "b");
	tf_json_int(j, 1);
	tf_json_object_end(j);
}

static void
write_members(struct tf_json *j, const char *first, const char *second)
{
	tf_json_object(j);
	tf_json_key(j, first);
	tf_json_int(j, 1);
	tf_json_key(j, second);
	tf_json_int(j, 1);
	tf_json_object_end(j);
}

static void
write_unsorted(struct tf_json *j)
{
	write_members(j, "b", "a");
}

static void
write_twice(struct tf_json *j)
{
	write_members(j, "a", "a");
}

static void
write_bad_key(struct tf_json *j)
{
	write_members(j, "a", "b\xc3\xbc");
}

static void
write_empty_key(struct tf_json *j)
{
	write_members(j, "", "a");
}

static void
write_string(struct tf_json *j, const char *p, size_t n)
{
	tf_json_array(j);
	tf_json_str(j, p, n);
	tf_json_array_end(j);
}

static void
write_empty_string(struct tf_json *j)
{
	write_string(j, "", 0);
}

static void
write_no_string(struct tf_json *j)
{
	write_string(j, NULL, 0);
}

static void
write_nul(struct tf_json *j)
{
	write_string(j, "a\0b", 3);
}

static void
write_c1(struct tf_json *j)
{
	write_string(j, "\xc2\x9b", 2);
}

static void
write_bad_utf8(struct tf_json *j)
{
	write_string(j, "\xe2\x82", 2);
}

static void
write_large(struct tf_json *j)
{
	tf_json_array(j);
	tf_json_int(j, TF_JSON_MAX + 1);
	tf_json_array_end(j);
}

static void
write_raw(struct tf_json *j, const char *s)
{
	tf_json_array(j);
	tf_json_raw(j, str_of(s));
	tf_json_array_end(j);
}

static void
write_raw_blank(struct tf_json *j)
{
	write_raw(j, "{\"a\": 1}");
}

static void
write_raw_nothing(struct tf_json *j)
{
	write_raw(j, "");
}

static void
write_raw_two(struct tf_json *j)
{
	write_raw(j, "1,2");
}

static void
write_raw_deep(struct tf_json *j)
{
	write_raw(j, "[[[[[[[[1]]]]]]]]");
}

static void
write_deep(struct tf_json *j)
{
	for (int i = 0; i < 9; i++)
		tf_json_array(j);
	tf_json_int(j, 1);
	for (int i = 0; i < 9; i++)
		tf_json_array_end(j);
}

static void (*const misuses[])(struct tf_json *) = { write_nothing,
	write_scalar, write_empty_object, write_empty_array, write_open,
	write_two, write_wrong_end, write_end_alone, write_key_in_array,
	write_value_without_key, write_key_without_value, write_two_keys,
	write_unsorted, write_twice, write_bad_key, write_empty_key,
	write_empty_string, write_no_string, write_nul, write_c1,
	write_bad_utf8, write_large, write_raw_blank, write_raw_nothing,
	write_raw_two, write_raw_deep, write_deep };

#define MISUSES (int)(sizeof(misuses) / sizeof(misuses[0]))

START_TEST(the_writer_refuses_what_is_not_canonical)
{
	struct tf_buf out = { 0 };
	struct tf_json j;

	tf_buf_str(&out, "[\"before\"]");
	tf_json_begin(&j, &out);
	misuses[_i](&j);
	ck_assert_int_eq(TF_INVALID, tf_json_end(&j, NULL));
	tf_buf_free(&out);
}
END_TEST

START_TEST(the_writer_appends_values_of_each_kind)
{
	struct tf_buf out = { 0 };
	struct tf_json j;

	tf_buf_str(&out, "before ");
	tf_json_begin(&j, &out);
	tf_json_object(&j);
	tf_json_key(&j, "a");
	tf_json_array(&j);
	tf_json_raw(&j, str_of("[[[[[[1]]]]]]"));
	tf_json_raw(&j, str_of("\"x\""));
	tf_json_raw(&j, str_of("-7"));
	tf_json_cstr(&j, "q\"\\\n\t\xc3\xbc");
	tf_json_array_end(&j);
	tf_json_key(&j, "ab");
	tf_json_bool(&j, false);
	tf_json_object_end(&j);
	ck_assert_int_eq(TF_OK, tf_json_end(&j, NULL));
	ck_assert_str_eq("before {\"a\":[[[[[[[1]]]]]],\"x\",-7,"
			 "\"q\\\"\\\\\\n\\t\xc3\xbc\"],\"ab\":false}",
	    out.p);
	tf_buf_free(&out);
}
END_TEST

START_TEST(the_writer_reports_missing_memory)
{
	struct tf_buf out = { .failed = true };
	struct tf_json j;

	tf_json_begin(&j, &out);
	write_members(&j, "a", "b");
	ck_assert_int_eq(TF_NOMEM, tf_json_end(&j, NULL));
}
END_TEST

Suite *
suite_json(void)
{
	Suite *s = suite_create("json");
	TCase *t = tcase_create("json");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_text_becomes_its_tokens);
	tcase_add_test(t, canonical_texts_come_back);
	tcase_add_test(t, any_other_text_is_refused);
	tcase_add_test(t, null_is_of_status_files);
	tcase_add_test(t, foreign_values_are_of_status_files);
	tcase_add_test(t, times_are_cut_or_rounded_up_to_microseconds);
	tcase_add_test(t, each_beginning_of_a_text_is_refused);
	tcase_add_test(t, a_changed_text_is_refused_or_comes_back);
	tcase_add_test(t, a_text_of_some_mib_is_read);
	tcase_add_loop_test(t, the_writer_refuses_what_is_not_canonical, 0,
	    MISUSES);
	tcase_add_test(t, the_writer_appends_values_of_each_kind);
	tcase_add_test(t, a_drained_text_is_whole_and_the_rules_still_hold);
	tcase_add_test(t, the_writer_reports_missing_memory);
	suite_add_tcase(s, t);
	return s;
}
