/* The hasher's threads: see hasher.h.  Their lock is taken after io, and never
 * together with vault.mu. */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../ledger/chunks.h"
#include "../node/base.h"
#include "../node/hash_task.h"
#include "../node/pending.h"
#include "../node/secret.h"
#include "../node/vault_i.h"
#include "hasher.h"

#define CHUNK ((size_t)1 << 18)
#define SLICE 16 /* chunks that are hashed before the next user's turn */
#define THREADS_MAX 4
#define NICENESS 10
#define ASK_NS 50000000u /* between two checks of a caller's patience */

struct tf_hasher {
	pthread_t thread[THREADS_MAX];
	unsigned n_threads;
	/* Hashes what is awaited, with the priority of the daemon.  The others do
	 * that, too, while it has another task, or if it could not be started. */
	pthread_t prompt;
	bool has_prompt;
	pthread_mutex_t mu;
	pthread_cond_t more, awaited, idle;
	struct tf_hash_task *first; /* one per user; guarded by mu: */
	bool busy; /* prompt has a task, or there is no prompt */
	bool quit;
};

/* --- whose turn it is ------------------------------------------------------- */

/* Wake who can take t; mu is held. */
static void
call(struct tf_hasher *h, const struct tf_hash_task *t)
{
	if (t->awaited > 0 && h->has_prompt)
		pthread_cond_signal(&h->awaited);
	pthread_cond_signal(&h->more);
}

/* Queue a task as the last one of its user, and a new user as the last user; mu
 * is held. */
static void
push(struct tf_hasher *h, struct tf_hash_task *t)
{
	struct tf_hash_task **at = &h->first;

	t->next = t->below = NULL;
	while (*at != NULL && (*at)->uid != t->uid)
		at = &(*at)->next;
	while (*at != NULL)
		at = &(*at)->below;
	*at = t;
	call(h, t);
}

/* Queue a task as the first of its user; mu is held. */
static void
push_back(struct tf_hasher *h, struct tf_hash_task *t)
{
	struct tf_hash_task **at = &h->first, *others;

	while (*at != NULL && (*at)->uid != t->uid)
		at = &(*at)->next;
	others = *at;
	t->next = others == NULL ? NULL : others->next;
	t->below = others;
	if (others != NULL)
		others->next = NULL;
	*at = t;
	call(h, t);
}

/* The first task of the user whose first one is t that such a thread takes; or
 * NULL.  At the end each thread takes all: none is left behind.  mu is held. */
static struct tf_hash_task *
fitting(const struct tf_hasher *h, struct tf_hash_task *t, bool prompt)
{
	while (t != NULL && !h->quit &&
	    (prompt ? t->awaited == 0 : t->awaited > 0 && !h->busy))
		t = t->below;
	return t;
}

/* Take the first task that fits; its user becomes the last.  mu is held. */
static struct tf_hash_task *
pop(struct tf_hasher *h, bool prompt)
{
	struct tf_hash_task *t = NULL, **at = &h->first, **in, *rest;

	while (*at != NULL && (t = fitting(h, *at, prompt)) == NULL)
		at = &(*at)->next;
	if (t == NULL)
		return NULL;
	rest = *at;
	/* The loop below may make rest NULL, through in. */
	/* cppcheck-suppress nullPointerRedundantCheck */
	*at = rest->next;
	/* cppcheck-suppress nullPointerRedundantCheck */
	rest->next = NULL;
	for (in = &rest; *in != t; in = &(*in)->below)
		;
	*in = t->below;
	if (rest != NULL) {
		for (at = &h->first; *at != NULL; at = &(*at)->next)
			;
		*at = rest;
	}
	t->next = t->below = NULL;
	return t;
}

static void
serve(struct tf_hasher *h, bool prompt)
{
	char *buf = malloc(CHUNK);
	struct tf_hash_task *t;
	bool more;

	pthread_mutex_lock(&h->mu);
	for (;;) {
		while ((t = pop(h, prompt)) == NULL && !h->quit) {
			if (prompt)
				h->busy = false;
			pthread_cond_wait(prompt ? &h->awaited : &h->more,
			    &h->mu);
		}
		if (t == NULL)
			break;
		/* What else is awaited, the others do. */
		if (prompt && !h->busy) {
			h->busy = true;
			pthread_cond_broadcast(&h->more);
		}
		pthread_mutex_unlock(&h->mu);
		more = t->step(h, t, buf);
		pthread_mutex_lock(&h->mu);
		if (more)
			push_back(h, t);
	}
	pthread_mutex_unlock(&h->mu);
	free(buf);
}

