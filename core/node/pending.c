/* Pending nodes: two hash tables, and a treap for each order. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/crypto.h"
#include "../ledger/name.h"
#include "descriptors.h"
#include "interruption.h"
#include "pending.h"
#include "quota.h"
#include "text.h"
#include "user.h"
#include "vault_i.h"

#define SLOTS 256 /* at first; a power of two */

static size_t
id_slot(const struct tf_pending_table *t, uint64_t id)
{
	return (size_t)((id * 0x9e3779b97f4a7c15u) >> 32) & (t->slots - 1);
}

static size_t
name_slot(const struct tf_pending_table *t, uint64_t parent, const char *name,
    size_t n)
{
	uint64_t h = parent * 0x9e3779b97f4a7c15u ^ 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3u;
	return (size_t)(h >> 20) & (t->slots - 1);
}

enum tf_code
tf_pending_init(struct tf_pending_table *t)
{
	memset(t, 0, sizeof(*t));
	t->slots = SLOTS;
	t->by_id = calloc(t->slots, sizeof(struct tf_pending *));
	t->by_name = calloc(t->slots, sizeof(struct tf_pending *));
	return t->by_id == NULL || t->by_name == NULL ? TF_NOMEM : TF_OK;
}

void
tf_pending_destroy(struct tf_pending_table *t)
{
	for (size_t i = 0; t->by_id != NULL && i < t->slots; i++)
		while (t->by_id[i] != NULL) {
			struct tf_pending *l = t->by_id[i];

			t->by_id[i] = l->id_next;
			tf_pending_unref(l);
		}
	free(t->by_id);
	free(t->by_name);
	memset(t, 0, sizeof(*t));
}

struct tf_pending *
tf_pending_new(struct tf_vault *v, const struct tf_attr *attr, const char *name,
    size_t n)
{
	struct tf_pending *l = calloc(1, sizeof(*l));

	if (l == NULL || n > TF_NAME_MAX ||
	    (l->name = strndup(name, n)) == NULL) {
		free(l);
		return NULL;
	}
	l->uids = l->few;
	l->v = v;
	l->refs = 1;
	l->attr = *attr;
	l->name_len = n;
	l->fd = -1;
	l->in_order = true;
	(void)pthread_mutex_init(&l->io, NULL);
	/* The id is unique, so a mix of it balances well enough. */
	l->priority = (uint32_t)((attr->id * 0xd6e8feb86659fd93u) >> 32);
	return l;
}

void
tf_pending_ref(struct tf_pending *l)
{
	l->refs++;
}

void
tf_pending_unref(struct tf_pending *l)
{
	if (l == NULL || --l->refs > 0)
		return;
	if (l->fd >= 0)
		(void)close(l->fd); /* what counts was synced before */
	tf_descriptor_give_locked(l);
	tf_quota_charge(l, 0);
	if (l->mem != NULL)
		l->v->unsaved -= l->mem_cap;
	free(l->mem);
	tf_text_unref(l->actor);
	if (l->uids != l->few)
		free(l->uids);
	free(l->failure);
	free(l->name);
	free(l->meant);
	tf_interruption_free(l->interruption);
	tf_buf_free(&l->xattrs);
	tf_sha256_free(l->sha);
	(void)pthread_mutex_destroy(&l->io);
	free(l);
}

/* --- treaps --------------------------------------------------------------- */

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

/* --- the fields that the indexes use ----------------------------------------- */

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
	    (l->attr.state == TF_STATE_FROZEN || tf_pending_rests(l))) {
		due = l->failed != TF_OK && l->writers == 0 ? 0 :
							      l->deadline_ns;
		if (due < l->retry_ns)
			due = l->retry_ns;
	}
	return l->mark_ns != 0 && l->mark_ns < due ? l->mark_ns : due;
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

static void
index_insert(struct tf_pending_table *t, struct tf_pending *l)
{
	l->at = place_of(l);
	l->indexed = true;
	for (unsigned o = 0; o < TF_PENDING_ORDERS; o++)
		treap_insert(t, l, o);
	count(t, l, 1);
}

