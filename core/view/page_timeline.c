/*
 * The timeline of a workflow as inline SVG: one bar per attestation, from the
 * time at which it began to the time of its seal, both by the clock, as the rest
 * of the page shows them.
 *
 * The picture is for those who see it; the table below it has the same facts for
 * everybody else, and the picture is named and described for screen readers.
 * Colour is not the only sign: a bar of what is open is hollow, and one of what
 * is not compliant is dashed.  All numbers are integers and follow from the
 * times alone, so the same state gives the same picture.
 */
#include "page_timeline.h"

#include <stdlib.h>

#include "../base/html.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../page.h"
#include "compliance.h"
#include "page.h"
#include "readable.h"
#include "view.h"

static const struct tf_str none = { NULL, 0 };

/* All in units of the picture. */
#define WIDTH 960u
#define LABELS 240u    /* width of the names */
#define MARGIN 30u     /* for half of the label of a tick at each end */
#define AXIS 24u       /* height of the labels of ticks */
#define ROW 20u	       /* height of a row with a name */
#define ALL_ROWS 720u  /* height of rows without names, all together */
#define NAMED_MAX 36   /* rows that have names */
#define LABEL_BYTES 30 /* of a name beside its bar */
#define TICKS_MAX 6
#define DAY ((int64_t)86400) /* seconds */

struct span {
	size_t i; /* of the attestation */
	struct tf_time from, to;
	bool dated;    /* the times are known */
	bool ends;     /* it is sealed, at `to` */
	bool backward; /* by the clock, it was sealed before it began */
};

struct timeline {
	struct tf_page *p;
	const struct tf_judgement *f;
	struct span *s;
	size_t n, left_out, withheld;
	struct tf_time from, to;
	bool any; /* from and to are set */
};

const char *
tf_page_attestation_word(const struct tf_judgement *f, size_t i)
{
	const struct tf_reported *r = &f->r[i];

	return r->damaged		    ? "DAMAGED" :
	    !r->sealed			    ? "OPEN" :
	    f->status.verdicts[i].compliant ? "COMPLIANT" :
					      "NON-COMPLIANT";
}

static bool
before(struct tf_time a, struct tf_time b)
{
	return a.s != b.s ? a.s < b.s : a.ns < b.ns;
}

static void
widen(struct timeline *l, struct tf_time t)
{
	if (!l->any || before(t, l->from))
		l->from = t;
	if (!l->any || before(l->to, t))
		l->to = t;
	l->any = true;
}

/* --- what is shown -------------------------------------------------------- */

/* *is: entry seq exists and can be read. */
static enum tf_code
time_of(struct tf_page *p, uint64_t seq, struct tf_time *t, bool *is,
    struct tf_error *err)
{
	enum tf_code rc = tf_loaded_entry_try(p->w, seq, &p->loaded, NULL, err);
	bool moved;

	*is = rc == TF_OK && p->loaded.is;
	if (*is)
		*t = tf_time_clamp(tf_entry_when(&p->loaded.d.e, &moved));
	return rc;
}

static enum tf_code
add(struct timeline *l, size_t i, struct tf_error *err)
{
	struct tf_page *p = l->p;
	const struct tf_att *a = &l->f->a[i];
	struct span s = { .i = i };
	enum tf_code rc = time_of(p, a->begun, &s.from, &s.dated, err);

	if (rc == TF_OK)
		rc = time_of(p, a->seal, &s.to, &s.ends, err);
	if (rc != TF_OK)
		return rc;
	s.backward = s.dated && s.ends && before(s.to, s.from);
	if (s.dated)
		widen(l, s.from);
	if (s.dated && s.ends)
		widen(l, s.to);
	l->s[l->n++] = s;
	return TF_OK;
}

/* Take the last attestations that the asker may read. */
static enum tf_code
collect(struct timeline *l, struct tf_error *err)
{
	const size_t n = l->f->n;
	size_t from = n > TF_TIMELINE_MAX ? n - TF_TIMELINE_MAX : 0;
	enum tf_code rc = TF_OK;
	bool may;

	l->left_out = from;
	l->s = calloc(n - from + 1, sizeof(*l->s));
	if (l->s == NULL)
		return tf_nomem(err);
	for (size_t i = from; rc == TF_OK && i < n; i++) {
		rc = tf_may_read(l->p->w, l->f->a[i].id, &may, err);
		if (rc == TF_OK && may)
			rc = add(l, i, err);
		else
			l->withheld++;
	}
	/* What is open lasts until the moment of the page. */
	for (size_t i = 0; i < l->n && tf_page_is_live(l->p); i++)
		if (l->s[i].dated && !l->s[i].ends)
			widen(l, tf_time_clamp(l->p->w->now));
	return rc;
}

