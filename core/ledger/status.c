/* Compute compliance from template and reports: see status.h. */
#include "status.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "name.h"

const char *
tf_compliance_word(enum tf_compliance c)
{
	return c == TF_COMPLIANT  ? "COMPLIANT" :
	    c == TF_NON_COMPLIANT ? "NON-COMPLIANT" :
				    "INCOMPLETE";
}

const char *
tf_item_word(enum tf_item_state s)
{
	return s == TF_ITEM_COMPLETE ? "COMPLETE" : "MISSING";
}

const char *
tf_cause_word(enum tf_cause c)
{
	static const char *const words[TF_CAUSES] = {
		[TF_CAUSE_NONE] = "",
		[TF_CAUSE_OVERRIDDEN] = "overridden",
		[TF_CAUSE_DENIED] = "denied",
		[TF_CAUSE_FAILED] = "failed",
		[TF_CAUSE_USER] = "user",
		[TF_CAUSE_LATE] = "late",
		[TF_CAUSE_ORDER] = "order",
		[TF_CAUSE_TYPE] = "type",
		[TF_CAUSE_COUNT] = "count",
		[TF_CAUSE_USERS] = "users",
		[TF_CAUSE_OPEN] = "open",
		[TF_CAUSE_MISSING] = "missing",
	};

	return words[c];
}

/* --- names ---------------------------------------------------------------- */

/* One name of a slot or of a report, for sorting. */
struct claim {
	struct tf_str name;
	unsigned version; /* 0: a slot */
	size_t index;
};

static int
by_name_and_version(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int d = tf_str_cmp(x->name, y->name);

	return d != 0 ? d :
			(x->version > y->version) - (x->version < y->version);
}

/* One name: its slot, its reports in the order of their versions. */
struct group {
	struct tf_str name;
	const struct tf_slot *slot; /* or NULL */
	const struct claim *c;
	size_t n;	/* of c: reports */
	bool satisfied; /* for `after` */
	uint64_t since; /* valid if satisfied: a seq */
};

/* One report, for counting reports or their users. */
struct mark {
	uint32_t uid;
	uint64_t order; /* of the version, or the seq since which it counts */
	bool good;
};

