#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/yaml.h"
#include "../../core/ledger/yaml_value.h"
#include "vectors.h"

/* --- what is accepted ----------------------------------------------------- */

/* Append each scalar as LINE:COLUMN=TEXT, with quotes unless it is plain, and
 * LINE:COLUMN[...] and LINE:COLUMN{...} for lists and maps. */
static uint32_t
tell(const struct tf_yaml *y, uint32_t i, struct tf_buf *out)
{
	const struct tf_yaml_node *v = &y->node[i];
	const char *quote = v->plain ? "" : "'";
	uint32_t k = i + 1;

	tf_buf_printf(out, " %u:%u", (unsigned)v->line, (unsigned)v->column);
	if (v->type == TF_YAML_SCALAR) {
		tf_buf_printf(out, "=%s%.*s%s", quote, (int)v->text.n,
		    v->text.p, quote);
		ck_assert_uint_eq(i + 1, v->next);
		return v->next;
	}
	tf_buf_str(out, v->type == TF_YAML_MAP ? "{" : "[");
	while (k < v->next)
		k = tell(y, k, out);
	ck_assert_uint_eq(k, v->next);
	tf_buf_str(out, v->type == TF_YAML_MAP ? "}" : "]");
	return v->next;
}

static const struct {
	const char *text, *tree;
} good[] = {
	{ "a", " 1:1=a" },
	{ "\xef\xbb\xbf"
	  "a: b\r\nc: d\r\n",
	    " 1:1{ 1:1=a 1:4=b 2:1=c 2:4=d}" },
	{ "# remark\n- a\n- 'b'\n- \"c\\x41\"\n",
	    " 2:1[ 2:3=a 3:3='b' 4:3='cA']" },
	{ "a:\n  - {b: 1, c: [d]}\nf:\n",
	    " 1:1{ 1:1=a 2:3[ 2:5{ 2:6=b 2:9=1 2:12=c 2:15[ 2:16=d]}]"
	    " 3:1=f 3:3=}" },
	{ "\xc3\xa9\xc3\xa9: x\n", " 1:1{ 1:1=\xc3\xa9\xc3\xa9 1:5=x}" },
	{ "a: b\rc: d\r", " 1:1{ 1:1=a 1:4=b 2:1=c 2:4=d}" },
	{ "%YAML 1.1\n---\na: >-\n  b\n  c\n...\n", " 3:1{ 3:1=a 3:4='b c'}" },
	{ "%YAML 1.2\n--- a\n", " 2:5=a" },
	{ "---\n", " 2:1=" },
	{ "a: 'x''y'\n", " 1:1{ 1:1=a 1:4='x'y'}" },
	{ "{a: {a: {}}, b: {a: []}}",
	    " 1:1{ 1:2=a 1:5{ 1:6=a 1:9{}} 1:14=b 1:17{ 1:18=a 1:21[]}}" },
};

START_TEST(a_text_becomes_the_tree_of_the_table)
{
	struct tf_buf said = { 0 };
	struct tf_error err = { 0 };
	struct tf_yaml y;

	ck_assert_msg(tf_yaml_parse(&y, good[_i].text, strlen(good[_i].text),
			  &err) == TF_OK,
	    "%s", err.text);
	ck_assert_uint_eq(y.n, tell(&y, 0, &said));
	ck_assert_str_eq(good[_i].tree, said.p);
	tf_buf_free(&said);
	tf_yaml_free(&y);
}
END_TEST

/* --- what is refused ------------------------------------------------------ */

#define BAD(text, error)                          \
	{                                         \
		(text), sizeof(text) - 1, (error) \
	}

