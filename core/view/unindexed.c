/*
 * Walks over the ledger, and what they found: see unindexed.h.
 *
 * Each process walks over an entry at most once, and keeps the result in memory:
 * the entries that no row of table node names, those that were altered (see
 * altered.c), and the newest entry about each workflow.  One thread walks at a
 * time, in its own snapshot and without a lock.  It adds what it found under the
 * lock, in batches, so that a long walk that is given up was not for nothing.
 *
 * Paths are kept as hashes, so that an entry costs 32 bytes.  Two paths with one
 * hash only cost a wasted read: each user checks the path of the entry.
 */
#include "unindexed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/clock.h"
#include "../ledger/entry.h"
#include "../ledger/entry_scan.h"
#include "../node/unindexed.h"
#include "../node/vault_i.h"
#include "../store/entries.h"
#include "altered.h"
#include "view.h"

#define BATCH 65536		 /* entries */
#define STOP_ENTRIES 1024	 /* between two checks whether to stop */
#define WAIT_NS (TF_SECOND / 20) /* the same, for threads that wait */

void
tf_seqs_free(struct tf_seqs *s)
{
	free(s->p);
	*s = (struct tf_seqs){ 0 };
}

enum tf_code
tf_seqs_add(struct tf_seqs *s, uint64_t seq, struct tf_error *err)
{
	if (!tf_array_room(&s->p, s->n, &s->cap, sizeof(*s->p)))
		return tf_nomem(err);
	s->p[s->n++] = seq;
	return TF_OK;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void
tf_seqs_sort(struct tf_seqs *s)
{
	size_t kept = 0;

	if (s->n == 0)
		return;
	qsort(s->p, s->n, sizeof(*s->p), by_number);
	for (size_t i = 1; i < s->n; i++)
		if (s->p[i] != s->p[kept])
			s->p[++kept] = s->p[i];
	s->n = kept + 1;
}

/* --- one entry ----------------------------------------------------------------- */

/* FNV-1a of the first parts of a path, or of a shorter path as a whole. */
static uint32_t
hash_parts(struct tf_str path, unsigned parts)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] == '/' && --parts == 0)
			break;
		h = (h ^ (uint8_t)path.p[i]) * 16777619u;
	}
	return h;
}

/* TF_TYPE_UNKNOWN: a later version may know it. */
static enum tf_entry_kind
kind_of(struct tf_str type)
{
	for (int t = TF_TYPE_UNKNOWN + 1; t < TF_TYPES; t++) {
		const char *name = tf_type_name((enum tf_entry_kind)t);

		if (type.n == strlen(name) && memcmp(type.p, name, type.n) == 0)
			return (enum tf_entry_kind)t;
	}
	return TF_TYPE_UNKNOWN;
}

/* True for the types of entries that a row of table node names as its first
 * entry or its seal. */
static bool
has_row(enum tf_entry_kind type)
{
	static const enum tf_entry_kind types[] = { TF_TRAIL_CREATED,
		TF_WORKFLOW_BEGUN, TF_ATTESTATION_BEGUN, TF_DIRECTORY_CREATED,
		TF_EVIDENCE_SEALED, TF_ATTESTATION_SEALED, TF_WORKFLOW_SEALED,
		TF_TRAIL_SEALED };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (type == types[i])
			return true;
	return false;
}

struct walk {
	struct tf_unindexed *r;
	struct tf_scanned found;
	struct tf_leaves leaves;
};

/* Entries come in order, but an older range may be walked over later. */
static void
raise_newest(struct tf_unindexed *r, uint32_t hash, uint64_t idx)
{
	_Atomic uint64_t *newest = &r->newest[hash % TF_UNINDEXED_CHAINS];

	if (atomic_load_explicit(newest, memory_order_relaxed) < idx + 1)
		atomic_store_explicit(newest, idx + 1, memory_order_relaxed);
}

/* The result is shared by all views of a vault, so the walk stops at the end of
 * this view: a later entry is not in its snapshot. */
