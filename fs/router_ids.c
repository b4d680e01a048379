/* Node ids of a router and of its origins: see router_ids.h. */
#include <stdlib.h>

#include "core/base/mutant.h"
#include "router_ids.h"

#define BUCKETS_FIRST 1024 /* a power of 2 */
#define IS_HASH (UINT64_C(1) << 63)
#define NODE_MASK ((UINT64_C(1) << FS_IDS_NODE_BITS) - 1)

struct node {
	struct node *next;
	uint64_t id, ino, lookups;
	unsigned origin;
};

struct fs_ids {
	struct node **bucket;
	size_t buckets, n;
};

struct fs_ids *
fs_ids_new(void)
{
	struct fs_ids *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->buckets = BUCKETS_FIRST;
	t->bucket = calloc(t->buckets, sizeof(struct node *));
	if (t->bucket != NULL)
		return t;
	free(t);
	return NULL;
}

void
fs_ids_free(struct fs_ids *t)
{
	struct node *n, *next;

	if (t == NULL)
		return;
	for (size_t i = 0; i < t->buckets; i++)
		for (n = t->bucket[i]; n != NULL; n = next) {
			next = n->next;
			free(n);
		}
	free(t->bucket);
	free(t);
}

/* The finaliser of splitmix64: every bit of the result depends on every bit. */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static struct node **
bucket_of(const struct fs_ids *t, uint64_t id)
{
	return &t->bucket[mix(id) & (t->buckets - 1)];
}

static struct node *
find(const struct fs_ids *t, uint64_t id)
{
	struct node *n = *bucket_of(t, id);

	while (n != NULL && n->id != id)
		n = n->next;
	return n;
}

static bool
is_plain(uint64_t ino)
{
	return ino <= NODE_MASK;
}

/* The id of a node that is not plain.  *known: its entry, or NULL. */
static uint64_t
hashed(const struct fs_ids *t, unsigned origin, uint64_t ino,
    struct node **known)
{
	uint64_t id = mix(ino + mix(origin)) | IS_HASH;

	if (TF_IS_MUTANT(TF_ROUTER_IDS_COLLIDE))
		id = IS_HASH | ino;
	while ((*known = find(t, id)) != NULL &&
	    ((*known)->origin != origin || (*known)->ino != ino))
		id = (id + 1) | IS_HASH;
	return id;
}

uint64_t
fs_ids_show(const struct fs_ids *t, unsigned origin, uint64_t ino)
{
	struct node *known;

	if (ino == 0)
		return 0;
	return is_plain(ino) ? (uint64_t)origin << FS_IDS_NODE_BITS | ino :
			       hashed(t, origin, ino, &known);
}

/* Twice as many buckets; without memory, the lists become longer. */
static void
widen(struct fs_ids *t)
{
	struct fs_ids to = { .buckets = t->buckets * 2, .n = t->n };
	struct node *n, *next, **at;

	to.bucket = calloc(to.buckets, sizeof(struct node *));
	if (to.bucket == NULL)
		return;
	for (size_t i = 0; i < t->buckets; i++)
		for (n = t->bucket[i]; n != NULL; n = next) {
			next = n->next;
			at = bucket_of(&to, n->id);
			n->next = *at;
			*at = n;
		}
	free(t->bucket);
	*t = to;
}

uint64_t
fs_ids_count(struct fs_ids *t, unsigned origin, uint64_t ino)
{
	struct node *n, **at;
	uint64_t id;

	if (ino == 0 || is_plain(ino))
		return fs_ids_show(t, origin, ino);
	id = hashed(t, origin, ino, &n);
	if (n != NULL) {
		n->lookups++;
		return id;
	}
	if ((n = malloc(sizeof *n)) == NULL)
		return 0;
	if (t->n >= t->buckets)
		widen(t);
	at = bucket_of(t, id);
	*n = (struct node){ *at, id, ino, 1, origin };
	*at = n;
	t->n++;
	return id;
}

void
fs_ids_forget(struct fs_ids *t, uint64_t id, uint64_t n)
{
	struct node *known, **at;

	if ((known = find(t, id)) == NULL)
		return;
	if (known->lookups > n) {
		known->lookups -= n;
		return;
	}
	for (at = bucket_of(t, id); *at != known;)
		at = &(*at)->next;
	*at = known->next;
	free(known);
	t->n--;
}

bool
fs_ids_find(const struct fs_ids *t, uint64_t id, unsigned *origin,
    uint64_t *ino)
{
	const struct node *n;

	if ((id & IS_HASH) == 0) {
		*origin = (unsigned)(id >> FS_IDS_NODE_BITS);
		*ino = id & NODE_MASK;
		return true;
	}
	if ((n = find(t, id)) == NULL)
		return false;
	*origin = n->origin;
	*ino = n->ino;
	return true;
}

size_t
fs_ids_number(const struct fs_ids *t)
{
	return t->n;
}
