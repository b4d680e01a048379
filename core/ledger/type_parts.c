/* Parts of definitions of types: see type_parts.h. */
#include "type_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/json_any_write.h"
#include "../base/number.h"
#include "pattern.h"
#include "yaml_value.h"

#define PATH_STEPS 16
#define PATH_BYTES 1024
#define PATTERNS 64 /* each may need megabytes while it is matched */

struct tf_block {
	struct tf_block *next;
	max_align_t data[];
};

void *
tf_arena_array(struct tf_arena *a, size_t n, size_t size)
{
	struct tf_block *b;

	if (size > 0 && n > (SIZE_MAX - sizeof(*b)) / size)
		return NULL;
	b = calloc(1, sizeof(*b) + n * size);
	if (b == NULL)
		return NULL;
	b->next = a->blocks;
	a->blocks = b;
	return b->data;
}

void
tf_arena_free(struct tf_arena *a)
{
	struct tf_block *next;

	for (struct tf_block *b = a->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	a->blocks = NULL;
}

/* --- literals ----------------------------------------------------------- */

static bool
is_word(struct tf_str s, const char *word)
{
	return tf_str_same(s, tf_str_of(word));
}

/* True for a plain scalar that some readers of YAML take for a string and
 * others for something else. */
static bool
is_ambiguous(struct tf_str s)
{
	static const char *const words[] = { "", "~", "y", "n", "yes", "no",
		"on", "off", "true", "false", "null", ".inf", ".nan", "+.inf",
		"-.inf" };
	size_t sign = s.n > 0 && (*s.p == '+' || *s.p == '-');

	for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++) {
		if (s.n == strlen(words[k]) &&
		    strncasecmp(s.p, words[k], s.n) == 0)
			return true;
	}
	sign += s.n > sign && s.p[sign] == '.';
	return s.n > sign && s.p[sign] >= '0' && s.p[sign] <= '9';
}

enum tf_code
tf_literal_parse(struct tf_defining *d, int i, const char *what,
    struct tf_literal *out, struct tf_error *err)
{
	const struct tf_yaml_node *v = &d->y->node[i];
	int order;

	if (v->type != TF_YAML_SCALAR)
		return tf_yaml_fail(d->y, i, err, "%s is not a single value",
		    what);
	*out = (struct tf_literal){ .type = TF_ANY_STRING, .text = v->text };
	if (!v->plain)
		return TF_OK;
	if (is_word(v->text, "null"))
		out->type = TF_ANY_NULL;
	else if (is_word(v->text, "true"))
		out->type = TF_ANY_TRUE;
	else if (is_word(v->text, "false"))
		out->type = TF_ANY_FALSE;
	else if (tf_number_ok(v->text))
		out->type = TF_ANY_NUMBER_TEXT;
	else if (is_ambiguous(v->text))
		return tf_yaml_fail(d->y, i, err,
		    "%s: put the text in quotes, or write null, true, false "
		    "or a number as JSON does",
		    what);
	/* So that it is known of every number whether it equals this one. */
	if (out->type == TF_ANY_NUMBER_TEXT &&
	    !tf_number_cmp(v->text, v->text, &order))
		return tf_yaml_fail(d->y, i, err, "%s has a huge exponent",
		    what);
	return TF_OK;
}

enum tf_code
tf_literals_parse(struct tf_defining *d, int i, const char *what,
    const struct tf_literal **out, size_t *n, struct tf_error *err)
{
	struct tf_literal *l;
	enum tf_code rc = tf_yaml_list(d->y, i, what, err);
	uint32_t k = (uint32_t)i + 1;

	if (rc != TF_OK)
		return rc;
	*n = tf_yaml_count(d->y, i);
	if (*n == 0)
		return tf_yaml_fail(d->y, i, err, "%s is empty", what);
	l = tf_arena_array(d->arena, *n, sizeof(*l));
	if (l == NULL)
		return tf_nomem(err);
	*out = l;
	for (; k < d->y->node[i].next && rc == TF_OK; k = d->y->node[k].next)
		rc = tf_literal_parse(d, (int)k, what, l++, err);
	return rc;
}

