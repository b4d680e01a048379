/*
 * Workers.  No two of mu, the mutex of the barrier and those of lists are held
 * together.
 *
 * One worker at a time has the turn to read.  It keeps the turn while it handles a
 * request, because most requests are answered in less time than waking another
 * worker takes.  A slow request hands the turn over first (fs_loop_hand_over).
 *
 * Nobody can know of every request that it will be slow: a short write waits for
 * the disk when there are too many dirty pages, and any thread waits for a core.
 * So the relief looks at all workers every LATE_MS, and declares each away that
 * still handles the request which it handled then; if that worker has the turn,
 * the relief gives it to others.  The relief sleeps while there are no requests.
 *
 * A commit takes about as long as waking two threads does.  So while no other
 * request has arrived, a worker commits itself and keeps the turn
 * (fs_loop_may_stay), until the relief takes it.  While requests keep arriving,
 * the workers leave the commits to the vault's thread.
 *
 * A worker whose request waits is away, and a spare worker takes its place.  So
 * there are always as many workers for short requests as were configured.  One
 * user can have AWAY_PER_UID workers away.  Further requests of that user that
 * might wait are set aside until one of those workers comes back; requests of
 * other users are handled meanwhile.
 *
 * The kernel hands requests over in the order of their arrival, so a hundred
 * programs that read long files would delay every other request.  While more
 * requests wait in the kernel, long reads are put off: short requests pass them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "aside.h"
#include "asker.h"
#include "barrier.h"
#include "loop.h"
#include "report.h"
#include "stream.h"

#define KICK_MS 20
#define NOMEM_MS 10    /* between two attempts to get a buffer */
#define SPARES_MAX 256 /* workers beyond the configured number */
#define SPARES_KEPT 8  /* of these stay when no worker is away */
#define AWAY_PER_UID 16
#define PUT_OFF_MAX 1024 /* reads; each keeps its buffer */
#define PASS_MAX 16	 /* requests that pass the reads, then a read is next */
#define LATE_MS 5
#define LOOKS 20 /* without a request, then the relief sleeps */
#define CROWD 16 /* commits left to the vault when requests are queued */

/* A worker and the turn to read.  Whoever changes HANDLES to OTHER posts it. */
enum {
	OTHER,	 /* it does not have the turn */
	READS,	 /* it has, and reads: nobody else changes this */
	HANDLES, /* it has, and handles a request: it may be relieved */
};

struct worker {
	struct fs_loop *loop;
	pthread_t thread;	   /* set by the thread itself */
	struct fs_release release; /* of its request; see barrier.h */
	uint32_t uid;		   /* sender of the request; fixed while away */
	atomic_int turn;
	atomic_uint count; /* requests begun and ended: odd while it handles */
	unsigned seen;	   /* count at the last look; of the relief only */
	fuse_req_t req;	  /* of this thread only: may be interrupted; or NULL */
	bool patient;	  /* with req: until its sender ends */
	fuse_req_t own;	  /* of this thread only: req, while it stays */
	atomic_bool away; /* its request waits; changed under loop->mu */
	bool used;	  /* there is such a thread; guarded by loop->mu */
};

static _Thread_local struct worker *me; /* this thread's; NULL: no worker */

struct fs_loop {
	struct fuse_session *se;
	int end_fd;
	atomic_uint alive;  /* workers that have not ended */
	atomic_bool failed; /* the device cannot be read */
	sem_t turn;	    /* free, or a worker has it */
	atomic_uint crowd;  /* commits to leave; of the holder */
	pthread_t relief;
	bool relieves;	      /* there is that thread; of the starter */
	atomic_bool looks;    /* it does not sleep */
	atomic_bool no_looks; /* it ends */
	sem_t work;	      /* wakes it */
	_Atomic(struct worker *) reader; /* the worker that reads, or NULL */
	pthread_mutex_t mu;
	struct fs_barrier barrier;
	unsigned max;
	unsigned running;	  /* workers; guarded by mu */
	atomic_uint away;	  /* of these; changed under mu */
	struct fs_asides aside;	  /* until their senders have fewer away */
	struct fs_asides put_off; /* long reads, while others wait */
	unsigned passed;    /* short ones since a long read; of the holder */
	uint32_t last_uid;  /* of that read; of the holder */
	bool does_not_wait; /* the device has O_NONBLOCK; of the holder */
	struct worker w[];  /* max and SPARES_MAX */
};

