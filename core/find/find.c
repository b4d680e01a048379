/*
 * Searches: see core/find.h.
 *
 * A writing vault: the thread of keep.c writes STORE/index.db, and searches
 * read it after the thread has reached the end of the ledger, through the same
 * connection.  A read-only vault: each search, one at a time, brings a
 * temporary copy up to date and uses it; of a copy of a vault, the file itself is
 * used if it covers the ledger.
 *
 * An index that is damaged is removed and made anew, once per search.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../past.h"
#include "../view/view.h"
#include "answer.h"
#include "keep.h"
#include "query.h"

#define TRIES 200	 /* of a search, while the index is made anew */
#define SCAN_STOP 256	 /* entries between two checks whether to stop */
#define PATHS 256	 /* items asked of the index at a time */
#define SCAN_NAMES 1000	 /* of the index at a time */
#define HEAD_NAMES 10000 /* that begin alike: with more, paths are faster */
#define NAME_BYTES 256	 /* of a name and a NUL */

struct search {
	struct tf_find *f;
	const struct tf_find_query *q;
	struct tf_view *w;
	struct tf_buf *out;
	unsigned opened; /* see keep.h */
	/* Items whose path may match, the newest first; those from next on are
	 * not used yet. */
	uint64_t path[PATHS];
	size_t n, next;
	bool last; /* there are no others */
	/* All items whose name matches, the oldest first, if by_name. */
	bool by_name;
	uint64_t *named;
	size_t n_named, named_cap;
	size_t n_heads; /* names that begin as q->head says */
	bool passed;	/* all of these */
};

/* The newest item at or below *at whose path may match.  index_mu is held. */
static enum tf_code
next_path(struct search *x, uint64_t *at, struct tf_error *err)
{
	enum tf_code rc;

	for (;;) {
		while (x->next < x->n && x->path[x->next] > *at)
			x->next++;
		if (x->next < x->n) {
			*at = x->path[x->next];
			return TF_OK;
		}
		if (x->last)
			return TF_NOTFOUND;
		x->next = 0;
		rc = tf_search_paths(x->f->index, x->q->part, x->q->n_parts,
		    *at, x->path, PATHS, &x->n, err);
		if (rc != TF_OK)
			return rc;
		x->last = x->n < PATHS;
	}
}

/* *at becomes the newer of itself and item, if that was found. */
static enum tf_code
newer(enum tf_code of, uint64_t item, bool *found, uint64_t *at)
{
	if (of == TF_OK && (!*found || item > *at))
		*at = item;
	*found = *found || of == TF_OK;
	return of == TF_NOTFOUND ? TF_OK : of;
}

/* The newest item at or below *at one of whose digests begins as the query
 * says.  index_mu is held. */
static enum tf_code
next_digest(struct search *x, uint64_t *at, struct tf_error *err)
{
	const uint64_t below = *at;
	uint64_t item = 0;
	bool found = false;
	enum tf_code rc = TF_OK;

	for (int i = 0; rc == TF_OK && i < TF_FIND_PREFIXES; i++) {
		const struct tf_find_span s = tf_find_span(x->q, i);
		const struct tf_str low = { s.low, s.n_low };

		rc = tf_search_span(x->f->index, s.kind, low,
		    (struct tf_str){ s.high, s.n_high }, below, &item, err);
		rc = newer(rc, item, &found, at);
		if (rc != TF_OK || s.kind != TF_FIND_ANNOTATION)
			continue;
		rc = tf_search_fact(x->f->index, TF_FIND_APART,
		    tf_find_key(low), below, &item, err);
		rc = newer(rc, item, &found, at);
	}
	return rc == TF_OK && !found ? TF_NOTFOUND : rc;
}

/* The newest item at or below *at whose name matches. */
static enum tf_code
next_named(const struct search *x, uint64_t *at)
{
	size_t low = 0, high = x->n_named, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (x->named[mid] <= *at)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return TF_NOTFOUND;
	*at = x->named[low - 1];
	return TF_OK;
}

/* The newest item at or below *at that has the fact, or that may have it, as
 * the text stands apart.  index_mu is held. */
static enum tf_code
next_fact(struct search *x, const struct tf_find_fact *f, uint64_t *at,
    struct tf_error *err)
{
	struct tf_search_db *s = x->f->index;
	struct tf_str key = { NULL, 0 };
	const uint64_t below = *at;
	uint64_t item = 0;
	bool found = false;
	enum tf_code rc = tf_search_fact(s, f->kind, f->value, below, &item,
	    err);

	rc = newer(rc, item, &found, at);
	if (f->kind == TF_FIND_USER || f->kind == TF_FIND_BEHALF)
		key = tf_str_of(TF_FIND_BEHALF_KEY);
	else if (f->kind == TF_FIND_ANNOTATION)
		key = tf_find_key(f->value);
	if (rc == TF_OK && key.p != NULL) {
		rc = tf_search_fact(s, TF_FIND_APART, key, below, &item, err);
		rc = newer(rc, item, &found, at);
	}
	return rc == TF_OK && !found ? TF_NOTFOUND : rc;
}

