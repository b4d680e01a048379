/* Names in a package that every system can store. */
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../json.h"
#include "names.h"

#define LONGEST 230 /* bytes of a name, so that a suffix fits into 255 */
#define PROOF ".tlog-proof"

struct directory {
	struct directory *next; /* hash chain */
	char *path, *safe;
	size_t n;
};

struct tf_package_names {
	unsigned format;
	struct directory **dirs;
	size_t slots, n_dirs;
	uint64_t *taken; /* fingerprints; open addressing, 0 is free */
	size_t cells, n_taken;
};

/* --- one name -------------------------------------------------------------- */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
same_letters(const char *p, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(p[i]) != word[i])
			return false;
	return true;
}

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

/*
 * True if every character is composed.  Some programs (libarchive) and file
 * systems (HFS+) change other names.  False with *failed set: no memory.
 */
static bool
is_composed(struct tf_str name, bool *failed)
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

static void
make_safe(struct tf_buf *out, struct tf_str name, bool directory,
    unsigned format)
{
	size_t start = out->n, i = 0;
	bool failed = false;
	bool composed = format == 1 || is_composed(name, &failed);

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
	make_safe(out, name, directory, TF_PACKAGE_FORMAT);
}

/* --- names that differ in case only ---------------------------------------- */

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

/*
 * Return a fingerprint that is equal for names that some system treats as the
 * same name.  0: no memory.
 */
static uint64_t
fingerprint(const char *p, size_t n, unsigned format)
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

/* --- names in use -------------------------------------------------------- */

static bool
grow_taken(struct tf_package_names *t)
{
	size_t cells = t->cells == 0 ? 1024 : t->cells * 2, at;
	uint64_t *cell = calloc(cells, sizeof(*cell));

	if (cell == NULL)
		return false;
	for (size_t i = 0; i < t->cells; i++) {
		if (t->taken[i] == 0)
			continue;
		at = (size_t)(t->taken[i] >> 1) & (cells - 1);
		while (cell[at] != 0)
			at = (at + 1) & (cells - 1);
		cell[at] = t->taken[i];
	}
	free(t->taken);
	t->taken = cell;
	t->cells = cells;
	return true;
}

/* Reserve a name: 1 reserved, 0 already in use, -1 no memory. */
static int
take(struct tf_package_names *t, const char *p, size_t n)
{
	uint64_t key = fingerprint(p, n, t->format);
	size_t at;

	if (key == 0 || (t->n_taken + 1 > t->cells / 4 * 3 && !grow_taken(t)))
		return -1;
	at = (size_t)(key >> 1) & (t->cells - 1);
	while (t->taken[at] != 0) {
		if (t->taken[at] == key)
			return 0;
		at = (at + 1) & (t->cells - 1);
	}
	t->taken[at] = key;
	t->n_taken++;
	return 1;
}

/* Add "/" and the safe name to out, which holds the directory. */
static enum tf_code
add_name(struct tf_package_names *t, struct tf_str name, bool directory,
    struct tf_buf *out, struct tf_error *err)
{
	size_t start;
	int free_ = -1;

	if (out->n > 0)
		tf_buf_add(out, "/", 1);
	start = out->n;
	make_safe(out, name, directory, t->format);
	for (unsigned n = 2; !out->failed; n++) {
		if ((free_ = take(t, out->p, out->n)) != 0)
			break;
		out->n = start;
		tf_buf_printf(out, "%u~", n);
		make_safe(out, name, directory, t->format);
	}
	return free_ > 0 ? TF_OK : tf_nomem(err);
}

/* --- directories ------------------------------------------------------------ */

static struct directory **
slot_of(const struct tf_package_names *t, struct tf_str path)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < path.n; i++)
		h = (h ^ (uint8_t)path.p[i]) * 0x100000001b3u;
	return &t->dirs[(size_t)(h >> 16) & (t->slots - 1)];
}

static const struct directory *
find(const struct tf_package_names *t, struct tf_str path)
{
	struct directory *d = *slot_of(t, path);

	while (d != NULL &&
	    (d->n != path.n || memcmp(d->path, path.p, path.n) != 0))
		d = d->next;
	return d;
}

