/*
 * What the status files of a workflow share: see workflow.h.
 *
 * The file `status`, status.json and status.md are three forms of one
 * judgement.  All of them read it here, so that a new fact cannot reach one
 * form and be missing in another.
 */
#include "workflow.h"

#include "../node/paths.h"
#include "readable.h"

void
tf_workflow_free(struct tf_workflow *x)
{
	tf_buf_free(&x->path);
	tf_judgement_free(&x->facts);
	tf_loaded_entry_free(&x->sealed);
	tf_claimed_free(&x->claimed);
}

/* Claims about a workflow do not change its verdict. */
static enum tf_code
read_claims(struct tf_view *w, uint64_t id, struct tf_workflow *x,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = tf_claimed_read(w, id, &x->claimed, &why);

	return rc == TF_OK ?
	    rc :
	    tf_damage_note(w, &x->facts.damage, TF_NO_SEQ, &why, err);
}

enum tf_code
tf_workflow_read(struct tf_view *w, uint64_t id, struct tf_workflow *x,
    struct tf_error *err)
{
	enum tf_code rc = tf_view_row(w, id, TF_KIND_WORKFLOW, &x->row, err);

	if (rc == TF_OK)
		rc = tf_path_of(w->v, w->db, id, &x->path, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&x->path, err);
	if (rc == TF_OK)
		rc = tf_judgement_read(w, &x->row, &x->facts, err);
	if (rc == TF_OK)
		rc = tf_loaded_entry_try(w, x->row.seal, &x->sealed,
		    &x->facts.damage, err);
	return rc == TF_OK ? read_claims(w, id, x, err) : rc;
}

enum tf_code
tf_workflow_deciding(struct tf_view *w, const struct tf_judgement *f,
    const struct tf_status_item *m, const struct tf_att **a,
    struct tf_loaded_entry *seal, struct tf_error *err)
{
	*a = m->decides == SIZE_MAX ? NULL : &f->a[m->decides];
	return tf_loaded_entry_try(w, *a == NULL ? TF_NO_SEQ : (*a)->seal, seal,
	    NULL, err);
}

enum tf_code
tf_workflow_reason(struct tf_view *w, const struct tf_att *a,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_loaded_entry t = { 0 };
	bool may = false;
	enum tf_code rc = TF_OK;

	if (a == NULL || a->override == TF_NO_SEQ)
		return TF_OK;
	rc = tf_may_read(w, a->id, &may, err);
	if (rc == TF_OK && may)
		rc = tf_loaded_entry_try(w, a->override, &t, NULL, err);
	if (t.is && t.d.e.reason.p != NULL)
		tf_buf_add(out, t.d.e.reason.p, t.d.e.reason.n);
	tf_loaded_entry_free(&t);
	return rc;
}
