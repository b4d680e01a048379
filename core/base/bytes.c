/*
 * Growing buffers and the conversions of bytes.h.  The input may be hostile, so
 * sizes are checked before they are added.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../json.h"
#include "bytes.h"

void
tf_buf_free(struct tf_buf *b)
{
	if (!b)
		return;
	free(b->p);
	*b = (struct tf_buf){ 0 };
}

/* Make room for n more bytes and the NUL that always follows them. */
static bool
buf_room(struct tf_buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;
	char *p;

	if (b->failed)
		return false;
	if (n < b->cap && b->n < b->cap - n)
		return true;
	if (n >= SIZE_MAX / 2 - b->n) {
		b->failed = true;
		return false;
	}
	while (cap <= b->n + n)
		cap *= 2;
	if (!(p = realloc(b->p, cap))) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void
tf_buf_add(struct tf_buf *b, const void *p, size_t n)
{
	if (!buf_room(b, n))
		return;
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void
tf_buf_str(struct tf_buf *b, const char *s)
{
	tf_buf_add(b, s, strlen(s));
}

void
tf_buf_printf(struct tf_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!buf_room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

enum tf_code
tf_buf_end(const struct tf_buf *b, struct tf_error *err)
{
	return b->failed ? tf_nomem(err) : TF_OK;
}

struct tf_str
tf_buf_bytes(const struct tf_buf *b)
{
	return (struct tf_str){ b->p == NULL ? "" : b->p, b->n };
}

int
tf_str_cmp(struct tf_str a, struct tf_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return d != 0 ? d : (a.n > b.n) - (a.n < b.n);
}

bool
tf_str_same(struct tf_str a, struct tf_str b)
{
	return a.n == b.n && tf_str_cmp(a, b) == 0;
}

void
tf_hex(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
tf_unhex(const char *s, size_t len, void *out, size_t n)
{
	uint8_t *b = out;

	if (len % 2 != 0 || len / 2 != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_value(s[2 * i]);
		int lo = hex_value(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		b[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

void
tf_base64_text(const void *p, size_t n, char *out)
{
	static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *s = p;

	for (; n >= 3; n -= 3, s += 3) {
		*out++ = abc[s[0] >> 2];
		*out++ = abc[(s[0] & 3) << 4 | s[1] >> 4];
		*out++ = abc[(s[1] & 15) << 2 | s[2] >> 6];
		*out++ = abc[s[2] & 63];
	}
	if (n > 0) {
		unsigned second = n == 2 ? s[1] : 0;

		*out++ = abc[s[0] >> 2];
		*out++ = abc[(s[0] & 3) << 4 | second >> 4];
		*out++ = n == 2 ? abc[(second & 15) << 2] : '=';
		*out++ = '=';
	}
	*out = '\0';
}

void
tf_base64(struct tf_buf *b, const void *p, size_t n)
{
	if (n / 3 >= SIZE_MAX / 8) {
		b->failed = true;
		return;
	}
	if (!buf_room(b, (n + 2) / 3 * 4))
		return;
	tf_base64_text(p, n, b->p + b->n);
	b->n += (n + 2) / 3 * 4;
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Decode four characters to at most three bytes.  The result is the number of
 * bytes, or 0: not base64. */
static unsigned
base64_group(const char *s, bool last, uint8_t out[3])
{
	unsigned pad = last && s[3] == '=' ? (s[2] == '=' ? 2 : 1) : 0;
	uint32_t v = 0;

	for (unsigned i = 0; i < 4; i++) {
		int d = i < 4 - pad ? base64_value(s[i]) : 0;

		if (d < 0)
			return 0;
		v = v << 6 | (uint32_t)d;
	}
	/* If unused bits could be set, one value would have several texts. */
	if (pad > 0 && (v & (pad == 2 ? 0xffffu : 0xffu)) != 0)
		return 0;
	out[0] = (uint8_t)(v >> 16);
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)v;
	return 3 - pad;
}

/* Decode to out, unless that is NULL.  -1: not base64, or out is too small. */
static long
unbase64(const char *s, size_t len, uint8_t *out, size_t room)
{
	size_t n = 0;

	if (len % 4 != 0)
		return -1;
	for (size_t i = 0; i < len; i += 4) {
		uint8_t b[3];
		unsigned got = base64_group(s + i, i + 4 == len, b);

		if (got == 0 || got > room - n)
			return -1;
		if (out != NULL)
			memcpy(out + n, b, got);
		n += got;
	}
	return (long)n;
}

bool
tf_unbase64(const char *s, size_t len, struct tf_buf *out)
{
	size_t room = len / 4 * 3;
	long n;

	if (!buf_room(out, room))
		return false;
	n = unbase64(s, len, (uint8_t *)out->p + out->n, room);
	out->n += n < 0 ? 0 : (size_t)n;
	out->p[out->n] = '\0';
	return n >= 0;
}

bool
tf_unbase64_exact(const char *s, size_t len, void *out, size_t n)
{
	return len == (n + 2) / 3 * 4 && unbase64(s, len, out, n) == (long)n;
}

long
tf_base64_bytes(const char *s, size_t len)
{
	return unbase64(s, len, NULL, len);
}

void
tf_put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
tf_put_be32(uint8_t *p, uint32_t v)
{
	tf_put_be16(p, (uint16_t)(v >> 16));
	tf_put_be16(p + 2, (uint16_t)v);
}

void
tf_put_be64(uint8_t *p, uint64_t v)
{
	tf_put_be32(p, (uint32_t)(v >> 32));
	tf_put_be32(p + 4, (uint32_t)v);
}

uint16_t
tf_get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t
tf_get_be32(const uint8_t *p)
{
	return (uint32_t)tf_get_be16(p) << 16 | tf_get_be16(p + 2);
}

unsigned
tf_utf8(const char *p, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *s = (const uint8_t *)p;
	unsigned len;
	uint32_t c;

	if (n == 0)
		return 0;
	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	c = s[0] & (0x7fu >> len);
	for (unsigned i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return len;
}

bool
tf_decimal(const char *s, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (len == 0 || (s[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		uint64_t d = (uint64_t)(uint8_t)s[i] - '0';

		if (d > 9 || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

#define DAY 86400
#define TIME_MIN ((int64_t)-62135596800) /* 0001-01-01T00:00:00Z */
#define TIME_MAX ((int64_t)253402300799) /* 9999-12-31T23:59:59Z */
#define NS 1000000000u

/*
 * Convert a day of the Gregorian calendar to days since 1970-01-01, and back.
 * Years start in March here, so a leap day is the last day of its year.
 */
static int64_t
days_of(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;
	int64_t yday = (153 * m + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + yday - 719468;
}

static void
date_of(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468; /* since 0000-03-01, never negative */
	int64_t era = z / 146097;
	int64_t of_era = z % 146097;
	int64_t leap_days = of_era / 1460 - of_era / 36524 + of_era / 146096;
	int64_t y = (of_era - leap_days) / 365;
	int64_t yday = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * yday + 2) / 153;

	*day = (unsigned)(yday - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = (unsigned)(y + era * 400 + (*month <= 2));
}

static unsigned
days_in(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Write the last n decimal digits of v to out. */
static void
put_digits(char *out, unsigned n, uint32_t v)
{
	for (; n > 0; v /= 10)
		out[--n] = (char)('0' + v % 10);
}

void
tf_time_text(struct tf_time t, char out[TF_TIME_LEN + 1])
{
	unsigned year, month, day, left;
	int64_t days;

	t = tf_time_clamp(t);
	days = (t.s - TIME_MIN) / DAY + TIME_MIN / DAY;
	left = (unsigned)((t.s - TIME_MIN) % DAY);
	date_of(days, &year, &month, &day);
	memcpy(out, "0000-00-00T00:00:00.000000000Z", TF_TIME_LEN + 1);
	put_digits(out, 4, year);
	put_digits(out + 5, 2, month);
	put_digits(out + 8, 2, day);
	put_digits(out + 11, 2, left / 3600);
	put_digits(out + 14, 2, left / 60 % 60);
	put_digits(out + 17, 2, left % 60);
	put_digits(out + 20, 9, t.ns);
}

static unsigned
get_digits(const char *s, unsigned n)
{
	unsigned v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v * 10 + (unsigned)(s[i] - '0');
	return v;
}

bool
tf_time_parse(const char *s, size_t len, struct tf_time *out)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
	unsigned year, month, day, hour, minute, second;

	if (len != TF_TIME_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return false;
	}
	year = get_digits(s, 4);
	month = get_digits(s + 5, 2);
	day = get_digits(s + 8, 2);
	hour = get_digits(s + 11, 2);
	minute = get_digits(s + 14, 2);
	second = get_digits(s + 17, 2);
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > days_in(year, month) || hour > 23 || minute > 59 ||
	    second > 59)
		return false;
	out->s = days_of(year, month, day) * DAY + hour * 3600 + minute * 60 +
	    second;
	out->ns = get_digits(s + 20, 9);
	return true;
}

struct tf_time
tf_time_clamp(struct tf_time t)
{
	if (t.s < TIME_MIN)
		return (struct tf_time){ TIME_MIN, 0 };
	if (t.s > TIME_MAX)
		return (struct tf_time){ TIME_MAX, NS - 1 };
	if (t.ns >= NS)
		t.ns = NS - 1;
	return t;
}

struct tf_time
tf_time_add_ns(struct tf_time t, uint64_t ns)
{
	uint64_t sum = (uint64_t)t.ns + ns % NS;
	int64_t more = (int64_t)(ns / NS + sum / NS);

	if (t.s > INT64_MAX - more)
		return (struct tf_time){ INT64_MAX, NS - 1 };
	t.s += more;
	t.ns = (uint32_t)(sum % NS);
	return t;
}

bool
tf_hidden_char(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
	    c == 0x2029 || c == 0x061c || c == 0x200e || c == 0x200f ||
	    (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

struct tf_str
tf_str_of(const char *s)
{
	return (struct tf_str){ s, s == NULL ? 0 : strlen(s) };
}
