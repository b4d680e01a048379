/*
 * Judge evidence by a type, and write the report: see checks.h.
 *
 * A report is written while the evidence is judged.  Rows that have no room
 * are counted and left out, and a row $cut says so; the verdict counts them
 * all the same.  Evidence that cannot be read or that takes too much work is
 * not compliant, which is an answer; only a lack of memory is an error,
 * because it says nothing about the evidence.
 */
#include "checks.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/member.h"
#include "checks_rows.h"
#include "report_json.h"
#include "type_json.h"

static const struct tf_str of_evidence = { "$evidence", 9 };

/* --- requirements ------------------------------------------------------- */

static void
put_requirement(struct tf_check_report *r, const struct tf_requirement *q,
    bool satisfied, size_t total, size_t matching)
{
	struct tf_buf *b = &r->requirements;

	tf_buf_str(b, b->n > 0 ? ",{" : "{");
	if (q->applies_to.n > 0)
		tf_type_checks_put(b, "applies_to", &q->applies_to);
	tf_type_checks_put(b, "checks", &q->checks);
	tf_report_text(b, "description", q->description);
	if (q->from.n > 0)
		tf_report_text(b, "from", q->from.text);
	tf_report_text(b, "id", q->id);
	tf_report_number(b, "min_subjects", q->min_subjects);
	tf_report_word(b, "require", q->some ? "some" : "every");
	tf_report_flag(b, "satisfied", satisfied);
	r->satisfied += satisfied;
	tf_report_key(b, "subjects");
	tf_buf_str(b, "{");
	tf_report_number(b, "matching", matching);
	tf_report_number(b, "total", total);
	tf_buf_str(b, "}}");
}

/* --- judging ------------------------------------------------------------ */

/* subject TF_ANY_NONE: a row about the requirement, not about one subject. */
static struct tf_check_row
row_of(struct tf_check_report *r, const struct tf_requirement *q,
    uint32_t subject)
{
	enum tf_outcome cause;

	return (struct tf_check_row){ .requirement = q->id,
		.subject_type = q->subject_type,
		.subject_id = q->has_subject_id && subject != TF_ANY_NONE ?
		    tf_path_find(&r->x, &q->subject_id, subject, &cause) :
		    TF_ANY_NONE };
}

/* True if the subject is not dropped; with its row. */
static bool
applies(struct tf_check_report *r, const struct tf_requirement *q, uint32_t i)
{
	struct tf_check_row row = row_of(r, q, i);

	row.check = tf_str_of("$applies");
	for (size_t k = 0; k < q->applies_to.n; k++) {
		row.cause = tf_judge_check(&r->x, &q->applies_to.check[k], i);
		if (!tf_outcome_passes(row.cause))
			break;
	}
	if (q->applies_to.n > 0 && tf_row_begin(r, &row, false)) {
		for (size_t k = 0; k < q->applies_to.n; k++)
			tf_row_inputs(r, &q->applies_to.check[k], i);
		tf_row_end(r, &row);
	}
	return tf_outcome_passes(row.cause);
}

/* True if all checks hold for subject i; with a row for each. */
static bool
judge_subject(struct tf_check_report *r, const struct tf_requirement *q,
    uint32_t i)
{
	struct tf_check_row row = row_of(r, q, i);
	bool all = true;

	for (size_t k = 0; k < q->checks.n; k++) {
		const struct tf_type_check *c = &q->checks.check[k];

		row.check = c->id;
		row.cause = tf_judge_check(&r->x, c, i);
		all = all && tf_outcome_passes(row.cause);
		if (tf_row_begin(r, &row, true)) {
			tf_row_inputs(r, c, i);
			tf_row_end(r, &row);
		}
	}
	return all;
}

/* The row $min_subjects.  cause: why no collection was found. */
static bool
judge_count(struct tf_check_report *r, const struct tf_requirement *q,
    size_t total, size_t matching, enum tf_outcome cause)
{
	struct tf_check_row row = row_of(r, q, TF_ANY_NONE);
	bool enough = matching >= q->min_subjects;

	row.check = tf_str_of("$min_subjects");
	row.cause = enough		  ? TF_OUTCOME_SATISFIED :
	    cause != TF_OUTCOME_SATISFIED ? cause :
	    total == 0			  ? TF_OUTCOME_ABSENT :
					    TF_OUTCOME_VALUE;
	if (tf_row_begin(r, &row, true)) {
		tf_row_count(r, "count(matching)", matching);
		tf_row_end(r, &row);
	}
	return enough;
}

