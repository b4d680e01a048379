/*
 * Handles for writing: create, open, flush, release.  The last release freezes
 * the file.  It has nobody to report to, so everything it needs was reserved
 * before (I4).
 *
 * An open claims the file for a moment.  So it waits for a seal or a rename
 * that is under way, and when the claim fails the file is sealed, or gone, and
 * stays so.  A handle holds a reference of the node and counts in its
 * `writers`: while there are writers, nobody freezes or seals the file.
 *
 * A flush makes the bytes durable and answers after the COMMIT (F2).  With
 * durability=batch it answers at once, and tf_pending_tend() flushes after the
 * release; a short file is flushed by tf_unflushed_keep() a moment later, with
 * many others.  A crash before that loses the last changes: nobody was promised
 * them.  vault.mu is held for moments only; io is taken before mu.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../commit/flush.h"
#include "../commit/pending_read.h"
#include "../ledger/policy.h"
#include "../node/actor.h"
#include "../node/attr.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/closed.h"
#include "../node/freeze.h"
#include "../node/growth.h"
#include "../node/idle.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/refusal.h"
#include "../node/text.h"
#include "../node/user.h"
#include "../node/vault_i.h"
#include "../seal/placeholder.h"
#include "../seal/tend.h"
#include "../seal/unflushed.h"
#include "../vault.h"
#include "file_write.h"
#include "namespace.h"

struct closing_wait {
	pthread_mutex_t mu;
	pthread_cond_t over;
	bool done; /* guarded by mu, as are the fields below */
	enum tf_code rc;
	struct tf_error err;
};

/* With durability=batch: with more bytes in memory a close waits for disk. */
#define BATCH_UNSAVED ((uint64_t)64 << 20)

/* NULL is nothing; mu is not held. */
static void
free_handle(struct tf_file *f)
{
	struct tf_user *u;

	if (f == NULL)
		return;
	atomic_fetch_sub(&f->v->counters.writers, 1);
	pthread_mutex_lock(&f->v->mu);
	tf_text_unref(f->actor);
	if (f->counted && (u = tf_user_of(f->v, f->uid)) != NULL)
		u->open--;
	pthread_mutex_unlock(&f->v->mu);
	free(f);
}

/* Count f among the open files of its uid, or fail; mu is held. */
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

/*
 * Make a handle, still without a file.  It keeps the actor, because the entry
 * names the last writer, who may be gone by then.  No lock is held.
 */
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
	atomic_fetch_add(&v->counters.writers, 1);
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

	/* First all that can fail: once the name exists, the call succeeds. */
	if ((rc = tf_space_take(v, who->uid, TF_FILE_COST, 1, err)) != TF_OK ||
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
	tf_vault_learn(v, out->uid, out->gid); /* perhaps those of the parent */
	*file = f;
	return TF_OK;
}

