/*
 * The one writer of the ledger, and group commit: while one transaction is
 * flushed, the queue of the next one fills.
 *
 * Promises, and what keeps them here:
 *  I1  A committed entry never changes and never moves.  append_body() of
 *      append.c puts an entry at txn.size only; triggers of the schema refuse
 *      UPDATE and DELETE.
 *  I2  An object is durable before the entry that names it.  Jobs are submitted
 *      after their objects were linked and synced (tf_seal_prepare).
 *  I3  Each checkpoint is consistent with every earlier one.  tf_commit_load()
 *      compares the right edge of the tree with the newest checkpoint; show()
 *      signs the root of the same tree, and shows the checkpoint, only after
 *      COMMIT returned.  The signer wants a proof (core/sign), so no two
 *      checkpoints of one size were ever signed.
 *  I4  Success is answered only after it is durable, and signed.  process()
 *      calls done() after tf_db_commit(), which flushes the write-ahead log,
 *      and after show().
 *  I5  The tree of names follows from the entries.  An entry and the rows that
 *      it changes are one transaction.
 *  I6  A verifier needs no secret.  The signer signs; the public key is enough
 *      to check the checkpoint.
 *
 * States of a job:
 *
 *  tf_commit_submit()      take()          run_jobs()    tf_db_commit()
 *  ----------> queued ----------> claimed ---------> running -------> committed
 *                                    ^                  |                 |
 *                                    |  one by one      | undo()          |
 *                                    +----(first)---- undone              |
 *                                                       | (second)        |
 *                                                       v     process()   |
 *                                                     done <--------------+
 *
 *  queued     In the list of queue.c, under c->mu.  The submitter may hold
 *             vault.mu.
 *  claimed    In the list of the thread that commits: the committer's, or that of
 *             a caller (tf_commit_run), one at a time.  At most BATCH_MAX jobs
 *             (queue.c) share a transaction.  refused_all() fails them when the
 *             vault is read-only or broken.
 *  running    run() was called inside the transaction.  It may take vault.mu
 *             for a moment; it takes no pending.io and never waits for the
 *             committer.
 *  undone     A job failed after it had written, or COMMIT failed.  undo()
 *             rolls the database back and loads the tree again.  A job that
 *             failed makes all jobs of its transaction run again, each in a
 *             transaction of its own (retried alone): so one bad job fails
 *             nobody else, and run() may be called twice.  A failed COMMIT
 *             fails all jobs at once.
 *  committed  The signer signed; tf_commit_publish() stored the head in the vault under vault.mu,
 *             and tell_changed() dropped what the kernel remembered.
 *  done       done() was called, exactly once, in the thread that commits and
 *             without a lock of this room.  The job may be freed.
 *
 * A job that wrote nothing (a refusal, a question) is answered without a
 * commit.  An error of the ledger's disk is final (poison): the kernel may have
 * dropped pages that it could not write, so nothing is appended until the store
 * is opened again.  A full disk, a lock, want of memory or of descriptors fail
 * only the jobs of that transaction.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/mutant.h"
#include "../base/time_text.h"
#include "../ledger/checkpoint.h"
#include "../ledger/merkle.h"
#include "../node/empties.h"
#include "../node/base.h"
#include "../node/vault_i.h"
#include "../store/connection.h"
#include "../store/entries.h"
#include "../store/meta.h"
#include "../store/nodes.h"
#include "../store/scrub.h"
#include "../store/transaction.h"
#include "append.h"
#include "commit.h"
#include "committer_i.h"
#include "head.h"
#include "queue.h"
#include "sign_head.h"
#include "touched.h"

#define LOCK_TRIES 10 /* of 3 s each, see connection.c */

/* --- the transaction --- */

static void
forget_scratch(struct tf_txn *t)
{
	t->n_touched = 0;
	t->path_id = 0;
	t->path.n = 0;
	t->open_att = 0;
	t->known_dir = 0;
	t->batch = false;
	t->rotated = NULL;
	t->not_before = (struct tf_time){ INT64_MIN, 0 };
}

