/* Parses headers: see header_read.h. */
#include "header_read.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"

#define STANZA_MARK "-> "
#define END_MARK "---"

/* --- parts ------------------------------------------------------------------ */

/* Take the next line, which ends with LF.  False: there is no LF. */
static bool
take_line(struct tf_str *rest, struct tf_str *line)
{
	const char *end = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;

	if (end == NULL)
		return false;
	*line = (struct tf_str){ rest->p, (size_t)(end - rest->p) };
	rest->p += line->n + 1;
	rest->n -= line->n + 1;
	return true;
}

static bool
begins(struct tf_str s, const char *with)
{
	size_t len = strlen(with);

	return s.n >= len && memcmp(s.p, with, len) == 0;
}

/* Append the bytes of base64 without padding to out.  s has at most one line. */
static bool
decode(struct tf_str s, struct tf_buf *out)
{
	char padded[TF_AGE_BODY_COLUMNS + 4];

	if (s.n > TF_AGE_BODY_COLUMNS || s.n % 4 == 1 ||
	    memchr(s.p, '=', s.n) != NULL)
		return false;
	memcpy(padded, s.p, s.n);
	memset(padded + s.n, '=', 3);
	return tf_unbase64(padded, (s.n + 3) / 4 * 4, out);
}

static bool
decode_exact(struct tf_str s, uint8_t *out, size_t n)
{
	char padded[(TF_HYBRID_ENC_LEN * 4 + 2) / 3 + 3];

	if (n > TF_HYBRID_ENC_LEN || s.n != (n * 4 + 2) / 3 ||
	    memchr(s.p, '=', s.n) != NULL)
		return false;
	memcpy(padded, s.p, s.n);
	memset(padded + s.n, '=', 3);
	return tf_unbase64_exact(padded, (s.n + 3) / 4 * 4, out, n);
}

/* Arguments: printable characters, separated by single spaces. */
static bool
parse_args(struct tf_str args, size_t *n)
{
	char before = ' ';

	*n = 1;
	for (size_t i = 0; i < args.n; i++) {
		if (args.p[i] < ' ' || args.p[i] > '~' ||
		    (args.p[i] == ' ' && before == ' '))
			return false;
		*n += args.p[i] == ' ';
		before = args.p[i];
	}
	return before != ' ';
}

struct tf_str
tf_stanza_arg(const struct tf_stanza *s, size_t i)
{
	struct tf_str rest = s->args;
	const char *space;

	while ((space = memchr(rest.p, ' ', rest.n)) != NULL && i-- > 0) {
		rest.n -= (size_t)(space + 1 - rest.p);
		rest.p = space + 1;
	}
	if (space != NULL)
		rest.n = (size_t)(space - rest.p);
	return rest;
}

bool
tf_stanza_is(const struct tf_stanza *s, const char *type)
{
	return tf_str_same(tf_stanza_arg(s, 0), tf_str_of(type));
}

bool
tf_stanza_bytes(const struct tf_stanza *s, size_t i, uint8_t *out, size_t n)
{
	return decode_exact(tf_stanza_arg(s, i), out, n);
}

unsigned
tf_stanza_log_n(const struct tf_stanza *s)
{
	struct tf_str text = tf_stanza_arg(s, 2);
	uint64_t n;

	return tf_decimal(text.p, text.n, 99, &n) ? (unsigned)n : 0;
}

/* --- stanzas ---------------------------------------------------------------- */

/* Stanzas of known types, whoever they are for. */
static enum tf_code
check_stanza(const struct tf_stanza *s, struct tf_error *err)
{
	uint8_t bytes[TF_HYBRID_ENC_LEN];

	if (tf_stanza_is(s, TF_AGE_HYBRID)) {
		if (s->n_args != 2 ||
		    !tf_stanza_bytes(s, 1, bytes, TF_HYBRID_ENC_LEN) ||
		    s->body_n != TF_AGE_BODY_LEN)
			return tf_fail(err, TF_INVALID,
			    "a malformed " TF_AGE_HYBRID " stanza");
	} else if (tf_stanza_is(s, "X25519")) {
		if (s->n_args != 2 ||
		    !tf_stanza_bytes(s, 1, bytes, TF_X25519_LEN) ||
		    s->body_n != TF_AGE_BODY_LEN)
			return tf_fail(err, TF_INVALID,
			    "a malformed X25519 stanza");
	} else if (tf_stanza_is(s, "scrypt")) {
		if (s->n_args != 3 ||
		    !tf_stanza_bytes(s, 1, bytes, TF_AGE_SALT_LEN) ||
		    tf_stanza_log_n(s) == 0 || s->body_n != TF_AGE_BODY_LEN)
			return tf_fail(err, TF_INVALID,
			    "a malformed scrypt stanza");
	}
	return TF_OK;
}

