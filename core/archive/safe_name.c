/*
 * Makes one name safe: every system can store it.  trailfs-package(5) has the
 * rule.
 */
#include <string.h>

#include "../buffer.h"
#include "names.h"
#include "safe_name.h"
#include "unicode.h"

#define LONGEST 230 /* bytes of a name, so that a suffix fits into 255 */
#define PROOF ".tlog-proof"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Compare n letters with a word in small letters; only ASCII folds, as in the
 * names of devices. */
static bool
same_letters(const char *p, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(p[i]) != word[i])
			return false;
	return true;
}

/* A directory with this end could have the name of the proof of a file. */
static bool
ends_as_proof(const char *p, size_t n)
{
	size_t k = strlen(PROOF);

	return n >= k && same_letters(p + n - k, PROOF, k);
}

/* True for the device names of Windows, with any text after the first dot. */
static bool
is_device(const char *p, size_t n)
{
	static const char *const words[] = { "con", "prn", "aux", "nul",
		"conin$", "conout$" };
	const char *dot = memchr(p, '.', n);

	n = dot == NULL ? n : (size_t)(dot - p);
	while (n > 0 && p[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (n == strlen(words[i]) && same_letters(p, words[i], n))
			return true;
	if (n < 4 || (!same_letters(p, "com", 3) && !same_letters(p, "lpt", 3)))
		return false;
	if (n == 4)
		return p[3] >= '0' && p[3] <= '9';
	/* Windows treats the superscripts one, two and three as digits. */
	return n == 5 && p[3] == '\xc2' &&
	    (p[4] == '\xb9' || p[4] == '\xb2' || p[4] == '\xb3');
}

static bool
is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

static bool
is_forbidden(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f ||
	    strchr("<>:\"/\\|?*%", c) != NULL;
}

/* True if a byte at p would be read as an escape, or is not allowed. */
static bool
must_escape(const char *p, size_t n, bool composed)
{
	if (!composed && (*p & 0x80) != 0)
		return true;
	if (*p == '=')
		return n >= 3 && is_digit(p[1]) && is_digit(p[2]);
	return is_forbidden(*p);
}

bool
tf_package_is_safe(struct tf_str name)
{
	if (name.n == 0 || name.n > 255 || is_device(name.p, name.n) ||
	    name.p[name.n - 1] == '.' || name.p[name.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (is_forbidden(name.p[i]))
			return false;
	return true;
}

static void
escape(struct tf_buf *out, char c)
{
	tf_buf_printf(out, "=%02X", (unsigned)(unsigned char)c);
}

/* Replace the last byte of out with its escape. */
static void
escape_last(struct tf_buf *out)
{
	char c;

	if (out->failed)
		return;
	c = out->p[--out->n];
	escape(out, c);
}

/* Cut the bytes of out after start to LONGEST, between two characters. */
static void
cut(struct tf_buf *out, size_t start, unsigned format)
{
	if (out->n - start <= LONGEST)
		return;
	out->n = start + LONGEST;
	while ((out->p[out->n] & 0xc0) == 0x80)
		out->n--;
	/* Do not cut within an escape; format 1 did. */
	for (size_t k = 1; format > 1 && k <= 2; k++)
		if (out->p[out->n - k] == '=') {
			out->n -= k;
			break;
		}
}

void
tf_safe_name(struct tf_buf *out, struct tf_str name, bool directory,
    unsigned format)
{
	size_t start = out->n, i = 0;
	bool failed = false;
	bool composed = format == 1 || tf_is_composed(name, &failed);

	if (is_device(name.p, name.n))
		escape(out, name.p[i++]);
	for (; i < name.n; i++) {
		if (must_escape(name.p + i, name.n - i, composed))
			escape(out, name.p[i]);
		else
			tf_buf_add(out, name.p + i, 1);
	}
	out->failed = out->failed || failed;
	if (out->failed)
		return;
	cut(out, start, format);
	if (out->p[out->n - 1] == '.' || out->p[out->n - 1] == ' ' ||
	    (directory && ends_as_proof(out->p + start, out->n - start)))
		escape_last(out);
}

void
tf_package_safe(struct tf_buf *out, struct tf_str name, bool directory)
{
	tf_safe_name(out, name, directory, TF_PACKAGE_FORMAT);
}