/* Write the directories' times, the tiles and the ticket of the checkpoint. */
static enum tf_code
finish(struct tf_committer *c, const struct tf_txn *saved,
    struct tf_checkpoint *cp, struct tf_error *err)
{
	struct tf_txn *t = &c->txn;
	enum tf_code rc;

	tf_txn_sort_touched(t);
	for (size_t i = 0; i < t->n_touched; i++)
		if (t->touched[i].moves &&
		    (rc = tf_nodes_touch(t->db, t->touched[i].id,
			 t->touched[i].at, err)) != TF_OK)
			return rc;
	if (t->said != saved->said &&
	    (rc = tf_meta_set_int(t->db, TF_META_SAID, t->said, err)) != TF_OK)
		return rc;
	if (t->size == saved->size)
		return TF_OK;
	if ((rc = tf_meta_set_int(t->db, "files", t->files, err)) != TF_OK ||
	    (rc = tf_meta_set_int(t->db, "content_bytes", t->content_bytes,
		 err)) != TF_OK ||
	    (rc = tf_tree_edge(c->tree, saved->size, tf_commit_put_tile, t->db,
		 err)) != TF_OK)
		return rc;
	return tf_head_prepare(c, cp, err);
}

/* Report the changed directories, before the jobs' callers are answered. */
static void
tell_changed(const struct tf_txn *t)
{
	pthread_mutex_lock(&t->v->mu);
	for (size_t i = 0; i < t->n_touched; i++)
		tf_empties_fill(t->v, t->touched[i].id);
	pthread_mutex_unlock(&t->v->mu);
	for (size_t i = 0; i < t->n_touched; i++)
		tf_vault_changed(t->v, t->touched[i].id);
}

static void
publish_said(struct tf_committer *c)
{
	pthread_mutex_lock(&c->v->mu);
	c->v->said = c->txn.said;
	pthread_mutex_unlock(&c->v->mu);
}

/* Roll back and reload the state on disk.  If that fails, the vault becomes
 * read-only. */
static void
undo(struct tf_committer *c, const struct tf_txn *saved,
    const struct tf_clock_seen *seen)
{
	struct tf_vault *v = c->v;
	struct tf_error e;

	tf_db_rollback(c->db);
	c->txn.size = saved->size;
	c->txn.bytes = saved->bytes;
	c->txn.files = saved->files;
	c->txn.content_bytes = saved->content_bytes;
	c->txn.said = saved->said;
	c->txn.at = saved->at;
	/* The next entry detects again a clock jump whose entry is undone. */
	c->seen = *seen;
	c->next_id = c->end_id = 0; /* their reservation may be undone */
	forget_scratch(&c->txn);
	if (tf_tree_load(c->tree, saved->size, tf_tiles_read, c->db, &e) ==
	    TF_OK)
		return;
	pthread_mutex_lock(&v->mu);
	if (v->broken == TF_OK) {
		v->broken = e.code;
		v->broken_why = e;
	}
	pthread_mutex_unlock(&v->mu);
}

/* Append nothing more until the store is opened again. */
static void
stop_writing(struct tf_committer *c, enum tf_code code,
    const struct tf_error *err, const char *what)
{
	struct tf_vault *v = c->v;

	pthread_mutex_lock(&v->mu);
	if (v->broken == TF_OK) {
		v->broken = code;
		v->broken_why = *err;
	}
	pthread_mutex_unlock(&v->mu);
	tf_vault_say(v, code,
	    "%s (%s): read-only until the store is mounted again", what,
	    err->text);
}

/* An error of the ledger's disk is final: the kernel may have dropped pages. */
static void
poison(struct tf_committer *c, enum tf_code code, const struct tf_error *err)
{
	if (code == TF_NOSPACE || code == TF_QUOTA || code == TF_NOMEM ||
	    code == TF_LOCKED || code == TF_TOOMANY)
		return;
	stop_writing(c, code, err, "the ledger cannot be written");
}

