/*
 * Open files, and flushes that are not answered yet.
 *
 * Lock order in fs/: the semaphore `turn` of loop.c comes before the mu of loop.c
 * and that of barrier.c.  The mu of every file (actor.c, barrier.c,
 * control_find.c, control_missing.c, control_save.c, control_snapshot.c,
 * control_tile.c, handle.c, loop.c, notify.c, passthrough.c, report.c,
 * worker.c) stands alone: no other lock is taken, the vault is not called and
 * no request is answered while it is held.  loop.c and notify.c take theirs
 * while locks of the vault are held.
 */
#include <pthread.h>
#include <stdlib.h>

#include "asker.h"
#include "control_save.h"
#include "fs.h"
#include "handle.h"
#include "passthrough.h"
#include "report.h"

struct fs_handles {
	pthread_mutex_t mu;
	pthread_cond_t answered;
	struct fs_handle *first; /* guarded by mu */
	unsigned flushes;	 /* not answered yet; guarded by mu */
};

struct fs_handles *
fs_handles_new(void)
{
	struct fs_handles *hs = calloc(1, sizeof *hs);

	if (hs == NULL)
		return NULL;
	pthread_mutex_init(&hs->mu, NULL);
	pthread_cond_init(&hs->answered, NULL);
	return hs;
}

void
fs_handles_free(struct fs_handles *hs)
{
	if (hs == NULL)
		return;
	pthread_cond_destroy(&hs->answered);
	pthread_mutex_destroy(&hs->mu);
	free(hs);
}

struct fs_handle *
fs_handle_new(struct fs *fs)
{
	struct fs_handles *hs = fs->handles;
	struct fs_handle *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	atomic_init(&h->flushed, UINT64_MAX);
	pthread_mutex_lock(&hs->mu);
	h->next = hs->first;
	if (h->next != NULL)
		h->next->prev = h;
	hs->first = h;
	pthread_mutex_unlock(&hs->mu);
	return h;
}

bool
fs_handles_any(struct fs_handles *hs)
{
	bool any;

	pthread_mutex_lock(&hs->mu);
	any = hs->first != NULL || hs->flushes > 0;
	pthread_mutex_unlock(&hs->mu);
	return any;
}

/* Remove h from the list and free it. */
static void
forget(struct fs_handles *hs, struct fs_handle *h)
{
	pthread_mutex_lock(&hs->mu);
	if (h->prev != NULL)
		h->prev->next = h->next;
	else
		hs->first = h->next;
	if (h->next != NULL)
		h->next->prev = h->prev;
	pthread_mutex_unlock(&hs->mu);
	free(h);
}

void
fs_handle_free(struct fs *fs, struct fs_handle *h)
{
	if (h == NULL)
		return;
	if (h->file != NULL)
		tf_file_release(h->file);
	if (h->reader != NULL)
		tf_reader_close(h->reader);
	if (h->snapshot != NULL)
		fs_control_close(fs->control, h->snapshot);
	if (h->save != NULL)
		fs_save_close(fs_control_saves(fs->control), h->save);
	fs_passthrough_leave(fs->passthrough, h);
	forget(fs->handles, h);
}

/* A FLUSH or FSYNC that waits for the disk.  flushed frees it. */
struct flush {
	struct fs *fs;
	struct fs_handle *h;
	fuse_req_t req;
	const char *what;
	uint64_t changes; /* fs_handle.changes when it began */
	bool sync;
	uint64_t rewrites; /* tf_file_rewrites() when it began */
};

static void
flush_answered(void *arg, enum tf_code code, const struct tf_error *err)
{
	struct flush *f = arg;
	struct fs_handles *hs = f->fs->handles;

	/* Once answered, the handle may be released by another thread. */
	if (code == TF_OK) {
		atomic_store(&f->h->flushed, f->changes);
		fuse_reply_err(f->req, 0);
	} else {
		fs_report_error(f->req, f->what, code, err);
	}
	free(f);
	pthread_mutex_lock(&hs->mu);
	if (--hs->flushes == 0)
		pthread_cond_broadcast(&hs->answered);
	pthread_mutex_unlock(&hs->mu);
}

/* Nobody expects EINTR of a close. */
static bool
is_given_up(void *arg)
{
	struct flush *f = arg;

	return fuse_req_interrupted(f->req) && fs_asker_dies(f->req);
}

static void flushed(void *arg, enum tf_code code, const struct tf_error *err);

/* The organisation has the entry.  If the file was written again meanwhile, it may
 * lack the bytes. */
static void
forwarded(void *arg, enum tf_code code, const struct tf_error *err)
{
	struct flush *f = arg;
	const uint64_t rewrites = tf_file_rewrites(f->h->file);

	if (code != TF_OK || rewrites == f->rewrites) {
		flush_answered(f, code, err);
		return;
	}
	f->rewrites = rewrites;
	tf_file_flush(f->h->file, f->sync, flushed, f);
}

static void
flushed(void *arg, enum tf_code code, const struct tf_error *err)
{
	struct flush *f = arg;

	if (code == TF_OK && tf_file_awaits_organisation(f->h->file))
		tf_vault_await_organisation(f->fs->vault, is_given_up,
		    forwarded, f);
	else
		flush_answered(f, code, err);
}

void
fs_handle_flush(struct fs *fs, struct fs_handle *h, fuse_req_t req, bool sync)
{
	const char *what = sync ? "fsync" : "close";
	struct flush *f;

	if (h->file == NULL) {
		fuse_reply_err(req, 0);
		return;
	}
	if ((f = malloc(sizeof *f)) == NULL) {
		fs_report_error(req, what, TF_NOMEM, NULL);
		return;
	}
	*f = (struct flush){ fs, h, req, what, atomic_load(&h->changes), sync,
		tf_file_rewrites(h->file) };
	pthread_mutex_lock(&fs->handles->mu);
	fs->handles->flushes++;
	pthread_mutex_unlock(&fs->handles->mu);
	tf_file_flush(h->file, sync, flushed, f);
}

void
fs_handles_drain(struct fs_handles *hs)
{
	pthread_mutex_lock(&hs->mu);
	while (hs->flushes > 0)
		pthread_cond_wait(&hs->answered, &hs->mu);
	pthread_mutex_unlock(&hs->mu);
}

void
fs_handles_end(struct fs *fs, bool closed)
{
	struct fs_handle *h;
	unsigned left = 0;

	while ((h = fs->handles->first) != NULL) {
		if (h->file != NULL &&
		    !(closed &&
			atomic_load(&h->flushed) == atomic_load(&h->changes))) {
			tf_file_abandon(h->file);
			h->file = NULL;
			left++;
		}
		fs_handle_free(fs, h);
	}
	if (left > 0)
		fs_report_line(LOG_WARNING,
		    "%u open file%s left for recovery "
		    "at the next start",
		    left, left == 1 ? "" : "s");
}
