/*
 * kosli evaluate input, trail and trails: the policy is a type of
 * trailfs-type(5), not Rego.
 *
 * The input is judged as the evidence of an attestation would be, and nothing is
 * recorded. The answer has Kosli's members, and the report beside. Rego would
 * need a program that trailfs does not have, so a .rego file is refused with two
 * ways out.
 *
 * --no-assert turns only the answer "denied" into exit status 0. What could not
 * be judged keeps its status, or a broken policy would pass; so malformed input
 * is refused before it is judged, as the report would call it not compliant.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/json_any_write.h"
#include "core/definition.h"
#include "core/evaluation.h"
#include "files.h"
#include "kosli.h"
#include "kosli_input.h"
#include "report.h"
#include "text.h"

/* By name: the text of a policy is not looked at. */
static bool
is_rego(const char *name)
{
	const size_t n = strlen(name);

	return n >= 5 && strcmp(name + n - 5, ".rego") == 0;
}

static bool
is_json(void)
{
	return kosli_ask.output != NULL &&
	    strcmp(kosli_ask.output, "json") == 0;
}

/* --- judging -------------------------------------------------------------------- */

/* The input as the one file of an attestation. */
struct only {
	const struct tf_buf *text;
	struct tf_str name;
	bool given;
};

static enum tf_code
next(void *arg, struct tf_judged_file *f, bool *found, struct tf_error *err)
{
	struct only *x = arg;

	(void)err;
	*found = !x->given;
	*f = (struct tf_judged_file){ x->name, x->text->n, NULL };
	x->given = true;
	return TF_OK;
}

static enum tf_code
read_text(void *arg, const struct tf_sink *sink, struct tf_error *err)
{
	const struct only *x = arg;

	return sink->put(sink->arg, x->text->p, x->text->n, err);
}

static enum tf_code
judge(const struct tf_buf *input, struct tf_evaluation *e, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_type *t = NULL;
	struct tf_error why = { 0 };
	struct only only = { .text = input };
	const struct tf_judged_files files = { next, read_text, &only };
	enum tf_code rc = files_read(kosli_ask.policy, TF_DEFINITION_MAX, &text,
	    err);

	if (rc == TF_OK &&
	    (rc = tf_type_parse(text.p, text.n, &t, &why)) != TF_OK)
		rc = tf_fail(err, rc, "%s: %s", kosli_ask.policy, why.text);
	if (rc == TF_OK) {
		only.name = tf_type_evidence(t);
		rc = tf_evaluate(t, &files, e, err);
	}
	tf_type_free(t);
	tf_buf_free(&text);
	return rc;
}

/* --- the answer ------------------------------------------------------------------- */

/* The text of a member, or "" if it is absent or of another type. */
static struct tf_str
member(const struct tf_any_doc *d, uint32_t of, const char *key)
{
	const struct tf_str none = { "", 0 };
	uint32_t i = of == TF_ANY_NONE ? of :
					 tf_any_member(d, of, tf_str_of(key));

	return i != TF_ANY_NONE &&
		(d->v[i].type == TF_ANY_STRING ||
		    d->v[i].type == TF_ANY_NUMBER_TEXT) ?
	    tf_any_text(d, i) :
	    none;
}

static bool
is_check(const struct tf_any_doc *d, uint32_t row, const char *check)
{
	return tf_str_same(member(d, row, "check"), tf_str_of(check));
}

/* Is this row of the report a fault?  A subject that was dropped is none. */
static bool
is_violation(const struct tf_any_doc *d, uint32_t row)
{
	uint32_t passed = tf_any_member(d, row, tf_str_of("passed"));

	return passed != TF_ANY_NONE && d->v[passed].type == TF_ANY_FALSE &&
	    !is_check(d, row, "$applies");
}

static void
add_word(struct tf_buf *out, struct tf_str s)
{
	if (s.n == 0)
		return;
	tf_buf_str(out, out->n > 0 ? " " : "");
	tf_buf_add(out, s.p, s.n);
}

/* A row as a line: "REQUIREMENT CHECK TYPE ID: CAUSE". */
static void
describe(const struct tf_any_doc *d, uint32_t row, struct tf_buf *out)
{
	uint32_t subject = tf_any_member(d, row, tf_str_of("subject"));

	out->n = 0;
	add_word(out, member(d, row, "requirement"));
	add_word(out, member(d, row, "check"));
	add_word(out, member(d, subject, "type"));
	add_word(out, member(d, subject, "id"));
	tf_buf_str(out, ":");
	add_word(out, member(d, row, "cause"));
}

