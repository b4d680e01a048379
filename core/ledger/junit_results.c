/* What JUnit reports hold, and the report about it: see junit_results.h. */
#include "junit_results.h"

#include <inttypes.h>
#include <stdio.h>

#include "../base/bytes.h"
#include "../base/json_any_write.h"
#include "../base/member.h"
#include "../base/number.h"
#include "report_json.h"

#define LIST_BYTES ((size_t)128 << 10)

/* --- counts ------------------------------------------------------------- */

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t
sum_of(uint64_t a, uint64_t b)
{
	return a + b < TF_JUNIT_COUNT_MAX ? a + b : TF_JUNIT_COUNT_MAX;
}

void
tf_junit_counts_add(struct tf_junit_counts *sum,
    const struct tf_junit_counts *c)
{
	sum->tests = sum_of(sum->tests, c->tests);
	sum->failures = sum_of(sum->failures, c->failures);
	sum->errors = sum_of(sum->errors, c->errors);
	sum->skipped = sum_of(sum->skipped, c->skipped);
}

void
tf_junit_counts_raise(struct tf_junit_counts *c,
    const struct tf_junit_counts *to)
{
	c->tests = larger(c->tests, to->tests);
	c->failures = larger(c->failures, to->failures);
	c->errors = larger(c->errors, to->errors);
	c->skipped = larger(c->skipped, to->skipped);
}

/* --- lists -------------------------------------------------------------- */

/* Start an entry; false if it is left out. */
static bool
begin_entry(struct tf_junit_list *l)
{
	if (l->text.n > LIST_BYTES) {
		l->cut++;
		return false;
	}
	tf_buf_str(&l->text, l->text.n > 0 ? "," : "");
	return true;
}

void
tf_junit_add_cause(struct tf_junit_results *r, struct tf_str text)
{
	if (begin_entry(&r->causes))
		tf_any_put_string(&r->causes.text, text);
}

void
tf_junit_add_failed(struct tf_junit_results *r, const char *kind,
    struct tf_str name, struct tf_str suite)
{
	struct tf_buf *b = &r->failed.text;

	if (!begin_entry(&r->failed))
		return;
	tf_buf_str(b, "{");
	tf_report_word(b, "kind", kind);
	tf_report_text(b, "name", name);
	tf_report_text(b, "suite", suite);
	tf_buf_str(b, "}");
}

void
tf_junit_add_suite(struct tf_junit_results *r, const struct tf_junit_suite *l)
{
	struct tf_buf *b = &r->suites.text;

	if (!begin_entry(&r->suites))
		return;
	tf_buf_str(b, "{");
	if (tf_number_ok(l->duration)) {
		tf_report_key(b, "duration");
		tf_buf_add(b, l->duration.p, l->duration.n);
	}
	tf_report_number(b, "errors", l->counts.errors);
	tf_report_number(b, "failures", l->counts.failures);
	tf_report_text(b, "file", l->file);
	tf_report_text(b, "name", l->name);
	tf_report_number(b, "skipped", l->counts.skipped);
	if (l->time.n > 0)
		tf_report_text(b, "timestamp", l->time);
	tf_report_number(b, "total", l->counts.tests);
	tf_buf_str(b, "}");
}

void
tf_junit_add_file(struct tf_junit_results *r, struct tf_str name,
    const struct tf_hash *sha256, uint64_t size)
{
	char hex[2 * sizeof(*sha256) + 1];
	struct tf_buf *b = &r->files.text;

	if (!begin_entry(&r->files))
		return;
	tf_hex(sha256->b, sizeof(sha256->b), hex);
	tf_buf_str(b, "{");
	tf_report_text(b, "name", name);
	tf_report_word(b, "sha256", hex);
	tf_report_number(b, "size", size);
	tf_buf_str(b, "}");
}

enum tf_code
tf_junit_results_end(const struct tf_junit_results *r, struct tf_error *err)
{
	return tf_buf_end(&r->files.text, err);
}

void
tf_junit_results_free(struct tf_junit_results *r)
{
	tf_buf_free(&r->causes.text);
	tf_buf_free(&r->failed.text);
	tf_buf_free(&r->files.text);
	tf_buf_free(&r->suites.text);
}

/* --- the report --------------------------------------------------------- */

static void
add_count_cause(struct tf_junit_results *r, uint64_t n, const char *word)
{
	char text[64];

	if (n == 0)
		return;
	(void)snprintf(text, sizeof(text), "%" PRIu64 " %s%s", n, word,
	    n == 1 ? "" : "s");
	tf_junit_add_cause(r, tf_str_of(text));
}

static void
put_list(struct tf_buf *b, const char *key, const struct tf_junit_list *l)
{
	tf_report_key(b, key);
	tf_buf_str(b, "[");
	tf_buf_add(b, l->text.p, l->text.n);
	tf_buf_str(b, "]");
	b->failed = b->failed || l->text.failed;
}

static void
put_cut(struct tf_buf *b, const struct tf_junit_results *r)
{
	if (r->causes.cut + r->failed.cut + r->files.cut + r->suites.cut == 0)
		return;
	tf_report_key(b, "cut");
	tf_buf_str(b, "{");
	tf_report_number(b, "causes", r->causes.cut);
	tf_report_number(b, "failed", r->failed.cut);
	tf_report_number(b, "files", r->files.cut);
	tf_report_number(b, "junit_results", r->suites.cut);
	tf_buf_str(b, "}");
}

enum tf_code
tf_junit_results_report(struct tf_junit_results *r, struct tf_evaluation *out,
    struct tf_error *err)
{
	struct tf_buf *b = &out->report;
	struct tf_json counts;
	enum tf_code rc;

	*out = (struct tf_evaluation){ .rule = "junit" };
	add_count_cause(r, r->total.failures, "failure");
	add_count_cause(r, r->total.errors, "error");
	if (r->files.text.n == 0)
		tf_junit_add_cause(r,
		    tf_str_of("no file whose name ends in .xml"));
	else if (r->found.tests == r->found.skipped)
		tf_junit_add_cause(r, tf_str_of("no test ran"));
	out->compliant = r->causes.text.n == 0;
	tf_json_begin(&counts, &out->counts);
	tf_json_object(&counts);
	tf_put_uint(&counts, "errors", r->total.errors);
	tf_put_uint(&counts, "failures", r->total.failures);
	tf_put_uint(&counts, "skipped", r->total.skipped);
	tf_put_uint(&counts, "tests", r->total.tests);
	tf_json_object_end(&counts);
	rc = tf_json_end(&counts, err);
	if (rc != TF_OK)
		return rc;
	tf_buf_str(b, "{");
	put_list(b, "causes", &r->causes);
	tf_report_key(b, "compliant");
	tf_buf_str(b, out->compliant ? "true" : "false");
	tf_report_key(b, "counts");
	tf_buf_add(b, out->counts.p, out->counts.n);
	put_cut(b, r);
	put_list(b, "failed", &r->failed);
	put_list(b, "files", &r->files);
	put_list(b, "junit_results", &r->suites);
	tf_buf_str(b, ",\"version\":1}");
	return tf_buf_end(b, err);
}
