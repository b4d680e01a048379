/* Common parts of the pages: frame, links, table of events.  See page.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/html.h"
#include "../base/time_text.h"
#include "../control.h"
#include "../ledger/entry.h"
#include "../ledger/name.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "events.h"
#include "page.h"
#include "readable.h"
#include "view.h"

#define PIECE 65536 /* bytes */

static const struct tf_str none = { NULL, 0 };

enum tf_code
tf_page_flush(struct tf_page *p, struct tf_error *err)
{
	if (p->b.failed)
		return tf_nomem(err);
	return p->b.n < PIECE ? TF_OK : tf_sink_buf(p->out, &p->b, err);
}

/* --- links ------------------------------------------------------------------- */

static void
add(struct tf_buf *out, const char *before, struct tf_str name,
    const char *after)
{
	tf_buf_str(out, before);
	tf_buf_add(out, name.p, name.n);
	tf_buf_str(out, after);
}

/* Append the path of a file below .trailfs/ of the attestation. */
static void
beside(struct tf_buf *out, struct tf_str name, const char *file)
{
	add(out, "../", name, "/" TF_CONTROL_DIR "/");
	tf_buf_str(out, file);
}

static bool
proof_of(struct tf_buf *out, const struct tf_page_target *t)
{
	const char *slash = memrchr(t->path.p, '/', t->path.n);
	size_t last = slash == NULL ?
	    t->path.n :
	    t->path.n - (size_t)(slash + 1 - t->path.p);

	if (last + strlen(TF_CONTROL_PROOF_SUFFIX) > TF_NAME_MAX)
		return false; /* the proof has a cut name: see control.h */
	beside(out, t->name, TF_CONTROL_PROOF "/");
	add(out, "", t->path, TF_CONTROL_PROOF_SUFFIX);
	return true;
}

/* The links of a page that lies under .trailfs of its directory. */
static bool
find_in_mount(void *arg, const struct tf_page_target *t, struct tf_buf *out)
{
	unsigned up = (unsigned)t->page; /* levels above: root is 0 */

	(void)arg;
	switch (t->link) {
	case TF_PAGE_UP:
		tf_buf_str(out, "../../" TF_CONTROL_DIR "/" TF_CONTROL_PAGE);
		return up > 0;
	case TF_PAGE_VAULT:
		for (unsigned i = 0; i <= up; i++)
			tf_buf_str(out, "../");
		tf_buf_str(out, TF_CONTROL_DIR "/" TF_CONTROL_PAGE);
		return up > 0;
	case TF_PAGE_BELOW:
		beside(out, t->name, TF_CONTROL_PAGE);
		return true;
	case TF_PAGE_STATUS:
		tf_buf_str(out, TF_CONTROL_STATUS);
		return true;
	case TF_PAGE_EVENTS:
		tf_buf_str(out, TF_CONTROL_EVENTS);
		return true;
	case TF_PAGE_PACKAGE:
		tf_buf_str(out, TF_CONTROL_PACKAGE);
		return up > 0;
	case TF_PAGE_CHECKPOINT:
	case TF_PAGE_KEY:
		for (unsigned i = 0; i < up; i++)
			tf_buf_str(out, "../");
		if (up > 0)
			tf_buf_str(out, "../" TF_CONTROL_DIR "/");
		tf_buf_str(out,
		    t->link == TF_PAGE_KEY ? TF_CONTROL_VKEY :
					     TF_CONTROL_CHECKPOINT);
		return true;
	case TF_PAGE_ATTESTATION:
		beside(out, t->name, TF_CONTROL_ATTESTATION);
		return true;
	case TF_PAGE_SUMS:
		beside(out, t->name, TF_CONTROL_SUMS);
		return true;
	case TF_PAGE_INTOTO:
		beside(out, t->name, TF_CONTROL_INTOTO);
		return true;
	case TF_PAGE_SEAL_PROOF:
		beside(out, t->name, TF_CONTROL_SEAL_PROOF);
		return true;
	case TF_PAGE_EVIDENCE:
		add(out, "../", t->name, "/");
		tf_buf_add(out, t->path.p, t->path.n);
		return true;
	case TF_PAGE_PROOF:
		return proof_of(out, t);
	}
	return false;
}

