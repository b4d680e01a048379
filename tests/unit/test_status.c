#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/ledger/name.h"
#include "../../core/ledger/status.h"
#include "../../core/ledger/status_words.h"
#include "../../core/ledger/template_parse.h"

/*
 * The table.  A template is "name:type" words, NULL none.  A report is
 * NAME[@N][:TYPE] and then letters: s sealed, o open, e open with evidence in
 * the ledger, x found not compliant, + and - overridden so, d damaged.  The items
 * wanted are NAME=, a letter of the state (C, M, D), + or - when one decides, !
 * when unexpected, and oN when version N is open. sealed: the word when only
 * what is sealed counts, where it is another.
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
	/* What cannot be read is neither good nor bad, and no older one
	 * decides. */
	{ NULL, "a/sd", TF_DAMAGED, "a=D", NULL },
	{ NULL, "a/s a@2/sd", TF_DAMAGED, "a=D", NULL },
	{ NULL, "a/sd a@2/s", TF_DAMAGED, "a=D", NULL },
	{ NULL, "a/sd b/s", TF_DAMAGED, "a=D b=C+", NULL },
	{ NULL, "a/sd b/sx", TF_DAMAGED, "a=D b=C-", NULL },
	{ "a:generic b:generic", "a/sd", TF_DAMAGED, "a=D b=M", NULL },
	{ "a:generic", "a/sd+", TF_DAMAGED, "a=D", NULL },
	{ "a:generic", "b/od", TF_DAMAGED, "a=M b=D!", NULL },
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
		out[n].damaged = strchr(w + end, 'd') != NULL;
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

/* --- the rules of x-trailfs ------------------------------------------------ */

/*
 * A template is what stands between the brackets of `attestations: []`.  A
 * report is NAME[@N][:TYPE]/ and then fields that begin with dots: x its claims
 * deny it, f its evaluation does, v it was evaluated, + and - overridden so, uN
 * the uid (1), bN the seq at which it began (1), eN that of its first evidence,
 * sN that of its seal.  The time of each is as many seconds after the workflow
 * began.  A word =N is the time now (1,000,000).  The items wanted are as in
 * the table above, with the cause after a colon and ~ when overdue.
 */
#define A(name, ext) "{name: " name ", type: generic, x-trailfs: {" ext "}}, "
#define J(name, ext) "{name: " name ", type: junit, x-trailfs: {" ext "}}, "
#define C(name, ext) \
	"{name: " name ", type: 'custom:x', x-trailfs: {" ext "}}, "
#define TWO "count: 2, different_users: true"