static void
all_failed(struct tf_job *list, enum tf_code code, const struct tf_error *err)
{
	for (struct tf_job *j = list; j != NULL; j = j->next)
		if (j->rc == TF_OK) {
			j->rc = code;
			j->err = *err;
		}
}

/*
 * Sign and show the checkpoint of the committed tree.  Entries that stay without
 * a signature are durable, so their jobs neither succeeded nor failed: nothing
 * more is appended, and the next start signs them.
 */
static void
show(struct tf_committer *c, struct tf_job *list,
    const struct tf_checkpoint *cp)
{
	struct tf_buf note = { 0 };
	struct tf_error err = { .code = TF_OK };
	enum tf_code rc;

	tf_head_committed(c);
	if (c->txn.rotated != NULL &&
	    (rc = tf_head_adopt(c->v, c->txn.rotated, &err)) != TF_OK) {
		all_failed(list, rc, &err);
		stop_writing(c, rc, &err, "the new key cannot be used");
		return;
	}
	if ((rc = tf_head_sign(c, cp, &note, &err)) == TF_OK) {
		tf_commit_publish(c, cp, &note);
	} else {
		all_failed(list, rc, &err);
		stop_writing(c, rc, &err, "the ledger cannot be signed");
	}
	tf_buf_free(&note);
}

/* Run the jobs.  False if one failed after it wrote: the transaction must be
 * rolled back. */
static bool
run_jobs(struct tf_committer *c, struct tf_job *list, bool *wrote)
{
	*wrote = false;
	for (struct tf_job *j = list; j != NULL; j = j->next) {
		c->txn.wrote = false;
		c->txn.not_before = (struct tf_time){ INT64_MIN, 0 };
		j->err = (struct tf_error){ .code = TF_OK };
		j->rc = j->run(&c->txn, j, &j->err);
		tf_txn_batch_end(&c->txn);
		if (j->rc != TF_OK && c->txn.wrote)
			return false;
		*wrote = *wrote || c->txn.wrote;
	}
	return true;
}

/*
 * Begin a transaction.  Another program, such as a shell or a backup, may hold
 * the database's lock for a while: waiting loses nothing.  After the last try
 * these jobs fail with TF_LOCKED, and the next jobs try again.
 */
static enum tf_code
begin(struct tf_committer *c, struct tf_error *err)
{
	enum tf_code rc;

	for (int i = 0; i < LOCK_TRIES; i++) {
		rc = tf_db_begin(c->db, err);
		if (rc != TF_LOCKED && i > 0)
			tf_vault_say(c->v, TF_OK,
			    "the lock on the database is gone");
		if (rc != TF_LOCKED)
			return rc;
		if (i == 0)
			tf_vault_say(c->v, rc,
			    "another program holds a lock on %s: writers wait",
			    TF_DB_NAME);
	}
	tf_vault_say(c->v, rc,
	    "another program holds a lock on %s: what waited for it failed",
	    TF_DB_NAME);
	return rc;
}

/* Run these jobs in one transaction.  False: it was rolled back, and the caller
 * runs them one by one. */
static bool
transact(struct tf_committer *c, struct tf_job *list)
{
	struct tf_txn saved = c->txn;
	struct tf_clock_seen seen = c->seen;
	struct tf_checkpoint cp;
	struct tf_error err = { .code = TF_OK };
	enum tf_code rc;
	bool wrote;

	if ((rc = begin(c, &err)) != TF_OK) {
		for (struct tf_job *j = list; j != NULL; j = j->next)
			j->rc = TF_OK;
		all_failed(list, rc, &err);
		poison(c, rc, &err);
		return true;
	}
	forget_scratch(&c->txn);
	if (!run_jobs(c, list, &wrote)) {
		undo(c, &saved, &seen);
		return false;
	}
	if (!wrote) {
		tf_db_rollback(c->db);
		return true;
	}
	rc = finish(c, &saved, &cp, &err);
	if (TF_IS_MUTANT(TF_SHOW_FIRST) && rc == TF_OK &&
	    c->txn.size != saved.size)
		show(c, list, &cp);
	if (rc == TF_OK)
		rc = tf_db_commit(c->db, &err);
	if (rc != TF_OK) {
		undo(c, &saved, &seen);
		all_failed(list, rc, &err);
		poison(c, rc, &err);
		return true;
	}
	/* Readers find what is committed, whether it is signed or not. */
	if (c->txn.said != saved.said)
		publish_said(c);
	tell_changed(&c->txn);
	if (c->txn.size != saved.size && !TF_IS_MUTANT(TF_SHOW_FIRST))
		show(c, list, &cp);
	return true;
}

