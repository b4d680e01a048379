/*
 * The form of a certificate in the style of the Federal Rules of Evidence 902(13)
 * (records of an electronic process) and 902(14) (data copied from a device or file,
 * identified by digests), with two schedules: what is in the package, and how the
 * vault was during its period.
 *
 * What the log says is filled in.  What only a person can say is blank: who certifies,
 * by which knowledge, that the key is the one of the owner, and how the verification
 * ended.
 */
#include "../base/bytes.h"
#include "../base/html.h"
#include "../base/mutant.h"
#include "../base/print.h"
#include "../base/time_text.h"
#include "../json.h"
#include "certificate.h"
#include "completeness.h"
#include "description.h"
#include "format.h"
#include "health.h"

/* --- parts ---------------------------------------------------------------- */

static void
put_time(struct tf_buf *b, struct tf_time t)
{
	char at[TF_TIME_LEN + 1];

	tf_time_text(t, at);
	tf_html(b, "<time>%.*s %.*s UTC</time>", 10, at, 8, at + 11);
}

static void
put_blank(struct tf_buf *b, const char *what)
{
	tf_html(b, "<dt>%s</dt><dd class=\"blank\"></dd>\n", what);
}

static void
put_text(struct tf_buf *b, const char *what, struct tf_str s)
{
	if (s.p != NULL)
		tf_html(b, "<dt>%s</dt><dd><bdi>%.*s</bdi></dd>\n", what,
		    (int)s.n, s.p);
}

/* What the package is about. */
static struct tf_str
subject(const struct tf_package_place *p)
{
	return p->kind == TF_KIND_ROOT ? tf_str_of("the whole vault") : p->path;
}

static void
put_number(struct tf_buf *b, const char *what, uint64_t n)
{
	tf_html(b, "<dt>%s</dt><dd>%llu</dd>\n", what, (unsigned long long)n);
}

struct number {
	const char *what;
	uint64_t n;
};

static void
put_numbers(struct tf_buf *b, const struct number *of, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_number(b, of[i].what, of[i].n);
}

static void
put_when(struct tf_buf *b, const char *what, struct tf_time t)
{
	tf_html(b, "<dt>%s</dt><dd>", what);
	put_time(b, t);
	tf_html(b, "</dd>\n");
}

static void
put_digest(struct tf_buf *b, const char *what, const struct tf_hash *h)
{
	char hex[65];

	tf_hex(h->b, sizeof(h->b), hex);
	tf_html(b, "<dt>%s</dt><dd><code>%s</code></dd>\n", what, hex);
}

/* --- the form ------------------------------------------------------------- */

