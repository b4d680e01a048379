/* The thread for what takes long. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "control.h"
#include "later.h"
#include "loop.h"

#define SWEEP_MS 1000 /* how long a package may outlive its ledger */

struct job {
	struct job *next;
	fuse_req_t req;
	uint64_t ino;
	fs_later_fn fn;
};

struct fs_later {
	struct fs_control *control;
	pthread_t thread;
	int wake; /* an eventfd */
	pthread_mutex_t mu;
	struct job *first, **end; /* guarded by mu */
	bool quit;		  /* guarded by mu */
};

/* The next job; NULL: none, and *quit tells whether there ever will be. */
static struct job *
take(struct fs_later *l, bool *quit)
{
	struct job *j;

	pthread_mutex_lock(&l->mu);
	if ((j = l->first) != NULL && (l->first = j->next) == NULL)
		l->end = &l->first;
	*quit = l->quit;
	pthread_mutex_unlock(&l->mu);
	return j;
}

static void *
work(void *arg)
{
	struct fs_later *l = arg;
	struct pollfd p = { .fd = l->wake, .events = POLLIN };
	eventfd_t n;
	struct job *j;
	bool quit = false;

	while (!quit) {
		while ((j = take(l, &quit)) != NULL) {
			j->fn(j->req, j->ino);
			free(j);
		}
		if (!quit &&
		    poll(&p, 1, fs_control_sweep(l->control) ? SWEEP_MS : -1) >
			0)
			(void)eventfd_read(l->wake, &n);
	}
	return NULL;
}

static void
wake(struct fs_later *l)
{
	(void)eventfd_write(l->wake, 1);
}

static void
discard(struct fs_later *l)
{
	close(l->wake);
	pthread_mutex_destroy(&l->mu);
	free(l);
}

enum tf_code
fs_later_start(struct fs *fs, struct tf_error *err)
{
	struct fs_later *l = calloc(1, sizeof *l);

	if (l == NULL)
		return tf_fail(err, TF_NOMEM, "start");
	l->control = fs->control;
	l->end = &l->first;
	pthread_mutex_init(&l->mu, NULL);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake < 0 || pthread_create(&l->thread, NULL, work, l) != 0) {
		(void)tf_fail(err, TF_IO, "start a thread");
		discard(l);
		return TF_IO;
	}
	fs->later = l;
	return TF_OK;
}

void
fs_later_stop(struct fs *fs)
{
	struct fs_later *l = fs->later;

	if (l == NULL)
		return;
	pthread_mutex_lock(&l->mu);
	l->quit = true;
	pthread_mutex_unlock(&l->mu);
	wake(l);
	pthread_join(l->thread, NULL);
	discard(l);
	fs->later = NULL;
}

bool
fs_later(struct fs *fs, fuse_req_t req, uint64_t ino, bool newest,
    fs_later_fn fn)
{
	struct fs_later *l = fs->later;
	struct fs_asker who;
	struct job *j;
	bool takes_long;

	if (l == NULL)
		return false;
	fs_asker_of(req, &who);
	takes_long = fs_control_takes_long(fs->control, ino, &who, newest);
	fs_asker_free(&who);
	if (!takes_long)
		return false;
	fs_loop_pass();
	if ((j = malloc(sizeof *j)) == NULL)
		return false;
	*j = (struct job){ .req = req, .ino = ino, .fn = fn };
	pthread_mutex_lock(&l->mu);
	*l->end = j;
	l->end = &j->next;
	pthread_mutex_unlock(&l->mu);
	wake(l);
	return true;
}