static const struct {
	const char *text;
	size_t n;
	const char *error;
} bad[] = {
	BAD("", "line 1, column 1: the text is empty"),
	BAD("# only a remark\n", "line 1, column 1: the text is empty"),
	BAD("a: &x b\n", "line 1, column 4: anchors are not allowed"),
	BAD("- &x [a]\n", "line 1, column 3: anchors are not allowed"),
	BAD("- &x {a: b}\n", "line 1, column 3: anchors are not allowed"),
	BAD("a: b\nc: *x\n",
	    "line 2, column 4: aliases are not allowed; write \"*\" in quotes"),
	BAD("type: *\n",
	    "line 1, column 7: aliases are not allowed; write \"*\" in quotes"),
	BAD("a: !!str b\n", "line 1, column 4: tags are not allowed"),
	BAD("a: ! b\n", "line 1, column 4: tags are not allowed"),
	BAD("!!map {a: b}\n", "line 1, column 1: tags are not allowed"),
	BAD("a: !x [b]\n", "line 1, column 4: tags are not allowed"),
	BAD("%TAG ! tag:example.org,2026:\n---\na\n",
	    "line 1, column 1: %TAG is not allowed"),
	BAD("%YAML 1.3\n---\na\n",
	    "line 1, column 1: found incompatible YAML document"),
	BAD("%FOO bar\n---\na\n",
	    "line 1, column 5: found unknown directive name"),
	BAD("a\n---\nb\n", "line 2, column 1: a second document"),
	BAD("--- a\n--- a\n", "line 2, column 1: a second document"),
	BAD("a: 1\nb: 2\na: 3\nb: 4\n",
	    "line 3, column 1: the key a is there twice"),
	BAD("- {a: 1, \"a\": 2}\n",
	    "line 1, column 10: the key a is there twice"),
	BAD("a: {b: {c: 1, d: 2, c: 1}}\n",
	    "line 1, column 21: the key c is there twice"),
	BAD("? [a]\n: b\n", "line 1, column 3: a key must be a text"),
	BAD("{{a: b}: c}\n", "line 1, column 2: a key must be a text"),
	BAD("\"\": b\n", "line 1, column 1: an empty key"),
	BAD("? \n: b\n", "line 1, column 2: an empty key"),
	BAD("a: b\nc: \xff\n", "line 2, column 4: not valid UTF-8"),
	BAD("a: \xed\xa0\x80\n", "line 1, column 4: not valid UTF-8"),
	BAD("a: \xc3", "line 1, column 4: not valid UTF-8"),
	BAD("\xff\xfe"
	    "a\0",
	    "line 1, column 1: not valid UTF-8"),
	BAD("a: b\0c\n",
	    "line 1, column 5: the character U+0000 is not "
	    "allowed"),
	BAD("a: b\n# \x1b[31m\n",
	    "line 2, column 3: the character U+001B is not allowed"),
	BAD("a: \xe2\x80\xae"
	    "b\n",
	    "line 1, column 4: the character U+202E is not allowed"),
	BAD("a: \xc2\x85\n",
	    "line 1, column 4: the character U+0085 is not allowed"),
	BAD("a: \xef\xbb\xbf\n",
	    "line 1, column 4: the character U+FEFF is not allowed"),
	BAD("a: \xef\xbf\xbf\n",
	    "line 1, column 4: the character U+FFFF is not allowed"),
	BAD("\xc3\xa9\xc3\xa9: \x01\n",
	    "line 1, column 5: the character U+0001 is not allowed"),
	BAD("a: \"b\\0\"\n",
	    "line 1, column 4: a text with the character U+0000"),
	BAD("a: \"b\\u202e\"\n",
	    "line 1, column 4: a text with the character U+202E"),
	BAD("a: \"\\uFEFFb\"\n",
	    "line 1, column 4: a text with the character U+FEFF"),
	BAD("a: b\r\n\r\nc: \x01\r\n",
	    "line 3, column 4: the character U+0001 is not allowed"),
	BAD("a: b\r\rc: \x01\r",
	    "line 3, column 4: the character U+0001 is not allowed"),
	BAD("a: |\n  b\n  c\n",
	    "line 1, column 4: a text with the character U+000A"),
	BAD("\"a\\tb\": c\n",
	    "line 1, column 1: a text with the character U+0009"),
	BAD("a: [b\n", "line 2, column 1: did not find expected ',' or ']'"),
	BAD("a: b: c\n",
	    "line 1, column 5: mapping values are not allowed in "
	    "this context"),
	BAD("a:\n\t- b\n",
	    "line 2, column 1: found character that cannot start "
	    "any token"),
	BAD("a: 'b\n", "line 2, column 1: found unexpected end of stream"),
	BAD("\"\\ud800\"",
	    "line 1, column 4: found invalid Unicode character "
	    "escape code"),
};

