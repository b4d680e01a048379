/* The rules of the ledger of an organisation: core/ledger/organisation.h. */
#include <check.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/organisation.h"
#include "vectors.h"

static const char own[] = "example.org/organisation";

/* The state of a reader of the vector: one organisation, one member. */
struct reader {
	struct tf_org_said said;
	struct tf_standing member;
	const char *broken; /* the first rule that was */
	uint64_t at;	    /* index of that entry */
};

static void
read_entry(struct reader *r, struct tf_str line, uint64_t index)
{
	struct tf_entry_decoded d = { 0 };
	const char *broken = NULL;
	struct tf_org_entry o;

	ck_assert_int_eq(TF_OK, tf_entry_decode(&d, line.p, line.n, NULL));
	if (tf_str_same(d.e.origin, tf_str_of(own))) {
		enum tf_code rc = tf_org_entry_decode(&o, line.p, line.n, NULL);

		if (rc == TF_INVALID)
			broken = "malformed";
		else
			ck_assert_int_eq(TF_OK,
			    tf_org_said_take(&r->said, &o, line, index,
				&broken));
		if (broken == NULL && o.member.n > 0)
			broken = tf_standing_own(&r->member, &o, &r->said);
		tf_org_entry_free(&o);
	} else {
		enum tf_standing_fault f = tf_standing_entry(&r->member, &d.e,
		    &r->said);

		if (f != TF_STANDING_RIGHT)
			broken = tf_standing_text(f);
	}
	if (broken != NULL && r->broken == NULL) {
		r->broken = broken;
		r->at = index;
	}
	tf_entry_decoded_free(&d);
}

/* Read the vector, with from replaced by to in the entry `index`, or without it if to
 * is NULL. */
static struct reader
read_altered(uint64_t index, const char *from, const char *to)
{
	struct tf_buf file = read_vector("organisation-members.jsonl");
	struct tf_str rest = { file.p, file.n }, line;
	struct reader r = { .broken = NULL };
	uint64_t n = 0;

	while (take_line(&rest, &line)) {
		struct tf_buf b = { 0 };
		size_t at = 0;

		if (n++ == index && to == NULL)
			continue;
		if (n - 1 == index && from != NULL) {
			const char *p = memmem(line.p, line.n, from,
			    strlen(from));

			ck_assert_ptr_nonnull(p);
			tf_buf_add(&b, line.p, (size_t)(p - line.p));
			tf_buf_str(&b, to);
			at = (size_t)(p - line.p) + strlen(from);
		}
		tf_buf_add(&b, line.p + at, line.n - at);
		ck_assert_int_eq(TF_OK, tf_buf_end(&b, NULL));
		read_entry(&r, tf_buf_bytes(&b), n - 1);
		tf_buf_free(&b);
	}
	tf_buf_free(&file);
	return r;
}

START_TEST(the_vector_obeys_the_rules)
{
	struct reader r = read_altered(UINT64_MAX, NULL, "");

	ck_assert_ptr_null(r.broken);
	ck_assert(r.said.by_entries);
	ck_assert_uint_eq(6, r.said.next);
	ck_assert_uint_eq(2, r.said.refusals);
	ck_assert_int_eq(TF_ENROLLED, r.member.is);
	ck_assert(r.member.was_revoked);
	ck_assert_uint_eq(9, r.member.entries);
	ck_assert_uint_eq(0, r.member.early);
}
END_TEST

