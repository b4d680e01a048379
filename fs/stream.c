/* Writes that the kernel collects: see stream.h. */
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/array.h"
#include "core/base/clock.h"
#include "core/base/mutant.h"
#include "core/vault.h"
#include "aside.h"
#include "barrier.h"
#include "control.h"
#include "fs.h"
#include "handle.h"
#include "loop.h"
#include "notify.h"
#include "pages.h"
#include "stream.h"

#define LEASE_S (TF_IS_MUTANT(TF_COLLECT_BLINDLY) ? 3600.0 : 1.0)
#define DUE_NS TF_SECOND /* after the begin of a lease */
/* Nobody collects writes when fewer bytes are left of some limit. */
#define ROOM ((uint64_t)64 << 20)
/*
 * Ids of the vault have fewer than 40 bits, and those of control files have some
 * of the bits from 56 on.  Between them stands the state of final evidence, and
 * what follows from its size: an encrypted file gets another size at its seal.
 */
#define FROZEN (UINT64_C(1) << 54)
#define SEALED (UINT64_C(1) << 55)
#define ID_BITS 40
#define SIZE_BITS 14

struct due {
	uint64_t ino, at_ns; /* boot clock */
};

/* The files of fs_streams.due, for the metrics. */
static _Atomic uint64_t collecting;

struct fs_streams {
	struct fs *fs;
	struct fs_barrier writes; /* that are not answered yet */
	pthread_t thread;
	pthread_mutex_t mu;
	pthread_cond_t more;
	struct due *due; /* sorted by time; guarded by mu, as all below */
	size_t n, cap;
	unsigned getting; /* entries that were taken and are not here yet */
	bool ends;
	atomic_bool blind; /* the helper could not collect */
};

/* --- what is due ------------------------------------------------------------ */

static bool
later(struct fs_streams *s, uint64_t ino)
{
	size_t i;
	bool room;

	pthread_mutex_lock(&s->mu);
	for (i = 0; i < s->n && s->due[i].ino != ino; i++)
		;
	room = i < s->n ||
	    tf_array_room(&s->due, s->n, &s->cap, sizeof *s->due);
	if (room && i == s->n)
		s->due[s->n++] = (struct due){ ino,
			tf_clock_boot_ns() + DUE_NS };
	atomic_store(&collecting, s->n);
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->mu);
	return room;
}

/* Take entry i.  mu is held. */
static uint64_t
take(struct fs_streams *s, size_t i)
{
	uint64_t ino = s->due[i].ino;

	s->n--;
	atomic_store(&collecting, s->n);
	memmove(s->due + i, s->due + i + 1, (s->n - i) * sizeof *s->due);
	s->getting++;
	return ino;
}

/* Wait until the first is due, and take it.  mu is held.  False: the end. */
static bool
next(struct fs_streams *s, uint64_t *ino)
{
	struct timespec until;
	uint64_t now;

	while (!s->ends) {
		now = tf_clock_boot_ns();
		if (s->n > 0 && s->due[0].at_ns <= now) {
			*ino = take(s, 0);
			return true;
		}
		if (s->n == 0) {
			pthread_cond_wait(&s->more, &s->mu);
			continue;
		}
		tf_clock_after(s->due[0].at_ns - now, &until);
		(void)pthread_cond_timedwait(&s->more, &s->mu, &until);
	}
	return false;
}

/* Take the entry of ino (0: the first one).  False: there is none; then *others
 * (or NULL) is whether somebody gets something now, which may be of ino. */
static bool
take_due(struct fs_streams *s, uint64_t *ino, bool *others)
{
	size_t i;

	pthread_mutex_lock(&s->mu);
	for (i = 0; *ino != 0 && i < s->n && s->due[i].ino != *ino; i++)
		;
	if (others != NULL)
		*others = s->getting > 0;
	if (i == s->n) {
		pthread_mutex_unlock(&s->mu);
		return false;
	}
	*ino = take(s, i);
	pthread_mutex_unlock(&s->mu);
	return true;
}

/* Get what was collected of ino.  Where that fails, as after umount -l, each write
 * asks from now on. */
static void
get(struct fs *fs, uint64_t ino)
{
	fs_notify_changed(fs->notify, ino); /* the lease ends first */
	if (!fs_pages_collect(fs->pages, ino))
		atomic_store(&fs->collecting->blind, true);
	fs_notify_changed(fs->notify, ino);
}

/* Get what an entry was taken for. */
static void
get_taken(struct fs *fs, uint64_t ino)
{
	struct fs_streams *s = fs->collecting;

	get(fs, ino);
	pthread_mutex_lock(&s->mu);
	s->getting--;
	pthread_mutex_unlock(&s->mu);
}

uint64_t
fs_streams_collecting(void)
{
	return atomic_load(&collecting);
}

bool
fs_stream_any(struct fs *fs)
{
	bool any;

	if (!fs->streams)
		return false;
	pthread_mutex_lock(&fs->collecting->mu);
	any = fs->collecting->n > 0;
	pthread_mutex_unlock(&fs->collecting->mu);
	return any;
}

void
fs_stream_await(struct fs *fs, uint64_t ino)
{
	uint64_t one = ino;

	if (!fs->streams)
		return;
	for (; take_due(fs->collecting, &one, NULL); one = 0) {
		fs_loop_away();
		get_taken(fs, one);
		if (ino != 0)
			return;
	}
}

