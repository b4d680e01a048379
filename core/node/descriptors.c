/* The budget of descriptors: see descriptors.h. */
#include <pthread.h>

#include "../environment.h"
#include "descriptors.h"
#include "pending.h"
#include "user.h"
#include "vault_i.h"

#define KEPT 384 /* reserved, but at most half of RLIMIT_NOFILE */

void
tf_descriptors_start(struct tf_descriptors *d)
{
	unsigned n = tf_environment_descriptors();

	d->max = n > 2 * KEPT ? n - KEPT : n / 2;
	d->share = d->max / 2;
}

void
tf_descriptor_give_locked(struct tf_pending *l)
{
	struct tf_user *u;

	if (!l->holds)
		return;
	u = tf_user_of(l->v, l->holds_uid); /* exists: it holds a descriptor */
	if (l->holds_prev != NULL)
		l->holds_prev->holds_next = l->holds_next;
	else
		u->oldest = l->holds_next;
	if (l->holds_next != NULL)
		l->holds_next->holds_prev = l->holds_prev;
	else
		u->newest = l->holds_prev;
	u->held--;
	l->v->descriptors.lent--;
	l->holds = false;
}

void
tf_descriptor_give(struct tf_pending *l)
{
	pthread_mutex_lock(&l->v->mu);
	tf_descriptor_give_locked(l);
	pthread_mutex_unlock(&l->v->mu);
}
