/*
 * The threads that make control files.
 *
 * Makers make the files, one at a time for each user.  One attendant answers
 * requests that were given up before a maker took them, and frees packages that
 * the ledger has outgrown.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "control.h"
#include "loop.h"
#include "worker.h"

#define MAKERS 4
#define NICENESS 5	 /* other requests are more urgent */
#define PACKAGES_MS 1000 /* between two looks for outgrown packages */

struct job {
	struct job *next;
	fuse_req_t req;
	uint64_t ino;
	uint32_t uid;
	fs_worker_fn fn;
	struct fs_worker *worker;
	atomic_bool over; /* it was given up */
};

struct fs_worker {
	struct fs_control *control;
	pthread_t attendant, maker[MAKERS];
	struct job *at_work[MAKERS]; /* guarded by mu, as all below */
	unsigned makers, busy;
	int wake; /* the attendant's eventfd; never changes */
	pthread_mutex_t mu;
	pthread_cond_t more;
	struct job *first, **end;
	bool ends; /* every job is given up */
	bool quit; /* the threads end when no job is left */
};

struct start {
	struct fs_worker *worker;
	unsigned n;
};

static _Thread_local struct job *mine; /* the job of this thread, or NULL */

bool
fs_worker_given_up(void)
{
	return mine != NULL && atomic_load(&mine->over);
}

const atomic_bool *
fs_worker_flag(void)
{
	return mine != NULL ? &mine->over : NULL;
}

static void
wake(struct fs_worker *l)
{
	(void)eventfd_write(l->wake, 1);
}

/* FUSE_INTERRUPT.  libfuse holds locks of the request here, so the attendant or
 * a maker answers it. */
static void
set_over(fuse_req_t req, void *arg)
{
	struct job *j = arg;

	(void)req;
	atomic_store(&j->over, true);
	wake(j->worker);
}

/* Free a job that no maker took; answer: its request with EINTR. */
static void
finish(struct job *j, bool answer)
{
	fuse_req_interrupt_func(j->req, NULL, NULL);
	if (answer)
		fuse_reply_err(j->req, EINTR);
	free(j);
}

/* Remove *at from the queue.  mu is held. */
static struct job *
unlink_job(struct fs_worker *l, struct job **at)
{
	struct job *j = *at;

	if ((*at = j->next) == NULL)
		l->end = at;
	return j;
}

/* --- makers -------------------------------------------------------------- */

static bool
is_served(const struct fs_worker *l, uint32_t uid)
{
	for (unsigned i = 0; i < l->makers; i++)
		if (l->at_work[i] != NULL && l->at_work[i]->uid == uid)
			return true;
	return false;
}

/* Take the first job whose user no maker works for, or NULL.  mu is held. */
static struct job *
take(struct fs_worker *l)
{
	struct job **at = &l->first;

	while (*at != NULL && is_served(l, (*at)->uid))
		at = &(*at)->next;
	return *at == NULL ? NULL : unlink_job(l, at);
}

static void *
make(void *arg)
{
	struct start s = *(struct start *)arg;
	struct fs_worker *l = s.worker;
	struct job *j;

	free(arg);
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
	pthread_mutex_lock(&l->mu);
	for (;;) {
		while ((j = take(l)) == NULL && !(l->quit && l->first == NULL))
			pthread_cond_wait(&l->more, &l->mu);
		if (j == NULL)
			break;
		l->at_work[s.n] = j;
		l->busy++;
		pthread_mutex_unlock(&l->mu);
		mine = j;
		if (atomic_load(&j->over)) {
			fuse_req_interrupt_func(j->req, NULL, NULL);
			fuse_reply_err(j->req, EINTR);
		} else {
			j->fn(j->req, j->ino);
		}
		mine = NULL;
		pthread_mutex_lock(&l->mu);
		l->at_work[s.n] = NULL;
		l->busy--;
		free(j);
		wake(l); /* there may be a package to free */
		pthread_cond_broadcast(&l->more);
	}
	pthread_mutex_unlock(&l->mu);
	return NULL;
}

void
fs_worker_answers(fuse_req_t req)
{
	if (mine != NULL && mine->req == req)
		fuse_req_interrupt_func(req, NULL, NULL);
}

/* Start one more maker, if possible; else the present ones do the work.  mu is
 * held. */
static void
add_maker(struct fs_worker *l)
{
	struct start *s = malloc(sizeof *s);

	if (s == NULL)
		return;
	*s = (struct start){ l, l->makers };
	if (pthread_create(&l->maker[l->makers], NULL, make, s) == 0)
		l->makers++;
	else
		free(s);
}

/* --- the attendant ------------------------------------------------------- */

