/* The release barrier: see barrier.h. */
#include "barrier.h"

void
fs_barrier_init(struct fs_barrier *b)
{
	pthread_mutex_init(&b->mu, NULL);
	pthread_cond_init(&b->done, NULL);
}

void
fs_barrier_destroy(struct fs_barrier *b)
{
	pthread_cond_destroy(&b->done);
	pthread_mutex_destroy(&b->mu);
}

void
fs_barrier_note(struct fs_barrier *b, struct fs_release *r, uint64_t ino)
{
	pthread_mutex_lock(&b->mu);
	r->ino = ino;
	r->turn = ++b->turns;
	r->next = b->first;
	b->first = r;
	atomic_fetch_add(&b->releasing, 1);
	pthread_mutex_unlock(&b->mu);
}

void
fs_barrier_end(struct fs_barrier *b, struct fs_release *r)
{
	struct fs_release **at = &b->first;

	if (r->turn == 0) /* only this thread sets it */
		return;
	pthread_mutex_lock(&b->mu);
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	r->turn = 0;
	atomic_fetch_sub(&b->releasing, 1);
	pthread_cond_broadcast(&b->done);
	pthread_mutex_unlock(&b->mu);
}

bool
fs_barrier_any(struct fs_barrier *b)
{
	/* A release that was read before the caller's request was counted
	 * before the next request could be read, so it is seen here. */
	return atomic_load(&b->releasing) != 0;
}

/* Is a release of ino, one of the first upto, not done?  mu is held. */
static bool
is_pending(const struct fs_barrier *b, uint64_t ino, uint64_t upto)
{
	for (const struct fs_release *r = b->first; r != NULL; r = r->next)
		if (r->turn <= upto && (ino == 0 || r->ino == ino))
			return true;
	return false;
}

bool
fs_barrier_pending(struct fs_barrier *b, uint64_t ino, uint64_t *upto)
{
	bool pending;

	if (!fs_barrier_any(b))
		return false;
	pthread_mutex_lock(&b->mu);
	*upto = b->turns;
	pending = is_pending(b, ino, *upto);
	pthread_mutex_unlock(&b->mu);
	return pending;
}

void
fs_barrier_wait(struct fs_barrier *b, uint64_t ino, uint64_t upto)
{
	pthread_mutex_lock(&b->mu);
	while (is_pending(b, ino, upto))
		pthread_cond_wait(&b->done, &b->mu);
	pthread_mutex_unlock(&b->mu);
}
