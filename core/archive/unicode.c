/*
 * Composes characters and folds the case of letters.  The only user of
 * utf8proc.
 *
 * Two names are the same on some file system if they fold to the same text.  A
 * fingerprint is 63 bits of a SHA-256: a collision by chance only gives a name
 * a number that it did not need.
 */
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../buffer.h"
#include "unicode.h"

/*
 * Append name, mapped by utf8proc, to out.  Invalid UTF-8 is appended
 * unchanged.  False: no memory.
 */
static bool
map_name(struct tf_str name, utf8proc_option_t how, struct tf_buf *out)
{
	utf8proc_uint8_t *to = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)name.p,
	    (utf8proc_ssize_t)name.n, &to, how);

	if (n >= 0)
		tf_buf_add(out, to, (size_t)n);
	else if (n != UTF8PROC_ERROR_NOMEM)
		tf_buf_add(out, name.p, name.n);
	free(to);
	return n != UTF8PROC_ERROR_NOMEM && !out->failed;
}

static bool
is_ascii(struct tf_str name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((name.p[i] & 0x80) != 0)
			return false;
	return true;
}

bool
tf_is_composed(struct tf_str name, bool *failed)
{
	struct tf_buf b = { 0 };
	bool same;

	if (is_ascii(name))
		return true;
	*failed = !map_name(name, UTF8PROC_STABLE | UTF8PROC_COMPOSE, &b);
	same = !*failed && tf_str_same(tf_buf_bytes(&b), name);
	tf_buf_free(&b);
	return same;
}

/* --- names that differ in case only --------------------------------------- */

/*
 * Return the small letter of c for most capitals of Latin, Greek, Cyrillic and
 * Armenian.  Packages of format 1, which stay readable, use this rule.
 */
static uint32_t
fold_format1(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;
	if (c >= 0x531 && c <= 0x556)
		return c + 48;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c % 2 == 1 ? c + 1 : c;
	if (c == 0x178)
		return 0xff;
	if ((c >= 0x100 && c <= 0x177) || (c >= 0x460 && c <= 0x481) ||
	    (c >= 0x48a && c <= 0x4bf) || (c >= 0x1e00 && c <= 0x1eff))
		return c | 1;
	return c;
}

static void
add_folded_format1(struct tf_buf *out, const char *p, size_t n)
{
	uint32_t c;
	unsigned k;

	for (size_t i = 0; i < n; i += k) {
		if ((k = tf_utf8(p + i, n - i, &c)) == 0) {
			c = (uint8_t)p[i];
			k = 1;
		}
		c = fold_format1(c);
		tf_buf_add(out, &c, sizeof(c));
	}
}

uint64_t
tf_name_fingerprint(const char *p, size_t n, unsigned format)
{
	struct tf_buf b = { 0 };
	struct tf_hash h;
	uint64_t v = 0;
	bool ok = true;

	if (format == 1)
		add_folded_format1(&b, p, n);
	else
		ok = map_name((struct tf_str){ p, n },
		    UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD |
			UTF8PROC_IGNORE,
		    &b);
	if (ok && !b.failed) {
		tf_sha256(b.p, b.n, &h);
		memcpy(&v, h.b, sizeof(v));
		v |= 1;
	}
	tf_buf_free(&b);
	return v;
}
