/*
 * status.md of a workflow: the facts of status.json as Markdown.
 *
 * The text is for people who paste it into a ticket or a pull request.  Names
 * and reasons come from users, so every character that Markdown could read as
 * markup is escaped: a name must not become a link or a heading in a report
 * that an auditor reads.
 */
#include <stdio.h>
#include <string.h>

#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/status.h"
#include "../ledger/status_words.h"
#include "../node/attr.h"
#include "../page.h"
#include "protection.h"
#include "readable.h"
#include "redactions.h"
#include "template.h"
#include "workflow.h"

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

/* Write one event of the workflow; nothing if it has not happened. */
static void
md_event(struct tf_buf *out, const char *what, const struct tf_loaded_entry *t)
{
	char at[WHEN_LEN];
	struct tf_buf who = { 0 };

	if (t->damaged)
		tf_buf_printf(out, "- %s: entry %llu cannot be read\n", what,
		    (unsigned long long)t->seq);
	if (!t->is)
		return;
	when_text(&t->d.e, at);
	tf_who_in_full(&t->d.e, &who);
	tf_buf_printf(out, "- %s: %s by ", what, at);
	md(out, who.p, who.n);
	tf_buf_printf(out, ", entry %llu\n", (unsigned long long)t->d.e.seq);
	tf_buf_free(&who);
}

/* Write what another system claims about an imported record, if it is one. */
static void
md_imported(struct tf_buf *out, const struct tf_loaded_entry *t)
{
	static const char *const words[][2] = { { "id", " " }, { "by", " by " },
		{ "at", " at " } };
	const struct tf_json_doc *d = &t->d.doc;
	int of = t->is ? tf_json_get(d, 0, "imported") : -1;
	struct tf_buf text = { 0 };

	if (of < 0)
		return;
	tf_buf_str(out, "- imported, and claimed by its source:");
	for (size_t i = 0; i < 3; i++) {
		int m = tf_json_get(d, of, words[i][0]);

		if (m < 0)
			continue;
		tf_buf_str(out, words[i][1]);
		if (tf_json_string(d, m, &text, NULL) == TF_OK)
			md(out, text.p, text.n);
		else
			tf_buf_str(out, "withheld");
	}
	tf_buf_str(out, "\n");
	tf_buf_free(&text);
}

/* Kosli's signs: done, failed, waiting; and one for damage.  A failed item keeps
 * its sign even if it also lacks something, because that is the worse news. */
static const char *
sign_of(const struct tf_status_item *m)
{
	return m->state == TF_ITEM_DAMAGED ? "\xe2\x9b\x94" :
	    m->reported && !m->compliant   ? "\xe2\x9d\x8c" :
	    m->lacking			   ? "\xe2\x8f\xb3" :
	    m->state == TF_ITEM_COMPLETE   ? "\xe2\x9c\x85" :
					     "";
}

/* The same words as in status.json and on the page, and why it was
 * overridden. */
static enum tf_code
md_why(struct tf_view *w, struct tf_buf *out, const struct tf_status_item *m,
    const struct tf_att *a, struct tf_error *err)
{
	struct tf_buf why = { 0 };
	size_t n;
	enum tf_code rc;

	tf_status_why(m, &why);
	if (a != NULL && a->override != TF_NO_SEQ && why.n > 0)
		tf_buf_str(&why, ": ");
	n = why.n;
	rc = tf_workflow_reason(w, a, &why, err);
	for (; n < why.n; n++)
		if (why.p[n] == '\n' || why.p[n] == '\t')
			why.p[n] = ' '; /* a row is one line */
	md(out, why.n > 0 ? why.p : "", why.n);
	out->failed = out->failed || why.failed;
	tf_buf_free(&why);
	return rc;
}

static void
md_name(struct tf_buf *out, const struct tf_judgement *f,
    const struct tf_status_item *m)
{
	struct tf_str name = m->reported ? f->r[m->decides].name : m->name;

	md(out, name.p, name.n);
	if (m->unexpected)
		tf_buf_str(out, " (+)");
	if (m->slot != NULL && m->slot->optional)
		tf_buf_str(out, ", optional");
}

/* When and by whom it was reported; nothing if it is open. */
static enum tf_code
md_reported(struct tf_buf *out, const struct tf_loaded_entry *seal, bool may,
    struct tf_error *err)
{
	char at[WHEN_LEN];
	struct tf_buf who = { 0 }, behalf = { 0 };
	enum tf_code rc;

	if (!seal->is || !may) {
		tf_buf_str(out, " | | |\n");
		return TF_OK;
	}
	when_text(&seal->d.e, at);
	tf_who_in_full(&seal->d.e, &who);
	tf_buf_printf(out, " %s%s | ",
	    seal->d.e.imported.p != NULL ? "imported " : "", at);
	md(out, who.p, who.n);
	if ((rc = tf_behalf(seal, &behalf, err)) == TF_OK && behalf.n > 0) {
		tf_buf_str(out, " for ");
		md(out, behalf.p, behalf.n);
		tf_buf_str(out, " (claimed)");
	}
	tf_buf_printf(out, " | %llu |\n",
	    (unsigned long long)seal->d.e.evidence_count);
	tf_buf_free(&who);
	tf_buf_free(&behalf);
	return rc;
}

