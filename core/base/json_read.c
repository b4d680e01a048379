/*
 * The JSON reader of json.h.  It allows only the canonical form, so that no two
 * programs can read different values in the same signed bytes.  The text may
 * come from anybody.
 */
#include "json_read.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bytes.h"

/* The scanner.  Without a doc it checks the text and records no tokens. */
struct scan {
	const char *s;
	size_t n, i;
	const char *why; /* the first error, or NULL */
	struct tf_json_doc *doc;
	size_t cap;
	int depth, max_depth;
	bool status; /* the form of status files */
	struct level {
		bool object;
		uint32_t token;
		size_t key_off, key_len; /* the last key; 0: none yet */
	} level[TF_JSON_DEPTH];
};

/* Keeps the first reason: later ones follow from it. */
static bool
complain(struct scan *sc, const char *why)
{
	if (!sc->why)
		sc->why = why;
	return false;
}

/*
 * Only the escapes that the canonical form needs; C1 controls are refused as
 * C0 ones are.
 */
unsigned
tf_json_char(const char *p, size_t n)
{
	uint8_t c = (uint8_t)*p;
	uint32_t cp;
	unsigned len;

	if (c == '\\') {
		if (n < 2 ||
		    (p[1] != '"' && p[1] != '\\' && p[1] != 'n' && p[1] != 't'))
			return 0;
		return 2;
	}
	if (c < 0x20 || c == 0x7f)
		return 0;
	if (c < 0x80)
		return 1;
	len = tf_utf8(p, n, &cp);
	return len > 0 && cp >= 0xa0 ? len : 0;
}

/* Scan a string: i goes from the opening quote to behind the closing one. */
static bool
scan_string(struct scan *sc)
{
	size_t start = ++sc->i;

	while (sc->i < sc->n && sc->s[sc->i] != '"') {
		unsigned len = tf_json_char(sc->s + sc->i, sc->n - sc->i);

		if (len == 0)
			return complain(sc, "bad character in a string");
		sc->i += len;
	}
	if (sc->i >= sc->n)
		return complain(sc, "string not closed");
	if (sc->i++ == start)
		return complain(sc, "empty string");
	return true;
}

