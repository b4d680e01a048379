/* Live nodes: two hash tables and a treap. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptors.h"
#include "impl.h"

#define SLOTS 256 /* at first; a power of two */

static size_t
id_slot(const struct tf_live_table *t, uint64_t id)
{
	return (size_t)((id * 0x9e3779b97f4a7c15u) >> 32) & (t->slots - 1);
}

static size_t
name_slot(const struct tf_live_table *t, uint64_t parent, const char *name,
    size_t n)
{
	uint64_t h = parent * 0x9e3779b97f4a7c15u ^ 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3u;
	return (size_t)(h >> 20) & (t->slots - 1);
}

enum tf_code
tf_live_init(struct tf_live_table *t)
{
	memset(t, 0, sizeof(*t));
	t->slots = SLOTS;
	t->by_id = calloc(t->slots, sizeof(struct tf_live *));
	t->by_name = calloc(t->slots, sizeof(struct tf_live *));
	return t->by_id == NULL || t->by_name == NULL ? TF_NOMEM : TF_OK;
}

void
tf_live_destroy(struct tf_live_table *t)
{
	for (size_t i = 0; t->by_id != NULL && i < t->slots; i++)
		while (t->by_id[i] != NULL) {
			struct tf_live *l = t->by_id[i];

			t->by_id[i] = l->id_next;
			tf_live_unref(l);
		}
	free(t->by_id);
	free(t->by_name);
	memset(t, 0, sizeof(*t));
}

struct tf_live *
tf_live_new(struct tf_vault *v, const struct tf_attr *attr, const char *name,
    size_t n)
{
	struct tf_live *l = calloc(1, sizeof(*l));

	if (l == NULL || n > 255) {
		free(l);
		return NULL;
	}
	l->v = v;
	l->refs = 1;
	l->attr = *attr;
	memcpy(l->name, name, n);
	l->name_len = n;
	l->fd = -1;
	l->in_order = true;
	(void)pthread_mutex_init(&l->io, NULL);
	/* The id is unique, so a mix of it balances well enough. */
	l->priority = (uint32_t)((attr->id * 0xd6e8feb86659fd93u) >> 32);
	return l;
}

void
tf_live_ref(struct tf_live *l)
{
	l->refs++;
}

void
tf_live_unref(struct tf_live *l)
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
	free(l->actor);
	tf_interruption_free(l->interruption);
	tf_buf_free(&l->xattrs);
	tf_sha256_free(l->sha);
	(void)pthread_mutex_destroy(&l->io);
	free(l);
}

/* --- treap by (parent, id) --- */

static int
order(const struct tf_live *l, uint64_t parent, uint64_t id)
{
	if (l->attr.parent != parent)
		return l->attr.parent < parent ? -1 : 1;
	return l->attr.id < id ? -1 : l->attr.id > id;
}

static void
split(struct tf_live *t, uint64_t parent, uint64_t id, struct tf_live **low,
    struct tf_live **high)
{
	while (t != NULL) {
		if (order(t, parent, id) < 0) {
			*low = t;
			low = &t->right;
			t = t->right;
		} else {
			*high = t;
			high = &t->left;
			t = t->left;
		}
	}
	*low = *high = NULL;
}

static struct tf_live *
merge(struct tf_live *a, struct tf_live *b)
{
	struct tf_live *root = NULL, **at = &root;

	while (a != NULL && b != NULL) {
		if (a->priority > b->priority) {
			*at = a;
			at = &a->right;
			a = a->right;
		} else {
			*at = b;
			at = &b->left;
			b = b->left;
		}
	}
	*at = a != NULL ? a : b;
	return root;
}

static void
treap_insert(struct tf_live_table *t, struct tf_live *l)
{
	struct tf_live *low, *high;

	split(t->root, l->attr.parent, l->attr.id, &low, &high);
	l->left = l->right = NULL;
	t->root = merge(merge(low, l), high);
}

static void
treap_remove(struct tf_live_table *t, struct tf_live *l)
{
	struct tf_live **at = &t->root;

	while (*at != NULL && *at != l)
		at = order(*at, l->attr.parent, l->attr.id) < 0 ?
		    &(*at)->right :
		    &(*at)->left;
	if (*at == l)
		*at = merge(l->left, l->right);
}

/* --- hash tables --- */

