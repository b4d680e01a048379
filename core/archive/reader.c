/*
 * A package that is open for reading.  Its members come from zip_scan.c or are
 * files in a directory; zlib only unpacks their bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/walk.h"
#include "format.h"
#include "reader.h"
#include "zip_scan.h"

#define CHUNK 65536
#define HEX 64
#define DEPTH_MAX 600 /* directories; no package is deeper */
/* The directory where macOS puts its metadata of files. */
#define MACOS "__MACOSX/"

struct member {
	struct tf_archive_member m; /* first: by_name and bsearch */
	uint64_t at, packed;	    /* offset and bytes in the archive */
	uint32_t crc;
	bool deflate;
};

struct tf_archive {
	enum tf_archive_form form;
	struct tf_error why; /* why the form is not TF_ARCHIVE_OURS */
	int fd;		     /* of the archive or the directory */
	char *top;
	struct member *m; /* sorted by name */
	size_t n, cap;
	size_t names; /* bytes of all names */
};

struct tf_archive_reader {
	const struct tf_archive *a;
	z_stream z;
	bool z_begun;
	struct tf_sha256 *sha;
	char part[CHUNK], in[CHUNK];
};

/* --- members ------------------------------------------------------------------ */

static enum tf_code
add_member(struct tf_archive *a, const char *name, const struct member *m,
    struct tf_error *err)
{
	size_t cap = a->cap == 0 ? 256 : a->cap * 2;
	char *copy;
	void *p;

	if (a->n == a->cap) {
		if ((p = realloc(a->m, cap * sizeof(*a->m))) == NULL)
			return tf_nomem(err);
		a->m = p;
		a->cap = cap;
	}
	if ((copy = strdup(name)) == NULL)
		return tf_nomem(err);
	a->names += strlen(copy);
	a->m[a->n] = *m;
	a->m[a->n++].m.name = copy;
	return TF_OK;
}

/* Add a member of an archive, with its whole name. */
static enum tf_code
found(void *arg, const struct tf_zip_entry *e, struct tf_error *err)
{
	const struct member m = { .m = { .size = e->size,
				      .executable = e->executable,
				      .plain = true },
		.at = e->at,
		.packed = e->packed,
		.crc = e->crc,
		.deflate = e->deflate };

	return add_member(arg, e->name, &m, err);
}

/* Add a file in a directory. */
static enum tf_code
walked(void *arg, const char *path, enum tf_walk_kind kind, uint64_t size,
    struct tf_error *err)
{
	const struct member m = { .m = { .size = kind == TF_WALK_FILE ? size :
									0,
				      .plain = kind == TF_WALK_FILE } };

	return add_member(arg, path, &m, err);
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
	*out = a->m[i].m;
}

const char *
tf_archive_top(const struct tf_archive *a)
{
	return a->top;
}

enum tf_archive_form
tf_archive_form(const struct tf_archive *a, const char **why)
{
	*why = a->why.text;
	return a->form;
}

static int
by_name(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return strcmp(x->m.name, y->m.name);
}

static bool
find(const struct tf_archive *a, const char *name, size_t n, size_t *i)
{
	struct member key = { .m = { .name = name } };
	const struct member *m = n == 0 ?
	    NULL :
	    bsearch(&key, a->m, n, sizeof(*a->m), by_name);

	if (m != NULL)
		*i = (size_t)(m - a->m);
	return m != NULL;
}

bool
tf_archive_find(const struct tf_archive *a, const char *name, size_t *i)
{
	return find(a, name, a->n, i) && a->m[*i].m.plain &&
	    !a->m[*i].m.missing;
}

/* --- the topmost directory ------------------------------------------------------ */

/* Remove the topmost directory from all names; their order stays the same. */
static enum tf_code
cut_top(struct tf_archive *a, struct tf_error *err)
{
	size_t n = strlen(a->top);
	char *name;

	for (size_t i = 0; i < a->n; i++) {
		name = (char *)a->m[i].m.name;
		if (a->form != TF_ARCHIVE_OURS &&
		    strncmp(name, MACOS, strlen(MACOS)) == 0)
			continue;
		if (strncmp(name, a->top, n) != 0 || name[n] != '/')
			return tf_fail(err, TF_TAMPER,
			    "the archive is malformed: more than one topmost "
			    "directory");
		memmove(name, name + n + 1, strlen(name + n + 1) + 1);
	}
	return TF_OK;
}