/* --- the picture ---------------------------------------------------------- */

/* Milliseconds from the beginning of the picture to t. */
static uint64_t
offset_ms(const struct timeline *l, struct tf_time t)
{
	return (uint64_t)(t.s - l->from.s) * 1000 + t.ns / 1000000 -
	    l->from.ns / 1000000;
}

static unsigned
x_of(const struct timeline *l, unsigned left, struct tf_time t)
{
	uint64_t all = offset_ms(l, l->to);
	unsigned width = WIDTH - MARGIN - left;

	return left +
	    (all == 0 ? 0 : (unsigned)(offset_ms(l, t) * width / all));
}

/* The shortest step that needs few ticks, in seconds. */
static int64_t
step_of(int64_t span)
{
	static const int64_t steps[] = { 1, 5, 15, 60, 300, 900, 3600, 10800,
		21600, 43200, DAY, 2 * DAY, 7 * DAY, 30 * DAY, 90 * DAY,
		365 * DAY };
	int64_t step = 1;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		step = steps[i];
		if (span / step < TICKS_MAX)
			return step;
	}
	while (span / step >= TICKS_MAX)
		step *= 10;
	return step;
}

static void
put_tick(const struct timeline *l, unsigned left, unsigned height,
    struct tf_time t, int64_t step)
{
	struct tf_buf *b = &l->p->b;
	unsigned x = x_of(l, left, t);
	char at[TF_TIME_LEN + 1];

	tf_time_text(t, at);
	tf_html(b,
	    "<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>"
	    "<text class=\"tick\" x=\"%u\" y=\"14\">%.*s</text>\n",
	    x, AXIS - 4, x, height, x,
	    step >= DAY	   ? 10 :
		step >= 60 ? 5 :
			     8,
	    step >= DAY ? at : at + 11);
}

static void
put_ticks(const struct timeline *l, unsigned left, unsigned height)
{
	int64_t step = step_of(l->to.s - l->from.s), s = l->from.s / step;
	bool any = false;

	for (s = (s - 1) * step; s <= l->to.s; s += step) {
		struct tf_time t = { .s = s };

		if (before(t, l->from) || before(l->to, t))
			continue;
		put_tick(l, left, height, t, step);
		any = true;
	}
	if (!any) /* less than a step, or one moment */
		put_tick(l, left, height, l->from, 1);
}

/* A name beside its bar is cut, between two characters. */
static void
put_label(const struct timeline *l, struct tf_str name, unsigned y)
{
	size_t n = name.n;

	if (n > LABEL_BYTES)
		for (n = LABEL_BYTES; n > 0 && (name.p[n] & 0xc0) == 0x80; n--)
			;
	tf_html(&l->p->b, "<text x=\"0\" y=\"%u\">%.*s%s</text>", y, (int)n,
	    name.p, n < name.n ? "\u2026" : "");
}

/* Write the bar of span s in a row of the given height. */
static void
put_bar(const struct timeline *l, const struct span *s, unsigned left,
    unsigned y, unsigned height)
{
	const struct tf_reported *r = &l->f->r[s->i];
	struct tf_time end = s->ends ? s->to : l->to;
	unsigned x1 = x_of(l, left, s->backward ? s->to : s->from),
		 x2 = x_of(l, left, s->backward ? s->from : end);
	bool good = s->ends && !r->damaged &&
	    l->f->status.verdicts[s->i].compliant;

	tf_html(&l->p->b,
	    "<rect class=\"s%u\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\">"
	    "<title>%.*s: %s</title></rect>\n",
	    good		      ? 0u :
		s->ends || r->damaged ? 1u :
					2u,
	    x1, y, x2 - x1 < 3 ? 3 : x2 - x1, height, (int)r->name.n, r->name.p,
	    tf_page_attestation_word(l->f, s->i));
}

