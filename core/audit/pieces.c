/*
 * The digests of the pieces of evidence: see pieces.h.  Lists are in memory
 * while a file grows and while its bytes are hashed: 40 bytes for 64 KiB.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../ledger/chunks.h"
#include "../ledger/entry.h"
#include "pieces.h"

#define RANGES_MAX 8 /* that are named; further ones are counted */

struct tf_growing_file {
	uint64_t node, seq;
	char *path;
	struct tf_pieces *pieces;
};

void
tf_pieces_free(struct tf_pieces *p)
{
	if (p == NULL)
		return;
	free(p->p);
	free(p);
}

size_t
tf_pieces_bytes(const struct tf_pieces *p)
{
	return p == NULL ? 0 : p->cap * sizeof(*p->p);
}

/* --- from the entries ------------------------------------------------------- */

void
tf_growing_free(struct tf_growing *g)
{
	for (size_t i = 0; i < g->n; i++) {
		tf_pieces_free(g->f[i].pieces);
		free(g->f[i].path);
	}
	free(g->f);
	*g = (struct tf_growing){ 0 };
}

static int
by_node(const void *key, const void *item)
{
	const uint64_t *node = key;
	const struct tf_growing_file *f = item;

	return (*node > f->node) - (*node < f->node);
}

/* The place of the node, and whether it is there. */
static size_t
find(const struct tf_growing *g, uint64_t node, bool *there)
{
	size_t i = tf_array_place(g->f, g->n, sizeof(*g->f), &node, by_node);

	*there = i < g->n && g->f[i].node == node;
	return i;
}

static void
drop(struct tf_growing *g, size_t i)
{
	tf_pieces_free(g->f[i].pieces);
	free(g->f[i].path);
	g->n--;
	memmove(g->f + i, g->f + i + 1, (g->n - i) * sizeof(*g->f));
}

static enum tf_code
begin(struct tf_growing *g, size_t i, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_pieces *p = calloc(1, sizeof(*p));
	char *path = strndup(e->path.p, e->path.n);

	if (p == NULL || path == NULL ||
	    !tf_array_room(&g->f, g->n, &g->cap, sizeof(*g->f))) {
		free(p);
		free(path);
		return tf_nomem(err);
	}
	memmove(g->f + i + 1, g->f + i, (g->n - i) * sizeof(*g->f));
	g->n++;
	g->f[i] = (struct tf_growing_file){ .node = e->node,
		.path = path,
		.pieces = p };
	return TF_OK;
}

static enum tf_code
add_pieces(struct tf_pieces *p, const struct tf_chunks *c, struct tf_error *err)
{
	const size_t n = tf_chunks_count(c);

	for (size_t i = 0; i < n; i++) {
		uint64_t to = c->from + (i + 1) * c->bytes;

		if (!tf_array_room(&p->p, p->n, &p->cap, sizeof(*p->p)))
			return tf_nomem(err);
		p->p[p->n].to = to < c->to ? to : c->to;
		tf_chunks_digest(c, i, &p->p[p->n++].sha256);
	}
	return TF_OK;
}

static uint64_t
end_of(const struct tf_pieces *p)
{
	return p->n == 0 ? 0 : p->p[p->n - 1].to;
}

enum tf_code
tf_growing_add(struct tf_growing *g, const struct tf_entry *e,
    struct tf_error *err)
{
	struct tf_chunks c;
	bool there;
	size_t i = find(g, e->node, &there);
	enum tf_code rc = TF_OK;

	if (!tf_chunks_read(e->chunks, &c))
		return TF_OK;
	if (there &&
	    (c.from == 0 || c.from != end_of(g->f[i].pieces) ||
		c.before != g->f[i].seq)) {
		drop(g, i);
		there = false;
	}
	if (!there && c.from > 0)
		return TF_OK;
	if (!there)
		rc = begin(g, i, e, err);
	if (rc == TF_OK)
		rc = add_pieces(g->f[i].pieces, &c, err);
	if (rc == TF_OK)
		g->f[i].seq = e->seq;
	return rc;
}

struct tf_pieces *
tf_growing_take(struct tf_growing *g, const struct tf_entry *e)
{
	struct tf_pieces *p = NULL;
	bool there;
	size_t i = find(g, e->node, &there);

	if (!there)
		return NULL;
	if (e->has_grown && e->grown == g->f[i].seq &&
	    end_of(g->f[i].pieces) == e->content.size) {
		p = g->f[i].pieces;
		g->f[i].pieces = NULL;
	}
	drop(g, i);
	return p;
}

/* Is f, which is not sealed, the file of e or in the attestation of e? */
static bool
ends_with(const struct tf_growing_file *f, const struct tf_entry *e)
{
	const char *rest;

	if (strncmp(f->path, e->path.p, e->path.n) != 0)
		return false;
	rest = f->path + e->path.n;
	return e->type == TF_ATTESTATION_SEALED ? *rest == '/' : *rest == '\0';
}