/* Find the topmost directory; an archive packed again may have none. */
static enum tf_code
find_top(struct tf_archive *a, struct tf_error *err)
{
	const char *name = NULL, *slash;
	size_t i;

	for (i = 0; i < a->n && name == NULL; i++)
		if (strncmp(a->m[i].m.name, MACOS, strlen(MACOS)) != 0)
			name = a->m[i].m.name;
	qsort(a->m, a->n, sizeof(*a->m), by_name);
	slash = name == NULL ? NULL : strchr(name, '/');
	if (slash == NULL || find(a, TF_PACKAGE_BAGIT, a->n, &i))
		a->top = strdup("");
	else
		a->top = strndup(name, (size_t)(slash - name));
	if (a->top == NULL)
		return tf_nomem(err);
	return *a->top == '\0' ? TF_OK : cut_top(a, err);
}

static enum tf_code
no_name_twice(struct tf_archive *a, struct tf_error *err)
{
	qsort(a->m, a->n, sizeof(*a->m), by_name);
	for (size_t i = 1; i < a->n; i++)
		if (strcmp(a->m[i - 1].m.name, a->m[i].m.name) == 0)
			return tf_fail(err, TF_TAMPER,
			    "the archive is malformed: a name twice: %.80s",
			    a->m[i].m.name);
	return TF_OK;
}

/* --- bytes ---------------------------------------------------------------------- */

static void *
z_alloc(void *arg, unsigned n, unsigned size)
{
	(void)arg;
	return calloc(n, size);
}

static void
z_free(void *arg, void *p)
{
	(void)arg;
	free(p);
}

enum tf_code
tf_archive_reader_new(const struct tf_archive *a,
    struct tf_archive_reader **out, struct tf_error *err)
{
	struct tf_archive_reader *r = calloc(1, sizeof(*r));

	if (r == NULL || (r->sha = tf_sha256_new()) == NULL) {
		free(r);
		return tf_nomem(err);
	}
	r->a = a;
	r->z.zalloc = z_alloc;
	r->z.zfree = z_free;
	*out = r;
	return TF_OK;
}

void
tf_archive_reader_free(struct tf_archive_reader *r)
{
	if (r == NULL)
		return;
	if (r->z_begun)
		(void)inflateEnd(&r->z);
	tf_sha256_free(r->sha);
	free(r);
}

/* The state of one read, and the callback that gets the bytes. */
struct reading {
	struct tf_archive_reader *r;
	uint64_t done, size;
	uLong crc;
	tf_archive_part fn;
	void *arg;
};

static enum tf_code
take(struct reading *g, size_t n, struct tf_error *err)
{
	struct tf_archive_reader *r = g->r;

	if (n > g->size - g->done)
		return tf_fail(err, TF_TAMPER, "unpacks to more than its size");
	g->done += n;
	g->crc = crc32(g->crc, (const Bytef *)r->part, (uInt)n);
	tf_sha256_add(r->sha, r->part, n);
	return g->fn == NULL ? TF_OK : g->fn(g->arg, r->part, n, err);
}

/*
 * Read up to n bytes of fd from offset at.  For a file in a directory, n is its
 * size + 1, so that a file that grew fails.
 */
static enum tf_code
copy(struct reading *g, int fd, uint64_t at, uint64_t n, struct tf_error *err)
{
	size_t want, got = 1;
	enum tf_code rc = TF_OK;

	for (; rc == TF_OK && n > 0 && got > 0; at += got, n -= got) {
		want = n < CHUNK ? (size_t)n : CHUNK;
		rc = tf_file_pread(fd, g->r->part, want, at, &got, err);
		if (rc == TF_OK && got > 0)
			rc = take(g, got, err);
	}
	return rc;
}

