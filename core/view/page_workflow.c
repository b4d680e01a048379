/*
 * The page of a workflow: its status, each attestation with its evidence, and
 * its events.
 *
 * The page is written from top to bottom as it reads, with a limit on rows and
 * on files (page.h).  Names and verdicts of attestations are shown to every
 * reader of the page, since the verdict of the workflow needs them; what an
 * attestation contains is shown only to an asker who may read it, and its
 * statement and report only to one who may read all of its files.
 *
 * Longer than 500 lines because it has the parts of one page in their order.
 */
#include "../base/bytes.h"
#include "../base/html.h"
#include "../ledger/claim_content.h"
#include "../ledger/entry.h"
#include "../ledger/evaluated.h"
#include "../ledger/statement.h"
#include "../ledger/status.h"
#include "../ledger/status_words.h"
#include "../ledger/sums.h"
#include "../node/evidence.h"
#include "../node/redacted.h"
#include "../page.h"
#include "claimed.h"
#include "compliance.h"
#include "events.h"
#include "page.h"
#include "page_events.h"
#include "page_anchors.h"
#include "page_links.h"
#include "page_timeline.h"
#include "page_workflow.h"
#include "readable.h"
#include "redactions.h"
#include "template.h"
#include "view.h"
#include "workflow.h"

static const struct tf_str none = { NULL, 0 };

struct workflow {
	struct tf_page *p;
	struct tf_judgement f;
	size_t files; /* rows of evidence that the page may still show */
};

/* --- what was claimed ----------------------------------------------------- */

/* Write a text that a person has entered, or that it was withheld. */
static void
put_text(struct tf_page *p, const struct tf_json_doc *d, int t)
{
	struct tf_buf text = { 0 };

	if (d->tok[t].type != TF_JSON_STRING)
		tf_html(&p->b, "withheld");
	else if (tf_json_string(d, t, &text, NULL) == TF_OK)
		tf_html(&p->b, "<bdi>%.*s</bdi>", (int)text.n, text.p);
	else
		p->b.failed = true;
	tf_buf_free(&text);
}

/* Write one claim, if it is there: an absent claim gets no row. */
static void
put_claim(struct tf_page *p, const char *label, const struct tf_json_doc *d,
    const char *key)
{
	int t = tf_json_get(d, 0, key);

	if (t < 0)
		return;
	tf_html(&p->b, "<dt>%s</dt><dd>", label);
	put_text(p, d, t);
	tf_html(&p->b, "</dd>\n");
}

/* Write the members of a JSON object of texts; of addresses their `href`.  An
 * address is text and not a link: a page links to no external site. */
static void
put_claims(struct tf_page *p, const struct tf_json_doc *d, const char *key)
{
	int of = tf_json_get(d, 0, key), text;
	uint32_t t, end;

	if (of < 0)
		return;
	end = d->tok[of].next;
	for (t = (uint32_t)of + 1; t < end; t = d->tok[t].next) {
		text = tf_json_get(d, (int)t, "href");
		tf_html(&p->b, "<dt><bdi>%.*s</bdi></dt><dd>",
		    (int)d->tok[t].key_len, d->text + d->tok[t].key_off);
		put_text(p, d, text < 0 ? (int)t : text);
		tf_html(&p->b, "</dd>\n");
	}
}

/* Write what another system says about an imported record, if it is one. */
static void
put_imported(struct tf_page *p, const struct tf_loaded_entry *t)
{
	static const char *const rows[][2] = { { "at", "Time claimed" },
		{ "by", "Author claimed" }, { "id", "Id claimed" } };
	const struct tf_json_doc *d = &t->d.doc;
	int of = t->is ? tf_json_get(d, 0, "imported") : -1, m;

	if (of < 0)
		return;
	tf_html(&p->b,
	    "<dt>Imported</dt><dd>yes: this vault did not witness it, and the "
	    "claims below are those of the system it came from</dd>\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if ((m = tf_json_get(d, of, rows[i][0])) < 0)
			continue;
		tf_html(&p->b, "<dt>%s</dt><dd>", rows[i][1]);
		put_text(p, d, m);
		tf_html(&p->b, "</dd>\n");
	}
}

/* Which files an attestation has beside those that each has. */
struct has {
	bool report, user_data;
};

/* Write that a part of the page is damaged, or return the error of another
 * kind. */
