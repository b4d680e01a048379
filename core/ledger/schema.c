/* The subset of JSON Schema: see schema.h. */
#include "schema.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/number.h"
#include "yaml_value.h"

enum kind { NIL, BOOLEAN, NUMBER, INTEGER, STRING, ARRAY, OBJECT, KINDS };

static const char *const kind_words[KINDS] = { "null", "boolean", "number",
	"integer", "string", "array", "object" };

struct property {
	struct tf_str key;
	const struct tf_schema *schema;
};

struct tf_schema {
	unsigned kinds; /* bits 1 << enum kind; 0: any */
	const struct tf_str *required;
	size_t n_required;
	const struct property *properties;
	size_t n_properties;
	const struct tf_schema *items;
	const struct tf_literal *values; /* enum */
	size_t n_values;
	bool has_pattern;
	struct tf_regex pattern;
	struct tf_str minimum, maximum; /* p NULL: none */
};

/* --- parsing ------------------------------------------------------------ */

static enum tf_code
add_kind(struct tf_defining *d, int i, struct tf_schema *s,
    struct tf_error *err)
{
	struct tf_str word;
	enum tf_code rc;

	/* An unquoted null names this type too. */
	if (tf_yaml_null(d->y, i) && d->y->node[i].text.n == 4) {
		s->kinds |= 1u << NIL;
		return TF_OK;
	}
	rc = tf_yaml_str(d->y, i, "type", &word, err);
	for (unsigned k = 0; k < KINDS && rc == TF_OK; k++) {
		if (tf_str_same(word, tf_str_of(kind_words[k]))) {
			s->kinds |= 1u << k;
			return TF_OK;
		}
	}
	if (rc != TF_OK)
		return rc;
	return tf_yaml_fail(d->y, i, err, "unknown type %.*s",
	    word.n < 40 ? (int)word.n : 40, word.p);
}

static enum tf_code
parse_kinds(struct tf_defining *d, int i, struct tf_schema *s,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (d->y->node[i].type != TF_YAML_LIST)
		return add_kind(d, i, s, err);
	if (tf_yaml_count(d->y, i) == 0)
		return tf_yaml_fail(d->y, i, err, "type is empty");
	for (uint32_t k = (uint32_t)i + 1;
	     k < d->y->node[i].next && rc == TF_OK; k = d->y->node[k].next)
		rc = add_kind(d, (int)k, s, err);
	return rc;
}

static enum tf_code
parse_required(struct tf_defining *d, int i, struct tf_schema *s,
    struct tf_error *err)
{
	enum tf_code rc = tf_yaml_list(d->y, i, "required", err);
	struct tf_str *keys;

	if (rc != TF_OK)
		return rc;
	s->n_required = tf_yaml_count(d->y, i);
	keys = tf_arena_array(d->arena, s->n_required + 1, sizeof(*keys));
	if (keys == NULL)
		return tf_nomem(err);
	s->required = keys;
	return tf_yaml_strs(d->y, i, "required", keys, err);
}

static enum tf_code
parse_properties(struct tf_defining *d, int i, struct tf_schema *s,
    struct tf_error *err)
{
	struct property *p;
	enum tf_code rc = TF_OK;

	if (d->y->node[i].type != TF_YAML_MAP)
		return tf_yaml_fail(d->y, i, err, "properties is not a map");
	s->n_properties = tf_yaml_count(d->y, i);
	p = tf_arena_array(d->arena, s->n_properties + 1, sizeof(*p));
	if (p == NULL)
		return tf_nomem(err);
	s->properties = p;
	for (uint32_t k = (uint32_t)i + 1;
	     k < d->y->node[i].next && rc == TF_OK;
	     k = d->y->node[k + 1].next, p++) {
		p->key = d->y->node[k].text;
		rc = tf_schema_parse(d, (int)k + 1, &p->schema, err);
	}
	return rc;
}

static enum tf_code
parse_pattern(struct tf_defining *d, int i, struct tf_schema *s,
    struct tf_error *err)
{
	s->has_pattern = true;
	return tf_regex_parse(d, i, "pattern", &s->pattern, err);
}