static void *
work(void *arg)
{
	/* Threads that serve requests take precedence; failure is harmless. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
	serve(arg, false);
	return NULL;
}

static void *
work_promptly(void *arg)
{
	serve(arg, true);
	return NULL;
}

/* --- a file just behind its writer -------------------------------------------- */

/* Set the end of the next chunk.  False: all bytes are hashed, and s belongs to
 * its writer again. */
static bool
goal(struct tf_hasher *h, struct tf_staged_hash *s, uint64_t *upto)
{
	bool more;

	pthread_mutex_lock(&h->mu);
	s->seen = s->hashed;
	*upto = s->upto;
	more = s->hashing = *upto > s->hashed && !s->failed;
	if (!more)
		pthread_cond_broadcast(&h->idle);
	pthread_mutex_unlock(&h->mu);
	return more;
}

static void
let_go(struct tf_pending *l)
{
	struct tf_vault *v = l->v;

	pthread_mutex_lock(&v->mu);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
}

static bool
follow(struct tf_hasher *h, struct tf_hash_task *t, char *buf)
{
	struct tf_staged_hash *s = (struct tf_staged_hash *)t;
	uint64_t upto;
	size_t n, got;

	for (int i = 0; i < SLICE; i++) {
		if (!goal(h, s, &upto)) {
			let_go(s->of);
			return false;
		}
		n = upto - s->hashed < CHUNK ? (size_t)(upto - s->hashed) :
					       CHUNK;
		s->failed = buf == NULL ||
		    tf_file_pread(s->of->fd, buf, n, s->hashed, &got, NULL) !=
			TF_OK ||
		    got == 0;
		if (!s->failed) {
			tf_sha256_add(s->sha, buf, got);
			s->hashed += got;
		}
	}
	return true;
}

enum tf_code
tf_hash_need(struct tf_pending *l, struct tf_error *err)
{
	struct tf_staged_hash *s;

	if (l->hash != NULL)
		return TF_OK;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return tf_nomem(err);
	if ((s->sha = tf_sha256_new()) == NULL) {
		free(s);
		return tf_nomem(err);
	}
	s->of = l;
	s->task.step = follow;
	l->hash = s;
	return TF_OK;
}

void
tf_hash_ahead(struct tf_hasher *h, struct tf_pending *l, uint64_t size)
{
	struct tf_staged_hash *s = l->hash;
	uint32_t uid;
	bool begins;

	pthread_mutex_lock(&l->v->mu);
	tf_pending_ref(l);
	uid = l->attr.uid;
	pthread_mutex_unlock(&l->v->mu);
	pthread_mutex_lock(&h->mu);
	s->upto = size;
	if ((begins = !s->hashing)) {
		s->hashing = true;
		s->failed = false;
		s->seen = s->hashed;
		s->task.uid = uid;
		push(h, &s->task);
	}
	pthread_mutex_unlock(&h->mu);
	if (!begins)
		let_go(l);
}

/* One more program waits for s, or one less; mu is held. */
static void
add_waiting(struct tf_hasher *h, struct tf_staged_hash *s, int n)
{
	s->task.awaited += (unsigned)n;
	if (s->hashing) /* it may be queued, and fit another thread now */
		call(h, &s->task);
}

void
tf_hash_wait(struct tf_hasher *h, struct tf_pending *l)
{
	if (l->hash == NULL)
		return;
	pthread_mutex_lock(&h->mu);
	add_waiting(h, l->hash, 1);
	while (l->hash->hashing)
		pthread_cond_wait(&h->idle, &h->mu);
	add_waiting(h, l->hash, -1);
	pthread_mutex_unlock(&h->mu);
}

void
tf_hash_restart(struct tf_pending *l, const void *p, size_t n)
{
	struct tf_staged_hash *s = l->hash;

	tf_hash_wait(l->v->hasher, l);
	tf_sha256_reset(s->sha);
	tf_sha256_add(s->sha, p, n);
	s->hashed = s->upto = n;
	s->in_order = true;
	s->end = n;
	s->n_ahead = 0;
}

uint64_t
tf_hash_left(struct tf_hasher *h, struct tf_pending *l, uint64_t size)
{
	const struct tf_staged_hash *s = l->hash;
	uint64_t at;

	if (s == NULL)
		return size;
	pthread_mutex_lock(&h->mu);
	at = s->hashing ? s->seen : s->hashed;
	pthread_mutex_unlock(&h->mu);
	return at < size ? size - at : 0;
}

/* Ask p, then wait a moment for h->idle.  False: p has ended the wait.  mu is
 * held, but released during both. */
static bool
wait_a_moment(struct tf_hasher *h, const struct tf_patience *p)
{
	struct timespec until;
	bool over;

	pthread_mutex_unlock(&h->mu);
	over = p->is_over(p->arg);
	pthread_mutex_lock(&h->mu);
	if (over)
		return false;
	tf_clock_after(ASK_NS, &until);
	(void)pthread_cond_timedwait(&h->idle, &h->mu, &until);
	return true;
}

bool
tf_hash_await(struct tf_hasher *h, struct tf_pending *l,
    const struct tf_patience *p)
{
	bool done;

	pthread_mutex_lock(&h->mu);
	if (p->waits)
		add_waiting(h, l->hash, 1);
	while (l->hash->hashing && wait_a_moment(h, p))
		;
	if (p->waits)
		add_waiting(h, l->hash, -1);
	done = !l->hash->hashing;
	pthread_mutex_unlock(&h->mu);
	return done;
}

/* --- a whole file ------------------------------------------------------------- */

struct whole {
	struct tf_hash_task task;
	int fd;
	struct tf_sha256 *sha;	   /* of all bytes; or NULL, */
	struct tf_chunker *chunks; /* of each chunk */
	uint64_t at, to;
	uint64_t end;	  /* size of the file at its open */
	uint64_t zero_to; /* a hole reaches from `at` to here */
	uint64_t data_to; /* data reach from `at` to here */
	bool given_up;	  /* guarded by the hasher's mu, as done */
	bool done;
	enum tf_code rc;
	struct tf_error err;
};

/* True if the work is over: its caller continues, and w is invalid then. */
static bool
is_over(struct tf_hasher *h, struct whole *w, bool done)
{
	pthread_mutex_lock(&h->mu);
	done = done || w->given_up;
	if (done) {
		w->done = true;
		pthread_cond_broadcast(&h->idle);
	}
	pthread_mutex_unlock(&h->mu);
	return done;
}

/*
 * Find out whether a hole or data follow at `at`.  A hole is not read, because
 * that would fill the page cache with zeros.  If the file system does not
 * report holes, everything counts as data.
 */
static void
look_ahead(struct whole *w)
{
	off_t at = (off_t)w->at, next = lseek(w->fd, at, SEEK_DATA);

	if (next < 0 && errno == ENXIO)
		w->zero_to = w->end;
	else if (next > at)
		w->zero_to = (uint64_t)next < w->end ? (uint64_t)next : w->end;
	else if (next == at && (next = lseek(w->fd, at, SEEK_HOLE)) > at)
		w->data_to = (uint64_t)next;
	if (w->zero_to <= w->at && w->data_to <= w->at)
		w->data_to = UINT64_MAX;
}

/* Hash one chunk of the file; nothing at its end. */
static enum tf_code
next_chunk(struct whole *w, char *buf, size_t *got, struct tf_error *err)
{
	size_t n = w->to - w->at < CHUNK ? (size_t)(w->to - w->at) : CHUNK;

	if (w->at >= w->zero_to && w->at >= w->data_to && w->at < w->end)
		look_ahead(w);
	if (w->at < w->zero_to) {
		*got = w->zero_to - w->at < n ? (size_t)(w->zero_to - w->at) :
						n;
		memset(buf, 0, *got);
		return TF_OK;
	}
	if (w->at < w->data_to && w->data_to - w->at < n)
		n = (size_t)(w->data_to - w->at);
	return tf_file_pread(w->fd, buf, n, w->at, got, err);
}

static bool
hash_slice(struct tf_hasher *h, struct tf_hash_task *t, char *buf)
{
	struct whole *w = (struct whole *)t;
	size_t got = 1;

	if (is_over(h, w, false))
		return false;
	if (buf == NULL)
		w->rc = tf_nomem(&w->err);
	for (int i = 0; w->rc == TF_OK && got > 0 && i < SLICE; i++) {
		w->rc = next_chunk(w, buf, &got, &w->err);
		if (w->rc != TF_OK)
			break;
		w->at += got;
		if (w->chunks == NULL)
			tf_sha256_add(w->sha, buf, got);
		else
			w->rc = tf_chunker_add(w->chunks, buf, got, &w->err);
	}
	return !is_over(h, w, w->rc != TF_OK || got == 0);
}

/* Wait until w is hashed. */
static enum tf_code
run_whole(struct tf_hasher *h, struct whole *w, const struct tf_patience *p,
    struct tf_error *err)
{
	struct stat st;

	if (fstat(w->fd, &st) < 0)
		return tf_fail(err, TF_IO, "stat a file");
	w->end = (uint64_t)st.st_size;
	w->task.awaited = p->waits;
	pthread_mutex_lock(&h->mu);
	push(h, &w->task);
	while (!w->done && wait_a_moment(h, p))
		;
	w->given_up = !w->done;
	while (!w->done) /* a thread may be in its last slice */
		pthread_cond_wait(&h->idle, &h->mu);
	pthread_mutex_unlock(&h->mu);
	if (w->given_up)
		return tf_fail(err, TF_INTERRUPTED, "interrupted");
	return w->rc == TF_OK ? TF_OK : tf_fail_as(err, &w->err);
}

enum tf_code
tf_hash_whole(struct tf_hasher *h, uint32_t uid, int fd,
    const struct tf_patience *p, struct tf_hash *out, uint64_t *size,
    struct tf_error *err)
{
	struct whole w = { .task = { .uid = uid, .step = hash_slice },
		.fd = fd,
		.to = UINT64_MAX,
		.sha = tf_sha256_new() };
	enum tf_code rc = w.sha == NULL ? tf_nomem(err) :
					  run_whole(h, &w, p, err);

	if (rc == TF_OK) {
		tf_sha256_peek(w.sha, out);
		*size = w.at;
	}
	tf_sha256_free(w.sha);
	return rc;
}

enum tf_code
tf_hash_chunks(struct tf_hasher *h, uint32_t uid, int fd, uint64_t from,
    uint64_t to, const struct tf_patience *p, struct tf_chunk_list *out,
    struct tf_error *err)
{
	struct tf_chunker c;
	struct whole w = { .task = { .uid = uid, .step = hash_slice },
		.fd = fd,
		.at = from,
		.to = to,
		.chunks = &c };
	enum tf_code rc = tf_chunker_begin(&c, out, from, err);

	if (rc == TF_OK)
		rc = run_whole(h, &w, p, err);
	if (rc == TF_OK && w.at < to)
		rc = tf_fail(err, TF_IO, "the file is shorter than it was");
	if (rc == TF_OK)
		rc = tf_chunker_end(&c, err);
	tf_chunker_free(&c);
	return rc;
}

/* --- start and stop ------------------------------------------------------------- */

static void
discard(struct tf_hasher *h)
{
	(void)pthread_cond_destroy(&h->more);
	(void)pthread_cond_destroy(&h->awaited);
	(void)pthread_cond_destroy(&h->idle);
	(void)pthread_mutex_destroy(&h->mu);
	free(h);
}

void
tf_hasher_stop(struct tf_hasher *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->mu);
	h->quit = true;
	pthread_cond_broadcast(&h->more);
	pthread_cond_broadcast(&h->awaited);
	pthread_mutex_unlock(&h->mu);
	if (h->has_prompt)
		(void)pthread_join(h->prompt, NULL);
	for (unsigned i = 0; i < h->n_threads; i++)
		(void)pthread_join(h->thread[i], NULL);
	discard(h);
}