static void
name_insert(struct tf_live_table *t, struct tf_live *l)
{
	size_t s = name_slot(t, l->attr.parent, l->name, l->name_len);

	l->name_next = t->by_name[s];
	t->by_name[s] = l;
}

static void
name_remove(struct tf_live_table *t, struct tf_live *l)
{
	size_t s = name_slot(t, l->attr.parent, l->name, l->name_len);
	struct tf_live **at = &t->by_name[s];

	while (*at != NULL && *at != l)
		at = &(*at)->name_next;
	if (*at == l)
		*at = l->name_next;
}

static void
grow(struct tf_live_table *t)
{
	struct tf_live_table bigger = *t;
	struct tf_live *l, *next;
	size_t s;

	bigger.slots = t->slots * 2;
	bigger.by_id = calloc(bigger.slots, sizeof(struct tf_live *));
	bigger.by_name = calloc(bigger.slots, sizeof(struct tf_live *));
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
tf_live_insert(struct tf_live_table *t, struct tf_live *l)
{
	struct tf_user *u;
	size_t s;

	if (t->count >= t->slots)
		grow(t);
	s = id_slot(t, l->attr.id);
	l->id_next = t->by_id[s];
	t->by_id[s] = l;
	name_insert(t, l);
	treap_insert(t, l);
	t->count++;
	u = tf_user_of(l->v, l->attr.uid);
	if ((l->counted = u != NULL)) {
		l->counted_uid = u->uid;
		u->names++;
	}
}

void
tf_live_unname(struct tf_live_table *t, struct tf_live *l)
{
	if (l->unlinked)
		return;
	name_remove(t, l);
	treap_remove(t, l);
	l->unlinked = l->attr.unlinked = true;
}

bool
tf_live_remove(struct tf_live_table *t, struct tf_live *l)
{
	struct tf_live **at = &t->by_id[id_slot(t, l->attr.id)];
	struct tf_user *u;

	while (*at != NULL && *at != l)
		at = &(*at)->id_next;
	if (*at != l)
		return false;
	*at = l->id_next;
	t->count--;
	if (l->counted && (u = tf_user_of(l->v, l->counted_uid)) != NULL)
		u->names--;
	l->counted = false;
	tf_live_unname(t, l);
	return true;
}

void
tf_live_forget(struct tf_live_table *t, struct tf_live *l)
{
	char name[24];

	if (!l->unlinked || l->writers > 0 || l->readers > 0 ||
	    !tf_live_remove(t, l))
		return;
	if (l->in_file) {
		tf_stage_name(l->attr.id, name);
		(void)unlinkat(l->v->stagefd, name, 0); /* else at start */
	}
	tf_live_unref(l); /* the table's */
}

void
tf_live_rename(struct tf_live_table *t, struct tf_live *l, uint64_t parent,
    const char *name, size_t n)
{
	name_remove(t, l);
	treap_remove(t, l);
	l->attr.parent = parent;
	memcpy(l->name, name, n);
	l->name[n] = '\0';
	l->name_len = n;
	name_insert(t, l);
	treap_insert(t, l);
}

struct tf_live *
tf_live_get(const struct tf_live_table *t, uint64_t id)
{
	struct tf_live *l = t->by_id[id_slot(t, id)];

	while (l != NULL && l->attr.id != id)
		l = l->id_next;
	return l;
}

struct tf_live *
tf_live_find(const struct tf_live_table *t, uint64_t parent, const char *name,
    size_t n)
{
	struct tf_live *l = t->by_name[name_slot(t, parent, name, n)];

	while (l != NULL &&
	    (l->attr.parent != parent || l->name_len != n ||
		memcmp(l->name, name, n) != 0))
		l = l->name_next;
	return l;
}

struct tf_live *
tf_live_next(const struct tf_live_table *t, uint64_t parent, uint64_t after)
{
	struct tf_live *l = t->root, *best = NULL;

	while (l != NULL) {
		if (order(l, parent, after) > 0) {
			best = l;
			l = l->left;
		} else {
			l = l->right;
		}
	}
	return best != NULL && best->attr.parent == parent ? best : NULL;
}

void
tf_live_each(const struct tf_live_table *t,
    void (*fn)(void *arg, struct tf_live *l), void *arg)
{
	for (size_t i = 0; i < t->slots; i++)
		for (struct tf_live *l = t->by_id[i]; l != NULL; l = l->id_next)
			if (!l->unlinked)
				fn(arg, l);
}