/* Find the subjects: values first, next(first), ... below end. */
static enum tf_outcome
find_subjects(struct tf_check_report *r, const struct tf_requirement *q,
    uint32_t *first, uint32_t *end)
{
	const struct tf_any *v = r->x.doc->v;
	enum tf_outcome cause = TF_OUTCOME_SATISFIED;
	uint32_t at = tf_path_find(&r->x, &q->from, 0, &cause);

	*first = *end = 0;
	if (at == TF_ANY_NONE)
		return cause;
	if (v[at].type == TF_ANY_NULL)
		return TF_OUTCOME_NULL;
	if (v[at].type != TF_ANY_ARRAY && v[at].type != TF_ANY_OBJECT)
		return TF_OUTCOME_VALUE;
	*first = v[at].type == TF_ANY_ARRAY ? at + 1 : at;
	*end = v[at].next;
	return TF_OUTCOME_SATISFIED;
}

/*
 * Subjects are chosen first, and all rows about the choice come before those
 * of the checks.
 */
static enum tf_code
judge_requirement(struct tf_check_report *r, const struct tf_requirement *q)
{
	const struct tf_any *v = r->x.doc->v;
	size_t total = 0, matching = 0, passed = 0;
	uint32_t first, end, *kept;
	enum tf_outcome cause = find_subjects(r, q, &first, &end);
	bool satisfied;

	for (uint32_t i = first; i < end; i = v[i].next)
		total++;
	kept = calloc(total + 1, sizeof(*kept));
	if (kept == NULL)
		return TF_NOMEM;
	for (uint32_t i = first; i < end && r->x.rc == TF_OK; i = v[i].next) {
		if (applies(r, q, i))
			kept[matching++] = i;
	}
	satisfied = judge_count(r, q, total, matching, cause);
	for (size_t k = 0; k < matching && r->x.rc == TF_OK; k++)
		passed += judge_subject(r, q, kept[k]);
	free(kept);
	if (q->some)
		satisfied = satisfied && (passed > 0 || matching == 0);
	else
		satisfied = satisfied && passed == matching;
	put_requirement(r, q, satisfied, total, matching);
	return r->x.rc;
}

/* --- the evidence as a whole -------------------------------------------- */

/* A row about the evidence as a whole, under the name $evidence. */
static struct tf_check_row
evidence_row(struct tf_check_report *r, const char *check,
    enum tf_outcome cause)
{
	return (struct tf_check_row){ .requirement = of_evidence,
		.check = tf_str_of(check),
		.subject_type = tf_str_of("evidence"),
		.subject_id = TF_ANY_NONE,
		.subject_name = r->t->evidence,
		.cause = cause };
}

/* The first row of each report: could the evidence be read? */
static void
put_well_formed(struct tf_check_report *r, const char *problem, bool absent)
{
	struct tf_check_row row = evidence_row(r, "$well_formed",
	    absent		? TF_OUTCOME_ABSENT :
		problem != NULL ? TF_OUTCOME_VALUE :
				  TF_OUTCOME_SATISFIED);

	r->broken = r->broken || problem != NULL;
	if (!tf_row_begin(r, &row, true))
		return;
	if (problem != NULL)
		tf_row_text(r, "error", problem);
	tf_row_end(r, &row);
}

/* A violation of the schema. */
static void
found(void *arg, const struct tf_violation *v)
{
	struct tf_check_report *r = arg;
	bool null = v->value != TF_ANY_NONE &&
	    r->x.doc->v[v->value].type == TF_ANY_NULL;
	struct tf_check_row row = evidence_row(r, "$schema",
	    v->value == TF_ANY_NONE ? TF_OUTCOME_ABSENT :
		null		    ? TF_OUTCOME_NULL :
				      TF_OUTCOME_VALUE);

	r->broken = true;
	if (!tf_row_begin(r, &row, true))
		return;
	tf_row_text(r, "keyword", v->keyword);
	r->value.n = 0;
	tf_row_load(r, v->value);
	tf_row_value(r, tf_row_first_bytes(v->place));
	tf_row_end(r, &row);
}

static enum tf_code
judge_schema(struct tf_check_report *r, struct tf_error *err)
{
	struct tf_check_row row = evidence_row(r, "$schema",
	    TF_OUTCOME_SATISFIED);
	enum tf_code rc;

	if (r->t->schema == NULL)
		return TF_OK;
	rc = tf_schema_check(r->t->schema, &r->x, found, r, err);
	if (rc == TF_OK && !r->broken && tf_row_begin(r, &row, true))
		tf_row_end(r, &row);
	return rc;
}

/*
 * What was judged so far is dropped: half a judgement would look like a whole
 * one.
 */
static void
judge_nothing(struct tf_check_report *r, const char *problem, bool absent)
{
	r->rows.n = r->requirements.n = 0;
	memset(r->kept, 0, sizeof(r->kept));
	memset(r->cut, 0, sizeof(r->cut));
	memset(r->counted, 0, sizeof(r->counted));
	r->satisfied = 0;
	put_well_formed(r, problem, absent);
	for (size_t k = 0; k < r->t->n; k++)
		put_requirement(r, &r->t->requirements[k], false, 0, 0);
}

static enum tf_code
judge_document(struct tf_check_report *r, struct tf_error *err)
{
	enum tf_code rc;

	put_well_formed(r, NULL, false);
	rc = judge_schema(r, err);
	for (size_t k = 0; k < r->t->n && rc == TF_OK; k++)
		rc = judge_requirement(r, &r->t->requirements[k]);
	return rc;
}

