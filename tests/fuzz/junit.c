/*
 * A JUnit report.  A judgement never fails, its report is JSON, and the pieces
 * in which the file is read change nothing.
 */
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/json_any.h"
#include "../../core/ledger/junit.h"
#include "fuzz.h"

static void
judge(const uint8_t *data, size_t n, size_t piece, struct tf_evaluation *e)
{
	const struct tf_judged_file f = { tf_str_of("r.xml"), 0, NULL };
	struct tf_junit *j;
	bool read;

	MUST(tf_junit_new(&j, NULL) == TF_OK);
	/* A parser that has read a file before reads the next as a new one. */
	for (int k = 0; k < 2; k++) {
		MUST(tf_junit_begin(j, &f, &read, NULL) == TF_OK);
		for (size_t at = 0, len; at < n; at += len) {
			len = n - at < piece ? n - at : piece;
			MUST(tf_junit_feed(j, data + at, len, NULL) == TF_OK);
		}
		MUST(tf_junit_end(j, NULL) == TF_OK);
	}
	MUST(tf_junit_report(j, e, NULL) == TF_OK);
	tf_junit_free(j);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	struct tf_evaluation a, b;
	struct tf_json_doc counts;
	struct tf_any_doc d;

	judge(data, n, n + 1, &a);
	judge(data, n, n < 1000 ? 1 : 777, &b);
	MUST(a.report.n <= TF_REPORT_BYTES);
	MUST(a.report.n == b.report.n);
	MUST(memcmp(a.report.p, b.report.p, a.report.n) == 0);
	MUST(tf_any_parse(&d, a.report.p, a.report.n, NULL) == TF_OK);
	tf_any_free(&d);
	MUST(tf_json_parse(&counts, a.counts.p, a.counts.n, NULL) == TF_OK);
	tf_json_doc_free(&counts);
	tf_evaluation_free(&a);
	tf_evaluation_free(&b);
	return 0;
}