bool
tf_growing_gone(struct tf_growing *g, const struct tf_entry *e, char **path,
    uint64_t *bytes)
{
	if (e->type != TF_EVIDENCE_INTERRUPTED &&
	    e->type != TF_EVIDENCE_SEALED && e->type != TF_ATTESTATION_SEALED)
		return false;
	for (size_t i = 0; i < g->n; i++)
		if (ends_with(&g->f[i], e)) {
			*path = g->f[i].path;
			*bytes = end_of(g->f[i].pieces);
			g->f[i].path = NULL;
			drop(g, i);
			return true;
		}
	return false;
}

/* --- the comparison ---------------------------------------------------------- */

enum tf_code
tf_differ_begin(struct tf_differ *w, const struct tf_pieces *want,
    struct tf_error *err)
{
	*w = (struct tf_differ){ .want = want, .sha = tf_sha256_new() };
	return w->sha == NULL ? tf_nomem(err) : TF_OK;
}

void
tf_differ_free(struct tf_differ *w)
{
	tf_sha256_free(w->sha);
	w->sha = NULL;
	tf_buf_free(&w->text);
}

/* Append the last range. */
static void
name_range(const struct tf_differ *w, struct tf_buf *out, bool more)
{
	tf_buf_printf(out, "%s%" PRIu64 "-%" PRIu64, more ? ", " : "",
	    w->range_from, w->range_to - 1);
}

/* The piece before w->at differs. */
static void
mark(struct tf_differ *w)
{
	w->wrong += w->at - w->from;
	if (w->ranges > 0 && w->range_to == w->from) {
		w->range_to = w->at;
		return;
	}
	if (w->ranges > 0 && w->ranges <= RANGES_MAX)
		name_range(w, &w->text, w->ranges > 1);
	w->ranges++;
	w->range_from = w->from;
	w->range_to = w->at;
}

void
tf_differ_add(struct tf_differ *w, const void *p, size_t n)
{
	const char *from = p;
	struct tf_hash h;
	size_t part;

	while (w != NULL && n > 0 && w->i < w->want->n) {
		const struct tf_entered_piece *piece = &w->want->p[w->i];

		part = piece->to - w->at < n ? (size_t)(piece->to - w->at) : n;
		tf_sha256_add(w->sha, from, part);
		w->at += part;
		from += part;
		n -= part;
		if (w->at < piece->to)
			break;
		tf_sha256_peek(w->sha, &h);
		tf_sha256_reset(w->sha);
		if (memcmp(&h, &piece->sha256, sizeof(h)) != 0)
			mark(w);
		w->from = w->at;
		w->i++;
	}
}

bool
tf_differ_is_full(const struct tf_differ *w)
{
	return w->i == w->want->n;
}

/* "bytes 0-65535, 131072-196607 and 3 more ranges differ" */
static void
put_ranges(const struct tf_differ *w, struct tf_buf *out)
{
	const size_t more = w->ranges > RANGES_MAX ? w->ranges - RANGES_MAX : 0;

	tf_buf_str(out, "bytes ");
	tf_buf_add(out, w->text.p, w->text.n);
	out->failed = out->failed || w->text.failed;
	if (more == 0)
		name_range(w, out, w->ranges > 1);
	else
		tf_buf_printf(out, " and %zu more range%s", more,
		    more == 1 ? "" : "s");
	tf_buf_str(out, " differ");
}

/* Begin the next part of the text. */
static void
next(struct tf_buf *out, size_t start)
{
	if (out->n > start)
		tf_buf_str(out, "; ");
}

void
tf_differ_text(struct tf_differ *w, uint64_t size, struct tf_buf *out)
{
	const uint64_t whole = end_of(w->want);
	const uint64_t there = size < whole ? size : whole;
	const uint64_t same = w->from - w->wrong;
	const size_t start = out->n;

	if (w->at == 0 || (w->ranges == 0 && size == whole && w->at == whole))
		return;
	if (size < whole)
		tf_buf_printf(out,
		    "only the first %" PRIu64 " of %" PRIu64 " bytes are there",
		    size, whole);
	else if (size > whole)
		tf_buf_printf(out,
		    "%" PRIu64 " bytes follow the %" PRIu64
		    " that were entered",
		    size - whole, whole);
	if (w->ranges > 0) {
		next(out, start);
		put_ranges(w, out);
	}
	/* The digest says nothing of the piece in which the file ends, or its
	 * rest could not be unpacked. */
	if (w->from < there) {
		next(out, start);
		tf_buf_printf(out,
		    "bytes %" PRIu64 "-%" PRIu64 " cannot be compared", w->from,
		    there - 1);
	}
	next(out, start);
	if (same == 0)
		tf_buf_str(out, "no piece is as entered");
	else
		tf_buf_printf(out, "the other %" PRIu64 " bytes are as entered",
		    same);
}
