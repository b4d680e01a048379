#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/ledger/status.h"

/*
 * The table.  A template is "name:type" words, NULL none.  A report is
 * NAME[@N][:TYPE] and then letters: s sealed, o open, x found not compliant,
 * + and - overridden so.  The items wanted are NAME=, a letter of the state
 * (C, M, O), then + or - when one decides, ! when unexpected.
 */
static const struct {
	const char *template, *reports;
	enum tf_compliance word;
	const char *items;
} table[] = {
	/* No template: only what was reported counts. */
	{ NULL, "", TF_COMPLIANT, "" },
	{ NULL, "a/s", TF_COMPLIANT, "a=C+" },
	{ NULL, "a/s b/sx", TF_NON_COMPLIANT, "a=C+ b=C-" },
	{ NULL, "a:junit/s", TF_COMPLIANT, "a=C+" },
	/* Begun is not reported. */
	{ NULL, "a/o", TF_INCOMPLETE, "a=O" },
	{ NULL, "a/s b/o", TF_INCOMPLETE, "a=C+ b=O" },
	{ NULL, "a/ox", TF_INCOMPLETE, "a=O" },
	/* What is not compliant weighs more than what is not there. */
	{ NULL, "a/sx b/o", TF_NON_COMPLIANT, "a=C- b=O" },
	{ "a:generic b:generic", "a/sx", TF_NON_COMPLIANT, "a=C- b=M" },
	{ "a:generic b:generic", "c/sx", TF_NON_COMPLIANT, "a=M b=M c=C-!" },
	/* The highest sealed version decides, in whatever order they come. */
	{ NULL, "a/sx a@2/s", TF_COMPLIANT, "a=C+" },
	{ NULL, "a/s a@2/sx", TF_NON_COMPLIANT, "a=C-" },
	{ NULL, "a@2/s a/sx", TF_COMPLIANT, "a=C+" },
	{ NULL, "a/sx a@2/sx a@10/s a@9/sx", TF_COMPLIANT, "a=C+" },
	{ NULL, "a/s a@2/o", TF_COMPLIANT, "a=C+" },
	{ NULL, "a/sx a@2/o", TF_NON_COMPLIANT, "a=C-" },
	/* An override decides for the version that it is of. */
	{ NULL, "a/sx+", TF_COMPLIANT, "a=C+" },
	{ NULL, "a/s-", TF_NON_COMPLIANT, "a=C-" },
	{ NULL, "a/sx+ a@2/sx", TF_NON_COMPLIANT, "a=C-" },
	{ NULL, "a/s- a@2/s", TF_COMPLIANT, "a=C+" },
	/* Slots. */
	{ "", "", TF_COMPLIANT, "" },
	{ "a:generic", "", TF_INCOMPLETE, "a=M" },
	{ "a:generic", "a/s", TF_COMPLIANT, "a=C+" },
	{ "a:generic", "a/o", TF_INCOMPLETE, "a=O" },
	{ "a:generic", "a@2/s", TF_COMPLIANT, "a=C+" },
	{ "b:generic a:generic", "a/s", TF_INCOMPLETE, "a=C+ b=M" },
	{ "a:*", "a:snyk/s", TF_COMPLIANT, "a=C+" },
	{ "a:*", "a/s", TF_COMPLIANT, "a=C+" },
	{ "a:junit", "a:junit/s", TF_COMPLIANT, "a=C+" },
	{ "a:custom:x", "a:custom:x/s", TF_COMPLIANT, "a=C+" },
	/* Of another type it does not fill the slot, and still counts. */
	{ "a:junit", "a/s", TF_INCOMPLETE, "a=M+" },
	{ "a:junit", "a:snyk/sx", TF_NON_COMPLIANT, "a=M-" },
	{ "a:generic", "a:junit/s", TF_INCOMPLETE, "a=M+" },
	{ "a:junit", "a:junit/s a@2/s", TF_INCOMPLETE, "a=M+" },
	/* Unexpected. */
	{ "", "a/s", TF_COMPLIANT, "a=C+!" },
	{ "a:generic", "a/s b/s", TF_COMPLIANT, "a=C+ b=C+!" },
	{ "a:generic", "a/s b/sx", TF_NON_COMPLIANT, "a=C+ b=C-!" },
	{ "a:generic", "a/s b/o", TF_INCOMPLETE, "a=C+ b=O!" },
	/* Names that begin alike are different names. */
	{ "a:generic ab:generic", "ab/s", TF_INCOMPLETE, "a=M ab=C+" },
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
		out[n].denied = strchr(w + end, 'x') != NULL;
		out[n].override = strchr(w + end, '+') != NULL;
		out[n].overridden = out[n].override ||
		    strchr(w + end, '-') != NULL;
		n++;
	}
	return n;
}

START_TEST(the_status_is_that_of_the_table)
{
	char template[128] = "", reports[128];
	struct tf_reported r[MAX] = { 0 };
	struct tf_slot slots[MAX] = { 0 };
	struct tf_template t = { .slots = slots };
	struct tf_buf said = { 0 };
	struct tf_status s;
	size_t n;

	if (table[_i].template != NULL)
		strcpy(template, table[_i].template);
	strcpy(reports, table[_i].reports);
	t.n = read_template(template, slots);
	n = read_reports(reports, r);
	ck_assert_int_eq(TF_OK,
	    tf_status_judge(table[_i].template != NULL ? &t : NULL, r, n, &s,
		NULL));
	tf_buf_str(&said, "");
	for (size_t i = 0; i < s.n; i++) {
		const struct tf_status_item *m = &s.items[i];

		tf_buf_printf(&said, "%s%.*s=%c%s%s", i > 0 ? " " : "",
		    (int)m->name.n, m->name.p, *tf_item_word(m->state),
		    !m->reported     ? "" :
			m->compliant ? "+" :
				       "-",
		    m->unexpected ? "!" : "");
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
	ck_assert_str_eq("OPEN", tf_item_word(TF_ITEM_OPEN));
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
