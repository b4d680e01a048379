/*
 * Common parts of the pages: frame, times, tables.  See page.h.
 *
 * A page is opened from a mount or a package by a browser on the auditor's
 * computer, and its names and texts come from users.  Everything goes through
 * tf_html, which escapes its arguments.  As a second fence the page forbids
 * every request and every script and style but page.js and page.css by its
 * Content-Security-Policy, so a page that an attacker could influence cannot
 * report who reads it.  Both are inline: a page must look and work the same when
 * it is a single file in a mail.
 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/html.h"
#include "../base/time_text.h"
#include "../buffer.h"
#include "../ledger/entry.h"
#include "../node/paths.h"
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

/* The texts are in files of their own, so that they can be checked as such. */
#define TEXT(symbol, file)                            \
	__asm__(".pushsection .rodata\n"              \
		".global " #symbol "\n" #symbol ":\n" \
		".incbin \"core/view/" file "\"\n"    \
		".byte 0\n"                           \
		".popsection\n")
TEXT(tf_page_script, "page.js");
TEXT(tf_page_style, "page.css");

#define LIVE_WORKFLOW_S 30 /* seconds until an open page is read again */
#define LIVE_MANY_S 60	   /* that of a trail or the vault, which is larger */

enum tf_code
tf_page_begin(struct tf_page *p, uint64_t id, struct tf_error *err)
{
	enum tf_code rc = tf_nodes_get(p->w->db, id, &p->row, err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, rc,
		    "the directory is not in the ledger yet");
	if (rc == TF_OK)
		rc = tf_path_of(p->w->v, p->w->db, id, &p->path, err);
	return rc == TF_OK && p->path.failed ? tf_nomem(err) : rc;
}

enum tf_code
tf_page_end(struct tf_page *p, enum tf_code rc, struct tf_error *err)
{
	if (rc == TF_OK)
		rc = tf_sink_buf(p->out, &p->b, err);
	tf_loaded_entry_free(&p->loaded);
	tf_buf_free(&p->path);
	tf_buf_free(&p->b);
	return rc;
}

bool
tf_page_is_live(const struct tf_page *p)
{
	return p->links == NULL && !p->w->ledger_only && !p->w->past;
}

/* After how many seconds the page is read again; 0: what it shows is finished,
 * or it stands in a package or in the past. */
static unsigned
refresh_s(const struct tf_page *p)
{
	if (!tf_page_is_live(p) ||
	    (p->row.attr.kind != TF_KIND_ROOT && p->row.seal != TF_NO_SEQ))
		return 0;
	return p->row.attr.kind == TF_KIND_WORKFLOW ? LIVE_WORKFLOW_S :
						      LIVE_MANY_S;
}

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
void
tf_page_moment(struct tf_page *p, struct tf_time t)
{
	char at[TF_TIME_LEN + 1];

	tf_time_text(t, at);
	tf_html(&p->b, "<time datetime=\"%s\">%.*s %.*s UTC</time>", at, 10, at,
	    8, at + 11);
}

/* Write of which moment the page is: it may lie open for long. */
static void
put_as_of(struct tf_page *p, unsigned every)
{
	if (!tf_page_is_live(p))
		return;
	tf_html(&p->b, "<p class=\"soft\"");
	if (every > 0)
		tf_html(&p->b, " id=\"live\" data-every=\"%u\"", every);
	tf_html(&p->b, ">As of ");
	tf_page_moment(p, p->w->now);
	tf_html(&p->b, ".");
	if (every > 0)
		tf_html(&p->b,
		    "<noscript> The page reads itself again every %u "
		    "s.</noscript>",
		    every);
	tf_html(&p->b, "</p>\n");
}

void
tf_page_head(struct tf_page *p, const char *title, const char *status)
{
	const unsigned every = refresh_s(p);

	tf_html(&p->b,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\"/>\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src &#39;none&#39;; script-src ");
	tf_html_digest(&p->b, tf_page_script);
	tf_html(&p->b, "; style-src ");
	tf_html_digest(&p->b, tf_page_style);
	tf_html(&p->b,
	    "; base-uri &#39;none&#39;; form-action &#39;none&#39;\"/>\n"
	    "<meta name=\"referrer\" content=\"no-referrer\"/>\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\"/>\n");
	/* A reader who has scripts can stop this: see page.js. */
	if (every > 0)
		tf_html(&p->b,
		    "<noscript><meta http-equiv=\"refresh\" content=\"%u\"/>"
		    "</noscript>\n",
		    every);
	tf_html(&p->b, "<title>%s%s%s - trailfs</title>\n<style>", title,
	    status == NULL ? "" : ": ", status == NULL ? "" : status);
	tf_buf_str(&p->b, tf_page_style);
	tf_html(&p->b,
	    "</style>\n</head>\n<body>\n"
	    "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
	    "<header>\n");
	put_place(p);
	tf_html(&p->b, "<h1><bdi>%s</bdi> ", title);
	if (status != NULL)
		tf_page_badge(p, status);
	tf_html(&p->b,
	    "</h1>\n</header>\n<main id=\"main\" tabindex=\"-1\">\n");
	put_as_of(p, every);
	if (!p->w->past)
		return;
	tf_html(&p->b, "<p>As it was with %llu entries, the last of ",
	    (unsigned long long)p->w->entries);
	tf_page_moment(p, p->w->now);
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
	    "</footer>\n<script>");
	tf_buf_str(&p->b, tf_page_script);
	tf_html(&p->b, "</script>\n</body>\n</html>\n");
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
	tf_page_moment(p, moved ? when : t->d.e.at);
	if (!moved)
		return;
	tf_html(&p->b,
	    " <span class=\"soft\">by the clock; its place in the "
	    "ledger is ");
	tf_page_moment(p, t->d.e.at);
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

/* list: what the script may search, NULL: nothing; css: a class of it. */
static void
begin_table(struct tf_page *p, const char *label, struct tf_str of,
    const char *list, const char *css, const char *columns)
{
	size_t n;

	/* tabindex: the keyboard scrolls only an element with the focus. */
	tf_html(&p->b,
	    "<div class=\"wide\" role=\"region\" tabindex=\"0\" "
	    "aria-label=\"%s%.*s\"><table",
	    label, (int)of.n, of.n > 0 ? of.p : "");
	if (list != NULL)
		tf_html(&p->b, " class=\"%s\" data-list=\"%s\"", css, list);
	tf_html(&p->b, ">\n<thead><tr>");
	for (; *columns != '\0'; columns += n + (columns[n] == '|')) {
		bool number = *columns == '#', filter = *columns == '=';

		columns += number || filter;
		n = strcspn(columns, "|");
		tf_html(&p->b, "<th scope=\"col\" class=\"%s\"",
		    number ? "n" : "");
		if (filter && list != NULL)
			tf_html(&p->b, " data-filter=\"\"");
		tf_html(&p->b, ">%.*s</th>", (int)n, columns);
	}
	tf_html(&p->b, "</tr></thead>\n<tbody>\n");
}

void
tf_page_table(struct tf_page *p, const char *label, struct tf_str of,
    const char *columns)
{
	begin_table(p, label, of, NULL, "", columns);
}

void
tf_page_list(struct tf_page *p, const char *label, const char *css,
    const char *columns)
{
	begin_table(p, label, none, label, css, columns);
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
