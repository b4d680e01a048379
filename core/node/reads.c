/* Counts of openings: see reads.h. */
#include "reads.h"

#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/clock.h"
#include "../base/time_text.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "base.h"
#include "children.h"
#include "vault_i.h"

#define EARLY (TF_READS_MAX / 2) /* pairs at which the thread is woken */
#define FIRST_SLOTS 1024

void
tf_reads_init(struct tf_reads *r)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&r->mu, NULL);
	(void)pthread_mutex_init(&r->recording, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&r->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
}

void
tf_read_counts_free(struct tf_read_counts *c)
{
	free(c->reads);
	free(c->slots);
	free(c->actors);
	free(c->hashes);
	*c = (struct tf_read_counts){ 0 };
}

void
tf_reads_free(struct tf_reads *r)
{
	tf_read_counts_free(&r->counts);
	(void)pthread_cond_destroy(&r->wake);
	(void)pthread_mutex_destroy(&r->recording);
	(void)pthread_mutex_destroy(&r->mu);
}

/* --- counting ---------------------------------------------------------------- */

static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 1099511628211u; /* FNV-1a */
	return h;
}

static uint64_t
hash_actor(const struct tf_actor *a)
{
	uint64_t h = 14695981039346656037u;

	h = mix(h, &a->uid, sizeof(a->uid));
	h = mix(h, &a->gid, sizeof(a->gid));
	h = mix(h, &a->loginuid, sizeof(a->loginuid));
	h = mix(h, &a->session, sizeof(a->session));
	h = mix(h, a->comm, strnlen(a->comm, sizeof(a->comm)));
	h = mix(h, a->exe, strnlen(a->exe, sizeof(a->exe)));
	return mix(h, a->cgroup, strnlen(a->cgroup, sizeof(a->cgroup)));
}

static bool
same_actor(const struct tf_actor *a, const struct tf_actor *b)
{
	return a->uid == b->uid && a->gid == b->gid &&
	    a->loginuid == b->loginuid && a->session == b->session &&
	    strncmp(a->comm, b->comm, sizeof(a->comm)) == 0 &&
	    strncmp(a->exe, b->exe, sizeof(a->exe)) == 0 &&
	    strncmp(a->cgroup, b->cgroup, sizeof(a->cgroup)) == 0;
}

/* The place of the actor, which is added if it is new.  The newest come first:
 * one program opens many files.  False: no room. */
static bool
find_actor(struct tf_read_counts *c, const struct tf_actor *who, uint32_t *out)
{
	uint64_t h = hash_actor(who);

	for (size_t i = c->n_actors; i > 0; i--) {
		if (c->hashes[i - 1] == h &&
		    same_actor(&c->actors[i - 1], who)) {
			*out = (uint32_t)(i - 1);
			return true;
		}
	}
	if (c->n_actors == TF_READS_ACTORS ||
	    !tf_array_room(&c->actors, c->n_actors, &c->cap_actors,
		sizeof(*c->actors)) ||
	    !tf_array_room(&c->hashes, c->n_actors, &c->cap_hashes,
		sizeof(*c->hashes)))
		return false;
	c->actors[c->n_actors] = *who;
	c->actors[c->n_actors].pid = 0;
	c->hashes[c->n_actors] = h;
	*out = (uint32_t)c->n_actors++;
	return true;
}

/* The slot of the pair, or the free slot where it belongs. */
static uint32_t *
find_slot(const struct tf_read_counts *c, uint64_t node, uint32_t actor)
{
	uint64_t h = (node * 0x9E3779B97F4A7C15u) ^
	    (actor * 0xC2B2AE3D27D4EB4Fu);
	size_t i = (size_t)(h ^ h >> 32) & (c->n_slots - 1);

	while (c->slots[i] != 0) {
		const struct tf_read *r = &c->reads[c->slots[i] - 1];

		if (r->node == node && r->actor == actor)
			break;
		i = (i + 1) & (c->n_slots - 1);
	}
	return &c->slots[i];
}

