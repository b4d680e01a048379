/*
 * The flush: brings content, name and writer of a file to stable storage, in
 * one group commit with the other queued jobs.  A failed flush is final for its
 * file: the kernel may have dropped the dirty pages, so a second flush could
 * report success for lost data (I4).
 *
 * With durability=org it also enters what the file holds.  Of a trail with
 * recipients that is the age file, which is made here, before the seal: no other
 * bytes leave this host, and the seal takes the same one if nobody writes the file
 * again.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/mutant.h"
#include "../ledger/entry.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/encrypted.h"
#include "../node/freeze.h"
#include "../node/growth.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/recipients.h"
#include "../node/secret.h"
#include "../node/text.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../vault.h"
#include "append.h"
#include "commit.h"
#include "encrypt.h"
#include "flush.h"
#include "hasher.h"
#include "queue.h"
#include "staged_fd.h"
#include "staging.h"
#include "txn_path.h"

struct flush {
	struct tf_job job;
	struct tf_pending *l;
	bool is_inline;
	struct tf_buf body; /* inline: a copy, because the writer may go on */
	uint64_t size, gen;
	uint64_t begun_ns; /* boot clock */
	bool enters;	   /* append evidence.flushed */
	bool entered;	   /* that was done */
	bool encrypts;	   /* it is about the age file, for these recipients */
	uint64_t recipients, changes;
	struct tf_content flushed; /* what it says */
	struct tf_hash digest;
};

static void
fill_row(const struct tf_pending *l, struct tf_stage_row *r)
{
	const char *name = l->meant != NULL ? l->meant : l->name;

	memset(r, 0, sizeof(*r));
	r->attr = l->attr;
	r->aside = l->meant != NULL;
	r->name_len = strlen(name);
	memcpy(r->name, name, r->name_len);
	if (l->actor != NULL)
		r->actor = (struct tf_str){ l->actor->s, l->actor->n };
}

/* Save the ancestors that have no row, then l.  The strings of a row are copied
 * while mu is held. */
static enum tf_code
save_row(struct tf_txn *t, struct tf_pending *l, const struct flush *f,
    struct tf_error *err)
{
	struct tf_vault *v = t->v;
	struct tf_buf writers = { 0 }, actor = { 0 }, xattrs = { 0 };
	struct tf_stage_row r;
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	fill_row(l, &r);
	if (r.actor.n > 0)
		tf_buf_add(&actor, r.actor.p, r.actor.n);
	if (l->xattrs.n > 0 || l->growth != NULL)
		rc = tf_growth_row(l, &xattrs, err);
	if (l->n_uids > 0)
		tf_writers_json(l, &writers);
	r.unwritten = tf_pending_is_file(l) && !l->wrote;
	r.secret = l->secret;
	if (f != NULL) {
		r.has_digest = true;
		r.sha256 = f->digest;
		r.attr.size = f->size;
	} else if (tf_pending_is_file(l)) {
		r.has_digest = l->saved_gen > 0;
		r.sha256 = l->digest;
		r.dirty = l->marked || !tf_pending_clean(l);
	}
	pthread_mutex_unlock(&v->mu);
	r.actor = (struct tf_str){ actor.p, actor.n };
	r.xattrs = (struct tf_str){ xattrs.p, xattrs.n };
	r.writers = (struct tf_str){ writers.p, writers.n };
	if (rc == TF_OK)
		rc = actor.failed || xattrs.failed || writers.failed ?
		    tf_nomem(err) :
		    tf_stage_put(tf_txn_write(t), &r, err);
	tf_buf_free(&actor);
	tf_buf_free(&xattrs);
	tf_buf_free(&writers);
	return rc;
}

/* Collect the pending directories above l that have no row yet, nearest
 * first. */
static enum tf_code
save_directories(struct tf_txn *t, struct tf_pending *l, struct tf_error *err)
{
	struct tf_vault *v = t->v;
	uint64_t id = l->attr.parent;
	struct tf_pending *d;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK) {
		pthread_mutex_lock(&v->mu);
		d = tf_pending_get(&v->pending, id);
		if (d != NULL && d->saved)
			d = NULL;
		if (d != NULL) {
			tf_pending_ref(d);
			id = d->attr.parent;
		}
		pthread_mutex_unlock(&v->mu);
		if (d == NULL)
			break;
		rc = save_row(t, d, NULL, err);
		pthread_mutex_lock(&v->mu);
		tf_pending_unref(d);
		pthread_mutex_unlock(&v->mu);
	}
	return rc;
}

