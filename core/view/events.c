/*
 * The entries about a directory and the nodes below it.  Rows of table node
 * give the entries that created and sealed each node.  All other entries are
 * found by scanning the ledger, and the result is kept in memory: each process
 * scans an entry at most once.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../ledger/entry.h"
#include "../ledger/entry_scan.h"
#include "../node/children.h"
#include "../node/paths.h"
#include "../node/unindexed.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "altered.h"
#include "events.h"
#include "readable.h"
#include "view.h"

void
tf_seqs_free(struct tf_seqs *s)
{
	free(s->p);
	*s = (struct tf_seqs){ 0 };
}

/* Entries are collected as numbers and not as bytes: a trail may have millions
 * of them. */
static enum tf_code
add_seq(struct tf_seqs *s, uint64_t seq, struct tf_error *err)
{
	if (!tf_array_room(&s->p, s->n, &s->cap, sizeof(*s->p)))
		return tf_nomem(err);
	s->p[s->n++] = seq;
	return TF_OK;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

bool
tf_is_below(const struct tf_buf *entry, const struct tf_buf *dir)
{
	struct tf_str type, path;

	/* The path's first three names hold no character that JSON escapes. */
	tf_entry_scan(entry->p, entry->n, &type, &path);
	return path.p != NULL && path.n >= dir->n &&
	    memcmp(path.p, dir->p, dir->n) == 0 &&
	    (path.n == dir->n || path.p[dir->n] == '/');
}

/* --- those that no row names ------------------------------------------------ */

/* FNV-1a of the first parts of a path, or of a shorter path as a whole.  The
 * index holds hashes so that an entry costs 16 bytes; two paths with one hash
 * only cost a wasted read, as each user checks with tf_is_below. */
static uint32_t
hash_parts(struct tf_str path, unsigned parts)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] == '/' && --parts == 0)
			break;
		h = (h ^ (uint8_t)path.p[i]) * 16777619u;
	}
	return h;
}

/* True for the types of entries that a row of table node names as its first
 * entry or its seal.  All other types must be in the index, also those of later
 * versions, which are unknown here. */
static bool
has_row(struct tf_str type)
{
	static const enum tf_entry_kind types[] = { TF_TRAIL_CREATED,
		TF_WORKFLOW_BEGUN, TF_ATTESTATION_BEGUN, TF_DIRECTORY_CREATED,
		TF_EVIDENCE_SEALED, TF_ATTESTATION_SEALED, TF_WORKFLOW_SEALED,
		TF_TRAIL_SEALED };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const char *name = tf_type_name(types[i]);

		if (type.n == strlen(name) && memcmp(type.p, name, type.n) == 0)
			return true;
	}
	return false;
}

struct scan {
	struct tf_unindexed *r;
	struct tf_leaves leaves;
};

/* The index is shared by all views of a vault, so the walk stops at the end of
 * this view: a later entry is not in its snapshot. */
static enum tf_code
note_unindexed(void *arg, uint64_t idx, uint64_t off, const void *body,
    size_t n, struct tf_error *err)
{
	struct scan *s = arg;
	struct tf_unindexed *r = s->r;
	struct tf_str type, path;
	bool whole;
	enum tf_code rc;

	(void)off;
	if (idx >= s->leaves.end)
		return TF_NODATA; /* ends the walk */
	rc = tf_leaves_check(&s->leaves, r, idx, body, n, &whole, err);
	if (rc != TF_OK || !whole)
		return rc;
	tf_entry_scan(body, n, &type, &path);
	if (path.p == NULL || type.p == NULL || has_row(type))
		return TF_OK;
	if (!tf_array_room(&r->p, r->n, &r->cap, sizeof(*r->p)))
		return tf_nomem(err);
	r->p[r->n++] = (struct tf_unindexed_entry){ idx, hash_parts(path, 1),
		hash_parts(path, 2) };
	return TF_OK;
}

/* Scan the entries from..end into the index; on failure the index stays as it
 * was. */
static enum tf_code
scan_range(struct tf_view *w, struct tf_unindexed *r, uint64_t from,
    uint64_t end, struct tf_error *err)
{
	struct scan s = { .r = r };
	size_t before = r->n, altered = r->n_altered;
	bool whole;
	enum tf_code rc;

	if (from >= end)
		return TF_OK;
	tf_leaves_begin(&s.leaves, w, from, end);
	rc = tf_entries_each(w->db, from, note_unindexed, &s, err);
	/* The last ones may be missing. */
	if (rc == TF_OK || rc == TF_NODATA)
		rc = tf_leaves_check(&s.leaves, r, end, NULL, 0, &whole, err);
	if (rc != TF_OK) {
		r->n = before;
		r->n_altered = altered;
	}
	return rc;
}

