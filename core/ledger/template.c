/* Templates: see template.h. */
#include "template.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "field_text.h"
#include "name.h"
#include "yaml.h"

#define CUSTOM "custom:"
#define TYPE_MAX 128	/* bytes, as in claims */
#define WARNINGS_MAX 64 /* more than people read */

/* One allocation, freed with the template. */
struct block {
	struct block *next;
	max_align_t data[];
};

struct tf_template_memory {
	struct tf_yaml yaml; /* of the texts */
	struct block *blocks;
	struct tf_slot *slots;
	struct tf_str *artifacts;
	struct tf_template_warning *warnings;
};

/* n zeroed items, never NULL for n 0; NULL without memory. */
static void *
take(struct tf_template_memory *m, size_t n, size_t size)
{
	struct block *b = calloc(1, sizeof(*b) + n * size);

	if (b == NULL)
		return NULL;
	b->next = m->blocks;
	m->blocks = b;
	return b->data;
}

/* --- words ---------------------------------------------------------------- */

static bool
starts(struct tf_str s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.p, with, n) == 0;
}

static bool
is_any(struct tf_str type)
{
	return tf_str_same(type, tf_str_of("*"));
}

bool
tf_type_built_in(struct tf_str type)
{
	static const char *const words[] = { "generic", "junit", "snyk",
		"pull_request", "jira", "sonar", "decision" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (tf_str_same(type, tf_str_of(words[i])))
			return true;
	return false;
}

/* The NAME of "custom:NAME"; absent for other types. */
static struct tf_str
custom_name(struct tf_str type)
{
	size_t n = strlen(CUSTOM);

	if (!starts(type, CUSTOM))
		return (struct tf_str){ 0 };
	return (struct tf_str){ type.p + n, type.n - n };
}

bool
tf_slot_type_fits(struct tf_str slot, struct tf_str claimed)
{
	if (claimed.p == NULL)
		claimed = tf_str_of("generic");
	return is_any(slot) || tf_str_same(slot, claimed) ||
	    (starts(slot, CUSTOM) && !tf_type_built_in(claimed) &&
		tf_str_same(custom_name(slot), claimed));
}

bool
tf_control_ok(const char *s, size_t n)
{
	return n <= 64 && tf_text_hold_ok(s, n);
}

/* True if s is the name of an attestation without "@N". */
static bool
is_plain_name(struct tf_str s)
{
	return memchr(s.p, '@', s.n) == NULL &&
	    tf_name_check(TF_KIND_ATTESTATION, s.p, s.n, NULL) == TF_OK;
}

static bool
is_number(struct tf_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

/* --- who may report ------------------------------------------------------- */

static bool
lists(const struct tf_strs *l, uint32_t id, struct tf_str name)
{
	char number[16];
	struct tf_str digits = { number,
		(size_t)snprintf(number, sizeof(number), "%u", (unsigned)id) };

	for (size_t i = 0; i < l->n; i++)
		if (tf_str_same(l->p[i], digits) ||
		    (name.n > 0 && tf_str_same(l->p[i], name) &&
			!is_number(name)))
			return true;
	return false;
}

bool
tf_slot_allows(const struct tf_slot *slot, const struct tf_reporter *who)
{
	return (slot->users.p == NULL && slot->groups.p == NULL) ||
	    lists(&slot->users, who->uid, who->user) ||
	    lists(&slot->groups, who->gid, who->group);
}

const struct tf_slot *
tf_template_slot(const struct tf_template *t, const char *name, size_t n)
{
	unsigned version;
	struct tf_str base = { name, tf_name_version(name, n, &version) };

	for (size_t i = 0; i < t->n; i++)
		if (tf_str_same(t->slots[i].name, base))
			return &t->slots[i];
	return NULL;
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
	int value;
	enum tf_code rc = read_needed(x, i, "an attestation", "type", out,
	    &value);

	if (rc != TF_OK || is_any(*out) || tf_type_built_in(*out))
		return rc;
	if (starts(*out, CUSTOM) && out->n <= TYPE_MAX &&
	    tf_text_definition_ok(custom_name(*out).p, custom_name(*out).n))
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
	if ((p = take(x->m, out->n, sizeof(*p))) == NULL)
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
		if (is_number(out->p[k]) &&
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
	if ((p = take(x->m, n, 1)) == NULL)
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
	x->m->artifacts = take(x->m, tf_yaml_count(x->y, list),
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
read_trail(struct reading *x, int i)
{
	static const char *const keys[] = { "attestations", "artifacts",
		"x-trailfs", NULL };
	static const char *const extensions[] = { "strict", NULL };
	enum tf_code rc = tf_yaml_map(x->y, i, "trail", keys, x->err);
	int more;

	if (rc == TF_OK && (more = tf_yaml_get(x->y, i, "x-trailfs")) >= 0) {
		rc = tf_yaml_map(x->y, more, "x-trailfs", extensions, x->err);
		if (rc == TF_OK)
			rc = read_flag(x, more, "strict", &x->t->strict);
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
	x->m->slots = take(x->m, x->y->n / 5, sizeof(struct tf_slot));
	if (x->m->slots == NULL)
		return tf_nomem(x->err);
	x->t->slots = x->m->slots;
	trail = tf_yaml_get(x->y, 0, "trail");
	return trail < 0 || tf_yaml_null(x->y, trail) ? TF_OK :
							read_trail(x, trail);
}

/* --- warnings ------------------------------------------------------------- */

static enum tf_code warn(struct reading *x, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum tf_code
warn(struct reading *x, unsigned line, const char *fmt, ...)
{
	struct tf_template_warning *w = x->m->warnings;
	va_list ap;

	if (x->t->n_warnings == WARNINGS_MAX)
		return TF_OK;
	if (w == NULL) {
		w = take(x->m, WARNINGS_MAX, sizeof(*w));
		if (w == NULL)
			return tf_nomem(x->err);
		x->t->warnings = x->m->warnings = w;
	}
	w += x->t->n_warnings++;
	w->line = line;
	va_start(ap, fmt);
	(void)vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	return TF_OK;
}

/* Warn if too few users are allowed for what the slot asks. */
static enum tf_code
warn_of_users(struct reading *x, const struct tf_slot *s)
{
	if (s->optional || (s->users.p == NULL && s->groups.p == NULL) ||
	    s->groups.n > 0)
		return TF_OK;
	if (s->users.n == 0)
		return warn(x, s->line, "%.*s: nobody may report it",
		    TF_SHOWN(s->name));
	if (s->different_users && s->users.n < s->count)
		return warn(x, s->line,
		    "%.*s: %u different users must report it, and only %zu may",
		    TF_SHOWN(s->name), (unsigned)s->count, s->users.n);
	return TF_OK;
}

/* The slots that `after` names, looked up once. */
struct order {
	const struct tf_slot **to; /* of all slots, one behind the other */
	size_t *first;		   /* per slot: the index of its first in to */
	bool *seen;		   /* per slot */
	const struct tf_slot **next;
};

static void
free_order(struct order *o)
{
	free(o->to);
	free(o->first);
	free(o->seen);
	free(o->next);
}

static enum tf_code
find_order(const struct tf_template *t, struct order *o, struct tf_error *err)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->slots[i].after.n;
	*o = (struct order){ .to = calloc(n + 1, sizeof(*o->to)),
		.first = calloc(t->n + 1, sizeof(*o->first)),
		.seen = calloc(t->n + 1, sizeof(*o->seen)),
		.next = calloc(t->n + 1, sizeof(*o->next)) };
	if (o->to == NULL || o->first == NULL || o->seen == NULL ||
	    o->next == NULL)
		return tf_nomem(err);
	n = 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct tf_strs *after = &t->slots[i].after;

		o->first[i] = n;
		for (size_t k = 0; k < after->n; k++)
			o->to[n++] = tf_template_slot(t, after->p[k].p,
			    after->p[k].n);
	}
	return TF_OK;
}

/* True if `after` leads from slot s back to it. */
static bool
leads_back(const struct tf_template *t, const struct order *o,
    const struct tf_slot *s)
{
	size_t n = 0;

	memset(o->seen, 0, t->n * sizeof(*o->seen));
	o->next[n++] = s;
	while (n > 0) {
		const struct tf_slot *from = o->next[--n];

		for (size_t i = 0; i < from->after.n; i++) {
			const struct tf_slot *to =
			    o->to[o->first[from - t->slots] + i];

			if (to == s)
				return true;
			if (to != NULL && !o->seen[to - t->slots]) {
				o->seen[to - t->slots] = true;
				o->next[n++] = to;
			}
		}
	}
	return false;
}

static enum tf_code
warn_of_order(struct reading *x, const struct order *o, const struct tf_slot *s)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < s->after.n; i++)
		if (o->to[o->first[s - x->t->slots] + i] == NULL)
			rc = warn(x, s->line,
			    "%.*s: it is after %.*s, which is not in the "
			    "template",
			    TF_SHOWN(s->name), TF_SHOWN(s->after.p[i]));
	if (rc == TF_OK && leads_back(x->t, o, s))
		rc = warn(x, s->line, "%.*s: its `after` leads back to it",
		    TF_SHOWN(s->name));
	return rc;
}

static enum tf_code
find_warnings(struct reading *x)
{
	struct order o;
	enum tf_code rc = find_order(x->t, &o, x->err);

	if (rc == TF_OK && x->t->strict && x->t->n == 0)
		rc = warn(x, 1,
		    "nothing may be reported: the template is strict and "
		    "has no attestations");
	for (size_t i = 0; rc == TF_OK && i < x->t->n; i++) {
		rc = warn_of_users(x, &x->t->slots[i]);
		if (rc == TF_OK)
			rc = warn_of_order(x, &o, &x->t->slots[i]);
	}
	free_order(&o);
	return rc;
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
		rc = find_warnings(&x);
	if (rc != TF_OK)
		tf_template_free(t);
	return rc;
}

void
tf_template_free(struct tf_template *t)
{
	struct block *b = t->memory != NULL ? t->memory->blocks : NULL;

	while (b != NULL) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
	if (t->memory != NULL)
		tf_yaml_free(&t->memory->yaml);
	free(t->memory);
	*t = (struct tf_template){ 0 };
}

/* --- the short form ------------------------------------------------------- */

/* True if some reader of YAML takes the name for another value than text:
 * a number, a date, a boolean or null. */
static bool
needs_quotes(struct tf_str s)
{
	static const char *const words[] = { "y", "n", "yes", "no", "true",
		"false", "on", "off", "null" };

	if (s.p[0] >= '0' && s.p[0] <= '9')
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (s.n == strlen(words[i]) &&
		    strncasecmp(s.p, words[i], s.n) == 0)
			return true;
	return false;
}

static enum tf_code
check_names(const struct tf_str *names, size_t n, struct tf_error *err)
{
	for (size_t i = 0; i < n; i++) {
		struct tf_str s = names[i];
		enum tf_code rc = tf_name_check(TF_KIND_ATTESTATION, s.p, s.n,
		    err);

		if (rc != TF_OK)
			return rc;
		if (memchr(s.p, '@', s.n) != NULL)
			return tf_fail(err, TF_BADNAME,
			    "'@' is not allowed in the name %.*s", TF_SHOWN(s));
		for (size_t k = 0; k < i; k++)
			if (tf_str_same(names[k], s))
				return tf_fail(err, TF_EXISTS,
				    "the name %.*s is there twice",
				    TF_SHOWN(s));
	}
	return TF_OK;
}

enum tf_code
tf_template_make(const struct tf_str *names, size_t n, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_template t;
	struct tf_buf b = { 0 };
	enum tf_code rc;

	/* The shortest name takes more than this of the text. */
	if (n > TF_YAML_BYTES / 16)
		return tf_fail(err, TF_TOOBIG, "too many attestations");
	if ((rc = check_names(names, n, err)) != TF_OK)
		return rc;
	tf_buf_str(&b,
	    n == 0 ? "version: 1\ntrail: null\n" :
		     "version: 1\ntrail:\n  attestations:\n");
	for (size_t i = 0; i < n; i++) {
		const char *quote = needs_quotes(names[i]) ? "\"" : "";

		tf_buf_printf(&b, "    - name: %s%.*s%s\n      type: generic\n",
		    quote, (int)names[i].n, names[i].p, quote);
	}
	if ((rc = tf_buf_end(&b, err)) == TF_OK)
		rc = tf_template_parse(&t, b.p, b.n, err);
	if (rc == TF_OK) {
		tf_template_free(&t);
		tf_buf_add(out, b.p, b.n);
		rc = tf_buf_end(out, err);
	} else if (rc == TF_INVALID) {
		rc = tf_fail(err, TF_TOOBIG, "too many attestations");
	}
	tf_buf_free(&b);
	return rc;
}