static const struct rule {
	const char *template, *reports;
	enum tf_compliance word;
	const char *items;
} rules[] = {
	/* What is optional may be absent, but not half done. */
	{ A("a", "") A("b", "optional: true"), "a/.s2", TF_COMPLIANT,
	    "a=C+ b=M" },
	{ A("b", "optional: true"), "", TF_INCOMPLETE, "b=M" },
	{ A("a", "") A("b", "optional: true"), "a/.s2 b/", TF_INCOMPLETE,
	    "a=C+ b=Mo1:open" },
	{ A("a", "") A("b", "optional: true"), "a/.s2 b/.s3.x",
	    TF_NON_COMPLIANT, "a=C+ b=C-:denied" },
	{ A("a", "") J("b", "optional: true"), "a/.s2 b:snyk/.s3",
	    TF_INCOMPLETE, "a=C+ b=M+:type" },
	{ A("a", "") A("b", "optional: true, count: 2"), "a/.s2 b/.s3",
	    TF_INCOMPLETE, "a=C+ b=M+:count" },
	{ A("a", "") A("b", "optional: true, deadline: 1m"), "a/.s2",
	    TF_COMPLIANT, "a=C+ b=M" },
	/* Count. */
	{ A("a", "count: 2"), "", TF_INCOMPLETE, "a=M:missing" },
	{ A("a", "count: 2"), "a/.s2", TF_INCOMPLETE, "a=M+:count" },
	{ A("a", "count: 2"), "a/.s2 a@2/.s3", TF_COMPLIANT, "a=C+" },
	{ A("a", "count: 2"), "a/.s2 a@2/", TF_INCOMPLETE, "a=M+o2:count" },
	{ A("a", "count: 2"), "a/.s2 a@2/.e3", TF_COMPLIANT, "a=C+o2" },
	{ A("a", "count: 2"), "a/.s2 a@2/.s3 a@3/.s4", TF_COMPLIANT, "a=C+" },
	{ A("a", "count: 2"), "a/.s2.x a@2/.s3", TF_INCOMPLETE, "a=M+:count" },
	{ A("a", "count: 2"), "a/.s2.x a@2/.s3 a@3/.s4", TF_COMPLIANT, "a=C+" },
	{ A("a", "count: 2"), "a/.s2 a@2/.s3.x", TF_NON_COMPLIANT,
	    "a=C-:denied" },
	{ A("a", "count: 2"), "a/.s2.x a@2/.s3.x", TF_NON_COMPLIANT,
	    "a=M-:denied" },
	{ A("a", "count: 2"), "a/.s2.x.+ a@2/.s3", TF_COMPLIANT, "a=C+" },
	{ J("a", "count: 2"), "a:junit/.s2 a@2/.s3 a@3:junit/.s4", TF_COMPLIANT,
	    "a=C+" },
	{ J("a", "count: 2"), "a:junit/.s2 a@2:snyk/.s3", TF_INCOMPLETE,
	    "a=M+:type" },
	{ J("a", "count: 2"), "a:snyk/.s2 a@2:junit/.s3", TF_INCOMPLETE,
	    "a=M+:count" },
	/* Different users: the last report of each. */
	{ A("a", TWO), "a/.s2.u7 a@2/.s3.u7", TF_INCOMPLETE, "a=M+:users" },
	{ A("a", TWO), "a/.s2.u7 a@2/.s3.u8", TF_COMPLIANT, "a=C+" },
	{ A("a", TWO), "a/.s2.u7 a@2/.s3.u7 a@3/.s4.u8", TF_COMPLIANT, "a=C+" },
	{ A("a", TWO), "a/.s2.u7 a@2/.s3.u8.x", TF_NON_COMPLIANT,
	    "a=C-:denied" },
	{ A("a", TWO), "a/.s2.u7 a@2/.s3.u7.x a@3/.s4.u8", TF_INCOMPLETE,
	    "a=M+:users" },
	{ A("a", TWO), "a/.s2.u7.x a@2/.s3.u7 a@3/.s4.u8", TF_COMPLIANT,
	    "a=C+" },
	{ A("a", TWO), "a/.s2.u7 a@2/.s3.u8 a@3/.s4.u7.x", TF_NON_COMPLIANT,
	    "a=C-:denied" },
	{ A("a", TWO), "a/.s2.u7 a@2/.s3.u8 a@3/.u7", TF_COMPLIANT, "a=C+o3" },
	{ A("a", "count: 3, different_users: true"),
	    "a/.s2.u1 a@2/.s3.u2 a@3/.s4.u1 a@4/.s5.u3", TF_COMPLIANT, "a=C+" },
	/* Deadline: up to its second. */
	{ A("a", "deadline: 10s"), "a/.s9", TF_COMPLIANT, "a=C+" },
	{ A("a", "deadline: 10s"), "a/.s10", TF_COMPLIANT, "a=C+" },
	{ A("a", "deadline: 10s"), "a/.s11", TF_NON_COMPLIANT, "a=C-:late" },
	{ A("a", "deadline: 1m"), "a/.s61", TF_NON_COMPLIANT, "a=C-:late" },
	{ A("a", "deadline: 10s"), "a/.s11.+", TF_COMPLIANT, "a=C+" },
	{ A("a", "deadline: 10s"), "a/.s11.-", TF_NON_COMPLIANT,
	    "a=C-:overridden" },
	{ A("a", "deadline: 10s"), "a/.s9.x", TF_NON_COMPLIANT, "a=C-:denied" },
	/* What counts by its first evidence is not late by its seal. */
	{ A("a", "deadline: 10s"), "a/.e9.s20", TF_COMPLIANT, "a=C+" },
	{ A("a", "deadline: 10s"), "a/.e9", TF_COMPLIANT, "a=C+o1" },
	{ A("a", "deadline: 10s"), "a/.e11", TF_NON_COMPLIANT, "a=C-o1:late" },
	{ J("a", "deadline: 10s"), "a:junit/.e9.s20", TF_NON_COMPLIANT,
	    "a=C-:late" },
	/* Overdue. */
	{ A("a", "deadline: 10s"), "=9", TF_INCOMPLETE, "a=M:missing" },
	{ A("a", "deadline: 10s"), "=10", TF_INCOMPLETE, "a=M:missing" },
	{ A("a", "deadline: 10s"), "=11", TF_INCOMPLETE, "a=M:missing~" },
	{ A("a", "deadline: 10s"), "=11 a/", TF_INCOMPLETE, "a=Mo1:open~" },
	{ J("a", "deadline: 10s"), "=11 a:junit/.e3", TF_INCOMPLETE,
	    "a=Mo1:open~" },
	{ J("a", "deadline: 10s"), "=11 a/.s3", TF_INCOMPLETE, "a=M+:type~" },
	{ A("a", "deadline: 10s, count: 2"), "=11 a/.s3", TF_INCOMPLETE,
	    "a=M+:count~" },
	{ A("a", "deadline: 10s"), "=11 a/.s3", TF_COMPLIANT, "a=C+" },
	/* A clock that was set back: what is there says that it is later. */
	{ A("a", "deadline: 10s") A("b", ""), "=5 b/.s20", TF_INCOMPLETE,
	    "a=M:missing~ b=C+" },
	/* Repeats of what was done in time are not late; corrections are. */
	{ A("a", "deadline: 10s"), "a/.s9 a@2/.s11", TF_COMPLIANT, "a=C+" },
	{ A("a", "deadline: 10s"), "a/.s9 a@2/.s11.x", TF_NON_COMPLIANT,
	    "a=C-:denied" },
	{ A("a", "deadline: 10s"), "a/.s9.x a@2/.s11", TF_NON_COMPLIANT,
	    "a=C-:late" },
	{ A("a", "deadline: 10s"), "a/.s8 a@2/.s9.x a@3/.s11", TF_NON_COMPLIANT,
	    "a=C-:late" },
	{ A("a", "deadline: 10s, count: 2"), "a/.s9 a@2/.s11", TF_NON_COMPLIANT,
	    "a=C-:late" },
	{ A("a", "deadline: 10s, count: 2"), "a/.s8 a@2/.s9 a@3/.s11",
	    TF_COMPLIANT, "a=C+" },
	{ A("a", "deadline: 10s, " TWO), "a/.s8.u7 a@2/.s9.u7 a@3/.s11.u8",
	    TF_NON_COMPLIANT, "a=C-:late" },
	/* Who may. */
	{ A("a", "users: [u7]"), "a/.s2.u7", TF_COMPLIANT, "a=C+" },
	{ A("a", "users: [7]"), "a/.s2.u7", TF_COMPLIANT, "a=C+" },
	{ A("a", "users: [7]"), "a/.s2.u8", TF_NON_COMPLIANT, "a=C-:user" },
	{ A("a", "users: [7]"), "a/.e2.u8", TF_NON_COMPLIANT, "a=C-o1:user" },
	{ A("a", "users: [7]"), "a/.s2.u8.+", TF_COMPLIANT, "a=C+" },
	{ A("a", "groups: [g7]"), "a/.s2.u7", TF_COMPLIANT, "a=C+" },
	{ A("a", "groups: [g7]"), "a/.s2.u8", TF_NON_COMPLIANT, "a=C-:user" },
	{ A("a", "users: [7]"), "a/.s2.u8 a@2/.s3.u7", TF_COMPLIANT, "a=C+" },
	{ A("a", "users: [7]"), "a/.s2.u7 a@2/.s3.u8", TF_NON_COMPLIANT,
	    "a=C-:user" },
	{ A("a", TWO ", users: [7, 8]"), "a/.s2.u7 a@2/.s3.u9 a@3/.s4.u8",
	    TF_COMPLIANT, "a=C+" },
	{ A("a", TWO ", users: [7, 8]"), "a/.s2.u9 a@2/.s3.u8", TF_INCOMPLETE,
	    "a=M+:users" },
	{ A("a", "users: [7]"), "b/.s2.u8", TF_INCOMPLETE,
	    "a=M:missing b=C+!" },
	/* Order, by the place in the ledger. */
	{ A("a", "") A("b", "after: [a]"), "a/.s3 b/.b5.s6", TF_COMPLIANT,
	    "a=C+ b=C+" },
	{ A("a", "") A("b", "after: [a]"), "a/.s3 b/.b2.s6", TF_NON_COMPLIANT,
	    "a=C+ b=C-:order" },
	{ A("a", "") A("b", "after: [a]"), "a/.e3.s9 b/.b5.s6", TF_COMPLIANT,
	    "a=C+ b=C+" },
	{ J("a", "") A("b", "after: [a]"), "a:junit/.e3.s9 b/.b5.s10",
	    TF_NON_COMPLIANT, "a=C+ b=C-:order" },
	{ A("a", "") A("b", "after: [a]"), "b/.b5.s6", TF_NON_COMPLIANT,
	    "a=M:missing b=C-:order" },
	{ A("a", "") A("b", "after: [a]"), "a/.b1 b/.b5.s6", TF_NON_COMPLIANT,
	    "a=Mo1:open b=C-:order" },
	{ A("a", "") A("b", "after: [a]"), "a/.s3 b/.b2.s6.+", TF_COMPLIANT,
	    "a=C+ b=C+" },
	{ A("a", "") A("b", "after: [a]"), "a/.s3 b/.b2.s6 b@2/.b7.s8",
	    TF_COMPLIANT, "a=C+ b=C+" },
	{ A("a", "") A("b", "after: [a]"), "a/.s3 b/.b2", TF_INCOMPLETE,
	    "a=C+ b=Mo1:open" },
	{ A("a", "") A("b", "after: [a]"), "a/.s3.x b/.b5.s6", TF_NON_COMPLIANT,
	    "a=C-:denied b=C-:order" },
	{ A("a", "") A("b", "after: [a]"), "a/.s3.x a@2/.s6 b/.b5.s8",
	    TF_NON_COMPLIANT, "a=C+ b=C-:order" },
	{ A("a", "") A("b", "after: [a]"), "a/.s3.x a@2/.s6 b/.b7.s8",
	    TF_COMPLIANT, "a=C+ b=C+" },
	{ A("a", "") A("b", "after: [a]"), "a/.s3 a@2/.s9 b/.b7.s8",
	    TF_COMPLIANT, "a=C+ b=C+" },
	{ A("a", "") A("b", "after: [a]"), "a/.s3.x.+ b/.b5.s6", TF_COMPLIANT,
	    "a=C+ b=C+" },
	{ J("a", "") A("b", "after: [a]"), "a:snyk/.s3 b/.b5.s6",
	    TF_NON_COMPLIANT, "a=M+:type b=C-:order" },
	{ A("a", "count: 2") A("b", "after: [a]"), "a/.s3 a@2/.s6 b/.b5.s8",
	    TF_NON_COMPLIANT, "a=C+ b=C-:order" },
	{ A("a", "count: 2") A("b", "after: [a]"), "a/.s3 a@2/.s6 b/.b7.s8",
	    TF_COMPLIANT, "a=C+ b=C+" },
	{ A("a", TWO) A("b", "after: [a]"),
	    "a/.s3.u7 a@2/.s6.u7 a@3/.s8.u8 b/.b7.s9", TF_NON_COMPLIANT,
	    "a=C+ b=C-:order" },
	{ A("a", TWO) A("b", "after: [a]"),
	    "a/.s3.u7 a@2/.s6.u7 a@3/.s8.u8 b/.b9.s10", TF_COMPLIANT,
	    "a=C+ b=C+" },
	{ A("a", "deadline: 2s") A("b", "after: [a]"), "a/.s3 b/.b5.s6",
	    TF_NON_COMPLIANT, "a=C-:late b=C-:order" },
	/* Several names; one that is optional; one without a slot. */
	{ A("a", "") A("c", "") A("b", "after: [a, c]"), "a/.s3 c/.s6 b/.b5.s8",
	    TF_NON_COMPLIANT, "a=C+ b=C-:order c=C+" },
	{ A("a", "optional: true") A("b", "after: [a]"), "b/.b5.s6",
	    TF_COMPLIANT, "a=M b=C+" },
	{ A("a", "optional: true") A("b", "after: [a]"), "a/.b3 b/.b5.s6",
	    TF_NON_COMPLIANT, "a=Mo1:open b=C-:order" },
	{ A("b", "after: [x]"), "x/.s3 b/.b5.s6", TF_COMPLIANT, "b=C+ x=C+!" },
	{ A("b", "after: [x]"), "b/.b5.s6", TF_NON_COMPLIANT, "b=C-:order" },
	/* Circles and slots after themselves end, too. */
	{ A("a", "after: [b]") A("b", "after: [a]"), "a/.b2.s3 b/.b4.s5",
	    TF_NON_COMPLIANT, "a=C-:order b=C+" },
	{ A("a", "after: [a]"), "a/.b2.s3", TF_NON_COMPLIANT, "a=C-:order" },
	/* Types that are evaluated. */
	{ J("a", ""), "a/.s2.v", TF_COMPLIANT, "a=C+" },
	{ J("a", ""), "a/.s2.v.f", TF_NON_COMPLIANT, "a=C-:failed" },
	{ J("a", ""), "a/.s2.v.f.+", TF_COMPLIANT, "a=C+" },
	{ J("a", ""), "a:snyk/.s2.v", TF_INCOMPLETE, "a=M+:type" },
	{ J("a", ""), "a:junit/.s2.x.v.f", TF_NON_COMPLIANT, "a=C-:denied" },
	{ C("a", ""), "a:x/.s2", TF_COMPLIANT, "a=C+" },
	{ C("a", ""), "a:custom:x/.s2", TF_COMPLIANT, "a=C+" },
	{ C("a", ""), "a:y/.s2", TF_INCOMPLETE, "a=M+:type" },
	{ C("a", ""), "a/.e2", TF_INCOMPLETE, "a=Mo1:open" },
	{ C("a", ""), "a/.s2.v", TF_COMPLIANT, "a=C+" },
};

