/*
 * A package open for reading.  Its members are known from our own scan; libzip
 * only unpacks them, and is not believed about their number, names or sizes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "package.h"

#define CHUNK 65536
#define HEX 64

struct tf_archive {
	int fd;
	char *top;
	struct tf_archive_member *m; /* in order of their names */
	size_t n, cap;
	size_t names; /* bytes of all of them */
};

struct tf_archive_reader {
	const struct tf_archive *a;
	zip_t *z;
	struct tf_sha256 *sha;
	char part[CHUNK];
};

/* --- members ------------------------------------------------------------------ */

static enum tf_code
found(void *arg, const struct tf_zip_entry *e, struct tf_error *err)
{
	struct tf_archive *a = arg;
	size_t cap = a->cap == 0 ? 256 : a->cap * 2;
	const char *slash = strchr(e->name, '/');
	char *name;
	void *p;

	if (a->top == NULL &&
	    (a->top = strndup(e->name, (size_t)(slash - e->name))) == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	if (a->n == a->cap) {
		if ((p = realloc(a->m, cap * sizeof(*a->m))) == NULL)
			return tf_fail(err, TF_NOMEM, "no memory");
		a->m = p;
		a->cap = cap;
	}
	if ((name = strdup(slash + 1)) == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	a->names += strlen(name);
	a->m[a->n++] = (struct tf_archive_member){ .name = name,
		.size = e->size,
		.executable = e->executable };
	return TF_OK;
}

size_t
tf_archive_count(const struct tf_archive *a)
{
	return a->n;
}

void
tf_archive_member(const struct tf_archive *a, size_t i,
    struct tf_archive_member *out)
{
	*out = a->m[i];
}

const char *
tf_archive_top(const struct tf_archive *a)
{
	return a->top;
}

static int
by_name(const void *a, const void *b)
{
	const struct tf_archive_member *x = a, *y = b;

	return strcmp(x->name, y->name);
}

bool
tf_archive_find(const struct tf_archive *a, const char *name, size_t *i)
{
	struct tf_archive_member key = { .name = name };
	const struct tf_archive_member *m = bsearch(&key, a->m, a->n,
	    sizeof(*a->m), by_name);

	if (m != NULL)
		*i = (size_t)(m - a->m);
	return m != NULL;
}

/* --- bytes ---------------------------------------------------------------------- */

/* Of libzip: did the machine fail?  Anything else is the archive's fault.  Of
 * bytes that could not be read it also says that the file ended, which our scan
 * knows better. */
static bool
not_read(int code)
{
	return code == ZIP_ER_OPEN || code == ZIP_ER_READ ||
	    code == ZIP_ER_SEEK || code == ZIP_ER_TELL || code == ZIP_ER_EOF;
}

static enum tf_code
cannot_unpack(int code, struct tf_error *err)
{
	if (code == ZIP_ER_MEMORY)
		return tf_fail(err, TF_NOMEM, "no memory");
	return tf_fail(err, not_read(code) ? TF_IO : TF_TAMPER,
	    "cannot be unpacked (%d)", code);
}

enum tf_code
tf_archive_reader_new(const struct tf_archive *a,
    struct tf_archive_reader **out, struct tf_error *err)
{
	struct tf_archive_reader *r = calloc(1, sizeof(*r));
	char path[40];
	int fd, code = 0;

	if (r == NULL || (r->sha = tf_sha256_new()) == NULL) {
		free(r);
		return tf_fail(err, TF_NOMEM, "no memory");
	}
	r->a = a;
	/* The same file, with a place in it of our own. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", a->fd);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
		tf_archive_reader_free(r);
		return tf_fail(err, TF_IO, "%s: %s", path, strerror(errno));
	}
	if ((r->z = zip_fdopen(fd, ZIP_CHECKCONS, &code)) == NULL) {
		(void)close(fd);
		tf_archive_reader_free(r);
		return code == ZIP_ER_MEMORY || not_read(code) ?
		    cannot_unpack(code, err) :
		    tf_fail(err, TF_TAMPER,
			"the archive is malformed: libzip refuses it (%d)",
			code);
	}
	if (zip_get_num_entries(r->z, 0) != (zip_int64_t)a->n) {
		tf_archive_reader_free(r);
		return tf_fail(err, TF_TAMPER,
		    "the archive is malformed: its number of files");
	}
	*out = r;
	return TF_OK;
}

void
tf_archive_reader_free(struct tf_archive_reader *r)
{
	if (r == NULL)
		return;
	if (r->z != NULL)
		zip_discard(r->z);
	tf_sha256_free(r->sha);
	free(r);
}

static enum tf_code
unpack(struct tf_archive_reader *r, zip_file_t *f, uint64_t size,
    tf_archive_part fn, void *arg, struct tf_error *err)
{
	uint64_t done = 0;
	zip_int64_t n;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && (n = zip_fread(f, r->part, CHUNK)) != 0) {
		if (n < 0)
			return cannot_unpack(
			    zip_error_code_zip(zip_file_get_error(f)), err);
		if ((uint64_t)n > size - done)
			return tf_fail(err, TF_TAMPER,
			    "unpacks to more than "
			    "its size");
		done += (uint64_t)n;
		tf_sha256_add(r->sha, r->part, (size_t)n);
		if (fn != NULL)
			rc = fn(arg, r->part, (size_t)n, err);
	}
	if (rc == TF_OK && done != size)
		rc = tf_fail(err, TF_TAMPER, "unpacks to less than its size");
	return rc;
}

enum tf_code
tf_archive_read(struct tf_archive_reader *r, size_t i, tf_archive_part fn,
    void *arg, struct tf_hash *sha256, struct tf_error *err)
{
	const char *name = zip_get_name(r->z, i, ZIP_FL_ENC_RAW);
	size_t top = strlen(r->a->top) + 1;
	zip_file_t *f;
	enum tf_code rc;
	int code;

	if (name == NULL || strlen(name) < top ||
	    strcmp(name + top, r->a->m[i].name) != 0)
		return tf_fail(err, TF_TAMPER, "cannot be unpacked");
	if ((f = zip_fopen_index(r->z, i, 0)) == NULL)
		return cannot_unpack(zip_error_code_zip(zip_get_error(r->z)),
		    err);
	tf_sha256_reset(r->sha);
	rc = unpack(r, f, r->a->m[i].size, fn, arg, err);
	code = zip_fclose(f);
	if (code != 0 && rc == TF_OK)
		rc = cannot_unpack(code, err);
	tf_sha256_peek(r->sha, sha256);
	return rc;
}

static enum tf_code
add_part(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct tf_buf *b = arg;

	tf_buf_add(b, p, n);
	return b->failed ? tf_fail(err, TF_NOMEM, "no memory") : TF_OK;
}

/* Into memory, whatever its digest. */
static enum tf_code
load(struct tf_archive_reader *r, size_t i, size_t max, struct tf_buf *out,
    struct tf_hash *h, struct tf_error *err)
{
	if (r->a->m[i].size > max)
		return tf_fail(err, TF_TAMPER, "is longer than it can be");
	return tf_archive_read(r, i, add_part, out, h, err);
}

enum tf_code
tf_archive_load(struct tf_archive_reader *r, size_t i, size_t max,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_hash h;
	enum tf_code rc = load(r, i, max, out, &h, err);

	if (rc == TF_OK && memcmp(&h, &r->a->m[i].sha256, sizeof(h)) != 0)
		rc = tf_fail(err, TF_TAMPER,
		    "altered: its bytes are not those of the manifest");
	return rc;
}

/* --- manifests ------------------------------------------------------------------ */

/* Manifest and archive have one order, so one walk sees all that one lacks. */
static enum tf_code
match(struct tf_archive *a, const struct tf_buf *text, const char *self,
    bool payload, struct tf_error *err)
{
	const size_t data = strlen(TF_PACKAGE_DATA);
	const char *p = text->p, *end = text->p + text->n;
	struct tf_archive_member *m;
	size_t n;

	for (size_t i = 0; i < a->n; i++) {
		m = &a->m[i];
		n = strlen(m->name);
		if ((strncmp(m->name, TF_PACKAGE_DATA, data) == 0) != payload ||
		    strcmp(m->name, TF_PACKAGE_TAGMANIFEST) == 0)
			continue;
		if ((size_t)(end - p) < HEX + 2 + n + 1 ||
		    !tf_unhex(p, HEX, m->sha256.b, sizeof(m->sha256.b)) ||
		    memcmp(p + HEX, "  ", 2) != 0 ||
		    memcmp(p + HEX + 2, m->name, n) != 0 ||
		    p[HEX + 2 + n] != '\n')
			return tf_fail(err, TF_TAMPER,
			    "%s and the archive differ at %.80s", self,
			    m->name);
		p += HEX + 2 + n + 1;
	}
	return p == end ?
	    TF_OK :
	    tf_fail(err, TF_TAMPER, "%s lists a file that is not there", self);
}

static enum tf_code
take_manifest(struct tf_archive *a, struct tf_archive_reader *r,
    const char *name, bool payload, struct tf_error *err)
{
	size_t max = a->names + a->n * (HEX + 3), i;
	struct tf_buf b = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_hash h;
	enum tf_code rc;

	if (!tf_archive_find(a, name, &i))
		return tf_fail(err, TF_TAMPER, "it has no %s", name);
	tf_buf_str(&b, ""); /* also nothing is a text */
	/* Only this one is in no manifest. */
	rc = payload ? tf_archive_load(r, i, max, &b, &e) :
		       load(r, i, max, &b, &h, &e);
	if (rc != TF_OK)
		rc = tf_fail(err, rc, "%s %.100s", name, e.text);
	else
		rc = match(a, &b, name, payload, err);
	tf_buf_free(&b);
	return rc;
}

enum tf_code
tf_archive_open(const char *file, struct tf_archive **out, struct tf_error *err)
{
	struct tf_archive *a = calloc(1, sizeof(*a));
	struct tf_archive_reader *r = NULL;
	enum tf_code rc;

	if (a == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	a->fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (a->fd < 0)
		rc = tf_fail(err, errno == EACCES ? TF_ACCESS : TF_NOTFOUND,
		    "%.100s: %s", file, strerror(errno));
	else
		rc = tf_zip_scan(a->fd, found, a, err);
	if (rc == TF_OK)
		rc = tf_archive_reader_new(a, &r, err);
	if (rc == TF_OK)
		rc = take_manifest(a, r, TF_PACKAGE_TAGMANIFEST, false, err);
	if (rc == TF_OK)
		rc = take_manifest(a, r, TF_PACKAGE_MANIFEST, true, err);
	tf_archive_reader_free(r);
	if (rc == TF_OK)
		*out = a;
	else
		tf_archive_close(a);
	return rc;
}

void
tf_archive_close(struct tf_archive *a)
{
	if (a == NULL)
		return;
	if (a->fd >= 0)
		(void)close(a->fd);
	for (size_t i = 0; i < a->n; i++)
		free((char *)a->m[i].name);
	free(a->m);
	free(a->top);
	free(a);
}
