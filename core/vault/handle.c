/*
 * Files open for writing: their handles.  The last release freezes and reports
 * to nobody, so all that it needs was reserved before (I4).
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../commit/commit.h"
#include "../commit/flush.h"
#include "../commit/staging.h"
#include "../ledger/policy.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/closed.h"
#include "../node/freeze.h"
#include "../node/pending.h"
#include "../node/quota.h"
#include "../node/refusal.h"
#include "../node/text.h"
#include "../node/vault_i.h"
#include "../seal/tend.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../vault.h"
#include "namespace.h"

/* Bytes in memory only, beyond which a close waits all the same. */
#define BATCH_UNSAVED ((uint64_t)64 << 20)
#define SIZE_MAX_FILE ((uint64_t)TF_JSON_MAX) /* entries cannot say more */

struct tf_file {
	struct tf_vault *v;
	struct tf_live *l;
	uint32_t uid;
	struct tf_text *actor;
	bool counted; /* among the open files of uid */
	bool wrote;
	bool by_path; /* truncate(2) */
};

/* mu is not held. */
static void
free_handle(struct tf_file *f)
{
	struct tf_user *u;

	if (f == NULL)
		return;
	pthread_mutex_lock(&f->v->mu);
	tf_text_unref(f->actor);
	if (f->counted && (u = tf_user_of(f->v, f->uid)) != NULL)
		u->open--;
	pthread_mutex_unlock(&f->v->mu);
	free(f);
}

/* One more that f->uid has open; mu is held. */
static enum tf_code
count(struct tf_file *f, struct tf_error *err)
{
	enum tf_code rc = tf_quota_open(f->v, f->uid, err);
	struct tf_user *u;

	if (rc == TF_OK && (u = tf_user_of(f->v, f->uid)) != NULL) {
		u->open++;
		f->counted = true;
	}
	return rc;
}

/* A handle without a file yet.  No lock is held. */
static enum tf_code
new_handle(struct tf_vault *v, const struct tf_actor *who, struct tf_file **out,
    struct tf_error *err)
{
	struct tf_file *f = calloc(1, sizeof(*f));
	char *actor = NULL;
	enum tf_code rc;

	if (f == NULL)
		return tf_nomem(err);
	tf_vault_learn(v, who->uid, who->gid);
	f->v = v;
	f->uid = who->uid;
	rc = tf_actor_text(who, &actor, err);
	if (rc == TF_OK) {
		pthread_mutex_lock(&v->mu);
		f->actor = tf_text_get(&v->texts, actor, strlen(actor));
		rc = f->actor == NULL ? tf_nomem(err) : count(f, err);
		pthread_mutex_unlock(&v->mu);
	}
	free(actor);
	if (rc == TF_OK)
		*out = f;
	else
		free_handle(f);
	return rc;
}

enum tf_code
tf_vault_create(struct tf_vault *v, uint64_t parent, const char *name,
    uint32_t mode, const struct tf_actor *who, struct tf_attr *out,
    struct tf_file **file, struct tf_error *err)
{
	struct tf_file *f;
	enum tf_code rc;

	if ((rc = tf_space_take(v, TF_FILE_COST, 1, err)) != TF_OK ||
	    (rc = new_handle(v, who, &f, err)) != TF_OK)
		return rc;
	rc = tf_names_create(v, parent, name, mode, who, f->actor->s, &f->l,
	    err);
	if (rc != TF_OK) {
		free_handle(f);
		return rc;
	}
	pthread_mutex_lock(&v->mu);
	*out = f->l->attr;
	pthread_mutex_unlock(&v->mu);
	tf_vault_learn(v, out->uid, out->gid); /* of the parent, perhaps */
	*file = f;
	return TF_OK;
}

/* Cut to nothing, for O_TRUNC; io not held. */
static enum tf_code
cut(struct tf_file *f, struct tf_error *err)
{
	return tf_file_set_size(f, 0, err);
}

