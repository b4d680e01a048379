/*
 * Notifications: FUSE_NOTIFY_INVAL_INODE.
 *
 * For attributes, the kernel takes no lock that a request holds, so the
 * notification may be sent while locks of the vault are held, from a thread
 * that a request waits for.  If an answer with old attributes is under way, the
 * kernel drops them when it knows the node.  When it does not know the node yet
 * it accepts them, so such an answer must be valid only briefly (attr.c).
 */
#include <pthread.h>
#include <stdlib.h>

#include "core/base/mutant.h"
#include "fs.h"
#include "notify.h"
#include "pages.h"
#include "stream.h"

struct fs_notify {
	/* Held while sending, so that the descriptor is not closed before. */
	pthread_mutex_t mu;
	struct fuse_session *se;     /* guarded by mu; NULL: not mounted */
	struct fuse_session *serves; /* the same while there are workers */
	struct fs_pages *pages;	     /* or NULL; guarded by mu */
	const struct fs *streams;    /* or NULL; constant once mounted */
	unsigned calls; /* of fs_notify_altered now; guarded by mu */
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
fs_notify_of_streams(struct fs_notify *n, const struct fs *fs)
{
	n->streams = fs;
}

void
fs_notify_start(struct fs_notify *n, struct fuse_session *se,
    struct fs_pages *pages)
{
	pthread_mutex_lock(&n->mu);
	n->se = n->serves = se;
	n->pages = pages;
	pthread_mutex_unlock(&n->mu);
}

void
fs_notify_stop(struct fs_notify *n)
{
	fs_notify_start(n, NULL, NULL);
}

void
fs_notify_changed(void *arg, uint64_t id)
{
	struct fs_notify *n = arg;

	pthread_mutex_lock(&n->mu);
	/* -1: the attributes only.  On failure the kernel does not know the
	 * node, or its attributes expire soon. */
	if (n->se != NULL)
		(void)fuse_lowlevel_notify_inval_inode(n->se, id, -1, 0);
	pthread_mutex_unlock(&n->mu);
}

/* Drop what the kernel remembers of node id. */
static void
drop(struct fuse_session *se, struct fs_pages *pages, uint64_t id)
{
	/* -1: without the pages. */
	(void)fuse_lowlevel_notify_inval_inode(se, id,
	    !TF_IS_MUTANT(TF_DROP_ALONE) && fs_pages_drop(pages, id) ? -1 : 0,
	    0);
}

/*
 * Reads of these pages are waited for.  So no lock is held meanwhile, and the call
 * must have returned before the last worker ends.  Without the helper, this thread
 * waits in the kernel: see pages.h for what then happens to a daemon that is killed.
 */
void
fs_notify_altered(void *arg, uint64_t id)
{
	struct fs_notify *n = arg;
	struct fuse_session *se;
	struct fs_pages *pages;
	struct tf_attr a;
	uint64_t final = id;

	if (n->streams != NULL &&
	    tf_vault_getattr(n->streams->vault, id, &a, NULL) == TF_OK)
		final = fs_stream_node(n->streams, &a);
	pthread_mutex_lock(&n->mu);
	pages = n->pages;
	if ((se = n->serves) != NULL)
		n->calls++;
	pthread_mutex_unlock(&n->mu);
	if (se == NULL)
		return;
	drop(se, pages, id);
	if (final != id)
		drop(se, pages, final);
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