static bool
refused_all(struct tf_committer *c, struct tf_job *list)
{
	struct tf_error err;
	enum tf_code rc = tf_vault_writable(c->v, &err);

	if (rc == TF_OK)
		return false;
	for (struct tf_job *j = list; j != NULL; j = j->next)
		j->rc = TF_OK;
	all_failed(list, rc, &err);
	return true;
}

static void
process(struct tf_committer *c, struct tf_job *list)
{
	struct tf_job *j, *next;

	if (!refused_all(c, list) && !transact(c, list)) {
		for (j = list; j != NULL; j = next) {
			next = j->next;
			j->next = NULL;
			if (!refused_all(c, j))
				(void)transact(c, j); /* result: j->rc */
			j->next = next;
		}
	}
	for (j = list; j != NULL; j = next) {
		next = j->next;
		j->done(j, j->rc, &j->err);
	}
}

/* After long work the log gives its blocks back. */
static void
shorten_log(struct tf_committer *c)
{
	struct tf_error err = { .code = TF_OK };
	enum tf_code rc = tf_db_shorten_log(c->db, &err);

	if (rc != TF_OK && rc != TF_LOCKED)
		tf_vault_say(c->v, rc, "the write-ahead log stays long: %s",
		    err.text);
}

static void
process_list(struct tf_committer *c, struct tf_job *list)
{
	process(c, list);
	shorten_log(c);
}

static void *
work(void *arg)
{
	tf_commit_serve(arg);
	return NULL;
}

/* --- start and stop --- */

enum tf_code
tf_commit_start(struct tf_vault *v, struct tf_db *db, struct tf_committer **out,
    struct tf_error *err)
{
	struct tf_committer *c = calloc(1, sizeof(*c));
	pthread_condattr_t attr;
	enum tf_code rc;

	if (c == NULL || (c->tree = calloc(1, sizeof(*c->tree))) == NULL) {
		free(c);
		tf_db_close(db);
		return tf_nomem(err);
	}
	c->v = v;
	c->db = c->txn.db = db;
	tf_db_keep_locks(db);
	c->txn.v = v;
	c->tail = &c->head;
	c->process = process_list;
	(void)pthread_mutex_init(&c->mu, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&c->more, &attr);
	(void)pthread_condattr_destroy(&attr);
	if ((rc = tf_commit_load(c, err)) == TF_OK &&
	    pthread_create(&c->thread, NULL, work, c) != 0)
		rc = tf_fail(err, TF_NOMEM, "cannot start a thread");
	if (rc != TF_OK) {
		tf_commit_stop(c);
		return rc;
	}
	c->started = true;
	*out = c;
	return TF_OK;
}

void
tf_commit_stop(struct tf_committer *c)
{
	if (c == NULL)
		return;
	if (c->started) {
		pthread_mutex_lock(&c->mu);
		c->quit = true;
		pthread_cond_signal(&c->more);
		pthread_mutex_unlock(&c->mu);
		(void)pthread_join(c->thread, NULL);
		tf_head_end(c);
	}
	tf_db_close(c->db);
	tf_buf_free(&c->txn.path);
	tf_buf_free(&c->txn.body);
	tf_buf_free(&c->owed);
	free(c->txn.touched);
	(void)pthread_cond_destroy(&c->more);
	(void)pthread_mutex_destroy(&c->mu);
	free(c->tree);
	free(c);
}
