/*
 * Sealing attestations, workflows and trails, and publishing draft
 * attestations.  All entries are one transaction, except that what is no draft
 * and has many files or directories gets their entries in several transactions
 * before its seal (seal_evidence, seal_directories, seal_attestations).  From tf_turn_begin()
 * to tf_turn_end() nothing can be created below the directory.
 *
 * The steps: take the turn; check the request; wait until nobody is at work
 * below and claim all of it (mu held from the look to the claim); then,
 * without mu, seal many files first, prepare the rest, sign the statements,
 * and commit tf_closing_run().  At the end nodes leave memory and claims end,
 * also after a failure.
 *
 * The statements and the evaluation are made before the transaction, because
 * they may read 100,000 files while every other writer waits.  They stay true:
 * the claims keep the files as they are, and tf_claiming_below() waits for
 * claims that people make.  A crash before the last COMMIT leaves the
 * directory open, perhaps with more evidence sealed than before, which is no
 * harm: it was frozen and owed a seal anyway.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../commit/queue.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/children.h"
#include "../node/claim.h"
#include "../node/claiming.h"
#include "../node/closed.h"
#include "../node/idle.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/stage_remove.h"
#include "../node/user_data.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "below.h"
#include "closing_txn.h"
#include "evaluate.h"
#include "seal.h"
#include "seal_dir.h"
#include "seal_entries.h"
#include "seal_one.h"
#include "seal_prepare.h"

#define TOGETHER 256 /* files or directories in one transaction */

/* Wait until nobody is at work below, and claim all of it at once.  mu held. */
static enum tf_code
claim_below(struct tf_closing *c, struct tf_error *err)
{
	struct tf_vault *v = c->v;
	enum tf_code rc;

	for (;;) {
		/* The draft may have been removed while we waited. */
		if (c->r->new_name != NULL &&
		    (c->draft = tf_pending_get(&v->pending, c->r->id)) == NULL)
			return tf_fail(err, TF_NOTFOUND, "it is gone");
		if ((rc = tf_below_look(v, &c->below, err)) != TF_OK)
			return rc;
		if (!c->below.wait && (c->draft == NULL || !c->draft->job) &&
		    !tf_claiming_below(v, &c->dir))
			break;
		if (c->r->hurry)
			return tf_fail(err, TF_BUSY, "not ready below");
		if ((rc = tf_turn_wait(v, &c->turn, err)) != TF_OK)
			return rc;
		if (c->r->closed && !tf_is_closed(v, c->r->id))
			return tf_fail(err, TF_NOTFOUND, "it is open again");
	}
	/* A change while we waited has moved the time of an idle one. */
	if (c->r->who == NULL && !c->r->closed && !tf_idle_over(v, c->r->id))
		return tf_fail(err, TF_BUSY, "it is not quiet any more");
	tf_below_claim(&c->below);
	if (c->draft != NULL) {
		tf_pending_ref(c->draft);
		c->draft->job = true;
	}
	return TF_OK;
}

/* Find the directory and check that the caller may seal it.  mu held. */
static enum tf_code
check_request(struct tf_closing *c, struct tf_db *db, struct tf_error *err)
{
	const struct tf_seal_request *r = c->r;
	enum tf_code rc = tf_attr_of(c->v, db, r->id, &c->dir, err);

	if (rc == TF_OK)
		c->below.dir = c->dir;

	if (rc == TF_OK && r->closed)
		rc = tf_closed_actor(c->v, r->id, &c->actor, err);
	if (rc != TF_OK)
		return rc;
	if (c->dir.kind < TF_KIND_TRAIL || c->dir.kind > TF_KIND_ATTESTATION)
		return tf_fail(err, TF_DENIED,
		    "only trails, workflows and attestations are sealed");
	if (r->who != NULL && r->who->uid != 0 && r->who->uid != c->dir.uid)
		return tf_fail(err, TF_DENIED,
		    "only its owner or root may seal it");
	c->draft = tf_pending_get(&c->v->pending, r->id);
	if (c->draft != NULL && r->new_name == NULL)
		return tf_fail(err, TF_DENIED,
		    "a draft attestation is sealed by renaming it");
	if (c->draft == NULL && r->new_name != NULL)
		return tf_fail(err, TF_BUSY, "it is no draft any more");
	return TF_OK;
}

/* Give the draft its new name in memory, so that the entries get the new paths;
 * a second call gives it the old one back. */
