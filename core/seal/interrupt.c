/*
 * A file whose content is not what its writer sent gives up its name and
 * becomes a draft: see interrupt.h.
 *
 * Order: the node gets the name of a draft in memory; its row says so,
 * durably, with the mark that an entry is owed (renamed_run()); what survived
 * is read and hashed without a lock; one transaction commits the entry and the
 * row of the draft (interrupted_run()).  Only then `failed` is cleared.  After
 * a crash tf_recover_step_aside() goes on from a row with that mark; without
 * the mark, recovery decides by the bytes.  So the old name is free at once,
 * and the ledger always says in the end what became of the file (F7).
 *
 * The claim is held for renaming and for the commit, and not while the file is
 * hashed: l->interruption keeps others away meanwhile.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/show.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/flush.h"
#include "../commit/hasher.h"
#include "../commit/queue.h"
#include "../commit/staging.h"
#include "../ledger/entry.h"
#include "../ledger/name.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/growth.h"
#include "../node/interruption.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "grow.h"
#include "interrupt.h"

/*
 * The entry and the row of the draft, or neither.  The content is then in the
 * database or in the staged file, in one place only.
 */
static enum tf_code
interrupted_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct tf_interruption *x = arg;
	struct tf_entry e = { .type = TF_EVIDENCE_INTERRUPTED,
		.has_content = true,
		.content = x->content,
		.path = tf_buf_bytes(&x->path),
		.draft = { x->draft, strlen(x->draft) } };
	enum tf_code rc;

	if (x->actor != NULL)
		e.actor = (struct tf_str){ x->actor, strlen(x->actor) };
	/* No entry can name a path in a draft attestation. */
	if (!x->unnamed && (rc = tf_txn_append(t, &e, NULL, err)) != TF_OK)
		return rc;
	if ((rc = tf_stage_save(t, x->l, err)) != TF_OK)
		return rc;
	if (x->l->in_file)
		return tf_object_drop(t->db, x->l->attr.id, err);
	return tf_object_put(t->db, x->l->attr.id, &x->content.sha256,
	    tf_buf_bytes(&x->body).p, x->body.n, err);
}

/* A free name for the draft; mu held. */
static enum tf_code
draft_name(struct tf_pending *l, struct tf_db *db, char out[256],
    struct tf_error *err)
{
	struct tf_time at = tf_clock_now();
	struct tf_node_row row;
	enum tf_code rc;

	for (;; at.s++) {
		tf_name_interrupted(l->name, l->name_len, at, out);
		if (tf_pending_find(&l->v->pending, l->attr.parent, out,
			strlen(out)) != NULL)
			continue;
		rc = tf_nodes_find(db, l->attr.parent, out, strlen(out), &row,
		    err);
		if (rc != TF_OK)
			return rc == TF_NOTFOUND ? TF_OK : rc;
	}
}

/* Hashing ends early when the vault does; the next start hashes again. */
static bool
ends(void *arg)
{
	struct tf_vault *v = arg;

	return atomic_load(&v->ending) || atomic_load(&v->stopping);
}

/* Read and hash what survived of the content in the database or in memory. */
static enum tf_code
surviving_short(struct tf_pending *l, struct tf_interruption *x,
    struct tf_error *err)
{
	struct tf_str stored;
	enum tf_code rc;

	tf_pending_lock(l);
	x->size = l->size;
	if ((rc = tf_content_load(l, err)) == TF_OK)
		rc = tf_content_pack(l, &x->body, err);
	pthread_mutex_unlock(&l->io);
	stored = tf_buf_bytes(&x->body);
	x->content.size = stored.n;
	tf_sha256(stored.p, stored.n, &x->content.sha256);
	return rc;
}

/* Read and hash what survived of the content.  That may take long, so no lock
 * is held: nobody can write a file that failed. */
static enum tf_code
surviving(struct tf_pending *l, struct tf_interruption *x, struct tf_error *err)
{
	struct tf_patience p = { .is_over = ends, .arg = l->v };
	uint64_t torn = 0;
	enum tf_code rc;
	int fd;

	if (!l->in_file)
		return surviving_short(l, x, err);
	tf_vault_slow(l->v);
	if (l->secret &&
	    (rc = tf_content_salvage(l, &x->size, &torn, err)) != TF_OK)
		return rc;
	if (torn > 0)
		tf_vault_say(l->v, TF_IO,
		    "%.60s: a crash tore %llu pieces of 64 KiB, which are "
		    "zeros now",
		    l->name, (unsigned long long)torn);
	if ((rc = tf_content_open(l, &fd, err)) != TF_OK)
		return rc;
	rc = tf_file_datasync(fd, err);
	if (rc == TF_OK)
		rc = tf_hash_whole(l->v->hasher, l->attr.uid, fd, &p,
		    &x->content.sha256, &x->content.size, err);
	(void)close(fd);
	if (!l->secret)
		x->size = x->content.size;
	return rc;
}