static enum tf_code
put_damage(struct tf_page *p, const struct tf_error *why, struct tf_error *err)
{
	struct tf_damage d = { 0 };
	enum tf_code rc = tf_damage_note(p->w, &d, TF_NO_SEQ, why, err);

	tf_page_damage(p, &d);
	tf_damage_free(&d);
	return rc;
}

/* Is the user data gone, with a file of the attestation that had the same
 * bytes? */
static enum tf_code
find_user_data(struct tf_page *p, uint64_t id, const struct tf_claimed *c,
    bool *has, struct tf_error *err)
{
	struct tf_content content;
	bool gone = false;
	enum tf_code rc = tf_claims_user_data(c->claims, &content, has, err);

	if (rc == TF_OK && *has)
		rc = tf_redacted_in(p->w->db, id, &content.sha256, UINT64_MAX,
		    &gone, err);
	*has = *has && !gone;
	return rc;
}

/* Write the claims about node id, and find out whether it has user data. */
static enum tf_code
put_all_claims(struct tf_page *p, uint64_t id, struct has *has,
    struct tf_error *err)
{
	struct tf_claimed c = { 0 };
	struct tf_error why = { 0 };
	enum tf_code rc = tf_claimed_read(p->w, id, &c, &why);

	if (rc != TF_OK)
		rc = put_damage(p, &why, err);
	else if (c.claims.p != NULL) {
		put_claim(p, "Type", &c.doc, "type");
		put_claim(p, "Description", &c.doc, "description");
		put_claim(p, "Control", &c.doc, "control");
		put_claim(p, "On behalf of (claimed)", &c.doc, "onBehalfOf");
		put_claim(p, "Origin URL", &c.doc, "originUrl");
		put_claims(p, &c.doc, "annotations");
		put_claims(p, &c.doc, "externalUrls");
		rc = find_user_data(p, id, &c, &has->user_data, err);
	}
	tf_claimed_free(&c);
	return rc;
}

/* --- what checks found ------------------------------------------------------ */

/* Write the counts of an evaluation, an object of numbers. */
static enum tf_code
put_counts(struct tf_page *p, struct tf_str counts, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	const char *comma = ": ";
	enum tf_code rc = tf_json_parse(&d, counts.p, counts.n, err);

	for (uint32_t t = 1; rc == TF_OK && t < d.n; t = d.tok[t].next) {
		tf_html(&p->b, "%s%.*s %llu", comma, (int)d.tok[t].key_len,
		    d.text + d.tok[t].key_off,
		    (unsigned long long)d.tok[t].num);
		comma = ", ";
	}
	tf_json_doc_free(&d);
	return rc;
}

/* Write what the checks found at the seal.  The page repeats the entry and
 * judges nothing itself: the report is evidence, and only the verifier judges
 * again. */
static enum tf_code
put_evaluation(struct tf_page *p, uint64_t id, const struct tf_entry *seal,
    struct has *has, struct tf_error *err)
{
	struct tf_evaluated_field e;
	bool gone;
	enum tf_code rc = tf_evaluated_read(seal->evaluated, &e, err);

	if (rc != TF_OK || !e.is)
		return rc;
	if ((rc = tf_redacted_in(p->w->db, id, NULL, UINT64_MAX, &gone, err)) !=
	    TF_OK)
		return rc;
	has->report = e.has_report && !gone;
	tf_html(&p->b, "<dt>Checks</dt><dd>%s by ",
	    e.compliant ? "passed" : "failed");
	if (e.name.p != NULL)
		tf_html(&p->b, "type %.*s, version %llu", (int)e.name.n,
		    e.name.p, (unsigned long long)e.version);
	else
		tf_html(&p->b, "%.*s", (int)e.rule.n, e.rule.p);
	if (e.counts.p != NULL)
		rc = put_counts(p, e.counts, err);
	if (e.has_report && gone)
		tf_html(&p->b,
		    "; <strong>the report was redacted with the evidence that "
		    "it quotes</strong>");
	tf_html(&p->b, "</dd>\n");
	return rc;
}

/* --- evidence ------------------------------------------------------------- */

/* Write a link to the page that replays the file, if p->loaded, its entry, seals
 * a recording. */
static enum tf_code
put_replay(struct tf_page *p, struct tf_str att, struct tf_str name,
    struct tf_error *err)
{
	uint64_t parts[TF_REPLAY_PARTS];
	size_t n = 0;
	enum tf_code rc;

