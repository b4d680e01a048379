/* Judge evidence by a type, and write the report: see checks.h. */
#include "checks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/member.h"

#define VALUE_BYTES 256
#define ROWS 500 /* that passed, and that did not */
/* No row begins behind these bytes; a row is shorter than a definition. */
#define PASSED_BYTES ((size_t)128 << 10)
#define FAILED_BYTES ((size_t)256 << 10)

static const struct tf_str of_evidence = { "$evidence", 9 };

/* One row, without its inputs. */
struct row {
	struct tf_str requirement, check, subject_type;
	uint32_t subject_id;	    /* a value, or TF_ANY_NONE: null */
	struct tf_str subject_name; /* p not NULL: a text instead */
	enum tf_outcome cause;
};

struct report {
	const struct tf_type *t;
	struct tf_judging x;
	struct tf_buf rows, requirements;
	struct tf_buf value;	/* of one input */
	size_t kept[2], cut[2]; /* rows; [1]: that passed */
	uint64_t counted[2];	/* rows without $applies */
	uint64_t satisfied;	/* requirements */
	bool first_input, broken;
};

/* --- JSON --------------------------------------------------------------- */

static void
put_key(struct tf_buf *b, const char *key)
{
	if (b->n > 0 && b->p[b->n - 1] != '{')
		tf_buf_str(b, ",");
	tf_buf_printf(b, "\"%s\":", key);
}

static void
put_text(struct tf_buf *b, const char *key, struct tf_str s)
{
	if (s.p == NULL)
		return;
	put_key(b, key);
	tf_any_put_string(b, s);
}

static void
put_word(struct tf_buf *b, const char *key, const char *word)
{
	put_text(b, key, tf_str_of(word));
}

static void
put_flag(struct tf_buf *b, const char *key, bool v)
{
	put_key(b, key);
	tf_buf_str(b, v ? "true" : "false");
}

static void
put_number(struct tf_buf *b, const char *key, uint64_t v)
{
	put_key(b, key);
	tf_buf_printf(b, "%" PRIu64, v);
}