static enum tf_code
begin_inflate(struct tf_archive_reader *r, struct tf_error *err)
{
	int z = r->z_begun ? inflateReset(&r->z) :
			     inflateInit2(&r->z, -MAX_WBITS);

	r->z_begun = r->z_begun || z == Z_OK;
	r->z.avail_in = 0;
	return z == Z_OK ? TF_OK : tf_nomem(err);
}

/* Read the next bytes of the stream, which has *n bytes from offset *at on. */
static enum tf_code
fill(struct tf_archive_reader *r, uint64_t *at, uint64_t *n,
    struct tf_error *err)
{
	size_t got, want = *n < CHUNK ? (size_t)*n : CHUNK;
	enum tf_code rc = tf_file_pread(r->a->fd, r->in, want, *at, &got, err);

	if (rc == TF_OK && got < want)
		rc = tf_fail(err, TF_TAMPER, "is cut");
	*at += want;
	*n -= want;
	r->z.next_in = (Bytef *)r->in;
	r->z.avail_in = (uInt)want;
	return rc;
}

/* Unpack; no byte may follow the stream, or other readers might read more. */
static enum tf_code
unpack(struct reading *g, uint64_t at, uint64_t n, struct tf_error *err)
{
	struct tf_archive_reader *r = g->r;
	enum tf_code rc = begin_inflate(r, err);
	int z = Z_OK;

	while (rc == TF_OK && z != Z_STREAM_END) {
		if (r->z.avail_in == 0 && n > 0 &&
		    (rc = fill(r, &at, &n, err)) != TF_OK)
			break;
		r->z.next_out = (Bytef *)r->part;
		r->z.avail_out = CHUNK;
		z = inflate(&r->z, Z_NO_FLUSH);
		if (z == Z_MEM_ERROR)
			return tf_nomem(err);
		if (z != Z_OK && z != Z_STREAM_END)
			return tf_fail(err, TF_TAMPER, "cannot be unpacked");
		rc = take(g, CHUNK - r->z.avail_out, err);
	}
	if (rc == TF_OK && (r->z.avail_in > 0 || n > 0))
		rc = tf_fail(err, TF_TAMPER,
		    "has bytes behind the end of what is packed");
	return rc;
}

static enum tf_code
read_packed(struct reading *g, const struct member *m, struct tf_error *err)
{
	enum tf_code rc = m->deflate ?
	    unpack(g, m->at, m->packed, err) :
	    copy(g, g->r->a->fd, m->at, m->packed, err);

	if (rc == TF_OK && g->done == g->size && g->crc != m->crc)
		rc = tf_fail(err, TF_TAMPER, "its checksum is wrong");
	return rc;
}

static enum tf_code
read_file(struct reading *g, const struct member *m, struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	rc = tf_file_open_beneath(g->r->a->fd, m->m.name, &fd, err);
	if (rc == TF_NOTFOUND) /* removed since the package was opened */
		return tf_fail(err, TF_TAMPER, "cannot be opened any more");
	if (rc != TF_OK)
		return rc;
	rc = copy(g, fd, 0, g->size + 1, err);
	(void)close(fd);
	return rc;
}

enum tf_code
tf_archive_read(struct tf_archive_reader *r, size_t i, tf_archive_part fn,
    void *arg, struct tf_hash *sha256, struct tf_error *err)
{
	const struct member *m = &r->a->m[i];
	struct reading g = { .r = r,
		.size = m->m.size,
		.crc = crc32(0, NULL, 0),
		.fn = fn,
		.arg = arg };
	enum tf_code rc;

	tf_sha256_reset(r->sha);
	if (!m->m.plain || m->m.missing)
		rc = tf_fail(err, TF_TAMPER, "is not a plain file");
	else if (r->a->form == TF_ARCHIVE_FILES)
		rc = read_file(&g, m, err);
	else
		rc = read_packed(&g, m, err);
	if (rc == TF_OK && g.done != g.size)
		rc = tf_fail(err, TF_TAMPER, "unpacks to less than its size");
	tf_sha256_peek(r->sha, sha256);
	return rc;
}

static enum tf_code
add_part(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct tf_buf *b = arg;

	tf_buf_add(b, p, n);
	return tf_buf_end(b, err);
}

