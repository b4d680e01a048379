/*
 * FUSE_NOTIFY_INVAL_INODE.  The kernel answers it by itself and takes no lock
 * that a request holds: it may be sent with locks of the vault held, from a
 * thread that somebody's request waits for.  Attributes of a node it knows that
 * were on their way it takes for outdated; of one it does not know yet it takes
 * them, so those must not be good for long (ops.c).
 */
#include <pthread.h>
#include <stdlib.h>

#include "notify.h"

struct fs_notify {
	/* Held while sending: nothing goes to a descriptor that is closed. */
	pthread_mutex_t mu;
	struct fuse_session *se;     /* guarded by mu; NULL: nobody to tell */
	struct fuse_session *serves; /* the same while there are workers */
	unsigned calls;		     /* under way; guarded by mu */
	pthread_cond_t done;
};

struct fs_notify *
fs_notify_new(void)
{
	struct fs_notify *n = calloc(1, sizeof *n);

	if (n == NULL)
		return NULL;
	pthread_mutex_init(&n->mu, NULL);
	pthread_cond_init(&n->done, NULL);
	return n;
}

void
fs_notify_free(struct fs_notify *n)
{
	if (n == NULL)
		return;
	pthread_cond_destroy(&n->done);
	pthread_mutex_destroy(&n->mu);
	free(n);
}

void
fs_notify_start(struct fs_notify *n, struct fuse_session *se)
{
	pthread_mutex_lock(&n->mu);
	n->se = n->serves = se;
	pthread_mutex_unlock(&n->mu);
}

void
fs_notify_stop(struct fs_notify *n)
{
	fs_notify_start(n, NULL);
}

void
fs_notify_changed(void *arg, uint64_t id)
{
	struct fs_notify *n = arg;

	pthread_mutex_lock(&n->mu);
	/* -1: the attributes only.  If it fails, the kernel knows no such node,
	 * or forgets after its moment. */
	if (n->se != NULL)
		(void)fuse_lowlevel_notify_inval_inode(n->se, id, -1, 0);
	pthread_mutex_unlock(&n->mu);
}

/*
 * The kernel waits for reads of these pages that are under way: no lock is held
 * meanwhile, and it must be over before the last worker leaves.
 */
void
fs_notify_altered(void *arg, uint64_t id)
{
	struct fs_notify *n = arg;
	struct fuse_session *se;

	pthread_mutex_lock(&n->mu);
	if ((se = n->serves) != NULL)
		n->calls++;
	pthread_mutex_unlock(&n->mu);
	if (se == NULL)
		return;
	(void)fuse_lowlevel_notify_inval_inode(se, id, 0, 0);
	pthread_mutex_lock(&n->mu);
	if (--n->calls == 0)
		pthread_cond_broadcast(&n->done);
	pthread_mutex_unlock(&n->mu);
}

void
fs_notify_finish(struct fs_notify *n)
{
	pthread_mutex_lock(&n->mu);
	n->serves = NULL;
	while (n->calls > 0)
		pthread_cond_wait(&n->done, &n->mu);
	pthread_mutex_unlock(&n->mu);
}