static int
by_seq(const void *a, const void *b)
{
	return by_number(&((const struct tf_unindexed_entry *)a)->seq,
	    &((const struct tf_unindexed_entry *)b)->seq);
}

/* Extend the index to cover all entries from `from` to the end of the view; mu
 * is held. */
static enum tf_code
know_since(struct tf_view *w, struct tf_unindexed *r, uint64_t from,
    struct tf_error *err)
{
	enum tf_code rc;

	/* An index whose range begins behind the end of this older view could
	 * leave a gap: start again. */
	if (r->from == r->to || r->from > w->entries) {
		r->n = r->n_altered = 0;
		r->from = r->to = from;
	}
	if ((rc = scan_range(w, r, r->to, w->entries, err)) != TF_OK)
		return rc;
	if (w->entries > r->to)
		r->to = w->entries;
	if (from >= r->from)
		return TF_OK;
	rc = scan_range(w, r, from, r->from, err);
	if (rc == TF_OK)
		r->from = from;
	if (r->n > 1)
		qsort(r->p, r->n, sizeof(*r->p), by_seq);
	return rc;
}

/* Collect the unindexed entries from `from` on whose hash matches path. */
static enum tf_code
add_unindexed(struct tf_view *w, const struct tf_buf *path, uint64_t from,
    struct tf_seqs *out, struct tf_error *err)
{
	struct tf_str s = { path->p, path->n };
	bool trail = memchr(path->p, '/', path->n) == NULL;
	uint32_t want = hash_parts(s, trail ? 1 : 2);
	struct tf_unindexed *r = w->v->unindexed;
	enum tf_code rc;

	pthread_mutex_lock(&r->mu);
	rc = know_since(w, r, from, err);
	for (size_t i = 0; rc == TF_OK && i < r->n; i++) {
		const struct tf_unindexed_entry *x = &r->p[i];

		if (x->seq >= from && x->seq < w->entries &&
		    (trail ? x->trail : x->workflow) == want)
			rc = add_seq(out, x->seq, err);
	}
	pthread_mutex_unlock(&r->mu);
	return rc;
}

enum tf_code
tf_view_altered(struct tf_view *w, uint64_t workflow, tf_altered_fn fn,
    void *arg, struct tf_error *err)
{
	struct tf_unindexed *r = w->v->unindexed;
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&r->mu);
	for (size_t i = 0; rc == TF_OK && i < r->n_altered; i++) {
		const struct tf_altered_entry *e = &r->altered[i];

		if (e->seq < w->entries &&
		    (!e->named || e->workflow == workflow))
			rc = fn(arg, e, err);
	}
	pthread_mutex_unlock(&r->mu);
	return rc;
}

/* --- those of the rows -------------------------------------------------------- */

struct walk {
	struct tf_view *w;
	struct tf_seqs *out;
	unsigned levels;
};

/* Add the entries of a row, then go down as long as levels are left.  The
 * counter is restored afterwards, as the walk goes on with a sibling. */
static enum tf_code
add_row(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct walk *k = arg;
	enum tf_code rc = add_seq(k->out, r->entry, err);

	if (rc == TF_OK && r->seal != TF_NO_SEQ)
		rc = add_seq(k->out, r->seal, err);
	if (rc != TF_OK || k->levels == 0 || r->attr.kind == TF_KIND_EVIDENCE)
		return rc;
	k->levels--;
	rc = tf_each_child(k->w->db, r->attr.id, add_row, k, err);
	k->levels++;
	return rc;
}

/* No entry about a directory is older than the one that created it, so the
 * search of unindexed entries begins there. */
enum tf_code
tf_view_collect(struct tf_view *w, uint64_t id, unsigned levels, bool unindexed,
    struct tf_seqs *out, struct tf_error *err)
{
	struct walk k = { w, out, levels };
	struct tf_buf path = { 0 };
	struct tf_node_row row;
	size_t kept = 0;
	enum tf_code rc = tf_nodes_get(w->db, id, &row, err);

