/* Warnings about templates: see template_warnings.h. */
#include "template_warnings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template_i.h"

#define WARNINGS_MAX 64 /* more than people read */

static enum tf_code warn(struct tf_template *t, struct tf_error *err,
    unsigned line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static enum tf_code
warn(struct tf_template *t, struct tf_error *err, unsigned line,
    const char *fmt, ...)
{
	struct tf_template_warning *w = t->memory->warnings;
	va_list ap;

	if (t->n_warnings == WARNINGS_MAX)
		return TF_OK;
	if (w == NULL) {
		w = tf_template_alloc(t, WARNINGS_MAX, sizeof(*w));
		if (w == NULL)
			return tf_nomem(err);
		t->warnings = t->memory->warnings = w;
	}
	w += t->n_warnings++;
	w->line = line;
	va_start(ap, fmt);
	(void)vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	return TF_OK;
}

/* Warn if too few users are allowed for what the slot asks. */
static enum tf_code
warn_of_users(struct tf_template *t, const struct tf_slot *s,
    struct tf_error *err)
{
	if (s->optional || (s->users.p == NULL && s->groups.p == NULL) ||
	    s->groups.n > 0)
		return TF_OK;
	if (s->users.n == 0)
		return warn(t, err, s->line, "%.*s: nobody may report it",
		    TF_SHOWN(s->name));
	if (s->different_users && s->users.n < s->count)
		return warn(t, err, s->line,
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
warn_of_order(struct tf_template *t, const struct order *o,
    const struct tf_slot *s, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < s->after.n; i++)
		if (o->to[o->first[s - t->slots] + i] == NULL)
			rc = warn(t, err, s->line,
			    "%.*s: it is after %.*s, which is not in the "
			    "template",
			    TF_SHOWN(s->name), TF_SHOWN(s->after.p[i]));
	if (rc == TF_OK && leads_back(t, o, s))
		rc = warn(t, err, s->line, "%.*s: its `after` leads back to it",
		    TF_SHOWN(s->name));
	return rc;
}

enum tf_code
tf_template_find_warnings(struct tf_template *t, struct tf_error *err)
{
	struct order o;
	enum tf_code rc = find_order(t, &o, err);

	if (rc == TF_OK && t->strict && t->n == 0)
		rc = warn(t, err, 1,
		    "nothing may be reported: the template is strict and "
		    "has no attestations");
	for (size_t i = 0; rc == TF_OK && i < t->n; i++) {
		rc = warn_of_users(t, &t->slots[i], err);
		if (rc == TF_OK)
			rc = warn_of_order(t, &o, &t->slots[i], err);
	}
	free_order(&o);
	return rc;
}