/* index_mu is held. */
static enum tf_code
find_item(struct search *x, uint64_t *at, struct tf_error *err)
{
	const struct tf_find_query *q = x->q;
	struct tf_search_db *s = x->f->index;
	uint64_t before;
	enum tf_code rc = TF_OK;

	do {
		before = *at;
		for (size_t i = 0; rc == TF_OK && i < q->n_facts; i++)
			rc = next_fact(x, &q->fact[i], at, err);
		if (rc == TF_OK && q->prefix.p != NULL)
			rc = next_digest(x, at, err);
		/* The words in the index are those of today. */
		if (rc == TF_OK && q->status != NULL && q->at == NULL)
			rc = tf_search_word(s, q->status, *at, at, err);
		if (rc == TF_OK && q->exact.p != NULL)
			rc = tf_search_fact(s, TF_FIND_NAME, q->exact, *at, at,
			    err);
		if (rc == TF_OK && x->by_name)
			rc = next_named(x, at);
		else if (rc == TF_OK && q->n_parts > 0)
			rc = next_path(x, at, err);
	} while (rc == TF_OK && *at != before);
	return rc;
}

/* Use the index that the search began with.  TF_BUSY it is being made anew; else
 * unlock index_mu afterwards. */
static enum tf_code
lock_index(struct search *x, struct tf_error *err)
{
	pthread_mutex_lock(&x->f->index_mu);
	if (x->f->index != NULL && atomic_load(&x->f->opened) == x->opened)
		return TF_OK;
	pthread_mutex_unlock(&x->f->index_mu);
	return tf_fail(err, TF_BUSY, "the search index is being made");
}

/* The newest item at or below *at that all filters with an index have.
 * TF_NOTFOUND; TF_BUSY. */
static enum tf_code
next_item(struct search *x, uint64_t *at, struct tf_error *err)
{
	enum tf_code rc = lock_index(x, err);

	if (rc != TF_OK)
		return rc;
	rc = find_item(x, at, err);
	pthread_mutex_unlock(&x->f->index_mu);
	return rc;
}

/* Keep the item if its name matches.  False: no memory. */
static bool
note_name(void *arg, struct tf_str value, uint64_t item)
{
	struct search *x = arg;
	char name[NAME_BYTES];

	const struct tf_str head = x->q->head;

	x->passed = x->passed ||
	    (head.p != NULL &&
		(value.n < head.n || memcmp(value.p, head.p, head.n) != 0));
	if (x->passed || value.n >= sizeof(name))
		return true; /* no name is so long */
	x->n_heads++;
	memcpy(name, value.p, value.n);
	name[value.n] = '\0';
	if (!tf_find_glob_matches(x->q, name))
		return true;
	if (!tf_array_room(&x->named, x->n_named, &x->named_cap,
		sizeof(*x->named)))
		return false;
	x->named[x->n_named++] = item;
	return true;
}

