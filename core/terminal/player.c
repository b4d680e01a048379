/*
 * Writes the page of a recording: see player.h.
 *
 * The bytes of the recording stand in the page as base64 in a block of data that
 * no browser executes, and labels as JSON with every character escaped that
 * could end that block.  Only player.js and player.css may act: the page names
 * their digests in its Content-Security-Policy and forbids everything else, so
 * no request leaves it, whatever it shows.  All text of the page itself goes
 * through tf_html, which escapes.
 *
 * A first reading finds the facts, the plain text and the commands, which stand
 * above the events of the second reading.
 */
#include "player.h"

#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/html.h"
#include "plain.h"

#define PIECE 65536		   /* bytes that are passed on at a time */
#define TEXT_MAX ((size_t)2 << 20) /* bytes of plain text in a page */
#define STEPS_MAX 2000
#define LABEL_MAX 300 /* bytes */
#define PROMPT_MAX 80 /* bytes before a command that is guessed */

#define SECOND ((uint64_t)1000000) /* microseconds */

/* The texts are in files of their own, so that they can be checked as such. */
#define TEXT(symbol, file)                             \
	__asm__(".pushsection .rodata\n"               \
		".global " #symbol "\n" #symbol ":\n"  \
		".incbin \"core/terminal/" file "\"\n" \
		".byte 0\n"                            \
		".popsection\n")
TEXT(tf_player_script, "player.js");
TEXT(tf_player_style, "player.css");

/* --- commands ----------------------------------------------------------------- */

/* A place to jump to.  The label is in steps.labels. */
struct step {
	uint64_t at;
	size_t label, n;
	enum { MARKED, TYPED, GUESSED } why;
};

struct steps {
	struct step *s;
	size_t n, cap;
	struct tf_buf labels;
	size_t left_out;
	bool failed;
};

static void
add_step(struct steps *l, uint64_t at, struct tf_str label, int why)
{
	if (l->n >= STEPS_MAX) {
		l->left_out++;
		return;
	}
	if (!tf_array_room(&l->s, l->n, &l->cap, sizeof(*l->s))) {
		l->failed = true;
		return;
	}
	/* Cut between two characters. */
	if (label.n > LABEL_MAX)
		for (label.n = LABEL_MAX;
		     label.n > 0 && (label.p[label.n] & 0xc0) == 0x80;
		     label.n--)
			;
	l->s[l->n++] = (struct step){ .at = at,
		.label = l->labels.n,
		.n = label.n,
		.why = why };
	tf_buf_add(&l->labels, label.p, label.n);
}

/* What follows the prompt of a line; n is 0 if it has none that is known. */
static struct tf_str
behind_prompt(struct tf_str s)
{
	static const char marks[] = "$#%>";
	struct tf_str none = { NULL, 0 };

	for (size_t i = 0; i + 1 < s.n && i < PROMPT_MAX; i++) {
		size_t len = strchr(marks, s.p[i]) != NULL && s.p[i] != '\0';

		/* U+276F, which many prompts end with. */
		if (s.n - i > 3 && memcmp(s.p + i, "\u276f", 3) == 0)
			len = 3;
		if (len > 0 && s.p[i + len] == ' ')
			return (struct tf_str){ s.p + i + len + 1,
				s.n - i - len - 1 };
	}
	return none;
}

/* --- the first reading ---------------------------------------------------------- */

struct page {
	const struct tf_recording *r;
	const struct tf_player_about *about;
	const struct tf_sink *out;
	struct tf_buf b; /* not passed on yet */
	struct tf_recording_facts f;
	struct tf_plain plain;
	struct tf_buf text; /* plain text as HTML */
	uint64_t cut_at;    /* time of the first line that it has not */
	bool text_is_cut;
	struct steps steps;
	unsigned entered; /* lines that were typed and not seen yet */
	uint64_t last;	  /* time of the event before */
	bool first;	  /* event */
};

