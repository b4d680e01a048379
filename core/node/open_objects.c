/* The cache of open object files: see open_objects.h. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "../vault.h"
#include "absent.h"
#include "open_objects.h"

void
tf_open_objects_start(struct tf_open_objects *o, struct tf_vault *v,
    unsigned max)
{
	(void)pthread_mutex_init(&o->mu, NULL);
	o->v = v;
	o->max = max < 1 ? 1 : max > TF_OPEN_OBJECTS ? TF_OPEN_OBJECTS : max;
	for (unsigned i = 0; i < TF_OPEN_OBJECTS; i++)
		o->object[i].fd = -1;
}

void
tf_open_objects_end(struct tf_open_objects *o)
{
	if (o->max == 0)
		return; /* tf_open_objects_start was not called */
	for (unsigned i = 0; i < o->max; i++)
		if (o->object[i].fd >= 0)
			(void)close(o->object[i].fd);
	(void)pthread_mutex_destroy(&o->mu);
}

/* The place of the open object h, or -1; mu held. */
static int
find(const struct tf_open_objects *o, const struct tf_hash *h)
{
	for (unsigned i = 0; i < o->max; i++)
		if (o->object[i].fd >= 0 && !o->object[i].aside &&
		    memcmp(&o->object[i].sha256, h, sizeof(*h)) == 0)
			return (int)i;
	return -1;
}

/* The least recently used place that no reader holds, or -1; mu held. */
static int
oldest(const struct tf_open_objects *o)
{
	int at = -1;

	for (unsigned i = 0; i < o->max; i++)
		if (o->object[i].held == 0 &&
		    (at < 0 || o->object[i].used < o->object[at].used))
			at = (int)i;
	return at;
}

static int
hold(struct tf_open_objects *o, int at)
{
	o->object[at].held++;
	o->object[at].used = ++o->now;
	return o->object[at].fd;
}

/* Store fd, an open descriptor of h, in a free place if there is one.  Returns
 * the descriptor that the caller must close, or -1; mu held. */
static int
take_place(struct tf_open_objects *o, const struct tf_hash *h, int fd,
    struct tf_open_object *out)
{
	int old = -1;

	/* Another thread may have opened h meanwhile: use its descriptor. */
	if ((out->place = find(o, h)) >= 0) {
		old = fd;
	} else if ((out->place = oldest(o)) >= 0) {
		old = o->object[out->place].fd;
		o->object[out->place].fd = fd;
		o->object[out->place].aside = false;
		o->object[out->place].sha256 = *h;
	}
	out->fd = out->place >= 0 ? hold(o, out->place) : fd;
	return old;
}

enum tf_code
tf_object_hold(struct tf_open_objects *o, const struct tf_hash *h,
    struct tf_open_object *out, struct tf_error *err)
{
	unsigned asides;
	bool held;
	int fd, old;
	enum tf_code rc;

	do {
		pthread_mutex_lock(&o->mu);
		asides = o->asides;
		if ((out->place = find(o, h)) >= 0)
			out->fd = hold(o, out->place);
		pthread_mutex_unlock(&o->mu);
		if (out->place >= 0)
			return TF_OK;
		if ((rc = tf_vault_object_open(o->v, h, &fd, err)) != TF_OK)
			return rc;
		pthread_mutex_lock(&o->mu);
		/* If the counts differ, fd may be the damaged file. */
		held = asides == o->asides;
		old = held ? take_place(o, h, fd, out) : fd;
		pthread_mutex_unlock(&o->mu);
		if (old >= 0)
			(void)close(old);
	} while (!held);
	return TF_OK;
}

void
tf_object_is_aside(struct tf_open_objects *o, const struct tf_hash *h)
{
	int at;

	pthread_mutex_lock(&o->mu);
	o->asides++;
	if ((at = find(o, h)) >= 0)
		o->object[at].aside = true;
	pthread_mutex_unlock(&o->mu);
}

void
tf_object_let_go(struct tf_open_objects *o, const struct tf_open_object *held)
{
	if (held->place < 0) {
		(void)close(held->fd);
		return;
	}
	pthread_mutex_lock(&o->mu);
	o->object[held->place].held--;
	pthread_mutex_unlock(&o->mu);
}
