/*
 * Sealing at once on request: fsync(2) of a directory or placeholder, trailctl
 * sync, and the end of a vault.
 *
 * seal_wanted() collects under vault.mu what may be meant, with references,
 * and goes through the list in batches.  For each file it asks again whether
 * it is still below and still wanted, since it may have been renamed or opened
 * meanwhile.  A batch is sealed before it waits for a busy file: nobody waits
 * who holds claims.  A failure does not end the loop, so one bad file does not
 * keep the others unsealed; the last failure is returned.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../base/array.h"
#include "../commit/queue.h"
#include "../ledger/name.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/vault_i.h"
#include "../vault.h"
#include "seal.h"
#include "seal_closed.h"
#include "seal_reads.h"
#include "sync.h"
#include "tend.h"
#include "unflushed.h"

struct due {
	struct tf_vault *v;
	uint32_t uid;
	bool placeholders; /* seal these, too */
	struct tf_pending **l;
	size_t n, cap;
	bool failed;
};

/* Is l to be sealed, or to be waited for? */
static bool
is_wanted(const struct due *w, const struct tf_pending *l)
{
	return l->attr.state == TF_STATE_FROZEN || l->interruption != NULL ||
	    (w->placeholders && tf_pending_rests(l));
}

/* False ends the walk: no memory, which seal_wanted() reports at the end. */
static bool
add_due(void *arg, struct tf_pending *l)
{
	struct due *w = arg;

	if (!is_wanted(w, l) || (w->uid != 0 && w->uid != l->attr.uid))
		return true;
	if (!tf_array_room(&w->l, w->n, &w->cap, sizeof(*w->l))) {
		w->failed = true;
		return false;
	}
	tf_pending_ref(l);
	w->l[w->n++] = l;
	return true;
}

/* Collect those that may be at or below node id; mu held. */
static enum tf_code
want_below(struct due *w, struct tf_db *db, uint64_t id, struct tf_error *err)
{
	uint64_t part[] = { 0, 0, TF_PENDING_TO_SEAL, w->uid };
	unsigned n = w->uid == 0 ? 1 : 2; /* from the class on */
	struct tf_pending_table *t = &w->v->pending;
	struct tf_place p;
	struct tf_attr a;
	enum tf_code rc = tf_attr_of(w->v, db, id, &a, err);

	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	if (a.kind == TF_KIND_EVIDENCE) {
		struct tf_pending *l = tf_pending_get(t, id);

		if (l != NULL && !l->unlinked)
			(void)add_due(w, l);
		return TF_OK;
	}
	if (a.kind < TF_KIND_ATTESTATION) {
		tf_pending_range(t, TF_PENDING_BY_OWNER, part + 2, n, add_due,
		    w);
		return TF_OK;
	}
	if ((rc = tf_place_of(w->v, db, id, &p, err)) != TF_OK)
		return rc;
	part[0] = p.wf;
	part[1] = p.att.id;
	tf_pending_range(t, TF_PENDING_BY_ATTESTATION, part, 2 + n, add_due, w);
	return TF_OK;
}

/* Is l claimed, or about to be flushed, compared or recorded? */
static bool
is_busy(const struct tf_pending *l)
{
	return l->job || l->interruption != NULL ||
	    ((l->attr.state == TF_STATE_FROZEN || tf_pending_rests(l)) &&
		(l->on_duty ||
		    (l->failed == TF_OK &&
			(!tf_pending_clean(l) || l->unchecked))));
}

