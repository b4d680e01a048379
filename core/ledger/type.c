/* Definitions of types of attestations: see type.h. */
#include "type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "name.h"
#include "yaml_value.h"

#define ID_MAX 64
#define DESCRIPTION_MAX 2048

/* --- members ------------------------------------------------------------ */

/* Parse the text of member key of map i, if it is there. */
static enum tf_code
parse_text(struct tf_defining *d, int i, const char *key, size_t max,
    struct tf_str *out, struct tf_error *err)
{
	int at = tf_yaml_get(d->y, i, key);
	enum tf_code rc;

	if (at < 0)
		return TF_OK;
	rc = tf_yaml_str(d->y, at, key, out, err);
	if (rc == TF_OK && out->n > max)
		return tf_yaml_fail(d->y, at, err,
		    "%s is longer than %zu bytes", key, max);
	return rc;
}

/* Parse an id as parse_text does: [A-Za-z0-9][A-Za-z0-9._-]*. */
static enum tf_code
parse_id(struct tf_defining *d, int i, const char *key, struct tf_str *out,
    struct tf_error *err)
{
	static const char more[] = "._-";
	enum tf_code rc = parse_text(d, i, key, ID_MAX, out, err);

	if (rc != TF_OK || out->p == NULL)
		return rc;
	for (size_t k = 0; k < out->n; k++) {
		char c = out->p[k];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') ||
		    (k > 0 && memchr(more, c, sizeof(more) - 1) != NULL))
			continue;
		return tf_yaml_fail(d->y, tf_yaml_get(d->y, i, key), err,
		    "%s has another form than [A-Za-z0-9][A-Za-z0-9._-]*", key);
	}
	return TF_OK;
}

/* Fail unless map i has the member key. */
static enum tf_code
demand(struct tf_defining *d, int i, const char *key, struct tf_error *err)
{
	if (tf_yaml_get(d->y, i, key) >= 0)
		return TF_OK;
	return tf_yaml_fail(d->y, i, err, "%s is missing", key);
}

/* --- checks ------------------------------------------------------------- */

static enum tf_code
parse_path(struct tf_defining *d, int i, const char *key, struct tf_path *out,
    struct tf_error *err)
{
	enum tf_code rc = demand(d, i, key, err);

	return rc != TF_OK ?
	    rc :
	    tf_path_parse(d, tf_yaml_get(d->y, i, key), key, out, err);
}

static enum tf_code
parse_value(struct tf_defining *d, int i, struct tf_type_check *c,
    struct tf_error *err)
{
	enum tf_code rc = demand(d, i, "value", err);

	return rc != TF_OK ? rc :
			     tf_literal_parse(d, tf_yaml_get(d->y, i, "value"),
				 "value", &c->value, err);
}

static enum tf_code
parse_patterns(struct tf_defining *d, int i, struct tf_type_check *c,
    struct tf_error *err)
{
	int at = tf_yaml_get(d->y, i, "patterns");
	enum tf_code rc = demand(d, i, "patterns", err);
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
	enum tf_code rc = parse_path(d, i, "other", &c->other, err);
	struct tf_str word;

