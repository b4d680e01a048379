/*
 * asciicast, the format of asciinema: version 1 is one JSON object, versions 2
 * and 3 are a header and then a JSON array per line.
 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/json_any.h"
#include "../base/time_text.h"
#include "reading.h"

#define WHOLE ((size_t)4 << 20) /* bytes of a recording of version 1 */

static uint64_t
number(const struct tf_any_doc *d, uint32_t i)
{
	uint64_t v = 0;
	struct tf_str s;

	if (i == TF_ANY_NONE || d->v[i].type != TF_ANY_NUMBER_TEXT)
		return 0;
	s = tf_any_text(d, i);
	(void)tf_decimal(s.p, s.n, UINT32_MAX * (uint64_t)1000, &v);
	return v;
}

static uint64_t
member(const struct tf_any_doc *d, uint32_t obj, const char *key)
{
	return number(d, tf_any_member(d, obj, tf_str_of(key)));
}

static void
text(const struct tf_any_doc *d, const char *key, struct tf_buf *out)
{
	uint32_t i = tf_any_member(d, 0, tf_str_of(key));
	struct tf_str s;

	if (i == TF_ANY_NONE || d->v[i].type != TF_ANY_STRING)
		return;
	s = tf_any_text(d, i);
	tf_buf_add(out, s.p, s.n);
}

/* The version of a recording that begins with this object; 0: it is none. */
static uint64_t
version_of(const struct tf_any_doc *d)
{
	uint64_t v = d->n > 0 && d->v[0].type == TF_ANY_OBJECT ?
	    member(d, 0, "version") :
	    0;

	return v <= 3 ? v : 0;
}

/* A header may be longer than what is looked at, and version 1 is one object. */
bool
tf_asciicast_begins(const char *p, size_t n)
{
	const char *lf = n > 0 ? memchr(p, '\n', n) : NULL, *at = p,
		   *end = p + n;
	static const char key[] = "\"version\"";
	struct tf_any_doc d;
	bool is = false;

	if (lf != NULL &&
	    tf_any_parse(&d, p, (size_t)(lf - p), NULL) == TF_OK) {
		is = version_of(&d) > 0;
		tf_any_free(&d);
		return is;
	}
	while (at < end && strchr(" \t\r\n", *at) != NULL && *at != '\0')
		at++;
	if (at == end || *at != '{' ||
	    (at = memmem(at, (size_t)(end - at), key, sizeof(key) - 1)) == NULL)
		return false;
	at += sizeof(key) - 1;
	while (at < end && (*at == ' ' || *at == ':'))
		at++;
	return at < end && *at >= '1' && *at <= '3';
}

/* --- facts ------------------------------------------------------------------- */

static void
take_header(struct tf_reading *x, const struct tf_any_doc *d, uint64_t version)
{
	static const char *const formats[] = { "", "asciicast 1", "asciicast 2",
		"asciicast 3" };
	struct tf_recording_facts *f = x->f;
	uint32_t term = tf_any_member(d, 0, tf_str_of("term"));
	uint64_t at = member(d, 0, "timestamp");

	f->format = formats[version];
	if (version == 3 && term != TF_ANY_NONE)
		tf_reading_size(member(d, term, "cols"),
		    member(d, term, "rows"), &f->cols, &f->rows);
	else
		tf_reading_size(member(d, 0, "width"), member(d, 0, "height"),
		    &f->cols, &f->rows);
	text(d, "title", &f->title);
	text(d, "command", &f->command);
	if (at > 0 && at < 253402300800) { /* the year 10000 */
		char s[TF_TIME_LEN + 1];

		tf_time_text((struct tf_time){ .s = (int64_t)at }, s);
		tf_buf_printf(&f->begun, "%.10s %.8s UTC", s, s + 11);
	}
}

/* --- events ------------------------------------------------------------------- */

static bool
size_of(struct tf_str s, struct tf_recorded *e)
{
	const char *by = s.n > 0 ? memchr(s.p, 'x', s.n) : NULL;
	uint64_t cols, rows;

	if (by == NULL || !tf_decimal(s.p, (size_t)(by - s.p), 100000, &cols) ||
	    !tf_decimal(by + 1, s.n - (size_t)(by + 1 - s.p), 100000, &rows))
		return false;
	tf_reading_size(cols, rows, &e->cols, &e->rows);
	return e->cols > 0;
}

/* An event [TIME, CODE, DATA]; false: it is malformed.  e->kind stays what it
 * was if the event is of another kind, and *other is set. */
static bool
event_of(struct tf_reading *x, const struct tf_any_doc *d, uint64_t version,
    struct tf_recorded *e, bool *other)
{
	struct tf_str code, data;
	uint64_t t;

	if (d->n != 4 || d->v[0].type != TF_ANY_ARRAY ||
	    d->v[1].type != TF_ANY_NUMBER_TEXT ||
	    d->v[2].type != TF_ANY_STRING || d->v[3].type != TF_ANY_STRING ||
	    !tf_reading_time(tf_any_text(d, 1), &t))
		return false;
	if (version == 3)
		tf_reading_pass(x, t);
	else
		tf_reading_reach(x, t);
	code = tf_any_text(d, 2);
	data = tf_any_text(d, 3);
	*e = (struct tf_recorded){ .bytes = data };
	*other = false;
	if (tf_str_same(code, tf_str_of("o"))) {
		e->kind = TF_RECORDED_OUTPUT;
	} else if (tf_str_same(code, tf_str_of("i"))) {
		e->kind = TF_RECORDED_INPUT;
	} else if (tf_str_same(code, tf_str_of("m"))) {
		e->kind = TF_RECORDED_MARKER;
	} else if (tf_str_same(code, tf_str_of("r"))) {
		e->kind = TF_RECORDED_SIZE;
		e->bytes.n = 0;
		*other = !size_of(data, e);
	} else {
		*other = true;
	}
	return true;
}