enum tf_code
tf_number_parse(struct tf_defining *d, int i, const char *what,
    struct tf_str *out, struct tf_error *err)
{
	struct tf_literal l;
	enum tf_code rc = tf_literal_parse(d, i, what, &l, err);

	if (rc != TF_OK)
		return rc;
	if (l.type != TF_ANY_NUMBER_TEXT)
		return tf_yaml_fail(d->y, i, err, "%s is not a number", what);
	*out = l.text;
	return TF_OK;
}

void
tf_literal_put(struct tf_buf *out, const struct tf_literal *l)
{
	tf_any_put_scalar(out, l->type, l->text);
}

/* --- paths -------------------------------------------------------------- */

/* Parse the members that selector i asks for. */
static enum tf_code
parse_where(struct tf_defining *d, int i, struct tf_step *step,
    struct tf_error *err)
{
	static const char *const known[] = { "where", NULL };
	enum tf_code rc = tf_yaml_map(d->y, i, "step", known, err);
	struct tf_where *w;
	uint32_t k;
	int map;

	if (rc != TF_OK)
		return rc;
	map = tf_yaml_get(d->y, i, "where");
	if (map < 0 || d->y->node[map].type != TF_YAML_MAP ||
	    tf_yaml_count(d->y, map) == 0)
		return tf_yaml_fail(d->y, i, err,
		    "a step is a key or {where: {KEY: VALUE}}");
	step->n = tf_yaml_count(d->y, map);
	w = tf_arena_array(d->arena, step->n, sizeof(*w));
	if (w == NULL)
		return tf_nomem(err);
	step->where = w;
	for (k = (uint32_t)map + 1; k < d->y->node[map].next && rc == TF_OK;
	     k = d->y->node[k + 1].next, w++) {
		w->key = d->y->node[k].text;
		rc = tf_literal_parse(d, (int)k + 1, "where", &w->value, err);
	}
	return rc;
}

/* Parse a list of steps.  *selectors counts those that select. */
static enum tf_code
parse_steps(struct tf_defining *d, int i, struct tf_step *steps,
    unsigned *selectors, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (uint32_t k = (uint32_t)i + 1;
	     k < d->y->node[i].next && rc == TF_OK;
	     k = d->y->node[k].next, steps++) {
		if (d->y->node[k].type == TF_YAML_MAP) {
			++*selectors;
			rc = parse_where(d, (int)k, steps, err);
		} else {
			rc = tf_yaml_str(d->y, (int)k, "key", &steps->key, err);
		}
	}
	return rc;
}

/* Split text at its dots. */
static enum tf_code
split(struct tf_defining *d, int i, const char *what, struct tf_str text,
    struct tf_step *steps, size_t max, size_t *n, struct tf_error *err)
{
	size_t start = 0;

	for (size_t k = 0; k <= text.n; k++) {
		if (k < text.n && text.p[k] != '.')
			continue;
		if (k == start)
			return tf_yaml_fail(d->y, i, err, "%s has an empty key",
			    what);
		if (*n == max)
			return tf_yaml_fail(d->y, i, err,
			    "%s has more than %zu keys", what, max);
		steps[(*n)++].key = (struct tf_str){ text.p + start,
			k - start };
		start = k + 1;
	}
	return TF_OK;
}

