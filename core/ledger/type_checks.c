/* The parser of checks of types: see type_checks.h. */
#include "type_checks.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/number.h"
#include "yaml_value.h"

static enum tf_code
parse_value(struct tf_defining *d, int i, struct tf_type_check *c,
    struct tf_error *err)
{
	enum tf_code rc = tf_member_demand(d, i, "value", err);

	return rc != TF_OK ? rc :
			     tf_literal_parse(d, tf_yaml_get(d->y, i, "value"),
				 "value", &c->value, err);
}

static enum tf_code
parse_patterns(struct tf_defining *d, int i, struct tf_type_check *c,
    struct tf_error *err)
{
	int at = tf_yaml_get(d->y, i, "patterns");
	enum tf_code rc = tf_member_demand(d, i, "patterns", err);
	struct tf_regex *re;

	if (rc == TF_OK)
		rc = tf_yaml_list(d->y, at, "patterns", err);
	if (rc != TF_OK)
		return rc;
	c->n = tf_yaml_count(d->y, at);
	if (c->n == 0)
		return tf_yaml_fail(d->y, at, err, "patterns is empty");
	re = tf_arena_array(d->arena, c->n, sizeof(*re));
	if (re == NULL)
		return tf_nomem(err);
	c->patterns = re;
	for (uint32_t k = (uint32_t)at + 1;
	     k < d->y->node[at].next && rc == TF_OK; k = d->y->node[k].next)
		rc = tf_regex_parse(d, (int)k, "pattern", re++, err);
	return rc;
}

static enum tf_code
parse_range(struct tf_defining *d, int i, struct tf_type_check *c,
    struct tf_error *err)
{
	int min = tf_yaml_get(d->y, i, "min"),
	    max = tf_yaml_get(d->y, i, "max");
	enum tf_code rc = TF_OK;
	int order;

	if (min < 0 && max < 0)
		return tf_yaml_fail(d->y, i, err, "min or max is missing");
	if (min >= 0)
		rc = tf_number_parse(d, min, "min", &c->min, err);
	if (rc == TF_OK && max >= 0)
		rc = tf_number_parse(d, max, "max", &c->max, err);
	if (rc == TF_OK && min >= 0 && max >= 0 &&
	    tf_number_cmp(c->min, c->max, &order) && order > 0)
		return tf_yaml_fail(d->y, max, err, "max is less than min");
	return rc;
}

static enum tf_code
parse_compare(struct tf_defining *d, int i, struct tf_type_check *c,
    struct tf_error *err)
{
	enum tf_code rc = tf_member_path_parse(d, i, "other", &c->other, err);
	struct tf_str word;

	if (rc == TF_OK)
		rc = tf_member_demand(d, i, "cmp", err);
	if (rc == TF_OK)
		rc = tf_yaml_str(d->y, tf_yaml_get(d->y, i, "cmp"), "cmp",
		    &word, err);
	if (rc != TF_OK)
		return rc;
	for (int r = 0; r < TF_RELATIONS; r++) {
		c->relation = (enum tf_relation)r;
		if (tf_str_same(word, tf_str_of(tf_relation_word(c->relation))))
			return TF_OK;
	}
	return tf_yaml_fail(d->y, tf_yaml_get(d->y, i, "cmp"), err,
	    "cmp is none of eq, ne, gt, gte, lt, lte");
}

/* The keys of each operator after path. */
static const struct {
	enum tf_code (*parse)(struct tf_defining *d, int i,
	    struct tf_type_check *c, struct tf_error *err);
	const char *keys[3];
} forms[TF_OPERATORS] = {
	[TF_OP_EQUALS] = { parse_value, { "value" } },
	[TF_OP_MATCHES_ANY] = { parse_patterns, { "patterns" } },
	[TF_OP_NOT_MATCHES_ANY] = { parse_patterns, { "patterns" } },
	[TF_OP_RANGE] = { parse_range, { "min", "max" } },
	[TF_OP_INCLUDES] = { parse_value, { "value" } },
	[TF_OP_EXCLUDES] = { parse_value, { "value" } },
	[TF_OP_COMPARE] = { parse_compare, { "other", "cmp" } },
	[TF_OP_COMPARE_TIME] = { parse_compare, { "other", "cmp" } },
};

/* Fail if map i has a key that operator op does not know.  outer: keys of a
 * check that is not inside another one are allowed too. */
static enum tf_code
refuse_keys(struct tf_defining *d, int i, enum tf_operator op, bool outer,
    struct tf_error *err)
{
	const char *known[10] = { "operator", "path" };
	size_t n = 2;

	for (int k = 0; k < 3 && forms[op].keys[k] != NULL; k++)
		known[n++] = forms[op].keys[k];
	if (outer) {
		known[n++] = "id";
		known[n++] = "description";
		known[n++] = "substitute";
	}
	known[n] = NULL;
	return tf_yaml_map(d->y, i, tf_operator_word(op), known, err);
}

static enum tf_code
find_operator(struct tf_defining *d, int i, struct tf_str word,
    enum tf_operator *op, struct tf_error *err)
{
	for (int k = 0; k < TF_OPERATORS; k++) {
		*op = (enum tf_operator)k;
		if (tf_str_same(word, tf_str_of(tf_operator_word(*op))))
			return TF_OK;
	}
	return tf_yaml_fail(d->y, tf_yaml_get(d->y, i, "operator"), err,
	    "unknown operator %.*s", word.n < 40 ? (int)word.n : 40, word.p);
}