void
tf_stage_saved(struct tf_vault *v, struct tf_pending *l)
{
	do {
		l->saved = true;
		tf_pending_index(l);
		l = tf_pending_get(&v->pending, l->attr.parent);
	} while (l != NULL && !l->saved);
}

enum tf_code
tf_stage_save(struct tf_txn *t, struct tf_pending *l, struct tf_error *err)
{
	enum tf_code rc = save_directories(t, l, err);

	return rc == TF_OK ? save_row(t, l, NULL, err) : rc;
}

bool
tf_flush_enters(const struct tf_pending *l)
{
	return l->v->durability == TF_DURABLE_ORG && tf_pending_is_file(l) &&
	    tf_pending_written(l) && l->attr.state == TF_STATE_OPEN &&
	    !l->in_draft && !l->unlinked && l->meant == NULL;
}

/* Does the flush of l have to append what l holds, because its last entry says
 * something else?  mu held. */
static bool
is_unentered(const struct tf_pending *l)
{
	return tf_flush_enters(l) && l->flushed_gen != l->gen;
}

/* The entry that says what the file holds now, for the organisation.  The claim
 * keeps the name in place. */
static enum tf_code
enter(struct tf_txn *t, struct flush *f, struct tf_error *err)
{
	struct tf_entry e = { .type = TF_EVIDENCE_FLUSHED,
		.has_node = true,
		.node = f->l->attr.id,
		.has_flushed = true,
		.flushed = f->flushed,
		.has_encryption = f->encrypts };
	struct tf_pending *l = f->l;
	struct tf_buf path = { 0 }, actor = { 0 };
	enum tf_code rc;

	if (f->changes != atomic_load(&t->v->recipients.changes)) {
		/* Its trail may have other recipients: flush again. */
		pthread_mutex_lock(&t->v->mu);
		l->rewrites++;
		pthread_mutex_unlock(&t->v->mu);
		return TF_OK;
	}
	if (f->encrypts) {
		e.encryption_format = tf_str_of("age");
		e.encryption_recipients = f->recipients;
	}
	pthread_mutex_lock(&t->v->mu);
	if (l->actor != NULL)
		tf_buf_add(&actor, l->actor->s, l->actor->n);
	pthread_mutex_unlock(&t->v->mu);
	rc = tf_child_path(t, l->attr.parent, l->name, &path, err);
	e.path = tf_buf_bytes(&path);
	e.actor = tf_buf_bytes(&actor);
	if (rc == TF_OK)
		rc = actor.failed ? tf_nomem(err) :
				    tf_txn_append(t, &e, NULL, err);
	f->entered = rc == TF_OK;
	tf_buf_free(&path);
	tf_buf_free(&actor);
	return rc;
}

static enum tf_code
flush_run(struct tf_txn *t, struct tf_job *j, struct tf_error *err)
{
	struct flush *f = (struct flush *)j;
	enum tf_code rc;

	if ((rc = save_directories(t, f->l, err)) != TF_OK ||
	    (rc = save_row(t, f->l, f, err)) != TF_OK ||
	    (f->enters && (rc = enter(t, f, err)) != TF_OK) || !f->is_inline)
		return rc;
	return tf_object_put(t->db, f->l->attr.id, &f->digest,
	    tf_buf_bytes(&f->body).p, f->body.n, err);
}