static void
assert_refused(const char *text, size_t n, const char *error)
{
	struct tf_error err = { 0 };
	struct tf_yaml y;

	ck_assert_int_eq(TF_INVALID, tf_yaml_parse(&y, text, n, &err));
	ck_assert_str_eq(error, err.text);
	ck_assert_ptr_null(y.node);
	ck_assert_int_eq(TF_INVALID, tf_yaml_parse(&y, text, n, NULL));
}

START_TEST(a_text_is_refused_with_the_reason_of_the_table)
{
	/* As long as the text, so that a sanitizer sees one read too many. */
	char *copy = malloc(bad[_i].n + (bad[_i].n == 0));

	memcpy(copy, bad[_i].text, bad[_i].n);
	assert_refused(copy, bad[_i].n, bad[_i].error);
	free(copy);
}
END_TEST

/* n times a, then b, then n times c. */
static struct tf_buf
sandwich(size_t n, const char *a, const char *b, const char *c)
{
	struct tf_buf t = { 0 };

	for (size_t i = 0; i < n; i++)
		tf_buf_str(&t, a);
	tf_buf_str(&t, b);
	for (size_t i = 0; i < n; i++)
		tf_buf_str(&t, c);
	ck_assert(!t.failed);
	return t;
}

static void
assert_sandwich(size_t n, const char *a, const char *b, const char *c,
    const char *error)
{
	struct tf_buf t = sandwich(n, a, b, c);
	struct tf_yaml y;

	if (error != NULL) {
		assert_refused(t.p, t.n, error);
	} else {
		ck_assert_int_eq(TF_OK, tf_yaml_parse(&y, t.p, t.n, NULL));
		tf_yaml_free(&y);
	}
	tf_buf_free(&t);
}

START_TEST(the_limits_are_exact)
{
	static const char deep[] = "line 1, column 17: too many levels";
	struct tf_yaml none;

	ck_assert_int_eq(TF_INVALID, tf_yaml_parse(&none, NULL, 0, NULL));
	assert_sandwich(16, "[", "", "]", NULL);
	assert_sandwich(17, "[", "", "]", deep);
	assert_sandwich(5000, "[", "", "]", deep);
	assert_sandwich(60000, "[", "", "", deep);
	assert_sandwich(16000, "- ", "a", "",
	    "line 1, column 33: too many levels");
	assert_sandwich(15000, "{a: ", "a", "",
	    "line 1, column 65: too many levels");
	assert_sandwich(15000, "? ", "a", "",
	    "line 1, column 3: a key must be a text");
	/* A list and 8,191 values. */
	assert_sandwich(8191, "- \n", "", "", NULL);
	assert_sandwich(8192, "- \n", "", "",
	    "line 8192, column 2: too many values");
	assert_sandwich(65536, "a", "", "", NULL);
	assert_sandwich(65537, "a", "", "",
	    "line 1, column 65537: the text has more than 65536 bytes");
	assert_sandwich(10485760, "#", "", "",
	    "line 1, column 65537: the text has more than 65536 bytes");
	assert_sandwich(3495254, "\xe2\x82\xac", "", "",
	    "line 1, column 21846: the text has more than 65536 bytes");
	assert_sandwich(5242880, "a\n", "", "",
	    "line 32769, column 1: the text has more than 65536 bytes");
}
END_TEST

