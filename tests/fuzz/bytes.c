/* Hex, base64, decimal, time, UTF-8: each value has one form, so the encoder
 * gives back the decoded text. */
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/base/time_text.h"
#include "../../core/json.h"
#include "fuzz.h"

static void
check_hex(const char *s, size_t n)
{
	uint8_t out[512];
	char back[2 * sizeof(out) + 1];

	if (n / 2 > sizeof(out) || !tf_unhex(s, n, out, n / 2))
		return;
	tf_hex(out, n / 2, back);
	MUST(strlen(back) == n && memcmp(back, s, n) == 0);
}

static void
check_base64(const char *s, size_t n)
{
	struct tf_buf out = { 0 }, back = { 0 };

	if (tf_unbase64(s, n, &out)) {
		tf_base64(&back, out.p, out.n);
		MUST(back.n == n && (n == 0 || memcmp(back.p, s, n) == 0));
	}
	out.n = back.n = 0;
	tf_base64(&out, s, n);
	MUST(tf_unbase64(out.p == NULL ? "" : out.p, out.n, &back));
	MUST(back.n == n && (n == 0 || memcmp(back.p, s, n) == 0));
	tf_buf_free(&out);
	tf_buf_free(&back);
}

static void
check_decimal(const char *s, size_t n)
{
	static const uint64_t max[] = { 0, 60, 999999, INT64_MAX, UINT64_MAX };
	char back[32];
	uint64_t v;

	for (size_t i = 0; i < sizeof(max) / sizeof(max[0]); i++) {
		if (!tf_decimal(s, n, max[i], &v))
			continue;
		MUST(v <= max[i]);
		MUST((size_t)snprintf(back, sizeof(back), "%llu",
			 (unsigned long long)v) == n);
		MUST(memcmp(back, s, n) == 0);
	}
}

static void
check_time(const char *s, size_t n)
{
	char back[TF_TIME_LEN + 1];
	struct tf_time t;

	if (tf_time_parse(s, n, &t)) {
		tf_time_text(t, back);
		MUST(n == TF_TIME_LEN && memcmp(back, s, n) == 0);
	}
	if (n < sizeof(t))
		return;
	memcpy(&t.s, s, sizeof(t.s));
	memcpy(&t.ns, s + sizeof(t.s), sizeof(t.ns));
	t.ns %= 1000000000;
	t = tf_time_clamp(t);
	tf_time_text(t, back);
	MUST(tf_time_parse(back, TF_TIME_LEN, &t));
}

static void
check_utf8(const char *s, size_t n)
{
	uint32_t c;
	unsigned len = tf_utf8(s, n, &c);

	MUST(len <= 4 && len <= n);
	if (len > 0)
		MUST(c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) &&
		    len ==
			(c < 0x80	    ? 1 :
				c < 0x800   ? 2 :
				c < 0x10000 ? 3 :
					      4));
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data;

	check_hex(s, n);
	check_base64(s, n);
	check_decimal(s, n);
	check_time(s, n);
	check_utf8(s, n);
	return 0;
}
