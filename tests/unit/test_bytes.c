#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../core/base/bytes.h"
#include "../../core/base/time_text.h"
#include "vectors.h"

START_TEST(a_buffer_grows_and_ends_in_nul)
{
	struct tf_buf b = { 0 };

	for (int i = 0; i < 1000; i++)
		tf_buf_printf(&b, "%03d", i);
	ck_assert_uint_eq(3000, b.n);
	ck_assert_uint_eq(3000, strlen(b.p));
	tf_buf_add(&b, NULL, 0);
	tf_buf_add(&b, "\0x", 2);
	ck_assert_uint_eq(3002, b.n);
	ck_assert(!b.failed);
	tf_buf_free(&b);
	ck_assert(b.p == NULL && b.n == 0);
	tf_buf_free(NULL);
}
END_TEST

START_TEST(a_buffer_that_failed_stays_as_it_was)
{
	struct tf_buf b = { 0 };

	tf_buf_str(&b, "kept");
	tf_buf_add(&b, "x", SIZE_MAX / 2);
	ck_assert(b.failed);
	tf_buf_str(&b, "lost");
	ck_assert_str_eq("kept", b.p);
	tf_buf_free(&b);
}
END_TEST

START_TEST(runs_of_bytes_have_an_order)
{
	static const struct tf_str rising[] = { { "", 0 }, { "a", 1 },
		{ "a\0", 2 }, { "ab", 2 }, { "b", 1 }, { "\xff", 1 } };
	struct tf_buf empty = { 0 };

	for (int i = 0; i < 6; i++)
		for (int k = 0; k < 6; k++) {
			int d = tf_str_cmp(rising[i], rising[k]);

			ck_assert_int_eq((i > k) - (i < k), (d > 0) - (d < 0));
			ck_assert(tf_str_same(rising[i], rising[k]) ==
			    (i == k));
		}
	ck_assert(tf_str_same((struct tf_str){ NULL, 0 }, rising[0]));
	ck_assert_str_eq("", tf_buf_bytes(&empty).p);
	ck_assert_uint_eq(0, tf_buf_bytes(&empty).n);
	tf_buf_str(&empty, "b");
	ck_assert(tf_str_same(rising[4], tf_buf_bytes(&empty)));
	tf_buf_free(&empty);
}
END_TEST

START_TEST(hex_is_lower_case_and_exact)
{
	uint8_t b[4];
	char text[9];

	tf_hex("\x00\x9f\xa5\xff", 4, text);
	ck_assert_str_eq("009fa5ff", text);
	ck_assert(tf_unhex(text, 8, b, 4));
	ck_assert_mem_eq("\x00\x9f\xa5\xff", b, 4);
	ck_assert(!tf_unhex("009FA5FF", 8, b, 4));
	ck_assert(!tf_unhex("009fa5ff", 8, b, 3));
	ck_assert(!tf_unhex("009fa5f", 7, b, 3));
	ck_assert(!tf_unhex("009fa5f ", 8, b, 4));
	ck_assert(!tf_unhex("009fa5f\xff", 8, b, 4));
	ck_assert(tf_unhex("", 0, b, 0));
}
END_TEST

/* RFC 4648 section 10. */
START_TEST(base64_has_the_published_values)
{
	static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" },
		{ "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct tf_buf text = { 0 }, back = { 0 };

		tf_base64(&text, pairs[i][0], strlen(pairs[i][0]));
		ck_assert_str_eq(pairs[i][1], text.p);
		ck_assert(tf_unbase64(text.p, text.n, &back));
		ck_assert_str_eq(pairs[i][0], back.p);
		tf_buf_free(&text);
		tf_buf_free(&back);
	}
}
END_TEST

START_TEST(base64_of_any_bytes_comes_back)
{
	uint64_t seed = 7;

	for (size_t n = 0; n < 200; n++) {
		struct tf_buf text = { 0 }, back = { 0 };
		uint8_t bytes[200];

		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)chance(&seed);
		tf_buf_str(&back, "before");
		tf_base64(&text, bytes, n);
		ck_assert(tf_unbase64(text.p, text.n, &back));
		ck_assert_uint_eq(n + 6, back.n);
		ck_assert_mem_eq("before", back.p, 6);
		ck_assert_mem_eq(bytes, back.p + 6, n);
		tf_buf_free(&text);
		tf_buf_free(&back);
	}
}
END_TEST

