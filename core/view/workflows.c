/*
 * The file `status` of a workflow, and status.json of a workflow or a trail.
 *
 * A workflow with a record that cannot be read has a line like any other, with
 * the word DAMAGED and what cannot be read.
 *
 * The status of a trail is one line per workflow, written as the walk meets it:
 * a trail has no limit on its workflows, so neither the text nor the judgements
 * are kept in memory.
 */
#include "../base/member.h"
#include "../ledger/status.h"
#include "../ledger/status_words.h"
#include "../node/attr.h"
#include "../node/children.h"
#include "../page.h"
#include "entry_json.h"
#include "protection.h"
#include "readable.h"
#include "template.h"
#include "workflow.h"
#include "workflow_json.h"

/* --- one word ------------------------------------------------------------- */

enum tf_code
tf_view_status_word(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_workflow x = { 0 };
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_workflow_read(w, id, &x, err);

	if (rc == TF_OK) {
		tf_buf_printf(&text, "%s\n",
		    tf_compliance_word(x.facts.status.word));
		rc = tf_sink_buf(out, &text, err);
	}
	tf_workflow_free(&x);
	tf_buf_free(&text);
	return rc;
}

/* --- a trail: a line for each workflow ------------------------------------ */

struct lines {
	struct tf_view *w;
	const struct tf_sink *out;
	struct tf_buf text;
};

/* Write the line of one workflow.  A workflow that the asker may not read has
 * no line at all: its status would tell of its evidence. */
static enum tf_code
put_line(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct lines *l = arg;
	struct tf_judgement f = { 0 };
	struct tf_tally t;
	struct tf_json j;
	bool may;
	enum tf_code rc = tf_may_read_row(l->w, row, &may, err);

	if (rc != TF_OK || !may)
		return rc;
	if ((rc = tf_judgement_read(l->w, row, &f, err)) == TF_OK) {
		t = tf_judgement_tally(&f);
		tf_json_begin(&j, &l->text);
		tf_json_object(&j);
		tf_put_uint(&j, "attestations", f.status.n);
		if (f.begun.is)
			tf_put_seconds(&j, "created_at",
			    tf_event_time(&f.begun));
		tf_put_damage(&j, &f.damage);
		rc = tf_put_holds(l->w, &j, row->attr.id, false, err);
		if (f.begun.d.e.imported.p != NULL)
			tf_put_bool(&j, "imported", true);
		tf_put_bool(&j, "is_compliant", f.status.word == TF_COMPLIANT);
		if (rc == TF_OK)
			rc = tf_put_kept_word(l->w, &j, row->attr.id, err);
		tf_put_uint(&j, "missing", t.lacking);
		tf_put_cstr(&j, "name", row->name);
		tf_put_uint(&j, "non_compliant", t.spoiled);
		tf_put_uint(&j, "open", t.open);
		tf_put_uint(&j, "overdue", t.overdue);
		tf_put_cstr(&j, "state", tf_state_name(row->attr.state));
		tf_put_cstr(&j, "status", tf_compliance_word(f.status.word));
		if (f.template != NULL)
			tf_put_uint(&j, "template", f.template->version);
		if (f.template != NULL && f.template->t.n_warnings > 0)
			tf_put_uint(&j, "template_warnings",
			    f.template->t.n_warnings);
		tf_json_object_end(&j);
		if (rc == TF_OK)
			rc = tf_json_end(&j, err);
		tf_buf_add(&l->text, "\n", 1);
	}
	if (rc == TF_OK && l->text.n >= TF_STATUS_PIECE)
		rc = tf_sink_buf(l->out, &l->text, err);
	tf_judgement_free(&f);
	return rc;
}

enum tf_code
tf_view_status(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct lines l = { .w = w, .out = out };
	struct tf_node_row row;
	enum tf_code rc = tf_view_row(w, id, TF_KIND_TRAIL, &row, NULL);

	if (rc == TF_NOTFOUND)
		return tf_workflow_json(w, id, out, err);
	rc = tf_each_child(w->db, id, put_line, &l, err);
	if (rc == TF_OK)
		rc = tf_sink_buf(out, &l.text, err);
	tf_buf_free(&l.text);
	return rc;
}