static void
rehash(struct tf_package_names *t)
{
	struct directory **old = t->dirs, *d, *next, **slot;
	size_t n = t->slots;

	if ((t->dirs = calloc(n * 2, sizeof(*old))) == NULL) {
		t->dirs = old; /* only slower: the chains get longer */
		return;
	}
	t->slots = n * 2;
	for (size_t i = 0; i < n; i++)
		for (d = old[i]; d != NULL; d = next) {
			next = d->next;
			slot = slot_of(t, (struct tf_str){ d->path, d->n });
			d->next = *slot;
			*slot = d;
		}
	free(old);
}

static bool
keep(struct tf_package_names *t, struct tf_str path, const struct tf_buf *safe)
{
	struct directory *d = calloc(1, sizeof(*d)), **slot;

	if (d == NULL || (d->path = strndup(path.p, path.n)) == NULL ||
	    (d->safe = strndup(safe->p, safe->n)) == NULL) {
		if (d != NULL)
			free(d->path);
		free(d);
		return false;
	}
	d->n = path.n;
	if (++t->n_dirs > t->slots)
		rehash(t);
	slot = slot_of(t, path);
	d->next = *slot;
	*slot = d;
	return true;
}

enum tf_code
tf_package_directory(struct tf_package_names *t, struct tf_str path,
    struct tf_buf *out, struct tf_error *err)
{
	const struct directory *d = find(t, path);
	struct tf_buf b = { 0 };
	struct tf_str name = path;
	const char *slash = memrchr(path.p, '/', path.n);
	enum tf_code rc = TF_OK;

	if (d != NULL) {
		tf_buf_str(out, d->safe);
		return TF_OK;
	}
	if (slash != NULL) {
		/* The depth is bounded: a path has at most 1,024 bytes. */
		rc = tf_package_directory(t,
		    (struct tf_str){ path.p, (size_t)(slash - path.p) }, &b,
		    err);
		name.p = slash + 1;
		name.n = path.n - (size_t)(name.p - path.p);
	}
	if (rc == TF_OK)
		rc = add_name(t, name, true, &b, err);
	if (rc == TF_OK && !keep(t, path, &b))
		rc = tf_nomem(err);
	if (rc == TF_OK)
		tf_buf_add(out, b.p, b.n);
	tf_buf_free(&b);
	return rc;
}

enum tf_code
tf_package_file(struct tf_package_names *t, struct tf_str path,
    struct tf_buf *out, struct tf_error *err)
{
	const char *slash = memrchr(path.p, '/', path.n);
	struct tf_str name = path;
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;

	if (slash != NULL) {
		rc = tf_package_directory(t,
		    (struct tf_str){ path.p, (size_t)(slash - path.p) }, &b,
		    err);
		name.p = slash + 1;
		name.n = path.n - (size_t)(name.p - path.p);
	}
	if (rc == TF_OK)
		rc = add_name(t, name, false, &b, err);
	/* Only files with another name in the package need an entry. */
	if (rc == TF_OK &&
	    (b.n != path.n || memcmp(b.p, path.p, path.n) != 0) &&
	    !keep(t, path, &b))
		rc = tf_nomem(err);
	if (rc == TF_OK)
		tf_buf_add(out, b.p, b.n);
	tf_buf_free(&b);
	return rc == TF_OK && out->failed ? tf_nomem(err) : rc;
}

void
tf_package_stored(const struct tf_package_names *t, struct tf_str path,
    struct tf_buf *out)
{
	const struct directory *d = find(t, path);

	if (d != NULL)
		tf_buf_str(out, d->safe);
	else
		tf_buf_add(out, path.p, path.n);
}

struct tf_package_names *
tf_package_names_new(unsigned format)
{
	struct tf_package_names *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->format = format;
	t->slots = 256;
	if ((t->dirs = calloc(t->slots, sizeof(struct directory *))) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
tf_package_names_free(struct tf_package_names *t)
{
	struct directory *d, *next;

	if (t == NULL)
		return;
	for (size_t i = 0; i < t->slots; i++)
		for (d = t->dirs[i]; d != NULL; d = next) {
			next = d->next;
			free(d->path);
			free(d->safe);
			free(d);
		}
	free(t->dirs);
	free(t->taken);
	free(t);
}