static void
swap_names(struct tf_closing *c)
{
	c->other_name = tf_pending_rename(&c->v->pending, c->draft,
	    c->draft->attr.parent, c->other_name);
}

/* Files are sealed one by one; directories only need an entry. */
static size_t
count_files(const struct tf_below *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += tf_pending_is_file(b->l[i]);
	return n;
}

/* Move the files from b to out, in order of age; the directories stay in b. */
static void
take_files(struct tf_below *b, struct tf_pending **out)
{
	size_t files = 0, left = 0;

	for (size_t i = 0; i < b->n; i++)
		if (tf_pending_is_file(b->l[i]))
			out[files++] = b->l[i];
		else
			b->l[left++] = b->l[i];
	b->n = left;
}

/* Take nodes that got their entry meanwhile out of b; mu is held. */
static void
drop_sealed(struct tf_vault *v, struct tf_below *b)
{
	size_t left = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->l[i]->attr.state == TF_STATE_SEALED)
			tf_pending_unclaim(v, b->l[i]);
		else
			b->l[left++] = b->l[i];
	b->n = left;
}

/*
 * Seal the files of an attestation that has many of them, in several
 * transactions before the one of its seal, so that others can commit in
 * between.  Also of one that is judged by its evidence: that is read before the
 * transaction.  These files stay sealed when the rest fails.
 */
static enum tf_code
seal_evidence(struct tf_closing *c, struct tf_error *err)
{
	size_t n = count_files(&c->below), done = 0, some;
	struct tf_pending **files;
	bool first = n > TOGETHER || c->judged;
	enum tf_code rc = TF_OK;

	if (c->draft != NULL || n == 0)
		return TF_OK;
	if (!first)
		rc = tf_seal_will_evaluate(c->v, c->db, &c->dir, &first, err);
	if (rc != TF_OK || !first)
		return rc;
	if ((files = calloc(n, sizeof(*files))) == NULL)
		return tf_nomem(err);
	take_files(&c->below, files);
	while (rc == TF_OK && done < n) {
		some = n - done < TOGETHER ? n - done : TOGETHER;
		/* This ends their claims. */
		rc = tf_seal_files(c->v, files + done, some, c->r->cause, err);
		done += some;
	}
	pthread_mutex_lock(&c->v->mu);
	for (; done < n; done++)
		tf_pending_unclaim(c->v, files[done]);
	drop_sealed(c->v, &c->below);
	pthread_mutex_unlock(&c->v->mu);
	free(files);
	return rc;
}

struct directories {
	struct tf_pending **l;
	size_t n;
};

/* A parent gets its entry before its children, by tf_seal_directory(). */
static enum tf_code
directories_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct directories *d = arg;
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < d->n; i++)
		rc = tf_seal_directory(t, d->l[i]->attr.id, err);
	return rc;
}

