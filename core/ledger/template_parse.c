/* The parser of templates: see template_parse.h. */
#include "template_parse.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "field_text.h"
#include "name.h"
#include "retention.h"
#include "template_i.h"
#include "template_warnings.h"
#include "yaml_value.h"

#define TYPE_MAX 128 /* bytes, as in claims */

/* True if s is the name of an attestation without "@N". */
static bool
is_plain_name(struct tf_str s)
{
	return memchr(s.p, '@', s.n) == NULL &&
	    tf_name_check(TF_KIND_ATTESTATION, s.p, s.n, NULL) == TF_OK;
}

/* --- reading -------------------------------------------------------------- */

struct reading {
	struct tf_template *t;
	struct tf_template_memory *m;
	const struct tf_yaml *y;
	struct tf_error *err;
};

/* Read the text of a key that must be there in map i. */
static enum tf_code
read_needed(struct reading *x, int i, const char *what, const char *key,
    struct tf_str *out, int *value)
{
	*value = tf_yaml_get(x->y, i, key);
	if (*value < 0)
		return tf_yaml_fail(x->y, i, x->err, "%s without a %s", what,
		    key);
	return tf_yaml_str(x->y, *value, key, out, x->err);
}

static enum tf_code
read_name(struct reading *x, int i, const char *what, struct tf_str *out,
    int *value)
{
	enum tf_code rc = read_needed(x, i, what, "name", out, value);

	if (rc == TF_OK && out->n > TF_NAME_MAX)
		rc = tf_yaml_fail(x->y, *value, x->err,
		    "a name has at most %d bytes", TF_NAME_MAX);
	if (rc == TF_OK && !is_plain_name(*out))
		rc = tf_yaml_fail(x->y, *value, x->err,
		    "%.*s is not a name of letters, digits, '.', '_', '~', '-'",
		    TF_SHOWN(*out));
	return rc;
}

static enum tf_code
read_type(struct reading *x, int i, struct tf_str *out)
{
	struct tf_str custom;
	int value;
	enum tf_code rc = read_needed(x, i, "an attestation", "type", out,
	    &value);

	if (rc != TF_OK || tf_type_is_any(*out) || tf_type_built_in(*out))
		return rc;
	custom = tf_type_custom(*out);
	if (custom.p != NULL && out->n <= TYPE_MAX &&
	    tf_text_definition_ok(custom.p, custom.n))
		return TF_OK;
	return tf_yaml_fail(x->y, value, x->err,
	    "the type %.*s is not known; own types are custom:NAME",
	    TF_SHOWN(*out));
}

/* Read the list of texts at key of map i, if it is there. */
static enum tf_code
read_strs(struct reading *x, int i, const char *key, struct tf_strs *out,
    int *list)
{
	struct tf_str *p;
	enum tf_code rc;

	*list = tf_yaml_get(x->y, i, key);
	if (*list < 0)
		return TF_OK;
	if ((rc = tf_yaml_list(x->y, *list, key, x->err)) != TF_OK)
		return rc;
	out->n = tf_yaml_count(x->y, *list);
	if ((p = tf_template_alloc(x->t, out->n, sizeof(*p))) == NULL)
		return tf_nomem(x->err);
	out->p = p;
	return tf_yaml_strs(x->y, *list, key, p, x->err);
}

/* Read a list of users or groups. */
static enum tf_code
read_who(struct reading *x, int i, const char *key, struct tf_strs *out)
{
	uint64_t id;
	int list;
	enum tf_code rc = read_strs(x, i, key, out, &list);

	for (size_t k = 0; rc == TF_OK && k < out->n; k++)
		if (tf_slot_lists_id(out->p[k]) &&
		    !tf_decimal(out->p[k].p, out->p[k].n, UINT32_MAX - 1, &id))
			rc = tf_yaml_fail(x->y, list + 1 + (int)k, x->err,
			    "%.*s in %s is not an id", TF_SHOWN(out->p[k]),
			    key);
	return rc;
}

static enum tf_code
read_after(struct reading *x, int i, struct tf_strs *out)
{
	int list;
	enum tf_code rc = read_strs(x, i, "after", out, &list);

	for (size_t k = 0; rc == TF_OK && k < out->n; k++)
		if (!is_plain_name(out->p[k]))
			rc = tf_yaml_fail(x->y, list + 1 + (int)k, x->err,
			    "%.*s is not the name of an attestation",
			    TF_SHOWN(out->p[k]));
	return rc;
}