	if (!p->loaded.is || !p->loaded.d.e.has_node)
		return TF_OK;
	rc = tf_view_replay_parts(p->w, p->loaded.d.e.node, parts, &n, err);
	if (rc == TF_OK && n > 0) {
		tf_html(&p->b, " ");
		tf_page_word(p, TF_PAGE_REPLAY, att, name, "replay");
	}
	/* The list goes on without what is damaged. */
	return rc == TF_TAMPER ? TF_OK : rc;
}

/*
 * Write one file with its digest, a link to its proof, and who sealed it when;
 * of a file that two people redacted, why, and who they are.
 */
static enum tf_code
put_file(struct tf_page *p, struct tf_str att, const struct tf_subject_file *f,
    struct tf_error *err)
{
	char hex[65];
	struct tf_buf gone = { 0 };
	enum tf_code rc = tf_loaded_entry_try(p->w, f->seq, &p->loaded, NULL,
	    err);

	if (rc != TF_OK)
		return rc;
	tf_hex(f->sha256.b, sizeof(f->sha256.b), hex);
	tf_html(&p->b, "<tr><th scope=\"row\">");
	tf_page_link(p, TF_PAGE_EVIDENCE, att, f->name, f->name);
	tf_html(&p->b, "</th><td class=\"n\">%llu</td><td><code>%s</code> ",
	    (unsigned long long)f->size, hex);
	tf_page_word(p, TF_PAGE_PROOF, att, f->name, "proof");
	rc = put_replay(p, att, f->name, err);
	if (rc == TF_OK && p->loaded.is)
		rc = tf_redaction_words(p->w, p->loaded.d.e.node, &gone, err);
	if (rc == TF_OK && gone.n > 0)
		tf_html(&p->b, "<br><strong>%.*s</strong>", (int)gone.n,
		    gone.p);
	tf_buf_free(&gone);
	if (rc != TF_OK)
		return rc;
	tf_html(&p->b, "</td><td>");
	tf_page_time(p, &p->loaded);
	tf_html(&p->b, "</td><td>");
	tf_page_who(p);
	tf_html(&p->b, "</td></tr>\n");
	return tf_page_flush(p, err);
}

/* Write the table of the files that the asker may read.  x->files is a budget
 * for the whole page: one attestation with very many files must not make the
 * page unusable. */
static enum tf_code
put_evidence(struct workflow *x, const struct tf_att *a, struct tf_str name,
    struct tf_error *err)
{
	struct tf_page *p = x->p;
	struct tf_evidence ev = { .skips_damaged = !p->w->ledger_only };
	enum tf_code rc = tf_readable_evidence(p->w, a->id, &ev, err);
	size_t n = ev.n < x->files ? ev.n : x->files;

	if (rc == TF_OK && n > 0) {
		tf_page_table(p, "Evidence of ", name,
		    "Evidence|#Bytes|SHA-256|Sealed|By");
		for (size_t i = 0; rc == TF_OK && i < n; i++)
			rc = put_file(p, name, &ev.f[i], err);
		tf_page_table_end(p);
	}
	if (rc == TF_OK && n < ev.n) {
		tf_html(&p->b,
		    "<p class=\"soft\">%zu more files are listed in ",
		    ev.n - n);
		tf_page_word(p, TF_PAGE_SUMS, name, none, "SHA256SUMS");
		tf_html(&p->b, ".</p>\n");
	}
	tf_page_withheld(p, ev.left_out, "file");
	if (ev.damaged > 0)
		tf_html(&p->b,
		    "<p>%zu %s not shown, because the content is missing in "
		    "the store.</p>\n",
		    ev.damaged, ev.damaged == 1 ? "file is" : "files are");
	x->files -= n;
	tf_evidence_free(&ev);
	return rc;
}

/* --- an attestation ------------------------------------------------------- */

/* Write links to the attestation's files.  whole: it is sealed and the asker
 * may read every file that its seal names. */
