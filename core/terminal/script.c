/*
 * script(1) of util-linux: a log, and a timing file that says when which bytes
 * of it came.
 *
 * A line of the timing file is "DELAY BYTES" of output, or in the advanced form
 * "TYPE DELAY REST": O and I with a number of bytes of output and input, S with
 * a signal, H with a word about the recording.  The first line of a log is
 * "Script started on ..." and no output; scriptreplay(1) passes over it, too.
 * Output and input may be in one log, in the order in which they came.
 */
#include <string.h>

#include "../base/bytes.h"
#include "reading.h"

#define HUGE_BYTES ((uint64_t)1 << 40)

struct line {
	char type; /* O, I, S or H */
	uint64_t delay;
	struct tf_str rest; /* bytes, signal, or name and value */
	uint64_t n;	    /* of O and I */
};

/* Cut the word before the next space off. */
static struct tf_str
word(struct tf_str *s)
{
	const char *end = memchr(s->p, ' ', s->n);
	struct tf_str w = { s->p, end == NULL ? s->n : (size_t)(end - s->p) };
	size_t used = w.n + (end != NULL);

	s->p += used;
	s->n -= used;
	return w;
}

static bool
line_of(struct tf_str s, struct line *out)
{
	*out = (struct line){ .type = 'O' };
	if (s.n > 2 && s.p[1] == ' ' && strchr("OISH", s.p[0]) != NULL) {
		out->type = s.p[0];
		(void)word(&s);
	}
	if (!tf_reading_time(word(&s), &out->delay))
		return false;
	out->rest = s;
	return out->type == 'S' || out->type == 'H' ?
	    s.n > 0 :
	    tf_decimal(s.p, s.n, HUGE_BYTES, &out->n);
}

bool
tf_script_begins(const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);
	struct line l;

	return lf != NULL &&
	    line_of((struct tf_str){ p, (size_t)(lf - p) }, &l);
}

#define START "Script started on "

bool
tf_recording_is_log(const char *p, size_t n)
{
	return n > strlen(START) && memcmp(p, START, strlen(START)) == 0;
}

static bool
is_path(struct tf_str s, const char *name)
{
	return tf_str_same(s, tf_str_of(name));
}

static struct tf_str
last_part(struct tf_str path)
{
	const char *slash = memrchr(path.p, '/', path.n);

	if (slash == NULL)
		return path;
	return (struct tf_str){ slash + 1,
		path.n - (size_t)(slash + 1 - path.p) };
}

bool
tf_recording_input_name(const char *p, size_t n, struct tf_buf *out)
{
	struct tf_str input = { NULL, 0 }, output = { NULL, 0 };
	const char *end = p + n, *lf;
	struct line l;

	for (; p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL;
	     p = lf + 1) {
		struct tf_str name, s = { p, (size_t)(lf - p) };

		if (!line_of(s, &l) || l.type != 'H')
			break;
		name = word(&l.rest);
		if (is_path(name, "INPUT_LOG"))
			input = l.rest;
		else if (is_path(name, "OUTPUT_LOG"))
			output = l.rest;
	}
	if (input.n == 0 || tf_str_same(input, output))
		return false;
	input = last_part(input);
	tf_buf_add(out, input.p, input.n);
	return input.n > 0;
}

/* --- facts ------------------------------------------------------------------- */

/* The number behind `key` in s, or 0. */
static uint64_t
number_of(struct tf_str s, const char *key)
{
	size_t n = strlen(key), digits = 0;
	const char *at = s.n == 0 ? NULL : memmem(s.p, s.n, key, n);
	uint64_t v = 0;

	if (at == NULL)
		return 0;
	at += n;
	while (at + digits < s.p + s.n && at[digits] >= '0' &&
	    at[digits] <= '9')
		digits++;
	(void)tf_decimal(at, digits, 100000, &v);
	return v;
}

/* The first line of a log: Script started on TIME [TERM="..." COLUMNS="80" ...].
 * A header of the timing file has the same words and comes first. */
static void
take_first_line(struct tf_reading *x, struct tf_str s)
{
	struct tf_recording_facts *f = x->f;
	const size_t n = strlen(START);
	const char *end;

	if (f->cols == 0)
		tf_reading_size(number_of(s, " COLUMNS=\""),
		    number_of(s, " LINES=\""), &f->cols, &f->rows);
	if (f->begun.n > 0 || !tf_recording_is_log(s.p, s.n))
		return;
	end = memmem(s.p, s.n, " [", 2);
	tf_buf_add(&f->begun, s.p + n,
	    (end == NULL ? s.n : (size_t)(end - s.p)) - n);
}

/* --- events ------------------------------------------------------------------- */

struct script {
	struct tf_reading *x;
	struct tf_reading_file timing, output, input;
	struct tf_buf input_log, output_log; /* their names, by the header */
	uint64_t size[2];
	bool more;
};

