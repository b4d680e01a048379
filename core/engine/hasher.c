/* The thread that hashes what others write.  Its lock is taken after io, and
 * never together with vault.mu. */
#include <stdlib.h>

#include "../base/file.h"
#include "hasher.h"
#include "impl.h"

#define CHUNK ((size_t)1 << 18)

struct tf_hasher {
	pthread_t thread;
	pthread_mutex_t mu;
	pthread_cond_t more, idle;
	struct tf_live *first, **last; /* guarded by mu */
	bool quit;		       /* guarded by mu */
	char *buf;
};

/* How far to go; false: all is done, and l is its writer's again. */
static bool
goal(struct tf_hasher *h, struct tf_live *l, uint64_t *upto)
{
	bool more;

	pthread_mutex_lock(&h->mu);
	*upto = l->hash_upto;
	more = l->hashing = *upto > l->hashed && !l->hash_failed;
	if (!more)
		pthread_cond_broadcast(&h->idle);
	pthread_mutex_unlock(&h->mu);
	return more;
}

static void
follow(struct tf_hasher *h, struct tf_live *l)
{
	uint64_t upto;
	size_t n, got;

	while (goal(h, l, &upto)) {
		n = upto - l->hashed < CHUNK ? (size_t)(upto - l->hashed) :
					       CHUNK;
		l->hash_failed = tf_file_pread(l->fd, h->buf, n, l->hashed,
				     &got, NULL) != TF_OK ||
		    got == 0;
		if (!l->hash_failed) {
			tf_sha256_add(l->sha, h->buf, got);
			l->hashed += got;
		}
	}
}

static void
let_go(struct tf_live *l)
{
	struct tf_vault *v = l->v;

	pthread_mutex_lock(&v->mu);
	tf_live_unref(l);
	pthread_mutex_unlock(&v->mu);
}

static void *
work(void *arg)
{
	struct tf_hasher *h = arg;
	struct tf_live *l;

	pthread_mutex_lock(&h->mu);
	for (;;) {
		while (h->first == NULL && !h->quit)
			pthread_cond_wait(&h->more, &h->mu);
		if ((l = h->first) == NULL)
			break;
		if ((h->first = l->hash_next) == NULL)
			h->last = &h->first;
		pthread_mutex_unlock(&h->mu);
		follow(h, l);
		let_go(l);
		pthread_mutex_lock(&h->mu);
	}
	pthread_mutex_unlock(&h->mu);
	return NULL;
}

enum tf_code
tf_hasher_start(struct tf_hasher **out, struct tf_error *err)
{
	struct tf_hasher *h = calloc(1, sizeof(*h));

	if (h == NULL || (h->buf = malloc(CHUNK)) == NULL) {
		free(h);
		return tf_fail(err, TF_NOMEM, "no memory");
	}
	h->last = &h->first;
	(void)pthread_mutex_init(&h->mu, NULL);
	(void)pthread_cond_init(&h->more, NULL);
	(void)pthread_cond_init(&h->idle, NULL);
	if (pthread_create(&h->thread, NULL, work, h) != 0) {
		free(h->buf);
		free(h);
		return tf_fail(err, TF_NOMEM, "cannot start a thread");
	}
	*out = h;
	return TF_OK;
}

void
tf_hasher_stop(struct tf_hasher *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->mu);
	h->quit = true;
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->mu);
	(void)pthread_join(h->thread, NULL);
	(void)pthread_cond_destroy(&h->more);
	(void)pthread_cond_destroy(&h->idle);
	(void)pthread_mutex_destroy(&h->mu);
	free(h->buf);
	free(h);
}

void
tf_hash_ahead(struct tf_hasher *h, struct tf_live *l, uint64_t size)
{
	bool begins;

	pthread_mutex_lock(&l->v->mu);
	tf_live_ref(l);
	pthread_mutex_unlock(&l->v->mu);
	pthread_mutex_lock(&h->mu);
	l->hash_upto = size;
	if ((begins = !l->hashing)) {
		l->hashing = true;
		l->hash_failed = false;
		l->hash_next = NULL;
		*h->last = l;
		h->last = &l->hash_next;
		pthread_cond_signal(&h->more);
	}
	pthread_mutex_unlock(&h->mu);
	if (!begins)
		let_go(l);
}

void
tf_hash_wait(struct tf_hasher *h, struct tf_live *l)
{
	pthread_mutex_lock(&h->mu);
	while (l->hashing)
		pthread_cond_wait(&h->idle, &h->mu);
	pthread_mutex_unlock(&h->mu);
}