static void
index_remove(struct tf_pending_table *t, struct tf_pending *l)
{
	if (!l->indexed)
		return;
	count(t, l, -1);
	for (unsigned o = 0; o < TF_PENDING_ORDERS; o++)
		if (belongs(&l->at, o))
			treap_remove(t, l, o);
	l->indexed = false;
}

/* --- hash tables --- */

static void
name_insert(struct tf_pending_table *t, struct tf_pending *l)
{
	size_t s = name_slot(t, l->attr.parent, l->name, l->name_len);

	l->name_next = t->by_name[s];
	t->by_name[s] = l;
}

static void
name_remove(struct tf_pending_table *t, struct tf_pending *l)
{
	size_t s = name_slot(t, l->attr.parent, l->name, l->name_len);
	struct tf_pending **at = &t->by_name[s];

	while (*at != NULL && *at != l)
		at = &(*at)->name_next;
	if (*at == l)
		*at = l->name_next;
}

static void
grow_table(struct tf_pending_table *t)
{
	struct tf_pending_table bigger = *t;
	struct tf_pending *l, *next;
	size_t s;

	bigger.slots = t->slots * 2;
	bigger.by_id = calloc(bigger.slots, sizeof(struct tf_pending *));
	bigger.by_name = calloc(bigger.slots, sizeof(struct tf_pending *));
	if (bigger.by_id == NULL || bigger.by_name == NULL) {
		free(bigger.by_id); /* slower, not wrong */
		free(bigger.by_name);
		return;
	}
	for (size_t i = 0; i < t->slots; i++)
		for (l = t->by_id[i]; l != NULL; l = next) {
			next = l->id_next;
			s = id_slot(&bigger, l->attr.id);
			l->id_next = bigger.by_id[s];
			bigger.by_id[s] = l;
			if (!l->unlinked)
				name_insert(&bigger, l);
		}
	free(t->by_id);
	free(t->by_name);
	*t = bigger;
}

void
tf_pending_insert(struct tf_pending_table *t, struct tf_pending *l)
{
	struct tf_user *u;
	size_t s;

	if (t->count >= t->slots)
		grow_table(t);
	s = id_slot(t, l->attr.id);
	l->id_next = t->by_id[s];
	t->by_id[s] = l;
	name_insert(t, l);
	index_insert(t, l);
	t->count++;
	u = tf_user_of(l->v, l->attr.uid);
	if (u != NULL) {
		l->counted_uid = u->uid;
		l->counted = tf_pending_names(l);
		u->names += l->counted;
	}
}

/* One name more or less below the draft attestation of l, if it is in one. */
static void
count_in_draft(struct tf_pending_table *t, const struct tf_pending *l,
    bool more)
{
	struct tf_pending *d = tf_pending_get(t, l->att);

	if (d == NULL || d == l || l->unlinked)
		return;
	if (more)
		d->names++;
	else
		d->names--;
}

void
tf_pending_place(struct tf_pending_table *t, struct tf_pending *l, uint64_t att,
    uint64_t wf)
{
	count_in_draft(t, l, false);
	l->att = att;
	l->wf = wf;
	count_in_draft(t, l, true);
	tf_pending_index(l);
}

void
tf_pending_unname(struct tf_pending_table *t, struct tf_pending *l)
{
	if (l->unlinked)
		return;
	count_in_draft(t, l, false);
	name_remove(t, l);
	index_remove(t, l);
	l->unlinked = l->attr.unlinked = true;
}

bool
tf_pending_remove(struct tf_pending_table *t, struct tf_pending *l)
{
	struct tf_pending **at = &t->by_id[id_slot(t, l->attr.id)];
	struct tf_user *u;

	while (*at != NULL && *at != l)
		at = &(*at)->id_next;
	if (*at != l)
		return false;
	*at = l->id_next;
	t->count--;
	if (l->counted > 0 && (u = tf_user_of(l->v, l->counted_uid)) != NULL)
		u->names -= l->counted;
	l->counted = 0;
	tf_pending_unname(t, l);
	return true;
}

void
tf_pending_forget(struct tf_pending_table *t, struct tf_pending *l)
{
	char name[24];

	if (!l->unlinked || l->writers > 0 || l->readers > 0 ||
	    !tf_pending_remove(t, l))
		return;
	if (l->in_file) {
		tf_stage_name(l->attr.id, name);
		(void)unlinkat(l->v->stagefd, name, 0); /* else at start */
	}
	tf_pending_unref(l); /* the table's */
}

