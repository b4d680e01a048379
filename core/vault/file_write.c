/*
 * Changing bytes through a handle.  Keeps F3 and F4 of pending.h: a failed
 * write fails the file, and the row is marked before the first change after a
 * flush.
 *
 * The steps of a change, with io held: check that the file may grow and charge
 * its owner (mu); reserve disk space; mark the row, durably; bring the content
 * into memory or a staged file; write; set size and times (mu).  A flush takes
 * io, too, so that it never sees half of a write.  io is given up only while
 * another thread's claim ends, before anything was written; then all steps
 * begin again, because the file may have been sealed or have failed.
 *
 * The bytes are not durable here: a flush makes them so (F2).  After a crash
 * between the mark and that flush, tf_recover_file() finds a marked row and
 * does not take the bytes for whole.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../commit/staged_secret.h"
#include "../commit/staging.h"
#include "../node/claim.h"
#include "../node/growth.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "../seal/unflushed.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../vault.h"
#include "file_write.h"

#define SIZE_MAX_FILE ((uint64_t)TF_JSON_MAX) /* an entry's largest number */

struct mark {
	struct tf_pending *l;
	bool wrote;
};

/*
 * In the committer's thread, which takes no io: the writer holds it and waits.
 */
static enum tf_code
dirty_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct mark *m = arg;

	return tf_stage_set_dirty(tf_txn_write(t), m->l->attr.id, m->wrote,
	    err);
}

/*
 * Before the first change after a flush, and before the first write: mark the
 * row, durably, as no longer true (F4).  io is held; the committer never takes
 * it.
 *
 * The thread that has claimed the file may wait for io, so io is given up while
 * we wait for the claim to end.  *again: that happened, the row is not marked,
 * and the caller must check everything again.
 */
static enum tf_code
dirty_again(struct tf_file *f, bool *again, struct tf_error *err)
{
	struct tf_pending *l = f->l;
	struct tf_vault *v = l->v;
	struct mark m = { .l = l };
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	/* A flush under way would write the row without the mark. */
	if ((*again = l->job)) {
		pthread_mutex_unlock(&l->io);
		tf_pending_wait(v, l);
		pthread_mutex_unlock(&v->mu);
		tf_pending_lock(l);
		return TF_OK;
	}
	m.wrote = l->wrote || !f->by_path;
	if (!f->by_path)
		tf_unflushed_later(l);
	if ((!l->hollow || f->by_path) && l->saved && l->saved_gen > 0 &&
	    (!l->marked || m.wrote != l->wrote)) {
		l->job = true;
		l->marked = true;
		l->hollow = false;
		pthread_mutex_unlock(&v->mu);
		rc = tf_commit_wait(v->commit, dirty_run, &m, err);
		pthread_mutex_lock(&v->mu);
		l->marked = rc == TF_OK;
		l->job = false;
		tf_pending_index(l);
		pthread_cond_broadcast(&v->changed);
	}
	pthread_mutex_unlock(&v->mu);
	return rc;
}

/* A write through f: who opened f is the last writer, and what was created is no
 * placeholder.  mu held. */
static void
wrote(struct tf_file *f)
{
	struct tf_pending *l = f->l;

	l->wrote = l->wrote || !f->by_path;
	if (l->attr.state == TF_STATE_PLACEHOLDER) {
		l->attr.state = TF_STATE_OPEN;
		tf_pending_index(l);
	}
	f->wrote = true;
}

/* Note that the content changed from an offset on and has this size now.  io held.  collected: the
 * kernel hands the bytes over through any handle, so tf_file_expect() knows the
 * writer. */
static void
changed(struct tf_file *f, uint64_t from, uint64_t size, bool collected)
{
	struct tf_pending *l = f->l;
	struct tf_time now = tf_clock_now();

	pthread_mutex_lock(&l->v->mu);
	l->gen++;
	l->rewrites += from < l->flush_mark;
	l->unchecked = false;
	l->size = l->attr.size = size;
	tf_quota_charge(l, size);
	l->attr.mtime = l->attr.ctime = now;
	l->attr.mode = tf_mode_without_ids(l->attr.mode);
	wrote(collected && l->expecting != NULL ? l->expecting : f);
	if (l->growth != NULL)
		tf_growth_due(l, false);
	pthread_mutex_unlock(&l->v->mu);
}

enum tf_code
tf_size_check(const struct tf_vault *v, uint64_t size, struct tf_error *err)
{
	uint64_t max = v->settings.value[TF_MAX_FILE];

	if (size > SIZE_MAX_FILE)
		return tf_fail(err, TF_TOOBIG, "a file can have 2^53-1 bytes");
	if (max != 0 && size > max)
		return tf_fail(err, TF_TOOBIG,
		    "a file may have %llu bytes here (max_file)",
		    (unsigned long long)max);
	return TF_OK;
}

/* Check that l may grow to end bytes, and charge them to its owner.  io and mu
 * held. */