/* Write one row of the table.  The name and the verdict of an attestation are
 * shown to every reader of the file; time, person and number of files only to
 * an asker who may read the attestation. */
static enum tf_code
md_item(struct tf_view *w, struct tf_buf *out, const struct tf_judgement *f,
    const struct tf_status_item *m, struct tf_loaded_entry *seal,
    struct tf_error *err)
{
	const struct tf_att *a;
	bool may = true;
	enum tf_code rc = tf_workflow_deciding(w, f, m, &a, seal, err);

	if (rc == TF_OK && seal->is)
		rc = tf_may_read(w, a->id, &may, err);
	if (rc != TF_OK)
		return rc;
	tf_buf_printf(out, "| %s | ", sign_of(m));
	md_name(out, f, m);
	tf_buf_printf(out, " | %s", tf_item_word(m->state));
	if (m->open != SIZE_MAX) {
		tf_buf_str(out, ", open: ");
		md(out, f->r[m->open].name.p, f->r[m->open].name.n);
	}
	tf_buf_printf(out, " | %s%s | ",
	    !m->judged	     ? "" :
		m->compliant ? "yes" :
			       "no",
	    a != NULL && a->override != TF_NO_SEQ ? ", overridden" : "");
	rc = md_why(w, out, m, a, err);
	tf_buf_str(out, " |");
	return rc == TF_OK ? md_reported(out, seal, may, err) : rc;
}

static enum tf_code
md_protection(struct tf_view *w, struct tf_buf *out,
    const struct tf_workflow *x, struct tf_error *err)
{
	struct tf_buf words = { 0 };
	enum tf_code rc = tf_protection_words(w, x->row.attr.id, &words, err);

	if (rc == TF_OK && words.n > 0) {
		tf_buf_str(out, "- ");
		md(out, words.p, words.n);
		tf_buf_str(out, "\n");
	}
	tf_buf_free(&words);
	return rc;
}

/* A line about one redacted file. */
static enum tf_code
md_redaction(void *arg, struct tf_str path, struct tf_str words,
    struct tf_error *err)
{
	struct tf_buf *out = arg;

	(void)err;
	tf_buf_str(out, "- ");
	md(out, path.p, path.n);
	tf_buf_str(out, " ");
	md(out, words.p, words.n);
	tf_buf_str(out, "\n");
	return TF_OK;
}

static void
md_head(struct tf_buf *out, const struct tf_workflow *x)
{
	const struct tf_view_template *t = x->facts.template;

	tf_buf_str(out, "# ");
	md(out, x->path.p, x->path.n);
	tf_buf_printf(out, "\n\n**%s**, %s\n\n",
	    tf_compliance_word(x->facts.status.word),
	    tf_state_name(x->row.attr.state));
	md_event(out, "begun", &x->facts.begun);
	md_imported(out, &x->facts.begun);
	md_event(out, "sealed", &x->sealed);
	if (t != NULL)
		tf_buf_printf(out, "- template: version %llu\n",
		    (unsigned long long)t->version);
	for (size_t i = 0; t != NULL && i < t->t.n_warnings; i++) {
		tf_buf_printf(out,
		    "- warning: line %u: ", t->t.warnings[i].line);
		md(out, t->t.warnings[i].text, strlen(t->t.warnings[i].text));
		tf_buf_str(out, "\n");
	}
	for (size_t i = 0; i < x->facts.damage.n; i++) {
		const char *why = x->facts.damage.p[i].why.text;

		tf_buf_str(out, "- damaged: ");
		md(out, why, strlen(why));
		tf_buf_str(out, "\n");
	}
}

/* Write the text in pieces, each a number of whole rows. */
static enum tf_code
put_md(struct tf_view *w, const struct tf_workflow *x, struct tf_buf *out,
    const struct tf_sink *sink, struct tf_error *err)
{
	const struct tf_status *s = &x->facts.status;
	struct tf_loaded_entry seal = { 0 };
	enum tf_code rc = TF_OK;

	md_head(out, x);
	if ((rc = md_protection(w, out, x, err)) != TF_OK ||
	    (rc = tf_each_redaction(w, x->row.attr.id, md_redaction, out,
		 err)) != TF_OK)
		return rc;
	if (s->n > 0)
		tf_buf_str(out,
		    "\n| | attestation | status | compliant | why | reported "
		    "| by | files |\n|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; rc == TF_OK && i < s->n; i++) {
		rc = md_item(w, out, &x->facts, &s->items[i], &seal, err);
		if (rc == TF_OK && out->n >= TF_STATUS_PIECE)
			rc = tf_sink_buf(sink, out, err);
	}
	tf_loaded_entry_free(&seal);
	return rc == TF_OK ? tf_sink_buf(sink, out, err) : rc;
}

enum tf_code
tf_view_status_md(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_workflow x = { 0 };
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_workflow_read(w, id, &x, err);

	if (rc == TF_OK)
		rc = put_md(w, &x, &text, out, err);
	tf_workflow_free(&x);
	tf_buf_free(&text);
	return rc;
}