enum tf_code
fs_loop_new(unsigned threads, struct fs_loop **out, struct tf_error *err)
{
	struct fs_loop *l;

	l = calloc(1, sizeof *l + (threads + SPARES_MAX) * sizeof l->w[0]);
	if (l == NULL)
		return tf_nomem(err);
	l->max = threads;
	fs_asides_init(&l->aside);
	fs_asides_init(&l->put_off);
	l->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->end_fd < 0) {
		free(l);
		return tf_fail(err, TF_IO, "make an eventfd");
	}
	for (unsigned i = 0; i < threads + SPARES_MAX; i++)
		l->w[i].loop = l;
	(void)sem_init(&l->turn, 0, 1);
	(void)sem_init(&l->work, 0, 0);
	pthread_mutex_init(&l->mu, NULL);
	fs_barrier_init(&l->barrier);
	*out = l;
	return TF_OK;
}

void
fs_loop_free(struct fs_loop *l)
{
	if (l == NULL)
		return;
	fs_asides_free(&l->aside);
	fs_asides_free(&l->put_off);
	close(l->end_fd);
	fs_barrier_destroy(&l->barrier);
	pthread_mutex_destroy(&l->mu);
	(void)sem_destroy(&l->turn);
	(void)sem_destroy(&l->work);
	free(l);
}

/* --- requests that are handled later ------------------------------------- */

/* May uid have one more worker away?  mu is held. */
static bool
may_go(const struct fs_loop *l, uint32_t uid)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->max + SPARES_MAX; i++)
		n += atomic_load(&l->w[i].away) && l->w[i].uid == uid;
	return n < AWAY_PER_UID;
}

/* Set the request in buf aside if its sender has too many workers away.  True:
 * it was, and buf is empty. */
static bool
set_aside(struct fs_loop *l, struct fuse_buf *buf)
{
	const struct fuse_in_header *in = fs_aside_header(buf);
	bool moved;

	if (atomic_load(&l->away) < AWAY_PER_UID || in == NULL ||
	    !fs_aside_waits(in))
		return false;
	pthread_mutex_lock(&l->mu);
	moved = !may_go(l, in->uid) && fs_aside_move(&l->aside, buf);
	pthread_mutex_unlock(&l->mu);
	return moved;
}

/* Move the first request that need not wait any more to buf.  False: none. */
static bool
take_aside(struct worker *w, struct fuse_buf *buf)
{
	struct fs_loop *l = w->loop;
	struct fs_aside **at, *a = NULL;

	if (atomic_load(&l->aside.n) == 0)
		return false;
	pthread_mutex_lock(&l->mu);
	for (at = &l->aside.first; *at != NULL && !may_go(l, (*at)->uid);)
		at = &(*at)->next;
	if (*at != NULL)
		a = fs_aside_unlink(&l->aside, at);
	pthread_mutex_unlock(&l->mu);
	if (a == NULL)
		return false;
	w->uid = a->uid;
	fs_aside_take(a, buf);
	return true;
}

/* Put the request in buf off if it is a long read and others wait in the kernel.
 * The caller reads.  True: it was, and buf is empty. */
static bool
put_off(struct fs_loop *l, struct fuse_buf *buf)
{
	struct pollfd p = { .fd = fuse_session_fd(l->se), .events = POLLIN };
	unsigned n = atomic_load(&l->put_off.n);
	bool moved;

	if (n >= PUT_OFF_MAX || !fs_aside_is_read(buf, FS_LOOP_LONG) ||
	    (n == 0 && poll(&p, 1, 0) <= 0))
		return false;
	pthread_mutex_lock(&l->mu);
	moved = fs_aside_move(&l->put_off, buf);
	pthread_mutex_unlock(&l->mu);
	if (n == 0)
		l->passed = 0;
	return moved;
}

