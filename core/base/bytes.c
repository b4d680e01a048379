/*
 * The conversions of bytes.h.  The input may be hostile, so sizes are checked
 * before they are added.
 */
#include "bytes.h"

#include <string.h>

#include "../buffer.h"

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

/* Lower case only: a digest has one spelling. */
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
	if (!tf_buf_room(b, (n + 2) / 3 * 4))
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

	if (!tf_buf_room(out, room))
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

/*
 * Refuses what RFC 3629 forbids: overlong forms, surrogates, and code points
 * above 10FFFF.  With them one name would have several spellings.
 */
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

/*
 * One text for each number: no sign, no leading zeros.  Checked for overflow
 * before each step.
 */
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

bool
tf_decimal_bytes(const char *s, size_t len, uint64_t max, uint64_t *out)
{
	static const char suffixes[] = { 'K', 'M', 'G', 'T' };
	const char *suffix = len == 0 ?
	    NULL :
	    memchr(suffixes, s[len - 1], sizeof(suffixes));
	unsigned shift = suffix == NULL ?
	    0 :
	    10 * (unsigned)(suffix - suffixes + 1);

	/* The lower maximum keeps the shift below from overflowing. */
	if (!tf_decimal(s, len - (suffix != NULL), max >> shift, out))
		return false;
	*out <<= shift;
	return true;
}

/*
 * Controls, line separators, and the characters that change the direction of
 * text: with those a name could show as another one.
 */
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