/* Commit the entries of d, and take its directories out of memory. */
static enum tf_code
seal_some(struct tf_vault *v, struct directories *d, struct tf_error *err)
{
	enum tf_code rc = tf_commit_wait(v->commit, directories_run, d, err);

	if (rc != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	for (size_t i = 0; i < d->n; i++)
		if (d->l[i]->attr.state != TF_STATE_SEALED)
			tf_seal_settle(v, d->l[i]);
	pthread_mutex_unlock(&v->mu);
	return TF_OK;
}

/* The same as seal_evidence for the directories that are left. */
static enum tf_code
seal_directories(struct tf_closing *c, struct tf_error *err)
{
	size_t n = c->below.n - count_files(&c->below), done = 0;
	struct tf_pending **all;
	struct directories some;
	enum tf_code rc = TF_OK;

	if (c->draft != NULL || n <= TOGETHER)
		return TF_OK;
	if ((all = calloc(n, sizeof(*all))) == NULL)
		return tf_nomem(err);
	for (size_t i = 0, to = 0; i < c->below.n; i++)
		if (!tf_pending_is_file(c->below.l[i]))
			all[to++] = c->below.l[i];
	for (; rc == TF_OK && done < n; done += some.n) {
		some.l = all + done;
		some.n = n - done < TOGETHER ? n - done : TOGETHER;
		rc = seal_some(c->v, &some, err);
	}
	free(all);
	pthread_mutex_lock(&c->v->mu);
	drop_sealed(c->v, &c->below);
	pthread_mutex_unlock(&c->v->mu);
	return rc;
}

/* One statement for each attestation of o, which the seal ends. */
static enum tf_code
add_statements(struct tf_closing *c, struct tf_open_children *o,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (o->n == 0)
		return TF_OK;
	if ((o->lists = calloc(o->n, sizeof(*o->lists))) == NULL)
		return tf_nomem(err);
	for (size_t i = 0; rc == TF_OK && i < o->n; i++)
		rc = tf_seal_list(c->v, c->db, &c->s, &o->rows[i], c->files,
		    c->n_files, &o->lists[i], err);
	if (rc == TF_OK)
		c->ready = o;
	return rc;
}

/* Find the oldest open attestations with an id greater than after, and make
 * their statements. */
static enum tf_code
ready_attestations(struct tf_closing *c, struct tf_open_children *o,
    uint64_t after, struct tf_error *err)
{
	enum tf_code rc = tf_each_child_after(c->db, c->dir.id, after,
	    tf_open_children_add, o, err);

	return rc == TF_OK || rc == TF_NODATA ? add_statements(c, o, err) : rc;
}

/*
 * The same as seal_evidence for the open attestations of a workflow: a statement
 * takes 3 KiB, and there may be a million of them.  Leaves those in o that the
 * seal of the workflow has to end.
 */
static enum tf_code
seal_attestations(struct tf_closing *c, struct tf_open_children *o,
    struct tf_error *err)
{
	struct tf_vault *v = c->v;
	uint64_t last;
	enum tf_code rc = ready_attestations(c, o, 0, err);

	while (rc == TF_OK && o->more) {
		last = o->rows[o->n - 1].attr.id;
		rc = tf_commit_wait(v->commit, tf_closing_some, c, err);
		pthread_mutex_lock(&v->mu);
		for (size_t i = 0; rc == TF_OK && i < o->n; i++) {
			tf_closed_forget(v, o->rows[i].attr.id);
			tf_user_data_end(v, o->rows[i].attr.id);
		}
		pthread_mutex_unlock(&v->mu);
		c->ready = NULL;
		tf_open_children_free(o);
		if (rc == TF_OK)
			rc = ready_attestations(c, o, last, err);
	}
	return rc;
}

/* Make the statements before the transaction.  That is possible when all of the
 * evidence is in the ledger, or all of it is in the draft. */
static enum tf_code
make_ready(struct tf_closing *c, struct tf_open_children *o,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (c->dir.kind == TF_KIND_TRAIL ||
	    (c->draft == NULL && c->n_files > 0))
		return TF_OK;
	if (c->dir.kind == TF_KIND_WORKFLOW)
		return seal_attestations(c, o, err);
	if ((o->rows = calloc(1, sizeof(*o->rows))) == NULL)
		return tf_nomem(err);
	o->n = 1;
	if (c->draft == NULL) {
		rc = tf_nodes_get(c->db, c->dir.id, o->rows, err);
	} else {
		o->rows->attr = c->draft->attr;
		o->rows->name_len = c->draft->name_len;
		memcpy(o->rows->name, c->draft->name, c->draft->name_len + 1);
	}
	return rc == TF_OK ? add_statements(c, o, err) : rc;
}

/*
 * c->files has its own order and belongs to the seal; try_to_close() frees
 * it.
 */
static enum tf_code
prepare_files(struct tf_closing *c, struct tf_error *err)
{
	size_t n = count_files(&c->below);

	if (n == 0)
		return TF_OK;
	if ((c->files = calloc(n, sizeof(*c->files))) == NULL)
		return tf_nomem(err);
	for (size_t i = 0; i < c->below.n; i++)
		if (tf_pending_is_file(c->below.l[i]))
			c->files[c->n_files++] = (struct tf_seal_file){
				.l = c->below.l[i],
				.cause = c->r->cause,
				.imported = c->r->imported
			};
	return tf_seal_prepare(c->v, c->db, c->files, c->n_files, err);
}

/* Prepare the transaction, and commit it. */
static enum tf_code
try_to_close(struct tf_closing *c, struct tf_error *err)
{
	const uint64_t begun_ns = tf_clock_boot_ns();
	struct tf_open_children o = { 0 };
	enum tf_code rc = seal_evidence(c, err);

	if (rc == TF_OK)
		rc = seal_directories(c, err);
	if (rc == TF_OK)
		rc = prepare_files(c, err);
	if (rc == TF_OK)
		rc = make_ready(c, &o, err);
	if (rc == TF_OK)
		rc = tf_commit_wait(c->v->commit, tf_closing_run, c, err);
	if (rc == TF_OK)
		tf_histogram_add(&c->v->counters.seals, begun_ns);
	c->ready = NULL;
	tf_open_children_free(&o);
	tf_seal_prepared_free(c->files, c->n_files);
	free(c->files);
	c->files = NULL;
	c->n_files = 0;
	return rc;
}

/*
 * All that follows the claims, without mu.  The claims are ended by the
 * caller.  The second try has all evidence in the ledger, so that it is judged
 * before the transaction.
 */
static enum tf_code
close_claimed(struct tf_closing *c, struct tf_error *err)
{
	enum tf_code rc = try_to_close(c, err);

	return rc != TF_OK && c->judged ? try_to_close(c, err) : rc;
}

/* Take all sealed nodes out of memory, TOGETHER at a time: others need mu. */
static void
settle_below(struct tf_closing *c)
{
	struct tf_pending **l = c->below.l;
	size_t to;

	for (size_t from = 0; from < c->below.n; from = to) {
		to = c->below.n - from > TOGETHER ? from + TOGETHER :
						    c->below.n;
		pthread_mutex_lock(&c->v->mu);
		for (size_t i = from; i < to; i++)
			if (l[i]->attr.state != TF_STATE_SEALED)
				tf_seal_settle(c->v, l[i]);
		pthread_mutex_unlock(&c->v->mu);
		for (size_t i = from; i < to; i++)
			tf_stage_remove(l[i]);
	}
}

/* End the claims; the draft leaves memory or gets its old name.  mu held. */
static void
after(struct tf_closing *c, enum tf_code rc)
{
	struct tf_vault *v = c->v;

	tf_below_unclaim(v, &c->below);
	if (c->draft == NULL)
		return;
	if (rc == TF_OK)
		tf_pending_leave(v, c->draft);
	else
		swap_names(c);
	tf_pending_unclaim(v, c->draft);
}

/* All that is done in the turn of the directory.  mu held, and let go of. */
static enum tf_code
seal_in_turn(struct tf_closing *c, struct tf_error *err)
{
	struct tf_vault *v = c->v;
	enum tf_code rc = check_request(c, c->db, err);

	c->s = (struct tf_seal_by){ .r = c->r, .actor = c->actor };
	if (rc == TF_OK && c->dir.state != TF_STATE_SEALED &&
	    (rc = claim_below(c, err)) == TF_OK) {
		if (c->draft != NULL)
			swap_names(c);
		pthread_mutex_unlock(&v->mu);
		tf_pending_sort(c->below.l, c->below.n); /* by age */
		if ((rc = close_claimed(c, err)) == TF_OK)
			settle_below(c);
		pthread_mutex_lock(&v->mu);
		after(c, rc);
	}
	if (rc == TF_OK) {
		tf_closed_forget(v, c->r->id);
		tf_user_data_end(v, c->r->id);
	}
	return rc;
}

enum tf_code
tf_seal_dir(struct tf_vault *v, const struct tf_seal_request *r,
    struct tf_error *err)
{
	struct tf_closing c = { .v = v, .r = r, .below.dir.id = r->id };
	struct tf_db *db;
	enum tf_code rc;

	/* Hashing and statements come long before the wait for a commit. */
	tf_vault_slow(v);
	if (r->who != NULL)
		tf_vault_learn(v, r->who->uid, r->who->gid);
	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (r->who != NULL &&
		(rc = tf_actor_text(r->who, &c.actor, err)) != TF_OK) ||
	    (r->new_name != NULL &&
		(c.other_name = strdup(r->new_name)) == NULL &&
		(rc = tf_nomem(err)) != TF_OK) ||
	    (rc = tf_reader_db(v, &db, err)) != TF_OK) {
		free(c.other_name);
		free(c.actor);
		return rc;
	}
	c.db = db;
	pthread_mutex_lock(&v->mu);
	rc = tf_turn_begin(v, db, &c.turn, r->id, r->hurry, err);
	if (rc == TF_OK) {
		rc = seal_in_turn(&c, err);
		tf_turn_end(v, &c.turn);
	}
	pthread_mutex_unlock(&v->mu);
	if (rc != TF_OK)
		tf_below_name(v, &c.below, db, err);
	tf_reader_done(v, db);
	free(c.other_name);
	free(c.actor);
	free(c.below.l);
	return rc;
}

enum tf_code
tf_vault_seal(struct tf_vault *v, uint64_t id, const struct tf_actor *who,
    struct tf_error *err)
{
	struct tf_seal_request r = { .id = id, .who = who };

	return tf_seal_dir(v, &r, err);
}
