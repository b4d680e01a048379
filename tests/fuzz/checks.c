/*
 * A definition of a type, a line "---", and evidence.  A judgement never fails,
 * gives the same bytes twice, and its report is JSON that says what it found.
 */
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/json_any_write.h"
#include "../../core/ledger/checks.h"
#include "fuzz.h"

/* What the reader accepts, it accepts again as it was written, to the same. */
static void
check_json(const char *p, size_t n)
{
	struct tf_buf a = { 0 }, b = { 0 };
	struct tf_any_doc d, e;

	if (tf_any_parse(&d, p, n, NULL) != TF_OK)
		return;
	MUST(d.n > 0 && d.v[0].next == d.n);
	MUST(tf_any_put(&a, &d, 0, SIZE_MAX / 2));
	MUST(tf_any_parse(&e, a.p, a.n, NULL) == TF_OK);
	MUST(e.n == d.n);
	MUST(tf_any_put(&b, &e, 0, SIZE_MAX / 2));
	MUST(a.n == b.n && memcmp(a.p, b.p, a.n) == 0);
	tf_buf_free(&a);
	tf_buf_free(&b);
	tf_any_free(&d);
	tf_any_free(&e);
}

static void
check_report(const struct tf_evaluation *e)
{
	struct tf_json_doc counts;
	struct tf_any_doc d;
	uint32_t v;

	MUST(e->report.n <= TF_REPORT_BYTES);
	MUST(tf_any_parse(&d, e->report.p, e->report.n, NULL) == TF_OK);
	v = tf_any_member(&d, 0, tf_str_of("compliant"));
	MUST(v != TF_ANY_NONE);
	MUST(d.v[v].type == (e->compliant ? TF_ANY_TRUE : TF_ANY_FALSE));
	tf_any_free(&d);
	/* A refusal is never silent. */
	MUST(e->compliant ||
	    memmem(e->report.p, e->report.n, "\"passed\":false", 14) != NULL);
	MUST(tf_json_parse(&counts, e->counts.p, e->counts.n, NULL) == TF_OK);
	tf_json_doc_free(&counts);
}

static void
judge(const char *type, size_t n, struct tf_str evidence)
{
	struct tf_evaluation a, b;
	struct tf_type *t;

	if (tf_type_parse(type, n, &t, NULL) != TF_OK)
		return;
	MUST(tf_checks_evaluate(t, evidence, NULL, false, &a, NULL) == TF_OK);
	MUST(tf_checks_evaluate(t, evidence, NULL, false, &b, NULL) == TF_OK);
	check_report(&a);
	MUST(a.report.n == b.report.n);
	MUST(memcmp(a.report.p, b.report.p, a.report.n) == 0);
	tf_evaluation_free(&a);
	tf_evaluation_free(&b);
	tf_type_free(t);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data;
	const char *line = n > 0 ? memmem(p, n, "\n---\n", 5) : NULL;
	struct tf_str evidence;

	check_json(p, n);
	if (line == NULL)
		return 0;
	evidence.p = line + 5;
	evidence.n = n - (size_t)(evidence.p - p);
	check_json(evidence.p, evidence.n);
	judge(p, (size_t)(line + 1 - p), evidence);
	return 0;
}
