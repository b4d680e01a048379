/* The reader of any JSON: see json_any.h. */
#include "json_any.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bytes.h"
#include "number.h"

struct reader {
	const char *s;
	size_t n, i;
	struct tf_any_doc *d;
	size_t cap;
	size_t used; /* bytes of d->text */
	unsigned depth;
	uint32_t *sorted; /* for finding equal keys */
	uint32_t sorted_cap;
	const char *why; /* the first error; NULL: out of memory */
	bool too_many;
};

/* The first error ends the parse: every caller returns false at once. */
static bool
complain(struct reader *r, const char *why)
{
	r->why = why;
	return false;
}

static void
skip_space(struct reader *r)
{
	while (r->i < r->n &&
	    (r->s[r->i] == ' ' || r->s[r->i] == '\t' || r->s[r->i] == '\n' ||
		r->s[r->i] == '\r'))
		r->i++;
}

/*
 * NUL at the end: no byte of JSON outside of a string is NUL, so one test is
 * enough.
 */
static char
next_char(const struct reader *r)
{
	return r->i < r->n ? r->s[r->i] : '\0';
}

/* Read the four digits of a \u escape; i is at the first. */
static bool
read_unit(struct reader *r, uint32_t *unit)
{
	*unit = 0;
	if (r->n - r->i < 4)
		return complain(r, "escape cut short");
	for (int k = 0; k < 4; k++) {
		char c = r->s[r->i++];
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			digit = (uint32_t)(c - 'A' + 10);
		else
			return complain(r, "bad digit in an escape");
		*unit = *unit * 16 + digit;
	}
	return true;
}

