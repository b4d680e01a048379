/*
 * Searches, and the thread that keeps the index up to date: see core/find.h.
 *
 * A writing vault: the thread writes STORE/index.db, and searches read it after
 * the thread has reached the end of the ledger, through the same connection.
 * A read-only vault: each search, one at a time, brings a temporary copy up to
 * date and uses it.
 *
 * An index that is damaged is removed and made anew, once per search.
 *
 * Lock order: mu, then index_mu.  index_mu is held for one batch of entries, or
 * for one step of a search, but never while the ledger is read for an answer or
 * a workflow is judged.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/search_rows.h"
#include "../view/view.h"
#include "answer.h"
#include "follow.h"
#include "query.h"

#define LOOK_NS TF_SECOND	 /* between two looks at the ledger */
#define WAIT_NS (TF_SECOND / 50) /* between two checks whether to stop */
#define RETRY_NS (5 * TF_SECOND) /* after an error */
#define RESTS 9			 /* times the time of judging */
#define TRIES 5			 /* of a search, while the index is made anew */
#define NICE 10
#define SCAN_STOP 256 /* entries between two checks whether to stop */

struct tf_find {
	struct tf_vault *v;
	char path[4200];
	char mark[TF_ORIGIN_MAX + 40];
	atomic_bool quit; /* the thread must end */
	pthread_mutex_t mu;
	pthread_cond_t changed;
	pthread_mutex_t index_mu;
	struct tf_search_db *index; /* or NULL; guarded by index_mu */
	/* All below: guarded by mu. */
	pthread_t thread;
	bool runs;  /* the thread */
	bool asked; /* a search waits for it; for statuses, too: */
	bool asked_words;
	bool anew;	       /* it must remove the file and make another */
	uint64_t facts, words; /* entries that the index covers */
	enum tf_code failed;   /* the thread cannot go on for now */
	struct tf_error why;
};

/* --- the thread ---------------------------------------------------------------- */

/* The index covers so many entries now.  False: it must be made anew. */
static bool
set_covered(struct tf_find *f, uint64_t *covered, uint64_t entries)
{
	bool valid;

	pthread_mutex_lock(&f->mu);
	valid = !f->anew;
	if (valid)
		*covered = entries;
	if (valid && covered == &f->words)
		f->asked_words = false;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->mu);
	return valid;
}

static bool
wants_words(struct tf_find *f)
{
	bool wants;

	pthread_mutex_lock(&f->mu);
	wants = f->asked_words;
	pthread_mutex_unlock(&f->mu);
	return wants;
}

/* Index a batch of entries. */
static enum tf_code
follow(struct tf_find *f, uint64_t *entries, bool *more, struct tf_error *err)
{
	enum tf_code rc;

	pthread_mutex_lock(&f->index_mu);
	rc = tf_find_follow(f->v, f->index, entries, more, err);
	pthread_mutex_unlock(&f->index_mu);
	return rc;
}

/* Judge some workflows; *more tells whether others may be due. */
static enum tf_code
judge(struct tf_find *f, bool *more, struct tf_error *err)
{
	struct tf_find_words *x = malloc(sizeof(*x));
	enum tf_code rc;

	if (x == NULL)
		return tf_nomem(err);
	pthread_mutex_lock(&f->index_mu);
	rc = tf_search_due(f->index, x->due, TF_FIND_JUDGED, &x->n, err);
	pthread_mutex_unlock(&f->index_mu);
	*more = x->n == TF_FIND_JUDGED;
	if (rc == TF_OK && x->n > 0)
		rc = tf_find_judge(f->v, x, &f->quit, err);
	if (rc == TF_OK && x->n > 0) {
		pthread_mutex_lock(&f->index_mu);
		rc = tf_find_put_words(f->index, x, err);
		pthread_mutex_unlock(&f->index_mu);
	}
	free(x);
	return rc;
}

/*
 * Index all entries, then judge workflows: all that are due if a search waits
 * for that, else some.  *rest becomes how long the thread must rest afterwards:
 * a workflow of very many attestations takes long to judge, and each entry in
 * it makes it due again.
 */
static enum tf_code
catch_up(struct tf_find *f, uint64_t *rest, struct tf_error *err)
{
	uint64_t entries = 0, begun, took;
	bool more = true;
	enum tf_code rc = TF_OK;

	*rest = LOOK_NS;
	while (rc == TF_OK && more && !atomic_load(&f->quit))
		rc = follow(f, &entries, &more, err);
	if (rc != TF_OK || more || !set_covered(f, &f->facts, entries))
		return rc;
	begun = tf_clock_boot_ns();
	do
		rc = judge(f, &more, err);
	while (rc == TF_OK && more && !atomic_load(&f->quit) && wants_words(f));
	took = tf_clock_boot_ns() - begun;
	if (RESTS * took > *rest)
		*rest = RESTS * took;
	if (rc == TF_OK && !more)
		(void)set_covered(f, &f->words, entries);
	return rc;
}

static bool
is_damage(enum tf_code rc)
{
	return rc == TF_TAMPER || rc == TF_FOREIGN;
}