static enum tf_code
parse_items(struct tf_defining *d, int i, struct tf_schema *s,
    struct tf_error *err)
{
	return tf_schema_parse(d, i, &s->items, err);
}

static enum tf_code
parse_enum(struct tf_defining *d, int i, struct tf_schema *s,
    struct tf_error *err)
{
	return tf_literals_parse(d, i, "enum", &s->values, &s->n_values, err);
}

static enum tf_code
parse_minimum(struct tf_defining *d, int i, struct tf_schema *s,
    struct tf_error *err)
{
	return tf_number_parse(d, i, "minimum", &s->minimum, err);
}

static enum tf_code
parse_maximum(struct tf_defining *d, int i, struct tf_schema *s,
    struct tf_error *err)
{
	return tf_number_parse(d, i, "maximum", &s->maximum, err);
}

#define NUMBERS (1u << NUMBER | 1u << INTEGER)

/* The keywords, and the types of which one must be given with each. */
static const struct keyword {
	const char *word;
	unsigned needs;
	enum tf_code (*parse)(struct tf_defining *d, int i, struct tf_schema *s,
	    struct tf_error *err);
	const char *type;
} keywords[] = {
	{ "type", 0, parse_kinds, NULL },
	{ "required", 1u << OBJECT, parse_required, "object" },
	{ "properties", 1u << OBJECT, parse_properties, "object" },
	{ "items", 1u << ARRAY, parse_items, "array" },
	{ "enum", 0, parse_enum, NULL },
	{ "pattern", 1u << STRING, parse_pattern, "string" },
	{ "minimum", NUMBERS, parse_minimum, "number or integer" },
	{ "maximum", NUMBERS, parse_maximum, "number or integer" },
};
#define KEYWORDS (sizeof(keywords) / sizeof(*keywords))

enum tf_code
tf_schema_parse(struct tf_defining *d, int i, const struct tf_schema **out,
    struct tf_error *err)
{
	static const char *const known[] = { "type", "required", "properties",
		"items", "enum", "pattern", "minimum", "maximum", NULL };
	struct tf_schema *s = tf_arena_array(d->arena, 1, sizeof(*s));
	enum tf_code rc;

	if (s == NULL)
		return tf_nomem(err);
	*out = s;
	rc = tf_yaml_map(d->y, i, "schema", known, err);
	for (size_t k = 0; k < KEYWORDS && rc == TF_OK; k++) {
		const struct keyword *w = &keywords[k];
		int at = tf_yaml_get(d->y, i, w->word);

		if (at < 0)
			continue;
		rc = w->parse(d, at, s, err);
		if (rc == TF_OK && w->needs != 0 && (s->kinds & w->needs) == 0)
			return tf_yaml_fail(d->y, at, err,
			    "%s has no effect without type: %s", w->word,
			    w->type);
	}
	return rc;
}

/* --- checking ----------------------------------------------------------- */

struct checking {
	struct tf_judging *x;
	struct tf_buf place;
	void (*found)(void *arg, const struct tf_violation *);
	void *arg;
};

static void
report(struct checking *c, const char *keyword, uint32_t i)
{
	struct tf_violation v = { .place = tf_buf_bytes(&c->place),
		.keyword = keyword,
		.value = i };

	c->found(c->arg, &v);
}

/* The types of value i: a number without fraction is an integer too. */
static unsigned
kinds_of(const struct tf_any_doc *d, uint32_t i)
{
	switch (d->v[i].type) {
	case TF_ANY_NULL:
		return 1u << NIL;
	case TF_ANY_FALSE:
	case TF_ANY_TRUE:
		return 1u << BOOLEAN;
	case TF_ANY_NUMBER_TEXT:
		return tf_number_is_integer(tf_any_text(d, i)) ? NUMBERS :
								 1u << NUMBER;
	case TF_ANY_STRING:
		return 1u << STRING;
	case TF_ANY_ARRAY:
		return 1u << ARRAY;
	default:
		return 1u << OBJECT;
	}
}

static bool
is_listed(struct checking *c, const struct tf_schema *s, uint32_t i)
{
	tf_judging_work(c->x, s->n_values);
	for (size_t k = 0; k < s->n_values; k++) {
		if (tf_literal_equals(c->x->doc, i, &s->values[k]))
			return true;
	}
	return s->n_values == 0;
}