/* Does the log of the output have the input, too? */
static bool
in_one_log(const struct script *t)
{
	return tf_str_same(tf_buf_bytes(&t->input_log),
	    tf_buf_bytes(&t->output_log));
}

/* Columns and lines stand in two header lines. */
static void
take_header(struct script *t, struct tf_str s)
{
	struct tf_recording_facts *f = t->x->f;
	struct tf_str name = word(&s);

	if (is_path(name, "START_TIME") && f->begun.n == 0)
		tf_buf_add(&f->begun, s.p, s.n);
	else if (is_path(name, "COMMAND") && f->command.n == 0)
		tf_buf_add(&f->command, s.p, s.n);
	else if (is_path(name, "INPUT_LOG") && t->input_log.n == 0)
		tf_buf_add(&t->input_log, s.p, s.n);
	else if (is_path(name, "OUTPUT_LOG") && t->output_log.n == 0)
		tf_buf_add(&t->output_log, s.p, s.n);
	else if (is_path(name, "COLUMNS"))
		(void)tf_decimal(s.p, s.n, 100000, &t->size[0]);
	else if (is_path(name, "LINES"))
		(void)tf_decimal(s.p, s.n, 100000, &t->size[1]);
	if (f->events == 0 && t->size[0] > 0)
		tf_reading_size(t->size[0], t->size[1], &f->cols, &f->rows);
}

static enum tf_code
give_bytes(struct script *t, const struct line *l, struct tf_error *err)
{
	bool input = l->type == 'I';
	struct tf_reading_file *from = input && t->input.file->read != NULL ?
	    &t->input :
	    &t->output;
	struct tf_recorded e = { .kind = input ? TF_RECORDED_INPUT :
						 TF_RECORDED_OUTPUT };
	uint64_t left = l->n;
	enum tf_code rc = TF_OK;

	if (input && from == &t->output && !in_one_log(t))
		return TF_OK; /* the log of the input is not there */

	while (rc == TF_OK && left > 0 && t->more) {
		size_t n = left < TF_RECORDING_LINE ? (size_t)left :
						      TF_RECORDING_LINE;

		if ((rc = tf_reading_take(from, n, &e.bytes, err)) != TF_OK)
			break;
		left -= e.bytes.n;
		n -= e.bytes.n;
		if (e.bytes.n > 0)
			rc = tf_reading_give(t->x, &e, &t->more, err);
		if (n > 0 && t->more) { /* the log ends before its timing */
			t->x->f->end = TF_RECORDING_BROKEN;
			t->more = false;
		}
	}
	return rc;
}

static enum tf_code
give_line(struct script *t, struct tf_str s, struct tf_error *err)
{
	struct tf_recorded e = { .kind = TF_RECORDED_SIZE };
	struct line l;

	if (!line_of(s, &l)) {
		t->x->f->end = TF_RECORDING_BROKEN;
		t->more = false;
		return TF_OK;
	}
	tf_reading_pass(t->x, l.delay);
	if (l.type == 'H') {
		take_header(t, l.rest);
		return TF_OK;
	}
	if (l.type != 'S')
		return give_bytes(t, &l, err);
	tf_reading_size(number_of(l.rest, " COLS="),
	    number_of(l.rest, " ROWS="), &e.cols, &e.rows);
	return e.cols == 0 ? TF_OK : tf_reading_give(t->x, &e, &t->more, err);
}

/* Pass over the first line of a log. */
static enum tf_code
first_line(struct script *t, struct tf_reading_file *f, struct tf_error *err)
{
	struct tf_str s;
	bool is, longer;
	enum tf_code rc = tf_reading_line(f, &s, &is, &longer, err);

	if (rc != TF_OK || !is)
		return rc;
	if (longer) {
		t->x->f->end = TF_RECORDING_BROKEN;
		t->more = false;
	} else {
		take_first_line(t->x, s);
	}
	return TF_OK;
}

enum tf_code
tf_script_read(struct tf_reading *x, struct tf_error *err)
{
	struct script t = { .x = x,
		.timing = { .file = &x->r->timing },
		.output = { .file = &x->r->output },
		.input = { .file = &x->r->input },
		.more = true };
	struct tf_str s;
	bool is = true, longer;
	enum tf_code rc = first_line(&t, &t.output, err);

	x->f->format = "script";
	if (rc == TF_OK && x->r->input.read != NULL)
		rc = first_line(&t, &t.input, err);
	while (rc == TF_OK && t.more) {
		rc = tf_reading_line(&t.timing, &s, &is, &longer, err);
		if (rc != TF_OK || !is)
			break;
		if (longer)
			s.n = 0; /* no line */
		rc = give_line(&t, s, err);
	}
	if (rc == TF_OK)
		rc = tf_buf_end(&t.input_log, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&t.output_log, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&x->f->command, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&x->f->begun, err);
	tf_buf_free(&t.timing.b);
	tf_buf_free(&t.output.b);
	tf_buf_free(&t.input.b);
	tf_buf_free(&t.input_log);
	tf_buf_free(&t.output_log);
	return rc;
}