static const struct tf_time began = { 1700000000, 500 };

static struct tf_moment
moment(unsigned seq)
{
	return (struct tf_moment){ seq, { began.s + seq, began.ns } };
}

static void
read_field(const char *f, struct tf_reported *r)
{
	static char names[32][2][8];
	unsigned n = (unsigned)strtoul(f + 1, NULL, 10);

	switch (*f) {
	case 'x':
		r->denied = true;
		break;
	case 'f':
		r->failed = true;
		break;
	case 'v':
		r->evaluated = true;
		break;
	case '+':
	case '-':
		r->overridden = true;
		r->override = *f == '+';
		break;
	case 'u':
		ck_assert_uint_lt(n, 32);
		(void)snprintf(names[n][0], sizeof(names[n][0]), "u%u", n);
		(void)snprintf(names[n][1], sizeof(names[n][1]), "g%u", n);
		r->who = (struct tf_reporter){ n, 100 + n,
			part(names[n][0], strlen(names[n][0])),
			part(names[n][1], strlen(names[n][1])) };
		break;
	case 'b':
		r->begun = moment(n);
		break;
	case 'e':
		r->has_evidence = true;
		r->evidence = moment(n);
		break;
	case 's':
		r->sealed = true;
		r->seal = moment(n);
		break;
	default:
		ck_abort_msg("no field %s", f);
	}
}