static void
put_form(const struct tf_certificate *c, struct tf_buf *b)
{
	const struct tf_package_facts *f = c->facts;

	tf_html(b,
	    "<h1>Certification of records of an electronic system</h1>\n"
	    "<p>This is a form in the style of the Federal Rules of Evidence "
	    "902(13) and 902(14). It is not legal advice: adapt it with counsel, "
	    "and leave out what the person who signs does not know. The digests "
	    "and numbers were filled in by the program that made the "
	    "package.</p>\n<h2>Who certifies</h2>\n<dl>\n");
	put_blank(b, "Name");
	put_blank(b, "Title");
	put_blank(b, "Organisation");
	put_blank(b, "Qualified by (knowledge, training, duties)");
	tf_html(b, "</dl>\n<h2>Which records</h2>\n<dl>\n");
	put_text(b, "Recorded directory", subject(f->p));
	put_text(b, "Log", tf_str_of(f->head.origin));
	put_text(b, "Key of the log, as in this package",
	    (struct tf_str){ c->vkey.p, c->vkey.n > 0 ? c->vkey.n - 1 : 0 });
	put_number(b, "Entries of the log", f->head.size);
	put_digest(b, "Root of the log", &f->head.root);
	put_when(b, "Last entry in this package", f->last);
	put_number(b, "Files of evidence", f->files);
	put_number(b, "Bytes of evidence", f->bytes);
	put_digest(b,
	    "SHA-256 of manifest-sha256.txt, which lists the digest of "
	    "each file",
	    &c->manifest);
	put_digest(b, "SHA-256 of events.jsonl, the entries",
	    TF_IS_MUTANT(TF_CERTIFIES_OTHER) ? &c->manifest : &c->events);
	put_digest(b, "SHA-256 of checkpoint, the signed root", &c->checkpoint);
	put_text(b, "Made by the program", tf_str_of(c->complete->said.tool));
	put_blank(b,
	    "SHA-256 of the package file (trailctl package prints it)");
	put_blank(b, "Made on (date), by (person)");
	tf_html(b,
	    "</dl>\n<h2>Statements</h2>\n<ol>\n"
	    "<li>The records are a copy of files, and of entries about them, in an "
	    "evidence vault of my organisation. When a file is complete, the vault "
	    "fixes its content and appends an entry with its path, its SHA-256 "
	    "digest, the time and the user account to a log that only grows; the "
	    "log is signed. Schedule B says how the vault was during the "
	    "period.</li>\n"
	    "<li>That process produces an accurate result. I know that by:"
	    "<div class=\"blank\"></div></li>\n"
	    "<li>The copy was made by the program named above. A SHA-256 digest "
	    "identifies each file; the digests are in manifest-sha256.txt and in "
	    "the entries. The package was verified with the key of the log that I "
	    "have from another source than this package, by the command "
	    "(trailctl verify --vkey KEY PACKAGE, or verify.sh) and with the "
	    "result:<div class=\"blank\"></div></li>\n"
	    "<li>Schedule A says what was asked for, what the package holds, and "
	    "what it leaves out.</li>\n"
	    "<li>Exceptions and remarks:<div class=\"blank\"></div>"
	    "<div class=\"blank\"></div></li>\n</ol>\n"
	    "<p>I declare under penalty of perjury that the foregoing is true and "
	    "correct.</p>\n<dl>\n");
	put_blank(b, "Signature");
	put_blank(b, "Name in print");
	put_blank(b, "Date and place");
	tf_html(b, "</dl>\n");
}

/* --- the schedules -------------------------------------------------------- */

static void
put_contents(const struct tf_certificate *c, struct tf_buf *b)
{
	const struct tf_completeness *x = c->complete;
	const struct tf_package_place *p = c->facts->p;
	const uint64_t size = c->facts->head.size;
	const struct number of[] = {
		{ "Entries here", x->entries },
		{ "First entry", x->first },
		{ "Last entry", x->last },
		{ "Entries of the log that are not here",
		    size > x->entries ? size - x->entries : 0 },
		{ "Workflows here", x->workflows },
	};

	tf_html(b,
	    "<h2 class=\"sheet\">Schedule A: what is in the package "
	    "(completeness.json)</h2>\n<dl>\n");
	put_text(b, "Asked for: path", subject(p));
	if (p->has_since)
		put_when(b, "Asked for: begun from", p->since);
	if (p->has_until)
		put_when(b, "Asked for: begun before", p->until);
	put_text(b, "Asked for: control", p->control);
	put_text(b, "Asked for: status", p->status);
	put_text(b, "Asked for: person", p->person);
	put_numbers(b, of, sizeof(of) / sizeof(*of));
	if (x->said.has_of)
		put_number(b,
		    p->kind == TF_KIND_ROOT ?
			"Workflows of the vault (nothing here proves it)" :
			"Workflows of the trail (nothing here proves it)",
		    x->said.of);
	tf_html(b,
	    "</dl>\n<p>%s</p>\n"
	    "<table>\n<thead><tr><th scope=\"col\">Type of entry</th>"
	    "<th scope=\"col\">Entries</th></tr></thead>\n<tbody>\n",
	    x->entries == size ?
		"Every entry of the log is here." :
		"Entries that are not here are about other trails or "
		"workflows, or of another time. They are no gaps of the log.");
	for (size_t i = 0; i < x->n; i++)
		tf_html(b, "<tr><th scope=\"row\">%s</th><td>%llu</td></tr>\n",
		    x->types[i].name, (unsigned long long)x->types[i].n);
	tf_html(b, "</tbody>\n</table>\n");
}