static void *
collect(void *arg)
{
	struct fs_streams *s = arg;
	uint64_t ino;

	pthread_mutex_lock(&s->mu);
	while (next(s, &ino)) {
		pthread_mutex_unlock(&s->mu);
		get_taken(s->fs, ino);
		pthread_mutex_lock(&s->mu);
	}
	pthread_mutex_unlock(&s->mu);
	return NULL;
}

enum tf_code
fs_streams_start(struct fs *fs, struct fs_streams **out, struct tf_error *err)
{
	struct fs_streams *s = calloc(1, sizeof *s);
	pthread_condattr_t attr;

	if (s == NULL)
		return tf_nomem(err);
	s->fs = fs;
	fs_barrier_init(&s->writes);
	pthread_mutex_init(&s->mu, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->more, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&s->thread, NULL, collect, s) != 0) {
		s->ends = true;
		fs_streams_free(s);
		return tf_fail(err, TF_NOMEM, "cannot start a thread");
	}
	*out = s;
	return TF_OK;
}

void
fs_streams_stop(struct fs_streams *s)
{
	if (s == NULL || s->ends)
		return;
	pthread_mutex_lock(&s->mu);
	s->ends = true;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->mu);
	pthread_join(s->thread, NULL);
}

void
fs_streams_free(struct fs_streams *s)
{
	if (s == NULL)
		return;
	fs_streams_stop(s);
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->mu);
	fs_barrier_destroy(&s->writes);
	free(s->due);
	free(s);
}

/* --- nodes ------------------------------------------------------------------ */

uint64_t
fs_stream_node(const struct fs *fs, const struct tf_attr *a)
{
	uint64_t size;

	if (!fs->streams || a->kind != TF_KIND_EVIDENCE ||
	    (a->state != TF_STATE_FROZEN && a->state != TF_STATE_SEALED))
		return a->id;
	size = a->size * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SIZE_BITS);
	return a->id | size << ID_BITS |
	    (a->state == TF_STATE_FROZEN ? FROZEN : SEALED);
}

void
fs_stream_request(const struct fuse_buf *buf)
{
	struct fuse_in_header *in = (void *)fs_aside_header(buf);

	if (in != NULL && !fs_control_is(in->nodeid))
		in->nodeid &= (UINT64_C(1) << ID_BITS) - 1;
}

/* --- leases ----------------------------------------------------------------- */

void
fs_stream_revoke(struct fs *fs, uint64_t ino)
{
	if (fs->streams && !TF_IS_MUTANT(TF_COLLECT_BLINDLY))
		fs_notify_changed(fs->notify, ino);
}

void
fs_stream_open(struct fs *fs, struct fs_handle *h, uint64_t ino,
    struct fuse_file_info *fi)
{
	/* The seal of an encrypted file makes it longer than the kernel knows. */
	if (fs->streams && h->reader != NULL && tf_reader_may_grow(h->reader))
		fi->direct_io = 1;
	if (!fs->streams || h->file == NULL)
		return;
	h->collects = (fi->flags & O_ACCMODE) == O_WRONLY &&
	    tf_file_room(h->file) >= ROOM &&
	    !atomic_load(&fs->collecting->blind);
	fi->direct_io = !h->collects;
	/* Another one may have a lease, which would be one of h, too. */
	fs_stream_revoke(fs, ino);
}

enum tf_code
fs_stream_lease(struct fs *fs, struct fs_handle *h, uint64_t ino,
    double *timeout, struct tf_error *err)
{
	bool alone;
	uint64_t room;
	enum tf_code rc;

	if (TF_IS_MUTANT(TF_COLLECT_BLINDLY)) {
		*timeout = LEASE_S;
		return TF_OK;
	}
	/* Near a limit, what was collected before is handed over first: then
	 * this write hears whether that was too much.  So are the bytes of
	 * another writer, who is known now. */
	if (tf_file_room(h->file) < ROOM || tf_file_follows_another(h->file)) {
		fs_loop_away();
		get(fs, ino);
	}
	rc = tf_file_expect(h->file, &alone, &room, err);
	*timeout = rc == TF_OK && alone && room >= ROOM &&
		!atomic_load(&fs->collecting->blind) ?
	    LEASE_S :
	    0;
	if (rc == TF_OK && !later(fs->collecting, ino))
		rc = tf_nomem(err);
	return rc;
}

void
fs_stream_begin(struct fs *fs, struct fs_release *w, uint64_t ino)
{
	if (fs->streams)
		fs_barrier_note(&fs->collecting->writes, w, ino);
}

void
fs_stream_end(struct fs *fs, struct fs_release *w)
{
	if (fs->streams)
		fs_barrier_end(&fs->collecting->writes, w);
}

void
fs_stream_collect(struct fs *fs, struct fs_handle *h, uint64_t ino)
{
	uint64_t upto, one = ino;
	bool others;

	if (!fs->streams || h->file == NULL || TF_IS_MUTANT(TF_COLLECT_BLINDLY))
		return;
	/* Nothing is due: no lease was given since the last time. */
	if (h->collects && take_due(fs->collecting, &one, &others)) {
		fs_loop_away();
		get_taken(fs, one);
	} else if (h->collects && others) {
		fs_loop_away();
		get(fs, ino);
	}
	if (fs_barrier_pending(&fs->collecting->writes, ino, &upto)) {
		fs_loop_away();
		fs_barrier_wait(&fs->collecting->writes, ino, upto);
	}
}