static size_t
read_rule_reports(char *text, struct tf_reported *out, struct tf_time *now)
{
	size_t n = 0;

	for (char *w; (w = strsep(&text, " ")) != NULL;) {
		size_t end = strcspn(w, "/"), len = strcspn(w, ":/");
		char *fields = w + end + 1, *f;

		if (*w == '=')
			*now = moment((unsigned)strtoul(w + 1, NULL, 10)).at;
		if (*w == '\0' || *w == '=')
			continue;
		ck_assert_uint_lt(n, MAX);
		out[n] = (struct tf_reported){ .begun = moment(1),
			.who = { .uid = 1, .gid = 1 } };
		out[n].name = part(w, len);
		if (len < end)
			out[n].type = part(w + len + 1, end - len - 1);
		while ((f = strsep(&fields, ".")) != NULL)
			if (*f != '\0')
				read_field(f, &out[n]);
		n++;
	}
	return n;
}

static struct tf_template
template_of(const char *attestations)
{
	struct tf_buf text = { 0 };
	struct tf_error err = { 0 };
	struct tf_template t;

	tf_buf_printf(&text, "version: 1\ntrail:\n  attestations: [%s]\n",
	    attestations);
	ck_assert_msg(tf_template_parse(&t, text.p, text.n, &err) == TF_OK,
	    "%s", err.text);
	tf_buf_free(&text);
	return t;
}

