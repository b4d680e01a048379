/*
 * The JSON writer of json.h.  It produces only the canonical form: whatever the
 * reader would refuse sets failed.
 *
 * last_key of a level is the offset of its last key, 0 for none, or IN_ARRAY.
 * In an object a value may follow only a colon, and the text ends in a colon
 * only after a key: no value ends in one.
 */
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "json_read.h"

#define IN_ARRAY SIZE_MAX

void
tf_json_begin(struct tf_json *j, struct tf_buf *out)
{
	*j = (struct tf_json){ .out = out, .drained = out->n };
	j->first[0] = true;
}

enum tf_code
tf_json_end(struct tf_json *j, struct tf_error *err)
{
	if (j->out->failed)
		return tf_nomem(err);
	if (j->failed || j->depth != 0 || j->first[0])
		return tf_fail(err, TF_INVALID, "JSON: not canonical");
	return TF_OK;
}

/*
 * The writer still needs the last key of each level and the last byte, so they
 * move to the front of the buffer.  They start at offset 1, because offset 0
 * means no key.
 */
static enum tf_code
put_to_buf(void *arg, const void *p, size_t n, struct tf_error *err)
{
	tf_buf_add(arg, p, n);
	return tf_buf_end(arg, err);
}

struct tf_sink
tf_buf_sink(struct tf_buf *out)
{
	return (struct tf_sink){ put_to_buf, out };
}

enum tf_code
tf_json_drain(struct tf_json *j, const struct tf_sink *sink,
    struct tf_error *err)
{
	struct tf_buf *b = j->out;
	size_t at = 1;
	char last;
	enum tf_code rc;

	if (b->failed)
		return tf_nomem(err);
	if (b->n == j->drained)
		return TF_OK;
	rc = sink->put(sink->arg, b->p + j->drained, b->n - j->drained, err);
	if (rc != TF_OK)
		return rc;
	last = b->p[b->n - 1];
	/* The keys lie in the order of their levels, so each moves towards the
	 * front and overwrites no other. */
	for (int d = 1; d <= j->depth; d++) {
		if (j->last_key[d] == 0 || j->last_key[d] == IN_ARRAY)
			continue;
		memmove(b->p + at, b->p + j->last_key[d], j->last_len[d]);
		j->last_key[d] = at;
		at += j->last_len[d];
	}
	b->n = at;
	tf_buf_add(b, &last, 1);
	j->drained = b->n;
	return TF_OK;
}

/* Has a key been written whose value is missing? */
static bool
value_due(const struct tf_json *j)
{
	return j->out->n > 0 && j->out->p[j->out->n - 1] == ':';
}

/* Check that a value may follow, and write the comma before it. */
static bool
begin_value(struct tf_json *j, bool container)
{
	bool first = j->first[j->depth];
	bool ok;

	if (j->failed || j->out->failed)
		return false;
	if (j->depth == 0)
		ok = first && container;
	else if (j->last_key[j->depth] == IN_ARRAY)
		ok = true;
	else
		ok = value_due(j);
	if (!ok) {
		j->failed = true;
		return false;
	}
	if (j->depth > 0 && j->last_key[j->depth] == IN_ARRAY && !first)
		tf_buf_add(j->out, ",", 1);
	j->first[j->depth] = false;
	return true;
}

static void
open_level(struct tf_json *j, const char *bracket, size_t last_key)
{
	if (j->depth == TF_JSON_DEPTH)
		j->failed = true;
	if (!begin_value(j, true))
		return;
	tf_buf_add(j->out, bracket, 1);
	j->depth++;
	j->first[j->depth] = true;
	j->last_key[j->depth] = last_key;
	j->last_len[j->depth] = 0;
}

static void
close_level(struct tf_json *j, const char *bracket, bool array)
{
	if (j->failed || j->out->failed)
		return;
	if (j->depth == 0 || j->first[j->depth] || value_due(j) ||
	    (j->last_key[j->depth] == IN_ARRAY) != array) {
		j->failed = true;
		return;
	}
	tf_buf_add(j->out, bracket, 1);
	j->depth--;
}