/* Move a read that was put off to buf, by turns of their senders if several
 * have some.  The caller reads.  False: none. */
static bool
take_put_off(struct worker *w, struct fuse_buf *buf)
{
	struct fs_loop *l = w->loop;
	struct fs_aside **at, *a = NULL;

	pthread_mutex_lock(&l->mu);
	while (a == NULL && l->put_off.first != NULL) {
		at = &l->put_off.first;
		while (*at != NULL && (*at)->uid == l->last_uid)
			at = &(*at)->next;
		a = fs_aside_unlink(&l->put_off,
		    *at != NULL ? at : &l->put_off.first);
		l->last_uid = a->uid;
		if (!may_go(l, a->uid)) { /* and it might wait */
			fs_aside_append(&l->aside, a);
			a = NULL;
		}
	}
	pthread_mutex_unlock(&l->mu);
	if (a == NULL)
		return false;
	l->passed = 0;
	w->uid = a->uid;
	fs_aside_take(a, buf);
	return true;
}

/* Answer a request that is in a list if buf is the INTERRUPT of it. */
static bool
interrupt_aside(struct fs_loop *l, const struct fuse_buf *buf)
{
	const struct fuse_in_header *in = fs_aside_header(buf);
	const struct fuse_interrupt_in *arg;
	struct fuse_out_header out = { .len = sizeof out, .error = -EINTR };
	struct fs_aside *a;

	if (in == NULL || in->opcode != FUSE_INTERRUPT ||
	    buf->size < sizeof *in + sizeof *arg)
		return false;
	arg = (const void *)(in + 1);
	pthread_mutex_lock(&l->mu);
	a = fs_aside_find(&l->aside, arg->unique);
	if (a == NULL)
		a = fs_aside_find(&l->put_off, arg->unique);
	pthread_mutex_unlock(&l->mu);
	if (a == NULL)
		return false;
	out.unique = a->unique;
	(void)!write(fuse_session_fd(l->se), &out, sizeof out);
	free(a->buf.mem);
	free(a);
	return true;
}

/* --- workers ------------------------------------------------------------- */

/* Note the sender and, of a RELEASE, the node.  No other worker can read. */
static void
note_release(struct worker *w, const struct fuse_buf *buf)
{
	struct fs_loop *l = w->loop;
	const struct fuse_in_header *in = fs_aside_header(buf);

	if (in != NULL)
		w->uid = in->uid;
	if (in == NULL || in->opcode != FUSE_RELEASE)
		return;
	fs_barrier_note(&l->barrier, &w->release, in->nodeid);
}

/* While reads are put off, the device does not wait for a request.  The caller
 * reads. */
static void
set_waiting(struct fs_loop *l)
{
	bool now = atomic_load(&l->put_off.n) > 0;
	int fd = fuse_session_fd(l->se), flags;

	if (now == l->does_not_wait || (flags = fcntl(fd, F_GETFL)) < 0)
		return;
	flags = now ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	if (fcntl(fd, F_SETFL, flags) == 0)
		l->does_not_wait = now;
}

/* Wait for the turn; a signal is no reason to go on without it. */
static void
take_turn(struct worker *w)
{
	while (sem_wait(&w->loop->turn) < 0)
		continue;
	atomic_store(&w->turn, READS);
}

/* Give the turn of w, which does not read itself, to others.  False: w does not
 * have it. */
static bool
give_turn(struct worker *w)
{
	int from = HANDLES;

	return atomic_compare_exchange_strong(&w->turn, &from, OTHER) &&
	    sem_post(&w->loop->turn) == 0;
}

