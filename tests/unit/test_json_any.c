#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/json_any.h"
#include "../../core/base/json_any_write.h"
#include "../../core/base/number.h"
#include "vectors.h"

/* What the reader accepts, and the compact form; NULL: refused. */
static const struct {
	const char *text, *form;
} table[] = {
	{ "null", "null" },
	{ " \t\r\n true\n", "true" },
	{ "\xef\xbb\xbf{}", "{}" },
	{ "[]", "[]" },
	{ "[ ]", "[]" },
	{ "{\"a\":[],\"\":{}}", "{\"a\":[],\"\":{}}" },
	{ "[\"\",\"\\u0000\",\"\\u007f\"]", "[\"\",\"\\u0000\",\"\x7f\"]" },
	{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
	{ "\"\\u00e9\\u20ac\\uD834\\udd1e\"",
	    "\"\xc3\xa9\xe2\x82\xac"
	    "\xf0\x9d\x84\x9e\"" },
	{ "{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}" },
	{ "[-0,0,1.50,1e+5,-1.0E-0]", "[-0,0,1.50,1e+5,-1.0E-0]" },
	{ "{ \"a\" : [ 1 , { \"b\" : null } ] }", "{\"a\":[1,{\"b\":null}]}" },
	/* One key twice, also by another spelling. */
	{ "{\"a\":1,\"a\":1}", NULL },
	{ "{\"a\":1,\"b\":2,\"\\u0061\":3}", NULL },
	{ "{\"\":1,\"\":2}", NULL },
	/* Half of a surrogate pair. */
	{ "\"\\ud834\"", NULL },
	{ "\"\\udd1e\"", NULL },
	{ "\"\\ud834\\u0041\"", NULL },
	{ "\"\\ud834x\"", NULL },
	/* Invalid UTF-8: cut, overlong, a surrogate, too high. */
	{ "\"\xc3\"", NULL },
	{ "\"\xc0\xaf\"", NULL },
	{ "\"\xed\xa0\x80\"", NULL },
	{ "\"\xf4\x90\x80\x80\"", NULL },
	{ "\"\xff\"", NULL },
	/* Not JSON. */
	{ "", NULL },
	{ " ", NULL },
	{ "nul", NULL },
	{ "True", NULL },
	{ "'a'", NULL },
	{ "[1,]", NULL },
	{ "[,1]", NULL },
	{ "[1 2]", NULL },
	{ "{\"a\":1,}", NULL },
	{ "{\"a\"}", NULL },
	{ "{\"a\" 1}", NULL },
	{ "{a:1}", NULL },
	{ "{1:1}", NULL },
	{ "[1}", NULL },
	{ "{\"a\":1]", NULL },
	{ "[", NULL },
	{ "{", NULL },
	{ "{\"a\":", NULL },
	{ "1 2", NULL },
	{ "[]]", NULL },
	{ "\"a", NULL },
	{ "\"\\", NULL },
	{ "\"\\x\"", NULL },
	{ "\"\\u12\"", NULL },
	{ "\"\\u12g4\"", NULL },
	{ "\"a\nb\"", NULL },
	{ "\"a\tb\"", NULL },
	{ "01", NULL },
	{ "-01", NULL },
	{ "+1", NULL },
	{ "-", NULL },
	{ "1.", NULL },
	{ ".5", NULL },
	{ "1e", NULL },
	{ "1e+", NULL },
	{ "0x10", NULL },
	{ "NaN", NULL },
	{ "Infinity", NULL },
	{ "// c\n1", NULL },
	{ "\xef\xbb\xbf", NULL },
	{ "\xef\xbb\xbf\xef\xbb\xbf{}", NULL },
};

static enum tf_code
parse(struct tf_any_doc *d, const char *p, size_t n, struct tf_error *err)
{
	/* In as many bytes, so that a sanitizer sees one read too many. */
	char *exact = malloc(n + (n == 0));
	enum tf_code rc;

	memcpy(exact, p, n);
	rc = tf_any_parse(d, exact, n, err);
	free(exact);
	return rc;
}

START_TEST(reader_accepts_all_of_json_and_nothing_else)
{
	const char *text = table[_i].text, *form = table[_i].form;
	struct tf_any_doc d;
	struct tf_buf b = { 0 };
	struct tf_error err;

	if (form == NULL) {
		ck_assert_int_eq(TF_INVALID,
		    parse(&d, text, strlen(text), &err));
		ck_assert_int_eq(0, strncmp(err.text, "line ", 5));
		ck_assert_uint_eq(0, d.n);
		return;
	}
	ck_assert_int_eq(TF_OK, parse(&d, text, strlen(text), &err));
	ck_assert(tf_any_put(&b, &d, 0, 1000));
	assert_same(form, strlen(form), b.p, b.n);
	ck_assert_uint_eq(d.n, d.v[0].next);
	tf_buf_free(&b);
	tf_any_free(&d);
}
END_TEST

START_TEST(a_nul_is_a_byte_like_any_other)
{
	struct tf_any_doc d;

	ck_assert_int_eq(TF_INVALID, parse(&d, "{}\0", 3, NULL));
	ck_assert_int_eq(TF_INVALID, parse(&d, "\0{}", 3, NULL));
	ck_assert_int_eq(TF_INVALID, parse(&d, "\"\0\"", 3, NULL));
	ck_assert_int_eq(TF_INVALID, parse(&d, "\"\\\0\"", 4, NULL));
}
END_TEST

START_TEST(errors_name_line_and_column)
{
	static const char text[] = "{\n \"a\": 1,\n \"a\": 2\n}";
	struct tf_any_doc d;
	struct tf_error err;

	ck_assert_int_eq(TF_INVALID, parse(&d, text, strlen(text), &err));
	ck_assert_str_eq("line 4, column 1: an object has a key twice",
	    err.text);
	ck_assert_int_eq(TF_INVALID, parse(&d, "[1,\n  x]", 8, &err));
	ck_assert_str_eq("line 2, column 3: value expected", err.text);
}
END_TEST

static char *
repeated(const char *a, size_t na, const char *mid, const char *b, size_t *n)
{
	size_t la = strlen(a), lb = strlen(b), lm = strlen(mid);
	char *p = malloc(na * (la + lb) + lm + 1), *at = p;

	for (size_t i = 0; i < na; i++)
		at = memcpy(at, a, la), at += la;
	memcpy(at, mid, lm), at += lm;
	for (size_t i = 0; i < na; i++)
		at = memcpy(at, b, lb), at += lb;
	*n = (size_t)(at - p);
	return p;
}

static enum tf_code
parse_repeated(const char *a, size_t na, const char *mid, const char *b,
    struct tf_error *err)
{
	struct tf_any_doc d;
	size_t n;
	char *p = repeated(a, na, mid, b, &n);
	enum tf_code rc = tf_any_parse(&d, p, n, err);

	free(p);
	tf_any_free(&d);
	return rc;
}

/* Bombs: each limit is reached, and one more is refused. */
START_TEST(limits_hold)
{
	struct tf_error err;
	struct tf_any_doc d;
	char *p;

	ck_assert_int_eq(TF_OK, parse_repeated("[", 64, "", "]", &err));
	ck_assert_int_eq(TF_INVALID, parse_repeated("[", 65, "", "]", &err));
	ck_assert_int_eq(TF_OK, parse_repeated("{\"a\":", 63, "[]", "}", &err));
	ck_assert_int_eq(TF_INVALID,
	    parse_repeated("[", 1000000, "", "]", &err));
	ck_assert_int_eq(TF_OK, parse_repeated("", 0, "1e5", "", &err));
	/* The array is a value too. */
	p = malloc(3 * TF_ANY_VALUES);
	p[0] = '[';
	for (size_t i = 0; i < TF_ANY_VALUES; i++)
		memcpy(p + 1 + 2 * i, "1,", 2);
	p[2 * TF_ANY_VALUES - 2] = ']';
	ck_assert_int_eq(TF_OK,
	    tf_any_parse(&d, p, 2 * TF_ANY_VALUES - 1, &err));
	ck_assert_uint_eq(TF_ANY_VALUES, d.n);
	tf_any_free(&d);
	p[2 * TF_ANY_VALUES - 2] = ',';
	p[2 * TF_ANY_VALUES] = ']';
	ck_assert_int_eq(TF_TOOBIG,
	    tf_any_parse(&d, p, 2 * TF_ANY_VALUES + 1, &err));
	free(p);
	p = malloc(TF_ANY_BYTES + 1);
	memset(p, 'x', TF_ANY_BYTES + 1);
	p[0] = p[TF_ANY_BYTES - 1] = '"';
	ck_assert_int_eq(TF_OK, tf_any_parse(&d, p, TF_ANY_BYTES, &err));
	tf_any_free(&d);
	ck_assert_int_eq(TF_TOOBIG,
	    tf_any_parse(&d, p, TF_ANY_BYTES + 1, &err));
	memset(p, '9', TF_NUMBER_MAX + 1);
	ck_assert_int_eq(TF_OK, tf_any_parse(&d, p, TF_NUMBER_MAX, &err));
	tf_any_free(&d);
	ck_assert_int_eq(TF_INVALID,
	    tf_any_parse(&d, p, TF_NUMBER_MAX + 1, &err));
	free(p);
}
END_TEST

/* Equal keys are found among many, in any order. */
START_TEST(equal_keys_are_found_in_large_objects)
{
	struct tf_buf b = { 0 };
	struct tf_any_doc d;

	tf_buf_str(&b, "{");
	for (unsigned i = 0; i < 50000; i++)
		tf_buf_printf(&b, "\"k%u\":%u,", i * 7919 % 50000, i);
	tf_buf_str(&b, "\"k\":0}");
	ck_assert_int_eq(TF_OK, tf_any_parse(&d, b.p, b.n, NULL));
	ck_assert_uint_eq(50001, d.v[0].count);
	ck_assert_uint_eq(d.n - 1, tf_any_member(&d, 0, tf_str_of("k")));
	ck_assert_uint_eq(TF_ANY_NONE, tf_any_member(&d, 0, tf_str_of("x")));
	tf_any_free(&d);
	tf_buf_free(&b);
	tf_buf_str(&b, "{");
	for (unsigned i = 0; i < 50000; i++)
		tf_buf_printf(&b, "\"k%u\":%u,", i * 7919 % 50000, i);
	tf_buf_str(&b, "\"k777\":0}");
	ck_assert_int_eq(TF_INVALID, tf_any_parse(&d, b.p, b.n, NULL));
	tf_buf_free(&b);
}
END_TEST

static const struct {
	const char *a, *b;
	int order; /* 2: cannot be compared */
} numbers[] = {
	{ "0", "-0", 0 },
	{ "0", "0.000", 0 },
	{ "0e999999999999999999", "0", 0 },
	{ "1", "1.0", 0 },
	{ "10", "1e1", 0 },
	{ "0.1e1", "1", 0 },
	{ "100e-2", "1", 0 },
	{ "1", "2", -1 },
	{ "-1", "-2", 1 },
	{ "-1", "1", -1 },
	{ "-1", "0", -1 },
	{ "0", "1e-9", -1 },
	{ "9", "10", -1 },
	{ "1.5", "1.49", 1 },
	{ "0.1", "0.10000000000000000000000000000001", -1 },
	{ "9007199254740993", "9007199254740992", 1 },
	{ "18446744073709551616", "18446744073709551615", 1 },
	{ "1e400", "1e399", 1 },
	{ "1e-400", "0", 1 },
	{ "-1e400", "-1e401", 1 },
	{ "1e000000000000000000000001", "10", 0 },
	{ "1e999999999999999", "1e999999999999998", 1 },
	{ "1e1000000000000000", "1", 2 },
	{ "1", "1e-1000000000000000", 2 },
};

START_TEST(numbers_compare_as_decimals)
{
	struct tf_str a = tf_str_of(numbers[_i].a),
		      b = tf_str_of(numbers[_i].b);
	int order;

	ck_assert(tf_number_ok(a) && tf_number_ok(b));
	if (numbers[_i].order == 2) {
		ck_assert(!tf_number_cmp(a, b, &order));
		ck_assert(!tf_number_cmp(b, a, &order));
		return;
	}
	ck_assert(tf_number_cmp(a, b, &order));
	ck_assert_int_eq(numbers[_i].order, (order > 0) - (order < 0));
	ck_assert(tf_number_cmp(b, a, &order));
	ck_assert_int_eq(-numbers[_i].order, (order > 0) - (order < 0));
}
END_TEST

START_TEST(integers_are_known_by_their_value)
{
	static const char *const yes[] = { "0", "-0.0", "1", "1.0", "10e-1",
		"1.5e1", "1e400", "123456789012345678901234567890" };
	static const char *const no[] = { "0.5", "1.5", "1e-1", "15e-2",
		"1e1000000000000000" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		ck_assert(tf_number_is_integer(tf_str_of(yes[i])));
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		ck_assert(!tf_number_is_integer(tf_str_of(no[i])));
}
END_TEST

START_TEST(writing_stops_after_the_limit)
{
	static const char text[] = "{\"a\":[1,2,3],\"b\":\"0123456789\"}";
	struct tf_any_doc d;

	ck_assert_int_eq(TF_OK, tf_any_parse(&d, text, strlen(text), NULL));
	for (size_t max = 0; max <= strlen(text) + 1; max++) {
		struct tf_buf b = { 0 };

		ck_assert_int_eq(max >= strlen(text),
		    tf_any_put(&b, &d, 0, max));
		/* All that fits was written, and little more. */
		ck_assert_uint_ge(b.n, max < strlen(text) ? max : strlen(text));
		ck_assert_uint_lt(b.n, max + 16);
		ck_assert_mem_eq(text, b.p,
		    max < strlen(text) ? max : strlen(text));
		tf_buf_free(&b);
	}
	tf_any_free(&d);
}
END_TEST

Suite *
suite_json_any(void)
{
	Suite *s = suite_create("json_any");
	TCase *t = tcase_create("json_any");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, reader_accepts_all_of_json_and_nothing_else, 0,
	    sizeof(table) / sizeof(*table));
	tcase_add_test(t, a_nul_is_a_byte_like_any_other);
	tcase_add_test(t, errors_name_line_and_column);
	tcase_add_test(t, limits_hold);
	tcase_add_test(t, equal_keys_are_found_in_large_objects);
	tcase_add_loop_test(t, numbers_compare_as_decimals, 0,
	    sizeof(numbers) / sizeof(*numbers));
	tcase_add_test(t, integers_are_known_by_their_value);
	tcase_add_test(t, writing_stops_after_the_limit);
	suite_add_tcase(s, t);
	return s;
}