/* The lines of a body: full ones, and a shorter one as the last. */
static enum tf_code
parse_body(struct tf_str *rest, struct tf_header *h, struct tf_stanza *s,
    struct tf_error *err)
{
	struct tf_str line;

	s->body_at = h->bodies.n;
	do {
		if (!take_line(rest, &line))
			return tf_fail(err, TF_INVALID,
			    "the header is cut off");
		if (!decode(line, &h->bodies))
			return h->bodies.failed ?
			    tf_nomem(err) :
			    tf_fail(err, TF_INVALID, "a malformed stanza");
	} while (line.n == TF_AGE_BODY_COLUMNS);
	s->body_n = h->bodies.n - s->body_at;
	return TF_OK;
}

static enum tf_code
parse_stanza(struct tf_str line, struct tf_str *rest, struct tf_header *h,
    size_t *room, struct tf_error *err)
{
	struct tf_stanza s = { 0 }, *v;
	enum tf_code rc;

	if (!begins(line, STANZA_MARK))
		return tf_fail(err, TF_INVALID, "the header is malformed");
	s.args = (struct tf_str){ line.p + strlen(STANZA_MARK),
		line.n - strlen(STANZA_MARK) };
	if (!parse_args(s.args, &s.n_args))
		return tf_fail(err, TF_INVALID, "a malformed stanza");
	if ((rc = parse_body(rest, h, &s, err)) != TF_OK ||
	    (rc = check_stanza(&s, err)) != TF_OK)
		return rc;
	if (h->n == *room) {
		*room = *room * 2 + 4;
		if ((v = reallocarray(h->stanza, *room, sizeof(*v))) == NULL)
			return tf_nomem(err);
		h->stanza = v;
	}
	h->stanza[h->n++] = s;
	return TF_OK;
}

static enum tf_code
check_all(const struct tf_header *h, struct tf_error *err)
{
	if (h->n == 0)
		return tf_fail(err, TF_INVALID, "the header has no recipient");
	for (size_t i = 0; i < h->n && h->n > 1; i++)
		if (tf_stanza_is(&h->stanza[i], "scrypt"))
			return tf_fail(err, TF_INVALID,
			    "a passphrase among other recipients");
	return TF_OK;
}

/* --- headers ---------------------------------------------------------------- */

/* No other line begins with the mark of the last one. */
size_t
tf_header_end(const char *p, size_t n)
{
	struct tf_str rest = { p, n }, line;

	while (take_line(&rest, &line))
		if (begins(line, END_MARK))
			return n - rest.n;
	return 0;
}

enum tf_code
tf_header_parse(const char *p, size_t n, struct tf_header *out,
    struct tf_error *err)
{
	struct tf_str rest = { p, n }, line;
	size_t room = 0;
	enum tf_code rc;

	*out = (struct tf_header){ 0 };
	if (!begins(rest, TF_AGE_VERSION_LINE))
		return tf_fail(err, TF_INVALID, "not an age v1 file");
	rest.p += strlen(TF_AGE_VERSION_LINE);
	rest.n -= strlen(TF_AGE_VERSION_LINE);
	for (;;) {
		if (!take_line(&rest, &line))
			return tf_fail(err, TF_INVALID,
			    "the header is cut off");
		if (begins(line, END_MARK))
			break;
		if ((rc = parse_stanza(line, &rest, out, &room, err)) != TF_OK)
			return rc;
	}
	out->mac_of = (size_t)(line.p - p) + strlen(END_MARK);
	line.p += strlen(END_MARK);
	line.n -= strlen(END_MARK);
	if (rest.n > 0 || line.n < 1 || line.p[0] != ' ' ||
	    !decode_exact((struct tf_str){ line.p + 1, line.n - 1 }, out->mac,
		sizeof(out->mac)))
		return tf_fail(err, TF_INVALID, "a malformed MAC");
	return check_all(out, err);
}

void
tf_header_free(struct tf_header *h)
{
	free(h->stanza);
	tf_buf_free(&h->bodies);
	*h = (struct tf_header){ 0 };
}