static void
put_attestation_files(struct tf_page *p, struct tf_str name,
    const struct has *has, bool whole)
{
	tf_html(&p->b, "<dt>Files for programs</dt><dd>");
	tf_page_word(p, TF_PAGE_ATTESTATION, name, none, "attestation.json");
	tf_html(&p->b, ", ");
	tf_page_word(p, TF_PAGE_SUMS, name, none, "SHA256SUMS");
	if (whole) {
		tf_html(&p->b, ", ");
		tf_page_word(p, TF_PAGE_INTOTO, name, none, "signed statement");
		tf_html(&p->b, ", ");
		tf_page_word(p, TF_PAGE_SEAL_PROOF, name, none,
		    "proof of the seal");
	}
	if (whole && has->report) {
		tf_html(&p->b, ", ");
		tf_page_word(p, TF_PAGE_REPORT, name, none, "evaluation.json");
	}
	if (has->user_data) {
		tf_html(&p->b, ", ");
		tf_page_word(p, TF_PAGE_USER_DATA, name, none, "user-data");
	}
	tf_html(&p->b, "</dd>\n");
}

/* Write an override with the reason that its author gave. */
static void
put_override(struct tf_page *p, const struct tf_loaded_entry *t)
{
	int reason;

	if (!t->is)
		return;
	tf_page_event(p, "Overridden", t);
	reason = tf_json_get(&t->d.doc, 0, "reason");
	tf_html(&p->b,
	    "<dt>Result of the override</dt><dd>%s</dd>\n"
	    "<dt>Reason</dt><dd>",
	    t->d.e.compliant ? "compliant" : "not compliant");
	if (reason >= 0)
		put_text(p, &t->d.doc, reason);
	tf_html(&p->b, "</dd>\n");
}

/* Write one attestation.  Its badge is that of the judgement, which includes
 * overrides, and not only that of its seal. */
static enum tf_code
put_attestation(struct workflow *x, size_t i, struct tf_error *err)
{
	struct tf_page *p = x->p;
	const struct tf_att *a = &x->f.a[i];
	const struct tf_reported *r = &x->f.r[i];
	struct tf_loaded_entry begun = { 0 }, seal = { 0 }, override = { 0 };
	bool may;
	struct has has = { false, false };
	enum tf_code rc;

	if ((rc = tf_may_read(p->w, a->id, &may, err)) != TF_OK ||
	    (rc = tf_loaded_entry_try(p->w, a->begun, &begun, NULL, err)) !=
		TF_OK ||
	    (rc = tf_loaded_entry_try(p->w, a->seal, &seal, NULL, err)) !=
		TF_OK ||
	    (rc = tf_loaded_entry_try(p->w, a->override, &override, NULL,
		 err)) != TF_OK)
		goto out;
	tf_html(&p->b,
	    "<section aria-labelledby=\"a%zu\">\n<h3 id=\"a%zu\">"
	    "<bdi>%.*s</bdi> ",
	    i, i, (int)r->name.n, r->name.p);
	tf_page_badge(p, tf_page_attestation_word(&x->f, i));
	tf_html(&p->b, "</h3>\n");
	if (!may) {
		tf_html(&p->b,
		    "<p class=\"soft\">You may not read this attestation.</p>\n"
		    "</section>\n");
		goto out;
	}
	tf_html(&p->b, "<dl>\n");
	put_imported(p, &begun);
	tf_page_event(p, "Begun", &begun);
	tf_page_event(p, "Sealed", &seal);
	put_override(p, &override);
	rc = put_all_claims(p, a->id, &has, err);
	/* A seal whose evaluation cannot be read is noted in the judgement. */
	if (rc == TF_OK && seal.is && !r->damaged)
		rc = put_evaluation(p, a->id, &seal.d.e, &has, err);
	if (rc == TF_OK)
		rc = tf_may_read_whole(p->w, a->id, &may, err);
	put_attestation_files(p, r->name, &has, seal.is && may);
	tf_html(&p->b, "</dl>\n");
	if (rc == TF_OK)
		rc = put_evidence(x, a, r->name, err);
	tf_html(&p->b, "</section>\n");
out:
	tf_loaded_entry_free(&begun);
	tf_loaded_entry_free(&seal);
	tf_loaded_entry_free(&override);
	return rc;
}

/* --- the summary ---------------------------------------------------------- */

/* Write the name of attestation i as a link to its section of the page. */
static void
put_name(struct tf_page *p, const struct tf_judgement *f, size_t i)
{
	const struct tf_reported *r = &f->r[i];

	if (i < TF_PAGE_ROWS)
		tf_html(&p->b, "<a href=\"#a%zu\">", i);
	tf_html(&p->b, "<bdi>%.*s</bdi>", (int)r->name.n, r->name.p);
	if (i < TF_PAGE_ROWS)
		tf_html(&p->b, "</a>");
}