/* Is l at or below node id?  A node that left the tree is not.  mu held. */
static enum tf_code
is_below(struct tf_vault *v, struct tf_db *db, const struct tf_pending *l,
    uint64_t id, bool *yes, struct tf_error *err)
{
	struct tf_attr a = l->attr;
	enum tf_code rc = TF_OK;
	unsigned depth = 0;

	while (rc == TF_OK && a.id != id && a.id != TF_ROOT_ID)
		rc = ++depth > TF_DEPTH_MAX ?
		    tf_fail(err, TF_TAMPER, "a path without an end") :
		    tf_attr_of(v, db, a.parent, &a, err);
	*yes = rc == TF_OK && a.id == id;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Flush those whose flush was put off, together.  mu is held, and let go of
 * meanwhile. */
static void
flush_waiting(const struct due *w)
{
	tf_commit_gather(w->v->commit);
	for (size_t i = 0; i < w->n; i++) {
		if (w->l[i]->job || !tf_unflushed_waits(w->l[i]))
			continue;
		pthread_mutex_unlock(&w->v->mu);
		tf_pending_tend(w->l[i]);
		pthread_mutex_lock(&w->v->mu);
	}
	tf_commit_gathered(w->v->commit);
}

/* Seal what is wanted at or below id.  No lock is held on entry and exit. */
static enum tf_code
seal_wanted(struct tf_vault *v, uint64_t id, uint32_t uid, bool placeholders,
    struct tf_error *err)
{
	struct due w = { .v = v, .uid = uid, .placeholders = placeholders };
	struct tf_pending *batch[TF_SEAL_MAX];
	enum tf_code rc, last = TF_OK;
	struct tf_db *db;
	size_t n = 0;

	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	last = want_below(&w, db, id, err);
	flush_waiting(&w);
	for (size_t i = 0; i < w.n || n > 0;) {
		bool more = i < w.n, busy, below = false;

		if (more) {
			rc = is_below(v, db, w.l[i], id, &below, err);
			last = rc != TF_OK ? rc : last;
		}
		if (more && !below) {
			i++;
			continue;
		}
		busy = more && is_busy(w.l[i]);
		/* Seal the batch first: nobody waits who holds claims. */
		if (n == TF_SEAL_MAX || (n > 0 && (!more || busy))) {
			pthread_mutex_unlock(&v->mu);
			rc = tf_seal_claimed(v, batch, n, err);
			last = rc != TF_OK ? rc : last;
			n = 0;
			pthread_mutex_lock(&v->mu);
			continue;
		}
		if (busy && w.l[i]->put_off && !w.l[i]->job) {
			pthread_mutex_unlock(&v->mu);
			tf_pending_tend(w.l[i]);
			pthread_mutex_lock(&v->mu);
			if (w.l[i]->put_off) {
				last = tf_fail(err, TF_TOOMANY,
				    "%.60s is not on disk yet: too few "
				    "descriptors",
				    w.l[i]->name);
				i++;
			}
			continue;
		}
		/* At the end of the vault nobody finishes that work. */
		if (busy && !w.l[i]->job && atomic_load(&v->ending)) {
			i++;
			continue;
		}
		if (busy && !w.l[i]->job &&
		    (rc = tf_vault_wait_long(v, err)) != TF_OK) {
			last = rc;
			break;
		}
		if (busy) {
			if (w.l[i]->job)
				tf_vault_wait(v);
			continue;
		}
		if (w.l[i]->failed != TF_OK) {
			last = tf_pending_failure(w.l[i], err);
		} else if (tf_pending_claim(v, w.l[i])) {
			/* It may have been renamed or opened meanwhile. */
			if (is_wanted(&w, w.l[i]))
				batch[n++] = w.l[i];
			else
				tf_pending_unclaim(v, w.l[i]);
		}
		i++;
	}
	for (size_t i = 0; i < w.n; i++)
		tf_pending_unref(w.l[i]);
	pthread_mutex_unlock(&v->mu);
	tf_reader_done(v, db);
	free(w.l);
	if (last == TF_OK && w.failed)
		return tf_nomem(err);
	return last;
}

/* The owner of the root directory sees all evidence.read entries. */
static enum tf_code
record_reads(struct tf_vault *v, const struct tf_actor *who,
    struct tf_error *err)
{
	struct tf_attr a = { 0 };
	enum tf_code rc = TF_OK;

	if (who->uid != 0)
		rc = tf_vault_getattr(v, TF_ROOT_ID, &a, err);
	return rc == TF_OK && (who->uid == 0 || who->uid == a.uid) ?
	    tf_reads_record(v, err) :
	    rc;
}

enum tf_code
tf_vault_sync(struct tf_vault *v, uint64_t id, const struct tf_actor *who,
    struct tf_error *err)
{
	enum tf_code rc = seal_wanted(v, id, who->uid, true, err);

	if (rc == TF_OK)
		rc = tf_closed_sync(v, id, who, err);
	return rc == TF_OK && id == TF_ROOT_ID ? record_reads(v, who, err) : rc;
}

enum tf_code
tf_seal_frozen(struct tf_vault *v, struct tf_error *err)
{
	enum tf_code rc = seal_wanted(v, TF_ROOT_ID, 0, false, err);

	return rc == TF_OK ? tf_closed_finish(v, err) : rc;
}