	if (rc == TF_OK)
		rc = demand(d, i, "cmp", err);
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
	rc = demand(d, i, "operator", err);
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
		rc = parse_path(d, i, "path", &c->path, err);
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
		rc = parse_path(d, i, "path", &c->over, err);
	if (rc == TF_OK)
		rc = demand(d, i, "check", err);
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
		rc = parse_id(d, i, "id", &c->id, err);
	if (rc == TF_OK)
		rc = parse_text(d, i, "description", DESCRIPTION_MAX,
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

/* Parse the list of checks that is member key of map i. */
static enum tf_code
parse_checks(struct tf_defining *d, int i, const char *key,
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

/* --- requirements ------------------------------------------------------- */

static enum tf_code
parse_require(struct tf_defining *d, int i, struct tf_requirement *r,
    struct tf_error *err)
{
	struct tf_str word = { 0 };
	enum tf_code rc = parse_text(d, i, "require", ID_MAX, &word, err);

	if (rc != TF_OK || word.p == NULL)
		return rc;
	r->some = tf_str_same(word, tf_str_of("some"));
	if (r->some || tf_str_same(word, tf_str_of("every")))
		return TF_OK;
	return tf_yaml_fail(d->y, tf_yaml_get(d->y, i, "require"), err,
	    "require is neither every nor some");
}

/* Parse what says which subjects requirement i is about. */
static enum tf_code
parse_subjects(struct tf_defining *d, int i, struct tf_requirement *r,
    struct tf_error *err)
{
	int min = tf_yaml_get(d->y, i, "min_subjects");
	enum tf_code rc = TF_OK;

	r->subject_type = tf_str_of("subject");
	r->min_subjects = 1;
	r->has_subject_id = tf_yaml_get(d->y, i, "subject_id") >= 0;
	r->from.text = tf_str_of("");
	if (tf_yaml_get(d->y, i, "from") >= 0)
		rc = parse_path(d, i, "from", &r->from, err);
	if (rc == TF_OK && r->has_subject_id)
		rc = parse_path(d, i, "subject_id", &r->subject_id, err);
	if (rc == TF_OK)
		rc = parse_id(d, i, "subject_type", &r->subject_type, err);
	if (rc == TF_OK && min >= 0)
		rc = tf_yaml_uint(d->y, min, "min_subjects", 0, TF_ANY_VALUES,
		    &r->min_subjects, err);
	return rc;
}

static enum tf_code
parse_requirement(struct tf_defining *d, int i, struct tf_requirement *r,
    struct tf_error *err)
{
	static const char *const known[] = { "id", "description",
		"subject_type", "from", "subject_id", "require", "min_subjects",
		"applies_to", "checks", NULL };
	enum tf_code rc = tf_yaml_map(d->y, i, "requirement", known, err);

	if (rc == TF_OK)
		rc = demand(d, i, "id", err);
	if (rc == TF_OK)
		rc = demand(d, i, "checks", err);
	if (rc == TF_OK)
		rc = parse_id(d, i, "id", &r->id, err);
	if (rc == TF_OK)
		rc = parse_text(d, i, "description", DESCRIPTION_MAX,
		    &r->description, err);
	if (rc == TF_OK)
		rc = parse_require(d, i, r, err);
	if (rc == TF_OK)
		rc = parse_subjects(d, i, r, err);
	if (rc == TF_OK && tf_yaml_get(d->y, i, "applies_to") >= 0)
		rc = parse_checks(d, i, "applies_to", &r->applies_to, err);
	return rc != TF_OK ? rc : parse_checks(d, i, "checks", &r->checks, err);
}

static enum tf_code
parse_requirements(struct tf_defining *d, int i, struct tf_type *t,
    struct tf_error *err)
{
	enum tf_code rc = tf_yaml_list(d->y, i, "requirements", err);
	struct tf_requirement *r;

	if (rc != TF_OK)
		return rc;
	t->n = tf_yaml_count(d->y, i);
	if (t->n == 0 || t->n > TF_TYPE_REQUIREMENTS)
		return tf_yaml_fail(d->y, i, err,
		    "requirements has 1 to %d entries", TF_TYPE_REQUIREMENTS);
	r = tf_arena_array(d->arena, t->n, sizeof(*r));
	if (r == NULL)
		return tf_nomem(err);
	t->requirements = r;
	for (uint32_t k = (uint32_t)i + 1, n = 0; n < t->n;
	     k = d->y->node[k].next, n++) {
		rc = parse_requirement(d, (int)k, &r[n], err);
		for (uint32_t m = 0; m < n && rc == TF_OK; m++) {
			if (tf_str_same(r[m].id, r[n].id))
				rc = tf_yaml_fail(d->y, (int)k, err,
				    "two requirements have the id %.*s",
				    (int)r[n].id.n, r[n].id.p);
		}
		if (rc != TF_OK)
			return rc;
	}
	return TF_OK;
}

/* --- the type ----------------------------------------------------------- */

/* The evidence is a path below the attestation. */
static enum tf_code
parse_evidence(struct tf_defining *d, struct tf_type *t, struct tf_error *err)
{
	int at = tf_yaml_get(d->y, 0, "evidence");
	enum tf_code rc = demand(d, 0, "evidence", err);
	size_t start = 0;

	if (rc == TF_OK)
		rc = tf_yaml_str(d->y, at, "evidence", &t->evidence, err);
	if (rc != TF_OK)
		return rc;
	if (t->evidence.n > TF_PATH_BELOW_MAX)
		return tf_yaml_fail(d->y, at, err, "evidence is too long");
	for (size_t k = 0; k <= t->evidence.n; k++) {
		struct tf_error why;

		if (k < t->evidence.n && t->evidence.p[k] != '/')
			continue;
		if (tf_name_check(TF_KIND_EVIDENCE, t->evidence.p + start,
			k - start, &why) != TF_OK)
			return tf_yaml_fail(d->y, at, err, "evidence: %s",
			    why.text);
		start = k + 1;
	}
	return TF_OK;
}

static enum tf_code
parse_type(struct tf_defining *d, struct tf_type *t, struct tf_error *err)
{
	static const char *const known[] = { "version", "description",
		"evidence", "schema", "requirements", NULL };
	enum tf_code rc = tf_yaml_map(d->y, 0, "type", known, err);
	int schema, requirements;
	uint64_t version;

	if (rc == TF_OK)
		rc = demand(d, 0, "version", err);
	if (rc == TF_OK)
		rc = tf_yaml_uint(d->y, tf_yaml_get(d->y, 0, "version"),
		    "version", 1, 1, &version, err);
	if (rc == TF_OK)
		rc = parse_text(d, 0, "description", DESCRIPTION_MAX,
		    &t->description, err);
	if (rc == TF_OK)
		rc = parse_evidence(d, t, err);
	if (rc != TF_OK)
		return rc;
	schema = tf_yaml_get(d->y, 0, "schema");
	requirements = tf_yaml_get(d->y, 0, "requirements");
	if (schema < 0 && requirements < 0)
		return tf_yaml_fail(d->y, 0, err,
		    "schema or requirements is missing");
	if (schema >= 0)
		rc = tf_schema_parse(d, schema, &t->schema, err);
	if (rc == TF_OK && requirements >= 0)
		rc = parse_requirements(d, requirements, t, err);
	return rc;
}

enum tf_code
tf_type_parse(const char *p, size_t n, struct tf_type **out,
    struct tf_error *err)
{
	struct tf_type *t = calloc(1, sizeof(*t));
	struct tf_defining d;
	enum tf_code rc;

	*out = NULL;
	if (t == NULL)
		return tf_nomem(err);
	d = (struct tf_defining){ .y = &t->text, .arena = &t->arena };
	rc = tf_yaml_parse(&t->text, p, n, err);
	if (rc == TF_OK)
		rc = parse_type(&d, t, err);
	if (rc != TF_OK) {
		tf_type_free(t);
		return rc;
	}
	t->patterns = d.patterns;
	*out = t;
	return TF_OK;
}

void
tf_type_free(struct tf_type *t)
{
	if (t == NULL)
		return;
	tf_yaml_free(&t->text);
	tf_arena_free(&t->arena);
	free(t);
}
