#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/ledger/name.h"
#include "../../core/ledger/status.h"

/*
 * The table.  A template is "name:type" words, NULL none.  A report is
 * NAME[@N][:TYPE] and then letters: s sealed, o open, e open with evidence in
 * the ledger, x found not compliant, + and - overridden so.  The items wanted
 * are NAME=, a letter of the state (C, M), + or - when one decides, ! when
 * unexpected, and oN when version N is open.  sealed: the word when only what
 * is sealed counts, where it is another.
 */
static const struct {
	const char *template, *reports;
	enum tf_compliance word;
	const char *items;
	const char *sealed;
} table[] = {
	/* Nothing recorded is nothing to pass a gate with. */
	{ NULL, "", TF_INCOMPLETE, "", NULL },
	{ "", "", TF_INCOMPLETE, "", NULL },
	{ NULL, "a/o", TF_INCOMPLETE, "a=Mo1", NULL },
	/* No template: only what was reported counts. */
	{ NULL, "a/s", TF_COMPLIANT, "a=C+", NULL },
	{ NULL, "a/s b/sx", TF_NON_COMPLIANT, "a=C+ b=C-", NULL },
	{ NULL, "a:junit/s", TF_COMPLIANT, "a=C+", NULL },
	/* An open one counts with its first file, and is named. */
	{ NULL, "a/e", TF_COMPLIANT, "a=C+o1", "INCOMPLETE" },
	{ NULL, "a/s b/e", TF_COMPLIANT, "a=C+ b=C+o1", "INCOMPLETE" },
	{ NULL, "a/s b/o", TF_INCOMPLETE, "a=C+ b=Mo1", NULL },
	/* What has checks is judged when it is sealed. */
	{ NULL, "a:junit/e", TF_INCOMPLETE, "a=Mo1", NULL },
	{ "a:junit", "a/e", TF_INCOMPLETE, "a=Mo1", NULL },
	{ "a:generic", "a/e", TF_COMPLIANT, "a=C+o1", "INCOMPLETE" },
	{ "a:*", "a/e", TF_COMPLIANT, "a=C+o1", "INCOMPLETE" },
	/* What is not compliant weighs more than what is not there. */
	{ NULL, "a/sx b/o", TF_NON_COMPLIANT, "a=C- b=Mo1", NULL },
	{ "a:generic b:generic", "a/sx", TF_NON_COMPLIANT, "a=C- b=M", NULL },
	{ "a:generic b:generic", "c/sx", TF_NON_COMPLIANT, "a=M b=M c=C-!",
	    NULL },
	/* The highest version that counts decides, in whatever order. */
	{ NULL, "a/sx a@2/s", TF_COMPLIANT, "a=C+", NULL },
	{ NULL, "a/s a@2/sx", TF_NON_COMPLIANT, "a=C-", NULL },
	{ NULL, "a@2/s a/sx", TF_COMPLIANT, "a=C+", NULL },
	{ NULL, "a/sx a@2/sx a@10/s a@9/sx", TF_COMPLIANT, "a=C+", NULL },
	{ NULL, "a/s a@2/o", TF_COMPLIANT, "a=C+o2", NULL },
	{ NULL, "a/sx a@2/o", TF_NON_COMPLIANT, "a=C-o2", NULL },
	{ NULL, "a/sx a@2/e", TF_COMPLIANT, "a=C+o2", "NON-COMPLIANT" },
	/* An override decides for the version that it is of. */
	{ NULL, "a/sx+", TF_COMPLIANT, "a=C+", NULL },
	{ NULL, "a/s-", TF_NON_COMPLIANT, "a=C-", NULL },
	{ NULL, "a/sx+ a@2/sx", TF_NON_COMPLIANT, "a=C-", NULL },
	{ NULL, "a/s- a@2/s", TF_COMPLIANT, "a=C+", NULL },
	/* Slots. */
	{ "a:generic", "", TF_INCOMPLETE, "a=M", NULL },
	{ "a:generic", "a/s", TF_COMPLIANT, "a=C+", NULL },
	{ "a:generic", "a/o", TF_INCOMPLETE, "a=Mo1", NULL },
	{ "a:generic", "a@2/s", TF_COMPLIANT, "a=C+", NULL },
	{ "b:generic a:generic", "a/s", TF_INCOMPLETE, "a=C+ b=M", NULL },
	{ "a:*", "a:snyk/s", TF_COMPLIANT, "a=C+", NULL },
	{ "a:*", "a/s", TF_COMPLIANT, "a=C+", NULL },
	{ "a:junit", "a:junit/s", TF_COMPLIANT, "a=C+", NULL },
	{ "a:custom:x", "a:custom:x/s", TF_COMPLIANT, "a=C+", NULL },
	/* Of another type it does not fill the slot, and still counts. */
	{ "a:junit", "a/s", TF_INCOMPLETE, "a=M+", NULL },
	{ "a:junit", "a:snyk/sx", TF_NON_COMPLIANT, "a=M-", NULL },
	{ "a:generic", "a:junit/s", TF_INCOMPLETE, "a=M+", NULL },
	{ "a:junit", "a:junit/s a@2/s", TF_INCOMPLETE, "a=M+", NULL },
	/* Unexpected. */
	{ "", "a/s", TF_COMPLIANT, "a=C+!", NULL },
	{ "a:generic", "a/s b/s", TF_COMPLIANT, "a=C+ b=C+!", NULL },
	{ "a:generic", "a/s b/sx", TF_NON_COMPLIANT, "a=C+ b=C-!", NULL },
	{ "a:generic", "a/s b/o", TF_INCOMPLETE, "a=C+ b=M!o1", NULL },
	{ "a:generic", "a/s b/e", TF_COMPLIANT, "a=C+ b=C+!o1", "INCOMPLETE" },
	/* Names that begin alike are different names. */
	{ "a:generic ab:generic", "ab/s", TF_INCOMPLETE, "a=M ab=C+", NULL },
};

