/*
 * Searches, and the thread that keeps the index up to date: see core/find.h.
 *
 * A writing vault: the thread alone writes STORE/index.db; each search opens
 * the file for itself, after the thread has reached the end of the ledger.
 * A read-only vault: each search, one at a time, brings a temporary copy up to
 * date and uses it.
 *
 * An index that is damaged is removed and made anew, once per search.
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
#define NICE 10
#define SCAN_STOP 256 /* entries between two checks whether to stop */

struct tf_find {
	struct tf_vault *v;
	char path[4200];
	char mark[TF_ORIGIN_MAX + 40];
	atomic_bool quit; /* the thread must end */
	pthread_mutex_t mu;
	pthread_cond_t changed;
	/* All below: guarded by mu. */
	struct tf_search_db *copy; /* of a read-only vault */
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

/*
 * Index all entries, then judge workflows: all that are due if a search waits
 * for that, else some.  *rest becomes how long the thread must rest afterwards:
 * a workflow of very many attestations takes long to judge, and each entry in
 * it makes it due again.
 */
static enum tf_code
catch_up(struct tf_find *f, struct tf_search_db *s, uint64_t *rest,
    struct tf_error *err)
{
	uint64_t entries = 0, begun, took;
	bool more = true;
	enum tf_code rc = TF_OK;

	*rest = LOOK_NS;
	while (rc == TF_OK && more && !atomic_load(&f->quit))
		rc = tf_find_follow(f->v, s, &entries, &more, err);
	if (rc != TF_OK || more || !set_covered(f, &f->facts, entries))
		return rc;
	begun = tf_clock_boot_ns();
	do
		rc = tf_find_judge(f->v, s, &f->quit, &more, err);
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

static void *
run(void *arg)
{
	struct tf_find *f = arg;
	struct tf_search_db *s = NULL;
	struct tf_error err = { 0 };
	uint64_t rest = LOOK_NS;
	bool anew = false;
	enum tf_code rc;

	/* Mostly nobody waits for this work. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	do {
		if (begins_anew(f)) {
			tf_search_close(s);
			s = NULL;
			tf_search_remove(f->path);
		}
		rc = s != NULL ?
		    TF_OK :
		    tf_search_open(f->path, TF_SEARCH_WRITE, f->mark, &s, &err);
		if (rc == TF_OK)
			rc = catch_up(f, s, &rest, &err);
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
	tf_search_close(s);
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
	tf_search_close(f->copy);
	(void)pthread_cond_destroy(&f->changed);
	(void)pthread_mutex_destroy(&f->mu);
	v->find = NULL;
	free(f);
}

/* --- one search ---------------------------------------------------------------- */

struct search {
	struct tf_find *f;
	struct tf_search_db *s;
	const struct tf_find_query *q;
	struct tf_view *w;
	struct tf_search_paths *paths; /* or NULL */
	struct tf_buf *out;
};

/* The newest item at or below *at that all filters with an index have.
 * TF_NOTFOUND. */
static enum tf_code
next_item(struct search *x, uint64_t *at, struct tf_error *err)
{
	const struct tf_find_query *q = x->q;
	uint64_t item, before;
	enum tf_code rc = TF_OK;

	do {
		before = *at;
		for (size_t i = 0; rc == TF_OK && i < q->n_facts; i++) {
			rc = tf_search_fact(x->s, q->fact[i].kind,
			    q->fact[i].value, *at, &item, err);
			if (rc == TF_OK)
				*at = item;
		}
		if (rc == TF_OK && q->status != NULL &&
		    (rc = tf_search_word(x->s, q->status, *at, &item, err)) ==
			TF_OK)
			*at = item;
		if (rc == TF_OK && x->paths != NULL &&
		    (rc = tf_search_paths_next(x->paths, *at, &item, err)) ==
			TF_OK)
			*at = item;
	} while (rc == TF_OK && *at != before);
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
	uint64_t first, end;
	enum tf_code rc = tf_view_open(x->f->v, who, &x->w, err);

	if (rc == TF_OK)
		rc = tf_find_range(x->w, x->q, &first, &end, err);
	if (rc == TF_OK && first < end && x->q->n_parts > 0)
		rc = tf_search_paths_open(x->s, x->q->part, x->q->n_parts,
		    end - 1, &x->paths, err);
	if (rc == TF_OK && first < end)
		rc = search_range(x, first, end, err);
	tf_search_paths_close(x->paths);
	tf_view_close(x->w);
	x->paths = NULL;
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
	if (rc == TF_OK)
		rc = tf_search_open(f->path, TF_SEARCH_READ, f->mark, &x->s,
		    err);
	if (rc == TF_OK)
		rc = search(x, who, err);
	tf_search_close(x->s);
	x->s = NULL;
	return rc;
}

static enum tf_code
update_copy(struct tf_find *f, struct tf_error *err)
{
	uint64_t entries;
	bool more = true;
	enum tf_code rc = TF_OK;

	if (f->copy == NULL)
		rc = tf_search_open(f->path, TF_SEARCH_COPY, f->mark, &f->copy,
		    err);
	while (rc == TF_OK && more) {
		rc = tf_find_follow(f->v, f->copy, &entries, &more, err);
		if (rc == TF_OK && tf_vault_must_stop(f->v))
			rc = tf_fail(err, TF_INTERRUPTED, "given up");
	}
	more = true;
	while (rc == TF_OK && more) {
		rc = tf_find_judge(f->v, f->copy, &f->quit, &more, err);
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
	if (f->copy == NULL && access(f->path, F_OK) != 0)
		f->path[0] = '\0'; /* nothing to copy */
	rc = update_copy(f, err);
	if (is_damage(rc)) {
		tf_search_close(f->copy);
		f->copy = NULL;
		f->path[0] = '\0';
		rc = update_copy(f, err);
	}
	if (rc == TF_OK) {
		x->s = f->copy;
		rc = search(x, who, err);
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
	const size_t n = out->n;
	enum tf_code rc = tf_find_query_parse(text, &q, err);

	if (rc == TF_OK && v->find == NULL)
		rc = tf_fail(err, TF_UNSUPPORTED, "searches are not prepared");
	if (rc == TF_OK && v->read_only) {
		rc = search_copy(&x, who, err);
	} else if (rc == TF_OK) {
		rc = search_file(&x, who, err);
		if (is_damage(rc) ||
		    (rc != TF_OK && access(x.f->path, F_OK) != 0)) {
			begin_anew(x.f);
			out->n = n;
			rc = search_file(&x, who, err);
		}
	}
	if (rc == TF_OK && out->failed)
		rc = tf_nomem(err);
	tf_find_query_free(&q);
	return rc;
}