bool
tf_json_key_char(char c)
{
	return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

/* Scan "key": and leave i at the value. */
static bool
scan_key(struct scan *sc)
{
	struct level *l = &sc->level[sc->depth - 1];
	size_t start, len;

	if (sc->i >= sc->n || sc->s[sc->i] != '"')
		return complain(sc, "key expected");
	start = ++sc->i;
	while (sc->i < sc->n && tf_json_key_char(sc->s[sc->i]))
		sc->i++;
	len = sc->i - start;
	if (sc->n - sc->i < 2 || sc->s[sc->i] != '"' ||
	    sc->s[sc->i + 1] != ':' || len == 0)
		return complain(sc, "bad key");
	if (l->key_len > 0 &&
	    tf_str_cmp((struct tf_str){ sc->s + l->key_off, l->key_len },
		(struct tf_str){ sc->s + start, len }) >= 0)
		return complain(sc, "keys not sorted");
	l->key_off = start;
	l->key_len = len;
	sc->i += 2;
	return true;
}

/* Scan the fraction of a number in a status file. */
static bool
scan_fraction(struct scan *sc, struct tf_json_token *t)
{
	size_t start = ++sc->i;

	t->type = TF_JSON_DECIMAL;
	while (sc->i < sc->n && sc->s[sc->i] >= '0' && sc->s[sc->i] <= '9')
		sc->i++;
	return sc->i > start || complain(sc, "bad number");
}

/*
 * Minus zero and numbers beyond 2^53-1 are refused: programs read them
 * differently.
 */
static bool
scan_number(struct scan *sc, int64_t *out)
{
	bool minus = sc->s[sc->i] == '-';
	size_t start;
	uint64_t v;

	sc->i += minus;
	start = sc->i;
	while (sc->i < sc->n && sc->s[sc->i] >= '0' && sc->s[sc->i] <= '9')
		sc->i++;
	if (!tf_decimal(sc->s + start, sc->i - start, TF_JSON_MAX, &v) ||
	    (minus && v == 0))
		return complain(sc, "bad number");
	*out = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

static bool
scan_word(struct scan *sc, const char *word)
{
	size_t n = strlen(word);

	if (sc->n - sc->i < n || memcmp(sc->s + sc->i, word, n) != 0)
		return complain(sc, "value expected");
	sc->i += n;
	return true;
}

static bool
scan_scalar(struct scan *sc, struct tf_json_token *t)
{
	char c = sc->i < sc->n ? sc->s[sc->i] : '\0';

	if (c == '"') {
		t->type = TF_JSON_STRING;
		return scan_string(sc);
	}
	if (c == '-' || (c >= '0' && c <= '9')) {
		t->type = TF_JSON_INT;
		if (!scan_number(sc, &t->num))
			return false;
		return !sc->status || sc->i == sc->n || sc->s[sc->i] != '.' ||
		    scan_fraction(sc, t);
	}
	if (c == 'n' && sc->status) {
		t->type = TF_JSON_NULL;
		return scan_word(sc, "null");
	}
	t->type = TF_JSON_BOOL;
	t->num = c == 't';
	return scan_word(sc, t->num ? "true" : "false");
}

/* Record a token and set *at to its index.  Does nothing without a doc. */
static bool
keep(struct scan *sc, const struct tf_json_token *t, uint32_t *at)
{
	struct tf_json_doc *d = sc->doc;

	*at = 0;
	if (!d)
		return true;
	if (!tf_array_room(&d->tok, d->n, &sc->cap, sizeof(*d->tok))) {
		sc->why = NULL;
		return false;
	}
	*at = d->n;
	d->tok[d->n++] = *t;
	return true;
}

/* True for a value whose form is that of somebody else's JSON. */
static bool
is_foreign(const struct scan *sc)
{
	const struct level *l = &sc->level[0];
	const struct tf_str key = { sc->s + l->key_off, l->key_len };

	return sc->status && sc->depth == 1 && l->object &&
	    (tf_str_same(key, tf_str_of("user_data")) ||
		tf_str_same(key, tf_str_of("attestation_data")));
}

/* Find the end of such a value.  Brackets outside strings are counted, and a
 * single value ends before what cannot be in it. */
static bool
skip_foreign(struct scan *sc)
{
	size_t depth = 0, start = sc->i;
	bool string = false;

	for (; sc->i < sc->n; sc->i++) {
		const char c = sc->s[sc->i];

		if (string) {
			sc->i += c == '\\';
			string = c != '"';
		} else if (c == '"') {
			string = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (depth > 0) {
			depth -= c == '}' || c == ']';
		} else if (c == ',' || c == '}' || c == ']') {
			break;
		}
	}
	return (sc->i > start && sc->i < sc->n) ||
	    complain(sc, "value expected");
}

/* Scan one value; of an object or array, only its opening bracket. */
static bool
scan_value(struct scan *sc)
{
	struct tf_json_token t = { .off = (uint32_t)sc->i };
	struct level *l;
	uint32_t at;
	char c = sc->i < sc->n ? sc->s[sc->i] : '\0';

	if (sc->depth > 0 && sc->level[sc->depth - 1].object) {
		t.key_off = (uint32_t)sc->level[sc->depth - 1].key_off;
		t.key_len = (uint32_t)sc->level[sc->depth - 1].key_len;
	}
	if (is_foreign(sc) || (c != '{' && c != '[')) {
		t.type = TF_JSON_ANY;
		if (is_foreign(sc) ? !skip_foreign(sc) : !scan_scalar(sc, &t))
			return false;
		t.len = (uint32_t)(sc->i - t.off);
		t.next = sc->doc ? sc->doc->n + 1 : 0;
		return keep(sc, &t, &at);
	}
	if (sc->depth == sc->max_depth)
		return complain(sc, "nested too deeply");
	t.type = c == '{' ? TF_JSON_OBJECT : TF_JSON_ARRAY;
	if (!keep(sc, &t, &at))
		return false;
	sc->i++;
	l = &sc->level[sc->depth++];
	*l = (struct level){ .object = c == '{', .token = at };
	if (sc->i < sc->n && sc->s[sc->i] == (c == '{' ? '}' : ']'))
		return complain(sc, "empty object or array");
	return true;
}

/* After a value: close every container that ends here.  *more becomes false
 * once the outermost value is closed. */
static bool
scan_close(struct scan *sc, bool *more)
{
	while (sc->depth > 0) {
		struct level *l = &sc->level[sc->depth - 1];
		char c = sc->i < sc->n ? sc->s[sc->i] : '\0';

		if (c == ',') {
			sc->i++;
			return true;
		}
		if (c != (l->object ? '}' : ']'))
			return complain(sc, "comma or end expected");
		sc->i++;
		sc->depth--;
		if (sc->doc) {
			struct tf_json_token *t = &sc->doc->tok[l->token];

			t->len = (uint32_t)(sc->i - t->off);
			t->next = sc->doc->n;
		}
	}
	*more = false;
	return true;
}

/*
 * A loop with its own stack of levels: hostile nesting cannot exhaust the C
 * stack.
 */
static bool
scan_all(struct scan *sc)
{
	for (bool more = true; more;) {
		int depth = sc->depth;

		if (depth > 0 && sc->level[depth - 1].object && !scan_key(sc))
			return false;
		if (!scan_value(sc))
			return false;
		/* A container that was just opened still needs a value. */
		if (sc->depth == depth && !scan_close(sc, &more))
			return false;
	}
	if (sc->i != sc->n)
		return complain(sc, "bytes after the value");
	return true;
}

bool
tf_json_value_ok(struct tf_str value, int max_depth)
{
	struct scan sc = { .s = value.p,
		.n = value.p ? value.n : 0,
		.max_depth = max_depth };

	return scan_all(&sc);
}

static enum tf_code
parse(struct tf_json_doc *d, const char *text, size_t n, bool status,
    struct tf_error *err)
{
	struct scan sc = { .s = text,
		.n = n,
		.doc = d,
		.status = status,
		.max_depth = TF_JSON_DEPTH };
	size_t at;

	*d = (struct tf_json_doc){ .text = text };
	/* Offsets and counts of tokens are 32 bits wide. */
	if (n >= (size_t)1 << 31)
		return tf_fail(err, TF_INVALID, "JSON: text too long");
	if (n == 0 || (text[0] != '{' && text[0] != '['))
		return tf_fail(err, TF_INVALID,
		    "JSON: neither an object nor an array");
	if (scan_all(&sc))
		return TF_OK;
	at = sc.i;
	tf_json_doc_free(d);
	if (!sc.why)
		return tf_nomem(err);
	return tf_fail(err, TF_INVALID, "JSON: %s at byte %zu", sc.why, at);
}

enum tf_code
tf_json_parse(struct tf_json_doc *d, const char *text, size_t n,
    struct tf_error *err)
{
	return parse(d, text, n, false, err);
}

enum tf_code
tf_json_parse_status(struct tf_json_doc *d, const char *text, size_t n,
    struct tf_error *err)
{
	return parse(d, text, n, true, err);
}

void
tf_json_doc_free(struct tf_json_doc *d)
{
	if (!d)
		return;
	free(d->tok);
	*d = (struct tf_json_doc){ 0 };
}

int
tf_json_get(const struct tf_json_doc *d, int obj, const char *key)
{
	size_t n = strlen(key);

	if (obj < 0 || (uint32_t)obj >= d->n ||
	    d->tok[obj].type != TF_JSON_OBJECT)
		return -1;
	for (uint32_t t = (uint32_t)obj + 1; t < d->tok[obj].next;
	     t = d->tok[t].next) {
		if (d->tok[t].key_len == n &&
		    memcmp(d->text + d->tok[t].key_off, key, n) == 0)
			return (int)t;
	}
	return -1;
}

struct tf_str
tf_json_text(const struct tf_json_doc *d, int t)
{
	if (t < 0 || (uint32_t)t >= d->n)
		return (struct tf_str){ NULL, 0 };
	return (struct tf_str){ d->text + d->tok[t].off, d->tok[t].len };
}

enum tf_code
tf_json_string(const struct tf_json_doc *d, int t, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_str s = tf_json_text(d, t);
	size_t i, start;

	out->n = 0;
	if (!s.p || d->tok[t].type != TF_JSON_STRING)
		return tf_fail(err, TF_INVALID, "JSON: not a string");
	for (i = start = 1; i < s.n - 1; i++) {
		if (s.p[i] != '\\')
			continue;
		tf_buf_add(out, s.p + start, i - start);
		start = ++i;
		if (s.p[i] == 'n' || s.p[i] == 't') {
			tf_buf_add(out, s.p[i] == 'n' ? "\n" : "\t", 1);
			start++;
		}
	}
	tf_buf_add(out, s.p + start, i - start);
	if (out->failed)
		return tf_nomem(err);
	return TF_OK;
}
