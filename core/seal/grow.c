/*
 * Entering the chunks of a file that grows.  The order keeps G1 and G2: with io
 * held, `fixed` is set to the end of the last whole chunk; without a lock the file
 * is synced, then read and hashed; then its claim is taken, and one transaction
 * appends the entries and writes the row.  So a writer waits for the transaction
 * only, and no other user waits for anything.
 *
 * The descriptor is one of our own.  That of the writer may be closed meanwhile,
 * to be opened again (descriptors.h).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/file.h"
#include "../base/mutant.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/flush.h"
#include "../commit/hasher.h"
#include "../commit/queue.h"
#include "../commit/staging.h"
#include "../commit/txn_path.h"
#include "../ledger/chunks.h"
#include "../node/background.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/growth.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/recipients.h"
#include "../node/text.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "grow.h"
#include "grown.h"

#define AGAIN_NS (10 * TF_SECOND) /* after a failure */
/* Bytes of one duty; the file then waits for the others of its owner. */
#define PART ((uint64_t)64 << 20)

struct grow {
	struct tf_duty duty;
	struct tf_pending *l;
	struct tf_chunk_list list;
	uint64_t last; /* seq of its newest entry */
};

/* --- the bytes ---------------------------------------------------------------- */

/*
 * Fix the part that is to be entered, [l->entered, *to), and open the staged file.
 * *to is l->entered if there is nothing to enter, and then *fd is -1.  *named: the
 * name of that file survives a power cut.
 */
static enum tf_code
fix(struct tf_pending *l, int *fd, uint64_t *from, uint64_t *to, bool *named,
    struct tf_error *err)
{
	struct tf_vault *v = l->v;
	uint64_t end = 0;
	enum tf_code rc = TF_OK;

	*fd = -1;
	tf_pending_lock(l);
	pthread_mutex_lock(&v->mu);
	*from = *to = l->entered;
	if (tf_growth_goes_on(l))
		end = tf_chunks_whole(l->size);
	if (end > *from + PART)
		end = tf_chunks_whole(*from + PART);
	pthread_mutex_unlock(&v->mu);
	if (end > *from && (rc = tf_content_to_file(l, err)) == TF_OK)
		rc = tf_content_open(l, fd, err);
	if (end > *from && rc == TF_OK) {
		pthread_mutex_lock(&v->mu);
		l->in_db = false; /* the file counts, also if it is flushed */
		if (end > l->growth->fixed)
			l->growth->fixed = end;
		pthread_mutex_unlock(&v->mu);
		*to = end;
	}
	*named = l->named;
	pthread_mutex_unlock(&l->io);
	return rc;
}

/* G2: bytes and name of the staged file are durable.  A failure is final (F3). */
static enum tf_code
sync_content(struct tf_pending *l, int fd, bool named, struct tf_error *err)
{
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = tf_file_datasync(fd, &e);

	if (rc == TF_OK && !named)
		rc = tf_file_sync_dir(l->v->stagefd, ".", &e);
	if (rc != TF_OK && rc != TF_TOOMANY)
		return tf_pending_fail(l, rc, &e, err);
	if (rc != TF_OK)
		return tf_fail_as(err, &e);
	if (!named) {
		tf_pending_lock(l);
		l->named = true;
		pthread_mutex_unlock(&l->io);
	}
	return TF_OK;
}

/* Nobody waits for the entries, and the next start goes on without them. */
static bool
ends(void *arg)
{
	struct tf_pending *l = arg;

	return tf_vault_must_stop(l->v);
}

/* --- the entry ---------------------------------------------------------------- */

/* Entries and row, in one transaction: with the row a restart finds the staged file
 * and the newest entry about it. */
static enum tf_code
grow_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct grow *g = arg;
	struct tf_pending *l = g->l;
	struct tf_buf path = { 0 };
	const uint64_t n = tf_chunks_entries(g->list.from, g->list.to);
	struct tf_grown about = { .node = l->attr.id };
	struct tf_node_row att;
	bool encrypts = false;
	enum tf_code rc = tf_nodes_get(t->db, l->att, &att, err);

	/* From the first entry on they cannot be set: see define.c. */
	if (rc == TF_OK && atomic_load(&t->v->recipients.any))
		rc = tf_recipients_any_of(t->db, l->wf, &encrypts, err);
	if (rc == TF_OK && encrypts)
		return tf_fail(err, TF_UNSUPPORTED,
		    "its trail has recipients now");
	if (rc == TF_OK && att.seal != TF_NO_SEQ)
		return tf_fail(err, TF_READONLY, "the attestation is sealed");
	if (rc == TF_OK)
		rc = tf_child_path(t, l->attr.parent, l->name, &path, err);
	about.path = tf_buf_bytes(&path);
	if (l->actor != NULL)
		about.actor = (struct tf_str){ l->actor->s, l->actor->n };
	if (rc == TF_OK && n > 1)
		rc = tf_txn_batch(t, n, err);
	if (rc == TF_OK)
		rc = tf_grown_append(t, &about, &g->list,
		    g->list.from > 0 ? &l->entered_seq : NULL, &g->last, err);
	tf_buf_free(&path);
	if (rc != TF_OK)
		return rc;
	tf_txn_batch_end(t);
	pthread_mutex_lock(&t->v->mu);
	l->growth->row_seq = g->last;
	pthread_mutex_unlock(&t->v->mu);
	return tf_stage_save(t, l, err);
}