static void
tell_items(const struct tf_case *c, const struct tf_status *s,
    struct tf_buf *out)
{
	tf_buf_str(out, "");
	for (size_t i = 0; i < s->n; i++) {
		const struct tf_status_item *m = &s->items[i];

		tf_buf_printf(out, "%s%.*s=%c%s%s", i > 0 ? " " : "",
		    (int)m->name.n, m->name.p, *tf_item_word(m->state),
		    !m->reported     ? "" :
			m->compliant ? "+" :
				       "-",
		    m->unexpected ? "!" : "");
		if (m->open != SIZE_MAX)
			tf_buf_printf(out, "o%u",
			    version(&c->reports[m->open]));
		if (m->cause != TF_CAUSE_NONE)
			tf_buf_printf(out, ":%s", tf_cause_word(m->cause));
		if (m->overdue)
			tf_buf_str(out, "~");
	}
}

/* The order in which the reports come must not matter. */
static void
assert_rule(const struct rule *rule, bool reversed)
{
	struct tf_template t = template_of(rule->template);
	struct tf_reported r[MAX], other[MAX];
	struct tf_case c = { .template = &t,
		.reports = reversed ? other : r,
		.began = began,
		.now = moment(1000000).at };
	struct tf_buf said = { 0 };
	struct tf_status s;
	char reports[128];

	strcpy(reports, rule->reports);
	c.n = read_rule_reports(reports, r, &c.now);
	for (size_t i = 0; i < c.n; i++)
		other[i] = r[c.n - 1 - i];
	ck_assert_int_eq(TF_OK, tf_status_judge(&c, &s, NULL));
	tell_items(&c, &s, &said);
	ck_assert_str_eq(rule->items, said.p);
	ck_assert_str_eq(tf_compliance_word(rule->word),
	    tf_compliance_word(s.word));
	for (size_t i = 0; i < s.n; i++)
		if (s.items[i].reported)
			ck_assert_int_eq(s.items[i].compliant,
			    s.verdicts[s.items[i].decides].compliant);
	tf_buf_free(&said);
	tf_status_free(&s);
	tf_template_free(&t);
}

