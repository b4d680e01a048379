/* Compute compliance from template and reports. */
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

static const struct tf_str any = { "*", 1 }, generic = { "generic", 7 };

static bool
fits(struct tf_str asked, struct tf_str given)
{
	if (given.p == NULL)
		given = generic;
	return tf_str_same(asked, any) || tf_str_same(asked, given);
}

/* True if reports of this type are judged only after sealing. */
static bool
is_judged(struct tf_str type)
{
	return type.p != NULL && !tf_str_same(type, any) &&
	    !tf_str_same(type, generic);
}

static bool
counts(const struct tf_reported *r, const struct tf_slot *slot,
    bool sealed_only)
{
	if (r->sealed || sealed_only)
		return r->sealed;
	return r->has_evidence && !is_judged(r->type) &&
	    (slot == NULL || !is_judged(slot->type));
}

struct judging {
	const struct tf_template *t;
	const struct tf_reported *r;
	bool sealed_only;
};

/* Judge one name: c has its slot first, then its versions in rising order. */
static struct tf_status_item
judge_name(const struct judging *x, const struct claim *c, size_t n)
{
	const struct tf_slot *slot = c[0].version == 0 ?
	    &x->t->slots[c[0].index] :
	    NULL;
	struct tf_status_item item = { .name = c[0].name,
		.state = TF_ITEM_MISSING,
		.decides = SIZE_MAX,
		.open = SIZE_MAX,
		.unexpected = x->t != NULL && slot == NULL };

	for (size_t i = slot != NULL ? 1 : 0; i < n; i++) {
		const struct tf_reported *r = &x->r[c[i].index];

		if (counts(r, slot, x->sealed_only))
			item.decides = c[i].index;
		if (!r->sealed)
			item.open = c[i].index;
	}
	item.reported = item.decides != SIZE_MAX;
	if (item.reported) {
		const struct tf_reported *d = &x->r[item.decides];

		item.state = TF_ITEM_COMPLETE;
		item.type = d->type;
		item.compliant = d->overridden ? d->override : !d->denied;
	} else if (item.open != SIZE_MAX) {
		item.type = x->r[item.open].type;
	}
	if (slot != NULL) {
		if (item.reported && !fits(slot->type, item.type))
			item.state = TF_ITEM_MISSING;
		item.type = slot->type;
	}
	return item;
}

static void
judge_names(const struct judging *x, const struct claim *c, size_t n,
    struct tf_status *out)
{
	bool spoiled = false, lacking = false, any_counts = false;
	size_t end;

	for (size_t i = 0; i < n; i = end) {
		struct tf_status_item *item = &out->items[out->n++];

		for (end = i + 1;
		     end < n && tf_str_same(c[i].name, c[end].name); end++)
			;
		*item = judge_name(x, c + i, end - i);
		any_counts = any_counts || item->reported;
		spoiled = spoiled || (item->reported && !item->compliant);
		lacking = lacking || item->state != TF_ITEM_COMPLETE;
	}
	out->word = spoiled	   ? TF_NON_COMPLIANT :
	    lacking || !any_counts ? TF_INCOMPLETE :
				     TF_COMPLIANT;
}

enum tf_code
tf_status_judge(const struct tf_template *t, const struct tf_reported *r,
    size_t n, bool sealed_only, struct tf_status *out, struct tf_error *err)
{
	const struct judging x = { t, r, sealed_only };
	size_t slots = t != NULL ? t->n : 0, all = slots + n;
	struct claim *c = calloc(all + 1, sizeof(*c));

	*out = (struct tf_status){ .items = calloc(all + 1,
				       sizeof(*out->items)) };
	if (c == NULL || out->items == NULL) {
		free(c);
		tf_status_free(out);
		return tf_nomem(err);
	}
	for (size_t i = 0; i < slots; i++)
		c[i] = (struct claim){ .name = t->slots[i].name, .index = i };
	for (size_t i = 0; i < n; i++) {
		struct claim *k = &c[slots + i];

		k->name.p = r[i].name.p;
		k->name.n = tf_name_version(r[i].name.p, r[i].name.n,
		    &k->version);
		k->index = i;
	}
	qsort(c, all, sizeof(*c), by_name_and_version);
	judge_names(&x, c, all, out);
	free(c);
	return TF_OK;
}

void
tf_status_free(struct tf_status *s)
{
	free(s->items);
	*s = (struct tf_status){ 0 };
}
