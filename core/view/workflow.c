/* The status files of a workflow (status, status.json, status.md), and
 * status.json of a trail. */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/name.h"
#include "../ledger/status.h"
#include "../ledger/status_words.h"
#include "../node/attr.h"
#include "../node/children.h"
#include "../node/paths.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/nodes.h"
#include "attestation.h"
#include "compliance.h"
#include "readable.h"
#include "view.h"

#define PIECE 65536 /* bytes */

/* A workflow in the ledger, with its judgement. */
struct workflow {
	struct tf_node_row row;
	struct tf_buf path;
	struct tf_judgement facts;
	struct tf_loaded_entry begun, sealed;
};

static void
workflow_free(struct workflow *x)
{
	tf_buf_free(&x->path);
	tf_judgement_free(&x->facts);
	tf_loaded_entry_free(&x->begun);
	tf_loaded_entry_free(&x->sealed);
}

static enum tf_code
read_workflow(struct tf_view *w, uint64_t id, struct workflow *x,
    struct tf_error *err)
{
	enum tf_code rc = tf_view_row(w, id, TF_KIND_WORKFLOW, &x->row, err);

	if (rc == TF_OK)
		rc = tf_path_of(w->v, w->db, id, &x->path, err);
	if (rc == TF_OK && x->path.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = tf_loaded_entry_read(w, x->row.entry, &x->begun, err);
	if (rc == TF_OK)
		rc = tf_loaded_entry_read(w, x->row.seal, &x->sealed, err);
	return rc == TF_OK ? tf_judgement_read(w, id, &x->facts, err) : rc;
}

/* --- one word ------------------------------------------------------------- */

enum tf_code
tf_view_status_word(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct workflow x = { 0 };
	struct tf_buf text = { 0 };
	enum tf_code rc = read_workflow(w, id, &x, err);

	if (rc == TF_OK) {
		tf_buf_printf(&text, "%s\n",
		    tf_compliance_word(x.facts.status.word));
		rc = tf_sink_buf(out, &text, err);
	}
	workflow_free(&x);
	tf_buf_free(&text);
	return rc;
}

/* --- status.json ---------------------------------------------------------- */

/* Find the report that decides an item, or NULL, and read its seal if it has
 * one. */
static enum tf_code
read_deciding(struct tf_view *w, const struct tf_judgement *f,
    const struct tf_status_item *m, const struct tf_att **a,
    struct tf_loaded_entry *seal, struct tf_error *err)
{
	*a = m->decides == SIZE_MAX ? NULL : &f->a[m->decides];
	return tf_loaded_entry_read(w, *a == NULL ? TF_NO_SEQ : (*a)->seal,
	    seal, err);
}

static unsigned
version_of(const struct tf_reported *r)
{
	unsigned version;

	(void)tf_name_version(r->name.p, r->name.n, &version);
	return version;
}

static enum tf_code
put_item(struct tf_view *w, struct tf_json *j, const struct tf_judgement *f,
    const struct tf_status_item *m, struct tf_loaded_entry *seal,
    struct tf_error *err)
{
	static const struct tf_str generic = { "generic", 7 };
	const struct tf_att *a;
	enum tf_code rc = read_deciding(w, f, m, &a, seal, err);

	if (rc != TF_OK)
		return rc;
	tf_json_object(j);
	tf_put_str(j, "attestation_name", m->name);
	tf_put_str(j, "attestation_type", m->type.p ? m->type : generic);
	if (seal->is)
		tf_put_uint(j, "index", a->seal);
	tf_json_key(j, "is_compliant");
	if (m->reported)
		tf_json_bool(j, m->compliant);
	else
		tf_json_null(j);
	if (m->open != SIZE_MAX)
		tf_put_uint(j, "open", version_of(&f->r[m->open]));
	if (seal->is && a->override != TF_NO_SEQ)
		tf_put_uint(j, "overridden", a->override);
	if (seal->is)
		tf_put_time(j, "reported_at", seal->d.e.at);
	if (seal->is)
		tf_put_clock(j, "reported_clock", &seal->d.e);
	tf_put_cstr(j, "status", tf_item_word(m->state));
	tf_put_bool(j, "unexpected", m->unexpected);
	if (m->reported)
		tf_put_uint(j, "version", version_of(&f->r[m->decides]));
	tf_json_object_end(j);
	return TF_OK;
}

static enum tf_code
put_items(struct tf_view *w, struct tf_json *j, const struct tf_judgement *f,
    const struct tf_sink *out, struct tf_error *err)
{
	struct tf_loaded_entry seal = { 0 };
	enum tf_code rc = TF_OK;

	if (f->status.n == 0)
		return TF_OK;
	tf_json_key(j, "attestations_statuses");
	tf_json_array(j);
	for (size_t i = 0; rc == TF_OK && i < f->status.n; i++) {
		rc = put_item(w, j, f, &f->status.items[i], &seal, err);
		if (rc == TF_OK && j->out->n >= PIECE)
			rc = tf_json_drain(j, out, err);
	}
	tf_json_array_end(j);
	tf_loaded_entry_free(&seal);
	return rc;
}

/* The status word if only sealed attestations count. */
static enum tf_code
put_sealed_word(struct tf_json *j, const struct tf_judgement *f,
    struct tf_error *err)
{
	struct tf_status s;
	enum tf_code rc = tf_judgement_judge(f, true, &s, err);

