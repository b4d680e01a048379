/* Descriptors that are lent: see descriptors.h. */
#include <pthread.h>

#include "../commit/staging.h"
#include "../environment.h"
#include "descriptors.h"
#include "pending.h"
#include "vault_i.h"

#define KEPT 384 /* never lent, or half of what there is */

void
tf_descriptors_start(struct tf_descriptors *d)
{
	unsigned n = tf_environment_descriptors();

	d->max = n > 2 * KEPT ? n - KEPT : n / 2;
	d->share = d->max / 2;
}

static void
lend(struct tf_vault *v, struct tf_user *u, struct tf_live *l)
{
	l->holds = true;
	l->holds_uid = u->uid;
	l->holds_next = NULL;
	l->holds_prev = u->newest;
	if (u->newest != NULL)
		u->newest->holds_next = l;
	else
		u->oldest = l;
	u->newest = l;
	u->held++;
	v->descriptors.lent++;
}

void
tf_descriptor_give_locked(struct tf_live *l)
{
	struct tf_user *u;

	if (!l->holds)
		return;
	u = tf_user_of(l->v, l->holds_uid); /* is there: he holds one */
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
tf_descriptor_give(struct tf_live *l)
{
	pthread_mutex_lock(&l->v->mu);
	tf_descriptor_give_locked(l);
	pthread_mutex_unlock(&l->v->mu);
}

static struct tf_user *
holds_most(struct tf_vault *v)
{
	struct tf_user *most = v->users;

	for (size_t i = 1; i < v->n_users; i++)
		if (v->users[i].held > most->held)
			most = &v->users[i];
	return most;
}

/* The oldest of u's that nobody is at work on, with its io and a reference;
 * NULL: none.  mu is held, and the io of another file: so do not wait. */
static struct tf_live *
choose(struct tf_user *u)
{
	struct tf_live *l = u->oldest;

	while (l != NULL && pthread_mutex_trylock(&l->io) != 0)
		l = l->holds_next;
	if (l != NULL)
		tf_live_ref(l);
	return l;
}

void
tf_descriptor_take(struct tf_live *l)
{
	struct tf_vault *v = l->v;
	struct tf_descriptors *d = &v->descriptors;
	struct tf_live *other;
	struct tf_user *u;

	pthread_mutex_lock(&v->mu);
	while (!l->holds && (u = tf_user_of(v, l->attr.uid)) != NULL) {
		if (u->held >= d->share)
			other = choose(u);
		else if (d->lent >= d->max)
			other = choose(holds_most(v));
		else
			other = NULL;
		/* All at work: there are not more than threads. */
		if (other == NULL) {
			lend(v, u, l);
			break;
		}
		pthread_mutex_unlock(&v->mu);
		tf_vault_slow(v);
		tf_content_put_down(other);
		pthread_mutex_unlock(&other->io);
		pthread_mutex_lock(&v->mu);
		tf_live_unref(other);
	}
	pthread_mutex_unlock(&v->mu);
}