/* The billion laughs need anchors: the first one ends the reading. */
START_TEST(a_bomb_of_aliases_does_not_go_off)
{
	struct tf_buf t = { 0 };

	tf_buf_str(&t, "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol]\n");
	for (int i = 1; i < 100; i++)
		tf_buf_printf(&t,
		    "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
		    i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	assert_refused(t.p, t.n, "line 1, column 5: anchors are not allowed");
	tf_buf_free(&t);
}
END_TEST

/* --- values --------------------------------------------------------------- */

static struct tf_yaml
parsed(const char *text)
{
	struct tf_error err = { 0 };
	struct tf_yaml y;

	ck_assert_msg(tf_yaml_parse(&y, text, strlen(text), &err) == TF_OK,
	    "%s", err.text);
	return y;
}

enum as { STR, BOOL, UINT, SECONDS, STRS, MAP, LIST, NULLNESS };

/* value: what the function gives, or its error after "line 1, column 1: ". */
static const struct {
	const char *text;
	enum as as;
	const char *value;
} values[] = {
	{ "a", STR, "a" },
	{ "'a b'", STR, "a b" },
	{ "1001", STR, "1001" },
	{ "true", STR, "true" },
	{ "\"null\"", STR, "null" },
	{ "null", STR, "x is null; write \"null\" in quotes" },
	{ "~", STR, "x is null; write \"~\" in quotes" },
	{ "---\n", STR, "x is empty" },
	{ "''", STR, "x is empty" },
	{ "[a]", STR, "x must be a text" },
	{ "{a: b}", STR, "x must be a text" },
	{ "true", BOOL, "1" },
	{ "false", BOOL, "0" },
	{ "yes", BOOL, "x must be true or false" },
	{ "True", BOOL, "x must be true or false" },
	{ "'true'", BOOL, "x must be true or false" },
	{ "1", BOOL, "x must be true or false" },
	{ "~", BOOL, "x must be true or false" },
	{ "[true]", BOOL, "x must be true or false" },
	{ "2", UINT, "2" },
	{ "100", UINT, "100" },
	{ "1", UINT, "x must be a number from 2 to 100" },
	{ "101", UINT, "x must be a number from 2 to 100" },
	{ "007", UINT, "x must be a number from 2 to 100" },
	{ "+7", UINT, "x must be a number from 2 to 100" },
	{ "-7", UINT, "x must be a number from 2 to 100" },
	{ "7.0", UINT, "x must be a number from 2 to 100" },
	{ "0x7", UINT, "x must be a number from 2 to 100" },
	{ "1_0", UINT, "x must be a number from 2 to 100" },
	{ "'7'", UINT, "x must be a number from 2 to 100" },
	{ "99999999999999999999", UINT, "x must be a number from 2 to 100" },
	{ "[7]", UINT, "x must be a number from 2 to 100" },
	{ "1s", SECONDS, "1" },
	{ "90m", SECONDS, "5400" },
	{ "24h", SECONDS, "86400" },
	{ "'7d'", SECONDS, "604800" },
	{ "36600d", SECONDS, "3162240000" },
#define NOT_SECONDS "x must be a number and s, m, h or d, as in 24h"
	{ "36601d", SECONDS, NOT_SECONDS },
	{ "0s", SECONDS, NOT_SECONDS },
	{ "24", SECONDS, NOT_SECONDS },
	{ "h", SECONDS, NOT_SECONDS },
	{ "1w", SECONDS, NOT_SECONDS },
	{ "1 h", SECONDS, NOT_SECONDS },
	{ "1.5h", SECONDS, NOT_SECONDS },
	{ "-1h", SECONDS, NOT_SECONDS },
	{ "1h30m", SECONDS, NOT_SECONDS },
	{ "18446744073709551617s", SECONDS, NOT_SECONDS },
	{ "~", SECONDS, NOT_SECONDS },
	{ "[24h]", SECONDS, NOT_SECONDS },
	{ "[a, 'b', 7]", STRS, "a b 7 " },
	{ "[]", STRS, "" },
	{ "a", STRS, "x must be a list" },
	{ "{}", STRS, "x must be a list" },
	{ "{a: b}", MAP, "ok" },
	{ "{}", MAP, "ok" },
	{ "{a: b, d: c}", MAP, "ok" },
	{ "[]", MAP, "x must have keys" },
	{ "a", MAP, "x must have keys" },
	{ "~", MAP, "x must have keys" },
	{ "[]", LIST, "ok" },
	{ "{}", LIST, "x must be a list" },
	{ "a", LIST, "x must be a list" },
	{ "null", NULLNESS, "1" },
	{ "Null", NULLNESS, "1" },
	{ "NULL", NULLNESS, "1" },
	{ "~", NULLNESS, "1" },
	{ "nil", NULLNESS, "0" },
	{ "'~'", NULLNESS, "0" },
	{ "[]", NULLNESS, "0" },
};

static enum tf_code
ask(const struct tf_yaml *y, enum as as, struct tf_buf *out,
    struct tf_error *err)
{
	static const char *const known[] = { "a", "d", NULL };
	struct tf_str s, list[TF_YAML_STRS];
	enum tf_code rc = TF_OK;
	uint64_t n = 0;
	bool flag;

	switch (as) {
	case STR:
		if ((rc = tf_yaml_str(y, 0, "x", &s, err)) == TF_OK)
			tf_buf_add(out, s.p, s.n);
		break;
	case BOOL:
		if ((rc = tf_yaml_bool(y, 0, "x", &flag, err)) == TF_OK)
			tf_buf_printf(out, "%d", flag);
		break;
	case UINT:
		if ((rc = tf_yaml_uint(y, 0, "x", 2, 100, &n, err)) == TF_OK)
			tf_buf_printf(out, "%llu", (unsigned long long)n);
		break;
	case SECONDS:
		if ((rc = tf_yaml_seconds(y, 0, "x", &n, err)) == TF_OK)
			tf_buf_printf(out, "%llu", (unsigned long long)n);
		break;
	case STRS:
		if ((rc = tf_yaml_strs(y, 0, "x", list, err)) != TF_OK)
			break;
		for (size_t i = 0; i < tf_yaml_count(y, 0); i++)
			tf_buf_printf(out, "%.*s ", (int)list[i].n, list[i].p);
		break;
	case MAP:
		if ((rc = tf_yaml_map(y, 0, "x", known, err)) == TF_OK)
			tf_buf_str(out, "ok");
		break;
	case LIST:
		if ((rc = tf_yaml_list(y, 0, "x", err)) == TF_OK)
			tf_buf_str(out, "ok");
		break;
	case NULLNESS:
		tf_buf_printf(out, "%d", tf_yaml_null(y, 0));
		break;
	}
	return rc;
}

START_TEST(who_asks_decides_what_a_scalar_is)
{
	struct tf_yaml y = parsed(values[_i].text);
	struct tf_error err = { 0 };
	struct tf_buf said = { 0 };

	tf_buf_str(&said, "");
	if (ask(&y, values[_i].as, &said, &err) != TF_OK) {
		ck_assert_int_eq(TF_INVALID, err.code);
		ck_assert_int_eq(0, strncmp(err.text, "line ", 5));
		ck_assert_ptr_nonnull(strstr(err.text, ": "));
		tf_buf_str(&said, strstr(err.text, ": ") + 2);
	}
	ck_assert_str_eq(values[_i].value, said.p);
	tf_buf_free(&said);
	tf_yaml_free(&y);
}
END_TEST

START_TEST(keys_are_found_in_their_own_map_only)
{
	struct tf_yaml y = parsed("a: {b: 1, c: [b, 2]}\nb: {a: 3}\ncc: 4\n");
	static const char *const known[] = { "a", "b", NULL };
	struct tf_error err = { 0 };
	int a = tf_yaml_get(&y, 0, "a"), b = tf_yaml_get(&y, 0, "b");

	ck_assert_uint_eq(3, tf_yaml_count(&y, 0));
	ck_assert_uint_eq(2, tf_yaml_count(&y, a));
	ck_assert_uint_eq(2, tf_yaml_count(&y, tf_yaml_get(&y, a, "c")));
	ck_assert_uint_eq(2, y.node[b].line);
	ck_assert_uint_eq(4, y.node[b].column);
	ck_assert_int_eq(-1, tf_yaml_get(&y, b, "b"));
	ck_assert_int_eq(-1, tf_yaml_get(&y, 0, "c"));
	ck_assert_int_eq(-1, tf_yaml_get(&y, 0, "c"));
	ck_assert_int_eq(TF_INVALID,
	    tf_yaml_map(&y, 0, "the text", known, &err));
	ck_assert_str_eq("line 3, column 1: the text has no key cc", err.text);
	tf_yaml_free(&y);
}
END_TEST

START_TEST(lists_of_texts_have_each_once_and_not_too_many)
{
	struct tf_yaml y = parsed("[a, b, 'a']");
	struct tf_str out[TF_YAML_STRS];
	struct tf_error err = { 0 };
	struct tf_buf t = { 0 };

	ck_assert_int_eq(TF_INVALID, tf_yaml_strs(&y, 0, "x", out, &err));
	ck_assert_str_eq("line 1, column 8: x has a twice", err.text);
	tf_yaml_free(&y);

	y = parsed("[a, [b]]");
	ck_assert_int_eq(TF_INVALID, tf_yaml_strs(&y, 0, "x", out, &err));
	ck_assert_str_eq("line 1, column 5: x must be a text", err.text);
	tf_yaml_free(&y);

	for (int i = 0; i < TF_YAML_STRS; i++)
		tf_buf_printf(&t, "- %d\n", i);
	y = parsed(t.p);
	ck_assert_int_eq(TF_OK, tf_yaml_strs(&y, 0, "x", out, &err));
	tf_yaml_free(&y);
	tf_buf_str(&t, "- 256\n");
	y = parsed(t.p);
	ck_assert_int_eq(TF_INVALID, tf_yaml_strs(&y, 0, "x", out, &err));
	ck_assert_str_eq("line 257, column 3: x has more than 256 texts",
	    err.text);
	tf_yaml_free(&y);
	tf_buf_free(&t);
}
END_TEST

/* An error shows the begin of a long text, and no part of a character. */
START_TEST(errors_show_whole_characters)
{
	struct tf_buf t = sandwich(40, "", "a\xe2\x82\xac", "\xe2\x82\xac");
	struct tf_str s = { t.p, t.n };

	ck_assert_int_eq(40, tf_yaml_shown(s));
	s.p++;
	s.n--;
	ck_assert_int_eq(39, tf_yaml_shown(s));
	s.n = 39;
	ck_assert_int_eq(39, tf_yaml_shown(s));
	s.n = 0;
	ck_assert_int_eq(0, tf_yaml_shown(s));
	tf_buf_free(&t);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

Suite *
suite_yaml(void)
{
	Suite *s = suite_create("yaml");
	TCase *t = tcase_create("yaml");

	tcase_add_loop_test(t, a_text_becomes_the_tree_of_the_table, 0,
	    COUNT(good));
	tcase_add_loop_test(t, a_text_is_refused_with_the_reason_of_the_table,
	    0, COUNT(bad));
	tcase_add_test(t, the_limits_are_exact);
	tcase_add_test(t, a_bomb_of_aliases_does_not_go_off);
	tcase_add_loop_test(t, who_asks_decides_what_a_scalar_is, 0,
	    COUNT(values));
	tcase_add_test(t, keys_are_found_in_their_own_map_only);
	tcase_add_test(t, lists_of_texts_have_each_once_and_not_too_many);
	tcase_add_test(t, errors_show_whole_characters);
	suite_add_tcase(s, t);
	return s;
}