	if (rc != TF_OK)
		return rc;
	tf_put_cstr(j, "status_of_sealed", tf_compliance_word(s.word));
	tf_status_free(&s);
	return TF_OK;
}

static enum tf_code
put_workflow(struct tf_view *w, struct tf_json *j, const struct workflow *x,
    const struct tf_sink *out, struct tf_error *err)
{
	const struct tf_entry *e = &x->begun.d.e;
	enum tf_compliance word = x->facts.status.word;
	enum tf_code rc;

	tf_json_object(j);
	tf_put_event(j, "begun", &x->begun);
	tf_json_key(j, "compliance_status");
	tf_json_object(j);
	if ((rc = put_items(w, j, &x->facts, out, err)) != TF_OK)
		return rc;
	tf_put_bool(j, "is_compliant", word == TF_COMPLIANT);
	tf_put_cstr(j, "status", tf_compliance_word(word));
	if ((rc = put_sealed_word(j, &x->facts, err)) != TF_OK)
		return rc;
	tf_json_object_end(j);
	tf_put_uint(j, "created_at", tf_seconds_of(&x->begun));
	tf_put_bool(j, "is_compliant", word == TF_COMPLIANT);
	tf_put_cstr(j, "name", x->row.name);
	tf_put_cstr(j, "origin", w->v->origin);
	tf_put_event(j, "sealed", &x->sealed);
	tf_put_cstr(j, "state", tf_state_name(x->row.attr.state));
	if (e->has_template)
		tf_put_uint(j, "template", e->template_version);
	tf_put_str(j, "trail",
	    (struct tf_str){ x->path.p, strcspn(x->path.p, "/") });
	tf_json_object_end(j);
	return TF_OK;
}

static enum tf_code
workflow_json(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct workflow x = { 0 };
	struct tf_buf text = { 0 };
	struct tf_json j;
	enum tf_code rc = read_workflow(w, id, &x, err);

	tf_json_begin(&j, &text);
	if (rc == TF_OK)
		rc = put_workflow(w, &j, &x, out, err);
	if (rc == TF_OK)
		rc = tf_view_end_json(&j, out, err);
	workflow_free(&x);
	tf_buf_free(&text);
	return rc;
}

/* --- a trail: a line for each workflow ------------------------------------ */

struct lines {
	struct tf_view *w;
	const struct tf_sink *out;
	struct tf_buf text;
	struct tf_loaded_entry begun;
};

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
	if ((rc = tf_loaded_entry_read(l->w, row->entry, &l->begun, err)) !=
	    TF_OK)
		return rc;
	if ((rc = tf_judgement_read(l->w, row->attr.id, &f, err)) == TF_OK) {
		t = tf_judgement_tally(&f);
		tf_json_begin(&j, &l->text);
		tf_json_object(&j);
		tf_put_uint(&j, "attestations", f.status.n);
		tf_put_uint(&j, "created_at", tf_seconds_of(&l->begun));
		tf_put_bool(&j, "is_compliant", f.status.word == TF_COMPLIANT);
		tf_put_uint(&j, "missing", t.lacking);
		tf_put_cstr(&j, "name", row->name);
		tf_put_uint(&j, "non_compliant", t.spoiled);
		tf_put_uint(&j, "open", t.open);
		tf_put_cstr(&j, "state", tf_state_name(row->attr.state));
		tf_put_cstr(&j, "status", tf_compliance_word(f.status.word));
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
		tf_buf_add(&l->text, "\n", 1);
	}
	if (rc == TF_OK && l->text.n >= PIECE)
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
		return workflow_json(w, id, out, err);
	rc = tf_each_child(w->db, id, put_line, &l, err);
	if (rc == TF_OK)
		rc = tf_sink_buf(out, &l.text, err);
	tf_loaded_entry_free(&l.begun);
	tf_buf_free(&l.text);
	return rc;
}

/* --- status.md ------------------------------------------------------------ */