static void
flush_done(struct tf_job *j, enum tf_code code, const struct tf_error *err)
{
	struct flush *f = (struct flush *)j;
	struct tf_pending *l = f->l;
	struct tf_vault *v = l->v;
	struct tf_waiter *w, *next;

	pthread_mutex_lock(&v->mu);
	if (code == TF_OK) {
		tf_stage_saved(v, l);
		l->saved_gen = f->gen;
		if (f->entered)
			l->flushed_gen = f->gen;
		l->marked = l->stale = l->unchecked = false;
		l->mark_ns = 0;
		l->hollow = !l->wrote && f->size == 0;
		l->digest = f->digest;
		l->in_db = f->is_inline;
		if (TF_IS_MUTANT(TF_SEAL_AT_FLUSH) &&
		    l->attr.state == TF_STATE_OPEN)
			tf_pending_freeze(l);
	} else if (code == TF_TOOMANY) {
		l->put_off = true;
	} else {
		tf_pending_set_failed(l, code, err);
	}
	w = l->waiters;
	l->waiters = NULL;
	l->job = false;
	tf_pending_index(l);
	pthread_cond_broadcast(&v->changed);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
	if (w != NULL && code == TF_OK)
		tf_histogram_add(&v->counters.closes, f->begun_ns);
	else if (w != NULL)
		atomic_fetch_add(&v->counters.close_failures, 1);
	for (; w != NULL; w = next) {
		next = w->next;
		w->done(w->arg, code, err);
		free(w);
	}
	tf_buf_free(&f->body);
	free(f);
}

/* True if a handle has l open for writing. */
static bool
is_written(struct tf_pending *l)
{
	bool yes;

	pthread_mutex_lock(&l->v->mu);
	yes = l->writers > 0;
	pthread_mutex_unlock(&l->v->mu);
	return yes;
}

/* Build the job from the content; io held, l claimed by us (job set). */
static enum tf_code
build_flush(struct tf_pending *l, struct flush **out, struct tf_error *err)
{
	struct flush *f = calloc(1, sizeof(*f));
	enum tf_code rc = TF_OK;

	if (f == NULL)
		return tf_nomem(err);
	f->job.run = flush_run;
	f->job.done = flush_done;
	f->l = l;
	f->size = l->size;
	f->gen = l->gen;
	f->is_inline = !l->in_file;
	f->enters = l->flush_enters;
	if (f->enters && l->size > l->flush_mark)
		l->flush_mark = l->size;
	if (l->fd >= 0) { /* else it was synced when fd was closed */
		tf_vault_slow(l->v);
		rc = tf_content_settle(l, err);
		if (rc == TF_OK)
			tf_content_hash(l);
		if (rc == TF_OK)
			rc = tf_content_sync(l, err);
	}
	/* The row relies on the file's name in stage/: sync that, too. */
	if (rc == TF_OK && l->in_file && !l->named) {
		rc = tf_file_sync_dir(l->v->stagefd, ".", err);
		l->named = rc == TF_OK;
	}
	if (rc == TF_OK && f->is_inline) {
		rc = tf_content_pack(l, &f->body, err);
		tf_sha256(tf_buf_bytes(&f->body).p, f->body.n, &f->digest);
	} else if (rc == TF_OK) {
		rc = tf_content_digest(l, &f->digest, err);
	}
	if (rc != TF_OK) {
		tf_buf_free(&f->body);
		free(f);
		return rc;
	}
	if (!is_written(l))
		tf_content_close(l);
	*out = f;
	return TF_OK;
}

/* True if no caller waits for the digest of l any more. */
static bool
is_moot(void *arg)
{
	struct tf_pending *l = arg;
	bool moot;

	pthread_mutex_lock(&l->v->mu);
	moot = l->unlinked;
	pthread_mutex_unlock(&l->v->mu);
	return moot || tf_vault_must_stop(l->v);
}

/* What the entry of f will say; io is held, and l is claimed.  A failure is not one of
 * the file: its bytes are where they were. */
static enum tf_code
prepare_entry(struct flush *f, struct tf_error *err)
{
	struct tf_pending *l = f->l;
	const struct tf_patience p = { .is_over = is_moot, .arg = l };
	const struct tf_encrypted *made;
	enum tf_code rc;

	f->changes = atomic_load(&l->v->recipients.changes);
	f->flushed = (struct tf_content){ .sha256 = f->digest,
		.size = f->size };
	if (TF_IS_MUTANT(TF_ENTER_STAGED))
		return TF_OK;
	rc = tf_encrypt_flushed(l, &p, &made, err);
	if (rc != TF_OK || made == NULL)
		return rc;
	f->encrypts = true;
	f->flushed = made->content;
	f->recipients = made->recipients;
	return TF_OK;
}

