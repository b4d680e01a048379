/*
 * The table of events of a page: the last entries about a directory.
 *
 * Entries are shown only if the asker may read what they are about; the page
 * says how many it withholds, so that a gap in the numbers has an explanation.
 * An entry of a type that this version does not know is shown under the name
 * that it has in the ledger.
 */
#include <stdio.h>

#include "../base/html.h"
#include "../base/time_text.h"
#include "../ledger/chunks.h"
#include "../ledger/entry.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "events.h"
#include "page.h"
#include "../ledger/redaction.h"
#include "page_events.h"
#include "page_links.h"
#include "readable.h"
#include "view.h"

#define LOOK_MAX 10000 /* entries that are read to find the last rows */

static const struct tf_str none = { NULL, 0 };

/* The words for people; NULL for a type that this version does not know. */
static const char *
words_of(enum tf_entry_kind type)
{
	static const char *const words[TF_TYPES] = {
		[TF_LEDGER_OPENED] = "Ledger opened",
		[TF_LEDGER_CLOSED] = "Ledger closed",
		[TF_TRAIL_CREATED] = "Trail created",
		[TF_WORKFLOW_BEGUN] = "Workflow begun",
		[TF_ATTESTATION_BEGUN] = "Attestation begun",
		[TF_DIRECTORY_CREATED] = "Directory created",
		[TF_EVIDENCE_SEALED] = "Evidence sealed",
		[TF_EVIDENCE_FLUSHED] = "Evidence flushed",
		[TF_EVIDENCE_GROWN] = "First part of evidence entered",
		[TF_EVIDENCE_INTERRUPTED] = "Write interrupted",
		[TF_EVIDENCE_READ] = "Evidence read",
		[TF_ATTESTATION_SEALED] = "Attestation sealed",
		[TF_WORKFLOW_SEALED] = "Workflow sealed",
		[TF_TRAIL_SEALED] = "Trail sealed",
		[TF_TEMPLATE_SET] = "Template set",
		[TF_TYPE_SET] = "Attestation type set",
		[TF_RECIPIENTS_SET] = "Recipients set",
		[TF_CLAIMS_SET] = "Claims set",
		[TF_ATTESTATION_OVERRIDDEN] = "Attestation overridden",
		[TF_ACCESS_CHANGED] = "Access changed",
		[TF_PACKAGE_MADE] = "Package made",
		[TF_REDACTION_PROPOSED] = "Deletion of content proposed",
		[TF_REDACTION_DONE] = "Content deleted",
		[TF_HOLD_PLACED] = "Hold placed",
		[TF_HOLD_RELEASED] = "Hold released",
		[TF_RETENTION_SET] = "Retention set",
		[TF_KEY_ROTATED] = "Key rotated",
		[TF_CLOCK_JUMPED] = "Clock was set",
		[TF_CLOCK_OBSERVED] = "Clock observed",
		[TF_IMPORT_DONE] = "Import finished",
		[TF_ANCHOR_ADDED] = "Anchor recorded",
		[TF_VERIFY_DONE] = "Vault verified",
		[TF_VERIFY_FAILED] = "Verification failed",
	};

	return words[type];
}

/* What an entry says beyond its type and path: the result of an override, the
 * new access, the reason that a person gave. */
static void
put_details(struct tf_page *p, const struct tf_entry *e)
{
	if (e->type == TF_ATTESTATION_OVERRIDDEN)
		tf_html(&p->b, ": %s",
		    e->compliant ? "compliant" : "not compliant");
	if (e->type == TF_ACCESS_CHANGED) {
		char mode[8];

		(void)snprintf(mode, sizeof(mode), "%04o",
		    (unsigned)e->access.mode & 07777);
		tf_html(&p->b, ": mode %s, uid %u, gid %u", mode,
		    (unsigned)e->access.uid, (unsigned)e->access.gid);
	}
	if ((e->type == TF_REDACTION_PROPOSED ||
		e->type == TF_REDACTION_DONE) &&
	    tf_redaction_is_text(e))
		tf_html(&p->b, ": a text of entry %llu",
		    (unsigned long long)e->target);
	if (e->type == TF_ANCHOR_ADDED)
		tf_html(&p->b, ": %s of %llu entries by %s", e->anchor_kind.p,
		    (unsigned long long)e->tree_size, e->anchor_name.p);
	if (e->hold.p != NULL)
		tf_html(&p->b, ": %.*s", (int)e->hold.n, e->hold.p);
	if (e->type == TF_RETENTION_SET) {
		const struct tf_retention_ref *r = &e->retention;
		char until[TF_TIME_LEN + 1];

		tf_time_text(r->until, until);
		tf_html(&p->b, ": %.*s%s%.*s %.*s", (int)r->period.n,
		    r->period.n > 0 ? r->period.p : "",
		    r->has_until ? " until " : "", r->has_until ? 10 : 0, until,
		    (int)r->mode.n, r->mode.p);
		if (r->rule.p != NULL)
			tf_html(&p->b, ", rule %.*s", (int)r->rule.n,
			    r->rule.p);
	}
	if (e->reason.p != NULL)
		tf_html(&p->b, " <span class=\"soft\">%.*s</span>",
		    (int)e->reason.n, e->reason.p);
}

/* The first n components of a path. */
static struct tf_str
first_names(struct tf_str path, unsigned n)
{
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] == '/' && --n == 0)
			return (struct tf_str){ path.p, i };
	return path;
}

/* Write the subject of an entry, rel below the page's directory, as a link to
 * its page or to the file. */