/* --- the report --------------------------------------------------------- */

static void
put_cut(struct tf_check_report *r)
{
	struct tf_check_row row = evidence_row(r, "$cut",
	    r->cut[0] > 0 ? TF_OUTCOME_VALUE : TF_OUTCOME_SATISFIED);
	size_t failed = r->cut[0], passed = r->cut[1];

	if (failed + passed == 0)
		return;
	/* This row always has room. */
	r->kept[0] = r->kept[1] = 0;
	tf_buf_str(&r->rows, ",{");
	tf_report_word(&r->rows, "cause", tf_outcome_word(row.cause));
	tf_report_text(&r->rows, "check", row.check);
	tf_report_key(&r->rows, "inputs");
	tf_buf_str(&r->rows, "[");
	r->first_input = true;
	tf_row_count(r, "failed", failed);
	tf_row_count(r, "passed", passed);
	tf_row_end(r, &row);
}

/*
 * The digest names the bytes that were judged, so a reader can compare them.
 */
static void
put_evidence(struct tf_check_report *r, struct tf_str evidence, bool read,
    struct tf_buf *b)
{
	char hex[2 * sizeof(struct tf_hash) + 1];
	struct tf_hash h;

	tf_report_key(b, "evidence");
	tf_buf_str(b, "{");
	tf_report_text(b, "name", r->t->evidence);
	if (read) {
		tf_sha256(evidence.p, evidence.n, &h);
		tf_hex(h.b, sizeof(h.b), hex);
		tf_report_word(b, "sha256", hex);
		tf_report_number(b, "size", evidence.n);
	}
	tf_buf_str(b, "}");
}

static enum tf_code
write_report(struct tf_check_report *r, struct tf_str evidence, bool read,
    struct tf_evaluation *out, struct tf_error *err)
{
	struct tf_buf *b = &out->report;
	struct tf_json j;
	enum tf_code rc;

	put_cut(r);
	out->rule = "checks";
	out->compliant = !r->broken && r->satisfied == r->t->n;
	tf_buf_str(b, "{");
	tf_report_flag(b, "compliant", out->compliant);
	put_evidence(r, evidence, read, b);
	tf_report_key(b, "requirements");
	tf_buf_str(b, "[");
	tf_buf_add(b, r->requirements.p, r->requirements.n);
	tf_buf_str(b, "],\"results\":[");
	tf_buf_add(b, r->rows.p, r->rows.n);
	tf_buf_str(b, "],\"version\":1}");
	tf_json_begin(&j, &out->counts);
	tf_json_object(&j);
	tf_put_uint(&j, "failed", r->counted[0]);
	tf_put_uint(&j, "passed", r->counted[1]);
	tf_put_uint(&j, "requirements", r->t->n);
	tf_put_uint(&j, "satisfied", r->satisfied);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	if (rc == TF_OK &&
	    (r->rows.failed || r->requirements.failed || r->value.failed))
		rc = tf_nomem(err);
	return rc == TF_OK ? tf_buf_end(b, err) : rc;
}

/* Fails for lack of memory only. */
static enum tf_code
judge(struct tf_check_report *r, struct tf_str evidence, const char *problem,
    bool absent, struct tf_any_doc *d, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc;

	if (problem != NULL) {
		judge_nothing(r, problem, absent);
		return TF_OK;
	}
	rc = tf_any_parse(d, evidence.p, evidence.n, &why);
	if (rc == TF_OK)
		rc = judge_document(r, &why);
	else if (rc != TF_NOMEM)
		judge_nothing(r, why.text, false);
	if (rc == TF_NOMEM)
		return tf_nomem(err);
	if (r->x.rc == TF_TOOBIG)
		judge_nothing(r, "judging it is too much work", false);
	return TF_OK;
}

enum tf_code
tf_checks_evaluate(const struct tf_type *t, struct tf_str evidence,
    const char *problem, bool absent, struct tf_evaluation *out,
    struct tf_error *err)
{
	struct tf_any_doc d = { 0 };
	struct tf_check_report r = { .t = t, .x = { .doc = &d } };
	enum tf_code rc = TF_OK;

	*out = (struct tf_evaluation){ 0 };
	r.x.patterns = calloc(t->patterns + 1, sizeof(*r.x.patterns));
	if (r.x.patterns == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = judge(&r, evidence, problem, absent, &d, err);
	if (rc == TF_OK)
		rc = write_report(&r, evidence, problem == NULL, out, err);
	for (unsigned k = 0; r.x.patterns != NULL && k < t->patterns; k++)
		tf_pattern_free(&r.x.patterns[k]);
	free(r.x.patterns);
	tf_buf_free(&r.rows);
	tf_buf_free(&r.requirements);
	tf_buf_free(&r.value);
	tf_any_free(&d);
	return rc;
}
