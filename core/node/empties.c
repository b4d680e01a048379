/* Directories in which nothing was made: see empties.h. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/clock.h"
#include "empties.h"
#include "user.h"
#include "vault_i.h"

static int
by_id(const void *key, const void *item)
{
	uint64_t id = *(const uint64_t *)key;
	const struct tf_empty *e = item;

	return (id > e->id) - (id < e->id);
}

static void
uncount(struct tf_vault *v, struct tf_empty *e)
{
	struct tf_user *u;

	if (e->counts && (u = tf_user_of(v, e->uid)) != NULL)
		u->empty--;
	e->counts = false;
}

/* Ids grow with time, so the oldest come first. */
void
tf_empties_expire(struct tf_vault *v)
{
	struct tf_empties *t = &v->empties;
	uint64_t now = tf_clock_boot_ns();

	while (t->first < t->n &&
	    (!t->items[t->first].counts || t->items[t->first].until_ns <= now))
		uncount(v, &t->items[t->first++]);
	/* Each item is moved once at most, on average. */
	if (t->first <= t->n / 2)
		return;
	memmove(t->items, t->items + t->first,
	    (t->n - t->first) * sizeof(*t->items));
	t->n -= t->first;
	t->first = 0;
}

void
tf_empties_add(struct tf_vault *v, uint64_t id, uint32_t uid)
{
	struct tf_empties *t = &v->empties;
	struct tf_user *u;
	size_t i;

	tf_empties_expire(v);
	if ((u = tf_user_of(v, uid)) == NULL ||
	    !tf_array_room(&t->items, t->n, &t->cap, sizeof(*t->items)))
		return;
	i = tf_array_place(t->items, t->n, sizeof(*t->items), &id, by_id);
	if (i < t->first) /* those between are skipped again */
		t->first = i;
	memmove(t->items + i + 1, t->items + i, (t->n - i) * sizeof(*t->items));
	t->n++;
	t->items[i] = (struct tf_empty){ .id = id,
		.until_ns = tf_clock_boot_ns() + TF_EMPTY_NS,
		.uid = uid,
		.counts = true };
	u->empty++;
}

void
tf_empties_fill(struct tf_vault *v, uint64_t id)
{
	struct tf_empties *t = &v->empties;
	size_t i = tf_array_place(t->items, t->n, sizeof(*t->items), &id,
	    by_id);

	if (i < t->n && t->items[i].id == id)
		uncount(v, &t->items[i]);
}
