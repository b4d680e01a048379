/*
 * trail-page.html of a trail or a workflow: the facts of index.html for paper.
 *
 * The page is printed and filed, so it has no link, no script and no colour, and
 * each sheet says by itself of which checkpoint and with which verdict it is, and
 * which sheet of how many.  Sheets keep the size that the printer has: A4 and Letter
 * both fit.
 *
 * As in index.html, what the asker may not read is counted and not shown.
 */
#include "../base/bytes.h"
#include "../base/html.h"
#include "../base/print.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/status.h"
#include "../ledger/status_words.h"
#include "../ledger/sums.h"
#include "../node/children.h"
#include "../node/evidence.h"
#include "../node/paths.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "compliance.h"
#include "page.h"
#include "page_workflow.h"
#include "readable.h"
#include "redactions.h"
#include "template.h"
#include "verdicts.h"
#include "view.h"
#include "workflow.h"

#define ROWS_MAX 2000 /* workflows of a trail, attestations of a workflow */

/* --- the frame ------------------------------------------------------------ */

static enum tf_code
put_head(struct tf_page *p, const char *what, const char *verdict,
    struct tf_error *err)
{
	struct tf_hash root;
	struct tf_buf foot = { 0 };
	char hex[65];
	uint64_t size;
	enum tf_code rc = tf_checkpoints_newest(p->w->db, &size, &root, NULL,
	    err);

	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc, "no checkpoint yet");
	tf_buf_printf(&foot, "verdict: %s", verdict);
	tf_buf_add(&foot, "", 1);
	if (rc == TF_OK)
		rc = tf_buf_end(&foot, err);
	if (rc != TF_OK) {
		tf_buf_free(&foot);
		return rc;
	}
	tf_html(&p->b,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\"/>\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; "
	    "base-uri &#39;none&#39;; form-action &#39;none&#39;\"/>\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\"/>\n<title>%s %.*s: %s - trailfs</title>\n",
	    what, (int)p->path.n, p->path.p, verdict);
	tf_print_style(&p->b, p->w->v->origin, size, &root, foot.p);
	tf_buf_free(&foot);
	tf_hex(root.b, sizeof(root.b), hex);
	tf_html(&p->b,
	    "</head>\n<body>\n<main>\n<h1>%s <bdi>%.*s</bdi></h1>\n"
	    "<p><strong class=\"verdict\">%s</strong></p>\n"
	    "<dl>\n<dt>Log</dt><dd>%s</dd>\n"
	    "<dt>Checkpoint</dt><dd>%llu entries, root <code>%s</code></dd>\n",
	    what, (int)p->path.n, p->path.p, verdict, p->w->v->origin,
	    (unsigned long long)size, hex);
	return TF_OK;
}

static void
put_foot(struct tf_page *p)
{
	tf_html(&p->b,
	    "<h2>About this page</h2>\n"
	    "<p>This page shows what the ledger records up to the checkpoint at "
	    "the foot of each sheet. The page is not signed and proves nothing. "
	    "To check the entries and the evidence, ask for the evidence package "
	    "(package.zip) and run <code>trailctl verify --vkey KEY "
	    "package.zip</code> with the key that the owner of the log gave "
	    "you, or follow VERIFY.txt in it.</p>\n"
	    "</main>\n</body>\n</html>\n");
}

static void
put_columns(struct tf_page *p, const char *const *names)
{
	tf_html(&p->b, "<table>\n<thead><tr>");
	for (; *names != NULL; names++)
		tf_html(&p->b, "<th scope=\"col\">%s</th>", *names);
	tf_html(&p->b, "</tr></thead>\n<tbody>\n");
}

#define COLUMNS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
put_table_end(struct tf_page *p)
{
	tf_html(&p->b, "</tbody>\n</table>\n");
}

/* Read the entry that began or sealed the directory, and write it as a fact. */
static enum tf_code
put_event(struct tf_page *p, const char *what, uint64_t seq,
    struct tf_error *err)
{
	enum tf_code rc = tf_loaded_entry_try(p->w, seq, &p->loaded, NULL, err);