/* Keep at least half of the slots free. */
static bool
make_room(struct tf_read_counts *c)
{
	size_t n = c->n_slots == 0 ? FIRST_SLOTS : c->n_slots * 2;
	uint32_t *slots;

	if (!tf_array_room(&c->reads, c->n, &c->cap, sizeof(*c->reads)))
		return false;
	if (c->n * 2 < c->n_slots)
		return true;
	if ((slots = calloc(n, sizeof(*slots))) == NULL)
		return false;
	free(c->slots);
	c->slots = slots;
	c->n_slots = n;
	for (size_t i = 0; i < c->n; i++)
		*find_slot(c, c->reads[i].node,
		    c->reads[i].actor) = (uint32_t)i + 1;
	return true;
}

/* Add the openings of *one by actor who.  mu is held. */
static void
add(struct tf_reads *r, const struct tf_actor *who, const struct tf_read *one)
{
	struct tf_read_counts *c = &r->counts;
	struct tf_read *there;
	uint32_t actor, *slot;

	if (!find_actor(c, who, &actor) || !make_room(c)) {
		c->lost += one->count;
		return;
	}
	slot = find_slot(c, one->node, actor);
	if (*slot == 0 && c->n == TF_READS_MAX) {
		c->lost += one->count;
		return;
	}
	if (*slot == 0) {
		c->reads[c->n] = *one;
		c->reads[c->n].actor = actor;
		*slot = (uint32_t)++c->n;
		if (c->n >= EARLY && !r->early) {
			r->early = true;
			pthread_cond_signal(&r->wake);
		}
		return;
	}
	there = &c->reads[*slot - 1];
	there->count += one->count;
	if (tf_time_cmp(one->first, there->first) < 0)
		there->first = one->first;
	if (tf_time_cmp(one->last, there->last) > 0)
		there->last = one->last;
}

bool
tf_vault_notes_reads(struct tf_vault *v)
{
	return tf_wishes_any(v, TF_WISH_READS) && !v->read_only;
}

static void
note(struct tf_vault *v, uint64_t id, const struct tf_actor *who)
{
	struct tf_time now = tf_time_clamp(tf_clock_now());
	const struct tf_read one = { .node = id,
		.count = 1,
		.first = now,
		.last = now };

	pthread_mutex_lock(&v->reads.mu);
	add(&v->reads, who, &one);
	pthread_mutex_unlock(&v->reads.mu);
}

struct reading {
	struct tf_vault *v;
	const struct tf_actor *who;
};

static enum tf_code
note_trail(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	const struct reading *x = arg;

	(void)err;
	note(x->v, row->attr.id, x->who);
	return TF_OK;
}

void
tf_vault_note_read(struct tf_vault *v, uint64_t id, const struct tf_actor *who)
{
	struct reading x = { v, who };
	struct tf_db *db = NULL;
	enum tf_code rc;

	if (id != TF_ROOT_ID) {
		note(v, id, who);
		return;
	}
	rc = tf_reader_db(v, &db, NULL);
	if (rc == TF_OK) {
		rc = tf_each_child(db, id, note_trail, &x, NULL);
		tf_reader_done(v, db);
	}
	if (rc != TF_OK)
		tf_reads_lose(&v->reads, 1);
}

void
tf_reads_take(struct tf_reads *r, struct tf_read_counts *out)
{
	pthread_mutex_lock(&r->mu);
	*out = r->counts;
	r->counts = (struct tf_read_counts){ 0 };
	r->early = false;
	pthread_mutex_unlock(&r->mu);
}

void
tf_reads_put_back(struct tf_reads *r, const struct tf_read_counts *from,
    const struct tf_read *one)
{
	pthread_mutex_lock(&r->mu);
	add(r, &from->actors[one->actor], one);
	pthread_mutex_unlock(&r->mu);
}

void
tf_reads_lose(struct tf_reads *r, uint64_t openings)
{
	pthread_mutex_lock(&r->mu);
	r->counts.lost += openings;
	pthread_mutex_unlock(&r->mu);
}