/* w has a request. */
static void
begin(struct worker *w)
{
	struct fs_loop *l = w->loop;

	if (atomic_load(&w->turn) == READS)
		atomic_store(&w->turn, HANDLES);
	atomic_fetch_add(&w->count, 1);
	if (!atomic_load(&l->looks) && !atomic_exchange(&l->looks, true))
		(void)sem_post(&l->work);
}

/* Choose the next request and move it to buf.  The caller reads.  Returns what
 * fuse_session_receive_buf would; -EAGAIN: try again. */
static int
choose(struct worker *w, struct fuse_buf *buf)
{
	struct fs_loop *l = w->loop;
	int n;

	if (l->passed >= PASS_MAX && take_put_off(w, buf))
		return 1;
	set_waiting(l);
	n = fuse_session_receive_buf(l->se, buf);
	if (n == -EAGAIN && take_put_off(w, buf))
		return 1;
	if (n > 0)
		fs_stream_request(buf);
	if (n > 0 &&
	    (interrupt_aside(l, buf) || set_aside(l, buf) || put_off(l, buf)))
		return -EAGAIN;
	l->passed++;
	return n;
}

/* Read the next request into buf.  False: there will be no more. */
static bool
take(struct worker *w, struct fuse_buf *buf)
{
	struct fs_loop *l = w->loop;
	int n = -EINTR;

	if (atomic_load(&w->turn) != READS)
		take_turn(w);
	atomic_store(&l->reader, w);
	while ((n == -EINTR || n == -EAGAIN || n == -ENOMEM) &&
	    !fuse_session_exited(l->se)) {
		/* No request was read: there is no buffer for one. */
		if (n == -ENOMEM)
			(void)poll(NULL, 0, NOMEM_MS);
		n = choose(w, buf);
	}
	atomic_store(&l->reader, NULL);
	if (n > 0) {
		note_release(w, buf);
		return true;
	}
	if (n < 0 && !fuse_session_exited(l->se)) {
		atomic_store(&l->failed, true);
		fs_report_line(LOG_ERR, "cannot read requests: %s",
		    strerror(-n));
	}
	fuse_session_exit(l->se);
	atomic_store(&w->turn, HANDLES); /* it may be given to others */
	return false;
}

void
fs_loop_hand_over(void)
{
	if (me != NULL)
		(void)give_turn(me);
}

/* The request is answered.  False: w is not needed any more, and must not be
 * used again. */
static bool
come_back(struct worker *w)
{
	struct fs_loop *l = w->loop;
	bool stays = true, was_away;
	int from = HANDLES;

	atomic_fetch_add(&w->count, 1);
	/* Whoever is away has given its turn, and the relief holds mu from the
	 * moment in which it takes a turn until it has noted that. */
	if (atomic_compare_exchange_strong(&w->turn, &from, READS))
		return true;
	pthread_mutex_lock(&l->mu);
	was_away = atomic_exchange(&w->away, false);
	if (was_away)
		atomic_fetch_sub(&l->away, 1);
	if (was_away &&
	    l->running - atomic_load(&l->away) > l->max + SPARES_KEPT &&
	    !fuse_session_exited(l->se)) {
		stays = w->used = false;
		l->running--;
		pthread_detach(pthread_self());
		atomic_fetch_sub(&l->alive, 1); /* not the last worker */
	}
	pthread_mutex_unlock(&l->mu);
	return stays;
}

void
fs_loop_serves(fuse_req_t req)
{
	if (me != NULL) {
		me->req = req;
		me->patient = false;
	}
}

void
fs_loop_serves_patiently(fuse_req_t req)
{
	fs_loop_serves(req);
	if (me != NULL)
		me->patient = true;
}