	if (rc == TF_OK)
		tf_page_event(p, what, &p->loaded);
	return rc;
}

/* --- a workflow ----------------------------------------------------------- */

static void
put_name(struct tf_page *p, struct tf_str name)
{
	tf_html(&p->b, "<tr><th scope=\"row\"><bdi>%.*s</bdi></th>",
	    (int)name.n, name.p);
}

static enum tf_code
put_item(struct tf_page *p, const struct tf_judgement *f,
    const struct tf_status_item *m, struct tf_error *err)
{
	const bool overridden = m->reported && f->r[m->decides].overridden;
	enum tf_code rc;

	put_name(p, m->reported ? f->r[m->decides].name : m->name);
	tf_html(&p->b, "<td>%.*s</td><td>%s%s</td><td>%s%s</td><td>",
	    m->type.p != NULL ? (int)m->type.n : 7,
	    m->type.p != NULL ? m->type.p : "generic", tf_item_word(m->state),
	    m->unexpected			     ? ", unexpected" :
		m->slot != NULL && m->slot->optional ? ", optional" :
						       "",
	    !m->judged	     ? "" :
		m->compliant ? "yes" :
			       "no",
	    overridden ? ", overridden" : "");
	rc = tf_page_why(p, f, m, err);
	tf_html(&p->b, "</td></tr>\n");
	return rc;
}

static enum tf_code
put_file(struct tf_page *p, const struct tf_subject_file *f,
    struct tf_error *err)
{
	char hex[65];
	struct tf_buf gone = { 0 };
	enum tf_code rc = tf_loaded_entry_try(p->w, f->seq, &p->loaded, NULL,
	    err);

	if (rc == TF_OK && p->loaded.is)
		rc = tf_redaction_words(p->w, p->loaded.d.e.node, &gone, err);
	if (rc != TF_OK)
		return rc;
	tf_hex(f->sha256.b, sizeof(f->sha256.b), hex);
	tf_html(&p->b,
	    "<tr><th scope=\"row\"><bdi>%.*s</bdi><br/><code>%s</code>",
	    (int)f->name.n, f->name.p, hex);
	if (gone.n > 0)
		tf_html(&p->b, "<br/><strong>%.*s</strong>", (int)gone.n,
		    gone.p);
	tf_html(&p->b, "</th><td class=\"n\">%llu",
	    (unsigned long long)f->size);
	tf_html(&p->b, "</td><td>");
	tf_page_time(p, &p->loaded);
	tf_html(&p->b, "</td><td>");
	tf_page_who(p);
	tf_html(&p->b, "</td></tr>\n");
	p->b.failed = p->b.failed || gone.failed;
	tf_buf_free(&gone);
	return tf_page_flush(p, err);
}

static enum tf_code
put_evidence(struct tf_page *p, uint64_t id, size_t *budget,
    struct tf_error *err)
{
	struct tf_evidence ev = { .skips_damaged = !p->w->ledger_only };
	enum tf_code rc = tf_readable_evidence(p->w, id, &ev, err);
	size_t n = ev.n < *budget ? ev.n : *budget;

	if (rc == TF_OK && n > 0)
		put_columns(p,
		    COLUMNS("Evidence and its SHA-256", "Bytes", "Sealed",
			"By"));
	for (size_t i = 0; rc == TF_OK && i < n; i++)
		rc = put_file(p, &ev.f[i], err);
	if (rc == TF_OK && n > 0)
		put_table_end(p);
	if (rc == TF_OK && n < ev.n)
		tf_html(&p->b,
		    "<p>%zu more files are listed in SHA256SUMS.</p>\n",
		    ev.n - n);
	tf_page_withheld(p, ev.left_out, "file");
	if (ev.damaged > 0)
		tf_html(&p->b,
		    "<p>%zu %s not shown, because the content is missing in "
		    "the store.</p>\n",
		    ev.damaged, ev.damaged == 1 ? "file is" : "files are");
	*budget -= n;
	tf_evidence_free(&ev);
	return rc;
}