/* Append the UTF-8 of cp, which is never longer than its escape. */
static void
put_utf8(struct reader *r, uint32_t cp)
{
	char *p = r->d->text + r->used;

	if (cp < 0x80) {
		p[0] = (char)cp;
		r->used += 1;
	} else if (cp < 0x800) {
		p[0] = (char)(0xc0 | cp >> 6);
		p[1] = (char)(0x80 | (cp & 0x3f));
		r->used += 2;
	} else if (cp < 0x10000) {
		p[0] = (char)(0xe0 | cp >> 12);
		p[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		p[2] = (char)(0x80 | (cp & 0x3f));
		r->used += 3;
	} else {
		p[0] = (char)(0xf0 | cp >> 18);
		p[1] = (char)(0x80 | (cp >> 12 & 0x3f));
		p[2] = (char)(0x80 | (cp >> 6 & 0x3f));
		p[3] = (char)(0x80 | (cp & 0x3f));
		r->used += 4;
	}
}

/* A code point above FFFF is two escapes; half a pair has no UTF-8. */
static bool
read_code_point(struct reader *r)
{
	uint32_t cp, low;

	if (!read_unit(r, &cp))
		return false;
	if (cp >= 0xdc00 && cp <= 0xdfff)
		return complain(r, "half of a surrogate pair");
	if (cp >= 0xd800 && cp <= 0xdbff) {
		if (r->n - r->i < 2 || r->s[r->i] != '\\' ||
		    r->s[r->i + 1] != 'u')
			return complain(r, "half of a surrogate pair");
		r->i += 2;
		if (!read_unit(r, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return complain(r, "half of a surrogate pair");
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	}
	put_utf8(r, cp);
	return true;
}

/* Read an escape; i is at its backslash. */
static bool
read_escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	char c;

	r->i++;
	c = next_char(r);
	if (c == 'u') {
		r->i++;
		return read_code_point(r);
	}
	at = c != '\0' ? strchr(from, c) : NULL;
	if (at == NULL)
		return complain(r, "bad escape");
	r->i++;
	r->d->text[r->used++] = to[at - from];
	return true;
}

/* Read a string; i is at its first quote. */
static bool
read_string(struct reader *r, uint32_t *off, uint32_t *len)
{
	uint32_t cp;
	unsigned n;

	*off = (uint32_t)r->used;
	for (r->i++; r->i < r->n && r->s[r->i] != '"';) {
		if (r->s[r->i] == '\\') {
			if (!read_escape(r))
				return false;
			continue;
		}
		if ((uint8_t)r->s[r->i] < 0x20)
			return complain(r, "control character in a string");
		n = tf_utf8(r->s + r->i, r->n - r->i, &cp);
		if (n == 0)
			return complain(r, "invalid UTF-8");
		memcpy(r->d->text + r->used, r->s + r->i, n);
		r->used += n;
		r->i += n;
	}
	if (r->i == r->n)
		return complain(r, "string not closed");
	r->i++;
	*len = (uint32_t)r->used - *off;
	return true;
}

/* The text of a number is kept as it is: a double would change long ones. */
static bool
read_number(struct reader *r, struct tf_any *v)
{
	size_t n = tf_number_length((struct tf_str){ r->s + r->i,
	    r->n - r->i });

	if (n == 0)
		return complain(r, "bad number");
	if (n > TF_NUMBER_MAX)
		return complain(r, "number too long");
	v->type = TF_ANY_NUMBER_TEXT;
	v->off = (uint32_t)r->used;
	v->len = (uint32_t)n;
	memcpy(r->d->text + r->used, r->s + r->i, n);
	r->used += n;
	r->i += n;
	return true;
}

static bool
read_word(struct reader *r, struct tf_any *v)
{
	static const struct {
		const char *word;
		enum tf_any_type type;
	} words[] = { { "null", TF_ANY_NULL }, { "false", TF_ANY_FALSE },
		{ "true", TF_ANY_TRUE } };

	for (size_t k = 0; k < 3; k++) {
		size_t n = strlen(words[k].word);

		if (r->n - r->i >= n &&
		    memcmp(r->s + r->i, words[k].word, n) == 0) {
			v->type = words[k].type;
			r->i += n;
			return true;
		}
	}
	return complain(r, "value expected");
}

/* Make room for one more value; its index in *at. */
static bool
new_value(struct reader *r, uint32_t *at)
{
	if (r->d->n == TF_ANY_VALUES) {
		r->too_many = true;
		return complain(r, "too many values");
	}
	if (!tf_array_room(&r->d->v, r->d->n, &r->cap, sizeof(*r->d->v)))
		return complain(r, NULL);
	*at = r->d->n++;
	r->d->v[*at] = (struct tf_any){ 0 };
	return true;
}

/* For qsort_r(3): sorting finds equal keys without comparing all pairs. */
static int
by_key(const void *a, const void *b, void *arg)
{
	const struct tf_any_doc *d = arg;

	return tf_str_cmp(tf_any_key(d, *(const uint32_t *)a),
	    tf_any_key(d, *(const uint32_t *)b));
}

/* Check that the object at index at has no key twice. */
static bool
keys_differ(struct reader *r, uint32_t at)
{
	const struct tf_any_doc *d = r->d;
	uint32_t n = 0, count = d->v[at].count;

	if (count < 2)
		return true;
	if (count > r->sorted_cap) {
		uint32_t *p = reallocarray(r->sorted, count, sizeof(*p));

		if (p == NULL)
			return complain(r, NULL);
		r->sorted = p;
		r->sorted_cap = count;
	}
	for (uint32_t i = at + 1; i < d->n; i = d->v[i].next)
		r->sorted[n++] = i;
	qsort_r(r->sorted, n, sizeof(*r->sorted), by_key, r->d);
	for (uint32_t i = 1; i < n; i++) {
		if (by_key(&r->sorted[i - 1], &r->sorted[i], r->d) == 0)
			return complain(r, "an object has a key twice");
	}
	return true;
}

static bool read_value(struct reader *r, uint32_t key, uint32_t keyn);

static bool
read_member(struct reader *r)
{
	uint32_t key, keyn;

	if (next_char(r) != '"')
		return complain(r, "key expected");
	if (!read_string(r, &key, &keyn))
		return false;
	skip_space(r);
	if (next_char(r) != ':')
		return complain(r, "colon expected");
	r->i++;
	skip_space(r);
	return read_value(r, key, keyn);
}

/* Read what is inside container at; i is behind its opening bracket. */
static bool
read_content(struct reader *r, uint32_t at, char end)
{
	skip_space(r);
	if (next_char(r) == end) {
		r->i++;
		return true;
	}
	for (;;) {
		if (end == '}' ? !read_member(r) : !read_value(r, 0, 0))
			return false;
		r->d->v[at].count++;
		skip_space(r);
		if (next_char(r) == end)
			break;
		if (next_char(r) != ',')
			return complain(r, "comma or end expected");
		r->i++;
		skip_space(r);
	}
	if (end == '}' && !keys_differ(r, at))
		return false;
	r->i++;
	return true;
}

/* The depth is limited, because the reader calls itself for each level. */
static bool
read_container(struct reader *r, uint32_t at)
{
	bool object = next_char(r) == '{';

	if (r->depth == TF_ANY_DEPTH)
		return complain(r, "nested too deeply");
	r->d->v[at].type = object ? TF_ANY_OBJECT : TF_ANY_ARRAY;
	r->depth++;
	r->i++;
	if (!read_content(r, at, object ? '}' : ']'))
		return false;
	r->depth--;
	return true;
}

static bool
read_value(struct reader *r, uint32_t key, uint32_t keyn)
{
	struct tf_any v = { .key = key, .keyn = keyn };
	uint32_t at;
	char c = next_char(r);
	bool ok;

	if (!new_value(r, &at))
		return false;
	r->d->v[at] = v;
	if (c == '{' || c == '[') {
		ok = read_container(r, at);
	} else {
		if (c == '"') {
			v.type = TF_ANY_STRING;
			ok = read_string(r, &v.off, &v.len);
		} else if (c == '-' || (c >= '0' && c <= '9')) {
			ok = read_number(r, &v);
		} else {
			ok = read_word(r, &v);
		}
		r->d->v[at] = v;
	}
	r->d->v[at].next = r->d->n;
	return ok;
}

static bool
read_text(struct reader *r)
{
	if (r->n >= 3 && memcmp(r->s, "\xef\xbb\xbf", 3) == 0)
		r->i = 3;
	skip_space(r);
	if (!read_value(r, 0, 0))
		return false;
	skip_space(r);
	return r->i == r->n || complain(r, "bytes after the value");
}

/* Line and column are counted only now, for the one error that is reported. */
static enum tf_code
refuse(const struct reader *r, struct tf_error *err)
{
	size_t line = 1, start = 0;

	for (size_t i = 0; i < r->i; i++) {
		if (r->s[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	return tf_fail(err, r->too_many ? TF_TOOBIG : TF_INVALID,
	    "line %zu, column %zu: %s", line, r->i - start + 1, r->why);
}

enum tf_code
tf_any_parse(struct tf_any_doc *d, const char *p, size_t n,
    struct tf_error *err)
{
	struct reader r = { .s = p, .n = n, .d = d };
	enum tf_code rc = TF_OK;

	*d = (struct tf_any_doc){ 0 };
	if (n > TF_ANY_BYTES)
		return tf_fail(err, TF_TOOBIG, "longer than %zu bytes",
		    TF_ANY_BYTES);
	d->text = malloc(n + 1);
	if (d->text == NULL)
		return tf_nomem(err);
	if (!read_text(&r)) {
		rc = r.why != NULL ? refuse(&r, err) : tf_nomem(err);
		tf_any_free(d);
	}
	free(r.sorted);
	return rc;
}

void
tf_any_free(struct tf_any_doc *d)
{
	if (d == NULL)
		return;
	free(d->text);
	free(d->v);
	*d = (struct tf_any_doc){ 0 };
}

struct tf_str
tf_any_text(const struct tf_any_doc *d, uint32_t i)
{
	return (struct tf_str){ d->text + d->v[i].off, d->v[i].len };
}

struct tf_str
tf_any_key(const struct tf_any_doc *d, uint32_t i)
{
	return (struct tf_str){ d->text + d->v[i].key, d->v[i].keyn };
}

uint32_t
tf_any_member(const struct tf_any_doc *d, uint32_t obj, struct tf_str key)
{
	if (d->v[obj].type != TF_ANY_OBJECT)
		return TF_ANY_NONE;
	for (uint32_t i = obj + 1; i < d->v[obj].next; i = d->v[i].next) {
		if (tf_str_same(tf_any_key(d, i), key))
			return i;
	}
	return TF_ANY_NONE;
}