enum tf_code
tf_pending_become_draft(struct tf_pending *l, struct tf_db *db,
    struct tf_error *err)
{
	char draft[256], *name;
	enum tf_code rc = draft_name(l, db, draft, err);

	if (rc != TF_OK)
		return rc;
	if ((name = strdup(draft)) == NULL)
		return tf_nomem(err);
	free(l->meant);
	l->meant = tf_pending_rename(&l->v->pending, l, l->attr.parent, name);
	l->attr.state = TF_STATE_DRAFT;
	tf_pending_index(l);
	return TF_OK;
}

/* The path of l with its old name; mu is not held. */
static enum tf_code
meant_path(struct tf_pending *l, struct tf_db *db, struct tf_buf *out,
    struct tf_error *err)
{
	enum tf_code rc = tf_path_of(l->v, db, l->attr.parent, out, err);

	if (rc != TF_OK)
		return rc;
	pthread_mutex_lock(&l->v->mu);
	tf_buf_printf(out, "/%s", l->meant);
	pthread_mutex_unlock(&l->v->mu);
	return out->failed ? tf_nomem(err) : TF_OK;
}

/* Rename l in memory unless that was done, and fill x with both names for the
 * entry.  mu is not held, l is claimed. */
static enum tf_code
give_up_name(struct tf_pending *l, struct tf_interruption *x,
    struct tf_error *err)
{
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_reader_db(l->v, &db, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&l->v->mu);
	if (l->meant == NULL)
		rc = tf_pending_become_draft(l, db, err);
	memcpy(x->draft, l->name, l->name_len + 1);
	x->unnamed = tf_pending_get(&l->v->pending, l->att) != NULL;
	pthread_mutex_unlock(&l->v->mu);
	if (rc == TF_OK)
		rc = meant_path(l, db, &x->path, err);
	tf_reader_done(l->v, db);
	return rc;
}

/* The entry is committed: l is a draft with the content that x names.  io and mu
 * held. */
static void
took_hold(struct tf_pending *l, const struct tf_interruption *x)
{
	l->failed = TF_OK;
	free(l->failure);
	l->failure = NULL;
	l->size = l->attr.size = x->size;
	tf_quota_charge(l, l->size);
	l->digest = x->content.sha256;
	l->in_db = !l->in_file;
	tf_pending_disorder(l);
	l->marked = false;
	l->recorded = true;
	tf_growth_end(l); /* the draft does not have the entered bytes */
	l->entered = l->entered_seq = 0;
	tf_stage_saved(l->v, l);
}

/* Without this row, recovery would find two files with one name. */
static enum tf_code
renamed_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct tf_pending *l = arg;

	return tf_stage_save(t, l, err);
}

/* Rename l, which is claimed, and its row.  The row must not have the old name
 * when another file gets it; it says that an entry is owed.  mu is not held. */
