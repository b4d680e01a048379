#include <check.h>

#include "../../core/base/html.h"

/* Text, and what is seen of it. */
static const struct {
	const char *text, *html;
} texts[] = {
	{ "plain \xc3\xbc", "plain \xc3\xbc" },
	{ "<script>&amp;", "&lt;script&gt;&amp;amp;" },
	{ "\"' onload='x", "&quot;&#39; onload=&#39;x" },
	{ "%s %n %%", "%s %n %%" },
	{ "a\nb\tc", "a\nb\tc" },
	{ "\x01\x7f", "[U+0001][U+007F]" },
	{ "a\xe2\x80\xae"
	  "b",
	    "a[U+202E]b" },
	{ "\xe2\x81\xa6", "[U+2066]" },
	/* Not UTF-8, cut, overlong: none of it swallows what follows. */
	{ "\xff<", "\xef\xbf\xbd&lt;" },
	{ "\xc3<", "\xef\xbf\xbd&lt;" },
	{ "\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd" },
};

START_TEST(text_is_never_markup)
{
	struct tf_buf b = { 0 };

	tf_html(&b, "<p title=\"%s\">", texts[_i].text);
	ck_assert_int_eq(0, strncmp(b.p, "<p title=\"", 10));
	ck_assert_str_eq("\">", b.p + b.n - 2);
	b.p[b.n - 2] = '\0';
	ck_assert_str_eq(texts[_i].html, b.p + 10);
	tf_buf_free(&b);
}
END_TEST

START_TEST(arguments_come_out_in_their_kinds)
{
	struct tf_buf b = { 0 };

	tf_html(&b, "<i>%.*s %u %zu %llu %llu %llu 5%%</i>", 2, "<ab>", 7u,
	    (size_t)1234, 999ull, 1000ull, 18446744073709551615ull);
	ck_assert_str_eq("<i>&lt;a 7 1234 999 1,000 "
			 "18,446,744,073,709,551,615 5%</i>",
	    b.p);
	tf_buf_free(&b);
}
END_TEST

START_TEST(a_path_is_a_path_to_any_browser)
{
	struct tf_buf b = { 0 };
	const char path[] = "../a b/%41?x#y:javascript\\\"<'\xc3\xbc&~-_.";

	tf_html_path(&b, path, sizeof(path) - 1);
	ck_assert_str_eq("../a%20b/%2541%3Fx%23y%3Ajavascript%5C%22%3C%27"
			 "%C3%BC%26~-_.",
	    b.p);
	tf_buf_free(&b);
}
END_TEST

Suite *
suite_html(void)
{
	Suite *s = suite_create("html");
	TCase *t = tcase_create("html");

	tcase_add_loop_test(t, text_is_never_markup, 0,
	    (int)(sizeof(texts) / sizeof(texts[0])));
	tcase_add_test(t, arguments_come_out_in_their_kinds);
	tcase_add_test(t, a_path_is_a_path_to_any_browser);
	suite_add_tcase(s, t);
	return s;
}
