/* The field `chunks` of evidence.grown: see chunks.h. */
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/member.h"
#include "chunks.h"

#define KIB64 ((uint64_t)64 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

uint64_t
tf_chunk_bytes(uint64_t off)
{
	if (off < GIB)
		return KIB64;
	return off < 64 * GIB ? MIB : 16 * MIB;
}

uint64_t
tf_chunks_whole(uint64_t size)
{
	return size - size % tf_chunk_bytes(size);
}

uint64_t
tf_chunks_entry_end(uint64_t from, uint64_t to)
{
	const uint64_t bytes = tf_chunk_bytes(from);
	uint64_t end = from + TF_CHUNKS_MAX * bytes;

	/* The chunks of one entry have one size. */
	if (from < GIB && end > GIB)
		end = GIB;
	else if (from < 64 * GIB && end > 64 * GIB)
		end = 64 * GIB;
	return to < end ? to : end;
}

uint64_t
tf_chunks_entries(uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	for (; from < to; n++)
		from = tf_chunks_entry_end(from, to);
	return n;
}

void
tf_chunk_list_free(struct tf_chunk_list *l)
{
	free(l->digest);
	*l = (struct tf_chunk_list){ 0 };
}

enum tf_code
tf_chunker_begin(struct tf_chunker *c, struct tf_chunk_list *list,
    uint64_t from, struct tf_error *err)
{
	list->from = list->to = from;
	list->n = 0;
	*c = (struct tf_chunker){ .list = list,
		.sha = tf_sha256_new(),
		.at = from,
		.end = from + tf_chunk_bytes(from) };
	return c->sha == NULL ? tf_nomem(err) : TF_OK;
}

/* The bytes since the last digest are a chunk. */
static enum tf_code
add_digest(struct tf_chunker *c, struct tf_error *err)
{
	struct tf_chunk_list *l = c->list;

	if (!tf_array_room(&l->digest, l->n, &l->cap, sizeof(*l->digest)))
		return tf_nomem(err);
	tf_sha256_peek(c->sha, &l->digest[l->n++]);
	tf_sha256_reset(c->sha);
	l->to = c->at;
	c->end = c->at + tf_chunk_bytes(c->at);
	return TF_OK;
}

enum tf_code
tf_chunker_add(struct tf_chunker *c, const void *p, size_t n,
    struct tf_error *err)
{
	const char *from = p;
	enum tf_code rc = TF_OK;
	size_t part;

	while (rc == TF_OK && n > 0) {
		part = c->end - c->at < n ? (size_t)(c->end - c->at) : n;
		tf_sha256_add(c->sha, from, part);
		c->at += part;
		from += part;
		n -= part;
		if (c->at == c->end)
			rc = add_digest(c, err);
	}
	return rc;
}

enum tf_code
tf_chunker_end(struct tf_chunker *c, struct tf_error *err)
{
	return c->at > c->list->to ? add_digest(c, err) : TF_OK;
}

void
tf_chunker_free(struct tf_chunker *c)
{
	tf_sha256_free(c->sha);
	c->sha = NULL;
}

size_t
tf_chunks_count(const struct tf_chunks *c)
{
	return (size_t)((c->to - c->from + c->bytes - 1) / c->bytes);
}

void
tf_chunks_digest(const struct tf_chunks *c, size_t i, struct tf_hash *out)
{
	(void)tf_unhex(c->digests.p + 64 * i, 64, out->b, sizeof(out->b));
}

enum tf_code
tf_chunks_write(const struct tf_chunks *c, const struct tf_hash *digests,
    struct tf_buf *out, struct tf_error *err)
{
	const size_t n = tf_chunks_count(c);
	struct tf_buf hex = { 0 };
	struct tf_json j;
	char one[65];
	enum tf_code rc;

	for (size_t i = 0; i < n; i++) {
		tf_hex(digests[i].b, 32, one);
		tf_buf_add(&hex, one, 64);
	}
	tf_json_begin(&j, out);
	tf_json_object(&j);
	if (c->has_before)
		tf_put_uint(&j, "before", c->before);
	tf_put_uint(&j, "bytes", c->bytes);
	tf_put_uint(&j, "from", c->from);
	tf_json_key(&j, "sha256");
	tf_json_buf(&j, &hex);
	tf_put_uint(&j, "to", c->to);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_free(&hex);
	return rc;
}

/* The member as a number; false: it is not there. */
static bool
number(const struct tf_json_doc *d, const char *key, uint64_t *out)
{
	const int t = tf_json_get(d, 0, key);

	if (t < 0 || d->tok[t].type != TF_JSON_INT || d->tok[t].num < 0)
		return false;
	*out = (uint64_t)d->tok[t].num;
	return true;
}

/* Later versions may have chunks of other sizes. */
static bool
fits(const struct tf_chunks *c)
{
	return c->bytes >= KIB64 && c->bytes % KIB64 == 0 &&
	    c->from % c->bytes == 0 && c->to > c->from &&
	    c->digests.n % 64 == 0 && tf_chunks_count(c) == c->digests.n / 64 &&
	    c->has_before == (c->from > 0);
}

bool
tf_chunks_read(struct tf_str raw, struct tf_chunks *out)
{
	struct tf_json_doc d = { 0 };
	struct tf_str s;
	bool ok = false;
	int t;

	memset(out, 0, sizeof(*out));
	if (raw.p == NULL || tf_json_parse(&d, raw.p, raw.n, NULL) != TF_OK)
		return false;
	out->has_before = number(&d, "before", &out->before);
	t = tf_json_get(&d, 0, "sha256");
	if (t >= 0 && d.tok[t].type == TF_JSON_STRING &&
	    number(&d, "bytes", &out->bytes) &&
	    number(&d, "from", &out->from) && number(&d, "to", &out->to)) {
		/* The document copies nothing: its text is raw. */
		s = tf_json_text(&d, t);
		out->digests = (struct tf_str){ s.p + 1, s.n - 2 };
		ok = fits(out);
	}
	tf_json_doc_free(&d);
	return ok;
}
