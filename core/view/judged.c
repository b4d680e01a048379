/*
 * Judgements that a view keeps: see tf_judgement_of in compliance.h.
 *
 * Many files of one view need the judgement of the same workflow, such as those
 * of all its attestations in a package.
 */
#include <stdlib.h>

#include "../store/nodes.h"
#include "compliance.h"
#include "view.h"

#define KEPT 16 /* workflows */

struct tf_judged {
	struct {
		uint64_t workflow; /* 0: unused */
		struct tf_judgement f;
	} of[KEPT];
};

/* A slot belongs to the view, and a view is one state of the ledger: a
 * judgement in it cannot become stale, so it needs no check. */
enum tf_code
tf_judgement_of(struct tf_view *w, uint64_t workflow,
    const struct tf_judgement **out, struct tf_error *err)
{
	struct tf_judgement f = { 0 };
	struct tf_node_row row;
	size_t i = workflow % KEPT;
	enum tf_code rc;

	if (w->judged == NULL &&
	    (w->judged = calloc(1, sizeof(*w->judged))) == NULL)
		return tf_nomem(err);
	*out = &w->judged->of[i].f;
	if (w->judged->of[i].workflow == workflow)
		return TF_OK;
	rc = tf_view_row(w, workflow, TF_KIND_WORKFLOW, &row, err);
	if (rc == TF_OK)
		rc = tf_judgement_read(w, &row, &f, err);
	if (rc != TF_OK) {
		tf_judgement_free(&f);
		return rc;
	}
	tf_judgement_free(&w->judged->of[i].f);
	w->judged->of[i].f = f;
	w->judged->of[i].workflow = workflow;
	return TF_OK;
}

void
tf_judged_free(struct tf_judged *kept)
{
	for (size_t i = 0; kept != NULL && i < KEPT; i++)
		tf_judgement_free(&kept->of[i].f);
	free(kept);
}