START_TEST(the_rules_of_a_template_are_those_of_the_table)
{
	assert_rule(&rules[_i], false);
	assert_rule(&rules[_i], true);
}
END_TEST

/* --- the verdict of a slot ---------------------------------------------------- */

/* The verdict of each slot: + or -, ? none.  A slot that is MISSING has none,
 * and the result of the workflow counts its reports all the same. */
static const struct rule verdicts[] = {
	{ A("a", ""), "", TF_INCOMPLETE, "a=?" },
	{ A("a", ""), "a/", TF_INCOMPLETE, "a=?" },
	{ A("a", ""), "a/.e2", TF_COMPLIANT, "a=+" },
	{ A("a", ""), "a/.s2", TF_COMPLIANT, "a=+" },
	{ A("a", ""), "a/.s2.x", TF_NON_COMPLIANT, "a=-" },
	{ A("a", ""), "a/.s2.x.+", TF_COMPLIANT, "a=+" },
	{ A("a", ""), "a/.s2.x a@2/", TF_NON_COMPLIANT, "a=-" },
	{ A("a", "optional: true"), "b/.s2", TF_COMPLIANT, "a=? b=+" },
	/* Another type. */
	{ J("a", ""), "a:snyk/.s2", TF_INCOMPLETE, "a=?" },
	{ J("a", ""), "a:snyk/.s2.x", TF_NON_COMPLIANT, "a=?" },
	{ J("a", ""), "a:junit/.s2.v a@2:snyk/.s3", TF_INCOMPLETE, "a=?" },
	{ J("a", ""), "a:snyk/.s2 a@2:junit/.s3.v.f", TF_NON_COMPLIANT, "a=-" },
	/* Fewer than asked for. */
	{ A("a", "count: 2"), "a/.s2", TF_INCOMPLETE, "a=?" },
	{ A("a", "count: 2"), "a/.s2.x a@2/.s3.x", TF_NON_COMPLIANT, "a=?" },
	{ A("a", "count: 2"), "a/.s2 a@2/.s3.x", TF_NON_COMPLIANT, "a=-" },
	{ A("a", "count: 2"), "a/.s2 a@2/.s3", TF_COMPLIANT, "a=+" },
	{ A("a", TWO), "a/.s2.u7 a@2/.s3.u7", TF_INCOMPLETE, "a=?" },
};

