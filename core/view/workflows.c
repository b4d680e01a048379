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
#include "damage.h"
#include "verdicts.h"
#include "view.h"
#include "workflow.h"
#include "workflow_json.h"

/* --- one word ------------------------------------------------------------- */

enum tf_code
tf_view_status_word(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_verdict verdict;
	struct tf_node_row row;
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_view_row(w, id, TF_KIND_WORKFLOW, &row, err);

	if (rc == TF_OK)
		rc = tf_verdict_of(w, &row, &verdict, err);
	if (rc == TF_OK) {
		tf_buf_printf(&text, "%s\n", tf_compliance_word(verdict.word));
		rc = tf_sink_buf(out, &text, err);
	}
	tf_buf_free(&text);
	return rc;
}

/* --- a trail: a line for each workflow ------------------------------------ */

struct lines {
	struct tf_view *w;
	const struct tf_sink *out;
	struct tf_buf text;
};

/* Write the line of a workflow. */
static enum tf_code
put_workflow(struct lines *l, const struct tf_node_row *row,
    const struct tf_verdict *x, const struct tf_damage *damage,
    const struct tf_loaded_entry *begun, struct tf_error *err)
{
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &l->text);
	tf_json_object(&j);
	tf_put_uint(&j, "attestations", x->names);
	if (begun->is)
		tf_put_seconds(&j, "created_at", tf_event_time(begun));
	tf_put_damage(&j, damage);
	rc = tf_put_holds(l->w, &j, row->attr.id, false, err);
	if (begun->d.e.imported.p != NULL)
		tf_put_bool(&j, "imported", true);
	tf_put_bool(&j, "is_compliant", x->word == TF_COMPLIANT);
	if (rc == TF_OK)
		rc = tf_put_kept_word(l->w, &j, row->attr.id, err);
	tf_put_uint(&j, "missing", x->tally.lacking);
	tf_put_cstr(&j, "name", row->name);
	tf_put_uint(&j, "non_compliant", x->tally.spoiled);
	tf_put_uint(&j, "open", x->tally.open);
	tf_put_uint(&j, "overdue", x->tally.overdue);
	tf_put_cstr(&j, "state", tf_state_name(row->attr.state));
	tf_put_cstr(&j, "status", tf_compliance_word(x->word));
	if (x->template != 0)
		tf_put_uint(&j, "template", x->template);
	if (x->warnings > 0)
		tf_put_uint(&j, "template_warnings", x->warnings);
	tf_json_object_end(&j);
	if (rc == TF_OK)
		rc = tf_json_end(&j, err);
	tf_buf_add(&l->text, "\n", 1);
	return rc;
}

/* Write the line of one workflow.  A workflow that the asker may not read has
 * no line at all: its status would tell of its evidence. */
static enum tf_code
put_line(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct lines *l = arg;
	struct tf_damage damage = { 0 };
	struct tf_loaded_entry begun = { 0 };
	struct tf_verdict verdict;
	bool may;
	enum tf_code rc = tf_may_read_row(l->w, row, &may, err);

	if (rc != TF_OK || !may)
		return rc;
	rc = tf_verdict_with_damage(l->w, row, &verdict, &damage, err);
	if (rc == TF_OK)
		rc = tf_loaded_entry_try(l->w, row->entry, &begun, &damage,
		    err);
	/* The entry was spoilt since its workflow was judged. */
	if (rc == TF_OK && damage.n > 0)
		verdict.word = TF_DAMAGED;
	if (rc == TF_OK)
		rc = put_workflow(l, row, &verdict, &damage, &begun, err);
	if (rc == TF_OK && l->text.n >= TF_STATUS_PIECE)
		rc = tf_sink_buf(l->out, &l->text, err);
	tf_damage_free(&damage);
	tf_loaded_entry_free(&begun);
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