void
tf_json_object(struct tf_json *j)
{
	open_level(j, "{", 0);
}

void
tf_json_object_end(struct tf_json *j)
{
	close_level(j, "}", false);
}

void
tf_json_array(struct tf_json *j)
{
	open_level(j, "[", IN_ARRAY);
}

void
tf_json_array_end(struct tf_json *j)
{
	close_level(j, "]", true);
}

/*
 * Keys must come in order of bytes: the writer checks that and does not sort.
 */
void
tf_json_key(struct tf_json *j, const char *key)
{
	size_t n = strlen(key), *at, *len;

	if (j->failed || j->out->failed)
		return;
	at = &j->last_key[j->depth];
	len = &j->last_len[j->depth];
	j->failed = j->depth == 0 || *at == IN_ARRAY || value_due(j) || n == 0;
	for (size_t i = 0; i < n; i++) {
		if (!tf_json_key_char(key[i]))
			j->failed = true;
	}
	if (j->failed)
		return;
	if (*at > 0 &&
	    tf_str_cmp((struct tf_str){ j->out->p + *at, *len },
		(struct tf_str){ key, n }) >= 0) {
		j->failed = true;
		return;
	}
	tf_buf_str(j->out, *at > 0 ? ",\"" : "\"");
	*at = j->out->n;
	*len = n;
	tf_buf_add(j->out, key, n);
	tf_buf_str(j->out, "\":");
	j->first[j->depth] = false;
}

void
tf_json_int(struct tf_json *j, int64_t v)
{
	char text[24];
	int n;

	if (v > TF_JSON_MAX || v < -TF_JSON_MAX)
		j->failed = true;
	if (!begin_value(j, false))
		return;
	n = snprintf(text, sizeof(text), "%lld", (long long)v);
	tf_buf_add(j->out, text, (size_t)n);
}

void
tf_json_bool(struct tf_json *j, bool v)
{
	if (begin_value(j, false))
		tf_buf_str(j->out, v ? "true" : "false");
}

void
tf_json_null(struct tf_json *j)
{
	if (begin_value(j, false))
		tf_buf_str(j->out, "null");
}

/* The escape sequence of byte c, or NULL if it needs none. */
static const char *
escape(char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

void
tf_json_str(struct tf_json *j, const char *p, size_t n)
{
	size_t start = 0, i = 0;

	if (!p || n == 0)
		j->failed = true;
	if (!begin_value(j, false))
		return;
	tf_buf_add(j->out, "\"", 1);
	while (i < n) {
		const char *e = escape(p[i]);
		unsigned len = e ? 1 : tf_json_char(p + i, n - i);

		if (len == 0) {
			j->failed = true;
			return;
		}
		if (e) {
			tf_buf_add(j->out, p + start, i - start);
			tf_buf_add(j->out, e, 2);
			start = i + 1;
		}
		i += len;
	}
	tf_buf_add(j->out, p + start, n - start);
	tf_buf_add(j->out, "\"", 1);
}

void
tf_json_cstr(struct tf_json *j, const char *s)
{
	tf_json_str(j, s, s ? strlen(s) : 0);
}

void
tf_json_buf(struct tf_json *j, const struct tf_buf *b)
{
	j->out->failed = j->out->failed || b->failed;
	tf_json_str(j, b->p, b->n);
}

void
tf_json_any(struct tf_json *j, struct tf_str value)
{
	if (value.p == NULL || value.n == 0)
		j->failed = true;
	if (begin_value(j, false))
		tf_buf_add(j->out, value.p, value.n);
}

/* The value is scanned, so no text that is not canonical gets in unseen. */
void
tf_json_raw(struct tf_json *j, struct tf_str value)
{
	bool container = value.p != NULL && value.n > 0 &&
	    (*value.p == '{' || *value.p == '[');

	if (!tf_json_value_ok(value, TF_JSON_DEPTH - j->depth))
		j->failed = true;
	if (begin_value(j, container))
		tf_buf_add(j->out, value.p, value.n);
}