static enum tf_code
take_name(struct tf_pending *l, struct tf_interruption *x, struct tf_error *err)
{
	struct tf_vault *v = l->v;
	bool saved;
	enum tf_code rc;

	x->l = l;
	if (l->actor != NULL && (x->actor = strdup(l->actor->s)) == NULL)
		return tf_nomem(err);
	if ((rc = give_up_name(l, x, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	if ((saved = l->saved && l->failed != TF_OK))
		l->marked = l->wrote = true;
	pthread_mutex_unlock(&v->mu);
	return saved ? tf_commit_wait(v->commit, renamed_run, l, err) : TF_OK;
}

void
tf_pending_step_aside(struct tf_pending *l)
{
	struct tf_vault *v = l->v;
	struct tf_interruption *x = calloc(1, sizeof(*x));
	struct tf_error e = { .code = TF_OK };
	struct tf_buf shown = { 0 };
	enum tf_code rc = x == NULL ? tf_nomem(&e) : TF_OK;

	pthread_mutex_lock(&v->mu);
	if (!tf_pending_claim(v, l)) {
		pthread_mutex_unlock(&v->mu);
		tf_interruption_free(x);
		return;
	}
	/* Another thread was faster? */
	if (l->recorded) {
		tf_pending_unclaim(v, l);
		pthread_mutex_unlock(&v->mu);
		tf_interruption_free(x);
		return;
	}
	tf_name_show(&shown, l->name, l->name_len);
	pthread_mutex_unlock(&v->mu);
	if (rc == TF_OK && l->interruption == NULL)
		rc = take_name(l, x, &e);
	pthread_mutex_lock(&v->mu);
	if (rc == TF_OK && l->interruption == NULL) {
		l->interruption = x;
		x = NULL;
	}
	tf_pending_unclaim(v, l);
	pthread_mutex_unlock(&v->mu);
	if (rc != TF_OK)
		tf_vault_say(v, rc, "%.60s was interrupted and is not kept: %s",
		    tf_buf_bytes(&shown).p, e.text);
	tf_buf_free(&shown);
	tf_interruption_free(x);
}

/* Commit the entry for x, whose content is known; l is claimed. */
static enum tf_code
record(struct tf_pending *l, struct tf_interruption *x, struct tf_error *err)
{
	struct tf_vault *v = l->v;
	enum tf_code rc;

	tf_pending_lock(l); /* somebody may read it meanwhile */
	pthread_mutex_lock(&v->mu);
	l->size = l->attr.size = x->size;
	l->digest = x->content.sha256;
	l->saved_gen = ++l->gen;
	l->marked = false;
	l->wrote = true; /* though the last write may be lost */
	x->meant = l->meant;
	l->meant = NULL; /* so the row has its name */
	if (l->growth != NULL)
		l->growth->row_seq = 0;
	pthread_mutex_unlock(&v->mu);
	pthread_mutex_unlock(&l->io);
	rc = tf_commit_wait(v->commit, interrupted_run, x, err);
	tf_pending_lock(l);
	pthread_mutex_lock(&v->mu);
	if (rc == TF_OK) {
		took_hold(l, x);
	} else {
		l->meant = x->meant;
		x->meant = NULL;
		l->marked = true;
		if (l->growth != NULL)
			l->growth->row_seq = l->entered_seq;
	}
	pthread_mutex_unlock(&v->mu);
	pthread_mutex_unlock(&l->io);
	return rc;
}

/*
 * The operator learns the name that is free and the draft that has what
 * survived.
 */
static void
say_interrupted(struct tf_vault *v, const struct tf_interruption *x,
    enum tf_code rc, const struct tf_error *e)
{
	struct tf_str path = tf_buf_bytes(&x->path);
	struct tf_buf shown = { 0 };
	size_t at = path.n;

	while (at > 0 && path.p[at - 1] != '/')
		at--;
	tf_name_show(&shown, path.p + at, path.n - at);
	if (rc == TF_OK)
		atomic_fetch_add(&v->counters.interrupted, 1);
	if (rc == TF_OK)
		tf_vault_say(v, TF_IO,
		    "%.60s was interrupted: what survived "
		    "is the draft %.80s; the name is free",
		    tf_buf_bytes(&shown).p, x->draft);
	else
		tf_vault_say(v, rc,
		    "%.60s was interrupted and is not kept: "
		    "%s",
		    tf_buf_bytes(&shown).p, e->text);
	tf_buf_free(&shown);
}

void
tf_pending_interrupt(struct tf_pending *l)
{
	struct tf_interruption *x, found = { .l = l };
	struct tf_error e = { .code = TF_OK };
	struct tf_vault *v = l->v;
	bool claimed, recorded;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	x = l->interruption;
	recorded = l->recorded;
	pthread_mutex_unlock(&v->mu);
	if (recorded || (x == NULL && tf_grow_survives(l)))
		return;
	if (x == NULL)
		tf_pending_step_aside(l);
	rc = surviving(l, &found, &e);
	pthread_mutex_lock(&v->mu);
	claimed = tf_pending_claim(v, l);
	x = claimed ? l->interruption : NULL;
	pthread_mutex_unlock(&v->mu);
	if (x != NULL) {
		x->content = found.content;
		x->size = found.size;
		x->body = found.body;
		found.body = (struct tf_buf){ 0 };
		if (rc == TF_OK)
			rc = record(l, x, &e);
		/* After an interruption the next start does it. */
		if (rc != TF_INTERRUPTED)
			say_interrupted(v, x, rc, &e);
	}
	pthread_mutex_lock(&v->mu);
	if (claimed) {
		/* Nobody may write a draft whose entry is missing. */
		if (rc != TF_OK && !l->recorded)
			tf_pending_set_failed(l, rc, &e);
		l->interruption = NULL;
		tf_pending_unclaim(v, l);
	}
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->mu);
	tf_buf_free(&found.body);
	tf_interruption_free(x);
}
