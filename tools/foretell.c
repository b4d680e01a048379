/*
 * The verdict that a seal will give: see foretell.h.
 *
 * The rule is chosen and the evidence is judged by core, as at the seal; only
 * the template, the type and the files come from here. The files are read from
 * the draft, so what is judged is what would be recorded.
 */
#include <string.h>

#include "core/base/bytes.h"
#include "core/definition.h"
#include "core/evaluation.h"
#include "define.h"
#include "foretell.h"
#include "publish.h"
#include "text.h"

struct judging {
	struct recorder *r;
	const struct evidence *e;
	size_t next;
};

static enum tf_code
next(void *arg, struct tf_judged_file *f, bool *found, struct tf_error *err)
{
	struct judging *x = arg;

	(void)err;
	*found = x->next < x->e->n;
	if (*found) {
		f->path = tf_str_of(x->e->v[x->next].name);
		f->size = x->e->v[x->next].size;
		x->next++;
	}
	return TF_OK;
}

static enum tf_code
read_last(void *arg, const struct tf_sink *sink, struct tf_error *err)
{
	struct judging *x = arg;

	return recorder_read(x->r, x->e->v[x->next - 1].name, sink, err);
}

/* *type stays NULL, and *version 0, if the trail does not define the type. */
static enum tf_code
read_type(struct recorder *r, const char *name, struct tf_type **type,
    uint64_t *version, struct tf_error *err)
{
	struct where trail = { 0 };
	struct define d = { &trail, TF_DEFINITION_TYPE, name };
	struct tf_buf text = { 0 };
	enum tf_code rc = publish_trail(r, &trail, err);

	if (rc == TF_OK && strlen(name) <= TF_DEFINITION_NAME_MAX)
		rc = define_get(&d, &text, version, err);
	if (rc == TF_OK && text.n > 0)
		rc = tf_type_parse(text.p, text.n, type, err);
	publish_trail_free(&trail);
	tf_buf_free(&text);
	return rc == TF_NODATA ? TF_OK : rc;
}

static enum tf_code
judge(struct recorder *r, const struct evidence *e, enum tf_rule rule,
    const char *name, struct foretold *out, struct tf_error *err)
{
	struct judging x = { .r = r, .e = e };
	const struct tf_judged_files files = { next, read_last, &x };
	struct tf_evaluation got = { 0 };
	struct tf_type *type = NULL;
	struct tf_hash report;
	uint64_t version = 0;
	enum tf_code rc = TF_OK;

	if (rule == TF_RULE_TYPE)
		rc = read_type(r, name, &type, &version, err);
	if (rc == TF_OK && rule == TF_RULE_TYPE && type == NULL)
		rc = tf_evaluate_refused(false, TF_TYPE_UNDEFINED, &got, err);
	else if (rc == TF_OK)
		rc = tf_evaluate(type, &files, &got, err);
	if (rc == TF_OK)
		rc = tf_evaluation_field(&got, type != NULL ? name : NULL,
		    version, &out->evaluated, &report, err);
	out->compliant = out->compliant && rc == TF_OK && got.compliant;
	tf_evaluation_free(&got);
	tf_type_free(type);
	return rc;
}

enum tf_code
foretell(struct recorder *r, const char *name, struct evidence *e,
    const struct claims *c, struct foretold *out, struct tf_error *err)
{
	const char *claim = claims_get(c, "compliant");
	struct tf_buf template = { 0 }, type = { 0 }, sums = { 0 };
	enum tf_rule rule = TF_RULE_NONE;
	enum tf_code rc;

	*out = (struct foretold){ .compliant = claim == NULL ||
		    strcmp(claim, "true") == 0 };
	rc = publish_template(r, &template, err);
	if (rc == TF_OK)
		rc = tf_definition_rule(template.p, template.n, name,
		    claims_get(c, "type"), &rule, &type, err);
	/* Sorted, as the files are at the seal. */
	if (rc == TF_OK)
		rc = evidence_sums(e, &sums, err);
	if (rc == TF_OK && rule != TF_RULE_NONE)
		rc = judge(r, e, rule, text_of(&type), out, err);
	tf_buf_free(&template);
	tf_buf_free(&type);
	tf_buf_free(&sums);
	return rc;
}

/* The report of that is always the same. */
bool
foretold_has_no_type(const struct foretold *f)
{
	struct tf_evaluation refused = { 0 };
	struct tf_buf field = { 0 };
	struct tf_hash report;
	bool same = tf_evaluate_refused(false, TF_TYPE_UNDEFINED, &refused,
			NULL) == TF_OK &&
	    tf_evaluation_field(&refused, NULL, 0, &field, &report, NULL) ==
		TF_OK &&
	    tf_str_same(tf_buf_bytes(&field), tf_buf_bytes(&f->evaluated));

	tf_evaluation_free(&refused);
	tf_buf_free(&field);
	return same;
}
