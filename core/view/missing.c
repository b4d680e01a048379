/*
 * The names that are missing in a workflow, for .trailfs/missing.
 *
 * The list is a judgement like that of status.json and follows the same rules,
 * so that the two never disagree about one state of the ledger.
 */
#include "../node/vault_i.h"
#include "../page.h"
#include "compliance.h"
#include "view.h"

enum tf_code
tf_view_missing(struct tf_view *w, uint64_t workflow, tf_missing_fn fn,
    void *arg, struct tf_error *err)
{
	const struct tf_judgement *f;
	const struct tf_status_item *m;
	enum tf_code rc;

	tf_vault_slow(w->v);
	rc = tf_judgement_of(w, workflow, &f, err);
	for (size_t i = 0; rc == TF_OK && i < f->status.n; i++) {
		m = &f->status.items[i];
		if (m->lacking && !fn(arg, i, m->name))
			break;
	}
	return rc;
}