START_TEST(a_slot_that_is_missing_has_no_verdict)
{
	const struct rule *v = &verdicts[_i];
	struct tf_template t = template_of(v->template);
	struct tf_reported r[MAX];
	struct tf_case c = { .template = &t,
		.reports = r,
		.began = began,
		.now = moment(1000000).at };
	struct tf_buf said = { 0 };
	struct tf_status s;
	char reports[128];

	strcpy(reports, v->reports);
	c.n = read_rule_reports(reports, r, &c.now);
	ck_assert_int_eq(TF_OK, tf_status_judge(&c, &s, NULL));
	for (size_t i = 0; i < s.n; i++)
		tf_buf_printf(&said, "%s%.*s=%c", i > 0 ? " " : "",
		    (int)s.items[i].name.n, s.items[i].name.p,
		    !s.items[i].judged	     ? '?' :
			s.items[i].compliant ? '+' :
					       '-');
	ck_assert_str_eq(v->items, said.p);
	ck_assert_str_eq(tf_compliance_word(v->word),
	    tf_compliance_word(s.word));
	tf_buf_free(&said);
	tf_status_free(&s);
	tf_template_free(&t);
}
END_TEST

/* --- why ------------------------------------------------------------------- */

static const struct {
	const char *template, *reports, *why;
} whys[] = {
	{ A("a", ""), "a/.s2", "" },
	{ A("a", ""), "", "nothing was reported" },
	{ A("a", "deadline: 1h"), "",
	    "nothing was reported; its deadline has passed" },
	{ A("a", ""), "a/", "it has begun and does not count yet" },
	{ A("a", ""), "a/.s2.x", "it was reported as not compliant" },
	{ J("a", ""), "a/.s2.v.f", "its evidence did not pass the checks" },
	{ A("a", ""), "a/.s2.-", "an override says that it is not compliant" },
	{ A("a", "users: [7]"), "a/.s2.u8",
	    "it was reported by a user who may not report it" },
	{ A("a", "deadline: 1s"), "a/.s2",
	    "it was reported after its deadline" },
	{ A("a", "after: [b]"), "a/.s2", "it began before b counted" },
	{ J("a", ""), "a/.s2", "its type is generic, not junit" },
	{ J("a", ""), "a:snyk/.s2", "its type is snyk, not junit" },
	{ A("a", "count: 3"), "a/.s2", "1 of 3 reports" },
	{ A("a", TWO), "a/.s2.u7 a@2/.s3.u7",
	    "reports of 1 of 2 different users" },
};

START_TEST(each_cause_has_a_line_of_plain_english)
{
	struct tf_template t = template_of(whys[_i].template);
	struct tf_reported r[MAX];
	struct tf_case c = { .template = &t,
		.reports = r,
		.began = began,
		.now = moment(1000000).at };
	struct tf_buf said = { 0 };
	struct tf_status s;
	char reports[128];

	strcpy(reports, whys[_i].reports);
	c.n = read_rule_reports(reports, r, &c.now);
	ck_assert_int_eq(TF_OK, tf_status_judge(&c, &s, NULL));
	tf_buf_str(&said, "");
	tf_status_why(&s.items[0], &said);
	ck_assert_str_eq(whys[_i].why, said.p);
	tf_buf_free(&said);
	tf_status_free(&s);
	tf_template_free(&t);
}
END_TEST

/* --- moments --------------------------------------------------------------- */

/* Reports whose clocks ran backwards keep their order of the ledger, and the
 * verdict is never older than what it judges. */
