/*
 * Workers.  Lock order: turn, then mu or the mutex of the barrier, which are
 * never held together.
 *
 * One worker at a time has the turn to read.  It keeps the turn while it handles a
 * request, because most requests are answered in less time than waking another
 * worker takes.  A slow request hands the turn over first (fs_loop_hand_over).
 *
 * A commit takes about as long as waking two threads does.  So while no other
 * request has arrived, a worker commits itself and keeps the turn
 * (fs_loop_may_stay).  If that takes longer than STAY_NS, the watch, a thread that
 * a timer wakes, gives the turn to another worker.  While requests keep arriving,
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
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "aside.h"
#include "asker.h"
#include "barrier.h"
#include "loop.h"
#include "report.h"

#define KICK_MS 20
#define NOMEM_MS 10    /* between two attempts to get a buffer */
#define SPARES_MAX 256 /* workers beyond the configured number */
#define SPARES_KEPT 8  /* of these stay when no worker is away */
#define AWAY_PER_UID 16
#define PUT_OFF_MAX 1024 /* reads; each keeps its buffer */
#define PASS_MAX 16	 /* requests that pass the reads, then a read is next */
#define STAY_NS 4000000	 /* a worker keeps the turn so long while it commits */
#define CROWD 16 /* commits left to the vault when requests are queued */

struct worker {
	struct fs_loop *loop;
	pthread_t thread;	   /* set by the thread itself */
	struct fs_release release; /* of its request; see barrier.h */
	uint32_t uid;		   /* sender of the request; fixed while away */
	bool reads; /* of this thread only: it has the turn, unless it stays */
	fuse_req_t req; /* of this thread only: may be interrupted; or NULL */
	bool patient;	/* with req: until its sender ends */
	fuse_req_t own; /* of this thread only: req, while it stays */
	bool away;	/* its request waits; guarded by loop->mu */
	bool used;	/* there is such a thread; guarded by loop->mu */
};

static _Thread_local struct worker *me; /* this thread's; NULL: no worker */

struct fs_loop {
	struct fuse_session *se;
	int end_fd;
	atomic_uint alive;  /* workers that have not ended */
	atomic_bool failed; /* the device cannot be read */
	pthread_mutex_t turn;
	pthread_cond_t free;	/* holder is NULL */
	struct worker *holder;	/* has the turn; guarded by turn */
	struct worker *staying; /* has it while it commits; guarded by turn */
	unsigned crowd;		/* commits to leave; of the holder */
	pthread_t watch;
	bool watched;			 /* there is such a thread */
	int timer_fd;			 /* wakes the watch */
	atomic_bool ended;		 /* the watch is to end */
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
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (l->end_fd < 0 || l->timer_fd < 0) {
		tf_fail(err, TF_IO, "make an eventfd and a timer");
		if (l->end_fd >= 0)
			close(l->end_fd);
		if (l->timer_fd >= 0)
			close(l->timer_fd);
		free(l);
		return TF_IO;
	}
	for (unsigned i = 0; i < threads + SPARES_MAX; i++)
		l->w[i].loop = l;
	pthread_mutex_init(&l->turn, NULL);
	pthread_cond_init(&l->free, NULL);
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
	close(l->timer_fd);
	fs_barrier_destroy(&l->barrier);
	pthread_mutex_destroy(&l->mu);
	pthread_cond_destroy(&l->free);
	pthread_mutex_destroy(&l->turn);
	free(l);
}

/* --- requests that are handled later ------------------------------------- */

/* May uid have one more worker away?  mu is held. */
static bool
may_go(const struct fs_loop *l, uint32_t uid)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->max + SPARES_MAX; i++)
		n += l->w[i].away && l->w[i].uid == uid;
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

static void
take_turn(struct worker *w)
{
	struct fs_loop *l = w->loop;

	pthread_mutex_lock(&l->turn);
	while (l->holder != NULL)
		pthread_cond_wait(&l->free, &l->turn);
	l->holder = w;
	w->reads = true;
	pthread_mutex_unlock(&l->turn);
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

	if (!w->reads)
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
	return false;
}

void
fs_loop_hand_over(void)
{
	struct worker *w = me;

	if (w == NULL || !w->reads)
		return;
	w->reads = false;
	pthread_mutex_lock(&w->loop->turn);
	if (w->loop->holder == w) /* else the watch took it */
		w->loop->holder = NULL;
	pthread_mutex_unlock(&w->loop->turn);
	pthread_cond_signal(&w->loop->free);
}