START_TEST(base64_in_another_form_is_refused)
{
	static const char *const bad[] = { "Z", "Zg",
		"Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v=", "Zm9vZg",
		"====", "Z===", "Zg==Zg==", "Zm-v", "Zm_v", "Zm9v\n", "Zm 9v",
		"Zm9v Zm9", "=m9v", "Z=9v", "Zm=v", "Zm9\xff" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tf_buf b = { 0 };

		tf_buf_str(&b, "kept");
		ck_assert_msg(!tf_unbase64(bad[i], strlen(bad[i]), &b),
		    "%s was taken", bad[i]);
		ck_assert_str_eq("kept", b.p);
		tf_buf_free(&b);
	}
}
END_TEST

START_TEST(big_endian_numbers_stand_high_byte_first)
{
	uint8_t b[8];

	tf_put_be64(b, 0x0102030405060708);
	ck_assert_mem_eq("\1\2\3\4\5\6\7\10", b, 8);
	ck_assert_uint_eq(0x01020304, tf_get_be32(b));
	ck_assert_uint_eq(0x0102, tf_get_be16(b));
	tf_put_be32(b, 0xfffefdfc);
	ck_assert_uint_eq(0xfffefdfc, tf_get_be32(b));
	tf_put_be16(b, 0xabcd);
	ck_assert_uint_eq(0xabcd, tf_get_be16(b));
}
END_TEST

static char *
utf8_of(uint32_t c, char out[5])
{
	memset(out, 0, 5);
	if (c < 0x80) {
		out[0] = (char)c;
	} else if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
	} else {
		out[0] = (char)(0xf0 | c >> 18);
		out[1] = (char)(0x80 | (c >> 12 & 63));
		out[2] = (char)(0x80 | (c >> 6 & 63));
		out[3] = (char)(0x80 | (c & 63));
	}
	return out;
}

START_TEST(utf8_takes_each_character_and_no_surrogate)
{
	for (uint32_t c = 0; c < 0x120000; c++) {
		unsigned len = c < 0x80 ? 1 :
		    c < 0x800		? 2 :
		    c < 0x10000		? 3 :
					  4;
		bool good = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		char text[5];
		uint32_t got = 0;

		utf8_of(c, text);
		must(tf_utf8(text, 4, &got) == (good ? len : 0));
		must(!good || got == c);
		must(!good || tf_utf8(text, len - 1, &got) == 0);
	}
}
END_TEST

START_TEST(utf8_that_is_overlong_or_cut_is_refused)
{
	static const char *const bad[] = { "\x80", "\xc0\xaf", "\xc1\xbf",
		"\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xff", "\xc3", "\xc3(", "\xe2\x82", "\xe2(\xa1",
		"\xf0\x9f\x98", "\xf0\x9f(\x80" };
	uint32_t c;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_uint_eq(0, tf_utf8(bad[i], strlen(bad[i]), &c));
	ck_assert_uint_eq(0, tf_utf8("", 0, &c));
}
END_TEST

START_TEST(decimal_has_one_form)
{
	static const char *const bad[] = { "", "00", "01", "+1", "-1", " 1",
		"1 ", "1a", "18446744073709551616", "99999999999999999999" };
	uint64_t v;

	ck_assert(tf_decimal("0", 1, 0, &v) && v == 0);
	ck_assert(tf_decimal("18446744073709551615", 20, UINT64_MAX, &v));
	ck_assert_uint_eq(UINT64_MAX, v);
	ck_assert(tf_decimal("9223372036854775807", 19, INT64_MAX, &v));
	ck_assert(!tf_decimal("9223372036854775808", 19, INT64_MAX, &v));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert(!tf_decimal(bad[i], strlen(bad[i]), UINT64_MAX, &v));
}
END_TEST

START_TEST(numbers_of_bytes_may_end_in_a_unit)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = { { "0", 0 }, { "0K", 0 }, { "1000", 1000 }, { "1K", 1024 },
		{ "3M", 3 << 20 }, { "1G", 1 << 30 },
		{ "2T", UINT64_C(2) << 40 },
		{ "8388607T", UINT64_C(8388607) << 40 } };
	static const char *const bad[] = { "", "K", "KK", "1KK", "1k", "1B",
		"1 K", "01K", "-1K", "8388608T", "9223372036854775808",
		"18014398509481984K", "18446744073709551615T" };
	uint64_t v;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert(tf_decimal_bytes(good[i].text, strlen(good[i].text),
		    INT64_MAX, &v));
		ck_assert_uint_eq(good[i].bytes, v);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert(!tf_decimal_bytes(bad[i], strlen(bad[i]), INT64_MAX,
		    &v));
}
END_TEST