/* What a field is for: an entry that has another one breaks a rule. */
static const struct {
	uint64_t index;
	const char *from, *to, *words;
} altered[] = {
	{ 0, "\"seq\":0", "\"seq\":1", "does not follow" },
	{ 0, "organisation.opened", "organisation.begun", "first" },
	{ 0, "example.org/organisation+", "example.org/other+", "malformed" },
	{ 1, "\"seq\":1", "\"seq\":2", "does not follow" },
	{ 1, "2026-11-23T07:10", "2026-11-23T06:10", "not later" },
	{ 1, "\"next\":0", "\"next\":1", "another number" },
	{ 1, "\"next\":0,", "", "malformed" },
	{ 1, "\"member\":\"example.org/vault\"",
	    "\"member\":\"example.org/other\"", "malformed" },
	{ 1, "\"v\":2", "\"v\":1", "malformed" },
	{ 1, "},\"at\":\"2026-11-23T07:10:00.000000000Z\"",
	    "},\"at\":\"2026-11-23T07:10:00.000000000Z\",\"cause\":\"earlier\"",
	    "what was before" },
	{ 5, "member.revoked", "member.noted", "not there" },
	{ 5, "\"next\":3", "\"next\":2", "another number" },
	{ 5, "\"next\":3", "\"next\":4", "another number" },
	{ 6, "\"refusal\":0", "\"refusal\":1", "not the next refusal" },
	{ 6, "\"kind\":\"revoked\"", "\"kind\":\"other\"", "malformed" },
	{ 6, "\"kind\":\"revoked\"", "\"kind\":\"fork\"", "malformed" },
	{ 7, "member.enrolled", "member.noted", "after this log was revoked" },
	{ 14, "\"number\":1", "\"number\":9", "not there" },
	{ 14, "\"kind\":\"fork\"", "\"kind\":\"gap\"", "malformed" },
};

START_TEST(an_altered_entry_breaks_a_rule)
{
	struct reader r = read_altered(altered[_i].index, altered[_i].from,
	    altered[_i].to);

	/* A revocation that is missing is missed by the entry about it. */
	if (altered[_i].index == 5 && r.broken != NULL &&
	    strstr(altered[_i].words, "not there") != NULL)
		ck_assert(strstr(r.broken, "not revoked") != NULL);
	else
		ck_assert_msg(r.broken != NULL &&
			strstr(r.broken, altered[_i].words) != NULL,
		    "%d: %s", _i, r.broken == NULL ? "right" : r.broken);
}
END_TEST

/* Each own entry is missed, and what it says. */
START_TEST(a_missing_entry_breaks_a_rule)
{
	struct reader r = read_altered((uint64_t)_i, NULL, NULL);
	bool last = _i == 14,
	     of_member = (_i >= 2 && _i <= 4) || (_i >= 8 && _i <= 13);

	/* The last one is bound by the checkpoint alone; those of the member are
	 * counted by the next entry about it, or by its own numbers. */
	if (last || (of_member && _i > 4))
		ck_assert_ptr_null(r.broken);
	else
		ck_assert_ptr_nonnull(r.broken);
}
END_TEST

/* A ledger of before such entries: nobody is refused, and what was so is said once. */
START_TEST(a_ledger_from_before_needs_no_entries)
{
	struct reader r = read_altered(0, "\"members\":\"entries\",", "");

	ck_assert_ptr_null(r.broken);
	ck_assert(!r.said.by_entries);
	r = (struct reader){ .broken = NULL };
	{
		struct tf_buf file = read_vector("organisation-members.jsonl");
		struct tf_str rest = { file.p, file.n }, line;
		uint64_t n = 0;

		while (take_line(&rest, &line) && n < 5)
			if (n++ > 1)
				read_entry(&r, line, n);
		tf_buf_free(&file);
	}
	ck_assert_ptr_null(r.broken);
	ck_assert_uint_eq(3, r.member.early);
	ck_assert_int_eq(TF_NOT_ENTERED, r.member.is);
}
END_TEST

Suite *
suite_organisation(void)
{
	Suite *s = suite_create("organisation");
	TCase *c = tcase_create("rules");

	tcase_add_test(c, the_vector_obeys_the_rules);
	tcase_add_loop_test(c, an_altered_entry_breaks_a_rule, 0,
	    sizeof(altered) / sizeof(altered[0]));
	tcase_add_loop_test(c, a_missing_entry_breaks_a_rule, 0, 15);
	tcase_add_test(c, a_ledger_from_before_needs_no_entries);
	suite_add_tcase(s, c);
	return s;
}