static enum tf_code
read_flag(struct reading *x, int i, const char *key, bool *out)
{
	int value = tf_yaml_get(x->y, i, key);

	return value < 0 ? TF_OK : tf_yaml_bool(x->y, value, key, out, x->err);
}

static enum tf_code
read_count(struct reading *x, int i, struct tf_slot *s)
{
	int value = tf_yaml_get(x->y, i, "count");
	uint64_t n = 1;
	enum tf_code rc = TF_OK;

	if (value >= 0)
		rc = tf_yaml_uint(x->y, value, "count", 1, TF_SLOT_COUNT_MAX,
		    &n, x->err);
	s->count = (uint32_t)n;
	if (rc == TF_OK)
		rc = read_flag(x, i, "different_users", &s->different_users);
	if (rc == TF_OK && s->different_users && n < 2)
		rc = tf_yaml_fail(x->y, tf_yaml_get(x->y, i, "different_users"),
		    x->err, "different_users needs a count of 2 or more");
	return rc;
}

static enum tf_code
read_control(struct reading *x, int i, struct tf_str *out)
{
	int value = tf_yaml_get(x->y, i, "control");
	enum tf_code rc;

	if (value < 0)
		return TF_OK;
	rc = tf_yaml_str(x->y, value, "control", out, x->err);
	if (rc == TF_OK && !tf_control_ok(out->p, out->n))
		rc = tf_yaml_fail(x->y, value, x->err,
		    "%.*s is not the id of a control", TF_SHOWN(*out));
	return rc;
}

/* Read the extensions of an attestation: the value i of x-trailfs. */
static enum tf_code
read_extensions(struct reading *x, int i, struct tf_slot *s)
{
	static const char *const keys[] = { "optional", "count",
		"different_users", "deadline", "users", "groups", "after",
		"control", NULL };
	enum tf_code rc = tf_yaml_map(x->y, i, "x-trailfs", keys, x->err);
	int deadline;

	if (rc == TF_OK)
		rc = read_flag(x, i, "optional", &s->optional);
	if (rc == TF_OK)
		rc = read_count(x, i, s);
	if (rc == TF_OK && (deadline = tf_yaml_get(x->y, i, "deadline")) >= 0)
		rc = tf_yaml_seconds(x->y, deadline, "deadline", &s->deadline_s,
		    x->err);
	if (rc == TF_OK)
		rc = read_who(x, i, "users", &s->users);
	if (rc == TF_OK)
		rc = read_who(x, i, "groups", &s->groups);
	if (rc == TF_OK)
		rc = read_after(x, i, &s->after);
	if (rc == TF_OK)
		rc = read_control(x, i, &s->control);
	return rc;
}

/* Make the name of slot s "ARTIFACT.NAME"; its NAME is the value i. */
static enum tf_code
join_name(struct reading *x, int i, struct tf_slot *s)
{
	size_t n = s->artifact.n + 1 + s->name.n;
	char *p;

	if (n > TF_NAME_MAX)
		return tf_yaml_fail(x->y, i, x->err,
		    "with its artifact the name has more than %d bytes",
		    TF_NAME_MAX);
	if ((p = tf_template_alloc(x->t, n, 1)) == NULL)
		return tf_nomem(x->err);
	memcpy(p, s->artifact.p, s->artifact.n);
	p[s->artifact.n] = '.';
	memcpy(p + s->artifact.n + 1, s->name.p, s->name.n);
	s->name = (struct tf_str){ p, n };
	return TF_OK;
}

/* Read attestation i of an artifact, or of the trail itself. */
static enum tf_code
read_attestation(struct reading *x, int i, struct tf_str artifact)
{
	static const char *const keys[] = { "name", "type", "x-trailfs", NULL };
	struct tf_slot s = { .artifact = artifact,
		.count = 1,
		.line = x->y->node[i].line };
	enum tf_code rc = tf_yaml_map(x->y, i, "an attestation", keys, x->err);
	int name, more;

	if (rc == TF_OK)
		rc = read_name(x, i, "an attestation", &s.name, &name);
	if (rc == TF_OK)
		rc = read_type(x, i, &s.type);
	if (rc == TF_OK && artifact.p != NULL)
		rc = join_name(x, name, &s);
	if (rc == TF_OK && tf_template_slot(x->t, s.name.p, s.name.n) != NULL)
		rc = tf_yaml_fail(x->y, name, x->err,
		    "the attestation %.*s is there twice", TF_SHOWN(s.name));
	if (rc == TF_OK && (more = tf_yaml_get(x->y, i, "x-trailfs")) >= 0)
		rc = read_extensions(x, more, &s);
	if (rc == TF_OK)
		x->m->slots[x->t->n++] = s;
	return rc;
}

