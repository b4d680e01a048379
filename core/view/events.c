/*
 * The entries about a directory and the nodes below it.  Rows of table node
 * give the entries that created and sealed each node; unindexed.c finds all
 * others.
 */
#include <string.h>

#include "../ledger/entry_scan.h"
#include "../node/children.h"
#include "../node/paths.h"
#include "../page.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "events.h"
#include "readable.h"
#include "unindexed.h"
#include "view.h"

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
	enum tf_code rc = tf_seqs_add(k->out, r->entry, err);

	if (rc == TF_OK && r->seal != TF_NO_SEQ)
		rc = tf_seqs_add(k->out, r->seal, err);
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
		rc = tf_view_unindexed(w, &path, row.entry, out, err);
	tf_buf_free(&path);
	if (rc != TF_OK || out->n == 0)
		return rc;
	/* An entry may have been collected twice. */
	tf_seqs_sort(out);
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
