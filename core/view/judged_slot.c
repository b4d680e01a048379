/*
 * The judgement of one attestation: see judged_slot.h.
 *
 * The rules are those of ledger/status.h, applied to fewer reports.  The result
 * of a report depends on the entries about it and about its workflow, and
 *
 *   - on the other versions of its name, if its slot has a deadline;
 *   - on the reports of the names in `after` of its slot.
 *
 * Hence a workflow of very many attestations costs a search no more than a small
 * one.  Damage may be about anything in the workflow, so this file decides
 * nothing about it.
 */
#include "judged_slot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../ledger/name.h"
#include "../ledger/slot.h"
#include "../store/nodes.h"
#include "compliance.h"
#include "reports.h"
#include "template.h"
#include "unindexed.h"
#include "updates.h"

/* The attestations that are read. */
struct rows {
	struct tf_node_row *p;
	size_t n, cap;
	struct tf_seqs seqs; /* of entries that no row names */
};

static void
rows_free(struct rows *r)
{
	free(r->p);
	tf_seqs_free(&r->seqs);
}

/* Add a row, and the entries about it that may be overrides. */
static enum tf_code
add_row(struct tf_reading *x, struct rows *r, uint64_t from,
    const struct tf_node_row *row, struct tf_error *err)
{
	const struct tf_str workflow = x->f->begun.d.e.path;
	struct tf_buf path = { 0 };
	enum tf_code rc;

	if (!tf_array_room(&r->p, r->n, &r->cap, sizeof(*r->p)))
		return tf_nomem(err);
	r->p[r->n++] = *row;
	tf_buf_add(&path, workflow.p, workflow.n);
	tf_buf_add(&path, "/", 1);
	tf_buf_add(&path, row->name, row->name_len);
	rc = tf_buf_end(&path, err);
	if (rc == TF_OK)
		rc = tf_view_unindexed(x->w, &path, from, &r->seqs, err);
	tf_buf_free(&path);
	return rc;
}

/* Add all versions of a name. */
static enum tf_code
add_versions(struct tf_reading *x, struct rows *r,
    const struct tf_node_row *workflow, struct tf_str name,
    struct tf_error *err)
{
	struct tf_node_row row;
	char text[300];
	enum tf_code rc = TF_OK;

	for (unsigned version = 1; rc == TF_OK; version++) {
		int n = version == 1 ?
		    snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p) :
		    snprintf(text, sizeof(text), "%.*s@%u", (int)name.n, name.p,
			version);

		rc = tf_nodes_find(x->w->db, workflow->attr.id, text, (size_t)n,
		    &row, err);
		if (rc == TF_OK && row.attr.kind == TF_KIND_ATTESTATION)
			rc = add_row(x, r, workflow->entry, &row, err);
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Is it one of the first n? */
static bool
is_among(struct tf_str name, const struct tf_strs *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (tf_str_same(names->p[i], name))
			return true;
	return false;
}

/* Find the attestations that the result for this one depends on. */
static enum tf_code
find_rows(struct tf_reading *x, struct rows *r,
    const struct tf_node_row *workflow, const struct tf_node_row *row,
    struct tf_error *err)
{
	unsigned version;
	const struct tf_str name = { row->name,
		tf_name_version(row->name, row->name_len, &version) };
	const struct tf_slot *slot = x->f->template == NULL ?
	    NULL :
	    tf_template_slot(&x->f->template->t, name.p, name.n);
	enum tf_code rc;

	if (slot != NULL &&
	    (slot->deadline_s > 0 ||
		is_among(name, &slot->after, slot->after.n)))
		rc = add_versions(x, r, workflow, name, err);
	else
		rc = add_row(x, r, workflow->entry, row, err);
	for (size_t i = 0; rc == TF_OK && slot != NULL && i < slot->after.n;
	     i++)
		if (!tf_str_same(slot->after.p[i], name) &&
		    !is_among(slot->after.p[i], &slot->after, i))
			rc = add_versions(x, r, workflow, slot->after.p[i],
			    err);
	return rc;
}

static enum tf_code
is_altered(void *arg, const struct tf_altered_entry *e, struct tf_error *err)
{
	(void)e;
	(void)err;
	*(bool *)arg = true;
	return TF_OK;
}

/* Is nothing damaged that the workflow may depend on? */
static enum tf_code
find_whole(struct tf_reading *x, const struct tf_node_row *row, bool *whole,
    struct tf_error *err)
{
	const struct tf_judgement *f = x->f;
	struct tf_walked walked;
	bool altered = false, has = false;
	enum tf_code rc = tf_view_altered(x->w, row->attr.parent, is_altered,
	    &altered, err);

	tf_view_walked(x->w, f->begun.d.e.path, &walked);
	for (size_t i = 0; i < f->n; i++)
		has = has || f->a[i].id == row->attr.id;
	*whole = has && !altered && !walked.has_unknown && !f->damaged &&
	    f->damage.n == 0;
	return rc;
}

static enum tf_code
read_slot(struct tf_reading *x, const struct tf_node_row *row, bool *whole,
    struct tf_error *err)
{
	struct tf_node_row workflow;
	struct rows r = { 0 };
	enum tf_code rc = tf_view_row(x->w, row->attr.parent, TF_KIND_WORKFLOW,
	    &workflow, err);

	if (rc == TF_OK)
		rc = tf_reading_workflow(x, &workflow, err);
	if (rc != TF_OK || !x->f->begun.is)
		return rc;
	rc = find_rows(x, &r, &workflow, row, err);
	if (rc == TF_OK)
		rc = tf_reading_updates(x, &r.seqs, err);
	if (rc == TF_OK)
		rc = tf_view_raise_now(x->w, err);
	x->f->now = x->w->now;
	for (size_t i = 0; rc == TF_OK && i < r.n; i++)
		rc = tf_reading_report(x, &r.p[i], err);
	rows_free(&r);
	return rc == TF_OK ? find_whole(x, row, whole, err) : rc;
}

enum tf_code
tf_judged_slot(struct tf_view *w, const struct tf_node_row *row,
    struct tf_judgement *out, bool *whole, struct tf_error *err)
{
	struct tf_reading x = { .w = w, .f = out };
	enum tf_code rc;

	*whole = false;
	rc = read_slot(&x, row, whole, err);
	if (rc == TF_OK)
		rc = tf_reading_end(&x, err);
	tf_reading_free(&x);
	return rc == TF_OK && *whole ?
	    tf_judgement_judge(out, false, &out->status, err) :
	    rc;
}