/* The first row of the report that is one; TF_ANY_NONE: there are no rows. */
static uint32_t
rows_of(const struct tf_any_doc *d)
{
	uint32_t rows = tf_any_member(d, 0, tf_str_of("results"));

	return rows != TF_ANY_NONE && d->v[rows].type == TF_ANY_ARRAY ?
	    rows :
	    TF_ANY_NONE;
}

/* Call fn with a line for each violation. */
static enum tf_code
each_violation(const struct tf_any_doc *d,
    void (*fn)(void *arg, const struct tf_buf *line), void *arg,
    struct tf_error *err)
{
	const uint32_t rows = rows_of(d);
	struct tf_buf line = { 0 };
	enum tf_code rc;

	for (uint32_t i = rows + 1; rows != TF_ANY_NONE && i < d->v[rows].next;
	     i = d->v[i].next)
		if (is_violation(d, i)) {
			describe(d, i, &line);
			fn(arg, &line);
		}
	rc = tf_buf_end(&line, err);
	tf_buf_free(&line);
	return rc;
}

static void
print_violation(void *arg, const struct tf_buf *line)
{
	bool *any = arg;

	fputs(*any ? "             " : "VIOLATIONS:  ", stdout);
	text_put(stdout, line->p, line->n);
	putchar('\n');
	*any = true;
}

static void
add_violation(void *arg, const struct tf_buf *line)
{
	struct tf_buf *out = arg;

	tf_buf_str(out, out->p[out->n - 1] == '[' ? "" : ",");
	tf_any_put_string(out, tf_buf_bytes(line));
}

static enum tf_code
print_table(const struct tf_evaluation *e, const struct tf_any_doc *d,
    const struct tf_buf *input, struct tf_error *err)
{
	bool any = false;
	enum tf_code rc = TF_OK;

	printf("RESULT:      %s\n", e->compliant ? "ALLOWED" : "DENIED");
	if (!e->compliant)
		rc = each_violation(d, print_violation, &any, err);
	if (kosli_ask.show_input == ARGS_TRUE) {
		fputs("INPUT:       ", stdout);
		text_put(stdout, input->p, input->n);
		putchar('\n');
	}
	return rc;
}

static enum tf_code
print_json(const struct tf_evaluation *e, const struct tf_any_doc *d,
    const struct tf_buf *input, const struct tf_buf *params,
    struct tf_error *err)
{
	struct tf_buf out = { 0 };
	enum tf_code rc = TF_OK;

	tf_buf_printf(&out, "{\"allow\":%s,", e->compliant ? "true" : "false");
	if (kosli_ask.show_input == ARGS_TRUE) {
		tf_buf_str(&out, "\"input\":");
		tf_buf_add(&out, input->p, input->n);
		tf_buf_str(&out, ",");
	}
	if (params->n > 0) {
		tf_buf_str(&out, "\"params\":");
		tf_buf_add(&out, params->p, params->n);
		tf_buf_str(&out, ",");
	}
	tf_buf_str(&out, "\"report\":");
	tf_buf_add(&out, e->report.p, e->report.n);
	tf_buf_str(&out, ",\"violations\":[");
	if (!e->compliant && !out.failed)
		rc = each_violation(d, add_violation, &out, err);
	tf_buf_str(&out, "]}\n");
	if (rc == TF_OK)
		rc = tf_buf_end(&out, err);
	if (rc == TF_OK)
		fwrite(out.p, 1, out.n, stdout);
	tf_buf_free(&out);
	return rc;
}

/* The exit status of an answer. What was too much work was not judged. */
static int
status_of(const struct tf_evaluation *e, const struct tf_any_doc *d)
{
	const uint32_t rows = rows_of(d);

	for (uint32_t i = rows + 1; rows != TF_ANY_NONE && i < d->v[rows].next;
	     i = d->v[i].next)
		if (is_check(d, i, "$well_formed") && is_violation(d, i))
			return REPORT_DOUBT;
	return e->compliant || kosli_ask.may_deny == ARGS_TRUE ||
		kosli_ask.must_allow == ARGS_FALSE ?
	    REPORT_OK :
	    REPORT_FINDING;
}

/* --- the words ---------------------------------------------------------------------- */

