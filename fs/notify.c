/*
 * FUSE_NOTIFY_INVAL_INODE.  The kernel answers it by itself, takes no lock that
 * a request holds, and takes attributes that were on their way to it for
 * outdated; so it may be sent with locks of the vault held, from a thread that
 * somebody's request waits for.
 */
#include <pthread.h>
#include <stdlib.h>

#include "notify.h"

struct fs_notify {
	/* Held while sending: nothing goes to a descriptor that is closed. */
	pthread_mutex_t mu;
	struct fuse_session *se; /* guarded by mu; NULL: nobody to tell */
	uint64_t count;		 /* guarded by mu */
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

uint64_t
fs_notify_count(struct fs_notify *n)
{
	uint64_t count;

	pthread_mutex_lock(&n->mu);
	count = n->count;
	pthread_mutex_unlock(&n->mu);
	return count;
}

void
fs_notify_changed(void *arg, uint64_t id)
{
	struct fs_notify *n = arg;

	pthread_mutex_lock(&n->mu);
	/* -1: the attributes only.  What fails is of no account: the kernel
	 * knows no such node, or forgets it after its moment. */
	if (n->se != NULL &&
	    fuse_lowlevel_notify_inval_inode(n->se, id, -1, 0) == 0)
		n->count++;
	pthread_mutex_unlock(&n->mu);
}
