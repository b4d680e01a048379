/*
 * Entries that change a judgement after the fact: see updates.h.
 *
 * A workflow may have as many overrides as attestations, so they are searched by
 * the seal that they are about.
 */
#include "updates.h"

#include <stdlib.h>

#include "../base/bytes.h"
#include "../store/nodes.h"
#include "compliance.h"
#include "unindexed.h"

/* Keep the entries that can change a judgement after the fact: overrides of a
 * seal, and claims about the workflow itself. */
static void
note_entry(struct tf_judgement *f, const struct tf_entry *e)
{
	struct tf_update u = { e->seq, TF_NO_SEQ, e->at, e->compliant };

	if (e->type == TF_ATTESTATION_OVERRIDDEN)
		u.target = e->target;
	else if (e->type != TF_CLAIMS_SET ||
	    !tf_str_same(e->path, f->begun.d.e.path))
		return;
	f->updates[f->n_updates++] = u;
}

static int
by_target_and_seq(const void *a, const void *b)
{
	const struct tf_update *x = a, *y = b;

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

static enum tf_code
sort_by_target(struct tf_reading *x, struct tf_error *err)
{
	const struct tf_judgement *f = x->f;

	if (f->n_updates == 0)
		return TF_OK;
	if ((x->by_target = calloc(f->n_updates, sizeof(*x->by_target))) ==
	    NULL)
		return tf_nomem(err);
	for (size_t i = 0; i < f->n_updates; i++)
		x->by_target[i] = f->updates[i];
	qsort(x->by_target, f->n_updates, sizeof(*x->by_target),
	    by_target_and_seq);
	return TF_OK;
}

enum tf_code
tf_reading_updates(struct tf_reading *x, struct tf_seqs *seqs,
    struct tf_error *err)
{
	struct tf_judgement *f = x->f;
	enum tf_code rc = TF_OK;

	tf_seqs_sort(seqs);
	if (seqs->n > 0 &&
	    (f->updates = calloc(seqs->n, sizeof(*f->updates))) == NULL)
		return tf_nomem(err);
	for (size_t i = 0; rc == TF_OK && i < seqs->n; i++) {
		rc = tf_loaded_entry_try(x->w, seqs->p[i], &x->t, &f->damage,
		    err);
		if (rc == TF_OK && x->t.is)
			note_entry(f, &x->t.d.e);
		/* It may be the override of any attestation. */
		f->damaged = f->damaged || x->t.damaged;
	}
	return rc == TF_OK ? sort_by_target(x, err) : rc;
}

const struct tf_update *
tf_reading_override(const struct tf_reading *x, uint64_t target)
{
	size_t low = 0, high = x->f->n_updates;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (x->by_target[mid].target <= target)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && x->by_target[low - 1].target == target ?
	    &x->by_target[low - 1] :
	    NULL;
}