enum tf_code
tf_hasher_start(struct tf_hasher **out, struct tf_error *err)
{
	struct tf_hasher *h = calloc(1, sizeof(*h));
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_condattr_t attr;

	if (h == NULL)
		return tf_nomem(err);
	(void)pthread_mutex_init(&h->mu, NULL);
	(void)pthread_cond_init(&h->more, NULL);
	(void)pthread_cond_init(&h->awaited, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&h->idle, &attr);
	(void)pthread_condattr_destroy(&attr);
	h->busy = true; /* until it waits for a task */
	h->has_prompt = pthread_create(&h->prompt, NULL, work_promptly, h) == 0;
	/* Leave one core to the threads that serve requests. */
	cores = cores > 2 ? cores - 1 : 1;
	while (h->n_threads < THREADS_MAX && h->n_threads < (unsigned)cores &&
	    pthread_create(&h->thread[h->n_threads], NULL, work, h) == 0)
		h->n_threads++;
	if (h->n_threads == 0) {
		tf_hasher_stop(h);
		return tf_fail(err, TF_NOMEM, "cannot start a thread");
	}
	*out = h;
	return TF_OK;
}

void
tf_content_hash(struct tf_pending *l)
{
	uint64_t n = tf_pending_ordered(l);

	if (l->fd < 0 || !tf_pending_in_order(l) || l->hash->upto == n)
		return;
	tf_hash_ahead(l->v->hasher, l, n);
}