enum tf_code
tf_vault_open_write(struct tf_vault *v, uint64_t id, bool truncate,
    const struct tf_actor *who, struct tf_file **file, struct tf_error *err)
{
	enum tf_request req = truncate ? TF_REQ_TRUNCATE_OPEN :
					 TF_REQ_WRITE_OPEN;
	struct tf_file *f;
	struct tf_attr a;
	struct tf_subject s;
	struct tf_live *l;
	enum tf_code rc;

	if ((rc = tf_vault_getattr(v, id, &a, err)) != TF_OK)
		return rc;
	if (a.kind != TF_KIND_EVIDENCE)
		return tf_fail(err, TF_ISDIR, "is a directory");
	if ((rc = new_handle(v, who, &f, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	l = tf_live_get(&v->live, id);
	if (l == NULL || !tf_live_claim(v, l)) {
		pthread_mutex_unlock(&v->mu);
		free_handle(f);
		return tf_sealed_refusal(req, err);
	}
	s = tf_live_subject(l, who->uid);
	if ((rc = tf_policy(&s, req, who->uid)) != TF_OK)
		rc = tf_refusal(rc, &s, req, l->name, err);
	if (rc == TF_OK)
		rc = tf_closed_refuses(v, l->att, err);
	if (rc == TF_OK && l->failed != TF_OK)
		rc = tf_live_failure(l, err);
	if (rc == TF_OK)
		rc = tf_vault_writable_locked(v, err);
	if (rc == TF_OK)
		rc = tf_live_opened(l, who->uid, err);
	if (rc == TF_OK) {
		tf_live_ref(l); /* the handle's */
		f->l = l;
	}
	tf_live_unclaim(v, l);
	pthread_mutex_unlock(&v->mu);
	if (rc != TF_OK) {
		free_handle(f);
		return rc;
	}
	if (truncate && (rc = cut(f, err)) != TF_OK)
		tf_file_release(f);
	else
		*file = f;
	return rc;
}

struct mark {
	struct tf_live *l;
	bool wrote;
};

static enum tf_code
dirty_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct mark *m = arg;

	return tf_stage_set_dirty(tf_txn_write(t), m->l->attr.id, m->wrote,
	    err);
}

/*
 * The first change after a flush, or the first that is writing: a durable mark
 * says that the row no longer tells everything.  io held; the committer never
 * takes it.
 */
static enum tf_code
dirty_again(struct tf_file *f, struct tf_error *err)
{
	struct tf_live *l = f->l;
	struct tf_vault *v = l->v;
	struct mark m = { .l = l };
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	/* A flush under way would write a row that knows nothing of this. */
	tf_live_wait(v, l);
	m.wrote = l->wrote || !f->by_path;
	if (l->hollow && !f->by_path) {
		tf_mark_later(l);
	} else if (l->saved && l->saved_gen > 0 &&
	    (!l->marked || m.wrote != l->wrote)) {
		l->job = true;
		l->marked = true;
		l->hollow = false;
		pthread_mutex_unlock(&v->mu);
		rc = tf_commit_wait(v->commit, dirty_run, &m, err);
		pthread_mutex_lock(&v->mu);
		l->marked = rc == TF_OK;
		l->job = false;
		tf_live_index(l);
		pthread_cond_broadcast(&v->changed);
	}
	pthread_mutex_unlock(&v->mu);
	return rc;
}

/* The content changed: everybody may know.  io held. */
static void
changed(struct tf_file *f, uint64_t size)
{
	struct tf_live *l = f->l;
	struct tf_time now = tf_clock_now();

	pthread_mutex_lock(&l->v->mu);
	l->gen++;
	l->unchecked = false;
	l->size = l->attr.size = size;
	tf_quota_charge(l, size);
	l->attr.mtime = l->attr.ctime = now;
	l->attr.mode = tf_mode_without_ids(l->attr.mode);
	l->wrote = l->wrote || !f->by_path;
	if (l->attr.state == TF_STATE_PLACEHOLDER) {
		l->attr.state = TF_STATE_OPEN;
		tf_live_index(l);
	}
	f->wrote = true;
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

/* May l become that long?  Then that much is charged to its owner.  io held,
 * mu too. */
static enum tf_code
may_grow(struct tf_live *l, uint64_t end, struct tf_error *err)
{
	enum tf_code rc;

	if (end <= l->size)
		return TF_OK;
	rc = tf_size_check(l->v, end, err);
	return rc == TF_OK ? tf_quota_take(l, end, err) : rc;
}

/* What was charged for more than there is, is given back.  io held. */
static void
give_back(struct tf_live *l)
{
	pthread_mutex_lock(&l->v->mu);
	tf_quota_charge(l, l->size);
	pthread_mutex_unlock(&l->v->mu);
}

/* Space for growing to end, and the file's past checked.  io held. */
static enum tf_code
before_change(struct tf_file *f, uint64_t end, struct tf_error *err)
{
	struct tf_live *l = f->l;
	enum tf_code rc;

	pthread_mutex_lock(&l->v->mu);
	if (l->failed != TF_OK)
		rc = tf_live_failure(l, err);
	else if (l->attr.state == TF_STATE_SEALED)
		rc = tf_fail(err, TF_SEALED, "it was sealed meanwhile");
	else
		rc = may_grow(l, end, err);
	pthread_mutex_unlock(&l->v->mu);
	if (rc == TF_OK && end > l->size)
		rc = tf_space_take(l->v,
		    (end - l->size) * (end <= TF_INLINE_MAX ? 2 : 1), 0, err);
	if (rc == TF_OK)
		rc = dirty_again(f, err);
	if (rc == TF_OK)
		rc = tf_content_load(l, err);
	return rc;
}

/* Its row may say that it is a placeholder, which a crash would make true.  io
 * held. */
static void
mark_failed(struct tf_live *l)
{
	pthread_mutex_lock(&l->v->mu);
	if (l->hollow)
		tf_mark_later(l);
	pthread_mutex_unlock(&l->v->mu);
}

enum tf_code
tf_file_write_at(struct tf_file *f, const void *p, size_t n, uint64_t off,
    bool append, struct tf_error *err)
{
	struct tf_live *l = f->l;
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc;

	tf_live_lock(l);
	if (append)
		off = l->size;
	if (off > SIZE_MAX_FILE || n > SIZE_MAX_FILE - off)
		rc = tf_fail(&e, TF_TOOBIG, "a file can have 2^53-1 bytes");
	else
		rc = before_change(f, off + n, &e);
	if (rc == TF_OK)
		rc = tf_content_put(l, p, n, off, &e);
	if (rc == TF_OK)
		changed(f, off + n > l->size ? off + n : l->size);
	else /* half of what was sent must never look like all of it */
		(void)tf_live_fail(l, rc, &e, err);
	if (rc != TF_OK)
		mark_failed(l);
	if (rc != TF_OK)
		give_back(l);
	pthread_mutex_unlock(&l->io);
	return rc;
}

/* For setattr: a size through a handle. */
enum tf_code
tf_file_set_size(struct tf_file *f, uint64_t size, struct tf_error *err)
{
	struct tf_live *l = f->l;
	enum tf_code rc;

	tf_live_lock(l);
	if (size == l->size) {
		pthread_mutex_unlock(&l->io);
		return TF_OK;
	}
	rc = before_change(f, size, err);
	if (rc == TF_OK)
		rc = tf_content_resize(l, size, err);
	if (rc == TF_OK)
		changed(f, size);
	else
		give_back(l);
	pthread_mutex_unlock(&l->io);
	return rc;
}

enum tf_code
tf_path_set_size(struct tf_vault *v, uint64_t id, uint64_t size,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_file *f;
	enum tf_code rc = tf_vault_open_write(v, id, false, who, &f, err);

	if (rc != TF_OK)
		return rc;
	f->by_path = true;
	rc = tf_file_set_size(f, size, err);
	tf_file_release(f);
	return rc;
}

enum tf_code
tf_file_allocate(struct tf_file *f, uint64_t off, uint64_t len, bool grow,
    struct tf_error *err)
{
	struct tf_live *l = f->l;
	uint64_t size;
	enum tf_code rc;

	if (len > SIZE_MAX_FILE || off > SIZE_MAX_FILE - len)
		return tf_fail(err, TF_TOOBIG, "a file can have 2^53-1 bytes");
	tf_live_lock(l);
	size = l->size;
	pthread_mutex_unlock(&l->io);
	if (off + len <= size)
		return TF_OK;
	if (grow)
		return tf_file_set_size(f, off + len, err);
	/* KEEP_SIZE: see that the space is there, and leave it at that. */
	tf_live_lock(l);
	pthread_mutex_lock(&f->v->mu);
	rc = may_grow(l, off + len, err);
	tf_quota_charge(l, l->size);
	pthread_mutex_unlock(&f->v->mu);
	pthread_mutex_unlock(&l->io);
	return rc == TF_OK ? tf_space_take(f->v, off + len - size, 0, err) : rc;
}

enum tf_code
tf_file_read_at(struct tf_file *f, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err)
{
	return tf_live_read(f->l, p, n, off, got, err);
}

/* The entry names who wrote last.  mu held. */
static void
own(struct tf_file *f)
{
	if (!f->wrote)
		return;
	tf_text_unref(f->l->actor);
	f->l->actor = tf_text_ref(f->actor);
	f->wrote = false;
}

/* fsync(2) of what was never written: it is meant to be empty. */
static void
write_nothing(struct tf_file *f)
{
	struct tf_live *l = f->l;

	tf_live_lock(l);
	pthread_mutex_lock(&f->v->mu);
	if (!tf_live_written(l) && !l->unlinked) {
		l->wrote = f->wrote = true;
		l->gen++;
		if (l->attr.state == TF_STATE_PLACEHOLDER)
			l->attr.state = TF_STATE_OPEN;
		tf_live_index(l);
	}
	pthread_mutex_unlock(&f->v->mu);
	pthread_mutex_unlock(&l->io);
}

void
tf_file_flush(struct tf_file *f, bool sync, tf_done done, void *arg)
{
	struct tf_error e = { .code = TF_OK };
	bool wait;

	if (sync)
		write_nothing(f);
	pthread_mutex_lock(&f->v->mu);
	own(f);
	wait = sync || f->v->durability == TF_DURABLE_CLOSE ||
	    f->v->unsaved > BATCH_UNSAVED;
	if (f->l->failed != TF_OK)
		(void)tf_live_failure(f->l, &e);
	pthread_mutex_unlock(&f->v->mu);
	if (wait)
		tf_flush(f->l, done, arg);
	else /* the release will flush it */
		done(arg, e.code, &e);
}

/* --- the last close ------------------------------------------------------- */

/* The last release of a file; mu held. */
static void
last_release(struct tf_live *l)
{
	tf_quiet_touch(l->v, l->att);
	if (l->unlinked) {
		tf_live_forget(&l->v->live, l);
		return;
	}
	if (l->failed != TF_OK)
		return;
	if (l->attr.state == TF_STATE_OPEN)
		tf_live_freeze(l);
	else if (l->attr.state == TF_STATE_PLACEHOLDER)
		tf_placeholder_rest(l);
}

void
tf_file_release(struct tf_file *f)
{
	struct tf_live *l = f->l;
	struct tf_vault *v = f->v;

	pthread_mutex_lock(&v->mu);
	own(f);
	if (--l->writers == 0)
		last_release(l);
	tf_live_index(l);
	pthread_mutex_unlock(&v->mu);
	tf_live_tend(l);
	pthread_mutex_lock(&v->mu);
	tf_live_unref(l);
	pthread_mutex_unlock(&v->mu);
	free_handle(f);
}

void
tf_file_abandon(struct tf_file *f)
{
	struct tf_vault *v = f->v;

	pthread_mutex_lock(&v->mu);
	tf_live_unref(f->l);
	pthread_mutex_unlock(&v->mu);
	free_handle(f);
}
