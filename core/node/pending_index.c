/* The orders of pending nodes: a treap for each. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "growth.h"
#include "pending.h"
#include "pending_index.h"
#include "pending_table.h"
#include "vault_i.h"

/* Fill k with l's key in order o; how many parts it has. */
static unsigned
key_of(const struct tf_pending *l, enum tf_pending_order o,
    struct tf_pending_key *k)
{
	const struct tf_pending_place *at = &l->at;
	unsigned n = 0;

	switch (o) {
	case TF_PENDING_BY_PLACE:
		k->part[n++] = at->parent;
		break;
	case TF_PENDING_BY_ATTESTATION:
		k->part[n++] = at->wf;
		k->part[n++] = at->att;
		k->part[n++] = at->class;
		k->part[n++] = at->uid;
		break;
	case TF_PENDING_BY_OWNER:
		k->part[n++] = at->class;
		k->part[n++] = at->uid;
		break;
	case TF_PENDING_BY_AGE:
		k->part[n++] = at->frozen_ns;
		break;
	default:
		k->part[n++] = at->due_ns;
		break;
	}
	k->part[n++] = l->attr.id;
	return n;
}

/* l against the first n parts of a key. */
static int
compare(const struct tf_pending *l, enum tf_pending_order o,
    const uint64_t *part, unsigned n)
{
	struct tf_pending_key k;

	(void)key_of(l, o, &k);
	for (unsigned i = 0; i < n; i++)
		if (k.part[i] != part[i])
			return k.part[i] < part[i] ? -1 : 1;
	return 0;
}

/* Is a node that stands there part of the order at all? */
static bool
belongs(const struct tf_pending_place *at, enum tf_pending_order o)
{
	return o == TF_PENDING_BY_OWNER ? at->class != TF_PENDING_DIRECTORY :
	    o == TF_PENDING_BY_DUE	? at->due_ns != UINT64_MAX :
	    o == TF_PENDING_BY_AGE	? at->frozen_ns != UINT64_MAX :
					  true;
}

static void
split(struct tf_pending *t, enum tf_pending_order o,
    const struct tf_pending_key *k, unsigned n, struct tf_pending **low,
    struct tf_pending **high)
{
	while (t != NULL) {
		if (compare(t, o, k->part, n) < 0) {
			*low = t;
			low = &t->link[o].right;
			t = t->link[o].right;
		} else {
			*high = t;
			high = &t->link[o].left;
			t = t->link[o].left;
		}
	}
	*low = *high = NULL;
}

static struct tf_pending *
merge(struct tf_pending *a, struct tf_pending *b, enum tf_pending_order o)
{
	struct tf_pending *root = NULL, **at = &root;

	while (a != NULL && b != NULL) {
		if (a->priority > b->priority) {
			*at = a;
			at = &a->link[o].right;
			a = a->link[o].right;
		} else {
			*at = b;
			at = &b->link[o].left;
			b = b->link[o].left;
		}
	}
	*at = a != NULL ? a : b;
	return root;
}

static void
treap_insert(struct tf_pending_table *t, struct tf_pending *l,
    enum tf_pending_order o)
{
	struct tf_pending *low, *high;
	struct tf_pending_key k;
	unsigned n;

	if (!belongs(&l->at, o))
		return;
	n = key_of(l, o, &k);
	split(t->root[o], o, &k, n, &low, &high);
	l->link[o].left = l->link[o].right = NULL;
	t->root[o] = merge(merge(low, l, o), high, o);
}

static void
treap_remove(struct tf_pending_table *t, struct tf_pending *l,
    enum tf_pending_order o)
{
	struct tf_pending **at = &t->root[o];
	struct tf_pending_key k;
	unsigned n = key_of(l, o, &k);

	while (*at != NULL && *at != l)
		at = compare(*at, o, k.part, n) < 0 ? &(*at)->link[o].right :
						      &(*at)->link[o].left;
	if (*at == l)
		*at = merge(l->link[o].left, l->link[o].right, o);
}

/* The first node that is not before the n parts, or (beyond) the first that is
 * behind whatever begins with them. */
static struct tf_pending *
seek(struct tf_pending_table *t, enum tf_pending_order o, const uint64_t *part,
    unsigned n, bool beyond)
{
	struct tf_pending *l = t->root[o], *best = NULL;
	int c;

	while (l != NULL) {
		c = compare(l, o, part, n);
		if (c > 0 || (c == 0 && !beyond)) {
			best = l;
			l = l->link[o].left;
		} else {
			l = l->link[o].right;
		}
	}
	t->visited += best != NULL;
	return best;
}

bool
tf_pending_awaits_seal(const struct tf_pending *l)
{
	return l->attr.state == TF_STATE_FROZEN || l->interruption != NULL ||
	    (tf_pending_is_file(l) && tf_pending_rests(l));
}

/* When the sealer is to look at l.  Who has claimed it, or is on duty with it,
 * says so at the end. */