/* Set the text by which reports name the path. */
static enum tf_code
name_path(struct tf_defining *d, int i, struct tf_path *p, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	char *text;

	for (size_t k = 0; k < p->n; k++) {
		const struct tf_step *s = &p->steps[k];

		if (s->n == 0) {
			tf_buf_str(&b, k > 0 ? "." : "");
			tf_buf_add(&b, s->key.p, s->key.n);
			continue;
		}
		for (size_t w = 0; w < s->n; w++) {
			tf_buf_str(&b, w > 0 ? " and " : "[");
			tf_buf_add(&b, s->where[w].key.p, s->where[w].key.n);
			tf_buf_str(&b, "==");
			tf_literal_put(&b, &s->where[w].value);
		}
		tf_buf_str(&b, "]");
	}
	text = b.failed || b.n > PATH_BYTES ?
	    NULL :
	    tf_arena_array(d->arena, b.n + 1, 1);
	if (text != NULL && b.n > 0)
		memcpy(text, b.p, b.n);
	p->text = (struct tf_str){ text, b.n };
	tf_buf_free(&b);
	if (text == NULL && p->text.n > PATH_BYTES)
		return tf_yaml_fail(d->y, i, err, "a path longer than %d bytes",
		    PATH_BYTES);
	return text != NULL ? TF_OK : tf_nomem(err);
}

enum tf_code
tf_path_parse(struct tf_defining *d, int i, const char *what,
    struct tf_path *out, struct tf_error *err)
{
	struct tf_step *steps = tf_arena_array(d->arena, PATH_STEPS,
	    sizeof(*steps));
	unsigned selectors = 0;
	struct tf_str text;
	enum tf_code rc;

	*out = (struct tf_path){ .steps = steps };
	if (steps == NULL)
		return tf_nomem(err);
	if (d->y->node[i].type == TF_YAML_LIST) {
		out->n = tf_yaml_count(d->y, i);
		if (out->n > PATH_STEPS)
			return tf_yaml_fail(d->y, i, err,
			    "%s has more than %d keys", what, PATH_STEPS);
		rc = parse_steps(d, i, steps, &selectors, err);
	} else {
		rc = tf_yaml_str(d->y, i, what, &text, err);
		if (rc == TF_OK)
			rc = split(d, i, what, text, steps, PATH_STEPS, &out->n,
			    err);
	}
	if (rc != TF_OK)
		return rc;
	if (selectors > 1)
		return tf_yaml_fail(d->y, i, err, "%s has more than one where",
		    what);
	return name_path(d, i, out, err);
}

/* --- patterns ----------------------------------------------------------- */

enum tf_code
tf_regex_parse(struct tf_defining *d, int i, const char *what,
    struct tf_regex *out, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = tf_yaml_str(d->y, i, what, &out->text, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_pattern_check(out->text, &out->size, &why);
	if (rc == TF_NOMEM)
		return tf_nomem(err);
	if (rc != TF_OK)
		return tf_yaml_fail(d->y, i, err, "%s", why.text);
	if (d->patterns == PATTERNS)
		return tf_yaml_fail(d->y, i, err,
		    "a type has at most %d patterns", PATTERNS);
	out->index = d->patterns++;
	return TF_OK;
}

/* --- members ------------------------------------------------------------ */

enum tf_code
tf_text_parse(struct tf_defining *d, int i, const char *key, size_t max,
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

enum tf_code
tf_id_parse(struct tf_defining *d, int i, const char *key, struct tf_str *out,
    struct tf_error *err)
{
	static const char more[] = "._-";
	enum tf_code rc = tf_text_parse(d, i, key, TF_TYPE_ID_MAX, out, err);

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

enum tf_code
tf_member_demand(struct tf_defining *d, int i, const char *key,
    struct tf_error *err)
{
	if (tf_yaml_get(d->y, i, key) >= 0)
		return TF_OK;
	return tf_yaml_fail(d->y, i, err, "%s is missing", key);
}

enum tf_code
tf_member_path_parse(struct tf_defining *d, int i, const char *key,
    struct tf_path *out, struct tf_error *err)
{
	enum tf_code rc = tf_member_demand(d, i, key, err);

	return rc != TF_OK ?
	    rc :
	    tf_path_parse(d, tf_yaml_get(d->y, i, key), key, out, err);
}