/* Nothing is flushed: what was staged stays as it is. */
static void
give_up(struct flush *f)
{
	struct tf_vault *v = f->l->v;

	pthread_mutex_lock(&v->mu);
	tf_pending_unclaim(v, f->l);
	pthread_mutex_unlock(&v->mu);
	tf_buf_free(&f->body);
	free(f);
}

static bool
add_waiter(struct tf_pending *l, tf_done done, void *arg)
{
	struct tf_waiter *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return false;
	w->done = done;
	w->arg = arg;
	w->next = l->waiters;
	l->waiters = w;
	return true;
}

static void
flush_failed(struct tf_pending *l, enum tf_code rc, struct tf_error *e)
{
	struct tf_vault *v = l->v;

	/* A lack of descriptors has lost no data, so a retry is allowed. */
	if (rc != TF_TOOMANY)
		(void)tf_pending_fail(l, rc, e, NULL);
	pthread_mutex_lock(&v->mu);
	l->put_off = rc == TF_TOOMANY;
	l->job = false;
	tf_pending_index(l);
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->mu);
}

/* Build the job; io held, l claimed by us, with a reference.  On failure there is
 * neither claim nor job. */
static enum tf_code
start_flush(struct tf_pending *l, struct flush **out, struct tf_error *err)
{
	struct tf_vault *v = l->v;
	enum tf_code rc = build_flush(l, out, err);

	if (rc != TF_OK) {
		flush_failed(l, rc, err);
		pthread_mutex_lock(&v->mu);
		tf_pending_unref(l);
		pthread_mutex_unlock(&v->mu);
	} else if ((*out)->enters && (rc = prepare_entry(*out, err)) != TF_OK) {
		give_up(*out);
		*out = NULL;
	}
	return rc;
}

/* True if more bytes are unhashed than may be hashed with locks held.  io and
 * mu held. */
static bool
is_long(struct tf_pending *l)
{
	if (!l->in_file || l->size <= TF_HASH_LONG)
		return false;
	if (tf_pending_in_order(l))
		return tf_hash_left(l->v->hasher, l, tf_pending_ordered(l)) >
		    TF_HASH_LONG;
	return l->hash == NULL || l->hash->whole_gen != l->gen;
}

/* Wait until the hasher has hashed the bytes that were written in order. */
static enum tf_code
hash_behind(struct tf_pending *l, const struct tf_patience *p,
    struct tf_error *err)
{
	struct tf_hasher *h = l->v->hasher;
	enum tf_code rc;

	tf_pending_lock(l);
	if ((rc = tf_content_settle(l, err)) == TF_OK)
		tf_content_hash(l);
	pthread_mutex_unlock(&l->io);
	if (rc != TF_OK)
		return rc;
	if (!tf_hash_await(h, l, p))
		return tf_fail(err, TF_INTERRUPTED, "interrupted");
	tf_pending_lock(l);
	/* A read of the hasher failed: the whole file is hashed again, which
	 * reports the error. */
	if (!l->hash->hashing && tf_hash_left(h, l, l->hash->upto) > 0)
		tf_pending_disorder(l);
	pthread_mutex_unlock(&l->io);
	return TF_OK;
}

/* Hash the whole content, and store the digest if the content is unchanged. */
static enum tf_code
hash_all(struct tf_pending *l, const struct tf_patience *p,
    struct tf_error *err)
{
	struct tf_hash digest;
	uint64_t gen, size;
	enum tf_code rc;
	int fd;