static int
by_user_and_order(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int
by_order(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

struct judging {
	const struct tf_case *in;
	struct tf_status *out;
	struct claim *claims;
	struct group *groups;
	size_t n_groups;
	struct mark *marks; /* scratch, with a place per report */
};

static void
sort_names(struct judging *x)
{
	const struct tf_template *t = x->in->template;
	size_t slots = t != NULL ? t->n : 0, all = slots + x->in->n, end;

	for (size_t i = 0; i < slots; i++)
		x->claims[i] = (struct claim){ .name = t->slots[i].name,
			.index = i };
	for (size_t i = 0; i < x->in->n; i++) {
		struct tf_str name = x->in->reports[i].name;
		struct claim *c = &x->claims[slots + i];

		c->name.p = name.p;
		c->name.n = tf_name_version(name.p, name.n, &c->version);
		c->index = i;
	}
	qsort(x->claims, all, sizeof(*x->claims), by_name_and_version);
	for (size_t i = 0; i < all; i = end) {
		const struct claim *c = &x->claims[i];
		bool has_slot = c->version == 0;

		for (end = i + 1;
		     end < all && tf_str_same(c->name, x->claims[end].name);
		     end++)
			;
		x->groups[x->n_groups++] = (struct group){ .name = c->name,
			.slot = has_slot ? &t->slots[c->index] : NULL,
			.c = c + has_slot,
			.n = end - i - has_slot };
	}
}

static const struct group *
find_group(const struct judging *x, struct tf_str name)
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

static uint32_t
needed(const struct tf_slot *slot)
{
	return slot != NULL && slot->count > 1 ? slot->count : 1;
}

static bool
asks_users(const struct tf_slot *slot)
{
	return slot != NULL && slot->different_users;
}

/* --- one report ----------------------------------------------------------- */

/* True if reports of this type are judged only after sealing. */
static bool
is_judged(struct tf_str type)
{
	return type.p != NULL && !tf_str_same(type, tf_str_of("*")) &&
	    !tf_str_same(type, tf_str_of("generic"));
}

static bool
has_passed(const struct tf_case *in, const struct tf_slot *slot,
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
	struct tf_judged_report v = { .counts = r->sealed ||
		    (!at_seal && !in->sealed_only),
		.since = at_seal ? r->seal : r->evidence,
		.fits = slot == NULL || (r->type.p == NULL && r->evaluated) ||
		    tf_slot_type_fits(slot->type, r->type) };

	if (r->overridden)
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
counts(const struct judging *x, const struct group *g, size_t r, bool in_time)
{
	const struct tf_judged_report *v = &x->out->verdicts[r];

	return v->counts &&
	    !(in_time && has_passed(x->in, g->slot, v->since.at));
}

/* The index of the report of g that decides, or SIZE_MAX. */
static size_t
find_deciding(const struct judging *x, const struct group *g, bool in_time)
{
	size_t decides = SIZE_MAX;

	for (size_t i = 0; i < g->n; i++)
		if (counts(x, g, g->c[i].index, in_time))
			decides = g->c[i].index;
	return decides;
}

/* Count the reports of g that are sufficient. */
static size_t
count_sufficient(struct judging *x, const struct group *g, bool in_time)
{
	size_t n = 0, count = 0, decides = find_deciding(x, g, in_time);

	for (size_t i = 0; i < g->n; i++) {
		size_t r = g->c[i].index;
		const struct tf_judged_report *v = &x->out->verdicts[r];

		if (counts(x, g, r, in_time))
			x->marks[n++] = (struct mark){
				.uid = x->in->reports[r].who.uid,
				.order = i,
				.good = v->fits &&
				    (v->compliant || r == decides)
			};
	}
	if (asks_users(g->slot))
		qsort(x->marks, n, sizeof(*x->marks), by_user_and_order);
	for (size_t i = 0; i < n; i++) {
		bool last = !asks_users(g->slot) || i + 1 == n ||
		    x->marks[i].uid != x->marks[i + 1].uid;

		count += last && x->marks[i].good;
	}
	return count;
}

/* True if the reports of g by its deadline were all that it asks for.  Later
 * ones repeat them and are not late. */
static bool
was_in_time(struct judging *x, const struct group *g)
{
	size_t decides = find_deciding(x, g, true);

	return decides != SIZE_MAX && x->out->verdicts[decides].compliant &&
	    x->out->verdicts[decides].fits &&
	    count_sufficient(x, g, true) >= needed(g->slot);
}

static void
judge_time(struct judging *x, const struct group *g)
{
	if (was_in_time(x, g))
		return;
	for (size_t i = 0; i < g->n; i++) {
		size_t r = g->c[i].index;
		struct tf_judged_report *v = &x->out->verdicts[r];

		if (!v->counts || !v->compliant ||
		    x->in->reports[r].overridden ||
		    !has_passed(x->in, g->slot, v->since.at))
			continue;
		v->compliant = false;
		v->cause = TF_CAUSE_LATE;
	}
}

/* Find since when the slot of g is satisfied, for `after`. */
static void
find_since(struct judging *x, struct group *g)
{
	size_t n = 0, users = 0, needs = needed(g->slot);

	for (size_t i = 0; i < g->n; i++) {
		const struct tf_judged_report *v =
		    &x->out->verdicts[g->c[i].index];

		if (v->counts && v->fits && v->compliant)
			x->marks[n++] = (struct mark){
				.uid = x->in->reports[g->c[i].index].who.uid,
				.order = v->since.seq
			};
	}
	if (asks_users(g->slot)) {
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
was_satisfied(const struct judging *x, struct tf_str name,
    const struct tf_reported *r)
{
	const struct group *g = find_group(x, name);

	if (g == NULL)
		return false;
	if (g->slot != NULL && g->slot->optional && g->n == 0)
		return true;
	return g->satisfied && g->since < r->begun.seq;
}

static void
judge_order(struct judging *x, const struct group *g)
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

/* --- one name ------------------------------------------------------------- */

static enum tf_cause
find_cause(const struct judging *x, const struct tf_status_item *m)
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
		return asks_users(m->slot) ? TF_CAUSE_USERS : TF_CAUSE_COUNT;
	return m->open != SIZE_MAX ? TF_CAUSE_OPEN : TF_CAUSE_MISSING;
}

/* Find which report of g decides, and which is open. */
static void
find_reports(const struct judging *x, const struct group *g,
    struct tf_status_item *m)
{
	m->decides = find_deciding(x, g, false);
	m->open = SIZE_MAX;
	for (size_t i = 0; i < g->n; i++)
		if (!x->in->reports[g->c[i].index].sealed)
			m->open = g->c[i].index;
	m->reported = m->decides != SIZE_MAX;
	m->compliant = m->reported && x->out->verdicts[m->decides].compliant;
}

static struct tf_status_item
judge_name(struct judging *x, const struct group *g)
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
	m.sufficient = count_sufficient(x, g, false);
	if (m.reported && x->out->verdicts[m.decides].fits &&
	    m.sufficient >= needed(g->slot))
		m.state = TF_ITEM_COMPLETE;
	m.lacking = m.state == TF_ITEM_MISSING &&
	    (g->n > 0 || g->slot == NULL || !g->slot->optional);
	m.overdue = m.lacking && has_passed(x->in, g->slot, x->out->at);
	m.cause = find_cause(x, &m);
	if (m.cause == TF_CAUSE_ORDER)
		m.before = x->out->verdicts[m.decides].before;
	return m;
}

/* --- the workflow --------------------------------------------------------- */

struct sum {
	bool any, spoiled, lacking;
};

static void
add(struct sum *s, const struct tf_status_item *m)
{
	s->any = s->any || m->reported;
	s->spoiled = s->spoiled || (m->reported && !m->compliant);
	s->lacking = s->lacking || m->lacking;
}

static enum tf_compliance
word_of(struct sum s)
{
	return s.spoiled	? TF_NON_COMPLIANT :
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
judge(struct judging *x)
{
	struct sum sum = { 0 };

	x->out->at = newest_time(x->in);
	sort_names(x);
	for (size_t i = 0; i < x->n_groups; i++) {
		struct group *g = &x->groups[i];

		for (size_t k = 0; k < g->n; k++)
			x->out->verdicts[g->c[k].index] = judge_report(x->in,
			    g->slot, &x->in->reports[g->c[k].index]);
		judge_time(x, g);
		find_since(x, g);
	}
	for (size_t i = 0; i < x->n_groups; i++)
		judge_order(x, &x->groups[i]);
	for (size_t i = 0; i < x->n_groups; i++) {
		struct tf_status_item *m = &x->out->items[x->out->n++];

		*m = judge_name(x, &x->groups[i]);
		add(&sum, m);
	}
	x->out->word = word_of(sum);
}

enum tf_code
tf_status_judge(const struct tf_case *c, struct tf_status *out,
    struct tf_error *err)
{
	size_t all = c->n + (c->template != NULL ? c->template->n : 0) + 1;
	struct judging x = { .in = c,
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

/* --- plain English -------------------------------------------------------- */

static const char *const reasons[TF_CAUSES] = {
	[TF_CAUSE_OVERRIDDEN] = "an override says that it is not compliant",
	[TF_CAUSE_DENIED] = "it was reported as not compliant",
	[TF_CAUSE_FAILED] = "its evidence did not pass the checks",
	[TF_CAUSE_USER] = "it was reported by a user who may not report it",
	[TF_CAUSE_LATE] = "it was reported after its deadline",
	[TF_CAUSE_OPEN] = "it has begun and does not count yet",
	[TF_CAUSE_MISSING] = "nothing was reported",
};

void
tf_status_why(const struct tf_status_item *m, struct tf_buf *out)
{
	struct tf_str claimed = m->claimed.p != NULL ? m->claimed :
						       tf_str_of("generic");

	if (reasons[m->cause] != NULL)
		tf_buf_str(out, reasons[m->cause]);
	else if (m->cause == TF_CAUSE_ORDER)
		tf_buf_printf(out, "it began before %.*s counted",
		    (int)m->before.n, m->before.p);
	else if (m->cause == TF_CAUSE_TYPE)
		tf_buf_printf(out, "its type is %.*s, not %.*s", (int)claimed.n,
		    claimed.p, (int)m->type.n, m->type.p);
	else if (m->cause == TF_CAUSE_COUNT)
		tf_buf_printf(out, "%zu of %u reports", m->sufficient,
		    (unsigned)needed(m->slot));
	else if (m->cause == TF_CAUSE_USERS)
		tf_buf_printf(out, "reports of %zu of %u different users",
		    m->sufficient, (unsigned)needed(m->slot));
	if (m->overdue)
		tf_buf_str(out, "; its deadline has passed");
}
