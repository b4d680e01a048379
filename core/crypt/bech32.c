/* Bech32: see bech32.h. */
#include "bech32.h"

#include <string.h>

#include "../base/cipher.h"

#define CHECKSUM_LEN 6

static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* Continue the checksum with one digit of five bits. */
static uint32_t
step(uint32_t sum, uint8_t digit)
{
	static const uint32_t generator[5] = { 0x3b6a57b2, 0x26508e6d,
		0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ digit;
	for (unsigned i = 0; i < 5; i++)
		if (top >> i & 1)
			sum ^= generator[i];
	return sum;
}

/* c in lower case, if it is a letter. */
static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* The checksum of a prefix, always over its lower case. */
static uint32_t
begin(const char *prefix, size_t n)
{
	uint32_t sum = 1;

	for (size_t i = 0; i < n; i++)
		sum = step(sum, (uint8_t)lower(prefix[i]) >> 5);
	sum = step(sum, 0);
	for (size_t i = 0; i < n; i++)
		sum = step(sum, (uint8_t)lower(prefix[i]) & 31);
	return sum;
}

/* Printable characters, and letters of one case only. */
static bool
one_case(struct tf_str s)
{
	bool upper = false, low = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 33 || s.p[i] > 126)
			return false;
		upper |= s.p[i] >= 'A' && s.p[i] <= 'Z';
		low |= s.p[i] >= 'a' && s.p[i] <= 'z';
	}
	return !(upper && low);
}

/* Collect the bits of n digits to bytes.  What is left over must be fewer than
 * five bits, all of them zero. */
static bool
decode_digits(const char *s, size_t n, uint32_t *sum, uint8_t *out, size_t max,
    size_t *got)
{
	uint32_t bits = 0;
	unsigned have = 0;

	*got = 0;
	for (size_t i = 0; i < n; i++) {
		const char *at = strchr(digits, lower(s[i]));

		if (at == NULL || s[i] == '\0')
			return false;
		*sum = step(*sum, (uint8_t)(at - digits));
		if (i + CHECKSUM_LEN >= n)
			continue;
		bits = (bits << 5 | (uint32_t)(at - digits)) & 0xfff;
		have += 5;
		if (have < 8)
			continue;
		if (*got == max)
			return false;
		have -= 8;
		out[(*got)++] = (uint8_t)(bits >> have);
	}
	return have < 5 && (bits & ((1u << have) - 1)) == 0;
}

bool
tf_bech32_decode(struct tf_str text, struct tf_str *prefix, uint8_t *out,
    size_t max, size_t *n)
{
	const char *one = memrchr(text.p, '1', text.n);
	uint32_t sum;

	if (one == NULL || one == text.p || !one_case(text))
		return false;
	*prefix = (struct tf_str){ text.p, (size_t)(one - text.p) };
	text.n -= prefix->n + 1;
	sum = begin(prefix->p, prefix->n);
	if (text.n < CHECKSUM_LEN ||
	    !decode_digits(one + 1, text.n, &sum, out, max, n) || sum != 1) {
		tf_wipe(out, max);
		return false;
	}
	return true;
}

size_t
tf_bech32_length(size_t prefix_n, size_t n)
{
	return prefix_n + 1 + (n * 8 + 4) / 5 + CHECKSUM_LEN;
}

void
tf_bech32_encode(const char *prefix, const uint8_t *p, size_t n, char *out)
{
	size_t len = strlen(prefix);
	uint32_t sum = begin(prefix, len), bits = 0;
	unsigned have = 0;
	uint8_t digit;

	memcpy(out, prefix, len);
	out += len;
	*out++ = '1';
	for (size_t i = 0; i < n || have > 0;) {
		if (have < 5 && i < n) {
			bits = (bits << 8 | p[i++]) & 0xfff;
			have += 8;
		} else if (have < 5) { /* the last digit, filled with zeros */
			bits <<= 5 - have;
			have = 5;
		}
		have -= 5;
		digit = (uint8_t)(bits >> have & 31);
		sum = step(sum, digit);
		*out++ = digits[digit];
	}
	for (unsigned i = 0; i < CHECKSUM_LEN; i++)
		sum = step(sum, 0);
	sum ^= 1;
	for (unsigned i = 0; i < CHECKSUM_LEN; i++)
		*out++ = digits[sum >> 5 * (CHECKSUM_LEN - 1 - i) & 31];
	*out = '\0';
}