/* Against the C library, a step of about 11 days over all years. */
START_TEST(times_are_those_of_the_c_library)
{
	uint64_t seed = 11;

	for (int64_t s = -62135596800; s <= 253402300799;
	     s += 900000 + (int64_t)(chance(&seed) % 100000)) {
		struct tf_time t = { s,
			(uint32_t)(chance(&seed) % 1000000000) };
		struct tf_time back;
		char want[80], got[TF_TIME_LEN + 1];
		time_t clock = (time_t)s;
		struct tm tm;

		must(gmtime_r(&clock, &tm) != NULL);
		(void)snprintf(want, sizeof(want),
		    "%04d-%02d-%02dT%02d:%02d:%02d.%09uZ", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		    t.ns);
		tf_time_text(t, got);
		must(strcmp(want, got) == 0);
		must(tf_time_parse(got, TF_TIME_LEN, &back));
		must(tf_time_cmp(t, back) == 0);
	}
}
END_TEST

START_TEST(times_in_another_form_are_refused)
{
	static const char *const bad[] = { "2026-11-23T07:50:00Z",
		"2026-11-23T07:50:00.123Z", "2026-11-23T07:50:00.1234567890Z",
		"2026-11-23t07:50:00.123456789Z",
		"2026-11-23T07:50:00.123456789z",
		"2026-11-23 07:50:00.123456789Z",
		"2026-11-23T07:50:60.000000000Z",
		"2026-11-23T07:60:00.000000000Z",
		"2026-11-23T24:00:00.000000000Z",
		"2026-11-31T07:50:00.000000000Z",
		"2026-00-23T07:50:00.000000000Z",
		"2026-13-23T07:50:00.000000000Z",
		"2026-11-00T07:50:00.000000000Z",
		"2026-02-29T07:50:00.000000000Z",
		"1900-02-29T07:50:00.000000000Z",
		"0000-11-23T07:50:00.000000000Z",
		"-001-11-23T07:50:00.000000000Z",
		"2026-11-23T07:50:00.00000000 Z",
		"2026-11-23T+7:50:00.000000000Z" };
	struct tf_time t;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!tf_time_parse(bad[i], strlen(bad[i]), &t),
		    "%s was taken", bad[i]);
	ck_assert(tf_time_parse("2000-02-29T23:59:59.999999999Z", 30, &t));
	ck_assert_int_eq(951868799, t.s);
}
END_TEST

START_TEST(times_beyond_the_years_are_clamped)
{
	char text[TF_TIME_LEN + 1];

	tf_time_text((struct tf_time){ INT64_MIN, 7 }, text);
	ck_assert_str_eq("0001-01-01T00:00:00.000000000Z", text);
	tf_time_text((struct tf_time){ INT64_MAX, 7 }, text);
	ck_assert_str_eq("9999-12-31T23:59:59.999999999Z", text);
	tf_time_text((struct tf_time){ 0, UINT32_MAX }, text);
	ck_assert_str_eq("1970-01-01T00:00:00.999999999Z", text);
}
END_TEST

START_TEST(nanoseconds_carry_into_seconds)
{
	struct tf_time t = { -1, 999999999 };

	t = tf_time_add_ns(t, 1);
	ck_assert(t.s == 0 && t.ns == 0);
	t = tf_time_add_ns(t, 2999999999u);
	ck_assert(t.s == 2 && t.ns == 999999999);
	t = tf_time_add_ns((struct tf_time){ INT64_MAX, 5 }, UINT64_MAX);
	ck_assert(t.s == INT64_MAX && t.ns == 999999999);
}
END_TEST

Suite *
suite_bytes(void)
{
	Suite *s = suite_create("bytes");
	TCase *t = tcase_create("bytes");

	tcase_add_test(t, a_buffer_grows_and_ends_in_nul);
	tcase_add_test(t, a_buffer_that_failed_stays_as_it_was);
	tcase_add_test(t, runs_of_bytes_have_an_order);
	tcase_add_test(t, hex_is_lower_case_and_exact);
	tcase_add_test(t, base64_has_the_published_values);
	tcase_add_test(t, base64_of_any_bytes_comes_back);
	tcase_add_test(t, base64_in_another_form_is_refused);
	tcase_add_test(t, big_endian_numbers_stand_high_byte_first);
	tcase_add_test(t, utf8_takes_each_character_and_no_surrogate);
	tcase_add_test(t, utf8_that_is_overlong_or_cut_is_refused);
	tcase_add_test(t, decimal_has_one_form);
	tcase_add_test(t, numbers_of_bytes_may_end_in_a_unit);
	tcase_add_test(t, times_are_those_of_the_c_library);
	tcase_add_test(t, times_in_another_form_are_refused);
	tcase_add_test(t, times_beyond_the_years_are_clamped);
	tcase_add_test(t, nanoseconds_carry_into_seconds);
	suite_add_tcase(s, t);
	return s;
}