/* The words come from tf_status_why, so that page, status.md and status.json
 * give the same reason.  The reason of an override is that of its author. */
enum tf_code
tf_page_why(struct tf_page *p, const struct tf_judgement *f,
    const struct tf_status_item *m, struct tf_error *err)
{
	struct tf_buf why = { 0 }, reason = { 0 };
	enum tf_code rc = tf_workflow_reason(p->w,
	    m->reported ? &f->a[m->decides] : NULL, &reason, err);

	tf_status_why(m, &why);
	tf_html(&p->b, "%.*s%s", (int)why.n, why.n > 0 ? why.p : "",
	    why.n > 0 && reason.n > 0 ? ": " : "");
	if (reason.n > 0)
		tf_html(&p->b, "<bdi>%.*s</bdi>", (int)reason.n, reason.p);
	p->b.failed = p->b.failed || why.failed || reason.failed;
	tf_buf_free(&why);
	tf_buf_free(&reason);
	return rc;
}

/* Write one row of the summary: a slot of the template or an attestation that
 * no slot expects. */
static enum tf_code
put_item(struct tf_page *p, const struct tf_judgement *f,
    const struct tf_status_item *m, struct tf_error *err)
{
	enum tf_code rc;
	bool overridden = m->reported && f->r[m->decides].overridden;

	tf_html(&p->b, "<tr><th scope=\"row\">");
	if (m->reported)
		put_name(p, f, m->decides);
	else
		tf_html(&p->b, "<bdi>%.*s</bdi>", (int)m->name.n, m->name.p);
	tf_html(&p->b, "</th><td>%.*s</td><td>",
	    m->type.p != NULL ? (int)m->type.n : 7,
	    m->type.p != NULL ? m->type.p : "generic");
	tf_page_badge(p, tf_item_word(m->state));
	if (m->unexpected)
		tf_html(&p->b, " unexpected");
	else if (m->slot != NULL && m->slot->optional)
		tf_html(&p->b, " optional");
	tf_html(&p->b, "</td><td>%s%s</td><td>",
	    !m->judged	     ? "" :
		m->compliant ? "yes" :
			       "no",
	    overridden ? ", overridden" : "");
	rc = tf_page_why(p, f, m, err);
	tf_html(&p->b, "</td><td>");
	if (m->open != SIZE_MAX)
		put_name(p, f, m->open);
	tf_html(&p->b, "</td></tr>\n");
	return rc;
}

/* Write one row per name that the template asks for or that was reported; the
 * sections of the page follow with the details. */
static enum tf_code
put_summary(struct tf_page *p, const struct tf_judgement *f,
    struct tf_error *err)
{
	size_t n = f->status.n < TF_PAGE_ROWS ? f->status.n : TF_PAGE_ROWS;
	enum tf_code rc = TF_OK;

	tf_html(&p->b, "<h2>Attestations</h2>\n");
	if (n < f->status.n) {
		tf_html(&p->b,
		    "<p class=\"soft\">This table shows %zu of %zu "
		    "attestations. All attestations are in ",
		    n, f->status.n);
		tf_page_word(p, TF_PAGE_STATUS, none, none, "status.json");
		tf_html(&p->b, ".</p>\n");
	}
	if (n == 0) {
		tf_html(&p->b,
		    "<p>This workflow has no attestations yet.</p>\n");
		return TF_OK;
	}
	tf_page_list(p, "Attestations", "",
	    "Name|Type|=Status|Compliant|Why|Open");
	for (size_t i = 0; rc == TF_OK && i < n; i++) {
		rc = put_item(p, f, &f->status.items[i], err);
		if (rc == TF_OK)
			rc = tf_page_flush(p, err);
	}
	tf_page_table_end(p);
	return rc;
}

/* Say by which template the workflow is judged: a later version of the template
 * does not count. */
static void
put_template(struct tf_page *p, const struct tf_view_template *t)
{
	if (t != NULL)
		tf_page_template(p, t, ", in force when the workflow began");
	else
		tf_html(&p->b,
		    "<dt>Template</dt><dd>none: nothing is required</dd>\n");
}

