/*
 * Reads the bytes of members.  The only user of zlib, which unpacks them.
 *
 * The size in the directory of the archive is a limit, not a hint: unpacking
 * stops at the first byte beyond it, so a small archive cannot fill memory or
 * disk.  Every read gives the digest of the bytes that it passed on; a caller
 * cannot get bytes without it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "../base/crypto.h"
#include "../base/file.h"
#include "../buffer.h"
#include "archive_i.h"
#include "members.h"
#include "reader.h"

#define CHUNK 65536

struct tf_archive_reader {
	const struct tf_archive *a;
	z_stream z;
	bool z_begun;
	struct tf_sha256 *sha;
	char part[CHUNK];
	char in[1 + CHUNK]; /* the byte before, and the next ones of a stream */
};

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

/* Count, hash and pass on a part, in this order: a part that is too long must
 * not reach the caller. */
static enum tf_code
pass_part(struct reading *g, size_t n, struct tf_error *err)
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
	size_t asked, got = 1;
	enum tf_code rc = TF_OK;

	for (; rc == TF_OK && n > 0 && got > 0; at += got, n -= got) {
		asked = n < CHUNK ? (size_t)n : CHUNK;
		rc = tf_file_pread(fd, g->r->part, asked, at, &got, err);
		if (rc == TF_OK && got > 0)
			rc = pass_part(g, got, err);
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
	r->z.next_in = NULL;
	return z == Z_OK ? TF_OK : tf_nomem(err);
}

/* Read the next bytes of the stream, which has *n bytes from offset *at on. */
static enum tf_code
fill(struct tf_archive_reader *r, uint64_t *at, uint64_t *n,
    struct tf_error *err)
{
	size_t got, asked = *n < CHUNK ? (size_t)*n : CHUNK;
	enum tf_code rc;

	r->in[0] = r->z.next_in == NULL ? '\0' : (char)r->z.next_in[-1];
	rc = tf_file_pread(r->a->fd, r->in + 1, asked, *at, &got, err);

	if (rc == TF_OK && got < asked)
		rc = tf_fail(err, TF_TAMPER, "is cut");
	*at += asked;
	*n -= asked;
	r->z.next_in = (Bytef *)r->in + 1;
	r->z.avail_in = (uInt)asked;
	return rc;
}

/* True if the last block has ended, and bits that its last byte does not need are
 * set: no writer sets them, and no reader looks at them. */
static bool
has_bits_behind(const z_stream *z)
{
	const int ended = 64 | 128, unused = z->data_type & 7;

	return (z->data_type & ended) == ended && unused > 0 &&
	    z->next_in[-1] >> (8 - unused) != 0;
}

/* Unpack; nothing may follow the stream, or other readers might read more. */
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
		z = inflate(&r->z, Z_BLOCK); /* stops where a block ends */
		if (z == Z_MEM_ERROR)
			return tf_nomem(err);
		if (z != Z_OK && z != Z_STREAM_END)
			return tf_fail(err, TF_TAMPER, "cannot be unpacked");
		if (r->a->form == TF_ARCHIVE_OURS && has_bits_behind(&r->z))
			return tf_fail(err, TF_TAMPER,
			    "has bits behind the end of what is packed");
		rc = pass_part(g, CHUNK - r->z.avail_out, err);
	}
	if (rc == TF_OK && (r->z.avail_in > 0 || n > 0))
		rc = tf_fail(err, TF_TAMPER,
		    "has bytes behind the end of what is packed");
	return rc;
}

/* The checksum is compared only for a complete member; one that is cut has a
 * better reason already. */
static enum tf_code
read_packed(struct reading *g, const struct tf_member *m, struct tf_error *err)
{
	enum tf_code rc = m->deflate ?
	    unpack(g, m->at, m->packed, err) :
	    copy(g, g->r->a->fd, m->at, m->packed, err);

	if (rc == TF_OK && g->done == g->size && g->crc != m->crc)
		rc = tf_fail(err, TF_TAMPER, "its checksum is wrong");
	return rc;
}

static enum tf_code
read_file(struct reading *g, const struct tf_member *m, struct tf_error *err)
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
	const struct tf_member *m = &r->a->m[i];
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

enum tf_code
tf_archive_load_any(struct tf_archive_reader *r, size_t i, size_t max,
    struct tf_buf *out, struct tf_hash *h, struct tf_error *err)
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
	enum tf_code rc = tf_archive_load_any(r, i, max, out, &h, err);

	if (rc == TF_OK && !r->a->m[i].m.listed)
		rc = tf_fail(err, TF_TAMPER, "no manifest lists it");
	else if (rc == TF_OK &&
	    memcmp(&h, &r->a->m[i].m.sha256, sizeof(h)) != 0)
		rc = tf_fail(err, TF_TAMPER,
		    "altered: its bytes are not those of the manifest");
	return rc;
}