static void
put_clock(struct tf_buf *out, uint64_t us)
{
	tf_buf_printf(out, "%llu:%02llu:%02llu.%03llu",
	    (unsigned long long)(us / SECOND / 3600),
	    (unsigned long long)(us / SECOND / 60 % 60),
	    (unsigned long long)(us / SECOND % 60),
	    (unsigned long long)(us % SECOND / 1000));
}

static void
add_text(struct page *p, const struct tf_plain_line *l)
{
	if (l->text.n == 0 || p->text_is_cut)
		return;
	if (p->text.n >= TEXT_MAX) {
		p->text_is_cut = true;
		p->cut_at = l->begun;
		return;
	}
	put_clock(&p->text, l->last);
	tf_html(&p->text, "  %.*s\n", (int)l->text.n, l->text.p);
}

/* A line that ends after Enter was typed is a command.  Without the keys, a line
 * is taken for one if it looks like a prompt with something behind it, and if it
 * did not come at once. */
static void
add_command(struct page *p, const struct tf_plain_line *l)
{
	struct tf_str command = behind_prompt(l->text);

	if (!l->feed) {
		p->entered = 0;
		return;
	}
	if (p->entered > 0) {
		p->entered--;
		if (command.n == 0)
			command = l->text;
		if (command.n > 0)
			add_step(&p->steps, l->ended, command, TYPED);
	} else if (!p->f.has_input && command.n > 0 && l->begun < l->ended) {
		add_step(&p->steps, l->ended, command, GUESSED);
	}
}

static void
one_line(void *arg, const struct tf_plain_line *l)
{
	struct page *p = arg;

	add_text(p, l);
	add_command(p, l);
}

static enum tf_code
look(void *arg, const struct tf_recorded *e, struct tf_error *err)
{
	struct page *p = arg;
	size_t lines = 0;

	(void)err;
	switch (e->kind) {
	case TF_RECORDED_OUTPUT:
		tf_plain_add(&p->plain, e->at, e->bytes.p, e->bytes.n);
		break;
	case TF_RECORDED_INPUT:
		for (size_t i = 0; i < e->bytes.n; i++)
			lines += e->bytes.p[i] == '\r' || e->bytes.p[i] == '\n';
		if (lines > 0)
			p->entered = lines < STEPS_MAX ? (unsigned)lines :
							 STEPS_MAX;
		break;
	case TF_RECORDED_MARKER:
		add_step(&p->steps, e->at,
		    e->bytes.n > 0 ? e->bytes : tf_str_of("marker"), MARKED);
		break;
	case TF_RECORDED_SIZE:
		break;
	}
	return TF_OK;
}

/* Is step s shown?  Guesses are only for a recording that has no keys. */
static bool
shown(const struct page *p, const struct step *s)
{
	return s->why != GUESSED || !p->f.has_input;
}

/* --- the second reading ------------------------------------------------------------ */

static enum tf_code
flush(struct page *p, bool all, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (p->b.failed)
		return tf_nomem(err);
	if (p->b.n > 0 && (all || p->b.n >= PIECE)) {
		rc = p->out->put(p->out->arg, p->b.p, p->b.n, err);
		p->b.n = 0;
	}
	return rc;
}

/* Write a string of JSON.  What could end the block of data, or is no plain
 * ASCII, becomes an escape. */
static void
put_string(struct tf_buf *out, struct tf_str s)
{
	uint32_t c;

	tf_buf_str(out, "\"");
	for (size_t i = 0, len; i < s.n; i += len) {
		if ((len = tf_utf8(s.p + i, s.n - i, &c)) == 0) {
			c = 0xfffd;
			len = 1;
		}
		if (tf_hidden_char(c))
			c = 0xfffd;
		if (c >= 0x20 && c < 0x7f && strchr("<>&\"\\'", (int)c) == NULL)
			tf_buf_add(out, s.p + i, 1);
		else if (c < 0x10000)
			tf_buf_printf(out, "\\u%04x", (unsigned)c);
		else
			tf_buf_printf(out, "\\u%04x\\u%04x",
			    0xd800 + ((unsigned)(c - 0x10000) >> 10),
			    0xdc00 + ((unsigned)(c - 0x10000) & 0x3ff));
	}
	tf_buf_str(out, "\"");
}

