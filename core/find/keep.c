/* The thread that keeps the index up to date, and the copy without it: see
 * keep.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/mutant.h"
#include "../find.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../store/store_files.h"
#include "follow.h"
#include "keep.h"

#define LOOK_NS TF_SECOND	 /* between two looks at the ledger */
#define WAIT_NS (TF_SECOND / 50) /* between two checks whether to stop */
#define RETRY_NS (5 * TF_SECOND) /* after an error */
#define RESTS 9			 /* times the time of judging */
#define NICE 10

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
	struct tf_find_words *x = calloc(1, sizeof(*x));
	size_t due;
	enum tf_code rc;

	if (x == NULL)
		return tf_nomem(err);
	pthread_mutex_lock(&f->index_mu);
	rc = tf_search_due(f->index, x->due, TF_FIND_JUDGED, &x->n, err);
	pthread_mutex_unlock(&f->index_mu);
	due = x->n;
	if (rc == TF_OK && due > 0)
		rc = tf_find_judge(f->v, x, &f->quit, err);
	*more = due == TF_FIND_JUDGED || x->n < due;
	if (rc == TF_OK && x->n > 0) {
		pthread_mutex_lock(&f->index_mu);
		rc = tf_find_put_words(f->index, x, err);
		pthread_mutex_unlock(&f->index_mu);
	}
	tf_find_words_free(x);
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

bool
tf_find_is_damage(enum tf_code rc)
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

void
tf_find_begin_anew(struct tf_find *f)
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
		tf_find_begin_anew(f);
	anew = begins_anew(f);
	pthread_mutex_lock(&f->index_mu);
	if (anew) {
		tf_search_close(f->index);
		f->index = NULL;
		tf_search_remove(f->path);
	}
	if (f->index == NULL) {
		atomic_fetch_add(&f->opened, 1);
		rc = tf_search_open(f->path, TF_SEARCH_WRITE, f->mark,
		    &f->index, err);
	}
	pthread_mutex_unlock(&f->index_mu);
	return rc;
}

/* After an error the connection may be of no use: SQLite opens a file for reading
 * only if it cannot be opened for writing.  Searches wait for another one. */
static void
close_index(struct tf_find *f)
{
	pthread_mutex_lock(&f->mu);
	f->facts = f->words = 0;
	pthread_mutex_lock(&f->index_mu);
	tf_search_close(f->index);
	f->index = NULL;
	pthread_mutex_unlock(&f->index_mu);
	pthread_mutex_unlock(&f->mu);
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
		if (rc != TF_OK) {
			rest = RETRY_NS;
			close_index(f);
		}
		/* A second time it may be the ledger that is damaged. */
		if (tf_find_is_damage(rc)) {
			tf_find_begin_anew(f);
			if (!anew)
				rest = 0;
		}
		set_failed(f, rest == 0 ? TF_OK : rc, &err);
		anew = tf_find_is_damage(rc) && rest == 0;
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

enum tf_code
tf_find_await(struct tf_find *f, uint64_t entries, bool words, unsigned *opened,
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
	*opened = atomic_load(&f->opened);
	pthread_mutex_unlock(&f->mu);
	return rc;
}

/* --- the copy of a read-only vault --------------------------------------------- */

/* Index all entries and judge all workflows. */
static enum tf_code
fill(struct tf_find *f, struct tf_error *err)
{
	uint64_t entries;
	bool more = true;
	enum tf_code rc = TF_OK;

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

static void
drop(struct tf_find *f)
{
	tf_search_close(f->index);
	f->index = NULL;
	f->still = false;
}

/* True: f->index is the file, and covers the ledger.  Another process may have
 * replaced the file since it was opened. */
static bool
use_still(struct tf_find *f)
{
	bool covers = false;

	if (!f->of_copy)
		return false;
	for (int i = 0; i < 2 && !covers; i++) {
		if (f->index == NULL &&
		    tf_search_open(f->path, TF_SEARCH_STILL, f->mark, &f->index,
			NULL) != TF_OK)
			return false;
		f->still = true;
		if (tf_find_covers(f->v, f->index, &covers, NULL) != TF_OK)
			covers = false;
		covers = covers || TF_IS_MUTANT(TF_BELIEVE_INDEX);
		if (!covers)
			drop(f);
	}
	return covers;
}

enum tf_code
tf_find_update_copy(struct tf_find *f, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if ((f->index == NULL || f->still) && use_still(f))
		return TF_OK;
	if (f->index == NULL)
		rc = tf_search_open(f->path, TF_SEARCH_COPY, f->mark, &f->index,
		    err);
	return rc == TF_OK ? fill(f, err) : rc;
}

enum tf_code
tf_find_keep(struct tf_vault *v, struct tf_error *err)
{
	struct tf_find *f = v->find;
	enum tf_code rc = TF_OK;

	if (f == NULL || !f->of_copy)
		return TF_OK;
	pthread_mutex_lock(&f->mu);
	drop(f);
	if (!use_still(f)) {
		rc = tf_search_open(f->path, TF_SEARCH_NEXT, f->mark, &f->index,
		    err);
		if (rc == TF_OK)
			rc = fill(f, err);
		if (tf_find_is_damage(rc)) {
			drop(f);
			(void)unlink(f->path);
			rc = tf_search_open(f->path, TF_SEARCH_NEXT, f->mark,
			    &f->index, err);
			if (rc == TF_OK)
				rc = fill(f, err);
		}
		if (rc == TF_OK) {
			rc = tf_search_replace(f->index, f->path, err);
			f->index = NULL;
		}
		drop(f);
	}
	pthread_mutex_unlock(&f->mu);
	return rc;
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
	f->of_copy = v->read_only &&
	    faccessat(v->dirfd, TF_MIRROR_MARK, F_OK, 0) == 0;
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