/* Is a directory above l on its way to another name?  mu is held. */
static bool
moves_above(struct tf_vault *v, const struct tf_pending *l)
{
	const struct tf_pending *d = tf_pending_get(&v->pending,
	    l->attr.parent);

	while (d != NULL && !d->job)
		d = tf_pending_get(&v->pending, d->attr.parent);
	return d != NULL;
}

/* Claim l, when no directory above it is claimed: after a failed rename it would
 * have its old name again.  From now on none is renamed (G3).  mu is held. */
static bool
claim(struct tf_vault *v, struct tf_pending *l)
{
	for (;;) {
		if (!tf_pending_claim(v, l))
			return false;
		if (!moves_above(v, l))
			return true;
		tf_pending_unclaim(v, l);
		tf_vault_wait(v);
	}
}

/* Commit the entries of g, unless l was closed or has failed meanwhile. */
static enum tf_code
enter(struct grow *g, struct tf_error *err)
{
	struct tf_pending *l = g->l;
	struct tf_vault *v = l->v;
	bool claimed, was_marked = false;
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	claimed = claim(v, l);
	if (claimed && !tf_growth_goes_on(l)) {
		tf_pending_unclaim(v, l);
		claimed = false;
	}
	if (claimed) {
		was_marked = l->marked;
		/* The row will say that it is not true: see F4. */
		l->marked = l->marked || !tf_pending_clean(l);
	}
	pthread_mutex_unlock(&v->mu);
	if (!claimed)
		return TF_OK;
	rc = tf_commit_wait(v->commit, grow_run, g, err);
	pthread_mutex_lock(&v->mu);
	if (rc == TF_OK) {
		atomic_fetch_add(&v->counters.grown_bytes,
		    g->list.to - g->list.from);
		l->entered = g->list.to;
		l->entered_seq = g->last;
		l->hollow = false;
		tf_stage_saved(v, l);
	} else {
		l->marked = was_marked;
	}
	l->growth->row_seq = l->entered_seq;
	tf_pending_unclaim(v, l);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

/* --- the duty ----------------------------------------------------------------- */

/* Nobody waits for the result, and the writer goes on: after a failure the next
 * duty enters the same bytes. */
static void
ended(struct tf_pending *l, enum tf_code rc, const struct tf_error *e)
{
	struct tf_vault *v = l->v;
	const bool ends = rc == TF_INTERRUPTED || rc == TF_READONLY ||
	    rc == TF_UNSUPPORTED;

	if (rc != TF_OK && !ends) {
		atomic_fetch_add(&v->counters.grow_failures, 1);
		tf_vault_say(v, rc,
		    "what node %llu has grown by is not entered yet: %s",
		    (unsigned long long)l->attr.id, e->text);
	}
	pthread_mutex_lock(&v->mu);
	l->growth->queued = false;
	if (l->growth->over)
		tf_growth_free(l);
	else if (rc == TF_OK)
		tf_growth_due(l, false);
	else if (!ends && l->failed == TF_OK)
		l->growth->due_ns = tf_clock_boot_ns() + AGAIN_NS;
	tf_pending_index(l);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
}

/* Nothing of l was entered or will be: it is a file like any other. */
static void
give_up(struct tf_pending *l)
{
	tf_pending_lock(l);
	pthread_mutex_lock(&l->v->mu);
	l->growth->encrypts = true;
	l->growth->fixed = 0;
	pthread_mutex_unlock(&l->v->mu);
	pthread_mutex_unlock(&l->io);
}

static void
run(struct tf_duty *d)
{
	struct grow *g = (struct grow *)d;
	struct tf_pending *l = g->l;
	const struct tf_patience p = { .is_over = ends, .arg = l };
	struct tf_error e = { .code = TF_OK };
	uint64_t from = 0, to = 0;
	bool named = false;
	int fd = -1;
	enum tf_code rc;

	rc = fix(l, &fd, &from, &to, &named, &e);
	if (rc == TF_OK && to > from) {
		rc = tf_space_take(l->v, l->attr.uid,
		    TF_ROW_COST + (to - from) / tf_chunk_bytes(from) * 64, 0,
		    &e);
		if (rc == TF_OK && !TF_IS_MUTANT(TF_ENTER_UNSYNCED))
			rc = sync_content(l, fd, named, &e);
		if (rc == TF_OK)
			rc = tf_hash_chunks(l->v->hasher, l->attr.uid, fd, from,
			    to, &p, &g->list, &e);
		if (rc == TF_OK)
			rc = enter(g, &e);
	}
	if (fd >= 0)
		(void)close(fd);
	tf_chunk_list_free(&g->list);
	free(g);
	if (rc == TF_UNSUPPORTED)
		give_up(l);
	ended(l, rc, &e);
}

void
tf_grow(struct tf_vault *v, struct tf_pending *l)
{
	struct grow *g = calloc(1, sizeof(*g));

	pthread_mutex_lock(&v->mu);
	if (l->growth != NULL && !l->growth->queued) {
		l->growth->due_ns = g == NULL ? tf_clock_boot_ns() + AGAIN_NS :
						0;
		tf_pending_index(l);
		if (g != NULL) {
			l->growth->queued = true;
			g->l = l;
			g->duty.uid = l->attr.uid;
			g->duty.run = run;
			tf_pending_ref(l);
			tf_background_add(v->background, &g->duty);
			g = NULL;
		}
	}
	pthread_mutex_unlock(&v->mu);
	free(g);
}