static void
put_picture(const struct timeline *l)
{
	struct tf_buf *b = &l->p->b;
	bool named = l->n <= NAMED_MAX;
	unsigned left = named ? LABELS : MARGIN,
		 rows = named ? (unsigned)l->n * ROW : ALL_ROWS,
		 height = AXIS + rows;
	char from[TF_TIME_LEN + 1], to[TF_TIME_LEN + 1];

	tf_time_text(l->from, from);
	tf_time_text(l->to, to);
	tf_html(b,
	    "<figure><div class=\"wide\" role=\"region\" tabindex=\"0\" "
	    "aria-label=\"Picture of the timeline\">"
	    "<svg role=\"img\" aria-labelledby=\"timeline-name timeline-text\" "
	    "viewBox=\"0 0 %u %u\" width=\"%u\" height=\"%u\">\n"
	    "<title id=\"timeline-name\">Timeline of %s</title>\n"
	    "<desc id=\"timeline-text\">A bar for each attestation (%zu), "
	    "from its beginning to its seal, between %.*s %.*s UTC and %.*s "
	    "%.*s UTC. The table below has the same times.</desc>\n",
	    WIDTH, height, WIDTH, height, l->p->row.name, l->n, 10, from, 8,
	    from + 11, 10, to, 8, to + 11);
	put_ticks(l, left, height);
	for (size_t i = 0; i < l->n; i++) {
		const struct span *s = &l->s[i];
		unsigned y = AXIS + (unsigned)(i * rows / l->n),
			 tall = (unsigned)(rows / l->n);

		if (named)
			put_label(l, l->f->r[s->i].name, y + 14);
		if (s->dated)
			put_bar(l, s, left, named ? y + 3 : y,
			    named	 ? ROW - 8 :
				tall > 3 ? tall - 2 :
					   1);
	}
	tf_html(b, "</svg></div>\n<figcaption>From ");
	tf_page_moment(l->p, l->from);
	tf_html(b, " to ");
	tf_page_moment(l->p, l->to);
	tf_html(b,
	    ". A hollow bar is open, a dashed bar is not compliant or "
	    "damaged.</figcaption></figure>\n");
}

/* --- the table ------------------------------------------------------------ */

static enum tf_code
put_row(const struct timeline *l, const struct span *s, struct tf_error *err)
{
	struct tf_page *p = l->p;
	const struct tf_reported *r = &l->f->r[s->i];
	const struct tf_att *a = &l->f->a[s->i];
	char took[TF_SPAN_LEN + 1];
	enum tf_code rc = tf_loaded_entry_try(p->w, a->begun, &p->loaded, NULL,
	    err);

	if (rc != TF_OK)
		return rc;
	tf_html(&p->b, "<tr><th scope=\"row\"><bdi>%.*s</bdi></th><td>",
	    (int)r->name.n, r->name.p);
	tf_page_badge(p, tf_page_attestation_word(l->f, s->i));
	tf_html(&p->b, "</td><td>");
	tf_page_time(p, &p->loaded);
	tf_html(&p->b, "</td><td>");
	tf_page_who(p);
	tf_html(&p->b, "</td><td>");
	rc = tf_loaded_entry_try(p->w, a->seal, &p->loaded, NULL, err);
	if (rc != TF_OK)
		return rc;
	tf_page_time(p, &p->loaded);
	tf_html(&p->b, "</td><td>");
	if (s->backward) {
		tf_html(&p->b, "the clock went backward");
	} else if (s->dated && s->ends) {
		tf_span_text(s->to.s - s->from.s, took);
		tf_html(&p->b, "%s", took);
	}
	tf_html(&p->b, "</td></tr>\n");
	return tf_page_flush(p, err);
}

enum tf_code
tf_page_timeline(struct tf_page *p, const struct tf_judgement *f,
    struct tf_error *err)
{
	struct timeline l = { .p = p, .f = f };
	enum tf_code rc = collect(&l, err);

	if (rc != TF_OK || !l.any)
		goto out;
	tf_html(&p->b, "<h2>Timeline</h2>\n");
	if (l.left_out > 0)
		tf_html(&p->b,
		    "<p class=\"soft\">The last %zu of %zu attestations.</p>\n",
		    l.n + l.withheld, f->n);
	put_picture(&l);
	tf_html(&p->b, "<details><summary>The timeline as a table</summary>\n");
	tf_page_table(p, "Timeline", none, "Name|State|Begun|By|Sealed|Time");
	for (size_t i = 0; rc == TF_OK && i < l.n; i++)
		rc = put_row(&l, &l.s[i], err);
	tf_page_table_end(p);
	tf_html(&p->b, "</details>\n");
	tf_page_withheld(p, l.withheld, "attestation");
out:
	free(l.s);
	return rc;
}