static enum tf_code
put_attestation(struct tf_page *p, const struct tf_judgement *f, size_t i,
    size_t *budget, struct tf_error *err)
{
	const struct tf_reported *r = &f->r[i];
	bool may;
	enum tf_code rc = tf_may_read(p->w, f->a[i].id, &may, err);

	tf_html(&p->b,
	    "<h3><bdi>%.*s</bdi> <span class=\"badge\">%s</span></h3>\n",
	    (int)r->name.n, r->name.p,
	    r->damaged				? "DAMAGED" :
		!r->sealed			? "OPEN" :
		f->status.verdicts[i].compliant ? "COMPLIANT" :
						  "NON-COMPLIANT");
	if (rc == TF_OK && !may)
		tf_html(&p->b, "<p>You may not read this attestation.</p>\n");
	if (rc != TF_OK || !may)
		return rc;
	tf_html(&p->b, "<dl>\n");
	rc = put_event(p, "Begun", f->a[i].begun, err);
	if (rc == TF_OK)
		rc = put_event(p, "Sealed", f->a[i].seal, err);
	if (rc == TF_OK)
		rc = put_event(p, "Overridden", f->a[i].override, err);
	tf_html(&p->b, "</dl>\n");
	return rc == TF_OK ? put_evidence(p, f->a[i].id, budget, err) : rc;
}

static enum tf_code
put_workflow(struct tf_page *p, struct tf_error *err)
{
	struct tf_judgement f = { 0 };
	size_t budget = TF_PAGE_FILES;
	enum tf_code rc = tf_judgement_read(p->w, &p->row, &f, err);

	if (rc == TF_OK)
		rc = put_head(p, "Workflow", tf_compliance_word(f.status.word),
		    err);
	if (rc == TF_OK)
		rc = put_event(p, "Begun", p->row.entry, err);
	if (rc == TF_OK)
		rc = put_event(p, "Sealed", p->row.seal, err);
	if (rc == TF_OK && f.template != NULL)
		tf_page_template(p, f.template,
		    ", in force when the workflow began");
	if (rc == TF_OK) {
		tf_page_damage(p, &f.damage);
		rc = tf_page_protection(p, err);
	}
	if (rc == TF_OK) {
		tf_html(&p->b, "</dl>\n<h2>Attestations</h2>\n");
		put_columns(p,
		    COLUMNS("Name", "Type", "Status", "Compliant", "Why"));
	}
	for (size_t i = 0; rc == TF_OK && i < f.status.n && i < ROWS_MAX; i++)
		if ((rc = put_item(p, &f, &f.status.items[i], err)) == TF_OK)
			rc = tf_page_flush(p, err);
	if (rc == TF_OK)
		put_table_end(p);
	if (rc == TF_OK && f.status.n > ROWS_MAX)
		tf_html(&p->b, "<p>%zu more are in status.json.</p>\n",
		    f.status.n - ROWS_MAX);
	if (rc == TF_OK)
		tf_html(&p->b, "<h2>Evidence</h2>\n");
	for (size_t i = 0; rc == TF_OK && i < f.n && i < ROWS_MAX; i++)
		rc = put_attestation(p, &f, i, &budget, err);
	tf_judgement_free(&f);
	return rc;
}

/* --- a trail -------------------------------------------------------------- */

struct trail {
	struct tf_page *p;
	uint64_t n[TF_COMPLIANCES];
	uint64_t shown, all;
	size_t withheld;
};

static enum tf_code
count_workflow(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct trail *t = arg;
	struct tf_verdict x;
	bool may;
	enum tf_code rc = tf_may_read_row(t->p->w, row, &may, err);

	t->withheld += rc == TF_OK && !may;
	if (rc != TF_OK || !may)
		return rc;
	rc = tf_verdict_of(t->p->w, row, &x, err);
	if (rc == TF_OK) {
		t->n[x.word]++;
		t->all++;
	}
	return rc;
}