/* Load a member into memory without a check of its digest. */
static enum tf_code
load(struct tf_archive_reader *r, size_t i, size_t max, struct tf_buf *out,
    struct tf_hash *h, struct tf_error *err)
{
	if (r->a->m[i].m.size > max)
		return tf_fail(err, TF_TAMPER, "is longer than it can be");
	return tf_archive_read(r, i, add_part, out, h, err);
}

enum tf_code
tf_archive_load(struct tf_archive_reader *r, size_t i, size_t max,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_hash h;
	enum tf_code rc = load(r, i, max, out, &h, err);

	if (rc == TF_OK && !r->a->m[i].m.listed)
		rc = tf_fail(err, TF_TAMPER, "no manifest lists it");
	else if (rc == TF_OK &&
	    memcmp(&h, &r->a->m[i].m.sha256, sizeof(h)) != 0)
		rc = tf_fail(err, TF_TAMPER,
		    "altered: its bytes are not those of the manifest");
	return rc;
}

/* --- manifests ------------------------------------------------------------------ */

static bool
is_payload(const char *name)
{
	return strncmp(name, TF_PACKAGE_DATA, strlen(TF_PACKAGE_DATA)) == 0;
}

/* Compare a manifest with the archive; both have the same order. */
static enum tf_code
match(struct tf_archive *a, const struct tf_buf *text, const char *self,
    bool payload, struct tf_error *err)
{
	const char *p = text->p, *end = text->p + text->n;
	struct tf_archive_member *m;
	size_t n;

	for (size_t i = 0; i < a->n; i++) {
		m = &a->m[i].m;
		n = strlen(m->name);
		if (is_payload(m->name) != payload ||
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
		m->listed = true;
		p += HEX + 2 + n + 1;
	}
	return p == end ?
	    TF_OK :
	    tf_fail(err, TF_TAMPER, "%s lists a file that is not there", self);
}

/*
 * The same for the other forms.  A member without a line stays not listed.  A
 * line without a member adds a missing member after the first n.
 */
static enum tf_code
match_any(struct tf_archive *a, const struct tf_buf *text, const char *self,
    bool payload, size_t n, struct tf_error *err)
{
	const char *p = text->p, *stop = text->p + text->n, *end;
	struct member lost = { .m = { .missing = true, .listed = true } };
	struct tf_hash h;
	char *name;
	size_t i;
	enum tf_code rc = TF_OK;

	for (; rc == TF_OK && p < stop; p = end + 1) {
		end = memchr(p, '\n', (size_t)(stop - p));
		if (end == NULL || end - p <= HEX + 2 ||
		    !tf_unhex(p, HEX, h.b, sizeof(h.b)) ||
		    memcmp(p + HEX, "  ", 2) != 0 ||
		    memchr(p, '\0', (size_t)(end - p)) != NULL)
			return tf_fail(err, TF_TAMPER, "%s is malformed", self);
		name = strndup(p + HEX + 2, (size_t)(end - p) - HEX - 2);
		if (name == NULL)
			return tf_nomem(err);
		if (is_payload(name) != payload ||
		    (find(a, name, n, &i) && a->m[i].m.listed)) {
			rc = tf_fail(err, TF_TAMPER,
			    "%s lists what it should not: %.80s", self, name);
		} else if (find(a, name, n, &i)) {
			a->m[i].m.listed = true;
			a->m[i].m.sha256 = h;
		} else {
			rc = add_member(a, name, &lost, err);
		}
		free(name);
	}
	return rc;
}

static enum tf_code
take_manifest(struct tf_archive *a, struct tf_archive_reader *r,
    const char *name, bool payload, size_t n, struct tf_error *err)
{
	size_t max = (a->names + a->n * (HEX + 3)) * 2 + CHUNK, i;
	struct tf_buf b = { 0 };
	struct tf_error e = { .code = TF_OK };
	struct tf_hash h;
	enum tf_code rc;

	if (!find(a, name, n, &i) || !a->m[i].m.plain)
		return tf_fail(err, TF_TAMPER, "it has no %s", name);
	tf_buf_str(&b, ""); /* b.p is not NULL even for an empty file */
	/* No manifest lists the tagmanifest, so it has no digest to check. */
	rc = payload ? tf_archive_load(r, i, max, &b, &e) :
		       load(r, i, max, &b, &h, &e);
	if (rc != TF_OK)
		rc = tf_fail(err, rc, "%s %.100s", name, e.text);
	else if (a->form == TF_ARCHIVE_OURS)
		rc = match(a, &b, name, payload, err);
	else
		rc = match_any(a, &b, name, payload, n, err);
	if (!payload)
		a->m[i].m.listed = true;
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
take_manifests(struct tf_archive *a, struct tf_error *err)
{
	struct tf_archive_reader *r = NULL;
	const size_t n = a->n; /* present members; missing ones follow */
	enum tf_code rc = tf_archive_reader_new(a, &r, err);

	if (rc == TF_OK)
		rc = take_manifest(a, r, TF_PACKAGE_TAGMANIFEST, false, n, err);
	if (rc == TF_OK)
		rc = take_manifest(a, r, TF_PACKAGE_MANIFEST, true, n, err);
	tf_archive_reader_free(r);
	if (rc == TF_OK && a->form != TF_ARCHIVE_OURS)
		rc = no_name_twice(a, err);
	return rc;
}

/* --- opening ----------------------------------------------------------------------- */

static void
forget_members(struct tf_archive *a)
{
	for (size_t i = 0; i < a->n; i++)
		free((char *)a->m[i].m.name);
	free(a->top);
	a->top = NULL;
	a->n = a->names = 0;
}

static enum tf_code
scan(struct tf_archive *a, struct tf_error *err)
{
	enum tf_code rc = tf_zip_scan(a->fd,
	    a->form == TF_ARCHIVE_OURS ? TF_ZIP_STRICT : TF_ZIP_ANY, found, a,
	    err);

	if (rc == TF_OK)
		rc = find_top(a, err);
	return rc == TF_OK ? no_name_twice(a, err) : rc;
}

static enum tf_code
list_files(struct tf_archive *a, struct tf_error *err)
{
	enum tf_code rc;

	a->form = TF_ARCHIVE_FILES;
	if ((a->top = strdup("")) == NULL)
		return tf_nomem(err);
	rc = tf_walk(a->fd, DEPTH_MAX, walked, a, err);
	return rc == TF_OK ? no_name_twice(a, err) : rc;
}

static enum tf_code
list(struct tf_archive *a, bool any, struct tf_error *err)
{
	struct stat st;
	enum tf_code rc;

	if (any && fstat(a->fd, &st) == 0 && S_ISDIR(st.st_mode))
		return list_files(a, err);
	rc = scan(a, any ? &a->why : err);
	if (rc == TF_OK || !any)
		return rc;
	if (rc != TF_TAMPER)
		return tf_fail_as(err, &a->why);
	/* Try the other profile; if it fails too, report the first reason. */
	forget_members(a);
	a->form = TF_ARCHIVE_REPACKED;
	rc = scan(a, err);
	return rc == TF_TAMPER ? tf_fail_as(err, &a->why) : rc;
}

static enum tf_code
open_archive(const char *file, bool any, struct tf_archive **out,
    struct tf_error *err)
{
	struct tf_archive *a = calloc(1, sizeof(*a));
	enum tf_code rc;

	if (a == NULL)
		return tf_nomem(err);
	a->fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (a->fd < 0)
		rc = tf_fail(err, tf_code_of_open(errno), "%.100s: %s", file,
		    strerror(errno));
	else
		rc = list(a, any, err);
	if (rc == TF_OK)
		rc = take_manifests(a, err);
	if (rc == TF_OK)
		*out = a;
	else
		tf_archive_close(a);
	return rc;
}

enum tf_code
tf_archive_open(const char *file, struct tf_archive **out, struct tf_error *err)
{
	return open_archive(file, false, out, err);
}

enum tf_code
tf_archive_open_any(const char *path, struct tf_archive **out,
    struct tf_error *err)
{
	return open_archive(path, true, out, err);
}

void
tf_archive_close(struct tf_archive *a)
{
	if (a == NULL)
		return;
	if (a->fd >= 0)
		(void)close(a->fd);
	forget_members(a);
	free(a->m);
	free(a);
}