#define MAX 8

static struct tf_str
part(const char *s, size_t n)
{
	return (struct tf_str){ n == 0 ? NULL : s, n };
}

static size_t
read_template(char *text, struct tf_slot *out)
{
	size_t n = 0;

	for (char *w; (w = strsep(&text, " ")) != NULL;) {
		size_t len = strcspn(w, ":");

		if (*w == '\0')
			continue;
		out[n].name = part(w, len);
		out[n++].type = part(w + len + 1, strlen(w + len + 1));
	}
	return n;
}

static size_t
read_reports(char *text, struct tf_reported *out)
{
	size_t n = 0;

	for (char *w; (w = strsep(&text, " ")) != NULL;) {
		size_t end = strcspn(w, "/"), len = strcspn(w, ":/");

		if (*w == '\0')
			continue;
		out[n].name = part(w, len);
		if (len < end)
			out[n].type = part(w + len + 1, end - len - 1);
		out[n].sealed = strchr(w + end, 's') != NULL;
		out[n].has_evidence = strchr(w + end, 'e') != NULL;
		out[n].denied = strchr(w + end, 'x') != NULL;
		out[n].override = strchr(w + end, '+') != NULL;
		out[n].overridden = out[n].override ||
		    strchr(w + end, '-') != NULL;
		n++;
	}
	return n;
}

static unsigned
version(const struct tf_reported *r)
{
	unsigned v;

	(void)tf_name_version(r->name.p, r->name.n, &v);
	return v;
}

START_TEST(the_status_is_that_of_the_table)
{
	char template[128] = "", reports[128];
	struct tf_reported r[MAX] = { 0 };
	struct tf_slot slots[MAX] = { 0 };
	struct tf_template t = { .slots = slots };
	struct tf_buf said = { 0 };
	struct tf_case c = { .reports = r, .sealed_only = true };
	struct tf_status s;

	if (table[_i].template != NULL)
		strcpy(template, table[_i].template);
	strcpy(reports, table[_i].reports);
	t.n = read_template(template, slots);
	c.template = table[_i].template != NULL ? &t : NULL;
	c.n = read_reports(reports, r);
	ck_assert_int_eq(TF_OK, tf_status_judge(&c, &s, NULL));
	ck_assert_str_eq(table[_i].sealed != NULL ?
		table[_i].sealed :
		tf_compliance_word(table[_i].word),
	    tf_compliance_word(s.word));
	tf_status_free(&s);
	c.sealed_only = false;
	ck_assert_int_eq(TF_OK, tf_status_judge(&c, &s, NULL));
	tf_buf_str(&said, "");
	for (size_t i = 0; i < s.n; i++) {
		const struct tf_status_item *m = &s.items[i];

		tf_buf_printf(&said, "%s%.*s=%c%s%s", i > 0 ? " " : "",
		    (int)m->name.n, m->name.p, *tf_item_word(m->state),
		    !m->reported     ? "" :
			m->compliant ? "+" :
				       "-",
		    m->unexpected ? "!" : "");
		if (m->open != SIZE_MAX)
			tf_buf_printf(&said, "o%u", version(&r[m->open]));
	}
	ck_assert_str_eq(table[_i].items, said.p);
	ck_assert_str_eq(tf_compliance_word(table[_i].word),
	    tf_compliance_word(s.word));
	tf_buf_free(&said);
	tf_status_free(&s);
}
END_TEST

START_TEST(the_words_are_those_of_the_manual)
{
	ck_assert_str_eq("COMPLIANT", tf_compliance_word(TF_COMPLIANT));
	ck_assert_str_eq("NON-COMPLIANT", tf_compliance_word(TF_NON_COMPLIANT));
	ck_assert_str_eq("INCOMPLETE", tf_compliance_word(TF_INCOMPLETE));
	ck_assert_str_eq("COMPLETE", tf_item_word(TF_ITEM_COMPLETE));
	ck_assert_str_eq("MISSING", tf_item_word(TF_ITEM_MISSING));
}
END_TEST

Suite *
suite_status(void)
{
	Suite *s = suite_create("status");
	TCase *t = tcase_create("status");

	tcase_add_loop_test(t, the_status_is_that_of_the_table, 0,
	    (int)(sizeof(table) / sizeof(table[0])));
	tcase_add_test(t, the_words_are_those_of_the_manual);
	suite_add_tcase(s, t);
	return s;
}
