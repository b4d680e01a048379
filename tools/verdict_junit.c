/*
 * The result of trailctl verify for CI: JUnit XML.
 *
 * Each check is a test case: a finding is a failure, what could not be decided
 * is an error, and what was not requested is skipped. A CI server that only
 * counts failures and errors thus never shows green for something that was not
 * verified. If the verification itself failed, there is one case with an error,
 * so that an old report does not stay as the answer.
 */
#include <string.h>

#include "text.h"
#include "verdict.h"

/* The text is safe for a terminal already; only XML is escaped here. */
static void
add_case(struct tf_buf *out, const struct check *c, enum tf_check check)
{
	struct tf_buf detail = { 0 }, lines = { 0 };
	const char *element = NULL;

	verdict_detail(&detail, c, check);
	verdict_findings(&lines, &c->check[check], "");
	if (verdict_in_doubt(c, check))
		element = "error";
	else if (c->report.check[check] == TF_VERDICT_FAILED)
		element = "failure";
	else if (c->report.check[check] == TF_VERDICT_ABSENT)
		element = "skipped";
	tf_buf_printf(out,
	    "  <testcase classname=\"trailfs.verify\" name=\"%s\"",
	    tf_check_name(check));
	if (element == NULL && lines.n > 0) {
		tf_buf_str(out, ">\n    <system-out>");
		text_add_xml(out, lines.p, lines.n);
		tf_buf_str(out, "</system-out>\n  </testcase>\n");
	} else if (element == NULL) {
		tf_buf_str(out, "/>\n");
	} else {
		tf_buf_printf(out, ">\n    <%s message=\"", element);
		text_add_xml(out, detail.p, detail.n);
		tf_buf_str(out, "\">");
		text_add_xml(out, lines.p, lines.n);
		tf_buf_printf(out, "</%s>\n  </testcase>\n", element);
	}
	out->failed = out->failed || detail.failed || lines.failed;
	tf_buf_free(&detail);
	tf_buf_free(&lines);
}

/* What was left out is no success of the whole. */
static void
add_left(struct tf_buf *out, const struct check *c)
{
	tf_buf_str(out,
	    "  <testcase classname=\"trailfs.verify\" name=\"left out\">\n"
	    "    <error message=\"you may not read all of it\">");
	if (c->left_ledger)
		tf_buf_str(out, "the ledger of the vault as a whole\n");
	for (size_t i = 0; i < c->n_left; i++) {
		text_add_xml(out, c->left[i], strlen(c->left[i]));
		tf_buf_str(out, "\n");
	}
	if (c->left_paths > c->n_left)
		tf_buf_printf(out, "and %llu more\n",
		    (unsigned long long)(c->left_paths - c->n_left));
	tf_buf_str(out, "</error>\n  </testcase>\n");
}

static void
begin_suite(struct tf_buf *out, int tests, int failures, int errors,
    int skipped)
{
	tf_buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	tf_buf_printf(out,
	    "<testsuite name=\"trailfs.verify\" tests=\"%d\" "
	    "failures=\"%d\" errors=\"%d\" skipped=\"%d\">\n",
	    tests, failures, errors, skipped);
}

static void
add_verdict(struct tf_buf *out, const struct check *c)
{
	struct tf_buf line = { 0 };

	verdict_line(c, &line);
	tf_buf_str(out,
	    "  <properties>\n    <property name=\"verdict\" value=\"");
	text_add_xml(out, line.p, line.n);
	tf_buf_str(out, "\"/>\n  </properties>\n");
	out->failed = out->failed || line.failed;
	tf_buf_free(&line);
}

/* The verification could not be made: no check has an answer. */
static void
add_error(struct tf_buf *out, const struct tf_error *failed)
{
	struct tf_buf why = { 0 };

	text_add_shown(&why, failed->text, strlen(failed->text));
	begin_suite(out, 1, 0, 1, 0);
	tf_buf_str(out,
	    "  <testcase classname=\"trailfs.verify\" name=\"verify\">\n"
	    "    <error message=\"");
	text_add_xml(out, why.p, why.n);
	tf_buf_str(out, "\"/>\n  </testcase>\n</testsuite>\n");
	tf_buf_free(&why);
}

void
verdict_junit(const struct check *c, const struct tf_error *failed,
    struct tf_buf *out)
{
	int tests = 0, failures = 0, errors = 0, skipped = 0;

	if (failed != NULL) {
		add_error(out, failed);
		return;
	}
	for (int l = 0; l < TF_CHECKS; l++) {
		if (!verdict_shows(c, (enum tf_check)l))
			continue;
		tests++;
		if (verdict_in_doubt(c, (enum tf_check)l))
			errors++;
		else if (c->report.check[l] == TF_VERDICT_FAILED)
			failures++;
		else if (c->report.check[l] == TF_VERDICT_ABSENT)
			skipped++;
	}
	if (check_left_any(c)) {
		tests++;
		errors++;
	}
	begin_suite(out, tests, failures, errors, skipped);
	add_verdict(out, c);
	for (int l = 0; l < TF_CHECKS; l++)
		if (verdict_shows(c, (enum tf_check)l))
			add_case(out, c, (enum tf_check)l);
	if (check_left_any(c))
		add_left(out, c);
	tf_buf_str(out, "</testsuite>\n");
}