static enum tf_code
note_entry(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct walk *k = arg;
	struct tf_scanned *s = &k->found;
	struct tf_unindexed_entry x = { .seq = idx };
	struct tf_str type, path;
	enum tf_entry_kind kind;
	bool whole;
	enum tf_code rc;

	(void)off;
	if (idx >= k->leaves.end)
		return TF_NODATA; /* ends the walk */
	if (idx % STOP_ENTRIES == 0 && tf_vault_must_stop(k->leaves.w->v))
		return tf_fail(err, TF_INTERRUPTED, "given up");
	rc = tf_leaves_check(&k->leaves, s, idx, body, n, &whole, err);
	if (rc != TF_OK || !whole)
		return rc;
	tf_entry_scan(body, n, &type, &path);
	if (path.p == NULL || type.p == NULL)
		return TF_OK;
	x.workflow = hash_parts(path, 2);
	raise_newest(k->r, x.workflow, idx);
	kind = kind_of(type);
	s->has_unknown = s->has_unknown || kind == TF_TYPE_UNKNOWN;
	if (has_row(kind))
		return TF_OK;
	x.trail = hash_parts(path, 1);
	x.attestation = hash_parts(path, 3);
	if (!tf_array_room(&s->p, s->n, &s->cap, sizeof(*s->p)))
		return tf_nomem(err);
	s->p[s->n++] = x;
	return TF_OK;
}

/* --- walks --------------------------------------------------------------------- */

static enum tf_code
walk_range(struct tf_view *w, uint64_t from, uint64_t end, struct walk *k,
    struct tf_error *err)
{
	bool whole;
	enum tf_code rc;

	tf_leaves_begin(&k->leaves, w, from, end);
	rc = tf_entries_each(w->db, from, note_entry, k, err);
	/* The last ones may be missing. */
	if (rc == TF_OK || rc == TF_NODATA)
		rc = tf_leaves_check(&k->leaves, &k->found, end, NULL, 0,
		    &whole, err);
	return rc;
}

static void
put_in_chains(struct tf_unindexed *r, size_t i)
{
	struct tf_unindexed_entry *x = &r->all.p[i];
	uint32_t *head = &r->workflow[x->workflow % TF_UNINDEXED_CHAINS];

	x->in_workflow = *head;
	*head = (uint32_t)i + 1;
	head = &r->attestation[x->attestation % TF_UNINDEXED_CHAINS];
	x->in_attestation = *head;
	*head = (uint32_t)i + 1;
}

static void
clear_chains(struct tf_unindexed *r)
{
	memset(r->workflow, 0, sizeof(r->workflow));
	memset(r->attestation, 0, sizeof(r->attestation));
}

/* Add what a walk found to the rest; first: before all other entries.  mu is
 * held, here and below. */
static enum tf_code
add_found(struct tf_unindexed *r, const struct tf_scanned *s, bool first,
    struct tf_error *err)
{
	struct tf_scanned *all = &r->all;
	size_t from = first ? 0 : all->n, old = all->n;

	if (s->n_altered > 0)
		r->lost++;
	if (all->n + s->n >= UINT32_MAX || !tf_altered_add(all, s))
		return tf_nomem(err);
	all->has_unknown = all->has_unknown || s->has_unknown;
	for (size_t i = 0; i < s->n; i++) {
		if (!tf_array_room(&all->p, all->n, &all->cap,
			sizeof(*all->p))) {
			all->n = old;
			return tf_nomem(err);
		}
		all->p[all->n++] = s->p[i];
	}
	if (first && s->n > 0) {
		memmove(all->p + s->n, all->p, old * sizeof(*all->p));
		memcpy(all->p, s->p, s->n * sizeof(*all->p));
		clear_chains(r);
	}
	for (size_t i = from; i < all->n && s->n > 0; i++)
		put_in_chains(r, i);
	return TF_OK;
}

/* Forget everything, so that a range can begin elsewhere. */
static void
begin_range(struct tf_unindexed *r, uint64_t from)
{
	r->all.n = r->all.n_altered = 0;
	r->all.has_unknown = false;
	clear_chains(r);
	r->from = r->to = from;
	r->lost++;
}

/* Walk over the next part of what is not known. */
static enum tf_code
walk_on(struct tf_view *w, struct tf_unindexed *r, uint64_t from,
    struct tf_error *err)
{
	struct walk k = { .r = r };
	const bool first = r->to >= w->entries;
	const uint64_t begin = first ? from : r->to;
	uint64_t end = first ? r->from : w->entries;
	enum tf_code rc;

	if (!first && end - begin > BATCH)
		end = begin + BATCH;
	r->walking = true;
	pthread_mutex_unlock(&r->mu);
	tf_vault_slow(w->v);
	rc = walk_range(w, begin, end, &k, err);
	pthread_mutex_lock(&r->mu);
	r->walking = false;
	pthread_cond_broadcast(&r->changed);
	if (rc == TF_OK)
		rc = add_found(r, &k.found, first, err);
	if (rc == TF_OK && first)
		r->from = from;
	else if (rc == TF_OK)
		r->to = end;
	tf_scanned_free(&k.found);
	return rc;
}