char *
tf_pending_rename(struct tf_pending_table *t, struct tf_pending *l,
    uint64_t parent, char *name)
{
	char *was = l->name;

	name_remove(t, l);
	l->attr.parent = parent;
	l->name = name;
	l->name_len = strlen(name);
	name_insert(t, l);
	tf_pending_index(l);
	return was;
}

void
tf_pending_set_failed(struct tf_pending *l, enum tf_code rc,
    const struct tf_error *e)
{
	if (l->failed != TF_OK)
		return;
	l->failed = rc;
	l->recorded = false; /* a draft that was written again */
	if ((l->failure = malloc(sizeof(*e))) != NULL) {
		*l->failure = *e;
		l->failure->code = rc;
	}
	tf_pending_index(l);
}

enum tf_code
tf_pending_failure(const struct tf_pending *l, struct tf_error *err)
{
	if (l->failure != NULL)
		return tf_fail_as(err, l->failure);
	errno = 0; /* of another failure */
	return tf_fail(err, l->failed, "what was written of it is lost");
}

enum tf_code
tf_pending_note_writer(struct tf_pending *l, uint32_t uid, struct tf_error *err)
{
	unsigned i;

	for (i = 0; i < l->n_uids && l->uids[i] != uid; i++)
		;
	if (i < l->n_uids)
		return TF_OK;
	if (i == TF_WRITERS_MAX)
		return tf_fail(err, TF_DENIED,
		    "more than %d users wrote this file", TF_WRITERS_MAX);
	if (i == sizeof(l->few) / sizeof(l->few[0]) && l->uids == l->few) {
		l->uids = malloc(TF_WRITERS_MAX * sizeof(l->few[0]));
		if (l->uids == NULL) {
			l->uids = l->few;
			return tf_nomem(err);
		}
		memcpy(l->uids, l->few, sizeof(l->few));
	}
	for (; i > 0 && l->uids[i - 1] > uid; i--)
		l->uids[i] = l->uids[i - 1];
	l->uids[i] = uid;
	l->n_uids++;
	return TF_OK;
}

struct tf_pending *
tf_pending_get(const struct tf_pending_table *t, uint64_t id)
{
	struct tf_pending *l = t->by_id[id_slot(t, id)];

	while (l != NULL && l->attr.id != id)
		l = l->id_next;
	return l;
}

struct tf_pending *
tf_pending_find(const struct tf_pending_table *t, uint64_t parent,
    const char *name, size_t n)
{
	struct tf_pending *l = t->by_name[name_slot(t, parent, name, n)];

	while (l != NULL &&
	    (l->attr.parent != parent || l->name_len != n ||
		memcmp(l->name, name, n) != 0))
		l = l->name_next;
	return l;
}

struct tf_pending *
tf_pending_next(struct tf_pending_table *t, uint64_t parent, uint64_t after)
{
	const uint64_t part[] = { parent, after };
	struct tf_pending *l = seek(t, TF_PENDING_BY_PLACE, part, 2, true);

	return l != NULL && l->attr.parent == parent ? l : NULL;
}

/*DEVEND*/
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

void
tf_pending_each(struct tf_pending_table *t,
    void (*fn)(void *arg, struct tf_pending *l), void *arg)
{
	for (size_t i = 0; i < t->slots; i++)
		for (struct tf_pending *l = t->by_id[i]; l != NULL;
		     l = l->id_next) {
			t->visited++;
			if (!l->unlinked)
				fn(arg, l);
		}
}

static int
by_id(const void *a, const void *b)
{
	const struct tf_pending *x = *(struct tf_pending *const *)a;
	const struct tf_pending *y = *(struct tf_pending *const *)b;

	return (x->attr.id > y->attr.id) - (x->attr.id < y->attr.id);
}

void
tf_pending_sort(struct tf_pending **l, size_t n)
{
	if (n > 1)
		qsort(l, n, sizeof(struct tf_pending *), by_id);
}

void
tf_stage_name(uint64_t id, char out[24])
{
	(void)snprintf(out, 24, "%llu", (unsigned long long)id);
}