static enum tf_code
may_grow(struct tf_pending *l, uint64_t end, struct tf_error *err)
{
	enum tf_code rc;

	if (end <= l->size)
		return TF_OK;
	rc = tf_size_check(l->v, end, err);
	return rc == TF_OK ? tf_quota_take(l, end, err) : rc;
}

/* Charge the owner for the real size again, after a failure.  io held. */
static void
give_back(struct tf_pending *l)
{
	pthread_mutex_lock(&l->v->mu);
	tf_quota_charge(l, l->size);
	pthread_mutex_unlock(&l->v->mu);
}

/* Before a change: check that l has not failed, take the space for end bytes
 * and mark the row.  io held.  *again: io was let go of for a while and nothing
 * is ready, so the caller must begin again. */
static enum tf_code
before_change(struct tf_file *f, uint64_t end, bool *again,
    struct tf_error *err)
{
	struct tf_pending *l = f->l;
	enum tf_code rc;

	*again = false;
	if ((rc = tf_secret_expect(l, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&l->v->mu);
	if (l->failed != TF_OK)
		rc = tf_pending_failure(l, err);
	else if (l->attr.state == TF_STATE_SEALED)
		rc = tf_fail(err, TF_SEALED, "it was sealed meanwhile");
	else
		rc = may_grow(l, end, err);
	pthread_mutex_unlock(&l->v->mu);
	if (rc == TF_OK && end > l->size)
		rc = tf_space_take(l->v, f->uid,
		    (tf_quota_staged(l, end) - tf_quota_staged(l, l->size)) *
			(end <= TF_INLINE_MAX ? 2 : 1),
		    0, err);
	if (rc == TF_OK)
		rc = dirty_again(f, again, err);
	if (rc == TF_OK && !*again)
		rc = tf_content_load(l, err);
	return rc;
}

/* Refuse a change from byte off on if it is entered (G1).  Nothing is lost, so the
 * file does not fail.  io held. */
static enum tf_code
may_change(const struct tf_pending *l, uint64_t off, struct tf_error *err)
{
	enum tf_code rc;

	if (off >= tf_growth_fixed(l))
		return TF_OK;
	pthread_mutex_lock(&l->v->mu);
	rc = tf_growth_refuse(l, "they stay as they are", err);
	pthread_mutex_unlock(&l->v->mu);
	return rc;
}

/* A first write has failed: mark the row, or after a crash the file would be an
 * empty placeholder.  io held. */
static void
mark_failed(struct tf_pending *l)
{
	pthread_mutex_lock(&l->v->mu);
	if (l->hollow)
		tf_unflushed_later(l);
	pthread_mutex_unlock(&l->v->mu);
}

/* How a write comes. */
enum how { AT_ONCE, APPENDS, LATE, COLLECTED };

/*
 * Bytes that reach us after their write(2), or from a mapping, come in whole pages,
 * also those that nobody changed.  Leave out of them what is entered, if it is the
 * same.  io held.
 */
static enum tf_code
leave_out_entered(struct tf_pending *l, const char **p, size_t *n,
    uint64_t *off, struct tf_error *err)
{
	const uint64_t fixed = tf_growth_fixed(l);
	const size_t part = *off >= fixed ? 0 :
	    *n < fixed - *off		  ? *n :
					    (size_t)(fixed - *off);
	char *is;
	size_t got = 0;
	enum tf_code rc;

	if (part == 0)
		return TF_OK;
	if ((is = malloc(part)) == NULL)
		return tf_nomem(err);
	rc = tf_content_read(l, is, part, *off, &got, err);
	if (rc == TF_OK && (got != part || memcmp(is, *p, part) != 0))
		rc = may_change(l, *off, err);
	free(is);
	*p += part;
	*n -= part;
	*off += part;
	return rc;
}

static enum tf_code
write_at(struct tf_file *f, const void *bytes, size_t n, uint64_t off,
    enum how how, struct tf_error *err)
{
	const bool append = how == APPENDS, collected = how == COLLECTED;
	const char *p = bytes;
	struct tf_pending *l = f->l;
	struct tf_error e = { .code = TF_OK };
	bool again;
	enum tf_code rc;

	tf_pending_lock(l);
	do {
		again = false;
		/* In each round: another writer may have appended. */
		if (append)
			off = l->size;
		rc = TF_OK;
		if (how == LATE || how == COLLECTED) {
			rc = leave_out_entered(l, &p, &n, &off, &e);
			if (rc == TF_OK && n == 0)
				goto out;
		} else if (n > 0 && (rc = may_change(l, off, err)) != TF_OK) {
			goto out;
		}
		if (rc != TF_OK)
			continue; /* other bytes of these pages are lost */
		if (off > SIZE_MAX_FILE || n > SIZE_MAX_FILE - off)
			rc = tf_fail(&e, TF_TOOBIG,
			    "a file can have 2^53-1 bytes");
		else
			rc = before_change(f, off + n, &again, &e);
	} while (again);
	if (rc == TF_OK)
		rc = tf_content_put(l, p, n, off, &e);
	if (rc == TF_OK)
		changed(f, off, off + n > l->size ? off + n : l->size,
		    collected);
	else /* a part of a write must never look like the whole */
		(void)tf_pending_fail(l, rc, &e, err);
	if (rc != TF_OK)
		mark_failed(l);
out:
	if (rc != TF_OK) /* an earlier round may have taken more */
		give_back(l);
	pthread_mutex_unlock(&l->io);
	return rc;
}

enum tf_code
tf_file_write_at(struct tf_file *f, const void *p, size_t n, uint64_t off,
    bool append, struct tf_error *err)
{
	return write_at(f, p, n, off, append ? APPENDS : AT_ONCE, err);
}

enum tf_code
tf_file_write_mapped(struct tf_file *f, const void *p, size_t n, uint64_t off,
    struct tf_error *err)
{
	return write_at(f, p, n, off, LATE, err);
}

enum tf_code
tf_file_write_collected(struct tf_file *f, const void *p, size_t n,
    uint64_t off, struct tf_error *err)
{
	return write_at(f, p, n, off, COLLECTED, err);
}

enum tf_code
tf_file_expect(struct tf_file *f, bool *alone, uint64_t *room,
    struct tf_error *err)
{
	struct tf_pending *l = f->l;
	bool again;
	enum tf_code rc;

	*alone = false;
	*room = 0;
	tf_pending_lock(l);
	do
		rc = before_change(f, l->size, &again, err);
	while (rc == TF_OK && again);
	if (rc == TF_OK) {
		pthread_mutex_lock(&l->v->mu);
		l->expecting = f;
		l->attr.mode = tf_mode_without_ids(l->attr.mode);
		l->gen++; /* so a flush without a write takes the mark away */
		*alone = l->writers == 1;
		*room = l->to != NULL ? 0 : tf_quota_room(l);
		pthread_mutex_unlock(&l->v->mu);
	}
	pthread_mutex_unlock(&l->io);
	return rc;
}

void
tf_file_written_at(struct tf_file *f, const struct tf_time *at)
{
	struct tf_pending *l = f->l;

	pthread_mutex_lock(&f->v->mu);
	if (l->attr.state != TF_STATE_FROZEN &&
	    l->attr.state != TF_STATE_SEALED)
		l->attr.mtime = l->attr.ctime = *at;
	pthread_mutex_unlock(&f->v->mu);
}

bool
tf_file_follows_another(struct tf_file *f)
{
	bool yes;

	pthread_mutex_lock(&f->v->mu);
	yes = f->l->expecting != NULL && f->l->expecting != f;
	pthread_mutex_unlock(&f->v->mu);
	return yes;
}

uint64_t
tf_file_room(struct tf_file *f)
{
	struct tf_pending *l = f->l;
	uint64_t room = 0;

	tf_pending_lock(l);
	if (tf_secret_expect(l, NULL) == TF_OK) {
		pthread_mutex_lock(&l->v->mu);
		room = l->to != NULL ? 0 : tf_quota_room(l);
		pthread_mutex_unlock(&l->v->mu);
	}
	pthread_mutex_unlock(&l->io);
	return room;
}

enum tf_code
tf_file_set_size(struct tf_file *f, uint64_t size, struct tf_error *err)
{
	struct tf_pending *l = f->l;
	bool again;
	enum tf_code rc;

	tf_pending_lock(l);
	do {
		if (size == l->size) {
			give_back(l); /* an earlier round may have taken more */
			pthread_mutex_unlock(&l->io);
			return TF_OK;
		}
		again = false;
		if ((rc = may_change(l, size, err)) == TF_OK)
			rc = before_change(f, size, &again, err);
	} while (again);
	if (rc == TF_OK)
		rc = tf_content_resize(l, size, err);
	if (rc == TF_OK)
		changed(f, size < l->size ? size : l->size, size, false);
	else
		give_back(l);
	pthread_mutex_unlock(&l->io);
	return rc;
}

enum tf_code
tf_file_allocate(struct tf_file *f, uint64_t off, uint64_t len, bool grow,
    struct tf_error *err)
{
	struct tf_pending *l = f->l;
	uint64_t size;
	enum tf_code rc;

	if (len > SIZE_MAX_FILE || off > SIZE_MAX_FILE - len)
		return tf_fail(err, TF_TOOBIG, "a file can have 2^53-1 bytes");
	tf_pending_lock(l);
	size = l->size;
	pthread_mutex_unlock(&l->io);
	if (off + len <= size)
		return TF_OK;
	if (grow)
		return tf_file_set_size(f, off + len, err);
	/* KEEP_SIZE: check that there is space, reserve nothing. */
	tf_pending_lock(l);
	pthread_mutex_lock(&f->v->mu);
	rc = may_grow(l, off + len, err);
	tf_quota_charge(l, l->size);
	pthread_mutex_unlock(&f->v->mu);
	pthread_mutex_unlock(&l->io);
	return rc == TF_OK ?
	    tf_space_take(f->v, f->uid, off + len - size, 0, err) :
	    rc;
}