void
tf_page_link(struct tf_page *p, enum tf_page_link link, struct tf_str name,
    struct tf_str path, struct tf_str text)
{
	static const struct tf_page_links in_mount = { find_in_mount, NULL };
	const struct tf_page_links *l = p->links ? p->links : &in_mount;
	struct tf_page_target t = { link, p->row.attr.kind, name, path };
	struct tf_buf to = { 0 }, href = { 0 };
	bool linked = l->find(l->arg, &t, &to) && to.n > 0;

	if (linked) {
		tf_html_path(&href, to.p, to.n);
		p->b.failed = p->b.failed || href.failed;
		tf_html(&p->b, "<a href=\"%s\">", href.failed ? "" : href.p);
	}
	/* dir="ltr": letters of a right-to-left script must not move the
	 * suffix of the name to another place. */
	tf_html(&p->b, "<bdi dir=\"ltr\">%.*s</bdi>", (int)text.n, text.p);
	if (linked)
		tf_html(&p->b, "</a>");
	p->b.failed = p->b.failed || to.failed;
	tf_buf_free(&to);
	tf_buf_free(&href);
}

void
tf_page_word(struct tf_page *p, enum tf_page_link link, struct tf_str name,
    struct tf_str path, const char *text)
{
	tf_page_link(p, link, name, path, tf_str_of(text));
}

void
tf_page_package(struct tf_page *p)
{
	/* A page in a package has no link to a package. */
	if (p->links != NULL ||
	    (!p->w->all && p->w->who.uid != p->row.attr.uid))
		return;
	tf_html(&p->b, ", ");
	tf_page_word(p, TF_PAGE_PACKAGE, none, none, TF_CONTROL_PACKAGE);
}

/* --- the frame ------------------------------------------------------------------ */

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#57606a;"
    "--line:#d0d7de;--link:#0550ae;--tint:#f6f8fa;--good:#116329;"
    "--goodbg:#dafbe1;--bad:#a40e26;--badbg:#ffebe9;--wait:#6a4b00;"
    "--waitbg:#fff3bf}"
    "@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;"
    "--soft:#9da7b3;--line:#30363d;--link:#79b8ff;--tint:#161b22;"
    "--good:#7ee2a0;--goodbg:#12351f;--bad:#ffb3ab;--badbg:#4a1218;"
    "--wait:#f2cc60;--waitbg:#3a2d05}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:72rem;padding:1.5rem 1rem 3rem;"
    "background:var(--bg);color:var(--fg);"
    "font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\","
    "sans-serif;overflow-wrap:anywhere}"
    "a{color:var(--link)}"
    "h1{font-size:1.6rem;line-height:1.25;margin:.25rem 0 1rem}"
    "h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.25rem;"
    "border-bottom:1px solid var(--line)}"
    "h3{font-size:1.05rem;margin:1.8rem 0 .4rem}"
    "nav,.soft,caption,dt,th,footer{color:var(--soft)}"
    "nav,footer,td,th,dl,.soft{font-size:.9rem}"
    "dl{display:grid;grid-template-columns:fit-content(40%%) minmax(0,1fr);"
    "gap:.15rem 1rem;margin:.5rem 0}"
    "dd{margin:0;white-space:pre-line}"
    "table{border-collapse:collapse;width:100%%;margin:.5rem 0}"
    "caption{text-align:left;padding:.2rem 0}"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;"
    "border-bottom:1px solid var(--line)}"
    "th{font-weight:600}"
    ".wide{overflow-x:auto}"
    ".who{white-space:nowrap}"
    ".wide table,.badge{overflow-wrap:normal}"
    "[scope=row],.path{overflow-wrap:anywhere;min-width:11rem}"
    "td code{display:inline-block;overflow-wrap:anywhere;min-width:17ch}"
    "td.n,th.n{text-align:right;white-space:nowrap;padding-right:1.2rem}"
    "time{white-space:nowrap}"
    "code{font:.82em/1.4 ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,"
    "monospace}"
    ".badge{display:inline-block;padding:.05em .55em;border-radius:1em;"
    "font-size:.8rem;font-weight:600;vertical-align:.1em;white-space:nowrap;"
    "border:1px solid currentColor;color:var(--soft);background:var(--tint)}"
    ".good{color:var(--good);background:var(--goodbg)}"
    ".bad{color:var(--bad);background:var(--badbg)}"
    ".wait{color:var(--wait);background:var(--waitbg)}"
    "footer{margin-top:3rem;border-top:1px solid var(--line);"
    "padding-top:.6rem}"
    "@media(max-width:42rem){dl{grid-template-columns:minmax(0,1fr)}"
    "dd{margin-bottom:.4rem}}"
    "@media print{:root{--bg:#fff;--fg:#000;--soft:#333;--line:#999;"
    "--link:#000;--good:#000;--bad:#000;--wait:#000;--goodbg:#fff;"
    "--badbg:#fff;--waitbg:#fff;--tint:#fff}body{max-width:none;padding:0;"
    "font-size:10pt}.wide{overflow:visible}time{white-space:normal}tr,h2,h3{break-inside:avoid}h2,h3{break-after:avoid}}";

