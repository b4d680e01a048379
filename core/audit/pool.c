/*
 * Hashing threads: see pool.h.
 *
 * One thread reads the ledger and adds tasks; the others hash.  A full queue
 * makes the reader wait, so memory is bounded however large the store is.
 * Threads never call the caller's functions for findings: faults wait in a list
 * until the reading thread fetches them, so a report has one writer and needs
 * no lock.
 *
 * One mutex guards the queue, the list and the sums.  It is not held while a
 * thread hashes.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "pieces.h"
#include "pool.h"

#define QUEUE 256
#define PIECES_MAX ((size_t)32 << 20) /* bytes of memory in the queue */
#define THREADS_MAX 64

struct wrong {
	struct wrong *next;
	struct tf_task task;
	struct tf_content have;
	bool there, read; /* have is set; something was learned */
	char text[480];
};

struct tf_pool {
	struct tf_pool_work w;
	pthread_t thread[THREADS_MAX];
	unsigned n_threads;
	pthread_mutex_t mu;
	pthread_cond_t more, less;
	struct tf_task queue[QUEUE]; /* all below: guarded by mu */
	size_t head, n, busy, pieces;
	bool quit;
	struct wrong *wrong;
	uint64_t bytes;
	enum tf_code failed; /* first error of a thread */
	struct tf_error failure;
};

/* Add a copy of the fault to the list, with the path of its task; mu is held.
 * Without memory for it the audit has no verdict: a fault must not get lost. */
static void
tell(struct tf_pool *p, const struct wrong *fault)
{
	struct wrong *x = malloc(sizeof(*x));

	if (x == NULL) {
		if (p->failed == TF_OK)
			p->failed = tf_nomem(&p->failure);
		free(fault->task.path);
		return;
	}
	*x = *fault;
	x->next = p->wrong;
	p->wrong = x;
}

/* Say what differs; the text stays empty if nothing does.  TF_NOMEM: without
 * memory nobody is accused. */
static enum tf_code
compare(const struct tf_task *t, const struct tf_content *have,
    struct tf_differ *where, char *text, size_t n, struct tf_error *err)
{
	bool altered = have->size != t->want.size ||
	    memcmp(&have->sha256, &t->want.sha256, sizeof(have->sha256)) != 0;
	struct tf_buf b = { 0 };
	enum tf_code rc;

	if (t->pieces != NULL)
		tf_differ_text(where, have->size, &b);
	rc = tf_buf_end(&b, err);
	if (rc == TF_OK && altered && b.n == 0)
		(void)snprintf(text, n,
		    "altered: the stored bytes are not those of the entry");
	else if (rc == TF_OK && b.n > 0)
		(void)snprintf(text, n, "%s%s",
		    altered ? "altered: " :
			      "entered otherwise, while its digest is right: ",
		    b.p);
	tf_buf_free(&b);
	return rc;
}

/* TF_NOTFOUND and TF_TAMPER are answers about the evidence; all other errors
 * say only that nothing was read. */
static void
check(struct tf_pool *p, void *self, const struct tf_task *t)
{
	struct tf_error e = { .code = TF_OK };
	struct wrong x = { .task = *t };
	struct tf_content *have = &x.have;
	struct tf_differ where = { 0 };
	enum tf_code rc = TF_OK;

	if (t->pieces != NULL) {
		rc = tf_differ_begin(&where, t->pieces, &e);
		x.task.where = &where;
	}
	if (rc == TF_OK)
		rc = p->w.hash(p->w.arg, self, &x.task, &have->sha256,
		    &have->size, &e);
	if (rc == TF_OK)
		rc = compare(t, have, &where, x.text, sizeof(x.text), &e);
	tf_differ_free(&where);
	tf_pieces_free(t->pieces);
	x.task.where = NULL;
	x.task.pieces = NULL;

	x.there = rc == TF_OK;
	x.read = rc == TF_OK || rc == TF_NOTFOUND || rc == TF_TAMPER;
	if (rc == TF_NOTFOUND || rc == TF_TAMPER)
		(void)snprintf(x.text, sizeof(x.text), "missing: %s", e.text);
	else if (rc != TF_OK)
		(void)snprintf(x.text, sizeof(x.text), "unreadable: %s",
		    e.text);
	pthread_mutex_lock(&p->mu);
	p->bytes += have->size == t->want.size ? have->size : 0;
	if (x.text[0] != '\0')
		tell(p, &x);
	else
		free(t->path);
	pthread_mutex_unlock(&p->mu);
}