/* O_TRUNC; io is not held. */
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
	struct tf_pending *l;
	enum tf_code rc;

	if ((rc = tf_vault_getattr(v, id, &a, err)) != TF_OK)
		return rc;
	if (a.kind != TF_KIND_EVIDENCE)
		return tf_fail(err, TF_ISDIR, "is a directory");
	if ((rc = new_handle(v, who, &f, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id);
	if (l == NULL || !tf_pending_claim(v, l)) {
		pthread_mutex_unlock(&v->mu);
		free_handle(f);
		return tf_sealed_refusal(req, err);
	}
	s = tf_pending_subject(l, who->uid);
	if ((rc = tf_policy(&s, req, who->uid)) != TF_OK)
		rc = tf_refusal(rc, &s, req, l->name, err);
	if (rc == TF_OK)
		rc = tf_closed_refuses(v, l->att, err);
	if (rc == TF_OK && l->failed != TF_OK)
		rc = tf_pending_failure(l, err);
	if (rc == TF_OK)
		rc = tf_vault_writable_locked(v, err);
	if (rc == TF_OK)
		rc = tf_pending_opened(l, who->uid, err);
	if (rc == TF_OK) {
		tf_pending_ref(l); /* the handle's */
		f->l = l;
	}
	tf_pending_unclaim(v, l);
	pthread_mutex_unlock(&v->mu);
	if (rc != TF_OK) {
		free_handle(f);
		return rc;
	}
	/* Without the claim: the mark of F4 waits until no claim is left. */
	if (truncate && (rc = cut(f, err)) != TF_OK)
		tf_file_release(f);
	else
		*file = f;
	return rc;
}

enum tf_code
tf_file_read_at(struct tf_file *f, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err)
{
	return tf_pending_read(f->l, p, n, off, got, err);
}

/* The entry names the last writer.  mu held. */
static void
set_actor(struct tf_file *f)
{
	if (!f->wrote)
		return;
	tf_text_unref(f->l->actor);
	f->l->actor = tf_text_ref(f->actor);
	f->wrote = false;
}

/* fsync(2) of a file that was never written: it is meant to be empty. */
static void
write_nothing(struct tf_file *f)
{
	struct tf_pending *l = f->l;

	tf_pending_lock(l);
	pthread_mutex_lock(&f->v->mu);
	if (!tf_pending_written(l) && !l->unlinked) {
		l->wrote = f->wrote = true;
		l->gen++;
		if (l->attr.state == TF_STATE_PLACEHOLDER)
			l->attr.state = TF_STATE_OPEN;
		tf_pending_index(l);
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
	set_actor(f);
	if (sync && f->l->growth != NULL)
		tf_growth_due(f->l, true);
	wait = sync || f->v->durability != TF_DURABLE_BATCH ||
	    f->v->unsaved > BATCH_UNSAVED;
	if (f->l->failed != TF_OK)
		(void)tf_pending_failure(f->l, &e);
	pthread_mutex_unlock(&f->v->mu);
	if (wait)
		tf_flush(f->l, true, done, arg);
	else /* release flushes it */
		done(arg, e.code, &e);
}

bool
tf_file_awaits_organisation(struct tf_file *f)
{
	bool yes;

	pthread_mutex_lock(&f->v->mu);
	yes = tf_flush_enters(f->l);
	pthread_mutex_unlock(&f->v->mu);
	return yes;
}

uint64_t
tf_file_rewrites(struct tf_file *f)
{
	uint64_t n;

	pthread_mutex_lock(&f->v->mu);
	n = f->l->rewrites;
	pthread_mutex_unlock(&f->v->mu);
	return n;
}

/* --- the last close ------------------------------------------------------- */

/* The last handle for writing is gone; mu held. */
static void
last_release(struct tf_pending *l)
{
	tf_idle_touch(l->v, l->att);
	if (l->unlinked) {
		tf_pending_forget(&l->v->pending, l);
		return;
	}
	if (l->failed != TF_OK)
		return;
	if (l->attr.state == TF_STATE_OPEN)
		tf_pending_freeze(l);
	else if (l->attr.state == TF_STATE_PLACEHOLDER)
		tf_placeholder_rest(l);
}

void
tf_file_release(struct tf_file *f)
{
	struct tf_pending *l = f->l;
	struct tf_vault *v = f->v;
	bool waits;

	pthread_mutex_lock(&v->mu);
	set_actor(f);
	if (l->expecting == f)
		l->expecting = NULL;
	if (--l->writers == 0)
		last_release(l);
	tf_pending_index(l);
	waits = tf_unflushed_waits(l);
	pthread_mutex_unlock(&v->mu);
	if (!waits)
		tf_pending_tend(l);
	pthread_mutex_lock(&v->mu);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
	free_handle(f);
}

void
tf_file_abandon(struct tf_file *f)
{
	struct tf_vault *v = f->v;

	pthread_mutex_lock(&v->mu);
	if (f->l->expecting == f)
		f->l->expecting = NULL;
	tf_pending_unref(f->l);
	pthread_mutex_unlock(&v->mu);
	free_handle(f);
}

/* The result of the flush, perhaps in the committer's thread. */
static void
closed(void *arg, enum tf_code rc, const struct tf_error *err)
{
	struct closing_wait *w = arg;

	pthread_mutex_lock(&w->mu);
	w->rc = rc;
	if (rc != TF_OK)
		w->err = *err;
	w->done = true;
	pthread_cond_signal(&w->over);
	pthread_mutex_unlock(&w->mu);
}

enum tf_code
tf_file_close(struct tf_vault *v, struct tf_file *f, struct tf_error *err)
{
	struct closing_wait w = { .mu = PTHREAD_MUTEX_INITIALIZER,
		.over = PTHREAD_COND_INITIALIZER };

	tf_vault_slow(v);
	tf_file_flush(f, false, closed, &w);
	pthread_mutex_lock(&w.mu);
	while (!w.done)
		pthread_cond_wait(&w.over, &w.mu);
	pthread_mutex_unlock(&w.mu);
	tf_file_release(f);
	return w.rc == TF_OK ? TF_OK : tf_fail_as(err, &w.err);
}

enum tf_code
tf_vault_sync_file(struct tf_vault *v, uint64_t id, const struct tf_actor *who,
    struct tf_error *err)
{
	struct tf_pending *l;
	enum tf_code rc;
	bool mine;

	if (v->read_only)
		return TF_OK;
	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id);
	mine = l != NULL && tf_pending_rests(l) &&
	    (who->uid == 0 || who->uid == l->attr.uid);
	pthread_mutex_unlock(&v->mu);
	if (!mine)
		return TF_OK;
	rc = tf_vault_sync(v, id, who, err);
	return rc == TF_NOTFOUND ? TF_OK : rc; /* unlinked meanwhile */
}