static uint64_t
due_of(const struct tf_pending *l)
{
	uint64_t due = UINT64_MAX;

	if (l->job)
		return UINT64_MAX;
	if (tf_pending_is_file(l) && !l->on_duty &&
	    (l->attr.state == TF_STATE_FROZEN || tf_pending_rests(l) ||
		(l->unchecked && l->wants_check))) {
		due = l->failed != TF_OK && l->writers == 0 ? 0 :
							      l->deadline_ns;
		if (due < l->retry_ns)
			due = l->retry_ns;
	}
	if (l->mark_ns != 0 && l->mark_ns < due)
		due = l->mark_ns;
	return l->growth != NULL && l->growth->due_ns != 0 &&
		l->growth->due_ns < due ?
	    l->growth->due_ns :
	    due;
}

/* What the database will grow by for l: its row of stage, unless that is there
 * as it is, and its entry. */
static uint64_t
owes(const struct tf_pending *l)
{
	bool has_row = l->saved && !l->stale;

	return (TF_ROW_COST + l->xattrs.n) * (has_row ? 1 : 2);
}

static struct tf_pending_place
place_of(const struct tf_pending *l)
{
	return (struct tf_pending_place){
		.parent = l->attr.parent,
		.wf = l->wf,
		.att = l->att,
		.due_ns = due_of(l),
		.frozen_ns = l->attr.state == TF_STATE_FROZEN ? l->frozen_ns :
								UINT64_MAX,
		.owes = owes(l),
		.uid = l->attr.uid,
		.class = !tf_pending_is_file(l) ? TF_PENDING_DIRECTORY :
		    tf_pending_awaits_seal(l)	? TF_PENDING_TO_SEAL :
						  TF_PENDING_FILE,
		.state = (uint8_t)l->attr.state,
		.failed = l->failed != TF_OK,
	};
}

static void
count(struct tf_pending_table *t, const struct tf_pending *l, int by)
{
	t->owed += (uint64_t)by * l->at.owes;
	if (!tf_pending_is_file(l))
		return;
	t->files[l->at.state] += (uint64_t)by;
	if (l->at.failed)
		t->failed += (uint64_t)by;
}

static bool
same_key(struct tf_pending *l, enum tf_pending_order o,
    const struct tf_pending_place *other)
{
	struct tf_pending_place was = l->at;
	struct tf_pending_key a, b;
	unsigned n = key_of(l, o, &a);
	bool same = belongs(&was, o) == belongs(other, o);

	l->at = *other;
	(void)key_of(l, o, &b);
	l->at = was;
	return same && memcmp(a.part, b.part, n * sizeof(a.part[0])) == 0;
}

void
tf_pending_index(struct tf_pending *l)
{
	struct tf_pending_table *t = &l->v->pending;
	struct tf_pending_place now;
	bool moves[TF_PENDING_ORDERS];

	if (!l->indexed)
		return;
	now = place_of(l);
	count(t, l, -1);
	for (unsigned o = 0; o < TF_PENDING_ORDERS; o++) {
		moves[o] = !same_key(l, o, &now);
		if (moves[o] && belongs(&l->at, o))
			treap_remove(t, l, o);
	}
	l->at = now;
	for (unsigned o = 0; o < TF_PENDING_ORDERS; o++)
		if (moves[o])
			treap_insert(t, l, o);
	count(t, l, 1);
	if (now.due_ns < l->v->alarm_ns)
		pthread_cond_signal(&l->v->alarm);
}

void
tf_pending_index_insert(struct tf_pending_table *t, struct tf_pending *l)
{
	l->at = place_of(l);
	l->indexed = true;
	for (unsigned o = 0; o < TF_PENDING_ORDERS; o++)
		treap_insert(t, l, o);
	count(t, l, 1);
}

void
tf_pending_index_remove(struct tf_pending_table *t, struct tf_pending *l)
{
	if (!l->indexed)
		return;
	count(t, l, -1);
	for (unsigned o = 0; o < TF_PENDING_ORDERS; o++)
		if (belongs(&l->at, o))
			treap_remove(t, l, o);
	l->indexed = false;
}

struct tf_pending *
tf_pending_next(struct tf_pending_table *t, uint64_t parent, uint64_t after)
{
	const uint64_t part[] = { parent, after };
	struct tf_pending *l = seek(t, TF_PENDING_BY_PLACE, part, 2, true);

	return l != NULL && l->attr.parent == parent ? l : NULL;
}

struct tf_pending *
tf_pending_first(struct tf_pending_table *t, enum tf_pending_order o)
{
	return seek(t, o, NULL, 0, false);
}

void
tf_pending_range(struct tf_pending_table *t, enum tf_pending_order o,
    const uint64_t *part, unsigned n,
    bool (*fn)(void *arg, struct tf_pending *l), void *arg)
{
	struct tf_pending *l = seek(t, o, part, n, false);
	struct tf_pending_key k;
	unsigned all;

	while (l != NULL && compare(l, o, part, n) == 0 && fn(arg, l)) {
		all = key_of(l, o, &k);
		l = seek(t, o, k.part, all, true);
	}
}