/* Report a failure to those who wait, and to the operator when it is new. */
static void
set_failed(struct tf_find *f, enum tf_code rc, const struct tf_error *why)
{
	bool is_new;

	pthread_mutex_lock(&f->mu);
	is_new = rc != TF_OK && f->failed == TF_OK;
	f->failed = rc;
	f->why = *why;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->mu);
	if (is_new)
		tf_vault_say(f->v, rc, "the search index is not up to date: %s",
		    why->text);
}

/* Sleep until there may be something to do.  False: quit. */
static bool
sleep_until_asked(struct tf_find *f, uint64_t ns)
{
	struct timespec until;

	pthread_mutex_lock(&f->mu);
	tf_clock_after(ns, &until);
	while (!atomic_load(&f->quit) && !f->asked &&
	    pthread_cond_timedwait(&f->changed, &f->mu, &until) == 0)
		;
	f->asked = false;
	pthread_mutex_unlock(&f->mu);
	return !atomic_load(&f->quit);
}

/* Make the thread remove the file and index the ledger anew. */
static void
begin_anew(struct tf_find *f)
{
	pthread_mutex_lock(&f->mu);
	f->anew = true;
	f->facts = f->words = 0;
	pthread_mutex_unlock(&f->mu);
}

static bool
begins_anew(struct tf_find *f)
{
	bool anew;

	pthread_mutex_lock(&f->mu);
	anew = f->anew;
	f->anew = false;
	pthread_mutex_unlock(&f->mu);
	return anew;
}

/* Open the index unless it is open; another one if it must be made anew or its
 * file was removed. */
static enum tf_code
open_index(struct tf_find *f, struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	bool anew;

	/* Only this thread changes f->index. */
	if (f->index != NULL && !tf_search_is_at(f->index, f->path))
		begin_anew(f);
	anew = begins_anew(f);
	pthread_mutex_lock(&f->index_mu);
	if (anew) {
		tf_search_close(f->index);
		f->index = NULL;
		tf_search_remove(f->path);
	}
	if (f->index == NULL)
		rc = tf_search_open(f->path, TF_SEARCH_WRITE, f->mark,
		    &f->index, err);
	pthread_mutex_unlock(&f->index_mu);
	return rc;
}

static void *
run(void *arg)
{
	struct tf_find *f = arg;
	struct tf_error err = { 0 };
	uint64_t rest = LOOK_NS;
	bool anew = false;
	enum tf_code rc;

	/* Mostly nobody waits for this work. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	do {
		rc = open_index(f, &err);
		if (rc == TF_OK)
			rc = catch_up(f, &rest, &err);
		if (rc != TF_OK)
			rest = RETRY_NS;
		/* A second time it may be the ledger that is damaged. */
		if (is_damage(rc)) {
			begin_anew(f);
			if (!anew)
				rest = 0;
		}
		set_failed(f, rest == 0 ? TF_OK : rc, &err);
		anew = is_damage(rc) && rest == 0;
	} while (sleep_until_asked(f, rest));
	return NULL;
}

/* Start the thread unless it runs.  mu is held. */
static enum tf_code
start_thread(struct tf_find *f, struct tf_error *err)
{
	if (f->runs)
		return TF_OK;
	if (pthread_create(&f->thread, NULL, run, f) != 0)
		return tf_fail(err, TF_NOMEM, "cannot start a thread");
	f->runs = true;
	return TF_OK;
}

/* --- starting and stopping ----------------------------------------------------- */

enum tf_code
tf_find_start(struct tf_vault *v, struct tf_error *err)
{
	struct tf_find *f = calloc(1, sizeof(*f));
	pthread_condattr_t attr;
	enum tf_code rc = TF_OK;

	if (f == NULL)
		return tf_nomem(err);
	f->v = v;
	(void)snprintf(f->path, sizeof(f->path), "%s/%s", v->path,
	    TF_SEARCH_NAME);
	(void)snprintf(f->mark, sizeof(f->mark), "%s %s", v->origin, v->store);
	(void)pthread_mutex_init(&f->mu, NULL);
	(void)pthread_mutex_init(&f->index_mu, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&f->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	v->find = f;
	if (!v->read_only && access(f->path, F_OK) == 0) {
		pthread_mutex_lock(&f->mu);
		rc = start_thread(f, err);
		pthread_mutex_unlock(&f->mu);
	}
	if (rc != TF_OK)
		tf_find_stop(v);
	return rc;
}

void
tf_find_stop(struct tf_vault *v)
{
	struct tf_find *f = v == NULL ? NULL : v->find;

	if (f == NULL)
		return;
	atomic_store(&f->quit, true);
	pthread_mutex_lock(&f->mu);
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->mu);
	if (f->runs)
		(void)pthread_join(f->thread, NULL);
	tf_search_close(f->index);
	(void)pthread_cond_destroy(&f->changed);
	(void)pthread_mutex_destroy(&f->index_mu);
	(void)pthread_mutex_destroy(&f->mu);
	v->find = NULL;
	free(f);
}

/* --- one search ---------------------------------------------------------------- */

#define PATHS 256 /* items asked of the index at a time */