static enum tf_code
put_event(void *arg, const struct tf_recorded *e, struct tf_error *err)
{
	struct page *p = arg;

	if (e->kind == TF_RECORDED_MARKER)
		return TF_OK; /* it is a step */
	tf_buf_printf(&p->b, "%s[%llu,", p->first ? "" : ",\n",
	    (unsigned long long)(e->at - p->last));
	p->first = false;
	p->last = e->at;
	if (e->kind == TF_RECORDED_SIZE) {
		tf_buf_printf(&p->b, "\"r\",[%u,%u]]", e->cols, e->rows);
	} else {
		tf_buf_str(&p->b,
		    e->kind == TF_RECORDED_INPUT ? "\"i\",\"" : "\"o\",\"");
		tf_base64(&p->b, e->bytes.p, e->bytes.n);
		tf_buf_str(&p->b, "\"]");
	}
	return flush(p, false, err);
}

#define COLS 80 /* where the recording does not say */
#define ROWS 24

static enum tf_code
put_data(struct page *p, struct tf_error *err)
{
	struct tf_recording_facts f = { 0 };
	const char *comma = "";
	enum tf_code rc;

	tf_buf_printf(&p->b,
	    "<script type=\"application/json\" id=\"recording\">"
	    "{\"cols\":%u,\"rows\":%u,\"steps\":[",
	    p->f.cols > 0 ? p->f.cols : COLS, p->f.rows > 0 ? p->f.rows : ROWS);
	for (size_t i = 0; i < p->steps.n; i++) {
		const struct step *s = &p->steps.s[i];

		if (!shown(p, s))
			continue;
		tf_buf_printf(&p->b, "%s[%llu.%06llu,", comma,
		    (unsigned long long)(s->at / SECOND),
		    (unsigned long long)(s->at % SECOND));
		put_string(&p->b,
		    (struct tf_str){
			tf_buf_bytes(&p->steps.labels).p + s->label, s->n });
		tf_buf_str(&p->b, "]");
		comma = ",\n";
	}
	tf_buf_str(&p->b, "],\"events\":[\n");
	p->first = true;
	rc = tf_recording_read(p->r, &f, put_event, p, err);
	tf_recording_facts_free(&f);
	tf_buf_str(&p->b, "]}</script>\n");
	return rc;
}

/* --- the page ------------------------------------------------------------------------ */