START_TEST(a_clock_that_goes_backwards_changes_no_order)
{
	struct tf_template t = template_of(A("a", "deadline: 1h")
		A("b", "after: [a]"));
	struct tf_reported r[2] = {
		{ .name = { "a", 1 },
		    .sealed = true,
		    .seal = { 3, { began.s + 900, 0 } } },
		{ .name = { "b", 1 },
		    .sealed = true,
		    .begun = { 4, { began.s - 900, 0 } },
		    .seal = { 5, { began.s - 800, 0 } } },
	};
	struct tf_case c = { .template = &t,
		.reports = r,
		.n = 2,
		.began = began,
		.now = { began.s - 700, 0 } };
	struct tf_status s;

	ck_assert_int_eq(TF_OK, tf_status_judge(&c, &s, NULL));
	ck_assert_int_eq(TF_COMPLIANT, s.word);
	ck_assert_int_eq(began.s + 900, s.at.s);
	tf_status_free(&s);

	r[1].overridden = r[1].override = true;
	r[1].overridden_at.s = began.s + 5000;
	ck_assert_int_eq(TF_OK, tf_status_judge(&c, &s, NULL));
	ck_assert_int_eq(began.s + 5000, s.at.s);
	tf_status_free(&s);

	r[0].begun.at.s = began.s + 6000;
	ck_assert_int_eq(TF_OK, tf_status_judge(&c, &s, NULL));
	ck_assert_int_eq(began.s + 6000, s.at.s);
	tf_status_free(&s);

	c.n = 0;
	ck_assert_int_eq(TF_OK, tf_status_judge(&c, &s, NULL));
	ck_assert_int_eq(0, tf_time_cmp(began, s.at));
	ck_assert(!s.items[0].overdue);
	tf_status_free(&s);
	tf_template_free(&t);
}
END_TEST

/* --- artifacts ------------------------------------------------------------- */

START_TEST(an_artifact_has_the_word_of_its_slots)
{
	static const char text[] =
	    "version: 1\ntrail:\n  attestations:\n"
	    "    - {name: z, type: generic}\n  artifacts:\n"
	    "    - {name: x, attestations: [{name: a, type: generic},"
	    " {name: b, type: generic}]}\n"
	    "    - {name: y, attestations: [{name: a, type: generic}]}\n"
	    "    - {name: none}\n";
	struct tf_reported r[] = { { .name = { "x.a", 3 }, .sealed = true },
		{ .name = { "x.b", 3 }, .sealed = true } };
	struct tf_case c = { .reports = r, .began = began };
	enum tf_compliance word;
	struct tf_template t;
	struct tf_status s;

	ck_assert_int_eq(TF_OK,
	    tf_template_parse(&t, text, sizeof(text) - 1, NULL));
	c.template = &t;
	for (c.n = 0; c.n <= 2; c.n++) {
		ck_assert_int_eq(TF_OK, tf_status_judge(&c, &s, NULL));
		ck_assert_int_eq(c.n > 0,
		    tf_status_artifact(&s, t.artifacts.p[0], &word));
		ck_assert_int_eq(c.n == 2 ? TF_COMPLIANT : TF_INCOMPLETE, word);
		ck_assert(!tf_status_artifact(&s, t.artifacts.p[1], &word));
		ck_assert(!tf_status_artifact(&s, t.artifacts.p[2], &word));
		tf_status_free(&s);
	}
	c.n = 1;
	r[0].denied = true;
	ck_assert_int_eq(TF_OK, tf_status_judge(&c, &s, NULL));
	ck_assert(tf_status_artifact(&s, t.artifacts.p[0], &word));
	ck_assert_int_eq(TF_NON_COMPLIANT, word);
	tf_status_free(&s);
	tf_template_free(&t);
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
	tcase_add_loop_test(t, the_rules_of_a_template_are_those_of_the_table,
	    0, (int)(sizeof(rules) / sizeof(rules[0])));
	tcase_add_loop_test(t, each_cause_has_a_line_of_plain_english, 0,
	    (int)(sizeof(whys) / sizeof(whys[0])));
	tcase_add_loop_test(t, a_slot_that_is_missing_has_no_verdict, 0,
	    sizeof(verdicts) / sizeof(verdicts[0]));
	tcase_add_test(t, a_clock_that_goes_backwards_changes_no_order);
	tcase_add_test(t, an_artifact_has_the_word_of_its_slots);
	tcase_add_test(t, the_words_are_those_of_the_manual);
	suite_add_tcase(s, t);
	return s;
}
