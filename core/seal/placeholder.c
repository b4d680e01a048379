/*
 * Placeholders: files that were created and never written.  A close makes a
 * placeholder durable and does not freeze it, because programs create a file
 * and open it again to write it.  It is sealed as an empty file on request, or
 * some time after its last close.
 *
 * A shell closes a copy of its descriptor before it writes the first byte, so
 * each file of "echo x > f" is a placeholder in the database for a moment.
 * Its row must be marked when it is written, or a crash would leave an empty
 * file.  The mark waits for TF_MARK_NS, because the flush of the next close
 * usually makes it unnecessary.
 */
#include <pthread.h>

#include "../base/clock.h"
#include "../commit/commit.h"
#include "../commit/queue.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "../vault.h"
#include "placeholder.h"

void
tf_placeholder_rest(struct tf_pending *l)
{
	struct tf_vault *v = l->v;

	l->deadline_ns = tf_clock_boot_ns() +
	    v->settings.value[TF_PLACEHOLDER] * TF_SECOND;
	tf_pending_index(l);
}

/* --- the mark that it was written ------------------------------------------ */

void
tf_mark_later(struct tf_pending *l)
{
	/* What a draft is after a crash does not depend on it. */
	if (l->mark_ns != 0 || l->attr.state == TF_STATE_DRAFT)
		return;
	l->mark_ns = tf_clock_boot_ns() + TF_MARK_NS;
	tf_pending_index(l);
}

/*
 * The row says from now on that the file was written, and no longer what it
 * has.
 */
static enum tf_code
mark_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct tf_pending *l = arg;

	return tf_stage_set_dirty(tf_txn_write(t), l->attr.id, true, err);
}

void
tf_mark_now(struct tf_vault *v, struct tf_pending *l)
{
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	if (!tf_pending_claim(v, l)) {
		pthread_mutex_unlock(&v->mu);
		return;
	}
	if (l->mark_ns != 0 && l->saved) {
		pthread_mutex_unlock(&v->mu);
		rc = tf_commit_wait(v->commit, mark_run, l, &e);
		if (rc != TF_OK)
			tf_vault_say(v, rc,
			    "that node %llu is being written is not on disk: "
			    "%s",
			    (unsigned long long)l->attr.id, e.text);
		pthread_mutex_lock(&v->mu);
		l->marked = rc == TF_OK;
		l->hollow = rc != TF_OK;
	}
	l->mark_ns = 0;
	tf_pending_unclaim(v, l);
	pthread_mutex_unlock(&v->mu);
}