static void
put_path(struct tf_page *p, const struct tf_entry *e, struct tf_str rel)
{
	unsigned at = (unsigned)p->row.attr.kind, depth = at + 1;
	struct tf_str att = first_names(rel, TF_KIND_ATTESTATION - at);

	for (size_t i = 0; i < rel.n; i++)
		depth += rel.p[i] == '/';
	if (depth < TF_KIND_ATTESTATION)
		tf_page_link(p, TF_PAGE_BELOW, rel, none, rel);
	else if (depth == TF_KIND_ATTESTATION)
		tf_page_link(p, TF_PAGE_ATTESTATION, rel, none, rel);
	else if (e->type == TF_EVIDENCE_SEALED)
		tf_page_link(p, TF_PAGE_EVIDENCE, att,
		    (struct tf_str){ rel.p + att.n + 1, rel.n - att.n - 1 },
		    rel);
	else
		tf_html(&p->b, "<bdi dir=\"ltr\">%.*s</bdi>", (int)rel.n,
		    rel.p);
}

/* Write a row, with the path relative to the page's directory. */
static void
put_row(struct tf_page *p)
{
	const struct tf_entry *e = &p->loaded.d.e;
	size_t skip = p->row.attr.kind == TF_KIND_ROOT ? 0 : p->path.n + 1;
	const char *words = words_of(e->type);

	if (p->loaded.damaged) {
		tf_html(&p->b,
		    "<tr><td></td><td>Damaged: the entry cannot be read</td>"
		    "<td></td><td></td><td class=\"n\">%llu</td></tr>\n",
		    (unsigned long long)p->loaded.seq);
		return;
	}
	tf_html(&p->b, "<tr><td>");
	tf_page_time(p, &p->loaded);
	tf_html(&p->b, "</td><td>");
	if (words != NULL)
		tf_html(&p->b, "%s", words);
	else
		tf_html(&p->b, "%.*s", (int)e->type_name.n, e->type_name.p);
	if (e->imported.p != NULL)
		tf_html(&p->b, ", imported");
	put_details(p, e);
	tf_html(&p->b, "</td><td class=\"path\">");
	if (e->path.p != NULL && e->path.n > skip)
		put_path(p, e,
		    (struct tf_str){ e->path.p + skip, e->path.n - skip });
	tf_html(&p->b, "</td><td>");
	tf_page_actor(p, e);
	tf_html(&p->b, "</td><td class=\"n\">%llu</td></tr>\n",
	    (unsigned long long)e->seq);
}

/* Is the entry about a part of evidence that is not the first one?  A large file
 * has hundreds of them, and only events.jsonl shows them. */
static bool
is_further_part(const struct tf_entry *e)
{
	struct tf_chunks c;

	return e->type == TF_EVIDENCE_GROWN && tf_chunks_read(e->chunks, &c) &&
	    c.from > 0;
}

/* Where the last `rows` of the entries that a page shows begin.  An entry that
 * cannot be read is shown as one. */
static enum tf_code
first_row(struct tf_page *p, const struct tf_seqs *seqs, size_t rows,
    size_t *first, struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	size_t i = seqs->n, least = 0;

	if (seqs->n > LOOK_MAX)
		least = seqs->n - LOOK_MAX;
	if (seqs->n <= rows)
		i = 0;
	while (rc == TF_OK && i > least && rows > 0) {
		rc = tf_loaded_entry_try(p->w, seqs->p[--i], &p->loaded, NULL,
		    err);
		if (rc == TF_OK &&
		    (p->loaded.damaged || !is_further_part(&p->loaded.d.e)))
			rows--;
	}
	*first = i;
	return rc;
}

/* Write the entries of seqs from `from` on that are about the page's directory:
 * on the page of a workflow oldest first, on other pages newest first. */
static enum tf_code
put_rows(struct tf_page *p, const struct tf_seqs *seqs, size_t from,
    size_t *withheld, struct tf_error *err)
{
	bool may;
	bool forward = p->row.attr.kind == TF_KIND_WORKFLOW;
	enum tf_code rc = TF_OK;

	for (size_t i = from; rc == TF_OK && i < seqs->n; i++) {
		size_t at = forward ? i : seqs->n - 1 - (i - from);

		rc = tf_loaded_entry_try(p->w, seqs->p[at], &p->loaded, NULL,
		    err);
		if (rc != TF_OK)
			break;
		/* Its number is all that the page shows of a damaged one. */
		may = p->loaded.damaged;
		if (!may && is_further_part(&p->loaded.d.e))
			continue;
		if (!may && p->row.attr.kind != TF_KIND_ROOT &&
		    !tf_is_below(&p->loaded.text, &p->path))
			continue;
		if (!may)
			rc = tf_may_read_entry(p->w, &p->loaded.text, &may,
			    err);
		if (rc == TF_OK && may)
			put_row(p);
		else
			(*withheld)++;
		if (rc == TF_OK)
			rc = tf_page_flush(p, err);
	}
	return rc;
}

enum tf_code
tf_page_events(struct tf_page *p, const char *title, const char *note,
    const struct tf_seqs *seqs, size_t rows, struct tf_error *err)
{
	size_t from, withheld = 0;
	enum tf_code rc = first_row(p, seqs, rows, &from, err);

	if (rc != TF_OK)
		return rc;
	tf_html(&p->b, "<h2>%s</h2>\n", title);
	if (from > 0 || note != NULL) {
		tf_html(&p->b, "<p class=\"soft\">%s All events are in ",
		    note != NULL ? note :
				   "This table shows only the last events.");
		tf_page_word(p, TF_PAGE_EVENTS, none, none, "events.jsonl");
		tf_html(&p->b, ".</p>\n");
	}
	tf_page_table(p, title, none, "Time|Event|Path|By|#Entry");
	rc = put_rows(p, seqs, from, &withheld, err);
	tf_page_table_end(p);
	tf_page_withheld(p, withheld, "event");
	return rc;
}
