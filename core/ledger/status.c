/* Compute compliance from template and reports: see status.h. */
#include "status.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "name.h"
#include "status_report.h"

/* --- names ---------------------------------------------------------------- */

static int
by_name_and_version(const void *a, const void *b)
{
	const struct tf_claimed_name *x = a, *y = b;
	int d = tf_str_cmp(x->name, y->name);

	return d != 0 ? d :
			(x->version > y->version) - (x->version < y->version);
}

static void
sort_names(struct tf_judging *x)
{
	const struct tf_template *t = x->in->template;
	size_t slots = t != NULL ? t->n : 0, all = slots + x->in->n, end;

	for (size_t i = 0; i < slots; i++)
		x->claims[i] = (struct tf_claimed_name){
			.name = t->slots[i].name,
			.index = i
		};
	for (size_t i = 0; i < x->in->n; i++) {
		struct tf_str name = x->in->reports[i].name;
		struct tf_claimed_name *c = &x->claims[slots + i];

		c->name.p = name.p;
		c->name.n = tf_name_version(name.p, name.n, &c->version);
		c->index = i;
	}
	qsort(x->claims, all, sizeof(*x->claims), by_name_and_version);
	for (size_t i = 0; i < all; i = end) {
		const struct tf_claimed_name *c = &x->claims[i];
		bool has_slot = c->version == 0;

		for (end = i + 1;
		     end < all && tf_str_same(c->name, x->claims[end].name);
		     end++)
			;
		x->groups[x->n_groups++] = (struct tf_judged_slot){
			.name = c->name,
			.slot = has_slot ? &t->slots[c->index] : NULL,
			.c = c + has_slot,
			.n = end - i - has_slot
		};
	}
}

/* --- one name ------------------------------------------------------------- */

static enum tf_cause
find_cause(const struct tf_judging *x, const struct tf_status_item *m)
{
	const struct tf_judged_report *v = m->reported ?
	    &x->out->verdicts[m->decides] :
	    NULL;

	if (v != NULL && !v->compliant)
		return v->cause;
	if (!m->lacking)
		return TF_CAUSE_NONE;
	if (v != NULL && !v->fits)
		return TF_CAUSE_TYPE;
	if (v != NULL)
		return tf_slot_asks_users(m->slot) ? TF_CAUSE_USERS :
						     TF_CAUSE_COUNT;
	return m->open != SIZE_MAX ? TF_CAUSE_OPEN : TF_CAUSE_MISSING;
}

/* Find which report of g decides, and which is open. */
static void
find_reports(const struct tf_judging *x, const struct tf_judged_slot *g,
    struct tf_status_item *m)
{
	m->decides = tf_judge_deciding(x, g, false);
	m->open = SIZE_MAX;
	for (size_t i = 0; i < g->n; i++)
		if (!x->in->reports[g->c[i].index].sealed)
			m->open = g->c[i].index;
	m->reported = m->decides != SIZE_MAX;
	m->compliant = m->reported && x->out->verdicts[m->decides].compliant;
}

/* True if a report of g is damaged. */
static bool
is_damaged(const struct tf_judging *x, const struct tf_judged_slot *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (x->in->reports[g->c[i].index].damaged)
			return true;
	return false;
}

/* A damaged name has no result: the record that cannot be read might change
 * each. */
static struct tf_status_item
damaged_name(const struct tf_judging *x, const struct tf_judged_slot *g)
{
	return (struct tf_status_item){ .name = g->name,
		.slot = g->slot,
		.type = g->slot != NULL ? g->slot->type :
					  (struct tf_str){ NULL, 0 },
		.state = TF_ITEM_DAMAGED,
		.decides = SIZE_MAX,
		.open = SIZE_MAX,
		.unexpected = x->in->template != NULL && g->slot == NULL,
		.cause = TF_CAUSE_DAMAGED };
}

static struct tf_status_item
judge_name(struct tf_judging *x, const struct tf_judged_slot *g)
{
	struct tf_status_item m = { .name = g->name,
		.slot = g->slot,
		.state = TF_ITEM_MISSING,
		.unexpected = x->in->template != NULL && g->slot == NULL };
	size_t shown;

	find_reports(x, g, &m);
	shown = m.reported ? m.decides : m.open;
	if (shown != SIZE_MAX)
		m.type = m.claimed = x->in->reports[shown].type;
	if (g->slot != NULL)
		m.type = g->slot->type;
	m.sufficient = tf_judge_sufficient(x, g, false);
	if (m.reported && x->out->verdicts[m.decides].fits &&
	    m.sufficient >= tf_slot_needs(g->slot))
		m.state = TF_ITEM_COMPLETE;
	m.judged = m.state == TF_ITEM_COMPLETE;
	m.lacking = m.state == TF_ITEM_MISSING &&
	    (g->n > 0 || g->slot == NULL || !g->slot->optional);
	m.overdue = m.lacking && tf_deadline_passed(x->in, g->slot, x->out->at);
	m.cause = find_cause(x, &m);
	if (m.cause == TF_CAUSE_ORDER)
		m.before = x->out->verdicts[m.decides].before;
	return m;
}