/* Read the list at key `attestations` of map i, if it is there. */
static enum tf_code
read_attestations(struct reading *x, int i, struct tf_str artifact)
{
	int list = tf_yaml_get(x->y, i, "attestations");
	enum tf_code rc;

	if (list < 0)
		return TF_OK;
	rc = tf_yaml_list(x->y, list, "attestations", x->err);
	for (uint32_t k = (uint32_t)list + 1;
	     rc == TF_OK && k < x->y->node[list].next; k = x->y->node[k].next)
		rc = read_attestation(x, (int)k, artifact);
	return rc;
}

static enum tf_code
read_artifact(struct reading *x, int i)
{
	static const char *const keys[] = { "name", "attestations", NULL };
	struct tf_strs *all = &x->t->artifacts;
	struct tf_str name;
	enum tf_code rc = tf_yaml_map(x->y, i, "an artifact", keys, x->err);
	int value;

	if (rc == TF_OK)
		rc = read_name(x, i, "an artifact", &name, &value);
	for (size_t k = 0; rc == TF_OK && k < all->n; k++)
		if (tf_str_same(all->p[k], name))
			rc = tf_yaml_fail(x->y, value, x->err,
			    "the artifact %.*s is there twice", TF_SHOWN(name));
	if (rc != TF_OK)
		return rc;
	x->m->artifacts[all->n++] = name;
	return read_attestations(x, i, name);
}

static enum tf_code
read_artifacts(struct reading *x, int i)
{
	int list = tf_yaml_get(x->y, i, "artifacts");
	enum tf_code rc;

	if (list < 0)
		return TF_OK;
	rc = tf_yaml_list(x->y, list, "artifacts", x->err);
	if (rc != TF_OK)
		return rc;
	x->m->artifacts = tf_template_alloc(x->t, tf_yaml_count(x->y, list),
	    sizeof(struct tf_str));
	if (x->m->artifacts == NULL)
		return tf_nomem(x->err);
	x->t->artifacts.p = x->m->artifacts;
	for (uint32_t k = (uint32_t)list + 1;
	     rc == TF_OK && k < x->y->node[list].next; k = x->y->node[k].next)
		rc = read_artifact(x, (int)k);
	return rc;
}

static enum tf_code
read_period(struct reading *x, int i)
{
	struct tf_str *out = &x->t->retain;
	enum tf_code rc = tf_yaml_str(x->y, i, "retain", out, x->err);

	if (rc == TF_OK && !tf_text_period_ok(out->p, out->n))
		rc = tf_yaml_fail(x->y, i, x->err,
		    "%.*s is not a period such as 7y, 18m, 2w or 90d",
		    TF_SHOWN(*out));
	return rc;
}

static enum tf_code
read_mode(struct reading *x, int i)
{
	struct tf_str mode;
	enum tf_code rc = tf_yaml_str(x->y, i, "mode", &mode, x->err);

	if (rc != TF_OK)
		return rc;
	x->t->retain_never = tf_str_same(mode, tf_str_of(TF_RETENTION_NEVER));
	if (!x->t->retain_never &&
	    !tf_str_same(mode, tf_str_of(TF_RETENTION_MODE)))
		return tf_yaml_fail(x->y, i, x->err,
		    "the mode of a retention is " TF_RETENTION_MODE
		    " or " TF_RETENTION_NEVER);
	return TF_OK;
}

/* Read "retain: 7y", or a map with for, mode and rule. */
static enum tf_code
read_retain(struct reading *x, int i)
{
	static const char *const keys[] = { "for", "mode", "rule", NULL };
	struct tf_str *rule = &x->t->retain_rule;
	int value;
	enum tf_code rc;

	if (x->y->node[i].type == TF_YAML_SCALAR)
		return read_period(x, i);
	rc = tf_yaml_map(x->y, i, "retain", keys, x->err);
	if (rc == TF_OK && (value = tf_yaml_get(x->y, i, "for")) >= 0)
		rc = read_period(x, value);
	if (rc == TF_OK && (value = tf_yaml_get(x->y, i, "mode")) >= 0)
		rc = read_mode(x, value);
	if (rc == TF_OK && (value = tf_yaml_get(x->y, i, "rule")) >= 0) {
		rc = tf_yaml_str(x->y, value, "rule", rule, x->err);
		if (rc == TF_OK && !tf_control_ok(rule->p, rule->n))
			rc = tf_yaml_fail(x->y, value, x->err,
			    "%.*s is not the id of a rule", TF_SHOWN(*rule));
	}
	if (rc == TF_OK && x->t->retain.p == NULL && !x->t->retain_never)
		rc = tf_yaml_fail(x->y, i, x->err,
		    "retain needs a period or the mode " TF_RETENTION_NEVER);
	return rc;
}