static enum tf_code
await_walk(struct tf_view *w, struct tf_unindexed *r, struct tf_error *err)
{
	struct timespec until;

	tf_vault_slow(w->v);
	tf_clock_after(WAIT_NS, &until);
	(void)pthread_cond_timedwait(&r->changed, &r->mu, &until);
	return tf_vault_must_stop(w->v) ?
	    tf_fail(err, TF_INTERRUPTED, "given up") :
	    TF_OK;
}

static enum tf_code
know_since(struct tf_view *w, struct tf_unindexed *r, uint64_t from,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && from < w->entries &&
	    (from < r->from || w->entries > r->to)) {
		if (r->walking) {
			rc = await_walk(w, r, err);
			continue;
		}
		/* A range that begins behind the end of this older view could
		 * leave a gap. */
		if (r->from == r->to || r->from > w->entries)
			begin_range(r, from);
		rc = walk_on(w, r, from, err);
	}
	return rc;
}

enum tf_code
tf_view_walk(struct tf_view *w, uint64_t from, struct tf_error *err)
{
	struct tf_unindexed *r = w->v->unindexed;
	enum tf_code rc;

	pthread_mutex_lock(&r->mu);
	rc = know_since(w, r, from, err);
	pthread_mutex_unlock(&r->mu);
	return rc;
}

/* --- what is known ------------------------------------------------------------- */

static unsigned
parts_of(struct tf_str path)
{
	unsigned parts = 1;

	for (size_t i = 0; i < path.n; i++)
		parts += path.p[i] == '/';
	return parts;
}

/* The entry after place i, which is a place plus 1, among those with the hash of
 * so many components: in a chain, or in the whole list for a trail. */
static size_t
next_of(const struct tf_unindexed *r, unsigned parts, size_t i)
{
	return parts == 1 ? i - 1 :
	    parts == 2	  ? r->all.p[i - 1].in_workflow :
			    r->all.p[i - 1].in_attestation;
}

enum tf_code
tf_view_unindexed(struct tf_view *w, const struct tf_buf *path, uint64_t from,
    struct tf_seqs *out, struct tf_error *err)
{
	const struct tf_str s = { path->p, path->n };
	const unsigned parts = parts_of(s);
	const uint32_t want = hash_parts(s, parts);
	struct tf_unindexed *r = w->v->unindexed;
	enum tf_code rc;
	size_t i;

	pthread_mutex_lock(&r->mu);
	rc = know_since(w, r, from, err);
	i = parts == 1 ? r->all.n :
	    parts == 2 ? r->workflow[want % TF_UNINDEXED_CHAINS] :
			 r->attestation[want % TF_UNINDEXED_CHAINS];
	for (; rc == TF_OK && i > 0; i = next_of(r, parts, i)) {
		const struct tf_unindexed_entry *x = &r->all.p[i - 1];
		const uint32_t hash = parts == 1 ? x->trail :
		    parts == 2			 ? x->workflow :
						   x->attestation;

		if (x->seq >= from && x->seq < w->entries && hash == want)
			rc = tf_seqs_add(out, x->seq, err);
	}
	pthread_mutex_unlock(&r->mu);
	return rc;
}

enum tf_code
tf_view_altered(struct tf_view *w, uint64_t workflow, tf_altered_fn fn,
    void *arg, struct tf_error *err)
{
	struct tf_unindexed *r = w->v->unindexed;
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&r->mu);
	for (size_t i = 0; rc == TF_OK && i < r->all.n_altered; i++) {
		const struct tf_altered_entry *e = &r->all.altered[i];

		if (e->seq < w->entries &&
		    (!e->named || e->workflow == workflow))
			rc = fn(arg, e, err);
	}
	pthread_mutex_unlock(&r->mu);
	return rc;
}

void
tf_view_walked(struct tf_view *w, struct tf_str path, struct tf_walked *out)
{
	struct tf_unindexed *r = w->v->unindexed;
	const uint32_t hash = hash_parts(path, 2) % TF_UNINDEXED_CHAINS;

	pthread_mutex_lock(&r->mu);
	*out = (struct tf_walked){ atomic_load(&r->newest[hash]), r->lost,
		r->all.has_unknown };
	pthread_mutex_unlock(&r->mu);
}