	tf_pending_lock(l);
	gen = l->gen;
	fd = -1;
	if ((rc = tf_hash_need(l, err)) == TF_OK &&
	    (rc = tf_content_settle(l, err)) == TF_OK)
		rc = tf_content_open(l, &fd, err);
	pthread_mutex_unlock(&l->io);
	if (rc != TF_OK)
		return rc;
	/* The file system reports holes precisely only for synced data, and the
	 * flush syncs the file in any case. */
	if ((rc = tf_file_datasync(fd, err)) == TF_OK)
		rc = tf_hash_whole(l->v->hasher, l->attr.uid, fd, p, &digest,
		    &size, err);
	(void)close(fd);
	if (rc != TF_OK)
		return rc;
	tf_pending_lock(l);
	if (gen == l->gen && size == tf_pending_stored(l)) {
		l->hash->whole = digest;
		l->hash->whole_gen = gen;
	} else if (gen == l->gen) {
		rc = tf_fail(err, TF_TAMPER, "a staged file changed its size");
	}
	pthread_mutex_unlock(&l->io);
	return rc;
}

/* Hash a long file without a lock, while other threads read and write it. */
static enum tf_code
hash_long(struct tf_pending *l, bool waits, struct tf_error *err)
{
	struct tf_patience p = { .is_over = is_moot, .arg = l, .waits = waits };
	bool in_order;

	tf_vault_slow(l->v);
	tf_pending_lock(l);
	in_order = tf_pending_in_order(l);
	pthread_mutex_unlock(&l->io);
	return in_order ? hash_behind(l, &p, err) : hash_all(l, &p, err);
}

void
tf_flush(struct tf_pending *l, bool waits, tf_done done, void *arg)
{
	struct tf_error e = { .code = TF_OK };
	struct tf_vault *v = l->v;
	const uint64_t begun_ns = tf_clock_boot_ns();
	struct flush *f = NULL;
	bool enters;
	enum tf_code rc = TF_OK;

	tf_pending_lock(l);
	pthread_mutex_lock(&v->mu);
	for (;;) {
		if (l->failed != TF_OK) {
			rc = tf_pending_failure(l, &e);
			break;
		}
		enters = waits && is_unentered(l);
		if ((tf_pending_clean(l) && !enters) || l->unlinked)
			break; /* nothing to do */
		if (l->attr.state == TF_STATE_SEALED) {
			rc = tf_fail(&e, TF_SEALED, "it was sealed meanwhile");
			break;
		}
		if (!l->job && is_long(l)) {
			pthread_mutex_unlock(&v->mu);
			pthread_mutex_unlock(&l->io);
			rc = hash_long(l, waits, &e);
			tf_pending_lock(l);
			pthread_mutex_lock(&v->mu);
			if (l->unlinked)
				rc = TF_OK;
			if (rc != TF_OK)
				break;
			continue;
		}
		if (!l->job) {
			l->job = true;
			l->flushing_gen = l->gen;
			l->flush_enters = enters;
			l->put_off = false;
			tf_pending_ref(l);
			pthread_mutex_unlock(&v->mu);
			rc = start_flush(l, &f, &e);
			pthread_mutex_lock(&v->mu);
			break;
		}
		/* A flush of exactly these bytes is running: wait for it. */
		if (l->flushing_gen == l->gen && done != NULL &&
		    (!enters || l->flush_enters) && add_waiter(l, done, arg)) {
			pthread_mutex_unlock(&v->mu);
			pthread_mutex_unlock(&l->io);
			return;
		}
		pthread_mutex_unlock(&l->io);
		tf_vault_wait(v);
		pthread_mutex_unlock(&v->mu);
		tf_pending_lock(l);
		pthread_mutex_lock(&v->mu);
	}
	if (f != NULL)
		f->begun_ns = begun_ns;
	if (f != NULL && done != NULL && !add_waiter(l, done, arg)) {
		rc = tf_nomem(&e); /* reported below */
		tf_commit_submit(v->commit, &f->job);
		f = NULL;
	}
	pthread_mutex_unlock(&v->mu);
	if (f != NULL && waits)
		tf_commit_queue(v->commit, &f->job);
	else if (f != NULL)
		tf_commit_submit(v->commit, &f->job);
	pthread_mutex_unlock(&l->io);
	/* Somebody waits for the result: perhaps this thread can commit.  l and f
	 * may be freed already. */
	if (f != NULL && waits)
		tf_commit_run(v->commit);
	if (f == NULL && done != NULL && rc != TF_OK)
		atomic_fetch_add(&v->counters.close_failures, 1);
	if (f == NULL && done != NULL)
		done(arg, rc, &e);
}