#define LACKING_MAX 100 /* names in the head of the page */

/* Write the names that are missing: the reader who looks for them should not have
 * to read the table. */
static void
put_missing(struct tf_page *p, const struct tf_judgement *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->status.n; i++) {
		const struct tf_status_item *m = &f->status.items[i];

		if (!m->lacking || n++ >= LACKING_MAX)
			continue;
		if (n == 1)
			tf_html(&p->b, "<dt>Missing</dt><dd>");
		tf_html(&p->b, "%s<bdi>%.*s</bdi>%s", n > 1 ? ", " : "",
		    (int)m->name.n, m->name.p, m->overdue ? " (overdue)" : "");
	}
	if (n > LACKING_MAX)
		tf_html(&p->b, " and %zu more", n - LACKING_MAX);
	if (n > 0)
		tf_html(&p->b, "</dd>\n");
}

/* Write the verdict per artifact that the template names; one without any
 * attestation is MISSING. */
static void
put_artifacts(struct tf_page *p, const struct tf_judgement *f)
{
	const struct tf_strs *names;
	enum tf_compliance word;
	bool any;

	if (f->template == NULL)
		return;
	names = &f->template->t.artifacts;
	for (size_t i = 0; i < names->n; i++) {
		any = tf_status_artifact(&f->status, names->p[i], &word);
		tf_html(&p->b, "<dt>Artifact <bdi>%.*s</bdi></dt><dd>",
		    (int)names->p[i].n, names->p[i].p);
		tf_page_badge(p, any ? tf_compliance_word(word) : "MISSING");
		tf_html(&p->b, "</dd>\n");
	}
}

/* Write the head of the page: the verdict first, then its reasons. */
static enum tf_code
put_facts(struct tf_page *p, const struct tf_judgement *f, struct tf_error *err)
{
	struct tf_loaded_entry begun = { 0 }, sealed = { 0 };
	struct has has;
	enum tf_code rc = tf_loaded_entry_try(p->w, p->row.entry, &begun, NULL,
	    err);

	if (rc == TF_OK)
		rc = tf_loaded_entry_try(p->w, p->row.seal, &sealed, NULL, err);
	tf_page_head(p, p->row.name, tf_compliance_word(f->status.word));
	tf_html(&p->b, "<dl>\n");
	put_imported(p, &begun);
	tf_page_event(p, "Begun", &begun);
	tf_page_damage(p, &f->damage);
	if (p->row.seal != TF_NO_SEQ)
		tf_page_event(p, "Sealed", &sealed);
	else
		tf_html(&p->b,
		    "<dt>Sealed</dt><dd>not yet: attestations can still be added"
		    "</dd>\n");
	put_template(p, f->template);
	put_missing(p, f);
	if (rc == TF_OK)
		rc = put_all_claims(p, p->row.attr.id, &has, err);
	if (rc == TF_OK)
		rc = tf_page_protection(p, err);
	put_artifacts(p, f);
	tf_page_programs(p);
	tf_loaded_entry_free(&begun);
	tf_loaded_entry_free(&sealed);
	return rc;
}

enum tf_code
tf_page_workflow(struct tf_page *p, struct tf_error *err)
{
	struct workflow x = { .p = p, .files = TF_PAGE_FILES };
	struct tf_seqs seqs = { 0 };
	enum tf_code rc = tf_judgement_read(p->w, &p->row, &x.f, err);

	if (rc == TF_OK)
		rc = put_facts(p, &x.f, err);
	if (rc == TF_OK)
		rc = tf_page_timeline(p, &x.f, err);
	if (rc == TF_OK)
		rc = put_summary(p, &x.f, err);
	for (size_t i = 0; rc == TF_OK && i < x.f.n && i < TF_PAGE_ROWS; i++)
		rc = put_attestation(&x, i, err);
	if (rc == TF_OK)
		rc = tf_view_collect(p->w, p->row.attr.id, 1024, false, &seqs,
		    err);
	if (rc == TF_OK)
		rc = tf_page_anchors(p,
		    seqs.n > 0 ? seqs.p[seqs.n - 1] : TF_NO_SEQ, err);
	if (rc == TF_OK)
		rc = tf_page_events(p, "Events", NULL, &seqs, TF_PAGE_ROWS,
		    err);
	tf_seqs_free(&seqs);
	tf_judgement_free(&x.f);
	return rc;
}
