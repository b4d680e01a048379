/* Checks of types as JSON: see type_json.h. */
#include "type_json.h"

#include "../base/json_any_write.h"
#include "report_json.h"

static void put_check(struct tf_buf *b, const struct tf_type_check *c);

static void
put_patterns(struct tf_buf *b, const struct tf_type_check *c)
{
	tf_report_key(b, "patterns");
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
		tf_report_key(b, "max");
		tf_buf_add(b, c->max.p, c->max.n);
	}
	if (c->min.p != NULL) {
		tf_report_key(b, "min");
		tf_buf_add(b, c->min.p, c->min.n);
	}
	tf_report_word(b, "operator", tf_operator_word(c->op));
	tf_report_text(b, "other",
	    c->other.steps != NULL ? c->other.text : none);
	tf_report_text(b, "path", c->path.steps != NULL ? c->path.text : none);
	if (c->n > 0)
		put_patterns(b, c);
}

static void
put_literal(struct tf_buf *b, const struct tf_type_check *c)
{
	if (c->op != TF_OP_EQUALS && c->op != TF_OP_INCLUDES &&
	    c->op != TF_OP_EXCLUDES)
		return;
	tf_report_key(b, "value");
	tf_literal_put(b, &c->value);
}

static void
put_relation(struct tf_buf *b, const struct tf_type_check *c)
{
	if (c->op == TF_OP_COMPARE || c->op == TF_OP_COMPARE_TIME)
		tf_report_word(b, "cmp", tf_relation_word(c->relation));
}

static void
put_check(struct tf_buf *b, const struct tf_type_check *c)
{
	bool each = c->each != TF_EACH_NONE;

	tf_buf_str(b, "{");
	if (each) {
		tf_report_key(b, "check");
		tf_buf_str(b, "{");
		put_relation(b, c);
		put_operator(b, c);
		put_literal(b, c);
		tf_buf_str(b, "}");
	} else {
		put_relation(b, c);
	}
	tf_report_text(b, "description", c->description);
	tf_report_text(b, "id", c->id);
	if (each) {
		tf_report_word(b, "operator",
		    c->each == TF_EACH_ALL ? "all" : "any");
		tf_report_text(b, "path", c->over.text);
	} else {
		put_operator(b, c);
	}
	if (c->substitute != NULL) {
		tf_report_key(b, "substitute");
		put_check(b, c->substitute);
	}
	if (!each)
		put_literal(b, c);
	tf_buf_str(b, "}");
}

void
tf_type_checks_put(struct tf_buf *b, const char *key,
    const struct tf_type_checks *l)
{
	tf_report_key(b, key);
	tf_buf_str(b, "[");
	for (size_t k = 0; k < l->n; k++) {
		tf_buf_str(b, k > 0 ? "," : "");
		put_check(b, &l->check[k]);
	}
	tf_buf_str(b, "]");
}