static enum tf_code
parse_operator(struct tf_defining *d, int i, struct tf_str *word,
    struct tf_error *err)
{
	enum tf_code rc;

	if (d->y->node[i].type != TF_YAML_MAP)
		return tf_yaml_fail(d->y, i, err, "a check is a map");
	rc = tf_member_demand(d, i, "operator", err);
	if (rc != TF_OK)
		return rc;
	return tf_yaml_str(d->y, tf_yaml_get(d->y, i, "operator"), "operator",
	    word, err);
}

/* Parse the operator of map i and what belongs to it.  Inside all and any the
 * path may be missing: the element itself. */
static enum tf_code
parse_one(struct tf_defining *d, int i, bool outer, struct tf_type_check *c,
    struct tf_error *err)
{
	struct tf_str word;
	enum tf_code rc = parse_operator(d, i, &word, err);

	if (rc == TF_OK)
		rc = find_operator(d, i, word, &c->op, err);
	if (rc == TF_OK)
		rc = refuse_keys(d, i, c->op, outer, err);
	if (rc == TF_OK && (outer || tf_yaml_get(d->y, i, "path") >= 0))
		rc = tf_member_path_parse(d, i, "path", &c->path, err);
	if (rc == TF_OK && forms[c->op].parse != NULL)
		rc = forms[c->op].parse(d, i, c, err);
	return rc;
}

/* Parse all or any of map i: {operator, path, check}. */
static enum tf_code
parse_each(struct tf_defining *d, int i, struct tf_type_check *c,
    struct tf_error *err)
{
	static const char *const known[] = { "operator", "path", "check", "id",
		"description", "substitute", NULL };
	enum tf_code rc = tf_yaml_map(d->y, i,
	    c->each == TF_EACH_ALL ? "all" : "any", known, err);

	if (rc == TF_OK)
		rc = tf_member_path_parse(d, i, "path", &c->over, err);
	if (rc == TF_OK)
		rc = tf_member_demand(d, i, "check", err);
	return rc != TF_OK ?
	    rc :
	    parse_one(d, tf_yaml_get(d->y, i, "check"), false, c, err);
}

/* Parse map i.  number is its place in the list, 0 for a substitute. */
static enum tf_code
parse_check(struct tf_defining *d, int i, size_t number,
    struct tf_type_check *c, struct tf_error *err)
{
	struct tf_type_check *substitute;
	struct tf_str word;
	enum tf_code rc = parse_operator(d, i, &word, err);
	char *id;
	int at;

	if (rc != TF_OK)
		return rc;
	c->each = tf_str_same(word, tf_str_of("all")) ? TF_EACH_ALL :
	    tf_str_same(word, tf_str_of("any"))	      ? TF_EACH_ANY :
							TF_EACH_NONE;
	rc = c->each != TF_EACH_NONE ? parse_each(d, i, c, err) :
				       parse_one(d, i, true, c, err);
	if (rc == TF_OK)
		rc = tf_id_parse(d, i, "id", &c->id, err);
	if (rc == TF_OK)
		rc = tf_text_parse(d, i, "description", TF_DESCRIPTION_MAX,
		    &c->description, err);
	if (rc != TF_OK)
		return rc;
	at = tf_yaml_get(d->y, i, "substitute");
	if (number == 0) {
		if (at >= 0 || c->id.p != NULL)
			return tf_yaml_fail(d->y, i, err,
			    "a substitute has neither id nor substitute");
		return TF_OK;
	}
	if (c->id.p == NULL) {
		id = tf_arena_array(d->arena, 32, 1);
		if (id == NULL)
			return tf_nomem(err);
		(void)snprintf(id, 32, "check-%zu", number);
		c->id = tf_str_of(id);
	}
	if (at < 0)
		return TF_OK;
	substitute = tf_arena_array(d->arena, 1, sizeof(*substitute));
	if (substitute == NULL)
		return tf_nomem(err);
	c->substitute = substitute;
	return parse_check(d, at, 0, substitute, err);
}

enum tf_code
tf_type_checks_parse(struct tf_defining *d, int i, const char *key,
    struct tf_type_checks *out, struct tf_error *err)
{
	int at = tf_yaml_get(d->y, i, key);
	enum tf_code rc = tf_yaml_list(d->y, at, key, err);
	struct tf_type_check *c;

	if (rc != TF_OK)
		return rc;
	out->n = tf_yaml_count(d->y, at);
	if (out->n == 0 || out->n > TF_TYPE_CHECKS)
		return tf_yaml_fail(d->y, at, err, "%s has 1 to %d checks", key,
		    TF_TYPE_CHECKS);
	c = tf_arena_array(d->arena, out->n, sizeof(*c));
	if (c == NULL)
		return tf_nomem(err);
	out->check = c;
	for (uint32_t k = (uint32_t)at + 1, n = 0; n < out->n;
	     k = d->y->node[k].next, n++) {
		rc = parse_check(d, (int)k, n + 1, &c[n], err);
		for (uint32_t m = 0; m < n && rc == TF_OK; m++) {
			if (tf_str_same(c[m].id, c[n].id))
				rc = tf_yaml_fail(d->y, (int)k, err,
				    "two checks have the id %.*s",
				    (int)c[n].id.n, c[n].id.p);
		}
		if (rc != TF_OK)
			return rc;
	}
	return TF_OK;
}