static enum tf_code
evaluate(char **names, int n, bool many, int *status, struct tf_error *err)
{
	struct tf_buf input = { 0 }, params = { 0 };
	struct tf_evaluation e = { 0 };
	struct tf_any_doc d = { 0 };
	enum tf_code rc = kosli_input(names, n, many, &input, &params, err);

	if (rc == TF_OK)
		rc = judge(&input, &e, err);
	if (rc == TF_OK)
		rc = tf_any_parse(&d, e.report.p, e.report.n, err);
	if (rc == TF_OK) {
		*status = status_of(&e, &d);
		rc = is_json() ? print_json(&e, &d, &input, &params, err) :
				 print_table(&e, &d, &input, err);
	}
	tf_any_free(&d);
	tf_evaluation_free(&e);
	tf_buf_free(&input);
	tf_buf_free(&params);
	return rc;
}

static int
run_word(const struct kosli_word *w, char **names, int n)
{
	const bool input = names == NULL;
	struct tf_error err = { 0 };
	int status = REPORT_DOUBT;

	if (kosli_ask.policy == NULL)
		return kosli_usage(w, "--policy is missing");
	if (!input && kosli_ask.flow == NULL)
		return kosli_usage(w, "--flow is missing");
	if (is_rego(kosli_ask.policy))
		return kosli_usage(w,
		    "--policy: Rego is not run here: write the checks as a "
		    "type, see trailfs-type(5), or record the answer of opa "
		    "with trailctl attest --evaluate");
	if (kosli_ask.must_allow == ARGS_TRUE &&
	    kosli_ask.may_deny == ARGS_TRUE)
		return kosli_usage(w,
		    "--assert and --no-assert exclude each other");
	if (kosli_ask.output != NULL && !is_json() &&
	    strcmp(kosli_ask.output, "table") != 0)
		return kosli_usage(w, "--output is table or json");
	return evaluate(names, n, w == &kosli_evaluate_trails, &status, &err) ==
		TF_OK ?
	    status :
	    kosli_failed(w, &err);
}

static int
run_input(int n, char **arg)
{
	(void)arg;
	return run_word(&kosli_evaluate_input, NULL, n);
}

static int
run_trail(int n, char **arg)
{
	return run_word(&kosli_evaluate_trail, arg, n);
}

static int
run_trails(int n, char **arg)
{
	return run_word(&kosli_evaluate_trails, arg, n);
}

#define EVALUATE                                                               \
	KOSLI_TEXT("policy", 'p', "TYPE.yml", "the checks",                    \
	    &kosli_ask.policy),                                                \
	    KOSLI_TEXT("params", 0, "JSON|@FILE",                              \
		"an object that the checks see as params", &kosli_ask.params), \
	    KOSLI_TRUTH("show-input", 0, "print what was judged, too",         \
		&kosli_ask.show_input),                                        \
	    KOSLI_TRUTH("assert", 0, "exit 1 if it is denied; the default",    \
		&kosli_ask.must_allow),                                        \
	    KOSLI_TRUTH("no-assert", 0, "exit 0 also if it is denied",         \
		&kosli_ask.may_deny),                                          \
	    KOSLI_OUTPUT("table|json"), KOSLI_GLOBAL

static const struct args_option input_options[] = {
	KOSLI_TEXT("input-file", 'i', "FILE",
	    "the JSON that is judged (standard input)", &kosli_ask.input_file),
	EVALUATE,
};
static const struct args_option trail_options[] = {
	KOSLI_TEXT("flow", 'f', "FLOW", "the trail of the vault",
	    &kosli_ask.flow),
	KOSLI_LIST("attestations", 0, "NAME,...",
	    "judge these attestations only", &kosli_ask.attestations),
	EVALUATE,
};

const struct kosli_word kosli_evaluate_input = {
	.verb = "evaluate",
	.object = "input",
	.operand = "",
	.is = "evaluate",
	.options = input_options,
	.run = run_input,
};
const struct kosli_word kosli_evaluate_trail = {
	.verb = "evaluate",
	.object = "trail",
	.operand = "TRAIL",
	.is = "evaluate, of status.json and attestation.json",
	.options = trail_options,
	.min = 1,
	.max = 1,
	.run = run_trail,
};
const struct kosli_word kosli_evaluate_trails = {
	.verb = "evaluate",
	.object = "trails",
	.operand = "TRAIL...",
	.is = "the same of several workflows at once",
	.options = trail_options,
	.min = 1,
	.max = 1000,
	.run = run_trails,
};