void
tf_page_badge(struct tf_page *p, const char *word)
{
	bool good = strcmp(word, "COMPLIANT") == 0 ||
	    strcmp(word, "COMPLETE") == 0;
	bool bad = strcmp(word, "NON-COMPLIANT") == 0;
	bool wait = strcmp(word, "INCOMPLETE") == 0 ||
	    strcmp(word, "MISSING") == 0 || strcmp(word, "OPEN") == 0;

	tf_html(&p->b, "<span class=\"badge %s\">%s</span>",
	    good     ? "good" :
		bad  ? "bad" :
		wait ? "wait" :
		       "",
	    word);
}

/* Write the path of the page, with links to the pages of its ancestors. */
static void
put_place(struct tf_page *p)
{
	struct tf_str path = { p->path.p, p->path.n }, up = path;
	const char *slash;

	tf_html(&p->b, "<nav aria-label=\"Where this is\">");
	if (p->row.attr.kind == TF_KIND_ROOT) {
		tf_html(&p->b, "Evidence vault");
	} else if ((slash = memrchr(path.p, '/', path.n)) == NULL) {
		tf_page_link(p, TF_PAGE_UP, none, none,
		    tf_str_of(p->w->v->origin));
		tf_html(&p->b, " &#8250; trail");
	} else {
		up.n = (size_t)(slash - path.p);
		tf_page_link(p, TF_PAGE_VAULT, none, none,
		    tf_str_of(p->w->v->origin));
		tf_html(&p->b, " &#8250; ");
		tf_page_link(p, TF_PAGE_UP, none, none, up);
		tf_html(&p->b, " &#8250; workflow");
	}
	tf_html(&p->b, "</nav>\n");
}

void
tf_page_head(struct tf_page *p, const char *title, const char *status)
{
	tf_html(&p->b,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\"/>\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; "
	    "base-uri &#39;none&#39;; form-action &#39;none&#39;\"/>\n"
	    "<meta name=\"referrer\" content=\"no-referrer\"/>\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\"/>\n<title>%s%s%s - trailfs</title>\n<style>",
	    title, status == NULL ? "" : ": ", status == NULL ? "" : status);
	tf_html(&p->b, style);
	tf_html(&p->b, "</style>\n</head>\n<body>\n<header>\n");
	put_place(p);
	tf_html(&p->b, "<h1><bdi>%s</bdi> ", title);
	if (status != NULL)
		tf_page_badge(p, status);
	tf_html(&p->b, "</h1>\n</header>\n<main>\n");
}