static void
put_event(const struct tf_health_event *e, struct tf_buf *b)
{
	tf_html(b, "<tr><td>");
	put_time(b, e->when);
	tf_html(b, "</td><td>");
	switch (e->kind) {
	case TF_HEALTH_DOWN:
		tf_html(b, "no daemon had the vault open, until ");
		if (e->ended)
			put_time(b, e->other);
		else
			tf_html(b, "the end of the period");
		tf_html(b,
		    e->clean ?
			"; the one before had ended in order" :
			"; the one before was cut short, at this time or "
			"later");
		break;
	case TF_HEALTH_JUMP:
		tf_html(b, "the clock was set; it should have been ");
		put_time(b, e->other);
		break;
	case TF_HEALTH_INTERRUPTED:
		tf_html(b, "a crash interrupted <bdi>%s</bdi>", e->text);
		break;
	case TF_HEALTH_VERIFIED:
		tf_html(b,
		    "the vault was verified: %s, %llu entries, %s contents, "
		    "%llu findings",
		    e->text, (unsigned long long)e->entries,
		    e->whole ? "all" : "a part of the",
		    (unsigned long long)e->findings);
		break;
	}
	tf_html(b, "</td></tr>\n");
}

static void
put_health(const struct tf_certificate *c, struct tf_buf *b)
{
	const struct tf_health *h = c->health;
	const struct tf_package_place *p = c->facts->p;
	const struct number of[] = {
		{ "Sessions of a daemon", h->daemons },
		{ "Sessions of other programs", h->others },
		{ "Sessions that were cut short", h->cut },
		{ "Changes that were refused", h->denied },
		{ "States of the clock that were observed", h->observed },
		{ "Of these not synchronised", h->unsynchronised },
		{ "Entries here with another time than the clock", h->moved },
	};

	tf_html(b,
	    "<h2 class=\"sheet\">Schedule B: how the vault was "
	    "(health.json)</h2>\n<dl>\n");
	if (p->has_since || h->begun)
		put_when(b, "Period from", p->has_since ? p->since : h->from);
	put_when(b, "Period until", p->has_until ? p->until : h->last);
	put_numbers(b, of, sizeof(of) / sizeof(*of));
	tf_html(b,
	    "</dl>\n<table>\n<thead><tr><th scope=\"col\">Time</th>"
	    "<th scope=\"col\">What happened</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < h->n; i++)
		put_event(&h->e[i], b);
	tf_html(b,
	    "</tbody>\n</table>\n<p>Sessions and refusals are the word of the "
	    "daemon, the state of the clock is that of the host, and a "
	    "verification is the word of the person who ran it.</p>\n");
}

enum tf_code
tf_certificate_write(const struct tf_certificate *c, struct tf_buf *out,
    struct tf_error *err)
{
	const struct tf_package_facts *f = c->facts;
	const struct tf_str about = subject(f->p);

	tf_html(out,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\"/>\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; "
	    "base-uri &#39;none&#39;; form-action &#39;none&#39;\"/>\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\"/>\n<title>Certification of %.*s</title>\n",
	    (int)about.n, about.p);
	tf_print_style(out, f->head.origin, f->head.size, &f->head.root,
	    "certification");
	tf_html(out, "</head>\n<body>\n<main>\n");
	put_form(c, out);
	put_contents(c, out);
	put_health(c, out);
	tf_html(out, "</main>\n</body>\n</html>\n");
	return tf_buf_end(out, err);
}
