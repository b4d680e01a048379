/* Texts that stand apart from their entries. */
#include <check.h>
#include <string.h>

#include "../../core/ledger/withheld.h"

#define SALT "0123456789abcdef"
#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Does the object of these bytes give this JSON?  NULL: it holds no text. */
static void
gives(const char *bytes, size_t n, size_t max, const char *json)
{
	struct tf_buf out = { 0 };
	bool ok = tf_withheld_text(bytes, n, max, &out);

	ck_assert_int_eq(json != NULL, ok);
	ck_assert_uint_eq(json == NULL ? 0 : strlen(json), out.n);
	if (json != NULL)
		ck_assert_mem_eq(json, out.p, out.n);
	tf_buf_free(&out);
}

START_TEST(an_object_is_a_salt_and_a_text)
{
	char longest[TF_WITHHELD_MAX + 1];

	gives(SALT "Ms. M\xc3\xbcller\n\"x\"\\", 32, 2048,
	    "\"Ms. M\xc3\xbcller\\n\\\"x\\\"\\\\\"");
	gives(SALT, 0, 2048, NULL);
	gives(SALT, 15, 2048, NULL);
	gives(SALT, 16, 2048, NULL);
	gives(SALT "\xff\xfe", 18, 2048, NULL);
	gives(SALT "a\x1b[2J", 21, 2048, NULL);
	gives(SALT "a\x7f", 18, 2048, NULL);
	gives(SALT "a\0b", 19, 2048, NULL);
	/* The limit is that of the field, with escapes. */
	gives(SALT "\"\"", 18, 3, NULL);
	gives(SALT "\"\"", 18, 4, "\"\\\"\\\"\"");
	memset(longest, 'a', sizeof(longest));
	gives(longest, sizeof(longest), SIZE_MAX, NULL);
}
END_TEST

/* --- where an entry has texts ------------------------------------------------ */

struct seen {
	char names[512];
	unsigned n;
};

/* Note the name; a text becomes X, and a digest stays. */
static enum tf_code
visit(void *arg, const struct tf_withheld *x, struct tf_buf *out,
    struct tf_error *err)
{
	struct seen *s = arg;

	(void)err;
	s->n++;
	strcat(s->names, x->name);
	strcat(s->names, x->is ? "! " : " ");
	if (!x->is)
		tf_buf_str(out, "\"X\"");
	return TF_OK;
}

static void
rewrites(const char *entry, const char *names, const char *want)
{
	struct seen s = { .names = "" };
	struct tf_buf out = { 0 };
	struct tf_error err;
	bool changed;

	ck_assert_int_eq(TF_OK,
	    tf_withheld_entry(entry, strlen(entry), visit, &s, &out, &changed,
		&err));
	ck_assert_str_eq(names, s.names);
	ck_assert_str_eq(want, out.p);
	ck_assert_int_eq(strcmp(entry, want) != 0, changed);
	tf_buf_free(&out);
}

START_TEST(texts_of_an_entry_are_found)
{
	rewrites(
	    "{\"claims\":{\"annotations\":{\"a\":\"1\",\"b\":{\"withheld\":"
	    "\"" HEX64 "\"}},\"compliant\":true,\"description\":\"d\","
	    "\"externalUrls\":{\"l\":{\"href\":\"h\"}},\"originUrl\":\"o\","
	    "\"type\":\"generic\"},\"type\":\"attestation.sealed\"}",
	    "annotation.a annotation.b! description external-url.l "
	    "origin-url ",
	    "{\"claims\":{\"annotations\":{\"a\":\"X\",\"b\":{\"withheld\":"
	    "\"" HEX64 "\"}},\"compliant\":true,\"description\":\"X\","
	    "\"externalUrls\":{\"l\":{\"href\":\"X\"}},\"originUrl\":\"X\","
	    "\"type\":\"generic\"},\"type\":\"attestation.sealed\"}");
	rewrites("{\"imported\":{\"by\":\"b\",\"id\":\"i\"},\"reason\":\"r\","
		 "\"type\":\"attestation.overridden\"}",
	    "imported.by imported.id reason ",
	    "{\"imported\":{\"by\":\"X\",\"id\":\"X\"},\"reason\":\"X\","
	    "\"type\":\"attestation.overridden\"}");
	rewrites("{\"to\":\"t\",\"type\":\"package.made\"}", "to ",
	    "{\"to\":\"X\",\"type\":\"package.made\"}");
}
END_TEST

/* Other types have no such fields, and what is malformed has no texts. */
START_TEST(nothing_else_is_a_text)
{
	static const char *const entries[] = {
		"{\"reason\":\"r\",\"type\":\"access.changed\"}",
		"{\"reason\":{\"withheld\":\"x\"},\"type\":\"hold.placed\"}",
		"{\"reason\":[\"r\"],\"type\":\"hold.placed\"}",
		"{\"claims\":\"c\",\"type\":\"claims.set\"}",
		"{\"path\":\"p\",\"type\":\"trail.created\"}",
		"{\"reason\":\"r\"}",
	};

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		rewrites(entries[i], "", entries[i]);
}
END_TEST

Suite *suite_withheld(void);

Suite *
suite_withheld(void)
{
	Suite *s = suite_create("withheld");
	TCase *t = tcase_create("texts");

	tcase_add_test(t, an_object_is_a_salt_and_a_text);
	tcase_add_test(t, texts_of_an_entry_are_found);
	tcase_add_test(t, nothing_else_is_a_text);
	suite_add_tcase(s, t);
	return s;
}