void
tf_page_foot(struct tf_page *p)
{
	tf_html(&p->b,
	    "</main>\n<footer><p>This page says what the ledger says "
	    "and proves nothing by itself. ");
	tf_page_word(p, TF_PAGE_EVENTS, none, none, "The entries");
	tf_html(&p->b, " it was made from are signed in ");
	tf_page_word(p, TF_PAGE_CHECKPOINT, none, none, "the checkpoint");
	tf_html(&p->b, " with ");
	tf_page_word(p, TF_PAGE_KEY, none, none, "this key");
	tf_html(&p->b,
	    ", which you should have from elsewhere; "
	    "<code>trailctl verify</code> checks all of it.</p>"
	    "</footer>\n</body>\n</html>\n");
}

/* --- parts ------------------------------------------------------------------------ */

static void
put_time(struct tf_page *p, struct tf_time t)
{
	char at[TF_TIME_LEN + 1];

	tf_time_text(t, at);
	tf_html(&p->b, "<time datetime=\"%s\">%.*s %.*s UTC</time>", at, 10, at,
	    8, at + 11);
}

void
tf_page_time(struct tf_page *p, const struct tf_loaded_entry *t)
{
	bool moved;
	struct tf_time when = tf_entry_when(&t->d.e, &moved);

	put_time(p, moved ? when : t->d.e.at);
	if (!moved)
		return;
	tf_html(&p->b,
	    " <span class=\"soft\">by the clock; its place in the "
	    "ledger is ");
	put_time(p, t->d.e.at);
	tf_html(&p->b, "</span>");
}

static void
put_who(struct tf_page *p, const struct tf_entry *e)
{
	struct tf_buf who = { 0 };

	tf_who(e, &who);
	if (who.n > 0)
		tf_html(&p->b, "<bdi class=\"who\">%.*s</bdi>", (int)who.n,
		    who.p);
	if (e->cause.p != NULL)
		tf_html(&p->b, " <span class=\"soft\">(%.*s)</span>",
		    (int)e->cause.n, e->cause.p);
	p->b.failed = p->b.failed || who.failed;
	tf_buf_free(&who);
}

void
tf_page_who(struct tf_page *p)
{
	put_who(p, &p->loaded.d.e);
}

void
tf_page_event(struct tf_page *p, const char *what,
    const struct tf_loaded_entry *t)
{
	if (!t->is)
		return;
	tf_html(&p->b, "<dt>%s</dt><dd>", what);
	tf_page_time(p, t);
	tf_html(&p->b, " by ");
	put_who(p, &t->d.e);
	tf_html(&p->b, ", entry %llu</dd>\n", (unsigned long long)t->d.e.seq);
}

void
tf_page_table(struct tf_page *p, const char *label, struct tf_str of,
    const char *columns)
{
	size_t n;

	/* tabindex: the keyboard scrolls only an element with the focus. */
	tf_html(&p->b,
	    "<div class=\"wide\" role=\"region\" tabindex=\"0\" "
	    "aria-label=\"%s%.*s\"><table>\n<thead><tr>",
	    label, (int)of.n, of.n > 0 ? of.p : "");
	for (; *columns != '\0'; columns += n + (columns[n] == '|')) {
		bool number = *columns == '#';

		columns += number;
		n = strcspn(columns, "|");
		tf_html(&p->b, "<th scope=\"col\" class=\"%s\">%.*s</th>",
		    number ? "n" : "", (int)n, columns);
	}
	tf_html(&p->b, "</tr></thead>\n<tbody>\n");
}

void
tf_page_table_end(struct tf_page *p)
{
	tf_html(&p->b, "</tbody>\n</table></div>\n");
}

/* --- events --------------------------------------------------------------------------- */

