/* Members of JSON objects: see member.h. */
#include "member.h"

#include <stdio.h>

#include "bytes.h"
#include "time_text.h"

void
tf_put_uint(struct tf_json *j, const char *key, uint64_t v)
{
	tf_json_key(j, key);
	tf_json_int(j, v > (uint64_t)TF_JSON_MAX ? -1 : (int64_t)v);
	j->failed = j->failed || v > (uint64_t)TF_JSON_MAX;
}

void
tf_put_bool(struct tf_json *j, const char *key, bool v)
{
	tf_json_key(j, key);
	tf_json_bool(j, v);
}

void
tf_put_cstr(struct tf_json *j, const char *key, const char *s)
{
	tf_json_key(j, key);
	tf_json_cstr(j, s);
}

void
tf_put_str(struct tf_json *j, const char *key, struct tf_str s)
{
	tf_json_key(j, key);
	tf_json_str(j, s.p, s.n);
}

void
tf_put_raw(struct tf_json *j, const char *key, struct tf_str value)
{
	if (value.p == NULL)
		return;
	tf_json_key(j, key);
	tf_json_raw(j, value);
}

void
tf_put_hash(struct tf_json *j, const char *key, const struct tf_hash *h)
{
	char hex[2 * sizeof(h->b) + 1];

	tf_hex(h->b, sizeof(h->b), hex);
	tf_put_cstr(j, key, hex);
}

void
tf_put_any(struct tf_json *j, const char *key, struct tf_str value)
{
	if (value.p == NULL)
		return;
	tf_json_key(j, key);
	tf_json_any(j, value);
}

void
tf_put_seconds(struct tf_json *j, const char *key, struct tf_time t)
{
	char text[40];
	int n = t.s < 0 ? snprintf(text, sizeof(text), "0.") :
			  snprintf(text, sizeof(text), "%lld.%06u",
			      (long long)t.s, (unsigned)t.ns / 1000);

	/* The shortest form, as in RFC 8785. */
	while (text[n - 1] == '0')
		n--;
	n -= text[n - 1] == '.';
	tf_put_any(j, key, (struct tf_str){ text, (size_t)n });
}

void
tf_put_seconds_after(struct tf_json *j, const char *key, struct tf_time t)
{
	uint32_t us = (t.ns + 999) / 1000;

	us += us % 10 == 0;
	t.s += us / 1000000;
	t.ns = us % 1000000 * 1000;
	tf_put_seconds(j, key, t);
}

void
tf_put_time(struct tf_json *j, const char *key, struct tf_time t)
{
	char text[TF_TIME_LEN + 1];

	tf_time_text(t, text);
	tf_put_cstr(j, key, text);
}
