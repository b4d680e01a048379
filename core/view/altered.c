/*
 * Entries that the store does not have any more as it committed them: see
 * altered.h.
 *
 * A record that somebody altered may be the override that made a workflow
 * non-compliant.  It then has no type and no path, or another one, so no search
 * finds it, and the workflow would look better than it is.  The walk that fills
 * the index of entries therefore compares each entry with its leaf in the tree,
 * which costs one hash, and keeps those that differ.  This is no verification:
 * only trailctl verify compares the leaves with the signed root.
 *
 * A row of table node may name an altered entry: then the damage belongs to the
 * workflow of that node.  Otherwise it may belong to every workflow with a seal
 * before it, since an override comes after the seal that it is about.
 */
#include <string.h>

#include "../base/array.h"
#include "../ledger/entry.h"
#include "../node/vault_i.h"
#include "../store/definitions.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "altered.h"
#include "view.h"

#define TILE_WIDTH 256
/* Each altered entry costs a search of table node. */
#define ALTERED_MAX 64

void
tf_leaves_begin(struct tf_leaves *l, struct tf_view *w, uint64_t from,
    uint64_t end)
{
	l->w = w;
	l->next = from;
	l->end = end;
	l->has_tile = false;
}

/* A tile that cannot be read is no leaf of any entry: it proves none of them. */
static enum tf_code
read_tile(struct tf_leaves *l, uint64_t tile, struct tf_error *err)
{
	uint64_t left = l->w->entries - tile * TILE_WIDTH;
	unsigned width = left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
	enum tf_code rc = tf_tiles_get(l->w->db, 0, tile, width, l->leaf, err);

	if (rc == TF_TAMPER) {
		memset(l->leaf, 0, sizeof(l->leaf));
		rc = TF_OK;
	}
	l->tile = tile;
	l->has_tile = rc == TF_OK;
	return rc;
}

/* Find the workflow and the attestation that a node is in or is. */
static enum tf_code
find_places(struct tf_db *db, struct tf_node_row *row,
    struct tf_altered_entry *x, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && row->attr.kind > TF_KIND_TRAIL) {
		if (row->attr.kind == TF_KIND_ATTESTATION)
			x->attestation = row->attr.id;
		if (row->attr.kind == TF_KIND_WORKFLOW)
			x->workflow = row->attr.id;
		if (row->attr.kind == TF_KIND_WORKFLOW)
			break;
		rc = tf_nodes_get(db, row->attr.parent, row, err);
	}
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* TF_NODATA ends the walk at the row that the entry made. */
static enum tf_code
is_entry_of(void *arg, const struct tf_definition_row *row,
    struct tf_error *err)
{
	const uint64_t *seq = arg;

	(void)err;
	return row->entry == *seq ? TF_NODATA : TF_OK;
}

/* Find out to which workflow an altered entry belongs.  A template or a type
 * belongs to none: the reading of a template compares it with its entry. */
static enum tf_code
find_owner(struct tf_db *db, struct tf_altered_entry *x, struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_by_entry(db, x->seq, &row, err);

	if (rc == TF_OK) {
		x->named = true;
		return find_places(db, &row, x, err);
	}
	if (rc == TF_NOTFOUND)
		rc = tf_definitions_each(db, is_entry_of, &x->seq, err);
	x->named = rc == TF_NODATA;
	return rc == TF_NODATA ? TF_OK : rc;
}

static enum tf_code
add_altered(struct tf_leaves *l, struct tf_scanned *r, uint64_t seq,
    bool missing, struct tf_error *err)
{
	struct tf_altered_entry x = { .seq = seq,
		.missing = missing,
		.seals_before = seq };
	enum tf_code rc = TF_OK;

	if (r->n_altered > ALTERED_MAX)
		return TF_OK;
	if (r->n_altered == ALTERED_MAX)
		x.seals_before = TF_NO_SEQ; /* for all that come after it */
	else
		rc = find_owner(l->w->db, &x, err);
	if (rc != TF_OK)
		return rc;
	if (!tf_array_room(&r->altered, r->n_altered, &r->cap_altered,
		sizeof(*r->altered)))
		return tf_nomem(err);
	r->altered[r->n_altered++] = x;
	return TF_OK;
}

bool
tf_altered_add(struct tf_scanned *all, const struct tf_scanned *s)
{
	for (size_t i = 0; i < s->n_altered && all->n_altered <= ALTERED_MAX;
	     i++) {
		if (!tf_array_room(&all->altered, all->n_altered,
			&all->cap_altered, sizeof(*all->altered)))
			return false;
		all->altered[all->n_altered] = s->altered[i];
		/* The last place is for all others. */
		if (all->n_altered++ == ALTERED_MAX)
			all->altered[ALTERED_MAX] = (struct tf_altered_entry){
				.seq = s->altered[i].seq,
				.missing = s->altered[i].missing,
				.seals_before = TF_NO_SEQ
			};
	}
	return true;
}

enum tf_code
tf_leaves_check(struct tf_leaves *l, struct tf_scanned *r, uint64_t idx,
    const void *body, size_t n, bool *whole, struct tf_error *err)
{
	struct tf_hash leaf;
	enum tf_code rc = TF_OK;

	*whole = false;
	for (; rc == TF_OK && l->next < idx && l->next < l->end; l->next++)
		rc = add_altered(l, r, l->next, true, err);
	if (rc != TF_OK || idx >= l->end)
		return rc;
	l->next = idx + 1;
	if (!l->has_tile || l->tile != idx / TILE_WIDTH)
		rc = read_tile(l, idx / TILE_WIDTH, err);
	if (rc != TF_OK)
		return rc;
	tf_entry_leaf(n == 0 ? "" : body, n, &leaf);
	*whole = memcmp(&leaf, &l->leaf[idx % TILE_WIDTH], sizeof(leaf)) == 0;
	return *whole ? TF_OK : add_altered(l, r, idx, false, err);
}