static const char *
words_of(enum tf_type type)
{
	static const char *const words[TF_TYPES] = {
		[TF_LEDGER_OPENED] = "Ledger opened",
		[TF_LEDGER_CLOSED] = "Ledger closed",
		[TF_TRAIL_CREATED] = "Trail created",
		[TF_WORKFLOW_BEGUN] = "Workflow begun",
		[TF_ATTESTATION_BEGUN] = "Attestation begun",
		[TF_DIRECTORY_CREATED] = "Directory made",
		[TF_EVIDENCE_SEALED] = "Evidence sealed",
		[TF_EVIDENCE_INTERRUPTED] = "Writing interrupted",
		[TF_ATTESTATION_SEALED] = "Attestation sealed",
		[TF_WORKFLOW_SEALED] = "Workflow sealed",
		[TF_TRAIL_SEALED] = "Trail sealed",
		[TF_TEMPLATE_SET] = "Template set",
		[TF_ATTESTATION_OVERRIDDEN] = "Attestation overridden",
		[TF_ACCESS_CHANGED] = "Access changed",
		[TF_PACKAGE_MADE] = "Package made",
		[TF_REDACTION_DONE] = "Content deleted",
		[TF_HOLD_PLACED] = "Hold placed",
		[TF_HOLD_RELEASED] = "Hold released",
		[TF_KEY_ROTATED] = "Key exchanged",
		[TF_CLOCK_JUMPED] = "Clock was set",
		[TF_IMPORT_DONE] = "Import done",
	};

	return words[type];
}

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

	tf_html(&p->b, "<tr><td>");
	tf_page_time(p, &p->loaded);
	tf_html(&p->b, "</td><td>");
	if (words != NULL)
		tf_html(&p->b, "%s", words);
	else
		tf_html(&p->b, "%.*s", (int)e->type_name.n, e->type_name.p);
	put_details(p, e);
	tf_html(&p->b, "</td><td class=\"path\">");
	if (e->path.p != NULL && e->path.n > skip)
		put_path(p, e,
		    (struct tf_str){ e->path.p + skip, e->path.n - skip });
	tf_html(&p->b, "</td><td>");
	put_who(p, e);
	tf_html(&p->b, "</td><td class=\"n\">%llu</td></tr>\n",
	    (unsigned long long)e->seq);
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

		rc = tf_loaded_entry_read(p->w, seqs->p[at], &p->loaded, err);
		if (rc != TF_OK)
			break;
		if (p->row.attr.kind != TF_KIND_ROOT &&
		    !tf_is_below(&p->loaded.text, &p->path))
			continue;
		rc = tf_may_read_entry(p->w, &p->loaded.text, &may, err);
		if (rc == TF_OK && may)
			put_row(p);
		else
			(*withheld)++;
		if (rc == TF_OK)
			rc = tf_page_flush(p, err);
	}
	return rc;
}

void
tf_page_withheld(struct tf_page *p, size_t n, const char *what)
{
	if (n > 0)
		tf_html(&p->b,
		    "<p class=\"soft\">Not shown: %zu %s%s that you may not "
		    "read.</p>\n",
		    n, what, n == 1 ? "" : "s");
}

enum tf_code
tf_page_events(struct tf_page *p, const char *title, const char *note,
    const struct tf_seqs *seqs, struct tf_error *err)
{
	size_t from = seqs->n > TF_PAGE_ROWS ? seqs->n - TF_PAGE_ROWS : 0;
	size_t withheld = 0;
	enum tf_code rc;

	tf_html(&p->b, "<h2>%s</h2>\n", title);
	if (from > 0 || note != NULL) {
		tf_html(&p->b, "<p class=\"soft\">%s ",
		    note != NULL ? note : "The last ones; all are in");
		tf_page_word(p, TF_PAGE_EVENTS, none, none, "events.jsonl");
		tf_html(&p->b, ".</p>\n");
	}
	tf_page_table(p, title, none, "When|What|Of|By|#Entry");
	rc = put_rows(p, seqs, from, &withheld, err);
	tf_page_table_end(p);
	tf_page_withheld(p, withheld, "event");
	return rc;
}