/* The first bytes of s, whole characters. */
static struct tf_str
first_bytes(struct tf_str s)
{
	if (s.n <= VALUE_BYTES)
		return s;
	s.n = VALUE_BYTES;
	while (s.n > 0 && ((uint8_t)s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	return s;
}

/* Put r->value as member key, with "cut" before it if it is too long. */
static void
put_cut_value(struct report *r, struct tf_buf *b, const char *key,
    const char *name_key, struct tf_str name)
{
	bool cut = r->value.n > VALUE_BYTES;

	if (cut)
		put_flag(b, "cut", true);
	if (name_key != NULL)
		put_text(b, name_key, name);
	put_key(b, key);
	if (cut)
		tf_any_put_string(b, first_bytes(tf_buf_bytes(&r->value)));
	else
		tf_buf_add(b, r->value.p, r->value.n);
	b->failed = b->failed || r->value.failed;
}

/* Write value i, or null, to r->value. */
static void
load_value(struct report *r, uint32_t i)
{
	if (i == TF_ANY_NONE)
		tf_buf_str(&r->value, "null");
	else
		(void)tf_any_put(&r->value, r->x.doc, i, VALUE_BYTES);
}

/* --- rows --------------------------------------------------------------- */

/* Start a row; false if it is left out. */
static bool
begin_row(struct report *r, const struct row *row, bool counts)
{
	bool passed = tf_outcome_passes(row->cause);

	if (counts)
		r->counted[passed]++;
	if (r->kept[passed] == ROWS ||
	    r->rows.n > (passed ? PASSED_BYTES : FAILED_BYTES)) {
		r->cut[passed]++;
		return false;
	}
	r->kept[passed]++;
	tf_buf_str(&r->rows, r->rows.n > 0 ? ",{" : "{");
	put_word(&r->rows, "cause", tf_outcome_word(row->cause));
	put_text(&r->rows, "check", row->check);
	put_key(&r->rows, "inputs");
	tf_buf_str(&r->rows, "[");
	r->first_input = true;
	return true;
}

static void
end_row(struct report *r, const struct row *row)
{
	struct tf_buf *b = &r->rows;

	tf_buf_str(b, "]");
	put_flag(b, "passed", tf_outcome_passes(row->cause));
	put_text(b, "requirement", row->requirement);
	put_key(b, "subject");
	tf_buf_str(b, "{");
	r->value.n = 0;
	if (row->subject_name.p != NULL)
		tf_any_put_string(&r->value, first_bytes(row->subject_name));
	else
		load_value(r, row->subject_id);
	put_cut_value(r, b, "id", NULL, row->subject_name);
	put_text(b, "type", row->subject_type);
	tf_buf_str(b, "}}");
}

/* Put the value in r->value as an input. */
static void
put_input(struct report *r, struct tf_str name)
{
	tf_buf_str(&r->rows, r->first_input ? "{" : ",{");
	r->first_input = false;
	put_cut_value(r, &r->rows, "value", "name", name);
	tf_buf_str(&r->rows, "}");
	r->value.n = 0;
}

static void
put_count_input(struct report *r, const char *name, uint64_t v)
{
	r->value.n = 0;
	tf_buf_printf(&r->value, "%" PRIu64, v);
	put_input(r, tf_str_of(name));
}

static void
put_text_input(struct report *r, const char *name, const char *text)
{
	r->value.n = 0;
	tf_any_put_string(&r->value, tf_str_of(text));
	put_input(r, tf_str_of(name));
}

/* Put what path p finds in subject i; with over, in each element of that. */
static void
put_read(struct report *r, const struct tf_path *over, const struct tf_path *p,
    uint32_t i)
{
	const struct tf_any *v = r->x.doc->v;
	struct tf_buf name = { 0 };
	enum tf_outcome cause;
	uint32_t at;

	r->value.n = 0;
	if (over == NULL) {
		load_value(r, tf_path_find(&r->x, p, i, &cause));
		put_input(r, p->text);
		return;
	}
	tf_buf_add(&name, over->text.p, over->text.n);
	tf_buf_str(&name, p->n > 0 ? "[]." : "[]");
	tf_buf_add(&name, p->text.p, p->text.n);
	at = tf_path_find(&r->x, over, i, &cause);
	if (at == TF_ANY_NONE || v[at].type != TF_ANY_ARRAY) {
		load_value(r, at);
	} else {
		tf_buf_str(&r->value, "[");
		for (uint32_t k = at + 1;
		     k < v[at].next && r->value.n <= VALUE_BYTES;
		     k = v[k].next) {
			tf_buf_str(&r->value, k > at + 1 ? "," : "");
			load_value(r, tf_path_find(&r->x, p, k, &cause));
		}
		tf_buf_str(&r->value, "]");
	}
	r->rows.failed = r->rows.failed || name.failed;
	put_input(r, tf_buf_bytes(&name));
	tf_buf_free(&name);
}

/* Put all that check c reads of subject i. */
static void
put_inputs(struct report *r, const struct tf_type_check *c, uint32_t i)
{
	const struct tf_path *over = c->each != TF_EACH_NONE ? &c->over : NULL;

	put_read(r, over, &c->path, i);
	if (c->op == TF_OP_COMPARE || c->op == TF_OP_COMPARE_TIME)
		put_read(r, over, &c->other, i);
	if (c->substitute != NULL)
		put_inputs(r, c->substitute, i);
}

/* --- the definition in the report --------------------------------------- */

static void put_check(struct tf_buf *b, const struct tf_type_check *c);

static void
put_patterns(struct tf_buf *b, const struct tf_type_check *c)
{
	put_key(b, "patterns");
	tf_buf_str(b, "[");
	for (size_t k = 0; k < c->n; k++) {
		tf_buf_str(b, k > 0 ? "," : "");
		tf_any_put_string(b, c->patterns[k].text);
	}
	tf_buf_str(b, "]");
}

/* Put the members of a check from "max" to "path", which may be inside the
 * "check" of all or any. */
static void
put_operator(struct tf_buf *b, const struct tf_type_check *c)
{
	struct tf_str none = { 0 };

	if (c->max.p != NULL) {
		put_key(b, "max");
		tf_buf_add(b, c->max.p, c->max.n);
	}
	if (c->min.p != NULL) {
		put_key(b, "min");
		tf_buf_add(b, c->min.p, c->min.n);
	}
	put_word(b, "operator", tf_operator_word(c->op));
	put_text(b, "other", c->other.steps != NULL ? c->other.text : none);
	put_text(b, "path", c->path.steps != NULL ? c->path.text : none);
	if (c->n > 0)
		put_patterns(b, c);
}

static void
put_literal(struct tf_buf *b, const struct tf_type_check *c)
{
	if (c->op != TF_OP_EQUALS && c->op != TF_OP_INCLUDES &&
	    c->op != TF_OP_EXCLUDES)
		return;
	put_key(b, "value");
	tf_literal_put(b, &c->value);
}

static void
put_relation(struct tf_buf *b, const struct tf_type_check *c)
{
	if (c->op == TF_OP_COMPARE || c->op == TF_OP_COMPARE_TIME)
		put_word(b, "cmp", tf_relation_word(c->relation));
}

static void
put_check(struct tf_buf *b, const struct tf_type_check *c)
{
	bool each = c->each != TF_EACH_NONE;

	tf_buf_str(b, "{");
	if (each) {
		put_key(b, "check");
		tf_buf_str(b, "{");
		put_relation(b, c);
		put_operator(b, c);
		put_literal(b, c);
		tf_buf_str(b, "}");
	} else {
		put_relation(b, c);
	}
	put_text(b, "description", c->description);
	put_text(b, "id", c->id);
	if (each) {
		put_word(b, "operator", c->each == TF_EACH_ALL ? "all" : "any");
		put_text(b, "path", c->over.text);
	} else {
		put_operator(b, c);
	}
	if (c->substitute != NULL) {
		put_key(b, "substitute");
		put_check(b, c->substitute);
	}
	if (!each)
		put_literal(b, c);
	tf_buf_str(b, "}");
}

static void
put_checks(struct tf_buf *b, const char *key, const struct tf_type_checks *l)
{
	put_key(b, key);
	tf_buf_str(b, "[");
	for (size_t k = 0; k < l->n; k++) {
		tf_buf_str(b, k > 0 ? "," : "");
		put_check(b, &l->check[k]);
	}
	tf_buf_str(b, "]");
}

static void
put_requirement(struct report *r, const struct tf_requirement *q,
    bool satisfied, size_t total, size_t matching)
{
	struct tf_buf *b = &r->requirements;

	tf_buf_str(b, b->n > 0 ? ",{" : "{");
	if (q->applies_to.n > 0)
		put_checks(b, "applies_to", &q->applies_to);
	put_checks(b, "checks", &q->checks);
	put_text(b, "description", q->description);
	if (q->from.n > 0)
		put_text(b, "from", q->from.text);
	put_text(b, "id", q->id);
	put_number(b, "min_subjects", q->min_subjects);
	put_word(b, "require", q->some ? "some" : "every");
	put_flag(b, "satisfied", satisfied);
	r->satisfied += satisfied;
	put_key(b, "subjects");
	tf_buf_str(b, "{");
	put_number(b, "matching", matching);
	put_number(b, "total", total);
	tf_buf_str(b, "}}");
}

/* --- judging ------------------------------------------------------------ */

static struct row
row_of(struct report *r, const struct tf_requirement *q, uint32_t subject)
{
	enum tf_outcome cause;

	return (struct row){ .requirement = q->id,
		.subject_type = q->subject_type,
		.subject_id = q->has_subject_id && subject != TF_ANY_NONE ?
		    tf_path_find(&r->x, &q->subject_id, subject, &cause) :
		    TF_ANY_NONE };
}

/* True if the subject is not dropped; with its row. */
static bool
applies(struct report *r, const struct tf_requirement *q, uint32_t i)
{
	struct row row = row_of(r, q, i);

	row.check = tf_str_of("$applies");
	for (size_t k = 0; k < q->applies_to.n; k++) {
		row.cause = tf_judge_check(&r->x, &q->applies_to.check[k], i);
		if (!tf_outcome_passes(row.cause))
			break;
	}
	if (q->applies_to.n > 0 && begin_row(r, &row, false)) {
		for (size_t k = 0; k < q->applies_to.n; k++)
			put_inputs(r, &q->applies_to.check[k], i);
		end_row(r, &row);
	}
	return tf_outcome_passes(row.cause);
}

/* True if all checks hold for subject i; with a row for each. */
static bool
judge_subject(struct report *r, const struct tf_requirement *q, uint32_t i)
{
	struct row row = row_of(r, q, i);
	bool all = true;

	for (size_t k = 0; k < q->checks.n; k++) {
		const struct tf_type_check *c = &q->checks.check[k];

		row.check = c->id;
		row.cause = tf_judge_check(&r->x, c, i);
		all = all && tf_outcome_passes(row.cause);
		if (begin_row(r, &row, true)) {
			put_inputs(r, c, i);
			end_row(r, &row);
		}
	}
	return all;
}

/* The row $min_subjects.  cause: why no collection was found. */
static bool
judge_count(struct report *r, const struct tf_requirement *q, size_t total,
    size_t matching, enum tf_outcome cause)
{
	struct row row = row_of(r, q, TF_ANY_NONE);
	bool enough = matching >= q->min_subjects;

	row.check = tf_str_of("$min_subjects");
	row.cause = enough		  ? TF_OUTCOME_SATISFIED :
	    cause != TF_OUTCOME_SATISFIED ? cause :
	    total == 0			  ? TF_OUTCOME_ABSENT :
					    TF_OUTCOME_VALUE;
	if (begin_row(r, &row, true)) {
		put_count_input(r, "count(matching)", matching);
		end_row(r, &row);
	}
	return enough;
}

/* Find the subjects: values first, next(first), ... below end. */
static enum tf_outcome
find_subjects(struct report *r, const struct tf_requirement *q, uint32_t *first,
    uint32_t *end)
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

static enum tf_code
judge_requirement(struct report *r, const struct tf_requirement *q)
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

static struct row
evidence_row(struct report *r, const char *check, enum tf_outcome cause)
{
	return (struct row){ .requirement = of_evidence,
		.check = tf_str_of(check),
		.subject_type = tf_str_of("evidence"),
		.subject_id = TF_ANY_NONE,
		.subject_name = r->t->evidence,
		.cause = cause };
}

static void
put_well_formed(struct report *r, const char *problem, bool absent)
{
	struct row row = evidence_row(r, "$well_formed",
	    absent		? TF_OUTCOME_ABSENT :
		problem != NULL ? TF_OUTCOME_VALUE :
				  TF_OUTCOME_SATISFIED);

	r->broken = r->broken || problem != NULL;
	if (!begin_row(r, &row, true))
		return;
	if (problem != NULL)
		put_text_input(r, "error", problem);
	end_row(r, &row);
}

/* A violation of the schema. */
static void
found(void *arg, const struct tf_violation *v)
{
	struct report *r = arg;
	bool null = v->value != TF_ANY_NONE &&
	    r->x.doc->v[v->value].type == TF_ANY_NULL;
	struct row row = evidence_row(r, "$schema",
	    v->value == TF_ANY_NONE ? TF_OUTCOME_ABSENT :
		null		    ? TF_OUTCOME_NULL :
				      TF_OUTCOME_VALUE);

	r->broken = true;
	if (!begin_row(r, &row, true))
		return;
	put_text_input(r, "keyword", v->keyword);
	r->value.n = 0;
	load_value(r, v->value);
	put_input(r, first_bytes(v->place));
	end_row(r, &row);
}

static enum tf_code
judge_schema(struct report *r, struct tf_error *err)
{
	struct row row = evidence_row(r, "$schema", TF_OUTCOME_SATISFIED);
	enum tf_code rc;

	if (r->t->schema == NULL)
		return TF_OK;
	rc = tf_schema_check(r->t->schema, &r->x, found, r, err);
	if (rc == TF_OK && !r->broken && begin_row(r, &row, true))
		end_row(r, &row);
	return rc;
}

static void
put_cut(struct report *r)
{
	struct row row = evidence_row(r, "$cut",
	    r->cut[0] > 0 ? TF_OUTCOME_VALUE : TF_OUTCOME_SATISFIED);
	size_t failed = r->cut[0], passed = r->cut[1];

	if (failed + passed == 0)
		return;
	/* This row always has room. */
	r->kept[0] = r->kept[1] = 0;
	tf_buf_str(&r->rows, ",{");
	put_word(&r->rows, "cause", tf_outcome_word(row.cause));
	put_text(&r->rows, "check", row.check);
	put_key(&r->rows, "inputs");
	tf_buf_str(&r->rows, "[");
	r->first_input = true;
	put_count_input(r, "failed", failed);
	put_count_input(r, "passed", passed);
	end_row(r, &row);
}

/* Put the requirements of evidence that cannot be judged. */
static void
judge_nothing(struct report *r, const char *problem, bool absent)
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
judge_document(struct report *r, struct tf_error *err)
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
put_evidence(struct report *r, struct tf_str evidence, bool read,
    struct tf_buf *b)
{
	char hex[2 * sizeof(struct tf_hash) + 1];
	struct tf_hash h;

	put_key(b, "evidence");
	tf_buf_str(b, "{");
	put_text(b, "name", r->t->evidence);
	if (read) {
		tf_sha256(evidence.p, evidence.n, &h);
		tf_hex(h.b, sizeof(h.b), hex);
		put_word(b, "sha256", hex);
		put_number(b, "size", evidence.n);
	}
	tf_buf_str(b, "}");
}

static enum tf_code
write_report(struct report *r, struct tf_str evidence, bool read,
    struct tf_evaluation *out, struct tf_error *err)
{
	struct tf_buf *b = &out->report;
	struct tf_json j;
	enum tf_code rc;

	put_cut(r);
	out->rule = "checks";
	out->compliant = !r->broken && r->satisfied == r->t->n;
	tf_buf_str(b, "{");
	put_flag(b, "compliant", out->compliant);
	put_evidence(r, evidence, read, b);
	put_key(b, "requirements");
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

static enum tf_code
judge(struct report *r, struct tf_str evidence, const char *problem,
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
	struct report r = { .t = t, .x = { .doc = &d } };
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