struct search {
	struct tf_find *f;
	const struct tf_find_query *q;
	struct tf_view *w;
	struct tf_buf *out;
	/* Items whose path may match, the newest first; those from next on are
	 * not used yet. */
	uint64_t path[PATHS];
	size_t n, next;
	bool last; /* there are no others */
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
			rc = tf_search_fact(s, q->fact[i].kind,
			    q->fact[i].value, *at, at, err);
		if (rc == TF_OK && q->status != NULL)
			rc = tf_search_word(s, q->status, *at, at, err);
		if (rc == TF_OK && q->exact.p != NULL)
			rc = tf_search_fact(s, TF_FIND_NAME, q->exact, *at, at,
			    err);
		if (rc == TF_OK && q->n_parts > 0)
			rc = next_path(x, at, err);
	} while (rc == TF_OK && *at != before);
	return rc;
}

/* The newest item at or below *at that all filters with an index have.
 * TF_NOTFOUND; TF_BUSY the index is being made anew. */
static enum tf_code
next_item(struct search *x, uint64_t *at, struct tf_error *err)
{
	enum tf_code rc;

	pthread_mutex_lock(&x->f->index_mu);
	rc = x->f->index == NULL ?
	    tf_fail(err, TF_BUSY, "the search index is being made") :
	    find_item(x, at, err);
	pthread_mutex_unlock(&x->f->index_mu);
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

/* Search with an index that covers the view. */
static enum tf_code
search(struct search *x, const struct tf_asker *who, struct tf_error *err)
{
	uint64_t first = 0, end = 0;
	enum tf_code rc = tf_view_open(x->f->v, who, &x->w, err);

	if (rc == TF_OK)
		rc = tf_find_range(x->w, x->q, &first, &end, err);
	x->n = x->next = 0;
	x->last = false;
	if (rc == TF_OK && first < end)
		rc = search_range(x, first, end, err);
	tf_view_close(x->w);
	x->w = NULL;
	return rc;
}

/* Wait until the index covers `entries` entries. */
static enum tf_code
await_index(struct tf_find *f, uint64_t entries, bool words,
    struct tf_error *err)
{
	struct timespec until;
	enum tf_code rc;

	pthread_mutex_lock(&f->mu);
	f->failed = TF_OK;
	rc = start_thread(f, err);
	while (rc == TF_OK && (words ? f->words : f->facts) < entries) {
		f->asked = true;
		f->asked_words = f->asked_words || words;
		pthread_cond_broadcast(&f->changed);
		tf_clock_after(WAIT_NS, &until);
		(void)pthread_cond_timedwait(&f->changed, &f->mu, &until);
		if (f->failed != TF_OK)
			rc = tf_fail_as(err, &f->why);
		pthread_mutex_unlock(&f->mu);
		tf_vault_slow(f->v);
		if (rc == TF_OK && tf_vault_must_stop(f->v))
			rc = tf_fail(err, TF_INTERRUPTED, "given up");
		pthread_mutex_lock(&f->mu);
	}
	pthread_mutex_unlock(&f->mu);
	return rc;
}

static enum tf_code
search_file(struct search *x, const struct tf_asker *who, struct tf_error *err)
{
	struct tf_find *f = x->f;
	uint64_t entries, bytes;
	enum tf_code rc = tf_vault_size(f->v, &entries, &bytes, err);

	if (rc == TF_OK)
		rc = await_index(f, entries, x->q->status != NULL, err);
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
		if (rc != TF_BUSY && (!is_damage(rc) || anew))
			return rc;
		if (tries == TRIES)
			return rc;
		x->out->n = n;
		if (is_damage(rc)) {
			anew = true;
			begin_anew(x->f);
		}
	}
}

/* Bring the copy up to date. */
static enum tf_code
update_copy(struct tf_find *f, struct tf_error *err)
{
	uint64_t entries;
	bool more = true;
	enum tf_code rc = TF_OK;

	if (f->index == NULL)
		rc = tf_search_open(f->path, TF_SEARCH_COPY, f->mark, &f->index,
		    err);
	while (rc == TF_OK && more) {
		rc = follow(f, &entries, &more, err);
		if (rc == TF_OK && tf_vault_must_stop(f->v))
			rc = tf_fail(err, TF_INTERRUPTED, "given up");
	}
	more = true;
	while (rc == TF_OK && more) {
		rc = judge(f, &more, err);
		if (rc == TF_OK && tf_vault_must_stop(f->v))
			rc = tf_fail(err, TF_INTERRUPTED, "given up");
	}
	return rc;
}

static enum tf_code
search_copy(struct search *x, const struct tf_asker *who, struct tf_error *err)
{
	struct tf_find *f = x->f;
	enum tf_code rc;

	tf_vault_slow(f->v);
	pthread_mutex_lock(&f->mu);
	rc = update_copy(f, err);
	if (is_damage(rc)) {
		tf_search_close(f->index);
		f->index = NULL;
		f->path[0] = '\0'; /* copy nothing */
		rc = update_copy(f, err);
	}
	if (rc == TF_OK)
		rc = search(x, who, err);
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
	tf_find_query_free(&q);
	return rc;
}
