/*
 * Judgements that a view keeps: see tf_judgement_of in compliance.h.
 *
 * Many files of one view need the judgement of the same workflow, such as those
 * of all its attestations in a package; many answers of a search are versions of
 * one name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ledger/name.h"
#include "../store/nodes.h"
#include "compliance.h"
#include "judged_slot.h"
#include "view.h"

#define KEPT 16 /* workflows */

struct tf_judged {
	/* Of one attestation, and of the versions of its name if it has others:
	 * see judged_slot.c. */
	uint64_t slot_workflow;
	char name[256]; /* without "@N" */
	struct tf_judgement slot;
	struct {
		uint64_t workflow; /* 0: unused */
		struct tf_judgement f;
	} of[KEPT];
};

static bool
has_memory(struct tf_view *w)
{
	if (w->judged == NULL)
		w->judged = calloc(1, sizeof(*w->judged));
	return w->judged != NULL;
}

/* A place belongs to the view, and a view is one state of the ledger: a
 * judgement in it cannot become stale, so it needs no check. */
enum tf_code
tf_judgement_of(struct tf_view *w, uint64_t workflow,
    const struct tf_judgement **out, struct tf_error *err)
{
	struct tf_judgement f = { 0 };
	struct tf_node_row row;
	size_t i = workflow % KEPT;
	enum tf_code rc;

	if (!has_memory(w))
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

/* The attestations of a workflow are sorted by id; those of a slot are few. */
static bool
find_in(const struct tf_judgement *f, uint64_t id, size_t *at)
{
	for (*at = 0; *at < f->n; (*at)++)
		if (f->a[*at].id == id)
			return true;
	return false;
}

static bool
find_sorted(const struct tf_judgement *f, uint64_t id, size_t *at)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		*at = low + (high - low) / 2;
		if (f->a[*at].id == id)
			return true;
		if (f->a[*at].id < id)
			low = *at + 1;
		else
			high = *at;
	}
	return false;
}

/* *is: the judgement of the slot has the attestation. */
static enum tf_code
judge_slot(struct tf_view *w, const struct tf_node_row *row, size_t *at,
    bool *is, struct tf_error *err)
{
	struct tf_judged *k = w->judged;
	unsigned version;
	const size_t n = tf_name_version(row->name, row->name_len, &version);
	enum tf_code rc;

	if (k->slot_workflow == row->attr.parent && strlen(k->name) == n &&
	    memcmp(k->name, row->name, n) == 0 &&
	    find_in(&k->slot, row->attr.id, at)) {
		*is = true;
		return TF_OK;
	}
	tf_judgement_free(&k->slot);
	k->slot_workflow = 0;
	rc = tf_judged_slot(w, row, &k->slot, is, err);
	*is = rc == TF_OK && *is && find_in(&k->slot, row->attr.id, at);
	if (!*is)
		return rc;
	k->slot_workflow = row->attr.parent;
	(void)snprintf(k->name, sizeof(k->name), "%.*s", (int)n, row->name);
	return TF_OK;
}

enum tf_code
tf_judgement_of_attestation(struct tf_view *w, const struct tf_node_row *row,
    const struct tf_judgement **out, size_t *at, struct tf_error *err)
{
	const uint64_t workflow = row->attr.parent;
	bool is = false;
	enum tf_code rc = TF_OK;

	if (!has_memory(w))
		return tf_nomem(err);
	/* A package needs all attestations of a workflow. */
	if (!w->ledger_only &&
	    w->judged->of[workflow % KEPT].workflow != workflow)
		rc = judge_slot(w, row, at, &is, err);
	if (rc != TF_OK)
		return rc;
	*out = &w->judged->slot;
	if (is)
		return TF_OK;
	rc = tf_judgement_of(w, workflow, out, err);
	/* Both come from one snapshot. */
	if (rc == TF_OK && !find_sorted(*out, row->attr.id, at))
		rc = tf_fail(err, TF_TAMPER,
		    "an attestation is not in its workflow");
	return rc;
}

void
tf_judged_free(struct tf_judged *kept)
{
	if (kept != NULL)
		tf_judgement_free(&kept->slot);
	for (size_t i = 0; kept != NULL && i < KEPT; i++)
		tf_judgement_free(&kept->of[i].f);
	free(kept);
}
