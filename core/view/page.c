/*
 * Common parts of the pages: frame, times, tables.  See page.h.
 *
 * A page is opened from a mount or a package by a browser on the auditor's
 * computer, and its names and texts come from users.  Everything goes through
 * tf_html, which escapes its arguments.  As a second fence the page forbids
 * every script and every request by its Content-Security-Policy, so a page that
 * an attacker could influence cannot report who reads it.  Style is inline: a
 * page must look the same when it is a single file in a mail.
 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/html.h"
#include "../base/time_text.h"
#include "../buffer.h"
#include "../ledger/entry.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "damage.h"
#include "page.h"
#include "page_links.h"
#include "protection.h"
#include "template.h"
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

/* --- the frame ------------------------------------------------------------ */

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

/* Colour is never the only sign: the badge has the word, so a printed page and
 * a colour-blind reader lose nothing. */
void
tf_page_badge(struct tf_page *p, const char *word)
{
	bool good = strcmp(word, "COMPLIANT") == 0 ||
	    strcmp(word, "COMPLETE") == 0;
	bool bad = strcmp(word, "NON-COMPLIANT") == 0 ||
	    strcmp(word, "DAMAGED") == 0;
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

	tf_html(&p->b, "<nav aria-label=\"Breadcrumb\">");
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

/* A time is always UTC and in whole seconds: two people in two countries must
 * read the same words. */
static void
put_time(struct tf_page *p, struct tf_time t)
{
	char at[TF_TIME_LEN + 1];

	tf_time_text(t, at);
	tf_html(&p->b, "<time datetime=\"%s\">%.*s %.*s UTC</time>", at, 10, at,
	    8, at + 11);
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
	if (!p->w->past)
		return;
	tf_html(&p->b, "<p>As it was with %llu entries, the last of ",
	    (unsigned long long)p->w->entries);
	put_time(p, p->w->now);
	tf_html(&p->b, ". What came later is not here.</p>\n");
}

enum tf_code
tf_page_protection(struct tf_page *p, struct tf_error *err)
{
	struct tf_buf words = { 0 };
	enum tf_code rc = tf_protection_words(p->w, p->row.attr.id, &words,
	    err);

	if (rc == TF_OK && words.n > 0)
		tf_html(&p->b,
		    "<dt>Protection</dt><dd class=\"protection\">%.*s</dd>\n",
		    (int)words.n, words.p);
	tf_buf_free(&words);
	return rc;
}

/* The page says itself that it proves nothing: a copy of it will be read
 * without this program and its manual. */
void
tf_page_foot(struct tf_page *p)
{
	tf_html(&p->b,
	    "</main>\n<footer><p>This page shows what the ledger records. "
	    "The page is not signed and proves nothing. trailfs made it "
	    "from ");
	tf_page_word(p, TF_PAGE_EVENTS, none, none, "these entries");
	tf_html(&p->b, ", which ");
	tf_page_word(p, TF_PAGE_CHECKPOINT, none, none, "the checkpoint");
	tf_html(&p->b, " signs with ");
	tf_page_word(p, TF_PAGE_KEY, none, none, "this key");
	tf_html(&p->b,
	    ". Compare the key with the one that the owner of the log gave "
	    "you. To check the entries and the evidence, run "
	    "<code>trailctl verify</code>.</p>"
	    "</footer>\n</body>\n</html>\n");
}

/* --- parts ---------------------------------------------------------------- */

void
tf_page_time(struct tf_page *p, const struct tf_loaded_entry *t)
{
	bool moved;
	struct tf_time when;

	if (!t->is) {
		if (t->damaged)
			tf_html(&p->b, "entry %llu cannot be read",
			    (unsigned long long)t->seq);
		return;
	}
	when = tf_entry_when(&t->d.e, &moved);
	put_time(p, moved ? when : t->d.e.at);
	if (!moved)
		return;
	tf_html(&p->b,
	    " <span class=\"soft\">by the clock; its place in the "
	    "ledger is ");
	put_time(p, t->d.e.at);
	tf_html(&p->b, "</span>");
}

void
tf_page_actor(struct tf_page *p, const struct tf_entry *e)
{
	struct tf_buf who = { 0 };

	tf_who_in_full(e, &who);
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
	if (p->loaded.is)
		tf_page_actor(p, &p->loaded.d.e);
}

void
tf_page_event(struct tf_page *p, const char *what,
    const struct tf_loaded_entry *t)
{
	if (!t->is && !t->damaged)
		return;
	tf_html(&p->b, "<dt>%s</dt><dd>", what);
	tf_page_time(p, t);
	if (t->damaged) {
		tf_html(&p->b, "</dd>\n");
		return;
	}
	tf_html(&p->b, " by ");
	tf_page_actor(p, &t->d.e);
	tf_html(&p->b, ", entry %llu</dd>\n", (unsigned long long)t->d.e.seq);
}

void
tf_page_template(struct tf_page *p, const struct tf_view_template *t,
    const char *more)
{
	tf_html(&p->b, "<dt>Template</dt><dd>version %llu%s</dd>\n",
	    (unsigned long long)t->version, more);
	for (size_t i = 0; i < t->t.n_warnings; i++)
		tf_html(&p->b,
		    "<dd>No workflow can satisfy it: line %u: %s</dd>\n",
		    t->t.warnings[i].line, t->t.warnings[i].text);
}

void
tf_page_damage(struct tf_page *p, const struct tf_damage *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct tf_buf why = { 0 };

		tf_buf_str(&why, d->p[i].why.text);
		tf_html(&p->b, "<dt>Damaged</dt><dd>%.*s</dd>\n", (int)why.n,
		    why.p);
		p->b.failed = p->b.failed || why.failed;
		tf_buf_free(&why);
	}
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

void
tf_page_withheld(struct tf_page *p, size_t n, const char *what)
{
	if (n > 0)
		tf_html(&p->b,
		    "<p class=\"soft\">%zu %s%s not shown, because you may not "
		    "read %s.</p>\n",
		    n, what, n == 1 ? " is" : "s are", n == 1 ? "it" : "them");
}
