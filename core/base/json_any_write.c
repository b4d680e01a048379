/* Writes values that json_any.h has read: see json_any_write.h. */
#include "json_any_write.h"

#include <string.h>

void
tf_any_put_string(struct tf_buf *out, struct tf_str s)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	size_t start = 0;

	tf_buf_add(out, "\"", 1);
	for (size_t i = 0; i < s.n; i++) {
		const char *e = s.p[i] != '\0' ? strchr(from, s.p[i]) : NULL;

		if (e == NULL && (uint8_t)s.p[i] >= 0x20)
			continue;
		tf_buf_add(out, s.p + start, i - start);
		start = i + 1;
		if (e != NULL)
			tf_buf_printf(out, "\\%c", to[e - from]);
		else
			tf_buf_printf(out, "\\u%04x", (unsigned)s.p[i]);
	}
	tf_buf_add(out, s.p + start, s.n - start);
	tf_buf_add(out, "\"", 1);
}

void
tf_any_put_scalar(struct tf_buf *out, enum tf_any_type type, struct tf_str s)
{
	switch (type) {
	case TF_ANY_NULL:
		tf_buf_str(out, "null");
		break;
	case TF_ANY_FALSE:
		tf_buf_str(out, "false");
		break;
	case TF_ANY_TRUE:
		tf_buf_str(out, "true");
		break;
	case TF_ANY_NUMBER_TEXT:
		tf_buf_add(out, s.p, s.n);
		break;
	default:
		tf_any_put_string(out, s);
	}
}

static bool put_value(struct tf_buf *out, const struct tf_any_doc *d,
    uint32_t i, size_t end);

/*
 * Stops soon after `end`, so a long value costs no more than what is shown of
 * it.
 */
static bool
put_content(struct tf_buf *out, const struct tf_any_doc *d, uint32_t i,
    size_t end)
{
	bool object = d->v[i].type == TF_ANY_OBJECT;

	tf_buf_str(out, object ? "{" : "[");
	for (uint32_t k = i + 1; k < d->v[i].next; k = d->v[k].next) {
		if (k > i + 1)
			tf_buf_str(out, ",");
		if (object) {
			tf_any_put_string(out, tf_any_key(d, k));
			tf_buf_str(out, ":");
		}
		if (!put_value(out, d, k, end))
			return false;
	}
	tf_buf_str(out, object ? "}" : "]");
	return out->n <= end;
}

static bool
put_value(struct tf_buf *out, const struct tf_any_doc *d, uint32_t i,
    size_t end)
{
	struct tf_str s = tf_any_text(d, i);

	if (out->n > end || out->failed)
		return false;
	if (d->v[i].type == TF_ANY_ARRAY || d->v[i].type == TF_ANY_OBJECT)
		return put_content(out, d, i, end);
	/* Of a string that is too long write no more than shows that. */
	if (d->v[i].type == TF_ANY_STRING && s.n > end - out->n)
		s.n = end - out->n + 1;
	tf_any_put_scalar(out, d->v[i].type, s);
	return out->n <= end && !out->failed;
}

bool
tf_any_put(struct tf_buf *out, const struct tf_any_doc *d, uint32_t i,
    size_t max)
{
	return put_value(out, d, i, out->n + max);
}