static enum tf_code
put_line(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct trail *t = arg;
	struct tf_page *p = t->p;
	struct tf_verdict x;
	bool may;
	enum tf_code rc = tf_may_read_row(p->w, row, &may, err);

	if (rc != TF_OK || !may)
		return rc;
	if (t->shown++ == ROWS_MAX)
		return TF_NODATA; /* ends the walk */
	rc = tf_verdict_of(p->w, row, &x, err);
	if (rc == TF_OK)
		rc = tf_loaded_entry_try(p->w, row->entry, &p->loaded, NULL,
		    err);
	if (rc != TF_OK)
		return rc;
	put_name(p, tf_str_of(row->name));
	tf_html(&p->b, "<td>%s</td><td>", tf_compliance_word(x.word));
	tf_page_time(p, &p->loaded);
	tf_html(&p->b, "</td><td>");
	tf_page_who(p);
	tf_html(&p->b,
	    "</td><td class=\"n\">%zu</td><td class=\"n\">%zu</td><td>%s</td>"
	    "</tr>\n",
	    (size_t)x.names, x.tally.lacking,
	    row->seal != TF_NO_SEQ ? "sealed" : "open");
	return tf_page_flush(p, err);
}

/* The verdict of a trail is how many workflows have each; words and numbers. */
static void
put_verdict(const struct trail *t, struct tf_buf *out)
{
	const char *comma = "";

	for (int i = 0; i < TF_COMPLIANCES; i++) {
		if (t->n[i] == 0)
			continue;
		tf_buf_printf(out, "%s%llu %s", comma,
		    (unsigned long long)t->n[i],
		    tf_compliance_word((enum tf_compliance)i));
		comma = ", ";
	}
	if (out->n == 0)
		tf_buf_str(out, "no workflows");
	tf_buf_add(out, "", 1);
}

static enum tf_code
put_trail(struct tf_page *p, struct tf_error *err)
{
	struct trail t = { .p = p };
	struct tf_buf verdict = { 0 };
	enum tf_code rc = tf_each_child(p->w->db, p->row.attr.id,
	    count_workflow, &t, err);

	put_verdict(&t, &verdict);
	if (rc == TF_OK && verdict.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = put_head(p, "Trail", verdict.p, err);
	tf_buf_free(&verdict);
	if (rc == TF_OK)
		rc = put_event(p, "Created", p->row.entry, err);
	if (rc == TF_OK)
		rc = put_event(p, "Sealed", p->row.seal, err);
	if (rc == TF_OK)
		rc = tf_page_protection(p, err);
	if (rc != TF_OK)
		return rc;
	tf_html(&p->b, "</dl>\n<h2>Workflows</h2>\n");
	put_columns(p,
	    COLUMNS("Workflow", "Verdict", "Begun", "By", "Attestations",
		"Missing", "State"));
	rc = tf_each_child(p->w->db, p->row.attr.id, put_line, &t, err);
	put_table_end(p);
	if (t.all > ROWS_MAX)
		tf_html(&p->b, "<p>%llu more are in status.json.</p>\n",
		    (unsigned long long)(t.all - ROWS_MAX));
	tf_page_withheld(p, t.withheld, "workflow");
	return rc == TF_NODATA ? TF_OK : rc;
}

enum tf_code
tf_view_trail_page(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_page p = { .w = w, .out = out };
	enum tf_code rc = tf_page_begin(&p, id, err);

	if (rc == TF_OK)
		rc = p.row.attr.kind == TF_KIND_TRAIL ?
		    put_trail(&p, err) :
		    p.row.attr.kind == TF_KIND_WORKFLOW ?
		    put_workflow(&p, err) :
		    tf_fail(err, TF_NOTFOUND, "the directory has no page");
	if (rc == TF_OK)
		put_foot(&p);
	return tf_page_end(&p, rc, err);
}