bool
fs_loop_interrupted(void)
{
	return me != NULL && me->req != NULL && fuse_req_interrupted(me->req) &&
	    (!me->patient || fs_asker_dies(me->req));
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct fs_loop *l = w->loop;
	struct fuse_buf buf = { 0 };
	bool stays = true;

	me = w;
	w->thread = pthread_self();
	while (stays && (take_aside(w, &buf) || take(w, &buf))) {
		begin(w);
		fuse_session_process_buf(l->se, &buf);
		w->req = NULL;
		fs_barrier_end(&l->barrier, &w->release);
		stays = come_back(w);
	}
	free(buf.mem);
	if (!stays) /* it was away, so it does not have the turn */
		return NULL;
	fs_loop_hand_over();
	if (atomic_fetch_sub(&l->alive, 1) == 1)
		(void)eventfd_write(l->end_fd, 1);
	return NULL;
}

/* Start one more worker.  mu is held. */
static enum tf_code
add_worker(struct fs_loop *l, struct tf_error *err)
{
	struct worker *w = l->w;
	pthread_t thread;

	while (w < l->w + l->max + SPARES_MAX && w->used)
		w++;
	if (w == l->w + l->max + SPARES_MAX)
		return tf_fail(err, TF_BUSY, "too many workers");
	w->used = true;
	l->running++;
	atomic_fetch_add(&l->alive, 1);
	errno = pthread_create(&thread, NULL, work, w);
	if (errno == 0)
		return TF_OK;
	w->used = false;
	l->running--;
	atomic_fetch_sub(&l->alive, 1);
	return tf_fail(err, TF_IO, "start a worker thread");
}

/* w is away from now on; another worker takes its place.  mu is held. */
static void
set_away(struct worker *w)
{
	struct fs_loop *l = w->loop;

	if (atomic_exchange(&w->away, true))
		return;
	atomic_fetch_add(&l->away, 1);
	/* If no worker can be started, the present ones do the work. */
	if (l->running - atomic_load(&l->away) < l->max &&
	    !fuse_session_exited(l->se))
		(void)add_worker(l, NULL);
}

void
fs_loop_away(void)
{
	struct worker *w = me;

	if (w == NULL || atomic_load(&w->away))
		return;
	pthread_mutex_lock(&w->loop->mu);
	set_away(w);
	pthread_mutex_unlock(&w->loop->mu);
	fs_loop_hand_over();
}

/* --- commits in the threads of workers ----------------------------------- */

/* Are there other requests, or were there when this was asked last?  The caller
 * has the turn. */
static bool
is_crowded(struct fs_loop *l)
{
	struct pollfd p = { .fd = fuse_session_fd(l->se), .events = POLLIN };
	unsigned left = atomic_load(&l->crowd);

	if (left > 0) {
		atomic_store(&l->crowd, left - 1);
		return true;
	}
	if (atomic_load(&l->aside.n) == 0 && atomic_load(&l->put_off.n) == 0 &&
	    poll(&p, 1, 0) == 0)
		return false;
	atomic_store(&l->crowd, CROWD);
	return true;
}

bool
fs_loop_may_stay(void)
{
	struct worker *w = me;

	if (w == NULL)
		return true;
	if (atomic_load(&w->turn) != HANDLES || is_crowded(w->loop))
		return false;
	w->own = w->req;
	w->req = NULL;
	return true;
}

void
fs_loop_stayed(void)
{
	if (me == NULL)
		return;
	me->req = me->own;
	me->own = NULL;
}

/* --- the relief ---------------------------------------------------------- */

/* w was handling a request at the last look and still is. */
static void
relieve(struct worker *w)
{
	struct fs_loop *l = w->loop;

	pthread_mutex_lock(&l->mu);
	/* One without the turn needs mu when its request has ended, so either
	 * that has not happened or count tells it. */
	if (give_turn(w) ||
	    (atomic_load(&w->turn) == OTHER &&
		atomic_load(&w->count) == w->seen))
		set_away(w);
	pthread_mutex_unlock(&l->mu);
}

/* Look at all workers.  False: none has had a request since the last look, but
 * for those that are away. */