/* --- the workflow --------------------------------------------------------- */

struct sum {
	bool any, damaged, spoiled, lacking;
};

static void
add(struct sum *s, const struct tf_status_item *m)
{
	s->any = s->any || m->reported || m->state == TF_ITEM_DAMAGED;
	s->damaged = s->damaged || m->state == TF_ITEM_DAMAGED;
	s->spoiled = s->spoiled || (m->reported && !m->compliant);
	s->lacking = s->lacking || m->lacking;
}

static enum tf_compliance
word_of(struct sum s)
{
	return s.damaged	? TF_DAMAGED :
	    s.spoiled		? TF_NON_COMPLIANT :
	    s.lacking || !s.any ? TF_INCOMPLETE :
				  TF_COMPLIANT;
}

static void
raise_time(struct tf_time *to, struct tf_time t, bool valid)
{
	if (valid && tf_time_cmp(*to, t) < 0)
		*to = t;
}

static struct tf_time
newest_time(const struct tf_case *in)
{
	struct tf_time at = in->now;

	raise_time(&at, in->began, true);
	for (size_t i = 0; i < in->n; i++) {
		const struct tf_reported *r = &in->reports[i];

		raise_time(&at, r->begun.at, true);
		raise_time(&at, r->evidence.at, r->has_evidence);
		raise_time(&at, r->seal.at, r->sealed);
		raise_time(&at, r->overridden_at, r->overridden);
	}
	return at;
}

static void
judge(struct tf_judging *x)
{
	struct sum sum = { .damaged = x->in->damaged };

	x->out->at = newest_time(x->in);
	sort_names(x);
	for (size_t i = 0; i < x->n_groups; i++)
		tf_judge_reports(x, &x->groups[i]);
	for (size_t i = 0; i < x->n_groups; i++)
		tf_judge_order(x, &x->groups[i]);
	for (size_t i = 0; i < x->n_groups; i++) {
		struct tf_status_item *m = &x->out->items[x->out->n++];

		*m = is_damaged(x, &x->groups[i]) ?
		    damaged_name(x, &x->groups[i]) :
		    judge_name(x, &x->groups[i]);
		add(&sum, m);
	}
	x->out->word = word_of(sum);
}

enum tf_code
tf_status_judge(const struct tf_case *c, struct tf_status *out,
    struct tf_error *err)
{
	size_t all = c->n + (c->template != NULL ? c->template->n : 0) + 1;
	struct tf_judging x = { .in = c,
		.out = out,
		.claims = calloc(all, sizeof(*x.claims)),
		.groups = calloc(all, sizeof(*x.groups)),
		.marks = calloc(c->n + 1, sizeof(*x.marks)) };
	enum tf_code rc = TF_OK;

	*out = (struct tf_status){ .items = calloc(all, sizeof(*out->items)),
		.verdicts = calloc(c->n + 1, sizeof(*out->verdicts)) };
	if (x.claims == NULL || x.groups == NULL || x.marks == NULL ||
	    out->items == NULL || out->verdicts == NULL) {
		tf_status_free(out);
		rc = tf_nomem(err);
	} else {
		judge(&x);
	}
	free(x.claims);
	free(x.groups);
	free(x.marks);
	return rc;
}

void
tf_status_free(struct tf_status *s)
{
	free(s->items);
	free(s->verdicts);
	*s = (struct tf_status){ 0 };
}

struct tf_tally
tf_status_tally(const struct tf_status *s)
{
	struct tf_tally t = { 0 };

	for (size_t i = 0; i < s->n; i++) {
		const struct tf_status_item *m = &s->items[i];

		t.lacking += m->lacking;
		t.overdue += m->overdue;
		t.open += m->open != SIZE_MAX;
		t.spoiled += m->reported && !m->compliant;
		t.damaged += m->state == TF_ITEM_DAMAGED;
	}
	return t;
}

bool
tf_status_artifact(const struct tf_status *s, struct tf_str artifact,
    enum tf_compliance *word)
{
	struct sum sum = { 0 };

	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].slot != NULL &&
		    tf_str_same(s->items[i].slot->artifact, artifact))
			add(&sum, &s->items[i]);
	*word = word_of(sum);
	return sum.any;
}