static int
by_item(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Look at all names, or at those with the head: they are sorted, and much
 * shorter than the entries. */
static enum tf_code
scan_names(struct search *x, struct tf_error *err)
{
	struct tf_buf value = { 0 };
	uint64_t item = 0;
	size_t n = SCAN_NAMES;
	enum tf_code rc = TF_OK;

	x->n_named = x->n_heads = 0;
	x->passed = false;
	x->by_name = true;
	if (x->q->head.p != NULL)
		tf_buf_add(&value, x->q->head.p, x->q->head.n);
	while (rc == TF_OK && n == SCAN_NAMES && !x->passed && x->by_name) {
		if ((rc = lock_index(x, err)) != TF_OK)
			break;
		rc = tf_search_facts(x->f->index, TF_FIND_NAME, &value, &item,
		    SCAN_NAMES, &n, note_name, x, err);
		pthread_mutex_unlock(&x->f->index_mu);
		tf_vault_slow(x->f->v);
		if (rc == TF_OK && tf_vault_must_stop(x->f->v))
			rc = tf_fail(err, TF_INTERRUPTED, "given up");
		x->by_name = x->q->scan || x->n_heads < HEAD_NAMES;
	}
	tf_buf_free(&value);
	if (x->n_named > 0)
		qsort(x->named, x->n_named, sizeof(*x->named), by_item);
	return rc;
}

static enum tf_code
search_range(struct search *x, uint64_t first, uint64_t end,
    struct tf_error *err)
{
	uint64_t at = end - 1, found = 0, looked = 0;
	enum tf_code rc = TF_OK;
	bool is;

	while ((rc = next_item(x, &at, err)) == TF_OK && at >= first) {
		if (++looked % SCAN_STOP == 0) {
			tf_vault_slow(x->f->v);
			if (tf_vault_must_stop(x->f->v))
				return tf_fail(err, TF_INTERRUPTED, "given up");
		}
		is = false;
		rc = tf_find_consider(x->w, x->q, at, x->out, &is, err);
		if (rc != TF_OK || (found += is) == x->q->limit ||
		    at-- == first)
			return rc;
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* *out becomes the newest item whose clock's reading is not its time, or
 * UINT64_MAX. */
static enum tf_code
last_moved(struct search *x, uint64_t *out, struct tf_error *err)
{
	enum tf_code rc;

	*out = UINT64_MAX;
	pthread_mutex_lock(&x->f->index_mu);
	rc = tf_search_fact(x->f->index, TF_FIND_MOVED,
	    tf_str_of(TF_FIND_MOVED_VALUE), INT64_MAX, out, err);
	pthread_mutex_unlock(&x->f->index_mu);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

static enum tf_code
open_view(struct search *x, const struct tf_asker *who, struct tf_error *err)
{
	uint64_t size;
	enum tf_code rc;

	if (x->q->at == NULL)
		return tf_view_open(x->f->v, who, &x->w, err);
	rc = tf_past_size(x->f->v, x->q->at, &size, err);
	return rc == TF_OK ? tf_view_open_at(x->f->v, who, size, &x->w, err) :
			     rc;
}

/* Search with an index that covers the view.  Facts stay in the index, so it
 * finds all that names had at any time before, and each is looked at. */
static enum tf_code
search(struct search *x, const struct tf_asker *who, struct tf_error *err)
{
	uint64_t first = 0, end = 0, moved = UINT64_MAX;
	enum tf_code rc = open_view(x, who, err);

	if (rc == TF_OK && x->q->has_until)
		rc = last_moved(x, &moved, err);
	if (rc == TF_OK)
		rc = tf_find_range(x->w, x->q, moved, &first, &end, err);
	x->n = x->next = 0;
	x->last = false;
	x->by_name = false;
	if (rc == TF_OK && first < end && (x->q->scan || x->q->head.p != NULL))
		rc = scan_names(x, err);
	if (rc == TF_OK && first < end)
		rc = search_range(x, first, end, err);
	tf_view_close(x->w);
	x->w = NULL;
	return rc;
}

static enum tf_code
search_file(struct search *x, const struct tf_asker *who, struct tf_error *err)
{
	struct tf_find *f = x->f;
	uint64_t entries, bytes;
	enum tf_code rc = tf_vault_size(f->v, &entries, &bytes, err);

	if (rc == TF_OK)
		rc = tf_find_await(f, entries,
		    x->q->status != NULL && x->q->at == NULL, &x->opened, err);
	return rc == TF_OK ? search(x, who, err) : rc;
}

/* The same; an index that is damaged is made anew once. */
static enum tf_code
search_writer(struct search *x, const struct tf_asker *who,
    struct tf_error *err)
{
	const size_t n = x->out->n;
	bool anew = false;
	enum tf_code rc;

	for (int tries = 0;; tries++) {
		rc = search_file(x, who, err);
		if (rc != TF_BUSY && (!tf_find_is_damage(rc) || anew))
			return rc;
		if (tries == TRIES)
			return rc;
		x->out->n = n;
		if (tf_find_is_damage(rc)) {
			anew = true;
			tf_find_begin_anew(x->f);
		}
	}
}

/* An index that is damaged, and not the ledger, is not used again. */
static enum tf_code
search_copy(struct search *x, const struct tf_asker *who, struct tf_error *err)
{
	struct tf_find *f = x->f;
	const size_t n = x->out->n;
	enum tf_code rc = TF_OK;

	tf_vault_slow(f->v);
	pthread_mutex_lock(&f->mu);
	for (int tries = 0; tries < 2; tries++) {
		x->out->n = n;
		rc = tf_find_update_copy(f, err);
		if (rc == TF_OK)
			rc = search(x, who, err);
		if (rc != TF_OK && rc != TF_INTERRUPTED) { /* as in keep.c */
			tf_search_close(f->index);
			f->index = NULL;
			f->still = false;
		}
		if (!tf_find_is_damage(rc))
			break;
		f->of_copy = false;
		f->path[0] = '\0'; /* copy nothing */
	}
	pthread_mutex_unlock(&f->mu);
	return rc;
}

enum tf_code
tf_find(struct tf_vault *v, const char *text, const struct tf_asker *who,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_find_query q;
	struct search x = { .f = v->find, .q = &q, .out = out };
	enum tf_code rc = tf_find_query_parse(text, &q, err);

	if (rc == TF_OK && v->find == NULL)
		rc = tf_fail(err, TF_UNSUPPORTED, "searches are not prepared");
	if (rc == TF_OK)
		rc = v->read_only ? search_copy(&x, who, err) :
				    search_writer(&x, who, err);
	if (rc == TF_OK && out->failed)
		rc = tf_nomem(err);
	free(x.named);
	tf_find_query_free(&q);
	return rc;
}