static bool
look(struct fs_loop *l)
{
	bool any = false;

	for (unsigned i = 0; i < l->max + SPARES_MAX; i++) {
		struct worker *w = &l->w[i];
		unsigned now = atomic_load(&w->count);
		bool handles = now % 2 != 0 && !atomic_load(&w->away);

		any = any || handles || now != w->seen;
		if (handles && now == w->seen)
			relieve(w);
		w->seen = now;
	}
	return any;
}

static void *
look_again(void *arg)
{
	static const struct timespec pause = { 0, LATE_MS * 1000000L };
	struct fs_loop *l = arg;
	unsigned idle = 0;

	while (!atomic_load(&l->no_looks)) {
		if (idle >= LOOKS) {
			atomic_store(&l->looks, false);
			/* A worker that has not seen this has a request, which
			 * this look sees. */
			if (!look(l) || atomic_exchange(&l->looks, true))
				while (sem_wait(&l->work) < 0)
					continue;
			idle = 0;
		}
		(void)nanosleep(&pause, NULL);
		idle = look(l) ? 0 : idle + 1;
	}
	return NULL;
}

static void
stop_relief(struct fs_loop *l)
{
	if (!l->relieves)
		return;
	atomic_store(&l->no_looks, true);
	(void)sem_post(&l->work);
	pthread_join(l->relief, NULL);
	l->relieves = false;
}

/* --- start and stop ------------------------------------------------------ */

static void
wake_up(int sig)
{
	(void)sig; /* the signal only makes read(2) return EINTR */
}

enum tf_code
fs_loop_start(struct fs_loop *l, struct fuse_session *se, struct tf_error *err)
{
	struct sigaction sa = { .sa_handler = wake_up };
	enum tf_code rc = TF_OK;

	l->se = se;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGUSR1, &sa, NULL) < 0)
		return tf_fail(err, TF_IO, "set a signal handler");
	atomic_store(&l->looks, true);
	errno = pthread_create(&l->relief, NULL, look_again, l);
	if (errno != 0)
		return tf_fail(err, TF_IO, "start a thread");
	l->relieves = true;
	pthread_mutex_lock(&l->mu);
	for (unsigned i = 0; rc == TF_OK && i < l->max; i++)
		rc = add_worker(l, err);
	pthread_mutex_unlock(&l->mu);
	if (rc != TF_OK)
		fs_loop_stop(l);
	return rc;
}

int
fs_loop_end_fd(const struct fs_loop *l)
{
	return l->end_fd;
}

bool
fs_loop_failed(const struct fs_loop *l)
{
	return atomic_load(&l->failed);
}

void
fs_loop_stop(struct fs_loop *l)
{
	struct pollfd p = { .fd = l->end_fd, .events = POLLIN };
	struct worker *w;

	fuse_session_exit(l->se);
	/* The signal can come just before the read, so it is repeated. */
	while (atomic_load(&l->alive) > 0 && poll(&p, 1, KICK_MS) <= 0) {
		w = atomic_load(&l->reader);
		if (w != NULL)
			pthread_kill(w->thread, SIGUSR1);
	}
	for (unsigned i = 0; i < l->max + SPARES_MAX; i++) {
		if (l->w[i].used)
			pthread_join(l->w[i].thread, NULL);
		l->w[i].used = false;
	}
	stop_relief(l);
}

uint64_t
fs_loop_waiting(void)
{
	struct fs_loop *l = me != NULL ? me->loop : NULL;

	return l == NULL ? UINT64_MAX :
			   (uint64_t)atomic_load(&l->away) +
		atomic_load(&l->aside.n) + atomic_load(&l->put_off.n);
}

bool
fs_loop_releasing(struct fs_loop *l)
{
	return fs_barrier_any(&l->barrier);
}

void
fs_loop_await(struct fs_loop *l, uint64_t ino)
{
	uint64_t upto;

	if (!fs_barrier_pending(&l->barrier, ino, &upto))
		return;
	fs_loop_away();
	fs_barrier_wait(&l->barrier, ino, upto);
}