static enum tf_code
one_line(struct tf_reading *x, struct tf_str s, uint64_t version, bool *more,
    struct tf_error *err)
{
	struct tf_any_doc d;
	struct tf_recorded e;
	bool other = true, good;
	enum tf_code rc;

	if (s.n == 0 || s.p[0] == '#' || (s.n == 1 && s.p[0] == '\r'))
		return TF_OK;
	if ((rc = tf_any_parse(&d, s.p, s.n, err)) == TF_NOMEM)
		return rc;
	good = rc == TF_OK && event_of(x, &d, version, &e, &other);
	rc = TF_OK;
	if (!good) {
		x->f->end = TF_RECORDING_BROKEN;
		*more = false;
	} else if (!other) {
		rc = tf_reading_give(x, &e, more, err);
	}
	tf_any_free(&d);
	return rc;
}

/* The array "stdout" of a recording of version 1: [DELAY, DATA] each. */
static enum tf_code
read_first(struct tf_reading *x, const struct tf_any_doc *d,
    struct tf_error *err)
{
	uint32_t all = tf_any_member(d, 0, tf_str_of("stdout")), i;
	struct tf_recorded e = { .kind = TF_RECORDED_OUTPUT };
	bool more = true;
	enum tf_code rc = TF_OK;
	uint64_t t;

	if (all == TF_ANY_NONE || d->v[all].type != TF_ANY_ARRAY) {
		x->f->end = TF_RECORDING_BROKEN;
		return TF_OK;
	}
	for (i = all + 1; rc == TF_OK && more && i < d->v[all].next;
	     i = d->v[i].next) {
		if (d->v[i].type != TF_ANY_ARRAY || d->v[i].count != 2 ||
		    d->v[i + 1].type != TF_ANY_NUMBER_TEXT ||
		    !tf_reading_time(tf_any_text(d, i + 1), &t) ||
		    d->v[i].next != i + 3 ||
		    d->v[i + 2].type != TF_ANY_STRING) {
			x->f->end = TF_RECORDING_BROKEN;
			break;
		}
		tf_reading_pass(x, t);
		e.bytes = tf_any_text(d, i + 2);
		rc = tf_reading_give(x, &e, &more, err);
	}
	return rc;
}

/* The file is one object; a longer one is not read. */
static enum tf_code
read_whole(struct tf_reading *x, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	struct tf_any_doc d;
	size_t got = 0;
	enum tf_code rc = TF_OK;

	x->f->format = "asciicast 1";
	do {
		if (!tf_buf_room(&b, 65536)) {
			rc = tf_nomem(err);
			break;
		}
		rc = x->r->output.read(x->r->output.arg, b.n, b.p + b.n, 65536,
		    &got, err);
		b.n += rc == TF_OK ? got : 0;
	} while (rc == TF_OK && got > 0 && b.n <= WHOLE);
	if (rc == TF_OK && b.n > WHOLE) {
		x->f->end = TF_RECORDING_CUT;
	} else if (rc == TF_OK) {
		rc = tf_any_parse(&d, b.p, b.n, err);
		if (rc != TF_OK || version_of(&d) != 1) {
			x->f->end = TF_RECORDING_BROKEN;
			rc = rc == TF_NOMEM ? rc : TF_OK;
		} else {
			take_header(x, &d, 1);
			rc = read_first(x, &d, err);
		}
		tf_any_free(&d);
	}
	tf_buf_free(&b);
	return rc;
}

/* *version becomes 0 if the first line is no header of version 2 or 3. */
static enum tf_code
read_header(struct tf_reading *x, struct tf_reading_file *file,
    uint64_t *version, struct tf_error *err)
{
	struct tf_any_doc d;
	struct tf_str s;
	bool is, longer;
	enum tf_code rc = tf_reading_line(file, &s, &is, &longer, err);

	*version = 0;
	if (rc != TF_OK || !is || longer)
		return rc;
	if ((rc = tf_any_parse(&d, s.p, s.n, err)) != TF_OK)
		return rc == TF_NOMEM ? rc : TF_OK;
	if ((*version = version_of(&d)) >= 2)
		take_header(x, &d, *version);
	else
		*version = 0;
	tf_any_free(&d);
	return TF_OK;
}

enum tf_code
tf_asciicast_read(struct tf_reading *x, struct tf_error *err)
{
	struct tf_reading_file file = { .file = &x->r->output };
	uint64_t version;
	struct tf_str s;
	bool is = true, longer, more = true;
	enum tf_code rc = read_header(x, &file, &version, err);

	if (rc == TF_OK && version == 0)
		rc = read_whole(x, err);
	while (rc == TF_OK && version != 0 && more) {
		rc = tf_reading_line(&file, &s, &is, &longer, err);
		if (rc != TF_OK || !is)
			break;
		if (longer)
			x->f->end = TF_RECORDING_BROKEN;
		more = !longer;
		if (more)
			rc = one_line(x, s, version, &more, err);
	}
	if (rc == TF_OK)
		rc = tf_buf_end(&x->f->title, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&x->f->command, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&x->f->begun, err);
	tf_buf_free(&file.b);
	return rc;
}