static void
put_head(struct page *p)
{
	const struct tf_str name = p->about->name;

	tf_html(&p->b,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src &#39;none&#39;; script-src ");
	tf_html_digest(&p->b, tf_player_script);
	tf_html(&p->b, "; style-src ");
	tf_html_digest(&p->b, tf_player_style);
	tf_html(&p->b,
	    "; base-uri &#39;none&#39;; form-action &#39;none&#39;\">\n"
	    "<meta name=\"referrer\" content=\"no-referrer\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n<title>Replay of %.*s - trailfs</title>\n"
	    "<style>",
	    (int)name.n, name.p);
	tf_buf_str(&p->b, tf_player_style);
	tf_html(&p->b, "</style>\n</head>\n<body>\n<header><h1>Replay of ");
	tf_html(&p->b, "<bdi>%.*s</bdi></h1></header>\n<main>\n", (int)name.n,
	    name.p);
}

static void
put_fact(struct page *p, const char *label, const struct tf_buf *text)
{
	size_t n = text->n < LABEL_MAX ? text->n : LABEL_MAX;

	if (n > 0)
		tf_html(&p->b, "<dt>%s</dt><dd><bdi>%.*s%s</bdi></dd>\n", label,
		    (int)n, text->p, n < text->n ? " ..." : "");
}

/* How much of the recording the page has.  An auditor must not take a part for
 * the whole. */
static void
put_extent(struct page *p)
{
	static const char *const ends[] = {
		[TF_RECORDING_WHOLE] = "all of it",
		[TF_RECORDING_CUT] = "the beginning only: a page has at most "
				     "8 MiB of a recording, or 200,000 events. "
				     "The rest is in the file",
		[TF_RECORDING_BROKEN] = "the beginning only: what follows in "
					"the file is malformed or missing",
	};
	struct tf_buf length = { 0 };

	put_clock(&length, p->f.length);
	tf_html(&p->b,
	    "<dt>Length</dt><dd>%s</dd>\n"
	    "<dt>This page has</dt><dd id=\"extent\">%s</dd>\n",
	    length.failed ? "" : length.p, ends[p->f.end]);
	p->b.failed = p->b.failed || length.failed;
	tf_buf_free(&length);
}

static void
put_facts(struct page *p)
{
	const struct tf_player_about *a = p->about;
	struct tf_buf href = { 0 };
	char hex[65];

	tf_html_path(&href, a->href.p, a->href.n);
	tf_hex(a->sha256.b, sizeof(a->sha256.b), hex);
	tf_html(&p->b,
	    "<dl>\n<dt>Evidence</dt><dd><a href=\"%.*s\"><bdi>%.*s</bdi></a>, "
	    "%llu bytes, SHA-256 <code>%s</code></dd>\n"
	    "<dt>Format</dt><dd>%s, ",
	    (int)href.n, tf_buf_bytes(&href).p, (int)a->name.n, a->name.p,
	    (unsigned long long)a->size, hex, p->f.format);
	if (p->f.cols > 0)
		tf_html(&p->b, "%u columns, %u lines</dd>\n", p->f.cols,
		    p->f.rows);
	else
		tf_html(&p->b,
		    "80 columns, 24 lines (the recording does not say)</dd>\n");
	put_extent(p);
	put_fact(p, "Begun (it says)", &p->f.begun);
	put_fact(p, "Command (it says)", &p->f.command);
	put_fact(p, "Title (it says)", &p->f.title);
	tf_html(&p->b, "</dl>\n");
	p->b.failed = p->b.failed || href.failed;
	tf_buf_free(&href);
}

static void
put_player(struct page *p)
{
	tf_html(&p->b,
	    "<noscript><p>The player needs scripts, which are off. The text "
	    "below needs none.</p></noscript>\n"
	    "<section id=\"player\" aria-label=\"Player\" hidden>\n"
	    "<div class=\"wide\" role=\"region\" tabindex=\"0\" "
	    "aria-label=\"Terminal\"><pre id=\"screen\"></pre></div>\n"
	    "<div class=\"row\"><button type=\"button\" id=\"play\">Play"
	    "</button>\n"
	    "<input type=\"range\" id=\"seek\" min=\"0\" value=\"0\" "
	    "aria-label=\"Position in seconds\">\n"
	    "<span id=\"time\"></span>\n<span id=\"size\" class=\"soft\">"
	    "</span></div>\n"
	    "<div class=\"row\"><label>Speed <select id=\"speed\">");
	for (unsigned i = 0; i < 6; i++) {
		static const char *const speeds[] = { "0.5", "1", "2", "4", "8",
			"16" };

		if (i == 1)
			tf_html(&p->b,
			    "<option value=\"1\" selected>1\u00d7</option>");
		else
			tf_html(&p->b, "<option value=\"%s\">%s\u00d7</option>",
			    speeds[i], speeds[i]);
	}
	tf_html(&p->b,
	    "</select></label>\n"
	    "<label><input type=\"checkbox\" id=\"idle\" checked> Shorten "
	    "pauses of more than 2 seconds</label>\n"
	    "<button type=\"button\" id=\"back\">Command before</button>\n"
	    "<button type=\"button\" id=\"next\">Next command</button></div>\n"
	    "<p class=\"soft\">Keys: space plays and stops, the arrows go 5 "
	    "seconds, Home and End to the ends, [ and ] to the command before "
	    "and after, / to the search.</p>\n");
	if (p->f.has_input)
		tf_html(&p->b,
		    "<details><summary>Keys that were typed, also without an "
		    "echo, as passwords are</summary><p><code id=\"keys\">"
		    "</code></p></details>\n");
	tf_html(&p->b, "<h2>Commands</h2>\n<p class=\"soft\">%s%s</p>\n",
	    p->f.has_input ?
		"From the keys in the recording: each line in which Enter was "
		"typed." :
		"Guessed: lines that look like a prompt with a command behind "
		"it. The recording does not have the keys, so there may be "
		"other commands.",
	    p->f.has_markers ? " Markers of the recording are among them." :
			       "");
	if (p->steps.left_out > 0)
		tf_html(&p->b,
		    "<p>The first %u are listed; there are more.</p>\n",
		    (unsigned)STEPS_MAX);
	tf_html(&p->b,
	    "<ol id=\"steps\"></ol>\n<h2>Search</h2>\n"
	    "<div class=\"row\"><label>Text <input type=\"search\" id=\"find\" "
	    "autocomplete=\"off\"></label> <span id=\"count\" role=\"status\">"
	    "</span></div>\n<ol id=\"found\"></ol>\n</section>\n");
}

static enum tf_code
put_text(struct page *p, struct tf_error *err)
{
	struct tf_buf at = { 0 };
	enum tf_code rc;

	tf_html(&p->b,
	    "<h2>Text</h2>\n<p class=\"soft\">What the terminal got, without "
	    "control sequences, with the time of each line. Of programs that "
	    "use the whole screen these are the words in the order in which "
	    "they were written.</p>\n");
	if (p->text_is_cut) {
		put_clock(&at, p->cut_at);
		tf_html(&p->b,
		    "<p>The text ends at %.*s, because it is long. The player "
		    "goes on.</p>\n",
		    (int)at.n, tf_buf_bytes(&at).p);
		p->b.failed = p->b.failed || at.failed;
		tf_buf_free(&at);
	}
	tf_html(&p->b, "<pre id=\"text\" tabindex=\"0\" aria-label=\"Text\">");
	if ((rc = flush(p, true, err)) == TF_OK && p->text.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK && p->text.n > 0)
		rc = p->out->put(p->out->arg, p->text.p, p->text.n, err);
	tf_html(&p->b, "</pre>\n");
	return rc;
}

static void
put_foot(struct page *p)
{
	tf_html(&p->b,
	    "</main>\n<footer><p>trailfs made this page from the file above. "
	    "The page is not signed and proves nothing: the file does, with "
	    "its proof. The page loads nothing and sends nothing. What the "
	    "recording says of itself, such as times, nobody has "
	    "witnessed.</p></footer>\n");
}

static enum tf_code
read_first(struct page *p, struct tf_error *err)
{
	enum tf_code rc;

	p->plain.line = one_line;
	p->plain.arg = p;
	rc = tf_recording_read(p->r, &p->f, look, p, err);
	if (rc == TF_OK)
		tf_plain_end(&p->plain, p->f.length);
	if (rc == TF_OK && (p->steps.failed || p->steps.labels.failed))
		rc = tf_nomem(err);
	return rc;
}

enum tf_code
tf_player_page(const struct tf_recording *r,
    const struct tf_player_about *about, const struct tf_sink *out,
    struct tf_error *err)
{
	struct page *p = calloc(1, sizeof(*p));
	enum tf_code rc;

	if (p == NULL)
		return tf_nomem(err);
	p->r = r;
	p->about = about;
	p->out = out;
	if ((rc = read_first(p, err)) == TF_OK) {
		put_head(p);
		put_facts(p);
		put_player(p);
		rc = put_text(p, err);
	}
	if (rc == TF_OK) {
		put_foot(p);
		rc = put_data(p, err);
	}
	if (rc == TF_OK) {
		tf_buf_str(&p->b, "<script>");
		tf_buf_str(&p->b, tf_player_script);
		tf_buf_str(&p->b, "</script>\n</body>\n</html>\n");
		rc = flush(p, true, err);
	}
	tf_recording_facts_free(&p->f);
	tf_buf_free(&p->b);
	tf_buf_free(&p->text);
	tf_buf_free(&p->steps.labels);
	free(p->steps.s);
	free(p);
	return rc;
}
