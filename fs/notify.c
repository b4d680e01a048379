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
	struct fuse_session *se; /* guarded by mu; NULL: nobody to tell */
};

struct fs_notify *
fs_notify_new(void)
{
	struct fs_notify *n = calloc(1, sizeof *n);

	if (n != NULL)
		pthread_mutex_init(&n->mu, NULL);
	return n;
}

void
fs_notify_free(struct fs_notify *n)
{
	if (n == NULL)
		return;
	pthread_mutex_destroy(&n->mu);
	free(n);
}

void
fs_notify_start(struct fs_notify *n, struct fuse_session *se)
{
	pthread_mutex_lock(&n->mu);
	n->se = se;
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