/* A thread that could not begin still empties the queue, because the reader
 * would otherwise wait for it for ever. */
static void *
work(void *arg)
{
	struct tf_pool *p = arg;
	struct tf_error e = { .code = TF_OK };
	struct tf_task t;
	void *self = NULL;
	enum tf_code rc = p->w.begin == NULL ? TF_OK :
					       p->w.begin(p->w.arg, &self, &e);

	pthread_mutex_lock(&p->mu);
	if (rc != TF_OK && p->failed == TF_OK) {
		p->failed = rc;
		p->failure = e;
	}
	for (;;) {
		while (p->n == 0 && !p->quit)
			pthread_cond_wait(&p->more, &p->mu);
		if (p->n == 0)
			break;
		t = p->queue[p->head];
		p->head = (p->head + 1) % QUEUE;
		p->n--;
		p->busy++;
		p->pieces -= tf_pieces_bytes(t.pieces);
		pthread_cond_broadcast(&p->less);
		pthread_mutex_unlock(&p->mu);
		if (rc == TF_OK) {
			check(p, self, &t);
		} else {
			free(t.path);
			tf_pieces_free(t.pieces);
		}
		pthread_mutex_lock(&p->mu);
		p->busy--;
		if (p->n == 0 && p->busy == 0)
			pthread_cond_broadcast(&p->less);
	}
	pthread_mutex_unlock(&p->mu);
	if (rc == TF_OK && p->w.end != NULL)
		p->w.end(self);
	return NULL;
}

enum tf_code
tf_pool_new(const struct tf_pool_work *w, unsigned threads,
    struct tf_pool **out, struct tf_error *err)
{
	struct tf_pool *p = calloc(1, sizeof(*p));
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (p == NULL)
		return tf_nomem(err);
	p->w = *w;
	(void)pthread_mutex_init(&p->mu, NULL);
	(void)pthread_cond_init(&p->more, NULL);
	(void)pthread_cond_init(&p->less, NULL);
	if (threads == 0)
		threads = cores < 1 ? 1 : (unsigned)cores;
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	while (p->n_threads < threads &&
	    pthread_create(&p->thread[p->n_threads], NULL, work, p) == 0)
		p->n_threads++;
	if (p->n_threads == 0) {
		tf_pool_free(p);
		return tf_fail(err, TF_NOMEM, "cannot start a thread");
	}
	*out = p;
	return TF_OK;
}

enum tf_code
tf_pool_add(struct tf_pool *p, const struct tf_task *t, struct tf_error *err)
{
	pthread_mutex_lock(&p->mu);
	while (p->n == QUEUE || (p->n > 0 && p->pieces > PIECES_MAX))
		pthread_cond_wait(&p->less, &p->mu);
	p->pieces += tf_pieces_bytes(t->pieces);
	p->queue[(p->head + p->n++) % QUEUE] = *t;
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->mu);
	(void)err;
	return TF_OK;
}

enum tf_code
tf_pool_results(struct tf_pool *p, bool finish, tf_pool_found found, void *arg,
    uint64_t *bytes, struct tf_error *err)
{
	struct wrong *x, *next;
	enum tf_code rc;

	pthread_mutex_lock(&p->mu);
	while (finish && (p->n > 0 || p->busy > 0))
		pthread_cond_wait(&p->less, &p->mu);
	x = p->wrong;
	p->wrong = NULL;
	*bytes = p->bytes;
	rc = p->failed;
	if (rc != TF_OK && err != NULL)
		*err = p->failure;
	pthread_mutex_unlock(&p->mu);
	for (; x != NULL; x = next) {
		next = x->next;
		found(arg, &x->task, x->there ? &x->have : NULL, x->read,
		    x->text);
		free(x->task.path);
		free(x);
	}
	return rc;
}

void
tf_pool_free(struct tf_pool *p)
{
	struct wrong *x;

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->mu);
	p->quit = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->mu);
	for (unsigned i = 0; i < p->n_threads; i++)
		(void)pthread_join(p->thread[i], NULL);
	while ((x = p->wrong) != NULL) {
		p->wrong = x->next;
		free(x->task.path);
		free(x);
	}
	(void)pthread_cond_destroy(&p->less);
	(void)pthread_cond_destroy(&p->more);
	(void)pthread_mutex_destroy(&p->mu);
	free(p);
}
