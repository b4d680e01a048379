/*
 * The judgement of a workflow, from its template and the claims, seals and
 * overrides of its attestations: see compliance.h.
 *
 * This file only gathers facts; the rules are in tf_status_judge, which knows
 * no database.  The facts are: the template version in force when the workflow
 * began; for each attestation its first entry, its seal with claims and
 * evaluation, its last override and its first evidence in the ledger; and the
 * present time.  reports.c and updates.c read them.
 */
#include "compliance.h"

#include <stdlib.h>

#include "../ledger/entry.h"
#include "../node/children.h"
#include "../node/unindexed.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "events.h"
#include "reports.h"
#include "template.h"
#include "updates.h"

void
tf_judgement_free(struct tf_judgement *f)
{
	tf_loaded_entry_free(&f->begun);
	free(f->a);
	free(f->r);
	free(f->updates);
	tf_buf_free(&f->strings);
	tf_damage_free(&f->damage);
	tf_status_free(&f->status);
	*f = (struct tf_judgement){ 0 };
}

#define STOP_ATTESTATIONS 1024 /* between two checks whether to stop */

/* --- altered entries ----------------------------------------------------------- */

/* True if an attestation of the workflow was sealed before that entry. */
static bool
has_seal_before(const struct tf_judgement *f, uint64_t seq)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->a[i].seal < seq)
			return true;
	return false;
}

/* Mark what depends on an altered entry: one attestation, or the workflow. */
static enum tf_code
use_altered(void *arg, const struct tf_altered_entry *e, struct tf_error *err)
{
	struct tf_reading *x = arg;
	struct tf_judgement *f = x->f;
	struct tf_error why = { 0 };
	bool *damaged = &f->damaged;

	if (!e->named && !has_seal_before(f, e->seals_before))
		return TF_OK;
	for (size_t i = 0; i < f->n; i++)
		if (f->a[i].id == e->attestation)
			damaged = &f->r[i].damaged;
	(void)tf_fail(&why, TF_TAMPER,
	    e->missing ? "entry %llu is missing%s" :
			 "entry %llu differs from its leaf in the log%s",
	    (unsigned long long)e->seq,
	    e->named ? "" : "; it may be an override of this workflow");
	return tf_reading_damage(x, e->seq, damaged, &why, err);
}

static enum tf_code
add_attestation(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct tf_reading *x = arg;

	if (x->f->n % STOP_ATTESTATIONS == STOP_ATTESTATIONS - 1 &&
	    tf_vault_must_stop(x->w->v))
		return tf_fail(err, TF_INTERRUPTED, "given up");
	return tf_reading_report(x, row, err);
}

/* Updates are read before the attestations, which look for their overrides
 * among them. */
static enum tf_code
read_all(struct tf_reading *x, const struct tf_node_row *workflow,
    struct tf_error *err)
{
	struct tf_view *w = x->w;
	struct tf_judgement *f = x->f;
	const uint64_t id = workflow->attr.id;
	struct tf_seqs seqs = { 0 };
	enum tf_code rc = tf_reading_workflow(x, workflow, err);

	if (rc == TF_OK)
		rc = tf_view_collect(w, id, 0, true, &seqs, err);
	if (rc == TF_OK)
		rc = tf_reading_updates(x, &seqs, err);
	tf_seqs_free(&seqs);
	if (rc == TF_OK)
		rc = tf_view_raise_now(w, err);
	f->now = w->now;
	tf_reading_change(x, &workflow->attr);
	for (size_t i = 0; i < f->n_updates; i++)
		tf_raise_time(&f->modified, f->updates[i].at);
	if (rc == TF_OK)
		rc = tf_each_child(w->db, id, add_attestation, x, err);
	return rc == TF_OK ? tf_view_altered(w, id, use_altered, x, err) : rc;
}

enum tf_code
tf_judgement_read(struct tf_view *w, const struct tf_node_row *workflow,
    struct tf_judgement *out, struct tf_error *err)
{
	struct tf_reading x = { .w = w, .f = out };
	enum tf_code rc = read_all(&x, workflow, err);

	if (rc == TF_OK)
		rc = tf_reading_end(&x, err);
	tf_reading_free(&x);
	return rc == TF_OK ? tf_judgement_judge(out, false, &out->status, err) :
			     rc;
}

/* The judgement may be made twice from the same facts: with and without
 * attestations that are still open. */
enum tf_code
tf_judgement_judge(const struct tf_judgement *f, bool sealed_only,
    struct tf_status *out, struct tf_error *err)
{
	const struct tf_case c = {
		.template = f->template != NULL ? &f->template->t : NULL,
		.reports = f->r,
		.n = f->n,
		.sealed_only = sealed_only,
		.damaged = f->damaged,
		.began = f->begun.d.e.at,
		.now = f->now,
	};

	return tf_status_judge(&c, out, err);
}
