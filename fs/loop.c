/*
 * Workers and the release barrier.  Lock order: reading, then mu.
 *
 * A worker answers the RELEASE it has read before it reads again, so a slot in
 * each worker is all the barrier has to remember.
 *
 * Whoever reads goes on reading: most requests are answered in less time than
 * waking another worker takes.  Only what is slow passes reading on first.
 */
#include <errno.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop.h"

#define KICK_MS 20

struct worker {
	struct fs_loop *loop;
	pthread_t thread;
	uint64_t ino;  /* being released; guarded by loop->mu */
	uint64_t turn; /* number of that release, 0: none; loop->mu */
	bool reads;    /* this thread's: it holds loop->reading */
};

static _Thread_local struct worker *me; /* NULL: no worker */

struct fs_loop {
	struct fuse_session *se;
	int end_fd;
	unsigned n;			 /* workers started */
	atomic_uint left;		 /* workers that have not left */
	pthread_mutex_t reading;	 /* held while reading a request */
	_Atomic(struct worker *) reader; /* who does, or NULL */
	pthread_mutex_t mu;
	pthread_cond_t done;   /* a release was done */
	uint64_t turns;	       /* releases read so far; guarded by mu */
	atomic_uint releasing; /* slots in use; changed under mu */
	unsigned max;
	struct worker w[];
};

enum tf_code
fs_loop_new(unsigned threads, struct fs_loop **out, struct tf_error *err)
{
	struct fs_loop *l;

	l = calloc(1, sizeof *l + threads * sizeof l->w[0]);
	if (l == NULL)
		return tf_fail(err, TF_NOMEM, "start workers");
	l->max = threads;
	l->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->end_fd < 0) {
		free(l);
		return tf_fail(err, TF_IO, "make an eventfd");
	}
	pthread_mutex_init(&l->reading, NULL);
	pthread_mutex_init(&l->mu, NULL);
	pthread_cond_init(&l->done, NULL);
	*out = l;
	return TF_OK;
}

void
fs_loop_free(struct fs_loop *l)
{
	if (l == NULL)
		return;
	close(l->end_fd);
	pthread_cond_destroy(&l->done);
	pthread_mutex_destroy(&l->mu);
	pthread_mutex_destroy(&l->reading);
	free(l);
}

/* Note the release that w has read, while nobody else can read. */
static void
note_release(struct worker *w, const struct fuse_buf *buf)
{
	struct fs_loop *l = w->loop;
	const struct fuse_in_header *in = buf->mem;

	if ((buf->flags & FUSE_BUF_IS_FD) != 0 || buf->size < sizeof *in ||
	    in->opcode != FUSE_RELEASE)
		return;
	pthread_mutex_lock(&l->mu);
	w->ino = in->nodeid;
	w->turn = ++l->turns;
	atomic_fetch_add(&l->releasing, 1);
	pthread_mutex_unlock(&l->mu);
}

static void
end_release(struct worker *w)
{
	struct fs_loop *l = w->loop;

	pthread_mutex_lock(&l->mu);
	w->turn = 0;
	atomic_fetch_sub(&l->releasing, 1);
	pthread_cond_broadcast(&l->done);
	pthread_mutex_unlock(&l->mu);
}

/* Read the next request into buf.  False: there will be none. */
static bool
take(struct worker *w, struct fuse_buf *buf)
{
	struct fs_loop *l = w->loop;
	int n = -EINTR;

	if (!w->reads)
		pthread_mutex_lock(&l->reading);
	w->reads = true;
	atomic_store(&l->reader, w);
	while ((n == -EINTR || n == -EAGAIN) && !fuse_session_exited(l->se))
		n = fuse_session_receive_buf(l->se, buf);
	atomic_store(&l->reader, NULL);
	if (n > 0)
		note_release(w, buf);
	else
		fuse_session_exit(l->se);
	return n > 0;
}

void
fs_loop_pass(void)
{
	struct worker *w = me;

	if (w == NULL || !w->reads)
		return;
	w->reads = false;
	pthread_mutex_unlock(&w->loop->reading);
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct fs_loop *l = w->loop;
	struct fuse_buf buf = { 0 };

	me = w;
	while (take(w, &buf)) {
		fuse_session_process_buf(l->se, &buf);
		if (w->turn != 0) /* only this thread sets it */
			end_release(w);
	}
	fs_loop_pass();
	free(buf.mem);
	if (atomic_fetch_sub(&l->left, 1) == 1)
		(void)eventfd_write(l->end_fd, 1);
	return NULL;
}

static void
wake_up(int sig)
{
	(void)sig; /* its work is to make read(2) return EINTR */
}

enum tf_code
fs_loop_start(struct fs_loop *l, struct fuse_session *se, struct tf_error *err)
{
	struct sigaction sa = { .sa_handler = wake_up };

	l->se = se;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGUSR1, &sa, NULL) < 0)
		return tf_fail(err, TF_IO, "set a signal handler");
	atomic_store(&l->left, l->max);
	for (l->n = 0; l->n < l->max; l->n++) {
		struct worker *w = &l->w[l->n];

		w->loop = l;
		errno = pthread_create(&w->thread, NULL, work, w);
		if (errno == 0)
			continue;
		(void)tf_fail(err, TF_IO, "start a worker thread");
		/* Those that never started have left. */
		atomic_fetch_sub(&l->left, l->max - l->n);
		if (l->n > 0)
			fs_loop_stop(l);
		return TF_IO;
	}
	return TF_OK;
}

int
fs_loop_end_fd(const struct fs_loop *l)
{
	return l->end_fd;
}

void
fs_loop_stop(struct fs_loop *l)
{
	struct pollfd p = { .fd = l->end_fd, .events = POLLIN };
	struct worker *w;

	fuse_session_exit(l->se);
	/* The kick may come just before the read, so it is repeated. */
	while (atomic_load(&l->left) > 0 && poll(&p, 1, KICK_MS) <= 0) {
		w = atomic_load(&l->reader);
		if (w != NULL)
			pthread_kill(w->thread, SIGUSR1);
	}
	for (unsigned i = 0; i < l->n; i++)
		pthread_join(l->w[i].thread, NULL);
	l->n = 0;
}

bool
fs_loop_releasing(struct fs_loop *l)
{
	/* Releases read before our request were counted before the reading
	 * lock was let go, so this sees them. */
	return atomic_load(&l->releasing) != 0;
}

/* Is a release of ino, one of the first upto, under way?  mu is held. */
static bool
pending(const struct fs_loop *l, uint64_t ino, uint64_t upto)
{
	for (unsigned i = 0; i < l->max; i++) {
		const struct worker *w = &l->w[i];

		if (w->turn != 0 && w->turn <= upto &&
		    (ino == 0 || w->ino == ino))
			return true;
	}
	return false;
}

void
fs_loop_await(struct fs_loop *l, uint64_t ino)
{
	uint64_t upto;

	if (!fs_loop_releasing(l))
		return;
	pthread_mutex_lock(&l->mu);
	upto = l->turns;
	while (pending(l, ino, upto))
		pthread_cond_wait(&l->done, &l->mu);
	pthread_mutex_unlock(&l->mu);
}
