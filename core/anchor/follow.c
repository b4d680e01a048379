/*
 * Following an organisation: see follow.h.  This thread fetches, round after round,
 * and waits for more entries in between; those of follow_serve.c answer.
 */
#include "../follow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/array.h"
#include "../org/append.h"
#include "../org/uri.h"
#include "fetch_i.h"
#include "follow_i.h"

#define WAIT_MS 500	/* for more entries, between two looks for stop */
#define AGAIN_ROUNDS 60 /* of these, until all is looked at again */
#define PAUSE_MS 100	/* the same in a pause */

struct rounds {
	struct tf_follower *f;
	struct tf_ledger *ledger; /* to wait, or NULL */
	uint64_t size;		  /* of it, before the last round */
	unsigned pause_ms;
	bool failed; /* and it was said */
};

static bool
stopped(const struct tf_follower *f)
{
	return f->o->fetch.stop != NULL && f->o->fetch.stop(f->o->fetch.arg);
}

/* Keep how far a copy is, for those who watch.  Without memory they learn it
 * later. */
static void
note_copy(struct tf_follower *f, const struct tf_fetched *c)
{
	size_t i = 0;

	pthread_mutex_lock(&f->mu);
	while (i < f->n && strcmp(f->followed[i].origin, c->origin) != 0)
		i++;
	if (i == f->n &&
	    tf_array_room(&f->followed, f->n, &f->cap, sizeof(*f->followed)) &&
	    (f->followed[i].origin = strdup(c->origin)) != NULL)
		f->n++;
	if (i < f->n)
		f->followed[i].entries = c->entries;
	pthread_mutex_unlock(&f->mu);
}

static void
done(void *arg, const struct tf_fetched *c, const struct tf_error *why)
{
	struct tf_follower *f = arg;

	if (c->vkey != NULL)
		note_copy(f, c);
	f->o->fetch.done(f->o->fetch.arg, c, why);
}

static bool
stop(void *arg)
{
	return stopped(arg);
}

static const char *
vkey_of(void *arg, const char *origin)
{
	const struct tf_fetch *o = &((struct tf_follower *)arg)->o->fetch;

	return o->vkey_of == NULL ? NULL : o->vkey_of(o->arg, origin);
}

static void
order(void *arg, const struct tf_fetch_order *of, const struct tf_error *why)
{
	const struct tf_fetch *o = &((struct tf_follower *)arg)->o->fetch;

	if (o->order != NULL)
		o->order(o->arg, of, why);
}

static bool
may_pass(enum tf_code rc)
{
	return rc == TF_IO || rc == TF_BUSY || rc == TF_INDOUBT ||
	    rc == TF_NOSPACE || rc == TF_TOOMANY || rc == TF_LOCKED ||
	    rc == TF_ACCESS;
}

static void
say(struct rounds *r, const struct tf_error *why)
{
	const struct tf_follow *o = r->f->o;

	if (r->failed != (why != NULL) && o->report != NULL)
		o->report(o->fetch.arg, why);
	r->failed = why != NULL;
}

static void
pause_after(struct rounds *r)
{
	r->pause_ms = tf_pause_after(r->pause_ms);
	for (unsigned ms = 0; ms < r->pause_ms && !stopped(r->f);
	     ms += PAUSE_MS)
		(void)poll(NULL, 0, PAUSE_MS);
}

/* The size comes first: what is appended meanwhile begins another round. */
static enum tf_code
round_of(struct rounds *r, struct tf_error *err)
{
	struct tf_fetch fetch = r->f->o->fetch;
	enum tf_code rc = TF_OK;

	fetch.done = done;
	fetch.stop = stop;
	fetch.vkey_of = vkey_of;
	fetch.order = order;
	fetch.signed_of = NULL;
	fetch.progress = NULL;
	fetch.arg = r->f;
	if (r->ledger == NULL)
		rc = tf_ledger_open(r->f->ledger, TF_ORG_READER, &r->ledger,
		    err);
	if (rc == TF_OK)
		rc = r->ledger->ops->size(r->ledger, &r->size, err);
	return rc == TF_OK ? tf_fetch(&fetch, err) : rc;
}

static enum tf_code
wait_for_more(struct rounds *r, struct tf_error *err)
{
	uint64_t size = r->size;
	enum tf_code rc = TF_OK;

	for (int i = 0; rc == TF_OK && i < AGAIN_ROUNDS && size <= r->size &&
	     !stopped(r->f);
	     i++)
		rc = r->ledger->ops->wait(r->ledger, r->size, WAIT_MS, &size,
		    err);
	return rc;
}

static enum tf_code
follow(struct rounds *r, struct tf_error *err)
{
	struct tf_error why = { 0 };
	bool first = true;
	enum tf_code rc;

	while (!stopped(r->f)) {
		rc = round_of(r, &why);
		if (rc == TF_OK) {
			say(r, NULL);
			r->pause_ms = 0;
			first = false;
			rc = wait_for_more(r, &why);
		}
		if (rc == TF_OK || stopped(r->f))
			continue;
		if (!may_pass(rc) || (first && rc == TF_ACCESS))
			return tf_fail_as(err, &why);
		say(r, &why);
		pause_after(r);
	}
	return tf_fail(err, TF_INTERRUPTED, "interrupted");
}

/* A request that goes on uses all of it. */
static void
end(struct tf_follower *f)
{
	if (!tf_follow_serve_end(f))
		return;
	for (size_t i = 0; i < f->n; i++)
		free(f->followed[i].origin);
	free(f->followed);
	free(f->ledger);
	free(f->blobs);
	tf_object_cache_close(&f->cache);
	if (f->dirfd >= 0)
		(void)close(f->dirfd);
	(void)pthread_cond_destroy(&f->changed);
	(void)pthread_mutex_destroy(&f->mu);
	free(f);
}

enum tf_code
tf_follow(const struct tf_follow *o, struct tf_error *err)
{
	struct tf_follower *f = calloc(1, sizeof(*f));
	struct rounds r = { .f = f };
	pthread_condattr_t attr;
	enum tf_code rc;

	if (f == NULL)
		return tf_nomem(err);
	f->o = o;
	f->dirfd = f->listenfd = f->cache.dirfd = -1;
	(void)pthread_mutex_init(&f->mu, NULL);
	(void)pthread_mutex_init(&f->cache.mu, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&f->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	f->ledger = strdup(o->fetch.ledger);
	f->blobs = strdup(o->fetch.blobs);
	rc = f->ledger == NULL || f->blobs == NULL ?
	    tf_nomem(err) :
	    tf_fetch_open_dir(o->fetch.dir, &f->dirfd, err);
	if (rc == TF_OK)
		rc = tf_object_cache_open(&f->cache, f->dirfd, o->size, err);
	if (rc == TF_OK && o->counts != NULL)
		atomic_store(&o->counts->cached,
		    tf_object_cache_used(&f->cache));
	if (rc == TF_OK)
		rc = tf_follow_serve(f, err);
	if (rc == TF_OK)
		rc = follow(&r, err);
	tf_ledger_close(r.ledger);
	end(f);
	return rc;
}