/* Read one of two words, as in "reads: log", from the member `key` of the map i,
 * if it is there. */
static enum tf_code
read_word(struct reading *x, int i, const char *key, const char *no,
    const char *yes, bool *out)
{
	int value = tf_yaml_get(x->y, i, key);
	struct tf_str word;
	enum tf_code rc;

	if (value < 0)
		return TF_OK;
	if ((rc = tf_yaml_str(x->y, value, key, &word, x->err)) != TF_OK)
		return rc;
	*out = tf_str_same(word, tf_str_of(yes));
	if (!*out && !tf_str_same(word, tf_str_of(no)))
		return tf_yaml_fail(x->y, value, x->err, "%s is %s or %s", key,
		    no, yes);
	return TF_OK;
}

static enum tf_code
read_trail(struct reading *x, int i)
{
	static const char *const keys[] = { "attestations", "artifacts",
		"x-trailfs", NULL };
	static const char *const extensions[] = { "strict", "retain", "reads",
		"texts", NULL };
	enum tf_code rc = tf_yaml_map(x->y, i, "trail", keys, x->err);
	int more, retain;

	if (rc == TF_OK && (more = tf_yaml_get(x->y, i, "x-trailfs")) >= 0) {
		rc = tf_yaml_map(x->y, more, "x-trailfs", extensions, x->err);
		if (rc == TF_OK)
			rc = read_flag(x, more, "strict", &x->t->strict);
		if (rc == TF_OK &&
		    (retain = tf_yaml_get(x->y, more, "retain")) >= 0)
			rc = read_retain(x, retain);
		if (rc == TF_OK)
			rc = read_word(x, more, "reads", "off", "log",
			    &x->t->logs_reads);
		if (rc == TF_OK)
			rc = read_word(x, more, "texts", "clear", "redactable",
			    &x->t->redactable_texts);
	}
	if (rc == TF_OK)
		rc = read_attestations(x, i, (struct tf_str){ 0 });
	if (rc == TF_OK)
		rc = read_artifacts(x, i);
	return rc;
}

static enum tf_code
read_template(struct reading *x)
{
	static const char *const keys[] = { "version", "trail", NULL };
	enum tf_code rc = tf_yaml_map(x->y, 0, "a template", keys, x->err);
	int version, trail;
	uint64_t one;

	if (rc != TF_OK)
		return rc;
	if ((version = tf_yaml_get(x->y, 0, "version")) < 0)
		return tf_yaml_fail(x->y, 0, x->err,
		    "a template without a version");
	if (tf_yaml_uint(x->y, version, "version", 1, 1, &one, NULL) != TF_OK)
		return tf_yaml_fail(x->y, version, x->err, "version must be 1");
	/* A slot has five nodes or more: a map, two keys and their values. */
	x->m->slots = tf_template_alloc(x->t, x->y->n / 5,
	    sizeof(struct tf_slot));
	if (x->m->slots == NULL)
		return tf_nomem(x->err);
	x->t->slots = x->m->slots;
	trail = tf_yaml_get(x->y, 0, "trail");
	return trail < 0 || tf_yaml_null(x->y, trail) ? TF_OK :
							read_trail(x, trail);
}

enum tf_code
tf_template_parse(struct tf_template *t, const char *text, size_t n,
    struct tf_error *err)
{
	struct reading x = { .t = t, .err = err };
	enum tf_code rc;

	*t = (struct tf_template){ 0 };
	if ((x.m = t->memory = calloc(1, sizeof(*x.m))) == NULL)
		return tf_nomem(err);
	x.y = &x.m->yaml;
	rc = tf_yaml_parse(&x.m->yaml, text, n, err);
	if (rc == TF_OK)
		rc = read_template(&x);
	if (rc == TF_OK)
		rc = tf_template_find_warnings(t, err);
	if (rc != TF_OK)
		tf_template_free(t);
	return rc;
}