static void
check_string(struct checking *c, const struct tf_schema *s, uint32_t i)
{
	bool matches;

	if (s->has_pattern &&
	    (!tf_judging_match(c->x, &s->pattern, tf_any_text(c->x->doc, i),
		 &matches) ||
		!matches))
		report(c, "pattern", i);
}

static void
check_number(struct checking *c, const struct tf_schema *s, uint32_t i)
{
	struct tf_str n = tf_any_text(c->x->doc, i);
	int order;

	if (s->minimum.p != NULL &&
	    (!tf_number_cmp(n, s->minimum, &order) || order < 0))
		report(c, "minimum", i);
	if (s->maximum.p != NULL &&
	    (!tf_number_cmp(n, s->maximum, &order) || order > 0))
		report(c, "maximum", i);
}

static void check_value(struct checking *c, const struct tf_schema *s,
    uint32_t i);

static void
append_key(struct tf_buf *place, struct tf_str key)
{
	tf_buf_str(place, place->n > 0 ? "." : "");
	tf_buf_add(place, key.p, key.n);
}

static void
check_object(struct checking *c, const struct tf_schema *s, uint32_t i)
{
	const struct tf_any_doc *d = c->x->doc;
	size_t start = c->place.n;

	tf_judging_work(c->x,
	    (s->n_required + s->n_properties) * (1 + d->v[i].count));
	if (c->x->rc != TF_OK)
		return;
	for (size_t k = 0; k < s->n_required; k++) {
		if (tf_any_member(d, i, s->required[k]) != TF_ANY_NONE)
			continue;
		append_key(&c->place, s->required[k]);
		report(c, "required", TF_ANY_NONE);
		c->place.n = start;
	}
	for (size_t k = 0; k < s->n_properties; k++) {
		uint32_t m = tf_any_member(d, i, s->properties[k].key);

		if (m == TF_ANY_NONE)
			continue;
		append_key(&c->place, s->properties[k].key);
		check_value(c, s->properties[k].schema, m);
		c->place.n = start;
	}
}

static void
check_array(struct checking *c, const struct tf_schema *s, uint32_t i)
{
	const struct tf_any *v = c->x->doc->v;
	size_t start = c->place.n, k = 0;

	for (uint32_t e = i + 1; s->items != NULL && e < v[i].next;
	     e = v[e].next, k++) {
		if (c->x->rc != TF_OK)
			return;
		tf_buf_printf(&c->place, "[%zu]", k);
		check_value(c, s->items, e);
		c->place.n = start;
	}
}

/* The recursion is as deep as the schema is. */
static void
check_value(struct checking *c, const struct tf_schema *s, uint32_t i)
{
	const struct tf_any_doc *d = c->x->doc;

	tf_judging_work(c->x, 1);
	if (s->kinds != 0 && (s->kinds & kinds_of(d, i)) == 0) {
		report(c, "type", i);
		return;
	}
	if (!is_listed(c, s, i))
		report(c, "enum", i);
	switch (d->v[i].type) {
	case TF_ANY_STRING:
		check_string(c, s, i);
		break;
	case TF_ANY_NUMBER_TEXT:
		check_number(c, s, i);
		break;
	case TF_ANY_OBJECT:
		check_object(c, s, i);
		break;
	case TF_ANY_ARRAY:
		check_array(c, s, i);
		break;
	default:
		break;
	}
}

enum tf_code
tf_schema_check(const struct tf_schema *s, struct tf_judging *x,
    void (*found)(void *arg, const struct tf_violation *), void *arg,
    struct tf_error *err)
{
	struct checking c = { .x = x, .found = found, .arg = arg };
	enum tf_code rc;

	check_value(&c, s, 0);
	rc = tf_buf_end(&c.place, err);
	tf_buf_free(&c.place);
	if (rc == TF_OK && x->rc == TF_NOMEM)
		return tf_nomem(err);
	if (rc == TF_OK && x->rc != TF_OK)
		return tf_fail(err, x->rc, "too much work");
	return rc;
}
