/* Compliance of reports: see status_report.h. */
#include "status_report.h"

#include <stdlib.h>

#include "../base/bytes.h"
#include "../base/time_text.h"

/* Reports of one user lie together, in the order in which they came. */
static int
by_user_and_order(const void *a, const void *b)
{
	const struct tf_report_mark *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int
by_order(const void *a, const void *b)
{
	const struct tf_report_mark *x = a, *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

/* Groups are sorted by name. */
static const struct tf_judged_slot *
find_group(const struct tf_judging *x, struct tf_str name)
{
	size_t low = 0, high = x->n_groups;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int d = tf_str_cmp(x->groups[mid].name, name);

		if (d == 0)
			return &x->groups[mid];
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

uint32_t
tf_slot_needs(const struct tf_slot *slot)
{
	return slot != NULL && slot->count > 1 ? slot->count : 1;
}

bool
tf_slot_asks_users(const struct tf_slot *slot)
{
	return slot != NULL && slot->different_users;
}

/* True if reports of this type are judged only after sealing. */
static bool
is_judged(struct tf_str type)
{
	return type.p != NULL && !tf_str_same(type, tf_str_of("*")) &&
	    !tf_str_same(type, tf_str_of("generic"));
}

bool
tf_deadline_passed(const struct tf_case *in, const struct tf_slot *slot,
    struct tf_time at)
{
	struct tf_time end = in->began;

	if (slot == NULL || slot->deadline_s == 0)
		return false;
	end.s += (int64_t)slot->deadline_s;
	return tf_time_cmp(at, end) > 0;
}

/* Judge report r, but not its time and order. */
static struct tf_judged_report
judge_report(const struct tf_case *in, const struct tf_slot *slot,
    const struct tf_reported *r)
{
	bool at_seal = !r->has_evidence || is_judged(r->type) ||
	    (slot != NULL && is_judged(slot->type));
	struct tf_judged_report v = { .counts = !r->damaged &&
		    (r->sealed || (!at_seal && !in->sealed_only)),
		.since = at_seal ? r->seal : r->evidence,
		.fits = slot == NULL || (r->type.p == NULL && r->evaluated) ||
		    tf_slot_type_fits(slot->type, r->type) };

	if (r->damaged)
		v.cause = TF_CAUSE_DAMAGED;
	else if (r->overridden)
		v.cause = r->override ? TF_CAUSE_NONE : TF_CAUSE_OVERRIDDEN;
	else if (r->denied)
		v.cause = TF_CAUSE_DENIED;
	else if (r->failed)
		v.cause = TF_CAUSE_FAILED;
	else if (slot != NULL && !tf_slot_allows(slot, &r->who))
		v.cause = TF_CAUSE_USER;
	v.compliant = v.cause == TF_CAUSE_NONE;
	return v;
}

/* True if report r counts, and did so before the deadline of g if in_time. */
static bool
counts(const struct tf_judging *x, const struct tf_judged_slot *g, size_t r,
    bool in_time)
{
	const struct tf_judged_report *v = &x->out->verdicts[r];

	return v->counts &&
	    !(in_time && tf_deadline_passed(x->in, g->slot, v->since.at));
}

size_t
tf_judge_deciding(const struct tf_judging *x, const struct tf_judged_slot *g,
    bool in_time)
{
	size_t decides = SIZE_MAX;

	for (size_t i = 0; i < g->n; i++)
		if (counts(x, g, g->c[i].index, in_time))
			decides = g->c[i].index;
	return decides;
}

size_t
tf_judge_sufficient(struct tf_judging *x, const struct tf_judged_slot *g,
    bool in_time)
{
	size_t n = 0, count = 0, decides = tf_judge_deciding(x, g, in_time);

	for (size_t i = 0; i < g->n; i++) {
		size_t r = g->c[i].index;
		const struct tf_judged_report *v = &x->out->verdicts[r];

		if (counts(x, g, r, in_time))
			x->marks[n++] = (struct tf_report_mark){
				.uid = x->in->reports[r].who.uid,
				.order = i,
				.good = v->fits &&
				    (v->compliant || r == decides)
			};
	}
	if (tf_slot_asks_users(g->slot))
		qsort(x->marks, n, sizeof(*x->marks), by_user_and_order);
	for (size_t i = 0; i < n; i++) {
		bool last = !tf_slot_asks_users(g->slot) || i + 1 == n ||
		    x->marks[i].uid != x->marks[i + 1].uid;

		count += last && x->marks[i].good;
	}
	return count;
}

/* True if the reports of g by its deadline were all that it asks for.  Later
 * ones repeat them and are not late. */
static bool
was_in_time(struct tf_judging *x, const struct tf_judged_slot *g)
{
	size_t decides = tf_judge_deciding(x, g, true);

	return decides != SIZE_MAX && x->out->verdicts[decides].compliant &&
	    x->out->verdicts[decides].fits &&
	    tf_judge_sufficient(x, g, true) >= tf_slot_needs(g->slot);
}

static void
judge_time(struct tf_judging *x, const struct tf_judged_slot *g)
{
	if (was_in_time(x, g))
		return;
	for (size_t i = 0; i < g->n; i++) {
		size_t r = g->c[i].index;
		struct tf_judged_report *v = &x->out->verdicts[r];

		if (!v->counts || !v->compliant ||
		    x->in->reports[r].overridden ||
		    !tf_deadline_passed(x->in, g->slot, v->since.at))
			continue;
		v->compliant = false;
		v->cause = TF_CAUSE_LATE;
	}
}

/* Find since when the slot of g is satisfied, for `after`. */
static void
find_since(struct tf_judging *x, struct tf_judged_slot *g)
{
	size_t n = 0, users = 0, needs = tf_slot_needs(g->slot);

	for (size_t i = 0; i < g->n; i++) {
		const struct tf_judged_report *v =
		    &x->out->verdicts[g->c[i].index];

		if (v->counts && v->fits && v->compliant)
			x->marks[n++] = (struct tf_report_mark){
				.uid = x->in->reports[g->c[i].index].who.uid,
				.order = v->since.seq
			};
	}
	if (tf_slot_asks_users(g->slot)) {
		qsort(x->marks, n, sizeof(*x->marks), by_user_and_order);
		for (size_t i = 0; i < n; i++)
			if (i == 0 || x->marks[i].uid != x->marks[i - 1].uid)
				x->marks[users++] = x->marks[i];
		n = users;
	}
	qsort(x->marks, n, sizeof(*x->marks), by_order);
	g->satisfied = n >= needs;
	if (g->satisfied)
		g->since = x->marks[needs - 1].order;
}

/* True if the slot of this name was satisfied when report r began. */
static bool
was_satisfied(const struct tf_judging *x, struct tf_str name,
    const struct tf_reported *r)
{
	const struct tf_judged_slot *g = find_group(x, name);

	if (g == NULL)
		return false;
	if (g->slot != NULL && g->slot->optional && g->n == 0)
		return true;
	return g->satisfied && g->since < r->begun.seq;
}

void
tf_judge_order(struct tf_judging *x, const struct tf_judged_slot *g)
{
	size_t names = g->slot != NULL ? g->slot->after.n : 0;

	for (size_t i = 0; i < g->n; i++) {
		const struct tf_reported *r = &x->in->reports[g->c[i].index];
		struct tf_judged_report *v = &x->out->verdicts[g->c[i].index];

		for (size_t k = 0; k < names && v->compliant && !r->overridden;
		     k++) {
			struct tf_str name = g->slot->after.p[k];

			if (was_satisfied(x, name, r))
				continue;
			v->compliant = false;
			v->cause = TF_CAUSE_ORDER;
			v->before = name;
		}
	}
}

void
tf_judge_reports(struct tf_judging *x, struct tf_judged_slot *g)
{
	for (size_t i = 0; i < g->n; i++)
		x->out->verdicts[g->c[i].index] = judge_report(x->in, g->slot,
		    &x->in->reports[g->c[i].index]);
	judge_time(x, g);
	find_since(x, g);
}
