/*
 * What the readers of the formats share: lines of files, times, and the limits
 * of a recording, which are kept here and nowhere else.
 */
#include "reading.h"

#include <string.h>

#include "../base/bytes.h"

#define PIECE 65536 /* bytes of a read */
#define EXPONENT_MAX 100
#define TIME_MAX \
	((uint64_t)31556952000 * 1000000) /* microseconds: 1,000 years */

/* --- files ------------------------------------------------------------------ */

/* Have n unused bytes in x->b, or all that are left. */
static enum tf_code
fetch(struct tf_reading_file *x, size_t n, struct tf_error *err)
{
	size_t got;
	enum tf_code rc;

	while (!x->ended && x->b.n - x->at < n) {
		if (x->at > 0) {
			memmove(x->b.p, x->b.p + x->at, x->b.n - x->at);
			x->b.n -= x->at;
			x->at = 0;
		}
		if (!tf_buf_room(&x->b, PIECE))
			return tf_nomem(err);
		rc = x->file->read(x->file->arg, x->off, x->b.p + x->b.n, PIECE,
		    &got, err);
		if (rc != TF_OK)
			return rc;
		x->b.n += got;
		x->off += got;
		x->ended = got < PIECE;
	}
	return TF_OK;
}

enum tf_code
tf_reading_take(struct tf_reading_file *x, size_t n, struct tf_str *out,
    struct tf_error *err)
{
	enum tf_code rc = fetch(x, n, err);

	if (rc != TF_OK)
		return rc;
	if (n > x->b.n - x->at)
		n = x->b.n - x->at;
	*out = (struct tf_str){ tf_buf_bytes(&x->b).p + x->at, n };
	x->at += n;
	return TF_OK;
}

enum tf_code
tf_reading_line(struct tf_reading_file *x, struct tf_str *out, bool *is,
    bool *longer, struct tf_error *err)
{
	const char *lf = NULL;
	size_t have = 0, from;
	enum tf_code rc;

	*longer = false;
	do {
		from = have;
		if ((rc = fetch(x, have + 1, err)) != TF_OK)
			return rc;
		have = x->b.n - x->at;
		if (have > from)
			lf = memchr(x->b.p + x->at + from, '\n', have - from);
	} while (lf == NULL && have > from && have <= TF_RECORDING_LINE);
	*is = have > 0;
	if (!*is)
		return TF_OK;
	*out = (struct tf_str){ x->b.p + x->at,
		lf != NULL ? (size_t)(lf - x->b.p) - x->at : have };
	*longer = out->n > TF_RECORDING_LINE;
	if (!*longer)
		x->at += out->n + (lf != NULL);
	return TF_OK;
}

/* --- events ----------------------------------------------------------------- */

enum tf_code
tf_reading_give(struct tf_reading *x, struct tf_recorded *e, bool *more,
    struct tf_error *err)
{
	struct tf_recording_facts *f = x->f;

	*more = f->events < TF_RECORDING_EVENTS &&
	    f->bytes + e->bytes.n <= TF_RECORDING_BYTES;
	if (f->events >= TF_RECORDING_EVENTS ||
	    f->bytes >= TF_RECORDING_BYTES) {
		f->end = TF_RECORDING_CUT;
		*more = false;
		return TF_OK;
	}
	if (!*more) {
		f->end = TF_RECORDING_CUT;
		e->bytes.n = (size_t)(TF_RECORDING_BYTES - f->bytes);
	}
	f->events++;
	f->bytes += e->bytes.n;
	f->length = e->at = x->now;
	f->has_input = f->has_input || e->kind == TF_RECORDED_INPUT;
	f->has_markers = f->has_markers || e->kind == TF_RECORDED_MARKER;
	return x->fn(x->arg, e, err);
}

/* The exponent behind a number: at most 100, because the result has a limit. */
static bool
exponent(struct tf_str s, int *out)
{
	bool minus = false;
	int v = 0;

	*out = 0;
	if (s.n == 0)
		return true;
	if (s.p[0] != 'e' && s.p[0] != 'E')
		return false;
	s.p++;
	s.n--;
	if (s.n > 0 && (s.p[0] == '+' || s.p[0] == '-')) {
		minus = s.p[0] == '-';
		s.p++;
		s.n--;
	}
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (v < EXPONENT_MAX)
			v = v * 10 + (s.p[i] - '0');
	}
	if (v > EXPONENT_MAX)
		v = EXPONENT_MAX;
	*out = minus ? -v : v;
	return true;
}

bool
tf_reading_time(struct tf_str s, uint64_t *us)
{
	bool minus = s.n > 0 && s.p[0] == '-', dot = false, any = false;
	uint64_t v = 0;
	int places = 0, e;
	size_t i = minus;

	for (; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.' && !dot) {
			dot = true;
			continue;
		}
		if (c < '0' || c > '9')
			break;
		any = true;
		if (dot && places >= 9)
			continue; /* less than any time here */
		if (v < TIME_MAX)
			v = v * 10 + (uint64_t)(c - '0');
		else if (!dot)
			places--; /* its tens go to the exponent */
		else
			continue;
		places += dot;
	}
	if (!any || !exponent((struct tf_str){ s.p + i, s.n - i }, &e))
		return false;
	for (e += 6 - places; e > 0 && v > 0 && v < TIME_MAX; e--)
		v *= 10;
	for (; e < 0 && v > 0; e++)
		v /= 10;
	*us = minus ? 0 : v < TIME_MAX ? v : TIME_MAX;
	return true;
}

void
tf_reading_reach(struct tf_reading *x, uint64_t t)
{
	if (t > x->now)
		x->now = t < TIME_MAX ? t : TIME_MAX;
}

void
tf_reading_pass(struct tf_reading *x, uint64_t d)
{
	tf_reading_reach(x, x->now + d);
}

void
tf_reading_size(uint64_t cols, uint64_t rows, unsigned *c, unsigned *r)
{
	bool is = cols > 0 && rows > 0;

	*c = !is			 ? 0 :
	    cols < TF_RECORDING_COLS_MAX ? (unsigned)cols :
					   TF_RECORDING_COLS_MAX;
	*r = !is			 ? 0 :
	    rows < TF_RECORDING_ROWS_MAX ? (unsigned)rows :
					   TF_RECORDING_ROWS_MAX;
}