	if (rc == TF_NOTFOUND)
		return TF_OK; /* not in the ledger yet */
	if (rc == TF_OK && !unindexed)
		rc = add_row(&k, &row, err);
	if (rc == TF_OK)
		rc = tf_path_of(w->v, w->db, id, &path, err);
	if (rc == TF_OK && path.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = add_unindexed(w, &path, row.entry, out, err);
	tf_buf_free(&path);
	if (rc != TF_OK || out->n == 0)
		return rc;
	/* An entry may have been collected twice. */
	qsort(out->p, out->n, sizeof(*out->p), by_number);
	for (size_t i = 1; i < out->n; i++)
		if (out->p[i] != out->p[kept])
			out->p[++kept] = out->p[i];
	out->n = kept + 1;
	return TF_OK;
}

/* --- events.jsonl --------------------------------------------------------------- */

#define ALL_LEVELS 1024
#define PIECE 65536 /* bytes */

/* Write the entry as a line, if the asker may read it. */
static enum tf_code
put_line(struct tf_view *w, const struct tf_buf *body, struct tf_buf *piece,
    const struct tf_sink *out, struct tf_error *err)
{
	bool may;
	enum tf_code rc = tf_may_read_entry(w, body, &may, err);

	if (rc != TF_OK || !may)
		return rc;
	tf_buf_add(piece, body->p, body->n);
	tf_buf_add(piece, "\n", 1);
	return piece->n >= PIECE ? tf_sink_buf(out, piece, err) : TF_OK;
}

/* Write a line in place of an entry that cannot be read, whose bytes may be
 * anything. */
static enum tf_code
put_damaged(uint64_t seq, struct tf_buf *piece, const struct tf_sink *out,
    struct tf_error *err)
{
	tf_buf_printf(piece, "{\"damaged\":%llu}\n", (unsigned long long)seq);
	return piece->n >= PIECE ? tf_sink_buf(out, piece, err) : TF_OK;
}

/* True if the bytes have no type, so that nobody knows what they are about. */
static bool
has_no_type(const struct tf_buf *entry)
{
	struct tf_str type, path;

	tf_entry_scan(entry->p, entry->n, &type, &path);
	return type.p == NULL;
}

struct lines {
	struct tf_view *w;
	const struct tf_sink *out;
	struct tf_buf piece;
};

static enum tf_code
put_entry(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct lines *l = arg;
	const struct tf_buf entry = { .p = (char *)(uintptr_t)body, .n = n };

	(void)off;
	if (idx >= l->w->entries)
		return TF_NODATA;
	if (!l->w->all && has_no_type(&entry))
		return put_damaged(idx, &l->piece, l->out, err);
	return put_line(l->w, &entry, &l->piece, l->out, err);
}

/*
 * Write the entries of the whole vault in one walk: here the order of the
 * ledger is also the order of the table, and nothing must be collected first.
 */
static enum tf_code
put_all(struct tf_view *w, const struct tf_sink *out, struct tf_error *err)
{
	struct lines l = { .w = w, .out = out };
	enum tf_code rc = tf_entries_each(w->db, 0, put_entry, &l, err);

	if (rc == TF_OK || rc == TF_NODATA)
		rc = tf_sink_buf(out, &l.piece, err);
	tf_buf_free(&l.piece);
	return rc;
}

/* Write entry seq if it is about path.  It was collected because a row names
 * it or its path may be this one; if it is neither it must be whole. */
static enum tf_code
put_collected(struct tf_view *w, uint64_t seq, const struct tf_buf *path,
    struct tf_buf *body, struct tf_buf *piece, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_loaded_entry t = { 0 };
	enum tf_code rc;

	body->n = 0;
	rc = tf_entries_get(w->db, seq, body, NULL, err);
	if (rc == TF_OK && tf_is_below(body, path))
		return put_line(w, body, piece, out, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	rc = tf_loaded_entry_try(w, seq, &t, NULL, err);
	if (rc == TF_OK && t.damaged)
		rc = put_damaged(seq, piece, out, err);
	tf_loaded_entry_free(&t);
	return rc;
}

enum tf_code
tf_view_events(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_buf path = { 0 }, body = { 0 }, piece = { 0 };
	struct tf_seqs seqs = { 0 };
	enum tf_code rc;

	if (id == TF_ROOT_ID)
		return put_all(w, out, err);
	rc = tf_view_collect(w, id, ALL_LEVELS, false, &seqs, err);
	if (rc == TF_OK)
		rc = tf_path_of(w->v, w->db, id, &path, err);
	for (size_t i = 0; rc == TF_OK && i < seqs.n; i++)
		rc = put_collected(w, seqs.p[i], &path, &body, &piece, out,
		    err);
	if (rc == TF_OK)
		rc = tf_sink_buf(out, &piece, err);
	tf_seqs_free(&seqs);
	tf_buf_free(&path);
	tf_buf_free(&body);
	tf_buf_free(&piece);
	return rc;
}
