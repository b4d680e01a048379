/* The table of pending nodes: two hash tables, by number and by name. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pending.h"
#include "pending_index.h"
#include "pending_table.h"
#include "user.h"
#include "stage_remove.h"
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
	tf_pending_index_insert(t, l);
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
	tf_pending_index_remove(t, l);
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
	if (!l->unlinked || l->writers > 0 || l->readers > 0 ||
	    !tf_pending_remove(t, l))
		return;
	tf_stage_remove(l);
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
