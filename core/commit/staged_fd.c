/* The descriptor of a staged file: see staged_fd.h. */
#include <pthread.h>
#include <unistd.h>

#include "../base/file.h"
#include "../node/claim.h"
#include "../node/descriptors.h"
#include "../node/pending.h"
#include "../node/secret.h"
#include "../node/user.h"
#include "../node/vault_i.h"
#include "hasher.h"
#include "staged_fd.h"

static void
lend(struct tf_vault *v, struct tf_user *u, struct tf_pending *l)
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

static struct tf_user *
holds_most(struct tf_vault *v)
{
	struct tf_user *most = v->users;

	for (size_t i = 1; i < v->n_users; i++)
		if (v->users[i].held > most->held)
			most = &v->users[i];
	return most;
}

/* The user's file with the oldest descriptor that no thread is using, with its
 * io locked and a reference; NULL if there is none.  The caller holds mu and
 * the io of another file, so waiting for an io here could deadlock. */
static struct tf_pending *
choose(struct tf_user *u)
{
	struct tf_pending *l = u->oldest;

	while (l != NULL && pthread_mutex_trylock(&l->io) != 0)
		l = l->holds_next;
	if (l != NULL)
		tf_pending_ref(l);
	return l;
}

void
tf_descriptor_take(struct tf_pending *l)
{
	struct tf_vault *v = l->v;
	struct tf_descriptors *d = &v->descriptors;
	struct tf_pending *other;
	struct tf_user *u;

	pthread_mutex_lock(&v->mu);
	while (!l->holds && (u = tf_user_of(v, l->attr.uid)) != NULL) {
		if (u->held >= d->share)
			other = choose(u);
		else if (d->lent >= d->max)
			other = choose(holds_most(v));
		else
			other = NULL;
		/* All are in use: no more than there are threads. */
		if (other == NULL) {
			lend(v, u, l);
			break;
		}
		pthread_mutex_unlock(&v->mu);
		tf_vault_slow(v);
		tf_content_put_down(other);
		pthread_mutex_unlock(&other->io);
		pthread_mutex_lock(&v->mu);
		tf_pending_unref(other);
	}
	pthread_mutex_unlock(&v->mu);
}

enum tf_code
tf_content_settle(struct tf_pending *l, struct tf_error *err)
{
	return l->key != NULL && l->fd >= 0 ?
	    tf_secret_settle(l->key, l->fd, err) :
	    TF_OK;
}

enum tf_code
tf_content_sync(struct tf_pending *l, struct tf_error *err)
{
	enum tf_code rc = tf_file_datasync(l->fd, err);

	if (rc == TF_OK && l->key != NULL)
		tf_secret_synced(l->key);
	return rc;
}

void
tf_content_close(struct tf_pending *l)
{
	if (l->fd < 0)
		return;
	if (l->key != NULL)
		tf_secret_forget(l->key);
	(void)close(l->fd);
	l->fd = -1;
	tf_descriptor_give(l);
}

void
tf_content_put_down(struct tf_pending *l)
{
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = TF_OK;

	if (l->fd < 0)
		return;
	rc = tf_content_settle(l, &e);
	tf_content_hash(l);
	tf_hash_wait(l->v->hasher, l);
	/* A sync error is reported once per open file, so sync before close:
	 * the next open would not see an earlier error. */
	if (rc == TF_OK && !tf_pending_clean(l))
		rc = tf_content_sync(l, &e);
	if (rc != TF_OK)
		(void)tf_pending_fail(l, rc, &e, NULL);
	tf_content_close(l);
}