/* Append text so that Markdown treats no character as markup. */
static void
md(struct tf_buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] != '\0' && strchr("\\`*_[]<>&|~#!", s[i]) != NULL)
			tf_buf_add(out, "\\", 1);
		tf_buf_add(out, &s[i], 1);
	}
}

#define WHEN_LEN (2 * TF_TIME_LEN + 64)

/* Append the time of an event.  If the clock's reading differs from the entry's
 * time, both are shown. */
static void
when_text(const struct tf_entry *e, char out[WHEN_LEN])
{
	char at[TF_TIME_LEN + 1], clock[TF_TIME_LEN + 1];
	bool moved;

	tf_time_text(tf_entry_when(e, &moved), clock);
	tf_time_text(e->at, at);
	if (moved)
		(void)snprintf(out, WHEN_LEN,
		    "%s by the clock; its place in the ledger is %s", clock,
		    at);
	else
		(void)snprintf(out, WHEN_LEN, "%s", at);
}

static void
md_event(struct tf_buf *out, const char *what, const struct tf_loaded_entry *t)
{
	char at[WHEN_LEN];
	struct tf_buf who = { 0 };

	if (!t->is)
		return;
	when_text(&t->d.e, at);
	tf_who(&t->d.e, &who);
	tf_buf_printf(out, "- %s: %s by ", what, at);
	md(out, who.p, who.n);
	tf_buf_printf(out, ", entry %llu\n", (unsigned long long)t->d.e.seq);
	tf_buf_free(&who);
}

static enum tf_code
md_item(struct tf_view *w, struct tf_buf *out, const struct tf_judgement *f,
    const struct tf_status_item *m, struct tf_loaded_entry *seal,
    struct tf_error *err)
{
	char at[WHEN_LEN];
	struct tf_buf who = { 0 };
	const struct tf_att *a;
	bool may = true;
	enum tf_code rc = read_deciding(w, f, m, &a, seal, err);

	if (rc == TF_OK && seal->is)
		rc = tf_may_read(w, a->id, &may, err);
	if (rc != TF_OK)
		return rc;
	tf_buf_str(out, "| ");
	if (a == NULL)
		md(out, m->name.p, m->name.n);
	else
		md(out, f->r[m->decides].name.p, f->r[m->decides].name.n);
	tf_buf_printf(out, " | %s%s", tf_item_word(m->state),
	    m->unexpected ? ", unexpected" : "");
	if (m->open != SIZE_MAX) {
		tf_buf_str(out, ", open: ");
		md(out, f->r[m->open].name.p, f->r[m->open].name.n);
	}
	tf_buf_printf(out, " | %s%s |",
	    !m->reported     ? "" :
		m->compliant ? "yes" :
			       "no",
	    a != NULL && a->override != TF_NO_SEQ ? ", overridden" : "");
	if (seal->is && may) {
		when_text(&seal->d.e, at);
		tf_who(&seal->d.e, &who);
		tf_buf_printf(out, " %s | ", at);
		md(out, who.p, who.n);
		tf_buf_printf(out, " | %llu |\n",
		    (unsigned long long)seal->d.e.evidence_count);
	} else {
		tf_buf_str(out, " | | |\n");
	}
	tf_buf_free(&who);
	return TF_OK;
}

static enum tf_code
put_md(struct tf_view *w, const struct workflow *x, struct tf_buf *out,
    const struct tf_sink *sink, struct tf_error *err)
{
	const struct tf_status *s = &x->facts.status;
	struct tf_loaded_entry seal = { 0 };
	enum tf_code rc = TF_OK;

	tf_buf_str(out, "# ");
	md(out, x->path.p, x->path.n);
	tf_buf_printf(out, "\n\n**%s**, %s\n\n", tf_compliance_word(s->word),
	    tf_state_name(x->row.attr.state));
	md_event(out, "begun", &x->begun);
	md_event(out, "sealed", &x->sealed);
	if (s->n > 0)
		tf_buf_str(out,
		    "\n| attestation | status | compliant | reported | by | "
		    "files |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; rc == TF_OK && i < s->n; i++) {
		rc = md_item(w, out, &x->facts, &s->items[i], &seal, err);
		if (rc == TF_OK && out->n >= PIECE)
			rc = tf_sink_buf(sink, out, err);
	}
	tf_loaded_entry_free(&seal);
	return rc == TF_OK ? tf_sink_buf(sink, out, err) : rc;
}

enum tf_code
tf_view_status_md(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct workflow x = { 0 };
	struct tf_buf text = { 0 };
	enum tf_code rc = read_workflow(w, id, &x, err);

	if (rc == TF_OK)
		rc = put_md(w, &x, &text, out, err);
	workflow_free(&x);
	tf_buf_free(&text);
	return rc;
}