/* Answer the requests that were given up while they waited. */
static void
answer_given_up(struct fs_worker *l)
{
	struct job **at, *j, *over = NULL;

	pthread_mutex_lock(&l->mu);
	for (at = &l->first; (j = *at) != NULL;) {
		if (!atomic_load(&j->over)) {
			at = &j->next;
			continue;
		}
		(void)unlink_job(l, at);
		j->next = over;
		over = j;
	}
	pthread_mutex_unlock(&l->mu);
	while ((j = over) != NULL) {
		over = j->next;
		finish(j, true);
	}
}

static bool
quits(struct fs_worker *l)
{
	bool quit;

	pthread_mutex_lock(&l->mu);
	quit = l->quit;
	pthread_mutex_unlock(&l->mu);
	return quit;
}

static void *
attend(void *arg)
{
	struct fs_worker *l = arg;
	struct pollfd p = { .fd = l->wake, .events = POLLIN };
	eventfd_t n;

	while (!quits(l)) {
		answer_given_up(l);
		if (poll(&p, 1,
			fs_control_drop_packages(l->control) ? PACKAGES_MS :
							       -1) > 0)
			(void)eventfd_read(l->wake, &n);
	}
	return NULL;
}

/* --- start and stop ------------------------------------------------------ */

static void
discard(struct fs_worker *l)
{
	close(l->wake);
	pthread_cond_destroy(&l->more);
	pthread_mutex_destroy(&l->mu);
	free(l);
}

enum tf_code
fs_worker_start(struct fs *fs, struct tf_error *err)
{
	struct fs_worker *l = calloc(1, sizeof *l);

	if (l == NULL)
		return tf_nomem(err);
	l->control = fs->control;
	l->end = &l->first;
	pthread_mutex_init(&l->mu, NULL);
	pthread_cond_init(&l->more, NULL);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_lock(&l->mu);
	add_maker(l); /* more are started when they are needed */
	pthread_mutex_unlock(&l->mu);
	fs->worker = l;
	if (l->wake < 0 || l->makers == 0 ||
	    pthread_create(&l->attendant, NULL, attend, l) != 0) {
		(void)tf_fail(err, TF_IO, "start a thread");
		l->quit = true;
		pthread_cond_broadcast(&l->more);
		if (l->makers > 0)
			pthread_join(l->maker[0], NULL);
		discard(l);
		fs->worker = NULL;
		return TF_IO;
	}
	return TF_OK;
}

void
fs_worker_give_up(struct fs *fs)
{
	struct fs_worker *l = fs->worker;

	if (l == NULL)
		return;
	pthread_mutex_lock(&l->mu);
	l->ends = true;
	for (struct job *j = l->first; j != NULL; j = j->next)
		atomic_store(&j->over, true);
	for (unsigned i = 0; i < l->makers; i++)
		if (l->at_work[i] != NULL)
			atomic_store(&l->at_work[i]->over, true);
	pthread_mutex_unlock(&l->mu);
	wake(l);
}

void
fs_worker_stop(struct fs *fs)
{
	struct fs_worker *l = fs->worker;

	if (l == NULL)
		return;
	fs_worker_give_up(fs);
	pthread_mutex_lock(&l->mu);
	l->quit = true;
	pthread_cond_broadcast(&l->more);
	pthread_mutex_unlock(&l->mu);
	wake(l);
	pthread_join(l->attendant, NULL);
	for (unsigned i = 0; i < l->makers; i++)
		pthread_join(l->maker[i], NULL);
	discard(l);
	fs->worker = NULL;
}

/* Queue a job for the makers.  False: no makers or no memory. */
static bool
add_job(struct fs *fs, fuse_req_t req, uint64_t ino, fs_worker_fn fn)
{
	struct fs_worker *l = fs->worker;
	struct job *j;

	if (l == NULL || (j = malloc(sizeof *j)) == NULL)
		return false;
	*j = (struct job){ .req = req,
		.ino = ino,
		.uid = fuse_req_ctx(req)->uid,
		.fn = fn,
		.worker = l };
	atomic_init(&j->over, false);
	/* Before the job is queued: a maker may answer it at once. */
	fuse_req_interrupt_func(req, set_over, j);
	pthread_mutex_lock(&l->mu);
	if (l->ends)
		atomic_store(&j->over, true);
	*l->end = j;
	l->end = &j->next;
	if (l->busy == l->makers && l->makers < MAKERS)
		add_maker(l);
	pthread_cond_broadcast(&l->more);
	pthread_mutex_unlock(&l->mu);
	return true;
}

void
fs_worker_if_long(struct fs *fs, fuse_req_t req, uint64_t ino, fs_worker_fn fn)
{
	struct fs_asker who;
	bool takes_long;

	fs_asker_of(req, &who);
	takes_long = fs_control_takes_long(fs->control, ino, &who);
	fs_asker_free(&who);
	if (!takes_long || !add_job(fs, req, ino, fn))
		fn(req, ino);
}