/* The request is answered.  False: w is not needed any more, and must not be
 * used again. */
static bool
come_back(struct worker *w)
{
	struct fs_loop *l = w->loop;
	bool stays = true;

	if (!w->away) /* only this thread sets it */
		return true;
	pthread_mutex_lock(&l->mu);
	w->away = false;
	atomic_fetch_sub(&l->away, 1);
	if (l->running - atomic_load(&l->away) > l->max + SPARES_KEPT &&
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

/* Count w as away; another worker takes its place. */
static void
leave(struct worker *w)
{
	struct fs_loop *l = w->loop;

	pthread_mutex_lock(&l->mu);
	w->away = true;
	atomic_fetch_add(&l->away, 1);
	/* If no worker can be started, the present ones do the work. */
	if (l->running - atomic_load(&l->away) < l->max &&
	    !fuse_session_exited(l->se))
		(void)add_worker(l, NULL);
	pthread_mutex_unlock(&l->mu);
}

/* While w stays, the watch may make it away, too. */
static void
end_stay(struct worker *w)
{
	struct fs_loop *l = w->loop;

	pthread_mutex_lock(&l->turn);
	if (l->staying == w)
		l->staying = NULL;
	w->reads = l->holder == w;
	pthread_mutex_unlock(&l->turn);
}

void
fs_loop_away(void)
{
	struct worker *w = me;

	if (w == NULL)
		return;
	end_stay(w);
	if (w->away)
		return;
	leave(w);
	fs_loop_hand_over();
}

/* --- commits in the threads of workers ----------------------------------- */

/* Are there other requests, or were there when this was asked last?  The caller
 * has the turn. */
static bool
is_crowded(struct fs_loop *l)
{
	struct pollfd p = { .fd = fuse_session_fd(l->se), .events = POLLIN };

	if (l->crowd > 0) {
		l->crowd--;
		return true;
	}
	if (atomic_load(&l->aside.n) == 0 && atomic_load(&l->put_off.n) == 0 &&
	    poll(&p, 1, 0) == 0)
		return false;
	l->crowd = CROWD;
	return true;
}

bool
fs_loop_may_stay(void)
{
	static const struct itimerspec stay = { .it_value = {
						    .tv_nsec = STAY_NS } };
	struct worker *w = me;
	struct fs_loop *l;

	if (w == NULL)
		return true;
	l = w->loop;
	if (!w->reads || is_crowded(l) ||
	    timerfd_settime(l->timer_fd, 0, &stay, NULL) < 0)
		return false;
	w->own = w->req;
	w->req = NULL;
	pthread_mutex_lock(&l->turn);
	l->staying = w;
	pthread_mutex_unlock(&l->turn);
	return true;
}

void
fs_loop_stayed(void)
{
	struct worker *w = me;

	if (w == NULL)
		return;
	w->req = w->own;
	w->own = NULL;
	end_stay(w);
}

/* The watch: when the timer ends, another worker gets the turn of the one that
 * still stays.  A worker that has just begun to stay may lose it early. */
static void *
watch(void *arg)
{
	struct fs_loop *l = arg;
	uint64_t n;

	while (!atomic_load(&l->ended)) {
		if (read(l->timer_fd, &n, sizeof n) != (ssize_t)sizeof n)
			continue;
		pthread_mutex_lock(&l->turn);
		if (l->staying != NULL && l->staying == l->holder) {
			leave(l->staying);
			l->holder = NULL;
			pthread_cond_signal(&l->free);
		}
		l->staying = NULL;
		pthread_mutex_unlock(&l->turn);
	}
	return NULL;
}

static void
end_watch(struct fs_loop *l)
{
	static const struct itimerspec now = { .it_value = { .tv_nsec = 1 } };

	if (!l->watched)
		return;
	atomic_store(&l->ended, true);
	(void)timerfd_settime(l->timer_fd, 0, &now, NULL);
	pthread_join(l->watch, NULL);
	l->watched = false;
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
	errno = pthread_create(&l->watch, NULL, watch, l);
	if (errno != 0)
		return tf_fail(err, TF_IO, "start a thread");
	l->watched = true;
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
	end_watch(l);
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
