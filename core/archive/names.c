/*
 * The names of the files of a package: no two are the same on any system.
 *
 * Evidence may have names that differ only in case, or that Windows forbids; on
 * such a system the second file would replace the first when the package is
 * unpacked.  Each name is therefore made safe, and a fingerprint without case
 * and composition says whether it is in use; if it is, the name gets a number
 * in front.  The result depends on the order of the calls, so writer and
 * verifier both call in the order of the entries.
 */
#include <stdlib.h>
#include <string.h>

#include "../buffer.h"
#include "names.h"
#include "safe_name.h"
#include "unicode.h"

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

/* --- names in use --------------------------------------------------------- */

/* Double the table and move the fingerprints.  Each has its lowest bit set, so
 * 0 can mean "free". */
static bool
double_cells(struct tf_package_names *t)
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
reserve(struct tf_package_names *t, const char *p, size_t n)
{
	uint64_t key = tf_name_fingerprint(p, n, t->format);
	size_t at;

	if (key == 0 || (t->n_taken + 1 > t->cells / 4 * 3 && !double_cells(t)))
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

/* Add "/" and the safe name to out, which holds the directory.  The loop ends:
 * each turn tries another number. */
static enum tf_code
add_name(struct tf_package_names *t, struct tf_str name, bool directory,
    struct tf_buf *out, struct tf_error *err)
{
	size_t start;
	int free_ = -1;

	if (out->n > 0)
		tf_buf_add(out, "/", 1);
	start = out->n;
	tf_safe_name(out, name, directory, t->format);
	for (unsigned n = 2; !out->failed; n++) {
		if ((free_ = reserve(t, out->p, out->n)) != 0)
			break;
		out->n = start;
		tf_buf_printf(out, "%u~", n);
		tf_safe_name(out, name, directory, t->format);
	}
	return free_ > 0 ? TF_OK : tf_nomem(err);
}

/* --- directories ---------------------------------------------------------- */

/* The chain of path, by FNV-1a. */
static struct directory **
slot_of(const struct tf_package_names *t, struct tf_str path)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < path.n; i++)
		h = (h ^ (uint8_t)path.p[i]) * 0x100000001b3u;
	return &t->dirs[(size_t)(h >> 16) & (t->slots - 1)];
}

/* Find a path that has a stored name of its own. */
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

/* Remember the safe name of path. */
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

/* Append the stored directory of path to b, and then a new name for path. */
static enum tf_code
add_path(struct tf_package_names *t, struct tf_str path, bool directory,
    struct tf_buf *b, struct tf_error *err)
{
	const char *slash = memrchr(path.p, '/', path.n);
	struct tf_str name = path;
	enum tf_code rc = TF_OK;

	if (slash != NULL) {
		/* The depth is bounded: a path has at most 1,024 bytes. */
		rc = tf_package_directory(t,
		    (struct tf_str){ path.p, (size_t)(slash - path.p) }, b,
		    err);
		name.p = slash + 1;
		name.n = path.n - (size_t)(name.p - path.p);
	}
	return rc == TF_OK ? add_name(t, name, directory, b, err) : rc;
}

enum tf_code
tf_package_directory(struct tf_package_names *t, struct tf_str path,
    struct tf_buf *out, struct tf_error *err)
{
	const struct directory *d = find(t, path);
	struct tf_buf b = { 0 };
	enum tf_code rc;

	if (d != NULL) {
		tf_buf_str(out, d->safe);
		return TF_OK;
	}
	rc = add_path(t, path, true, &b, err);
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
	struct tf_buf b = { 0 };
	enum tf_code rc = add_path(t, path, false, &b, err);

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
